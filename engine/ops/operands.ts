/** How operations call kernels: promotion, broadcasting and casting, once for all. */
import type { BinaryOp, UnaryOp, View } from "../backends/backend.ts";
import { kernels } from "../backends/index.ts";
import { CPU, type Device } from "../core/device.ts";
import { allocate, bool, type DType, float64, int64 } from "../core/dtype.ts";
import { TypeError } from "../core/errors.ts";
import { copyStrides, resultStrides, type Strided } from "../core/layout.ts";
import { getDefaultDtype, resultType, scalarDtype } from "../core/promotion.ts";
import { broadcastShapes, broadcastStrides, contiguousStrides, numel, type Shape, sameShape } from "../core/shape.ts";
import { reshapedView, Storage, viewOf } from "../core/storage.ts";
import { pythonTypeName, Tensor } from "../core/tensor.ts";

export type Scalar = number | boolean;
/** What arithmetic accepts beside a tensor. */
export type Operand = Tensor | Scalar;

/** A number as a 0-d tensor that takes part in promotion only by its kind; a fraction keeps all its digits for float64. */
export function wrapNumber(value: Scalar): Tensor {
  const kind = scalarDtype(value);
  const dtype = kind.isFloatingPoint ? float64 : kind;
  const data = allocate(dtype, 1);
  data[0] = Number(value);
  const wrapped = new Tensor(new Storage(dtype, data, CPU), []);
  wrapped.isWrappedNumber = true;
  return wrapped;
}

/** @throws TypeError for anything but a tensor, a number or a boolean. */
export function asOperand(value: unknown, operation: string, argument: string, position: number): Tensor {
  if (value instanceof Tensor) return value;
  if (typeof value === "number" || typeof value === "boolean") return wrapNumber(value);
  throw new TypeError(
    `${operation}(): argument '${argument}' (position ${position}) must be Tensor, not ${pythonTypeName(value)}`,
  );
}

/** The same elements in another dtype, dense; the tensor itself when nothing changes. No gradient. */
export function castRaw(x: Tensor, dtype: DType): Tensor {
  if (x.dtype === dtype) return x;
  const out = Tensor.empty(x.shape, dtype, x.device);
  kernels.copy(x.kernelView, out.kernelView);
  return out;
}

/**
 * A new tensor that an element-wise kernel fills, in the memory order that ATen gives it. The kernel sees all of them with
 * their axes in that order, so that what it writes lies row by row for it.
 */
function elementwise(
  shape: Shape,
  dtype: DType,
  operands: readonly View[],
  strides: readonly number[],
  run: (out: View, ...operands: View[]) => void,
): Tensor {
  const out = new Tensor(Storage.allocate(dtype, numel(shape)), shape, strides);
  if (out.isContiguous()) {
    run(out.kernelView, ...operands);
    return out;
  }
  const order = shape.map((_, axis) => axis).sort((a, b) => strides[b]! - strides[a]! || a - b);
  const ordered = (x: View): View =>
    reshapedView(
      x,
      order.map((axis) => x.shape[axis]!),
      order.map((axis) => x.strides[axis]!),
    );
  run(ordered(out.kernelView), ...operands.map(ordered));
  return out;
}

/** A copy in another dtype or the same one, in the memory order of the original where that has no gaps. No gradient. */
export function copyInOrder(x: Tensor, dtype: DType = x.dtype): Tensor {
  return elementwise(x.shape, dtype, [x.kernelView], copyStrides(x), (out, from) => kernels.copy(from!, out));
}

/** A dense copy. No gradient. */
export function copyRaw(x: Tensor): Tensor {
  const out = Tensor.empty(x.shape, x.dtype, x.device);
  kernels.copy(x.kernelView, out.kernelView);
  return out;
}

/** x as it is when dense, else a dense copy. No gradient. */
export function denseRaw(x: Tensor): Tensor {
  return x.isContiguous() ? x : copyRaw(x);
}

