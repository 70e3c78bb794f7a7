// Convolutions of many channels in the frequency domain: the images are cut into overlapping tiles, and for each factor of a
// spectrum the channels of all tiles are one matrix product. A tile of 8 × 8 has 94 factors and gives M × M numbers of a
// convolution with R × R kernels, M = 9 - R: 94 multiplications instead of M²·R². A tile of 12 × 12 has 214 and gives 8 × 8.
//
// A step between coefficients that is an odd number of cache lines keeps neighbours out of each other's way in the cache.

import { gradientSpectra12, imageSpectra12, kernelSpectra12, kernelsBack12, tilesBack12 } from "./fourier12";
import {
  gradientSpectra4, gradientSpectra6, imageSpectra, kernelSpectra3, kernelSpectra5, kernelsBack3, kernelsBack5, tilesBack4,
  tilesBack6,
} from "./fourier8";
import { madd, Rows1, Rows2, Rows3, Rows4, Rows5, Rows6, tileCount, tileStart } from "./simd";

/**
 * c[r][0..8] (+)= Σ_t a[t·aStep + r] · b[t·32 bytes + 0..8] for R rows; `more` adds to what is there, and only the first 4
 * columns are computed unless `wide`.
 */
@inline
function product8<R>(
  a: usize, aStep: usize, b: usize, count: i32, c: usize, pitch: usize, more: bool, wide: bool,
): void {
  const zero = f32x4.splat(0);
  let s00 = zero, s01 = zero, s10 = zero, s11 = zero, s20 = zero, s21 = zero;
  let s30 = zero, s31 = zero, s40 = zero, s41 = zero, s50 = zero, s51 = zero;
  if (more) {
    s00 = v128.load(c); if (wide) s01 = v128.load(c, 16);
    if (offsetof<R>() > 1) { const p = c + pitch; s10 = v128.load(p); if (wide) s11 = v128.load(p, 16); }
    if (offsetof<R>() > 2) { const p = c + 2 * pitch; s20 = v128.load(p); if (wide) s21 = v128.load(p, 16); }
    if (offsetof<R>() > 3) { const p = c + 3 * pitch; s30 = v128.load(p); if (wide) s31 = v128.load(p, 16); }
    if (offsetof<R>() > 4) { const p = c + 4 * pitch; s40 = v128.load(p); if (wide) s41 = v128.load(p, 16); }
    if (offsetof<R>() > 5) { const p = c + 5 * pitch; s50 = v128.load(p); if (wide) s51 = v128.load(p, 16); }
  }
  const end = b + (<usize>count << 5);
  while (b < end) {
    const b0 = v128.load(b), b1 = wide ? v128.load(b, 16) : zero;
    let x = v128.load32_splat(a);
    s00 = madd(x, b0, s00); if (wide) s01 = madd(x, b1, s01);
    if (offsetof<R>() > 1) { x = v128.load32_splat(a, 4); s10 = madd(x, b0, s10); if (wide) s11 = madd(x, b1, s11); }
    if (offsetof<R>() > 2) { x = v128.load32_splat(a, 8); s20 = madd(x, b0, s20); if (wide) s21 = madd(x, b1, s21); }
    if (offsetof<R>() > 3) { x = v128.load32_splat(a, 12); s30 = madd(x, b0, s30); if (wide) s31 = madd(x, b1, s31); }
    if (offsetof<R>() > 4) { x = v128.load32_splat(a, 16); s40 = madd(x, b0, s40); if (wide) s41 = madd(x, b1, s41); }
    if (offsetof<R>() > 5) { x = v128.load32_splat(a, 20); s50 = madd(x, b0, s50); if (wide) s51 = madd(x, b1, s51); }
    a += aStep;
    b += 32;
  }
  v128.store(c, s00); if (wide) v128.store(c, s01, 16);
  if (offsetof<R>() > 1) { const p = c + pitch; v128.store(p, s10); if (wide) v128.store(p, s11, 16); }
  if (offsetof<R>() > 2) { const p = c + 2 * pitch; v128.store(p, s20); if (wide) v128.store(p, s21, 16); }
  if (offsetof<R>() > 3) { const p = c + 3 * pitch; v128.store(p, s30); if (wide) v128.store(p, s31, 16); }
  if (offsetof<R>() > 4) { const p = c + 4 * pitch; v128.store(p, s40); if (wide) v128.store(p, s41, 16); }
  if (offsetof<R>() > 5) { const p = c + 5 * pitch; v128.store(p, s50); if (wide) v128.store(p, s51, 16); }
}

