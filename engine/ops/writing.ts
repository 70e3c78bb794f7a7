/** A tensor with some of its elements replaced: by index, by mask, by flat position, or a whole part of it. */
import { bind } from "../core/arguments.ts";
import { bool, int64 } from "../core/dtype.ts";
import { IndexError, RuntimeError } from "../core/errors.ts";
import { SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { broadcastShapes, normalizeDim, numel, type Shape, sameShape, sizeText } from "../core/shape.ts";
import { checked } from "../core/signature.ts";
import { Tensor } from "../core/tensor.ts";
import { where } from "./arithmetic.ts";
import { convert } from "./creation.ts";
import { indexSelect } from "./gathering.ts";
import { inPlace } from "./inplace.ts";
import { cat } from "./joining.ts";
import { castRaw, copyRaw, filled, type Scalar } from "./operands.ts";
import { sum } from "./reduce.ts";
import { call, defineOp, type Method, methods, type Op } from "./registry.ts";
import { diagonal, select, sliceRaw } from "./slicing.ts";
import { expand, reshape } from "./view.ts";

interface WriteAttrs {
  /** Flat positions in the tensor, in the order in which the source's elements go there. */
  positions: Tensor;
  /** Adds instead of replacing. */
  accumulates?: boolean;
  /** One number for all positions, which is no tensor for PyTorch. */
  fromNumber?: boolean;
}

/** An operation that writes a source, or one element of it everywhere, at flat positions. */
function writer(name: string, gradFn: string | ((attrs: WriteAttrs) => string)): Op<WriteAttrs> {
  return defineOp<WriteAttrs>({
    name,
    gradFn,
    unlisted: ({ fromNumber }) => (fromNumber ? [1] : []),
    kernels: [],
    forward(ctx, x: Tensor, source: Tensor) {
      const { positions, accumulates } = ctx.attrs;
      ctx.notes = [...source.shape];
      const out = copyRaw(x);
      const to = out.storage.data;
      const from = castRaw(source, x.dtype).denseData();
      const step = source.numel() === 1 ? 0 : 1;
      positions.denseData().forEach((position, i) => {
        const value = accumulates ? to[position]! + from[i * step]! : from[i * step]!;
        to[position] = x.dtype === bool ? Number(value !== 0) : value;
      });
      return out;
    },
    backward({ attrs: { positions, accumulates }, notes }, grad: Tensor) {
      const shape = notes as number[];
      const taken = indexSelect(reshape(grad, -1), 0, positions);
      const rest = numel(shape) - taken.numel();
      const whole = rest > 0 ? cat([taken, filled([rest], 0, grad.dtype)]) : taken;
      const ofSource = rest < 0 ? expand(sum(whole), shape) : reshape(whole, shape);
      if (accumulates) return [grad, ofSource];
      const written = filled(grad.shape, 0, bool);
      for (const position of positions.denseData()) written.storage.data[position] = 1;
      return [where(written, 0, grad), ofSource];
    },
  });
}

const IndexCopy = writer("index_copy", "IndexCopyBackward0");
const IndexFill = writer("index_fill", ({ fromNumber }) => (fromNumber ? "IndexFillBackward0" : "IndexFillBackward1"));
const MaskedScatter = writer("masked_scatter", "MaskedScatterBackward0");
const Put = writer("put", "PutBackward0");
const SelectScatter = writer("select_scatter", "SelectScatterBackward0");
const SliceScatter = writer("slice_scatter", "SliceScatterBackward0");
const DiagonalScatter = writer("diagonal_scatter", "DiagonalScatterBackward0");

function int64Vector(values: readonly number[]): Tensor {
  const out = Tensor.empty([values.length], int64);
  out.storage.data.set(values);
  return out;
}

/** A tensor of this shape that holds its own flat positions: a view of it says where the view lies. */
function numbered(shape: Shape): Tensor {
  const out = Tensor.empty(shape, int64);
  for (let i = 0; i < out.numel(); i++) out.storage.data[i] = i;
  return out;
}

/** Flat positions of the slices at `index` along `dim`. */
function slicePositions(x: Tensor, dim: number, index: Tensor): Tensor {
  return reshape(indexSelect(numbered(x.ndim === 0 ? [1] : x.shape), dim, reshape(index, -1)), -1);
}

/** The slices of `source` put at the positions of `index`, a vector, along `dim`. https://docs.pytorch.org/docs/2.13/generated/torch.index_copy.html */
export const indexCopy = checked(
  "index_copy(Tensor input, int dim, Tensor index, Tensor source)",
  (input: Tensor, dim: number, index: Tensor, source: Tensor): Tensor => {
    const axis = normalizeDim(dim, input.ndim);
    const count = index.numel();
    if (index.ndim > 1) {
      throw new IndexError(`index_copy_(): Index should have dimension 1 or 0 (got ${index.ndim})`);
    }
    if (source.ndim === 0 && count !== 1) {
      throw new IndexError(`index_copy_(): When source is scalar, index should have one element (got ${count})`);
    }
    if (source.ndim !== input.ndim && source.ndim > 0 && input.ndim > 0) {
      throw new IndexError(
        `index_copy_(): When source and destination are not scalars, their dimensionality must match. Source dimensionality (${source.ndim}), destination dimensionality (${input.ndim})`,
      );
    }
    if (index.dtype !== int64) {
      throw new RuntimeError(
        `index_copy_(): Expected a long tensor for index, but got ${SCALAR_TYPE_NAMES[index.dtype.name]}`,
      );
    }
    if (source.dtype !== input.dtype) {
      throw new RuntimeError(
        `index_copy_(): self and source expected to have the same dtype, but got (self) ${SCALAR_TYPE_NAMES[input.dtype.name]} and (source) ${SCALAR_TYPE_NAMES[source.dtype.name]}`,
      );
    }
    const slice = (x: Tensor): number[] => (x.ndim === 0 ? [] : x.shape.toSpliced(axis, 1));
    if (!sameShape(slice(input), slice(source))) {
      throw new RuntimeError(
        `index_copy_(): Source/destination tensor must have same slice shapes. Destination slice shape: ${slice(input).join(" ")} at dimension ${axis} and source slice shape: ${slice(source).join(" ")} at dimension 0.`,
        { shapes: [input.shape, source.shape] },
      );
    }
    if (source.ndim > 0 && source.shape[axis] !== count) {
      throw new IndexError(
        `index_copy_(): Number of indices (${count}) should be equal to source.size(dim) (${source.shape[axis]})`,
      );
    }
    const size = input.shape[axis] ?? 1;
    const outside = index.denseData().find((i) => i < 0 || i >= size);
    if (outside !== undefined) {
      throw new IndexError(`index_copy_(): index ${outside} is out of bounds for dimension ${axis} with size ${size}`);
    }
    return call(IndexCopy, { positions: slicePositions(input, axis, index) }, input, source);
  },
);

/** The slices at the positions of `index` along `dim` filled with one value. https://docs.pytorch.org/docs/2.13/generated/torch.Tensor.index_fill_.html */
export const indexFill = checked(
  "index_fill(Tensor input, int dim, Tensor index, Operand value)",
  (input: Tensor, dim: number, index: Tensor, value: Scalar | Tensor): Tensor => {
    if (value instanceof Tensor && value.ndim > 0) {
      throw new RuntimeError(
        `index_fill_ only supports a 0-dimensional value tensor, but got tensor with ${value.ndim} dimension(s).`,
      );
    }
    if (index.dtype !== int64) throw new IndexError("index_fill_(): Expected dtype int64 for index.");
    const axis = normalizeDim(dim, input.ndim);
    if (index.ndim > 1) throw new RuntimeError("Index has to be a vector/scalar");
    const size = input.shape[axis] ?? 1;
    const places = Array.from(index.denseData(), (i) => {
      if (i < -size || i >= size) {
        throw new IndexError(`index ${i} is out of bounds for dimension ${axis} with size ${size}`);
      }
      return i < 0 ? i + size : i;
    });
    const fromNumber = !(value instanceof Tensor);
    const source = fromNumber ? filled([], convert(value, input.dtype), input.dtype) : value;
    const positions = slicePositions(input, axis, int64Vector([...new Set(places)]));
    return call(IndexFill, { positions, fromNumber }, input, source);
  },
);

/** The places where mask holds take the elements of `source`, one after the other. https://docs.pytorch.org/docs/2.13/generated/torch.Tensor.masked_scatter_.html */
export const maskedScatter = checked(
  "masked_scatter(Tensor input, Tensor mask, Tensor source)",
  (input: Tensor, mask: Tensor, source: Tensor): Tensor => {
    const shape = broadcastShapes(input.shape, mask.shape);
    return writtenWhere(expand(input, shape), expand(mask, shape), source);
  },
);

function writtenWhere(self: Tensor, mask: Tensor, source: Tensor): Tensor {
  if (source.dtype !== self.dtype) {
    throw new RuntimeError(
      `masked_scatter: expected self and source to have same dtypes but got${SCALAR_TYPE_NAMES[self.dtype.name]} and ${SCALAR_TYPE_NAMES[source.dtype.name]}`,
    );
  }
  if (mask.dtype !== bool) {
    throw new RuntimeError(
      `masked_scatter_ only supports boolean masks, but got mask with dtype ${SCALAR_TYPE_NAMES[mask.dtype.name]}`,
    );
  }
  const found: number[] = [];
  mask.denseData().forEach((holds, i) => {
    if (holds) found.push(i);
  });
  if (source.numel() < found.length) throw new RuntimeError("Number of elements of source < number of ones in mask");
  return call(MaskedScatter, { positions: int64Vector(found) }, self, source);
}

/** Flat positions from the end where negative. */
function flatPositions(input: Tensor, index: Tensor): Tensor {
  const count = input.numel();
  const places = Array.from(index.denseData(), (i) => {
    if (i < -count || i >= count) {
      throw new IndexError(`out of range: tried to access index ${i} on a tensor of ${count} elements.`);
    }
    return i < 0 ? i + count : i;
  });
  return int64Vector(places);
}

function checkFlatIndex(name: string, index: Tensor): void {
  if (index.dtype === int64) return;
  throw new RuntimeError(`${name}(): Expected a long tensor for index, but got ${SCALAR_TYPE_NAMES[index.dtype.name]}`);
}

const Take: Op<{ positions: Tensor; shape: readonly number[] }> = defineOp({
  name: "take",
  gradFn: "TakeBackward0",
  kernels: ["indexSelect"],
  forward(ctx, x: Tensor) {
    ctx.notes = [...x.shape];
    const { positions, shape } = ctx.attrs;
    return new Tensor(indexSelect(reshape(x.detach(), -1), 0, positions).storage, shape);
  },
  backward({ attrs: { positions }, notes }, grad: Tensor) {
    const zeros = filled(notes as number[], 0, grad.dtype);
    return [call(Put, { positions, accumulates: true }, zeros, reshape(grad, -1))];
  },
});

/** Elements of the flat tensor, in the shape of `index`; negative ones count from the end. https://docs.pytorch.org/docs/2.13/generated/torch.take.html */
export const take = checked("take(Tensor input, Tensor index)", (input: Tensor, index: Tensor): Tensor => {
  checkFlatIndex("take", index);
  if (input.numel() === 0 && index.numel() > 0) {
    throw new IndexError("take(): tried to take from an empty tensor");
  }
  return call(Take, { positions: flatPositions(input, index), shape: index.shape }, input);
});

/** Elements of `source` put at positions of the flat tensor; `accumulate` (default false) adds them. https://docs.pytorch.org/docs/2.13/generated/torch.Tensor.put_.html */
export function put(
  input: Tensor,
  index: Tensor,
  source: Tensor,
  accumulate?: boolean | { accumulate?: boolean },
): Tensor;
export function put(...args: unknown[]): Tensor {
  const {
    input,
    index,
    source,
    accumulate = false,
  } = bind<{ input: Tensor; index: Tensor; source: Tensor; accumulate?: boolean }>(
    "put",
    ["!input", "!index", "!source", "accumulate"],
    args,
  );
  checkFlatIndex("put_", index);
  if (source.dtype !== input.dtype) {
    throw new RuntimeError(
      `put_(): self and source expected to have the same dtype, but got self.dtype = ${SCALAR_TYPE_NAMES[input.dtype.name]} and source.dtype = ${SCALAR_TYPE_NAMES[source.dtype.name]}`,
    );
  }
  if (source.numel() !== index.numel()) {
    throw new IndexError(
      `put_(): Expected source and index to have the same number of elements, but got source.numel() = ${source.numel()}, index.numel() = ${index.numel()}`,
    );
  }
  if (input.numel() === 0 && index.numel() > 0) {
    throw new IndexError("put_(): Tried to put elements into an empty tensor");
  }
  const attrs = { positions: flatPositions(input, index), accumulates: accumulate };
  return call(Put, attrs, input, source);
}

/** Writes a source where a view of a tensor like the input says. */
function scatteredInto(op: Op<WriteAttrs>, input: Tensor, src: Tensor, part: Tensor): Tensor {
  if (!sameShape(part.shape, src.shape)) {
    throw new RuntimeError(
      `expected src to have a size equal to the slice of self. src size = ${sizeText(src.shape)}, slice size = ${sizeText(part.shape)}`,
      { shapes: [input.shape, src.shape] },
    );
  }
  return call(op, { positions: reshape(part, -1) }, input, src);
}

/** The tensor with one index along `dim` replaced by `src`. https://docs.pytorch.org/docs/2.13/generated/torch.select_scatter.html */
export const selectScatter = checked(
  "select_scatter(Tensor input, Tensor src, int dim, int index)",
  (input: Tensor, src: Tensor, dim: number, index: number): Tensor => {
    return scatteredInto(SelectScatter, input, src, select(numbered(input.shape), dim, index));
  },
);

export interface SliceScatterOptions {
  /** Default 0. */
  dim?: number;
  /** Default null: from the beginning. */
  start?: number | null;
  /** Default null: to the end. */
  end?: number | null;
  /** Default 1. */
  step?: number;
}

/** The tensor with start, start + step, … before end along `dim` replaced by `src`. https://docs.pytorch.org/docs/2.13/generated/torch.slice_scatter.html */
export function sliceScatter(
  input: Tensor,
  src: Tensor,
  dim?: number | SliceScatterOptions,
  start?: number | null | SliceScatterOptions,
  end?: number | null | SliceScatterOptions,
  step?: number | SliceScatterOptions,
): Tensor;
export function sliceScatter(...args: unknown[]): Tensor {
  const {
    input,
    src,
    dim = 0,
    start = null,
    end = null,
    step = 1,
  } = bind<{ input: Tensor; src: Tensor } & SliceScatterOptions>(
    "slice_scatter",
    ["!input", "!src", "dim", "start", "end", "step"],
    args,
  );
  if (step <= 0) throw new RuntimeError("slice step must be positive");
  const axis = normalizeDim(dim, input.ndim);
  const size = input.shape[axis]!;
  const clip = (value: number) => Math.min(Math.max(value < 0 ? value + size : value, 0), size);
  const from = clip(start ?? 0);
  const length = Math.max(0, Math.ceil((clip(end ?? size) - from) / step));
  return scatteredInto(SliceScatter, input, src, sliceRaw(numbered(input.shape), axis, from, length, step));
}

export interface DiagonalScatterOptions {
  /** Above the main diagonal for positive numbers. Default 0. */
  offset?: number;
  /** Default 0. */
  dim1?: number;
  /** Default 1. */
  dim2?: number;
}

/** The tensor with a diagonal replaced by `src`. https://docs.pytorch.org/docs/2.13/generated/torch.diagonal_scatter.html */
export function diagonalScatter(
  input: Tensor,
  src: Tensor,
  offset?: number | DiagonalScatterOptions,
  dim1?: number | DiagonalScatterOptions,
  dim2?: number | DiagonalScatterOptions,
): Tensor;
export function diagonalScatter(...args: unknown[]): Tensor {
  const {
    input,
    src,
    offset = 0,
    dim1 = 0,
    dim2 = 1,
  } = bind<{ input: Tensor; src: Tensor } & DiagonalScatterOptions>(
    "diagonal_scatter",
    ["!input", "!src", "offset", "dim1", "dim2"],
    args,
  );
  return scatteredInto(DiagonalScatter, input, src, diagonal(numbered(input.shape), offset, dim1, dim2));
}

methods({
  indexCopy,
  indexFill,
  maskedScatter,
  take,
  put,
  selectScatter,
  sliceScatter,
  diagonalScatter,
  indexCopy_: (self, dim: number, index: Tensor, source: Tensor) =>
    inPlace(self, (old) => indexCopy(old, dim, index, source)),
  indexFill_: (self, dim: number, index: Tensor, value: Scalar | Tensor) =>
    inPlace(self, (old) => indexFill(old, dim, index, value)),
  maskedScatter_: (self, mask: Tensor, source: Tensor) =>
    inPlace(self, (old) => writtenWhere(old, expand(mask, old.shape), source)),
  put_: (self, index: Tensor, source: Tensor, accumulate?: boolean | { accumulate?: boolean }) =>
    inPlace(self, (old) => put(old, index, source, accumulate)),
});

declare module "../core/tensor.ts" {
  interface Tensor {
    /** The slices of source put at the positions of index along a dimension. */
    indexCopy: Method<typeof indexCopy>;
    /** The slices at the positions of index along a dimension filled with one value. */
    indexFill: Method<typeof indexFill>;
    /** The places where mask holds take the elements of source, one after the other. */
    maskedScatter: Method<typeof maskedScatter>;
    /** Elements of the flat tensor, in the shape of index. */
    take: Method<typeof take>;
    /** Elements of source put at positions of the flat tensor; `accumulate` (default false) adds them. */
    put: Method<typeof put>;
    /** With one index along a dimension replaced. */
    selectScatter: Method<typeof selectScatter>;
    /** With a slice along a dimension replaced. */
    sliceScatter: Method<typeof sliceScatter>;
    /** With a diagonal replaced. */
    diagonalScatter: Method<typeof diagonalScatter>;
    /** Puts the slices of source at the positions of index along a dimension, in place. */
    indexCopy_: Method<typeof indexCopy>;
    /** Fills the slices at the positions of index along a dimension, in place. */
    indexFill_: Method<typeof indexFill>;
    /** Puts the elements of source where mask holds, in place. */
    maskedScatter_: Method<typeof maskedScatter>;
    /** Puts elements of source at positions of the flat tensor, in place; `accumulate` (default false) adds them. */
    put_: Method<typeof put>;
  }
}
