/**
 * Loops that stay stoppable. JavaScript runs a loop to its end before it looks at anything else: a Stop button's message,
 * a timer, the collector's news. Whoever loops for long therefore awaits `pause()` now and then; it returns to the event
 * loop only after SLICE_MS of work, because a turn of it costs more than a fast batch.
 */
import { letDeviceCatchUp } from "../core/device.ts";
import { collectIfWorthIt } from "../core/device_memory.ts";
import { checkMemory } from "../core/memory.ts";

/** A frame: what a page can wait for without being felt. */
export const SLICE_MS = 16;

export interface LoopProgress {
  /** The same for all reports of one pass. */
  id: number;
  /** What is read: "DataLoader". */
  label: string;
  done: number;
  /** null where the length is not known. */
  total: number | null;
  /** True in the last report, also of a pass that was left early. */
  finished: boolean;
}

let checkInterrupt: () => void = () => {};
let reportProgress: ((progress: LoopProgress) => void) | null = null;
let lastPause = now();
let nextId = 1;

/**
 * Sets what is asked after each return to the event loop; it throws to end the loop (the error surfaces in the cell).
 * null takes it away.
 */
export function setInterruptCheck(check: (() => void) | null): void {
  checkInterrupt = check ?? (() => {});
}

/** Sets who is told how far the pass over a loader is: at its beginning, at each pause and at its end. null takes it away. */
export function setProgressSink(sink: ((progress: LoopProgress) => void) | null): void {
  reportProgress = sink;
}

/** Whether a slice of work is over. */
export function pauseIsDue(): boolean {
  return now() - lastPause >= SLICE_MS;
}

/**
 * Lets the event loop turn when a slice of work is over, and looks then whether the run was stopped or holds more memory
 * than it may.
 *
 * @throws what the interrupt check throws; RuntimeError when tensors hold more than the budget
 */
export async function pause(): Promise<void> {
  if (!pauseIsDue()) return;
  await turn();
  await letDeviceCatchUp();
  if (collectIfWorthIt()) await turn();
  lastPause = now();
  checkInterrupt();
  checkMemory();
}

/** Reports on one pass; does nothing where nobody listens. */
export class ProgressReporter {
  readonly #id = nextId++;
  readonly #label: string;
  readonly #total: number | null;
  done = 0;

  constructor(label: string, total: number | null) {
    this.#label = label;
    this.#total = total;
  }

  report(finished = false): void {
    reportProgress?.({ id: this.#id, label: this.#label, done: this.done, total: this.#total, finished });
  }
}

function now(): number {
  return performance.now();
}

let channel: MessageChannel | null = null;
const waiting: (() => void)[] = [];

/** One turn of the event loop. Timers would wait 4 ms; a message does not. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") {
      setImmediate(resolve);
      return;
    }
    if (!channel) {
      channel = new MessageChannel();
      channel.port1.onmessage = () => waiting.shift()?.();
    }
    waiting.push(resolve);
    channel.port2.postMessage(null);
  });
}
