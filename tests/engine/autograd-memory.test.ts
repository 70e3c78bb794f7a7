import { describe, expect, test } from "vitest";
import { takeSpare } from "../../engine/core/spare.ts";
import type { Tensor } from "../../engine/core/tensor.ts";
import { accumulatorOf } from "../../engine/ops/registry.ts";
import * as torch from "../../engine/torch.ts";

const { nn } = torch;

/** 128 kB: large enough to be handed on. */
const SIZE = 32768;

/** A chain whose gradients all have this size. */
function chain(): { x: Tensor; middle: Tensor; loss: Tensor } {
  const x = torch.ones(SIZE, { requiresGrad: true });
  const middle = x.mul(2);
  return { x, middle, loss: middle.mul(3).mul(4).sum() };
}

/** Gradients that would overwrite what was freed by mistake. */
function overwrite(): void {
  for (let i = 0; i < 3; i++) chain().loss.mul(-1).backward();
}

describe("the memory of gradients", () => {
  test("is handed on once they have been used, and cleared for who gets it", () => {
    while (takeSpare(torch.float32, SIZE)) {
      // What earlier sweeps left is taken first.
    }
    const { x, loss } = chain();
    loss.backward();
    const spare = takeSpare(torch.float32, SIZE);
    expect(spare?.every((value) => value === 0)).toBe(true);
    expect(takeSpare(torch.float32, SIZE)?.buffer).not.toBe(spare?.buffer);
    expect(x.grad?.sum().item()).toBe(24 * SIZE);
  });

  test("is left to a hook that keeps one", () => {
    const { middle, loss } = chain();
    const kept: Tensor[] = [];
    middle.registerHook((grad: Tensor) => void kept.push(grad));
    loss.backward();
    overwrite();
    expect(kept[0]?.sum().item()).toBe(12 * SIZE);
  });

  test("is left to a node's hooks, which see what it gets and gives", () => {
    const { middle, loss } = chain();
    const kept: (Tensor | null)[] = [];
    middle.gradFn?.registerHook((gives, gets) => void kept.push(...gives, ...gets));
    loss.backward();
    overwrite();
    expect(kept.map((grad) => grad?.at(0).item())).toEqual([24, undefined, 12]);
  });

  test("is left to a module's hooks", () => {
    const layer = new nn.Hardtanh({ minVal: -100, maxVal: 100 });
    const kept: (Tensor | null)[] = [];
    layer.registerFullBackwardHook((_, gives, gets) => void kept.push(...gives, ...gets));
    const x = torch.ones(SIZE, { requiresGrad: true });
    layer(x.mul(2)).mul(3).sum().backward();
    overwrite();
    expect(kept.map((grad) => grad?.sum().item())).toEqual([3 * SIZE, 3 * SIZE]);
  });

  test("is left to retainGrad and to autograd.grad", () => {
    const { middle, loss } = chain();
    middle.retainGrad();
    loss.backward();
    const other = chain();
    const [grad] = torch.autograd.grad(other.loss, [other.middle]);
    overwrite();
    expect(middle.grad?.sum().item()).toBe(12 * SIZE);
    expect(grad?.sum().item()).toBe(12 * SIZE);
  });

  test("is left to a gradient that was given, and to one that views of it share", () => {
    const x = torch.ones(2, SIZE, { requiresGrad: true });
    const given = torch.full([SIZE, 2], 5);
    const other = x.mul(1);
    other.t().add(other.t()).backward(given);
    overwrite();
    expect(given.sum().item()).toBe(10 * SIZE);
    expect(x.grad?.sum().item()).toBe(20 * SIZE);
  });

  test("is taken over by the leaf it was made for", () => {
    const x = torch.ones(SIZE, { requiresGrad: true });
    const arrays = new Set<unknown>();
    const { run } = accumulatorOf(x);
    accumulatorOf(x).run = function (grads, passing) {
      arrays.add(grads[0]?.denseData());
      return run.call(this, grads, passing);
    };
    x.mul(2).sum().backward();
    expect(arrays.has(x.grad?.denseData())).toBe(true);
    overwrite();
    expect(x.grad?.sum().item()).toBe(2 * SIZE);
  });

  test("is one's own where two leaves get the same", () => {
    const a = torch.ones(SIZE, { requiresGrad: true });
    const b = torch.ones(SIZE, { requiresGrad: true });
    a.add(b).mul(5).sum().backward();
    a.grad?.zero_();
    overwrite();
    expect([a.grad?.sum().item(), b.grad?.sum().item()]).toEqual([0, 5 * SIZE]);
  });

  test("is left alone while the graph is kept", () => {
    const { x, loss } = chain();
    loss.backward({ retainGraph: true });
    overwrite();
    loss.backward();
    expect(x.grad?.sum().item()).toBe(48 * SIZE);
  });
});

describe("a change in place that nothing records", () => {
  test("happens where the tensor lies, for every view of it", () => {
    const x = torch.ones(SIZE);
    const array = x.denseData();
    const part = x.narrow(0, 10, 5);
    x.add_(torch.ones(SIZE), { alpha: 2 });
    overwrite();
    expect(array[0]).toBe(3);
    expect(part.tolist()).toEqual([3, 3, 3, 3, 3]);
    expect(x.sum().item()).toBe(3 * SIZE);
  });

  test("leaves what it is changed by alone", () => {
    const x = torch.zeros(SIZE);
    const y = torch.ones(SIZE);
    x.copy_(y);
    x.add_(y).sub_(y, { alpha: 3 });
    overwrite();
    expect(y.sum().item()).toBe(SIZE);
    expect(x.sum().item()).toBe(-SIZE);
  });
});
