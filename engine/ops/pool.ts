/** Pooling: one number per window. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.max_pool2d.html */

import { kernels } from "../backends/index.ts";
import { bind } from "../core/arguments.ts";
import { assertInt } from "../core/checks.ts";
import { int32, int64 } from "../core/dtype.ts";
import { RuntimeError } from "../core/errors.ts";
import { assertTensor, Tensor } from "../core/tensor.ts";
import { type PoolGeometry, poolOutputSize } from "../core/window.ts";
import { bytesOf, isRecording, recordHead, snapshot } from "../inspect/recorder.ts";
import { pairOf, type Size2 } from "./conv.ts";
import { denseRaw, filled, viewAs } from "./operands.ts";
import { checkMaxPool1d, checkPoolDtype, checkPoolNotEmpty, checkPoolRank, checkPoolWindow } from "./pool_checks.ts";
import { call, callMany, defineOp, type Op } from "./registry.ts";
import { squeeze, unsqueeze } from "./view.ts";

interface PoolAttrs {
  geometry: PoolGeometry;
  /** False for one image without a batch dimension, which the geometry counts as a batch of one. */
  batched: boolean;
  name: string;
  kernelSize: [number, number];
  stride: [number, number] | null;
  padding: [number, number];
  dilation: [number, number];
  ceilMode: boolean;
  countIncludePad: boolean;
  divisorOverride: number | null;
  /** Whether the positions of the winners are asked for. */
  returnIndices: boolean;
}

function inputShape({ geometry: g, batched }: PoolAttrs): number[] {
  return batched ? [g.n, g.c, g.h, g.w] : [g.c, g.h, g.w];
}

function outputShape({ geometry: g, batched }: PoolAttrs): number[] {
  return batched ? [g.n, g.c, g.outH, g.outW] : [g.c, g.outH, g.outW];
}

function draft(
  op: "max_pool2d" | "avg_pool2d",
  attrs: PoolAttrs,
  input: Tensor,
  output: Tensor,
  indices: Tensor | null,
) {
  const { geometry, name, batched, returnIndices, ...rest } = attrs;
  if (name !== op) return null;
  const images = (x: Tensor) => {
    const view = snapshot(x);
    return batched ? view : { ...view, shape: [1, ...view.shape], strides: [x.numel(), ...view.strides] };
  };
  return {
    op,
    bytes: bytesOf(input, output, indices),
    take: () => ({
      ...recordHead(),
      op,
      attrs: rest,
      geometry,
      inputs: { input: images(input) },
      output: images(output),
      indices: indices ? images(indices) : null,
    }),
  };
}

const MaxPool: Op<PoolAttrs> = defineOp({
  name: "max_pool2d_with_indices",
  gradFn: "MaxPool2DWithIndicesBackward0",
  kernels: ["maxPool", "maxPoolGrad"],
  forward(ctx, input: Tensor) {
    const { geometry: g } = ctx.attrs;
    const out = Tensor.empty(outputShape(ctx.attrs), input.dtype);
    const x = denseRaw(input).kernelView;
    if (!ctx.attrs.returnIndices && !ctx.needs[0] && !isRecording()) {
      kernels.maxPool(x, g, out.kernelView, null);
      return out;
    }
    // Those that only backward reads take half the memory.
    const indices = Tensor.empty(outputShape(ctx.attrs), ctx.attrs.returnIndices ? int64 : int32);
    kernels.maxPool(x, g, out.kernelView, indices.kernelView);
    ctx.save(indices, input);
    return [out, indices];
  },
  backward: ({ attrs, saved: [indices, input] }, grad: Tensor | null) => [
    grad ? call(MaxPoolGrad, attrs, grad, indices!, input!) : null,
  ],
  record: (attrs, [input], [output, indices]) => draft("max_pool2d", attrs, input!, output!, indices!),
});

/**
 * Routes gradients to the winners; linear, so its own gradient picks them up there again. The input, where there is one,
 * only makes the gradient one of its functions, if a constant one.
 */
