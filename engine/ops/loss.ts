/** Losses. https://docs.pytorch.org/docs/2.13/nn.functional.html#loss-functions */

import { kernels } from "../backends/index.ts";
import { bind } from "../core/arguments.ts";
import { assertInt, assertNumber } from "../core/checks.ts";
import { bool, int64, type TypedArray } from "../core/dtype.ts";
import { IndexError } from "../core/errors.ts";
import { resultType } from "../core/promotion.ts";
import { numel, sameShape } from "../core/shape.ts";
import { assertTensor, Tensor } from "../core/tensor.ts";
import { add, div, mul, neg, pow, sub, where } from "./arithmetic.ts";
import { to } from "./copy.ts";
import { goesByKernels } from "./linear_map.ts";
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
import { checkClassTarget, checkLossDtype, checkProbabilityTarget, checkSmoothing } from "./loss_checks.ts";
import { lossesOnDevice, lossGradientOnDevice, type TargetsOnDevice, targetsOnDevice } from "./loss_on_device.ts";
import { castRaw, denseRaw, viewAs } from "./operands.ts";
import { abs } from "./pointwise.ts";
import { sum } from "./reduce.ts";
import { call, defineOp, type Op } from "./registry.ts";
import { logSoftmax } from "./softmax.ts";
import { reshape } from "./view.ts";

export type { LossOptions, Reduction, ReductionOption };

/** |input - target|, reduced. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.l1_loss.html */
export function l1Loss(input: Tensor, target: Tensor, options?: WeightedLossOptions): Tensor;
export function l1Loss(...args: unknown[]): Tensor {
  const { input, target, reduction, weight } = elementwiseArguments<WeightedLossOptions>(
    "l1_loss",
    ["*", "weight"],
    args,
  );
  const loss = abs(sub(...broadcastPair(input, target)));
  return weight ? weightedLoss(loss, weight, { input, reduction, byWeight: true }) : reduceLoss(loss, reduction);
}

