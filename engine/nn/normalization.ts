/** Normalisation. https://docs.pytorch.org/docs/2.13/nn.html#normalization-layers */

import { noGrad } from "../autograd/mode.ts";
import { bind } from "../core/arguments.ts";
import { int64 } from "../core/dtype.ts";
import { ValueError } from "../core/errors.ts";
import { getDefaultDtype } from "../core/promotion.ts";
import type { Tensor } from "../core/tensor.ts";
import { warn } from "../core/warnings.ts";
import { ones, tensor, zeros } from "../ops/creation.ts";
import { emptyParameter, type FactoryOptions } from "./factory.ts";
import * as F from "./functional.ts";
import { ones_, zeros_ } from "./init.ts";
import { Module } from "./module.ts";
import { assertTensor } from "./operands.ts";
import type { Parameter } from "./parameter.ts";
import { floatText, py } from "./text.ts";

export interface NormOptions extends FactoryOptions {
  /** Added to the variance. Default 1e-5. */
  eps?: number;
  /** Share of the batch's statistics in the new running ones; null: the mean of all batches. Default 0.1. */
  momentum?: number | null;
  /** Whether a factor and a summand are learned. Default true; false for InstanceNorm. */
  affine?: boolean;
  /** Whether running statistics are kept for evaluation. Default true; false for InstanceNorm. */
  trackRunningStats?: boolean;
  /** Whether the affine part has a summand. Default true. */
  bias?: boolean;
}

interface NormDefaults {
  affine: boolean;
  trackRunningStats: boolean;
}

/** What batch and instance normalisation have in common: parameters and running statistics of each channel. */
abstract class NormBase extends Module {
  readonly numFeatures: number;
  readonly eps: number;
  readonly momentum: number | null;
  readonly affine: boolean;
  readonly trackRunningStats: boolean;
  /** [numFeatures], or null. */
  declare weight: Parameter | null;
  /** [numFeatures], or null. */
  declare bias: Parameter | null;
  constructor(name: string, defaults: NormDefaults, args: unknown[]) {
    super();
    const given = bind<{ numFeatures: number } & NormOptions>(
      `${name}.__init__`,
      ["!numFeatures", "eps", "momentum", "affine", "trackRunningStats", "device", "dtype", "bias"],
      args,
    );
    const { numFeatures, eps = 1e-5, momentum = 0.1, bias = true, device, dtype } = given;
    const { affine = defaults.affine, trackRunningStats = defaults.trackRunningStats } = given;
    this.numFeatures = numFeatures;
    this.eps = eps;
    this.momentum = momentum;
    this.affine = affine;
    this.trackRunningStats = trackRunningStats;
    const parameter = () => emptyParameter(numFeatures, { device, dtype });
    this.registerParameter("weight", affine ? parameter() : null);
    this.registerParameter("bias", affine && bias ? parameter() : null);
    const kind = { dtype: dtype ?? getDefaultDtype() };
    this.registerBuffer("running_mean", trackRunningStats ? zeros(numFeatures, kind) : null);
    this.registerBuffer("running_var", trackRunningStats ? ones(numFeatures, kind) : null);
    this.registerBuffer("num_batches_tracked", trackRunningStats ? tensor(0, { dtype: int64 }) : null);
    this.resetParameters();
  }

  /** Forgets what the running statistics have seen. */
  resetRunningStats(): void {
    this.buffer("running_mean")?.zero_();
    this.buffer("running_var")?.fill_(1);
    this.buffer("num_batches_tracked")?.zero_();
  }

  /** Sets factor and statistics to their first values. */
  resetParameters(): void {
    this.resetRunningStats();
    if (this.weight) ones_(this.weight);
    if (this.bias) zeros_(this.bias);
  }

  /** [numFeatures]: a buffer, `running_mean` in the state. */
  get runningMean(): Tensor | null {
    return this.buffer("running_mean");
  }

  /** [numFeatures]: a buffer, `running_var` in the state. */
  get runningVar(): Tensor | null {
    return this.buffer("running_var");
  }

  /** How many batches the running statistics have seen: a buffer, `num_batches_tracked` in the state. */
  get numBatchesTracked(): Tensor | null {
    return this.buffer("num_batches_tracked");
  }

  protected buffer(name: string): Tensor | null {
    return (Reflect.get(this, name) as Tensor | null | undefined) ?? null;
  }

  /** @throws ValueError for an input with another number of dimensions than one of `allowed` */
  protected checkDimensions(input: Tensor, ...allowed: number[]): void {
    assertTensor(input, "dim");
    const { length } = input.shape;
    if (allowed.includes(length)) return;
    throw new ValueError(`expected ${allowed.map((n) => `${n}D`).join(" or ")} input (got ${length}D input)`);
  }

  override extraRepr(): string {
    return `${py(this.numFeatures)}, eps=${floatText(this.eps)}, momentum=${floatText(this.momentum)}, affine=${py(this.affine)}, bias=${py(this.bias !== null)}, track_running_stats=${py(this.trackRunningStats)}`;
  }
}

/** Batch normalisation for any number of places. */
abstract class BatchNormNd extends NormBase {
  constructor(args: unknown[]) {
    super("_BatchNorm", { affine: true, trackRunningStats: true }, args);
  }

