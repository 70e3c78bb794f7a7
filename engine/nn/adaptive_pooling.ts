/** Pooling to a given size, by norms, at random, and undone. https://docs.pytorch.org/docs/2.13/nn.html#pooling-layers */
import { bind } from "../core/arguments.ts";
import { ValueError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import type { OutputSize } from "./conv_transpose.ts";
import * as F from "./functional.ts";
import { Module } from "./module.ts";
import { perAxis } from "./operands.ts";
import type { MaxPooled } from "./pooling.ts";
import { fields, numberText, py } from "./text.ts";

type Size1 = number | readonly [number];
type Size2 = number | readonly [number, number];
/** null keeps the input's size. */
type OptionalSize1 = number | null | readonly [number | null];
type OptionalSize2 = number | null | readonly [number | null, number | null];

abstract class AdaptiveAvgPoolNd<Size extends F.AdaptiveSize> extends Module {
  readonly outputSize: Size;

  constructor(args: unknown[]) {
    super();
    this.outputSize = bind<{ outputSize: Size }>("_AdaptiveAvgPoolNd.__init__", ["!outputSize"], args).outputSize;
  }

  override extraRepr(): string {
    return `output_size=${py(this.outputSize)}`;
  }
}

/**
 * Means of windows that are laid so that the output has the given length. Shapes: input [N, C, L] or [C, L], output
 * [N, C, outputSize].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.AdaptiveAvgPool1d.html
 */
export class AdaptiveAvgPool1d extends AdaptiveAvgPoolNd<Size1> {
  constructor(outputSize: Size1 | { outputSize: Size1 });
  constructor(...args: unknown[]) {
    super(args);
  }

  override forward(input: Tensor): Tensor {
    return F.adaptiveAvgPool1d(input, this.outputSize);
  }
}

/**
 * Means of windows that are laid so that the output has the given size. Shapes: input [N, C, H, W] or [C, H, W], output
 * [N, C, ...outputSize].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.AdaptiveAvgPool2d.html
 */
export class AdaptiveAvgPool2d extends AdaptiveAvgPoolNd<OptionalSize2> {
  constructor(outputSize: OptionalSize2 | { outputSize: OptionalSize2 });
  constructor(...args: unknown[]) {
    super(args);
  }

  override forward(input: Tensor): Tensor {
    return F.adaptiveAvgPool2d(input, this.outputSize);
  }
}

export interface AdaptiveMaxPoolOptions<WithIndices extends boolean = false> {
  /** Gives [output, indices] instead of the output. Default false. */
  returnIndices?: WithIndices;
}

abstract class AdaptiveMaxPoolNd<Size extends F.AdaptiveSize, WithIndices extends boolean> extends Module {
  readonly outputSize: Size;
  readonly returnIndices: boolean;

  constructor(args: unknown[]) {
    super();
    const { outputSize, returnIndices = false } = bind<{ outputSize: Size; returnIndices?: boolean }>(
      "_AdaptiveMaxPoolNd.__init__",
      ["!outputSize", "returnIndices"],
      args,
    );
    this.outputSize = outputSize;
    this.returnIndices = returnIndices;
  }

  protected pool(maxPool: typeof F.adaptiveMaxPool2d, input: Tensor): MaxPooled<WithIndices> {
    const result = this.returnIndices
      ? maxPool(input, this.outputSize, { returnIndices: true })
      : maxPool(input, this.outputSize);
    return result as MaxPooled<WithIndices>;
  }

  override extraRepr(): string {
    return `output_size=${py(this.outputSize)}`;
  }
}

/**
 * Maxima of windows that are laid so that the output has the given length. Shapes: input [N, C, L] or [C, L], output
 * [N, C, outputSize].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.AdaptiveMaxPool1d.html
 */
export class AdaptiveMaxPool1d<WithIndices extends boolean = false> extends AdaptiveMaxPoolNd<
  OptionalSize1,
  WithIndices
> {
  constructor(outputSize: OptionalSize1, options?: AdaptiveMaxPoolOptions<WithIndices>);
  constructor(options: { outputSize: OptionalSize1 } & AdaptiveMaxPoolOptions<WithIndices>);
  constructor(...args: unknown[]) {
    super(args);
  }

  override forward(input: Tensor): MaxPooled<WithIndices> {
    return this.pool(F.adaptiveMaxPool1d, input);
  }
}

/**
 * Maxima of windows that are laid so that the output has the given size. Shapes: input [N, C, H, W] or [C, H, W], output
 * [N, C, ...outputSize].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.AdaptiveMaxPool2d.html
 */
export class AdaptiveMaxPool2d<WithIndices extends boolean = false> extends AdaptiveMaxPoolNd<
  OptionalSize2,
  WithIndices
> {
  constructor(outputSize: OptionalSize2, options?: AdaptiveMaxPoolOptions<WithIndices>);
  constructor(options: { outputSize: OptionalSize2 } & AdaptiveMaxPoolOptions<WithIndices>);
  constructor(...args: unknown[]) {
    super(args);
  }

  override forward(input: Tensor): MaxPooled<WithIndices> {
    return this.pool(F.adaptiveMaxPool2d, input);
  }
}

export interface LPPoolLayerOptions<Size> {
  /** Step of the window. Default: kernelSize. */
  stride?: Size | null;
  /** Lets a last window stick out. Default false. */
  ceilMode?: boolean;
}

interface LPPoolArguments<Size> extends LPPoolLayerOptions<Size> {
  normType: number;
  kernelSize: Size;
}

abstract class LPPoolNd<Size extends number | readonly number[]> extends Module {
  readonly normType: number;
  readonly kernelSize: Size;
  readonly stride: Size | null;
  readonly ceilMode: boolean;

  constructor(args: unknown[]) {
    super();
    const {
      normType,
      kernelSize,
      stride = null,
      ceilMode = false,
    } = bind<LPPoolArguments<Size>>("_LPPoolNd.__init__", ["!normType", "!kernelSize", "stride", "ceilMode"], args);
    this.normType = normType;
    this.kernelSize = kernelSize;
    this.stride = stride;
    this.ceilMode = ceilMode;
  }

  override extraRepr(): string {
    return `norm_type=${numberText(this.normType)}, ${fields({ kernel_size: this.kernelSize, stride: this.stride, ceil_mode: this.ceilMode })}`;
  }
}

/**
 * (Σ xᵖ)^(1/p) of each window along a sequence. Shapes: input [N, C, L] or [C, L], output [N, C, L'].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.LPPool1d.html
 */
export class LPPool1d extends LPPoolNd<Size1> {
  constructor(normType: number, kernelSize: Size1, options?: LPPoolLayerOptions<Size1>);
  constructor(options: { normType: number; kernelSize: Size1 } & LPPoolLayerOptions<Size1>);
  constructor(...args: unknown[]) {
    super(args);
  }

  override forward(input: Tensor): Tensor {
    const { normType, kernelSize, stride, ceilMode } = this;
    return F.lpPool1d(input, normType, kernelSize, { stride, ceilMode });
  }
}

/**
 * (Σ xᵖ)^(1/p) of each window over an image. Shapes: input [N, C, H, W] or [C, H, W], output [N, C, H', W'].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.LPPool2d.html
 */
export class LPPool2d extends LPPoolNd<Size2> {
  constructor(normType: number, kernelSize: Size2, options?: LPPoolLayerOptions<Size2>);
  constructor(options: { normType: number; kernelSize: Size2 } & LPPoolLayerOptions<Size2>);
  constructor(...args: unknown[]) {
    super(args);
  }

  override forward(input: Tensor): Tensor {
    const { normType, kernelSize, stride, ceilMode } = this;
    return F.lpPool2d(input, normType, kernelSize, { stride, ceilMode });
  }
}

export interface MaxUnpoolLayerOptions<Size> {
  /** Step of the window. Default: kernelSize. */
  stride?: Size | null;
  /** Cells that were around the input. Default 0. */
  padding?: Size;
}

abstract class MaxUnpoolNd<Axes extends readonly number[]> extends Module {
  readonly kernelSize: Axes;
  readonly stride: Axes;
  readonly padding: Axes;

  constructor(name: string, axes: number, args: unknown[]) {
    super();
    const {
      kernelSize,
      stride,
      padding = 0,
    } = bind<{ kernelSize: number | Axes } & MaxUnpoolLayerOptions<number | Axes>>(
      `${name}.__init__`,
      ["!kernelSize", "stride", "padding"],
      args,
    );
    const each = (size: number | Axes): Axes => perAxis<number>(axes, size) as Axes;
    this.kernelSize = each(kernelSize);
    this.stride = each(stride ?? kernelSize);
    this.padding = each(padding);
  }

  /** @param outputSize the size before pooling, where several are possible; positional, or as an option. */
  protected unpool(name: string, unpool: typeof F.maxUnpool2d, args: unknown[]): Tensor {
    const { input, indices, outputSize } = bind<{
      input: Tensor;
      indices: Tensor;
      outputSize?: readonly number[] | null;
    }>(`${name}.forward`, ["!input", "!indices", "outputSize"], args);
    const { kernelSize, stride, padding } = this;
    return unpool(input, indices, kernelSize, { stride, padding, outputSize });
  }

  override extraRepr(): string {
    return fields({ kernel_size: this.kernelSize, stride: this.stride, padding: this.padding });
  }
}

/**
 * MaxPool1d undone: values at the winners' places, zeros elsewhere. Called with MaxPool1d's output and indices, and where
 * several lengths are possible with the one wanted.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.MaxUnpool1d.html
 */
export class MaxUnpool1d extends MaxUnpoolNd<readonly [number]> {
  constructor(kernelSize: Size1, options?: MaxUnpoolLayerOptions<Size1>);
  constructor(options: { kernelSize: Size1 } & MaxUnpoolLayerOptions<Size1>);
  constructor(...args: unknown[]) {
    super("MaxUnpool1d", 1, args);
  }

  override forward(input: Tensor, indices: Tensor, outputSize?: OutputSize): Tensor;
  override forward(...args: unknown[]): Tensor {
    return this.unpool("MaxUnpool1d", F.maxUnpool1d, args);
  }
}

/**
 * MaxPool2d undone: values at the winners' places, zeros elsewhere. Called with MaxPool2d's output and indices, and where
 * several sizes are possible with the one wanted.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.MaxUnpool2d.html
 */
export class MaxUnpool2d extends MaxUnpoolNd<readonly [number, number]> {
  constructor(kernelSize: Size2, options?: MaxUnpoolLayerOptions<Size2>);
  constructor(options: { kernelSize: Size2 } & MaxUnpoolLayerOptions<Size2>);
  constructor(...args: unknown[]) {
    super("MaxUnpool2d", 2, args);
  }

  override forward(input: Tensor, indices: Tensor, outputSize?: OutputSize): Tensor;
  override forward(...args: unknown[]): Tensor {
    return this.unpool("MaxUnpool2d", F.maxUnpool2d, args);
  }
}

export interface FractionalMaxPool2dOptions<WithIndices extends boolean = false> {
  /** Height and width wanted; either this or outputRatio. Default null. */
  outputSize?: Size2 | null;
  /** The output's share of the input's size, between 0 and 1. Default null. */
  outputRatio?: Size2 | null;
  /** Gives [output, indices] instead of the output. Default false. */
  returnIndices?: WithIndices;
  /** [N, C, 2] numbers in [0, 1) that say where the windows lie, instead of random ones. Default null. */
  _randomSamples?: Tensor | null;
}

/**
 * Maxima of windows whose steps are drawn at random so that the output has the given size.
 * Shapes: input [N, C, H, W] or [C, H, W], output [N, C, ...outputSize].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.FractionalMaxPool2d.html
 */
export class FractionalMaxPool2d<WithIndices extends boolean = false> extends Module {
  readonly kernelSize: readonly [number, number];
  readonly outputSize: readonly [number, number] | null;
  readonly outputRatio: readonly [number, number] | null;
  readonly returnIndices: boolean;
  declare _random_samples: Tensor | null;

  constructor(kernelSize: Size2, options?: FractionalMaxPool2dOptions<WithIndices>);
  constructor(options: { kernelSize: Size2 } & FractionalMaxPool2dOptions<WithIndices>);
  constructor(...args: unknown[]) {
    super();
    const {
      kernelSize,
      outputSize = null,
      outputRatio = null,
      returnIndices = false,
      _randomSamples = null,
    } = bind<{ kernelSize: Size2 } & FractionalMaxPool2dOptions<boolean>>(
      "FractionalMaxPool2d.__init__",
      ["!kernelSize", "outputSize", "outputRatio", "returnIndices", "_randomSamples"],
      args,
    );
    const pair = (size: Size2): readonly [number, number] => (typeof size === "number" ? [size, size] : size);
    this.kernelSize = pair(kernelSize);
    this.returnIndices = returnIndices;
    this.registerBuffer("_random_samples", _randomSamples);
    this.outputSize = outputSize === null ? null : pair(outputSize);
    this.outputRatio = outputRatio === null ? null : pair(outputRatio);
    if (outputSize === null && outputRatio === null) {
      throw new ValueError("FractionalMaxPool2d requires specifying either an output size, or a pooling ratio");
    }
    if (outputSize !== null && outputRatio !== null) {
      throw new ValueError("only one of output_size and output_ratio may be specified");
    }
    if (this.outputRatio?.some((ratio) => !(ratio > 0 && ratio < 1))) {
      throw new ValueError(`output_ratio must be between 0 and 1 (got ${py(outputRatio)})`);
    }
  }

  override forward(input: Tensor): MaxPooled<WithIndices> {
    const { kernelSize, outputSize, outputRatio, _random_samples } = this;
    const options = { outputSize, outputRatio, _randomSamples: _random_samples };
    const both = F.fractionalMaxPool2d(input, kernelSize, { ...options, returnIndices: true });
    return (this.returnIndices ? both : both[0]) as MaxPooled<WithIndices>;
  }
}
