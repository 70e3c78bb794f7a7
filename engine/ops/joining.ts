/** Tensors put together and taken apart. */

import { kernels } from "../backends/index.ts";
import { bind, isOptions } from "../core/arguments.ts";
import { assertTensors } from "../core/checks.ts";
import { CPU } from "../core/device.ts";
import { bool } from "../core/dtype.ts";
import { IndexError, RuntimeError, ValueError } from "../core/errors.ts";
import { resultType } from "../core/promotion.ts";
import { normalizeDim, sameShape, sizeText } from "../core/shape.ts";
import { checked } from "../core/signature.ts";
import type { Size } from "../core/size.ts";
import { Storage } from "../core/storage.ts";
import { Tensor } from "../core/tensor.ts";
import { copyRaw, denseRaw, filled, whereRaw } from "./operands.ts";
import { call, callMany, defineOp, type Method, methods, type Op } from "./registry.ts";
import { narrow, select, sliceRaw } from "./slicing.ts";
import { makeView, reshape } from "./view.ts";

interface CatAttrs {
  dim: number;
}

const Cat: Op<CatAttrs> = defineOp({
  name: "cat",
  gradFn: "CatBackward0",
  kernels: ["copy"],
  forward(ctx, ...parts: Tensor[]) {
    const { dim } = ctx.attrs;
    // An empty vector takes part in promotion only, whatever the others' dimensions are.
    const shaped = parts.find((part) => part.ndim !== 1 || part.numel() > 0) ?? parts[0]!;
    const sizes = parts.map((part) => (part.ndim === shaped.ndim ? part.shape[dim]! : null));
    ctx.notes = sizes;
    const dtype = resultType(...parts);
    const total = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
    const out = Tensor.empty(shaped.shape.with(dim, total), dtype);
    let start = 0;
    for (const [i, part] of parts.entries()) {
      const size = sizes[i];
      if (!size) continue;
      kernels.copy(part.kernelView, sliceRaw(out, dim, start, size, 1).kernelView);
      start += size;
    }
    return out;
  },
  backward({ attrs: { dim }, notes }, grad: Tensor) {
    let start = 0;
    return (notes as (number | null)[]).map((size) => {
      if (size === null) return filled([0], 0, grad.dtype);
      const part = narrow(grad, dim, start, size);
      start += size;
      return part;
    });
  },
});

/**
 * Tensors joined along an existing dimension.
 * @throws RuntimeError where other sizes differ
 */
export const cat = checked<(tensors: readonly Tensor[], dim?: number | { dim?: number }) => Tensor>(
  "cat(Tensor[] tensors, int dim?)",
  (tensors: readonly Tensor[], dim: number = 0): Tensor => {
    if (tensors.length === 0) throw new ValueError("torch.cat(): expected a non-empty list of Tensors");
    const counts = (p: Tensor) => !(p.ndim === 1 && p.numel() === 0);
    const first = tensors.find(counts) ?? tensors[0]!;
    for (const [i, part] of tensors.entries()) {
      if (part.ndim === 0) throw new RuntimeError(`zero-dimensional tensor (at position ${i}) cannot be concatenated`);
    }
    const axis = normalizeDim(dim, first.ndim);
    tensors.forEach((part, i) => {
      if (!counts(part)) return;
      if (part.ndim !== first.ndim) {
        throw new RuntimeError(`Tensors must have same number of dimensions: got ${first.ndim} and ${part.ndim}`);
      }
      part.shape.forEach((size, d) => {
        if (d !== axis && size !== first.shape[d]) {
          throw new RuntimeError(
            `Sizes of tensors must match except in dimension ${axis}. Expected size ${first.shape[d]} but got size ${size} for tensor number ${i} in the list.`,
            { shapes: [first.shape, part.shape] },
          );
        }
      });
    });
    return call(Cat, { dim: axis }, ...tensors);
  },
);

