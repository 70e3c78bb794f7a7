import { RuntimeError } from "./errors.ts";

export type DeviceType = "cpu" | "webgpu";

/** Where a tensor lives. Prints as Python's `torch.device` does in a tensor's text: its type. */
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

/**
 * `torch.device("cpu")`.
 * @throws RuntimeError for a device that this engine does not know or that this machine does not have.
 */
export function device(type: string | Device): Device {
  if (type instanceof Device) return type;
  if (type === "cpu") return CPU;
  if (type === "webgpu") {
    throw new RuntimeError("WebGPU is not available in this engine", { hint: 'use device "cpu"' });
  }
  throw new RuntimeError(`Expected one of cpu, webgpu device type at start of device string: ${type}`);
}
