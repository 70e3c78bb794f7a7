/**
 * Initial values of parameters; each function fills a tensor in place and returns it.
 * https://docs.pytorch.org/docs/2.13/nn.init.html
 */

import { noGrad } from "../autograd/mode.ts";
import { bind, missingArguments } from "../core/arguments.ts";
import { assertNumber } from "../core/checks.ts";
import { allocate, int64 } from "../core/dtype.ts";
import { RuntimeError, TypeError, ValueError } from "../core/errors.ts";
import { fillNormal, fillPermutation, fillUniform, type Generator } from "../core/random.ts";
import { Storage } from "../core/storage.ts";
import { pythonTypeName, Tensor } from "../core/tensor.ts";
import { warn } from "../core/warnings.ts";
import { assertReal, assertTensor } from "./operands.ts";

export interface GeneratorOption {
  /** Where the random numbers come from. Default: torch's generator. */
  generator?: Generator | null;
}

export type Nonlinearity =
  | "linear"
  | "conv1d"
  | "conv2d"
  | "conv3d"
  | "conv_transpose1d"
  | "conv_transpose2d"
  | "conv_transpose3d"
  | "sigmoid"
  | "tanh"
  | "relu"
  | "leaky_relu"
  | "selu";

const GAIN_ONE: ReadonlySet<string> = new Set([
  "linear",
  "conv1d",
  "conv2d",
  "conv3d",
  "conv_transpose1d",
  "conv_transpose2d",
  "conv_transpose3d",
  "sigmoid",
]);

/**
 * The factor that keeps a signal's spread through this function: 5/3 for tanh, √2 for relu, √(2 / (1 + slope²)) for
 * leaky_relu, 3/4 for selu, else 1.
 *
 * @param param leaky_relu's negative slope. Default 0.01.
 * @throws ValueError for any other function
 */
export function calculateGain(nonlinearity: Nonlinearity, param: number | null = null): number {
  if (nonlinearity === undefined) throw missingArguments("calculate_gain", ["nonlinearity"]);
  if (GAIN_ONE.has(nonlinearity)) return 1;
  switch (nonlinearity) {
    case "tanh":
      return 5 / 3;
    case "relu":
      return Math.sqrt(2);
    case "leaky_relu": {
      if (param !== null && typeof param !== "number")
        throw new ValueError(`negative_slope ${param} not a valid number`);
      return Math.sqrt(2 / (1 + (param ?? 0.01) ** 2));
    }
    case "selu":
      return 3 / 4;
    default:
      throw new ValueError(`Unsupported nonlinearity ${nonlinearity}`);
  }
}

/** Fills with numbers drawn uniformly from [a, b). Defaults: a = 0, b = 1. */
export function uniform_(tensor: Tensor, options?: { a?: number; b?: number } & GeneratorOption): Tensor;
export function uniform_(...args: unknown[]): Tensor {
  const {
    tensor,
    a = 0,
    b = 1,
    generator,
  } = bind<{ tensor: Tensor; a?: number; b?: number } & GeneratorOption>(
    "uniform_",
    ["!tensor", "a", "b", "generator"],
    args,
  );
  return uniform(tensor, a, b, generator);
}

/** Fills with normal numbers. Defaults: mean = 0, std = 1. */
export function normal_(tensor: Tensor, options?: { mean?: number; std?: number } & GeneratorOption): Tensor;
export function normal_(...args: unknown[]): Tensor {
  const {
    tensor,
    mean = 0,
    std = 1,
    generator,
  } = bind<{ tensor: Tensor; mean?: number; std?: number } & GeneratorOption>(
    "normal_",
    ["!tensor", "mean", "std", "generator"],
    args,
  );
  return normal(tensor, mean, std, generator);
}

export interface TruncNormalOptions extends GeneratorOption {
  /** Default 0. */
  mean?: number;
  /** Default 1. */
  std?: number;
  /** Lower bound. Default -2. */
  a?: number;
  /** Upper bound. Default 2. */
  b?: number;
}

