/** Hinge losses over classes, one or several of them right. */
import { bind } from "../core/arguments.ts";
import { bool, int64 } from "../core/dtype.ts";
import { RuntimeError, ValueError } from "../core/errors.ts";
import { runNear } from "../core/placement.ts";
import { sameShape, sizeText } from "../core/shape.ts";
import { assertTensor, Tensor } from "../core/tensor.ts";
import { add, mul, pow, sub, where } from "./arithmetic.ts";
import { gt, logicalAnd, logicalNot } from "./comparison.ts";
import {
  elementwiseArguments,
  LOSS_PARAMS,
  type LossOptions,
  type Reduction,
  readReduction,
  reduceLoss,
} from "./loss_arguments.ts";
import { checkLossDtype, checkScalarType } from "./loss_checks.ts";
import { sum } from "./reduce.ts";
import { call, defineOp, type Op } from "./registry.ts";
import { reshape } from "./view.ts";

interface MultiMarginAttrs {
  p: 1 | 2;
  margin: number;
  reduction: Reduction;
  /** True at each sample's class, [N, C] or [C]. */
  chosen: Tensor;
  /** What each sample's terms are multiplied by, [N, 1] or [1]: its class's weight over the number of classes. */
  share: Tensor;
}

const distance = (x: Tensor, { chosen, margin }: MultiMarginAttrs): Tensor =>
  add(sub(x, sum(where(chosen, x, 0), -1, { keepdim: true })), margin);

const MultiMarginLoss: Op<MultiMarginAttrs> = defineOp({
  name: "multi_margin_loss",
  gradFn: "MultiMarginLossBackward0",
  kernels: ["where", "reduce", "binary"],
  forward(ctx, input: Tensor) {
    const { p, reduction, chosen, share } = ctx.attrs;
    ctx.save(input);
    const z = distance(input.detach(), ctx.attrs);
    const terms = where(logicalAnd(gt(z, 0), logicalNot(chosen)), pow(z, p), 0);
    return reduceLoss(sum(mul(terms, share), -1), reduction);
  },
  backward({ attrs, saved: [input] }, grad: Tensor) {
    const { p, reduction, chosen, share } = attrs;
    const z = distance(input!, attrs);
    const slope = p === 1 ? mul(share, 1) : mul(mul(z, 2), share);
    const incoming = reduction === "mean" ? mul(grad, 1 / share.numel()) : grad;
    const perSample = reduction === "none" && share.ndim === 2 ? reshape(incoming, -1, 1) : incoming;
    const terms = mul(where(logicalAnd(gt(z, 0), logicalNot(chosen)), slope, 0), perSample);
    return [sub(terms, where(chosen, sum(terms, -1, { keepdim: true }), 0))];
  },
});

export interface MultiMarginLossOptions extends LossOptions {
  /** Exponent, 1 or 2. Default 1. */
  p?: 1 | 2;
  /** By how much the class's score has to exceed the others'. Default 1. */
  margin?: number;
  /** Weight of each class [C]. Default 1 each. */
  weight?: Tensor | null;
}

/**
 * Mean over the classes of max(0, margin - input[target] + input[j])^p, reduced over the samples.
 *
 * @param input scores [N, C] or [C]
 * @param target class indices [N] or []
 * @see https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.multi_margin_loss.html
 */
export function multiMarginLoss(input: Tensor, target: Tensor, options?: MultiMarginLossOptions): Tensor;
export function multiMarginLoss(...args: unknown[]): Tensor {
  const {
    input,
    target,
    p = 1,
    margin = 1,
    weight = null,
    ...options
  } = bind<{ input: Tensor; target: Tensor } & MultiMarginLossOptions>(
    "multi_margin_loss",
    ["!input", "!target", "p", "margin", "weight", "*", ...LOSS_PARAMS],
    args,
  );
  assertTensor(input, "multi_margin_loss", "input", 1);
  assertTensor(target, "multi_margin_loss", "target", 2);
  const reduction = readReduction(options);
  if (p !== 1 && p !== 2) throw new ValueError("only p == 1 and p == 2 supported");
  if (weight && weight.ndim !== 1) throw new ValueError("weight must be one-dimensional");
  if (input.ndim > 2 || input.shape.at(-1) === 0) {
    throw new RuntimeError(
      `Expected non-empty vector or matrix with optional 0-dim batch size, but got: ${sizeText(input.shape)}`,
      { shapes: [input.shape] },
    );
  }
  const [n, c] = (input.ndim === 2 ? input.shape : [1, input.numel()]) as [number, number];
  if (target.ndim > 1 || target.numel() !== n) {
    throw new RuntimeError(
      `multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch size). Expected target size [${n}], but got ${sizeText(target.shape)}. Input has shape ${sizeText(input.shape)}.`,
      { shapes: [input.shape, target.shape] },
    );
  }
  if (weight && weight.numel() !== c) {
    throw new RuntimeError(`inconsistent weight size, expected ${c} but got ${sizeText(weight.shape)}`);
  }
  checkLossDtype("multi_margin_loss_cpu_kernel", input.dtype);
  checkScalarType(target, int64);
  if (weight) checkScalarType(weight, input.dtype);
  // One sample with a target of one dimension keeps that dimension in its loss.
  const single = input.ndim < 2 && target.ndim === 0;
  const scores = input.ndim === 2 || single ? input : reshape(input, 1, -1);
  const [chosen, share] = runNear([input], () => [
    Tensor.empty(scores.shape, bool),
    Tensor.empty(single ? [1] : [n, 1], input.dtype),
  ]) as [Tensor, Tensor];
  const weights = weight?.denseData();
  target.denseData().forEach((t, i) => {
    if (!(t >= 0 && t < c)) throw new RuntimeError("target out of range");
    chosen.storage.data[i * c + t] = 1;
    share.storage.data[i] = (weights ? weights[t]! : 1) / c;
  });
  return call(MultiMarginLoss, { p, margin, reduction, chosen, share }, scores);
}

