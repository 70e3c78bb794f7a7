/** Embeddings. https://docs.pytorch.org/docs/2.13/nn.html#sparse-layers */
import { noGrad } from "../autograd/mode.ts";
import { bind } from "../core/arguments.ts";
import { AssertionError } from "../core/errors.ts";
import { sameShape } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";
import { emptyParameter, type FactoryOptions } from "./factory.ts";
import * as F from "./functional.ts";
import { normal_ } from "./init.ts";
import { Module } from "./module.ts";
import { assertComparable, assertTensor } from "./operands.ts";
import { Parameter } from "./parameter.ts";
import { numberText } from "./text.ts";

export interface EmbeddingLayerOptions extends FactoryOptions {
  /** A row that starts as zeros and is not learned. Default null. */
  paddingIdx?: number | null;
  /** Longer rows are shortened to this norm when they are used. Default null. */
  maxNorm?: number | null;
  /** Which norm. Default 2. */
  normType?: number;
  /** Divides a row's gradient by how often it was used. Default false. */
  scaleGradByFreq?: boolean;
  /** Accepted, and shown: gradients here are dense. Default false. */
  sparse?: boolean;
  /** The rows, instead of new ones. Default null. */
  _weight?: Tensor | null;
  /** Whether the rows are not learned. Default false. */
  _freeze?: boolean;
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
  readonly sparse: boolean;
  declare weight: Parameter;

  constructor(numEmbeddings: number, embeddingDim: number, options?: EmbeddingLayerOptions);
  constructor(options: EmbeddingSizes & EmbeddingLayerOptions);
  constructor(...args: unknown[]) {
    super();
    const given = bind<EmbeddingSizes & EmbeddingLayerOptions>(
      "Embedding.__init__",
      [
        "!numEmbeddings",
        "!embeddingDim",
        "paddingIdx",
        "maxNorm",
        "normType",
        "scaleGradByFreq",
        "sparse",
        "_weight",
        "_freeze",
        "device",
        "dtype",
      ],
      args,
    );
    const { numEmbeddings, embeddingDim, paddingIdx = null, maxNorm = null, normType = 2, device, dtype } = given;
    this.numEmbeddings = numEmbeddings;
    this.embeddingDim = embeddingDim;
    this.paddingIdx = paddingRow("Padding_idx", paddingIdx, numEmbeddings);
    this.maxNorm = maxNorm;
    this.normType = normType;
    this.scaleGradByFreq = given.scaleGradByFreq ?? false;
    this.sparse = given.sparse ?? false;
    if (given._weight) this.weight = givenRows(given._weight, numEmbeddings, embeddingDim);
    else {
      this.weight = emptyParameter([numEmbeddings, embeddingDim], { device, dtype });
      this.resetParameters();
    }
    this.weight.requiresGrad = !given._freeze;
  }

  /**
   * An Embedding with these rows, [numEmbeddings, embeddingDim], over the same storage; they are not learned unless
   * `freeze` is false.
   */
  static fromPretrained(embeddings: Tensor, options?: PretrainedOptions<EmbeddingLayerOptions>): Embedding;
  static fromPretrained(...args: unknown[]): Embedding {
    const {
      embeddings,
      freeze = true,
      ...options
    } = bind<{ embeddings: Tensor } & PretrainedOptions<EmbeddingLayerOptions>>(
      "Embedding.from_pretrained",
      ["!embeddings", "freeze", "paddingIdx", "maxNorm", "normType", "scaleGradByFreq", "sparse"],
      args,
    );
    const [numEmbeddings, embeddingDim] = sizesOf(embeddings);
    return new Embedding({ numEmbeddings, embeddingDim, ...options, _weight: embeddings, _freeze: freeze });
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
    if (this.maxNorm !== null) parts.push(`max_norm=${numberText(this.maxNorm)}`);
    if (this.normType !== 2) parts.push(`norm_type=${numberText(this.normType)}`);
    if (this.scaleGradByFreq) parts.push("scale_grad_by_freq=True");
    if (this.sparse) parts.push("sparse=True");
    return parts.join(", ");
  }
}

/** What `fromPretrained` accepts: everything but how new rows are made. */
type PretrainedOptions<Options> = Omit<Options, "_weight" | "_freeze" | keyof FactoryOptions> & {
  /** Whether the rows are not learned. Default true. */
  freeze?: boolean;
};

function sizesOf(embeddings: Tensor): [rows: number, width: number] {
  assertTensor(embeddings, "dim");
  if (embeddings.ndim !== 2) throw new AssertionError("Embeddings parameter is expected to be 2-dimensional");
  return embeddings.shape as unknown as [number, number];
}

/** The padding row from 0 on. @throws AssertionError where there is no such row */
function paddingRow(name: string, paddingIdx: number | null, rows: number): number | null {
  if (paddingIdx === null) return null;
  assertComparable(paddingIdx, ">", 0);
  if (paddingIdx > 0 ? paddingIdx >= rows : paddingIdx < -rows) {
    throw new AssertionError(`${name} must be within num_embeddings`);
  }
  return paddingIdx < 0 ? rows + paddingIdx : paddingIdx;
}

function givenRows(weight: Tensor, rows: number, width: number): Parameter {
  if (!sameShape(weight.shape, [rows, width])) {
    throw new AssertionError("Shape of weight does not match num_embeddings and embedding_dim");
  }
  return new Parameter(weight);
}

