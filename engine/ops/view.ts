/** Views: the same storage read with another shape and strides. https://docs.pytorch.org/docs/2.13/tensor_view.html */
import { recordsGradients } from "../autograd/mode.ts";
import { TYPE_NAMES } from "../autograd/node.ts";
import { bind } from "../core/arguments.ts";
import { bool } from "../core/dtype.ts";
import { RuntimeError } from "../core/errors.ts";
import { expandStrides, inferShape, normalizeDim, numel, type Shape, sizeText, viewStrides } from "../core/shape.ts";
import { checked } from "../core/signature.ts";
import { assertTensor, Tensor } from "../core/tensor.ts";
import { cloneRowMajor } from "./copy.ts";
import { call, defineOp, type Method, methods, type Op } from "./registry.ts";

/** The same storage with another geometry; shares the version counter and follows in-place changes of its base. */
export function makeView(x: Tensor, shape: Shape, strides: readonly number[], offset = x.offset): Tensor {
  const view = new Tensor(x.storage, shape, strides, offset);
  view.base = x.base ?? x;
  view.changes = x.changes;
  view.baseHistory = view.base.history;
  view.viewMadeBy = recordsGradients() ? "recorded" : "unrecorded";
  return view;
}

interface ShapeAttrs {
  shape: number[];
}

interface ViewAttrs extends ShapeAttrs {
  /** Reshape's view of a tensor that does not lie row by row has a name of its own. */
  aliased?: boolean;
}

const View: Op<ViewAttrs> = defineOp({
  name: "view",
  gradFn: ({ aliased }) => (aliased ? "ReshapeAliasBackward0" : "ViewBackward0"),
  kernels: [],
  forward(ctx, x: Tensor) {
    ctx.notes = x.shape;
    const strides = viewStrides(x.shape, x.strides, ctx.attrs.shape);
    if (!strides) {
      throw new RuntimeError(
        "view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous subspaces). Use .reshape(...) instead.",
      );
    }
    return makeView(x, ctx.attrs.shape, strides);
  },
  backward: (ctx, grad: Tensor) => [reshape(grad, ctx.notes as number[])],
});

const ReshapeCopy: Op<ShapeAttrs> = defineOp({
  name: "_unsafe_view",
  gradFn: "UnsafeViewBackward0",
  kernels: [],
  forward(ctx, x: Tensor) {
    ctx.notes = x.shape;
    return new Tensor(x.storage, ctx.attrs.shape, viewStrides(x.shape, x.strides, ctx.attrs.shape)!, x.offset);
  },
  backward: (ctx, grad: Tensor) => [reshape(grad, ctx.notes as number[])],
});

const Alias: Op<null> = defineOp({
  name: "alias",
  gradFn: "AliasBackward0",
  kernels: [],
  forward: (_, x: Tensor) => makeView(x, x.shape, x.strides),
  backward: (_, grad: Tensor) => [grad],
});

/** The whole tensor as a view of itself. */
export function alias(input: Tensor): Tensor {
  return call(Alias, null, input);
}

const Permute: Op<{ dims: number[] }> = defineOp({
  name: "permute",
  gradFn: "PermuteBackward0",
  kernels: [],
  forward: ({ attrs: { dims } }, x: Tensor) =>
    makeView(
      x,
      dims.map((d) => x.shape[d]!),
      dims.map((d) => x.strides[d]!),
    ),
  backward({ attrs: { dims } }, grad: Tensor) {
    const inverse = new Array<number>(dims.length);
    dims.forEach((d, i) => {
      inverse[d] = i;
    });
    return [permute(grad, inverse)];
  },
});

function swapped(x: Tensor, dim0: number, dim1: number): Tensor {
  if (x.ndim === 0) return makeView(x, x.shape, x.strides);
  const shape = [...x.shape];
  const strides = [...x.strides];
  [shape[dim0], shape[dim1]] = [shape[dim1]!, shape[dim0]!];
  [strides[dim0], strides[dim1]] = [strides[dim1]!, strides[dim0]!];
  return makeView(x, shape, strides);
}

const Transpose: Op<{ dim0: number; dim1: number }> = defineOp({
  name: "transpose",
  gradFn: "TransposeBackward0",
  kernels: [],
  forward: ({ attrs }, x: Tensor) => swapped(x, attrs.dim0, attrs.dim1),
  backward: ({ attrs }, grad: Tensor) => [transpose(grad, attrs.dim0, attrs.dim1)],
});

const T: Op<null> = defineOp({
  name: "t",
  gradFn: "TBackward0",
  kernels: [],
  forward: (_, x: Tensor) => (x.ndim < 2 ? makeView(x, x.shape, x.strides) : swapped(x, 0, 1)),
  backward: (_, grad: Tensor) => [t(grad)],
});

