/**
 * float32 element-wise work, a cache-sized chunk at a time: copied in, computed four at a time, copied out. Dense tensors go
 * in one stretch, all others in blocks of rows (`blocks.ts`). Few elements stay with the reference, which needs no copies.
 */
import type { BinaryOp, UnaryOp, View } from "../backend.ts";
import { isDense, isRepeated, outData, sizeOf } from "../reference/strided.ts";
import { bytesOf, forEachBlock, Operand, planesOf } from "./blocks.ts";
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
  if (!isDense(out)) return false;
  if (!isDense(x)) return unaryInBlocks(s, code, x, out);
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

function unaryInBlocks(s: Scratch, code: number, x: View, out: View): boolean {
  const planes = planesOf([x], out);
  if (!planes) return false;
  s.begin();
  const room = Math.min(sizeOf(out), CHUNK);
  const from = new Operand(s, x, planes.strides[0]!, room);
  const to = s.floats(room);
  forEachBlock([x, out], planes, room, (rows, cols, [offset, at]) => {
    from.load(offset!, rows, cols);
    s.call.unary(code, from.at, to, rows * cols);
    s.read(to, rows * cols, out.data, at!);
  });
  return true;
}

export function binary(s: Scratch, op: BinaryOp, a: View, b: View, out: View): boolean {
  const size = sizeOf(out);
  if (op === "pow") return size >= FEWEST && isRepeated(b) && b.data[b.offset] === 2 && unary(s, "square", a, out);
  if (size < FEWEST || a.dtype.name !== "float32" || b.dtype.name !== "float32" || !isDense(out)) return false;
  const comparison = COMPARISONS.indexOf(op);
  const code = comparison >= 0 ? comparison : BINARY.indexOf(op);
  if (code < 0 || out.dtype.name !== (comparison >= 0 ? "bool" : "float32")) return false;
  if (![a, b].every((x) => isRepeated(x) || isDense(x))) return binaryInBlocks(s, code, comparison >= 0, a, b, out);
  s.begin();
  const room = Math.min(size, CHUNK);
  const pa = s.floats(room);
  const pb = s.floats(room);
  const to = s.floats(room);
  const [scalarA, scalarB] = [isRepeated(a), isRepeated(b)];
  if (scalarA) s.fill(pa, room, a.data[a.offset]!);
  if (scalarB) s.fill(pb, room, b.data[b.offset]!);
  for (let start = 0; start < size; start += CHUNK) {
    const count = Math.min(CHUNK, size - start);
    if (!scalarA) s.write(pa, a.data, a.offset + start, count);
    if (!scalarB) s.write(pb, b.data, b.offset + start, count);
    combine(s, code, comparison >= 0, pa, pb, to, count, out, out.offset + start);
  }
  return true;
}

/** One chunk, and its results to out's data from `at` on. */
function combine(
  s: Scratch,
  code: number,
  compares: boolean,
  pa: number,
  pb: number,
  to: number,
  count: number,
  out: View,
  at: number,
): void {
  if (compares) {
    s.call.compare(code, pa, pb, to, count);
    s.readBytes(to, count, out.data, at);
  } else {
    s.call.binary(code, pa, pb, to, count);
    s.read(to, count, out.data, at);
  }
}

function binaryInBlocks(s: Scratch, code: number, compares: boolean, a: View, b: View, out: View): boolean {
  const planes = planesOf([a, b], out);
  if (!planes) return false;
  s.begin();
  const room = Math.min(sizeOf(out), CHUNK);
  const left = new Operand(s, a, planes.strides[0]!, room);
  const right = new Operand(s, b, planes.strides[1]!, room);
  const to = s.floats(room);
  forEachBlock([a, b, out], planes, room, (rows, cols, [fromA, fromB, at]) => {
    left.load(fromA!, rows, cols);
    right.load(fromB!, rows, cols);
    combine(s, code, compares, left.at, right.at, to, rows * cols, out, at!);
  });
  return true;
}

export function where(s: Scratch, condition: View, a: View, b: View, out: View): boolean {
  const size = sizeOf(out);
  if (size < FEWEST || condition.dtype.name !== "bool" || !isDense(out)) return false;
  if (a.dtype.name !== "float32" || b.dtype.name !== "float32" || out.dtype.name !== "float32") return false;
  const [scalarA, scalarB] = [isRepeated(a), isRepeated(b)];
  if (!(scalarA || isDense(a)) || !(scalarB || isDense(b)) || !isDense(condition)) {
    return whereInBlocks(s, condition, a, b, out);
  }
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

/** A block's bytes of the condition, where they are not dense. */
const gathered = new Uint8Array(CHUNK);

function whereInBlocks(s: Scratch, condition: View, a: View, b: View, out: View): boolean {
  const planes = planesOf([condition, a, b], out);
  if (!planes) return false;
  s.begin();
  const room = Math.min(sizeOf(out), CHUNK);
  const [strides] = planes.strides;
  const pc = s.floats(room);
  const left = new Operand(s, a, planes.strides[1]!, room);
  const right = new Operand(s, b, planes.strides[2]!, room);
  const to = s.floats(room);
  forEachBlock([condition, a, b, out], planes, room, (rows, cols, [chosen, fromA, fromB, at]) => {
    const count = rows * cols;
    s.writeBytes(pc, bytesOf(condition, strides!, chosen!, rows, cols, gathered), 0, count);
    left.load(fromA!, rows, cols);
    right.load(fromB!, rows, cols);
    s.call.select(pc, left.at, right.at, to, count);
    s.read(to, count, out.data, at!);
  });
  return true;
}
