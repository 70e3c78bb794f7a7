/**
 * What the page and the kernel say to each other. Requests travel by comlink over one MessagePort (KernelApi); streamed
 * events over another (KernelEvent), each stamped with the generation of the kernel that sent it, so that a dead kernel's
 * late words are dropped. Everything is structured-cloneable data: no HTML, no functions.
 */
import type { OpRecord, RecordSummary, TensorView } from "../../engine/inspect/records.ts";

export type DeviceName = "cpu" | "webgpu";
/** Why work stays on the CPU: there is no adapter that answers, or the GPU was there and is lost. */
export type DeviceRefusal = "absent" | "lost";
export type KernelState = "idle" | "starting" | "ready" | "running" | "stopped" | "dead";
export type CellState = "recorded" | "idle" | "queued" | "running" | "done" | "error" | "stale" | "stopped";

/** A tensor to show: its description, and its numbers where they are few enough to send. */
export interface TensorSummary extends Omit<TensorView, "data"> {
  device: string;
  /** Dense row-major; null when there are more than the kernel sends. */
  data: TensorView["data"] | null;
  /** PyTorch's text of it. */
  text: string;
}

/** RGB picture of w × h, ready for putImageData; never HTML. */
export interface Picture {
  width: number;
  height: number;
  /** RGBA */
  pixels: Uint8ClampedArray;
}

/** Where an error happened: positions in cells only, innermost first. */
export interface ErrorFrame {
  cellId: string;
  line: number;
  column: number;
  functionName: string;
}

export interface ErrorData {
  /** RuntimeError, ValueError, SyntaxError … */
  name: string;
  /** Without the "hint:" line. */
  message: string;
  hint: string | null;
  frames: ErrorFrame[];
  /** Shapes that met, for shape errors. */
  shapes: number[][] | null;
  /** A name used before any definition: the cell that defines it further down, if one does. */
  definedIn: string | null;
}

export type OutputItem =
  /** Printed text. All text items of a cell, joined, are what PyTorch's twin prints. `tensors` are those printed in it, by offset. */
  | {
      kind: "text";
      id: number;
      stream: "stdout" | "stderr";
      text: string;
      tensors: { start: number; end: number; tensor: TensorSummary }[];
    }
  /** The value of the cell's last expression, or of show(x). */
  | { kind: "tensor"; id: number; tensor: TensorSummary }
  | { kind: "value"; id: number; text: string }
  | { kind: "image"; id: number; label: string; picture: Picture; shape: number[] }
  | { kind: "table"; id: number; columns: string[]; rows: string[][] }
  | { kind: "chart"; id: number; label: string; series: { name: string; x: number[]; y: number[] }[] }
  | {
      kind: "progress";
      id: number;
      label: string;
      done: number;
      total: number | null;
      startedAt: number;
      rate: number | null;
      metrics: Record<string, number>;
    }
  | { kind: "error"; id: number; error: ErrorData };

export type TensorboardEvent =
  | {
      kind: "scalars";
      tag: string;
      step: number;
      value: number;
      wallTime: number /** The writer's folder: TensorBoard's run. */;
      logDir?: string;
    }
  | {
      kind: "images";
      tag: string;
      step: number;
      picture: Picture;
      shape: number[];
      clippedShare: number;
      tiles: { rows: number; columns: number } | null;
      wallTime: number;
      logDir?: string;
    };

export type KernelEvent = { generation: number; runId: number } & (
  | { type: "cell-state"; cellId: string; state: CellState; ms: number | null }
  /** A new item, or the new state of the one with the same id. */
  | { type: "output"; cellId: string; item: OutputItem }
  /** Text that continues the text item with this id. */
  | {
      type: "append";
      cellId: string;
      id: number;
      text: string;
      tensors: { start: number; end: number; tensor: TensorSummary }[];
    }
  | { type: "record"; record: RecordSummary }
  | { type: "tensorboard"; cellId: string; event: TensorboardEvent }
);

export interface RunRequest {
  runId: number;
  cellId: string;
  source: string;
  /** Free names of the cell → the cell that defines them, as site/lesson/dataflow.ts resolved them. */
  scope: Record<string, string>;
  /** Free names that only cells further down define, for the error that links there. */
  below?: Record<string, string>;
  /** Names it gives to later cells; an exercise gives none. */
  publishes: boolean;
  /** Test code of an exercise, run after the source in its scope. */
  check: string | null;
  /** Where its tensors are made, whatever is chosen for the lesson. Default: what is chosen. */
  device?: DeviceName | null;
}

