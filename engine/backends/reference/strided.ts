/**
 * Walking strided views together. Axes that every view walks in one go are merged first, so that contiguous tensors of any
 * rank become one long run and a kernel's inner loop stays a plain `for`.
 */
import { allocate, type TypedArray } from "../../core/dtype.ts";
import type { View } from "../backend.ts";

/** Called once per innermost run: element t of view k is at offsets[k] + t·steps[k]. `offsets` is reused between calls. */
export type Run = (length: number, offsets: readonly number[], steps: readonly number[]) => void;

/** Visits all elements of views of one shape, row by row. */
export function forEachRun(views: readonly View[], run: Run): void {
  const { shape, strides } = mergeAxes(views);
  if (shape.includes(0)) return;
  const inner = shape.length - 1;
  const length = inner < 0 ? 1 : shape[inner]!;
  const steps = strides.map((s) => (inner < 0 ? 1 : s[inner]!));
  const offsets = views.map((v) => v.offset);
  const position = new Array<number>(Math.max(inner, 0)).fill(0);
  for (;;) {
    run(length, offsets, steps);
    let axis = inner - 1;
    for (; axis >= 0; axis--) {
      for (let k = 0; k < views.length; k++) offsets[k]! += strides[k]![axis]!;
      if (++position[axis]! < shape[axis]!) break;
      for (let k = 0; k < views.length; k++) offsets[k]! -= shape[axis]! * strides[k]![axis]!;
      position[axis] = 0;
    }
    if (axis < 0) return;
  }
}

/** Drops axes of size 1 and joins neighbours that all views walk as one. */
export function mergeAxes(views: readonly View[]): { shape: number[]; strides: number[][] } {
  const shape: number[] = [];
  const strides: number[][] = views.map(() => []);
  const full = views[0]!.shape;
  for (let axis = 0; axis < full.length; axis++) {
    const size = full[axis]!;
    if (size === 1) continue;
    const last = shape.length - 1;
    if (last >= 0 && views.every((v, k) => strides[k]![last] === size * v.strides[axis]!)) {
      shape[last]! *= size;
      views.forEach((v, k) => {
        strides[k]![last] = v.strides[axis]!;
      });
    } else {
      shape.push(size);
      views.forEach((v, k) => {
        strides[k]!.push(v.strides[axis]!);
      });
    }
  }
  return { shape, strides };
}

/** The first `count` axes of a view and the others, as two views with as few axes as can be. */
export function splitAxes(view: View, count: number): [leading: View, trailing: View] {
  const part = (from: number, to?: number): View => {
    const given = { ...view, shape: view.shape.slice(from, to), strides: view.strides.slice(from, to) };
    const { shape, strides } = mergeAxes([given]);
    return { ...given, shape, strides: strides[0]! };
  };
  return [part(0, count), part(count)];
}

export function sizeOf(view: View): number {
  let size = 1;
  for (const n of view.shape) size *= n;
  return size;
}

/** True when the elements lie row by row without gaps. */
export function isDense(view: View): boolean {
  let expected = 1;
  for (let axis = view.shape.length - 1; axis >= 0; axis--) {
    const size = view.shape[axis]!;
    if (size === 0) return true;
    if (size !== 1 && view.strides[axis] !== expected) return false;
    expected *= size;
  }
  return true;
}

/** A run this long is worth a call of its own. */
const LONG_RUN = 64;

/** The view's elements row by row: a window on its own storage where it is dense, a copy where not. Read only. */
export function denseData(view: View): TypedArray {
  const size = sizeOf(view);
  if (isDense(view)) return view.data.subarray(view.offset, view.offset + size);
  const data = allocate(view.dtype, size);
  const source = view.data;
  let at = 0;
  forEachRun([view], (length, [offset], [step]) => {
    if (step === 1 && length >= LONG_RUN) data.set(source.subarray(offset!, offset! + length), at);
    else for (let t = 0, i = offset!, o = at; t < length; t++, i += step!) data[o++] = source[i]!;
    at += length;
  });
  return data;
}

/** Where a kernel writes a dense output: the part of the storage that is the tensor. */
export function outData(view: View): TypedArray {
  return view.data.subarray(view.offset, view.offset + sizeOf(view));
}

/** One number for all elements. */
export function isRepeated(view: View): boolean {
  return view.strides.every((stride, axis) => stride === 0 || view.shape[axis] === 1);
}
