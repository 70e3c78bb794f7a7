/** Products with meaning: attention and bilinear forms. */
import { grad } from "../autograd/grad.ts";
import { enableGrad, noGrad } from "../autograd/mode.ts";
import { bind } from "../core/arguments.ts";
import { bool } from "../core/dtype.ts";
import { IndexError, RuntimeError } from "../core/errors.ts";
import { runNear } from "../core/placement.ts";
import { CPP_NAMES } from "../core/promotion.ts";
import { sameShape, sizeText } from "../core/shape.ts";
import { anyRequiresGrad, assertTensor, type Tensor } from "../core/tensor.ts";
import { add, mul, where } from "./arithmetic.ts";
import { eq } from "./comparison.ts";
import { dropout } from "./dropout.ts";
import { tril } from "./joining.ts";
import { matmul } from "./matmul.ts";
import { filled } from "./operands.ts";
import { sum } from "./reduce.ts";
import { call, callMany, defineOp, type Op } from "./registry.ts";
import { softmax } from "./softmax.ts";
import { expand, reshape, transpose, unsqueeze } from "./view.ts";

export interface AttentionOptions {
  /** bool: true where attention is allowed; floating: added to the scores. Broadcasts to [..., L, S]. Default none. */
  attnMask?: Tensor | null;
  /** Probability of dropping a weight, whenever it is not 0. Default 0. */
  dropoutP?: number;
  /** Allows no look ahead: position i sees 0 … i. Default false. */
  isCausal?: boolean;
  /** Factor of the scores. Default 1 / √E. */
  scale?: number | null;
  /** Fewer heads of key and value than of query, each serving several. Default false. */
  enableGqa?: boolean;
}

/**
 * softmax(query · keyᵀ · scale + mask) · value.
 *
 * @param query [..., L, E]
 * @param key [..., S, E]
 * @param value [..., S, V]
 * @returns [..., L, V]
 * @see https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.scaled_dot_product_attention.html
 */
export function scaledDotProductAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options?: AttentionOptions,
): Tensor;
export function scaledDotProductAttention(...args: unknown[]): Tensor {
  const {
    query,
    key,
    value,
    attnMask = null,
    dropoutP = 0,
    isCausal = false,
    scale,
    enableGqa = false,
  } = bind<{ query: Tensor; key: Tensor; value: Tensor } & AttentionOptions>(
    "scaled_dot_product_attention",
    ["!query", "!key", "!value", "attnMask", "dropoutP", "isCausal", "*", "scale", "enableGqa"],
    args,
  );
  assertTensor(query, "scaled_dot_product_attention", "query", 1);
  assertTensor(key, "scaled_dot_product_attention", "key", 2);
  assertTensor(value, "scaled_dot_product_attention", "value", 3);
  if (attnMask && isCausal) {
    throw new RuntimeError("_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True");
  }
  checkAttention({ query, key, value, attnMask }, dropoutP);
  if (enableGqa) checkHeads(query, key, value);
  const attrs = { dropoutP, isCausal, factor: scale ?? 1 / Math.sqrt(query.shape.at(-1)!), enableGqa };
  const tensors = { query, key, value, attnMask };
  return isFused(tensors, attrs) ? call(Fused, attrs, query, key, value, attnMask) : attend(tensors, attrs);
}

interface AttentionAttrs {
  dropoutP: number;
  isCausal: boolean;
  /** Of the scores. */
  factor: number;
  enableGqa: boolean;
}

function attend(
  { query, key, value, attnMask }: AttentionTensors,
  { dropoutP, isCausal, factor, enableGqa }: AttentionAttrs,
): Tensor {
  const served = (x: Tensor) => (enableGqa ? repeatHeads(x, query.shape.at(-3)!) : x);
  // Both sides get the root of the scale, which keeps their product from overflowing.
  const root = Math.sqrt(Math.abs(factor));
  const scores = matmul(mul(query, Math.sign(factor) * root), mul(transpose(served(key), -2, -1), root));
  const corner = () => tril(filled([query.shape.at(-2)!, key.shape.at(-2)!], 1, bool));
  const mask = isCausal ? runNear([query], corner) : attnMask;
  const seen = mask ? masked(scores, mask) : scores;
  // A row that may look nowhere gives zeros, not NaN, and so do its gradients.
  const blind = attnMask ? eq(seen.detach(), Number.NEGATIVE_INFINITY).all(-1, { keepdim: true }) : null;
  const weights = softmax(blind ? where(blind, 0, seen) : seen, -1);
  const safe = blind ? where(blind, 0, weights) : weights;
  return matmul(dropoutP > 0 ? dropout(safe, { p: dropoutP }) : safe, served(value));
}

