import { describe, expect, test } from "vitest";
import type { BinaryOp, ReduceOp, UnaryOp, View } from "../../../engine/backends/backend.ts";
import { referenceKernels as kernels } from "../../../engine/backends/reference/index.ts";
import { bool, type DType, float32, float64, int32, int64, uint8 } from "../../../engine/core/dtype.ts";
import { poolOutputSize } from "../../../engine/core/window.ts";
import { convGeometry, empty, noise, permuted, relativeError, tensor } from "./views.ts";

const numbers = (x: View) => Array.from(x.data);

function converted(values: number[], from: DType, to: DType): number[] {
  const out = empty([values.length], to);
  kernels.copy(tensor(values, [values.length], from), out);
  return numbers(out);
}

function unary(op: UnaryOp, values: number[], dtype = float32, outType = dtype): number[] {
  const out = empty([values.length], outType);
  kernels.unary(op, tensor(values, [values.length], dtype), out);
  return numbers(out);
}

function binary(op: BinaryOp, a: number[], b: number[], dtype = float32, outType = dtype): number[] {
  const out = empty([a.length], outType);
  kernels.binary(op, tensor(a, [a.length], dtype), tensor(b, [b.length], dtype), out);
  return numbers(out);
}

function reduced(op: ReduceOp, rows: number[][], dtype = float32, outType = dtype): number[] {
  const out = empty([rows.length], outType);
  kernels.reduce(op, tensor(rows.flat(), [rows.length, rows[0]!.length], dtype), out);
  return numbers(out);
}

describe("conversion between dtypes", () => {
  test("floats are truncated to integers, wrapped to uint8, and compared with zero for bool", () => {
    expect(converted([1.9, -1.9, 0.5], float32, int64)).toEqual([1, -1, 0]);
    expect(converted([300.7, -1.5, -300], float32, uint8)).toEqual([44, 255, 212]);
    expect(converted([3e9, -3e9, NaN], float32, int32)).toEqual([-2147483648, -2147483648, -2147483648]);
    expect(converted([2 ** 31 + 5], int64, int32)).toEqual([-2147483643]);
    expect(converted([0, -0, 0.1, NaN], float32, bool)).toEqual([0, 0, 1, 1]);
    expect(converted([0.1], float64, float32)).toEqual([Math.fround(0.1)]);
  });

  test("an int64 that cannot be exact is an error, not a rounded number", () => {
    expect(() => converted([1e17], float64, int64)).toThrow(/only between -2\^53 and 2\^53/);
    expect(() => binary("mul", [2 ** 40], [2 ** 40], int64)).toThrow(/cannot be held exactly/);
    expect(() => reduced("sum", [[2 ** 53, 1, 1]], int64)).toThrow(/cannot be held exactly/);
  });
});

describe("integers", () => {
  test("division rounds down and the remainder takes the divisor's sign", () => {
    expect(binary("floor_divide", [7, -7, 7, -7], [2, 2, -2, -2], int64)).toEqual([3, -4, -4, 3]);
    expect(binary("remainder", [7, -7, 7, -7], [2, 3, -3, -3], int64)).toEqual([1, 2, -2, -1]);
    expect(binary("fmod", [7, -7], [3, 3], int64)).toEqual([1, -1]);
    expect(binary("remainder", [-4], [2], int64)).toEqual([0]);
  });

  test("division by zero is PyTorch's error", () => {
    expect(() => binary("floor_divide", [1], [0], int64)).toThrow("ZeroDivisionError");
    expect(() => binary("remainder", [1], [0], int32)).toThrow("ZeroDivisionError");
  });

  test("powers are exact, and negative ones are 0 except for bases 1 and -1", () => {
    expect(binary("pow", [2, -1, 1, 3], [-1, -3, -5, 4], int64)).toEqual([0, -1, 1, 81]);
    expect(binary("pow", [3], [33], int64)).toEqual([3 ** 33]);
  });

  test("int32 and uint8 wrap around", () => {
    expect(binary("mul", [2 ** 30, 2 ** 31 - 1], [4, 3], int32)).toEqual([0, 2147483645]);
    expect(binary("mul", [200], [2], uint8)).toEqual([144]);
    expect(unary("neg", [3], uint8)).toEqual([253]);
  });

  test("bits beyond 32 are kept", () => {
    expect(binary("bitwise_and", [2 ** 40 + 5], [2 ** 40 + 3], int64)).toEqual([2 ** 40 + 1]);
    expect(binary("bitwise_or", [-1], [2 ** 40], int64)).toEqual([-1]);
  });

  test("true plus true is true", () => {
    expect(binary("add", [1, 1, 0], [1, 0, 0], bool)).toEqual([1, 1, 0]);
  });
});

