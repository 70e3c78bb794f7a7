/** Reductions that are met less often: without regard to NaN, and two at once. */
import { bind } from "../core/arguments.ts";
import { IndexError, RuntimeError } from "../core/errors.ts";
import { SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { normalizeDim } from "../core/shape.ts";
import { assertTensor, Tensor } from "../core/tensor.ts";
import { add, div, mul, where } from "./arithmetic.ts";
import { eq, isnan, logicalNot } from "./comparison.ts";
import { to } from "./copy.ts";
import { castRaw } from "./operands.ts";
import {
  type Dim,
  type DimAttrs,
  keepShape,
  mean,
  reduceArguments,
  reduceRaw,
  restore,
  type SumOptions,
  sum,
} from "./reduce.ts";
import { call, callMany, defineOp, type Method, methods, type Op } from "./registry.ts";
import { kept, Std, Var, type VarAttrs, type VarOptions, varArguments, varianceGradient } from "./statistics.ts";
import { expand } from "./view.ts";

const Nansum: Op<DimAttrs> = defineOp({
  name: "nansum",
  gradFn: "NansumBackward0",
  kernels: ["reduce", "unary", "where"],
  forward(ctx, x: Tensor) {
    const { dims, keepdim, dtype } = ctx.attrs;
    ctx.save(x);
    const given = castRaw(x.detach(), dtype);
    const out = reduceRaw("sum", dtype.isFloatingPoint ? where(isnan(given), 0, given) : given, dims, dtype);
    return keepdim ? new Tensor(out.storage, keepShape(x, dims)) : out;
  },
  backward({ attrs, saved: [x] }, grad: Tensor) {
    const restored = attrs.keepdim ? grad : restore(grad, attrs.dims);
    return [mul(expand(restored, x!.shape), logicalNot(isnan(x!)))];
  },
});

/** Sum of the elements that are numbers: NaN counts as 0. https://docs.pytorch.org/docs/2.13/generated/torch.nansum.html */
export function nansum(input: Tensor, dim?: Dim | SumOptions, options?: SumOptions): Tensor;
export function nansum(...args: unknown[]): Tensor {
  const { input, attrs } = reduceArguments("nansum", args);
  return call(Nansum, attrs, input);
}

/** Mean of the elements that are numbers. https://docs.pytorch.org/docs/2.13/generated/torch.nanmean.html */
export function nanmean(input: Tensor, dim?: Dim | SumOptions, options?: SumOptions): Tensor;
export function nanmean(...args: unknown[]): Tensor {
  const { input, dim, keepdim, dtype } = bind<{ input: Tensor } & SumOptions>(
    "nanmean",
    ["!input", "dim: int[1]?", "keepdim: bool", "*", "dtype"],
    args,
  );
  assertTensor(input, "nanmean", "input", 1);
  if (!input.dtype.isFloatingPoint) {
    throw new RuntimeError(
      `nanmean(): expected input to have floating point or complex dtype but got ${SCALAR_TYPE_NAMES[input.dtype.name]}`,
    );
  }
  if (dtype && !dtype.isFloatingPoint) {
    throw new RuntimeError(
      `nanmean(): could not infer output dtype. Optional dtype must be either a floating point or complex dtype. Got: ${SCALAR_TYPE_NAMES[dtype.name]}`,
    );
  }
  const numbers = sum(logicalNot(isnan(input.detach())), { dim, keepdim });
  return div(nansum(input, { dim, keepdim, dtype }), numbers);
}

/** Equal winners share the gradient. */
const Aminmax: Op<{ dims: number[]; keepdim: boolean }> = defineOp({
  name: "aminmax",
  gradFn: "AminmaxBackward0",
  kernels: ["reduce"],
  forward(ctx, x: Tensor) {
    const { dims, keepdim } = ctx.attrs;
    const both = (["amin", "amax"] as const).map((name) => reduceRaw(name, x, dims, x.dtype));
    const restored = both.map((out) => new Tensor(out.storage, keepShape(x, dims)));
    ctx.save(x, ...restored);
    return keepdim ? restored : both;
  },
  backward({ attrs: { dims, keepdim }, saved: [x, low, high] }, gradLow: Tensor | null, gradHigh: Tensor | null) {
    const share = (grad: Tensor | null, extreme: Tensor): Tensor | null => {
      if (!grad) return null;
      const winners = to(eq(x!, extreme), grad.dtype);
      return mul(div(winners, sum(winners, dims, { keepdim: true })), keepdim ? grad : restore(grad, dims));
    };
    const [a, b] = [share(gradLow, low!), share(gradHigh, high!)];
    return [a && b ? add(a, b) : (a ?? b)];
  },
});

/** The smallest and the largest; destructures as `[min, max]`. */
export type MinAndMax = [min: Tensor, max: Tensor] & { min: Tensor; max: Tensor };

export interface AminmaxOptions {
  /** Default: over everything. */
  dim?: number | null;
  /** Keeps the reduced dimension with size 1. Default false. */
  keepdim?: boolean;
}

/** The smallest and the largest of everything, or along `dim`: `[min, max]`. https://docs.pytorch.org/docs/2.13/generated/torch.aminmax.html */
export function aminmax(input: Tensor, options?: AminmaxOptions): MinAndMax;
export function aminmax(...args: unknown[]): MinAndMax {
  const {
    input,
    dim = null,
    keepdim = false,
  } = bind<{ input: Tensor } & AminmaxOptions>("aminmax", ["!input", "*", "dim: int?", "keepdim: bool"], args);
  assertTensor(input, "aminmax", "input", 1);
  if (dim === null && input.numel() === 0) {
    throw new RuntimeError(
      "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity.",
    );
  }
  const axis = normalizeDim(dim ?? 0, input.ndim);
  if (input.shape[axis] === 0) {
    throw new IndexError(`aminmax: Expected reduction dim ${axis} to have non-zero size.`);
  }
  const dims = dim === null ? input.shape.map((_, d) => d) : input.ndim === 0 ? [] : [axis];
  const [min, max] = callMany(Aminmax, { dims, keepdim }, input) as [Tensor, Tensor];
  const pair = Object.assign([min, max], { min, max }) as unknown as MinAndMax;
  Object.defineProperty(pair, "toString", { value: () => `torch.return_types.aminmax(\nmin=${min},\nmax=${max})` });
  return pair;
}

/** A measure of spread together with the mean. */
function withMean(name: "var_mean" | "std_mean", gradFn: string, spread: typeof Var): Op<VarAttrs> {
  return defineOp<VarAttrs>({
    name,
    gradFn,
    kernels: ["reduce", "binary", "unary"],
    forward(ctx, x: Tensor) {
      const { dims, keepdim } = ctx.attrs;
      const out = call(spread, ctx.attrs, x.detach());
      ctx.save(x, out);
      return [out, mean(x.detach(), dims.length === 0 ? null : dims, { keepdim })];
    },
    backward({ attrs, saved: [x, out] }, gradSpread: Tensor | null, gradMean: Tensor | null) {
      const ofVariance = (grad: Tensor) =>
        name === "var_mean" ? grad : where(eq(out!, 0), 0, div(grad, mul(out!, 2)));
      const a = gradSpread && varianceGradient(kept(ofVariance(gradSpread), attrs), x!, attrs);
      const b = gradMean && div(expand(kept(gradMean, attrs), x!.shape), attrs.count);
      return [a && b ? add(a, b) : (a ?? b)];
    },
  });
}

const VarMean = withMean("var_mean", "VarMeanBackward0", Var);
const StdMean = withMean("std_mean", "StdMeanBackward0", Std);

/** Variance, with Bessel's correction by default, and mean. https://docs.pytorch.org/docs/2.13/generated/torch.var_mean.html */
export function varMean(input: Tensor, dim?: Dim | VarOptions, options?: VarOptions): [variance: Tensor, mean: Tensor];
export function varMean(...args: unknown[]): Tensor[] {
  const { input, attrs } = varArguments("var_mean", args);
  return callMany(VarMean, attrs, input);
}

/** Standard deviation, with Bessel's correction by default, and mean. https://docs.pytorch.org/docs/2.13/generated/torch.std_mean.html */
export function stdMean(input: Tensor, dim?: Dim | VarOptions, options?: VarOptions): [deviation: Tensor, mean: Tensor];
export function stdMean(...args: unknown[]): Tensor[] {
  const { input, attrs } = varArguments("std_mean", args);
  return callMany(StdMean, attrs, input);
}

methods({ nansum, nanmean, aminmax });

declare module "../core/tensor.ts" {
  interface Tensor {
    /** Sum of the elements that are numbers, of all or over `dim`. */
    nansum: Method<typeof nansum>;
    /** Mean of the elements that are numbers, of all or over `dim`. */
    nanmean: Method<typeof nanmean>;
    /** The smallest and the largest, of everything or along `dim`: `[min, max]`. */
    aminmax: Method<typeof aminmax>;
  }
}
