/**
 * The visualizers alone on a page, over PyTorch's recorded numbers and a brute-force kernel: what their browser tests drive.
 * `?show=seed,layer&lang=zh-cn&theme=dark&run=1` chooses what stands there.
 */
import "../../../../site/styles/roles.css";
import "../../../../site/styles/tokens.css";
import "./page.css";
import type { OpRecord, RecordSummary, TensorView } from "../../../../engine/inspect/records.ts";
import type { LessonRuntime } from "../../../../site/components/runtime.ts";
import type { KernelClient, WhatIf, WhatIfAnswer } from "../../../../site/kernel/protocol.ts";
import { provisional } from "../../../../site/visualizers/shell/format.ts";
import { diagnose, settingsOf } from "../../../../site/visualizers/shell/whatif.ts";
import "../../../../site/visualizers/index.ts";
import { naiveConv, naiveGradients, naivePool, view } from "../naive.ts";
import json from "../records.json" with { type: "json" };

const query = new URLSearchParams(location.search);
const locale = query.get("lang") === "zh-cn" ? "zh-cn" : "en";
document.documentElement.dataset.theme = query.get("theme") ?? "light";
document.documentElement.lang = locale;

function revive(value: unknown): unknown {
  if (Array.isArray(value) || value === null || typeof value !== "object") return value;
  const loose = value as { data?: number[]; dtype?: string };
  if (Array.isArray(loose.data))
    return {
      ...loose,
      data: loose.dtype === "float32" ? Float32Array.from(loose.data) : Float64Array.from(loose.data),
    };
  return Object.fromEntries(Object.entries(loose).map(([key, entry]) => [key, revive(entry)]));
}

const SOURCES: Record<string, string> = {
  seed: 'import * as torch from "torch";\nimport * as F from "torch/nn/functional";\n\nconst input = torch.tensor([[1]]);\nconst kernel = torch.tensor([[1]]);\n\nprint(F.conv2d(input, kernel, { stride: 1 }));\n\n\nprint(F.conv2d(input, kernel, { stride: 2 }));\n\n\nprint(F.conv2d(input, kernel, { stride: 1, padding: 1 }));\n',
  seedPool:
    'import { nn } from "torch";\nclass Tudui extends nn.Module {\n  maxpool1 = new nn.MaxPool2d(3, { ceilMode: true });\n}\n',
};

