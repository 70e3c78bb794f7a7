/** Operands of kernels that want them row by row: as they are, or copied so first. */
import { contiguousStrides } from "../../core/shape.ts";
import type { View } from "../backend.ts";
import { isDense, sizeOf } from "../reference/strided.ts";
import { copyKernels } from "./copy.ts";
import { ELEMENT_BYTES, type Memory } from "./memory.ts";
import type { Dispatch, Runtime } from "./runtime.ts";

export interface Operand {
  memory: Memory;
  /** Where the first element lies. */
  offset: number;
}

export interface Target extends Operand {
  /** The tensor is all there is in the memory. */
  whole: boolean;
}

export const isFloat32 = (...views: readonly View[]): boolean => views.every(({ dtype }) => dtype.name === "float32");

/**
 * Calls back with the operands of a kernel.
 * @returns false, with nothing done, when one is not on the GPU, cannot be copied, or is read and written
 */
export function withDense(
  runtime: Runtime,
  inputs: readonly View[],
  outputs: readonly View[],
  work: (inputs: readonly Operand[], targets: readonly Target[]) => void,
): boolean {
  const targets = outputs.map(targetOf);
  if (!targets.every((target) => target !== null)) return false;
  if (inputs.some(({ memory }) => !memory || targets.some((target) => target.memory === memory))) return false;
  const copies: Memory[] = [];
  const operands: Operand[] = [];
  for (const view of inputs) {
    const memory = view.memory as Memory;
    if (isDense(view)) operands.push({ memory, offset: view.offset });
    else {
      const copied = denseCopy(runtime, view);
      copies.push(copied.memory);
      if (!copied.done) break;
      operands.push({ memory: copied.memory, offset: 0 });
    }
  }
  const complete = operands.length === inputs.length;
  if (complete) work(operands, targets);
  for (const copy of copies) runtime.free(copy);
  return complete;
}

function denseCopy(runtime: Runtime, view: View): { memory: Memory; done: boolean } {
  const memory = runtime.allocate(sizeOf(view) * ELEMENT_BYTES);
  const { shape, dtype } = view;
  const out: View = { data: NO_DATA, memory, shape, strides: contiguousStrides(shape), offset: 0, dtype };
  return { memory, done: copyKernels(runtime).copy?.(view, out) === true };
}

/** What a view on the GPU has none of. */
const NO_DATA = new Float32Array(0);

function targetOf(view: View): Target | null {
  const memory = view.memory as Memory | undefined;
  return memory ? { memory, offset: view.offset, whole: sizeOf(view) * ELEMENT_BYTES === memory.bytes } : null;
}

/** How a dispatch writes its targets: all of what is in their memory, or a part of it. */
export function written(targets: readonly Target[]): Pick<Dispatch, "writes" | "updates"> {
  const memories = targets.map(({ memory }) => memory);
  return targets.every(({ whole }) => whole) ? { writes: memories } : { writes: [], updates: memories };
}
