/** What kernel tests are made of: a kernel's arguments as views over arrays, and which of them it writes. */
import type { KernelName, Kernels, View } from "../../engine/backends/backend.ts";
import type { Tiling } from "../../engine/backends/webgpu/tiles.ts";
import { type DType, float32, type TypedArray } from "../../engine/core/dtype.ts";
import { contiguousStrides, numel } from "../../engine/core/shape.ts";

export interface KernelCase<K extends KernelName = KernelName> {
  title: string;
  kernel: K;
  args: Parameters<Kernels[K]>;
  /** Positions of the arguments that the kernel writes. Default: the last one. */
  writes?: readonly number[];
  /** Largest difference from the reference, relative to the largest number of the result. Default 0: equal to the bit. */
  tolerance?: number;
  /** Largest difference relative to each number itself, instead of `tolerance`. */
  relative?: number;
  /** Positions of arguments that stay on the CPU. Default: none. */
  onCpu?: readonly number[];
  /** Which tiles matrix products and convolutions use. Default: the adapter's. */
  tiling?: Tiling;
  /** Whether invocations may swap numbers, where `tiling` is given. Default: if the adapter can. */
  swaps?: boolean;
  /** The kernel has to leave this call to the CPU. */
  declined?: boolean;
}

/** Where loops over vectors and workgroups end. */
export const SIZES: readonly number[] = [0, 1, 3, 10, 63, 127];

/** A typed helper: the arguments are checked against the kernel's own. */
export function kernelCase<K extends KernelName>(
  title: string,
  kernel: K,
  args: Parameters<Kernels[K]>,
  rest: Omit<KernelCase, "title" | "kernel" | "args"> = {},
): KernelCase {
  return { title, kernel, args, ...rest } as KernelCase;
}

/** Numbers that are the same in each run. */
export class Numbers {
  #state: number;

  constructor(seed = 1) {
    this.#state = seed;
  }

  next(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) | 0;
    return (this.#state >>> 0) / 2 ** 32;
  }

  /** In [from, to). */
  between(from: number, to: number): number {
    return from + (to - from) * this.next();
  }

  /** Whole, in [from, to). */
  whole(from: number, to: number): number {
    return Math.floor(this.between(from, to));
  }

  /** A dense view of random numbers in [from, to): whole ones for integer dtypes. */
  view(shape: readonly number[], { dtype = float32, from = -2, to = 2 }: NumbersOptions = {}): View {
    return dense(shape, dtype, () => (dtype.isFloatingPoint ? this.between(from, to) : this.whole(from, to)));
  }
}

interface NumbersOptions {
  dtype?: DType;
  from?: number;
  to?: number;
}

function arrayOf(dtype: DType, length: number): TypedArray {
  if (dtype.name === "float32") return new Float32Array(length);
  if (dtype.name === "int32") return new Int32Array(length);
  return dtype.itemsize === 8 ? new Float64Array(length) : new Uint8Array(length);
}

export function dense(shape: readonly number[], dtype: DType, value: (i: number) => number): View {
  const data = arrayOf(dtype, numel(shape));
  for (let i = 0; i < data.length; i++) data[i] = value(i);
  return { data, shape, strides: contiguousStrides(shape), offset: 0, dtype };
}

/** Where a kernel writes; filled with a number that must not survive where the kernel ought to have written. */
export function out(shape: readonly number[], dtype: DType = float32, before = 77): View {
  return dense(shape, dtype, () => (dtype.name === "bool" ? 1 : before));
}

/** The same elements as another view, laid out so: with gaps, transposed, repeated, or starting in the middle. */
export function laidOut(view: View, layout: "transposed" | "gaps" | "shifted"): View {
  const { shape, dtype } = view;
  const source = elements(view);
  if (layout === "shifted") {
    const data = arrayOf(dtype, source.length + 7);
    data.set(source, 5);
    return { ...view, data, strides: contiguousStrides(shape), offset: 5 };
  }
  if (layout === "gaps") {
    const data = arrayOf(dtype, source.length * 3);
    for (let i = 0; i < source.length; i++) data[3 * i + 1] = source[i]!;
    return { ...view, data, strides: contiguousStrides(shape).map((s) => 3 * s), offset: 1 };
  }
  const order = shape.map((_, axis) => shape.length - 1 - axis);
  const turned = contiguousStrides(order.map((axis) => shape[axis]!));
  const strides = shape.map((_, axis) => turned[shape.length - 1 - axis]!);
  const result = { ...view, data: arrayOf(dtype, source.length), strides, offset: 0 };
  forEachElement(result, (at, i) => {
    result.data[at] = source[i]!;
  });
  return result;
}

/** Calls back with each element's place in the storage, row by row. */
export function forEachElement({ shape, strides, offset }: View, visit: (at: number, i: number) => void): void {
  const count = numel(shape);
  for (let i = 0; i < count; i++) {
    let rest = i;
    let at = offset;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += (rest % shape[axis]!) * strides[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    visit(at, i);
  }
}

export function elements(view: View): TypedArray {
  const data = arrayOf(view.dtype, numel(view.shape));
  forEachElement(view, (at, i) => {
    data[i] = view.data[at]!;
  });
  return data;
}
