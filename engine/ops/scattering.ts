/** Writing and repeating by index and mask. https://docs.pytorch.org/docs/2.13/torch.html#indexing-slicing-joining-mutating-ops */
import { kernels } from "../backends/index.ts";
import { bind } from "../core/arguments.ts";
import { bool, int64 } from "../core/dtype.ts";
import { IndexError, RuntimeError } from "../core/errors.ts";
import { broadcastShapes, contiguousStrides, normalizeDim, numel, type Shape, sizeText } from "../core/shape.ts";
import { checked } from "../core/signature.ts";
import { assertTensor, Tensor } from "../core/tensor.ts";
import { mul, where } from "./arithmetic.ts";
import { cloneRowMajor } from "./copy.ts";
import { checkIndexDtype, indexSelect, maskedFill } from "./gathering.ts";
import { firstOutside } from "./index_check.ts";
import { inPlace } from "./inplace.ts";
import { asOperand, castRaw, copyRaw, denseRaw, filled, type Scalar, viewAs } from "./operands.ts";
import { call, defineOp, methods, type Op } from "./registry.ts";
import { expand, flatten, reshape, unsqueeze } from "./view.ts";

interface ScatterAttrs {
  dim: number;
  index: Tensor;
  /** Adds instead of replacing. */
  adds: boolean;
  /** PyTorch names the node differently for a number. */
  fromNumber: boolean;
}

/** The flat position in a tensor of `shape` that every element of index names. */
export function positions(index: Tensor, dim: number, shape: Shape): Float64Array {
  const strides = contiguousStrides(shape);
  const along = strides[dim] ?? 1;
  const named = index.denseData();
  const found = new Float64Array(named.length);
  const last = index.ndim - 1;
  const length = index.shape[last] ?? 1;
  const step = last === dim ? 0 : (strides[last] ?? 0);
  const place = new Array<number>(Math.max(last, 0)).fill(0);
  for (let at = 0, row = 0; at < named.length; ) {
    for (let k = 0, beside = row; k < length; k++, at++, beside += step) {
      found[at] = (named[at] as number) * along + beside;
    }
    for (let d = last - 1; d >= 0; d--) {
      const width = d === dim ? 0 : strides[d]!;
      row += width;
      if (++place[d]! < index.shape[d]!) break;
      row -= width * index.shape[d]!;
      place[d] = 0;
    }
  }
  return found;
}

const Scatter: Op<ScatterAttrs> = defineOp({
  name: "scatter",
  gradFn: ({ adds, fromNumber }) =>
    adds ? "ScatterAddBackward0" : fromNumber ? "ScatterBackward1" : "ScatterBackward0",
  unlisted: ({ fromNumber }) => (fromNumber ? [1] : []),
  kernels: ["copy", "scatterAdd"],
  forward(ctx, x: Tensor, source: Tensor) {
    const { dim, index, adds } = ctx.attrs;
    const out = copyRaw(x);
    if (adds && x.dtype.isFloatingPoint && index.shape.every((n, d) => d === dim || n === x.shape[d])) {
      const [outer, inner] = [numel(x.shape.slice(0, dim)), numel(x.shape.slice(dim + 1))];
      const m = index.shape[dim] ?? 1;
      kernels.scatterAdd(
        viewAs(out, [outer, x.shape[dim] ?? 1, inner]),
        viewAs(denseRaw(index), [outer, m, inner]),
        viewAs(denseRaw(source), [outer, m, inner]),
      );
      return out;
    }
    const to = out.storage.data;
    const from = source.denseData();
    positions(index, dim, x.shape).forEach((position, i) => {
      const sum = adds ? to[position]! + from[i]! : from[i]!;
      to[position] = x.dtype === bool ? Number(sum !== 0) : sum;
    });
    return out;
  },
  backward({ attrs }, grad: Tensor) {
    const { dim, index, adds } = attrs;
    const picked = grad.gather(dim, index);
    if (adds) return [grad, picked];
    const written = call(Scatter, attrs, filled(grad.shape, 0, bool), filled(index.shape, 1, bool));
    return [where(written, 0, grad), picked];
  },
});

