// Fourier transforms of 8 × 8 tiles for the convolutions in spectral.ts. A real tile has 4 real and 30 complex coefficients,
// kept as 94 real factors: factor k of a tile lies at out + k·step.

import { add, fourApart, high, highPair, imaginaryPart, low, lowPair, realPart, storeApart, storeThree, sub } from "./lanes";
import { Rows3, Rows4, Rows5, Rows6 } from "./simd";

const HALF_SQRT: f32 = 0.70710678118654752;

/** 8 rows of 8 vectors: a row's coefficients 0 and 4, then the real and imaginary parts of 1, 2 and 3. */
const rows = memory.data(8 * 8 * 16, 16);

/** The transform of 8 real numbers, stored as a row of `rows` is. */
@inline
function realForward(
  to: usize, x0: v128, x1: v128, x2: v128, x3: v128, x4: v128, x5: v128, x6: v128, x7: v128,
): void {
  const s = f32x4.splat(HALF_SQRT);
  const a0 = add(x0, x4), a1 = sub(x0, x4), b0 = add(x2, x6), b1 = sub(x2, x6);
  const c0 = add(x1, x5), c1 = sub(x1, x5), d0 = add(x3, x7), d1 = sub(x3, x7);
  const e = add(a0, b0), o = add(c0, d0);
  v128.store(to, add(e, o));
  v128.store(to, sub(e, o), 16);
  v128.store(to, sub(a0, b0), 64);
  v128.store(to, sub(d0, c0), 80);
  const t = f32x4.mul(s, sub(c1, d1)), u = f32x4.mul(s, add(c1, d1));
  v128.store(to, add(a1, t), 32);
  v128.store(to, f32x4.neg(add(b1, u)), 48);
  v128.store(to, sub(a1, t), 96);
  v128.store(to, sub(b1, u), 112);
}

/** Down a column of real numbers. */
@inline
function realColumn(kernel: bool, column: usize, real: usize, complex: usize, step: usize): void {
  const s = f32x4.splat(HALF_SQRT);
  const x0 = v128.load(column), x4 = v128.load(column, 512), x2 = v128.load(column, 256), x6 = v128.load(column, 768);
  const a0 = add(x0, x4), a1 = sub(x0, x4), b0 = add(x2, x6), b1 = sub(x2, x6);
  const x1 = v128.load(column, 128), x5 = v128.load(column, 640), x3 = v128.load(column, 384), x7 = v128.load(column, 896);
  const c0 = add(x1, x5), c1 = sub(x1, x5), d0 = add(x3, x7), d1 = sub(x3, x7);
  const e = add(a0, b0), o = add(c0, d0);
  v128.store(real, add(e, o));
  v128.store(real + step, sub(e, o));
  const t = f32x4.mul(s, sub(c1, d1)), u = f32x4.mul(s, add(c1, d1));
  storeThree(kernel, complex, step, add(a1, t), f32x4.neg(add(b1, u)));
  storeThree(kernel, complex + 3 * step, step, sub(a0, b0), sub(d0, c0));
  storeThree(kernel, complex + 6 * step, step, sub(a1, t), sub(b1, u));
}

