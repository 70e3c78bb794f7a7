/** Sliding blocks as columns and back, and channels as pixels and back. */

import { bind } from "../core/arguments.ts";
import { assertInts } from "../core/checks.ts";
import { IndexError, NotImplementedError, RuntimeError } from "../core/errors.ts";
import { SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { numel, sizeText } from "../core/shape.ts";
import { checked } from "../core/signature.ts";
import { assertTensor, type Tensor } from "../core/tensor.ts";
import { pairOf, type Size2 } from "./conv.ts";
import { goesByKernels, mapCells } from "./linear_map.ts";
import { denseRaw, filled } from "./operands.ts";
import { call, defineOp, type Op } from "./registry.ts";
import { permute, reshape } from "./view.ts";

interface BlockAttrs {
  /** Height and width of the images. */
  size: readonly number[];
  kernel: readonly number[];
  dilation: readonly number[];
  padding: readonly number[];
  stride: readonly number[];
  /** How many blocks lie below and beside each other. */
  grid: readonly number[];
}

/** Calls `visit` with the flat position of every element of a column, and of the pixel it shows, plane by plane. */
function forEachBlockCell(planes: number, attrs: BlockAttrs, visit: (column: number, pixel: number) => void): void {
  const [h, w] = attrs.size as [number, number];
  const [kh, kw] = attrs.kernel as [number, number];
  const [dh, dw] = attrs.dilation as [number, number];
  const [ph, pw] = attrs.padding as [number, number];
  const [sh, sw] = attrs.stride as [number, number];
  const [rows, columns] = attrs.grid as [number, number];
  let at = 0;
  for (let plane = 0; plane < planes; plane++) {
    for (let i = 0; i < kh; i++) {
      for (let j = 0; j < kw; j++) {
        for (let r = 0; r < rows; r++) {
          const y = r * sh - ph + i * dh;
          for (let c = 0; c < columns; c++, at++) {
            const x = c * sw - pw + j * dw;
            if (y >= 0 && y < h && x >= 0 && x < w) visit(at, (plane * h + y) * w + x);
          }
        }
      }
    }
  }
}

function blockMap(attrs: BlockAttrs): { columns: number[]; pixels: number[] } {
  const columns: number[] = [];
  const pixels: number[] = [];
  forEachBlockCell(1, attrs, (column, pixel) => {
    columns.push(column);
    pixels.push(pixel);
  });
  return { columns, pixels };
}

const Im2col: Op<BlockAttrs> = defineOp({
  name: "im2col",
  gradFn: "Im2ColBackward0",
  kernels: [],
  forward({ attrs }, x: Tensor) {
    const lead = x.shape.slice(0, -3);
    const c = x.shape.at(-3)!;
    const shape = [...lead, c * numel(attrs.kernel), numel(attrs.grid)];
    if (goesByKernels(x)) {
      const { columns, pixels } = blockMap(attrs);
      return mapCells(x, numel(lead) * c, shape, { from: pixels, to: columns, weights: null });
    }
    const out = filled(shape, 0, x.dtype);
    const from = denseRaw(x).denseData();
    const to = out.storage.data;
    forEachBlockCell(numel(lead) * c, attrs, (column, pixel) => {
      to[column] = from[pixel]!;
    });
    return out;
  },
  backward: ({ attrs }, grad: Tensor) => [call(Col2im, attrs, grad)],
});

const Col2im: Op<BlockAttrs> = defineOp({
  name: "col2im",
  gradFn: "Col2ImBackward0",
  kernels: [],
  forward({ attrs }, columns: Tensor) {
    const lead = columns.shape.slice(0, -2);
    const c = columns.shape.at(-2)! / numel(attrs.kernel);
    const shape = [...lead, c, ...attrs.size];
    if (goesByKernels(columns)) {
      const map = blockMap(attrs);
      return mapCells(columns, numel(lead) * c, shape, { from: map.columns, to: map.pixels, weights: null });
    }
    const out = filled(shape, 0, columns.dtype);
    const from = denseRaw(columns).denseData();
    const to = out.storage.data;
    forEachBlockCell(numel(lead) * c, attrs, (column, pixel) => {
      to[pixel]! += from[column]!;
    });
    return out;
  },
  backward: ({ attrs }, grad: Tensor) => [call(Im2col, attrs, grad)],
});

export interface BlockOptions {
  /** Distance between the cells of a block. Default 1. */
  dilation?: Size2;
  /** Zeros around the image. Default 0. */
  padding?: Size2;
  /** Step of the block. Default 1. */
  stride?: Size2;
}

function blockAttributes(
  name: string,
  size: readonly number[],
  kernelSize: Size2,
  { dilation = 1, padding = 0, stride = 1 }: BlockOptions,
): BlockAttrs {
  const pair = (argument: string, value: Size2) =>
    pairOf(value, 2, 1, {
      operation: name,
      name: argument,
      wrongLength: (list) => `It is expected ${argument} equals to 2, but got size ${list.length}`,
    });
  const attrs = {
    size,
    kernel: pair("kernel_size", kernelSize),
    dilation: pair("dilation", dilation),
    padding: pair("padding", padding),
    stride: pair("stride", stride),
  };
  for (const [argument, values] of [
    ["kernel_size", attrs.kernel],
    ["dilation", attrs.dilation],
    ["stride", attrs.stride],
  ] as const) {
    if (values.every((v) => v > 0)) continue;
    const [first, second] =
      argument === "kernel_size" ? ["kernel_height", "kernel_width"] : [`${argument}_height`, `${argument}_width`];
    const label = argument === "kernel_size" ? "kernel size" : argument;
    throw new RuntimeError(
      `${label} should be greater than zero, but got ${first}: ${values[0]} ${second}: ${values[1]}`,
    );
  }
  if (attrs.padding.some((p) => p < 0)) {
    throw new RuntimeError(
      `padding should be non-negative, but got pad_height: ${attrs.padding[0]} pad_width: ${attrs.padding[1]}`,
    );
  }
  const grid = size.map(
    (n, i) =>
      Math.floor((n + 2 * attrs.padding[i]! - attrs.dilation[i]! * (attrs.kernel[i]! - 1) - 1) / attrs.stride[i]!) + 1,
  );
  return { ...attrs, grid };
}

function checkBlockDtype(kernel: string, { dtype }: Tensor): void {
  if (dtype.isFloatingPoint || dtype.name === "bool") return;
  throw new NotImplementedError(`"${kernel}" not implemented for '${SCALAR_TYPE_NAMES[dtype.name]}'`, {
    hint: "convert it first: x.float()",
  });
}

const outOfRange = (range: number, dim: number): string =>
  `Dimension out of range (expected to be in range of [${-range}, ${range - 1}], but got ${dim})`;

const spelled = (values: readonly number[]): string => `(${values.join(", ")})`;

/**
 * Sliding blocks as columns: [N, C, H, W] or [C, H, W] → [N, C·kh·kw, blocks].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.unfold.html
 */
export function unfold(input: Tensor, kernelSize: Size2, options?: BlockOptions): Tensor;
export function unfold(...args: unknown[]): Tensor {
  const bound = bind<{ input: Tensor; kernelSize: Size2 } & BlockOptions>(
    "unfold",
    ["!input", "!kernelSize", "dilation", "padding", "stride"],
    args,
  );
  const { input, kernelSize } = bound;
  assertTensor(input, "unfold", "input", 1);
  const { ndim } = input;
  if (ndim < 3) {
    // PyTorch looks at the planes before it has counted the dimensions.
    const range = Math.max(ndim, 1);
    if (ndim !== 2) throw new IndexError(outOfRange(range, 1));
    throw new IndexError(outOfRange(range, 2));
  }
  if ((ndim !== 3 && ndim !== 4) || numel(input.shape.slice(ndim - 3)) === 0) {
    throw new RuntimeError(
      `Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, but got: ${sizeText(input.shape)}`,
      { shapes: [input.shape] },
    );
  }
  const attrs = blockAttributes("unfold", input.shape.slice(-2), kernelSize, bound);
  if (attrs.grid.some((n) => n < 1)) {
    throw new RuntimeError(
      `Given input with spatial size ${spelled(attrs.size)}, kernel_size=${spelled(attrs.kernel)}, dilation=${spelled(attrs.dilation)}, padding=${spelled(attrs.padding)}, calculated shape of the array of sliding blocks as ${spelled(attrs.grid)}, but its components must be at least one.`,
      { shapes: [input.shape] },
    );
  }
  checkBlockDtype("im2col_out_cpu", input);
  return call(Im2col, attrs, input);
}

/**
 * Columns back to images, where blocks overlap their sum: [N, C·kh·kw, blocks] or without N → [N, C, H, W].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.fold.html
 */
export function fold(input: Tensor, outputSize: Size2, kernelSize: Size2, options?: BlockOptions): Tensor;
export function fold(...args: unknown[]): Tensor {
  const bound = bind<{ input: Tensor; outputSize: Size2; kernelSize: Size2 } & BlockOptions>(
    "fold",
    ["!input", "!outputSize", "!kernelSize", "dilation", "padding", "stride"],
    args,
  );
  const { input, outputSize, kernelSize } = bound;
  assertTensor(input, "fold", "input", 1);
  const { ndim, shape } = input;
  if ((ndim !== 2 && ndim !== 3) || shape.slice(-2).includes(0)) {
    throw new RuntimeError(
      `Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for input, but got: ${sizeText(shape)}`,
      { shapes: [shape] },
    );
  }
  const size: unknown = Array.isArray(outputSize) ? outputSize : [outputSize, outputSize];
  assertInts(size, "col2im", "output_size", 2);
  if (size.length !== 2) throw new RuntimeError(`It is expected output_size equals to 2, but got size ${size.length}`);
  const attrs = blockAttributes("fold", size, kernelSize, bound);
  const [planes, length] = shape.slice(-2) as [number, number];
  if (planes % numel(attrs.kernel) !== 0) {
    throw new RuntimeError(
      `Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got input.size(1)=${planes} and kernel_size=${spelled(attrs.kernel)}.`,
      { shapes: [shape] },
    );
  }
  if (length !== numel(attrs.grid)) {
    throw new RuntimeError(
      `Given output_size=${spelled(size)}, kernel_size=${spelled(attrs.kernel)}, dilation=${spelled(attrs.dilation)}, padding=${spelled(attrs.padding)}, stride=${spelled(attrs.stride)}, expected size of input's dimension 2 to match the calculated number of sliding blocks ${attrs.grid[0]} * ${attrs.grid[1]} = ${numel(attrs.grid)}, but got input.size(2)=${length}.`,
      { shapes: [shape] },
    );
  }
  checkBlockDtype("col2im_out_cpu", input);
  return call(Col2im, attrs, input);
}

interface ShuffleAttrs {
  factor: number;
}

function shuffled(x: Tensor, factor: number): Tensor {
  const [c, h, w] = x.shape.slice(-3) as [number, number, number];
  const channels = c / (factor * factor);
  const split = reshape(x, [numel(x.shape.slice(0, -3)), channels, factor, factor, h, w]);
  return reshape(permute(split, 0, 1, 4, 2, 5, 3), [...x.shape.slice(0, -3), channels, h * factor, w * factor]);
}

function unshuffled(x: Tensor, factor: number): Tensor {
  const [c, h, w] = x.shape.slice(-3) as [number, number, number];
  const split = reshape(x, [numel(x.shape.slice(0, -3)), c, h / factor, factor, w / factor, factor]);
  const ordered = permute(split, 0, 1, 3, 5, 2, 4);
  return reshape(ordered, [...x.shape.slice(0, -3), c * factor * factor, h / factor, w / factor]);
}

const PixelShuffle: Op<ShuffleAttrs> = defineOp({
  name: "pixel_shuffle",
  gradFn: "PixelShuffleBackward0",
  kernels: ["copy"],
  forward: ({ attrs }, x: Tensor) => denseRaw(shuffled(x.detach(), attrs.factor)),
  backward: ({ attrs }, grad: Tensor) => [call(PixelUnshuffle, attrs, grad)],
});

const PixelUnshuffle: Op<ShuffleAttrs> = defineOp({
  name: "pixel_unshuffle",
  gradFn: "PixelUnshuffleBackward0",
  kernels: ["copy"],
  forward: ({ attrs }, x: Tensor) => denseRaw(unshuffled(x.detach(), attrs.factor)),
  backward: ({ attrs }, grad: Tensor) => [call(PixelShuffle, attrs, grad)],
});

function checkImage(name: string, factorName: string, input: Tensor, factor: number): void {
  assertTensor(input, name, "input", 1);
  if (input.ndim < 3) {
    throw new RuntimeError(
      `${name} expects input to have at least 3 dimensions, but got input with ${input.ndim} dimension(s)`,
    );
  }
  if (factor <= 0) throw new RuntimeError(`${name} expects a positive ${factorName}, but got ${factor}`);
}

/** Channels become pixels: [..., C·r², H, W] → [..., C, H·r, W·r]. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.pixel_shuffle.html */
export const pixelShuffle = checked(
  "pixel_shuffle(Tensor input, int upscale_factor)",
  (input: Tensor, upscaleFactor: number): Tensor => {
    checkImage("pixel_shuffle", "upscale_factor", input, upscaleFactor);
    const channels = input.shape.at(-3)!;
    if (channels % (upscaleFactor * upscaleFactor) !== 0) {
      throw new RuntimeError(
        `pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but input.size(-3)=${channels} is not divisible by ${upscaleFactor * upscaleFactor}`,
        { shapes: [input.shape] },
      );
    }
    return call(PixelShuffle, { factor: upscaleFactor }, input);
  },
);

/** Pixels become channels: [..., C, H·r, W·r] → [..., C·r², H, W]. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.pixel_unshuffle.html */
export const pixelUnshuffle = checked(
  "pixel_unshuffle(Tensor input, int downscale_factor)",
  (input: Tensor, downscaleFactor: number): Tensor => {
    checkImage("pixel_unshuffle", "downscale_factor", input, downscaleFactor);
    for (const [side, size] of [
      ["height", input.shape.at(-2)!],
      ["width", input.shape.at(-1)!],
    ] as const) {
      if (size % downscaleFactor === 0) continue;
      throw new RuntimeError(
        `pixel_unshuffle expects ${side} to be divisible by downscale_factor, but input.size(${side === "height" ? -2 : -1})=${size} is not divisible by ${downscaleFactor}`,
        { shapes: [input.shape] },
      );
    }
    // PyTorch leaves an empty image in its shape.
    return input.numel() === 0 ? input.clone() : call(PixelUnshuffle, { factor: downscaleFactor }, input);
  },
);

const ChannelShuffle: Op<{ groups: number }> = defineOp({
  name: "channel_shuffle",
  gradFn: "ChannelShuffleBackward0",
  kernels: ["copy"],
  forward({ attrs: { groups } }, x: Tensor) {
    const [n, c, ...rest] = x.shape as unknown as [number, number, ...number[]];
    const split = reshape(x.detach(), [n, groups, c / groups, numel(rest)]);
    return reshape(denseRaw(permute(split, 0, 2, 1, 3)), x.shape);
  },
  backward: ({ attrs: { groups } }, grad: Tensor) => [call(ChannelShuffle, { groups: grad.shape[1]! / groups }, grad)],
});

/**
 * Mixes the channels of groups: channel k of group g becomes channel g of what was k. [N, C, *] → the same shape.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.ChannelShuffle.html
 */
export function channelShuffle(input: Tensor, groups: number | { groups: number }): Tensor;
export function channelShuffle(...args: unknown[]): Tensor {
  const { input, groups } = bind<{ input: Tensor; groups: number }>(
    "channel_shuffle",
    ["!input", "!groups: int"],
    args,
  );
  assertTensor(input, "channel_shuffle", "input", 1);
  const { shape } = input;
  if (shape.length <= 2) {
    throw new RuntimeError(`channel_shuffle expects input with > 2 dims, but got input with sizes ${sizeText(shape)}`, {
      shapes: [shape],
    });
  }
  if (groups <= 0) {
    throw new RuntimeError(`Number of groups to divide channels in must be positive. Value of groups:${groups}`);
  }
  if (shape[1]! % groups !== 0) {
    throw new RuntimeError(
      `Number of channels must be divisible by groups. Got ${shape[1]} channels and ${groups} groups.`,
      { shapes: [shape] },
    );
  }
  return call(ChannelShuffle, { groups }, input);
}
