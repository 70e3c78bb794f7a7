/**
 * Indexing: `x.get(0, ":", "1:3")`, `x.set([0, ":"], value)`, `x.at(0)`, and selection by index tensors.
 * https://docs.pytorch.org/docs/2.13/tensor_view.html, https://numpy.org/doc/stable/user/basics.indexing.html
 */
import { kernels } from "../backends/index.ts";
import { bind } from "../core/arguments.ts";
import { bool, int64 } from "../core/dtype.ts";
import { IndexError, RuntimeError, TypeError } from "../core/errors.ts";
import { CPP_NAMES } from "../core/promotion.ts";
import { broadcastShapes, normalizeDim, normalizeDims, numel, sizeText } from "../core/shape.ts";
import { pythonTypeName, Tensor } from "../core/tensor.ts";
import { where } from "./arithmetic.ts";
import { tensor } from "./creation.ts";
import { inPlace } from "./inplace.ts";
import { asOperand, castRaw, copyRaw, denseRaw, filled, type Scalar, viewAs } from "./operands.ts";
import { call, defineOp, type Method, methods, type Op } from "./registry.ts";
import { expand, permute, reshape, select, sliceRaw, unsqueeze } from "./view.ts";

/** An integer, a slice ("1:3", "::2", ":"), "..." for all dimensions between, null for a new axis, or a tensor of positions or truth values. */
export type Index = number | boolean | string | null | Tensor | readonly number[] | readonly boolean[];

const SLICE = /^\s*(-?\d+)?\s*:\s*(-?\d+)?\s*(?::\s*(-?\d+)?\s*)?$/;

function parseSlice(text: string, size: number): { start: number; length: number; step: number } {
  const match = SLICE.exec(text);
  if (!match) {
    throw new IndexError(`'${text}' is not a slice`, { hint: 'slices are written "1:3", "::2", ":" or "..."' });
  }
  const step = match[3] === undefined ? 1 : Number(match[3]);
  if (step <= 0) throw new RuntimeError("step must be greater than zero");
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
  // Messages count dimensions as the learner wrote them: those already selected included.
  let selected = 0;
  let seenEllipsis = false;
  const tensors = new Map<number, Tensor>();
  for (const index of indices) {
    if (index === "...") {
      if (seenEllipsis) throw new IndexError("an index can only have a single ellipsis ('...')");
      seenEllipsis = true;
      dim += input.ndim - consumed;
    } else if (index === null) view = unsqueeze(view, dim++);
    else if (typeof index === "boolean") {
      view = unsqueeze(view, dim);
      tensors.set(dim++, tensor([index ? 0 : 1].slice(0, index ? 1 : 0), { dtype: int64 }));
    } else if (typeof index === "number") {
      const size = view.shape[dim]!;
      if (!Number.isInteger(index)) {
        throw new TypeError(
          `only integers, slices (\`:\`), ellipsis (\`...\`), None and long or byte Variables are valid indices (got ${pythonTypeName(index)})`,
        );
      }
      if (index < -size || index >= size) {
        throw new IndexError(`index ${index} is out of bounds for dimension ${dim + selected} with size ${size}`);
      }
      view = select(view, dim, index);
      selected++;
    } else if (typeof index === "string") {
      const { start, length, step } = parseSlice(index, view.shape[dim]!);
      if (start !== 0 || step !== 1 || length !== view.shape[dim]) view = sliceRaw(view, dim, start, length, step);
      dim++;
    } else {
      const list = asIndexTensor(index)!;
      if (list.dtype !== bool) tensors.set(dim++, list);
      else dim = addMask(tensors, list, view, dim);
    }
  }
  return { view, tensors };
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
  /** Flat positions among the indexed dimensions, which come first in the operand. */
  positions: Tensor;
  rows: number;
  /** What the positions become in the answer. */
  picked: readonly number[];
}

