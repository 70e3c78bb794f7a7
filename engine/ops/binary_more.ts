/** Functions of two tensors that are met less often, and tensors mixed by weights. */
import { bind } from "../core/arguments.ts";
import { bool, type DType, float64 } from "../core/dtype.ts";
import { NotImplementedError, RuntimeError } from "../core/errors.ts";
import { CPP_NAMES, getDefaultDtype, resultType, SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { broadcastShapes } from "../core/shape.ts";
import { checked } from "../core/signature.ts";
import { assertTensor, Tensor } from "../core/tensor.ts";
import { add, div, log, mul, neg, pow, sub, tensorPair, where } from "./arithmetic.ts";
import { eq, ge, isnan, le, logicalAnd, logicalOr, lt } from "./comparison.ts";
import { to } from "./copy.ts";
import { asOperand, binary, castRaw, type Operand } from "./operands.ts";
import { sigmoid } from "./pointwise.ts";
import { call, defineOp, type Method, methods, type Op } from "./registry.ts";
import { expand } from "./view.ts";

type Function2 = (input: Tensor, other: Tensor) => Tensor;

/** f of every pair, in `dtype`, broadcast. */
function paired(a: Tensor, b: Tensor, dtype: DType, f: (a: number, b: number) => number): Tensor {
  const shape = broadcastShapes(a.shape, b.shape);
  const out = Tensor.empty(shape, dtype);
  const x = expand(castRaw(a.detach(), dtype), shape).denseData();
  const y = expand(castRaw(b.detach(), dtype), shape).denseData();
  const { data } = out.storage;
  for (let i = 0; i < data.length; i++) data[i] = f(x[i]!, y[i]!);
  return out;
}

function floatOf(a: Tensor, b: Tensor): DType {
  const dtype = resultType(a, b);
  return dtype.isFloatingPoint ? dtype : getDefaultDtype();
}

function noKernel(kernel: string, dtype: DType): NotImplementedError {
  return new NotImplementedError(`"${kernel}" not implemented for '${SCALAR_TYPE_NAMES[dtype.name]}'`);
}

interface ByNumber {
  /** Which side is a number: PyTorch names the node differently then. */
  number: "input" | "other" | null;
}

const BOTH: ByNumber = { number: null };

interface Rule {
  name: string;
  gradFn: string | ((attrs: ByNumber) => string);
  dtype: (a: Tensor, b: Tensor) => DType;
  f: (a: number, b: number) => number;
  derivatives: (grad: Tensor, a: Tensor, b: Tensor, out: Tensor) => [Tensor, Tensor];
}

function defined({ name, gradFn, dtype, f, derivatives }: Rule): Op<ByNumber> {
  return defineOp({
    name,
    gradFn,
    kernels: ["copy"],
    forward(ctx, a: Tensor, b: Tensor) {
      const out = paired(a, b, dtype(a, b), f);
      ctx.save(a, b, out);
      return out;
    },
    backward: ({ saved: [a, b, out] }, grad: Tensor) => derivatives(grad, to(a!, out!.dtype), to(b!, out!.dtype), out!),
  });
}

function ofTensors(rule: Rule): Function2 {
  const op = defined(rule);
  return (...args) => call(op, BOTH, ...tensorPair(rule.name, args));
}

function floatOnly(kernel: string) {
  return (a: Tensor, b: Tensor): DType => {
    const dtype = resultType(a, b);
    if (!dtype.isFloatingPoint) throw noKernel(kernel, dtype);
    return dtype;
  };
}

/** The angle of the point (other, input), in (-π, π]. https://docs.pytorch.org/docs/2.13/generated/torch.atan2.html */
export const atan2: Function2 = ofTensors({
  name: "atan2",
  gradFn: "Atan2Backward0",
  dtype: floatOf,
  f: Math.atan2,
  derivatives(grad, y, x) {
    const size = add(mul(y, y), mul(x, x));
    const scaled = where(eq(size, 0), 0, div(grad, size));
    return [mul(scaled, x), neg(mul(scaled, y))];
  },
});

/** log(e^input + e^other), stable. */
export const logaddexp: Function2 = ofTensors({
  name: "logaddexp",
  gradFn: "LogaddexpBackward0",
  dtype: floatOnly("logaddexp_cpu"),
  f: (a, b) => (a === b && !Number.isFinite(a) ? a : Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)))),
  derivatives: (grad, a, b) => [mul(grad, sigmoid(sub(a, b))), mul(grad, sigmoid(sub(b, a)))],
});

