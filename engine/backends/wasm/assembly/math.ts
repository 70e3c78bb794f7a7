// exp, log and what is made of them, for four floats at a time. The work is done in double, where a short polynomial errs by
// about 1e-15, so that the float that comes out is the nearest one almost always: the same bits as Math.exp rounded.

// Constants are loaded: V8 would build each of them anew, in three instructions, every time round a loop.
const EXP = memory.data<f64>([
  2.4884496042099717e-5, 0.00019915884400731175, 0.001388880165214615, 0.008333266065722218, 0.04166666704139892,
  0.16666666891212395, 0.49999999999436195, 0.9999999999797644,
]);
const LOG = memory.data<f64>([
  0.19609006058839307, 0.22174183700342961, 0.285721678310564, 0.39999994874324957, 0.6666666667964294,
]);
const ERF_NEAR = memory.data<f64>([
  1.0595265237555364e-6, -1.3911697121197436e-5, 0.00011956946208788107, -0.0008542670519607429, 0.005223785005065914,
  -0.026866133625057537, 0.11283791313495524, -0.3761263888986922, 1.128379167094695,
]);
const ERF_FAR = memory.data<f64>([
  0.0001499673330396185, 4.488034614269586e-5, -0.0009784802397036728, -0.000846845528811835, 0.006997308765508876,
  0.0037328723961057566, -0.07897857914936637, 0.2416581945195903, -0.4271858474164104, 0.2553956763100557,
]);
const OTHER = memory.data<f64>([
  1.4426950408889634, -150.0, 150.0, -0.6931471803691238, -1.9082149292705877e-10, 4503599627371519.0, 1.0, 2.0,
  6755399441055744.0, 0.6931471805599453, 4.2,
]);

@inline
function at(table: usize, i: usize): v128 {
  return v128.load64_splat(table + (i << 3));
}

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

/** What the exponential functions share: x = n · ln 2 + r with |r| ≤ ln 2 / 2. Beyond ±150 every float is 0 or infinite. */
@inline
function wholePart(bounded: v128): v128 {
  return f64x2.nearest(f64x2.mul(bounded, at(OTHER, 0)));
}

@inline
function within150(x: v128): v128 {
  return f64x2.pmax(at(OTHER, 1), f64x2.pmin(at(OTHER, 2), x));
}

@inline
function restAfter(n: v128, bounded: v128): v128 {
  const r = maddDouble(n, at(OTHER, 3), bounded);
  return maddDouble(n, at(OTHER, 4), r);
}

/** (e^r - 1) / r, nearest to it by a polynomial: e^r errs by 2e-11 · r at most, on the whole by 1e-12. */
@inline
function slopeOfExp(r: v128): v128 {
  let p = at(EXP, 0);
  p = maddDouble(p, r, at(EXP, 1));
  p = maddDouble(p, r, at(EXP, 2));
  p = maddDouble(p, r, at(EXP, 3));
  p = maddDouble(p, r, at(EXP, 4));
  p = maddDouble(p, r, at(EXP, 5));
  p = maddDouble(p, r, at(EXP, 6));
  return maddDouble(p, r, at(EXP, 7));
}

/** 2^n: n + 1023 in the exponent's bits, by way of the number whose last bits are n + 1023. */
@inline
function powerOfTwo(n: v128): v128 {
  return i64x2.shl(f64x2.add(n, at(OTHER, 5)), 52);
}

@inline
function expDouble(x: v128): v128 {
  const bounded = within150(x);
  const n = wholePart(bounded);
  const r = restAfter(n, bounded);
  return f64x2.mul(maddDouble(slopeOfExp(r), r, at(OTHER, 6)), powerOfTwo(n));
}

/** e^x - 1, which keeps its digits near 0, and -0. */
@inline
function expm1Double(x: v128): v128 {
  const bounded = within150(x);
  const n = wholePart(bounded);
  const r = restAfter(n, bounded);
  const slope = slopeOfExp(r);
  const power = powerOfTwo(n);
  const far = maddDouble(f64x2.mul(slope, r), power, f64x2.sub(power, at(OTHER, 6)));
  return v128.bitselect(f64x2.mul(slope, bounded), far, f64x2.eq(n, f64x2.splat(0)));
}

