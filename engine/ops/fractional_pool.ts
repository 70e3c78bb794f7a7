/** Max pooling with windows at random steps. */

import { bind } from "../core/arguments.ts";
import { assertInts } from "../core/checks.ts";
import { int64 } from "../core/dtype.ts";
import { IndexError, RuntimeError, ValueError } from "../core/errors.ts";
import { numel, sizeText } from "../core/shape.ts";
import { assertTensor, Tensor } from "../core/tensor.ts";
import { Place } from "./adaptive_pool.ts";
import type { Size2 } from "./conv.ts";
import { denseRaw } from "./operands.ts";
import { rand } from "./random.ts";
import { call, callMany, defineOp, type Op } from "./registry.ts";

interface FractionalAttrs {
  kernel: readonly [number, number];
  out: readonly [number, number];
  /** [N, C, 2]: where the windows of each plane lie, across and down. */
  samples: Tensor;
}

/** Where each of `out` windows starts: at steps of one of two lengths, the last one at the end. */
function starts(sample: number, size: number, out: number, kernel: number, round: (x: number) => number): number[] {
  const alpha = round((size - kernel) / (out - 1));
  return Array.from({ length: out }, (_, i) =>
    i === out - 1 ? size - kernel : Math.trunc(round(round(i + sample) * alpha)) - Math.trunc(round(sample * alpha)),
  );
}

const FractionalMaxPool: Op<FractionalAttrs> = defineOp({
  name: "fractional_max_pool2d",
  gradFn: "FractionalMaxPool2DBackward0",
  kernels: [],
  forward(ctx, x: Tensor) {
    const {
      kernel: [kernelH, kernelW],
      out: [outH, outW],
      samples,
    } = ctx.attrs;
    const [h, w] = x.shape.slice(-2) as [number, number];
    const shape = [...x.shape.slice(0, -2), outH, outW];
    const out = Tensor.empty(shape, x.dtype);
    const indices = Tensor.empty(shape, int64);
    const from = denseRaw(x).denseData();
    const drawn = samples.denseData();
    const round = x.dtype.itemsize === 4 ? Math.fround : (value: number) => value;
    let at = 0;
    for (let plane = 0; plane < numel(x.shape.slice(0, -2)); plane++) {
      const columns = starts(drawn[2 * plane]!, w, outW, kernelW, round);
      const rows = starts(drawn[2 * plane + 1]!, h, outH, kernelH, round);
      for (const top of rows) {
        for (const left of columns) {
          let best = top * w + left;
          let value = Number.NEGATIVE_INFINITY;
          for (let y = top; y < top + kernelH; y++) {
            for (let c = left; c < left + kernelW; c++) {
              const candidate = from[plane * h * w + y * w + c]!;
              if (!(candidate > value || Number.isNaN(candidate))) continue;
              value = candidate;
              best = y * w + c;
            }
          }
          out.storage.data[at] = value;
          indices.storage.data[at++] = best;
        }
      }
    }
    ctx.save(indices, x);
    ctx.notes = [h, w];
    return [out, indices];
  },
  backward({ saved: [indices, x], notes }, grad: Tensor | null) {
    const attrs = { size: notes as [number, number], gradFn: "FractionalMaxPool2DBackwardBackward0" };
    return [grad ? call(Place, attrs, grad, indices!, x!) : null];
  },
});

export interface FractionalMaxPoolOptions {
  /** Height and width wanted; either this or outputRatio. Default null. */
  outputSize?: Size2 | null;
  /** The output's share of the input's size: [height, width]. Default null. */
  outputRatio?: readonly [number, number] | null;
  /** Gives [output, indices]. Default false. */
  returnIndices?: boolean;
  /** [N, C, 2] numbers in [0, 1) instead of random ones. Default null. */
  _randomSamples?: Tensor | null;
}

function pair(value: Size2, name: string): [number, number] {
  const sizes = typeof value === "object" && value !== null ? value : [value, value];
  assertInts(sizes, "fractional_max_pool2d", name, name === "kernel_size" ? 2 : 3);
  const [first, second, ...rest] = sizes;
  if (first === undefined || rest.length > 0) {
    throw new RuntimeError(`fractional_max_pool2d: ${name} must either be a single Int or tuple of Ints`);
  }
  return [first, second ?? first];
}

