/** The algebra of formulas over tensors: single operations, which are recorded for gradients of gradients. */
import type { Algebra } from "../backends/formula.ts";
import type { Tensor } from "../core/tensor.ts";
import { add, clamp, div, maximum, minimum, mul, neg, sub, where } from "./arithmetic.ts";
import { ge, gt, le, lt } from "./comparison.ts";
import { abs, erf, exp, expm1, log1p, sigmoid, sqrt, square, tanh } from "./pointwise.ts";

// The files above need this one, so nothing of them is read before it is called.
export const recorded: Algebra<Tensor> = {
  add: (a, b) => add(a, b),
  sub: (a, b) => sub(a, b),
  mul: (a, b) => mul(a, b),
  div: (a, b) => div(a, b),
  madd: (a, b, c) => add(mul(a, b), c),
  maximum: (a, b) => (typeof b === "number" ? clamp(a, b, null) : maximum(a, b)),
  minimum: (a, b) => (typeof b === "number" ? clamp(a, null, b) : minimum(a, b)),
  lt: (a, b) => lt(a, b),
  le: (a, b) => le(a, b),
  gt: (a, b) => gt(a, b),
  ge: (a, b) => ge(a, b),
  where: (condition, a, b) => where(condition, a, b),
  neg: (x) => neg(x),
  abs: (x) => abs(x),
  square: (x) => square(x),
  sqrt: (x) => sqrt(x),
  exp: (x) => exp(x),
  expm1: (x) => expm1(x),
  log1p: (x) => log1p(x),
  erf: (x) => erf(x),
  tanh: (x) => tanh(x),
  sigmoid: (x) => sigmoid(x),
};
