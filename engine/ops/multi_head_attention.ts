/** Attention with several heads, projections included. */
import { bind } from "../core/arguments.ts";
import { bool, type DType } from "../core/dtype.ts";
import { AssertionError, RuntimeError } from "../core/errors.ts";
import { sameShape } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";
import { warn } from "../core/warnings.ts";
import { add, mul, where } from "./arithmetic.ts";
import { scaledDotProductAttention } from "./attention.ts";
import { zeros } from "./creation.ts";
import { dropout } from "./dropout.ts";
import { cat, repeat } from "./joining.ts";
import { bmm, linear } from "./matmul.ts";
import { filled } from "./operands.ts";
import { pad } from "./pad.ts";
import { evenParts, parts } from "./parts.ts";
import { baddbmm } from "./products.ts";
import { mean } from "./reduce.ts";
import { softmax } from "./softmax.ts";
import { expand, permute, reshape, squeeze, transpose, unsqueeze, view } from "./view.ts";

export interface MultiHeadAttentionOptions {
  /** Whether weights are dropped. Default true. */
  training?: boolean;
  /** [N, S] (or [S]): true, or -Infinity, for keys to leave out; other floats are added to the scores. Default null. */
  keyPaddingMask?: Tensor | null;
  /** Whether the weights are returned as well. Default true. */
  needWeights?: boolean;
  /** [L, S] or [N·heads, L, S]: true where attention is not allowed, or floats that are added. Default null. */
  attnMask?: Tensor | null;
  /** Whether the three projections are parameters of their own. Default false. */
  useSeparateProjWeight?: boolean;
  /** [E, E], the separate projection of the query. Default null. */
  qProjWeight?: Tensor | null;
  /** [E, kdim], the separate projection of the key. Default null. */
  kProjWeight?: Tensor | null;
  /** [E, vdim], the separate projection of the value. Default null. */
  vProjWeight?: Tensor | null;
  /** [N·heads, S, headDim], in the place of the projected keys. Default null. */
  staticK?: Tensor | null;
  /** [N·heads, S, headDim], in the place of the projected values. Default null. */
  staticV?: Tensor | null;
  /** Whether the weights are averaged over the heads. Default true. */
  averageAttnWeights?: boolean;
  /** Says that attnMask is the causal one. Default false. */
  isCausal?: boolean;
}

interface Arguments extends MultiHeadAttentionOptions {
  query: Tensor;
  key: Tensor;
  value: Tensor;
  embedDimToCheck: number;
  numHeads: number;
  inProjWeight: Tensor | null;
  inProjBias: Tensor | null;
  biasK: Tensor | null;
  biasV: Tensor | null;
  addZeroAttn: boolean;
  dropoutP: number;
  outProjWeight: Tensor;
  outProjBias: Tensor | null;
}

const PARAMETERS = [
  "!query",
  "!key",
  "!value",
  "!embedDimToCheck",
  "!numHeads",
  "!inProjWeight",
  "!inProjBias",
  "!biasK",
  "!biasV",
  "!addZeroAttn",
  "!dropoutP",
  "!outProjWeight",
  "!outProjBias",
  "training",
  "keyPaddingMask",
  "needWeights",
  "attnMask",
  "useSeparateProjWeight",
  "qProjWeight",
  "kProjWeight",
  "vProjWeight",
  "staticK",
  "staticV",
  "averageAttnWeights",
  "isCausal",
];

const tuple = (values: readonly unknown[]): string => `(${values.join(", ")}${values.length === 1 ? "," : ""})`;

/**
 * A mask as floats that are added to scores: true becomes -Infinity.
 * @param other the dtype of a mask that goes with it; another one draws a warning
 */
export function canonicalMask(
  mask: Tensor | null,
  name: string,
  dtype: DType,
  other: { name: string; mask: Tensor | null } | null = null,
): Tensor | null {
  if (!mask) return null;
  if (mask.dtype !== bool && !mask.dtype.isFloatingPoint) {
    throw new AssertionError(`only bool and floating types of ${name} are supported`);
  }
  if (other?.mask && other.mask.dtype !== mask.dtype) {
    warn(`Support for mismatched ${name} and ${other.name} is deprecated. Use same type for both instead.`);
  }
  return mask.dtype === bool ? where(mask, filled([], Number.NEGATIVE_INFINITY, dtype), filled([], 0, dtype)) : mask;
}