/** Down a column of complex numbers. */
@inline
function complexColumn(kernel: bool, column: usize, to: usize, step: usize): void {
  const s = f32x4.splat(HALF_SQRT);
  let r = v128.load(column), i = v128.load(column, 16), r2 = v128.load(column, 512), i2 = v128.load(column, 528);
  const a0r = add(r, r2), a0i = add(i, i2), a1r = sub(r, r2), a1i = sub(i, i2);
  r = v128.load(column, 256); i = v128.load(column, 272); r2 = v128.load(column, 768); i2 = v128.load(column, 784);
  const b0r = add(r, r2), b0i = add(i, i2), b1r = sub(r, r2), b1i = sub(i, i2);
  const e0r = add(a0r, b0r), e0i = add(a0i, b0i), e1r = sub(a0r, b0r), e1i = sub(a0i, b0i);
  const f0r = add(a1r, b1i), f0i = sub(a1i, b1r), f1r = sub(a1r, b1i), f1i = add(a1i, b1r);
  r = v128.load(column, 128); i = v128.load(column, 144); r2 = v128.load(column, 640); i2 = v128.load(column, 656);
  const c0r = add(r, r2), c0i = add(i, i2), c1r = sub(r, r2), c1i = sub(i, i2);
  r = v128.load(column, 384); i = v128.load(column, 400); r2 = v128.load(column, 896); i2 = v128.load(column, 912);
  const d0r = add(r, r2), d0i = add(i, i2), d1r = sub(r, r2), d1i = sub(i, i2);
  const o0r = add(c0r, d0r), o0i = add(c0i, d0i), o1r = sub(c0r, d0r), o1i = sub(c0i, d0i);
  storeThree(kernel, to, step, add(e0r, o0r), add(e0i, o0i));
  storeThree(kernel, to + 12 * step, step, sub(e0r, o0r), sub(e0i, o0i));
  storeThree(kernel, to + 6 * step, step, add(e1r, o1i), sub(e1i, o1r));
  storeThree(kernel, to + 18 * step, step, sub(e1r, o1i), add(e1i, o1r));
  const pr = sub(c1r, d1r), pi = sub(c1i, d1i), qr = add(c1r, d1r), qi = add(c1i, d1i);
  const gr = f32x4.mul(s, add(pr, qi)), gi = f32x4.mul(s, sub(pi, qr));
  storeThree(kernel, to + 3 * step, step, add(f0r, gr), add(f0i, gi));
  storeThree(kernel, to + 15 * step, step, sub(f0r, gr), sub(f0i, gi));
  const hr = f32x4.mul(s, sub(pr, qi)), hi = f32x4.mul(s, add(pi, qr));
  storeThree(kernel, to + 9 * step, step, sub(f1r, hr), sub(f1i, hi));
  storeThree(kernel, to + 21 * step, step, add(f1r, hr), add(f1i, hi));
}

/** From transformed rows to the spectrum. */
@inline
function columns(kernel: bool, out: usize, step: usize): void {
  realColumn(kernel, rows, out, out + 4 * step, step);
  realColumn(kernel, rows + 16, out + 2 * step, out + 13 * step, step);
  complexColumn(kernel, rows + 32, out + 22 * step, step);
  complexColumn(kernel, rows + 64, out + 46 * step, step);
  complexColumn(kernel, rows + 96, out + 70 * step, step);
}

/** The spectra of four 8 × 8 tiles at p0 … p3, whose rows are `pitch` bytes apart. */
export function imageSpectra(p0: usize, p1: usize, p2: usize, p3: usize, pitch: usize, out: usize, step: usize): void {
  for (let to = rows; to < rows + 1024; to += 128) {
    let a = v128.load(p0), b = v128.load(p1), c = v128.load(p2), d = v128.load(p3);
    let t0 = low(a, b), t1 = low(c, d), t2 = high(a, b), t3 = high(c, d);
    const x0 = lowPair(t0, t1), x1 = highPair(t0, t1), x2 = lowPair(t2, t3), x3 = highPair(t2, t3);
    a = v128.load(p0, 16); b = v128.load(p1, 16); c = v128.load(p2, 16); d = v128.load(p3, 16);
    t0 = low(a, b); t1 = low(c, d); t2 = high(a, b); t3 = high(c, d);
    realForward(to, x0, x1, x2, x3, lowPair(t0, t1), highPair(t0, t1), lowPair(t2, t3), highPair(t2, t3));
    p0 += pitch; p1 += pitch; p2 += pitch; p3 += pitch;
  }
  columns(false, out, step);
}

/** What a kernel's numbers are multiplied with: the way there and back multiplies by 32. */
const SCALE: f32 = 1 / 32;

@inline
function scaled(x: v128): v128 { return f32x4.mul(x, f32x4.splat(SCALE)); }

