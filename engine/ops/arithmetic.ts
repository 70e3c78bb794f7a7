/** Arithmetic between tensors and numbers: element by element, with broadcasting and promotion. */

import type { Context } from "../autograd/node.ts";
import { bind } from "../core/arguments.ts";
import type { DType } from "../core/dtype.ts";
import { NotImplementedError, RuntimeError } from "../core/errors.ts";
import { getDefaultDtype, resultType } from "../core/promotion.ts";
import { checked } from "../core/signature.ts";
import { assertTensor, type Tensor } from "../core/tensor.ts";
import { where } from "./choosing.ts";
import { eq, ge } from "./comparison.ts";
import { asOperand, binary, type Operand, unary, unaryFloat } from "./operands.ts";
import { call, defineOp, type Method, methods, type Op } from "./registry.ts";

export { type ClampOptions, clamp, maximum, minimum, where } from "./choosing.ts";

interface AlphaAttrs {
  alpha: number | boolean;
}

const Add: Op<AlphaAttrs> = defineOp({
  name: "add",
  gradFn: "AddBackward0",
  kernels: ["binary"],
  forward: ({ attrs }, a: Tensor, b: Tensor) => combined("add", a, b, attrs.alpha),
  backward: ({ attrs }, grad: Tensor) => [grad, Number(attrs.alpha) === 1 ? grad : mul(grad, attrs.alpha)],
});

function subtractRaw(a: Tensor, b: Tensor, alpha: number | boolean): Tensor {
  if (a.dtype.name === "bool" && b.dtype.name === "bool") {
    throw new RuntimeError(
      "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead.",
    );
  }
  if (a.dtype.name === "bool" || b.dtype.name === "bool") {
    throw new RuntimeError(
      "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead.",
    );
  }
  return combined("sub", a, b, alpha);
}

const Sub: Op<AlphaAttrs> = defineOp({
  name: "sub",
  gradFn: "SubBackward0",
  kernels: ["binary"],
  forward: ({ attrs }, a: Tensor, b: Tensor) => subtractRaw(a, b, attrs.alpha),
  backward: ({ attrs }, grad: Tensor) => [grad, mul(grad, -Number(attrs.alpha))],
});

const Rsub: Op<AlphaAttrs & { fromNumber: boolean }> = defineOp({
  name: "rsub",
  gradFn: ({ fromNumber }) => (fromNumber ? "RsubBackward1" : "RsubBackward0"),
  unlisted: ({ fromNumber }) => (fromNumber ? [1] : []),
  kernels: ["binary"],
  forward: ({ attrs }, a: Tensor, b: Tensor) => subtractRaw(b, a, attrs.alpha),
  backward: ({ attrs }, grad: Tensor) => [mul(grad, -Number(attrs.alpha)), grad],
});

const Mul: Op<null> = defineOp({
  name: "mul",
  gradFn: "MulBackward0",
  kernels: ["binary"],
  forward(ctx, a: Tensor, b: Tensor) {
    // Each side is needed for the other's gradient only.
    ctx.save(ctx.needs[1] ? a : null, ctx.needs[0] ? b : null);
    return binary("mul", a, b);
  },
  backward(ctx, grad: Tensor) {
    const [a, b] = ctx.saved;
    return [b ? mul(grad, b) : null, a ? mul(grad, a) : null];
  },
});

const Div: Op<null> = defineOp({
  name: "div",
  gradFn: "DivBackward0",
  kernels: ["binary"],
  forward(ctx, a: Tensor, b: Tensor) {
    ctx.save(ctx.needs[1] ? a : null, b);
    return binary("div", a, b, { compute: floatResult(a, b) });
  },
  backward(ctx, grad: Tensor) {
    const [a, b] = ctx.saved;
    return [ctx.needs[0] ? div(grad, b!) : null, a ? neg(mul(grad, div(div(a, b!), b!))) : null];
  },
});

interface RoundingAttrs {
  roundingMode: "trunc" | "floor" | null;
}

