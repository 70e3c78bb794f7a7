/** torch.autograd.Function: operations with a derivative of one's own. */
import { describe, expect, it } from "vitest";
import * as torch from "../../engine/torch.ts";

type Tensor = torch.Tensor;
type FunctionCtx = torch.autograd.FunctionCtx;

const { grad, gradcheck, gradgradcheck } = torch.autograd;

const leaf = (...values: number[]) => torch.tensor(values, { dtype: torch.float32, requiresGrad: true });
const texts = (...tensors: (Tensor | null | undefined)[]) => tensors.map(String);

class Square extends torch.autograd.Function {
  static override forward(ctx: FunctionCtx, x: Tensor): Tensor {
    ctx.saveForBackward(x);
    return x.mul(x);
  }
  static override backward(ctx: FunctionCtx, g: Tensor): Tensor | null {
    const [x] = ctx.savedTensors;
    return x ? g.mul(x).mul(2) : null;
  }
}

class Scale extends torch.autograd.Function {
  static override forward(ctx: FunctionCtx & { factor?: number }, x: Tensor, factor: number): Tensor {
    ctx.factor = factor;
    return x.mul(factor);
  }
  static override backward(ctx: FunctionCtx & { factor?: number }, g: Tensor): [Tensor, null] {
    seen.push(ctx.needsInputGrad, torch.isGradEnabled());
    return [g.mul(ctx.factor ?? 0), null];
  }
}
const seen: unknown[] = [];

/** A Function that doubles or multiplies, with the gradients given. */
function returning(gradients: (g: Tensor) => unknown) {
  return class Made extends torch.autograd.Function {
    static override forward(_: FunctionCtx, x: Tensor, other: Tensor | number = 1): Tensor {
      return x.mul(other);
    }
    static override backward(_: FunctionCtx, g: Tensor): unknown {
      return gradients(g);
    }
  };
}

/** A Function with two outputs that notes what its backward gets. */
function two(mark: (ctx: FunctionCtx, outputs: [Tensor, Tensor]) => void = () => {}) {
  const got: (Tensor | null)[] = [];
  class Two extends torch.autograd.Function {
    static override forward(ctx: FunctionCtx, x: Tensor): [Tensor, Tensor] {
      const outputs: [Tensor, Tensor] = [x.mul(2), x.mul(3)];
      mark(ctx, outputs);
      return outputs;
    }
    static override backward(_: FunctionCtx, g: Tensor | null, h: Tensor | null): Tensor | null {
      got.push(g, h);
      return g;
    }
  }
  return { Two, got };
}

describe("a Function in the graph", () => {
  it("has the name of its class, leads to its inputs and can be differentiated twice", () => {
    const x = leaf(1, 2);
    const y = Square.apply(x);
    expect(texts(y)).toEqual(["tensor([1., 4.], grad_fn=<SquareBackward>)"]);
    expect(y.gradFn?.nextFunctions.map(([node, i]) => [node?.name, i])).toEqual([["AccumulateGrad", 0]]);
    const [g] = grad(y.sum(), x, { createGraph: true });
    const [h] = grad(g!.sum(), x);
    expect(texts(g, h)).toEqual(["tensor([2., 4.], grad_fn=<MulBackward0>)", "tensor([2., 2.])"]);
    const wide = torch.tensor([1, -2, 3], { dtype: torch.float64, requiresGrad: true });
    expect(gradcheck((a) => Square.apply(a), wide) && gradgradcheck((a) => Square.apply(a), wide)).toBe(true);
  });

  it("takes what is no tensor, and keeps it on the context", () => {
    const x = leaf(1, 2);
    seen.length = 0;
    const y: Tensor = Scale.apply(x, 3);
    y.sum().backward();
    expect(texts(y, x.grad)).toEqual(["tensor([3., 6.], grad_fn=<ScaleBackward>)", "tensor([3., 3.])"]);
    expect(seen).toEqual([[true, false], false]);
  });

  it("may set its context up apart from forward", () => {
    class Setup extends torch.autograd.Function {
      static override forward(x: Tensor, k: number): Tensor {
        return x.mul(k);
      }
      static setupContext(ctx: FunctionCtx & { k?: number }, inputs: [Tensor, number], output: Tensor): void {
        ctx.k = inputs[1];
        ctx.saveForBackward(output);
      }
      static override backward(ctx: FunctionCtx & { k?: number }, g: Tensor): [Tensor, null] {
        return [g.mul(ctx.k ?? 0), null];
      }
    }
    const x = leaf(1, 2);
    Setup.apply(x, 3).sum().backward();
    expect(texts(x.grad)).toEqual(["tensor([3., 3.])"]);
  });

  it("runs forward unrecorded, and is not recorded itself without need", () => {
    const modes: boolean[] = [];
    class Plain extends torch.autograd.Function {
      static override forward(_: FunctionCtx, x: Tensor): Tensor {
        modes.push(torch.isGradEnabled(), x.requiresGrad);
        return x.mul(2);
      }
    }
    expect(
      texts(
        Plain.apply(leaf(1)),
        torch.noGrad(() => Plain.apply(leaf(1))),
        Square.apply(torch.ones(1)),
      ),
    ).toEqual(["tensor([2.], grad_fn=<PlainBackward>)", "tensor([2.])", "tensor([1.])"]);
    expect(modes).toEqual([false, true, false, true]);
  });

  it("saves an output with its place in the graph", () => {
    class Exp extends torch.autograd.Function {
      static override forward(ctx: FunctionCtx, x: Tensor): Tensor {
        const y = x.exp();
        ctx.saveForBackward(null, y);
        return y;
      }
      static override backward(ctx: FunctionCtx, g: Tensor): Tensor | null {
        const [nothing, y] = ctx.savedTensors;
        expect(nothing).toBeNull();
        return y ? g.mul(y) : null;
      }
    }
    const x = leaf(1);
    const [g] = grad(Exp.apply(x), x, { createGraph: true });
    expect(texts(g, ...grad(g!, x))).toEqual(["tensor([2.7183], grad_fn=<MulBackward0>)", "tensor([2.7183])"]);
    const y = Exp.apply(x);
    y.add_(1);
    expect(() => y.backward()).toThrow(
      "one of the variables needed for gradient computation has been modified by an inplace operation: [torch.FloatTensor [1]], which is output 0 of Exp, is at version 1; expected version 0 instead. Hint: enable anomaly detection to find the operation that failed to compute its gradient, with torch.autograd.set_detect_anomaly(True, check_nan=False).",
    );
  });
});

