// Fourier transforms of 12 × 12 tiles for 5 × 5 convolutions in spectral.ts. A real tile has 4 real and 70 complex
// coefficients, kept as 214 real factors: factor k of a tile lies at out + k·step.
//
// 12 = 3·4 without common divisor, so a transform of 12 is three of 4 and then four of 3, with no factors between (Good and
// Thomas): number (4a + 3b) mod 12 is number b of the a-th of the three. Of real numbers the coefficients 0, 6, 4, 10, 3, 7 and
// 11 are kept, in this order; the others are conjugates of these.

import { add, fourApart, high, highPair, imaginaryPart, low, lowPair, realPart, storeApart, storeThree, sub } from "./lanes";
import { madd, Rows5, Rows8 } from "./simd";

const HALF_SQRT3: f32 = 0.86602540378443865;

/** Bytes of a row of 12 vectors. */
const ROW: usize = 192;

/** 12 rows: a row's coefficients 0 and 6, then the real and imaginary parts of the others. */
const rows = memory.data(12 * 12 * 16, 16);

/** The three transforms of 4 in a column of complex numbers. */
const quarters = memory.data(3 * 4 * 32, 16);

@inline
function less(sum: v128, half: v128): v128 { return madd(half, f32x4.splat(-0.5), sum); }

@inline
function turned(x: v128): v128 { return f32x4.mul(x, f32x4.splat(HALF_SQRT3)); }

/** The transform of 12 real numbers in a row of `rows`. */
@inline
function realForward(
  to: usize, x0: v128, x1: v128, x2: v128, x3: v128, x4: v128, x5: v128, x6: v128, x7: v128, x8: v128, x9: v128, x10: v128,
  x11: v128,
): void {
  let s = add(x0, x6), t = add(x3, x9);
  const a0 = add(s, t), a2 = sub(s, t), ar = sub(x0, x6), ai = sub(x3, x9);
  s = add(x4, x10); t = add(x7, x1);
  const b0 = add(s, t), b2 = sub(s, t), br = sub(x4, x10), bi = sub(x7, x1);
  s = add(x8, x2); t = add(x11, x5);
  const c0 = add(s, t), c2 = sub(s, t), cr = sub(x8, x2), ci = sub(x11, x5);
  s = add(b0, c0);
  v128.store(to, add(a0, s));
  v128.store(to, less(a0, s), 32);
  v128.store(to, turned(sub(c0, b0)), 48);
  s = add(b2, c2);
  v128.store(to, add(a2, s), 16);
  v128.store(to, less(a2, s), 64);
  v128.store(to, turned(sub(c2, b2)), 80);
  const sr = add(br, cr), si = add(bi, ci), dr = turned(sub(br, cr)), di = turned(sub(bi, ci));
  v128.store(to, add(ar, sr), 96);
  v128.store(to, add(ai, si), 112);
  const mr = less(ar, sr), mi = less(ai, si);
  v128.store(to, add(mr, di), 128);
  v128.store(to, sub(mi, dr), 144);
  v128.store(to, sub(mr, di), 160);
  v128.store(to, add(mi, dr), 176);
}

@inline
function cell(column: usize, row: usize): v128 { return v128.load(column + row * ROW); }

/** Down a column of real numbers. */
@inline
function realColumn(kernel: bool, column: usize, real: usize, complex: usize, step: usize): void {
  realForward(
    quarters, cell(column, 0), cell(column, 1), cell(column, 2), cell(column, 3), cell(column, 4), cell(column, 5),
    cell(column, 6), cell(column, 7), cell(column, 8), cell(column, 9), cell(column, 10), cell(column, 11),
  );
  v128.store(real, v128.load(quarters));
  v128.store(real + step, v128.load(quarters, 16));
  for (let k: usize = 32; k < ROW; k += 32) {
    storeThree(kernel, complex, step, v128.load(quarters + k), v128.load(quarters + k, 16));
    complex += 3 * step;
  }
}

/** The transform of 4 complex numbers of a column. */
@inline
function fourForward(a: usize, b: usize, c: usize, d: usize, to: usize): void {
  const ar = v128.load(a), ai = v128.load(a, 16), cr = v128.load(c), ci = v128.load(c, 16);
  const s0r = add(ar, cr), s0i = add(ai, ci), s1r = sub(ar, cr), s1i = sub(ai, ci);
  const br = v128.load(b), bi = v128.load(b, 16), dr = v128.load(d), di = v128.load(d, 16);
  const tr = add(br, dr), ti = add(bi, di), ur = sub(br, dr), ui = sub(bi, di);
  v128.store(to, add(s0r, tr)); v128.store(to, add(s0i, ti), 16);
  v128.store(to, add(s1r, ui), 32); v128.store(to, sub(s1i, ur), 48);
  v128.store(to, sub(s0r, tr), 64); v128.store(to, sub(s0i, ti), 80);
  v128.store(to, sub(s1r, ui), 96); v128.store(to, add(s1i, ur), 112);
}

