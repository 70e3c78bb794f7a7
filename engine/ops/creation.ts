/** Tensors from nothing, from numbers, or like another one. https://docs.pytorch.org/docs/2.13/torch.html#creation-ops */
import { kernels } from "../backends/index.ts";
import { bind, isOptions } from "../core/arguments.ts";
import { acceleratorOf, CPU, type Device, device as toDevice } from "../core/device.ts";
import { allocate, bool, type DType, float64, int32, int64, type TypedArray, uint8 } from "../core/dtype.ts";
import { NotImplementedError, RuntimeError, TypeError, ValueError } from "../core/errors.ts";
import { getDefaultDtype, scalarDtype } from "../core/promotion.ts";
import { numel, type Shape, sizeText } from "../core/shape.ts";
import { Storage } from "../core/storage.ts";
import { type NestedArray, pythonTypeName, Tensor } from "../core/tensor.ts";
import { filled, filledLike } from "./operands.ts";

export interface TensorOptions {
  /** Element type. Default: what the values are, else float32. */
  dtype?: DType | null;
  /** Default: what `setDefaultDevice` says, "cpu" at first. */
  device?: Device | string | null;
  /** Whether operations on it are recorded for backward. Default false. */
  requiresGrad?: boolean;
}

const OPTION_NAMES = ["dtype", "device", "requiresGrad"];

/** Applies the options every creation function takes. */
export function finish(x: Tensor, { device, requiresGrad }: TensorOptions): Tensor {
  const place = device ? toDevice(device) : x.device;
  if (requiresGrad && !x.dtype.isFloatingPoint) {
    throw new RuntimeError("Only Tensors of floating point and complex dtype can require gradients", {
      hint: "give the tensor a floating dtype: { dtype: torch.float32, requiresGrad: true }",
    });
  }
  const made = place === x.device ? x : movedTo(x, place);
  if (requiresGrad) made.requiresGrad = true;
  return made;
}

/** A new tensor that nobody has seen yet, on another device. @throws RuntimeError where the device is not there */
export function movedTo(x: Tensor, place: Device): Tensor {
  if (place !== CPU) acceleratorOf();
  return new Tensor(x.storage.movedTo(place), x.shape, x.strides, x.offset);
}

/**
 * A shape given as numbers or as one array, then options: `ones(2, 3)`, `ones([2, 3], { dtype })`.
 * @throws TypeError for sizes that are not integers, RuntimeError for negative ones.
 */
export function shapeAndOptions<O extends TensorOptions>(
  name: string,
  args: readonly unknown[],
  extra: readonly string[] = [],
): { shape: number[]; options: O } {
  const last = args[args.length - 1];
  const given = isOptions(last) ? last : {};
  const rest = isOptions(last) ? args.slice(0, -1) : args;
  const { size, ...options } = bind<Record<string, unknown> & { size?: number[] }>(
    name,
    ["*", "size", ...extra, ...OPTION_NAMES],
    [given],
  );
  if (rest.length === 0 && size === undefined) {
    throw new TypeError(`${name}() missing 1 required positional arguments: "size"`);
  }
  const sizes = (rest.length > 0 ? (Array.isArray(rest[0]) ? rest[0] : rest) : (size ?? [])) as unknown[];
  if (rest.length === 1 && typeof rest[0] !== "number" && !Array.isArray(rest[0])) {
    throw new TypeError(
      `${name}(): argument 'size' (position 1) must be tuple of ints, not ${pythonTypeName(rest[0])}`,
    );
  }
  for (const [i, s] of sizes.entries()) {
    if (typeof s !== "number" || !Number.isInteger(s)) {
      if (i > 0) {
        throw new TypeError(
          `${name}(): argument 'size' failed to unpack the object at pos ${i + 1} with error "type must be tuple of ints,but got ${pythonTypeName(s)}"`,
        );
      }
      throw new TypeError(
        `${name}(): argument 'size' must be tuple of ints, but found element of type ${pythonTypeName(s)}`,
      );
    }
    if (s < 0) {
      throw new RuntimeError(
        name === "zeros"
          ? "zeros: Dimension size must be non-negative."
          : `Trying to create tensor with negative dimension ${s}: [${sizes.join(", ")}]`,
      );
    }
  }
  return { shape: sizes.map(Number), options: options as unknown as O };
}

