/** Maximum and average over sliding windows, with PyTorch's treatment of padding, ties, NaN and clipped windows. */
import type { PoolGeometry } from "../../core/window.ts";
import type { View } from "../backend.ts";
import { storing } from "./numbers.ts";
import { denseData, outData } from "./strided.ts";

/** The kernel positions u whose cell start + u·dilation lies inside [0, size). */
function insideKernel(start: number, kernel: number, dilation: number, size: number): { first: number; end: number } {
  return {
    first: start < 0 ? Math.ceil(-start / dilation) : 0,
    end: Math.min(kernel, Math.ceil((size - start) / dilation)),
  };
}

export function maxPool(input: View, g: PoolGeometry, out: View, indices: View | null): void {
  const x = denseData(input);
  const target = outData(out);
  const positions = indices && outData(indices);
  for (let plane = 0, at = 0; plane < g.n * g.c; plane++) {
    const base = plane * g.h * g.w;
    for (let i = 0; i < g.outH; i++) {
      const top = i * g.strideH - g.padTop;
      const down = insideKernel(top, g.kernelH, g.dilationH, g.h);
      for (let j = 0; j < g.outW; j++, at++) {
        const left = j * g.strideW - g.padLeft;
        const across = insideKernel(left, g.kernelW, g.dilationW, g.w);
        // A window of nothing but -inf points to its first cell, as in PyTorch.
        let winner = (top + down.first * g.dilationH) * g.w + left + across.first * g.dilationW;
        let best = -Infinity;
        for (let u = down.first; u < down.end; u++) {
          for (let v = across.first; v < across.end; v++) {
            const position = (top + u * g.dilationH) * g.w + left + v * g.dilationW;
            const value = x[base + position]!;
            if (value > best || Number.isNaN(value)) {
              best = value;
              winner = position;
            }
          }
        }
        target[at] = best;
        if (positions) positions[at] = winner;
      }
    }
  }
}

export function maxPoolGrad(gradOut: View, indices: View, g: PoolGeometry, gradInput: View): void {
  const grad = denseData(gradOut);
  const positions = denseData(indices);
  const target = outData(gradInput);
  const outPlane = g.outH * g.outW;
  target.fill(0);
  for (let k = 0; k < grad.length; k++) target[Math.floor(k / outPlane) * g.h * g.w + positions[k]!]! += grad[k]!;
}

/** The input rows (or columns) one window covers, and how many it counts when padding counts. */
function covered(index: number, stride: number, padding: number, kernel: number, size: number) {
  const start = index * stride - padding;
  const end = Math.min(start + kernel, size + padding);
  return { start: Math.max(start, 0), end: Math.min(end, size), withPadding: end - start };
}

type WindowVisit = (plane: number, at: number, rows: [number, number], cols: [number, number], divisor: number) => void;

function forEachAverage(g: PoolGeometry, countIncludePad: boolean, divisor: number | null, visit: WindowVisit): void {
  for (let plane = 0, at = 0; plane < g.n * g.c; plane++) {
    for (let i = 0; i < g.outH; i++) {
      const down = covered(i, g.strideH, g.padTop, g.kernelH, g.h);
      for (let j = 0; j < g.outW; j++, at++) {
        const across = covered(j, g.strideW, g.padLeft, g.kernelW, g.w);
        const cells = (down.end - down.start) * (across.end - across.start);
        const count = divisor ?? (countIncludePad ? down.withPadding * across.withPadding : cells);
        visit(plane * g.h * g.w, at, [down.start, down.end], [across.start, across.end], count);
      }
    }
  }
}

export function avgPool(
  input: View,
  g: PoolGeometry,
  countIncludePad: boolean,
  divisor: number | null,
  out: View,
): void {
  const x = denseData(input);
  const target = outData(out);
  const integer = out.dtype.category !== "floating";
  const store = storing(out.dtype);
  forEachAverage(g, countIncludePad, divisor, (base, at, [top, bottom], [left, right], count) => {
    let sum = 0;
    for (let row = top; row < bottom; row++) {
      for (let i = base + row * g.w + left, end = base + row * g.w + right; i < end; i++) sum += x[i]!;
    }
    const empty = top >= bottom || left >= right;
    target[at] = empty ? 0 : store(integer ? Math.trunc(sum / count) + 0 : sum / count);
  });
}

export function avgPoolGrad(
  gradOut: View,
  g: PoolGeometry,
  countIncludePad: boolean,
  divisor: number | null,
  gradInput: View,
): void {
  const grad = denseData(gradOut);
  const target = outData(gradInput);
  target.fill(0);
  forEachAverage(g, countIncludePad, divisor, (base, at, [top, bottom], [left, right], count) => {
    const share = grad[at]! / count;
    for (let row = top; row < bottom; row++) {
      for (let i = base + row * g.w + left, end = base + row * g.w + right; i < end; i++) target[i]! += share;
    }
  });
}
