/**
 * Formulas: several element-wise steps on the same elements as one kernel call, which reads each tensor once and writes
 * each result once. The steps and their roundings are those of single operations, so the digits are the same.
 */
import type { BinaryOp, UnaryOp } from "./backend.ts";

/** `madd` is a · b + c, rounded once where the machine can. */
export type FormulaOp = UnaryOp | BinaryOp | "where" | "madd";

/** One operation on registers. Comparisons leave 1 or 0, which only `where` reads. */
export interface Step {
  readonly op: FormulaOp;
  readonly from: readonly number[];
  readonly to: number;
}

/**
 * What a kernel executes. Registers hold, in this order: the tensors that are read, the numbers that come with the call,
 * constants, and what lies between; all but the last are written once only. Every register has the tensors' dtype.
 */
export interface Formula {
  readonly inputs: number;
  readonly numbers: number;
  readonly constants: readonly number[];
  readonly registers: number;
  readonly steps: readonly Step[];
  /** The register of each result. */
  readonly results: readonly number[];
}

/** What a formula is written with: tensors, or the values of a formula that is being built. */
export interface Algebra<T> {
  add(a: T | number, b: T | number): T;
  sub(a: T | number, b: T | number): T;
  mul(a: T | number, b: T | number): T;
  div(a: T | number, b: T | number): T;
  /** a · b + c, rounded once. */
  madd(a: T, b: T | number, c: T): T;
  maximum(a: T, b: T | number): T;
  minimum(a: T, b: T | number): T;
  lt(a: T, b: T | number): T;
  le(a: T, b: T | number): T;
  gt(a: T, b: T | number): T;
  ge(a: T, b: T | number): T;
  where(condition: T, a: T | number, b: T | number): T;
  neg(x: T): T;
  abs(x: T): T;
  square(x: T): T;
  sqrt(x: T): T;
  exp(x: T): T;
  expm1(x: T): T;
  log1p(x: T): T;
  erf(x: T): T;
  tanh(x: T): T;
  sigmoid(x: T): T;
}

/** A value of a formula that is being built. */
export class Value {
  readonly op: FormulaOp | "input" | "number" | "constant";
  readonly from: readonly Value[];
  /** Which input or number it is, or the constant itself. */
  readonly value: number;

  constructor(op: Value["op"], from: readonly Value[] = [], value = 0) {
    this.op = op;
    this.from = from;
    this.value = value;
  }
}

const asValue = (x: Value | number): Value => (typeof x === "number" ? new Value("constant", [], x) : x);

function operation(op: FormulaOp): (...from: (Value | number)[]) => Value {
  return (...from) => new Value(op, from.map(asValue));
}

const symbolic: Algebra<Value> = {
  add: operation("add"),
  sub: operation("sub"),
  mul: operation("mul"),
  div: operation("div"),
  madd: operation("madd"),
  maximum: operation("maximum"),
  minimum: operation("minimum"),
  lt: operation("lt"),
  le: operation("le"),
  gt: operation("gt"),
  ge: operation("ge"),
  where: operation("where"),
  neg: operation("neg"),
  abs: operation("abs"),
  square: operation("square"),
  sqrt: operation("sqrt"),
  exp: operation("exp"),
  expm1: operation("expm1"),
  log1p: operation("log1p"),
  erf: operation("erf"),
  tanh: operation("tanh"),
  sigmoid: operation("sigmoid"),
};

/**
 * Builds a formula of some tensors, and of numbers that may differ from call to call.
 * @param write gives one value or several from the algebra, the tensors and the numbers
 */
export function formula(
  inputs: number,
  numbers: number,
  write: (m: Algebra<Value>, tensors: Value[], numbers: Value[]) => Value | Value[],
): Formula {
  const list = (op: "input" | "number", count: number) => Array.from({ length: count }, (_, i) => new Value(op, [], i));
  const given = [...list("input", inputs), ...list("number", numbers)];
  const results = [write(symbolic, given.slice(0, inputs), given.slice(inputs))].flat();
  return allocateRegisters(inputs, numbers, given, results);
}

/** All values behind the results, each after those that it is made of. */
function inOrder(results: readonly Value[]): Value[] {
  const order = new Set<Value>();
  const visit = (value: Value): void => {
    if (order.has(value)) return;
    value.from.forEach(visit);
    order.add(value);
  };
  results.forEach(visit);
  return [...order];
}

/** A register is free again after the last step that reads it; results keep theirs. */
function allocateRegisters(inputs: number, numbers: number, given: readonly Value[], results: Value[]): Formula {
  const order = inOrder(results);
  const made = order.filter(({ from }) => from.length > 0);
  const registers = new Map<Value, number>(given.map((value, i) => [value, i]));
  const constants: number[] = [];
  for (const value of order) {
    if (value.op !== "constant") continue;
    const at = constants.findIndex((constant) => Object.is(constant, value.value));
    registers.set(value, given.length + (at < 0 ? constants.push(value.value) - 1 : at));
  }
  const lastUse = new Map<Value, number>();
  for (const [i, { from }] of made.entries()) for (const value of from) lastUse.set(value, i);
  let count = given.length + constants.length;
  const free: number[] = [];
  const steps = made.map((value, i): Step => {
    const from = value.from.map((operand) => registers.get(operand) as number);
    const over = [...new Set(value.from)].filter(
      (operand) => operand.from.length > 0 && lastUse.get(operand) === i && !results.includes(operand),
    );
    // A choice is not written over its condition, whose elements may be smaller.
    const condition = value.op === "where" ? value.from[0] : null;
    for (const operand of over) if (operand !== condition) free.push(registers.get(operand) as number);
    const to = free.pop() ?? count++;
    if (condition && over.includes(condition)) free.push(registers.get(condition) as number);
    registers.set(value, to);
    return { op: value.op as FormulaOp, from, to };
  });
  return {
    inputs,
    numbers,
    constants,
    registers: count,
    steps,
    results: results.map((value) => registers.get(value) as number),
  };
}
