/** Formulas: the digits of single operations, whichever backend runs them, in place as well, at every size. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Algebra, type Formula, formula } from "../../../engine/backends/formula.ts";
import { referenceKernels } from "../../../engine/backends/reference/index.ts";
import { compileWasm, createWasmBackend, type WasmVariant, wasmFileName } from "../../../engine/backends/wasm/index.ts";
import { float64 } from "../../../engine/core/dtype.ts";
import { empty, noise, permuted, tensor } from "./views.ts";

const SIZES = [0, 1, 15, 16, 63, 100, 2048, 2049, 5000];

function gate<T>(m: Algebra<T>, a: T, b: T, scale: T): T[] {
  const sum = m.add(m.mul(a, scale), b);
  const kept = m.where(m.gt(sum, 0.25), m.sub(1, sum), m.where(m.le(a, b), m.neg(b), 0.5));
  return [m.div(kept, m.add(m.square(a), 1)), sum, m.maximum(m.mul(kept, sum), -0.1)];
}

const three = formula(2, 1, (m, [a, b], [scale]) => gate(m, a!, b!, scale!));

/** The same numbers by JavaScript's own arithmetic, rounded after each step. */
function expected(a: number, b: number): number[] {
  const f = Math.fround;
  const sum = f(f(a * f(0.3)) + b);
  const kept = sum > 0.25 ? f(1 - sum) : a <= b ? -b : 0.5;
  return [f(kept / f(f(a * a) + 1)), sum, Math.max(f(kept * sum), f(-0.1))];
}

test("a register is used again once nothing reads it any more, and a choice spares its condition", () => {
  expect(three.registers).toBeLessThan(three.inputs + three.numbers + three.constants.length + three.steps.length);
  for (const { op, from, to } of three.steps) if (op === "where") expect(to).not.toBe(from[0]);
  expect(new Set(three.results).size).toBe(3);
});

test("the reference rounds after each step", () => {
  const [a, b] = [noise([50], 1), noise([50], 2)];
  const outs = [empty([50]), empty([50]), empty([50])];
  referenceKernels.formula(three, [0.3], [a, b], outs);
  for (let i = 0; i < 50; i++) {
    expect(outs.map(({ data }) => data[i])).toEqual(expected(a.data[i]!, b.data[i]!));
  }
});

test("a formula of doubles is computed in doubles", () => {
  const [a, out] = [noise([20], 1, float64), empty([20], float64)];
  const third = formula(1, 0, (m, [x]) => m.div(m.exp(x!), 3));
  referenceKernels.formula(third, [], [a], [out]);
  expect(Array.from(out.data)).toEqual(Array.from(a.data, (x) => Math.exp(x) / 3));
});

for (const variant of ["relaxed", "simd"] as const satisfies WasmVariant[]) {
  const file = new URL(`../../../engine/backends/wasm/build/${wasmFileName(variant)}`, import.meta.url);
  const { kernels } = createWasmBackend(await compileWasm(variant, readFileSync(file)));
  const attempt = (...args: Parameters<typeof referenceKernels.formula>) => kernels.formula!(...args);

  describe(`formulas (${variant})`, () => {
    test.each(SIZES)("%i elements give the reference's bits", (size) => {
      const row = tensor([0.4], [1]);
      for (const [a, b] of [
        [noise([size], 1), noise([size], 2)],
        [noise([size], 1), { ...row, shape: [size], strides: [0] }],
        [{ ...noise([2 * size], 3), shape: [size], strides: [2] }, noise([size], 4)],
      ] as const) {
        const [wanted, found] = [three, three].map(() => [empty([size]), empty([size]), empty([size])] as const);
        referenceKernels.formula(three, [0.3], [a, b], wanted!);
        expect(attempt(three, [0.3], [a, b], found!)).toBe(size >= 16);
        if (size >= 16) expect(found!.map(({ data }) => data)).toEqual(wanted!.map(({ data }) => data));
      }
    });

    test("a transposed operand is read as it is meant", () => {
      const a = permuted(noise([30, 40], 1), [1, 0]);
      const b = noise([40, 30], 2);
      const sum: Formula = formula(2, 0, (m, [x, y]) => m.add(x!, y!));
      const [wanted, found] = [empty([40, 30]), empty([40, 30])];
      referenceKernels.binary("add", a, b, wanted);
      expect(attempt(sum, [], [a, b], [found])).toBe(true);
      expect(found.data).toEqual(wanted.data);
    });

    test("what is an input and an output changes in place", () => {
      const moved = formula(2, 1, (m, [x, v], [rate]) => {
        const velocity = m.add(m.mul(v!, 0.9), x!);
        return [m.sub(x!, m.mul(velocity, rate!)), velocity];
      });
      const [x, v] = [noise([3000], 1), noise([3000], 2)];
      const [wantedX, wantedV] = [empty([3000]), empty([3000])];
      referenceKernels.formula(moved, [0.1], [x, v], [wantedX, wantedV]);
      expect(attempt(moved, [0.1], [x, v], [x, v])).toBe(true);
      expect(x.data).toEqual(wantedX.data);
      expect(v.data).toEqual(wantedV.data);
    });

    test("steps without a fast form and other dtypes are left to the reference", () => {
      const steep = formula(1, 0, (m, [x]) => m.add(x!, x!));
      const doubles = noise([64], 1, float64);
      expect(attempt(steep, [], [doubles], [empty([64], float64)])).toBe(false);
      const unknown: Formula = { ...steep, steps: [{ op: "atan2", from: [0, 0], to: steep.results[0]! }] };
      expect(attempt(unknown, [], [noise([64])], [empty([64])])).toBe(false);
    });
  });
}
