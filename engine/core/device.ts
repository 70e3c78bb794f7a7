/** Where tensors live and where their operations run. https://docs.pytorch.org/docs/2.13/tensor_attributes.html#torch-device */
import type { DeviceMemory } from "../backends/backend.ts";
import { RuntimeError } from "./errors.ts";

export type DeviceType = "cpu" | "webgpu";

/** Where a tensor lives. Prints as Python's `torch.device` does in a tensor's text. */
export class Device {
  readonly type: DeviceType;

  constructor(type: DeviceType) {
    this.type = type;
  }

  toString(): string {
    return this.type;
  }
}

export const CPU = new Device("cpu");
export const WEBGPU = new Device("webgpu");

/**
 * `torch.device("cpu")`, `torch.device("webgpu")`: also where there is no GPU; what needs one says so.
 * @throws RuntimeError for a device that this engine does not know
 */
export function device(type: string | Device): Device {
  if (type instanceof Device) return type;
  if (type === "cpu") return CPU;
  if (type === "webgpu" || type === "webgpu:0") return WEBGPU;
  throw new RuntimeError(`Expected one of cpu, webgpu device type at start of device string: ${type}`);
}

/** The memory of a device that is not the CPU. Elements are four bytes wide there: floats, or integers. */
export interface Accelerator {
  /** Memory that reads as zeros until it is written to. @throws RuntimeError when the device has no room for it */
  allocate(bytes: number): DeviceMemory;
  free(memory: DeviceMemory): void;
  write(memory: DeviceMemory, elements: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>): void;
  copyOf(memory: DeviceMemory): DeviceMemory;
  /** Whether `readSync` works: not every browser has a way. */
  readonly readsSync: boolean;
  readSync(memory: DeviceMemory, bytes: number): ArrayBuffer;
  read(memory: DeviceMemory, bytes: number): Promise<ArrayBuffer>;
  /** Waits while the device is far behind with what it was given. */
  catchUp(): Promise<void>;
}

let accelerator: Accelerator | null = null;

/** @internal */
export function setAccelerator(started: Accelerator | null): void {
  accelerator = started;
}

/** Whether there is another device than the CPU at all: everything about devices is skipped otherwise. */
export function hasAccelerator(): boolean {
  return accelerator !== null;
}

/** For loops that yield: resolves once the device is near. */
export async function letDeviceCatchUp(): Promise<void> {
  await accelerator?.catchUp();
}

/** @throws RuntimeError where WebGPU was not started or is not there */
export function acceleratorOf(): Accelerator {
  if (accelerator) return accelerator;
  throw new RuntimeError("WebGPU is not available", {
    hint: 'ask torch.webgpu.isAvailable() first, or use device "cpu"',
  });
}

// ---- the device that new tensors are made on

let standard = CPU;
/** That of the operation that runs. */
let current: Device | null = null;
/** The operation that runs on another device than the CPU, as PyTorch calls it. */
let operation: string | null = null;

/** The device of tensors that are made without saying where. */
export function getDefaultDevice(): Device {
  return standard;
}

/**
 * Where tensors are made from now on if nothing else is said. Default "cpu".
 * https://docs.pytorch.org/docs/2.13/generated/torch.set_default_device.html
 * @throws RuntimeError for a device that is not there
 */
export function setDefaultDevice(chosen: Device | string | null): void {
  const place = chosen === null ? CPU : device(chosen);
  if (place !== CPU) acceleratorOf();
  standard = place;
}

/** Where a storage is made: the device of the operation that runs, else the default. */
export function currentDevice(): Device {
  return current ?? standard;
}

/** The operation that runs on another device, for messages; null outside of one. */
export function currentOperation(): string | null {
  return operation;
}

/** Runs an operation whose results belong on that device. */
export function onDevice<T>(place: Device, name: string | null, run: () => T): T {
  const [outerDevice, outerOperation] = [current, operation];
  current = place;
  operation = place === CPU ? null : (name ?? outerOperation);
  try {
    return run();
  } finally {
    current = outerDevice;
    operation = outerOperation;
  }
}
