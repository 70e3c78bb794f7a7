/**
 * What happens to a number on its way into a dtype. Typed arrays already round to float32 and wrap to int32 and uint8 as C
 * does; this file adds what they lack: the guard of int64, bool's zero or one, and C's conversion from float to int.
 */
import type { DType } from "../../core/dtype.ts";
import { RuntimeError } from "../../core/errors.ts";

const INT64_END = 2 ** 53;

/**
 * int64 lives in doubles. A result of ±2^53 may already have been rounded to it, so what passes lies strictly between.
 * @throws RuntimeError beyond that, rather than a rounded integer.
 */
export function checkedInt64(value: number): number {
  if (!(value < INT64_END && value > -INT64_END)) throw int64Range(value);
  return value;
}

function int64Range(value: number): RuntimeError {
  return new RuntimeError(
    `int64 result ${value} cannot be held exactly: integers are exact only between -2^53 and 2^53 here`,
    {
      hint: "use dtype float64 where rounding is fine",
    },
  );
}

const asBool = (value: number): number => (value === 0 ? 0 : 1);
const asIs = (value: number): number => value;

/** Applied to a result before it is stored; the typed array does the rest. */
export function storing(dtype: DType): (value: number) => number {
  if (dtype.name === "bool") return asBool;
  return dtype.name === "int64" ? checkedInt64 : asIs;
}

/** A number of dtype `from` as `to` holds it: truncation, wrapping, != 0. */
export function converting(from: DType, to: DType): (value: number) => number {
  if (to.name === "bool") return asBool;
  if (from.category !== "floating" || to.category === "floating") return asIs;
  if (to.name === "int64") return (value) => checkedInt64(Math.trunc(value)) + 0;
  // x86 answers INT_MIN for what an int32 cannot hold.
  if (to.name === "int32")
    return (value) => (value > -2147483649 && value < 2147483648 ? Math.trunc(value) : -2147483648);
  return asIs;
}
