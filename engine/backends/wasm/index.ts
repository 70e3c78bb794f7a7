/**
 * The WebAssembly backend for the CPU: float32 work with packed SIMD kernels, compiled from `assembly/` by
 * `npm run build:wasm`. What a kernel here declines, the reference serves.
 */
import type { Backend } from "../backend.ts";
import { conv, convInputGrad, convWeightGrad } from "./conv.ts";
import { copy } from "./copy.ts";
import { binary, unary, where } from "./elementwise.ts";
import { formula } from "./formula.ts";
import { gather, indexAdd, indexSelect, scatterAdd } from "./indexing.ts";
import { matmul } from "./matmul.ts";
import { moments, normalize, normalizeGrad } from "./normalize.ts";
import { avgPool, avgPoolGrad, maxPool, maxPoolGrad } from "./pool.ts";
import { reduce } from "./reduce.ts";
import { Scratch } from "./scratch.ts";
import { logSumExp, softmax, softmaxGrad } from "./softmax.ts";

export { compileWasm, type WasmSource, type WasmVariant, wasmFileName, wasmVariant } from "./module.ts";

/** The backend over one compiled module, with working memory of its own. */
export function createWasmBackend(module: WebAssembly.Module): Backend {
  const s = new Scratch(module);
  return {
    name: "wasm",
    device: "cpu",
    kernels: {
      copy: (x, out) => copy(s, x, out),
      unary: (op, x, out) => unary(s, op, x, out),
      binary: (op, a, b, out) => binary(s, op, a, b, out),
      where: (condition, a, b, out) => where(s, condition, a, b, out),
      formula: (...args) => formula(s, ...args),
      reduce: (op, x, out) => (op === "logsumexp" ? logSumExp(s, x, out) : reduce(s, op, x, out)),
      softmax: (log, x, out) => softmax(s, log, x, out),
      moments: (x, divisor, mean, variance) => moments(s, x, divisor, mean, variance),
      normalize: (...args) => normalize(s, ...args),
      normalizeGrad: (...args) => normalizeGrad(s, ...args),
      softmaxGrad: (log, y, gradOut, gradInput) => softmaxGrad(s, log, y, gradOut, gradInput),
      matmul: (a, b, out) => matmul(s, a, b, out),
      conv: (input, weight, bias, g, out) => conv(s, input, weight, bias, g, out),
      convInputGrad: (gradOut, weight, g, gradInput) => convInputGrad(s, gradOut, weight, g, gradInput),
      convWeightGrad: (input, gradOut, g, gradWeight) => convWeightGrad(s, input, gradOut, g, gradWeight),
      maxPool: (input, g, out, indices) => maxPool(s, input, g, out, indices),
      maxPoolGrad: (gradOut, indices, g, gradInput) => maxPoolGrad(s, gradOut, indices, g, gradInput),
      avgPool: (...args) => avgPool(s, ...args),
      avgPoolGrad: (...args) => avgPoolGrad(s, ...args),
      indexSelect: (x, index, out) => indexSelect(s, x, index, out),
      indexAdd: (out, index, source) => indexAdd(s, out, index, source),
      gather: (x, index, out) => gather(s, x, index, out),
      scatterAdd: (out, index, source) => scatterAdd(s, out, index, source),
    },
  };
}
