/**
 * Indexing: `x.get(0, ":", "1:3")`, `x.set([0, ":"], value)`, `x.at(0)`, and selection by index tensors.
 * https://docs.pytorch.org/docs/2.13/tensor_view.html, https://numpy.org/doc/stable/user/basics.indexing.html
 */
import { kernels } from "../backends/index.ts";
import { bind } from "../core/arguments.ts";
import { bool, int64 } from "../core/dtype.ts";
import { IndexError, RuntimeError, TypeError, ValueError } from "../core/errors.ts";
import { SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { broadcastShapes, numel, sameShape, sizeText } from "../core/shape.ts";
import { assertTensor, pythonTypeName, Tensor } from "../core/tensor.ts";
import { where } from "./arithmetic.ts";
import { tensor } from "./creation.ts";
import { inPlace } from "./inplace.ts";
import { asOperand, castRaw, copyRaw, denseRaw, filled, type Scalar, viewAs } from "./operands.ts";
import { call, defineOp, type Method, methods, type Op } from "./registry.ts";
import { select, sliceRaw } from "./slicing.ts";
import { alias, expand, permute, reshape, unsqueeze } from "./view.ts";

/** An integer, a slice ("1:3", "::2", ":"), "..." for all dimensions between, null for a new axis, or a tensor of positions or truth values. */
export type Index = number | boolean | string | null | Tensor | readonly number[] | readonly boolean[];

const SLICE = /^\s*(-?\d+)?\s*:\s*(-?\d+)?\s*(?::\s*(-?\d+)?\s*)?$/;

function parseSlice(text: string, size: number): { start: number; length: number; step: number } {
  const match = SLICE.exec(text);
  if (!match) {
    throw new IndexError(`'${text}' is not a slice`, { hint: 'slices are written "1:3", "::2", ":" or "..."' });
  }
  const step = match[3] === undefined ? 1 : Number(match[3]);
  if (step === 0) throw new ValueError("slice step cannot be zero");
  if (step < 0) throw new ValueError("step must be greater than zero");
  const clip = (given: string | undefined, absent: number): number => {
    if (given === undefined) return absent;
    const value = Number(given);
    return Math.min(Math.max(value < 0 ? value + size : value, 0), size);
  };
  const start = clip(match[1], 0);
  const end = clip(match[2], size);
  return { start, length: Math.max(0, Math.ceil((end - start) / step)), step };
}

/** The view that the plain indices give, and the index tensors that are left, by dimension of that view. */
function applyBasic(input: Tensor, indices: readonly Index[]): { view: Tensor; tensors: Map<number, Tensor> } {
  const consumed = indices.reduce<number>((n, index) => {
    if (index === null || index === "..." || typeof index === "boolean") return n;
    const list = asIndexTensor(index);
    return n + (list?.dtype === bool ? list.ndim : 1);
  }, 0);
  if (consumed > input.ndim) {
    const single = input.ndim === 0 && indices.length === 1 && typeof indices[0] === "number";
    throw new IndexError(
      single
        ? "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a 0-dim tensor to a number"
        : `too many indices for tensor of dimension ${input.ndim}`,
    );
  }
  let view = input;
  let dim = 0;
  let seenEllipsis = false;
  const tensors = new Map<number, Tensor>();
  for (const [place, given] of indices.entries()) {
    const index = asNumber(given);
    if (index === "...") {
      if (seenEllipsis) throw new IndexError("an index can only have a single ellipsis ('...')");
      seenEllipsis = true;
      dim += input.ndim - consumed;
    } else if (index === null) view = unsqueeze(view, dim++);
    else if (typeof index === "boolean") {
      view = addTruth(tensors, index, view, dim++);
    } else if (typeof index === "number") {
      const size = view.shape[dim]!;
      if (!Number.isInteger(index)) {
        throw notAnIndex(index);
      }
      if (index < -size || index >= size) {
        throw new IndexError(`index ${index} is out of bounds for dimension ${place} with size ${size}`);
      }
      view = select(view, dim, index);
    } else if (typeof index === "string") {
      const { start, length, step } = parseSlice(index, view.shape[dim]!);
      if (start !== 0 || step !== 1 || length !== view.shape[dim]) view = sliceRaw(view, dim, start, length, step);
      dim++;
    } else {
      const list = asIndexTensor(index);
      if (!list) throw notAnIndex(index);
      if (list.dtype === bool && list.ndim === 0) view = addTruth(tensors, Boolean(list.item()), view, dim++);
      else if (list.dtype !== bool) tensors.set(dim++, list);
      else dim = addMask(tensors, list, view, dim);
    }
  }
  return { view, tensors };
}

function notAnIndex(index: unknown): IndexError {
  return new IndexError(
    `only integers, slices (\`:\`), ellipsis (\`...\`), None and long or byte Variables are valid indices (got ${pythonTypeName(index)})`,
    index === undefined ? { hint: "this index is undefined; null makes a new axis" } : {},
  );
}

/** A tensor of one integer and no dimensions counts as the integer. */
function asNumber(index: Index): Index {
  const single = index instanceof Tensor && index.ndim === 0 && !index.dtype.isFloatingPoint && index.dtype !== bool;
  return single ? index.item() : index;
}

/** True or false is an axis of its own, of size one or none. */
function addTruth(tensors: Map<number, Tensor>, holds: boolean, view: Tensor, dim: number): Tensor {
  tensors.set(dim, filled([holds ? 1 : 0], 0, int64));
  return unsqueeze(view, dim);
}

/** A mask stands for the positions where it is true, one index tensor per dimension it covers. */
function addMask(tensors: Map<number, Tensor>, mask: Tensor, view: Tensor, dim: number): number {
  for (let i = 0; i < mask.ndim; i++) {
    if (mask.shape[i] !== view.shape[dim + i]) {
      throw new IndexError(
        `The shape of the mask ${sizeText(mask.shape)} at index ${i} does not match the shape of the indexed tensor ${sizeText(view.shape)} at index ${dim + i}`,
        { shapes: [mask.shape, view.shape] },
      );
    }
  }
  const found = nonzero(mask);
  for (let i = 0; i < mask.ndim; i++) tensors.set(dim + i, select(found, 1, i));
  return dim + mask.ndim;
}

function asIndexTensor(index: Index): Tensor | null {
  if (index instanceof Tensor) {
    if (index.dtype.isFloatingPoint) {
      throw new IndexError("tensors used as indices must be long, int, byte or bool tensors");
    }
    return index.dtype === bool ? index : castRaw(index, int64);
  }
  return Array.isArray(index) ? tensor(index as number[]) : null;
}

interface IndexAttrs {
  /** Flat positions among the indexed dimensions. */
  positions: Tensor;
  /** How many elements the indexed dimensions have together. */
  rows: number;
  /** The indexed dimensions, then the rest. */
  order: readonly number[];
  rest: readonly number[];
  /** What the index tensors broadcast to: the shape that stands for the indexed dimensions. */
  picked: readonly number[];
  /** How many of the rest stand before it in the answer. */
  front: number;
  /** Values are added to what is there. */
  accumulates?: boolean;
}

/** x with the indexed dimensions as one, in front. */
function asRows(x: Tensor, { order, rest, rows }: IndexAttrs): Tensor {
  return reshape(permute(x, [...order]), [rows, ...rest.map((d) => x.shape[d]!)]);
}

/** From what was picked, which stands in front, to the answer. */
function toAnswer(x: Tensor, { picked, front, rest }: IndexAttrs): Tensor {
  if (front === 0) return x;
  const n = picked.length;
  return permute(x, [
    ...rest.slice(0, front).map((_, i) => n + i),
    ...picked.map((_, i) => i),
    ...rest.slice(front).map((_, i) => n + front + i),
  ]);
}

function fromAnswer(x: Tensor, { picked, front, rest }: IndexAttrs): Tensor {
  if (front === 0) return x;
  return permute(x, [...picked.map((_, i) => front + i), ...rest.map((_, i) => (i < front ? i : i + picked.length))]);
}

const IndexOp: Op<IndexAttrs> = defineOp({
  name: "index",
  gradFn: "IndexBackward0",
  kernels: ["indexSelect"],
  forward(ctx, x: Tensor) {
    const { positions, rows, picked, rest } = ctx.attrs;
    ctx.notes = [...x.shape];
    const restShape = rest.map((d) => x.shape[d]!);
    const out = Tensor.empty([...picked, ...restShape], x.dtype);
    const inner = numel(restShape);
    kernels.indexSelect(
      viewAs(denseRaw(asRows(x.detach(), ctx.attrs)), [1, rows, inner]),
      positions.kernelView,
      viewAs(out, [1, positions.numel(), inner]),
    );
    return toAnswer(out, ctx.attrs);
  },
  backward: ({ attrs, notes }, grad: Tensor) => [call(IndexGrad, { ...attrs, shape: notes as number[] }, grad)],
});

const IndexGrad: Op<IndexAttrs & { shape: readonly number[] }> = defineOp({
  name: "index_backward",
  gradFn: "IndexPutBackward0",
  kernels: ["indexAdd"],
  forward({ attrs }, grad: Tensor) {
    const { positions, rows, shape, order, rest } = attrs;
    const ordered = order.map((d) => shape[d]!);
    const inner = numel(rest.map((d) => shape[d]!));
    const out = filled(ordered, 0, grad.dtype);
    kernels.indexAdd(
      viewAs(out, [1, rows, inner]),
      positions.kernelView,
      viewAs(denseRaw(fromAnswer(grad.detach(), attrs)), [1, positions.numel(), inner]),
    );
    return permute(
      out,
      order.map((_, i) => order.indexOf(i)),
    );
  },
  backward: ({ attrs }, grad: Tensor) => [call(IndexOp, attrs, grad)],
});

/** How index tensors walk a view: which dimensions, in what shape, and where they land in the answer. */
function plan(view: Tensor, tensors: Map<number, Tensor>): IndexAttrs {
  const dims = [...tensors.keys()];
  const rest = view.shape.map((_, i) => i).filter((i) => !tensors.has(i));
  const picked = [...tensors.values()].reduce<number[]>((s, index) => {
    try {
      return broadcastShapes(s, index.shape);
    } catch {
      throw new IndexError(
        `shape mismatch: indexing tensors could not be broadcast together with shapes ${[...tensors.values()].map((x) => sizeText(x.shape)).join(", ")}`,
      );
    }
  }, []);
  const sizes = dims.map((d) => view.shape[d]!);
  const positions = Tensor.empty([numel(picked)], int64);
  for (const [k, index] of [...tensors.values()].entries()) {
    const size = sizes[k]!;
    const stride = numel(sizes.slice(k + 1));
    const values = expand(index, picked).denseData();
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value < -size || value >= size) {
        throw new IndexError(`index ${value} is out of bounds for dimension ${dims[k]} with size ${size}`);
      }
      positions.storage.data[i]! += (value < 0 ? value + size : value) * stride;
    }
  }
  const adjacent = dims.every((d, i) => i === 0 || d === dims[i - 1]! + 1);
  return { positions, rows: numel(sizes), order: [...dims, ...rest], rest, picked, front: adjacent ? dims[0]! : 0 };
}

