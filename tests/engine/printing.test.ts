import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { allocate, DTYPES, type DTypeName, float32, float64, int64 } from "../../engine/core/dtype.ts";
import { exponential, fixed, floatRepr, numberRepr } from "../../engine/core/number_text.ts";
import {
  formatNumbers,
  formatTensor,
  getPrintOptions,
  type PrintOptions,
  setPrintOptions,
} from "../../engine/core/printing.ts";

interface Case {
  source: string;
  requiresGrad?: boolean;
  repr: string;
  tensor?: { shape: number[]; dtype: DTypeName; data: (number | boolean | string)[] };
}

const file = JSON.parse(readFileSync(new URL("../golden/repr_tensor.json", import.meta.url), "utf8")) as {
  cases: Case[];
};

afterEach(() => setPrintOptions({ profile: "default" }));

describe("a tensor's text is PyTorch's", () => {
  const cases = file.cases.filter((c) => c.tensor !== undefined);

  it.each(cases.map((c) => [c.source, c] as const))("%s", (_, { tensor, requiresGrad, repr }) => {
    const { shape, dtype, data } = tensor!;
    const values = allocate(DTYPES[dtype], data.length);
    values.set(data.map(Number));
    const text = formatTensor({ shape, dtype: DTYPES[dtype], data: values, requiresGrad });
    expect(text).toBe(repr);
  });

  it("reads strided numbers where they lie", () => {
    const data = Float32Array.from({ length: 12 }, (_, i) => i);
    const text = formatTensor({ shape: [3, 2], strides: [1, 4], offset: 1, dtype: float32, data });
    expect(text).toBe("tensor([[1., 5.],\n        [2., 6.],\n        [3., 7.]])");
  });

  it("names a device that is not the CPU", () => {
    expect(formatTensor({ shape: [1], dtype: float32, data: [2], device: "webgpu" })).toBe(
      "tensor([2.], device='webgpu')",
    );
  });

  it("names float32, not float64, once float64 is the default", () => {
    const defaultDtype = "float64";
    expect(formatTensor({ shape: [1], dtype: float32, data: [2], defaultDtype })).toBe(
      "tensor([2.], dtype=torch.float32)",
    );
    expect(formatTensor({ shape: [1], dtype: float64, data: [2], defaultDtype })).toBe("tensor([2.])");
  });

  it("rounds an exact half to the even digit, as Python does", () => {
    expect(formatTensor({ shape: [2], dtype: float32, data: [0.03125, 0.09375] })).toBe("tensor([0.0312, 0.0938])");
  });
});

describe("print options", () => {
  const counting = (shape: number[], scale: number) => ({
    shape,
    dtype: float32,
    data: Float32Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      (_, i) => Math.fround(i) * Math.fround(scale),
    ),
  });

  // What PyTorch 2.13 prints for torch.arange(n).reshape(shape) * scale.
  const recorded: [Partial<PrintOptions> & { profile?: "short" | "full" }, number[], number, string][] = [
    [{ precision: 2 }, [9], 0.37, "tensor([0.00, 0.37, 0.74, 1.11, 1.48, 1.85, 2.22, 2.59, 2.96])"],
    [{ threshold: 5 }, [9], 1, "tensor([0., 1., 2.,  ..., 6., 7., 8.])"],
    [{ threshold: 5, edgeitems: 1 }, [2, 8], 0.37, "tensor([[0.0000,  ..., 2.5900],\n        [2.9600,  ..., 5.5500]])"],
    [{ edgeitems: 0, threshold: 3 }, [9], 0.37, "tensor([...], size=(9,))"],
    [{ sciMode: true, linewidth: 40 }, [2], 1, "tensor([0.0000e+00, 1.0000e+00])"],
    [{ profile: "short" }, [9], 0.37, "tensor([0.00, 0.37, 0.74, 1.11, 1.48, 1.85, 2.22, 2.59, 2.96])"],
  ];

  it.each(recorded)("%o of shape %j times %d", (options, shape, scale, text) => {
    setPrintOptions(options);
    expect(formatTensor(counting(shape, scale))).toBe(text);
  });

  it("come back as they were set, but sciMode is forgotten by the next call, as in PyTorch", () => {
    setPrintOptions({ precision: 3, sciMode: true });
    expect(getPrintOptions()).toEqual({ precision: 3, threshold: 1000, edgeitems: 3, linewidth: 80, sciMode: true });
    setPrintOptions({ linewidth: 60 });
    expect(getPrintOptions()).toMatchObject({ precision: 3, linewidth: 60, sciMode: null });
  });

  it("refuse a profile that does not exist", () => {
    expect(() => setPrintOptions({ profile: "long" as "full" })).toThrow("unknown profile 'long'");
  });
});

describe("numbers as Python writes them", () => {
  it("fixed: halves go to the even digit, minus zero keeps its sign, large integers keep their digits", () => {
    expect([0.5, 1.5, 2.5, -0].map((x) => fixed(x, 0))).toEqual(["0", "2", "2", "-0"]);
    expect(fixed(0.125, 2)).toBe("0.12");
    expect(fixed(1e22, 1)).toBe("10000000000000000000000.0");
    expect([Number.NaN, -Infinity].map((x) => fixed(x, 4))).toEqual(["nan", "-inf"]);
  });

  it("exponential: two digits of exponent, halves to even", () => {
    expect(exponential(0.00012, 4)).toBe("1.2000e-04");
    expect(exponential(12.5, 1)).toBe("1.2e+01");
    expect(exponential(1e100, 1)).toBe("1.0e+100");
  });

  it("repr: the shortest digits that read back", () => {
    expect([1, -0, 1e16, 123456789012345.6, 0.0001, 0.00001, 1 / 3].map(floatRepr)).toEqual([
      "1.0",
      "-0.0",
      "1e+16",
      "123456789012345.6",
      "0.0001",
      "1e-05",
      "0.3333333333333333",
    ]);
  });

  it("a whole JavaScript number is an int, any other a float", () => {
    expect([2, -0, 1e20, 0.5, 1e-7].map(numberRepr)).toEqual(["2", "-0.0", "100000000000000000000", "0.5", "1e-07"]);
  });

  it("together: one mode for all, no padding", () => {
    expect(formatNumbers([1, -2, 10], "float32")).toEqual(["1.", "-2.", "10."]);
    expect(formatNumbers([0.5, -2, 0.03125], "float32")).toEqual(["0.5000", "-2.0000", "0.0312"]);
    expect(formatNumbers([1e-5, 1], "float32")).toEqual(["1.0000e-05", "1.0000e+00"]);
    expect(formatNumbers([1, 0], "bool")).toEqual(["True", "False"]);
    expect(formatNumbers([7, 2 ** 53], int64.name)).toEqual(["7", "9007199254740992"]);
  });
});