/** Down a column of complex numbers. */
@inline
function complexColumn(kernel: bool, column: usize, to: usize, step: usize): void {
  fourForward(column, column + 3 * ROW, column + 6 * ROW, column + 9 * ROW, quarters);
  fourForward(column + 4 * ROW, column + 7 * ROW, column + 10 * ROW, column + ROW, quarters + 128);
  fourForward(column + 8 * ROW, column + 11 * ROW, column + 2 * ROW, column + 5 * ROW, quarters + 256);
  for (let at = quarters; at < quarters + 128; at += 32) {
    const ar = v128.load(at), ai = v128.load(at, 16), br = v128.load(at, 128), bi = v128.load(at, 144);
    const cr = v128.load(at, 256), ci = v128.load(at, 272);
    const sr = add(br, cr), si = add(bi, ci), dr = turned(sub(br, cr)), di = turned(sub(bi, ci));
    storeThree(kernel, to, step, add(ar, sr), add(ai, si));
    const mr = less(ar, sr), mi = less(ai, si);
    storeThree(kernel, to + 3 * step, step, add(mr, di), sub(mi, dr));
    storeThree(kernel, to + 6 * step, step, sub(mr, di), add(mi, dr));
    to += 9 * step;
  }
}

/** From transformed rows to the spectrum. */
@inline
function columns(kernel: bool, out: usize, step: usize): void {
  realColumn(kernel, rows, out, out + 4 * step, step);
  realColumn(kernel, rows + 16, out + 2 * step, out + 19 * step, step);
  let to = out + 34 * step;
  for (let column = rows + 32; column < rows + ROW; column += 32) {
    complexColumn(kernel, column, to, step);
    to += 36 * step;
  }
}

/** The spectra of four 12 × 12 tiles at p0 … p3, whose rows are `pitch` bytes apart. */
export function imageSpectra12(p0: usize, p1: usize, p2: usize, p3: usize, pitch: usize, out: usize, step: usize): void {
  for (let to = rows; to < rows + 12 * ROW; to += ROW) {
    let a = v128.load(p0), b = v128.load(p1), c = v128.load(p2), d = v128.load(p3);
    let t0 = low(a, b), t1 = low(c, d), t2 = high(a, b), t3 = high(c, d);
    const x0 = lowPair(t0, t1), x1 = highPair(t0, t1), x2 = lowPair(t2, t3), x3 = highPair(t2, t3);
    a = v128.load(p0, 16); b = v128.load(p1, 16); c = v128.load(p2, 16); d = v128.load(p3, 16);
    t0 = low(a, b); t1 = low(c, d); t2 = high(a, b); t3 = high(c, d);
    const x4 = lowPair(t0, t1), x5 = highPair(t0, t1), x6 = lowPair(t2, t3), x7 = highPair(t2, t3);
    a = v128.load(p0, 32); b = v128.load(p1, 32); c = v128.load(p2, 32); d = v128.load(p3, 32);
    t0 = low(a, b); t1 = low(c, d); t2 = high(a, b); t3 = high(c, d);
    realForward(
      to, x0, x1, x2, x3, x4, x5, x6, x7, lowPair(t0, t1), highPair(t0, t1), lowPair(t2, t3), highPair(t2, t3),
    );
    p0 += pitch; p1 += pitch; p2 += pitch; p3 += pitch;
  }
  columns(false, out, step);
}

/** What a kernel's numbers are multiplied with: the way there and back multiplies by 72. */
const SCALE: f32 = 1 / 72;

@inline
function scaled(x: v128): v128 { return f32x4.mul(x, f32x4.splat(SCALE)); }

/** The kernel spectra of four 8 × 8 tiles at p0 … p3. */
export function gradientSpectra12(p0: usize, p1: usize, p2: usize, p3: usize, pitch: usize, out: usize, step: usize): void {
  const zero = f32x4.splat(0);
  for (let to = rows; to < rows + 8 * ROW; to += ROW) {
    let a = v128.load(p0), b = v128.load(p1), c = v128.load(p2), d = v128.load(p3);
    let t0 = low(a, b), t1 = low(c, d), t2 = high(a, b), t3 = high(c, d);
    const x0 = scaled(lowPair(t0, t1)), x1 = scaled(highPair(t0, t1));
    const x2 = scaled(lowPair(t2, t3)), x3 = scaled(highPair(t2, t3));
    a = v128.load(p0, 16); b = v128.load(p1, 16); c = v128.load(p2, 16); d = v128.load(p3, 16);
    t0 = low(a, b); t1 = low(c, d); t2 = high(a, b); t3 = high(c, d);
    realForward(
      to, x0, x1, x2, x3, scaled(lowPair(t0, t1)), scaled(highPair(t0, t1)), scaled(lowPair(t2, t3)),
      scaled(highPair(t2, t3)), zero, zero, zero, zero,
    );
    p0 += pitch; p1 += pitch; p2 += pitch; p3 += pitch;
  }
  memory.fill(rows + 8 * ROW, 0, 4 * ROW);
  columns(true, out, step);
}

