/**
 * `torch.webgpu`: the GPU of the browser, as `torch.cuda` is the GPU of Python.
 * https://docs.pytorch.org/docs/2.13/cuda.html
 */

import { setAccelerated } from "./backends/index.ts";
import type { MemorySummary, WebGpuBackend } from "./backends/webgpu/index.ts";
import { acceleratorOf, setAccelerator } from "./core/device.ts";
import { collectIfWorthIt, setDeviceBudget } from "./core/device_memory.ts";
import { RuntimeError } from "./core/errors.ts";

let backend: WebGpuBackend | null = null;
let starting: Promise<boolean> | null = null;

/** Gets the module of the WebGPU backend, for programs that bundle it by themselves. */
export type BackendLoader = () => Promise<object>;

/**
 * Starts WebGPU, once: a browser hands out its GPU only after a wait. Lessons need not call it; programs of one's own do,
 * before they say "webgpu".
 * @param load gets the backend's module. Default: imported from beside this one
 * @returns whether there is a GPU to use
 */
export function init(load: BackendLoader = () => import("./backends/webgpu/index.ts")): Promise<boolean> {
  starting ??= start(load);
  return starting;
}

async function start(load: BackendLoader): Promise<boolean> {
  const gpu = globalThis.navigator?.gpu;
  if (!gpu) return false;
  const { createWebGpuBackend } = (await load()) as typeof import("./backends/webgpu/index.ts");
  backend = await createWebGpuBackend(gpu, { error: (message, hint) => new RuntimeError(message, { hint }) });
  if (!backend) return false;
  setAccelerator(backend.runtime);
  setDeviceBudget(shareOfMemory());
  setAccelerated(backend);
  return true;
}

/** Browsers do not say how much memory a GPU has: a quarter of the machine's, which they round down to 8 GB at most. */
function shareOfMemory(): number {
  const { deviceMemory = 4 } = navigator as { deviceMemory?: number };
  return Math.max(0.5, deviceMemory / 4) * 2 ** 30;
}

/** Whether "webgpu" can be used: there is a GPU, and it was started. */
export function isAvailable(): boolean {
  return backend !== null;
}

/** How many GPUs can be used: 1 or 0. */
export function deviceCount(): number {
  return backend === null ? 0 : 1;
}

/**
 * Waits until the GPU has done all that it was given.
 * @throws RuntimeError for work that failed: its numbers are wrong
 */
export async function synchronize(): Promise<void> {
  await backend?.runtime.settled();
  collectIfWorthIt();
}

/** Bytes that tensors hold on the GPU now. */
export function memoryAllocated(): number {
  return backend?.runtime.memorySummary.live ?? 0;
}

/** The most bytes that tensors ever held on the GPU. */
export function maxMemoryAllocated(): number {
  return backend?.runtime.memorySummary.peak ?? 0;
}

/** Gives memory that waits for the next tensor back to the system. */
export function emptyCache(): void {
  backend?.runtime.emptyCache();
}

/** What is held on the GPU, as a text of a few lines. @throws RuntimeError where there is no GPU */
export function memorySummary(): string {
  acceleratorOf();
  const { live, peak, idle, liveBuffers, idleBuffers, made } = backend!.runtime.memorySummary as MemorySummary;
  const line = (label: string, value: string) => `${label.padEnd(22)} ${value.padStart(12)}`;
  return [
    line("held by tensors", `${megabytes(live)} in ${liveBuffers}`),
    line("most ever held", megabytes(peak)),
    line("waiting for tensors", `${megabytes(idle)} in ${idleBuffers}`),
    line("buffers ever made", String(made)),
  ].join("\n");
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MB`;
}
