/** Arithmetic of shapes and strides; pure functions with PyTorch's rules and messages. */
import { IndexError, RuntimeError, TypeError } from "./errors.ts";
import { pythonTypeName } from "./tensor.ts";

export type Shape = readonly number[];

export function numel(shape: Shape): number {
  let product = 1;
  for (let i = 0; i < shape.length; i++) product *= shape[i]!;
  return product;
}

/** Row-major strides; axes of size 0 count as 1, as PyTorch's do. */
export function contiguousStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= Math.max(shape[i]!, 1);
  }
  return strides;
}

export function isContiguous(shape: Shape, strides: readonly number[]): boolean {
  let expected = 1;
  if (shape.includes(0)) return true;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== expected) return false;
    expected *= shape[i]!;
  }
  return true;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** `[2, 3]`, as PyTorch's messages write a size. */
export function sizeText(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/**
 * The shape two shapes broadcast to. https://docs.pytorch.org/docs/2.13/notes/broadcasting.html
 * @throws RuntimeError where two sizes differ and neither is 1.
 */
export function broadcastShapes(a: Shape, b: Shape): number[] {
  const ndim = Math.max(a.length, b.length);
  const out = new Array<number>(ndim);
  for (let i = ndim - 1; i >= 0; i--) {
    const sizeA = a[i - ndim + a.length] ?? 1;
    const sizeB = b[i - ndim + b.length] ?? 1;
    if (sizeA !== sizeB && sizeA !== 1 && sizeB !== 1) {
      throw new RuntimeError(
        `The size of tensor a (${sizeA}) must match the size of tensor b (${sizeB}) at non-singleton dimension ${i}`,
        { shapes: [a, b] },
      );
    }
    out[i] = sizeA === 1 ? sizeB : sizeA;
  }
  return out;
}

/** Strides that read a tensor of `shape` as if it had `target`: 0 along every axis that is repeated. */
export function broadcastStrides(shape: Shape, strides: readonly number[], target: Shape): number[] {
  const shift = target.length - shape.length;
  return target.map((size, i) => (i < shift || (shape[i - shift] === 1 && size !== 1) ? 0 : strides[i - shift]!));
}

/** As `broadcastStrides`, with the strides that ATen's expand gives a new axis of size 1: as if it had been unsqueezed. */
export function expandStrides(shape: Shape, strides: readonly number[], target: Shape): number[] {
  const out = broadcastStrides(shape, strides, target);
  if (shape.length === 0) return out;
  for (let i = target.length - shape.length - 1; i >= 0; i--) {
    if (target[i] === 1) out[i] = i + 1 < target.length ? target[i + 1]! * out[i + 1]! : 1;
  }
  return out;
}

/**
 * A dimension from -ndim to ndim-1 as 0 to ndim-1; a 0-d tensor counts as having one.
 * @throws IndexError out of that range, TypeError for what is no whole number
 */
export function normalizeDim(dim: number, ndim: number): number {
  const range = Math.max(ndim, 1);
  if (!Number.isInteger(dim)) throw new TypeError(`argument 'dim' must be int, not ${pythonTypeName(dim)}`);
  if (dim < -range || dim >= range) {
    throw new IndexError(
      `Dimension out of range (expected to be in range of [${-range}, ${range - 1}], but got ${dim})`,
    );
  }
  return dim < 0 ? dim + range : dim;
}

/** The given dimensions, normalized and ascending; all of them for undefined, null or []. */
export function normalizeDims(dims: number | readonly number[] | null | undefined, ndim: number): number[] {
  if (dims === null || dims === undefined || (Array.isArray(dims) && dims.length === 0)) {
    return Array.from({ length: ndim }, (_, i) => i);
  }
  const list = typeof dims === "number" ? [dims] : dims;
  const seen = new Set<number>();
  for (const dim of list) {
    const normal = normalizeDim(dim, ndim);
    if (seen.has(normal)) throw new RuntimeError(`dim ${normal} appears multiple times in the list of dims`);
    seen.add(normal);
  }
  // A 0-d tensor accepts dim 0 and -1 and has nothing to reduce.
  return ndim === 0 ? [] : [...seen].sort((a, b) => a - b);
}

/**
 * A shape with at most one -1, which is solved for `count` elements.
 * @throws RuntimeError when the sizes do not multiply to `count`.
 */
export function inferShape(shape: Shape, count: number): number[] {
  let known = 1;
  let unknown = -1;
  for (let i = 0; i < shape.length; i++) {
    if (shape[i] === -1) {
      if (unknown >= 0) throw new RuntimeError("only one dimension can be inferred");
      unknown = i;
    } else if (shape[i]! < 0 || !Number.isInteger(shape[i])) {
      throw new RuntimeError(`invalid shape dimension ${shape[i]}`);
    } else known *= shape[i]!;
  }
  const fits = unknown < 0 ? known === count : known > 0 && count % known === 0;
  if (!fits) {
    if (unknown >= 0 && known === 0 && count === 0) {
      throw new RuntimeError(
        `cannot reshape tensor of 0 elements into shape ${sizeText(shape)} because the unspecified dimension size -1 can be any value and is ambiguous`,
      );
    }
    throw new RuntimeError(`shape '${sizeText(shape)}' is invalid for input of size ${count}`, { shapes: [shape] });
  }
  return unknown < 0 ? [...shape] : shape.map((size, i) => (i === unknown ? count / known : size));
}

/** Strides of the same storage read as `newShape`, or null where that needs a copy (ATen's computeStride). */
export function viewStrides(shape: Shape, strides: readonly number[], newShape: Shape): number[] | null {
  if (numel(shape) === 0) return sameShape(shape, newShape) ? [...strides] : contiguousStrides(newShape);
  if (shape.length === 0) return newShape.map(() => 1);
  const out = new Array<number>(newShape.length);
  let view = newShape.length - 1;
  let chunkStride = strides[shape.length - 1]!;
  let chunk = 1;
  let taken = 1;
  for (let dim = shape.length - 1; dim >= 0; dim--) {
    chunk *= shape[dim]!;
    const chunkEnds = dim === 0 || (shape[dim - 1] !== 1 && strides[dim - 1] !== chunk * chunkStride);
    if (!chunkEnds) continue;
    while (view >= 0 && (taken < chunk || newShape[view] === 1)) {
      out[view] = taken * chunkStride;
      taken *= newShape[view]!;
      view--;
    }
    if (taken !== chunk) return null;
    if (dim > 0) {
      chunkStride = strides[dim - 1]!;
      chunk = 1;
      taken = 1;
    }
  }
  return view === -1 ? out : null;
}
