/** Functions of one tensor that are met less often: special functions, angles, fractions, tests of signs. */
import { bind } from "../core/arguments.ts";
import { bool, type DType } from "../core/dtype.ts";
import { NotImplementedError, RuntimeError } from "../core/errors.ts";
import { getDefaultDtype, SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { checked } from "../core/signature.ts";
import { assertTensor, type Tensor } from "../core/tensor.ts";
import { div, mul, sub, where } from "./arithmetic.ts";
import { eq, ge, isfinite, le, logicalAnd } from "./comparison.ts";
import { copyInOrder } from "./operands.ts";
import { abs, cos, exp, rsqrt, sin, square, trunc } from "./pointwise.ts";
import { call, defineOp, type Method, methods, type Op } from "./registry.ts";
import { digammaOf, erfcOf, erfinvOf, lgammaOf, polygammaOf } from "./special_numbers.ts";

type Function1 = (input: Tensor) => Tensor;

/** f of every element, in the memory order of x. */
function mapped(x: Tensor, dtype: DType, f: (value: number) => number): Tensor {
  const out = copyInOrder(x, dtype);
  const { data } = out.storage;
  for (let i = 0; i < data.length; i++) data[i] = f(data[i]!);
  return out;
}

function floatOf({ dtype }: Tensor): DType {
  return dtype.isFloatingPoint ? dtype : getDefaultDtype();
}

interface Rule {
  name: string;
  gradFn: string;
  f: (value: number) => number;
  /** The gradient from the incoming one, the input and the output. */
  derivative: (grad: Tensor, x: Tensor, y: Tensor) => Tensor;
}

/** A function that makes floats of integers. */
function special({ name, gradFn, f, derivative }: Rule): Function1 {
  const op: Op<null> = defineOp({
    name,
    gradFn,
    kernels: ["copy"],
    forward(ctx, x: Tensor) {
      const out = mapped(x, floatOf(x), f);
      ctx.save(x, out);
      return out;
    },
    backward: ({ saved: [x, y] }, grad: Tensor) => [derivative(grad, x!, y!)],
  });
  return (input) => {
    assertTensor(input, name, "input", 1);
    return call(op, null, input);
  };
}

/** 2^x. */
export const exp2: Function1 = special({
  name: "exp2",
  gradFn: "Exp2Backward0",
  f: (x) => 2 ** x,
  derivative: (grad, _, y) => mul(mul(grad, y), Math.LN2),
});
/** 1 - erf(x), exact where that is small. */
export const erfc: Function1 = special({
  name: "erfc",
  gradFn: "ErfcBackward0",
  f: erfcOf,
  derivative: (grad, x) => mul(grad, mul(exp(square(x).neg()), -2 / Math.sqrt(Math.PI))),
});
/** The inverse of erf. */
export const erfinv: Function1 = special({
  name: "erfinv",
  gradFn: "ErfinvBackward0",
  f: erfinvOf,
  derivative: (grad, _, y) => mul(grad, mul(exp(square(y)), Math.sqrt(Math.PI) / 2)),
});
/** log |Γ(x)|. */
export const lgamma: Function1 = special({
  name: "lgamma",
  gradFn: "LgammaBackward0",
  f: lgammaOf,
  derivative: (grad, x) => mul(grad, digamma(x)),
});
/** The derivative of lgamma. */
export const digamma: Function1 = special({
  name: "digamma",
  gradFn: "DigammaBackward0",
  f: digammaOf,
  derivative: (grad, x) => mul(grad, polygamma(1, x)),
});
export const asinh: Function1 = special({
  name: "asinh",
  gradFn: "AsinhBackward0",
  f: Math.asinh,
  derivative: (grad, x) => mul(grad, rsqrt(square(x).add(1))),
});
export const acosh: Function1 = special({
  name: "acosh",
  gradFn: "AcoshBackward0",
  f: Math.acosh,
  derivative: (grad, x) => mul(grad, rsqrt(square(x).sub(1))),
});
export const atanh: Function1 = special({
  name: "atanh",
  gradFn: "AtanhBackward0",
  f: Math.atanh,
  derivative: (grad, x) => div(grad, sub(1, square(x))),
});
/** sin(πx) / (πx), 1 at 0. */
export const sinc: Function1 = special({
  name: "sinc",
  gradFn: "SincBackward0",
  f: (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)),
  derivative(grad, x) {
    const angle = mul(x, Math.PI);
    const slope = div(sub(mul(angle, cos(angle)), sin(angle)), mul(angle, x));
    return where(eq(x, 0), 0, mul(grad, slope));
  },
});
/** Degrees as radians. */
export const deg2rad: Function1 = special({
  name: "deg2rad",
  gradFn: "Deg2RadBackward0",
  f: (x) => (x * Math.PI) / 180,
  derivative: (grad) => mul(grad, Math.PI / 180),
});
/** Radians as degrees. */
export const rad2deg: Function1 = special({
  name: "rad2deg",
  gradFn: "Rad2DegBackward0",
  f: (x) => (x * 180) / Math.PI,
  derivative: (grad) => mul(grad, 180 / Math.PI),
});

