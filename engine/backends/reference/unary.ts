/** The scalar functions behind unary kernels, with PyTorch's answers for NaN, zeros and ties. */
import type { DType } from "../../core/dtype.ts";
import type { UnaryOp } from "../backend.ts";
import { erf } from "./erf.ts";

type Scalar = (x: number) => number;

const f32 = Math.fround;

/** Halves go to the even neighbour, as IEEE 754 and Python have it. */
export function roundHalfEven(x: number): number {
  const rounded = Math.round(x);
  return rounded - x === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

const FUNCTIONS: Readonly<Record<UnaryOp, Scalar>> = {
  neg: (x) => -x,
  abs: Math.abs,
  // NaN has no sign: PyTorch answers 0.
  sign: (x) => Number(x > 0) - Number(x < 0),
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log2: Math.log2,
  log10: Math.log10,
  log1p: Math.log1p,
  sqrt: Math.sqrt,
  rsqrt: (x) => 1 / Math.sqrt(x),
  reciprocal: (x) => 1 / x,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  // Math.max lets a NaN through, and makes -0 0.
  relu: (x) => Math.max(x, 0),
  erf,
  floor: Math.floor,
  ceil: Math.ceil,
  round: roundHalfEven,
  trunc: Math.trunc,
  square: (x) => x * x,
  logical_not: (x) => Number(x === 0),
  isnan: (x) => Number(Number.isNaN(x)),
  isinf: (x) => Number(x === Infinity || x === -Infinity),
  isfinite: (x) => Number(x - x === 0),
};

/** Where PyTorch rounds to float32 between the steps, so does this. */
const IN_FLOAT32: Partial<Record<UnaryOp, Scalar>> = {
  rsqrt: (x) => 1 / f32(Math.sqrt(x)),
  sigmoid: (x) => 1 / f32(1 + f32(Math.exp(-x))),
};

const IN_INT32: Partial<Record<UnaryOp, Scalar>> = {
  square: (x) => Math.imul(x, x),
};

/** Integers have no negative zero. */
const IN_INT64: Partial<Record<UnaryOp, Scalar>> = {
  neg: (x) => 0 - x,
};

/** The function for one operation, computed in `dtype`. */
export function unaryFunction(op: UnaryOp, dtype: DType): Scalar {
  if (dtype.name === "float32") return IN_FLOAT32[op] ?? FUNCTIONS[op];
  if (dtype.name === "int32") return IN_INT32[op] ?? FUNCTIONS[op];
  if (dtype.name === "int64") return IN_INT64[op] ?? FUNCTIONS[op];
  return FUNCTIONS[op];
}
