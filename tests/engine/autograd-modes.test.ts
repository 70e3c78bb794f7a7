/** Recording or not, inference, changes in place, and what PyTorch says of each misuse. */
import { describe, expect, it } from "vitest";
import * as torch from "../../engine/torch.ts";

type Tensor = torch.Tensor;

const leaf = (...values: number[]) => torch.tensor(values, { dtype: torch.float32, requiresGrad: true });
const made = () => torch.inferenceMode(() => torch.ones(2));

/** The error's class and what it says, without our hints. */
function said(call: () => unknown): string {
  try {
    return `no error: ${call()}`;
  } catch (error) {
    const { name, message } = error as Error;
    return `${name}: ${message.replace(/\nhint: [\s\S]*$/, "")}`;
  }
}

describe("modes", () => {
  it("set for the rest, for a block or for a body", () => {
    const seen = [torch.isGradEnabled()];
    torch.setGradEnabled(false, () => seen.push(torch.isGradEnabled()));
    {
      using _ = torch.setGradEnabled(false);
      seen.push(torch.isGradEnabled());
    }
    seen.push(torch.isGradEnabled());
    torch.setGradEnabled(false);
    seen.push(torch.isGradEnabled());
    torch.setGradEnabled(true);
    expect(seen).toEqual([true, false, false, true, false]);
  });

  it("inference records nothing, not even where recording is switched on again", () => {
    const x = leaf(1, 2);
    torch.inferenceMode(() => {
      const y = x.mul(2);
      expect([y.requiresGrad, y.isInference(), torch.isInferenceModeEnabled(), torch.isGradEnabled()]).toEqual([
        false,
        true,
        true,
        false,
      ]);
      expect(torch.enableGrad(() => x.mul(2)).requiresGrad).toBe(false);
      expect(x.view(2).isInference()).toBe(false);
      expect(String(torch.inferenceMode(() => x.mul(2), { mode: false }))).toBe(
        "tensor([2., 4.], grad_fn=<MulBackward0>)",
      );
    });
    expect([torch.isInferenceModeEnabled(), torch.isGradEnabled(), made().clone().isInference()]).toEqual([
      false,
      true,
      false,
    ]);
  });

  it("inference tensors serve where nothing of them is saved", () => {
    expect(String(leaf(1, 2).add(made()))).toBe("tensor([2., 3.], grad_fn=<AddBackward0>)");
  });

  it("one of several views of what requires nothing can be changed", () => {
    const x = torch.ones(2);
    x.unbind()[0]?.add_(1);
    expect(String(x)).toBe("tensor([2., 1.])");
  });

  it("a view made without recording still belongs to what requires a gradient", () => {
    const x = leaf(1, 2);
    const view = torch.noGrad(() => x.select(0, 0));
    expect([view.requiresGrad, view.isLeaf, String(view)]).toEqual([true, true, "tensor(1., requires_grad=True)"]);
    torch.noGrad(() => x.select(0, 0).add_(1));
    expect(String(x)).toBe("tensor([2., 2.], requires_grad=True)");
  });
});

const VIEW_IN_NO_GRAD =
  "RuntimeError: A view was created in no_grad mode and is being modified inplace with grad mode enabled. Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the inplace either both inside the no_grad block (if you don't want the inplace to be tracked) or both outside (if you want the inplace to be tracked).";
const SEVERAL =
  "is a view and is being modified inplace. This view is the output of a function that returns multiple views. Such functions do not allow the output views to be modified inplace. You should replace the inplace operation by an out-of-place one.";
const INFERENCE_SAVED =
  "RuntimeError: Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in computation tracked by autograd. To work around this, you can make a clone to get a normal tensor and use it in autograd, or use `torch.no_grad()` instead of `torch.inference_mode()`.";
const INFERENCE_CHANGED =
  "RuntimeError: Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal tensor before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details.";
const SECOND_TIME =
  "RuntimeError: Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors after calling backward.";
const LEAF = "RuntimeError: a leaf Variable that requires grad is being used in an in-place operation.";
const VIEW_OF_LEAF =
  "RuntimeError: a view of a leaf Variable that requires grad is being used in an in-place operation.";
const FLAGS =
  "RuntimeError: you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a subgraph that doesn't require differentiation use var_no_grad = var.detach().";
