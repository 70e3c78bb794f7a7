// Softmax, its logarithm and their gradients, along rows and along columns. Sums are kept in double. Whole vectors are stored
// behind a row's end: what they spoil is the start of the next row, which comes later.

import { expFloat } from "./exponential";

@inline
function low(v: v128): v128 {
  return f64x2.promote_low_f32x4(v);
}

@inline
function high(v: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i32>(v, v, 2, 3, 2, 3));
}

/** All bits of the first `count` lanes. */
@inline
function lanesBelow(count: i32): v128 {
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count));
}

@inline
function rowMax(x: usize, n: i32): f32 {
  const least = f32x4.splat(-Infinity);
  const whole = x + (<usize>(n & ~3) << 2);
  const end = x + (<usize>(n & ~15) << 2);
  let a = least, b = least, c = least, d = least;
  for (; x < end; x += 64) {
    a = f32x4.pmax(a, v128.load(x)); b = f32x4.pmax(b, v128.load(x, 16));
    c = f32x4.pmax(c, v128.load(x, 32)); d = f32x4.pmax(d, v128.load(x, 48));
  }
  for (; x < whole; x += 16) a = f32x4.pmax(a, v128.load(x));
  if (n & 3) b = f32x4.pmax(b, v128.bitselect(v128.load(x), least, lanesBelow(n & 3)));
  a = f32x4.pmax(f32x4.pmax(a, b), f32x4.pmax(c, d));
  a = f32x4.pmax(a, v128.shuffle<i32>(a, a, 2, 3, 2, 3));
  return f32x4.extract_lane(f32x4.pmax(a, v128.shuffle<i32>(a, a, 1, 1, 1, 1)), 0);
}

/** e^(x - top), where x may be more than top: then 1. */
@inline
function atMostOne(x: v128, top: v128): v128 {
  return expFloat(f32x4.pmin(f32x4.sub(x, top), f32x4.splat(0)));
}

/** Σ e^(x - top) over a row; with `keep` the terms are stored. */
@inline
function sumExponentials(keep: bool, x: usize, n: i32, top: v128, out: usize): f64 {
  const whole = x + (<usize>(n & ~7) << 2);
  const end = x + (<usize>n << 2);
  let a = f64x2.splat(0), b = a;
  for (; x < whole; x += 32) {
    const p = atMostOne(v128.load(x), top), q = atMostOne(v128.load(x, 16), top);
    if (keep) {
      v128.store(out, p); v128.store(out, q, 16);
      out += 32;
    }
    a = f64x2.add(a, f64x2.add(low(p), low(q)));
    b = f64x2.add(b, f64x2.add(high(p), high(q)));
  }
  for (; x < end; x += 16) {
    const p = atMostOne(v128.load(x), top);
    if (keep) {
      v128.store(out, p);
      out += 16;
    }
    const counted = v128.and(p, lanesBelow(<i32>((end - x) >> 2)));
    a = f64x2.add(a, low(counted));
    b = f64x2.add(b, high(counted));
  }
  a = f64x2.add(a, b);
  return f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
}

/** x [rows, n]: softmax of each row, or its logarithm. */
export function softmaxRows(log: bool, x: usize, rows: i32, n: i32, out: usize): void {
  const size = <usize>n << 2;
  for (let r = 0; r < rows; r++) {
    const top = f32x4.splat(rowMax(x, n));
    if (log) {
      const shift = f32x4.splat(<f32>Math.log(sumExponentials(false, x, n, top, out)));
      for (let i: usize = 0; i < size; i += 16) {
        v128.store(out + i, f32x4.sub(f32x4.sub(v128.load(x + i), top), shift));
      }
    } else {
      const total = f32x4.splat(<f32>sumExponentials(true, x, n, top, out));
      for (let i: usize = 0; i < size; i += 16) v128.store(out + i, f32x4.div(v128.load(out + i), total));
    }
    x += size;
    out += size;
  }
}

