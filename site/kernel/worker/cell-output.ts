/**
 * What one run of a cell has shown so far: text that grows, items that are replaced in place, and the limits that keep
 * `while (true) print(1)` from filling the page's memory. What is over a limit is counted, and the count is shown.
 */
import type { ErrorData, KernelEvent, OutputItem, TensorSummary } from "../protocol.ts";

/** Characters of text per run. A page with more is not read, and layout takes seconds. */
export const MAX_TEXT = 256 * 1024;
/** Items per run that are not updates. */
export const MAX_ITEMS = 500;
const NOTICE_MS = 250;

type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;
export type NewItem = WithoutId<OutputItem>;
type TextTensor = { start: number; end: number; tensor: TensorSummary };

/** The part of an event that every event of a run shares is added by `emit`. */
export type Emit = (
  event:
    | Omit<Extract<KernelEvent, { type: "output" }>, "generation" | "runId" | "cellId">
    | Omit<Extract<KernelEvent, { type: "append" }>, "generation" | "runId" | "cellId">,
) => void;

let nextId = 1;

export class CellOutput {
  private readonly emit: Emit;
  private readonly now: () => number;
  private open: { id: number; stream: "stdout" | "stderr"; length: number } | null = null;
  private characters = 0;
  private items = 0;
  private dropped = { lines: 0, items: 0 };
  private notice: { id: number; shownAt: number } | null = null;

  constructor(emit: Emit, now: () => number) {
    this.emit = emit;
    this.now = now;
  }

  text(stream: "stdout" | "stderr", text: string, tensors: TextTensor[]): void {
    if (text === "") return;
    const room = MAX_TEXT - this.characters;
    if (room <= 0 || (this.open?.stream !== stream && this.items >= MAX_ITEMS)) {
      this.dropped.lines += countLines(text);
      this.showNotice();
      return;
    }
    let shown = text;
    let shownTensors = tensors;
    if (text.length > room) {
      // Whole lines only, so that a line that ends early is not taken for the whole of it.
      const whole = text.slice(0, text.lastIndexOf("\n", room - 1) + 1);
      shown = whole === "" && this.characters === 0 ? text.slice(0, room) : whole;
      shownTensors = tensors.filter(({ end }) => end <= shown.length);
      this.dropped.lines += countLines(text.slice(shown.length));
      this.characters = MAX_TEXT;
    } else {
      this.characters += text.length;
    }
    if (shown === "") {
      this.showNotice();
      return;
    }
    if (this.open?.stream === stream) {
      const shift = this.open.length;
      this.open.length += shown.length;
      this.emit({
        type: "append",
        id: this.open.id,
        text: shown,
        tensors: shownTensors.map(({ start, end, tensor }) => ({ start: start + shift, end: end + shift, tensor })),
      });
    } else {
      const id = nextId++;
      this.items++;
      this.open = { id, stream, length: shown.length };
      this.emit({ type: "output", item: { kind: "text", id, stream, text: shown, tensors: shownTensors } });
    }
    if (this.dropped.lines > 0) this.showNotice();
  }

  /** Adds an item; returns its id for `update`, or null when it was dropped. */
  add(item: NewItem): number | null {
    if (this.items >= MAX_ITEMS && item.kind !== "error") {
      this.dropped.items++;
      this.showNotice();
      return null;
    }
    const id = nextId++;
    this.items++;
    this.open = null;
    this.emit({ type: "output", item: { ...item, id } as OutputItem });
    return id;
  }

  update(id: number, item: NewItem): void {
    this.emit({ type: "output", item: { ...item, id } as OutputItem });
  }

  error(error: ErrorData): void {
    this.add({ kind: "error", error });
  }

  /** Brings the count of what was dropped up to date. */
  finish(): void {
    if (this.notice) this.showNotice(true);
  }

  private showNotice(last = false): void {
    const now = this.now();
    if (this.notice && !last && now - this.notice.shownAt < NOTICE_MS) return;
    this.open = null;
    const { lines, items } = this.dropped;
    const what = [
      lines > 0 ? `${lines} more line${lines === 1 ? "" : "s"}` : "",
      items > 0 ? `${items} more output${items === 1 ? "" : "s"}` : "",
    ];
    const text = `… ${what.filter(Boolean).join(" and ")} not shown: a run shows ${MAX_TEXT / 1024} kB of text and ${MAX_ITEMS} outputs.\n`;
    const id = this.notice?.id ?? nextId++;
    this.notice = { id, shownAt: now };
    this.emit({ type: "output", item: { kind: "text", id, stream: "stderr", text, tensors: [] } });
  }
}

function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines++;
  return Math.max(1, lines);
}
