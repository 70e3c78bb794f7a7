import { erf, exp, expm1, log, log1p, sigmoid, tanh } from "./math";

// Operations are numbered as in the host's lists (engine/backends/wasm/elementwise.ts). Lengths are rounded up to four whole
// vectors: the host leaves room behind each array, and never looks at what is computed there.

@inline
function unaryOf(op: i32, x: v128): v128 {
  if (op == 0) return f32x4.neg(x);
  if (op == 1) return f32x4.abs(x);
  // f32x4.max lets a NaN through and prefers 0 to -0.
  if (op == 2) return f32x4.max(x, f32x4.splat(0));
  if (op == 3) return f32x4.mul(x, x);
  if (op == 4) return f32x4.sqrt(x);
  if (op == 5) return f32x4.div(f32x4.splat(1), x);
  if (op == 6) return f32x4.div(f32x4.splat(1), f32x4.sqrt(x));
  if (op == 7) return f32x4.floor(x);
  if (op == 8) return f32x4.ceil(x);
  if (op == 9) return f32x4.nearest(x);
  if (op == 10) return f32x4.trunc(x);
  if (op == 11) return exp(x);
  if (op == 12) return log(x);
  if (op == 13) return sigmoid(x);
  if (op == 14) return tanh(x);
  if (op == 15) return expm1(x);
  if (op == 16) return log1p(x);
  return erf(x);
}

@inline
function mapAll(op: i32, x: usize, out: usize, count: i32): void {
  const end = x + (<usize>count << 2);
  while (x < end) {
    v128.store(out, unaryOf(op, v128.load(x)));
    // What takes one instruction goes four times in a row: going round a loop takes as long.
    if (op <= 10) {
      v128.store(out, unaryOf(op, v128.load(x, 16)), 16);
      v128.store(out, unaryOf(op, v128.load(x, 32)), 32);
      v128.store(out, unaryOf(op, v128.load(x, 48)), 48);
    }
    x += op <= 10 ? 64 : 16;
    out += op <= 10 ? 64 : 16;
  }
}

export function unary(op: i32, x: usize, out: usize, count: i32): void {
  switch (op) {
    case 0: mapAll(0, x, out, count); break;
    case 1: mapAll(1, x, out, count); break;
    case 2: mapAll(2, x, out, count); break;
    case 3: mapAll(3, x, out, count); break;
    case 4: mapAll(4, x, out, count); break;
    case 5: mapAll(5, x, out, count); break;
    case 6: mapAll(6, x, out, count); break;
    case 7: mapAll(7, x, out, count); break;
    case 8: mapAll(8, x, out, count); break;
    case 9: mapAll(9, x, out, count); break;
    case 10: mapAll(10, x, out, count); break;
    case 11: mapAll(11, x, out, count); break;
    case 12: mapAll(12, x, out, count); break;
    case 13: mapAll(13, x, out, count); break;
    case 14: mapAll(14, x, out, count); break;
    case 15: mapAll(15, x, out, count); break;
    case 16: mapAll(16, x, out, count); break;
    default: mapAll(17, x, out, count);
  }
}

@inline
function binaryOf(op: i32, a: v128, b: v128): v128 {
  if (op == 0) return f32x4.add(a, b);
  if (op == 1) return f32x4.sub(a, b);
  if (op == 2) return f32x4.mul(a, b);
  if (op == 3) return f32x4.div(a, b);
  if (op == 4) return f32x4.max(a, b);
  return f32x4.min(a, b);
}

@inline
function combineAll(op: i32, a: usize, b: usize, out: usize, count: i32): void {
  const end = a + (<usize>count << 2);
  while (a < end) {
    v128.store(out, binaryOf(op, v128.load(a), v128.load(b)));
    v128.store(out, binaryOf(op, v128.load(a, 16), v128.load(b, 16)), 16);
    v128.store(out, binaryOf(op, v128.load(a, 32), v128.load(b, 32)), 32);
    v128.store(out, binaryOf(op, v128.load(a, 48), v128.load(b, 48)), 48);
    a += 64;
    b += 64;
    out += 64;
  }
}

export function binary(op: i32, a: usize, b: usize, out: usize, count: i32): void {
  switch (op) {
    case 0: combineAll(0, a, b, out, count); break;
    case 1: combineAll(1, a, b, out, count); break;
    case 2: combineAll(2, a, b, out, count); break;
    case 3: combineAll(3, a, b, out, count); break;
    case 4: combineAll(4, a, b, out, count); break;
    default: combineAll(5, a, b, out, count);
  }
}

@inline
function upper(v: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i32>(v, v, 2, 3, 2, 3));
}