/** How a kernel sees x read with another shape and strides. */
export function viewAs(x: Tensor, shape: Shape, strides: readonly number[] = contiguousStrides(shape)): View {
  return viewOf(x.storage, shape, strides, x.offset);
}

function operandView(x: Tensor, dtype: DType, shape: Shape): View {
  const cast = castRaw(x, dtype);
  if (sameShape(cast.shape, shape)) return cast.kernelView;
  return viewAs(cast, shape, broadcastStrides(cast.shape, cast.strides, shape));
}

/** Where an operand lies, as decides the layout of a result: before any cast. */
function layoutOf(x: Tensor, shape: Shape): Strided {
  return sameShape(x.shape, shape) ? x : { shape: x.shape, strides: broadcastStrides(x.shape, x.strides, shape) };
}

export interface BinaryRule {
  /** The dtype to compute in; default: what promotion says. */
  compute?: DType;
  /** The dtype of the result; default: the one computed in. */
  result?: DType;
}

/** An element-wise kernel over two tensors, promoted and broadcast. */
export function binary(op: BinaryOp, a: Tensor, b: Tensor, rule: BinaryRule = {}): Tensor {
  const compute = rule.compute ?? resultType(a, b);
  const shape = sameShape(a.shape, b.shape) ? a.shape : broadcastShapes(a.shape, b.shape);
  const operands = [operandView(a, compute, shape), operandView(b, compute, shape)];
  const strides = resultStrides(shape, [layoutOf(a, shape), layoutOf(b, shape)]);
  return elementwise(shape, rule.result ?? compute, operands, strides, (out, x, y) => kernels.binary(op, x!, y!, out));
}

/** An element-wise kernel that gives true or false. */
export function comparison(op: BinaryOp, a: Tensor, b: Tensor): Tensor {
  return binary(op, a, b, { result: bool });
}

/** An element-wise kernel of one tensor, in its own dtype. */
export function unary(op: UnaryOp, x: Tensor, dtype: DType = x.dtype): Tensor {
  const strides = resultStrides(x.shape, [x]);
  return elementwise(x.shape, dtype, [x.kernelView], strides, (out, from) => kernels.unary(op, from!, out));
}

/** As `unary` for functions that make floats of integers (exp, sqrt …). */
export function unaryFloat(op: UnaryOp, x: Tensor): Tensor {
  return unary(op, x.dtype.isFloatingPoint ? x : copyInOrder(x, getDefaultDtype()));
}

export function whereRaw(condition: Tensor, a: Tensor, b: Tensor): Tensor {
  const dtype = resultType(a, b);
  const shape = broadcastShapes(condition.shape, broadcastShapes(a.shape, b.shape));
  const operands = [operandView(condition, bool, shape), operandView(a, dtype, shape), operandView(b, dtype, shape)];
  const layouts = [condition, a, b].map((x) => layoutOf(x, shape));
  return elementwise(shape, dtype, operands, resultStrides(shape, layouts), (out, c, x, y) =>
    kernels.where(c!, x!, y!, out),
  );
}

/** A dense tensor filled with one value. */
export function filled(shape: Shape, value: number, dtype: DType, device?: Device): Tensor {
  const out = Tensor.empty(shape, dtype, device);
  // Memory of a device reads as zeros too, but only a kernel notes there how large the integers in it are.
  if (value !== 0 || (dtype === int64 && out.device !== CPU)) kernels.fill(out.kernelView, value);
  return out;
}

/** A tensor of x's shape filled with one value, in x's memory order where that has no gaps. */
export function filledLike(x: Tensor, value: number, dtype: DType): Tensor {
  const out = new Tensor(Storage.allocate(dtype, x.numel(), x.device), x.shape, copyStrides(x));
  if (value !== 0) kernels.fill(out.kernelView, value);
  return out;
}

/** The dtype sums of x have: int64 for integers and booleans. */
export function sumDtype(x: Tensor): DType {
  return x.dtype.isFloatingPoint ? x.dtype : int64;
}
