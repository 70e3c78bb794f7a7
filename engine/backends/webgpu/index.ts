/**
 * The WebGPU backend: the same kernels as the CPU's, in WGSL. It knows of the engine only the interface of backends, so that
 * it can be loaded late, as a module of its own.
 */
import type { Attempts, Backend } from "../backend.ts";
import { arithmeticKernels } from "./arithmetic.ts";
import { convKernels } from "./conv.ts";
import { copyKernels } from "./copy.ts";
import { cumulativeKernels } from "./cumulative.ts";
import { requestDevice } from "./device.ts";
import { indexingKernels } from "./indexing.ts";
import { matmulKernels } from "./matmul.ts";
import { normalizeKernels } from "./normalize.ts";
import { poolKernels } from "./pool.ts";
import { CanvasReader } from "./reading.ts";
import { reduceKernels } from "./reduce.ts";
import { Runtime, type RuntimeHost } from "./runtime.ts";

export type { MemorySummary } from "./memory.ts";
export { Runtime, type RuntimeHost } from "./runtime.ts";

export interface WebGpuBackend extends Backend {
  readonly runtime: Runtime;
}

/** @returns null where there is no adapter */
export async function createWebGpuBackend(gpu: GPU | undefined, host: RuntimeHost): Promise<WebGpuBackend | null> {
  const device = await requestDevice(gpu);
  if (!device) return null;
  const runtime = new Runtime(device, host, CanvasReader.create(device));
  const kernels: Attempts = {
    ...copyKernels(runtime),
    ...arithmeticKernels(runtime),
    ...reduceKernels(runtime),
    ...indexingKernels(runtime),
    ...cumulativeKernels(runtime),
    ...normalizeKernels(runtime),
    ...matmulKernels(runtime),
    ...convKernels(runtime),
    ...poolKernels(runtime),
  };
  return { name: "webgpu", device: "webgpu", kernels, runtime };
}
