import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { View } from "../../../engine/backends/backend.ts";
import { referenceKernels } from "../../../engine/backends/reference/index.ts";
import { conv, convInputGrad, convWeightGrad } from "../../../engine/backends/wasm/conv.ts";
import { compileWasm, type WasmVariant, wasmFileName } from "../../../engine/backends/wasm/index.ts";
import { Scratch } from "../../../engine/backends/wasm/scratch.ts";
import { spectralConv, spectralInputGrad, spectralWeightGrad } from "../../../engine/backends/wasm/spectral.ts";
import { type ConvCase, convGeometry, empty, noise, permuted, relativeError } from "./views.ts";

async function started(variant: WasmVariant): Promise<Scratch> {
  const file = new URL(`../../../engine/backends/wasm/build/${wasmFileName(variant)}`, import.meta.url);
  return new Scratch(await compileWasm(variant, readFileSync(file)));
}

const scratches = { relaxed: await started("relaxed"), simd: await started("simd") };

/** Against sums in double. Tap by tap, the same sums in float32 are up to 1e-6 away. */
const TOLERANCE = 4e-7;

/** Shapes, and the tiles that they ask for: 12 × 12 for many, 8 × 8 for few and for 3 × 3. */
const SHAPES: Record<string, ConvCase> = {
  "the chapter's first layer": { n: 3, c: 3, o: 32, size: [32, 32], kernel: [5, 5], padding: [2, 2] },
  "the chapter's second layer": { n: 3, c: 32, o: 32, size: [16, 16], kernel: [5, 5], padding: [2, 2] },
  "the chapter's second layer, one image": { n: 1, c: 32, o: 32, size: [16, 16], kernel: [5, 5], padding: [2, 2] },
  "the chapter's third layer, three images": { n: 3, c: 32, o: 64, size: [8, 8], kernel: [5, 5], padding: [2, 2] },
  "the chapter's third layer, 17 images": { n: 17, c: 32, o: 64, size: [8, 8], kernel: [5, 5], padding: [2, 2] },
  "17 channels to 33, odd sizes": { n: 3, c: 17, o: 33, size: [17, 11], kernel: [5, 5], padding: [2, 2] },
  "33 channels to 16, no padding": { n: 1, c: 33, o: 16, size: [21, 16], kernel: [5, 5] },
  "17 channels to 17, odd sizes that 8 divides nearly": {
    n: 3,
    c: 17,
    o: 17,
    size: [15, 23],
    kernel: [5, 5],
    padding: [2, 2],
  },
  "padding before and behind of different size": {
    n: 3,
    c: 16,
    o: 18,
    size: [15, 19],
    kernel: [5, 5],
    padding: [0, 3],
    after: [4, 1],
  },
  "padding beyond the kernel": { n: 2, c: 16, o: 16, size: [6, 6], kernel: [5, 5], padding: [6, 5] },
  "a last image that fills no panel": { n: 5, c: 32, o: 17, size: [12, 8], kernel: [5, 5], padding: [2, 2] },
  "3 × 3": { n: 3, c: 32, o: 32, size: [24, 24], kernel: [3, 3], padding: [1, 1] },
  "3 × 3 of 33 channels to 17, odd sizes": { n: 3, c: 33, o: 17, size: [24, 29], kernel: [3, 3], padding: [1, 1] },
  "3 × 3 without padding": { n: 1, c: 48, o: 64, size: [32, 20], kernel: [3, 3] },
};

function operands(g: ReturnType<typeof convGeometry>, of: (shape: number[], seed: number) => View = noise) {
  return {
    input: of([g.n, g.c, g.h, g.w], 1),
    weight: of([g.o, g.c, g.kernelH, g.kernelW], 2),
    gradOut: of([g.n, g.o, g.outH, g.outW], 3),
  };
}

const whole = (shape: readonly number[], seed: number): View => {
  const x = noise(shape, seed);
  for (let i = 0; i < x.data.length; i++) x.data[i] = Math.round(x.data[i]! * 5);
  return x;
};

