/** Convolution layers. https://docs.pytorch.org/docs/2.13/nn.html#convolution-layers */
import { bind } from "../core/arguments.ts";
import { ValueError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import { emptyParameter, type FactoryOptions } from "./factory.ts";
import * as F from "./functional.ts";
import { resetByFanIn } from "./linear.ts";
import { Module } from "./module.ts";
import { assertComparable, assertDivisible, perAxis, perGroup } from "./operands.ts";
import type { Parameter } from "./parameter.ts";
import { py } from "./text.ts";

export type PaddingMode = "zeros" | "reflect" | "replicate" | "circular";

const PADDING_MODES: readonly string[] = ["zeros", "reflect", "replicate", "circular"];

/** One number for every axis, or one per axis. */
type SizeOf<Axes extends readonly number[]> = number | Readonly<Axes>;

/** What a convolution may be told beyond its channels and kernel; `Axes` is [number] or [number, number]. */
export interface ConvLayerOptions<Axes extends readonly number[]> extends FactoryOptions {
  /** Step of the window. Default 1. */
  stride?: SizeOf<Axes>;
  /** Cells around the input, or "valid" (none), or "same" (the output keeps the size; stride 1 only). Default 0. */
  padding?: SizeOf<Axes> | "same" | "valid";
  /** Distance between the cells that a window reads. Default 1. */
  dilation?: SizeOf<Axes>;
  /** Channels in this many separate groups; both channel counts have to be divisible by it. Default 1. */
  groups?: number;
  /** Whether a learned bias is added. Default true. */
  bias?: boolean;
  /** What the padding holds. Default "zeros". */
  paddingMode?: PaddingMode;
}

interface ConvArguments<Axes extends readonly number[]> extends ConvLayerOptions<Axes> {
  inChannels: number;
  outChannels: number;
  kernelSize: SizeOf<Axes>;
}

const PARAMS = [
  "!inChannels",
  "!outChannels",
  "!kernelSize",
  "stride",
  "padding",
  "dilation",
  "groups",
  "bias",
  "paddingMode",
  "device",
  "dtype",
];

/** What the convolutions have in common: arguments, parameters, their initial values and the text. */
abstract class ConvNd<Axes extends readonly number[]> extends Module {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: Axes;
  readonly stride: Axes;
  readonly padding: Axes | "same" | "valid";
  readonly dilation: Axes;
  readonly groups: number;
  readonly paddingMode: PaddingMode;
  /** [outChannels, inChannels / groups, ...kernelSize]. */
  declare weight: Parameter;
  /** [outChannels], or null. */
  declare bias: Parameter | null;

  constructor(name: string, axes: number, args: unknown[]) {
    super();
    const given = bind<ConvArguments<Axes>>(`${name}.__init__`, PARAMS, args);
    const {
      inChannels,
      outChannels,
      kernelSize,
      stride: steps = 1,
      padding = 0,
      dilation = 1,
      groups = 1,
      bias = true,
      paddingMode = "zeros",
      device,
      dtype,
    } = given;
    const each = (size: SizeOf<Axes>): Axes => [...perAxis<number>(axes, size)] as unknown as Axes;
    const stride = each(steps);
    assertComparable(groups, "<=", 0);
    if (groups <= 0) throw new ValueError("groups must be a positive integer");
    assertDivisible(inChannels, groups);
    assertDivisible(outChannels, groups);
    if (inChannels % groups !== 0) throw new ValueError("in_channels must be divisible by groups");
    if (outChannels % groups !== 0) throw new ValueError("out_channels must be divisible by groups");
    if (typeof padding === "string") {
      if (padding !== "same" && padding !== "valid") {
        throw new ValueError(`Invalid padding string '${padding}', should be one of {'same', 'valid'}`);
      }
      if (padding === "same" && stride.some((s) => s !== 1)) {
        throw new ValueError("padding='same' is not supported for strided convolutions");
      }
    }
    if (!PADDING_MODES.includes(paddingMode)) {
      const modes = PADDING_MODES.map((mode) => `'${mode}'`).join(", ");
      throw new ValueError(`padding_mode must be one of {${modes}}, but got padding_mode='${paddingMode}'`);
    }
    this.inChannels = inChannels;
    this.outChannels = outChannels;
    this.kernelSize = each(kernelSize);
    this.stride = stride;
    this.padding = typeof padding === "string" ? padding : each(padding);
    this.dilation = each(dilation);
    this.groups = groups;
    this.paddingMode = paddingMode;
    this.weight = emptyParameter([outChannels, perGroup(inChannels, groups), ...this.kernelSize], { device, dtype });
    this.registerParameter("bias", bias ? emptyParameter(outChannels, { device, dtype }) : null);
    this.resetParameters();
  }

  /** Draws weight and bias anew. */
  resetParameters(): void {
    resetByFanIn(this.weight, this.bias);
  }

  protected convolve(conv: typeof F.conv2d, input: Tensor): Tensor {
    const { weight, bias, stride, dilation, groups } = this;
    if (this.paddingMode === "zeros") {
      return conv(input, weight, { bias, stride, padding: this.padding, dilation, groups });
    }
    const padded = F.pad(input, this.#paddingFromTheLast(), { mode: this.paddingMode });
    return conv(padded, weight, { bias, stride, dilation, groups });
  }

  /** Cells before and after, last axis first, as F.pad takes them. */
  #paddingFromTheLast(): number[] {
    return this.kernelSize
      .map((kernel, axis): [number, number] => {
        if (this.padding === "valid") return [0, 0];
        if (this.padding !== "same") return [this.padding[axis]!, this.padding[axis]!];
        const total = this.dilation[axis]! * (kernel - 1);
        const before = Math.floor(total / 2);
        return [before, total - before];
      })
      .reverse()
      .flat();
  }

  override extraRepr(): string {
    const isAll = (sizes: Axes | string, value: number) => typeof sizes !== "string" && sizes.every((s) => s === value);
    let text = `${this.inChannels}, ${this.outChannels}, kernel_size=${py(this.kernelSize)}, stride=${py(this.stride)}`;
    if (!isAll(this.padding, 0)) text += `, padding=${py(this.padding)}`;
    if (!isAll(this.dilation, 1)) text += `, dilation=${py(this.dilation)}`;
    if (this.groups !== 1) text += `, groups=${this.groups}`;
    if (this.bias === null) text += ", bias=False";
    if (this.paddingMode !== "zeros") text += `, padding_mode=${this.paddingMode}`;
    return text;
  }
}

export type Conv1dOptions = ConvLayerOptions<[number]>;

/**
 * Slides learned kernels along sequences.
 *
 * Shapes: input [N, inChannels, L] or [inChannels, L], output [N, outChannels, L'] with
 * L' = ⌊(L + 2·padding - dilation·(kernelSize - 1) - 1) / stride⌋ + 1.
 * Weight and bias start uniform on ±1 / √(inChannels / groups · kernelSize).
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Conv1d.html
 */
export class Conv1d extends ConvNd<[number]> {
  constructor(inChannels: number, outChannels: number, kernelSize: number | readonly [number], options?: Conv1dOptions);
  constructor(
    options: { inChannels: number; outChannels: number; kernelSize: number | readonly [number] } & Conv1dOptions,
  );
  constructor(...args: unknown[]) {
    super("Conv1d", 1, args);
  }

  override forward(input: Tensor): Tensor {
    return this.convolve(F.conv1d, input);
  }
}

export type Conv2dOptions = ConvLayerOptions<[number, number]>;

/**
 * Slides learned kernels over images.
 *
 * Shapes: input [N, inChannels, H, W] or [inChannels, H, W], output [N, outChannels, H', W'] with
 * H' = ⌊(H + 2·padding - dilation·(kernelSize - 1) - 1) / stride⌋ + 1, and W' likewise.
 * Weight and bias start uniform on ±1 / √(inChannels / groups · kernel height · kernel width).
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Conv2d.html
 */
export class Conv2d extends ConvNd<[number, number]> {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number | readonly [number, number],
    options?: Conv2dOptions,
  );
  constructor(
    options: {
      inChannels: number;
      outChannels: number;
      kernelSize: number | readonly [number, number];
    } & Conv2dOptions,
  );
  constructor(...args: unknown[]) {
    super("Conv2d", 2, args);
  }

  override forward(input: Tensor): Tensor {
    return this.convolve(F.conv2d, input);
  }
}