/** The kernel spectra of four M × M tiles (M is 4 or 6) at p0 … p3. */
@inline
function gradientSpectra<M>(p0: usize, p1: usize, p2: usize, p3: usize, pitch: usize, out: usize, step: usize): void {
  const zero = f32x4.splat(0);
  const end = rows + 128 * offsetof<M>();
  for (let to = rows; to < end; to += 128) {
    let a = v128.load(p0), b = v128.load(p1), c = v128.load(p2), d = v128.load(p3);
    let t0 = low(a, b), t1 = low(c, d), t2 = high(a, b), t3 = high(c, d);
    const x0 = scaled(lowPair(t0, t1)), x1 = scaled(highPair(t0, t1));
    const x2 = scaled(lowPair(t2, t3)), x3 = scaled(highPair(t2, t3));
    let x4 = zero, x5 = zero;
    if (offsetof<M>() > 4) {
      a = v128.load64_zero(p0, 16); b = v128.load64_zero(p1, 16); c = v128.load64_zero(p2, 16); d = v128.load64_zero(p3, 16);
      t0 = low(a, b); t1 = low(c, d);
      x4 = scaled(lowPair(t0, t1)); x5 = scaled(highPair(t0, t1));
    }
    realForward(to, x0, x1, x2, x3, x4, x5, zero, zero);
    p0 += pitch; p1 += pitch; p2 += pitch; p3 += pitch;
  }
  memory.fill(end, 0, 1024 - 128 * offsetof<M>());
  columns(true, out, step);
}

export function gradientSpectra4(p0: usize, p1: usize, p2: usize, p3: usize, pitch: usize, out: usize, step: usize): void {
  gradientSpectra<Rows4>(p0, p1, p2, p3, pitch, out, step);
}

export function gradientSpectra6(p0: usize, p1: usize, p2: usize, p3: usize, pitch: usize, out: usize, step: usize): void {
  gradientSpectra<Rows6>(p0, p1, p2, p3, pitch, out, step);
}

/** The spectra of four R × R kernels (R is 3 or 5), `lanes` bytes apart; rows and columns lie `down` and `across` bytes apart. */
@inline
function kernelSpectra<R>(x: usize, lanes: isize, down: isize, across: isize, out: usize, step: usize): void {
  const zero = f32x4.splat(0);
  const end = rows + 128 * offsetof<R>();
  for (let to = rows; to < end; to += 128) {
    const x0 = fourApart(x, lanes, SCALE), x1 = fourApart(x + across, lanes, SCALE), x2 = fourApart(x + 2 * across, lanes, SCALE);
    let x3 = zero, x4 = zero;
    if (offsetof<R>() > 3) { x3 = fourApart(x + 3 * across, lanes, SCALE); x4 = fourApart(x + 4 * across, lanes, SCALE); }
    realForward(to, x0, x1, x2, x3, x4, zero, zero, zero);
    x += down;
  }
  memory.fill(end, 0, 1024 - 128 * offsetof<R>());
  columns(true, out, step);
}

export function kernelSpectra3(x: usize, lanes: isize, down: isize, across: isize, out: usize, step: usize): void {
  kernelSpectra<Rows3>(x, lanes, down, across, out, step);
}

export function kernelSpectra5(x: usize, lanes: isize, down: isize, across: isize, out: usize, step: usize): void {
  kernelSpectra<Rows5>(x, lanes, down, across, out, step);
}

/** Back down a column of real numbers, of which the first R are wanted; they come out halved. */
@inline
function realColumnBack<R>(real: usize, complex: usize, step: usize, column: usize): void {
  const s = f32x4.splat(HALF_SQRT), half = f32x4.splat(0.5);
  const y0 = v128.load(real), y4 = v128.load(real + step);
  const even = f32x4.mul(half, add(y0, y4)), odd = f32x4.mul(half, sub(y0, y4));
  const r1 = realPart(complex, step), i1 = imaginaryPart(complex, step);
  const r2 = realPart(complex + 3 * step, step), i2 = imaginaryPart(complex + 3 * step, step);
  const r3 = realPart(complex + 6 * step, step), i3 = imaginaryPart(complex + 6 * step, step);
  const a = add(r1, r3), b = sub(r1, r3), c = add(i1, i3), d = sub(i1, i3);
  v128.store(column, add(add(even, r2), a));
  const p = sub(odd, i2), g = f32x4.mul(s, sub(b, c));
  v128.store(column, add(p, g), 128);
  v128.store(column, sub(sub(even, r2), d), 256);
  const q = add(odd, i2), h = f32x4.mul(s, add(b, c));
  if (offsetof<R>() > 3) v128.store(column, sub(q, h), 384);
  if (offsetof<R>() > 4) v128.store(column, sub(add(even, r2), a), 512);
  if (offsetof<R>() > 5) v128.store(column, sub(p, g), 640);
}