/** Elements by index, as Python's `x[0, :, 1:3]`: `x.get(0, ":", "1:3")`. Integers and slices give views. */
export function get(input: Tensor, ...indices: Index[]): Tensor {
  const { view, tensors } = applyBasic(input, indices);
  if (tensors.size > 0) return call(IndexOp, plan(view, tensors), view);
  if (view !== input) return view;
  return indices.length === 1 && indices[0] !== "..." ? sliceRaw(input, 0, 0, input.shape[0]!, 1) : alias(input);
}

/** Writes `value` (a number, or a tensor that broadcasts) where `get` would read. */
export function set(input: Tensor, indices: Index | readonly Index[], value: Scalar | Tensor): Tensor {
  const list = Array.isArray(indices) ? (indices as Index[]) : [indices as Index];
  const { view, tensors } = applyBasic(input, list);
  const source = asOperand(value, "__setitem__", "value", 3);
  if (tensors.size === 0) {
    const target = view === input ? alias(input) : view;
    const given = source.ndim > target.ndim ? reshape(source, source.shape.slice(source.ndim - target.ndim)) : source;
    const fits = given.ndim === 0 || sameShape(given.shape, target.shape);
    target.copy_(fits ? given : expand(given, target.shape));
    return input;
  }
  const attrs = plan(view, tensors);
  const values = spread(source, view, attrs);
  const mask = list.length === 1 ? asIndexTensor(list[0]!) : null;
  const masked = mask?.dtype === bool && mask.ndim > 0 && source.numel() === 1;
  if (value instanceof Tensor && !masked) checkPutDtype(view, value);
  inPlace(view, (old) => call(IndexPut, attrs, old, values));
  return input;
}

