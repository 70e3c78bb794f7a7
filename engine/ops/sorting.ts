/** Order: sorting, the largest k, the k-th smallest, what is unique, how often. */
import { kernels } from "../backends/index.ts";
import { bind } from "../core/arguments.ts";
import { bool, type DTypeName, int64 } from "../core/dtype.ts";
import { IndexError, NotImplementedError, RuntimeError } from "../core/errors.ts";
import { SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { normalizeDim, numel, type Shape } from "../core/shape.ts";
import { assertTensor, Tensor } from "../core/tensor.ts";
import { div, where } from "./arithmetic.ts";
import { eq, isnan } from "./comparison.ts";
import { to } from "./copy.ts";
import { type ValuesAndIndices, valuesAndIndices } from "./extremes.ts";
import { denseRaw, filled, viewAs } from "./operands.ts";
import { sum } from "./reduce.ts";
import { call, callMany, defineOp, type Method, methods, type Op } from "./registry.ts";
import { type Before, nthElement, partialSort, quickSelect, sortFirst } from "./selecting.ts";
import { unsqueeze } from "./view.ts";

/** NaN counts as larger than every number, as in PyTorch. */
export function ascending(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}

interface OrderAttrs {
  gradFn: string;
  dim: number;
  /** Which places of each line are kept, from the whole of its positions and elements. */
  pick: Pick;
  count: number;
  /** One place is kept, and its dimension dropped. */
  drops?: boolean;
}

type Pick = (places: number[], line: Float64Array) => readonly number[];

function along(shape: Shape, dim: number): [number, number, number] {
  return [numel(shape.slice(0, dim)), shape[dim] ?? 1, numel(shape.slice(dim + 1))];
}

/** The positions that are kept of each line. */
function order(x: Tensor, { dim, pick, count }: OrderAttrs): Tensor {
  const [outer, n, inner] = along(x.shape, dim);
  const data = x.denseData();
  const out = Tensor.empty(x.ndim === 0 ? [] : x.shape.with(dim, count), int64);
  const line = new Float64Array(n);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      for (let k = 0; k < n; k++) line[k] = data[(o * n + k) * inner + i]!;
      const kept = pick(
        Array.from(line, (_, k) => k),
        line,
      );
      for (let k = 0; k < count; k++) out.storage.data[(o * count + k) * inner + i] = kept[k]!;
    }
  }
  return out;
}

const smaller =
  (line: Float64Array): Before =>
  (a, b) =>
    ascending(line[a]!, line[b]!) < 0;
const larger =
  (line: Float64Array): Before =>
  (a, b) =>
    ascending(line[a]!, line[b]!) > 0;

/** Equal elements keep their order. */
const sorted =
  (descending: boolean): Pick =>
  (places, line) =>
    places.sort((a, b) => (descending ? ascending(line[b]!, line[a]!) : ascending(line[a]!, line[b]!)));

/** As ATen: a few of many by a heap, else by parting the line. */
const extremes =
  (count: number, largest: boolean, inOrder: boolean): Pick =>
  (places, line) => {
    const before = largest ? larger(line) : smaller(line);
    if (count * 64 <= places.length) partialSort(places, count, before);
    else if (count > 0) {
      nthElement(places, count - 1, before);
      if (inOrder) sortFirst(places, count - 1, before);
    }
    return places;
  };

const kth =
  (k: number): Pick =>
  (places, line) => {
    quickSelect(places, k, smaller(line));
    return [places[k]!];
  };

/** The lower middle, or the first NaN. */
const middle =
  (skipsNaN: boolean): Pick =>
  (places, line) => {
    const nans = line.filter(Number.isNaN).length;
    if (nans > 0 && !skipsNaN) return [line.findIndex(Number.isNaN)];
    const nth = Math.max(0, Math.floor((line.length - 1 - nans) / 2));
    return [sorted(false)(places, line)[nth]!];
  };

