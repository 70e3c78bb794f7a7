/**
 * float32 convolutions of many channels and large images in the frequency domain, and both of their gradients: 3 to 4 times
 * fewer multiplications than tap by tap, and smaller errors, since each sum has fewer terms. Errors are spread over a tile,
 * though: whole numbers come out with one, and so do zeros. Each function answers false, as a kernel does, for work that is
 * better done tap by tap, and when an infinity or NaN spread likewise.
 */
import type { TypedArray } from "../../core/dtype.ts";
import type { ConvGeometry } from "../../core/window.ts";
import type { View } from "../backend.ts";
import { denseData, outData } from "../reference/strided.ts";
import type { Scratch } from "./scratch.ts";

/** As in assembly/spectral.ts. */
const COEFFICIENTS = 94;
const BLOCK = 16;

/** Fewer channels or multiplications than this are not worth the transforms. */
const FEWEST_CHANNELS = 16;
const FEWEST_PRODUCTS = 1 << 20;

/** Kernel spectra beyond this leave no room in the caches. */
const MOST_KERNELS = 1 << 16;

/** Measured in multiplications tap by tap: what one costs here, one transform of a tile, and one of a kernel. */
const COST = { product: 1.2, tile: 12, kernel: 9 };

const roundUp = (x: number, to: number) => Math.ceil(x / to) * to;

/** Floats of all coefficients with `floats` numbers each, spaced as spectrumStep does. */
const spectra = (floats: number) => COEFFICIENTS * (roundUp(floats, 16) + 16);

function isWhole(x: TypedArray): boolean {
  for (let i = 0; i < x.length; i++) if (!Number.isInteger(x[i])) return false;
  return true;
}

/** Whether hardly any number differs from zero. */
function isSparse(x: TypedArray): boolean {
  let left = x.length >> 6;
  for (let i = 0; i < x.length; i++) if (x[i] !== 0 && left-- === 0) return false;
  return true;
}

/** Whether the shape is for this way: many channels and pixels, and a 3 × 3 or 5 × 5 window that moves cell by cell. */
function shapeSuits(g: ConvGeometry): boolean {
  const size = g.kernelH;
  if ((size !== 3 && size !== 5) || g.kernelW !== size || g.groups !== 1) return false;
  if (g.strideH !== 1 || g.strideW !== 1 || g.dilationH !== 1 || g.dilationW !== 1) return false;
  const kernels = g.c * g.o;
  if (Math.min(g.c, g.o) < FEWEST_CHANNELS || kernels > MOST_KERNELS) return false;
  const tiles = g.n * Math.ceil(g.outH / (9 - size)) * Math.ceil(g.outW / (9 - size));
  const cost = tiles * (COST.product * kernels + COST.tile * (g.c + g.o)) + COST.kernel * kernels;
  const direct = g.n * kernels * size * size * g.outH * g.outW;
  return direct >= FEWEST_PRODUCTS && COEFFICIENTS * cost < direct;
}

/**
 * Whether these operands are for this way. What is whole, or zero but for a few places, is not: there the exact digits and
 * the exact zeros are what one looks at.
 */
function suits(g: ConvGeometry, a: View, b: View): boolean {
  if (!shapeSuits(g)) return false;
  const [x, y] = [denseData(a), denseData(b)];
  return !(isWhole(x) && isWhole(y)) && !isSparse(x) && !isSparse(y);
}

/** One side of a convolution: planes that are read in overlapping tiles, or written in tiles side by side. */
interface Plane {
  h: number;
  w: number;
}

/** How a result of h × w is made of tiles, and how many images are in work together. */
class Tiling {
  readonly step: number;
  readonly down: number;
  readonly across: number;
  readonly images: number;
  /** What the tiles read, and what they write. */
  readonly padded: Plane;
  readonly covered: Plane;

