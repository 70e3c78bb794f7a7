/**
 * `torch.nn.utils.rnn`: sequences of several lengths, padded and packed.
 * https://docs.pytorch.org/docs/2.13/nn.html#utilities
 */
import { bind } from "../core/arguments.ts";
import { int64 } from "../core/dtype.ts";
import { RuntimeError, TypeError, ValueError } from "../core/errors.ts";
import { normalizeDim, sameShape } from "../core/shape.ts";
import { pythonTypeName, Tensor } from "../core/tensor.ts";
import { arange, tensor } from "../ops/creation.ts";
import { indexSelect } from "../ops/gathering.ts";
import { packRows, padded, unpackRows } from "../ops/packing.ts";
import { sort } from "../ops/sorting.ts";
import { expand, transpose } from "../ops/view.ts";
import { PackedSequence } from "./packed_sequence.ts";

export { invertPermutation, PackedSequence } from "./packed_sequence.ts";

export interface PadSequenceOptions {
  /** [N, L, *] instead of [L, N, *]. Default false. */
  batchFirst?: boolean;
  /** What fills the shorter sequences up. Default 0. */
  paddingValue?: number;
  /** On which side it does. Default "right". */
  paddingSide?: "left" | "right";
}

/**
 * Sequences [L_i, *] as one tensor [max L, N, *], the shorter ones filled up.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.utils.rnn.pad_sequence.html
 * @throws RuntimeError where there are none, or their other sizes differ
 */
export function padSequence(sequences: Iterable<Tensor>, options?: PadSequenceOptions): Tensor;
export function padSequence(...args: unknown[]): Tensor {
  const {
    sequences,
    batchFirst = false,
    paddingValue = 0,
    paddingSide = "right",
  } = bind<{ sequences: Iterable<Tensor> } & PadSequenceOptions>(
    "pad_sequence",
    ["!sequences", "batchFirst", "paddingValue", "paddingSide"],
    args,
  );
  if (typeof (sequences as Partial<Iterable<Tensor>>)[Symbol.iterator] !== "function") {
    throw new RuntimeError(
      `pad_sequence: Expected iterable for input sequences, but got arg of type: <class '${pythonTypeName(sequences)}'>`,
    );
  }
  const list = [...sequences];
  list.forEach((sequence: unknown, i) => {
    if (!(sequence instanceof Tensor)) {
      throw new TypeError(`expected Tensor as element ${i} in argument 0, but got ${pythonTypeName(sequence)}`);
    }
  });
  const [first] = list;
  if (!first) throw new RuntimeError("received an empty list of sequences");
  if (paddingSide !== "left" && paddingSide !== "right") {
    throw new RuntimeError(`Expected padding_side to be one of left or right, but got ${paddingSide}.`);
  }
  for (const sequence of list) {
    if (sequence.ndim === 0) throw new RuntimeError("ArrayRef: invalid slice, N = 1; size = 0");
  }
  const fitting = list.map((sequence) => fitted(sequence, first));
  return padded(fitting, { batchFirst, paddingValue, left: paddingSide === "left" });
}

/** The sequence with all sizes but the first as the first sequence has them; those of 1 are repeated. */
function fitted(sequence: Tensor, first: Tensor): Tensor {
  const slot = [sequence.shape[0]!, ...first.shape.slice(1)];
  if (sameShape(slot, sequence.shape)) return sequence;
  const dims = Math.max(slot.length, sequence.ndim);
  for (let k = 1; k <= dims; k++) {
    const [wanted, given] = [slot.at(-k) ?? 1, sequence.shape.at(-k) ?? 1];
    if (wanted === given || given === 1) continue;
    throw new RuntimeError(
      `The size of tensor a (${wanted}) must match the size of tensor b (${given}) at non-singleton dimension ${dims - k}`,
      { shapes: [first.shape, sequence.shape] },
    );
  }
  return expand(sequence, slot);
}

export interface PackOptions {
  /** Whether the sequences come with the longest first; false sorts them, and back afterwards. Default true. */
  enforceSorted?: boolean;
}

export interface PackPaddedOptions extends PackOptions {
  /** The input is [N, L, *] instead of [L, N, *]. Default false. */
  batchFirst?: boolean;
}

/**
 * Takes the padding out: input [L, N, *] with the length of each sequence.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.utils.rnn.pack_padded_sequence.html
 * @throws RuntimeError for lengths that do not fit, or that are not sorted where they have to be
 */
export function packPaddedSequence(
  input: Tensor,
  lengths: Tensor | readonly number[],
  options?: PackPaddedOptions,
): PackedSequence;
export function packPaddedSequence(...args: unknown[]): PackedSequence {
  const {
    input,
    lengths: given,
    batchFirst = false,
    enforceSorted = true,
  } = bind<{ input: Tensor; lengths: Tensor | readonly number[] } & PackPaddedOptions>(
    "pack_padded_sequence",
    ["!input", "!lengths", "batchFirst", "enforceSorted"],
    args,
  );
  let lengths = given instanceof Tensor ? given.to(int64) : tensor([...given], { dtype: int64 });
  let sequences = input;
  let sortedIndices: Tensor | null = null;
  if (!enforceSorted) {
    const sorted = sort(lengths, -1, { descending: true });
    lengths = sorted.values;
    sortedIndices = sorted.indices;
    sequences = indexSelect(input, batchFirst ? 0 : 1, sortedIndices);
  }
  if (lengths.ndim !== 1) {
    throw new RuntimeError(
      `'lengths' argument should be a 1D CPU int64 tensor, but got ${lengths.ndim}D cpu Long tensor`,
    );
  }
  if (sequences.numel() === 0) throw new RuntimeError("Cannot pack empty tensors.");
  normalizeDim(1, sequences.ndim);
  const steps = batchFirst ? transpose(sequences, 0, 1) : sequences;
  const batchSizes = batchSizesOf(Array.from(lengths.denseData()), steps.shape[1]!);
  const data = packRows(steps, batchSizes);
  return new PackedSequence(data, tensor(batchSizes, { dtype: int64 }), sortedIndices);
}

