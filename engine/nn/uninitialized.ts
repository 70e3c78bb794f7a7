/** Tensors of lazy modules, whose shape is known once an input has been seen. */
import { bind } from "../core/arguments.ts";
import { type Device, device as toDevice } from "../core/device.ts";
import type { DType } from "../core/dtype.ts";
import { RuntimeError } from "../core/errors.ts";
import { getDefaultDtype } from "../core/promotion.ts";
import { Size } from "../core/size.ts";
import { Tensor } from "../core/tensor.ts";
import { movedTo } from "../ops/creation.ts";
import { replaceMemory } from "./convert.ts";
import { Buffer, Parameter } from "./parameter.ts";

export interface UninitializedOptions {
  /** Whether it will be learned. Default true; parameters only. */
  requiresGrad?: boolean;
  /** Where it will live. Default "cpu". */
  device?: Device | string | null;
  /** Its dtype. Default float32. */
  dtype?: DType | null;
}

function nothing({ device, dtype }: UninitializedOptions): Tensor {
  const values = Tensor.empty([0], dtype ?? getDefaultDtype());
  return device ? movedTo(values, toDevice(device)) : values;
}

const NO_SHAPE =
  "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in `load_state_dict` when trying to load an uninitialized parameter into an initialized one. Call `forward` to initialize the parameters before accessing their attributes.";

function hideShape(tensor: Tensor): void {
  Object.defineProperty(tensor, "shape", {
    get() {
      throw new RuntimeError(NO_SHAPE);
    },
    configurable: true,
    enumerable: true,
  });
}

/** Gives the tensor a shape, memory for it, and its ordinary class. */
function materialize(tensor: Tensor, shape: readonly number[], become: object): void {
  Object.defineProperty(tensor, "shape", {
    value: Size.fromShape(shape),
    configurable: true,
    enumerable: true,
    writable: true,
  });
  replaceMemory(tensor, Tensor.empty(shape, tensor.dtype));
  Object.setPrototypeOf(tensor, become);
}

/**
 * A parameter without a shape yet.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.parameter.UninitializedParameter.html
 */
export class UninitializedParameter extends Parameter {
  constructor(options?: UninitializedOptions);
  constructor(...args: unknown[]) {
    const options = bind<UninitializedOptions>(
      "UninitializedParameter.__new__",
      ["requiresGrad", "device", "dtype"],
      args,
    );
    super(nothing(options), { requiresGrad: options.requiresGrad ?? true });
    hideShape(this);
  }

  /** Makes it an ordinary parameter of this shape, with undefined values. */
  materialize(shape: readonly number[]): void {
    materialize(this, shape, Parameter.prototype);
  }

  override toString(): string {
    return "<UninitializedParameter>";
  }
}

/**
 * A buffer without a shape yet.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.parameter.UninitializedBuffer.html
 */
export class UninitializedBuffer extends Buffer {
  constructor(options?: Omit<UninitializedOptions, "requiresGrad"> & { persistent?: boolean });
  constructor(...args: unknown[]) {
    const { persistent = true, ...options } = bind<UninitializedOptions & { persistent?: boolean }>(
      "UninitializedBuffer.__new__",
      ["device", "dtype", "persistent"],
      args,
    );
    super(nothing(options), { persistent });
    hideShape(this);
  }

  /** Makes it an ordinary buffer of this shape, with undefined values. */
  materialize(shape: readonly number[]): void {
    materialize(this, shape, Buffer.prototype);
  }

  override toString(): string {
    return "<UninitializedBuffer>";
  }
}

/** Sets the dtype that a tensor without a shape will have. */
export function convertLazy(tensor: UninitializedParameter | UninitializedBuffer, dtype: DType): void {
  if (tensor.dtype.isFloatingPoint) replaceMemory(tensor, Tensor.empty([0], dtype));
}

/** Whether the tensor has no shape yet. */
export function isLazy(tensor: unknown): tensor is UninitializedParameter | UninitializedBuffer {
  return tensor instanceof UninitializedParameter || tensor instanceof UninitializedBuffer;
}
