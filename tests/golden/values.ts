/** Golden values as the engine's, and the engine's compared with them. */
import { expect } from "vitest";
import type { Device } from "../../engine/core/device.ts";
import { allocate, DTYPES } from "../../engine/core/dtype.ts";
import { Storage } from "../../engine/core/storage.ts";
import { Tensor } from "../../engine/core/tensor.ts";
import type { Scalar, Stored, StoredTensor } from "./cases.ts";

export function isTensor(value: unknown): value is StoredTensor {
  return typeof value === "object" && value !== null && "shape" in value && "dtype" in value;
}

/** `"NaN"`, `"-Infinity"`, integers beyond 2^53 and minus zero are written as strings. */
function toNumber(value: Scalar): number {
  return Number(value);
}

let place: Device | undefined;

/** Where inputs are put, and results have to be: default the default device, and anywhere. */
export function setInputDevice(device: Device | undefined): void {
  place = device;
}

export function inputDevice(): Device | undefined {
  return place;
}

export function toTensor({ shape, dtype, data }: StoredTensor): Tensor {
  const storage = allocate(DTYPES[dtype], data.length);
  for (let i = 0; i < data.length; i++) storage[i] = toNumber(data[i]!);
  return new Tensor(new Storage(DTYPES[dtype], storage, place), shape);
}

/** An argument: tensors, dtypes and references to inputs resolved, lists and dictionaries walked. */
export function toValue(stored: Stored, inputs: readonly unknown[] = []): unknown {
  if (typeof stored !== "object" || stored === null) return stored;
  if (Array.isArray(stored)) return stored.map((item) => toValue(item, inputs));
  if (isTensor(stored)) return toTensor(stored);
  // `{dtype: "int64"}` is torch.int64; the options `{dtype: {dtype: "int64"}}` are not.
  if ("dtype" in stored && typeof stored.dtype === "string") return DTYPES[stored.dtype as keyof typeof DTYPES];
  if ("input" in stored && typeof stored.input === "number") return inputs[stored.input];
  return Object.fromEntries(Object.entries(stored).map(([key, item]) => [key, toValue(item as Stored, inputs)]));
}

/** Which inputs the arguments refer to. */
export function referenced(stored: unknown, into = new Set<number>()): Set<number> {
  if (typeof stored !== "object" || stored === null) return into;
  if ("input" in stored && typeof stored.input === "number") into.add(stored.input);
  else for (const item of Object.values(stored)) referenced(item, into);
  return into;
}

export interface Closeness {
  /** Equal bit for bit. Default false. */
  exact?: boolean;
  /** Default 1e-5; the relative part is always 1e-4 unless exact. */
  atol?: number;
}

function close(actual: number, expected: number, { exact = false, atol = 1e-5 }: Closeness): boolean {
  if (Number.isNaN(expected)) return Number.isNaN(actual);
  if (exact || !Number.isFinite(expected)) return actual === expected;
  return Math.abs(actual - expected) <= atol + 1e-4 * Math.abs(expected);
}

function compareNumbers(actual: ArrayLike<number>, expected: readonly Scalar[], what: string, how: Closeness): void {
  for (let i = 0; i < expected.length; i++) {
    const wanted = toNumber(expected[i]!);
    if (!close(actual[i]!, wanted, how)) expect.fail(`${what}: element ${i} is ${actual[i]}, PyTorch has ${wanted}`);
  }
}

export function compareTensor(actual: unknown, expected: StoredTensor, what: string, closeness: Closeness = {}): void {
  if (!(actual instanceof Tensor)) expect.fail(`${what}: expected a tensor, got ${String(actual)}`);
  expect([...actual.shape], `${what}: shape`).toEqual(expected.shape);
  expect(actual.dtype.name, `${what}: dtype`).toBe(expected.dtype);
  if (place) expect(String(actual.device), `${what}: device`).toBe(String(place));
  const data = actual.denseData();
  const how = { ...closeness, exact: closeness.exact || !actual.dtype.isFloatingPoint };
  // A float32 is stored by its shortest decimal text.
  const rounded = (values: Scalar[]) =>
    expected.dtype === "float32" ? values.map((v) => Math.fround(toNumber(v))) : values;
  if (expected.data) {
    compareNumbers(data, rounded(expected.data), what, how);
    return;
  }
  compareNumbers(data.slice(0, 5), rounded(expected.first!), `${what} (first five)`, how);
  compareNumbers(data.slice(-5), rounded(expected.last!), `${what} (last five)`, how);
  const sum = (data as Float64Array).reduce((a, b) => a + b, 0);
  compareNumbers([sum], [expected.sum!], `${what} (sum)`, {
    atol: Math.max(1e-4, (closeness.atol ?? 0) * data.length),
  });
}

/** Compares what a call gave: a tensor, a number, a truth value, or several of them. */
export function compareOutput(actual: unknown, expected: Stored, what = "output", closeness: Closeness = {}): void {
  if (isTensor(expected)) compareTensor(actual, expected, what, closeness);
  else if (Array.isArray(expected)) {
    const items =
      typeof actual === "object" && actual !== null && Symbol.iterator in actual
        ? [...(actual as Iterable<unknown>)]
        : [];
    expect(items.length, `${what}: number of results`).toBe(expected.length);
    expected.forEach((item, i) => {
      compareOutput(items[i], item, `${what}[${i}]`, closeness);
    });
  } else if (typeof expected === "number") compareNumbers([Number(actual)], [expected], what, closeness);
  else if (expected !== null) expect(actual, what).toEqual(expected);
}

/** The sum of every output times its cotangent, and all these summed: what is differentiated. */
export function weightedSum(output: unknown, cotangent: Stored | undefined): Tensor | null {
  if (cotangent === undefined || cotangent === null) return null;
  if (isTensor(cotangent)) return (output as Tensor).mul(toTensor(cotangent)).sum();
  const items = [...(output as Iterable<unknown>)];
  let total: Tensor | null = null;
  (cotangent as Stored[]).forEach((part, i) => {
    const term = weightedSum(items[i], part);
    if (term) total = total ? total.add(term) : term;
  });
  return total;
}
