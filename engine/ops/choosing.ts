/** Choosing between elements: the larger, the smaller, by a condition, within limits. */
import { bind } from "../core/arguments.ts";
import { bool, uint8 } from "../core/dtype.ts";
import { NotImplementedError, RuntimeError } from "../core/errors.ts";
import { resultType, SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { assertTensor, type Tensor } from "../core/tensor.ts";
import { div, tensorPair } from "./arithmetic.ts";
import { eq, ge, gt, le, logicalAnd, logicalOr, lt } from "./comparison.ts";
import { nonzero } from "./indexing.ts";
import { asOperand, binary, castRaw, type Operand, whereRaw } from "./operands.ts";
import { call, defineOp, type Method, methods, type Op } from "./registry.ts";

/** Where both sides are equal, each gets half of the gradient. */
function extremum(name: "maximum" | "minimum", gradFn: string, wins: typeof gt, loses: typeof gt) {
  return defineOp<null>({
    name,
    gradFn,
    kernels: ["binary"],
    forward(ctx, a: Tensor, b: Tensor) {
      ctx.save(a, b);
      return binary(name, a, b);
    },
    backward(ctx, grad: Tensor) {
      const [a, b] = ctx.saved;
      const half = () => where(eq(a!, b!), div(grad, 2), grad);
      return [
        ctx.needs[0] ? where(loses(a!, b!), 0, half()) : null,
        ctx.needs[1] ? where(wins(a!, b!), 0, half()) : null,
      ];
    },
  });
}

const Maximum = extremum("maximum", "MaximumBackward0", gt, lt);
const Minimum = extremum("minimum", "MinimumBackward0", lt, gt);

const Where: Op<null> = defineOp({
  name: "where",
  gradFn: "WhereBackward0",
  unlisted: [0],
  kernels: ["where"],
  forward(ctx, condition: Tensor, a: Tensor, b: Tensor) {
    ctx.save(condition);
    return whereRaw(condition, a, b);
  },
  backward(ctx, grad: Tensor) {
    const condition = ctx.saved[0]!;
    return [null, ctx.needs[1] ? where(condition, grad, 0) : null, ctx.needs[2] ? where(condition, 0, grad) : null];
  },
});

interface ClampAttrs {
  /** Limits that are numbers; PyTorch names the node differently for tensors. */
  byNumbers: boolean;
}

const Clamp: Op<ClampAttrs> = defineOp({
  name: "clamp",
  gradFn: ({ byNumbers }) => (byNumbers ? "ClampBackward1" : "ClampBackward0"),
  unlisted: ({ byNumbers }) => (byNumbers ? [1, 2] : []),
  kernels: ["binary"],
  forward(ctx, x: Tensor, min: Tensor | null, max: Tensor | null) {
    ctx.save(x, min, max);
    const dtype = resultType(...[x, min, max].filter((t) => t !== null));
    if (dtype === bool && ctx.attrs.byNumbers) {
      throw new NotImplementedError(`"clamp_scalar_cpu" not implemented for 'Bool'`);
    }
    let out = castRaw(x, dtype);
    if (min) out = binary("maximum", out, min, { compute: dtype });
    if (max) out = binary("minimum", out, max, { compute: dtype });
    return out;
  },
  backward({ needs, saved }, grad: Tensor) {
    const [x, min, max] = saved as [Tensor, Tensor | null, Tensor | null];
    const inside = () => {
      const above = min ? where(ge(x, min), grad, 0) : grad;
      return max ? where(le(x, max), above, 0) : above;
    };
    const lower = () => where(max ? logicalAnd(lt(min!, max), lt(x, min!)) : lt(x, min!), grad, 0);
    const upper = () => where(min ? logicalOr(gt(x, max!), lt(max!, min)) : gt(x, max!), grad, 0);
    return [needs[0] ? inside() : null, needs[1] ? lower() : null, needs[2] ? upper() : null];
  },
});

/** The larger of both, element by element; NaN wins. */
export function maximum(input: Tensor, other: Tensor): Tensor;
export function maximum(...args: unknown[]): Tensor {
  return call(Maximum, null, ...tensorPair("maximum", args));
}

/** The smaller of both, element by element; NaN wins. */
export function minimum(input: Tensor, other: Tensor): Tensor;
export function minimum(...args: unknown[]): Tensor {
  return call(Minimum, null, ...tensorPair("minimum", args));
}

/**
 * `input` where condition holds, else `other`; all three broadcast. With the condition alone, the positions where it is
 * not zero: one vector for each dimension. https://docs.pytorch.org/docs/2.13/generated/torch.where.html
 */
export function where(condition: Tensor): Tensor[];
export function where(condition: Tensor, input: Operand, other: Operand): Tensor;
export function where(...args: unknown[]): Tensor | Tensor[] {
  const { condition, input, other } = bind<{ condition: Tensor; input?: Operand; other?: Operand }>(
    "where",
    ["!condition: Tensor", "input: Operand", "other: Operand"],
    args,
  );
  if (input === undefined && other === undefined) return nonzero(condition, { asTuple: true });
  const [a, b] = [asOperand(input, "where", "input", 2), asOperand(other, "where", "other", 3)];
  if (condition.dtype !== bool && condition.dtype !== uint8) {
    throw new RuntimeError(
      `where expected condition to be a boolean tensor, but got a tensor with dtype ${SCALAR_TYPE_NAMES[condition.dtype.name]}`,
    );
  }
  return call(Where, null, condition, a, b);
}

export interface ClampOptions {
  min?: Operand | null;
  max?: Operand | null;
}

/**
 * Limits every element to [min, max], numbers or tensors that broadcast; either bound may be absent.
 * https://docs.pytorch.org/docs/2.13/generated/torch.clamp.html
 */
export function clamp(input: Tensor, min?: Operand | null | ClampOptions, max?: Operand | null | ClampOptions): Tensor;
export function clamp(...args: unknown[]): Tensor {
  const {
    input,
    min = null,
    max = null,
  } = bind<{ input: Tensor } & ClampOptions>("clamp", ["!input", "min", "max"], args);
  assertTensor(input, "clamp", "input", 1);
  if (min === null && max === null) {
    throw new RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None");
  }
  const lower = min === null ? null : asOperand(min, "clamp", "min", 2);
  const upper = max === null ? null : asOperand(max, "clamp", "max", 3);
  const byNumbers = [lower, upper].some((limit) => limit?.isWrappedNumber);
  return call(Clamp, { byNumbers }, input, lower, upper);
}

methods({
  maximum,
  minimum,
  clamp,
  clip: clamp,
  where: (self, condition: Tensor, other: Operand, ...rest: Operand[]) =>
    where(...([condition, self, other, ...rest] as [Tensor, Operand, Operand])),
});

declare module "../core/tensor.ts" {
  interface Tensor {
    /** The larger of both. */
    maximum: Method<typeof maximum>;
    /** The smaller of both. */
    minimum: Method<typeof minimum>;
    /** Limits every element to [min, max]. */
    clamp: Method<typeof clamp>;
    clip: Method<typeof clamp>;
    /** This tensor's elements where condition holds, else `other`'s. */
    where(condition: Tensor, other: Operand): Tensor;
  }
}
