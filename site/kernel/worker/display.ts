/** A value that a cell shows (its last expression, `show(x)`) as an output item. */
import type { Picture } from "../protocol.ts";
import type { NewItem } from "./cell-output.ts";
import type { Engine } from "./engine.ts";
import { safely } from "./errors.ts";

/** Numbers sent with a tensor; a larger one is shown by its text. 1 MB as float32. */
export const MAX_NUMBERS = 256 * 1024;
const MAX_TABLE_ROWS = 200;

interface TensorLike {
  shape: readonly number[];
  dtype: { name: string };
  denseData(): ArrayLike<number>;
}

export function itemOf(value: unknown, engine: Engine): NewItem {
  if (engine.isTensor(value)) return { kind: "tensor", tensor: engine.summarize(value, MAX_NUMBERS) };
  const table = tableOf(value, engine);
  if (table) return table;
  return { kind: "value", text: safely(() => engine.repr(value)) };
}

/** `show(x)`: as `itemOf`, but what has the shape of a picture is one. */
export function shownItemOf(value: unknown, label: string, engine: Engine): NewItem {
  const picture = engine.isTensor(value) ? pictureOf(value) : null;
  if (picture) return { kind: "image", label, ...picture };
  return itemOf(value, engine);
}

/** C × H × W with one or three channels, at least 8 × 8. Floats run from 0 to 1 and are clipped there. */
export function pictureOf(tensor: object): { picture: Picture; shape: number[] } | null {
  const { shape, dtype, denseData } = tensor as TensorLike;
  if (shape.length !== 3 || typeof denseData !== "function") return null;
  const [channels, height, width] = shape as [number, number, number];
  if ((channels !== 1 && channels !== 3) || height < 8 || width < 8) return null;
  const data = denseData.call(tensor);
  const scale = dtype.name.startsWith("float") ? 255 : 1;
  const plane = height * width;
  const pixels = new Uint8ClampedArray(plane * 4);
  for (let i = 0; i < plane; i++) {
    for (let channel = 0; channel < 3; channel++) {
      pixels[i * 4 + channel] = data[(channels === 1 ? 0 : channel) * plane + i]! * scale;
    }
    pixels[i * 4 + 3] = 255;
  }
  return { picture: { width, height, pixels }, shape: [channels, height, width] };
}

/** A list of records, each with the same few keys, is a table. */
function tableOf(value: unknown, engine: Engine): NewItem | null {
  try {
    if (!Array.isArray(value) || value.length === 0 || !value.every(isRecord)) return null;
    const columns = Object.keys(value[0] as object);
    const rows = value.slice(0, MAX_TABLE_ROWS).map((row) =>
      columns.map((column) => {
        const cell = (row as Record<string, unknown>)[column];
        return typeof cell === "string" ? cell : safely(() => engine.repr(cell));
      }),
    );
    return { kind: "table", columns, rows };
  } catch {
    return null;
  }
}

function isRecord(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const keys = Object.keys(value);
  return Object.getPrototypeOf(value) === Object.prototype && keys.length > 0 && keys.length <= 12;
}
