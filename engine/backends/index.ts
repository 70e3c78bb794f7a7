/**
 * Which kernels the CPU runs. Each call goes to the chosen backend first; what that one lacks or declines (another dtype,
 * another layout) the reference serves, so the two together always answer.
 */
import { nextOperation } from "../core/device_memory.ts";
import { DeviceView } from "../core/storage.ts";
import { type Attempts, type Backend, type KernelName, type Kernels, type View, WRITES } from "./backend.ts";
import { referenceBackend, referenceKernels } from "./reference/index.ts";
import { compileWasm, createWasmBackend, type WasmSource, type WasmVariant, wasmVariant } from "./wasm/index.ts";

export { type WasmSource, type WasmVariant, wasmFileName, wasmVariant } from "./wasm/index.ts";

let active: Backend = referenceBackend;
/** The kernels of another device, once it was started. */
let accelerated: Backend | null = null;

function dispatching<K extends KernelName>(name: K): Kernels[K] {
  type Kernel = (...args: Parameters<Kernels[K]>) => void;
  const reference = referenceKernels[name] as Kernel;
  const dispatch: Kernel = (...args) => {
    if (accelerated !== null && args.some(isOnDevice)) {
      runOnDevice(accelerated.kernels[name], WRITES[name], args, dispatch);
      return;
    }
    const attempt = active.kernels[name] as Attempts[K];
    if (attempt?.(...args) !== true) reference(...args);
  };
  return dispatch as Kernels[K];
}

const isOnDevice = (arg: unknown): boolean => arg instanceof DeviceView || (Array.isArray(arg) && arg.some(isOnDevice));

/** On the device where it has a kernel for such operands; else on the CPU, where they are fetched for it. */
function runOnDevice(attempt: unknown, writes: readonly number[], args: unknown[], onCpu: unknown): void {
  nextOperation();
  if ((attempt as ((...args: unknown[]) => boolean) | undefined)?.(...args)) {
    for (const position of writes) changed(args[position]);
    return;
  }
  (onCpu as (...args: unknown[]) => void)(...args.map((arg, position) => fetched(arg, writes.includes(position))));
}

function changed(arg: unknown): void {
  if (arg instanceof DeviceView) arg.storage.changedOnDevice();
  else if (Array.isArray(arg)) arg.forEach(changed);
}

/** Views of the elements on the CPU in place of those on the device. */
function fetched(arg: unknown, written: boolean): unknown {
  if (Array.isArray(arg)) return arg.map((each) => fetched(each, written));
  if (!(arg instanceof DeviceView)) return arg;
  const { storage, shape, strides, offset, dtype } = arg;
  return { data: written ? storage.data : storage.contents, shape, strides, offset, dtype } satisfies View;
}

/** The kernels that operations call. */
export const kernels = Object.fromEntries(
  (Object.keys(referenceKernels) as KernelName[]).map((name) => [name, dispatching(name)]),
) as unknown as Kernels;

const available = new Map<string, Backend>([["reference", referenceBackend]]);

/**
 * Starts the WebAssembly kernels and makes them the CPU's choice.
 *
 * @param source the bytes of one build, or a function that gets them; default: the files that `npm run build:wasm` makes,
 *   read from disk in Node and fetched from beside this module elsewhere.
 * @returns the build that runs now, or null where the runtime has no WebAssembly SIMD or the build isn't there: the
 *   reference kernels serve then, slower and just as correct.
 */
export async function initWasm(source?: WasmSource): Promise<WasmVariant | null> {
  const variant = wasmVariant();
  if (!variant) return null;
  try {
    const backend = createWasmBackend(await compileWasm(variant, source));
    available.set("wasm", backend);
    active = backend;
    return variant;
  } catch (error) {
    console.warn(`The fast kernels could not be started, the slower ones serve: ${String(error)}`);
    return null;
  }
}

/** Hands the operations on tensors of another device to its kernels. @internal */
export function setAccelerated(backend: Backend | null): void {
  accelerated = backend;
}

/** The name of the backend that serves the CPU now. */
export function currentBackend(): "reference" | "wasm" {
  return active.name === "wasm" ? "wasm" : "reference";
}

/**
 * Chooses the CPU's backend: tests compare the two with it. The fastest available one is chosen by itself.
 * @throws Error for "wasm" before it has been started, or where the runtime cannot run it.
 */
export function useBackend(name: "reference" | "wasm"): void {
  const backend = available.get(name);
  if (!backend) throw new Error(`the ${name} backend has not been started: await initWasm() first`);
  active = backend;
}
