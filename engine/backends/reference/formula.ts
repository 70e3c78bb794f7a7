/** Formulas: step by step over a stretch of elements at a time, with a rounding after each step as single operations have. */
import { allocate, type DType, type TypedArray } from "../../core/dtype.ts";
import type { BinaryOp, UnaryOp, View } from "../backend.ts";
import type { Formula, Step } from "../formula.ts";
import { binaryFunction } from "./binary.ts";
import { denseData, isRepeated, outData, sizeOf } from "./strided.ts";
import { unaryFunction } from "./unary.ts";

const STRETCH = 1024;

export function formula(f: Formula, numbers: readonly number[], inputs: readonly View[], outs: readonly View[]): void {
  const [first] = outs;
  if (!first) return;
  const { dtype } = first;
  const size = sizeOf(first);
  const sources = inputs.map((x) => (isRepeated(x) ? null : denseData(x)));
  const targets = outs.map(outData);
  const registers = Array.from({ length: f.registers }, () => allocate(dtype, Math.min(size, STRETCH)));
  inputs.forEach(({ data, offset }, k) => {
    if (!sources[k] && size > 0) registers[k]!.fill(data[offset]!);
  });
  [...numbers, ...f.constants].forEach((value, i) => {
    registers[f.inputs + i]!.fill(value);
  });
  for (let start = 0; start < size; start += STRETCH) {
    const count = Math.min(STRETCH, size - start);
    sources.forEach((source, k) => {
      if (source) registers[k]!.set(source.subarray(start, start + count));
    });
    for (const step of f.steps) execute(step, registers, count, dtype);
    targets.forEach((target, k) => {
      target.set(registers[f.results[k]!]!.subarray(0, count), start);
    });
  }
}

function execute({ op, from, to }: Step, registers: readonly TypedArray[], count: number, dtype: DType): void {
  const out = registers[to]!;
  const [a, b, c] = from.map((r) => registers[r]!) as [TypedArray, TypedArray, TypedArray];
  // A product of floats is exact in double, so the sum is rounded to float once, but for the rarest of ties.
  if (op === "madd") for (let t = 0; t < count; t++) out[t] = a[t]! * b[t]! + c[t]!;
  else if (op === "where") for (let t = 0; t < count; t++) out[t] = a[t] ? b[t]! : c[t]!;
  else if (from.length === 1) {
    const f = unaryFunction(op as UnaryOp, dtype);
    for (let t = 0; t < count; t++) out[t] = f(a[t]!);
  } else {
    const f = binaryFunction(op as BinaryOp, dtype);
    for (let t = 0; t < count; t++) out[t] = f(a[t]!, b[t]!);
  }
}
