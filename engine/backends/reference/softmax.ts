/** Softmax and its logarithm along the middle axis of [outer, n, inner], in double until they are stored. */
import type { View } from "../backend.ts";
import { denseData, outData } from "./strided.ts";

/** Visits the columns of [outer, n, inner]: element t of each is at start + t · step. */
function forEachColumn({ shape }: View, visit: (start: number, end: number, step: number) => void): void {
  const [outer, n, inner] = shape as [number, number, number];
  for (let k = 0; k < outer; k++) {
    for (let j = 0; j < inner; j++) visit(k * n * inner + j, (k + 1) * n * inner, inner);
  }
}

export function softmax(log: boolean, x: View, out: View): void {
  const source = denseData(x);
  const target = outData(out);
  forEachColumn(out, (start, end, step) => {
    // Shifted by the largest number, so that nothing overflows.
    let top = Number.NEGATIVE_INFINITY;
    for (let i = start; i < end; i += step) top = Math.max(top, source[i]!);
    let total = 0;
    for (let i = start; i < end; i += step) total += Math.exp(source[i]! - top);
    const shift = Math.log(total);
    for (let i = start; i < end; i += step) {
      const centred = source[i]! - top;
      target[i] = log ? centred - shift : Math.exp(centred) / total;
    }
  });
}

export function softmaxGrad(log: boolean, y: View, gradOut: View, gradInput: View): void {
  const results = denseData(y);
  const grads = denseData(gradOut);
  const target = outData(gradInput);
  forEachColumn(gradInput, (start, end, step) => {
    let total = 0;
    for (let i = start; i < end; i += step) total += log ? grads[i]! : grads[i]! * results[i]!;
    for (let i = start; i < end; i += step) {
      target[i] = log ? grads[i]! - Math.exp(results[i]!) * total : results[i]! * (grads[i]! - total);
    }
  });
}