describe("floats", () => {
  test("floor division and remainder follow Python", () => {
    expect(binary("floor_divide", [5.5, -5.5, 0, 1], [2, 2, -3, 0])).toEqual([2, -3, -0, Infinity]);
    expect(binary("remainder", [5.5, -5.5], [-2, 2])).toEqual([-0.5, 0.5]);
  });

  test("powers follow C where JavaScript does not", () => {
    expect(binary("pow", [0, -1, 1], [0, Infinity, NaN])).toEqual([1, 1, 1]);
  });

  test("halves are rounded to even", () => {
    expect(unary("round", [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 8388609])).toEqual([0, 2, 2, -0, -2, -2, 8388609]);
  });

  test("NaN goes through maxima and has no sign", () => {
    expect(binary("maximum", [NaN, 1, 2], [0, NaN, 3])).toEqual([NaN, NaN, 3]);
    expect(reduced("amax", [[1, NaN, 3]])).toEqual([NaN]);
    expect(reduced("argmax", [[1, NaN, 3, NaN]], float32, int64)).toEqual([1]);
    expect(reduced("argmax", [[3, 7, 7, 1]], float32, int64)).toEqual([1]);
    expect(unary("relu", [NaN, -1, -0, 2])).toEqual([NaN, 0, 0, 2]);
    expect(unary("sign", [NaN, -3, 0])).toEqual([0, -1, 0]);
  });

  test("erf agrees with C's to the last digits in each of its ranges", () => {
    const expected = [0.1124629160182849, 0.7969082124228322, 0.8802050695740817, 0.9953222650189527, 1];
    unary("erf", [0.1, 0.9, 1.1, 2, 7], float64).forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 15);
    });
    expect(unary("erf", [-1.3], float64)[0]).toBeCloseTo(-0.9340079449406524, 15);
  });

  test("sums of float32 are kept in double until they are stored", () => {
    expect(reduced("sum", [[16777216, 1, 1, -16777216]])).toEqual([2]);
  });
});

describe("strided views", () => {
  test("broadcast, transposed and empty views are walked element by element", () => {
    const a = tensor([1, 2, 3, 4, 5, 6], [2, 3]);
    const row = { ...tensor([10, 20, 30], [3]), shape: [2, 3], strides: [0, 1] };
    const out = empty([2, 3]);
    kernels.binary("add", a, row, out);
    expect(numbers(out)).toEqual([11, 22, 33, 14, 25, 36]);

    const turned = empty([3, 2]);
    kernels.copy(permuted(a, [1, 0]), turned);
    expect(numbers(turned)).toEqual([1, 4, 2, 5, 3, 6]);

    kernels.copy(empty([0, 3]), empty([0, 3]));
  });

  test("a copy may write into a part of a tensor", () => {
    const target = empty([3, 4]);
    kernels.copy(tensor([1, 2, 3], [3]), { ...target, shape: [3], strides: [4], offset: 1 });
    expect(numbers(target)).toEqual([0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0]);
    kernels.fill({ ...target, shape: [2], strides: [2], offset: 8 }, 7);
    expect(numbers(target).slice(8)).toEqual([7, 3, 7, 0]);
  });
});

