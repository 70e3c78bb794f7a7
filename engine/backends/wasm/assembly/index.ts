export { addWeightGrad, convolve } from "./conv";
export { binary, compare, sum, unary } from "./elementwise";
export { closeRows, gemm, packTiles } from "./gemm";
export { channelsLast, gatherRows, padPlanes, spreadPlanes } from "./layout";
export { maxPoolPlanes } from "./pool";

/** Where the host's scratch memory may begin. */
export const heapBase: usize = __heap_base;
