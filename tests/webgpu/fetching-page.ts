/** In the page: training steps, in which nothing may be fetched from the GPU. */
import { acceleratorOf, setAccelerator } from "../../engine/core/device.ts";
import * as torch from "../../engine/torch.ts";

const { nn, optim } = torch;

let fetched = 0;

export async function start(): Promise<void> {
  if (!(await torch.webgpu.init())) throw new Error("no WebGPU adapter");
  torch.setDefaultDevice("webgpu");
  const plain = acceleratorOf();
  setAccelerator({
    allocate: (bytes) => plain.allocate(bytes),
    free: (memory) => plain.free(memory),
    write: (memory, elements) => plain.write(memory, elements),
    copyOf: (memory) => plain.copyOf(memory),
    readsSync: plain.readsSync,
    readSync(memory, bytes) {
      fetched++;
      return plain.readSync(memory, bytes);
    },
    read(memory, bytes) {
      fetched++;
      return plain.read(memory, bytes);
    },
    catchUp: () => plain.catchUp(),
  });
}

const CRITERIA = {
  plain: () => new nn.CrossEntropyLoss(),
  smoothed: () => new nn.CrossEntropyLoss({ labelSmoothing: 0.1 }),
  weighted: () => new nn.CrossEntropyLoss({ weight: torch.linspace(0.5, 2, 10), ignoreIndex: 3 }),
};

/** How often three steps of a convolutional network fetch anything, and how often looking at their last loss does. */
export function train(name: "SGD" | "Adam", criterion: keyof typeof CRITERIA): { inSteps: number; after: number } {
  torch.manualSeed(0);
  const model = new nn.Sequential(
    new nn.Conv2d(3, 8, 3, { padding: 1 }),
    new nn.BatchNorm2d(8),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Dropout(0.25),
    new nn.Linear(8 * 8 * 8, 10),
  );
  const judge = CRITERIA[criterion]();
  const optimizer =
    name === "SGD"
      ? new optim.SGD(model.parameters(), { lr: 0.05, momentum: 0.9 })
      : new optim.Adam(model.parameters(), { lr: 0.001 });
  const images = torch.randn(4, 3, 16, 16);
  // Made by a kernel: nobody on the CPU knows them.
  const labels = torch.randint(0, 9, [4]).add(1);
  fetched = 0;
  let last = torch.zeros(1);
  for (let step = 0; step < 3; step++) {
    optimizer.zeroGrad();
    last = judge(model(images), labels) as torch.Tensor;
    last.backward();
    optimizer.step();
  }
  const inSteps = fetched;
  if (!Number.isFinite(last.item())) throw new Error("the loss is not a number");
  return { inSteps, after: fetched - inSteps };
}

/** The loss of classes of which one does not exist, and the rows of the gradient that are numbers. */
export function missingClass(): { loss: number[]; finiteRows: boolean[] } {
  const scores = torch.ones(3, 4, { requiresGrad: true });
  const labels = torch.tensor([0, 3, 1]).add(1);
  const loss = nn.functional.crossEntropy(scores, labels, { reduction: "none" });
  loss.sum().backward();
  const rows = scores.grad?.isfinite().all(1).tolist() as boolean[];
  return { loss: loss.tolist() as number[], finiteRows: rows };
}