/** Zero in all channels where `keep` says so of a cell's image, row and column; -0 at every other one of them. */
function darkened(x: View, keep: (n: number, i: number, j: number) => boolean): View {
  const [, c, h, w] = x.shape as [number, number, number, number];
  for (let k = 0; k < x.data.length; k++) {
    const n = Math.floor(k / (c * h * w));
    if (!keep(n, Math.floor(k / w) % h, k % w)) x.data[k] = k % 2 === 0 ? 0 : -0;
  }
  return x;
}

/** As near as the sums are, and exactly `rest` wherever they are: sums of random products are 0 only if all products are. */
function expectExactZeros(actual: View, expected: View, rest: View | null = null): void {
  expect(relativeError(actual, expected)).toBeLessThan(TOLERANCE);
  const plane = expected.shape[2]! * expected.shape[3]!;
  const restOf = (k: number) => (rest ? rest.data[Math.floor(k / plane) % expected.shape[1]!]! : 0);
  const untouched = Array.from(expected.data.keys()).filter((k) => expected.data[k] === restOf(k));
  expect(untouched.length).toBeGreaterThan(0);
  expect(untouched.filter((k) => actual.data[k] !== restOf(k))).toEqual([]);
}

const LAYER = convGeometry({ n: 2, c: 32, o: 32, size: [16, 16], kernel: [5, 5], padding: [2, 2] });

