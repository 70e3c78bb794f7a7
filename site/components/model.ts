/**
 * The state of a lesson's cells, without a page and without a kernel: what was edited, what ran, what is out of date and
 * why. Elements listen to it; the session changes it.
 */
import type { CellState } from "../kernel/protocol.ts";
import type { CellSpec } from "../lesson/types.ts";

export type StaleReason =
  | { kind: "edited" }
  | { kind: "upstream"; cell: string }
  | { kind: "restart" }
  | { kind: "device" };

export interface CellModel {
  readonly id: string;
  readonly spec: CellSpec;
  /** The lesson's own text. */
  readonly starter: string;
  source: string;
  state: CellState;
  /** Of the last finished run. */
  ms: number | null;
  reason: StaleReason | null;
  /** The text whose names the present kernel holds; null when it holds none of this cell's. */
  held: string | null;
  /** It ran to the end at least once, now or on an earlier visit. */
  everRan: boolean;
}

export type CellListener = (cell: CellModel) => void;

export class LessonModel {
  readonly cells: readonly CellModel[];
  readonly #byId: Map<string, CellModel>;
  readonly #listeners = new Set<CellListener>();

  constructor(specs: readonly CellSpec[]) {
    this.cells = specs.map((spec) => ({
      id: spec.id,
      spec,
      starter: spec.source,
      source: spec.source,
      state: "recorded",
      ms: null,
      reason: null,
      held: null,
      everRan: false,
    }));
    this.#byId = new Map(this.cells.map((cell) => [cell.id, cell]));
  }

  /** @throws when the lesson has no such cell: a mistake of the caller, not of the student */
  cell(id: string): CellModel {
    const cell = this.#byId.get(id);
    if (cell === undefined) throw new Error(`this lesson has no cell "${id}"`);
    return cell;
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  /** Calls back after every change of a cell; returns the end of it. */
  onChange(listener: CellListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The names it gives are those of its present text, and nothing above it has changed. */
  isFresh(id: string): boolean {
    const cell = this.cell(id);
    return cell.state === "done" && cell.held === cell.source;
  }

  /** New text, typed or put in. Text that is what the shown output came from is no edit any more. */
  edit(id: string, source: string): void {
    const cell = this.cell(id);
    if (cell.source === source) return;
    cell.source = source;
    if (cell.state !== "running" && cell.state !== "queued") {
      if (cell.held === source && (cell.reason === null || cell.reason.kind === "edited"))
        this.#set(cell, "done", null);
      else if (cell.held === null && source === cell.starter && cell.ms === null) this.#set(cell, "recorded", null);
      else if (cell.reason === null || cell.reason.kind === "edited") this.#set(cell, "stale", { kind: "edited" });
    }
    this.#tell(cell);
  }

  /** Cells whose shown output no longer follows from the text above them. */
  invalidate(ids: Iterable<string>, cause: string): void {
    for (const id of ids) {
      const cell = this.cell(id);
      if (cell.state === "running" || cell.state === "queued" || cell.state === "idle") continue;
      if (cell.state === "stale" && cell.reason?.kind === "edited") continue;
      this.#set(cell, "stale", { kind: "upstream", cell: cause });
      this.#tell(cell);
    }
  }

  /** Other work is to be done where its numbers are: what has run is out of date on another device. */
  changeDevice(): void {
    for (const cell of this.cells) {
      if (cell.held === null || cell.state !== "done") continue;
      this.#set(cell, "stale", { kind: "device" });
      this.#tell(cell);
    }
  }

  /** Queued or running; `before` it goes back to when the run never happens. */
  begin(id: string, state: "queued" | "running"): void {
    const cell = this.cell(id);
    if (cell.state === state) return;
    cell.state = state;
    this.#tell(cell);
  }

  /** A queued cell that will not run after all. */
  dequeue(id: string, back: Pick<CellModel, "state" | "reason">): void {
    const cell = this.cell(id);
    this.#set(cell, back.state, back.reason);
    this.#tell(cell);
  }

  /** The end of a run of `source`. `elsewhere`: another device was chosen while it ran. */
  finish(id: string, source: string, state: "done" | "error" | "stopped", ms: number, elsewhere = false): void {
    const cell = this.cell(id);
    cell.ms = ms;
    cell.held = state === "done" ? source : null;
    if (state === "done") cell.everRan = true;
    // Typed on while it ran: what is shown is already behind.
    if (state === "done" && cell.source !== source) this.#set(cell, "stale", { kind: "edited" });
    else if (state === "done" && elsewhere) this.#set(cell, "stale", { kind: "device" });
    else this.#set(cell, state, null);
    this.#tell(cell);
  }

  /** The kernel is gone with all names in it. Returns the cells that had been fresh, in order: they must run again. */
  loseKernel(): string[] {
    const lost: string[] = [];
    for (const cell of this.cells) {
      if (cell.held === null && cell.state !== "running" && cell.state !== "queued") continue;
      if (cell.held !== null) lost.push(cell.id);
      const shown = cell.held !== null;
      cell.held = null;
      if (cell.state === "done" || (shown && cell.state === "stale" && cell.reason?.kind !== "edited")) {
        this.#set(cell, "stale", { kind: "restart" });
      }
      this.#tell(cell);
    }
    return lost;
  }

  /** An earlier visit ran these. */
  restore(ran: readonly string[]): void {
    for (const id of ran) {
      const cell = this.#byId.get(id);
      if (cell === undefined || cell.everRan) continue;
      cell.everRan = true;
      this.#tell(cell);
    }
  }

  #set(cell: CellModel, state: CellState, reason: StaleReason | null): void {
    cell.state = state;
    cell.reason = reason;
  }

  #tell(cell: CellModel): void {
    for (const listener of this.#listeners) listener(cell);
  }
}
