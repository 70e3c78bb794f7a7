import type { BinaryOp, UnaryOp, View } from "../../engine/backends/backend.ts";
import { formula } from "../../engine/backends/formula.ts";
import { bool, type DType, float32, float64, int32, int64, uint8 } from "../../engine/core/dtype.ts";
import { dense, type KernelCase, kernelCase, laidOut, Numbers, out, SIZES } from "./kernel-cases.ts";

const INTEGERS = [int64, int32, uint8];

/** Where functions change: zeros, ties, ends of their domains, the largest and least numbers, NaN. */
const SPECIAL = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  2.5,
  -2.5,
  2,
  -2,
  3,
  0.25,
  NaN,
  Infinity,
  -Infinity,
  3.4e38,
  -3.4e38,
  1e-30,
  -1e-30,
  88,
  89,
  -88,
  -104,
  1e-7,
  -1e-7,
  0.3,
  -0.3,
  0.999999,
  1.000001,
  10,
  100,
  1000,
  8,
  1024,
  4,
  9,
  1e6,
  8191,
  8193,
  -12345.678,
  1e10,
  -3e20,
  16777217,
  0.1,
  5.5,
  -7.25,
  2 ** 31,
];

/** Functions of which WGSL promises the bit. */
const EXACT: ReadonlySet<string> = new Set([
  "neg",
  "abs",
  "sign",
  "relu",
  "floor",
  "ceil",
  "round",
  "trunc",
  "square",
  "logical_not",
  "isnan",
  "isinf",
  "isfinite",
  "add",
  "sub",
  "mul",
  "maximum",
  "minimum",
  "fmod",
  "eq",
  "ne",
  "lt",
  "le",
  "gt",
  "ge",
  "logical_and",
  "logical_or",
  "logical_xor",
]);

const UNARY: readonly UnaryOp[] = [
  "neg",
  "abs",
  "sign",
  "exp",
  "expm1",
  "log",
  "log2",
  "log10",
  "log1p",
  "sqrt",
  "rsqrt",
  "reciprocal",
  "sin",
  "cos",
  "tan",
  "asin",
  "acos",
  "atan",
  "sinh",
  "cosh",
  "tanh",
  "sigmoid",
  "relu",
  "erf",
  "floor",
  "ceil",
  "round",
  "trunc",
  "square",
  "logical_not",
  "isnan",
  "isinf",
  "isfinite",
];
const TESTS: ReadonlySet<UnaryOp> = new Set(["logical_not", "isnan", "isinf", "isfinite"]);
const ROUNDINGS: readonly UnaryOp[] = ["neg", "abs", "sign", "relu", "floor", "ceil", "round", "trunc", "square"];

const COMPARISONS: readonly BinaryOp[] = [
  "eq",
  "ne",
  "lt",
  "le",
  "gt",
  "ge",
  "logical_and",
  "logical_or",
  "logical_xor",
];
const FLOATING: readonly BinaryOp[] = [
  "add",
  "sub",
  "mul",
  "div",
  "floor_divide",
  "remainder",
  "fmod",
  "pow",
  "maximum",
  "minimum",
  "atan2",
];
const WHOLE: readonly BinaryOp[] = [
  "add",
  "sub",
  "mul",
  "maximum",
  "minimum",
  "bitwise_and",
  "bitwise_or",
  "bitwise_xor",
];
const DIVISIONS: readonly BinaryOp[] = ["div", "floor_divide", "remainder", "fmod"];

/** Numbers of all sizes: even exponents, both signs. */
function allSizes(n: number, seed = 5): View {
  const numbers = new Numbers(seed);
  return dense([n], float32, () => (numbers.next() < 0.5 ? -1 : 1) * 2 ** numbers.between(-30, 30));
}

const special = (): View => dense([SPECIAL.length], float32, (i) => SPECIAL[i]!);

/** Every special number with every other, as two views. */
function pairs(): [View, View] {
  const n = SPECIAL.length;
  const [a, b] = [special(), special()];
  return [
    { ...a, shape: [n, n], strides: [1, 0] },
    { ...b, shape: [n, n], strides: [0, 1] },
  ];
}

const closeness = (op: string) => (EXACT.has(op) ? {} : { relative: 2e-6 });

export function arithmeticCases(): KernelCase[] {
  return [...unaryCases(), ...binaryCases(), ...integerCases(), ...layoutCases(), ...whereCases(), ...formulaCases()];
}