/** All `rows` rows. */
@inline
function product(
  a: usize, aStep: usize, b: usize, count: i32, rows: i32, c: usize, pitch: usize, more: bool, wide: bool,
): void {
  const tiles = tileCount(rows);
  for (let t = 0; t < tiles; t++) {
    const first = tileStart(t, rows);
    const from = a + (<usize>first << 2);
    const to = c + <usize>first * pitch;
    switch (tileStart(t + 1, rows) - first) {
      case 1: product8<Rows1>(from, aStep, b, count, to, pitch, more, wide); break;
      case 2: product8<Rows2>(from, aStep, b, count, to, pitch, more, wide); break;
      case 3: product8<Rows3>(from, aStep, b, count, to, pitch, more, wide); break;
      case 4: product8<Rows4>(from, aStep, b, count, to, pitch, more, wide); break;
      case 5: product8<Rows5>(from, aStep, b, count, to, pitch, more, wide); break;
      default: product8<Rows6>(from, aStep, b, count, to, pitch, more, wide);
    }
  }
}

// One function each, so that what a loop does is known when it is compiled.

function freshProduct(a: usize, aStep: usize, b: usize, count: i32, rows: i32, c: usize, pitch: usize): void {
  product(a, aStep, b, count, rows, c, pitch, false, true);
}

function freshHalf(a: usize, aStep: usize, b: usize, count: i32, rows: i32, c: usize, pitch: usize): void {
  product(a, aStep, b, count, rows, c, pitch, false, false);
}

function addHalf(a: usize, aStep: usize, b: usize, count: i32, rows: i32, c: usize, pitch: usize): void {
  product(a, aStep, b, count, rows, c, pitch, true, false);
}

function addProduct(a: usize, aStep: usize, b: usize, count: i32, rows: i32, c: usize, pitch: usize): void {
  product(a, aStep, b, count, rows, c, pitch, true, true);
}

/** Bytes from one coefficient to the next where it has `floats` numbers. */
@inline
export function spectrumStep(floats: i32): usize {
  return (((<usize>floats << 2) + 63) & ~63) | 64;
}

// Kinds of tiles, as in engine/backends/wasm/spectral.ts: 3 × 3 kernels on 8 × 8, 5 × 5 on 8 × 8, 5 × 5 on 12 × 12.
const THREE: i32 = 0;
const FIVE: i32 = 1;

@inline
function factorsOf(kind: i32): usize {
  return kind > FIVE ? 214 : 94;
}

@inline
function roundUp(x: i32, to: i32): i32 {
  return (x + to - 1) & -to;
}

/**
 * The spectra of all kernels: to[k][c][o], o rounded up to 4, k counting factors. Kernel (c, o) begins at x + c·inner + o·outer bytes; `across`
 * and `down` are the bytes between its columns and rows.
 */
export function transformKernels(
  x: usize, kind: i32, channels: i32, rows: i32, inner: isize, outer: isize, down: isize, across: isize, to: usize,
): void {
  const pitch = roundUp(rows, 4);
  const step = spectrumStep(channels * pitch);
  for (let c = 0; c < channels; c++) {
    for (let o = 0; o < rows; o += 4) {
      const at = to + (<usize>(c * pitch + o) << 2);
      const from = x + <isize>c * inner + <isize>o * outer;
      if (kind == THREE) kernelSpectra3(from, outer, down, across, at, step);
      else if (kind == FIVE) kernelSpectra5(from, outer, down, across, at, step);
      else kernelSpectra12(from, outer, down, across, at, step);
    }
  }
}