/** Values and shape of nested arrays; @throws ValueError where rows differ in length. */
function flatten(values: unknown): { shape: number[]; flat: (number | boolean)[] } {
  const shape: number[] = [];
  for (let level = values; ; level = (level as unknown[])[0]) {
    if (level instanceof Tensor) {
      shape.push(...level.shape);
      break;
    }
    if (!isArrayLike(level)) break;
    shape.push(level.length);
    if (level.length === 0) break;
  }
  const flat: (number | boolean)[] = [];
  const visit = (value: unknown, depth: number): void => {
    if (value instanceof Tensor) {
      for (const element of value.denseData()) flat.push(value.dtype === bool ? element !== 0 : element);
      return;
    }
    if (isArrayLike(value)) {
      if (depth >= shape.length || value.length !== shape[depth]) {
        throw new ValueError(`expected sequence of length ${shape[depth] ?? 0} at dim ${depth} (got ${value.length})`);
      }
      for (let i = 0; i < value.length; i++) visit(value[i], depth + 1);
      return;
    }
    if (depth < shape.length) {
      throw new TypeError(`expected a sequence at dim ${depth} (got ${pythonTypeName(value)})`, {
        hint: "all rows of a tensor have the same length",
      });
    }
    if (typeof value !== "number" && typeof value !== "boolean") {
      throw typeof value === "string"
        ? new TypeError(`new(): invalid data type 'str'`)
        : new RuntimeError(`Could not infer dtype of ${pythonTypeName(value)}`);
    }
    flat.push(value);
  };
  visit(values, 0);
  return { shape, flat };
}

