/**
 * Which cell gives which name to which other cell. A free name belongs to the nearest cell above that defines it; from that
 * follow the cells that one needs before it can run, and those that are stale when it changes.
 */
import { CellSyntaxError, type CompiledCell, compileCell, type FreeName } from "./compile.ts";
import { CELL_GLOBALS, STANDARD_GLOBALS } from "./modules.ts";

export interface FlowCell {
  id: string;
  source: string;
  /** False for an exercise: what it defines never reaches other cells. */
  publishes: boolean;
  /** An exercise's checks: they may use names of other cells too. */
  check?: string | null;
}

export interface UsedBefore {
  name: string;
  line: number;
  column: number;
  /** The first cell further down that defines it. */
  definedIn: string;
}

export interface CellFlow {
  id: string;
  /** Names it gives to the cells below. Of a cell with a syntax error, those it gave before. */
  definitions: readonly string[];
  /** Free name → the cell above that defines it. Goes into a RunRequest as it is. */
  scope: Record<string, string>;
  /** Free name → the cell that defines it, for names that only cells further down define. */
  below: Record<string, string>;
  usedBefore: UsedBefore[];
  /** Free names that no cell defines and neither JavaScript nor the kernel provides. */
  unknown: FreeName[];
  /** Cells that it takes names from, in the order of the lesson. */
  needs: string[];
  /** Why the cell cannot be compiled, or null. */
  error: CellSyntaxError | null;
}

export interface Flow {
  readonly order: readonly string[];
  readonly cells: ReadonlyMap<string, CellFlow>;
  /** Compiled texts, for the next reading. */
  readonly texts: ReadonlyMap<string, ReadText>;
}

interface ReadText {
  source: string;
  check: string | null;
  definitions: readonly string[];
  /** Free names of the source, then those of the checks that the source does not define. */
  free: readonly FreeName[];
  error: CellSyntaxError | null;
}

/**
 * Reads the cells of a lesson in order. With the flow of an earlier reading, only texts that have changed are parsed.
 */
export function readFlow(cells: readonly FlowCell[], earlier?: Flow): Flow {
  const texts = new Map<string, ReadText>();
  for (const cell of cells) texts.set(cell.id, readText(cell, earlier?.texts.get(cell.id)));
  const above = new Map<string, string>();
  const flows = new Map<string, CellFlow>();
  const order = cells.map(({ id }) => id);
  cells.forEach((cell, index) => {
    const text = texts.get(cell.id)!;
    flows.set(
      cell.id,
      flowOf(cell.id, text, above, (name) => firstBelow(name, cells, texts, index)),
    );
    if (cell.publishes) for (const name of text.definitions) above.set(name, cell.id);
  });
  return { order, cells: flows, texts };
}

function readText(cell: FlowCell, earlier: ReadText | undefined): ReadText {
  const { id, source, check = null } = cell;
  if (earlier && earlier.source === source && earlier.check === check) return earlier;
  try {
    const compiled = compileCell(id, source);
    const free = [...compiled.free, ...checkNames(id, check, compiled)];
    return { source, check, definitions: compiled.definitions, free, error: null };
  } catch (error) {
    if (!(error instanceof CellSyntaxError)) throw error;
    // Half-typed text must not take the names away from the cells below.
    return { source, check, definitions: earlier?.definitions ?? [], free: earlier?.free ?? [], error };
  }
}

function checkNames(id: string, check: string | null, compiled: CompiledCell): FreeName[] {
  if (check === null) return [];
  const own = new Set([...compiled.definitions, ...compiled.free.map(({ name }) => name)]);
  // A name that only the checks use has no place in the reader's text.
  return compileCell(`${id}#check`, check)
    .free.filter(({ name }) => !own.has(name))
    .map(({ name }) => ({ name, line: 1, column: 1, assigned: null }));
}

function flowOf(
  id: string,
  text: ReadText,
  above: ReadonlyMap<string, string>,
  below: (name: string) => string | null,
): CellFlow {
  const flow: CellFlow = {
    id,
    definitions: text.definitions,
    scope: {},
    below: {},
    usedBefore: [],
    unknown: [],
    needs: [],
    error: text.error,
  };
  for (const free of text.free) {
    const { name, line, column } = free;
    const definer = above.get(name);
    if (definer !== undefined) {
      flow.scope[name] = definer;
      continue;
    }
    if (STANDARD_GLOBALS.has(name) || CELL_GLOBALS.includes(name)) continue;
    const definedIn = below(name);
    if (definedIn === null) flow.unknown.push(free);
    else {
      flow.below[name] = definedIn;
      flow.usedBefore.push({ name, line, column, definedIn });
    }
  }
  const needed = new Set(Object.values(flow.scope));
  flow.needs = [...new Set(above.values())].filter((cell) => needed.has(cell));
  return flow;
}

function firstBelow(
  name: string,
  cells: readonly FlowCell[],
  texts: ReadonlyMap<string, ReadText>,
  index: number,
): string | null {
  for (const cell of cells.slice(index + 1)) {
    if (cell.publishes && texts.get(cell.id)!.definitions.includes(name)) return cell.id;
  }
  return null;
}

/**
 * What to run so that a cell can run: the cells it needs, directly or not, that are not fresh, in the order of the lesson,
 * then the cell itself. What depends on a cell that runs again runs again too.
 */
export function runOrder(flow: Flow, cellId: string, isFresh: (cellId: string) => boolean): string[] {
  const needed = new Set<string>();
  const visit = (id: string): void => {
    for (const need of flow.cells.get(id)?.needs ?? []) {
      if (needed.has(need)) continue;
      needed.add(need);
      visit(need);
    }
  };
  visit(cellId);
  const running = new Set<string>();
  for (const id of flow.order) {
    if (!needed.has(id)) continue;
    if (!isFresh(id) || flow.cells.get(id)!.needs.some((need) => running.has(need))) running.add(id);
  }
  return [...flow.order.filter((id) => running.has(id) && id !== cellId), cellId];
}

/** The cells that take names from a cell, directly or through others, in the order of the lesson. */
export function dependentsOf(flow: Flow, cellId: string): string[] {
  const affected = new Set([cellId]);
  for (const id of flow.order) if (flow.cells.get(id)!.needs.some((need) => affected.has(need))) affected.add(id);
  affected.delete(cellId);
  return flow.order.filter((id) => affected.has(id));
}

/**
 * What an edit makes stale below: the dependents of the cell before and after it, and the cells that take a name from
 * another cell than before.
 */
export function staleAfterEdit(before: Flow, after: Flow, cellId: string): string[] {
  const stale = new Set([...dependentsOf(before, cellId), ...dependentsOf(after, cellId)]);
  for (const id of after.order) {
    const was = before.cells.get(id)?.scope ?? {};
    const is = after.cells.get(id)!.scope;
    const names = new Set([...Object.keys(was), ...Object.keys(is)]);
    if (id !== cellId && [...names].some((name) => was[name] !== is[name])) {
      stale.add(id);
      for (const dependent of dependentsOf(after, id)) stale.add(dependent);
    }
  }
  stale.delete(cellId);
  return after.order.filter((id) => stale.has(id));
}