const DivRounded: Op<RoundingAttrs> = defineOp({
  name: "div.rounding_mode",
  gradFn: "DivBackward2",
  kernels: ["binary", "unary"],
  forward(ctx, a: Tensor, b: Tensor) {
    const { roundingMode } = ctx.attrs;
    if (roundingMode === null) return Div.forward(ctx as unknown as Context<null>, a, b);
    const dtype = resultType(a, b);
    // The derivative is zero, but PyTorch's node keeps the divisor and runs only once.
    ctx.save(null);
    if (roundingMode === "floor") {
      refuseBool("div_floor_cpu", dtype);
      return binary("floor_divide", a, b);
    }
    refuseBool("div_trunc_cpu", dtype);
    if (dtype.isFloatingPoint) return unary("trunc", binary("div", a, b));
    // Integers: the quotient towards zero is (a - fmod(a, b)) / b.
    return binary("floor_divide", binary("sub", a, binary("fmod", a, b)), b);
  },
  backward: (ctx, grad: Tensor) =>
    ctx.attrs.roundingMode === null
      ? Div.backward!(ctx as unknown as Context<null>, grad)
      : [mul(grad, 0), mul(grad, 0)],
});

/** Some kernels exist for numbers only. */
function refuseBool(kernel: string, dtype: DType): void {
  if (dtype.name === "bool") throw new NotImplementedError(`"${kernel}" not implemented for 'Bool'`);
}

interface ByNumber {
  /** PyTorch names the node differently where the divisor is a number. */
  byNumber: boolean;
}

const FloorDivide: Op<null> = defineOp({
  name: "floor_divide",
  gradFn: "NotImplemented",
  kernels: ["binary"],
  forward(_, a: Tensor, b: Tensor) {
    refuseBool("div_floor_cpu", resultType(a, b));
    return binary("floor_divide", a, b);
  },
  backward() {
    throw new RuntimeError("derivative for aten::floor_divide is not implemented");
  },
});

const Remainder: Op<ByNumber> = defineOp({
  name: "remainder",
  gradFn: ({ byNumber }) => (byNumber ? "RemainderBackward0" : "RemainderBackward1"),
  unlisted: ({ byNumber }) => (byNumber ? [1] : []),
  kernels: ["binary"],
  forward(ctx, a: Tensor, b: Tensor) {
    refuseBool("remainder_cpu", resultType(a, b));
    if (!ctx.attrs.byNumber) ctx.save(a, b);
    return binary("remainder", a, b);
  },
  backward(ctx, grad: Tensor) {
    const [a, b] = ctx.saved;
    return [grad, ctx.needs[1] ? neg(mul(grad, div(a!, b!, { roundingMode: "floor" }))) : null];
  },
});

const Fmod: Op<ByNumber> = defineOp({
  name: "fmod",
  gradFn: ({ byNumber }) => (byNumber ? "FmodBackward0" : "FmodBackward1"),
  unlisted: ({ byNumber }) => (byNumber ? [1] : []),
  kernels: ["binary"],
  forward(ctx, a: Tensor, b: Tensor) {
    refuseBool("fmod_cpu", resultType(a, b));
    if (!ctx.attrs.byNumber) ctx.save(a, b);
    return binary("fmod", a, b);
  },
  backward(ctx, grad: Tensor) {
    const [a, b] = ctx.saved;
    return [grad, ctx.needs[1] ? neg(mul(grad, div(a!, b!, { roundingMode: "trunc" }))) : null];
  },
});

const Pow: Op<{ scalar: "exponent" | "base" | null }> = defineOp({
  name: "pow",
  gradFn: ({ scalar }) =>
    scalar === "exponent" ? "PowBackward0" : scalar === "base" ? "PowBackward2" : "PowBackward1",
  unlisted: ({ scalar }) => (scalar === "exponent" ? [1] : scalar === "base" ? [0] : []),
  kernels: ["binary"],
  forward(ctx, base: Tensor, exponent: Tensor) {
    const dtype = resultType(base, exponent);
    if (!exponent.isWrappedNumber) refuseBool("pow", dtype);
    if (!dtype.isFloatingPoint && exponent.isWrappedNumber && exponent.item() < 0) {
      throw new RuntimeError("Integers to negative integer powers are not allowed.", {
        hint: "make the base floating first: x.to(torch.float32)",
      });
    }
    const out = binary("pow", base, exponent);
    ctx.save(base, exponent, ctx.needs[1] ? out : null);
    return out;
  },
  backward(ctx, grad: Tensor) {
    const [base, exponent, out] = ctx.saved;
    const baseGrad = () => {
      const zero = eq(exponent!, 0);
      if (ctx.attrs.scalar !== "exponent") {
        return where(zero, 0, mul(grad, mul(exponent!, pow(base!, sub(exponent!, 1)))));
      }
      const power = exponent!.item();
      return power === 0 ? mul(grad, 0) : mul(grad, mul(power, pow(base!, power - 1)));
    };
    // 0^y with y >= 0 is flat in y; log 0 would make it NaN.
    const exponentGrad = () => where(eq(base!, 0).logicalAnd(ge(exponent!, 0)), 0, mul(grad, mul(out!, logOf(base!))));
    return [ctx.needs[0] ? baseGrad() : null, ctx.needs[1] ? exponentGrad() : null];
  },
});

