/** In the page: runs kernels on the GPU and on the reference, and says where they differ. */
import type { Attempts, DeviceMemory, View } from "../../engine/backends/backend.ts";
import { referenceKernels } from "../../engine/backends/reference/index.ts";
import { convKernels } from "../../engine/backends/webgpu/conv.ts";
import { createWebGpuBackend, type WebGpuBackend } from "../../engine/backends/webgpu/index.ts";
import { matmulKernels } from "../../engine/backends/webgpu/matmul.ts";
import type { DType, TypedArray } from "../../engine/core/dtype.ts";
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

function kernelsFor({ tiling, swaps }: KernelCase): Attempts {
  const { kernels, runtime } = backend;
  return tiling ? { ...kernels, ...matmulKernels(runtime, tiling), ...convKernels(runtime, tiling, swaps) } : kernels;
}

async function verdict(test: KernelCase): Promise<string | null> {
  const { kernel, args, writes, onCpu = [], declined = false } = test;
  const run = kernelsFor(test)[kernel] as ((...args: unknown[]) => boolean) | undefined;
  if (!run) return declined ? null : `there is no ${kernel}`;
  const arrays = new Map<TypedArray, TypedArray>();
  const expected = (args as unknown[]).map((arg) => onViews(arg, (view) => copied(view, arrays)));
  const memories = new Map<TypedArray, DeviceMemory>();
  const gpu = (args as unknown[]).map((arg, k) =>
    onCpu.includes(k) ? arg : onViews(arg, (view) => onGpu(view, memories)),
  );
  const served = run(...gpu);
  if (served === declined) return declined ? "it was served" : "it was declined";
  if (declined) return null;
  (referenceKernels[kernel] as (...args: unknown[]) => void)(...expected);
  for (const position of writes ?? [args.length - 1]) {
    const [want, got] = [expected, gpu].map((list) => [list[position]].flat().filter(isView));
    for (const [k, view] of got!.entries()) {
      const result = await fetched(view);
      const difference = compare(want![k]!, result, test) ?? beyondLimit(view, result);
      if (difference) return `argument ${position}: ${difference}`;
    }
  }
  await backend.runtime.settled();
  return null;
}

/** An argument is a view, a list of them, or something else. */
function onViews(arg: unknown, change: (view: View) => View): unknown {
  if (Array.isArray(arg)) return arg.map((item) => onViews(item, change));
  return isView(arg) ? change(arg) : arg;
}

/** Views of one array stay views of one. */
function copied(view: View, arrays: Map<TypedArray, TypedArray>): View {
  const data = arrays.get(view.data) ?? view.data.slice();
  arrays.set(view.data, data);
  return { ...view, data };
}

/** Kernels must not look at `data` of what is on the GPU. */
function onGpu({ data, shape, strides, offset, dtype }: View, memories: Map<TypedArray, DeviceMemory>): View {
  const memory = memories.get(data) ?? uploaded(data, dtype);
  memories.set(data, memory);
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

function uploaded(data: TypedArray, { name }: DType): DeviceMemory {
  const { runtime } = backend;
  const memory = runtime.allocate(data.length * 4);
  const floats = name === "float32";
  runtime.write(memory, floats ? new Float32Array(data) : new Int32Array(data));
  if (!floats) memory.limit = Array.from(data).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return memory;
}

/** The whole storage, so that what lies beside the view is compared too. */
async function fetched({ memory, dtype }: View): Promise<ArrayLike<number>> {
  const bytes = await backend.runtime.read(memory!, memory!.bytes);
  return dtype.name === "float32" ? new Float32Array(bytes) : new Int32Array(bytes);
}

/** What is less than the smallest normal number may be zero on a GPU. */
const LEAST_NORMAL = 2 ** -126;

function compare(
  { data, dtype }: View,
  got: ArrayLike<number>,
  { tolerance = 0, relative }: KernelCase,
): string | null {
  let scale = 0;
  for (const value of data) if (Number.isFinite(value)) scale = Math.max(scale, Math.abs(value));
  const signs = dtype.name === "float32" && (tolerance === 0 || relative !== undefined);
  for (let i = 0; i < data.length; i++) {
    const [a, b] = [data[i]!, got[i]!];
    if (Object.is(a, b) || (a === b && !signs)) continue;
    const within = relative === undefined ? tolerance * scale : Math.max(relative * Math.abs(a), LEAST_NORMAL);
    if (a !== b && Number.isFinite(a) && Math.abs(a - b) <= within) continue;
    return `element ${i} is ${text(b)}, the reference says ${text(a)}`;
  }
  return null;
}

const text = (value: number): string => (Object.is(value, -0) ? "-0" : String(value));

/** No integer may be larger than the memory says. */
function beyondLimit({ memory, dtype }: View, got: ArrayLike<number>): string | null {
  if (dtype.name === "float32") return null;
  for (let i = 0; i < got.length; i++) {
    if (Math.abs(got[i]!) > memory!.limit) return `element ${i} is ${got[i]}, the limit ${memory!.limit}`;
  }
  return null;
}
