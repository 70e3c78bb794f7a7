/**
 * <stride-lesson>: the runtime that cells, exercises and views find with closest(). It keeps the model of the cells and
 * the bar above the text; everything that runs code is loaded when the first cell is run or edited.
 */
import type { RecordSummary } from "../../engine/inspect/records.ts";
import { type Messages, messages } from "../i18n/index.ts";
import type { CellState, KernelClient, RunResult, TensorboardEvent } from "../kernel/protocol.ts";
import type { Lesson, Locale } from "../lesson/types.ts";
import type { Progress, Store } from "../store/store.ts";
import { LessonBar } from "./bar.ts";
import type { StrideCell } from "./cell.ts";
import { part } from "./dom.ts";
import { LessonModel } from "./model.ts";
import type { Room } from "./room.ts";
import type { LessonRuntime } from "./runtime.ts";

/** Of one cell, until its panel is there to keep them by its own measure. */
const MOST_BOARD_EVENTS = 600;

export class StrideLesson extends HTMLElement implements LessonRuntime {
  #lesson: Lesson | null = null;
  #model: LessonModel | null = null;
  #bar: LessonBar | null = null;
  #room: Room | null = null;
  #loading: Promise<Room> | null = null;
  #store: Promise<Store> | null = null;
  readonly #cells = new Map<string, StrideCell>();
  readonly #recordListeners = new Map<string, Set<(records: RecordSummary[]) => void>>();
  readonly #stateListeners = new Set<(cellId: string, state: CellState) => void>();
  readonly #boardListeners = new Set<(cellId: string, event: TensorboardEvent) => void>();
  /** What cells wrote in their latest run, for a panel that comes into view later. */
  readonly #boardEvents = new Map<string, TensorboardEvent[]>();

