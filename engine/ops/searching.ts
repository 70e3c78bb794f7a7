/** Membership, places in what is sorted, and counts in ranges. */
import { bind } from "../core/arguments.ts";
import { bool, int32, int64 } from "../core/dtype.ts";
import { NotImplementedError, RuntimeError, TypeError } from "../core/errors.ts";
import { resultType, SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { sameShape, sizeText } from "../core/shape.ts";
import { assertTensor, pythonTypeName, Tensor } from "../core/tensor.ts";
import { finfo, sixDigits } from "./limits.ts";
import { asOperand, castRaw, filled, type Scalar, wrapNumber } from "./operands.ts";
import { type Method, methods } from "./registry.ts";

export interface IsinOptions {
  /** Whether both are free of repetitions, which changes nothing here. Default false. */
  assumeUnique?: boolean;
  /** Asks for what is not among them instead. Default false. */
  invert?: boolean;
}

/** Which elements are among the test elements; one of the two may be a number. https://docs.pytorch.org/docs/2.13/generated/torch.isin.html */
export function isin(elements: Tensor | Scalar, testElements: Tensor | Scalar, options?: IsinOptions): Tensor;
export function isin(...args: unknown[]): Tensor {
  const {
    elements,
    testElements,
    invert = false,
  } = bind<{ elements: Tensor | Scalar; testElements: Tensor | Scalar } & IsinOptions>(
    "isin",
    ["!elements", "!testElements", "*", "assumeUnique", "invert"],
    args,
  );
  if (!(elements instanceof Tensor) && !(testElements instanceof Tensor)) {
    throw new TypeError(
      `isin(): argument 'test_elements' (position 2) must be Tensor, not ${pythonTypeName(testElements)}`,
    );
  }
  const [x, among] = [asOperand(elements, "isin", "elements", 1), asOperand(testElements, "isin", "test_elements", 2)];
  if (x.dtype === bool || among.dtype === bool) {
    throw new RuntimeError("Unsupported input type encountered for isin(): Bool");
  }
  const dtype = resultType(x, among);
  // A set would find NaN, which equals nothing.
  const wanted = new Set(Array.from(castRaw(among, dtype).denseData()).filter((value) => !Number.isNaN(value)));
  const out = Tensor.empty(x.shape, bool);
  castRaw(x, dtype)
    .denseData()
    .forEach((value, i) => {
      out.storage.data[i] = Number(wanted.has(value) !== invert);
    });
  return out;
}

/** How many boundaries lie before a value; NaN lies behind everything. */
function countBefore(
  value: number,
  right: boolean,
  from: number,
  length: number,
  boundary: (i: number) => number,
): number {
  let [start, end] = [from, from + length];
  while (start < end) {
    const middle = start + Math.floor((end - start) / 2);
    const bound = boundary(middle);
    if (right ? bound > value : bound >= value) end = middle;
    else start = middle + 1;
  }
  return start - from;
}

interface SearchAttrs {
  right: boolean;
  outInt32: boolean;
  sorter: Tensor | null;
}

function search(boundaries: Tensor, values: Tensor, { right, outInt32, sorter }: SearchAttrs): Tensor {
  const dtype = resultType(boundaries, values);
  const out = Tensor.empty(values.shape, outInt32 ? int32 : int64);
  if (dtype === bool && values.numel() > 0) {
    throw new NotImplementedError(`"searchsorted_out_cpu" not implemented for 'Bool'`);
  }
  const bounds = castRaw(boundaries, dtype).denseData();
  const length = boundaries.shape.at(-1)!;
  const perRow = boundaries.ndim === 1 ? Number.POSITIVE_INFINITY : values.shape.at(-1)!;
  const order = sorter?.denseData();
  castRaw(values, dtype)
    .denseData()
    .forEach((value, i) => {
      const from = perRow === Number.POSITIVE_INFINITY ? 0 : Math.floor(i / perRow) * length;
      const boundary = order ? (k: number) => bounds[from + order[k]!]! : (k: number) => bounds[k]!;
      out.storage.data[i] = countBefore(value, right, from, length, boundary);
    });
  return out;
}

export interface SearchsortedOptions {
  /** The result is int32. Default false: int64. */
  outInt32?: boolean;
  /** Behind equals instead of before them. Default false. */
  right?: boolean;
  /** The same in words: "left" or "right". Default null: as `right` says. */
  side?: "left" | "right" | null;
  /** Positions that sort the sequence, where it is not sorted itself. Default null. */
  sorter?: Tensor | null;
}

function checkSorter(sequence: Tensor, sorter: Tensor): void {
  if (!sameShape(sorter.shape, sequence.shape)) {
    throw new RuntimeError(
      `torch.searchsorted(): boundary and sorter must have the same size, but got boundary tensor ${sizeText(sequence.shape)}and got sorter tensor ${sizeText(sorter.shape)}`,
    );
  }
  if (sorter.dtype !== int64) {
    throw new RuntimeError(
      `torch.searchsorted(): sorter must be a tensor of long dtype but got dtype ${SCALAR_TYPE_NAMES[sorter.dtype.name]}`,
    );
  }
  const size = sequence.shape.at(-1)!;
  if (sorter.denseData().some((i) => i < 0 || i >= size)) {
    throw new RuntimeError("torch.searchsorted(): sorter index out of range");
  }
}

/**
 * Where each value would go into the last dimension of a sorted sequence. The sequence is a vector, or has the leading
 * dimensions of `values`. https://docs.pytorch.org/docs/2.13/generated/torch.searchsorted.html
 */
export function searchsorted(sortedSequence: Tensor, values: Tensor | Scalar, options?: SearchsortedOptions): Tensor;
export function searchsorted(...args: unknown[]): Tensor {
  const {
    sortedSequence,
    values: given,
    outInt32 = false,
    right = false,
    side = null,
    sorter = null,
  } = bind<{ sortedSequence: Tensor; values: Tensor | Scalar } & SearchsortedOptions>(
    "searchsorted",
    ["!sortedSequence", "!values", "*", "outInt32", "right", "side", "sorter"],
    args,
  );
  assertTensor(sortedSequence, "searchsorted", "sorted_sequence", 1);
  const values = asOperand(given, "searchsorted", "values", 2);
  if (side !== null && side !== "left" && side !== "right") {
    throw new RuntimeError(`torch.searchsorted(): side can only be 'left' or 'right' but got ${side}`);
  }
  if (right && side === "left") {
    throw new RuntimeError(
      "torch.searchsorted(): side and right can't be set to opposites, got side of left while right was True",
    );
  }
  if (sorter) checkSorter(sortedSequence, sorter);
  const [own, other] = [sortedSequence.shape, values.shape];
  if (own.length !== 1 && other.length === 0) {
    if (own.length > 0) {
      throw new RuntimeError(
        `torch.searchsorted(): input value can be a scalar only when boundaries tensor dimension is 1, but we got boundaries tensor dim(${own.length}) and input value's dim(0) numel(1)`,
      );
    }
  }
  if (own.length === 0) {
    throw new RuntimeError(
      "torch.searchsorted(): boundaries tensor should have positive dimension, but got 0 dimension",
    );
  }
  if (own.length !== 1 && !sameShape(own.slice(0, -1), other.slice(0, -1))) {
    throw new RuntimeError(
      `torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and input value tensor must match, but we got boundaries tensor ${sizeText(own)} and input value tensor ${sizeText(other)}`,
      { shapes: [own, other] },
    );
  }
  return search(sortedSequence, values, { right: right || side === "right", outInt32, sorter });
}

export interface BucketizeOptions {
  /** The result is int32. Default false: int64. */
  outInt32?: boolean;
  /** Buckets contain their left boundary instead of the right one. Default false. */
  right?: boolean;
}

/** The number of the bucket between `boundaries`, a sorted vector, that each element falls into. https://docs.pytorch.org/docs/2.13/generated/torch.bucketize.html */
export function bucketize(input: Tensor | Scalar, boundaries: Tensor, options?: BucketizeOptions): Tensor;
export function bucketize(...args: unknown[]): Tensor {
  const {
    input,
    boundaries,
    outInt32 = false,
    right = false,
  } = bind<{ input: Tensor | Scalar; boundaries: Tensor } & BucketizeOptions>(
    "bucketize",
    ["!input", "!boundaries", "*", "outInt32", "right"],
    args,
  );
  assertTensor(boundaries, "bucketize", "boundaries", 2);
  if (boundaries.ndim !== 1) {
    throw new RuntimeError(`boundaries tensor must be 1 dimension, but got dim(${boundaries.ndim})`);
  }
  const values = input instanceof Tensor ? input : wrapNumber(input);
  return search(boundaries, values, { right, outInt32, sorter: null });
}

export interface HistcOptions {
  /** Number of equal ranges. Default 100. */
  bins?: number;
  /** Where the first range begins. Default 0; with `max` 0 as well, at the smallest element. */
  min?: number;
  /** Where the last range ends. Default 0; with `min` 0 as well, at the largest element. */
  max?: number;
}

/** How many elements fall into each of `bins` equal ranges from `min` to `max`. https://docs.pytorch.org/docs/2.13/generated/torch.histc.html */
export function histc(
  input: Tensor,
  bins?: number | HistcOptions,
  min?: number | HistcOptions,
  max?: number | HistcOptions,
): Tensor;
export function histc(...args: unknown[]): Tensor {
  const {
    input,
    bins = 100,
    min = 0,
    max = 0,
  } = bind<{ input: Tensor } & HistcOptions>("histc", ["!input", "bins", "min", "max"], args);
  assertTensor(input, "histc", "input", 1);
  if (max < min) throw new RuntimeError("torch.histc: max must be larger than min");
  if (bins <= 0) throw new RuntimeError(`torch.histogram(): bins must be > 0, but got ${bins} for dimension 0`);
  if (!input.dtype.isFloatingPoint) {
    const kernel = input.dtype === bool ? "linspace_cpu" : "histogram_cpu";
    throw new NotImplementedError(`"${kernel}" not implemented for '${SCALAR_TYPE_NAMES[input.dtype.name]}'`);
  }
  const round = input.dtype.itemsize === 4 ? Math.fround : (value: number) => value;
  const data = input.denseData();
  let [low, high] = [min, max];
  if (low === high && data.length > 0) {
    const most = finfo(input.dtype).max;
    [low, high] = [most, -most];
    for (const value of data) [low, high] = [Math.min(low, value), Math.max(high, value)];
  }
  if (!Number.isFinite(low) || !Number.isFinite(high)) {
    throw new RuntimeError(`torch.histc: range of [${sixDigits(low)}, ${sixDigits(high)}] is not finite`);
  }
  if (low === high) [low, high] = [low - 1, high + 1];
  [low, high] = [round(low), round(high)];
  const out = filled([bins], 0, input.dtype);
  for (const value of data) {
    if (!(value >= low && value <= high)) continue;
    const place = Math.floor(round(round(round(value - low) * bins) / round(high - low)));
    // The last range includes its end.
    out.storage.data[Math.min(place, bins - 1)]! += 1;
  }
  return out;
}

methods({ histc });

declare module "../core/tensor.ts" {
  interface Tensor {
    /** How many elements fall into each of `bins` (default 100) equal ranges. */
    histc: Method<typeof histc>;
  }
}
