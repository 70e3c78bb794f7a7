/** float32 matrix products by the packed kernel; transposed operands are packed from where they lie. */
import type { TypedArray } from "../../core/dtype.ts";
import type { View } from "../backend.ts";
import { denseData, outData } from "../reference/strided.ts";
import { MOST_BYTES, type Scratch } from "./scratch.ts";

/** A batch of matrices in a stretch of memory: row and column strides count numbers. */
interface Matrices {
  data: TypedArray;
  start: number;
  batchStride: number;
  row: number;
  col: number;
  /** How many numbers one matrix spans. */
  span: number;
}

/** Takes the view as it lies where a matrix spans no more than twice its numbers, else row by row. */
function matricesOf(view: View): Matrices {
  const [, n, m] = view.shape as [number, number, number];
  const [batchStride, row, col] = view.strides as [number, number, number];
  const span = (n - 1) * row + (m - 1) * col + 1;
  if (row >= 0 && col >= 0 && batchStride >= 0 && span <= 2 * n * m) {
    return { data: view.data, start: view.offset, batchStride, row, col, span };
  }
  return { data: denseData(view), start: 0, batchStride: n * m, row: m, col: 1, span: n * m };
}

/** Depth of one pass in assembly/gemm.ts. */
const DEPTH = 256;

/** Rows of a and c that are in the working memory at a time. */
const MOST_ROWS = 4096;

export function matmul(s: Scratch, a: View, b: View, out: View): boolean {
  if (a.dtype.name !== "float32" || b.dtype.name !== "float32" || out.dtype.name !== "float32") return false;
  const [batch, n, k] = a.shape as [number, number, number];
  const m = b.shape[2]!;
  if (batch * n * m * k === 0) return false;
  const left = matricesOf(a);
  const right = matricesOf(b);
  const rows = Math.min(n, MOST_ROWS);
  const pitch = Math.ceil(m / 8) * 8;
  const depth = Math.min(k, DEPTH);
  // Rows of a transposed operand are interleaved: it is taken in whole.
  const inRows = left.row >= left.col;
  const leftSpan = inRows ? Math.min(left.span, (rows - 1) * left.row + (k - 1) * left.col + 1) : left.span;
  if (4 * (leftSpan + right.span + rows * pitch + depth * (rows + pitch)) > MOST_BYTES) return false;

  s.begin();
  const pa = s.floats(leftSpan);
  const pb = s.floats(right.span);
  const pc = s.floats(rows * pitch);
  const packedA = s.floats(rows * depth);
  const packedB = s.floats(depth * pitch);
  const target = outData(out);
  const wasm = s.call;
  for (let i = 0; i < batch; i++) {
    if (i === 0 || right.batchStride !== 0) s.write(pb, right.data, right.start + i * right.batchStride, right.span);
    const start = left.start + i * left.batchStride;
    if (!inRows && (i === 0 || left.batchStride !== 0)) s.write(pa, left.data, start, left.span);
    for (let first = 0; first < n; first += rows) {
      const height = Math.min(rows, n - first);
      let from = pa + 4 * first * left.row;
      if (inRows) {
        s.write(pa, left.data, start + first * left.row, (height - 1) * left.row + (k - 1) * left.col + 1);
        from = pa;
      }
      wasm.gemm(from, left.row, left.col, pb, right.row, right.col, height, k, m, packedA, packedB, pc);
      if (pitch !== m) wasm.closeRows(pc, height, pitch, m);
      s.read(pc, height * m, target, (i * n + first) * m);
    }
  }
  return true;
}
