/**
 * Strided operands in WGSL. Views that a kernel walks together are merged (reference/strided.ts) to as few axes as their
 * layouts allow; the axes that are left come as numbers in the uniform block, so one shader serves all shapes.
 */

import type { View } from "../backend.ts";
import { mergeAxes, sizeOf } from "../reference/strided.ts";
import type { Params } from "./params.ts";

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

/** The WGSL of `walkParams`, for so many views; `at_0(i)`, `at_1(i)` … say where element i of a view lies. */
export function walkCode(views: number, dense: boolean, wide: boolean): string {
  void wide;
  const fields = Array.from({ length: views }, (_, k) => `  strides_${k}: array<vec4<i32>, 2>,\n`).join("");
  const params = `struct Walk {\n  count: u32,\n  axes: u32,\n  row: u32,\n  unused: u32,\n  offsets: vec4<u32>,\n  shape: array<vec4<u32>, 2>,\n${fields}}\n`;
  const functions = Array.from({ length: views }, (_, k) =>
    dense
      ? `fn at_${k}(i: u32) -> u32 { return walk.offsets[${k}] + i; }\n`
      : `fn at_${k}(i: u32) -> u32 {
  var rest = i;
  var at = i32(walk.offsets[${k}]);
  for (var axis = i32(walk.axes) - 1; axis >= 0; axis--) {
    let size = walk.shape[axis / 4][axis % 4];
    at += i32(rest % size) * walk.strides_${k}[axis / 4][axis % 4];
    rest /= size;
  }
  return u32(at);
}\n`,
  ).join("");
  return `${params}${functions}`;
}

/** The uniform words of a walk; `row` is how many invocations the first dimension of the grid has. */
export function walkParams(params: Params, { count, shape, strides, offsets }: Walk, row: number): Params {
  params.u32(count, shape.length, row, 0);
  params.u32(...[0, 1, 2, 3].map((k) => offsets[k] ?? 0));
  params.u32(...Array.from({ length: MOST_AXES }, (_, axis) => shape[axis] ?? 1));
  for (const own of strides) params.i32s(own, MOST_AXES);
  return params;
}
