/**
 * `for await (const batch of tqdm(loader))`: a progress bar that stays one output item, and a place where the loop gives
 * way to the event loop so that Stop, timers and the page are heard.
 */
import type { NewItem } from "./cell-output.ts";
import { safely } from "./errors.ts";

const UPDATE_MS = 50;
const YIELD_MS = 16;

export interface ProgressSink {
  add(item: NewItem): number | null;
  update(id: number, item: NewItem): void;
  now(): number;
  /** Wall-clock milliseconds since 1970, for `startedAt`. */
  wallTime(): number;
  /** Lets the event loop turn once. */
  pause(): Promise<void>;
  /** @throws StopError when the reader has asked to stop. */
  checkStop(): void;
  /** A bar has been opened (1) or is done (-1). */
  opened(change: 1 | -1): void;
}

export interface TqdmOptions {
  total?: number;
  desc?: string;
}

export class Tqdm<T> {
  private readonly source: Iterable<T> | AsyncIterable<T>;
  private readonly sink: ProgressSink;
  private label: string;
  private readonly total: number | null;
  private metrics: Record<string, number> = {};
  private done = 0;
  private id: number | null = null;
  private began = 0;
  private startedAt = 0;
  private shownAt = 0;

  constructor(source: Iterable<T> | AsyncIterable<T> | number, options: TqdmOptions, sink: ProgressSink) {
    this.source = typeof source === "number" ? (range(source) as Iterable<T>) : source;
    this.sink = sink;
    this.label = safely(() => options.desc ?? "");
    this.total = typeof source === "number" ? source : lengthOf(source, options);
  }

  setPostfix(metrics: Record<string, number>): void {
    const numbers: Record<string, number> = {};
    for (const [name, value] of Object.entries(metrics)) numbers[name] = Number(value);
    this.metrics = numbers;
    this.show(false);
  }

  setDescription(text: string): void {
    this.label = String(text);
    this.show(false);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    this.start();
    let yieldedAt = this.sink.now();
    try {
      for await (const item of this.source) {
        this.sink.checkStop();
        yield item;
        this.done++;
        this.show(false);
        if (this.sink.now() - yieldedAt >= YIELD_MS) {
          await this.sink.pause();
          yieldedAt = this.sink.now();
        }
        this.sink.checkStop();
      }
    } finally {
      this.sink.opened(-1);
      this.show(true);
    }
  }

  *[Symbol.iterator](): Generator<T> {
    this.start();
    try {
      for (const item of this.source as Iterable<T>) {
        yield item;
        this.done++;
        this.show(false);
      }
    } finally {
      this.sink.opened(-1);
      this.show(true);
    }
  }

  private start(): void {
    this.done = 0;
    this.began = this.shownAt = this.sink.now();
    this.startedAt = this.sink.wallTime();
    this.sink.opened(1);
    this.id = this.sink.add(this.item());
  }

  private show(last: boolean): void {
    const now = this.sink.now();
    if (this.id === null || (!last && now - this.shownAt < UPDATE_MS)) return;
    this.shownAt = now;
    this.sink.update(this.id, this.item());
  }

  private item(): NewItem {
    const seconds = (this.sink.now() - this.began) / 1000;
    return {
      kind: "progress",
      label: this.label,
      done: this.done,
      total: this.total,
      startedAt: this.startedAt,
      rate: this.done > 0 && seconds > 0 ? this.done / seconds : null,
      metrics: { ...this.metrics },
    };
  }
}

function* range(count: number): Generator<number> {
  for (let i = 0; i < count; i++) yield i;
}

function lengthOf(source: object, options: TqdmOptions): number | null {
  for (const length of [options.total, (source as { length?: unknown }).length, (source as { size?: unknown }).size]) {
    if (typeof length === "number" && Number.isFinite(length)) return length;
  }
  return null;
}