/** log2(2^input + 2^other), stable. */
export const logaddexp2: Function2 = ofTensors({
  name: "logaddexp2",
  gradFn: "Logaddexp2Backward0",
  dtype: floatOnly("logaddexp2_cpu"),
  f: (a, b) => (a === b && !Number.isFinite(a) ? a : Math.max(a, b) + Math.log1p(2 ** -Math.abs(a - b)) / Math.LN2),
  derivatives(grad, a, b) {
    const share = (x: Tensor, y: Tensor) => sigmoid(mul(sub(x, y), Math.LN2));
    return [mul(grad, share(a, b)), mul(grad, share(b, a))];
  },
});

/** The larger of both; a number wins over NaN. */
export const fmax: Function2 = ofTensors({
  name: "fmax",
  gradFn: "FmaxBackward0",
  dtype: resultType,
  f: (a, b) => (Number.isNaN(a) ? b : Number.isNaN(b) ? a : Math.max(a, b)),
  derivatives: (grad, a, b) => {
    const first = logicalOr(ge(a, b), isnan(b));
    return [where(first, grad, 0), where(first, 0, grad)];
  },
});

/** The smaller of both; a number wins over NaN. */
export const fmin: Function2 = ofTensors({
  name: "fmin",
  gradFn: "FminBackward0",
  dtype: resultType,
  f: (a, b) => (Number.isNaN(a) ? b : Number.isNaN(b) ? a : Math.min(a, b)),
  derivatives: (grad, a, b) => {
    const first = logicalOr(le(a, b), isnan(b));
    return [where(first, grad, 0), where(first, 0, grad)];
  },
});

const Xlogy = defined({
  name: "xlogy",
  gradFn: ({ number }) => (number === "input" ? "XlogyBackward1" : number ? "XlogyBackward2" : "XlogyBackward0"),
  dtype: floatOf,
  f: (x, y) => (Number.isNaN(y) ? Number.NaN : x === 0 ? 0 : x * Math.log(y)),
  derivatives(grad, x, y) {
    const none = logicalAnd(eq(x, 0), le(y, 0));
    return [mul(grad, where(none, 0, log(where(none, 1, y)))), mul(grad, div(x, y))];
  },
});

/** input · log(other), 0 where input is 0. */
export const xlogy = checked("xlogy(Operand input, Operand other)", (input: Operand, other: Operand): Tensor => {
  const [a, b] = [asOperand(input, "xlogy", "input", 1), asOperand(other, "xlogy", "other", 2)];
  return call(Xlogy, { number: a.isWrappedNumber ? "input" : b.isWrappedNumber ? "other" : null }, a, b);
});

const Copysign = defined({
  name: "copysign",
  gradFn: ({ number }) => (number ? "CopysignBackward1" : "CopysignBackward0"),
  dtype: floatOf,
  f: (a, b) => (b < 0 || Object.is(b, -0) ? -Math.abs(a) : Math.abs(a)),
  derivatives: (grad, a, _, out) => [where(eq(a, 0), 0, mul(grad, div(out, a))), mul(grad, 0)],
});

/** |input| with the sign of other. */
export const copysign = checked("copysign(Tensor input, Operand other)", (input: Tensor, other: Operand): Tensor => {
  const sign = asOperand(other, "copysign", "other", 2);
  return call(Copysign, { number: sign.isWrappedNumber ? "other" : null }, input, sign);
});

const Heaviside: Op<null> = defineOp({
  name: "heaviside",
  gradFn: "NotImplemented",
  kernels: ["copy"],
  forward(_, x: Tensor, values: Tensor) {
    if (x.dtype !== values.dtype) {
      throw new RuntimeError("heaviside is not yet implemented for tensors with different dtypes.");
    }
    return paired(x, values, x.dtype, (a, b) => (a === 0 ? b : Number(a > 0)));
  },
});

/** 0 below zero, 1 above, `values` at it. */
export const heaviside = checked("heaviside(Tensor input, Tensor values)", (input: Tensor, values: Tensor): Tensor => {
  return call(Heaviside, null, input, values);
});

type Bitwise = "bitwise_and" | "bitwise_or" | "bitwise_xor";

function bitwise(name: Bitwise): (input: Operand, other: Operand) => Tensor {
  return (input, other) => {
    const [a, b] = [asOperand(input, name, "input", 1), asOperand(other, name, "other", 2)];
    const dtype = resultType(a, b);
    if (dtype.isFloatingPoint)
      throw noKernel(`${name.replace("bitwise_", "")}_cpu`.replace(/^(and|or|xor)/, "bitwise_$1"), dtype);
    return binary(name, a, b);
  };
}