function checkPutDtype(view: Tensor, value: Tensor): void {
  if (value.dtype === view.dtype) return;
  throw new RuntimeError(
    `Index put requires the source and destination dtypes match, got ${SCALAR_TYPE_NAMES[view.dtype.name]} for the destination and ${SCALAR_TYPE_NAMES[value.dtype.name]} for the source.`,
    { hint: `convert the value: value.to(torch.${view.dtype.name})` },
  );
}

/** The values in the shape of the place that they are written to. */
function spread(source: Tensor, view: Tensor, { rest, picked, front }: IndexAttrs): Tensor {
  const restShape = rest.map((d) => view.shape[d]!);
  const place = [...restShape.slice(0, front), ...picked, ...restShape.slice(front)];
  const fitted = fitting(source, place);
  return sameShape(fitted.shape, place) ? fitted : expand(fitted, place);
}

/**
 * Values written where index tensors say, one for each leading dimension; `accumulate` (default false) adds them instead.
 * https://docs.pytorch.org/docs/2.13/generated/torch.Tensor.index_put_.html
 */
export function indexPut(
  input: Tensor,
  indices: readonly Tensor[],
  values: Tensor,
  accumulate?: boolean | { accumulate?: boolean },
): Tensor;
export function indexPut(...args: unknown[]): Tensor {
  const {
    input,
    indices,
    values,
    accumulate = false,
  } = bind<{ input: Tensor; indices: readonly Tensor[]; values: Tensor; accumulate?: boolean }>(
    "index_put",
    ["!input", "!indices", "!values", "accumulate"],
    args,
  );
  assertTensor(input, "index_put", "input", 1);
  if (!Array.isArray(indices as unknown)) {
    throw new TypeError(
      `index_put(): argument 'indices' (position 2) must be tuple of Tensors, not ${pythonTypeName(indices)}`,
    );
  }
  assertTensor(values, "index_put", "values", 3);
  const tensors = new Map<number, Tensor>();
  let dim = 0;
  for (const [i, index] of indices.entries()) {
    if (!(index instanceof Tensor)) {
      throw new TypeError(`expected Tensor as element ${i} in argument 1, but got ${pythonTypeName(index)}`);
    }
    const list = asIndexTensor(index);
    const width = list?.dtype === bool ? list.ndim : 1;
    if (dim + width > input.ndim) {
      throw new IndexError(`too many indices for tensor of dimension ${input.ndim} (got ${dim + width})`);
    }
    if (list?.dtype === bool) dim = addMask(tensors, list, input, dim);
    else if (list) tensors.set(dim++, list);
  }
  for (const [d, index] of tensors) {
    if (input.shape[d] === 0 && index.numel() > 0) {
      throw new IndexError("index is out of bounds for dimension with size 0");
    }
  }
  checkPutDtype(input, values);
  const attrs = { ...plan(input, tensors), accumulates: accumulate };
  return call(IndexPut, attrs, input, spread(values, input, attrs));
}

