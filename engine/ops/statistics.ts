/** Variance, norms, running sums: reductions built from others. */
import { kernels } from "../backends/index.ts";
import { bind } from "../core/arguments.ts";
import { int64 } from "../core/dtype.ts";
import { RuntimeError } from "../core/errors.ts";
import { SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { normalizeDim, normalizeDims, numel } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";
import { div, mul, sub, where } from "./arithmetic.ts";
import { eq, isfinite, ne } from "./comparison.ts";
import { flip } from "./gathering.ts";
import { castRaw, denseRaw, sumDtype, viewAs } from "./operands.ts";
import { abs, exp, sign, sqrt } from "./pointwise.ts";
import { amax, amin, type Dim, mean, type ReduceOptions, sum } from "./reduce.ts";
import { call, defineOp, type Method, methods, type Op } from "./registry.ts";
import { unsqueeze } from "./view.ts";

interface VarAttrs {
  dims: number[];
  keepdim: boolean;
  correction: number;
  count: number;
}

function centred(x: Tensor, dims: readonly number[]): Tensor {
  return sub(x, mean(x, dims, { keepdim: true }));
}

function kept(grad: Tensor, { dims, keepdim }: { dims: readonly number[]; keepdim: boolean }): Tensor {
  return keepdim ? grad : dims.reduce((g, d) => unsqueeze(g, d), grad);
}

const Var: Op<VarAttrs> = defineOp({
  name: "var",
  gradFn: "VarBackward0",
  kernels: ["reduce", "binary"],
  forward(ctx, x: Tensor) {
    const { dims, keepdim, correction, count } = ctx.attrs;
    ctx.save(x);
    const difference = centred(x.detach(), dims);
    return div(sum(mul(difference, difference), dims, { keepdim }), Math.max(0, count - correction));
  },
  backward({ attrs, saved }, grad: Tensor) {
    return [mul(mul(kept(grad, attrs), 2 / (attrs.count - attrs.correction)), centred(saved[0]!, attrs.dims))];
  },
});

const Std: Op<VarAttrs> = defineOp({
  name: "std",
  gradFn: "StdBackward0",
  kernels: ["reduce", "binary", "unary"],
  forward(ctx, x: Tensor) {
    const out = sqrt(call(Var, ctx.attrs, x.detach()));
    ctx.save(x, out);
    return out;
  },
  backward({ attrs, saved: [x, out] }, grad: Tensor) {
    const safe = where(eq(out!, 0), 0, div(grad, out!));
    return [mul(mul(kept(safe, attrs), 1 / (attrs.count - attrs.correction)), centred(x!, attrs.dims))];
  },
});

export interface VarOptions extends ReduceOptions {
  /** Subtracted from the count in the divisor. Default 1 (Bessel). */
  correction?: number;
  /** Older form of correction: 1 when true. */
  unbiased?: boolean;
}

function varArguments(name: string, args: unknown[]): { input: Tensor; attrs: VarAttrs } {
  const bound = bind<{ input: Tensor } & VarOptions>(
    name,
    ["!input", "dim", "*", "keepdim", "correction", "unbiased"],
    args,
  );
  const { input, dim, keepdim = false, unbiased = true } = bound;
  if (!input.dtype.isFloatingPoint) {
    throw new RuntimeError("std and var only support floating point and complex dtypes");
  }
  const dims = normalizeDims(dim, input.ndim);
  return {
    input,
    attrs: {
      dims,
      keepdim,
      correction: bound.correction ?? (unbiased ? 1 : 0),
      count: numel(dims.map((d) => input.shape[d]!)),
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
}

const VectorNorm: Op<NormAttrs> = defineOp({
  name: "linalg_vector_norm",
  gradFn: "LinalgVectorNormBackward0",
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
    if (ord === 0) return [mul(x!, 0)];
    if (ord === 1) return [mul(sign(x!), g)];
    if (ord === 2) return [where(eq(norm, 0), 0, mul(x!, div(g, norm)))];
    if (!Number.isFinite(ord)) {
      const winners = eq(abs(x!), norm).to(g.dtype);
      return [mul(mul(sign(x!), winners), div(g, sum(winners, attrs.dims, { keepdim: true })))];
    }
    const direction = ord < 2 ? mul(sign(x!), abs(x!).pow(ord - 1)) : mul(x!, abs(x!).pow(ord - 2));
    return [where(eq(norm, 0), 0, mul(direction, div(g, norm.pow(ord - 1))))];
  },
});

function normRaw(x: Tensor, { ord, dims, keepdim }: NormAttrs): Tensor {
  const size = abs(x);
  if (ord === Number.POSITIVE_INFINITY) return amax(size, dims, { keepdim });
  if (ord === Number.NEGATIVE_INFINITY) return amin(size, dims, { keepdim });
  if (ord === 0) return sum(ne(x, 0).to(x.dtype), dims, { keepdim });
  if (ord === 1) return sum(size, dims, { keepdim });
  if (ord === 2) return sqrt(sum(mul(x, x), dims, { keepdim }));
  return sum(size.pow(ord), dims, { keepdim }).pow(1 / ord);
}

export interface NormOptions {
  dim?: Dim;
  keepdim?: boolean;
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
  } = bind<{ input: Tensor; ord?: number; dim?: Dim; keepdim?: boolean }>(
    "linalg_vector_norm",
    ["!input", "ord", "dim", "keepdim"],
    args,
  );
  if (!input.dtype.isFloatingPoint) {
    throw new RuntimeError(
      `linalg.vector_norm: Expected a floating point or complex tensor as input. Got ${SCALAR_TYPE_NAMES[input.dtype.name]}`,
    );
  }
  return call(VectorNorm, { ord, dims: normalizeDims(dim, input.ndim), keepdim }, input);
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
    dim,
    keepdim,
  } = bind<{ input: Tensor; p?: number | "fro"; dim?: Dim; keepdim?: boolean }>(
    "norm",
    ["!input", "p", "dim", "keepdim"],
    args,
  );
  return vectorNorm(input, p === "fro" ? 2 : p, { dim, keepdim });
}

