/** Sums, means and maxima of bags of embeddings. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.embedding_bag.html */
import { noGrad } from "../autograd/mode.ts";
import { TYPE_NAMES } from "../autograd/node.ts";
import { bind } from "../core/arguments.ts";
import { type DType, int64 } from "../core/dtype.ts";
import { NotImplementedError, RuntimeError, ValueError } from "../core/errors.ts";
import { sameShape } from "../core/shape.ts";
import { assertTensor, Tensor } from "../core/tensor.ts";
import { clamp, mul, where } from "./arithmetic.ts";
import { ge } from "./comparison.ts";
import { Embedding, EmbeddingGrad, shorten } from "./embedding.ts";
import { indexSelect } from "./gathering.ts";
import { filled } from "./operands.ts";
import { sum } from "./reduce.ts";
import { call, defineOp, type Op } from "./registry.ts";
import { indexAdd, scatterAdd } from "./scattering.ts";
import { reshape, unsqueeze } from "./view.ts";

export type EmbeddingBagMode = "sum" | "mean" | "max";

interface BagAttrs {
  mode: EmbeddingBagMode;
  /** What the gradient of each entry is multiplied by, [K, 1]; null for 1. */
  frequency: Tensor | null;
  rows: number;
  /** Of the entries that count (not padding): the row, the bag, and the place in the input. int64 [K]. */
  indices: Tensor;
  bags: Tensor;
  places: Tensor;
  bagCount: number;
  entries: number;
  /** 1 / entries of each bag, [bagCount, 1]; null where nothing is divided. */
  share: Tensor | null;
}

/** The row of the table that won each number of each bag, and whether the bag has any. */
interface Winners {
  rows: Tensor;
  filled: Tensor;
}

const Bag: Op<BagAttrs> = defineOp({
  name: "_embedding_bag",
  gradFn: "EmbeddingBagBackward0",
  kernels: ["indexSelect"],
  forward(ctx, weight: Tensor, perSample: Tensor | null) {
    const { mode, share, bagCount, bags, places } = ctx.attrs;
    ctx.save(weight, perSample);
    if (mode === "max") return largest(ctx, weight);
    const looked = rowsOf(ctx.attrs, weight.detach());
    const weighed = perSample ? mul(looked, unsqueeze(indexSelect(perSample.detach(), 0, places), -1)) : looked;
    const summed = indexAdd(filled([bagCount, weight.shape[1]!], 0, weight.dtype), 0, bags, weighed);
    return share ? mul(summed, share) : summed;
  },
  backward(ctx, grad: Tensor) {
    const { attrs } = ctx;
    const { mode, share, bags, bagCount, places, entries, rows } = attrs;
    const [weight, perSample] = ctx.saved;
    if (mode === "max") {
      const winners = ctx.notes as Winners;
      const fromBags = where(winners.filled, grad, 0);
      return [scatterAdd(filled(weight!.shape, 0, grad.dtype), 0, winners.rows, fromBags), null];
    }
    const scaled = share ? mul(grad, share) : grad;
    const spread = call(Embedding, { indices: bags, paddingIdx: -1, scaleGradByFreq: false, rows: bagCount }, scaled);
    const weighed = perSample ? mul(spread, unsqueeze(indexSelect(perSample, 0, places), -1)) : spread;
    const { indices, frequency } = attrs;
    const counted = frequency ? mul(weighed, frequency) : weighed;
    const toWeight = ctx.needs[0]
      ? call(EmbeddingGrad, { indices, paddingIdx: -1, scaleGradByFreq: false, rows }, counted)
      : null;
    const toSamples =
      perSample && ctx.needs[1]
        ? indexAdd(filled([entries], 0, grad.dtype), 0, places, sum(mul(spread, rowsOf(attrs, weight!)), -1))
        : null;
    return [toWeight, toSamples];
  },
});

function rowsOf({ indices, rows }: BagAttrs, weight: Tensor): Tensor {
  return call(Embedding, { indices, paddingIdx: -1, scaleGradByFreq: false, rows }, weight);
}

