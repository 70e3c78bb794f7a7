/**
 * The atlas: all drawings of the stand-in in one file of about half a megabyte.
 *
 *     8 bytes   "STRIDEA1"
 *     uint32    length of the header in bytes, little-endian
 *     header    JSON: sets with their licences, classes, drawings with their sizes (readable in any editor)
 *     rest      raw deflate of all pixels: per drawing height × width × (red, green, blue, alpha), colours already
 *               multiplied by alpha, six bits each
 *
 * Six bits halve the file, and nothing is lost that a 32-pixel picture with camera noise would show.
 */
import { ValueError } from "../../core/errors.ts";
import { inflateRaw } from "../../data/inflate.ts";
import type { ArtworkSet } from "./drawings.ts";

export const MAGIC = "STRIDEA1";
/** The longer side of a drawing in pixels; pictures show them at 22 to 32. */
export const DRAWING_SIZE = 40;

export interface AtlasHeader {
  sets: ArtworkSet[];
  classes: string[];
  /** In pixel order. `set` and `class` are positions in the lists above. */
  drawings: { set: number; class: number; view: string; name: string; width: number; height: number }[];
}

export interface AtlasDrawing {
  set: ArtworkSet;
  className: string;
  view: string;
  name: string;
  width: number;
  height: number;
  /** Where its pixels begin in `pixels`. */
  offset: number;
}

export interface Atlas {
  sets: readonly ArtworkSet[];
  classes: readonly string[];
  drawings: readonly AtlasDrawing[];
  /** split → label → views → drawings: what the composer picks from. */
  choices: Readonly<Record<"train" | "test", readonly (readonly (readonly AtlasDrawing[])[])[]>>;
  /** Premultiplied RGBA, eight bits. */
  pixels: Uint8Array;
}

/** @throws ValueError when the file is not an atlas, or a damaged one */
export function readAtlas(file: ArrayBuffer | Uint8Array): Atlas {
  const bytes = file instanceof Uint8Array ? file : new Uint8Array(file);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = (from: number, to: number) => new TextDecoder().decode(bytes.subarray(from, to));
  if (bytes.length < 12 || text(0, 8) !== MAGIC) {
    throw new ValueError(`the stand-in's atlas does not begin with ${MAGIC}: it is another file, or was cut off`);
  }
  const headerEnd = 12 + view.getUint32(8, true);
  if (headerEnd > bytes.length) throw new ValueError("the stand-in's atlas is cut off inside its header");
  const header = JSON.parse(text(12, headerEnd)) as AtlasHeader;

  let offset = 0;
  const drawings = header.drawings.map((drawing) => {
    const set = header.sets[drawing.set]!;
    const { view, name, width, height } = drawing;
    const entry = { set, className: header.classes[drawing.class]!, view, name, width, height, offset };
    offset += 4 * width * height;
    return entry;
  });
  let pixels: Uint8Array;
  try {
    pixels = inflateRaw(bytes.subarray(headerEnd), offset);
  } catch (error) {
    throw new ValueError(`the stand-in's atlas is damaged: ${error instanceof Error ? error.message : String(error)}`);
  }
  for (let i = 0; i < pixels.length; i++) pixels[i] = widen(pixels[i]!);
  const choices = { train: choose("train"), test: choose("test") };
  return { sets: header.sets, classes: header.classes, drawings, choices, pixels };

  function choose(split: "train" | "test"): AtlasDrawing[][][] {
    return header.classes.map((className) => {
      const views = new Map<string, AtlasDrawing[]>();
      for (const drawing of drawings) {
        if (drawing.className !== className || drawing.set.split !== split) continue;
        const group = views.get(drawing.view) ?? [];
        views.set(drawing.view, [...group, drawing]);
      }
      return [...views.values()];
    });
  }
}

/** 0 … 255 → 0 … 63, to the nearest. */
export function narrow(value: number): number {
  return Math.floor((value * 63 + 127) / 255);
}

/** 0 … 63 → 0 … 255. */
export function widen(value: number): number {
  return (value << 2) | (value >> 4);
}
