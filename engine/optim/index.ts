/** `torch.optim`. */
export * from "./adam.ts";
export * from "./adaptive.ts";
export {
  type ImplementationOptions,
  Optimizer,
  type OptimizerStateDict,
  type ParamGroup,
  type ParamState,
  type Params,
} from "./optimizer.ts";
export * as lrScheduler from "./schedulers.ts";
export * from "./sgd.ts";
