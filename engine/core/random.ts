/**
 * Random numbers, bit for bit PyTorch's (CPU): how much of the stream each distribution takes and how it turns the bits
 * into numbers follows ATen's DistributionTemplates.h and TransformationHelper.h. Functions fill a dense typed array in
 * row-major order; its class tells the precision (Float32Array: 24 random bits, else 53).
 *
 * float32 normal numbers in arrays of 16 or more may differ from PyTorch's in the last bit, because ATen computes them
 * with a vector library whose `log`, `sin` and `cos` vary between processors.
 */
import type { DTypeName, TypedArray } from "./dtype.ts";
import { RuntimeError } from "./errors.ts";
import { defaultGenerator, type Generator } from "./generator.ts";

export { defaultGenerator, Generator } from "./generator.ts";

/** Up to this range an integer takes one 32-bit draw (the modulo's skew stays under about 5 %), above it one of 64. */
const WIDE_RANGE = 2 ** 28;

/** Ranges that a dtype's `random_` without bounds covers: every integer the type holds exactly. */
const FULL_RANGE: Record<DTypeName, number | bigint> = {
  bool: 2,
  uint8: 2 ** 8,
  int32: 2 ** 31,
  int64: 2n ** 53n + 1n,
  float32: 2 ** 24 + 1,
  float64: 2n ** 53n + 1n,
};

/** Uniform on [from, to). */
export function fillUniform(out: TypedArray, from = 0, to = 1, generator: Generator = defaultGenerator): void {
  if (from > to)
    throw new RuntimeError(`uniform_ expects to return a [from, to) range, but found from=${from} > to=${to}`);
  if (out instanceof Float32Array) {
    const start = Math.fround(from);
    const span = Math.fround(Math.fround(to) - start);
    // Product and sum in double, rounded once: what a fused multiply-add gives.
    for (let i = 0; i < out.length; i++) out[i] = generator.uniform24() * span + start;
    return;
  }
  const span = to - from;
  for (let i = 0; i < out.length; i++) out[i] = fusedMultiplyAdd(generator.uniform53(), span, from);
}

/**
 * Normal with the given mean and standard deviation.
 * @param contiguous whether the tensor behind `out` lies row by row: ATen draws in blocks only for those. Default true
 */
export function fillNormal(
  out: TypedArray,
  mean = 0,
  std = 1,
  generator: Generator = defaultGenerator,
  contiguous = true,
): void {
  if (!(std >= 0)) throw new RuntimeError(`normal expects std >= 0.0, but found std ${std}`);
  if (out.length < 16 || !contiguous) {
    for (let i = 0; i < out.length; i++) out[i] = generator.normal() * std + mean;
    return;
  }
  const single = out instanceof Float32Array;
  const transform = single ? boxMullerSingle : boxMullerDouble;
  const drawUniforms = (start: number) => {
    for (let i = start; i < out.length; i++) out[i] = single ? generator.uniform24() : generator.uniform53();
  };
  drawUniforms(0);
  for (let block = 0; block + 16 <= out.length; block += 16) transform(out, block, mean, std);
  if (out.length % 16 !== 0) {
    // ATen draws the last 16 anew where they don't fill a block.
    drawUniforms(out.length - 16);
    transform(out, out.length - 16, mean, std);
  }
}

/** Integers on [low, high). */
export function fillRandomInt(
  out: TypedArray,
  low: number,
  high: number,
  generator: Generator = defaultGenerator,
): void {
  if (!(low < high)) {
    throw new RuntimeError(`random_ expects 'from' to be less than 'to', but got from=${low} >= to=${high}`);
  }
  const range = high - low;
  if (range < WIDE_RANGE) {
    for (let i = 0; i < out.length; i++) out[i] = (generator.random() % range) + low;
    return;
  }
  const wide = BigInt(high) - BigInt(low);
  for (let i = 0; i < out.length; i++) out[i] = Number((generator.random64() % wide) + BigInt(low));
}

/**
 * `random_()` without bounds: the whole range of the dtype's exact integers. int64 lives in doubles here and is drawn
 * below 2^53 + 1, where PyTorch goes to 2^63; the stream is consumed alike.
 */
