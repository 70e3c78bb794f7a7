/** A device for tests in Node: memory of its own, no kernels, and a book of what goes there and back. */
import type { DeviceMemory } from "../../engine/backends/backend.ts";
import { setAccelerator, setDefaultDevice } from "../../engine/core/device.ts";

export interface FakeDevice {
  /** Elements of each upload, in order. */
  readonly uploads: number[];
  /** Bytes of each fetch that held everything up. */
  readonly fetches: number[];
}

/** Makes it the default device, until `removeFakeDevice`. */
export function useFakeDevice(): FakeDevice {
  const uploads: number[] = [];
  const fetches: number[] = [];
  const memories = new Map<DeviceMemory, ArrayBuffer>();
  const allocate = (bytes: number): DeviceMemory => {
    const memory = { bytes, limit: Number.POSITIVE_INFINITY };
    memories.set(memory, new ArrayBuffer(bytes));
    return memory;
  };
  setAccelerator({
    allocate,
    free: (memory) => void memories.delete(memory),
    write(memory, elements) {
      uploads.push(elements.length);
      new Int32Array(memories.get(memory)!).set(new Int32Array(elements.buffer, elements.byteOffset, elements.length));
    },
    copyOf(memory) {
      const copy = allocate(memory.bytes);
      memories.set(copy, memories.get(memory)!.slice(0));
      return copy;
    },
    readsSync: true,
    readSync(memory, bytes) {
      fetches.push(bytes);
      return memories.get(memory)!.slice(0, bytes);
    },
    read: async (memory, bytes) => memories.get(memory)!.slice(0, bytes),
    catchUp: async () => {},
  });
  setDefaultDevice("webgpu");
  return { uploads, fetches };
}

export function removeFakeDevice(): void {
  setDefaultDevice(null);
  setAccelerator(null);
}
