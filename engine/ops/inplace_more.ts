/** The in-place forms of functions that are met less often. */
import { fmod, log, neg } from "./arithmetic.ts";
import { inPlaceOf } from "./inplace.ts";
import type { Operand } from "./operands.ts";
import {
  acos,
  asin,
  atan,
  ceil,
  cos,
  cosh,
  erf,
  expm1,
  log1p,
  log2,
  log10,
  reciprocal,
  rsqrt,
  sign,
  sin,
  sinh,
  square,
  tan,
  trunc,
} from "./pointwise.ts";
import { methods } from "./registry.ts";

methods({
  acos_: inPlaceOf(acos),
  asin_: inPlaceOf(asin),
  atan_: inPlaceOf(atan),
  ceil_: inPlaceOf(ceil),
  cos_: inPlaceOf(cos),
  cosh_: inPlaceOf(cosh),
  erf_: inPlaceOf(erf),
  expm1_: inPlaceOf(expm1),
  fmod_: inPlaceOf(fmod),
  log_: inPlaceOf(log),
  log1p_: inPlaceOf(log1p),
  log2_: inPlaceOf(log2),
  log10_: inPlaceOf(log10),
  neg_: inPlaceOf(neg),
  reciprocal_: inPlaceOf(reciprocal),
  rsqrt_: inPlaceOf(rsqrt),
  sign_: inPlaceOf(sign),
  sin_: inPlaceOf(sin),
  sinh_: inPlaceOf(sinh),
  square_: inPlaceOf(square),
  tan_: inPlaceOf(tan),
  trunc_: inPlaceOf(trunc),
});

declare module "../core/tensor.ts" {
  interface Tensor {
    /** The angle whose cosine each element is, in place. */
    acos_(): Tensor;
    /** The angle whose sine each element is, in place. */
    asin_(): Tensor;
    /** The angle whose tangent each element is, in place. */
    atan_(): Tensor;
    /** Rounds up in place. */
    ceil_(): Tensor;
    /** The cosine of each element, in radians, in place. */
    cos_(): Tensor;
    /** The hyperbolic cosine, in place. */
    cosh_(): Tensor;
    /** The error function, in place. */
    erf_(): Tensor;
    /** exp(x) - 1, exact near zero, in place. */
    expm1_(): Tensor;
    /** C's remainder in place. */
    fmod_(other: Operand): Tensor;
    /** Natural logarithm in place. */
    log_(): Tensor;
    /** log(1 + x), exact near zero, in place. */
    log1p_(): Tensor;
    /** The logarithm to base 2, in place. */
    log2_(): Tensor;
    /** The logarithm to base 10, in place. */
    log10_(): Tensor;
    /** Turns every sign, in place. */
    neg_(): Tensor;
    /** 1 / x in place. */
    reciprocal_(): Tensor;
    /** One over the square root, in place. */
    rsqrt_(): Tensor;
    /** -1, 0 or 1, in place. */
    sign_(): Tensor;
    /** The sine of each element, in radians, in place. */
    sin_(): Tensor;
    /** The hyperbolic sine, in place. */
    sinh_(): Tensor;
    /** x² in place. */
    square_(): Tensor;
    /** The tangent of each element, in radians, in place. */
    tan_(): Tensor;
    /** Rounds towards zero in place. */
    trunc_(): Tensor;
  }
}
