/** float32 pooling and its gradients, as many planes at a time as stay in the processor's cache. */
import type { PoolGeometry } from "../../core/window.ts";
import type { View } from "../backend.ts";
import { denseData, outData } from "../reference/strided.ts";
import { MOST_BYTES, type Scratch } from "./scratch.ts";

const CHUNK_FLOATS = 32768;

/** Planes in parts: how many there are, how many numbers one has before and after pooling. */
interface Planes {
  total: number;
  chunk: number;
  inPlane: number;
  outPlane: number;
}

/** Null when there is nothing to do or one plane would not fit. */
function planesOf(g: PoolGeometry): Planes | null {
  const inPlane = g.h * g.w;
  const outPlane = g.outH * g.outW;
  const total = g.n * g.c;
  if (total * inPlane * outPlane === 0 || 4 * inPlane + 12 * outPlane > MOST_BYTES) return null;
  return { total, chunk: Math.min(total, Math.max(1, Math.floor(CHUNK_FLOATS / inPlane))), inPlane, outPlane };
}

function forEachChunk({ total, chunk }: Planes, visit: (first: number, count: number) => void): void {
  for (let first = 0; first < total; first += chunk) visit(first, Math.min(chunk, total - first));
}

const isFloat32 = (...views: readonly View[]) => views.every((v) => v.dtype.name === "float32");

const isPosition = ({ dtype }: View) => dtype.name === "int64" || dtype.name === "int32";

export function maxPool(s: Scratch, input: View, g: PoolGeometry, out: View, indices: View | null): boolean {
  const planes = planesOf(g);
  if (!planes || !isFloat32(input, out) || (indices && !isPosition(indices))) return false;
  s.begin();
  const { chunk, inPlane, outPlane } = planes;
  const image = s.floats(chunk * inPlane);
  const result = s.floats(chunk * outPlane);
  const positions = s.floats(chunk * outPlane);
  const x = denseData(input);
  const target = outData(out);
  const winners = indices && outData(indices);
  const window = [g.kernelH, g.kernelW, g.strideH, g.strideW, g.padTop, g.padLeft, g.dilationH, g.dilationW] as const;
  // Windows of 2 × 2 side by side are what most networks have.
  const pairs = window.join() === "2,2,2,2,0,0,1,1" && g.outH * 2 <= g.h && g.outW * 2 <= g.w;
  forEachChunk(planes, (first, count) => {
    s.write(image, x, first * inPlane, count * inPlane);
    if (pairs) s.call.maxPoolPairs(image, count, g.h, g.w, g.outH, g.outW, result, winners ? positions : 0);
    else s.call.maxPoolPlanes(image, count, g.h, g.w, ...window, g.outH, g.outW, result, positions);
    s.read(result, count * outPlane, target, first * outPlane);
    if (winners) s.readInts(positions, count * outPlane, winners, first * outPlane);
  });
  return true;
}

export function maxPoolGrad(s: Scratch, gradOut: View, indices: View, g: PoolGeometry, gradInput: View): boolean {
  const planes = planesOf(g);
  if (!planes || !isFloat32(gradOut, gradInput) || !isPosition(indices)) return false;
  s.begin();
  const { chunk, inPlane, outPlane } = planes;
  const incoming = s.floats(chunk * outPlane);
  const positions = s.floats(chunk * outPlane);
  const result = s.floats(chunk * inPlane);
  const grad = denseData(gradOut);
  const winners = denseData(indices);
  const target = outData(gradInput);
  forEachChunk(planes, (first, count) => {
    s.write(incoming, grad, first * outPlane, count * outPlane);
    s.writeInts(positions, winners, first * outPlane, count * outPlane);
    s.fill(result, count * inPlane, 0);
    s.call.maxPoolGradPlanes(incoming, positions, count, inPlane, outPlane, result);
    s.read(result, count * inPlane, target, first * inPlane);
  });
  return true;
}

type Average = (
  s: Scratch,
  x: View,
  g: PoolGeometry,
  countIncludePad: boolean,
  divisor: number | null,
  out: View,
) => boolean;

export const avgPool: Average = (s, input, g, countIncludePad, divisor, out) => {
  const planes = planesOf(g);
  if (!planes || !isFloat32(input, out)) return false;
  s.begin();
  const { chunk, inPlane, outPlane } = planes;
  const image = s.floats(chunk * inPlane);
  const result = s.floats(chunk * outPlane);
  const x = denseData(input);
  const target = outData(out);
  const window = [g.kernelH, g.kernelW, g.strideH, g.strideW, g.padTop, g.padLeft, g.outH, g.outW] as const;
  forEachChunk(planes, (first, count) => {
    s.write(image, x, first * inPlane, count * inPlane);
    s.call.avgPoolPlanes(image, count, g.h, g.w, ...window, Number(countIncludePad), divisor ?? 0, result);
    s.read(result, count * outPlane, target, first * outPlane);
  });
  return true;
};

export const avgPoolGrad: Average = (s, gradOut, g, countIncludePad, divisor, gradInput) => {
  const planes = planesOf(g);
  if (!planes || !isFloat32(gradOut, gradInput)) return false;
  s.begin();
  const { chunk, inPlane, outPlane } = planes;
  const incoming = s.floats(chunk * outPlane);
  const result = s.floats(chunk * inPlane);
  const grad = denseData(gradOut);
  const target = outData(gradInput);
  const window = [g.kernelH, g.kernelW, g.strideH, g.strideW, g.padTop, g.padLeft, g.outH, g.outW] as const;
  forEachChunk(planes, (first, count) => {
    s.write(incoming, grad, first * outPlane, count * outPlane);
    s.fill(result, count * inPlane, 0);
    s.call.avgPoolGradPlanes(incoming, count, g.h, g.w, ...window, Number(countIncludePad), divisor ?? 0, result);
    s.read(result, count * inPlane, target, first * inPlane);
  });
  return true;
};
