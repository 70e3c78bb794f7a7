/** One axis of a sliding window as a ruler shows it: bars, ghosts, and the positions that no window reads. Pure. */
import type { WindowGeometry } from "../../../engine/inspect/windows.ts";

/** How the output size was counted; PyTorch's pooling may round up, convolution never does. */
export interface AxisRule {
  size: number;
  kernel: number;
  stride: number;
  padBefore: number;
  padAfter: number;
  dilation: number;
  out: number;
  ceil: boolean;
}

export interface AxisBar {
  index: number;
  /** First tap, in input positions; may be negative (padding). */
  start: number;
  /** Every position it reads, padding and beyond included. */
  taps: number[];
  /** A window that reaches past the padding, which only ceil_mode allows: how many taps stay inside the padded axis. */
  clippedTo: number | null;
}

export interface AxisGhost {
  index: number;
  start: number;
  taps: number[];
  /** "short": floor drops it, its last tap lies past the padding. "late": ceil would count it, the drop rule strikes it out. */
  reason: "short" | "late";
}

export interface Axis extends AxisRule {
  bars: AxisBar[];
  ghost: AxisGhost | null;
  /** Positions 0…size-1 that no window reads. */
  unread: number[];
  /** Windows lanes × stride apart never overlap, so they can share a line. */
  lanes: number;
  numerator: number;
  /** What rounding up alone would count. */
  naiveCeil: number;
}

export function describeAxis(rule: AxisRule): Axis {
  const { size, kernel, stride, padBefore, padAfter, dilation, out } = rule;
  const effective = dilation * (kernel - 1) + 1;
  const tapsFrom = (start: number) => Array.from({ length: kernel }, (_, k) => start + k * dilation);
  const read = new Set<number>();
  const bars: AxisBar[] = [];
  for (let index = 0; index < out; index++) {
    const start = index * stride - padBefore;
    const taps = tapsFrom(start);
    for (const tap of taps) read.add(tap);
    const inPadded = taps.filter((tap) => tap < size + padAfter).length;
    bars.push({ index, start, taps, clippedTo: inPadded < kernel ? inPadded : null });
  }
  const unread = Array.from({ length: size }, (_, k) => k).filter((k) => !read.has(k));
  const numerator = size + padBefore + padAfter - dilation * (kernel - 1) - 1;
  const naiveCeil = Math.ceil(numerator / stride) + 1;
  const nextStart = out * stride - padBefore;
  let ghost: AxisGhost | null = null;
  if (rule.ceil && naiveCeil > out) ghost = { index: out, start: nextStart, taps: tapsFrom(nextStart), reason: "late" };
  else if (!rule.ceil && naiveCeil > out && nextStart < size + padAfter)
    ghost = { index: out, start: nextStart, taps: tapsFrom(nextStart), reason: "short" };
  return { ...rule, bars, ghost, unread, lanes: Math.max(1, Math.ceil(effective / stride)), numerator, naiveCeil };
}

/** Padding after the last position; "same" with an even kernel puts the odd one at the end. */
export function padAfterOf(
  size: number,
  out: number,
  kernel: number,
  stride: number,
  dilation: number,
  padBefore: number,
  symmetric: boolean,
): number {
  if (symmetric) return padBefore;
  return Math.max(0, (out - 1) * stride + dilation * (kernel - 1) + 1 - size - padBefore);
}

/** Both axes of a geometry. `symmetric` is false only for padding="same". */
export function axesOf(g: WindowGeometry, ceil: boolean, symmetric: boolean): { rows: Axis; cols: Axis } {
  const rows = describeAxis({
    size: g.h,
    kernel: g.kernelH,
    stride: g.strideH,
    padBefore: g.padTop,
    padAfter: padAfterOf(g.h, g.outH, g.kernelH, g.strideH, g.dilationH, g.padTop, symmetric),
    dilation: g.dilationH,
    out: g.outH,
    ceil,
  });
  const cols = describeAxis({
    size: g.w,
    kernel: g.kernelW,
    stride: g.strideW,
    padBefore: g.padLeft,
    padAfter: padAfterOf(g.w, g.outW, g.kernelW, g.strideW, g.dilationW, g.padLeft, symmetric),
    dilation: g.dilationW,
    out: g.outW,
    ceil,
  });
  return { rows, cols };
}

/** How many input cells of one channel no window reads. */
export function unreadCount(axes: { rows: Axis; cols: Axis }): number {
  const { rows, cols } = axes;
  return rows.size * cols.size - (rows.size - rows.unread.length) * (cols.size - cols.unread.length);
}
