/**
 * PyTorch's text of a tensor, to the letter: what `torch/_tensor_str.py` decides (width, scientific and integer mode,
 * summary, line breaks, suffixes). Reads strided numbers where they are, so that a summary of a large tensor touches only its
 * edges.
 */
import type { DType, DTypeName } from "./dtype.ts";
import { ValueError } from "./errors.ts";
import { exponential, fixed, intRepr } from "./number_text.ts";
import { contiguousStrides, numel } from "./shape.ts";

export interface PrintOptions {
  /** Digits after the point. Default 4. */
  precision: number;
  /** More elements than this are summarised. Default 1000. */
  threshold: number;
  /** Elements shown at each end of a summarised dimension. Default 3. */
  edgeitems: number;
  /** Characters per line. Default 80. */
  linewidth: number;
  /** Scientific notation: true, false, or null to decide by the values. Default null. */
  sciMode: boolean | null;
}

const DEFAULTS: Readonly<PrintOptions> = {
  precision: 4,
  threshold: 1000,
  edgeitems: 3,
  linewidth: 80,
  sciMode: null,
};

const PROFILES: Record<"default" | "short" | "full", Partial<PrintOptions>> = {
  default: DEFAULTS,
  short: { ...DEFAULTS, precision: 2, edgeitems: 2 },
  full: { ...DEFAULTS, threshold: Infinity },
};

let options: PrintOptions = { ...DEFAULTS };

/**
 * Sets how tensors are printed from now on (`torch.set_printoptions`). What is not given keeps its value, but for
 * `sciMode`, which goes back to null as in PyTorch.
 *
 * @param given any of `PrintOptions`, and `profile`: "default", "short" (2 digits, 2 edge items) or "full" (no summary)
 */
export function setPrintOptions(given: Partial<PrintOptions> & { profile?: "default" | "short" | "full" } = {}): void {
  const { profile, ...rest } = given;
  if (profile !== undefined && !(profile in PROFILES)) {
    throw new ValueError(`unknown profile '${profile}'`, { hint: 'profiles are "default", "short" and "full"' });
  }
  const named = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  options = { ...options, ...(profile ? PROFILES[profile] : {}), sciMode: null, ...named };
}

/** The print options in force. */
export function getPrintOptions(): PrintOptions {
  return { ...options };
}

/** What is to be printed. */
export interface TensorText {
  shape: readonly number[];
  dtype: DType;
  /** The numbers; row by row unless strides say otherwise. */
  data: ArrayLike<number>;
  /** Default: those of a dense tensor. */
  strides?: readonly number[];
  /** Where the first number lies. Default 0. */
  offset?: number;
  /** As it prints; "cpu" (the default) is not shown. */
  device?: string;
  requiresGrad?: boolean;
  /** Name of the grad_fn (`AddBackward0`); null or absent for leaves. */
  gradFn?: string | null;
  /** A tensor of this dtype doesn't name it. Default "float32". */
  defaultDtype?: DTypeName;
}

/** The numbers alone, as the functions below walk over them. */
interface Strided {
  data: ArrayLike<number>;
  shape: readonly number[];
  strides: readonly number[];
}

/** `tensor([1., 2.], requires_grad=True)`. */
export function formatTensor(tensor: TensorText): string {
  const prefix = "tensor(";
  const { shape, dtype, device, gradFn } = tensor;
  const isDefault = dtype.name === (tensor.defaultDtype ?? "float32");
  const suffixes: string[] = [];
  if (device !== undefined && device !== "cpu") suffixes.push(`device='${device}'`);
  let text: string;
  if (numel(shape) === 0) {
    if (shape.length !== 1) suffixes.push(`size=${tuple(shape)}`);
    if (!isDefault) suffixes.push(`dtype=${dtype}`);
    text = "[]";
  } else {
    if (options.edgeitems === 0) suffixes.push(`size=${tuple(shape)}`);
    if (!isDefault && dtype.name !== "int64" && dtype.name !== "bool") suffixes.push(`dtype=${dtype}`);
    const numbers = { data: tensor.data, shape, strides: tensor.strides ?? contiguousStrides(shape) };
    text = numbersText(numbers, tensor.offset ?? 0, dtype.name, prefix.length);
  }
  if (gradFn) suffixes.push(`grad_fn=<${gradFn}>`);
  else if (tensor.requiresGrad) suffixes.push("requires_grad=True");
  return withSuffixes(prefix + text, suffixes, prefix.length);
}

/**
 * The text of each number as PyTorch writes them in one tensor: one mode and one number of digits for all, without the
 * padding.
 */
export function formatNumbers(values: ArrayLike<number>, dtype: DTypeName): string[] {
  const formatter = new NumberFormatter(Array.from(values), dtype);
  return Array.from(values, (value) => formatter.text(value).trimStart());
}

/** Decides from all numbers of a tensor how each is written. */
class NumberFormatter {
  readonly #dtype: DTypeName;
  #integerMode = true;
  #scientific = false;
  width = 1;

