/** Variance, norms, running sums: reductions built from others. */
import { kernels } from "../backends/index.ts";
import { bind } from "../core/arguments.ts";
import { type DType, int64 } from "../core/dtype.ts";
import { RuntimeError } from "../core/errors.ts";
import { getDefaultDtype, SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { normalizeDim, normalizeDims, numel, sizeText } from "../core/shape.ts";
import { checked } from "../core/signature.ts";
import { anyRequiresGrad, assertTensor, Tensor } from "../core/tensor.ts";
import { warn } from "../core/warnings.ts";
import { div, mul, sub, where } from "./arithmetic.ts";
import { eq, isnan, logicalAnd, logicalOr, ne } from "./comparison.ts";
import { to } from "./copy.ts";
import { flip } from "./gathering.ts";
import { castRaw, denseRaw, filled, sumDtype, viewAs } from "./operands.ts";
import { abs, exp, sign, sqrt } from "./pointwise.ts";
import { amax, amin, type Dim, keepShape, mean, type ReduceOptions, reducedLast, reduceRaw, sum } from "./reduce.ts";
import { call, defineOp, type Method, methods, type Op } from "./registry.ts";
import { unsqueeze } from "./view.ts";

export interface VarAttrs {
  dims: number[];
  keepdim: boolean;
  correction: number;
  count: number;
  /** Over everything, without a dim given. */
  all: boolean;
  /** How many dimensions were listed; null where none was given. PyTorch's gradient counts one element for an empty list. */
  listed: number | null;
}

function centred(x: Tensor, dims: readonly number[]): Tensor {
  return sub(x, mean(x, dims, { keepdim: true }));
}

/** The reduced axes put back, unless they were kept. */
export function kept(grad: Tensor, { dims, keepdim }: { dims: readonly number[]; keepdim: boolean }): Tensor {
  return keepdim ? grad : dims.reduce((g, d) => unsqueeze(g, d), grad);
}

/** Without freedom left the slope is infinite, and unknown where it is 0 · ∞. */
export function varianceGradient(grad: Tensor, x: Tensor, { dims, all, count, correction, listed }: VarAttrs): Tensor {
  const difference = centred(x, dims);
  const freedom = (listed === 0 ? 1 : count) - correction;
  if (all && freedom <= 0) return mul(grad, where(eq(difference, 0), Number.NaN, Number.POSITIVE_INFINITY));
  return mul(mul(grad, 2 / freedom), difference);
}

export const Var: Op<VarAttrs> = defineOp({
  name: "var",
  gradFn: "VarBackward0",
  kernels: ["moments", "reduce", "binary"],
  forward(ctx, x: Tensor) {
    const { dims, keepdim, correction, count } = ctx.attrs;
    ctx.save(x);
    const { view, shape } = reducedLast(x, dims);
    const [average, out] = [Tensor.empty(shape, x.dtype), Tensor.empty(shape, x.dtype)];
    kernels.moments(view, Math.max(0, count - correction), average.kernelView, out.kernelView);
    return keepdim ? new Tensor(out.storage, keepShape(x, dims)) : out;
  },
  backward({ attrs, saved }, grad: Tensor) {
    return [varianceGradient(kept(grad, attrs), saved[0]!, attrs)];
  },
});

export const Std: Op<VarAttrs> = defineOp({
  name: "std",
  gradFn: "StdBackward0",
  kernels: ["reduce", "binary", "unary"],
  forward(ctx, x: Tensor) {
    const out = sqrt(call(Var, ctx.attrs, x.detach()));
    ctx.save(x, out);
    return out;
  },
  backward({ attrs, saved: [x, out] }, grad: Tensor) {
    const safe = where(eq(out!, 0), 0, div(grad, mul(out!, 2)));
    return [varianceGradient(kept(safe, attrs), x!, attrs)];
  },
});

export interface VarOptions extends ReduceOptions {
  /** Subtracted from the count in the divisor. Default 1 (Bessel). */
  correction?: number;
  /** Older form of correction: 1 when true. */
  unbiased?: boolean;
}

export function varArguments(name: string, args: unknown[]): { input: Tensor; attrs: VarAttrs } {
  const bound = bind<{ input: Tensor } & VarOptions>(
    name,
    ["!input", "dim", "*", "keepdim: bool", "correction", "unbiased"],
    args,
  );
  const { input, dim, keepdim = false, unbiased = true } = bound;
  if (!input.dtype.isFloatingPoint) {
    const which = name === "var" || name === "std" ? "std and var" : name;
    throw new RuntimeError(`${which} only support floating point and complex dtypes`);
  }
  const dims = normalizeDims(dim, input.ndim);
  const count = numel(dims.map((d) => input.shape[d]!));
  const correction = bound.correction ?? (unbiased ? 1 : 0);
  const outputs = numel(input.shape.filter((_, d) => !dims.includes(d)));
  if ((outputs === 0 ? 0 : count) - correction <= 0) {
    warn(
      `${name}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction factor (input numel divided by output numel).`,
    );
  }
  return {
    input,
    attrs: {
      dims,
      keepdim,
      correction,
      count,
      all: dim === undefined || dim === null || input.ndim === 0,
      listed: Array.isArray(dim) && input.ndim > 0 ? dim.length : null,
    },
  };
}

/** Variance, with Bessel's correction by default. https://docs.pytorch.org/docs/2.13/generated/torch.var.html */
export function variance(input: Tensor, dim?: Dim | VarOptions, options?: VarOptions): Tensor;
export function variance(...args: unknown[]): Tensor {
  const { input, attrs } = varArguments("var", args);
  return call(Var, attrs, input);
}

/** Standard deviation, with Bessel's correction by default. */
export function std(input: Tensor, dim?: Dim | VarOptions, options?: VarOptions): Tensor;
export function std(...args: unknown[]): Tensor {
  const { input, attrs } = varArguments("std", args);
  return call(Std, attrs, input);
}

interface NormAttrs {
  ord: number;
  dims: number[];
  keepdim: boolean;
  /** How the node is named where it isn't torch.linalg.vector_norm's. */
  node?: string;
}

const VectorNorm: Op<NormAttrs> = defineOp({
  name: "linalg_vector_norm",
  gradFn: ({ node = "LinalgVectorNormBackward0" }) => node,
  kernels: ["reduce", "unary", "binary"],
  forward(ctx, x: Tensor) {
    const out = normRaw(x.detach(), ctx.attrs);
    ctx.save(x, out);
    return out;
  },
  backward({ attrs, saved: [x, out] }, grad: Tensor) {
    const { ord } = attrs;
    const norm = kept(out!, attrs);
    const g = kept(grad, attrs);
    if (ord === 0) return [null];
    if (ord === 1) return [mul(sign(x!), g)];
    if (ord === 2) return [mul(g, where(eq(norm, 0), 0, div(x!, norm)))];
    if (!Number.isFinite(ord)) {
      const winners = logicalOr(eq(abs(x!), norm), logicalAnd(isnan(x!), isnan(norm)));
      const shares = sum(winners, attrs.dims, { keepdim: true });
      return [mul(mul(sign(x!), div(g, shares)), winners)];
    }
    if (ord < 1) {
      const slope = where(eq(x!, 0), 0, abs(x!).pow(ord - 1));
      return [mul(mul(sign(x!), slope), mul(g, norm.pow(1 - ord)))];
    }
    const direction = ord < 2 ? mul(sign(x!), abs(x!).pow(ord - 1)) : mul(x!, abs(x!).pow(ord - 2));
    return [mul(direction, where(eq(norm, 0), 0, div(g, norm.pow(ord - 1))))];
  },
});

function normRaw(x: Tensor, { ord, dims, keepdim }: NormAttrs): Tensor {
  if (ord === Number.POSITIVE_INFINITY) return amax(abs(x), dims, { keepdim });
  if (ord === Number.NEGATIVE_INFINITY) return amin(abs(x), dims, { keepdim });
  if (ord === 0) return sum(ne(x, 0).to(x.dtype), dims, { keepdim });
  if (ord === 1 || ord === 2) {
    const total = reduceRaw(ord === 1 ? "sum_abs" : "sum_squares", x, dims, x.dtype);
    const shaped = keepdim ? new Tensor(total.storage, keepShape(x, dims)) : total;
    return ord === 1 ? shaped : sqrt(shaped);
  }
  return sum(abs(x).pow(ord), dims, { keepdim }).pow(1 / ord);
}

/** The norm along the last axis under the name that ATen's own functions give it. */
export function lastAxisNorm(input: Tensor, ord: number, keepdim: boolean): Tensor {
  return call(VectorNorm, { ord, dims: [input.ndim - 1], keepdim, node: "NormBackward1" }, input);
}

/** Norms that are extremes have no answer for nothing. */
function requireElements(input: Tensor, ord: number, dims: readonly number[], given: Dim | undefined): void {
  const name = String(ord).replace("Infinity", "inf");
  const whole = given === undefined || given === null || (Array.isArray(given) && given.length === 0);
  if (whole && input.numel() === 0) {
    throw new RuntimeError(
      `linalg.vector_norm cannot compute the ${name} norm on an empty tensor because the operation does not have an identity`,
    );
  }
  const empty = dims.find((d) => input.shape[d] === 0);
  if (empty === undefined) return;
  throw new RuntimeError(
    `linalg.vector_norm cannot compute the ${name} norm on the dimension ${empty}because this dimension is empty and the operation does not have an identity`,
  );
}

export interface NormOptions {
  dim?: Dim;
  keepdim?: boolean;
  /** Converts before computing. */
  dtype?: DType | null;
}

/** (Σ |x|^ord)^(1/ord) over all elements or `dim`; ord may be an infinity or 0. Default 2. */
export function vectorNorm(
  input: Tensor,
  ord?: number | (NormOptions & { ord?: number }),
  options?: NormOptions,
): Tensor;
export function vectorNorm(...args: unknown[]): Tensor {
  const {
    input,
    ord = 2,
    dim,
    keepdim = false,
    dtype,
  } = bind<{ input: Tensor; ord?: number } & NormOptions>(
    "linalg_vector_norm",
    ["!input", "ord", "dim", "keepdim", "*", "dtype"],
    args,
  );
  if (!input.dtype.isFloatingPoint) {
    throw new RuntimeError(
      `linalg.vector_norm: Expected a floating point or complex tensor as input. Got ${SCALAR_TYPE_NAMES[input.dtype.name]}`,
    );
  }
  const dims = normalizeDims(dim, input.ndim);
  if (ord < 0 || ord === Number.POSITIVE_INFINITY) requireElements(input, ord, dims, dim);
  return call(VectorNorm, { ord, dims, keepdim }, dtype ? to(input, dtype) : input);
}

/** As vectorNorm, under its older name: `x.norm()`, `x.norm(1)`, `torch.norm(x, "fro")`. */
export function norm(
  input: Tensor,
  p?: number | "fro" | (NormOptions & { p?: number | "fro" }),
  options?: NormOptions,
): Tensor;
export function norm(...args: unknown[]): Tensor {
  const {
    input,
    p = 2,
    ...options
  } = bind<{ input: Tensor; p?: number | string } & NormOptions>(
    "norm",
    ["!input: Tensor", "p", "dim: int[1]?", "keepdim: bool", "dtype"],
    args,
  );
  if (typeof p === "string" && p !== "fro") throw new RuntimeError(`linalg.matrix_norm: Order ${p} not supported.`);
  return vectorNorm(input, typeof p === "string" ? 2 : p, options);
}

export interface CumulativeOptions {
  /** Converts before computing. */
  dtype?: DType | null;
}

interface LogsumexpAttrs {
  dims: number[];
  keepdim: boolean;
}

function keptShape(x: Tensor, dims: readonly number[], keepdim: boolean): number[] {
  if (keepdim) return x.shape.map((size, i) => (dims.includes(i) ? 1 : size));
  return x.shape.filter((_, i) => !dims.includes(i));
}

const Logsumexp: Op<LogsumexpAttrs> = defineOp({
  name: "logsumexp",
  gradFn: "LogsumexpBackward0",
  kernels: ["reduce", "unary", "binary"],
  forward(ctx, x: Tensor) {
    const { dims, keepdim } = ctx.attrs;
    const input = x.dtype.isFloatingPoint ? x.detach() : castRaw(x, getDefaultDtype());
    if (dims.some((d) => input.shape[d] === 0)) {
      const none = filled(keptShape(input, dims, keepdim), Number.NEGATIVE_INFINITY, input.dtype);
      ctx.save(x, none);
      return none;
    }
    const total = reduceRaw("logsumexp", input, dims, input.dtype);
    const out = keepdim ? new Tensor(total.storage, keepShape(input, dims)) : total;
    ctx.save(x, out);
    return out;
  },
  backward: ({ attrs, saved: [x, out] }, grad: Tensor) => [mul(kept(grad, attrs), exp(sub(x!, kept(out!, attrs))))],
});

/** log Σ e^x over `dim`, stable for large x. */
export const logsumexp = checked<
  (input: Tensor, dim: number | readonly number[], options?: { keepdim?: boolean }) => Tensor
>(
  "logsumexp(Tensor input, int[1] dim, bool keepdim?)",
  (input: Tensor, dim: number | readonly number[], keepdim: boolean = false): Tensor => {
    if (Array.isArray(dim) && dim.length === 0 && input.ndim > 0 && input.numel() > 0 && !keepdim) {
      const ones = sizeText(input.shape.map(() => 1));
      throw new RuntimeError(`output with shape [] doesn't match the broadcast shape ${ones}`);
    }
    return call(Logsumexp, { dims: normalizeDims(dim, input.ndim), keepdim }, input);
  },
);

const Cumsum: Op<{ dim: number; dtype: DType | null }> = defineOp({
  name: "cumsum",
  gradFn: "CumsumBackward0",
  kernels: ["cumulative"],
  forward({ attrs: { dim, dtype } }, x: Tensor) {
    const dense = denseRaw(castRaw(x, dtype ?? sumDtype(x)));
    const out = Tensor.empty(x.shape, dense.dtype);
    const outer = numel(x.shape.slice(0, dim));
    const shape = [outer, x.shape[dim] ?? 1, numel(x.shape.slice(dim + 1))];
    kernels.cumulative("cumsum", viewAs(dense, shape), viewAs(out, shape));
    return out;
  },
  backward: ({ attrs: { dim } }, grad: Tensor) => [grad.ndim === 0 ? grad : flip(cumsum(flip(grad, dim), dim), dim)],
});

/** Running sum along a dimension. https://docs.pytorch.org/docs/2.13/generated/torch.cumsum.html */
export function cumsum(input: Tensor, dim: number, options?: CumulativeOptions): Tensor;
export function cumsum(...args: unknown[]): Tensor {
  const { input, dim, dtype } = bind<{ input: Tensor; dim: number } & CumulativeOptions>(
    "cumsum",
    ["!input", "!dim: int", "*", "dtype"],
    args,
  );
  assertTensor(input, "cumsum", "input", 1);
  return call(Cumsum, { dim: normalizeDim(dim, input.ndim), dtype: dtype ?? null }, converted(input, dtype));
}

/** The input of a running sum or product in the dtype that was asked for. */
export function converted(input: Tensor, dtype: DType | null | undefined): Tensor {
  if (!dtype) return input;
  if (!dtype.isFloatingPoint && anyRequiresGrad([input])) {
    throw new RuntimeError(`Autograd not support dtype: ${SCALAR_TYPE_NAMES[dtype.name]}`);
  }
  return to(input, dtype);
}

/** How many elements are not zero, over all or `dim`. */
export const countNonzero = checked(
  "count_nonzero(Tensor input, int[1]? dim?)",
  (input: Tensor, dim?: number | readonly number[] | null): Tensor => {
    return sum(ne(input, 0).to(int64), dim ?? null);
  },
);

methods({ var: variance, std, norm, logsumexp, cumsum, countNonzero });

declare module "../core/tensor.ts" {
  interface Tensor {
    /** Variance, with Bessel's correction by default. */
    var: Method<typeof variance>;
    /** Standard deviation, with Bessel's correction by default. */
    std: Method<typeof std>;
    /** (Σ |x|^p)^(1/p). */
    norm: Method<typeof norm>;
    logsumexp: Method<typeof logsumexp>;
    /** Running sum along a dimension. */
    cumsum: Method<typeof cumsum>;
    countNonzero: Method<typeof countNonzero>;
  }
}