describe("several outputs of a Function", () => {
  it("get zeros where no gradient arrived, or null when that is asked", () => {
    const zeros = two();
    const [a, b] = zeros.Two.apply(leaf(1, 2));
    a.sum().backward();
    expect([a.outputNr, b.outputNr]).toEqual([0, 1]);
    expect(texts(...zeros.got)).toEqual(["tensor([1., 1.])", "tensor([0., 0.])"]);
    const bare = two((ctx) => ctx.setMaterializeGrads(false));
    bare.Two.apply(leaf(1, 2))[0].sum().backward();
    expect(bare.got[1]).toBeNull();
  });

  it("require no gradient where they are marked so", () => {
    const { Two, got } = two((ctx, [, second]) => ctx.markNonDifferentiable(second));
    const [a, b] = Two.apply(leaf(1, 2));
    a.sum().backward();
    expect([a.requiresGrad, b.requiresGrad, b.gradFn]).toEqual([true, false, null]);
    expect(texts(...got)).toEqual(["tensor([1., 1.])", "tensor([0., 0.])"]);
  });

  it("may be no tensors, or of integers", () => {
    class Mixed extends torch.autograd.Function {
      static override forward(_: FunctionCtx, x: Tensor): [Tensor, Tensor, string] {
        return [x.mul(2), x.argmax(), "text"];
      }
      static override backward(_: FunctionCtx, ...grads: (Tensor | null)[]): Tensor | null {
        expect(texts(...grads)).toEqual(["tensor([1., 1.])", "tensor(0)", "null"]);
        return grads[0] ?? null;
      }
    }
    const x = leaf(1, 2);
    const [y, at, note] = Mixed.apply(x);
    y.sum().backward();
    expect(texts(y, at, x.grad)).toEqual([
      "tensor([2., 4.], grad_fn=<MixedBackward>)",
      "tensor(1)",
      "tensor([1., 1.])",
    ]);
    expect(note).toBe("text");
  });
});

