/** Convolution (cross-correlation, as everywhere in deep learning). https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.conv2d.html */

import { kernels } from "../backends/index.ts";
import { bind } from "../core/arguments.ts";
import { assertInts } from "../core/checks.ts";
import { RuntimeError, TypeError } from "../core/errors.ts";
import { sizeText } from "../core/shape.ts";
import { assertTensor, pythonTypeName, Tensor } from "../core/tensor.ts";
import { warn } from "../core/warnings.ts";
import { type ConvGeometry, convOutputSize } from "../core/window.ts";
import { bytesOf, recordHead, snapshot } from "../inspect/recorder.ts";
import {
  checkBiasDtype,
  checkConvDtypes,
  checkDilation,
  checkGroups,
  checkKernelRank,
  checkKernelSize,
  checkNotEmpty,
} from "./conv_checks.ts";
import { denseRaw, viewAs } from "./operands.ts";
import { sum } from "./reduce.ts";
import { call, defineOp, type Op } from "./registry.ts";
import { squeeze, unsqueeze } from "./view.ts";

/** One number for both axes, or [height, width]. */
export type Size2 = number | readonly [number, number] | readonly number[];
export type ConvPadding = Size2 | "same" | "valid";

export interface ConvAttrs {
  geometry: ConvGeometry;
  stride: [number, number];
  padding: [number, number] | "same" | "valid";
  dilation: [number, number];
  name: "conv1d" | "conv2d" | "conv_transpose1d" | "conv_transpose2d";
}

/** A tensor's shape: those of one axis have no height, which the kernels see as 1. */
export function sizes({ name }: ConvAttrs, [a, b, height, width]: [number, number, number, number]): number[] {
  return name.endsWith("1d") ? [a, b, width] : [a, b, height, width];
}

export const inputView = (x: Tensor, g: ConvGeometry) => viewAs(denseRaw(x), [g.n, g.c, g.h, g.w]);
export const weightView = (x: Tensor, g: ConvGeometry) =>
  viewAs(denseRaw(x), [g.o, g.c / g.groups, g.kernelH, g.kernelW]);
export const outputView = (x: Tensor, g: ConvGeometry) => viewAs(denseRaw(x), [g.n, g.o, g.outH, g.outW]);

export const Convolution: Op<ConvAttrs> = defineOp({
  name: "convolution",
  gradFn: "ConvolutionBackward0",
  kernels: ["conv", "convInputGrad", "convWeightGrad", "reduce"],
  forward(ctx, input: Tensor, weight: Tensor, bias: Tensor | null) {
    const { geometry: g } = ctx.attrs;
    ctx.save(ctx.needs[1] ? input : null, ctx.needs[0] ? weight : null);
    const out = Tensor.empty(sizes(ctx.attrs, [g.n, g.o, g.outH, g.outW]), input.dtype);
    const biasView = bias ? denseRaw(bias).kernelView : null;
    kernels.conv(inputView(input, g), weightView(weight, g), biasView, g, outputView(out, g));
    return out;
  },
  backward(ctx, grad: Tensor) {
    const [input, weight] = ctx.saved;
    return [
      weight ? call(ConvInputGrad, ctx.attrs, grad, weight) : null,
      input ? call(ConvWeightGrad, ctx.attrs, input, grad) : null,
      ctx.needs[2] ? sum(grad, ctx.attrs.name === "conv1d" ? [0, 2] : [0, 2, 3]) : null,
    ];
  },
  record({ geometry, stride, padding, dilation, name }, [input, weight, bias], [output]) {
    if (name !== "conv2d") return null;
    return {
      op: "conv2d",
      bytes: bytesOf(input!, weight!, bias ?? null, output!),
      take: () => ({
        ...recordHead(),
        op: "conv2d",
        attrs: { stride, padding, dilation, groups: geometry.groups },
        geometry,
        inputs: { input: snapshot(input!), weight: snapshot(weight!), bias: bias ? snapshot(bias) : null },
        output: snapshot(output!),
      }),
    };
  },
});

