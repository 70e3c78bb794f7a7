/** Reading and writing at computed positions along the middle axis of [outer, n, inner]. */
import { IndexError, RuntimeError } from "../../core/errors.ts";
import type { View } from "../backend.ts";
import { storing } from "./numbers.ts";
import { denseData, outData } from "./strided.ts";

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
      if (inner >= 32) target.set(source.subarray(from, from + inner), to);
      else for (let c = 0; c < inner; c++) target[to + c] = source[from + c]!;
    }
  }
}

export function indexAdd(out: View, index: View, source: View): void {
  const [outer, n, inner] = out.shape as [number, number, number];
  const target = outData(out);
  const chosen = denseData(index);
  const added = denseData(source);
  const store = storing(out.dtype);
  for (let r = 0, from = 0; r < outer; r++) {
    for (let k = 0; k < chosen.length; k++, from += inner) {
      const to = (r * n + checkedIndex(chosen[k]!, n)) * inner;
      for (let c = 0; c < inner; c++) target[to + c] = store(target[to + c]! + added[from + c]!);
    }
  }
}

/** Visits every index element: `at` its own flat position, `position` the flat position it names in [outer, n, inner]. */
function forEachIndexed(index: View, n: number, visit: (at: number, position: number) => void): void {
  const [outer, m, inner] = index.shape as [number, number, number];
  const chosen = denseData(index);
  for (let r = 0, at = 0; r < outer; r++) {
    for (let k = 0; k < m; k++) {
      for (let c = 0; c < inner; c++, at++) {
        const i = chosen[at]!;
        if (!(i >= 0 && i < n)) throw new RuntimeError(`index ${i} is out of bounds for an axis of size ${n}`);
        visit(at, (r * n + i) * inner + c);
      }
    }
  }
}

export function gather(x: View, index: View, out: View): void {
  const source = denseData(x);
  const target = outData(out);
  forEachIndexed(index, x.shape[1]!, (at, position) => {
    target[at] = source[position]!;
  });
}

export function scatterAdd(out: View, index: View, source: View): void {
  const target = outData(out);
  const added = denseData(source);
  const store = storing(out.dtype);
  forEachIndexed(index, out.shape[1]!, (at, position) => {
    target[position] = store(target[position]! + added[at]!);
  });
}
