// exp, log and what is made of them, for four floats at a time. The work is done in double, where a short polynomial errs by
// about 1e-15, so that the float that comes out is the nearest one almost always: the same bits as Math.exp rounded.

@inline
function maddDouble(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f64x2.relaxed_madd(a, b, c);
  return f64x2.add(f64x2.mul(a, b), c);
}

@inline
function low(v: v128): v128 {
  return f64x2.promote_low_f32x4(v);
}

@inline
function high(v: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i32>(v, v, 2, 3, 2, 3));
}

@inline
function join(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(f32x4.demote_f64x2_zero(a), f32x4.demote_f64x2_zero(b), 0, 1, 4, 5);
}

/** e^x = 2^n · e^r with |r| ≤ ln 2 / 2, e^r by its series to the 12th power. Beyond ±150 every float is 0 or infinite. */
@inline
function expDouble(x: v128): v128 {
  const bounded = f64x2.max(f64x2.splat(-150), f64x2.min(f64x2.splat(150), x));
  const n = f64x2.nearest(f64x2.mul(bounded, f64x2.splat(1.4426950408889634)));
  let r = maddDouble(n, f64x2.splat(-0.6931471803691238), bounded);
  r = maddDouble(n, f64x2.splat(-1.9082149292705877e-10), r);
  let p = f64x2.splat(1.0 / 479001600.0);
  p = maddDouble(p, r, f64x2.splat(1.0 / 39916800.0));
  p = maddDouble(p, r, f64x2.splat(1.0 / 3628800.0));
  p = maddDouble(p, r, f64x2.splat(1.0 / 362880.0));
  p = maddDouble(p, r, f64x2.splat(1.0 / 40320.0));
  p = maddDouble(p, r, f64x2.splat(1.0 / 5040.0));
  p = maddDouble(p, r, f64x2.splat(1.0 / 720.0));
  p = maddDouble(p, r, f64x2.splat(1.0 / 120.0));
  p = maddDouble(p, r, f64x2.splat(1.0 / 24.0));
  p = maddDouble(p, r, f64x2.splat(1.0 / 6.0));
  p = maddDouble(p, r, f64x2.splat(0.5));
  p = maddDouble(p, r, f64x2.splat(1));
  p = maddDouble(p, r, f64x2.splat(1));
  // 2^n: n + 1023 in the exponent's bits, by way of the number whose last bits are n + 1023.
  const biased = f64x2.add(n, f64x2.splat(4503599627370496.0 + 1023.0));
  return f64x2.mul(p, i64x2.shl(biased, 52));
}

/** ln x = e · ln 2 + 2 artanh((m - 1) / (m + 1)) with x = m · 2^e, m between √½ and √2; x is a positive normal double. */
@inline
function logDouble(x: v128): v128 {
  const offset = i64x2.splat(0x3fe6a09e667f3bcd);
  const exponent = i64x2.shr_s(i64x2.sub(x, offset), 52);
  const m = i64x2.sub(x, i64x2.shl(exponent, 52));
  // The exponent, |e| < 1100, as a double: added to the bits of 1.5 · 2^52 it is that number plus e.
  const e = f64x2.sub(i64x2.add(exponent, f64x2.splat(6755399441055744.0)), f64x2.splat(6755399441055744.0));
  const one = f64x2.splat(1);
  const s = f64x2.div(f64x2.sub(m, one), f64x2.add(m, one));
  const z = f64x2.mul(s, s);
  let p = f64x2.splat(2.0 / 17.0);
  p = maddDouble(p, z, f64x2.splat(2.0 / 15.0));
  p = maddDouble(p, z, f64x2.splat(2.0 / 13.0));
  p = maddDouble(p, z, f64x2.splat(2.0 / 11.0));
  p = maddDouble(p, z, f64x2.splat(2.0 / 9.0));
  p = maddDouble(p, z, f64x2.splat(2.0 / 7.0));
  p = maddDouble(p, z, f64x2.splat(2.0 / 5.0));
  p = maddDouble(p, z, f64x2.splat(2.0 / 3.0));
  p = maddDouble(p, z, f64x2.splat(2));
  return maddDouble(e, f64x2.splat(0.6931471805599453), f64x2.mul(p, s));
}

@inline
function keepNaN(x: v128, result: v128): v128 {
  return v128.bitselect(result, x, f32x4.eq(x, x));
}

@inline
export function exp(x: v128): v128 {
  return keepNaN(x, join(expDouble(low(x)), expDouble(high(x))));
}

@inline
export function log(x: v128): v128 {
  const result = join(logDouble(low(x)), logDouble(high(x)));
  const infinite = f32x4.splat(Infinity);
  // ln of a negative number is NaN, of zero -∞, of ∞ itself.
  const positive = v128.bitselect(result, f32x4.splat(NaN), f32x4.gt(x, f32x4.splat(0)));
  const atZero = v128.bitselect(f32x4.splat(-Infinity), positive, f32x4.eq(x, f32x4.splat(0)));
  return keepNaN(x, v128.bitselect(x, atZero, f32x4.eq(x, infinite)));
}

/** Rounded to float between the steps, as PyTorch does it: 1 / (1 + e^-x). */
@inline
export function sigmoid(x: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.div(one, f32x4.add(one, exp(f32x4.neg(x))));
}

/** 1 - 2 / (e^2x + 1); near zero, where that cancels, x · (1 - x²/3 + 2x⁴/15), which keeps -0. */
@inline
function tanhDouble(x: v128): v128 {
  const one = f64x2.splat(1);
  const e = expDouble(f64x2.add(x, x));
  const far = f64x2.sub(one, f64x2.div(f64x2.splat(2), f64x2.add(e, one)));
  const z = f64x2.mul(x, x);
  const bent = maddDouble(z, f64x2.splat(2.0 / 15.0), f64x2.splat(-1.0 / 3.0));
  const near = f64x2.mul(x, maddDouble(z, bent, one));
  return v128.bitselect(near, far, f64x2.lt(f64x2.abs(x), f64x2.splat(0.001)));
}

@inline
export function tanh(x: v128): v128 {
  return keepNaN(x, join(tanhDouble(low(x)), tanhDouble(high(x))));
}
