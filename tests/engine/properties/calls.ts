/** Calls that reach every operation of the registry, for tensors of any size and layout. */
import * as F from "../../../engine/nn/functional.ts";
import { targetsOnDevice } from "../../../engine/ops/loss_on_device.ts";
import * as torch from "../../../engine/torch.ts";

type Tensor = torch.Tensor;

/** How a tensor lies in memory. */
export const LAYOUTS = ["dense", "transposed", "every other", "repeated"] as const;
export type Layout = (typeof LAYOUTS)[number];

/** Makes the inputs of one call; the same ones each time. */
export class Inputs {
  readonly n: number;
  readonly layout: Layout;
  readonly dtype: torch.DType;
  /** What gradients are compared of. */
  readonly leaves: Tensor[] = [];
  #state = 12345;

  constructor(n: number, layout: Layout, dtype: torch.DType = torch.float32) {
    this.n = n;
    this.layout = layout;
    this.dtype = dtype;
  }

  #next(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) | 0;
    return (this.#state >>> 0) / 2 ** 32;
  }

  #numbers(shape: readonly number[], from: number, to: number): Tensor {
    const data = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => from + (to - from) * this.#next());
    return torch.tensor(data, { dtype: torch.float64 }).reshape(shape);
  }

  /** Numbers in [from, to), in the layout of the run, that want a gradient. */
  x(shape: readonly number[] = [this.n], from = -1, to = 1): Tensor {
    const last = shape.length - 1;
    const { layout } = this;
    if (layout === "transposed" && shape.length > 1) {
      const turned = [...shape.slice(0, -2), shape[last]!, shape[last - 1]!];
      return this.#leaf(this.#numbers(turned, from, to)).transpose(-1, -2);
    }
    if (layout === "every other" && shape.length > 0) {
      return this.#leaf(this.#numbers([...shape.slice(0, -1), 2 * shape[last]!], from, to)).get("...", "::2");
    }
    if (layout === "repeated" && shape.length > 0) {
      return this.#leaf(this.#numbers([1, ...shape.slice(1)], from, to)).expand([...shape]);
    }
    return this.#leaf(this.#numbers(shape, from, to));
  }

  #leaf(values: Tensor): Tensor {
    const leaf = values.to(this.dtype);
    if (this.dtype.isFloatingPoint) leaf.requiresGrad = true;
    this.leaves.push(leaf);
    return leaf;
  }

  positive(shape?: readonly number[]): Tensor {
    return this.x(shape, 0.25, 2);
  }

  /** Numbers that need no gradient. */
  constant(shape: readonly number[] = [this.n], from = -1, to = 1): Tensor {
    return this.#numbers(shape, from, to).to(this.dtype);
  }

  mask(shape: readonly number[] = [this.n]): Tensor {
    return this.#numbers(shape, -1, 1).gt(0);
  }

  /** Integers below `end`. */
  index(end: number, shape: readonly number[] = [this.n]): Tensor {
    return this.#numbers(shape, 0, end).floor().to(torch.int64);
  }
}

export type Call = (make: Inputs) => unknown;

