/**
 * What a convolution's views say, as pure functions of a record and a selection. They list the terms of one output number
 * and add them up; the engine's number stands beside the sum and has to agree.
 */
import type { ConvRecord } from "../../../engine/inspect/records.ts";
import { type Reader, readersOf, windowOf } from "../../../engine/inspect/windows.ts";
import { type Axis, axesOf } from "../shell/axis.ts";
import { clamp, type Selection, START, type View } from "../shell/selection.ts";
import { agrees, at, isInteger } from "../shell/tensor.ts";

export const CONV_VIEWS: readonly View[] = ["cell", "channels", "filters", "size", "compare", "backward"];
export const CONV_START: Selection = { ...START, view: "cell" };

/** One product: kernel position (u, v) of channel c over input (row, col), which reads 0 in the padding. */
export interface ConvTerm {
  c: number;
  u: number;
  v: number;
  row: number;
  col: number;
  inside: boolean;
  x: number;
  w: number;
  product: number;
  /** Sum of the products of this channel up to and including this one. */
  running: number;
}

export interface ConvExplanation {
  /** Input channels that this filter reads, and its terms channel by channel. */
  channels: number[];
  terms: ConvTerm[][];
  partials: number[];
  bias: number;
  total: number;
  engine: number;
  agrees: boolean;
}

export function channelsPerGroup(record: ConvRecord): number {
  return record.geometry.c / record.geometry.groups;
}

/** Input channels that filter o reads. */
export function channelsOf(record: ConvRecord, o: number): number[] {
  const perGroup = channelsPerGroup(record);
  const group = Math.floor(o / (record.geometry.o / record.geometry.groups));
  return Array.from({ length: perGroup }, (_, k) => group * perGroup + k);
}

export function weightAt(record: ConvRecord, o: number, c: number, u: number, v: number): number {
  const g = record.geometry;
  const perGroup = channelsPerGroup(record);
  return at(record.inputs.weight, perGroup, g.kernelH, g.kernelW, o, c % perGroup, u, v);
}

export function biasAt(record: ConvRecord, o: number): number {
  return record.inputs.bias === null ? 0 : record.inputs.bias.data[o]!;
}

/** Every product of output (n, o, i, j), their sums per channel, the bias, and the engine's number. */
export function explainConv(record: ConvRecord, n: number, o: number, i: number, j: number): ConvExplanation {
  const g = record.geometry;
  const cells = windowOf(g, i, j);
  const channels = channelsOf(record, o);
  let magnitude = 0;
  const terms = channels.map((c) => {
    let running = 0;
    return cells.map((cell): ConvTerm => {
      const x = cell.inside ? at(record.inputs.input, g.c, g.h, g.w, n, c, cell.row, cell.col) : 0;
      const w = weightAt(record, o, c, cell.u, cell.v);
      const product = cell.inside ? x * w : 0;
      running += product;
      magnitude += Math.abs(product);
      return { c, ...cell, x, w, product, running };
    });
  });
  const partials = terms.map((list) => list[list.length - 1]!.running);
  const bias = biasAt(record, o);
  const total = partials.reduce((sum, value) => sum + value, bias);
  const engine = at(record.output, g.o, g.outH, g.outW, n, o, i, j);
  return {
    channels,
    terms,
    partials,
    bias,
    total,
    engine,
    agrees: agrees(engine, total, magnitude + Math.abs(bias), isInteger(record.output)),
  };
}

/** A selection that fits the record: channels in the filter's group, cells in range. */
export function fitConv(record: ConvRecord, selection: Selection): Selection {
  const g = record.geometry;
  const o = clamp(selection.o, 0, g.o - 1);
  const channels = channelsOf(record, o);
  const inspects = selection.row !== null && selection.col !== null;
  return {
    ...selection,
    n: clamp(selection.n, 0, g.n - 1),
    o,
    c: clamp(selection.c, channels[0]!, channels[channels.length - 1]!),
    i: clamp(selection.i, 0, g.outH - 1),
    j: clamp(selection.j, 0, g.outW - 1),
    part: clamp(selection.part, 0, channels.length + 1),
    row: inspects ? clamp(selection.row!, 0, g.h - 1) : null,
    col: inspects ? clamp(selection.col!, 0, g.w - 1) : null,
  };
}

/** How many steps the view has: output cells, partial sums and the bias, or filters. */
export function convSteps(record: ConvRecord, selection: Selection): number {
  const g = record.geometry;
  if (selection.view === "channels") return channelsPerGroup(record) + 2;
  if (selection.view === "filters") return g.o;
  return g.outH * g.outW;
}

/** The step that a selection stands on, from 1. */
export function convStep(record: ConvRecord, selection: Selection): number {
  if (selection.view === "channels") return selection.part + 1;
  if (selection.view === "filters") return selection.o + 1;
  return selection.i * record.geometry.outW + selection.j + 1;
}

/** The selection on a step, from 1; out of range steps are clamped. */
export function convAtStep(record: ConvRecord, selection: Selection, step: number): Selection {
  const index = clamp(step, 1, convSteps(record, selection)) - 1;
  if (selection.view === "channels") {
    const channels = channelsOf(record, selection.o);
    return { ...selection, part: index, c: channels[Math.min(index, channels.length) - 1] ?? channels[0]! };
  }
  if (selection.view === "filters") return fitConv(record, { ...selection, o: index });
  const { outW } = record.geometry;
  return { ...selection, i: Math.floor(index / outW), j: index % outW, row: null, col: null };
}

export function convAxes(record: ConvRecord): { rows: Axis; cols: Axis } {
  return axesOf(record.geometry, false, record.attrs.padding !== "same");
}

/** The output cells that read the inspected pixel, in row order. */
export function convReaders(record: ConvRecord, selection: Selection): Reader[] {
  if (selection.row === null || selection.col === null) return [];
  return readersOf(record.geometry, selection.row, selection.col);
}

export interface PaintedGradients {
  /** Gradient of the shown channel of x, of the shown kernel slice, and of the filter's bias. */
  dx: number[];
  dw: number[];
  db: number;
}

/**
 * Backward, painted cell by cell: output cell t adds w·dy to the pixels it read, x·dy to the weights it used, and dy to the
 * bias. After the last step these are the engine's gradients of plane (n, o), channel c.
 */
export function paintConv(
  record: ConvRecord,
  selection: Selection,
  dy: ArrayLike<number>,
  steps: number,
): PaintedGradients {
  const g = record.geometry;
  const { n, c, o } = selection;
  const dx = new Array<number>(g.h * g.w).fill(0);
  const dw = new Array<number>(g.kernelH * g.kernelW).fill(0);
  let db = 0;
  for (let t = 0; t < Math.min(steps, g.outH * g.outW); t++) {
    const seed = dy[t]!;
    if (seed === 0) continue;
    db += seed;
    for (const cell of windowOf(g, Math.floor(t / g.outW), t % g.outW)) {
      if (!cell.inside) continue;
      dx[cell.row * g.w + cell.col]! += weightAt(record, o, c, cell.u, cell.v) * seed;
      dw[cell.u * g.kernelW + cell.v]! += at(record.inputs.input, g.c, g.h, g.w, n, c, cell.row, cell.col) * seed;
    }
  }
  return { dx, dw, db };
}