/** Fills with normal numbers; those outside [a, b] are drawn anew. */
export function truncNormal_(tensor: Tensor, options?: TruncNormalOptions): Tensor;
export function truncNormal_(...args: unknown[]): Tensor {
  const bound = bind<{ tensor: Tensor } & TruncNormalOptions>(
    "trunc_normal_",
    ["!tensor", "mean", "std", "a", "b", "generator"],
    args,
  );
  const { tensor, mean = 0, std = 1, a = -2, b = 2, generator } = bound;
  assertTensor(tensor, "normal_");
  for (const value of [mean, std, a, b]) assertReal(value);
  if (mean < a - 2 * std || mean > b + 2 * std) {
    warn("mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of values may be incorrect.");
  }
  const within = cumulative((b - mean) / std) - cumulative((a - mean) / std);
  const draw = within > 0.3 ? redrawOutside : rejectUniform;
  return put(tensor, draw(tensor, mean, std, a, b, generator));
}

/** Fills with one value. */
export function constant_(tensor: Tensor, val: number): Tensor;
export function constant_(...args: unknown[]): Tensor {
  const { tensor, val } = bind<{ tensor: Tensor; val: number }>("constant_", ["!tensor", "!val"], args);
  assertTensor(tensor, "fill_");
  if (typeof val !== "number" && typeof val !== "boolean" && !((val as unknown) instanceof Tensor)) {
    const type = pythonTypeName(val);
    const why = `      didn't match because some of the arguments have invalid types: (!${type}!)`;
    throw new TypeError(
      `fill_() received an invalid combination of arguments - got (${type}), but expected one of:\n * (Tensor value)\n${why}\n * (Number value)\n${why}\n`,
    );
  }
  return noGrad(() => tensor.fill_(val)) as Tensor;
}

/** Fills with ones. */
export function ones_(tensor: Tensor): Tensor;
export function ones_(...args: unknown[]): Tensor {
  return constant_(bind<{ tensor: Tensor }>("ones_", ["!tensor"], args).tensor, 1);
}

/** Fills with zeros. */
export function zeros_(tensor: Tensor): Tensor;
export function zeros_(...args: unknown[]): Tensor {
  return constant_(bind<{ tensor: Tensor }>("zeros_", ["!tensor"], args).tensor, 0);
}

/** Makes a matrix the identity: ones on the diagonal. @throws ValueError unless it has two dimensions */
export function eye_(tensor: Tensor): Tensor;
export function eye_(...args: unknown[]): Tensor {
  const { tensor } = bind<{ tensor: Tensor }>("eye_", ["!tensor"], args);
  assertTensor(tensor, "ndimension");
  if (tensor.ndim !== 2) throw new ValueError("Only tensors with 2 dimensions are supported");
  const [rows, columns] = tensor.shape as unknown as [number, number];
  const data = allocate(tensor.dtype, rows * columns);
  for (let i = 0; i < Math.min(rows, columns); i++) data[i * columns + i] = 1;
  return put(tensor, data);
}

/**
 * Makes a convolution's weight pass its channels through: a one in the middle of each kernel that joins channel i to
 * channel i. Default: one group.
 * @throws ValueError unless it has 3, 4 or 5 dimensions and as many kernels as fit the groups
 */
export function dirac_(tensor: Tensor, options?: { groups?: number }): Tensor;
export function dirac_(...args: unknown[]): Tensor {
  const { tensor, groups = 1 } = bind<{ tensor: Tensor; groups?: number }>("dirac_", ["!tensor", "groups"], args);
  assertTensor(tensor, "ndimension");
  if (tensor.ndim < 3 || tensor.ndim > 5) throw new ValueError("Only tensors with 3, 4, or 5 dimensions are supported");
  const [outputs, inputs, ...window] = tensor.shape as unknown as [number, number, ...number[]];
  if (outputs % groups !== 0) throw new ValueError("dim 0 must be divisible by groups");
  const perGroup = outputs / groups;
  const area = window.reduce((a, b) => a * b, 1);
  const middle = window.reduce((position, size) => position * size + Math.floor(size / 2), 0);
  const data = allocate(tensor.dtype, tensor.numel());
  for (let g = 0; g < groups; g++) {
    for (let d = 0; d < Math.min(perGroup, inputs); d++) data[((g * perGroup + d) * inputs + d) * area + middle] = 1;
  }
  return put(tensor, data);
}

