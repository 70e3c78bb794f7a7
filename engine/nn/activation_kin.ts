/** The smoother kin of ReLU, and what else bends element by element. https://docs.pytorch.org/docs/2.13/nn.html#non-linear-activations-weighted-sum-nonlinearity */
import { bind } from "../core/arguments.ts";
import { AssertionError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import type { InplaceOption } from "./activation.ts";
import * as F from "./functional.ts";
import { Module } from "./module.ts";
import { assertComparable } from "./operands.ts";
import { floatText } from "./text.ts";

/** `alpha=1.0, inplace=True`: numbers as Python floats, in place only where it is so. */
function describe(numbers: Record<string, number>, inplace = false): string {
  const parts = Object.entries(numbers).map(([name, value]) => `${name}=${floatText(value)}`);
  if (inplace) parts.push("inplace=True");
  return parts.join(", ");
}

/**
 * min(max(0, x), 6). Shapes: input and output any, the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.ReLU6.html
 */
export class ReLU6 extends Module {
  readonly inplace: boolean;

  constructor(options?: InplaceOption);
  constructor(...args: unknown[]) {
    super();
    const { inplace = false } = bind<InplaceOption>("ReLU6.__init__", ["inplace"], args);
    this.inplace = inplace;
  }

  override forward(input: Tensor): Tensor {
    const { inplace } = this;
    return F.relu6(input, { inplace });
  }

  override extraRepr(): string {
    return describe({}, this.inplace);
  }
}

export interface LeakyReLUOptions extends InplaceOption {
  /** Slope below 0. Default 0.01. */
  negativeSlope?: number;
}

/**
 * x above 0, negativeSlope · x below. Shapes: input and output any, the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.LeakyReLU.html
 */
export class LeakyReLU extends Module {
  readonly negativeSlope: number;
  readonly inplace: boolean;

  constructor(options?: LeakyReLUOptions);
  constructor(...args: unknown[]) {
    super();
    const { negativeSlope = 0.01, inplace = false } = bind<LeakyReLUOptions>(
      "LeakyReLU.__init__",
      ["negativeSlope", "inplace"],
      args,
    );
    this.negativeSlope = negativeSlope;
    this.inplace = inplace;
  }

  override forward(input: Tensor): Tensor {
    const { negativeSlope, inplace } = this;
    return F.leakyRelu(input, { negativeSlope, inplace });
  }

  override extraRepr(): string {
    return describe({ negative_slope: this.negativeSlope }, this.inplace);
  }
}

export interface ELUOptions extends InplaceOption {
  /** How far down it goes. Default 1. */
  alpha?: number;
}

/**
 * x above 0, alpha · (exp(x) - 1) below. Shapes: input and output any, the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.ELU.html
 */
export class ELU extends Module {
  readonly alpha: number;
  readonly inplace: boolean;

  constructor(options?: ELUOptions);
  constructor(...args: unknown[]) {
    super();
    const { alpha = 1, inplace = false } = bind<ELUOptions>("ELU.__init__", ["alpha", "inplace"], args);
    this.alpha = alpha;
    this.inplace = inplace;
  }

  override forward(input: Tensor): Tensor {
    const { alpha, inplace } = this;
    return F.elu(input, { alpha, inplace });
  }

  override extraRepr(): string {
    return describe({ alpha: this.alpha }, this.inplace);
  }
}

export interface CELUOptions extends InplaceOption {
  /** How far down it goes. Default 1. */
  alpha?: number;
}

/**
 * x above 0, alpha · (exp(x / alpha) - 1) below. Shapes: input and output any, the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.CELU.html
 */
export class CELU extends Module {
  readonly alpha: number;
  readonly inplace: boolean;

  constructor(options?: CELUOptions);
  constructor(...args: unknown[]) {
    super();
    const { alpha = 1, inplace = false } = bind<CELUOptions>("CELU.__init__", ["alpha", "inplace"], args);
    this.alpha = alpha;
    this.inplace = inplace;
  }

  override forward(input: Tensor): Tensor {
    const { alpha, inplace } = this;
    return F.celu(input, { alpha, inplace });
  }

  override extraRepr(): string {
    return describe({ alpha: this.alpha }, this.inplace);
  }
}

/**
 * ELU, scaled so that layers keep mean 0 and variance 1. Shapes: input and output any, the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.SELU.html
 */
export class SELU extends Module {
  readonly inplace: boolean;

  constructor(options?: InplaceOption);
  constructor(...args: unknown[]) {
    super();
    const { inplace = false } = bind<InplaceOption>("SELU.__init__", ["inplace"], args);
    this.inplace = inplace;
  }

  override forward(input: Tensor): Tensor {
    const { inplace } = this;
    return F.selu(input, { inplace });
  }

  override extraRepr(): string {
    return describe({}, this.inplace);
  }
}

/**
 * x · sigmoid(x). Shapes: input and output any, the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.SiLU.html
 */
export class SiLU extends Module {
  readonly inplace: boolean;

  constructor(options?: InplaceOption);
  constructor(...args: unknown[]) {
    super();
    const { inplace = false } = bind<InplaceOption>("SiLU.__init__", ["inplace"], args);
    this.inplace = inplace;
  }

  override forward(input: Tensor): Tensor {
    const { inplace } = this;
    return F.silu(input, { inplace });
  }

  override extraRepr(): string {
    return describe({}, this.inplace);
  }
}

/**
 * x · tanh(softplus(x)). Shapes: input and output any, the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Mish.html
 */
export class Mish extends Module {
  readonly inplace: boolean;

  constructor(options?: InplaceOption);
  constructor(...args: unknown[]) {
    super();
    const { inplace = false } = bind<InplaceOption>("Mish.__init__", ["inplace"], args);
    this.inplace = inplace;
  }

  override forward(input: Tensor): Tensor {
    const { inplace } = this;
    return F.mish(input, { inplace });
  }

  override extraRepr(): string {
    return describe({}, this.inplace);
  }
}

/**
 * x / 6 + 1 / 2, between 0 and 1. Shapes: input and output any, the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Hardsigmoid.html
 */
export class Hardsigmoid extends Module {
  readonly inplace: boolean;

  constructor(options?: InplaceOption);
  constructor(...args: unknown[]) {
    super();
    const { inplace = false } = bind<InplaceOption>("Hardsigmoid.__init__", ["inplace"], args);
    this.inplace = inplace;
  }

  override forward(input: Tensor): Tensor {
    const { inplace } = this;
    return F.hardsigmoid(input, { inplace });
  }

  override extraRepr(): string {
    return "";
  }
}

/**
 * x · hardsigmoid(x). Shapes: input and output any, the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Hardswish.html
 */
export class Hardswish extends Module {
  readonly inplace: boolean;

  constructor(options?: InplaceOption);
  constructor(...args: unknown[]) {
    super();
    const { inplace = false } = bind<InplaceOption>("Hardswish.__init__", ["inplace"], args);
    this.inplace = inplace;
  }

  override forward(input: Tensor): Tensor {
    const { inplace } = this;
    return F.hardswish(input, { inplace });
  }

  override extraRepr(): string {
    return "";
  }
}

export interface HardtanhOptions extends InplaceOption {
  /** Smallest value. Default -1. */
  minVal?: number;
  /** Largest value. Default 1. */
  maxVal?: number;
}

/**
 * x between minVal and maxVal. Shapes: input and output any, the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Hardtanh.html
 */
export class Hardtanh extends Module {
  readonly minVal: number;
  readonly maxVal: number;
  readonly inplace: boolean;

  constructor(options?: HardtanhOptions);
  constructor(...args: unknown[]) {
    super();
    const {
      minVal = -1,
      maxVal = 1,
      inplace = false,
    } = bind<HardtanhOptions>("Hardtanh.__init__", ["minVal", "maxVal", "inplace"], args);
    assertComparable(maxVal, "<=", minVal);
    if (maxVal <= minVal) {
      throw new AssertionError(`max_val (${floatText(maxVal)}) must be greater than min_val (${floatText(minVal)})`);
    }
    this.minVal = minVal;
    this.maxVal = maxVal;
    this.inplace = inplace;
  }

  override forward(input: Tensor): Tensor {
    const { minVal, maxVal, inplace } = this;
    return F.hardtanh(input, { minVal, maxVal, inplace });
  }

  override extraRepr(): string {
    return describe({ min_val: this.minVal, max_val: this.maxVal }, this.inplace);
  }
}

export interface SoftplusOptions {
  /** How sharp the bend is. Default 1. */
  beta?: number;
  /** Where it becomes straight. Default 20. */
  threshold?: number;
}

/**
 * log(1 + exp(beta · x)) / beta, and x itself where beta · x is above the threshold. Shapes: input and output any, the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Softplus.html
 */
export class Softplus extends Module {
  readonly beta: number;
  readonly threshold: number;

  constructor(options?: SoftplusOptions);
  constructor(...args: unknown[]) {
    super();
    const { beta = 1, threshold = 20 } = bind<SoftplusOptions>("Softplus.__init__", ["beta", "threshold"], args);
    this.beta = beta;
    this.threshold = threshold;
  }

  override forward(input: Tensor): Tensor {
    const { beta, threshold } = this;
    return F.softplus(input, { beta, threshold });
  }

  override extraRepr(): string {
    return describe({ beta: this.beta, threshold: this.threshold });
  }
}

/**
 * x / (1 + |x|). Shapes: input and output any, the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Softsign.html
 */
export class Softsign extends Module {
  override forward(input: Tensor): Tensor {
    return F.softsign(input);
  }
}

/**
 * log(sigmoid(x)). Shapes: input and output any, the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.LogSigmoid.html
 */
export class LogSigmoid extends Module {
  override forward(input: Tensor): Tensor {
    return F.logsigmoid(input);
  }
}

/**
 * x - tanh(x). Shapes: input and output any, the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Tanhshrink.html
 */
export class Tanhshrink extends Module {
  override forward(input: Tensor): Tensor {
    return F.tanhshrink(input);
  }
}

export interface HardshrinkOptions {
  /** Half the width of the band. Default 0.5. */
  lambd?: number;
}

/**
 * x, and 0 where |x| is at most lambd. Shapes: input and output any, the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Hardshrink.html
 */
export class Hardshrink extends Module {
  readonly lambd: number;

  constructor(options?: HardshrinkOptions);
  constructor(...args: unknown[]) {
    super();
    const { lambd = 0.5 } = bind<HardshrinkOptions>("Hardshrink.__init__", ["lambd"], args);
    this.lambd = lambd;
  }

  override forward(input: Tensor): Tensor {
    const { lambd } = this;
    return F.hardshrink(input, { lambd });
  }

  override extraRepr(): string {
    return floatText(this.lambd);
  }
}

export interface SoftshrinkOptions {
  /** How far. Default 0.5. */
  lambd?: number;
}

/**
 * x moved towards 0 by lambd. Shapes: input and output any, the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Softshrink.html
 */
export class Softshrink extends Module {
  readonly lambd: number;

  constructor(options?: SoftshrinkOptions);
  constructor(...args: unknown[]) {
    super();
    const { lambd = 0.5 } = bind<SoftshrinkOptions>("Softshrink.__init__", ["lambd"], args);
    this.lambd = lambd;
  }

  override forward(input: Tensor): Tensor {
    const { lambd } = this;
    return F.softshrink(input, { lambd });
  }

  override extraRepr(): string {
    return floatText(this.lambd);
  }
}
