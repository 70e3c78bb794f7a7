/** `torch.optim`. */
export * from "./optimizer.ts";
export * from "./sgd.ts";