/** Whether the query has a batch. @throws AssertionError where the others do not go with it */
function checkDimensions({ query, key, value, keyPaddingMask, attnMask, numHeads }: Arguments): boolean {
  if (query.ndim !== 2 && query.ndim !== 3) {
    throw new AssertionError(
      `query should be unbatched 2D or batched 3D tensor but received ${query.ndim}-D query tensor`,
    );
  }
  const batched = query.ndim === 3;
  const [kind, dims, paddingDims] = batched ? ["batched (3-D)", 3, 2] : ["unbatched (2-D)", 2, 1];
  if (key.ndim !== dims || value.ndim !== dims) {
    throw new AssertionError(
      `For ${kind} \`query\`, expected \`key\` and \`value\` to be ${dims}-D but found ${key.ndim}-D and ${value.ndim}-D tensors respectively`,
    );
  }
  if (keyPaddingMask && keyPaddingMask.ndim !== paddingDims) {
    throw new AssertionError(
      `For ${kind} \`query\`, expected \`key_padding_mask\` to be \`None\` or ${paddingDims}-D but found ${keyPaddingMask.ndim}-D tensor instead`,
    );
  }
  if (attnMask && attnMask.ndim !== 2 && attnMask.ndim !== 3) {
    throw new AssertionError(
      `For ${kind} \`query\`, expected \`attn_mask\` to be \`None\`, 2-D or 3-D but found ${attnMask.ndim}-D tensor instead`,
    );
  }
  if (!batched && attnMask?.ndim === 3) {
    const expected = [numHeads, query.shape[0]!, key.shape[0]!];
    if (!sameShape(attnMask.shape, expected)) {
      throw new AssertionError(`Expected \`attn_mask\` shape to be ${tuple(expected)} but got ${attnMask.shape}`);
    }
  }
  return batched;
}

/** Query, key and value projected by one parameter; one product serves those that are the same tensor. */
function projectPacked(q: Tensor, k: Tensor, v: Tensor, weight: Tensor, bias: Tensor | null): Tensor[] {
  if (k === v && q === k) return evenParts(linear(q, weight, bias), 3);
  const size = q.shape.at(-1)!;
  const sizes = k === v ? [size, 2 * size] : [size, size, size];
  const weights = parts(weight, sizes, 0);
  const biases = bias ? parts(bias, sizes, 0) : [];
  const projected = (x: Tensor, i: number) => linear(x, weights[i]!, biases[i] ?? null);
  return k === v
    ? [projected(q, 0), ...evenParts(projected(k, 1), 2)]
    : [projected(q, 0), projected(k, 1), projected(v, 2)];
}

function projectSeparately({ query, key, value, inProjBias, ...given }: Arguments): Tensor[] {
  const named = { q: given.qProjWeight, k: given.kProjWeight, v: given.vProjWeight };
  for (const [name, weight] of Object.entries(named)) {
    if (!weight) throw new AssertionError(`use_separate_proj_weight is True but ${name}_proj_weight is None`);
  }
  const size = query.shape.at(-1)!;
  const biases = inProjBias ? evenParts(inProjBias, 3) : [];
  const rows = [
    ["query", query, named.q],
    ["key", key, named.k],
    ["value", value, named.v],
  ] as const;
  for (const [name, x, weight] of rows) {
    const expected = [size, x.shape.at(-1)!];
    if (sameShape(weight!.shape, expected)) continue;
    throw new AssertionError(`expecting ${name} weights shape of ${tuple(expected)}, but got ${weight!.shape}`);
  }
  return rows.map(([, x, weight], i) => linear(x, weight!, biases[i] ?? null));
}

function project(given: Arguments): Tensor[] {
  const { query, key, value, inProjWeight, inProjBias } = given;
  if (given.useSeparateProjWeight) {
    if (!sameShape(key.shape.slice(0, 2), value.shape.slice(0, 2))) {
      const [a, b] = [key, value].map((x) => `torch.Size([${x.shape.slice(0, 2).join(", ")}])`);
      throw new AssertionError(`key's sequence and batch dims ${a} do not match value's ${b}`);
    }
    return projectSeparately(given);
  }
  if (!sameShape(key.shape, value.shape)) {
    throw new AssertionError(`key shape ${key.shape} does not match value shape ${value.shape}`);
  }
  if (!inProjWeight) throw new AssertionError("use_separate_proj_weight is False but in_proj_weight is None");
  return projectPacked(query, key, value, inProjWeight, inProjBias);
}

