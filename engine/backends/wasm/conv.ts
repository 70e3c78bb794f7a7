/**
 * float32 convolution and both gradients, image by image, so that what a kernel reads stays in the processor's cache.
 * Forward and input gradient share one kernel that reads a padded image through a table of tap distances; a stride splits
 * the image (or, backwards, the gradient) into phases in which neighbours are neighbours again. The weight gradient is a sum
 * of outer products over the pixels of a channels-last image. Where many channels meet many pixels, spectral.ts is quicker.
 */
import type { ConvGeometry } from "../../core/window.ts";
import type { View } from "../backend.ts";
import { denseData, outData } from "../reference/strided.ts";
import { MOST_BYTES, type Scratch } from "./scratch.ts";
import { spectralConv, spectralInputGrad, spectralWeightGrad } from "./spectral.ts";

const isFloat32 = (...views: readonly (View | null)[]) => views.every((v) => v === null || v.dtype.name === "float32");

/** Whether one image, in and out and padded, fits into the working memory. */
function fits(g: ConvGeometry): boolean {
  const padded = (g.outH * g.strideH + g.kernelH * g.dilationH) * (g.outW * g.strideW + g.kernelW * g.dilationW);
  const weights = (g.o * g.c * g.kernelH * g.kernelW) / g.groups;
  const floats = g.c * (g.h * g.w + padded) + 3 * g.o * (g.outH * g.outW + padded) + 4 * weights;
  return floats * 4 < MOST_BYTES && g.n * g.c * g.o * g.h * g.w * g.outH * g.outW > 0;
}

/** The distinct remainders of k·dilation by stride: the phases that a kernel of this size reads. */
function phasesOf(kernel: number, dilation: number, stride: number): number[] {
  return [...new Set(Array.from({ length: kernel }, (_, k) => (k * dilation) % stride))];
}

/** What follows from a shape alone, kept for the shapes in use: making it takes longer than convolving a small image. */
class Plans<T> {
  readonly #plans = new Map<string, T>();
  readonly #make: (g: ConvGeometry) => T;

  constructor(make: (g: ConvGeometry) => T) {
    this.#make = make;
  }

