/**
 * Who holds memory of another device, and what happens when there is too much of it.
 *
 * The garbage collector neither sees that memory nor knows how dear it is, and tells of what it found only after the event
 * loop has turned. So three things keep it small: the engine frees at once what it knows to be gone; whoever lets the event
 * loop turn (the data loader, the end of a cell) sets the collector off when much has come together; and a loop that never
 * does has what it touched longest ago moved to the CPU's memory, where the collector finds it.
 */
import type { DeviceMemory } from "../backends/backend.ts";
import { acceleratorOf } from "./device.ts";

const MB = 2 ** 20;

/** Held memory, whose storages may be several. */
export class Held {
  holders = 0;
  /** The operation that used it last. */
  touched = now;
  #memory: DeviceMemory | null;
  /** The elements, while they are away from the device. */
  #moved: { bytes: ArrayBuffer; limit: number } | null = null;

  constructor(memory: DeviceMemory) {
    this.#memory = memory;
    add(this, memory.bytes);
  }

  /** For the device's kernels. */
  get memory(): DeviceMemory {
    this.touched = now;
    if (this.#memory === null) {
      const { bytes, limit } = this.#moved!;
      this.#memory = allocateOnDevice(bytes.byteLength);
      acceleratorOf().write(this.#memory, new Int32Array(bytes));
      this.#memory.limit = limit;
      this.#moved = null;
      add(this, bytes.byteLength);
    }
    return this.#memory;
  }

  /** The first so many bytes, at once. */
  readSync(bytes: number): ArrayBuffer {
    return this.#moved?.bytes.slice(0, bytes) ?? acceleratorOf().readSync(this.#memory!, bytes);
  }

  read(bytes: number): Promise<ArrayBuffer> {
    return this.#moved
      ? Promise.resolve(this.#moved.bytes.slice(0, bytes))
      : acceleratorOf().read(this.#memory!, bytes);
  }

  letGo(): void {
    if (--this.holders > 0) return;
    if (this.#memory) this.#leave(this.#memory);
    this.#moved = null;
  }

  /** To the CPU's memory, until it is needed again. */
  move(): void {
    const memory = this.#memory!;
    this.#moved = { bytes: acceleratorOf().readSync(memory, memory.bytes), limit: memory.limit };
    this.#leave(memory);
  }

  get bytes(): number {
    return this.#memory?.bytes ?? 0;
  }

  #leave(memory: DeviceMemory): void {
    acceleratorOf().free(memory);
    this.#memory = null;
    onDevice.delete(this);
    total -= memory.bytes;
  }
}

/** Frees what no storage holds any more. */
export const finalizer = new FinalizationRegistry<Held>((held) => held.letGo());

const onDevice = new Set<Held>();
/** Bytes on the device. */
let total = 0;
/** Counts operations. */
let now = 0;

function add(held: Held, bytes: number): void {
  onDevice.add(held);
  total += bytes;
}

/** A kernel is about to be called: what it and those after it touch stays. */
export function nextOperation(): void {
  now++;
}

let budget = 1024 * MB;

/** Bytes that tensors may hold on the device before the oldest move away. Default 1 GB. */
export function setDeviceBudget(bytes: number): void {
  budget = bytes;
}

/** @throws RuntimeError when the device has no room for it */
export function allocateOnDevice(bytes: number): DeviceMemory {
  if (total + bytes > budget) makeRoom(bytes);
  return acceleratorOf().allocate(bytes);
}

/** A copy of the same size on the device. */
export function copyOnDevice(memory: DeviceMemory): DeviceMemory {
  if (total + memory.bytes > budget) makeRoom(memory.bytes);
  return acceleratorOf().copyOf(memory);
}

/** Moves what was not touched for longest, down to three quarters of the budget, so that it is done seldom. */
function makeRoom(bytes: number): void {
  if (!acceleratorOf().readsSync) return;
  const goal = Math.max(0, 0.75 * budget - bytes);
  const oldest = [...onDevice].filter(({ touched }) => touched < now).sort((a, b) => a.touched - b.touched);
  for (const held of oldest) {
    if (total <= goal) return;
    held.move();
  }
}

/** Bytes that were on the device after the collector was last set off. */
let settled = 0;
const WORTH_COLLECTING = 64 * MB;

/**
 * Sets the collector off if much has come together since the last time. What it finds is freed when the event loop turns
 * next.
 * @returns whether it did
 */
export function collectIfWorthIt(): boolean {
  settled = Math.min(settled, total);
  if (total - settled < Math.max(WORTH_COLLECTING, settled / 2)) return false;
  settled = total;
  try {
    // The collector counts the bytes of arrays, pages that nobody touched included: it takes two milliseconds.
    for (let i = 0; i < 2; i++) new ArrayBuffer(WORTH_COLLECTING);
  } catch {
    // No room for as much: the collector has run.
  }
  return true;
}