export interface OrthogonalOptions extends GeneratorOption {
  /** Factor of all values. Default 1. */
  gain?: number;
}

/**
 * Fills with an orthogonal matrix (Saxe et al., 2013): rows, or columns where there are fewer, of length 1 and at right
 * angles. Further dimensions count as one.
 * @throws ValueError below two dimensions
 */
export function orthogonal_(tensor: Tensor, options?: OrthogonalOptions): Tensor;
export function orthogonal_(...args: unknown[]): Tensor {
  const {
    tensor,
    gain = 1,
    generator,
  } = bind<{ tensor: Tensor } & OrthogonalOptions>("orthogonal_", ["!tensor", "gain", "generator"], args);
  assertTensor(tensor, "ndimension");
  if (tensor.ndim < 2) throw new ValueError("Only tensors with 2 or more dimensions are supported");
  if (tensor.numel() === 0) return tensor;
  const rows = tensor.shape[0]!;
  const columns = tensor.numel() / rows;
  const data = allocate(tensor.dtype, tensor.numel());
  fillNormal(data, 0, 1, generator ?? undefined);
  // As vectors: the columns of a tall matrix, the rows of a wide one.
  const [count, length] = rows < columns ? [rows, columns] : [columns, rows];
  const place = (vector: number, i: number) => (rows < columns ? vector * columns + i : i * columns + vector);
  const vectors = Array.from({ length: count }, (_, v) => Float64Array.from({ length }, (_, i) => data[place(v, i)]!));
  orthonormalize(vectors);
  vectors.forEach((vector, v) => {
    vector.forEach((x, i) => {
      data[place(v, i)] = x;
    });
  });
  for (let i = 0; i < data.length; i++) data[i] = data[i]! * gain;
  return put(tensor, data);
}

/**
 * Gram and Schmidt's, twice, for what rounding left: the Q of a QR decomposition whose R has a positive diagonal, which is
 * what PyTorch makes of LAPACK's.
 */
function orthonormalize(vectors: readonly Float64Array[]): void {
  vectors.forEach((vector, v) => {
    for (let pass = 0; pass < 2; pass++) {
      for (const before of vectors.slice(0, v)) {
        const along = before.reduce((sum, x, i) => sum + x * vector[i]!, 0);
        before.forEach((x, i) => {
          vector[i]! -= along * x;
        });
      }
    }
    const norm = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
    vector.forEach((x, i) => {
      vector[i] = x / norm;
    });
  });
}

export interface SparseOptions extends GeneratorOption {
  /** Spread of what is not 0. Default 0.01. */
  std?: number;
}

/**
 * Fills a matrix with normal numbers and sets this share of each column to 0 (Martens, 2010).
 * @throws ValueError unless it has two dimensions
 */
export function sparse_(tensor: Tensor, sparsity: number, options?: SparseOptions): Tensor;
export function sparse_(...args: unknown[]): Tensor {
  const {
    tensor,
    sparsity,
    std = 0.01,
    generator,
  } = bind<{ tensor: Tensor; sparsity: number } & SparseOptions>(
    "sparse_",
    ["!tensor", "!sparsity", "std", "generator"],
    args,
  );
  assertTensor(tensor, "ndimension");
  assertReal(sparsity);
  if (tensor.ndim !== 2) throw new ValueError("Only tensors with 2 dimensions are supported");
  const [rows, columns] = tensor.shape as unknown as [number, number];
  const zeros = Math.ceil(sparsity * rows);
  const data = allocate(tensor.dtype, tensor.numel());
  fillNormal(data, 0, std, generator ?? undefined);
  const order = allocate(int64, rows);
  for (let column = 0; column < columns; column++) {
    // Of torch's generator in any case, as in PyTorch.
    fillPermutation(order);
    for (let i = 0; i < zeros; i++) data[order[i]! * columns + column] = 0;
  }
  return put(tensor, data);
}