export interface WeightedLossOptions extends LossOptions {
  /** Factor of each element, in the input's shape; the mean is over the weights. Default 1 each. */
  weight?: Tensor | null;
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
export function mseLoss(input: Tensor, target: Tensor, options?: WeightedLossOptions): Tensor;
export function mseLoss(...args: unknown[]): Tensor {
  const { input, target, reduction, weight } = elementwiseArguments<WeightedLossOptions>(
    "mse_loss",
    ["*", "weight"],
    args,
  );
  const pair = broadcastPair(input, target);
  if (weight) return weightedLoss(pow(sub(...pair), 2), weight, { input, reduction, byWeight: true });
  const dtype = resultType(...pair);
  checkLossDtype("mse_cpu", dtype);
  return call(MseLoss, { reduction }, ...pair.map((x) => to(x, dtype)));
}

interface NllAttrs {
  /** Class of every position, int64 [N, M]. */
  target: Tensor;
  /** Weight of every position: its class's, 0 where ignored. */
  weights: Float64Array;
  /** 1 where a position does not count at all. */
  ignored: Uint8Array;
  /** In place of the three where they are not on the CPU. */
  onDevice: TargetsOnDevice | null;
  reduction: Reduction;
  /** Classes, of each sample or each pixel: [C], [N, C] or [N, C, H, W]. */
  layout: readonly number[];
}

/** [N, C, M] */
function nllSizes({ layout, target }: NllAttrs): [n: number, c: number, m: number] {
  return [target.shape[0]!, classesIn(layout), target.shape[1]!];
}

function classesIn(layout: readonly number[]): number {
  return layout[layout.length === 1 ? 0 : 1]!;
}

/** The shape of one loss each. */
function nllLosses({ layout }: NllAttrs): number[] {
  return layout.length === 1 ? [] : [layout[0]!, ...layout.slice(2)];
}

function totalWeight({ weights, onDevice }: Pick<NllAttrs, "weights" | "onDevice">): number | Tensor {
  return onDevice ? sum(onDevice.weights) : weights.reduce((a, b) => a + b, 0);
}

function reduceClassLoss(losses: Tensor, attrs: Pick<NllAttrs, "weights" | "onDevice" | "reduction">): Tensor {
  if (attrs.reduction === "none") return losses;
  return attrs.reduction === "sum" ? sum(losses) : div(sum(losses), totalWeight(attrs));
}

/** Log-probabilities of classes → one loss each, or reduced. */
const NllLoss: Op<NllAttrs> = defineOp({
  name: "nll_loss",
  gradFn: ({ layout }) => (layout.length === 4 ? "NllLoss2DBackward0" : "NllLossBackward0"),
  kernels: ["gather", "reduce"],
  forward({ attrs }, input: Tensor) {
    const { target, weights, ignored, onDevice, layout } = attrs;
    if (onDevice) {
      return reduceClassLoss(lossesOnDevice(onDevice, input, classesIn(layout), nllLosses(attrs)), attrs);
    }
    const [n, c, m] = nllSizes(attrs);
    const losses = Tensor.empty(nllLosses(attrs), input.dtype);
    kernels.gather(viewAs(denseRaw(input), [n, c, m]), viewAs(target, [n, 1, m]), viewAs(losses, [n, 1, m]));
    const { data } = losses.storage;
    for (let i = 0; i < data.length; i++) data[i] = ignored[i] ? 0 : -data[i]! * weights[i]!;
    return reduceClassLoss(losses, attrs);
  },
  backward: ({ attrs }, grad: Tensor) => [call(NllLossGrad, attrs, grad)],
});

const NllLossGrad: Op<NllAttrs> = defineOp({
  name: "nll_loss_backward",
  gradFn: ({ layout }) => (layout.length === 4 ? "NllLoss2DBackwardBackward0" : "NllLossBackwardBackward0"),
  kernels: [],
  forward({ attrs }, grad: Tensor) {
    const { target, weights, ignored, onDevice, reduction, layout } = attrs;
    if (onDevice) {
      const total = reduction === "mean" ? sum(onDevice.weights) : null;
      return lossGradientOnDevice(onDevice, grad, { layout, classes: classesIn(layout), total });
    }
    const out = Tensor.empty(layout, grad.dtype);
    const [, c, m] = nllSizes(attrs);
    const incoming = grad.denseData();
    const share = reduction === "mean" ? 1 / weights.reduce((a, b) => a + b, 0) : 1;
    target.denseData().forEach((t, i) => {
      if (ignored[i]) return;
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

export interface ClassArguments {
  input: Tensor;
  target: Tensor;
  weight: Tensor | null;
  reduction: Reduction;
  ignoreIndex: number;
  labelSmoothing: number;
}

function classArguments(name: string, params: readonly string[], args: unknown[]): ClassArguments {
  const bound = bind<{ input: Tensor; target: Tensor } & CrossEntropyOptions>(
    name,
    ["!input", "!target", "weight", "*", ...params, ...LOSS_PARAMS],
    args,
  );
  const { input, target, weight = null, ignoreIndex = -100, labelSmoothing = 0 } = bound;
  const kernel = name === "cross_entropy" ? "cross_entropy_loss" : `${name}_nd`;
  assertInt(ignoreIndex, kernel, "ignore_index", 5);
  assertNumber(labelSmoothing, kernel, "label_smoothing", 6);
  assertTensor(input, name, "input", 1);
  assertTensor(target, name, "target", 2);
  return { input, target, weight, reduction: readReduction(bound), ignoreIndex, labelSmoothing };
}

function checkClasses(targets: TypedArray, classes: number, ignoreIndex: number): void {
  for (const t of targets) {
    if (t !== ignoreIndex && !(t >= 0 && t < classes)) throw new IndexError(`Target ${t} is out of bounds.`);
  }
}

const NONE = new Float64Array(0);
const NO_FLAGS = new Uint8Array(0);

/** Class indices as [N, M], and scores with two places where they have one or more than two, as ATen lays them out. */
function arrange(bound: ClassArguments) {
  checkClassTarget(bound);
  const { input, target, weight, ignoreIndex } = bound;
  const [n, c] = (input.ndim === 1 ? [1, ...input.shape] : input.shape) as [number, number];
  const places = input.shape.slice(2);
  const native = input.ndim < 3 || input.ndim === 4;
  const scores = native ? input : reshape(input, n, c, 1, numel(places));
  if (goesByKernels(input) && target.device === input.device) {
    if (target.storage.isAtHand) checkClasses(castRaw(target, int64).denseData(), c, ignoreIndex);
    const sizes = [n, c, numel(places)] as const;
    const onDevice = targetsOnDevice(input, target, weight, { sizes, ignoreIndex });
    return { scores, indices: onDevice.index, weights: NONE, ignored: NO_FLAGS, onDevice, shape: target.shape };
  }
  const given = castRaw(target, int64).denseData();
  checkClasses(given, c, ignoreIndex);
  const perClass = weight?.denseData();
  const indices = Tensor.empty([n, numel(places)], int64);
  const weights = new Float64Array(given.length);
  const ignored = new Uint8Array(given.length);
  given.forEach((t, i) => {
    if (t === ignoreIndex) {
      ignored[i] = 1;
      return;
    }
    indices.storage.data[i] = t;
    weights[i] = perClass ? perClass[t]! : 1;
  });
  return { scores, indices, weights, ignored, onDevice: null, shape: target.shape };
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
  const bound = classArguments("nll_loss", ["ignoreIndex"], args);
  return indexLoss(bound, bound.input);
}

function indexLoss(bound: ClassArguments, logProbabilities: Tensor): Tensor {
  const { scores, indices, shape, ...parts } = arrange({ ...bound, input: logProbabilities });
  const { reduction } = bound;
  const loss = call(NllLoss, { ...parts, target: indices, reduction, layout: scores.shape }, scores);
  return reduction === "none" && !sameShape(loss.shape, shape) ? reshape(loss, shape) : loss;
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
  const bound = classArguments("cross_entropy", ["ignoreIndex", "labelSmoothing"], args);
  const { input, target, labelSmoothing } = bound;
  const logs = logSoftmax(input, input.ndim <= 1 ? 0 : 1);
  if (sameShape(input.shape, target.shape)) {
    checkProbabilityTarget(bound);
    return probabilityLoss(bound, logs);
  }
  if (labelSmoothing <= 0) return indexLoss(bound, logs);
  checkSmoothing(labelSmoothing);
  return smoothedLoss(bound, logs);
}

function classAxis(x: Tensor): number {
  return x.ndim === 1 ? 0 : 1;
}

/** Weights of the classes, shaped to multiply scores. */
function alongClasses(weight: Tensor, like: Tensor): Tensor {
  return like.ndim === 1 ? weight : reshape(weight, [1, -1, ...like.shape.slice(2).map(() => 1)]);
}

/** ATen divides by a number in an operation of its own, which only shows in the name. */
export const DivideByNumber = defineOp<{ divisor: number }>({
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
  const terms = weight ? mul(weighted, alongClasses(weight, input)) : weighted;
  if (reduction === "none") return neg(sum(terms, axis));
  const total = neg(sum(terms));
  return reduction === "mean" ? call(DivideByNumber, { divisor: input.numel() / classes }, total) : total;
}

/** (1 - ε) · loss of the target + ε / C · the loss spread over all classes. */
function smoothedLoss(bound: ClassArguments, logs: Tensor): Tensor {
  const { input, weight, reduction, labelSmoothing } = bound;
  const axis = classAxis(input);
  const classes = input.shape[axis]!;
  const { weights, ignored, onDevice, shape } = arrange({ ...bound, input: logs });
  const ofTarget = indexLoss(bound, logs);
  const spread = neg(sum(weight ? mul(logs, alongClasses(weight, input)) : logs, axis));
  const counts = onDevice ? new Tensor(onDevice.counts.storage, shape) : Tensor.empty(shape, bool);
  if (!onDevice) counts.storage.data.set(ignored.map((one) => 1 - one));
  const counted = where(counts, spread, 0);
  const ofAll = reduceClassLoss(counted, { weights, onDevice, reduction });
  return add(mul(ofTarget, 1 - labelSmoothing), mul(ofAll, labelSmoothing / classes));
}
