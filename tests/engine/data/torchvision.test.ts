import { describe, expect, it } from "vitest";
import { defaultGenerator } from "../../../engine/core/random.ts";
import { Picture } from "../../../engine/torchvision/picture.ts";
import * as transforms from "../../../engine/torchvision/transforms.ts";
import { makeGrid } from "../../../engine/torchvision/utils.ts";
import { errorOf, tensorOf, valuesOf } from "./support.ts";

const picture = new Picture(Uint8Array.from([0, 1, 2, 10, 11, 12, 255, 254, 253, 3, 4, 5]), 2, 2);
const grey = new Picture(Uint8Array.from([1, 2, 3, 4, 5, 6]), 3, 2, "L");

describe("transforms", () => {
  it("ToTensor puts channels first and divides by 255 in single precision", () => {
    const tensor = new transforms.ToTensor()(picture);
    expect([...tensor.shape]).toEqual([3, 2, 2]);
    expect(tensor.dtype.name).toBe("float32");
    const expected = [0, 10, 255, 3, 1, 11, 254, 4, 2, 12, 253, 5].map((v) => Math.fround(v / 255));
    expect(valuesOf(tensor)).toEqual(expected);
    expect(valuesOf(new transforms.PILToTensor()(picture))).toEqual([0, 10, 255, 3, 1, 11, 254, 4, 2, 12, 253, 5]);
    expect(new transforms.ToPILImage()(tensor).data).toEqual(picture.data);
  });

  it("ToTensor refuses what is a tensor already", () => {
    expect(() => new transforms.ToTensor()(tensorOf([1], [1]) as unknown as Picture)).toThrow(
      /pic should be PIL Image or ndarray\. Got <class 'torch\.Tensor'>\nhint: it is a tensor already/,
    );
  });

  it("Normalize subtracts and divides in single precision, channel by channel", () => {
    const image = tensorOf([0.1, 0.2, 0.3, 0.4], [2, 1, 2]);
    const { fround } = Math;
    const expected = [0.1, 0.2, 0.3, 0.4].map((v, i) => {
      const [mean, std] = i < 2 ? [fround(0.1), fround(0.3)] : [fround(0.5), fround(0.7)];
      return fround(fround(fround(v) - mean) / std);
    });
    expect(valuesOf(new transforms.Normalize([0.1, 0.5], [0.3, 0.7])(image))).toEqual(expected);
    expect(valuesOf(image)[0]).toBe(fround(0.1));
    new transforms.Normalize([0.1, 0.5], [0.3, 0.7], { inplace: true })(image);
    expect(valuesOf(image)).toEqual(expected);
  });

  it("Normalize says what is wrong with its input", () => {
    const normalize = new transforms.Normalize([0.5], [0.5]);
    expect(errorOf(() => normalize(tensorOf([1], [1, 1, 1], "uint8"))).message).toBe(
      "Input tensor should be a float tensor. Got torch.uint8.",
    );
    expect(errorOf(() => normalize(tensorOf([1], [1, 1]))).message).toBe(
      "Expected tensor to be a tensor image of size (..., C, H, W). Got tensor.size() = torch.Size([1, 1])",
    );
    expect(errorOf(() => new transforms.Normalize([0.5], [0])(tensorOf([1], [1, 1, 1]))).message).toBe(
      "std evaluated to zero after conversion to torch.float32, leading to division by zero.",
    );
    expect(() => normalize(picture as never)).toThrow(/hint: put transforms\.ToTensor\(\) before it/);
  });

  it("Compose applies them in order and prints as torchvision's", () => {
    const both = new transforms.Compose([new transforms.ToTensor(), new transforms.Normalize([0.5], [0.5])]);
    expect(valuesOf(both(picture))[2]).toBe(1);
    expect(String(both)).toBe("Compose(\n    ToTensor()\n    Normalize(mean=[0.5], std=[0.5])\n)");
  });

  it("flips mirror pictures and tensors alike", () => {
    const always = new transforms.RandomHorizontalFlip({ p: 1 });
    expect([...(always(grey) as Picture).data]).toEqual([3, 2, 1, 6, 5, 4]);
    expect(valuesOf(always(tensorOf([1, 2, 3, 4, 5, 6], [1, 2, 3])) as never)).toEqual([3, 2, 1, 6, 5, 4]);
    expect([...(new transforms.RandomVerticalFlip({ p: 1 })(grey) as Picture).data]).toEqual([4, 5, 6, 1, 2, 3]);
    expect(new transforms.RandomHorizontalFlip({ p: 0 })(grey)).toBe(grey);
  });

  it("a random flip draws one number from the global generator", () => {
    defaultGenerator.manualSeed(0);
    const flips = Array.from({ length: 8 }, () => new transforms.RandomHorizontalFlip()(grey) !== grey);
    defaultGenerator.manualSeed(0);
    expect(flips).toEqual(Array.from({ length: 8 }, () => defaultGenerator.uniform24() < 0.5));
  });

  it("crops and pads keep what is inside", () => {
    expect([...(new transforms.Pad(1, { fill: 9 })(grey) as Picture).data]).toEqual([
      9, 9, 9, 9, 9, 9, 1, 2, 3, 9, 9, 4, 5, 6, 9, 9, 9, 9, 9, 9,
    ]);
    expect([...(new transforms.CenterCrop([2, 1])(grey) as Picture).data]).toEqual([2, 5]);
    expect([...(new transforms.CenterCrop([3, 3])(grey) as Picture).data]).toEqual([1, 2, 3, 4, 5, 6, 0, 0, 0]);
    expect(new transforms.RandomCrop([2, 3])(grey)).toBe(grey);
    const cropped = new transforms.RandomCrop(2, { padding: 4 })(grey) as Picture;
    expect(cropped.size).toEqual([2, 2]);
    expect(errorOf(() => new transforms.RandomCrop(4)(grey))).toEqual({
      type: "ValueError",
      message: "Required crop size (4, 4) is larger than input image size (2, 3)",
    });
    expect((new transforms.RandomCrop(4, { padIfNeeded: true })(grey) as Picture).size).toEqual([4, 4]);
  });

  it("are instances of their classes and functions at once", () => {
    const toTensor = new transforms.ToTensor();
    expect(typeof toTensor).toBe("function");
    expect(toTensor).toBeInstanceOf(transforms.ToTensor);
    expect(String(toTensor)).toBe("ToTensor()");
  });
});

