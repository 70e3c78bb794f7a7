/** Conversion of a module's tensors that keeps their identity, since optimizers and learners hold on to them. */

import { noGrad } from "../autograd/mode.ts";
import type { Device } from "../core/device.ts";
import type { DType } from "../core/dtype.ts";
import type { Tensor } from "../core/tensor.ts";
import { to } from "../ops/copy.ts";
import { castRaw } from "../ops/operands.ts";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Converts a leaf (and its gradient) in place: floating ones to `dtype`, all to `device`; null leaves that as it is. */
export function convertTensor(tensor: Tensor, dtype: DType | null, device: Device | null): void {
  if (dtype && tensor.dtype.isFloatingPoint && tensor.dtype !== dtype) {
    replaceMemory(tensor, castRaw(tensor, dtype));
    if (tensor.grad) replaceMemory(tensor.grad, castRaw(tensor.grad, dtype));
  }
  if (device && device !== tensor.device) {
    replaceMemory(
      tensor,
      noGrad(() => to(tensor, device)),
    );
    const { grad } = tensor;
    if (grad)
      replaceMemory(
        grad,
        noGrad(() => to(grad, device)),
      );
  }
}

/** Puts another tensor's memory behind `tensor`. What autograd remembered of the old dtype is forgotten. */
export function replaceMemory(tensor: Tensor, source: Tensor): void {
  const target = tensor as Writable<Tensor>;
  target.storage = source.storage;
  target.strides = source.strides;
  target.offset = source.offset;
  target.dtype = source.dtype;
  target.accumulator = null;
}
