/** Losses over several classes, sequences and triples. https://docs.pytorch.org/docs/2.13/nn.html#loss-functions */
import { bind } from "../core/arguments.ts";
import { RuntimeError, ValueError } from "../core/errors.ts";
import { sameShape } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";
import { reshape } from "../ops/view.ts";
import { PairwiseDistance } from "./distance.ts";
import type { FactoryOptions } from "./factory.ts";
import * as F from "./functional.ts";
import { Linear } from "./linear.ts";
import { NLLLoss } from "./loss.ts";
import { bindLoss, Loss } from "./loss_base.ts";
import { Module } from "./module.ts";
import { assertComparable } from "./operands.ts";
import { floatText, numberText, py } from "./text.ts";

/**
 * The older name of NLLLoss for images.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.NLLLoss.html
 */
export class NLLLoss2d extends NLLLoss {}

/**
 * Hinge of every pair of a right and a wrong class. Shapes: input and target [N, C] or [C], the target's classes up to the
 * first -1 count; the output is a number, or with `reduction: "none"` [N].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.MultiLabelMarginLoss.html
 */
export class MultiLabelMarginLoss extends Loss {
  constructor(options?: F.LossOptions);
  constructor(...args: unknown[]) {
    super(bindLoss<F.LossOptions>("MultiLabelMarginLoss.__init__", ["*", "reduction"], args).reduction);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return F.multilabelMarginLoss(input, target, { reduction: this.reduction });
  }
}

/**
 * Hinge of the right class against every other. Shapes: input [N, C] or [C], target [N] or []; the output is a number, or
 * with `reduction: "none"` has the target's shape.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.MultiMarginLoss.html
 */
export class MultiMarginLoss extends Loss {
  readonly p: 1 | 2;
  readonly margin: number;
  /** Weights of the classes: a buffer. */
  declare weight: Tensor | null;

  constructor(options?: F.MultiMarginLossOptions);
  constructor(...args: unknown[]) {
    const {
      p = 1,
      margin = 1,
      weight = null,
      reduction,
    } = bindLoss<F.MultiMarginLossOptions>(
      "MultiMarginLoss.__init__",
      ["p", "margin", "weight", "*", "reduction"],
      args,
    );
    super(reduction);
    this.registerBuffer("weight", weight);
    if (p !== 1 && p !== 2) throw new ValueError("only p == 1 and p == 2 supported");
    if (weight && weight.ndim !== 1) {
      throw new ValueError(`MultiMarginLoss: expected weight to be None or 1D tensor, got ${weight.ndim}D instead`);
    }
    this.p = p;
    this.margin = margin;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    const { p, margin, weight, reduction } = this;
    return F.multiMarginLoss(input, target, { p, margin, weight, reduction });
  }
}

/**
 * By how much the anchor is not nearer to the positive than to the negative, by any distance: a function or a module.
 * The output is a number, or with `reduction: "none"` one for each.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.TripletMarginWithDistanceLoss.html
 */
export class TripletMarginWithDistanceLoss extends Loss {
  readonly margin: number;
  readonly swap: boolean;
  readonly #distance: (a: Tensor, b: Tensor) => Tensor;

  constructor(options?: F.TripletDistanceOptions);
  constructor(...args: unknown[]) {
    const {
      distanceFunction,
      margin = 1,
      swap = false,
      reduction,
    } = bind<F.TripletDistanceOptions>(
      "TripletMarginWithDistanceLoss.__init__",
      ["*", "distanceFunction", "margin", "swap", "reduction"],
      args,
    );
    super(reduction);
    assertComparable(margin, "<=", 0);
    if (margin <= 0) {
      throw new ValueError(
        `TripletMarginWithDistanceLoss: expected margin to be greater than 0, got ${numberText(margin)} instead`,
      );
    }
    this.#distance = distanceFunction ?? new PairwiseDistance();
    // A module that measures has parameters of its own, perhaps.
    if (this.#distance instanceof Module) this.addModule("distance_function", this.#distance);
    this.margin = margin;
    this.swap = swap;
  }

  /** How distances are measured; `distance_function` among the modules where it is one. */
  get distanceFunction(): (a: Tensor, b: Tensor) => Tensor {
    return this.#distance;
  }

  override forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    const { margin, swap, reduction } = this;
    const options = { distanceFunction: this.#distance, margin, swap, reduction };
    return F.tripletMarginWithDistanceLoss(anchor, positive, negative, options);
  }
}

/**
 * -log of the probability that a sequence of predictions, read without repetitions and blanks, says the target. Shapes:
 * logProbs [T, N, C] or [T, C], targets [N, S] or all in one, lengths [N]; the output is a number, or with
 * `reduction: "none"` [N].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.CTCLoss.html
 */
export class CTCLoss extends Loss {
  readonly blank: number;
  readonly zeroInfinity: boolean;