function unaryCases(): KernelCase[] {
  const cases: KernelCase[] = [];
  for (const op of UNARY) {
    const dtype = TESTS.has(op) ? bool : float32;
    const inputs: [string, View][] = [
      ["special numbers", special()],
      ["small numbers", new Numbers(2).view([3000], { from: -4, to: 4 })],
      ["numbers near 0", new Numbers(4).view([1000], { from: -1e-3, to: 1e-3 })],
      ["numbers of all sizes", allSizes(5000)],
      ["numbers of one digit", new Numbers(6).view([3000], { from: -90, to: 90 })],
    ];
    for (const [title, x] of inputs) {
      cases.push(kernelCase(`${op} of ${title}`, "unary", [op, x, out(x.shape, dtype)], closeness(op)));
    }
  }
  for (const op of [...ROUNDINGS, ...TESTS]) {
    for (const dtype of INTEGERS) {
      const x = new Numbers(7).view([127], { dtype, from: dtype === uint8 ? 0 : -200, to: 256 });
      const result = TESTS.has(op) ? bool : dtype;
      cases.push(kernelCase(`${op} of ${dtype.name}`, "unary", [op, x, out([127], result)]));
    }
  }
  const whole = new Numbers(8).view([50], { dtype: int64, from: 1, to: 9 });
  cases.push(kernelCase("exp of integers", "unary", ["exp", whole, out([50])], closeness("exp")));
  const large = dense([3], int64, () => 50_000);
  cases.push(
    kernelCase("square beyond 32 bits", "unary", ["square", large, out([3], int64)], { declined: true }),
    kernelCase("square of int32 wraps", "unary", ["square", dense([3], int32, () => 50_001), out([3], int32)]),
    kernelCase("exp of doubles", "unary", ["exp", dense([3], float64, () => 1), out([3], float64)], { declined: true }),
  );
  return cases;
}

function binaryCases(): KernelCase[] {
  const cases: KernelCase[] = [];
  for (const op of [...FLOATING, ...COMPARISONS]) {
    const dtype = COMPARISONS.includes(op) ? bool : float32;
    const [a, b] = pairs();
    cases.push(kernelCase(`${op} of special numbers`, "binary", [op, a, b, out(a.shape, dtype)], closeness(op)));
    const [x, y] = [allSizes(5000, 11), allSizes(5000, 12)];
    // A remainder near its divisor may cancel to anything, and a power may overflow either way.
    const rest = op === "floor_divide" ? { relative: 4e-7 } : closeness(op);
    if (op !== "pow") cases.push(kernelCase(`${op} of all sizes`, "binary", [op, x, y, out([5000], dtype)], rest));
    const [left, right] = [new Numbers(13).view([3000]), new Numbers(14).view([3000], { from: -9, to: 9 })];
    cases.push(kernelCase(`${op} of small numbers`, "binary", [op, left, right, out([3000], dtype)], closeness(op)));
    const some = new Numbers(15).view([40, 3], { from: -6, to: 6 });
    for (const scalar of [0, 2, -3, 0.5, -0.5, 1.7, 30, NaN]) {
      const number = dense([], float32, () => scalar);
      const everywhere = { ...number, shape: [40, 3], strides: [0, 0] };
      const title = `${op} with ${scalar} of the CPU`;
      cases.push(
        kernelCase(title, "binary", [op, some, everywhere, out([40, 3], dtype)], { ...closeness(op), onCpu: [2] }),
        kernelCase(`${scalar} of the CPU, ${op}`, "binary", [op, everywhere, some, out([40, 3], dtype)], {
          ...closeness(op),
          onCpu: [1],
        }),
      );
    }
  }
  const base = new Numbers(16).view([4000], { from: 0.01, to: 30 });
  const exponent = new Numbers(17).view([4000], { from: -20, to: 20 });
  cases.push(kernelCase("pow of positive numbers", "binary", ["pow", base, exponent, out([4000])], { relative: 1e-5 }));
  return cases;
}

