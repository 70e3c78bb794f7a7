/** Non-linear activations. https://docs.pytorch.org/docs/2.13/nn.html#non-linear-activations-weighted-sum-nonlinearity */
import { bind } from "../core/arguments.ts";
import type { Tensor } from "../core/tensor.ts";
import * as F from "./functional.ts";
import { Module } from "./module.ts";
import { fields } from "./text.ts";

export interface InplaceOption {
  /** Overwrites the input instead of making a new tensor. Default false. */
  inplace?: boolean;
}

/**
 * max(0, x), element by element. Shapes: input and output any, the same. The gradient at 0 is 0.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.ReLU.html
 */
export class ReLU extends Module {
  readonly inplace: boolean;

  constructor(options?: InplaceOption);
  constructor(...args: unknown[]) {
    super();
    this.inplace = bind<InplaceOption>("ReLU.__init__", ["inplace"], args).inplace ?? false;
  }

  override forward(input: Tensor): Tensor {
    return this.inplace ? input.relu_() : F.relu(input);
  }

  override extraRepr(): string {
    return this.inplace ? "inplace=True" : "";
  }
}

/**
 * 1 / (1 + exp(-x)), element by element. Shapes: input and output any, the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Sigmoid.html
 */
export class Sigmoid extends Module {
  override forward(input: Tensor): Tensor {
    return F.sigmoid(input);
  }
}

/**
 * tanh(x), element by element. Shapes: input and output any, the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Tanh.html
 */
export class Tanh extends Module {
  override forward(input: Tensor): Tensor {
    return F.tanh(input);
  }
}

/** The dimension along which the values sum to 1. */
export interface DimOption {
  dim: number;
}

/**
 * exp(x) / Σ exp(x) along one dimension: positive numbers that sum to 1. Shapes: input and output any, the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Softmax.html
 */
export class Softmax extends Module {
  readonly dim: number;

  constructor(dim: number);
  constructor(options: DimOption);
  constructor(...args: unknown[]) {
    super();
    this.dim = bind<DimOption>("Softmax.__init__", ["!dim"], args).dim;
  }

  override forward(input: Tensor): Tensor {
    return F.softmax(input, this.dim);
  }

  override extraRepr(): string {
    return fields({ dim: this.dim });
  }
}

/**
 * The logarithm of softmax, computed without overflow. Shapes: input and output any, the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.LogSoftmax.html
 */
export class LogSoftmax extends Module {
  readonly dim: number;

  constructor(dim: number);
  constructor(options: DimOption);
  constructor(...args: unknown[]) {
    super();
    this.dim = bind<DimOption>("LogSoftmax.__init__", ["!dim"], args).dim;
  }

  override forward(input: Tensor): Tensor {
    return F.logSoftmax(input, this.dim);
  }

  override extraRepr(): string {
    return fields({ dim: this.dim });
  }
}