const MaxPoolGrad: Op<PoolAttrs> = defineOp({
  name: "max_pool2d_with_indices_backward",
  gradFn: "MaxPool2DWithIndicesBackwardBackward0",
  kernels: ["maxPoolGrad", "gather"],
  forward(ctx, grad: Tensor, indices: Tensor, _input: Tensor | null) {
    const { geometry: g } = ctx.attrs;
    ctx.save(indices);
    const out = filled(inputShape(ctx.attrs), 0, grad.dtype);
    kernels.maxPoolGrad(denseRaw(grad).kernelView, indices.kernelView, g, out.kernelView);
    return out;
  },
  backward: ({ attrs, saved: [indices], needs }, grad: Tensor) => [
    call(PickWinners, attrs, grad, indices!),
    null,
    needs[2] ? filled(grad.shape, 0, grad.dtype) : null,
  ],
});

const PickWinners: Op<PoolAttrs> = defineOp({
  name: "max_pool2d_pick",
  gradFn: "MaxPool2DWithIndicesBackwardBackward0",
  kernels: ["gather", "maxPoolGrad"],
  forward(ctx, x: Tensor, indices: Tensor) {
    const { geometry: g } = ctx.attrs;
    ctx.save(indices);
    const planes = g.n * g.c;
    const out = Tensor.empty(outputShape(ctx.attrs), x.dtype);
    const cells = g.outH * g.outW;
    kernels.gather(
      viewAs(denseRaw(x), [planes, g.h * g.w, 1]),
      viewAs(indices, [planes, cells, 1]),
      viewAs(out, [planes, cells, 1]),
    );
    return out;
  },
  backward: ({ attrs, saved: [indices] }, grad: Tensor) => [call(MaxPoolGrad, attrs, grad, indices!, null), null],
});

const AvgPool: Op<PoolAttrs> = defineOp({
  name: "avg_pool2d",
  gradFn: "AvgPool2DBackward0",
  kernels: ["avgPool", "avgPoolGrad"],
  forward(ctx, input: Tensor) {
    const { attrs } = ctx;
    const { geometry: g, countIncludePad, divisorOverride } = attrs;
    ctx.save(input);
    const out = Tensor.empty(outputShape(attrs), input.dtype);
    kernels.avgPool(denseRaw(input).kernelView, g, countIncludePad, divisorOverride, out.kernelView);
    return out;
  },
  backward: ({ attrs, saved: [input] }, grad: Tensor) => [call(AvgPoolGrad, attrs, grad, input!)],
  record: (attrs, [input], [output]) => draft("avg_pool2d", attrs, input!, output!, null),
});

/** The input only makes the gradient one of its functions, if a constant one. */
const AvgPoolGrad: Op<PoolAttrs> = defineOp({
  name: "avg_pool2d_backward",
  gradFn: "AvgPool2DBackwardBackward0",
  kernels: ["avgPoolGrad", "avgPool"],
  forward({ attrs }, grad: Tensor, _input: Tensor) {
    const { geometry: g, countIncludePad, divisorOverride } = attrs;
    const out = filled(inputShape(attrs), 0, grad.dtype);
    kernels.avgPoolGrad(denseRaw(grad).kernelView, g, countIncludePad, divisorOverride, out.kernelView);
    return out;
  },
  backward: ({ attrs }, grad: Tensor) => [call(AvgPool, attrs, grad), filled(grad.shape, 0, grad.dtype)],
});

export interface AvgPoolOptions {
  /** Step of the window. Default: kernelSize. */
  stride?: Size2 | null;
  /** Cells around the input, at most half the kernel. Default 0. */
  padding?: Size2;
  /** Lets a last window stick out, if it starts inside the input or its left padding. Default false. */
  ceilMode?: boolean;
  /** Whether padding counts in the mean (2-d and 1-d average pooling). Default true. */
  countIncludePad?: boolean;
  /** Divides by this instead of the window's size. Default null. */
  divisorOverride?: number | null;
}

