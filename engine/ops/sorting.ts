/** Order: sorting, the largest k, the k-th smallest, what is unique, how often. */
import { kernels } from "../backends/index.ts";
import { bind } from "../core/arguments.ts";
import { int64 } from "../core/dtype.ts";
import { IndexError, RuntimeError } from "../core/errors.ts";
import { normalizeDim, numel, type Shape } from "../core/shape.ts";
import { assertTensor, Tensor } from "../core/tensor.ts";
import { denseRaw, filled, viewAs } from "./operands.ts";
import { type ValuesAndIndices, valuesAndIndices } from "./reduce.ts";
import { call, callMany, defineOp, type Method, methods, type Op } from "./registry.ts";
import { reshape, squeeze } from "./view.ts";

/** NaN counts as larger than every number, as in PyTorch. */
function ascending(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}

interface OrderAttrs {
  gradFn: string;
  dim: number;
  /** The first place of the sorted line that is kept; the median's is the first NaN, if there is one. */
  from: number | "median";
  count: number;
  descending: boolean;
}

function along(shape: Shape, dim: number): [number, number, number] {
  return [numel(shape.slice(0, dim)), shape[dim] ?? 1, numel(shape.slice(dim + 1))];
}

/** The positions of a slice of each sorted line; equal elements keep their order. */
function order(x: Tensor, { dim, from, count, descending }: OrderAttrs): Tensor {
  const [outer, n, inner] = along(x.shape, dim);
  const data = x.denseData();
  const out = Tensor.empty(x.ndim === 0 ? [] : x.shape.with(dim, count), int64);
  const line = new Float64Array(n);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      for (let k = 0; k < n; k++) line[k] = data[(o * n + k) * inner + i]!;
      const places = Array.from(line, (_, k) => k);
      places.sort((a, b) => (descending ? ascending(line[b]!, line[a]!) : ascending(line[a]!, line[b]!)));
      const first = from === "median" ? medianPlace(line) : from;
      for (let k = 0; k < count; k++) out.storage.data[(o * count + k) * inner + i] = places[first + k]!;
    }
  }
  return out;
}

const Ordered: Op<OrderAttrs> = defineOp({
  name: "sort",
  gradFn: ({ gradFn }) => gradFn,
  kernels: ["gather"],
  forward(ctx, x: Tensor) {
    const { dim, count } = ctx.attrs;
    const indices = order(x, ctx.attrs);
    const [outer, n, inner] = along(x.shape, dim);
    const values = Tensor.empty(indices.shape, x.dtype);
    const picked = [outer, count, inner];
    kernels.gather(viewAs(denseRaw(x), [outer, n, inner]), viewAs(indices, picked), viewAs(values, picked));
    ctx.save(indices);
    ctx.notes = [...x.shape];
    return [values, indices];
  },
  backward: ({ attrs, saved: [indices], notes }, grad: Tensor | null) => [
    grad ? call(Scattered, { dim: attrs.dim, shape: notes as number[] }, grad, indices!) : null,
  ],
});

/** Gradients back to where the elements came from. */
const Scattered: Op<{ dim: number; shape: number[] }> = defineOp({
  name: "value_selecting_reduction_backward",
  gradFn: "ScatterAddBackward0",
  kernels: ["scatterAdd"],
  forward(ctx, grad: Tensor, indices: Tensor) {
    const { dim, shape } = ctx.attrs;
    ctx.save(indices);
    const out = filled(shape, 0, grad.dtype);
    const lines = along(shape, dim);
    const picked = along(indices.shape, dim);
    kernels.scatterAdd(viewAs(out, lines), viewAs(indices, picked), viewAs(denseRaw(grad), picked));
    return out;
  },
  backward: ({ attrs, saved: [indices] }, grad: Tensor) => [grad.gather(attrs.dim, indices!), null],
});

export interface SortOptions {
  /** Default -1. */
  dim?: number;
  /** Largest first. Default false. */
  descending?: boolean;
  /** Equal elements keep their order; here they always do. */
  stable?: boolean;
}

function sortArguments(name: string, args: unknown[]): { input: Tensor; attrs: OrderAttrs } {
  const {
    input,
    dim = -1,
    descending = false,
  } = bind<{ input: Tensor } & SortOptions>(name, ["!input", "dim", "descending", "*", "stable"], args);
  assertTensor(input, name, "input", 1);
  const axis = normalizeDim(dim, input.ndim);
  return { input, attrs: { gradFn: "SortBackward0", dim: axis, from: 0, count: input.shape[axis] ?? 1, descending } };
}

