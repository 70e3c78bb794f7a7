/** Sequences of several lengths without padding, as recurrent layers take them. */
import type { Device } from "../core/device.ts";
import { type DType, float32, float64 } from "../core/dtype.ts";
import { repr } from "../core/print.ts";
import type { Tensor } from "../core/tensor.ts";
import { argsort } from "../ops/sorting.ts";

/**
 * The steps of several sequences, one step after the other. `packSequence` and `packPaddedSequence` make it.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.utils.rnn.PackedSequence.html
 */
export class PackedSequence implements Iterable<Tensor | null> {
  /** [Σ batchSizes, *]: step 0 of all sequences, step 1 of those that have one … */
  readonly data: Tensor;
  /** int64 [L]: how many sequences reach each step. */
  readonly batchSizes: Tensor;
  /** int64 [N]: which of the given sequences comes where, the longest first; null where they came so. */
  readonly sortedIndices: Tensor | null;
  /** int64 [N]: where each of the given sequences went. */
  readonly unsortedIndices: Tensor | null;

  constructor(
    data: Tensor,
    batchSizes: Tensor,
    sortedIndices: Tensor | null = null,
    unsortedIndices: Tensor | null = null,
  ) {
    this.data = data;
    this.batchSizes = batchSizes;
    this.sortedIndices = sortedIndices;
    this.unsortedIndices = unsortedIndices ?? invertPermutation(sortedIndices);
  }

  /** With its data in another dtype or place; itself where nothing changes. */
  to(target: DType | Device | string): PackedSequence {
    const data = this.data.to(target);
    if (data === this.data) return this;
    return new PackedSequence(data, this.batchSizes, this.sortedIndices, this.unsortedIndices);
  }

  float(): PackedSequence {
    return this.to(float32);
  }

  double(): PackedSequence {
    return this.to(float64);
  }

  cpu(): PackedSequence {
    return this.to("cpu");
  }

  /** Its four parts, as Python's named tuple is unpacked. */
  *[Symbol.iterator](): Iterator<Tensor | null> {
    yield* [this.data, this.batchSizes, this.sortedIndices, this.unsortedIndices];
  }

  toString(): string {
    const parts = { data: this.data, batch_sizes: this.batchSizes, sorted_indices: this.sortedIndices };
    const fields = Object.entries({ ...parts, unsorted_indices: this.unsortedIndices });
    return `PackedSequence(${fields.map(([name, value]) => `${name}=${repr(value)}`).join(", ")})`;
  }
}

/** The permutation that undoes another; null of null. */
export function invertPermutation(permutation: Tensor): Tensor;
export function invertPermutation(permutation: Tensor | null): Tensor | null;
export function invertPermutation(permutation: Tensor | null): Tensor | null {
  return permutation ? argsort(permutation) : null;
}
