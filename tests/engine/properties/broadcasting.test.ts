/**
 * Broadcasting of everything that takes several tensors, against loops over single numbers: values, shapes, gradients
 * summed over what was repeated, and the message where shapes do not go together.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as torch from "../../../engine/torch.ts";

interface Operation {
  run(...x: torch.Tensor[]): torch.Tensor;
  /** The value for single numbers, and its slopes; absent where there is no gradient. */
  value(...x: number[]): number | boolean;
  slopes?(...x: number[]): number[];
  /** How many tensors it takes. Default 2. */
  arity?: number;
}

const boolean = (test: (a: number, b: number) => boolean, name: string): Operation => ({
  run: (a, b) => (Reflect.get(torch, name) as (a: unknown, b: unknown) => torch.Tensor)(a, b),
  value: test as (...x: number[]) => boolean,
});

const OPERATIONS: Record<string, Operation> = {
  add: { run: (a, b) => a!.add(b!), value: (a, b) => a! + b!, slopes: () => [1, 1] },
  "add with alpha": {
    run: (a, b) => torch.add(a!, b!, { alpha: 3 }),
    value: (a, b) => a! + 3 * b!,
    slopes: () => [1, 3],
  },
  sub: { run: (a, b) => a!.sub(b!), value: (a, b) => a! - b!, slopes: () => [1, -1] },
  rsub: { run: (a, b) => torch.rsub(a!, b!), value: (a, b) => b! - a!, slopes: () => [-1, 1] },
  mul: { run: (a, b) => a!.mul(b!), value: (a, b) => a! * b!, slopes: (a, b) => [b!, a!] },
  div: { run: (a, b) => a!.div(b!), value: (a, b) => a! / b!, slopes: (a, b) => [1 / b!, -a! / b! / b!] },
  pow: {
    run: (a, b) => a!.pow(b!),
    value: (a, b) => a! ** b!,
    slopes: (a, b) => [b! * a! ** (b! - 1), a! ** b! * Math.log(a!)],
  },
  floorDivide: { run: (a, b) => torch.floorDivide(a!, b!), value: (a, b) => Math.floor(a! / b!) },
  remainder: {
    run: (a, b) => torch.remainder(a!, b!),
    value: (a, b) => a! - b! * Math.floor(a! / b!),
    slopes: (a, b) => [1, -Math.floor(a! / b!)],
  },
  fmod: {
    run: (a, b) => torch.fmod(a!, b!),
    value: (a, b) => a! % b!,
    slopes: (a, b) => [1, -Math.trunc(a! / b!)],
  },
  maximum: {
    run: (a, b) => torch.maximum(a!, b!),
    value: (a, b) => Math.max(a!, b!),
    slopes: (a, b) => (a === b ? [0.5, 0.5] : [Number(a! > b!), Number(b! > a!)]),
  },
  minimum: {
    run: (a, b) => torch.minimum(a!, b!),
    value: (a, b) => Math.min(a!, b!),
    slopes: (a, b) => (a === b ? [0.5, 0.5] : [Number(a! < b!), Number(b! < a!)]),
  },
  hypot: {
    run: (a, b) => torch.hypot(a!, b!),
    value: (a, b) => Math.hypot(a!, b!),
    slopes: (a, b) => [a! / Math.hypot(a!, b!), b! / Math.hypot(a!, b!)],
  },
  where: {
    run: (a, b) => torch.where(a!.detach().gt(1), a!, b!),
    value: (a, b) => (a! > 1 ? a! : b!),
    slopes: (a) => [Number(a! > 1), Number(!(a! > 1))],
  },
  "where with a condition of its own shape": {
    arity: 3,
    run: (c, a, b) => torch.where(c!.detach().gt(1), a!, b!),
    value: (c, a, b) => (c! > 1 ? a! : b!),
    slopes: (c) => [0, Number(c! > 1), Number(!(c! > 1))],
  },
  "clamp between two tensors": {
    arity: 3,
    run: (x, low, high) => x!.clamp(low!, high!),
    value: (x, low, high) => Math.min(Math.max(x!, low!), high!),
    slopes: (x, low, high) => [
      Number(x! >= low! && x! <= high!),
      Number(low! < high! && x! < low!),
      Number(x! > high! || high! < low!),
    ],
  },
  eq: boolean((a, b) => a === b, "eq"),
  ne: boolean((a, b) => a !== b, "ne"),
  lt: boolean((a, b) => a < b, "lt"),
  le: boolean((a, b) => a <= b, "le"),
  gt: boolean((a, b) => a > b, "gt"),
  ge: boolean((a, b) => a >= b, "ge"),
  logicalAnd: boolean((a, b) => a !== 0 && b !== 0, "logicalAnd"),
  logicalOr: boolean((a, b) => a !== 0 || b !== 0, "logicalOr"),
  logicalXor: boolean((a, b) => (a !== 0) !== (b !== 0), "logicalXor"),
};

const size = fc.integer({ min: 0, max: 3 });