function largest(ctx: { attrs: BagAttrs; notes: unknown }, weight: Tensor): Tensor {
  const { bagCount, indices, bags } = ctx.attrs;
  const width = weight.shape[1]!;
  const out = filled([bagCount, width], 0, weight.dtype, weight.device);
  const winners = filled([bagCount, width], -1, int64, weight.device);
  const table = weight.denseData();
  const bagOf = bags.denseData();
  indices.denseData().forEach((row, k) => {
    for (let d = 0; d < width; d++) {
      const at = bagOf[k]! * width + d;
      const value = table[row * width + d]!;
      if (winners.storage.data[at]! >= 0 && !(value > out.storage.data[at]!)) continue;
      out.storage.data[at] = value;
      winners.storage.data[at] = row;
    }
  });
  ctx.notes = { rows: clamp(winners, 0), filled: ge(winners, 0) } satisfies Winners;
  return out;
}

export interface EmbeddingBagOptions {
  /** Where each bag starts in a one-dimensional input, [B]. Default null. */
  offsets?: Tensor | null;
  /** Rows that are read are shortened, in place, to this norm. Default none. */
  maxNorm?: number | null;
  /** Exponent of that norm. Default 2. */
  normType?: number;
  /** Divides gradients by how often a row was read; not for "max". Default false. */
  scaleGradByFreq?: boolean;
  /** How a bag becomes one row. Default "mean". */
  mode?: EmbeddingBagMode;
  /** Accepted for PyTorch's sake: gradients here are dense. Default false. */
  sparse?: boolean;
  /** Factor of each entry, of the input's shape; "sum" only. Default null. */
  perSampleWeights?: Tensor | null;
  /** Whether the last offset is the end of the last bag instead of the start of one more. Default false. */
  includeLastOffset?: boolean;
  /** Entries of this row don't count. Default none. */
  paddingIdx?: number | null;
}

interface BagArguments extends EmbeddingBagOptions {
  input: Tensor;
  weight: Tensor;
}

function checkIndices(x: Tensor, name: string, position: number): void {
  if (x.dtype === int64 || x.dtype.name === "int32") return;
  throw new RuntimeError(
    `Expected tensor for argument #${position} '${name}' to have one of the following scalar types: Long, Int; but got torch.${TYPE_NAMES[x.dtype.name]} instead (while checking arguments for embedding_bag)`,
  );
}

/** Where each bag starts, and the end of the last. */
function boundaries({ input, offsets, includeLastOffset = false }: BagArguments): number[] {
  const count = input.numel();
  if (input.ndim === 2) {
    if (offsets) {
      throw new ValueError(
        "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length sequences. However, found offsets of type <class 'torch.Tensor'>",
      );
    }
    const [bags = 0, length = 0] = input.shape;
    return Array.from({ length: bags + 1 }, (_, i) => i * length);
  }
  if (input.ndim !== 1) {
    throw new ValueError(`input has to be 1D or 2D Tensor, but got Tensor of dimension ${input.ndim}`);
  }
  if (!offsets) throw new ValueError("offsets has to be a 1D Tensor but got None");
  if (offsets.ndim !== 1) throw new ValueError("offsets has to be a 1D Tensor");
  checkIndices(input, "indices", 1);
  checkIndices(offsets, "offsets", 1);
  const given = Array.from(offsets.denseData());
  if (includeLastOffset && given.length === 0) {
    throw new RuntimeError("include_last_offset: number of offset should be at least 1");
  }
  if (given.length > 0 && given[0] !== 0) {
    throw new RuntimeError(
      `offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, got ${given[0]}`,
    );
  }
  const last = given.at(-1) ?? 0;
  if (last > count) {
    throw new RuntimeError(
      `offsets[-1] can not be greater than input's length ${count} but got offsets[-1] of ${last}`,
    );
  }
  return includeLastOffset ? given : [...given, count];
}

const PARAMS = [
  "!input",
  "!weight",
  "offsets",
  "maxNorm",
  "normType",
  "scaleGradByFreq",
  "mode",
  "sparse",
  "perSampleWeights",
  "includeLastOffset",
  "paddingIdx",
];

/**
 * Rows of `weight` by index, those of each bag made into one.
 *
 * @param input indices [B, L], B bags of L, or [K] cut into bags by `offsets`
 * @param weight [rows, width]
 * @returns [B, width]; zeros for an empty bag
 * @throws ValueError for an input of other dimensions or a wrong combination of options
 * @see https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.embedding_bag.html
 */