describe("a Function that gives back its input", () => {
  class Identity extends torch.autograd.Function {
    static override forward(_: FunctionCtx, x: Tensor): Tensor {
      return x;
    }
    static override backward(_: FunctionCtx, g: Tensor): Tensor {
      return g.mul(2);
    }
  }
  class AddOne extends torch.autograd.Function {
    static override forward(ctx: FunctionCtx, x: Tensor): Tensor {
      x.add_(1);
      ctx.markDirty(x);
      return x;
    }
    static override backward(_: FunctionCtx, g: Tensor): Tensor {
      return g.mul(2);
    }
  }

  it("gives a view of it, which may not be changed in place", () => {
    const x = leaf(1, 2);
    const y = Identity.apply(x);
    y.sum().backward();
    expect(y === x).toBe(false);
    expect(texts(y, x.grad)).toEqual(["tensor([1., 2.], grad_fn=<IdentityBackward>)", "tensor([2., 2.])"]);
    class First extends torch.autograd.Function {
      static override forward(_: FunctionCtx, t: Tensor): Tensor {
        return t.select(0, 0);
      }
    }
    expect(() => First.apply(x.mul(1)).add_(1)).toThrow(
      "Output 0 of First is a view and is being modified inplace. This view was created inside a custom Function (or because an input was returned as-is) and the autograd logic to handle view+inplace would override the custom backward associated with the custom Function, leading to incorrect gradients. This behavior is forbidden. You can fix this by cloning the output of the custom Function.",
    );
  });

  it("gives the very same one where it says that it changed it", () => {
    const a = leaf(1, 2);
    const x = a.mul(1);
    const y = AddOne.apply(x);
    y.sum().backward();
    expect(y === x).toBe(true);
    expect(texts(x, a.grad)).toEqual(["tensor([2., 3.], grad_fn=<AddOneBackward>)", "tensor([2., 2.])"]);
    expect(x.version).toBe(2);
  });

  it("may not change a leaf, nor keep a changed input to itself", () => {
    expect(() => AddOne.apply(leaf(1))).toThrow(
      "a leaf Variable that requires grad has been used in an in-place operation.",
    );
    class Hidden extends torch.autograd.Function {
      static override forward(ctx: FunctionCtx, x: Tensor): Tensor {
        ctx.markDirty(x);
        return x.mul(1);
      }
    }
    expect(() => Hidden.apply(leaf(1).mul(1))).toThrow(
      "Some elements marked as dirty during the forward method were not returned as output. The inputs that are modified inplace must all be outputs of the Function.",
    );
  });
});

describe("what a Function does wrong is said as PyTorch says it", () => {
  it.each<[string, (g: Tensor) => unknown, string]>([
    [
      "too few gradients",
      (g) => g,
      "function MadeBackward returned an incorrect number of gradients (expected 2, got 1)",
    ],
    [
      "too many gradients",
      (g) => [g, g, g],
      "function MadeBackward returned an incorrect number of gradients (expected 2, got 3)",
    ],
    [
      "a gradient of another shape",
      () => [torch.ones(3), null],
      "Function MadeBackward returned an invalid gradient at index 0 - got [3] but expected shape compatible with [2]",
    ],
    ["a number", () => [3.5, null], "expected Variable or None (got float)"],
  ])("%s", (_, gradients, message) => {
    const made = returning(gradients);
    expect(() => made.apply(leaf(1, 2), leaf(1, 2)).sum().backward()).toThrow(message);
  });

  it("a gradient for a number", () => {
    const made = returning((g) => [g, g]);
    expect(() => made.apply(leaf(1), 3).sum().backward()).toThrow(
      "function MadeBackward returned a gradient different than None at position 2, but the corresponding forward input was not a Variable",
    );
  });

  it("but gradients too many that are null, wider ones and those of another dtype fit", () => {
    const x = leaf(1, 2);
    returning(() => [torch.ones([3, 2], { dtype: torch.float64 }), null, null])
      .apply(x, leaf(1, 2))
      .sum()
      .backward();
    expect(texts(x.grad)).toEqual(["tensor([3., 3.])"]);
  });

  it("no forward, no backward, or something that can't be saved", () => {
    class Nothing extends torch.autograd.Function {}
    expect(() => Nothing.apply()).toThrow("You must implement the forward function for custom autograd.Function.");
    class Half extends torch.autograd.Function {
      static override forward(_: FunctionCtx, x: Tensor): Tensor {
        return x.mul(2);
      }
    }
    expect(() => Half.apply(leaf(1)).backward()).toThrow(
      "You must implement either the backward or vjp method for your custom autograd.Function to use it with backward mode AD.",
    );
    class Saves extends torch.autograd.Function {
      static override forward(ctx: FunctionCtx, x: Tensor): Tensor {
        ctx.saveForBackward(...([3] as unknown as Tensor[]));
        return x;
      }
    }
    expect(() => Saves.apply(leaf(1))).toThrow(
      "save_for_backward can only save variables, but argument 0 is of type int",
    );
  });

  it("running twice, and changing what was saved", () => {
    const y = Square.apply(leaf(1, 2)).sum();
    y.backward();
    expect(() => y.backward()).toThrow("Trying to backward through the graph a second time");
    const x = leaf(1, 2).mul(1);
    const z = Square.apply(x);
    x.add_(1);
    expect(() => z.sum().backward()).toThrow(
      "[torch.FloatTensor [2]], which is output 0 of Add, is at version 1; expected version 0 instead.",
    );
  });
});
