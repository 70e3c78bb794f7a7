/** Attention. https://docs.pytorch.org/docs/2.13/nn.html#transformer-layers */
import { isGradEnabled } from "../autograd/mode.ts";
import { bind } from "../core/arguments.ts";
import { AssertionError, RuntimeError, ValueError } from "../core/errors.ts";
import { sameShape } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";
import { canonicalMask } from "../ops/multi_head_attention.ts";
import { transpose, view } from "../ops/view.ts";
import { emptyParameter, type FactoryOptions } from "./factory.ts";
import * as F from "./functional.ts";
import { constant_, xavierNormal_, xavierUniform_ } from "./init.ts";
import { Linear } from "./linear.ts";
import { Module } from "./module.ts";
import { assertComparable, assertTensor } from "./operands.ts";
import type { Parameter } from "./parameter.ts";

/** PyTorch's name for the last projection, which texts show. */
class NonDynamicallyQuantizableLinear extends Linear {}

export interface MultiheadAttentionOptions extends FactoryOptions {
  /** Probability of dropping a weight, in training. Default 0. */
  dropout?: number;
  /** Whether the projections have biases. Default true. */
  bias?: boolean;
  /** Adds a learned key and value to each sequence. Default false. */
  addBiasKv?: boolean;
  /** Adds a key and a value of zeros to each sequence. Default false. */
  addZeroAttn?: boolean;
  /** Number of features of keys. Default embedDim. */
  kdim?: number | null;
  /** Number of features of values. Default embedDim. */
  vdim?: number | null;
  /** Inputs and output are [N, L, E] instead of [L, N, E]. Default false. */
  batchFirst?: boolean;
}

export interface AttentionCallOptions {
  /** [N, S] (or [S]): true, or -Infinity, for keys to leave out; other floats are added to the scores. Default null. */
  keyPaddingMask?: Tensor | null;
  /** Whether the weights are returned as well. Default true. */
  needWeights?: boolean;
  /** [L, S] or [N·numHeads, L, S]: true where attention is not allowed, or floats that are added. Default null. */
  attnMask?: Tensor | null;
  /** Whether the weights are averaged over the heads. Default true. */
  averageAttnWeights?: boolean;
  /** Says that attnMask is the causal one. Default false. */
  isCausal?: boolean;
}

interface Sizes {
  embedDim: number;
  numHeads: number;
}

type CallArguments = { query: Tensor; key: Tensor; value: Tensor } & AttentionCallOptions;

/**
 * Attention with several heads: query, key and value are projected, each head attends over its part of the features, and
 * the results are projected together.
 *
 * Shapes: query [L, N, embedDim], key [S, N, kdim], value [S, N, vdim] (with `batchFirst` [N, L, …], without a batch
 * [L, …]); the output is as query, the weights are [N, L, S], by head [N, numHeads, L, S].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.MultiheadAttention.html
 * @throws AssertionError where numHeads doesn't divide embedDim
 */
export class MultiheadAttention extends Module {
  readonly embedDim: number;
  readonly kdim: number;
  readonly vdim: number;
  readonly numHeads: number;
  readonly dropout: number;
  readonly batchFirst: boolean;
  readonly headDim: number;
  readonly addZeroAttn: boolean;

  constructor(embedDim: number, numHeads: number, options?: MultiheadAttentionOptions);
  constructor(options: Sizes & MultiheadAttentionOptions);
  constructor(...args: unknown[]) {
    const given = bind<Sizes & MultiheadAttentionOptions>(
      "MultiheadAttention.__init__",
      [
        "!embedDim",
        "!numHeads",
        "dropout",
        "bias",
        "addBiasKv",
        "addZeroAttn",
        "kdim",
        "vdim",
        "batchFirst",
        "device",
        "dtype",
      ],
      args,
    );
    const { embedDim, numHeads, bias = true, addBiasKv = false, device, dtype } = given;
    for (const count of [embedDim, numHeads]) assertComparable(count, "<=", 0);
    assertComparable(given.dropout ?? 0, ">", 0);
    if (embedDim <= 0 || numHeads <= 0) {
      throw new ValueError(
        `embed_dim and num_heads must be greater than 0, got embed_dim=${embedDim} and num_heads=${numHeads} instead`,
      );
    }
    super();
    this.embedDim = embedDim;
    this.kdim = given.kdim ?? embedDim;
    this.vdim = given.vdim ?? embedDim;
    this.numHeads = numHeads;
    this.dropout = given.dropout ?? 0;
    this.batchFirst = given.batchFirst ?? false;
    this.headDim = Math.floor(embedDim / numHeads);
    this.addZeroAttn = given.addZeroAttn ?? false;
    if (this.headDim * numHeads !== embedDim) throw new AssertionError("embed_dim must be divisible by num_heads");
    const parameter = (wanted: boolean, ...shape: number[]) =>
      wanted ? emptyParameter(shape, { device, dtype }) : null;
    const joint = this.kdim === embedDim && this.vdim === embedDim;
    this.registerParameter("in_proj_weight", parameter(joint, 3 * embedDim, embedDim));
    this.registerParameter("q_proj_weight", parameter(!joint, embedDim, embedDim));
    this.registerParameter("k_proj_weight", parameter(!joint, embedDim, this.kdim));
    this.registerParameter("v_proj_weight", parameter(!joint, embedDim, this.vdim));
    this.registerParameter("in_proj_bias", parameter(bias, 3 * embedDim));
    this.registerModule("out_proj", new NonDynamicallyQuantizableLinear(embedDim, embedDim, { bias, device, dtype }));
    this.registerParameter("bias_k", parameter(addBiasKv, 1, 1, embedDim));
    this.registerParameter("bias_v", parameter(addBiasKv, 1, 1, embedDim));
    drawProjections(this);
  }

