/**
 * The backward sweep: iterative, so that a chain of a hundred thousand operations needs no stack, and linear in the graph.
 * A node runs once all gradients for it have arrived; among those ready the latest operation goes first, as in PyTorch.
 */
import { RuntimeError } from "../core/errors.ts";
import { sameShape, sizeText } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";
import { anomalyMode } from "./anomaly.ts";
import { DeadEnd } from "./dead-end.ts";
import { applyNodeHooks, applyPrehooks, applyTensorHooks } from "./hooks.ts";
import { setGradEnabled } from "./mode.ts";
import type { Edge, Node } from "./node.ts";
import { PassingGradients } from "./passing.ts";

/** What the sweep needs of tensor arithmetic; ops/registry.ts provides it, so that this file depends on no operation. */
export interface GradientArithmetic {
  add(a: Tensor, b: Tensor): Tensor;
  ones(shape: readonly number[], like: Tensor): Tensor;
  edgeOf(tensor: Tensor): Edge | null;
}

let arithmetic: GradientArithmetic;

export function setGradientArithmetic(provided: GradientArithmetic): void {
  arithmetic = provided;
}

export interface SweepOptions {
  /** Keeps what was saved for backward, so that the graph can be swept again. Default: createGraph. */
  retainGraph?: boolean;
  /** Records the backward itself, for gradients of gradients. Default false. */
  createGraph?: boolean;
}

/** Gradients wanted by `autograd.grad`: node → number of its output → positions in the answer. */
export type Captures = Map<Node, Map<number, number[]>>;

/** @throws RuntimeError for a gradient of another shape than the output it is the gradient of. @internal */
export function checkGradientShape(output: Tensor, given: Tensor | null | undefined, position: number): void {
  if (!given || sameShape(given.shape, output.shape)) return;
  throw new RuntimeError(
    `Mismatch in shape: grad_output[${position}] has a shape of torch.Size(${sizeText(given.shape)}) and output[${position}] has a shape of torch.Size(${sizeText(output.shape)}).`,
    { shapes: [given.shape, output.shape] },
  );
}

/** The roots' gradients: the given ones, or 1 for a scalar. */
function rootGradient(output: Tensor, given: Tensor | null | undefined, position: number): Tensor {
  if (given) {
    checkGradientShape(output, given, position);
    return given;
  }
  if (output.numel() !== 1) {
    throw new RuntimeError("grad can be implicitly created only for scalar outputs", {
      shapes: [output.shape],
      hint: "reduce to one number first, as in y.sum().backward(), or pass a gradient of the same shape",
    });
  }
  return arithmetic.ones(output.shape, output);
}

/**
 * Sweeps the graphs of `outputs`. Without captures gradients accumulate in the leaves; with captures they are returned
 * instead and leaves stay untouched.
 */
export function sweep(
  outputs: readonly Tensor[],
  gradOutputs: readonly (Tensor | null | undefined)[],
  options: SweepOptions,
  captures: Captures | null = null,
): (Tensor | null)[] {
  const createGraph = options.createGraph ?? false;
  const retainGraph = options.retainGraph ?? createGraph;
  const captured: (Tensor | null)[] = [];
  const incoming = new Map<Node, (Tensor | null)[]>();
  const roots: Node[] = [];
  // A graph that is kept may keep gradients as well.
  const passing = retainGraph || createGraph ? null : new PassingGradients();

  const send = ({ node, index }: Edge, grad: Tensor): void => {
    const slots = incoming.get(node) ?? [];
    incoming.set(node, slots);
    while (slots.length <= index) slots.push(null);
    const present = slots[index];
    slots[index] = present ? arithmetic.add(present, grad) : grad;
    if (!present) return;
    passing?.sent(slots[index]);
    passing?.used(present);
    passing?.used(grad);
  };

  const mode = setGradEnabled(createGraph);
  try {
    outputs.forEach((output, i) => {
      const edge = arithmetic.edgeOf(output);
      if (!edge) {
        throw new RuntimeError(`element ${i} of tensors does not require grad and does not have a grad_fn`, {
          hint: "nothing in this computation asks for a gradient: create its inputs with { requiresGrad: true }",
        });
      }
      const root = rootGradient(output, gradOutputs[i], i);
      passing?.sent(root);
      send(edge, root);
      roots.push(edge.node);
    });

    const waiting = countDependencies(roots);
    // What lies behind the wanted gradients is neither run nor freed: a later sweep may still need it.
    const needed = captures ? nodesTowards(captures, waiting.keys()) : null;
    const ready = new ReadyQueue();
    for (const root of new Set(roots)) if (!waiting.get(root)) ready.push(root);

    for (let node = ready.pop(); node; node = ready.pop()) {
      const grads = incoming.get(node) ?? [];
      incoming.delete(node);
      const arrived = [...grads];
      applyTensorHooks(node, grads);
      const wanted = captures?.get(node);
      for (const [index, positions] of wanted ?? []) for (const p of positions) captured[p] = grads[index] ?? null;
      const anyGradient = grads.some((g) => g !== null);
      const runs = !needed || needed.has(node);
      // As in PyTorch, what was freed fails even where no gradient arrives.
      const results = runs && (anyGradient || node.freed) ? runNode(node, grads, passing) : [];
      if (runs && !retainGraph) node.release();
      const seen = node.showsGradients || wanted !== undefined;
      for (const grad of seen ? [...arrived, ...results] : []) if (grad) passing?.shown(grad);
      results.forEach((grad, i) => {
        if (grad && node.edges[i]) passing?.sent(grad);
      });
      node.edges.forEach((edge, i) => {
        if (!edge) return;
        const grad = results[i];
        if (grad) send(edge, grad);
        const left = waiting.get(edge.node)! - 1;
        waiting.set(edge.node, left);
        if (left === 0) ready.push(edge.node);
      });
      for (const grad of arrived) if (grad) passing?.used(grad);
    }
  } finally {
    mode[Symbol.dispose]();
  }
  return captured;
}

