import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { setDefaultDevice } from "../../../engine/core/device.ts";
import { defaultGenerator, Generator } from "../../../engine/core/random.ts";
import type { Tensor } from "../../../engine/core/tensor.ts";
import {
  BatchSampler,
  ConcatDataset,
  DataLoader,
  Dataset,
  IterableDataset,
  RandomSampler,
  randomSplit,
  SequentialSampler,
  Subset,
  SubsetRandomSampler,
  TensorDataset,
  WeightedRandomSampler,
} from "../../../engine/data/index.ts";
import { type LoopProgress, setInterruptCheck, setProgressSink } from "../../../engine/data/pause.ts";
import { float32, tensor, zeros } from "../../../engine/torch.ts";
import { removeFakeDevice, useFakeDevice } from "../fake-accelerator.ts";
import { errorOf, GOLDEN, ORACLE, tensorOf, valuesOf } from "./support.ts";

class Count extends Dataset<number> {
  readonly length: number;

  constructor(length: number) {
    super();
    this.length = length;
  }

  override get(index: number): number {
    return index;
  }
}

class Naturals extends IterableDataset<number> {
  *[Symbol.iterator](): IterableIterator<number> {
    for (let i = 0; i < 5; i++) yield i;
  }
}

const nextDraws = (generator = defaultGenerator) => [generator.uniform24(), generator.uniform24()];
const orderOf = (loader: Iterable<Tensor>) => [...loader].map(valuesOf);

interface LoaderCase {
  kind: string;
  seed: number | null;
  generatorSeed?: number;
  n: number;
  options: Record<string, unknown>;
  epochs: number[][][];
  lengths: number[];
  indices: number[][];
  randAfter?: { data: number[] };
}

const cases = (GOLDEN.cases as LoaderCase[]).filter(({ kind }) => kind === "DataLoader" || kind === "random_split");
const loaderCases = cases.filter(({ kind }) => kind === "DataLoader");
const splitCases = cases.filter(({ kind }) => kind === "random_split");

afterEach(() => {
  setInterruptCheck(null);
  setProgressSink(null);
});