function isArrayLike(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

/** Typed arrays say their dtype; among plain numbers one with a fraction makes floats, and booleans alone make bool. */
function inferDtype(values: unknown, flat: readonly (number | boolean)[]): DType {
  if (values instanceof Float64Array) return float64;
  if (values instanceof Int32Array) return int32;
  if (values instanceof Uint8Array) return uint8;
  if (values instanceof Float32Array) return getDefaultDtype();
  if (flat.length === 0) return getDefaultDtype();
  let dtype: DType = bool;
  for (const value of flat) {
    const own = scalarDtype(value);
    if (own.rank > dtype.rank) dtype = own;
  }
  return dtype;
}

/** What `torch.tensor` takes. */
export type TensorData = NestedArray | ArrayLike<number> | Tensor | readonly Tensor[] | readonly (readonly Tensor[])[];

/**
 * A new tensor with a copy of the data: a number, nested arrays, a typed array. Whole numbers make int64, one with a
 * fraction makes float32; JavaScript cannot tell 2.0 from 2, so say `{ dtype: torch.float32 }` where it matters.
 * https://docs.pytorch.org/docs/2.13/generated/torch.tensor.html
 * @throws ValueError when rows differ in length
 */
export function tensor(data: TensorData, options?: TensorOptions): Tensor;
export function tensor(...args: unknown[]): Tensor {
  const { data, dtype, ...options } = bind<{ data: unknown } & TensorOptions>(
    "tensor",
    ["!data", "*", ...OPTION_NAMES],
    args,
  );
  if (data instanceof Tensor) {
    const copy = Tensor.empty(data.shape, dtype ?? data.dtype);
    kernels.copy(data.kernelView, copy.kernelView);
    return finish(copy, options);
  }
  const { shape, flat } = flatten(data);
  const chosen = dtype ?? firstTensorDtype(data) ?? inferDtype(data, flat);
  const storage = allocate(chosen, flat.length);
  for (let i = 0; i < flat.length; i++) storage[i] = convert(flat[i]!, chosen, chosen.name);
  return finish(new Tensor(new Storage(chosen, storage), shape), options);
}

function firstTensorDtype(data: unknown): DType | null {
  let level = data;
  while (Array.isArray(level)) level = level[0];
  return level instanceof Tensor ? level.dtype : null;
}

/** A number as an element of this dtype, as PyTorch converts Python's. */
export function convert(value: number | boolean, dtype: DType, spoken = cppName(dtype)): number {
  const number = Number(value);
  if (dtype === bool) return number !== 0 ? 1 : 0;
  if (dtype.isFloatingPoint) return number;
  if (!Number.isFinite(number)) {
    throw Number.isNaN(number)
      ? new ValueError("cannot convert float NaN to integer")
      : new RuntimeError(`value cannot be converted to type ${spoken} without overflow`);
  }
  // Negative numbers wrap around in uint8.
  if (dtype === uint8 ? Math.abs(number) > 255 : dtype === int32 && (number | 0) !== Math.trunc(number)) {
    throw new RuntimeError(`value cannot be converted to type ${spoken} without overflow`);
  }
  if (dtype === int64 && Math.abs(number) > Number.MAX_SAFE_INTEGER) {
    throw new RuntimeError(`int64 is exact up to 2^53 here, and ${number} is beyond`);
  }
  return Math.trunc(number);
}

function cppName(dtype: DType): string {
  return dtype === int32 ? "int" : `${dtype.name}_t`;
}

/** A tensor over this typed array itself, without a copy: changes are seen on both sides. */
export function fromNumpy(data: TypedArray, shape: Shape = [data.length]): Tensor {
  if (numel(shape) !== data.length)
    throw new RuntimeError(`shape '${sizeText(shape)}' is invalid for input of size ${data.length}`);
  return new Tensor(new Storage(inferDtype(data, []), data), shape);
}

/** Sizes, then options: `zeros(2, 3)`, `zeros([2, 3], { dtype: torch.int64 })`. */
export type SizeArguments<O = TensorOptions> =
  | [...sizes: number[]]
  | [...sizes: number[], options: O]
  | [size: readonly number[], options?: O];

function constant(name: string, value: number) {
  return (...args: SizeArguments): Tensor => {
    const { shape, options } = shapeAndOptions(name, args);
    return finish(filled(shape, value, options.dtype ?? getDefaultDtype()), options);
  };
}

/** Filled with 0. */
export const zeros: (...args: SizeArguments) => Tensor = constant("zeros", 0);
/** Filled with 1. */
export const ones: (...args: SizeArguments) => Tensor = constant("ones", 1);
/** With unspecified contents (here: zeros). */
export const empty: (...args: SizeArguments) => Tensor = constant("empty", 0);

/** Filled with `fillValue`; its kind gives the dtype. */
export function full(size: readonly number[], fillValue: number | boolean, options?: TensorOptions): Tensor;
export function full(...args: unknown[]): Tensor {
  const { size, fillValue, ...options } = bind<{ size: number[]; fillValue: number | boolean } & TensorOptions>(
    "full",
    ["!size: int[]", "!fillValue: Number", "*", ...OPTION_NAMES],
    args,
  );
  const { shape } = shapeAndOptions("full", [size]);
  const dtype = options.dtype ?? scalarDtype(fillValue);
  return finish(filled(shape, convert(fillValue, dtype), dtype), options);
}

function constantLike(name: string, value: number) {
  return (input: Tensor, options: TensorOptions = {}): Tensor => {
    const { input: like, ...rest } = bind<{ input: Tensor } & TensorOptions>(
      name,
      ["!input: Tensor", "*", ...OPTION_NAMES],
      [input, options],
    );
    return finish(filledLike(like, value, rest.dtype ?? like.dtype), rest);
  };
}

/** Zeros in the shape and dtype of `input`. */
export const zerosLike: (input: Tensor, options?: TensorOptions) => Tensor = constantLike("zeros_like", 0);
/** Ones in the shape and dtype of `input`. */
export const onesLike: (input: Tensor, options?: TensorOptions) => Tensor = constantLike("ones_like", 1);
/** Unspecified contents (here: zeros) in the shape and dtype of `input`. */
export const emptyLike: (input: Tensor, options?: TensorOptions) => Tensor = constantLike("empty_like", 0);

/** `fillValue` in the shape and dtype of `input`. */
export function fullLike(input: Tensor, fillValue: number | boolean, options?: TensorOptions): Tensor;
export function fullLike(...args: unknown[]): Tensor {
  const { input, fillValue, ...options } = bind<{ input: Tensor; fillValue: number | boolean } & TensorOptions>(
    "full_like",
    ["!input: Tensor", "!fillValue: Number", "*", ...OPTION_NAMES],
    args,
  );
  const dtype = options.dtype ?? input.dtype;
  return finish(filledLike(input, convert(fillValue, dtype), dtype), options);
}

/** start, start + step, … below end: `arange(5)`, `arange(1, 4)`, `arange(0, 1, 0.25)`. */
export function arange(end: number, options?: TensorOptions): Tensor;
export function arange(start: number, end: number, options?: TensorOptions): Tensor;
export function arange(start: number, end: number, step: number, options?: TensorOptions): Tensor;
export function arange(options: { start?: number; end: number; step?: number } & TensorOptions): Tensor;
export function arange(...args: unknown[]): Tensor {
  const count = args.filter((a) => typeof a === "number").length;
  const params =
    count === 1
      ? ["!end: Number", "*", "start: Number", "step: Number"]
      : ["start: Number", "!end: Number", "step: Number", "*"];
  const {
    start = 0,
    end,
    step = 1,
    ...options
  } = bind<{ start?: number; end: number; step?: number } & TensorOptions>(
    "arange",
    [...params, ...OPTION_NAMES],
    args,
  );
  const whole = [start, end, step].every(Number.isInteger);
  const dtype = options.dtype ?? (whole ? int64 : getDefaultDtype());
  if (dtype === bool) throw new NotImplementedError(`"arange_cpu" not implemented for 'Bool'`);
  if (step === 0) throw new RuntimeError("step must be nonzero");
  if (step > 0 !== end > start && end !== start) {
    throw new RuntimeError("upper bound and lower bound inconsistent with step sign");
  }
  // Of int64 the bounds are cut to integers before they are counted; other integers are cut one by one.
  const [first, last, stride] = dtype === int64 ? [start, end, step].map(Math.trunc) : [start, end, step];
  const size = Math.max(0, Math.ceil((last! - first!) / stride!));
  const data = allocate(dtype, size);
  for (let i = 0; i < size; i++)
    data[i] = dtype.isFloatingPoint ? start + i * step : Math.trunc(start) + i * Math.trunc(step);
  return finish(new Tensor(new Storage(dtype, data), [size]), options);
}

/** `steps` values from start to end, both included, evenly spaced. */
export function linspace(start: number, end: number, steps: number, options?: TensorOptions): Tensor;
export function linspace(...args: unknown[]): Tensor {
  const { start, end, steps, ...options } = bind<{ start: number; end: number; steps: number } & TensorOptions>(
    "linspace",
    ["!start: Number", "!end: Number", "!steps: int", "*", ...OPTION_NAMES],
    args,
  );
  if (steps < 0) throw new RuntimeError("number of steps must be non-negative");
  const dtype = options.dtype ?? getDefaultDtype();
  const data = allocate(dtype, steps);
  const round = dtype === float64 ? (x: number) => x : Math.fround;
  if (dtype === bool) throw new NotImplementedError(`"linspace_cpu" not implemented for 'Bool'`);
  const whole = dtype.isFloatingPoint ? (value: number) => value : Math.trunc;
  const [first, last] = [whole(start), whole(end)];
  const step = steps > 1 ? round(round(last - first) / (steps - 1)) : 0;
  // From both ends towards the middle, so that both are met exactly (ATen's linspace).
  const half = Math.floor(steps / 2);
  for (let i = 0; i < steps; i++) {
    data[i] = whole(i < half || steps === 1 ? first + step * i : last - step * (steps - 1 - i));
  }
  return finish(new Tensor(new Storage(dtype, data), [steps]), options);
}

export interface LogspaceOptions extends TensorOptions {
  /** Of the powers. Default 10. */
  base?: number;
}

/** `steps` powers of a base, from base^start to base^end, evenly spaced by exponent. https://docs.pytorch.org/docs/2.13/generated/torch.logspace.html */
export function logspace(
  start: number,
  end: number,
  steps: number,
  base?: number | LogspaceOptions,
  options?: LogspaceOptions,
): Tensor;
export function logspace(...args: unknown[]): Tensor {
  const {
    start,
    end,
    steps,
    base = 10,
    ...options
  } = bind<{ start: number; end: number; steps: number } & LogspaceOptions>(
    "logspace",
    ["!start", "!end", "!steps", "base", "*", ...OPTION_NAMES],
    args,
  );
  if (steps < 0) throw new RuntimeError("number of steps must be non-negative");
  const dtype = options.dtype ?? getDefaultDtype();
  if (dtype === bool && steps > 1) throw new NotImplementedError(`"logspace_cpu" not implemented for 'Bool'`);
  // Integers cut the bounds, but not what lies between.
  const [first, last] = dtype.isFloatingPoint || steps === 1 ? [start, end] : [Math.trunc(start), Math.trunc(end)];
  const exponents = linspace(first, last, steps, { dtype: dtype.isFloatingPoint ? dtype : float64 });
  const data = allocate(dtype, steps);
  exponents.denseData().forEach((exponent, i) => {
    const power = base ** exponent;
    data[i] = dtype.isFloatingPoint ? power : Math.trunc(power);
  });
  return finish(new Tensor(new Storage(dtype, data), [steps]), options);
}

/** Ones on the diagonal of an n × m matrix (m = n by default), zeros elsewhere. */
export function eye(n: number, m?: number | TensorOptions, options?: TensorOptions): Tensor;
export function eye(...args: unknown[]): Tensor {
  const {
    n,
    m = n,
    ...options
  } = bind<{ n: number; m?: number } & TensorOptions>("eye", ["!n: int", "m: int", "*", ...OPTION_NAMES], args);
  if (n < 0) throw new RuntimeError(`n must be greater or equal to 0, got ${n}`);
  if (m < 0) throw new RuntimeError(`m must be greater or equal to 0, got ${m}`);
  const out = filled([n, m], 0, options.dtype ?? getDefaultDtype());
  for (let i = 0; i < Math.min(n, m); i++) out.storage.data[i * m + i] = 1;
  return finish(out, options);
}
