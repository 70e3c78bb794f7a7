/** For each operation of the registry that has a derivative, calls whose derivatives are checked. */
import { enableGrad } from "../../engine/autograd/index.ts";
import * as F from "../../engine/nn/functional.ts";
import * as rnn from "../../engine/nn/utils_rnn.ts";
import { gatherStrided } from "../../engine/ops/strided.ts";
import * as torch from "../../engine/torch.ts";

type Tensor = torch.Tensor;

/** Makes the tensors of one call; later calls get the same ones, in the same order. */
export class Made {
  /** Those whose gradient is checked. */
  readonly leaves: Tensor[] = [];
  readonly #tensors: Tensor[] = [];
  #next = 0;
  #state = 2024;

  restart(): void {
    this.#next = 0;
  }

  #once(make: () => Tensor): Tensor {
    const tensor = this.#tensors[this.#next] ?? make();
    this.#tensors[this.#next++] = tensor;
    return tensor;
  }

  #numbers(shape: readonly number[], from: number, to: number): Tensor {
    const count = shape.reduce((a, b) => a * b, 1);
    const data = Array.from({ length: count }, () => {
      this.#state = (Math.imul(this.#state, 1664525) + 1013904223) | 0;
      return from + ((to - from) * (this.#state >>> 0)) / 2 ** 32;
    });
    return torch.tensor(data, { dtype: torch.float64 }).reshape(shape);
  }

  /** Numbers in [from, to) that want a gradient. */
  x(shape: readonly number[] = [3], from = -1, to = 1): Tensor {
    return this.#once(() => {
      const leaf = this.#numbers(shape, from, to).requiresGrad_();
      this.leaves.push(leaf);
      return leaf;
    });
  }

  positive(shape?: readonly number[]): Tensor {
    return this.x(shape, 0.25, 2);
  }

  /** Numbers that want none. */
  constant(shape: readonly number[] = [3], from = -1, to = 1): Tensor {
    return this.#once(() => this.#numbers(shape, from, to));
  }

  mask(shape: readonly number[] = [3]): Tensor {
    return this.#once(() => this.#numbers(shape, -1, 1).gt(0));
  }

  /** Integers below `end`. */
  index(end: number, shape: readonly number[] = [3]): Tensor {
    return this.#once(() => this.#numbers(shape, 0, end).floor().to(torch.int64));
  }
}

export type Call = (make: Made) => unknown;

/** A function of a namespace by its name. */
function named(namespace: object, name: string, ...args: unknown[]): unknown {
  return (Reflect.get(namespace, name) as (...args: unknown[]) => unknown)(...args);
}

/** The gradient of a call's square with respect to one of its inputs: what operations of backward compute. */
function slope(call: Call, input = 0): Call {
  return (make) =>
    enableGrad(() => {
      const output = [call(make)].flat()[0] as Tensor;
      const leaf = make.leaves[input];
      return leaf ? torch.autograd.grad(output.mul(output).sum(), leaf, { createGraph: true })[0] : output;
    });
}

const ints = (...values: number[]) => torch.tensor(values, { dtype: torch.int64 });
const picture = (make: Made) => make.x([1, 2, 4, 5]);
const torchCalls = (names: readonly string[], ...inputs: ((make: Made) => Tensor)[]): Record<string, Call[]> =>
  Object.fromEntries(
    names.map((name) => [name, [(make) => named(torch, name, ...inputs.map((input) => input(make)))]]),
  );
const any = (make: Made) => make.x([2, 3]);
const wide = (make: Made) => make.x([2, 3], -4, 4);
const positive = (make: Made) => make.positive([2, 3]);

const conv: Call = (make) =>
  F.conv2d(picture(make), make.x([2, 2, 2, 3]), { bias: make.x([2]), stride: [1, 2], padding: 1 });
