/** Losses of numbers: how far a prediction lies from its target. https://docs.pytorch.org/docs/2.13/nn.functional.html#loss-functions */

import { bind } from "../core/arguments.ts";
import { assertNumber } from "../core/checks.ts";
import type { DType, DTypeName } from "../core/dtype.ts";
import { RuntimeError, TypeError, ValueError } from "../core/errors.ts";
import { runNear } from "../core/placement.ts";
import { CPP_NAMES, getDefaultDtype, resultType, SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { sameShape } from "../core/shape.ts";
import { assertTensor, pythonTypeName, Tensor } from "../core/tensor.ts";
import { add, clamp, div, log, mul, neg, sub, where } from "./arithmetic.ts";
import { ge, le, lt } from "./comparison.ts";
import { to } from "./copy.ts";
import { l1Loss } from "./loss.ts";
import {
  broadcastPair,
  elementwiseArguments,
  LOSS_PARAMS,
  type LossOptions,
  type Reduction,
  type ReductionOption,
  readReduction,
  reduceLoss,
  weightedLoss,
} from "./loss_arguments.ts";
import { checkLossDtype } from "./loss_checks.ts";
import { filled, type Scalar } from "./operands.ts";
import { abs, exp, square } from "./pointwise.ts";
import { call, defineOp, type Op } from "./registry.ts";
import { unsqueeze } from "./view.ts";

/** @throws RuntimeError where a float would have to become an integer. */
function checkCast(from: DType, to: DType, names: Record<DTypeName, string> = SCALAR_TYPE_NAMES): void {
  if (to.isFloatingPoint || !from.isFloatingPoint) return;
  throw new RuntimeError(
    `result type ${SCALAR_TYPE_NAMES[from.name]} can't be cast to the desired output type ${names[to.name]}`,
  );
}

interface BendAttrs {
  /** Where the parabola becomes a line. */
  bend: number;
  reduction: Reduction;
}

/** A parabola near 0 and lines beyond; smooth_l1 is the same curve divided by its bend. */
function bentLoss(name: string, gradFn: string, scale: (bend: number) => number): Op<BendAttrs> {
  return defineOp<BendAttrs>({
    name,
    gradFn,
    kernels: ["binary", "unary", "where", "reduce"],
    forward(ctx, input: Tensor, target: Tensor) {
      const { bend, reduction } = ctx.attrs;
      ctx.save(input, target);
      const distance = abs(sub(input.detach(), target.detach()));
      const curve = where(lt(distance, bend), mul(mul(distance, distance), 0.5), mul(sub(distance, 0.5 * bend), bend));
      return reduceLoss(mul(curve, scale(bend)), reduction);
    },
    backward(ctx, grad: Tensor) {
      const { bend, reduction } = ctx.attrs;
      const [input, target] = ctx.saved;
      const difference = sub(input!, target!);
      const slope = where(ge(difference, bend), bend, where(le(difference, -bend), -bend, difference));
      const share = reduction === "mean" ? scale(bend) / difference.numel() : scale(bend);
      const inputGrad = mul(mul(slope, share), grad);
      return [inputGrad, ctx.needs[1] ? neg(inputGrad) : null];
    },
  });
}

const SmoothL1Loss = bentLoss("smooth_l1_loss", "SmoothL1LossBackward0", (beta) => 1 / beta);
const HuberLoss = bentLoss("huber_loss", "HuberLossBackward0", () => 1);

export interface SmoothL1LossOptions extends LossOptions {
  /** Distance at which the parabola becomes a line. Default 1; 0 is l1Loss. */
  beta?: number;
}

/**
 * 0.5 · d² / beta where d = |input - target| is below beta, d - 0.5 · beta elsewhere; reduced.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.smooth_l1_loss.html
 */
export function smoothL1Loss(input: Tensor, target: Tensor, options?: SmoothL1LossOptions): Tensor;
export function smoothL1Loss(...args: unknown[]): Tensor {
  const {
    input,
    target,
    reduction,
    beta = 1,
  } = elementwiseArguments<SmoothL1LossOptions>("smooth_l1_loss", ["*", "beta"], args);
  if (beta < 0) throw new RuntimeError("smooth_l1_loss does not support negative values for beta.");
  if (beta === 0) return l1Loss(input, target, { reduction });
  const pair = broadcastPair(input, target);
  const dtype = resultType(...pair);
  checkLossDtype("smooth_l1_cpu", dtype);
  return call(SmoothL1Loss, { bend: beta, reduction }, ...pair.map((x) => to(x, dtype)));
}

export interface HuberLossOptions extends ReductionOption {
  /** Distance at which the parabola becomes a line. Default 1. */
  delta?: number;
  /** Factor of each element, in the input's shape; the mean is over the elements. Default 1 each. */
  weight?: Tensor | null;
}

/**
 * 0.5 · d² where d = |input - target| is below delta, delta · (d - 0.5 · delta) elsewhere; reduced.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.huber_loss.html
 */
export function huberLoss(input: Tensor, target: Tensor, options?: HuberLossOptions): Tensor;
export function huberLoss(...args: unknown[]): Tensor {
  const {
    input,
    target,
    reduction,
    delta = 1,
    weight,
  } = elementwiseArguments<HuberLossOptions>("huber_loss", ["reduction", "delta", "weight", "*"], args, []);
  if (typeof delta !== "number") {
    throw new TypeError(`delta must be a float or int, got: <class '${pythonTypeName(delta)}'>`);
  }
  if (delta <= 0) throw new RuntimeError("huber_loss does not support non-positive values for delta.");
  const pair = broadcastPair(input, target);
  const dtype = resultType(...pair);
  checkLossDtype("huber_cpu", dtype);
  checkCast(dtype, input.dtype);
  const sides = pair.map((x) => to(x, dtype));
  const one = { bend: delta, reduction: weight ? "none" : reduction };
  // PyTorch allocates the losses of the elements in the input's dtype.
  const loss = to(call(HuberLoss, one, ...sides), input.dtype);
  return weight ? weightedLoss(loss, weight, { input, reduction, byWeight: false }) : loss;
}

export interface PoissonNllLossOptions extends LossOptions {
  /** Whether the input is the logarithm of the rate. Default true. */
  logInput?: boolean;
  /** Adds Stirling's approximation of log target!. Default false. */
  full?: boolean;
  /** Keeps log(0) away when logInput is false. Default 1e-8. */
  eps?: number;
}

/** Negative log likelihood of counts from a Poisson distribution. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.poisson_nll_loss.html */
export function poissonNllLoss(input: Tensor, target: Tensor, options?: PoissonNllLossOptions): Tensor;
export function poissonNllLoss(...args: unknown[]): Tensor {
  const {
    input,
    target,
    reduction,
    logInput = true,
    full = false,
    eps = 1e-8,
  } = elementwiseArguments<PoissonNllLossOptions>("poisson_nll_loss", ["logInput", "full", "*", "eps"], args);
  assertNumber(eps, "poisson_nll_loss", "eps", 5);
  const loss = logInput ? sub(exp(input), mul(target, input)) : sub(input, mul(target, log(add(input, eps))));
  if (!full) return reduceLoss(loss, reduction);
  const stirling = add(sub(mul(target, log(target)), target), mul(log(mul(target, 2 * Math.PI)), 0.5));
  return reduceLoss(add(loss, where(le(target, 1), 0, stirling)), reduction);
}

export interface GaussianNllLossOptions extends ReductionOption {
  /** Adds the constant 0.5 · log 2π. Default false. */
  full?: boolean;
  /** Least variance. Default 1e-6. */
  eps?: number;
}

/**
 * Negative log likelihood of targets from normal distributions.
 *
 * @param var variance in the input's shape, one per row, or a number
 * @see https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.gaussian_nll_loss.html
 */
export function gaussianNllLoss(
  input: Tensor,
  target: Tensor,
  variance: Tensor | Scalar,
  options?: GaussianNllLossOptions,
): Tensor;
export function gaussianNllLoss(...args: unknown[]): Tensor {
  const {
    input,
    target,
    var: given,
    full = false,
    eps = 1e-6,
    reduction = "mean",
  } = bind<{ input: Tensor; target: Tensor; var: Tensor | number } & GaussianNllLossOptions>(
    "gaussian_nll_loss",
    ["!input", "!target", "!var", "full", "eps", "reduction"],
    args,
  );
  assertTensor(input, "gaussian_nll_loss", "input", 1);
  assertTensor(target, "gaussian_nll_loss", "target", 2);
  const negative = given instanceof Tensor ? given.denseData().some((v) => v < 0) : given < 0;
  if (negative) throw new ValueError("var has negative entry/entries");
  let variance = given instanceof Tensor ? given : filled(input.shape, given, input.dtype);
  if (!sameShape(variance.shape, input.shape)) {
    const perRow = sameShape(input.shape.slice(0, -1), variance.shape);
    const { shape } = variance;
    const odd = shape.filter((size, dim) => size !== input.shape[dim]);
    const column = variance.ndim === input.ndim && odd.reduce((a, b) => a + b, 0) === 1;
    if (perRow) variance = unsqueeze(variance, -1);
    else if (!column) throw new ValueError("var is of incorrect size", { shapes: [input.shape, variance.shape] });
  }
  if (!["mean", "sum", "none"].includes(reduction)) throw new ValueError(`${reduction} is not valid`);
  if (!variance.dtype.isFloatingPoint) checkCast(getDefaultDtype(), variance.dtype, CPP_NAMES);
  // The bound changes the value, not the gradient, as in PyTorch.
  const safe = add(variance, sub(clamp(variance.detach(), eps), variance.detach()));
  const loss = mul(add(log(safe), div(square(sub(input, target)), safe)), 0.5);
  return reduceLoss(full ? add(loss, 0.5 * Math.log(2 * Math.PI)) : loss, reduction);
}

export interface MarginLossOptions extends LossOptions {
  /** Distance below which a pair still costs. Default 1 for the hinge of an embedding, else 0. */
  margin?: number;
}

/**
 * max(0, -target · (input1 - input2) + margin), reduced; target is 1 or -1. Default margin 0.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.margin_ranking_loss.html
 */
export function marginRankingLoss(input1: Tensor, input2: Tensor, target: Tensor, options?: MarginLossOptions): Tensor;
export function marginRankingLoss(...args: unknown[]): Tensor {
  const {
    input1,
    input2,
    target,
    margin = 0,
    ...options
  } = bind<{ input1: Tensor; input2: Tensor; target: Tensor } & MarginLossOptions>(
    "margin_ranking_loss",
    ["!input1", "!input2", "!target", "margin", "*", ...LOSS_PARAMS],
    args,
  );
  const reduction = readReduction(options);
  if (input1.ndim !== input2.ndim || input1.ndim !== target.ndim) {
    throw new RuntimeError(
      `margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: ${input1.shape}, input2: ${input2.shape}, target: ${target.shape} `,
    );
  }
  return reduceLoss(hinge(add(mul(neg(target), sub(input1, input2)), margin)), reduction);
}

const ClampMin: Op<{ min: number }> = defineOp({
  name: "clamp_min",
  gradFn: "ClampMinBackward0",
  kernels: ["binary"],
  forward(ctx, x: Tensor) {
    ctx.save(x);
    return clamp(x.detach(), ctx.attrs.min);
  },
  backward: ({ attrs, saved: [x] }, grad: Tensor) => [where(ge(x!, attrs.min), grad, 0)],
});

/** max(0, x), with gradient where x is 0, as ATen's clamp_min. */
export function hinge(x: Tensor): Tensor {
  return call(ClampMin, { min: 0 }, x);
}

/**
 * input where target is 1, max(0, margin - input) where it is -1; reduced. Default margin 1.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.hinge_embedding_loss.html
 */
export function hingeEmbeddingLoss(input: Tensor, target: Tensor, options?: MarginLossOptions): Tensor;
export function hingeEmbeddingLoss(...args: unknown[]): Tensor {
  const {
    input,
    target,
    reduction,
    margin = 1,
  } = elementwiseArguments<MarginLossOptions>("hinge_embedding_loss", ["margin", "*"], args);
  const zeros = runNear([input], () => filled(input.shape, 0, input.dtype));
  const far = where(target.eq(1), zeros, hinge(sub(margin, input)));
  const near = where(target.eq(-1), zeros, input);
  return reduceLoss(add(far, near), reduction);
}

const SoftMarginLoss: Op<{ reduction: Reduction }> = defineOp({
  name: "soft_margin_loss",
  gradFn: "SoftMarginLossBackward0",
  unlisted: [1],
  kernels: ["binary", "unary", "reduce"],
  forward(ctx, input: Tensor, target: Tensor) {
    ctx.save(input, target);
    // In place, as PyTorch computes it: the target has to fit the input.
    return reduceLoss(neg(input.detach()).mul_(target).exp_().log1p(), ctx.attrs.reduction);
  },
  backward({ attrs: { reduction }, saved: [input, target] }, grad: Tensor) {
    const share = reduction === "mean" ? 1 / input!.numel() : 1;
    const z = exp(mul(neg(target!), input!));
    return [mul(mul(neg(target!), div(z, add(z, 1))), mul(grad, share)), null];
  },
});

/** log(1 + e^(-target · input)), reduced; target is 1 or -1. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.soft_margin_loss.html */
export function softMarginLoss(input: Tensor, target: Tensor, options?: LossOptions): Tensor;
export function softMarginLoss(...args: unknown[]): Tensor {
  const { input, target, reduction } = elementwiseArguments("soft_margin_loss", ["*"], args);
  return call(SoftMarginLoss, { reduction }, input, target);
}
