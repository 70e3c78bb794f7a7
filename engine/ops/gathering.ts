/** Selection along one dimension by index tensors, masks, and reorderings made of it. */
import { kernels } from "../backends/index.ts";
import { bind } from "../core/arguments.ts";
import { bool, int32, int64 } from "../core/dtype.ts";
import { IndexError, RuntimeError } from "../core/errors.ts";
import { CPP_NAMES } from "../core/promotion.ts";
import { normalizeDim, normalizeDims, numel, sizeText } from "../core/shape.ts";
import { checked } from "../core/signature.ts";
import { Tensor } from "../core/tensor.ts";
import { where } from "./arithmetic.ts";
import { to } from "./copy.ts";
import { convert } from "./creation.ts";
import { firstOutside } from "./index_check.ts";
import { asOperand, castRaw, copyRaw, denseRaw, filled, type Scalar, viewAs } from "./operands.ts";
import { call, defineOp, type Method, methods, type Op } from "./registry.ts";
import { sliceRaw } from "./slicing.ts";

/** Rows (or columns …) of `input` by a 1-d index tensor along `dim`. */
export const indexSelect = checked(
  "index_select(Tensor input, int dim, Tensor index)",
  (input: Tensor, dim: number, index: Tensor): Tensor => {
    if (index.ndim > 1) throw new IndexError("index_select(): Index is supposed to be a vector");
    if (index.dtype !== int64 && index.dtype.name !== "int32") {
      throw new RuntimeError("index_select(): Expected dtype int32 or int64 for index");
    }
    const axis = normalizeDim(dim, input.ndim);
    const size = input.shape[axis] ?? 1;
    if (input.ndim === 0 && index.numel() !== 1) {
      throw new RuntimeError(`index_select(): Index to scalar can have only 1 value, got ${index.numel()} value(s)`);
    }
    if (size === 0 && input.ndim > 1 && index.numel() > 0) {
      throw new RuntimeError("index_select(): self indexing axis dim should be positive");
    }
    const value = firstOutside(index, size);
    if (value !== null) {
      // The second dimension has a kernel of its own, with its own words.
      if (axis === 1) throw new RuntimeError(`INDICES element is out of DATA bounds, id=${value} axis_dim=${size}`);
      throw new IndexError("index out of range in self");
    }
    return call(IndexSelect, { dim: axis, index: castRaw(index, int64) }, input);
  },
);

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

/** @throws RuntimeError unless the index is of int32 or int64; an empty one may be of any dtype. @internal */
export function checkIndexDtype(name: string, index: Tensor): void {
  if (index.dtype === int64 || index.dtype === int32 || index.numel() === 0) return;
  throw new RuntimeError(`${name}(): Expected dtype int32/int64 for index`, {
    hint: "convert it: index.long()",
  });
}

/** Elements picked along `dim`: out[i][j] = input[index[i][j]][j] for dim 0, and so on. */
export const gather = checked(
  "gather(Tensor input, int dim, Tensor index)",
  (input: Tensor, dim: number, indices: Tensor): Tensor => {
    const axis = normalizeDim(dim, input.ndim);
    checkIndexDtype("gather", indices);
    const index = castRaw(indices, int64);
    if (index.ndim !== input.ndim) {
      throw new RuntimeError("Index tensor must have the same number of dimensions as input tensor");
    }
    for (let d = 0; d < input.ndim && index.numel() > 0; d++) {
      if (d !== axis && index.shape[d]! > input.shape[d]!) {
        throw new RuntimeError(
          `Size does not match at dimension ${d} expected index ${sizeText(index.shape)} to be no larger than self ${sizeText(input.shape)} apart from dimension ${axis}`,
          { shapes: [index.shape, input.shape] },
        );
      }
    }
    const size = input.shape[axis] ?? 1;
    const value = firstOutside(index, size);
    if (value !== null) {
      throw new RuntimeError(`index ${value} is out of bounds for dimension ${axis} with size ${size}`);
    }
    return call(Gather, { dim: axis, index }, input);
  },
);

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
export const maskedFill = checked(
  "masked_fill(Tensor input, Tensor mask, Operand value)",
  (input: Tensor, mask: Tensor, value: Scalar | Tensor): Tensor => {
    if (mask.dtype !== bool)
      throw new RuntimeError(
        `masked_fill_ only supports boolean masks, but got mask with dtype ${CPP_NAMES[mask.dtype.name]}`,
      );
    const filler =
      value instanceof Tensor
        ? value
        : filled([], convert(asOperand(value, "masked_fill", "value", 3).item(), input.dtype), input.dtype);
    const ofTensor = value instanceof Tensor;
    return call(
      MaskedFill,
      { ofTensor },
      input,
      mask,
      ofTensor ? to(filler, input.dtype) : castRaw(filler, input.dtype),
    );
  },
);

