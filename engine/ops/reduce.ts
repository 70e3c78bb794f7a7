/** Reductions over all or some dimensions. https://docs.pytorch.org/docs/2.13/torch.html#reduction-ops */
import type { ReduceOp, View } from "../backends/backend.ts";
import { kernels } from "../backends/index.ts";
import { bind } from "../core/arguments.ts";
import { bool, type DType } from "../core/dtype.ts";
import { IndexError, RuntimeError } from "../core/errors.ts";
import { SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { normalizeDims, numel } from "../core/shape.ts";
import { anyRequiresGrad, assertTensor, Tensor } from "../core/tensor.ts";
import { div, mul } from "./arithmetic.ts";
import { eq } from "./comparison.ts";
import { to } from "./copy.ts";
import { cat } from "./joining.ts";
import { castRaw, filled, sumDtype, viewAs } from "./operands.ts";
import { call, defineOp, type Method, methods, type Op } from "./registry.ts";
import { expand, permute, reshape, unsqueeze } from "./view.ts";

/** How a kernel sees x with the reduced dimensions behind the others, where it lies, and the shape of the answer. */
export function reducedLast(x: Tensor, dims: readonly number[]): { view: View; shape: number[] } {
  const kept = x.shape.map((_, i) => i).filter((i) => !dims.includes(i));
  const order = [...kept, ...dims];
  const sizes = (axes: readonly number[]) => axes.map((i) => x.shape[i]!);
  const strides = order.map((i) => x.strides[i]!);
  return { view: viewAs(x, sizes(order), strides), shape: sizes(kept) };
}

/** A kernel reduction over `dims`; without them the answer has no such axes. */
export function reduceRaw(op: ReduceOp, x: Tensor, dims: readonly number[], dtype: DType): Tensor {
  const { view, shape } = reducedLast(x, dims);
  const out = Tensor.empty(shape, dtype);
  kernels.reduce(op, view, out.kernelView);
  return out;
}

/** The reduced axes put back with size 1. */
export function restore(x: Tensor, dims: readonly number[]): Tensor {
  return dims.reduce((t, d) => unsqueeze(t, d), x);
}

export function keepShape(x: Tensor, dims: readonly number[]): number[] {
  return x.shape.map((size, i) => (dims.includes(i) ? 1 : size));
}

export interface DimAttrs {
  dims: number[];
  keepdim: boolean;
  /** Over everything, without a dim given: PyTorch names the node differently. */
  all: boolean;
  dtype: DType;
}

const Sum: Op<DimAttrs> = defineOp({
  name: "sum",
  gradFn: ({ all }) => (all ? "SumBackward0" : "SumBackward1"),
  kernels: ["reduce"],
  forward(ctx, x: Tensor) {
    const { dims, keepdim, dtype } = ctx.attrs;
    ctx.notes = x.shape;
    const out = reduceRaw("sum", castRaw(x, dtype), dims, dtype);
    return keepdim ? new Tensor(out.storage, keepShape(x, dims)) : out;
  },
  backward({ attrs, notes }, grad: Tensor) {
    const restored = attrs.keepdim ? grad : restore(grad, attrs.dims);
    return [expand(restored, notes as number[])];
  },
});

const Mean: Op<DimAttrs> = defineOp({
  name: "mean",
  gradFn: ({ all }) => (all ? "MeanBackward0" : "MeanBackward1"),
  kernels: ["reduce", "binary"],
  forward(ctx, x: Tensor) {
    const { dims, keepdim, dtype } = ctx.attrs;
    ctx.notes = x.shape;
    const total = reduceRaw("sum", castRaw(x, dtype), dims, dtype);
    const count = numel(dims.map((d) => x.shape[d]!));
    const out = div(total.detach(), count);
    return keepdim ? new Tensor(out.storage, keepShape(x, dims)) : out;
  },
  backward({ attrs, notes }, grad: Tensor) {
    const shape = notes as number[];
    const count = numel(attrs.dims.map((d) => shape[d]!));
    const restored = attrs.keepdim ? grad : restore(grad, attrs.dims);
    return [div(expand(restored, shape), count)];
  },
});

const Prod: Op<DimAttrs> = defineOp({
  name: "prod",
  gradFn: ({ all }) => (all ? "ProdBackward0" : "ProdBackward1"),
  kernels: ["reduce"],
  forward(ctx, x: Tensor) {
    const { dims, keepdim, dtype } = ctx.attrs;
    const reduced = reduceRaw("prod", castRaw(x, dtype), dims, dtype);
    const out = keepdim ? new Tensor(reduced.storage, keepShape(x, dims)) : reduced;
    ctx.save(x, out);
    return out;
  },
  backward({ attrs, saved }, grad: Tensor) {
    const [x, out] = saved as [Tensor, Tensor];
    if (x.ndim === 0 || x.numel() === 0) return [expand(grad, x.shape)];
    const back = (y: Tensor) => (attrs.keepdim ? y : restore(y, attrs.dims));
    let zeros = 0;
    for (const value of x.denseData()) zeros += Number(value === 0);
    if (zeros === 0) return [mul(back(grad), div(back(out), x))];
    // Of two zero factors nothing is left, NaN or not; along a dimension PyTorch multiplies all the same.
    if (attrs.all && zeros > 1) return [filled(x.shape, 0, grad.dtype)];
    return [mul(expand(back(grad), x.shape), productOfOthers(x, attrs.dims))];
  },
});

/** For every element the product of the others along `dims`, exact where some are zero: prefix products times suffix products. */
function productOfOthers(x: Tensor, dims: readonly number[]): Tensor {
  const kept = x.shape.map((_, i) => i).filter((i) => !dims.includes(i));
  const order = [...kept, ...dims];
  const rows = reshape(permute(x, order), -1, numel(dims.map((d) => x.shape[d]!)));
  const n = rows.shape[1]!;
  const columns = Array.from({ length: n }, (_, i) => rows.select(1, i).unsqueeze(1));
  const one = filled([rows.shape[0]!, 1], 1, rows.dtype);
  const before: Tensor[] = [];
  for (let i = 0, running = one; i < n; i++) {
    before.push(running);
    running = mul(running, columns[i]!);
  }
  const others: Tensor[] = new Array(n);
  for (let i = n - 1, running = one; i >= 0; i--) {
    others[i] = mul(before[i]!, running);
    running = mul(running, columns[i]!);
  }
  const inverse = order.map((_, i) => order.indexOf(i));
  const joined = cat(others, 1);
  return permute(
    reshape(
      joined,
      order.map((d) => x.shape[d]!),
    ),
    inverse,
  );
}

/** The gradient of amax and amin is shared evenly among equal winners. */
function extreme(name: "amax" | "amin", gradFn: string) {
  return defineOp<DimAttrs>({
    name,
    gradFn,
    kernels: ["reduce"],
    forward(ctx, x: Tensor) {
      const { dims, keepdim } = ctx.attrs;
      const out = reduceRaw(name, x, dims, x.dtype);
      const kept = new Tensor(out.storage, keepShape(x, dims));
      ctx.save(x, kept);
      return keepdim ? kept : out;
    },
    backward({ attrs, saved: [x, kept] }, grad: Tensor) {
      const winners = to(eq(x!, kept!), grad.dtype);
      const restored = attrs.keepdim ? grad : restore(grad, attrs.dims);
      return [mul(div(winners, sum(winners, attrs.dims, { keepdim: true })), restored)];
    },
  });
}

export const Amax = extreme("amax", "AmaxBackward0");
export const Amin = extreme("amin", "AminBackward0");

function truth(name: "all" | "any") {
  return defineOp<DimAttrs>({
    name,
    gradFn: "NotImplemented",
    kernels: ["reduce"],
    forward({ attrs: { dims, keepdim } }, x: Tensor) {
      const out = reduceRaw(name, castRaw(x, bool), dims, bool);
      const kept = keepdim ? new Tensor(out.storage, keepShape(x, dims)) : out;
      return x.dtype.name === "uint8" ? castRaw(kept, x.dtype) : kept;
    },
  });
}

const All = truth("all");
const Any = truth("any");

export type Dim = number | readonly number[] | null;

export interface ReduceOptions {
  /** Dimension or dimensions to reduce. Default: all. */
  dim?: Dim;
  /** Keeps reduced dimensions with size 1. Default false. */
  keepdim?: boolean;
}

export interface SumOptions extends ReduceOptions {
  /** Converts before reducing. */
  dtype?: DType | null;
}

const REDUCE_PARAMETERS = ["!input", "dim: int[1]?", "keepdim: bool", "*", "dtype"];

export function reduceArguments(name: string, args: unknown[]): { input: Tensor; attrs: DimAttrs } {
  const { input, dim, keepdim = false, dtype } = bind<{ input: Tensor } & SumOptions>(name, REDUCE_PARAMETERS, args);
  assertTensor(input, name, "input", 1);
  if (dtype && !dtype.isFloatingPoint && anyRequiresGrad([input])) {
    throw new RuntimeError(`Autograd not support dtype: ${SCALAR_TYPE_NAMES[dtype.name]}`);
  }
  const dims = normalizeDims(dim, input.ndim);
  return { input, attrs: { dims, keepdim, all: dim === undefined || dim === null, dtype: dtype ?? sumDtype(input) } };
}

/** Sum of all elements, or over `dim`. Integers and booleans give int64. https://docs.pytorch.org/docs/2.13/generated/torch.sum.html */
export function sum(input: Tensor, dim?: Dim | SumOptions, options?: SumOptions): Tensor;
export function sum(...args: unknown[]): Tensor {
  const { input, attrs } = reduceArguments("sum", args);
  return call(Sum, attrs, input);
}

/** Mean of all elements, or over `dim`. @throws RuntimeError for integers. */
export function mean(input: Tensor, dim?: Dim | SumOptions, options?: SumOptions): Tensor;
export function mean(...args: unknown[]): Tensor {
  const { input, dtype } = bind<{ input: Tensor } & SumOptions>("mean", REDUCE_PARAMETERS, args);
  assertTensor(input, "mean", "input", 1);
  const computed = dtype ?? input.dtype;
  if (!computed.isFloatingPoint) {
    throw new RuntimeError(
      `mean(): could not infer output dtype. ${dtype ? "Optional" : "Input"} dtype must be either a floating point or complex dtype. Got: ${SCALAR_TYPE_NAMES[computed.name]}`,
      { hint: "convert it first: x.float().mean()" },
    );
  }
  const { attrs } = reduceArguments("mean", args);
  return call(Mean, attrs, input);
}

/** Product of all elements, or over one dimension. */
export function prod(input: Tensor, dim?: number | SumOptions, options?: SumOptions): Tensor;
export function prod(...args: unknown[]): Tensor {
  const { input, attrs } = reduceArguments("prod", args);
  return call(Prod, attrs, input);
}

/** An empty tensor has no extreme: the dimensions that are reduced have to have elements. */
function extremeArguments(name: string, args: unknown[]): [DimAttrs, Tensor] {
  const { input, attrs } = reduceArguments(name, args);
  if (input.numel() > 0) return [attrs, input];
  const { dim } = bind<{ dim?: Dim }>(name, REDUCE_PARAMETERS, args);
  const given = [dim ?? []].flat() as number[];
  if (given.length === 0) {
    throw new RuntimeError(
      `${name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.`,
    );
  }
  for (const d of given) {
    if (input.size(d) === 0) throw new IndexError(`${name}(): Expected reduction dim ${d} to have non-zero size.`);
  }
  return [attrs, input];
}

/** Maximum over dimensions; equal winners share the gradient. */
export function amax(input: Tensor, dim?: Dim | ReduceOptions, options?: ReduceOptions): Tensor;
export function amax(...args: unknown[]): Tensor {
  return call(Amax, ...extremeArguments("amax", args));
}

/** Minimum over dimensions; equal winners share the gradient. */
export function amin(input: Tensor, dim?: Dim | ReduceOptions, options?: ReduceOptions): Tensor;
export function amin(...args: unknown[]): Tensor {
  return call(Amin, ...extremeArguments("amin", args));
}

/** Unlike sums, these take an empty list of dimensions at its word. */
function truthArguments(name: string, args: unknown[]): [DimAttrs, Tensor] {
  const { input, attrs } = reduceArguments(name, args);
  const { dim } = bind<{ dim?: Dim }>(name, REDUCE_PARAMETERS, args);
  return [Array.isArray(dim) && dim.length === 0 ? { ...attrs, dims: [] } : attrs, input];
}

/** Whether all elements are nonzero. */
export function all(input: Tensor, dim?: Dim | ReduceOptions, options?: ReduceOptions): Tensor;
export function all(...args: unknown[]): Tensor {
  return call(All, ...truthArguments("all", args));
}

/** Whether any element is nonzero. */
export function any(input: Tensor, dim?: Dim | ReduceOptions, options?: ReduceOptions): Tensor;
export function any(...args: unknown[]): Tensor {
  return call(Any, ...truthArguments("any", args));
}

methods({ sum, mean, prod, amax, amin, all, any });

declare module "../core/tensor.ts" {
  interface Tensor {
    /** Sum of all elements, or over `dim`. */
    sum: Method<typeof sum>;
    /** Mean of all elements, or over `dim`. */
    mean: Method<typeof mean>;
    /** Product of all elements, or over one dimension. */
    prod: Method<typeof prod>;
    amax: Method<typeof amax>;
    amin: Method<typeof amin>;
    /** Whether all elements are nonzero. */
    all: Method<typeof all>;
    /** Whether any element is nonzero. */
    any: Method<typeof any>;
  }
}
