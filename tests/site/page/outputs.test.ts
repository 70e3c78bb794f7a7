import fc from "fast-check";
import { expect, test } from "vitest";
import { extent, thin, ticks } from "../../../site/outputs/chart.ts";
import { colorOf, inkOn, luminance, parseHex, type Rgb } from "../../../site/outputs/color.ts";
import { Flood } from "../../../site/outputs/flood.ts";
import { byteText, clock, shortNumber } from "../../../site/outputs/format.ts";
import { scaleLimit, sliceAt } from "../../../site/outputs/heat-map.ts";

test("text under the cap passes to the letter, however it is cut", () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (pieces) => {
      const flood = new Flood({ lines: 1000, characters: 100_000, tail: 3 });
      expect(pieces.map((piece) => flood.push(piece)).join("")).toBe(pieces.join(""));
      expect(flood.hidden).toBeNull();
    }),
  );
});

test("a flood keeps the beginning, counts the rest and shows the last lines", () => {
  const flood = new Flood({ lines: 3, characters: 1000, tail: 2 });
  let shown = "";
  for (let i = 0; i < 10; i++) shown += flood.push(`${i}\n`);
  expect(shown).toBe("0\n1\n2\n");
  expect(flood.hidden).toEqual({ lines: 7, characters: 14, tail: "8\n9\n" });
});

test("one line that never ends is cut by its length", () => {
  const flood = new Flood({ lines: 3, characters: 10, tail: 2 });
  expect(flood.push("0123456789abcdef")).toBe("0123456789");
  expect(flood.hidden).toMatchObject({ lines: 0, characters: 6 });
});

test("the scale is symmetric about zero and the ink on it is readable", () => {
  const scale = { negative: parseHex("#2166a8"), zero: parseHex("#f7f5f1"), positive: parseHex("#b5482f") };
  expect(colorOf(0, 5, scale)).toEqual(scale.zero);
  expect(colorOf(5, 5, scale)).toEqual(scale.positive);
  expect(colorOf(-50, 5, scale)).toEqual(scale.negative);
  expect(colorOf(Number.NaN, 5, scale)).toEqual(scale.zero);
  fc.assert(
    fc.property(fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255)), (color) => {
      const light = luminance(color as Rgb);
      const ratio = inkOn(color as Rgb) === "#000" ? (light + 0.05) / 0.05 : 1.05 / (light + 0.05);
      expect(ratio).toBeGreaterThan(4.5);
    }),
  );
});

test("a slice of the last two axes lies where row-major order puts it", () => {
  expect(sliceAt([2, 3, 4, 5], [1, 2])).toEqual({ rows: 4, columns: 5, start: (1 * 3 + 2) * 20 });
  expect(sliceAt([7], [])).toEqual({ rows: 1, columns: 7, start: 0 });
  expect(sliceAt([], [])).toEqual({ rows: 1, columns: 1, start: 0 });
});

test("infinities and nan don't stretch the scale", () => {
  expect(scaleLimit([1, -3, Number.POSITIVE_INFINITY, Number.NaN])).toBe(3);
  expect(scaleLimit([])).toBe(0);
});

test("axes have round ticks inside their range", () => {
  expect(ticks([0, 10], 5)).toEqual([0, 2, 4, 6, 8, 10]);
  expect(ticks([0.13, 0.58], 4)).toEqual([0.2, 0.4]);
  expect(extent([3])).toEqual([1.5, 4.5]);
  expect(extent([])).toEqual([0, 1]);
  expect(extent([Number.NaN, 2, -1])).toEqual([-1, 2]);
});

test("a long line is thinned and keeps its end", () => {
  expect(thin(5, 10)).toEqual([0, 1, 2, 3, 4]);
  const kept = thin(10_000, 100);
  expect(kept.length).toBeLessThanOrEqual(101);
  expect(kept.at(-1)).toBe(9999);
  expect(thin(0, 10)).toEqual([]);
});

test("numbers in labels are short and call nan and inf by PyTorch's names", () => {
  expect([3, 0.5, 1 / 3, 123456.7, 0.00001234, Number.NaN, Number.NEGATIVE_INFINITY].map(shortNumber)).toEqual([
    "3",
    "0.5",
    "0.3333",
    "1.23e5",
    "1.23e-5",
    "nan",
    "-inf",
  ]);
  expect([59, 65, 7390].map(clock)).toEqual(["59 s", "1:05", "2:03:10"]);
  expect([12, 4200, 2_500_000].map(byteText)).toEqual(["12 B", "4 kB", "2.5 MB"]);
});
