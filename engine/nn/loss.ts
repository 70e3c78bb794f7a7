/** Losses as modules. https://docs.pytorch.org/docs/2.13/nn.html#loss-functions */
import type { Tensor } from "../core/tensor.ts";
import * as F from "./functional.ts";
import { bindLoss, Loss } from "./loss_base.ts";

/**
 * |input - target|: the mean absolute error. Shapes: both any, the same; the output is a number, or with
 * `reduction: "none"` has their shape.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.L1Loss.html
 */
export class L1Loss extends Loss {
  constructor(options?: F.LossOptions);
  constructor(...args: unknown[]) {
    super(bindLoss<F.LossOptions>("L1Loss.__init__", ["*", "reduction"], args).reduction);
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
    super(bindLoss<F.LossOptions>("MSELoss.__init__", ["*", "reduction"], args).reduction);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return F.mseLoss(input, target, { reduction: this.reduction });
  }
}

/**
 * -input[target] for log-probabilities. Shapes: input [N, C], [C] or [N, C, …], target of classes [N], [] or [N, …]; the
 * output is a number, or with `reduction: "none"` has the target's shape.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.NLLLoss.html
 */
export class NLLLoss extends Loss {
  readonly ignoreIndex: number;
  /** Weights of the classes: a buffer. */
  declare weight: Tensor | null;

  constructor(options?: F.ClassLossOptions);
  constructor(...args: unknown[]) {
    const {
      weight = null,
      ignoreIndex = -100,
      reduction,
    } = bindLoss<F.ClassLossOptions>("NLLLoss.__init__", ["weight", "*", "ignoreIndex", "reduction"], args);
    super(reduction);
    this.registerBuffer("weight", weight);
    this.ignoreIndex = ignoreIndex;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    const { weight, ignoreIndex, reduction } = this;
    return F.nllLoss(input, target, { weight, ignoreIndex, reduction });
  }
}

/**
 * -log softmax(input)[target]: takes scores, not probabilities. Shapes: input [N, C], [C] or [N, C, …], target of classes
 * [N], [] or [N, …], or of probabilities in the input's shape; the output is a number, or with `reduction: "none"` has the
 * shape of the classes.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.CrossEntropyLoss.html
 */
export class CrossEntropyLoss extends Loss {
  readonly ignoreIndex: number;
  readonly labelSmoothing: number;
  /** Weights of the classes: a buffer. */
  declare weight: Tensor | null;

  constructor(options?: F.CrossEntropyOptions);
  constructor(...args: unknown[]) {
    const {
      weight = null,
      ignoreIndex = -100,
      reduction,
      labelSmoothing = 0,
    } = bindLoss<F.CrossEntropyOptions>(
      "CrossEntropyLoss.__init__",
      ["weight", "*", "ignoreIndex", "reduction", "labelSmoothing"],
      args,
    );
    super(reduction);
    this.registerBuffer("weight", weight);
    this.ignoreIndex = ignoreIndex;
    this.labelSmoothing = labelSmoothing;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    const { weight, ignoreIndex, reduction, labelSmoothing } = this;
    return F.crossEntropy(input, target, { weight, ignoreIndex, reduction, labelSmoothing });
  }
}
