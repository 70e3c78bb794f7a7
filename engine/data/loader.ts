/**
 * Batches from a data set, in PyTorch's order and with PyTorch's draws.
 * https://docs.pytorch.org/docs/2.13/data.html#torch.utils.data.DataLoader
 */
import { CPU, type Device, getDefaultDevice, onDevice } from "../core/device.ts";
import { TypeError, ValueError } from "../core/errors.ts";
import { defaultGenerator, type Generator } from "../core/random.ts";
import { pythonTypeName, Tensor } from "../core/tensor.ts";
import { type Collated, defaultCollate, defaultConvert, isPlainObject } from "./collate.ts";
import { type DatasetLike, IterableDataset, sampleOf } from "./dataset.ts";
import { ProgressReporter, pause, pauseIsDue } from "./pause.ts";
import { BatchSampler, drawSeed, RandomSampler, type SamplerLike, SequentialSampler } from "./sampler.ts";

export interface DataLoaderOptions<T, B = Collated<T>> {
  /** Samples per batch. null: no batches, samples one by one. Default 1. */
  batchSize?: number | null;
  /** A new random order in every pass. Default false. */
  shuffle?: boolean | null;
  /** An order of one's own: indices. Excludes `shuffle`. Default null. */
  sampler?: Iterable<number> | null;
  /** Lists of indices, a batch each. Excludes `batchSize`, `shuffle`, `sampler` and `dropLast`. Default null. */
  batchSampler?: Iterable<readonly number[]> | null;
  /** Accepted as in PyTorch; all loading happens in the thread that asks. Default 0. */
  numWorkers?: number;
  /** Makes a batch of a list of samples. Default: `defaultCollate`. */
  collateFn?: ((samples: T[]) => B) | null;
  /** Accepted as in PyTorch and without effect here. Default false. */
  pinMemory?: boolean;
  /** Leaves out a last batch that is not full. Default false. */
  dropLast?: boolean;
  /** Accepted as in PyTorch and without effect here. Default 0. */
  timeout?: number;
  /** Where the order is drawn from. Default: the global generator, set by `manualSeed`. */
  generator?: Generator | null;
  /** Only with `numWorkers` above 0, as in PyTorch, and without effect here. Default null. */
  prefetchFactor?: number | null;
  /** Only with `numWorkers` above 0, as in PyTorch, and without effect here. Default false. */
  persistentWorkers?: boolean;
}

const OPTION_NAMES = new Set([
  "batchSize",
  "shuffle",
  "sampler",
  "batchSampler",
  "numWorkers",
  "collateFn",
  "pinMemory",
  "dropLast",
  "timeout",
  "generator",
  "prefetchFactor",
  "persistentWorkers",
]);

/**
 * Goes over a data set in batches. `for await (const [images, targets] of loader)` lets the page breathe and can be
 * stopped; `for (const … of loader)` runs through without.
 */
export class DataLoader<T, B = Collated<T>> implements AsyncIterable<B> {
  readonly dataset: DatasetLike<T> | IterableDataset<T>;
  readonly batchSize: number | null;
  readonly dropLast: boolean;
  readonly numWorkers: number;
  readonly sampler: Iterable<number>;
  readonly batchSampler: Iterable<readonly number[]> | null;
  readonly collateFn: (samples: T[]) => B;
  readonly generator: Generator | null;

  /** @throws ValueError for options that exclude each other or have impossible values, with PyTorch's words */
  constructor(dataset: DatasetLike<T> | IterableDataset<T>, options: DataLoaderOptions<T, B> = {}) {
    checkOptions(dataset, options);
    const { batchSize = 1, shuffle, sampler, batchSampler, dropLast = false, generator = null } = options;
    this.dataset = dataset;
    this.numWorkers = options.numWorkers ?? 0;
    this.generator = generator;
    this.dropLast = dropLast;
    this.batchSize = batchSampler ? null : batchSize;
    if (sampler) this.sampler = sampler;
    else if (dataset instanceof IterableDataset) this.sampler = { [Symbol.iterator]: endlessly };
    else if (shuffle) this.sampler = new RandomSampler(dataset, { generator });
    else this.sampler = new SequentialSampler(dataset);
    this.batchSampler =
      batchSampler ?? (this.batchSize === null ? null : new BatchSampler(this.sampler, this.batchSize, dropLast));
    this.collateFn =
      options.collateFn ??
      (this.batchSampler
        ? (samples) => defaultCollate(samples) as B
        : (samples) => defaultConvert(samples) as unknown as B);
  }

  /** How many batches a pass has. */
  get length(): number {
    if (this.dataset instanceof IterableDataset) {
      const { length } = this.dataset as unknown as { length?: number };
      if (length === undefined) {
        throw new TypeError(`object of type '${this.dataset.constructor.name}' has no len()`, {
          hint: "a stream has no length unless its class defines one",
        });
      }
      if (this.batchSize === null) return length;
      return this.dropLast ? Math.floor(length / this.batchSize) : Math.ceil(length / this.batchSize);
    }
    return (this.#indices as SamplerLike<unknown>).length;
  }

  get #indices(): Iterable<number | readonly number[]> {
    return this.batchSampler ?? this.sampler;
  }

  /** One pass, without a pause: the page and Stop wait until it is over. */
  [Symbol.iterator](): IterableIterator<B> {
    return this.#begin();
  }

