/**
 * The page's hold on the kernel: starts it, sends it requests, hands its events on once per frame, and is never left waiting
 * for a kernel that is gone.
 */
import { type Remote, wrap } from "comlink";
import type { OpRecord } from "../../engine/inspect/records.ts";
import { KernelFrame } from "./frame.ts";
import type {
  CellState,
  DatasetFile,
  DeviceRefusal,
  GradientsAnswer,
  KernelApi,
  KernelClient,
  KernelEvent,
  KernelState,
  RunRequest,
  RunResult,
  WhatIfAnswer,
} from "./protocol.ts";
import type { EventMessage, WorkerApi } from "./worker/start.ts";

/** A request to a kernel that has ended, or ended before it answered. */
export class KernelGoneError extends Error {
  constructor(message = "the kernel has ended") {
    super(message);
    this.name = "KernelGoneError";
  }
}

/** The kernel did not come up: blocked by the browser or an extension, or its text could not be fetched. */
export class KernelStartError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "KernelStartError";
  }
}

export interface KernelClientOptions {
  /** The kernel's text: one ES module that exports `start`. */
  kernelText: () => Promise<string>;
  /** The text of the WebGPU backend. Without it there is only the CPU. */
  webGpuText?: () => Promise<string>;
  /** Milliseconds until a kernel that says nothing is given up. Default 15 000: a slow phone takes five. */
  startTimeout?: number;
  /** Milliseconds that Stop leaves the cell to end by itself. Default 300. */
  stopGrace?: number;
}

interface Flight {
  request: RunRequest;
  startedAt: number;
  settled: boolean;
  resolve(result: RunResult): void;
  reject(error: Error): void;
}

/** One kernel's life, from its frame to its end. */
interface Connection {
  remote: Remote<WorkerApi>;
  /** Rejects what waits for an answer. */
  waiting: Set<(error: Error) => void>;
  /** Number of the last batch of events that has arrived, and who waits for one. */
  batch: number;
  batchWaiters: { batch: number; resolve: () => void }[];
  /** Once the WebGPU backend is on its way to this kernel. */
  webGpu: Promise<unknown> | null;
}

class StrideKernelClient extends EventTarget implements KernelClient {
  state: KernelState = "idle";
  generation = 0;
  readonly api: KernelClient["api"];
  private readonly options: KernelClientOptions;
  private frame: KernelFrame | null = null;
  private connection: Connection | null = null;
  private starting: Promise<void> | null = null;
  private readonly listeners = new Set<(event: KernelEvent) => void>();
  private pendingEvents: KernelEvent[] = [];
  private frameRequested = false;
  private readonly flights = new Map<number, Flight>();
  private nextRunId = 1;
  /** Repeated for each new kernel. */
  private configuration: Parameters<KernelApi["configure"]>[0] | null = null;
  private readonly datasets = new Map<string, DatasetFile>();

  constructor(options: KernelClientOptions) {
    super();
    this.options = options;
    this.api = {
      configure: async (configuration) => {
        this.configuration = configuration;
        return this.connection && this.state !== "starting" ? this.configure() : null;
      },
      loadDataset: async (file) => {
        this.datasets.set(file.name, file);
        if (this.connection && this.state !== "starting") await this.request((remote) => remote.loadDataset(file));
      },
      status: () => this.whenStarted((remote) => remote.status()),
      records: (cellId) => this.whenStarted((remote) => remote.records(cellId)),
      record: (id) => this.whenStarted((remote) => remote.record(id) as Promise<OpRecord | null>),
      whatIf: (change) => this.whenStarted((remote) => remote.whatIf(change) as Promise<WhatIfAnswer>),
      gradients: (change, gradOutput) =>
        this.whenStarted((remote) => remote.gradients(change, gradOutput) as Promise<GradientsAnswer>),
      format: (values, dtype) => this.whenStarted((remote) => remote.format(values, dtype)),
    };
  }

