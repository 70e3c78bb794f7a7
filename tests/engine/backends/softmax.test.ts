/** Softmax, its logarithm and their gradients in both builds, against the reference; e^x against the nearest float. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { View } from "../../../engine/backends/backend.ts";
import { referenceKernels } from "../../../engine/backends/reference/index.ts";
import { compileWasm, createWasmBackend, type WasmVariant, wasmFileName } from "../../../engine/backends/wasm/index.ts";
import { empty, noise, permuted, relativeError, tensor } from "./views.ts";

async function started(variant: WasmVariant) {
  const file = new URL(`../../../engine/backends/wasm/build/${wasmFileName(variant)}`, import.meta.url);
  return createWasmBackend(await compileWasm(variant, readFileSync(file))).kernels;
}

const builds = { relaxed: await started("relaxed"), simd: await started("simd") };

/** Sizes around whole vectors, many rows, one long row, columns in parts. */
const SHAPES = [
  [40, 1, 1],
  [40, 3, 1],
  [64, 10, 1],
  [5, 63, 1],
  [3, 127, 1],
  [130, 257, 1],
  [2, 40_001, 1],
  [4, 10, 2],
  [7, 3, 3],
  [3, 5, 10],
  [2, 10, 63],
  [1, 63, 127],
  [2, 300, 500],
];

/** Numbers between -8 and 8. */
function scores(shape: readonly number[], seed = 1): View {
  const x = noise(shape, seed);
  x.data.forEach((value, i) => {
    x.data[i] = 8 * value;
  });
  return x;
}

function floatDistance(a: number, b: number): number {
  const [x, y] = [new Int32Array(new Float32Array([a]).buffer)[0]!, new Int32Array(new Float32Array([b]).buffer)[0]!];
  return Math.abs(x - y);
}

describe.each(Object.entries(builds))("softmax (%s)", (_, kernels) => {
  describe.each([false, true])("logarithm: %s", (log) => {
    test.each(SHAPES)("[%i, %i, %i] agrees with the reference", (...shape) => {
      const x = scores(shape);
      const [actual, expected] = [empty(shape), empty(shape)];
      referenceKernels.softmax(log, x, expected);
      expect(kernels.softmax!(log, x, actual)).toBe(true);
      // Each is close to its own size, also the smallest: x - max loses half a float of up to 16, 4.8e-7, in the subtraction.
      for (let i = 0; i < expected.data.length; i++) {
        const scale = log ? Math.max(1, Math.abs(expected.data[i]!)) : expected.data[i]!;
        expect(Math.abs(actual.data[i]! - expected.data[i]!)).toBeLessThanOrEqual(8e-7 * scale);
      }
      const grad = noise(shape, 3);
      const [gradient, wanted] = [empty(shape), empty(shape)];
      referenceKernels.softmaxGrad(log, expected, grad, wanted);
      expect(kernels.softmaxGrad!(log, expected, grad, gradient)).toBe(true);
      expect(relativeError(gradient, wanted)).toBeLessThan(4e-7);
    });

    test("infinite and missing scores give what the reference gives", () => {
      for (const shape of [
        [6, 9, 1],
        [2, 9, 5],
      ]) {
        const x = scores(shape);
        x.data[3] = Number.NEGATIVE_INFINITY;
        x.data[20] = Number.POSITIVE_INFINITY;
        x.data[30] = Number.NaN;
        x.data.fill(Number.NEGATIVE_INFINITY, 45, 54);
        const [actual, expected] = [empty(shape), empty(shape)];
        referenceKernels.softmax(log, x, expected);
        expect(kernels.softmax!(log, x, actual)).toBe(true);
        expect(Array.from(actual.data, Number.isNaN)).toEqual(Array.from(expected.data, Number.isNaN));
        for (let i = 0; i < expected.data.length; i++) {
          if (!Number.isNaN(expected.data[i]!)) expect(actual.data[i]).toBeCloseTo(expected.data[i]!, 5);
        }
      }
    });
  });

  test.each(SHAPES)("log Σ e^x of [%i, %i, %i] agrees with the reference", (outer, n, inner) => {
    const x = permuted(scores([outer, n, inner]), [0, 2, 1]);
    x.data[0] = Number.NEGATIVE_INFINITY;
    x.data[1] = Number.POSITIVE_INFINITY;
    const [actual, expected] = [empty([outer, inner]), empty([outer, inner])];
    referenceKernels.reduce("logsumexp", x, expected);
    expect(kernels.reduce!("logsumexp", x, actual)).toBe(true);
    for (let i = 0; i < expected.data.length; i++) {
      const [a, b] = [actual.data[i]!, expected.data[i]!];
      if (a !== b) expect(Math.abs(a - b)).toBeLessThanOrEqual(3e-7 * Math.max(1, Math.abs(b)));
    }
  });

  test("e^x is at most one float beside the nearest one, for floats of every size down to what becomes 0", () => {
    // The gradient 1, 0 of logarithms 0, y is 0, -e^y.
    const n = 400_000;
    const y = empty([1, 2, n]);
    const grad = tensor(new Array(n).fill(1), [1, 2, n]);
    let state = 1;
    const next = () => {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      return (state >>> 0) / 2 ** 32;
    };
    for (let i = 0; i < n; i++) y.data[n + i] = i % 2 === 0 ? -110 * next() : -(2 ** (32 * next() - 25));
    const out = empty([1, 2, n]);
    expect(kernels.softmaxGrad!(true, y, grad, out)).toBe(true);
    let farthest = 0;
    let different = 0;
    for (let i = n; i < 2 * n; i++) {
      const distance = floatDistance(0 - out.data[i]!, Math.exp(y.data[i]!));
      farthest = Math.max(farthest, distance);
      if (distance > 0) different++;
    }
    expect(farthest).toBeLessThanOrEqual(1);
    expect(different / n).toBeLessThan(0.08);
  });
});
