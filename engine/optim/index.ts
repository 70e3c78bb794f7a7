/** `torch.optim`. */
export * from "./adam.ts";
export * from "./adaptive.ts";
export * from "./lbfgs.ts";
export {
  type GivenGroup,
  type ImplementationOptions,
  type NamedParam,
  Optimizer,
  type OptimizerStateDict,
  type ParamGroup,
  type ParamState,
  type Params,
  type StateDictHook,
  type StateValue,
  type StepArguments,
  type StepPostHook,
  type StepPreHook,
} from "./optimizer.ts";
export * as lrScheduler from "./schedulers.ts";
export * from "./sgd.ts";