const Log: Op<null> = defineOp({
  name: "log",
  gradFn: "LogBackward0",
  kernels: ["unary"],
  forward(ctx, x: Tensor) {
    ctx.save(x);
    return unaryFloat("log", x);
  },
  backward(ctx, grad: Tensor) {
    return [div(grad, ctx.saved[0]!)];
  },
});

const Neg: Op<null> = defineOp({
  name: "neg",
  gradFn: "NegBackward0",
  kernels: ["unary"],
  forward(_, x: Tensor) {
    if (x.dtype.name === "bool") {
      throw new RuntimeError(
        "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead.",
      );
    }
    return unary("neg", x);
  },
  backward: (_, grad: Tensor) => [neg(grad)],
});

function floatResult(a: Tensor, b: Tensor): DType {
  const dtype = resultType(a, b);
  return dtype.isFloatingPoint ? dtype : getDefaultDtype();
}

/** alpha · x in the dtype of the result with `beside`. */
function scaled(x: Tensor, alpha: number | boolean, beside: Tensor): Tensor {
  const compute = resultType(x, beside);
  if (typeof alpha === "boolean" && compute.name !== "bool") {
    throw new RuntimeError("Boolean alpha only supported for Boolean results.");
  }
  if (!compute.isFloatingPoint && !Number.isInteger(Number(alpha))) {
    throw new RuntimeError("For integral input tensors, argument alpha must not be a floating point number.");
  }
  return alpha === 1 ? x : binary("mul", x, asOperand(alpha, "mul", "other", 2), { compute });
}

/** a plus or minus alpha · b. */
function combined(op: "add" | "sub", a: Tensor, b: Tensor, alpha: number | boolean): Tensor {
  const operand = scaled(b, alpha, a);
  const out = binary(op, a, operand);
  if (operand !== b) operand.storage.release();
  return out;
}

export interface AlphaOptions {
  /** Factor of `other`. Default 1. */
  alpha?: number | boolean;
}

function withAlpha(name: string, args: unknown[]): { input: Tensor; other: Tensor; alpha: number | boolean } {
  const {
    input,
    other,
    alpha = 1,
  } = bind<{ input: unknown; other: unknown; alpha?: number | boolean }>(
    name,
    ["!input", "!other", "*", "alpha"],
    args,
  );
  return { input: asOperand(input, name, "input", 1), other: asOperand(other, name, "other", 2), alpha };
}

function pair(name: string, args: unknown[]): [Tensor, Tensor] {
  const { input, other } = bind<{ input: unknown; other: unknown }>(name, ["!input", "!other"], args);
  return [asOperand(input, name, "input", 1), asOperand(other, name, "other", 2)];
}

/** As `pair`, for the functions that take no numbers. */
export function tensorPair(name: string, args: readonly unknown[]): [Tensor, Tensor] {
  const { input, other } = bind<{ input: unknown; other: unknown }>(name, ["!input", "!other"], args);
  assertTensor(input, name, "input", 1);
  assertTensor(other, name, "other", 2);
  return [input, other];
}

/** input + alpha · other, broadcast. https://docs.pytorch.org/docs/2.13/generated/torch.add.html */
export function add(input: Operand, other: Operand, options?: AlphaOptions): Tensor;
export function add(...args: unknown[]): Tensor {
  const { input, other, alpha } = withAlpha("add", args);
  return call(Add, { alpha }, input, other);
}

/** input - alpha · other, broadcast. https://docs.pytorch.org/docs/2.13/generated/torch.sub.html */
export function sub(input: Operand, other: Operand, options?: AlphaOptions): Tensor;
export function sub(...args: unknown[]): Tensor {
  const { input, other, alpha } = withAlpha("sub", args);
  return call(Sub, { alpha }, input, other);
}

/** other - alpha · input: Python's `2 - x` is `x.rsub(2)`. */
export function rsub(input: Operand, other: Operand, options?: AlphaOptions): Tensor;
export function rsub(...args: unknown[]): Tensor {
  const { input, other, alpha } = withAlpha("rsub", args);
  return call(Rsub, { alpha, fromNumber: other.isWrappedNumber }, input, other);
}

