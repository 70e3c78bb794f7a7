import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DTypeName } from "../../../engine/core/dtype.ts";
import { type ImageEvent, setTensorboardSink, type TensorboardEvent } from "../../../engine/tensorboard/events.ts";
import { tensorPicture } from "../../../engine/tensorboard/image.ts";
import { SummaryWriter } from "../../../engine/tensorboard/index.ts";
import type { TensorboardEvent as PageEvent } from "../../../site/kernel/protocol.ts";
import { errorOf, ORACLE, tensorOf } from "./support.ts";

let events: TensorboardEvent[] = [];
beforeEach(() => {
  events = [];
  setTensorboardSink((event) => events.push(event));
});
afterEach(() => setTensorboardSink(null));

interface KnownPicture {
  input: { shape: number[]; dtype: DTypeName; data: number[] };
  format: string;
  height: number;
  width: number;
  channels: number;
  pixels: number[];
}

describe("pictures of tensors", () => {
  it.each(ORACLE.pictures as KnownPicture[])(
    "are TensorBoard's, byte for byte: $input.dtype $input.shape as $format",
    (known) => {
      const { data, shape, dtype } = known.input;
      const { picture } = tensorPicture(tensorOf(data, shape, dtype), known.format);
      expect([picture.height, picture.width]).toEqual([known.height, known.width]);
      const pixels = Array.from({ length: known.height * known.width }, (_, i) => [
        ...picture.pixels.subarray(4 * i, 4 * i + known.channels),
      ]);
      expect(pixels.flat()).toEqual(known.pixels);
      if (known.channels === 3)
        expect(picture.pixels.filter((_, i) => i % 4 === 3).every((alpha) => alpha === 255)).toBe(true);
    },
  );

  it("say which share of the values was cut off", () => {
    const image = tensorOf([-0.1, 0, 0.5, 1, 1.1, 2, 0, 0, 0, 0, 0, 0], [3, 2, 2]);
    expect(tensorPicture(image, "CHW").clippedShare).toBe(3 / 12);
    expect(tensorPicture(tensorOf([0, 255, 7], [3, 1, 1], "uint8"), "CHW").clippedShare).toBe(0);
  });

  it("say how a batch is laid out", () => {
    const batch = (n: number) => tensorPicture(tensorOf(new Float32Array(n * 3), [n, 3, 1, 1]), "NCHW").tiles;
    expect([batch(5), batch(64)]).toEqual([
      { rows: 1, columns: 5 },
      { rows: 8, columns: 8 },
    ]);
    expect(tensorPicture(tensorOf([0, 0, 0], [3, 1, 1]), "CHW").tiles).toBeNull();
  });

  it.each<[string, number[], string]>([
    ["format count", [3, 4, 4], "NCHW"],
    ["format twice", [3, 4, 4], "CCW"],
    ["six channels", [2, 6, 4, 4], "NCHW"],
  ])("are refused with PyTorch's words: %s", (name, shape, format) => {
    const known = (ORACLE.errors as { name: string; type: string; message: string }[]).find((e) => e.name === name)!;
    const size = shape.reduce((a, b) => a * b);
    expect(errorOf(() => tensorPicture(tensorOf(new Float32Array(size), shape), format))).toEqual({
      type: known.type,
      message: known.message,
    });
  });
});

describe("a SummaryWriter", () => {
  it("sends scalars with step, time and run, in TensorBoard's precision", () => {
    const writer = new SummaryWriter("logs");
    writer.addScalar("loss", 0.1, 3);
    writer.addScalar("loss", tensorOf([0.25], [1]), { globalStep: 4, walltime: 12.5 });
    writer.addScalar("loss", 0.1, 5, { doublePrecision: true });
    writer.addScalar("loss", 1);
    expect(events).toMatchObject([
      { kind: "scalars", tag: "loss", step: 3, value: Math.fround(0.1), logDir: "logs" },
      { step: 4, value: 0.25, wallTime: 12.5 },
      { step: 5, value: 0.1 },
      { step: 0, value: 1 },
    ]);
    expect(Math.abs(events[0]!.wallTime - Date.now() / 1000)).toBeLessThan(60);
  });

  it("sends several scalars as runs of their own", () => {
    new SummaryWriter("logs").addScalars("loss/all", { train: 0.5, test: 1 }, 2);
    expect(events).toMatchObject([
      { tag: "loss/all", logDir: "logs/loss_all_train", value: 0.5, step: 2 },
      { tag: "loss/all", logDir: "logs/loss_all_test", value: 1, step: 2 },
    ]);
  });

  it("sends images and batches", () => {
    const writer = new SummaryWriter("logs");
    writer.addImages("input", tensorOf(new Float32Array(64 * 3 * 4).fill(0.5), [64, 3, 2, 2]), 7);
    writer.addImage("one", tensorOf([1, 2, 3, 4], [2, 2], "uint8"), 0, { dataformats: "HW" });
    const [batch, one] = events as [ImageEvent, ImageEvent];
    expect(batch).toMatchObject({
      kind: "images",
      tag: "input",
      step: 7,
      shape: [64, 3, 2, 2],
      tiles: { rows: 8, columns: 8 },
    });
    expect([batch.picture.width, batch.picture.height, batch.picture.pixels[0]]).toEqual([16, 16, 127]);
    expect([...one.picture.pixels.subarray(0, 8)]).toEqual([1, 1, 1, 255, 2, 2, 2, 255]);
  });

  it("refuses six channels as PyTorch does, with the way out", () => {
    const writer = new SummaryWriter("logs");
    const output = tensorOf(new Float32Array(2 * 6 * 4), [2, 6, 2, 2]);
    expect(() => writer.addImages("output", output, 0)).toThrow(
      /Input should be a 4D numpy array with 3 channels\nhint: \[2, 6, 2, 2\] has 6 channels/,
    );
    expect(events).toEqual([]);
  });

  it("refuses a scalar of several elements, and what is no tensor", () => {
    const writer = new SummaryWriter("logs");
    expect(errorOf(() => writer.addScalar("x", tensorOf([1, 2], [1, 2])))).toEqual({
      type: "AssertionError",
      message: "Tensor should contain one element (0 dimensions).             Was given size: 2 and 1 dimensions.",
    });
    expect(() => writer.addImage("x", "cat" as never)).toThrow(/numpy array or torch tensor are expected/);
    expect(() => writer.addImages("x", tensorOf([1], [1, 1, 1]))).toThrow(/hint: this is one image: writer\.addImage/);
  });

  it("names its run as PyTorch does when no folder is given", () => {
    expect(new SummaryWriter().logDir).toMatch(/^runs\/[A-Z][a-z]{2}\d\d_\d\d-\d\d-\d\d$/);
    expect(new SummaryWriter({ comment: "_lr0.1" }).logDir).toMatch(/_lr0\.1$/);
    expect(new SummaryWriter({ logDir: "logs" }).getLogdir()).toBe("logs");
  });

  it("speaks the page's language", () => {
    new SummaryWriter("logs").addScalar("loss", 1, 0);
    const forPage: PageEvent = events[0]!;
    expect(forPage.kind).toBe("scalars");
  });
});
