/** Non-linear activations. https://docs.pytorch.org/docs/2.13/nn.html#non-linear-activations-weighted-sum-nonlinearity */
import { bind } from "../core/arguments.ts";
import { ValueError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import * as F from "./functional.ts";
import { Module } from "./module.ts";
import { assertTensor } from "./operands.ts";
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

/** The dimension along which the values sum to 1; without one PyTorch warns and takes what its oldest versions meant. */
export interface DimOption {
  dim?: number | null;
}

/**
 * exp(x) / Σ exp(x) along one dimension: positive numbers that sum to 1. Shapes: input and output any, the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Softmax.html
 */
export class Softmax extends Module {
  readonly dim: number | null;

  constructor(dim?: number | null | DimOption);
  constructor(...args: unknown[]) {
    super();
    this.dim = bind<DimOption>("Softmax.__init__", ["dim"], args).dim ?? null;
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
  readonly dim: number | null;

  constructor(dim?: number | null | DimOption);
  constructor(...args: unknown[]) {
    super();
    this.dim = bind<DimOption>("LogSoftmax.__init__", ["dim"], args).dim ?? null;
  }

  override forward(input: Tensor): Tensor {
    return F.logSoftmax(input, this.dim);
  }

  override extraRepr(): string {
    return fields({ dim: this.dim });
  }
}

/**
 * Softmax of -x along one dimension; without one PyTorch takes what its oldest versions meant. Shapes: input and output
 * any, the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Softmin.html
 */
export class Softmin extends Module {
  readonly dim: number | null;

  constructor(dim?: number | null | DimOption);
  constructor(...args: unknown[]) {
    super();
    this.dim = bind<DimOption>("Softmin.__init__", ["dim"], args).dim ?? null;
  }

  override forward(input: Tensor): Tensor {
    return F.softmin(input, this.dim);
  }

  override extraRepr(): string {
    return fields({ dim: this.dim });
  }
}

/**
 * Softmax over the channels of every pixel. Shapes: input [N, C, H, W] or [C, H, W], output the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Softmax2d.html
 */
export class Softmax2d extends Module {
  override forward(input: Tensor): Tensor {
    assertTensor(input, "dim");
    if (input.ndim !== 3 && input.ndim !== 4) {
      throw new ValueError(`Softmax2d: expected input to be 3D or 4D, got ${input.ndim}D instead`);
    }
    return F.softmax(input, -3);
  }
}