/** Back down a column of complex numbers: the way there with real and imaginary parts exchanged. */
@inline
function complexColumnBack<R>(from: usize, step: usize, column: usize): void {
  const s = f32x4.splat(HALF_SQRT);
  let i = realPart(from, step), r = imaginaryPart(from, step);
  let i2 = realPart(from + 12 * step, step), r2 = imaginaryPart(from + 12 * step, step);
  const a0r = add(r, r2), a0i = add(i, i2), a1r = sub(r, r2), a1i = sub(i, i2);
  i = realPart(from + 6 * step, step); r = imaginaryPart(from + 6 * step, step);
  i2 = realPart(from + 18 * step, step); r2 = imaginaryPart(from + 18 * step, step);
  const b0r = add(r, r2), b0i = add(i, i2), b1r = sub(r, r2), b1i = sub(i, i2);
  const e0r = add(a0r, b0r), e0i = add(a0i, b0i), e1r = sub(a0r, b0r), e1i = sub(a0i, b0i);
  const f0r = add(a1r, b1i), f0i = sub(a1i, b1r), f1r = sub(a1r, b1i), f1i = add(a1i, b1r);
  i = realPart(from + 3 * step, step); r = imaginaryPart(from + 3 * step, step);
  i2 = realPart(from + 15 * step, step); r2 = imaginaryPart(from + 15 * step, step);
  const c0r = add(r, r2), c0i = add(i, i2), c1r = sub(r, r2), c1i = sub(i, i2);
  i = realPart(from + 9 * step, step); r = imaginaryPart(from + 9 * step, step);
  i2 = realPart(from + 21 * step, step); r2 = imaginaryPart(from + 21 * step, step);
  const d0r = add(r, r2), d0i = add(i, i2), d1r = sub(r, r2), d1i = sub(i, i2);
  const o0r = add(c0r, d0r), o0i = add(c0i, d0i), o1r = sub(c0r, d0r), o1i = sub(c0i, d0i);
  v128.store(column, add(e0i, o0i)); v128.store(column, add(e0r, o0r), 16);
  v128.store(column, sub(e1i, o1r), 256); v128.store(column, add(e1r, o1i), 272);
  if (offsetof<R>() > 4) { v128.store(column, sub(e0i, o0i), 512); v128.store(column, sub(e0r, o0r), 528); }
  const pr = sub(c1r, d1r), pi = sub(c1i, d1i), qr = add(c1r, d1r), qi = add(c1i, d1i);
  const gr = f32x4.mul(s, add(pr, qi)), gi = f32x4.mul(s, sub(pi, qr));
  v128.store(column, add(f0i, gi), 128); v128.store(column, add(f0r, gr), 144);
  if (offsetof<R>() > 5) { v128.store(column, sub(f0i, gi), 640); v128.store(column, sub(f0r, gr), 656); }
  if (offsetof<R>() > 3) {
    const hr = f32x4.mul(s, sub(pr, qi)), hi = f32x4.mul(s, add(pi, qr));
    v128.store(column, sub(f1i, hi), 384); v128.store(column, sub(f1r, hr), 400);
  }
}

/** From a spectrum of products back to the first R rows, each still transformed. */
@inline
function columnsBack<R>(from: usize, step: usize): void {
  realColumnBack<R>(from, from + 4 * step, step, rows);
  realColumnBack<R>(from + 2 * step, from + 13 * step, step, rows + 16);
  complexColumnBack<R>(from + 22 * step, step, rows + 32);
  complexColumnBack<R>(from + 46 * step, step, rows + 64);
  complexColumnBack<R>(from + 70 * step, step, rows + 96);
}

