/** Scattering with a reduction. https://docs.pytorch.org/docs/2.13/generated/torch.scatter_reduce.html */
import { bind } from "../core/arguments.ts";
import { bool, int64 } from "../core/dtype.ts";
import { NotImplementedError, RuntimeError } from "../core/errors.ts";
import { assertTensor, type Tensor } from "../core/tensor.ts";
import { div, mul, where } from "./arithmetic.ts";
import { eq, gt, logicalAnd } from "./comparison.ts";
import { to } from "./copy.ts";
import { gather, maskedFill } from "./gathering.ts";
import { inPlace } from "./inplace.ts";
import { castRaw, copyRaw, filled } from "./operands.ts";
import { call, defineOp, type Method, methods, type Op } from "./registry.ts";
import { positions, scatter, scatterAdd, scatterArguments } from "./scattering.ts";

/** How elements that meet at one place become one. */
export type ScatterReduction = "sum" | "prod" | "mean" | "amax" | "amin";

interface Attrs {
  dim: number;
  index: Tensor;
  reduce: ScatterReduction;
  includeSelf: boolean;
}

const COMBINE: Record<ScatterReduction, (a: number, b: number) => number> = {
  sum: (a, b) => a + b,
  mean: (a, b) => a + b,
  prod: (a, b) => a * b,
  amax: Math.max,
  amin: Math.min,
};

const ScatterReduce: Op<Attrs> = defineOp({
  name: "scatter_reduce",
  gradFn: "ScatterReduceBackward0",
  kernels: [],
  forward(ctx, x: Tensor, source: Tensor) {
    const { dim, index, reduce, includeSelf } = ctx.attrs;
    const out = copyRaw(x);
    const to = out.storage.data;
    const from = source.denseData();
    const met = new Map<number, number>();
    const combine = COMBINE[reduce];
    positions(index, dim, x.shape).forEach((place, i) => {
      const count = met.get(place) ?? 0;
      const value = count === 0 && !includeSelf ? from[i]! : combine(to[place]!, from[i]!);
      to[place] = x.dtype === bool ? Number(value !== 0) : value;
      met.set(place, count + 1);
    });
    if (reduce === "mean") {
      for (const [place, count] of met) {
        const mean = to[place]! / (count + Number(includeSelf));
        to[place] = x.dtype.isFloatingPoint ? mean : Math.floor(mean);
      }
    }
    ctx.save(x, source, out);
    return out;
  },
  backward({ attrs, saved }, grad: Tensor) {
    const { dim, index, includeSelf } = attrs;
    const [x, source, out] = saved as [Tensor, Tensor, Tensor];
    const [ofSelf, ofSource] = gradients(attrs, grad, x, source, out);
    return [includeSelf ? ofSelf : scatter(ofSelf, dim, index, 0), ofSource];
  },
});

function gradients(attrs: Attrs, grad: Tensor, x: Tensor, source: Tensor, out: Tensor): [self: Tensor, src: Tensor] {
  const { dim, index, reduce, includeSelf } = attrs;
  const there = (values: Tensor) => gather(values, dim, index);
  if (reduce === "sum") return [grad, there(grad)];
  if (reduce === "mean") {
    const before = filled(x.shape, Number(includeSelf), x.dtype);
    const count = scatterAdd(before, dim, index, filled(index.shape, 1, x.dtype)).clamp(1);
    const share = div(grad, count);
    return [share, there(share)];
  }
  if (reduce === "prod") {
    // A zero factor cannot be divided out: it counts as 1, and only a lone one has a slope.
    const filledSelf = maskedFill(x, eq(x, 0), 1);
    const ofSelf = div(mul(grad, call(ScatterReduce, attrs, filledSelf, source)), filledSelf);
    const zero = eq(source, 0);
    const zeros = there(scatterAdd(filled(x.shape, 0, x.dtype), dim, index, to(zero, x.dtype)));
    const lone = logicalAnd(zero, eq(zeros, 1));
    const others = call(ScatterReduce, attrs, x, maskedFill(source, lone, 1));
    const byDivision = div(there(mul(grad, out)), maskedFill(source, zero, 1));
    const ofSource = where(lone, there(mul(grad, others)), byDivision);
    return [ofSelf, gt(zeros, 1).any().item() ? ofSource.detach() : ofSource];
  }
  const [selfWins, sourceWins] = [to(eq(x, out), grad.dtype), to(eq(source, there(out)), grad.dtype)];
  const share = div(grad, scatterAdd(selfWins, dim, index, sourceWins));
  return [mul(selfWins, share), mul(sourceWins, there(share))];
}

export interface ScatterReduceOptions {
  /** Whether the elements that were there take part. Default true. */
  includeSelf?: boolean;
}

/**
 * Puts the elements of `src` where index says along `dim`; those that meet are reduced: "sum", "prod", "mean", "amax" or "amin".
 * https://docs.pytorch.org/docs/2.13/generated/torch.Tensor.scatter_reduce_.html
 */
export function scatterReduce(
  input: Tensor,
  dim: number,
  index: Tensor,
  src: Tensor,
  reduce: ScatterReduction,
  options?: ScatterReduceOptions,
): Tensor;
export function scatterReduce(...args: unknown[]): Tensor {
  const {
    input,
    dim,
    index,
    src,
    reduce,
    includeSelf = true,
  } = bind<{ input: Tensor; dim: number; index: Tensor; src: Tensor; reduce: ScatterReduction } & ScatterReduceOptions>(
    "scatter_reduce",
    ["!input", "!dim: int", "!index: Tensor", "!src", "!reduce", "*", "includeSelf"],
    args,
  );
  assertTensor(input, "scatter_reduce", "input", 1);
  assertTensor(src, "scatter_reduce", "src", 4);
  const long = index.dtype.name === "int32" ? castRaw(index, int64) : index;
  if (!(reduce in COMBINE)) {
    throw new RuntimeError(`reduce argument must be either sum, prod, mean, amax or amin, got ${reduce}`);
  }
  const { axis, source } = scatterArguments("scatter", input, dim, long, src);
  if (reduce === "mean" && input.dtype === bool && index.numel() > 0) {
    throw new NotImplementedError(`"scatter_gather_tensor_cpu_reduce_mean" not implemented for 'Bool'`);
  }
  return call(ScatterReduce, { dim: axis, index: long, reduce, includeSelf }, input, source);
}

methods({
  scatterReduce,
  scatterReduce_: (
    self,
    dim: number,
    index: Tensor,
    src: Tensor,
    reduce: ScatterReduction,
    options: ScatterReduceOptions = {},
  ) => inPlace(self, (old) => scatterReduce(old, dim, index, src, reduce, options)),
});

declare module "../core/tensor.ts" {
  interface Tensor {
    /** The elements of src put where index says along a dimension; those that meet are reduced. */
    scatterReduce: Method<typeof scatterReduce>;
    /** Puts the elements of src where index says along a dimension, in place; those that meet are reduced. */
    scatterReduce_: Method<typeof scatterReduce>;
  }
}
