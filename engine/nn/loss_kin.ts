/** Further losses as modules. https://docs.pytorch.org/docs/2.13/nn.html#loss-functions */
import { bind } from "../core/arguments.ts";
import { ValueError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import * as F from "./functional.ts";
import { bindLoss, Loss } from "./loss_base.ts";
import { Module } from "./module.ts";
import { assertComparable } from "./operands.ts";
import { numberText } from "./text.ts";

/**
 * A parabola where |input - target| is below beta, a line beyond. The output is a number, or with `reduction: "none"` one for each.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.SmoothL1Loss.html
 */
export class SmoothL1Loss extends Loss {
  readonly beta: number;

  constructor(options?: F.SmoothL1LossOptions);
  constructor(...args: unknown[]) {
    const { beta = 1, reduction } = bindLoss<F.SmoothL1LossOptions>(
      "SmoothL1Loss.__init__",
      ["reduction", "beta"],
      args,
    );
    super(reduction);
    this.beta = beta;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    const { beta, reduction } = this;
    return F.smoothL1Loss(input, target, { beta, reduction });
  }
}

/**
 * A parabola where |input - target| is below delta, a line beyond. The output is a number, or with `reduction: "none"` one for each.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.HuberLoss.html
 */
export class HuberLoss extends Loss {
  readonly delta: number;

  constructor(options?: F.HuberLossOptions);
  constructor(...args: unknown[]) {
    const { delta = 1, reduction } = bind<F.HuberLossOptions>("HuberLoss.__init__", ["reduction", "delta"], args);
    super(reduction);
    this.delta = delta;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    const { delta, reduction } = this;
    return F.huberLoss(input, target, { delta, reduction });
  }
}

/**
 * -log of the Poisson probability of the target. The output is a number, or with `reduction: "none"` one for each.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.PoissonNLLLoss.html
 */
export class PoissonNLLLoss extends Loss {
  readonly logInput: boolean;
  readonly full: boolean;
  readonly eps: number;

  constructor(options?: F.PoissonNllLossOptions);
  constructor(...args: unknown[]) {
    const {
      logInput = true,
      full = false,
      eps = 1e-8,
      reduction,
    } = bindLoss<F.PoissonNllLossOptions>(
      "PoissonNLLLoss.__init__",
      ["logInput", "full", "*", "eps", "reduction"],
      args,
    );
    super(reduction);
    this.logInput = logInput;
    this.full = full;
    this.eps = eps;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    const { logInput, full, eps, reduction } = this;
    return F.poissonNllLoss(input, target, { logInput, full, eps, reduction });
  }
}

/**
 * -log of the normal density of the target. The output is a number, or with `reduction: "none"` one for each.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.GaussianNLLLoss.html
 */
export class GaussianNLLLoss extends Loss {
  readonly full: boolean;
  readonly eps: number;

  constructor(options?: F.GaussianNllLossOptions);
  constructor(...args: unknown[]) {
    const {
      full = false,
      eps = 1e-6,
      reduction,
    } = bind<F.GaussianNllLossOptions>("GaussianNLLLoss.__init__", ["*", "full", "eps", "reduction"], args);
    super(reduction);
    this.full = full;
    this.eps = eps;
  }

  override forward(input: Tensor, target: Tensor, variance: Tensor): Tensor {
    const { full, eps, reduction } = this;
    return F.gaussianNllLoss(input, target, variance, { full, eps, reduction });
  }
}

/**
 * max(0, -target · (input1 - input2) + margin). The output is a number, or with `reduction: "none"` one for each.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.MarginRankingLoss.html
 */
export class MarginRankingLoss extends Loss {
  readonly margin: number;

  constructor(options?: F.MarginLossOptions);
  constructor(...args: unknown[]) {
    const { margin = 0, reduction } = bindLoss<F.MarginLossOptions>(
      "MarginRankingLoss.__init__",
      ["margin", "*", "reduction"],
      args,
    );
    super(reduction);
    this.margin = margin;
  }

  override forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    const { margin, reduction } = this;
    return F.marginRankingLoss(input1, input2, target, { margin, reduction });
  }
}

/**
 * The input where the target is 1, max(0, margin - input) where it is -1. The output is a number, or with `reduction: "none"` one for each.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.HingeEmbeddingLoss.html
 */
export class HingeEmbeddingLoss extends Loss {
  readonly margin: number;

  constructor(options?: F.MarginLossOptions);
  constructor(...args: unknown[]) {
    const { margin = 1, reduction } = bindLoss<F.MarginLossOptions>(
      "HingeEmbeddingLoss.__init__",
      ["margin", "*", "reduction"],
      args,
    );
    super(reduction);
    this.margin = margin;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    const { margin, reduction } = this;
    return F.hingeEmbeddingLoss(input, target, { margin, reduction });
  }
}

/**
 * 1 - cosine where the target is 1, max(0, cosine - margin) where it is -1. The output is a number, or with `reduction: "none"` one for each.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.CosineEmbeddingLoss.html
 */
export class CosineEmbeddingLoss extends Loss {
  readonly margin: number;

  constructor(options?: F.MarginLossOptions);
  constructor(...args: unknown[]) {
    const { margin = 0, reduction } = bindLoss<F.MarginLossOptions>(
      "CosineEmbeddingLoss.__init__",
      ["margin", "*", "reduction"],
      args,
    );
    super(reduction);
    this.margin = margin;
  }

