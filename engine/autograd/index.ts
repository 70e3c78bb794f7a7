/** `torch.autograd`. https://docs.pytorch.org/docs/2.13/autograd.html */

export { type AnomalyOptions, detectAnomaly, setDetectAnomaly } from "./anomaly.ts";
export type { SweepOptions } from "./backward.ts";
export { Function, FunctionCtx, type FunctionInputs } from "./function.ts";
export * as functional from "./functional.ts";
export { type BackwardOptions, backward, type GradOptions, grad } from "./grad.ts";
export {
  GradcheckError,
  type GradcheckOptions,
  type GradgradcheckOptions,
  gradcheck,
  gradgradcheck,
} from "./gradcheck.ts";
export {
  enableGrad,
  type GradModeScope,
  type InferenceModeOptions,
  inferenceMode,
  noGrad,
  setGradEnabled,
} from "./mode.ts";
export {
  type Gradients,
  Node,
  type NodeHook,
  type NodePrehook,
  type PostAccumulateGradHook,
  type RemovableHandle,
  type TensorHook,
} from "./node.ts";