export function fillRandomFull(out: TypedArray, dtype: DTypeName, generator: Generator = defaultGenerator): void {
  const range = FULL_RANGE[dtype];
  for (let i = 0; i < out.length; i++) {
    out[i] = typeof range === "number" ? generator.random() % range : Number(generator.random64() % range);
  }
}

/** A random permutation of 0 … out.length - 1. */
export function fillPermutation(out: TypedArray, generator: Generator = defaultGenerator): void {
  const n = out.length;
  for (let i = 0; i < n; i++) out[i] = i;
  for (let i = 0; i < n - 1; i++) {
    const j = i + (generator.random() % (n - i));
    const kept = out[i]!;
    out[i] = out[j]!;
    out[j] = kept;
  }
}

/**
 * Ones and zeros, one probability for each element: `torch.bernoulli(input)`. A double array of probabilities is compared
 * with 53 random bits, a single one with 24.
 */
export function fillBernoulli(
  out: TypedArray,
  probabilities: TypedArray,
  generator: Generator = defaultGenerator,
): void {
  const single = probabilities instanceof Float32Array;
  for (let i = 0; i < out.length; i++) {
    const p = probabilities[i]!;
    if (!(p >= 0 && p <= 1)) {
      throw new RuntimeError(
        "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message be improved?  " +
          "If so, please report an enhancement request to PyTorch.)",
      );
    }
    out[i] = (single ? generator.uniform24() : generator.uniform53()) < p ? 1 : 0;
  }
}

/** Ones with one probability for all: `x.bernoulli_(p)`, and the mask of dropout. Takes 53 bits per element. */
export function fillBernoulliScalar(out: TypedArray, p = 0.5, generator: Generator = defaultGenerator): void {
  if (!(p >= 0 && p <= 1)) throw new RuntimeError(`bernoulli_ expects p to be in [0, 1], but got p=${p}`);
  for (let i = 0; i < out.length; i++) out[i] = generator.uniform53() < p ? 1 : 0;
}

/** Exponential with rate `lambda`. */
export function fillExponential(out: TypedArray, lambda = 1, generator: Generator = defaultGenerator): void {
  if (!(lambda > 0)) throw new RuntimeError(`exponential_ expects lambda > 0.0, but found lambda=${lambda}`);
  for (let i = 0; i < out.length; i++) out[i] = (-1 / lambda) * Math.log1p(-generator.uniform53());
}

/** Numbers whose logarithms are normal with the given mean and standard deviation. */
export function fillLogNormal(out: TypedArray, mean = 1, std = 2, generator: Generator = defaultGenerator): void {
  if (!(std > 0)) throw new RuntimeError(`log_normal_ expects std > 0.0, but found std=${std}`);
  for (let i = 0; i < out.length; i++) out[i] = Math.exp(generator.normal() * std + mean);
}

/** Cauchy, around `median`. */
export function fillCauchy(out: TypedArray, median = 0, sigma = 1, generator: Generator = defaultGenerator): void {
  if (!(sigma > 0)) throw new RuntimeError(`cauchy_ expects sigma > 0.0, but found sigma=${sigma}`);
  for (let i = 0; i < out.length; i++) out[i] = median + sigma * Math.tan(Math.PI * (generator.uniform53() - 0.5));
}

/** Number of trials up to the first success: 1, 2, … */
export function fillGeometric(out: TypedArray, p: number, generator: Generator = defaultGenerator): void {
  if (!(p > 0 && p < 1)) throw new RuntimeError(`geometric_ expects p to be in (0, 1), but got p=${p}`);
  for (let i = 0; i < out.length; i++) out[i] = Math.ceil(Math.log(generator.uniform53()) / Math.log1p(-p));
}

/**
 * Draws `samples` indices for each row of `weights` ([rows, categories], need not sum to 1) into `out` ([rows, samples]).
 * Without replacement, or for a single sample, PyTorch races exponential clocks: the smallest q/w wins.
 */
