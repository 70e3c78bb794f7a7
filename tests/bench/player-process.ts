/** A participant in a Node process of its own: node player-process.ts KEY. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type WasmVariant, wasmFileName } from "../../engine/backends/index.ts";
import type { Key } from "./participants.ts";
import { start, time } from "./player.ts";
import type { WorkName } from "./works.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const say = (message: unknown) => process.send?.(message);

process.on("message", async ({ work, budget }: { work: WorkName; budget: number }) => say(await time(work, budget)));

try {
  const name = await start(process.argv[2] as Key, {
    stride: async (variant) =>
      new Uint8Array(await readFile(here(`../../engine/backends/wasm/build/${wasmFileName(variant as WasmVariant)}`))),
    tfjs: here("node_modules/@tensorflow/tfjs-backend-wasm/dist/"),
    onnx: here("node_modules/onnxruntime-web/dist/"),
  });
  say({ name });
} catch (error) {
  say({ failed: error instanceof Error ? error.message : String(error) });
}
