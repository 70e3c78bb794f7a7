/** Activations with a learnt slope, a gate, or chance in them. */

import { bind } from "../core/arguments.ts";
import { assertInt, assertNumber } from "../core/checks.ts";
import type { DType } from "../core/dtype.ts";
import { IndexError, NotImplementedError, RuntimeError } from "../core/errors.ts";
import { floatRepr } from "../core/number_text.ts";
import { SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { defaultGenerator, fillExponential, fillUniform } from "../core/random.ts";
import { normalizeDim } from "../core/shape.ts";
import { assertTensor, Tensor } from "../core/tensor.ts";
import { warn } from "../core/warnings.ts";
import { add, div, mul, neg, sub, where } from "./arithmetic.ts";
import { eq, gt } from "./comparison.ts";
import { argmax } from "./extremes.ts";
import { inPlace } from "./inplace.ts";
import { cat } from "./joining.ts";
import { sigmoid } from "./pointwise.ts";
import { call, defineOp, type Op } from "./registry.ts";
import { narrow } from "./slicing.ts";
import { implicitDim, softmax } from "./softmax.ts";
import { reshape } from "./view.ts";

const Prelu: Op<null> = defineOp({
  name: "_prelu_kernel",
  gradFn: "PreluKernelBackward0",
  kernels: ["where", "binary"],
  forward(ctx, x: Tensor, weight: Tensor) {
    ctx.save(x, weight);
    return where(gt(x, 0), x.detach(), mul(x.detach(), weight.detach()));
  },
  backward(ctx, grad: Tensor) {
    const [x, weight] = ctx.saved;
    const positive = gt(x!, 0);
    return [where(positive, grad, mul(grad, weight!)), ctx.needs[1] ? where(positive, 0, mul(grad, x!)) : null];
  },
});

/**
 * x above 0, weight · x below; one weight, or one for each channel (dimension 1).
 *
 * @throws RuntimeError when there are neither one nor as many weights as channels
 * @see https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.prelu.html
 */
export function prelu(input: Tensor, weight: Tensor): Tensor;
export function prelu(...args: unknown[]): Tensor {
  const { input, weight } = bind<{ input: Tensor; weight: Tensor }>("prelu", ["!input", "!weight"], args);
  assertTensor(input, "prelu", "input", 1);
  assertTensor(weight, "prelu", "weight", 2);
  if (input.dtype !== weight.dtype) {
    throw new RuntimeError(
      `prelu: Type promoting not supported. Got ${SCALAR_TYPE_NAMES[input.dtype.name]} and ${SCALAR_TYPE_NAMES[weight.dtype.name]}`,
    );
  }
  if (weight.numel() !== 1) {
    if (input.ndim === 0) throw new RuntimeError("Not allow zero-dim input tensor.");
    const channels = input.ndim > 1 ? input.shape[1]! : 1;
    if (channels !== weight.numel()) {
      throw new RuntimeError(
        `Mismatch of parameter numbers and input channel size. Found parameter numbers = ${weight.numel()} and channel size = ${channels}.`,
        { shapes: [input.shape, weight.shape] },
      );
    }
  }
  if (weight.ndim > 1) {
    throw new RuntimeError(`prelu: Expected \`weight\` to be a scalar or 1D tensor, but got: ndim = ${weight.ndim}`);
  }
  const axes = input.shape.map((_, dim) => (dim === 1 || input.ndim === 1 ? weight.numel() : 1));
  return call(Prelu, null, input, input.ndim === 0 ? reshape(weight, []) : reshape(weight, axes));
}

interface RreluAttrs {
  lower: number;
  upper: number;
  training: boolean;
}

const Rrelu: Op<RreluAttrs> = defineOp({
  name: "rrelu_with_noise",
  gradFn: "RreluWithNoiseBackward0",
  kernels: ["binary"],
  forward(ctx, x: Tensor) {
    const { lower, upper, training } = ctx.attrs;
    const slopes = Tensor.empty(x.shape, x.dtype);
    const drawn = new Float64Array(1);
    // A slope is drawn only where it is used, which the stream of random numbers shows.
    x.denseData().forEach((value, i) => {
      if (value <= 0 && training) fillUniform(drawn, lower, upper, defaultGenerator);
      slopes.storage.data[i] = value > 0 ? 1 : training ? drawn[0]! : (lower + upper) / 2;
    });
    ctx.save(slopes);
    return mul(x.detach(), slopes);
  },
  backward: ({ saved: [slopes] }, grad: Tensor) => [mul(grad, slopes!)],
});

export interface RreluOptions {
  /** Smallest slope. Default 1/8. */
  lower?: number;
  /** Largest slope. Default 1/3. */
  upper?: number;
  /** Draws a slope for each element; otherwise their mean. Default false. */
  training?: boolean;
  /** Overwrites the input instead of making a new tensor. Default false. */
  inplace?: boolean;
}

/** x above 0, a random slope times x below. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.rrelu.html */
export function rrelu(input: Tensor, options?: RreluOptions): Tensor;
export function rrelu(...args: unknown[]): Tensor {
  const {
    input,
    lower = 1 / 8,
    upper = 1 / 3,
    training = false,
    inplace = false,
  } = bind<{ input: Tensor } & RreluOptions>("rrelu", ["!input", "lower", "upper", "training", "inplace: bool"], args);
  assertTensor(input, "rrelu", "input", 1);
  for (const [i, [name, value]] of Object.entries({ lower, upper }).entries()) {
    assertNumber(value, "rrelu", name, i + 2, "Number");
    if (!Number.isFinite(value)) throw new RuntimeError(`rrelu: ${name} bound must be finite, got ${floatRepr(value)}`);
  }
  if (lower > upper) throw new RuntimeError("Lower bound should be less than or equal to the upper bound");
  if (!input.dtype.isFloatingPoint) {
    throw new NotImplementedError(
      `"${training ? "rrelu_with_noise_out_cpu" : "leaky_relu_cpu"}" not implemented for '${SCALAR_TYPE_NAMES[input.dtype.name]}'`,
    );
  }
  const attrs = { lower, upper, training };
  return inplace ? inPlace(input, (old) => call(Rrelu, attrs, old)) : call(Rrelu, attrs, input);
}

const Glu: Op<{ dim: number }> = defineOp({
  name: "glu",
  gradFn: "GluBackward0",
  kernels: ["unary", "binary"],
  forward(ctx, x: Tensor) {
    ctx.save(x);
    const [value, gate] = halves(x.detach(), ctx.attrs.dim);
    return mul(value, sigmoid(gate));
  },
  backward({ attrs: { dim }, saved: [x] }, grad: Tensor) {
    const [value, gate] = halves(x!, dim);
    const open = sigmoid(gate);
    const passed = mul(grad, open);
    return [cat([passed, mul(mul(passed, value), sub(1, open))], dim)];
  },
});

function halves(x: Tensor, dim: number): [Tensor, Tensor] {
  const half = x.shape[dim]! / 2;
  return [narrow(x, dim, 0, half), narrow(x, dim, half, half)];
}

/**
 * The first half along `dim` (default the last) times the sigmoid of the second.
 *
 * @throws RuntimeError when the dimension is odd
 * @see https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.glu.html
 */
export function glu(input: Tensor, dim?: number | { dim?: number }): Tensor;
export function glu(...args: unknown[]): Tensor {
  const { input, dim = -1 } = bind<{ input: Tensor; dim?: number }>("glu", ["!input", "dim"], args);
  assertTensor(input, "glu", "input", 1);
  assertInt(dim, "glu", "dim", 2);
  if (input.ndim === 0) {
    throw new RuntimeError("glu does not support scalars because halving size must be even");
  }
  const axis = normalizeDim(dim, input.ndim);
  if (input.shape[axis]! % 2 !== 0) {
    throw new RuntimeError(`Halving dimension must be even, but dimension ${axis} is size ${input.shape[axis]}`, {
      shapes: [input.shape],
    });
  }
  if (!input.dtype.isFloatingPoint) {
    throw new NotImplementedError(`"glu_cpu" not implemented for '${SCALAR_TYPE_NAMES[input.dtype.name]}'`);
  }
  return call(Glu, { dim: axis }, input);
}

export interface SoftminOptions {
  /** Default: what PyTorch's oldest versions meant, with a warning. */
  dim?: number | null;
  /** Converts before computing. Default: the input's. */
  dtype?: DType | null;
}

/** softmax(-x) along `dim`. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.softmin.html */
export function softmin(input: Tensor, dim?: number | null | SoftminOptions, options?: SoftminOptions): Tensor;
export function softmin(...args: unknown[]): Tensor {
  const { input, dim, dtype } = bind<{ input: Tensor } & SoftminOptions>(
    "softmin",
    ["!input", "dim", "*", "dtype"],
    args,
  );
  assertTensor(input, "softmin", "input", 1);
  return softmax(neg(input), dim ?? implicitDim("softmin", input), { dtype });
}

export interface GumbelSoftmaxOptions {
  /** Temperature. Default 1. */
  tau?: number;
  /** One-hot forward, soft gradients. Default false. */
  hard?: boolean;
  /** Deprecated: without effect. Default 1e-10. */
  eps?: number;
  /** Default -1. */
  dim?: number;
}

/** Samples from the Gumbel-softmax distribution. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.gumbel_softmax.html */
export function gumbelSoftmax(logits: Tensor, options?: GumbelSoftmaxOptions): Tensor;
export function gumbelSoftmax(...args: unknown[]): Tensor {
  const {
    logits,
    tau = 1,
    hard = false,
    eps = 1e-10,
    dim = -1,
  } = bind<{ logits: Tensor } & GumbelSoftmaxOptions>(
    "gumbel_softmax",
    ["!logits", "tau", "hard", "*", "eps", "dim"],
    args,
  );
  assertTensor(logits, "gumbel_softmax", "logits", 1);
  if (eps !== 1e-10) warn("`eps` parameter is deprecated and has no effect.");
  if (!logits.dtype.isFloatingPoint) {
    throw new RuntimeError(
      `Exponential distribution is a continuous probability distribution. dtype must be a floating point but you specified ${SCALAR_TYPE_NAMES[logits.dtype.name]}`,
    );
  }
  const draw = Tensor.empty(logits.shape, logits.dtype, logits.device);
  fillExponential(draw.storage.data, 1, defaultGenerator);
  const soft = softmax(div(add(logits, neg(draw.log())), tau), dim);
  if (!hard) return soft;
  const axis = normalizeDim(dim, logits.ndim);
  if (logits.shape[axis] === 0) {
    throw new IndexError(`max(): Expected reduction dim ${axis} to have non-zero size.`);
  }
  const winners = argmax(soft.detach(), axis, { keepdim: true });
  const positions = Tensor.empty(
    logits.shape.map((n, d) => (d === axis ? n : 1)),
    winners.dtype,
    winners.device,
  );
  positions.storage.data.forEach((_, i, all) => {
    all[i] = i;
  });
  const chosen = eq(positions, winners).to(logits.dtype);
  return add(sub(chosen, soft.detach()), soft);
}
