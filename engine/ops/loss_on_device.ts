/** The losses of class indices where nobody on the CPU may look at the elements: by kernels alone. */

import { kernels } from "../backends/index.ts";
import { CPU } from "../core/device.ts";
import { int64 } from "../core/dtype.ts";
import { Tensor } from "../core/tensor.ts";
import { div, mul, neg, where } from "./arithmetic.ts";
import { ge, logicalAnd, lt, ne } from "./comparison.ts";
import { castRaw, denseRaw, filled, viewAs } from "./operands.ts";
import { callMany, defineOp, type Op } from "./registry.ts";

/** Of every position, each [N, 1, M]. */
export interface TargetsOnDevice {
  /** The class; 0 where it does not count or is none. */
  index: Tensor;
  /** The weight of the class: 0 where ignored, NaN where there is no such class. */
  weights: Tensor;
  /** Whether it counts. */
  counts: Tensor;
}

interface TargetAttrs {
  sizes: readonly [n: number, c: number, m: number];
  ignoreIndex: number;
}

const ClassTargets: Op<TargetAttrs> = defineOp({
  name: "nll_loss_targets",
  gradFn: "NotImplemented",
  kernels: ["binary", "where", "gather"],
  forward({ attrs }, scores: Tensor, target: Tensor, perClass: Tensor | null) {
    const [n, c, m] = attrs.sizes;
    const dense = denseRaw(castRaw(target.detach(), int64));
    const given = new Tensor(dense.storage, [n, 1, m], [m, m, 1], dense.offset);
    const counts = ne(given, attrs.ignoreIndex);
    const exists = logicalAnd(ge(given, 0), lt(given, c));
    const index = where(logicalAnd(counts, exists), given, 0);
    // Whatever the targets are: kernels that read by index want to know.
    const memory = index.device === CPU ? null : index.storage.deviceMemory();
    if (memory) memory.limit = Math.max(0, c - 1);
    let weights = filled([n, 1, m], 1, scores.dtype);
    if (perClass) {
      const row = denseRaw(castRaw(perClass.detach(), scores.dtype));
      weights = Tensor.empty([n, 1, m], scores.dtype);
      kernels.indexSelect(viewAs(row, [1, c, 1]), viewAs(index, [n * m]), viewAs(weights, [1, n * m, 1]));
    }
    return [index, where(counts, where(exists, weights, Number.NaN), 0), counts];
  },
});

/**
 * What `scores` on a device are to be compared with. A class that does not exist gives NaN: the elements would have to be
 * fetched to refuse it.
 */
export function targetsOnDevice(
  scores: Tensor,
  target: Tensor,
  weight: Tensor | null,
  attrs: TargetAttrs,
): TargetsOnDevice {
  const [index, weights, counts] = callMany(ClassTargets, attrs, scores.detach(), target, weight) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  return { index, weights, counts };
}

/** -scores[target] · weight, in the shape `losses`. */
export function lossesOnDevice(
  { index, weights, counts }: TargetsOnDevice,
  scores: Tensor,
  classes: number,
  losses: readonly number[],
): Tensor {
  const [n = 0, , m = 0] = index.shape;
  const picked = Tensor.empty(index.shape, scores.dtype);
  kernels.gather(viewAs(denseRaw(scores.detach()), [n, classes, m]), index.kernelView, picked.kernelView);
  // Not by the weight alone: 0 · -Infinity is NaN.
  const loss = where(counts, neg(mul(picked, weights)), 0);
  return new Tensor(loss.storage, losses);
}

/** The gradient of `lossesOnDevice` in the shape `layout`, divided by `total` where that is given. */
export function lossGradientOnDevice(
  { index, weights, counts }: TargetsOnDevice,
  grad: Tensor,
  { layout, classes, total }: { layout: readonly number[]; classes: number; total: Tensor | null },
): Tensor {
  const [n = 0, , m = 0] = index.shape;
  const dense = denseRaw(grad.detach());
  const incoming = dense.numel() === n * m ? new Tensor(dense.storage, [n, 1, m], [m, m, 1], dense.offset) : dense;
  const shared = total ? div(incoming, total) : incoming;
  const values = denseRaw(where(counts, neg(mul(weights, shared)), 0));
  const out = filled(layout, 0, grad.dtype);
  kernels.scatterAdd(viewAs(out, [n, classes, m]), index.kernelView, values.kernelView);
  return out;
}
