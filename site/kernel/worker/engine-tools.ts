/** What the kernel asks of an engine, answered by Stride's: shared by the worker and by Node. */
import { currentBackend } from "../../../engine/backends/index.ts";
import { DTYPES, type DTypeName } from "../../../engine/core/dtype.ts";
import { defaultGenerator } from "../../../engine/core/generator.ts";
import { checkMemory, setMemoryBudget } from "../../../engine/core/memory.ts";
import { print, repr, setPrintSink } from "../../../engine/core/print.ts";
import { formatNumbers } from "../../../engine/core/printing.ts";
import { Storage } from "../../../engine/core/storage.ts";
import { Tensor } from "../../../engine/core/tensor.ts";
import { setInterruptCheck, setProgressSink } from "../../../engine/data/pause.ts";
import { datasetInfo, provideDataset } from "../../../engine/data/sources.ts";
import { setCallSite, setRecorder, snapshot } from "../../../engine/inspect/index.ts";
import { modules } from "../../../engine/public.ts";
import type { Engine } from "./engine.ts";
import { replay } from "./replay.ts";

export function engineTools(simd: "none" | "simd" | "relaxed"): Engine {
  return {
    modules,
    print,
    repr,
    setPrintSink,
    isTensor: (value) => value instanceof Tensor,
    summarize(value, maxNumbers) {
      const tensor = value as Tensor;
      const few = tensor.numel() <= maxNumbers;
      const { data, ...view } = few ? snapshot(tensor) : { ...snapshot(tensor.get(...tensor.shape.map(() => 0))), data: null };
      return {
        ...view,
        shape: [...tensor.shape],
        strides: [...tensor.strides],
        offset: tensor.offset,
        device: tensor.device.type,
        data,
        text: tensor.toString(),
      };
    },
    formatNumbers: (values, dtype) => formatNumbers(values, dtype as DTypeName),
    manualSeed: (seed) => void defaultGenerator.manualSeed(seed),
    async configure({ memoryBudget }) {
      setMemoryBudget(memoryBudget);
    },
    checkMemory,
    status: () => ({ backend: currentBackend(), simd, dataset: datasetInfo()?.title ?? null }),
    provideDataset,
    setRecorder,
    setCallSite,
    replay: (record, change) =>
      replay(record, change, {
        functional: modules["torch/nn/functional"] as Parameters<typeof replay>[2]["functional"],
        makeTensor(data, shape, dtype) {
          const storage = Storage.allocate(DTYPES[dtype], data.length);
          storage.data.set(data);
          return new Tensor(storage, shape);
        },
      }),
    setTensorboardSink() {},
    setYieldCheck: setInterruptCheck,
    setProgressSink,
  };
}
