/** Rows of a table by index, and one-hot vectors. */

import { noGrad } from "../autograd/mode.ts";
import { TYPE_NAMES } from "../autograd/node.ts";
import { kernels } from "../backends/index.ts";
import { bind } from "../core/arguments.ts";
import { assertNumber } from "../core/checks.ts";
import { int64 } from "../core/dtype.ts";
import { AssertionError, IndexError, RuntimeError } from "../core/errors.ts";
import { assertTensor, Tensor } from "../core/tensor.ts";
import { where } from "./arithmetic.ts";
import { eq } from "./comparison.ts";
import { firstOutside } from "./index_check.ts";
import { goesByKernels } from "./linear_map.ts";
import { castRaw, denseRaw, filled, viewAs } from "./operands.ts";
import { call, defineOp, type Op } from "./registry.ts";
import { vectorNorm } from "./statistics.ts";
import { unsqueeze } from "./view.ts";

interface EmbeddingAttrs {
  /** int64, any shape. */
  indices: Tensor;
  /** The row that gets no gradient, -1 for none. */
  paddingIdx: number;
  /** Divides each row's gradient by how often the row was read. */
  scaleGradByFreq: boolean;
  rows: number;
}

export const Embedding: Op<EmbeddingAttrs> = defineOp({
  name: "embedding",
  gradFn: "EmbeddingBackward0",
  kernels: ["indexSelect"],
  forward(ctx, weight: Tensor) {
    const { indices, rows } = ctx.attrs;
    const width = weight.shape[1]!;
    const count = indices.numel();
    const out = Tensor.empty([...indices.shape, width], weight.dtype);
    kernels.indexSelect(
      viewAs(denseRaw(weight), [1, rows, width]),
      viewAs(denseRaw(indices), [count]),
      viewAs(out, [1, count, width]),
    );
    return out;
  },
  backward: ({ attrs }, grad: Tensor) => [call(EmbeddingGrad, attrs, grad)],
});

export const EmbeddingGrad: Op<EmbeddingAttrs> = defineOp({
  name: "embedding_dense_backward",
  gradFn: "EmbeddingDenseBackwardBackward0",
  kernels: ["indexAdd", "where"],
  forward({ attrs }, grad: Tensor) {
    const { indices, rows } = attrs;
    const width = grad.shape[grad.ndim - 1]!;
    const count = indices.numel();
    const out = filled([rows, width], 0, grad.dtype);
    kernels.indexAdd(
      viewAs(out, [1, rows, width]),
      viewAs(denseRaw(indices), [count]),
      viewAs(denseRaw(weighted(grad.detach(), attrs)), [1, count, width]),
    );
    return out;
  },
  // Frequencies are not in PyTorch's second derivative.
  backward: ({ attrs }, grad: Tensor) => [weighted(call(Embedding, attrs, grad), { ...attrs, scaleGradByFreq: false })],
});

/** Rows as they count in the gradient: none of the padding, shares of those that were read often. */
function weighted(rows: Tensor, { indices, paddingIdx, scaleGradByFreq }: EmbeddingAttrs): Tensor {
  let kept = rows;
  if (scaleGradByFreq) {
    const counts = new Map<number, number>();
    const read = indices.denseData();
    for (const index of read) counts.set(index, (counts.get(index) ?? 0) + 1);
    const frequency = Tensor.empty(indices.shape, rows.dtype);
    read.forEach((index, i) => {
      frequency.storage.data[i] = counts.get(index)!;
    });
    kept = kept.div(unsqueeze(frequency, -1));
  }
  return paddingIdx >= 0 ? where(unsqueeze(eq(indices, paddingIdx), -1), 0, kept) : kept;
}

export interface EmbeddingOptions {
  /** The row that gets no gradient; from the end when negative. Default none. */
  paddingIdx?: number | null;
  /** Rows that are read are shortened, in place, to this norm. Default none. */
  maxNorm?: number | null;
  /** Exponent of that norm. Default 2. */
  normType?: number;
  /** Divides gradients by how often a row was read. Default false. */
  scaleGradByFreq?: boolean;
  /** Accepted for PyTorch's sake: gradients here are dense. Default false. */
  sparse?: boolean;
}

/**
 * Rows of `weight` by index.
 *
 * @param input int64 or int32 indices, any shape
 * @param weight [rows, width]
 * @returns [...input.shape, width]
 * @throws IndexError for an index out of range
 * @see https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.embedding.html
 */