/** a · b + c, rounded once: by the machine, or by way of doubles. */
@inline
function multiplyAddOf(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  const p = f64x2.mul(f64x2.promote_low_f32x4(a), f64x2.promote_low_f32x4(b));
  const q = f64x2.mul(upper(a), upper(b));
  const low = f32x4.demote_f64x2_zero(f64x2.add(p, f64x2.promote_low_f32x4(c)));
  return v128.shuffle<i32>(low, f32x4.demote_f64x2_zero(f64x2.add(q, upper(c))), 0, 1, 4, 5);
}

export function multiplyAdd(a: usize, b: usize, c: usize, out: usize, count: i32): void {
  const end = a + (<usize>count << 2);
  while (a < end) {
    v128.store(out, multiplyAddOf(v128.load(a), v128.load(b), v128.load(c)));
    v128.store(out, multiplyAddOf(v128.load(a, 16), v128.load(b, 16), v128.load(c, 16)), 16);
    v128.store(out, multiplyAddOf(v128.load(a, 32), v128.load(b, 32), v128.load(c, 32)), 32);
    v128.store(out, multiplyAddOf(v128.load(a, 48), v128.load(b, 48), v128.load(c, 48)), 48);
    a += 64;
    b += 64;
    c += 64;
    out += 64;
  }
}

@inline
function comparisonOf(op: i32, a: v128, b: v128): v128 {
  if (op == 0) return f32x4.eq(a, b);
  if (op == 1) return f32x4.ne(a, b);
  if (op == 2) return f32x4.lt(a, b);
  if (op == 3) return f32x4.le(a, b);
  if (op == 4) return f32x4.gt(a, b);
  return f32x4.ge(a, b);
}

/** 16 comparisons to 16 bytes of 0 or 1. */
@inline
function compareAll(op: i32, a: usize, b: usize, out: usize, count: i32): void {
  const end = a + (<usize>count << 2);
  const one = i8x16.splat(1);
  while (a < end) {
    const m0 = comparisonOf(op, v128.load(a), v128.load(b));
    const m1 = comparisonOf(op, v128.load(a, 16), v128.load(b, 16));
    const m2 = comparisonOf(op, v128.load(a, 32), v128.load(b, 32));
    const m3 = comparisonOf(op, v128.load(a, 48), v128.load(b, 48));
    const bytes = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(m0, m1), i16x8.narrow_i32x4_s(m2, m3));
    v128.store(out, v128.and(bytes, one));
    a += 64;
    b += 64;
    out += 16;
  }
}

export function compare(op: i32, a: usize, b: usize, out: usize, count: i32): void {
  switch (op) {
    case 0: compareAll(0, a, b, out, count); break;
    case 1: compareAll(1, a, b, out, count); break;
    case 2: compareAll(2, a, b, out, count); break;
    case 3: compareAll(3, a, b, out, count); break;
    case 4: compareAll(4, a, b, out, count); break;
    default: compareAll(5, a, b, out, count);
  }
}

@inline
function chosen(a: v128, b: v128, low: v128): v128 {
  return v128.bitselect(a, b, i32x4.ne(low, i32x4.splat(0)));
}

/** out[i] = a[i] where byte i of the condition is not 0, else b[i]; 16 at a time. */
export function select(condition: usize, a: usize, b: usize, out: usize, count: i32): void {
  const end = a + (<usize>count << 2);
  while (a < end) {
    const bytes = v128.load(condition);
    const low = i16x8.extend_low_i8x16_u(bytes), high = i16x8.extend_high_i8x16_u(bytes);
    v128.store(out, chosen(v128.load(a), v128.load(b), i32x4.extend_low_i16x8_u(low)));
    v128.store(out, chosen(v128.load(a, 16), v128.load(b, 16), i32x4.extend_high_i16x8_u(low)), 16);
    v128.store(out, chosen(v128.load(a, 32), v128.load(b, 32), i32x4.extend_low_i16x8_u(high)), 32);
    v128.store(out, chosen(v128.load(a, 48), v128.load(b, 48), i32x4.extend_high_i16x8_u(high)), 48);
    condition += 16;
    a += 64;
    b += 64;
    out += 64;
  }
}

/** Whether none of `count` floats is infinite or NaN: only then are all differences with themselves 0. */
export function allFinite(x: usize, count: i32): bool {
  let a = f32x4.splat(0), b = a;
  const whole = x + (<usize>(count & ~7) << 2);
  const end = x + (<usize>count << 2);
  while (x < whole) {
    const p = v128.load(x), q = v128.load(x, 16);
    a = f32x4.add(a, f32x4.sub(p, p));
    b = f32x4.add(b, f32x4.sub(q, q));
    x += 32;
  }
  let rest: f32 = 0;
  while (x < end) {
    rest += load<f32>(x) - load<f32>(x);
    x += 4;
  }
  return rest == 0 && v128.any_true(f32x4.ne(f32x4.add(a, b), f32x4.splat(0))) == false;
}