const IndexOp: Op<IndexAttrs> = defineOp({
  name: "index",
  gradFn: "IndexBackward0",
  kernels: ["indexSelect"],
  forward(ctx, x: Tensor) {
    const { positions, rows, picked } = ctx.attrs;
    ctx.notes = x.shape;
    const inner = x.numel() / Math.max(rows, 1);
    const out = Tensor.empty([...picked, ...x.shape.slice(1)], x.dtype);
    kernels.indexSelect(
      viewAs(denseRaw(x), [1, rows, inner]),
      positions.kernelView,
      viewAs(out, [1, positions.numel(), inner]),
    );
    return out;
  },
  backward: ({ attrs, notes }, grad: Tensor) => [call(IndexGrad, { ...attrs, shape: notes as number[] }, grad)],
});

const IndexGrad: Op<IndexAttrs & { shape: readonly number[] }> = defineOp({
  name: "index_backward",
  gradFn: "IndexPutBackward0",
  kernels: ["indexAdd"],
  forward({ attrs: { positions, rows, shape } }, grad: Tensor) {
    const out = filled(shape, 0, grad.dtype);
    const inner = numel(shape) / Math.max(rows, 1);
    kernels.indexAdd(
      viewAs(out, [1, rows, inner]),
      positions.kernelView,
      viewAs(denseRaw(grad), [1, positions.numel(), inner]),
    );
    return out;
  },
  backward: ({ attrs }, grad: Tensor) => [call(IndexOp, attrs, grad)],
});

/** How index tensors walk a view: which dimensions, in what shape, and where they land in the answer. */
function plan(view: Tensor, tensors: Map<number, Tensor>) {
  const dims = [...tensors.keys()];
  const rest = view.shape.map((_, i) => i).filter((i) => !tensors.has(i));
  const shape = [...tensors.values()].reduce<number[]>((s, index) => {
    try {
      return broadcastShapes(s, index.shape);
    } catch {
      throw new IndexError(
        `shape mismatch: indexing tensors could not be broadcast together with shapes ${[...tensors.values()].map((x) => sizeText(x.shape)).join(", ")}`,
      );
    }
  }, []);
  const sizes = dims.map((d) => view.shape[d]!);
  const positions = Tensor.empty([numel(shape)], int64);
  for (const [k, index] of [...tensors.values()].entries()) {
    const size = sizes[k]!;
    const stride = numel(sizes.slice(k + 1));
    const values = expand(index, shape).denseData();
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value < -size || value >= size) {
        throw new IndexError(`index ${value} is out of bounds for dimension ${dims[k]} with size ${size}`);
      }
      positions.storage.data[i]! += (value < 0 ? value + size : value) * stride;
    }
  }
  const adjacent = dims.every((d, i) => i === 0 || d === dims[i - 1]! + 1);
  return { dims, rest, shape, positions, rows: numel(sizes), front: adjacent ? dims[0]! : 0 };
}

function advanced(view: Tensor, tensors: Map<number, Tensor>): Tensor {
  const { dims, rest, shape, positions, rows, front } = plan(view, tensors);
  const restShape = rest.map((d) => view.shape[d]!);
  const operand = reshape(permute(view, [...dims, ...rest]), [rows, ...restShape]);
  const picked = call(IndexOp, { positions, rows, picked: shape }, operand);
  if (front === 0) return picked;
  // The picked dimensions go where the first index stood.
  const order = [
    ...Array.from({ length: front }, (_, i) => shape.length + i),
    ...shape.map((_, i) => i),
    ...Array.from({ length: restShape.length - front }, (_, i) => shape.length + front + i),
  ];
  return permute(picked, order);
}

/** Elements by index, as Python's `x[0, :, 1:3]`: `x.get(0, ":", "1:3")`. Integers and slices give views. */
export function get(input: Tensor, ...indices: Index[]): Tensor {
  const { view, tensors } = applyBasic(input, indices);
  if (tensors.size > 0) return advanced(view, tensors);
  return view === input ? input.view(input.shape) : view;
}