export interface EmbeddingBagLayerOptions extends Omit<EmbeddingLayerOptions, "_freeze"> {
  /** How the rows of a bag become one. Default "mean". */
  mode?: F.EmbeddingBagMode;
  /** Whether the last offset is the end of the last bag. Default false. */
  includeLastOffset?: boolean;
}

/** What an EmbeddingBag is called with besides the indices. */
export type EmbeddingBagInputs = Pick<F.EmbeddingBagOptions, "offsets" | "perSampleWeights">;

/**
 * Looks bags of rows up and makes one row of each: their sum, mean or maximum. Shapes: input [B, L], or [K] with the
 * starts of the bags [B]; output [B, embeddingDim]; weight [numEmbeddings, embeddingDim], which starts standard normal.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.EmbeddingBag.html
 */
export class EmbeddingBag extends Module {
  readonly numEmbeddings: number;
  readonly embeddingDim: number;
  readonly maxNorm: number | null;
  readonly normType: number;
  readonly scaleGradByFreq: boolean;
  readonly mode: F.EmbeddingBagMode;
  readonly sparse: boolean;
  readonly includeLastOffset: boolean;
  readonly paddingIdx: number | null;
  declare weight: Parameter;

  constructor(numEmbeddings: number, embeddingDim: number, options?: EmbeddingBagLayerOptions);
  constructor(options: EmbeddingSizes & EmbeddingBagLayerOptions);
  constructor(...args: unknown[]) {
    super();
    const given = bind<EmbeddingSizes & EmbeddingBagLayerOptions>(
      "EmbeddingBag.__init__",
      [
        "!numEmbeddings",
        "!embeddingDim",
        "maxNorm",
        "normType",
        "scaleGradByFreq",
        "mode",
        "sparse",
        "_weight",
        "includeLastOffset",
        "paddingIdx",
        "device",
        "dtype",
      ],
      args,
    );
    const { numEmbeddings, embeddingDim, maxNorm = null, normType = 2, mode = "mean", device, dtype } = given;
    this.numEmbeddings = numEmbeddings;
    this.embeddingDim = embeddingDim;
    this.maxNorm = maxNorm;
    this.normType = normType;
    this.scaleGradByFreq = given.scaleGradByFreq ?? false;
    this.paddingIdx = paddingRow("padding_idx", given.paddingIdx ?? null, numEmbeddings);
    this.mode = mode;
    this.sparse = given.sparse ?? false;
    this.includeLastOffset = given.includeLastOffset ?? false;
    if (given._weight) this.weight = givenRows(given._weight, numEmbeddings, embeddingDim);
    else {
      this.weight = emptyParameter([numEmbeddings, embeddingDim], { device, dtype });
      this.resetParameters();
    }
  }

  /** An EmbeddingBag with these rows, over the same storage; they are not learned unless `freeze` is false. */
  static fromPretrained(embeddings: Tensor, options?: PretrainedOptions<EmbeddingBagLayerOptions>): EmbeddingBag;
  static fromPretrained(...args: unknown[]): EmbeddingBag {
    const {
      embeddings,
      freeze = true,
      ...options
    } = bind<{ embeddings: Tensor } & PretrainedOptions<EmbeddingBagLayerOptions>>(
      "EmbeddingBag.from_pretrained",
      [
        "!embeddings",
        "freeze",
        "maxNorm",
        "normType",
        "scaleGradByFreq",
        "mode",
        "sparse",
        "includeLastOffset",
        "paddingIdx",
      ],
      args,
    );
    const [numEmbeddings, embeddingDim] = sizesOf(embeddings);
    const bag = new EmbeddingBag({ numEmbeddings, embeddingDim, ...options, _weight: embeddings });
    bag.weight.requiresGrad = !freeze;
    return bag;
  }

  /** Draws the rows anew; the padding row is zeros. */
  resetParameters(): void {
    normal_(this.weight);
    const { paddingIdx } = this;
    if (paddingIdx !== null) noGrad(() => this.weight.get(paddingIdx).fill_(0));
  }

  override forward(
    input: Tensor,
    offsets?: Tensor | null | EmbeddingBagInputs,
    perSampleWeights?: Tensor | null,
  ): Tensor;
  override forward(...args: unknown[]): Tensor {
    const { input, ...inputs } = bind<{ input: Tensor } & EmbeddingBagInputs>(
      "EmbeddingBag.forward",
      ["!input", "offsets", "perSampleWeights"],
      args,
    );
    const { maxNorm, normType, scaleGradByFreq, mode, sparse, includeLastOffset, paddingIdx } = this;
    const options = { maxNorm, normType, scaleGradByFreq, mode, sparse, includeLastOffset, paddingIdx };
    return F.embeddingBag(input, this.weight, { ...options, ...inputs });
  }

  override extraRepr(): string {
    const parts = [`${this.numEmbeddings}, ${this.embeddingDim}`];
    if (this.maxNorm !== null) parts.push(`max_norm=${numberText(this.maxNorm)}`);
    if (this.normType !== 2) parts.push(`norm_type=${numberText(this.normType)}`);
    if (this.scaleGradByFreq) parts.push("scale_grad_by_freq=True");
    parts.push(`mode='${this.mode}'`);
    if (this.paddingIdx !== null) parts.push(`padding_idx=${this.paddingIdx}`);
    return parts.join(", ");
  }
}
