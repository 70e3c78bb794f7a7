import { bind } from "../core/arguments.ts";
import { namedReduction } from "../ops/loss_arguments.ts";
import type { LossOptions, Reduction } from "./functional.ts";
import { Module } from "./module.ts";

/** What the losses have in common. */
export abstract class Loss extends Module {
  readonly reduction: Reduction;

  constructor(reduction: Reduction = "mean") {
    super();
    this.reduction = reduction;
  }
}

/** The options of a loss that still takes PyTorch's `sizeAverage` and `reduce`; what they say stands in `reduction`. */
export function bindLoss<O extends Omit<LossOptions, "reduction"> & { reduction?: string }>(
  name: string,
  params: readonly string[],
  args: readonly unknown[],
): O {
  const all = [...params, ...(params.includes("*") ? [] : ["*"]), "sizeAverage", "reduce"];
  const bound = bind<O>(name, all, args);
  return { ...bound, reduction: namedReduction(bound) };
}
