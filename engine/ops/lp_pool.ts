/** Pooling by a power mean. */
import { bind } from "../core/arguments.ts";
import { getDefaultDtype } from "../core/promotion.ts";
import { numel } from "../core/shape.ts";
import { assertTensor, type Tensor } from "../core/tensor.ts";
import { mul, pow } from "./arithmetic.ts";
import type { Size2 } from "./conv.ts";
import { to } from "./copy.ts";
import { abs, relu, sign } from "./pointwise.ts";
import { avgPool1d, avgPool2d } from "./pool.ts";

export interface LpPoolOptions {
  /** Default: kernelSize. */
  stride?: Size2 | null;
  /** Default false. */
  ceilMode?: boolean;
}

interface LpPoolArguments extends LpPoolOptions {
  input: Tensor;
  normType: number;
  kernelSize: Size2;
}

function lpPool(name: string, axes: 1 | 2, args: unknown[]): Tensor {
  const {
    input,
    normType,
    kernelSize,
    stride = null,
    ceilMode = false,
  } = bind<LpPoolArguments>(
    name,
    ["!input", "!normType: float", "!kernelSize: int[1]", "stride", "ceilMode: bool"],
    args,
  );
  assertTensor(input, name, "input", 1);
  const cells = Array.isArray(kernelSize) ? numel(kernelSize as number[]) : (kernelSize as number) ** axes;
  const powers = pow(input, normType);
  const pooled = (axes === 2 ? avgPool2d : avgPool1d)(powers, kernelSize, { stride, padding: 0, ceilMode });
  const sums = mul(mul(sign(pooled), relu(abs(pooled))), cells);
  return pow(sums.dtype.isFloatingPoint ? sums : to(sums, getDefaultDtype()), 1 / normType);
}

/** (Σ x^p)^(1/p) of each window. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.lp_pool2d.html */
export function lpPool2d(input: Tensor, normType: number, kernelSize: Size2, options?: LpPoolOptions): Tensor;
export function lpPool2d(...args: unknown[]): Tensor {
  return lpPool("lp_pool2d", 2, args);
}

/** As lpPool2d along the last axis of [N, C, L] or [C, L]. */
export function lpPool1d(input: Tensor, normType: number, kernelSize: Size2, options?: LpPoolOptions): Tensor;
export function lpPool1d(...args: unknown[]): Tensor {
  return lpPool("lp_pool1d", 1, args);
}