const Stack: Op<CatAttrs> = defineOp({
  name: "stack",
  gradFn: "StackBackward0",
  kernels: ["copy"],
  forward({ attrs: { dim } }, ...parts: Tensor[]) {
    const dtype = resultType(...parts);
    const out = Tensor.empty(parts[0]!.shape.toSpliced(dim, 0, parts.length), dtype);
    parts.forEach((part, i) => {
      kernels.copy(part.kernelView, select(out, dim, i).kernelView);
    });
    return out;
  },
  backward: ({ attrs: { dim } }, grad: Tensor) =>
    Array.from({ length: grad.shape[dim]! }, (_, i) => select(grad, dim, i)),
});

/** Tensors of one shape joined along a new dimension. */
export const stack = checked<(tensors: readonly Tensor[], dim?: number | { dim?: number }) => Tensor>(
  "stack(Tensor[] tensors, int dim?)",
  (tensors: readonly Tensor[], dim: number = 0): Tensor => {
    if (tensors.length === 0) throw new RuntimeError("stack expects a non-empty TensorList");
    const first = tensors[0]!;
    tensors.forEach((part, i) => {
      if (!sameShape(part.shape, first.shape)) {
        throw new RuntimeError(
          `stack expects each tensor to be equal size, but got ${sizeText(first.shape)} at entry 0 and ${sizeText(part.shape)} at entry ${i}`,
          { shapes: [first.shape, part.shape] },
        );
      }
    });
    return call(Stack, { dim: normalizeDim(dim, first.ndim + 1) }, ...tensors);
  },
);

/** Views of `splitSize` elements each along `dim` (the last may be smaller), or of the given sizes. */
export const split = checked<
  (input: Tensor, splitSize: number | readonly number[], dim?: number | { dim?: number }) => Tensor[]
>(
  "split(Tensor input, int[1] split_size_or_sections, int dim?)",
  (input: Tensor, splitSize: number | readonly number[], dim: number = 0): Tensor[] => {
    if (input.ndim === 0) throw new RuntimeError("split expects at least a 1-dimensional tensor");
    const axis = normalizeDim(dim, input.ndim);
    const size = input.shape[axis]!;
    let sizes: readonly number[];
    if (typeof splitSize === "number") {
      if (splitSize < 0)
        throw new RuntimeError(`split expects split_size be non-negative, but got split_size=${splitSize}`);
      if (splitSize === 0 && size > 0)
        throw new RuntimeError("split_size can only be 0 if dimension size is 0, but got dimension size of " + size);
      const count = splitSize === 0 ? 1 : Math.max(1, Math.ceil(size / splitSize));
      sizes = Array.from({ length: count }, (_, i) => Math.min(splitSize, size - i * splitSize));
    } else {
      if (splitSize.some((length) => length < 0)) {
        throw new RuntimeError(
          `split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes=${sizeText(splitSize)}`,
        );
      }
      sizes = splitSize;
    }
    if (sizes.reduce((a, b) => a + b, 0) !== size) {
      throw new RuntimeError(
        `split_with_sizes expects split_sizes to sum exactly to ${size} (input tensor's size at dimension ${dim}), but got split_sizes=${sizeText(sizes)}`,
      );
    }
    const gradFn = typeof splitSize === "number" ? "SplitBackward0" : "SplitWithSizesBackward0";
    return callMany(Split, { dim: axis, sizes, gradFn }, input);
  },
);

const Split: Op<{ dim: number; sizes: readonly number[]; gradFn: string }> = defineOp({
  name: "split",
  gradFn: ({ gradFn }) => gradFn,
  kernels: [],
  forward(ctx, x: Tensor) {
    const { dim, sizes } = ctx.attrs;
    ctx.notes = x.shape;
    let offset = x.offset;
    return sizes.map((size) => {
      const part = makeView(x, x.shape.with(dim, size), x.strides, offset);
      offset += size * x.strides[dim]!;
      return part;
    });
  },
  backward({ attrs: { dim, sizes }, notes }, ...grads: (Tensor | null)[]) {
    const dtype = grads.find((grad) => grad !== null)!.dtype;
    const parts = sizes.map((size, i) => grads[i] ?? filled((notes as Size).with(dim, size), 0, dtype));
    return [cat(parts, dim)];
  },
});

