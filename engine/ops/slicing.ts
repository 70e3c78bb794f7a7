/** Views of a part: one index, a slice, a diagonal. https://docs.pytorch.org/docs/2.13/tensor_view.html */
import { IndexError, RuntimeError } from "../core/errors.ts";
import { normalizeDim, sizeText } from "../core/shape.ts";
import { checked } from "../core/signature.ts";
import { Tensor } from "../core/tensor.ts";
import { copyRaw } from "./operands.ts";
import { call, defineOp, type Method, methods, type Op } from "./registry.ts";
import { asStridedBackward } from "./strided.ts";
import { makeView, unsqueeze } from "./view.ts";

interface SelectAttrs {
  dim: number;
  index: number;
}

const Select: Op<SelectAttrs> = defineOp({
  name: "select",
  gradFn: "SelectBackward0",
  kernels: [],
  forward(ctx, x: Tensor) {
    const { dim, index } = ctx.attrs;
    ctx.notes = geometryOf(x);
    return makeView(x, x.shape.toSpliced(dim, 1), x.strides.toSpliced(dim, 1), x.offset + index * x.strides[dim]!);
  },
  backward({ attrs: { dim, index }, notes }, grad: Tensor) {
    const { shape } = notes as Geometry;
    return [placeSlice(unsqueeze(grad, dim), shape, dim, index, 1)];
  },
});

interface SliceAttrs {
  /** The node's name: split and chunk are slices by another name. */
  gradFn: string;
  dim: number;
  start: number;
  length: number;
  step: number;
}

const Slice: Op<SliceAttrs> = defineOp({
  name: "slice",
  gradFn: ({ gradFn }) => gradFn,
  kernels: [],
  forward(ctx, x: Tensor) {
    const { dim, start, length, step } = ctx.attrs;
    ctx.notes = geometryOf(x);
    return makeView(
      x,
      x.shape.with(dim, length),
      x.strides.with(dim, x.strides[dim]! * step),
      x.offset + start * x.strides[dim]!,
    );
  },
  backward({ attrs: { dim, start, step }, notes }, grad: Tensor) {
    return [placeSlice(grad, (notes as Geometry).shape, dim, start, step)];
  },
});

interface Geometry {
  shape: number[];
}

function geometryOf(x: Tensor): Geometry {
  return { shape: [...x.shape] };
}

/** Zeros of `shape` with `grad` at start, start + step, … along `dim`. */
function placeSlice(grad: Tensor, shape: number[], dim: number, start: number, step: number): Tensor {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i]!;
  }
  const offset = start * strides[dim]!;
  strides[dim]! *= step;
  return asStridedBackward(grad, { baseShape: shape, shape: [...grad.shape], strides, offset });
}

interface DiagonalAttrs {
  /** As a new tensor rather than a view. */
  copies: boolean;
  offset: number;
  dim1: number;
  dim2: number;
}

const Diagonal: Op<DiagonalAttrs> = defineOp({
  name: "diagonal",
  gradFn: ({ copies }) => (copies ? "DiagonalBackward0_copy" : "DiagonalBackward0"),
  kernels: [],
  forward(ctx, x: Tensor) {
    const { offset, dim1, dim2 } = ctx.attrs;
    ctx.notes = geometryOf(x);
    const length = Math.max(
      0,
      offset >= 0
        ? Math.min(x.shape[dim1]!, x.shape[dim2]! - offset)
        : Math.min(x.shape[dim1]! + offset, x.shape[dim2]!),
    );
    const rest = x.shape.map((_, i) => i).filter((i) => i !== dim1 && i !== dim2);
    const start = length === 0 ? 0 : offset >= 0 ? offset * x.strides[dim2]! : -offset * x.strides[dim1]!;
    const view = makeView(
      x,
      [...rest.map((i) => x.shape[i]!), length],
      [...rest.map((i) => x.strides[i]!), x.strides[dim1]! + x.strides[dim2]!],
      x.offset + start,
    );
    return ctx.attrs.copies ? copyRaw(view) : view;
  },
  backward({ attrs, notes }, grad: Tensor) {
    const probe = Tensor.empty((notes as Geometry).shape, grad.dtype);
    const view = diagonal(probe, attrs.offset, attrs.dim1, attrs.dim2);
    return [
      asStridedBackward(grad, {
        baseShape: [...probe.shape],
        shape: [...view.shape],
        strides: [...view.strides],
        offset: view.offset,
      }),
    ];
  },
});

interface UnfoldAttrs {
  dim: number;
  size: number;
  step: number;
}

const Unfold: Op<UnfoldAttrs> = defineOp({
  name: "unfold",
  gradFn: "UnfoldBackward0",
  kernels: [],
  forward(ctx, x: Tensor) {
    ctx.notes = geometryOf(x);
    return makeView(x, ...unfolded(x, ctx.attrs));
  },
  backward({ attrs, notes }, grad: Tensor) {
    const probe = Tensor.empty((notes as Geometry).shape, grad.dtype);
    const [shape, strides] = unfolded(probe, attrs);
    return [asStridedBackward(grad, { baseShape: [...probe.shape], shape, strides, offset: 0 })];
  },
});

