/**
 * Layers that resize images, rearrange their pixels, or cut them into blocks.
 * https://docs.pytorch.org/docs/2.13/nn.html#vision-layers
 */
import { bind } from "../core/arguments.ts";
import { repr } from "../core/print.ts";
import type { Tensor } from "../core/tensor.ts";
import * as F from "./functional.ts";
import { Module } from "./module.ts";
import { toFloat } from "./operands.ts";
import { fields, floatText, py } from "./text.ts";

export interface UpsampleOptions {
  /** The size wanted, of every axis or one per axis; either this or scaleFactor. Default null. */
  size?: number | readonly number[] | null;
  /** Factor of the size, of every axis or one per axis. Default null. */
  scaleFactor?: number | readonly number[] | null;
  /** How cells in between are found. Default "nearest". */
  mode?: F.InterpolateMode;
  /** Whether the corners' centres are kept (linear, bilinear, bicubic). Default false. */
  alignCorners?: boolean | null;
  /** Takes the scale from the sizes instead of scaleFactor. Default false. */
  recomputeScaleFactor?: boolean | null;
}

/**
 * Resizes sequences [N, C, L] and images [N, C, H, W] to a size or by a factor.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Upsample.html
 */
export class Upsample extends Module {
  readonly size: number | readonly number[] | null;
  readonly scaleFactor: number | readonly number[] | null;
  readonly mode: F.InterpolateMode;
  readonly alignCorners: boolean | null;
  readonly recomputeScaleFactor: boolean | null;

  constructor(size: number | readonly number[] | null, options?: Omit<UpsampleOptions, "size">);
  constructor(options: UpsampleOptions);
  constructor(...args: unknown[]) {
    super();
    const {
      size = null,
      scaleFactor,
      mode = "nearest",
      alignCorners = null,
      recomputeScaleFactor = null,
    } = bind<UpsampleOptions>(
      "Upsample.__init__",
      ["size", "scaleFactor", "mode", "alignCorners", "recomputeScaleFactor"],
      args,
    );
    this.size = size;
    this.scaleFactor = Array.isArray(scaleFactor)
      ? scaleFactor.map(toFloat)
      : scaleFactor
        ? toFloat(scaleFactor)
        : null;
    this.mode = mode;
    this.alignCorners = alignCorners;
    this.recomputeScaleFactor = recomputeScaleFactor;
  }

  override forward(input: Tensor): Tensor {
    const { size, scaleFactor, mode, alignCorners, recomputeScaleFactor } = this;
    return F.interpolate(input, { size, scaleFactor, mode, alignCorners, recomputeScaleFactor });
  }

  override extraRepr(): string {
    const { size, scaleFactor } = this;
    const target =
      scaleFactor === null
        ? `size=${typeof size === "string" ? repr(size) : py(size)}`
        : `scale_factor=${typeof scaleFactor === "number" ? floatText(scaleFactor) : floatTuple(scaleFactor)}`;
    return `${target}, mode=${repr(this.mode)}`;
  }
}

function floatTuple(values: readonly number[]): string {
  return `(${values.map(floatText).join(", ")}${values.length === 1 ? "," : ""})`;
}

export interface Upsample2dOptions {
  /** Height and width wanted; either this or scaleFactor. Default null. */
  size?: number | readonly [number, number] | null;
  /** Factor of height and width. Default null. */
  scaleFactor?: number | readonly [number, number] | null;
}

function upsample2d(name: string, args: unknown[]): Upsample2dOptions {
  return bind<Upsample2dOptions>(`${name}.__init__`, ["size", "scaleFactor"], args);
}

/**
 * Resizes images by repeating the nearest pixel. Shapes: [N, C, H, W].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.UpsamplingNearest2d.html
 */
export class UpsamplingNearest2d extends Upsample {
  constructor(size: number | readonly [number, number] | null, options?: Omit<Upsample2dOptions, "size">);
  constructor(options: Upsample2dOptions);
  constructor(...args: unknown[]) {
    super({ ...upsample2d("UpsamplingNearest2d", args), mode: "nearest" });
  }
}

/**
 * Resizes images linearly, the corners' centres kept. Shapes: [N, C, H, W].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.UpsamplingBilinear2d.html
 */
export class UpsamplingBilinear2d extends Upsample {
  constructor(size: number | readonly [number, number] | null, options?: Omit<Upsample2dOptions, "size">);
  constructor(options: Upsample2dOptions);
  constructor(...args: unknown[]) {
    super({ ...upsample2d("UpsamplingBilinear2d", args), mode: "bilinear", alignCorners: true });
  }
}

/**
 * Channels become pixels: [..., C·r², H, W] → [..., C, H·r, W·r].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.PixelShuffle.html
 */
export class PixelShuffle extends Module {
  readonly upscaleFactor: number;

