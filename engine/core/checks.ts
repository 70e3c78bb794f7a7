/** Checks of single arguments that are numbers or sizes, with PyTorch's TypeError for what is none. */
import { TypeError } from "./errors.ts";
import { pythonTypeName } from "./tensor.ts";

function argumentOf(operation: string, argument: string, position: number): string {
  return `${operation}(): argument '${argument}' (position ${position})`;
}

/** @throws TypeError for a value that is no number, where `kind` is what PyTorch calls it: float, or Number */
export function assertNumber(
  value: unknown,
  operation: string,
  argument: string,
  position: number,
  kind: "float" | "Number" = "float",
): asserts value is number {
  if (typeof value === "number" || typeof value === "boolean") return;
  throw new TypeError(`${argumentOf(operation, argument, position)} must be ${kind}, not ${pythonTypeName(value)}`);
}

/** @throws TypeError for a dimension, a size or a count that is no whole number */
export function assertInt(
  value: unknown,
  operation: string,
  argument: string,
  position: number,
): asserts value is number {
  if (Number.isInteger(value)) return;
  throw new TypeError(`${argumentOf(operation, argument, position)} must be int, not ${pythonTypeName(value)}`);
}

/** @throws TypeError for sizes that are no list, or one with other elements than whole numbers */
export function assertInts(
  value: unknown,
  operation: string,
  argument: string,
  position: number,
): asserts value is readonly number[] {
  if (!Array.isArray(value)) {
    throw new TypeError(
      `${argumentOf(operation, argument, position)} must be tuple of ints, not ${pythonTypeName(value)}`,
    );
  }
  const at = value.findIndex((size) => !Number.isInteger(size));
  if (at < 0) return;
  const found = pythonTypeName(value[at]);
  throw new TypeError(
    at === 0
      ? `${argumentOf(operation, argument, position)} must be tuple of ints, but found element of type ${found} at pos 0`
      : `${operation}(): argument '${argument}' failed to unpack the object at pos ${at + 1} with error "type must be tuple of ints,but got ${found}"`,
  );
}
