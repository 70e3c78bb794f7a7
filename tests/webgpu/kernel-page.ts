/** In the page: runs kernels on the GPU and on the reference, and says where they differ. */
import type { View } from "../../engine/backends/backend.ts";
import { referenceKernels } from "../../engine/backends/reference/index.ts";
import { createWebGpuBackend, type WebGpuBackend } from "../../engine/backends/webgpu/index.ts";
import type { KernelCase } from "./kernel-cases.ts";
import { FAMILIES } from "./kernel-families.ts";

let backend: WebGpuBackend;

/** What the tests ran on. @throws where there is no adapter: these tests are about one */
export async function start(): Promise<{ readsSync: boolean }> {
  const created = await createWebGpuBackend(navigator.gpu, { error: (message) => new Error(message) });
  if (!created) throw new Error("no WebGPU adapter");
  backend = created;
  return { readsSync: backend.runtime.readsSync };
}

export interface Verdict {
  title: string;
  error: string | null;
}

/** All cases of one family of kernels. */
export async function runFamily(family: string): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const { title, ...rest } of FAMILIES[family]!()) {
    verdicts.push({ title, error: await verdict({ title, ...rest }).catch((error: unknown) => String(error)) });
  }
  return verdicts;
}

const isView = (arg: unknown): arg is View => typeof arg === "object" && arg !== null && "strides" in arg;

async function verdict({ kernel, args, writes, tolerance = 0, declined = false }: KernelCase): Promise<string | null> {
  const run = backend.kernels[kernel] as ((...args: unknown[]) => boolean) | undefined;
  if (!run) return declined ? null : `there is no ${kernel}`;
  const expected = (args as unknown[]).map((arg) => (isView(arg) ? { ...arg, data: arg.data.slice() } : arg));
  const gpu = (args as unknown[]).map((arg) => (isView(arg) ? onGpu(arg) : arg));
  const served = run(...gpu);
  if (served === declined) return declined ? "it was served" : "it was declined";
  if (declined) return null;
  (referenceKernels[kernel] as (...args: unknown[]) => void)(...expected);
  for (const position of writes ?? [args.length - 1]) {
    const [want, got] = [expected[position] as View | null, gpu[position] as View | null];
    if (!want || !got) continue;
    const difference = compare(want, await fetched(got), tolerance);
    if (difference) return `argument ${position}: ${difference}`;
  }
  await backend.runtime.settled();
  return null;
}

/** Kernels must not look at `data` of what is on the GPU. */
function onGpu(view: View): View {
  const { runtime } = backend;
  const memory = runtime.allocate(view.data.length * 4);
  const floats = view.dtype.name === "float32";
  runtime.write(memory, floats ? new Float32Array(view.data) : new Int32Array(view.data));
  if (!floats) memory.limit = Array.from(view.data).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const { shape, strides, offset, dtype } = view;
  return {
    shape,
    strides,
    offset,
    dtype,
    memory,
    get data(): never {
      throw new Error("a kernel read data of a tensor on the GPU");
    },
  };
}

/** The whole storage, so that what lies beside the view is compared too. */
async function fetched({ memory, dtype }: View): Promise<ArrayLike<number>> {
  const bytes = await backend.runtime.read(memory!, memory!.bytes);
  return dtype.name === "float32" ? new Float32Array(bytes) : new Int32Array(bytes);
}

function compare({ data }: View, got: ArrayLike<number>, tolerance: number): string | null {
  let scale = 0;
  for (const value of data) if (Number.isFinite(value)) scale = Math.max(scale, Math.abs(value));
  for (let i = 0; i < data.length; i++) {
    const [a, b] = [data[i]!, got[i]!];
    if (Object.is(a, b) || a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    if (!(Math.abs(a - b) <= tolerance * scale)) return `element ${i} is ${b}, the reference says ${a}`;
  }
  return null;
}
