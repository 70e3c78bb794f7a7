/** Hooks that see the options of a call, and what happens where a hook returns too much. */
import { afterEach, describe, expect, it } from "vitest";
import { setWarningSink } from "../../engine/core/warnings.ts";
import * as torch from "../../engine/torch.ts";

const { nn } = torch;
type Tensor = torch.Tensor;

class Scaled extends nn.Module {
  override forward(x: Tensor, { scale = 1 }: { scale?: number } = {}): Tensor {
    return x.mul(scale);
  }
}

afterEach(() => setWarningSink(null));

describe("hooks with the options of the call", () => {
  it("see them apart from the other inputs, and may replace both", () => {
    const model = new Scaled();
    const seen: unknown[] = [];
    model.registerForwardPreHook(
      (_, inputs, kwargs) => {
        seen.push([inputs.length, { ...kwargs }]);
      },
      { withKwargs: true },
    );
    model.registerForwardPreHook((_, inputs, kwargs) => [inputs, { scale: Number(kwargs.scale ?? 1) * 2 }], {
      withKwargs: true,
    });
    model.registerForwardHook(
      (_, inputs, kwargs, output) => {
        seen.push([inputs.length, { ...kwargs }, output.tolist()]);
      },
      { withKwargs: true },
    );
    expect(model(torch.ones(2), { scale: 3 }).tolist()).toEqual([6, 6]);
    expect(seen).toEqual([
      [1, { scale: 3 }],
      [1, { scale: 6 }, [6, 6]],
    ]);
    expect(model(torch.ones(2)).tolist()).toEqual([2, 2]);
  });

  it("leave the options alone where a hook without them replaces the inputs", () => {
    const model = new Scaled();
    model.registerForwardPreHook((_, [x]) => [x?.add(1)]);
    expect(model(torch.ones(2), { scale: 3 }).tolist()).toEqual([6, 6]);
  });

  it("say what a hook has to return", () => {
    const model = new Scaled();
    model.registerForwardPreHook((_, inputs) => [inputs], { withKwargs: true });
    expect(() => model(torch.ones(1))).toThrow(
      "forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got",
    );
  });
});

describe("hooks of backward", () => {
  it("must return as many gradients as there are", () => {
    const forward = (layer: torch.nn.Linear) => layer(torch.ones(1, 2, { requiresGrad: true })).sum();
    const after = new nn.Linear(2, 2);
    after.registerFullBackwardHook((_, [grad]) => [grad, grad]);
    expect(() => forward(after).backward()).toThrow(
      "Backward hook returned an invalid number of grad_input, got 2, but expected 1",
    );
    const before = new nn.Linear(2, 2);
    before.registerFullBackwardPreHook((_, [grad]) => [grad, grad]);
    expect(() => forward(before).backward()).toThrow(
      "Backward pre hook returned an invalid number of grad_output, got 2, but expected 1",
    );
  });

  it("run before those that are there with prepend", () => {
    const layer = new nn.Linear(1, 1);
    const order: string[] = [];
    layer.registerFullBackwardPreHook(() => void order.push("first"));
    layer.registerFullBackwardPreHook(() => void order.push("second"), { prepend: true });
    layer.registerFullBackwardHook(() => void order.push("fourth"));
    layer.registerFullBackwardHook(() => void order.push("third"), { prepend: true });
    layer(torch.ones(1, 1, { requiresGrad: true }))
      .sum()
      .backward();
    expect(order).toEqual(["second", "first", "third", "fourth"]);
  });

  it("warn where the output is neither a tensor nor a list of them", () => {
    class Named extends nn.Module {
      override forward(x: Tensor): { y: Tensor } {
        return { y: x.mul(2) };
      }
    }
    const told: string[] = [];
    setWarningSink((text) => told.push(text));
    const model = new Named();
    model.registerFullBackwardHook(() => null);
    model(torch.ones(1, { requiresGrad: true }));
    expect(told).toEqual([
      "UserWarning: For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but received <class 'dict'>",
    ]);
  });
});

describe("a hook that is always called", () => {
  it("does not hide the first error with its own, and is told of", () => {
    class Failing extends nn.Module {
      override forward(): Tensor {
        throw new torch.RuntimeError("the first");
      }
    }
    const told: string[] = [];
    setWarningSink((text) => told.push(text));
    const model = new Failing();
    model.registerForwardHook(
      () => {
        throw new torch.ValueError("the second");
      },
      { alwaysCall: true },
    );
    expect(() => model()).toThrow("the first");
    expect(told).toEqual([
      "UserWarning: module forward hook with ``always_call=True`` raised an exception that was silenced as another error was raised in forward: the second",
    ]);
  });
});