  /** [3 · embedDim, embedDim], the projections of query, key and value; null where keys or values have other sizes. */
  get inProjWeight(): Parameter | null {
    return parameterOf(this, "in_proj_weight");
  }

  /** [3 · embedDim], or null. */
  get inProjBias(): Parameter | null {
    return parameterOf(this, "in_proj_bias");
  }

  /** The projection of the heads' results. */
  get outProj(): Linear {
    return this.getSubmodule("out_proj") as Linear;
  }

  override forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    options?: AttentionCallOptions,
  ): [output: Tensor, weights: Tensor | null];
  override forward(...args: unknown[]): [Tensor, Tensor | null] {
    const given = bind<CallArguments>(
      "MultiheadAttention.forward",
      ["!query", "!key", "!value", "keyPaddingMask", "needWeights", "attnMask", "averageAttnWeights", "isCausal"],
      args,
    );
    for (const input of [given.query, given.key, given.value]) assertTensor(input, "dim");
    const { dtype } = given.query;
    const mask = given.attnMask ?? null;
    const keyPaddingMask = canonicalMask(given.keyPaddingMask ?? null, "key_padding_mask", dtype, {
      name: "attn_mask",
      mask,
    });
    const attnMask = canonicalMask(mask, "attn_mask", dtype);
    const call = { ...given, keyPaddingMask, attnMask };
    return this.isFast(given) ? this.fast(call) : this.attend(call);
  }

  private attend(call: CallArguments): [Tensor, Tensor | null] {
    const { numHeads, embedDim, addZeroAttn, dropout, training, outProj, inProjWeight } = this;
    const turns = this.batchFirst && call.query.ndim === 3;
    const turned = new Map<Tensor, Tensor>();
    // What is one tensor stays one, so that one product serves it.
    const stepsFirst = (x: Tensor): Tensor => {
      const result = turns ? (turned.get(x) ?? transpose(x, 1, 0)) : x;
      turned.set(x, result);
      return result;
    };
    const [output, weights] = F.multiHeadAttentionForward(
      stepsFirst(call.query),
      stepsFirst(call.key),
      stepsFirst(call.value),
      embedDim,
      numHeads,
      inProjWeight,
      this.inProjBias,
      parameterOf(this, "bias_k"),
      parameterOf(this, "bias_v"),
      addZeroAttn,
      dropout,
      outProj.weight,
      outProj.bias,
      {
        training,
        keyPaddingMask: call.keyPaddingMask,
        needWeights: call.needWeights,
        attnMask: call.attnMask,
        useSeparateProjWeight: inProjWeight === null,
        qProjWeight: parameterOf(this, "q_proj_weight"),
        kProjWeight: parameterOf(this, "k_proj_weight"),
        vProjWeight: parameterOf(this, "v_proj_weight"),
        averageAttnWeights: call.averageAttnWeights,
        isCausal: call.isCausal,
      },
    );
    return [turns ? transpose(output, 1, 0) : output, weights];
  }

  /** Whether PyTorch's inference kernel would serve: the same numbers, but other answers to masks that leave nothing. */
  private isFast({ query, key, value, attnMask, keyPaddingMask }: CallArguments): boolean {
    const { inProjWeight, inProjBias, outProj } = this;
    if (attnMask?.isFloatingPoint() || keyPaddingMask?.isFloatingPoint()) return false;
    if (query.ndim !== 3 || query !== key || key !== value) return false;
    if (!inProjWeight || !inProjBias || query.dtype !== inProjWeight.dtype || query.dtype !== inProjBias.dtype) {
      return false;
    }
    if (this.training || this.numHeads % 2 !== 0 || !this.batchFirst) return false;
    if (parameterOf(this, "bias_k") || parameterOf(this, "bias_v") || this.addZeroAttn) return false;
    const tensors = [query, inProjWeight, inProjBias, outProj.weight, outProj.bias];
    return !(isGradEnabled() && tensors.some((tensor) => tensor?.requiresGrad));
  }

  /** As the inference kernel: no hint about causality, and NaN for a row that may look nowhere. */
  private fast(call: CallArguments): [Tensor, Tensor | null] {
    const { query, attnMask, keyPaddingMask, needWeights = true } = call;
    const [batch, length, size] = query.shape as unknown as [number, number, number];
    if (size !== this.embedDim) {
      throw new RuntimeError(`passed-in embed_dim ${this.embedDim} didn't match last dim of query ${size}`);
    }
    if (attnMask) {
      view(attnMask, attnMask.ndim === 3 ? [batch, -1, length, length] : [1, 1, length, length]);
      if (keyPaddingMask) view(keyPaddingMask, batch, 1, 1, length);
    } else if (keyPaddingMask && !sameShape(keyPaddingMask.shape, [batch, length])) {
      throw new RuntimeError("For mask_type == 1 mask shape should be (B, L)");
    }
    const [output, weights] = this.attend({ ...call, isCausal: false, needWeights: true });
    return [output, needWeights ? weights : null];
  }
}

function parameterOf(module: Module, name: string): Parameter | null {
  return Reflect.get(module, name) as Parameter | null;
}

/** Draws the projections; biases become 0; the last projection keeps its weight. */
function drawProjections(module: MultiheadAttention): void {
  for (const name of ["in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight"]) {
    const weight = parameterOf(module, name);
    if (weight) xavierUniform_(weight);
  }
  const { inProjBias, outProj } = module;
  if (inProjBias) constant_(inProjBias, 0);
  if (inProjBias && outProj.bias) constant_(outProj.bias, 0);
  for (const name of ["bias_k", "bias_v"]) {
    const bias = parameterOf(module, name);
    if (bias) xavierNormal_(bias);
  }
}
