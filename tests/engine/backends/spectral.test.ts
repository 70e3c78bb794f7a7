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
