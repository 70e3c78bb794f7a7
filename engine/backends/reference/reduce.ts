/** Reductions, and running sums and products. Sums of float32 are kept in double until they are stored. */
import { allocate, type TypedArray } from "../../core/dtype.ts";
import type { ReduceOp, View } from "../backend.ts";
import { checkedInt64, storing } from "./numbers.ts";
import { denseData, forEachRun, outData, sizeOf, splitAxes } from "./strided.ts";

/** Reduces `count` elements from `start` on, `step` apart. */
type Reduction = (x: TypedArray, start: number, step: number, count: number) => number;

const REDUCTIONS: Readonly<Record<ReduceOp, Reduction>> = {
  sum(x, start, step, count) {
    let sum = 0;
    for (let t = 0, i = start; t < count; t++, i += step) sum += x[i]!;
    return sum;
  },
  sum_abs(x, start, step, count) {
    let sum = 0;
    for (let t = 0, i = start; t < count; t++, i += step) sum += Math.abs(x[i]!);
    return sum;
  },
  sum_squares(x, start, step, count) {
    let sum = 0;
    for (let t = 0, i = start; t < count; t++, i += step) sum += x[i]! * x[i]!;
    return sum;
  },
  logsumexp(x, start, step, count) {
    if (count === 0) return Number.NEGATIVE_INFINITY;
    const top = x[start + step * argmax(x, start, step, count)]!;
    const shift = Number.isFinite(top) ? top : 0;
    let sum = 0;
    for (let t = 0, i = start; t < count; t++, i += step) sum += Math.exp(x[i]! - shift);
    return Math.log(sum) + shift;
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

export function reduce(op: ReduceOp, x: View, out: View): void {
  const integers = x.dtype.category !== "floating" && out.dtype.category !== "floating";
  const reduction = integers && (op === "sum" || op === "prod") ? exactReduction(op) : REDUCTIONS[op];
  const store = storing(out.dtype);
  const target = outData(out);
  const [kept, reduced] = splitAxes(x, out.shape.length);
  const count = sizeOf(reduced);
  let at = 0;
  if (reduced.shape.length < 2) {
    const [apart = 1] = reduced.strides;
    forEachRun([kept], (length, [offset], [step]) => {
      for (let t = 0; t < length; t++) target[at++] = store(reduction(x.data, offset! + t * step!, apart, count));
    });
    return;
  }
  // What no one step reaches is gathered.
  const row = allocate(x.dtype, count);
  forEachRun([kept], (length, [offset], [step]) => {
    for (let t = 0; t < length; t++) {
      let to = 0;
      forEachRun([{ ...reduced, offset: offset! + t * step! }], (run, [from], [apart]) => {
        for (let k = 0, i = from!; k < run; k++, i += apart!) row[to++] = x.data[i]!;
      });
      target[at++] = store(reduction(row, 0, 1, count));
    }
  });
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
