/**
 * Indexing: `x.get(0, ":", "1:3")`, `x.set([0, ":"], value)`, `x.at(0)`, and selection by index tensors.
 * https://docs.pytorch.org/docs/2.13/tensor_view.html, https://numpy.org/doc/stable/user/basics.indexing.html
 */
import { kernels } from "../backends/index.ts";
import { bool, int64 } from "../core/dtype.ts";
import { IndexError, TypeError, ValueError } from "../core/errors.ts";
import { broadcastShapes, numel, sizeText } from "../core/shape.ts";
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
  for (const [place, index] of indices.entries()) {
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
        throw new IndexError(`index ${index} is out of bounds for dimension ${place} with size ${size}`);
      }
      view = select(view, dim, index);
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

/**
 * Positions of the nonzero elements, one row each; with `asTuple` a vector for each dimension instead, ready to index with.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nonzero.html
 */
export function nonzero(input: Tensor, options: { asTuple: true }): Tensor[];
export function nonzero(input: Tensor, options?: { asTuple?: false }): Tensor;
export function nonzero(input: Tensor, { asTuple = false }: { asTuple?: boolean } = {}): Tensor | Tensor[] {
  assertTensor(input, "nonzero", "input", 1);
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

methods({ get, set, at, nonzero });

declare module "../core/tensor.ts" {
  interface Tensor {
    /** Elements by index: `x.get(0, ":", "1:3")` is Python's `x[0, :, 1:3]`. */
    get: Method<typeof get>;
    /** Writes where `get` would read: `x.set([0, ":"], 1)` is Python's `x[0, :] = 1`. */
    set: Method<typeof set>;
    /** One index of the first dimension: Python's `x[i]`. */
    at(index: number): Tensor;
    /** Positions of the nonzero elements, one row each; with `asTuple` one vector for each dimension. */
    nonzero(options?: { asTuple?: false }): Tensor;
    nonzero(options: { asTuple: true }): Tensor[];
  }
}
