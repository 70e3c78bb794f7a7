/**
 * Which kernels the CPU runs. Each call goes to the chosen backend first; what that one lacks or declines (another dtype,
 * another layout) the reference serves, so the two together always answer.
 */
import type { Attempts, Backend, KernelName, Kernels } from "./backend.ts";
import { referenceBackend, referenceKernels } from "./reference/index.ts";
import { compileWasm, createWasmBackend, type WasmSource, type WasmVariant, wasmVariant } from "./wasm/index.ts";

export { type WasmSource, type WasmVariant, wasmFileName, wasmVariant } from "./wasm/index.ts";

let active: Backend = referenceBackend;

function dispatching<K extends KernelName>(name: K): Kernels[K] {
  type Kernel = (...args: Parameters<Kernels[K]>) => void;
  const reference = referenceKernels[name] as Kernel;
  const dispatch: Kernel = (...args) => {
    const attempt = active.kernels[name] as Attempts[K];
    if (attempt?.(...args) !== true) reference(...args);
  };
  return dispatch as Kernels[K];
}

/** The kernels that operations call for tensors on the CPU. */
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
