/** What the kernel asks of an engine, answered by Stride's: shared by the worker and by Node. */
import { currentBackend } from "../../../engine/backends/index.ts";
import { chooseDevice } from "../../../engine/choose_device.ts";
import { CPU, onDevice } from "../../../engine/core/device.ts";
import { DTYPES, type DTypeName, type TypedArray } from "../../../engine/core/dtype.ts";
import { defaultGenerator } from "../../../engine/core/generator.ts";
import { checkMemory, setMemoryBudget } from "../../../engine/core/memory.ts";
import { print, repr, setPrintSink } from "../../../engine/core/print.ts";
import { formatNumbers } from "../../../engine/core/printing.ts";
import { Storage } from "../../../engine/core/storage.ts";
import { Tensor } from "../../../engine/core/tensor.ts";
import { setWarningSink } from "../../../engine/core/warnings.ts";
import { setInterruptCheck, setProgressSink } from "../../../engine/data/pause.ts";
import { datasetInfo, provideDataset } from "../../../engine/data/sources.ts";
import { setCallSite, setRecorder, snapshot, type TensorView } from "../../../engine/inspect/index.ts";
import { modules } from "../../../engine/public.ts";
import { setTensorboardSink } from "../../../engine/tensorboard/events.ts";
import * as webgpu from "../../../engine/webgpu.ts";
import type { Engine } from "./engine.ts";
import { type ReplayTools, replay } from "./replay.ts";

const functional = modules["torch/nn/functional"] as ReplayTools["functional"];

/** A tensor over a copy of these numbers. */
function makeTensor(data: TypedArray | number[], shape: number[], dtype: DTypeName): Tensor {
  const storage = Storage.allocate(DTYPES[dtype], data.length);
  storage.data.set(data);
  return new Tensor(storage, shape);
}

/**
 * `x[0]` on a tensor would be undefined, and go on as None: Python's most common habit gets an answer instead. A proxy would
 * catch every index and slow down every access; these catch the ones that people write.
 */
function refuseBrackets(): void {
  for (const index of [-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) {
    Object.defineProperty(Tensor.prototype, index, {
      configurable: true,
      get(): never {
        throw new TypeError(
          `a tensor is not indexed with brackets\nhint: write x.get(${index}), or x.get(0, ":", "1:3")`,
        );
      },
      set(): never {
        throw new TypeError(`a tensor is not indexed with brackets\nhint: write x.set([${index}], value)`);
      },
    });
  }
}

/** What went wrong on the GPU since the last time; a lost one answers the same for ever. */
function gpuError(): Promise<unknown> {
  return webgpu.synchronize().then(
    () => null,
    (error: unknown) => error,
  );
}

async function gpuIsLost(): Promise<boolean> {
  // Other errors are said once.
  await gpuError();
  return (await gpuError()) !== null;
}

export function engineTools(simd: "none" | "simd" | "relaxed"): Engine {
  refuseBrackets();
  let told: unknown = null;
  return {
    modules,
    print,
    repr,
    setPrintSink,
    setWarningSink,
    isTensor: (value) => value instanceof Tensor,
    summarize(value, maxNumbers) {
      const tensor = value as Tensor;
      return {
        shape: [...tensor.shape],
        strides: [...tensor.strides],
        offset: tensor.offset,
        dtype: tensor.dtype.name,
        storageId: tensor.storage.id,
        version: tensor.version,
        requiresGrad: tensor.requiresGrad,
        gradFn: tensor.gradFn?.name ?? null,
        device: tensor.device.type,
        data: tensor.numel() <= maxNumbers ? tensor.denseData().slice() : null,
        text: tensor.toString(),
      };
    },
    formatNumbers: (values, dtype) => formatNumbers(values, dtype as DTypeName),
    manualSeed: (seed) => void defaultGenerator.manualSeed(seed),
    setMemoryBudget,
    startWebGpu: (load) => webgpu.init(load),
    async chooseDevice(device) {
      try {
        await chooseDevice(device);
      } catch {
        return "absent";
      }
      if (device === "cpu" || !(await gpuIsLost())) return null;
      await chooseDevice("cpu");
      return "lost";
    },
    async settle() {
      const error = await gpuError();
      // That the GPU is lost is said again by whatever uses it; what does not, works.
      if (error === null || error === told) return;
      told = error;
      throw error;
    },
    async fetch(value) {
      if (value instanceof Tensor) await value.storage.arrive();
    },
    checkMemory,
    status: () => ({ backend: currentBackend(), simd, dataset: datasetInfo()?.title ?? null }),
    provideDataset,
    setRecorder,
    setCallSite,
    replay: (record, change) => onDevice(CPU, null, () => replay(record, change, { functional, makeTensor })),
    gradients: (...asked) => onDevice(CPU, null, () => gradients(...asked)),
    setTensorboardSink,
    setYieldCheck: setInterruptCheck,
    setProgressSink,
  };
}

/** On the CPU, as all that is tried on copies: it is little, and its numbers are wanted at once. */
const gradients: Engine["gradients"] = (record, change, gradOutput) => {
  let promoted = false;
  const differentiable: typeof makeTensor = (data, shape, dtype) => {
    const floating = DTYPES[dtype].isFloatingPoint;
    if (!floating) promoted = true;
    const tensor = makeTensor(data, shape, floating ? dtype : "float32");
    tensor.requiresGrad = true;
    return tensor;
  };
  const { inputs, output } = replay(record, change, { functional, makeTensor: differentiable });
  const y = output as Tensor;
  const seed = makeTensor(gradOutput ?? new Array<number>(y.numel()).fill(1), [...y.shape], y.dtype.name);
  y.backward(seed);
  const gradients: Record<string, TensorView> = {};
  for (const [name, input] of Object.entries(inputs)) {
    const { grad } = input as Tensor;
    if (grad) gradients[name] = snapshot(grad);
  }
  return { gradOutput: snapshot(seed), gradients, promoted };
};
