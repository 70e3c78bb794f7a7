/**
 * Backgrounds: two zones (sky and meadow, wall and floor, trees and pond), each a gradient with cloudy noise. As in
 * CIFAR-10, where a thing stands says something about what it is, but not everything: three pictures in four show their
 * class's usual surroundings, the fourth any of all.
 */
import type { ClassName } from "./drawings.ts";
import type { Stream } from "./stream.ts";

export const SIDE = 32;

type Colour = readonly [red: number, green: number, blue: number];

interface Zone {
  from: Colour;
  to: Colour;
  /** How far the noise moves a value, up and down. */
  grain: number;
  /** Width and height of a noise cell in pixels. */
  cell: readonly [number, number];
  /** Noise brightens towards white only, as clouds do. */
  clouds?: boolean;
}

const SKIES: readonly Zone[] = [
  { from: [92, 156, 224], to: [198, 226, 246], grain: 90, cell: [11, 6], clouds: true },
  { from: [58, 122, 204], to: [150, 200, 240], grain: 14, cell: [16, 8] },
  { from: [146, 160, 174], to: [208, 214, 218], grain: 22, cell: [12, 6] },
  { from: [88, 84, 142], to: [246, 180, 132], grain: 20, cell: [14, 4] },
];
const TREES: readonly Zone[] = [
  { from: [96, 142, 84], to: [48, 90, 54], grain: 40, cell: [4, 4] },
  { from: [122, 126, 62], to: [82, 74, 38], grain: 40, cell: [4, 5] },
];
const CITY: readonly Zone[] = [
  { from: [178, 172, 166], to: [140, 136, 134], grain: 34, cell: [6, 9] },
  { from: [150, 110, 92], to: [122, 88, 76], grain: 30, cell: [7, 8] },
  { from: [120, 134, 152], to: [96, 106, 122], grain: 34, cell: [5, 10] },
];
const WALLS: readonly Zone[] = [
  { from: [230, 218, 200], to: [214, 200, 180], grain: 8, cell: [16, 16] },
  { from: [190, 208, 200], to: [170, 192, 184], grain: 8, cell: [16, 16] },
  { from: [208, 196, 216], to: [190, 178, 200], grain: 8, cell: [16, 16] },
  { from: [120, 140, 166], to: [104, 122, 148], grain: 8, cell: [16, 16] },
  { from: [214, 160, 140], to: [196, 144, 126], grain: 8, cell: [16, 16] },
];
const GRASS: readonly Zone[] = [
  { from: [130, 174, 88], to: [76, 128, 54], grain: 30, cell: [3, 2] },
  { from: [192, 180, 110], to: [150, 134, 76], grain: 26, cell: [3, 2] },
];
const WOODLAND: readonly Zone[] = [
  { from: [104, 112, 68], to: [66, 74, 46], grain: 32, cell: [3, 2] },
  { from: [150, 116, 70], to: [104, 78, 48], grain: 32, cell: [3, 2] },
];
const SEA: readonly Zone[] = [
  { from: [78, 150, 190], to: [26, 84, 136], grain: 36, cell: [10, 2] },
  { from: [110, 160, 168], to: [50, 104, 124], grain: 30, cell: [9, 2] },
];
const POND: readonly Zone[] = [
  { from: [104, 150, 128], to: [50, 98, 90], grain: 30, cell: [9, 3] },
  { from: [120, 132, 80], to: [74, 90, 58], grain: 28, cell: [7, 3] },
];
const SAND: readonly Zone[] = [{ from: [230, 210, 166], to: [198, 170, 122], grain: 20, cell: [4, 2] }];
const SNOW: readonly Zone[] = [{ from: [236, 241, 247], to: [204, 217, 230], grain: 14, cell: [7, 4] }];
const ASPHALT: readonly Zone[] = [{ from: [136, 138, 142], to: [88, 90, 95], grain: 20, cell: [2, 2] }];
const FLOOR: readonly Zone[] = [
  { from: [190, 148, 108], to: [146, 104, 70], grain: 24, cell: [16, 2] },
  { from: [150, 92, 88], to: [120, 70, 68], grain: 18, cell: [3, 3] },
  { from: [176, 172, 166], to: [146, 142, 138], grain: 14, cell: [8, 4] },
];

interface Scene {
  above: readonly Zone[];
  below: readonly Zone[];
  /** Rows in which the border between the zones may lie. */
  horizon: readonly [number, number];
  /** Whether things stand on the lower zone and darken it. */
  ground: boolean;
}

const SCENES = {
  sky: { above: SKIES, below: SKIES, horizon: [SIDE, SIDE], ground: false },
  hills: { above: SKIES, below: [...GRASS, ...TREES], horizon: [22, 28], ground: false },
  meadow: { above: SKIES, below: GRASS, horizon: [7, 18], ground: true },
  woods: { above: TREES, below: WOODLAND, horizon: [14, 24], ground: true },
  clearing: { above: TREES, below: GRASS, horizon: [8, 20], ground: true },
  sea: { above: SKIES, below: SEA, horizon: [9, 19], ground: false },
  pond: { above: [...TREES, ...GRASS], below: POND, horizon: [0, 12], ground: false },
  beach: { above: [...SKIES, ...SEA], below: SAND, horizon: [6, 16], ground: true },
  snow: { above: [...SKIES, ...TREES], below: SNOW, horizon: [8, 18], ground: true },
  street: { above: CITY, below: ASPHALT, horizon: [13, 21], ground: true },
  road: { above: [...SKIES, ...TREES], below: ASPHALT, horizon: [11, 20], ground: true },
  room: { above: WALLS, below: FLOOR, horizon: [17, 25], ground: true },
} satisfies Record<string, Scene>;