/** The end of the longest run of equal elements, of the smallest such number; as in ATen NaN takes part in no order. */
const mostFrequent: Pick = (places, line) => {
  sortFirst(places, places.length, (a, b) => line[a]! < line[b]!);
  let best = 0;
  let longest = 0;
  for (let i = 0, length = 1; i < places.length; i++, length++) {
    if (i + 1 < places.length && line[places[i]!] === line[places[i + 1]!]) continue;
    if (length > longest) {
      longest = length;
      best = places[i]!;
    }
    length = 0;
  }
  return [best];
};

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
    if (!ctx.attrs.drops) return [values, indices];
    const shape = x.shape.toSpliced(dim, 1);
    return [new Tensor(values.storage, shape), new Tensor(indices.storage, shape)];
  },
  backward({ attrs: { dim, drops }, saved: [indices], notes }, grad: Tensor | null) {
    if (!grad) return [null];
    const whole = drops && indices!.ndim > 0 ? unsqueeze(grad, dim) : grad;
    return [call(Scattered, { dim, shape: notes as number[] }, whole, indices!)];
  },
});

/** Gradients back to where the elements came from. */
export const Scattered: Op<{ dim: number; shape: number[] }> = defineOp({
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
    stable,
  } = bind<{ input: Tensor } & SortOptions>(
    name,
    ["!input", "dim: int", "descending: bool", "*", "stable: bool?"],
    args,
  );
  assertTensor(input, name, "input", 1);
  const axis = normalizeDim(dim, input.ndim);
  const gradFn = stable === undefined ? "SortBackward0" : "SortBackward1";
  return { input, attrs: { gradFn, dim: axis, pick: sorted(descending), count: input.shape[axis] ?? 1 } };
}

/** Sorted along `dim` (default the last): `[values, indices]`. https://docs.pytorch.org/docs/2.13/generated/torch.sort.html */
export function sort(input: Tensor, dim?: number | SortOptions, options?: SortOptions): ValuesAndIndices;
export function sort(...args: unknown[]): ValuesAndIndices {
  const { input, attrs } = sortArguments("sort", args);
  return valuesAndIndices("sort", callMany(Ordered, attrs, input));
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
  /** In order. Default true. */
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
    sorted: inOrder = true,
  } = bind<{ input: Tensor; k: number } & TopkOptions>(
    "topk",
    ["!input", "!k: int", "dim: int", "largest: bool", "sorted: bool"],
    args,
  );
  assertTensor(input, "topk", "input", 1);
  const axis = normalizeDim(dim, input.ndim);
  if (input.dtype === bool) throw new RuntimeError("topk does not support bool dtypes on CPU");
  if (k < 0 || k > (input.shape[axis] ?? 1)) throw new RuntimeError("selected index k out of range");
  const attrs = { gradFn: "TopkBackward0", dim: axis, pick: extremes(k, largest, inOrder), count: k };
  return valuesAndIndices("topk", callMany(Ordered, attrs, input));
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
  } = bind<{ input: Tensor; k: number } & KeepdimOptions>(
    "kthvalue",
    ["!input", "!k: int", "dim: int", "keepdim: bool"],
    args,
  );
  assertTensor(input, "kthvalue", "input", 1);
  const axis = normalizeDim(dim, input.ndim);
  if (k < 1 || k > (input.shape[axis] ?? 1)) {
    throw new RuntimeError("kthvalue(): selected number k out of range for dimension " + axis);
  }
  refuseBool("kthvalue_cpu", input);
  return oneOf("kthvalue", input, { gradFn: "KthvalueBackward0", dim: axis, pick: kth(k - 1), count: 1 }, keepdim);
}

function oneOf(name: string, input: Tensor, attrs: OrderAttrs, keepdim: boolean): ValuesAndIndices {
  const drops = !keepdim && input.ndim > 0;
  return valuesAndIndices(name, callMany(Ordered, { ...attrs, drops }, input));
}

function refuseBool(kernel: string, x: Tensor): void {
  if (x.dtype === bool) throw new NotImplementedError(`"${kernel}" not implemented for 'Bool'`);
}

/** What occurs most often along `dim` (default the last), the smallest of several, and where it stands last: `[values, indices]`. https://docs.pytorch.org/docs/2.13/generated/torch.mode.html */
export function mode(input: Tensor, dim?: number | KeepdimOptions, options?: KeepdimOptions): ValuesAndIndices;
export function mode(...args: unknown[]): ValuesAndIndices {
  const {
    input,
    dim = -1,
    keepdim = false,
  } = bind<{ input: Tensor } & KeepdimOptions>("mode", ["!input", "dim: int", "keepdim: bool"], args);
  assertTensor(input, "mode", "input", 1);
  const axis = normalizeDim(dim, input.ndim);
  if (input.shape[axis] === 0) {
    throw new IndexError(`mode(): Expected reduction dim ${axis} to have non-zero size.`);
  }
  return oneOf("mode", input, { gradFn: "ModeBackward0", dim: axis, pick: mostFrequent, count: 1 }, keepdim);
}