  onEvent(listener: (event: KernelEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  start(): Promise<void> {
    if (this.connection && !this.starting) return Promise.resolve();
    this.starting ??= this.open().finally(() => {
      this.starting = null;
    });
    return this.starting;
  }

  async restart(): Promise<void> {
    this.end("stopped", new KernelGoneError("the kernel was restarted"));
    await this.starting?.catch(() => {});
    await this.start();
  }

  async run(request: Omit<RunRequest, "runId">): Promise<RunResult> {
    if (this.state === "dead") throw new KernelGoneError("the kernel has died: restart it");
    const runId = this.nextRunId++;
    const whole: RunRequest = { ...request, runId };
    const result = new Promise<RunResult>((resolve, reject) => {
      this.flights.set(runId, { request: whole, startedAt: performance.now(), settled: false, resolve, reject });
    });
    if (this.flights.size > 1) this.cellState(runId, request.cellId, "queued");
    try {
      await this.start();
    } catch (error) {
      this.flights.delete(runId);
      throw error;
    }
    const flight = this.flights.get(runId);
    if (flight) {
      this.setState("running");
      this.fly(flight).catch((error: unknown) => this.land(runId, (it) => it.reject(error as Error)));
    }
    return result;
  }

  private async fly({ request }: Flight): Promise<void> {
    const connection = this.connection;
    const { compileRequest } = await import("./compile-request.ts");
    if (this.wantsWebGpu(request)) await this.giveWebGpu();
    const { result, batch } = await this.request((remote) => remote.run(compileRequest(request)));
    if (connection) await this.arrived(connection, batch);
    this.deliver();
    this.land(request.runId, (flight) => flight.resolve(result));
  }

  async stop(): Promise<{ killed: boolean }> {
    const inFlight = [...this.flights.values()];
    if (inFlight.length === 0 || !this.connection) return { killed: false };
    const connection = this.connection;
    this.request((remote) => remote.interrupt()).catch(() => {});
    const deadline = performance.now() + (this.options.stopGrace ?? 300);
    while (performance.now() < deadline && inFlight.some((flight) => !flight.settled)) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    if (inFlight.every((flight) => flight.settled) || connection !== this.connection) return { killed: false };
    this.end("stopped", new KernelGoneError("the kernel was stopped"));
    // The next run waits for the new kernel; who stopped need not.
    this.start().catch(() => {});
    return { killed: true };
  }

  // ---- life and death

  private async open(): Promise<void> {
    this.setState("starting");
    const generation = ++this.generation;
    const abandoned = (): boolean => generation !== this.generation;
    try {
      // The compiler comes with the first kernel, not with the page.
      const [text] = await Promise.all([this.options.kernelText(), import("./compile-request.ts")]);
      if (abandoned()) throw new KernelGoneError();
      await this.connect(generation, text);
      await this.configure();
      for (const file of this.datasets.values()) await this.request((remote) => remote.loadDataset(file));
      this.setState("ready");
    } catch (error) {
      if (!abandoned()) this.end("dead", error as Error);
      throw error instanceof KernelGoneError || error instanceof KernelStartError
        ? error
        : new KernelStartError(`the kernel could not start: ${(error as Error).message}`, error);
    }
  }

  private async connect(generation: number, text: string): Promise<void> {
    const limit = this.options.startTimeout ?? 15_000;
    this.frame ??= new KernelFrame();
    const { frame } = this;
    let stopTimer = (): void => {};
    const answered = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(
          new KernelStartError(
            `the kernel did not start within ${limit / 1000} s: the browser or an extension may block it`,
          ),
        );
      }, limit);
      stopTimer = () => clearTimeout(timer);
      const fail = (message: string): void => {
        reject(new KernelStartError(`the kernel could not start: ${message}`));
        if (generation === this.generation && this.state !== "starting") this.died(`the kernel is gone: ${message}`);
      };
      frame.start(text, { generation }, fail).then((ports) => {
        if (generation !== this.generation) return;
        const connection: Connection = {
          remote: wrap<WorkerApi>(ports.requests),
          waiting: new Set([reject]),
          batch: 0,
          batchWaiters: [],
          webGpu: null,
        };
        this.connection = connection;
        ports.events.addEventListener("message", ({ data }: MessageEvent<EventMessage>) => {
          if (this.connection !== connection) return;
          if (data.kind === "ready") {
            connection.waiting.delete(reject);
            resolve();
          } else if (data.kind === "failed") fail(data.message);
          else this.received(connection, data.events, data.batch);
        });
        ports.events.start();
      }, reject);
    });
    try {
      await answered;
    } finally {
      stopTimer();
    }
  }

  private died(message: string): void {
    const error = new KernelGoneError(message);
    for (const { request } of this.flights.values()) {
      const data = {
        name: "KernelGoneError",
        message,
        hint: "restart the kernel",
        frames: [],
        shapes: null,
        definedIn: null,
      };
      this.queue({
        type: "output",
        generation: this.generation,
        runId: request.runId,
        cellId: request.cellId,
        item: { kind: "error", id: -request.runId, error: data },
      });
    }
    this.end("dead", error);
  }

  /** Ends the kernel, if there is one. Runs on their way end as stopped, or with the error when the kernel died. */
  private end(state: "stopped" | "dead", error: Error): void {
    const { connection } = this;
    this.connection = null;
    // Late words of this kernel carry its generation and are dropped.
    if (state === "stopped") this.frame?.stop();
    else {
      // Whatever went wrong may be the frame's fault.
      this.frame?.remove();
      this.frame = null;
    }
    if (connection) {
      for (const reject of connection.waiting) reject(error);
      for (const { resolve } of connection.batchWaiters) resolve();
    }
    this.pendingEvents = this.pendingEvents.filter((event) => event.generation === this.generation);
    for (const [runId, { request, startedAt }] of [...this.flights]) {
      this.cellState(runId, request.cellId, state === "dead" ? "error" : "stopped");
      this.deliver();
      this.land(runId, (flight) => {
        if (state === "dead") flight.reject(error);
        else flight.resolve({ state: "stopped", ms: performance.now() - startedAt, error: null, verdicts: null });
      });
    }
    this.generation++;
    this.setState(state);
  }

  private land(runId: number, settle: (flight: Flight) => void): void {
    const flight = this.flights.get(runId);
    if (!flight) return;
    this.flights.delete(runId);
    flight.settled = true;
    settle(flight);
    if (this.flights.size === 0 && this.state === "running") this.setState("ready");
  }

  private setState(state: KernelState): void {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }

  // ---- devices

  private async configure(): Promise<DeviceRefusal | null> {
    const { configuration } = this;
    if (!configuration) return null;
    if (configuration.device === "webgpu") await this.giveWebGpu();
    const refusal = await this.request((remote) => remote.configure(configuration));
    if (refusal !== null) {
      // The next kernel is not asked for it again.
      if (this.configuration === configuration) this.configuration = { ...configuration, device: "cpu" };
      this.dispatchEvent(new CustomEvent("refused", { detail: refusal }));
    }
    return refusal;
  }

  private wantsWebGpu({ source, check, device }: RunRequest): boolean {
    return device === "webgpu" || this.configuration?.device === "webgpu" || /webgpu/i.test(`${source} ${check ?? ""}`);
  }

  /** The backend is fetched when the first cell needs it, and then handed to each kernel once. */
  private async giveWebGpu(): Promise<void> {
    const { connection } = this;
    const { webGpuText } = this.options;
    if (!connection || !webGpuText || !("gpu" in navigator)) return;
    connection.webGpu ??= webGpuText().then((text) => this.request((remote) => remote.startWebGpu(text)));
    try {
      await connection.webGpu;
    } catch (error) {
      connection.webGpu = null;
      throw error;
    }
  }

  // ---- requests

  private async whenStarted<T>(ask: (remote: Remote<WorkerApi>) => Promise<T>): Promise<T> {
    if (this.state === "dead") throw new KernelGoneError("the kernel has died: restart it");
    await this.start();
    return this.request(ask);
  }

  /** comlink waits for ever when the other side is gone: so each request ends with the kernel at the latest. */
  private request<T>(ask: (remote: Remote<WorkerApi>) => Promise<T>): Promise<T> {
    const { connection } = this;
    if (!connection) return Promise.reject(new KernelGoneError());
    return new Promise<T>((resolve, reject) => {
      connection.waiting.add(reject);
      ask(connection.remote)
        .then(resolve, reject)
        .finally(() => connection.waiting.delete(reject));
    });
  }

  // ---- events

  private received(connection: Connection, events: KernelEvent[], batch: number): void {
    connection.batch = batch;
    for (const event of events) this.queue(event);
    connection.batchWaiters = connection.batchWaiters.filter((waiter) => {
      if (waiter.batch > batch) return true;
      waiter.resolve();
      return false;
    });
  }

  private arrived(connection: Connection, batch: number): Promise<void> {
    if (connection.batch >= batch || this.connection !== connection) return Promise.resolve();
    return new Promise((resolve) => connection.batchWaiters.push({ batch, resolve }));
  }

  private cellState(runId: number, cellId: string, state: CellState): void {
    this.queue({ type: "cell-state", generation: this.generation, runId, cellId, state, ms: null });
  }

  private queue(event: KernelEvent): void {
    const last = this.pendingEvents.at(-1);
    if (
      event.type === "append" &&
      last?.type === "append" &&
      last.id === event.id &&
      last.runId === event.runId &&
      last.generation === event.generation
    ) {
      const shift = last.text.length;
      last.text += event.text;
      for (const { start, end, tensor } of event.tensors)
        last.tensors.push({ start: start + shift, end: end + shift, tensor });
    } else {
      this.pendingEvents.push(event);
    }
    if (this.frameRequested) return;
    this.frameRequested = true;
    // A hidden tab draws no frames, and its events must not pile up.
    const timer = setTimeout(() => this.deliver(), 100);
    requestAnimationFrame(() => {
      clearTimeout(timer);
      this.deliver();
    });
  }

  private deliver(): void {
    this.frameRequested = false;
    const events = this.pendingEvents;
    this.pendingEvents = [];
    for (const event of events) {
      if (event.generation !== this.generation) continue;
      for (const listener of this.listeners) {
        try {
          listener(event);
        } catch (error) {
          reportError(error);
        }
      }
    }
  }
}

/** A client in state "idle": `start()`, or the first run, starts the kernel. */
export function createKernelClient(options: KernelClientOptions): KernelClient {
  return new StrideKernelClient(options);
}

/** The kernel of this site: fetched from where the build has put it. */
export function kernelFromUrl(kernelUrl: string, webGpuUrl?: string): KernelClientOptions {
  return { kernelText: textFrom(kernelUrl), ...(webGpuUrl === undefined ? {} : { webGpuText: textFrom(webGpuUrl) }) };
}

function textFrom(url: string): () => Promise<string> {
  let text: Promise<string> | null = null;
  const fetchText = async (): Promise<string> => {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    return response.text();
  };
  return () => {
    // Kept for restarts, which then work offline; a failed fetch is tried again.
    text ??= fetchText().catch((error: unknown) => {
      text = null;
      throw error;
    });
    return text;
  };
}