function integerCases(): KernelCase[] {
  const cases: KernelCase[] = [];
  for (const dtype of [...INTEGERS, bool] as DType[]) {
    const from = dtype === bool || dtype === uint8 ? 0 : -100;
    const range = { dtype, from, to: dtype === bool ? 2 : dtype === uint8 ? 256 : 100 };
    const [a, b] = [new Numbers(21).view([127], range), new Numbers(22).view([127], range)];
    for (const op of [...(dtype === bool ? (["add", "mul"] as const) : WHOLE), ...COMPARISONS]) {
      const result = COMPARISONS.includes(op) ? bool : dtype;
      cases.push(kernelCase(`${op} of ${dtype.name}`, "binary", [op, a, b, out([127], result)]));
    }
    if (dtype === bool) continue;
    for (const op of DIVISIONS) {
      for (const divisor of [3, 1, ...(dtype === uint8 ? [] : [-3, -1])]) {
        const number = { ...dense([], dtype, () => divisor), shape: [127], strides: [0] };
        const title = `${op} of ${dtype.name} by ${divisor}`;
        cases.push(kernelCase(title, "binary", [op, a, number, out([127], dtype)], { onCpu: [2] }));
      }
      const zero = { ...dense([], dtype, () => 0), shape: [127], strides: [0] };
      cases.push(
        kernelCase(`${op} of ${dtype.name} by 0`, "binary", [op, a, zero, out([127], dtype)], {
          onCpu: [2],
          declined: true,
        }),
        kernelCase(`${op} of ${dtype.name}`, "binary", [op, a, b, out([127], dtype)], { declined: true }),
      );
    }
    for (const exponent of [0, 1, 2, 3]) {
      const number = { ...dense([], dtype, () => exponent), shape: [127], strides: [0] };
      const title = `pow of ${dtype.name} to ${exponent}`;
      cases.push(kernelCase(title, "binary", ["pow", a, number, out([127], dtype)], { onCpu: [2] }));
    }
  }
  const wide = new Numbers(23).view([60], { dtype: int32, from: -(2 ** 31), to: 2 ** 31 });
  const other = new Numbers(24).view([60], { dtype: int32, from: -(2 ** 31), to: 2 ** 31 });
  for (const op of ["add", "sub", "mul"] as const) {
    cases.push(kernelCase(`${op} of int32 wraps`, "binary", [op, wide, other, out([60], int32)]));
  }
  const huge = dense([60], int64, () => 2_000_000_000);
  for (const op of ["add", "mul"] as const) {
    cases.push(kernelCase(`${op} beyond 32 bits`, "binary", [op, huge, huge, out([60], int64)], { declined: true }));
  }
  return cases;
}

/** The same operation wherever its operands lie. */
function layoutCases(): KernelCase[] {
  const cases: KernelCase[] = [];
  const numbers = new Numbers(31);
  for (const n of [...SIZES, 300_001]) {
    cases.push(kernelCase(`add of ${n}`, "binary", ["add", numbers.view([n]), numbers.view([n]), out([n])]));
    cases.push(kernelCase(`relu of ${n}`, "unary", ["relu", numbers.view([n]), out([n])]));
  }
  const a = numbers.view([5, 6, 7]);
  const b = numbers.view([5, 6, 7]);
  for (const layout of ["transposed", "gaps", "shifted"] as const) {
    cases.push(
      kernelCase(`add of ${layout} and plain`, "binary", ["add", laidOut(a, layout), b, out([5, 6, 7])]),
      kernelCase(`add of plain and ${layout}`, "binary", ["add", a, laidOut(b, layout), out([5, 6, 7])]),
      kernelCase(`add to ${layout}`, "binary", ["add", a, b, laidOut(out([5, 6, 7]), layout)]),
    );
  }
  const row = { ...numbers.view([7]), shape: [5, 6, 7], strides: [0, 0, 1] };
  const column = { ...numbers.view([6]), shape: [5, 6, 7], strides: [0, 1, 0] };
  const one = { ...numbers.view([9]), shape: [5, 6, 7], strides: [0, 0, 0], offset: 6 };
  for (const [title, view] of Object.entries({ row, column, one })) {
    cases.push(kernelCase(`mul with a ${title}`, "binary", ["mul", a, view, out([5, 6, 7])]));
    cases.push(kernelCase(`sub from a ${title}`, "binary", ["sub", view, a, out([5, 6, 7])]));
  }
  const even = numbers.view([6, 3, 8]);
  const evenRow = { ...numbers.view([8]), shape: [6, 3, 8], strides: [0, 0, 1] };
  const evenColumn = { ...numbers.view([3]), shape: [6, 3, 8], strides: [0, 1, 0] };
  const shiftedRow = { ...numbers.view([11]), shape: [6, 3, 8], strides: [0, 0, 1], offset: 3 };
  for (const [title, view] of Object.entries({ evenRow, evenColumn, shiftedRow })) {
    cases.push(kernelCase(`mul of vectors with ${title}`, "binary", ["mul", even, view, out([6, 3, 8])]));
    cases.push(kernelCase(`sub of vectors from ${title}`, "binary", ["sub", view, even, out([6, 3, 8])]));
  }
  cases.push(
    kernelCase("sub of a row from a column in vectors", "binary", ["sub", evenColumn, evenRow, out([6, 3, 8])]),
  );
  const padded = { ...out([6, 3, 12]), shape: [6, 3, 8], strides: [36, 12, 1], offset: 4 };
  cases.push(kernelCase("mul of vectors to a part", "binary", ["mul", even, evenRow, padded]));
  cases.push(kernelCase("mul of a row and a column", "binary", ["mul", row, column, out([5, 6, 7])]));
  cases.push(kernelCase("mul of one tensor with itself", "binary", ["mul", a, a, out([5, 6, 7])]));
  const fresh = () => new Numbers(32).view([5, 6, 7]);
  const [x, y, z, t, u, w] = [fresh(), fresh(), fresh(), fresh(), fresh(), fresh()];
  const turned = { ...t, shape: [6, 6], strides: [1, 6] };
  cases.push(
    kernelCase("add in place", "binary", ["add", x, b, x]),
    kernelCase("sub in place, from the right", "binary", ["sub", b, y, y]),
    kernelCase("mul in place with a row", "binary", ["mul", z, row, z]),
    kernelCase("square in place", "unary", ["square", u, u]),
    kernelCase("mul in place with an element beside it", "binary", [
      "mul",
      { ...w, shape: [40], strides: [1], offset: 8 },
      { ...w, shape: [40], strides: [0], offset: 3 },
      { ...w, shape: [40], strides: [1], offset: 8 },
    ]),
    kernelCase("add of its own transpose", "binary", ["add", turned, { ...turned, strides: [6, 1] }, out([6, 6])]),
  );
  return cases;
}

