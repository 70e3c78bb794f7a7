import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Backend, View } from "../../../engine/backends/backend.ts";
import { referenceKernels } from "../../../engine/backends/reference/index.ts";
import { compileWasm, createWasmBackend, type WasmVariant, wasmFileName } from "../../../engine/backends/wasm/index.ts";
import { bool, float32, float64, int32, int64 } from "../../../engine/core/dtype.ts";
import { poolOutputSize } from "../../../engine/core/window.ts";
import { type ConvCase, convGeometry, empty, noise, permuted, relativeError, tensor } from "./views.ts";

async function started(variant: WasmVariant): Promise<Backend> {
  const file = new URL(`../../../engine/backends/wasm/build/${wasmFileName(variant)}`, import.meta.url);
  return createWasmBackend(await compileWasm(variant, readFileSync(file)));
}

const backends = { relaxed: await started("relaxed"), simd: await started("simd") };

/** Sums of up to a few thousand float32 products, against sums in double. */
const TOLERANCE = 2e-6;

const SIZES: [number, number, number][] = [
  [1, 1, 1],
  [1, 3, 10],
  [3, 10, 1],
  [10, 1, 3],
  [10, 63, 127],
  [63, 127, 10],
  [127, 10, 63],
  [6, 8, 8],
  [33, 300, 17],
  [7, 513, 9],
  [4, 6, 5],
  [1, 300, 61],
  [2, 43, 70],
  [3, 5, 2],
  [270, 37, 1],
  [300, 1, 41],
];

const CONVOLUTIONS: Record<string, ConvCase> = {
  "one cell": { n: 1, c: 1, o: 1, size: [1, 1], kernel: [1, 1] },
  "the chapter's first example": { n: 1, c: 1, o: 1, size: [5, 5], kernel: [3, 3] },
  "a row of odd length": { c: 3, o: 5, size: [1, 127], kernel: [1, 3], padding: [0, 1] },
  "a column of odd length": { c: 3, o: 10, size: [63, 1], kernel: [3, 1], padding: [1, 0] },
  "narrow outputs of 1, 2 and 3 columns": { c: 2, o: 7, size: [10, 3], kernel: [3, 3] },
  "outputs 3 wide": { c: 2, o: 7, size: [10, 5], kernel: [3, 3] },
  "outputs 5 wide": { c: 2, o: 7, size: [10, 7], kernel: [3, 3] },
  "outputs 7 wide": { c: 4, o: 6, size: [7, 7], kernel: [3, 3], padding: [1, 1] },
  "outputs 13 wide": { c: 3, o: 13, size: [10, 13], kernel: [5, 5], padding: [2, 2] },
  "stride 2": { c: 3, o: 6, size: [10, 11], kernel: [3, 3], stride: [2, 2], padding: [1, 1] },
  "different strides down and across": { c: 3, o: 6, size: [17, 10], kernel: [5, 3], stride: [3, 2], padding: [2, 1] },
  "a stride beyond the kernel": { c: 3, o: 6, size: [13, 16], kernel: [2, 1], stride: [4, 3] },
  dilation: { c: 3, o: 6, size: [12, 15], kernel: [3, 3], dilation: [2, 3], padding: [2, 3] },
  "dilation with stride": { c: 3, o: 6, size: [16, 15], kernel: [3, 3], dilation: [2, 3], stride: [2, 2] },
  "dilation and stride that share a factor": {
    c: 2,
    o: 3,
    size: [20, 20],
    kernel: [3, 3],
    dilation: [2, 4],
    stride: [4, 2],
  },
  groups: { c: 6, o: 9, groups: 3, size: [9, 9], kernel: [3, 3], padding: [1, 1] },
  "groups with stride and dilation": {
    c: 4,
    o: 10,
    groups: 2,
    size: [14, 9],
    kernel: [3, 2],
    stride: [2, 1],
    dilation: [1, 2],
  },
  depthwise: { c: 10, o: 10, groups: 10, size: [10, 10], kernel: [3, 3], padding: [1, 1] },
  "depthwise with two outputs each": { c: 3, o: 6, groups: 3, size: [10, 10], kernel: [3, 3] },
  "asymmetric padding": { c: 3, o: 4, size: [8, 9], kernel: [4, 2], padding: [1, 0], after: [2, 1] },
  "padding beyond the kernel": { c: 2, o: 3, size: [5, 6], kernel: [2, 2], padding: [4, 3] },
  "rows behind that no window reads": { c: 3, o: 6, size: [12, 12], kernel: [3, 3], stride: [4, 4] },
  "63 channels in, 127 out": { n: 1, c: 63, o: 127, size: [6, 6], kernel: [3, 3], padding: [1, 1] },
  "a layer of the chapter's network": { n: 3, c: 32, o: 64, size: [8, 8], kernel: [5, 5], padding: [2, 2] },
};