/** Writes `value` (a number, or a tensor that broadcasts) where `get` would read. */
export function set(input: Tensor, indices: Index | readonly Index[], value: Scalar | Tensor): Tensor {
  const list = Array.isArray(indices) ? (indices as Index[]) : [indices as Index];
  const { view, tensors } = applyBasic(input, list);
  const source = asOperand(value, "__setitem__", "value", 3);
  if (tensors.size === 0) {
    const target = view === input ? input.view(input.shape) : view;
    target.copy_(source.ndim > target.ndim ? reshape(source, source.shape.slice(source.ndim - target.ndim)) : source);
    return input;
  }
  const { dims, rest, shape, positions, rows, front } = plan(view, tensors);
  const restShape = rest.map((d) => view.shape[d]!);
  const order = [...dims, ...rest];
  const inverse = order.map((_, i) => order.indexOf(i));
  const answer = [...restShape.slice(0, front), ...shape, ...restShape.slice(front)];
  const spread = expand(source.to(view.dtype), answer);
  const values =
    front === 0
      ? spread
      : permute(spread, [
          ...shape.map((_, i) => front + i),
          ...restShape.map((_, i) => (i < front ? i : i + shape.length)),
        ]);
  inPlace(view, (old) => {
    const operand = reshape(permute(old, order), [rows, ...restShape]);
    const written = call(
      IndexPut,
      { positions, rows, picked: [positions.numel()] },
      operand,
      reshape(values, [positions.numel(), ...restShape]),
    );
    return permute(
      reshape(
        written,
        order.map((d) => view.shape[d]!),
      ),
      inverse,
    );
  });
  return input;
}

