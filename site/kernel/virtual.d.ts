declare module "virtual:stride-kernel" {
  /** Where the kernel's text is served. */
  export const kernelUrl: string;
  /** Where the text of the WebGPU backend is served. */
  export const webGpuUrl: string;
}

declare module "stride:wasm" {
  /** The WebAssembly kernels, or null where they have not been compiled. */
  export const relaxed: Uint8Array<ArrayBuffer> | null;
  export const simd: Uint8Array<ArrayBuffer> | null;
}
