/** What a cell wrote for TensorBoard, by tag and step, within a bound of memory. */
import type { TensorboardEvent } from "../kernel/protocol.ts";

export type ImagesEvent = Extract<TensorboardEvent, { kind: "images" }>;
export type ScalarsEvent = Extract<TensorboardEvent, { kind: "scalars" }>;

/** Bytes of pictures that one panel keeps; beyond that the oldest step of the largest tag goes. */
const MOST_BYTES = 96 * 2 ** 20;

export class BoardStore {
  readonly images = new Map<string, ImagesEvent[]>();
  readonly scalars = new Map<string, ScalarsEvent[]>();
  /** Steps that had to go. */
  dropped = 0;
  #bytes = 0;
  readonly #limit: number;

  constructor(limit = MOST_BYTES) {
    this.#limit = limit;
  }

  add(event: TensorboardEvent): void {
    if (event.kind === "scalars") place(this.scalars, event);
    else {
      const replaced = place(this.images, event);
      this.#bytes += event.picture.pixels.byteLength - (replaced?.picture.pixels.byteLength ?? 0);
      while (this.#bytes > this.#limit) this.#dropOldest();
    }
  }

  /** Every step at which some image was written, in order. */
  get steps(): number[] {
    const steps = new Set<number>();
    for (const events of this.images.values()) for (const { step } of events) steps.add(step);
    return [...steps].sort((a, b) => a - b);
  }

  get isEmpty(): boolean {
    return this.images.size === 0 && this.scalars.size === 0;
  }

  /** The image that TensorBoard shows for a tag at a step: the latest written up to it. */
  imageAt(tag: string, step: number): ImagesEvent | null {
    const events = this.images.get(tag) ?? [];
    return events.findLast((event) => event.step <= step) ?? events[0] ?? null;
  }

  #dropOldest(): void {
    const largest = [...this.images.values()].sort((a, b) => b.length - a.length)[0];
    // A single picture over the limit is shown all the same.
    if (largest === undefined || largest.length < 2) {
      this.#bytes = 0;
      return;
    }
    const gone = largest.shift()!;
    this.#bytes -= gone.picture.pixels.byteLength;
    this.dropped++;
  }
}

/** Into its tag's list by step; a step written again is replaced. Returns what it replaced. */
function place<Event extends TensorboardEvent>(tags: Map<string, Event[]>, event: Event): Event | undefined {
  const events = tags.get(event.tag);
  if (events === undefined) {
    tags.set(event.tag, [event]);
    return undefined;
  }
  let at = events.length;
  while (at > 0 && events[at - 1]!.step > event.step) at--;
  if (at > 0 && events[at - 1]!.step === event.step) return events.splice(at - 1, 1, event)[0];
  events.splice(at, 0, event);
  return undefined;
}
