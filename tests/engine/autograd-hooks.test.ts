/** Hooks on tensors and on nodes of the graph, and what they are told when they go wrong. */
import { describe, expect, it, vi } from "vitest";
import * as torch from "../../engine/torch.ts";

type Tensor = torch.Tensor;

const leaf = (...values: number[]) => torch.tensor(values, { dtype: torch.float32, requiresGrad: true });
const texts = (tensors: readonly (Tensor | null)[]) => tensors.map(String);

describe("a hook on a tensor", () => {
  it("replaces the gradient until it is removed", () => {
    const x = leaf(1, 2);
    const y = x.mul(2);
    const handle = y.registerHook((g) => g.mul(10));
    y.sum().backward(null, { retainGraph: true });
    expect(String(x.grad)).toBe("tensor([20., 20.])");
    handle.remove();
    handle.remove();
    y.sum().backward();
    expect(String(x.grad)).toBe("tensor([22., 22.])");
  });

  it("registered twice runs twice, each before the gradient is kept", () => {
    const x = leaf(1, 2);
    const y = x.mul(2);
    y.retainGrad();
    const twice = (g: Tensor) => g.mul(3);
    const first = y.registerHook(twice);
    y.registerHook(twice);
    expect([y.retainsGrad, x.retainsGrad]).toEqual([true, false]);
    y.sum().backward(null, { retainGraph: true });
    expect(texts([y.grad, x.grad])).toEqual(["tensor([9., 9.])", "tensor([18., 18.])"]);
    first.remove();
    y.sum().backward();
    expect(String(y.grad)).toBe("tensor([3., 3.])");
  });

  it("may return anything that is no tensor, and that changes nothing", () => {
    const x = leaf(1, 2);
    const seen: Tensor[] = [];
    x.registerHook((g) => seen.push(g));
    x.mul(2).sum().backward();
    expect(texts([...seen, x.grad])).toEqual(["tensor([2., 2.])", "tensor([2., 2.])"]);
  });

  it("sees what autograd.grad gives back, and may change it", () => {
    const x = leaf(1, 2);
    x.registerHook((g) => g.mul(2));
    expect(texts(torch.autograd.grad(x.mul(2).sum(), x))).toEqual(["tensor([4., 4.])"]);
  });

  it.each<[string, Tensor, string]>([
    ["size", torch.ones(3), "hook '<lambda>' has changed the size of value"],
    [
      "type",
      torch.ones(2, { dtype: torch.float64 }),
      "hook '<lambda>' has changed the type of value (was torch.FloatTensor got torch.DoubleTensor)",
    ],
  ])("may not change the %s", (_, replacement, message) => {
    const y = leaf(1, 2).mul(2);
    y.registerHook(() => replacement);
    expect(() => y.sum().backward()).toThrow(message);
  });

  it("needs a tensor that requires a gradient", () => {
    expect(() => torch.ones(2).registerHook(() => null)).toThrow(
      "cannot register a hook on a tensor that doesn't require gradient",
    );
    expect(() => torch.ones(2).retainGrad()).toThrow("can't retain_grad on Tensor that has requires_grad=False");
  });
});

describe("a hook behind the accumulation of a leaf's gradient", () => {
  it("gets the leaf, after the hooks on its gradient", () => {
    const x = leaf(1, 2);
    const seen: string[] = [];
    x.registerPostAccumulateGradHook((p) => {
      seen.push(`after ${p === x} ${p.grad}`);
    });
    x.registerHook(() => seen.push("before"));
    x.mul(2).sum().backward();
    expect(seen).toEqual(["before", "after true tensor([2., 2.])"]);
  });

  it("is for leaves that require a gradient", () => {
    expect(() =>
      leaf(1)
        .mul(2)
        .registerPostAccumulateGradHook(() => {}),
    ).toThrow("post accumulate grad hooks cannot be registered on non-leaf tensors");
    expect(() => torch.ones(2).registerPostAccumulateGradHook(() => {})).toThrow(
      "cannot register a hook on a tensor that doesn't require gradient",
    );
  });
});

describe("hooks on a node", () => {
  it("run around it, behind the hooks on its tensor", () => {
    const y = leaf(1, 2).mul(2);
    const seen: string[] = [];
    y.gradFn?.registerHook((ins, outs) => seen.push(`hook ${texts(ins)} ${texts(outs)}`));
    y.gradFn?.registerPrehook((outs) => seen.push(`pre ${texts(outs)}`));
    y.registerHook((g) => seen.push(`tensor ${g}`));
    y.sum().backward();
    expect(seen).toEqual([
      "tensor tensor([1., 1.])",
      "pre tensor([1., 1.])",
      "hook tensor([2., 2.]),null tensor([1., 1.])",
    ]);
  });

  it("replace its gradients", () => {
    const x = leaf(1, 2);
    const y = x.mul(2);
    y.gradFn?.registerHook(([g]) => [g?.mul(5) ?? null, null]);
    const handle = y.gradFn?.registerPrehook(([g]) => [g?.mul(7) ?? null]);
    y.sum().backward(null, { retainGraph: true });
    expect(String(x.grad)).toBe("tensor([70., 70.])");
    handle?.remove();
    y.sum().backward();
    expect(String(x.grad)).toBe("tensor([80., 80.])");
  });

  it("give as many as they got", () => {
    const y = leaf(1, 2).mul(2);
    y.gradFn?.registerHook(([g]) => [g ?? null]);
    expect(() => y.sum().backward(null, { retainGraph: true })).toThrow(
      "hook '<lambda>' has returned an incorrect number of values (got 1, but expected 2)",
    );
    y.gradFn?.registerPrehook(([g]) => [g ?? null, g ?? null]);
    expect(() => y.sum().backward()).toThrow(
      "hook '<lambda>' has returned an incorrect number of values (got 2, but expected 1)",
    );
  });

  it("do not run where the gradient is only wanted there", () => {
    const y = leaf(1, 2).mul(2);
    const node = vi.fn();
    const tensor = vi.fn();
    y.gradFn?.registerHook(node);
    y.gradFn?.registerPrehook(node);
    y.registerHook(tensor);
    y.retainGrad();
    torch.autograd.grad(y.sum(), y);
    expect([node.mock.calls.length, tensor.mock.calls.length, String(y.grad)]).toEqual([0, 1, "tensor([1., 1.])"]);
  });
});
