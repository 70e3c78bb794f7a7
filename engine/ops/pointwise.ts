/** Functions of one tensor, element by element. Integers become floats where the function makes them so. */
import { isGradEnabled } from "../autograd/mode.ts";
import type { UnaryOp } from "../backends/backend.ts";
import { type Algebra, type Formula, formula } from "../backends/formula.ts";
import { bool, int64 } from "../core/dtype.ts";
import { NotImplementedError, RuntimeError } from "../core/errors.ts";
import { SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { checked } from "../core/signature.ts";
import type { Tensor } from "../core/tensor.ts";
import { recorded } from "./algebra.ts";
import { div, mul, neg, sub } from "./arithmetic.ts";
import { evaluateOne } from "./formulas.ts";
import { castRaw, filled, unary, unaryFloat } from "./operands.ts";
import { call, defineOp, type Method, methods, type Op } from "./registry.ts";

type Function1 = (input: Tensor) => Tensor;

interface PointwiseRule {
  name: UnaryOp;
  gradFn: string;
  /** Integers stay integers (abs, sign, floor …) instead of becoming floats. */
  keepsIntegers?: boolean;
  /** What PyTorch answers for a bool tensor, where it has no kernel for one. */
  noBool?: () => Error;
  /** What backward needs: the input, the output, or nothing. */
  saves: "input" | "output" | "nothing";
  /** The gradient from the incoming one and what was saved. */
  derivative: (grad: Tensor, saved: Tensor) => Tensor;
}

/** A derivative of several steps, which are one pass over the elements unless they are recorded. */
export function inOnePass(write: <T>(m: Algebra<T>, grad: T, saved: T) => T): (grad: Tensor, saved: Tensor) => Tensor {
  const single: Formula = formula(2, 0, (m, [grad, saved]) => write(m, grad!, saved!));
  return (grad, saved) => (isGradEnabled() ? write(recorded, grad, saved) : evaluateOne(single, [grad, saved]));
}

const noKernel = (kernel: string) => () => new NotImplementedError(`"${kernel}" not implemented for 'Bool'`);

function pointwise(rule: PointwiseRule): Function1 {
  const compute = rule.keepsIntegers ? unary : unaryFloat;
  const op: Op<null> = defineOp({
    name: rule.name,
    gradFn: rule.gradFn,
    kernels: ["unary", "formula"],
    forward(ctx, x: Tensor) {
      if (rule.noBool && x.dtype === bool) throw rule.noBool();
      const y = compute(rule.name, rule.name === "square" && x.dtype === bool ? castRaw(x, int64) : x);
      if (rule.saves !== "nothing") ctx.save(rule.saves === "input" ? x : y);
      return y;
    },
    backward: (ctx, grad: Tensor) => [rule.derivative(grad, rule.saves === "nothing" ? grad : ctx.saved[0]!)],
  });
  return checked(`${rule.name}(Tensor input)`, (input: Tensor) => call(op, null, input));
}

const zero = (grad: Tensor): Tensor => filled(grad.shape, 0, grad.dtype);

/** |x|; the gradient at 0 is 0. */
export const abs: Function1 = pointwise({
  name: "abs",
  noBool: noKernel("abs_cpu"),
  gradFn: "AbsBackward0",
  keepsIntegers: true,
  saves: "input",
  derivative: (grad, x) => mul(grad, sign(x)),
});
/** -1, 0 or 1. */
export const sign: Function1 = pointwise({
  name: "sign",
  gradFn: "SignBackward0",
  keepsIntegers: true,
  saves: "nothing",
  derivative: zero,
});
/** e^x. */
export const exp: Function1 = pointwise({ name: "exp", gradFn: "ExpBackward0", saves: "output", derivative: mul });
/** e^x - 1, exact for small x. */
export const expm1: Function1 = pointwise({
  name: "expm1",
  gradFn: "Expm1Backward0",
  saves: "output",
  derivative: inOnePass((m, grad, y) => m.mul(grad, m.add(y, 1))),
});
/** Logarithm to base 2. */
export const log2: Function1 = pointwise({
  name: "log2",
  gradFn: "Log2Backward0",
  saves: "input",
  derivative: inOnePass((m, grad, x) => m.div(grad, m.mul(x, Math.LN2))),
});
/** Logarithm to base 10. */
export const log10: Function1 = pointwise({
  name: "log10",
  gradFn: "Log10Backward0",
  saves: "input",
  derivative: inOnePass((m, grad, x) => m.div(grad, m.mul(x, Math.LN10))),
});
/** log(1 + x), exact for small x. */
export const log1p: Function1 = pointwise({
  name: "log1p",
  gradFn: "Log1PBackward0",
  saves: "input",
  derivative: inOnePass((m, grad, x) => m.div(grad, m.add(x, 1))),
});
/** Square root. */
export const sqrt: Function1 = pointwise({
  name: "sqrt",
  gradFn: "SqrtBackward0",
  saves: "output",
  derivative: inOnePass((m, grad, y) => m.div(grad, m.mul(y, 2))),
});
/** 1 / √x. */
export const rsqrt: Function1 = pointwise({
  name: "rsqrt",
  gradFn: "RsqrtBackward0",
  saves: "output",
  derivative: (grad, y) => mul(mul(grad, -0.5), y.pow(3)),
});
/** 1 / x. */
export const reciprocal: Function1 = pointwise({
  name: "reciprocal",
  gradFn: "ReciprocalBackward0",
  saves: "output",
  derivative: inOnePass((m, grad, y) => m.neg(m.mul(grad, m.mul(y, y)))),
});
/** Sine of radians. */
export const sin: Function1 = pointwise({
  name: "sin",
  gradFn: "SinBackward0",
  saves: "input",
  derivative: (grad, x) => mul(grad, cos(x)),
});
/** Cosine of radians. */
export const cos: Function1 = pointwise({
  name: "cos",
  gradFn: "CosBackward0",
  saves: "input",
  derivative: (grad, x) => neg(mul(grad, sin(x))),
});
/** Tangent of radians. */
export const tan: Function1 = pointwise({
  name: "tan",
  gradFn: "TanBackward0",
  saves: "output",
  derivative: inOnePass((m, grad, y) => m.mul(grad, m.add(m.mul(y, y), 1))),
});
export const asin: Function1 = pointwise({
  name: "asin",
  gradFn: "AsinBackward0",
  saves: "input",
  derivative: (grad, x) => mul(grad, rsqrt(sub(1, mul(x, x)))),
});
export const acos: Function1 = pointwise({
  name: "acos",
  gradFn: "AcosBackward0",
  saves: "input",
  derivative: (grad, x) => neg(mul(grad, rsqrt(sub(1, mul(x, x))))),
});
export const atan: Function1 = pointwise({
  name: "atan",
  gradFn: "AtanBackward0",
  saves: "input",
  derivative: inOnePass((m, grad, x) => m.div(grad, m.add(m.mul(x, x), 1))),
});
export const sinh: Function1 = pointwise({
  name: "sinh",
  gradFn: "SinhBackward0",
  saves: "input",
  derivative: (grad, x) => mul(grad, cosh(x)),
});
export const cosh: Function1 = pointwise({
  name: "cosh",
  gradFn: "CoshBackward0",
  saves: "input",
  derivative: (grad, x) => mul(grad, sinh(x)),
});
/** Hyperbolic tangent. */
export const tanh: Function1 = pointwise({
  name: "tanh",
  gradFn: "TanhBackward0",
  saves: "output",
  derivative: inOnePass((m, grad, y) => m.mul(grad, m.sub(1, m.mul(y, y)))),
});
/** 1 / (1 + e^-x). */
export const sigmoid: Function1 = pointwise({
  name: "sigmoid",
  gradFn: "SigmoidBackward0",
  saves: "output",
  derivative: inOnePass((m, grad, y) => m.mul(grad, m.mul(y, m.sub(1, y)))),
});
const passing = formula(2, 0, (m, [grad, y]) => m.where(m.le(y!, 0), 0, grad!));

/** The slope of relu is flat, and says so: its own gradient is zero rather than none. */
const ThresholdBackward: Op<null> = defineOp({
  name: "threshold_backward",
  gradFn: "ThresholdBackwardBackward0",
  kernels: ["formula"],
  forward(ctx, grad: Tensor, y: Tensor) {
    ctx.save(y);
    return evaluateOne(passing, [grad, y]);
  },
  backward: ({ saved: [y] }, grad: Tensor) => [
    call(ThresholdBackward, null, grad, y!.detach()),
    filled(grad.shape, 0, grad.dtype),
  ],
});

/** max(0, x); the gradient at 0 is 0. */
export const relu: Function1 = pointwise({
  name: "relu",
  noBool: () => new RuntimeError("Boolean inputs not supported for relu"),
  gradFn: "ReluBackward0",
  keepsIntegers: true,
  saves: "output",
  // NaN lets the gradient pass, as in PyTorch.
  derivative: (grad, y) => call(ThresholdBackward, null, grad, y),
});
/** The Gauss error function. */
export const erf: Function1 = pointwise({
  name: "erf",
  gradFn: "ErfBackward0",
  saves: "input",
  derivative: inOnePass((m, grad, x) => m.mul(grad, m.mul(m.exp(m.neg(m.mul(x, x))), 2 / Math.sqrt(Math.PI)))),
});
/** x². */
export const square: Function1 = pointwise({
  name: "square",
  gradFn: "PowBackward0",
  keepsIntegers: true,
  saves: "input",
  derivative: inOnePass((m, grad, x) => m.mul(grad, m.mul(x, 2))),
});
export const floor: Function1 = pointwise({
  name: "floor",
  noBool: noKernel("floor_vml_cpu"),
  gradFn: "FloorBackward0",
  keepsIntegers: true,
  saves: "nothing",
  derivative: zero,
});
export const ceil: Function1 = pointwise({
  name: "ceil",
  noBool: noKernel("ceil_vml_cpu"),
  gradFn: "CeilBackward0",
  keepsIntegers: true,
  saves: "nothing",
  derivative: zero,
});
const roundToInteger: Function1 = pointwise({
  name: "round",
  noBool: noKernel("round_vml_cpu"),
  gradFn: "RoundBackward0",
  keepsIntegers: true,
  saves: "nothing",
  derivative: zero,
});

const RoundDecimals: Op<{ decimals: number }> = defineOp({
  name: "round.decimals",
  gradFn: "RoundBackward1",
  kernels: ["unary", "binary"],
  forward({ attrs: { decimals } }, x: Tensor) {
    if (!x.dtype.isFloatingPoint) {
      const kernel = decimals === 0 ? "round_vml_cpu" : "round_cpu";
      throw new NotImplementedError(`"${kernel}" not implemented for '${SCALAR_TYPE_NAMES[x.dtype.name]}'`);
    }
    const ten = 10 ** Math.abs(decimals);
    const [up, down] = decimals > 0 ? [mul, div] : [div, mul];
    return down(unary("round", up(x.detach(), ten)), ten);
  },
  backward: (_, grad: Tensor) => [zero(grad)],
});

export interface RoundOptions {
  /** How many decimals stay; negative ones round to tens, hundreds …. Default: to integers. */
  decimals?: number;
}

/** To the nearest integer, halves to the even one, or to `decimals` places. https://docs.pytorch.org/docs/2.13/generated/torch.round.html */
export const round = checked(
  "round(Tensor input, *, int decimals?)",
  (input: Tensor, { decimals }: RoundOptions = {}): Tensor => {
    return decimals === undefined ? roundToInteger(input) : call(RoundDecimals, { decimals }, input);
  },
);
/** Towards zero. */
export const trunc: Function1 = pointwise({
  name: "trunc",
  noBool: noKernel("trunc_vml_cpu"),
  gradFn: "TruncBackward0",
  keepsIntegers: true,
  saves: "nothing",
  derivative: zero,
});

methods({
  abs,
  sign,
  exp,
  expm1,
  log2,
  log10,
  log1p,
  sqrt,
  rsqrt,
  reciprocal,
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  sinh,
  cosh,
  tanh,
  sigmoid,
  relu,
  erf,
  square,
  floor,
  ceil,
  round,
  trunc,
});

declare module "../core/tensor.ts" {
  interface Tensor {
    /** |x|. */
    abs: Method<Function1>;
    /** -1, 0 or 1. */
    sign: Method<Function1>;
    /** e^x. */
    exp: Method<Function1>;
    /** e^x - 1. */
    expm1: Method<Function1>;
    log2: Method<Function1>;
    log10: Method<Function1>;
    log1p: Method<Function1>;
    /** Square root. */
    sqrt: Method<Function1>;
    /** 1 / √x. */
    rsqrt: Method<Function1>;
    /** 1 / x. */
    reciprocal: Method<Function1>;
    sin: Method<Function1>;
    cos: Method<Function1>;
    tan: Method<Function1>;
    asin: Method<Function1>;
    acos: Method<Function1>;
    atan: Method<Function1>;
    sinh: Method<Function1>;
    cosh: Method<Function1>;
    /** Hyperbolic tangent. */
    tanh: Method<Function1>;
    /** 1 / (1 + e^-x). */
    sigmoid: Method<Function1>;
    /** max(0, x). */
    relu: Method<Function1>;
    erf: Method<Function1>;
    /** x². */
    square: Method<Function1>;
    floor: Method<Function1>;
    ceil: Method<Function1>;
    /** To the nearest integer, halves to the even one. */
    round: Method<typeof round>;
    trunc: Method<Function1>;
  }
}
