/** Views over fresh memory, for tests that call kernels directly. */
import type { View } from "../../../engine/backends/backend.ts";
import { allocate, type DType, float32, type TypedArray } from "../../../engine/core/dtype.ts";
import { type ConvGeometry, convOutputSize } from "../../../engine/core/window.ts";

export function rowMajor(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

export function view(data: TypedArray, shape: readonly number[], dtype: DType = float32): View {
  return { data, shape, strides: rowMajor(shape), offset: 0, dtype };
}

export function empty(shape: readonly number[], dtype: DType = float32): View {
  const size = shape.reduce((a, b) => a * b, 1);
  return view(allocate(dtype, size), shape, dtype);
}

export function tensor(values: readonly number[], shape: readonly number[], dtype: DType = float32): View {
  const x = empty(shape, dtype);
  x.data.set(values);
  return x;
}

/** Numbers in (-1, 1) that are the same every time. */
export function noise(shape: readonly number[], seed = 1, dtype: DType = float32): View {
  const x = empty(shape, dtype);
  let state = seed * 2654435761;
  for (let i = 0; i < x.data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    x.data[i] = state / 2147483648;
  }
  return x;
}

/** The same elements with the axes in another order. */
export function permuted(x: View, axes: readonly number[]): View {
  return { ...x, shape: axes.map((a) => x.shape[a]!), strides: axes.map((a) => x.strides[a]!) };
}

export interface ConvCase {
  n?: number;
  c: number;
  o: number;
  groups?: number;
  size: readonly [number, number];
  kernel: readonly [number, number];
  stride?: readonly [number, number];
  padding?: readonly [number, number];
  /** Padding behind the last row and column; default: as much as before the first. */
  after?: readonly [number, number];
  dilation?: readonly [number, number];
}

export function convGeometry(t: ConvCase): ConvGeometry {
  const stride = t.stride ?? [1, 1];
  const padding = t.padding ?? [0, 0];
  const after = t.after ?? padding;
  const dilation = t.dilation ?? [1, 1];
  return {
    n: t.n ?? 2,
    c: t.c,
    o: t.o,
    groups: t.groups ?? 1,
    h: t.size[0],
    w: t.size[1],
    kernelH: t.kernel[0],
    kernelW: t.kernel[1],
    strideH: stride[0],
    strideW: stride[1],
    padTop: padding[0],
    padLeft: padding[1],
    dilationH: dilation[0],
    dilationW: dilation[1],
    outH: convOutputSize(t.size[0], t.kernel[0], stride[0], padding[0], after[0], dilation[0]),
    outW: convOutputSize(t.size[1], t.kernel[1], stride[1], padding[1], after[1], dilation[1]),
  };
}

/** The greatest distance between two tensors' numbers, measured against the greatest number in `expected`. */
export function relativeError(actual: View, expected: View): number {
  let error = 0;
  let scale = 1e-6;
  for (let i = 0; i < expected.data.length; i++) {
    const distance = Math.abs(actual.data[i]! - expected.data[i]!);
    error = Number.isNaN(distance) ? Infinity : Math.max(error, distance);
    scale = Math.max(scale, Math.abs(expected.data[i]!));
  }
  return error / scale;
}
