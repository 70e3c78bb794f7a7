/**
 * A tensor in parts whose gradient comes back in one piece, however many there are: as many slices would each make a whole
 * one. The parts are for reading: a change in place would not be noticed.
 */
import { Tensor } from "../core/tensor.ts";
import { cat, stack } from "./joining.ts";
import { filled } from "./operands.ts";
import { callMany, defineOp, type Op } from "./registry.ts";

interface PartsAttrs {
  gradFn: string;
  dim: number;
  sizes: readonly number[];
  /** Parts of size 1 without that dimension. */
  squeezed: boolean;
}

const Parts: Op<PartsAttrs> = defineOp({
  name: "unsafe_split",
  gradFn: ({ gradFn }) => gradFn,
  kernels: [],
  forward(ctx, x: Tensor) {
    const { dim, sizes, squeezed } = ctx.attrs;
    const stride = x.strides[dim]!;
    let offset = x.offset;
    const found = sizes.map((size) => {
      const shape = squeezed ? x.shape.toSpliced(dim, 1) : x.shape.with(dim, size);
      const part = new Tensor(x.storage, shape, squeezed ? x.strides.toSpliced(dim, 1) : x.strides, offset);
      part.changes = x.changes;
      offset += size * stride;
      return part;
    });
    ctx.notes = found.map((part) => part.shape);
    return found;
  },
  backward({ attrs: { dim, squeezed }, notes }, ...grads: (Tensor | null)[]) {
    const dtype = grads.find((grad) => grad !== null)!.dtype;
    const all = (notes as Tensor["shape"][]).map((shape, i) => grads[i] ?? filled(shape, 0, dtype));
    return [squeezed ? stack(all, dim) : cat(all, dim)];
  },
});

/** Every index of the first dimension. */
export function indexParts(x: Tensor): Tensor[] {
  const sizes = new Array<number>(x.shape[0]!).fill(1);
  return callMany(Parts, { gradFn: "UnbindBackward0", dim: 0, sizes, squeezed: true }, x);
}

/** Parts of these sizes along a dimension. */
export function parts(x: Tensor, sizes: readonly number[], dim: number): Tensor[] {
  return callMany(Parts, { gradFn: "SplitWithSizesBackward0", dim, sizes, squeezed: false }, x);
}

/** So many parts of one size along the last dimension. */
export function evenParts(x: Tensor, count: number): Tensor[] {
  const sizes = new Array<number>(count).fill(x.shape.at(-1)! / count);
  return callMany(Parts, { gradFn: "UnsafeSplitBackward0", dim: x.ndim - 1, sizes, squeezed: false }, x);
}
