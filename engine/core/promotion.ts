/** Dtypes of results. https://docs.pytorch.org/docs/2.13/tensor_attributes.html#type-promotion-doc */
import { bool, type DType, float32, int64, promoteTypes } from "./dtype.ts";
import { RuntimeError } from "./errors.ts";
import type { Tensor } from "./tensor.ts";

let defaultDtype: DType = float32;

/** The dtype of floats that nobody gave one: float32 until changed. */
export function getDefaultDtype(): DType {
  return defaultDtype;
}

/**
 * Chooses the dtype of new floating tensors; float32 at the start.
 * @throws RuntimeError for a dtype that is not floating
 */
export function setDefaultDtype(dtype: DType): void {
  if (!dtype.isFloatingPoint) throw new RuntimeError("only floating-point types are supported as the default type");
  defaultDtype = dtype;
}

/** The dtype PyTorch gives a number: bool, int64, or the default float. JavaScript's 2.0 is 2, an integer. */
export function scalarDtype(value: number | boolean): DType {
  if (typeof value === "boolean") return bool;
  return Number.isInteger(value) ? int64 : defaultDtype;
}

type Known = DType | null;

function combine(higher: Known, lower: Known): Known {
  if (!higher || !lower) return higher ?? lower;
  if (higher.isFloatingPoint) return higher;
  if (higher === bool || lower.isFloatingPoint) return promoteTypes(higher, lower);
  return higher;
}

/** Tensors with dimensions decide within their kind; 0-d tensors, then numbers, count only where they are of a higher kind. */
export function resultType(...operands: Tensor[]): DType {
  let dimensioned: Known = null;
  let zeroDim: Known = null;
  let wrapped: Known = null;
  for (const t of operands) {
    if (t.isWrappedNumber) {
      const dtype = t.dtype.isFloatingPoint ? defaultDtype : t.dtype;
      wrapped = wrapped ? promoteTypes(wrapped, dtype) : dtype;
    } else if (t.ndim === 0) zeroDim = zeroDim ? promoteTypes(zeroDim, t.dtype) : t.dtype;
    else dimensioned = dimensioned ? promoteTypes(dimensioned, t.dtype) : t.dtype;
  }
  return combine(dimensioned, combine(zeroDim, wrapped))!;
}

/** Whether a result may be written into a tensor of this dtype: floats not into integers, nothing but bool into bool. */
export function canCast(from: DType, to: DType): boolean {
  if (from.isFloatingPoint && !to.isFloatingPoint) return false;
  return to !== bool || from === bool;
}

/** PyTorch's scalar type names, used in messages. */
export const SCALAR_TYPE_NAMES = {
  float32: "Float",
  float64: "Double",
  int32: "Int",
  int64: "Long",
  uint8: "Byte",
  bool: "Bool",
} as const;

/** The C++ types behind them, used in other messages. */
export const CPP_NAMES = {
  float32: "float",
  float64: "double",
  int32: "int",
  int64: "long int",
  uint8: "unsigned char",
  bool: "bool",
} as const;
