import { currentBackend, initWasm, useBackend } from "../../../engine/backends/index.ts";
import type { Tensor } from "../../../engine/core/tensor.ts";
import * as F from "../../../engine/nn/functional.ts";
import * as torch from "../../../engine/torch.ts";
import {
  chapterBatch,
  chapterWeights,
  GEMMS,
  type Layer,
  LEARNING_RATE,
  numbers,
  type Peer,
  PLANES,
  planes,
  type Run,
  type WorkName,
} from "../works.ts";

const { nn, optim } = torch;

const tensorOf = (data: ArrayLike<number>, shape: readonly number[], dtype = torch.float32): Tensor =>
  torch.tensor(Array.from(data), { dtype }).reshape(...shape);

/** The CIFAR-10 network of the classic chapter: 4.43 GFLOP a training step at batch 64. */
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

/** The network with the weights that everyone gets. */
function givenNetwork() {
  const model = chapterNetwork();
  const { convs, linears } = chapterWeights();
  const values = [...convs, ...linears].flatMap(({ weight, bias, shape }: Layer) => [
    tensorOf(weight, shape),
    tensorOf(bias, [shape[0]!]),
  ]);
  torch.noGrad(() => {
    [...model.parameters()].forEach((parameter, i) => void parameter.copy_(values[i]!));
  });
  return model;
}

/** Calling it trains one step and gives the loss before it. */
export function trainer(batch: number): () => Tensor {
  const model = givenNetwork();
  const optimizer = new optim.SGD(model.parameters(), { lr: LEARNING_RATE });
  const criterion = new nn.CrossEntropyLoss();
  const { images, labels } = chapterBatch(batch);
  const x = tensorOf(images, [batch, 3, 32, 32]);
  const y = tensorOf(labels, [batch], torch.int64);
  return () => {
    const loss = criterion(model(x), y);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  };
}

const sumOf = (x: Tensor) => x.sum().item() as number;

function prepare(work: WorkName): Run {
  const gemm = GEMMS[work];
  if (gemm) {
    const [n, k, m] = gemm;
    const a = tensorOf(numbers(n * k, 1), [n, k]);
    const b = tensorOf(numbers(k * m, 2), [k, m]);
    return () => a.matmul(b).at(0).at(0).item() as number;
  }
  if (work === "step64" || work === "step1") {
    const step = trainer(work === "step64" ? 64 : 1);
    return () => step().item() as number;
  }
  if (work === "forward64") {
    const model = givenNetwork();
    const x = tensorOf(chapterBatch(64).images, [64, 3, 32, 32]);
    return () => torch.noGrad(() => sumOf(model(x)));
  }
  const x = tensorOf(planes(), PLANES);
  const once = work === "relu" ? () => F.relu(x) : () => F.maxPool2d(x, 2);
  return () => torch.noGrad(() => once().get(0, 0, 0, 0).item() as number);
}

/** The engine, on its fastest backend or on the reference. */
export async function load(source: Parameters<typeof initWasm>[0] | "reference"): Promise<Peer> {
  if (source === "reference") useBackend("reference");
  else await initWasm(source);
  return { name: `Stride ${currentBackend()}`, prepare: async (work) => prepare(work) };
}
