/** Transposed convolution layers. https://docs.pytorch.org/docs/2.13/nn.html#convolution-layers */
import { bind } from "../core/arguments.ts";
import { TypeError, ValueError } from "../core/errors.ts";
import { sizeText } from "../core/shape.ts";
import { pythonTypeName, type Tensor } from "../core/tensor.ts";
import { emptyParameter, type FactoryOptions } from "./factory.ts";
import * as F from "./functional.ts";
import { resetByFanIn } from "./linear.ts";
import { Module } from "./module.ts";
import { assertComparable, assertDivisible, perAxis, perGroup } from "./operands.ts";
import type { Parameter } from "./parameter.ts";
import { py } from "./text.ts";

/** One number for every axis, or one per axis. */
type SizeOf<Axes extends readonly number[]> = number | Readonly<Axes>;

export interface ConvTransposeLayerOptions<Axes extends readonly number[]> extends FactoryOptions {
  /** Distance between the places where neighbouring inputs are written. Default 1. */
  stride?: SizeOf<Axes>;
  /** Cells cut off at every side of the output. Default 0. */
  padding?: SizeOf<Axes>;
  /** Cells added at the far side of the output. Default 0. */
  outputPadding?: SizeOf<Axes>;
  /** Channels in this many separate groups; both channel counts have to be divisible by it. Default 1. */
  groups?: number;
  /** Whether a learned bias is added. Default true. */
  bias?: boolean;
  /** Distance between the cells that one input writes. Default 1. */
  dilation?: SizeOf<Axes>;
  /** Only "zeros". */
  paddingMode?: "zeros";
}

interface Arguments<Axes extends readonly number[]> extends ConvTransposeLayerOptions<Axes> {
  inChannels: number;
  outChannels: number;
  kernelSize: SizeOf<Axes>;
}

/** The output's size, where a stride leaves several possible; positional, or as an option. */
export type OutputSize = readonly number[] | null | { outputSize?: readonly number[] | null };

const PARAMS = [
  "!inChannels",
  "!outChannels",
  "!kernelSize",
  "stride",
  "padding",
  "outputPadding",
  "groups",
  "bias",
  "dilation",
  "paddingMode",
  "device",
  "dtype",
];

abstract class ConvTransposeNd<Axes extends readonly number[]> extends Module {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: Axes;
  readonly stride: Axes;
  readonly padding: Axes;
  readonly outputPadding: Axes;
  readonly dilation: Axes;
  readonly groups: number;
  /** [inChannels, outChannels / groups, ...kernelSize]. */
  declare weight: Parameter;
  /** [outChannels], or null. */
  declare bias: Parameter | null;

  constructor(name: string, axes: number, args: unknown[]) {
    super();
    const given = bind<Arguments<Axes>>(`${name}.__init__`, PARAMS, args);
    const { inChannels, outChannels, kernelSize, stride = 1, padding = 0, outputPadding = 0, dilation = 1 } = given;
    const { groups = 1, bias = true, device, dtype } = given;
    const each = (size: SizeOf<Axes>): Axes => [...perAxis<number>(axes, size)] as unknown as Axes;
    if ((given.paddingMode ?? "zeros") !== "zeros") {
      throw new ValueError(`Only "zeros" padding mode is supported for ${name}`);
    }
    assertComparable(groups, "<=", 0);
    if (groups <= 0) throw new ValueError("groups must be a positive integer");
    assertDivisible(inChannels, groups);
    assertDivisible(outChannels, groups);
    if (inChannels % groups !== 0) throw new ValueError("in_channels must be divisible by groups");
    if (outChannels % groups !== 0) throw new ValueError("out_channels must be divisible by groups");
    this.inChannels = inChannels;
    this.outChannels = outChannels;
    this.kernelSize = each(kernelSize);
    this.stride = each(stride);
    this.padding = each(padding);
    this.outputPadding = each(outputPadding);
    this.dilation = each(dilation);
    this.groups = groups;
    this.weight = emptyParameter([inChannels, perGroup(outChannels, groups), ...this.kernelSize], { device, dtype });
    this.registerParameter("bias", bias ? emptyParameter(outChannels, { device, dtype }) : null);
    this.resetParameters();
  }

  /** Draws weight and bias anew. */
  resetParameters(): void {
    resetByFanIn(this.weight, this.bias);
  }

  protected convolve(name: string, conv: typeof F.convTranspose2d, args: unknown[]): Tensor {
    const { input, outputSize } = bind<{ input: Tensor; outputSize?: readonly number[] | null }>(
      `${name}.forward`,
      ["!input", "outputSize"],
      args,
    );
    const { weight, bias, stride, padding, dilation, groups } = this;
    const outputPadding = outputSize ? this.#paddingFor(input, outputSize) : this.outputPadding;
    return conv(input, weight, { bias, stride, padding, outputPadding, dilation, groups });
  }

