/** The index maps that the kernels use, for the page: pure functions, no tensors. */
export type { ConvGeometry, PoolGeometry, Reader, WindowCell, WindowGeometry } from "../core/window.ts";
export { convOutputSize, poolOutputSize, readersOf, windowOf } from "../core/window.ts";