/** How many sequences reach each step. */
function batchSizesOf(lengths: readonly number[], batch: number): number[] {
  if (lengths.length !== batch) {
    throw new RuntimeError(
      `Expected \`len(lengths)\` to be equal to batch_size, but got ${lengths.length} (batch_size=${batch})`,
    );
  }
  if (lengths.at(-1)! <= 0) {
    throw new RuntimeError(
      "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0",
    );
  }
  if (lengths.some((length, i) => i > 0 && length > lengths[i - 1]!)) {
    throw new RuntimeError(
      "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass `enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if you do not need ONNX exportability.",
      { hint: "here it is written { enforceSorted: false }" },
    );
  }
  return Array.from({ length: lengths[0]! }, (_, t) => lengths.filter((length) => length > t).length);
}

export interface PadPackedOptions {
  /** [N, L, *] instead of [L, N, *]. Default false. */
  batchFirst?: boolean;
  /** What fills the shorter sequences up. Default 0. */
  paddingValue?: number;
  /** Pads to this length. Default: the longest sequence's. */
  totalLength?: number | null;
}

/**
 * Puts the padding back: [L, N, *] and the length of each sequence, int64 [N].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.utils.rnn.pad_packed_sequence.html
 * @throws ValueError for a total length below the longest
 */
export function padPackedSequence(
  sequence: PackedSequence,
  options?: PadPackedOptions,
): [output: Tensor, lengths: Tensor];
export function padPackedSequence(...args: unknown[]): [Tensor, Tensor] {
  const {
    sequence,
    batchFirst = false,
    paddingValue = 0,
    totalLength = null,
  } = bind<{ sequence: PackedSequence } & PadPackedOptions>(
    "pad_packed_sequence",
    ["!sequence", "batchFirst", "paddingValue", "totalLength"],
    args,
  );
  const batchSizes = Array.from(sequence.batchSizes.denseData());
  const longest = batchSizes.length;
  if (totalLength !== null && totalLength < longest) {
    throw new ValueError(
      `Expected total_length to be at least the length of the longest sequence in input, but got total_length=${totalLength} and max sequence length being ${longest}`,
    );
  }
  const steps = unpackRows(sequence.data, batchSizes, totalLength ?? longest, paddingValue);
  const output = batchFirst ? transpose(steps, 0, 1) : steps;
  const counts = Array.from({ length: batchSizes[0]! }, (_, i) => batchSizes.filter((size) => size > i).length);
  const lengths = tensor(counts, { dtype: int64 });
  const { unsortedIndices } = sequence;
  if (!unsortedIndices) return [output, lengths];
  return [indexSelect(output, batchFirst ? 0 : 1, unsortedIndices), indexSelect(lengths, 0, unsortedIndices)];
}

/**
 * The sequences of a padded tensor, each at its own length.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.utils.rnn.unpad_sequence.html
 */
export function unpadSequence(paddedSequences: Tensor, lengths: Tensor, options?: { batchFirst?: boolean }): Tensor[];
export function unpadSequence(...args: unknown[]): Tensor[] {
  const {
    paddedSequences,
    lengths,
    batchFirst = false,
  } = bind<{ paddedSequences: Tensor; lengths: Tensor; batchFirst?: boolean }>(
    "unpad_sequence",
    ["!paddedSequences", "!lengths", "batchFirst"],
    args,
  );
  const rows = batchFirst ? paddedSequences : transpose(paddedSequences, 0, 1);
  const positions = arange(rows.shape[1]!);
  return Array.from(lengths.denseData(), (length, i) => rows.at(i).get(positions.lt(length)));
}

/**
 * Packs sequences [L_i, *].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.utils.rnn.pack_sequence.html
 */
export function packSequence(sequences: readonly Tensor[], options?: PackOptions): PackedSequence;
export function packSequence(...args: unknown[]): PackedSequence {
  const { sequences, enforceSorted = true } = bind<{ sequences: readonly Tensor[] } & PackOptions>(
    "pack_sequence",
    ["!sequences", "enforceSorted"],
    args,
  );
  const lengths = sequences.map((sequence) => sequence.shape[0]!);
  return packPaddedSequence(padSequence(sequences), lengths, { enforceSorted });
}

/**
 * The sequences of a packed one, in the order in which they were given.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.utils.rnn.unpack_sequence.html
 */
export function unpackSequence(packedSequences: PackedSequence): Tensor[] {
  const [output, lengths] = padPackedSequence(packedSequences, { batchFirst: true });
  return unpadSequence(output, lengths, { batchFirst: true });
}
