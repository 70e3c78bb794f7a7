/**
 * An engine of a few lines, so that the kernel is tested without Stride's: a "tensor" is a list of numbers with a shape, and
 * `double` is its one recorded operation.
 */
import type { RecordDraft, Recorder } from "../../engine/inspect/recorder.ts";
import type { OpRecord } from "../../engine/inspect/records.ts";
import type { Engine, PrintedValue } from "../../site/kernel/worker/engine.ts";

export class List {
  readonly numbers: number[];
  constructor(numbers: number[]) {
    this.numbers = numbers;
  }
  get shape(): number[] {
    return [this.numbers.length];
  }
  tolist(): number[] {
    return this.numbers;
  }
  toString(): string {
    return `list([${this.numbers.join(", ")}])`;
  }
}

class RuntimeError extends Error {
  shapes: number[][];
  constructor(message: string, shapes: number[][]) {
    super(message);
    this.name = "RuntimeError";
    this.shapes = shapes;
  }
}

export function smallEngine(): Engine {
  let sink: (text: string, tensors: PrintedValue[]) => void = () => {};
  let recorder: Recorder | null = null;
  let site: () => { cellId: string; line: number } = () => ({ cellId: "", line: 0 });
  let seed = 0;
  let nextId = 1;
  let dataset: string | null = null;
  let yieldCheck = (): void => {};

  const view = (list: List) => ({
    shape: [list.numbers.length],
    strides: [1],
    offset: 0,
    dtype: "float32" as const,
    storageId: 1,
    version: 0,
    data: Float32Array.from(list.numbers),
    requiresGrad: false,
    gradFn: null,
  });

  const double = (list: List): List => {
    if (!(list instanceof List))
      throw new RuntimeError("double(): expected a list\nhint: write list(1, 2)", [[2], [3]]);
    const output = new List(list.numbers.map((x) => 2 * x));
    const draft: RecordDraft = {
      op: "conv2d",
      bytes: 8 * list.numbers.length,
      take: () =>
        ({
          id: nextId++,
          ...site(),
          module: "",
          op: "conv2d",
          output: view(output),
          inputs: { input: view(list), weight: view(list), bias: null },
        }) as unknown as OpRecord,
    };
    recorder?.(draft);
    return output;
  };

  return {
    modules: {
      torch: {
        list: (...numbers: number[]) => new List(numbers),
        double,
        currentSeed: () => seed,
        yieldNow: async () => {
          await new Promise((resolve) => setTimeout(resolve, 1));
          yieldCheck();
        },
        List,
      },
      "torch/nn": { Linear: class Linear {} },
    },
    print(...values) {
      let text = "";
      const tensors: PrintedValue[] = [];
      values.forEach((value, i) => {
        if (i > 0) text += " ";
        const start = text.length;
        text += String(value);
        if (value instanceof List) tensors.push({ start, end: text.length, tensor: value });
      });
      sink(`${text}\n`, tensors);
    },
    setPrintSink(next) {
      sink = next;
    },
    repr: (value) => (typeof value === "string" ? `'${value}'` : String(value)),
    isTensor: (value) => value instanceof List,
    summarize(tensor, maxNumbers) {
      const list = tensor as List;
      return {
        ...view(list),
        device: "cpu",
        data: list.numbers.length <= maxNumbers ? view(list).data : null,
        text: String(list),
      };
    },
    formatNumbers: (values) => values.map((value) => value.toFixed(4)),
    manualSeed(next) {
      seed = next;
    },
    setMemoryBudget() {},
    startWebGpu: async () => false,
    chooseDevice: async (device) => (device === "webgpu" ? "absent" : null),
    async settle() {},
    async fetch() {},
    checkMemory() {},
    status: () => ({ backend: "small", simd: "none", dataset }),
    provideDataset(file) {
      dataset = file.name;
    },
    setRecorder(next) {
      const before = recorder;
      recorder = next;
      return before;
    },
    setCallSite(provider) {
      site = provider;
    },
    replay(record, change) {
      const numbers = change.values.input?.data ?? Array.from(record.inputs.input.data);
      if (numbers.length === 0) throw new RuntimeError("double(): empty", [[0]]);
      double(new List(numbers));
      return { code: `double(list(${numbers.join(", ")}))` };
    },
    gradients: (record) => ({ gradOutput: record.output, gradients: { input: record.inputs.input }, promoted: false }),
    setTensorboardSink() {},
    setWarningSink() {},
    setProgressSink() {},
    setYieldCheck(check) {
      yieldCheck = check;
    },
  };
}
