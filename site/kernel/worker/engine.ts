/**
 * What the kernel needs of a tensor engine, and no more: tests give it a table of their own, the worker gives it Stride's
 * (stride-engine.ts).
 */

import type { LoopProgress } from "../../../engine/data/pause.ts";
import type { Recorder } from "../../../engine/inspect/recorder.ts";
import type { OpRecord } from "../../../engine/inspect/records.ts";
import type {
  DatasetFile,
  DeviceName,
  DeviceRefusal,
  GradientsAnswer,
  TensorboardEvent,
  TensorSummary,
  WhatIf,
} from "../protocol.ts";

export type { LoopProgress };

export interface PrintedValue {
  start: number;
  end: number;
  tensor: object;
}

export interface Engine {
  /** What cells may import: "torch" → its namespace. */
  modules: Record<string, object>;
  /** Python's print; writes to the sink. */
  print(...values: unknown[]): void;
  setPrintSink(sink: (text: string, tensors: PrintedValue[]) => void): void;
  /** Told each warning once, from then on anew. */
  setWarningSink(sink: (text: string) => void): void;
  /** Python's repr. */
  repr(value: unknown): string;
  isTensor(value: unknown): value is object;
  /** `data` is null when the tensor has more than `maxNumbers` elements. */
  summarize(tensor: object, maxNumbers: number): TensorSummary;
  formatNumbers(values: number[], dtype: string): string[];
  manualSeed(seed: number): void;
  setMemoryBudget(bytes: number): void;
  /** Gets the WebGPU backend ready. Whether there is a GPU that it can use. */
  startWebGpu(load: () => Promise<object>): Promise<boolean>;
  /** Where tensors are made from now on. Where "webgpu" is refused it is the CPU. */
  chooseDevice(device: DeviceName): Promise<DeviceRefusal | null>;
  /** Waits until what was given to the GPU is known to have worked. @throws the GPU's error, once */
  settle(): Promise<void>;
  /** Makes a value ready to be shown: what is on the GPU is fetched without holding anything up. */
  fetch(value: unknown): Promise<void>;
  /** @throws when tensors hold more than the budget. */
  checkMemory(): void;
  status(): { backend: string; simd: "none" | "simd" | "relaxed"; dataset: string | null };
  provideDataset(file: DatasetFile): void;
  setRecorder(recorder: Recorder | null): Recorder | null;
  setCallSite(provider: () => { cellId: string; line: number }): void;
  /** Runs a recorded operation again on copies, with changes; the record of that run comes to the recorder set. */
  replay(record: OpRecord, change: WhatIf): { code: string };
  /** The same, then backward from `gradOutput` (ones when null), dense in the output's shape. */
  gradients(
    record: OpRecord,
    change: WhatIf,
    gradOutput: number[] | null,
  ): Omit<Extract<GradientsAnswer, { ok: true }>, "ok">;
  /** SummaryWriter's events. */
  setTensorboardSink(sink: (event: TensorboardEvent) => void): void;
  /** Called by loops that give way to the event loop, so that Stop can end them. */
  setYieldCheck(check: () => void): void;
  /** Told how far each pass over a loader is. */
  setProgressSink(sink: (progress: LoopProgress) => void): void;
}
