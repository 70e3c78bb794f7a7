/** The public surface: module names as in Python, dots turned into slashes. The kernel, the runner and the build read this list. */
import * as data from "./data/index.ts";
import * as functional from "./nn/functional.ts";
import * as nn from "./nn/index.ts";
import * as optim from "./optim/index.ts";
import * as lrScheduler from "./optim/schedulers.ts";
import * as tensorboard from "./tensorboard/index.ts";
import * as torch from "./torch.ts";
import * as datasets from "./torchvision/datasets.ts";
import * as transforms from "./torchvision/transforms.ts";
import * as visionUtils from "./torchvision/utils.ts";

export const modules: Readonly<Record<string, object>> = {
  torch,
  "torch/nn": nn,
  "torch/nn/functional": functional,
  "torch/optim": optim,
  "torch/optim/lr_scheduler": lrScheduler,
  "torch/utils/data": data,
  "torch/utils/tensorboard": tensorboard,
  "torchvision/datasets": datasets,
  "torchvision/transforms": transforms,
  "torchvision/utils": visionUtils,
};