/** Bits that both have; for bool the logical and. */
export const bitwiseAnd: (input: Operand, other: Operand) => Tensor = bitwise("bitwise_and");
/** Bits that one of both has. */
export const bitwiseOr: (input: Operand, other: Operand) => Tensor = bitwise("bitwise_or");
/** Bits that exactly one of both has. */
export const bitwiseXor: (input: Operand, other: Operand) => Tensor = bitwise("bitwise_xor");

/** Every bit turned over; for bool the logical not. */
export const bitwiseNot = checked("bitwise_not(Tensor input)", (input: Tensor): Tensor => {
  if (input.dtype.isFloatingPoint) throw noKernel("bitwise_not_cpu", input.dtype);
  if (input.dtype === bool) return input.logicalNot();
  return paired(input, input, input.dtype, (a) => -1 - a);
});

/** input to the power of exponent, always in float64. */
export const floatPower = checked(
  "float_power(Operand input, Operand exponent)",
  (input: Operand, exponent: Operand): Tensor => {
    const [a, b] = [asOperand(input, "float_power", "input", 1), asOperand(exponent, "float_power", "exponent", 2)];
    const double = (x: Tensor): Operand => (x.isWrappedNumber ? x.item() : to(x, float64));
    return pow(double(a), double(b));
  },
);

interface ValueAttrs {
  value: number;
}

const Addcmul: Op<ValueAttrs> = defineOp({
  name: "addcmul",
  gradFn: "AddcmulBackward0",
  kernels: ["binary"],
  forward(ctx, x: Tensor, a: Tensor, b: Tensor) {
    ctx.save(ctx.needs[2] ? a : null, ctx.needs[1] ? b : null);
    const dtype = resultType(x, a, b);
    if (dtype === bool) throw noKernel("addcmul_cpu_out", dtype);
    const alpha = dtype.isFloatingPoint ? ctx.attrs.value : Math.trunc(ctx.attrs.value);
    return add(x.detach(), mul(a.detach(), b.detach()), { alpha });
  },
  backward({ attrs: { value }, saved: [a, b] }, grad: Tensor) {
    return [grad, b ? mul(mul(grad, b), value) : null, a ? mul(mul(grad, a), value) : null];
  },
});

const Addcdiv: Op<ValueAttrs> = defineOp({
  name: "addcdiv",
  gradFn: "AddcdivBackward0",
  kernels: ["binary"],
  forward(ctx, x: Tensor, a: Tensor, b: Tensor) {
    if (!a.dtype.isFloatingPoint && !b.dtype.isFloatingPoint) {
      throw new RuntimeError(
        "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will perform a true division of tensor1 and tensor2. The historic addcdiv behavior can be implemented as (input + value * torch.trunc(tensor1 / tensor2)).to(input.dtype) for integer inputs and as (input + value * tensor1 / tensor2) for float inputs. The future addcdiv behavior is just the latter implementation: (input + value * tensor1 / tensor2), for all dtypes.",
      );
    }
    ctx.save(a, b);
    return add(x.detach(), div(a.detach(), b.detach()), { alpha: ctx.attrs.value });
  },
  backward({ attrs: { value }, saved: [a, b], needs }, grad: Tensor) {
    const scaled = mul(grad, value);
    return [grad, needs[1] ? div(scaled, b!) : null, needs[2] ? neg(mul(scaled, div(a!, mul(b!, b!)))) : null];
  },
});

export interface ValueOptions {
  /** Factor of the product or quotient. Default 1. */
  value?: number;
}

function threeTensors(name: string, args: readonly unknown[]): [ValueAttrs, Tensor, Tensor, Tensor] {
  const {
    input,
    tensor1,
    tensor2,
    value = 1,
  } = bind<{ input: Tensor; tensor1: Tensor; tensor2: Tensor } & ValueOptions>(
    name,
    ["!input", "!tensor1", "!tensor2", "*", "value"],
    args,
  );
  for (const [i, [label, x]] of Object.entries({ input, tensor1, tensor2 }).entries())
    assertTensor(x, name, label, i + 1);
  return [{ value }, input, tensor1, tensor2];
}

/** input + value · tensor1 · tensor2, broadcast. https://docs.pytorch.org/docs/2.13/generated/torch.addcmul.html */
export function addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, options?: ValueOptions): Tensor;
export function addcmul(...args: unknown[]): Tensor {
  return call(Addcmul, ...threeTensors("addcmul", args));
}

