/** Distances, similarities and the losses that are made of them. */

import { bind } from "../core/arguments.ts";
import { assertInt, assertNumber } from "../core/checks.ts";
import { RuntimeError, ValueError } from "../core/errors.ts";
import { resultType, SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { broadcastShapes, sizeText } from "../core/shape.ts";
import { assertTensor, Tensor } from "../core/tensor.ts";
import { add, clamp, div, minimum, mul, sub, where } from "./arithmetic.ts";
import { eq } from "./comparison.ts";
import { to } from "./copy.ts";
import {
  LOSS_PARAMS,
  type LossOptions,
  type Reduction,
  type ReductionOption,
  readReduction,
  reduceLoss,
} from "./loss_arguments.ts";
import { hinge, type MarginLossOptions } from "./loss_regression.ts";
import { filled } from "./operands.ts";
import { sqrt } from "./pointwise.ts";
import { sum } from "./reduce.ts";
import { call, defineOp, type Op } from "./registry.ts";
import { lastAxisNorm, vectorNorm } from "./statistics.ts";
import { expand } from "./view.ts";

/** The larger of norm and eps; the gradient is the norm's, as ATen clamps outside the graph. */
function atLeast(norm: Tensor, eps: number): Tensor {
  const fixed = norm.detach();
  return add(norm, sub(clamp(fixed, eps), fixed));
}

export interface CosineSimilarityOptions {
  /** Along which the vectors lie. Default 1. */
  dim?: number;
  /** Least norm. Default 1e-8. */
  eps?: number;
}

/** x1 · x2 / (|x1| |x2|) along `dim`. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.cosine_similarity.html */
export function cosineSimilarity(
  x1: Tensor,
  x2: Tensor,
  dim?: number | CosineSimilarityOptions,
  options?: CosineSimilarityOptions,
): Tensor;
export function cosineSimilarity(...args: unknown[]): Tensor {
  const {
    x1,
    x2,
    dim = 1,
    eps = 1e-8,
  } = bind<{ x1: Tensor; x2: Tensor } & CosineSimilarityOptions>(
    "cosine_similarity",
    ["!x1", "!x2", "dim", "eps"],
    args,
  );
  assertTensor(x1, "cosine_similarity", "x1", 1);
  assertTensor(x2, "cosine_similarity", "x2", 2);
  assertInt(dim, "cosine_similarity", "dim", 3);
  assertNumber(eps, "cosine_similarity", "eps", 4);
  const shape = broadcastShapes(x1.shape, x2.shape);
  const dtype = resultType(x1, x2);
  if (!dtype.isFloatingPoint) {
    throw new RuntimeError(
      `expected common dtype to be floating point, yet common dtype is ${SCALAR_TYPE_NAMES[dtype.name]}`,
    );
  }
  const unit = (x: Tensor) => {
    const spread = expand(to(x, dtype), shape);
    return div(spread, atLeast(vectorNorm(spread, 2, { dim, keepdim: true }), eps));
  };
  return sum(mul(unit(x1), unit(x2)), dim);
}

export interface PairwiseDistanceOptions {
  /** Exponent of the norm. Default 2. */
  p?: number;
  /** Added to the differences, which keeps the gradient at 0 finite. Default 1e-6. */
  eps?: number;
  /** Default false. */
  keepdim?: boolean;
}

/** |x1 - x2 + eps|_p along the last dimension. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.pairwise_distance.html */
export function pairwiseDistance(
  x1: Tensor,
  x2: Tensor,
  p?: number | PairwiseDistanceOptions,
  options?: PairwiseDistanceOptions,
): Tensor;
export function pairwiseDistance(...args: unknown[]): Tensor {
  const {
    x1,
    x2,
    p = 2,
    eps = 1e-6,
    keepdim = false,
  } = bind<{ x1: Tensor; x2: Tensor } & PairwiseDistanceOptions>(
    "pairwise_distance",
    ["!x1", "!x2", "p", "eps", "keepdim"],
    args,
  );
  assertTensor(x1, "pairwise_distance", "x1", 1);
  assertTensor(x2, "pairwise_distance", "x2", 2);
  return lastAxisNorm(add(sub(x1, x2), eps), p, keepdim);
}

export interface NormalizeOptions {
  /** Exponent of the norm. Default 2. */
  p?: number;
  /** Default 1. */
  dim?: number | readonly number[];
  /** Least norm. Default 1e-12. */
  eps?: number;
}

/** x / max(|x|_p, eps) along `dim`. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.normalize.html */
export function normalize(input: Tensor, options?: NormalizeOptions): Tensor;
export function normalize(...args: unknown[]): Tensor {
  const {
    input,
    p = 2,
    dim = 1,
    eps = 1e-12,
  } = bind<{ input: Tensor } & NormalizeOptions>("normalize", ["!input", "p", "dim", "eps"], args);
  assertTensor(input, "normalize", "input", 1);
  const norm = clamp(vectorNorm(input, p, { dim, keepdim: true }), eps);
  return div(input, expand(norm, input.shape));
}

/**
 * 1 - cos(input1, input2) where target is 1, max(0, cos - margin) where it is -1; reduced. Default margin 0.
 *
 * @param input1 [N, D] or [D]
 * @param target [N] or []
 * @see https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.cosine_embedding_loss.html
 */
export function cosineEmbeddingLoss(
  input1: Tensor,
  input2: Tensor,
  target: Tensor,
  options?: MarginLossOptions,
): Tensor;
export function cosineEmbeddingLoss(...args: unknown[]): Tensor {
  const {
    input1,
    input2,
    target,
    margin = 0,
    ...options
  } = bind<{ input1: Tensor; input2: Tensor; target: Tensor } & MarginLossOptions>(
    "cosine_embedding_loss",
    ["!input1", "!input2", "!target", "margin", "*", ...LOSS_PARAMS],
    args,
  );
  const reduction = readReduction(options);
  if (target.ndim > 1) throw new RuntimeError("0D or 1D target tensor expected, multi-target not supported");
  const wanted = target.ndim === 1 ? 2 : 1;
  if (input1.ndim !== wanted || input2.ndim !== wanted) {
    throw new RuntimeError(
      `${target.ndim}D target tensor expects ${wanted}D input tensors, but found inputs with sizes ${sizeText(input1.shape)} and ${sizeText(input2.shape)}.`,
      { shapes: [input1.shape, input2.shape] },
    );
  }
  const dim = wanted - 1;
  const epsilon = 1e-12;
  const dot = sum(mul(input1, input2), dim);
  const squares = (x: Tensor) => add(sum(mul(x, x), dim), epsilon);
  const cos = div(dot, sqrt(mul(squares(input1), squares(input2))));
  const near = where(eq(target, 1), sub(1, cos), 0);
  const far = where(eq(target, -1), hinge(sub(cos, margin)), 0);
  return reduceLoss(add(near, far), reduction);
}

export interface TripletMarginLossOptions extends LossOptions {
  /** By how much the negative has to be farther than the positive. Default 1. */
  margin?: number;
  /** Exponent of the norm. Default 2. */
  p?: number;
  /** Default 1e-6. */
  eps?: number;
  /** Takes the negative's distance to the positive where that is smaller. Default false. */
  swap?: boolean;
}

/** max(0, d(anchor, positive) - d(anchor, negative) + margin), reduced. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.triplet_margin_loss.html */
export function tripletMarginLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options?: TripletMarginLossOptions,
): Tensor;
export function tripletMarginLoss(...args: unknown[]): Tensor {
  const {
    anchor,
    positive,
    negative,
    margin = 1,
    p = 2,
    eps = 1e-6,
    swap = false,
    ...options
  } = bind<{ anchor: Tensor; positive: Tensor; negative: Tensor } & TripletMarginLossOptions>(
    "triplet_margin_loss",
    ["!anchor", "!positive", "!negative", "margin", "p", "eps", "swap", "*", ...LOSS_PARAMS],
    args,
  );
  const reduction = readReduction(options);
  const distance = (a: Tensor, b: Tensor) => pairwiseDistance(a, b, { p, eps });
  return triplet(anchor, positive, negative, { distance, margin, swap, reduction });
}