const random = mulberry(7);
function mulberry(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A batch as the lesson's own: (n, 3, 32, 32) pictures and six filters. */
function batch(n: number): OpRecord[] {
  const picture = Array.from({ length: n * 3 * 32 * 32 }, (_, k) => {
    const row = Math.floor(k / 32) % 32;
    const col = k % 32;
    const plane = Math.floor(k / 1024);
    return Math.round(255 * (0.5 + 0.4 * Math.sin((row * (plane + 2) + col * 3) / 14) + 0.1 * random())) / 255;
  });
  const weight = Array.from({ length: 6 * 3 * 9 }, () => (random() * 2 - 1) * 0.19);
  const bias = Array.from({ length: 6 }, () => (random() * 2 - 1) * 0.19);
  const x = view([n, 3, 32, 32], picture);
  return [
    {
      ...naiveConv(x, view([6, 3, 3, 3], weight), view([6], bias), {
        stride: [1, 1],
        padding: [0, 0],
        dilation: [1, 1],
        groups: 1,
      }),
      module: "conv1",
      line: 12,
    },
  ];
}

function recordsOf(cellId: string): OpRecord[] {
  const known = (json as Record<string, unknown[]>)[cellId];
  const records = known ? (known.map(revive) as OpRecord[]) : batch(cellId === "batch64" ? 64 : 4);
  return records.map((record) => ({ ...record, cellId }));
}

const store = new Map<number, OpRecord>();

function applied(change: WhatIf): WhatIfAnswer {
  const record = store.get(change.recordId);
  if (!record) throw new Error(`no record ${change.recordId}`);
  const attrs = { ...record.attrs, ...change.attrs };
  const tensor = (name: string, old: TensorView): TensorView => {
    const value = change.values[name];
    return value ? view(value.shape, value.data, old.dtype) : old;
  };
  const input = tensor("input", record.inputs.input);
  const done =
    record.op === "conv2d"
      ? naiveConv(
          input,
          tensor("weight", record.inputs.weight),
          record.inputs.bias,
          attrs as Parameters<typeof naiveConv>[3],
        )
      : naivePool(
          input,
          (change.op ?? record.op) as "max_pool2d" | "avg_pool2d",
          attrs as Parameters<typeof naivePool>[2],
        );
  const trouble = diagnose(record, settingsOf(done));
  const empty = done.geometry.outH < 1 || done.geometry.outW < 1;
  if (trouble || empty) {
    const g = done.geometry;
    const size = (axis: "h" | "w") => g[axis] + 2 * (axis === "h" ? g.padTop : g.padLeft);
    const message =
      record.op === "conv2d"
        ? `Calculated padded input size per channel: (${size("h")} x ${size("w")}). Kernel size: (${g.kernelH} x ${g.kernelW}). Kernel size can't be greater than actual input size`
        : g.padTop * 2 > g.kernelH
          ? `pad should be at most half of effective kernel size, but got pad=${g.padTop}, kernel_size=${g.kernelH} and dilation=${g.dilationH}`
          : `Given input size: (1x${g.h}x${g.w}). Calculated output size: (1x0x0). Output size is too small`;
    return {
      ok: false,
      error: { name: "RuntimeError", message, hint: null, frames: [], shapes: null, definedIn: null },
    };
  }
  return { ok: true, record: done, code: `F.${record.op}(…)` };
}

const api: KernelClient["api"] = {
  configure: async () => null,
  status: async () => ({ backend: "naive", simd: "none", dataset: null }),
  loadDataset: async () => undefined,
  records: async () => [],
  record: async (id) => store.get(id) ?? null,
  whatIf: async (change) => applied(change),
  gradients: async (change, seed) => {
    const answer = applied(change);
    if (!answer.ok) return answer;
    const { record } = answer;
    const dy = seed ?? new Array<number>(record.output.data.length).fill(1);
    const gradients = naiveGradients(record, dy);
    const shaped = Object.fromEntries(
      Object.entries(gradients).map(([name, data]) => [
        name,
        view(
          record.inputs[name as "input"].shape,
          data.map((g) => Math.round(g * 4096) / 4096),
        ),
      ]),
    );
    return {
      ok: true,
      gradOutput: view(record.output.shape, dy),
      gradients: shaped,
      promoted: record.inputs.input.dtype === "int64",
    };
  },
  format: async (values, dtype) => (dtype.startsWith("float") ? provisional(values) : values.map(String)),
};

class Lesson extends HTMLElement implements LessonRuntime {
  readonly locale = locale;
  readonly lessonId = "harness";
  /** No cell, exercise or prediction: a visualizer asks the runtime for records only. */
  readonly lesson = {} as LessonRuntime["lesson"];
  readonly client = { api } as unknown as KernelClient;
  readonly #sources = new Map(Object.entries(SOURCES));
  readonly #states = new Map<string, ReturnType<LessonRuntime["state"]>>();
  readonly #summaries = new Map<string, RecordSummary[]>();
  readonly #records = new Map<string, Set<(records: RecordSummary[]) => void>>();
  readonly #cells = new Set<(cellId: string, state: ReturnType<LessonRuntime["state"]>) => void>();

  ready(): Promise<void> {
    return Promise.resolve();
  }
  stop(): Promise<void> {
    return Promise.resolve();
  }
  goTo(): void {}
  runExercise(): Promise<never> {
    return Promise.reject(new Error("the harness has no exercises"));
  }
  source(cellId: string): string {
    return this.#sources.get(cellId) ?? "";
  }
  setSource(cellId: string, source: string): void {
    this.#sources.set(cellId, source);
    this.#turn(cellId, "stale");
  }
  state(cellId: string): ReturnType<LessonRuntime["state"]> {
    return this.#states.get(cellId) ?? "recorded";
  }
  async runCell(cellId: string): Promise<void> {
    this.#turn(cellId, "running");
    await Promise.resolve();
    const records = recordsOf(cellId);
    for (const record of records) store.set(record.id, record);
    const summaries = records.map(({ id, op, line, module, inputs, output }) => ({
      id,
      op,
      cellId,
      line,
      module,
      inputShape: inputs.input.shape,
      outputShape: output.shape,
    }));
    this.#summaries.set(cellId, summaries);
    this.#turn(cellId, "done");
    for (const listener of this.#records.get(cellId) ?? []) listener(summaries);
  }
  onRecords(cellId: string, listener: (records: RecordSummary[]) => void): () => void {
    const set = this.#records.get(cellId) ?? new Set();
    this.#records.set(cellId, set.add(listener));
    const known = this.#summaries.get(cellId);
    if (known) listener(known);
    return () => set.delete(listener);
  }
  onCellState(listener: (cellId: string, state: ReturnType<LessonRuntime["state"]>) => void): () => void {
    this.#cells.add(listener);
    return () => this.#cells.delete(listener);
  }
  onTensorboard(): () => void {
    return () => undefined;
  }
  #turn(cellId: string, state: ReturnType<LessonRuntime["state"]>): void {
    this.#states.set(cellId, state);
    for (const listener of this.#cells) listener(cellId, state);
  }
}
customElements.define("stride-lesson", Lesson);

const lesson = document.createElement("stride-lesson") as Lesson;
document.querySelector("main")!.append(lesson);
for (const cellId of (query.get("show") ?? "seed").split(",")) {
  const element = document.createElement("stride-visualizer");
  const op = cellId.toLowerCase().includes("pool") || cellId === "ghost" ? "max_pool2d" : "conv2d";
  Object.assign(element.dataset, { kind: op === "conv2d" ? "conv2d" : "pool2d", of: cellId, op });
  lesson.append(element);
  if (query.get("run") !== "0") void lesson.runCell(cellId);
}
