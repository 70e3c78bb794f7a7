/**
 * float32 element-wise work and sums over dense tensors, a cache-sized chunk at a time: copied in, computed four at a time,
 * copied out. Short or strided tensors stay with the reference, which needs no copies.
 */
import type { TypedArray } from "../../core/dtype.ts";
import type { BinaryOp, UnaryOp, View } from "../backend.ts";
import { isDense, outData, sizeOf } from "../reference/strided.ts";
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

/** Below this the calls cost more than the loop. */
const FEWEST = 64;

export function unary(s: Scratch, op: UnaryOp, x: View, out: View): boolean {
  const code = UNARY.indexOf(op);
  const size = sizeOf(out);
  if (code < 0 || size < FEWEST || x.dtype.name !== "float32" || out.dtype.name !== "float32") return false;
  if (!isDense(x) || !isDense(out)) return false;
  s.begin();
  const target = outData(out);
  const room = Math.min(size, CHUNK);
  const from = s.floats(room);
  const to = s.floats(room);
  for (let start = 0; start < size; start += CHUNK) {
    const count = Math.min(CHUNK, size - start);
    s.write(from, x.data, x.offset + start, count);
    s.call.unary(code, from, to, count);
    s.read(to, count, target, start);
  }
  return true;
}

/** One operand of a binary operation: dense, or one number for all. */
function isScalar(x: View): boolean {
  return x.strides.every((stride, axis) => stride === 0 || x.shape[axis] === 1);
}

export function binary(s: Scratch, op: BinaryOp, a: View, b: View, out: View): boolean {
  const size = sizeOf(out);
  if (size < FEWEST || a.dtype.name !== "float32" || b.dtype.name !== "float32" || !isDense(out)) return false;
  const comparison = COMPARISONS.indexOf(op);
  const code = comparison >= 0 ? comparison : BINARY.indexOf(op);
  if (code < 0 || out.dtype.name !== (comparison >= 0 ? "bool" : "float32")) return false;
  const [scalarA, scalarB] = [isScalar(a), isScalar(b)];
  if (!(scalarA || isDense(a)) || !(scalarB || isDense(b))) return false;

  s.begin();
  const target = outData(out);
  const room = Math.min(size, CHUNK);
  const pa = s.floats(room);
  const pb = s.floats(room);
  const to = s.floats(room);
  if (scalarA) s.fill(pa, room, a.data[a.offset]!);
  if (scalarB) s.fill(pb, room, b.data[b.offset]!);
  for (let start = 0; start < size; start += CHUNK) {
    const count = Math.min(CHUNK, size - start);
    if (!scalarA) s.write(pa, a.data, a.offset + start, count);
    if (!scalarB) s.write(pb, b.data, b.offset + start, count);
    if (comparison >= 0) {
      s.call.compare(code, pa, pb, to, count);
      s.readBytes(to, count, target, start);
    } else {
      s.call.binary(code, pa, pb, to, count);
      s.read(to, count, target, start);
    }
  }
  return true;
}

/** Sums of long rows; short ones are quicker where they lie. */
export function sumRows(s: Scratch, x: View, out: View): boolean {
  const [outer, inner] = x.shape as [number, number];
  if (inner < 512 || x.dtype.name !== "float32" || out.dtype.name !== "float32" || x.strides[1] !== 1) return false;
  s.begin();
  const target: TypedArray = outData(out);
  const row = s.floats(Math.min(inner, CHUNK));
  for (let r = 0; r < outer; r++) {
    const base = x.offset + r * x.strides[0]!;
    let total = 0;
    for (let start = 0; start < inner; start += CHUNK) {
      const count = Math.min(CHUNK, inner - start);
      s.write(row, x.data, base + start, count);
      total += s.call.sum(row, count);
    }
    target[r] = total;
  }
  return true;
}
