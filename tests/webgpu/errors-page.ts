/** In the page: calls that go wrong. */
import { setWarningSink } from "../../engine/core/warnings.ts";
import * as torch from "../../engine/torch.ts";

/** The device that the engine was given, to take it away again. */
let device: GPUDevice;

export async function start(): Promise<void> {
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function (...args) {
    device = await requestDevice.apply(this, args);
    return device;
  };
  if (!(await torch.webgpu.init())) throw new Error("no WebGPU adapter");
}

const CALLS: Record<string, () => unknown> = {
  apart: () => torch.ones(2, { device: "webgpu" }).add(torch.ones(2)),
  scalar: () => torch.tensor([1, 2], { device: "webgpu", dtype: torch.float32 }).add(1).add(torch.tensor(2)),
  large: () => torch.zeros(2 ** 31, { device: "webgpu" }).add(1),
  exact() {
    const tenth = torch.tensor([0.1], { dtype: torch.float64, device: "webgpu" }).mul(1);
    const wide = torch.tensor([2 ** 53 - 3], { device: "webgpu" }).add(1);
    const grown = torch.tensor([1_500_000_000], { device: "webgpu" }).mul(2);
    return [tenth, wide, grown].map((x) => JSON.stringify(x.tolist())).join(" ");
  },
};

export function outcome(name: string): string {
  try {
    return String(CALLS[name]!());
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
}

export function warnings(): string[] {
  const said: string[] = [];
  setWarningSink((text) => said.push(text));
  const x = torch.tensor([3, 1, 2], { dtype: torch.float32, device: "webgpu" }).mul(1);
  const sorted = [torch.sort(x), torch.sort(x)].map(([values]) => JSON.stringify(values.tolist()));
  return [...said.map((text) => text.replace(/^UserWarning: /, "")), sorted.join(" ")];
}

export async function lose(): Promise<string[]> {
  const x = torch.ones(2, { device: "webgpu" }).add(1);
  device.destroy();
  await device.lost;
  const lines: string[] = [];
  try {
    lines.push(String(x.add(1)));
  } catch (error) {
    lines.push(`${(error as Error).name}: ${(error as Error).message}`);
  }
  lines.push(String(torch.tensor([1, 2], { dtype: torch.float32 }).add(2)));
  return lines;
}