describe("convolution", () => {
  test("an infinity meets the padding where it does in PyTorch", () => {
    const [inf, nan] = [Infinity, NaN];
    const g = convGeometry({ n: 1, c: 1, o: 1, size: [4, 4], kernel: [3, 3], padding: [1, 1] });
    const ones = (shape: number[]) => tensor(new Array<number>(shape.reduce((a, b) => a * b)).fill(1), shape);
    const first = (shape: number[]) => {
      const x = ones(shape);
      x.data[0] = inf;
      return x;
    };
    const [out, gradWeight] = [empty([1, 1, 4, 4]), empty([1, 1, 3, 3])];
    kernels.conv(ones([1, 1, 4, 4]), first([1, 1, 3, 3]), null, g, out);
    const below = [nan, inf, inf, inf];
    expect(numbers(out)).toEqual([nan, nan, nan, nan, ...below, ...below, ...below]);
    kernels.convInputGrad(ones([1, 1, 4, 4]), first([1, 1, 3, 3]), g, out);
    expect(numbers(out)).toEqual([inf, inf, inf, 4, inf, inf, inf, 6, inf, inf, inf, 6, 4, 6, 6, 4]);
    kernels.convWeightGrad(ones([1, 1, 4, 4]), first([1, 1, 4, 4]), g, gradWeight);
    expect(numbers(gradWeight)).toEqual([nan, nan, nan, nan, inf, inf, nan, inf, inf]);
    kernels.convWeightGrad(first([1, 1, 4, 4]), ones([1, 1, 4, 4]), g, gradWeight);
    expect(numbers(gradWeight)).toEqual([inf, inf, 9, inf, inf, 12, 9, 12, 9]);
  });

  test("an infinity meets the padding of strided and dilated windows too", () => {
    const [inf, nan] = [Infinity, NaN];
    const [x, w] = [
      tensor(new Array<number>(16).fill(1), [1, 1, 4, 4]),
      tensor([inf, ...new Array<number>(8).fill(1)], [1, 1, 3, 3]),
    ];
    const strided = convGeometry({ n: 1, c: 1, o: 1, size: [4, 4], kernel: [3, 3], padding: [1, 1], stride: [2, 2] });
    const out = empty([1, 1, 2, 2]);
    kernels.conv(x, w, null, strided, out);
    expect(numbers(out)).toEqual([nan, nan, nan, inf]);
    const dilated = convGeometry({ n: 1, c: 1, o: 1, size: [4, 4], kernel: [3, 3], padding: [2, 2], dilation: [2, 2] });
    const wide = empty([1, 1, 4, 4]);
    kernels.conv(x, w, null, dilated, wide);
    expect(numbers(wide)).toEqual([nan, nan, nan, nan, nan, nan, nan, nan, nan, nan, inf, inf, nan, nan, inf, inf]);
    const [grad, gradWeight] = [{ ...x, data: x.data.slice() }, empty([1, 1, 3, 3])];
    grad.data[0] = inf;
    kernels.convWeightGrad(x, grad, dilated, gradWeight);
    expect(numbers(gradWeight)).toEqual([nan, nan, nan, nan, inf, inf, nan, inf, inf]);
  });

  test("gives the worked numbers of the classic example", () => {
    const x = tensor([1, 2, 0, 3, 1, 0, 1, 2, 3, 1, 1, 2, 1, 0, 0, 5, 2, 3, 1, 1, 2, 1, 0, 1, 1], [1, 1, 5, 5]);
    const w = tensor([1, 2, 1, 0, 1, 0, 2, 1, 0], [1, 1, 3, 3]);
    const run = (stride: number, padding: number) => {
      const g = convGeometry({
        n: 1,
        c: 1,
        o: 1,
        size: [5, 5],
        kernel: [3, 3],
        stride: [stride, stride],
        padding: [padding, padding],
      });
      const out = empty([1, 1, g.outH, g.outW]);
      kernels.conv(x, w, null, g, out);
      return numbers(out);
    };
    expect(run(1, 0)).toEqual([10, 12, 12, 18, 16, 16, 13, 9, 3]);
    expect(run(2, 0)).toEqual([10, 12, 13, 3]);
    expect(run(1, 1)).toEqual([1, 3, 4, 10, 8, 5, 10, 12, 12, 6, 7, 18, 16, 16, 8, 11, 13, 9, 3, 4, 14, 13, 9, 7, 4]);
  });

  test("both gradients are the slopes of the forward pass", () => {
    const g = convGeometry({
      n: 2,
      c: 4,
      o: 6,
      groups: 2,
      size: [7, 8],
      kernel: [3, 2],
      stride: [2, 1],
      padding: [1, 2],
      dilation: [1, 2],
    });
    const x = noise([2, 4, 7, 8], 1, float64);
    const w = noise([6, 2, 3, 2], 2, float64);
    const grad = noise([2, 6, g.outH, g.outW], 3, float64);
    const loss = () => {
      const out = empty(grad.shape, float64);
      kernels.conv(x, w, null, g, out);
      return numbers(out).reduce((sum, value, i) => sum + value * grad.data[i]!, 0);
    };
    const slopes = (of: View) => {
      const result = empty(of.shape, float64);
      for (let i = 0; i < of.data.length; i++) {
        const value = of.data[i]!;
        of.data[i] = value + 0.5;
        const above = loss();
        of.data[i] = value - 0.5;
        result.data[i] = above - loss();
        of.data[i] = value;
      }
      return result;
    };
    const gradX = empty(x.shape, float64);
    kernels.convInputGrad(grad, w, g, gradX);
    expect(relativeError(gradX, slopes(x))).toBeLessThan(1e-12);
    const gradW = empty(w.shape, float64);
    kernels.convWeightGrad(x, grad, g, gradW);
    expect(relativeError(gradW, slopes(w))).toBeLessThan(1e-12);
  });
});