interface MultilabelMarginAttrs {
  /** The target classes, up to the first negative, of each sample. */
  labels: readonly (readonly number[])[];
  reduction: Reduction;
}

const MultilabelMarginLoss: Op<MultilabelMarginAttrs> = defineOp({
  name: "multilabel_margin_loss",
  gradFn: "MultilabelMarginLossBackward0",
  kernels: [],
  forward(ctx, input: Tensor) {
    const { labels, reduction } = ctx.attrs;
    const c = input.numel() / labels.length;
    const scores = input.denseData();
    const losses = Tensor.empty(input.ndim < 2 ? [] : [labels.length], input.dtype);
    // How the loss of a sample changes with each of its scores.
    const slopes = Tensor.empty(input.shape, input.dtype);
    labels.forEach((right, i) => {
      let total = 0;
      for (const label of right) {
        for (let other = 0; other < c; other++) {
          if (right.includes(other)) continue;
          const z = 1 - scores[i * c + label]! + scores[i * c + other]!;
          if (!(z > 0)) continue;
          total += z;
          slopes.storage.data[i * c + label]! -= 1 / c;
          slopes.storage.data[i * c + other]! += 1 / c;
        }
      }
      losses.storage.data[i] = total / c;
    });
    ctx.save(slopes);
    return reduceLoss(losses, reduction);
  },
  backward({ attrs: { reduction, labels }, saved: [slopes] }, grad: Tensor) {
    if (reduction === "none") return [mul(slopes!, slopes!.ndim < 2 ? grad : reshape(grad, -1, 1))];
    return [mul(slopes!, reduction === "mean" ? mul(grad, 1 / labels.length) : grad)];
  },
});

/**
 * Mean over the classes of max(0, 1 - input[right] + input[wrong]) for every pair of a right and a wrong class, reduced
 * over the samples.
 *
 * @param input scores [N, C] or [C]
 * @param target class indices of input's shape, those before the first negative one count
 * @see https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.multilabel_margin_loss.html
 */
export function multilabelMarginLoss(input: Tensor, target: Tensor, options?: LossOptions): Tensor;
export function multilabelMarginLoss(...args: unknown[]): Tensor {
  const { input, target, reduction } = elementwiseArguments("multilabel_margin_loss", ["*"], args);
  if (input.ndim > 2 || input.shape.at(-1) === 0) {
    throw new RuntimeError(
      `Expected non-empty vector or matrix with optional 0-dim batch size, but got: ${sizeText(input.shape)}`,
      { shapes: [input.shape] },
    );
  }
  const [n, c] = (input.ndim === 2 ? input.shape : [1, input.numel()]) as [number, number];
  const fits = input.ndim < 2 ? target.ndim <= 1 && target.numel() === c : sameShape(target.shape, input.shape);
  if (!fits) {
    throw new RuntimeError(
      `inconsistent target size: ${sizeText(target.shape)} for input of size: ${sizeText(input.shape)}`,
      { shapes: [input.shape, target.shape] },
    );
  }
  checkScalarType(target, int64);
  const classes = Array.from(target.denseData());
  if (classes.some((label) => label < -1 || label >= c)) {
    throw new RuntimeError("argument #2 'target' is out of range");
  }
  const labels = Array.from({ length: n }, (_, i) => {
    const row = classes.slice(i * c, (i + 1) * c);
    const end = row.findIndex((label) => label < 0);
    return end < 0 ? row : row.slice(0, end);
  });
  return call(MultilabelMarginLoss, { labels, reduction }, input);
}
