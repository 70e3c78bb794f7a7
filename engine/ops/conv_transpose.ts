/**
 * Transposed convolution: what a convolution's gradient does to its input, as an operation of its own.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.conv_transpose2d.html
 */
import { kernels } from "../backends/index.ts";
import { bind } from "../core/arguments.ts";
import { RuntimeError } from "../core/errors.ts";
import { sizeText } from "../core/shape.ts";
import { assertTensor, Tensor } from "../core/tensor.ts";
import type { ConvGeometry } from "../core/window.ts";
import {
  type ConvAttrs,
  Convolution,
  ConvWeightGrad,
  convPair,
  inputView,
  outputView,
  type Size2,
  sizes,
  weightView,
} from "./conv.ts";
import {
  checkConvDtypes,
  checkDilation,
  checkGroups,
  checkKernelRank,
  checkKernelSize,
  checkNotEmpty,
} from "./conv_checks.ts";
import { binary } from "./operands.ts";
import { sum } from "./reduce.ts";
import { call, defineOp } from "./registry.ts";
import { reshape, squeeze, unsqueeze } from "./view.ts";

/** Its geometry is that of the convolution which it transposes: that one reads the output and writes the input. */
const TransposedConvolution = defineOp<ConvAttrs>({
  name: "convolution_transposed",
  gradFn: "ConvolutionBackward0",
  kernels: ["convInputGrad", "conv", "convWeightGrad", "binary", "reduce"],
  forward(ctx, input: Tensor, weight: Tensor, bias: Tensor | null) {
    const { geometry: g } = ctx.attrs;
    ctx.save(ctx.needs[1] ? input : null, ctx.needs[0] ? weight : null);
    const out = Tensor.empty(sizes(ctx.attrs, [g.n, g.c, g.h, g.w]), input.dtype);
    kernels.convInputGrad(outputView(input, g), weightView(weight, g), g, inputView(out, g));
    if (!bias) return out;
    return binary("add", out, reshape(bias.detach(), [1, -1, ...out.shape.slice(2).map(() => 1)]));
  },
  backward(ctx, grad: Tensor) {
    const [input, weight] = ctx.saved;
    const perChannel = grad.shape.map((_, i) => i).filter((i) => i !== 1);
    return [
      weight ? call(Convolution, ctx.attrs, grad, weight, null) : null,
      input ? call(ConvWeightGrad, ctx.attrs, grad, input) : null,
      ctx.needs[2] ? sum(grad, perChannel) : null,
    ];
  },
});

export interface ConvTransposeOptions {
  /** [out_channels], added to every position. Default none. */
  bias?: Tensor | null;
  /** Distance between the places where neighbouring inputs are written. Default 1. */
  stride?: Size2;
  /** Cells cut off at every side of the output. Default 0. */
  padding?: Size2;
  /** Cells added at the far side of the output, which no input may reach. Default 0. */
  outputPadding?: Size2;
  /** Channels in this many separate groups. Default 1. */
  groups?: number;
  /** Distance between the cells that one input writes. Default 1. */
  dilation?: Size2;
}

interface Arguments extends ConvTransposeOptions {
  input: Tensor;
  weight: Tensor;
}

const PARAMS = ["!input", "!weight", "bias", "stride", "padding", "outputPadding", "groups", "dilation"];

function checkShapes(
  name: string,
  axes: 1 | 2,
  stride: readonly number[],
  { input, weight, bias, groups = 1 }: Arguments,
): void {
  if (input.ndim !== axes + 1 && input.ndim !== axes + 2) {
    throw new RuntimeError(
      `Expected ${axes + 1}D (unbatched) or ${axes + 2}D (batched) input to ${name}, but got input of size: ${sizeText(input.shape)}`,
      { shapes: [input.shape] },
    );
  }
  checkKernelRank(axes, input, weight, stride);
  checkGroups(weight, groups);
  const channels = input.shape[input.ndim - axes - 1]!;
  if (channels !== weight.shape[0]) {
    const batched = input.ndim === axes + 2 ? input.shape : [1, ...input.shape];
    throw new RuntimeError(
      `Given transposed=1, weight of size ${sizeText(weight.shape)}, expected input${sizeText(batched)} to have ${weight.shape[0]} channels, but got ${channels} channels instead`,
      { shapes: [input.shape, weight.shape], hint: "a transposed kernel is [in_channels, out_channels / groups, …]" },
    );
  }
  const out = weight.shape[1]! * groups;
  if (bias && (bias.ndim !== 1 || bias.shape[0] !== out)) {
    throw new RuntimeError(
      `Given transposed=1, weight of size ${sizeText(weight.shape)}, expected bias to be 1-dimensional with ${out} elements, but got bias of size ${sizeText(bias.shape)} instead`,
      { shapes: [weight.shape, bias.shape] },
    );
  }
}

