/** The kernel over Stride's own engine: what a cell of a lesson meets. */
import { afterEach, expect, test } from "vitest";
import type { ConvRecord } from "../../engine/inspect/records.ts";
import { createNodeKernel, type NodeKernel } from "../../site/kernel/node.ts";
import { readFlow } from "../../site/lesson/dataflow.ts";

let kernel: NodeKernel | null = null;
afterEach(() => kernel?.dispose());

/** Runs cells in order, with the scope that their texts give. */
async function lesson(sources: Record<string, string>, seed = 0) {
  const cells = Object.entries(sources).map(([id, source]) => ({ id, source, publishes: true }));
  const flow = readFlow(cells);
  const fresh = await createNodeKernel({ seed });
  kernel = fresh;
  const results = [];
  for (const { id, source } of cells) {
    const { scope, below } = flow.cells.get(id)!;
    results.push(await fresh.run({ cellId: id, source, scope, below, publishes: true, check: null }));
  }
  return { results, kernel: fresh.kernel, interrupt: () => fresh.interrupt() };
}

const CONV = `import * as torch from "torch";
import * as F from "torch/nn/functional";
const input = torch.tensor([[1, 2, 0, 3, 1], [0, 1, 2, 3, 1], [1, 2, 1, 0, 0], [5, 2, 3, 1, 1], [2, 1, 0, 1, 1]]).reshape(1, 1, 5, 5);
const kernel = torch.tensor([[1, 2, 1], [0, 1, 0], [2, 1, 0]]).reshape(1, 1, 3, 3);
print(F.conv2d(input, kernel, { stride: 1 }));`;

test("a cell prints PyTorch's text and leaves a record of the call's line", async () => {
  const { results, kernel } = await lesson({ "first-conv": CONV });
  expect(results[0]!.text).toBe("tensor([[[[10, 12, 12],\n          [18, 16, 16],\n          [13,  9,  3]]]])\n");
  expect(results[0]!.items[0]).toMatchObject({
    kind: "text",
    tensors: [{ start: 0, tensor: { shape: [1, 1, 3, 3], dtype: "int64" } }],
  });
  const [summary] = kernel.recordsOf("first-conv");
  expect(summary).toMatchObject({ op: "conv2d", cellId: "first-conv", line: 5, outputShape: [1, 1, 3, 3] });
  expect(Array.from((kernel.record(summary!.id) as ConvRecord).inputs.weight.data)).toEqual([
    1, 2, 1, 0, 1, 0, 2, 1, 0,
  ]);
});

test("a what-if answers with a record and the line that makes it, or with PyTorch's error", async () => {
  const { kernel } = await lesson({ "first-conv": CONV });
  const { id } = kernel.recordsOf("first-conv")[0]!;
  const padded = kernel.whatIf({ recordId: id, attrs: { stride: 2, padding: [1, 1] }, values: {} });
  expect(padded).toMatchObject({
    ok: true,
    code: "F.conv2d(input, weight, { stride: 2, padding: 1 })",
    record: { output: { shape: [1, 1, 3, 3] } },
  });
  const changed = kernel.whatIf({ recordId: id, attrs: {}, values: { weight: { shape: [1, 1, 1, 1], data: [2] } } });
  expect(changed.ok && Array.from(changed.record.output.data).slice(0, 5)).toEqual([2, 4, 0, 6, 2]);
  const wide = kernel.whatIf({ recordId: id, attrs: { dilation: 3 }, values: {} });
  expect(wide).toMatchObject({
    ok: false,
    error: {
      name: "RuntimeError",
      shapes: [
        [1, 1, 5, 5],
        [1, 1, 3, 3],
      ],
    },
  });
  expect(!wide.ok && wide.error.message).toMatch(/^Calculated padded input size per channel: \(5 x 5\)/);
});

test("gradients of a recorded call are the engine's, integers promoted", async () => {
  const { kernel } = await lesson({ "first-conv": CONV });
  const { id } = kernel.recordsOf("first-conv")[0]!;
  const answer = kernel.gradients({ recordId: id, attrs: {}, values: {} }, null);
  expect(answer).toMatchObject({ ok: true, promoted: true });
  expect(answer.ok && Array.from(answer.gradients.weight!.data)).toEqual([10, 14, 11, 17, 15, 12, 17, 11, 8]);
});

