/** fill, unary, binary and where: one number at a time, in the output's dtype. */
import type { DType } from "../../core/dtype.ts";
import type { BinaryOp, UnaryOp, View } from "../backend.ts";
import { binaryFunction } from "./binary.ts";
import { converting, storing } from "./numbers.ts";
import { forEachRun } from "./strided.ts";
import { unaryFunction } from "./unary.ts";

/** `out` may be strided. The value is converted as a tensor of doubles would be. */
export function fill(out: View, value: number): void {
  const data = out.data;
  const stored =
    out.dtype.name === "bool" ? Number(value !== 0) : out.dtype.name === "int64" ? Math.trunc(value) : value;
  forEachRun([out], (length, [offset], [step]) => {
    if (step === 1) data.fill(stored, offset!, offset! + length);
    else for (let t = 0, i = offset!; t < length; t++, i += step!) data[i] = stored;
  });
}

/** Tests look at x as it is; everything else happens in out's dtype, so an integer x is rounded to it first. */
const TESTS: ReadonlySet<UnaryOp> = new Set(["logical_not", "isnan", "isinf", "isfinite"]);

export function unary(op: UnaryOp, x: View, out: View): void {
  const f = unaryFunction(op, TESTS.has(op) ? x.dtype : out.dtype);
  const read = TESTS.has(op) ? null : reading(x.dtype, out.dtype);
  const store = out.dtype.category === "floating" || out.dtype.name === "uint8" ? null : storing(out.dtype);
  const source = x.data;
  const target = out.data;
  forEachRun([x, out], (length, [from, to], [fromStep, toStep]) => {
    let i = from!;
    let o = to!;
    for (let t = 0; t < length; t++, i += fromStep!, o += toStep!) {
      const value = source[i]!;
      const result = f(read ? read(value) : value);
      target[o] = store ? store(result) : result;
    }
  });
}

/** How x's numbers look in the dtype of the computation; null where they already do. */
function reading(from: DType, to: DType): ((value: number) => number) | null {
  if (from === to) return null;
  if (to.name === "float32") return Math.fround;
  return to.name === "float64" ? null : converting(from, to);
}

export function binary(op: BinaryOp, a: View, b: View, out: View): void {
  const target = out.data;
  const left = a.data;
  const right = b.data;
  if (a.dtype.category === "floating" && arithmetic(op, a, b, out)) return;
  const f = binaryFunction(op, a.dtype);
  const store = storing(out.dtype);
  forEachRun([a, b, out], (length, [offsetA, offsetB, offsetOut], [stepA, stepB, stepOut]) => {
    let i = offsetA!;
    let j = offsetB!;
    let o = offsetOut!;
    for (let t = 0; t < length; t++, i += stepA!, j += stepB!, o += stepOut!) target[o] = store(f(left[i]!, right[j]!));
  });
}

/** The four operations that training is made of, each with a loop of its own: calling through a table costs 4× as much. */
function arithmetic(op: BinaryOp, a: View, b: View, out: View): boolean {
  if (op !== "add" && op !== "sub" && op !== "mul" && op !== "div") return false;
  const x = a.data;
  const y = b.data;
  const target = out.data;
  forEachRun([a, b, out], (length, [offsetA, offsetB, offsetOut], [stepA, stepB, stepOut]) => {
    const sa = stepA!;
    const sb = stepB!;
    const so = stepOut!;
    let i = offsetA!;
    let j = offsetB!;
    let o = offsetOut!;
    if (op === "add") for (let t = 0; t < length; t++, i += sa, j += sb, o += so) target[o] = x[i]! + y[j]!;
    else if (op === "sub") for (let t = 0; t < length; t++, i += sa, j += sb, o += so) target[o] = x[i]! - y[j]!;
    else if (op === "mul") for (let t = 0; t < length; t++, i += sa, j += sb, o += so) target[o] = x[i]! * y[j]!;
    else for (let t = 0; t < length; t++, i += sa, j += sb, o += so) target[o] = x[i]! / y[j]!;
  });
  return true;
}

/** a where the condition holds, else b; all three may be broadcast. */
export function where(condition: View, a: View, b: View, out: View): void {
  const chosen = condition.data;
  const left = a.data;
  const right = b.data;
  const target = out.data;
  forEachRun([condition, a, b, out], (length, offsets, steps) => {
    let [c, i, j, o] = offsets as [number, number, number, number];
    const [sc, sa, sb, so] = steps as [number, number, number, number];
    for (let t = 0; t < length; t++, c += sc, i += sa, j += sb, o += so) {
      target[o] = chosen[c] ? left[i]! : right[j]!;
    }
  });
}
