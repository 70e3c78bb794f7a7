/** Losses. https://docs.pytorch.org/docs/2.13/nn.functional.html#loss-functions */
import { kernels } from "../backends/index.ts";
import { bind } from "../core/arguments.ts";
import { int64 } from "../core/dtype.ts";
import { IndexError, RuntimeError, ValueError } from "../core/errors.ts";
import { SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { numel, sameShape, sizeText } from "../core/shape.ts";
import { assertTensor, Tensor } from "../core/tensor.ts";
import { add, div, mul, neg, sub } from "./arithmetic.ts";
import { castRaw, denseRaw, viewAs } from "./operands.ts";
import { abs } from "./pointwise.ts";
import { mean, sum } from "./reduce.ts";
import { call, defineOp, type Op } from "./registry.ts";
import { logSoftmax } from "./softmax.ts";
import { reshape } from "./view.ts";

/** How the losses of the elements become one: their mean (default), their sum, or not at all. */
export type Reduction = "mean" | "sum" | "none";

export interface LossOptions {
  reduction?: Reduction;
}

function reduceLoss(loss: Tensor, reduction: Reduction): Tensor {
  return reduction === "mean" ? mean(loss) : reduction === "sum" ? sum(loss) : loss;
}

function checkReduction(reduction: string): asserts reduction is Reduction {
  if (!["mean", "sum", "none"].includes(reduction)) {
    throw new ValueError(`${reduction} is not a valid value for reduction`);
  }
}

function elementwise(name: string, args: unknown[]): { input: Tensor; target: Tensor; reduction: Reduction } {
  const {
    input,
    target,
    reduction = "mean",
  } = bind<{ input: Tensor; target: Tensor } & LossOptions>(name, ["!input", "!target", "*", "reduction"], args);
  assertTensor(input, name, "input", 1);
  assertTensor(target, name, "target", 2);
  checkReduction(reduction);
  return { input, target, reduction };
}

/** |input - target|, reduced. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.l1_loss.html */
export function l1Loss(input: Tensor, target: Tensor, options?: LossOptions): Tensor;
export function l1Loss(...args: unknown[]): Tensor {
  const { input, target, reduction } = elementwise("l1_loss", args);
  return reduceLoss(abs(sub(input, target)), reduction);
}

const MseLoss: Op<{ reduction: Reduction }> = defineOp({
  name: "mse_loss",
  gradFn: "MseLossBackward0",
  kernels: ["binary", "reduce"],
  forward(ctx, input: Tensor, target: Tensor) {
    ctx.save(input, target);
    const difference = sub(input.detach(), target.detach());
    return reduceLoss(mul(difference, difference), ctx.attrs.reduction);
  },
  backward(ctx, grad: Tensor) {
    const [input, target] = ctx.saved;
    const difference = sub(input!, target!);
    const scale = ctx.attrs.reduction === "mean" ? 2 / difference.numel() : 2;
    const inputGrad = mul(mul(difference, scale), grad);
    return [inputGrad, ctx.needs[1] ? neg(inputGrad) : null];
  },
});

/** (input - target)², reduced. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.mse_loss.html */
export function mseLoss(input: Tensor, target: Tensor, options?: LossOptions): Tensor;
export function mseLoss(...args: unknown[]): Tensor {
  const { input, target, reduction } = elementwise("mse_loss", args);
  return call(MseLoss, { reduction }, input, target);
}

interface NllAttrs {
  /** Class of every position, int64 [N, M]. */
  target: Tensor;
  /** Weight of every position: its class's, 0 where ignored. */
  weights: Float64Array;
  reduction: Reduction;
}

function totalWeight({ weights }: NllAttrs): number {
  return weights.reduce((a, b) => a + b, 0);
}

/** input [N, C, M] of log-probabilities → [N, M], or reduced. */
const NllLoss: Op<NllAttrs> = defineOp({
  name: "nll_loss",
  gradFn: "NllLossBackward0",
  kernels: ["gather", "reduce"],
  forward(ctx, input: Tensor) {
    const { target, weights, reduction } = ctx.attrs;
    ctx.notes = input.shape;
    const [n, c, m] = input.shape as unknown as [number, number, number];
    const losses = Tensor.empty([n, m], input.dtype);
    kernels.gather(viewAs(denseRaw(input), [n, c, m]), viewAs(target, [n, 1, m]), viewAs(losses, [n, 1, m]));
    const { data } = losses.storage;
    for (let i = 0; i < data.length; i++) data[i] = weights[i] === 0 ? 0 : -data[i]! * weights[i]!;
    if (reduction === "none") return losses;
    return reduction === "sum" ? sum(losses) : div(sum(losses), totalWeight(ctx.attrs));
  },
  backward: ({ attrs, notes }, grad: Tensor) => [call(NllLossGrad, { ...attrs, shape: notes as number[] }, grad)],
});

const NllLossGrad: Op<NllAttrs & { shape: readonly number[] }> = defineOp({
  name: "nll_loss_backward",
  gradFn: "NllLossBackwardBackward0",
  kernels: [],
  forward({ attrs }, grad: Tensor) {
    const { target, weights, reduction, shape } = attrs;
    const out = Tensor.empty(shape, grad.dtype);
    const [, c, m] = shape as unknown as [number, number, number];
    const incoming = grad.denseData();
    const share = reduction === "mean" ? 1 / totalWeight(attrs) : 1;
    target.storage.data.forEach((t, i) => {
      if (weights[i] === 0) return;
      const flat = (Math.floor(i / m) * c + t) * m + (i % m);
      out.storage.data[flat] = -(reduction === "none" ? incoming[i]! : incoming[0]! * share) * weights[i]!;
    });
    return out;
  },
  backward: ({ attrs }, grad: Tensor) => [call(NllLoss, attrs, grad)],
});

export interface ClassLossOptions extends LossOptions {
  /** Weight of each class [C]. Default 1 each. */
  weight?: Tensor | null;
  /** Targets with this class do not count. Default -100. */
  ignoreIndex?: number;
}

export interface CrossEntropyOptions extends ClassLossOptions {
  /** Share of the target spread evenly over all classes, 0 to 1. Default 0. */
  labelSmoothing?: number;
}

interface ClassArguments extends Required<Omit<CrossEntropyOptions, "weight">> {
  input: Tensor;
  target: Tensor;
  weight: Tensor | null;
}

function classArguments(name: string, params: readonly string[], args: unknown[]): ClassArguments {
  const bound = bind<{ input: Tensor; target: Tensor } & CrossEntropyOptions>(
    name,
    ["!input", "!target", "weight", "*", ...params],
    args,
  );
  const { input, target, weight = null, reduction = "mean", ignoreIndex = -100, labelSmoothing = 0 } = bound;
  assertTensor(input, name, "input", 1);
  assertTensor(target, name, "target", 2);
  checkReduction(reduction);
  const classes = input.shape[input.ndim === 1 ? 0 : 1] ?? 1;
  if (weight && (weight.ndim !== 1 || weight.numel() !== classes)) {
    throw new RuntimeError(
      `weight tensor should be defined either for all ${classes} classes or no classes but got weight tensor of shape: ${sizeText(weight.shape)}`,
    );
  }
  if (labelSmoothing < 0 || labelSmoothing > 1) {
    throw new RuntimeError(`label_smoothing must be between 0.0 and 1.0. Got: ${labelSmoothing}`);
  }
  return { input, target, weight, reduction, ignoreIndex, labelSmoothing };
}

/** Checks class indices against scores and lays both out as [N, C, M] and [N, M]. */
function arrange({ input, target, weight, ignoreIndex }: ClassArguments) {
  const scores = input.ndim === 1 ? input.unsqueeze(0) : input;
  const [n, c] = scores.shape as unknown as [number, number];
  const places = scores.shape.slice(2);
  const classes = input.ndim === 1 && target.ndim === 0 ? target.reshape(1) : target;
  if (scores.ndim <= 2 && classes.ndim > 1) {
    throw new RuntimeError("0D or 1D target tensor expected, multi-target not supported", {
      shapes: [input.shape, target.shape],
    });
  }
  if (classes.shape[0] !== n) {
    throw new ValueError(`Expected input batch_size (${n}) to match target batch_size (${classes.shape[0] ?? 0}).`, {
      shapes: [input.shape, target.shape],
    });
  }
  if (target.dtype !== int64 && target.dtype.name !== "uint8") {
    throw new RuntimeError(
      `expected target dtype to be Long or Byte, but got ${SCALAR_TYPE_NAMES[target.dtype.name]}`,
      {
        hint: "class indices are integers: target.long()",
      },
    );
  }
  if (!sameShape(classes.shape, [n, ...places])) {
    throw new RuntimeError(`Expected target size ${sizeText([n, ...places])}, got ${sizeText(classes.shape)}`, {
      shapes: [input.shape, target.shape],
    });
  }
  const given = castRaw(classes, int64).denseData();
  const perClass = weight?.denseData();
  const indices = Tensor.empty([n, numel(places)], int64);
  const weights = new Float64Array(given.length);
  given.forEach((t, i) => {
    if (t === ignoreIndex) return;
    if (t < 0 || t >= c) throw new IndexError(`Target ${t} is out of bounds.`);
    indices.storage.data[i] = t;
    weights[i] = perClass ? perClass[t]! : 1;
  });
  return { scores: reshape(scores, n, c, numel(places)), indices, weights, shape: target.shape };
}

/**
 * -input[target] for log-probabilities, reduced.
 *
 * @param input [N, C], [C] or [N, C, …]
 * @param target class indices [N], [] or [N, …]
 * @see https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.nll_loss.html
 */
export function nllLoss(input: Tensor, target: Tensor, options?: ClassLossOptions): Tensor;
export function nllLoss(...args: unknown[]): Tensor {
  const bound = classArguments("nll_loss", ["ignoreIndex", "reduction"], args);
  return indexLoss(bound, bound.input);
}

function indexLoss(bound: ClassArguments, logProbabilities: Tensor): Tensor {
  const { scores, indices, weights, shape } = arrange({ ...bound, input: logProbabilities });
  const loss = call(NllLoss, { target: indices, weights, reduction: bound.reduction }, scores);
  return bound.reduction === "none" ? reshape(loss, shape) : loss;
}

/**
 * -log softmax(input)[target], reduced: scores go in, not probabilities.
 *
 * @param input scores [N, C], [C] or [N, C, …]
 * @param target class indices [N], [] or [N, …], or probabilities in the input's shape
 * @see https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.cross_entropy.html
 */
export function crossEntropy(input: Tensor, target: Tensor, options?: CrossEntropyOptions): Tensor;
export function crossEntropy(...args: unknown[]): Tensor {
  const bound = classArguments("cross_entropy", ["ignoreIndex", "reduction", "labelSmoothing"], args);
  const { input, target, labelSmoothing } = bound;
  const logs = logSoftmax(input, input.ndim === 1 ? 0 : 1);
  if (sameShape(input.shape, target.shape) && target.dtype.isFloatingPoint) return probabilityLoss(bound, logs);
  return labelSmoothing > 0 ? smoothedLoss(bound, logs) : indexLoss(bound, logs);
}

function classAxis(x: Tensor): number {
  return x.ndim === 1 ? 0 : 1;
}

/** Weights of the classes, shaped to multiply scores. */
function alongClasses(weight: Tensor, like: Tensor): Tensor {
  return like.ndim === 1 ? weight : reshape(weight, [1, -1, ...like.shape.slice(2).map(() => 1)]);
}

/** ATen divides by a number in an operation of its own, which only shows in the name. */
const DivideByNumber = defineOp<{ divisor: number }>({
  name: "div.Scalar",
  gradFn: "DivBackward1",
  kernels: ["binary"],
  forward: ({ attrs }, x: Tensor) => div(x.detach(), attrs.divisor),
  backward: ({ attrs }, grad: Tensor) => [div(grad, attrs.divisor)],
});

function probabilityLoss({ input, target, weight, reduction, labelSmoothing }: ClassArguments, logs: Tensor): Tensor {
  const axis = classAxis(input);
  const classes = input.shape[axis]!;
  const smooth = labelSmoothing > 0 ? add(mul(target, 1 - labelSmoothing), labelSmoothing / classes) : target;
  const weighted = mul(logs, smooth);
  const loss = neg(sum(weight ? mul(weighted, alongClasses(weight, input)) : weighted, axis));
  if (reduction === "mean") return call(DivideByNumber, { divisor: input.numel() / classes }, sum(loss));
  return reduction === "sum" ? sum(loss) : loss;
}

/** (1 - ε) · loss of the target + ε / C · the loss spread over all classes. */
function smoothedLoss(bound: ClassArguments, logs: Tensor): Tensor {
  const { input, weight, reduction, labelSmoothing } = bound;
  const axis = classAxis(input);
  const classes = input.shape[axis]!;
  const { weights, shape } = arrange({ ...bound, input: logs });
  const ofTarget = indexLoss(bound, logs);
  const spread = neg(sum(weight ? mul(logs, alongClasses(weight, input)) : logs, axis));
  const counts = Tensor.empty(shape, input.dtype);
  counts.storage.data.set(weights.map((w) => (w === 0 ? 0 : 1)));
  const counted = mul(spread, counts);
  const total = weights.reduce((a, b) => a + b, 0);
  const ofAll = reduction === "none" ? counted : reduction === "sum" ? sum(counted) : div(sum(counted), total);
  return add(mul(ofTarget, 1 - labelSmoothing), mul(ofAll, labelSmoothing / classes));
}
