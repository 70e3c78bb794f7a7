/** Running extremes and running sums of exponentials. */
import { bind } from "../core/arguments.ts";
import { int64 } from "../core/dtype.ts";
import { IndexError, NotImplementedError } from "../core/errors.ts";
import { SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { normalizeDim, numel } from "../core/shape.ts";
import { assertTensor, Tensor } from "../core/tensor.ts";
import { add, log, sub, where } from "./arithmetic.ts";
import { gt, lt } from "./comparison.ts";
import { type ValuesAndIndices, valuesAndIndices } from "./extremes.ts";
import { flip } from "./gathering.ts";
import { abs, exp } from "./pointwise.ts";
import { call, callMany, defineOp, type Method, methods, type Op } from "./registry.ts";
import { Scattered } from "./sorting.ts";

/** Calls `visit` with the place of each element along `dim`, line by line. */
function alongLines(x: Tensor, dim: number, visit: (place: number, k: number) => void): void {
  const n = x.shape[dim] ?? 1;
  const inner = numel(x.shape.slice(dim + 1));
  const outer = numel(x.shape.slice(0, dim));
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      for (let k = 0; k < n; k++) visit((o * n + k) * inner + i, k);
    }
  }
}

/** Of equals the last one counts; after a NaN there is nothing else. */
function runningExtreme(name: "cummax" | "cummin", gradFn: string): Op<{ dim: number }> {
  const wins = name === "cummax" ? (a: number, b: number) => a >= b : (a: number, b: number) => a <= b;
  return defineOp<{ dim: number }>({
    name,
    gradFn,
    kernels: [],
    forward(ctx, x: Tensor) {
      const data = x.denseData();
      const values = Tensor.empty(x.shape, x.dtype);
      const indices = Tensor.empty(x.shape, int64);
      let best = 0;
      let at = 0;
      alongLines(x, ctx.attrs.dim, (place, k) => {
        const value = data[place]!;
        if (k === 0 || Number.isNaN(value) || wins(value, best)) {
          best = value;
          at = k;
        }
        values.storage.data[place] = best;
        indices.storage.data[place] = at;
      });
      ctx.save(indices);
      ctx.notes = [...x.shape];
      return [values, indices];
    },
    backward({ attrs: { dim }, saved: [indices], notes }, grad: Tensor | null) {
      return [grad && call(Scattered, { dim, shape: notes as number[] }, grad, indices!)];
    },
  });
}

const Cummax = runningExtreme("cummax", "CummaxBackward0");
const Cummin = runningExtreme("cummin", "CumminBackward0");

function runningArguments(name: string, args: unknown[]): { input: Tensor; dim: number } {
  const { input, dim } = bind<{ input: Tensor; dim: number }>(name, ["!input", "!dim: int"], args);
  assertTensor(input, name, "input", 1);
  if (input.ndim === 0 && name !== "logcumsumexp" && dim !== 0 && dim !== -1) {
    throw new IndexError(`${name}(): Expected reduction dim -1 or 0 for scalar but got ${dim}`);
  }
  return { input, dim: normalizeDim(dim, input.ndim) };
}

/** The largest so far along `dim`, and where it stood: `[values, indices]`. https://docs.pytorch.org/docs/2.13/generated/torch.cummax.html */
export function cummax(input: Tensor, dim: number | { dim: number }): ValuesAndIndices;
export function cummax(...args: unknown[]): ValuesAndIndices {
  const { input, dim } = runningArguments("cummax", args);
  return valuesAndIndices("cummax", callMany(Cummax, { dim }, input));
}

/** The smallest so far along `dim`, and where it stood: `[values, indices]`. https://docs.pytorch.org/docs/2.13/generated/torch.cummin.html */
export function cummin(input: Tensor, dim: number | { dim: number }): ValuesAndIndices;
export function cummin(...args: unknown[]): ValuesAndIndices {
  const { input, dim } = runningArguments("cummin", args);
  return valuesAndIndices("cummin", callMany(Cummin, { dim }, input));
}

function logAddExp(a: number, b: number): number {
  if (Number.isNaN(b)) return b;
  const [low, high] = [Math.min(a, b), Math.max(a, b)];
  return low !== high || Number.isFinite(low) ? Math.log1p(Math.exp(low - high)) + high : a;
}

/** The lowest number of each floating dtype: what ATen takes for the logarithm of nothing. */
const LOWEST = { float32: -3.4028234663852886e38, float64: -Number.MAX_VALUE } as const;

const Logcumsumexp: Op<{ dim: number }> = defineOp({
  name: "logcumsumexp",
  gradFn: "LogcumsumexpBackward0",
  kernels: [],
  forward(ctx, x: Tensor) {
    const data = x.denseData();
    const out = Tensor.empty(x.shape, x.dtype);
    let running = Number.NEGATIVE_INFINITY;
    alongLines(x, ctx.attrs.dim, (place, k) => {
      running = logAddExp(data[place]!, k === 0 ? Number.NEGATIVE_INFINITY : running);
      out.storage.data[place] = running;
    });
    ctx.save(x, out);
    return out;
  },
  backward({ attrs: { dim }, saved: [x, out] }, grad: Tensor) {
    if (grad.ndim === 0 || grad.numel() === 0) return [grad];
    // Sums of either sign by their logarithms, so that nothing overflows on the way.
    const size = log(abs(grad));
    const lowest = LOWEST[grad.dtype.name as keyof typeof LOWEST];
    const share = (mask: Tensor) => {
      const logs = sub(where(mask, size, lowest), out!);
      return exp(add(flip(logcumsumexp(flip(logs, dim), dim), dim), x!));
    };
    return [sub(share(gt(grad, 0)), share(lt(grad, 0)))];
  },
});

/** log Σ e^x of the elements so far along `dim`. https://docs.pytorch.org/docs/2.13/generated/torch.logcumsumexp.html */
export function logcumsumexp(input: Tensor, dim: number | { dim: number }): Tensor;
export function logcumsumexp(...args: unknown[]): Tensor {
  const { input, dim } = runningArguments("logcumsumexp", args);
  if (!input.dtype.isFloatingPoint) {
    throw new NotImplementedError(
      `"logcumsumexp_out_cpu" not implemented for '${SCALAR_TYPE_NAMES[input.dtype.name]}'`,
    );
  }
  return call(Logcumsumexp, { dim }, input);
}

methods({ cummax, cummin, logcumsumexp });

declare module "../core/tensor.ts" {
  interface Tensor {
    /** The largest so far along a dimension: `[values, indices]`. */
    cummax: Method<typeof cummax>;
    /** The smallest so far along a dimension: `[values, indices]`. */
    cummin: Method<typeof cummin>;
    /** log Σ e^x of the elements so far along a dimension. */
    logcumsumexp: Method<typeof logcumsumexp>;
  }
}
