/** `torchvision`. */
export * as datasets from "./datasets.ts";
export * as transforms from "./transforms.ts";
export * as utils from "./utils.ts";