describe("makeGrid", () => {
  it("lays pictures in rows with padding around them", () => {
    const grid = makeGrid(tensorOf([1, 2, 3], [3, 1, 1, 1]), { nrow: 2, padding: 1, padValue: 9 });
    expect([...grid.shape]).toEqual([3, 5, 5]);
    const plane = [9, 9, 9, 9, 9, 9, 1, 9, 2, 9, 9, 9, 9, 9, 9, 9, 3, 9, 9, 9, 9, 9, 9, 9, 9];
    expect(valuesOf(grid)).toEqual([...plane, ...plane, ...plane]);
  });

  it("has torchvision's defaults: eight to a row, two pixels of zeros", () => {
    const grid = makeGrid(tensorOf(new Float32Array(10 * 3 * 4 * 4).fill(1), [10, 3, 4, 4]));
    expect([...grid.shape]).toEqual([3, 2 * 6 + 2, 8 * 6 + 2]);
    expect(valuesOf(grid).filter((v) => v === 1)).toHaveLength(10 * 3 * 16);
  });

  it("takes lists and single pictures; one picture comes back without padding", () => {
    const one = tensorOf([1, 2], [1, 1, 2]);
    expect([...makeGrid(one).shape]).toEqual([3, 1, 2]);
    expect([...makeGrid([one, one]).shape]).toEqual([3, 5, 10]);
    expect([...makeGrid(tensorOf([1, 2], [1, 2])).shape]).toEqual([3, 1, 2]);
    expect(makeGrid(tensorOf([1, 2, 3, 4], [1, 4, 1, 1], "uint8")).dtype.name).toBe("uint8");
  });

  it("normalizes over all pictures, over each, or from a given range", () => {
    const pair = () => tensorOf([0, 1, 2, 4], [2, 1, 1, 2]);
    const options = { padding: 0, normalize: true };
    const firstPlane = (grid: ReturnType<typeof makeGrid>) => valuesOf(grid).slice(0, 4);
    expect(firstPlane(makeGrid(pair(), options))).toEqual([0, 0.25, 0.5, 1]);
    expect(firstPlane(makeGrid(pair(), { ...options, scaleEach: true }))).toEqual([0, 1, 0, 1]);
    expect(firstPlane(makeGrid(pair(), { ...options, valueRange: [1, 3] }))).toEqual([0, 0, 0.5, 1]);
  });

  it("refuses what is no tensor", () => {
    expect(() => makeGrid("cat" as never)).toThrow("tensor or list of tensors expected, got <class 'str'>");
  });
});
