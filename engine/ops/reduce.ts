/** Reductions over all or some dimensions. https://docs.pytorch.org/docs/2.13/torch.html#reduction-ops */
import type { ReduceOp } from "../backends/backend.ts";
import { kernels } from "../backends/index.ts";
import { bind } from "../core/arguments.ts";
import { bool, type DType, int64 } from "../core/dtype.ts";
import { IndexError, RuntimeError } from "../core/errors.ts";
import { SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { normalizeDim, normalizeDims, numel } from "../core/shape.ts";
import { assertTensor, Tensor } from "../core/tensor.ts";
import { add, div, maximum, minimum, mul } from "./arithmetic.ts";
import { eq } from "./comparison.ts";
import { to } from "./copy.ts";
import { castRaw, denseRaw, sumDtype, viewAs } from "./operands.ts";
import { call, callMany, defineOp, type Method, methods, type Op } from "./registry.ts";
import { expand, permute, reshape, unsqueeze } from "./view.ts";

/** x with the reduced dimensions last, as a dense [outer, inner] pair of sizes, and the shape of the answer. */
function arrange(x: Tensor, dims: readonly number[]) {
  const kept = x.shape.map((_, i) => i).filter((i) => !dims.includes(i));
  const ordered =
    dims.length === 0 || dims.length === x.ndim || isTrailing(dims, x.ndim) ? x : permuted(x, [...kept, ...dims]);
  return {
    dense: denseRaw(ordered),
    outer: numel(kept.map((i) => x.shape[i]!)),
    inner: numel(dims.map((i) => x.shape[i]!)),
    shape: kept.map((i) => x.shape[i]!),
  };
}

function isTrailing(dims: readonly number[], ndim: number): boolean {
  return dims.every((d, i) => d === ndim - dims.length + i);
}

function permuted(x: Tensor, order: readonly number[]): Tensor {
  return new Tensor(
    x.storage,
    order.map((i) => x.shape[i]!),
    order.map((i) => x.strides[i]!),
    x.offset,
  );
}

/** A kernel reduction over `dims`; without them the answer has no such axes. */
function reduceRaw(op: ReduceOp, x: Tensor, dims: readonly number[], dtype: DType): Tensor {
  const { dense, outer, inner, shape } = arrange(x, dims);
  const out = Tensor.empty(shape, dtype);
  kernels.reduce(op, viewAs(dense, [outer, inner]), viewAs(out, [outer]));
  return out;
}

/** The reduced axes put back with size 1. */
function restore(x: Tensor, dims: readonly number[]): Tensor {
  return dims.reduce((t, d) => unsqueeze(t, d), x);
}

function keepShape(x: Tensor, dims: readonly number[]): number[] {
  return x.shape.map((size, i) => (dims.includes(i) ? 1 : size));
}

interface DimAttrs {
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
    ctx.save(x);
    const out = reduceRaw("prod", castRaw(x, dtype), dims, dtype);
    return keepdim ? new Tensor(out.storage, keepShape(x, dims)) : out;
  },
  backward({ attrs, saved }, grad: Tensor) {
    const x = saved[0]!;
    const restored = attrs.keepdim ? grad : restore(grad, attrs.dims);
    return [mul(expand(restored, x.shape), productOfOthers(x, attrs.dims))];
  },
});

/** For every element the product of the others along `dims`, exact where some are zero: prefix products times suffix products. */
function productOfOthers(x: Tensor, dims: readonly number[]): Tensor {
  const kept = x.shape.map((_, i) => i).filter((i) => !dims.includes(i));
  const order = [...kept, ...dims];
  const rows = reshape(permute(x, order), -1, numel(dims.map((d) => x.shape[d]!)));
  const n = rows.shape[1]!;
  const columns = Array.from({ length: n }, (_, i) => rows.select(1, i).unsqueeze(1));
  const one = columns[0]!.mul(0).add(1);
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
  const joined = others.reduce<Tensor>(
    (sum, column, i) => add(sum, mul(column, unitRow(n, i, rows.dtype))),
    mul(rows, 0),
  );
  return permute(
    reshape(
      joined,
      order.map((d) => x.shape[d]!),
    ),
    inverse,
  );
}