const Expand: Op<ShapeAttrs> = defineOp({
  name: "expand",
  gradFn: "ExpandBackward0",
  kernels: [],
  forward: ({ attrs: { shape } }, x: Tensor) => makeView(x, shape, expandStrides(x.shape, x.strides, shape)),
  backward: (_, grad: Tensor) => [grad],
});

const Squeeze: Op<{ dims: number[]; node: 0 | 1 | 2 | 4 }> = defineOp({
  name: "squeeze",
  gradFn: ({ node }) => `SqueezeBackward${node}`,
  kernels: [],
  forward(ctx, x: Tensor) {
    ctx.notes = x.shape;
    const keep = x.shape.map((_, i) => i).filter((i) => !ctx.attrs.dims.includes(i) || x.shape[i] !== 1);
    const [shape, strides] = [keep.map((i) => x.shape[i]!), keep.map((i) => x.strides[i]!)];
    return ctx.attrs.node === 4 ? new Tensor(x.storage, shape, strides, x.offset) : makeView(x, shape, strides);
  },
  backward: (ctx, grad: Tensor) => [reshape(grad, ctx.notes as number[])],
});

const Unsqueeze: Op<{ dim: number }> = defineOp({
  name: "unsqueeze",
  gradFn: "UnsqueezeBackward0",
  kernels: [],
  forward({ attrs: { dim } }, x: Tensor) {
    const stride = dim < x.ndim ? x.shape[dim]! * x.strides[dim]! : 1;
    return makeView(x, x.shape.toSpliced(dim, 0, 1), x.strides.toSpliced(dim, 0, stride));
  },
  backward: ({ attrs: { dim } }, grad: Tensor) => [squeeze(grad, dim)],
});

/** Sizes as numbers or one array. */
export type Sizes = number[] | [size: readonly number[]];

/**
 * The same storage with another shape; one size may be -1.
 * https://docs.pytorch.org/docs/2.13/generated/torch.Tensor.view.html
 * @throws RuntimeError where the strides do not allow it; `reshape` copies then
 */
export const view = checked<(input: Tensor, ...shape: Sizes) => Tensor>(
  "view(Tensor input, int... size)",
  (input: Tensor, shape: readonly number[]): Tensor => {
    return call(View, { shape: inferShape(shape, input.numel()) }, input);
  },
);

/** Another shape: a view where possible, else a copy. https://docs.pytorch.org/docs/2.13/generated/torch.reshape.html */
export const reshape = checked<(input: Tensor, ...shape: Sizes) => Tensor>(
  "reshape(Tensor input, int... shape)",
  (input: Tensor, shape: readonly number[]): Tensor => {
    const target = inferShape(shape, input.numel());
    if (viewStrides(input.shape, input.strides, target)) {
      return call(View, { shape: target, aliased: !input.isContiguous() }, input);
    }
    return call(ReshapeCopy, { shape: target }, cloneRowMajor(input));
  },
);

/** A fresh result under another shape, which is no view of anything. @internal */
export function unsafeView(input: Tensor, shape: readonly number[]): Tensor {
  return call(ReshapeCopy, { shape: [...shape] }, input);
}

/** Dimensions in another order. */
export const permute = checked<(input: Tensor, ...dims: Sizes) => Tensor>(
  "permute(Tensor input, int... dims)",
  (input: Tensor, dims: readonly number[]): Tensor => {
    if (dims.length !== input.ndim) {
      throw new RuntimeError(
        `permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired ordering of dimensions i.e. input.dim() = ${input.ndim} is not equal to len(dims) = ${dims.length}`,
      );
    }
    const normal = dims.map((d) => normalizeDim(d, input.ndim));
    if (new Set(normal).size !== normal.length) throw new RuntimeError("permute(): duplicate dims are not allowed.");
    return call(Permute, { dims: normal }, input);
  },
);

/** Two dimensions exchanged. */
export const transpose = checked(
  "transpose(Tensor input, int dim0, int dim1)",
  (input: Tensor, dim0: number, dim1: number): Tensor => {
    return call(Transpose, { dim0: normalizeDim(dim0, input.ndim), dim1: normalizeDim(dim1, input.ndim) }, input);
  },
);

/** The transpose of a matrix. @throws RuntimeError for more than two dimensions. */
export const t = checked("t(Tensor input)", (input: Tensor): Tensor => {
  if (input.ndim > 2) throw new RuntimeError(`t() expects a tensor with <= 2 dimensions, but self is ${input.ndim}D`);
  return call(T, null, input);
});

