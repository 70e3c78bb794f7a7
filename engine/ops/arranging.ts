/** Tensors stacked, tiled, turned and cut by the shorter names; all are made of other operations. */

import { assertTensors } from "../core/checks.ts";
import { int64 } from "../core/dtype.ts";
import { RuntimeError } from "../core/errors.ts";
import { SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { broadcastShapes as broadcastTwo, normalizeDim, type Shape, sameShape } from "../core/shape.ts";
import { checked } from "../core/signature.ts";
import { Size } from "../core/size.ts";
import { assertTensor, Tensor } from "../core/tensor.ts";
import { flip, gather } from "./gathering.ts";
import { cat, repeat } from "./joining.ts";
import { call, defineOp, methods, type Op } from "./registry.ts";
import { expand, movedim, reshape, transpose, unsqueeze, view } from "./view.ts";

/** At least one dimension. */
export const atleast1d = checked("atleast_1d(Tensor input)", (input: Tensor): Tensor => {
  return input.ndim === 0 ? reshape(input, 1) : input;
});

/** At least two dimensions; a vector becomes a row. */
export const atleast2d = checked("atleast_2d(Tensor input)", (input: Tensor): Tensor => {
  if (input.ndim === 0) return reshape(input, 1, 1);
  return input.ndim === 1 ? unsqueeze(input, 0) : input;
});

/** At least three dimensions; a vector becomes [1, n, 1], a matrix [n, m, 1]. */
export const atleast3d = checked("atleast_3d(Tensor input)", (input: Tensor): Tensor => {
  if (input.ndim === 0) return reshape(input, 1, 1, 1);
  if (input.ndim === 1) return unsqueeze(unsqueeze(input, 0), -1);
  return input.ndim === 2 ? unsqueeze(input, -1) : input;
});

function someTensors(name: string, tensors: readonly Tensor[]): void {
  if (tensors.length === 0) throw new RuntimeError(`${name} expects a non-empty TensorList`);
}

/** Side by side: vectors end to end, others along dimension 1. https://docs.pytorch.org/docs/2.13/generated/torch.hstack.html */
export const hstack = checked("hstack(Tensor[] tensors)", (tensors: readonly Tensor[]): Tensor => {
  someTensors("hstack", tensors);
  const parts = tensors.map(atleast1d);
  return cat(parts, parts[0]!.ndim === 1 ? 0 : 1);
});

/** One above the other. https://docs.pytorch.org/docs/2.13/generated/torch.vstack.html */
export const vstack = checked("vstack(Tensor[] tensors)", (tensors: readonly Tensor[]): Tensor => {
  someTensors("vstack", tensors);
  return cat(tensors.map(atleast2d), 0);
});

/** One behind the other, along dimension 2. https://docs.pytorch.org/docs/2.13/generated/torch.dstack.html */
export const dstack = checked("dstack(Tensor[] tensors)", (tensors: readonly Tensor[]): Tensor => {
  someTensors("dstack", tensors);
  return cat(tensors.map(atleast3d), 2);
});

/** Vectors as the columns of a matrix. https://docs.pytorch.org/docs/2.13/generated/torch.column_stack.html */
export const columnStack = checked("column_stack(Tensor[] tensors)", (tensors: readonly Tensor[]): Tensor => {
  someTensors("column_stack", tensors);
  return hstack(tensors.map((x) => (x.ndim <= 1 ? reshape(x, x.numel(), 1) : x)));
});

/** Repeated `dims` times along each dimension; missing leading ones count as 1. https://docs.pytorch.org/docs/2.13/generated/torch.tile.html */
export function tile(input: Tensor, ...dims: number[] | [readonly number[]]): Tensor {
  assertTensor(input, "tile", "input", 1);
  const given = dims.flat() as number[];
  const missing = Math.max(0, input.ndim - given.length);
  return repeat(input, [...new Array<number>(missing).fill(1), ...given]);
}

/** Turned by 90° k times, from the first of `dims` to the second. https://docs.pytorch.org/docs/2.13/generated/torch.rot90.html */
export const rot90 = checked(
  "rot90(Tensor input, int k?, int[] dims?)",
  (input: Tensor, k = 1, dims: readonly number[] = [0, 1]): Tensor => {
    if (dims.length !== 2) {
      throw new RuntimeError(`expected total rotation dims == 2, but got dims = ${dims.length}`);
    }
    if (input.ndim < 2) throw new RuntimeError(`expected total dims >= 2, but got total dims = ${input.ndim}`);
    const [a, b] = dims.map((d) => normalizeDim(d, input.ndim)) as [number, number];
    if (a === b) {
      throw new RuntimeError(`expected rotation dims to be different, but got dim0 = ${dims[0]} and dim1 = ${dims[1]}`);
    }
    return call(Rot90, { turns: ((k % 4) + 4) % 4, a, b }, input);
  },
);

const Rot90: Op<{ turns: number; a: number; b: number }> = defineOp({
  name: "rot90",
  gradFn: "Rot90Backward0",
  kernels: ["indexSelect", "copy"],
  forward({ attrs: { turns, a, b } }, input: Tensor) {
    const x = input.detach();
    if (turns === 1) return transpose(flip(x, b), a, b).clone();
    if (turns === 2) return flip(x, a, b);
    return turns === 3 ? transpose(flip(x, a), a, b).clone() : x.clone();
  },
  backward: ({ attrs: { turns, a, b } }, grad: Tensor) => [call(Rot90, { turns: (4 - turns) % 4, a, b }, grad)],
});

/** Columns in reverse order. */
export const fliplr = checked("fliplr(Tensor input)", (input: Tensor): Tensor => {
  if (input.ndim < 2) throw new RuntimeError("Input must be >= 2-d.");
  return flip(input, 1);
});

/** Rows in reverse order. */
export const flipud = checked("flipud(Tensor input)", (input: Tensor): Tensor => {
  if (input.ndim < 1) throw new RuntimeError("Input must be >= 1-d.");
  return flip(input, 0);
});

/** All elements as one vector; a view where possible. */
export const ravel = checked("ravel(Tensor input)", (input: Tensor): Tensor => {
  return reshape(input.contiguous(), -1);
});

/** The shape that shapes broadcast to. */
export function broadcastShapes(...shapes: (Shape | number)[]): Size {
  const lists = shapes.map((shape) => (typeof shape === "number" ? [shape] : shape));
  return Size.fromShape(lists.reduce<Shape>((a, b) => broadcastTwo(a, b), []));
}

/** All tensors expanded to the shape they broadcast to. */
export function broadcastTensors(...tensors: Tensor[] | [readonly Tensor[]]): Tensor[] {
  const list = tensors.flat() as Tensor[];
  assertTensors(list, "broadcast_tensors");
  const shape = list.reduce<Shape>((a, x) => broadcastTwo(a, x.shape), []);
  return list.map((x) => (sameShape(x.shape, shape) ? x : expand(x, shape)));
}

function triangleIndices(row: number, col: number, inside: (column: number, row: number) => boolean): Tensor {
  const found: [number, number][] = [];
  for (let i = 0; i < row; i++) for (let j = 0; j < col; j++) if (inside(j, i)) found.push([i, j]);
  const out = Tensor.empty([2, found.length], int64);
  out.storage.data.set([...found.map(([i]) => i), ...found.map(([, j]) => j)]);
  return out;
}

/** Rows and columns of the lower triangle of a row × col matrix, as [2, n]. */
export const trilIndices = checked<(row: number, col: number, offset?: number | { offset?: number }) => Tensor>(
  "tril_indices(int row, int col, int offset?)",
  (row: number, col: number, offset: number = 0): Tensor => {
    const diagonal = offset;
    return triangleIndices(row, col, (j, i) => j - i <= diagonal);
  },
);

/** Rows and columns of the upper triangle of a row × col matrix, as [2, n]. */
export const triuIndices = checked<(row: number, col: number, offset?: number | { offset?: number }) => Tensor>(
  "triu_indices(int row, int col, int offset?)",
  (row: number, col: number, offset: number = 0): Tensor => {
    const diagonal = offset;
    return triangleIndices(row, col, (j, i) => j - i >= diagonal);
  },
);

/** Elements picked along `dim` by indices that broadcast; without a dim from the flat tensor. https://docs.pytorch.org/docs/2.13/generated/torch.take_along_dim.html */
export const takeAlongDim = checked<
  (input: Tensor, indices: Tensor, dim?: number | null | { dim?: number | null }) => Tensor
>(
  "take_along_dim(Tensor input, Tensor indices, int? dim?)",
  (input: Tensor, indices: Tensor, dim?: number | null): Tensor => {
    const given = dim ?? null;
    if (given !== null && input.ndim !== indices.ndim) {
      throw new RuntimeError(
        `torch.take_along_dim(): input and indices should have the same number of dimensions, but got ${input.ndim} dimensions for input, and ${indices.ndim} dimensions for indices`,
      );
    }
    if (indices.dtype !== int64) {
      throw new RuntimeError(
        `torch.take_along_dim(): dtype of indices should be Long but got ${SCALAR_TYPE_NAMES[indices.dtype.name]}`,
      );
    }
    if (given === null) return gather(view(input, -1), 0, view(indices, -1));
    const axis = normalizeDim(given, input.ndim);
    const without = (x: Tensor): Shape => x.shape.map((size, d) => (d === axis ? 1 : size));
    const common = broadcastTwo(without(input), without(indices));
    const wide = (x: Tensor): Tensor =>
      expand(
        x,
        common.map((size, d) => (d === axis ? x.shape[d]! : size)),
      );
    return gather(wide(input), axis, wide(indices));
  },
);

methods({
  tile,
  rot90,
  fliplr,
  flipud,
  ravel,
  takeAlongDim,
  moveaxis: movedim,
  swapdims: transpose,
});

export { cat as concatenate, movedim as moveaxis, transpose as swapaxes, transpose as swapdims, vstack as rowStack };

declare module "../core/tensor.ts" {
  interface Tensor {
    /** Repeated along each dimension. */
    tile(...dims: number[] | [readonly number[]]): Tensor;
    /** Turned by 90° k times. */
    rot90(k?: number, dims?: readonly number[]): Tensor;
    /** Columns in reverse order. */
    fliplr(): Tensor;
    /** Rows in reverse order. */
    flipud(): Tensor;
    /** All elements as one vector. */
    ravel(): Tensor;
    /** Elements at the positions of `indices` along `dim`; without `dim` (default null) of the flattened tensor. Index and tensor broadcast. */
    takeAlongDim(indices: Tensor, dim?: number | null | { dim?: number | null }): Tensor;
    moveaxis: Tensor["movedim"];
    swapdims: Tensor["transpose"];
  }
}