export interface MaxPoolOptions {
  /** Step of the window. Default: kernelSize. */
  stride?: Size2 | null;
  /** Cells around the input that never win (-inf), at most half the kernel. Default 0. */
  padding?: Size2;
  /** Distance between the cells a window reads. Default 1. */
  dilation?: Size2;
  /** Lets a last window stick out, if it starts inside the input or its left padding. Default false. */
  ceilMode?: boolean;
  /** Returns [output, indices]. Default false. */
  returnIndices?: boolean;
}

export interface PoolArguments extends MaxPoolOptions, AvgPoolOptions {
  input: Tensor;
  kernelSize: Size2;
}

function attributes(name: string, axes: 1 | 2, bound: PoolArguments): { x: Tensor; attrs: PoolAttrs } {
  const { input } = bound;
  assertTensor(input, name, "input", 1);
  const pair = (argument: string, position: number, value: Size2, unused: number, forms: string) =>
    pairOf(value, axes, unused, {
      operation: name,
      name: argument,
      position,
      wrongLength: (list) =>
        axes === 1
          ? `${name}() argument '${argument}' should contain one int (got ${list.length})`
          : `${name}: ${argument} must ${forms} a single int, or a tuple of two ints`,
    });
  const kernelSize = pair("kernel_size", 2, bound.kernelSize, 1, "either be");
  const given =
    bound.stride === null || bound.stride === undefined || (Array.isArray(bound.stride) && bound.stride.length === 0)
      ? null
      : pair("stride", 3, bound.stride, 1, "either be omitted,");
  const stride = given ?? kernelSize;
  const padding = pair("padding", 4, bound.padding === undefined ? 0 : bound.padding, 0, "either be");
  const dilation = pair("dilation", 5, bound.dilation === undefined ? 1 : bound.dilation, 1, "be either");
  const { ceilMode = false, countIncludePad = true, divisorOverride = null, returnIndices = false } = bound;

  checkPoolRank(name, axes, input);
  checkPoolWindow({ kernelSize, stride, padding, dilation });
  checkPoolNotEmpty(axes, input);
  if (divisorOverride !== null) assertInt(divisorOverride, name, "divisor_override", 7);
  if (divisorOverride === 0) throw new RuntimeError("divisor must be not zero");

  const batched = input.ndim === axes + 2;
  const x = axes === 1 ? unsqueeze(batched ? input : unsqueeze(input, 0), 2) : input;
  const [n, c, h, w] = (x.ndim === 4 ? x.shape : [1, ...x.shape]) as [number, number, number, number];
  const [outH, outW] = [h, w].map((size, i) =>
    poolOutputSize(size, kernelSize[i]!, stride[i]!, padding[i]!, dilation[i]!, ceilMode),
  ) as [number, number];
  if (outH < 1 || outW < 1) {
    throw new RuntimeError(
      `Given input size: (${c}x${h}x${w}). Calculated output size: (${c}x${outH}x${outW}). Output size is too small`,
      { shapes: [input.shape], hint: "use a smaller kernel, or more padding" },
    );
  }
  checkPoolDtype(name, input);
  const geometry: PoolGeometry = {
    n,
    c,
    h,
    w,
    kernelH: kernelSize[0],
    kernelW: kernelSize[1],
    strideH: stride[0],
    strideW: stride[1],
    padTop: padding[0],
    padLeft: padding[1],
    dilationH: dilation[0],
    dilationW: dilation[1],
    outH,
    outW,
  };
  return {
    x,
    attrs: {
      geometry,
      batched: x.ndim === 4,
      name,
      kernelSize,
      stride: given,
      padding,
      dilation,
      ceilMode,
      countIncludePad,
      divisorOverride,
      returnIndices,
    },
  };
}

/** Sequences are pooled as images of one row: back to [N, C, L] or [C, L]. */
function unlift(y: Tensor, { ndim }: Tensor): Tensor {
  return ndim === 3 ? squeeze(y, 2) : squeeze(squeeze(y, 2), 0);
}

const MAX_PARAMS = ["!input", "!kernelSize", "stride", "padding", "dilation", "ceilMode", "returnIndices"];
const AVG_PARAMS = ["!input", "!kernelSize", "stride", "padding", "ceilMode", "countIncludePad", "divisorOverride"];

