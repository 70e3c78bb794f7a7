/** Products of tensors over chosen dimensions, and everything with everything: pairs, powers, distances. */
import { bind } from "../core/arguments.ts";
import { assertTensors } from "../core/checks.ts";
import { bool, int64 } from "../core/dtype.ts";
import { IndexError, NotImplementedError, RuntimeError, ValueError } from "../core/errors.ts";
import { SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { broadcastShapes, normalizeDim, numel, sizeText } from "../core/shape.ts";
import { assertTensor, Tensor } from "../core/tensor.ts";
import { warn } from "../core/warnings.ts";
import { mul, sub } from "./arithmetic.ts";
import { normOf, pdistSlope } from "./distance.ts";
import { flip, indexSelect } from "./gathering.ts";
import { meshgrid, stack } from "./joining.ts";
import { mm } from "./matmul.ts";
import { filled } from "./operands.ts";
import { cumprod } from "./products.ts";
import { sum } from "./reduce.ts";
import { call, defineOp, type Method, methods, type Op } from "./registry.ts";
import { maskedSelect } from "./scattering.ts";
import { select, sliceRaw } from "./slicing.ts";
import { expand, permute, reshape, transpose, unsafeView, unsqueeze, view } from "./view.ts";

/** How many of the last dimensions of `a` meet the first of `b`, or the lists of those that meet. */
export type TensordotDims = number | readonly [readonly number[], readonly number[]];

function contracted(a: Tensor, b: Tensor, dims: TensordotDims): [a: readonly number[], b: readonly number[]] {
  if (typeof dims !== "number") return [dims[0], dims[1]];
  if (dims < 0) throw new RuntimeError(`tensordot expects dims >= 0, but got dims=${dims}`);
  if (dims > Math.min(a.ndim, b.ndim)) {
    throw new RuntimeError(`tensordot expects dims < ndim_a or ndim_b, but got dims=${dims}`);
  }
  const count = Array.from({ length: dims }, (_, i) => i);
  return [count.map((i) => i - dims), count];
}

/** Products of two tensors summed over pairs of dimensions; `dims` default 2. https://docs.pytorch.org/docs/2.13/generated/torch.tensordot.html */
export function tensordot(a: Tensor, b: Tensor, dims?: TensordotDims | { dims?: TensordotDims }): Tensor;
export function tensordot(...args: unknown[]): Tensor {
  const {
    a,
    b,
    dims = 2,
  } = bind<{ a: Tensor; b: Tensor; dims?: TensordotDims }>("tensordot", ["!a", "!b", "dims"], args);
  assertTensor(a, "tensordot", "a", 1);
  assertTensor(b, "tensordot", "b", 2);
  const [dimsA, dimsB] = contracted(a, b, dims);
  if (dimsA.length !== dimsB.length) throw new RuntimeError("both dimension lists should have same length");
  if (a.dtype !== b.dtype) throw new RuntimeError("both inputs should have same dtype");
  let [left, right] = [a, b];
  let common = 1;
  dimsA.forEach((dimA, i) => {
    const dimB = dimsB[i]!;
    const [sizeA, sizeB] = [a.shape[normalizeDim(dimA, a.ndim)]!, b.shape[normalizeDim(dimB, b.ndim)]!];
    if (sizeB === 1) left = sum(left, dimA, { keepdim: true, dtype: a.dtype });
    else if (sizeA === 1) right = sum(right, dimB, { keepdim: true, dtype: b.dtype });
    else if (sizeA === sizeB) common *= sizeA;
    else {
      throw new RuntimeError(
        `contracted dimensions need to match, but first has size ${sizeA} in dim ${dimA} and second has size ${sizeB} in dim ${dimB}`,
        { shapes: [a.shape, b.shape] },
      );
    }
  });
  const normal = (list: readonly number[], x: Tensor): number[] => {
    const out = list.map((d) => normalizeDim(d, x.ndim));
    const twice = out.find((d, i) => out.indexOf(d) < i);
    if (twice !== undefined) throw new RuntimeError(`dim ${twice} appears multiple times in the list of dims`);
    return out;
  };
  const [metA, metB] = [normal(dimsA, a), normal(dimsB, b)];
  const restA = a.shape.map((_, d) => d).filter((d) => !metA.includes(d));
  const restB = b.shape.map((_, d) => d).filter((d) => !metB.includes(d));
  const sizes = [...restA.map((d) => a.shape[d]!), ...restB.map((d) => b.shape[d]!)];
  const rows = reshape(permute(left, [...restA, ...metA]), numel(restA.map((d) => a.shape[d]!)), common);
  const columns = reshape(permute(right, [...metB, ...restB]), common, numel(restB.map((d) => b.shape[d]!)));
  return reshape(mm(rows, columns), sizes);
}

/** Every element of the first times the whole second: the Kronecker product. https://docs.pytorch.org/docs/2.13/generated/torch.kron.html */
export function kron(input: Tensor, other: Tensor): Tensor {
  assertTensor(input, "kron", "input", 1);
  assertTensor(other, "kron", "other", 2);
  const ndim = Math.max(input.ndim, other.ndim);
  const padded = (x: Tensor) => [...new Array<number>(ndim - x.ndim).fill(1), ...x.shape];
  const [a, b] = [padded(input), padded(other)];
  const product = mul(
    unsafeView(
      input,
      a.flatMap((size) => [size, 1]),
    ),
    unsafeView(
      other,
      b.flatMap((size) => [1, size]),
    ),
  );
  const shape = a.map((size, d) => size * b[d]!);
  // A view for its complaint alone: the product lies as its factors do.
  view(product.detach(), shape);
  return unsafeView(product, shape);
}

const TURNED = [
  [1, 2, 0],
  [2, 0, 1],
] as const;

const Cross: Op<{ dim: number }> = defineOp({
  name: "linalg_cross",
  gradFn: "LinalgCrossBackward0",
  kernels: ["indexSelect", "binary"],
  forward(ctx, a: Tensor, b: Tensor) {
    const { dim } = ctx.attrs;
    ctx.save(a, b);
    const turn = (x: Tensor, order: readonly number[]) => {
      const index = Tensor.empty([3], int64);
      index.storage.data.set(order);
      return indexSelect(x.detach(), dim, index);
    };
    const [once, twice] = TURNED;
    return sub(mul(turn(a, once), turn(b, twice)), mul(turn(a, twice), turn(b, once)));
  },
  backward: ({ attrs, saved: [a, b] }, grad: Tensor) => [call(Cross, attrs, b!, grad), call(Cross, attrs, grad, a!)],
});

/**
 * The cross products of vectors of three along `dim`, by default the first dimension of size 3.
 * https://docs.pytorch.org/docs/2.13/generated/torch.cross.html
 */
export function cross(input: Tensor, other: Tensor, dim?: number | null | { dim?: number | null }): Tensor;
export function cross(...args: unknown[]): Tensor {
  const {
    input,
    other,
    dim = null,
  } = bind<{ input: Tensor; other: Tensor; dim?: number | null }>("cross", ["!input", "!other", "dim"], args);
  assertTensor(input, "cross", "input", 1);
  assertTensor(other, "cross", "other", 2);
  if (dim === null) {
    warn(
      "Using torch.cross without specifying the dim arg is deprecated.\nPlease either pass the dim explicitly or simply use torch.linalg.cross.\nThe default value of dim will change to agree with that of linalg.cross in a future release.",
    );
    const first = input.shape.indexOf(3);
    if (first < 0) throw new RuntimeError("no dimension of size 3 in input");
    return cross(input, other, first);
  }
  if (input.ndim !== other.ndim) {
    throw new RuntimeError("linalg.cross: inputs must have the same number of dimensions.");
  }
  if (input.ndim === 0) throw new IndexError(`Dimension specified as ${dim} but tensor has no dimensions`);
  const axis = normalizeDim(dim, input.ndim);
  const [a, b] = [input.shape[axis]!, other.shape[axis]!];
  if (a !== 3 || b !== 3) {
    throw new RuntimeError(`linalg.cross: inputs dimension ${dim} must have length 3. Got ${a} and ${b}`, {
      shapes: [input.shape, other.shape],
    });
  }
  const shape = broadcastShapes(input.shape, other.shape);
  if (input.dtype !== other.dtype) throw unlike(input, other);
  if (input.dtype === bool && numel(shape) > 0) {
    throw new NotImplementedError(`"cross" not implemented for 'Bool'`);
  }
  return call(Cross, { dim: axis }, input, other);
}

function unlike(a: Tensor, b: Tensor): RuntimeError {
  return new RuntimeError(
    `expected scalar type ${SCALAR_TYPE_NAMES[a.dtype.name]} but found ${SCALAR_TYPE_NAMES[b.dtype.name]}`,
  );
}

export interface VanderOptions {
  /** Number of columns. Default null: as many as elements. */
  N?: number | null;
  /** Powers from 0 upwards. Default false: downwards to 0. */
  increasing?: boolean;
}

/** The powers of a vector's elements as columns. https://docs.pytorch.org/docs/2.13/generated/torch.vander.html */
export function vander(x: Tensor, N?: number | null | VanderOptions, options?: VanderOptions): Tensor;
export function vander(...args: unknown[]): Tensor {
  const {
    x,
    N = null,
    increasing = false,
  } = bind<{ x: Tensor } & VanderOptions>("vander", ["!x", "N", "increasing"], args);
  assertTensor(x, "vander", "x", 1);
  if (x.ndim !== 1) throw new RuntimeError("x must be a one-dimensional tensor.");
  const columns = N ?? x.shape[0]!;
  if (columns < 0) throw new RuntimeError("N must be non-negative.");
  const out = filled([x.shape[0]!, columns], 0, x.dtype.isFloatingPoint ? x.dtype : int64);
  if (columns > 0) select(out, 1, 0).fill_(1);
  if (columns > 1) {
    const rest = () => sliceRaw(out, 1, 1, columns - 1, 1);
    rest().copy_(unsqueeze(x, 1));
    rest().copy_(cumprod(rest(), 1));
  }
  return increasing ? out : flip(out, 1);
}

interface CdistAttrs {
  p: number;
}

/** Calls `visit` with the places of each pair of rows, and of the distance between them. */
function forEachPair(a: Tensor, b: Tensor, visit: (at: number, i: number, j: number) => void): void {
  const [n, m] = [a.shape.at(-2)!, b.shape.at(-2)!];
  const batches = numel(a.shape.slice(0, -2));
  for (let batch = 0, at = 0; batch < batches; batch++) {
    for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) visit(at++, batch * n + i, batch * m + j);
  }
}

