import { outerProducts } from "./gemm";
import { madd, Rows1, Rows2, Rows3, Rows4, Rows5, Rows6, tileCount, tileStart } from "./simd";

// A convolution as a matrix product whose right side is never built: tap k of the kernel (a channel and a kernel position)
// reads the padded image at a fixed distance from the output pixel, so a table of distances replaces im2col.

/** R output rows (channels) × 8 pixels: out[r·plane + 0..8] = bias[r] + Σ_k w[k·R + r] · x[taps[k] + 0..8]. */
@inline
function pixels8<R>(w: usize, taps: usize, end: usize, x: usize, bias: usize, out: usize, plane: usize): void {
  let s00 = v128.load32_splat(bias), s01 = s00;
  let s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00, s40 = s00, s41 = s00, s50 = s00, s51 = s00;
  if (offsetof<R>() > 1) { s10 = v128.load32_splat(bias, 4); s11 = s10; }
  if (offsetof<R>() > 2) { s20 = v128.load32_splat(bias, 8); s21 = s20; }
  if (offsetof<R>() > 3) { s30 = v128.load32_splat(bias, 12); s31 = s30; }
  if (offsetof<R>() > 4) { s40 = v128.load32_splat(bias, 16); s41 = s40; }
  if (offsetof<R>() > 5) { s50 = v128.load32_splat(bias, 20); s51 = s50; }
  while (taps < end) {
    const p = x + load<u32>(taps);
    const b0 = v128.load(p), b1 = v128.load(p, 16);
    let a = v128.load32_splat(w);
    s00 = madd(a, b0, s00); s01 = madd(a, b1, s01);
    if (offsetof<R>() > 1) { a = v128.load32_splat(w, 4); s10 = madd(a, b0, s10); s11 = madd(a, b1, s11); }
    if (offsetof<R>() > 2) { a = v128.load32_splat(w, 8); s20 = madd(a, b0, s20); s21 = madd(a, b1, s21); }
    if (offsetof<R>() > 3) { a = v128.load32_splat(w, 12); s30 = madd(a, b0, s30); s31 = madd(a, b1, s31); }
    if (offsetof<R>() > 4) { a = v128.load32_splat(w, 16); s40 = madd(a, b0, s40); s41 = madd(a, b1, s41); }
    if (offsetof<R>() > 5) { a = v128.load32_splat(w, 20); s50 = madd(a, b0, s50); s51 = madd(a, b1, s51); }
    w += offsetof<R>() * 4;
    taps += 4;
  }
  v128.store(out, s00); v128.store(out, s01, 16);
  if (offsetof<R>() > 1) { out += plane; v128.store(out, s10); v128.store(out, s11, 16); }
  if (offsetof<R>() > 2) { out += plane; v128.store(out, s20); v128.store(out, s21, 16); }
  if (offsetof<R>() > 3) { out += plane; v128.store(out, s30); v128.store(out, s31, 16); }
  if (offsetof<R>() > 4) { out += plane; v128.store(out, s40); v128.store(out, s41, 16); }
  if (offsetof<R>() > 5) { out += plane; v128.store(out, s50); v128.store(out, s51, 16); }
}

/** The first `lanes` (1 to 4) numbers of s. */
@inline
function storeLanes(to: usize, s: v128, lanes: i32): void {
  if (lanes == 4) {
    v128.store(to, s);
    return;
  }
  store<f32>(to, f32x4.extract_lane(s, 0));
  if (lanes > 1) store<f32>(to, f32x4.extract_lane(s, 1), 4);
  if (lanes > 2) store<f32>(to, f32x4.extract_lane(s, 2), 8);
}

/** The same for 4 pixels, of which the first `lanes` are stored. */
@inline
function pixels4<R>(w: usize, taps: usize, end: usize, x: usize, bias: usize, out: usize, plane: usize, lanes: i32): void {
  let s0 = v128.load32_splat(bias);
  let s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0;
  if (offsetof<R>() > 1) s1 = v128.load32_splat(bias, 4);
  if (offsetof<R>() > 2) s2 = v128.load32_splat(bias, 8);
  if (offsetof<R>() > 3) s3 = v128.load32_splat(bias, 12);
  if (offsetof<R>() > 4) s4 = v128.load32_splat(bias, 16);
  if (offsetof<R>() > 5) s5 = v128.load32_splat(bias, 20);
  while (taps < end) {
    const b = v128.load(x + load<u32>(taps));
    s0 = madd(v128.load32_splat(w), b, s0);
    if (offsetof<R>() > 1) s1 = madd(v128.load32_splat(w, 4), b, s1);
    if (offsetof<R>() > 2) s2 = madd(v128.load32_splat(w, 8), b, s2);
    if (offsetof<R>() > 3) s3 = madd(v128.load32_splat(w, 12), b, s3);
    if (offsetof<R>() > 4) s4 = madd(v128.load32_splat(w, 16), b, s4);
    if (offsetof<R>() > 5) s5 = madd(v128.load32_splat(w, 20), b, s5);
    w += offsetof<R>() * 4;
    taps += 4;
  }
  storeLanes(out, s0, lanes);
  if (offsetof<R>() > 1) storeLanes(out + plane, s1, lanes);
  if (offsetof<R>() > 2) storeLanes(out + 2 * plane, s2, lanes);
  if (offsetof<R>() > 3) storeLanes(out + 3 * plane, s3, lanes);
  if (offsetof<R>() > 4) storeLanes(out + 4 * plane, s4, lanes);
  if (offsetof<R>() > 5) storeLanes(out + 5 * plane, s5, lanes);
}