describe("a DataLoader", () => {
  it("has all of PyTorch's recorded orders to compare with", () => {
    expect([loaderCases.length, splitCases.length]).toEqual([20, 15]);
  });

  it.each(loaderCases)("reads $n samples in PyTorch's order and draws as much: seed $seed, $options", (known) => {
    const generator = known.generatorSeed === undefined ? null : new Generator().manualSeed(known.generatorSeed);
    if (known.seed !== null) defaultGenerator.manualSeed(known.seed);
    const loader = new DataLoader(new Count(known.n), { ...known.options, generator });
    expect(known.epochs.map(() => orderOf(loader))).toEqual(known.epochs);
    expect(loader.length).toBe(known.epochs[0]!.length);
    if (known.randAfter) expect(nextDraws()).toEqual(known.randAfter.data.map(Math.fround));
  });

  it("gives the same batches to `for await` as to `for`", async () => {
    for (const known of loaderCases) {
      const generator = known.generatorSeed === undefined ? null : new Generator().manualSeed(known.generatorSeed);
      if (known.seed !== null) defaultGenerator.manualSeed(known.seed);
      const loader = new DataLoader(new Count(known.n), { ...known.options, generator });
      for (const epoch of known.epochs) {
        const order: number[][] = [];
        for await (const batch of loader) order.push(valuesOf(batch));
        expect(order).toEqual(epoch);
      }
      if (known.randAfter) expect(nextDraws()).toEqual(known.randAfter.data.map(Math.fround));
    }
  });

  it("draws what PyTorch draws in a pass that is left early", () => {
    const first = (loader: Iterable<Tensor>) => valuesOf(loader[Symbol.iterator]().next().value!);
    defaultGenerator.manualSeed(8);
    const loader = new DataLoader(new Count(10), { batchSize: 4, shuffle: true });
    expect({ first: first(loader), second: orderOf(loader), randAfter: nextDraws() }).toEqual(ORACLE.leftEarly);
    const generator = new Generator().manualSeed(9);
    const own = new DataLoader(new Count(10), { batchSize: 4, shuffle: true, generator });
    const answer = { first: first(own), second: orderOf(own), drawAfter: nextDraws(generator) };
    expect(answer).toEqual(ORACLE.leftEarlyOwnGenerator);
  });

  it("lets the event loop turn in a long pass, but not for every batch", async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const start = performance.now();
    const busy = { length: 60, get: (i: number) => wait(1, i) };
    let batches = 0;
    for await (const _ of new DataLoader(busy)) batches++;
    clearInterval(timer);
    const slices = (performance.now() - start) / 16;
    expect(batches).toBe(60);
    expect(turns).toBeGreaterThanOrEqual(1);
    expect(turns).toBeLessThanOrEqual(Math.ceil(slices) + 1);
  });

  it("stops where the interrupt check throws", async () => {
    let stop = false;
    setInterruptCheck(() => {
      if (stop) throw new Error("stopped");
    });
    setTimeout(() => {
      stop = true;
    }, 40);
    let batches = 0;
    const run = async () => {
      for await (const _ of new DataLoader({ length: 100000, get: (i: number) => wait(1, i) })) batches++;
    };
    await expect(run()).rejects.toThrow("stopped");
    expect(batches).toBeLessThan(1000);
  });

  it("tells how far a pass is, and that one was left", async () => {
    const told: LoopProgress[] = [];
    setProgressSink((progress) => told.push(progress));
    for await (const _ of new DataLoader(new Count(10), { batchSize: 3 })) {
      // Only the counting matters.
    }
    expect(told[0]).toMatchObject({ label: "DataLoader", done: 0, total: 4, finished: false });
    expect(told.at(-1)).toMatchObject({ done: 4, total: 4, finished: true });
    for await (const _ of new DataLoader(new Count(10))) break;
    expect(told.at(-1)).toMatchObject({ done: 0, total: 10, finished: true });
    expect(new Set(told.map(({ id }) => id)).size).toBe(2);
  });

  it("reads arrays, tensors and streams", () => {
    expect(orderOf(new DataLoader([5, 6, 7], { batchSize: 2 }))).toEqual([[5, 6], [7]]);
    expect(orderOf(new DataLoader(new Naturals(), { batchSize: 2 }))).toEqual([[0, 1], [2, 3], [4]]);
    expect(orderOf(new DataLoader(new Naturals(), { batchSize: 2, dropLast: true }))).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect([...new DataLoader(new Naturals(), { batchSize: null })]).toEqual([0, 1, 2, 3, 4]);
    const pairs = new TensorDataset(tensorOf([0, 1, 2, 3, 4, 5], [3, 2]), tensorOf([7, 8, 9], [3], "int64"));
    const [x, y] = [...new DataLoader(pairs, { batchSize: 3 })][0]!;
    expect([x.shape, y.shape].map((shape) => [...shape])).toEqual([[3, 2], [3]]);
    expect([valuesOf(x), valuesOf(y), y.dtype.name]).toEqual([[0, 1, 2, 3, 4, 5], [7, 8, 9], "int64"]);
  });

  it("takes a batch sampler and a collate function of one's own", () => {
    const batchSampler = new BatchSampler(new SequentialSampler(new Count(5)), 2, true);
    const sums = new DataLoader(new Count(5), {
      batchSampler,
      collateFn: (samples) => samples.reduce((a, b) => a + b, 0),
    });
    expect([...sums]).toEqual([1, 5]);
    expect(sums.length).toBe(2);
  });

  const dataset = new Count(4);
  it.each<[string, () => unknown]>([
    [
      "batchSampler and batchSize",
      () =>
        new DataLoader(dataset, {
          batchSize: 2,
          batchSampler: new BatchSampler(new SequentialSampler(dataset), 2, false),
        }),
    ],
    ["sampler and shuffle", () => new DataLoader(dataset, { shuffle: true, sampler: new SequentialSampler(dataset) })],
    ["batchSize null and dropLast", () => new DataLoader(dataset, { batchSize: null, dropLast: true })],
    ["numWorkers", () => new DataLoader(dataset, { numWorkers: -1 })],
    ["timeout", () => new DataLoader(dataset, { timeout: -1 })],
    ["prefetchFactor", () => new DataLoader(dataset, { prefetchFactor: 2 })],
    ["persistentWorkers", () => new DataLoader(dataset, { persistentWorkers: true })],
    ["batchSize", () => new DataLoader(dataset, { batchSize: -3 })],
    ["empty shuffle", () => new DataLoader([], { shuffle: true })],
    ["stream and shuffle", () => new DataLoader(new Naturals(), { shuffle: true })],
    ["unequal", () => [...new DataLoader([[1, 2], [1]], { batchSize: 2 })]],
    ["stack", () => [...new DataLoader([tensorOf([0, 0], [2]), tensorOf([0, 0, 0], [3])], { batchSize: 2 })]],
    ["none", () => [...new DataLoader([null, null], { batchSize: 2 })]],
    ["fraction", () => randomSplit(new Count(4), [1.5, -0.5])],
    ["subset", () => new Subset(new Count(4), [0, 1]).get(2)],
    ["concat empty", () => new ConcatDataset([])],
  ])("says what PyTorch says about a wrong call: %s", (name, call) => {
    const known = (ORACLE.errors as { name: string; type: string; message: string }[]).find((e) => e.name === name)!;
    expect(errorOf(call)).toEqual({ type: known.type, message: known.message });
  });

  it("names the option it does not know, and the data set that has no length", () => {
    expect(() => new DataLoader(dataset, { batch_size: 4 } as object)).toThrow(
      /unexpected keyword argument 'batch_size'/,
    );
    expect(() => new DataLoader({ get: () => 1 } as unknown as Dataset)).toThrow(/has no len\(\)/);
  });
});