/** At most `chunks` views of equal size along `dim`; the last may be smaller. */
export const chunk = checked<(input: Tensor, chunks: number, dim?: number | { dim?: number }) => Tensor[]>(
  "chunk(Tensor input, int chunks, int dim?)",
  (input: Tensor, chunks: number, dim: number = 0): Tensor[] => {
    if (input.ndim === 0) throw new RuntimeError("chunk expects at least a 1-dimensional tensor");
    if (chunks <= 0) throw new RuntimeError(`chunk expects \`chunks\` to be greater than 0, got: ${chunks}`);
    const axis = normalizeDim(dim, input.ndim);
    const size = input.shape[axis]!;
    // Nothing is shared out as evenly as something: as many empty parts as were asked for.
    if (size === 0) return split(input, new Array<number>(chunks).fill(0), axis);
    return split(input, Math.ceil(size / chunks), axis);
  },
);

const Unbind: Op<{ dim: number }> = defineOp({
  name: "unbind",
  gradFn: "UnbindBackward0",
  kernels: [],
  forward(ctx, x: Tensor) {
    const { dim } = ctx.attrs;
    ctx.notes = x.shape.toSpliced(dim, 1);
    const strides = x.strides.toSpliced(dim, 1);
    return Array.from({ length: x.shape[dim]! }, (_, i) =>
      makeView(x, x.shape.toSpliced(dim, 1), strides, x.offset + i * x.strides[dim]!),
    );
  },
  backward({ attrs: { dim }, notes }, ...grads: (Tensor | null)[]) {
    const dtype = grads.find((grad) => grad !== null)!.dtype;
    return [
      stack(
        grads.map((grad) => grad ?? filled(notes as number[], 0, dtype)),
        dim,
      ),
    ];
  },
});

/** Every index of a dimension as a view of its own. https://docs.pytorch.org/docs/2.13/generated/torch.unbind.html */
export const unbind = checked<(input: Tensor, dim?: number | { dim?: number }) => Tensor[]>(
  "unbind(Tensor input, int dim?)",
  (input: Tensor, dim: number = 0): Tensor[] => {
    const axis = normalizeDim(dim, input.ndim);
    if (input.ndim === 0) throw new IndexError("Dimension specified as 0 but tensor has no dimensions");
    return input.shape[axis] === 0 ? [] : callMany(Unbind, { dim: axis }, input);
  },
);

const Repeat: Op<{ repeats: readonly number[] }> = defineOp({
  name: "repeat",
  gradFn: "RepeatBackward0",
  kernels: ["copy"],
  forward(ctx, x: Tensor) {
    const { repeats } = ctx.attrs;
    const shift = repeats.length - x.ndim;
    const shape = repeats.map((_, i) => (i < shift ? 1 : x.shape[i - shift]!));
    ctx.notes = shape;
    // [r0, s0, r1, s1 …] with stride 0 along every r, then dense.
    const strides = repeats.map((_, i) => (i < shift ? 0 : x.strides[i - shift]!));
    const tiled = makeView(
      x,
      repeats.flatMap((r, i) => [r, shape[i]!]),
      strides.flatMap((s) => [0, s]),
    );
    return new Tensor(
      copyRaw(tiled).storage,
      repeats.map((r, i) => r * shape[i]!),
    );
  },
  backward({ attrs: { repeats }, notes }, grad: Tensor) {
    const shape = notes as number[];
    const tiled = reshape(
      grad,
      repeats.flatMap((r, i) => [r, shape[i]!]),
    );
    const total = tiled.sum(repeats.map((_, i) => 2 * i));
    return [total];
  },
});

/** The tensor tiled `sizes` times along each dimension; more sizes than dimensions add leading ones. */
export const repeat = checked<(input: Tensor, ...sizes: number[] | [readonly number[]]) => Tensor>(
  "repeat(Tensor input, int... repeats)",
  (input: Tensor, repeats: readonly number[]): Tensor => {
    if (repeats.length < input.ndim) {
      throw new RuntimeError(
        "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor",
      );
    }
    return call(Repeat, { repeats }, input);
  },
);

export interface MeshgridOptions {
  /** "ij" (default): the first tensor varies along the first dimension; "xy": along the second. */
  indexing?: "ij" | "xy";
}