  constructor(n: number, size: number, { h, w }: Plane) {
    this.step = 9 - size;
    this.down = Math.ceil(h / this.step);
    this.across = Math.ceil(w / this.step);
    this.covered = { h: this.down * this.step, w: this.across * this.step };
    this.padded = { h: this.covered.h + size - 1, w: this.covered.w + size - 1 };
    this.images = Math.min(n, Math.ceil(BLOCK / (this.down * this.across)));
  }

  get tilesPerImage(): number {
    return this.down * this.across;
  }

  /** Each tile's byte distance in images of `channels` planes of width `w`; up to whole panels of 8 the last is repeated. */
  distances(channels: number, { h, w }: Plane): number[] {
    const list: number[] = [];
    for (let image = 0; image < this.images; image++) {
      for (let i = 0; i < this.down; i++) {
        for (let j = 0; j < this.across; j++) list.push(4 * (image * channels * h * w + this.step * (i * w + j)));
      }
    }
    while (list.length % 8 !== 0) list.push(list.at(-1)!);
    return list;
  }
}

const cells = ({ h, w }: Plane) => h * w;

/** Copies planes of `from` into planes of `to`, shifted, zero outside. */
function place(s: Scratch, planes: number, x: number, from: Plane, to: Plane, top: number, left: number, at: number) {
  s.call.padPlanes(x, planes, from.h, from.w, at, 4 * cells(to), to.h, to.w, 1, 1, -top, -left);
}

const same = (a: Plane, b: Plane) => a.h === b.h && a.w === b.w;

/** What slides over what: images [n, channels, from], padded by top and left, to [n, rows, to]. */
interface Sliding {
  n: number;
  size: number;
  channels: number;
  rows: number;
  from: Plane;
  to: Plane;
  top: number;
  left: number;
}

function slide(s: Scratch, x: TypedArray, kernels: number, biases: number, out: TypedArray, t: Sliding): boolean {
  const { n, size, channels, rows, from, to } = t;
  const tiling = new Tiling(n, size, to);
  const { padded, covered, images } = tiling;
  const sources = s.table(tiling.distances(channels, padded));
  const places = s.table(tiling.distances(rows, covered));
  const incoming = s.floats(images * channels * cells(from));
  const source = s.floats(images * channels * cells(padded));
  const result = s.floats(images * rows * cells(covered));
  const fitting = same(covered, to);
  const cropped = fitting ? result : s.floats(images * rows * cells(to));
  const factors = s.floats(spectra(BLOCK * channels));
  const products = s.floats(spectra(BLOCK * rows));
  const wasm = s.call;
  for (let first = 0; first < n; first += images) {
    const count = Math.min(images, n - first);
    s.write(incoming, x, first * channels * cells(from), count * channels * cells(from));
    place(s, count * channels, incoming, from, padded, t.top, t.left, source);
    wasm.convolveTiles(
      sources,
      places,
      count * tiling.tilesPerImage,
      size,
      source,
      4 * cells(padded),
      4 * padded.w,
      channels,
      kernels,
      biases,
      rows,
      result,
      4 * cells(covered),
      4 * covered.w,
      factors,
      products,
    );
    if (!fitting) place(s, count * rows, result, covered, to, 0, 0, cropped);
    if (!wasm.allFinite(cropped, count * rows * cells(to))) return false;
    s.read(cropped, count * rows * cells(to), out, first * rows * cells(to));
  }
  return true;
}

export function spectralConv(
  s: Scratch,
  input: View,
  weight: View,
  bias: View | null,
  g: ConvGeometry,
  out: View,
): boolean {
  if (!suits(g, input, weight)) return false;
  s.begin();
  const size = g.kernelH;
  const window = 4 * size * size;
  const weights = s.floats(g.o * g.c * size * size);
  s.write(weights, denseData(weight));
  const biases = s.floats(g.o);
  if (bias) s.write(biases, denseData(bias));
  else s.fill(biases, g.o, 0);
  const kernels = s.floats(spectra(g.c * roundUp(g.o, 4)));
  s.call.transformKernels(weights, size, g.c, g.o, window, g.c * window, 4 * size, 4, kernels);
  return slide(s, denseData(input), kernels, biases, outData(out), {
    n: g.n,
    size,
    channels: g.c,
    rows: g.o,
    from: { h: g.h, w: g.w },
    to: { h: g.outH, w: g.outW },
    top: g.padTop,
    left: g.padLeft,
  });
}

