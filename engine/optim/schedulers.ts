/** `torch.optim.lr_scheduler`. https://docs.pytorch.org/docs/2.13/optim.html#how-to-adjust-learning-rate */
export * from "./cyclic.ts";
export * from "./decay.ts";
export * from "./plateau.ts";
export { type LastEpochOption, LRScheduler, type SchedulerStateDict } from "./scheduler.ts";
export * from "./sequence.ts";
