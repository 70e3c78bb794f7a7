/** Copies between any two layouts, a plane of two axes at a time. */
import type { TypedArray } from "../../core/dtype.ts";
import type { View } from "../backend.ts";
import { converting } from "./numbers.ts";
import { mergeAxes } from "./strided.ts";

/**
 * Where rows become columns, squares of this side go by way of a small array: both the source and the target are walked as
 * they lie, so that what a cache line holds is used at once, however far apart the lines are.
 */
const SIDE = 32;
const square = new Float64Array(SIDE * SIDE);

/** A stretch this long is worth a call of its own. */
const LONG = 64;

/** A plane: how many, and how far apart in the source and in the target, along the axis that is walked outside and inside. */
interface Plane {
  rows: number;
  fromRow: number;
  toRow: number;
  columns: number;
  fromColumn: number;
  toColumn: number;
}

/** Element by element with PyTorch's conversion between dtypes; `out` may be strided. */
export function copy(x: View, out: View): void {
  const { shape, strides } = mergeAxes([x, out]);
  if (shape.includes(0)) return;
  const [from, to] = strides as [number[], number[]];
  const convert = x.dtype === out.dtype ? null : converting(x.dtype, out.dtype);
  const last = shape.length - 1;
  // The axis along which the source's elements are nearest, beside the last, which is the target's.
  let partner = last - 1;
  for (let axis = 0; axis < last; axis++) if (from[axis]! < from[partner]! && from[axis] !== 0) partner = axis;
  const plane: Plane = {
    rows: shape[partner] ?? 1,
    fromRow: from[partner] ?? 0,
    toRow: to[partner] ?? 0,
    columns: shape[last] ?? 1,
    fromColumn: from[last] ?? 1,
    toColumn: to[last] ?? 1,
  };
  const outer = shape.map((_, axis) => axis).filter((axis) => axis !== last && axis !== partner);
  const position = outer.map(() => 0);
  let [i, o] = [x.offset, out.offset];
  for (;;) {
    if (convert) convertPlane(x.data, i, out.data, o, plane, convert);
    else copyPlane(x.data, i, out.data, o, plane);
    let k = outer.length - 1;
    for (; k >= 0; k--) {
      const axis = outer[k]!;
      i += from[axis]!;
      o += to[axis]!;
      position[k]! += 1;
      if (position[k]! < shape[axis]!) break;
      i -= shape[axis]! * from[axis]!;
      o -= shape[axis]! * to[axis]!;
      position[k] = 0;
    }
    if (k < 0) return;
  }
}

function copyPlane(source: TypedArray, from: number, target: TypedArray, to: number, p: Plane): void {
  const { rows, fromRow, toRow, columns, fromColumn, toColumn } = p;
  if (fromColumn === 1 && toColumn === 1 && columns >= LONG) {
    for (let r = 0; r < rows; r++) {
      const start = from + r * fromRow;
      target.set(source.subarray(start, start + columns), to + r * toRow);
    }
  } else if (fromRow < fromColumn && fromRow !== 0 && rows >= 4) {
    for (let top = 0; top < rows; top += SIDE) {
      const height = Math.min(SIDE, rows - top);
      for (let left = 0; left < columns; left += SIDE) {
        const width = Math.min(SIDE, columns - left);
        for (let c = 0; c < width; c++) {
          let i = from + top * fromRow + (left + c) * fromColumn;
          for (let r = 0, at = c * SIDE; r < height; r++, at++, i += fromRow) square[at] = source[i]!;
        }
        for (let r = 0; r < height; r++) {
          let o = to + (top + r) * toRow + left * toColumn;
          for (let c = 0, at = r; c < width; c++, at += SIDE, o += toColumn) target[o] = square[at]!;
        }
      }
    }
  } else {
    for (let r = 0; r < rows; r++) {
      let i = from + r * fromRow;
      let o = to + r * toRow;
      for (let c = 0; c < columns; c++, i += fromColumn, o += toColumn) target[o] = source[i]!;
    }
  }
}

function convertPlane(
  source: TypedArray,
  from: number,
  target: TypedArray,
  to: number,
  { rows, fromRow, toRow, columns, fromColumn, toColumn }: Plane,
  convert: (value: number) => number,
): void {
  for (let r = 0; r < rows; r++) {
    let i = from + r * fromRow;
    let o = to + r * toRow;
    for (let c = 0; c < columns; c++, i += fromColumn, o += toColumn) target[o] = convert(source[i]!);
  }
}
