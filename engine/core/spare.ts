/**
 * Memory of tensors that are known to be gone, for the next ones of the same size. Fresh memory is dear in a browser: its
 * pages are only made when they are first written to, which takes longer than most operations on them.
 */
import type { DType, TypedArray } from "./dtype.ts";

/** Smaller buffers cost more to follow than they save. */
const LEAST_BYTES = 64 * 1024;

/** What lies here is used by nobody. */
const MOST_BYTES = 64 * 1024 * 1024;

const spare = new Map<number, ArrayBuffer[]>();
let bytes = 0;

/** Takes a buffer over; the caller makes sure that nobody has it. */
export function keepSpare({ buffer, byteLength }: TypedArray): void {
  if (byteLength < LEAST_BYTES || byteLength !== buffer.byteLength || bytes + byteLength > MOST_BYTES) return;
  const same = spare.get(byteLength) ?? [];
  spare.set(byteLength, same);
  same.push(buffer as ArrayBuffer);
  bytes += byteLength;
}

/** Zeros in memory that was used before; null when there is none of this size. */
export function takeSpare(dtype: DType, length: number): TypedArray | null {
  const buffer = spare.get(length * dtype.itemsize)?.pop();
  if (!buffer) return null;
  bytes -= buffer.byteLength;
  const data = arrayOver(dtype, buffer);
  data.fill(0);
  return data;
}

function arrayOver(dtype: DType, buffer: ArrayBuffer): TypedArray {
  switch (dtype.name) {
    case "float32":
      return new Float32Array(buffer);
    case "float64":
    case "int64":
      return new Float64Array(buffer);
    case "int32":
      return new Int32Array(buffer);
    default:
      return new Uint8Array(buffer);
  }
}
