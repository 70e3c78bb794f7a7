/** Normalisation, its gradients and moments in both builds, against the reference and against numbers in double. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { View } from "../../../engine/backends/backend.ts";
import { referenceKernels } from "../../../engine/backends/reference/index.ts";
import { compileWasm, createWasmBackend, type WasmVariant, wasmFileName } from "../../../engine/backends/wasm/index.ts";
import { float64 } from "../../../engine/core/dtype.ts";
import { empty, noise, permuted, relativeError, rowMajor, tensor } from "./views.ts";

async function started(variant: WasmVariant) {
  const file = new URL(`../../../engine/backends/wasm/build/${wasmFileName(variant)}`, import.meta.url);
  return createWasmBackend(await compileWasm(variant, readFileSync(file))).kernels;
}

const builds = { relaxed: await started("relaxed"), simd: await started("simd") };

type Four = readonly [number, number, number, number];

interface Case {
  shape: Four;
  strides: Four;
  affine: Four;
}

const batch = (n: number, c: number, m: number): Case => ({
  shape: [1, c, n, m],
  strides: [0, m, c * m, 1],
  affine: [0, 1, 0, 0],
});
const layer = (rows: number, n: number): Case => ({
  shape: [1, rows, 1, n],
  strides: [0, n, 0, 1],
  affine: [0, 0, 0, 1],
});
const group = (n: number, groups: number, c: number, m: number): Case => ({
  shape: [n, groups, c, m],
  strides: [groups * c * m, c * m, m, 1],
  affine: [0, c, 1, 0],
});

const CASES: Record<string, Case> = {
  "a batch of features": batch(63, 10, 1),
  "a large batch of features": batch(127, 129, 1),
  "a batch of short rows": batch(10, 3, 7),
  "a batch of small pictures": batch(10, 63, 9),
  "a batch of pictures": batch(3, 10, 127),
  "a batch of large pictures": batch(8, 3, 1024),
  "pictures whose channels lie side by side": {
    shape: [1, 10, 3, 63],
    strides: [0, 1, 630, 10],
    affine: [0, 1, 0, 0],
  },
  "a layer of one": layer(127, 1),
  "a layer of three": layer(63, 3),
  "a layer of ten": layer(127, 10),
  "a layer of 63": layer(10, 63),
  "a layer of 127": layer(300, 127),
  "a long layer": layer(3, 20_001),
  "groups of channels": group(3, 2, 3, 63),
  "groups of channels of large pictures": group(2, 3, 4, 257),
  "groups of channels of small pictures": group(10, 2, 5, 9),
};

const sizeOf = ({ shape }: Case) => shape.reduce((a, b) => a * b, 1);
const affineSize = ({ shape, affine }: Case) => shape.reduce((end, n, d) => end + (n - 1) * affine[d]!, 1);
const asGiven = (x: View, { shape, strides }: Case): View => ({ ...x, shape, strides });
const asAffine = (x: View, { shape, affine }: Case): View => ({ ...x, shape, strides: affine });

/** The greatest distance: of means of numbers up to 1, which may be 0 themselves. */
function farthest(actual: View, expected: View): number {
  return Math.max(...Array.from(expected.data, (value, i) => Math.abs(value - actual.data[i]!)));
}

/** Results and gradients agree with those of the reference. */
function expectAlike(actual: Passes, expected: Passes): void {
  expect(actual.served).toEqual([true, true]);
  for (const [name, wanted] of Object.entries(expected.found)) {
    const found = actual.found[name as "out"];
    if (name === "mean") expect(farthest(found, wanted), name).toBeLessThan(6e-8);
    else expect(relativeError(found, wanted), name).toBeLessThan(2e-6);
  }
}

/** What a forward and a backward pass of one backend leave. */
function passes(kernels: typeof builds.simd, t: Case, x: View, given: boolean, withAffine: boolean) {
  const groups = t.shape[0] * t.shape[1];
  const [weight, bias] = [2, 3].map((seed) => (withAffine ? asAffine(noise([affineSize(t)], seed), t) : null));
  const [out, gradInput] = [empty([sizeOf(t)]), empty([sizeOf(t)])];
  const [mean, variance] = given ? [noise([groups], 4), noise([groups], 5)] : [empty([groups]), empty([groups])];
  if (given) for (let i = 0; i < groups; i++) variance.data[i] = 1 + variance.data[i]! ** 2;
  const [gradWeight, gradBias] = [empty([affineSize(t)]), empty([affineSize(t)])];
  const view = asGiven(x, t);
  const served = [
    kernels.normalize!(view, weight!, bias!, 1e-5, given, asGiven(out, t), mean, variance),
    kernels.normalizeGrad!(
      asGiven(noise([sizeOf(t)], 6), t),
      view,
      mean,
      variance,
      weight!,
      1e-5,
      given,
      asGiven(gradInput, t),
      withAffine ? asAffine(gradWeight, t) : null,
      withAffine ? asAffine(gradBias, t) : null,
    ),
  ];
  return { served, found: { out, mean, variance, gradInput, gradWeight, gradBias } };
}

type Passes = ReturnType<typeof passes>;

