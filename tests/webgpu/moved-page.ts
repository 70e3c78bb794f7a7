/** In the page: what is made beside tensors that were moved to the GPU, while the default device is the CPU. */
import * as torch from "../../engine/torch.ts";

const { nn, optim } = torch;
const F = nn.functional;

export async function start(): Promise<void> {
  if (!(await torch.webgpu.init())) throw new Error("no WebGPU adapter");
}

const moved = (x: torch.Tensor): torch.Tensor => x.to("webgpu");

const MAKERS: Record<string, () => torch.Tensor> = {
  zerosLike: () => torch.zerosLike(moved(torch.ones(2, 3))),
  fullLike: () => torch.fullLike(moved(torch.ones(2, 3)), 2),
  emptyLike: () => torch.emptyLike(moved(torch.ones(2, 3))),
  randLike: () => torch.randLike(moved(torch.ones(2, 3))),
  randintLike: () => torch.randintLike(moved(torch.ones(2, 3)), 5),
  bernoulli: () => torch.bernoulli(moved(torch.full([2, 3], 0.5))),
  multinomial: () => torch.multinomial(moved(torch.ones(4)), 2),
  oneHot: () => F.oneHot(moved(torch.tensor([0, 2])), 4),
  dropout: () => F.dropout(moved(torch.ones(2, 3))),
  dropout2d: () => F.dropout2d(moved(torch.ones(2, 3, 2, 2))),
  attention: () =>
    F.scaledDotProductAttention(moved(torch.ones(1, 2, 4)), moved(torch.ones(1, 3, 4)), moved(torch.ones(1, 3, 4)), {
      dropoutP: 0.5,
    }),
  gumbelSoftmax: () => F.gumbelSoftmax(moved(torch.ones(2, 3)), { hard: true }),
  affineGrid: () => F.affineGrid(moved(torch.ones(1, 2, 3)), [1, 1, 4, 4]),
  embeddingBag: () => F.embeddingBag(moved(torch.tensor([[0, 2]])), moved(torch.ones(3, 2))),
  encoder: () => moved2(new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 6 }))(moved(torch.ones(3, 1, 4))),
  norm: () => gradientOf((x) => x.norm()),
  prod: () => gradientOf((x) => x.prod()),
};

function moved2(module: torch.nn.Module): (x: torch.Tensor) => torch.Tensor {
  return module.to("webgpu") as unknown as (x: torch.Tensor) => torch.Tensor;
}

function gradientOf(f: (x: torch.Tensor) => torch.Tensor): torch.Tensor {
  const x = moved(torch.tensor([1, 2, 3], { dtype: torch.float32 })).requiresGrad_();
  f(x).backward();
  return x.grad!;
}

export const MADE = Object.keys(MAKERS);

export function deviceOf(name: string): string {
  try {
    return String(MAKERS[name]!().device);
  } catch (error) {
    return String(error);
  }
}

type Optimizer = { step(): void; state: Map<unknown, Record<string, unknown>> };

/** Devices of what an optimizer remembers of a moved model. */
export function remembered(name: string): string[] {
  const model = new nn.Linear(4, 3).to("webgpu") as torch.nn.Linear;
  const make = (optim as unknown as Record<string, new (...args: unknown[]) => Optimizer>)[name]!;
  const optimizer = new make(model.parameters(), name === "SGD" ? { lr: 0.1, momentum: 0.9 } : {});
  F.crossEntropy(model(moved(torch.ones(2, 4))) as torch.Tensor, moved(torch.tensor([0, 1]))).backward();
  optimizer.step();
  optimizer.step();
  const found: string[] = [];
  for (const entry of optimizer.state.values()) {
    for (const [key, value] of Object.entries(entry)) {
      if (value instanceof torch.Tensor && value.ndim > 0) found.push(`${key}: ${value.device}`);
    }
  }
  return found;
}
