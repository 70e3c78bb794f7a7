/** The kernel's worker over the small engine of the unit tests. */
import { type StartOptions, startKernel } from "../../site/kernel/worker/start.ts";
import { smallEngine } from "../site/small-engine.ts";

export function start(options: StartOptions, ports: readonly MessagePort[]): Promise<void> {
  return startKernel(options, ports, async () => smallEngine());
}