function checkSamples(samples: Tensor, input: Tensor): void {
  if (samples.dtype !== input.dtype) throw new RuntimeError("Expect _random_samples to have the same dtype as input");
  if (samples.ndim !== 3) {
    throw new RuntimeError(`Expect _random_samples to have 3 dimensions, got ${samples.ndim}`);
  }
  const [n, c, d] = samples.shape as unknown as [number, number, number];
  const batch = input.ndim === 3 ? 1 : input.shape[0]!;
  if (n < batch) throw new RuntimeError("Expect _random_samples.size(0) no less then input batch size.");
  if (c !== input.shape.at(-3)) throw new RuntimeError("Expect _random_samples.size(1) equals to input channel size.");
  if (d !== 2) throw new RuntimeError(`Expect _random_samples.size(2) equals to 2; got ${d}.`);
}

/**
 * Maxima of windows whose steps are drawn at random so that the output has the given size.
 *
 * @param input [N, C, H, W] or [C, H, W]
 * @returns [N, C, ...outputSize], with `returnIndices` and the winners' positions
 * @see https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.fractional_max_pool2d.html
 */
export function fractionalMaxPool2d(
  input: Tensor,
  kernelSize: Size2,
  options: FractionalMaxPoolOptions & { returnIndices: true },
): [Tensor, Tensor];
export function fractionalMaxPool2d(
  input: Tensor,
  kernelSize: Size2,
  options: FractionalMaxPoolOptions & { returnIndices?: false },
): Tensor;
export function fractionalMaxPool2d(...args: unknown[]): Tensor | [Tensor, Tensor] {
  const {
    input,
    kernelSize,
    outputSize = null,
    outputRatio = null,
    returnIndices = false,
    _randomSamples = null,
  } = bind<{ input: Tensor; kernelSize: Size2 } & FractionalMaxPoolOptions>(
    "fractional_max_pool2d",
    ["!input", "!kernelSize", "outputSize", "outputRatio", "returnIndices", "_randomSamples"],
    args,
  );
  assertTensor(input, "fractional_max_pool2d", "input", 1);
  if (outputSize === null && outputRatio === null) {
    throw new ValueError("fractional_max_pool2d requires specifying either an output_size or an output_ratio");
  }
  if (input.ndim < 3) {
    throw new IndexError(
      `Dimension out of range (expected to be in range of [${-input.ndim}, ${input.ndim - 1}], but got -3)`,
    );
  }
  const [c, h, w] = input.shape.slice(-3) as [number, number, number];
  const wanted = outputSize ?? [Math.trunc(h * outputRatio![0]), Math.trunc(w * outputRatio![1])];
  const batch = input.ndim === 3 ? 1 : input.shape[0]!;
  const samples = _randomSamples ?? rand([batch, c, 2], { dtype: input.dtype });
  const kernel = pair(kernelSize, "kernel_size");
  const out = pair(wanted, "output_size");
  checkSamples(samples, input);
  if (out.some((n) => n < 0)) {
    const shape = [...input.shape.slice(0, -2), ...out];
    throw new RuntimeError(
      `Trying to create tensor with negative dimension ${shape.find((n) => n < 0)}: ${sizeText(shape)}`,
    );
  }
  for (const [axis, side, size] of [
    [0, "height", h],
    [1, "width", w],
  ] as const) {
    if (out[axis] + kernel[axis] - 1 <= size) continue;
    throw new RuntimeError(
      `fractional_max_pool2d(): pool ${side} ${kernel[axis]} too large relative to input ${side} ${size}`,
      { shapes: [input.shape] },
    );
  }
  const both = callMany(FractionalMaxPool, { kernel, out, samples }, input) as [Tensor, Tensor];
  return returnIndices ? both : both[0];
}

/** `fractionalMaxPool2d` with the winners' positions. */
export function fractionalMaxPool2dWithIndices(
  input: Tensor,
  kernelSize: Size2,
  options: Omit<FractionalMaxPoolOptions, "returnIndices">,
): [Tensor, Tensor] {
  return fractionalMaxPool2d(input, kernelSize, { ...options, returnIndices: true });
}
