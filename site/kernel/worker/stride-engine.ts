/** Stride's engine as the kernel sees it. */
import { relaxed, simd } from "stride:wasm";
import { initWasm } from "../../../engine/backends/index.ts";
import type { Engine } from "./engine.ts";
import { engineTools } from "./engine-tools.ts";

/** With the WebAssembly kernels that the bundle carries; without them, or without SIMD, the reference kernels serve. */
export async function strideEngine(): Promise<Engine> {
  const bytes = { relaxed, simd };
  const variant =
    relaxed && simd ? await initWasm((wanted) => Promise.resolve(bytes[wanted] as Uint8Array<ArrayBuffer>)) : null;
  return engineTools(variant ?? "none");
}
