/** Unread rows and columns as whole strips, for heat maps, where single cells are too small to hatch. */
import type { Axis } from "./axis.ts";
import { MOST_CELLS, type Overlay } from "./grid.ts";

export function unreadStrips(axes: { rows: Axis; cols: Axis }): Overlay[] {
  if (axes.rows.size * axes.cols.size <= MOST_CELLS) return [];
  const kind = "unread" as const;
  const across = runs(axes.rows.unread).map(([row, rows]) => ({ row, rows, col: 0, cols: axes.cols.size, kind }));
  const down = runs(axes.cols.unread).map(([col, cols]) => ({ col, cols, row: 0, rows: axes.rows.size, kind }));
  return [...across, ...down];
}

function runs(positions: number[]): [number, number][] {
  const found: [number, number][] = [];
  for (const position of positions) {
    const last = found[found.length - 1];
    if (last && last[0] + last[1] === position) last[1]++;
    else found.push([position, 1]);
  }
  return found;
}
