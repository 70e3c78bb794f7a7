/** What pooling refuses, in the order in which PyTorch looks at its arguments. */
import { IndexError, NotImplementedError, RuntimeError } from "../core/errors.ts";
import { SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { numel, sizeText } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";
import { poolOutputSize } from "../core/window.ts";
import type { Size2 } from "./conv.ts";
import type { PoolArguments } from "./pool.ts";

function imageHint(axes: 1 | 2): string | undefined {
  return axes === 2
    ? "images are [batch, channels, height, width]: reshape(1, 1, height, width) adds the missing ones"
    : undefined;
}

/** @throws RuntimeError or IndexError for an input of another rank. */
export function checkPoolRank(name: string, axes: 1 | 2, input: Tensor): void {
  if (input.ndim === axes + 1 || input.ndim === axes + 2) return;
  const details = { shapes: [input.shape], hint: imageHint(axes) };
  if (axes === 1) {
    throw new RuntimeError(
      `Expected 2 to 3 dimensions, but got ${input.ndim}-dimensional tensor for argument #1 'self' (while checking arguments for ${name})`,
      details,
    );
  }
  if (name === "max_pool2d") {
    throw new RuntimeError("non-empty 3D or 4D (batch mode) tensor expected for input", details);
  }
  if (input.ndim > 4) {
    throw new RuntimeError(
      `Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but got:${sizeText(input.shape)}`,
      details,
    );
  }
  const range = Math.max(input.ndim, 1);
  throw new IndexError(
    `Dimension out of range (expected to be in range of [${-range}, ${range - 1}], but got -3)`,
    details,
  );
}

interface Window {
  kernelSize: [number, number];
  stride: [number, number];
  padding: [number, number];
  dilation: [number, number];
}

/** @throws RuntimeError for a window that cannot slide, or more padding than it covers. */
export function checkPoolWindow({ kernelSize, stride, padding, dilation }: Window): void {
  for (const [i, pad] of padding.entries()) {
    const [k, d] = [kernelSize[i]!, dilation[i]!];
    if (stride[i] === 0) throw new RuntimeError("stride should not be zero");
    if (pad < 0) throw new RuntimeError(`pad must be non-negative, but got pad: ${pad}`);
    if (pad > Math.trunc((d * (k - 1) + 1) / 2)) {
      throw new RuntimeError(
        `pad should be at most half of effective kernel size, but got pad=${pad}, kernel_size=${k} and dilation=${d}`,
      );
    }
  }
  if (kernelSize.some((k) => k <= 0)) {
    throw new RuntimeError(
      `kernel size should be greater than zero, but got kH: ${kernelSize[0]} kW: ${kernelSize[1]}`,
    );
  }
  if (stride.some((s) => s < 0)) {
    throw new RuntimeError(`stride should be greater than zero, but got dH: ${stride[0]} dW: ${stride[1]}`);
  }
  if (dilation.some((d) => d <= 0)) {
    throw new RuntimeError(
      `dilation should be greater than zero, but got dilationH: ${dilation[0]} dilationW: ${dilation[1]}`,
    );
  }
}

/** @throws RuntimeError when any axis but the batch has no length. */
export function checkPoolNotEmpty(axes: 1 | 2, input: Tensor): void {
  if (numel(input.shape.slice(input.ndim - axes - 1)) > 0) return;
  const shape = axes === 2 ? input.shape : input.shape.toSpliced(-1, 0, 1);
  throw new RuntimeError(
    `Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but got:${sizeText(shape)}`,
    { shapes: [input.shape], hint: imageHint(axes) },
  );
}

/** @throws NotImplementedError for dtypes that PyTorch has no kernel for. */
export function checkPoolDtype(name: string, { dtype }: Tensor): void {
  const maximum = name.startsWith("max");
  if (maximum ? dtype.name !== "bool" : dtype.isFloatingPoint || dtype.name === "int64") return;
  throw new NotImplementedError(
    `"${maximum ? "max_pool2d" : "avg_pool2d"}" not implemented for '${SCALAR_TYPE_NAMES[dtype.name]}'`,
  );
}

/** max_pool1d without indices is an operation of its own in PyTorch, with its own words. */
export function checkMaxPool1d({ input, kernelSize, stride, padding, dilation, ceilMode }: PoolArguments): void {
  const { shape, ndim } = input;
  if ((ndim !== 2 && ndim !== 3) || numel(shape.slice(-2)) === 0) {
    throw new RuntimeError(
      `max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but got:${sizeText(shape)}`,
      { shapes: [shape] },
    );
  }
  const one = (argument: string, value: Size2, kinds: string) => {
    if (!Array.isArray(value)) return value as number;
    if (value.length === 1) return value[0] as number;
    throw new RuntimeError(`max_pool1d() ${argument} must be ${kinds} of size 1 but got size ${value.length}`);
  };
  const k = one("kernel_size", kernelSize, "an int, list of ints or tuple of ints");
  const omitted = stride === null || stride === undefined || (Array.isArray(stride) && stride.length === 0);
  const s = omitted ? k : one("stride", stride, "None, an int, list of ints, or tuple of ints");
  const p = one("padding", padding ?? 0, "an int, list of ints, or tuple of ints");
  const d = one("dilation", dilation ?? 1, "an int, list of ints or tuple of ints");
  if (k <= 0) throw new RuntimeError(`max_pool1d() kernel_size must be greater than zero, but got ${k}`);
  if (s <= 0) throw new RuntimeError(`max_pool1d() stride must be greater than zero, but got ${s}`);
  if (p < 0) throw new RuntimeError(`max_pool1d() padding must be non-negative, but got ${p}`);
  if (p > Math.floor(k / 2)) {
    throw new RuntimeError(
      `max_pool1d() padding should be at most half of kernel size, but got padding=${p} and kernel_size=${k}`,
    );
  }
  if (d <= 0) throw new RuntimeError(`max_pool1d() dilation must be greater than zero, but got ${d}`);
  const length = poolOutputSize(shape[ndim - 1]!, k, s, p, d, ceilMode ?? false);
  if (length <= 0) throw new RuntimeError(`max_pool1d() Invalid computed output size: ${length}`);
  if (!input.dtype.isFloatingPoint) {
    throw new NotImplementedError(`"max_pool1d_impl" not implemented for '${SCALAR_TYPE_NAMES[input.dtype.name]}'`);
  }
}