  constructor(options?: F.CtcLossOptions);
  constructor(...args: unknown[]) {
    const {
      blank = 0,
      reduction,
      zeroInfinity = false,
    } = bind<F.CtcLossOptions>("CTCLoss.__init__", ["blank", "reduction", "zeroInfinity"], args);
    super(reduction);
    this.blank = blank;
    this.zeroInfinity = zeroInfinity;
  }

  override forward(logProbs: Tensor, targets: Tensor, inputLengths: F.Lengths, targetLengths: F.Lengths): Tensor {
    const { blank, reduction, zeroInfinity } = this;
    return F.ctcLoss(logProbs, targets, inputLengths, targetLengths, { blank, reduction, zeroInfinity });
  }
}

export interface LinearCrossEntropyLossOptions extends Omit<F.LinearCrossEntropyOptions, "linearBias">, FactoryOptions {
  /** Several targets a sample: their shape. Default []. */
  outFeatures?: readonly number[];
  /** Whether the linear layer has a bias. Default false. */
  bias?: boolean;
}

interface LinearCrossEntropySizes {
  inFeatures: number;
  numClasses: number;
}

/**
 * A linear layer and the cross entropy of its scores. Shapes: input [N, inFeatures] or [inFeatures], target as
 * CrossEntropyLoss's.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.LinearCrossEntropyLoss.html
 */
export class LinearCrossEntropyLoss extends Loss {
  readonly numClasses: number;
  readonly outFeatures: readonly number[];
  readonly ignoreIndex: number | null;
  readonly labelSmoothing: number;
  /** Weights of the classes: a buffer. */
  declare weight: Tensor | null;
  declare linear: Linear;

  constructor(inFeatures: number, numClasses: number, options?: LinearCrossEntropyLossOptions);
  constructor(options: LinearCrossEntropySizes & LinearCrossEntropyLossOptions);
  constructor(...args: unknown[]) {
    const {
      inFeatures,
      numClasses,
      outFeatures = [],
      bias = false,
      device,
      dtype,
      reduction,
      weight = null,
      ignoreIndex = null,
      labelSmoothing = 0,
    } = bind<LinearCrossEntropySizes & LinearCrossEntropyLossOptions>(
      "LinearCrossEntropyLoss.__init__",
      [
        "!inFeatures",
        "!numClasses",
        "*",
        "outFeatures",
        "bias",
        "device",
        "dtype",
        "reduction",
        "weight",
        "ignoreIndex",
        "labelSmoothing",
      ],
      args,
    );
    if (weight && !sameShape(weight.shape, [numClasses])) {
      throw new RuntimeError(`expected weight shape to be (${numClasses},), got ${py([...weight.shape])}`);
    }
    if (labelSmoothing < 0 || labelSmoothing > 1) {
      throw new RuntimeError(`expected label_smoothing to be in range [0, 1], got ${floatText(labelSmoothing)}`);
    }
    super(reduction);
    this.registerBuffer("weight", weight);
    this.numClasses = numClasses;
    this.outFeatures = outFeatures;
    this.ignoreIndex = ignoreIndex;
    this.labelSmoothing = labelSmoothing;
    const scores = outFeatures.reduce((product, size) => product * size, numClasses);
    this.linear = new Linear(inFeatures, scores, { bias, device, dtype });
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    const { linear, numClasses, outFeatures, weight, reduction, ignoreIndex, labelSmoothing } = this;
    const linearWeight = reshape(linear.weight, [numClasses, ...outFeatures, linear.inFeatures]);
    const linearBias = linear.bias && reshape(linear.bias, [numClasses, ...outFeatures]);
    const options = { linearBias, weight, reduction, ignoreIndex, labelSmoothing };
    return F.linearCrossEntropy(input, linearWeight, target, options);
  }

  override extraRepr(): string {
    const { linear, numClasses, outFeatures, reduction, ignoreIndex, labelSmoothing } = this;
    return `in_features=${linear.inFeatures}, num_classes=${numClasses}, out_features=${outFeatures.length === 0 ? "()" : py([...outFeatures])}, bias=${py(linear.bias !== null)}, reduction=${reduction}, ignore_index=${py(ignoreIndex)}, label_smoothing=${floatText(labelSmoothing)}, options=None`;
  }
}
