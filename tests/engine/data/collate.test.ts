import { expect, it } from "vitest";
import type { Tensor } from "../../../engine/core/tensor.ts";
import "../../../engine/ops/index.ts";
import { defaultCollate, defaultConvert } from "../../../engine/data/index.ts";
import { Picture } from "../../../engine/torchvision/picture.ts";
import { tensorOf, valuesOf } from "./support.ts";

const described = (tensor: Tensor) => [tensor.dtype.name, [...tensor.shape], valuesOf(tensor)];

it("whole numbers become int64, others float64, booleans bool, text stays text", () => {
  expect(described(defaultCollate([1, 2, 3]))).toEqual(["int64", [3], [1, 2, 3]]);
  expect(described(defaultCollate([1, 2.5]))).toEqual(["float64", [2], [1, 2.5]]);
  expect(described(defaultCollate([true, false]))).toEqual(["bool", [2], [1, 0]]);
  expect(defaultCollate(["cat", "dog"])).toEqual(["cat", "dog"]);
});

it("tensors are stacked, also views and tensors of one number", () => {
  const x = tensorOf([0, 1, 2, 3, 4, 5], [2, 3]);
  expect(described(defaultCollate([x.t().at(1), x.t().at(2)]))).toEqual(["float32", [2, 2], [1, 4, 2, 5]]);
  expect(described(defaultCollate([tensorOf([4], []), tensorOf([5], [])]))).toEqual(["float32", [2], [4, 5]]);
});

it("gradients flow through a batch of tensors that require them", () => {
  const [a, b] = [tensorOf([1], [1]).requiresGrad_(), tensorOf([2], [1]).requiresGrad_()];
  const batch = defaultCollate([a, b]);
  batch.sum().backward();
  expect(batch.gradFn!.name).toBe("StackBackward0");
  expect([valuesOf(a.grad!), valuesOf(b.grad!)]).toEqual([[1], [1]]);
});

it("typed arrays become tensors", () => {
  expect(described(defaultCollate([Float32Array.of(1, 2), Float32Array.of(3, 4)]))).toEqual([
    "float32",
    [2, 2],
    [1, 2, 3, 4],
  ]);
  expect((defaultConvert(Uint8Array.of(1)) as Tensor).dtype.name).toBe("uint8");
  expect(() => defaultCollate([new Int8Array(1)])).toThrow(/Int8Array/);
});

it("lists and dictionaries keep their form", () => {
  const [x, y] = defaultCollate<[Tensor, number]>([
    [tensorOf([1], [1]), 0],
    [tensorOf([2], [1]), 9],
  ]);
  expect([described(x), described(y)]).toEqual([
    ["float32", [2, 1], [1, 2]],
    ["int64", [2], [0, 9]],
  ]);
  const batch = defaultCollate([
    { name: "a", size: 1 },
    { name: "b", size: 2 },
  ]);
  expect(batch.name).toEqual(["a", "b"]);
  expect(valuesOf(batch.size)).toEqual([1, 2]);
});

it("pictures are refused with the way out", () => {
  const picture = new Picture(new Uint8Array(3), 1, 1);
  expect(() => defaultCollate([picture])).toThrow(
    /found <class 'PIL\.Image\.Image'>\nhint: .*transform: new transforms\.ToTensor\(\)/,
  );
});
