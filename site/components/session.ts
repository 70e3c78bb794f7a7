/**
 * Running a lesson: which cells a run needs first, one at a time, until Stop. Loaded when the first cell is run or
 * edited; the kernel behind it starts with the first run.
 */
import type { KernelClient, KernelEvent, RunResult } from "../kernel/protocol.ts";
import { dependentsOf, type Flow, type FlowCell, readFlow, runOrder, staleAfterEdit } from "../lesson/dataflow.ts";
import type { ExerciseSpec } from "../lesson/types.ts";
import type { CellModel, LessonModel } from "./model.ts";

export interface SessionHooks {
  /** Outputs and records of a cell's run. */
  event(event: KernelEvent): void;
  /** A run begins: what the cell showed is now old. */
  begin(cellId: string): void;
  end(cellId: string, result: RunResult): void;
  /** Whatever these texts need before they run: data sets. */
  prepare(sources: string[]): Promise<void>;
  /** The result of an exercise that could not run since a cell it needs failed, or was stopped. */
  unmet(cellId: string, failed: boolean): RunResult;
  /** Whether a run of all cells leaves this one out: it is about a GPU, and there is none. */
  leavesOut(cellId: string): boolean;
  /** Asks before long work that was not asked for by name. */
  confirmLong(cellId: string): Promise<boolean>;
  /** The kernel had to be ended; these cells had run in it. `how`: by Stop, by Restart, or by itself. */
  lost(cellIds: string[], how: "stop" | "restart" | "crash"): void;
  /** Cells run first because the one asked for needs them. */
  needed(cellId: string, first: string[]): void;
  /** The kernel could not be started. */
  failed(error: Error): void;
}

interface Job {
  id: string;
  back: Pick<CellModel, "state" | "reason">;
  asked: boolean;
  settle(ran: boolean): void;
}

export class Session {
  readonly client: KernelClient;
  readonly #model: LessonModel;
  readonly #hooks: SessionHooks;
  #flow: Flow | undefined;
  #queue: Job[] = [];
  #busy = false;
  #stopping = false;
  /** Counts the devices that were chosen. */
  #devices = 0;

  constructor(model: LessonModel, client: KernelClient, hooks: SessionHooks) {
    this.#model = model;
    this.client = client;
    this.#hooks = hooks;
    client.onEvent((event) => {
      if (event.type === "cell-state" && event.state === "running" && model.has(event.cellId)) {
        model.begin(event.cellId, "running");
      }
      hooks.event(event);
    });
    client.addEventListener("state", () => {
      if (client.state === "dead") hooks.lost(model.loseKernel(), "crash");
    });
  }

  get busy(): boolean {
    return this.#busy;
  }

  /** What the lesson's present texts give to each other. */
  flow(): Flow {
    this.#flow = readFlow(this.#model.cells.map(published), this.#flow);
    return this.#flow;
  }

