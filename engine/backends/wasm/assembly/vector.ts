// Products of one row with a matrix, which is read once and where it lies: packing it would cost several times the product.

import { high, highPair, low, lowPair } from "./lanes";
import { madd } from "./simd";

/** The sums of the lanes of four vectors. */
@inline
function sumsOf(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(low(a, b), high(a, b));
  const cd = f32x4.add(low(c, d), high(c, d));
  return f32x4.add(lowPair(ab, cd), highPair(ab, cd));
}

/** out [cols] = a [depth] · b, whose columns lie one by one, `step` bytes apart. */
export function rowTimesColumns(a: usize, b: usize, step: usize, depth: i32, cols: i32, out: usize): void {
  const whole = <usize>(depth & ~7) << 2;
  const end = <usize>depth << 2;
  for (let j = 0; j < cols; j += 4) {
    const left = cols - j;
    const p0 = b, p1 = left > 1 ? b + step : b, p2 = left > 2 ? b + 2 * step : b, p3 = left > 3 ? b + 3 * step : b;
    let s00 = f32x4.splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
    let k: usize = 0;
    for (; k < whole; k += 32) {
      const a0 = v128.load(a + k), a1 = v128.load(a + k, 16);
      s00 = madd(a0, v128.load(p0 + k), s00); s01 = madd(a1, v128.load(p0 + k, 16), s01);
      s10 = madd(a0, v128.load(p1 + k), s10); s11 = madd(a1, v128.load(p1 + k, 16), s11);
      s20 = madd(a0, v128.load(p2 + k), s20); s21 = madd(a1, v128.load(p2 + k, 16), s21);
      s30 = madd(a0, v128.load(p3 + k), s30); s31 = madd(a1, v128.load(p3 + k, 16), s31);
    }
    for (; k < end; k += 4) {
      const x = v128.load32_zero(a + k);
      s00 = madd(x, v128.load32_zero(p0 + k), s00);
      s10 = madd(x, v128.load32_zero(p1 + k), s10);
      s20 = madd(x, v128.load32_zero(p2 + k), s20);
      s30 = madd(x, v128.load32_zero(p3 + k), s30);
    }
    const sums = sumsOf(f32x4.add(s00, s01), f32x4.add(s10, s11), f32x4.add(s20, s21), f32x4.add(s30, s31));
    if (left >= 4) v128.store(out, sums);
    else {
      store<f32>(out, f32x4.extract_lane(sums, 0));
      if (left > 1) store<f32>(out, f32x4.extract_lane(sums, 1), 4);
      if (left > 2) store<f32>(out, f32x4.extract_lane(sums, 2), 8);
    }
    b += 4 * step;
    out += 16;
  }
}

/** out [cols] += a [depth] · b, whose rows lie one by one, `step` bytes apart. */
export function addRowTimesRows(a: usize, b: usize, step: usize, depth: i32, cols: i32, out: usize): void {
  const end = a + (<usize>depth << 2);
  let j = 0;
  for (; j + 32 <= cols; j += 32) {
    let s0 = v128.load(out), s1 = v128.load(out, 16), s2 = v128.load(out, 32), s3 = v128.load(out, 48);
    let s4 = v128.load(out, 64), s5 = v128.load(out, 80), s6 = v128.load(out, 96), s7 = v128.load(out, 112);
    let p = b;
    for (let at = a; at < end; at += 4) {
      const x = v128.load32_splat(at);
      s0 = madd(x, v128.load(p), s0); s1 = madd(x, v128.load(p, 16), s1);
      s2 = madd(x, v128.load(p, 32), s2); s3 = madd(x, v128.load(p, 48), s3);
      s4 = madd(x, v128.load(p, 64), s4); s5 = madd(x, v128.load(p, 80), s5);
      s6 = madd(x, v128.load(p, 96), s6); s7 = madd(x, v128.load(p, 112), s7);
      p += step;
    }
    v128.store(out, s0); v128.store(out, s1, 16); v128.store(out, s2, 32); v128.store(out, s3, 48);
    v128.store(out, s4, 64); v128.store(out, s5, 80); v128.store(out, s6, 96); v128.store(out, s7, 112);
    b += 128;
    out += 128;
  }
  for (; j + 4 <= cols; j += 4) {
    let sum = v128.load(out);
    let p = b;
    for (let at = a; at < end; at += 4) {
      sum = madd(v128.load32_splat(at), v128.load(p), sum);
      p += step;
    }
    v128.store(out, sum);
    b += 16;
    out += 16;
  }
  for (; j < cols; j++) {
    let sum = v128.load32_zero(out);
    let p = b;
    for (let at = a; at < end; at += 4) {
      sum = madd(v128.load32_zero(at), v128.load32_zero(p), sum);
      p += step;
    }
    store<f32>(out, f32x4.extract_lane(sum, 0));
    b += 4;
    out += 4;
  }
}

/** out [rows, cols] = a [rows] times b [cols], each with each. */
export function outerProduct(a: usize, b: usize, rows: i32, cols: i32, out: usize): void {
  const end = b + (<usize>cols << 2);
  const whole = b + (<usize>(cols & ~3) << 2);
  for (let r = 0; r < rows; r++) {
    const x = v128.load32_splat(a);
    let p = b;
    for (; p < whole; p += 16) {
      v128.store(out, f32x4.mul(x, v128.load(p)));
      out += 16;
    }
    for (; p < end; p += 4) {
      store<f32>(out, f32x4.extract_lane(x, 0) * load<f32>(p));
      out += 4;
    }
    a += 4;
  }
}
