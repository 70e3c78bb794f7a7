/** Losses as modules. https://docs.pytorch.org/docs/2.13/nn.html#loss-functions */
import { bind } from "../core/arguments.ts";
import type { Tensor } from "../core/tensor.ts";
import * as F from "./functional.ts";
import { Module } from "./module.ts";

/** What the losses have in common. */
abstract class Loss extends Module {
  readonly reduction: F.Reduction;

  constructor(reduction: F.Reduction = "mean") {
    super();
    this.reduction = reduction;
  }
}

/**
 * |input - target|: the mean absolute error. Shapes: both any, the same; the output is a number, or with
 * `reduction: "none"` has their shape.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.L1Loss.html
 */
export class L1Loss extends Loss {
  constructor(options?: F.LossOptions);
  constructor(...args: unknown[]) {
    super(bind<F.LossOptions>("L1Loss.__init__", ["*", "reduction"], args).reduction);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return F.l1Loss(input, target, { reduction: this.reduction });
  }
}

/**
 * (input - target)²: the mean squared error. Shapes: both any, the same; the output is a number, or with
 * `reduction: "none"` has their shape.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.MSELoss.html
 */
export class MSELoss extends Loss {
  constructor(options?: F.LossOptions);
  constructor(...args: unknown[]) {
    super(bind<F.LossOptions>("MSELoss.__init__", ["*", "reduction"], args).reduction);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return F.mseLoss(input, target, { reduction: this.reduction });
  }
}

/**
 * -input[target] for log-probabilities. Shapes: input [N, C] or [C], target of classes [N] or []; the output is a number,
 * or with `reduction: "none"` [N].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.NLLLoss.html
 */
export class NLLLoss extends Loss {
  readonly ignoreIndex: number;

  constructor(options?: F.ClassLossOptions);
  constructor(...args: unknown[]) {
    const { reduction, ignoreIndex = -100 } = bind<F.ClassLossOptions>("NLLLoss.__init__", CLASS_LOSS_PARAMS, args);
    super(reduction);
    this.ignoreIndex = ignoreIndex;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return F.nllLoss(input, target, { reduction: this.reduction, ignoreIndex: this.ignoreIndex });
  }
}

/**
 * -log softmax(input)[target]: takes scores, not probabilities. Shapes: input [N, C] or [C], target of classes [N] or [];
 * the output is a number, or with `reduction: "none"` [N].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.CrossEntropyLoss.html
 */
export class CrossEntropyLoss extends Loss {
  readonly ignoreIndex: number;

  constructor(options?: F.ClassLossOptions);
  constructor(...args: unknown[]) {
    const { reduction, ignoreIndex = -100 } = bind<F.ClassLossOptions>(
      "CrossEntropyLoss.__init__",
      CLASS_LOSS_PARAMS,
      args,
    );
    super(reduction);
    this.ignoreIndex = ignoreIndex;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return F.crossEntropy(input, target, { reduction: this.reduction, ignoreIndex: this.ignoreIndex });
  }
}

const CLASS_LOSS_PARAMS = ["*", "ignoreIndex", "reduction"];