describe("pooling", () => {
  const x = tensor(
    Array.from({ length: 25 }, (_, i) => i),
    [1, 1, 5, 5],
  );

  function geometry(kernel: number, stride: number, padding: number, ceilMode: boolean) {
    const side = poolOutputSize(5, kernel, stride, padding, 1, ceilMode);
    const g = convGeometry({ n: 1, c: 1, o: 1, size: [5, 5], kernel: [kernel, kernel] });
    return { ...g, strideH: stride, strideW: stride, padTop: padding, padLeft: padding, outH: side, outW: side };
  }

  test("averages divide by what PyTorch counts, padding included or not", () => {
    const padded = geometry(3, 2, 1, true);
    const out = empty([1, 1, 3, 3]);
    kernels.avgPool(x, padded, true, null, out);
    expect(numbers(out)).toEqual(
      [12 / 9, 27 / 9, 24 / 9, 63 / 9, 12, 81 / 9, 74 / 9 - 2 / 9, 117 / 9, 84 / 9].map(Math.fround),
    );
    kernels.avgPool(x, padded, false, null, out);
    expect(numbers(out)).toEqual([3, 4.5, 6, 10.5, 12, 13.5, 18, 19.5, 21]);
    const clipped = geometry(2, 2, 0, true);
    kernels.avgPool(x, clipped, true, null, out);
    expect(numbers(out)).toEqual([3, 5, 6.5, 13, 15, 16.5, 20.5, 22.5, 24]);
  });

  test("of several NaN the last one's position is kept, as PyTorch keeps it", () => {
    const g = { ...geometry(1, 1, 0, false), h: 1, w: 4, kernelW: 4, outH: 1, outW: 1 };
    const [out, positions] = [empty([1, 1, 1, 1]), empty([1, 1, 1, 1], int64)];
    kernels.maxPool(tensor([NaN, 1, NaN, 2], [1, 1, 1, 4]), g, out, positions);
    expect([out.data[0], positions.data[0]]).toEqual([NaN, 2]);
  });

  test("gradients go back to the winners, and in equal shares to averaged cells", () => {
    const g = geometry(2, 2, 0, false);
    const [out, positions] = [empty([1, 1, 2, 2]), empty([1, 1, 2, 2], int64)];
    kernels.maxPool(x, g, out, positions);
    const grad = tensor([1, 2, 3, 4], [1, 1, 2, 2]);
    const back = empty([1, 1, 5, 5]);
    kernels.maxPoolGrad(grad, positions, g, back);
    expect([6, 8, 16, 18].map((i) => back.data[i])).toEqual([1, 2, 3, 4]);
    kernels.avgPoolGrad(grad, g, true, null, back);
    expect([0, 1, 5, 6, 2, 24].map((i) => back.data[i])).toEqual([0.25, 0.25, 0.25, 0.25, 0.5, 0]);
  });
});

describe("indexing", () => {
  test("selects, adds, gathers and scatters along the middle axis", () => {
    const x = tensor([1, 2, 3, 4, 5, 6], [1, 3, 2]);
    const index = tensor([2, 0, 2], [3], int64);
    const chosen = empty([1, 3, 2]);
    kernels.indexSelect(x, index, chosen);
    expect(numbers(chosen)).toEqual([5, 6, 1, 2, 5, 6]);
    const sum = empty([1, 3, 2]);
    kernels.indexAdd(sum, index, x);
    expect(numbers(sum)).toEqual([3, 4, 0, 0, 6, 8]);
    const at = tensor([2, 0, 1, 1], [1, 2, 2], int64);
    const gathered = empty([1, 2, 2]);
    kernels.gather(x, at, gathered);
    expect(numbers(gathered)).toEqual([5, 2, 3, 4]);
    const scattered = empty([1, 3, 2]);
    kernels.scatterAdd(scattered, at, gathered);
    expect(numbers(scattered)).toEqual([0, 2, 3, 4, 5, 0]);
  });

  test("an index out of range is an error", () => {
    expect(() => kernels.indexSelect(empty([1, 3, 2]), tensor([3], [1], int64), empty([1, 1, 2]))).toThrow(
      "index out of range in self",
    );
  });

  test("running sums and products", () => {
    const out = empty([1, 3, 2], int64);
    const x = tensor([1, 2, 3, 4, 5, 6], [1, 3, 2], int64);
    kernels.cumulative("cumsum", x, out);
    expect(numbers(out)).toEqual([1, 2, 4, 6, 9, 12]);
    kernels.cumulative("cumprod", x, out);
    expect(numbers(out)).toEqual([1, 2, 3, 8, 15, 48]);
  });
});

test("matrix products of int32 wrap as PyTorch's do, and those of int64 are exact", () => {
  const out = empty([1, 1, 1], int32);
  const big = tensor([2 ** 30, 2 ** 31 - 1], [1, 1, 2], int32);
  kernels.matmul(big, tensor([4, 3], [1, 2, 1], int32), out);
  expect(numbers(out)).toEqual([2147483645]);
  const exact = empty([1, 1, 1], int64);
  kernels.matmul(tensor([2 ** 26, 3], [1, 1, 2], int64), tensor([2 ** 26, 1], [1, 2, 1], int64), exact);
  expect(numbers(exact)).toEqual([2 ** 52 + 3]);
});