const MaskedFill: Op<{ ofTensor: boolean }> = defineOp({
  name: "masked_fill",
  gradFn: ({ ofTensor }) => (ofTensor ? "MaskedFillBackward1" : "MaskedFillBackward0"),
  unlisted: ({ ofTensor }) => (ofTensor ? [1] : [1, 2]),
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

/** Rows along `dim` in another order. No gradient. */
function reorderedRaw(x: Tensor, dim: number, from: (i: number, size: number) => number): Tensor {
  const [outer, n, inner] = around(x.shape, dim);
  const order = Tensor.empty([n], int64);
  for (let i = 0; i < n; i++) order.storage.data[i] = from(i, n);
  const out = Tensor.empty(x.shape, x.dtype);
  kernels.indexSelect(viewAs(denseRaw(x), [outer, n, inner]), order.kernelView, viewAs(out, [outer, n, inner]));
  return out;
}

const Flip: Op<{ dims: number[] }> = defineOp({
  name: "flip",
  gradFn: "FlipBackward0",
  kernels: ["indexSelect"],
  forward: ({ attrs: { dims } }, x: Tensor) =>
    dims.reduce((y, dim) => reorderedRaw(y, dim, (i, n) => n - 1 - i), copyRaw(x)),
  backward: ({ attrs: { dims } }, grad: Tensor) => [flip(grad, dims)],
});

/** Without dims the elements move along the flat tensor. */
const Roll: Op<{ shifts: number[]; dims: number[] | null }> = defineOp({
  name: "roll",
  gradFn: "RollBackward0",
  kernels: ["indexSelect"],
  forward({ attrs: { shifts, dims } }, x: Tensor) {
    const dense = copyRaw(x);
    const start = dims ? dense : new Tensor(dense.storage, [dense.numel()]);
    const rolled = (dims ?? [0]).reduce(
      (y, dim, k) => reorderedRaw(y, dim, (i, n) => (((i - shifts[k]!) % n) + n) % n),
      start,
    );
    return new Tensor(rolled.storage, x.shape);
  },
  backward: ({ attrs: { shifts, dims } }, grad: Tensor) => [call(Roll, { shifts: shifts.map((s) => -s), dims }, grad)],
});

/** Order of elements reversed along dimensions. */
export const flip = checked<(input: Tensor, ...dims: number[] | [readonly number[]]) => Tensor>(
  "flip(Tensor input, int... dims)",
  (input: Tensor, dims: readonly number[]): Tensor => {
    return call(Flip, { dims: dims.length === 0 ? [] : normalizeDims(dims, input.ndim) }, input);
  },
);

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
    ["!input: Tensor", "!shifts: int[1]", "dims: int[1]?"],
    args,
  );
  const list = [shifts].flat();
  const given = dims === null ? null : [dims].flat();
  if (input.ndim === 0 && given && given.length > 0) {
    throw new IndexError(`Dimension specified as ${given[0]} but tensor has no dimensions`);
  }
  const empty = input.numel() === 0;
  const axes = empty ? null : (given?.map((dim) => normalizeDim(dim, input.ndim)) ?? null);
  if (list.length !== (given ?? [0]).length) {
    throw new RuntimeError(`shifts and dimensions must align. shifts: ${list.length}, dims:${given?.length ?? 0}`);
  }
  return call(Roll, { shifts: empty ? [0] : list, dims: axes }, input);
}

methods({ indexSelect, gather, maskedFill, flip, roll });

declare module "../core/tensor.ts" {
  interface Tensor {
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
