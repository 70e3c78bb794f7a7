/**
 * What a pooling's views say, as pure functions of a record and a selection: the candidates of one window, who wins and why,
 * what an average divides by, and the engine's number beside it.
 */
import type { PoolRecord } from "../../../engine/inspect/records.ts";
import { type Reader, readersOf, windowOf } from "../../../engine/inspect/windows.ts";
import { type Axis, axesOf } from "../shell/axis.ts";
import { clamp, type Selection, START, type View } from "../shell/selection.ts";
import { agrees, at, isInteger } from "../shell/tensor.ts";

export const POOL_VIEWS: readonly View[] = ["window", "edges", "modes", "backward", "shift"];
export const POOL_START: Selection = { ...START, view: "window" };

export interface Candidate {
  u: number;
  v: number;
  row: number;
  col: number;
  /** "padding" cells count as -inf (max) or 0 (avg); "beyond" is past the padding, where ceil_mode lets a window hang out. */
  place: "inside" | "padding" | "beyond";
  value: number;
  wins: boolean;
}

export interface PoolExplanation {
  candidates: Candidate[];
  /** Rows and columns of the window that lie within the padded input, where that is fewer than the kernel's. */
  clipped: { rows: number; cols: number } | null;
  /** max: the engine's winner as (row, col) and flat index, ours being the first maximum in row order. */
  winner: { row: number; col: number; flat: number } | null;
  ties: number;
  /** avg: what was added and what it is divided by. */
  sum: number;
  divisor: number;
  total: number;
  engine: number;
  engineIndex: number | null;
  agrees: boolean;
}

export function explainPool(record: PoolRecord, n: number, c: number, i: number, j: number): PoolExplanation {
  const g = record.geometry;
  const max = record.op === "max_pool2d";
  const bottom = g.h + g.padTop;
  const right = g.w + g.padLeft;
  const candidates = windowOf(g, i, j).map((cell): Candidate => {
    const place = cell.inside ? "inside" : cell.row < bottom && cell.col < right ? "padding" : "beyond";
    const outside = max ? Number.NEGATIVE_INFINITY : 0;
    const value = cell.inside ? at(record.inputs.input, g.c, g.h, g.w, n, c, cell.row, cell.col) : outside;
    return { u: cell.u, v: cell.v, row: cell.row, col: cell.col, place, value, wins: false };
  });
  const kept = candidates.filter((cell) => cell.place !== "beyond");
  const rows = new Set(kept.map((cell) => cell.row)).size;
  const cols = new Set(kept.map((cell) => cell.col)).size;
  const clipped = rows < g.kernelH || cols < g.kernelW ? { rows, cols } : null;
  const engine = at(record.output, g.c, g.outH, g.outW, n, c, i, j);
  const base = { candidates, clipped, engine };
  if (max) {
    const first = firstMaximum(candidates);
    if (first) first.wins = true;
    const engineIndex = record.indices ? at(record.indices, g.c, g.outH, g.outW, n, c, i, j) : null;
    const flat = first ? first.row * g.w + first.col : -1;
    const total = first ? first.value : Number.NEGATIVE_INFINITY;
    const ties = candidates.filter((cell) => cell.place === "inside" && cell.value === total).length;
    return {
      ...base,
      winner: first ? { row: first.row, col: first.col, flat } : null,
      ties,
      sum: total,
      divisor: 1,
      total,
      engineIndex,
      agrees: agrees(engine, total, 0, true) && (engineIndex === null || engineIndex === flat),
    };
  }
  const sum = candidates.reduce((part, cell) => part + cell.value, 0);
  const magnitude = candidates.reduce((part, cell) => part + Math.abs(cell.value), 0);
  const inside = candidates.filter((cell) => cell.place === "inside").length;
  const divisor = record.attrs.divisorOverride ?? (record.attrs.countIncludePad ? kept.length : inside);
  const exact = isInteger(record.output);
  const total = exact ? Math.trunc(sum / divisor) : sum / divisor;
  return {
    ...base,
    winner: null,
    ties: 0,
    sum,
    divisor,
    total,
    engineIndex: null,
    agrees: agrees(engine, total, magnitude / Math.abs(divisor), exact),
  };
}