/** For each node that the roots lead to, from how many edges gradients will come. */
function countDependencies(roots: readonly Node[]): Map<Node, number> {
  const counts = new Map<Node, number>(roots.map((root) => [root, 0]));
  const seen = new Set<Node>(roots);
  const stack = [...seen];
  const ends: DeadEnd[] = [];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (node instanceof DeadEnd) ends.push(node);
    for (const edge of node.edges) {
      if (!edge) continue;
      counts.set(edge.node, (counts.get(edge.node) ?? 0) + 1);
      if (!seen.has(edge.node)) {
        seen.add(edge.node);
        stack.push(edge.node);
      }
    }
  }
  // Leaves to which a dead end leads as well wait for it, in vain.
  for (const [node, count] of ends.length > 0 ? counts : []) {
    if (node.sequence === Number.POSITIVE_INFINITY && ends.some(({ reach }) => reach.has(node.id)))
      counts.set(node, count + 1);
  }
  return counts;
}

/** The nodes that a gradient has to pass on its way to one of `targets`. */
function nodesTowards(targets: Captures, nodes: Iterable<Node>): Set<Node> {
  const towards = new Set<Node>();
  const wanted = [...targets.keys()];
  // Edges lead to nodes made before, so by the time of a node it is known of all it leads to.
  for (const node of [...nodes].sort((a, b) => a.sequence - b.sequence)) {
    const leads =
      node instanceof DeadEnd
        ? wanted.some(({ id }) => node.reach.has(id))
        : node.edges.some((edge) => edge && (targets.has(edge.node) || towards.has(edge.node)));
    if (leads) towards.add(node);
  }
  return towards;
}

function runNode(node: Node, grads: (Tensor | null)[], passing: PassingGradients | null): readonly (Tensor | null)[] {
  while (grads.length < node.outputs.length) grads.push(null);
  const gradOutputs = applyPrehooks(node, grads);
  const results = node.run([...gradOutputs], passing);
  if (anomalyMode().checkNan) refuseNaN(node, results);
  return applyNodeHooks(node, results, gradOutputs);
}

function refuseNaN(node: Node, results: readonly (Tensor | null)[]): void {
  results.forEach((grad, i) => {
    if (!grad?.denseData().some((value) => Number.isNaN(value))) return;
    throw new RuntimeError(`Function '${node.name}' returned nan values in its ${i}th output.`);
  });
}

/** A binary heap by sequence number, highest first. */
class ReadyQueue {
  readonly #heap: Node[] = [];

  push(node: Node): void {
    const heap = this.#heap;
    heap.push(node);
    let i = heap.length - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (heap[parent]!.sequence >= node.sequence) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = node;
  }

  pop(): Node | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (!last || heap.length === 0) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.sequence > heap[child]!.sequence) child++;
      if (heap[child]!.sequence <= last.sequence) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
    return top;
  }
}
