/** What the losses share: how their arguments are read and their elements reduced. */
import { bind } from "../core/arguments.ts";
import { RuntimeError, ValueError } from "../core/errors.ts";
import { broadcastShapes, sameShape, sizeText } from "../core/shape.ts";
import { assertTensor, type Tensor } from "../core/tensor.ts";
import { warn } from "../core/warnings.ts";
import { div, mul } from "./arithmetic.ts";
import { mean, sum } from "./reduce.ts";
import { expand } from "./view.ts";

/** How the losses of the elements become one: their mean (default), their sum, or not at all. */
export type Reduction = "mean" | "sum" | "none";

export interface ReductionOption {
  /** How the losses of the elements become one: "mean", "sum" or "none". Default "mean". */
  reduction?: Reduction;
}

export interface LossOptions extends ReductionOption {
  /** Deprecated: false says "sum". Default null: `reduction` says it. */
  sizeAverage?: boolean | null;
  /** Deprecated: false says "none". Default null: `reduction` says it. */
  reduce?: boolean | null;
}

/** The keywords of every loss; after a "*" as parameter names of `bind`. */
export const LOSS_PARAMS = ["reduction", "sizeAverage", "reduce"] as const;

export function reduceLoss(loss: Tensor, reduction: Reduction): Tensor {
  return reduction === "mean" ? mean(loss) : reduction === "sum" ? sum(loss) : loss;
}

/** What `reduction` says, or the two keywords that it replaced, which PyTorch still takes with a warning. */
export function namedReduction<R extends string>(options: {
  reduction?: R;
  sizeAverage?: boolean | null;
  reduce?: boolean | null;
}): R | Reduction {
  const { reduction = "mean", sizeAverage = null, reduce = null } = options;
  if (sizeAverage === null && reduce === null) return reduction;
  const named = reduce === false ? "none" : sizeAverage === false ? "sum" : "mean";
  warn(`size_average and reduce args will be deprecated, please use reduction='${named}' instead.`);
  return named;
}

/** @throws ValueError for anything but mean, sum and none. */
export function checkReduction(reduction: string): asserts reduction is Reduction {
  if (!["mean", "sum", "none"].includes(reduction)) {
    throw new ValueError(`${reduction} is not a valid value for reduction`);
  }
}

/** The reduction of a loss's options. @throws ValueError for anything but mean, sum and none. */
export function readReduction(options: LossOptions): Reduction {
  const reduction = namedReduction(options);
  checkReduction(reduction);
  return reduction;
}

/** Input, target, and the options of a loss of two tensors; `keywords` are those that every loss takes. */
export function elementwiseArguments<O extends ReductionOption>(
  name: string,
  params: readonly string[],
  args: readonly unknown[],
  keywords: readonly string[] = LOSS_PARAMS,
): O & { input: Tensor; target: Tensor; reduction: Reduction } {
  const all = [...new Set([...params, ...keywords])];
  const bound = bind<O & { input: Tensor; target: Tensor }>(name, ["!input", "!target", ...all], args);
  assertTensor(bound.input, name, "input", 1);
  assertTensor(bound.target, name, "target", 2);
  return { ...bound, reduction: readReduction(bound) };
}

/** Input and target in their common shape; PyTorch warns where they differ. */
export function broadcastPair(input: Tensor, target: Tensor): [Tensor, Tensor] {
  if (sameShape(input.shape, target.shape)) return [input, target];
  warn(
    `Using a target size (${target.shape}) that is different to the input size (${input.shape}). This will likely lead to incorrect results due to broadcasting. Please ensure they have the same size.`,
  );
  const shape = broadcastShapes(input.shape, target.shape);
  return [expand(input, shape), expand(target, shape)];
}

/** Element losses times `weight`; their mean is over the weights where `byWeight`. @throws ValueError for another shape. */
export function weightedLoss(
  loss: Tensor,
  weight: Tensor,
  { input, reduction, byWeight }: { input: Tensor; reduction: Reduction; byWeight: boolean },
): Tensor {
  if (!sameShape(weight.shape, input.shape)) {
    throw new ValueError("Weights and input must have the same size.", { shapes: [weight.shape, input.shape] });
  }
  const weighted = mul(loss, weight);
  return byWeight && reduction === "mean" ? div(sum(weighted), sum(weight)) : reduceLoss(weighted, reduction);
}

/** @throws RuntimeError when a factor would widen the losses of the elements. */
export function checkFactor(factor: Tensor | null, input: Tensor): void {
  if (!factor) return;
  const shape = broadcastShapes(input.shape, factor.shape);
  if (sameShape(shape, input.shape)) return;
  throw new RuntimeError(
    `output with shape ${sizeText(input.shape)} doesn't match the broadcast shape ${sizeText(shape)}`,
    { shapes: [input.shape, factor.shape] },
  );
}