/** How PyTorch's messages name a tensor's type. */
function typeText({ dtype }: Tensor): string {
  return dtype === bool ? "CPUBoolType" : `torch.${TYPE_NAMES[dtype.name]}`;
}

/** Axes of size 1 repeated without a copy; -1 keeps a size. */
export const expand = checked<(input: Tensor, ...sizes: Sizes) => Tensor>(
  "expand(Tensor input, int... size)",
  (input: Tensor, sizes: readonly number[]): Tensor => {
    const shift = sizes.length - input.ndim;
    if (shift < 0) {
      throw new RuntimeError(
        `expand(${typeText(input)}{${sizeText(input.shape)}}, size=${sizeText(sizes)}): the number of sizes provided (${sizes.length}) must be greater or equal to the number of dimensions in the tensor (${input.ndim})`,
      );
    }
    const shape = sizes.map((size, i) => {
      const own = i < shift ? null : input.shape[i - shift]!;
      if (size === -1) {
        if (own !== null) return own;
        throw new RuntimeError(
          `The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension ${i}`,
        );
      }
      if (own !== null && own !== 1 && own !== size) {
        throw new RuntimeError(
          `The expanded size of the tensor (${size}) must match the existing size (${own}) at non-singleton dimension ${i}.  Target sizes: ${sizeText(sizes)}.  Tensor sizes: ${sizeText(input.shape)}`,
          { shapes: [input.shape, sizes] },
        );
      }
      return size;
    });
    if (shape.some((size) => size < 0)) throw new RuntimeError("numel: integer multiplication overflow");
    return call(Expand, { shape }, input);
  },
);

/** `input` expanded to a shape. */
export const broadcastTo = checked(
  "broadcast_to(Tensor input, int[] size)",
  (input: Tensor, size: readonly number[]): Tensor => {
    return expand(input, size);
  },
);

/** Without axes of size 1: all of them, or those given where their size is 1. */
export const squeeze = checked(
  "squeeze(Tensor input, int[1] dim?)",
  (input: Tensor, dim?: number | readonly number[]): Tensor => {
    const dims =
      dim === undefined ? input.shape.map((_, i) => i) : [dim].flat().map((d) => normalizeDim(d as number, input.ndim));
    const repeated = dims.find((d, i) => dim !== undefined && dims.indexOf(d) < i);
    if (repeated !== undefined) throw new RuntimeError(`dim ${repeated} appears multiple times in the list of dims`);
    return call(Squeeze, { dims, node: dim === undefined ? 0 : typeof dim === "number" ? 1 : 2 }, input);
  },
);

/** A fresh result squeezed in place, which makes it no view of anything. @internal */
export function unsafeSqueeze(input: Tensor, dim: number): Tensor {
  return call(Squeeze, { dims: [dim], node: 4 }, input);
}

/** With a new axis of size 1 at `dim`. */
export const unsqueeze = checked("unsqueeze(Tensor input, int dim)", (input: Tensor, dim: number): Tensor => {
  return call(Unsqueeze, { dim: normalizeDim(dim, input.ndim + 1) }, input);
});

/**
 * Dimensions startDim to endDim as one. `torch.flatten` starts at 0 by default, `nn.Flatten` at 1.
 * https://docs.pytorch.org/docs/2.13/generated/torch.flatten.html
 */
export function flatten(input: Tensor, startDim?: number | FlattenOptions, endDim?: number): Tensor;
export function flatten(...args: unknown[]): Tensor {
  const {
    input,
    startDim = 0,
    endDim = -1,
  } = bind<{ input: Tensor } & FlattenOptions>("flatten", ["!input", "startDim: int", "endDim: int"], args);
  assertTensor(input, "flatten", "input", 1);
  const start = normalizeDim(startDim, input.ndim);
  const end = normalizeDim(endDim, input.ndim);
  if (input.ndim === 0) return reshape(input, 1);
  if (start > end) throw new RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim");
  if (start === end) return input;
  return reshape(input, [
    ...input.shape.slice(0, start),
    numel(input.shape.slice(start, end + 1)),
    ...input.shape.slice(end + 1),
  ]);
}

export interface FlattenOptions {
  /** First dimension to flatten. Default 0. */
  startDim?: number;
  /** Last one. Default -1. */
  endDim?: number;
}

/** One dimension as several; one of the sizes may be -1. */
export const unflatten = checked(
  "unflatten(Tensor input, int dim, int[] sizes)",
  (input: Tensor, dim: number, sizes: readonly number[]): Tensor => {
    if (sizes.length === 0) throw new RuntimeError("unflatten: sizes must be non-empty");
    if (input.ndim === 0) {
      throw new RuntimeError(
        `unflatten got an unexpected error:\nDimension specified as ${normalizeDim(dim, 0)} but tensor has no dimensions`,
      );
    }
    const axis = normalizeDim(dim, input.ndim);
    const size = input.shape[axis]!;
    const inner = unflattened(sizes, size);
    if (numel(inner) !== size) {
      throw new RuntimeError(
        `unflatten: Provided sizes ${sizeText(sizes)} don't multiply up to the size of dim ${axis} (${size}) in the input tensor`,
      );
    }
    return view(input, [...input.shape.slice(0, axis), ...inner, ...input.shape.slice(axis + 1)]);
  },
);