export function embedding(input: Tensor, weight: Tensor, options?: EmbeddingOptions): Tensor;
export function embedding(...args: unknown[]): Tensor {
  const {
    input,
    weight,
    paddingIdx = null,
    maxNorm = null,
    normType = 2,
    scaleGradByFreq = false,
  } = bind<{ input: Tensor; weight: Tensor } & EmbeddingOptions>(
    "embedding",
    ["!input", "!weight", "paddingIdx", "maxNorm", "normType", "scaleGradByFreq", "sparse"],
    args,
  );
  // PyTorch's kernel takes the rows first.
  assertTensor(weight, "embedding", "weight", 1);
  assertTensor(input, "embedding", "indices", 2);
  const rows = weight.shape[0] ?? 0;
  let padding = -1;
  if (paddingIdx !== null) {
    if (paddingIdx >= rows || paddingIdx < -rows) {
      throw new AssertionError("Padding_idx must be within num_embeddings");
    }
    padding = paddingIdx < 0 ? rows + paddingIdx : paddingIdx;
  }
  if (weight.ndim !== 2) throw new RuntimeError("'weight' must be 2-D", { shapes: [weight.shape] });
  if (input.dtype !== int64 && input.dtype.name !== "int32") {
    throw new RuntimeError(
      `Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got torch.${TYPE_NAMES[input.dtype.name]} instead (while checking arguments for embedding)`,
      { hint: "indices are integers: input.long()" },
    );
  }
  if (rows === 0 && input.numel() > 0) {
    throw new RuntimeError("index_select(): self indexing axis dim should be positive");
  }
  if (!isKnownBelow(input, rows) || !goesByKernels(weight)) checkRows(input, rows);
  if (maxNorm !== null) assertNumber(maxNorm, "embedding_renorm_", "max_norm", 3);
  if (maxNorm !== null) noGrad(() => shorten(weight, input, maxNorm, normType));
  const indices = castRaw(input, int64);
  return call(Embedding, { indices, paddingIdx: padding, scaleGradByFreq, rows }, weight);
}

/** Of indices on a device it may be known that none is too large. A negative one shows as NaN there. */
function isKnownBelow({ storage }: Tensor, rows: number): boolean {
  return !storage.isAtHand && (storage.deviceMemory()?.limit ?? rows) < rows;
}

function checkRows(input: Tensor, rows: number): void {
  if (firstOutside(input, rows) !== null) throw new IndexError("index out of range in self");
}

/** Shortens the rows that are read and longer than maxNorm. */
export function shorten(weight: Tensor, input: Tensor, maxNorm: number, normType: number): void {
  for (const index of new Set(input.denseData())) {
    const row = weight.select(0, index);
    const norm = vectorNorm(row, normType).item();
    if (norm > maxNorm) row.mul_(maxNorm / (norm + 1e-7));
  }
}

export interface OneHotOptions {
  /** Length of the vectors; -1: one more than the largest class. Default -1. */
  numClasses?: number;
}

/**
 * Class indices as vectors of zeros with a one at the class: int64 [...] → [..., numClasses].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.one_hot.html
 */
export function oneHot(tensor: Tensor, numClasses?: number | OneHotOptions): Tensor;
export function oneHot(...args: unknown[]): Tensor {
  const bound = bind<{ tensor: Tensor } & OneHotOptions>("one_hot", ["!tensor", "numClasses: int"], args);
  const { tensor, numClasses = -1 } = bound;
  assertTensor(tensor, "one_hot", "tensor", 1);
  if (tensor.dtype !== int64) {
    throw new RuntimeError("one_hot is only applicable to index tensor of type LongTensor.");
  }
  const classes = tensor.denseData();
  if (classes.length === 0) {
    if (numClasses <= 0) throw new RuntimeError("Can not infer total number of classes from empty tensor.");
    return Tensor.empty([...tensor.shape, numClasses], int64, tensor.device);
  }
  let largest = 0;
  for (const index of classes) {
    if (index < 0) throw new RuntimeError("Class values must be non-negative.");
    largest = Math.max(largest, index);
  }
  if (numClasses !== -1) {
    if (largest >= numClasses) throw new RuntimeError("Class values must be smaller than num_classes.");
  }
  const width = numClasses === -1 ? largest + 1 : numClasses;
  const out = Tensor.empty([...tensor.shape, width], int64, tensor.device);
  classes.forEach((index, i) => {
    out.storage.data[i * width + index] = 1;
  });
  return out;
}
