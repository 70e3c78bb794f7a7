/** float32 maximum pooling, as many planes at a time as stay in the processor's cache. */
import type { PoolGeometry } from "../../core/window.ts";
import type { View } from "../backend.ts";
import { denseData, outData } from "../reference/strided.ts";
import { MOST_BYTES, type Scratch } from "./scratch.ts";

const CHUNK_FLOATS = 32768;

export function maxPool(s: Scratch, input: View, g: PoolGeometry, out: View, indices: View): boolean {
  if (input.dtype.name !== "float32" || out.dtype.name !== "float32" || indices.dtype.name !== "int64") return false;
  const inPlane = g.h * g.w;
  const outPlane = g.outH * g.outW;
  const planes = g.n * g.c;
  if (planes * inPlane * outPlane === 0 || 4 * inPlane + 12 * outPlane > MOST_BYTES) return false;
  s.begin();
  const chunk = Math.min(planes, Math.max(1, Math.floor(CHUNK_FLOATS / inPlane)));
  const image = s.floats(chunk * inPlane);
  const result = s.floats(chunk * outPlane);
  const positions = s.doubles(chunk * outPlane);
  const x = denseData(input);
  const target = outData(out);
  const winners = outData(indices);
  for (let first = 0; first < planes; first += chunk) {
    const count = Math.min(chunk, planes - first);
    s.write(image, x, first * inPlane, count * inPlane);
    s.call.maxPoolPlanes(
      image,
      count,
      g.h,
      g.w,
      g.kernelH,
      g.kernelW,
      g.strideH,
      g.strideW,
      g.padTop,
      g.padLeft,
      g.dilationH,
      g.dilationW,
      g.outH,
      g.outW,
      result,
      positions,
    );
    s.read(result, count * outPlane, target, first * outPlane);
    s.readDoubles(positions, count * outPlane, winners, first * outPlane);
  }
  return true;
}
