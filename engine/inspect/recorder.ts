/**
 * The hook through which visualizers see what a cell's operations really did. Off by default; the kernel turns it on.
 * A draft costs nothing until somebody takes it: only then are the tensors copied.
 */
import { acceleratorOf, CPU, currentDevice, onDevice } from "../core/device.ts";
import type { TypedArray } from "../core/dtype.ts";
import { gatherDense } from "../core/storage.ts";
import type { Tensor } from "../core/tensor.ts";
import type { OpRecord, TensorView } from "./records.ts";

export interface RecordDraft {
  op: OpRecord["op"];
  /** Bytes that taking it copies. */
  bytes: number;
  take(): OpRecord;
}

export interface CallSite {
  cellId: string;
  line: number;
}

/** Decides whether a call is kept; called while the operation returns, so `site` may look at the stack. */
export type Recorder = (draft: RecordDraft) => void;

let recorder: Recorder | null = null;
let nextId = 1;

/** Starts (or with null stops) recording; returns the recorder that was set before. */
export function setRecorder(next: Recorder | null): Recorder | null {
  const before = recorder;
  recorder = next;
  return before;
}

/** Whether somebody watches, and what is computed now can be looked at at once: not every browser has a way to ask its GPU. */
export function isRecording(): boolean {
  return recorder !== null && (currentDevice() === CPU || acceleratorOf().readsSync);
}

export function record(draft: RecordDraft): void {
  recorder?.(draft);
}

let callSite: () => CallSite = () => ({ cellId: "", line: 0 });

/** Who says which cell and line are running; asked once for each record that is taken. */
export function setCallSite(provider: () => CallSite): void {
  callSite = provider;
}

const modulePath: string[] = [];

/** Called by nn.Module around forward, so that records name the layer. */
export function enterModule(name: string): void {
  modulePath.push(name);
}

export function leaveModule(): void {
  modulePath.pop();
}

/** Dotted path of the modules whose forward is running, without the outermost: "conv1", "layer.0". */
export function currentModule(): string {
  return modulePath.filter((name) => name !== "").join(".");
}

/** What every record starts with. */
export function recordHead(): { id: number; cellId: string; line: number; module: string } {
  return { id: nextId++, ...callSite(), module: currentModule() };
}

/** A dense copy of a tensor with the identity of the original. */
export function snapshot(tensor: Tensor): TensorView {
  const { storage, shape, strides, offset, dtype, requiresGrad, gradFn } = tensor;
  const identity = {
    shape: [...shape],
    strides: [...strides],
    offset,
    dtype: dtype.name,
    storageId: storage.id,
    version: storage.version,
    requiresGrad,
    gradFn: gradFn?.name ?? null,
  };
  if (storage.device === CPU) return { ...identity, data: tensor.denseData().slice() };
  // A copy stays on the device until somebody looks: few records are ever opened, and each fetch would hold the cell up.
  const kept = storage.copyTo(CPU);
  const count = tensor.numel();
  let data: TypedArray | null = null;
  return {
    ...identity,
    get data() {
      if (data === null) {
        // Looking is no operation of the cell, which would warn of the way from the GPU.
        data = onDevice(CPU, null, () => gatherDense({ storage: kept, shape, strides, offset }, count));
        kept.release();
      }
      return data;
    },
  };
}

export function bytesOf(...tensors: (Tensor | null)[]): number {
  return tensors.reduce((sum, t) => sum + (t ? t.numel() * t.dtype.itemsize : 0), 0);
}
