/** Linear layers. https://docs.pytorch.org/docs/2.13/nn.html#linear-layers */
import { bind } from "../core/arguments.ts";
import { ValueError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import { emptyParameter, type FactoryOptions } from "./factory.ts";
import * as F from "./functional.ts";
import { calculateFanInAndFanOut, kaimingUniform_, uniform_ } from "./init.ts";
import { Module } from "./module.ts";
import type { Parameter } from "./parameter.ts";
import { fields } from "./text.ts";

/**
 * Gives its input back: a place holder. Takes any arguments and ignores them.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Identity.html
 */
export class Identity extends Module {
  // The arguments are for exchanging it with any other layer.
  constructor(..._ignored: unknown[]) {
    super();
  }

  override forward(input: Tensor): Tensor {
    return input;
  }
}

export interface LinearOptions extends FactoryOptions {
  /** Whether a bias is added. Default true. */
  bias?: boolean;
}

/**
 * y = x·Aᵀ + b on the last dimension.
 *
 * Shapes: input [*, inFeatures], output [*, outFeatures]; weight [outFeatures, inFeatures], bias [outFeatures].
 * Weight and bias start uniform on ±1 / √inFeatures.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Linear.html
 */
export class Linear extends Module {
  readonly inFeatures: number;
  readonly outFeatures: number;
  declare weight: Parameter;
  declare bias: Parameter | null;

  constructor(inFeatures: number, outFeatures: number, options?: LinearOptions);
  constructor(options: { inFeatures: number; outFeatures: number } & LinearOptions);
  constructor(...args: unknown[]) {
    super();
    const {
      inFeatures,
      outFeatures,
      bias = true,
      ...factory
    } = bind<{ inFeatures: number; outFeatures: number } & LinearOptions>(
      "Linear.__init__",
      ["!inFeatures", "!outFeatures", "bias", "device", "dtype"],
      args,
    );
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    this.weight = emptyParameter([outFeatures, inFeatures], factory);
    this.registerParameter("bias", bias ? emptyParameter([outFeatures], factory) : null);
    this.resetParameters();
  }

  /** Draws weight and bias anew. */
  resetParameters(): void {
    resetByFanIn(this.weight, this.bias);
  }

  override forward(input: Tensor): Tensor {
    return F.linear(input, this.weight, this.bias);
  }

  override extraRepr(): string {
    return fields({ in_features: this.inFeatures, out_features: this.outFeatures, bias: this.bias !== null });
  }
}

interface BilinearSizes {
  in1Features: number;
  in2Features: number;
  outFeatures: number;
}

/**
 * y = x1ᵀ·A·x2 + b on the last dimensions.
 *
 * Shapes: inputs [*, in1Features] and [*, in2Features], output [*, outFeatures]; weight [outFeatures, in1Features,
 * in2Features], bias [outFeatures]. Both start uniform on ±1 / √in1Features.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Bilinear.html
 */
export class Bilinear extends Module {
  readonly in1Features: number;
  readonly in2Features: number;
  readonly outFeatures: number;
  declare weight: Parameter;
  declare bias: Parameter | null;

  constructor(in1Features: number, in2Features: number, outFeatures: number, options?: LinearOptions);
  constructor(options: BilinearSizes & LinearOptions);
  constructor(...args: unknown[]) {
    super();
    const {
      in1Features,
      in2Features,
      outFeatures,
      bias = true,
      ...factory
    } = bind<BilinearSizes & LinearOptions>(
      "Bilinear.__init__",
      ["!in1Features", "!in2Features", "!outFeatures", "bias", "device", "dtype"],
      args,
    );
    this.in1Features = in1Features;
    this.in2Features = in2Features;
    this.outFeatures = outFeatures;
    this.weight = emptyParameter([outFeatures, in1Features, in2Features], factory);
    this.registerParameter("bias", bias ? emptyParameter([outFeatures], factory) : null);
    this.resetParameters();
  }

  /** Draws weight and bias anew. @throws ValueError where there are no features to draw for */
  resetParameters(): void {
    if (this.in1Features <= 0) {
      throw new ValueError(`in1_features must be > 0, but got (in1_features=${this.in1Features})`);
    }
    const bound = 1 / Math.sqrt(this.in1Features);
    uniform_(this.weight, { a: -bound, b: bound });
    if (this.bias) uniform_(this.bias, { a: -bound, b: bound });
  }

  override forward(input1: Tensor, input2: Tensor): Tensor {
    return F.bilinear(input1, input2, this.weight, this.bias);
  }

  override extraRepr(): string {
    return fields({
      in1_features: this.in1Features,
      in2_features: this.in2Features,
      out_features: this.outFeatures,
      bias: this.bias !== null,
    });
  }
}

/** The initial values of linear layers and convolutions: weight first, then bias, both within ±1 / √fanIn. */
export function resetByFanIn(weight: Tensor, bias: Tensor | null): void {
  kaimingUniform_(weight, { a: Math.sqrt(5) });
  if (!bias) return;
  const [fanIn] = calculateFanInAndFanOut(weight);
  const bound = fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0;
  uniform_(bias, { a: -bound, b: bound });
}
