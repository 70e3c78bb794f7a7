/** Stacks of transformer layers. https://docs.pytorch.org/docs/2.13/nn.html#transformer-layers */
import { bind } from "../core/arguments.ts";
import type { Device } from "../core/device.ts";
import { type DType, int64 } from "../core/dtype.ts";
import { TypeError } from "../core/errors.ts";
import { pythonTypeName, type Tensor } from "../core/tensor.ts";
import { warn } from "../core/warnings.ts";
import { where } from "../ops/arithmetic.ts";
import { eq, ge } from "../ops/comparison.ts";
import { arange, full } from "../ops/creation.ts";
import { triu } from "../ops/joining.ts";
import { canonicalMask } from "../ops/multi_head_attention.ts";
import { unsqueeze } from "../ops/view.ts";
import { cloneModule } from "./clone.ts";
import { ModuleList } from "./containers.ts";
import { Module } from "./module.ts";
import { notModule } from "./registration.ts";
import {
  type DecoderLayerCallOptions,
  needsGrad,
  type TransformerDecoderLayer,
  TransformerEncoderLayer,
} from "./transformer_layer.ts";

/** [size, size]: -Infinity above the diagonal, 0 elsewhere. */
export function squareSubsequentMask(size: number, device?: Device | string | null, dtype?: DType | null): Tensor {
  return triu(
    full([size, size], Number.NEGATIVE_INFINITY, { ...(dtype ? { dtype } : {}), ...(device ? { device } : {}) }),
    1,
  );
}

function copies(layer: Module, count: number): ModuleList {
  if (!Number.isInteger(count)) {
    throw new TypeError(`'${pythonTypeName(count)}' object cannot be interpreted as an integer`);
  }
  if (!(layer instanceof Module)) throw notModule(layer);
  return new ModuleList(Array.from({ length: count }, () => cloneModule(layer)));
}

/** Number of steps, as the layer counts them. */
function lengthOf(x: Tensor, batchFirst: boolean): number {
  return x.shape[x.ndim === 3 && batchFirst ? 1 : 0]!;
}

/** What the caller says, or else whether the mask is the causal one. */
function detectCausal(mask: Tensor | null, isCausal: boolean | null, size: number): boolean {
  if (isCausal !== null || !mask) return isCausal === true;
  if (mask.ndim !== 2 || mask.shape[0] !== size || mask.shape[1] !== size) return false;
  return Boolean(
    eq(mask, squareSubsequentMask(size, null, mask.dtype))
      .all()
      .item(),
  );
}

export interface TransformerEncoderOptions {
  /** Applied to the output. Default null. */
  norm?: Module | null;
  /** In evaluation, padded steps are left out and come back as zeros where the layers allow it. Default true. */
  enableNestedTensor?: boolean;
  /** Whether that needs the padding to lie at the end. Default true. */
  maskCheck?: boolean;
}

export interface EncoderCallOptions {
  /** [L, L] or [N·nhead, L, L]: true where attention is not allowed, or floats that are added. Default null. */
  mask?: Tensor | null;
  /** [N, L]: true for steps to leave out. Default null. */
  srcKeyPaddingMask?: Tensor | null;
  /** Says that the mask is the causal one; null finds out. Default null. */
  isCausal?: boolean | null;
}

/**
 * `numLayers` copies of an encoder layer, one after the other. The copies start equal.
 *
 * Shapes: src [L, N, E] (as the layer takes it), output the same.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.TransformerEncoder.html
 */
export class TransformerEncoder extends Module {
  readonly numLayers: number;
  readonly enableNestedTensor: boolean;
  readonly maskCheck: boolean;
  /** Whether padded steps are left out in evaluation. */
  readonly useNestedTensor: boolean;
  declare layers: ModuleList;
  declare norm: Module | null;

  constructor(encoderLayer: Module, numLayers: number, options?: TransformerEncoderOptions);
  constructor(options: { encoderLayer: Module; numLayers: number } & TransformerEncoderOptions);
  constructor(...args: unknown[]) {
    super();
    const {
      encoderLayer,
      numLayers,
      norm = null,
      enableNestedTensor = true,
      maskCheck = true,
    } = bind<{ encoderLayer: Module; numLayers: number } & TransformerEncoderOptions>(
      "TransformerEncoder.__init__",
      ["!encoderLayer", "!numLayers", "norm", "enableNestedTensor", "maskCheck"],
      args,
    );
    this.layers = copies(encoderLayer, numLayers);
    this.numLayers = numLayers;
    this.norm = norm;
    this.enableNestedTensor = enableNestedTensor;
    this.maskCheck = maskCheck;
    const obstacle = whyNotNested(encoderLayer);
    if (enableNestedTensor && obstacle) {
      warn(`enable_nested_tensor is True, but self.use_nested_tensor is False because ${obstacle}`);
    }
    this.useNestedTensor = enableNestedTensor && !obstacle;
  }