/** Both with the leading dimensions that they broadcast to. */
function together(a: Tensor, b: Tensor): [a: Tensor, b: Tensor] {
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
  return [expand(a.detach(), [...batch, ...a.shape.slice(-2)]), expand(b.detach(), [...batch, ...b.shape.slice(-2)])];
}

function differences(a: Tensor, b: Tensor): (i: number, j: number) => number[] {
  const size = a.shape.at(-1)!;
  const [x, y] = [a.denseData(), b.denseData()];
  const round = a.dtype.itemsize === 4 ? Math.fround : (value: number) => value;
  return (i, j) => Array.from({ length: size }, (_, k) => round(x[i * size + k]! - y[j * size + k]!));
}

const Cdist: Op<CdistAttrs> = defineOp({
  name: "_cdist_forward",
  gradFn: "CdistBackward0",
  kernels: [],
  forward(ctx, x1: Tensor, x2: Tensor) {
    const [a, b] = together(x1, x2);
    const out = Tensor.empty([...a.shape.slice(0, -1), b.shape.at(-2)!], x1.dtype);
    const between = differences(a, b);
    forEachPair(a, b, (at, i, j) => {
      out.storage.data[at] = normOf(between(i, j), ctx.attrs.p);
    });
    ctx.save(x1, x2, out);
    return out;
  },
  backward({ attrs, saved, needs }, grad: Tensor) {
    const [x1, x2, out] = saved as [Tensor, Tensor, Tensor];
    return [
      needs[0] ? call(CdistGrad, attrs, grad, x1, x2, out) : null,
      needs[1] ? call(CdistGrad, attrs, transpose(grad, -2, -1), x2, x1, transpose(out, -2, -1)) : null,
    ];
  },
});

