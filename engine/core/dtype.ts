/**
 * The six element types and PyTorch's promotion between them.
 * https://docs.pytorch.org/docs/2.13/tensor_attributes.html#torch-dtype
 */
import { allocationFailed } from "./memory.ts";

export type DTypeName = "float32" | "float64" | "int32" | "int64" | "uint8" | "bool";

/** What a CPU storage is made of. int64 lives in doubles: exact to 2^53, and an operation that leaves that range throws. */
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array;

type Category = "bool" | "integer" | "floating";

/** What an element of a tensor is: `torch.float32` and its like. https://docs.pytorch.org/docs/2.13/tensor_attributes.html#torch-dtype */
export class DType {
  readonly name: DTypeName;
  readonly itemsize: number;
  /** Position in PyTorch's lattice: bool < integers < floats; within a category the wider one wins. */
  readonly category: Category;
  readonly rank: number;

  constructor(name: DTypeName, itemsize: number, category: Category, rank: number) {
    this.name = name;
    this.itemsize = itemsize;
    this.category = category;
    this.rank = rank;
  }

  get isFloatingPoint(): boolean {
    return this.category === "floating";
  }

  /** `torch.float32`, as Python prints it. */
  toString(): string {
    return `torch.${this.name}`;
  }
}

export const bool = new DType("bool", 1, "bool", 0);
export const uint8 = new DType("uint8", 1, "integer", 1);
export const int32 = new DType("int32", 4, "integer", 2);
export const int64 = new DType("int64", 8, "integer", 3);
export const float32 = new DType("float32", 4, "floating", 4);
export const float64 = new DType("float64", 8, "floating", 5);

export const DTYPES: Readonly<Record<DTypeName, DType>> = { bool, uint8, int32, int64, float32, float64 };

/** The dtype of an operation between two tensors of the same kind (both with dimensions, or both without). */
export function promoteTypes(a: DType, b: DType): DType {
  return a.rank >= b.rank ? a : b;
}

/**
 * A new buffer of zeros for that many elements.
 * @throws RuntimeError when the platform has no room for it; it names what holds the most
 */
export function allocate(dtype: DType, length: number): TypedArray {
  try {
    return zeros(dtype, length);
  } catch (error) {
    if (error instanceof RangeError && length >= 0) throw allocationFailed(length * dtype.itemsize);
    throw error;
  }
}

function zeros(dtype: DType, length: number): TypedArray {
  switch (dtype.name) {
    case "float32":
      return new Float32Array(length);
    case "float64":
    case "int64":
      return new Float64Array(length);
    case "int32":
      return new Int32Array(length);
    default:
      return new Uint8Array(length);
  }
}
