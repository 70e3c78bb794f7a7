/** Distances between vectors. https://docs.pytorch.org/docs/2.13/nn.html#distance-functions */
import { bind } from "../core/arguments.ts";
import type { Tensor } from "../core/tensor.ts";
import * as F from "./functional.ts";
import { Module } from "./module.ts";

export interface PairwiseDistanceLayerOptions {
  /** Which norm. Default 2. */
  p?: number;
  /** Added to the difference, against division by 0. Default 1e-6. */
  eps?: number;
  /** Keeps the last axis, with size 1. Default false. */
  keepdim?: boolean;
}

/**
 * The norm of x1 - x2 along the last axis. Shapes: inputs [N, D] or [D], output [N] or [].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.PairwiseDistance.html
 */
export class PairwiseDistance extends Module {
  readonly norm: number;
  readonly eps: number;
  readonly keepdim: boolean;

  constructor(p: number, options?: Omit<PairwiseDistanceLayerOptions, "p">);
  constructor(options?: PairwiseDistanceLayerOptions);
  constructor(...args: unknown[]) {
    super();
    const {
      p = 2,
      eps = 1e-6,
      keepdim = false,
    } = bind<PairwiseDistanceLayerOptions>("PairwiseDistance.__init__", ["p", "eps", "keepdim"], args);
    this.norm = p;
    this.eps = eps;
    this.keepdim = keepdim;
  }

  override forward(x1: Tensor, x2: Tensor): Tensor {
    return F.pairwiseDistance(x1, x2, { p: this.norm, eps: this.eps, keepdim: this.keepdim });
  }
}

export interface CosineSimilarityLayerOptions {
  /** Along which axis the vectors lie. Default 1. */
  dim?: number;
  /** Smallest norm to divide by. Default 1e-8. */
  eps?: number;
}

/**
 * x1 · x2 / (‖x1‖ ‖x2‖) along one axis. Shapes: inputs [*, D, *], output without that axis.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.CosineSimilarity.html
 */
export class CosineSimilarity extends Module {
  readonly dim: number;
  readonly eps: number;

  constructor(dim: number, options?: Omit<CosineSimilarityLayerOptions, "dim">);
  constructor(options?: CosineSimilarityLayerOptions);
  constructor(...args: unknown[]) {
    super();
    const { dim = 1, eps = 1e-8 } = bind<CosineSimilarityLayerOptions>(
      "CosineSimilarity.__init__",
      ["dim", "eps"],
      args,
    );
    this.dim = dim;
    this.eps = eps;
  }

  override forward(x1: Tensor, x2: Tensor): Tensor {
    return F.cosineSimilarity(x1, x2, { dim: this.dim, eps: this.eps });
  }
}
