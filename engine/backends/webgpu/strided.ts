/**
 * Strided operands in WGSL. Views that a kernel walks together are merged (reference/strided.ts) to as few axes as their
 * layouts allow; the axes that are left come as numbers in the uniform block, so one shader serves all shapes.
 */

import { contiguousStrides } from "../../core/shape.ts";
import type { View } from "../backend.ts";
import { mergeAxes, sizeOf } from "../reference/strided.ts";

/** Axes that a shader walks at most after merging. */
export const MOST_AXES = 8;

export interface Walk {
  /** How many elements. */
  count: number;
  shape: number[];
  /** Per view. */
  strides: number[][];
  offsets: number[];
  /** Whether all views lie row by row: element t of view k is at offset + t. */
  dense: boolean;
}

/** null when the views have more axes than shaders walk. */
export function walk(views: readonly View[]): Walk | null {
  const { shape, strides } = mergeAxes(views);
  if (shape.length > MOST_AXES) return null;
  const dense = shape.length === 0 || (shape.length === 1 && strides.every(([stride]) => stride === 1));
  return { count: sizeOf(views[0]!), shape, strides, offsets: views.map(({ offset }) => offset), dense };
}

export interface Axes {
  shape: number[];
  strides: number[];
}

/** Some axes of a view, from `from` up to `to`, merged to as few as can be. */
export function axesOf({ shape, strides, dtype }: View, from: number, to?: number): Axes {
  const part = viewOf(
    { data: NO_DATA, shape, strides, offset: 0, dtype },
    shape.slice(from, to),
    strides.slice(from, to),
  );
  const merged = mergeAxes([part]);
  return { shape: merged.shape, strides: merged.strides[0]! };
}

/** Another view of the same memory. Not made by spreading, which would fetch `data`. */
export function viewOf(
  { memory, offset, dtype }: View,
  shape: readonly number[],
  strides: readonly number[] = contiguousStrides(shape),
): View {
  const view = { data: NO_DATA, shape, strides, offset, dtype };
  return memory ? { ...view, memory } : view;
}

/** The axes of a view in another order. */
export function permuted(view: View, order: readonly number[]): View {
  return viewOf(
    view,
    order.map((axis) => view.shape[axis]!),
    order.map((axis) => view.strides[axis]!),
  );
}

/** What a view on the GPU has none of: looking for it would fetch it. */
const NO_DATA = new Float32Array(0);
