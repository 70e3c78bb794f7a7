/** What is different in a tensor, and how often it occurs. */
import { bind } from "../core/arguments.ts";
import { int64 } from "../core/dtype.ts";
import { RuntimeError } from "../core/errors.ts";
import { normalizeDim, numel } from "../core/shape.ts";
import { assertTensor, Tensor } from "../core/tensor.ts";
import { indexSelect } from "./gathering.ts";
import { callMany, defineOp, type Method, methods, type Op } from "./registry.ts";
import { ascending } from "./sorting.ts";
import { movedim, reshape } from "./view.ts";

/** How the rows of a tensor fall into groups: the first row of each, the group of every row, the size of each group. */
interface Groups {
  first: number[];
  groupOf: number[];
  counts: number[];
}

interface UniqueAttrs {
  /** Null: of the flat tensor. */
  dim: number | null;
}

function group(places: readonly number[], compare: (a: number, b: number) => number): Groups {
  const first: number[] = [];
  const counts: number[] = [];
  const groupOf: number[] = new Array(places.length);
  let previous = -1;
  for (const place of places) {
    if (previous < 0 || compare(previous, place) !== 0) {
      first.push(place);
      counts.push(0);
    }
    counts[counts.length - 1]!++;
    groupOf[place] = first.length - 1;
    previous = place;
  }
  return { first, groupOf, counts };
}

function list(numbers: readonly number[], shape: readonly number[] = [numbers.length]): Tensor {
  const out = Tensor.empty(shape, int64);
  out.storage.data.set(numbers);
  return out;
}

/** Every NaN is different from every other, as it is from itself. */
function different(a: number, b: number): number {
  return ascending(a, b) || Number(Number.isNaN(a));
}

function findGroups(x: Tensor, { dim }: UniqueAttrs, sorts: boolean): Tensor[] {
  const rows = dim === null ? reshape(x, -1) : movedim(x, dim, 0);
  const n = rows.shape[0]!;
  const width = numel(rows.shape.slice(1));
  const data = rows.denseData();
  const compareBy = (elements: typeof different) => (a: number, b: number) => {
    for (let k = 0; k < width; k++) {
      const order = elements(data[a * width + k]!, data[b * width + k]!);
      if (order !== 0) return order;
    }
    return 0;
  };
  const places = Array.from({ length: n }, (_, i) => i);
  if (sorts) places.sort(compareBy(ascending));
  const { first, groupOf, counts } = group(places, compareBy(different));
  const values = dim === null ? indexSelect(rows, 0, list(first)) : indexSelect(x, dim, list(first));
  return [values, list(groupOf, dim === null ? x.shape : [n]), list(counts)];
}

function uniqueOp(name: string, gradFn: string, sorts: boolean): Op<UniqueAttrs> {
  return defineOp({
    name,
    gradFn,
    kernels: ["indexSelect"],
    forward: ({ attrs }, x: Tensor) => findGroups(x.detach(), attrs, sorts),
  });
}

const Unique = uniqueOp("_unique2", "Unique2Backward0", true);
const UniqueDim = uniqueOp("unique_dim", "UniqueDimBackward0", true);
const UniqueConsecutive = uniqueOp("unique_consecutive", "UniqueConsecutiveBackward0", false);

export interface ConsecutiveOptions {
  /** Also where each element went. Default false. */
  returnInverse?: boolean;
  /** Also how often each occurs. Default false. */
  returnCounts?: boolean;
  /** Compares slices along this dimension. Default: single elements. */
  dim?: number | null;
}

export interface UniqueOptions extends ConsecutiveOptions {
  /** Here the result is always sorted. Default true. */
  sorted?: boolean;
}

function chosen([values, inverse, counts]: Tensor[], options: ConsecutiveOptions): Tensor | Tensor[] {
  const { returnInverse = false, returnCounts = false } = options;
  if (!returnInverse && !returnCounts) return values!;
  return [values!, ...(returnInverse ? [inverse!] : []), ...(returnCounts ? [counts!] : [])];
}

/**
 * The different elements, sorted, or along `dim` the different slices; with the options also the inverse and the counts.
 * https://docs.pytorch.org/docs/2.13/generated/torch.unique.html
 */
export function unique(input: Tensor, options?: UniqueOptions): Tensor | Tensor[];
export function unique(...args: unknown[]): Tensor | Tensor[] {
  const {
    input,
    dim = null,
    ...options
  } = bind<{ input: Tensor } & UniqueOptions>(
    "unique",
    ["!input", "sorted: bool", "returnInverse: bool", "returnCounts: bool", "dim: int?"],
    args,
  );
  assertTensor(input, "unique", "input", 1);
  if (dim === null) return chosen(callMany(Unique, { dim }, input), options);
  const axis = normalizeDim(dim, input.ndim);
  if (input.shape.filter((size) => size === 0).length > 1) {
    throw new RuntimeError("Number of zero sized dimensions is more than one, so unique cannot be applied ");
  }
  if (input.shape.some((size, d) => size === 0 && d !== axis)) {
    throw new RuntimeError("There are 0 sized dimensions, and they aren't selected, so unique cannot be applied");
  }
  return chosen(callMany(UniqueDim, { dim: axis }, input), options);
}

/** As unique, but only neighbours are compared, and their order stays. https://docs.pytorch.org/docs/2.13/generated/torch.unique_consecutive.html */
export function uniqueConsecutive(input: Tensor, options?: ConsecutiveOptions): Tensor | Tensor[];
export function uniqueConsecutive(...args: unknown[]): Tensor | Tensor[] {
  const {
    input,
    dim = null,
    ...options
  } = bind<{ input: Tensor } & ConsecutiveOptions>(
    "unique_consecutive",
    ["!input", "returnInverse: bool", "returnCounts: bool", "dim: int?"],
    args,
  );
  assertTensor(input, "unique_consecutive", "input", 1);
  const axis = dim === null ? null : normalizeDim(dim, input.ndim);
  return chosen(callMany(UniqueConsecutive, { dim: axis }, input), options);
}

methods({ unique, uniqueConsecutive });

declare module "../core/tensor.ts" {
  interface Tensor {
    /** The different elements, sorted. */
    unique: Method<typeof unique>;
    /** Equal neighbours as one. */
    uniqueConsecutive: Method<typeof uniqueConsecutive>;
  }
}
