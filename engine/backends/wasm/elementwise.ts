/**
 * float32 element-wise work over dense tensors, a cache-sized chunk at a time: copied in, computed four at a time,
 * copied out. Short or strided tensors stay with the reference, which needs no copies.
 */
import type { BinaryOp, UnaryOp, View } from "../backend.ts";
import { forEachRun, isDense, isRepeated, mergeAxes, outData, sizeOf } from "../reference/strided.ts";
import type { Scratch } from "./scratch.ts";

/** In the order of assembly/elementwise.ts. */
export const UNARY: readonly UnaryOp[] = [
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
  "exp",
  "log",
  "sigmoid",
  "tanh",
  "expm1",
  "log1p",
  "erf",
];
export const BINARY: readonly BinaryOp[] = ["add", "sub", "mul", "div", "maximum", "minimum"];
export const COMPARISONS: readonly BinaryOp[] = ["eq", "ne", "lt", "le", "gt", "ge"];

/** 16 kB: three such arrays stay in the first two caches. */
const CHUNK = 4096;

/** Where there is one array only, 64 kB of it: fewer calls. */
const LONG_CHUNK = 4 * CHUNK;

/** Below this the calls cost more than the loop. */
const FEWEST = 64;

export function unary(s: Scratch, op: UnaryOp, x: View, out: View): boolean {
  const code = UNARY.indexOf(op);
  const size = sizeOf(out);
  if (code < 0 || size < FEWEST || x.dtype.name !== "float32" || out.dtype.name !== "float32") return false;
  if (!isDense(x) || !isDense(out)) return false;
  s.begin();
  const target = outData(out);
  const room = Math.min(size, LONG_CHUNK);
  const at = s.floats(room);
  for (let start = 0; start < size; start += LONG_CHUNK) {
    const count = Math.min(LONG_CHUNK, size - start);
    s.write(at, x.data, x.offset + start, count);
    s.call.unary(code, at, at, count);
    s.read(at, count, target, start);
  }
  return true;
}

/** Runs shorter than this are quicker where they lie. */
const SHORTEST_RUN = 128;

/** Whether views are walked together in long runs, in each of which a view is dense or one number. */
function inLongRuns(views: readonly View[]): boolean {
  const { shape, strides } = mergeAxes(views);
  return shape.length > 0 && shape.at(-1)! >= SHORTEST_RUN && strides.every((axes) => axes.at(-1)! >>> 1 === 0);
}

export function binary(s: Scratch, op: BinaryOp, a: View, b: View, out: View): boolean {
  const size = sizeOf(out);
  if (op === "pow") return size >= FEWEST && isRepeated(b) && b.data[b.offset] === 2 && unary(s, "square", a, out);
  if (size < FEWEST || a.dtype.name !== "float32" || b.dtype.name !== "float32" || !isDense(out)) return false;
  const comparison = COMPARISONS.indexOf(op);
  const code = comparison >= 0 ? comparison : BINARY.indexOf(op);
  if (code < 0 || out.dtype.name !== (comparison >= 0 ? "bool" : "float32")) return false;
  const whole = [a, b].every((x) => isRepeated(x) || isDense(x));
  if (!whole && !inLongRuns([a, b, out])) return false;

  s.begin();
  const room = Math.min(size, CHUNK);
  const pa = s.floats(room);
  const pb = s.floats(room);
  const to = s.floats(room);
  const run = (length: number, fromA: number, fromB: number, at: number, stepA: number, stepB: number): void => {
    if (stepA === 0) s.fill(pa, Math.min(room, length), a.data[fromA]!);
    if (stepB === 0) s.fill(pb, Math.min(room, length), b.data[fromB]!);
    for (let start = 0; start < length; start += CHUNK) {
      const count = Math.min(CHUNK, length - start);
      if (stepA !== 0) s.write(pa, a.data, fromA + start, count);
      if (stepB !== 0) s.write(pb, b.data, fromB + start, count);
      if (comparison >= 0) {
        s.call.compare(code, pa, pb, to, count);
        s.readBytes(to, count, out.data, at + start);
      } else {
        s.call.binary(code, pa, pb, to, count);
        s.read(to, count, out.data, at + start);
      }
    }
  };
  if (whole) run(size, a.offset, b.offset, out.offset, isRepeated(a) ? 0 : 1, isRepeated(b) ? 0 : 1);
  else {
    forEachRun([a, b, out], (length, [fromA, fromB, at], [stepA, stepB]) => {
      run(length, fromA!, fromB!, at!, stepA!, stepB!);
    });
  }
  return true;
}

export function where(s: Scratch, condition: View, a: View, b: View, out: View): boolean {
  const size = sizeOf(out);
  if (size < FEWEST || condition.dtype.name !== "bool" || !isDense(condition) || !isDense(out)) return false;
  if (a.dtype.name !== "float32" || b.dtype.name !== "float32" || out.dtype.name !== "float32") return false;
  const [scalarA, scalarB] = [isRepeated(a), isRepeated(b)];
  if (!(scalarA || isDense(a)) || !(scalarB || isDense(b))) return false;
  s.begin();
  const room = Math.min(size, CHUNK);
  const pc = s.floats(room);
  const pa = s.floats(room);
  const pb = s.floats(room);
  const to = s.floats(room);
  if (scalarA) s.fill(pa, room, a.data[a.offset]!);
  if (scalarB) s.fill(pb, room, b.data[b.offset]!);
  for (let start = 0; start < size; start += CHUNK) {
    const count = Math.min(CHUNK, size - start);
    s.writeBytes(pc, condition.data, condition.offset + start, count);
    if (!scalarA) s.write(pa, a.data, a.offset + start, count);
    if (!scalarB) s.write(pb, b.data, b.offset + start, count);
    s.call.select(pc, pa, pb, to, count);
    s.read(to, count, out.data, out.offset + start);
  }
  return true;
}
