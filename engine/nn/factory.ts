/** What every layer with parameters accepts about where and as what they are made. */
import { assertInts } from "../core/checks.ts";
import { type Device, device as toDevice } from "../core/device.ts";
import type { DType } from "../core/dtype.ts";
import { RuntimeError } from "../core/errors.ts";
import { getDefaultDtype } from "../core/promotion.ts";
import { sizeText } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";
import { movedTo } from "../ops/creation.ts";
import { Parameter } from "./parameter.ts";

export interface FactoryOptions {
  /** Where parameters live. Default "cpu". */
  device?: Device | string | null;
  /** Their dtype. Default float32. */
  dtype?: DType | null;
}

/**
 * An uninitialised parameter; a number alone is the size of a vector.
 * @throws TypeError for a size that is no whole number, RuntimeError for a negative one
 */
export function emptyParameter(size: number | readonly number[], { device, dtype }: FactoryOptions): Parameter {
  const shape = Number.isInteger(size) ? [size as number] : size;
  assertInts(shape, "empty", "size", 1);
  const negative = shape.find((size) => size < 0);
  if (negative !== undefined) {
    throw new RuntimeError(`Trying to create tensor with negative dimension ${negative}: ${sizeText(shape)}`);
  }
  const values = Tensor.empty(shape, dtype ?? getDefaultDtype());
  return new Parameter(device ? movedTo(values, toDevice(device)) : values);
}