/** Whether PyTorch's CPU has one kernel for it all: one node, which is not differentiated twice. */
function isFused({ query, key, value, attnMask }: AttentionTensors, { dropoutP, enableGqa }: AttentionAttrs): boolean {
  const all = [query, key, value];
  return (
    anyRequiresGrad(all) &&
    dropoutP === 0 &&
    !attnMask?.requiresGrad &&
    all.every((x) => x.ndim === 4 && x.numel() > 0 && x.shape[0] === query.shape[0]) &&
    query.shape[3] === value.shape[3] &&
    (enableGqa || (key.shape[1] === query.shape[1] && value.shape[1] === query.shape[1]))
  );
}

const Fused: Op<AttentionAttrs> = defineOp({
  name: "_scaled_dot_product_flash_attention_for_cpu",
  gradFn: "ScaledDotProductFlashAttentionForCpuBackward0",
  unlisted: [3],
  kernels: [],
  forward(ctx, query: Tensor, key: Tensor, value: Tensor, attnMask: Tensor | null) {
    ctx.save(query, key, value, attnMask);
    return noGrad(() => attend({ query, key, value, attnMask }, ctx.attrs));
  },
  backward: ({ attrs, saved }, grad: Tensor) => [...callMany(FusedGrad, attrs, grad, ...saved), null],
});

/** Computes the scores anew, as the kernel in one piece does, instead of keeping them. */
const FusedGrad: Op<AttentionAttrs> = defineOp({
  name: "_scaled_dot_product_flash_attention_for_cpu_backward",
  gradFn: "NotImplemented",
  kernels: [],
  forward({ attrs }, incoming: Tensor, ...[q, k, v, attnMask]: [Tensor, Tensor, Tensor, Tensor | null]) {
    const [query, key, value] = [q, k, v].map((x) => x.detach().requiresGrad_()) as [Tensor, Tensor, Tensor];
    const output = enableGrad(() => attend({ query, key, value, attnMask }, attrs));
    return grad(output, [query, key, value], { gradOutputs: incoming.detach() }) as Tensor[];
  },
});

interface AttentionTensors {
  query: Tensor;
  key: Tensor;
  value: Tensor;
  attnMask: Tensor | null;
}

function checkAttention({ query, key, value, attnMask }: AttentionTensors, dropoutP: number): void {
  const shapes = [query.shape, key.shape, value.shape];
  const name = (x: Tensor) => CPP_NAMES[x.dtype.name];
  if (query.dtype !== key.dtype || query.dtype !== value.dtype) {
    throw new RuntimeError(
      `Expected query, key, and value to have the same dtype, but got query.dtype: ${name(query)} key.dtype: ${name(key)} and value.dtype: ${name(value)} instead.`,
    );
  }
  if (query.ndim < 2 || key.ndim < 2 || value.ndim < 2) {
    throw new RuntimeError(
      `Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: ${query.ndim} key.dim: ${key.ndim} and value.dim: ${value.ndim} instead.`,
      { shapes },
    );
  }
  if (attnMask && attnMask.dtype !== bool && attnMask.dtype !== query.dtype && attnMask.dtype.name !== "float32") {
    throw new RuntimeError(
      `Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: ${name(attnMask)} and  query.dtype: ${name(query)} instead.`,
      { shapes },
    );
  }
  if (dropoutP < 0 || dropoutP > 1) {
    throw new RuntimeError(`dropout probability has to be between 0 and 1, but got ${dropoutP}`);
  }
}

function checkHeads(query: Tensor, ...served: Tensor[]): void {
  for (const x of [query, ...served]) {
    if (x.ndim < 3) {
      throw new IndexError(
        `Dimension out of range (expected to be in range of [-${x.ndim}, ${x.ndim - 1}], but got -3)`,
      );
    }
  }
  if (served.every((x) => query.shape.at(-3)! % x.shape.at(-3)! === 0)) return;
  // PyTorch's sentence ends here.
  throw new RuntimeError("Number of heads in key and value must divide the number of heads in ");
}