function unitRow(n: number, i: number, dtype: DType): Tensor {
  const row = Tensor.empty([1, n], dtype);
  row.storage.data[i] = 1;
  return row;
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

const Amax = extreme("amax", "AmaxBackward0");
const Amin = extreme("amin", "AminBackward0");

/** max() and min() of everything differ from amax and amin only in the name of their node. */
function extremeAll(name: "max" | "min") {
  const op = name === "max" ? Amax : Amin;
  return defineOp<DimAttrs>({
    name,
    gradFn: name === "max" ? "MaxBackward1" : "MinBackward1",
    kernels: ["reduce"],
    forward: op.forward,
    backward: op.backward!,
  });
}

const MaxAll = extremeAll("max");
const MinAll = extremeAll("min");

interface AlongAttrs {
  dim: number;
  keepdim: boolean;
}

/** Values and indices of the extreme along one dimension; the gradient goes to the first winner. */
function along(name: "max" | "min") {
  return defineOp<AlongAttrs>({
    name: `${name}.dim`,
    gradFn: name === "max" ? "MaxBackward0" : "MinBackward0",
    kernels: ["reduce"],
    forward(ctx, x: Tensor) {
      const { dim, keepdim } = ctx.attrs;
      const dims = x.ndim === 0 ? [] : [dim];
      const values = reduceRaw(name === "max" ? "amax" : "amin", x, dims, x.dtype);
      const indices = reduceRaw(name === "max" ? "argmax" : "argmin", x, dims, int64);
      const shape = keepShape(x, dims);
      ctx.notes = x.shape;
      ctx.save(new Tensor(indices.storage, shape));
      return keepdim ? [new Tensor(values.storage, shape), new Tensor(indices.storage, shape)] : [values, indices];
    },
    backward({ attrs, saved, notes }, grad: Tensor) {
      const shape = notes as number[];
      const restored = attrs.keepdim || shape.length === 0 ? grad : unsqueeze(grad, attrs.dim);
      return [mul(restored, oneAt(saved[0]!, shape, attrs.dim, grad.dtype))];
    },
  });
}

/** 1 where the index along `dim` is the given one, else 0. */
function oneAt(indices: Tensor, shape: readonly number[], dim: number, dtype: DType): Tensor {
  const size = shape[dim] ?? 1;
  const positions = Tensor.empty([size], int64);
  for (let i = 0; i < size; i++) positions.storage.data[i] = i;
  const axis =
    shape.length === 0
      ? positions.reshape([])
      : reshape(
          positions,
          shape.map((_, i) => (i === dim ? size : 1)),
        );
  return to(eq(axis, indices), dtype);
}

const MaxAlong = along("max");
const MinAlong = along("min");

function indexOfExtreme(name: "argmax" | "argmin") {
  return defineOp<AlongAttrs & { all: boolean }>({
    name,
    gradFn: "NotImplemented",
    kernels: ["reduce"],
    forward({ attrs: { dim, keepdim, all } }, x: Tensor) {
      const dims = all ? x.shape.map((_, i) => i) : x.ndim === 0 ? [] : [dim];
      const out = reduceRaw(name, x, dims, int64);
      return keepdim ? new Tensor(out.storage, keepShape(x, dims)) : out;
    },
  });
}

const Argmax = indexOfExtreme("argmax");
const Argmin = indexOfExtreme("argmin");

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

function reduceArguments(name: string, args: unknown[]): { input: Tensor; attrs: DimAttrs } {
  const {
    input,
    dim,
    keepdim = false,
    dtype,
  } = bind<{ input: Tensor } & SumOptions>(name, ["!input", "dim", "keepdim", "*", "dtype"], args);
  assertTensor(input, name, "input", 1);
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
  const { input, attrs } = reduceArguments("mean", args);
  if (!attrs.dtype.isFloatingPoint || (!input.dtype.isFloatingPoint && attrs.dtype === sumDtype(input))) {
    throw new RuntimeError(
      `mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: ${SCALAR_TYPE_NAMES[input.dtype.name]}`,
      { hint: "convert it first: x.float().mean()" },
    );
  }
  return call(Mean, attrs, input);
}

/** Product of all elements, or over one dimension. */
export function prod(input: Tensor, dim?: number | SumOptions, options?: SumOptions): Tensor;
export function prod(...args: unknown[]): Tensor {
  const { input, attrs } = reduceArguments("prod", args);
  return call(Prod, attrs, input);
}

/** Maximum over dimensions; equal winners share the gradient. */
export function amax(input: Tensor, dim?: Dim | ReduceOptions, options?: ReduceOptions): Tensor;
export function amax(...args: unknown[]): Tensor {
  const { input, attrs } = reduceArguments("amax", args);
  return call(Amax, attrs, input);
}

/** Minimum over dimensions; equal winners share the gradient. */
export function amin(input: Tensor, dim?: Dim | ReduceOptions, options?: ReduceOptions): Tensor;
export function amin(...args: unknown[]): Tensor {
  const { input, attrs } = reduceArguments("amin", args);
  return call(Amin, attrs, input);
}

/** Values and their positions along a dimension; destructures as `[values, indices]`. */
export type ValuesAndIndices = [values: Tensor, indices: Tensor] & { values: Tensor; indices: Tensor };

export function valuesAndIndices([values, indices]: Tensor[]): ValuesAndIndices {
  return Object.assign([values, indices], { values, indices }) as unknown as ValuesAndIndices;
}

function extremes(name: "max" | "min", args: unknown[]): Tensor | ValuesAndIndices {
  const second = args[1];
  if (second instanceof Tensor)
    return name === "max" ? maximum(args[0] as Tensor, second) : minimum(args[0] as Tensor, second);
  const {
    input,
    dim,
    keepdim = false,
  } = bind<{ input: Tensor; dim?: number; keepdim?: boolean }>(name, ["!input", "dim", "keepdim"], args);
  assertTensor(input, name, "input", 1);
  if (dim === undefined || dim === null) {
    if (input.numel() === 0) {
      throw new RuntimeError(
        `${name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.`,
      );
    }
    return call(
      name === "max" ? MaxAll : MinAll,
      { dims: normalizeDims(null, input.ndim), keepdim: false, all: true, dtype: input.dtype },
      input,
    );
  }
  const axis = normalizeDim(dim, input.ndim);
  if (input.shape[axis] === 0) {
    throw new IndexError(`${name}(): Expected reduction dim ${axis} to have non-zero size.`);
  }
  return valuesAndIndices(callMany(name === "max" ? MaxAlong : MinAlong, { dim: axis, keepdim }, input));
}

/** The largest element; along a dimension `[values, indices]`; of two tensors the larger elements. */
export function max(input: Tensor): Tensor;
export function max(input: Tensor, other: Tensor): Tensor;
export function max(
  input: Tensor,
  dim: number | { dim: number; keepdim?: boolean },
  options?: { keepdim?: boolean },
): ValuesAndIndices;
export function max(...args: unknown[]): Tensor | ValuesAndIndices {
  return extremes("max", args);
}

/** The smallest element; along a dimension `[values, indices]`; of two tensors the smaller elements. */
export function min(input: Tensor): Tensor;
export function min(input: Tensor, other: Tensor): Tensor;
export function min(
  input: Tensor,
  dim: number | { dim: number; keepdim?: boolean },
  options?: { keepdim?: boolean },
): ValuesAndIndices;
export function min(...args: unknown[]): Tensor | ValuesAndIndices {
  return extremes("min", args);
}

export interface ArgOptions {
  dim?: number | null;
  keepdim?: boolean;
}

function extremeIndex(name: "argmax" | "argmin", args: unknown[]): Tensor {
  const {
    input,
    dim = null,
    keepdim = false,
  } = bind<{ input: Tensor } & ArgOptions>(name, ["!input", "dim", "keepdim"], args);
  assertTensor(input, name, "input", 1);
  if (input.numel() === 0 && dim === null) {
    throw new IndexError(`${name}(): Expected reduction dim to be specified for input.numel() == 0.`);
  }
  const axis = dim === null ? 0 : normalizeDim(dim, input.ndim);
  return call(name === "argmax" ? Argmax : Argmin, { dim: axis, keepdim, all: dim === null }, input);
}

/** Position of the largest element (the first of equals), flat or along `dim`. */
export function argmax(input: Tensor, dim?: number | null | ArgOptions, options?: ArgOptions): Tensor;
export function argmax(...args: unknown[]): Tensor {
  return extremeIndex("argmax", args);
}

/** Position of the smallest element (the first of equals), flat or along `dim`. */
export function argmin(input: Tensor, dim?: number | null | ArgOptions, options?: ArgOptions): Tensor;
export function argmin(...args: unknown[]): Tensor {
  return extremeIndex("argmin", args);
}

/** Whether all elements are nonzero. */
export function all(input: Tensor, dim?: Dim | ReduceOptions, options?: ReduceOptions): Tensor;
export function all(...args: unknown[]): Tensor {
  const { input, attrs } = reduceArguments("all", args);
  return call(All, attrs, input);
}

/** Whether any element is nonzero. */
export function any(input: Tensor, dim?: Dim | ReduceOptions, options?: ReduceOptions): Tensor;
export function any(...args: unknown[]): Tensor {
  const { input, attrs } = reduceArguments("any", args);
  return call(Any, attrs, input);
}

methods({ sum, mean, prod, amax, amin, max, min, argmax, argmin, all, any });

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
    /** The largest element; along a dimension `[values, indices]`. */
    max(): Tensor;
    max(other: Tensor): Tensor;
    max(dim: number | { dim: number; keepdim?: boolean }, options?: { keepdim?: boolean }): ValuesAndIndices;
    /** The smallest element; along a dimension `[values, indices]`. */
    min(): Tensor;
    min(other: Tensor): Tensor;
    min(dim: number | { dim: number; keepdim?: boolean }, options?: { keepdim?: boolean }): ValuesAndIndices;
    /** Position of the largest element, flat or along `dim`. */
    argmax: Method<typeof argmax>;
    /** Position of the smallest element, flat or along `dim`. */
    argmin: Method<typeof argmin>;
    /** Whether all elements are nonzero. */
    all: Method<typeof all>;
    /** Whether any element is nonzero. */
    any: Method<typeof any>;
  }
}
