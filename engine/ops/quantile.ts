/** Quantiles, differences, covariances and integrals: made of other operations. */
import { bind } from "../core/arguments.ts";
import { bool, int64 } from "../core/dtype.ts";
import { IndexError, RuntimeError } from "../core/errors.ts";
import { SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { normalizeDim, type Shape } from "../core/shape.ts";
import { checked } from "../core/signature.ts";
import { assertTensor, Tensor } from "../core/tensor.ts";
import { warn } from "../core/warnings.ts";
import { add, clamp, div, mul, sub } from "./arithmetic.ts";
import { lerp } from "./binary_more.ts";
import { isnan, logicalNot, logicalXor } from "./comparison.ts";
import { to } from "./copy.ts";
import { diag } from "./diagonals.ts";
import { gather, maskedFill } from "./gathering.ts";
import { cat } from "./joining.ts";
import { DivideByNumber } from "./loss.ts";
import { mm } from "./matmul.ts";
import { filled, filledLike } from "./operands.ts";
import { ceil, floor, round, sqrt } from "./pointwise.ts";
import { any, sum } from "./reduce.ts";
import { call, type Method, methods } from "./registry.ts";
import { select, sliceRaw } from "./slicing.ts";
import { sort } from "./sorting.ts";
import { reshape, squeeze, t, transpose, unsafeSqueeze, unsqueeze, view } from "./view.ts";

/** What a quantile between two elements is. */
export type QuantileInterpolation = "linear" | "lower" | "higher" | "midpoint" | "nearest";

export interface QuantileOptions {
  /** Default null: of all elements. */
  dim?: number | null;
  /** Keeps the reduced dimension with size 1. Default false. */
  keepdim?: boolean;
  /** What a quantile between two elements is. Default "linear". */
  interpolation?: QuantileInterpolation;
}

const INTERPOLATIONS = ["linear", "lower", "higher", "midpoint", "nearest"];

function checkQuantile(input: Tensor, q: Tensor | number, interpolation: string): void {
  if (input.numel() === 0) throw new RuntimeError("quantile() input tensor must be non-empty");
  if (q instanceof Tensor && q.ndim > 1) throw new RuntimeError("quantile() q must be a scalar or 1D tensor");
  if (!input.dtype.isFloatingPoint) {
    throw new RuntimeError("quantile() input tensor must be either float or double dtype");
  }
  if (q instanceof Tensor && q.dtype !== input.dtype) {
    throw new RuntimeError("quantile() q tensor must be same dtype as the input tensor");
  }
  if (!INTERPOLATIONS.includes(interpolation)) {
    throw new RuntimeError(
      `quantile() interpolation must be one of linear, lower, higher, midpoint or nearest, but got ${interpolation}`,
    );
  }
  if (q instanceof Tensor && q.denseData().some((value) => !(value >= 0 && value <= 1))) {
    throw new RuntimeError("quantile() q values must be in the range [0, 1]");
  }
}

/** Where in a sorted line the quantiles lie: the last place, or any, where there is a NaN that counts. */
function ranksOf(sorted: Tensor, q: Tensor, ignoresNaN: boolean): Tensor {
  const fixed = sorted.detach();
  if (ignoresNaN) {
    const last = sub(sum(logicalNot(isnan(fixed)), -1, { keepdim: true }), 1);
    return clamp(mul(q, last), 0);
  }
  const last = sorted.shape.at(-1)! - 1;
  const shape = [...sorted.shape.slice(0, -1), q.numel()];
  return maskedFill(mul(q, last).expand(shape), any(isnan(fixed), -1, { keepdim: true }), last);
}

function quantiles(name: "quantile" | "nanquantile", args: unknown[]): Tensor {
  const {
    input,
    q: given,
    dim = null,
    keepdim = false,
    interpolation = "linear",
  } = bind<{ input: Tensor; q: number | Tensor } & QuantileOptions>(
    name,
    ["!input", "!q", "dim", "keepdim", "*", "interpolation"],
    args,
  );
  assertTensor(input, name, "input", 1);
  if (typeof given === "number" && !(given >= 0 && given <= 1)) {
    throw new RuntimeError(`quantile() q must be in the range [0, 1] but got ${given}`);
  }
  checkQuantile(input, given, interpolation);
  const axis = normalizeDim(dim ?? 0, input.ndim);
  const q = typeof given === "number" ? filled([], given, input.dtype) : given;
  const kept = input.shape.map((size, d) => (dim === null || d === axis ? 1 : size));
  const rest = keepdim ? kept : dim === null || input.ndim === 0 ? [] : input.shape.toSpliced(axis, 1);
  const atEnd = axis === input.ndim - 1;
  const lines = dim === null ? reshape(input, -1) : atEnd ? input : transpose(unsqueeze(input, -1), axis, input.ndim);
  const ordered = sort(lines).values;
  const sorted = reshape(ordered, [...rest, ordered.ndim === 0 ? 1 : ordered.shape.at(-1)!]);
  const exact = ranksOf(sorted, reshape(q, -1), name === "nanquantile");
  const snap = { lower: floor, higher: ceil, nearest: round }[interpolation as string];
  const ranks = snap ? snap(exact) : exact;
  const below = to(ranks, int64);
  let values = gather(sorted, -1, below);
  if (!snap) {
    const weights = interpolation === "midpoint" ? filledLike(ranks, 0.5, ranks.dtype) : sub(ranks, below);
    values = lerp(values, gather(sorted, -1, to(ceil(ranks), int64)), weights);
  }
  const shaped = q.ndim === 0 ? values : transpose(unsqueeze(values, 0), 0, -1);
  return unsafeSqueeze(shaped, shaped.ndim - 1);
}

/**
 * The q-quantiles of all elements, or along `dim`: q is a number, or a vector that becomes the first dimension.
 * https://docs.pytorch.org/docs/2.13/generated/torch.quantile.html
 */
export function quantile(
  input: Tensor,
  q: number | Tensor,
  dim?: number | null | QuantileOptions,
  options?: QuantileOptions,
): Tensor;
export function quantile(...args: unknown[]): Tensor {
  return quantiles("quantile", args);
}

/** As quantile, without regard to NaN. https://docs.pytorch.org/docs/2.13/generated/torch.nanquantile.html */
export function nanquantile(
  input: Tensor,
  q: number | Tensor,
  dim?: number | null | QuantileOptions,
  options?: QuantileOptions,
): Tensor;
export function nanquantile(...args: unknown[]): Tensor {
  return quantiles("nanquantile", args);
}

export interface DiffOptions {
  /** How often differences are taken. Default 1. */
  n?: number;
  /** Default -1. */
  dim?: number;
  /** What stands before the elements. Default null. */
  prepend?: Tensor | null;
  /** What stands behind them. Default null. */
  append?: Tensor | null;
}

function checkBeside(input: Tensor, beside: Tensor | null, dim: number): void {
  if (!beside) return;
  const axis = normalizeDim(dim, input.ndim);
  if (beside.ndim !== input.ndim) {
    throw new RuntimeError("diff expects prepend or append to be the same dimension as input");
  }
  const wrong = beside.shape.findIndex((size, d) => d !== axis && size !== input.shape[d]);
  if (wrong < 0) return;
  throw new RuntimeError(
    `diff expects the shape of tensor to prepend or append to match that of input except along the differencing dimension; input.size(${wrong}) = ${input.shape[wrong]}, but got tensor.size(${wrong}) = ${beside.shape[wrong]}`,
    { shapes: [input.shape, beside.shape] },
  );
}

/** Differences of neighbours along `dim`, `n` times. https://docs.pytorch.org/docs/2.13/generated/torch.diff.html */
export function diff(input: Tensor, n?: number | DiffOptions, options?: DiffOptions): Tensor;
export function diff(...args: unknown[]): Tensor {
  const {
    input,
    n = 1,
    dim = -1,
    prepend = null,
    append = null,
  } = bind<{ input: Tensor } & DiffOptions>("diff", ["!input", "n", "dim", "prepend", "append"], args);
  assertTensor(input, "diff", "input", 1);
  if (input.ndim === 0) throw new RuntimeError("diff expects input to be at least one-dimensional");
  if (n < 0) throw new RuntimeError(`order must be non-negative but got ${n}`);
  checkBeside(input, prepend, dim);
  checkBeside(input, append, dim);
  if (n === 0) return filledLike(input, 0, input.dtype).copy_(input);
  const parts = [prepend, input, append].filter((part) => part !== null);
  let result = parts.length === 1 ? input : cat(parts, dim);
  const axis = normalizeDim(dim, input.ndim);
  const times = Math.min(n, result.shape[axis]!);
  for (let i = 0; i < times; i++) {
    const length = result.shape[axis]! - 1;
    const [after, before] = [sliceRaw(result, axis, 1, length, 1), sliceRaw(result, axis, 0, length, 1)];
    result = result.dtype === bool ? logicalXor(after, before) : sub(after, before);
  }
  return result;
}

export interface CovOptions {
  /** Subtracted from the number of observations in the divisor. Default 1 (Bessel). */
  correction?: number;
  /** How often each observation counts: integers [N]. Default null. */
  fweights?: Tensor | null;
  /** How much each observation counts: floats [N]. Default null. */
  aweights?: Tensor | null;
}

function checkWeights(name: "fweights" | "aweights", weights: Tensor, observations: number): void {
  if (weights.ndim > 1) {
    throw new RuntimeError(
      `cov(): expected ${name} to have one or fewer dimensions but got ${name} with ${weights.ndim} dimensions`,
    );
  }
  const { isFloatingPoint, name: dtype } = weights.dtype;
  if (name === "fweights" ? isFloatingPoint || weights.dtype === bool : !isFloatingPoint) {
    throw new RuntimeError(
      `cov(): expected ${name} to have ${name === "fweights" ? "integral" : "floating point"} dtype but got ${name} with ${SCALAR_TYPE_NAMES[dtype]} dtype`,
    );
  }
  if (weights.numel() !== observations) {
    throw new RuntimeError(
      `cov(): expected ${name} to have the same numel as there are observations in the input but got ${weights.numel()} != ${observations}`,
    );
  }
  if (weights.denseData().some((value) => value < 0)) throw new RuntimeError(`cov(): ${name} cannot be negative`);
}

/**
 * The covariances of variables: rows of [variables, observations], or one vector of observations.
 * https://docs.pytorch.org/docs/2.13/generated/torch.cov.html
 */
export function cov(input: Tensor, options?: CovOptions): Tensor;
export function cov(...args: unknown[]): Tensor {
  const {
    input,
    correction = 1,
    fweights = null,
    aweights = null,
  } = bind<{ input: Tensor } & CovOptions>("cov", ["!input", "*", "correction", "fweights", "aweights"], args);
  assertTensor(input, "cov", "input", 1);
  if (input.ndim > 2) {
    throw new RuntimeError(
      `cov(): expected input to have two or fewer dimensions but got an input with ${input.ndim} dimensions`,
    );
  }
  if (input.dtype === bool) throw new RuntimeError("cov(): bool dtype is not supported for input");
  const rows = input.ndim < 2 ? view(input, 1, -1) : input;
  const observations = rows.shape[1]!;
  if (fweights) checkWeights("fweights", fweights, observations);
  if (aweights) checkWeights("aweights", aweights, observations);
  const weights = fweights && aweights ? mul(fweights, aweights) : (fweights ?? aweights);
  const weighted = (x: Tensor) => (weights ? mul(x, weights) : x);
  const total = weights ? sum(weights) : filled([], observations, int64);
  if (weights && total.item() === 0) {
    throw new RuntimeError("cov(): weights sum to zero, can't be normalized");
  }
  const average = div(sum(weighted(rows), 1), total);
  let freedom =
    weights && aweights && correction !== 0
      ? sub(total, div(mul(sum(mul(weights, aweights)), correction), total))
      : sub(total, correction);
  if (freedom.item() <= 0) {
    warn("cov(): degrees of freedom is <= 0. Correction should be strictly less than the number of observations.");
    freedom = mul(freedom.detach(), 0);
  }
  const centred = sub(rows, unsqueeze(average, 1));
  return squeeze(div(mm(centred, t(weighted(centred))), freedom));
}

/** Correlation coefficients of variables: the covariances over the standard deviations. https://docs.pytorch.org/docs/2.13/generated/torch.corrcoef.html */
export const corrcoef = checked("corrcoef(Tensor input)", (input: Tensor): Tensor => {
  if (input.ndim > 2) {
    throw new RuntimeError(
      `corrcoef(): expected input to have two or fewer dimensions but got an input with ${input.ndim} dimensions`,
    );
  }
  const c = cov(input);
  if (c.ndim === 0) return div(c, c);
  const deviation = sqrt(diag(c));
  return clamp(div(div(c, view(deviation, -1, 1)), view(deviation, 1, -1)), -1, 1);
});

export interface TrapezoidOptions {
  /** Distance of the points where they have no places of their own. Default 1. */
  dx?: number;
  /** Default -1. */
  dim?: number;
}

/** The places in the dimensions of the values. */
function beside(x: Tensor, y: Tensor, axis: number): Tensor {
  if (x.ndim === 1) {
    if (x.shape[0] !== y.shape[axis]) {
      throw new RuntimeError("trapezoid: There must be one `x` value for each sample point", {
        shapes: [y.shape, x.shape],
      });
    }
    const shape: Shape = y.shape.map((_, d) => (d === axis ? x.shape[0]! : 1));
    return view(x, ...shape);
  }
  const missing = y.ndim - x.ndim;
  return missing > 0 ? view(x, ...new Array<number>(missing).fill(1), ...x.shape) : x;
}

/**
 * The integral along `dim` by the trapezoidal rule, of values at places `x` or `dx` apart.
 * https://docs.pytorch.org/docs/2.13/generated/torch.trapezoid.html
 */
export function trapezoid(y: Tensor, x?: Tensor | null | TrapezoidOptions, options?: TrapezoidOptions): Tensor;
export function trapezoid(...args: unknown[]): Tensor {
  const {
    y,
    x = null,
    dx = 1,
    dim = -1,
  } = bind<{ y: Tensor; x?: Tensor | null } & TrapezoidOptions>("trapezoid", ["!y", "x", "*", "dx", "dim"], args);
  assertTensor(y, "trapezoid", "y", 1);
  if (y.ndim === 0) {
    throw new IndexError(`Dimension specified as ${x ? normalizeDim(dim, 0) : dim} but tensor has no dimensions`);
  }
  const axis = normalizeDim(dim, y.ndim);
  const size = y.shape[axis]!;
  if (size === 0) return filled(y.shape.toSpliced(axis, 1), 0, y.dtype);
  if (y.dtype === bool || x?.dtype === bool) {
    const which = x ? "`x` or `y`" : "`y`";
    throw new RuntimeError(`trapezoid: received a bool input for ${which}, but bool is not supported`);
  }
  if (!x) {
    const ends = add(select(y, axis, 0), select(y, axis, -1));
    return mul(sub(sum(y, axis), mul(ends, 0.5)), dx);
  }
  const places = beside(x, y, axis);
  const left = (of: Tensor) => sliceRaw(of, axis, 0, Math.max(0, of.shape[axis]! - 1), 1);
  const right = (of: Tensor) => sliceRaw(of, axis, 1, Math.max(0, of.shape[axis]! - 1), 1);
  const steps = sub(right(places), left(places));
  return call(DivideByNumber, { divisor: 2 }, sum(mul(add(left(y), right(y)), steps), axis));
}

methods({ quantile, nanquantile, diff, cov, corrcoef });

declare module "../core/tensor.ts" {
  interface Tensor {
    /** The q-quantiles of all elements, or along a dimension. */
    quantile: Method<typeof quantile>;
    /** As quantile, without regard to NaN. */
    nanquantile: Method<typeof nanquantile>;
    /** Differences of neighbours along a dimension. */
    diff: Method<typeof diff>;
    /** The covariances of the rows. */
    cov: Method<typeof cov>;
    /** The correlation coefficients of the rows. */
    corrcoef: Method<typeof corrcoef>;
  }
}
