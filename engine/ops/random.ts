/**
 * Random tensors, from PyTorch's stream (engine/core/random.ts says how the numbers come about).
 * https://docs.pytorch.org/docs/2.13/torch.html#random-sampling
 */
import { kernels } from "../backends/index.ts";
import { bind, isOptions } from "../core/arguments.ts";
import type { Device } from "../core/device.ts";
import { allocate, bool, type DType, int64, type TypedArray, uint8 } from "../core/dtype.ts";
import { NotImplementedError, RuntimeError } from "../core/errors.ts";
import { copyStrides, stridesInOrder } from "../core/layout.ts";
import { getDefaultDtype, SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import {
  defaultGenerator,
  fillBernoulli,
  fillBernoulliScalar,
  fillCauchy,
  fillExponential,
  fillGeometric,
  fillLogNormal,
  fillMultinomial,
  fillNormal,
  fillPermutation,
  fillRandomFull,
  fillRandomInt,
  fillUniform,
  type Generator,
} from "../core/random.ts";
import { broadcastShapes, contiguousStrides, isContiguous, numel, type Shape } from "../core/shape.ts";
import { Storage } from "../core/storage.ts";
import { Tensor } from "../core/tensor.ts";
import { finish, type SizeArguments, shapeAndOptions, type TensorOptions } from "./creation.ts";
import { overwrite } from "./inplace.ts";
import { methods } from "./registry.ts";
import { expand } from "./view.ts";

export interface GeneratorOption {
  /** Where the numbers come from. Default: the generator that `manualSeed` seeds. */
  generator?: Generator | null;
}

export interface RandomOptions extends TensorOptions, GeneratorOption {}

/** Fills memory from its beginning; `contiguous` tells whether that is row by row. */
type Fill = (out: TypedArray, generator: Generator, contiguous: boolean) => void;

function drawn(
  shape: Shape,
  dtype: DType,
  generator: Generator | null | undefined,
  fill: Fill,
  strides: readonly number[] = contiguousStrides(shape),
  device?: Device,
): Tensor {
  const data = allocate(dtype, numel(shape));
  fill(data, generator ?? defaultGenerator, isContiguous(shape, strides));
  return new Tensor(new Storage(dtype, data, device), shape, strides);
}

/** @throws NotImplementedError for integers, as ATen's kernels do. */
function assertFloating(dtype: DType, kernel: string): void {
  if (!dtype.isFloatingPoint) {
    throw new NotImplementedError(`"${kernel}" not implemented for '${SCALAR_TYPE_NAMES[dtype.name]}'`);
  }
}

// ---- creation

/** Uniform on [0, 1): `rand(2, 3)`, `rand([2, 3], { dtype })`. */
export function rand(...args: SizeArguments<RandomOptions>): Tensor {
  const { shape, options } = shapeAndOptions<RandomOptions>("rand", args, ["generator"]);
  const dtype = options.dtype ?? getDefaultDtype();
  assertFloating(dtype, "check_uniform_bounds");
  return finish(
    drawn(shape, dtype, options.generator, (out, g) => fillUniform(out, 0, 1, g)),
    options,
  );
}

/** Normal with mean 0 and standard deviation 1: `randn(2, 3)`. */
export function randn(...args: SizeArguments<RandomOptions>): Tensor {
  const { shape, options } = shapeAndOptions<RandomOptions>("randn", args, ["generator"]);
  const dtype = options.dtype ?? getDefaultDtype();
  assertFloating(dtype, "normal_kernel_cpu");
  return finish(
    drawn(shape, dtype, options.generator, (out, g) => fillNormal(out, 0, 1, g)),
    options,
  );
}

/** Integers from low (default 0) up to, not including, high: `randint(10, [3])`, `randint(-5, 5, [2, 4])`. */
export function randint(high: number, size: readonly number[], options?: RandomOptions): Tensor;
export function randint(low: number, high: number, size: readonly number[], options?: RandomOptions): Tensor;
export function randint(options: { low?: number; high: number; size: readonly number[] } & RandomOptions): Tensor;
export function randint(...args: unknown[]): Tensor {
  const params =
    Array.isArray(args[1]) || isOptions(args[1])
      ? ["!high: int", "!size: int[]", "*", "low: int"]
      : ["low: int", "!high: int", "!size: int[]", "*"];
  const {
    low = 0,
    high,
    size,
    ...options
  } = bind<{ low?: number; high: number; size: number[] } & RandomOptions>(
    "randint",
    [...params, "dtype", "device", "requiresGrad", "generator"],
    args,
  );
  const { shape } = shapeAndOptions("randint", [size]);
  const dtype = options.dtype ?? int64;
  checkIntegerRange(dtype, low, high);
  return finish(
    drawn(shape, dtype, options.generator, (out, g) => fillRandomInt(out, low, high, g)),
    options,
  );
}

/** The integers 0 … n-1 in random order. */
export function randperm(n: number, options?: RandomOptions): Tensor;
export function randperm(...args: unknown[]): Tensor {
  const { n, ...options } = bind<{ n: number } & RandomOptions>(
    "randperm",
    ["!n: int", "*", "dtype", "device", "requiresGrad", "generator"],
    args,
  );
  const { shape } = shapeAndOptions("randperm", [n]);
  return finish(drawn(shape, options.dtype ?? int64, options.generator, fillPermutation), options);
}

/** A tensor like another, drawn in the other's order in memory. */
function drawnLike(input: Tensor, options: RandomOptions, fill: Fill): Tensor {
  const dtype = options.dtype ?? input.dtype;
  return finish(drawn(input.shape, dtype, options.generator, fill, copyStrides(input), input.device), options);
}

function like(name: string, kernel: string, fill: Fill) {
  return (input: Tensor, options: RandomOptions = {}): Tensor => {
    bind(name, ["!input: Tensor", "*", "dtype", "device", "requiresGrad", "generator"], [input, options]);
    assertFloating(options.dtype ?? input.dtype, kernel);
    return drawnLike(input, options, fill);
  };
}

/** As `rand`, in the shape and dtype of `input`. */
export const randLike: (input: Tensor, options?: RandomOptions) => Tensor = like(
  "rand_like",
  "check_uniform_bounds",
  (out, g) => fillUniform(out, 0, 1, g),
);
/** As `randn`, in the shape and dtype of `input`. */
export const randnLike: (input: Tensor, options?: RandomOptions) => Tensor = like(
  "randn_like",
  "normal_kernel_cpu",
  (out, g, contiguous) => fillNormal(out, 0, 1, g, contiguous),
);

/** As `randint`, in the shape and dtype of `input`. */
export function randintLike(input: Tensor, high: number, options?: RandomOptions): Tensor;
export function randintLike(input: Tensor, low: number, high: number, options?: RandomOptions): Tensor;
export function randintLike(input: Tensor, ...args: unknown[]): Tensor {
  const bounds = args.filter((arg) => !isOptions(arg)).length > 1 ? ["!low: int", "!high: int"] : ["!high: int"];
  const {
    low = 0,
    high,
    ...options
  } = bind<{ low?: number; high: number } & RandomOptions>(
    "randint_like",
    ["!input: Tensor", ...bounds, "*", "dtype", "device", "requiresGrad", "generator"],
    [input, ...args],
  );
  checkIntegerRange(options.dtype ?? input.dtype, low, high);
  return drawnLike(input, options, (out, g) => fillRandomInt(out, low, high, g));
}

/** Normal with the given mean and standard deviation: numbers and a size, or tensors that give one of each per element. */
export function normal(mean: number, std: number, size: readonly number[], options?: RandomOptions): Tensor;
export function normal(mean: Tensor, std?: Tensor | number, options?: GeneratorOption): Tensor;
export function normal(mean: number, std: Tensor, options?: GeneratorOption): Tensor;
export function normal(...args: unknown[]): Tensor {
  const {
    mean,
    std = 1,
    size,
    generator,
    ...options
  } = bind<{ mean: Tensor | number; std?: Tensor | number; size?: number[] } & RandomOptions>(
    "normal",
    ["!mean", "std", "size", "*", "generator", "dtype", "device", "requiresGrad"],
    args,
  );
  if (typeof mean === "number" && typeof std === "number") {
    const { shape } = shapeAndOptions("normal", [size ?? []]);
    const dtype = options.dtype ?? getDefaultDtype();
    return finish(
      drawn(shape, dtype, generator, (out, g) => fillNormal(out, mean, std, g)),
      options,
    );
  }
  const means = mean instanceof Tensor ? mean : null;
  const stds = std instanceof Tensor ? std : null;
  if (stds?.denseData().some((s) => !(s >= 0))) throw new RuntimeError("normal expects all elements of std >= 0.0");
  const shape = broadcastShapes(means?.shape ?? [], stds?.shape ?? []);
  const dtype = (means ?? stds)!.dtype;
  assertFloating(dtype, "normal_kernel_cpu");
  const out = drawn(shape, dtype, generator, (data, g) => fillNormal(data, 0, 1, g));
  const data = out.storage.data;
  const meanAt = means ? expand(means, shape).denseData() : null;
  const stdAt = stds ? expand(stds, shape).denseData() : null;
  const round = dtype.itemsize === 4 ? Math.fround : (x: number) => x;
  for (let i = 0; i < data.length; i++) {
    data[i] = round(data[i]! * (stdAt ? stdAt[i]! : (std as number))) + (meanAt ? meanAt[i]! : (mean as number));
  }
  return out;
}

/** Ones and zeros; each element of `input` is the probability of a one there. */
export function bernoulli(input: Tensor, options?: GeneratorOption): Tensor;
export function bernoulli(...args: unknown[]): Tensor {
  const { input, generator } = bind<{ input: Tensor } & GeneratorOption>(
    "bernoulli",
    ["!input", "*", "generator"],
    args,
  );
  assertFloating(input.dtype, "bernoulli_tensor_cpu_p_");
  const fill: Fill = (out, g) => fillBernoulli(out, input.denseData(), g);
  return drawn(input.shape, input.dtype, generator, fill, undefined, input.device);
}

export interface MultinomialOptions extends GeneratorOption {
  /** Whether an index may be drawn twice. Default false. */
  replacement?: boolean;
}

/** `numSamples` indices for each row of weights, which need not sum to 1. */
export function multinomial(input: Tensor, numSamples: number, options?: MultinomialOptions): Tensor;
export function multinomial(...args: unknown[]): Tensor {
  const {
    input,
    numSamples,
    replacement = false,
    generator,
  } = bind<{ input: Tensor; numSamples: number } & MultinomialOptions>(
    "multinomial",
    ["!input", "!numSamples", "replacement", "*", "generator"],
    args,
  );
  if (input.ndim !== 1 && input.ndim !== 2) throw new RuntimeError("prob_dist must be 1 or 2 dim");
  if (!input.dtype.isFloatingPoint) {
    throw new RuntimeError(
      `multinomial only supports floating-point dtypes for input, got: ${SCALAR_TYPE_NAMES[input.dtype.name]}`,
    );
  }
  if (!(numSamples > 0)) throw new RuntimeError("cannot sample n_sample <= 0 samples");
  const rows = input.ndim === 2 ? input.shape[0]! : 1;
  const shape = input.ndim === 2 ? [rows, numSamples] : [numSamples];
  const fill: Fill = (out, g) => fillMultinomial(out, input.denseData(), rows, numSamples, replacement, g);
  return drawn(shape, int64, generator, fill, undefined, input.device);
}

// ---- in place

/** Draws anew, in the order in which self lies in memory. */
function refill(self: Tensor, gradFn: string, generator: Generator | null | undefined, fill: Fill): Tensor {
  const own: Fill = (out, g) => fill(out, g, self.isContiguous());
  return overwrite(
    self,
    gradFn,
    drawn(self.shape, self.dtype, generator, own, stridesInOrder(self.shape, [self]), self.device),
  );
}

/** x's elements in the order in which those of another tensor of its shape lie in memory. */
function inOrderOf(order: Tensor, x: Tensor): TypedArray {
  const copy = new Tensor(Storage.allocate(x.dtype, x.numel()), x.shape, stridesInOrder(order.shape, [order]));
  kernels.copy(x.kernelView, copy.kernelView);
  return copy.storage.data;
}

interface Range extends GeneratorOption {
  from?: number;
  to?: number;
}

function uniform_(self: Tensor, ...args: unknown[]): Tensor {
  const {
    from = 0,
    to = 1,
    generator,
  } = bind<Range>("uniform_", ["!self: Tensor", "from: float", "to: float", "*", "generator"], [self, ...args]);
  assertFloating(self.dtype, "check_uniform_bounds");
  return refill(self, "UniformBackward0", generator, (out, g) => fillUniform(out, from, to, g));
}

function normal_(self: Tensor, ...args: unknown[]): Tensor {
  const {
    mean = 0,
    std = 1,
    generator,
  } = bind<{ mean?: number; std?: number } & GeneratorOption>(
    "normal_",
    ["!self: Tensor", "mean: float", "std: float", "*", "generator"],
    [self, ...args],
  );
  assertFloating(self.dtype, "normal_kernel_cpu");
  return refill(self, "NormalBackward0", generator, (out, g, contiguous) => fillNormal(out, mean, std, g, contiguous));
}

function random_(self: Tensor, ...args: unknown[]): Tensor {
  const numbers = args.filter((a) => typeof a === "number").length;
  const { from, to, generator } = bind<Range>(
    "random_",
    numbers === 1 ? ["to", "*", "from", "generator"] : ["from", "to", "*", "generator"],
    args,
  );
  if (to === undefined && from === undefined) {
    return refill(self, "RandomBackward0", generator, (out, g) => fillRandomFull(out, self.dtype.name, g));
  }
  const low = from ?? 0;
  const high = to ?? UPPER_BOUND[self.dtype.name] + 1;
  checkIntegerRange(self.dtype, low, high);
  return refill(self, "RandomBackward0", generator, (out, g) => fillRandomInt(out, low, high, g));
}

function bernoulli_(self: Tensor, ...args: unknown[]): Tensor {
  const { p = 0.5, generator } = bind<{ p?: number | Tensor } & GeneratorOption>(
    "bernoulli_",
    ["p", "*", "generator"],
    args,
  );
  if (!(p instanceof Tensor))
    return refill(self, "BernoulliBackward2", generator, (out, g) => fillBernoulliScalar(out, p, g));
  const probabilities = inOrderOf(self, expand(p, self.shape));
  return refill(self, "BernoulliBackward0", generator, (out, g) => fillBernoulli(out, probabilities, g));
}

function exponential_(self: Tensor, ...args: unknown[]): Tensor {
  const { lambd = 1, generator } = bind<{ lambd?: number } & GeneratorOption>(
    "exponential_",
    ["!self: Tensor", "lambd: float", "*", "generator"],
    [self, ...args],
  );
  if (!self.dtype.isFloatingPoint) {
    throw new RuntimeError(
      `Exponential distribution is a continuous probability distribution. dtype must be a floating point but you specified ${SCALAR_TYPE_NAMES[self.dtype.name]}`,
    );
  }
  return refill(self, "ExponentialBackward0", generator, (out, g) => fillExponential(out, lambd, g));
}

function geometric_(self: Tensor, ...args: unknown[]): Tensor {
  const { p, generator } = bind<{ p: number } & GeneratorOption>(
    "geometric_",
    ["!self: Tensor", "!p: float", "*", "generator"],
    [self, ...args],
  );
  return refill(self, "GeometricBackward0", generator, (out, g) => fillGeometric(out, p, g));
}

function logNormal_(self: Tensor, ...args: unknown[]): Tensor {
  const {
    mean = 1,
    std = 2,
    generator,
  } = bind<{ mean?: number; std?: number } & GeneratorOption>(
    "log_normal_",
    ["!self: Tensor", "mean: float", "std: float", "*", "generator"],
    [self, ...args],
  );
  assertFloating(self.dtype, "log_normal_cpu");
  return refill(self, "LogNormalBackward0", generator, (out, g) => fillLogNormal(out, mean, std, g));
}

function cauchy_(self: Tensor, ...args: unknown[]): Tensor {
  const {
    median = 0,
    sigma = 1,
    generator,
  } = bind<{ median?: number; sigma?: number } & GeneratorOption>(
    "cauchy_",
    ["!self: Tensor", "median: float", "sigma: float", "*", "generator"],
    [self, ...args],
  );
  if (!self.dtype.isFloatingPoint) {
    throw new RuntimeError(
      `Cauchy distribution is a continuous probability distribution. dtype must be a floating point but you specified ${SCALAR_TYPE_NAMES[self.dtype.name]}`,
    );
  }
  return refill(self, "CauchyBackward0", generator, (out, g) => fillCauchy(out, median, sigma, g));
}

/** The largest integer that every smaller one of which the dtype holds too. */
const UPPER_BOUND = {
  bool: 1,
  uint8: 255,
  int32: 2 ** 31 - 1,
  int64: 2 ** 53 - 1,
  float32: 2 ** 24,
  float64: 2 ** 53,
} as const;

const C_NAMES = {
  uint8: "unsigned char",
  int32: "int",
  int64: "long",
  bool: "bool",
  float32: "float",
  float64: "double",
} as const;

/** @throws RuntimeError where the dtype does not hold the bounds; an empty range is told first, as in PyTorch. */
function checkIntegerRange(dtype: DType, low: number, high: number): void {
  if (!(low < high)) {
    throw new RuntimeError(`random_ expects 'from' to be less than 'to', but got from=${low} >= to=${high}`);
  }
  if (dtype.isFloatingPoint) return;
  const lowest = dtype === bool || dtype === uint8 ? 0 : -UPPER_BOUND[dtype.name] - 1;
  if (low < lowest) throw new RuntimeError(`from is out of bounds for ${C_NAMES[dtype.name]}`);
  if (high - 1 > UPPER_BOUND[dtype.name]) throw new RuntimeError(`to - 1 is out of bounds for ${C_NAMES[dtype.name]}`);
}

methods({
  uniform_,
  normal_,
  random_,
  bernoulli_,
  exponential_,
  geometric_,
  logNormal_,
  cauchy_,
  bernoulli,
  multinomial,
});

declare module "../core/tensor.ts" {
  interface Tensor {
    /** Fills with numbers drawn uniformly from [from, to). Defaults 0 and 1. */
    uniform_(from?: number, to?: number, options?: GeneratorOption): Tensor;
    /** Fills with normal numbers. Defaults: mean 0, standard deviation 1. */
    normal_(mean?: number, std?: number, options?: GeneratorOption): Tensor;
    /** Fills with integers from [from, to); without bounds, from all that the dtype holds exactly. */
    random_(options?: GeneratorOption): Tensor;
    random_(to: number, options?: GeneratorOption): Tensor;
    random_(from: number, to: number, options?: GeneratorOption): Tensor;
    /** Fills with ones of probability p (default 0.5) and zeros. */
    bernoulli_(p?: number | Tensor, options?: GeneratorOption): Tensor;
    /** Fills with exponential numbers of rate lambd (default 1). */
    exponential_(lambd?: number, options?: GeneratorOption): Tensor;
    /** Fills with numbers of trials up to the first success. */
    geometric_(p: number, options?: GeneratorOption): Tensor;
    /** Fills with numbers whose logarithms are normal. Defaults: mean 1, standard deviation 2. */
    logNormal_(mean?: number, std?: number, options?: GeneratorOption): Tensor;
    /** Fills with Cauchy numbers. Defaults: median 0, sigma 1. */
    cauchy_(median?: number, sigma?: number, options?: GeneratorOption): Tensor;
    /** Ones and zeros; each element is the probability of a one there. */
    bernoulli(options?: GeneratorOption): Tensor;
    /** Indices drawn with these weights. */
    multinomial(numSamples: number, options?: MultinomialOptions): Tensor;
  }
}
