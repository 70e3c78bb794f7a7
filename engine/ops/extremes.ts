/** The largest and the smallest: of everything, along a dimension with their positions, and the positions alone. */
import { bind } from "../core/arguments.ts";
import { bool, type DType, int64 } from "../core/dtype.ts";
import { IndexError, RuntimeError } from "../core/errors.ts";
import { normalizeDim, normalizeDims } from "../core/shape.ts";
import { assertTensor, Tensor } from "../core/tensor.ts";
import { div, maximum, minimum, mul, where } from "./arithmetic.ts";
import { eq, isnan } from "./comparison.ts";
import { to } from "./copy.ts";
import { Amax, Amin, type DimAttrs, keepShape, reduceRaw, sum } from "./reduce.ts";
import { call, callMany, defineOp, type Method, methods } from "./registry.ts";
import { reshape, unsqueeze } from "./view.ts";

/** max() and min() of everything share the gradient as amax and amin do, but among NaNs too, if one of them won. */
function extremeAll(name: "max" | "min") {
  const op = name === "max" ? Amax : Amin;
  return defineOp<DimAttrs>({
    name,
    gradFn: name === "max" ? "MaxBackward1" : "MinBackward1",
    kernels: ["reduce"],
    forward: op.forward,
    backward({ saved: [x, kept] }, grad: Tensor) {
      const winners = isnan(kept!).item() ? isnan(x!) : eq(x!, kept!);
      return [where(winners, div(grad, sum(to(winners, grad.dtype))), 0)];
    },
  });
}

const MaxAll = extremeAll("max");
const MinAll = extremeAll("min");

interface AlongAttrs {
  dim: number;
  keepdim: boolean;
}

/** Values and indices of the extreme along one dimension; the gradient goes to the first winner. */
function along(name: "max" | "min") {
  return defineOp<AlongAttrs>({
    name: `${name}.dim`,
    gradFn: name === "max" ? "MaxBackward0" : "MinBackward0",
    kernels: ["reduce"],
    forward(ctx, x: Tensor) {
      const { dim, keepdim } = ctx.attrs;
      const dims = x.ndim === 0 ? [] : [dim];
      const values = reduceRaw(name === "max" ? "amax" : "amin", x, dims, x.dtype);
      const indices = reduceRaw(name === "max" ? "argmax" : "argmin", x, dims, int64);
      const shape = keepShape(x, dims);
      ctx.notes = x.shape;
      ctx.save(new Tensor(indices.storage, shape));
      return keepdim ? [new Tensor(values.storage, shape), new Tensor(indices.storage, shape)] : [values, indices];
    },
    backward({ attrs, saved, notes }, grad: Tensor) {
      const shape = notes as number[];
      const restored = attrs.keepdim || shape.length === 0 ? grad : unsqueeze(grad, attrs.dim);
      return [mul(restored, oneAt(saved[0]!, shape, attrs.dim, grad.dtype))];
    },
  });
}

/** 1 where the index along `dim` is the given one, else 0. */
function oneAt(indices: Tensor, shape: readonly number[], dim: number, dtype: DType): Tensor {
  const size = shape[dim] ?? 1;
  const positions = Tensor.empty([size], int64);
  for (let i = 0; i < size; i++) positions.storage.data[i] = i;
  const axis =
    shape.length === 0
      ? positions.reshape([])
      : reshape(
          positions,
          shape.map((_, i) => (i === dim ? size : 1)),
        );
  return to(eq(axis, indices), dtype);
}

const MaxAlong = along("max");
const MinAlong = along("min");

function indexOfExtreme(name: "argmax" | "argmin") {
  return defineOp<AlongAttrs & { all: boolean }>({
    name,
    gradFn: "NotImplemented",
    kernels: ["reduce"],
    forward({ attrs: { dim, keepdim, all } }, x: Tensor) {
      const dims = all ? x.shape.map((_, i) => i) : x.ndim === 0 ? [] : [dim];
      const out = reduceRaw(name, x, dims, int64);
      return keepdim ? new Tensor(out.storage, keepShape(x, dims)) : out;
    },
  });
}

const Argmax = indexOfExtreme("argmax");
const Argmin = indexOfExtreme("argmin");

/** Values and their positions along a dimension; destructures as `[values, indices]`. */
export type ValuesAndIndices = [values: Tensor, indices: Tensor] & { values: Tensor; indices: Tensor };

/** Prints as `torch.return_types.max(values=…, indices=…)`, by the name of the function that gave them. */
export function valuesAndIndices(name: string, [values, indices]: Tensor[]): ValuesAndIndices {
  // Defined, not assigned: arrays have `values` already, and where JavaScript's own objects are frozen no store shadows it.
  return Object.defineProperties([values, indices], {
    values: { value: values, enumerable: true },
    indices: { value: indices, enumerable: true },
    toString: { value: () => `torch.return_types.${name}(\nvalues=${values},\nindices=${indices})` },
  }) as unknown as ValuesAndIndices;
}

