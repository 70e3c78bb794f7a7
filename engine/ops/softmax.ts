/** Softmax and its logarithm, shifted by the largest element so that nothing overflows. */

import { isGradEnabled } from "../autograd/mode.ts";
import { kernels } from "../backends/index.ts";
import { bind } from "../core/arguments.ts";
import { assertInt } from "../core/checks.ts";
import type { DType } from "../core/dtype.ts";
import { NotImplementedError } from "../core/errors.ts";
import { SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { normalizeDim, numel } from "../core/shape.ts";
import { assertTensor, Tensor } from "../core/tensor.ts";
import { warn } from "../core/warnings.ts";
import { mul, sub } from "./arithmetic.ts";
import { to } from "./copy.ts";
import { castRaw, denseRaw, viewAs } from "./operands.ts";
import { exp } from "./pointwise.ts";
import { sum } from "./reduce.ts";
import { call, defineOp, type Method, methods, type Op } from "./registry.ts";

interface SoftmaxAttrs {
  dim: number;
}

/** [outer, n, inner] with the dimension in the middle. */
function aroundDim({ shape }: Tensor, dim: number): [outer: number, n: number, inner: number] {
  return [numel(shape.slice(0, dim)), shape[dim] ?? 1, numel(shape.slice(dim + 1))];
}

function softmaxRaw(log: boolean, x: Tensor, dim: number): Tensor {
  const out = Tensor.empty(x.shape, x.dtype);
  const shape = aroundDim(x, dim);
  if (x.numel() > 0) kernels.softmax(log, viewAs(denseRaw(x), shape), viewAs(out, shape));
  return out;
}

function softmaxGradRaw(log: boolean, y: Tensor, grad: Tensor, dim: number): Tensor {
  const out = Tensor.empty(y.shape, y.dtype);
  const shape = aroundDim(y, dim);
  const dense = denseRaw(castRaw(grad, y.dtype));
  if (y.numel() > 0) kernels.softmaxGrad(log, viewAs(denseRaw(y), shape), viewAs(dense, shape), viewAs(out, shape));
  return out;
}

const Softmax: Op<SoftmaxAttrs> = defineOp({
  name: "softmax",
  gradFn: "SoftmaxBackward0",
  kernels: ["softmax", "softmaxGrad", "reduce", "binary"],
  forward(ctx, x: Tensor) {
    const out = softmaxRaw(false, x, ctx.attrs.dim);
    ctx.save(out);
    return out;
  },
  backward({ attrs: { dim }, saved: [y] }, grad: Tensor) {
    if (!isGradEnabled()) return [softmaxGradRaw(false, y!, grad, dim)];
    const weighted = mul(grad, y!);
    return [sub(weighted, mul(y!, sum(weighted, grad.ndim === 0 ? null : dim, { keepdim: true })))];
  },
});

const LogSoftmax: Op<SoftmaxAttrs> = defineOp({
  name: "log_softmax",
  gradFn: "LogSoftmaxBackward0",
  kernels: ["softmax", "softmaxGrad", "reduce", "unary", "binary"],
  forward(ctx, x: Tensor) {
    const out = softmaxRaw(true, x, ctx.attrs.dim);
    ctx.save(out);
    return out;
  },
  backward({ attrs: { dim }, saved: [y] }, grad: Tensor) {
    if (!isGradEnabled()) return [softmaxGradRaw(true, y!, grad, dim)];
    return [sub(grad, mul(exp(y!), sum(grad, grad.ndim === 0 ? null : dim, { keepdim: true })))];
  },
});

export interface SoftmaxOptions {
  /** Converts before computing. Default: the input's. */
  dtype?: DType | null;
}

function along(name: "softmax" | "log_softmax", args: unknown[]): Tensor {
  const { input, dim, dtype } = bind<{ input: Tensor; dim: number; dtype?: DType | null }>(
    name,
    ["!input", "!dim", "*", "dtype"],
    args,
  );
  assertTensor(input, name, "input", 1);
  assertInt(dim, name, "dim", 1);
  const x = dtype ? to(input, dtype) : input;
  const axis = normalizeDim(dim, x.ndim);
  if (!x.dtype.isFloatingPoint) {
    if (x.numel() === 0) return x.clone();
    const last = axis >= x.ndim - 1;
    throw new NotImplementedError(
      `"${name}_${last ? "lastdim_kernel_impl" : "kernel_impl"}" not implemented for '${SCALAR_TYPE_NAMES[x.dtype.name]}'`,
      {
        hint: "convert it first: x.float()",
      },
    );
  }
  return call(name === "softmax" ? Softmax : LogSoftmax, { dim: axis }, x);
}

/** e^x / Σ e^x along `dim`. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.softmax.html */
export function softmax(input: Tensor, dim: number, options?: SoftmaxOptions): Tensor;
export function softmax(...args: unknown[]): Tensor {
  return along("softmax", args);
}

/** x - log Σ e^x along `dim`, stable where softmax would be 0. */
export function logSoftmax(input: Tensor, dim: number, options?: SoftmaxOptions): Tensor;
export function logSoftmax(...args: unknown[]): Tensor {
  return along("log_softmax", args);
}

/** The dim that the oldest versions meant when nobody gave one; PyTorch takes it still, with a warning. */
export function implicitDim(name: string, { ndim }: Tensor): number {
  warn(`Implicit dimension choice for ${name} has been deprecated. Change the call to include dim=X as an argument.`);
  return ndim === 0 || ndim === 1 || ndim === 3 ? 0 : 1;
}

/** torch.nn.functional's forms, whose dim may be left out. */
function chosen(name: "softmax" | "log_softmax", args: unknown[]): Tensor {
  const { input, dim, dtype } = bind<{ input: Tensor; dim?: number | null; dtype?: DType | null }>(
    name,
    ["!input", "dim", "*", "dtype"],
    args,
  );
  assertTensor(input, name, "input", 1);
  return along(name, [input, dim ?? implicitDim(name, input), { dtype }]);
}

/** e^x / Σ e^x along `dim`; without one PyTorch warns and takes 0 or 1. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.softmax.html */
export function functionalSoftmax(
  input: Tensor,
  dim?: number | null | SoftmaxOptions,
  options?: SoftmaxOptions,
): Tensor;
export function functionalSoftmax(...args: unknown[]): Tensor {
  return chosen("softmax", args);
}

/** x - log Σ e^x along `dim`; without one PyTorch warns and takes 0 or 1. */
export function functionalLogSoftmax(
  input: Tensor,
  dim?: number | null | SoftmaxOptions,
  options?: SoftmaxOptions,
): Tensor;
export function functionalLogSoftmax(...args: unknown[]): Tensor {
  return chosen("log_softmax", args);
}

methods({ softmax, logSoftmax });

declare module "../core/tensor.ts" {
  interface Tensor {
    /** e^x / Σ e^x along a dimension. */
    softmax: Method<typeof softmax>;
    logSoftmax: Method<typeof logSoftmax>;
  }
}