  connectedCallback(): void {
    if (this.#lesson !== null) return;
    const data = part(this, "lesson")?.textContent;
    if (!data) return;
    this.#lesson = JSON.parse(data) as Lesson;
    this.#model = new LessonModel(this.#lesson.cells);
    this.#bar = new LessonBar(this, this.t, {
      runAll: () => void this.runAll(),
      restart: () => void this.restart(),
      stop: () => void this.stop(),
      device: (device) => void this.#setDevice(device),
      resetAll: () => this.resetAll(),
    });
    for (const cell of this.querySelectorAll<StrideCell>("stride-cell")) {
      if (!this.#model.has(cell.dataset.cell ?? "")) continue;
      customElements.upgrade(cell);
      this.#cells.set(cell.dataset.cell!, cell);
      cell.attach(this, this.#model.cell(cell.dataset.cell!));
    }
    this.#model.onChange((cell) => {
      this.#cells.get(cell.id)?.update();
      for (const listener of this.#stateListeners) listener(cell.id, cell.state);
      this.#showProgress();
    });
    this.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.shiftKey && (event.ctrlKey || event.metaKey) && !event.isComposing) {
        event.preventDefault();
        void this.runAll();
      }
    });
    this.#showProgress();
    whenIdle(() => {
      void this.#restoreWork();
      void this.bar.lookForGpu();
    });
  }

  // ---- LessonRuntime

  get t(): Messages {
    return messages(this.locale);
  }

  get locale(): Locale {
    return this.dataset.locale === "zh-cn" ? "zh-cn" : "en";
  }

  get lessonId(): string {
    return this.dataset.lesson ?? "";
  }

  get lesson(): Lesson {
    if (this.#lesson === null) throw new Error("<stride-lesson> has no lesson data");
    return this.#lesson;
  }

  get model(): LessonModel {
    if (this.#model === null) throw new Error("<stride-lesson> has no lesson data");
    return this.#model;
  }

  get bar(): LessonBar {
    if (this.#bar === null) throw new Error("<stride-lesson> has no lesson data");
    return this.#bar;
  }

  get client(): KernelClient {
    if (this.#room === null) throw new Error("the kernel's code is not loaded yet: await ready() first");
    return this.#room.session.client;
  }

  async ready(): Promise<void> {
    await this.#load();
  }

  source(cellId: string): string {
    return this.model.cell(cellId).source;
  }

  sources(): { id: string; source: string }[] {
    return this.model.cells.map(({ id, source }) => ({ id, source }));
  }

  setSource(cellId: string, source: string): void {
    const cell = this.model.cell(cellId);
    if (cell.source === source) return;
    if (this.#room !== null) this.#room.session.edit(cellId, source);
    else {
      const before = cell.source;
      this.model.edit(cellId, source);
      // What depends on it is known to the code that runs cells; a lesson that can't load it still edits.
      this.#load().then(
        (room) => room.session.edited(cellId, before),
        () => {},
      );
    }
    this.#cells.get(cellId)?.sourceChanged();
    void this.#keepWork(cellId);
  }

  state(cellId: string): CellState {
    return this.model.cell(cellId).state;
  }

  async runCell(cellId: string): Promise<void> {
    const room = await this.#loadOrSay(() => void this.runCell(cellId));
    await room?.session.run(cellId);
  }

  async runAll(): Promise<void> {
    const room = await this.#loadOrSay(() => void this.runAll());
    await room?.session.runAll();
  }

  async runCells(ids: string[]): Promise<void> {
    const room = await this.#loadOrSay(() => void this.runCells(ids));
    await room?.session.runAll(ids);
  }

  async runExercise(id: string, source: string): Promise<RunResult> {
    const spec = this.lesson.exercises.find((exercise) => exercise.id === id);
    if (spec === undefined) throw new Error(`this lesson has no exercise "${id}"`);
    const room = await this.#load();
    return room.session.runExercise(spec, source);
  }

  async stop(): Promise<void> {
    await this.#room?.stop();
  }

  async restart(): Promise<void> {
    const room = await this.#loadOrSay(() => void this.restart());
    await room?.session.restart();
  }

  onRecords(cellId: string, listener: (records: RecordSummary[]) => void): () => void {
    let set = this.#recordListeners.get(cellId);
    if (set === undefined) {
      set = new Set();
      this.#recordListeners.set(cellId, set);
    }
    set.add(listener);
    const known = this.#room?.recordsOf(cellId);
    if (known !== undefined && known.length > 0) listener(known);
    return () => set.delete(listener);
  }

  onCellState(listener: (cellId: string, state: CellState) => void): () => void {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  }

  onTensorboard(listener: (cellId: string, event: TensorboardEvent) => void): () => void {
    this.#boardListeners.add(listener);
    for (const [cellId, events] of this.#boardEvents) for (const event of events) listener(cellId, event);
    return () => this.#boardListeners.delete(listener);
  }

  goTo(cellId: string, line: number): void {
    const cell = this.#cells.get(cellId);
    if (cell !== undefined) {
      cell.markLine(line);
      cell.showLine(line);
    } else this.querySelector(`#${CSS.escape(cellId)}`)?.scrollIntoView({ block: "center" });
  }

  // ---- for the room and the cells

  cellElement(id: string): StrideCell | undefined {
    return this.#cells.get(id);
  }

  tellRecords(cellId: string, records: RecordSummary[]): void {
    for (const listener of this.#recordListeners.get(cellId) ?? []) listener(records);
  }

  /** A run begins: what the cell wrote before is history. */
  clearBoard(cellId: string): void {
    this.#boardEvents.delete(cellId);
  }

  tellBoard(cellId: string, event: TensorboardEvent): void {
    const events = this.#boardEvents.get(cellId);
    if (events === undefined) this.#boardEvents.set(cellId, [event]);
    else {
      events.push(event);
      if (events.length > MOST_BOARD_EVENTS) events.shift();
    }
    for (const listener of this.#boardListeners) listener(cellId, event);
  }

  /** The next cell after this one, for Shift+Enter. */
  focusAfter(id: string): void {
    const at = this.model.cells.findIndex((cell) => cell.id === id);
    const next = this.model.cells.slice(at + 1).find((cell) => !cell.spec.hidden);
    const code = next && part(this.#cells.get(next.id) ?? this, "code")?.querySelector<HTMLElement>("pre, textarea");
    code?.focus({ preventScroll: true });
    code?.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }

  store(): Promise<Store> {
    this.#store ??= import("../store/store.ts").then(({ openStore }) => openStore());
    return this.#store;
  }

  /** A cell ran to its end: part of the student's progress. */
  async keepRun(cellId: string): Promise<void> {
    await this.#progress((progress) =>
      progress.ran.includes(cellId) ? progress : { ...progress, ran: [...progress.ran, cellId] },
    );
  }

  // ---- work that outlives the page

  async #restoreWork(): Promise<void> {
    const store = await this.store();
    const { restoreWork } = await import("./restore.ts");
    await restoreWork(this, store);
    this.#runAutomatic();
  }

  async #keepWork(cellId: string): Promise<void> {
    const store = await this.store();
    const { keepWork } = await import("./restore.ts");
    await keepWork(this, store, cellId);
    if (!store.persistent) this.bar.sayStorageBlocked();
  }

  async #progress(change: (progress: Progress) => Progress): Promise<void> {
    const store = await this.store();
    await store.updateProgress(this.lessonId, (progress) => ({
      ...change(progress),
      cells: this.model.cells.length,
      savedAt: Date.now(),
    }));
    if (!store.persistent) this.bar.sayStorageBlocked();
  }

  /** Puts back every cell's own text. */
  resetAll(): void {
    for (const cell of this.model.cells) {
      if (cell.source === cell.starter) continue;
      this.setSource(cell.id, cell.starter);
    }
  }

  #runAutomatic(): void {
    const ids = this.model.cells.filter((cell) => cell.spec.auto).map((cell) => cell.id);
    if (ids.length > 0) void this.runCells(ids);
  }

  #showProgress(): void {
    const cells = this.model.cells;
    const edited = cells.some((cell) => cell.source !== cell.starter);
    this.#bar?.progress(cells.filter((cell) => cell.everRan).length, cells.length, edited);
  }

  async #setDevice(device: "cpu" | "webgpu"): Promise<void> {
    const room = await this.#loadOrSay(() => void this.#setDevice(device));
    await room?.setDevice(device);
  }

  // ---- loading what runs code

  #load(): Promise<Room> {
    this.#loading ??= import("./room.ts").then(({ openRoom }) => {
      this.#room = openRoom(this);
      return this.#room;
    });
    this.#loading.catch(() => {
      this.#loading = null;
    });
    return this.#loading;
  }

  async #loadOrSay(again: () => void): Promise<Room | null> {
    try {
      return await this.#load();
    } catch (error) {
      this.bar.sayLoadFailed(error as Error, again);
      return null;
    }
  }
}

function whenIdle(run: () => void): void {
  if ("requestIdleCallback" in window) requestIdleCallback(run, { timeout: 1500 });
  else setTimeout(run, 200);
}
