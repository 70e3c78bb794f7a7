/**
 * Events on their way to the page. The first ones of a burst leave at once, so that a `print` before a long synchronous
 * computation is on the page while that computes; a flood is gathered and leaves every 16 ms or 4 kB.
 */
import type { KernelEvent } from "../protocol.ts";

const BURST = 100;
const REFILL_PER_MS = 1;
const BATCH_MS = 16;
const BATCH_CHARACTERS = 4096;

export interface Clock {
  now(): number;
  /** Calls back from the event loop. */
  defer(callback: () => void, ms: number): void;
}

export class EventStream {
  private readonly post: (events: KernelEvent[], batch: number) => void;
  private readonly clock: Clock;
  private queue: KernelEvent[] = [];
  private characters = 0;
  private tokens = BURST;
  private lastRefill: number;
  private lastPost: number;
  private deferred = false;
  private posted = 0;

  constructor(post: (events: KernelEvent[], batch: number) => void, clock: Clock) {
    this.post = post;
    this.clock = clock;
    this.lastRefill = this.lastPost = clock.now();
  }

  emit(event: KernelEvent): void {
    this.enqueue(event);
    const now = this.clock.now();
    this.tokens = Math.min(BURST, this.tokens + (now - this.lastRefill) * REFILL_PER_MS);
    this.lastRefill = now;
    if (this.tokens >= 1) {
      this.tokens -= 1;
      this.flush();
    } else if (this.characters >= BATCH_CHARACTERS || now - this.lastPost >= BATCH_MS) {
      this.flush();
    } else if (!this.deferred) {
      this.deferred = true;
      this.clock.defer(() => {
        this.deferred = false;
        this.flush();
      }, BATCH_MS);
    }
  }

  /** Sends what waits; returns the number of the last batch sent, for whoever wants to know that all has arrived. */
  flush(): number {
    if (this.queue.length > 0) {
      const events = this.queue;
      this.queue = [];
      this.characters = 0;
      this.lastPost = this.clock.now();
      this.post(events, ++this.posted);
    }
    return this.posted;
  }

  private enqueue(event: KernelEvent): void {
    if (event.type === "append") {
      this.characters += event.text.length;
      const last = this.queue.at(-1);
      if (
        last?.type === "append" &&
        last.id === event.id &&
        last.cellId === event.cellId &&
        last.runId === event.runId
      ) {
        const shift = last.text.length;
        last.text += event.text;
        for (const { start, end, tensor } of event.tensors)
          last.tensors.push({ start: start + shift, end: end + shift, tensor });
        return;
      }
    } else {
      this.characters += event.type === "output" && event.item.kind === "text" ? event.item.text.length : 64;
    }
    this.queue.push(event);
  }
}