  /** What has to be added for the output to have the wanted size: several sizes are shrunk to one by a stride. */
  #paddingFor(input: Tensor, outputSize: readonly number[]): number[] {
    const axes = this.kernelSize.length;
    if (!Array.isArray(outputSize)) throw new TypeError(`object of type '${pythonTypeName(outputSize)}' has no len()`);
    const wanted = outputSize.slice(-axes);
    const lead = input.ndim - axes;
    if (outputSize.length !== axes && outputSize.length !== axes + lead) {
      throw new ValueError(
        `ConvTranspose${axes}D: for ${input.ndim}D input, output_size must have ${axes} or ${lead + axes} elements (got ${outputSize.length})`,
      );
    }
    const smallest = this.kernelSize.map(
      (kernel, i) =>
        (input.shape[lead + i]! - 1) * this.stride[i]! - 2 * this.padding[i]! + this.dilation[i]! * (kernel - 1) + 1,
    );
    const largest = smallest.map((size, i) => size + this.stride[i]! - 1);
    if (wanted.some((size, i) => size < smallest[i]! || size > largest[i]!)) {
      throw new ValueError(
        `requested an output size of ${sizeText(wanted)}, but valid sizes range from ${sizeText(smallest)} to ${sizeText(largest)} (for an input of torch.Size(${sizeText(input.shape.slice(2))}))`,
      );
    }
    return wanted.map((size, i) => size - smallest[i]!);
  }

  override extraRepr(): string {
    const isAll = (sizes: Axes, value: number) => sizes.every((s) => s === value);
    let text = `${this.inChannels}, ${this.outChannels}, kernel_size=${py(this.kernelSize)}, stride=${py(this.stride)}`;
    if (!isAll(this.padding, 0)) text += `, padding=${py(this.padding)}`;
    if (!isAll(this.dilation, 1)) text += `, dilation=${py(this.dilation)}`;
    if (!isAll(this.outputPadding, 0)) text += `, output_padding=${py(this.outputPadding)}`;
    if (this.groups !== 1) text += `, groups=${this.groups}`;
    if (this.bias === null) text += ", bias=False";
    return text;
  }
}

export type ConvTranspose1dOptions = ConvTransposeLayerOptions<[number]>;

/**
 * Writes learned kernels along a sequence, as the gradient of Conv1d does: the length grows where Conv1d's shrinks.
 *
 * Shapes: input [N, inChannels, L] or [inChannels, L], output [N, outChannels, L'] with
 * L' = (L - 1)·stride - 2·padding + dilation·(kernelSize - 1) + outputPadding + 1.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.ConvTranspose1d.html
 */
export class ConvTranspose1d extends ConvTransposeNd<[number]> {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number | readonly [number],
    options?: ConvTranspose1dOptions,
  );
  constructor(
    options: {
      inChannels: number;
      outChannels: number;
      kernelSize: number | readonly [number];
    } & ConvTranspose1dOptions,
  );
  constructor(...args: unknown[]) {
    super("ConvTranspose1d", 1, args);
  }

  /** @param outputSize the length wanted, where a stride leaves several possible */
  override forward(input: Tensor, outputSize?: OutputSize): Tensor;
  override forward(...args: unknown[]): Tensor {
    return this.convolve("ConvTranspose1d", F.convTranspose1d, args);
  }
}

export type ConvTranspose2dOptions = ConvTransposeLayerOptions<[number, number]>;

/**
 * Writes learned kernels into an image, as the gradient of Conv2d does: the image grows where Conv2d's shrinks.
 *
 * Shapes: input [N, inChannels, H, W] or [inChannels, H, W], output [N, outChannels, H', W'] with
 * H' = (H - 1)·stride - 2·padding + dilation·(kernelSize - 1) + outputPadding + 1, and W' likewise.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.ConvTranspose2d.html
 */
export class ConvTranspose2d extends ConvTransposeNd<[number, number]> {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number | readonly [number, number],
    options?: ConvTranspose2dOptions,
  );
  constructor(
    options: {
      inChannels: number;
      outChannels: number;
      kernelSize: number | readonly [number, number];
    } & ConvTranspose2dOptions,
  );
  constructor(...args: unknown[]) {
    super("ConvTranspose2d", 2, args);
  }

  /** @param outputSize height and width wanted, where a stride leaves several possible */
  override forward(input: Tensor, outputSize?: OutputSize): Tensor;
  override forward(...args: unknown[]): Tensor {
    return this.convolve("ConvTranspose2d", F.convTranspose2d, args);
  }
}
