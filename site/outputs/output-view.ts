/**
 * The outputs of one run, in the order in which they appeared. Items come as data and are drawn by their kind; text that
 * streams is gathered per frame; beyond a number of items the rest is counted.
 */
import type { OutputItem } from "../kernel/protocol.ts";
import { ChartOutput } from "./chart.ts";
import { ErrorOutput } from "./error.ts";
import { ImageOutput } from "./image.ts";
import type { OutputContext, OutputPart, TextTensor } from "./item.ts";
import { ProgressOutput } from "./progress.ts";
import { reachScrollers } from "./scrollers.ts";
import { TableOutput } from "./table.ts";
import { TensorOutput } from "./tensor.ts";
import { TextOutput } from "./text.ts";
import { ValueOutput } from "./value.ts";

const MOST_ITEMS = 600;

export class OutputView {
  readonly #host: HTMLElement;
  readonly #context: OutputContext;
  readonly #parts = new Map<number, OutputPart>();
  #fresh = true;
  #dropped = 0;
  #note: HTMLElement | null = null;

  /** @param host what holds the items; whatever is in it goes when the first new item comes */
  constructor(host: HTMLElement, context: OutputContext) {
    this.#host = host;
    this.#context = context;
  }

  /** A new run: the old output stays until the new one has something to show, so that the page doesn't jump. */
  begin(): void {
    this.#parts.clear();
    this.#fresh = true;
    this.#dropped = 0;
    this.#note = null;
  }

  /** A new item, or the new state of the one with the same id. */
  item(item: OutputItem): void {
    this.#clearOld();
    const known = this.#parts.get(item.id);
    if (known !== undefined) {
      known.update(item);
      return;
    }
    if (this.#parts.size >= MOST_ITEMS && item.kind !== "error") {
      this.#dropped++;
      this.#note ??= this.#addNote();
      this.#note.textContent = this.#context.t.output.moreItems(this.#dropped);
      return;
    }
    const part = createPart(item, this.#context);
    this.#parts.set(item.id, part);
    this.#host.append(part.element);
  }

  /** Text that continues an item; words for an item that isn't shown are dropped. */
  append(id: number, text: string, tensors: TextTensor[]): void {
    this.#parts.get(id)?.append?.(text, tensors);
  }

  /** Draws what is pending; what scrolls can be reached by keyboard. Call when the run has ended. */
  finish(): void {
    this.#clearOld();
    for (const part of this.#parts.values()) part.flush?.();
    reachScrollers(this.#host);
  }

  /** Nothing shown any more. */
  clear(): void {
    this.begin();
    this.#clearOld();
  }

  /** Everything printed to stdout so far, as one text. */
  get text(): string {
    for (const part of this.#parts.values()) part.flush?.();
    return [...this.#host.querySelectorAll('[data-output="text"]:not([data-stream="stderr"])')]
      .map((element) => element.textContent)
      .join("");
  }

  #clearOld(): void {
    if (!this.#fresh) return;
    this.#fresh = false;
    this.#host.replaceChildren();
  }

  #addNote(): HTMLElement {
    const note = document.createElement("p");
    note.className = "out-note";
    this.#host.append(note);
    return note;
  }
}

function createPart(item: OutputItem, context: OutputContext): OutputPart {
  switch (item.kind) {
    case "text":
      return new TextOutput(item, context) as unknown as OutputPart;
    case "tensor":
      return new TensorOutput(item, context) as unknown as OutputPart;
    case "value":
      return new ValueOutput(item) as unknown as OutputPart;
    case "image":
      return new ImageOutput(item, context) as unknown as OutputPart;
    case "table":
      return new TableOutput(item, context) as unknown as OutputPart;
    case "chart":
      return new ChartOutput(item, context) as unknown as OutputPart;
    case "progress":
      return new ProgressOutput(item, context) as unknown as OutputPart;
    case "error":
      return new ErrorOutput(item, context) as unknown as OutputPart;
  }
}
