/** Padding: more cells around a tensor. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.pad.html */

import { kernels } from "../backends/index.ts";
import { bind } from "../core/arguments.ts";
import { assertInts, assertNumber } from "../core/checks.ts";
import { allocate, int64 } from "../core/dtype.ts";
import { NotImplementedError, RuntimeError } from "../core/errors.ts";
import { contiguousStrides, sizeText } from "../core/shape.ts";
import { Storage, viewOf } from "../core/storage.ts";
import { assertTensor, Tensor } from "../core/tensor.ts";
import { denseRaw, filled, viewAs } from "./operands.ts";
import { call, defineOp, type Op } from "./registry.ts";

export type PadMode = "constant" | "reflect" | "replicate" | "circular";

/** Cells before and after along one dimension; negative ones cut off. */
interface AxisPad {
  dim: number;
  before: number;
  after: number;
}

interface PadAttrs {
  shape: readonly number[];
  pads: readonly AxisPad[];
  mode: PadMode;
  value: number;
}

const NAMES: Record<PadMode, (axes: number) => string> = {
  constant: () => "ConstantPadNdBackward0",
  reflect: (axes) => `ReflectionPad${axes}DBackward0`,
  replicate: (axes) => `ReplicationPad${axes}DBackward0`,
  circular: () => "CopySlices",
};

const Pad: Op<PadAttrs> = defineOp({
  name: "pad",
  gradFn: ({ mode, pads }) => NAMES[mode](pads.length),
  kernels: ["fill", "copy", "indexSelect"],
  forward(ctx, input: Tensor) {
    const { attrs } = ctx;
    if (attrs.mode === "constant") return padConstant(input, attrs);
    // Nothing that the gradient needs, but PyTorch's nodes keep something here and run only once.
    ctx.save(null);
    return padFromInput(input, attrs);
  },
  backward: ({ attrs }, grad: Tensor) => [call(PadGrad, attrs, grad)],
});

/** Sums each gradient back into the cell that was read; linear, so its own gradient pads again. */
const PadGrad: Op<PadAttrs> = defineOp({
  name: "pad_backward",
  gradFn: "PadBackwardBackward0",
  kernels: ["fill", "copy", "indexAdd"],
  forward: ({ attrs }, grad: Tensor) =>
    attrs.mode === "constant" ? cropConstant(grad, attrs) : addToInput(grad, attrs),
  backward: ({ attrs }, grad: Tensor) => [call(Pad, { ...attrs, value: 0 }, grad)],
});

function paddedShape({ shape, pads }: PadAttrs): number[] {
  const out = [...shape];
  for (const { dim, before, after } of pads) out[dim]! += before + after;
  return out;
}

/** The part that input and output share, as it lies in each. */
function sharedPart(attrs: PadAttrs) {
  const out = paddedShape(attrs);
  const size = [...attrs.shape];
  const inInput = attrs.shape.map(() => 0);
  const inOutput = attrs.shape.map(() => 0);
  for (const { dim, before, after } of attrs.pads) {
    inInput[dim] = Math.max(0, -before);
    inOutput[dim] = Math.max(0, before);
    size[dim] = Math.max(0, attrs.shape[dim]! + Math.min(0, before) + Math.min(0, after));
  }
  const view = (x: Tensor, strides: readonly number[], at: readonly number[]) =>
    viewOf(x.storage, size, strides, x.offset + at.reduce((sum, position, dim) => sum + position * strides[dim]!, 0));
  return {
    input: (x: Tensor) => view(x, x.strides, inInput),
    output: (x: Tensor) => view(x, contiguousStrides(out), inOutput),
  };
}

function padConstant(input: Tensor, attrs: PadAttrs): Tensor {
  const out = filled(paddedShape(attrs), attrs.value, input.dtype);
  const part = sharedPart(attrs);
  kernels.copy(part.input(input), part.output(out));
  return out;
}

function cropConstant(grad: Tensor, attrs: PadAttrs): Tensor {
  const out = filled(attrs.shape, 0, grad.dtype);
  const part = sharedPart(attrs);
  kernels.copy(part.output(denseRaw(grad)), part.input(out));
  return out;
}

/** For every position along the padded dimension, the one it reads. */
function sources(size: number, { before, after }: AxisPad, mode: PadMode): Tensor {
  const data = allocate(int64, before + size + after);
  // What negative padding cuts off is not there to wrap around.
  const first = Math.max(0, -before);
  const kept = size + Math.min(0, after) - first;
  for (let i = 0; i < data.length; i++) {
    const at = i - before;
    if (mode === "circular") data[i] = first + ((((at - first) % kept) + kept) % kept);
    else if (mode === "replicate") data[i] = Math.min(Math.max(at, 0), size - 1);
    else data[i] = at < 0 ? -at : at >= size ? 2 * (size - 1) - at : at;
  }
  return new Tensor(new Storage(int64, data), [data.length]);
}

/** The tensor as [outer, size, inner] around one dimension. */
function around(x: Tensor, dim: number) {
  const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);
  return viewAs(x, [product(x.shape.slice(0, dim)), x.shape[dim]!, product(x.shape.slice(dim + 1))]);
}

function padFromInput(input: Tensor, { pads, mode }: PadAttrs): Tensor {
  let x = denseRaw(input);
  for (const pad of pads) {
    const index = sources(x.shape[pad.dim]!, pad, mode);
    const out = Tensor.empty(x.shape.with(pad.dim, index.shape[0]!), x.dtype);
    kernels.indexSelect(around(x, pad.dim), index.kernelView, around(out, pad.dim));
    x = out;
  }
  return x;
}