/**
 * All pixels of one tile of channels. What is left of a row after whole blocks of 8 is computed as a block that ends with
 * the row and overlaps its neighbour, so that nothing is written past the row.
 */
function planes<R>(
  w: usize, taps: usize, end: usize, x: usize, xPitch: usize, bias: usize, out: usize, plane: usize, outH: i32, outW: i32,
): void {
  for (let i = 0; i < outH; i++) {
    let j = 0;
    for (; j + 8 <= outW; j += 8) {
      pixels8<R>(w, taps, end, x + (<usize>j << 2), bias, out + (<usize>j << 2), plane);
    }
    if (outW - j > 4 && outW >= 8) {
      pixels8<R>(w, taps, end, x + (<usize>(outW - 8) << 2), bias, out + (<usize>(outW - 8) << 2), plane);
    } else {
      if (outW - j > 4) {
        pixels4<R>(w, taps, end, x, bias, out, plane, 4);
        j = 4;
      }
      if (outW > j) {
        const lanes = min(4, outW);
        const last = <usize>(outW - lanes) << 2;
        pixels4<R>(w, taps, end, x + last, bias, out + last, plane, lanes);
      }
    }
    x += xPitch;
    out += <usize>outW << 2;
  }
}

/**
 * out [rows, outH, outW] from a padded image x (xPitch bytes a row; readable for 16 bytes past its end), weights packed by
 * packTiles as [rows, taps] and `count` tap distances in bytes.
 */
export function convolve(
  w: usize, taps: usize, count: i32, x: usize, xPitch: usize, bias: usize, rows: i32, out: usize, outH: i32, outW: i32,
): void {
  const tiles = tileCount(rows);
  const plane = <usize>(outH * outW) << 2;
  const end = taps + (<usize>count << 2);
  for (let t = 0; t < tiles; t++) {
    const first = tileStart(t, rows);
    const tile = w + ((<usize>first * count) << 2);
    const b = bias + (<usize>first << 2);
    const o = out + <usize>first * plane;
    switch (tileStart(t + 1, rows) - first) {
      case 1: planes<Rows1>(tile, taps, end, x, xPitch, b, o, plane, outH, outW); break;
      case 2: planes<Rows2>(tile, taps, end, x, xPitch, b, o, plane, outH, outW); break;
      case 3: planes<Rows3>(tile, taps, end, x, xPitch, b, o, plane, outH, outW); break;
      case 4: planes<Rows4>(tile, taps, end, x, xPitch, b, o, plane, outH, outW); break;
      case 5: planes<Rows5>(tile, taps, end, x, xPitch, b, o, plane, outH, outW); break;
      default: planes<Rows6>(tile, taps, end, x, xPitch, b, o, plane, outH, outW);
    }
  }
}

/**
 * grad [rows, pitch bytes] += what one image adds to the weight gradient. x is channels-last and padded, gradOut packed by
 * packTiles as [rows, outH·outW]. A run is what lies side by side for one kernel row (all its columns and channels, or with
 * dilation one column's channels): `runs` byte distances into x and `runPitch` bytes of each run in grad, a multiple of 32.
 */
export function addWeightGrad(
  gradOut: usize, x: usize, runs: usize, runCount: i32, runPitch: usize, rowStep: usize, pixelStep: usize,
  rows: i32, outH: i32, outW: i32, grad: usize, pitch: usize,
): void {
  const tiles = tileCount(rows);
  const pixels = outH * outW;
  for (let t = 0; t < tiles; t++) {
    const first = tileStart(t, rows);
    const height = tileStart(t + 1, rows) - first;
    const tile = gradOut + ((<usize>first * pixels) << 2);
    for (let r = 0; r < runCount; r++) {
      const run = x + load<u32>(runs + (<usize>r << 2));
      const row = grad + <usize>first * pitch + <usize>r * runPitch;
      for (let block: usize = 0; block < runPitch; block += 32) {
        for (let i = 0; i < outH; i++) {
          const a = tile + ((<usize>i * outW * height) << 2);
          outerProducts(height, a, run + block + <usize>i * rowStep, pixelStep, outW, row + block, pitch);
        }
      }
    }
  }
}

/**
 * out [rows, channels, kernelH, kernelW] from sums, in which the channels lie side by side: a row of sums takes `pitch`
 * bytes, a row of the kernel in it `rowPitch` and a column `columnPitch`.
 */
export function weightsFromRuns(
  sums: usize, rows: i32, channels: i32, kernelH: i32, kernelW: i32, pitch: usize, rowPitch: usize, columnPitch: usize,
  out: usize,
): void {
  for (let o = 0; o < rows; o++) {
    for (let c = 0; c < channels; c++) {
      let row = sums + (<usize>c << 2);
      for (let u = 0; u < kernelH; u++) {
        let from = row;
        for (let v = 0; v < kernelW; v++) {
          store<f32>(out, load<f32>(from));
          from += columnPitch;
          out += 4;
        }
        row += rowPitch;
      }
    }
    sums += pitch;
  }
}
