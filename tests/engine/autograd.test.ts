import { describe, expect, it } from "vitest";
import * as F from "../../engine/nn/functional.ts";
import * as torch from "../../engine/torch.ts";

const leaf = (values: number[] | number[][]) => torch.tensor(values, { dtype: torch.float32, requiresGrad: true });
const text = (x: torch.Tensor | null) => String(x);

describe("what a sweep runs", () => {
  it("leaves the graph behind a wanted tensor alive", () => {
    const x = leaf([0, 1]);
    const a = x.exp();
    const [g] = torch.autograd.grad(a.mul(2).sum(), a);
    expect(text(g!)).toBe("tensor([2., 2.])");
    a.sum().backward();
    expect(text(x.grad)).toBe("tensor([1.0000, 2.7183])");
  });

  it("refuses to run twice what it ran without being told to keep it", () => {
    const x = leaf([1, 2]);
    const y = x.mul(x).sum();
    torch.autograd.grad(y, x);
    expect(() => y.backward()).toThrow("Trying to backward through the graph a second time");
  });

  it("gives the third derivative of a cube, with the names that PyTorch prints", () => {
    const x = torch.tensor(2, { dtype: torch.float32, requiresGrad: true });
    const [g] = torch.autograd.grad(x.pow(3), x, { createGraph: true });
    const [h] = torch.autograd.grad(g!, x, { createGraph: true });
    const [k] = torch.autograd.grad(h!, x);
    expect([g, h, k].map((d) => text(d!))).toEqual([
      "tensor(12., grad_fn=<MulBackward0>)",
      "tensor(12., grad_fn=<MulBackward0>)",
      "tensor(6.)",
    ]);
    expect(torch.autograd.grad(x.pow(0), x)[0]!.item()).toBe(0);
  });
});

describe("elements replaced by others stop being a function of the old ones", () => {
  it.each([
    ["a constant", (y: torch.Tensor) => y.fill_(2), "FillBackward2"],
    ["zeros", (y: torch.Tensor) => y.zero_(), "ZeroBackward0"],
    ["another tensor", (y: torch.Tensor) => y.copy_(torch.ones(2)), "CopyBackwards"],
    ["random numbers", (y: torch.Tensor) => y.normal_(), "NormalBackward0"],
  ])("filled with %s", (_, change, name) => {
    const x = leaf([1, 2]);
    const y = x.mul(3);
    change(y);
    expect(y.gradFn!.name).toBe(name);
    y.sum().backward();
    expect(text(x.grad)).toBe("tensor([0., 0.])");
  });

  it("in the part that set() wrote, and only there", () => {
    const x = leaf([1, 2]);
    const y = x.mul(1);
    y.set([0], 5);
    expect(text(y)).toBe("tensor([5., 2.], grad_fn=<CopySlices>)");
    y.sum().backward();
    expect(text(x.grad)).toBe("tensor([0., 1.])");
  });

  it("and become one of what was copied, a leaf included", () => {
    const x = leaf([1, 2]);
    const y = torch.zeros(3, 2);
    y.set(["1:"], x);
    y.mul(y).sum().backward();
    expect(text(x.grad)).toBe("tensor([4., 8.])");
  });

  it("is refused where one number stands for many", () => {
    const wide = torch.zeros(1).expand(3);
    expect(() => wide.add_(1)).toThrow(
      "more than one element of the written-to tensor refers to a single memory location",
    );
    expect(() => wide.copy_(torch.ones(3))).toThrow("more than one element");
    wide.fill_(2);
    expect(text(wide)).toBe("tensor([2., 2., 2.])");
  });
});

describe("names of gradient functions", () => {
  const x = leaf([1, 2, 3, 4]);
  const image = torch.ones([1, 4, 4], { requiresGrad: true });
  it.each([
    ["FlipBackward0", x.flip(0)],
    ["RollBackward0", x.roll(1)],
    ["RollBackward0", x.roll(1, 0)],
    ["PowBackward0", x.pow(2)],
    ["PowBackward1", x.pow(x)],
    ["PowBackward2", torch.pow(2, x)],
    ["ViewBackward0", F.linear(x, torch.ones(2, 4), torch.ones(2))],
    ["AddmmBackward0", F.linear(x.reshape(1, 4), torch.ones(2, 4), torch.ones(2))],
    ["MaxPool2DWithIndicesBackward0", F.maxPool2d(image, 2)],
    ["AvgPool2DBackward0", F.avgPool2d(image, 2)],
    ["SqueezeBackward1", F.conv2d(image, torch.ones(1, 1, 3, 3))],
  ])("%s", (name, y) => {
    expect(y.gradFn!.name).toBe(name);
  });

  it("rolls and flips gradients back", () => {
    const y = leaf([1, 2, 3]);
    y.roll(1)
      .mul(torch.tensor([1, 10, 100]))
      .sum()
      .backward();
    expect(text(y.grad)).toBe("tensor([ 10., 100.,   1.])");
    expect(() => y.roll([1, 2], 0)).toThrow("shifts and dimensions must align. shifts: 2, dims:1");
  });
});