  constructor(upscaleFactor: number | { upscaleFactor: number });
  constructor(...args: unknown[]) {
    super();
    this.upscaleFactor = bind<{ upscaleFactor: number }>(
      "PixelShuffle.__init__",
      ["!upscaleFactor"],
      args,
    ).upscaleFactor;
  }

  override forward(input: Tensor): Tensor {
    return F.pixelShuffle(input, this.upscaleFactor);
  }

  override extraRepr(): string {
    return fields({ upscale_factor: this.upscaleFactor });
  }
}

/**
 * Pixels become channels: [..., C, H·r, W·r] → [..., C·r², H, W].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.PixelUnshuffle.html
 */
export class PixelUnshuffle extends Module {
  readonly downscaleFactor: number;

  constructor(downscaleFactor: number | { downscaleFactor: number });
  constructor(...args: unknown[]) {
    super();
    this.downscaleFactor = bind<{ downscaleFactor: number }>(
      "PixelUnshuffle.__init__",
      ["!downscaleFactor"],
      args,
    ).downscaleFactor;
  }

  override forward(input: Tensor): Tensor {
    return F.pixelUnshuffle(input, this.downscaleFactor);
  }

  override extraRepr(): string {
    return fields({ downscale_factor: this.downscaleFactor });
  }
}

/**
 * Mixes the channels of groups: channel k of group g becomes channel g of what was k. Shapes: [N, C, *], the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.ChannelShuffle.html
 */
export class ChannelShuffle extends Module {
  readonly groups: number;

  constructor(groups: number | { groups: number });
  constructor(...args: unknown[]) {
    super();
    this.groups = bind<{ groups: number }>("ChannelShuffle.__init__", ["!groups"], args).groups;
  }

  override forward(input: Tensor): Tensor {
    return F.channelShuffle(input, this.groups);
  }

  override extraRepr(): string {
    return fields({ groups: this.groups });
  }
}

type Size2 = number | readonly [number, number];

export interface BlockLayerOptions {
  /** Distance between the cells of a block. Default 1. */
  dilation?: Size2;
  /** Zeros around the image. Default 0. */
  padding?: Size2;
  /** Step of the block. Default 1. */
  stride?: Size2;
}

/**
 * Sliding blocks as columns. Shapes: input [N, C, H, W] or [C, H, W], output [N, C·kh·kw, blocks].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Unfold.html
 */
export class Unfold extends Module {
  readonly kernelSize: Size2;
  readonly dilation: Size2;
  readonly padding: Size2;
  readonly stride: Size2;

  constructor(kernelSize: Size2, options?: BlockLayerOptions);
  constructor(options: { kernelSize: Size2 } & BlockLayerOptions);
  constructor(...args: unknown[]) {
    super();
    const {
      kernelSize,
      dilation = 1,
      padding = 0,
      stride = 1,
    } = bind<{ kernelSize: Size2 } & BlockLayerOptions>(
      "Unfold.__init__",
      ["!kernelSize", "dilation", "padding", "stride"],
      args,
    );
    this.kernelSize = kernelSize;
    this.dilation = dilation;
    this.padding = padding;
    this.stride = stride;
  }

  override forward(input: Tensor): Tensor {
    const { kernelSize, dilation, padding, stride } = this;
    return F.unfold(input, kernelSize, { dilation, padding, stride });
  }

  override extraRepr(): string {
    return fields({
      kernel_size: this.kernelSize,
      dilation: this.dilation,
      padding: this.padding,
      stride: this.stride,
    });
  }
}

/**
 * Columns back to images; where blocks overlap their sum. Shapes: input [N, C·kh·kw, blocks] or without N, output
 * [N, C, H, W].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Fold.html
 */
export class Fold extends Module {
  readonly outputSize: Size2;
  readonly kernelSize: Size2;
  readonly dilation: Size2;
  readonly padding: Size2;
  readonly stride: Size2;

  constructor(outputSize: Size2, kernelSize: Size2, options?: BlockLayerOptions);
  constructor(options: { outputSize: Size2; kernelSize: Size2 } & BlockLayerOptions);
  constructor(...args: unknown[]) {
    super();
    const {
      outputSize,
      kernelSize,
      dilation = 1,
      padding = 0,
      stride = 1,
    } = bind<{ outputSize: Size2; kernelSize: Size2 } & BlockLayerOptions>(
      "Fold.__init__",
      ["!outputSize", "!kernelSize", "dilation", "padding", "stride"],
      args,
    );
    this.outputSize = outputSize;
    this.kernelSize = kernelSize;
    this.dilation = dilation;
    this.padding = padding;
    this.stride = stride;
  }

  override forward(input: Tensor): Tensor {
    const { outputSize, kernelSize, dilation, padding, stride } = this;
    return F.fold(input, outputSize, kernelSize, { dilation, padding, stride });
  }

  override extraRepr(): string {
    return fields({
      output_size: this.outputSize,
      kernel_size: this.kernelSize,
      dilation: this.dilation,
      padding: this.padding,
      stride: this.stride,
    });
  }
}
