/** What is looked at: part of the state that views share, kept in the address, and moved by pure functions. */

export type View =
  | "cell"
  | "channels"
  | "filters"
  | "size"
  | "compare"
  | "backward"
  | "window"
  | "edges"
  | "modes"
  | "shift";

export interface Selection {
  view: View;
  /** Sample, input channel, output channel (filter), output row and column. */
  n: number;
  c: number;
  o: number;
  i: number;
  j: number;
  /** Channels view: how many partial sums have been added; one more adds the bias. */
  part: number;
  /** An input position under inspection (the reverse map), or null. */
  row: number | null;
  col: number | null;
  reader: number;
  /** Turns the kernel by 180°, as the convolution of mathematics does. Not PyTorch. */
  flip: boolean;
  /** Backward: what dy is, ones in the whole map or a one in the selected cell. */
  seed: "map" | "one";
  /** Shift test: by how many pixels, along which axis. */
  shiftBy: number;
  shiftAxis: "rows" | "cols";
}

export const START: Selection = {
  view: "cell",
  n: 0,
  c: 0,
  o: 0,
  i: 0,
  j: 0,
  part: 0,
  row: null,
  col: null,
  reader: 0,
  flip: false,
  seed: "map",
  shiftBy: 1,
  shiftAxis: "cols",
};

const NUMBERS = ["n", "c", "o", "i", "j", "part", "reader", "shiftBy"] as const;

/** Short form for the address: only what differs from the start. */
export function packSelection(selection: Selection, start: Selection): string {
  const parts: string[] = [];
  if (selection.view !== start.view) parts.push(selection.view);
  for (const key of NUMBERS) if (selection[key] !== start[key]) parts.push(`${key}${selection[key]}`);
  if (selection.row !== null && selection.col !== null) parts.push(`at${selection.row}_${selection.col}`);
  if (selection.flip) parts.push("flip");
  if (selection.seed !== start.seed) parts.push("one");
  if (selection.shiftAxis !== start.shiftAxis) parts.push("rows");
  return parts.join("~");
}

/** Reads what packSelection wrote; whatever it does not understand is left at the start's value. */
export function unpackSelection(text: string, start: Selection, views: readonly View[]): Selection {
  const selection: Selection = { ...start };
  for (const part of text.split("~")) {
    const view = views.find((name) => name === part);
    const position = /^at(-?\d+)_(-?\d+)$/.exec(part);
    const number = /^([a-zA-Z]+)(-?\d+)$/.exec(part);
    const key = number && NUMBERS.find((name) => name === number[1]);
    if (view) selection.view = view;
    else if (position) {
      selection.row = Number(position[1]);
      selection.col = Number(position[2]);
    } else if (key) selection[key] = Number(number[2]);
    else if (part === "flip") selection.flip = true;
    else if (part === "one") selection.seed = "one";
    else if (part === "rows") selection.shiftAxis = "rows";
  }
  return selection;
}

export function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, Number.isFinite(value) ? value : low));
}

/** Moves within rows × cols by a key of the grid pattern; null for any other key. */
export function moveByKey(
  key: string,
  ctrl: boolean,
  row: number,
  col: number,
  rows: number,
  cols: number,
): { row: number; col: number } | null {
  switch (key) {
    case "ArrowUp":
      return { row: clamp(row - 1, 0, rows - 1), col };
    case "ArrowDown":
      return { row: clamp(row + 1, 0, rows - 1), col };
    case "ArrowLeft":
      return { row, col: clamp(col - 1, 0, cols - 1) };
    case "ArrowRight":
      return { row, col: clamp(col + 1, 0, cols - 1) };
    case "Home":
      return ctrl ? { row: 0, col: 0 } : { row, col: 0 };
    case "End":
      return ctrl ? { row: rows - 1, col: cols - 1 } : { row, col: cols - 1 };
    default:
      return null;
  }
}
