/** Reductions, and running sums and products. Sums of float32 are kept in double until they are stored. */
import type { TypedArray } from "../../core/dtype.ts";
import type { ReduceOp, View } from "../backend.ts";
import { checkedInt64, storing } from "./numbers.ts";
import { denseData, outData } from "./strided.ts";

/** Reduces `count` elements from `start` on, `step` apart. */
type Reduction = (x: TypedArray, start: number, step: number, count: number) => number;

const REDUCTIONS: Readonly<Record<ReduceOp, Reduction>> = {
  sum(x, start, step, count) {
    let sum = 0;
    for (let t = 0, i = start; t < count; t++, i += step) sum += x[i]!;
    return sum;
  },
  prod(x, start, step, count) {
    let product = 1;
    for (let t = 0, i = start; t < count; t++, i += step) product *= x[i]!;
    return product;
  },
  amax(x, start, step, count) {
    return x[start + step * argmax(x, start, step, count)]!;
  },
  amin(x, start, step, count) {
    return x[start + step * argmin(x, start, step, count)]!;
  },
  any(x, start, step, count) {
    for (let t = 0, i = start; t < count; t++, i += step) if (x[i] !== 0) return 1;
    return 0;
  },
  all(x, start, step, count) {
    for (let t = 0, i = start; t < count; t++, i += step) if (x[i] === 0) return 0;
    return 1;
  },
  argmax,
  argmin,
};

/** The first greatest, or the first NaN. */
function argmax(x: TypedArray, start: number, step: number, count: number): number {
  let winner = 0;
  let best = x[start]!;
  for (let t = 1, i = start + step; t < count && !Number.isNaN(best); t++, i += step) {
    const value = x[i]!;
    if (value > best || Number.isNaN(value)) {
      best = value;
      winner = t;
    }
  }
  return winner;
}

function argmin(x: TypedArray, start: number, step: number, count: number): number {
  let winner = 0;
  let best = x[start]!;
  for (let t = 1, i = start + step; t < count && !Number.isNaN(best); t++, i += step) {
    const value = x[i]!;
    if (value < best || Number.isNaN(value)) {
      best = value;
      winner = t;
    }
  }
  return winner;
}

/** Integer sums and products must be exact at every step, not only at the end. */
function exactReduction(op: "sum" | "prod"): Reduction {
  return (x, start, step, count) => {
    let total = op === "sum" ? 0 : 1;
    for (let t = 0, i = start; t < count; t++, i += step) {
      total = checkedInt64(op === "sum" ? total + x[i]! : total * x[i]!);
    }
    return total + 0;
  };
}

/** Where element t of row r is: at offset + r·outerStep + t·innerStep. What no one step reaches is copied. */
function rowsOf(x: View) {
  const [outer, ...axes] = x.shape as [number, ...number[]];
  const inner = axes.reduce((a, b) => a * b, 1);
  if (axes.length === 1) {
    return { data: x.data, offset: x.offset, outer, inner, outerStep: x.strides[0]!, innerStep: x.strides[1]! };
  }
  return { data: denseData(x), offset: 0, outer, inner, outerStep: inner, innerStep: 1 };
}

export function reduce(op: ReduceOp, x: View, out: View): void {
  const { data, offset, outer, inner, outerStep, innerStep } = rowsOf(x);
  const integers = x.dtype.category !== "floating" && out.dtype.category !== "floating";
  const reduction = integers && (op === "sum" || op === "prod") ? exactReduction(op) : REDUCTIONS[op];
  const store = storing(out.dtype);
  const target = outData(out);
  for (let r = 0; r < outer; r++) target[r] = store(reduction(data, offset + r * outerStep, innerStep, inner));
}

export function cumulative(op: "cumsum" | "cumprod", x: View, out: View): void {
  const [outer, n, inner] = x.shape as [number, number, number];
  const source = denseData(x);
  const target = outData(out);
  const store = storing(out.dtype);
  for (let r = 0; r < outer; r++) {
    for (let c = 0; c < inner; c++) {
      let running = op === "cumsum" ? 0 : 1;
      for (let t = 0, i = r * n * inner + c; t < n; t++, i += inner) {
        running = store(op === "cumsum" ? running + source[i]! : running * source[i]!);
        target[i] = running;
      }
    }
  }
}
