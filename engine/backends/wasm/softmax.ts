/** Softmax, its logarithm, their gradients and log Σ e^x of float32 along one axis of dense tensors. */

import type { View } from "../backend.ts";
import { isDense, outData, sizeOf, splitAxes } from "../reference/strided.ts";
import type { Scratch } from "./scratch.ts";

/** Floats of each array in work at a time. */
const CHUNK = 16384;

/** What must be in work at a time, along one axis, is no more than this. */
const MOST = 1 << 23;

/** Below this the calls cost more than the loop. */
const FEWEST = 32;

function takes(views: readonly View[]): boolean {
  return sizeOf(views[0]!) >= FEWEST && views.every((x) => x.dtype.name === "float32" && isDense(x));
}

type Part = (outer: number, n: number, width: number, from: number[], to: number) => void;

/**
 * Copies [outer, n, inner] in part by part and what `run` makes of each part out: several outer ones at a time, or of one
 * that is large some columns.
 */
function inParts(s: Scratch, inputs: readonly View[], out: View, run: Part): boolean {
  const [outer, n, inner] = out.shape as [number, number, number];
  const target = outData(out);
  const size = n * inner;
  const isLarge = size > 4 * CHUNK && inner > 16;
  const width = isLarge ? Math.min(inner, Math.max(16, Math.floor(CHUNK / n))) : inner;
  const most = isLarge ? 1 : Math.min(outer, Math.max(1, Math.floor(CHUNK / size)));
  if (most * n * width > MOST) return false;
  s.begin();
  const from = inputs.map(() => s.floats(most * n * width));
  const to = s.floats(most * n * width);
  for (let k = 0; k < outer; k += most) {
    const some = Math.min(most, outer - k);
    if (!isLarge) {
      for (const [i, x] of inputs.entries()) s.write(from[i]!, x.data, x.offset + k * size, some * size);
      run(some, n, inner, from, to);
      s.read(to, some * size, target, k * size);
      continue;
    }
    for (let j = 0; j < inner; j += width) {
      const columns = Math.min(width, inner - j);
      for (let t = 0; t < n; t++) {
        const at = k * size + t * inner + j;
        for (const [i, x] of inputs.entries()) s.write(from[i]! + 4 * t * columns, x.data, x.offset + at, columns);
      }
      run(1, n, columns, from, to);
      for (let t = 0; t < n; t++) s.read(to + 4 * t * columns, columns, target, k * size + t * inner + j);
    }
  }
  return true;
}

export function softmax(s: Scratch, log: boolean, x: View, out: View): boolean {
  if (!takes([x, out])) return false;
  return inParts(s, [x], out, (outer, n, width, [from], to) => {
    if (width === 1) s.call.softmaxRows(Number(log), from!, outer, n, to);
    else s.call.softmaxColumns(Number(log), from!, outer, n, width, to);
  });
}

export function softmaxGrad(s: Scratch, log: boolean, y: View, gradOut: View, gradInput: View): boolean {
  if (!takes([y, gradOut, gradInput])) return false;
  return inParts(s, [y, gradOut], gradInput, (outer, n, width, [results, grads], to) => {
    if (width === 1) s.call.softmaxGradRows(Number(log), results!, grads!, outer, n, to);
    else s.call.softmaxGradColumns(Number(log), results!, grads!, outer, n, width, to);
  });
}

/** As `reduce`: the leading axes of x are those of out. */
export function logSumExp(s: Scratch, x: View, out: View): boolean {
  if (x.dtype.name !== "float32" || sizeOf(x) < FEWEST || !isDense(out)) return false;
  const [kept, reduced] = splitAxes(x, out.shape.length);
  const n = sizeOf(reduced);
  const [step = 1] = reduced.strides;
  // [outer, n, inner] lies row by row, as [outer, inner] and [n].
  const inner = step === 1 ? 1 : (kept.shape.at(-1) ?? 1);
  const outerStep = inner === 1 ? kept.strides[0] : kept.strides.length > 1 ? kept.strides[0] : undefined;
  const axes = inner === 1 ? 1 : 2;
  if (reduced.shape.length > 1 || step !== inner || kept.shape.length > axes) return false;
  if (inner > 1 && kept.strides.at(-1) !== 1) return false;
  if (outerStep !== undefined && outerStep !== n * inner) return false;
  const size = n * inner;
  const target = outData(out);
  const outer = target.length / inner;
  const most = Math.min(outer, Math.max(1, Math.floor(CHUNK / size)));
  if (most * size > MOST) return false;
  s.begin();
  const from = s.floats(most * size);
  const to = s.floats(most * inner);
  for (let k = 0; k < outer; k += most) {
    const some = Math.min(most, outer - k);
    s.write(from, x.data, x.offset + k * size, some * size);
    if (inner === 1) s.call.logSumRows(from, some, n, to);
    else s.call.logSumColumns(from, some, n, inner, to);
    s.read(to, some * inner, target, k * inner);
  }
  return true;
}
