/** Checks of single arguments that are numbers or sizes, with PyTorch's TypeError for what is none. */
import { isInt, isInts, KINDS, wrongType } from "./kinds.ts";

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
