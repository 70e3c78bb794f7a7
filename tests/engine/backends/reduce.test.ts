/** Reductions along any axes in both builds, against the reference and against sums in double. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { ReduceOp, View } from "../../../engine/backends/backend.ts";
import { referenceKernels } from "../../../engine/backends/reference/index.ts";
import { compileWasm, createWasmBackend, type WasmVariant, wasmFileName } from "../../../engine/backends/wasm/index.ts";
import { float32, float64, int64 } from "../../../engine/core/dtype.ts";
import { empty, noise, permuted, relativeError, tensor } from "./views.ts";

const SUMS: readonly ReduceOp[] = ["sum", "sum_abs", "sum_squares"];
const PICKS: readonly ReduceOp[] = ["amax", "amin", "argmax", "argmin"];

async function started(variant: WasmVariant) {
  const file = new URL(`../../../engine/backends/wasm/build/${wasmFileName(variant)}`, import.meta.url);
  return createWasmBackend(await compileWasm(variant, readFileSync(file))).kernels;
}

const builds = { relaxed: await started("relaxed"), simd: await started("simd") };

/** Shape, and which of its axes are reduced. */
const CASES: readonly (readonly [shape: readonly number[], axes: readonly number[]])[] = [
  [[1000], [0]],
  [[100_001], [0]],
  [[3, 40_000], [1]],
  [[127, 3], [1]],
  [[127, 10], [1]],
  [[63, 17], [1]],
  [[10, 129], [1]],
  [[127, 3], [0]],
  [[127, 10], [0]],
  [[63, 127], [0]],
  [[3, 5000], [0]],
  [[40, 2049], [0]],
  [[5000, 7], [0]],
  [[5, 33, 10], [1]],
  [[10, 63, 127], [1]],
  [[3, 50, 1000], [1]],
  [
    [4, 6, 10, 11],
    [0, 2, 3],
  ],
  [
    [14, 6, 3, 3],
    [0, 2, 3],
  ],
  [
    [300, 33, 1],
    [0, 2],
  ],
  [
    [3, 5, 127],
    [0, 2],
  ],
  [
    [8, 5, 40, 20],
    [0, 2],
  ],
  [
    [6, 5, 4, 63],
    [1, 2],
  ],
  [
    [6, 5, 4, 63],
    [0, 3],
  ],
  [
    [2, 300, 70],
    [0, 1, 2],
  ],
];

/** The view with its reduced axes last, and the shape of the answer. */
function arranged(x: View, axes: readonly number[]): { view: View; shape: number[] } {
  const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  return { view: permuted(x, [...kept, ...axes]), shape: kept.map((i) => x.shape[i]!) };
}

function both(kernels: typeof builds.simd, op: ReduceOp, view: View, shape: readonly number[]): [View, View, boolean] {
  const dtype = op.startsWith("arg") ? int64 : float32;
  const [actual, expected] = [empty(shape, dtype), empty(shape, dtype)];
  const served = kernels.reduce!(op, view, actual);
  if (!served) expect(actual.data.every((value) => value === 0)).toBe(true);
  referenceKernels.reduce(op, view, expected);
  return [actual, expected, served];
}

describe.each(Object.entries(builds))("reductions (%s)", (_, kernels) => {
  test.each(CASES)("%j over axes %j agree with the reference", (shape, axes) => {
    const x = noise(shape, 5);
    const { view, shape: kept } = arranged(x, axes);
    const answers = [...SUMS, ...PICKS].map((op) => ({ op, found: both(kernels, op, view, kept) }));
    for (const { op, found } of answers) {
      const [actual, expected, served] = found;
      if (!served) continue;
      if (SUMS.includes(op)) expect(relativeError(actual, expected), op).toBeLessThan(1e-7);
      else expect(actual.data, op).toEqual(expected.data);
    }
    expect(answers.some(({ found }) => found[2])).toBe(true);
  });

  test.each(CASES)("%j over axes %j: the first NaN wins, of equals the first", (shape, axes) => {
    const x = noise(shape, 5);
    for (let i = 0; i < x.data.length; i++) x.data[i] = Math.round(4 * x.data[i]!);
    for (let i = 7; i < x.data.length; i += 53) x.data[i] = Number.NaN;
    const { view, shape: kept } = arranged(x, axes);
    for (const op of PICKS) {
      const [actual, expected, served] = both(kernels, op, view, kept);
      // 0 and -0 are equal: which of them comes out is left open.
      if (served)
        expect(
          Array.from(actual.data, (v) => v + 0),
          op,
        ).toEqual(Array.from(expected.data, (v) => v + 0));
    }
    const [sums, expected, served] = both(kernels, "sum", view, kept);
    if (served) expect(sums.data).toEqual(expected.data);
  });

  test("infinities are summed and compared as numbers", () => {
    for (const axes of [[0], [1]]) {
      const x = noise([70, 66], 2);
      x.data[70] = Number.POSITIVE_INFINITY;
      x.data[700] = Number.NEGATIVE_INFINITY;
      const { view, shape } = arranged(x, axes);
      for (const op of [...SUMS, ...PICKS]) {
        const [actual, expected, served] = both(kernels, op, view, shape);
        expect(served).toBe(true);
        const different = expected.data.findIndex((v, i) => Math.abs(v - actual.data[i]!) > 1e-5);
        expect(different, op).toBe(-1);
      }
    }
  });

  test("large numbers that cancel leave the small ones", () => {
    const x = tensor(
      Array.from({ length: 900 }, (_, i) => (i % 3 === 0 ? 1e8 : i % 3 === 1 ? 1 : -1e8)),
      [900],
    );
    const out = empty([1]);
    expect(kernels.reduce!("sum", { ...x, shape: [1, 900], strides: [900, 1] }, out)).toBe(true);
    expect(out.data[0]).toBe(300);
  });

  test("short tensors and other dtypes are left to the reference", () => {
    expect(kernels.reduce!("sum", noise([3, 10]), empty([3]))).toBe(false);
    expect(kernels.reduce!("sum", noise([3, 1000], 1, float64), empty([3], float64))).toBe(false);
    expect(kernels.reduce!("prod", noise([3, 1000]), empty([3]))).toBe(false);
  });
});