/** The value as it will be spread: leading axes of size 1 that the place does not have are dropped. */
function fitting(source: Tensor, place: readonly number[]): Tensor {
  const extra = source.ndim - place.length;
  const fits =
    (extra <= 0 || source.shape.slice(0, extra).every((size) => size === 1)) &&
    source.shape.slice(Math.max(extra, 0)).every((size, i) => size === 1 || size === place[i + Math.max(-extra, 0)]);
  if (!fits) {
    throw new RuntimeError(
      `shape mismatch: value tensor of shape ${sizeText(source.shape)} cannot be broadcast to indexing result of shape ${sizeText(place)}`,
      { shapes: [source.shape, place] },
    );
  }
  return extra > 0 ? reshape(source, source.shape.slice(extra)) : source;
}

const IndexPut: Op<IndexAttrs> = defineOp({
  name: "index_put",
  gradFn: "IndexPutBackward0",
  kernels: ["copy"],
  forward({ attrs }, x: Tensor, values: Tensor) {
    const { positions, rows, order, accumulates } = attrs;
    const out = copyRaw(asRows(x.detach(), attrs));
    const inner = x.numel() / Math.max(rows, 1);
    const from = denseRaw(fromAnswer(castRaw(values.detach(), x.dtype), attrs)).denseData();
    const to = out.storage.data;
    const at = positions.storage.data;
    for (let i = 0; i < at.length; i++) {
      for (let j = 0; j < inner; j++) {
        const place = at[i]! * inner + j;
        const sum = accumulates ? to[place]! + from[i * inner + j]! : from[i * inner + j]!;
        to[place] = x.dtype === bool ? Number(sum !== 0) : sum;
      }
    }
    const ordered = new Tensor(
      out.storage,
      order.map((d) => x.shape[d]!),
    );
    return copyRaw(
      permute(
        ordered,
        order.map((_, i) => order.indexOf(i)),
      ),
    );
  },
  backward({ attrs }, grad: Tensor) {
    const taken = call(IndexOp, attrs, grad);
    if (attrs.accumulates) return [grad, taken];
    const kept = call(IndexPut, attrs, filled(grad.shape, 1, bool), filled(taken.shape, 0, bool));
    return [where(kept, grad, 0), taken];
  },
});