/** log Σ e^x of each row, which is infinite or NaN where the largest number is. */
export function logSumRows(x: usize, rows: i32, n: i32, out: usize): void {
  for (let r = 0; r < rows; r++) {
    const top = rowMax(x, n);
    const shift: f32 = abs(top) == Infinity ? 0 : top;
    const sum = sumExponentials(false, x, n, f32x4.splat(shift), out);
    store<f32>(out, <f32>(Math.log(sum) + <f64>top));
    x += <usize>n << 2;
    out += 4;
  }
}

@inline
function storeSome(to: usize, v: v128, lanes: i32): void {
  if (lanes >= 4) {
    v128.store(to, v);
    return;
  }
  store<f32>(to, f32x4.extract_lane(v, 0));
  if (lanes > 1) store<f32>(to, f32x4.extract_lane(v, 1), 4);
  if (lanes > 2) store<f32>(to, f32x4.extract_lane(v, 2), 8);
}

@inline
function join(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(f32x4.demote_f64x2_zero(a), f32x4.demote_f64x2_zero(b), 0, 1, 4, 5);
}

@inline
function columnMax(x: usize, end: usize, pitch: usize): v128 {
  let top = v128.load(x);
  for (; x < end; x += pitch) top = f32x4.pmax(top, v128.load(x));
  return top;
}

/** Logarithms of four doubles, as floats. */
@inline
function logs(a: v128, b: v128): v128 {
  return f32x4(
    <f32>Math.log(f64x2.extract_lane(a, 0)), <f32>Math.log(f64x2.extract_lane(a, 1)),
    <f32>Math.log(f64x2.extract_lane(b, 0)), <f32>Math.log(f64x2.extract_lane(b, 1)),
  );
}

@inline
function softmaxOfFour(log: bool, x: usize, size: usize, pitch: usize, out: usize, lanes: i32): void {
  const top = columnMax(x, x + size, pitch);
  let a = f64x2.splat(0), b = a;
  for (let i: usize = 0; i < size; i += pitch) {
    const p = expFloat(f32x4.sub(v128.load(x + i), top));
    if (!log) storeSome(out + i, p, lanes);
    a = f64x2.add(a, low(p));
    b = f64x2.add(b, high(p));
  }
  const total = log ? logs(a, b) : join(a, b);
  for (let i: usize = 0; i < size; i += pitch) {
    const y = log ? f32x4.sub(f32x4.sub(v128.load(x + i), top), total) : f32x4.div(v128.load(out + i), total);
    storeSome(out + i, y, lanes);
  }
}

/**
 * The first column of the next four: the last four overlap those before, so that nothing is written past a row. Columns that
 * are computed twice come out alike.
 */
@inline
function nextFour(j: i32, inner: i32): i32 {
  return j + 4 < inner && j + 8 > inner ? inner - 4 : j + 4;
}

/** x [outer, n, inner]: softmax of each column, or its logarithm. */
export function softmaxColumns(log: bool, x: usize, outer: i32, n: i32, inner: i32, out: usize): void {
  const pitch = <usize>inner << 2;
  const size = <usize>n * pitch;
  for (let k = 0; k < outer; k++) {
    for (let j = 0; j < inner; j = nextFour(j, inner)) {
      const at = <usize>j << 2;
      if (log) softmaxOfFour(true, x + at, size, pitch, out + at, inner);
      else softmaxOfFour(false, x + at, size, pitch, out + at, inner);
    }
    x += size;
    out += size;
  }
}