/** Four products' first M × M numbers (M is 4 or 6) plus the number at `bias`, each to its place. */
@inline
function tilesBack<M>(
  from: usize, step: usize, bias: usize, q0: usize, q1: usize, q2: usize, q3: usize, pitch: usize,
): void {
  columnsBack<M>(from, step);
  const offset = v128.load32_splat(bias);
  const s = f32x4.splat(HALF_SQRT);
  for (let row = rows; row < rows + 128 * offsetof<M>(); row += 128) {
    const y0 = add(v128.load(row), offset), y4 = v128.load(row, 16);
    const r1 = v128.load(row, 32), i1 = v128.load(row, 48), r2 = v128.load(row, 64), i2 = v128.load(row, 80);
    const r3 = v128.load(row, 96), i3 = v128.load(row, 112);
    const even = add(y0, y4), odd = sub(y0, y4);
    const a = add(r1, r3), b = sub(r1, r3), c = add(i1, i3), d = sub(i1, i3);
    const p = sub(odd, i2), g = f32x4.mul(s, sub(b, c));
    const x0 = add(add(even, r2), a), x1 = add(p, g), x2 = sub(sub(even, r2), d);
    const x3 = sub(add(odd, i2), f32x4.mul(s, add(b, c)));
    let t0 = low(x0, x1), t1 = low(x2, x3);
    v128.store(q0, lowPair(t0, t1));
    v128.store(q1, highPair(t0, t1));
    t0 = high(x0, x1); t1 = high(x2, x3);
    v128.store(q2, lowPair(t0, t1));
    v128.store(q3, highPair(t0, t1));
    if (offsetof<M>() > 4) {
      const x4 = sub(add(even, r2), a), x5 = sub(p, g);
      t0 = low(x4, x5); t1 = high(x4, x5);
      v128.store64_lane(q0, t0, 0, 16);
      v128.store64_lane(q1, t0, 1, 16);
      v128.store64_lane(q2, t1, 0, 16);
      v128.store64_lane(q3, t1, 1, 16);
    }
    q0 += pitch; q1 += pitch; q2 += pitch; q3 += pitch;
  }
}

export function tilesBack4(
  from: usize, step: usize, bias: usize, q0: usize, q1: usize, q2: usize, q3: usize, pitch: usize,
): void {
  tilesBack<Rows4>(from, step, bias, q0, q1, q2, q3, pitch);
}

export function tilesBack6(
  from: usize, step: usize, bias: usize, q0: usize, q1: usize, q2: usize, q3: usize, pitch: usize,
): void {
  tilesBack<Rows6>(from, step, bias, q0, q1, q2, q3, pitch);
}

/** The first `count` of four products' first R × R numbers (R is 3 or 5), one after the other. */
@inline
function kernelsBack<R>(from: usize, step: usize, to: usize, count: i32): void {
  columnsBack<R>(from, step);
  const s = f32x4.splat(HALF_SQRT);
  const plane: usize = 4 * offsetof<R>() * offsetof<R>();
  for (let row = rows; row < rows + 128 * offsetof<R>(); row += 128) {
    const y0 = v128.load(row), y4 = v128.load(row, 16);
    const r1 = v128.load(row, 32), i1 = v128.load(row, 48), r2 = v128.load(row, 64), i2 = v128.load(row, 80);
    const r3 = v128.load(row, 96), i3 = v128.load(row, 112);
    const even = add(y0, y4), odd = sub(y0, y4);
    const a = add(r1, r3), b = sub(r1, r3), c = add(i1, i3), d = sub(i1, i3);
    storeApart(to, plane, count, add(add(even, r2), a));
    storeApart(to + 4, plane, count, add(sub(odd, i2), f32x4.mul(s, sub(b, c))));
    storeApart(to + 8, plane, count, sub(sub(even, r2), d));
    if (offsetof<R>() > 3) {
      storeApart(to + 12, plane, count, sub(add(odd, i2), f32x4.mul(s, add(b, c))));
      storeApart(to + 16, plane, count, sub(add(even, r2), a));
    }
    to += 4 * offsetof<R>();
  }
}

export function kernelsBack3(from: usize, step: usize, to: usize, count: i32): void {
  kernelsBack<Rows3>(from, step, to, count);
}

export function kernelsBack5(from: usize, step: usize, to: usize, count: i32): void {
  kernelsBack<Rows5>(from, step, to, count);
}
