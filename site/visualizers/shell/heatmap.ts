/** The picture of a matrix too large for one element per number: one canvas pixel per cell, coloured by the site's scales. */
import type { Plane } from "./tensor.ts";

export interface HeatPaint {
  /** Finds the canvas: `canvas[data-heat=key]`. */
  key: string;
  plane: Plane;
  /** Padding around the plane. */
  ring: { top: number; right: number; bottom: number; left: number };
  max: number;
  scale: "activation" | "weight";
}

type Rgb = [number, number, number];

/** Paints every canvas of a render; the same picture in the same colours is not painted twice. */
export function paintHeatmaps(
  root: HTMLElement,
  paints: HeatPaint[],
  painted: WeakMap<HTMLCanvasElement, string>,
): void {
  if (paints.length === 0) return;
  const colours = new Palette(root);
  for (const paint of paints) {
    const canvas = root.querySelector<HTMLCanvasElement>(`canvas[data-heat="${paint.key}"]`);
    if (!canvas) continue;
    const signature = `${colours.signature}|${paint.scale}|${paint.max}|${JSON.stringify(paint.ring)}|${checksum(paint.plane)}`;
    if (painted.get(canvas) === signature) continue;
    painted.set(canvas, signature);
    draw(canvas, paint, colours);
  }
}

function checksum(plane: Plane): string {
  let a = 1;
  let b = 0;
  for (const value of plane.values) {
    a = (a * 31 + value * 1024) % 2147483647;
    b = (b + a) % 2147483647;
  }
  return `${plane.rows}x${plane.cols}:${a}:${b}`;
}

function draw(canvas: HTMLCanvasElement, paint: HeatPaint, colours: Palette): void {
  const { plane, ring, max } = paint;
  const rows = plane.rows + ring.top + ring.bottom;
  const cols = plane.cols + ring.left + ring.right;
  canvas.width = cols;
  canvas.height = rows;
  const context = canvas.getContext("2d");
  if (!context) return;
  const image = context.createImageData(cols, rows);
  for (let row = 0; row < rows; row++)
    for (let col = 0; col < cols; col++) {
      const r = row - ring.top;
      const c = col - ring.left;
      const inside = r >= 0 && r < plane.rows && c >= 0 && c < plane.cols;
      const value = inside ? plane.values[r * plane.cols + c]! : 0;
      const rgb = inside
        ? colours.of(value / max, paint.scale)
        : (row + col) % 2 === 0
          ? colours.padding
          : colours.paper;
      image.data.set([...rgb, 255], (row * cols + col) * 4);
    }
  context.putImageData(image, 0, 0);
}

/** The page's scale colours, read from the stylesheet so that both themes and forced colours are followed. */
class Palette {
  readonly padding: Rgb;
  readonly paper: Rgb;
  readonly signature: string;
  readonly #ends: Record<"activation" | "weight", [Rgb, Rgb, Rgb]>;

  constructor(root: HTMLElement) {
    const style = getComputedStyle(root);
    const read = (name: string, fallback: string) => parseColour(style.getPropertyValue(name).trim() || fallback);
    const triple = (prefix: string): [Rgb, Rgb, Rgb] => [
      read(`--scale-${prefix}negative`, "#2166a8"),
      read(`--scale-${prefix}zero`, "#f7f5f1"),
      read(`--scale-${prefix}positive`, "#b5482f"),
    ];
    this.#ends = { activation: triple(""), weight: triple("weight-") };
    this.padding = read("--role-padding-soft", "#f0eeea");
    this.paper = read("--paper", "#fffefc");
    this.signature = JSON.stringify([this.#ends, this.padding, this.paper]);
  }

  /** Colour at -1…1; not-a-number is drawn as the padding's grey. */
  of(share: number, scale: "activation" | "weight"): Rgb {
    if (Number.isNaN(share)) return this.padding;
    const [negative, zero, positive] = this.#ends[scale];
    const end = share < 0 ? negative : positive;
    const t = Math.min(1, Math.abs(share));
    return [0, 1, 2].map((k) => Math.round(zero[k]! + (end[k]! - zero[k]!) * t)) as Rgb;
  }
}

function parseColour(text: string): Rgb {
  const hex = /^#([0-9a-f]{6})$/i.exec(text);
  if (hex) return [0, 2, 4].map((k) => Number.parseInt(hex[1]!.slice(k, k + 2), 16)) as Rgb;
  const numbers = text.match(/[\d.]+/g)?.map(Number) ?? [];
  return [numbers[0] ?? 0, numbers[1] ?? 0, numbers[2] ?? 0];
}
