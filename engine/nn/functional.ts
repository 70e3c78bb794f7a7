/**
 * torch.nn.functional: the operations behind the layers, without state. Each lives in engine/ops; this file only says
 * which of them are part of the namespace. https://docs.pytorch.org/docs/2.13/nn.functional.html
 */

export {
  celu,
  type EluOptions,
  elu,
  type GeluOptions,
  gelu,
  type HardtanhOptions,
  hardshrink,
  hardsigmoid,
  hardswish,
  hardtanh,
  type InplaceOptions,
  type LeakyReluOptions,
  leakyRelu,
  logsigmoid,
  mish,
  relu6,
  type ShrinkOptions,
  type SoftplusOptions,
  selu,
  silu,
  softplus,
  softshrink,
  softsign,
  tanhshrink,
  threshold,
} from "../ops/activation.ts";
export {
  celu_,
  elu_,
  hardtanh_,
  leakyRelu_,
  relu_,
  rrelu_,
  selu_,
  threshold_,
} from "../ops/activation_inplace.ts";
export {
  type AdaptiveSize,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveMaxPool1d,
  adaptiveMaxPool1dWithIndices,
  adaptiveMaxPool2d,
  adaptiveMaxPool2dWithIndices,
  maxUnpool1d,
  maxUnpool2d,
  type UnpoolOptions,
} from "../ops/adaptive_pool.ts";
export { type AttentionOptions, bilinear, scaledDotProductAttention } from "../ops/attention.ts";
export { type BlockOptions, channelShuffle, fold, pixelShuffle, pixelUnshuffle, unfold } from "../ops/blocks.ts";
export {
  type ConvOptions,
  type ConvPadding,
  conv1d,
  conv2d,
  type Size2,
} from "../ops/conv.ts";
export { type ConvTransposeOptions, convTranspose1d, convTranspose2d } from "../ops/conv_transpose.ts";
export { type CtcLossOptions, ctcLoss, type Lengths } from "../ops/ctc_loss.ts";
export {
  type CosineSimilarityOptions,
  cosineEmbeddingLoss,
  cosineSimilarity,
  type NormalizeOptions,
  normalize,
  type PairwiseDistanceOptions,
  pairwiseDistance,
  pdist,
  type TripletDistanceOptions,
  type TripletMarginLossOptions,
  tripletMarginLoss,
  tripletMarginWithDistanceLoss,
} from "../ops/distance.ts";
export {
  alphaDropout,
  type DropoutOptions,
  dropout,
  dropout1d,
  dropout2d,
  dropout3d,
  featureAlphaDropout,
} from "../ops/dropout.ts";
export { type EmbeddingOptions, embedding, type OneHotOptions, oneHot } from "../ops/embedding.ts";
export { type EmbeddingBagMode, type EmbeddingBagOptions, embeddingBag } from "../ops/embedding_bag.ts";
export {
  type FractionalMaxPoolOptions,
  fractionalMaxPool2d,
  fractionalMaxPool2dWithIndices,
} from "../ops/fractional_pool.ts";
export {
  type GumbelSoftmaxOptions,
  glu,
  gumbelSoftmax,
  prelu,
  type RreluOptions,
  rrelu,
  type SoftminOptions,
  softmin,
} from "../ops/gated.ts";
export {
  affineGrid,
  type GridSampleMode,
  type GridSampleOptions,
  type GridSamplePadding,
  gridSample,
} from "../ops/grid.ts";
export {
  type InterpolateMode,
  type InterpolateOptions,
  interpolate,
  type UpsampleSize,
  upsample,
  upsampleBilinear,
  upsampleNearest,
} from "../ops/interpolate.ts";
export { type LinearCrossEntropyOptions, linearCrossEntropy } from "../ops/linear_cross_entropy.ts";
export {
  type ClassLossOptions,
  type CrossEntropyOptions,
  crossEntropy,
  type LossOptions,
  l1Loss,
  mseLoss,
  nllLoss,
  type Reduction,
  type ReductionOption,
  type WeightedLossOptions,
} from "../ops/loss.ts";
export { type MultiMarginLossOptions, multilabelMarginLoss, multiMarginLoss } from "../ops/loss_margin.ts";
export {
  type BinaryCrossEntropyOptions,
  type BinaryCrossEntropyWithLogitsOptions,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  type KlDivOptions,
  klDiv,
  type MultilabelSoftMarginLossOptions,
  multilabelSoftMarginLoss,
} from "../ops/loss_probability.ts";
export {
  type GaussianNllLossOptions,
  gaussianNllLoss,
  type HuberLossOptions,
  hingeEmbeddingLoss,
  huberLoss,
  type MarginLossOptions,
  marginRankingLoss,
  type PoissonNllLossOptions,
  poissonNllLoss,
  type SmoothL1LossOptions,
  smoothL1Loss,
  softMarginLoss,
} from "../ops/loss_regression.ts";
export { type LpPoolOptions, lpPool1d, lpPool2d } from "../ops/lp_pool.ts";
export { linear } from "../ops/matmul.ts";
export { type MultiHeadAttentionOptions, multiHeadAttentionForward } from "../ops/multi_head_attention.ts";
export {
  type AffineOptions,
  type BatchNormOptions,
  batchNorm,
  groupNorm,
  type InstanceNormOptions,
  instanceNorm,
  type LocalResponseNormOptions,
  layerNorm,
  localResponseNorm,
  type RmsNormOptions,
  rmsNorm,
} from "../ops/normalization.ts";
export { type PadMode, type PadOptions, pad } from "../ops/pad.ts";
export { relu, sigmoid, tanh } from "../ops/pointwise.ts";
export {
  type AvgPoolOptions,
  avgPool1d,
  avgPool2d,
  type MaxPoolOptions,
  maxPool1d,
  maxPool1dWithIndices,
  maxPool2d,
  maxPool2dWithIndices,
} from "../ops/pool.ts";
export {
  functionalLogSoftmax as logSoftmax,
  functionalSoftmax as softmax,
  type SoftmaxOptions,
} from "../ops/softmax.ts";
