import fc from "fast-check";
import { expect, test } from "vitest";
import { BoardStore } from "../../../site/components/board-store.ts";
import { diffLines } from "../../../site/components/compare.ts";
import { tokenize } from "../../../site/components/live-code.ts";
import { matrices, products, windowExample } from "../../../site/components/page/example.ts";
import type { TensorboardEvent } from "../../../site/kernel/protocol.ts";
import { sameOutput } from "../../../site/lesson/same-output.ts";
import type { Lesson } from "../../../site/lesson/types.ts";
import { lessonNumber, lessonSlug, splitSlug } from "../../../site/lesson-path.ts";
import { siteLink } from "../../../site/markdown/prose.ts";
import { starterHash } from "../../../site/store/hash.ts";
import { MemoryStore } from "../../../site/store/store.ts";

test("the fingerprint of a starter changes with its code, not with its comments or spacing", () => {
  const hash = starterHash("const x = 1; // one\nprint(x);");
  expect(starterHash("const x = 1; // 一\n\n  print(x);")).toBe(hash);
  expect(starterHash("/* hello */ const x = 1;\nprint(x);")).toBe(hash);
  expect(starterHash("const x = 2;\nprint(x);")).not.toBe(hash);
});

test("a difference says what is only mine and what only new, in order", () => {
  expect(diffLines("a\nb\nc", "a\nx\nc\nd")).toEqual([
    { kind: "same", text: "a" },
    { kind: "mine", text: "b" },
    { kind: "new", text: "x" },
    { kind: "same", text: "c" },
    { kind: "new", text: "d" },
  ]);
  fc.assert(
    fc.property(fc.array(fc.constantFrom("a", "b", "c")), fc.array(fc.constantFrom("a", "b", "c")), (mine, next) => {
      const lines = diffLines(mine.join("\n"), next.join("\n"));
      expect(lines.filter((line) => line.kind !== "new").map((line) => line.text)).toEqual(mine.length ? mine : [""]);
      expect(lines.filter((line) => line.kind !== "mine").map((line) => line.text)).toEqual(next.length ? next : [""]);
    }),
  );
});

test("coloured pieces, joined, are the code to the letter", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."ab1 \n\"'`/*{}().$\\") }), (code) => {
      expect(
        tokenize(code)
          .map((token) => token.text)
          .join(""),
      ).toBe(code);
    }),
  );
});

test("words, strings, numbers, comments and calls are told apart", () => {
  const kinds = Object.fromEntries(
    tokenize('const y = f(2.5, "a // b"); // end').map((token) => [token.text, token.kind]),
  );
  expect(kinds).toMatchObject({
    const: "keyword",
    y: null,
    f: "function",
    "2.5": "constant",
    '"a // b"': "string",
    "// end": "comment",
  });
});

test("output is compared to the letter, or with numbers within the tolerance", () => {
  expect(sameOutput("tensor([1.])\n", "tensor([1.])", null)).toBe(true);
  expect(sameOutput("tensor([1.0001])", "tensor([1.0000])", null)).toBe(false);
  expect(sameOutput("tensor([1.0001, -2.0000])", "tensor([ 1.0000, -2.0000])", 1e-3)).toBe(true);
  expect(sameOutput("tensor([1.1])", "tensor([1.0])", 1e-3)).toBe(false);
  expect(sameOutput("tensor([nan, inf])", "tensor([nan, inf])", 1e-3)).toBe(true);
  expect(sameOutput("array([1.])", "tensor([1.])", 1e-3)).toBe(false);
});

test("links between lesson files become links between pages, without a base path", () => {
  const here = { locale: "en", course: "nn", slug: "02-convolution" } as const;
  expect(siteLink("03-pooling.md", here)).toBe("../03-pooling/");
  expect(siteLink("./03-pooling.md#edges", here)).toBe("../03-pooling/#edges");
  expect(siteLink("../../zh-cn/nn/02-convolution.md", here)).toBe("../../zh-cn/nn/02-convolution/");
  expect(siteLink("../../en/nn/01-module.md", { ...here, locale: "zh-cn" })).toBe("../../../nn/01-module/");
  expect(siteLink("../optim/01-sgd.md", here)).toBe("../../optim/01-sgd/");
  expect(siteLink("#first-conv", here)).toBe("#first-conv");
  expect(siteLink("https://example.org/a.md", here)).toBe("https://example.org/a.md");
});

