/**
 * What stands in the graph for a part of it that can only fail.
 *
 * A sum that is kept over a training (`running = running.add(loss)`, where each loss has been swept) leads to the graphs of
 * all its steps, although no gradient gets through any more: on every path to a leaf lies an operation whose saved tensors
 * were freed. From a certain depth on, a node that is made on top of such a part does not hold it, but a `DeadEnd`, which
 * knows when and how a sweep would have failed there, and for which leaves. The rest is free for the collector.
 *
 * Who still holds a tensor inside of such a part can ask for its gradient or hang hooks on it. So the nodes of the part
 * know who was made on top of them (and hold it, as it no longer holds them): `Node.restore` puts the edges back.
 */
import { type Consumer, freedError, Node } from "./node.ts";

/** After so many operations on top of what was freed the part is looked at; whatever is shorter stays as it is. */
const DEPTH = 16;
/** No more nodes than this are looked at to find out whether all paths are dead. */
const MOST_OPEN = 256;
/** Larger parts stay as they are. */
const MOST_NODES = 10_000;
/** Who is under so many others stays held by the next ones, instead of holding them. */
const MOST_CONSUMERS = 64;
/** More ranges of numbers grow together where the gaps are smallest. */
const MOST_RANGES = 64;

/** A set of numbers: the first of each range and the one after its last, ascending. */
export class Ranges {
  readonly #bounds: readonly number[];

  private constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
  }

  static of(numbers: readonly number[], others: readonly Ranges[] = []): Ranges {
    const ranges = numbers.map((number): [number, number] => [number, number + 1]);
    for (const { pairs } of others) ranges.push(...pairs);
    ranges.sort(([a], [b]) => a - b);
    const joined: [number, number][] = [];
    for (const [first, end] of ranges) {
      const last = joined.at(-1);
      if (last && first <= last[1]) last[1] = Math.max(last[1], end);
      else joined.push([first, end]);
    }
    while (joined.length > MOST_RANGES) {
      let at = 1;
      const gap = (i: number) => joined[i]![0] - joined[i - 1]![1];
      for (let i = 2; i < joined.length; i++) if (gap(i) < gap(at)) at = i;
      joined.splice(at - 1, 2, [joined[at - 1]![0], joined[at]![1]]);
    }
    return new Ranges(joined.flat());
  }

  get pairs(): [number, number][] {
    const pairs: [number, number][] = [];
    for (let i = 0; i < this.#bounds.length; i += 2) pairs.push([this.#bounds[i]!, this.#bounds[i + 1]!]);
    return pairs;
  }

  has(number: number): boolean {
    return this.pairs.some(([first, end]) => number >= first && number < end);
  }
}

export class DeadEnd extends Node {
  readonly name: string;
  readonly #turn: number;
  /** The nodes that cannot be reached any more. */
  readonly reach: Ranges;

  constructor(name: string, turn: number, reach: Ranges) {
    super();
    this.name = name;
    this.#turn = turn;
    this.reach = reach;
  }

  /** When the sweep fails: the turn of the latest of the freed operations. */
  override get sequence(): number {
    return this.#turn;
  }

  override get freed(): boolean {
    return true;
  }

  override run(): never {
    throw freedError();
  }
}

/**
 * What `consumer` holds as its input at `position`: the node itself, or a dead end that stands for it.
 * @internal
 */
export function heldBy(consumer: Node, position: number, node: Node, index: number): Node {
  if (node.depth === 0 || node.depth % DEPTH !== 0) return node;
  const end = deadEndFor(node);
  return end && note(node, { node: consumer, position, index }) ? end : node;
}

/** @returns null where a gradient may still pass, where others look on, or where it would take too long to say */
function deadEndFor(root: Node): DeadEnd | null {
  if (root.past?.deadEnd instanceof DeadEnd) return root.past.deadEnd;
  const part = openPart(root);
  if (!part) return null;
  const { open, freed, ends } = part;
  const behind = nodesBehind(freed);
  if (!behind) return null;
  for (const consumer of open) {
    for (const [position, edge] of consumer.edges.entries()) {
      if (edge && !note(edge.node, { node: consumer, position, index: edge.index })) return null;
    }
  }
  ends.push(...behind.ends);
  const turn = Math.max(...[...freed, ...ends].map((node) => node.sequence));
  const reach = Ranges.of(
    [...open, ...behind.nodes].map(({ id }) => id),
    ends.map((end) => end.reach),
  );
  root.past ??= { consumers: [], deadEnd: null };
  const end = new DeadEnd(root.name, turn, reach);
  root.past.deadEnd = end;
  return end;
}

/** The nodes from which all paths lead to freed operations (or to dead ends), and those. */
function openPart(root: Node): { open: Node[]; freed: Node[]; ends: DeadEnd[] } | null {
  const seen = new Set([root]);
  const [open, freed, ends]: [Node[], Node[], DeadEnd[]] = [[], [], []];
  // A set is walked in the order of insertion, with what is added on the way.
  for (const node of seen) {
    if (node instanceof DeadEnd) {
      ends.push(node);
      continue;
    }
    // Hooks run before a freed operation fails.
    if (node.showsGradients) return null;
    if (node.freed) {
      freed.push(node);
      continue;
    }
    open.push(node);
    let leads = false;
    for (const edge of node.edges) {
      if (!edge) continue;
      leads = true;
      seen.add(edge.node);
    }
    if (!leads || open.length > MOST_OPEN) return null;
  }
  return { open, freed, ends };
}

/** All nodes from these on. */
function nodesBehind(from: readonly Node[]): { nodes: Node[]; ends: DeadEnd[] } | null {
  const seen = new Set(from);
  const ends: DeadEnd[] = [];
  for (const node of seen) {
    if (node instanceof DeadEnd) ends.push(node);
    for (const edge of node.edges) if (edge) seen.add(edge.node);
    if (seen.size > MOST_NODES) return null;
  }
  return { nodes: [...seen], ends };
}

/** Notes for a node who was made on top of it. @returns false where there are too many */
function note(node: Node, { node: by, position, index }: Consumer): boolean {
  if (node instanceof DeadEnd) return true;
  node.past ??= { consumers: [], deadEnd: null };
  const { consumers } = node.past;
  if (consumers.some((known) => known.node === by && known.position === position)) return true;
  if (consumers.length >= MOST_CONSUMERS) return false;
  consumers.push({ node: by, position, index });
  return true;
}
