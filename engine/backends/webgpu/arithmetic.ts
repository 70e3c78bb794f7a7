/** Operations element by element: of one operand, of two, choices, and formulas of many steps. */
import type { DType } from "../../core/dtype.ts";
import type { Attempts, BinaryOp, UnaryOp, View } from "../backend.ts";
import type { Formula, Step } from "../formula.ts";
import { isRepeated } from "../reference/strided.ts";
import { converted, isNarrow, mostOf } from "./copy.ts";
import { elementwise, limitOf, MOST_INT32, wordOf } from "./elementwise.ts";
import type { Runtime } from "./runtime.ts";

/** Tests give truth values, here as WGSL's conditions on a float or on an integer. */
const TESTS: Partial<Record<UnaryOp, { f32: string; i32: string }>> = {
  logical_not: { f32: "size_of(a) == 0u", i32: "a == 0" },
  isnan: { f32: "is_nan(a)", i32: "false" },
  isinf: { f32: "size_of(a) == 0x7f800000u", i32: "false" },
  isfinite: { f32: "size_of(a) < 0x7f800000u", i32: "true" },
};

const INTEGER_UNARY: Partial<Record<UnaryOp, string>> = {
  neg: "-a",
  abs: "abs(a)",
  sign: "sign(a)",
  relu: "max(a, 0)",
  floor: "a",
  ceil: "a",
  round: "a",
  trunc: "a",
  square: "a * a",
};

/** Comparisons: a NaN is neither less nor equal nor greater, which compilers need not know. */
const COMPARISONS: Partial<Record<BinaryOp, { f32: string; i32: string }>> = {
  eq: { f32: "a == b && are_numbers(a, b)", i32: "a == b" },
  ne: { f32: "!(a == b && are_numbers(a, b))", i32: "a != b" },
  lt: { f32: "a < b && are_numbers(a, b)", i32: "a < b" },
  le: { f32: "a <= b && are_numbers(a, b)", i32: "a <= b" },
  gt: { f32: "a > b && are_numbers(a, b)", i32: "a > b" },
  ge: { f32: "a >= b && are_numbers(a, b)", i32: "a >= b" },
  logical_and: { f32: "size_of(a) != 0u && size_of(b) != 0u", i32: "a != 0 && b != 0" },
  logical_or: { f32: "size_of(a) != 0u || size_of(b) != 0u", i32: "a != 0 || b != 0" },
  logical_xor: { f32: "(size_of(a) != 0u) != (size_of(b) != 0u)", i32: "(a != 0) != (b != 0)" },
};

const FLOAT_BINARY: Partial<Record<BinaryOp, string>> = {
  add: "a + b",
  sub: "a - b",
  mul: "a * b",
  div: "div_(a, b)",
  floor_divide: "floor_divide_(a, b)",
  remainder: "remainder_(a, b)",
  fmod: "fmod_(a, b)",
  pow: "pow_(a, b)",
  maximum: "maximum_(a, b)",
  minimum: "minimum_(a, b)",
  atan2: "atan2_(a, b)",
};

const INTEGER_BINARY: Partial<Record<BinaryOp, string>> = {
  add: "a + b",
  sub: "a - b",
  mul: "a * b",
  div: "divide_i(a, b)",
  floor_divide: "floor_divide_i(a, b)",
  remainder: "remainder_i(a, b)",
  fmod: "fmod_i(a, b)",
  pow: "pow_i(a, b)",
  maximum: "max(a, b)",
  minimum: "min(a, b)",
  bitwise_and: "a & b",
  bitwise_or: "a | b",
  bitwise_xor: "a ^ b",
};

/** Powers that are another operation. */
const POWERS: ReadonlyMap<number, string> = new Map([
  [2, "a * a"],
  [3, "a * a * a"],
  [-1, "reciprocal_(a)"],
]);

const DIVISIONS: ReadonlySet<BinaryOp> = new Set(["div", "floor_divide", "remainder", "fmod"]);

const floatUnary = (op: UnaryOp): string => (op === "square" ? "a * a" : `${op}_(a)`);

/** An integer result as the dtype keeps it. */
function stored(value: string, { name }: DType): string {
  if (name === "bool") return `select(0, 1, (${value}) != 0)`;
  return name === "uint8" ? `(${value}) & 255` : value;
}

const truth = (condition: string, dtype: DType): string =>
  wordOf(dtype) === "f32" ? `select(0.0, 1.0, ${condition})` : `select(0, 1, ${condition})`;

function unary(runtime: Runtime, op: UnaryOp, x: View, out: View): boolean {
  if (!isNarrow(x.dtype) || !isNarrow(out.dtype)) return false;
  const test = TESTS[op];
  const word = wordOf(out.dtype);
  const result = test ? "" : word === "f32" ? floatUnary(op) : INTEGER_UNARY[op];
  if (result === undefined) return false;
  if (!test && x.dtype.category === "floating" && out.dtype.name === "int64") return false;
  const most = test || op === "sign" ? 1 : op === "square" ? limitOf(x) ** 2 : limitOf(x);
  if (!test && out.dtype.name === "int64" && !(most <= MOST_INT32)) return false;
  return elementwise(runtime, {
    key: `${op} ${x.dtype.name} to ${out.dtype.name}`,
    body: () =>
      test
        ? `let a = a0; return Results(${truth(test[wordOf(x.dtype)], out.dtype)});`
        : `let a = ${converted("a0", x.dtype, out.dtype)}; return Results(${word === "f32" ? result : stored(result, out.dtype)});`,
    inputs: [x],
    inputWords: [wordOf(x.dtype)],
    outs: [out],
    outWords: [word],
    limit: Math.min(most, mostOf(out.dtype)),
  });
}

