/** Linear layers. https://docs.pytorch.org/docs/2.13/nn.html#linear-layers */
import { bind } from "../core/arguments.ts";
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

/** The initial values of linear layers and convolutions: weight first, then bias, both within ±1 / √fanIn. */
export function resetByFanIn(weight: Tensor, bias: Tensor | null): void {
  kaimingUniform_(weight, { a: Math.sqrt(5) });
  if (!bias) return;
  const [fanIn] = calculateFanInAndFanOut(weight);
  const bound = fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0;
  uniform_(bias, { a: -bound, b: bound });
}
