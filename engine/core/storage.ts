import { isInferenceModeEnabled } from "../autograd/mode.ts";
import type { DeviceMemory, View } from "../backends/backend.ts";
import { acceleratorOf, CPU, currentDevice, currentOperation, type Device } from "./device.ts";
import { allocateOnDevice, copyOnDevice, finalizer, Held } from "./device_memory.ts";
import { allocate, type DType, type TypedArray } from "./dtype.ts";
import { RuntimeError } from "./errors.ts";
import { track } from "./memory.ts";
import { keepSpare, takeSpare } from "./spare.ts";
import { warn } from "./warnings.ts";

let nextId = 1;

/**
 * The memory behind one or more tensors. Views of it share the version counter that autograd checks.
 *
 * On the CPU the elements are in `data`. On another device they are in its memory, or in an array that goes there before the
 * first kernel runs, or in both; whoever reads them gets the newest ones, and whoever may write makes the other copy void.
 */
export class Storage {
  readonly id: number = nextId++;
  readonly dtype: DType;
  readonly device: Device;
  /** Elements. */
  readonly length: number;
  /** How many in-place changes it has seen. */
  version = 0;
  /** Made in inference mode: autograd keeps away from it. */
  readonly isInference: boolean = isInferenceModeEnabled();
  #host: TypedArray | null;
  #held: Held | null = null;

  constructor(dtype: DType, data: TypedArray, device?: Device);
  /** @internal Zeros of another device. */
  constructor(dtype: DType, data: TypedArray | number, device: Device);
  constructor(dtype: DType, data: TypedArray | number, device: Device = currentDevice()) {
    this.dtype = dtype;
    this.device = device;
    if (typeof data === "number") {
      this.length = data;
      this.#host = null;
    } else {
      this.length = data.length;
      this.#host = data;
      track(this, data.byteLength, dtype.name);
    }
  }

  /** Zeros. @param device Default: that of the operation that runs. */
  static allocate(dtype: DType, length: number, device: Device = currentDevice()): Storage {
    if (device !== CPU) return new Storage(dtype, length, device);
    return new Storage(dtype, allocateSpare(dtype, length), CPU);
  }

  /** The id that the next one will have. */
  static get next(): number {
    return nextId;
  }

  /** The elements, to read and to write. Replaced, never resized: operations in place may swap in a new array. */
  get data(): TypedArray {
    if (this.#held !== null) {
      this.#host ??= this.#fetch(this.#held);
      this.#drop();
    }
    return this.#host ?? this.#zeros();
  }