function whereCases(): KernelCase[] {
  const numbers = new Numbers(41);
  const cases: KernelCase[] = [];
  for (const n of SIZES) {
    const condition = numbers.view([n], { dtype: bool, from: 0, to: 2 });
    const [a, b] = [numbers.view([n]), numbers.view([n])];
    cases.push(kernelCase(`where of ${n}`, "where", [condition, a, b, out([n])]));
  }
  const condition = numbers.view([9, 5], { dtype: bool, from: 0, to: 2 });
  const a = dense([9, 5], float32, (i) => SPECIAL[i]!);
  const number = { ...dense([], float32, () => -Infinity), shape: [9, 5], strides: [0, 0] };
  cases.push(
    kernelCase("where with a number", "where", [condition, number, a, out([9, 5])], { onCpu: [1] }),
    kernelCase("where with a row", "where", [
      condition,
      a,
      { ...numbers.view([5]), shape: [9, 5], strides: [0, 1] },
      out([9, 5]),
    ]),
    kernelCase("where in place", "where", [condition, a, number, a], { onCpu: [2] }),
  );
  for (const dtype of [int64, int32, uint8, bool]) {
    const range = { dtype, from: 0, to: 2 };
    const [x, y] = [numbers.view([9, 5], range), numbers.view([9, 5], range)];
    cases.push(kernelCase(`where of ${dtype.name}`, "where", [condition, x, y, out([9, 5], dtype)]));
  }
  const same = numbers.view([45], { dtype: bool, from: 0, to: 2 });
  cases.push(kernelCase("where of its own condition", "where", [same, same, { ...same, strides: [0] }, same]));
  return cases;
}

function formulaCases(): KernelCase[] {
  const cases: KernelCase[] = [];
  const smooth = formula(2, 1, (m, [x, y], [rate]) => {
    const e = m.exp(m.neg(m.abs(x!)));
    const chosen = m.where(m.gt(x!, y!), m.mul(m.log1p(e), rate!), m.maximum(m.sub(x!, 2), 0.25));
    return [m.add(chosen, 1), m.where(m.le(y!, 0.5), m.tanh(y!), m.sqrt(m.abs(y!)))];
  });
  const numbers = new Numbers(51);
  for (const n of [...SIZES, 5000]) {
    const inputs = [numbers.view([n]), numbers.view([n])];
    cases.push(kernelCase(`formula of ${n}`, "formula", [smooth, [0.3], inputs, [out([n]), out([n])]], near([3])));
  }
  const row = { ...numbers.view([7]), shape: [5, 7], strides: [0, 1] };
  const outs = () => [out([5, 7]), out([5, 7])];
  const step = formula(2, 2, (m, [x, v], [a, b]) => {
    const next = m.add(m.mul(v!, a!), x!);
    return [m.sub(x!, m.mul(next, b!)), next];
  });
  const [x, v] = [numbers.view([5, 7]), numbers.view([5, 7])];
  const number = { ...dense([], float32, () => 0.7), shape: [5, 7], strides: [0, 0] };
  cases.push(
    kernelCase("formula with a row", "formula", [smooth, [1.5], [numbers.view([5, 7]), row], outs()], near([3])),
    kernelCase("formula in place", "formula", [step, [0.9, 0.1], [x, v], [x, v]], near([3])),
    kernelCase("formula of a number of the CPU", "formula", [smooth, [1], [number, number], outs()], {
      ...near([3]),
      onCpu: [2],
    }),
  );
  return cases;
}

/** A multiplication may be fused with the addition after it. */
const near = (writes: readonly number[]) => ({ writes, relative: 2e-6 });
