/** Checks of single arguments that are numbers or sizes, with PyTorch's TypeError for what is none. */
import { isInt, isInts, KINDS, wrongType } from "./kinds.ts";
import { Tensor } from "./tensor.ts";

/** @throws TypeError for a value that is no number, where `kind` is what PyTorch calls it */
export function assertNumber(
  value: unknown,
  operation: string,
  argument: string,
  position: number,
  kind: "float" | "Number" = "float",
): asserts value is number {
  if (!KINDS.Number(value)) throw wrongType(operation, argument, position - 1, kind, value);
}

/** @throws TypeError for a list in which something is no tensor */
export function assertTensors(values: readonly unknown[], operation: string): asserts values is Tensor[] {
  if (!values.every((value) => value instanceof Tensor)) throw wrongType(operation, "tensors", 0, "Tensor[]", values);
}

/** @throws TypeError for a dimension, a size or a count that is no whole number */
export function assertInt(
  value: unknown,
  operation: string,
  argument: string,
  position: number,
): asserts value is number {
  if (!isInt(value)) throw wrongType(operation, argument, position - 1, "int", value);
}

/** @throws TypeError for sizes that are no list, or one with other elements than whole numbers */
export function assertInts(
  value: unknown,
  operation: string,
  argument: string,
  position: number,
): asserts value is readonly number[] {
  if (!isInts(value)) throw wrongType(operation, argument, position - 1, "int[]", value);
}
