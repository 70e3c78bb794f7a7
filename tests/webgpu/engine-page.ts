/** In the page: the whole engine on WebGPU. */
import { setWarningSink } from "../../engine/core/warnings.ts";
import * as torch from "../../engine/torch.ts";
import type { Case, Group } from "../golden/cases.ts";
import { check } from "../golden/run.ts";
import { setInputDevice } from "../golden/values.ts";

export { torch };

const said: string[] = [];

/** Which operations have run on the CPU. */
export function fallbacks(): string[] {
  return said.flatMap((text) => /(\w+) runs on the CPU/.exec(text)?.[1] ?? []);
}

/** @throws where there is no adapter: these tests are about one */
export async function start(): Promise<void> {
  if (!(await torch.webgpu.init())) throw new Error("no WebGPU adapter");
  torch.setDefaultDevice("webgpu");
  setWarningSink((text) => said.push(text));
}

/** From now on tensors are made on the CPU, and only inputs and modules moved to the GPU, where all results have to be. */
export function moveInputs(moved: boolean): void {
  torch.setDefaultDevice(moved ? "cpu" : "webgpu");
  setInputDevice(moved ? torch.device("webgpu") : undefined);
}

/** What is wrong with each golden case when all its tensors are on the GPU; null where nothing is. */
export async function runGolden(given: string): Promise<(string | null)[]> {
  const { group, cases } = JSON.parse(given) as { group: Group; cases: Case[] };
  const verdicts: (string | null)[] = [];
  for (const golden of cases) {
    try {
      check(group, golden as never);
      verdicts.push(null);
    } catch (error) {
      verdicts.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
    await torch.webgpu.synchronize().catch((error: unknown) => {
      verdicts[verdicts.length - 1] ??= `the GPU: ${String(error)}`;
    });
  }
  return verdicts;
}