/** As [1 or N·heads, L, S]. */
function checkedMask(mask: Tensor, length: number, source: number, rows: number): Tensor {
  const expected = mask.ndim === 2 ? [length, source] : [rows, length, source];
  if (!sameShape(mask.shape, expected)) {
    throw new RuntimeError(
      `The shape of the ${mask.ndim}D attn_mask is ${mask.shape}, but should be ${tuple(expected)}.`,
      { shapes: [mask.shape, expected] },
    );
  }
  return mask.ndim === 2 ? unsqueeze(mask, 0) : mask;
}

/** [L, N, E] → [N · heads, L, headDim] */
function inHeads(x: Tensor, rows: number, headDim: number): Tensor {
  return transpose(reshape(x, x.shape[0]!, rows, headDim), 0, 1);
}

function checkStatic(name: string, x: Tensor, rows: number, headDim: number): Tensor {
  for (const [dim, expected] of [
    [0, rows],
    [2, headDim],
  ] as const) {
    if (x.shape[dim] === expected) continue;
    throw new AssertionError(`expecting ${name}.size(${dim}) of ${expected}, but got ${x.shape[dim]}`);
  }
  return x;
}

/**
 * What `nn.MultiheadAttention` computes, of its parameters.
 *
 * @param query [L, N, E] or [L, E]
 * @param key [S, N, kdim] or [S, kdim]
 * @param value [S, N, vdim] or [S, vdim]
 * @returns the output, as query, and the weights [N, L, S] (by head [N, heads, L, S]; null without `needWeights`)
 * @see https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.multi_head_attention_forward.html
 */
export function multiHeadAttentionForward(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  embedDimToCheck: number,
  numHeads: number,
  inProjWeight: Tensor | null,
  inProjBias: Tensor | null,
  biasK: Tensor | null,
  biasV: Tensor | null,
  addZeroAttn: boolean,
  dropoutP: number,
  outProjWeight: Tensor,
  outProjBias: Tensor | null,
  options?: MultiHeadAttentionOptions,
): [output: Tensor, weights: Tensor | null];
export function multiHeadAttentionForward(...args: unknown[]): [Tensor, Tensor | null] {
  const given = bind<Arguments>("multi_head_attention_forward", PARAMETERS, args);
  const batched = checkDimensions(given);
  const { needWeights = true, numHeads, biasK, biasV } = given;
  const alone = (x: Tensor) => (batched ? x : unsqueeze(x, 1));
  const query = alone(given.query);
  // What is one tensor stays one.
  const key = given.key === given.query ? query : alone(given.key);
  const value = given.value === given.key ? key : alone(given.value);
  const [length, batch, size] = query.shape as unknown as [number, number, number];
  const source = key.shape[0]!;
  const rows = batch * numHeads;

  let padding = given.keyPaddingMask ?? null;
  if (padding && !batched) padding = unsqueeze(padding, 0);
  padding = canonicalMask(padding, "key_padding_mask", query.dtype, {
    name: "attn_mask",
    mask: given.attnMask ?? null,
  });
  let mask = given.attnMask ?? null;
  let isCausal = given.isCausal ?? false;
  if (isCausal && !mask) {
    throw new RuntimeError(
      "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method `generate_square_subsequent_mask` to create this mask.",
      { hint: "here it is nn.Transformer.generateSquareSubsequentMask(size)" },
    );
  }
  if (isCausal && !padding && !needWeights) mask = null;
  else {
    mask = canonicalMask(mask, "attn_mask", query.dtype);
    if (padding) isCausal = false;
  }
  if (size !== given.embedDimToCheck) {
    throw new AssertionError(`was expecting embedding dimension of ${given.embedDimToCheck}, but got ${size}`);
  }
  const headDim = Math.floor(size / numHeads);
  if (headDim * numHeads !== size) {
    throw new AssertionError(`embed_dim ${size} not divisible by num_heads ${numHeads}`);
  }

  let [q, k, v] = project({ ...given, query, key, value }) as [Tensor, Tensor, Tensor];
  if (mask) mask = checkedMask(mask, length, source, rows);
  const widen = (): void => {
    if (mask) mask = pad(mask, [0, 1]);
    if (padding) padding = pad(padding, [0, 1]);
  };
  if (biasK && biasV) {
    if (given.staticK) throw new AssertionError("bias cannot be added to static key.");
    if (given.staticV) throw new AssertionError("bias cannot be added to static value.");
    k = cat([k, repeat(biasK, 1, batch, 1)]);
    v = cat([v, repeat(biasV, 1, batch, 1)]);
    widen();
  } else if (biasK) throw new AssertionError("bias_k is set but bias_v is None");
  else if (biasV) throw new AssertionError("bias_v is set but bias_k is None");

  q = inHeads(q, rows, headDim);
  k = given.staticK ? checkStatic("static_k", given.staticK, rows, headDim) : inHeads(k, rows, headDim);
  v = given.staticV ? checkStatic("static_v", given.staticV, rows, headDim) : inHeads(v, rows, headDim);
  if (given.addZeroAttn) {
    const zero = zeros([rows, 1, headDim], { dtype: k.dtype });
    k = cat([k, zero], 1);
    v = cat([v, zero], 1);
    widen();
  }
  if (padding) mask = withPadding(mask, padding, [batch, numHeads, k.shape[1]!]);

  const dropoutP = (given.training ?? true) ? given.dropoutP : 0;
  const heads: Heads = { q, k, v, mask, dropoutP, batch, numHeads };
  const [output, weights] = needWeights ? weighted(heads) : direct(heads, isCausal);
  const projected = linear(output, given.outProjWeight, given.outProjBias);
  const shaped = view(projected, length, batch, projected.shape[1]!);
  const averaged = weights && (given.averageAttnWeights ?? true) ? mean(weights, 1) : weights;
  if (batched) return [shaped, averaged];
  return [squeeze(shaped, 1), averaged && squeeze(averaged, 0)];
}

