/** The entry of the kernel text: Stride's engine in a worker. */
import type { StartOptions } from "./start.ts";
import { startKernel } from "./start.ts";
import { strideEngine } from "./stride-engine.ts";

export function start(options: StartOptions, ports: readonly MessagePort[]): Promise<void> {
  return startKernel(options, ports, strideEngine);
}
