/** The scalar functions behind binary kernels: PyTorch's rules for integers, zeros, signs and NaN. */
import type { DType } from "../../core/dtype.ts";
import { RuntimeError } from "../../core/errors.ts";
import type { BinaryOp } from "../backend.ts";
import { checkedInt64 } from "./numbers.ts";

type Scalar = (a: number, b: number) => number;

const f32 = Math.fround;
const exactly = (x: number): number => x;

function nonZero(b: number): number {
  if (b === 0) throw new RuntimeError("ZeroDivisionError");
  return b;
}

/** Takes the sign of the divisor, as Python's %. */
function remainder(a: number, b: number): number {
  const rest = a % b;
  return rest !== 0 && b < 0 !== rest < 0 ? rest + b : rest;
}

/** Python's //: what remains after the remainder is taken away, so that a == b·(a // b) + a % b. */
function floorDivideIn(round: (x: number) => number): Scalar {
  return (a, b) => {
    if (b === 0) return a / b;
    const rest = a % b;
    let quotient = round(round(a - rest) / b);
    if (rest !== 0 && b < 0 !== rest < 0) quotient = round(quotient - 1);
    if (quotient === 0) return a / b < 0 || Object.is(a / b, -0) ? -0 : 0;
    const floor = Math.floor(quotient);
    return quotient - floor > 0.5 ? floor + 1 : floor;
  };
}

/** C's pow: 1 to any power is 1, and so is -1 to an infinite one; JavaScript says NaN. */
function power(a: number, b: number): number {
  if (a === 1) return 1;
  if (a === -1 && (b === Infinity || b === -Infinity)) return 1;
  return a ** b;
}

function integerPowerBy(multiply: Scalar): Scalar {
  return (a, b) => {
    if (b < 0) return a === 1 ? 1 : a === -1 ? (b % 2 === 0 ? 1 : -1) : 0;
    let result = 1;
    for (let base = a, left = b; left > 0; left = Math.floor(left / 2)) {
      if (left % 2 === 1) result = multiply(result, base);
      if (left > 1) base = multiply(base, base);
    }
    return result;
  };
}

/** Integers within 32 bits take JavaScript's own operators; wider ones go by way of BigInt. */
function bitwise(narrow: Scalar, wide: (a: bigint, b: bigint) => bigint): Scalar {
  return (a, b) => ((a | 0) === a && (b | 0) === b ? narrow(a, b) : Number(wide(BigInt(a), BigInt(b))));
}

const logicalAnd: Scalar = (a, b) => Number(a !== 0 && b !== 0);
const logicalOr: Scalar = (a, b) => Number(a !== 0 || b !== 0);

const FLOATING: Readonly<Record<BinaryOp, Scalar>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  floor_divide: floorDivideIn(exactly),
  remainder,
  fmod: (a, b) => a % b,
  pow: power,
  // Math.max and Math.min answer NaN when either is NaN, as PyTorch does.
  maximum: Math.max,
  minimum: Math.min,
  atan2: Math.atan2,
  eq: (a, b) => Number(a === b),
  ne: (a, b) => Number(a !== b),
  lt: (a, b) => Number(a < b),
  le: (a, b) => Number(a <= b),
  gt: (a, b) => Number(a > b),
  ge: (a, b) => Number(a >= b),
  logical_and: logicalAnd,
  logical_or: logicalOr,
  logical_xor: (a, b) => Number((a !== 0) !== (b !== 0)),
  bitwise_and: bitwise(
    (a, b) => a & b,
    (a, b) => a & b,
  ),
  bitwise_or: bitwise(
    (a, b) => a | b,
    (a, b) => a | b,
  ),
  bitwise_xor: bitwise(
    (a, b) => a ^ b,
    (a, b) => a ^ b,
  ),
};

const IN_FLOAT32: Partial<Record<BinaryOp, Scalar>> = {
  floor_divide: floorDivideIn(f32),
};

const INTEGER: Partial<Record<BinaryOp, Scalar>> = {
  div: (a, b) => Math.trunc(a / nonZero(b)) + 0,
  floor_divide: (a, b) => (a - remainder(a, nonZero(b))) / b + 0,
  // + 0 turns JavaScript's -0 (-4 % 2) into the integer it is.
  remainder: (a, b) => remainder(a, nonZero(b)) + 0,
  fmod: (a, b) => (a % nonZero(b)) + 0,
  mul: (a, b) => a * b + 0,
};

const IN_INT64: Partial<Record<BinaryOp, Scalar>> = {
  pow: integerPowerBy((a, b) => checkedInt64(a * b)),
};

/** A product of two int32 may need 62 bits, more than a double keeps: Math.imul wraps exactly. */
const IN_INT32: Partial<Record<BinaryOp, Scalar>> = {
  mul: Math.imul,
  pow: integerPowerBy(Math.imul),
};

const IN_BOOL: Partial<Record<BinaryOp, Scalar>> = {
  add: logicalOr,
  mul: logicalAnd,
};

/** The function for one operation on two numbers of `dtype`. */
export function binaryFunction(op: BinaryOp, dtype: DType): Scalar {
  if (dtype.name === "float64") return FLOATING[op];
  if (dtype.name === "float32") return IN_FLOAT32[op] ?? FLOATING[op];
  const special =
    dtype.name === "int64" ? IN_INT64[op] : dtype.name === "bool" ? (IN_BOOL[op] ?? IN_INT32[op]) : IN_INT32[op];
  return special ?? INTEGER[op] ?? FLOATING[op];
}