function maxPool(name: string, axes: 1 | 2, args: unknown[]): Tensor | [Tensor, Tensor] {
  const bound = bind<PoolArguments>(name, MAX_PARAMS, args);
  if (axes === 1 && !bound.returnIndices && bound.input instanceof Tensor) checkMaxPool1d(bound);
  const { x, attrs } = attributes(name, axes, bound);
  const pooled = callMany(MaxPool, attrs, x);
  const [output, indices] = (axes === 2 ? pooled : pooled.map((y) => unlift(y, bound.input))) as [Tensor, Tensor];
  return attrs.returnIndices ? [output, indices] : output;
}

/**
 * The largest element of each window. Padding never wins; the first of equal elements does.
 *
 * @param input [N, C, H, W] or [C, H, W]
 * @param kernelSize height and width of the window
 * @returns [N, C, H', W'], with `returnIndices` and the winners' flat positions row·W + column
 * @throws RuntimeError when the output would be empty or the padding exceeds half the kernel
 * @see https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.max_pool2d.html
 */
export function maxPool2d(
  input: Tensor,
  kernelSize: Size2,
  options: MaxPoolOptions & { returnIndices: true },
): [Tensor, Tensor];
export function maxPool2d(
  input: Tensor,
  kernelSize: Size2,
  options?: MaxPoolOptions & { returnIndices?: false },
): Tensor;
export function maxPool2d(...args: unknown[]): Tensor | [Tensor, Tensor] {
  return maxPool("max_pool2d", 2, args);
}

/** As maxPool2d along the last axis of [N, C, L] or [C, L]; floating dtypes, with `returnIndices` every dtype. */
export function maxPool1d(
  input: Tensor,
  kernelSize: Size2,
  options: MaxPoolOptions & { returnIndices: true },
): [Tensor, Tensor];
export function maxPool1d(
  input: Tensor,
  kernelSize: Size2,
  options?: MaxPoolOptions & { returnIndices?: false },
): Tensor;
export function maxPool1d(...args: unknown[]): Tensor | [Tensor, Tensor] {
  return maxPool("max_pool1d", 1, args);
}

function avgPool(name: string, axes: 1 | 2, args: unknown[]): Tensor {
  const bound = bind<PoolArguments>(name, axes === 2 ? AVG_PARAMS : AVG_PARAMS.slice(0, -1), args);
  const { x, attrs } = attributes(name, axes, bound);
  const pooled = call(AvgPool, attrs, x);
  return axes === 2 ? pooled : unlift(pooled, bound.input);
}

/**
 * The mean of each window.
 *
 * @param input [N, C, H, W] or [C, H, W]
 * @param kernelSize height and width of the window
 * @returns [N, C, H', W']
 * @see https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.avg_pool2d.html
 */
export function avgPool2d(input: Tensor, kernelSize: Size2, options?: AvgPoolOptions): Tensor;
export function avgPool2d(...args: unknown[]): Tensor {
  return avgPool("avg_pool2d", 2, args);
}

/** As avgPool2d along the last axis of [N, C, L] or [C, L]. */
export function avgPool1d(input: Tensor, kernelSize: Size2, options?: Omit<AvgPoolOptions, "divisorOverride">): Tensor;
export function avgPool1d(...args: unknown[]): Tensor {
  return avgPool("avg_pool1d", 1, args);
}

/** `maxPool2d` with the winners' positions. */
export function maxPool2dWithIndices(
  input: Tensor,
  kernelSize: Size2,
  options: Omit<MaxPoolOptions, "returnIndices"> = {},
): [Tensor, Tensor] {
  return maxPool2d(input, kernelSize, { ...options, returnIndices: true });
}

/** `maxPool1d` with the winners' positions. */
export function maxPool1dWithIndices(
  input: Tensor,
  kernelSize: Size2,
  options: Omit<MaxPoolOptions, "returnIndices"> = {},
): [Tensor, Tensor] {
  return maxPool1d(input, kernelSize, { ...options, returnIndices: true });
}