function extremes(name: "max" | "min", args: unknown[]): Tensor | ValuesAndIndices {
  const second = args[1];
  if (second instanceof Tensor)
    return name === "max" ? maximum(args[0] as Tensor, second) : minimum(args[0] as Tensor, second);
  const {
    input,
    dim,
    keepdim = false,
  } = bind<{ input: Tensor; dim?: number; keepdim?: boolean }>(name, ["!input", "dim: int", "keepdim: bool"], args);
  assertTensor(input, name, "input", 1);
  if (dim === undefined || dim === null) {
    if (input.numel() === 0) {
      throw new RuntimeError(
        `${name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.`,
      );
    }
    return call(
      name === "max" ? MaxAll : MinAll,
      { dims: normalizeDims(null, input.ndim), keepdim: false, all: true, dtype: input.dtype },
      input,
    );
  }
  const axis = normalizeDim(dim, input.ndim);
  if (input.shape[axis] === 0) {
    throw new IndexError(`${name}(): Expected reduction dim ${axis} to have non-zero size.`);
  }
  return valuesAndIndices(name, callMany(name === "max" ? MaxAlong : MinAlong, { dim: axis, keepdim }, input));
}

/** The largest element; along a dimension `[values, indices]`; of two tensors the larger elements. */
export function max(input: Tensor): Tensor;
export function max(input: Tensor, other: Tensor): Tensor;
export function max(
  input: Tensor,
  dim: number | { dim: number; keepdim?: boolean },
  options?: { keepdim?: boolean },
): ValuesAndIndices;
export function max(...args: unknown[]): Tensor | ValuesAndIndices {
  return extremes("max", args);
}

/** The smallest element; along a dimension `[values, indices]`; of two tensors the smaller elements. */
export function min(input: Tensor): Tensor;
export function min(input: Tensor, other: Tensor): Tensor;
export function min(
  input: Tensor,
  dim: number | { dim: number; keepdim?: boolean },
  options?: { keepdim?: boolean },
): ValuesAndIndices;
export function min(...args: unknown[]): Tensor | ValuesAndIndices {
  return extremes("min", args);
}

export interface ArgOptions {
  dim?: number | null;
  keepdim?: boolean;
}

function extremeIndex(name: "argmax" | "argmin", args: unknown[]): Tensor {
  const {
    input,
    dim = null,
    keepdim = false,
  } = bind<{ input: Tensor } & ArgOptions>(name, ["!input", "dim: int?", "keepdim: bool"], args);
  assertTensor(input, name, "input", 1);
  if (input.numel() === 0 && dim === null) {
    throw new IndexError(`${name}(): Expected reduction dim to be specified for input.numel() == 0.`);
  }
  const axis = dim === null ? 0 : normalizeDim(dim, input.ndim);
  if (input.dtype === bool) throw new RuntimeError(`${name}(): does not support bool input`);
  if (dim !== null && input.shape[axis] === 0) {
    throw new IndexError(`${name}(): Expected reduction dim ${axis} to have non-zero size.`);
  }
  return call(name === "argmax" ? Argmax : Argmin, { dim: axis, keepdim, all: dim === null }, input);
}

/** Position of the largest element (the first of equals), flat or along `dim`. */
export function argmax(input: Tensor, dim?: number | null | ArgOptions, options?: ArgOptions): Tensor;
export function argmax(...args: unknown[]): Tensor {
  return extremeIndex("argmax", args);
}

/** Position of the smallest element (the first of equals), flat or along `dim`. */
export function argmin(input: Tensor, dim?: number | null | ArgOptions, options?: ArgOptions): Tensor;
export function argmin(...args: unknown[]): Tensor {
  return extremeIndex("argmin", args);
}

methods({ max, min, argmax, argmin });

declare module "../core/tensor.ts" {
  interface Tensor {
    /** The largest element; along a dimension `[values, indices]`. */
    max(): Tensor;
    max(other: Tensor): Tensor;
    max(dim: number | { dim: number; keepdim?: boolean }, options?: { keepdim?: boolean }): ValuesAndIndices;
    /** The smallest element; along a dimension `[values, indices]`. */
    min(): Tensor;
    min(other: Tensor): Tensor;
    min(dim: number | { dim: number; keepdim?: boolean }, options?: { keepdim?: boolean }): ValuesAndIndices;
    /** Position of the largest element, flat or along `dim`. */
    argmax: Method<typeof argmax>;
    /** Position of the smallest element, flat or along `dim`. */
    argmin: Method<typeof argmin>;
  }
}