function medianOf(name: "median" | "nanmedian", args: unknown[]): Tensor | ValuesAndIndices {
  const {
    input,
    dim,
    keepdim = false,
  } = bind<{ input: Tensor } & KeepdimOptions>(name, ["!input", "dim: int", "keepdim: bool"], args);
  assertTensor(input, name, "input", 1);
  const node = name === "median" ? "Median" : "Nanmedian";
  const pick = middle(name === "nanmedian");
  if (dim === undefined) {
    if (input.numel() > 0) refuseBool(`${name}_cpu`, input);
    return call(MedianAll, { gradFn: `${node}Backward0`, pick }, input);
  }
  const axis = normalizeDim(dim, input.ndim);
  if (input.shape[axis] === 0) {
    throw new IndexError(`median(): Expected reduction dim ${axis} to have non-zero size.`);
  }
  refuseBool("median_out", input);
  return oneOf(name, input, { pick, count: 1, gradFn: `${node}Backward1`, dim: axis }, keepdim);
}

/** The median of everything: all elements that equal it share the gradient. */
const MedianAll: Op<{ gradFn: string; pick: Pick }> = defineOp({
  name: "median",
  gradFn: ({ gradFn }) => gradFn,
  kernels: [],
  forward(ctx, x: Tensor) {
    const data = Float64Array.from(x.denseData());
    const places = Array.from(data, (_, k) => k);
    const nothing = x.dtype.isFloatingPoint ? Number.NaN : NO_INTEGER[x.dtype.name];
    const out = filled([], 0, x.dtype);
    out.storage.data[0] = data.length > 0 ? data[ctx.attrs.pick(places, data)[0]!]! : nothing!;
    ctx.save(x, out);
    return out;
  },
  backward({ saved: [x, out] }, grad: Tensor) {
    const winners = isnan(out!).item() ? isnan(x!) : eq(x!, out!);
    return [where(winners, div(grad, sum(to(winners, grad.dtype))), 0)];
  },
});

/** What C++ makes of NaN where the median of no integers is asked for. */
const NO_INTEGER: Partial<Record<DTypeName, number>> = { int32: -(2 ** 31), int64: -(2 ** 63), uint8: 0 };

/** The lower of the middle elements: of all, or along `dim` `[values, indices]`; NaN wins. https://docs.pytorch.org/docs/2.13/generated/torch.median.html */
export function median(input: Tensor): Tensor;
export function median(input: Tensor, dim: number | KeepdimOptions, options?: KeepdimOptions): ValuesAndIndices;
export function median(...args: unknown[]): Tensor | ValuesAndIndices {
  return medianOf("median", args);
}

/** As median, without regard to NaN. https://docs.pytorch.org/docs/2.13/generated/torch.nanmedian.html */
export function nanmedian(input: Tensor): Tensor;
export function nanmedian(input: Tensor, dim: number | KeepdimOptions, options?: KeepdimOptions): ValuesAndIndices;
export function nanmedian(...args: unknown[]): Tensor | ValuesAndIndices {
  return medianOf("nanmedian", args);
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
  if (input.dtype.isFloatingPoint) {
    throw new NotImplementedError(`"bincount_cpu" not implemented for '${SCALAR_TYPE_NAMES[input.dtype.name]}'`);
  }
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

methods({ sort, argsort, topk, kthvalue, mode, median, nanmedian, bincount });

declare module "../core/tensor.ts" {
  interface Tensor {
    /** Sorted along a dimension: `[values, indices]`. */
    sort: Method<typeof sort>;
    argsort: Method<typeof argsort>;
    /** The k largest along a dimension: `[values, indices]`. */
    topk: Method<typeof topk>;
    kthvalue: Method<typeof kthvalue>;
    /** What occurs most often along a dimension: `[values, indices]`. */
    mode: Method<typeof mode>;
    /** The lower of the middle elements; along a dimension `[values, indices]`. */
    median(): Tensor;
    median(dim: number | { dim: number; keepdim?: boolean }, options?: { keepdim?: boolean }): ValuesAndIndices;
    /** As median, without regard to NaN. */
    nanmedian(): Tensor;
    nanmedian(dim: number | { dim: number; keepdim?: boolean }, options?: { keepdim?: boolean }): ValuesAndIndices;
    bincount: Method<typeof bincount>;
  }
}
