/** Batched matrix product: row times matrix, accumulated in double (exact for int64, modulo 2^32 for narrower integers). */
import type { View } from "../backend.ts";
import { storing } from "./numbers.ts";
import { denseData, outData } from "./strided.ts";

/** a [batch, n, k] · b [batch, k, m] → out [batch, n, m] */
export function matmul(a: View, b: View, out: View): void {
  const [batch, n, k] = a.shape as [number, number, number];
  const m = b.shape[2]!;
  const left = denseData(a);
  const right = denseData(b);
  const target = outData(out);
  const store = storing(out.dtype);
  const wraps = out.dtype.name === "int32" || out.dtype.name === "uint8";
  const sums = new Float64Array(m);
  for (let r = 0; r < batch * n; r++) {
    const base = Math.floor(r / n) * k * m;
    sums.fill(0);
    for (let p = 0; p < k; p++) {
      const factor = left[r * k + p]!;
      const row = base + p * m;
      if (wraps) for (let j = 0; j < m; j++) sums[j] = (sums[j]! + Math.imul(factor, right[row + j]!)) | 0;
      else for (let j = 0; j < m; j++) sums[j]! += factor * right[row + j]!;
    }
    for (let j = 0; j < m; j++) target[r * m + j] = store(sums[j]!);
  }
}
