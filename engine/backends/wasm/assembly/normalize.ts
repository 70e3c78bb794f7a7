// Moments of groups of numbers, normalisation by them, and its gradients. A group is `runs` runs of `inner` numbers, `pitch`
// bytes apart. Eight numbers at a time are added as floats, and what comes of them in double. Moments are taken of the
// distances from a float near the mean, so that a large mean costs no digits; what it misses is put right afterwards.

import { madd } from "./simd";

@inline
function low(v: v128): v128 {
  return f64x2.promote_low_f32x4(v);
}

@inline
function high(v: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i32>(v, v, 2, 3, 2, 3));
}

@inline
function bothOf(a: v128, b: v128): f64 {
  const v = f64x2.add(a, b);
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}

@inline
function sumRun(x: usize, n: i32): f64 {
  const whole = x + (<usize>(n & ~15) << 2);
  const end = x + (<usize>n << 2);
  let a = f64x2.splat(0), b = a;
  for (; x < whole; x += 64) {
    const s = f32x4.add(f32x4.add(v128.load(x), v128.load(x, 16)), f32x4.add(v128.load(x, 32), v128.load(x, 48)));
    a = f64x2.add(a, low(s));
    b = f64x2.add(b, high(s));
  }
  let rest: f64 = 0;
  for (; x < end; x += 4) rest += <f64>load<f32>(x);
  return bothOf(a, b) + rest;
}

/** Σ(x - centre) and Σ(x - centre)², left at `out` as two doubles. */
@inline
function spreadRun(x: usize, n: i32, centre: f32, out: usize): void {
  const whole = x + (<usize>(n & ~7) << 2);
  const end = x + (<usize>n << 2);
  const k = f32x4.splat(centre);
  let a = f64x2.splat(0), b = a, c = a, d = a;
  for (; x < whole; x += 32) {
    const p = f32x4.sub(v128.load(x), k), q = f32x4.sub(v128.load(x, 16), k);
    const s = f32x4.add(p, q), t = madd(p, p, f32x4.mul(q, q));
    a = f64x2.add(a, low(s)); b = f64x2.add(b, high(s));
    c = f64x2.add(c, low(t)); d = f64x2.add(d, high(t));
  }
  let sum = bothOf(a, b), squares = bothOf(c, d);
  for (; x < end; x += 4) {
    const v = <f64>(load<f32>(x) - centre);
    sum += v;
    squares += v * v;
  }
  store<f64>(out, load<f64>(out) + sum);
  store<f64>(out, load<f64>(out, 8) + squares, 8);
}

/** Mean and Σ(x - mean)² of a group, as two doubles. */
export function groupMoments(x: usize, runs: i32, pitch: usize, inner: i32, out: usize): void {
  const n = <f64>runs * <f64>inner;
  let sum: f64 = 0;
  for (let r = 0, at = x; r < runs; r++, at += pitch) sum += sumRun(at, inner);
  const centre = <f32>(sum / n);
  store<f64>(out, 0);
  store<f64>(out, 0, 8);
  for (let r = 0, at = x; r < runs; r++, at += pitch) spreadRun(at, inner, centre, out);
  const rest = load<f64>(out);
  store<f64>(out, <f64>centre + rest / n);
  store<f64>(out, load<f64>(out, 8) - rest * rest / n, 8);
}

/** Moments of rows side by side. */
export function rowMoments(x: usize, rows: i32, n: i32, out: usize): void {
  for (let r = 0; r < rows; r++) {
    groupMoments(x, 1, 0, n, out);
    x += <usize>n << 2;
    out += 16;
  }
}

/**
 * (x - mean) · scale · weight + bias, in place, for a group with one weight and bias for each run, `step` bytes apart; none
 * where the pointers are 0.
 */
