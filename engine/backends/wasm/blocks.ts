/**
 * float32 views of one shape, walked together in blocks of whole rows that fit the cache: each operand of a block is laid out
 * densely in the working memory, so that one call of a kernel serves many rows, however short they are.
 */
import type { TypedArray } from "../../core/dtype.ts";
import type { View } from "../backend.ts";
import { forEachRun, mergeAxes } from "../reference/strided.ts";
import type { Scratch } from "./scratch.ts";

/** A block is part of the plane of the last two axes; planes smaller than this are quicker where they lie. */
const SMALLEST_PLANE = 128;

/** Rows from this length on are copied in by calls of their own. */
const LONG_ROW = 128;

/** Elements that may lie between a block's first and last for it to be copied in together with what is between. */
const MOST_BETWEEN = 16384;

interface Planes {
  shape: readonly number[];
  strides: readonly (readonly number[])[];
}

/** The views with as few axes as can be; null where their planes are too small, or where `out` overlaps an operand it isn't. */
export function planesOf(operands: readonly View[], out: View): Planes | null {
  const merged = mergeAxes([...operands, out]);
  const plane = (merged.shape.at(-1) ?? 1) * (merged.shape.at(-2) ?? 1);
  return plane < SMALLEST_PLANE || operands.some((x) => overlaps(x, out)) ? null : merged;
}

const lastOf = ({ shape, strides, offset }: View): number =>
  shape.reduce((at, n, axis) => at + (n - 1) * strides[axis]!, offset);

/** Whether writing out might change what is yet to be read of x: not so where each element is read before it is written. */
function overlaps(x: View, out: View): boolean {
  if (x.data !== out.data || x.offset > lastOf(out) || out.offset > lastOf(x)) return false;
  return x.offset !== out.offset || !x.strides.every((stride, axis) => stride === out.strides[axis]);
}

/** Gets each block: its shape, and where in the data of each view it begins. */
type Visit = (rows: number, cols: number, offsets: readonly number[]) => void;

/** Visits all elements in blocks of at most `room`, in the order of a dense output. */
export function forEachBlock(views: readonly View[], { shape, strides }: Planes, room: number, visit: Visit): void {
  const cols = shape.at(-1) ?? 1;
  const rows = shape.at(-2) ?? 1;
  const width = Math.min(cols, room);
  const height = Math.max(1, Math.floor(room / cols));
  const rowSteps = strides.map((s) => s.at(-2) ?? 0);
  const colSteps = strides.map((s) => s.at(-1) ?? 0);
  const at = views.map(() => 0);
  const outer = views.map((v, k) => ({ ...v, shape: shape.slice(0, -2), strides: strides[k]!.slice(0, -2) }));
  forEachRun(outer, (length, offsets, steps) => {
    for (let t = 0; t < length; t++) {
      for (let row = 0; row < rows; row += height) {
        for (let col = 0; col < cols; col += width) {
          for (let k = 0; k < at.length; k++) {
            at[k] = offsets[k]! + t * steps[k]! + row * rowSteps[k]! + col * colSteps[k]!;
          }
          visit(Math.min(height, rows - row), Math.min(width, cols - col), at);
        }
      }
    }
  });
}

/** One operand of blocks of at most `room` elements. What repeats from block to block is laid out once. */
export class Operand {
  readonly #s: Scratch;
  readonly #data: TypedArray;
  readonly #rowStep: number;
  readonly #colStep: number;
  readonly #between: number;
  /** Where the block lies in the working memory. */
  readonly at: number;
  #offset = -1;
  #rows = 0;
  #cols = 0;

  constructor(s: Scratch, x: View, strides: readonly number[], room: number) {
    this.#s = s;
    this.#data = x.data;
    this.#rowStep = strides.at(-2) ?? 0;
    this.#colStep = strides.at(-1) ?? 0;
    this.at = s.floats(room);
    this.#between = s.floats(MOST_BETWEEN);
  }

  load(offset: number, rows: number, cols: number): void {
    const rowStep = rows === 1 ? 0 : this.#rowStep;
    const colStep = this.#colStep;
    if (offset === this.#offset && this.#rowStep === 0 && rows <= this.#rows && cols === this.#cols) return;
    this.#offset = offset;
    this.#rows = rows;
    this.#cols = cols;
    const s = this.#s;
    const data = this.#data;
    const span = (rows - 1) * rowStep + (cols - 1) * colStep + 1;
    if (rowStep === 0 && colStep === 0) s.fill(this.at, rows * cols, data[offset]!);
    else if (colStep === 1 && (rows === 1 || rowStep === cols)) s.write(this.at, data, offset, rows * cols);
    else if (colStep === 1 && rowStep !== 0 && cols >= LONG_ROW) {
      for (let r = 0; r < rows; r++) s.write(this.at + 4 * r * cols, data, offset + r * rowStep, cols);
    } else if (span <= MOST_BETWEEN) {
      s.write(this.#between, data, offset, span);
      s.call.lay(this.#between, rows, 4 * rowStep, cols, 4 * colStep, this.at);
    } else pick(data as Float32Array, offset, rows, rowStep, cols, colStep, s.view(this.at, rows * cols));
  }
}

/** Element by element, along the axis whose elements are nearer. */
function pick(
  data: Float32Array,
  offset: number,
  rows: number,
  rowStep: number,
  cols: number,
  colStep: number,
  out: Float32Array,
): void {
  if (rowStep < colStep) {
    for (let c = 0; c < cols; c++) {
      for (let r = 0, i = offset + c * colStep, o = c; r < rows; r++, i += rowStep, o += cols) out[o] = data[i]!;
    }
  } else {
    for (let r = 0, o = 0; r < rows; r++) {
      for (let c = 0, i = offset + r * rowStep; c < cols; c++, i += colStep) out[o++] = data[i]!;
    }
  }
}

/** The bytes of a block of a bool view, dense; in `out`, or where they lie. */
export function bytesOf(
  x: View,
  strides: readonly number[],
  offset: number,
  rows: number,
  cols: number,
  out: Uint8Array,
): TypedArray {
  const rowStep = strides.at(-2) ?? 0;
  const colStep = strides.at(-1) ?? 0;
  if (colStep === 1 && (rows === 1 || rowStep === cols)) return x.data.subarray(offset, offset + rows * cols);
  for (let r = 0, o = 0; r < rows; r++) {
    for (let c = 0, i = offset + r * rowStep; c < cols; c++, i += colStep) out[o++] = x.data[i]!;
  }
  return out;
}