const asKernels = referenceKernels as unknown as typeof builds.simd;

describe.each(Object.entries(builds))("normalisation (%s)", (_, kernels) => {
  describe.each([true, false])("with factors: %s", (withAffine) => {
    test.each(Object.entries(CASES))("%s, by its own moments", (_name, t) => {
      const x = noise([sizeOf(t)], 1);
      const [actual, expected] = [kernels, asKernels].map((one) => passes(one, t, x, false, withAffine));
      expectAlike(actual!, expected!);
    });

    test.each(Object.entries(CASES).filter(([name]) => name.includes("batch") || name.includes("side by side")))(
      "%s, by moments that are given",
      (_name, t) => {
        const x = noise([sizeOf(t)], 1);
        const [actual, expected] = [kernels, asKernels].map((one) => passes(one, t, x, true, withAffine));
        expectAlike(actual!, expected!);
      },
    );
  });

  test.each(Object.entries(CASES))("%s, far from 0 and close together, keeps the digits of its spread", (_name, t) => {
    // 10000 and 256 steps of a thousandth: steps that floats of this size have.
    const x = noise([sizeOf(t)], 1);
    for (let i = 0; i < x.data.length; i++) x.data[i] = 10_000 + Math.round(256 * x.data[i]!) / 1024;
    const exact = { ...x, data: Float64Array.from(x.data), dtype: float64 };
    const groups = t.shape[0] * t.shape[1];
    const [mean, variance, out] = [empty([groups]), empty([groups]), empty([sizeOf(t)])];
    const [m, v, y] = [empty([groups], float64), empty([groups], float64), empty([sizeOf(t)], float64)];
    expect(kernels.normalize!(asGiven(x, t), null, null, 1e-5, false, asGiven(out, t), mean, variance)).toBe(true);
    referenceKernels.normalize(asGiven(exact, t), null, null, 1e-5, false, asGiven(y, t), m, v);
    expect(relativeError(out, y)).toBeLessThan(1e-6);
    expect(relativeError(mean, m)).toBeLessThan(1e-7);
    expect(relativeError(variance, v)).toBeLessThan(1e-6);
  });

  test.each([
    [1, 1000],
    [127, 3],
    [10, 63],
    [3, 127],
    [300, 129],
  ])("moments of %i rows and columns of %i", (rows, n) => {
    for (const x of [noise([rows, n], 3), permuted(noise([n, rows], 3), [1, 0])]) {
      const exact = { ...x, data: Float64Array.from(x.data), dtype: float64 };
      const [mean, variance, m, v] = [empty([rows]), empty([rows]), empty([rows], float64), empty([rows], float64)];
      expect(kernels.moments!(x, n - 1, mean, variance)).toBe(true);
      referenceKernels.moments(exact, n - 1, m, v);
      expect(farthest(mean, m)).toBeLessThan(6e-8);
      expect(relativeError(variance, v)).toBeLessThan(2e-7);
    }
  });

  test.each([
    [3, 10, 63],
    [10, 127, 3],
    [2, 63, 127],
  ])("moments of the columns of %i matrices [%i, %i]", (outer, n, width) => {
    const x = permuted(noise([outer, n, width], 3), [0, 2, 1]);
    const [mean, variance, m, v] = [1, 2, 3, 4].map(() => empty([outer, width])) as [View, View, View, View];
    expect(kernels.moments!(x, n, mean, variance)).toBe(true);
    referenceKernels.moments(x, n, m, v);
    expect(farthest(mean, m)).toBeLessThan(6e-8);
    expect(relativeError(variance, v)).toBeLessThan(2e-7);
  });

  test("only the gradients that are wanted are written", () => {
    const t = batch(4, 3, 100);
    const x = noise([sizeOf(t)], 1);
    const [mean, variance] = [empty([3]), tensor([1, 1, 1], [3])];
    const [weight, gradBias] = [asAffine(noise([3], 2), t), asAffine(empty([3]), t)];
    const grad = asGiven(noise([sizeOf(t)], 6), t);
    expect(kernels.normalizeGrad!(grad, asGiven(x, t), mean, variance, weight, 0, false, null, null, gradBias)).toBe(
      true,
    );
    const wanted = asAffine(empty([3]), t);
    referenceKernels.normalizeGrad(grad, asGiven(x, t), mean, variance, weight, 0, false, null, null, wanted);
    expect(relativeError({ ...gradBias, shape: [3], strides: rowMajor([3]) }, wanted)).toBeLessThan(1e-6);
  });

  test("an infinity or a NaN spoils its own group alone", () => {
    const t = layer(20, 33);
    const x = noise([sizeOf(t)], 1);
    x.data[40] = Number.POSITIVE_INFINITY;
    x.data[100] = Number.NaN;
    const { found } = passes(kernels, t, x, false, true);
    const rows = Array.from({ length: 20 }, (_v, r) =>
      found.out.data.subarray(33 * r, 33 * (r + 1)).some(Number.isNaN),
    );
    expect(rows).toEqual(Array.from({ length: 20 }, (_v, r) => r === 1 || r === 3));
  });
});
