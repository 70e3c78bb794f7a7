/**
 * Where a sliding window reads: the one set of formulas behind the shape rules, the reference kernels and the visualizers.
 * Conv1d and pool1d are the case h = kernelH = 1.
 */

export interface WindowGeometry {
  /** Input height and width. */
  h: number;
  w: number;
  kernelH: number;
  kernelW: number;
  strideH: number;
  strideW: number;
  /** Padding before the first row and column; what is needed after the last follows from outH and outW. */
  padTop: number;
  padLeft: number;
  dilationH: number;
  dilationW: number;
  outH: number;
  outW: number;
}

export interface ConvGeometry extends WindowGeometry {
  n: number;
  /** Input and output channels. */
  c: number;
  o: number;
  groups: number;
}

export interface PoolGeometry extends WindowGeometry {
  n: number;
  c: number;
}

/** One cell of a window: kernel position (u, v) over input position (row, col), which lies in the padding when `inside` is false. */
export interface WindowCell {
  u: number;
  v: number;
  row: number;
  col: number;
  inside: boolean;
}

/** An output cell (i, j) that reads an input cell through kernel position (u, v). */
export interface Reader {
  i: number;
  j: number;
  u: number;
  v: number;
}

/** floor((size + before + after - dilation·(kernel - 1) - 1) / stride) + 1 */
export function convOutputSize(
  size: number,
  kernel: number,
  stride: number,
  padBefore: number,
  padAfter: number,
  dilation: number,
): number {
  return Math.floor((size + padBefore + padAfter - dilation * (kernel - 1) - 1) / stride) + 1;
}

/** PyTorch's pooling size: with ceilMode the last window is dropped unless it starts inside the input or the left padding. */
export function poolOutputSize(
  size: number,
  kernel: number,
  stride: number,
  padding: number,
  dilation: number,
  ceilMode: boolean,
): number {
  const span = size + 2 * padding - dilation * (kernel - 1) - 1;
  const count = Math.floor((span + (ceilMode ? stride - 1 : 0)) / stride) + 1;
  return ceilMode && (count - 1) * stride >= size + padding ? count - 1 : count;
}

/** Every kernel position of output cell (i, j), row by row. */
export function windowOf(g: WindowGeometry, i: number, j: number): WindowCell[] {
  const cells: WindowCell[] = [];
  for (let u = 0; u < g.kernelH; u++) {
    const row = i * g.strideH - g.padTop + u * g.dilationH;
    for (let v = 0; v < g.kernelW; v++) {
      const col = j * g.strideW - g.padLeft + v * g.dilationW;
      cells.push({ u, v, row, col, inside: row >= 0 && row < g.h && col >= 0 && col < g.w });
    }
  }
  return cells;
}

/** Every output cell that reads input cell (row, col), row by row; empty when no window reads it. */
export function readersOf(g: WindowGeometry, row: number, col: number): Reader[] {
  const down = readersAlong(row + g.padTop, g.kernelH, g.strideH, g.dilationH, g.outH);
  const across = readersAlong(col + g.padLeft, g.kernelW, g.strideW, g.dilationW, g.outW);
  return down.flatMap(([i, u]) => across.map(([j, v]) => ({ i, j, u, v })));
}

function readersAlong(
  position: number,
  kernel: number,
  stride: number,
  dilation: number,
  out: number,
): [number, number][] {
  const readers: [number, number][] = [];
  for (let k = kernel - 1; k >= 0; k--) {
    const start = position - k * dilation;
    if (start >= 0 && start % stride === 0 && start / stride < out) readers.push([start / stride, k]);
  }
  return readers;
}

/** The output positions i whose cell i·stride + shift lies inside [0, size): start ≤ i < end, empty when start ≥ end. */
export function reach(size: number, shift: number, stride: number, out: number): { start: number; end: number } {
  return {
    start: shift < 0 ? Math.ceil(-shift / stride) : 0,
    end: Math.min(out, Math.floor((size - 1 - shift) / stride) + 1),
  };
}
