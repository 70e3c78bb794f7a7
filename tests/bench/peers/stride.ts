import { currentBackend, initWasm, useBackend } from "../../../engine/backends/index.ts";
import type { Tensor } from "../../../engine/core/tensor.ts";
import * as F from "../../../engine/nn/functional.ts";
import * as torch from "../../../engine/torch.ts";
import {
  CONVS,
  chapterBatch,
  chapterWeights,
  convNumbers,
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

/** The number in a tensor of one element, when whatever computes it is done. */
type Reader = (x: Tensor) => number | Promise<number>;

function prepare(work: WorkName, read: Reader): Run {
  const gemm = GEMMS[work];
  const conv = CONVS[work];
  if (conv) {
    const numbers = convNumbers(conv);
    const x = tensorOf(numbers.x, [64, conv.from, conv.size, conv.size]).requiresGrad_(conv.kernel === "input");
    const weight = tensorOf(numbers.weight, [conv.to, conv.from, 5, 5]).requiresGrad_(conv.kernel === "weight");
    const once = () => F.conv2d(x, weight, null, { padding: 2 });
    if (conv.kernel === "forward") return () => read(torch.noGrad(() => once().get(0, 0, 0, 0)));
    const y = once();
    const gradOutputs = tensorOf(numbers.dy, y.shape);
    const of = conv.kernel === "input" ? x : weight;
    return () => {
      const [gradient] = torch.autograd.grad(y, of, { gradOutputs, retainGraph: true });
      if (!gradient) throw new Error("no gradient");
      return read(gradient.get(0, 0, 0, 0));
    };
  }
  if (gemm) {
    const [n, k, m] = gemm;
    const a = tensorOf(numbers(n * k, 1), [n, k]);
    const b = tensorOf(numbers(k * m, 2), [k, m]);
    return () => read(a.matmul(b).at(0).at(0));
  }
  if (work === "step64" || work === "step1") {
    const step = trainer(work === "step64" ? 64 : 1);
    return () => read(step());
  }
  if (work === "forward64") {
    const model = givenNetwork();
    const x = tensorOf(chapterBatch(64).images, [64, 3, 32, 32]);
    return () => read(torch.noGrad(() => model(x).sum()));
  }
  const x = tensorOf(planes(), PLANES);
  const once = work === "relu" ? () => F.relu(x) : () => F.maxPool2d(x, 2);
  return () => read(torch.noGrad(() => once().get(0, 0, 0, 0)));
}

/** The engine, on its fastest backend or on the reference. */
export async function load(source: Parameters<typeof initWasm>[0] | "reference"): Promise<Peer> {
  if (source === "reference") useBackend("reference");
  else await initWasm(source);
  const read: Reader = (x) => x.item() as number;
  return { name: `Stride ${currentBackend()}`, prepare: async (work) => prepare(work, read) };
}

/** The engine with everything on the GPU. */
export async function loadWebGpu(): Promise<Peer> {
  if (!(await torch.webgpu.init())) throw new Error("no WebGPU adapter");
  torch.setDefaultDevice("webgpu");
  const read: Reader = async (x) => (await x.cpu()).item() as number;
  return { name: "Stride webgpu", prepare: async (work) => prepare(work, read) };
}