  set data(data: TypedArray) {
    this.#host = data;
    if (this.#held !== null) this.#drop();
  }

  /** The elements, to read only. */
  get contents(): TypedArray {
    if (this.#host !== null) return this.#host;
    if (this.#held === null) return this.#zeros();
    this.#host = this.#fetch(this.#held);
    return this.#host;
  }

  /** Whether the elements can be looked at without being fetched. */
  get isAtHand(): boolean {
    return this.#host !== null || this.#held === null;
  }

  /** Lets the next tensor have the memory; for those who know that nobody holds this one. */
  release(): void {
    const host = this.#host;
    this.#host = this.length === 0 ? host : allocate(this.dtype, 0);
    if (host !== null && this.device === CPU) keepSpare(host);
    if (this.#held !== null) this.#drop();
  }

  /** Takes over the elements of another storage of its kind, which nobody else uses. */
  takeOver(other: Storage): void {
    if (this.#held !== null) this.#drop();
    this.#host = other.#host;
    if (other.#held === null) return;
    this.#hold(other.#held);
    other.#drop();
  }

  /** Another storage over the same elements: for an operation in place, which leaves the old ones to it or overwrites them. */
  alias(): Storage {
    const alias = new Storage(this.dtype, this.#host ?? this.length, this.device);
    if (this.#held !== null) alias.#hold(this.#held);
    return alias;
  }

  /** The same elements on another device, for a storage whose array nobody else has. */
  movedTo(device: Device): Storage {
    return this.#held === null && this.#host !== null
      ? new Storage(this.dtype, this.#host, device)
      : this.copyTo(device);
  }

  /** A copy on a device: of what is there already by the device itself. On the CPU its elements are fetched when needed. */
  copyTo(device: Device): Storage {
    if (device === CPU && this.#host !== null) return new Storage(this.dtype, this.#host.slice(), CPU);
    const copy = new Storage(this.dtype, this.length, device);
    if (this.#host === null) {
      if (this.#held !== null) copy.#hold(new Held(copyOnDevice(this.#held.memory)));
      return copy;
    }
    copy.#host = this.contents;
    // What is sent at once need not be copied.
    copy.#host = copy.deviceMemory() === null ? this.contents.slice() : null;
    return copy;
  }

  /** Makes `contents` ready, without holding anything up where a device has to answer. */
  async arrive(): Promise<void> {
    const held = this.#held;
    if (held === null || this.#host !== null) return;
    const bytes = await held.read(this.length * DEVICE_ELEMENT_BYTES);
    if (this.#held === held) this.#host ??= fromDevice(this.dtype, bytes);
    if (this.device === CPU && this.#held !== null) this.#drop();
  }

  // ---- for kernels of another device

  /** The elements on the device; null when they have no form there (float64, integers of more than 32 bits). */
  deviceMemory(): DeviceMemory | null {
    if (this.#held !== null) return this.#held.memory;
    if (this.dtype.name === "float64") return null;
    const host = this.#host;
    const elements = host === null ? null : toDevice(this.dtype, host);
    if (host !== null && elements === null) return null;
    const memory = allocateOnDevice(this.length * DEVICE_ELEMENT_BYTES);
    this.#hold(new Held(memory));
    if (elements !== null) {
      acceleratorOf().write(memory, elements);
      memory.limit = largest(this.dtype, elements);
    }
    return memory;
  }

  /** A kernel of the device has changed the elements. */
  changedOnDevice(): void {
    this.#host = null;
  }

  #hold(held: Held): void {
    this.#held = held;
    held.holders++;
    finalizer.register(this, held, this);
  }

  #drop(): void {
    this.#held!.letGo();
    finalizer.unregister(this);
    this.#held = null;
  }

  #zeros(): TypedArray {
    this.#host = allocate(this.dtype, this.length);
    return this.#host;
  }

  #fetch(held: Held): TypedArray {
    const operation = currentOperation();
    if (!acceleratorOf().readsSync) {
      throw new RuntimeError(
        operation === null
          ? `a tensor on ${this.device} cannot be read at once in this browser`
          : `${operation} is not implemented for ${this.device}, and this browser cannot fetch its operands at once`,
        { hint: "fetch the tensor first: (await x.cpu())" },
      );
    }
    if (operation !== null) warnOnce(operation, this.device);
    return fromDevice(this.dtype, held.readSync(this.length * DEVICE_ELEMENT_BYTES));
  }
}

const DEVICE_ELEMENT_BYTES = 4;

const warned = new Set<string>();

function warnOnce(operation: string, device: Device): void {
  if (warned.has(operation)) return;
  warned.add(operation);
  warn(
    `${operation} runs on the CPU: it has no kernel for ${device} that takes these operands, so they are copied there and back. (Said once.)`,
  );
}

const MOST_INT32 = 2 ** 31 - 1;

/** Elements as the device keeps them; null when one does not fit. */
function toDevice(dtype: DType, data: TypedArray): Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | null {
  if (dtype.name === "float32") return data as Float32Array<ArrayBuffer>;
  if (dtype.name === "int32") return data as Int32Array<ArrayBuffer>;
  if (dtype.name === "int64") for (const value of data) if (Math.abs(value) > MOST_INT32) return null;
  return new Int32Array(data);
}

function fromDevice(dtype: DType, bytes: ArrayBuffer): TypedArray {
  if (dtype.name === "float32") return new Float32Array(bytes);
  const integers = new Int32Array(bytes);
  if (dtype.name === "int32") return integers;
  return dtype.name === "int64" ? new Float64Array(integers) : new Uint8Array(integers);
}

function largest(dtype: DType, elements: ArrayLike<number>): number {
  if (dtype.name === "bool") return 1;
  if (dtype.name !== "int64") return Number.POSITIVE_INFINITY;
  let most = 0;
  for (let i = 0; i < elements.length; i++) most = Math.max(most, Math.abs(elements[i]!));
  return most;
}

/** A kernel's view of a tensor on another device. */
export class DeviceView implements View {
  readonly storage: Storage;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
  readonly dtype: DType;

  constructor(storage: Storage, shape: readonly number[], strides: readonly number[], offset: number) {
    this.storage = storage;
    this.shape = shape;
    this.strides = strides;
    this.offset = offset;
    this.dtype = storage.dtype;
  }

  get data(): TypedArray {
    return this.storage.data;
  }

  get memory(): DeviceMemory | undefined {
    return this.storage.deviceMemory() ?? undefined;
  }
}

/** How a kernel sees a part of a storage. */
export function viewOf(storage: Storage, shape: readonly number[], strides: readonly number[], offset: number): View {
  if (storage.device !== CPU) return new DeviceView(storage, shape, strides, offset);
  return { data: storage.data, shape, strides, offset, dtype: storage.dtype };
}

/** The same storage seen in another way. */
export function reshapedView(
  view: View,
  shape: readonly number[],
  strides: readonly number[],
  offset = view.offset,
): View {
  if (view instanceof DeviceView) return new DeviceView(view.storage, shape, strides, offset);
  return { data: view.data, shape, strides, offset, dtype: view.dtype };
}

/** `count` elements that lie apart, row by row. */
export function gatherDense(
  {
    storage,
    shape,
    strides,
    offset,
  }: { storage: Storage; shape: readonly number[]; strides: readonly number[]; offset: number },
  count: number,
): TypedArray {
  const { contents, dtype } = storage;
  const out = allocateSpare(dtype, count);
  const index = new Array<number>(shape.length).fill(0);
  let position = offset;
  for (let i = 0; i < count; i++) {
    out[i] = contents[position]!;
    for (let dim = shape.length - 1; dim >= 0; dim--) {
      position += strides[dim]!;
      if (++index[dim]! < shape[dim]!) break;
      position -= index[dim]! * strides[dim]!;
      index[dim] = 0;
    }
  }
  return out;
}

function allocateSpare(dtype: DType, length: number): TypedArray {
  return takeSpare(dtype, length) ?? allocate(dtype, length);
}
