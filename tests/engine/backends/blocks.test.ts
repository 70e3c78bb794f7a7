/** Views that are not dense, and elements by index, against the reference: the same bits. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Backend, View } from "../../../engine/backends/backend.ts";
import { referenceKernels } from "../../../engine/backends/reference/index.ts";
import { compileWasm, createWasmBackend, type WasmVariant, wasmFileName } from "../../../engine/backends/wasm/index.ts";
import { bool, float64, int64 } from "../../../engine/core/dtype.ts";
import { empty, noise, permuted } from "./views.ts";

async function started(variant: WasmVariant): Promise<Backend> {
  const file = new URL(`../../../engine/backends/wasm/build/${wasmFileName(variant)}`, import.meta.url);
  return createWasmBackend(await compileWasm(variant, readFileSync(file)));
}

const backends = { relaxed: await started("relaxed"), simd: await started("simd") };

/** [rows, cols] in every way to lie that kernels tell apart. */
function layouts(rows: number, cols: number, seed: number): Record<string, View> {
  const shape = [rows, cols];
  const shifted = noise([rows * cols + 3], seed);
  return {
    dense: { ...shifted, shape, strides: [cols, 1], offset: 3 },
    "one number": { ...noise([1], seed), shape, strides: [0, 0] },
    "a row": { ...noise([cols], seed), shape, strides: [0, 1] },
    "a column": { ...noise([rows], seed), shape, strides: [1, 0] },
    "every other number of a row": { ...noise([2 * cols], seed), shape, strides: [0, 2] },
    "a column of a matrix": { ...noise([rows, 5], seed), shape, strides: [5, 0], offset: 2 },
    "parts of rows": { ...noise([rows, cols + 3], seed), shape, strides: [cols + 3, 1], offset: 1 },
    "every other row": { ...noise([2 * rows, cols], seed), shape, strides: [2 * cols, 1] },
    "every third number": { ...noise([rows, 3 * cols], seed), shape, strides: [3 * cols, 3], offset: 2 },
    transposed: permuted(noise([cols, rows], seed), [1, 0]),
    windows: { ...noise([rows + cols], seed), shape, strides: [1, 1] },
  };
}

const SIZES: [number, number][] = [
  [128, 1],
  [43, 3],
  [13, 10],
  [1, 130],
  [600, 7],
  [500, 63],
  [90, 127],
  [40, 129],
  [3, 5000],
];