for (const [variant, s] of Object.entries(scratches)) {
  describe(`convolutions by spectra (${variant})`, () => {
    test.each(Object.keys(SHAPES))("%s: forward and both gradients are the reference's", (name) => {
      const g = convGeometry(SHAPES[name]!);
      const { input, weight, gradOut } = operands(g);
      for (const bias of [null, noise([g.o], 4)]) {
        const [expected, actual] = [empty(gradOut.shape), empty(gradOut.shape)];
        referenceKernels.conv(input, weight, bias, g, expected);
        expect(spectralConv(s, input, weight, bias, g, actual)).toBe(true);
        expect(relativeError(actual, expected)).toBeLessThan(TOLERANCE);
      }
      const [inputExpected, inputActual] = [empty(input.shape), empty(input.shape)];
      referenceKernels.convInputGrad(gradOut, weight, g, inputExpected);
      expect(spectralInputGrad(s, gradOut, weight, g, inputActual)).toBe(true);
      expect(relativeError(inputActual, inputExpected)).toBeLessThan(TOLERANCE);

      const [weightExpected, weightActual] = [empty(weight.shape), empty(weight.shape)];
      referenceKernels.convWeightGrad(input, gradOut, g, weightExpected);
      expect(spectralWeightGrad(s, input, gradOut, g, weightActual)).toBe(true);
      expect(relativeError(weightActual, weightExpected)).toBeLessThan(TOLERANCE);
    });

    test.each(Object.keys(SHAPES))("%s: where every product is zero, so is their sum", (name) => {
      const g = convGeometry(SHAPES[name]!);
      // The first image's lower half, and of each further one some more columns besides.
      const lit = (h: number, w: number) => (n: number, i: number, j: number) =>
        n === 0 ? 2 * i < h - g.kernelH : 3 * i < 2 * h && j < w - g.kernelW - n;
      const { weight, ...dense } = operands(g);
      const input = darkened(dense.input, lit(g.h, g.w));
      const gradOut = darkened(dense.gradOut, lit(g.outH, g.outW));
      for (const bias of [null, noise([g.o], 4)]) {
        const [expected, actual] = [empty(gradOut.shape), empty(gradOut.shape)];
        referenceKernels.conv(input, weight, bias, g, expected);
        expect(spectralConv(s, input, weight, bias, g, actual)).toBe(true);
        expectExactZeros(actual, expected, bias);
      }
      const [expected, actual] = [empty(input.shape), empty(input.shape)];
      referenceKernels.convInputGrad(gradOut, weight, g, expected);
      expect(spectralInputGrad(s, gradOut, weight, g, actual)).toBe(true);
      expectExactZeros(actual, expected);
    });

    test.each(Object.keys(SHAPES))("%s: a kernel with places that are zero sees nothing there", (name) => {
      const g = convGeometry(SHAPES[name]!);
      const { input, weight, gradOut } = operands(g);
      // All but two places at the edge, so that being turned around or not makes a difference.
      const [area, kept] = [g.kernelH * g.kernelW, [1, g.kernelW]];
      for (let k = 0; k < weight.data.length; k++) if (!kept.includes(k % area)) weight.data[k] = 0;
      darkened(input, (_, i, j) => i > 2 && j < 5);
      darkened(gradOut, (_, i, j) => i > 2 && j < 5);
      const [expected, actual] = [empty(gradOut.shape), empty(gradOut.shape)];
      referenceKernels.conv(input, weight, null, g, expected);
      expect(spectralConv(s, input, weight, null, g, actual)).toBe(true);
      expectExactZeros(actual, expected);
      const [inputExpected, inputActual] = [empty(input.shape), empty(input.shape)];
      referenceKernels.convInputGrad(gradOut, weight, g, inputExpected);
      expect(spectralInputGrad(s, gradOut, weight, g, inputActual)).toBe(true);
      expectExactZeros(inputActual, inputExpected);
    });

    test.each(Object.keys(SHAPES))("%s: a weight's gradient is zero where nothing meets anything", (name) => {
      const g = convGeometry(SHAPES[name]!);
      const { input, weight, gradOut } = operands(g);
      const [expected, actual] = [empty(weight.shape), empty(weight.shape)];
      const check = () => {
        referenceKernels.convWeightGrad(input, gradOut, g, expected);
        expect(spectralWeightGrad(s, input, gradOut, g, actual)).toBe(true);
        expectExactZeros(actual, expected);
      };
      // Units that are dead in every image, on either side.
      for (const x of [input, gradOut]) {
        const plane = x.shape[2]! * x.shape[3]!;
        const dead = (k: number) => Math.floor(k / plane) % x.shape[1]! === 1;
        for (let k = 0; k < x.data.length; k++) if (dead(k)) x.data[k] = 0;
      }
      check();
      // Rows and columns of which only some places of the kernel reach from one side to the other.
      const row = Math.floor(g.outH / 2) - g.padTop + 1;
      darkened(input, (_, i) => i >= row);
      darkened(gradOut, (_, i) => i < Math.floor(g.outH / 2));
      check();
      expect(
        new Set(
          Array.from(actual.data.keys())
            .filter((k) => actual.data[k] !== 0)
            .map((k) => k % g.kernelW),
        ).size,
      ).toBe(g.kernelW);
      expect(Array.from({ length: g.kernelW }, (_, v) => actual.data[v])).toEqual(new Array(g.kernelW).fill(0));
    });

    test("places of a kernel that only see the padding have no gradient", () => {
      const g = convGeometry({ n: 16, c: 32, o: 32, size: [2, 64], kernel: [5, 5], padding: [2, 2] });
      const { input, weight, gradOut } = operands(g);
      const [expected, actual] = [empty(weight.shape), empty(weight.shape)];
      referenceKernels.convWeightGrad(input, gradOut, g, expected);
      expect(spectralWeightGrad(s, input, gradOut, g, actual)).toBe(true);
      expectExactZeros(actual, expected);
    });

    test("a permuted input is read as it is meant", () => {
      const input = permuted(noise([2, 16, 16, 32], 1), [0, 3, 1, 2]);
      const { weight } = operands(LAYER);
      const [expected, actual] = [empty([2, 32, 16, 16]), empty([2, 32, 16, 16])];
      referenceKernels.conv(input, weight, null, LAYER, expected);
      expect(spectralConv(s, input, weight, null, LAYER, actual)).toBe(true);
      expect(relativeError(actual, expected)).toBeLessThan(TOLERANCE);
    });

    test("whole numbers are left to the other way, which gives whole numbers", () => {
      const { input, weight, gradOut } = operands(LAYER, whole);
      const [expected, actual] = [empty(gradOut.shape), empty(gradOut.shape)];
      referenceKernels.conv(input, weight, null, LAYER, expected);
      expect(conv(s, input, weight, null, LAYER, actual)).toBe(true);
      expect(actual.data).toEqual(expected.data);
      const [inputExpected, inputActual] = [empty(input.shape), empty(input.shape)];
      referenceKernels.convInputGrad(gradOut, weight, LAYER, inputExpected);
      expect(convInputGrad(s, gradOut, weight, LAYER, inputActual)).toBe(true);
      expect(inputActual.data).toEqual(inputExpected.data);
      const [weightExpected, weightActual] = [empty(weight.shape), empty(weight.shape)];
      referenceKernels.convWeightGrad(input, gradOut, LAYER, weightExpected);
      expect(convWeightGrad(s, input, gradOut, LAYER, weightActual)).toBe(true);
      expect(weightActual.data).toEqual(weightExpected.data);
    });

    test("what is zero all around one cell stays zero outside that cell's reach", () => {
      const { weight } = operands(LAYER);
      const gradOut = empty([2, 32, 16, 16]);
      gradOut.data[7 * 256 + 8 * 16 + 8] = 0.3;
      const actual = empty([2, 32, 16, 16]);
      expect(convInputGrad(s, gradOut, weight, LAYER, actual)).toBe(true);
      expect(Array.from(actual.data).filter((value) => value !== 0).length).toBe(32 * 25);
    });

    test("a NaN and an infinity reach exactly what they reach tap by tap", () => {
      for (const value of [NaN, Infinity]) {
        const { input, weight } = operands(LAYER);
        input.data[5 * 256 + 3 * 16 + 4] = value;
        const [expected, actual] = [empty([2, 32, 16, 16]), empty([2, 32, 16, 16])];
        referenceKernels.conv(input, weight, null, LAYER, expected);
        expect(conv(s, input, weight, null, LAYER, actual)).toBe(true);
        expect(Array.from(actual.data, Number.isFinite)).toEqual(Array.from(expected.data, Number.isFinite));
      }
    });

    test.each<[string, ConvCase]>([
      ["2 channels", { n: 8, c: 2, o: 64, size: [32, 32], kernel: [5, 5], padding: [2, 2] }],
      ["2 kernels", { n: 8, c: 64, o: 2, size: [32, 32], kernel: [5, 5], padding: [2, 2] }],
      ["15 channels to 15", { n: 8, c: 15, o: 15, size: [16, 16], kernel: [5, 5], padding: [2, 2] }],
      ["very many kernels", { n: 8, c: 512, o: 256, size: [2, 2], kernel: [3, 3], padding: [1, 1] }],
      ["little work", { n: 1, c: 16, o: 16, size: [8, 8], kernel: [5, 5] }],
      ["strides", { n: 8, c: 32, o: 32, size: [16, 16], kernel: [5, 5], stride: [2, 1] }],
      ["dilation", { n: 8, c: 32, o: 32, size: [16, 16], kernel: [3, 3], dilation: [1, 2] }],
      ["groups", { n: 8, c: 64, o: 64, groups: 2, size: [16, 16], kernel: [5, 5] }],
      ["kernels that are not square", { n: 8, c: 32, o: 32, size: [16, 16], kernel: [5, 3] }],
      ["kernels of 7", { n: 8, c: 32, o: 32, size: [16, 16], kernel: [7, 7] }],
    ])("%s are left to the other way", (_, shape) => {
      const g = convGeometry(shape);
      const input = noise([g.n, g.c, g.h, g.w], 1);
      const weight = noise([g.o, g.c / g.groups, g.kernelH, g.kernelW], 2);
      const gradOut = noise([g.n, g.o, g.outH, g.outW], 3);
      expect(spectralConv(s, input, weight, null, g, empty(gradOut.shape))).toBe(false);
      expect(spectralInputGrad(s, gradOut, weight, g, empty(input.shape))).toBe(false);
      expect(spectralWeightGrad(s, input, gradOut, g, empty(weight.shape))).toBe(false);
    });
  });
}
