/** Comparisons and logic: element by element, results are bool tensors. */
import type { BinaryOp } from "../backends/backend.ts";
import { bool } from "../core/dtype.ts";
import { assertTensor, type Tensor } from "../core/tensor.ts";
import { asOperand, comparison, type Operand, unary } from "./operands.ts";
import { call, defineOp, type Method, methods, type Op } from "./registry.ts";

type Compare = (input: Operand, other: Operand) => Tensor;

function compare(name: BinaryOp): Compare {
  const op: Op<null> = defineOp({
    name,
    gradFn: "NotImplemented",
    kernels: ["binary"],
    forward: (_, a: Tensor, b: Tensor) => comparison(name, a, b),
  });
  return (input, other) => call(op, null, asOperand(input, name, "input", 1), asOperand(other, name, "other", 2));
}

/** input == other, element by element. */
export const eq: Compare = compare("eq");
/** input != other, element by element. */
export const ne: Compare = compare("ne");
/** input < other, element by element. */
export const lt: Compare = compare("lt");
/** input <= other, element by element. */
export const le: Compare = compare("le");
/** input > other, element by element. */
export const gt: Compare = compare("gt");
/** input >= other, element by element. */
export const ge: Compare = compare("ge");
/** Both are nonzero. */
export const logicalAnd: Compare = compare("logical_and");
/** One of both is nonzero. */
export const logicalOr: Compare = compare("logical_or");
/** Exactly one of both is nonzero. */
export const logicalXor: Compare = compare("logical_xor");

function test(name: "logical_not" | "isnan" | "isinf" | "isfinite"): (input: Tensor) => Tensor {
  const op: Op<null> = defineOp({
    name,
    gradFn: "NotImplemented",
    kernels: ["unary"],
    forward: (_, x: Tensor) => unary(name, x, bool),
  });
  return (input) => {
    assertTensor(input, name, "input", 1);
    return call(op, null, input);
  };
}

/** True where the element is zero. */
export const logicalNot: (input: Tensor) => Tensor = test("logical_not");
/** True where the element is NaN. */
export const isnan: (input: Tensor) => Tensor = test("isnan");
/** True where the element is an infinity. */
export const isinf: (input: Tensor) => Tensor = test("isinf");
/** True where the element is neither NaN nor an infinity. */
export const isfinite: (input: Tensor) => Tensor = test("isfinite");

/** True when both have the same shape and elements. */
export function equal(input: Tensor, other: Tensor): boolean {
  if (input.shape.length !== other.shape.length || input.shape.some((size, i) => size !== other.shape[i])) return false;
  return comparison("ne", input, other)
    .denseData()
    .every((differs) => differs === 0);
}

export interface CloseOptions {
  /** Default 1e-5. */
  rtol?: number;
  /** Default 1e-8. */
  atol?: number;
  /** Whether NaN equals NaN. Default false. */
  equalNan?: boolean;
}

/** True when |input - other| <= atol + rtol · |other| everywhere, after broadcasting. */
export function allclose(
  input: Tensor,
  other: Tensor,
  { rtol = 1e-5, atol = 1e-8, equalNan = false }: CloseOptions = {},
): boolean {
  const [a, b] = [input, other];
  const difference = a.sub(b).abs();
  const bound = b.abs().mul(rtol).add(atol);
  const close = logicalOr(eq(a, b), logicalAnd(le(difference, bound), isfinite(difference)));
  const result = equalNan ? logicalOr(close, logicalAnd(isnan(a), isnan(b))) : close;
  return result.denseData().every((ok) => ok === 1);
}

methods({
  eq,
  ne,
  lt,
  le,
  gt,
  ge,
  greater: gt,
  less: lt,
  logicalAnd,
  logicalOr,
  logicalXor,
  logicalNot,
  isnan,
  isinf,
  isfinite,
  equal,
  allclose,
});

declare module "../core/tensor.ts" {
  interface Tensor {
    /** this == other, element by element. */
    eq: Method<Compare>;
    /** this != other, element by element. */
    ne: Method<Compare>;
    /** this < other, element by element. */
    lt: Method<Compare>;
    /** this <= other, element by element. */
    le: Method<Compare>;
    /** this > other, element by element. */
    gt: Method<Compare>;
    /** this >= other, element by element. */
    ge: Method<Compare>;
    greater: Method<Compare>;
    less: Method<Compare>;
    logicalAnd: Method<Compare>;
    logicalOr: Method<Compare>;
    logicalXor: Method<Compare>;
    logicalNot(): Tensor;
    isnan(): Tensor;
    isinf(): Tensor;
    isfinite(): Tensor;
    /** True when both have the same shape and elements. */
    equal(other: Tensor): boolean;
    /** True when both are equal within tolerances. */
    allclose(other: Tensor, options?: CloseOptions): boolean;
  }
}
