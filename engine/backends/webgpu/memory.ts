/**
 * GPU memory: buffers of a few sizes, kept for the next tensor when one is done with them. A buffer may hold what its last
 * owner left; who reads before writing gets zeros, cleared on demand (runtime.ts).
 */

import type { DeviceMemory } from "../backend.ts";

/** Elements of all dtypes take four bytes each: f32, or i32 for integers and booleans. */
export const ELEMENT_BYTES = 4;

const MB = 1024 * 1024;

/** What lies idle, at most; more is given back to the driver. */
const MOST_IDLE_BYTES = 512 * MB;

export class Memory implements DeviceMemory {
  readonly buffer: GPUBuffer;
  /** What the tensor needs; the buffer may be larger. */
  readonly bytes: number;
  /** What the buffer holds is an earlier owner's. */
  stale: boolean;
  /** The last batch of commands that uses the buffer, for this tensor or for an earlier one. */
  batch: number;
  /** No integer in it is larger than this, by absolute value. */
  limit = Number.POSITIVE_INFINITY;
  freed = false;

  constructor(buffer: GPUBuffer, bytes: number, stale: boolean, batch: number) {
    this.buffer = buffer;
    this.bytes = bytes;
    this.stale = stale;
    this.batch = batch;
  }
}

/** Sizes grow by an eighth at most, so that few distinct ones exist and little is wasted. */
export function sizeClass(bytes: number): number {
  const least = Math.max(bytes, 256);
  const step = Math.max(256, 2 ** (Math.floor(Math.log2(least)) - 3));
  return Math.ceil(least / step) * step;
}

export interface MemorySummary {
  /** Bytes of buffers that tensors hold now, and the most they ever held. */
  live: number;
  peak: number;
  /** Bytes of buffers that wait for the next tensor. */
  idle: number;
  /** How many buffers tensors hold, and how many wait. */
  liveBuffers: number;
  idleBuffers: number;
  /** Buffers made since the start: a steady loop makes none. */
  made: number;
}

export class BufferPool {
  readonly #device: GPUDevice;
  readonly #idle = new Map<number, { buffer: GPUBuffer; batch: number }[]>();
  readonly #summary: MemorySummary = { live: 0, peak: 0, idle: 0, liveBuffers: 0, idleBuffers: 0, made: 0 };
  /** Told when a buffer is about to be destroyed. */
  onDestroy: () => void = () => {};
  /** Told of each new buffer what became of the attempt: an error when there was no room for it. */
  onMade: (outcome: Promise<GPUError | null>) => void = () => {};

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  take(bytes: number): Memory {
    const size = sizeClass(bytes);
    const waiting = this.#idle.get(size)?.pop();
    if (waiting) {
      this.#summary.idle -= size;
      this.#summary.idleBuffers--;
    } else this.#summary.made++;
    const buffer = waiting?.buffer ?? this.#make(size);
    this.#summary.live += size;
    this.#summary.liveBuffers++;
    this.#summary.peak = Math.max(this.#summary.peak, this.#summary.live);
    return new Memory(buffer, bytes, waiting !== undefined, waiting?.batch ?? -1);
  }

  give(memory: Memory): void {
    if (memory.freed) return;
    memory.freed = true;
    const { buffer } = memory;
    const { size } = buffer;
    this.#summary.live -= size;
    this.#summary.liveBuffers--;
    if (this.#summary.idle + size > MOST_IDLE_BYTES) {
      this.#destroy(buffer);
      return;
    }
    const same = this.#idle.get(size) ?? [];
    this.#idle.set(size, same);
    same.push({ buffer, batch: memory.batch });
    this.#summary.idle += size;
    this.#summary.idleBuffers++;
  }

  /** Gives all that waits back to the driver. */
  empty(): void {
    for (const buffers of this.#idle.values()) for (const { buffer } of buffers) this.#destroy(buffer);
    this.#idle.clear();
    this.#summary.idle = 0;
    this.#summary.idleBuffers = 0;
  }

  get summary(): MemorySummary {
    return { ...this.#summary };
  }

  #make(size: number): GPUBuffer {
    this.#device.pushErrorScope("out-of-memory");
    const buffer = this.#device.createBuffer({
      size,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
    this.onMade(this.#device.popErrorScope());
    return buffer;
  }

  #destroy(buffer: GPUBuffer): void {
    this.onDestroy();
    buffer.destroy();
  }
}
