/** Dropout. https://docs.pytorch.org/docs/2.13/nn.html#dropout-layers */
import { bind } from "../core/arguments.ts";
import { RuntimeError, ValueError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import * as F from "./functional.ts";
import { Module } from "./module.ts";
import { assertComparable } from "./operands.ts";
import { floatText, numberText } from "./text.ts";

export interface DropoutLayerOptions {
  /** Probability of a zero. Default 0.5. */
  p?: number;
  /** Overwrites the input instead of making a new tensor. Default false. */
  inplace?: boolean;
}

/** What the dropouts have in common: they act in training only. */
abstract class DropoutNd extends Module {
  readonly p: number;
  readonly inplace: boolean;

  constructor(args: unknown[]) {
    super();
    const { p = 0.5, inplace = false } = bind<DropoutLayerOptions>("_DropoutNd.__init__", ["p", "inplace"], args);
    assertComparable(p, "<", 0);
    if (!(p >= 0 && p <= 1)) {
      // PyTorch's own comparison lets NaN pass, and the first call fails with these words.
      const Failure = Number.isNaN(p) ? RuntimeError : ValueError;
      throw new Failure(`dropout probability has to be between 0 and 1, but got ${numberText(p)}`);
    }
    this.p = p;
    this.inplace = inplace;
  }

  protected drop(how: typeof F.dropout, input: Tensor): Tensor {
    const { p, training, inplace } = this;
    return how(input, { p, training, inplace });
  }

  override extraRepr(): string {
    return `p=${floatText(this.p)}, inplace=${this.inplace ? "True" : "False"}`;
  }
}

/**
 * Zeros single elements in training and scales the rest by 1 / (1 - p). Shapes: input and output any, the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Dropout.html
 */
export class Dropout extends DropoutNd {
  constructor(p?: number, options?: Pick<DropoutLayerOptions, "inplace">);
  constructor(options?: DropoutLayerOptions);
  constructor(...args: unknown[]) {
    super(args);
  }

  override forward(input: Tensor): Tensor {
    return this.drop(F.dropout, input);
  }
}

/**
 * Zeros whole channels of [N, C, L] in training. Shapes: input and output any, the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Dropout1d.html
 */
export class Dropout1d extends DropoutNd {
  constructor(p?: number, options?: Pick<DropoutLayerOptions, "inplace">);
  constructor(options?: DropoutLayerOptions);
  constructor(...args: unknown[]) {
    super(args);
  }

  override forward(input: Tensor): Tensor {
    return this.drop(F.dropout1d, input);
  }
}

/**
 * Zeros whole channels of [N, C, H, W] in training. Shapes: input and output any, the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Dropout2d.html
 */
export class Dropout2d extends DropoutNd {
  constructor(p?: number, options?: Pick<DropoutLayerOptions, "inplace">);
  constructor(options?: DropoutLayerOptions);
  constructor(...args: unknown[]) {
    super(args);
  }

  override forward(input: Tensor): Tensor {
    return this.drop(F.dropout2d, input);
  }
}

/**
 * Zeros whole channels of [N, C, D, H, W] in training. Shapes: input and output any, the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Dropout3d.html
 */
export class Dropout3d extends DropoutNd {
  constructor(p?: number, options?: Pick<DropoutLayerOptions, "inplace">);
  constructor(options?: DropoutLayerOptions);
  constructor(...args: unknown[]) {
    super(args);
  }

  override forward(input: Tensor): Tensor {
    return this.drop(F.dropout3d, input);
  }
}

/**
 * Dropout that keeps mean and variance, for SELU. Shapes: input and output any, the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.AlphaDropout.html
 */
export class AlphaDropout extends DropoutNd {
  constructor(p?: number, options?: Pick<DropoutLayerOptions, "inplace">);
  constructor(options?: DropoutLayerOptions);
  constructor(...args: unknown[]) {
    super(args);
  }

  override forward(input: Tensor): Tensor {
    return this.drop(F.alphaDropout, input);
  }
}

/**
 * Alpha dropout of whole channels. Shapes: input and output any, the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.FeatureAlphaDropout.html
 */
export class FeatureAlphaDropout extends DropoutNd {
  constructor(p?: number, options?: Pick<DropoutLayerOptions, "inplace">);
  constructor(options?: DropoutLayerOptions);
  constructor(...args: unknown[]) {
    super(args);
  }

  override forward(input: Tensor): Tensor {
    return this.drop(F.featureAlphaDropout, input);
  }
}