export function embeddingBag(input: Tensor, weight: Tensor, options?: EmbeddingBagOptions): Tensor;
export function embeddingBag(...args: unknown[]): Tensor {
  const bound = bind<BagArguments>("embedding_bag", PARAMS, args);
  const { input, weight, maxNorm = null, normType = 2, scaleGradByFreq = false, mode = "mean" } = bound;
  const { perSampleWeights = null, paddingIdx = null } = bound;
  assertTensor(input, "embedding_bag", "input", 1);
  assertTensor(weight, "embedding_bag", "weight", 2);
  if (perSampleWeights && !sameShape(perSampleWeights.shape, input.shape)) {
    throw new ValueError(
      `embedding_bag: If per_sample_weights (${perSampleWeights.shape}) is not None, then it must have the same shape as the input (${input.shape})`,
    );
  }
  const starts = boundaries(bound);
  if (mode !== "sum" && mode !== "mean" && mode !== "max") {
    throw new ValueError("mode has to be one of sum, mean or max");
  }
  if (mode === "max" && scaleGradByFreq) {
    throw new ValueError("max mode does not support scaling the gradient by the frequency");
  }
  if (mode === "max" && bound.sparse) throw new ValueError("max mode does not support sparse weights");
  if (maxNorm !== null) noGrad(() => shorten(weight, input, maxNorm, normType));
  checkIndices(input, "indices", 1);
  const rows = weight.shape[0]!;
  const padding = paddingRow(paddingIdx, rows);
  const read = Array.from(input.denseData());
  const outside = read.find((row) => row < 0 || row >= rows);
  if (outside !== undefined) {
    throw new RuntimeError(`embedding_bag: Expected idx >= 0 && idx < num_embeddings but found idx to be ${outside}`);
  }
  if (perSampleWeights && mode !== "sum") {
    throw new NotImplementedError(
      `embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' (got mode='${mode}'). Please open a feature request on GitHub.`,
    );
  }
  const bagCount = starts.length - 1;
  const indices: number[] = [];
  const bags: number[] = [];
  const places: number[] = [];
  const share = filled([bagCount, 1], 0, weight.dtype, weight.device);
  for (let bag = 0; bag < bagCount; bag++) {
    const before = indices.length;
    for (let place = starts[bag]!; place < starts[bag + 1]!; place++) {
      if (read[place] === padding) continue;
      indices.push(read[place]!);
      bags.push(bag);
      places.push(place);
    }
    share.storage.data[bag] = 1 / Math.max(1, indices.length - before);
  }
  const attrs: BagAttrs = {
    mode,
    frequency: scaleGradByFreq ? frequencies(indices, read, weight.dtype) : null,
    rows,
    indices: integers(indices),
    bags: integers(bags),
    places: integers(places),
    bagCount,
    entries: read.length,
    share: mode === "mean" ? share : null,
  };
  return call(Bag, attrs, weight, perSampleWeights ? reshape(perSampleWeights, [-1]) : null);
}

/**
 * One over how often each entry's row was read, as PyTorch counts it: of the k-th distinct row, in ascending order, it
 * takes the count of the k-th entry in that order, whichever row that is.
 */
function frequencies(indices: readonly number[], read: readonly number[], dtype: DType): Tensor {
  const sorted = read.toSorted((a, b) => a - b);
  const counts = new Map<number, number>();
  for (const row of sorted) counts.set(row, (counts.get(row) ?? 0) + 1);
  const taken = new Map([...counts.keys()].map((row, k) => [row, counts.get(sorted[k]!)!]));
  const out = Tensor.empty([indices.length, 1], dtype);
  indices.forEach((row, i) => {
    out.storage.data[i] = 1 / taken.get(row)!;
  });
  return out;
}

/** @throws RuntimeError for a row that does not exist */
function paddingRow(paddingIdx: number | null, rows: number): number | null {
  if (paddingIdx === null) return null;
  if (paddingIdx < -rows || paddingIdx >= rows) {
    throw new RuntimeError(
      `padding_idx must be within the number of embeddings, ${-rows} through ${rows - 1}, but got ${paddingIdx}`,
    );
  }
  return paddingIdx < 0 ? paddingIdx + rows : paddingIdx;
}

function integers(values: readonly number[]): Tensor {
  const out = Tensor.empty([values.length], int64);
  values.forEach((value, i) => {
    out.storage.data[i] = value;
  });
  return out;
}