  protected normalize(input: Tensor): Tensor {
    const { runningMean, runningVar, weight, bias, eps, numBatchesTracked } = this;
    let momentum = this.momentum ?? 0;
    if (this.training && numBatchesTracked) {
      noGrad(() => numBatchesTracked.add_(1));
      // Without a momentum every batch counts alike.
      if (this.momentum === null) momentum = 1 / Number(numBatchesTracked.item());
    }
    const training = this.training || (!runningMean && !runningVar);
    const known = !this.training || this.trackRunningStats;
    return F.batchNorm(input, known ? runningMean : null, known ? runningVar : null, {
      weight,
      bias,
      training,
      momentum,
      eps,
    });
  }
}

/** Instance normalisation for any number of places. */
abstract class InstanceNormNd extends NormBase {
  constructor(args: unknown[]) {
    super("_InstanceNorm", { affine: false, trackRunningStats: false }, args);
  }

  /** @param batched the number of dimensions with a batch; one less is a single sample */
  protected normalize(input: Tensor, batched: number): Tensor {
    this.checkDimensions(input, batched - 1, batched);
    this.checkFeatures(input, input.ndim - batched + 1);
    return input.ndim < batched ? this.instances(input.unsqueeze(0)).squeeze(0) : this.instances(input);
  }

  /** Without factors of its own the layer does not mind, but it may not be what was meant. */
  private checkFeatures(input: Tensor, dim: number): void {
    const size = input.shape[dim];
    if (size === this.numFeatures) return;
    if (this.affine) {
      throw new ValueError(
        `expected input's size at dim=${dim} to match num_features (${this.numFeatures}), but got: ${size}.`,
        { shapes: [input.shape] },
      );
    }
    warn(
      `input's size at dim=${dim} does not match num_features. You can silence this warning by not passing in num_features, which is not used because affine=False`,
    );
  }

  private instances(input: Tensor): Tensor {
    const { runningMean, runningVar, weight, bias, eps } = this;
    return F.instanceNorm(input, {
      runningMean,
      runningVar,
      weight,
      bias,
      useInputStats: this.training || !this.trackRunningStats,
      momentum: this.momentum ?? 0,
      eps,
    });
  }
}

/**
 * Normalises each channel over the batch, in evaluation by its running statistics. Shapes: input and output [N, C] or [N, C, L].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.BatchNorm1d.html
 */
export class BatchNorm1d extends BatchNormNd {
  constructor(numFeatures: number, options?: NormOptions);
  constructor(options: { numFeatures: number } & NormOptions);
  constructor(...args: unknown[]) {
    super(args);
  }

  override forward(input: Tensor): Tensor {
    this.checkDimensions(input, 2, 3);
    return this.normalize(input);
  }
}

/**
 * Normalises each channel over the batch, in evaluation by its running statistics. Shapes: input and output [N, C, H, W].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.BatchNorm2d.html
 */
export class BatchNorm2d extends BatchNormNd {
  constructor(numFeatures: number, options?: NormOptions);
  constructor(options: { numFeatures: number } & NormOptions);
  constructor(...args: unknown[]) {
    super(args);
  }

  override forward(input: Tensor): Tensor {
    this.checkDimensions(input, 4);
    return this.normalize(input);
  }
}

/**
 * Normalises each channel over the batch, in evaluation by its running statistics. Shapes: input and output [N, C, D, H, W].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.BatchNorm3d.html
 */
export class BatchNorm3d extends BatchNormNd {
  constructor(numFeatures: number, options?: NormOptions);
  constructor(options: { numFeatures: number } & NormOptions);
  constructor(...args: unknown[]) {
    super(args);
  }

  override forward(input: Tensor): Tensor {
    this.checkDimensions(input, 5);
    return this.normalize(input);
  }
}

/**
 * Normalises each channel of each sample. Shapes: input and output [N, C, L] or [C, L].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.InstanceNorm1d.html
 */
export class InstanceNorm1d extends InstanceNormNd {
  constructor(numFeatures: number, options?: NormOptions);
  constructor(options: { numFeatures: number } & NormOptions);
  constructor(...args: unknown[]) {
    super(args);
  }

  override forward(input: Tensor): Tensor {
    return this.normalize(input, 3);
  }
}

/**
 * Normalises each channel of each sample. Shapes: input and output [N, C, H, W] or [C, H, W].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.InstanceNorm2d.html
 */
export class InstanceNorm2d extends InstanceNormNd {
  constructor(numFeatures: number, options?: NormOptions);
  constructor(options: { numFeatures: number } & NormOptions);
  constructor(...args: unknown[]) {
    super(args);
  }

  override forward(input: Tensor): Tensor {
    return this.normalize(input, 4);
  }
}

/**
 * Normalises each channel of each sample. Shapes: input and output [N, C, D, H, W] or [C, D, H, W].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.InstanceNorm3d.html
 */
export class InstanceNorm3d extends InstanceNormNd {
  constructor(numFeatures: number, options?: NormOptions);
  constructor(options: { numFeatures: number } & NormOptions);
  constructor(...args: unknown[]) {
    super(args);
  }

  override forward(input: Tensor): Tensor {
    return this.normalize(input, 5);
  }
}