function transposed(name: "conv_transpose1d" | "conv_transpose2d", axes: 1 | 2, args: unknown[]): Tensor {
  const bound = bind<Arguments>(name, PARAMS, args);
  const { input, weight, bias = null, groups = 1 } = bound;
  assertTensor(input, name, "input", 1);
  assertTensor(weight, name, "weight", 2);
  const stride = convPair(name, "stride", bound.stride ?? 1, axes, 1);
  checkShapes(name, axes, stride, bound);
  checkNotEmpty(input, axes);
  const padding = convPair(name, "padding", bound.padding ?? 0, axes, 0);
  const extra = convPair(name, "output_padding", bound.outputPadding ?? 0, axes, 0);
  const dilation = convPair(name, "dilation", bound.dilation ?? 1, axes, 1);
  checkKernelSize(axes === 2 ? [weight.shape[2]!, weight.shape[3]!] : [1, weight.shape[2]!]);
  if (stride.some((s) => s <= 0)) throw new RuntimeError("non-positive stride is not supported");
  if (padding.some((p) => p < 0)) throw new RuntimeError("negative padding is not supported");
  checkDilation(dilation, `dilation_height: ${dilation[0]}, dilation_width: ${dilation[1]}`);
  extra.forEach((cells, i) => {
    if (cells < 0) throw new RuntimeError("negative output_padding is not supported");
    if (cells >= stride[i]! && cells >= dilation[i]!) {
      throw new RuntimeError(
        `output padding must be smaller than either stride or dilation, but got output_padding_height: ${extra[0]} output_padding_width: ${extra[1]} stride_height: ${stride[0]} stride_width: ${stride[1]} dilation_height: ${dilation[0]} dilation_width: ${dilation[1]}`,
      );
    }
  });
  const batched = input.ndim === axes + 2;
  const x = batched ? input : unsqueeze(input, 0);
  const lifted = (shape: readonly number[]) =>
    (axes === 2 ? shape : shape.toSpliced(2, 0, 1)) as [number, number, number, number];
  const [n, , inH, inW] = lifted(x.shape);
  const [o, perGroup, kernelH, kernelW] = lifted(weight.shape);
  const written = (size: number, kernel: number, i: 0 | 1) =>
    (size - 1) * stride[i] - 2 * padding[i] + dilation[i] * (kernel - 1) + extra[i] + 1;
  const [h, w] = [written(inH, kernelH, 0), written(inW, kernelW, 1)];
  if (h <= 0 || w <= 0) {
    throw new RuntimeError(
      `Given input size per channel: (${inH} x ${inW}). Calculated output size per channel: (${h} x ${w}). Output size is too small`,
      { shapes: [input.shape, weight.shape] },
    );
  }
  const geometry: ConvGeometry = {
    n,
    c: perGroup * groups,
    h,
    w,
    o,
    kernelH,
    kernelW,
    strideH: stride[0],
    strideW: stride[1],
    padTop: padding[0],
    padLeft: padding[1],
    dilationH: dilation[0],
    dilationW: dilation[1],
    groups,
    outH: inH,
    outW: inW,
  };
  checkConvDtypes({ input, weight, bias }, geometry, true);
  const y = call(TransposedConvolution, { geometry, stride, padding, dilation, name }, x, weight, bias);
  return batched ? y : squeeze(y, 0);
}

/**
 * Writes every input times the kernel into the output, where kernels overlap they add up.
 *
 * @param input [N, C, H, W] or [C, H, W]
 * @param weight [C, O / groups, kernel height, kernel width]
 * @returns [N, O, H', W'] with H' = (H - 1)·stride - 2·padding + dilation·(kernel - 1) + outputPadding + 1
 * @throws RuntimeError when channels, bias or dtypes do not fit, or nothing would be left
 */
export function convTranspose2d(input: Tensor, weight: Tensor, options?: ConvTransposeOptions): Tensor;
export function convTranspose2d(...args: unknown[]): Tensor {
  return transposed("conv_transpose2d", 2, args);
}

/** As convTranspose2d along the last axis of [N, C, L] or [C, L], with a weight [C, O / groups, kernel length]. */
export function convTranspose1d(input: Tensor, weight: Tensor, options?: ConvTransposeOptions): Tensor;
export function convTranspose1d(...args: unknown[]): Tensor {
  return transposed("conv_transpose1d", 1, args);
}
