/** The switch of a lesson: where tensors are made from now on, the GPU started if need be. */
import { type DeviceType, getDefaultDevice, setDefaultDevice } from "./core/device.ts";
import { RuntimeError } from "./core/errors.ts";
import { type BackendLoader, init } from "./webgpu.ts";

/** @throws RuntimeError where there is no GPU; the default device stays as it was */
export async function chooseDevice(type: DeviceType, load?: BackendLoader): Promise<void> {
  if (type === "webgpu" && !(await init(load))) {
    throw new RuntimeError("WebGPU is not available in this browser", { hint: "everything runs on the CPU as before" });
  }
  if (getDefaultDevice().type !== type) setDefaultDevice(type);
}