export function normalizeGroup(
  x: usize, runs: i32, pitch: usize, inner: i32, mean: f64, scale: f64, weight: usize, bias: usize, step: usize,
): void {
  const centre = <f32>mean;
  const k = f32x4.splat(centre);
  for (let r = 0; r < runs; r++) {
    const factor = weight ? scale * <f64>load<f32>(weight) : scale;
    const a = <f32>factor;
    const c = <f32>((bias ? <f64>load<f32>(bias) : 0) - (mean - <f64>centre) * factor);
    const av = f32x4.splat(a), cv = f32x4.splat(c);
    const end = x + (<usize>inner << 2);
    let at = x;
    for (; at + 32 <= end; at += 32) {
      v128.store(at, madd(f32x4.sub(v128.load(at), k), av, cv));
      v128.store(at, madd(f32x4.sub(v128.load(at, 16), k), av, cv), 16);
    }
    for (; at < end; at += 4) store<f32>(at, (load<f32>(at) - centre) * a + c);
    x += pitch;
    weight += weight ? step : 0;
    bias += bias ? step : 0;
  }
}

/** The same for rows side by side with a weight and a bias for each column; the rows' moments are left at `found`. */
export function normalizeRows(
  x: usize, rows: i32, n: i32, eps: f64, weight: usize, bias: usize, out: usize, found: usize,
): void {
  const size = <usize>n << 2;
  const one = f32x4.splat(1);
  for (let r = 0; r < rows; r++) {
    groupMoments(x, 1, 0, n, found);
    const mean = load<f64>(found);
    const scale = 1 / sqrt(load<f64>(found, 8) / <f64>n + eps);
    const centre = <f32>mean;
    const k = f32x4.splat(centre), a = f32x4.splat(<f32>scale), c = f32x4.splat(<f32>((<f64>centre - mean) * scale));
    // What is stored behind the row comes anew with the next one.
    for (let i: usize = 0; i < size; i += 16) {
      let y = madd(f32x4.sub(v128.load(x + i), k), a, c);
      if (weight) y = madd(y, v128.load(weight + i), bias ? v128.load(bias + i) : f32x4.splat(0));
      else if (bias) y = madd(y, one, v128.load(bias + i));
      v128.store(out + i, y);
    }
    x += size;
    out += size;
    found += 16;
  }
}

/** Σ g and Σ g · (x - centre) of a run, as two doubles. */
@inline
function gradRun(g: usize, x: usize, n: i32, centre: f32, out: usize): void {
  const whole = g + (<usize>(n & ~7) << 2);
  const end = g + (<usize>n << 2);
  const k = f32x4.splat(centre);
  let a = f64x2.splat(0), b = a, c = a, d = a;
  for (; g < whole; g += 32) {
    const p = v128.load(g), q = v128.load(g, 16);
    const s = f32x4.add(p, q);
    const t = madd(p, f32x4.sub(v128.load(x), k), f32x4.mul(q, f32x4.sub(v128.load(x, 16), k)));
    a = f64x2.add(a, low(s)); b = f64x2.add(b, high(s));
    c = f64x2.add(c, low(t)); d = f64x2.add(d, high(t));
    x += 32;
  }
  let sum = bothOf(a, b), product = bothOf(c, d);
  for (; g < end; g += 4) {
    sum += <f64>load<f32>(g);
    product += <f64>load<f32>(g) * <f64>(load<f32>(x) - centre);
    x += 4;
  }
  store<f64>(out, sum);
  store<f64>(out, product, 8);
}

/**
 * g, the gradients of what came out, become those of what went in, where `wanted`; for each run Σ g · normal and Σ g are left
 * at `sums`. With `given` the moments do not depend on the input.
 */
