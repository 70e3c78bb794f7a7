/**
 * float32 convolutions of many channels and large images in the frequency domain, and both of their gradients: 3 to 7 times
 * fewer multiplications than tap by tap, and smaller errors, since each sum has fewer terms. Errors are spread over a tile,
 * though: whole numbers come out with one, and so do zeros. What is a sum of zeros only, since no pixel under a window has
 * anything in any channel, is therefore set afterwards. Each function answers false, as a kernel does, for work that is better
 * done tap by tap, and when an infinity or NaN spread likewise.
 */
import type { TypedArray } from "../../core/dtype.ts";
import type { ConvGeometry } from "../../core/window.ts";
import type { View } from "../backend.ts";
import { denseData, outData } from "../reference/strided.ts";
import type { Scratch } from "./scratch.ts";

/** A kernel's size, the tiles that images are cut into for it, and of how many factors a tile's spectrum consists. */
interface Kind {
  /** As in assembly/spectral.ts. */
  code: number;
  size: number;
  tile: number;
  factors: number;
}

const KINDS: readonly Kind[] = [
  { code: 0, size: 3, tile: 8, factors: 94 },
  { code: 1, size: 5, tile: 8, factors: 94 },
  { code: 2, size: 5, tile: 12, factors: 214 },
];

/** Tiles in work together, as in assembly/spectral.ts. */
const BLOCK = 16;

/** Fewer channels on one side and on the other, or fewer multiplications than this, stay with the other way. */
const FEWEST_CHANNELS = [3, 16] as const;
const FEWEST_PRODUCTS = 1 << 20;

/** Floats of kernel spectra, and channels of both sides: beyond, the working memory would be given up after each call. */
const MOST_SPECTRA = 1 << 23;
const MOST_CHANNELS = 1024;

/** In multiplications tap by tap: what one costs here, and for each factor the transforms of a tile and of a kernel. */
const COST = { product: 1.2, tile: 7, kernel: 8 };

/** What a multiplication costs tap by tap, measured likewise: the gradients are slower. */
const TAP_BY_TAP = { forward: 1, input: 1.2, weight: 1.4 };

const roundUp = (x: number, to: number) => Math.ceil(x / to) * to;

/** Floats of all factors with `floats` numbers each, spaced as spectrumStep does. */
const spectra = ({ factors }: Kind, floats: number) => factors * (roundUp(floats, 16) + 16);

function isWhole(x: TypedArray): boolean {
  for (let i = 0; i < x.length; i++) if (!Number.isInteger(x[i])) return false;
  return true;
}

/** Whether hardly any number differs from zero, as far as some thousand evenly spread ones tell. */
function isSparse(x: TypedArray): boolean {
  const step = Math.floor(x.length / 4096) | 1;
  let left = x.length / step / 64;
  for (let i = 0; i < x.length; i += step) if (x[i] !== 0 && --left < 0) return false;
  return true;
}

/** What a convolution costs with tiles of this kind, in multiplications tap by tap. */
function costOf(g: ConvGeometry, { size, tile, factors }: Kind): number {
  const step = tile - size + 1;
  const tiles = g.n * Math.ceil(g.outH / step) * Math.ceil(g.outW / step);
  // Half a panel of 8 costs three quarters of a whole one.
  const rest = tiles % 8;
  const filled = tiles - rest + (rest === 0 ? 0 : rest <= 4 ? 6 : 8);
  const products = COST.product * g.c * g.o * filled;
  return factors * (products + COST.tile * (g.c + g.o) * tiles + COST.kernel * g.c * g.o);
}

/** The best tiles for a shape; null where it is quicker tap by tap: few channels or pixels, steps, groups, other windows. */
function kindFor(g: ConvGeometry, tapByTap: number): Kind | null {
  if (g.strideH !== 1 || g.strideW !== 1 || g.dilationH !== 1 || g.dilationW !== 1 || g.groups !== 1) return null;
  if (Math.min(g.c, g.o) < FEWEST_CHANNELS[0] || Math.max(g.c, g.o) < FEWEST_CHANNELS[1]) return null;
  if (g.c + g.o > MOST_CHANNELS) return null;
  let best: Kind | null = null;
  const products = g.n * g.c * g.o * g.kernelH * g.kernelW * g.outH * g.outW;
  if (products < FEWEST_PRODUCTS) return null;
  let least = products * tapByTap;
  for (const kind of KINDS) {
    if (kind.size !== g.kernelH || kind.size !== g.kernelW || kind.factors * g.c * g.o > MOST_SPECTRA) continue;
    const cost = costOf(g, kind);
    if (cost < least) [best, least] = [kind, cost];
  }
  return best;
}

