/** The order in memory that ATen gives results: that of the operands where they agree on one, else row by row. */
import { contiguousStrides, isContiguous, type Shape, sameShape } from "./shape.ts";

/** What decides the layout of a result: operands broadcast to its shape, repeated axes having stride 0. */
export interface Strided {
  readonly shape: Shape;
  readonly strides: readonly number[];
}

/** Whether the elements fill a stretch of memory without gaps, in whatever order of the axes. */
function isDenseInSomeOrder({ shape, strides }: Strided): boolean {
  let expected = 1;
  const axes = shape.map((_, axis) => axis).filter((axis) => shape[axis]! > 1);
  if (shape.includes(0)) return true;
  for (const axis of axes.sort((a, b) => strides[a]! - strides[b]!)) {
    if (strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** ATen's order of the axes, the fastest first (TensorIterator's reorder_dimensions). */
function axesByStride(shape: Shape, operands: readonly Strided[]): number[] {
  const order = shape.map((_, i) => shape.length - 1 - i);
  /** 1: `a` moves more slowly than `b`; -1: more quickly; 0: no operand tells. */
  const compare = (a: number, b: number): number => {
    for (const { strides } of operands) {
      const [first, second] = [strides[a]!, strides[b]!];
      if (first === 0 || second === 0) continue;
      if (first !== second) return first < second ? -1 : 1;
      if (shape[a]! > shape[b]!) return 1;
    }
    return 0;
  };
  for (let i = 1; i < order.length; i++) {
    let moving = i;
    for (let j = i - 1; j >= 0; j--) {
      const found = compare(order[j]!, order[moving]!);
      if (found < 0) break;
      if (found === 0) continue;
      [order[j], order[moving]] = [order[moving]!, order[j]!];
      moving = j;
    }
  }
  return order;
}

/** Strides of a dense tensor whose axes move in the order that the operands' axes move in. */
export function stridesInOrder(shape: Shape, operands: readonly Strided[]): number[] {
  const order = axesByStride(shape, operands);
  if (order.every((axis, i) => axis === shape.length - 1 - i)) return contiguousStrides(shape);
  const out = new Array<number>(shape.length);
  let stride = 1;
  for (const axis of order) {
    out[axis] = stride;
    stride *= shape[axis]!;
  }
  return out;
}

/** A picture's channels side by side: [n, c, h, w] with c moving fastest. */
function channelsLast([_, c, h, w]: Shape): number[] {
  return [c! * h! * w!, 1, w! * c!, c!];
}

/** Whether a picture's channels lie side by side. */
export function isChannelsLast({ shape, strides }: Strided): boolean {
  const canonical = channelsLast(shape);
  return shape.every((size, axis) => size === 1 || strides[axis] === canonical[axis]);
}

/** Strides of what an element-wise operation gives (TensorIterator's compute_fast_setup_type and allocation). */
export function resultStrides(shape: Shape, operands: readonly Strided[]): number[] {
  if (operands.some((operand) => !sameShape(operand.shape, shape))) return stridesInOrder(shape, operands);
  if (operands.every(({ strides }) => isContiguous(shape, strides))) return contiguousStrides(shape);
  if (shape.length === 4 && operands.every(isChannelsLast)) return channelsLast(shape);
  const { strides } = operands[0]!;
  const alike = operands.every((operand) => operand.strides.every((stride, axis) => stride === strides[axis]));
  return alike && isDenseInSomeOrder(operands[0]!) ? [...strides] : stridesInOrder(shape, operands);
}

/** Strides of a copy (torch.preserve_format): the original's where it has no gaps. */
export function copyStrides(x: Strided): number[] {
  return isDenseInSomeOrder(x) ? [...x.strides] : stridesInOrder(x.shape, [x]);
}