/** Sorted along `dim` (default the last): `[values, indices]`. https://docs.pytorch.org/docs/2.13/generated/torch.sort.html */
export function sort(input: Tensor, dim?: number | SortOptions, options?: SortOptions): ValuesAndIndices;
export function sort(...args: unknown[]): ValuesAndIndices {
  const { input, attrs } = sortArguments("sort", args);
  return valuesAndIndices(callMany(Ordered, attrs, input));
}

/** The positions that sort along `dim`. https://docs.pytorch.org/docs/2.13/generated/torch.argsort.html */
export function argsort(input: Tensor, dim?: number | SortOptions, options?: SortOptions): Tensor;
export function argsort(...args: unknown[]): Tensor {
  const { input, attrs } = sortArguments("argsort", args);
  return order(input, attrs);
}

export interface TopkOptions {
  /** Default -1. */
  dim?: number;
  /** Default true. */
  largest?: boolean;
  /** In order; here they always are. Default true. */
  sorted?: boolean;
}

/** The k largest (or smallest) along `dim`: `[values, indices]`. https://docs.pytorch.org/docs/2.13/generated/torch.topk.html */
export function topk(input: Tensor, k: number, dim?: number | TopkOptions, options?: TopkOptions): ValuesAndIndices;
export function topk(...args: unknown[]): ValuesAndIndices {
  const {
    input,
    k,
    dim = -1,
    largest = true,
  } = bind<{ input: Tensor; k: number } & TopkOptions>("topk", ["!input", "!k", "dim", "largest", "sorted"], args);
  assertTensor(input, "topk", "input", 1);
  const axis = normalizeDim(dim, input.ndim);
  if (k < 0 || k > (input.shape[axis] ?? 1)) throw new RuntimeError("selected index k out of range");
  const attrs = { gradFn: "TopkBackward0", dim: axis, from: 0, count: k, descending: largest };
  return valuesAndIndices(callMany(Ordered, attrs, input));
}

interface KeepdimOptions {
  dim?: number;
  keepdim?: boolean;
}

/** The k-th smallest along `dim`, counted from 1: `[values, indices]`. https://docs.pytorch.org/docs/2.13/generated/torch.kthvalue.html */
export function kthvalue(
  input: Tensor,
  k: number,
  dim?: number | KeepdimOptions,
  options?: KeepdimOptions,
): ValuesAndIndices;
export function kthvalue(...args: unknown[]): ValuesAndIndices {
  const {
    input,
    k,
    dim = -1,
    keepdim = false,
  } = bind<{ input: Tensor; k: number } & KeepdimOptions>("kthvalue", ["!input", "!k", "dim", "keepdim"], args);
  assertTensor(input, "kthvalue", "input", 1);
  const axis = normalizeDim(dim, input.ndim);
  if (k < 1 || k > (input.shape[axis] ?? 1)) {
    throw new RuntimeError("kthvalue(): selected number k out of range for dimension " + axis);
  }
  return oneOf(input, { gradFn: "KthvalueBackward0", dim: axis, from: k - 1, count: 1, descending: false }, keepdim);
}

function oneOf(input: Tensor, attrs: OrderAttrs, keepdim: boolean): ValuesAndIndices {
  const both = callMany(Ordered, attrs, input);
  return valuesAndIndices(keepdim || input.ndim === 0 ? both : both.map((x) => squeeze(x, attrs.dim)));
}

/** The lower of the middle elements: of all, or along `dim` `[values, indices]`; NaN wins. https://docs.pytorch.org/docs/2.13/generated/torch.median.html */
export function median(input: Tensor): Tensor;
export function median(input: Tensor, dim: number | KeepdimOptions, options?: KeepdimOptions): ValuesAndIndices;
export function median(...args: unknown[]): Tensor | ValuesAndIndices {
  const {
    input,
    dim,
    keepdim = false,
  } = bind<{ input: Tensor } & KeepdimOptions>("median", ["!input", "dim", "keepdim"], args);
  assertTensor(input, "median", "input", 1);
  const attrs = { from: "median", count: 1, descending: false } as const;
  if (dim === undefined) {
    if (input.numel() === 0) return filled([], Number.NaN, input.dtype);
    return oneOf(reshape(input, -1), { ...attrs, gradFn: "MedianBackward0", dim: 0 }, false)[0];
  }
  const axis = normalizeDim(dim, input.ndim);
  if (input.shape[axis] === 0) {
    throw new IndexError(`median(): Expected reduction dim ${axis} to have non-zero size.`);
  }
  return oneOf(input, { ...attrs, gradFn: "MedianBackward1", dim: axis }, keepdim);
}

