/** What the losses share: how their arguments are read and their elements reduced. */
import { bind } from "../core/arguments.ts";
import { ValueError } from "../core/errors.ts";
import { assertTensor, type Tensor } from "../core/tensor.ts";
import type { LossOptions, Reduction } from "./loss.ts";
import { mean, sum } from "./reduce.ts";

export function reduceLoss(loss: Tensor, reduction: Reduction): Tensor {
  return reduction === "mean" ? mean(loss) : reduction === "sum" ? sum(loss) : loss;
}

/** @throws ValueError for anything but mean, sum and none. */
export function checkReduction(reduction: string): asserts reduction is Reduction {
  if (!["mean", "sum", "none"].includes(reduction)) {
    throw new ValueError(`${reduction} is not a valid value for reduction`);
  }
}

/** Input, target, and the options of a loss of two tensors. */
export function elementwiseArguments<O extends LossOptions>(
  name: string,
  params: readonly string[],
  args: readonly unknown[],
): O & { input: Tensor; target: Tensor; reduction: Reduction } {
  const bound = bind<O & { input: Tensor; target: Tensor }>(name, ["!input", "!target", ...params], args);
  assertTensor(bound.input, name, "input", 1);
  assertTensor(bound.target, name, "target", 2);
  const { reduction = "mean" } = bound;
  checkReduction(reduction);
  return { ...bound, reduction };
}
