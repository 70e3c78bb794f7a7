/**
 * Draws the atlas from the icon packages. Runs in Node when the selection of drawings changes (`npm run data:atlas`); the
 * result is committed, because recorded outputs depend on its pixels and another platform's rasteriser may round an edge
 * the other way.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { deflateRawSync } from "node:zlib";
import sharp from "sharp";
import { type AtlasHeader, DRAWING_SIZE, MAGIC, narrow } from "./atlas.ts";
import { ARTWORK_SETS, CLASSES, type Drawing, listDrawings } from "./drawings.ts";

/** What of Iconify's JSON is read here. https://iconify.design/docs/types/iconify-json.html */
interface IconifySet {
  icons: Record<string, { body: string; left?: number; top?: number; width?: number; height?: number }>;
  width?: number;
  height?: number;
}

/** Drawn this large before it is cropped to what is painted and reduced. */
const CANVAS = 384;

/** The atlas file's bytes; the same on every run of one machine. */
export async function buildAtlas(): Promise<Uint8Array> {
  const require = createRequire(import.meta.url);
  const icons = new Map<string, IconifySet>();
  for (const set of ARTWORK_SETS) {
    const path = require.resolve(`@iconify-json/${set.package}/icons.json`);
    icons.set(set.package, JSON.parse(readFileSync(path, "utf8")) as IconifySet);
  }
  const drawings = listDrawings((set, name) => Object.hasOwn(icons.get(set)!.icons, name));
  const header: AtlasHeader = { sets: [...ARTWORK_SETS], classes: [...CLASSES], drawings: [] };
  const pixels: Uint8Array[] = [];
  for (const drawing of drawings) {
    const picture = await rasterise(icons.get(drawing.set.package)!, drawing);
    header.drawings.push({
      set: ARTWORK_SETS.indexOf(drawing.set),
      class: CLASSES.indexOf(drawing.className),
      view: drawing.view,
      name: drawing.name,
      width: picture.width,
      height: picture.height,
    });
    pixels.push(picture.pixels);
  }
  const headerBytes = new TextEncoder().encode(JSON.stringify(header));
  const body = deflateRawSync(Buffer.concat(pixels), { level: 9, memLevel: 9 });
  const file = new Uint8Array(12 + headerBytes.length + body.length);
  file.set(new TextEncoder().encode(MAGIC));
  new DataView(file.buffer).setUint32(8, headerBytes.length, true);
  file.set(headerBytes, 12);
  file.set(body, 12 + headerBytes.length);
  return file;
}

async function rasterise(set: IconifySet, { name }: Drawing) {
  const icon = set.icons[name]!;
  const width = icon.width ?? set.width ?? 16;
  const height = icon.height ?? set.height ?? 16;
  const unit = CANVAS / Math.max(width, height);
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${width * unit}" ` +
    `height="${height * unit}" viewBox="${icon.left ?? 0} ${icon.top ?? 0} ${width} ${height}">${icon.body}</svg>`;
  const drawn = await sharp(Buffer.from(svg)).ensureAlpha().png({ compressionLevel: 1 }).toBuffer();
  const { data, info } = await sharp(drawn)
    .trim({ background: { r: 0, g: 0, b: 0, alpha: 0 }, threshold: 8 })
    .resize(DRAWING_SIZE, DRAWING_SIZE, { fit: "inside" })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const pixels = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += 4) {
    const alpha = data[i + 3]!;
    for (let channel = 0; channel < 3; channel++) {
      pixels[i + channel] = narrow(Math.round((data[i + channel]! * alpha) / 255));
    }
    pixels[i + 3] = narrow(alpha);
  }
  return { width: info.width, height: info.height, pixels };
}
