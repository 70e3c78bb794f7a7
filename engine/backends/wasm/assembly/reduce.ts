// Reductions along rows and along columns. Operations are numbered as in the host's list (engine/backends/wasm/reduce.ts):
// 0 sum, 1 sum of sizes, 2 sum of squares, 3 amax, 4 amin, 5 argmax, 6 argmin: the even ones from 4 on look for the least. Sums are
// kept in double.

@inline
function low(v: v128): v128 {
  return f64x2.promote_low_f32x4(v);
}

@inline
function high(v: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i32>(v, v, 2, 3, 2, 3));
}

/** sum + what two numbers in double count. */
@inline
function addTwo(op: i32, sum: v128, v: v128): v128 {
  return f64x2.add(sum, op == 2 ? f64x2.mul(v, v) : v);
}

@inline
function sized(op: i32, v: v128): v128 {
  return op == 1 ? f32x4.abs(v) : v;
}

@inline
function lanesOf(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}

@inline
function sumRow(op: i32, x: usize, count: i32): f64 {
  const end = x + (<usize>count << 2);
  let total: f64 = 0;
  if (count >= 4) {
    let a = f64x2.splat(0), b = a, c = a, d = a;
    if (count >= 16) {
      let e = a, f = a, g = a, h = a;
      for (const whole = x + (<usize>(count & ~15) << 2); x < whole; x += 64) {
        const p = sized(op, v128.load(x)), q = sized(op, v128.load(x, 16));
        const r = sized(op, v128.load(x, 32)), s = sized(op, v128.load(x, 48));
        a = addTwo(op, a, low(p)); b = addTwo(op, b, high(p));
        c = addTwo(op, c, low(q)); d = addTwo(op, d, high(q));
        e = addTwo(op, e, low(r)); f = addTwo(op, f, high(r));
        g = addTwo(op, g, low(s)); h = addTwo(op, h, high(s));
      }
      a = f64x2.add(a, e); b = f64x2.add(b, f); c = f64x2.add(c, g); d = f64x2.add(d, h);
    }
    for (; x + 16 <= end; x += 16) {
      const p = sized(op, v128.load(x));
      a = addTwo(op, a, low(p)); b = addTwo(op, b, high(p));
    }
    total = lanesOf(f64x2.add(f64x2.add(a, c), f64x2.add(b, d)));
  }
  for (; x < end; x += 4) {
    const v = <f64>load<f32>(x);
    total += op == 1 ? Math.abs(v) : op == 2 ? v * v : v;
  }
  return total;
}

/** The better of two; a NaN may get lost. */
@inline
function better(least: bool, a: v128, b: v128): v128 {
  return least ? f32x4.pmin(a, b) : f32x4.pmax(a, b);
}

@inline
function beats(least: bool, a: f32, b: f32): bool {
  return least ? a < b : a > b;
}

@inline
function bestLane(least: bool, v: v128): f32 {
  const half = better(least, v, v128.shuffle<i32>(v, v, 2, 3, 2, 3));
  const a = f32x4.extract_lane(half, 0), b = f32x4.extract_lane(half, 1);
  return beats(least, b, a) ? b : a;
}

/** The extreme of a row; NaN where there is one. */
@inline
function extremeOf(least: bool, x: usize, count: i32): f32 {
  const end = x + (<usize>count << 2);
  let best = load<f32>(x);
  if (count >= 4) {
    let a = v128.load(x), b = a, c = a, d = a;
    let none = f32x4.ne(a, a), nans = none;
    for (const whole = x + (<usize>(count & ~15) << 2); x < whole; x += 64) {
      const p = v128.load(x), q = v128.load(x, 16), r = v128.load(x, 32), s = v128.load(x, 48);
      a = better(least, a, p); b = better(least, b, q); c = better(least, c, r); d = better(least, d, s);
      none = v128.or(none, v128.or(f32x4.ne(p, p), f32x4.ne(q, q)));
      nans = v128.or(nans, v128.or(f32x4.ne(r, r), f32x4.ne(s, s)));
    }
    for (; x + 16 <= end; x += 16) {
      const p = v128.load(x);
      a = better(least, a, p);
      none = v128.or(none, f32x4.ne(p, p));
    }
    if (v128.any_true(v128.or(none, nans))) return NaN;
    best = bestLane(least, better(least, better(least, a, b), better(least, c, d)));
  }
  for (; x < end; x += 4) {
    const v = load<f32>(x);
    if (v != v) return v;
    if (beats(least, v, best)) best = v;
  }
  return best;
}

/** Where the first number that equals `wanted` is, or the first NaN. */
@inline
function placeOf(wanted: f32, x: usize, count: i32): i32 {
  const w = f32x4.splat(wanted);
  const isNumber = wanted == wanted;
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const v = v128.load(x + (<usize>i << 2));
    if (v128.any_true(isNumber ? f32x4.eq(v, w) : f32x4.ne(v, v))) break;
  }
  for (; i < count; i++) {
    const v = load<f32>(x + (<usize>i << 2));
    if (isNumber ? v == wanted : v != v) return i;
  }
  return 0;
}

@inline
function rows(op: i32, x: usize, count: i32, length: i32, out: usize): void {
  for (let r = 0; r < count; r++) {
    if (op < 3) store<f64>(out, sumRow(op, x, length));
    else {
      const best = extremeOf((op & 1) == 0, x, length);
      store<f64>(out, op < 5 ? <f64>best : <f64>placeOf(best, x, length));
    }
    x += <usize>length << 2;
    out += 8;
  }
}

