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

/** With fewer rows the other matrix costs more to pack than to multiply. */
const FEWEST_ROWS = 4;

/** Floats of a matrix that are worked on at a time, so that they are still in the first cache. */
const CHUNK = 8192;

/** [rows, k] · [k, m] for a few rows, by reading the matrix once, in whichever direction its numbers lie side by side. */
function rowsTimes(s: Scratch, batch: number, a: Matrices, b: Matrices, size: Product, out: TypedArray): void {
  const { n, k, m } = size;
  const inRows = b.col === 1;
  const [lines, length, step] = inRows ? [k, m, b.row] : [m, k, b.col];
  const chunk = Math.min(lines, Math.max(1, Math.floor(CHUNK / step)));
  s.begin();
  const pa = s.floats(n * k);
  const pb = s.floats((chunk - 1) * step + length);
  const pc = s.floats(n * m);
  const wasm = s.call;
  for (let i = 0; i < batch; i++) {
    if (a.col === 1 && a.row === k) s.write(pa, a.data, a.start + i * a.batchStride, n * k);
    else {
      const rows = s.view(pa, n * k);
      for (let r = 0, at = 0; r < n; r++) {
        const from = a.start + i * a.batchStride + r * a.row;
        for (let t = 0; t < k; t++) rows[at++] = a.data[from + t * a.col]!;
      }
    }
    if (inRows) s.fill(pc, n * m, 0);
    for (let first = 0; first < lines; first += chunk) {
      const count = Math.min(chunk, lines - first);
      s.write(pb, b.data, b.start + i * b.batchStride + first * step, (count - 1) * step + length);
      for (let r = 0; r < n; r++) {
        const [row, sums] = [pa + 4 * r * k, pc + 4 * r * m];
        if (inRows) wasm.addRowTimesRows(row + 4 * first, pb, 4 * step, count, m, sums);
        else wasm.rowTimesColumns(row, pb, 4 * step, k, count, sums + 4 * first);
      }
    }
    s.read(pc, n * m, out, i * n * m);
  }
}

/** [n, 1] · [1, m] */
function outerProducts(s: Scratch, batch: number, a: Matrices, b: Matrices, { n, m }: Product, out: TypedArray): void {
  s.begin();
  const chunk = Math.min(n, Math.max(1, Math.floor(CHUNK / m)));
  const column = s.floats(n);
  const row = s.floats(m);
  const result = s.floats(chunk * m);
  for (let i = 0; i < batch; i++) {
    s.write(column, a.data, a.start + i * a.batchStride, n);
    s.write(row, b.data, b.start + i * b.batchStride, m);
    for (let first = 0; first < n; first += chunk) {
      const count = Math.min(chunk, n - first);
      s.call.outerProduct(column + 4 * first, row, count, m, result);
      s.read(result, count * m, out, (i * n + first) * m);
    }
  }
}

/** [n, k] · [k, m] */
interface Product {
  n: number;
  k: number;
  m: number;
}

const turned = (x: Matrices): Matrices => ({ ...x, row: x.col, col: x.row });

/** Whether the numbers of each row, or of each column, lie side by side. */
const inLines = (x: Matrices) => x.row === 1 || x.col === 1;

/** Products of vectors: what little is computed with each number leaves no time for packing. */
function vectors(s: Scratch, batch: number, a: Matrices, b: Matrices, size: Product, out: TypedArray): boolean {
  const { n, k, m } = size;
  if (k === 1 && (n === 1 || a.row === 1) && (m === 1 || b.col === 1)) outerProducts(s, batch, a, b, size, out);
  else if (m === 1 && inLines(a)) rowsTimes(s, batch, turned(b), turned(a), { n: 1, k, m: n }, out);
  else if (n < FEWEST_ROWS && inLines(b)) rowsTimes(s, batch, a, b, size, out);
  else return false;
  return true;
}

export function matmul(s: Scratch, a: View, b: View, out: View): boolean {
  if (a.dtype.name !== "float32" || b.dtype.name !== "float32" || out.dtype.name !== "float32") return false;
  const [batch, n, k] = a.shape as [number, number, number];
  const m = b.shape[2]!;
  if (batch * n * m * k === 0) return false;
  const left = matricesOf(a);
  const right = matricesOf(b);
  const target = outData(out);
  if (4 * (n * k + n * m + k * m) <= MOST_BYTES && vectors(s, batch, left, right, { n, k, m }, target)) return true;
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