/** One index of the first dimension: Python's `x[i]`. */
export function at(input: Tensor, index: number): Tensor {
  if (input.ndim === 0)
    throw new IndexError(
      "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a 0-dim tensor to a number",
    );
  return get(input, index);
}

/**
 * Positions of the nonzero elements, one row each; with `asTuple` a vector for each dimension instead, ready to index with.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nonzero.html
 */
export function nonzero(input: Tensor, options: { asTuple: true }): Tensor[];
export function nonzero(input: Tensor, options?: { asTuple?: false }): Tensor;
export function nonzero(...args: unknown[]): Tensor | Tensor[] {
  const { input, asTuple = false } = bind<{ input: Tensor; asTuple?: boolean }>(
    "nonzero",
    ["!input: Tensor", "*", "asTuple: bool"],
    args,
  );
  if (!asTuple) return positionsOfNonzero(input);
  const rows = positionsOfNonzero(input.ndim === 0 ? unsqueeze(input, 0) : input);
  return Array.from({ length: rows.shape[1]! }, (_, d) => select(rows, 1, d));
}

function positionsOfNonzero(input: Tensor): Tensor {
  const data = input.denseData();
  const found: number[] = [];
  let count = 0;
  for (let flat = 0; flat < data.length; flat++) {
    if (data[flat] === 0) continue;
    count++;
    let rest = flat;
    const position = new Array<number>(input.ndim);
    for (let d = input.ndim - 1; d >= 0; d--) {
      position[d] = rest % input.shape[d]!;
      rest = Math.floor(rest / input.shape[d]!);
    }
    found.push(...position);
  }
  const out = Tensor.empty([count, input.ndim], int64);
  out.storage.data.set(found);
  return out;
}

methods({
  get,
  set,
  at,
  nonzero,
  indexPut,
  indexPut_: (self, indices: readonly Tensor[], values: Tensor, accumulate?: boolean | { accumulate?: boolean }) =>
    inPlace(self, (old) => indexPut(old, indices, values, accumulate)),
});

declare module "../core/tensor.ts" {
  interface Tensor {
    /** Elements by index: `x.get(0, ":", "1:3")` is Python's `x[0, :, 1:3]`. */
    get: Method<typeof get>;
    /** Writes where `get` would read: `x.set([0, ":"], 1)` is Python's `x[0, :] = 1`. */
    set: Method<typeof set>;
    /** One index of the first dimension: Python's `x[i]`. */
    at(index: number): Tensor;
    /** Values written where index tensors say; `accumulate` (default false) adds them instead. */
    indexPut: Method<typeof indexPut>;
    /** Writes values where index tensors say, in place; `accumulate` (default false) adds them instead. */
    indexPut_: Method<typeof indexPut>;
    /** Positions of the nonzero elements, one row each; with `asTuple` one vector for each dimension. */
    nonzero(options?: { asTuple?: false }): Tensor;
    nonzero(options: { asTuple: true }): Tensor[];
  }
}
