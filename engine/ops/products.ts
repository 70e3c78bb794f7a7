/** Running products, hypotenuses, and batched products added to something. */
import { kernels } from "../backends/index.ts";
import { bind } from "../core/arguments.ts";
import type { DType } from "../core/dtype.ts";
import { NotImplementedError } from "../core/errors.ts";
import { resultType, SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { normalizeDim, numel } from "../core/shape.ts";
import { checked } from "../core/signature.ts";
import { assertTensor, Tensor } from "../core/tensor.ts";
import { add, div, mul, where } from "./arithmetic.ts";
import { eq } from "./comparison.ts";
import { flip } from "./gathering.ts";
import { bmm, factorFor, refuseBool } from "./matmul.ts";
import { castRaw, denseRaw, sumDtype, viewAs } from "./operands.ts";
import { sqrt } from "./pointwise.ts";
import { sum } from "./reduce.ts";
import { call, defineOp, type Method, methods, type Op } from "./registry.ts";
import { type CumulativeOptions, converted, cumsum } from "./statistics.ts";
import { expand, transpose } from "./view.ts";

const Cumprod: Op<{ dim: number; dtype: DType | null }> = defineOp({
  name: "cumprod",
  gradFn: "CumprodBackward0",
  kernels: ["cumulative"],
  forward(ctx, x: Tensor) {
    const { dim, dtype } = ctx.attrs;
    const dense = denseRaw(castRaw(x, dtype ?? sumDtype(x)));
    const out = Tensor.empty(x.shape, dense.dtype);
    const shape = [numel(x.shape.slice(0, dim)), x.shape[dim] ?? 1, numel(x.shape.slice(dim + 1))];
    kernels.cumulative("cumprod", viewAs(dense, shape), viewAs(out, shape));
    ctx.save(x, out);
    return out;
  },
  backward({ attrs: { dim }, saved: [x, out] }, grad: Tensor) {
    if (grad.ndim === 0) return [grad];
    const reversed = (g: Tensor) => flip(cumsum(flip(g, dim), dim), dim);
    if (!x!.denseData().some((v) => v === 0)) return [div(reversed(mul(grad, out!)), x!)];
    // Where a factor is 0 it cannot be divided out: the product of the others, factor by factor.
    const n = x!.shape[dim]!;
    const parts = Array.from({ length: n }, (_, k) => {
      const at = Tensor.empty(
        x!.shape.map((_, d) => (d === dim ? n : 1)),
        x!.dtype,
      );
      at.storage.data[k] = 1;
      const others = cumprod(where(eq(at, 1), 1, x!), dim);
      const after = cumsum(at, dim);
      return mul(at, sum(mul(mul(grad, others), after), dim, { keepdim: true }));
    });
    return [parts.reduce((a, b) => add(a, b))];
  },
});

/** Running product along a dimension. https://docs.pytorch.org/docs/2.13/generated/torch.cumprod.html */
export function cumprod(input: Tensor, dim: number, options?: CumulativeOptions): Tensor;
export function cumprod(...args: unknown[]): Tensor {
  const { input, dim, dtype } = bind<{ input: Tensor; dim: number } & CumulativeOptions>(
    "cumprod",
    ["!input", "!dim: int", "*", "dtype"],
    args,
  );
  assertTensor(input, "cumprod", "input", 1);
  return call(Cumprod, { dim: normalizeDim(dim, input.ndim), dtype: dtype ?? null }, converted(input, dtype));
}

const Hypot: Op<null> = defineOp({
  name: "hypot",
  gradFn: "HypotBackward0",
  kernels: ["unary", "binary", "where"],
  forward(ctx, a: Tensor, b: Tensor) {
    const dtype = resultType(a, b);
    if (!dtype.isFloatingPoint) {
      throw new NotImplementedError(`"hypot_cpu" not implemented for '${SCALAR_TYPE_NAMES[dtype.name]}'`);
    }
    const [x, y] = [castRaw(a.detach(), dtype).abs(), castRaw(b.detach(), dtype).abs()];
    const [long, short] = [x.maximum(y), x.minimum(y)];
    // Divided by the longer side first, so that squares neither overflow nor vanish.
    const ratio = where(eq(long, short), 1, div(short, where(eq(long, 0), 1, long)));
    const out = mul(long, sqrt(add(mul(ratio, ratio), 1)));
    const result = where(x.isinf().logicalOr(y.isinf()), Number.POSITIVE_INFINITY, out);
    ctx.save(a, b, result);
    return result;
  },
  backward: ({ saved: [a, b, out] }, grad: Tensor) => [mul(grad, div(a!, out!)), mul(grad, div(b!, out!))],
});

/** √(input² + other²), element by element. https://docs.pytorch.org/docs/2.13/generated/torch.hypot.html */
export const hypot = checked("hypot(Tensor input, Tensor other)", (input: Tensor, other: Tensor): Tensor => {
  return call(Hypot, null, input, other);
});

interface BaddbmmAttrs {
  beta: number;
  alpha: number;
}

const Baddbmm: Op<BaddbmmAttrs> = defineOp({
  name: "baddbmm",
  gradFn: "BaddbmmBackward0",
  kernels: ["matmul", "binary"],
  forward(ctx, input: Tensor, a: Tensor, b: Tensor) {
    const { beta, alpha } = ctx.attrs;
    ctx.save(ctx.needs[2] ? a : null, ctx.needs[1] ? b : null);
    const product = mul(bmm(a.detach(), b.detach()), alpha);
    return beta === 0 ? product : add(product, expand(input.detach(), product.shape), { alpha: beta });
  },
  backward({ attrs: { beta, alpha }, saved: [a, b] }, grad: Tensor) {
    return [
      mul(grad, beta),
      b ? mul(bmm(grad, transpose(b, 1, 2)), alpha) : null,
      a ? mul(bmm(transpose(a, 1, 2), grad), alpha) : null,
    ];
  },
});

/** beta · input + alpha · (batch1 · batch2). https://docs.pytorch.org/docs/2.13/generated/torch.baddbmm.html */
export function baddbmm(
  input: Tensor,
  batch1: Tensor,
  batch2: Tensor,
  options?: { beta?: number; alpha?: number },
): Tensor;
export function baddbmm(...args: unknown[]): Tensor {
  const {
    input,
    batch1,
    batch2,
    beta = 1,
    alpha = 1,
  } = bind<{ input: Tensor; batch1: Tensor; batch2: Tensor; beta?: number; alpha?: number }>(
    "baddbmm",
    ["!input", "!batch1", "!batch2", "*", "beta", "alpha"],
    args,
  );
  refuseBool("baddbmm", batch1, batch1.numel() * batch2.shape[2]!);
  return call(Baddbmm, { beta: factorFor(input, beta), alpha: factorFor(input, alpha) }, input, batch1, batch2);
}

methods({ cumprod, hypot, baddbmm });

declare module "../core/tensor.ts" {
  interface Tensor {
    /** Running product along a dimension. */
    cumprod: Method<typeof cumprod>;
    hypot: Method<typeof hypot>;
    baddbmm: Method<typeof baddbmm>;
  }
}
