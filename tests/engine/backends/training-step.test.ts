import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { initWasm, useBackend } from "../../../engine/backends/index.ts";
import type { Tensor } from "../../../engine/core/tensor.ts";
import * as torch from "../../../engine/torch.ts";
import { chapterNetwork } from "../../bench/peers/stride.ts";

const { nn, optim } = torch;

/** Network, images and labels from seed 0; calling it trains one step and gives the loss before it. */
function trainer(batch: number): () => Tensor {
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

/** PyTorch 2.13, CPU, one thread, the same network, seed and data. */
const LOSSES = [2.3088126182556152, 2.30745792388916, 2.3061230182647705, 2.304810047149658, 2.303514242172241];

describe("the chapter's network, trained step by step", () => {
  beforeAll(async () => {
    expect(await initWasm()).not.toBeNull();
  });
  afterEach(() => useBackend("wasm"));

  test("follows PyTorch's losses for a batch of 64 to the sixth digit", () => {
    const step = trainer(64);
    for (const loss of LOSSES) expect(step().item()).toBeCloseTo(loss, 5);
  });

  test("takes the same course on the reference kernels", () => {
    const losses = (["wasm", "reference"] as const).map((backend) => {
      useBackend(backend);
      const step = trainer(2);
      return [step().item() as number, step().item() as number, step().item() as number];
    });
    for (const [i, loss] of losses[0]!.entries()) expect(loss).toBeCloseTo(losses[1]![i]!, 5);
  });
});