const maxPool: Call = (make) => F.maxPool2d(picture(make), 2, { stride: 1 });
const avgPool: Call = (make) => F.avgPool2d(picture(make), 2, { stride: 1, padding: 1, countIncludePad: false });
const reflected: Call = (make) => F.pad(make.x([1, 2, 4]), [2, 1], { mode: "reflect" });
const upsampled: Call = (make) => F.interpolate(make.x([1, 1, 2, 3]), { scaleFactor: 2, mode: "bilinear" });
const embedded: Call = (make) => F.embedding(make.index(4, [3]), make.x([4, 2]));
const unpooled: Call = (make) => F.maxUnpool2d(make.x([1, 1, 2, 2]), ints(0, 3, 9, 14).reshape(1, 1, 2, 2), 2);

/** By the operation's name. */
export const CASES: Record<string, Call[]> = {
  ...torchCalls(
    ["abs", "sign", "exp", "expm1", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh"],
    any,
  ),
  ...torchCalls(["sigmoid", "relu", "erf", "square", "floor", "ceil", "round", "trunc", "neg", "tril", "triu"], any),
  ...torchCalls(["log", "log2", "log10", "log1p", "sqrt", "rsqrt", "reciprocal"], positive),
  ...torchCalls(["maximum", "minimum"], any, any),
  ...torchCalls(["exp2", "erfc", "erfinv", "asinh", "atanh", "sinc", "deg2rad", "rad2deg", "frac", "sgn"], any),
  ...torchCalls(["lgamma", "digamma"], positive),
  ...torchCalls(["atan2", "logaddexp", "logaddexp2", "fmax", "fmin"], any, any),
  ...torchCalls(["copysign"], any, positive),
  ...torchCalls(["addcmul", "lerp"], any, any, any),
  ...torchCalls(["addcdiv"], any, any, positive),
  acosh: [(make) => torch.acosh(make.x([3], 1.5, 3))],
  logit: [(make) => torch.logit(make.x([3], 0.1, 0.9))],
  nan_to_num: [(make) => torch.nanToNum(make.x())],
  rot90: [(make) => torch.rot90(make.x([2, 3]))],
  polygamma: [(make) => torch.polygamma(1, make.positive())],
  ...torchCalls(["remainder", "fmod", "hypot"], any, positive),
  add: [
    (make) => make.x([2, 3]).add(make.x([3]), { alpha: 2 }),
    (make) =>
      make
        .x([2, 1])
        .add(make.x([1, 3]))
        .add(1),
  ],
  sub: [(make) => make.x([2, 3]).sub(make.x([2, 1]), { alpha: 3 })],
  rsub: [(make) => torch.rsub(make.x([2, 3]), make.x([3]))],
  mul: [(make) => make.x([2, 3]).mul(make.x([3])), (make) => make.x().mul(-2)],
  div: [(make) => make.x([2, 3]).div(make.positive([3])), (make) => torch.div(2, make.positive())],
  "div.rounding_mode": [(make) => torch.div(make.x([3], -9, 9), make.positive(), { roundingMode: "floor" })],
  "div.Scalar": [(make) => F.crossEntropy(make.x([2, 3]), make.constant([2, 3], 0, 1))],
  pow: [
    (make) => torch.pow(make.positive(), make.x()),
    (make) => make.x().pow(3),
    (make) => torch.pow(2, make.x()),
    (make) => make.x().pow(2),
  ],
  "round.decimals": [(make) => torch.round(make.x([3], -9, 9), { decimals: 1 })],
  clamp: [
    (make) => make.x([5], -2, 2).clamp(-1, 1),
    (make) => make.x([5]).clamp({ min: make.x([5]), max: make.x([5], 0, 2) }),
  ],
  clamp_min: [(make) => F.hingeEmbeddingLoss(make.x(), ints(1, -1, -1))],
  where: [(make) => torch.where(make.mask(), make.x(), make.x([1]))],
  xlogy: [(make) => F.klDiv(make.x(), make.positive())],

  as_strided: [
    (make) => gatherStrided(make.x([2, 3]), { baseShape: [2, 3], shape: [2, 2], strides: [3, 1], offset: 1 }),
    (make) => {
      const base = make.x([2, 3]).mul(1);
      const part = base.get(":", "1:");
      base.mul_(make.x([2, 3]));
      return part;
    },
  ],
  as_strided_backward: [
    slope((make) => gatherStrided(make.x([2, 3]), { baseShape: [2, 3], shape: [2, 2], strides: [1, 1], offset: 1 })),
  ],
  copy_: [
    (make) => {
      const y = make.x([2, 3]).mul(1);
      y.get(":", "1:").copy_(make.x([2, 1]));
      return y.mul(y);
    },
  ],
  clone: [(make) => make.x().clone()],
  _to_copy: [(make) => make.x().to(torch.float32).to(torch.float64)],
  view: [(make) => make.x([2, 3]).view(3, 2)],
  _unsafe_view: [(make) => make.x([2, 3]).t().reshape(-1)],
  alias: [(make) => make.x([2, 3]).get("...")],
  permute: [(make) => make.x([2, 3, 2]).permute(2, 0, 1)],
  transpose: [(make) => make.x([2, 3]).transpose(0, 1)],
  t: [(make) => make.x([2, 3]).t()],
  expand: [(make) => make.x([2, 1]).expand(3, 2, 4)],
  squeeze: [(make) => make.x([2, 1, 3]).squeeze(1), (make) => make.x([1, 3]).squeeze()],
  unsqueeze: [(make) => make.x([2, 3]).unsqueeze(1)],
  select: [(make) => make.x([2, 3]).select(1, 2)],
  slice: [(make) => make.x([2, 5]).get(":", "1::2")],
  diagonal: [(make) => make.x([3, 4]).diagonal(1)],
  unfold: [(make) => make.x([5]).unfold(0, 3, 1)],
  index: [(make) => make.x([4, 2]).get(make.index(4))],
  index_backward: [slope((make) => make.x([4, 2]).get(make.index(4)))],
  index_put: [
    (make) => {
      const y = make.x([4, 2]).mul(1);
      y.set([ints(2, 0)], make.x([1, 2]));
      return y;
    },
    (make) => torch.indexPut(make.x([4, 2]), [ints(2, 2)], make.x([2, 2]), { accumulate: true }),
  ],
  index_copy: [(make) => torch.indexCopy(make.x([3, 2]), 0, ints(2, 0), make.x([2, 2]))],
  index_fill: [(make) => torch.indexFill(make.x([3, 2]), 0, ints(2, -3), make.x([]))],
  masked_scatter: [(make) => torch.maskedScatter(make.x([2, 3]), make.mask([2, 3]), make.x([6]))],
  take: [(make) => torch.take(make.x([2, 3]), ints(5, -6, 5))],
  put: [
    (make) => torch.put(make.x([2, 3]), ints(4, -6), make.x([2])),
    (make) => torch.put(make.x([2, 3]), ints(4, 4), make.x([2]), { accumulate: true }),
  ],
  select_scatter: [(make) => torch.selectScatter(make.x([2, 3]), make.x([2]), 1, -1)],
  slice_scatter: [(make) => torch.sliceScatter(make.x([2, 5]), make.x([2, 2]), { dim: 1, start: 1, step: 2 })],
  diagonal_scatter: [(make) => torch.diagonalScatter(make.x([3, 3]), make.x([2]), 1)],
  scatter_reduce: (["sum", "prod", "mean", "amax", "amin"] as const).flatMap((reduce) => [
    (make: Made) => torch.scatterReduce(make.x([3, 2]), 0, make.index(3, [4, 2]), make.x([4, 2]), reduce),
    (make: Made) =>
      torch.scatterReduce(make.x([3, 2]), 1, make.index(2, [3, 3]), make.x([3, 3]), reduce, { includeSelf: false }),
  ]),
  index_select: [(make) => torch.indexSelect(make.x([4, 2]), 0, make.index(4))],
  index_select_backward: [slope((make) => torch.indexSelect(make.x([4, 2]), 0, make.index(4)))],
  gather: [(make) => torch.gather(make.x([3, 2]), 0, make.index(3, [4, 2]))],
  gather_backward: [slope((make) => torch.gather(make.x([3, 2]), 0, make.index(3, [4, 2])))],
  scatter: [
    (make) => torch.scatter(make.x([3, 2]), 0, ints(2, 0).reshape(1, 2), make.x([1, 2])),
    (make) => torch.scatterAdd(make.x([3, 2]), 1, make.index(2, [3, 2]), make.x([3, 2])),
  ],
  index_add: [(make) => torch.indexAdd(make.x([4, 2]), 0, make.index(4), make.x([3, 2]), { alpha: 2 })],
  masked_fill: [(make) => make.x().maskedFill(make.mask(), 2)],
  masked_select: [(make) => torch.maskedSelect(make.x([2, 3]), make.mask([2, 3]))],
  flip: [(make) => make.x([2, 3]).flip(1)],
  roll: [(make) => make.x([2, 3]).roll(2, 1)],
  cat: [(make) => torch.cat([make.x([2, 2]), make.x([2, 3])], 1)],
  stack: [(make) => torch.stack([make.x(), make.x()], 1)],
  split: [(make) => torch.split(make.x([2, 5]), 2, 1)],
  unbind: [(make) => torch.unbind(make.x([2, 3]))],
  repeat: [(make) => make.x([2, 2]).repeat(2, 1, 2)],
  diag_embed: [(make) => torch.diag(make.x(), 1), (make) => torch.diagEmbed(make.x([2, 3]), -1, 0, 2)],
  block_diag: [(make) => torch.blockDiag(make.x([2, 3]), make.x([2]), make.x([]))],
  linalg_cross: [(make) => torch.cross(make.x([2, 3]), make.x([1, 3]), 1)],
  _cdist_forward: [
    (make) => torch.cdist(make.x([2, 3, 2]), make.x([4, 2])),
    (make) => torch.cdist(make.x([3, 2]), make.x([2, 2]), 3),
  ],
  pad: [
    (make) => F.pad(make.x([2, 3]), [1, 2]),
    reflected,
    (make) => F.pad(make.x([1, 2, 4]), [2, 1], { mode: "replicate" }),
  ],
  pad_backward: [slope(reflected)],

  sum: [(make) => make.x([2, 3]).sum(), (make) => make.x([2, 3, 2]).sum([0, 2], { keepdim: true })],
  mean: [(make) => make.x([2, 3]).mean(1), (make) => make.x([2, 3]).mean()],
  prod: [(make) => make.positive([2, 3]).prod(1), (make) => make.positive().prod()],
  amax: [(make) => torch.amax(make.x([2, 3]), 1)],
  amin: [(make) => torch.amin(make.x([2, 3]), [0, 1])],
  max: [(make) => torch.max(make.x([2, 3]))],
  min: [(make) => torch.min(make.x([2, 3]))],
  "max.dim": [(make) => make.x([2, 3]).max(1)],
  "min.dim": [(make) => make.x([2, 3]).min(0)],
  median: [(make) => torch.median(make.x([5]))],
  var: [(make) => torch.var(make.x([2, 3]), 1)],
  std: [(make) => torch.std(make.x([2, 3]))],
  linalg_vector_norm: [
    (make) => torch.norm(make.x([2, 3])),
    (make) => torch.norm(make.x([2, 3]), { p: 3, dim: 1 }),
    (make) => torch.norm(make.x([2, 3]), { p: 1, dim: 0 }),
  ],
  nansum: [(make) => torch.nansum(make.x([2, 3]), 1)],
  aminmax: [(make) => torch.aminmax(make.x([2, 3]), { dim: 1 })],
  var_mean: [(make) => torch.varMean(make.x([2, 3]), 1)],
  std_mean: [(make) => torch.stdMean(make.x([2, 3]), 1, { keepdim: true })],
  cummax: [(make) => torch.cummax(make.x([2, 4]), 1)],
  cummin: [(make) => torch.cummin(make.x([4, 2]), 0)],
  logcumsumexp: [(make) => torch.logcumsumexp(make.x([2, 3]), 1)],
  logsumexp: [(make) => torch.logsumexp(make.x([2, 3]), 1)],
  cumsum: [(make) => make.x([2, 3]).cumsum(1)],
  cumprod: [(make) => make.positive([2, 3]).cumprod(0)],
  softmax: [(make) => torch.softmax(make.x([2, 3]), 1)],
  log_softmax: [(make) => torch.logSoftmax(make.x([2, 3]), 0)],
  trace: [(make) => torch.trace(make.x([2, 3]))],
  sort: [(make) => torch.sort(make.x([2, 3]), 1), (make) => torch.topk(make.x([2, 4]), 2)],
  value_selecting_reduction_backward: [slope((make) => torch.sort(make.x([2, 3]), 1)[0])],

  mm: [(make) => torch.mm(make.x([2, 3]), make.x([3, 2]))],
  bmm: [(make) => torch.bmm(make.x([2, 2, 3]), make.x([2, 3, 2]))],
  mv: [(make) => torch.mv(make.x([2, 3]), make.x())],
  dot: [(make) => torch.dot(make.x(), make.x())],
  addmm: [(make) => torch.addmm(make.x([2]), make.x([3, 2]), make.x([2, 2]), { beta: 0.5, alpha: 2 })],
  baddbmm: [(make) => torch.baddbmm(make.x([2, 1, 2]), make.x([2, 2, 3]), make.x([2, 3, 2]), { beta: 0.5, alpha: 2 })],

  convolution: [
    conv,
    (make) => F.conv2d(make.x([1, 2, 3, 3]), make.x([2, 1, 2, 2]), { groups: 2, dilation: 2, padding: 1 }),
  ],
  convolution_input_grad: [slope(conv)],
  convolution_weight_grad: [slope(conv, 1)],
  convolution_transposed: [
    (make) =>
      F.convTranspose2d(make.x([1, 2, 2, 3]), make.x([2, 1, 2, 2]), { stride: 2, padding: 1, outputPadding: 1 }),
  ],
  max_pool2d_with_indices: [maxPool],
  max_pool2d_with_indices_backward: [slope(maxPool)],
  max_pool2d_pick: [slope(slope(maxPool))],
  avg_pool2d: [avgPool],
  avg_pool2d_backward: [slope(avgPool)],
  _adaptive_avg_pool2d: [(make) => F.adaptiveAvgPool2d(picture(make), [3, 2])],
  _adaptive_avg_pool2d_backward: [slope((make) => F.adaptiveAvgPool2d(picture(make), [3, 2]))],
  adaptive_max_pool2d: [(make) => F.adaptiveMaxPool2d(picture(make), [2, 3])],
  max_unpool2d: [unpooled],
  threshold_backward: [slope((make) => torch.relu(make.x([2, 3])))],
  max_unpool2d_pick: [slope(unpooled)],
  max_unpool2d_add: [slope((make) => F.adaptiveMaxPool2d(picture(make), [2, 3]))],
  fractional_max_pool2d: [
    (make) =>
      F.fractionalMaxPool2d(picture(make), 2, { outputSize: [2, 3], _randomSamples: make.constant([1, 2, 2], 0, 1) }),
  ],
  im2col: [(make) => F.unfold(picture(make), 2, { padding: 1, stride: 2 })],
  col2im: [(make) => F.fold(make.x([1, 8, 6]), [3, 4], 2)],
  pixel_shuffle: [(make) => F.pixelShuffle(make.x([1, 4, 2, 2]), 2)],
  pixel_unshuffle: [(make) => F.pixelUnshuffle(make.x([1, 1, 4, 4]), 2)],
  channel_shuffle: [(make) => F.channelShuffle(make.x([1, 4, 2, 2]), 2)],
  _scaled_dot_product_flash_attention_for_cpu: [
    (make) => F.scaledDotProductAttention(make.x([1, 2, 2, 3]), make.x([1, 2, 3, 3]), make.x([1, 2, 3, 3])),
    (make) =>
      F.scaledDotProductAttention(make.x([1, 2, 2, 3]), make.x([1, 1, 2, 3]), make.x([1, 1, 2, 3]), {
        isCausal: true,
        enableGqa: true,
      }),
  ],
  grid_sampler_2d: (["bilinear", "bicubic"] as const).flatMap((mode) =>
    (["zeros", "reflection"] as const).map(
      (paddingMode): Call =>
        (make) =>
          F.gridSample(make.x([1, 2, 3, 4]), make.x([1, 2, 2, 2], -1.2, 1.2), {
            mode,
            paddingMode,
            alignCorners: false,
          }),
    ),
  ),
  affine_grid_generator: [(make) => F.affineGrid(make.x([1, 2, 3]), [1, 1, 2, 3], { alignCorners: false })],
  upsample: [
    upsampled,
    (make) => F.interpolate(make.x([1, 1, 2, 3]), { size: [3, 4], mode: "bicubic", alignCorners: true }),
  ],
  upsample_backward: [slope(upsampled)],

  elu: [(make) => F.elu(wide(make), { alpha: 1.5 })],
  celu: [(make) => F.celu(wide(make), { alpha: 1.5 })],
  leaky_relu: [(make) => F.leakyRelu(wide(make), { negativeSlope: 0.2 })],
  hardtanh: [(make) => F.hardtanh(wide(make))],
  gelu: [(make) => F.gelu(wide(make))],
  "gelu.tanh": [(make) => F.gelu(wide(make), { approximate: "tanh" })],
  silu: [(make) => F.silu(wide(make))],
  mish: [(make) => F.mish(wide(make))],
  softplus: [(make) => F.softplus(wide(make), { beta: 2 })],
  hardsigmoid: [(make) => F.hardsigmoid(wide(make))],
  hardswish: [(make) => F.hardswish(wide(make))],
  log_sigmoid: [(make) => F.logsigmoid(wide(make))],
  hardshrink: [(make) => F.hardshrink(wide(make))],
  softshrink: [(make) => F.softshrink(wide(make))],
  threshold: [(make) => F.threshold(wide(make), 0.1, 5)],
  _prelu_kernel: [(make) => F.prelu(wide(make), make.x([3]))],
  rrelu_with_noise: [
    (make) => {
      torch.manualSeed(0);
      return F.rrelu(wide(make), { training: true });
    },
  ],
  glu: [(make) => F.glu(make.x([2, 4]))],

  mse_loss: [
    (make) => F.mseLoss(make.x([2, 3]), make.x([2, 3])),
    (make) => F.mseLoss(make.x(), make.x(), { reduction: "none" }),
  ],
  nll_loss: [(make) => F.nllLoss(make.x([3, 4]), make.index(4), { weight: make.constant([4], 0.5, 1) })],
  nll_loss_backward: [slope((make) => F.nllLoss(make.x([3, 4]), make.index(4), { reduction: "sum" }))],
  smooth_l1_loss: [(make) => F.smoothL1Loss(make.x([5], -3, 3), make.x([5]))],
  huber_loss: [(make) => F.huberLoss(make.x([5], -3, 3), make.x([5]), { delta: 0.5 })],
  soft_margin_loss: [(make) => F.softMarginLoss(make.x(), make.constant().sign())],
  binary_cross_entropy: [
    (make) =>
      F.binaryCrossEntropy(make.x([3], 0.1, 0.9), make.x([3], 0.1, 0.9), { weight: make.constant([3], 0.5, 1) }),
  ],
  binary_cross_entropy_with_logits: [
    (make) => F.binaryCrossEntropyWithLogits(make.x(), make.x(), { posWeight: make.constant([3], 0.5, 2) }),
  ],
  multi_margin_loss: [(make) => F.multiMarginLoss(make.x([3, 4]), make.index(4), { p: 2 })],
  multilabel_margin_loss: [
    (make) =>
      F.multilabelMarginLoss(
        make.x([2, 4]),
        torch.tensor([
          [3, 0, -1, 1],
          [2, -1, 0, 0],
        ]),
      ),
  ],
  _ctc_loss: [
    (make) =>
      F.ctcLoss(
        torch.logSoftmax(make.x([4, 2, 3]), 2),
        torch.tensor([
          [1, 2],
          [2, 2],
        ]),
        [4, 3],
        [2, 1],
      ),
  ],
  _pdist_forward: [(make) => F.pdist(make.x([3, 2])), (make) => F.pdist(make.x([3, 2]), 3)],
  embedding: [embedded],
  embedding_dense_backward: [slope(embedded)],
  _embedding_bag: [
    (make) => F.embeddingBag(make.index(4, [2, 3]), make.x([4, 2]), { mode: "sum", perSampleWeights: make.x([2, 3]) }),
    (make) => F.embeddingBag(make.index(4, [2, 3]), make.x([4, 2])),
    (make) => F.embeddingBag(make.index(4, [2, 3]), make.x([4, 2]), { mode: "max" }),
  ],
  native_batch_norm: [
    (make) => F.batchNorm(make.x([3, 2]), null, null, { weight: make.x([2]), bias: make.x([2]), training: true }),
    (make) =>
      F.batchNorm(make.x([3, 2]), make.constant([2]), make.constant([2], 1, 2), {
        weight: make.x([2]),
        bias: make.x([2]),
      }),
  ],
  native_layer_norm: [(make) => F.layerNorm(make.x([2, 3]), [3], { weight: make.x(), bias: make.x() })],
  native_group_norm: [(make) => F.groupNorm(make.x([2, 4, 2]), 2, { weight: make.x([4]), bias: make.x([4]) })],

  backward_hook: [
    (make) => {
      const layer = new torch.nn.Tanh();
      layer.registerFullBackwardHook(() => null);
      return layer(make.x());
    },
  ],
  transpose_: [
    (make) => {
      const layer = recurrent(make, new torch.nn.RNN(2, 2, { batchFirst: true, dtype: torch.float64 }));
      return layer(make.x([2, 3, 2]))[0];
    },
  ],
  unsafe_split: [
    (make) => {
      const layer = recurrent(make, new torch.nn.LSTM(2, 2, { dtype: torch.float64 }));
      return layer(make.x([3, 1, 2]))[0];
    },
  ],
  mkldnn_rnn_layer: [
    (make) => {
      torch.manualSeed(0);
      return new torch.nn.LSTM(2, 2)(make.x([3, 1, 2]).to(torch.float32))[0].to(torch.float64);
    },
  ],
  _pack_padded_sequence: [(make) => rnn.packPaddedSequence(make.x([3, 2, 2]), [3, 1]).data],
  _pad_packed_sequence: [(make) => rnn.padPackedSequence(rnn.packPaddedSequence(make.x([3, 2, 2]), [3, 1]))[0]],
  pad_sequence: [(make) => rnn.padSequence([make.x([3, 2]), make.x([2, 2])])],
};

/** A layer with the same weights each time. */
function recurrent<M extends torch.nn.Module>(make: Made, layer: M): M {
  torch.noGrad(() => {
    for (const parameter of layer.parameters()) parameter.copy_(make.constant(parameter.shape));
  });
  return layer;
}

/** What is computed in float32: moved further, compared less closely. */
export const COARSE: ReadonlySet<string> = new Set(["_to_copy", "mkldnn_rnn_layer"]);

/** What PyTorch does not differentiate twice either. */
export const ONCE: ReadonlySet<string> = new Set([
  "_pdist_forward",
  "_cdist_forward",
  "_ctc_loss",
  "_scaled_dot_product_flash_attention_for_cpu",
]);
