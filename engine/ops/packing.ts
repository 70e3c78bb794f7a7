/** Sequences of several lengths: padded to one, or step by step without padding. */
import { kernels } from "../backends/index.ts";
import type { Shape } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";
import { filled } from "./operands.ts";
import { call, defineOp, type Op } from "./registry.ts";
import { narrow, select } from "./slicing.ts";
import { transpose } from "./view.ts";

interface PackAttrs {
  /** How many sequences reach each step; they are the first of the batch. */
  batchSizes: readonly number[];
  /** [T, B, …] */
  padded: Shape;
  paddingValue: number;
}

/** Copies between the rows of a padded [T, B, …] tensor and the packed [Σ batchSizes, …] one, step by step. */
function copyRows(packed: Tensor, padded: Tensor, { batchSizes }: PackAttrs, packing: boolean): void {
  let row = 0;
  for (const [t, size] of batchSizes.entries()) {
    if (t === padded.shape[0]) break;
    const one = narrow(packed, 0, row, size).kernelView;
    const other = narrow(select(padded, 0, t), 0, 0, size).kernelView;
    if (packing) kernels.copy(other, one);
    else kernels.copy(one, other);
    row += size;
  }
}

const Pack: Op<PackAttrs> = defineOp({
  name: "_pack_padded_sequence",
  gradFn: "PackPaddedSequenceBackward0",
  kernels: ["copy"],
  forward({ attrs }, padded: Tensor) {
    const [length, , ...rest] = padded.shape as unknown as [number, number, ...number[]];
    const rows = attrs.batchSizes.slice(0, length).reduce((a, b) => a + b, 0);
    const out = Tensor.empty([rows, ...rest], padded.dtype);
    copyRows(out, padded.detach(), attrs, true);
    return out;
  },
  backward: ({ attrs }, grad: Tensor) => [call(Unpack, { ...attrs, paddingValue: 0 }, grad)],
});

const Unpack: Op<PackAttrs> = defineOp({
  name: "_pad_packed_sequence",
  gradFn: "CopySlices",
  kernels: ["copy", "fill"],
  forward({ attrs }, packed: Tensor) {
    const out = filled(attrs.padded, attrs.paddingValue, packed.dtype);
    copyRows(packed.detach(), out, attrs, false);
    return out;
  },
  backward: ({ attrs }, grad: Tensor) => [call(Pack, attrs, grad)],
});

/** [T, B, …] → the rows of all steps, one step after the other: [Σ batchSizes, …]. */
export function packRows(input: Tensor, batchSizes: readonly number[]): Tensor {
  return call(Pack, { batchSizes, padded: input.shape, paddingValue: 0 }, input);
}

/** [Σ batchSizes, …] → [T, B, …] */
export function unpackRows(data: Tensor, batchSizes: readonly number[], length: number, paddingValue: number): Tensor {
  const padded = [length, batchSizes[0]!, ...data.shape.slice(1)];
  return call(Unpack, { batchSizes, padded, paddingValue }, data);
}

interface PadAttrs {
  length: number;
  batchFirst: boolean;
  paddingValue: number;
  left: boolean;
}

function place(row: Tensor, size: number, left: boolean): Tensor {
  return narrow(row, 0, left ? row.shape[0]! - size : 0, size);
}

const PadSequence: Op<PadAttrs> = defineOp({
  name: "pad_sequence",
  gradFn: "CopySlices",
  kernels: ["copy", "fill"],
  forward(ctx, ...sequences: Tensor[]) {
    const { length, batchFirst, paddingValue, left } = ctx.attrs;
    const [first] = sequences as [Tensor];
    const rest = first.shape.slice(1);
    const count = sequences.length;
    const out = filled(batchFirst ? [count, length, ...rest] : [length, count, ...rest], paddingValue, first.dtype);
    const rows = batchFirst ? out : transpose(out, 0, 1);
    for (const [i, sequence] of sequences.entries()) {
      kernels.copy(sequence.kernelView, place(select(rows, 0, i), sequence.shape[0]!, left).kernelView);
    }
    ctx.notes = sequences.map((sequence) => sequence.shape[0]!);
    return out;
  },
  backward({ attrs: { batchFirst, left }, notes }, grad: Tensor) {
    const rows = batchFirst ? grad : transpose(grad, 0, 1);
    return (notes as number[]).map((size, i) => place(select(rows, 0, i), size, left));
  },
});

/** Sequences [L_i, …] → [max L, B, …], batch first [B, max L, …]. */
export function padded(sequences: readonly Tensor[], attrs: Omit<PadAttrs, "length">): Tensor {
  const length = Math.max(...sequences.map((sequence) => sequence.shape[0]!));
  return call(PadSequence, { ...attrs, length }, ...sequences);
}
