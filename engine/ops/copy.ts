/** Copies: clone, contiguous, and conversion between dtypes and devices. */
import { TYPE_NAMES } from "../autograd/node.ts";
import { bind, isOptions } from "../core/arguments.ts";
import { acceleratorOf, CPU, Device, device as toDevice, WEBGPU } from "../core/device.ts";
import { bool, DType, float32, float64, int32, int64, uint8 } from "../core/dtype.ts";
import { TypeError } from "../core/errors.ts";
import { checked } from "../core/signature.ts";
import { pythonTypeName, Tensor } from "../core/tensor.ts";
import { copyInOrder, copyRaw } from "./operands.ts";
import { call, defineOp, type Method, methods, type Op } from "./registry.ts";

const Clone: Op<{ rowMajor: boolean }> = defineOp({
  name: "clone",
  gradFn: "CloneBackward0",
  kernels: ["copy"],
  forward: ({ attrs }, x: Tensor) => (attrs.rowMajor ? copyRaw(x) : copyInOrder(x)),
  backward: (_, grad: Tensor) => [grad],
});

const ToCopy: Op<{ dtype: DType; device: Device }> = defineOp({
  name: "_to_copy",
  gradFn: "ToCopyBackward0",
  kernels: ["copy"],
  forward({ attrs: { dtype, device } }, x: Tensor) {
    return x.device === device ? copyInOrder(x, dtype) : moveRaw(x, device, dtype);
  },
  backward: (_, grad: Tensor) => [grad],
});

/** A copy on another device. What comes from a slow one may be waited for. */
function moveRaw(x: Tensor, device: Device, dtype: DType): Tensor {
  const source = x.dtype === dtype && x.storage.length === x.numel() ? x : copyInOrder(x, dtype);
  return new Tensor(source.storage.copyTo(device), source.shape, source.strides, source.offset);
}

/**
 * A tensor on the CPU whose elements are still on their way: reading them fetches them at once where the browser can, and
 * `await` waits for them everywhere.
 */
function arriving(x: Tensor): Tensor {
  // biome-ignore lint/suspicious/noThenProperty: to be awaited is what it is for; afterwards it has none.
  Object.defineProperty(x, "then", {
    configurable: true,
    value: (resolve: (value: Tensor) => void, reject: (reason: unknown) => void) => {
      Reflect.deleteProperty(x, "then");
      x.storage.arrive().then(() => resolve(x), reject);
    },
  });
  return x;
}

/** A copy that belongs to the graph, in the memory order of the original: a transposed matrix stays one. */
export const clone = checked("clone(Tensor input)", (input: Tensor): Tensor => {
  return call(Clone, { rowMajor: false }, input);
});

/** A copy that belongs to the graph, row by row. */
export function cloneRowMajor(input: Tensor): Tensor {
  return call(Clone, { rowMajor: true }, input);
}

/** The tensor itself when its elements lie row by row, else a dense copy. */
export const contiguous = checked("contiguous(Tensor input)", (input: Tensor): Tensor => {
  return input.isContiguous() ? input : cloneRowMajor(input);
});

export interface ToOptions {
  dtype?: DType;
  device?: Device | string;
  /** Copies even where nothing changes. Default false. */
  copy?: boolean;
}

/**
 * The tensor in another dtype or on another device; itself when nothing changes.
 * `x.to(torch.float64)`, `x.to("webgpu")`, `x.to(other)`, `x.to({ dtype, device, copy })`.
 */
export function to(input: Tensor, ...targets: (DType | Device | string | Tensor | ToOptions)[]): Tensor {
  let { dtype, device } = input;
  let copy = false;
  for (const target of targets) {
    if (target instanceof DType) dtype = target;
    else if (target instanceof Tensor) ({ dtype, device } = target);
    else if (target instanceof Device || typeof target === "string") device = toDevice(target);
    else if (isOptions(target)) {
      const options = bind<ToOptions>("to", ["*", "dtype", "device", "copy: bool"], [target]);
      dtype = options.dtype ?? dtype;
      copy = options.copy ?? copy;
      if (options.device) device = toDevice(options.device);
    } else if (target !== undefined && target !== null) {
      throw new TypeError(`to() received an invalid combination of arguments - got (${pythonTypeName(target)})`, {
        hint: "it takes a dtype, a device, another tensor, or { dtype, device, copy }",
      });
    }
  }
  if (dtype === input.dtype && device === input.device && !copy) return input;
  if (device !== CPU) acceleratorOf();
  const moved = call(ToCopy, { dtype, device }, input);
  return device === CPU && input.device !== CPU ? arriving(moved) : moved;
}

methods({
  clone,
  contiguous,
  to,
  type: (x, dtype?: DType) => (dtype ? to(x, dtype) : `torch.${TYPE_NAMES[x.dtype.name]}`),
  typeAs: checked("type_as(Tensor input, Tensor other)", (x: Tensor, other: Tensor) => to(x, other.dtype)),
  float: checked("float(Tensor input)", (x: Tensor) => to(x, float32)),
  double: checked("double(Tensor input)", (x: Tensor) => to(x, float64)),
  int: checked("int(Tensor input)", (x: Tensor) => to(x, int32)),
  long: checked("long(Tensor input)", (x: Tensor) => to(x, int64)),
  byte: checked("byte(Tensor input)", (x: Tensor) => to(x, uint8)),
  bool: checked("bool(Tensor input)", (x: Tensor) => to(x, bool)),
  cpu: checked("cpu(Tensor input)", (x: Tensor) => to(x, CPU)),
  webgpu: checked("webgpu(Tensor input)", (x: Tensor) => to(x, WEBGPU)),
});

declare module "../core/tensor.ts" {
  interface Tensor {
    /** A copy that belongs to the graph, in the memory order of the original. */
    clone: Method<typeof clone>;
    /** Itself when its elements lie row by row, else a dense copy. */
    contiguous: Method<typeof contiguous>;
    /** In another dtype or on another device. */
    to: Method<typeof to>;
    /** In another dtype; without one the name of the type: "torch.FloatTensor". */
    type(): string;
    type(dtype: DType): Tensor;
    /** Converted to the other tensor's dtype. */
    typeAs(other: Tensor): Tensor;
    /** As float32. */
    float(): Tensor;
    /** As float64. */
    double(): Tensor;
    /** As int32. */
    int(): Tensor;
    /** As int64. */
    long(): Tensor;
    /** As uint8. */
    byte(): Tensor;
    /** As bool: true where not zero. */
    bool(): Tensor;
    /** On the CPU. Awaiting it works for every device; without that the elements of a GPU tensor are fetched when read. */
    cpu(): Tensor;
    /** On the GPU. @throws RuntimeError where there is none */
    webgpu(): Tensor;
  }
}
