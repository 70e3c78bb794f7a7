/**
 * The worker's side of the wall. Everything that speaks to the page is captured here before a cell runs, and lives in this
 * module's closures: cells get functions that print, never a port.
 */
import { expose } from "comlink";
import type { CompiledRequest } from "../compile-request.ts";
import type { KernelApi, KernelEvent, RunResult } from "../protocol.ts";
import type { Engine } from "./engine.ts";
import { Kernel, type KernelHost } from "./kernel.ts";
import { freezeIntrinsics, removeCapabilities } from "./lockdown.ts";

/** What the page calls: the public protocol, and with a run's result the number of the last batch of its events. */
export interface WorkerApi extends Omit<KernelApi, "run"> {
  run(request: CompiledRequest): Promise<{ result: RunResult; batch: number }>;
}

/** What travels over the port of events. */
export type EventMessage =
  | { kind: "ready" }
  | { kind: "failed"; message: string }
  | { kind: "events"; events: KernelEvent[]; batch: number };

export interface StartOptions {
  generation: number;
}

let started = false;

/**
 * Starts the kernel, once per worker.
 * @param makeEngine is called before the lockdown
 */
export async function startKernel(
  options: StartOptions,
  ports: readonly MessagePort[],
  makeEngine: () => Promise<Engine>,
): Promise<void> {
  if (started) throw new TypeError("the kernel runs already");
  started = true;
  const [requests, events] = ports as [MessagePort, MessagePort];
  const send = events.postMessage.bind(events);
  try {
    const engine = await makeEngine();
    const host = browserHost(options.generation, (batch, number) => {
      send({ kind: "events", events: batch, batch: number } satisfies EventMessage);
    });
    const kernel = new Kernel(engine, host);
    const endpoint = {
      postMessage: requests.postMessage.bind(requests) as MessagePort["postMessage"],
      addEventListener: requests.addEventListener.bind(requests),
      removeEventListener: requests.removeEventListener.bind(requests),
      start: requests.start.bind(requests),
    };
    addEventListener("error", (event) => {
      event.preventDefault();
      event.stopImmediatePropagation();
      kernel.stray(event.error ?? new Error(event.message));
    });
    addEventListener("unhandledrejection", (event) => {
      event.preventDefault();
      event.stopImmediatePropagation();
      kernel.stray(event.reason);
    });
    removeCapabilities(globalThis);
    await kernel.start();
    freezeIntrinsics(globalThis);
    expose(apiOf(kernel, engine), endpoint as unknown as MessagePort);
    send({ kind: "ready" } satisfies EventMessage);
  } catch (error) {
    send({ kind: "failed", message: String((error as Error)?.message ?? error) } satisfies EventMessage);
  }
}

function apiOf(kernel: Kernel, engine: Engine): WorkerApi {
  return {
    async configure(options) {
      return kernel.configure(options);
    },
    async startWebGpu(text) {
      return kernel.startWebGpu(text);
    },
    async status() {
      return engine.status();
    },
    async loadDataset(file) {
      engine.provideDataset(file);
    },
    async run(request) {
      const result = await kernel.run(request);
      return { result, batch: kernel.flush() };
    },
    async interrupt() {
      kernel.interrupt();
    },
    async records(cellId) {
      return kernel.recordsOf(cellId);
    },
    async record(id) {
      return kernel.record(id);
    },
    async whatIf(change) {
      return kernel.whatIf(change);
    },
    async gradients(change, gradOutput) {
      return kernel.gradients(change, gradOutput);
    },
    async format(values, dtype) {
      return engine.formatNumbers(values, dtype);
    },
  };
}

/** The browser's means, captured: `removeCapabilities` takes most of them from the global object afterwards. */
function browserHost(generation: number, post: KernelHost["post"]): KernelHost {
  const {
    setTimeout: later,
    setInterval: repeat,
    queueMicrotask: soon,
    Blob: BlobClass,
    performance: clock,
  } = globalThis;
  const now = clock.now.bind(clock);
  const wallTime = Date.now.bind(Date);
  const createObjectURL = URL.createObjectURL.bind(URL);
  const revokeObjectURL = URL.revokeObjectURL.bind(URL);
  // A message to oneself turns the event loop without the 4 ms that nested timers wait.
  const { port1, port2 } = new MessageChannel();
  const poke = port2.postMessage.bind(port2);
  let resume: (() => void)[] = [];
  port1.onmessage = () => {
    const waiting = resume;
    resume = [];
    for (const each of waiting) each();
  };
  return {
    generation,
    post,
    now,
    wallTime,
    defer: (callback, ms) => void later(callback, ms),
    pause: () =>
      new Promise((resolve) => {
        resume.push(resolve);
        poke(null);
      }),
    createModule: (text) => createObjectURL(new BlobClass([text], { type: "text/javascript" })),
    async importModule(url) {
      try {
        return (await import(/* @vite-ignore */ url)) as Record<string, unknown>;
      } finally {
        revokeLater(url);
      }
    },
    setTimeout: (callback, ms) => later(callback, ms),
    setInterval: (callback, ms) => repeat(callback, ms),
    queueMicrotask: (callback) => soon(callback),
  };

  /** A module that has been evaluated is found by its URL for ever; its text need not be kept. */
  function revokeLater(url: string): void {
    revokeObjectURL(url);
  }
}
