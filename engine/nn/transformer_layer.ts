/** The layers that transformers are stacked of. https://docs.pytorch.org/docs/2.13/nn.html#transformer-layers */
import { isGradEnabled } from "../autograd/mode.ts";
import { bind } from "../core/arguments.ts";
import { RuntimeError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import { gelu } from "../ops/activation.ts";
import { ne } from "../ops/comparison.ts";
import { canonicalMask } from "../ops/multi_head_attention.ts";
import { relu } from "../ops/pointwise.ts";
import { ReLU } from "./activation.ts";
import { GELU } from "./activation_gated.ts";
import { type AttentionCallOptions, MultiheadAttention } from "./attention.ts";
import { Dropout } from "./dropout.ts";
import type { FactoryOptions } from "./factory.ts";
import { hasHooks } from "./hooks.ts";
import { LayerNorm } from "./layer_norm.ts";
import { Linear } from "./linear.ts";
import { Module } from "./module.ts";
import { assertTensor } from "./operands.ts";
import { stateOf } from "./state.ts";

/** "relu", "gelu", a function or a layer. */
export type Activation = "relu" | "gelu" | ((input: Tensor) => Tensor) | Module;

export interface TransformerLayerOptions extends FactoryOptions {
  /** Number of features between the two linear layers. Default 2048. */
  dimFeedforward?: number;
  /** Probability of dropping an element, in training. Default 0.1. */
  dropout?: number;
  /** Between the two linear layers. Default "relu". */
  activation?: Activation;
  /** Added to the variance by the normalisations. Default 1e-5. */
  layerNormEps?: number;
  /** Inputs and output are [N, L, E] instead of [L, N, E]. Default false. */
  batchFirst?: boolean;
  /** Normalises before each part instead of after it. Default false. */
  normFirst?: boolean;
  /** Whether the linear layers and normalisations have biases. Default true. */
  bias?: boolean;
}

interface LayerSizes {
  /** Number of features. */
  dModel: number;
  /** Number of heads. */
  nhead: number;
}

const LAYER_PARAMETERS = [
  "!dModel",
  "!nhead",
  "dimFeedforward",
  "dropout",
  "activation",
  "layerNormEps",
  "batchFirst",
  "normFirst",
  "bias",
  "device",
  "dtype",
];

/** A layer is callable as a function is. */
type ActivationFunction = ((input: Tensor) => Tensor) | Module;

function activationOf(activation: Activation): ActivationFunction {
  if (typeof activation !== "string") return activation;
  if (activation === "relu") return relu;
  if (activation === "gelu") return gelu;
  throw new RuntimeError(`activation should be relu/gelu, not ${activation}`);
}

/** What encoder and decoder layers have in common. */
abstract class TransformerLayer extends Module {
  readonly normFirst: boolean;
  declare linear1: Linear;
  declare linear2: Linear;
  /** Between the linear layers; a module of its own, as `dropout1` and so on. */
  declare dropout: Dropout;
  declare norm1: LayerNorm;
  declare norm2: LayerNorm;
  declare dropout1: Dropout;
  declare dropout2: Dropout;
  declare activation: ActivationFunction;

  constructor(kind: "TransformerEncoderLayer" | "TransformerDecoderLayer", args: unknown[]) {
    super();
    const given = bind<LayerSizes & TransformerLayerOptions>(`${kind}.__init__`, LAYER_PARAMETERS, args);
    const { dModel, nhead, dimFeedforward = 2048, dropout = 0.1, activation = relu, layerNormEps = 1e-5 } = given;
    const { batchFirst = false, normFirst = false, bias = true, device, dtype } = given;
    const attention = () => new MultiheadAttention(dModel, nhead, { dropout, bias, batchFirst, device, dtype });
    const parts = kind === "TransformerEncoderLayer" ? [1, 2] : [1, 2, 3];
    this.registerModule("self_attn", attention());
    if (kind === "TransformerDecoderLayer") this.registerModule("multihead_attn", attention());
    this.linear1 = new Linear(dModel, dimFeedforward, { bias, device, dtype });
    this.dropout = new Dropout(dropout);
    this.linear2 = new Linear(dimFeedforward, dModel, { bias, device, dtype });
    this.normFirst = normFirst;
    for (const part of parts) {
      this.registerModule(`norm${part}`, new LayerNorm(dModel, { eps: layerNormEps, bias, device, dtype }));
    }
    for (const part of parts) this.registerModule(`dropout${part}`, new Dropout(dropout));
    this.activation = activationOf(activation);
  }

  /** The attention of the sequence to itself. */
  get selfAttn(): MultiheadAttention {
    return this.getSubmodule("self_attn") as MultiheadAttention;
  }

  /** A part with its residual connection and its normalisation, before or after. */
  protected residual(x: Tensor, norm: LayerNorm, part: (x: Tensor) => Tensor): Tensor {
    return this.normFirst ? x.add(part(norm(x))) : norm(x.add(part(x)));
  }

  protected feedForward(x: Tensor, last: Dropout): Tensor {
    const hidden: Tensor = this.activation(this.linear1(x));
    return last(this.linear2(this.dropout(hidden)));
  }
}

export interface EncoderLayerCallOptions {
  /** [L, L] or [N·nhead, L, L]: true where attention is not allowed, or floats that are added. Default null. */
  srcMask?: Tensor | null;
  /** [N, L]: true for steps to leave out. Default null. */
  srcKeyPaddingMask?: Tensor | null;
  /** Says that srcMask is the causal one. Default false. */
  isCausal?: boolean;
}

/**
 * Self-attention and two linear layers, each with residual connection, dropout and normalisation.
 *
 * Shapes: src [L, N, dModel] (with `batchFirst` [N, L, dModel], without a batch [L, dModel]), output the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.TransformerEncoderLayer.html
 */
export class TransformerEncoderLayer extends TransformerLayer {
  constructor(dModel: number, nhead: number, options?: TransformerLayerOptions);
  constructor(options: LayerSizes & TransformerLayerOptions);
  constructor(...args: unknown[]) {
    super("TransformerEncoderLayer", args);
  }

  /** Which of the activations that PyTorch's inference kernel knows it has: 1 relu, 2 gelu, 0 another. */
  get activationReluOrGelu(): 0 | 1 | 2 {
    const { activation } = this;
    if (activation === relu || activation instanceof ReLU) return 1;
    return activation === gelu || activation instanceof GELU ? 2 : 0;
  }

  override forward(src: Tensor, options?: EncoderLayerCallOptions): Tensor;
  override forward(...args: unknown[]): Tensor {
    const given = bind<{ src: Tensor } & EncoderLayerCallOptions>(
      "TransformerEncoderLayer.forward",
      ["!src", "srcMask", "srcKeyPaddingMask", "isCausal"],
      args,
    );
    const { src, srcMask = null, srcKeyPaddingMask = null, isCausal = false } = given;
    assertTensor(src, "dtype");
    const keyPaddingMask = canonicalMask(srcKeyPaddingMask, "src_key_padding_mask", src.dtype, {
      name: "src_mask",
      mask: srcMask,
    });
    const attnMask = canonicalMask(srcMask, "src_mask", src.dtype);
    // PyTorch's inference kernel only knows masks of truth values, and no hint.
    const masks: AttentionCallOptions = this.isFast(src)
      ? { attnMask: attnMask && ne(attnMask, 0), keyPaddingMask: keyPaddingMask && ne(keyPaddingMask, 0) }
      : { attnMask, keyPaddingMask, isCausal };
    const attended = this.residual(src, this.norm1, (x) => {
      return this.dropout1(this.selfAttn(x, x, x, { ...masks, needWeights: false })[0]);
    });
    return this.residual(attended, this.norm2, (x) => this.feedForward(x, this.dropout2));
  }

  private isFast(src: Tensor): boolean {
    const { selfAttn, norm1, norm2 } = this;
    if (src.ndim !== 3 || this.training || !selfAttn.batchFirst || !selfAttn.inProjBias || !selfAttn.inProjWeight) {
      return false;
    }
    if (!this.activationReluOrGelu || norm1.eps !== norm2.eps || selfAttn.numHeads % 2 === 1) return false;
    for (const module of this.modules()) if (hasHooks(stateOf(module).hooks)) return false;
    return !needsGrad(src, this);
  }
}

/** Whether the inference kernel is out of the question because a gradient is asked for. */
export function needsGrad(src: Tensor, layer: TransformerEncoderLayer): boolean {
  return isGradEnabled() && (src.requiresGrad || [...layer.parameters()].some((parameter) => parameter.requiresGrad));
}

export interface DecoderLayerCallOptions {
  /** [L, L] or [N·nhead, L, L]: true where attention is not allowed, or floats that are added. Default null. */
  tgtMask?: Tensor | null;
  /** [L, S], as tgtMask, for the attention to the memory. Default null. */
  memoryMask?: Tensor | null;
  /** [N, L]: true for steps to leave out. Default null. */
  tgtKeyPaddingMask?: Tensor | null;
  /** [N, S]: true for steps of the memory to leave out. Default null. */
  memoryKeyPaddingMask?: Tensor | null;
  /** Says that tgtMask is the causal one. Default false. */
  tgtIsCausal?: boolean;
  /** Says that memoryMask is the causal one. Default false. */
  memoryIsCausal?: boolean;
}

/**
 * Self-attention, attention to the memory (the encoder's output) and two linear layers, each with residual connection,
 * dropout and normalisation.
 *
 * Shapes: tgt [L, N, dModel], memory [S, N, dModel] (with `batchFirst` [N, L, dModel], without a batch [L, dModel]);
 * output as tgt.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.TransformerDecoderLayer.html
 */
export class TransformerDecoderLayer extends TransformerLayer {
  declare norm3: LayerNorm;
  declare dropout3: Dropout;

  constructor(dModel: number, nhead: number, options?: TransformerLayerOptions);
  constructor(options: LayerSizes & TransformerLayerOptions);
  constructor(...args: unknown[]) {
    super("TransformerDecoderLayer", args);
  }

  /** The attention to the memory. */
  get multiheadAttn(): MultiheadAttention {
    return this.getSubmodule("multihead_attn") as MultiheadAttention;
  }

  override forward(tgt: Tensor, memory: Tensor, options?: DecoderLayerCallOptions): Tensor;
  override forward(...args: unknown[]): Tensor {
    const { tgt, memory, ...given } = bind<{ tgt: Tensor; memory: Tensor } & DecoderLayerCallOptions>(
      "TransformerDecoderLayer.forward",
      [
        "!tgt",
        "!memory",
        "tgtMask",
        "memoryMask",
        "tgtKeyPaddingMask",
        "memoryKeyPaddingMask",
        "tgtIsCausal",
        "memoryIsCausal",
      ],
      args,
    );
    const own: AttentionCallOptions = {
      attnMask: given.tgtMask,
      keyPaddingMask: given.tgtKeyPaddingMask,
      isCausal: given.tgtIsCausal,
      needWeights: false,
    };
    const other: AttentionCallOptions = {
      attnMask: given.memoryMask,
      keyPaddingMask: given.memoryKeyPaddingMask,
      isCausal: given.memoryIsCausal,
      needWeights: false,
    };
    const seen = this.residual(tgt, this.norm1, (x) => this.dropout1(this.selfAttn(x, x, x, own)[0]));
    const attended = this.residual(seen, this.norm2, (x) => {
      return this.dropout2(this.multiheadAttn(x, memory, memory, other)[0]);
    });
    return this.residual(attended, this.norm3, (x) => this.feedForward(x, this.dropout3));
  }
}
