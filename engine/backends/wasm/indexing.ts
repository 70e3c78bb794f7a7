/**
 * Rows and elements of float32 tensors by index. A plane [n, inner] is copied in whole, which costs less than picking what is
 * wanted from outside unless that is little; the other operand goes through in pieces.
 */
import type { View } from "../backend.ts";
import { denseData, outData } from "../reference/strided.ts";
import { MOST_BYTES, type Scratch } from "./scratch.ts";

/** Below this the calls cost more than the loop. */
const FEWEST = 64;

/** Elements of a piece: with its indices it stays near the processor. */
const PIECE = 16384;

/** A plane this many times as large as what is picked from it stays where it is. */
const SPARSE = 4;

interface Sizes {
  outer: number;
  n: number;
  inner: number;
  m: number;
  /** Planes that go together because they are small. */
  together: number;
}

/** How to walk a plane's tensor [outer, n, inner] beside one of [outer, m, inner]; null where it is better not done here. */
function sizesOf(whole: View, index: View, m: number, other: View): Sizes | null {
  const [outer, n, inner] = whole.shape as [number, number, number];
  if (whole.dtype.name !== "float32" || other.dtype.name !== "float32" || index.dtype.name !== "int64") return null;
  if (outer * m * inner < FEWEST || n > SPARSE * m || n * inner > MOST_BYTES / 8) return null;
  return { outer, n, inner, m, together: Math.max(1, Math.floor(PIECE / (Math.max(n, m) * inner))) };
}

/** The indices in the working memory. */
function writeIndices(s: Scratch, at: number, index: ArrayLike<number>): void {
  s.viewDoubles(at, index.length).set(index);
}

export function indexSelect(s: Scratch, x: View, index: View, out: View): boolean {
  const m = out.shape[1]!;
  const sizes = sizesOf(x, index, m, out);
  if (!sizes) return false;
  const { outer, n, inner, together } = sizes;
  s.begin();
  const at = s.doubles(m);
  const rows = Math.min(m, Math.max(1, Math.floor(PIECE / inner)));
  const from = s.floats(together * n * inner);
  const to = s.floats(together * rows * inner);
  writeIndices(s, at, denseData(index));
  if (!s.call.within(at, m, n)) return false;
  const source = denseData(x);
  const target = outData(out);
  for (let first = 0; first < outer; first += together) {
    const planes = Math.min(together, outer - first);
    s.write(from, source, first * n * inner, planes * n * inner);
    for (let row = 0; row < m; row += rows) {
      const count = Math.min(rows, m - row);
      s.call.selectRows(from, planes, n, inner, at + 8 * row, count, to);
      s.read(to, planes * count * inner, target, (first * m + row) * inner);
    }
  }
  return true;
}

export function indexAdd(s: Scratch, out: View, index: View, source: View): boolean {
  const m = source.shape[1]!;
  const sizes = sizesOf(out, index, m, source);
  if (!sizes) return false;
  const { outer, n, inner, together } = sizes;
  s.begin();
  const at = s.doubles(m);
  const rows = Math.min(m, Math.max(1, Math.floor(PIECE / inner)));
  const to = s.floats(together * n * inner);
  const from = s.floats(together * rows * inner);
  writeIndices(s, at, denseData(index));
  if (!s.call.within(at, m, n)) return false;
  const added = denseData(source);
  const target = outData(out);
  for (let first = 0; first < outer; first += together) {
    const planes = Math.min(together, outer - first);
    s.write(to, target, first * n * inner, planes * n * inner);
    for (let row = 0; row < m; row += rows) {
      const count = Math.min(rows, m - row);
      s.write(from, added, (first * m + row) * inner, planes * count * inner);
      s.call.addRows(to, planes, n, inner, at + 8 * row, count, from);
    }
    s.read(to, planes * n * inner, target, first * n * inner);
  }
  return true;
}

export function gather(s: Scratch, x: View, index: View, out: View): boolean {
  const m = out.shape[1]!;
  const sizes = sizesOf(x, index, m, out);
  if (!sizes) return false;
  const { outer, n, inner, together } = sizes;
  s.begin();
  const rows = Math.min(m, Math.max(1, Math.floor(PIECE / inner)));
  const at = s.doubles(together * rows * inner);
  const from = s.floats(together * n * inner);
  const to = s.floats(together * rows * inner);
  const chosen = denseData(index);
  const source = denseData(x);
  const target = outData(out);
  for (let first = 0; first < outer; first += together) {
    const planes = Math.min(together, outer - first);
    s.write(from, source, first * n * inner, planes * n * inner);
    for (let row = 0; row < m; row += rows) {
      const count = Math.min(rows, m - row);
      const start = (first * m + row) * inner;
      const size = planes * count * inner;
      writeIndices(s, at, chosen.subarray(start, start + size));
      if (!s.call.within(at, size, n)) return false;
      s.call.gather(from, planes, n, inner, at, count, to);
      s.read(to, size, target, start);
    }
  }
  return true;
}

export function scatterAdd(s: Scratch, out: View, index: View, source: View): boolean {
  const m = source.shape[1]!;
  const sizes = sizesOf(out, index, m, source);
  if (!sizes) return false;
  const { outer, n, inner, together } = sizes;
  const chosen = denseData(index);
  // Checked before anything is written: what was added can't be taken back.
  for (let i = 0; i < chosen.length; i++) if (!(chosen[i]! >= 0 && chosen[i]! < n)) return false;
  s.begin();
  const rows = Math.min(m, Math.max(1, Math.floor(PIECE / inner)));
  const at = s.doubles(together * rows * inner);
  const to = s.floats(together * n * inner);
  const from = s.floats(together * rows * inner);
  const added = denseData(source);
  const target = outData(out);
  for (let first = 0; first < outer; first += together) {
    const planes = Math.min(together, outer - first);
    s.write(to, target, first * n * inner, planes * n * inner);
    for (let row = 0; row < m; row += rows) {
      const count = Math.min(rows, m - row);
      const start = (first * m + row) * inner;
      const size = planes * count * inner;
      writeIndices(s, at, chosen.subarray(start, start + size));
      s.write(from, added, start, size);
      s.call.scatterAdd(to, planes, n, inner, at, count, from);
    }
    s.read(to, planes * n * inner, target, first * n * inner);
  }
  return true;
}