/** x [count, length] → one double for each row. */
export function reduceRows(op: i32, x: usize, count: i32, length: i32, out: usize): void {
  switch (op) {
    case 0: rows(0, x, count, length, out); break;
    case 1: rows(1, x, count, length, out); break;
    case 2: rows(2, x, count, length, out); break;
    case 3: rows(3, x, count, length, out); break;
    case 4: rows(4, x, count, length, out); break;
    case 5: rows(5, x, count, length, out); break;
    default: rows(6, x, count, length, out);
  }
}

/** sums[0..8] += 8 columns of n rows; `sums` are doubles. */
@inline
function sumColumns8(op: i32, x: usize, n: i32, pitch: usize, sums: usize): void {
  let a = v128.load(sums), b = v128.load(sums, 16), c = v128.load(sums, 32), d = v128.load(sums, 48);
  for (let i = 0; i < n; i++) {
    const p = sized(op, v128.load(x)), q = sized(op, v128.load(x, 16));
    a = addTwo(op, a, low(p)); b = addTwo(op, b, high(p));
    c = addTwo(op, c, low(q)); d = addTwo(op, d, high(q));
    x += pitch;
  }
  v128.store(sums, a); v128.store(sums, b, 16); v128.store(sums, c, 32); v128.store(sums, d, 48);
}

/** best[0..8] against 8 columns of n rows. */
@inline
function extremeColumns8(least: bool, x: usize, n: i32, pitch: usize, best: usize): void {
  let a = v128.load(best), b = v128.load(best, 16);
  let none = f32x4.ne(a, a), nans = f32x4.ne(b, b);
  for (let i = 0; i < n; i++) {
    const p = v128.load(x), q = v128.load(x, 16);
    a = better(least, a, p); b = better(least, b, q);
    none = v128.or(none, f32x4.ne(p, p)); nans = v128.or(nans, f32x4.ne(q, q));
    x += pitch;
  }
  // All bits set are a NaN.
  v128.store(best, v128.or(a, none)); v128.store(best, v128.or(b, nans), 16);
}

/** The same with the places of the winners, counted from `first`. */
@inline
function placeColumns4(least: bool, x: usize, n: i32, pitch: usize, first: i32, best: usize, places: usize): void {
  let a = v128.load(best), at = v128.load(places);
  let i = i32x4.splat(first);
  const one = i32x4.splat(1);
  for (let k = 0; k < n; k++) {
    const p = v128.load(x);
    // A NaN beats numbers, nothing beats a NaN.
    const stays = v128.or(least ? f32x4.ge(p, a) : f32x4.le(p, a), f32x4.ne(a, a));
    a = v128.bitselect(a, p, stays);
    at = v128.bitselect(at, i, stays);
    i = i32x4.add(i, one);
    x += pitch;
  }
  v128.store(best, a); v128.store(places, at);
}

@inline
function columns(op: i32, x: usize, n: i32, width: i32, pitch: usize, first: i32, out: usize, places: usize): void {
  for (let j = 0; j < width; j += 8) {
    const from = x + (<usize>j << 2);
    const best = out + (<usize>j << 2);
    if (op < 3) sumColumns8(op, from, n, pitch, out + (<usize>j << 3));
    else if (op < 5) extremeColumns8((op & 1) == 0, from, n, pitch, best);
    else {
      placeColumns4((op & 1) == 0, from, n, pitch, first, best, places + (<usize>j << 2));
      placeColumns4((op & 1) == 0, from + 16, n, pitch, first, best + 16, places + (<usize>j << 2) + 16);
    }
  }
}

/**
 * Goes on with the columns of n rows, `pitch` bytes apart, whose first one is row `first`: out are sums in double, or the
 * best so far as floats, with their places. Widths are rounded up to 8: there is room behind each array.
 */
export function reduceColumns(
  op: i32, x: usize, n: i32, width: i32, pitch: usize, first: i32, out: usize, places: usize,
): void {
  switch (op) {
    case 0: columns(0, x, n, width, pitch, first, out, places); break;
    case 1: columns(1, x, n, width, pitch, first, out, places); break;
    case 2: columns(2, x, n, width, pitch, first, out, places); break;
    case 3: columns(3, x, n, width, pitch, first, out, places); break;
    case 4: columns(4, x, n, width, pitch, first, out, places); break;
    case 5: columns(5, x, n, width, pitch, first, out, places); break;
    default: columns(6, x, n, width, pitch, first, out, places);
  }
}

/** The same for `count` matrices [n, width] one behind the other: each column gives one float, or its place as an int. */
export function reduceStacks(
  op: i32, x: usize, count: i32, n: i32, width: i32, sums: usize, places: usize, out: usize,
): void {
  const pitch = <usize>width << 2;
  for (let k = 0; k < count; k++) {
    for (let j = 0; j < width + 8; j++) {
      if (op < 3) store<f64>(sums + (<usize>j << 3), 0);
      else store<f32>(sums + (<usize>j << 2), load<f32>(x + (<usize>j << 2)));
      if (op > 4) store<i32>(places + (<usize>j << 2), 0);
    }
    reduceColumns(op, x, n, width, pitch, 0, sums, places);
    for (let j = 0; j < width; j++) {
      if (op < 3) store<f32>(out, <f32>load<f64>(sums + (<usize>j << 3)));
      else store<i32>(out, load<i32>((op < 5 ? sums : places) + (<usize>j << 2)));
      out += 4;
    }
    x += <usize>n * pitch;
  }
}