/** The gradient with respect to the input is linear in both arguments, and its own gradients are convolutions again. */
const ConvInputGrad: Op<ConvAttrs> = defineOp({
  name: "convolution_input_grad",
  gradFn: "ConvolutionBackwardBackward0",
  kernels: ["convInputGrad", "conv", "convWeightGrad"],
  forward(ctx, gradOut: Tensor, weight: Tensor) {
    const { geometry: g } = ctx.attrs;
    ctx.save(gradOut, weight);
    const out = Tensor.empty(sizes(ctx.attrs, [g.n, g.c, g.h, g.w]), weight.dtype);
    kernels.convInputGrad(outputView(gradOut, g), weightView(weight, g), g, inputView(out, g));
    return out;
  },
  backward(ctx, grad: Tensor) {
    const [gradOut, weight] = ctx.saved;
    return [
      ctx.needs[0] ? call(Convolution, ctx.attrs, grad, weight!, null) : null,
      ctx.needs[1] ? call(ConvWeightGrad, ctx.attrs, grad, gradOut!) : null,
    ];
  },
});

export const ConvWeightGrad: Op<ConvAttrs> = defineOp({
  name: "convolution_weight_grad",
  gradFn: "ConvolutionBackwardBackward0",
  kernels: ["convWeightGrad", "conv", "convInputGrad"],
  forward(ctx, input: Tensor, gradOut: Tensor) {
    const { geometry: g } = ctx.attrs;
    ctx.save(input, gradOut);
    const out = Tensor.empty(sizes(ctx.attrs, [g.o, g.c / g.groups, g.kernelH, g.kernelW]), input.dtype);
    kernels.convWeightGrad(inputView(input, g), outputView(gradOut, g), g, weightView(out, g));
    return out;
  },
  backward(ctx, grad: Tensor) {
    const [input, gradOut] = ctx.saved;
    return [
      ctx.needs[0] ? call(ConvInputGrad, ctx.attrs, gradOut!, grad) : null,
      ctx.needs[1] ? call(Convolution, ctx.attrs, input!, grad, null) : null,
    ];
  },
});

export interface ConvOptions {
  /** [out_channels], added to every position. Default none. */
  bias?: Tensor | null;
  /** Step of the window. Default 1. */
  stride?: Size2;
  /** Zeros around the input, or "valid" (none), or "same" (the output keeps the size; stride 1 only). Default 0. */
  padding?: ConvPadding;
  /** Distance between the cells a window reads. Default 1. */
  dilation?: Size2;
  /** Channels in this many separate groups. Default 1. */
  groups?: number;
}

interface ConvArguments extends ConvOptions {
  input: Tensor;
  weight: Tensor;
}

/** What an argument is called where it is wrong. */
interface SizeArgument {
  operation: string;
  /** PyTorch's name. */
  name: string;
  /** The message for a list of another length. */
  /** Where in the call it stands, if PyTorch says so. */
  position?: number;
  wrongLength(value: readonly number[]): string;
}

/**
 * [a, b] of a number or a pair; for one axis the first is `unused`.
 * @throws TypeError for what is no integer, RuntimeError for a list of another length
 */
export function pairOf(value: Size2, axes: 1 | 2, unused: number, argument: SizeArgument): [number, number] {
  const list: readonly number[] = Array.isArray(value) ? value : [value as number];
  if (argument.position !== undefined) {
    assertInts(
      Array.isArray(value) ? value : list.every(Number.isInteger) ? list : value,
      argument.operation,
      argument.name,
      argument.position,
    );
  }
  const odd = list.find((size) => !Number.isInteger(size));
  if (odd !== undefined) {
    throw new TypeError(
      `${argument.operation}(): argument '${argument.name}' must be tuple of ints, not ${pythonTypeName(odd)}`,
    );
  }
  if (list.length !== 1 && list.length !== axes) throw new RuntimeError(argument.wrongLength(list));
  return axes === 1 ? [unused, list[0]!] : [list[0]!, list.at(-1)!];
}

