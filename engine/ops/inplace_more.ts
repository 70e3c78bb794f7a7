/** The in-place forms of functions that are met less often. */
import { fmod, log } from "./arithmetic.ts";
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
    acos_(): Tensor;
    asin_(): Tensor;
    atan_(): Tensor;
    /** Rounds up in place. */
    ceil_(): Tensor;
    cos_(): Tensor;
    cosh_(): Tensor;
    erf_(): Tensor;
    expm1_(): Tensor;
    /** C's remainder in place. */
    fmod_(other: Operand): Tensor;
    /** Natural logarithm in place. */
    log_(): Tensor;
    log1p_(): Tensor;
    log2_(): Tensor;
    log10_(): Tensor;
    /** 1 / x in place. */
    reciprocal_(): Tensor;
    rsqrt_(): Tensor;
    sign_(): Tensor;
    sin_(): Tensor;
    sinh_(): Tensor;
    /** x² in place. */
    square_(): Tensor;
    tan_(): Tensor;
    /** Rounds towards zero in place. */
    trunc_(): Tensor;
  }
}