  of(g: ConvGeometry): T {
    const key = `${g.c},${g.h},${g.w},${g.o},${g.kernelH},${g.kernelW},${g.strideH},${g.strideW},${g.padTop},${g.padLeft},${g.dilationH},${g.dilationW},${g.groups},${g.outH},${g.outW}`;
    let plan = this.#plans.get(key);
    if (plan === undefined) {
      if (this.#plans.size >= MOST_PLANS) this.#plans.clear();
      plan = this.#make(g);
      this.#plans.set(key, plan);
    }
    return plan;
  }
}

const MOST_PLANS = 64;

/** The phases that the image is split into, and from each output pixel the distance of every tap. */
const forwardPlans = new Plans((g) => {
  const down = phasesOf(g.kernelH, g.dilationH, g.strideH);
  const across = phasesOf(g.kernelW, g.dilationW, g.strideW);
  const padH = g.outH + Math.floor(((g.kernelH - 1) * g.dilationH) / g.strideH);
  const padW = g.outW + Math.floor(((g.kernelW - 1) * g.dilationW) / g.strideW);
  const phasePlane = padH * padW;
  const channelFloats = down.length * across.length * phasePlane;
  const distances: number[] = [];
  for (let c = 0; c < g.c / g.groups; c++) {
    for (let u = 0; u < g.kernelH; u++) {
      for (let v = 0; v < g.kernelW; v++) {
        const [y, x] = [u * g.dilationH, v * g.dilationW];
        const phase = down.indexOf(y % g.strideH) * across.length + across.indexOf(x % g.strideW);
        const cell = Math.floor(y / g.strideH) * padW + Math.floor(x / g.strideW);
        distances.push(4 * (c * channelFloats + phase * phasePlane + cell));
      }
    }
  }
  return { down, across, padH, padW, phasePlane, channelFloats, distances: Uint32Array.from(distances) };
});

export function conv(s: Scratch, input: View, weight: View, bias: View | null, g: ConvGeometry, out: View): boolean {
  if (!isFloat32(input, weight, bias, out) || !fits(g)) return false;
  if (spectralConv(s, input, weight, bias, g, out)) return true;
  s.begin();
  const channels = g.c / g.groups;
  const rows = g.o / g.groups;
  const count = channels * g.kernelH * g.kernelW;
  const outPlane = g.outH * g.outW;

  const { down, across, padH, padW, phasePlane, channelFloats, distances } = forwardPlans.of(g);
  const taps = s.table(distances);
  const packed = packWeights(s, denseData(weight), g.groups, rows, count);
  const biases = s.floats(g.o);
  if (bias) s.write(biases, denseData(bias));
  else s.fill(biases, g.o, 0);

  const image = s.floats(g.c * g.h * g.w);
  const padded = s.floats(g.c * channelFloats);
  const result = s.floats(g.o * outPlane);
  const x = denseData(input);
  const target = outData(out);
  const wasm = s.call;
  for (let n = 0; n < g.n; n++) {
    s.write(image, x, n * g.c * g.h * g.w, g.c * g.h * g.w);
    let phase = padded;
    for (const a of down) {
      for (const b of across) {
        const [top, left] = [a - g.padTop, b - g.padLeft];
        wasm.padPlanes(image, g.c, g.h, g.w, phase, 4 * channelFloats, padH, padW, g.strideH, g.strideW, top, left);
        phase += 4 * phasePlane;
      }
    }
    for (let group = 0; group < g.groups; group++) {
      const w = packed + 4 * group * rows * count;
      const from = padded + 4 * group * channels * channelFloats;
      const to = result + 4 * group * rows * outPlane;
      wasm.convolve(w, taps, count, from, 4 * padW, biases + 4 * group * rows, rows, to, g.outH, g.outW);
    }
    s.read(result, g.o * outPlane, target, n * g.o * outPlane);
  }
  return true;
}

function packWeights(s: Scratch, weights: ReturnType<typeof denseData>, groups: number, rows: number, count: number) {
  const raw = s.floats(weights.length);
  const packed = s.floats(weights.length);
  s.write(raw, weights);
  for (let group = 0; group < groups; group++) {
    const at = 4 * group * rows * count;
    s.call.packTiles(raw + at, count, 1, rows, count, packed + at);
  }
  return packed;
}

/** Along one axis: the input cells phase, phase + stride, …, and for each kernel position that reaches them, from where. */
interface InputPhase {
  phase: number;
  count: number;
  /** Kernel position u, and the output index that the first cell of the phase takes it from (may lie outside). */
  taps: { u: number; start: number }[];
}

function inputPhases(size: number, kernel: number, stride: number, padding: number, dilation: number): InputPhase[] {
  const phases: InputPhase[] = [];
  for (let phase = 0; phase < Math.min(stride, size); phase++) {
    const taps: InputPhase["taps"] = [];
    for (let u = 0; u < kernel; u++) {
      const start = phase + padding - u * dilation;
      if (start % stride === 0) taps.push({ u, start: start / stride });
    }
    phases.push({ phase, count: Math.ceil((size - phase) / stride), taps });
  }
  return phases;
}

/** The output indices that some tap reads, those outside the output included. */
function readRange(phases: readonly InputPhase[]): { first: number; size: number } {
  const starts = phases.flatMap((p) => p.taps.map((tap) => tap.start));
  const ends = phases.flatMap((p) => p.taps.map((tap) => tap.start + p.count));
  if (starts.length === 0) return { first: 0, size: 1 };
  const first = Math.min(...starts);
  return { first, size: Math.max(...ends) - first };
}

/** For each phase of the input the distance of every tap in the padded gradient, and where its weight lies. */
const inputGradPlans = new Plans((g) => {
  const [channels, outChannels] = [g.c / g.groups, g.o / g.groups];
  const down = inputPhases(g.h, g.kernelH, g.strideH, g.padTop, g.dilationH);
  const across = inputPhases(g.w, g.kernelW, g.strideW, g.padLeft, g.dilationW);
  const rows = readRange(down);
  const cols = readRange(across);
  const padPlane = rows.size * cols.size;
  const passes = down.flatMap((p) =>
    across.map((q) => {
      const distances: number[] = [];
      const from: number[] = [];
      for (let o = 0; o < outChannels; o++) {
        for (const { u, start: i } of p.taps) {
          for (const { u: v, start: j } of q.taps) {
            distances.push(4 * (o * padPlane + (i - rows.first) * cols.size + (j - cols.first)));
            from.push((o * channels * g.kernelH + u) * g.kernelW + v);
          }
        }
      }
      return { p, q, distances: Uint32Array.from(distances), from: Uint32Array.from(from) };
    }),
  );
  return { down, across, rows, cols, padPlane, passes };
});

export function convInputGrad(s: Scratch, gradOut: View, weight: View, g: ConvGeometry, gradInput: View): boolean {
  if (!isFloat32(gradOut, weight, gradInput) || !fits(g)) return false;
  if (spectralInputGrad(s, gradOut, weight, g, gradInput)) return true;
  s.begin();
  const channels = g.c / g.groups;
  const outChannels = g.o / g.groups;
  const kernel = g.kernelH * g.kernelW;
  const { down, across, rows, cols, padPlane, passes: planned } = inputGradPlans.of(g);
  const outPlane = g.outH * g.outW;
  const inPlane = g.h * g.w;

  const weights = denseData(weight);
  const raw = s.floats(weights.length);
  s.write(raw, weights);
  // Taps beyond the gradient multiply zeros, which is not the same as leaving them out for an infinite weight.
  if (!s.call.allFinite(raw, weights.length)) return false;
  const gathered = s.floats(channels * outChannels * kernel);
  const passes = planned.map(({ p, q, distances, from }) => {
    const count = distances.length;
    const taps = s.table(distances);
    const table = s.table(from);
    const packed = s.floats(g.c * count);
    for (let group = 0; group < g.groups; group++) {
      s.call.gatherRows(raw + 4 * group * outChannels * channels * kernel, kernel, table, channels, count, gathered);
      s.call.packTiles(gathered, count, 1, channels, count, packed + 4 * group * channels * count);
    }
    return { p, q, count, taps, packed };
  });

  const zeros = s.floats(channels);
  s.fill(zeros, channels, 0);
  const incoming = s.floats(g.o * outPlane);
  const padded = s.floats(g.o * padPlane);
  const whole = s.floats(g.c * inPlane);
  const phased = passes.length > 1;
  const part = phased ? s.floats(channels * down[0]!.count * across[0]!.count) : whole;
  const grad = denseData(gradOut);
  const target = outData(gradInput);
  const wasm = s.call;
  for (let n = 0; n < g.n; n++) {
    s.write(incoming, grad, n * g.o * outPlane, g.o * outPlane);
    const { first: top, size: padH } = rows;
    const { first: left, size: padW } = cols;
    wasm.padPlanes(incoming, g.o, g.outH, g.outW, padded, 4 * padPlane, padH, padW, 1, 1, top, left);
    for (let group = 0; group < g.groups; group++) {
      const x = padded + 4 * group * outChannels * padPlane;
      const place = whole + 4 * group * channels * inPlane;
      for (const { p, q, count, taps, packed } of passes) {
        const w = packed + 4 * group * channels * count;
        wasm.convolve(w, taps, count, x, 4 * padW, zeros, channels, phased ? part : place, p.count, q.count);
        if (!phased) continue;
        const to = place + 4 * (p.phase * g.w + q.phase);
        wasm.spreadPlanes(part, channels, p.count, q.count, to, g.h, g.w, g.strideH, g.strideW);
      }
    }
    s.read(whole, g.c * inPlane, target, n * g.c * inPlane);
  }
  return true;
}

export function convWeightGrad(s: Scratch, input: View, gradOut: View, g: ConvGeometry, gradWeight: View): boolean {
  if (!isFloat32(input, gradOut, gradWeight) || !fits(g)) return false;
  if (spectralWeightGrad(s, input, gradOut, g, gradWeight)) return true;
  s.begin();
  const channels = g.c / g.groups;
  const rows = g.o / g.groups;
  const outPlane = g.outH * g.outW;
  const padH = (g.outH - 1) * g.strideH + (g.kernelH - 1) * g.dilationH + 1;
  const padW = (g.outW - 1) * g.strideW + (g.kernelW - 1) * g.dilationW + 1;

  // Without dilation a kernel row reads one unbroken stretch of the channels-last image; with it, one stretch a column.
  const whole = g.dilationW === 1;
  const runColumns = whole ? 1 : g.kernelW;
  const runLength = whole ? g.kernelW * channels : channels;
  const runPitch = Math.ceil(runLength / 8) * 8;
  const distances: number[] = [];
  for (let u = 0; u < g.kernelH; u++) {
    for (let v = 0; v < runColumns; v++) distances.push(4 * (u * g.dilationH * padW + v * g.dilationW) * channels);
  }
  const runs = s.table(distances);
  const pitch = distances.length * runPitch;

  const image = s.floats(g.c * g.h * g.w);
  // A block of 8 that begins in the last run may end up to 7 numbers behind the image.
  const last = s.floats(padH * padW * channels + 8);
  const incoming = s.floats(g.o * outPlane);
  const packed = s.floats(rows * outPlane);
  const sums = s.floats(g.o * pitch);
  s.fill(last, padH * padW * channels + 8, 0);
  s.fill(sums, g.o * pitch, 0);
  const x = denseData(input);
  const grad = denseData(gradOut);
  const wasm = s.call;
  const rowStep = 4 * g.strideH * padW * channels;
  const pixelStep = 4 * g.strideW * channels;
  for (let n = 0; n < g.n; n++) {
    s.write(image, x, n * g.c * g.h * g.w, g.c * g.h * g.w);
    s.write(incoming, grad, n * g.o * outPlane, g.o * outPlane);
    for (let group = 0; group < g.groups; group++) {
      const from = image + 4 * group * channels * g.h * g.w;
      wasm.channelsLast(from, channels, g.h, g.w, last, padH, padW, g.padTop, g.padLeft);
      wasm.packTiles(incoming + 4 * group * rows * outPlane, outPlane, 1, rows, outPlane, packed);
      const to = sums + 4 * group * rows * pitch;
      const [count, bytes] = [distances.length, 4 * runPitch];
      wasm.addWeightGrad(packed, last, runs, count, bytes, rowStep, pixelStep, rows, g.outH, g.outW, to, 4 * pitch);
    }
  }

  const [rowPitch, columnPitch] = whole ? [runPitch, channels] : [g.kernelW * runPitch, runPitch];
  const result = s.floats(g.o * channels * g.kernelH * g.kernelW);
  wasm.weightsFromRuns(sums, g.o, channels, g.kernelH, g.kernelW, 4 * pitch, 4 * rowPitch, 4 * columnPitch, result);
  s.read(result, g.o * channels * g.kernelH * g.kernelW, outData(gradWeight), 0);
  return true;
}
