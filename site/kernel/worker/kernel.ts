/**
 * The kernel itself: runs cells one after another, keeps what they publish, and tells the page what happens. It knows
 * neither workers nor ports: main.ts gives it those of the browser, node.ts those of Node.
 */
import type { RecordDraft, Recorder } from "../../../engine/inspect/recorder.ts";
import type { OpRecord } from "../../../engine/inspect/records.ts";
import { CellSyntaxError } from "../../lesson/cell-error.ts";
import type { CompiledCell } from "../../lesson/compile.ts";
import { assignmentHabit } from "../../lesson/habits.ts";
import { linkCell } from "../../lesson/link.ts";
import { STANDARD_GLOBALS } from "../../lesson/modules.ts";
import type { CompiledRequest, CompileOutcome } from "../compile-request.ts";
import type {
  DeviceRefusal,
  ErrorData,
  GradientsAnswer,
  KernelApi,
  KernelEvent,
  RunRequest,
  RunResult,
  WhatIf,
  WhatIfAnswer,
} from "../protocol.ts";
import { cellNames } from "./cell-names.ts";
import { CellOutput, type Emit, type NewItem } from "./cell-output.ts";
import { CheckList } from "./checks.ts";
import { Devices } from "./devices.ts";
import { itemOf, MAX_NUMBERS } from "./display.ts";
import type { Engine, LoopProgress, PrintedValue } from "./engine.ts";
import { framesOf, NameError, StopError, toErrorData } from "./errors.ts";
import { type Clock, EventStream } from "./event-stream.ts";
import { ModuleTable } from "./module-table.ts";
import { RecordStore } from "./record-store.ts";

type Configuration = Parameters<KernelApi["configure"]>[0];
type Refusal = Extract<WhatIfAnswer, { ok: false }>;
type AnyEvent = KernelEvent extends infer E ? (E extends unknown ? Omit<E, "generation" | "runId"> : never) : never;

export interface KernelHost extends Clock {
  generation: number;
  wallTime(): number;
  pause(): Promise<void>;
  post(events: KernelEvent[], batch: number): void;
  /** Makes a module of a text; importing its URL evaluates it, once. The name is for stacks. */
  createModule(text: string, name: string): string;
  importModule(url: string): Promise<Record<string, unknown>>;
  setTimeout(callback: () => void, ms: number): unknown;
  setInterval(callback: () => void, ms: number): unknown;
  queueMicrotask(callback: () => void): void;
}

/** One run of one cell. Functions that it defined may print after it has ended. */
interface Run {
  runId: number;
  cellId: string;
  output: CellOutput;
  /** What the last expression was, if there was one. */
  last: { value: unknown } | null;
  /** Bars of loops over loaders, by label. */
  bars: Map<string, LoopBar>;
  /** Of every module that it made. */
  rebinds: Rebind[];
}

/** Gives a module's top-level names other values: modules live on, and what they hold must not. */
type Rebind = (values: Record<string, unknown>) => void;

interface LoopBar {
  began: number;
  shownAt: number;
  item: number | null;
  pass: { id: number; began: number; startedAt: number };
}

interface Published {
  url: string;
  names: ReadonlySet<string>;
  values: Record<string, unknown>;
}

export class Kernel {
  private readonly engine: Engine;
  private readonly host: KernelHost;
  private readonly events: EventStream;
  private readonly modules: ModuleTable;
  private readonly devices: Devices;
  private readonly records = new RecordStore();
  /** The latest text of each cell, to find error positions. */
  private readonly cells = new Map<string, CompiledCell>();
  private readonly latest = new Map<string, Run>();
  private readonly published = new Map<string, Published>();
  /** Modules of each cell's runs, to be rebound when it runs again. */
  private readonly rebinds = new Map<string, Rebind[]>();
  private queue: Promise<unknown> = Promise.resolve();
  private waiting = 0;
  /** The run whose code is on the stack or awaited. */
  private active: Run | null = null;
  private lastRun: Run | null = null;
  /** A timer's callback, while it runs. */
  private callback: Run | null = null;
  private stopRequested = false;
  /** Bars of tqdm that are open: one loop needs only one bar. */
  private openBars = 0;

  constructor(engine: Engine, host: KernelHost) {
    this.engine = engine;
    this.host = host;
    this.events = new EventStream((events, batch) => host.post(events, batch), host);
    this.modules = new ModuleTable(engine.modules, host);
    this.devices = new Devices(engine);
    engine.setPrintSink((text, tensors) => this.printed(text, tensors));
    engine.setTensorboardSink((event) => {
      const run = this.current();
      if (run) this.emit(run, { type: "tensorboard", cellId: run.cellId, event });
    });
    engine.setYieldCheck(() => this.checkStop());
    engine.setProgressSink((progress) => this.loopProgress(progress));
    engine.setCallSite(() => this.site);
    engine.setRecorder((draft) => {
      const run = this.current();
      if (!run || !this.records.wants(draft)) return;
      this.site = this.callSite(run.cellId);
      const summary = this.records.offer(draft, this.site);
      if (summary) this.emit(run, { type: "record", record: summary });
    });
  }

