/**
 * Picture i of the stand-in: one drawing, turned, scaled, mirrored, coloured and set before a background. Everything
 * follows from (split, i) by additions, multiplications and divisions alone, which IEEE 754 fixes to the last bit, so that
 * Node and every browser make the same bytes: no Math.sin here.
 */
import type { Atlas, AtlasDrawing } from "./atlas.ts";
import { CLASSES, type ClassName } from "./drawings.ts";
import { paintBackground, SIDE } from "./scenes.ts";
import { Stream } from "./stream.ts";

export type Split = "train" | "test";

/** As many as CIFAR-10 has. */
export const COUNTS: Readonly<Record<Split, number>> = { train: 50000, test: 10000 };

/** Changing one changes every picture. */
const SEEDS: Readonly<Record<Split, number>> = { train: 0x57a7d1, test: 0x7e57d1 };
const LABEL_SEED = 0x1abe1;

/** Ships would take the water they are drawn with along into the new colour. */
const PAINTED: ReadonlySet<ClassName> = new Set(["airplane", "automobile", "truck"]);
const FLYING_OR_FLOATING: ReadonlySet<ClassName> = new Set(["airplane", "ship"]);
const CHANNEL_ORDERS = [
  [0, 1, 2],
  [1, 0, 2],
  [2, 1, 0],
  [1, 2, 0],
] as const;
const LARGEST_TURN = (15 * Math.PI) / 180;

/** Each run of ten pictures shows each class once, in an order of its own, so that the first page of a grid has them all. */
export function labelOf(split: Split, index: number): number {
  const block = Math.floor(index / CLASSES.length);
  const stream = new Stream(LABEL_SEED ^ SEEDS[split], block);
  const order = CLASSES.map((_, label) => label);
  for (let i = order.length - 1; i > 0; i--) {
    const j = stream.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order[index % CLASSES.length]!;
}

/**
 * Makes picture `index` of a split.
 *
 * @returns 32 × 32 × 3 bytes, row by row, red, green and blue of each pixel together
 */
export function composePicture(atlas: Atlas, split: Split, index: number): Uint8Array<ArrayBuffer> {
  const label = labelOf(split, index);
  const className = CLASSES[label]!;
  const stream = new Stream(SEEDS[split], index);
  const { values, ground } = paintBackground(stream, className);
  const drawing = stream.pick(stream.pick(atlas.choices[split][label]!));
  const placement = place(stream, drawing);
  if (ground && !FLYING_OR_FLOATING.has(className)) castShadow(values, drawing, placement);
  paintDrawing(values, atlas, drawing, placement, colouring(stream, className));
  return develop(stream, values);
}

interface Placement {
  /** Centre in picture coordinates. */
  x: number;
  y: number;
  /** Picture pixels per drawing pixel. */
  scale: number;
  cos: number;
  sin: number;
  /** 1, or -1 mirrored. */
  flip: number;
}

function place(stream: Stream, drawing: AtlasDrawing): Placement {
  const size = stream.between(22, 32);
  const scale = size / Math.max(drawing.width, drawing.height);
  const turn = stream.between(-LARGEST_TURN, LARGEST_TURN);
  const roomX = (SIDE - drawing.width * scale) / 2 + 1;
  const roomY = (SIDE - drawing.height * scale) / 2 + 1;
  return {
    x: SIDE / 2 + stream.between(-roomX, roomX),
    y: SIDE / 2 + stream.between(-roomY, roomY),
    scale,
    // Series to the fifth order: at 15° the next term is below 1e-7.
    cos: 1 - (turn * turn) / 2 + (turn * turn * turn * turn) / 24,
    sin: turn - (turn * turn * turn) / 6 + (turn * turn * turn * turn * turn) / 120,
    flip: stream.chance(0.5) ? -1 : 1,
  };
}

interface Colouring {
  order: readonly [number, number, number];
  gain: readonly [number, number, number];
}

/** Aeroplanes, cars and trucks are repainted half of the time, the others keep their colours; the light varies for all. */
function colouring(stream: Stream, className: ClassName): Colouring {
  const repainted = PAINTED.has(className) && stream.chance(0.5);
  const order = repainted ? stream.pick(CHANNEL_ORDERS) : CHANNEL_ORDERS[0];
  const light = stream.between(0.84, 1.16);
  const tint = () => light * stream.between(0.92, 1.08);
  return { order, gain: [tint(), tint(), tint()] };
}

function castShadow(values: Float64Array, drawing: AtlasDrawing, { x, y, scale }: Placement): void {
  const radiusX = Math.max(4, drawing.width * scale * 0.45);
  const radiusY = 2.5;
  const centreY = y + (drawing.height * scale) / 2 - 0.5;
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      const dx = (column + 0.5 - x) / radiusX;
      const dy = (row + 0.5 - centreY) / radiusY;
      const depth = 1 - dx * dx - dy * dy;
      if (depth <= 0) continue;
      const keep = 1 - 0.4 * depth;
      for (let channel = 0; channel < 3; channel++) values[(row * SIDE + column) * 3 + channel]! *= keep;
    }
  }
}

