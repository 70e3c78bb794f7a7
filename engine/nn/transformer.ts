/** The transformer of "Attention Is All You Need". https://docs.pytorch.org/docs/2.13/nn.html#transformer-layers */
import { bind } from "../core/arguments.ts";
import type { Device } from "../core/device.ts";
import type { DType } from "../core/dtype.ts";
import { RuntimeError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import { xavierUniform_ } from "./init.ts";
import { LayerNorm } from "./layer_norm.ts";
import { Module } from "./module.ts";
import { TransformerDecoderLayer, TransformerEncoderLayer, type TransformerLayerOptions } from "./transformer_layer.ts";
import { squareSubsequentMask, TransformerDecoder, TransformerEncoder } from "./transformer_stack.ts";

export interface TransformerOptions extends TransformerLayerOptions {
  /** Number of features. Default 512. */
  dModel?: number;
  /** Number of heads. Default 8. */
  nhead?: number;
  /** Default 6. */
  numEncoderLayers?: number;
  /** Default 6. */
  numDecoderLayers?: number;
  /** In the place of the encoder. Default null. */
  customEncoder?: Module | null;
  /** In the place of the decoder. Default null. */
  customDecoder?: Module | null;
}

export interface TransformerCallOptions {
  /** [S, S] or [N·nhead, S, S]: true where attention is not allowed, or floats that are added. Default null. */
  srcMask?: Tensor | null;
  /** [T, T] or [N·nhead, T, T], as srcMask. Default null. */
  tgtMask?: Tensor | null;
  /** [T, S], as srcMask, for the attention to the encoder's output. Default null. */
  memoryMask?: Tensor | null;
  /** [N, S]: true for steps to leave out. Default null. */
  srcKeyPaddingMask?: Tensor | null;
  /** [N, T]: true for steps to leave out. Default null. */
  tgtKeyPaddingMask?: Tensor | null;
  /** [N, S]: true for steps of the encoder's output to leave out. Default null. */
  memoryKeyPaddingMask?: Tensor | null;
  /** Says that srcMask is the causal one; null finds out. Default null. */
  srcIsCausal?: boolean | null;
  /** Says that tgtMask is the causal one; null finds out. Default null. */
  tgtIsCausal?: boolean | null;
  /** Says that memoryMask is the causal one. Default false. */
  memoryIsCausal?: boolean;
}

/**
 * An encoder and a decoder. Matrices start by `init.xavierUniform_`.
 *
 * Shapes: src [S, N, dModel], tgt [T, N, dModel] (with `batchFirst` [N, S, dModel], without a batch [S, dModel]); output
 * as tgt.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Transformer.html
 * @throws RuntimeError where batch or features of src and tgt do not agree
 */
export class Transformer extends Module {
  readonly dModel: number;
  readonly nhead: number;
  readonly batchFirst: boolean;
  declare encoder: Module;
  declare decoder: Module;

  constructor(dModel: number, nhead: number, options?: Omit<TransformerOptions, "dModel" | "nhead">);
  constructor(dModel: number, options?: Omit<TransformerOptions, "dModel">);
  constructor(options?: TransformerOptions);
  constructor(...args: unknown[]) {
    super();
    const given = bind<TransformerOptions>(
      "Transformer.__init__",
      [
        "dModel",
        "nhead",
        "numEncoderLayers",
        "numDecoderLayers",
        "dimFeedforward",
        "dropout",
        "activation",
        "customEncoder",
        "customDecoder",
        "layerNormEps",
        "batchFirst",
        "normFirst",
        "bias",
        "device",
        "dtype",
      ],
      args,
    );
    const { dModel = 512, nhead = 8, numEncoderLayers = 6, numDecoderLayers = 6, ...rest } = given;
    const { customEncoder = null, customDecoder = null, ...layer } = rest;
    const { layerNormEps: eps, bias, device, dtype } = layer;
    const norm = () => new LayerNorm(dModel, { eps, bias, device, dtype });
    const encoder = () => {
      const one = new TransformerEncoderLayer(dModel, nhead, layer);
      return new TransformerEncoder(one, numEncoderLayers, { norm: norm() });
    };
    const decoder = () => {
      const one = new TransformerDecoderLayer(dModel, nhead, layer);
      return new TransformerDecoder(one, numDecoderLayers, { norm: norm() });
    };
    this.encoder = customEncoder ?? encoder();
    this.decoder = customDecoder ?? decoder();
    for (const parameter of this.parameters()) if (parameter.ndim > 1) xavierUniform_(parameter);
    this.dModel = dModel;
    this.nhead = nhead;
    this.batchFirst = layer.batchFirst ?? false;
  }

  override forward(src: Tensor, tgt: Tensor, options?: TransformerCallOptions): Tensor;
  override forward(...args: unknown[]): Tensor {
    const { src, tgt, ...given } = bind<{ src: Tensor; tgt: Tensor } & TransformerCallOptions>(
      "Transformer.forward",
      [
        "!src",
        "!tgt",
        "srcMask",
        "tgtMask",
        "memoryMask",
        "srcKeyPaddingMask",
        "tgtKeyPaddingMask",
        "memoryKeyPaddingMask",
        "srcIsCausal",
        "tgtIsCausal",
        "memoryIsCausal",
      ],
      args,
    );
    const batchDim = this.batchFirst ? 0 : 1;
    if (src.size(batchDim) !== tgt.size(batchDim) && src.ndim === 3) {
      throw new RuntimeError("the batch number of src and tgt must be equal", { shapes: [src.shape, tgt.shape] });
    }
    if (src.shape.at(-1) !== this.dModel || tgt.shape.at(-1) !== this.dModel) {
      throw new RuntimeError("the feature number of src and tgt must be equal to d_model", {
        shapes: [src.shape, tgt.shape],
      });
    }
    const { srcMask: mask, srcKeyPaddingMask, srcIsCausal: isCausal, ...ofDecoder } = given;
    const memory: Tensor = this.encoder(src, { mask, srcKeyPaddingMask, isCausal });
    return this.decoder(tgt, memory, ofDecoder);
  }

  /** [size, size]: -Infinity above the diagonal, 0 elsewhere, so that no step sees a later one. */
  static generateSquareSubsequentMask(
    size: number,
    { device, dtype }: { device?: Device | string | null; dtype?: DType | null } = {},
  ): Tensor {
    return squareSubsequentMask(size, device, dtype);
  }
}