export interface XavierOptions extends GeneratorOption {
  /** Factor of the spread; see `calculateGain`. Default 1. */
  gain?: number;
}

/** Glorot and Bengio (2010), uniform on ±gain · √(6 / (fanIn + fanOut)). */
export function xavierUniform_(tensor: Tensor, options?: XavierOptions): Tensor;
export function xavierUniform_(...args: unknown[]): Tensor {
  const { tensor, std, generator } = xavier("xavier_uniform_", args);
  const bound = Math.sqrt(3) * std;
  return uniform(tensor, -bound, bound, generator);
}

/** Glorot and Bengio (2010), normal with std gain · √(2 / (fanIn + fanOut)). */
export function xavierNormal_(tensor: Tensor, options?: XavierOptions): Tensor;
export function xavierNormal_(...args: unknown[]): Tensor {
  const { tensor, std, generator } = xavier("xavier_normal_", args);
  return normal(tensor, 0, std, generator);
}

export interface KaimingOptions extends GeneratorOption {
  /** Negative slope of the rectifier behind the layer, with "leaky_relu" only. Default 0. */
  a?: number;
  /** Which spread is kept: the forward pass's ("fan_in") or the backward pass's. Default "fan_in". */
  mode?: "fan_in" | "fan_out";
  /** Default "leaky_relu". */
  nonlinearity?: Nonlinearity;
}

/** He et al. (2015), uniform on ±gain · √(3 / fan). */
export function kaimingUniform_(tensor: Tensor, options?: KaimingOptions): Tensor;
export function kaimingUniform_(...args: unknown[]): Tensor {
  const { tensor, std, generator } = kaiming("kaiming_uniform_", args);
  const bound = Math.sqrt(3) * std;
  return uniform(tensor, -bound, bound, generator);
}

/** He et al. (2015), normal with std gain / √fan. */
export function kaimingNormal_(tensor: Tensor, options?: KaimingOptions): Tensor;
export function kaimingNormal_(...args: unknown[]): Tensor {
  const { tensor, std, generator } = kaiming("kaiming_normal_", args);
  return normal(tensor, 0, std, generator);
}

/**
 * How many inputs make one output, and how many outputs one input reaches.
 * @throws ValueError below two dimensions
 */
export function calculateFanInAndFanOut(tensor: Tensor): [fanIn: number, fanOut: number] {
  assertTensor(tensor, "dim");
  if (tensor.ndim < 2) {
    throw new ValueError("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions");
  }
  const [outputs, inputs, ...window] = tensor.shape as unknown as [number, number, ...number[]];
  const area = window.reduce((a, b) => a * b, 1);
  return [inputs * area, outputs * area];
}

function xavier(name: string, args: unknown[]) {
  const {
    tensor,
    gain = 1,
    generator,
  } = bind<{ tensor: Tensor } & XavierOptions>(name, ["!tensor", "gain", "generator"], args);
  const [fanIn, fanOut] = calculateFanInAndFanOut(tensor);
  assertReal(gain);
  return { tensor, std: gain * Math.sqrt(2 / (fanIn + fanOut)), generator };
}

function kaiming(name: string, args: unknown[]) {
  const bound = bind<{ tensor: Tensor } & KaimingOptions>(
    name,
    ["!tensor", "a", "mode", "nonlinearity", "generator"],
    args,
  );
  const { tensor, a = 0, mode = "fan_in", nonlinearity = "leaky_relu", generator } = bound;
  assertTensor(tensor, "shape");
  if (tensor.numel() === 0) {
    warn("Initializing zero-element tensors is a no-op");
    return { tensor, std: 0, generator };
  }
  const kept = mode.toLowerCase();
  if (kept !== "fan_in" && kept !== "fan_out") {
    throw new ValueError(`Mode ${kept} not supported, please use one of ['fan_in', 'fan_out']`);
  }
  const [fanIn, fanOut] = calculateFanInAndFanOut(tensor);
  return { tensor, std: calculateGain(nonlinearity, a) / Math.sqrt(kept === "fan_in" ? fanIn : fanOut), generator };
}

