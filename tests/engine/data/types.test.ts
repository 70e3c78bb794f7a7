import { expectTypeOf, it } from "vitest";
import type { Tensor } from "../../../engine/core/tensor.ts";
import { type Collated, DataLoader, Dataset, randomSplit } from "../../../engine/data/index.ts";
import type { CIFAR10 } from "../../../engine/torchvision/datasets.ts";
import type { Picture } from "../../../engine/torchvision/picture.ts";
import * as transforms from "../../../engine/torchvision/transforms.ts";
import { tensorOf } from "./support.ts";

class Points extends Dataset<[Tensor, number]> {
  readonly length = 4;

  override get(index: number): [Tensor, number] {
    return [tensorOf([index], [1]), index];
  }
}

it("a batch's fields are known to the editor without annotations", () => {
  const loader = new DataLoader(new Points(), { batchSize: 2, shuffle: true });
  for (const [points, targets] of loader) {
    expectTypeOf(points).toEqualTypeOf<Tensor>();
    expectTypeOf(targets).toEqualTypeOf<Tensor>();
  }
  const [train] = randomSplit(new Points(), [3, 1]);
  expectTypeOf(train!.get(0)).toEqualTypeOf<[Tensor, number]>();
  expectTypeOf<Collated<{ name: string; size: number }>>().toEqualTypeOf<{ name: string[]; size: Tensor }>();
});

it("a data set's pictures have the type that its transform gives", () => {
  const compose = new transforms.Compose([new transforms.ToTensor(), new transforms.Normalize([0.5], [0.5])]);
  const make = (factory: typeof CIFAR10) => ({
    composed: () => new factory("./data", { train: false, transform: compose, download: true }).get(0),
    tensor: () => new factory("./data", { transform: new transforms.ToTensor() }).get(0),
    plain: () => new factory("./data").get(0),
  });
  expectTypeOf<ReturnType<ReturnType<typeof make>["composed"]>>().toEqualTypeOf<[Tensor, number]>();
  expectTypeOf<ReturnType<ReturnType<typeof make>["tensor"]>>().toEqualTypeOf<[Tensor, number]>();
  expectTypeOf<ReturnType<ReturnType<typeof make>["plain"]>>().toEqualTypeOf<[Picture, number]>();
});