/** Where the median of a line stands once it is sorted: the lower middle, or the first NaN, which lie behind all numbers. */
function medianPlace(line: Float64Array): number {
  const numbers = line.filter((v) => !Number.isNaN(v)).length;
  return numbers < line.length ? numbers : Math.floor((line.length - 1) / 2);
}

export interface UniqueOptions {
  /** Here the result is always sorted. Default true. */
  sorted?: boolean;
  /** Also where each element went. Default false. */
  returnInverse?: boolean;
  /** Also how often each occurs. Default false. */
  returnCounts?: boolean;
}

/** The different elements, sorted; with the options also the inverse and the counts. https://docs.pytorch.org/docs/2.13/generated/torch.unique.html */
export function unique(input: Tensor, options?: UniqueOptions): Tensor | Tensor[];
export function unique(...args: unknown[]): Tensor | Tensor[] {
  const {
    input,
    returnInverse = false,
    returnCounts = false,
  } = bind<{ input: Tensor } & UniqueOptions>("unique", ["!input", "sorted", "returnInverse", "returnCounts"], args);
  assertTensor(input, "unique", "input", 1);
  const data = input.denseData();
  const places = Array.from(data, (_, i) => i).sort((a, b) => ascending(data[a]!, data[b]!));
  const values: number[] = [];
  const counts: number[] = [];
  const inverse = Tensor.empty(input.shape, int64);
  for (const place of places) {
    const value = data[place]!;
    if (values.length === 0 || values[values.length - 1] !== value) {
      values.push(value);
      counts.push(0);
    }
    counts[counts.length - 1]!++;
    inverse.storage.data[place] = values.length - 1;
  }
  const list = (numbers: number[], dtype = int64) => {
    const out = Tensor.empty([numbers.length], dtype);
    out.storage.data.set(numbers);
    return out;
  };
  const found = list(values, input.dtype);
  if (!returnInverse && !returnCounts) return found;
  return [found, ...(returnInverse ? [inverse] : []), ...(returnCounts ? [list(counts)] : [])];
}

export interface BincountOptions {
  /** What each element adds to its number's count. Default 1. */
  weights?: Tensor | null;
  /** Least length of the result. Default 0. */
  minlength?: number;
}

/** How often each number from 0 occurs. https://docs.pytorch.org/docs/2.13/generated/torch.bincount.html */
export function bincount(input: Tensor, weights?: Tensor | null | BincountOptions, options?: BincountOptions): Tensor;
export function bincount(...args: unknown[]): Tensor {
  const {
    input,
    weights = null,
    minlength = 0,
  } = bind<{ input: Tensor } & BincountOptions>("bincount", ["!input", "weights", "minlength"], args);
  assertTensor(input, "bincount", "input", 1);
  if (minlength < 0) throw new IndexError("minlength should be >= 0");
  const data = input.denseData();
  if (input.ndim !== 1 || data.some((v) => v < 0)) {
    throw new RuntimeError("bincount only supports 1-d non-negative integral inputs.");
  }
  if (weights && weights.numel() !== input.numel()) {
    throw new RuntimeError("weights should be 1-d and have the same length as input");
  }
  let length = minlength;
  for (const v of data) length = Math.max(length, v + 1);
  const dtype = !weights ? int64 : weights.dtype;
  const out = filled([length], 0, dtype);
  const added = weights?.denseData();
  data.forEach((v, i) => {
    out.storage.data[v]! += added ? added[i]! : 1;
  });
  return out;
}

methods({ sort, argsort, topk, kthvalue, median, unique, bincount });

declare module "../core/tensor.ts" {
  interface Tensor {
    /** Sorted along a dimension: `[values, indices]`. */
    sort: Method<typeof sort>;
    argsort: Method<typeof argsort>;
    /** The k largest along a dimension: `[values, indices]`. */
    topk: Method<typeof topk>;
    kthvalue: Method<typeof kthvalue>;
    /** The lower of the middle elements; along a dimension `[values, indices]`. */
    median(): Tensor;
    median(dim: number | { dim: number; keepdim?: boolean }, options?: { keepdim?: boolean }): ValuesAndIndices;
    unique: Method<typeof unique>;
    bincount: Method<typeof bincount>;
  }
}