const UNARY = [
  ...["abs", "neg", "sign", "exp", "expm1", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh"],
  ...["sigmoid", "relu", "erf", "floor", "ceil", "round", "trunc", "square", "isnan", "isinf", "isfinite"],
  ...["logicalNot", "tril", "triu", "flatten"],
] as const;
const OF_POSITIVE = ["log", "log2", "log10", "log1p", "sqrt", "rsqrt", "reciprocal"] as const;
const BINARY = [
  ...["add", "sub", "rsub", "mul", "maximum", "minimum", "eq", "ne", "lt", "le", "gt", "ge"],
  ...["logicalAnd", "logicalOr", "logicalXor"],
] as const;
const BY_POSITIVE = ["div", "remainder", "fmod", "hypot"] as const;
const ACTIVATIONS = [
  ...["celu", "elu", "gelu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leakyRelu", "logsigmoid", "mish"],
  ...["relu6", "selu", "silu", "softplus", "softshrink", "softsign", "tanhshrink"],
] as const;
const REDUCTIONS = ["sum", "mean", "prod", "amax", "amin", "all", "any", "std", "var", "nansum", "logsumexp"] as const;

/** A function of a namespace by its name. */
function named(namespace: object, name: string): (...args: unknown[]) => unknown {
  return Reflect.get(namespace, name) as (...args: unknown[]) => unknown;
}

/** A table of calls, one for each name. */
function each(names: readonly string[], call: (name: string, make: Inputs) => unknown): Record<string, Call> {
  return Object.fromEntries(names.map((name) => [name, (make: Inputs) => call(name, make)]));
}

/** The gradient of a call's square with respect to its first input, as something that is differentiated again. */
function twice(call: Call): Call {
  return (make) => {
    const output = [call(make)].flat()[0] as Tensor;
    const [slope] = torch.autograd.grad(output.mul(output).sum(), make.leaves[0]!, { createGraph: true });
    return slope;
  };
}

/** Pictures, a little wider than high. */
const picture = (make: Inputs, channels = 2) => make.x([2, channels, make.n, make.n + 2]);

const ELEMENTWISE: Record<string, Call> = {
  ...each(UNARY, (name, make) => named(torch, name)(make.x([make.n, 3]))),
  ...each(OF_POSITIVE, (name, make) => named(torch, name)(make.positive([make.n, 3]))),
  ...each(BINARY, (name, make) => named(torch, name)(make.x([make.n, 3]), make.x([make.n, 3]))),
  ...each(BY_POSITIVE, (name, make) => named(torch, name)(make.x([make.n, 3]), make.positive([make.n, 3]))),
  ...each(ACTIVATIONS, (name, make) => named(F, name)(make.x([make.n, 3], -4, 4))),
  "add of a row": (make) => make.x([make.n, 3]).add(make.x([3])),
  "add of a column, times two": (make) => make.x([make.n, 3]).add(make.x([make.n, 1]), { alpha: 2 }),
  ...each(["frac", "sgn"], (name, make) => named(torch, name)(make.x([make.n, 3]))),
  "arithmetic with a number": (make) => make.x().mul(3).sub(1).div(7),
  "a number by a tensor": (make) => torch.div(2, make.positive()),
  "div, rounded": (make) => torch.div(make.x([make.n], -9, 9), 2, { roundingMode: "trunc" }),
  "div, rounded down": (make) => torch.div(make.x([make.n], -9, 9), make.positive(), { roundingMode: "floor" }),
  "round to a decimal": (make) => named(torch, "round")(make.x([make.n, 3], -9, 9), { decimals: 1 }),
  floorDivide: (make) => torch.floorDivide(make.x([make.n], -9, 9).detach(), 2),
  "power of a tensor": (make) => torch.pow(make.positive(), make.x()),
  "power of a number": (make) => torch.pow(2, make.x()),
  "power to a number": (make) => make.x().pow(3),
  clamp: (make) => make.x().clamp(-0.5, 0.5),
  "clamp from below": (make) => make.x().clamp({ min: 0 }),
  where: (make) => torch.where(make.mask(), make.x(), make.x()),
  maskedFill: (make) => make.x().maskedFill(make.mask(), 2),
  "gelu, approximately": (make) => F.gelu(make.x([make.n, 3]), { approximate: "tanh" }),
  threshold: (make) => F.threshold(make.x(), 0.1, 5),
  glu: (make) => F.glu(make.x([make.n, 4])),
  prelu: (make) => F.prelu(make.x([make.n, 3]), make.x([3])),
  rrelu: (make) => F.rrelu(make.x(), { training: false }),
  "rrelu in training": (make) => F.rrelu(make.x(), { training: true }),
  dropout: (make) => F.dropout(make.x([make.n, 3]), { p: 0.4 }),
  "a column on either side": (make) => {
    const [x, column] = [make.x([make.n, 10]), make.x([make.n, 1])];
    return [column.sub(x), x.mul(column), x.lt(column), torch.where(x.lt(column), column, x)];
  },
  "a row on either side": (make) => {
    const [x, row] = [make.x([make.n, 7]), make.x([7])];
    return [row.div(x.add(3)), x.maximum(row), row.ge(x), torch.where(x.gt(0), x, row)];
  },
  "of parts of rows": (make) => {
    const x = make.x([make.n, 2, 9]);
    return [
      x.get("...", "2:7").relu(),
      x.get("...", "::2").exp(),
      x.select(1, 1).tanh(),
      x.get(":", 0).add(x.get(":", 1)),
    ];
  },
  "in place": (make) =>
    make
      .x([make.n, 3])
      .mul(1)
      .mul_(2)
      .add_(make.x([3]))
      .clamp_(-1, 1),
  "in place, in a part": (make) => {
    const y = make.x([make.n, 3]).mul(1);
    y.get(":", "1:").mul_(3);
    return y;
  },
  lerp: (make) => make.x().mul(1).lerp_(make.x(), 0.3),
  addcmul: (make) => make.x().mul(1).addcmul_(make.x(), make.x(), { value: 0.5 }),
  addcdiv: (make) => make.x().mul(1).addcdiv_(make.x(), make.positive(), { value: 0.5 }),
  "to another dtype and back": (make) => make.x().double().mul(2).float(),
};

const REDUCING: Record<string, Call> = {
  ...each(REDUCTIONS.slice(0, -1), (name, make) => named(torch, name)(make.x([make.n, 3]))),
  ...Object.fromEntries(
    REDUCTIONS.map((name) => [`${name} of each row`, (make: Inputs) => named(torch, name)(make.x([3, make.n]), 1)]),
  ),
  "sum of each of many rows": (make) => make.x([4, make.n * 9]).sum(1),
  "sum over two axes": (make) => make.x([3, make.n, 4]).sum([0, 2], { keepdim: true }),
  max: (make) => torch.max(make.x()),
  min: (make) => torch.min(make.x()),
  "max of each row": (make) => torch.max(make.x([3, make.n]), 1),
  "min of each column": (make) => torch.min(make.x([make.n, 3]), 0),
  blockDiag: (make) => torch.blockDiag(make.x([2, make.n]), make.x()),
  cross: (make) => torch.cross(make.x([make.n, 3]), make.x([make.n, 3]), 1),
  take: (make) => torch.take(make.x([2, make.n]), make.index(2 * make.n)),
  aminmax: (make) => torch.aminmax(make.x([3, make.n]), { dim: 1 }),
  varMean: (make) => torch.varMean(make.x([3, make.n]), 1),
  stdMean: (make) => torch.stdMean(make.x([3, make.n]), 1),
  argmax: (make) => make.x([3, make.n]).argmax(1),
  argmin: (make) => make.x([3, make.n]).argmin(1),
  median: (make) => torch.median(make.x()),
  norm: (make) => torch.norm(make.positive([make.n, 3])),
  "norm of order 3": (make) => torch.norm(make.positive([make.n, 3]), { p: 3, dim: 1 }),
  cumsum: (make) => make.x([make.n, 3]).cumsum(0),
  cumprod: (make) => make.positive([make.n, 3]).cumprod(0),
  softmax: (make) => torch.softmax(make.x([3, make.n]), 1),
  logSoftmax: (make) => torch.logSoftmax(make.x([3, make.n]), 1),
  "softmax along a middle axis": (make) => torch.softmax(make.x([3, make.n, 5]), 1),
  "logSoftmax along the first axis": (make) => torch.logSoftmax(make.x([make.n, 7]), 0),
  "logsumexp of each column": (make) => torch.logsumexp(make.x([2, make.n, 3]), 1),
  "var of each column": (make) => torch.var(make.x([make.n + 2, 9]), 0),
  "argmax along a middle axis": (make) => make.x([3, make.n, 5]).argmax(1),
  "amax over two axes": (make) => make.x([3, make.n, 5]).amax([0, 2]),
  trace: (make) => torch.trace(make.x([make.n, 3])),
  countNonzero: (make) => torch.countNonzero(make.mask([make.n, 3])),
};

const SHAPING: Record<string, Call> = {
  view: (make) => make.constant([make.n, 6]).view(make.n, 2, 3),
  reshape: (make) => make.x([make.n, 6]).reshape(-1),
  "reshape, t, mul": (make) => make.x([make.n, 6]).t().reshape(3, -1).mul(2),
  permute: (make) => make.x([make.n, 3, 2]).permute(2, 0, 1).mul(2),
  squeeze: (make) => make.x([make.n, 1, 3]).squeeze(1).mul(2),
  "squeeze all": (make) => make.x([1, make.n]).squeeze(),
  unsqueeze: (make) => make.x().unsqueeze(0).mul(2),
  expand: (make) => make.x([make.n, 1]).expand(make.n, 4).mul(2),
  alias: (make) => make.x([make.n, 3]).get("..."),
  select: (make) => make.x([make.n, 3]).select(1, 2).mul(2),
  slice: (make) => make.x([make.n, 5]).get(":", "1::2").mul(2),
  diagonal: (make) => make.x([make.n, 5]).diagonal(1).mul(2),
  diag: (make) => torch.diag(make.x()),
  windows: (make) => make.x([make.n, 5]).unfold(1, 2, 2).mul(2),
  cat: (make) => torch.cat([make.x([make.n, 2]), make.x([make.n, 3])], 1),
  stack: (make) => torch.stack([make.x(), make.x()]),
  repeat: (make) => make.x([make.n, 2]).repeat(2, 2),
  flip: (make) => make.x([make.n, 3]).flip(0),
  roll: (make) => make.x([make.n, 3]).roll(2, 0),
  pad: (make) => F.pad(make.x([make.n, 3]), [1, 2]),
  "pad by reflection": (make) => F.pad(make.x([1, make.n, 4]), [2, 1], { mode: "reflect" }),
  index: (make) => make.x([make.n + 1, 3]).get(make.index(make.n + 1)),
  "index set": (make) => {
    const y = make.x([make.n + 1, 3]).mul(1);
    y.set([make.index(make.n + 1, [1])], make.x([1, 3]));
    return y;
  },
  indexSelect: (make) => torch.indexSelect(make.x([make.n + 1, 3]), 0, make.index(make.n + 1)),
  indexAdd: (make) => torch.indexAdd(make.x([make.n + 1, 3]), 0, make.index(make.n + 1), make.x([make.n, 3])),
  gather: (make) => torch.gather(make.x([make.n + 1, 3]), 0, make.index(make.n + 1, [make.n, 3])),
  "gather of a corner": (make) => torch.gather(make.x([make.n + 2, 40]), 1, make.index(40, [make.n, 30])),
  "scatterAdd of whole rows": (make) =>
    torch.scatterAdd(make.x([make.n, 9]), 1, make.index(9, [make.n, 20]), make.x([make.n, 20])),
  "indexAdd along the last axis": (make) =>
    torch.indexAdd(make.x([make.n, 9]), 1, make.index(9, [30]), make.x([make.n, 30])),
  "indexSelect along the last axis": (make) => torch.indexSelect(make.x([make.n, 9]), 1, make.index(9, [30])),
  unique: (make) => torch.unique(make.constant([make.n, 3], 0, 4).floor(), { returnInverse: true }),
  "unique rows": (make) => torch.unique(make.constant([make.n + 1, 2], 0, 3).floor(), { dim: 0 }),
  uniqueConsecutive: (make) => torch.uniqueConsecutive(make.constant([make.n], 0, 3).floor()),
  scatter: (make) => torch.scatter(make.x([make.n, 3]), 1, make.index(3, [make.n, 1]), make.x([make.n, 1])),
  scatterAdd: (make) => torch.scatterAdd(make.x([make.n, 3]), 1, make.index(3, [make.n, 2]), make.x([make.n, 2])),
  maskedSelect: (make) => torch.maskedSelect(make.x(), make.mask()),
  sort: (make) => torch.sort(make.x([make.n, 3]), 0),
  topk: (make) => torch.topk(make.x([3, make.n]), 1),
  kthvalue: (make) => torch.kthvalue(make.x([3, make.n]), 1),
  embedding: (make) => F.embedding(make.index(7, [make.n, 2]), make.x([7, 4])),
  "embedding, by frequency": (make) => F.embedding(make.index(7), make.x([7, 4]), { scaleGradByFreq: true }),
};

const PRODUCTS: Record<string, Call> = {
  mm: (make) => torch.mm(make.x([make.n, 5]), make.x([5, make.n])),
  "mm of long rows": (make) => torch.mm(make.x([3, make.n]), make.x([make.n, 4])),
  bmm: (make) => torch.bmm(make.x([2, make.n, 3]), make.x([2, 3, make.n])),
  mv: (make) => torch.mv(make.x([3, make.n]), make.x()),
  dot: (make) => torch.dot(make.x(), make.x()),
  outer: (make) => torch.outer(make.x(), make.x([3])),
  matmul: (make) => torch.matmul(make.x([2, 1, make.n, 3]), make.x([4, 3, 2])),
  addmm: (make) => torch.addmm(make.x([4]), make.x([make.n, 3]), make.x([3, 4]), { beta: 0.5, alpha: 2 }),
  baddbmm: (make) => torch.baddbmm(make.x([2, 1, 4]), make.x([2, make.n, 3]), make.x([2, 3, 4])),
  linear: (make) => F.linear(make.x([make.n, 5]), make.x([4, 5]), make.x([4])),
  einsum: (make) => torch.einsum("ij,kj->ik", make.x([make.n, 3]), make.x([4, 3])),
  bilinear: (make) => F.bilinear(make.x([make.n, 2]), make.x([make.n, 3]), make.x([4, 2, 3]), make.x([4])),
  attention: (make) => F.scaledDotProductAttention(make.x([2, make.n, 4]), make.x([2, 5, 4]), make.x([2, 5, 4])),
};

const WINDOWS: Record<string, Call> = {
  conv1d: (make) => F.conv1d(make.x([2, 3, make.n]), make.x([4, 3, 3]), { bias: make.x([4]), padding: 1 }),
  conv2d: (make) => F.conv2d(picture(make), make.x([3, 2, 3, 3]), { bias: make.x([3]) }),
  "conv2d with everything": (make) =>
    F.conv2d(picture(make), make.x([4, 1, 2, 3]), { stride: [2, 1], padding: [1, 2], dilation: [1, 2], groups: 2 }),
  "conv2d 'same'": (make) => F.conv2d(picture(make), make.x([2, 2, 2, 3]), { padding: "same" }),
  convTranspose2d: (make) =>
    F.convTranspose2d(picture(make), make.x([2, 3, 3, 2]), {
      bias: make.x([3]),
      stride: 2,
      padding: 1,
      outputPadding: 1,
    }),
  maxPool1d: (make) => F.maxPool1d(make.x([2, 3, make.n]), 2),
  maxPool2d: (make) => F.maxPool2d(picture(make), 3, { stride: 2, padding: 1, ceilMode: true }),
  "maxPool2d, dilated": (make) => F.maxPool2d(picture(make), 2, { stride: 1, dilation: 2, returnIndices: true }),
  avgPool1d: (make) => F.avgPool1d(make.x([2, 3, make.n]), 2),
  avgPool2d: (make) => F.avgPool2d(picture(make), 3, { stride: 2, padding: 1, countIncludePad: false }),
  lpPool2d: (make) => F.lpPool2d(make.positive([2, 2, make.n, make.n]), 2, 2),
  adaptiveAvgPool2d: (make) => F.adaptiveAvgPool2d(picture(make), [3, 2]),
  adaptiveMaxPool2d: (make) => F.adaptiveMaxPool2d(picture(make), [2, 3]),
  maxUnpool2d: (make) => {
    const [y, at] = F.maxPool2d(picture(make), 2, { returnIndices: true });
    return F.maxUnpool2d(y, at, 2, { outputSize: [make.n, make.n + 2] });
  },
  unfold: (make) => F.unfold(picture(make), 2),
  fold: (make) => F.fold(make.x([2, 8, make.n]), [2, make.n + 1], 2),
  fractionalMaxPool2d: (make) => F.fractionalMaxPool2d(picture(make), 2, { outputRatio: [0.5, 0.5] }),
  affineGrid: (make) => F.affineGrid(make.x([2, 2, 3]), [2, 1, make.n, 3]),
  gridSample: (make) => F.gridSample(picture(make), make.x([2, 4, 5, 2])),
  channelShuffle: (make) => F.channelShuffle(picture(make, 4), 2),
  pixelShuffle: (make) => F.pixelShuffle(make.x([1, 8, make.n, 3]), 2),
  pixelUnshuffle: (make) => F.pixelUnshuffle(make.x([1, 2, 2 * make.n, 4]), 2),
  interpolate: (make) => F.interpolate(picture(make), { scaleFactor: 2, mode: "bilinear" }),
};

const NORMS_AND_LOSSES: Record<string, Call> = {
  batchNorm: (make) =>
    F.batchNorm(make.x([make.n, 3, 4]), make.constant([3]), make.constant([3], 1, 2), {
      weight: make.x([3]),
      bias: make.x([3]),
      training: true,
    }),
  "batchNorm in evaluation": (make) =>
    F.batchNorm(make.x([make.n, 3, 4]), make.constant([3]), make.constant([3], 1, 2), { weight: make.x([3]) }),
  "batchNorm of features": (make) =>
    F.batchNorm(make.x([make.n, 7]), null, null, { weight: make.x([7]), bias: make.x([7]), training: true }),
  "batchNorm of pictures": (make) =>
    F.batchNorm(make.x([3, 2, make.n, make.n]), null, null, { weight: make.x([2]), bias: make.x([2]), training: true }),
  "batchNorm of pictures whose channels lie side by side": (make) =>
    F.batchNorm(make.x([3, make.n, 5, 4]).permute(0, 3, 1, 2), null, null, { bias: make.x([4]), training: true }),
  "layerNorm of pictures without factors": (make) => F.layerNorm(make.x([3, 2, make.n]), [2, make.n]),
  "groupNorm without factors": (make) => F.groupNorm(make.x([2, 4, make.n]), 4),
  layerNorm: (make) => F.layerNorm(make.x([3, make.n]), [make.n], { weight: make.x(), bias: make.x() }),
  groupNorm: (make) => F.groupNorm(make.x([2, 4, make.n]), 2, { weight: make.x([4]), bias: make.x([4]) }),
  instanceNorm: (make) => F.instanceNorm(make.x([2, 3, make.n])),
  localResponseNorm: (make) => F.localResponseNorm(make.x([2, 4, make.n]), 3),
  rmsNorm: (make) => F.rmsNorm(make.x([3, make.n]), [make.n]),
  normalize: (make) => F.normalize(make.positive([make.n, 3])),
  cosineSimilarity: (make) => F.cosineSimilarity(make.positive([make.n, 3]), make.positive([make.n, 3])),
  pairwiseDistance: (make) => F.pairwiseDistance(make.x([make.n, 3]), make.x([make.n, 3], 2, 3)),
  crossEntropy: (make) => F.crossEntropy(make.x([make.n, 5]), make.index(5), { labelSmoothing: 0.1 }),
  "crossEntropy, weighted": (make) =>
    F.crossEntropy(make.x([make.n, 5]), make.index(5), { weight: make.positive([5]).detach() }),
  "class targets, as on a device": (make) =>
    Object.values(
      targetsOnDevice(make.constant([make.n, 5]), make.index(6), make.constant([5]), {
        sizes: [make.n, 5, 1],
        ignoreIndex: -100,
      }),
    ),
  nllLoss: (make) => F.nllLoss(make.x([make.n, 5]), make.index(5), { reduction: "none" }),
  mseLoss: (make) => F.mseLoss(make.x([make.n, 3]), make.x([make.n, 3])),
  l1Loss: (make) => F.l1Loss(make.x([make.n, 3]), make.x([make.n, 3])),
  smoothL1Loss: (make) => F.smoothL1Loss(make.x([make.n, 3], -3, 3), make.x([make.n, 3])),
  huberLoss: (make) => F.huberLoss(make.x([make.n, 3], -3, 3), make.x([make.n, 3])),
  softMarginLoss: (make) => F.softMarginLoss(make.x([make.n, 3]), make.constant([make.n, 3]).sign()),
  binaryCrossEntropy: (make) => F.binaryCrossEntropy(make.x([make.n], 0.1, 0.9), make.constant([make.n], 0, 1)),
  binaryCrossEntropyWithLogits: (make) => F.binaryCrossEntropyWithLogits(make.x(), make.constant([make.n], 0, 1)),
  klDiv: (make) => F.klDiv(make.x([make.n, 3]), make.positive([make.n, 3]), { reduction: "batchmean" }),
  multiMarginLoss: (make) => F.multiMarginLoss(make.x([make.n, 4]), make.index(4)),
  "crossEntropy with probabilities": (make) => F.crossEntropy(make.x([make.n, 5]), make.constant([make.n, 5], 0, 1)),
  hingeEmbeddingLoss: (make) => F.hingeEmbeddingLoss(make.x([make.n, 3]), make.constant([make.n, 3]).sign()),
  tripletMarginLoss: (make) => F.tripletMarginLoss(make.x([make.n, 3]), make.x([make.n, 3]), make.x([make.n, 3])),
  multilabelMarginLoss: (make) => F.multilabelMarginLoss(make.x([make.n, 4]), make.index(4, [make.n, 4])),
  ctcLoss: (make) =>
    F.ctcLoss(
      torch.logSoftmax(make.x([make.n, 2, 4]), 2),
      torch.ones([2, 1], { dtype: torch.int64 }),
      [make.n, make.n],
      [1, 1],
    ),
  pdist: (make) => F.pdist(make.x([make.n, 3])),
  embeddingBag: (make) => F.embeddingBag(make.index(7, [make.n, 2]), make.x([7, 4])),
  gaussianNllLoss: (make) => F.gaussianNllLoss(make.x(), make.x(), make.positive()),
};

const LAYERS: Record<string, Call> = {
  RNN: (make) => new torch.nn.RNN(3, 4)(make.x([make.n, 2, 3])),
  LSTM: (make) => new torch.nn.LSTM(3, 4)(make.x([make.n, 2, 3])),
  "GRU, both ways": (make) => new torch.nn.GRU(3, 4, { bidirectional: true })(make.x([make.n, 2, 3])),
  MultiheadAttention: (make) => {
    const x = make.x([make.n, 2, 4]);
    return new torch.nn.MultiheadAttention(4, 2)(x, x, x);
  },
};

const SECOND_DERIVATIVES: Record<string, Call> = Object.fromEntries(
  [
    ...["conv2d", "convTranspose2d", "maxPool2d", "avgPool2d", "adaptiveAvgPool2d", "maxUnpool2d", "interpolate"],
    ...["mm", "softmax", "tanh", "gather", "pad by reflection", "max of each row", "crossEntropy", "layerNorm"],
  ].map((name) => {
    const call = { ...ELEMENTWISE, ...REDUCING, ...SHAPING, ...PRODUCTS, ...WINDOWS, ...NORMS_AND_LOSSES }[name];
    return [`${name}, differentiated twice`, twice(call!)];
  }),
);

/** Every call by what it does. */
const { packPaddedSequence, padPackedSequence, padSequence } = torch.nn.utils.rnn;

/** What only brings its operands into one dtype or order before it computes. */
const OVER_COPIES: Record<string, Call> = {
  ...each(["exp2", "erfc", "sinc", "deg2rad", "rad2deg", "asinh", "nanToNum", "rot90"], (name, make) =>
    named(torch, name)(make.x([make.n, 3])),
  ),
  ...each(["lgamma", "digamma"], (name, make) => named(torch, name)(make.positive([make.n, 3]))),
  ...each(["erfinv", "atanh"], (name, make) => named(torch, name)(make.x([make.n, 3], -0.9, 0.9))),
  ...each(["atan2", "logaddexp", "logaddexp2", "fmax", "fmin", "copysign"], (name, make) =>
    named(torch, name)(make.x([make.n, 3]), make.x([make.n, 3])),
  ),
  heaviside: (make) => torch.heaviside(make.constant([make.n, 3]), make.constant([make.n, 3])),
  acosh: (make) => torch.acosh(make.x([make.n, 3], 1.1, 3)),
  logit: (make) => torch.logit(make.x([make.n, 3], 0.1, 0.9)),
  polygamma: (make) => torch.polygamma(1, make.positive([make.n, 3])),
  padSequence: (make) => padSequence([make.x([make.n, 2]), make.x([2, 2])]),
  "sequences, packed and padded again": (make) =>
    padPackedSequence(packPaddedSequence(make.x([make.n, 2, 3]), [make.n, 1]))[0],
};

export const CALLS: Record<string, Call> = {
  ...ELEMENTWISE,
  ...OVER_COPIES,
  ...REDUCING,
  ...SHAPING,
  ...PRODUCTS,
  ...WINDOWS,
  ...NORMS_AND_LOSSES,
  ...LAYERS,
  ...SECOND_DERIVATIVES,
};
