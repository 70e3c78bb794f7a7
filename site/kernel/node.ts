/**
 * The kernel under Node, for scripts and tests: the same compiler and the same worker-side code, with Node's module loader
 * in place of blob URLs. Cells get addresses like `stride-cell:7/first-conv`, which a loader hook answers from memory.
 */
import { registerHooks } from "node:module";
import { compileRequest } from "./compile-request.ts";
import type { KernelEvent, OutputItem, RunRequest, RunResult } from "./protocol.ts";
import type { Engine } from "./worker/engine.ts";
import { Kernel, type KernelHost } from "./worker/kernel.ts";

const SCHEME = "stride-cell:";
const sources = new Map<string, string>();
let nextModule = 1;
let hooked = false;
/** A module that no test runner has rewritten: they replace `import()` in the files that they load. */
const IMPORTER = "data:text/javascript,export const load = (url) => import(url);";

async function nativeImport(): Promise<(url: string) => Promise<Record<string, unknown>>> {
  if (!hooked) {
    hooked = true;
    registerHooks({
      resolve: (specifier, context, next) =>
        specifier.startsWith(SCHEME)
          ? { url: specifier, shortCircuit: true, format: "module" }
          : next(specifier, context),
      load: (url, context, next) => {
        const source = sources.get(url);
        return source === undefined ? next(url, context) : { format: "module", shortCircuit: true, source };
      },
    });
  }
  const { load } = (await import(/* @vite-ignore */ IMPORTER)) as {
    load(url: string): Promise<Record<string, unknown>>;
  };
  return load;
}

export interface NodeRun extends RunResult {
  /** The output items as they stood at the end. */
  items: OutputItem[];
  /** Standard output, as PyTorch's twin would print it. */
  text: string;
}

export interface NodeKernel {
  /** Runs a cell; runs are queued. */
  run(request: Omit<RunRequest, "runId">): Promise<NodeRun>;
  interrupt(): void;
  readonly kernel: Kernel;
  /** Every event so far, in order. */
  readonly events: readonly KernelEvent[];
  /** Lets go of the process: no more hooks on its errors. */
  dispose(): void;
}

export interface NodeKernelOptions {
  /** torch.manualSeed at the start. Default 0. */
  seed?: number;
  /** Another engine than Stride's. */
  engine?: Engine;
  onEvent?: (event: KernelEvent) => void;
}

/** A fresh kernel: no names, seeded. The engine's own state (its seed, its data sets) is one for the whole process. */
export async function createNodeKernel(options: NodeKernelOptions = {}): Promise<NodeKernel> {
  const engine = options.engine ?? (await strideEngine());
  const load = await nativeImport();
  // A call deep in a model must still show the cell's line.
  Error.stackTraceLimit = Math.max(Error.stackTraceLimit, 60);
  const events: KernelEvent[] = [];
  const host: KernelHost = {
    generation: 1,
    now: () => performance.now(),
    wallTime: () => Date.now(),
    defer: (callback, ms) => void setTimeout(callback, ms).unref(),
    pause: () => new Promise((resolve) => setImmediate(resolve)),
    post(batch) {
      for (const event of batch) {
        events.push(event);
        options.onEvent?.(event);
      }
    },
    createModule(text, name) {
      const url = `${SCHEME}${nextModule++}/${encodeURIComponent(name)}`;
      sources.set(url, text);
      return url;
    },
    async importModule(url) {
      try {
        return await load(url);
      } finally {
        sources.delete(url);
      }
    },
    setTimeout: (callback, ms) => setTimeout(callback, ms),
    setInterval: (callback, ms) => setInterval(callback, ms),
    queueMicrotask,
  };
  const kernel = new Kernel(engine, host);
  await kernel.start();
  engine.manualSeed(options.seed ?? 0);
  const stray = (error: unknown): void => kernel.stray(error);
  process.on("unhandledRejection", stray);
  let runId = 1;
  return {
    kernel,
    events,
    async run(request) {
      const id = runId++;
      const result = await kernel.run(compileRequest({ ...request, runId: id }));
      kernel.flush();
      const items = itemsOf(events, id);
      const text = items.map((item) => (item.kind === "text" && item.stream === "stdout" ? item.text : "")).join("");
      return { ...result, items, text };
    },
    interrupt: () => kernel.interrupt(),
    dispose: () => void process.off("unhandledRejection", stray),
  };
}

async function strideEngine(): Promise<Engine> {
  const [{ initWasm }, { engineTools }] = await Promise.all([
    import("../../engine/backends/index.ts"),
    import("./worker/engine-tools.ts"),
  ]);
  return engineTools((await initWasm()) ?? "none");
}

/** The items of a run, with appended text joined and updates applied. */
export function itemsOf(events: readonly KernelEvent[], runId: number): OutputItem[] {
  const items = new Map<number, OutputItem>();
  for (const event of events) {
    if (event.runId !== runId) continue;
    if (event.type === "output") items.set(event.item.id, { ...event.item });
    else if (event.type === "append") {
      const item = items.get(event.id);
      if (item?.kind !== "text") continue;
      item.text += event.text;
      item.tensors = [...item.tensors, ...event.tensors];
    }
  }
  return [...items.values()];
}