/** The dimension, and what is written, cut to the corner that index covers. */
export function scatterArguments(
  name: string,
  self: Tensor,
  dim: number,
  index: Tensor,
  value: Tensor | Scalar,
): { axis: number; source: Tensor } {
  assertTensor(index, name, "index", 2);
  checkIndexDtype("scatter", index);
  const axis = normalizeDim(dim, self.ndim);
  if (index.ndim !== self.ndim) {
    throw new RuntimeError("Index tensor must have the same number of dimensions as self tensor");
  }
  const beside = value instanceof Tensor && value.ndim > 0 ? value : null;
  for (let d = 0; d < self.ndim && index.numel() > 0; d++) {
    if (d !== axis && index.shape[d]! > self.shape[d]!) {
      const more = beside ? ` and to be no larger size than src ${sizeText(beside.shape)}` : "";
      throw new RuntimeError(
        `Expected index ${sizeText(index.shape)} to be no larger than self ${sizeText(self.shape)} apart from dimension ${axis}${more}`,
        { shapes: [index.shape, self.shape] },
      );
    }
  }
  const size = self.shape[axis] ?? 1;
  const outside = firstOutside(index, size);
  if (outside !== null) {
    throw new RuntimeError(`index ${outside} is out of bounds for dimension ${axis} with size ${size}`);
  }
  let source: Tensor;
  if (value instanceof Tensor) {
    if (value.dtype !== self.dtype) {
      throw new RuntimeError(`${name}(): Expected self.dtype to be equal to src.dtype`);
    }
    if (value.ndim !== index.ndim || value.shape.some((n, d) => n < index.shape[d]!)) {
      throw new RuntimeError(
        `Expected index ${sizeText(index.shape)} to be no larger than self ${sizeText(self.shape)} apart from dimension ${axis} and to be no larger size than src ${sizeText(value.shape)}`,
        { shapes: [index.shape, value.shape] },
      );
    }
    // Only the corner that index covers is read.
    source = index.shape.reduce<Tensor>((x, n, d) => (x.shape[d] === n ? x : x.narrow(d, 0, n)), value);
  } else {
    source = expand(castRaw(asOperand(value, name, "value", 3), self.dtype), index.shape);
  }
  return { axis, source };
}

function scattered(
  name: string,
  self: Tensor,
  dim: number,
  index: Tensor,
  value: Tensor | Scalar,
  adds: boolean,
): Tensor {
  const { axis, source } = scatterArguments(name, self, dim, index, value);
  const fromNumber = !(value instanceof Tensor);
  return call(Scatter, { dim: axis, index: castRaw(index, int64), adds, fromNumber }, self, source);
}

/** Puts `source` (a tensor or a number) where index says along `dim`: out[index[i][j]][j] = source[i][j] for dim 0. */
export const scatter = checked(
  "scatter(Tensor input, int dim, Tensor index, Operand src)",
  (input: Tensor, dim: number, index: Tensor, source: Tensor | Scalar): Tensor => {
    return scattered("scatter", input, dim, index, source, false);
  },
);

/** As scatter, adding to what is there. https://docs.pytorch.org/docs/2.13/generated/torch.scatter_add.html */
export const scatterAdd = checked(
  "scatter_add(Tensor input, int dim, Tensor index, Tensor src)",
  (input: Tensor, dim: number, index: Tensor, source: Tensor): Tensor => {
    return scattered("scatter_add", input, dim, index, source, true);
  },
);

interface IndexAddAttrs {
  dim: number;
  index: Tensor;
}

const IndexAdd: Op<IndexAddAttrs> = defineOp({
  name: "index_add",
  gradFn: "IndexAddBackward0",
  kernels: ["indexAdd"],
  forward({ attrs: { dim, index } }, x: Tensor, source: Tensor) {
    const out = copyRaw(x);
    const outer = numel(x.shape.slice(0, dim));
    const inner = numel(x.shape.slice(dim + 1));
    const m = index.numel();
    kernels.indexAdd(
      viewAs(out, [outer, x.shape[dim] ?? 1, inner]),
      viewAs(denseRaw(index), [m]),
      viewAs(denseRaw(source), [outer, m, inner]),
    );
    return out;
  },
  backward: ({ attrs: { dim, index } }, grad: Tensor) => [grad, indexSelect(grad, dim, index)],
});

/** Adds rows (or columns …) of `source` at `index` along `dim`. https://docs.pytorch.org/docs/2.13/generated/torch.index_add.html */
export const indexAdd = checked(
  "index_add(Tensor input, int dim, Tensor index, Tensor source, *, Number alpha?)",
  (input: Tensor, dim: number, index: Tensor, source: Tensor, { alpha = 1 }: { alpha?: number } = {}): Tensor => {
    const axis = normalizeDim(dim, input.ndim);
    if (input.ndim === 0 && index.numel() !== 1) {
      throw new IndexError("Dimension specified as 0 but tensor has no dimensions");
    }
    if (index.ndim > 1) throw new IndexError("index_add_(): Index is supposed to be a vector");
    const size = input.shape[axis] ?? 1;
    if (index.denseData().some((i) => i < 0 || i >= size)) throw new IndexError("index out of range in self");
    if (source.dtype !== input.dtype) {
      throw new RuntimeError("index_add_(): self and source must have the same scalar type");
    }
    if ((source.shape[axis] ?? 1) !== index.numel()) {
      throw new RuntimeError(
        `index_add_(): Number of indices (${index.numel()}) should be equal to source.size(dim): (${source.shape[axis] ?? 1}), for dim: ${axis}`,
        { shapes: [index.shape, source.shape] },
      );
    }
    const scaled = alpha === 1 ? source : mul(source, alpha);
    return call(IndexAdd, { dim: axis, index: castRaw(index, int64) }, input, scaled);
  },
);