/** Shape and strides of the windows along a dimension: the windows stay there, what is in them becomes the last one. */
function unfolded({ shape, strides }: Tensor, { dim, size, step }: UnfoldAttrs): [shape: number[], strides: number[]] {
  if (shape.length === 0) return [[size], [1]];
  return [
    [...shape.with(dim, Math.floor((shape[dim]! - size) / step) + 1), size],
    [...strides.with(dim, strides[dim]! * step), strides[dim]!],
  ];
}

/**
 * All windows of `size` elements along a dimension, `step` apart, as a view with one dimension more.
 * https://docs.pytorch.org/docs/2.13/generated/torch.Tensor.unfold.html
 * @throws RuntimeError where no window fits, or step is not positive
 */
export const unfoldWindows = checked(
  "unfold(Tensor input, int dimension, int size, int step)",
  (input: Tensor, dimension: number, size: number, step: number): Tensor => {
    const dim = normalizeDim(dimension, input.ndim);
    const most = input.ndim === 0 ? 1 : input.shape[dim]!;
    if (size < 0) throw new RuntimeError(`size is ${size} but must be >= 0`);
    if (size > most)
      throw new RuntimeError(`maximum size for tensor at dimension ${dim} is ${most} but size is ${size}`);
    if (step <= 0) throw new RuntimeError(`step is ${step} but must be > 0`);
    return call(Unfold, { dim, size, step }, input);
  },
);

/** One index along a dimension, which disappears. */
export const select = checked(
  "select(Tensor input, int dim, int index)",
  (input: Tensor, dim: number, index: number): Tensor => {
    if (input.ndim === 0) throw new IndexError("select() cannot be applied to a 0-dim tensor.");
    const axis = normalizeDim(dim, input.ndim);
    const size = input.shape[axis]!;
    if (index < -size || index >= size) {
      throw new IndexError(
        `select(): index ${index} out of range for tensor of size ${sizeText(input.shape)} at dimension ${axis}`,
      );
    }
    return call(Select, { dim: axis, index: index < 0 ? index + size : index }, input);
  },
);

/** start, start + step, … along a dimension; the caller has clipped them. */
export function sliceRaw(
  input: Tensor,
  dim: number,
  start: number,
  length: number,
  step: number,
  gradFn = "SliceBackward0",
): Tensor {
  return call(Slice, { dim, start, length, step, gradFn }, input);
}

/** `length` elements along a dimension from `start` on. */
export const narrow = checked(
  "narrow(Tensor input, int dim, int start, int length)",
  (input: Tensor, dim: number, start: number, length: number): Tensor => {
    if (input.ndim === 0) throw new RuntimeError("narrow() cannot be applied to a 0-dim tensor.");
    const axis = normalizeDim(dim, input.ndim);
    const size = input.shape[axis]!;
    const from = start < 0 ? start + size : start;
    if (length < 0) throw new RuntimeError("narrow(): length must be non-negative.");
    if (from > size || from < 0) {
      throw new IndexError(`start out of range (expected to be in range of [${-size}, ${size}], but got ${start})`);
    }
    if (from + length > size) {
      throw new RuntimeError(`start (${from}) + length (${length}) exceeds dimension size (${size}).`);
    }
    return sliceRaw(input, axis, from, length, 1);
  },
);

/** The diagonal of the matrix that two dimensions form, as the last dimension. */
export const diagonal = checked(
  "diagonal(Tensor input, int offset?, int dim1?, int dim2?)",
  (input: Tensor, offset = 0, dim1 = 0, dim2 = 1): Tensor => {
    const [first, second] = [normalizeDim(dim1, input.ndim), normalizeDim(dim2, input.ndim)];
    if (first === second) throw new RuntimeError(`diagonal dimensions cannot be identical ${dim1}, ${dim2}`);
    return call(Diagonal, { copies: false, offset, dim1: first, dim2: second }, input);
  },
);

/** The diagonal of a matrix as a tensor of its own: torch.diag's. */
export function diagonalCopy(input: Tensor, offset: number): Tensor {
  return call(Diagonal, { copies: true, offset, dim1: 0, dim2: 1 }, input);
}

methods({ select, narrow, diagonal, unfold: unfoldWindows });

declare module "../core/tensor.ts" {
  interface Tensor {
    select: Method<typeof select>;
    narrow: Method<typeof narrow>;
    diagonal: Method<typeof diagonal>;
    /** All windows of `size` elements along a dimension, `step` apart, as a view with one dimension more. */
    unfold: Method<typeof unfoldWindows>;
  }
}
