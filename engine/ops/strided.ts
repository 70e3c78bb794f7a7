/** as_strided and its gradient: what every view's gradient and every in-place change of a view comes down to. */
import { kernels } from "../backends/index.ts";
import { type DType, int64 } from "../core/dtype.ts";
import { numel } from "../core/shape.ts";
import { Storage } from "../core/storage.ts";
import { Tensor } from "../core/tensor.ts";
import { denseRaw, viewAs } from "./operands.ts";
import { call, defineOp, type Op } from "./registry.ts";

/** A view of a tensor of `baseShape`; offset counts from its first element. */
export interface StridedView {
  baseShape: number[];
  /** Where the base does not lie row by row: its own strides. */
  baseStrides?: number[];
  shape: number[];
  strides: number[];
  offset: number;
}

/** Flat positions of the view's elements in its base, as a tensor [numel]. */
function positions({ shape, strides, offset }: StridedView): Tensor {
  const out = Tensor.empty([numel(shape)], int64);
  const data = out.storage.data;
  const index = new Array<number>(shape.length).fill(0);
  let position = offset;
  for (let i = 0; i < data.length; i++) {
    data[i] = position;
    for (let dim = shape.length - 1; dim >= 0; dim--) {
      position += strides[dim]!;
      if (++index[dim]! < shape[dim]!) break;
      position -= index[dim]! * strides[dim]!;
      index[dim] = 0;
    }
  }
  return out;
}

/** An empty tensor that lies as the base does. */
function likeBase({ baseShape, baseStrides }: StridedView, dtype: DType): Tensor {
  if (!baseStrides) return Tensor.empty(baseShape, dtype);
  const last = baseShape.reduce((sum, size, i) => sum + (size - 1) * baseStrides[i]!, 0);
  const room = numel(baseShape) === 0 ? 0 : last + 1;
  return new Tensor(Storage.allocate(dtype, room), baseShape, baseStrides);
}

function laidOut(base: Tensor, view: StridedView): Tensor {
  if (!view.baseStrides) return denseRaw(base);
  const out = likeBase(view, base.dtype);
  kernels.copy(base.kernelView, out.kernelView);
  return out;
}

const AsStrided: Op<StridedView> = defineOp({
  name: "as_strided",
  gradFn: "AsStridedBackward0",
  kernels: ["indexSelect"],
  forward({ attrs }, base: Tensor) {
    const whole = laidOut(base, attrs);
    const out = Tensor.empty(attrs.shape, base.dtype);
    const count = out.numel();
    const room = attrs.baseStrides ? whole.storage.length : base.numel();
    kernels.indexSelect(viewAs(whole, [1, room, 1]), positions(attrs).kernelView, viewAs(out, [1, count, 1]));
    return out;
  },
  backward: ({ attrs }, grad: Tensor) => [asStridedBackward(grad, attrs)],
});

const AsStridedBackward: Op<StridedView> = defineOp({
  name: "as_strided_backward",
  gradFn: "AsStridedBackwardBackward0",
  kernels: ["indexAdd"],
  forward({ attrs }, grad: Tensor) {
    const out = likeBase(attrs, grad.dtype);
    const dense = denseRaw(grad);
    kernels.indexAdd(
      viewAs(out, [1, out.storage.length, 1]),
      positions(attrs).kernelView,
      viewAs(dense, [1, dense.numel(), 1]),
    );
    return out;
  },
  backward: ({ attrs }, grad: Tensor) => [gatherStrided(grad, attrs)],
});

/** The elements of a view, copied out of a dense base, differentiable. */
export function gatherStrided(base: Tensor, view: StridedView): Tensor {
  return call(AsStrided, view, base);
}

/** Zeros of the base's shape with the gradient of a view added in its place. */
export function asStridedBackward(grad: Tensor, view: StridedView): Tensor {
  return call(AsStridedBackward, view, grad);
}