/** The largest integer that an operation on integers may give. */
function largest(op: BinaryOp, a: number, b: number): number {
  switch (op) {
    case "add":
    case "sub":
      return a + b;
    case "mul":
      return a === 0 || b === 0 ? 0 : a * b;
    case "pow":
      return Math.max(1, a) ** b;
    case "remainder":
      return b;
    case "fmod":
      return Math.min(a, b);
    case "div":
    case "floor_divide":
      return a;
    case "maximum":
    case "minimum":
      return Math.max(a, b);
    case "bitwise_and":
    case "bitwise_or":
    case "bitwise_xor":
      return 2 ** Math.ceil(Math.log2(Math.max(a, b) + 1));
    default:
      return 1;
  }
}

function binary(runtime: Runtime, op: BinaryOp, a: View, b: View, out: View): boolean {
  const { dtype } = a;
  if (b.dtype !== dtype || !isNarrow(dtype) || !isNarrow(out.dtype)) return false;
  const word = wordOf(dtype);
  const comparison = COMPARISONS[op]?.[word];
  const exponent = op === "pow" && word === "f32" && !b.memory ? POWERS.get(b.data[b.offset] ?? Number.NaN) : undefined;
  const result = comparison ? "" : (exponent ?? (word === "f32" ? FLOAT_BINARY : INTEGER_BINARY)[op]);
  if (result === undefined || (!comparison && out.dtype !== dtype)) return false;
  // That a divisor is zero has to be told at once.
  if (word === "i32" && DIVISIONS.has(op) && (b.memory || !isRepeated(b) || !b.data[b.offset])) return false;
  const most = word === "i32" ? largest(op, limitOf(a), limitOf(b)) : 1;
  if (!comparison && dtype.name === "int64" && !(most <= MOST_INT32)) return false;
  return elementwise(runtime, {
    key: `${exponent ?? op} ${dtype.name} to ${out.dtype.name}`,
    body: () =>
      `let a = a0; let b = a1; return Results(${comparison ? truth(comparison, out.dtype) : word === "f32" ? result : stored(result, dtype)});`,
    inputs: [a, b],
    inputWords: [word, word],
    outs: [out],
    outWords: [wordOf(out.dtype)],
    limit: Math.min(most, mostOf(out.dtype)),
  });
}

function where(runtime: Runtime, condition: View, a: View, b: View, out: View): boolean {
  if (condition.dtype.category === "floating" || !isNarrow(out.dtype)) return false;
  if (a.dtype !== out.dtype || b.dtype !== out.dtype) return false;
  return elementwise(runtime, {
    key: "where",
    body: () => "return Results(select(a2, a1, a0 != 0));",
    inputs: [condition, a, b],
    inputWords: ["i32", "u32", "u32"],
    outs: [out],
    outWords: ["u32"],
    limit: Math.max(limitOf(a), limitOf(b)),
  });
}

/** A step's expression; null where there is none for floats. */
function stepExpression({ op, from }: Step): string | null {
  const [a, b, c] = from.map((register) => `r${register}`);
  if (op === "madd") return `fma(${a}, ${b}, ${c})`;
  if (op === "where") return `select(${c}, ${b}, size_of(${a}) != 0u)`;
  const condition = from.length === 1 ? TESTS[op as UnaryOp] : COMPARISONS[op as BinaryOp];
  const plain = from.length === 1 ? floatUnary(op as UnaryOp) : FLOAT_BINARY[op as BinaryOp];
  const text = condition ? `select(0.0, 1.0, ${condition.f32})` : plain;
  return text?.replace(/\b[ab]\b/g, (operand) => (operand === "a" ? a : b) ?? operand) ?? null;
}

const formulaBodies = new WeakMap<Formula, string | null>();

/** The WGSL of a formula, which names it too: its numbers and constants come with the call. */
function formulaBody(f: Formula): string | null {
  const known = formulaBodies.get(f);
  if (known !== undefined) return known;
  const given = f.inputs + f.numbers + f.constants.length;
  const lines = Array.from({ length: f.registers }, (_, k) => {
    const value = k < f.inputs ? `a${k}` : k < given ? `number(${k - f.inputs}u)` : "0.0";
    return `var r${k} = ${value};`;
  });
  let body: string | null = null;
  const steps = f.steps.map((step) => [step.to, stepExpression(step)] as const);
  if (steps.every(([, text]) => text !== null)) {
    for (const [to, text] of steps) lines.push(`r${to} = ${text};`);
    body = `${lines.join("\n")}\nreturn Results(${f.results.map((k) => `r${k}`).join(", ")});`;
  }
  formulaBodies.set(f, body);
  return body;
}

function formula(
  runtime: Runtime,
  f: Formula,
  numbers: readonly number[],
  inputs: readonly View[],
  outs: readonly View[],
): boolean {
  if (outs.length === 0) return true;
  const body = formulaBody(f);
  if (body === null || [...inputs, ...outs].some(({ dtype }) => dtype.name !== "float32")) return false;
  return elementwise(runtime, {
    key: body,
    body: () => body,
    inputs,
    inputWords: inputs.map(() => "f32"),
    outs,
    outWords: outs.map(() => "f32"),
    numbers: [...numbers, ...f.constants],
  });
}

export function arithmeticKernels(runtime: Runtime): Attempts {
  return {
    unary: (op, x, out) => unary(runtime, op, x, out),
    binary: (op, a, b, out) => binary(runtime, op, a, b, out),
    where: (condition, a, b, out) => where(runtime, condition, a, b, out),
    formula: (f, numbers, inputs, outs) => formula(runtime, f, numbers, inputs, outs),
  };
}