/** ln x = e · ln 2 + 2 artanh((m - 1) / (m + 1)) with x = m · 2^e, m between √½ and √2; x is a positive normal double. */
@inline
function logDouble(x: v128): v128 {
  const offset = i64x2.splat(0x3fe6a09e667f3bcd);
  const exponent = i64x2.shr_s(i64x2.sub(x, offset), 52);
  const m = i64x2.sub(x, i64x2.shl(exponent, 52));
  // The exponent, |e| < 1100, as a double: added to the bits of 1.5 · 2^52 it is that number plus e.
  const e = f64x2.sub(i64x2.add(exponent, at(OTHER, 8)), at(OTHER, 8));
  const one = at(OTHER, 6);
  const s = f64x2.div(f64x2.sub(m, one), f64x2.add(m, one));
  const z = f64x2.mul(s, s);
  let p = at(LOG, 0);
  p = maddDouble(p, z, at(LOG, 1));
  p = maddDouble(p, z, at(LOG, 2));
  p = maddDouble(p, z, at(LOG, 3));
  p = maddDouble(p, z, at(LOG, 4));
  p = maddDouble(p, z, at(OTHER, 7));
  return maddDouble(e, at(OTHER, 9), f64x2.mul(p, s));
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

@inline
export function expm1(x: v128): v128 {
  return keepNaN(x, join(expm1Double(low(x)), expm1Double(high(x))));
}

/** ln (1 + x): the sum is exact in double, but for an x so small that it is its own logarithm. */
@inline
export function log1p(x: v128): v128 {
  const one = at(OTHER, 6);
  const result = join(logDouble(f64x2.add(low(x), one)), logDouble(f64x2.add(high(x), one)));
  const positive = v128.bitselect(result, f32x4.splat(NaN), f32x4.gt(x, f32x4.splat(-1)));
  const atEnd = v128.bitselect(f32x4.splat(-Infinity), positive, f32x4.eq(x, f32x4.splat(-1)));
  const finite = v128.bitselect(x, atEnd, f32x4.eq(x, f32x4.splat(Infinity)));
  return keepNaN(x, v128.bitselect(x, finite, f32x4.lt(f32x4.abs(x), f32x4.splat(2e-8))));
}

/** tanh x = E / (E + 2) with E = e^2x - 1. */
@inline
function tanhDouble(x: v128): v128 {
  const e = expm1Double(f64x2.add(x, x));
  return f64x2.div(e, f64x2.add(e, at(OTHER, 7)));
}

@inline
export function tanh(x: v128): v128 {
  return keepNaN(x, join(tanhDouble(low(x)), tanhDouble(high(x))));
}

/** erf x for |x| ≤ 1: x times a polynomial in x² that errs by 1e-12. */
@inline
function erfNear(x: v128): v128 {
  const z = f64x2.mul(x, x);
  let p = at(ERF_NEAR, 0);
  p = maddDouble(p, z, at(ERF_NEAR, 1));
  p = maddDouble(p, z, at(ERF_NEAR, 2));
  p = maddDouble(p, z, at(ERF_NEAR, 3));
  p = maddDouble(p, z, at(ERF_NEAR, 4));
  p = maddDouble(p, z, at(ERF_NEAR, 5));
  p = maddDouble(p, z, at(ERF_NEAR, 6));
  p = maddDouble(p, z, at(ERF_NEAR, 7));
  p = maddDouble(p, z, at(ERF_NEAR, 8));
  return f64x2.mul(p, x);
}

/** For |x| ≥ 1: 1 - e^-x² times a polynomial in (|x| - 2) / (|x| + 2), which errs by 4e-14. From 4.2 on the float is 1. */
@inline
function erfFar(x: v128): v128 {
  const size = f64x2.pmin(at(OTHER, 10), f64x2.abs(x));
  const t = f64x2.div(f64x2.sub(size, at(OTHER, 7)), f64x2.add(size, at(OTHER, 7)));
  let p = at(ERF_FAR, 0);
  p = maddDouble(p, t, at(ERF_FAR, 1));
  p = maddDouble(p, t, at(ERF_FAR, 2));
  p = maddDouble(p, t, at(ERF_FAR, 3));
  p = maddDouble(p, t, at(ERF_FAR, 4));
  p = maddDouble(p, t, at(ERF_FAR, 5));
  p = maddDouble(p, t, at(ERF_FAR, 6));
  p = maddDouble(p, t, at(ERF_FAR, 7));
  p = maddDouble(p, t, at(ERF_FAR, 8));
  p = maddDouble(p, t, at(ERF_FAR, 9));
  const far = f64x2.sub(at(OTHER, 6), f64x2.mul(expDouble(f64x2.neg(f64x2.mul(size, size))), p));
  // With the sign of x.
  return v128.or(far, v128.and(x, i64x2.splat(0x8000000000000000)));
}

@inline
function erfDouble(x: v128): v128 {
  const isNear = f64x2.le(f64x2.abs(x), at(OTHER, 6));
  const near = erfNear(x);
  if (i64x2.all_true(isNear)) return near;
  return v128.bitselect(near, erfFar(x), isNear);
}

@inline
export function erf(x: v128): v128 {
  return keepNaN(x, join(erfDouble(low(x)), erfDouble(high(x))));
}
