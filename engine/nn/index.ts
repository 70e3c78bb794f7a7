/** torch.nn: layers, containers, initial values. https://docs.pytorch.org/docs/2.13/nn.html */
import "./layers.ts";

export * from "./activation.ts";
export * from "./activation_gated.ts";
export * from "./activation_kin.ts";
export * from "./adaptive_log_softmax.ts";
export * from "./adaptive_pooling.ts";
export { type AttentionCallOptions, MultiheadAttention, type MultiheadAttentionOptions } from "./attention.ts";
export { ModuleDict, ModuleList, type NamedModules, Sequential } from "./containers.ts";
export { Conv1d, type Conv1dOptions, Conv2d, type Conv2dOptions, type PaddingMode } from "./conv.ts";
export {
  ConvTranspose1d,
  type ConvTranspose1dOptions,
  ConvTranspose2d,
  type ConvTranspose2dOptions,
  type OutputSize,
} from "./conv_transpose.ts";
export * from "./distance.ts";
export * from "./dropout.ts";
export * from "./embedding.ts";
export type { FactoryOptions } from "./factory.ts";
export * from "./flatten.ts";
export * as functional from "./functional.ts";
export type {
  BackwardHook,
  BackwardPreHook,
  ForwardHook,
  ForwardHookOptions,
  ForwardHookWithKwargs,
  ForwardPreHook,
  ForwardPreHookOptions,
  ForwardPreHookWithKwargs,
  HookOptions,
  Kwargs,
  RemovableHandle,
} from "./hooks.ts";
export * as init from "./init.ts";
export * from "./layer_norm.ts";
export * from "./lazy.ts";
export { Bilinear, Identity, Linear, type LinearOptions } from "./linear.ts";
export * from "./loss.ts";
export * from "./loss_kin.ts";
export * from "./loss_structured.ts";
export type { NamedOptions, RecurseOption } from "./members.ts";
export { Module } from "./module.ts";
export * from "./normalization.ts";
export * from "./padding.ts";
export { Buffer, type BufferOptions, Parameter, type ParameterOptions } from "./parameter.ts";
export { type NamedTensors, ParameterDict, ParameterList } from "./parameter_containers.ts";
export * as parameter from "./parameters.ts";
export * from "./pooling.ts";
export * from "./recurrent.ts";
export { type RecurrentOptions, type RecurrentSizes, RNNBase } from "./recurrent_base.ts";
export * from "./recurrent_cell.ts";
export * from "./resizing.ts";
export type { IncompatibleKeys, LoadStateDictOptions, StateDict, StateDictOptions } from "./state_dict.ts";
export type {
  LoadStateDictPostHook,
  LoadStateDictPreHook,
  StateDictPostHook,
  StateDictPreHook,
} from "./state_hooks.ts";
export type { ToOptions } from "./target.ts";
export { Transformer, type TransformerCallOptions, type TransformerOptions } from "./transformer.ts";
export {
  type Activation,
  type DecoderLayerCallOptions,
  type EncoderLayerCallOptions,
  TransformerDecoderLayer,
  TransformerEncoderLayer,
  type TransformerLayerOptions,
} from "./transformer_layer.ts";
export {
  type DecoderCallOptions,
  type EncoderCallOptions,
  TransformerDecoder,
  TransformerEncoder,
  type TransformerEncoderOptions,
} from "./transformer_stack.ts";
export { UninitializedBuffer, type UninitializedOptions, UninitializedParameter } from "./uninitialized.ts";
export * as utils from "./utils.ts";