export function fillMultinomial(
  out: TypedArray,
  weights: TypedArray,
  rows: number,
  samples: number,
  replacement: boolean,
  generator: Generator = defaultGenerator,
): void {
  const categories = weights.length / rows;
  for (const w of weights) {
    if (!(w >= 0 && w < Infinity)) {
      throw new RuntimeError("probability tensor contains either `inf`, `nan` or element < 0");
    }
  }
  if (!replacement && samples > categories) {
    throw new RuntimeError("cannot sample n_sample > prob_dist.size(-1) samples without replacement");
  }
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let i = 0; i < categories; i++) sum += weights[row * categories + i]!;
    if (!(sum > 0)) throw new RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)");
  }
  if (replacement && samples > 1) sampleByCumulative(out, weights, rows, categories, samples, generator);
  else sampleByRace(out, weights, rows, categories, samples, generator);
}

function sampleByCumulative(
  out: TypedArray,
  weights: TypedArray,
  rows: number,
  categories: number,
  samples: number,
  generator: Generator,
): void {
  const cumulative = weights instanceof Float32Array ? new Float32Array(categories) : new Float64Array(categories);
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let i = 0; i < categories; i++) {
      cumulative[i] = sum + weights[row * categories + i]!;
      sum = cumulative[i]!;
    }
    for (let i = 0; i < categories; i++) cumulative[i] = cumulative[i]! / sum;
    cumulative[categories - 1] = 1;
    for (let s = 0; s < samples; s++) {
      const u = generator.uniform53();
      let low = 0;
      let high = categories;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (cumulative[middle]! < u) low = middle + 1;
        else high = middle;
      }
      out[row * samples + s] = low;
    }
  }
}

function sampleByRace(
  out: TypedArray,
  weights: TypedArray,
  rows: number,
  categories: number,
  samples: number,
  generator: Generator,
): void {
  const race = weights instanceof Float32Array ? new Float32Array(weights.length) : new Float64Array(weights.length);
  fillExponential(race, 1, generator);
  // ATen takes the largest w/q, in the weights' precision.
  for (let i = 0; i < race.length; i++) race[i] = weights[i]! / race[i]!;
  for (let row = 0; row < rows; row++) {
    const scores = race.subarray(row * categories, (row + 1) * categories);
    const order = Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b);
    for (let s = 0; s < samples; s++) out[row * samples + s] = order[s]!;
  }
}

/** Turns 16 uniforms into 16 normal numbers: 8 radii, 8 angles. In single precision, step by step as ATen's vectors do. */
function boxMullerSingle(out: TypedArray, start: number, mean: number, std: number): void {
  const f = Math.fround;
  const twoPi = f(2 * Math.PI);
  const scale = f(std);
  const shift = f(mean);
  for (let i = start; i < start + 8; i++) {
    const radius = f(Math.sqrt(f(-2 * f(Math.log(1 - out[i]!)))));
    const theta = f(twoPi * out[i + 8]!);
    out[i] = f(radius * f(Math.cos(theta))) * scale + shift;
    out[i + 8] = f(radius * f(Math.sin(theta))) * scale + shift;
  }
}

function boxMullerDouble(out: TypedArray, start: number, mean: number, std: number): void {
  for (let i = start; i < start + 8; i++) {
    const radius = Math.sqrt(-2 * Math.log(1 - out[i]!));
    const theta = 2 * Math.PI * out[i + 8]!;
    out[i] = radius * Math.cos(theta) * std + mean;
    out[i + 8] = radius * Math.sin(theta) * std + mean;
  }
}

/** a·b + c with one rounding (Dekker's exact product, Knuth's exact sum; double rounding is possible once in ~2^50). */
function fusedMultiplyAdd(a: number, b: number, c: number): number {
  const product = a * b;
  const [aHigh, aLow] = split(a);
  const [bHigh, bLow] = split(b);
  const productError = aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
  const sum = product + c;
  const rounded = sum - product;
  const sumError = product - (sum - rounded) + (c - rounded);
  const fused = sum + (sumError + productError);
  // Spans so wide that splitting overflows: two roundings serve.
  return Number.isFinite(fused) ? fused : sum;
}

function split(x: number): [high: number, low: number] {
  const scaled = 134217729 * x;
  const high = scaled - (scaled - x);
  return [high, x - high];
}