  constructor(values: readonly number[], dtype: DTypeName) {
    this.#dtype = dtype;
    if (dtype === "float32" || dtype === "float64") this.#fitFloats(values);
    else for (const value of values) this.width = Math.max(this.width, this.#plain(value).length);
  }

  #fitFloats(values: readonly number[]): void {
    const telling = values.filter((value) => Number.isFinite(value) && value !== 0);
    if (telling.length === 0) return;
    let smallest = Infinity;
    let largest = 0;
    for (const value of telling) {
      const magnitude = Math.abs(value);
      if (magnitude < smallest) smallest = magnitude;
      if (magnitude > largest) largest = magnitude;
      if (!Number.isInteger(value)) this.#integerMode = false;
    }
    this.#scientific = options.sciMode ?? (largest / smallest > 1000 || largest > 1e8 || smallest < 1e-4);
    for (const value of telling) this.width = Math.max(this.width, this.#plain(value).length);
  }

  #plain(value: number): string {
    if (this.#dtype === "bool") return value !== 0 ? "True" : "False";
    if (this.#dtype !== "float32" && this.#dtype !== "float64") return intRepr(value);
    if (this.#scientific) return exponential(value, options.precision);
    if (this.#integerMode) return fixed(value, 0) + (Number.isFinite(value) ? "." : "");
    return fixed(value, options.precision);
  }

  /** Padded to the common width; infinities and NaN may be wider than that, as in PyTorch. */
  text(value: number): string {
    return this.#plain(value).padStart(this.width);
  }
}

function numbersText(numbers: Strided, offset: number, dtype: DTypeName, indent: number): string {
  const summarize = numel(numbers.shape) > options.threshold;
  const seen: number[] = [];
  collect(numbers, 0, offset, summarize, seen);
  const formatter = new NumberFormatter(seen, dtype);
  return dimensionText(numbers, 0, offset, indent, summarize, formatter);
}

/** The numbers that a summary shows (all without one): they alone decide the format. */
function collect(numbers: Strided, axis: number, offset: number, summarize: boolean, into: number[]): void {
  if (axis === numbers.shape.length) {
    into.push(numbers.data[offset]!);
    return;
  }
  const size = numbers.shape[axis]!;
  const edge = options.edgeitems;
  const last = axis === numbers.shape.length - 1;
  // PyTorch with edgeitems=0: a vector's `x[-0:]` is the whole of it, a matrix shows nothing.
  if (summarize && edge === 0 && !(last && axis === 0)) return;
  const skip = summarize && edge > 0 && size > 2 * edge;
  for (let i = 0; i < size; i++) {
    if (skip && i === edge) i = size - edge;
    collect(numbers, axis + 1, offset + i * numbers.strides[axis]!, summarize, into);
  }
}

function dimensionText(
  numbers: Strided,
  axis: number,
  offset: number,
  indent: number,
  summarize: boolean,
  formatter: NumberFormatter,
): string {
  const dims = numbers.shape.length - axis;
  if (dims === 0) return formatter.text(numbers.data[offset]!);
  if (dims === 1) return vectorText(numbers, axis, offset, indent, summarize, formatter);
  const parts = shownAt(numbers.shape[axis]!, summarize).map((i) =>
    i === null
      ? "..."
      : dimensionText(numbers, axis + 1, offset + i * numbers.strides[axis]!, indent + 1, summarize, formatter),
  );
  return `[${parts.join(`,${"\n".repeat(dims - 1)}${" ".repeat(indent + 1)}`)}]`;
}

function vectorText(
  numbers: Strided,
  axis: number,
  offset: number,
  indent: number,
  summarize: boolean,
  formatter: NumberFormatter,
): string {
  const perLine = Math.max(1, Math.floor((options.linewidth - indent) / (formatter.width + 2)));
  const shown = shownAt(numbers.shape[axis]!, summarize);
  const gap = options.edgeitems === 0 ? "..." : " ...";
  const texts = shown.map((i) =>
    i === null ? gap : formatter.text(numbers.data[offset + i * numbers.strides[axis]!]!),
  );
  const lines: string[] = [];
  for (let i = 0; i < texts.length; i += perLine) lines.push(texts.slice(i, i + perLine).join(", "));
  return `[${lines.join(`,\n${" ".repeat(indent + 1)}`)}]`;
}

/** The indices of a dimension that are printed; null stands for the dots. */
function shownAt(size: number, summarize: boolean): (number | null)[] {
  const edge = options.edgeitems;
  if (!summarize || (edge > 0 && size <= 2 * edge)) return Array.from({ length: size }, (_, i) => i);
  const ends = Array.from({ length: edge }, (_, i) => i);
  return [...ends, null, ...ends.map((i) => size - edge + i)];
}

function withSuffixes(tensorText: string, suffixes: readonly string[], indent: number): string {
  let text = tensorText;
  // PyTorch's count: one more than the characters of the last line.
  let lineLength = tensorText.length - tensorText.lastIndexOf("\n") + 1;
  for (const suffix of suffixes) {
    if (lineLength + suffix.length + 2 > options.linewidth) {
      text += `,\n${" ".repeat(indent)}${suffix}`;
      lineLength = indent + suffix.length;
    } else {
      text += `, ${suffix}`;
      lineLength += suffix.length + 2;
    }
  }
  return `${text})`;
}

/** `(2, 3)`, `(4,)`, `()`: a Python tuple. */
export function tuple(values: readonly number[]): string {
  return values.length === 1 ? `(${values[0]},)` : `(${values.join(", ")})`;
}
