/**
 * Activations: functions of each element that layers put between linear maps.
 * https://docs.pytorch.org/docs/2.13/nn.functional.html#non-linear-activation-functions
 */
import { isGradEnabled } from "../autograd/mode.ts";
import { bind } from "../core/arguments.ts";
import { NotImplementedError, RuntimeError, ValueError } from "../core/errors.ts";
import { numberRepr } from "../core/number_text.ts";
import { SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { checked } from "../core/signature.ts";
import { assertTensor, type Tensor } from "../core/tensor.ts";
import { recorded } from "./algebra.ts";
import { add, clamp, div, sub, where } from "./arithmetic.ts";
import { le } from "./comparison.ts";
import { type Algebra, evaluateOne, type Formula, formula, type Value } from "./formulas.ts";
import { inPlace } from "./inplace.ts";
import { abs, tanh } from "./pointwise.ts";
import { call, defineOp, type Op } from "./registry.ts";

export interface InplaceOptions {
  /** Overwrites the input instead of making a new tensor. Default false. */
  inplace?: boolean;
}

interface ActivationRule<A> {
  name: string;
  gradFn: string;
  /** ATen's kernel, which refuses integers by this name; null where integers pass. */
  kernel: string | null;
  compute: <T>(m: Algebra<T>, x: T, attrs: A) => T;
  /** For integers, where they pass; from the input outside the graph. */
  integers?: (x: Tensor, attrs: A) => Tensor;
  /** The derivative times the incoming gradient, from the saved input. */
  derivative: <T>(m: Algebra<T>, grad: T, x: T, attrs: A) => T;
}

/** The formula for the attributes of a call: most calls have those of the one before. */
function remembered<A>(inputs: number, write: (m: Algebra<Value>, tensors: Value[], attrs: A) => Value) {
  let last: { key: string; formula: Formula } | null = null;
  return (attrs: A): Formula => {
    const key = attrs === null ? "" : Object.values(attrs as object).join();
    if (last?.key !== key) last = { key, formula: formula(inputs, 0, (m, tensors) => write(m, tensors, attrs)) };
    return last.formula;
  };
}

/** An element-wise operation that saves its input; with `inplace` the result takes the input's place. */
function activation<A>(rule: ActivationRule<A>): (input: Tensor, attrs: A, inplace?: boolean) => Tensor {
  const value = remembered<A>(1, (m, [x], attrs) => rule.compute(m, x!, attrs));
  const slope = remembered<A>(2, (m, [grad, x], attrs) => rule.derivative(m, grad!, x!, attrs));
  const op: Op<A> = defineOp({
    name: rule.name,
    gradFn: rule.gradFn,
    kernels: ["formula"],
    forward(ctx, x: Tensor) {
      ctx.save(x);
      if (rule.integers && !x.dtype.isFloatingPoint) return rule.integers(x.detach(), ctx.attrs);
      return evaluateOne(value(ctx.attrs), [x]);
    },
    backward({ attrs, saved: [x] }, grad: Tensor) {
      return [isGradEnabled() ? rule.derivative(recorded, grad, x!, attrs) : evaluateOne(slope(attrs), [grad, x!])];
    },
  });
  return (input, attrs, inplace = false) => {
    assertTensor(input, rule.name, "input", 1);
    if (rule.kernel !== null && !input.dtype.isFloatingPoint) {
      throw new NotImplementedError(`"${rule.kernel}" not implemented for '${SCALAR_TYPE_NAMES[input.dtype.name]}'`, {
        hint: "convert it first: x.float()",
      });
    }
    return inplace ? inPlace(input, (old) => call(op, attrs, old)) : call(op, attrs, input);
  };
}

interface EluAttrs {
  alpha: number;
  scale: number;
  inputScale: number;
  /** The same as the gradient has it; celu's goes through a float32 on its way. Default inputScale. */
  gradScale?: number;
}

/** scale · x above 0, scale · alpha · (e^(inputScale · x) - 1) below. Large x is kept out of e^x, whose inf would spoil gradients. */
function eluRule(name: string, gradFn: string): ActivationRule<EluAttrs> {
  return {
    name,
    gradFn,
    kernel: "elu_cpu",
    compute: (m, x, { alpha, scale, inputScale }) =>
      m.where(m.gt(x, 0), m.mul(x, scale), m.mul(m.expm1(m.mul(m.minimum(x, 0), inputScale)), alpha * scale)),
    derivative(m, grad, x, { alpha, scale, inputScale, gradScale = inputScale }) {
      // At 0 itself the second derivative is 0.
      const low = m.mul(m.where(m.lt(x, 0), x, 0), gradScale);
      const slope = m.mul(m.mul(grad, gradScale * alpha * scale), m.exp(low));
      return m.where(m.le(x, 0), slope, m.mul(grad, scale));
    },
  };
}

const eluOf = activation(eluRule("elu", "EluBackward0"));
const celuOf = activation(eluRule("celu", "CeluBackward0"));

const leakyReluOf = activation<{ slope: number }>({
  name: "leaky_relu",
  gradFn: "LeakyReluBackward0",
  kernel: "leaky_relu_cpu",
  compute: (m, x, { slope }) => m.where(m.gt(x, 0), x, m.mul(x, slope)),
  derivative: (m, grad, x, { slope }) => m.where(m.gt(x, 0), grad, m.mul(grad, slope)),
});

const hardtanhOf = activation<{ min: number; max: number }>({
  name: "hardtanh",
  gradFn: "HardtanhBackward0",
  kernel: null,
  compute: (m, x, { min, max }) => m.minimum(m.maximum(x, min), max),
  integers(x, { min, max }) {
    if (x.dtype.name === "bool") throw new RuntimeError("Bool inputs not supported for hardtanh");
    if (x.dtype.name === "uint8" && (min < 0 || max < 0)) {
      throw new RuntimeError("cannot do hardtanh on an unsigned type with negative limits");
    }
    return clamp(x, Math.trunc(min), Math.trunc(max));
  },
  derivative: (m, grad, x, { min, max }) => m.where(m.le(x, min), 0, m.where(m.ge(x, max), 0, grad)),
});

const TANH_SCALE = Math.SQRT2 * (2 / Math.sqrt(Math.PI)) * 0.5;
const TANH_CUBE = 0.044715;

const geluOf = activation<null>({
  name: "gelu",
  gradFn: "GeluBackward0",
  kernel: "GeluKernelImpl",
  compute: (m, x) => m.mul(m.mul(x, 0.5), m.add(m.erf(m.mul(x, Math.SQRT1_2)), 1)),
  derivative(m, grad, x) {
    const cdf = m.mul(m.add(m.erf(m.mul(x, Math.SQRT1_2)), 1), 0.5);
    const density = m.mul(m.exp(m.mul(m.mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return m.mul(grad, m.add(cdf, m.mul(x, density)));
  },
});

function tanhInner<T>(m: Algebra<T>, x: T): T {
  return m.mul(m.add(x, m.mul(m.mul(m.mul(x, x), x), TANH_CUBE)), TANH_SCALE);
}

const geluTanhOf = activation<null>({
  name: "gelu.tanh",
  gradFn: "GeluBackward0",
  kernel: "GeluKernelImpl",
  compute: (m, x) => m.mul(m.mul(x, 0.5), m.add(m.tanh(tanhInner(m, x)), 1)),
  derivative(m, grad, x) {
    const t = m.tanh(tanhInner(m, x));
    const slope = m.mul(m.add(m.mul(m.mul(x, x), 3 * TANH_CUBE), 1), TANH_SCALE);
    const curved = m.mul(m.mul(m.mul(x, 0.5), m.sub(1, m.mul(t, t))), slope);
    return m.mul(grad, m.add(m.mul(m.add(t, 1), 0.5), curved));
  },
});

const siluOf = activation<null>({
  name: "silu",
  gradFn: "SiluBackward0",
  kernel: "silu_cpu",
  compute: (m, x) => m.div(x, m.add(m.exp(m.neg(x)), 1)),
  derivative(m, grad, x) {
    const s = m.sigmoid(x);
    return m.mul(grad, m.mul(s, m.add(m.mul(x, m.sub(1, s)), 1)));
  },
});

const mishOf = activation<null>({
  name: "mish",
  gradFn: "MishBackward0",
  kernel: "mish_cpu",
  compute: (m, x) => m.mul(x, m.tanh(m.log1p(m.exp(x)))),
  derivative(m, grad, x) {
    const t = m.tanh(m.log1p(m.exp(x)));
    return m.mul(grad, m.add(t, m.mul(m.mul(x, m.sigmoid(x)), m.sub(1, m.mul(t, t)))));
  },
});

const softplusOf = activation<{ beta: number; threshold: number }>({
  name: "softplus",
  gradFn: "SoftplusBackward0",
  kernel: "softplus_cpu",
  compute(m, x, { beta, threshold }) {
    const scaled = m.mul(x, beta);
    return m.where(m.gt(scaled, threshold), x, m.div(m.log1p(m.exp(scaled)), beta));
  },
  derivative(m, grad, x, { beta, threshold }) {
    const scaled = m.mul(x, beta);
    return m.where(m.gt(scaled, threshold), grad, m.mul(grad, m.sigmoid(scaled)));
  },
});

/** PyTorch writes it as a float32, also for float64. */
const SIXTH = Math.fround(1 / 6);

function from0To6<T>(m: Algebra<T>, x: T): T {
  return m.minimum(m.maximum(m.add(x, 3), 0), 6);
}

const hardsigmoidOf = activation<null>({
  name: "hardsigmoid",
  gradFn: "HardsigmoidBackward0",
  kernel: "hardsigmoid_cpu",
  compute: (m, x) => m.div(from0To6(m, x), 6),
  derivative: (m, grad, x) => m.where(m.gt(x, -3), m.where(m.lt(x, 3), m.mul(grad, SIXTH), 0), 0),
});

const hardswishOf = activation<null>({
  name: "hardswish",
  gradFn: "HardswishBackward0",
  kernel: "hardswish_cpu",
  compute: (m, x) => m.div(m.mul(x, from0To6(m, x)), 6),
  derivative: (m, grad, x) => m.where(m.le(x, -3), 0, m.where(m.lt(x, 3), m.mul(grad, m.add(m.div(x, 3), 0.5)), grad)),
});

const logsigmoidOf = activation<null>({
  name: "log_sigmoid",
  gradFn: "LogSigmoidBackward0",
  kernel: "log_sigmoid_cpu",
  compute: (m, x) => m.sub(m.minimum(x, 0), m.log1p(m.exp(m.neg(m.abs(x))))),
  derivative: (m, grad, x) => m.mul(grad, m.sigmoid(m.neg(x))),
});

/** 0 from -lambd to lambd. */
function outside<T>(m: Algebra<T>, x: T, lambd: number, otherwise: T): T {
  return m.where(m.ge(x, -lambd), m.where(m.le(x, lambd), 0, otherwise), otherwise);
}

const hardshrinkOf = activation<{ lambd: number }>({
  name: "hardshrink",
  gradFn: "HardshrinkBackward0",
  kernel: "hardshrink_cpu",
  compute: (m, x, { lambd }) => outside(m, x, lambd, x),
  derivative: (m, grad, x, { lambd }) => outside(m, x, lambd, grad),
});

const softshrinkOf = activation<{ lambd: number }>({
  name: "softshrink",
  gradFn: "SoftshrinkBackward0",
  kernel: "softshrink_check",
  // What lies between is x · 0, so that NaN stays NaN.
  compute: (m, x, { lambd }) =>
    m.where(m.gt(x, lambd), m.sub(x, lambd), m.where(m.lt(x, -lambd), m.add(x, lambd), m.mul(x, 0))),
  derivative: (m, grad, x, { lambd }) => outside(m, x, lambd, grad),
});

const thresholdOf = activation<{ threshold: number; value: number }>({
  name: "threshold",
  gradFn: "ThresholdBackward0",
  kernel: null,
  compute: (m, x, { threshold, value }) => m.where(m.le(x, threshold), value, x),
  integers(x, { threshold, value }) {
    if (x.dtype.name === "bool") throw new NotImplementedError(`"threshold_cpu" not implemented for 'Bool'`);
    if (x.dtype.name === "uint8" && [threshold, value].some((v) => v < 0 || v > 255)) {
      throw new RuntimeError("value cannot be converted to type uint8_t without overflow");
    }
    return where(le(x, threshold), value, x).to(x.dtype);
  },
  derivative: (m, grad, x, { threshold }) => m.where(m.le(x, threshold), 0, grad),
});

/** min(max(0, x), 6). https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.relu6.html */
export function relu6(input: Tensor, options?: InplaceOptions): Tensor;
export function relu6(...args: unknown[]): Tensor {
  const { input, inplace } = bind<{ input: Tensor } & InplaceOptions>("relu6", ["!input", "inplace: bool"], args);
  return hardtanhOf(input, { min: 0, max: 6 }, inplace);
}

export interface HardtanhOptions extends InplaceOptions {
  /** Lower bound. Default -1. */
  minVal?: number;
  /** Upper bound. Default 1. */
  maxVal?: number;
}

/** Limited to [minVal, maxVal]; at and beyond the bounds the gradient is 0. */
export function hardtanh(input: Tensor, options?: HardtanhOptions): Tensor;
export function hardtanh(...args: unknown[]): Tensor {
  const {
    input,
    minVal = -1,
    maxVal = 1,
    inplace,
  } = bind<{ input: Tensor } & HardtanhOptions>(
    "hardtanh",
    ["!input", "minVal: Number", "maxVal: Number", "inplace: bool"],
    args,
  );
  if (minVal > maxVal) throw new ValueError("min_val cannot be greater than max_val");
  return hardtanhOf(input, { min: minVal, max: maxVal }, inplace);
}

export interface LeakyReluOptions extends InplaceOptions {
  /** Slope below 0. Default 0.01. */
  negativeSlope?: number;
}

/** x above 0, negativeSlope · x below. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.leaky_relu.html */
export function leakyRelu(input: Tensor, options?: LeakyReluOptions): Tensor;
export function leakyRelu(...args: unknown[]): Tensor {
  const {
    input,
    negativeSlope = 0.01,
    inplace,
  } = bind<{ input: Tensor } & LeakyReluOptions>(
    "leaky_relu",
    ["!input", "negativeSlope: Number", "inplace: bool"],
    args,
  );
  return leakyReluOf(input, { slope: negativeSlope }, inplace);
}

export interface EluOptions extends InplaceOptions {
  /** What the curve goes to for very negative x, negated. Default 1. */
  alpha?: number;
}

/** x above 0, alpha · (e^x - 1) below. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.elu.html */
export function elu(input: Tensor, options?: EluOptions): Tensor;
export function elu(...args: unknown[]): Tensor {
  const {
    input,
    alpha = 1,
    inplace,
  } = bind<{ input: Tensor } & EluOptions>("elu", ["!input", "alpha: Number", "inplace: bool"], args);
  return eluOf(input, { alpha, scale: 1, inputScale: 1 }, inplace);
}

/** max(0, x) + min(0, alpha · (e^(x / alpha) - 1)). https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.celu.html */
export function celu(input: Tensor, options?: EluOptions): Tensor;
export function celu(...args: unknown[]): Tensor {
  const {
    input,
    alpha = 1,
    inplace,
  } = bind<{ input: Tensor } & EluOptions>("celu", ["!input", "alpha: Number", "inplace: bool"], args);
  if (alpha === 0) throw new RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU");
  return celuOf(input, { alpha, scale: 1, inputScale: 1 / alpha, gradScale: 1 / Math.fround(alpha) }, inplace);
}

const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

/** The self-normalising elu: scale 1.0507, alpha 1.6733. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.selu.html */
export function selu(input: Tensor, options?: InplaceOptions): Tensor;
export function selu(...args: unknown[]): Tensor {
  const { input, inplace } = bind<{ input: Tensor } & InplaceOptions>("selu", ["!input", "inplace: bool"], args);
  return eluOf(input, { alpha: SELU_ALPHA, scale: SELU_SCALE, inputScale: 1 }, inplace);
}

export interface GeluOptions {
  /** "none": with the error function. "tanh": its approximation. Default "none". */
  approximate?: "none" | "tanh";
}

/** x · Φ(x), Φ the normal distribution. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.gelu.html */
export function gelu(input: Tensor, options?: GeluOptions): Tensor;
export function gelu(...args: unknown[]): Tensor {
  const { input, approximate = "none" } = bind<{ input: Tensor; approximate?: string }>(
    "gelu",
    ["!input", "*", "approximate"],
    args,
  );
  if (approximate !== "none" && approximate !== "tanh") {
    throw new RuntimeError("approximate argument must be either none or tanh.");
  }
  return approximate === "none" ? geluOf(input, null) : geluTanhOf(input, null);
}

/** x · sigmoid(x), also called swish. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.silu.html */
export function silu(input: Tensor, options?: InplaceOptions): Tensor;
export function silu(...args: unknown[]): Tensor {
  const { input, inplace } = bind<{ input: Tensor } & InplaceOptions>("silu", ["!input", "inplace: bool"], args);
  return siluOf(input, null, inplace);
}

/** x · tanh(softplus(x)). https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.mish.html */
export function mish(input: Tensor, options?: InplaceOptions): Tensor;
export function mish(...args: unknown[]): Tensor {
  const { input, inplace } = bind<{ input: Tensor } & InplaceOptions>("mish", ["!input", "inplace: bool"], args);
  return mishOf(input, null, inplace);
}

export interface SoftplusOptions {
  /** Sharpness of the bend. Default 1. */
  beta?: number;
  /** Where beta · x exceeds this, x itself. Default 20. */
  threshold?: number;
}

/** log(1 + e^(beta · x)) / beta. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.softplus.html */
export function softplus(input: Tensor, options?: SoftplusOptions): Tensor;
export function softplus(...args: unknown[]): Tensor {
  const {
    input,
    beta = 1,
    threshold = 20,
  } = bind<{ input: Tensor } & SoftplusOptions>("softplus", ["!input", "beta: Number", "threshold: Number"], args);
  return softplusOf(input, { beta, threshold });
}

/** x / (1 + |x|). https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.softsign.html */
export const softsign = checked("softsign(Tensor input)", (input: Tensor): Tensor => {
  return div(input, add(abs(input), 1));
});

/** clamp(x + 3, 0, 6) / 6. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.hardsigmoid.html */
export function hardsigmoid(input: Tensor, options?: InplaceOptions): Tensor;
export function hardsigmoid(...args: unknown[]): Tensor {
  const { input, inplace } = bind<{ input: Tensor } & InplaceOptions>("hardsigmoid", ["!input", "inplace: bool"], args);
  return hardsigmoidOf(input, null, inplace);
}

/** x · hardsigmoid(x). https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.hardswish.html */
export function hardswish(input: Tensor, options?: InplaceOptions): Tensor;
export function hardswish(...args: unknown[]): Tensor {
  const { input, inplace } = bind<{ input: Tensor } & InplaceOptions>("hardswish", ["!input", "inplace: bool"], args);
  return hardswishOf(input, null, inplace);
}

/** log sigmoid(x), stable on both sides. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.logsigmoid.html */
export const logsigmoid = checked("log_sigmoid(Tensor input)", (input: Tensor): Tensor => {
  return logsigmoidOf(input, null);
});

/** x - tanh(x). https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.tanhshrink.html */
export const tanhshrink = checked("tanhshrink(Tensor input)", (input: Tensor): Tensor => {
  return sub(input, tanh(input));
});

export interface ShrinkOptions {
  /** Half the width of the band around 0. Default 0.5. */
  lambd?: number;
}

/** x, and 0 where |x| <= lambd. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.hardshrink.html */
export function hardshrink(input: Tensor, options?: ShrinkOptions): Tensor;
export function hardshrink(...args: unknown[]): Tensor {
  const { input, lambd = 0.5 } = bind<{ input: Tensor } & ShrinkOptions>(
    "hardshrink",
    ["!input", "lambd: Number"],
    args,
  );
  return hardshrinkOf(input, { lambd });
}

/** x moved towards 0 by lambd, 0 in between. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.softshrink.html */
export function softshrink(input: Tensor, options?: ShrinkOptions): Tensor;
export function softshrink(...args: unknown[]): Tensor {
  const { input, lambd = 0.5 } = bind<{ input: Tensor } & ShrinkOptions>(
    "softshrink",
    ["!input", "lambd: Number"],
    args,
  );
  if (!(lambd >= 0)) {
    const single = input.dtype.name === "float32";
    throw new RuntimeError(
      `lambda must be in range [0, ${single ? "3.40282e+38" : "1.79769e+308"}] for input dtype ${SCALAR_TYPE_NAMES[input.dtype.name]}, but found ${numberRepr(lambd)}`,
    );
  }
  return softshrinkOf(input, { lambd });
}

/** x above `threshold`, `value` elsewhere. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.threshold.html */
export function threshold(input: Tensor, threshold: number, value: number, options?: InplaceOptions): Tensor;
export function threshold(...args: unknown[]): Tensor {
  const {
    input,
    threshold: limit,
    value,
    inplace,
  } = bind<{ input: Tensor; threshold: number; value: number } & InplaceOptions>(
    "threshold",
    ["!input", "!threshold: Number", "!value: Number", "inplace: bool"],
    args,
  );
  return thresholdOf(input, { threshold: limit, value }, inplace);
}
