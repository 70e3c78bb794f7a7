/** "torch/utils/tensorboard" */
export { SummaryWriter } from "./writer.ts";