/** A convolution of the gradient with the kernels turned around. */
export function spectralInputGrad(s: Scratch, gradOut: View, weight: View, g: ConvGeometry, gradInput: View): boolean {
  if (!suits(g, gradOut, weight)) return false;
  s.begin();
  const size = g.kernelH;
  const window = 4 * size * size;
  const weights = s.floats(g.o * g.c * size * size);
  s.write(weights, denseData(weight));
  const biases = s.floats(g.c);
  s.fill(biases, g.c, 0);
  const kernels = s.floats(spectra(g.o * roundUp(g.c, 4)));
  const last = weights + window - 4;
  s.call.transformKernels(last, size, g.o, g.c, g.c * window, window, -4 * size, -4, kernels);
  return slide(s, denseData(gradOut), kernels, biases, outData(gradInput), {
    n: g.n,
    size,
    channels: g.o,
    rows: g.c,
    from: { h: g.outH, w: g.outW },
    to: { h: g.h, w: g.w },
    top: size - 1 - g.padTop,
    left: size - 1 - g.padLeft,
  });
}

export function spectralWeightGrad(s: Scratch, input: View, gradOut: View, g: ConvGeometry, gradWeight: View): boolean {
  if (!suits(g, input, gradOut)) return false;
  s.begin();
  const size = g.kernelH;
  const from = { h: g.h, w: g.w };
  const to = { h: g.outH, w: g.outW };
  const tiling = new Tiling(g.n, size, to);
  const { padded, covered, images } = tiling;
  const sources = s.table(tiling.distances(g.c, padded));
  const places = s.table(tiling.distances(g.o, covered));
  const incoming = s.floats(images * g.c * cells(from));
  const source = s.floats(images * g.c * cells(padded));
  const fitting = same(covered, to);
  const gradient = s.floats(images * g.o * cells(covered));
  const given = fitting ? gradient : s.floats(images * g.o * cells(to));
  const wide = roundUp(g.c, 8);
  const sums = s.floats(spectra(g.o * wide));
  const imageSpectra = s.floats(spectra(BLOCK * wide));
  const gradientSpectra = s.floats(spectra(BLOCK * roundUp(g.o, 4)));
  const result = s.floats(g.o * g.c * size * size);
  s.fill(sums, spectra(g.o * wide), 0);
  const x = denseData(input);
  const grad = denseData(gradOut);
  const wasm = s.call;
  for (let first = 0; first < g.n; first += images) {
    const count = Math.min(images, g.n - first);
    s.write(incoming, x, first * g.c * cells(from), count * g.c * cells(from));
    place(s, count * g.c, incoming, from, padded, g.padTop, g.padLeft, source);
    s.write(given, grad, first * g.o * cells(to), count * g.o * cells(to));
    if (!fitting) place(s, count * g.o, given, to, covered, 0, 0, gradient);
    wasm.addTileProducts(
      sources,
      places,
      count * tiling.tilesPerImage,
      size,
      source,
      4 * cells(padded),
      4 * padded.w,
      g.c,
      gradient,
      4 * cells(covered),
      4 * covered.w,
      g.o,
      sums,
      imageSpectra,
      gradientSpectra,
    );
  }
  wasm.kernelsFromSpectra(sums, size, g.o, g.c, result);
  if (!wasm.allFinite(result, g.o * g.c * size * size)) return false;
  s.read(result, g.o * g.c * size * size, outData(gradWeight), 0);
  return true;
}