interface LogsumexpAttrs {
  dims: number[];
  keepdim: boolean;
}

const Logsumexp: Op<LogsumexpAttrs> = defineOp({
  name: "logsumexp",
  gradFn: "LogsumexpBackward0",
  kernels: ["reduce", "unary", "binary"],
  forward(ctx, x: Tensor) {
    const { dims, keepdim } = ctx.attrs;
    const input = x.detach();
    const top = amax(input, dims, { keepdim: true });
    const shift = where(isfinite(top), top, 0);
    const total = sum(exp(sub(input, shift)), dims, { keepdim: true })
      .log()
      .add(shift);
    const out = keepdim ? total : total.reshape(input.shape.filter((_, i) => !dims.includes(i)));
    ctx.save(x, out);
    return out;
  },
  backward: ({ attrs, saved: [x, out] }, grad: Tensor) => [mul(kept(grad, attrs), exp(sub(x!, kept(out!, attrs))))],
});

/** log Σ e^x over `dim`, stable for large x. */
export function logsumexp(input: Tensor, dim: Dim, options: { keepdim?: boolean } = {}): Tensor {
  return call(Logsumexp, { dims: normalizeDims(dim, input.ndim), keepdim: options.keepdim ?? false }, input);
}

const Cumsum: Op<{ dim: number }> = defineOp({
  name: "cumsum",
  gradFn: "CumsumBackward0",
  kernels: ["cumulative"],
  forward({ attrs: { dim } }, x: Tensor) {
    const dense = denseRaw(castRaw(x, sumDtype(x)));
    const out = Tensor.empty(x.shape, dense.dtype);
    const outer = numel(x.shape.slice(0, dim));
    const shape = [outer, x.shape[dim] ?? 1, numel(x.shape.slice(dim + 1))];
    kernels.cumulative("cumsum", viewAs(dense, shape), viewAs(out, shape));
    return out;
  },
  backward: ({ attrs: { dim } }, grad: Tensor) => [grad.ndim === 0 ? grad : flip(cumsum(flip(grad, dim), dim), dim)],
});

/** Running sum along a dimension. */
export function cumsum(input: Tensor, dim: number): Tensor {
  return call(Cumsum, { dim: normalizeDim(dim, input.ndim) }, input);
}

/** How many elements are not zero, over all or `dim`. */
export function countNonzero(input: Tensor, dim?: number | readonly number[] | null): Tensor {
  return sum(ne(input, 0).to(int64), dim ?? null);
}

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
