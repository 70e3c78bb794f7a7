/** Pooling layers. https://docs.pytorch.org/docs/2.13/nn.html#pooling-layers */
import { bind } from "../core/arguments.ts";
import type { Tensor } from "../core/tensor.ts";
import * as F from "./functional.ts";
import { Module } from "./module.ts";
import { perAxis } from "./operands.ts";
import { fields } from "./text.ts";

/** One number for every axis, or one per axis. */
type SizeOf<Axes extends readonly number[]> = number | Readonly<Axes>;

export interface MaxPoolLayerOptions<Axes extends readonly number[], WithIndices extends boolean> {
  /** Step of the window. Default: kernelSize. */
  stride?: SizeOf<Axes> | null;
  /** Cells around the input that never win (-inf), at most half the kernel. Default 0. */
  padding?: SizeOf<Axes>;
  /** Distance between the cells that a window reads. Default 1. */
  dilation?: SizeOf<Axes>;
  /** Gives [output, indices] instead of the output. Default false. */
  returnIndices?: WithIndices;
  /** Lets a last window stick out, if it starts inside the input or its left padding. Default false. */
  ceilMode?: boolean;
}

interface MaxPoolArguments<Axes extends readonly number[]> extends MaxPoolLayerOptions<Axes, boolean> {
  kernelSize: SizeOf<Axes>;
}

/** What max pooling gives: with `returnIndices` the winners' positions too. */
export type MaxPooled<WithIndices extends boolean> = WithIndices extends true
  ? [output: Tensor, indices: Tensor]
  : Tensor;

abstract class MaxPoolNd<Axes extends readonly number[], WithIndices extends boolean> extends Module {
  readonly kernelSize: SizeOf<Axes>;
  readonly stride: SizeOf<Axes>;
  readonly padding: SizeOf<Axes>;
  readonly dilation: SizeOf<Axes>;
  readonly returnIndices: boolean;
  readonly ceilMode: boolean;

  constructor(args: unknown[]) {
    super();
    const {
      kernelSize,
      stride,
      padding = 0,
      dilation = 1,
      returnIndices = false,
      ceilMode = false,
    } = bind<MaxPoolArguments<Axes>>(
      "_MaxPoolNd.__init__",
      ["!kernelSize", "stride", "padding", "dilation", "returnIndices", "ceilMode"],
      args,
    );
    this.kernelSize = kernelSize;
    this.stride = stride ?? kernelSize;
    this.padding = padding;
    this.dilation = dilation;
    this.returnIndices = returnIndices;
    this.ceilMode = ceilMode;
  }

  protected pool(maxPool: typeof F.maxPool2d, input: Tensor): MaxPooled<WithIndices> {
    const { kernelSize, stride, padding, dilation, ceilMode } = this;
    const options = { stride, padding, dilation, ceilMode };
    const result = this.returnIndices
      ? maxPool(input, kernelSize, { ...options, returnIndices: true })
      : maxPool(input, kernelSize, options);
    return result as MaxPooled<WithIndices>;
  }

  override extraRepr(): string {
    return fields({
      kernel_size: this.kernelSize,
      stride: this.stride,
      padding: this.padding,
      dilation: this.dilation,
      ceil_mode: this.ceilMode,
    });
  }
}

export type MaxPool1dOptions<WithIndices extends boolean = false> = MaxPoolLayerOptions<[number], WithIndices>;

/**
 * The largest element of each window along a sequence.
 *
 * Shapes: input [N, C, L] or [C, L], output [N, C, L'] with
 * L' = ⌊(L + 2·padding - dilation·(kernelSize - 1) - 1) / stride⌋ + 1 (⌈…⌉ with `ceilMode`).
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.MaxPool1d.html
 */
export class MaxPool1d<WithIndices extends boolean = false> extends MaxPoolNd<[number], WithIndices> {
  constructor(kernelSize: number | readonly [number], options?: MaxPool1dOptions<WithIndices>);
  constructor(options: { kernelSize: number | readonly [number] } & MaxPool1dOptions<WithIndices>);
  constructor(...args: unknown[]) {
    super(args);
  }

  override forward(input: Tensor): MaxPooled<WithIndices> {
    return this.pool(F.maxPool1d, input);
  }
}

export type MaxPool2dOptions<WithIndices extends boolean = false> = MaxPoolLayerOptions<[number, number], WithIndices>;

/**
 * The largest element of each window over an image. Nothing is learned.
 *
 * Shapes: input [N, C, H, W] or [C, H, W], output [N, C, H', W'] with
 * H' = ⌊(H + 2·padding - dilation·(kernelSize - 1) - 1) / stride⌋ + 1 (⌈…⌉ with `ceilMode`), and W' likewise.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.MaxPool2d.html
 */
