/**
 * In which order samples are read, with PyTorch's consumption of random numbers to the draw.
 * https://docs.pytorch.org/docs/2.13/data.html#data-loading-order-and-sampler
 */
import { TypeError, ValueError } from "../core/errors.ts";
import { defaultGenerator, fillMultinomial, fillPermutation, fillRandomInt, Generator } from "../core/random.ts";
import { Tensor } from "../core/tensor.ts";

export interface Sized {
  readonly length: number;
}

/** An iterable that knows how much it will give. */
export interface SamplerLike<T> extends Iterable<T> {
  readonly length: number;
}

/** Base class of samplers: subclasses define `*[Symbol.iterator]()` and `length`. */
export abstract class Sampler<T = number> implements SamplerLike<T> {
  abstract [Symbol.iterator](): IterableIterator<T>;
  abstract get length(): number;
}

/** 0, 1, 2, … */
export class SequentialSampler extends Sampler {
  readonly dataSource: Sized;

  constructor(dataSource: Sized) {
    super();
    this.dataSource = dataSource;
  }

  *[Symbol.iterator](): IterableIterator<number> {
    const { length } = this.dataSource;
    for (let i = 0; i < length; i++) yield i;
  }

  get length(): number {
    return this.dataSource.length;
  }
}

export interface RandomSamplerOptions {
  /** Whether a sample may be drawn again. Default false. */
  replacement?: boolean;
  /** How many are drawn. Default: as many as there are. */
  numSamples?: number | null;
  /** Default: one of its own for each pass, seeded from the global one. */
  generator?: Generator | null;
}

/** All samples in random order, anew in each pass. */
export class RandomSampler extends Sampler {
  readonly dataSource: Sized;
  readonly replacement: boolean;
  readonly generator: Generator | null;
  readonly #numSamples: number | null;

  /** @throws ValueError when there is nothing to draw */
  constructor(dataSource: Sized, options: RandomSamplerOptions = {}) {
    super();
    this.dataSource = dataSource;
    this.replacement = options.replacement ?? false;
    this.#numSamples = options.numSamples ?? null;
    this.generator = options.generator ?? null;
    if (typeof this.replacement !== "boolean") {
      throw new TypeError(`replacement should be a boolean value, but got replacement=${this.replacement}`);
    }
    checkPositive("num_samples", this.numSamples);
  }

  get numSamples(): number {
    return this.#numSamples ?? this.dataSource.length;
  }

  *[Symbol.iterator](): IterableIterator<number> {
    const n = this.dataSource.length;
    const generator = this.generator ?? new Generator().manualSeed(drawSeed());
    const whole = Math.floor(this.numSamples / (this.replacement ? 32 : n));
    const rest = this.numSamples % (this.replacement ? 32 : n);
    if (this.replacement) {
      for (let i = 0; i < whole; i++) yield* randomIntegers(n, 32, generator);
      yield* randomIntegers(n, rest, generator);
      return;
    }
    for (let i = 0; i < whole; i++) yield* permutation(n, generator);
    // PyTorch draws this one too when nothing of it is used: whoever reads the pass to its end moves the generator on.
    yield* permutation(n, generator).subarray(0, rest);
  }

  get length(): number {
    return this.numSamples;
  }
}

/** The given indices in random order. */
export class SubsetRandomSampler extends Sampler {
  readonly indices: readonly number[];
  readonly generator: Generator | null;

  constructor(indices: Iterable<number>, options: { generator?: Generator | null } = {}) {
    super();
    this.indices = [...indices];
    this.generator = options.generator ?? null;
  }

  *[Symbol.iterator](): IterableIterator<number> {
    for (const i of permutation(this.indices.length, this.generator ?? defaultGenerator)) yield this.indices[i]!;
  }

  get length(): number {
    return this.indices.length;
  }
}

/** Indices of `weights`, each as likely as its weight says (the weights need not add up to 1). */
export class WeightedRandomSampler extends Sampler {
  readonly weights: Float64Array;
  readonly numSamples: number;
  readonly replacement: boolean;
  readonly generator: Generator | null;

  /** @param options.replacement whether an index may be drawn again. Default true. */
  constructor(
    weights: readonly number[] | Tensor,
    numSamples: number,
    options: { replacement?: boolean; generator?: Generator | null } = {},
  ) {
    super();
    checkPositive("num_samples", numSamples);
    this.replacement = options.replacement ?? true;
    if (typeof this.replacement !== "boolean") {
      throw new ValueError(`replacement should be a boolean value, but got replacement=${this.replacement}`);
    }
    if (weights instanceof Tensor && weights.ndim !== 1) {
      const shape = weights.shape.length === 0 ? "()" : `(${weights.shape.join(", ")})`;
      throw new ValueError(`weights should be a 1d sequence but given weights have shape ${shape}`);
    }
    this.weights = Float64Array.from(weights instanceof Tensor ? weights.denseData() : weights);
    this.numSamples = numSamples;
    this.generator = options.generator ?? null;
  }

  *[Symbol.iterator](): IterableIterator<number> {
    const drawn = new Float64Array(this.numSamples);
    fillMultinomial(drawn, this.weights, 1, this.numSamples, this.replacement, this.generator ?? defaultGenerator);
    yield* drawn;
  }

  get length(): number {
    return this.numSamples;
  }
}

/** Lists of `batchSize` indices from another sampler. */
export class BatchSampler extends Sampler<number[]> {
  readonly sampler: Iterable<number>;
  readonly batchSize: number;
  readonly dropLast: boolean;

  /** @throws ValueError for a batch size that is not a positive integer */
  constructor(sampler: Iterable<number>, batchSize: number, dropLast: boolean) {
    super();
    checkPositive("batch_size", batchSize);
    if (typeof dropLast !== "boolean") {
      throw new ValueError(`drop_last should be a boolean value, but got drop_last=${dropLast}`);
    }
    this.sampler = sampler;
    this.batchSize = batchSize;
    this.dropLast = dropLast;
  }

  *[Symbol.iterator](): IterableIterator<number[]> {
    let batch: number[] = [];
    for (const index of this.sampler) {
      batch.push(index);
      if (batch.length < this.batchSize) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0 && !this.dropLast) yield batch;
  }

  get length(): number {
    const { length } = this.sampler as SamplerLike<number>;
    return this.dropLast ? Math.floor(length / this.batchSize) : Math.ceil(length / this.batchSize);
  }
}

/** What `torch.empty((), dtype=torch.int64).random_()` draws: 63 bits. */
export function drawSeed(generator: Generator = defaultGenerator): bigint {
  return generator.random64() & 0x7fff_ffff_ffff_ffffn;
}

function permutation(n: number, generator: Generator): Float64Array {
  const order = new Float64Array(n);
  fillPermutation(order, generator);
  return order;
}

function randomIntegers(high: number, count: number, generator: Generator): Float64Array {
  const drawn = new Float64Array(count);
  fillRandomInt(drawn, 0, high, generator);
  return drawn;
}

function checkPositive(name: string, value: number): void {
  if (Number.isInteger(value) && value > 0) return;
  throw new ValueError(`${name} should be a positive integer value, but got ${name}=${value}`);
}
