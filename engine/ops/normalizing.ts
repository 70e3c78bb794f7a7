/** What all normalisations are: groups of numbers that get mean 0 and variance 1, then a factor and a summand. */
import { isGradEnabled } from "../autograd/mode.ts";
import type { View } from "../backends/backend.ts";
import { kernels } from "../backends/index.ts";
import { onDevice } from "../core/device.ts";
import type { Shape } from "../core/shape.ts";
import { Storage } from "../core/storage.ts";
import { Tensor } from "../core/tensor.ts";
import { add, mul, sub } from "./arithmetic.ts";
import { castRaw, denseRaw, viewAs } from "./operands.ts";
import { rsqrt } from "./pointwise.ts";
import { mean, sum } from "./reduce.ts";
import { defineOp, type Op } from "./registry.ts";
import { reshape } from "./view.ts";

export interface NormAttrs {
  /** The input as it is normalised. */
  shape: Shape;
  /** The dimensions of `shape` over which mean and variance are taken. */
  dims: number[];
  eps: number;
  /** How weight and bias lie along the input. */
  affine: Shape;
  biasShape: Shape;
  /** How the kernels see the input, and strides of what they give. */
  groups: Groups;
  layout: readonly number[];
  /** One number for each group, dense: what the input has, or what is given in its place. */
  statistics: { mean: Tensor; variance: Tensor; given: boolean };
}

/** The input as [outer, groups, runs, inner], each group with a mean of its own, and how weight and bias lie along that. */
export interface Groups {
  shape: [number, number, number, number];
  strides: [number, number, number, number];
  affine: [number, number, number, number];
}

interface Standard {
  /** (x - mean) · rstd */
  normal: Tensor;
  rstd: Tensor;
}

/** With operations, as gradients of gradients need it. */
function standardised(x: Tensor, { dims, eps, statistics }: NormAttrs): Standard {
  if (statistics.given) {
    const along = x.shape.map((n, d) => (dims.includes(d) ? 1 : n));
    const rstd = rsqrt(add(reshape(statistics.variance, along), eps));
    return { normal: mul(sub(x, reshape(statistics.mean, along)), rstd), rstd };
  }
  const centred = sub(x, mean(x, dims, { keepdim: true }));
  const rstd = rsqrt(add(mean(mul(centred, centred), dims, { keepdim: true }), eps));
  return { normal: mul(centred, rstd), rstd };
}

/** x as the kernels take it: with the strides that its groups were made for. */
function laidOut(x: Tensor, strides: readonly number[]): Tensor {
  if (x.strides.every((stride, d) => stride === strides[d] || x.shape[d] === 1)) return x;
  const out = new Tensor(Storage.allocate(x.dtype, x.numel()), x.shape, strides);
  kernels.copy(x.kernelView, out.kernelView);
  return out;
}

function gradients(
  { eps, groups, layout, statistics, biasShape }: NormAttrs,
  needs: readonly boolean[],
  grad: Tensor,
  x: Tensor,
  weight: Tensor | null,
): (Tensor | null)[] {
  const seen = (t: Tensor) => viewAs(laidOut(castRaw(t, x.dtype), layout), groups.shape, groups.strides);
  const inputGrad = needs[0] ? new Tensor(Storage.allocate(x.dtype, x.numel()), x.shape, layout) : null;
  const [weightGrad, biasGrad] = [needs[1], needs[2]].map((needed) =>
    needed ? Tensor.empty(weight?.shape ?? biasShape, x.dtype) : null,
  ) as [Tensor | null, Tensor | null];
  const affine = (t: Tensor | null) => t && viewAs(denseRaw(t), groups.shape, groups.affine);
  kernels.normalizeGrad(
    seen(grad),
    seen(x),
    ...perGroup(statistics, groups),
    affine(weight),
    eps,
    statistics.given,
    inputGrad && viewAs(inputGrad, groups.shape, groups.strides),
    affine(weightGrad),
    affine(biasGrad),
  );
  return [inputGrad, weightGrad, biasGrad];
}

/** Room for the mean and the variance of each group. */
export function ownStatistics({ dtype, device }: Tensor, { shape: [outer, groups] }: Groups): NormAttrs["statistics"] {
  const room = () => onDevice(device, null, () => Tensor.empty([outer * groups], dtype));
  return { mean: room(), variance: room(), given: false };
}

/** Mean and variance as [outer, groups]. */
function perGroup({ mean, variance }: NormAttrs["statistics"], { shape: [outer, groups] }: Groups): [View, View] {
  return [viewAs(mean, [outer, groups]), viewAs(variance, [outer, groups])];
}

/** One block serves all of them: what differs is the shape in which they look at the input. */
function normalisation(name: string, gradFn: string): Op<NormAttrs> {
  return defineOp<NormAttrs>({
    name,
    gradFn,
    kernels: ["normalize", "normalizeGrad", "reduce", "unary", "binary"],
    forward(ctx, x: Tensor, weight: Tensor | null, bias: Tensor | null) {
      const { eps, groups, layout, statistics } = ctx.attrs;
      const from = laidOut(x, layout);
      const out = new Tensor(Storage.allocate(x.dtype, x.numel()), x.shape, layout);
      const affine = (given: Tensor | null) => given && viewAs(denseRaw(given), groups.shape, groups.affine);
      const [whole, result] = [from, out].map((t) => viewAs(t, groups.shape, groups.strides)) as [View, View];
      const [means, variances] = perGroup(statistics, groups);
      kernels.normalize(whole, affine(weight), affine(bias), eps, statistics.given, result, means, variances);
      ctx.save(x, weight);
      return out;
    },
    backward(ctx, grad: Tensor) {
      const { attrs } = ctx;
      const { shape, dims, affine, statistics } = attrs;
      const [x, weight] = ctx.saved;
      if (!isGradEnabled()) return gradients(attrs, ctx.needs, grad, x!, weight ?? null);
      const { normal, rstd } = standardised(reshape(x!, shape), attrs);
      const others = affine.map((_, d) => d).filter((d) => affine[d] === 1 && grad.shape[d] !== 1);
      const gathered = (g: Tensor, size: Shape) => reshape(others.length > 0 ? sum(g, others) : g, size);
      const size = weight?.shape ?? attrs.biasShape;
      const weightGrad = ctx.needs[1] ? gathered(mul(grad, reshape(normal, grad.shape)), size) : null;
      const biasGrad = ctx.needs[2] ? gathered(grad, size) : null;
      if (!ctx.needs[0]) return [null, weightGrad, biasGrad];
      const g = reshape(weight ? mul(grad, reshape(weight, affine)) : grad, shape);
      if (statistics.given) return [reshape(mul(g, rstd), grad.shape), weightGrad, biasGrad];
      const average = (t: Tensor) => mean(t, dims, { keepdim: true });
      const inputGrad = mul(rstd, sub(sub(g, average(g)), mul(normal, average(mul(g, normal)))));
      return [reshape(inputGrad, grad.shape), weightGrad, biasGrad];
    },
  });
}

export const BatchNorm = normalisation("native_batch_norm", "NativeBatchNormBackward0");
export const LayerNorm = normalisation("native_layer_norm", "NativeLayerNormBackward0");
export const GroupNorm = normalisation("native_group_norm", "NativeGroupNormBackward0");
