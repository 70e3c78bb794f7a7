/** Matrices made of diagonals and blocks. */

import { kernels } from "../backends/index.ts";
import { bind } from "../core/arguments.ts";
import { RuntimeError } from "../core/errors.ts";
import { getDefaultDtype, resultType } from "../core/promotion.ts";
import { normalizeDim } from "../core/shape.ts";
import { checked } from "../core/signature.ts";
import { assertTensor, type Tensor } from "../core/tensor.ts";
import { castRaw, filled } from "./operands.ts";
import { call, defineOp, type Method, methods, type Op } from "./registry.ts";
import { diagonal, diagonalCopy, narrow, sliceRaw } from "./slicing.ts";
import { reshape } from "./view.ts";

interface DiagonalPlace {
  offset: number;
  dim1: number;
  dim2: number;
}

const DiagEmbed: Op<DiagonalPlace> = defineOp({
  name: "diag_embed",
  gradFn: "DiagEmbedBackward0",
  kernels: ["copy"],
  forward({ attrs: { offset, dim1, dim2 } }, x: Tensor) {
    const width = x.shape.at(-1)! + Math.abs(offset);
    const [first, second] = [Math.min(dim1, dim2), Math.max(dim1, dim2)];
    const shape = x.shape.slice(0, -1).toSpliced(first, 0, width).toSpliced(second, 0, width);
    const out = filled(shape, 0, x.dtype);
    kernels.copy(x.kernelView, diagonal(out, offset, dim1, dim2).kernelView);
    return out;
  },
  backward: ({ attrs: { offset, dim1, dim2 } }, grad: Tensor) => [diagonal(grad, offset, dim1, dim2)],
});

/** A vector as the diagonal of a matrix, or a matrix's diagonal as a vector. https://docs.pytorch.org/docs/2.13/generated/torch.diag.html */
export const diag = checked<(input: Tensor, diagonal?: number | { diagonal?: number }) => Tensor>(
  "diag(Tensor input, int diagonal?)",
  (input: Tensor, diagonal: number = 0): Tensor => {
    if (input.ndim === 2) return diagonalCopy(input, diagonal);
    if (input.ndim !== 1) {
      throw new RuntimeError(`diag(): Supports 1D or 2D tensors. Got ${input.ndim}D`, { shapes: [input.shape] });
    }
    return call(DiagEmbed, { offset: diagonal, dim1: 0, dim2: 1 }, input);
  },
);

/** All elements as the diagonal of a matrix. https://docs.pytorch.org/docs/2.13/generated/torch.diagflat.html */
export const diagflat = checked<(input: Tensor, offset?: number | { offset?: number }) => Tensor>(
  "diagflat(Tensor input, int offset?)",
  (input: Tensor, offset: number = 0): Tensor => diag(reshape(input.contiguous(), -1), offset),
);

export interface DiagEmbedOptions {
  /** Above the main diagonal for positive numbers. Default 0. */
  offset?: number;
  /** The matrices' first dimension in the result. Default -2. */
  dim1?: number;
  /** Their second one. Default -1. */
  dim2?: number;
}

/** The last dimension as the diagonals of matrices: [..., n] → [..., n, n]. https://docs.pytorch.org/docs/2.13/generated/torch.diag_embed.html */
export function diagEmbed(
  input: Tensor,
  offset?: number | DiagEmbedOptions,
  dim1?: number | DiagEmbedOptions,
  dim2?: number | DiagEmbedOptions,
): Tensor;
export function diagEmbed(...args: unknown[]): Tensor {
  const {
    input,
    offset = 0,
    dim1 = -2,
    dim2 = -1,
  } = bind<{ input: Tensor } & DiagEmbedOptions>("diag_embed", ["!input", "offset", "dim1", "dim2"], args);
  assertTensor(input, "diag_embed", "input", 1);
  const [first, second] = [normalizeDim(dim1, input.ndim + 1), normalizeDim(dim2, input.ndim + 1)];
  if (first === second) throw new RuntimeError(`diagonal dimensions cannot be identical ${dim1}, ${dim2}`);
  return call(DiagEmbed, { offset, dim1: first, dim2: second }, input);
}

const BlockDiag: Op<null> = defineOp({
  name: "block_diag",
  gradFn: "BlockDiagBackward0",
  kernels: ["copy"],
  forward(ctx, ...blocks: Tensor[]) {
    ctx.notes = blocks.map((block) => [...block.shape]);
    const sizes = blocks.map((block) => asMatrix(block.shape));
    const total = (d: 0 | 1) => sizes.reduce((sum, size) => sum + size[d], 0);
    const dtype = resultType(...blocks);
    const out = filled([total(0), total(1)], 0, dtype);
    let [row, column] = [0, 0];
    for (const [i, block] of blocks.entries()) {
      const [height, width] = sizes[i]!;
      const place = sliceRaw(sliceRaw(out, 0, row, height, 1), 1, column, width, 1);
      kernels.copy(reshape(castRaw(block.detach(), dtype), height, width).kernelView, place.kernelView);
      [row, column] = [row + height, column + width];
    }
    return out;
  },
  backward({ notes }, grad: Tensor) {
    let [row, column] = [0, 0];
    return (notes as number[][]).map((shape) => {
      const [height, width] = asMatrix(shape);
      const part = narrow(narrow(grad, 0, row, height), 1, column, width);
      [row, column] = [row + height, column + width];
      return reshape(part, shape);
    });
  },
});

function asMatrix(shape: readonly number[]): [height: number, width: number] {
  return [shape.length === 2 ? shape[0]! : 1, shape.at(-1) ?? 1];
}

/** Tensors of at most two dimensions along the diagonal of a matrix, zeros elsewhere. https://docs.pytorch.org/docs/2.13/generated/torch.block_diag.html */
export function blockDiag(...tensors: Tensor[]): Tensor {
  if (tensors.length === 0) return filled([1, 0], 0, getDefaultDtype());
  for (const [i, block] of tensors.entries()) {
    assertTensor(block, "block_diag", "tensors", i + 1);
    if (block.ndim > 2) {
      throw new RuntimeError(
        `torch.block_diag: Input tensors must have 2 or fewer dimensions. Input ${i} has ${block.ndim} dimensions`,
      );
    }
  }
  return call(BlockDiag, null, ...tensors);
}

methods({ diag, diagflat, diagEmbed });

declare module "../core/tensor.ts" {
  interface Tensor {
    /** A vector's square matrix, or a matrix's diagonal; `diagonal` default 0, above it for positive numbers. */
    diag(diagonal?: number): Tensor;
    /** All elements as the diagonal of a matrix; `offset` default 0, above the main one for positive numbers. */
    diagflat(offset?: number): Tensor;
    /** The last dimension as the diagonals of matrices. */
    diagEmbed: Method<typeof diagEmbed>;
  }
}