/** As pairOf, for the arguments of convolutions. */
export function convPair(operation: string, name: string, value: Size2, axes: 1 | 2, unused: number): [number, number] {
  return pairOf(value, axes, unused, {
    operation,
    name,
    wrongLength: (list) =>
      `expected ${name} to be a single integer value or a list of ${axes} values to match the convolution dimensions, but got ${name}=${sizeText(list)}`,
  });
}

function resolvePadding(
  name: string,
  padding: ConvPadding,
  axes: 1 | 2,
  kernel: [number, number],
  stride: [number, number],
  dilation: [number, number],
) {
  if (padding === "valid")
    return { attr: padding, before: [0, 0] as [number, number], after: [0, 0] as [number, number] };
  if (padding === "same") {
    if (stride.some((s) => s !== 1)) throw new RuntimeError("padding='same' is not supported for strided convolutions");
    const total = kernel.map((k, i) => dilation[i]! * (k - 1)) as [number, number];
    const before = total.map((t) => Math.floor(t / 2)) as [number, number];
    if (total.some((t) => t % 2 !== 0)) {
      warn(
        "Using padding='same' with even kernel lengths and odd dilation may require a zero-padded copy of the input be created",
      );
    }
    return { attr: padding, before, after: [total[0] - before[0], total[1] - before[1]] as [number, number] };
  }
  if (typeof padding === "string") throw new RuntimeError(`Invalid padding string: '${padding}'`);
  const pair = convPair(name, "padding", padding, axes, 0);
  return { attr: pair, before: pair, after: pair };
}

function checkShapes(
  name: string,
  axes: 1 | 2,
  stride: readonly number[],
  { input, weight, bias, groups = 1 }: ConvArguments,
): void {
  if (input.ndim !== axes + 1 && input.ndim !== axes + 2) {
    throw new RuntimeError(
      `Expected ${axes + 1}D (unbatched) or ${axes + 2}D (batched) input to ${name}, but got input of size: ${sizeText(input.shape)}`,
      {
        shapes: [input.shape],
        hint:
          axes === 2
            ? "images are [batch, channels, height, width]: reshape(1, 1, height, width) adds the missing ones"
            : undefined,
      },
    );
  }
  checkKernelRank(axes, input, weight, stride);
  checkGroups(weight, groups);
  const channels = input.shape[input.ndim - axes - 1]!;
  const [out, perGroup] = weight.shape as unknown as [number, number];
  if (channels !== perGroup * groups) {
    const batched = input.ndim === axes + 2 ? input.shape : [1, ...input.shape];
    throw new RuntimeError(
      `Given groups=${groups}, weight of size ${sizeText(weight.shape)}, expected input${sizeText(batched)} to have ${perGroup * groups} channels, but got ${channels} channels instead`,
      {
        shapes: [input.shape, weight.shape],
        hint: `the kernel is ${perGroup * groups} channels deep and the input has ${channels}`,
      },
    );
  }
  if (bias && (bias.ndim !== 1 || bias.shape[0] !== out)) {
    throw new RuntimeError(
      `Given weight of size ${sizeText(weight.shape)}, expected bias to be 1-dimensional with ${out} elements, but got bias of size ${sizeText(bias.shape)} instead`,
      { shapes: [weight.shape, bias.shape] },
    );
  }
}