for (const [variant, backend] of Object.entries(backends)) {
  const { unary, binary, where, indexSelect, indexAdd, gather, scatterAdd } = backend.kernels as Required<
    Backend["kernels"]
  >;

  describe(`views that are not dense (${variant})`, () => {
    test.each(SIZES)("[%i, %i] in all layouts", (rows, cols) => {
      const shape = [rows, cols];
      const right = Object.entries(layouts(rows, cols, 2));
      for (const [name, a] of Object.entries(layouts(rows, cols, 1))) {
        const [expected, actual] = [empty(shape), empty(shape)];
        referenceKernels.unary("neg", a, expected);
        expect(unary("neg", a, actual), name).toBe(true);
        expect(actual.data, name).toEqual(expected.data);
        for (const [beside, b] of right) {
          const what = `${name}, ${beside}`;
          referenceKernels.binary("sub", a, b, expected);
          expect(binary("sub", a, b, actual), what).toBe(true);
          expect(actual.data, what).toEqual(expected.data);
          const [wanted, found] = [empty(shape, bool), empty(shape, bool)];
          referenceKernels.binary("lt", a, b, wanted);
          expect(binary("lt", a, b, found), what).toBe(true);
          expect(found.data, what).toEqual(wanted.data);
        }
      }
    });

    test.each(SIZES)("where of [%i, %i], its condition in all layouts", (rows, cols) => {
      const shape = [rows, cols];
      const parts = Object.values(layouts(rows, cols, 4));
      Object.entries(layouts(rows, cols, 3)).forEach(([name, x], k) => {
        const condition = { ...x, data: Uint8Array.from(x.data, (value) => Number(value > 0)), dtype: bool };
        const [a, b] = [parts[(k + 1) % parts.length]!, parts[(k + 4) % parts.length]!];
        const [expected, actual] = [empty(shape), empty(shape)];
        referenceKernels.where(condition, a, b, expected);
        expect(where(condition, a, b, actual), name).toBe(true);
        expect(actual.data, name).toEqual(expected.data);
      });
    });

    test("more axes than two, and planes larger than the working memory holds", () => {
      for (const axes of [
        [2, 0, 1],
        [1, 2, 0],
        [1, 0, 2],
      ]) {
        for (const sizes of [
          [20, 30, 40],
          [20, 130, 13],
          [3, 70, 90],
        ]) {
          const a = permuted(noise(sizes, 1), axes);
          const b = { ...noise([a.shape[1]!], 2), shape: a.shape, strides: [0, 1, 0] };
          const [expected, actual] = [empty(a.shape), empty(a.shape)];
          referenceKernels.binary("mul", a, b, expected);
          expect(binary("mul", a, b, actual)).toBe(true);
          expect(actual.data).toEqual(expected.data);
        }
      }
    });

    test("an output that overlaps an operand is left to the reference, unless it is that operand", () => {
      const x = noise([40, 10]);
      const row = { ...x, strides: [0, 1] };
      expect(binary("add", x, row, x)).toBe(false);
      const expected = { ...x, data: x.data.slice() };
      const other = { ...noise([10], 2), shape: x.shape, strides: [0, 1] };
      referenceKernels.binary("add", expected, other, expected);
      expect(binary("add", x, other, x)).toBe(true);
      expect(x.data).toEqual(expected.data);
    });
  });

  /** Integers below n; the same ones each time. */
  const indices = (shape: readonly number[], n: number): View => {
    const index = empty(shape, int64);
    for (let i = 0; i < index.data.length; i++) index.data[i] = (i * 7919 + 13) % n;
    return index;
  };

  describe(`by index (${variant})`, () => {
    test.each([
      [1, 64, 1, 64],
      [1, 5, 3, 63],
      [3, 10, 7, 30],
      [70, 9, 1, 33],
      [2, 100, 127, 90],
      [1, 300, 64, 1000],
      [3, 2, 20000, 3],
      [2, 20001, 1, 20001],
    ])("[%i, %i, %i] at %i places", (outer, n, inner, m) => {
      const [x, source] = [noise([outer, n, inner], 1), noise([outer, m, inner], 2)];
      const rows = indices([m], n);
      const each = indices([outer, m, inner], n);
      const [expected, actual] = [empty(source.shape), empty(source.shape)];
      referenceKernels.indexSelect(x, rows, expected);
      expect(indexSelect(x, rows, actual)).toBe(true);
      expect(actual.data).toEqual(expected.data);
      referenceKernels.gather(x, each, expected);
      expect(gather(x, each, actual)).toBe(true);
      expect(actual.data).toEqual(expected.data);
      const [sums, found] = [x, x].map((from) => ({ ...from, data: from.data.slice() })) as [View, View];
      referenceKernels.indexAdd(sums, rows, source);
      expect(indexAdd(found, rows, source)).toBe(true);
      expect(found.data).toEqual(sums.data);
      referenceKernels.scatterAdd(sums, each, source);
      expect(scatterAdd(found, each, source)).toBe(true);
      expect(found.data).toEqual(sums.data);
    });

    test("what is out of range, of another dtype or picked from far more is left to the reference", () => {
      const [x, out] = [noise([1, 50, 4]), empty([1, 51, 4])];
      for (const wrong of [-1, 50, NaN]) {
        for (const place of [0, 49, 50]) {
          const index = indices([51], 50);
          index.data[place] = wrong;
          expect(indexSelect(x, index, out)).toBe(false);
          expect(indexAdd(x, index, out)).toBe(false);
          const each = indices(out.shape, 50);
          each.data[place] = wrong;
          expect(gather(x, each, out)).toBe(false);
          expect(scatterAdd(x, each, out)).toBe(false);
        }
      }
      expect(x.data).toEqual(noise([1, 50, 4]).data);
      expect(out.data.every((value) => value === 0)).toBe(true);
      expect(indexSelect(noise([1, 50, 4], 1, float64), indices([51], 50), empty([1, 51, 4], float64))).toBe(false);
      expect(indexSelect(noise([1, 5000, 64]), indices([4], 5000), empty([1, 4, 64]))).toBe(false);
    });
  });
}
