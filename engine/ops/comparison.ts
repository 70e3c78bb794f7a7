/** Comparisons and logic: element by element, results are bool tensors. */
import type { BinaryOp } from "../backends/backend.ts";
import { bool } from "../core/dtype.ts";
import { RuntimeError } from "../core/errors.ts";
import { SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { checked } from "../core/signature.ts";
import type { Tensor } from "../core/tensor.ts";
import { asOperand, comparison, type Operand, unary } from "./operands.ts";
import { call, defineOp, type Method, methods, type Op } from "./registry.ts";

type Compare = (input: Operand, other: Operand) => Tensor;

function compare(name: BinaryOp): Compare {
  const op: Op<null> = defineOp({
    name,
    gradFn: "NotImplemented",
    kernels: ["binary"],
    forward: (_, a: Tensor, b: Tensor) => comparison(name, a, b),
  });
  return checked(`${name}(Operand input, Operand other)`, (input: Operand, other: Operand) =>
    call(op, null, asOperand(input, name, "input", 1), asOperand(other, name, "other", 2)),
  );
}

type Logic = (input: Tensor, other: Tensor) => Tensor;

/** As `compare`, without numbers. */
function compareTensors(name: BinaryOp): Logic {
  const run = compare(name);
  return checked(`${name}(Tensor input, Tensor other)`, run);
}

/** input == other, element by element. */
export const eq: Compare = compare("eq");
/** input != other, element by element. */
export const ne: Compare = compare("ne");
/** input < other, element by element. */
export const lt: Compare = compare("lt");
/** input <= other, element by element. */
export const le: Compare = compare("le");
/** input > other, element by element. */
export const gt: Compare = compare("gt");
/** input >= other, element by element. */
export const ge: Compare = compare("ge");
/** Both are nonzero. */
export const logicalAnd: Logic = compareTensors("logical_and");
/** One of both is nonzero. */
export const logicalOr: Logic = compareTensors("logical_or");
/** Exactly one of both is nonzero. */
export const logicalXor: Logic = compareTensors("logical_xor");

function test(name: "logical_not" | "isnan" | "isinf" | "isfinite"): (input: Tensor) => Tensor {
  const op: Op<null> = defineOp({
    name,
    gradFn: "NotImplemented",
    kernels: ["unary"],
    forward: (_, x: Tensor) => unary(name, x, bool),
  });
  return checked(`${name}(Tensor input)`, (input: Tensor) => call(op, null, input));
}

/** True where the element is zero. */
export const logicalNot: (input: Tensor) => Tensor = test("logical_not");
/** True where the element is NaN. */
export const isnan: (input: Tensor) => Tensor = test("isnan");
/** True where the element is an infinity. */
export const isinf: (input: Tensor) => Tensor = test("isinf");
/** True where the element is neither NaN nor an infinity. */
export const isfinite: (input: Tensor) => Tensor = test("isfinite");

/** True when both have the same shape and elements. */
export const equal = checked("equal(Tensor input, Tensor other)", (input: Tensor, other: Tensor): boolean => {
  if (input.shape.length !== other.shape.length || input.shape.some((size, i) => size !== other.shape[i])) return false;
  return comparison("ne", input, other)
    .denseData()
    .every((differs) => differs === 0);
});

export interface CloseOptions {
  /** Default 1e-5. */
  rtol?: number;
  /** Default 1e-8. */
  atol?: number;
  /** Whether NaN equals NaN. Default false. */
  equalNan?: boolean;
}

/**
 * True where |input - other| <= atol + rtol · |other|; integers have to be equal. Both broadcast.
 * https://docs.pytorch.org/docs/2.13/generated/torch.isclose.html
 * @throws RuntimeError for two dtypes, or a negative tolerance
 */
export const isclose = checked<(input: Tensor, other: Tensor, options?: CloseOptions) => Tensor>(
  "isclose(Tensor input, Tensor other, float rtol?, float atol?, bool equal_nan?)",
  (input: Tensor, other: Tensor, rtol: number = 1e-5, atol: number = 1e-8, equalNan: boolean = false): Tensor => {
    return closeAs(input, other, { rtol, atol, equalNan });
  },
);

function closeAs(a: Tensor, b: Tensor, { rtol, atol, equalNan }: Required<CloseOptions>): Tensor {
  if (a.dtype !== b.dtype) {
    throw new RuntimeError(`${SCALAR_TYPE_NAMES[a.dtype.name]} did not match ${SCALAR_TYPE_NAMES[b.dtype.name]}`);
  }
  for (const [tolerance, value] of [
    ["rtol", rtol],
    ["atol", atol],
  ] as const) {
    if (value < 0) throw new RuntimeError(`${tolerance} must be greater than or equal to zero, but got ${value}`);
  }
  const same = eq(a, b);
  if (!a.dtype.isFloatingPoint) return same;
  const both = equalNan ? logicalOr(same, logicalAnd(isnan(a), isnan(b))) : same;
  const [x, y] = [a.detach(), b.detach()];
  const difference = x.sub(y).abs();
  const allowed = y.mul(rtol).abs().add(atol);
  return logicalOr(both, logicalAnd(le(difference, allowed), isfinite(difference)));
}

/** True when |input - other| <= atol + rtol · |other| everywhere, after broadcasting. */
export const allclose = checked<(input: Tensor, other: Tensor, options?: CloseOptions) => boolean>(
  "allclose(Tensor input, Tensor other, float rtol?, float atol?, bool equal_nan?)",
  (input: Tensor, other: Tensor, rtol: number = 1e-5, atol: number = 1e-8, equalNan: boolean = false): boolean => {
    return closeAs(input, other, { rtol, atol, equalNan })
      .denseData()
      .every((ok) => ok === 1);
  },
);

methods({
  eq,
  ne,
  lt,
  le,
  gt,
  ge,
  greater: gt,
  less: lt,
  logicalAnd,
  logicalOr,
  logicalXor,
  logicalNot,
  isnan,
  isinf,
  isfinite,
  equal,
  isclose,
  allclose,
});

declare module "../core/tensor.ts" {
  interface Tensor {
    /** this == other, element by element. */
    eq: Method<Compare>;
    /** this != other, element by element. */
    ne: Method<Compare>;
    /** this < other, element by element. */
    lt: Method<Compare>;
    /** this <= other, element by element. */
    le: Method<Compare>;
    /** this > other, element by element. */
    gt: Method<Compare>;
    /** this >= other, element by element. */
    ge: Method<Compare>;
    greater: Method<Compare>;
    less: Method<Compare>;
    logicalAnd: Method<Logic>;
    logicalOr: Method<Logic>;
    logicalXor: Method<Logic>;
    /** True where an element is zero. */
    logicalNot(): Tensor;
    /** True where an element is NaN. */
    isnan(): Tensor;
    /** True where an element is infinite. */
    isinf(): Tensor;
    /** True where an element is neither NaN nor infinite. */
    isfinite(): Tensor;
    /** True when both have the same shape and elements. */
    equal(other: Tensor): boolean;
    /** True where both are equal within tolerances. */
    isclose(other: Tensor, options?: CloseOptions): Tensor;
    /** True when both are equal within tolerances. */
    allclose(other: Tensor, options?: CloseOptions): boolean;
  }
}