/** The elements where mask holds, as a vector; both broadcast. https://docs.pytorch.org/docs/2.13/generated/torch.masked_select.html */
export const maskedSelect = checked(
  "masked_select(Tensor input, Tensor mask)",
  (input: Tensor, mask: Tensor): Tensor => {
    if (mask.dtype !== bool) throw new RuntimeError("masked_select: expected BoolTensor for mask");
    const shape = broadcastShapes(input.shape, mask.shape);
    const found: number[] = [];
    expand(mask, shape)
      .denseData()
      .forEach((chosen, i) => {
        if (chosen) found.push(i);
      });
    const index = Tensor.empty([found.length], int64);
    index.storage.data.set(found);
    return call(MaskedSelect, { index }, reshape(expand(input, shape), -1));
  },
);

const MaskedSelect: Op<{ index: Tensor }> = defineOp({
  name: "masked_select",
  gradFn: "MaskedSelectBackward0",
  kernels: ["indexSelect"],
  forward(ctx, x: Tensor) {
    ctx.notes = x.shape;
    return indexSelect(x.detach(), 0, ctx.attrs.index);
  },
  backward: ({ attrs: { index }, notes }, grad: Tensor) => [
    call(IndexAdd, { dim: 0, index }, filled(notes as number[], 0, grad.dtype), grad),
  ],
});

export interface RepeatInterleaveOptions {
  /** Default: of the flat tensor. */
  dim?: number | null;
}

/** Each element (or row …) `repeats` times in a row; a tensor says how often for each. https://docs.pytorch.org/docs/2.13/generated/torch.repeat_interleave.html */
export function repeatInterleave(
  input: Tensor,
  repeats: number | Tensor,
  dim?: number | null | RepeatInterleaveOptions,
): Tensor;
export function repeatInterleave(...args: unknown[]): Tensor {
  const {
    input,
    repeats,
    dim = null,
  } = bind<{ input: Tensor; repeats: number | Tensor; dim?: number | null }>(
    "repeat_interleave",
    ["!input", "!repeats: Operand", "dim: int?"],
    args,
  );
  assertTensor(input, "repeat_interleave", "input", 1);
  const x = dim === null ? reshape(input, -1) : input;
  const axis = normalizeDim(dim ?? 0, x.ndim);
  if (x.ndim === 0) normalizeDim(1, 0);
  const n = x.shape[axis]!;
  if (typeof repeats === "number") {
    if (repeats < 0) throw new RuntimeError("repeats can not be negative");
    const wide = unsqueeze(x, axis + 1);
    return flatten(cloneRowMajor(expand(wide, wide.shape.with(axis + 1, repeats))), axis, axis + 1);
  }
  const given = Array.from(repeats.denseData());
  if (given.length !== 1 && given.length !== n) {
    throw new RuntimeError(
      `repeats must have the same size as input along dim, but got repeats.size(0) = ${given.length} and input.size(${axis}) = ${n}`,
    );
  }
  if (given.some((times) => times < 0)) throw new RuntimeError("repeats can not be negative");
  const order = Array.from({ length: n }, (_, i) =>
    new Array<number>(given[given.length === 1 ? 0 : i]!).fill(i),
  ).flat();
  const index = Tensor.empty([order.length], int64);
  index.storage.data.set(order);
  return indexSelect(x, axis, index);
}

/** As a change in place, with all arguments as they come: the operation checks them. */
function changing<A extends unknown[]>(operation: (old: Tensor, ...args: A) => Tensor) {
  return (self: Tensor, ...args: A): Tensor => inPlace(self, (old) => operation(old, ...args));
}

methods({
  scatter,
  scatterAdd,
  indexAdd,
  maskedSelect,
  repeatInterleave,
  scatter_: changing(scatter),
  scatterAdd_: changing(scatterAdd),
  indexAdd_: changing(indexAdd),
  maskedFill_: changing(maskedFill),
});

declare module "../core/tensor.ts" {
  interface Tensor {
    /** Puts source where index says along a dimension. */
    scatter(dim: number, index: Tensor, source: Tensor | Scalar): Tensor;
    /** This tensor with the elements of source added where index says along a dimension; index and source have one rank. */
    scatterAdd(dim: number, index: Tensor, source: Tensor): Tensor;
    /** This tensor with `alpha` (default 1) times the slices of source added at the positions of index, a vector. */
    indexAdd(dim: number, index: Tensor, source: Tensor, options?: { alpha?: number }): Tensor;
    /** The elements where mask holds, as a vector. */
    maskedSelect(mask: Tensor): Tensor;
    /** Each element several times in a row. */
    repeatInterleave(repeats: number | Tensor, dim?: number | null | RepeatInterleaveOptions): Tensor;
    /** Puts source where index says along a dimension, in place. */
    scatter_(dim: number, index: Tensor, source: Tensor | Scalar): Tensor;
    /** Adds source where index says along a dimension, in place. */
    scatterAdd_(dim: number, index: Tensor, source: Tensor): Tensor;
    /** Adds `alpha` (default 1) times the slices of source at the positions of index, in place. */
    indexAdd_(dim: number, index: Tensor, source: Tensor, options?: { alpha?: number }): Tensor;
    /** Elements where mask holds become `value`, in place. */
    maskedFill_(mask: Tensor, value: Scalar | Tensor): Tensor;
  }
}
