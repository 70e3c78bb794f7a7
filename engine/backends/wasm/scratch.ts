/**
 * The kernels' working memory. Tensors live in ordinary typed arrays, which the garbage collector sees; a kernel copies in
 * what it reads and copies out what it made (10 to 40 GB/s), and the next call starts again at the bottom.
 */
import type { TypedArray } from "../../core/dtype.ts";
import type { WasmExports } from "./module.ts";

/** WebAssembly memory never shrinks: an instance that has grown beyond this is replaced by a fresh one after the call. */
const KEEP_BYTES = 64 * 1024 * 1024;

/** A call that needs more than this is declined. */
export const MOST_BYTES = 768 * 1024 * 1024;

const PAGE = 65536;

/** Floats in a page of the operating system. */
const PAGE_FLOATS = 1024;

export class Scratch {
  readonly #module: WebAssembly.Module;
  #exports: WasmExports;
  #base: number;
  #top: number;
  #floats: Float32Array<ArrayBuffer>;

  constructor(module: WebAssembly.Module) {
    this.#module = module;
    this.#exports = instantiate(module);
    this.#base = this.#top = this.#exports.heapBase.value as number;
    this.#floats = new Float32Array(this.#exports.memory.buffer);
  }

  /** The kernels; valid until the next `begin`. */
  get call(): WasmExports {
    return this.#exports;
  }

  /** Forgets what earlier calls left. */
  begin(): void {
    if (this.#exports.memory.buffer.byteLength > KEEP_BYTES) {
      this.#exports = instantiate(this.#module);
      this.#base = this.#exports.heapBase.value as number;
      this.#floats = new Float32Array(this.#exports.memory.buffer);
    }
    this.#top = this.#base;
  }

  /** Room for `count` floats, aligned, with 64 usable bytes behind it. Not cleared. */
  floats(count: number): number {
    return this.#take(count * 4);
  }

  doubles(count: number): number {
    return this.#take(count * 8);
  }

  #take(bytes: number): number {
    const start = (this.#top + 63) & ~63;
    this.#top = start + bytes + 64;
    const missing = this.#top - this.#exports.memory.buffer.byteLength;
    if (missing > 0) {
      this.#exports.memory.grow(Math.ceil(missing / PAGE));
      this.#floats = new Float32Array(this.#exports.memory.buffer);
    }
    return start;
  }

  /** Copies `count` numbers of x from `from` on to `pointer`. */
  write(pointer: number, x: TypedArray, from = 0, count = x.length): void {
    this.#floats.set(from === 0 && count === x.length ? x : x.subarray(from, from + count), pointer >> 2);
  }

  writeInts(pointer: number, x: TypedArray, from: number, count: number): void {
    this.viewInts(pointer, count).set(x.subarray(from, from + count));
  }

  /** Copies `count` floats at `pointer` into out from `to` on. */
  read(pointer: number, count: number, out: TypedArray, to: number): void {
    touch(out, to, count);
    out.set(this.#floats.subarray(pointer >> 2, (pointer >> 2) + count), to);
  }

  readInts(pointer: number, count: number, out: TypedArray, to: number): void {
    touch(out, to, count);
    out.set(this.viewInts(pointer, count), to);
  }

  /** A table of byte or element distances. */
  table(values: readonly number[] | Uint32Array): number {
    const pointer = this.#take(values.length * 4);
    new Uint32Array(this.#exports.memory.buffer, pointer, values.length).set(values);
    return pointer;
  }

  writeBytes(pointer: number, x: TypedArray, from: number, count: number): void {
    new Uint8Array(this.#exports.memory.buffer, pointer, count).set(x.subarray(from, from + count));
  }

  readBytes(pointer: number, count: number, out: TypedArray, to: number): void {
    out.set(new Uint8Array(this.#exports.memory.buffer, pointer, count), to);
  }

  fill(pointer: number, count: number, value: number): void {
    this.#floats.fill(value, pointer >> 2, (pointer >> 2) + count);
  }

  /** The doubles at `pointer`, in place; valid until the memory grows. */
  viewDoubles(pointer: number, count: number): Float64Array {
    return new Float64Array(this.#exports.memory.buffer, pointer, count);
  }

  /** The integers at `pointer`, in place; valid until the memory grows. */
  viewInts(pointer: number, count: number): Int32Array {
    return new Int32Array(this.#exports.memory.buffer, pointer, count);
  }

  /** The floats at `pointer`, in place; valid until the memory grows. */
  view(pointer: number, count: number): Float32Array {
    return this.#floats.subarray(pointer >> 2, (pointer >> 2) + count);
  }
}

/** One store in each page that is about to be copied to: a copy that runs into fresh pages takes a quarter longer. */
function touch(out: TypedArray, from: number, count: number): void {
  for (let i = from, end = from + count; i < end; i += PAGE_FLOATS) out[i] = 0;
}

function instantiate(module: WebAssembly.Module): WasmExports {
  const abort = () => {
    throw new Error("a WebAssembly kernel aborted");
  };
  return new WebAssembly.Instance(module, { env: { abort } }).exports as unknown as WasmExports;
}
