import { isInferenceModeEnabled } from "../autograd/mode.ts";
import { allocate, type DType, type TypedArray } from "./dtype.ts";
import { track } from "./memory.ts";
import { keepSpare, takeSpare } from "./spare.ts";

let nextId = 1;

/** The memory behind one or more tensors. Views of it share the version counter that autograd checks. */
export class Storage {
  readonly id: number = nextId++;
  readonly dtype: DType;
  /** Replaced, never resized: in-place operations may swap in a new buffer that every view then sees. */
  data: TypedArray;
  /** How many in-place changes it has seen. */
  version = 0;
  /** Made in inference mode: autograd keeps away from it. */
  readonly isInference: boolean = isInferenceModeEnabled();

  constructor(dtype: DType, data: TypedArray) {
    this.dtype = dtype;
    this.data = data;
    track(this, data.byteLength, dtype.name);
  }

  static allocate(dtype: DType, length: number): Storage {
    return new Storage(dtype, takeSpare(dtype, length) ?? allocate(dtype, length));
  }

  /** The id that the next one will have. */
  static get next(): number {
    return nextId;
  }

  /** Lets the next tensor have the memory; for those who know that nobody holds this one. */
  release(): void {
    const { data } = this;
    this.data = allocate(this.dtype, 0);
    keepSpare(data);
  }
}

/** `count` elements that lie apart, row by row. */
export function gatherDense(
  {
    storage: { data, dtype },
    shape,
    strides,
    offset,
  }: { storage: Storage; shape: readonly number[]; strides: readonly number[]; offset: number },
  count: number,
): TypedArray {
  const out = Storage.allocate(dtype, count).data;
  const index = new Array<number>(shape.length).fill(0);
  let position = offset;
  for (let i = 0; i < count; i++) {
    out[i] = data[position]!;
    for (let dim = shape.length - 1; dim >= 0; dim--) {
      position += strides[dim]!;
      if (++index[dim]! < shape[dim]!) break;
      position -= index[dim]! * strides[dim]!;
      index[dim] = 0;
    }
  }
  return out;
}