/** The mask with the keys' padding [N, S] added. */
function withPadding(
  mask: Tensor | null,
  padding: Tensor,
  [batch, numHeads, source]: [number, number, number],
): Tensor {
  for (const [dim, expected] of [
    [0, batch],
    [1, source],
  ] as const) {
    if (padding.shape[dim] === expected) continue;
    throw new AssertionError(`Expected key_padded_mask.shape[${dim}] to be ${expected}, but got ${padding.shape[dim]}`);
  }
  const ofHeads = expand(view(padding, batch, 1, 1, source), -1, numHeads, -1, -1);
  const spread = reshape(ofHeads, batch * numHeads, 1, source);
  return mask ? add(mask, spread) : spread;
}

interface Heads {
  /** [N · heads, L, headDim] */
  q: Tensor;
  /** [N · heads, S, headDim] */
  k: Tensor;
  v: Tensor;
  /** [1 or N · heads, L, S] */
  mask: Tensor | null;
  dropoutP: number;
  batch: number;
  numHeads: number;
}

/** With the weights by head: [L · N, E] and [N, heads, L, S]. A row that may look nowhere is NaN. */
function weighted({ q, k, v, mask, dropoutP, batch, numHeads }: Heads): [Tensor, Tensor] {
  const [rows, length, headDim] = q.shape as unknown as [number, number, number];
  const scaled = mul(q, Math.sqrt(1 / headDim));
  const turned = transpose(k, -2, -1);
  const scores = mask ? baddbmm(mask, scaled, turned) : bmm(scaled, turned);
  let weights = softmax(scores, -1);
  if (dropoutP > 0) weights = dropout(weights, { p: dropoutP });
  const output = reshape(transpose(bmm(weights, v), 0, 1), length * batch, (rows / batch) * headDim);
  return [output, view(weights, batch, numHeads, length, k.shape[1]!)];
}

/** Without the weights: [L · N, E]. */
function direct({ q, k, v, mask, dropoutP, batch, numHeads }: Heads, isCausal: boolean): [Tensor, null] {
  const byHead = (x: Tensor) => reshape(x, batch, numHeads, x.shape[1]!, x.shape[2]!);
  const attnMask = mask && (mask.shape[0] === 1 ? unsqueeze(mask, 0) : byHead(mask));
  const attended = scaledDotProductAttention(byHead(q), byHead(k), byHead(v), { attnMask, dropoutP, isCausal });
  const [, , length, headDim] = attended.shape as unknown as [number, number, number, number];
  return [reshape(permute(attended, 2, 0, 1, 3), batch * length, numHeads * headDim), null];
}