/** input · other element by element, broadcast. https://docs.pytorch.org/docs/2.13/generated/torch.mul.html */
export function mul(input: Operand, other: Operand): Tensor;
export function mul(...args: unknown[]): Tensor {
  return call(Mul, null, ...pair("mul", args));
}

export interface DivOptions {
  /** null: true division, floats even of integers. "trunc" rounds towards zero, "floor" down, both keep integers. */
  roundingMode?: "trunc" | "floor" | null;
}

/** input / other. https://docs.pytorch.org/docs/2.13/generated/torch.div.html */
export function div(input: Operand, other: Operand, options?: DivOptions): Tensor;
export function div(...args: unknown[]): Tensor {
  const bound = bind<{ input: unknown; other: unknown; roundingMode?: string | null }>(
    "div",
    ["!input", "!other", "*", "roundingMode"],
    args,
  );
  const input = asOperand(bound.input, "div", "input", 1);
  const other = asOperand(bound.other, "div", "other", 2);
  const { roundingMode } = bound;
  if (roundingMode === undefined) return call(Div, null, input, other);
  if (roundingMode !== null && roundingMode !== "trunc" && roundingMode !== "floor") {
    throw new RuntimeError(
      `div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '${roundingMode}'`,
    );
  }
  return call(DivRounded, { roundingMode }, input, other);
}

/** Quotient rounded down; integers stay integers. @throws RuntimeError for an integer division by zero. */
export function floorDivide(input: Operand, other: Operand): Tensor;
export function floorDivide(...args: unknown[]): Tensor {
  return call(FloorDivide, null, ...pair("floor_divide", args));
}

/** Python's `%`: the remainder has the sign of `other`. */
export function remainder(input: Operand, other: Operand): Tensor;
export function remainder(...args: unknown[]): Tensor {
  const [input, other] = pair("remainder", args);
  return call(Remainder, { byNumber: other.isWrappedNumber }, input, other);
}

/** C's remainder: it has the sign of `input`. */
export function fmod(input: Operand, other: Operand): Tensor;
export function fmod(...args: unknown[]): Tensor {
  const [input, other] = pair("fmod", args);
  return call(Fmod, { byNumber: other.isWrappedNumber }, input, other);
}

/** input to the power of exponent. https://docs.pytorch.org/docs/2.13/generated/torch.pow.html */
export function pow(input: Operand, exponent: Operand): Tensor;
export function pow(...args: unknown[]): Tensor {
  const bound = bind<{ input: unknown; exponent: unknown }>("pow", ["!input", "!exponent"], args);
  const input = asOperand(bound.input, "pow", "input", 1);
  const exponent = asOperand(bound.exponent, "pow", "exponent", 2);
  const scalar = exponent.isWrappedNumber ? "exponent" : input.isWrappedNumber ? "base" : null;
  return call(Pow, { scalar }, input, exponent);
}

function logOf(x: Tensor): Tensor {
  return call(Log, null, x);
}

/** Natural logarithm, element by element. */
export const log = checked("log(Tensor input)", (input: Tensor): Tensor => {
  return logOf(input);
});

/** -input. @throws RuntimeError for bool. */
export const neg = checked("neg(Tensor input)", (input: Tensor): Tensor => {
  return call(Neg, null, input);
});

methods({
  add,
  sub,
  subtract: sub,
  rsub,
  mul,
  multiply: mul,
  div,
  divide: div,
  trueDivide: div,
  floorDivide,
  remainder,
  fmod,
  pow,
  neg,
  negative: neg,
  log,
});

declare module "../core/tensor.ts" {
  interface Tensor {
    /** this + alpha · other. */
    add: Method<typeof add>;
    /** this - alpha · other. */
    sub: Method<typeof sub>;
    subtract: Method<typeof sub>;
    /** other - alpha · this. */
    rsub: Method<typeof rsub>;
    /** this · other, element by element. */
    mul: Method<typeof mul>;
    multiply: Method<typeof mul>;
    /** this / other. */
    div: Method<typeof div>;
    divide: Method<typeof div>;
    trueDivide: Method<typeof div>;
    /** Quotient rounded down. */
    floorDivide: Method<typeof floorDivide>;
    /** Python's `%`. */
    remainder: Method<typeof remainder>;
    fmod: Method<typeof fmod>;
    /** this to the power of exponent. */
    pow: Method<typeof pow>;
    neg: Method<typeof neg>;
    negative: Method<typeof neg>;
    /** Natural logarithm. */
    log: Method<typeof log>;
  }
}
