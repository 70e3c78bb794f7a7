/**
 * float32 element-wise work and sums over dense tensors, a cache-sized chunk at a time: copied in, computed four at a time,
 * copied out. Short or strided tensors stay with the reference, which needs no copies.
 */
import type { TypedArray } from "../../core/dtype.ts";
import type { BinaryOp, UnaryOp, View } from "../backend.ts";
import { forEachRun, isDense, mergeAxes, outData, sizeOf } from "../reference/strided.ts";
import type { Scratch } from "./scratch.ts";

/** In the order of assembly/elementwise.ts. */
const UNARY: readonly UnaryOp[] = [
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
];
const BINARY: readonly BinaryOp[] = ["add", "sub", "mul", "div", "maximum", "minimum"];
const COMPARISONS: readonly BinaryOp[] = ["eq", "ne", "lt", "le", "gt", "ge"];

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

/** One operand of a binary operation: dense, or one number for all. */
function isScalar(x: View): boolean {
  return x.strides.every((stride, axis) => stride === 0 || x.shape[axis] === 1);
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
  if (size < FEWEST || a.dtype.name !== "float32" || b.dtype.name !== "float32" || !isDense(out)) return false;
  const comparison = COMPARISONS.indexOf(op);
  const code = comparison >= 0 ? comparison : BINARY.indexOf(op);
  if (code < 0 || out.dtype.name !== (comparison >= 0 ? "bool" : "float32")) return false;
  const whole = [a, b].every((x) => isScalar(x) || isDense(x));
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
  if (whole) run(size, a.offset, b.offset, out.offset, isScalar(a) ? 0 : 1, isScalar(b) ? 0 : 1);
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
  const [scalarA, scalarB] = [isScalar(a), isScalar(b)];
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

/** Shorter rows are summed column by column. */
const SHORTEST = 64;

/** Sums of long rows, each in one piece or in several, and of many short ones; the others are quicker where they lie. */
export function sumRows(s: Scratch, x: View, out: View): boolean {
  if (x.dtype.name !== "float32" || out.dtype.name !== "float32") return false;
  const [outer, runs, inner] = (x.shape.length === 3 ? x.shape : [x.shape[0], 1, x.shape[1]]) as number[];
  const [outerStep, runStep, step] = (x.strides.length === 3 ? x.strides : [x.strides[0], 0, x.strides[1]]) as number[];
  if (runs! * inner! < 512 && sizeOf(x) < CHUNK) return false;
  if (inner! < SHORTEST) return step === 1 && runStep === outer! * inner! && sumColumns(s, x, out);
  if (runs! * inner! < 512 || step !== 1) return false;
  s.begin();
  const target: TypedArray = outData(out);
  const row = s.floats(Math.min(inner!, CHUNK));
  for (let r = 0; r < outer!; r++) {
    let total = 0;
    for (let run = 0; run < runs!; run++) {
      const base = x.offset + r * outerStep! + run * runStep!;
      for (let start = 0; start < inner!; start += CHUNK) {
        const count = Math.min(CHUNK, inner! - start);
        s.write(row, x.data, base + start, count);
        total += s.call.sum(row, count);
      }
    }
    target[r] = total;
  }
  return true;
}

/** [outer, runs, inner] lies in memory as [runs, outer, inner]: sums over the runs first. */
function sumColumns(s: Scratch, x: View, out: View): boolean {
  const [outer, runs, inner] = x.shape as [number, number, number];
  const width = outer * inner;
  if (width > 8 * CHUNK) return false;
  s.begin();
  const rows = Math.max(1, Math.min(runs, Math.floor(CHUNK / width)));
  const part = s.floats(rows * width);
  const sums = s.doubles(width + 3);
  s.fill(sums, 2 * (width + 3), 0);
  for (let run = 0; run < runs; run += rows) {
    const count = Math.min(rows, runs - run);
    s.write(part, x.data, x.offset + run * width, count * width);
    s.call.addRows(part, count, width, sums);
  }
  const columns = s.viewDoubles(sums, width);
  const target = outData(out);
  for (let r = 0; r < outer; r++) {
    let total = 0;
    for (let i = r * inner; i < (r + 1) * inner; i++) total += columns[i]!;
    target[r] = total;
  }
  return true;
}