export class MaxPool2d<WithIndices extends boolean = false> extends MaxPoolNd<[number, number], WithIndices> {
  constructor(kernelSize: number | readonly [number, number], options?: MaxPool2dOptions<WithIndices>);
  constructor(options: { kernelSize: number | readonly [number, number] } & MaxPool2dOptions<WithIndices>);
  constructor(...args: unknown[]) {
    super(args);
  }

  override forward(input: Tensor): MaxPooled<WithIndices> {
    return this.pool(F.maxPool2d, input);
  }
}

export interface AvgPoolLayerOptions<Axes extends readonly number[]> {
  /** Step of the window. Default: kernelSize. */
  stride?: SizeOf<Axes> | null;
  /** Zeros around the input, at most half the kernel. Default 0. */
  padding?: SizeOf<Axes>;
  /** Lets a last window stick out, if it starts inside the input or its left padding. Default false. */
  ceilMode?: boolean;
  /** Whether padding counts in the mean. Default true. */
  countIncludePad?: boolean;
}

export type AvgPool1dOptions = AvgPoolLayerOptions<[number]>;

/**
 * The mean of each window along a sequence.
 *
 * Shapes: input [N, C, L] or [C, L], output [N, C, L'] with L' = ⌊(L + 2·padding - kernelSize) / stride⌋ + 1.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.AvgPool1d.html
 */
export class AvgPool1d extends Module {
  readonly kernelSize: readonly [number];
  readonly stride: readonly [number];
  readonly padding: readonly [number];
  readonly ceilMode: boolean;
  readonly countIncludePad: boolean;

  constructor(kernelSize: number | readonly [number], options?: AvgPool1dOptions);
  constructor(options: { kernelSize: number | readonly [number] } & AvgPool1dOptions);
  constructor(...args: unknown[]) {
    super();
    const {
      kernelSize,
      stride,
      padding = 0,
      ceilMode = false,
      countIncludePad = true,
    } = bind<{ kernelSize: number | readonly [number] } & AvgPool1dOptions>(
      "AvgPool1d.__init__",
      ["!kernelSize", "stride", "padding", "ceilMode", "countIncludePad"],
      args,
    );
    const single = (size: number | readonly [number]): readonly [number] =>
      perAxis<number>(1, size) as readonly [number];
    this.kernelSize = single(kernelSize);
    this.stride = single(stride ?? kernelSize);
    this.padding = single(padding);
    this.ceilMode = ceilMode;
    this.countIncludePad = countIncludePad;
  }

  override forward(input: Tensor): Tensor {
    const { kernelSize, stride, padding, ceilMode, countIncludePad } = this;
    return F.avgPool1d(input, kernelSize, { stride, padding, ceilMode, countIncludePad });
  }

  override extraRepr(): string {
    return fields({ kernel_size: this.kernelSize, stride: this.stride, padding: this.padding });
  }
}

export interface AvgPool2dOptions extends AvgPoolLayerOptions<[number, number]> {
  /** Divides by this instead of the window's size. Default null. */
  divisorOverride?: number | null;
}

/**
 * The mean of each window over an image. Nothing is learned.
 *
 * Shapes: input [N, C, H, W] or [C, H, W], output [N, C, H', W'] with H' = ⌊(H + 2·padding - kernelSize) / stride⌋ + 1,
 * and W' likewise.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.AvgPool2d.html
 */
export class AvgPool2d extends Module {
  readonly kernelSize: SizeOf<[number, number]>;
  readonly stride: SizeOf<[number, number]>;
  readonly padding: SizeOf<[number, number]>;
  readonly ceilMode: boolean;
  readonly countIncludePad: boolean;
  readonly divisorOverride: number | null;

  constructor(kernelSize: number | readonly [number, number], options?: AvgPool2dOptions);
  constructor(options: { kernelSize: number | readonly [number, number] } & AvgPool2dOptions);
  constructor(...args: unknown[]) {
    super();
    const {
      kernelSize,
      stride,
      padding = 0,
      ceilMode = false,
      countIncludePad = true,
      divisorOverride = null,
    } = bind<{ kernelSize: SizeOf<[number, number]> } & AvgPool2dOptions>(
      "AvgPool2d.__init__",
      ["!kernelSize", "stride", "padding", "ceilMode", "countIncludePad", "divisorOverride"],
      args,
    );
    this.kernelSize = kernelSize;
    this.stride = stride ?? kernelSize;
    this.padding = padding;
    this.ceilMode = ceilMode;
    this.countIncludePad = countIncludePad;
    this.divisorOverride = divisorOverride;
  }

  override forward(input: Tensor): Tensor {
    const { kernelSize, stride, padding, ceilMode, countIncludePad, divisorOverride } = this;
    return F.avgPool2d(input, kernelSize, { stride, padding, ceilMode, countIncludePad, divisorOverride });
  }

  override extraRepr(): string {
    return fields({ kernel_size: this.kernelSize, stride: this.stride, padding: this.padding });
  }
}
