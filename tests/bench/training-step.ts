/** One training step of the chapter's network, timed: the same code for Node, a browser and a test. */
import type { Tensor } from "../../engine/core/tensor.ts";
import * as torch from "../../engine/torch.ts";

const { nn, optim } = torch;

/** The CIFAR-10 network of the classic chapter: 4.43 GFLOP a step at batch 64. */
export function chapterNetwork() {
  return new nn.Sequential(
    new nn.Conv2d(3, 32, 5, { padding: 2 }),
    new nn.MaxPool2d(2),
    new nn.Conv2d(32, 32, 5, { padding: 2 }),
    new nn.MaxPool2d(2),
    new nn.Conv2d(32, 64, 5, { padding: 2 }),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(1024, 64),
    new nn.Linear(64, 10),
  );
}

/** A network, random images and labels, all from seed 0; calling it trains one step and gives the loss before it. */
export function trainer(batch: number): () => Tensor {
  torch.manualSeed(0);
  const model = chapterNetwork();
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 });
  const criterion = new nn.CrossEntropyLoss();
  const images = torch.rand(batch, 3, 32, 32);
  const labels = torch.randint(0, 10, [batch]);
  return () => {
    const loss = criterion(model(images), labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  };
}

/** Median and least of `count` runs in milliseconds, after three to warm up. */
export function time(run: () => unknown, count: number): { median: number; least: number } {
  for (let i = 0; i < 3; i++) run();
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    run();
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return { median: times[count >> 1]!, least: times[0]! };
}

/** Steps of batch 64 and of batch 1, and the forward pass alone, one line each. */
export function report(): string[] {
  const line = (name: string, { median, least }: ReturnType<typeof time>) =>
    `${name.padEnd(28)} ${median.toFixed(1)} ms (least ${least.toFixed(1)})`;
  const model = chapterNetwork();
  const images = torch.rand(64, 3, 32, 32);
  const forward = () => torch.noGrad(() => model(images));
  return [
    line("training step, batch 64", time(trainer(64), 15)),
    line("forward pass, batch 64", time(forward, 15)),
    line("training step, batch 1", time(trainer(1), 60)),
  ];
}
