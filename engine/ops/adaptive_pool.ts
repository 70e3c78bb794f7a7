/** Pooling that aims at an output size, and pooling undone. */

import { kernels } from "../backends/index.ts";
import { bind } from "../core/arguments.ts";
import { assertInts } from "../core/checks.ts";
import { int64 } from "../core/dtype.ts";
import { NotImplementedError, RuntimeError, TypeError, ValueError } from "../core/errors.ts";
import { SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { numel, sameShape, sizeText } from "../core/shape.ts";
import { assertTensor, pythonTypeName, Tensor } from "../core/tensor.ts";
import type { Size2 } from "./conv.ts";
import { goesByKernels, mapCells } from "./linear_map.ts";
import { castRaw, denseRaw, filled, viewAs } from "./operands.ts";
import { mean } from "./reduce.ts";
import { call, callMany, defineOp, type Op } from "./registry.ts";
import { squeeze, unsqueeze } from "./view.ts";

/** Where window `i` of `out` starts and ends along `size` cells: windows may overlap and differ by one in length. */
function adaptiveWindow(i: number, out: number, size: number): [start: number, end: number] {
  return [Math.floor((i * size) / out), Math.ceil(((i + 1) * size) / out)];
}

interface AdaptiveAttrs {
  /** Height and width before and after. */
  size: readonly [number, number];
  out: readonly [number, number];
}

/** Calls `visit` with every output's flat position and its window, plane by plane. */
function forEachWindow(
  planes: number,
  { size: [h, w], out: [outH, outW] }: AdaptiveAttrs,
  visit: (at: number, plane: number, rows: [number, number], columns: [number, number]) => void,
): void {
  let at = 0;
  for (let plane = 0; plane < planes; plane++) {
    for (let i = 0; i < outH; i++) {
      const rows = adaptiveWindow(i, outH, h);
      for (let j = 0; j < outW; j++) visit(at++, plane * h * w, rows, adaptiveWindow(j, outW, w));
    }
  }
}

function planesOf(x: Tensor): number {
  return numel(x.shape.slice(0, -2));
}

function windowMap(attrs: AdaptiveAttrs): { outs: number[]; ins: number[]; weights: number[] } {
  const map = { outs: [] as number[], ins: [] as number[], weights: [] as number[] };
  forEachWindow(1, attrs, (at, _, [top, bottom], [left, right]) => {
    for (let y = top; y < bottom; y++) {
      for (let c = left; c < right; c++) {
        map.outs.push(at);
        map.ins.push(y * attrs.size[1] + c);
        map.weights.push(1 / ((bottom - top) * (right - left)));
      }
    }
  });
  return map;
}

const AdaptiveAvgPool: Op<AdaptiveAttrs> = defineOp({
  name: "_adaptive_avg_pool2d",
  gradFn: "AdaptiveAvgPool2DBackward0",
  kernels: [],
  forward(ctx, x: Tensor) {
    const { attrs } = ctx;
    ctx.save(x);
    const width = attrs.size[1];
    const shape = [...x.shape.slice(0, -2), ...attrs.out];
    if (goesByKernels(x)) {
      const { outs, ins, weights } = windowMap(attrs);
      return mapCells(x, planesOf(x), shape, { from: ins, to: outs, weights });
    }
    const out = Tensor.empty(shape, x.dtype);
    const from = denseRaw(x).denseData();
    forEachWindow(planesOf(x), attrs, (at, plane, [top, bottom], [left, right]) => {
      let total = 0;
      for (let y = top; y < bottom; y++) for (let c = left; c < right; c++) total += from[plane + y * width + c]!;
      out.storage.data[at] = total / ((bottom - top) * (right - left));
    });
    return out;
  },
  backward({ attrs, saved: [x] }, grad: Tensor) {
    requireGradient("adaptive_avg_pool2d_backward", grad);
    return [call(AdaptiveAvgPoolGrad, attrs, grad, x!)];
  },
});

/** The input only makes the gradient one of its functions, if a constant one. */
const AdaptiveAvgPoolGrad: Op<AdaptiveAttrs> = defineOp({
  name: "_adaptive_avg_pool2d_backward",
  gradFn: "AdaptiveAvgPool2DBackwardBackward0",
  kernels: [],
  forward({ attrs }, grad: Tensor, _input: Tensor) {
    const width = attrs.size[1];
    const shape = [...grad.shape.slice(0, -2), ...attrs.size];
    if (goesByKernels(grad)) {
      const { outs, ins, weights } = windowMap(attrs);
      return mapCells(grad, planesOf(grad), shape, { from: outs, to: ins, weights });
    }
    const out = filled(shape, 0, grad.dtype);
    const from = denseRaw(grad).denseData();
    const to = out.storage.data;
    forEachWindow(planesOf(grad), attrs, (at, plane, [top, bottom], [left, right]) => {
      const share = from[at]! / ((bottom - top) * (right - left));
      for (let y = top; y < bottom; y++) for (let c = left; c < right; c++) to[plane + y * width + c]! += share;
    });
    return out;
  },
  backward: ({ attrs }, grad: Tensor) => [call(AdaptiveAvgPool, attrs, grad), filled(grad.shape, 0, grad.dtype)],
});

const AdaptiveMaxPool: Op<AdaptiveAttrs> = defineOp({
  name: "adaptive_max_pool2d",
  gradFn: "AdaptiveMaxPool2DBackward0",
  kernels: [],
  forward(ctx, x: Tensor) {
    const { attrs } = ctx;
    const width = attrs.size[1];
    const shape = [...x.shape.slice(0, -2), ...attrs.out];
    const out = Tensor.empty(shape, x.dtype);
    const indices = Tensor.empty(shape, int64);
    const from = denseRaw(x).denseData();
    forEachWindow(planesOf(x), attrs, (at, plane, [top, bottom], [left, right]) => {
      let best = top * width + left;
      let value = Number.NEGATIVE_INFINITY;
      for (let y = top; y < bottom; y++) {
        for (let c = left; c < right; c++) {
          const candidate = from[plane + y * width + c]!;
          if (candidate > value || Number.isNaN(candidate)) {
            value = candidate;
            best = y * width + c;
          }
        }
      }
      out.storage.data[at] = value;
      indices.storage.data[at] = best;
    });
    ctx.save(indices, x);
    return [out, indices];
  },
  backward({ attrs, saved: [indices, x] }, grad: Tensor | null) {
    if (!grad) return [null];
    requireGradient("adaptive_max_pool2d_backward", grad);
    return [call(Place, { size: attrs.size, gradFn: "AdaptiveMaxPool2DBackwardBackward0" }, grad, indices!, x!)];
  },
});

/** Nothing pooled has no gradient, unless it is the batch that is empty. */
function requireGradient(name: string, { shape }: Tensor): void {
  const empty = shape.findIndex((size, i) => i > 0 && size === 0);
  if (empty < 0) return;
  throw new RuntimeError(
    `${name}(): Expected grad_output to have non-zero size for non-batch dimensions, but grad_output has sizes ${sizeText(shape)} with dimension ${empty} being empty`,
  );
}

export interface PlaceAttrs {
  size: readonly [number, number];
  gradFn: string;
}

/** Adds numbers at flat positions of planes of zeros. An input of which this is the gradient may come along. */
export const Place: Op<PlaceAttrs> = defineOp({
  name: "max_unpool2d_add",
  gradFn: ({ gradFn }) => gradFn,
  kernels: ["scatterAdd"],
  forward(ctx, x: Tensor, indices: Tensor, _input: Tensor | null) {
    const { size } = ctx.attrs;
    ctx.save(indices);
    const planes = planesOf(x);
    const cells = numel(x.shape.slice(-2));
    const out = filled([...x.shape.slice(0, -2), ...size], 0, x.dtype);
    kernels.scatterAdd(
      viewAs(out, [planes, numel(size), 1]),
      viewAs(denseRaw(indices), [planes, cells, 1]),
      viewAs(denseRaw(x), [planes, cells, 1]),
    );
    return out;
  },
  backward: ({ attrs, saved: [indices], needs }, grad: Tensor) => [
    call(Pick, attrs, grad, indices!),
    null,
    needs[2] ? filled(grad.shape, 0, grad.dtype) : null,
  ],
});

const Pick: Op<PlaceAttrs> = defineOp({
  name: "max_unpool2d_pick",
  gradFn: "MaxUnpool2DBackwardBackward0",
  kernels: ["gather"],
  forward(ctx, x: Tensor, indices: Tensor) {
    ctx.save(indices);
    const planes = planesOf(x);
    const cells = numel(indices.shape.slice(-2));
    const out = Tensor.empty(indices.shape, x.dtype);
    kernels.gather(
      viewAs(denseRaw(x), [planes, numel(x.shape.slice(-2)), 1]),
      viewAs(denseRaw(indices), [planes, cells, 1]),
      viewAs(out, [planes, cells, 1]),
    );
    return out;
  },
  backward: ({ attrs, saved: [indices] }, grad: Tensor) => [call(Place, attrs, grad, indices!, null), null],
});

/** What each operation writes where only one number may lie: the last one stays. */
const Unpool: Op<PlaceAttrs> = defineOp({
  name: "max_unpool2d",
  gradFn: "MaxUnpool2DBackward0",
  unlisted: [1],
  kernels: ["gather"],
  forward(ctx, x: Tensor, indices: Tensor) {
    const { size } = ctx.attrs;
    ctx.save(indices);
    const out = filled([...x.shape.slice(0, -2), ...size], 0, x.dtype);
    const from = x.denseData();
    const cells = numel(x.shape.slice(-2));
    indices.denseData().forEach((index, i) => {
      out.storage.data[Math.floor(i / cells) * numel(size) + index] = from[i]!;
    });
    return out;
  },
  backward: ({ attrs, saved: [indices] }, grad: Tensor) => [call(Pick, attrs, grad, indices!), null],
});

/** A size, or null to keep the input's. */
export type AdaptiveSize = number | null | readonly (number | null)[];

function adaptiveSize(name: string, outputSize: AdaptiveSize, input: Tensor): number[] {
  if (Number.isInteger(outputSize)) return [outputSize as number, outputSize as number];
  if (typeof outputSize === "string") assertInts([outputSize], name, "output_size", 2);
  if (!Array.isArray(outputSize)) {
    throw new TypeError(`object of type '${pythonTypeName(outputSize)}' has no len()`, {
      hint: outputSize === null ? "null keeps the input's size of one axis: [null, null]" : undefined,
    });
  }
  const list: readonly (number | null)[] = outputSize;
  if (input.ndim <= list.length) {
    throw new ValueError(`Input dimension should be at least ${list.length + 1}`, { shapes: [input.shape] });
  }
  const size = list.map((n, i) => n ?? input.shape[input.ndim - 2 + i]!);
  assertInts(size, name, "output_size", 2);
  return size;
}

/** @throws RuntimeError for an axis of no length; the first may be empty. */
function checkFilled(name: string, { shape }: Tensor, first: number): void {
  const empty = shape.findIndex((n, dim) => dim >= first && n === 0);
  if (empty < 0) return;
  throw new RuntimeError(
    `${name}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes ${sizeText(shape)} with dimension ${empty} being empty`,
    { shapes: [shape] },
  );
}

function checkAdaptiveDtype(name: string, { dtype }: Tensor): void {
  if (dtype.isFloatingPoint) return;
  throw new NotImplementedError(`"${name}" not implemented for '${SCALAR_TYPE_NAMES[dtype.name]}'`, {
    hint: "convert it first: x.float()",
  });
}

interface AdaptiveArguments {
  input: Tensor;
  outputSize: AdaptiveSize;
  returnIndices?: boolean;
}

/**
 * Means of windows that are laid so that the output has the given size; null keeps the input's.
 *
 * @param input [N, C, H, W] or [C, H, W]
 * @see https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.adaptive_avg_pool2d.html
 */
export function adaptiveAvgPool2d(input: Tensor, outputSize: AdaptiveSize): Tensor;
export function adaptiveAvgPool2d(...args: unknown[]): Tensor {
  const { input, outputSize } = bind<AdaptiveArguments>("adaptive_avg_pool2d", ["!input", "!outputSize"], args);
  assertTensor(input, "adaptive_avg_pool2d", "input", 1);
  const name = "adaptive_avg_pool2d";
  const out = adaptiveSize(name, outputSize, input) as [number, number];
  if (out.length !== 2) throw new RuntimeError(`${name}: output_size must be 2`);
  if (out.some((n) => n < 0)) {
    throw new RuntimeError(
      `${name}: elements of output_size must be greater than or equal to 0 but received {${out.join(", ")}}`,
    );
  }
  if (out[0] === 1 && out[1] === 1 && input.ndim >= 2) return mean(input, [-1, -2], { keepdim: true });
  if (input.ndim !== 3 && input.ndim !== 4) {
    throw new RuntimeError(`${name}(): Expected 3D or 4D tensor, but got ${sizeText(input.shape)}`, {
      shapes: [input.shape],
    });
  }
  checkFilled(name, input, input.ndim - 2);
  checkAdaptiveDtype(name, input);
  return call(AdaptiveAvgPool, { size: input.shape.slice(-2) as unknown as [number, number], out }, input);
}

function checkSequence(name: string, input: Tensor): void {
  if (input.ndim === 2 || input.ndim === 3) return;
  throw new RuntimeError(
    `Expected 2 to 3 dimensions, but got ${input.ndim}-dimensional tensor for argument #1 'self' (while checking arguments for ${name})`,
    { shapes: [input.shape] },
  );
}

function single(name: string, outputSize: AdaptiveSize, input: Tensor): number {
  const list = Array.isArray(outputSize) ? outputSize : [outputSize];
  if (list.length !== 1) {
    throw new RuntimeError(`${name}() argument 'output_size' should contain one int (got ${list.length})`);
  }
  if (list[0] === null && Array.isArray(outputSize)) return input.shape.at(-1)!;
  assertInts(Array.isArray(outputSize) || Number.isInteger(outputSize) ? list : outputSize, name, "output_size", 2);
  return list[0] as number;
}

/** As adaptiveAvgPool2d along the last axis of [N, C, L] or [C, L]. */
export function adaptiveAvgPool1d(input: Tensor, outputSize: AdaptiveSize): Tensor;
export function adaptiveAvgPool1d(...args: unknown[]): Tensor {
  const { input, outputSize } = bind<AdaptiveArguments>("adaptive_avg_pool1d", ["!input", "!outputSize"], args);
  assertTensor(input, "adaptive_avg_pool1d", "input", 1);
  checkSequence("adaptive_avg_pool1d", input);
  return squeeze(adaptiveAvgPool2d(unsqueeze(input, -2), [1, single("adaptive_avg_pool1d", outputSize, input)]), -2);
}

/**
 * Maxima of windows that are laid so that the output has the given size; with `returnIndices` and the winners' positions.
 *
 * @param input [N, C, H, W] or [C, H, W]
 * @see https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.adaptive_max_pool2d.html
 */
export function adaptiveMaxPool2d(
  input: Tensor,
  outputSize: AdaptiveSize,
  options: { returnIndices: true },
): [Tensor, Tensor];
export function adaptiveMaxPool2d(input: Tensor, outputSize: AdaptiveSize, options?: { returnIndices?: false }): Tensor;
export function adaptiveMaxPool2d(...args: unknown[]): Tensor | [Tensor, Tensor] {
  const { input, outputSize, returnIndices } = bind<AdaptiveArguments>(
    "adaptive_max_pool2d",
    ["!input", "!outputSize", "returnIndices"],
    args,
  );
  assertTensor(input, "adaptive_max_pool2d", "input", 1);
  const name = "adaptive_max_pool2d";
  const out = adaptiveSize(name, outputSize, input) as [number, number];
  if (input.ndim !== 3 && input.ndim !== 4) {
    throw new RuntimeError(`${name}(): Expected 3D or 4D tensor, but got: ${sizeText(input.shape)}`, {
      shapes: [input.shape],
    });
  }
  checkFilled(name, input, 1);
  if (out.length !== 2) throw new RuntimeError(`${name}(): internal error: output_size.size() must be 2`);
  if (out.some((n) => n < 0)) {
    const shape = [...input.shape.slice(0, -2), ...out];
    throw new RuntimeError(
      `Trying to create tensor with negative dimension ${shape.find((n) => n < 0)}: ${sizeText(shape)}`,
    );
  }
  checkAdaptiveDtype(name, input);
  const attrs = { size: input.shape.slice(-2) as unknown as [number, number], out };
  const pooled = callMany(AdaptiveMaxPool, attrs, input) as [Tensor, Tensor];
  return returnIndices ? pooled : pooled[0];
}

/** As adaptiveMaxPool2d along the last axis of [N, C, L] or [C, L]. */
export function adaptiveMaxPool1d(
  input: Tensor,
  outputSize: AdaptiveSize,
  options: { returnIndices: true },
): [Tensor, Tensor];
export function adaptiveMaxPool1d(input: Tensor, outputSize: AdaptiveSize, options?: { returnIndices?: false }): Tensor;
export function adaptiveMaxPool1d(...args: unknown[]): Tensor | [Tensor, Tensor] {
  const { input, outputSize, returnIndices } = bind<AdaptiveArguments>(
    "adaptive_max_pool1d",
    ["!input", "!outputSize", "returnIndices"],
    args,
  );
  assertTensor(input, "adaptive_max_pool1d", "input", 1);
  checkSequence("adaptive_max_pool1d", input);
  const length = single("adaptive_max_pool1d", outputSize, input);
  checkFilled("adaptive_max_pool1d", input, 1);
  const both = adaptiveMaxPool2d(unsqueeze(input, -2), [1, length], { returnIndices: true });
  const [output, indices] = both.map((x) => squeeze(x, -2)) as [Tensor, Tensor];
  return returnIndices ? [output, indices] : output;
}

export interface UnpoolOptions {
  /** Default: kernelSize. */
  stride?: Size2 | null;
  /** Default 0. */
  padding?: Size2;
  /** The size before pooling, where several are possible. Default: the smallest. */
  outputSize?: readonly number[] | null;
}

interface UnpoolArguments extends UnpoolOptions {
  input: Tensor;
  indices: Tensor;
  kernelSize: Size2;
}

/** The size before pooling; a given one has to lie within one step of it. */
function unpooledSize(input: Tensor, axes: 1 | 2, { kernelSize, stride, padding = 0, outputSize }: UnpoolArguments) {
  const at = (value: Size2, i: number) => (Array.isArray(value) ? (value[i] ?? value[0]!) : (value as number));
  const steps = Array.from({ length: axes }, (_, i) => at(stride ?? kernelSize, i));
  const usual = steps.map(
    (step, i) => (input.shape[input.ndim - axes + i]! - 1) * step + at(kernelSize, i) - 2 * at(padding, i),
  );
  if (!outputSize) {
    const parts = Array.from({ length: axes }, (_, i) => [steps[i], at(kernelSize, i), at(padding, i)]).flat();
    // Python's fractions give a fraction, whatever they add up to.
    assertInts(parts.every(Number.isInteger) ? usual : [Number.NaN], "max_unpool2d", "output_size", 3);
    return usual;
  }
  if (outputSize.length !== axes && outputSize.length !== axes + 2) {
    throw new ValueError(
      `output_size should be a sequence containing ${axes} or ${axes + 2} elements, but it has a length of '${outputSize.length}'`,
    );
  }
  const size = outputSize.slice(-axes);
  size.forEach((n, i) => {
    const [low, high] = [usual[i]! - steps[i]!, usual[i]! + steps[i]!];
    if (n > low && n < high) return;
    throw new ValueError(
      `invalid output_size "(${size.join(", ")}${axes === 1 ? "," : ""})" (dim ${i} must be between ${low} and ${high})`,
    );
  });
  return size;
}

function unpool(input: Tensor, indices: Tensor, size: [number, number]): Tensor {
  if (indices.dtype !== int64) {
    throw new RuntimeError(
      `elements in indices should be type int64 but got: ${SCALAR_TYPE_NAMES[indices.dtype.name]}`,
    );
  }
  if (input.ndim !== 3 && input.ndim !== 4) {
    throw new RuntimeError(
      `Input to max_unpooling2d should be a 3d or 4d Tensor, but got a tensor with ${input.ndim} dimensions.`,
      { shapes: [input.shape] },
    );
  }
  if (!sameShape(input.shape, indices.shape)) {
    throw new RuntimeError(
      `Expected shape of indices to be same as that of the input tensor (${sizeText(input.shape)}) but got indices tensor with shape: ${sizeText(indices.shape)}`,
      { shapes: [input.shape, indices.shape] },
    );
  }
  if (!input.dtype.isFloatingPoint) {
    throw new NotImplementedError(`"max_unpool2d" not implemented for '${SCALAR_TYPE_NAMES[input.dtype.name]}'`);
  }
  for (const index of indices.denseData()) {
    if (index < 0 || index >= numel(size)) {
      throw new RuntimeError(`Found an invalid max index: ${index} (output volumes are of size ${size[0]}x${size[1]})`);
    }
  }
  return call(Unpool, { size, gradFn: "MaxUnpool2DBackward0" }, input, castRaw(indices, int64));
}

const UNPOOL_PARAMS = [
  "!input",
  "!indices: Tensor",
  "!kernelSize: int[1]",
  "stride: int[1]?",
  "padding: int[1]",
  "outputSize",
];

/** maxPool2d undone: values at the winners' places, zeros elsewhere. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.max_unpool2d.html */
export function maxUnpool2d(input: Tensor, indices: Tensor, kernelSize: Size2, options?: UnpoolOptions): Tensor;
export function maxUnpool2d(...args: unknown[]): Tensor {
  const bound = bind<UnpoolArguments>("max_unpool2d", UNPOOL_PARAMS, args);
  assertTensor(bound.input, "max_unpool2d", "input", 1);
  return unpool(bound.input, bound.indices, unpooledSize(bound.input, 2, bound) as [number, number]);
}

/** As maxUnpool2d along the last axis of [N, C, L] or [C, L]. */
export function maxUnpool1d(input: Tensor, indices: Tensor, kernelSize: Size2, options?: UnpoolOptions): Tensor;
export function maxUnpool1d(...args: unknown[]): Tensor {
  const bound = bind<UnpoolArguments>("max_unpool1d", UNPOOL_PARAMS, args);
  assertTensor(bound.input, "max_unpool1d", "input", 1);
  const length = unpooledSize(bound.input, 1, bound)[0]!;
  return squeeze(unpool(unsqueeze(bound.input, -1), unsqueeze(bound.indices, -1), [length, 1]), -1);
}

/** `adaptiveMaxPool2d` with the winners' positions. */
export function adaptiveMaxPool2dWithIndices(input: Tensor, outputSize: AdaptiveSize): [Tensor, Tensor] {
  return adaptiveMaxPool2d(input, outputSize, { returnIndices: true });
}

/** `adaptiveMaxPool1d` with the winners' positions. */
export function adaptiveMaxPool1dWithIndices(input: Tensor, outputSize: AdaptiveSize): [Tensor, Tensor] {
  return adaptiveMaxPool1d(input, outputSize, { returnIndices: true });
}