/** NaN, an infinity, or a number. */
const kindOf = (x: number) => (Number.isFinite(x) ? "finite" : String(x));

for (const [variant, backend] of Object.entries(backends)) {
  const {
    unary,
    binary,
    where,
    copy,
    reduce,
    matmul,
    conv,
    convInputGrad,
    convWeightGrad,
    maxPool,
    maxPoolGrad,
    avgPool,
    avgPoolGrad,
  } = backend.kernels as Required<Backend["kernels"]>;

  describe(`matrix products (${variant})`, () => {
    test.each(SIZES)("%i × %i by %i columns agrees with the reference, transposed or not", (n, k, m) => {
      for (const [a, b] of [
        [noise([3, n, k], 1), noise([3, k, m], 2)],
        [permuted(noise([3, k, n], 1), [0, 2, 1]), noise([3, k, m], 2)],
        [noise([3, n, k], 1), permuted(noise([3, m, k], 2), [0, 2, 1])],
        [noise([3, n, k], 1), { ...noise([1, k, m], 2), shape: [3, k, m], strides: [0, m, 1] }],
        [{ ...noise([1, n, 1], 1), shape: [3, n, k], strides: [0, 1, 0] }, permuted(noise([k, 3, m], 2), [1, 0, 2])],
      ] as const) {
        const expected = empty([3, n, m]);
        referenceKernels.matmul(a, b, expected);
        const actual = empty([3, n, m]);
        expect(matmul(a, b, actual)).toBe(true);
        expect(relativeError(actual, expected)).toBeLessThan(TOLERANCE);
      }
    });

    test("more rows than are in the working memory at a time", () => {
      const a = noise([1, 4100, 5], 1);
      const b = noise([1, 5, 3], 2);
      const expected = empty([1, 4100, 3]);
      referenceKernels.matmul(a, b, expected);
      const actual = empty([1, 4100, 3]);
      expect(matmul(a, b, actual)).toBe(true);
      expect(relativeError(actual, expected)).toBeLessThan(TOLERANCE);
    });

    test("empty operands and other dtypes are left to the reference", () => {
      expect(matmul(noise([1, 0, 3]), noise([1, 3, 2]), empty([1, 0, 2]))).toBe(false);
      expect(matmul(noise([1, 2, 0]), noise([1, 0, 2]), empty([1, 2, 2]))).toBe(false);
      const doubles = noise([1, 2, 2], 1, float64);
      expect(matmul(doubles, doubles, empty([1, 2, 2], float64))).toBe(false);
    });
  });

  describe(`convolution (${variant})`, () => {
    test.each(Object.keys(CONVOLUTIONS))("%s: forward and both gradients agree with the reference", (name) => {
      const g = convGeometry(CONVOLUTIONS[name]!);
      const input = noise([g.n, g.c, g.h, g.w], 1);
      const weight = noise([g.o, g.c / g.groups, g.kernelH, g.kernelW], 2);
      const gradOut = noise([g.n, g.o, g.outH, g.outW], 3);
      for (const bias of [null, noise([g.o], 4)]) {
        const expected = empty(gradOut.shape);
        const actual = empty(gradOut.shape);
        referenceKernels.conv(input, weight, bias, g, expected);
        expect(conv(input, weight, bias, g, actual)).toBe(true);
        expect(relativeError(actual, expected)).toBeLessThan(TOLERANCE);
      }
      const expectedInput = empty(input.shape);
      const actualInput = empty(input.shape);
      referenceKernels.convInputGrad(gradOut, weight, g, expectedInput);
      expect(convInputGrad(gradOut, weight, g, actualInput)).toBe(true);
      expect(relativeError(actualInput, expectedInput)).toBeLessThan(TOLERANCE);

      const expectedWeight = empty(weight.shape);
      const actualWeight = empty(weight.shape);
      referenceKernels.convWeightGrad(input, gradOut, g, expectedWeight);
      expect(convWeightGrad(input, gradOut, g, actualWeight)).toBe(true);
      expect(relativeError(actualWeight, expectedWeight)).toBeLessThan(TOLERANCE);
    });

    test("a permuted input is read as it is meant", () => {
      const g = convGeometry({ c: 3, o: 4, size: [6, 7], kernel: [3, 3], padding: [1, 1] });
      const input = permuted(noise([2, 6, 7, 3], 1), [0, 3, 1, 2]);
      const weight = noise([4, 3, 3, 3], 2);
      const expected = empty([2, 4, 6, 7]);
      const actual = empty([2, 4, 6, 7]);
      referenceKernels.conv(input, weight, null, g, expected);
      expect(conv(input, weight, null, g, actual)).toBe(true);
      expect(relativeError(actual, expected)).toBeLessThan(TOLERANCE);
    });

    test.each(Object.keys(CONVOLUTIONS))("%s: an infinity spreads as in the reference", (name) => {
      const g = convGeometry(CONVOLUTIONS[name]!);
      const infinite = (shape: number[]) => {
        const x = noise(shape, shape.length + shape[1]!);
        x.data[0] = Infinity;
        x.data[x.data.length - 1] = -Infinity;
        return x;
      };
      const shapes = {
        input: [g.n, g.c, g.h, g.w],
        weight: [g.o, g.c / g.groups, g.kernelH, g.kernelW],
        gradOut: [g.n, g.o, g.outH, g.outW],
      };
      for (const at of ["input", "weight", "gradOut"] as const) {
        const of = (part: keyof typeof shapes) => (part === at ? infinite : noise)(shapes[part]);
        const [input, weight, gradOut] = [of("input"), of("weight"), of("gradOut")];
        const [expected, actual] = [empty(shapes.gradOut), empty(shapes.gradOut)];
        referenceKernels.conv(input, weight, null, g, expected);
        expect(conv(input, weight, null, g, actual)).toBe(true);
        expect(Array.from(actual.data, kindOf)).toEqual(Array.from(expected.data, kindOf));
        const [weightExpected, weightActual] = [empty(shapes.weight), empty(shapes.weight)];
        referenceKernels.convWeightGrad(input, gradOut, g, weightExpected);
        expect(convWeightGrad(input, gradOut, g, weightActual)).toBe(true);
        expect(Array.from(weightActual.data, kindOf)).toEqual(Array.from(weightExpected.data, kindOf));
        const [inputExpected, inputActual] = [empty(shapes.input), empty(shapes.input)];
        referenceKernels.convInputGrad(gradOut, weight, g, inputExpected);
        expect(convInputGrad(gradOut, weight, g, inputActual)).toBe(at !== "weight");
        if (at !== "weight")
          expect(Array.from(inputActual.data, kindOf)).toEqual(Array.from(inputExpected.data, kindOf));
      }
    });

    test("an empty batch and other dtypes are left to the reference", () => {
      const g = convGeometry({ n: 0, c: 1, o: 1, size: [3, 3], kernel: [3, 3] });
      expect(conv(empty([0, 1, 3, 3]), noise([1, 1, 3, 3]), null, g, empty([0, 1, 1, 1]))).toBe(false);
      const h = convGeometry({ n: 1, c: 1, o: 1, size: [3, 3], kernel: [3, 3] });
      const [x, w] = [noise([1, 1, 3, 3], 1, float64), noise([1, 1, 3, 3], 2, float64)];
      expect(conv(x, w, null, h, empty([1, 1, 1, 1], float64))).toBe(false);
    });
  });

  describe(`maximum pooling (${variant})`, () => {
    test.each([
      { kernel: 2, stride: 2, padding: 0, dilation: 1, ceilMode: false },
      { kernel: 3, stride: 3, padding: 0, dilation: 1, ceilMode: true },
      { kernel: 3, stride: 2, padding: 1, dilation: 1, ceilMode: true },
      { kernel: 3, stride: 1, padding: 1, dilation: 2, ceilMode: false },
      { kernel: 1, stride: 1, padding: 0, dilation: 1, ceilMode: false },
    ])("agrees with the reference in values and positions: %o", ({ kernel, stride, padding, dilation, ceilMode }) => {
      for (const [h, w] of [
        [5, 5],
        [10, 7],
        [63, 127],
      ] as const) {
        const g = {
          ...convGeometry({ n: 2, c: 3, o: 3, size: [h, w], kernel: [kernel, kernel] }),
          strideH: stride,
          strideW: stride,
          padTop: padding,
          padLeft: padding,
          dilationH: dilation,
          dilationW: dilation,
          outH: poolOutputSize(h, kernel, stride, padding, dilation, ceilMode),
          outW: poolOutputSize(w, kernel, stride, padding, dilation, ceilMode),
        };
        const x = noise([2, 3, h, w]);
        x.data[7] = NaN;
        x.data.fill(0.25, 10, 14);
        x.data.fill(-Infinity, 16, 20);
        x.data[20] = Infinity;
        const shape = [2, 3, g.outH, g.outW];
        const [expected, positions] = [empty(shape), empty(shape, int64)];
        const [actual, winners] = [empty(shape), empty(shape, int64)];
        referenceKernels.maxPool(x, g, expected, positions);
        expect(maxPool(x, g, actual, winners)).toBe(true);
        expect(actual.data).toEqual(expected.data);
        expect(winners.data).toEqual(positions.data);
        const short = empty(shape, int32);
        expect(maxPool(x, g, actual, short)).toBe(true);
        expect(Array.from(short.data)).toEqual(Array.from(positions.data));
        const alone = empty(shape);
        expect(maxPool(x, g, alone, null)).toBe(true);
        expect(alone.data).toEqual(expected.data);

        const grad = noise(shape, 2);
        const [back, backActual] = [empty(x.shape), empty(x.shape)];
        referenceKernels.maxPoolGrad(grad, positions, g, back);
        expect(maxPoolGrad(grad, winners, g, backActual)).toBe(true);
        expect(backActual.data).toEqual(back.data);
        expect(maxPoolGrad(grad, short, g, backActual)).toBe(true);
        expect(backActual.data).toEqual(back.data);
      }
    });
  });

  describe(`average pooling (${variant})`, () => {
    test.each([
      { kernel: 2, stride: 2, padding: 0, ceilMode: false },
      { kernel: 3, stride: 2, padding: 1, ceilMode: true },
      { kernel: 3, stride: 1, padding: 1, ceilMode: false },
      { kernel: 4, stride: 3, padding: 2, ceilMode: true },
    ])("agrees with the reference, gradient included: %o", ({ kernel, stride, padding, ceilMode }) => {
      for (const [h, w] of [
        [5, 5],
        [10, 7],
        [63, 127],
      ] as const) {
        const g = {
          ...convGeometry({ n: 2, c: 3, o: 3, size: [h, w], kernel: [kernel, kernel] }),
          strideH: stride,
          strideW: stride,
          padTop: padding,
          padLeft: padding,
          outH: poolOutputSize(h, kernel, stride, padding, 1, ceilMode),
          outW: poolOutputSize(w, kernel, stride, padding, 1, ceilMode),
        };
        const x = noise([2, 3, h, w]);
        const grad = noise([2, 3, g.outH, g.outW], 2);
        for (const [withPadding, divisor] of [
          [true, null],
          [false, null],
          [true, 5],
        ] as const) {
          const [expected, actual] = [empty(grad.shape), empty(grad.shape)];
          referenceKernels.avgPool(x, g, withPadding, divisor, expected);
          expect(avgPool(x, g, withPadding, divisor, actual)).toBe(true);
          expect(relativeError(actual, expected)).toBeLessThan(TOLERANCE);
          const [back, backActual] = [empty(x.shape), empty(x.shape)];
          referenceKernels.avgPoolGrad(grad, g, withPadding, divisor, back);
          expect(avgPoolGrad(grad, g, withPadding, divisor, backActual)).toBe(true);
          expect(relativeError(backActual, back)).toBeLessThan(TOLERANCE);
        }
      }
    });
  });

  describe(`element by element (${variant})`, () => {
    const special = [
      0,
      -0,
      Infinity,
      -Infinity,
      NaN,
      1,
      -1,
      0.5,
      1.5,
      -2.5,
      1e-40,
      1e-20,
      -1e-4,
      88.7,
      89,
      -87.4,
      -104,
      3e38,
    ];
    const x = noise([4, 1250], 5);
    for (let i = 0; i < x.data.length; i++) x.data[i]! *= 12;
    x.data.set(special, 100);

    test.each([
      "neg",
      "abs",
      "relu",
      "square",
      "sqrt",
      "reciprocal",
      "rsqrt",
      "floor",
      "ceil",
      "round",
      "trunc",
    ] as const)("%s gives the reference's bits", (op) => {
      const [expected, actual] = [empty(x.shape), empty(x.shape)];
      referenceKernels.unary(op, x, expected);
      expect(unary(op, x, actual)).toBe(true);
      expect(actual.data).toEqual(expected.data);
    });

    test.each(["exp", "log", "sigmoid", "tanh", "expm1", "log1p", "erf"] as const)(
      "%s is at most one float away from the reference",
      (op) => {
        const [expected, actual] = [empty(x.shape), empty(x.shape)];
        referenceKernels.unary(op, x, expected);
        expect(unary(op, x, actual)).toBe(true);
        const steps = (a: View) => new Int32Array(a.data.buffer);
        const [a, b] = [steps(actual), steps(expected)];
        let different = 0;
        for (let i = 0; i < a.length; i++) {
          if (Object.is(actual.data[i], expected.data[i])) continue;
          different++;
          expect(Math.abs(a[i]! - b[i]!), `${op}(${x.data[i]}) = ${actual.data[i]}, not ${expected.data[i]}`).toBe(1);
        }
        expect(different).toBeLessThan(5);
      },
    );

    test.each(["exp", "log", "sigmoid", "tanh", "expm1", "log1p", "erf"] as const)(
      "%s of floats from the whole range is at most one float away from the reference, and seldom that",
      (op) => {
        const patterns = Uint32Array.from({ length: 120_000 }, (_, i) => i * 35_791);
        const floats = tensor(Array.from(new Float32Array(patterns.buffer)), [patterns.length]);
        const [expected, actual] = [empty(floats.shape), empty(floats.shape)];
        referenceKernels.unary(op, floats, expected);
        expect(unary(op, floats, actual)).toBe(true);
        const [a, b] = [actual, expected].map(({ data }) => new Int32Array(data.buffer)) as [Int32Array, Int32Array];
        let [different, farthest] = [0, 0];
        for (let i = 0; i < a.length; i++) {
          if (Object.is(actual.data[i], expected.data[i])) continue;
          different++;
          farthest = Math.max(farthest, Math.abs(a[i]! - b[i]!));
        }
        expect(farthest).toBeLessThanOrEqual(1);
        expect(different).toBeLessThan(12);
      },
    );

    test.each(["add", "sub", "mul", "div", "maximum", "minimum", "eq", "ne", "lt", "le", "gt", "ge"] as const)(
      "%s gives the reference's bits, with a tensor or one number on either side",
      (op) => {
        const y = noise([4, 1250], 6);
        y.data.set(special.toReversed(), 105);
        y.data.set(x.data.subarray(600, 700), 600);
        const one = { ...tensor([0.5], [1]), shape: x.shape, strides: [0, 0] };
        const dtype = ["eq", "ne", "lt", "le", "gt", "ge"].includes(op) ? bool : float32;
        for (const [a, b] of [
          [x, y],
          [x, one],
          [one, y],
        ] as const) {
          const [expected, actual] = [empty(x.shape, dtype), empty(x.shape, dtype)];
          referenceKernels.binary(op, a, b, expected);
          expect(binary(op, a, b, actual)).toBe(true);
          expect(actual.data).toEqual(expected.data);
        }
      },
    );

    test.each(["add", "sub", "div", "maximum", "lt"] as const)(
      "%s gives the reference's bits for a number, a row or a column on either side",
      (op) => {
        const dtype = op === "lt" ? bool : float32;
        for (const length of [64, 127, 200, 5000]) {
          const y = noise([3, 4, length], 6);
          const channel = { ...noise([4], 7), shape: y.shape, strides: [0, 1, 0] };
          const last = { ...noise([length], 8), shape: y.shape, strides: [0, 0, 1] };
          for (const [a, b] of [
            [y, channel],
            [channel, y],
            [y, last],
            [last, channel],
            [permuted(noise([4, 3, length], 9), [1, 0, 2]), y],
          ] as const) {
            const [expected, actual] = [empty(y.shape, dtype), empty(y.shape, dtype)];
            referenceKernels.binary(op, a, b, expected);
            expect(binary(op, a, b, actual)).toBe(true);
            expect(actual.data).toEqual(expected.data);
          }
        }
      },
    );

    test("where chooses as the reference does, between tensors and numbers", () => {
      for (const size of [64, 1003, 10000]) {
        const condition = empty([size], bool);
        for (let i = 0; i < size; i++) condition.data[i] = Number((i * 7919) % 13 < 6);
        const [a, b] = [noise([size], 1), noise([size], 2)];
        a.data[5] = NaN;
        const one = { ...tensor([0.5], [1]), shape: [size], strides: [0] };
        for (const [left, right] of [
          [a, b],
          [one, b],
          [a, one],
        ] as const) {
          const [expected, actual] = [empty([size]), empty([size])];
          referenceKernels.where(condition, left, right, expected);
          expect(where(condition, left, right, actual)).toBe(true);
          expect(actual.data).toEqual(expected.data);
        }
      }
      expect(where(empty([10], bool), noise([10]), noise([10]), empty([10]))).toBe(false);
    });

    test("squares give the bits of the reference's power, and other powers are left to it", () => {
      const number = (value: number) => ({ ...tensor([value], [1]), shape: x.shape, strides: [0, 0] });
      const [expected, actual] = [empty(x.shape), empty(x.shape)];
      referenceKernels.binary("pow", x, number(2), expected);
      expect(binary("pow", x, number(2), actual)).toBe(true);
      expect(actual.data).toEqual(expected.data);
      expect(binary("pow", x, number(3), actual)).toBe(false);
      expect(binary("pow", x, x, actual)).toBe(false);
    });

    test.each([
      [
        [40, 30],
        [1, 0],
      ],
      [
        [33, 127],
        [1, 0],
      ],
      [
        [1, 2000, 3],
        [0, 2, 1],
      ],
      [
        [5, 17, 63],
        [0, 2, 1],
      ],
      [
        [2, 3, 16, 16],
        [0, 2, 3, 1],
      ],
      [
        [600, 5, 3],
        [0, 2, 1],
      ],
    ])("%o with its axes as %o is copied as the reference copies it", (shape, axes) => {
      const turned = permuted(noise(shape, 3), axes);
      const shifted = { ...turned, data: Float32Array.from([9, ...turned.data]), offset: 1 };
      for (const source of [turned, shifted]) {
        const [expected, actual] = [empty(turned.shape), empty(turned.shape)];
        referenceKernels.copy(source, expected);
        expect(copy(source, actual)).toBe(true);
        expect(actual.data).toEqual(expected.data);
      }
    });

    test("copies that exchange no rows and columns are left to the reference", () => {
      expect(copy(noise([30, 40]), empty([30, 40]))).toBe(false);
      expect(copy(permuted(noise([10, 20, 30], 1), [2, 1, 0]), empty([30, 20, 10]))).toBe(false);
      expect(copy(permuted(noise([5, 4]), [1, 0]), empty([4, 5]))).toBe(false);
    });

    test("what is written in place comes out right", () => {
      const y = noise([5000], 7);
      const expected = Array.from(y.data, (value) => Math.fround(value + value));
      expect(binary("add", y, y, y)).toBe(true);
      expect(Array.from(y.data)).toEqual(expected);
    });

    test("few elements are left to the reference", () => {
      expect(binary("add", noise([10]), noise([10]), empty([10]))).toBe(false);
      expect(unary("exp", permuted(noise([5, 10]), [1, 0]), empty([10, 5]))).toBe(false);
    });

    test("sums of long rows agree with the reference", () => {
      for (const size of [512, 1023, 4097, 10001]) {
        const rows = noise([3, size], 8);
        const [expected, actual] = [empty([3]), empty([3])];
        referenceKernels.reduce("sum", rows, expected);
        expect(reduce("sum", rows, actual)).toBe(true);
        expect(relativeError(actual, expected)).toBeLessThan(1e-7);
      }
    });

    test.each([
      [5, 64, 100],
      [3, 9, 4100],
      [33, 300, 1],
      [7, 200, 3],
      [5000, 3, 1],
    ])("sums of %i channels in %i images of %i pixels agree with the reference", (channels, images, pixels) => {
      const x = permuted(noise([images, channels, pixels], 9), [1, 0, 2]);
      const [expected, actual] = [empty([channels]), empty([channels])];
      referenceKernels.reduce("sum", x, expected);
      expect(expected.data[channels - 1]).toBeCloseTo(
        Array.from({ length: images * pixels }, (_, i) => {
          const image = Math.floor(i / pixels);
          return x.data[(image * channels + channels - 1) * pixels + (i % pixels)]!;
        }).reduce((a, b) => a + b),
        4,
      );
      expect(reduce("sum", x, actual)).toBe(true);
      expect(relativeError(actual, expected)).toBeLessThan(1e-7);
    });
  });

  test(`a call that needed much memory leaves the next one right (${variant})`, () => {
    const a = noise([1, 4000, 3000], 1);
    const b = noise([1, 3000, 8], 2);
    expect(matmul(a, b, empty([1, 4000, 8]))).toBe(true);
    const out = empty([1, 1, 1]);
    expect(matmul(tensor([3], [1, 1, 1]), tensor([4], [1, 1, 1], float32), out)).toBe(true);
    expect(out.data[0]).toBe(12);
  });
}
