/** Losses of probabilities: cross entropies of yes-or-no answers and divergences of distributions. */
import { bind } from "../core/arguments.ts";
import { RuntimeError, ValueError } from "../core/errors.ts";
import { SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { broadcastShapes, sameShape, sizeText } from "../core/shape.ts";
import { assertTensor, type Tensor } from "../core/tensor.ts";
import { warn } from "../core/warnings.ts";
import { logsigmoid } from "./activation.ts";
import { add, clamp, div, log, mul, neg, sub } from "./arithmetic.ts";
import { xlogy } from "./binary_more.ts";
import {
  checkFactor,
  checkReduction,
  elementwiseArguments,
  LOSS_PARAMS,
  type LossOptions,
  namedReduction,
  type Reduction,
  reduceLoss,
} from "./loss_arguments.ts";
import { checkLossDtype } from "./loss_checks.ts";
import { exp, log1p, sigmoid } from "./pointwise.ts";
import { mean, sum } from "./reduce.ts";
import { call, defineOp, type Op } from "./registry.ts";

interface BinaryAttrs {
  reduction: Reduction;
  weight: Tensor | null;
}

function weighted(loss: Tensor, weight: Tensor | null): Tensor {
  return weight ? mul(loss, weight) : loss;
}

const BinaryCrossEntropy: Op<BinaryAttrs> = defineOp({
  name: "binary_cross_entropy",
  gradFn: "BinaryCrossEntropyBackward0",
  kernels: ["unary", "binary", "reduce"],
  forward(ctx, input: Tensor, target: Tensor) {
    const { reduction, weight } = ctx.attrs;
    ctx.save(input, target);
    const [x, t] = [input.detach(), target.detach()];
    // Logarithms stop at -100, so that a sure wrong answer costs much but not infinitely much.
    const yes = clamp(log(x), -100);
    const no = clamp(log1p(neg(x)), -100);
    return reduceLoss(weighted(sub(mul(sub(t, 1), no), mul(t, yes)), weight), reduction);
  },
  backward(ctx, grad: Tensor) {
    const { reduction, weight } = ctx.attrs;
    const [x, t] = ctx.saved;
    const share = reduction === "mean" ? 1 / x!.numel() : 1;
    const incoming = weighted(mul(grad, share), weight);
    const inputGrad = ctx.needs[0] ? mul(incoming, div(sub(x!, t!), clamp(mul(sub(1, x!), x!), 1e-12))) : null;
    const targetGrad = ctx.needs[1] ? mul(incoming, sub(log1p(neg(x!)), log(x!))) : null;
    return [inputGrad, targetGrad];
  },
});

export interface BinaryCrossEntropyOptions extends LossOptions {
  /** Factor of each element's loss, broadcast. Default 1. */
  weight?: Tensor | null;
}

/**
 * -(target · log input + (1 - target) · log(1 - input)), reduced; the logarithms stop at -100.
 *
 * @param input probabilities between 0 and 1
 * @param target the same shape
 * @throws ValueError for different shapes, RuntimeError for an input that is no probability
 * @see https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.binary_cross_entropy.html
 */
export function binaryCrossEntropy(input: Tensor, target: Tensor, options?: BinaryCrossEntropyOptions): Tensor;
export function binaryCrossEntropy(...args: unknown[]): Tensor {
  const {
    input,
    target,
    weight = null,
    reduction,
  } = elementwiseArguments<BinaryCrossEntropyOptions>("binary_cross_entropy", ["weight", "*"], args);
  if (!sameShape(input.shape, target.shape)) {
    throw new ValueError(
      `Using a target size (${target.shape}) that is different to the input size (${input.shape}) is deprecated. Please ensure they have the same size.`,
      { shapes: [input.shape, target.shape] },
    );
  }
  const factors = weight ? broadcastWeight(weight, target) : null;
  if (target.dtype !== input.dtype) {
    throw new RuntimeError(
      `Found dtype ${SCALAR_TYPE_NAMES[target.dtype.name]} but expected ${SCALAR_TYPE_NAMES[input.dtype.name]}`,
    );
  }
  checkFactor(factors, input);
  checkLossDtype("binary_cross_entropy", input.dtype);
  if (input.denseData().some((p) => !(p >= 0 && p <= 1))) {
    throw new RuntimeError("all elements of input should be between 0 and 1", {
      hint: "pass it through a sigmoid, or use binaryCrossEntropyWithLogits",
    });
  }
  return call(BinaryCrossEntropy, { reduction, weight: factors }, input, target);
}

function broadcastWeight(weight: Tensor, { shape }: Tensor): Tensor {
  const lead = shape.length - weight.ndim;
  weight.shape.forEach((size, dim) => {
    const other = shape[lead + dim] ?? 1;
    if (size === 1 || other === 1 || size === other) return;
    throw new RuntimeError(
      `Attempting to broadcast a dimension of length ${size} at ${dim - weight.ndim}! Mismatching argument at index 1 had ${weight.shape}; but expected shape should be broadcastable to ${sizeText(shape)}`,
      { shapes: [weight.shape, shape] },
    );
  });
  return weight.expand(broadcastShapes(weight.shape, shape));
}

interface LogitAttrs extends BinaryAttrs {
  posWeight: Tensor | null;
}

/** (1 - t) · x - (1 + (p - 1) · t) · log sigmoid(x), which no x overflows. */
const BinaryCrossEntropyWithLogits: Op<LogitAttrs> = defineOp({
  name: "binary_cross_entropy_with_logits",
  gradFn: "BinaryCrossEntropyWithLogitsBackward0",
  kernels: ["unary", "binary", "reduce"],
  forward(ctx, input: Tensor, target: Tensor) {
    const { reduction, weight, posWeight } = ctx.attrs;
    ctx.save(input, target);
    const [x, t] = [input.detach(), target.detach()];
    const logs = logsigmoid(x);
    // In place, as PyTorch computes it: the operands have to fit the scores.
    if (posWeight) logs.mul_(add(mul(sub(posWeight, 1), t), 1));
    const loss = sub(1, t).mul_(x).sub_(logs);
    return reduceLoss(weight ? loss.mul_(weight) : loss, reduction);
  },
  backward(ctx, grad: Tensor) {
    const { reduction, weight, posWeight } = ctx.attrs;
    const [x, t] = ctx.saved;
    const share = reduction === "mean" ? 1 / x!.numel() : 1;
    const incoming = weighted(mul(grad, share), weight);
    const yes = posWeight ? mul(posWeight, t!) : t!;
    const inputGrad = ctx.needs[0] ? mul(incoming, sub(mul(sub(add(yes, 1), t!), sigmoid(x!)), yes)) : null;
    const targetSlope = () => (posWeight ? sub(logsigmoid(neg(x!)), mul(posWeight, logsigmoid(x!))) : neg(x!));
    return [inputGrad, ctx.needs[1] ? mul(incoming, targetSlope()) : null];
  },
});

export interface BinaryCrossEntropyWithLogitsOptions extends BinaryCrossEntropyOptions {
  /** Factor of the yes answers, one for each class, broadcast. Default 1. */
  posWeight?: Tensor | null;
}

/**
 * binaryCrossEntropy of sigmoid(input), stable for large scores.
 *
 * @param input scores
 * @param target the same shape, between 0 and 1
 * @see https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.binary_cross_entropy_with_logits.html
 */
export function binaryCrossEntropyWithLogits(
  input: Tensor,
  target: Tensor,
  options?: BinaryCrossEntropyWithLogitsOptions,
): Tensor;
export function binaryCrossEntropyWithLogits(...args: unknown[]): Tensor {
  const {
    input,
    target,
    weight = null,
    posWeight = null,
    reduction,
  } = elementwiseArguments<BinaryCrossEntropyWithLogitsOptions>(
    "binary_cross_entropy_with_logits",
    ["weight", "*", "posWeight"],
    args,
  );
  if (!sameShape(input.shape, target.shape)) {
    throw new ValueError(`Target size (${target.shape}) must be the same as input size (${input.shape})`, {
      shapes: [input.shape, target.shape],
    });
  }
  return call(BinaryCrossEntropyWithLogits, { reduction, weight, posWeight }, input, target);
}

export interface KlDivOptions extends Omit<LossOptions, "reduction"> {
  /** "batchmean": the sum over the batch's size, which is the divergence. Default "mean", the mean of all elements. */
  reduction?: Reduction | "batchmean";
  /** Whether target holds logarithms too. Default false. */
  logTarget?: boolean;
}

/**
 * target · (log target - input), reduced; input holds logarithms.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.kl_div.html
 */
export function klDiv(input: Tensor, target: Tensor, options?: KlDivOptions): Tensor;
export function klDiv(...args: unknown[]): Tensor {
  const {
    input,
    target,
    logTarget = false,
    ...options
  } = bind<{ input: Tensor; target: Tensor } & KlDivOptions>(
    "kl_div",
    ["!input", "!target", "*", "logTarget", ...LOSS_PARAMS],
    args,
  );
  assertTensor(input, "kl_div", "input", 1);
  assertTensor(target, "kl_div", "target", 2);
  if ((options.reduction ?? "mean") === "mean" && (options.sizeAverage ?? options.reduce ?? null) === null) {
    warn(
      "reduction: 'mean' divides the total loss by both the batch size and the support size.'batchmean' divides only by the batch size, and aligns with the KL div math definition.'mean' will be changed to behave the same as 'batchmean' in the next major release.",
    );
  }
  const reduction = namedReduction(options);
  if (reduction !== "batchmean") checkReduction(reduction);
  if (!input.dtype.isFloatingPoint || !target.dtype.isFloatingPoint) {
    throw new RuntimeError("kl_div: Integral inputs not supported.", { hint: "convert them first: x.float()" });
  }
  const loss = logTarget ? mul(exp(target), sub(target, input)) : sub(xlogy(target, target), mul(target, input));
  if (reduction === "batchmean") return input.ndim === 0 ? sum(loss) : div(sum(loss), input.shape[0]!);
  return reduceLoss(loss, reduction);
}

export interface MultilabelSoftMarginLossOptions extends LossOptions {
  /** Weight of each class [C]. Default 1 each. */
  weight?: Tensor | null;
}

/**
 * Mean over the classes of binary cross entropies with logits; reduced over the samples.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.multilabel_soft_margin_loss.html
 */
export function multilabelSoftMarginLoss(
  input: Tensor,
  target: Tensor,
  options?: MultilabelSoftMarginLossOptions,
): Tensor;
export function multilabelSoftMarginLoss(...args: unknown[]): Tensor {
  const {
    input,
    target,
    weight = null,
    ...options
  } = bind<{ input: Tensor; target: Tensor } & MultilabelSoftMarginLossOptions>(
    "multilabel_soft_margin_loss",
    ["!input", "!target", "weight", "*", ...LOSS_PARAMS],
    args,
  );
  assertTensor(input, "multilabel_soft_margin_loss", "input", 1);
  const reduction = namedReduction(options);
  const loss = neg(add(mul(target, logsigmoid(input)), mul(sub(1, target), logsigmoid(neg(input)))));
  const classes = input.size(-1);
  // Where the target has more dimensions, this one is no longer the last: PyTorch counts it from the front all the same.
  const perSample = div(sum(weighted(loss, weight), input.ndim - 1), classes);
  if (reduction === "none") return perSample;
  if (reduction === "mean") return mean(perSample);
  if (reduction === "sum") return sum(perSample);
  throw new ValueError(`${reduction} is not valid`);
}