/** input + value · tensor1 / tensor2, broadcast. https://docs.pytorch.org/docs/2.13/generated/torch.addcdiv.html */
export function addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, options?: ValueOptions): Tensor;
export function addcdiv(...args: unknown[]): Tensor {
  return call(Addcdiv, ...threeTensors("addcdiv", args));
}

const Lerp: Op<{ byNumber: boolean }> = defineOp({
  name: "lerp",
  gradFn: ({ byNumber }) => (byNumber ? "LerpBackward0" : "LerpBackward1"),
  kernels: ["binary", "where"],
  forward(ctx, start: Tensor, end: Tensor, weight: Tensor) {
    const { byNumber } = ctx.attrs;
    for (const x of byNumber ? [end] : [end, weight]) {
      if (x.dtype === start.dtype) continue;
      const [wanted, found] = [CPP_NAMES[start.dtype.name], CPP_NAMES[x.dtype.name]];
      throw new RuntimeError(`expected dtype ${wanted} for \`${x === end ? "end" : "weight"}\` but got dtype ${found}`);
    }
    if (!start.dtype.isFloatingPoint) throw noKernel(`lerp_kernel_${byNumber ? "scalar" : "tensor"}`, start.dtype);
    ctx.save(start, end, weight);
    const [s, e, w] = [start.detach(), end.detach(), castRaw(weight.detach(), start.dtype)];
    const step = sub(e, s);
    // From the nearer end, so that both are met exactly.
    return where(lt(w.abs(), 0.5), add(s, mul(w, step)), sub(e, mul(step, sub(1, w))));
  },
  backward({ saved: [start, end, weight], needs }, grad: Tensor) {
    return [mul(grad, sub(1, weight!)), mul(grad, weight!), needs[2] ? mul(grad, sub(end!, start!)) : null];
  },
});

/** start + weight · (end - start). https://docs.pytorch.org/docs/2.13/generated/torch.lerp.html */
export function lerp(input: Tensor, end: Tensor, weight: number | Tensor): Tensor;
export function lerp(...args: unknown[]): Tensor {
  const { input, end, weight } = bind<{ input: Tensor; end: Tensor; weight: number | Tensor }>(
    "lerp",
    ["!input", "!end", "!weight"],
    args,
  );
  assertTensor(input, "lerp", "input", 1);
  assertTensor(end, "lerp", "end", 2);
  const factor = asOperand(weight, "lerp", "weight", 3);
  return call(Lerp, { byNumber: factor.isWrappedNumber }, input, end, factor);
}

methods({
  atan2,
  arctan2: atan2,
  logaddexp,
  logaddexp2,
  fmax,
  fmin,
  xlogy,
  copysign,
  heaviside,
  bitwiseAnd,
  bitwiseOr,
  bitwiseXor,
  bitwiseNot,
  floatPower,
  addcmul,
  addcdiv,
  lerp,
});

declare module "../core/tensor.ts" {
  interface Tensor {
    /** The angle of the point (other, this). */
    atan2: Method<Function2>;
    arctan2: Method<Function2>;
    logaddexp: Method<Function2>;
    logaddexp2: Method<Function2>;
    /** The larger of both; a number wins over NaN. */
    fmax: Method<Function2>;
    /** The smaller of both; a number wins over NaN. */
    fmin: Method<Function2>;
    /** this · log(other). */
    xlogy(other: Operand): Tensor;
    copysign: Method<typeof copysign>;
    heaviside: Method<typeof heaviside>;
    /** Bits that both have; bool and integer dtypes. Broadcasts. */
    bitwiseAnd(other: Operand): Tensor;
    /** Bits that either has; bool and integer dtypes. Broadcasts. */
    bitwiseOr(other: Operand): Tensor;
    /** Bits that exactly one has; bool and integer dtypes. Broadcasts. */
    bitwiseXor(other: Operand): Tensor;
    /** Every bit turned over; for bool the logical not. */
    bitwiseNot(): Tensor;
    /** Power in float64, also of integers. */
    floatPower(exponent: Operand): Tensor;
    /** this + value · tensor1 · tensor2. */
    addcmul: Method<typeof addcmul>;
    /** this + value · tensor1 / tensor2. */
    addcdiv: Method<typeof addcdiv>;
    /** this + weight · (end - this). */
    lerp: Method<typeof lerp>;
  }
}