type SceneName = keyof typeof SCENES;
const ALL = Object.keys(SCENES) as SceneName[];

/** A scene named twice is met twice as often. */
const USUAL: Readonly<Record<ClassName, readonly SceneName[]>> = {
  airplane: ["sky", "sky", "sky", "hills"],
  automobile: ["street", "street", "road"],
  bird: ["sky", "hills", "clearing", "beach", "pond", "snow"],
  cat: ["room", "room", "room", "clearing"],
  deer: ["woods", "woods", "meadow", "snow"],
  dog: ["room", "meadow", "beach", "snow"],
  frog: ["pond", "pond", "clearing"],
  horse: ["meadow", "meadow", "clearing", "beach"],
  ship: ["sea"],
  truck: ["road", "road", "street", "snow"],
};

export interface Background {
  /** 32 × 32 × 3, 0 … 255 and fractions. */
  values: Float64Array;
  ground: boolean;
}

export function paintBackground(stream: Stream, className: ClassName): Background {
  const scene: Scene = SCENES[stream.chance(0.75) ? stream.pick(USUAL[className]) : stream.pick(ALL)];
  const above = vary(stream, stream.pick(scene.above));
  const below = vary(stream, stream.pick(scene.below));
  const horizon = stream.between(scene.horizon[0], scene.horizon[1]);
  const slope = stream.between(-0.08, 0.08);
  const aboveNoise = noise(stream, above.cell);
  const belowNoise = noise(stream, below.cell);
  const values = new Float64Array(SIDE * SIDE * 3);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const border = scene.horizon[0] === SIDE ? SIDE : horizon + slope * (x - SIDE / 2);
      // The row in which the border runs mixes both zones, as a camera would.
      const covered = Math.max(0, Math.min(1, border - y));
      const at = y * SIDE + x;
      for (let channel = 0; channel < 3; channel++) {
        const upper = shade(above, channel, border > 0 ? y / border : 0, aboveNoise[at]!);
        const lower = shade(below, channel, (y - border) / Math.max(1, SIDE - border), belowNoise[at]!);
        values[at * 3 + channel] = upper * covered + lower * (1 - covered);
      }
    }
  }
  return { values, ground: scene.ground };
}

/** The same zone on another day: all of it lighter or darker, and a little to one side in hue. */
function vary(stream: Stream, zone: Zone): Zone {
  const light = stream.between(0.82, 1.1);
  const shift = [stream.between(-14, 14), stream.between(-10, 10), stream.between(-14, 14)];
  const change = (colour: Colour): Colour => [
    colour[0] * light + shift[0]!,
    colour[1] * light + shift[1]!,
    colour[2] * light + shift[2]!,
  ];
  return { ...zone, from: change(zone.from), to: change(zone.to) };
}

function shade(zone: Zone, channel: number, depth: number, grain: number): number {
  const t = Math.max(0, Math.min(1, depth));
  const base = zone.from[channel]! + (zone.to[channel]! - zone.from[channel]!) * t;
  if (!zone.clouds) return base + zone.grain * grain;
  const white = Math.max(0, grain) * (zone.grain / 100);
  return base + (248 - base) * Math.min(1, white * 1.6);
}

/** Two octaves of value noise over the picture, in -1 … 1, the second half as coarse and half as strong. */
function noise(stream: Stream, [width, height]: readonly [number, number]): Float64Array {
  const values = new Float64Array(SIDE * SIDE);
  octave(stream, values, width, height, 2 / 3);
  octave(stream, values, Math.max(1, width / 2), Math.max(1, height / 2), 1 / 3);
  return values;
}

function octave(stream: Stream, values: Float64Array, width: number, height: number, weight: number): void {
  const columns = Math.floor((SIDE - 1) / width) + 2;
  const rows = Math.floor((SIDE - 1) / height) + 2;
  const lattice = new Float64Array(columns * rows);
  for (let i = 0; i < lattice.length; i++) lattice[i] = stream.between(-1, 1);
  for (let y = 0; y < SIDE; y++) {
    const row = Math.floor(y / height);
    const v = smooth(y / height - row);
    for (let x = 0; x < SIDE; x++) {
      const column = Math.floor(x / width);
      const u = smooth(x / width - column);
      const i = row * columns + column;
      const upper = lattice[i]! + (lattice[i + 1]! - lattice[i]!) * u;
      const lower = lattice[i + columns]! + (lattice[i + columns + 1]! - lattice[i + columns]!) * u;
      values[y * SIDE + x]! += weight * (upper + (lower - upper) * v);
    }
  }
}

function smooth(t: number): number {
  return t * t * (3 - 2 * t);
}
