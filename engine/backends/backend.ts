/**
 * The narrow interface between operations and the machine. An operation (engine/ops) decides shapes, dtypes and gradients;
 * a backend only fills the output it is handed. Nothing above this file knows which backend runs.
 *
 * Rules that every kernel keeps:
 * - inputs may be strided views (broadcast axes have stride 0); outputs are dense and row-major unless a kernel says otherwise;
 * - shapes agree already: operations broadcast, promote and check before they call;
 * - a kernel never allocates what it returns and never keeps a reference to its arguments.
 */
import type { DType, TypedArray } from "../core/dtype.ts";
import type { ConvGeometry, PoolGeometry } from "../core/window.ts";
import type { Formula } from "./formula.ts";

/** Memory of another device than the CPU, which only its backend can look into. */
export interface DeviceMemory {
  /** What was asked for. */
  readonly bytes: number;
  /** No integer in it is larger than this, by absolute value; Infinity where nobody knows. */
  limit: number;
}

/** A kernel's view of one tensor. On CPU backends `data` is the whole storage; element [i…] is at offset + Σ i·stride. */
export interface View {
  /** Of a tensor on another device: reading this fetches the elements, and the device takes them back before its next kernel. */
  readonly data: TypedArray;
  /** Where the storage lies on another device; absent on the CPU. Elements are counted as in `data`. */
  readonly memory?: DeviceMemory;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
  readonly dtype: DType;
}

export type UnaryOp =
  | "neg"
  | "abs"
  | "sign"
  | "exp"
  | "expm1"
  | "log"
  | "log2"
  | "log10"
  | "log1p"
  | "sqrt"
  | "rsqrt"
  | "reciprocal"
  | "sin"
  | "cos"
  | "tan"
  | "asin"
  | "acos"
  | "atan"
  | "sinh"
  | "cosh"
  | "tanh"
  | "sigmoid"
  | "relu"
  | "erf"
  | "floor"
  | "ceil"
  | "round"
  | "trunc"
  | "square"
  | "logical_not"
  | "isnan"
  | "isinf"
  | "isfinite";

export type BinaryOp =
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "floor_divide"
  | "remainder"
  | "fmod"
  | "pow"
  | "maximum"
  | "minimum"
  | "atan2"
  | "eq"
  | "ne"
  | "lt"
  | "le"
  | "gt"
  | "ge"
  | "logical_and"
  | "logical_or"
  | "logical_xor"
  | "bitwise_and"
  | "bitwise_or"
  | "bitwise_xor";

export type ReduceOp =
  | "sum"
  | "sum_abs"
  | "sum_squares"
  | "logsumexp"
  | "prod"
  | "amax"
  | "amin"
  | "any"
  | "all"
  | "argmax"
  | "argmin";

export interface Kernels {
  fill(out: View, value: number): void;
  /** Element by element with PyTorch's conversion between dtypes; `out` may be strided. */
  copy(x: View, out: View): void;
  /** Computed in out's dtype (comparisons and tests: in x's). */
  unary(op: UnaryOp, x: View, out: View): void;
  /** a, b and out have one shape; a and b have one dtype, in which the operation is computed. */
  binary(op: BinaryOp, a: View, b: View, out: View): void;
  where(condition: View, a: View, b: View, out: View): void;
  /**
   * Several steps element by element: all views have one shape and one floating dtype, `outs` are the formula's results. An
   * input may be one of the outputs, which then changes in place.
   */
  formula(f: Formula, numbers: readonly number[], inputs: readonly View[], outs: readonly View[]): void;
  /**
   * The leading axes of x are those of out, the others are reduced, wherever either lie in memory. argmax and argmin give the
   * first winner, counted row by row over the reduced axes; NaN wins.
   */
  reduce(op: ReduceOp, x: View, out: View): void;
  /** e^x / Σ e^x along the middle axis of [outer, n, inner], or with `log` its logarithm. */
  softmax(log: boolean, x: View, out: View): void;
  /** From the results y and their gradients. */
  softmaxGrad(log: boolean, y: View, gradOut: View, gradInput: View): void;
  /** The mean and Σ(x - mean)² / divisor over the trailing axes of x; its leading axes are those of mean and variance. */
  moments(x: View, divisor: number, mean: View, variance: View): void;
  /**
   * out = (x - mean) / √(variance + eps) · weight + bias for each group of x [outer, groups, runs, inner]. mean and variance,
   * dense [outer, groups], are read if `given`, else filled. weight and bias, or null, are views of x's shape that repeat their
   * numbers; out lies as x does, which may be in another order than row by row.
   */
  normalize(
    x: View,
    weight: View | null,
    bias: View | null,
    eps: number,
    given: boolean,
    out: View,
    mean: View,
    variance: View,
  ): void;
  /**
   * Its gradients, those that are wanted: gradInput lies as x and gradOut do; gradWeight and gradBias are views of x's shape, in
   * which what falls on one number is summed.
   */
  normalizeGrad(
    gradOut: View,
    x: View,
    mean: View,
    variance: View,
    weight: View | null,
    eps: number,
    given: boolean,
    gradInput: View | null,
    gradWeight: View | null,
    gradBias: View | null,
  ): void;
  /** Batched [batch, n, k] · [batch, k, m] → [batch, n, m], any strides (transposes are views). */
  matmul(a: View, b: View, out: View): void;