type Data = ReturnType<typeof allocate>;

function uniform(tensor: Tensor, from: number, to: number, generator?: Generator | null): Tensor {
  assertTensor(tensor, "uniform_");
  for (const [i, [name, value]] of Object.entries({ from, to }).entries()) {
    assertNumber(value, "uniform_", name, i + 1);
    if (!Number.isFinite(value)) throw new RuntimeError(`${name} is out of bounds for float`);
  }
  const data = allocate(tensor.dtype, tensor.numel());
  fillUniform(data, from, to, generator ?? undefined);
  return put(tensor, data);
}

function normal(tensor: Tensor, mean: number, std: number, generator?: Generator | null): Tensor {
  assertTensor(tensor, "normal_");
  assertNumber(mean, "normal_", "mean", 1);
  assertNumber(std, "normal_", "std", 2);
  const data = allocate(tensor.dtype, tensor.numel());
  fillNormal(data, mean, std, generator ?? undefined);
  return put(tensor, data);
}

/** Copies new values into the tensor, without a gradient. */
function put(tensor: Tensor, data: Data): Tensor {
  return noGrad(() => tensor.copy_(new Tensor(new Storage(tensor.dtype, data), tensor.shape))) as Tensor;
}

type Draw = (tensor: Tensor, mean: number, std: number, a: number, b: number, generator?: Generator | null) => Data;

/** Most of the bell lies within the bounds: the few numbers outside are drawn again, the whole tensor's worth each time. */
const redrawOutside: Draw = (tensor, mean, std, a, b, generator) => {
  const data = allocate(tensor.dtype, tensor.numel());
  const again = allocate(tensor.dtype, tensor.numel());
  const [low, high] = inPrecisionOf(tensor, [a, b]);
  fillNormal(data, mean, std, generator ?? undefined);
  while (data.some((x) => x < low! || x > high!)) {
    fillNormal(again, mean, std, generator ?? undefined);
    for (let i = 0; i < data.length; i++) if (data[i]! < low! || data[i]! > high!) data[i] = again[i]!;
  }
  return data;
};

/** Little of it does: uniform candidates are kept with the probability that the bell has there. */
const rejectUniform: Draw = (tensor, mean, std, a, b, generator) => {
  const mode = Math.max(a, Math.min(mean, b));
  const peak = -0.5 * ((mode - mean) / std) ** 2;
  const data = allocate(tensor.dtype, tensor.numel());
  const candidates = allocate(tensor.dtype, tensor.numel());
  const chances = allocate(tensor.dtype, tensor.numel());
  const pending = new Uint8Array(data.length).fill(1);
  const round = tensor.dtype.itemsize === 4 ? Math.fround : (x: number) => x;
  do {
    fillUniform(candidates, a, b, generator ?? undefined);
    fillUniform(chances, 0, 1, generator ?? undefined);
    for (let i = 0; i < data.length; i++) {
      if (!pending[i]) continue;
      data[i] = candidates[i]!;
      const z = round(round(candidates[i]! - mean) / std);
      const density = round(round(-0.5 * round(z * z)) - peak);
      if (!(round(Math.log(chances[i]!)) > density)) pending[i] = 0;
    }
  } while (pending.some((p) => p === 1));
  return data;
};

function inPrecisionOf(tensor: Tensor, values: readonly number[]): Data {
  const data = allocate(tensor.dtype, values.length);
  data.set(values);
  return data;
}

/** The normal distribution's cumulative function; `erf` by its series and continued fraction, to double precision. */
function cumulative(x: number): number {
  return (1 + erf(x / Math.SQRT2)) / 2;
}

function erf(x: number): number {
  const magnitude = Math.abs(x);
  if (magnitude > 6) return Math.sign(x);
  if (magnitude > 3) {
    let fraction = 0;
    for (let k = 60; k > 0; k--) fraction = k / 2 / (magnitude + fraction);
    const tail = Math.exp(-magnitude * magnitude) / (Math.sqrt(Math.PI) * (magnitude + fraction));
    return Math.sign(x) * (1 - tail);
  }
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Number.EPSILON * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