const IndexPut: Op<IndexAttrs> = defineOp({
  name: "index_put",
  gradFn: "IndexPutBackward0",
  kernels: ["copy"],
  forward({ attrs: { positions, rows } }, x: Tensor, values: Tensor) {
    const out = copyRaw(x);
    const inner = x.numel() / Math.max(rows, 1);
    const from = denseRaw(values).denseData();
    const to = out.storage.data;
    const at = positions.storage.data;
    for (let i = 0; i < at.length; i++) {
      for (let j = 0; j < inner; j++) to[at[i]! * inner + j] = from[i * inner + j]!;
    }
    return out;
  },
  backward({ attrs }, grad: Tensor) {
    const mask = call(
      IndexPut,
      attrs,
      filled(grad.shape, 1, bool),
      filled([attrs.positions.numel(), ...grad.shape.slice(1)], 0, bool),
    );
    return [where(mask, grad, 0), call(IndexOp, attrs, grad)];
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

/** Positions of the nonzero elements, one row each. */
export function nonzero(input: Tensor): Tensor {
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

/** Rows (or columns …) of `input` by a 1-d index tensor along `dim`. */
export function indexSelect(input: Tensor, dim: number, index: Tensor): Tensor {
  if (index.ndim > 1) throw new IndexError("index_select(): Index is supposed to be a vector");
  if (index.dtype !== int64 && index.dtype.name !== "int32") {
    throw new RuntimeError("index_select(): Expected dtype int32 or int64 for index");
  }
  const axis = normalizeDim(dim, input.ndim);
  const size = input.shape[axis] ?? 1;
  for (const value of index.denseData()) {
    if (value < 0 || value >= size) throw new IndexError("index out of range in self");
  }
  return call(IndexSelect, { dim: axis, index: castRaw(index, int64) }, input);
}

interface DimIndexAttrs {
  dim: number;
  index: Tensor;
}

function around(shape: readonly number[], dim: number): [number, number, number] {
  return [numel(shape.slice(0, dim)), shape[dim] ?? 1, numel(shape.slice(dim + 1))];
}

const IndexSelect: Op<DimIndexAttrs> = defineOp({
  name: "index_select",
  gradFn: "IndexSelectBackward0",
  kernels: ["indexSelect"],
  forward(ctx, x: Tensor) {
    const { dim, index } = ctx.attrs;
    ctx.notes = x.shape;
    const [outer, n, inner] = around(x.shape, dim);
    const m = index.numel();
    const out = Tensor.empty(x.ndim === 0 ? [] : x.shape.with(dim, m), x.dtype);
    kernels.indexSelect(
      viewAs(denseRaw(x), [outer, n, inner]),
      viewAs(denseRaw(index), [m]),
      viewAs(out, [outer, m, inner]),
    );
    return out;
  },
  backward: ({ attrs, notes }, grad: Tensor) => [call(IndexSelectGrad, { ...attrs, shape: notes as number[] }, grad)],
});

const IndexSelectGrad: Op<DimIndexAttrs & { shape: readonly number[] }> = defineOp({
  name: "index_select_backward",
  gradFn: "IndexAddBackward0",
  kernels: ["indexAdd"],
  forward({ attrs: { dim, index, shape } }, grad: Tensor) {
    const out = filled(shape, 0, grad.dtype);
    const [outer, n, inner] = around(shape, dim);
    const m = index.numel();
    kernels.indexAdd(
      viewAs(out, [outer, n, inner]),
      viewAs(denseRaw(index), [m]),
      viewAs(denseRaw(grad), [outer, m, inner]),
    );
    return out;
  },
  backward: ({ attrs: { dim, index } }, grad: Tensor) => [call(IndexSelect, { dim, index }, grad)],
});

/** Elements picked along `dim`: out[i][j] = input[index[i][j]][j] for dim 0, and so on. */
export function gather(input: Tensor, dim: number, index: Tensor): Tensor {
  const axis = normalizeDim(dim, input.ndim);
  if (index.dtype !== int64) throw new RuntimeError("gather(): Expected dtype int64 for index");
  if (index.ndim !== input.ndim) {
    throw new RuntimeError("Index tensor must have the same number of dimensions as input tensor");
  }
  for (let d = 0; d < input.ndim; d++) {
    if (d !== axis && index.shape[d]! > input.shape[d]!) {
      throw new RuntimeError(
        `Size does not match at dimension ${d} expected index ${sizeText(index.shape)} to be no larger than self ${sizeText(input.shape)} apart from dimension ${axis}`,
        { shapes: [index.shape, input.shape] },
      );
    }
  }
  const size = input.shape[axis] ?? 1;
  for (const value of index.denseData()) {
    if (value < 0 || value >= size) {
      throw new RuntimeError(`index ${value} is out of bounds for dimension ${axis} with size ${size}`);
    }
  }
  return call(Gather, { dim: axis, index }, input);
}

const Gather: Op<DimIndexAttrs> = defineOp({
  name: "gather",
  gradFn: "GatherBackward0",
  kernels: ["gather"],
  forward(ctx, x: Tensor) {
    const { dim, index } = ctx.attrs;
    ctx.notes = x.shape;
    // Only the corner of x that index covers takes part.
    const corner = x.shape.reduce<Tensor>(
      (v, size, d) => (d !== dim && index.shape[d]! < size ? sliceRaw(v, d, 0, index.shape[d]!, 1) : v),
      x.detach(),
    );
    const [outer, n, inner] = around(corner.shape, dim);
    const m = index.shape[dim] ?? 1;
    const out = Tensor.empty(index.shape, x.dtype);
    kernels.gather(
      viewAs(denseRaw(corner), [outer, n, inner]),
      viewAs(denseRaw(index), [outer, m, inner]),
      viewAs(out, [outer, m, inner]),
    );
    return out;
  },
  backward: ({ attrs, notes }, grad: Tensor) => [call(GatherGrad, { ...attrs, shape: notes as number[] }, grad)],
});

const GatherGrad: Op<DimIndexAttrs & { shape: readonly number[] }> = defineOp({
  name: "gather_backward",
  gradFn: "ScatterAddBackward0",
  kernels: ["scatterAdd"],
  forward({ attrs: { dim, index, shape } }, grad: Tensor) {
    const cornerShape = shape.map((size, d) => (d === dim ? size : index.shape[d]!));
    const corner = filled(cornerShape, 0, grad.dtype);
    const [outer, n, inner] = around(cornerShape, dim);
    const m = index.shape[dim] ?? 1;
    kernels.scatterAdd(
      viewAs(corner, [outer, n, inner]),
      viewAs(denseRaw(index), [outer, m, inner]),
      viewAs(denseRaw(grad), [outer, m, inner]),
    );
    if (numel(cornerShape) === numel(shape)) return corner;
    const out = filled(shape, 0, grad.dtype);
    const target = cornerShape.reduce<Tensor>((v, size, d) => sliceRaw(v, d, 0, size, 1), out);
    kernels.copy(corner.kernelView, target.kernelView);
    return out;
  },
  backward: ({ attrs: { dim, index } }, grad: Tensor) => [call(Gather, { dim, index }, grad)],
});

/** Elements where mask holds become `value`. */
export function maskedFill(input: Tensor, mask: Tensor, value: Scalar | Tensor): Tensor {
  if (mask.dtype !== bool)
    throw new RuntimeError(
      `masked_fill_ only supports boolean masks, but got mask with dtype ${CPP_NAMES[mask.dtype.name]}`,
    );
  return call(MaskedFill, null, input, mask, castRaw(asOperand(value, "masked_fill", "value", 3), input.dtype));
}

const MaskedFill: Op<null> = defineOp({
  name: "masked_fill",
  gradFn: "MaskedFillBackward0",
  kernels: ["where"],
  forward(ctx, x: Tensor, mask: Tensor, value: Tensor) {
    ctx.save(mask);
    return where(mask, value, x.detach());
  },
  backward(ctx, grad: Tensor) {
    const mask = ctx.saved[0]!;
    return [where(mask, 0, grad), null, ctx.needs[2] ? where(mask, grad, 0) : null];
  },
});

/** Order of elements reversed along dimensions. */
export function flip(input: Tensor, ...dims: number[] | [readonly number[]]): Tensor {
  const { list } = { list: normalizeDims(dims.flat() as number[], input.ndim) };
  return list.reduce((x, dim) => {
    const n = x.shape[dim]!;
    const order = Tensor.empty([n], int64);
    for (let i = 0; i < n; i++) order.storage.data[i] = n - 1 - i;
    return call(IndexSelect, { dim, index: order }, x);
  }, input);
}

export interface RollOptions {
  dims?: number | readonly number[] | null;
}

/** Elements moved along dimensions, those that fall off come in on the other side; without dims over the flat tensor. */
export function roll(
  input: Tensor,
  shifts: number | readonly number[],
  dims?: number | readonly number[] | null | RollOptions,
): Tensor;
export function roll(...args: unknown[]): Tensor {
  const {
    input,
    shifts,
    dims = null,
  } = bind<{ input: Tensor; shifts: number | number[]; dims?: number | number[] | null }>(
    "roll",
    ["!input", "!shifts", "dims"],
    args,
  );
  if (dims === null) return reshape(roll(reshape(input, -1), shifts, 0), input.shape);
  const list = [shifts].flat();
  return [dims].flat().reduce((x, dim, k) => {
    const axis = normalizeDim(dim, x.ndim);
    const n = x.shape[axis]!;
    const order = Tensor.empty([n], int64);
    for (let i = 0; i < n; i++) order.storage.data[i] = (((i - list[k]!) % n) + n) % n;
    return call(IndexSelect, { dim: axis, index: order }, x);
  }, input);
}

methods({ get, set, at, nonzero, indexSelect, gather, maskedFill, flip, roll });

declare module "../core/tensor.ts" {
  interface Tensor {
    /** Elements by index: `x.get(0, ":", "1:3")` is Python's `x[0, :, 1:3]`. */
    get: Method<typeof get>;
    /** Writes where `get` would read: `x.set([0, ":"], 1)` is Python's `x[0, :] = 1`. */
    set: Method<typeof set>;
    /** One index of the first dimension: Python's `x[i]`. */
    at(index: number): Tensor;
    nonzero(): Tensor;
    indexSelect: Method<typeof indexSelect>;
    gather: Method<typeof gather>;
    /** Elements where mask holds become `value`. */
    maskedFill: Method<typeof maskedFill>;
    /** Order reversed along dimensions. */
    flip: Method<typeof flip>;
    /** Elements moved along dimensions, around the end. */
    roll: Method<typeof roll>;
  }
}