  override forward(src: Tensor, options?: EncoderCallOptions): Tensor;
  override forward(...args: unknown[]): Tensor {
    const given = bind<{ src: Tensor } & EncoderCallOptions>(
      "TransformerEncoder.forward",
      ["!src", "mask", "srcKeyPaddingMask", "isCausal"],
      args,
    );
    const { src, isCausal = null } = given;
    let padding = canonicalMask(given.srcKeyPaddingMask ?? null, "src_key_padding_mask", src.dtype, {
      name: "mask",
      mask: given.mask ?? null,
    });
    const mask = canonicalMask(given.mask ?? null, "mask", src.dtype);
    const first = this.layers.get(0) as TransformerEncoderLayer;
    const absent = padding && !mask ? this.absentSteps(src, padding, first) : null;
    if (absent) padding = absent;

    const causal = detectCausal(mask, isCausal, lengthOf(src, first.selfAttn.batchFirst));
    let output = src;
    for (const layer of this.layers) {
      output = layer(output, { srcMask: mask, isCausal: causal, srcKeyPaddingMask: padding });
    }
    if (absent) output = where(unsqueeze(absent, -1), 0, output);
    return this.norm ? this.norm(output) : output;
  }

  /** The padded steps, where PyTorch would compute without them. */
  private absentSteps(src: Tensor, padding: Tensor, first: TransformerEncoderLayer): Tensor | null {
    if (!this.useNestedTensor || first.training || src.ndim !== 3) return null;
    const present = eq(padding, 0);
    const counts = present.sum(1, { keepdim: true, dtype: int64 });
    const absent = ge(arange(src.shape[1]!), counts);
    if (this.maskCheck && eq(absent, present).any().item()) return null;
    return needsGrad(src, first) ? null : absent;
  }
}

/** Why an encoder cannot leave padded steps out, in PyTorch's words; "" where it can. */
function whyNotNested(layer: Module): string {
  if (!(layer instanceof TransformerEncoderLayer)) return "encoder_layer was not TransformerEncoderLayer";
  const { selfAttn } = layer;
  if (layer.normFirst) return "encoder_layer.norm_first was True";
  if (!selfAttn.batchFirst) {
    return "encoder_layer.self_attn.batch_first was not True(use batch_first for better inference performance)";
  }
  if (!selfAttn.inProjWeight) return "encoder_layer.self_attn._qkv_same_embed_dim was not True";
  if (!selfAttn.inProjBias) return "encoder_layer.self_attn was passed bias=False";
  if (!layer.activationReluOrGelu) return "encoder_layer.activation_relu_or_gelu was not True";
  if (layer.norm1.eps !== layer.norm2.eps) return "encoder_layer.norm1.eps was not equal to encoder_layer.norm2.eps";
  return selfAttn.numHeads % 2 === 1 ? "encoder_layer.self_attn.num_heads is odd" : "";
}

export interface DecoderCallOptions extends Omit<DecoderLayerCallOptions, "tgtIsCausal"> {
  /** Says that tgtMask is the causal one; null finds out. Default null. */
  tgtIsCausal?: boolean | null;
}

/**
 * `numLayers` copies of a decoder layer, one after the other. The copies start equal.
 *
 * Shapes: tgt [L, N, E], memory [S, N, E] (as the layer takes them), output as tgt.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.TransformerDecoder.html
 */
export class TransformerDecoder extends Module {
  readonly numLayers: number;
  declare layers: ModuleList;
  declare norm: Module | null;

  constructor(decoderLayer: Module, numLayers: number, options?: { norm?: Module | null });
  constructor(options: { decoderLayer: Module; numLayers: number; norm?: Module | null });
  constructor(...args: unknown[]) {
    super();
    const {
      decoderLayer,
      numLayers,
      norm = null,
    } = bind<{ decoderLayer: Module; numLayers: number; norm?: Module | null }>(
      "TransformerDecoder.__init__",
      ["!decoderLayer", "!numLayers", "norm"],
      args,
    );
    this.layers = copies(decoderLayer, numLayers);
    this.numLayers = numLayers;
    this.norm = norm;
  }

  override forward(tgt: Tensor, memory: Tensor, options?: DecoderCallOptions): Tensor;
  override forward(...args: unknown[]): Tensor {
    const {
      tgt,
      memory,
      tgtIsCausal = null,
      ...masks
    } = bind<{ tgt: Tensor; memory: Tensor } & DecoderCallOptions>(
      "TransformerDecoder.forward",
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
    const { selfAttn } = this.layers.get(0) as TransformerDecoderLayer;
    const causal = detectCausal(masks.tgtMask ?? null, tgtIsCausal, lengthOf(tgt, selfAttn.batchFirst));
    let output = tgt;
    for (const layer of this.layers) output = layer(output, memory, { ...masks, tgtIsCausal: causal });
    return this.norm ? this.norm(output) : output;
  }
}
