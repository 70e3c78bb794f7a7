/** Normalisation of each sample by itself. https://docs.pytorch.org/docs/2.13/nn.html#normalization-layers */
import { bind } from "../core/arguments.ts";
import { TypeError, ValueError } from "../core/errors.ts";
import { pythonTypeName, type Tensor } from "../core/tensor.ts";
import { emptyParameter, type FactoryOptions } from "./factory.ts";
import * as F from "./functional.ts";
import { ones_, zeros_ } from "./init.ts";
import { Module } from "./module.ts";
import { assertDivisible } from "./operands.ts";
import type { Parameter } from "./parameter.ts";
import { floatText, py } from "./text.ts";

export interface LayerNormOptions extends FactoryOptions {
  /** Added to the variance. Default 1e-5. */
  eps?: number;
  /** Whether a factor and a summand are learned for each element. Default true. */
  elementwiseAffine?: boolean;
  /** Whether there is a summand. Default true. */
  bias?: boolean;
}

/**
 * Normalises over the last dimensions. Shapes: input [*, ...normalizedShape], output the same; weight and bias
 * normalizedShape.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.LayerNorm.html
 */
export class LayerNorm extends Module {
  readonly normalizedShape: number[];
  readonly eps: number;
  readonly elementwiseAffine: boolean;
  declare weight: Parameter | null;
  declare bias: Parameter | null;

  constructor(normalizedShape: number | readonly number[], options?: LayerNormOptions);
  constructor(options: { normalizedShape: number | readonly number[] } & LayerNormOptions);
  constructor(...args: unknown[]) {
    super();
    const {
      normalizedShape,
      eps = 1e-5,
      elementwiseAffine = true,
      bias = true,
      ...factory
    } = bind<{ normalizedShape: number | readonly number[] } & LayerNormOptions>(
      "LayerNorm.__init__",
      ["!normalizedShape", "eps", "elementwiseAffine", "bias", "device", "dtype"],
      args,
    );
    this.normalizedShape = shapeOf(normalizedShape);
    this.eps = eps;
    this.elementwiseAffine = elementwiseAffine;
    const parameter = () => emptyParameter(this.normalizedShape, factory);
    this.registerParameter("weight", elementwiseAffine ? parameter() : null);
    this.registerParameter("bias", elementwiseAffine && bias ? parameter() : null);
    this.resetParameters();
  }

  /** Sets factor and summand to 1 and 0. */
  resetParameters(): void {
    if (this.weight) ones_(this.weight);
    if (this.bias) zeros_(this.bias);
  }

  override forward(input: Tensor): Tensor {
    const { weight, bias, eps } = this;
    return F.layerNorm(input, this.normalizedShape, { weight, bias, eps });
  }

  override extraRepr(): string {
    return `${py(this.normalizedShape)}, eps=${floatText(this.eps)}, elementwise_affine=${py(this.elementwiseAffine)}, bias=${py(this.bias !== null)}`;
  }
}

export interface RMSNormOptions extends FactoryOptions {
  /** Added to the mean square; null: the dtype's smallest relative step. Default null. */
  eps?: number | null;
  /** Whether a factor is learned for each element. Default true. */
  elementwiseAffine?: boolean;
}

/**
 * Divides by the root mean square over the last dimensions. Shapes: input [*, ...normalizedShape], output the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.RMSNorm.html
 */
export class RMSNorm extends Module {
  readonly normalizedShape: number[];
  readonly eps: number | null;
  readonly elementwiseAffine: boolean;
  declare weight: Parameter | null;

  constructor(normalizedShape: number | readonly number[], options?: RMSNormOptions);
  constructor(options: { normalizedShape: number | readonly number[] } & RMSNormOptions);
  constructor(...args: unknown[]) {
    super();
    const {
      normalizedShape,
      eps = null,
      elementwiseAffine = true,
      ...factory
    } = bind<{ normalizedShape: number | readonly number[] } & RMSNormOptions>(
      "RMSNorm.__init__",
      ["!normalizedShape", "eps", "elementwiseAffine", "device", "dtype"],
      args,
    );
    this.normalizedShape = shapeOf(normalizedShape);
    this.eps = eps;
    this.elementwiseAffine = elementwiseAffine;
    this.registerParameter("weight", elementwiseAffine ? emptyParameter(this.normalizedShape, factory) : null);
    this.resetParameters();
  }

  /** Sets the factor to 1. */
  resetParameters(): void {
    if (this.weight) ones_(this.weight);
  }

