/** Questions about tensors and dtypes, and tensors made like another one. */
import { bool, type DType, promoteTypes } from "../core/dtype.ts";
import { RuntimeError } from "../core/errors.ts";
import { canCast, resultType as resultTypeOf } from "../core/promotion.ts";
import { checked } from "../core/signature.ts";
import { Tensor } from "../core/tensor.ts";
import {
  empty,
  full,
  ones,
  type SizeArguments,
  shapeAndOptions,
  type TensorData,
  type TensorOptions,
  tensor,
  zeros,
} from "./creation.ts";
import { asOperand, type Scalar } from "./operands.ts";
import { methods } from "./registry.ts";

/** Number of elements. */
export const numel = checked("numel(Tensor input)", (input: Tensor): number => {
  return input.numel();
});

/** Whether this is a tensor. */
export function isTensor(value: unknown): value is Tensor {
  return value instanceof Tensor;
}

/** Whether the dtype is floating. */
export const isFloatingPoint = checked("is_floating_point(Tensor input)", (input: Tensor): boolean => {
  return input.isFloatingPoint();
});

/** Whether the one element is not zero. @throws RuntimeError for more or fewer elements */
export const isNonzero = checked("is_nonzero(Tensor input)", (input: Tensor): boolean => {
  const count = input.numel();
  if (count === 0) throw new RuntimeError("Boolean value of Tensor with no values is ambiguous");
  if (count > 1) throw new RuntimeError("Boolean value of Tensor with more than one value is ambiguous");
  return Boolean(input.item());
});

/** The dtype that an operation of both gives; numbers count only by their kind. https://docs.pytorch.org/docs/2.13/generated/torch.result_type.html */
export function resultType(tensor1: Tensor | Scalar, tensor2: Tensor | Scalar): DType {
  return resultTypeOf(asOperand(tensor1, "result_type", "tensor1", 1), asOperand(tensor2, "result_type", "tensor2", 2));
}

/** A tensor as it is, anything else as `torch.tensor` makes one. https://docs.pytorch.org/docs/2.13/generated/torch.as_tensor.html */
export function asTensor(data: TensorData, options: TensorOptions = {}): Tensor {
  const { dtype } = options;
  if (!(data instanceof Tensor)) return tensor(data, options);
  return dtype && dtype !== data.dtype ? data.to(dtype) : data;
}

type Sized = (self: Tensor, ...args: SizeArguments) => Tensor;

/** A creation function whose dtype is the tensor's own unless one is given. */
function like(name: string, make: (...args: SizeArguments) => Tensor): Sized {
  return (self, ...args) => {
    const { shape, options } = shapeAndOptions(name, args);
    return make(shape, { dtype: self.dtype, ...options });
  };
}

methods({
  newZeros: like("new_zeros", zeros),
  newOnes: like("new_ones", ones),
  newEmpty: like("new_empty", empty),
  newFull: (self, size: readonly number[], fillValue: number | boolean, options: TensorOptions = {}) =>
    full(size, fillValue, { dtype: self.dtype, ...options }),
  newTensor: (self, data: TensorData, options: TensorOptions = {}) => tensor(data, { dtype: self.dtype, ...options }),
  isNonzero,
  ndimension: (self) => self.ndim,
  isSameSize: (self, other: Tensor) => String(self.shape) === String(other.shape),
  isSigned: (self) => self.dtype !== bool && self.dtype.name !== "uint8",
});

export { canCast, promoteTypes };

declare module "../core/tensor.ts" {
  interface Tensor {
    /** Zeros of another shape in this tensor's dtype. */
    newZeros(...args: SizeArguments): Tensor;
    /** Ones of another shape in this tensor's dtype. */
    newOnes(...args: SizeArguments): Tensor;
    /** Unspecified contents (here: zeros) in this tensor's dtype. */
    newEmpty(...args: SizeArguments): Tensor;
    /** A tensor of the given shape filled with one value, of this tensor's dtype unless `dtype` says otherwise. */
    newFull(size: readonly number[], fillValue: number | boolean, options?: TensorOptions): Tensor;
    /** `torch.tensor` with this tensor's dtype as the default. */
    newTensor(data: TensorData, options?: TensorOptions): Tensor;
    /** Whether the one element is not zero. */
    isNonzero(): boolean;
    /** Number of dimensions. */
    ndimension(): number;
    /** Whether the other tensor has the same shape. */
    isSameSize(other: Tensor): boolean;
    /** Whether the dtype holds negative numbers. */
    isSigned(): boolean;
  }
}
