import { createHash } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { inflateRaw } from "../../../engine/data/inflate.ts";
import { readAtlas } from "../../../engine/torchvision/standin/atlas.ts";
import { buildAtlas } from "../../../engine/torchvision/standin/build.ts";
import { COUNTS, composePicture, labelOf, type Split } from "../../../engine/torchvision/standin/compose.ts";
import { CLASSES } from "../../../engine/torchvision/standin/drawings.ts";
import { ATLAS } from "./support.ts";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const atlas = readAtlas(ATLAS);

describe("the atlas", () => {
  it("is the committed file, byte for byte, and small", () => {
    expect(sha256(ATLAS)).toBe("6c9114fcff36fee1712a0d6624beeab26242b9a2c65db44b9ed7b898045c4fc7");
    expect(ATLAS.length).toBeLessThan(600_000);
  });

  it("is what the build draws from the icon packages, to one step of rounding", async () => {
    const built = readAtlas(await buildAtlas());
    expect(built.drawings).toEqual(atlas.drawings);
    // Another platform's rasteriser may round an edge the other way: one of 63 steps is 4 or 5 of 255.
    let largest = 0;
    for (let i = 0; i < atlas.pixels.length; i++) {
      largest = Math.max(largest, Math.abs(built.pixels[i]! - atlas.pixels[i]!));
    }
    expect(largest).toBeLessThanOrEqual(5);
  }, 240_000);

  it("holds only sets whose licence binds nobody who uses the pictures", () => {
    expect(new Set(atlas.sets.map(({ license }) => license))).toEqual(new Set(["Apache-2.0", "CC-BY-4.0", "MIT"]));
  });

  it("has drawings for each class in both splits, and none in both", () => {
    for (const [label, name] of CLASSES.entries()) {
      const [train, test] = (["train", "test"] as const).map((split) => atlas.choices[split][label]!.flat());
      expect([name, train!.length > 0, test!.length > 0]).toEqual([name, true, true]);
    }
    const setsOf = (split: Split) => new Set(atlas.choices[split].flat(2).map(({ set }) => set.package));
    expect([...setsOf("train")].filter((set) => setsOf("test").has(set))).toEqual([]);
  });

  it("is refused when it is another file, cut off or damaged", () => {
    expect(() => readAtlas(new Uint8Array(20))).toThrow(/does not begin with STRIDEA1/);
    expect(() => readAtlas(ATLAS.subarray(0, 200))).toThrow(/cut off inside its header/);
    expect(() => readAtlas(ATLAS.subarray(0, 400_000))).toThrow(/is damaged: the compressed data ends too early/);
  });
});

describe("the pictures", () => {
  it("are the same on every machine", () => {
    const digest = (split: Split) => {
      const hash = createHash("sha256");
      for (let i = 0; i < 100; i++)
        hash.update(Uint8Array.of(labelOf(split, i))).update(composePicture(atlas, split, i));
      return hash.digest("hex");
    };
    expect(digest("train")).toBe("cb1cca83d7863a2c151a5764424648df5378a414c45d399ad3b9deab36f6901b");
    expect(digest("test")).toBe("531460857ab0ebde63aab0b8b4a727ac4f477d15e69928eef4436d8bddd6017b");
  });

  it("do not depend on which were made before", () => {
    const last = composePicture(atlas, "train", COUNTS.train - 1);
    composePicture(atlas, "train", 3);
    expect(composePicture(atlas, "train", COUNTS.train - 1)).toEqual(last);
    expect(composePicture(atlas, "test", 3)).not.toEqual(composePicture(atlas, "train", 3));
  });

  it("show every class equally often, all ten in each run of ten", () => {
    for (const split of ["train", "test"] as const) {
      const counts = new Array<number>(10).fill(0);
      for (let i = 0; i < COUNTS[split]; i++) counts[labelOf(split, i)]!++;
      expect(counts).toEqual(new Array(10).fill(COUNTS[split] / 10));
      expect(new Set(Array.from({ length: 10 }, (_, i) => labelOf(split, 120 + i))).size).toBe(10);
    }
  });

  it("use the whole range of brightness without drowning in black or white", () => {
    let sum = 0;
    let extreme = 0;
    let count = 0;
    for (let i = 0; i < 200; i++) {
      for (const value of composePicture(atlas, "train", i)) {
        sum += value;
        count++;
        if (value === 0 || value === 255) extreme++;
      }
    }
    expect(sum / count).toBeGreaterThan(100);
    expect(sum / count).toBeLessThan(150);
    expect(extreme / count).toBeLessThan(0.05);
  });
});

describe("inflateRaw", () => {
  const noise = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 2654435761) >>> 24);
  const text = new TextEncoder().encode("the same words, the same words, and the same words again. ".repeat(900));

  it.each([
    ["stored blocks", noise, { level: 0 }],
    ["fixed codes", text.subarray(0, 40), { strategy: 4 }],
    ["codes of its own", text, { level: 9 }],
    ["nothing that repeats", noise, { level: 9 }],
    ["no bytes at all", new Uint8Array(), {}],
  ])("gives back what was packed: %s", (_, bytes, options) => {
    expect(inflateRaw(deflateRawSync(bytes, options), bytes.length)).toEqual(new Uint8Array(bytes));
  });

  it("says so when the data is damaged, too short or too long", () => {
    const packed = deflateRawSync(text);
    expect(() => inflateRaw(packed.subarray(0, 40), text.length)).toThrow(/ends too early/);
    expect(() => inflateRaw(packed, text.length - 1)).toThrow(/more than/);
    expect(() => inflateRaw(packed, text.length + 1)).toThrow(/instead of/);
    expect(() => inflateRaw(Uint8Array.of(7), 1)).toThrow(/unknown kind/);
  });
});