export function normalizeGroupGrad(
  g: usize, x: usize, runs: i32, pitch: usize, inner: i32, mean: f32, scale: f64, weight: usize, step: usize,
  given: bool, wanted: bool, sums: usize,
): void {
  let sum: f64 = 0, product: f64 = 0;
  for (let r = 0; r < runs; r++) {
    const run = <usize>r * pitch;
    const found = sums + (<usize>r << 4);
    gradRun(g + run, x + run, inner, mean, found);
    const w = weight ? <f64>load<f32>(weight + <usize>r * step) : 1;
    const along = load<f64>(found, 8) * scale;
    sum += w * load<f64>(found);
    product += w * along;
    store<f64>(found, along, 8);
  }
  if (!wanted) return;
  const n = <f64>runs * <f64>inner;
  const b = given ? <f32>0 : <f32>(-scale * scale * product / n);
  const c = given ? <f32>0 : <f32>(-scale * sum / n);
  const k = f32x4.splat(mean), bv = f32x4.splat(b), cv = f32x4.splat(c);
  for (let r = 0; r < runs; r++) {
    const a = <f32>(weight ? scale * <f64>load<f32>(weight + <usize>r * step) : scale);
    const av = f32x4.splat(a);
    const end = g + (<usize>inner << 2);
    let at = g, from = x;
    if (given) {
      for (; at + 16 <= end; at += 16) v128.store(at, f32x4.mul(v128.load(at), av));
      for (; at < end; at += 4) store<f32>(at, load<f32>(at) * a);
    }
    for (; at + 32 <= end; at += 32) {
      const p = madd(f32x4.sub(v128.load(from), k), bv, cv), q = madd(f32x4.sub(v128.load(from, 16), k), bv, cv);
      v128.store(at, madd(v128.load(at), av, p));
      v128.store(at, madd(v128.load(at, 16), av, q), 16);
      from += 32;
    }
    for (; at < end; at += 4) {
      store<f32>(at, load<f32>(at) * a + ((load<f32>(from) - mean) * b + c));
      from += 4;
    }
    g += pitch;
    x += pitch;
  }
}

@inline
function lanesBelow(count: i32): v128 {
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count));
}

/** `moments` holds for each row its mean, a float's worth, and its scale, as doubles. */
export function normalizeRowsGrad(
  g: usize, x: usize, rows: i32, n: i32, moments: usize, weight: usize, out: usize,
): void {
  const size = <usize>n << 2;
  for (let r = 0; r < rows; r++) {
    const scale = load<f64>(moments, 8);
    const k = f32x4.splat(<f32>load<f64>(moments));
    let a = f64x2.splat(0), b = a, c = a, d = a;
    for (let i: usize = 0; i < size; i += 16) {
      let p = v128.load(g + i);
      if (weight) p = f32x4.mul(p, v128.load(weight + i));
      p = v128.and(p, lanesBelow(<i32>((size - i) >> 2)));
      const t = v128.and(f32x4.mul(p, f32x4.sub(v128.load(x + i), k)), lanesBelow(<i32>((size - i) >> 2)));
      a = f64x2.add(a, low(p)); b = f64x2.add(b, high(p));
      c = f64x2.add(c, low(t)); d = f64x2.add(d, high(t));
    }
    const sv = f32x4.splat(<f32>scale);
    // Differences first: of a row of equal gradients nothing is left.
    const average = f32x4.splat(<f32>(bothOf(a, b) / <f64>n));
    const along = f32x4.splat(<f32>(-scale * scale * bothOf(c, d) / <f64>n));
    for (let i: usize = 0; i < size; i += 16) {
      let p = v128.load(g + i);
      if (weight) p = f32x4.mul(p, v128.load(weight + i));
      v128.store(out + i, f32x4.mul(sv, madd(f32x4.sub(v128.load(x + i), k), along, f32x4.sub(p, average))));
    }
    g += size;
    x += size;
    out += size;
    moments += 16;
  }
}

/** forBias[j] += Σ g and forWeight[j] += Σ g · normal over rows, in double; both have room for three more. */
export function normalizeColumnsGrad(
  g: usize, x: usize, rows: i32, n: i32, moments: usize, forWeight: usize, forBias: usize,
): void {
  const size = <usize>n << 2;
  const last = moments + (<usize>rows << 4);
  for (let i: usize = 0; i < size; i += 16) {
    const w = forWeight + 2 * i, s = forBias + 2 * i;
    let a = v128.load(s), b = v128.load(s, 16), c = v128.load(w), d = v128.load(w, 16);
    let from = x + i, at = g + i;
    for (let row = moments; row < last; row += 16) {
      const p = v128.load(at);
      const k = f32x4.splat(<f32>load<f64>(row)), scale = f32x4.splat(<f32>load<f64>(row, 8));
      const t = f32x4.mul(p, f32x4.mul(f32x4.sub(v128.load(from), k), scale));
      a = f64x2.add(a, low(p)); b = f64x2.add(b, high(p));
      c = f64x2.add(c, low(t)); d = f64x2.add(d, high(t));
      from += size;
      at += size;
    }
    v128.store(s, a); v128.store(s, b, 16); v128.store(w, c); v128.store(w, d, 16);
  }
}