/** The gradient of the rows of the first tensor, with all leading dimensions. */
const CdistGrad: Op<CdistAttrs> = defineOp({
  name: "_cdist_backward",
  gradFn: "CdistBackwardBackward0",
  kernels: [],
  forward({ attrs: { p } }, grad: Tensor, x1: Tensor, x2: Tensor, distances: Tensor) {
    const [a, b] = together(x1, x2);
    const out = filled(a.shape, 0, a.dtype);
    const size = a.shape.at(-1)!;
    const [incoming, far] = [grad.denseData(), distances.denseData()];
    const between = differences(a, b);
    forEachPair(a, b, (at, i, j) => {
      between(i, j).forEach((d, k) => {
        out.storage.data[i * size + k]! += incoming[at]! * pdistSlope(d, far[at]!, p);
      });
    });
    return out;
  },
});

const COMPUTE_MODES = [
  "use_mm_for_euclid_dist_if_necessary",
  "use_mm_for_euclid_dist",
  "donot_use_mm_for_euclid_dist",
] as const;

export interface CdistOptions {
  /** Exponent of the norm. Default 2. */
  p?: number;
  /** How PyTorch computes; the numbers are the same here. Default "use_mm_for_euclid_dist_if_necessary". */
  computeMode?: (typeof COMPUTE_MODES)[number];
}

/**
 * The p-norm distance of every row of the first to every row of the second: [..., P, M], [..., R, M] → [..., P, R].
 * https://docs.pytorch.org/docs/2.13/generated/torch.cdist.html
 */