function convolve(name: "conv1d" | "conv2d", axes: 1 | 2, args: unknown[]): Tensor {
  const bound = bind<ConvArguments>(
    name,
    ["!input", "!weight", "bias", "stride", "padding", "dilation", "groups"],
    args,
  );
  const { input, weight, bias = null, groups = 1 } = bound;
  assertTensor(input, name, "input", 1);
  assertTensor(weight, name, "weight", 2);
  if (typeof bound.padding !== "string") checkBiasDtype(input, bias);
  const stride = convPair(name, "stride", bound.stride ?? 1, axes, 1);
  if (stride.some((s) => s <= 0)) throw new RuntimeError("non-positive stride is not supported");
  checkShapes(name, axes, stride, bound);
  const dilation = convPair(name, "dilation", bound.dilation ?? 1, axes, 1);
  const kernel: [number, number] = axes === 2 ? [weight.shape[2]!, weight.shape[3]!] : [1, weight.shape[2]!];
  checkDilation(dilation, sizeText(dilation));
  checkKernelSize(kernel);
  const padding = resolvePadding(name, bound.padding ?? 0, axes, kernel, stride, dilation);
  if (padding.before.some((p) => p < 0)) throw new RuntimeError("negative padding is not supported");

  const batched = input.ndim === axes + 2;
  const x = batched ? input : unsqueeze(input, 0);
  const [n, c, h, width] = (axes === 2 ? x.shape : x.shape.toSpliced(2, 0, 1)) as [number, number, number, number];
  const size = [h, width] as const;
  const padded = size.map((s, i) => s + padding.before[i]! + padding.after[i]!);
  const effective = kernel.map((k, i) => dilation[i]! * (k - 1) + 1);
  const first = axes === 2 ? 0 : 1;
  if (padded.some((p, i) => i >= first && p < effective[i]!)) {
    throw new RuntimeError(
      `Calculated padded input size per channel: (${padded.slice(first).join(" x ")}). Kernel size: (${effective.slice(first).join(" x ")}). Kernel size can't be greater than actual input size`,
      { shapes: [input.shape, weight.shape], hint: "use a smaller kernel or dilation, or more padding" },
    );
  }
  checkNotEmpty(input, axes);
  const out = size.map((s, i) =>
    convOutputSize(s, kernel[i]!, stride[i]!, padding.before[i]!, padding.after[i]!, dilation[i]!),
  );
  const geometry: ConvGeometry = {
    n,
    c,
    h,
    w: width,
    o: weight.shape[0]!,
    kernelH: kernel[0],
    kernelW: kernel[1],
    strideH: stride[0],
    strideW: stride[1],
    padTop: padding.before[0],
    padLeft: padding.before[1],
    dilationH: dilation[0],
    dilationW: dilation[1],
    groups,
    outH: out[0]!,
    outW: out[1]!,
  };
  checkConvDtypes({ input, weight, bias }, geometry, false);
  const y = call(Convolution, { geometry, stride, padding: padding.attr, dilation, name }, x, weight, bias);
  return batched ? y : squeeze(y, 0);
}

/**
 * Slides kernels over images: y[n,o,i,j] = b[o] + Σ w[o,c,u,v] · x[n,c,i·s+u·d-p,j·s+v·d-p].
 *
 * @param input [N, C, H, W] or [C, H, W]
 * @param weight [O, C / groups, kernel height, kernel width], of the input's dtype (integers work too)
 * @returns [N, O, H', W'] with H' = ⌊(H + 2·padding - dilation·(kernel - 1) - 1) / stride⌋ + 1
 * @throws RuntimeError when channels, bias or dtypes do not fit, or the kernel is larger than the padded input
 * @see https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.conv2d.html
 */
export function conv2d(input: Tensor, weight: Tensor, options?: ConvOptions): Tensor;
export function conv2d(input: Tensor, weight: Tensor, bias: Tensor | null, options?: Omit<ConvOptions, "bias">): Tensor;
export function conv2d(...args: unknown[]): Tensor {
  return convolve("conv2d", 2, args);
}

/**
 * Slides kernels along sequences.
 *
 * @param input [N, C, L] or [C, L]
 * @param weight [O, C / groups, kernel length]
 * @returns [N, O, L'] with L' = ⌊(L + 2·padding - dilation·(kernel - 1) - 1) / stride⌋ + 1
 */
export function conv1d(input: Tensor, weight: Tensor, options?: ConvOptions): Tensor;
export function conv1d(input: Tensor, weight: Tensor, bias: Tensor | null, options?: Omit<ConvOptions, "bias">): Tensor;
export function conv1d(...args: unknown[]): Tensor {
  return convolve("conv1d", 1, args);
}