export interface TripletDistanceOptions extends ReductionOption {
  /** Default pairwiseDistance. */
  distanceFunction?: ((a: Tensor, b: Tensor) => Tensor) | null;
  /** Default 1. */
  margin?: number;
  /** Default false. */
  swap?: boolean;
}

/** As tripletMarginLoss with any distance. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.triplet_margin_with_distance_loss.html */
export function tripletMarginWithDistanceLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options?: TripletDistanceOptions,
): Tensor;
export function tripletMarginWithDistanceLoss(...args: unknown[]): Tensor {
  const {
    anchor,
    positive,
    negative,
    distanceFunction,
    margin = 1,
    swap = false,
    ...options
  } = bind<{ anchor: Tensor; positive: Tensor; negative: Tensor } & TripletDistanceOptions>(
    "triplet_margin_with_distance_loss",
    ["!anchor", "!positive", "!negative", "*", "distanceFunction", "margin", "swap", "reduction"],
    args,
  );
  const reduction = readReduction(options);
  const distance = distanceFunction ?? ((a: Tensor, b: Tensor) => pairwiseDistance(a, b));
  return triplet(anchor, positive, negative, { distance, margin, swap, reduction });
}

interface TripletAttrs {
  reduction: Reduction;
  distance: (a: Tensor, b: Tensor) => Tensor;
  margin: number;
  swap: boolean;
}

