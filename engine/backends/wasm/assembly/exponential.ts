// e^x in float32 arithmetic, several times as fast as by way of double, and at most one float beside the nearest one.

import { madd } from "./simd";

/**
 * What the steps below count with, each number four times: constants in the code would be made anew for every vector, which
 * takes V8 longer than loading them.
 */
const numbers = memory.data<f32>([
  -105, -105, -105, -105,
  1.4426950408889634, 1.4426950408889634, 1.4426950408889634, 1.4426950408889634,
  12582976, 12582976, 12582976, 12582976,
  -0.693359375, -0.693359375, -0.693359375, -0.693359375,
  2.12194440e-4, 2.12194440e-4, 2.12194440e-4, 2.12194440e-4,
  1.9875691500e-4, 1.9875691500e-4, 1.9875691500e-4, 1.9875691500e-4,
  1.3981999507e-3, 1.3981999507e-3, 1.3981999507e-3, 1.3981999507e-3,
  8.3334519073e-3, 8.3334519073e-3, 8.3334519073e-3, 8.3334519073e-3,
  4.1665795894e-2, 4.1665795894e-2, 4.1665795894e-2, 4.1665795894e-2,
  1.6666665459e-1, 1.6666665459e-1, 1.6666665459e-1, 1.6666665459e-1,
  5.0000001201e-1, 5.0000001201e-1, 5.0000001201e-1, 5.0000001201e-1,
  1, 1, 1, 1,
  5.421010862427522e-20, 5.421010862427522e-20, 5.421010862427522e-20, 5.421010862427522e-20,
], 16);

@inline
function number(index: usize): v128 {
  return v128.load(numbers + (index << 4));
}

/**
 * e^x for x ≤ 40, as 2^n · e^r with |r| ≤ ln 2 / 2. r is kept with what its rounding lost, and 1 is added last, so that hardly
 * any error but the last rounding is left. The polynomial is Cephes'. Below -105 every float is 0; NaN stays NaN.
 */
@inline
export function expFloat(x: v128): v128 {
  const bounded = f32x4.pmax(x, number(0));
  // Adding 1.5 · 2^23 rounds to a whole number, which then stands in the last bits: n + 64.
  const shifted = madd(bounded, number(1), number(2));
  const n = f32x4.sub(shifted, number(2));
  // ln 2 in two parts, of which the first has so few digits that its product with n is exact.
  const far = madd(n, number(3), bounded);
  const near = f32x4.mul(n, number(4));
  const r = f32x4.add(far, near);
  const lost = f32x4.add(f32x4.sub(far, r), near);
  const square = f32x4.mul(r, r);
  let p = madd(madd(number(5), r, number(6)), square, madd(number(7), r, number(8)));
  p = madd(p, square, madd(number(9), r, number(10)));
  const e = f32x4.add(number(11), f32x4.add(r, madd(p, square, lost)));
  // n + 64 more in the exponent, then 2^-64: what is too small for a whole float is rounded once.
  return f32x4.mul(i32x4.add(e, i32x4.shl(shifted, 23)), number(12));
}
