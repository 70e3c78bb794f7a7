/** In the page: trainings whose GPU memory is watched. */
import { setDeviceBudget } from "../../engine/core/device_memory.ts";
import { pause } from "../../engine/data/pause.ts";
import * as torch from "../../engine/torch.ts";

const { nn, optim } = torch;

export async function start(): Promise<void> {
  if (!(await torch.webgpu.init())) throw new Error("no WebGPU adapter");
  torch.setDefaultDevice("webgpu");
}

/** Written as students write it: every activation has a name. */
class Net extends nn.Module {
  conv1 = new nn.Conv2d(3, 8, 5, { padding: 2 });
  conv2 = new nn.Conv2d(8, 16, 5, { padding: 2 });
  pool = new nn.MaxPool2d(2);
  flatten = new nn.Flatten();
  linear = new nn.Linear(256, 10);

  override forward(x: torch.Tensor): torch.Tensor {
    const first = this.pool(nn.functional.relu(this.conv1(x)));
    const second = this.pool(nn.functional.relu(this.conv2(first)));
    return this.linear(this.flatten(second));
  }
}

export interface Watched {
  losses: number[];
  /** Bytes held by tensors, every tenth step. */
  held: number[];
  /** Buffers ever made by the end of each tenth step. */
  total: number;
}

/**
 * Trains on one batch.
 * @param yields whether the loop lets the event loop turn, as a loader does
 */
export async function train(steps: number, yields: boolean): Promise<Watched> {
  torch.manualSeed(0);
  const model = new Net();
  const criterion = new nn.CrossEntropyLoss();
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.05, momentum: 0.9 });
  const images = torch.randn(8, 3, 16, 16);
  const labels = torch.randint(0, 10, [8]);
  let runningLoss = torch.tensor(0, { dtype: torch.float32 });
  const losses: torch.Tensor[] = [];
  const held: number[] = [];
  for (let step = 0; step < steps; step++) {
    optimizer.zeroGrad();
    const loss = criterion(model(images), labels) as torch.Tensor;
    loss.backward();
    optimizer.step();
    runningLoss = runningLoss.add(loss);
    if (step % 10 === 9) {
      losses.push(loss.detach());
      held.push(torch.webgpu.memoryAllocated());
    }
    if (yields) await pause();
  }
  const numbers = (await torch.stack(losses).cpu()).tolist() as number[];
  return { losses: [...numbers, (await runningLoss.cpu()).item()], held, total: torch.webgpu.memoryAllocated() };
}

export function setBudget(bytes: number): void {
  setDeviceBudget(bytes);
}

/** The same training on the CPU. */
export async function trainOnCpu(steps: number): Promise<number[]> {
  torch.setDefaultDevice("cpu");
  const { losses } = await train(steps, true);
  torch.setDefaultDevice("webgpu");
  return losses;
}