function triplet(anchor: Tensor, positive: Tensor, negative: Tensor, attrs: TripletAttrs): Tensor {
  const { distance, margin, swap, reduction } = attrs;
  if (margin <= 0) throw new ValueError(`margin must be greater than 0, got ${margin}`);
  if (anchor.ndim !== positive.ndim || anchor.ndim !== negative.ndim) {
    throw new RuntimeError(
      `The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: anchor ${anchor.ndim}D, positive ${positive.ndim}D, and negative ${negative.ndim}D inputs`,
    );
  }
  const near = distance(anchor, positive);
  const far = distance(anchor, negative);
  const farthest = swap ? minimum(far, distance(positive, negative)) : far;
  return reduceLoss(hinge(sub(add(near, margin), farthest)), reduction);
}

interface PdistAttrs {
  p: number;
}

/** How |d| changes the norm of which it is a part. */
export function pdistSlope(d: number, distance: number, p: number): number {
  if (p === 0 || distance === 0 || (d === 0 && p < 1)) return 0;
  if (p === 1) return Math.sign(d);
  if (p === 2) return d / distance;
  if (p === Number.POSITIVE_INFINITY) return Math.abs(d) === distance ? Math.sign(d) : 0;
  return Math.sign(d) * (Math.abs(d) / distance) ** (p - 1);
}

/** The p-norm of differences. */
export function normOf(differences: readonly number[], p: number): number {
  const sizes = differences.map(Math.abs);
  if (p === 0) return sizes.filter((size) => size !== 0).length;
  if (p === Number.POSITIVE_INFINITY) return Math.max(0, ...sizes);
  return sizes.reduce((total, size) => total + size ** p, 0) ** (1 / p);
}

/** Calls `visit` with the number of each pair of rows and their differences, column by column. */
function forEachPair(x: Tensor, visit: (pair: number, i: number, j: number, differences: number[]) => void): void {
  const [n, m] = x.shape as unknown as [number, number];
  const data = x.denseData();
  // Differences as the dtype has them, so that the largest is found again.
  const round = x.dtype.itemsize === 4 ? Math.fround : (value: number) => value;
  let pair = 0;
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      visit(
        pair++,
        i,
        j,
        Array.from({ length: m }, (_, k) => round(data[i * m + k]! - data[j * m + k]!)),
      );
    }
  }
}

const Pdist: Op<PdistAttrs> = defineOp({
  name: "_pdist_forward",
  gradFn: "PdistBackward0",
  kernels: [],
  forward(ctx, x: Tensor) {
    const n = x.shape[0]!;
    const out = Tensor.empty([Math.max(0, (n * (n - 1)) / 2)], x.dtype);
    forEachPair(x, (pair, _i, _j, differences) => {
      out.storage.data[pair] = normOf(differences, ctx.attrs.p);
    });
    ctx.save(x, out);
    return out;
  },
  backward: ({ attrs, saved: [x, distances] }, grad: Tensor) => [call(PdistGrad, attrs, grad, x!, distances!)],
});

const PdistGrad: Op<PdistAttrs> = defineOp({
  name: "_pdist_backward",
  gradFn: "PdistBackwardBackward0",
  kernels: [],
  forward({ attrs: { p } }, grad: Tensor, x: Tensor, distances: Tensor) {
    const m = x.shape[1]!;
    const out = filled(x.shape, 0, x.dtype);
    const to = out.storage.data;
    const incoming = grad.denseData();
    const distance = distances.denseData();
    forEachPair(x, (pair, i, j, differences) => {
      differences.forEach((d, k) => {
        const share = incoming[pair]! * pdistSlope(d, distance[pair]!, p);
        to[i * m + k]! += share;
        to[j * m + k]! -= share;
      });
    });
    return out;
  },
});

/**
 * The p-norm distance of every pair of rows: [N, M] → [N·(N - 1) / 2]. Default p = 2.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.pdist.html
 */
export function pdist(input: Tensor, p?: number | { p?: number }): Tensor;
export function pdist(...args: unknown[]): Tensor {
  const { input, p = 2 } = bind<{ input: Tensor; p?: number }>("pdist", ["!input", "p"], args);
  assertTensor(input, "pdist", "input", 1);
  if (input.ndim !== 2) {
    throw new RuntimeError(`pdist only supports 2D tensors, got: ${input.ndim}D`, { shapes: [input.shape] });
  }
  if (!input.dtype.isFloatingPoint) throw new RuntimeError("pdist only supports floating-point dtypes");
  if (!(p >= 0)) throw new RuntimeError("pdist only supports non-negative p values");
  return call(Pdist, { p }, input);
}