/** Coordinates of a grid, one tensor for each axis: `meshgrid(x, y)` or `meshgrid([x, y], { indexing: "xy" })`. */
export function meshgrid(tensors: readonly Tensor[], options?: MeshgridOptions): Tensor[];
export function meshgrid(...args: [...tensors: Tensor[]] | [...tensors: Tensor[], options: MeshgridOptions]): Tensor[];
export function meshgrid(...args: unknown[]): Tensor[] {
  const last = args[args.length - 1];
  const { indexing = "ij" } = isOptions(last) ? bind<MeshgridOptions>("meshgrid", ["*", "indexing"], [last]) : {};
  const tensors = args.flat().filter((x) => !isOptions(x));
  assertTensors(tensors, "meshgrid");
  const [first] = tensors;
  if (!first) throw new RuntimeError("meshgrid expects a non-empty TensorList");
  for (const tensor of tensors) {
    if (tensor.ndim > 1) {
      throw new RuntimeError(`torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: ${String(tensor)}`, {
        shapes: [tensor.shape],
      });
    }
    if (tensor.dtype !== first.dtype) throw new RuntimeError("meshgrid expects all tensors to have the same dtype");
  }
  if (indexing !== "ij" && indexing !== "xy") {
    throw new RuntimeError(`torch.meshgrid: indexing must be one of "xy" or "ij", but received: ${String(indexing)}`);
  }
  const shape = tensors.map((x) => x.numel());
  // With "xy" the first two axes change places.
  const axes = tensors.map((_, i) => (indexing === "xy" && tensors.length >= 2 && i < 2 ? 1 - i : i));
  const grid = axes.map((axis) => shape[axis]!);
  return tensors.map((x, i) =>
    reshape(
      x,
      grid.map((_, d) => (axes[i] === d ? -1 : 1)),
    ).expand(grid),
  );
}

function triangle(
  name: "tril" | "triu",
  gradFn: string,
  keeps: (column: number, row: number, diagonal: number) => boolean,
) {
  const op: Op<{ diagonal: number }> = defineOp({
    name,
    gradFn,
    kernels: ["copy"],
    forward({ attrs: { diagonal } }, x: Tensor) {
      if (x.ndim < 2) throw new RuntimeError(`${name}: input tensor must have at least 2 dimensions`);
      const [rows, columns] = x.shape.slice(-2) as [number, number];
      if (x.device !== CPU) {
        const kept = Uint8Array.from({ length: rows * columns }, (_, i) =>
          Number(keeps(i % columns, Math.floor(i / columns), diagonal)),
        );
        const mask = new Tensor(new Storage(bool, kept, x.device), [rows, columns]);
        return denseRaw(whereRaw(mask, x, filled([], 0, x.dtype)));
      }
      const out = copyRaw(x);
      const { data } = out.storage;
      for (let i = 0; i < data.length; i++) {
        const column = i % columns;
        const row = Math.floor(i / columns) % rows;
        if (!keeps(column, row, diagonal)) data[i] = 0;
      }
      return out;
    },
    backward: ({ attrs }, grad: Tensor) => [call(op, attrs, grad)],
  });
  return checked<Triangle>(`${name}(Tensor input, int diagonal?)`, (input: Tensor, diagonal: number = 0) =>
    call(op, { diagonal }, input),
  );
}

type Triangle = (input: Tensor, diagonal?: number | { diagonal?: number }) => Tensor;
/** The lower triangle of matrices, zeros above. */
export const tril: Triangle = triangle("tril", "TrilBackward0", (column, row, d) => column - row <= d);
/** The upper triangle of matrices, zeros below. */
export const triu: Triangle = triangle("triu", "TriuBackward0", (column, row, d) => column - row >= d);

methods({ split, chunk, unbind, repeat, tril, triu });

declare module "../core/tensor.ts" {
  interface Tensor {
    /** Views of splitSize elements each along a dimension. */
    split: Method<typeof split>;
    chunk: Method<typeof chunk>;
    unbind: Method<typeof unbind>;
    /** Tiled along each dimension. */
    repeat: Method<typeof repeat>;
    tril: Method<Triangle>;
    triu: Method<Triangle>;
  }
}