/** The spectra of four 5 × 5 kernels, `lanes` bytes apart; rows and columns lie `down` and `across` bytes apart. */
export function kernelSpectra12(x: usize, lanes: isize, down: isize, across: isize, out: usize, step: usize): void {
  const zero = f32x4.splat(0);
  for (let to = rows; to < rows + 5 * ROW; to += ROW) {
    const x0 = fourApart(x, lanes, SCALE), x1 = fourApart(x + across, lanes, SCALE);
    const x2 = fourApart(x + 2 * across, lanes, SCALE), x3 = fourApart(x + 3 * across, lanes, SCALE);
    realForward(
      to, x0, x1, x2, x3, fourApart(x + 4 * across, lanes, SCALE), zero, zero, zero, zero, zero, zero, zero,
    );
    x += down;
  }
  memory.fill(rows + 5 * ROW, 0, 7 * ROW);
  columns(true, out, step);
}

/** Number n of 12 that lie `pitch` bytes apart, if it is among the first R. */
@inline
function keep<R>(to: usize, pitch: usize, n: usize, x: v128): void {
  if (n < offsetof<R>()) v128.store(to + n * pitch, x);
}

/** Two numbers and five complex ones, in the order of a row, back to 12 real ones, of which the first R are kept. */
@inline
function realBack<R>(
  to: usize, pitch: usize, x0: v128, x6: v128, r4: v128, i4: v128, r10: v128, i10: v128, r3: v128, i3: v128, r7: v128, i7: v128,
  r11: v128, i11: v128,
): void {
  let m = less(x0, r4), t = turned(i4);
  const a0 = add(x0, r4), b0 = sub(m, t), c0 = add(m, t);
  m = less(x6, r10); t = turned(i10);
  const a2 = add(x6, r10), b2 = sub(m, t), c2 = add(m, t);
  const sr = add(r7, r11), si = add(i7, i11), dr = turned(sub(r7, r11)), di = turned(sub(i7, i11));
  const mr = less(r3, sr), mi = less(i3, si);
  const ar = add(r3, sr), ai = add(i3, si), br = sub(mr, di), bi = add(mi, dr), cr = add(mr, di), ci = sub(mi, dr);
  let s = add(a0, a2), u = sub(a0, a2);
  keep<R>(to, pitch, 0, add(s, ar)); keep<R>(to, pitch, 3, add(u, ai)); keep<R>(to, pitch, 6, sub(s, ar)); keep<R>(to, pitch, 9, sub(u, ai));
  s = add(b0, b2); u = sub(b0, b2);
  keep<R>(to, pitch, 4, add(s, br)); keep<R>(to, pitch, 7, add(u, bi)); keep<R>(to, pitch, 10, sub(s, br)); keep<R>(to, pitch, 1, sub(u, bi));
  s = add(c0, c2); u = sub(c0, c2);
  keep<R>(to, pitch, 8, add(s, cr)); keep<R>(to, pitch, 11, add(u, ci)); keep<R>(to, pitch, 2, sub(s, cr)); keep<R>(to, pitch, 5, sub(u, ci));
}

/** Back down a column of real numbers; they come out halved. */
@inline
function realColumnBack<R>(real: usize, complex: usize, step: usize, column: usize): void {
  const half = f32x4.splat(0.5);
  realBack<R>(
    column, ROW, f32x4.mul(half, v128.load(real)), f32x4.mul(half, v128.load(real + step)),
    realPart(complex, step), imaginaryPart(complex, step),
    realPart(complex + 3 * step, step), imaginaryPart(complex + 3 * step, step),
    realPart(complex + 6 * step, step), imaginaryPart(complex + 6 * step, step),
    realPart(complex + 9 * step, step), imaginaryPart(complex + 9 * step, step),
    realPart(complex + 12 * step, step), imaginaryPart(complex + 12 * step, step),
  );
}

