/** Everyone who takes part, by the key under which a page or a process is asked to play one of them. */
import type { Peer } from "./works.ts";

/** Where the binaries of each lie: folders ending in "/", of addresses in a page and of paths in Node. */
export interface Places {
  stride: (variant: string) => Promise<Uint8Array<ArrayBuffer>>;
  tfjs: string;
  onnx: string;
}

export type Key = "stride" | "tfjs-cpu" | "tfjs-wasm" | "jax" | "onnx" | "stride-webgpu" | "tfjs-webgpu" | "jax-webgpu";
export const KEYS: readonly Key[] = ["stride", "tfjs-cpu", "tfjs-wasm", "jax", "onnx"];
export const WEBGPU_KEYS: readonly Key[] = ["stride-webgpu", "tfjs-webgpu", "jax-webgpu"];

export async function play(key: Key, places: Places): Promise<Peer> {
  switch (key) {
    case "stride":
      return (await import("./peers/stride.ts")).load(places.stride);
    case "tfjs-cpu":
      return (await import("./peers/tfjs.ts")).load("cpu", places.tfjs);
    case "tfjs-wasm":
      return (await import("./peers/tfjs.ts")).load("wasm", places.tfjs);
    case "jax":
      return (await import("./peers/jax.ts")).load("wasm");
    case "stride-webgpu":
      return (await import("./peers/stride.ts")).loadWebGpu();
    case "tfjs-webgpu":
      return (await import("./peers/tfjs.ts")).load("webgpu", places.tfjs);
    case "jax-webgpu":
      return (await import("./peers/jax.ts")).load("webgpu");
    case "onnx":
      return (await import("./peers/onnx.ts")).load(places.onnx);
  }
}
