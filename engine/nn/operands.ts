/** What Python's operators say of operands that JavaScript would quietly take for numbers, and sizes by axis. */
import { AttributeError, TypeError, ValueError } from "../core/errors.ts";
import { pythonTypeName, Tensor } from "../core/tensor.ts";

/** @throws TypeError unless the two can be compared, in the words of Python's `left < right` */
export function assertComparable(left: unknown, operator: "<" | "<=" | ">", right: unknown): void {
  if (isNumber(left) && isNumber(right)) return;
  throw new TypeError(
    `'${operator}' not supported between instances of '${pythonTypeName(left)}' and '${pythonTypeName(right)}'`,
  );
}

/** @throws TypeError unless both are numbers, in the words of Python's `left % right` */
export function assertDivisible(left: unknown, right: unknown): void {
  if (isNumber(left) && isNumber(right)) return;
  throw new TypeError(
    typeof left === "string"
      ? "not all arguments converted during string formatting"
      : `unsupported operand type(s) for %: '${pythonTypeName(left)}' and '${pythonTypeName(right)}'`,
  );
}

/** Python counts with true and false. */
function isNumber(value: unknown): boolean {
  return typeof value === "number" || typeof value === "boolean";
}

/** @throws TypeError for what cannot be calculated with */
export function assertReal(value: unknown): void {
  if (!isNumber(value)) throw new TypeError(`must be real number, not ${pythonTypeName(value)}`);
}

/** @throws AttributeError in Python's words for a value that lacks what tensors have */
export function assertTensor(value: unknown, attribute: string): asserts value is Tensor {
  if (value instanceof Tensor) return;
  throw new AttributeError(`'${pythonTypeName(value)}' object has no attribute '${attribute}'`);
}

/** Python's `channels // groups`, which is a float, and no size, where the groups are no whole number. */
export function perGroup(channels: number, groups: number): number {
  return Number.isInteger(groups) ? channels / groups : Number.NaN;
}

/** Python's `float(value)` of what may be a text. @throws ValueError, TypeError for what cannot be one */
export function toFloat(value: unknown): number {
  if (isNumber(value)) return Number(value);
  if (typeof value !== "string") {
    throw new TypeError(`float() argument must be a string or a real number, not '${pythonTypeName(value)}'`);
  }
  const number = value.trim() === "" ? Number.NaN : Number(value);
  if (Number.isNaN(number)) throw new ValueError(`could not convert string to float: '${value}'`);
  return number;
}

/** A size for each axis: one for all is repeated. What is no size at all is found where it is used. */
export function perAxis<T>(count: number, size: T | readonly T[]): readonly T[] {
  if (Array.isArray(size)) return size;
  // To Python a text is a sequence.
  return typeof size === "string" ? [size] : new Array<T>(count).fill(size as T);
}