/** Four complex numbers back to those of rows n, n + 3, n + 6 and n + 9 (mod 12) of a column. */
@inline
function fourBack<R>(from: usize, column: usize, n: usize): void {
  const ar = v128.load(from), ai = v128.load(from, 16), cr = v128.load(from, 64), ci = v128.load(from, 80);
  const s0r = add(ar, cr), s0i = add(ai, ci), s1r = sub(ar, cr), s1i = sub(ai, ci);
  const br = v128.load(from, 32), bi = v128.load(from, 48), dr = v128.load(from, 96), di = v128.load(from, 112);
  const tr = add(br, dr), ti = add(bi, di), ur = sub(br, dr), ui = sub(bi, di);
  keep<R>(column, ROW, n, add(s0r, tr)); keep<R>(column + 16, ROW, n, add(s0i, ti));
  keep<R>(column, ROW, (n + 3) % 12, sub(s1r, ui)); keep<R>(column + 16, ROW, (n + 3) % 12, add(s1i, ur));
  keep<R>(column, ROW, (n + 6) % 12, sub(s0r, tr)); keep<R>(column + 16, ROW, (n + 6) % 12, sub(s0i, ti));
  keep<R>(column, ROW, (n + 9) % 12, add(s1r, ui)); keep<R>(column + 16, ROW, (n + 9) % 12, sub(s1i, ur));
}

/** Back down a column of complex numbers. */
@inline
function complexColumnBack<R>(from: usize, step: usize, column: usize): void {
  for (let to = quarters; to < quarters + 128; to += 32) {
    const ar = realPart(from, step), ai = imaginaryPart(from, step);
    const br = realPart(from + 3 * step, step), bi = imaginaryPart(from + 3 * step, step);
    const cr = realPart(from + 6 * step, step), ci = imaginaryPart(from + 6 * step, step);
    const sr = add(br, cr), si = add(bi, ci), dr = turned(sub(br, cr)), di = turned(sub(bi, ci));
    const mr = less(ar, sr), mi = less(ai, si);
    v128.store(to, add(ar, sr)); v128.store(to, add(ai, si), 16);
    v128.store(to, sub(mr, di), 128); v128.store(to, add(mi, dr), 144);
    v128.store(to, add(mr, di), 256); v128.store(to, sub(mi, dr), 272);
    from += 9 * step;
  }
  fourBack<R>(quarters, column, 0);
  fourBack<R>(quarters + 128, column, 4);
  fourBack<R>(quarters + 256, column, 8);
}

/** From a spectrum of products back to the first R rows, each still transformed. */
@inline
function columnsBack<R>(from: usize, step: usize): void {
  realColumnBack<R>(from, from + 4 * step, step, rows);
  realColumnBack<R>(from + 2 * step, from + 19 * step, step, rows + 16);
  from += 34 * step;
  for (let column = rows + 32; column < rows + ROW; column += 32) {
    complexColumnBack<R>(from, step, column);
    from += 36 * step;
  }
}

/** Twelve numbers of a row, back from what is left of a transform. */
const line = memory.data(12 * 16, 16);

@inline
function rowBack<R>(row: usize, offset: v128): void {
  realBack<R>(
    line, 16, add(v128.load(row), offset), v128.load(row, 16), v128.load(row, 32), v128.load(row, 48), v128.load(row, 64),
    v128.load(row, 80), v128.load(row, 96), v128.load(row, 112), v128.load(row, 128), v128.load(row, 144), v128.load(row, 160),
    v128.load(row, 176),
  );
}

/** Four products' first 8 × 8 numbers plus the number at `bias`, each to its place. */
export function tilesBack12(
  from: usize, step: usize, bias: usize, q0: usize, q1: usize, q2: usize, q3: usize, pitch: usize,
): void {
  columnsBack<Rows8>(from, step);
  const offset = v128.load32_splat(bias);
  for (let row = rows; row < rows + 8 * ROW; row += ROW) {
    rowBack<Rows8>(row, offset);
    for (let half: usize = 0; half < 32; half += 16) {
      const x = line + 4 * half;
      const x0 = v128.load(x), x1 = v128.load(x, 16), x2 = v128.load(x, 32), x3 = v128.load(x, 48);
      let t0 = low(x0, x1), t1 = low(x2, x3);
      v128.store(q0 + half, lowPair(t0, t1));
      v128.store(q1 + half, highPair(t0, t1));
      t0 = high(x0, x1); t1 = high(x2, x3);
      v128.store(q2 + half, lowPair(t0, t1));
      v128.store(q3 + half, highPair(t0, t1));
    }
    q0 += pitch; q1 += pitch; q2 += pitch; q3 += pitch;
  }
}

/** The first `count` of four products' first 5 × 5 numbers, one after the other. */
export function kernelsBack12(from: usize, step: usize, to: usize, count: i32): void {
  columnsBack<Rows5>(from, step);
  for (let row = rows; row < rows + 5 * ROW; row += ROW) {
    rowBack<Rows5>(row, f32x4.splat(0));
    for (let x: usize = 0; x < 5; x++) storeApart(to + 4 * x, 100, count, v128.load(line + 16 * x));
    to += 20;
  }
}
