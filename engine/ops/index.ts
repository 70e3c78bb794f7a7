/** Every operation, and the arithmetic that autograd needs of them. */
import type { Tensor } from "../core/tensor.ts";
import { add } from "./arithmetic.ts";
import { contiguous, to } from "./copy.ts";
import { copyRaw, filled } from "./operands.ts";
import { sum } from "./reduce.ts";
import { setArithmetic } from "./registry.ts";
import { reshape } from "./view.ts";

setArithmetic({
  add,
  addInPlace: (a, b) => {
    a.add_(b);
  },
  own: (a) => (a.requiresGrad ? contiguous(a) : copyRaw(a)),
  ones: (shape, like) => filled(shape, 1, like.dtype, like.device),
  /** Sums over the axes that broadcasting repeated. */
  sumToSize(grad: Tensor, shape) {
    const lead = grad.ndim - shape.length;
    const dims = grad.shape.map((_, i) => i).filter((i) => i < lead || (shape[i - lead] === 1 && grad.shape[i] !== 1));
    return reshape(dims.length > 0 ? sum(grad, dims) : grad, shape);
  },
  cast: to,
});

export * from "./arithmetic.ts";
export * from "./arranging.ts";
export * from "./binary_more.ts";
export * from "./choosing.ts";
export * from "./combining.ts";
export * from "./comparison.ts";
export * from "./conv.ts";
export * from "./conv_transpose.ts";
export * from "./copy.ts";
export * from "./creation.ts";
export * from "./diagonals.ts";
export * from "./dtypes.ts";
export * from "./einsum.ts";
export * from "./extremes.ts";
export * from "./gathering.ts";
export * from "./generator.ts";
export * from "./indexing.ts";
export * from "./inplace.ts";
export * from "./inplace_more.ts";
export * from "./joining.ts";
export * from "./limits.ts";
export * from "./loss.ts";
export * from "./matmul.ts";
export * from "./pad.ts";
export * from "./pointwise.ts";
export * from "./pool.ts";
export * from "./products.ts";
export * from "./quantile.ts";
export * from "./random.ts";
export * from "./reduce.ts";
export * from "./reduce_more.ts";
export * from "./running.ts";
export * from "./scatter_reduce.ts";
export * from "./scattering.ts";
export * from "./searching.ts";
export * from "./slicing.ts";
export * from "./softmax.ts";
export * from "./sorting.ts";
export * from "./special.ts";
export * from "./statistics.ts";
export * from "./unique.ts";
export * from "./view.ts";
export * from "./writing.ts";