/**
 * The kind of tiles for these operands. What is whole, or zero but for a few places, is not for this way: there the exact
 * digits and the exact zeros are what one looks at.
 */
function kindForOperands(g: ConvGeometry, tapByTap: number, a: View, b: View): Kind | null {
  const kind = kindFor(g, tapByTap);
  if (!kind) return null;
  const [x, y] = [denseData(a), denseData(b)];
  return (isWhole(x) && isWhole(y)) || isSparse(x) || isSparse(y) ? null : kind;
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

  constructor(n: number, { size, tile }: Kind, { h, w }: Plane) {
    this.step = tile - size + 1;
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

/** The places of [size, size] kernels at which one of `planes` is not zero, turned around by 180° if asked to. */
function tapsOf(s: Scratch, weights: number, planes: number, size: number, turned: boolean): [number, number][] {
  const map = s.floats(size * size);
  s.call.occupied(weights, planes, size * size, map);
  const bits = s.viewInts(map, size * size);
  const taps: [number, number][] = [];
  for (let t = 0; t < size * size; t++) {
    if (bits[t] === 0) continue;
    const at = turned ? size * size - 1 - t : t;
    taps.push([Math.floor(at / size), at % size]);
  }
  return taps;
}

/** Whether each window has something under its taps if each pixel has: none lies in the padding alone. */
function alwaysMeets({ kind: { size }, taps, from, to, top, left }: Sliding): boolean {
  if (taps.length < size * size || top >= size || left >= size) return false;
  return to.h - top <= from.h && to.w - left <= from.w;
}

/** What slides over what: images [n, channels, from], padded by top and left, to [n, rows, to]. */
interface Sliding {
  kind: Kind;
  taps: readonly [number, number][];
  n: number;
  channels: number;
  rows: number;
  from: Plane;
  to: Plane;
  top: number;
  left: number;
}

function slide(s: Scratch, x: TypedArray, kernels: number, biases: number, out: TypedArray, t: Sliding): boolean {
  const { kind, n, channels, rows, from, to } = t;
  const tiling = new Tiling(n, kind, to);
  const { padded, covered, images } = tiling;
  const sources = s.table(tiling.distances(channels, padded));
  const places = s.table(tiling.distances(rows, covered));
  const incoming = s.floats(images * channels * cells(from));
  const source = s.floats(images * channels * cells(padded));
  const result = s.floats(images * rows * cells(covered));
  const fitting = same(covered, to);
  const cropped = fitting ? result : s.floats(images * rows * cells(to));
  const factors = s.floats(spectra(kind, BLOCK * channels));
  const products = s.floats(spectra(kind, BLOCK * rows));
  const map = s.floats(cells(from));
  const tapTable = s.table(t.taps.flat());
  const meets = alwaysMeets(t);
  const wasm = s.call;
  for (let first = 0; first < n; first += images) {
    const count = Math.min(images, n - first);
    s.write(incoming, x, first * channels * cells(from), count * channels * cells(from));
    place(s, count * channels, incoming, from, padded, t.top, t.left, source);
    wasm.convolveTiles(
      sources,
      places,
      count * tiling.tilesPerImage,
      kind.code,
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
    for (let image = 0; image < count; image++) {
      if (wasm.occupied(incoming + 4 * image * channels * cells(from), channels, cells(from), map) && meets) continue;
      const at = cropped + 4 * image * rows * cells(to);
      const { h, w } = from;
      wasm.clearWindows(map, h, w, t.top, t.left, tapTable, t.taps.length, biases, rows, at, to.h, to.w);
    }
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
  const kind = kindForOperands(g, TAP_BY_TAP.forward, input, weight);
  if (!kind) return false;
  s.begin();
  const size = g.kernelH;
  const window = 4 * size * size;
  const weights = s.floats(g.o * g.c * size * size);
  s.write(weights, denseData(weight));
  const biases = s.floats(g.o);
  if (bias) s.write(biases, denseData(bias));
  else s.fill(biases, g.o, 0);
  const kernels = s.floats(spectra(kind, g.c * roundUp(g.o, 4)));
  s.call.transformKernels(weights, kind.code, g.c, g.o, window, g.c * window, 4 * size, 4, kernels);
  return slide(s, denseData(input), kernels, biases, outData(out), {
    kind,
    taps: tapsOf(s, weights, g.o * g.c, size, false),
    n: g.n,
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
  const kind = kindForOperands(g, TAP_BY_TAP.input, gradOut, weight);
  if (!kind) return false;
  s.begin();
  const size = g.kernelH;
  const window = 4 * size * size;
  const weights = s.floats(g.o * g.c * size * size);
  s.write(weights, denseData(weight));
  const biases = s.floats(g.c);
  s.fill(biases, g.c, 0);
  const kernels = s.floats(spectra(kind, g.o * roundUp(g.c, 4)));
  const last = weights + window - 4;
  s.call.transformKernels(last, kind.code, g.o, g.c, g.c * window, window, -4 * size, -4, kernels);
  return slide(s, denseData(gradOut), kernels, biases, outData(gradInput), {
    kind,
    taps: tapsOf(s, weights, g.o * g.c, size, true),
    n: g.n,
    channels: g.o,
    rows: g.c,
    from: { h: g.outH, w: g.outW },
    to: { h: g.h, w: g.w },
    top: size - 1 - g.padTop,
    left: size - 1 - g.padLeft,
  });
}

export function spectralWeightGrad(s: Scratch, input: View, gradOut: View, g: ConvGeometry, gradWeight: View): boolean {
  const kind = kindForOperands(g, TAP_BY_TAP.weight, input, gradOut);
  if (!kind) return false;
  s.begin();
  const size = g.kernelH;
  const from = { h: g.h, w: g.w };
  const to = { h: g.outH, w: g.outW };
  const tiling = new Tiling(g.n, kind, to);
  const { padded, covered, images } = tiling;
  const sources = s.table(tiling.distances(g.c, padded));
  const places = s.table(tiling.distances(g.o, covered));
  const incoming = s.floats(images * g.c * cells(from));
  const source = s.floats(images * g.c * cells(padded));
  const fitting = same(covered, to);
  const gradient = s.floats(images * g.o * cells(covered));
  const given = fitting ? gradient : s.floats(images * g.o * cells(to));
  const wide = roundUp(g.c, 8);
  const sums = s.floats(spectra(kind, g.o * wide));
  const imageSpectra = s.floats(spectra(kind, BLOCK * wide));
  const gradientSpectra = s.floats(spectra(kind, BLOCK * roundUp(g.o, 4)));
  const result = s.floats(g.o * g.c * size * size);
  s.fill(sums, spectra(kind, g.o * wide), 0);
  const map = s.floats(cells(from));
  const gradMap = s.floats(cells(to));
  const met = s.table(new Uint32Array(size * size));
  let allMet = false;
  const x = denseData(input);
  const grad = denseData(gradOut);
  const wasm = s.call;
  for (let first = 0; first < g.n; first += images) {
    const count = Math.min(images, g.n - first);
    s.write(incoming, x, first * g.c * cells(from), count * g.c * cells(from));
    place(s, count * g.c, incoming, from, padded, g.padTop, g.padLeft, source);
    s.write(given, grad, first * g.o * cells(to), count * g.o * cells(to));
    if (!fitting) place(s, count * g.o, given, to, covered, 0, 0, gradient);
    for (let image = 0; image < count && !allMet; image++) {
      wasm.occupied(incoming + 4 * image * g.c * cells(from), g.c, cells(from), map);
      wasm.occupied(given + 4 * image * g.o * cells(to), g.o, cells(to), gradMap);
      allMet = wasm.meetTaps(map, g.h, g.w, g.padTop, g.padLeft, gradMap, g.outH, g.outW, size, met) !== 0;
    }
    wasm.addTileProducts(
      sources,
      places,
      count * tiling.tilesPerImage,
      kind.code,
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
  wasm.kernelsFromSpectra(sums, kind.code, g.o, g.c, result);
  if (!wasm.allFinite(result, g.o * g.c * size * size)) return false;
  if (!allMet) clearTaps(s.viewInts(met, size * size), s.view(result, g.o * g.c * size * size));
  s.read(result, g.o * g.c * size * size, outData(gradWeight), 0);
  return true;
}

/** Zero at each place of the kernels where nothing of the images met anything of the gradient. */
function clearTaps(met: Int32Array, result: Float32Array): void {
  for (let i = 0; i < result.length; i++) if (met[i % met.length] === 0) result[i] = 0;
}
