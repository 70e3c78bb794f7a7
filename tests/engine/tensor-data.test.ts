/** tensor.data: the elements without history, and another tensor's memory in its place. */
import { describe, expect, it } from "vitest";
import * as torch from "../../engine/torch.ts";

const { nn } = torch;
const leaf = () => torch.ones(2, { requiresGrad: true });

describe("reading data", () => {
  it("shares the memory, and its changes are not seen by autograd", () => {
    const w = leaf();
    const loss = w.mul(w).sum();
    const { data } = w;
    data.mul_(3);
    expect([w.tolist(), w.version, data.version, data.requiresGrad]).toEqual([[3, 3], 0, 1, false]);
    loss.backward();
    expect(w.grad?.tolist()).toEqual([6, 6]);
  });

  it("fills a layer's weights", () => {
    const layer = new nn.Linear(2, 2);
    layer.weight.data.fill_(1);
    expect(String(layer.weight)).toBe(
      "Parameter containing:\ntensor([[1., 1.],\n        [1., 1.]], requires_grad=True)",
    );
  });
});

describe("assigning data", () => {
  it("takes the other tensor's memory, shape and dtype, and stays the leaf it was", () => {
    const w = leaf();
    w.data = torch.zeros(3, { dtype: torch.float64 });
    expect(String(w)).toBe("tensor([0., 0., 0.], dtype=torch.float64, requires_grad=True)");
    w.sum().backward();
    expect(String(w.grad)).toBe("tensor([1., 1., 1.], dtype=torch.float64)");
  });

  it("leaves each of both its count of changes", () => {
    const w = leaf();
    const other = torch.zeros(2);
    w.data = other;
    other.add_(1);
    expect([w.tolist(), w.version, other.version]).toEqual([[1, 1], 0, 1]);
  });

  it("leaves a result its place in the graph, and backward reads the new elements", () => {
    const w = leaf();
    const y = w.mul(2);
    y.data = torch.zeros(2);
    expect(String(y)).toBe("tensor([0., 0.], grad_fn=<MulBackward0>)");
    const square = w.mul(w).sum();
    w.data = torch.full([2], 5, { dtype: torch.float32 });
    square.backward();
    expect(w.grad?.tolist()).toEqual([10, 10]);
  });

  it("refuses integers for what requires grad, and what is no tensor", () => {
    const w = leaf();
    expect(() => {
      w.data = torch.zeros(3, { dtype: torch.int64 });
    }).toThrow("data set to a tensor that requires gradients must be floating point or complex dtype");
    expect(() => Reflect.set(w, "data", 3)).toThrow("Variable data has to be a tensor, but got int");
  });
});