/** The sizes with a -1 solved where they can make up `size`; else as they are given. */
function unflattened(sizes: readonly number[], size: number): number[] {
  const known = numel(sizes.filter((s) => s !== -1));
  if (!sizes.includes(-1) || (known > 0 && size % known !== 0) || (known === 0 && size > 0)) return [...sizes];
  try {
    return inferShape(sizes, size);
  } catch (error) {
    throw new RuntimeError(`unflatten got an unexpected error:\n${(error as Error).message}`);
  }
}

/** Dimensions moved to other places, the rest in order. */
export const movedim = checked(
  "movedim(Tensor input, int[1] source, int[1] destination)",
  (input: Tensor, source: number | readonly number[], destination: number | readonly number[]): Tensor => {
    const [sources, destinations] = [[source].flat() as number[], [destination].flat() as number[]];
    if (sources.length !== destinations.length) {
      throw new RuntimeError(
        `movedim: Invalid source or destination dims: source (${sizeText(sources)} dims) should contain the same number of dims as destination (${sizeText(destinations)} dims)`,
      );
    }
    const from = sources.map((d) => normalizeDim(d, input.ndim));
    const to = destinations.map((d) => normalizeDim(d, input.ndim));
    if (new Set(from).size < from.length) {
      throw new RuntimeError(`movedim: repeated dim in \`source\` (${sizeText(sources)})`);
    }
    if (new Set(to).size < to.length) {
      throw new RuntimeError(`movedim: repeated dim in \`destination\` (${sizeText(destinations)})`);
    }
    if (input.ndim === 0) return alias(input);
    const order = new Array<number>(input.ndim).fill(-1);
    to.forEach((d, i) => {
      order[d] = from[i]!;
    });
    const rest = input.shape.map((_, i) => i).filter((i) => !from.includes(i));
    return permute(
      input,
      order.map((d) => (d >= 0 ? d : rest.shift()!)),
    );
  },
);

const viewAsOther = checked("view_as(Tensor input, Tensor other)", (input: Tensor, other: Tensor) =>
  view(input, other.shape),
);

methods({
  view,
  viewAs: viewAsOther,
  reshape,
  permute,
  transpose,
  t,
  expand,
  expandAs: checked("expand_as(Tensor input, Tensor other)", (x: Tensor, other: Tensor) => expand(x, other.shape)),
  broadcastTo,
  squeeze,
  unsqueeze,
  flatten,
  unflatten,
  movedim,
  swapaxes: transpose,
});

Object.defineProperty(Tensor.prototype, "T", {
  get(this: Tensor) {
    return permute(
      this,
      this.shape.map((_, i) => this.ndim - 1 - i),
    );
  },
});
Object.defineProperty(Tensor.prototype, "mT", {
  get(this: Tensor) {
    return transpose(this, -2, -1);
  },
});

declare module "../core/tensor.ts" {
  interface Tensor {
    /** The same storage with another shape. */
    view: Method<typeof view>;
    /** A view in the other tensor's shape. */
    viewAs(other: Tensor): Tensor;
    /** Another shape: a view where possible, else a copy; one size may be -1. */
    reshape: Method<typeof reshape>;
    /** Dimensions in another order. */
    permute: Method<typeof permute>;
    /** Two dimensions exchanged. */
    transpose: Method<typeof transpose>;
    swapaxes: Method<typeof transpose>;
    /** The transpose of a matrix. */
    t: Method<typeof t>;
    /** All dimensions reversed. */
    readonly T: Tensor;
    /** The last two dimensions exchanged. */
    readonly mT: Tensor;
    /** Axes of size 1 repeated without a copy. */
    expand: Method<typeof expand>;
    /** A view expanded to the other tensor's shape. */
    expandAs(other: Tensor): Tensor;
    broadcastTo: Method<typeof broadcastTo>;
    /** Without axes of size 1. */
    squeeze: Method<typeof squeeze>;
    /** With a new axis of size 1. */
    unsqueeze: Method<typeof unsqueeze>;
    /** Dimensions startDim to endDim as one. */
    flatten: Method<typeof flatten>;
    unflatten: Method<typeof unflatten>;
    movedim: Method<typeof movedim>;
  }
}
