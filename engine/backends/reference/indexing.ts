/** Reading and writing at computed positions along the middle axis of [outer, n, inner]. */
import { IndexError, RuntimeError } from "../../core/errors.ts";
import type { View } from "../backend.ts";
import { storing } from "./numbers.ts";
import { denseData, outData } from "./strided.ts";

/** From this length on a row is copied by a call of its own. */
const LONG_ROW = 32;

function checkedIndex(index: number, n: number): number {
  if (!(index >= 0 && index < n)) throw new IndexError("index out of range in self");
  return index;
}

export function indexSelect(x: View, index: View, out: View): void {
  const [outer, n, inner] = x.shape as [number, number, number];
  const source = denseData(x);
  const chosen = denseData(index);
  const target = outData(out);
  for (let r = 0, to = 0; r < outer; r++) {
    for (let k = 0; k < chosen.length; k++, to += inner) {
      const from = (r * n + checkedIndex(chosen[k]!, n)) * inner;
      if (inner >= LONG_ROW) target.set(source.subarray(from, from + inner), to);
      else for (let c = 0; c < inner; c++) target[to + c] = source[from + c]!;
    }
  }
}

export function indexAdd(out: View, index: View, source: View): void {
  const [outer, n, inner] = out.shape as [number, number, number];
  const target = outData(out);
  const chosen = denseData(index);
  const added = denseData(source);
  const isFloating = out.dtype.category === "floating";
  const store = storing(out.dtype);
  for (let r = 0, from = 0; r < outer; r++) {
    for (let k = 0; k < chosen.length; k++, from += inner) {
      const to = (r * n + checkedIndex(chosen[k]!, n)) * inner;
      if (isFloating) for (let c = 0; c < inner; c++) target[to + c] = target[to + c]! + added[from + c]!;
      else for (let c = 0; c < inner; c++) target[to + c] = store(target[to + c]! + added[from + c]!);
    }
  }
}

/** The flat position in [outer, n, inner] that each index element names. */
function positionsOf(index: View, n: number): Float64Array {
  const [outer, m, inner] = index.shape as [number, number, number];
  const chosen = denseData(index);
  const positions = new Float64Array(chosen.length);
  for (let r = 0, at = 0; r < outer; r++) {
    for (let k = 0; k < m; k++) {
      for (let c = 0; c < inner; c++, at++) {
        const i = chosen[at]!;
        if (!(i >= 0 && i < n)) throw new RuntimeError(`index ${i} is out of bounds for an axis of size ${n}`);
        positions[at] = (r * n + i) * inner + c;
      }
    }
  }
  return positions;
}

export function gather(x: View, index: View, out: View): void {
  const source = denseData(x);
  const target = outData(out);
  const positions = positionsOf(index, x.shape[1]!);
  for (let at = 0; at < positions.length; at++) target[at] = source[positions[at]!]!;
}

export function scatterAdd(out: View, index: View, source: View): void {
  const target = outData(out);
  const added = denseData(source);
  const positions = positionsOf(index, out.shape[1]!);
  const store = storing(out.dtype);
  for (let at = 0; at < positions.length; at++) {
    const to = positions[at]!;
    target[to] = store(target[to]! + added[at]!);
  }
}
