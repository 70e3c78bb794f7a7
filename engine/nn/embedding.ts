/** Embeddings. https://docs.pytorch.org/docs/2.13/nn.html#sparse-layers */
import { noGrad } from "../autograd/mode.ts";
import { bind } from "../core/arguments.ts";
import { AssertionError } from "../core/errors.ts";
import { numberRepr } from "../core/number_text.ts";
import type { Tensor } from "../core/tensor.ts";
import { emptyParameter, type FactoryOptions } from "./factory.ts";
import * as F from "./functional.ts";
import { normal_ } from "./init.ts";
import { Module } from "./module.ts";
import type { Parameter } from "./parameter.ts";

export interface EmbeddingLayerOptions extends FactoryOptions {
  /** A row that starts as zeros and is not learned. Default null. */
  paddingIdx?: number | null;
  /** Longer rows are shortened to this norm when they are used. Default null. */
  maxNorm?: number | null;
  /** Which norm. Default 2. */
  normType?: number;
  /** Divides a row's gradient by how often it was used. Default false. */
  scaleGradByFreq?: boolean;
}

interface EmbeddingSizes {
  numEmbeddings: number;
  embeddingDim: number;
}

/**
 * Looks rows up by their numbers. Shapes: input [*] of integers, output [*, embeddingDim]; weight
 * [numEmbeddings, embeddingDim], which starts standard normal.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Embedding.html
 */
export class Embedding extends Module {
  readonly numEmbeddings: number;
  readonly embeddingDim: number;
  readonly paddingIdx: number | null;
  readonly maxNorm: number | null;
  readonly normType: number;
  readonly scaleGradByFreq: boolean;
  declare weight: Parameter;

  constructor(numEmbeddings: number, embeddingDim: number, options?: EmbeddingLayerOptions);
  constructor(options: EmbeddingSizes & EmbeddingLayerOptions);
  constructor(...args: unknown[]) {
    super();
    const given = bind<EmbeddingSizes & EmbeddingLayerOptions>(
      "Embedding.__init__",
      ["!numEmbeddings", "!embeddingDim", "paddingIdx", "maxNorm", "normType", "scaleGradByFreq", "device", "dtype"],
      args,
    );
    const { numEmbeddings, embeddingDim, paddingIdx = null, maxNorm = null, normType = 2, device, dtype } = given;
    if (paddingIdx !== null && (paddingIdx >= numEmbeddings || paddingIdx < -numEmbeddings)) {
      throw new AssertionError("Padding_idx must be within num_embeddings");
    }
    this.numEmbeddings = numEmbeddings;
    this.embeddingDim = embeddingDim;
    this.paddingIdx = paddingIdx !== null && paddingIdx < 0 ? numEmbeddings + paddingIdx : paddingIdx;
    this.maxNorm = maxNorm;
    this.normType = normType;
    this.scaleGradByFreq = given.scaleGradByFreq ?? false;
    this.weight = emptyParameter([numEmbeddings, embeddingDim], { device, dtype });
    this.resetParameters();
  }

  /** Draws the rows anew; the padding row is zeros. */
  resetParameters(): void {
    normal_(this.weight);
    const { paddingIdx } = this;
    if (paddingIdx !== null) noGrad(() => this.weight.get(paddingIdx).fill_(0));
  }

  override forward(input: Tensor): Tensor {
    const { paddingIdx, maxNorm, normType, scaleGradByFreq } = this;
    return F.embedding(input, this.weight, { paddingIdx, maxNorm, normType, scaleGradByFreq });
  }

  override extraRepr(): string {
    const parts = [`${this.numEmbeddings}, ${this.embeddingDim}`];
    if (this.paddingIdx !== null) parts.push(`padding_idx=${this.paddingIdx}`);
    if (this.maxNorm !== null) parts.push(`max_norm=${numberRepr(this.maxNorm)}`);
    if (this.normType !== 2) parts.push(`norm_type=${numberRepr(this.normType)}`);
    if (this.scaleGradByFreq) parts.push("scale_grad_by_freq=True");
    return parts.join(", ");
  }
}