/** Four samples a pixel, each read between the drawing's pixels: what shrinks stays smooth. */
function paintDrawing(
  values: Float64Array,
  atlas: Atlas,
  drawing: AtlasDrawing,
  { x, y, scale, cos, sin, flip }: Placement,
  { order, gain }: Colouring,
): void {
  const { width, height, offset } = drawing;
  const { pixels } = atlas;
  const [r, g, b] = order;
  // Half a pixel around the drawing blends too.
  const reachX = ((width + 1) * cos + (height + 1) * Math.abs(sin)) * (scale / 2) + 1;
  const reachY = ((height + 1) * cos + (width + 1) * Math.abs(sin)) * (scale / 2) + 1;
  const lastRow = Math.min(SIDE - 1, Math.floor(y + reachY));
  const lastColumn = Math.min(SIDE - 1, Math.floor(x + reachX));
  for (let row = Math.max(0, Math.floor(y - reachY)); row <= lastRow; row++) {
    for (let column = Math.max(0, Math.floor(x - reachX)); column <= lastColumn; column++) {
      let red = 0;
      let green = 0;
      let blue = 0;
      let alpha = 0;
      for (let sample = 0; sample < 4; sample++) {
        const dx = column + (sample & 1 ? 0.75 : 0.25) - x;
        const dy = row + (sample & 2 ? 0.75 : 0.25) - y;
        const u = ((dx * cos + dy * sin) * flip) / scale + width / 2 - 0.5;
        const v = (dy * cos - dx * sin) / scale + height / 2 - 0.5;
        if (u <= -1 || v <= -1 || u >= width || v >= height) continue;
        const left = Math.floor(u);
        const top = Math.floor(v);
        for (let corner = 0; corner < 4; corner++) {
          const px = left + (corner & 1);
          const py = top + (corner >> 1);
          if (px < 0 || py < 0 || px >= width || py >= height) continue;
          const at = offset + 4 * (py * width + px);
          const cover = pixels[at + 3]!;
          if (cover === 0) continue;
          const weight = (corner & 1 ? u - left : 1 - (u - left)) * (corner >> 1 ? v - top : 1 - (v - top));
          red += weight * pixels[at + r]!;
          green += weight * pixels[at + g]!;
          blue += weight * pixels[at + b]!;
          alpha += weight * cover;
        }
      }
      if (alpha === 0) continue;
      const at = (row * SIDE + column) * 3;
      const through = 1 - alpha / 1020;
      const most = alpha / 4;
      values[at] = values[at]! * through + Math.min(most, (red / 4) * gain[0]);
      values[at + 1] = values[at + 1]! * through + Math.min(most, (green / 4) * gain[1]);
      values[at + 2] = values[at + 2]! * through + Math.min(most, (blue / 4) * gain[2]);
    }
  }
}

/** Exposure and the sensor's noise, then bytes. */
function develop(stream: Stream, values: Float64Array): Uint8Array<ArrayBuffer> {
  const exposure = stream.between(0.92, 1.12);
  const bytes = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i += 3) {
    const draw = stream.bits();
    for (let channel = 0; channel < 3; channel++) {
      // Ten bits make a triangle from -4 to 4: the difference of two five-bit numbers.
      const bits = draw >>> (10 * channel);
      const grain = ((bits & 31) - ((bits >>> 5) & 31)) * (4 / 31);
      const value = Math.floor(values[i + channel]! * exposure + grain + 0.5);
      bytes[i + channel] = Math.max(0, Math.min(255, value));
    }
  }
  return bytes;
}