  override forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    const { margin, reduction } = this;
    return F.cosineEmbeddingLoss(input1, input2, target, { margin, reduction });
  }
}

/**
 * log(1 + exp(-target · input)). The output is a number, or with `reduction: "none"` one for each.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.SoftMarginLoss.html
 */
export class SoftMarginLoss extends Loss {
  constructor(options?: F.LossOptions);
  constructor(...args: unknown[]) {
    const { reduction } = bindLoss<F.LossOptions>("SoftMarginLoss.__init__", ["*", "reduction"], args);
    super(reduction);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    const { reduction } = this;
    return F.softMarginLoss(input, target, { reduction });
  }
}

/**
 * max(0, distance to the positive - distance to the negative + margin). The output is a number, or with `reduction: "none"` one for each.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.TripletMarginLoss.html
 */
export class TripletMarginLoss extends Loss {
  readonly margin: number;
  readonly p: number;
  readonly eps: number;
  readonly swap: boolean;

  constructor(options?: F.TripletMarginLossOptions);
  constructor(...args: unknown[]) {
    const {
      margin = 1,
      p = 2,
      eps = 1e-6,
      swap = false,
      reduction,
    } = bindLoss<F.TripletMarginLossOptions>(
      "TripletMarginLoss.__init__",
      ["margin", "p", "eps", "swap", "*", "reduction"],
      args,
    );
    super(reduction);
    assertComparable(margin, "<=", 0);
    if (margin <= 0) {
      throw new ValueError(
        `TripletMarginLoss: expected margin to be greater than 0, got ${numberText(margin)} instead`,
      );
    }
    this.margin = margin;
    this.p = p;
    this.eps = eps;
    this.swap = swap;
  }

  override forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    const { margin, p, eps, swap, reduction } = this;
    return F.tripletMarginLoss(anchor, positive, negative, { margin, p, eps, swap, reduction });
  }
}

/**
 * -log of the probability of the target, which is between 0 and 1. The output is a number, or with `reduction: "none"` one for each.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.BCELoss.html
 */
export class BCELoss extends Loss {
  /** A buffer. */
  declare weight: Tensor | null;

  constructor(options?: F.BinaryCrossEntropyOptions);
  constructor(...args: unknown[]) {
    const { weight = null, reduction } = bindLoss<F.BinaryCrossEntropyOptions>(
      "BCELoss.__init__",
      ["weight", "*", "reduction"],
      args,
    );
    super(reduction);
    this.registerBuffer("weight", weight);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    const { weight, reduction } = this;
    return F.binaryCrossEntropy(input, target, { weight, reduction });
  }
}

/**
 * BCELoss of sigmoid(input), without overflow. The output is a number, or with `reduction: "none"` one for each.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.BCEWithLogitsLoss.html
 */
export class BCEWithLogitsLoss extends Loss {
  /** A buffer. */
  declare weight: Tensor | null;

  constructor(options?: F.BinaryCrossEntropyWithLogitsOptions);
  constructor(...args: unknown[]) {
    const {
      weight = null,
      posWeight = null,
      reduction,
    } = bindLoss<F.BinaryCrossEntropyWithLogitsOptions>(
      "BCEWithLogitsLoss.__init__",
      ["weight", "*", "reduction", "posWeight"],
      args,
    );
    super(reduction);
    this.registerBuffer("weight", weight);
    this.registerBuffer("pos_weight", posWeight);
  }

  /** A buffer, `pos_weight` in the state. */
  get posWeight(): Tensor | null {
    return (Reflect.get(this, "pos_weight") as Tensor | null | undefined) ?? null;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    const { weight, posWeight, reduction } = this;
    return F.binaryCrossEntropyWithLogits(input, target, { weight, posWeight, reduction });
  }
}

/**
 * The mean of BCEWithLogitsLoss over the classes. The output is a number, or with `reduction: "none"` one for each.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.MultiLabelSoftMarginLoss.html
 */
export class MultiLabelSoftMarginLoss extends Loss {
  /** A buffer. */
  declare weight: Tensor | null;

  constructor(options?: F.MultilabelSoftMarginLossOptions);
  constructor(...args: unknown[]) {
    const { weight = null, reduction } = bindLoss<F.MultilabelSoftMarginLossOptions>(
      "MultiLabelSoftMarginLoss.__init__",
      ["weight", "*", "reduction"],
      args,
    );
    super(reduction);
    this.registerBuffer("weight", weight);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    const { weight, reduction } = this;
    return F.multilabelSoftMarginLoss(input, target, { weight, reduction });
  }
}

/**
 * target · (log target - input) for log-probabilities. The output is a number, or with `reduction: "none"` has the input's
 * shape.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.KLDivLoss.html
 */
export class KLDivLoss extends Module {
  readonly reduction: NonNullable<F.KlDivOptions["reduction"]>;
  readonly logTarget: boolean;

  constructor(options?: F.KlDivOptions);
  constructor(...args: unknown[]) {
    super();
    const { reduction = "mean", logTarget = false } = bindLoss<F.KlDivOptions>(
      "KLDivLoss.__init__",
      ["reduction", "*", "logTarget"],
      args,
    );
    this.reduction = reduction;
    this.logTarget = logTarget;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    const { reduction, logTarget } = this;
    return F.klDiv(input, target, { reduction, logTarget });
  }
}
