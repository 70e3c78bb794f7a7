/**
 * Counts the bytes that tensors hold, so that a cell which keeps everything gets an error that says so, before the tab dies.
 *
 * The garbage collector frees, and a FinalizationRegistry tells us so only between two turns of the event loop: inside a
 * synchronous loop the count can only grow, garbage included. Hence nothing is refused at allocation; whoever yields (the
 * data loader, tqdm) asks `checkMemory` when it comes back. No WeakRef either: creating one keeps its target alive for the
 * rest of the turn.
 */
import type { DTypeName } from "./dtype.ts";
import { RuntimeError } from "./errors.ts";

/** Smaller buffers cost more to follow than they weigh. */
const TRACKED_FROM = 16 * 1024;

/**
 * Of so many buffers nothing was heard before a loop counts as one that does not yield. What it takes to follow a buffer
 * outlives it there: from then on only larger ones are followed, and after as many of those again only larger ones still.
 */
const PATIENCE = 128;

interface Tracked {
  bytes: number;
  dtype: DTypeName;
}

let live = 0;
let peak = 0;
let budget = Number.POSITIVE_INFINITY;
const tracked = new Map<number, Tracked>();
let nextToken = 1;
/** Buffers followed since this was last told of any. */
let untold = 0;

const registry = new FinalizationRegistry<number>((token) => {
  untold = 0;
  live -= tracked.get(token)!.bytes;
  tracked.delete(token);
});

/** Called by every new storage. */
export function track(storage: object, bytes: number, dtype: DTypeName): void {
  if (bytes < TRACKED_FROM * 4 ** Math.floor(untold / PATIENCE)) return;
  untold++;
  const token = nextToken++;
  live += bytes;
  if (live > peak) peak = live;
  tracked.set(token, { bytes, dtype });
  registry.register(storage, token);
}

/** Bytes that tensors may hold together before `checkMemory` throws. */
export function setMemoryBudget(bytes: number): void {
  budget = bytes;
}

/** Bytes held now (an upper bound until the collector has run), the most ever held, and the budget. */
export function memoryStats(): { live: number; peak: number; budget: number } {
  return { live, peak, budget };
}

const MB = 1024 * 1024;

const ADVICE = {
  hint: "keep numbers with .item() instead of tensors, use a smaller batch, or restart to free what earlier runs hold",
};

/** @throws RuntimeError when tensors hold more than the budget; it names the largest. */
export function checkMemory(): void {
  untold = 0;
  if (live <= budget) return;
  throw new RuntimeError(
    `out of memory: tensors hold ${(live / MB).toFixed(0)} MB, the budget is ${(budget / MB).toFixed(0)} MB${largest()}`,
    ADVICE,
  );
}

/** What to throw when the platform itself has no room for that many bytes, as in a loop that never yields. */
export function allocationFailed(bytes: number): RuntimeError {
  return new RuntimeError(
    `out of memory: can't allocate ${(bytes / MB).toFixed(1)} MB; tensors hold ${(live / MB).toFixed(0)} MB${largest()}`,
    ADVICE,
  );
}

function largest(): string {
  const first = [...tracked.values()].sort((a, b) => b.bytes - a.bytes).slice(0, 3);
  if (first.length === 0) return "";
  return ` (the largest: ${first.map(({ bytes, dtype }) => `${(bytes / MB).toFixed(1)} MB of ${dtype}`).join(", ")})`;
}