test("a lesson's file name is its address", () => {
  expect(lessonSlug("en/nn/02-convolution.md")).toBe("nn/02-convolution");
  expect(lessonSlug("zh-cn/nn/02-convolution.md")).toBe("zh-cn/nn/02-convolution");
  expect(splitSlug("zh-cn/nn/02-convolution")).toEqual({ locale: "zh-cn", course: "nn", name: "02-convolution" });
  expect(splitSlug("404")).toBeNull();
  expect(lessonNumber("02-convolution")).toBe(2);
});

const cellOf = (id: string, source: string, output: string | null) =>
  ({ id, source, output }) as Lesson["cells"][number];
const lessonWith = (output: string): Lesson =>
  ({
    file: "lessons/en/nn/02-x.md",
    cells: [
      cellOf(
        "given",
        "const a = torch.tensor([\n  [1, 2, 3],\n  [4, 5, 6],\n]);\nconst k = torch.tensor([[1, -1]]);",
        null,
      ),
      cellOf("conv", "print(F.conv2d(a, k));", output),
    ],
  }) as Lesson;

test("the home page's example is read from the lesson and must add up", () => {
  const example = windowExample(lessonWith("tensor([[-1, -1],\n        [-1, -1]])"), "conv");
  expect(example).toMatchObject({
    input: [
      [1, 2, 3],
      [4, 5, 6],
    ],
    kernel: [[1, -1]],
    output: [
      [-1, -1],
      [-1, -1],
    ],
  });
  expect(products(example, 1, 0)).toEqual([
    { pixel: 4, weight: 1 },
    { pixel: 5, weight: -1 },
  ]);
  expect(() => windowExample(lessonWith("tensor([[-1, -1],\n        [-1, 7]])"), "conv")).toThrow(
    "row 1, column 1 is 7",
  );
  expect(() => windowExample(lessonWith(""), "conv")).toThrow("its numbers were not found");
  expect(matrices("x[0] and [[1, 2], [3]]")).toEqual([]);
});

const images = (tag: string, step: number, bytes = 4): TensorboardEvent => ({
  kind: "images",
  tag,
  step,
  picture: { width: 1, height: 1, pixels: new Uint8ClampedArray(bytes) },
  shape: [1, 3, 1, 1],
  clippedShare: 0,
  tiles: null,
  wallTime: 0,
});

test("the panel keeps every step in order, replaces one written twice, and shows the latest up to a step", () => {
  const store = new BoardStore();
  for (const step of [3, 1, 2, 2]) store.add(images("input", step));
  store.add(images("output", 2));
  expect(store.steps).toEqual([1, 2, 3]);
  expect(store.images.get("input")).toHaveLength(3);
  expect(store.imageAt("output", 3)?.step).toBe(2);
  expect(store.imageAt("output", 1)?.step).toBe(2);
  expect(store.imageAt("none", 1)).toBeNull();
});

test("beyond its bound the panel drops the oldest steps and counts them", () => {
  const store = new BoardStore(100);
  for (let step = 0; step < 5; step++) store.add(images("input", step, 40));
  expect(store.images.get("input")?.map((event) => event.step)).toEqual([3, 4]);
  expect(store.dropped).toBe(3);
});

test("work in memory is found by lesson and cell, and progress is changed in place", async () => {
  const store = new MemoryStore();
  await store.putWork("nn/02-convolution/first-conv", { source: "1", starter: "h", savedAt: 1 });
  await store.putWork("nn/03-pooling/first-pool", { source: "2", starter: "h", savedAt: 1 });
  expect([...(await store.worksOf("nn/02-convolution")).keys()]).toEqual(["first-conv"]);
  await store.updateProgress("nn/02-convolution", (progress) => ({ ...progress, ran: [...progress.ran, "a"] }));
  await store.updateProgress("nn/02-convolution", (progress) => ({ ...progress, ran: [...progress.ran, "b"] }));
  expect((await store.getProgress("nn/02-convolution"))?.ran).toEqual(["a", "b"]);
});