export interface CheckVerdict {
  name: string;
  pass: boolean;
  /** The author's `why`, or what differed. */
  message: string | null;
}

export interface RunResult {
  state: "done" | "error" | "stopped";
  ms: number;
  error: ErrorData | null;
  verdicts: CheckVerdict[] | null;
}

/** Changes to a recorded call, tried on copies. Values are what the engine's own call would be given. */
export interface WhatIf {
  recordId: number;
  /** Another operation of the same family (max_pool2d and avg_pool2d); the record's own when absent. */
  op?: OpRecord["op"];
  /** Keywords in camelCase (stride, padding, dilation, groups; kernelSize, ceilMode …) that replace the record's. */
  attrs: Record<string, unknown>;
  /** New numbers for an input of the record by name ("weight"), dense, same shape unless `shape` says otherwise. */
  values: Record<string, { shape: number[]; data: number[] }>;
}

export type WhatIfAnswer = { ok: true; record: OpRecord; code: string } | { ok: false; error: ErrorData };

/**
 * What the engine's own backward makes of a recorded (or what-if) call: gradients of sum(output · gradOutput) with respect
 * to each input, by the record's input names ("input", "weight", "bias"). Integer tensors have no gradient in PyTorch, so
 * they are copied to float32 first and `promoted` says so.
 */
export type GradientsAnswer =
  | { ok: true; gradOutput: TensorView; gradients: Record<string, TensorView>; promoted: boolean }
  | { ok: false; error: ErrorData };

export interface DatasetFile {
  /** "cifar10" (official binary layout) or "standin" (the emoji atlas). */
  name: "cifar10" | "standin";
  train: ArrayBuffer | null;
  test: ArrayBuffer | null;
  atlas: ArrayBuffer | null;
}

/** What the worker exposes to the page through comlink. */
export interface KernelApi {
  /** Takes effect when the cell that runs has ended. Where "webgpu" is refused the answer says why, and work goes on on the CPU. */
  configure(options: { seed: number; device: DeviceName; memoryBudget: number }): Promise<DeviceRefusal | null>;
  /** The text of the WebGPU backend, once in the kernel's life. Whether there is a GPU that it can use. */
  startWebGpu(text: string): Promise<boolean>;
  /** Which data sets and engine the kernel has; used by the page to name them. */
  status(): Promise<{ backend: string; simd: "none" | "simd" | "relaxed"; dataset: string | null }>;
  loadDataset(file: DatasetFile): Promise<void>;
  run(request: RunRequest): Promise<RunResult>;
  /** A flag that loaders, tqdm and yields look at. */
  interrupt(): Promise<void>;
  records(cellId: string): Promise<RecordSummary[]>;
  record(id: number): Promise<OpRecord | null>;
  whatIf(change: WhatIf): Promise<WhatIfAnswer>;
  /** Runs the call again on copies that require grad, then backward; `gradOutput` is dense in the output's shape, null for ones. */
  gradients(change: WhatIf, gradOutput: number[] | null): Promise<GradientsAnswer>;
  /** PyTorch's text of numbers, as its printer writes them together. */
  format(values: number[], dtype: string): Promise<string[]>;
}

/** What the page holds: site/kernel/client.ts implements it. */
export interface KernelClient extends EventTarget {
  readonly state: KernelState;
  readonly generation: number;
  start(): Promise<void>;
  /** Ends the kernel and starts a fresh one: all names are gone. */
  restart(): Promise<void>;
  /** Flag first; after 300 ms the worker is ended. Resolves with whether the kernel had to be ended (its names are gone). */
  stop(): Promise<{ killed: boolean }>;
  run(request: Omit<RunRequest, "runId">): Promise<RunResult>;
  /** Proxied requests; rejected with KernelGoneError, never left hanging, when the kernel ends. */
  readonly api: Pick<
    KernelApi,
    "configure" | "status" | "loadDataset" | "records" | "record" | "whatIf" | "gradients" | "format"
  >;
  onEvent(listener: (event: KernelEvent) => void): () => void;
  /** "state" events: CustomEvent<KernelState>. "refused": CustomEvent<DeviceRefusal>, when "webgpu" was asked for in vain. */
}