test("a pooling call can be tried as the other kind of pooling", async () => {
  const { kernel, results } = await lesson({
    "first-conv": CONV,
    pool: "print(F.maxPool2d(input.to(torch.float32), 3, { ceilMode: true }))",
  });
  expect(results[1]!.text).toBe("tensor([[[[2., 3.],\n          [5., 1.]]]])\n");
  const { id } = kernel.recordsOf("pool")[0]!;
  const answer = kernel.whatIf({
    recordId: id,
    op: "avg_pool2d",
    attrs: { kernelSize: 2, stride: 1, ceilMode: false },
    values: {},
  });
  expect(answer).toMatchObject({
    ok: true,
    code: "F.avgPool2d(input, 2, { stride: 1 })",
    record: { op: "avg_pool2d" },
  });
});

test("records of a module's layers name the layer, and the line of forward", async () => {
  const { kernel, results } = await lesson({
    net: `import * as torch from "torch";
import { nn } from "torch";
class Tudui extends nn.Module {
  conv1: nn.Conv2d;
  constructor() { super(); this.conv1 = new nn.Conv2d(3, 6, 3); }
  forward(x: torch.Tensor) {
    return this.conv1(x);
  }
}
const tudui = new Tudui();
print(tudui);
tudui(torch.rand(2, 3, 8, 8)).shape`,
    use: "tudui(torch.zeros(1, 3, 4, 4));\nnull",
  });
  expect(results[0]!.text).toBe("Tudui(\n  (conv1): Conv2d(3, 6, kernel_size=(3, 3), stride=(1, 1))\n)\n");
  expect(results[0]!.items.at(-1)).toMatchObject({ kind: "value", text: "torch.Size([2, 6, 6, 6])" });
  expect(kernel.recordsOf("net")).toMatchObject([{ cellId: "net", line: 7, module: "conv1" }]);
  expect(kernel.recordsOf("use")).toMatchObject([
    { cellId: "use", line: 1, module: "conv1", inputShape: [1, 3, 4, 4] },
  ]);
});

test("a wrong shape gives PyTorch's sentence, the line and the shapes", async () => {
  const { results } = await lesson({
    a: `import { nn } from "torch"; import * as torch from "torch";\n\nnew nn.Linear(3, 2)(torch.ones(4, 5))`,
  });
  expect(results[0]!.error).toMatchObject({
    name: "RuntimeError",
    message: "mat1 and mat2 shapes cannot be multiplied (4x5 and 3x2)",
    frames: [{ cellId: "a", line: 3 }],
  });
});

test("a loop over a loader can be stopped at its next batch", async () => {
  const running = lesson({
    a: `import * as torch from "torch"; import { DataLoader, TensorDataset } from "torch/utils/data";
const loader = new DataLoader(new TensorDataset(torch.rand(4096, 8)), { batchSize: 4 });
for (;;) for await (const [x] of loader) x.sum();`,
    b: "print('never')",
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  kernel!.interrupt();
  const { results } = await running;
  expect(results[0]!.state).toBe("stopped");
});

test("the same seed gives PyTorch's numbers in every fresh kernel", async () => {
  const source = `import * as torch from "torch"; print(torch.rand(3))`;
  expect((await lesson({ a: source })).results[0]!.text).toBe("tensor([0.4963, 0.7682, 0.0885])\n");
  kernel!.dispose();
  expect((await lesson({ a: source })).results[0]!.text).toBe("tensor([0.4963, 0.7682, 0.0885])\n");
});

test("what a SummaryWriter says arrives as events of its cell", async () => {
  await lesson({
    a: `import { SummaryWriter } from "torch/utils/tensorboard"; const w = new SummaryWriter("logs"); w.addScalar("loss", 0.5, 3);`,
  });
  const event = kernel!.events.find((it) => it.type === "tensorboard");
  expect(event).toMatchObject({ cellId: "a", event: { kind: "scalars", tag: "loss", step: 3, value: 0.5 } });
});

test("a name that a module does not have is named with the nearest one", async () => {
  const { results } = await lesson({ a: `import { conv3d, tensr } from "torch";\ntensr(1)` });
  expect(results[0]!.error).toMatchObject({
    name: "SyntaxError",
    message: '"torch" has no "tensr"',
    hint: 'did you mean "tensor"?',
    frames: [{ line: 1, column: 18 }],
  });
});

test("a warning stands in the output once, as an error text, and again in the next run", async () => {
  const loss = `import * as torch from "torch";
import * as F from "torch/nn/functional";
for (const _ of [1, 2]) F.mseLoss(torch.ones(2, 1), torch.ones(2, 3));`;
  const { results } = await lesson({ first: loss, second: loss });
  for (const { items } of results) {
    expect(items).toMatchObject([
      {
        kind: "text",
        stream: "stderr",
        text: "UserWarning: Using a target size (torch.Size([2, 3])) that is different to the input size (torch.Size([2, 1])). This will likely lead to incorrect results due to broadcasting. Please ensure they have the same size.\n",
      },
    ]);
  }
});