/** Panels of 8 tiles that are in work together. */
const PANELS: i32 = 2;

/**
 * out[o] of `tiles` tiles = Σ_c x[c] ∗ kernel[c][o] + bias[o]. `from` and `place` hold each tile's byte distance in a plane of
 * the padded images and of out, rounded up to whole panels of 8 by repeating the last. `spectra` and `products` are working
 * memory of spectrumStep(PANELS·8·channels) and spectrumStep(PANELS·8·rows) bytes for each factor.
 */
export function convolveTiles(
  from: usize, place: usize, tiles: i32, kind: i32, x: usize, xPlane: usize, xPitch: usize, channels: i32,
  kernels: usize, bias: usize, rows: i32, out: usize, outPlane: usize, outPitch: usize, spectra: usize, products: usize,
): void {
  const pitch = roundUp(rows, 4);
  const kernelStep = spectrumStep(channels * pitch);
  const spectrum = spectrumStep(PANELS * 8 * channels);
  const productStep = spectrumStep(PANELS * 8 * rows);
  const factors = factorsOf(kind);
  for (let first = 0; first < tiles; first += 8 * PANELS) {
    const count = min(8 * PANELS, roundUp(tiles - first, 8));
    const used = min(count, roundUp(tiles - first, 4));
    for (let t = 0; t < used; t += 4) {
      const table = from + (<usize>(first + t) << 2);
      const p0 = x + load<u32>(table), p1 = x + load<u32>(table, 4), p2 = x + load<u32>(table, 8), p3 = x + load<u32>(table, 12);
      let at = spectra + <usize>(t >> 3) * (<usize>channels << 5) + (<usize>(t & 4) << 2);
      let plane: usize = 0;
      for (let c = 0; c < channels; c++) {
        if (kind > FIVE) imageSpectra12(p0 + plane, p1 + plane, p2 + plane, p3 + plane, xPitch, at, spectrum);
        else imageSpectra(p0 + plane, p1 + plane, p2 + plane, p3 + plane, xPitch, at, spectrum);
        plane += xPlane;
        at += 32;
      }
    }
    for (let k: usize = 0; k < factors; k++) {
      const a = kernels + k * kernelStep;
      let b = spectra + k * spectrum;
      let c = products + k * productStep;
      for (let panel = 0; panel < count; panel += 8) {
        if (first + panel + 4 < tiles) freshProduct(a, <usize>pitch << 2, b, channels, rows, c, 32);
        else freshHalf(a, <usize>pitch << 2, b, channels, rows, c, 32);
        b += <usize>channels << 5;
        c += <usize>rows << 5;
      }
    }
    for (let t = 0; t < used; t += 4) {
      const table = place + (<usize>(first + t) << 2);
      let q0 = out + load<u32>(table), q1 = out + load<u32>(table, 4), q2 = out + load<u32>(table, 8), q3 = out + load<u32>(table, 12);
      let at = products + <usize>(t >> 3) * (<usize>rows << 5) + (<usize>(t & 4) << 2);
      for (let o = 0; o < rows; o++) {
        const b = bias + (<usize>o << 2);
        if (kind == THREE) tilesBack6(at, productStep, b, q0, q1, q2, q3, outPitch);
        else if (kind == FIVE) tilesBack4(at, productStep, b, q0, q1, q2, q3, outPitch);
        else tilesBack12(at, productStep, b, q0, q1, q2, q3, outPitch);
        q0 += outPlane; q1 += outPlane; q2 += outPlane; q3 += outPlane;
        at += 32;
      }
    }
  }
}

/** Tiles whose outer products are summed in one go. */
const DEPTH: i32 = 16;

/**
 * sums[k][o][c], c rounded up to 8, += the products of gradOut's and x's spectra, tile by tile: the weight gradient of
 * `tiles` tiles. `from` and `place` are as in convolveTiles, without repetition; `sums` starts as zeros. `images` and
 * `gradients` are working memory of spectrumStep(DEPTH·c) and spectrumStep(DEPTH·o), rounded up likewise.
 */
