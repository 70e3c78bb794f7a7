/**
 * Convolution and both of its gradients, one kernel position at a time: with (u, v) fixed, every output cell reads the input
 * cell at a fixed distance, so the inner loops run over whole rows. Sums are kept in double until they are stored.
 *
 * As in PyTorch, the convolution and the weight gradient multiply the padding's zeros, which an infinity turns into NaN; the
 * input gradient has no padding to multiply.
 */
import { type ConvGeometry, reach } from "../../core/window.ts";
import type { View } from "../backend.ts";
import { storing } from "./numbers.ts";
import { denseData, outData } from "./strided.ts";

/** Calls `visit` for every pair of rows that meet at kernel position (u, v), with the columns' first input cell and range. */
type RowVisit = (outStart: number, outEnd: number, inStart: number) => void;

function forEachRow(g: ConvGeometry, u: number, v: number, visit: RowVisit): void {
  const down = reach(g.h, u * g.dilationH - g.padTop, g.strideH, g.outH);
  const across = reach(g.w, v * g.dilationW - g.padLeft, g.strideW, g.outW);
  if (across.start >= across.end) return;
  for (let i = down.start; i < down.end; i++) {
    const row = i * g.strideH - g.padTop + u * g.dilationH;
    const col = across.start * g.strideW - g.padLeft + v * g.dilationW;
    visit(i * g.outW + across.start, i * g.outW + across.end, row * g.w + col);
  }
}

/** Calls `visit` for every output cell that kernel position (u, v) has in the padding. */
function forEachPadded(g: ConvGeometry, u: number, v: number, visit: (k: number) => void): void {
  const down = reach(g.h, u * g.dilationH - g.padTop, g.strideH, g.outH);
  const across = reach(g.w, v * g.dilationW - g.padLeft, g.strideW, g.outW);
  for (let i = 0; i < g.outH; i++) {
    const outside = i < down.start || i >= down.end;
    for (let j = 0; j < g.outW; j++) {
      if (outside || j < across.start || j >= across.end) visit(i * g.outW + j);
    }
  }
}

export function conv(input: View, weight: View, bias: View | null, g: ConvGeometry, out: View): void {
  const x = denseData(input);
  const w = denseData(weight);
  const b = bias && denseData(bias);
  const target = outData(out);
  const store = storing(out.dtype);
  const inPlane = g.h * g.w;
  const outPlane = g.outH * g.outW;
  const channels = g.c / g.groups;
  const sums = new Float64Array(outPlane);
  for (let n = 0; n < g.n; n++) {
    for (let o = 0; o < g.o; o++) {
      const firstChannel = Math.floor(o / (g.o / g.groups)) * channels;
      sums.fill(b ? b[o]! : 0);
      for (let c = 0; c < channels; c++) {
        const plane = (n * g.c + firstChannel + c) * inPlane;
        for (let u = 0; u < g.kernelH; u++) {
          for (let v = 0; v < g.kernelW; v++) {
            const factor = w[((o * channels + c) * g.kernelH + u) * g.kernelW + v]!;
            forEachRow(g, u, v, (start, end, from) => {
              for (let k = start, i = plane + from; k < end; k++, i += g.strideW) sums[k]! += factor * x[i]!;
            });
            if (!Number.isFinite(factor)) forEachPadded(g, u, v, (k) => (sums[k]! += factor * 0));
          }
        }
      }
      const base = (n * g.o + o) * outPlane;
      for (let k = 0; k < outPlane; k++) target[base + k] = store(sums[k]!);
    }
  }
}

export function convInputGrad(gradOut: View, weight: View, g: ConvGeometry, gradInput: View): void {
  const grad = denseData(gradOut);
  const w = denseData(weight);
  const target = outData(gradInput);
  const store = storing(gradInput.dtype);
  const inPlane = g.h * g.w;
  const outPlane = g.outH * g.outW;
  const channels = g.c / g.groups;
  const outChannels = g.o / g.groups;
  const sums = new Float64Array(inPlane);
  for (let n = 0; n < g.n; n++) {
    for (let c = 0; c < g.c; c++) {
      const group = Math.floor(c / channels);
      sums.fill(0);
      for (let o = group * outChannels; o < (group + 1) * outChannels; o++) {
        const plane = (n * g.o + o) * outPlane;
        for (let u = 0; u < g.kernelH; u++) {
          for (let v = 0; v < g.kernelW; v++) {
            const factor = w[((o * channels + (c % channels)) * g.kernelH + u) * g.kernelW + v]!;
            forEachRow(g, u, v, (start, end, to) => {
              for (let k = start, i = to; k < end; k++, i += g.strideW) sums[i]! += factor * grad[plane + k]!;
            });
          }
        }
      }
      const base = (n * g.c + c) * inPlane;
      for (let i = 0; i < inPlane; i++) target[base + i] = store(sums[i]!);
    }
  }
}

export function convWeightGrad(input: View, gradOut: View, g: ConvGeometry, gradWeight: View): void {
  const x = denseData(input);
  const grad = denseData(gradOut);
  const target = outData(gradWeight);
  const store = storing(gradWeight.dtype);
  const inPlane = g.h * g.w;
  const outPlane = g.outH * g.outW;
  const channels = g.c / g.groups;
  const finite = Array.from({ length: g.n * g.o }, (_, k) =>
    grad.subarray(k * outPlane, (k + 1) * outPlane).every(Number.isFinite),
  );
  for (let o = 0; o < g.o; o++) {
    const firstChannel = Math.floor(o / (g.o / g.groups)) * channels;
    for (let c = 0; c < channels; c++) {
      for (let u = 0; u < g.kernelH; u++) {
        for (let v = 0; v < g.kernelW; v++) {
          let sum = 0;
          for (let n = 0; n < g.n; n++) {
            const inBase = (n * g.c + firstChannel + c) * inPlane;
            const outBase = (n * g.o + o) * outPlane;
            forEachRow(g, u, v, (start, end, from) => {
              for (let k = start, i = inBase + from; k < end; k++, i += g.strideW) sum += grad[outBase + k]! * x[i]!;
            });
            if (!finite[n * g.o + o]) forEachPadded(g, u, v, (k) => (sum += grad[outBase + k]! * 0));
          }
          target[((o * channels + c) * g.kernelH + u) * g.kernelW + v] = store(sum);
        }
      }
    }
  }
}
