/** Reading the dense snapshots of a record, and judging whether an explanation equals the engine's number. */
import type { OpRecord, TensorView } from "../../../engine/inspect/records.ts";

const INTEGERS = new Set(["int32", "int64", "uint8", "bool"]);

/** A matrix cut out of a snapshot: row-major `values` of `rows × cols`. */
export interface Plane {
  rows: number;
  cols: number;
  values: number[];
}

export function isInteger(view: TensorView): boolean {
  return INTEGERS.has(view.dtype);
}

/** Element (n, c, row, col) of a dense snapshot with `channels × rows × cols` per sample; unbatched tensors have n = 0. */
export function at(
  view: TensorView,
  channels: number,
  rows: number,
  cols: number,
  n: number,
  c: number,
  row: number,
  col: number,
): number {
  return view.data[((n * channels + c) * rows + row) * cols + col]!;
}

/** Channel c of sample n as a matrix. */
export function planeOf(view: TensorView, channels: number, rows: number, cols: number, n: number, c: number): Plane {
  const start = (n * channels + c) * rows * cols;
  return { rows, cols, values: Array.from(view.data.subarray(start, start + rows * cols)) };
}

/** The matrices that every view of a record shows: one input channel, one output map. */
export function inputPlane(record: OpRecord, n: number, c: number): Plane {
  const g = record.geometry;
  return planeOf(record.inputs.input, g.c, g.h, g.w, n, c);
}

export function outputPlane(record: OpRecord, n: number, o: number): Plane {
  const g = record.geometry;
  return planeOf(record.output, outputChannels(record), g.outH, g.outW, n, o);
}

export function outputChannels(record: OpRecord): number {
  return record.op === "conv2d" ? record.geometry.o : record.geometry.c;
}

/** Largest finite magnitude, the end of a scale symmetric about zero; 1 where there is nothing else to show. */
export function maxMagnitude(values: ArrayLike<number>): number {
  let max = 0;
  for (let k = 0; k < values.length; k++) {
    const magnitude = Math.abs(values[k]!);
    if (magnitude > max && magnitude < Number.POSITIVE_INFINITY) max = magnitude;
  }
  return max || 1;
}

/**
 * Whether an explanation's total is the engine's number. Integers must be equal; a float32 sum may differ from ours, which
 * is added in doubles, by rounding in proportion to the magnitude of its terms.
 */
export function agrees(engine: number, total: number, magnitude: number, exact: boolean): boolean {
  if (Object.is(engine, total) || engine === total) return true;
  if (exact) return false;
  return Math.abs(engine - total) <= 1e-6 + 1e-5 * magnitude;
}

/** Nested literal of row-major numbers, as one writes them in a cell: `[[1, 2], [3, 4]]`. */
export function literal(shape: readonly number[], values: ArrayLike<number>): string {
  let next = 0;
  const write = (axis: number): string => {
    if (axis === shape.length) return numberLiteral(values[next++]!);
    return `[${Array.from({ length: shape[axis]! }, () => write(axis + 1)).join(", ")}]`;
  };
  return write(0);
}

function numberLiteral(value: number): string {
  return Number.isNaN(value) ? "NaN" : String(value);
}