const MODIFIED = (what: string) =>
  `RuntimeError: one of the variables needed for gradient computation has been modified by an inplace operation: ${what} instead. Hint: enable anomaly detection to find the operation that failed to compute its gradient, with torch.autograd.set_detect_anomaly(True, check_nan=False).`;
const NO_GRAD_FN = (i: number) =>
  `RuntimeError: element ${i} of tensors does not require grad and does not have a grad_fn`;
const { backward, grad } = torch.autograd;

/** A change in place of something that backward needs. */
function changed(use: (x: Tensor) => [result: Tensor, victim: Tensor], times = 1): () => void {
  return () => {
    const [result, victim] = use(leaf(1, 2));
    torch.noGrad(() => {
      for (let i = 0; i < times; i++) victim.add_(1);
    });
    result.sum().backward();
  };
}

describe("what PyTorch says", () => {
  it.each<[string, () => unknown, string]>([
    ["saving an inference tensor", () => leaf(1, 2).mul(made()), INFERENCE_SAVED],
    ["changing one", () => made().add_(1), INFERENCE_CHANGED],
    ["changing a view of one", () => made().select(0, 0).add_(1), INFERENCE_CHANGED],
    [
      "asking one for gradients",
      () => made().requiresGrad_(),
      "RuntimeError: Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.",
    ],
    ["counting its changes", () => made().version, "RuntimeError: Inference tensors do not track version counter."],
    ["changing a leaf", () => leaf(1).add_(1), LEAF],
    ["zeroing a leaf", () => leaf(1).zero_(), LEAF],
    ["changing a view of a leaf", () => leaf(1, 2).select(0, 0).add_(1), VIEW_OF_LEAF],
    ["setting an element of a leaf", () => leaf(1, 2).set([0], 1), VIEW_OF_LEAF],
    ["changing what was viewed in noGrad", () => torch.noGrad(() => leaf(1, 2).select(0, 0)).add_(1), VIEW_IN_NO_GRAD],
    [
      "changing what was viewed in noGrad by something recorded",
      () => torch.noGrad(() => torch.ones(2).select(0, 0)).mul_(leaf(2).sum()),
      VIEW_IN_NO_GRAD,
    ],
    [
      "changing one of several views",
      () => leaf(1, 2).mul(1).unbind()[1]?.add_(1),
      `RuntimeError: Output 1 of Unbind ${SEVERAL}`,
    ],
    ["changing a part", () => leaf(1, 2).mul(1).split(1)[0]?.add_(1), `RuntimeError: Output 0 of Split ${SEVERAL}`],
    [
      "changing a row of an iteration",
      () => [...leaf(1, 2).mul(1)][0]?.add_(1),
      `RuntimeError: Output 0 of Unbind ${SEVERAL}`,
    ],
    [
      "changing a result",
      changed((x) => {
        const y = x.exp();
        return [y, y];
      }),
      MODIFIED("[torch.FloatTensor [2]], which is output 0 of Exp, is at version 1; expected version 0"),
    ],
    [
      "changing a result twice",
      changed((x) => {
        const y = x.sigmoid();
        return [y.tanh().add(y.mul(y)), y];
      }, 2),
      MODIFIED("[torch.FloatTensor [2]], which is output 0 of Sigmoid, is at version 2; expected version 0"),
    ],
    [
      "changing a leaf that was used",
      changed((x) => [x.mul(x), x]),
      MODIFIED("[torch.FloatTensor [2]] is at version 1; expected version 0"),
    ],
    [
      "changing a part of a result",
      changed((x) => {
        const y = x.exp();
        return [y, y.select(0, 0)];
      }),
      MODIFIED("[torch.FloatTensor [2]], which is output 0 of Exp, is at version 1; expected version 0"),
    ],
    [
      "sweeping twice",
      () => {
        const y = leaf(1).pow(2).sum();
        y.backward();
        y.backward();
      },
      SECOND_TIME,
    ],
    ["sweeping from nothing", () => torch.ones(1).backward(), NO_GRAD_FN(0)],
    ["sweeping from nothing beside something", () => backward([leaf(1).mul(2), torch.ones(1)]), NO_GRAD_FN(1)],
    ["sweeping from integers", () => backward(torch.ones(1, { dtype: torch.int64 })), NO_GRAD_FN(0)],
    [
      "no gradient for many numbers",
      () => leaf(1, 2).mul(2).backward(),
      "RuntimeError: grad can be implicitly created only for scalar outputs",
    ],
    [
      "a gradient of another shape",
      () => leaf(1, 2).mul(2).backward(torch.ones(3)),
      "RuntimeError: Mismatch in shape: grad_output[0] has a shape of torch.Size([3]) and output[0] has a shape of torch.Size([2]).",
    ],
    [
      "too few gradients",
      () => backward([leaf(1).mul(2), leaf(1).mul(2)], [torch.ones(1)]),
      "RuntimeError: got 2 tensors and 1 gradients",
    ],
    [
      "gradients of no tensor",
      () => backward(leaf(1).mul(2), [3] as unknown as Tensor[]),
      "TypeError: gradients can be either Tensors or None, but got int",
    ],
    [
      "nothing to differentiate by",
      () => grad(leaf(1).mul(2), []),
      "RuntimeError: `inputs` argument to `grad()` cannot be empty.",
    ],
    [
      "nothing to accumulate in",
      () => backward(leaf(1).mul(2), null, { inputs: [] }),
      "RuntimeError: `inputs` argument to `backward()` cannot be empty.",
    ],
    [
      "something unused",
      () => grad(leaf(1).mul(2), leaf(1)),
      "RuntimeError: The differentiated Tensor at index 0 appears to not have been used in the graph. Set allow_unused=True if this is the desired behavior.",
    ],
    [
      "something without gradient",
      () => grad(leaf(1).mul(2), torch.ones(1)),
      "RuntimeError: One of the differentiated Tensors does not require grad",
    ],
    [
      "zeros for what is not allowed to be unused",
      () => grad(leaf(1).mul(2), leaf(1), { materializeGrads: true, allowUnused: false }),
      "ValueError: Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False.",
    ],
    [
      "integers with gradients",
      () => torch.ones(2, { dtype: torch.int64 }).requiresGrad_(),
      "RuntimeError: only Tensors of floating point dtype can require gradients",
    ],
    [
      "integers with gradients, assigned",
      () => {
        torch.ones(2, { dtype: torch.int64 }).requiresGrad = true;
      },
      "RuntimeError: only Tensors of floating point and complex dtype can require gradients",
    ],
    ["a result without gradients", () => leaf(1).mul(2).requiresGrad_(false), FLAGS],
    [
      "a view cut off",
      () => leaf(1, 2).mul(2).select(0, 0).detach_(),
      "RuntimeError: Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for training, and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence detach_() cannot be called on these gradients. To fix this error, please refer to the Optimizer.zero_grad() function in torch/optim/optimizer.py as the solution.",
    ],
    [
      "a grad of another shape",
      () => {
        leaf(1, 2).grad = torch.ones(3);
      },
      "RuntimeError: attempting to assign a gradient of size '[3]' to a tensor of size '[2]'. Please ensure that the gradient and the tensor are the same size",
    ],
    [
      "a grad of another dtype",
      () => {
        leaf(1, 2).grad = torch.ones(2, { dtype: torch.float64 });
      },
      "RuntimeError: attempting to assign a gradient with dtype 'double' to a tensor with grad_dtype 'Float'. The gradient must match the tensor's grad_dtype (defaults to the tensor's dtype). You can set the tensor's grad_dtype attribute with a specific dtype, or None to allow any dtype. Set grad_dtype with caution. Diverging the dtypes of a tensor and its gradient may break downstream systems that assume they match.",
    ],
    [
      "a NaN on the way back",
      () => torch.autograd.detectAnomaly(() => leaf(-1, 2).log().sqrt().sum().backward()),
      "RuntimeError: Function 'SqrtBackward0' returned nan values in its 0th output.",
    ],
  ])("of %s", (_, call, message) => {
    expect(said(call)).toBe(message);
  });
});

describe("gradients where they are wanted", () => {
  it("only in the inputs of backward, leaves or not", () => {
    const [x, w] = [leaf(1), leaf(2)];
    x.mul(w).backward(null, { inputs: x });
    expect([String(x.grad), w.grad]).toEqual(["tensor([2.])", null]);
    const y = x.mul(w);
    backward(y.mul(2), null, { inputs: [y] });
    expect([String(y.grad), w.grad]).toEqual(["tensor([2.])", null]);
  });

  it("as zeros for what was not used", () => {
    expect(String(grad(leaf(1).mul(2), leaf(1, 2), { materializeGrads: true })[0])).toBe("tensor([0., 0.])");
  });
});
