/**
 * Normalisation over a batch, a layer, groups of channels or an instance.
 * https://docs.pytorch.org/docs/2.13/nn.functional.html#normalization-functions
 */
import { noGrad } from "../autograd/mode.ts";
import { bind } from "../core/arguments.ts";
import { NotImplementedError, RuntimeError, ValueError } from "../core/errors.ts";
import { isChannelsLast } from "../core/layout.ts";
import { SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { contiguousStrides, numel, sameShape, sizeText } from "../core/shape.ts";
import { assertTensor, type Tensor } from "../core/tensor.ts";
import { add, div, mul, pow } from "./arithmetic.ts";
import { repeat } from "./joining.ts";
import { BatchNorm, GroupNorm, type Groups, LayerNorm, ownStatistics } from "./normalizing.ts";
import { copyRaw } from "./operands.ts";
import { pad } from "./pad.ts";
import { rsqrt } from "./pointwise.ts";
import { avgPool2d } from "./pool.ts";
import { mean } from "./reduce.ts";
import { call } from "./registry.ts";
import { reshape, squeeze, unsqueeze, view } from "./view.ts";

/** @throws RuntimeError for parameters of another dtype than the input's. */
function assertOneDtype(x: Tensor, ...parameters: (Tensor | null)[]): void {
  const given = parameters.filter((p) => p !== null);
  if (given.length > 0 && given[0]!.dtype !== x.dtype) {
    throw new RuntimeError(
      given[0]!.dtype.name === "float32"
        ? "mixed dtype (CPU): all inputs must share same datatype."
        : "mixed dtype (CPU): expect parameter to have scalar type of Float",
    );
  }
  const other = given.find((p) => p.dtype !== x.dtype);
  if (other) {
    throw new RuntimeError(
      `expected scalar type ${SCALAR_TYPE_NAMES[x.dtype.name]} but found ${SCALAR_TYPE_NAMES[other.dtype.name]}`,
    );
  }
}

function assertFloating(x: Tensor, kernel: string): void {
  if (x.dtype.isFloatingPoint) return;
  throw new NotImplementedError(`"${kernel}" not implemented for '${SCALAR_TYPE_NAMES[x.dtype.name]}'`, {
    hint: "convert it first: x.float()",
  });
}

/** [1, C, 1, …] for an input [N, C, …]. */
function alongChannels({ shape }: Tensor): number[] {
  return shape.map((n, d) => (d === 1 ? n : 1));
}

export interface AffineOptions {
  /** Factor after normalising. Default none. */
  weight?: Tensor | null;
  /** Added last. Default none. */
  bias?: Tensor | null;
  /** Added to the variance. Default 1e-5. */
  eps?: number;
}

export interface BatchNormOptions extends AffineOptions {
  /** Uses the batch's statistics and moves the running ones towards them. Default false: uses the running ones. */
  training?: boolean;
  /** Share of the batch's statistics in the new running ones. Default 0.1. */
  momentum?: number;
}

interface BatchNormArguments extends BatchNormOptions {
  input: Tensor;
  runningMean?: Tensor | null;
  runningVar?: Tensor | null;
}

/**
 * (x - mean) / √(var + eps) · weight + bias for each channel, over batch and places.
 *
 * @param input [N, C] or [N, C, …]
 * @param runningMean [C]; in training it is changed: (1 - momentum) · old + momentum · the batch's
 * @param runningVar [C]; likewise, with the unbiased variance
 * @throws ValueError when training sees one value per channel
 * @see https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.batch_norm.html
 */
export function batchNorm(
  input: Tensor,
  runningMean: Tensor | null,
  runningVar: Tensor | null,
  options?: BatchNormOptions,
): Tensor;
export function batchNorm(...args: unknown[]): Tensor {
  const bound = bind<BatchNormArguments>(
    "batch_norm",
    ["!input", "!runningMean", "!runningVar", "weight", "bias", "training", "momentum", "eps"],
    args,
  );
  assertTensor(bound.input, "batch_norm", "input", 1);
  if (bound.training) {
    const { shape } = bound.input;
    if (shape[0]! * numel(shape.slice(2)) === 1) {
      throw new ValueError(
        `Expected more than 1 value per channel when training, got input size torch.Size(${sizeText(shape)})`,
        { shapes: [shape], hint: "use a larger batch, or model.eval() to use the running statistics" },
      );
    }
  }
  return batchNormOf(bound);
}

function batchNormOf({
  input,
  runningMean = null,
  runningVar = null,
  weight = null,
  bias = null,
  training = false,
  momentum = 0.1,
  eps = 1e-5,
}: BatchNormArguments): Tensor {
  const channels = input.shape[1]!;
  for (const [name, given] of Object.entries({ running_mean: runningMean, running_var: runningVar, weight, bias })) {
    if (given && given.numel() !== channels) {
      throw new RuntimeError(`${name} should contain ${channels} elements not ${given.numel()}`, {
        shapes: [input.shape, given.shape],
      });
    }
    if (!given && !training && name.startsWith("running")) {
      throw new RuntimeError(`${name} must be defined in evaluation mode`);
    }
  }
  assertFloating(input, "batch_norm");
  assertOneDtype(input, weight, bias, runningMean, runningVar);
  const batch = input.shape[0]!;
  const places = numel(input.shape.slice(2));
  // As ATen has it: channels that lie side by side go on to.
  const apart = input.ndim === 4 && !input.isContiguous() && isChannelsLast(input);
  const groups: Groups = {
    shape: [1, channels, batch, places],
    strides: apart ? [0, 1, channels * places, channels] : [0, places, channels * places, 1],
    affine: [0, 1, 0, 0],
  };
  const statistics = training
    ? ownStatistics(input, groups)
    : { mean: copyRaw(runningMean!), variance: copyRaw(runningVar!), given: true };
  const dims = input.shape.map((_, d) => d).filter((d) => d !== 1);
  const out = call(
    BatchNorm,
    {
      shape: input.shape,
      dims,
      eps,
      affine: alongChannels(input),
      biasShape: [channels],
      groups,
      layout: apart ? input.strides : contiguousStrides(input.shape),
      statistics,
    },
    input,
    weight,
    bias,
  );
  if (training && input.numel() > 0) {
    const count = batch * places;
    noGrad(() => {
      if (runningMean) drift(runningMean, statistics.mean, momentum);
      if (runningVar) drift(runningVar, mul(statistics.variance, count / (count - 1)), momentum);
    });
  }
  return out;
}

function drift(running: Tensor, towards: Tensor, momentum: number): void {
  running.copy_(add(mul(towards, momentum), mul(running, 1 - momentum)));
}

export interface InstanceNormOptions extends AffineOptions {
  /** [C]; moved towards the statistics of the input, or used instead of them. Default none. */
  runningMean?: Tensor | null;
  /** [C]; likewise. Default none. */
  runningVar?: Tensor | null;
  /** Uses each sample's own statistics. Default true. */
  useInputStats?: boolean;
  /** Share of the new statistics in the running ones. Default 0.1. */
  momentum?: number;
}

/**
 * Normalises each channel of each sample by itself.
 *
 * @param input [N, C, …]
 * @throws ValueError for one place per channel
 * @see https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.instance_norm.html
 */
export function instanceNorm(input: Tensor, options?: InstanceNormOptions): Tensor;
export function instanceNorm(...args: unknown[]): Tensor {
  const {
    input,
    runningMean = null,
    runningVar = null,
    weight = null,
    bias = null,
    useInputStats = true,
    momentum = 0.1,
    eps = 1e-5,
  } = bind<{ input: Tensor } & InstanceNormOptions>(
    "instance_norm",
    ["!input", "runningMean", "runningVar", "weight", "bias", "useInputStats", "momentum", "eps"],
    args,
  );
  assertTensor(input, "instance_norm", "input", 1);
  const { shape } = input;
  if (useInputStats && numel(shape.slice(2)) === 1) {
    throw new ValueError(
      `Expected more than 1 spatial element when training, got input size torch.Size(${sizeText(shape)})`,
      { shapes: [shape] },
    );
  }
  if (!useInputStats && !(runningMean && runningVar)) {
    throw new RuntimeError("Expected running_mean and running_var to be defined when use_input_stats is false");
  }
  const [n, c] = shape as unknown as [number, number];
  const repeated = (x: Tensor | null) => (x ? repeat(x, n) : null);
  const means = repeated(runningMean);
  const variances = repeated(runningVar);
  const out = batchNormOf({
    input: reshape(input, [1, n * c, ...shape.slice(2)]),
    runningMean: means,
    runningVar: variances,
    weight: repeated(weight),
    bias: repeated(bias),
    training: useInputStats,
    momentum,
    eps,
  });
  if (useInputStats) {
    noGrad(() => {
      if (runningMean) runningMean.copy_(mean(reshape(means!, [n, c]), 0));
      if (runningVar) runningVar.copy_(mean(reshape(variances!, [n, c]), 0));
    });
  }
  return view(out, shape);
}

function checkNormalizedShape(input: Tensor, normalizedShape: readonly number[], separator: string): void {
  if (normalizedShape.length === 0) {
    throw new RuntimeError(
      "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got normalized_shape = []",
    );
  }
  const tail = input.shape.slice(Math.max(0, input.ndim - normalizedShape.length));
  if (!sameShape(tail, normalizedShape)) {
    throw new RuntimeError(
      `Given normalized_shape=${sizeText(normalizedShape)}, expected input with shape [*${separator}${normalizedShape.join(", ")}], but got input of size${sizeText(input.shape)}`,
      { shapes: [input.shape, normalizedShape] },
    );
  }
}

function checkAffine(name: string, given: Tensor | null, normalizedShape: readonly number[]): void {
  if (!given || sameShape(given.shape, normalizedShape)) return;
  throw new RuntimeError(
    `Expected ${name} to be of same shape as normalized_shape, but got ${name} of shape ${sizeText(given.shape)} and normalized_shape = ${sizeText(normalizedShape)}`,
    { shapes: [given.shape, normalizedShape] },
  );
}

/**
 * Normalises over the last dimensions, which are `normalizedShape`.
 *
 * @param input [..., *normalizedShape]
 * @see https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.layer_norm.html
 */
export function layerNorm(input: Tensor, normalizedShape: readonly number[], options?: AffineOptions): Tensor;
export function layerNorm(...args: unknown[]): Tensor {
  const {
    input,
    normalizedShape,
    weight = null,
    bias = null,
    eps = 1e-5,
  } = bind<{ input: Tensor; normalizedShape: readonly number[] } & AffineOptions>(
    "layer_norm",
    ["!input: Tensor", "!normalizedShape: int[]", "weight: Tensor?", "bias: Tensor?", "eps: float"],
    args,
  );
  assertTensor(input, "layer_norm", "input", 1);
  if (normalizedShape.length === 0) checkNormalizedShape(input, normalizedShape, ", ");
  checkAffine("weight", weight, normalizedShape);
  checkAffine("bias", bias, normalizedShape);
  checkNormalizedShape(input, normalizedShape, ", ");
  assertOneDtype(input, weight, bias);
  assertFloating(input, "LayerNormKernelImpl");
  const lead = input.ndim - normalizedShape.length;
  const dims = normalizedShape.map((_, i) => lead + i);
  const affine = input.shape.map((n, d) => (d < lead ? 1 : n));
  const size = numel(normalizedShape);
  const groups: Groups = {
    shape: [1, numel(input.shape.slice(0, lead)), 1, size],
    strides: [0, size, 0, 1],
    affine: [0, 0, 0, 1],
  };
  const statistics = ownStatistics(input, groups);
  return call(
    LayerNorm,
    {
      shape: input.shape,
      dims,
      eps,
      affine,
      biasShape: normalizedShape,
      groups,
      layout: contiguousStrides(input.shape),
      statistics,
    },
    input,
    weight,
    bias,
  );
}

export interface RmsNormOptions {
  /** Factor after normalising, in normalizedShape. Default none. */
  weight?: Tensor | null;
  /** Added to the mean square. Default: the dtype's machine epsilon. */
  eps?: number | null;
}

/** x / √(mean x² + eps) · weight over the last dimensions. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.rms_norm.html */
export function rmsNorm(input: Tensor, normalizedShape: readonly number[], options?: RmsNormOptions): Tensor;
export function rmsNorm(...args: unknown[]): Tensor {
  const {
    input,
    normalizedShape,
    weight = null,
    eps,
  } = bind<{ input: Tensor; normalizedShape: readonly number[] } & RmsNormOptions>(
    "rms_norm",
    ["!input", "!normalizedShape", "weight", "eps"],
    args,
  );
  assertTensor(input, "rms_norm", "input", 1);
  if (normalizedShape.length === 0) checkNormalizedShape(input, normalizedShape, "");
  if (input.ndim < normalizedShape.length) {
    throw new ValueError(`Input tensor must have at least ${normalizedShape.length} dimensions, but got ${input.ndim}`);
  }
  checkAffine("weight", weight, normalizedShape);
  checkNormalizedShape(input, normalizedShape, "");
  assertFloating(input, "rms_norm");
  const epsilon = eps ?? (input.dtype.name === "float64" ? Number.EPSILON : 2 ** -23);
  const dims = normalizedShape.map((_, i) => input.ndim - 1 - i);
  const normal = mul(input, rsqrt(add(mean(pow(input, 2), dims, { keepdim: true }), epsilon)));
  return weight ? mul(normal, weight) : normal;
}

/**
 * Normalises each of `numGroups` groups of channels of each sample.
 *
 * @param input [N, C, …], C divisible by numGroups
 * @see https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.group_norm.html
 */
export function groupNorm(input: Tensor, numGroups: number, options?: AffineOptions): Tensor;
export function groupNorm(...args: unknown[]): Tensor {
  const {
    input,
    numGroups,
    weight = null,
    bias = null,
    eps = 1e-5,
  } = bind<{ input: Tensor; numGroups: number } & AffineOptions>(
    "group_norm",
    ["!input", "!numGroups: int", "weight", "bias", "eps"],
    args,
  );
  assertTensor(input, "group_norm", "input", 1);
  const { shape } = input;
  if (shape.length < 2) {
    throw new RuntimeError(`Expected at least 2 dimensions for input tensor but received ${shape.length}`);
  }
  const [n, c] = shape as unknown as [number, number];
  // As PyTorch counts: the samples of a group are one batch.
  const counted = [Math.floor((n * c) / numGroups), numGroups, ...shape.slice(2)];
  if (counted[0]! * numel(shape.slice(2)) === 1) {
    throw new ValueError(`Expected more than 1 value per channel when training, got input size ${sizeText(counted)}`, {
      shapes: [shape],
    });
  }
  if (numGroups <= 0) throw new RuntimeError(`Expected num groups to be greater than 0, got ${numGroups}`);
  if (c % numGroups !== 0) {
    throw new RuntimeError(
      `Expected number of channels in input to be divisible by num_groups, but got input of shape ${sizeText(shape)} and num_groups=${numGroups}`,
      { shapes: [shape] },
    );
  }
  for (const [name, given] of Object.entries({ weight, bias })) {
    if (given && (given.ndim !== 1 || given.numel() !== c)) {
      // PyTorch names the weight's shape for either, [0] where there is none.
      throw new RuntimeError(
        `Expected ${name} to be a vector of size equal to the number of channels in input, but got ${name} of shape ${sizeText(weight?.shape ?? [0])} and input of shape ${sizeText(shape)}`,
        { shapes: [given.shape, shape] },
      );
    }
  }
  assertOneDtype(input, weight, bias);
  assertFloating(input, "GroupNormKernelImpl");
  const places = numel(shape.slice(2));
  const channels = c / numGroups;
  const groups: Groups = {
    shape: [n, numGroups, channels, places],
    strides: [c * places, channels * places, places, 1],
    affine: [0, channels, 1, 0],
  };
  const attrs = {
    shape: [n, numGroups, channels * places],
    dims: [2],
    eps,
    affine: alongChannels(input),
    biasShape: [c],
    groups,
    layout: contiguousStrides(shape),
    statistics: ownStatistics(input, groups),
  };
  return call(GroupNorm, attrs, input, weight, bias);
}

export interface LocalResponseNormOptions {
  /** Factor of the mean square. Default 1e-4. */
  alpha?: number;
  /** Exponent. Default 0.75. */
  beta?: number;
  /** Default 1. */
  k?: number;
}

/** x / (k + alpha · mean of x² over `size` neighbouring channels)^beta. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.local_response_norm.html */
export function localResponseNorm(input: Tensor, size: number, options?: LocalResponseNormOptions): Tensor;
export function localResponseNorm(...args: unknown[]): Tensor {
  const {
    input,
    size,
    alpha = 1e-4,
    beta = 0.75,
    k = 1,
  } = bind<{ input: Tensor; size: number } & LocalResponseNormOptions>(
    "local_response_norm",
    ["!input", "!size: int", "alpha: float", "beta: float", "k: float"],
    args,
  );
  assertTensor(input, "local_response_norm", "input", 1);
  if (input.ndim < 3) {
    throw new ValueError(
      `Expected 3D or higher dimensionality                          input (got ${input.ndim} dimensions)`,
    );
  }
  if (input.numel() === 0) return input;
  const [n, c] = input.shape as unknown as [number, number];
  const planes = unsqueeze(reshape(mul(input, input), [n, c, -1]), 1);
  const padded = pad(planes, [0, 0, Math.floor(size / 2), Math.floor((size - 1) / 2)]);
  const averaged = squeeze(avgPool2d(padded, [size, 1], { stride: 1 }), 1);
  const divisor = pow(add(mul(reshape(averaged, input.shape), alpha), k), beta);
  return div(input, divisor);
}