/** A shape, and for each of `arity` tensors which of its axes are there and which of those are 1. */
function shapes(arity: number) {
  const axes = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 4 });
  const kept = fc.array(fc.boolean(), { minLength: 4, maxLength: 4 });
  const part = fc.record({ lacking: fc.nat(4), kept });
  return fc
    .noBias(fc.record({ axes, parts: fc.array(part, { minLength: arity, maxLength: arity }) }))
    .map(({ axes: full, parts }) =>
      parts.map(({ lacking, kept: keeps }) => {
        const own = full.slice(Math.min(lacking, full.length));
        return own.map((n, i) => (keeps[i] ? n : 1));
      }),
    );
}

/** NumPy's rule, from the last axis on; null where it forbids. */
function together(list: readonly (readonly number[])[]): number[] | null {
  const ndim = Math.max(...list.map((shape) => shape.length));
  const out: number[] = [];
  for (let i = 1; i <= ndim; i++) {
    const sizes = list.map((shape) => shape.at(-i) ?? 1).filter((n) => n !== 1);
    if (new Set(sizes).size > 1) return null;
    out.unshift(sizes[0] ?? 1);
  }
  return out;
}

function indices(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (rows, n) => rows.flatMap((row) => Array.from({ length: n }, (_, i) => [...row, i])),
    [[]],
  );
}

/** Where an element of the whole comes from in a tensor of `shape`. */
function position(shape: readonly number[], index: readonly number[]): number {
  const own = index.slice(index.length - shape.length);
  return own.reduce((flat, at, axis) => flat * shape[axis]! + (shape[axis] === 1 ? 0 : at), 0);
}

/** Positive numbers, some of them equal to each other, dense or turned round. */
function operand(shape: readonly number[], seed: number): torch.Tensor {
  const values = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => 0.5 + ((seed * 7 + i * 5) % 9) / 4);
  const x = torch.tensor(values, { dtype: torch.float64 }).reshape([...shape]);
  return (seed % 2 === 0 ? x : x.T.clone().T).detach().requiresGrad_();
}

describe("broadcasting", () => {
  it.each(Object.entries(OPERATIONS))("%s goes number by number", (name, operation) => {
    const { arity = 2 } = operation;
    fc.assert(
      fc.property(shapes(arity), fc.nat(50), (given, seed) => {
        const inputs = given.map((shape, i) => operand(shape, seed + i));
        const numbers = inputs.map((x) => Array.from(x.denseData()));
        const shape = together(given)!;
        const out = operation.run(...inputs);
        const told = `${name} of ${JSON.stringify(given)}`;
        expect([...out.shape], told).toEqual(shape);
        const at = indices(shape);
        const picked = at.map((index) => given.map((own, k) => numbers[k]![position(own, index)]!));
        const expected = picked.map((values) => Number(operation.value(...values)));
        expectClose(out.denseData(), expected, told);

        if (!operation.slopes) return;
        const weights = at.map((_, i) => ((i * 3) % 5) + 1);
        out.backward(torch.tensor(weights, { dtype: torch.float64 }).reshape(shape));
        const gradients = numbers.map((list) => list.map(() => 0));
        at.forEach((index, i) => {
          const slopes = operation.slopes!(...picked[i]!);
          given.forEach((own, k) => {
            gradients[k]![position(own, index)]! += weights[i]! * slopes[k]!;
          });
        });
        inputs.forEach((x, k) => {
          const found = x.grad ?? torch.zerosLike(x);
          expect([...found.shape], told).toEqual(given[k]);
          expectClose(found.denseData(), gradients[k]!, `${told}: gradient ${k}`);
        });
      }),
      { seed: 3, numRuns: 80 },
    );
  });

  it("is refused, in PyTorch's words, where two sizes differ and neither is 1", () => {
    let refused = 0;
    fc.assert(
      fc.property(fc.array(size, { maxLength: 3 }), fc.array(size, { maxLength: 3 }), (a, b) => {
        const run = () => torch.ones(a).add(torch.ones(b));
        const shape = together([a, b]);
        if (shape) {
          expect([...run().shape]).toEqual(shape);
          return;
        }
        refused++;
        const ndim = Math.max(a.length, b.length);
        // The last axis that does not fit is the one that is told.
        let axis = ndim - 1;
        const at = (s: readonly number[]) => s[axis - ndim + s.length] ?? 1;
        while (at(a) === at(b) || at(a) === 1 || at(b) === 1) axis--;
        expect(run).toThrow(
          `The size of tensor a (${at(a)}) must match the size of tensor b (${at(b)}) at non-singleton dimension ${axis}`,
        );
      }),
      { seed: 4, numRuns: 400 },
    );
    expect(refused).toBeGreaterThan(50);
  });

  it("gives one number's gradient back to it as a sum", () => {
    const x = torch.tensor(2, { dtype: torch.float64, requiresGrad: true });
    torch.ones([3, 4], { dtype: torch.float64 }).mul(x).sum().backward();
    expect(x.grad!.item()).toBe(12);
  });
});

function expectClose(actual: ArrayLike<number>, expected: readonly number[], told: string): void {
  expect(actual.length, told).toBe(expected.length);
  expected.forEach((wanted, i) => {
    expect(Math.abs(actual[i]! - wanted), `${told}: element ${i} is ${actual[i]}, not ${wanted}`).toBeLessThanOrEqual(
      1e-12 * Math.max(1, Math.abs(wanted)),
    );
  });
}