/** Scores plus a floating mask, or -inf where a truth mask forbids. @throws RuntimeError for a mask wider than the scores */
function masked(scores: Tensor, mask: Tensor): Tensor {
  const open = filled([], 0, scores.dtype);
  const added = mask.dtype === bool ? where(mask, open, filled([], Number.NEGATIVE_INFINITY, scores.dtype)) : mask;
  const sum = add(scores, added);
  if (!sameShape(sum.shape, scores.shape)) {
    throw new RuntimeError(
      `output with shape ${sizeText(scores.shape)} doesn't match the broadcast shape ${sizeText(sum.shape)}`,
      { shapes: [scores.shape, mask.shape] },
    );
  }
  return sum;
}

/** Each head as often as it takes to serve `heads`. */
function repeatHeads(x: Tensor, heads: number): Tensor {
  const { shape } = x;
  const own = shape.at(-3)!;
  const lead = shape.slice(0, -3);
  const tail = shape.slice(-2);
  return reshape(expand(unsqueeze(x, -3), [...lead, own, heads / own, ...tail]), [...lead, heads, ...tail]);
}

/**
 * input1ᵀ · weight[k] · input2 + bias[k] for every k.
 *
 * @param input1 [..., in1]
 * @param input2 [..., in2]
 * @param weight [out, in1, in2]
 * @param bias [out]
 * @returns [..., out]
 * @see https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.bilinear.html
 */
export function bilinear(
  input1: Tensor,
  input2: Tensor,
  weight: Tensor,
  bias?: Tensor | null | { bias?: Tensor | null },
): Tensor;
export function bilinear(...args: unknown[]): Tensor {
  const {
    input1,
    input2,
    weight,
    bias = null,
  } = bind<{ input1: Tensor; input2: Tensor; weight: Tensor; bias?: Tensor | null }>(
    "bilinear",
    ["!input1", "!input2", "!weight", "bias"],
    args,
  );
  assertTensor(input1, "bilinear", "input1", 1);
  assertTensor(input2, "bilinear", "input2", 2);
  assertTensor(weight, "bilinear", "weight", 3);
  if (input1.ndim !== input2.ndim) {
    throw new RuntimeError(`bilinear(): input dimensions do not match: got ${input1.ndim} and ${input2.ndim}`, {
      shapes: [input1.shape, input2.shape],
    });
  }
  if ([input2, weight, bias].some((x) => x && x.dtype !== input1.dtype)) {
    const name = (x: Tensor) => CPP_NAMES[x.dtype.name];
    throw new RuntimeError(
      `All tensors must have the same dtype, got input1: ${name(input1)}, input2: ${name(input2)}, weight: ${name(weight)}${bias ? `, bias: ${name(bias)}` : ""}`,
    );
  }
  for (let dim = 0; dim < input1.ndim - 1; dim++) {
    if (input1.shape[dim] !== input2.shape[dim]) {
      throw new RuntimeError(
        `bilinear(): input batch dimensions do not match at dim ${dim}: got ${input1.shape[dim]} and ${input2.shape[dim]}`,
        { shapes: [input1.shape, input2.shape] },
      );
    }
  }
  for (const [k, input] of [input1, input2].entries()) {
    if (input.shape.at(-1) === weight.shape[k + 1]) continue;
    throw new RuntimeError(
      `bilinear(): input${k + 1} size does not match weight size: got ${input.shape.at(-1)} but expected ${weight.shape[k + 1]}`,
      { shapes: [input.shape, weight.shape] },
    );
  }
  if (bias && bias.shape[0] !== weight.shape[0]) {
    throw new RuntimeError(
      `bilinear(): bias size does not match weight size: got ${bias.shape[0]} but expected ${weight.shape[0]}`,
    );
  }
  const [out, in1, in2] = weight.shape as unknown as [number, number, number];
  const left = reshape(input1, [-1, 1, in1]);
  const right = reshape(input2, [-1, in2]);
  // [out, in1, in2] · [in2, N] → [out, in1, N]: one product for all samples, then the sum over in1.
  const halfway = reshape(matmul(reshape(weight, [out * in1, in2]), transpose(right, 0, 1)), [out, in1, -1]);
  const product = sum(mul(halfway.permute(2, 0, 1), left), -1);
  const shaped = reshape(product, [...input1.shape.slice(0, -1), out]);
  return bias ? add(shaped, bias) : shaped;
}