  override forward(input: Tensor): Tensor {
    const { weight, eps } = this;
    return F.rmsNorm(input, this.normalizedShape, { weight, eps });
  }

  override extraRepr(): string {
    return `${py(this.normalizedShape)}, eps=${floatText(this.eps)}, elementwise_affine=${py(this.elementwiseAffine)}`;
  }
}

export interface GroupNormOptions extends FactoryOptions {
  /** Added to the variance. Default 1e-5. */
  eps?: number;
  /** Whether a factor and a summand are learned for each channel. Default true. */
  affine?: boolean;
  /** Whether there is a summand. Default true. */
  bias?: boolean;
}

/**
 * Normalises groups of channels of each sample. Shapes: input [N, numChannels, *], output the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.GroupNorm.html
 */
export class GroupNorm extends Module {
  readonly numGroups: number;
  readonly numChannels: number;
  readonly eps: number;
  readonly affine: boolean;
  declare weight: Parameter | null;
  declare bias: Parameter | null;

  constructor(numGroups: number, numChannels: number, options?: GroupNormOptions);
  constructor(options: { numGroups: number; numChannels: number } & GroupNormOptions);
  constructor(...args: unknown[]) {
    super();
    const {
      numGroups,
      numChannels,
      eps = 1e-5,
      affine = true,
      bias = true,
      ...factory
    } = bind<{ numGroups: number; numChannels: number } & GroupNormOptions>(
      "GroupNorm.__init__",
      ["!numGroups", "!numChannels", "eps", "affine", "device", "dtype", "bias"],
      args,
    );
    assertDivisible(numChannels, numGroups);
    if (numChannels % numGroups !== 0) {
      throw new ValueError(`num_channels (${py(numChannels)}) must be divisible by num_groups (${py(numGroups)})`);
    }
    this.numGroups = numGroups;
    this.numChannels = numChannels;
    this.eps = eps;
    this.affine = affine;
    this.registerParameter("weight", affine ? emptyParameter(numChannels, factory) : null);
    this.registerParameter("bias", affine && bias ? emptyParameter(numChannels, factory) : null);
    this.resetParameters();
  }

  /** Sets factor and summand to 1 and 0. */
  resetParameters(): void {
    if (this.weight) ones_(this.weight);
    if (this.bias) zeros_(this.bias);
  }

  override forward(input: Tensor): Tensor {
    const { weight, bias, eps } = this;
    return F.groupNorm(input, this.numGroups, { weight, bias, eps });
  }

  override extraRepr(): string {
    return `${this.numGroups}, ${this.numChannels}, eps=${floatText(this.eps)}, affine=${py(this.affine)}, bias=${py(this.bias !== null)}`;
  }
}

export interface LocalResponseNormLayerOptions {
  /** Factor of the neighbours' energy. Default 1e-4. */
  alpha?: number;
  /** Exponent of the divisor. Default 0.75. */
  beta?: number;
  /** Summand of the divisor. Default 1. */
  k?: number;
}

/**
 * Divides each channel by the energy of its `size` neighbours. Shapes: input [N, C, *], output the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.LocalResponseNorm.html
 */
export class LocalResponseNorm extends Module {
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;

  constructor(size: number, options?: LocalResponseNormLayerOptions);
  constructor(options: { size: number } & LocalResponseNormLayerOptions);
  constructor(...args: unknown[]) {
    super();
    const {
      size,
      alpha = 1e-4,
      beta = 0.75,
      k = 1,
    } = bind<{ size: number } & LocalResponseNormLayerOptions>(
      "LocalResponseNorm.__init__",
      ["!size", "alpha", "beta", "k"],
      args,
    );
    this.size = size;
    this.alpha = alpha;
    this.beta = beta;
    this.k = k;
  }

  override forward(input: Tensor): Tensor {
    const { size, alpha, beta, k } = this;
    return F.localResponseNorm(input, size, { alpha, beta, k });
  }

  override extraRepr(): string {
    return `${py(this.size)}, alpha=${floatText(this.alpha)}, beta=${floatText(this.beta)}, k=${floatText(this.k)}`;
  }
}

/** A normalized shape, of which one number is one dimension. @throws TypeError for what is neither */
function shapeOf(size: number | readonly number[]): number[] {
  if (Number.isInteger(size)) return [size as number];
  if (Array.isArray(size)) return [...size];
  if (typeof size === "string") return Array.from<number>(size);
  throw new TypeError(`'${pythonTypeName(size)}' object is not iterable`);
}
