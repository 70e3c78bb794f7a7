export { avgPoolGradPlanes, avgPoolPlanes } from "./avg_pool";
export { addWeightGrad, convolve, weightsFromRuns } from "./conv";
export { allFinite, binary, compare, multiplyAdd, select, unary } from "./elementwise";
export { closeRows, gemm, packTiles } from "./gemm";
export { addRows, gather, scatterAdd, selectRows, within } from "./indexing";
export { channelsLast, gatherRows, padPlanes, spreadPlanes } from "./layout";
export {
  groupMoments, normalizeColumnsGrad, normalizeGroup, normalizeGroupGrad, normalizeRows, normalizeRowsGrad, rowMoments,
} from "./normalize";
export { reduceColumns, reduceRows, reduceStacks } from "./reduce";
export {
  logSumColumns, logSumRows, softmaxColumns, softmaxGradColumns, softmaxGradRows, softmaxRows,
} from "./softmax";
export { addTileProducts, convolveTiles, kernelsFromSpectra, transformKernels } from "./spectral";
export { maxPoolGradPlanes, maxPoolPairs, maxPoolPlanes } from "./max_pool";
export { addRowTimesRows, outerProduct, rowTimesColumns } from "./vector";
export { lay } from "./strided";
export { transpose } from "./transpose";
export { clearWindows, meetTaps, occupied } from "./zeros";

/** Where the host's scratch memory may begin. */
export const heapBase: usize = __heap_base;
