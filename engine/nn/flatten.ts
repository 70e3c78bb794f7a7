/** Layers that change the shape only. https://docs.pytorch.org/docs/2.13/nn.html#utilities */
import { bind } from "../core/arguments.ts";
import { TypeError } from "../core/errors.ts";
import { pythonTypeName, type Tensor } from "../core/tensor.ts";
import { flatten, unflatten } from "../ops/view.ts";
import { Module } from "./module.ts";
import { fields } from "./text.ts";

export interface FlattenLayerOptions {
  /** First dimension to flatten. Default 1: the batch stays. */
  startDim?: number;
  /** Last dimension to flatten. Default -1. */
  endDim?: number;
}

/**
 * Joins dimensions into one: by default [N, C, H, W] becomes [N, C·H·W].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Flatten.html
 */
export class Flatten extends Module {
  readonly startDim: number;
  readonly endDim: number;

  constructor(startDim?: number, endDim?: number);
  constructor(options: FlattenLayerOptions);
  constructor(...args: unknown[]) {
    super();
    const { startDim = 1, endDim = -1 } = bind<FlattenLayerOptions>("Flatten.__init__", ["startDim", "endDim"], args);
    this.startDim = startDim;
    this.endDim = endDim;
  }

  override forward(input: Tensor): Tensor {
    return flatten(input, this.startDim, this.endDim);
  }

  override extraRepr(): string {
    return fields({ start_dim: this.startDim, end_dim: this.endDim });
  }
}

/**
 * Splits one dimension into several: `new nn.Unflatten(1, [2, 3])` makes [N, 6] into [N, 2, 3]. One size may be -1.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Unflatten.html
 */
export class Unflatten extends Module {
  readonly dim: number;
  readonly unflattenedSize: readonly number[];

  constructor(dim: number, unflattenedSize: readonly number[]);
  constructor(options: { dim: number; unflattenedSize: readonly number[] });
  constructor(...args: unknown[]) {
    super();
    const { dim, unflattenedSize } = bind<{ dim: number; unflattenedSize: readonly number[] }>(
      "Unflatten.__init__",
      ["!dim", "!unflattenedSize"],
      args,
    );
    assertTuple(unflattenedSize);
    this.dim = dim;
    this.unflattenedSize = unflattenedSize;
  }

  override forward(input: Tensor): Tensor {
    return unflatten(input, this.dim, this.unflattenedSize);
  }

  override extraRepr(): string {
    return fields({ dim: this.dim, unflattened_size: this.unflattenedSize });
  }
}

function assertTuple(sizes: unknown): void {
  if (!Array.isArray(sizes)) {
    throw new TypeError(`unflattened_size must be a tuple of ints, but found type ${pythonTypeName(sizes)}`, {
      hint: typeof sizes === "number" ? `put it into an array: [${sizes}]` : undefined,
    });
  }
  const at = sizes.findIndex((size) => !Number.isInteger(size));
  if (at < 0) return;
  throw new TypeError(
    `unflattened_size must be tuple of ints, but found element of type ${pythonTypeName(sizes[at])} at pos ${at}`,
  );
}