  /** One pass that lets the event loop turn now and then (see pause.ts). */
  [Symbol.asyncIterator](): AsyncIterableIterator<B> {
    return this.#breathe(this.#begin());
  }

  /**
   * PyTorch draws a seed for its workers when a pass begins, before the order and also where there are none: leaving it
   * out would shift every random number that follows.
   */
  #begin(): IterableIterator<B> {
    drawSeed(this.generator ?? defaultGenerator);
    const { dataset } = this;
    const batches = dataset instanceof IterableDataset ? this.#streamed(dataset) : this.#indexed(dataset);
    return getDefaultDevice() === CPU ? batches : madeOnCpu(batches);
  }

  *#indexed(dataset: DatasetLike<T>): IterableIterator<B> {
    for (const index of this.#indices) {
      if (typeof index === "number") yield this.collateFn(sampleOf(dataset, index) as unknown as T[]);
      else yield this.collateFn(index.map((i) => sampleOf(dataset, i)));
    }
  }

  *#streamed(dataset: IterableDataset<T>): IterableIterator<B> {
    let samples: T[] = [];
    for (const sample of { [Symbol.iterator]: () => dataset[Symbol.iterator]() }) {
      if (this.batchSize === null) {
        yield this.collateFn(sample as unknown as T[]);
        continue;
      }
      samples.push(sample);
      if (samples.length < this.batchSize) continue;
      yield this.collateFn(samples);
      samples = [];
    }
    if (samples.length > 0 && !this.dropLast) yield this.collateFn(samples);
  }

  async *#breathe(batches: IterableIterator<B>): AsyncIterableIterator<B> {
    const progress = new ProgressReporter("DataLoader", this.#knownLength());
    progress.report();
    try {
      for (const batch of batches) {
        const due = pauseIsDue();
        if (due) progress.report();
        await pause();
        yield batch;
        progress.done++;
      }
    } finally {
      progress.report(true);
    }
  }

  #knownLength(): number | null {
    if (this.dataset instanceof IterableDataset && !("length" in this.dataset)) return null;
    const { length } = this;
    return typeof length === "number" && Number.isFinite(length) ? length : null;
  }
}

/**
 * Samples are many and small: they are made and put together on the CPU, and each batch goes to the default device as a
 * whole.
 */
function* madeOnCpu<B>(batches: IterableIterator<B>): IterableIterator<B> {
  try {
    for (;;) {
      const { done, value } = onDevice(CPU, null, () => batches.next());
      if (done) return;
      yield movedTo(getDefaultDevice(), value) as B;
    }
  } finally {
    batches.return?.();
  }
}

/** A batch with all its tensors on that device. */
function movedTo(device: Device, batch: unknown): unknown {
  if (batch instanceof Tensor) return batch.to(device);
  if (Array.isArray(batch)) return batch.map((field) => movedTo(device, field));
  if (!isPlainObject(batch)) return batch;
  return Object.fromEntries(Object.entries(batch).map(([name, field]) => [name, movedTo(device, field)]));
}

function* endlessly(): IterableIterator<number> {
  for (;;) yield 0;
}

function checkOptions<T, B>(dataset: DatasetLike<T> | IterableDataset<T>, options: DataLoaderOptions<T, B>): void {
  for (const name of Object.keys(options)) {
    if (OPTION_NAMES.has(name)) continue;
    throw new TypeError(`DataLoader.__init__() got an unexpected keyword argument '${name}'`, {
      hint: `it takes ${[...OPTION_NAMES].join(", ")}`,
    });
  }
  if (!(dataset instanceof IterableDataset) && typeof dataset?.length !== "number") {
    throw new TypeError(`object of type '${pythonTypeName(dataset)}' has no len()`, {
      hint: "a data set needs get(index) and length: write `get length() { return … }` in its class",
    });
  }
  const { batchSize = 1, shuffle, sampler, batchSampler, dropLast, numWorkers = 0, prefetchFactor } = options;
  if (numWorkers < 0) {
    throw new ValueError("num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.");
  }
  if ((options.timeout ?? 0) < 0) throw new ValueError("timeout option should be non-negative");
  if (numWorkers === 0 && prefetchFactor !== null && prefetchFactor !== undefined) {
    throw new ValueError(
      "prefetch_factor option could only be specified in multiprocessing." +
        "let num_workers > 0 to enable multiprocessing, otherwise set prefetch_factor to None.",
    );
  }
  if ((prefetchFactor ?? 0) < 0) throw new ValueError("prefetch_factor option should be non-negative");
  if (options.persistentWorkers && numWorkers === 0) {
    throw new ValueError("persistent_workers option needs num_workers > 0");
  }
  if (dataset instanceof IterableDataset) {
    const expected = "DataLoader with IterableDataset: expected unspecified";
    if (shuffle) throw new ValueError(`${expected} shuffle option, but got shuffle=True`);
    if (sampler) throw new ValueError(`${expected} sampler option, but got sampler=${String(sampler)}`);
    if (batchSampler) {
      throw new ValueError(`${expected} batch_sampler option, but got batch_sampler=${String(batchSampler)}`);
    }
  }
  if (sampler && shuffle) throw new ValueError("sampler option is mutually exclusive with shuffle");
  if (batchSampler && (batchSize !== 1 || shuffle || sampler || dropLast)) {
    throw new ValueError("batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last");
  }
  if (batchSize === null && dropLast) {
    throw new ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last");
  }
}
