/**
 * node --expose-gc tests/engine/growth.ts: by how many bytes a step the heap grows, as JSON. Without what V8 compiles, which
 * has nothing to do with how many steps there are.
 */
import { getHeapSpaceStatistics } from "node:v8";
import type { Tensor } from "../../engine/core/tensor.ts";
import * as torch from "../../engine/torch.ts";

const used = (): number => {
  globalThis.gc?.();
  globalThis.gc?.();
  return getHeapSpaceStatistics()
    .filter(({ space_name }) => !/code|trusted/.test(space_name))
    .reduce((sum, { space_used_size }) => sum + space_used_size, 0);
};

function perStep(step: () => void, steps: number): number {
  for (let i = 0; i < steps / 4; i++) step();
  const before = used();
  for (let i = 0; i < steps; i++) step();
  return (used() - before) / steps;
}

/** Trains on, with the loss joined to what is kept of the losses before, and swept before that or after. */
function training(join: (kept: Tensor, loss: Tensor) => Tensor, sweptFirst = true): () => void {
  const w = torch.randn(4, 3, { requiresGrad: true });
  const x = torch.randn(8, 4);
  let kept: Tensor = torch.zeros(1);
  return () => {
    w.grad = null;
    const loss = x.matmul(w).tanh().pow(2).mean();
    if (sweptFirst) loss.backward();
    kept = join(kept, loss);
    if (!sweptFirst) loss.backward();
  };
}

console.log(
  JSON.stringify({
    sum: perStep(
      training((kept, loss) => kept.add(loss)),
      4000,
    ),
    "sum made before the sweep": perStep(
      training((kept, loss) => kept.add(loss), false),
      4000,
    ),
    "weighted sum": perStep(
      training((kept, loss) => kept.add(loss.mul(8))),
      4000,
    ),
    "moving average": perStep(
      training((kept, loss) => kept.mul(0.9).add(loss.mul(0.1))),
      4000,
    ),
    "sum in place": perStep(
      training((kept, loss) => kept.add_(loss)),
      4000,
    ),
    "large tensors in a loop that never yields": perStep(() => void torch.zeros(8192), 8000),
  }),
);