describe("randomSplit", () => {
  it.each(splitCases)("deals $n samples as PyTorch does: seed $seed, lengths $lengths", (known) => {
    defaultGenerator.manualSeed(known.seed!);
    const parts = randomSplit(new Count(known.n), known.lengths);
    expect(parts.map(({ indices }) => [...indices])).toEqual(known.indices);
    expect(nextDraws()).toEqual(known.randAfter!.data.map(Math.fround));
    expect(parts[0]!.get(0)).toBe(known.indices[0]![0]);
  });

  it("takes a generator of its own and leaves the global one alone", () => {
    const known = splitCases[0]!;
    defaultGenerator.manualSeed(5);
    const before = defaultGenerator.stateBytes();
    const generator = new Generator().manualSeed(known.seed!);
    expect(randomSplit(new Count(known.n), known.lengths, { generator }).map(({ indices }) => [...indices])).toEqual(
      known.indices,
    );
    expect(defaultGenerator.stateBytes()).toEqual(before);
  });

  it("refuses lengths that don't add up", () => {
    const error = errorOf(() => randomSplit(new Count(5), [2, 2]));
    expect(error).toEqual({
      type: "ValueError",
      message: "Sum of input lengths does not equal the length of the input dataset!",
    });
  });
});

describe("samplers", () => {
  const make: Record<string, (...args: never[]) => Iterable<number>> = {
    RandomSampler: (n: number, options) => new RandomSampler(new Count(n), options),
    SubsetRandomSampler: (indices: number[]) => new SubsetRandomSampler(indices),
    WeightedRandomSampler: (weights: number[], n: number, options) => new WeightedRandomSampler(weights, n, options),
  };

  it.each(
    ORACLE.samplers as {
      kind: string;
      args: never[];
      options: never;
      seed: number;
      passes: number[][];
      randAfter: number[];
    }[],
  )("draw as PyTorch's: $kind of $args, $options", ({ kind, args, options, seed, passes, randAfter }) => {
    defaultGenerator.manualSeed(seed);
    const sampler = make[kind]!(...args, options);
    expect(passes.map(() => [...sampler])).toEqual(passes);
    expect(nextDraws()).toEqual(randAfter);
  });
});

describe("data sets", () => {
  it("of tensors must agree in length", () => {
    const error = errorOf(() => new TensorDataset(tensorOf([0, 0, 0], [3]), tensorOf([0, 0], [2])));
    expect(error).toEqual({ type: "AssertionError", message: "Size mismatch between tensors" });
  });

  it("can be joined, cut and walked", () => {
    const joined = new Count(3).concat([7, 8]);
    expect([joined.length, [...joined], joined.get(-1)]).toEqual([5, [0, 1, 2, 7, 8], 8]);
    expect([...new Subset(joined, [4, 0])]).toEqual([8, 0]);
  });
});

function wait<T>(milliseconds: number, value: T): T {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
  return value;
}

describe("with another default device", () => {
  let uploads: number[];
  beforeEach(() => {
    ({ uploads } = useFakeDevice());
  });
  afterEach(removeFakeDevice);

  /** Makes its tensors when it is asked, as transforms do. */
  class Squares extends Dataset<[Tensor, number]> {
    readonly length = 6;

    override get(index: number): [Tensor, number] {
      return [tensor([index, index * index], { dtype: float32 }), index];
    }
  }

  it("makes samples and batches on the CPU, and sends each batch as a whole", () => {
    const batches = [...new DataLoader(new Squares(), { batchSize: 4 })];
    expect(uploads).toEqual([8, 4, 4, 2]);
    expect(batches.map(([x, y]) => [x.device.type, y.device.type])).toEqual(Array(2).fill(["webgpu", "webgpu"]));
    expect(batches.map(([x, y]) => [x.tolist(), y.tolist()])).toEqual([
      [
        [
          [0, 0],
          [1, 1],
          [2, 4],
          [3, 9],
        ],
        [0, 1, 2, 3],
      ],
      [
        [
          [4, 16],
          [5, 25],
        ],
        [4, 5],
      ],
    ]);
  });

  it("leaves everything on the CPU where no other device is the default", async () => {
    setDefaultDevice(null);
    for await (const [x] of new DataLoader(new Squares(), { batchSize: 3 })) expect(x.device.type).toBe("cpu");
    expect(uploads).toEqual([]);
  });

  it("moves what a stream and a collateFn of one's own give, in records too, and lets the default back in between", () => {
    const loader = new DataLoader(new Naturals(), {
      batchSize: 5,
      collateFn: (all) => ({ sum: tensor(all).sum(), all }),
    });
    for (const { sum, all } of loader) {
      expect([sum.device.type, all, zeros(1).device.type]).toEqual(["webgpu", [0, 1, 2, 3, 4], "webgpu"]);
      expect(uploads).toEqual([1]);
    }
  });
});
