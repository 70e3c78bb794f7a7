/** Copies of float32 matrices with rows and columns exchanged; all other copies are quick where they lie. */
import type { View } from "../backend.ts";
import { isDense, mergeAxes, sizeOf } from "../reference/strided.ts";
import type { Scratch } from "./scratch.ts";

/** Fewer elements are copied sooner than sent there and back. */
const FEWEST = 512;

/** A matrix is turned in one piece, of 16 MB at most. */
const MOST = 1 << 22;

/** x is [rows, columns], or a batch of them, and in memory [columns, rows]; out is dense. */
export function copy(s: Scratch, x: View, out: View): boolean {
  if (x.dtype.name !== "float32" || out.dtype.name !== "float32" || sizeOf(out) < FEWEST || !isDense(out)) return false;
  const { shape, strides } = mergeAxes([x, out]);
  if (shape.length !== 2 && shape.length !== 3) return false;
  const [rows, columns] = shape.slice(-2) as [number, number];
  const [from] = strides as [number[]];
  const size = rows * columns;
  if (from.at(-2) !== 1 || from.at(-1) !== rows || size > MOST) return false;
  const [count, step] = shape.length === 3 ? [shape[0]!, from[0]!] : [1, 0];
  // Small matrices of a batch go together where they lie behind one another.
  const together = step === size ? Math.max(1, Math.min(count, Math.floor(MOST / 64 / size))) : 1;
  if (together * size < FEWEST) return false;
  s.begin();
  const source = s.floats(together * size);
  const target = s.floats(together * size);
  for (let first = 0; first < count; first += together) {
    const many = Math.min(together, count - first);
    s.write(source, x.data, x.offset + first * step, many * size);
    for (let k = 0; k < many; k++) s.call.transpose(source + 4 * k * size, columns, rows, target + 4 * k * size);
    s.read(target, many * size, out.data, out.offset + first * size);
  }
  return true;
}
