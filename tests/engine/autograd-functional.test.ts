/** Jacobians, Hessians, products with them, and what gradcheck says of a wrong derivative. */
import { describe, expect, it } from "vitest";
import * as torch from "../../engine/torch.ts";

type Tensor = torch.Tensor;

const { functional: f, gradcheck } = torch.autograd;
const of = (...values: number[]) => torch.tensor(values, { dtype: torch.float64 });
const [x, y] = [of(1, 2), of(3)];
const cubes = (a: Tensor) => a.pow(3).sum();
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe("derivatives of functions", () => {
  it("of every element by every element", () => {
    expect(plain(f.jacobian((a) => a.mul(a.sum()), x))).toEqual([
      [4, 1],
      [2, 5],
    ]);
    const both = f.jacobian((a, b) => [a!.mul(b!), b!.mul(b!)], [x, y]);
    expect(plain(both)).toEqual([
      [
        [
          [3, 0],
          [0, 3],
        ],
        [[1], [2]],
      ],
      [[[0, 0]], [[6]]],
    ]);
  });

  it("of the second order", () => {
    expect(plain(f.hessian(cubes, x))).toEqual([
      [6, 0],
      [0, 12],
    ]);
    expect(plain(f.hessian((a, b) => a!.mul(b!).sum().pow(2), [x, y]))).toEqual([
      [
        [
          [18, 18],
          [18, 18],
        ],
        [[36], [36]],
      ],
      [[[36, 36]], [[18]]],
    ]);
  });

  it("times a vector", () => {
    const square = (a: Tensor) => a.mul(a);
    expect([f.vjp(square, x, x), f.jvp(square, x, x), f.hvp(cubes, x, x), f.vhp(cubes, x, x)].map(plain)).toEqual([
      [
        [1, 4],
        [2, 8],
      ],
      [
        [1, 4],
        [2, 8],
      ],
      [9, [6, 24]],
      [9, [6, 24]],
    ]);
  });

  it.each<[string, () => unknown, string]>([
    [
      "no vector",
      () => f.vjp((a) => a.mul(a), x),
      "The vector v can only be None if the user-provided function returns a single Tensor with a single element.",
    ],
    [
      "a vector of another size",
      () => f.vjp((a) => a.mul(a), x, y),
      "v has invalid size: should be torch.Size([2]) but got torch.Size([1]).",
    ],
    [
      "many numbers for a Hessian",
      () => f.hessian((a) => a.mul(2), x),
      "The Tensor returned by the function given to hessian should contain a single element",
    ],
    [
      "independence where it is not allowed",
      () => f.jacobian(() => y, x, { strict: true }),
      "Output 0 of the user-provided function does not require gradients. The outputs must be computed in a differentiable manner from the input when running in strict mode.",
    ],
  ])("refuse %s", (_, call, message) => {
    expect(call).toThrow(message);
  });
});

describe("gradcheck", () => {
  class Wrong extends torch.autograd.Function {
    static override forward(_: torch.autograd.FunctionCtx, a: Tensor): Tensor {
      return a.mul(2);
    }
    static override backward(_: torch.autograd.FunctionCtx, g: Tensor): Tensor {
      return g.mul(3);
    }
  }
  const input = () => of(1, 2).requiresGrad_();

  it("shows both derivatives where they differ, or answers false", () => {
    expect(() => gradcheck((a) => Wrong.apply(a), input())).toThrow(
      "Jacobian mismatch for output 0 with respect to input 0,\nnumerical:tensor([[2.0000, 0.0000],\n        [0.0000, 2.0000]], dtype=torch.float64)\nanalytical:tensor([[3., 0.],\n        [0., 3.]], dtype=torch.float64)\n",
    );
    expect(gradcheck((a) => Wrong.apply(a), input(), { raiseException: false })).toBe(false);
  });

  it("needs something to differentiate by", () => {
    expect(() => gradcheck((a) => a.mul(2), of(1))).toThrow(
      "gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True.",
    );
  });
});
