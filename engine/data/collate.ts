/**
 * How samples become a batch. https://docs.pytorch.org/docs/2.13/data.html#torch.utils.data.default_collate
 */
import { bool, type DType, float32, float64, int32, int64, type TypedArray, uint8 } from "../core/dtype.ts";
import { RuntimeError, TypeError } from "../core/errors.ts";
import { Storage } from "../core/storage.ts";
import { pythonTypeName, Tensor } from "../core/tensor.ts";
import { stackRows } from "./rows.ts";

/** The type of a batch of T: numbers and tensors become tensors, fields stay fields. */
export type Collated<T> = T extends Tensor | number | boolean | ArrayBufferView
  ? Tensor
  : T extends string
    ? string[]
    : T extends readonly unknown[]
      ? { -readonly [K in keyof T]: Collated<T[K]> }
      : T extends object
        ? { [K in keyof T]: Collated<T[K]> }
        : unknown;

/**
 * Puts a list of samples together, field by field: tensors are stacked, numbers become a tensor (int64 where all are
 * whole, else float64; JavaScript does not tell 1.0 from 1, so return a tensor where that matters), booleans a bool
 * tensor, typed arrays tensors; text stays a list; arrays and plain objects keep their form with each field put together.
 *
 * @throws TypeError for anything else, RuntimeError for samples of unequal form
 */
export function defaultCollate<T>(batch: readonly T[]): Collated<T> {
  return collate(batch) as Collated<T>;
}

function collate(batch: readonly unknown[]): unknown {
  const first = batch[0];
  if (first instanceof Tensor) return stackRows(batch as readonly Tensor[]);
  if (typeof first === "number") return numbersToTensor(batch as readonly number[]);
  if (typeof first === "boolean") return scalars(batch, bool);
  if (typeof first === "string") return [...batch];
  if (ArrayBuffer.isView(first)) return stackRows(batch.map(arrayToTensor));
  if (Array.isArray(first)) return collateLists(batch as readonly (readonly unknown[])[]);
  if (isPlainObject(first)) {
    const records = batch as readonly Record<string, unknown>[];
    return Object.fromEntries(Object.keys(first).map((key) => [key, collate(records.map((record) => record[key]))]));
  }
  throw new TypeError(
    `default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found <class '${typeText(first)}'>`,
    {
      hint: isPicture(first)
        ? "pictures have no shape to stack yet: give the data set { transform: new transforms.ToTensor() }"
        : "let get(index) return tensors or numbers, or give the loader a collateFn",
    },
  );
}

/** What a loader without batches does with a sample: typed arrays become tensors, all else stays as it is. */
export function defaultConvert(sample: unknown): unknown {
  if (sample instanceof Tensor) return sample;
  if (ArrayBuffer.isView(sample)) return arrayToTensor(sample);
  if (Array.isArray(sample)) return sample.map(defaultConvert);
  if (isPlainObject(sample)) {
    return Object.fromEntries(Object.entries(sample).map(([key, value]) => [key, defaultConvert(value)]));
  }
  return sample;
}

function collateLists(batch: readonly (readonly unknown[])[]): unknown[] {
  const size = batch[0]!.length;
  if (batch.some((sample) => sample.length !== size)) {
    throw new RuntimeError("each element in list of batch should be of equal size");
  }
  return Array.from({ length: size }, (_, field) => collate(batch.map((sample) => sample[field])));
}

function numbersToTensor(values: readonly number[]): Tensor {
  return scalars(values, values.every(Number.isInteger) ? int64 : float64);
}

function scalars(values: readonly unknown[], dtype: DType): Tensor {
  const storage = Storage.allocate(dtype, values.length);
  values.forEach((value, i) => {
    storage.data[i] = Number(value);
  });
  return new Tensor(storage, [values.length]);
}

function arrayToTensor(view: unknown): Tensor {
  const [dtype, data] = typedData(view);
  return new Tensor(new Storage(dtype, data), [data.length]);
}

function typedData(view: unknown): [DType, TypedArray] {
  if (view instanceof Float32Array) return [float32, view.slice()];
  if (view instanceof Float64Array) return [float64, view.slice()];
  if (view instanceof Int32Array) return [int32, view.slice()];
  if (view instanceof Uint8Array || view instanceof Uint8ClampedArray) return [uint8, Uint8Array.from(view)];
  throw new TypeError(`can't convert a ${(view as object).constructor.name} to a tensor`, {
    hint: "the supported ones are Float32Array, Float64Array, Int32Array and Uint8Array",
  });
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function isPicture(value: unknown): boolean {
  return typeof value === "object" && value !== null && "mode" in value && "data" in value;
}

function typeText(value: unknown): string {
  return isPicture(value) ? "PIL.Image.Image" : pythonTypeName(value);
}