  /** Makes the modules that cells import; before that, no cell can run. */
  async start(): Promise<void> {
    await this.modules.prepare();
  }

  /** Once the cell that runs has ended: what it makes belongs on one device. */
  configure({ seed, device, memoryBudget }: Configuration): Promise<DeviceRefusal | null> {
    const configured = this.queue.then(async () => {
      this.engine.setMemoryBudget(memoryBudget);
      const refusal = await this.devices.choose(device);
      this.engine.manualSeed(seed);
      return refusal;
    });
    this.queue = configured.catch(() => {});
    return configured;
  }

  startWebGpu(text: string): Promise<boolean> {
    return this.engine.startWebGpu(() => this.host.importModule(this.host.createModule(text, "webgpu")));
  }

  /** Everything emitted so far is on its way after this; the number of the last batch. */
  flush(): number {
    return this.events.flush();
  }

  run(request: CompiledRequest): Promise<RunResult> {
    const run: Run = {
      runId: request.runId,
      cellId: request.cellId,
      output: this.outputOf(request),
      last: null,
      bars: new Map(),
      rebinds: [],
    };
    if (this.waiting++ > 0) this.emit(run, { type: "cell-state", cellId: run.cellId, state: "queued", ms: null });
    const result = this.queue.then(() => this.runNow(run, request));
    this.queue = result.finally(() => this.waiting--).catch(() => {});
    return result;
  }

  /** Ends the current run, and what is queued behind it, at the next yield. */
  interrupt(): void {
    if (this.waiting > 0) this.stopRequested = true;
  }

  recordsOf(cellId: string) {
    return this.records.of(cellId);
  }

  record(id: number) {
    return this.records.find(id);
  }

  /** A recorded call with changes. Only the record that the engine makes of it is new; the cell's own stay. */
  whatIf(change: WhatIf): WhatIfAnswer {
    let made: OpRecord | null = null;
    const take = (draft: RecordDraft): void => {
      made = draft.take();
    };
    return this.replayed(change, take, (record) => {
      const { code } = this.engine.replay(record, change);
      if (!made) throw new Error("the engine made no record of this call");
      return { ok: true, record: made, code };
    });
  }

  gradients(change: WhatIf, gradOutput: number[] | null): GradientsAnswer {
    return this.replayed(change, null, (record) => ({
      ok: true,
      ...this.engine.gradients(record, change, gradOutput),
    }));
  }

  private replayed<T>(change: WhatIf, recorder: Recorder | null, answer: (record: OpRecord) => T): T | Refusal {
    const record = this.records.find(change.recordId);
    const before = this.engine.setRecorder(recorder);
    try {
      if (!record) throw new Error("this call is no longer kept: run the cell again");
      this.site = { cellId: record.cellId, line: record.line };
      return answer(record);
    } catch (error) {
      return { ok: false, error: this.errorData(error, record?.cellId ?? "") };
    } finally {
      this.engine.setRecorder(before);
    }
  }

  /** An error outside of any run: a timer, an unhandled rejection. Belongs to the innermost cell on its stack. */
  stray(error: unknown): void {
    if (error instanceof StopError) return;
    const stack = (() => {
      try {
        return String((error as Error).stack);
      } catch {
        return null;
      }
    })();
    const [frame] = framesOf(stack, this.cells);
    const run = (frame && this.latest.get(frame.cellId)) ?? this.current() ?? this.lastRun;
    if (!run) return;
    run.output.error(this.errorData(error, run.cellId));
    if (run !== this.active) this.emit(run, { type: "cell-state", cellId: run.cellId, state: "error", ms: null });
  }

  // ---- one run