export function addTileProducts(
  from: usize, place: usize, tiles: i32, kind: i32, x: usize, xPlane: usize, xPitch: usize, channels: i32,
  grad: usize, gradPlane: usize, gradPitch: usize, rows: i32, sums: usize, images: usize, gradients: usize,
): void {
  const wide = roundUp(channels, 8);
  const pitch = roundUp(rows, 4);
  const sumStep = spectrumStep(rows * wide);
  const imageStep = spectrumStep(DEPTH * wide);
  const gradientStep = spectrumStep(DEPTH * pitch);
  const lastChannel = channels - 1;
  const lastRow = rows - 1;
  const factors = factorsOf(kind);
  for (let first = 0; first < tiles; first += DEPTH) {
    const count = min(DEPTH, tiles - first);
    for (let t = 0; t < count; t++) {
      const p = x + load<u32>(from + (<usize>(first + t) << 2));
      for (let c = 0; c < channels; c += 4) {
        const at = images + ((<usize>((c >> 3) * DEPTH + t) << 3) + (c & 4) << 2);
        const p0 = p + <usize>c * xPlane, p1 = p + <usize>min(c + 1, lastChannel) * xPlane;
        const p2 = p + <usize>min(c + 2, lastChannel) * xPlane, p3 = p + <usize>min(c + 3, lastChannel) * xPlane;
        if (kind > FIVE) imageSpectra12(p0, p1, p2, p3, xPitch, at, imageStep);
        else imageSpectra(p0, p1, p2, p3, xPitch, at, imageStep);
      }
      const q = grad + load<u32>(place + (<usize>(first + t) << 2));
      for (let o = 0; o < rows; o += 4) {
        const at = gradients + (<usize>(t * pitch + o) << 2);
        const q0 = q + <usize>o * gradPlane, q1 = q + <usize>min(o + 1, lastRow) * gradPlane;
        const q2 = q + <usize>min(o + 2, lastRow) * gradPlane, q3 = q + <usize>min(o + 3, lastRow) * gradPlane;
        if (kind == THREE) gradientSpectra6(q0, q1, q2, q3, gradPitch, at, gradientStep);
        else if (kind == FIVE) gradientSpectra4(q0, q1, q2, q3, gradPitch, at, gradientStep);
        else gradientSpectra12(q0, q1, q2, q3, gradPitch, at, gradientStep);
      }
    }
    for (let k: usize = 0; k < factors; k++) {
      const a = gradients + k * gradientStep;
      const b = images + k * imageStep;
      const c = sums + k * sumStep;
      for (let panel = 0; panel < wide; panel += 8) {
        const from = b + (<usize>(panel * DEPTH) << 2), to = c + (<usize>panel << 2);
        if (panel + 4 < channels) addProduct(a, <usize>pitch << 2, from, count, rows, to, <usize>wide << 2);
        else addHalf(a, <usize>pitch << 2, from, count, rows, to, <usize>wide << 2);
      }
    }
  }
}

/** The summed spectra back to out [rows, channels, 3, 3] or [rows, channels, 5, 5]. */
export function kernelsFromSpectra(sums: usize, kind: i32, rows: i32, channels: i32, out: usize): void {
  const wide = roundUp(channels, 8);
  const step = spectrumStep(rows * wide);
  const window = kind == THREE ? 36 : 100;
  for (let o = 0; o < rows; o++) {
    for (let c = 0; c < channels; c += 4) {
      const from = sums + (<usize>(o * wide + c) << 2);
      const to = out + <usize>((o * channels + c) * window);
      if (kind == THREE) kernelsBack3(from, step, to, min(4, channels - c));
      else if (kind == FIVE) kernelsBack5(from, step, to, min(4, channels - c));
      else kernelsBack12(from, step, to, min(4, channels - c));
    }
  }
}