/** log Σ e^x of each column of [outer, n, inner]. */
export function logSumColumns(x: usize, outer: i32, n: i32, inner: i32, out: usize): void {
  const pitch = <usize>inner << 2;
  const size = <usize>n * pitch;
  for (let k = 0; k < outer; k++) {
    for (let j = 0; j < inner; j = nextFour(j, inner)) {
      const from = x + (<usize>j << 2);
      const top = columnMax(from, from + size, pitch);
      const shift = v128.andnot(top, f32x4.eq(f32x4.abs(top), f32x4.splat(Infinity)));
      let a = f64x2.splat(0), b = a;
      for (let i: usize = 0; i < size; i += pitch) {
        const p = atMostOne(v128.load(from + i), shift);
        a = f64x2.add(a, low(p));
        b = f64x2.add(b, high(p));
      }
      const first = f64x2(Math.log(f64x2.extract_lane(a, 0)), Math.log(f64x2.extract_lane(a, 1)));
      const last = f64x2(Math.log(f64x2.extract_lane(b, 0)), Math.log(f64x2.extract_lane(b, 1)));
      storeSome(out + (<usize>j << 2), join(f64x2.add(first, low(top)), f64x2.add(last, high(top))), inner);
    }
    x += size;
    out += pitch;
  }
}

/** What a gradient's sum is of. */
@inline
function term(log: bool, y: v128, g: v128): v128 {
  return log ? g : f32x4.mul(g, y);
}

@inline
function slope(log: bool, y: v128, g: v128, total: v128): v128 {
  return log ? f32x4.sub(g, f32x4.mul(expFloat(y), total)) : f32x4.mul(y, f32x4.sub(g, total));
}

@inline
function gradRow(log: bool, y: usize, g: usize, n: i32, out: usize): void {
  const whole = <usize>(n & ~7) << 2;
  const size = <usize>n << 2;
  let a = f64x2.splat(0), b = a;
  let i: usize = 0;
  for (; i < whole; i += 32) {
    const p = term(log, v128.load(y + i), v128.load(g + i)), q = term(log, v128.load(y + i, 16), v128.load(g + i, 16));
    a = f64x2.add(a, f64x2.add(low(p), low(q)));
    b = f64x2.add(b, f64x2.add(high(p), high(q)));
  }
  for (; i < size; i += 16) {
    const p = v128.and(term(log, v128.load(y + i), v128.load(g + i)), lanesBelow(<i32>((size - i) >> 2)));
    a = f64x2.add(a, low(p));
    b = f64x2.add(b, high(p));
  }
  a = f64x2.add(a, b);
  const total = f32x4.splat(<f32>(f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1)));
  for (i = 0; i < size; i += 16) v128.store(out + i, slope(log, v128.load(y + i), v128.load(g + i), total));
}

/** From the results y [rows, n] and their gradients g. */
export function softmaxGradRows(log: bool, y: usize, g: usize, rows: i32, n: i32, out: usize): void {
  for (let r = 0; r < rows; r++) {
    if (log) gradRow(true, y, g, n, out);
    else gradRow(false, y, g, n, out);
    y += <usize>n << 2;
    g += <usize>n << 2;
    out += <usize>n << 2;
  }
}

@inline
function gradOfFour(log: bool, y: usize, g: usize, size: usize, pitch: usize, out: usize, lanes: i32): void {
  let a = f64x2.splat(0), b = a;
  for (let i: usize = 0; i < size; i += pitch) {
    const p = term(log, v128.load(y + i), v128.load(g + i));
    a = f64x2.add(a, low(p));
    b = f64x2.add(b, high(p));
  }
  const total = join(a, b);
  for (let i: usize = 0; i < size; i += pitch) {
    storeSome(out + i, slope(log, v128.load(y + i), v128.load(g + i), total), lanes);
  }
}

/** From the results y [outer, n, inner] and their gradients g. */
export function softmaxGradColumns(log: bool, y: usize, g: usize, outer: i32, n: i32, inner: i32, out: usize): void {
  const pitch = <usize>inner << 2;
  const size = <usize>n * pitch;
  for (let k = 0; k < outer; k++) {
    for (let j = 0; j < inner; j = nextFour(j, inner)) {
      const at = <usize>j << 2;
      if (log) gradOfFour(true, y + at, g + at, size, pitch, out + at, inner);
      else gradOfFour(false, y + at, g + at, size, pitch, out + at, inner);
    }
    y += size;
    g += size;
    out += size;
  }
}