const Polygamma: Op<{ n: number }> = defineOp({
  name: "polygamma",
  gradFn: "PolygammaBackward0",
  kernels: ["copy"],
  forward(ctx, x: Tensor) {
    ctx.save(x);
    return mapped(x, floatOf(x), (value) => polygammaOf(ctx.attrs.n, value));
  },
  backward: ({ attrs: { n }, saved: [x] }, grad: Tensor) => [mul(grad, polygamma(n + 1, x!))],
});

/** The n-th derivative of digamma. https://docs.pytorch.org/docs/2.13/special.html#torch.special.polygamma */
export const polygamma = checked("polygamma(int n, Tensor input)", (n: number, input: Tensor): Tensor => {
  if (n < 0) throw new RuntimeError("polygamma(n, x) does not support negative n.");
  return call(Polygamma, { n }, input);
});

/** A kernel that exists for floating dtypes only. */
function requireFloat(kernel: string, x: Tensor): void {
  if (x.dtype.isFloatingPoint) return;
  throw new NotImplementedError(`"${kernel}" not implemented for '${SCALAR_TYPE_NAMES[x.dtype.name]}'`);
}

const Frac: Op<null> = defineOp({
  name: "frac",
  gradFn: "FracBackward0",
  kernels: ["unary", "binary"],
  forward(_, x: Tensor) {
    requireFloat("frac_cpu", x);
    return sub(x.detach(), trunc(x.detach()));
  },
  backward: (_, grad: Tensor) => [grad],
});

/** What is left of x without its whole part; it keeps x's sign. */
export const frac = checked("frac(Tensor input)", (input: Tensor): Tensor => {
  return call(Frac, null, input);
});

const Sgn: Op<null> = defineOp({
  name: "sgn",
  gradFn: "SgnBackward0",
  kernels: ["unary"],
  forward: (_, x: Tensor) => x.detach().sign(),
  backward: (_, grad: Tensor) => [mul(grad, 0)],
});

/** -1, 0 or 1: for real numbers the same as sign. */
export const sgn = checked("sgn(Tensor input)", (input: Tensor): Tensor => {
  return call(Sgn, null, input);
});

const Logit: Op<{ eps: number | null }> = defineOp({
  name: "logit",
  gradFn: "LogitBackward0",
  kernels: ["copy"],
  forward(ctx, x: Tensor) {
    const { eps } = ctx.attrs;
    ctx.save(x);
    return mapped(x, floatOf(x), (value) => {
      const p = eps === null ? value : Math.min(Math.max(value, eps), 1 - eps);
      return Math.log(p / (1 - p));
    });
  },
  backward({ attrs: { eps }, saved: [x] }, grad: Tensor) {
    const slope = div(grad, mul(x!, sub(1, x!)));
    const [low, high, outside] = eps === null ? [0, 1, Number.NaN] : [eps, 1 - eps, 0];
    return [where(logicalAnd(ge(x!, low), le(x!, high)), slope, outside)];
  },
});

/** log(x / (1 - x)), the inverse of sigmoid; with eps x is first limited to [eps, 1 - eps]. */
export function logit(input: Tensor, eps?: number | null | { eps?: number | null }): Tensor;
export function logit(...args: unknown[]): Tensor {
  const { input, eps = null } = bind<{ input: Tensor; eps?: number | null }>("logit", ["!input", "eps"], args);
  assertTensor(input, "logit", "input", 1);
  return call(Logit, { eps }, input);
}

export interface NanToNumOptions {
  /** What NaN becomes. Default 0. */
  nan?: number | null;
  /** What infinity becomes. Default the largest number of the dtype. */
  posinf?: number | null;
  /** What -infinity becomes. Default the smallest number of the dtype. */
  neginf?: number | null;
}

const LARGEST = { float32: 3.4028234663852886e38, float64: Number.MAX_VALUE } as const;