export function cdist(x1: Tensor, x2: Tensor, p?: number | CdistOptions, options?: CdistOptions): Tensor;
export function cdist(...args: unknown[]): Tensor {
  const {
    x1,
    x2,
    p = 2,
    computeMode = COMPUTE_MODES[0],
  } = bind<{ x1: Tensor; x2: Tensor } & CdistOptions>("cdist", ["!x1", "!x2", "p", "computeMode"], args);
  assertTensor(x1, "cdist", "x1", 1);
  assertTensor(x2, "cdist", "x2", 2);
  if (!COMPUTE_MODES.includes(computeMode)) {
    throw new ValueError(`${computeMode} is not a valid value for compute_mode`);
  }
  for (const [name, x] of [
    ["X1", x1],
    ["X2", x2],
  ] as const) {
    if (x.ndim < 2) throw new RuntimeError(`cdist only supports at least 2D tensors, ${name} got: ${x.ndim}D`);
  }
  if (x1.shape.at(-1) !== x2.shape.at(-1)) {
    throw new RuntimeError(
      `X1 and X2 must have the same number of columns. X1: ${x1.shape.at(-1)} X2: ${x2.shape.at(-1)}`,
      { shapes: [x1.shape, x2.shape] },
    );
  }
  for (const [name, x] of [
    ["X1", x1],
    ["X2", x2],
  ] as const) {
    if (!x.dtype.isFloatingPoint) {
      throw new RuntimeError(
        `cdist only supports floating-point dtypes, ${name} got: ${SCALAR_TYPE_NAMES[x.dtype.name]}`,
      );
    }
  }
  if (!(p >= 0)) throw new RuntimeError("cdist only supports non-negative p values");
  const batch = broadcastShapes(x1.shape.slice(0, -2), x2.shape.slice(0, -2));
  if (x1.dtype !== x2.dtype && numel(batch) * x1.shape.at(-2)! * x2.shape.at(-2)! * x1.shape.at(-1)! > 0) {
    throw unlike(x1, x2);
  }
  return call(Cdist, { p }, x1, x2);
}

function requireVector(x: Tensor): void {
  if (x.ndim !== 1) throw new RuntimeError(`Expect a 1D vector, but got shape ${sizeText(x.shape)}`);
}

/** Every combination of one element of each vector, one row each. https://docs.pytorch.org/docs/2.13/generated/torch.cartesian_prod.html */
export function cartesianProd(...tensors: Tensor[]): Tensor {
  assertTensors(tensors, "cartesian_prod");
  tensors.forEach(requireVector);
  if (tensors.length === 1) return tensors[0]!;
  const grids = meshgrid(...tensors, { indexing: "ij" });
  return stack(
    grids.map((grid) => reshape(grid, -1)),
    1,
  );
}

export interface CombinationsOptions {
  /** How many elements each has. Default 2. */
  r?: number;
  /** Whether an element may come again. Default false. */
  withReplacement?: boolean;
}

/** All choices of `r` of a vector's elements in their order, one row each. https://docs.pytorch.org/docs/2.13/generated/torch.combinations.html */
export function combinations(input: Tensor, r?: number | CombinationsOptions, options?: CombinationsOptions): Tensor;
export function combinations(...args: unknown[]): Tensor {
  const {
    input,
    r = 2,
    withReplacement = false,
  } = bind<{ input: Tensor } & CombinationsOptions>("combinations", ["!input", "r", "withReplacement"], args);
  assertTensor(input, "combinations", "input", 1);
  requireVector(input);
  if (r < 0) throw new RuntimeError(`Expect a non-negative number, but got ${r}`);
  if (r === 0) return filled([0], 0, input.dtype);
  const n = input.shape[0]!;
  const mask = filled(new Array<number>(r).fill(n), 1, bool);
  for (let flat = 0; flat < mask.numel(); flat++) {
    let rest = flat;
    for (let d = r - 1, next = n; d >= 0; d--) {
      const place = rest % n;
      if (d < r - 1 && (withReplacement ? place > next : place >= next)) mask.storage.data[flat] = 0;
      next = place;
      rest = Math.floor(rest / n);
    }
  }
  const grids = meshgrid(...new Array<Tensor>(r).fill(input), { indexing: "ij" });
  return stack(
    grids.map((grid) => maskedSelect(grid, mask)),
    1,
  );
}

methods({ kron, cross });

declare module "../core/tensor.ts" {
  interface Tensor {
    /** Every element times the whole other tensor. */
    kron: Method<typeof kron>;
    /** The cross products of vectors of three along a dimension. */
    cross: Method<typeof cross>;
  }
}