/** PyTorch's scan: a later value wins only when it is strictly greater, or not a number. */
function firstMaximum(candidates: Candidate[]): Candidate | null {
  let best: Candidate | null = null;
  for (const cell of candidates) {
    if (cell.place !== "inside") continue;
    if (best === null || cell.value > best.value || Number.isNaN(cell.value)) best = cell;
  }
  return best;
}

export function fitPool(record: PoolRecord, selection: Selection): Selection {
  const g = record.geometry;
  const inspects = selection.row !== null && selection.col !== null;
  const c = clamp(selection.c, 0, g.c - 1);
  return {
    ...selection,
    n: clamp(selection.n, 0, g.n - 1),
    c,
    o: c,
    i: clamp(selection.i, 0, g.outH - 1),
    j: clamp(selection.j, 0, g.outW - 1),
    row: inspects ? clamp(selection.row!, 0, g.h - 1) : null,
    col: inspects ? clamp(selection.col!, 0, g.w - 1) : null,
  };
}

export function poolSteps(record: PoolRecord): number {
  return record.geometry.outH * record.geometry.outW;
}

export function poolStep(record: PoolRecord, selection: Selection): number {
  return selection.i * record.geometry.outW + selection.j + 1;
}

export function poolAtStep(record: PoolRecord, selection: Selection, step: number): Selection {
  const index = clamp(step, 1, poolSteps(record)) - 1;
  const { outW } = record.geometry;
  return { ...selection, i: Math.floor(index / outW), j: index % outW, row: null, col: null };
}

export function poolAxes(record: PoolRecord): { rows: Axis; cols: Axis } {
  return axesOf(record.geometry, record.attrs.ceilMode, true);
}

export function poolReaders(record: PoolRecord, selection: Selection): Reader[] {
  if (selection.row === null || selection.col === null) return [];
  return readersOf(record.geometry, selection.row, selection.col);
}

/** Backward, painted cell by cell: max gives dy to the winner alone, avg an equal share to every pixel it read. */
export function paintPool(record: PoolRecord, n: number, c: number, dy: ArrayLike<number>, steps: number): number[] {
  const g = record.geometry;
  const dx = new Array<number>(g.h * g.w).fill(0);
  for (let t = 0; t < Math.min(steps, g.outH * g.outW); t++) {
    const seed = dy[t]!;
    if (seed === 0) continue;
    const { winner, candidates, divisor } = explainPool(record, n, c, Math.floor(t / g.outW), t % g.outW);
    if (winner) dx[winner.flat]! += seed;
    else if (record.op === "avg_pool2d")
      for (const cell of candidates) if (cell.place === "inside") dx[cell.row * g.w + cell.col]! += seed / divisor;
  }
  return dx;
}

/** One channel rolled by whole pixels: what leaves at one edge comes in at the other, as torch.roll does. */
export function rollInput(record: PoolRecord, by: number, axis: "rows" | "cols"): number[] {
  const g = record.geometry;
  const source = record.inputs.input.data;
  const out = new Array<number>(source.length);
  const planes = source.length / (g.h * g.w);
  for (let p = 0; p < planes; p++)
    for (let row = 0; row < g.h; row++)
      for (let col = 0; col < g.w; col++) {
        const fromRow = axis === "rows" ? modulo(row - by, g.h) : row;
        const fromCol = axis === "cols" ? modulo(col - by, g.w) : col;
        out[(p * g.h + row) * g.w + col] = source[(p * g.h + fromRow) * g.w + fromCol]!;
      }
  return out;
}

function modulo(value: number, size: number): number {
  return ((value % size) + size) % size;
}
