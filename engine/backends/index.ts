/**
 * Which kernels the CPU runs. Each call goes to the chosen backend first; what that one lacks or declines (another dtype,
 * another layout) the reference serves, so the two together always answer.
 */
import type { Attempts, Backend, KernelName, Kernels } from "./backend.ts";
import { referenceBackend, referenceKernels } from "./reference/index.ts";

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
