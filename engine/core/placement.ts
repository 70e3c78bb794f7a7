/** On which device an operation runs: where its operands are. */
import { CPU, type Device, hasAccelerator, onDevice } from "./device.ts";
import { RuntimeError } from "./errors.ts";
import { Tensor } from "./tensor.ts";

/**
 * The one device of an operation's operands; null without tensors. Tensors without dimensions on the CPU go along with any.
 * @throws RuntimeError for operands on two devices, in PyTorch's words
 */
function placeOf(operands: readonly unknown[], strict: boolean): Device | null {
  let place: Device | null = null;
  let loose: Device | null = null;
  const visit = (operand: unknown): void => {
    if (operand instanceof Tensor) {
      const { device } = operand;
      if (operand.ndim === 0 && device === CPU) loose = CPU;
      else if (place === null || !strict) place ??= device;
      else if (place !== device) {
        throw new RuntimeError(
          `Expected all tensors to be on the same device, but found at least two devices, ${spoken(place)} and ${spoken(device)}!`,
          { hint: 'move one of them: x.to("webgpu"), or x.to("cpu")' },
        );
      }
    } else if (Array.isArray(operand) && operand.length > 0 && typeof operand[0] === "object") operand.forEach(visit);
  };
  operands.forEach(visit);
  return place ?? loose;
}

const spoken = (device: Device): string => (device === CPU ? "cpu" : `${device}:0`);

/** Runs an operation where its operands are: what it makes is made there. */
export function runWhere<T>(operands: readonly unknown[], name: string, run: () => T): T {
  if (!hasAccelerator()) return run();
  const place = placeOf(operands, true);
  return place === null ? run() : onDevice(place, name, run);
}

/** As `runWhere` for a function that calls operations, which check their operands themselves. */
export function runNear<T>(operands: readonly unknown[], run: () => T): T {
  if (!hasAccelerator()) return run();
  const place = placeOf(operands, false);
  return place === null ? run() : onDevice(place, null, run);
}
