/**
 * Data sets: anything with a `length` and `get(index)`.
 * https://docs.pytorch.org/docs/2.13/data.html#dataset-types
 */
import { AssertionError, IndexError, NotImplementedError, ValueError } from "../core/errors.ts";
import { defaultGenerator, fillPermutation, type Generator } from "../core/random.ts";
import type { Tensor } from "../core/tensor.ts";
import { selectRow } from "./rows.ts";

/** What a DataLoader reads: a subclass of Dataset, an object of one's own with these two, or an array. */
export type DatasetLike<T> = { readonly length: number; get(index: number): T } | readonly T[];

/** Sample `index` of a data set or an array. */
export function sampleOf<T>(dataset: DatasetLike<T>, index: number): T {
  if ("get" in dataset) return dataset.get(index);
  if (index >= dataset.length) throw new IndexError("list index out of range");
  return dataset[index]!;
}

/**
 * Base class of data sets that are read by index. Subclasses define `get(index)` and `length`:
 *
 *     class Squares extends Dataset {
 *       get(index) { return [torch.tensor(index), index * index]; }
 *       get length() { return 100; }
 *     }
 */
export abstract class Dataset<T = unknown> {
  /** Sample number `index`, from 0. */
  get(_index: number): T {
    throw new NotImplementedError("Subclasses of Dataset should implement __getitem__.", {
      hint: "define get(index) in your class; it returns one sample, such as [image, target]",
    });
  }

  /** How many samples there are. */
  abstract get length(): number;

  /** This data set, and after its last sample the other one. */
  concat<U>(other: DatasetLike<U>): ConcatDataset<T | U> {
    return new ConcatDataset<T | U>([this, other]);
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let i = 0; i < this.length; i++) yield this.get(i);
  }
}

/**
 * Base class of data sets that are only read in order: streams. Subclasses define `*[Symbol.iterator]()`, and `length`
 * where they know it.
 */
export abstract class IterableDataset<T = unknown> implements Iterable<T> {
  abstract [Symbol.iterator](): Iterator<T>;
}

type Rows<T extends readonly Tensor[]> = { [K in keyof T]: Tensor };

/** Samples are the rows of tensors of the same length: `get(i)` is `[a.at(i), b.at(i), …]`. */
export class TensorDataset<T extends readonly Tensor[] = Tensor[]> extends Dataset<Rows<T>> {
  readonly tensors: T;

  /** @throws AssertionError when the tensors differ in their first dimension */
  constructor(...tensors: T) {
    super();
    if (tensors.length === 0) throw new IndexError("tuple index out of range");
    if (tensors.some((tensor) => tensor.size(0) !== tensors[0]!.size(0))) {
      throw new AssertionError("Size mismatch between tensors");
    }
    this.tensors = tensors;
  }

  override get(index: number): Rows<T> {
    return this.tensors.map((tensor) => selectRow(tensor, index)) as unknown as Rows<T>;
  }

  get length(): number {
    return this.tensors[0]!.size(0);
  }
}

/** The samples of another data set at the given indices, in their order. */
export class Subset<T = unknown> extends Dataset<T> {
  readonly dataset: DatasetLike<T>;
  readonly indices: readonly number[];

  constructor(dataset: DatasetLike<T>, indices: Iterable<number>) {
    super();
    this.dataset = dataset;
    this.indices = [...indices];
  }

  /** @param index negative ones count from the end, as in a Python list */
  override get(index: number): T {
    const at = this.indices[index < 0 ? index + this.indices.length : index];
    if (at === undefined) throw new IndexError("list index out of range");
    return sampleOf(this.dataset, at);
  }

  get length(): number {
    return this.indices.length;
  }
}

/** Several data sets one after the other. */
export class ConcatDataset<T = unknown> extends Dataset<T> {
  readonly datasets: readonly DatasetLike<T>[];
  /** Where each data set ends. */
  readonly cumulativeSizes: readonly number[];

  constructor(datasets: Iterable<DatasetLike<T>>) {
    super();
    this.datasets = [...datasets];
    if (this.datasets.length === 0) throw new AssertionError("datasets should not be an empty iterable");
    if (this.datasets.some((dataset: unknown) => dataset instanceof IterableDataset)) {
      throw new AssertionError("ConcatDataset does not support IterableDataset");
    }
    let end = 0;
    this.cumulativeSizes = this.datasets.map((dataset) => {
      end += dataset.length;
      return end;
    });
  }

  override get(index: number): T {
    if (index < 0 && -index > this.length) {
      throw new ValueError("absolute value of index should not exceed dataset length");
    }
    const at = index < 0 ? this.length + index : index;
    const which = this.cumulativeSizes.findIndex((end) => at < end);
    if (which < 0) throw new IndexError("list index out of range");
    return sampleOf(this.datasets[which]!, which === 0 ? at : at - this.cumulativeSizes[which - 1]!);
  }

  get length(): number {
    return this.cumulativeSizes[this.cumulativeSizes.length - 1]!;
  }
}

/**
 * Splits a data set at random into parts that share no sample, in PyTorch's order for the same seed.
 *
 * @param lengths sizes that add up to the data set's, or fractions that add up to 1 (what is left over by rounding down
 *   goes to the first parts, one each)
 * @param options.generator where the permutation is drawn from. Default: the global one, set by `manualSeed`.
 * @throws ValueError when the lengths don't add up
 */
export function randomSplit<T>(
  dataset: DatasetLike<T>,
  lengths: readonly number[],
  options: { generator?: Generator | null } = {},
): Subset<T>[] {
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const asFractions = total <= 1 && Math.abs(total - 1) <= 1e-9;
  const sizes = asFractions ? sizesOfFractions(lengths, dataset.length) : lengths;
  if (sizes.reduce((sum, size) => sum + size, 0) !== dataset.length) {
    throw new ValueError("Sum of input lengths does not equal the length of the input dataset!", {
      hint: `the lengths add up to ${total}, the data set has ${dataset.length} samples`,
    });
  }
  const permutation = new Float64Array(dataset.length);
  fillPermutation(permutation, options.generator ?? defaultGenerator);
  let start = 0;
  return sizes.map((size) => {
    const part = new Subset(dataset, permutation.subarray(start, start + size));
    start += size;
    return part;
  });
}

function sizesOfFractions(fractions: readonly number[], length: number): number[] {
  const sizes = fractions.map((fraction, i) => {
    if (fraction < 0 || fraction > 1) throw new ValueError(`Fraction at index ${i} is not between 0 and 1`);
    return Math.floor(length * fraction);
  });
  const rest = length - sizes.reduce((sum, size) => sum + size, 0);
  for (let i = 0; i < rest; i++) sizes[i % sizes.length]!++;
  return sizes;
}
