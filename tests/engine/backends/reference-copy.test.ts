/** Copies of the reference between layouts, against element by element. */
import { expect, test } from "vitest";
import { copy } from "../../../engine/backends/reference/copy.ts";
import { float64, int32 } from "../../../engine/core/dtype.ts";
import { empty, noise, permuted, rowMajor } from "./views.ts";

test.each([
  [[], []],
  [[7], [0]],
  [
    [40, 33],
    [1, 0],
  ],
  [
    [3, 70, 65],
    [0, 2, 1],
  ],
  [
    [4, 5, 6, 7],
    [3, 1, 2, 0],
  ],
  [
    [2, 1, 40, 3],
    [2, 0, 3, 1],
  ],
  [
    [2, 0, 3],
    [2, 1, 0],
  ],
])("%o with its axes as %o, into a dense tensor, a permuted one and another dtype", (shape, axes) => {
  const x = permuted(noise(shape, 2), axes);
  const dense = empty(x.shape);
  copy(x, dense);
  const position = x.shape.map(() => 0);
  for (const value of dense.data) {
    const at = position.reduce((sum, index, axis) => sum + index * x.strides[axis]!, 0);
    expect(value).toBe(x.data[at]);
    for (let axis = x.shape.length - 1; axis >= 0 && ++position[axis]! === x.shape[axis]; axis--) position[axis] = 0;
  }
  const back = permuted(empty(shape), axes);
  copy(dense, back);
  expect(back.data).toEqual(x.data);
  const doubles = empty(x.shape, float64);
  copy(x, doubles);
  expect(Array.from(doubles.data)).toEqual(Array.from(dense.data));
  const tens = { ...dense, data: dense.data.map((value) => value * 10) };
  const integers = empty(x.shape, int32);
  copy({ ...tens, strides: rowMajor(x.shape) }, integers);
  expect(Array.from(integers.data)).toEqual(Array.from(tens.data, (value) => Math.trunc(value) + 0));
});

test("one number is spread, and rows apart stay apart", () => {
  const one = { ...noise([1], 1), shape: [3, 80], strides: [0, 0] };
  const out = empty([3, 80]);
  copy(one, out);
  expect(new Set(out.data)).toEqual(new Set([one.data[0]]));
  const wide = empty([3, 100]);
  copy(noise([3, 80], 4), { ...wide, shape: [3, 80] });
  expect(wide.data.subarray(80, 100).every((value) => value === 0)).toBe(true);
  expect(wide.data.subarray(100, 180)).toEqual(noise([3, 80], 4).data.subarray(80, 160));
});