function addToInput(grad: Tensor, { shape, pads, mode }: PadAttrs): Tensor {
  let g = denseRaw(grad);
  for (const pad of pads.toReversed()) {
    const index = sources(shape[pad.dim]!, pad, mode);
    const out = filled(g.shape.with(pad.dim, shape[pad.dim]!), 0, g.dtype);
    kernels.indexAdd(around(out, pad.dim), index.kernelView, around(g, pad.dim));
    g = out;
  }
  return g;
}

export interface PadOptions {
  /** What the new cells hold: one value, or the input mirrored, its edge repeated, or its other end. Default "constant". */
  mode?: PadMode;
  /** The value for "constant". Default 0. */
  value?: number | null;
}

/**
 * More cells at the ends of the last dimensions; negative numbers cut cells off (mode "constant" only).
 *
 * @param pad pairs of cells before and after, the last dimension first: [left, right], [left, right, top, bottom], …
 * @throws RuntimeError when there is an odd number, or the input is too small for the mode
 */
export function pad(input: Tensor, pad: readonly number[], options?: PadOptions): Tensor;
export function pad(...args: unknown[]): Tensor {
  const {
    input,
    pad: sizes,
    mode = "constant",
    value,
  } = bind<{ input: Tensor; pad: readonly number[] } & PadOptions>("pad", ["!input", "!pad", "mode", "value"], args);
  assertTensor(input, "pad", "input", 1);
  assertInts(sizes, "pad", "pad", 2);
  if (value !== undefined && value !== null) assertNumber(value, "pad", "value", 4);
  if (sizes.length % 2 !== 0) throw new RuntimeError("Padding length must be divisible by 2");
  const axes = sizes.length / 2;
  if (axes > input.ndim) {
    throw new RuntimeError(
      `Padding length should be less than or equal to two times the input dimension but got padding length ${sizes.length} and input of dimension ${input.ndim}`,
    );
  }
  const pads = Array.from({ length: axes }, (_, i) => ({
    dim: input.ndim - 1 - i,
    before: sizes[2 * i]!,
    after: sizes[2 * i + 1]!,
  }));
  if (mode === "constant") checkCut(input, pads);
  else checkSource(input, pads, mode, value);
  return call(Pad, { shape: input.shape, pads, mode, value: value ?? 0 }, input);
}

function checkCut(input: Tensor, pads: readonly AxisPad[]): void {
  for (const { dim, before, after } of pads) {
    const size = input.shape[dim]!;
    if (size + Math.min(before, 0) + Math.min(after, 0) < 0)
      throw new RuntimeError("narrow(): length must be non-negative.");
    if (size + before + after < 0) {
      throw new RuntimeError(
        `The input size ${size}, plus negative padding ${before} and ${after} resulted in a negative output size, which is invalid. Check dimension ${dim} of your input.`,
        { shapes: [input.shape] },
      );
    }
  }
}

function checkSource(input: Tensor, pads: readonly AxisPad[], mode: PadMode, value?: number | null): void {
  if (value !== undefined && value !== null)
    throw new RuntimeError(`Padding mode "${mode}" doesn't take in value argument`);
  const axes = pads.length;
  if (!["reflect", "replicate", "circular"].includes(mode)) {
    throw new NotImplementedError(`Unrecognised padding mode ${mode}`);
  }
  if (axes < 1 || axes > 3 || (input.ndim !== axes + 1 && input.ndim !== axes + 2)) {
    throw new NotImplementedError(
      `Padding size ${2 * axes} is not supported for ${input.ndim}D input tensor.\n` +
        "Supported combinations for non-constant padding:\n" +
        "  - 2D or 3D input: padding size = 2 (pads last dimension)\n" +
        "  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)\n" +
        "  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)",
    );
  }
  const filledDims = input.ndim === axes + 2 ? input.shape.slice(1) : input.shape;
  if (mode !== "circular" && filledDims.includes(0)) {
    throw new RuntimeError(
      `Expected ${axes + 1}D or ${axes + 2}D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, but got: ${sizeText(input.shape)}`,
      { shapes: [input.shape] },
    );
  }
  pads.forEach(({ dim, before, after }, i) => {
    const size = input.shape[dim]!;
    if (mode === "reflect" && (before >= size || after >= size)) {
      throw new RuntimeError(
        `Argument #${4 + 2 * i}: Padding size should be less than the corresponding input dimension, but got: padding (${before}, ${after}) at dimension ${dim} of input ${sizeText(input.shape)}`,
        { shapes: [input.shape] },
      );
    }
    if (mode === "circular" && (before > size || after > size)) {
      throw new RuntimeError("Padding value causes wrapping around more than once.", { shapes: [input.shape] });
    }
    const left = size + before + after;
    if (mode === "circular" ? size + Math.min(before, 0) + Math.min(after, 0) <= 0 && size > 0 : left < 1) {
      throw new RuntimeError(
        mode === "circular"
          ? "Negative padding value is resulting in an empty dimension"
          : `input (W: ${size}) is too small. Calculated output W: ${left}`,
        { shapes: [input.shape] },
      );
    }
  });
  if (mode !== "circular" && input.dtype.name === "bool") {
    const kernel = mode === "reflect" ? "reflection" : "replication";
    throw new NotImplementedError(`"${kernel}_pad${axes}d" not implemented for 'Bool'`);
  }
}