  /** input [n, c, h, w], weight [o, c/groups, kernelH, kernelW], bias [o] or null → out [n, o, outH, outW]. */
  conv(input: View, weight: View, bias: View | null, g: ConvGeometry, out: View): void;
  /** gradOut [n, o, outH, outW], weight → gradInput [n, c, h, w]. Also the forward of the transposed convolution. */
  convInputGrad(gradOut: View, weight: View, g: ConvGeometry, gradInput: View): void;
  /** input, gradOut → gradWeight [o, c/groups, kernelH, kernelW]. */
  convWeightGrad(input: View, gradOut: View, g: ConvGeometry, gradWeight: View): void;

  /**
   * Padding counts as -inf; `indices` [n, c, outH, outW], int64 or int32 or not wanted, are flat positions row·w + col. The
   * first maximum wins, a NaN wins.
   */
  maxPool(input: View, g: PoolGeometry, out: View, indices: View | null): void;
  maxPoolGrad(gradOut: View, indices: View, g: PoolGeometry, gradInput: View): void;
  /** `divisor` null: the window's size, padding counted or not. Windows that ceilMode pushes past the padding are clipped. */
  avgPool(input: View, g: PoolGeometry, countIncludePad: boolean, divisor: number | null, out: View): void;
  avgPoolGrad(gradOut: View, g: PoolGeometry, countIncludePad: boolean, divisor: number | null, gradInput: View): void;

  /** x [outer, n, inner], index int64 [m] → out [outer, m, inner]. */
  indexSelect(x: View, index: View, out: View): void;
  /** out [outer, n, inner] += source [outer, m, inner] at index [m]; out is written in place. */
  indexAdd(out: View, index: View, source: View): void;
  /** x [outer, n, inner], index [outer, m, inner] → out [outer, m, inner]. */
  gather(x: View, index: View, out: View): void;
  scatterAdd(out: View, index: View, source: View): void;
  /** Running sum or product along the middle axis of [outer, n, inner]. */
  cumulative(op: "cumsum" | "cumprod", x: View, out: View): void;
}

export type KernelName = keyof Kernels;

/** Which arguments each kernel writes to. */
export const WRITES: { readonly [K in KernelName]: readonly number[] } = {
  fill: [0],
  copy: [1],
  unary: [2],
  binary: [3],
  where: [3],
  formula: [3],
  reduce: [2],
  softmax: [2],
  softmaxGrad: [3],
  moments: [2, 3],
  normalize: [5, 6, 7],
  normalizeGrad: [7, 8, 9],
  matmul: [2],
  conv: [4],
  convInputGrad: [3],
  convWeightGrad: [3],
  maxPool: [2, 3],
  maxPoolGrad: [3],
  avgPool: [4],
  avgPoolGrad: [4],
  indexSelect: [2],
  indexAdd: [0],
  gather: [2],
  scatterAdd: [0],
  cumulative: [2],
};

/**
 * Kernels of a backend that serves only some calls: each answers true when it filled the output, and false, with nothing
 * written, when the call's dtype, layout or size is not for it.
 */
export type Attempts = { readonly [K in KernelName]?: (...args: Parameters<Kernels[K]>) => boolean };

/** What a backend offers; kernels it lacks or declines are served by the reference backend of the same device. */
export interface Backend {
  readonly name: "reference" | "wasm" | "webgpu";
  readonly device: "cpu" | "webgpu";
  readonly kernels: Attempts;
}
