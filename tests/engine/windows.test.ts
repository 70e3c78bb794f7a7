import { describe, expect, it } from "vitest";
import { setRecorder } from "../../engine/inspect/recorder.ts";
import type { OpRecord } from "../../engine/inspect/records.ts";
import * as F from "../../engine/nn/functional.ts";
import * as torch from "../../engine/torch.ts";

const image = torch.ones(1, 1, 5, 5);
const kernel = torch.ones(1, 1, 3, 3);

describe("sizes that make no sense are told, not rounded", () => {
  it.each<[string, () => unknown]>([
    ["conv2d(): argument 'stride' must be tuple of ints, not float", () => F.conv2d(image, kernel, { stride: 1.5 })],
    [
      "expected padding to be a single integer value or a list of 2 values to match the convolution dimensions, but got padding=[1, 2, 3]",
      () => F.conv2d(image, kernel, { padding: [1, 2, 3] }),
    ],
    ["non-positive stride is not supported", () => F.conv2d(torch.ones(1, 2, 5, 5), kernel, { stride: 0 })],
    [
      "kernel size should be greater than zero, but got kernel_height: 0 kernel_width: 0",
      () => new torch.nn.Conv2d(1, 4, 0)(image),
    ],
    [
      "max_pool2d(): argument 'kernel_size' (position 2) must be tuple of ints, not float",
      () => F.maxPool2d(image, 2.5),
    ],
    [
      "max_pool2d: kernel_size must either be a single int, or a tuple of two ints",
      () => F.maxPool2d(image, [1, 2, 3]),
    ],
    ["non-empty 3D or 4D (batch mode) tensor expected for input", () => F.maxPool2d(torch.ones(5, 5), 2)],
    [
      "Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but got:[1, 2, 0, 5]",
      () => F.avgPool2d(torch.ones(1, 2, 0, 5), 2),
    ],
    [
      "max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but got:[5]",
      () => F.maxPool1d(torch.ones(5), 2),
    ],
    [
      "Expected 2 to 3 dimensions, but got 1-dimensional tensor for argument #1 'self' (while checking arguments for avg_pool1d)",
      () => F.avgPool1d(torch.ones(5), 2),
    ],
  ])("%s", (message, run) => {
    expect(run).toThrow(message);
  });
});

it("one image without a batch dimension is recorded as a batch of one", () => {
  const records: OpRecord[] = [];
  const before = setRecorder((draft) => records.push(draft.take()));
  try {
    F.maxPool2d(torch.arange(16, { dtype: torch.float32 }).reshape(1, 4, 4), 2);
  } finally {
    setRecorder(before);
  }
  expect(records.map(({ inputs, output }) => [inputs.input!.shape, output.shape])).toEqual([
    [
      [1, 1, 4, 4],
      [1, 1, 2, 2],
    ],
  ]);
});

it("max_pool1d gives the positions of integers", () => {
  const [out, at] = F.maxPool1d(torch.tensor([[3, 9, 4, 1]]), 2, { returnIndices: true });
  expect([String(out), String(at)]).toEqual(["tensor([[9, 4]])", "tensor([[1, 2]])"]);
});
