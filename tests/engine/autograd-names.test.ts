/** The graph as PyTorch shows it: the names of nodes and of those they lead to. */
import { expect, it } from "vitest";
import * as F from "../../engine/nn/functional.ts";
import * as torch from "../../engine/torch.ts";

type Tensor = torch.Tensor;

const x = (...shape: number[]): Tensor => torch.ones(shape, { requiresGrad: true });
const y = () => x(3).mul(1);
const mask = torch.tensor([true, false, true]);
const leaf = "AccumulateGrad";

function set(index: (Tensor | string | number)[], value: Tensor | number): Tensor {
  const target = y();
  target.set(index, value);
  return target;
}

it.each<[string, Tensor, (string | null)[]]>([
  ["MulBackward0", x(3).mul(2), [leaf, null]],
  ["PowBackward0", x(3).pow(2), [leaf]],
  ["PowBackward2", torch.pow(2, x(3)), [leaf]],
  ["ClampBackward1", x(3).clamp(0, 1), [leaf]],
  ["WhereBackward0", torch.where(mask, x(3), 0), [leaf, null]],
  ["RemainderBackward0", x(3).remainder(2), [leaf]],
  ["RsubBackward1", torch.rsub(x(3), 1), [leaf]],
  ["MaskedFillBackward0", x(3).maskedFill(mask, 2), [leaf]],
  ["MaskedFillBackward1", x(3).maskedFill(mask, x(1).sum()), [leaf, "SumBackward0"]],
  ["ScatterBackward1", x(3).scatter(0, torch.tensor([2]), 2), [leaf]],
  ["UnbindBackward0", torch.unbind(x(3, 2))[1] ?? x(1), [leaf]],
  ["UnbindBackward0", [...x(3, 2)][2] ?? x(1), [leaf]],
  ["SplitBackward0", torch.split(x(4), 2)[1] ?? x(1), [leaf]],
  ["SplitWithSizesBackward0", torch.split(x(4), [1, 3])[1] ?? x(1), [leaf]],
  ["IndexPutBackward0", set([mask], 0.5), ["MulBackward0", null]],
  ["CopySlices", set(["1:"], 0.5), ["MulBackward0", null]],
  ["CopySlices", set(["1:"], x(2)), ["MulBackward0", leaf]],
  ["ZeroBackward0", y().zero_(), ["MulBackward0"]],
  ["FillBackward2", y().fill_(2), ["MulBackward0"]],
  ["FillBackward3", y().fill_(x(1).sum()), ["MulBackward0", "SumBackward0"]],
  ["CopyBackwards", y().copy_(x(3)), ["MulBackward0", leaf]],
  ["SqueezeBackward4", x(3).matmul(x(3, 2)), ["MmBackward0"]],
  ["CloneBackward0", x(2, 3).matmul(x(2, 3, 2)), ["TransposeBackward0"]],
  ["UnsafeViewBackward0", torch.ones(2, 3).matmul(x(2, 3, 2)), ["BmmBackward0"]],
  ["SqueezeBackward4", F.linear(x(3), x(2, 3)), ["MmBackward0"]],
  [
    "ScaledDotProductFlashAttentionForCpuBackward0",
    F.scaledDotProductAttention(x(1, 2, 3, 4), x(1, 2, 3, 4), x(1, 2, 3, 4), { isCausal: true }),
    [leaf, leaf, leaf],
  ],
  ["UnsafeViewBackward0", F.scaledDotProductAttention(x(2, 3, 4), x(2, 3, 4), x(2, 3, 4)), ["BmmBackward0"]],
  ["NegBackward0", F.crossEntropy(x(2, 3), torch.ones(2, 3), { reduction: "sum" }), ["SumBackward0"]],
  ["DivBackward1", F.crossEntropy(x(2, 3), torch.ones(2, 3)), ["NegBackward0"]],
])("%s", (name, output, next) => {
  expect(output.gradFn?.name).toBe(name);
  expect(output.gradFn?.nextFunctions.map(([node]) => node?.name ?? null)).toEqual(next);
});

it("the outputs of one node are numbered", () => {
  expect(
    torch
      .stack([x(2), x(2)])
      .unbind()
      .map((row) => row.outputNr),
  ).toEqual([0, 1]);
  expect(torch.split(x(4), 2).map((part) => part.outputNr)).toEqual([0, 1]);
});

it("a product's gradients lie in memory as its factors do, and are written so in the graph", () => {
  const weight = x(5, 7);
  const [ofLayer] = torch.autograd.grad(F.linear(x(3, 7), weight, x(5)).sum(), [weight], { createGraph: true });
  expect([...(ofLayer?.strides ?? [])]).toEqual([7, 1]);
  const names: string[] = [];
  for (let node = ofLayer?.gradFn; node; node = node.nextFunctions[0]?.[0] ?? null) names.push(node.name);
  expect(names).toEqual(["TBackward0", "TBackward0", "MmBackward0"]);

  const turned = torch.ones(5, 7).t().requiresGrad_();
  const [ofRight] = torch.autograd.grad(torch.ones(3, 7).mm(turned).sum(), [turned]);
  const [ofLeft] = torch.autograd.grad(turned.mm(torch.ones(5, 2)).sum(), [turned]);
  expect([...(ofRight?.strides ?? [])]).toEqual([1, 7]);
  expect([...(ofLeft?.strides ?? [])]).toEqual([1, 7]);
});
