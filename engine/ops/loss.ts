/** Losses. https://docs.pytorch.org/docs/2.13/nn.functional.html#loss-functions */
import { kernels } from "../backends/index.ts";
import { bind } from "../core/arguments.ts";
import { int64 } from "../core/dtype.ts";
import { IndexError, RuntimeError, ValueError } from "../core/errors.ts";
import { SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { sizeText } from "../core/shape.ts";
import { assertTensor, Tensor } from "../core/tensor.ts";
import { div, mul, neg, sub } from "./arithmetic.ts";
import { castRaw, denseRaw, viewAs } from "./operands.ts";
import { abs } from "./pointwise.ts";
import { mean, sum } from "./reduce.ts";
import { call, defineOp, type Op } from "./registry.ts";
import { logSoftmax } from "./softmax.ts";

/** How the losses of the elements become one: their mean (default), their sum, or not at all. */
export type Reduction = "mean" | "sum" | "none";

export interface LossOptions {
  reduction?: Reduction;
}

export function reduceLoss(loss: Tensor, reduction: Reduction): Tensor {
  return reduction === "mean" ? mean(loss) : reduction === "sum" ? sum(loss) : loss;
}

function checkReduction(reduction: string): asserts reduction is Reduction {
  if (!["mean", "sum", "none"].includes(reduction))
    throw new ValueError(`${reduction} is not a valid value for reduction`);
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
  /** Class of each row, int64 [N]. */
  target: Tensor;
  reduction: Reduction;
  ignoreIndex: number;
}

/** Rows that count, and how many. */
function counted({ target, ignoreIndex }: NllAttrs): number {
  let count = 0;
  for (const t of target.denseData()) if (t !== ignoreIndex) count++;
  return count;
}

const NllLoss: Op<NllAttrs> = defineOp({
  name: "nll_loss",
  gradFn: "NllLossBackward0",
  kernels: ["gather", "reduce"],
  forward(ctx, input: Tensor) {
    const { target, reduction, ignoreIndex } = ctx.attrs;
    ctx.notes = input.shape;
    const [n, c] = input.shape as unknown as [number, number];
    const dense = denseRaw(input);
    const classes = target.denseData();
    const safe = Tensor.empty([n], int64);
    for (let i = 0; i < n; i++) safe.storage.data[i] = classes[i] === ignoreIndex ? 0 : classes[i]!;
    const losses = Tensor.empty([n], input.dtype);
    kernels.gather(viewAs(dense, [n, c, 1]), viewAs(safe, [n, 1, 1]), viewAs(losses, [n, 1, 1]));
    for (let i = 0; i < n; i++) losses.storage.data[i] = classes[i] === ignoreIndex ? 0 : -losses.storage.data[i]!;
    if (reduction === "none") return losses;
    const total = sum(losses);
    return reduction === "sum" ? total : div(total, counted(ctx.attrs));
  },
  backward: ({ attrs, notes }, grad: Tensor) => [call(NllLossGrad, { ...attrs, shape: notes as number[] }, grad)],
});

const NllLossGrad: Op<NllAttrs & { shape: readonly number[] }> = defineOp({
  name: "nll_loss_backward",
  gradFn: "NllLossBackwardBackward0",
  kernels: [],
  forward({ attrs }, grad: Tensor) {
    const { target, reduction, ignoreIndex, shape } = attrs;
    const out = Tensor.empty(shape, grad.dtype);
    const c = shape[1]!;
    const scale = reduction === "mean" ? 1 / counted(attrs) : 1;
    const incoming = grad.denseData();
    target.denseData().forEach((t, i) => {
      if (t !== ignoreIndex)
        out.storage.data[i * c + t] = -(reduction === "none" ? incoming[i]! : incoming[0]! * scale);
    });
    return out;
  },
  backward: ({ attrs }, grad: Tensor) => [call(NllLoss, attrs, grad)],
});

export interface ClassLossOptions extends LossOptions {
  /** Targets with this class do not count. Default -100. */
  ignoreIndex?: number;
}

/** Checks a batch of class indices against scores [N, C] or [C]. */
function classTargets(input: Tensor, target: Tensor, ignoreIndex: number): { rows: Tensor; classes: Tensor } {
  if (input.ndim === 0 || input.ndim > 2) {
    throw new RuntimeError(`scores of shape ${sizeText(input.shape)} are not supported here`, {
      hint: "classes go along dimension 1 of [N, C]",
    });
  }
  const rows = input.ndim === 1 ? input.unsqueeze(0) : input;
  const c = rows.shape[1]!;
  if (target.ndim > 1)
    throw new RuntimeError("0D or 1D target tensor expected, multi-target not supported", {
      shapes: [input.shape, target.shape],
    });
  if (target.dtype !== int64 && target.dtype.name !== "uint8") {
    throw new RuntimeError(
      `expected target dtype to be Long or Byte, but got ${SCALAR_TYPE_NAMES[target.dtype.name]}`,
      {
        hint: "class indices are integers: target.long()",
      },
    );
  }
  const classes = castRaw(target.ndim === 0 ? target.reshape(1) : target, int64);
  if (classes.shape[0] !== rows.shape[0]) {
    throw new ValueError(
      `Expected input batch_size (${rows.shape[0]}) to match target batch_size (${classes.shape[0]}).`,
      {
        shapes: [input.shape, target.shape],
      },
    );
  }
  for (const t of classes.denseData()) {
    if (t !== ignoreIndex && (t < 0 || t >= c)) throw new IndexError(`Target ${t} is out of bounds.`);
  }
  return { rows, classes };
}

/**
 * -input[target] for log-probabilities, reduced.
 *
 * @param input [N, C] or [C]
 * @param target class indices [N] or []
 */
export function nllLoss(input: Tensor, target: Tensor, options?: ClassLossOptions): Tensor;
export function nllLoss(...args: unknown[]): Tensor {
  const {
    input,
    target,
    reduction = "mean",
    ignoreIndex = -100,
  } = bind<{ input: Tensor; target: Tensor } & ClassLossOptions>(
    "nll_loss",
    ["!input", "!target", "*", "ignoreIndex", "reduction"],
    args,
  );
  checkReduction(reduction);
  const { rows, classes } = classTargets(input, target, ignoreIndex);
  const loss = call(NllLoss, { target: classes, reduction, ignoreIndex }, rows);
  return input.ndim === 1 && reduction === "none" ? loss.reshape([]) : loss;
}

/**
 * -log softmax(input)[target], reduced: scores go in, not probabilities.
 *
 * @param input scores [N, C] or [C]
 * @param target class indices [N] or []
 * @see https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.cross_entropy.html
 */
export function crossEntropy(input: Tensor, target: Tensor, options?: ClassLossOptions): Tensor;
export function crossEntropy(...args: unknown[]): Tensor {
  const {
    input,
    target,
    reduction = "mean",
    ignoreIndex = -100,
  } = bind<{ input: Tensor; target: Tensor } & ClassLossOptions>(
    "cross_entropy",
    ["!input", "!target", "*", "ignoreIndex", "reduction"],
    args,
  );
  assertTensor(input, "cross_entropy", "input", 1);
  assertTensor(target, "cross_entropy", "target", 2);
  checkReduction(reduction);
  const { rows, classes } = classTargets(input, target, ignoreIndex);
  const loss = call(NllLoss, { target: classes, reduction, ignoreIndex }, logSoftmax(rows, 1));
  return input.ndim === 1 && reduction === "none" ? loss.reshape([]) : loss;
}