  private async runNow(run: Run, request: CompiledRequest): Promise<RunResult> {
    const started = this.host.now();
    const { cellId } = run;
    const finish = (state: RunResult["state"], rest: Partial<RunResult> = {}): RunResult => {
      const ms = this.host.now() - started;
      run.output.finish();
      this.emit(run, { type: "cell-state", cellId, state, ms });
      this.events.flush();
      if (this.waiting <= 1) this.stopRequested = false;
      return { state, ms, error: null, verdicts: null, ...rest };
    };
    if (this.stopRequested) return finish("stopped");
    // What the GPU has to say of earlier work is not this cell's.
    await this.engine.settle().catch((error: unknown) => this.stray(error));
    this.latest.set(cellId, run);
    this.records.begin(cellId);
    this.engine.setWarningSink((text) => this.current()?.output.text("stderr", `${text}\n`, []));
    // Until the run succeeds, the cell has no names to give.
    if (request.publishes) this.published.delete(cellId);
    this.active = this.lastRun = run;
    this.emit(run, { type: "cell-state", cellId, state: "running", ms: null });
    try {
      const cell = compiled(request.cell);
      this.cells.set(cellId, cell);
      await this.devices.enter(request.device);
      const scope = this.scopeOf(cell, request);
      const checks = new CheckList();
      const names = this.cellNames(run, checks);
      const module = await this.evaluate(cell, scope, names);
      if (run.last && run.last.value !== undefined && run.last.value !== null) {
        await this.engine.fetch(run.last.value);
        run.output.add(itemOf(run.last.value, this.engine));
      }
      this.engine.checkMemory();
      if (request.checker) await this.check(request.checker, cell, module.url, request.scope, names, checks);
      await this.engine.settle();
      if (request.publishes) this.publish(run, module);
      else release(run.rebinds);
      return finish("done", { verdicts: request.checker ? checks.verdicts : null });
    } catch (error) {
      release(run.rebinds);
      if (request.publishes) release(this.rebinds.get(cellId) ?? []);
      if (error instanceof StopError || this.stopRequested) return finish("stopped");
      const data = this.errorData(error, cellId);
      run.output.error(data);
      return finish("error", { error: data });
    } finally {
      this.active = null;
      await this.devices.leave(request.device);
    }
  }

  /** The cell's names are now this run's; functions that earlier runs left behind see the new values, as in a notebook. */
  private publish(run: Run, module: Published): void {
    const earlier = this.rebinds.get(run.cellId) ?? [];
    for (const rebind of earlier) rebind(module.values);
    this.rebinds.set(run.cellId, [...earlier, ...run.rebinds]);
    this.published.set(run.cellId, module);
  }

  private async evaluate(
    cell: CompiledCell,
    scope: ReadonlyMap<string, string>,
    names: Record<string, unknown>,
  ): Promise<Published> {
    const kernelUrl = await this.modules.handOver(names);
    const { text, exports } = linkCell(cell, {
      moduleUrl: (name) => this.modules.url(name),
      exportsOf: (name) => this.modules.exportsOf(name),
      kernelUrl,
      kernelNames: Object.keys(names),
      scope,
    });
    const url = this.host.createModule(text, cell.cellId);
    const values = await this.host.importModule(url);
    return { url, names: new Set(exports), values };
  }

  /** Free names → modules of the cells that define them. @throws NameError when one has not been run. */
  private scopeOf(cell: CompiledCell, { scope, below = {} }: RunRequest): Map<string, string> {
    const urls = new Map<string, string>();
    for (const free of cell.free) {
      const definer = Object.hasOwn(scope, free.name) ? scope[free.name]! : null;
      if (definer === null) {
        if (Object.hasOwn(below, free.name)) {
          const definedIn = below[free.name]!;
          const hint = `${definedIn}, further down, defines it: a cell sees only what stands above it`;
          throw new NameError(`${free.name} is used before it is defined`, free, definedIn, hint);
        }
        if (free.assigned && !STANDARD_GLOBALS.has(free.name)) {
          const hint = assignmentHabit(cell.source, free.name, free.assigned);
          throw new NameError(`${free.name} is not declared`, free.assigned, null, hint);
        }
        continue;
      }
      if (free.assigned) {
        throw new NameError(
          `${free.name} belongs to the cell ${definer}: other cells can read it, not assign to it`,
          free.assigned,
          definer,
          `give the new value a name of its own, or change it in ${definer}`,
        );
      }
      const published = this.published.get(definer);
      if (!published?.names.has(free.name)) {
        throw new NameError(`${free.name} is not defined yet`, free, definer, `run the cell ${definer} first`);
      }
      urls.set(free.name, published.url);
    }
    return urls;
  }

  /** The checks of an exercise see its names first, then what the exercise itself sees. */
  private async check(
    outcome: CompileOutcome,
    cell: CompiledCell,
    url: string,
    scope: Record<string, string>,
    names: Record<string, unknown>,
    checks: CheckList,
  ): Promise<void> {
    try {
      const checker = compiled(outcome);
      const urls = new Map<string, string>();
      for (const { name } of checker.free) {
        const published = Object.hasOwn(scope, name) ? this.published.get(scope[name]!) : undefined;
        if (cell.definitions.includes(name)) urls.set(name, url);
        else if (published?.names.has(name)) urls.set(name, published.url);
      }
      await this.evaluate(checker, urls, names);
      await checks.settled();
    } catch (error) {
      if (error instanceof StopError) throw error;
      const { name, message } = this.errorData(error, cell.cellId);
      checks.verdicts.push({ name: "check", pass: false, message: `${name}: ${message}` });
    }
  }

