/** Activations with a form, a threshold, a gate or a slope of their own. */
import { bind } from "../core/arguments.ts";
import type { Tensor } from "../core/tensor.ts";
import type { InplaceOption } from "./activation.ts";
import { emptyParameter, type FactoryOptions } from "./factory.ts";
import * as F from "./functional.ts";
import { constant_ } from "./init.ts";
import { Module } from "./module.ts";
import type { Parameter } from "./parameter.ts";
import { fields, floatText, numberText } from "./text.ts";

export interface GELUOptions {
  /** "none" is exact, "tanh" an approximation. Default "none". */
  approximate?: "none" | "tanh";
}

/**
 * x times the chance that a normal number is smaller. Shapes: input and output any, the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.GELU.html
 */
export class GELU extends Module {
  readonly approximate: "none" | "tanh";

  constructor(options?: GELUOptions);
  constructor(...args: unknown[]) {
    super();
    this.approximate = bind<GELUOptions>("GELU.__init__", ["approximate"], args).approximate ?? "none";
  }

  override forward(input: Tensor): Tensor {
    return F.gelu(input, { approximate: this.approximate });
  }

  override extraRepr(): string {
    return `approximate='${this.approximate}'`;
  }
}

/**
 * x above the threshold, `value` elsewhere. Shapes: input and output any, the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Threshold.html
 */
export class Threshold extends Module {
  readonly threshold: number;
  readonly value: number;
  readonly inplace: boolean;

  constructor(threshold: number, value: number, options?: InplaceOption);
  constructor(options: { threshold: number; value: number } & InplaceOption);
  constructor(...args: unknown[]) {
    super();
    const {
      threshold,
      value,
      inplace = false,
    } = bind<{ threshold: number; value: number } & InplaceOption>(
      "Threshold.__init__",
      ["!threshold", "!value", "inplace"],
      args,
    );
    this.threshold = threshold;
    this.value = value;
    this.inplace = inplace;
  }

  override forward(input: Tensor): Tensor {
    return F.threshold(input, this.threshold, this.value, { inplace: this.inplace });
  }

  override extraRepr(): string {
    const text = `threshold=${numberText(this.threshold)}, value=${numberText(this.value)}`;
    return this.inplace ? `${text}, inplace=True` : text;
  }
}

export interface GLUOptions {
  /** The dimension that is halved. Default -1. */
  dim?: number;
}

/**
 * The first half times the sigmoid of the second. Shapes: the output has half the input's size along `dim`.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.GLU.html
 */
export class GLU extends Module {
  readonly dim: number;

  constructor(options?: GLUOptions);
  constructor(...args: unknown[]) {
    super();
    const { dim = -1 } = bind<GLUOptions>("GLU.__init__", ["dim"], args);
    this.dim = dim;
  }

  override forward(input: Tensor): Tensor {
    return F.glu(input, this.dim);
  }

  override extraRepr(): string {
    return fields({ dim: this.dim });
  }
}

export interface PReLUOptions extends FactoryOptions {
  /** One slope for all, or one a channel. Default 1. */
  numParameters?: number;
  /** The slopes at the start. Default 0.25. */
  init?: number;
}

/**
 * x above 0, a learned slope times x below. Shapes: input [N, C, …], output the same; weight [numParameters].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.PReLU.html
 */
export class PReLU extends Module {
  readonly numParameters: number;
  readonly init: number;
  declare weight: Parameter;

  constructor(options?: PReLUOptions);
  constructor(...args: unknown[]) {
    super();
    const {
      numParameters = 1,
      init = 0.25,
      ...factory
    } = bind<PReLUOptions>("PReLU.__init__", ["numParameters", "init", "device", "dtype"], args);
    this.numParameters = numParameters;
    this.init = init;
    this.weight = emptyParameter(numParameters, factory);
    this.resetParameters();
  }

  /** Sets the slopes to their first value. */
  resetParameters(): void {
    constant_(this.weight, this.init);
  }

  override forward(input: Tensor): Tensor {
    return F.prelu(input, this.weight);
  }

  override extraRepr(): string {
    return `num_parameters=${this.numParameters}`;
  }
}

export interface RReLUOptions extends InplaceOption {
  /** Least slope. Default 1/8. */
  lower?: number;
  /** Largest slope. Default 1/3. */
  upper?: number;
}

/**
 * x above 0, a random slope times x below; in evaluation the mean of the slopes. Shapes: input and output any, the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.RReLU.html
 */
export class RReLU extends Module {
  readonly lower: number;
  readonly upper: number;
  readonly inplace: boolean;

  constructor(options?: RReLUOptions);
  constructor(...args: unknown[]) {
    super();
    const {
      lower = 1 / 8,
      upper = 1 / 3,
      inplace = false,
    } = bind<RReLUOptions>("RReLU.__init__", ["lower", "upper", "inplace"], args);
    this.lower = lower;
    this.upper = upper;
    this.inplace = inplace;
  }

  override forward(input: Tensor): Tensor {
    const { lower, upper, training, inplace } = this;
    return F.rrelu(input, { lower, upper, training, inplace });
  }

  override extraRepr(): string {
    const text = `lower=${floatText(this.lower)}, upper=${floatText(this.upper)}`;
    return this.inplace ? `${text}, inplace=True` : text;
  }
}
