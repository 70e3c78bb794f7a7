/** Formulas over tensors: what several element-wise operations give, in one pass over the elements. No gradients. */
import type { View } from "../backends/backend.ts";
import type { Formula } from "../backends/formula.ts";
import { kernels } from "../backends/index.ts";
import { resultStrides, type Strided } from "../core/layout.ts";
import { broadcastShapes, broadcastStrides, numel, type Shape, sameShape } from "../core/shape.ts";
import { Storage } from "../core/storage.ts";
import { Tensor } from "../core/tensor.ts";
import { checkInPlace, checkOverlap } from "./inplace.ts";
import { castRaw, viewAs } from "./operands.ts";

export { type Algebra, type Formula, formula, type Value } from "../backends/formula.ts";

/**
 * New tensors of the formula's results, in the memory order that an element-wise operation gives.
 * @param inputs of one floating dtype; they are broadcast
 */
export function evaluate(f: Formula, numbers: readonly number[], inputs: readonly Tensor[]): Tensor[] {
  const shape = inputs.map((x): Shape => x.shape).reduce((a, b) => (sameShape(a, b) ? a : broadcastShapes(a, b)));
  const { dtype } = inputs[0]!;
  const spread = (x: Tensor): readonly number[] =>
    sameShape(x.shape, shape) ? x.strides : broadcastStrides(x.shape, x.strides, shape);
  const strides = resultStrides(
    shape,
    inputs.map((x): Strided => ({ shape: x.shape, strides: spread(x) })),
  );
  const outs = f.results.map(() => new Tensor(Storage.allocate(dtype, numel(shape)), shape, strides));
  // The kernel sees all of them with their axes from the slowest to the fastest, so that results lie row by row for it.
  const order = outs[0]!.isContiguous()
    ? null
    : shape.map((_, axis) => axis).sort((a, b) => strides[b]! - strides[a]! || a - b);
  const ordered = (list: readonly number[]) => order?.map((axis) => list[axis]!) ?? list;
  const view = (x: Tensor): View => viewAs(x, ordered(shape), ordered(spread(x)));
  kernels.formula(
    f,
    numbers,
    inputs.map((x) => view(castRaw(x, dtype))),
    outs.map(view),
  );
  return outs;
}

/** The one result of a formula. */
export function evaluateOne(f: Formula, inputs: readonly Tensor[], numbers: readonly number[] = []): Tensor {
  return evaluate(f, numbers, inputs)[0]!;
}

/**
 * Puts a formula's results in the place of tensors' elements. What is changed may be among the inputs; all have the first
 * one's shape, and are computed in its dtype.
 */
export function change(
  outs: readonly Tensor[],
  f: Formula,
  numbers: readonly number[],
  inputs: readonly Tensor[],
): void {
  for (const out of outs) {
    checkInPlace(out);
    checkOverlap(out);
  }
  const { dtype, shape } = outs[0]!;
  const operands = inputs.map((x) => castRaw(x, dtype));
  const isPlain = (x: Tensor) => x.dtype === dtype && x.isContiguous() && sameShape(x.shape, shape);
  if (outs.every(isPlain) && operands.every((x) => sameShape(x.shape, shape))) {
    kernels.formula(
      f,
      numbers,
      operands.map((x) => x.kernelView),
      outs.map((x) => x.kernelView),
    );
  } else {
    for (const [i, result] of evaluate(f, numbers, operands).entries()) {
      kernels.copy(result.kernelView, outs[i]!.kernelView);
      result.storage.release();
    }
  }
  for (const out of outs) out.changes.version++;
}