  /**
   * A loop over a loader that nobody wrapped in tqdm: its bar appears once the loop lasts long enough to be wondered about.
   * Passes that follow each other (epochs) share one bar.
   */
  private loopProgress({ id, label, done, total, finished }: LoopProgress): void {
    const run = this.current();
    if (!run || this.openBars > 0) return;
    const now = this.host.now();
    const bar = run.bars.get(label) ?? { began: now, shownAt: 0, item: null, pass: { id, began: now, startedAt: 0 } };
    run.bars.set(label, bar);
    if (bar.pass.id !== id || bar.pass.startedAt === 0) bar.pass = { id, began: now, startedAt: this.host.wallTime() };
    if (now - bar.began < BAR_AFTER_MS || (!finished && now - bar.shownAt < BAR_UPDATE_MS)) return;
    bar.shownAt = now;
    const seconds = (now - bar.pass.began) / 1000;
    const rate = done > 0 && seconds > 0 ? done / seconds : null;
    const item: NewItem = { kind: "progress", label, done, total, startedAt: bar.pass.startedAt, rate, metrics: {} };
    if (bar.item === null) bar.item = run.output.add(item);
    else run.output.update(bar.item, item);
  }

  // ---- what a cell has by name

  private cellNames(run: Run, checks: CheckList): Record<string, unknown> {
    return {
      display: (value: unknown): unknown => {
        run.last = { value };
        return value;
      },
      load: (name: unknown): Promise<unknown> => this.modules.load(String(name)),
      release: (rebind: Rebind): void => {
        run.rebinds.push(rebind);
      },
      ...cellNames(this.engine, this.host, checks, {
        within: (stream, write) => this.within(run, stream, write),
        output: () => (this.current() ?? run).output,
        callback: (callback, values) => () => this.callBack(run, callback, values),
        checkStop: () => this.checkStop(),
        barOpened: (change) => {
          this.openBars += change;
        },
      }),
    };
  }

  /** Output of a cell's function belongs to the run that called it; to its own when none is going on. */
  private within(run: Run, stream: "stdout" | "stderr", write: () => void): void {
    const before = { callback: this.callback, stream: this.stream };
    if (!this.active && !this.callback) this.callback = run;
    this.stream = stream;
    try {
      write();
    } finally {
      Object.assign(this, before);
    }
  }

  private callBack(run: Run, callback: unknown, values: unknown[]): void {
    const before = this.callback;
    this.callback = run;
    try {
      (callback as (...args: unknown[]) => unknown)(...values);
    } catch (error) {
      this.stray(error);
    } finally {
      this.callback = before;
    }
  }

  private stream: "stdout" | "stderr" = "stdout";
  private site = { cellId: "", line: 0 };

  private printed(text: string, tensors: PrintedValue[]): void {
    const run = this.current();
    if (!run) return;
    const summaries = tensors.map(({ start, end, tensor }) => ({
      start,
      end,
      tensor: this.engine.summarize(tensor, MAX_PRINTED_NUMBERS),
    }));
    run.output.text(this.stream, text, summaries);
  }

  private current(): Run | null {
    return this.callback ?? this.active;
  }

  /** The innermost line of the running cell on the stack, else the innermost line of any cell. */
  private callSite(cellId: string): { cellId: string; line: number } {
    const frames = framesOf(new Error().stack ?? null, this.cells);
    const frame = frames.find((it) => it.cellId === cellId) ?? frames[0];
    return { cellId, line: frame?.line ?? 0 };
  }

  private errorData(error: unknown, cellId: string): ErrorData {
    return toErrorData(error, cellId, this.cells, (value) => this.engine.repr(value));
  }

  private checkStop(): void {
    if (this.stopRequested) throw new StopError();
    this.engine.checkMemory();
  }

  private outputOf(request: { runId: number; cellId: string }): CellOutput {
    const emit: Emit = (event) => this.emit(request, { ...event, cellId: request.cellId } as AnyEvent);
    return new CellOutput(emit, () => this.host.now());
  }

  private emit(run: { runId: number }, event: AnyEvent): void {
    this.events.emit({ ...event, generation: this.host.generation, runId: run.runId } as KernelEvent);
  }
}

function release(rebinds: readonly Rebind[]): void {
  for (const rebind of rebinds) rebind({});
}

function compiled(outcome: CompileOutcome): CompiledCell {
  if (outcome.ok) return outcome.cell;
  throw new CellSyntaxError(outcome.message, outcome, outcome.hint);
}

/** A loop over a loader gets a bar when it has run this long; shorter ones are over before one looks. */
const BAR_AFTER_MS = 400;
const BAR_UPDATE_MS = 100;

/** A printed tensor carries its numbers for the heat map only while they are few: a loop may print thousands. */
const MAX_PRINTED_NUMBERS = Math.min(4096, MAX_NUMBERS);