  /** Runs what the cell needs, then the cell. Resolves when it has run, or won't. */
  async run(id: string): Promise<void> {
    if (this.#queue.some((job) => job.id === id)) return;
    const first = runOrder(this.flow(), id, (need) => this.#model.isFresh(need))
      .slice(0, -1)
      .filter((need) => !this.#queue.some((job) => job.id === need));
    if (first.length > 0) this.#hooks.needed(id, first);
    const before = first.map((need) => this.#enqueue(need, false));
    const last = this.#enqueue(id, true);
    this.#pump();
    await Promise.all([...before, last]);
  }

  /** Runs every cell in order, each once. */
  async runAll(ids = this.#model.cells.map((cell) => cell.id)): Promise<void> {
    const all = ids
      .filter((id) => !this.#queue.some((job) => job.id === id) && !this.#hooks.leavesOut(id))
      .map((id) => this.#enqueue(id, false));
    this.#pump();
    await Promise.all(all);
  }

  /**
   * Runs an exercise's text: first the cells above that it needs, then it, with the check behind it. Publishes nothing.
   * Where a cell it needs does not run, the result is that cell's failure: "stopped", or "error" with its name.
   */
  async runExercise(spec: ExerciseSpec, source: string): Promise<RunResult> {
    const cells = this.#model.cells.map(published);
    const above = this.#model.cells.filter((cell) => cell.spec.line < spec.line).length;
    cells.splice(above, 0, { id: spec.id, source, publishes: false, check: spec.check });
    const flow = readFlow(cells, this.#flow);
    const first = runOrder(flow, spec.id, (need) => this.#model.isFresh(need)).slice(0, -1);
    if (first.length > 0) {
      this.#hooks.needed(spec.id, first);
      await this.runAll(first);
      const failed = first.find((need) => !this.#model.isFresh(need));
      if (failed !== undefined) return this.#hooks.unmet(failed, this.#model.cell(failed).state === "error");
    }
    if (this.client.state === "dead") await this.client.restart();
    await this.#hooks.prepare([source, spec.check]);
    const { scope, below } = flow.cells.get(spec.id)!;
    return this.client.run({ cellId: spec.id, source, scope, below, publishes: false, check: spec.check });
  }

  /** Ends the running cell and forgets those that wait. */
  async stop(): Promise<{ killed: boolean }> {
    this.#stopping = true;
    this.#abandon();
    try {
      const { killed } = await this.client.stop();
      if (killed) this.#hooks.lost(this.#model.loseKernel(), "stop");
      return { killed };
    } finally {
      this.#stopping = false;
    }
  }

  /** A fresh kernel; every name is gone. */
  async restart(): Promise<void> {
    this.#abandon();
    const lost = this.#model.loseKernel();
    try {
      await this.client.restart();
      this.#hooks.lost(lost, "restart");
    } catch (error) {
      this.#hooks.failed(error as Error);
    }
  }

  /** Later work is done on another device: what ran, or runs now, is out of date. */
  changeDevice(): void {
    this.#devices++;
    this.#model.changeDevice();
  }

  /** New text of a cell: it and what depends on it are out of date. */
  edit(id: string, source: string): void {
    const before = this.flow();
    this.#model.edit(id, source);
    this.#model.invalidate(staleAfterEdit(before, this.flow(), id), id);
  }

  /** The same for an edit that was made before this code was loaded. */
  edited(id: string, before: string): void {
    const after = this.flow();
    const cells = this.#model.cells.map((cell) =>
      cell.id === id ? { ...published(cell), source: before } : published(cell),
    );
    this.#model.invalidate(staleAfterEdit(readFlow(cells, after), after, id), id);
  }

  #enqueue(id: string, asked: boolean): Promise<boolean> {
    const { state, reason } = this.#model.cell(id);
    // A running cell that is asked for once more goes on running; were it "queued" now, giving up the wait would leave it
    // "running" for ever.
    if (state !== "running") this.#model.begin(id, "queued");
    return new Promise((settle) => this.#queue.push({ id, back: { state, reason }, asked, settle }));
  }

  /** Everything that waits goes back to what it was. */
  #abandon(): void {
    for (const job of this.#queue.splice(0)) {
      if (this.#model.cell(job.id).state === "queued") this.#model.dequeue(job.id, job.back);
      job.settle(false);
    }
  }

  async #pump(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let job = this.#queue[0]; job !== undefined; job = this.#queue[0]) {
        if (this.#stopping) break;
        const { id, back, asked, settle } = job;
        if (this.#model.cell(id).spec.steps && !asked && !(await this.#hooks.confirmLong(id))) {
          if (this.#queue[0] === job) this.#abandon();
          break;
        }
        if (this.#queue[0] !== job) continue;
        this.#queue.shift();
        const ran = await this.#runNow(id, back);
        settle(ran);
        // What waits was asked for in the belief that this would work.
        if (!ran) this.#abandon();
      }
    } finally {
      this.#busy = false;
    }
  }

  async #runNow(id: string, back: Job["back"]): Promise<boolean> {
    const { source, spec } = this.#model.cell(id);
    const devices = this.#devices;
    const flow = this.flow();
    const { scope, below } = flow.cells.get(id)!;
    this.#hooks.begin(id);
    let result: RunResult;
    const startedAt = performance.now();
    try {
      // A crash is no reason to refuse the next run: what it needs is run again.
      if (this.client.state === "dead") await this.client.restart();
      await this.#hooks.prepare([source]);
      result = await this.client.run({
        cellId: id,
        source,
        scope,
        below,
        publishes: true,
        check: null,
        device: spec.device,
      });
    } catch (error) {
      // It never began, or the kernel died under it (which has its own notice).
      if (this.#model.cell(id).state === "running")
        this.#model.finish(id, source, "error", performance.now() - startedAt);
      else {
        this.#model.dequeue(id, back);
        this.#hooks.failed(error as Error);
      }
      return false;
    }
    this.#model.finish(id, source, result.state, result.ms, devices !== this.#devices);
    // Names of its own kind in later cells now mean something new.
    this.#model.invalidate(
      dependentsOf(flow, id).filter((one) => this.#model.cell(one).held !== null),
      id,
    );
    this.#hooks.end(id, result);
    return result.state === "done";
  }
}

const published = ({ id, source }: CellModel): FlowCell => ({ id, source, publishes: true });
