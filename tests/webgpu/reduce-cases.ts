import type { ReduceOp, View } from "../../engine/backends/backend.ts";
import { bool, type DType, float32, float64, int32, int64, uint8 } from "../../engine/core/dtype.ts";
import { dense, type KernelCase, kernelCase, Numbers, out } from "./kernel-cases.ts";

const OPS: readonly ReduceOp[] = [
  "sum",
  "sum_abs",
  "sum_squares",
  "prod",
  "amax",
  "amin",
  "any",
  "all",
  "argmax",
  "argmin",
];
const WHOLE: readonly ReduceOp[] = ["sum", "amax", "amin", "any", "all", "argmax", "argmin"];

function resultOf(op: ReduceOp, dtype: DType): DType {
  if (op === "any" || op === "all") return bool;
  return op === "argmax" || op === "argmin" ? int64 : dtype;
}

/** Axes of a dense tensor, those in `reduced` last. */
function turned(x: View, reduced: readonly number[]): View {
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !reduced.includes(axis));
  const order = [...kept, ...reduced];
  return { ...x, shape: order.map((axis) => x.shape[axis]!), strides: order.map((axis) => x.strides[axis]!) };
}

function reduction(op: ReduceOp, x: View, reduced: readonly number[], title: string): KernelCase {
  const shape = x.shape.filter((_, axis) => !reduced.includes(axis));
  const result = out(shape, resultOf(op, x.dtype));
  const tolerance = x.dtype !== float32 ? 0 : op === "prod" ? 1e-5 : op.startsWith("sum") ? 2e-6 : 0;
  const what = `${op} of [${x.shape}] over ${reduced}, ${title}`;
  return kernelCase(what, "reduce", [op, turned(x, reduced), result], { tolerance });
}

const SHAPES: readonly [shape: number[], reduced: number[]][] = [
  ...[1, 3, 10, 63, 64, 127, 1000, 5000].map((n): [number[], number[]] => [[n], [0]]),
  ...[1, 3, 10, 63, 127, 700].map((n): [number[], number[]] => [[5, n], [1]]),
  ...[1, 3, 10, 63, 127, 700].map((n): [number[], number[]] => [[n, 5], [0]]),
  [[700, 40], [0]],
  [[9000, 3], [1]],
  [[3, 9000], [1]],
  [[300, 300], [0]],
  [[300, 300], [1]],
  [
    [4, 6, 5, 7],
    [0, 2, 3],
  ],
  [
    [16, 3, 20, 20],
    [0, 2, 3],
  ],
  [
    [100, 70, 2],
    [0, 2],
  ],
  [
    [3, 5, 4, 6, 3],
    [0, 2, 4],
  ],
  [
    [8, 5, 9, 6, 7],
    [0, 2, 4],
  ],
  [[4, 100, 9], [1]],
  [[], []],
  [[6, 4], []],
  [[0, 4], [1]],
];

export function reduceCases(): KernelCase[] {
  const cases: KernelCase[] = [];
  const numbers = new Numbers(61);
  for (const [shape, reduced] of SHAPES) {
    for (const op of OPS) {
      // A product of many stays what numbers are only where they are about 1.
      const range = op === "prod" ? { from: 0.98, to: 1.02 } : {};
      cases.push(reduction(op, numbers.view(shape, range), reduced, "float32"));
    }
  }
  for (const dtype of [int64, int32, uint8, bool]) {
    const range = { dtype, from: dtype === bool || dtype === uint8 ? 0 : -50, to: dtype === bool ? 2 : 50 };
    for (const shape of [[63], [5, 127], [4000, 3]]) {
      for (const op of WHOLE) {
        if (op === "sum" && dtype === bool) continue;
        cases.push(reduction(op, numbers.view(shape, range), [0], dtype.name));
      }
    }
  }
  cases.push(...special(), ...exact(), ...large());
  return cases;
}

/** NaN wins, the first of equals, infinities and zeros of both signs. */
function special(): KernelCase[] {
  const cases: KernelCase[] = [];
  const rows: readonly (readonly number[])[] = [
    [1, NaN, 3, NaN],
    [-0, 0, -0, 0],
    [0, -0, 0, -0],
    [-Infinity, -Infinity, -Infinity, -Infinity],
    [Infinity, 1, Infinity, -Infinity],
    [NaN, Infinity, -Infinity, 0],
    [-3, -1, -1, -3],
    [2, 2, 1, 1],
    [0, 0, 0, NaN],
    [0, 0, 0, 1e-30],
  ];
  for (const op of OPS) {
    for (const row of rows) {
      for (const repeats of [1, 300]) {
        const x = dense([4 * repeats], float32, (i) => row[Math.floor(i / repeats)]!);
        // Which zero is greater depends on the order in which they meet.
        const mixed = (op === "amax" || op === "amin") && row.includes(-0) && row.every((value) => value === 0);
        if (!mixed) cases.push(reduction(op, x, [0], `[${row}]`));
      }
    }
  }
  return cases;
}

function exact(): KernelCase[] {
  const big = dense([3], int64, () => 1_000_000_000);
  const wrapping = dense([3], int32, () => 1_000_000_000);
  const none = (dtype: DType) => ({ ...dense([1], dtype, () => 0), shape: [4, 0], strides: [0, 1] });
  return [
    kernelCase("sum beyond 32 bits", "reduce", ["sum", big, out([], int64)], { declined: true }),
    kernelCase("sum of int32 wraps", "reduce", ["sum", wrapping, out([], int32)]),
    kernelCase("prod of integers", "reduce", ["prod", dense([9], int64, (i) => 1 + (i % 3)), out([], int64)]),
    kernelCase("prod beyond 32 bits", "reduce", ["prod", big, out([], int64)], { declined: true }),
    kernelCase("sum of doubles", "reduce", ["sum", dense([3], float64, () => 1), out([], float64)], { declined: true }),
    kernelCase("sum of nothing", "reduce", ["sum", none(float32), out([4])]),
    kernelCase("prod of nothing", "reduce", ["prod", none(float32), out([4])]),
    kernelCase("all of nothing", "reduce", ["all", none(bool), out([4], bool)]),
    kernelCase("any of nothing", "reduce", ["any", none(bool), out([4], bool)]),
  ];
}

function large(): KernelCase[] {
  // Sums whose terms do not cancel: float32 keeps their digits.
  const x = new Numbers(71).view([1_000_003], { from: -0.1 });
  const y = new Numbers(72).view([200_001, 5], { from: -0.1 });
  const repeated = { ...new Numbers(73).view([40]), shape: [40, 300], strides: [1, 0] };
  const part = { ...x, shape: [30, 1000], strides: [2001, 2], offset: 77 };
  const inMiddle = { ...out([200]), shape: [30], strides: [1], offset: 9 };
  return [
    ...OPS.filter((op) => op !== "prod").flatMap((op) => [
      reduction(op, x, [0], "long"),
      reduction(op, y, [0], "high"),
      reduction(op, y, [0, 1], "all"),
    ]),
    kernelCase("sum of repeated numbers", "reduce", ["sum", repeated, out([40])], { tolerance: 2e-6 }),
    kernelCase("sum of a part, into the middle", "reduce", ["sum", part, inMiddle], { tolerance: 2e-6 }),
  ];
}
