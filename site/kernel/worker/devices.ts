/** Where cells run: on what is chosen for the lesson, or on what a cell says of itself. */
import type { DeviceName, DeviceRefusal } from "../protocol.ts";
import type { Engine } from "./engine.ts";

type Chooser = Pick<Engine, "chooseDevice">;

class DeviceError extends Error {
  constructor(message: string, hint: string) {
    super(`${message}\nhint: ${hint}`);
    this.name = "RuntimeError";
  }
}

export class Devices {
  readonly #engine: Chooser;
  #chosen: DeviceName = "cpu";

  constructor(engine: Chooser) {
    this.#engine = engine;
  }

  /** For all cells from now on. */
  async choose(device: DeviceName): Promise<DeviceRefusal | null> {
    const refusal = await this.#engine.chooseDevice(device);
    this.#chosen = refusal === null ? device : "cpu";
    return refusal;
  }

  /**
   * For one cell, until `leave`.
   * @throws Error where there is no such device
   */
  async enter(device: DeviceName | null | undefined): Promise<void> {
    if (!device) return;
    const refusal = await this.#engine.chooseDevice(device);
    if (refusal === "absent")
      throw new DeviceError("WebGPU is not available", "this cell is about the GPU; the others run");
    if (refusal === "lost")
      throw new DeviceError("the WebGPU device was lost", "restart the kernel to use WebGPU again");
  }

  async leave(device: DeviceName | null | undefined): Promise<void> {
    if (device) await this.#engine.chooseDevice(this.#chosen);
  }
}