const NanToNum: Op<Required<NanToNumOptions>> = defineOp({
  name: "nan_to_num",
  gradFn: "NanToNumBackward0",
  kernels: ["copy"],
  forward(ctx, x: Tensor) {
    ctx.save(x);
    if (!x.dtype.isFloatingPoint) return copyInOrder(x);
    const most = LARGEST[x.dtype.name as keyof typeof LARGEST];
    const { nan, posinf, neginf } = ctx.attrs;
    return mapped(x, x.dtype, (value) => {
      if (Number.isNaN(value)) return nan ?? 0;
      if (value === Infinity) return posinf ?? most;
      return value === -Infinity ? (neginf ?? -most) : value;
    });
  },
  backward: ({ saved: [x] }, grad: Tensor) => [mul(grad, isfinite(x!))],
});

/** NaN and the infinities as numbers. https://docs.pytorch.org/docs/2.13/generated/torch.nan_to_num.html */
export function nanToNum(input: Tensor, nan?: number | null | NanToNumOptions, options?: NanToNumOptions): Tensor;
export function nanToNum(...args: unknown[]): Tensor {
  const {
    input,
    nan = null,
    posinf = null,
    neginf = null,
  } = bind<{ input: Tensor } & NanToNumOptions>("nan_to_num", ["!input", "nan", "posinf", "neginf"], args);
  assertTensor(input, "nan_to_num", "input", 1);
  return call(NanToNum, { nan, posinf, neginf }, input);
}

function test(name: string, f: (value: number) => boolean): Function1 {
  return (input) => {
    assertTensor(input, name, "input", 1);
    const out = copyInOrder(input, input.dtype);
    const flags = copyInOrder(input, bool);
    out.storage.data.forEach((value, i) => {
      flags.storage.data[i] = Number(f(value));
    });
    return flags;
  };
}

/** True where the sign is negative, -0 included. */
export const signbit: Function1 = test("signbit", (x) => x < 0 || Object.is(x, -0));
/** True where the element is +infinity. */
export const isposinf: Function1 = test("isposinf", (x) => x === Infinity);
/** True where the element is -infinity. */
export const isneginf: Function1 = test("isneginf", (x) => x === -Infinity);
/** True everywhere: no number here is complex. */
export const isreal: Function1 = test("isreal", () => true);

/** The tensor itself. @throws RuntimeError for bool */
export const positive = checked("positive(Tensor input)", (input: Tensor): Tensor => {
  if (input.dtype === bool) throw new RuntimeError("The `+` operator, on a bool tensor is not supported.");
  return input;
});

const table = {
  exp2,
  erfc,
  erfinv,
  lgamma,
  digamma,
  asinh,
  acosh,
  atanh,
  sinc,
  deg2rad,
  rad2deg,
  frac,
  sgn,
  logit,
  nanToNum,
  signbit,
  isposinf,
  isneginf,
  isreal,
  positive,
  absolute: abs,
  arcsinh: asinh,
  arccosh: acosh,
  arctanh: atanh,
  fix: trunc,
};

methods({ ...table, polygamma: (self, n: number) => polygamma(n, self) });

export { abs as absolute, acosh as arccosh, asinh as arcsinh, atanh as arctanh, trunc as fix };

declare module "../core/tensor.ts" {
  interface Tensor {
    /** 2^x. */
    exp2: Method<Function1>;
    /** 1 - erf(x). */
    erfc: Method<Function1>;
    /** The inverse of erf. */
    erfinv: Method<Function1>;
    /** log |Γ(x)|. */
    lgamma: Method<Function1>;
    digamma: Method<Function1>;
    /** The n-th derivative of digamma. */
    polygamma(n: number): Tensor;
    asinh: Method<Function1>;
    acosh: Method<Function1>;
    atanh: Method<Function1>;
    arcsinh: Method<Function1>;
    arccosh: Method<Function1>;
    arctanh: Method<Function1>;
    /** sin(πx) / (πx). */
    sinc: Method<Function1>;
    deg2rad: Method<Function1>;
    rad2deg: Method<Function1>;
    /** x without its whole part. */
    frac: Method<Function1>;
    sgn: Method<Function1>;
    /** log(x / (1 - x)). */
    logit: Method<typeof logit>;
    /** NaN and the infinities as numbers. */
    nanToNum: Method<typeof nanToNum>;
    /** True where the sign is negative. */
    signbit: Method<Function1>;
    isposinf: Method<Function1>;
    isneginf: Method<Function1>;
    isreal: Method<Function1>;
    positive: Method<Function1>;
    absolute: Method<Function1>;
    fix: Method<Function1>;
  }
}
