/** Keys of a focused visualizer. Single letters act only while the focus is inside it and not in a field. */
import type { OpRecord } from "../../../engine/inspect/records.ts";
import type { GridPart, Kind } from "./context.ts";
import type { Selection } from "./selection.ts";

export interface KeyTarget {
  record: OpRecord;
  kind: Kind;
  selection: Selection;
  select(patch: Partial<Selection>, from?: GridPart): void;
  transport(action: "first" | "prev" | "play" | "next" | "last"): void;
  toggle(what: "text" | "formula" | "help"): void;
  leave(): void;
  enter(place: { part: string; row: string; col: string }): void;
  toggleCeil(): void;
}

export function handleKey(event: KeyboardEvent, target: KeyTarget): void {
  if (event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
  const element = event.target as HTMLElement;
  if (event.key === "Escape") {
    leaveField(element);
    target.leave();
    event.preventDefault();
    return;
  }
  if (element.closest("input:not([type=range]):not([type=checkbox]), select, textarea")) return;
  if (act(event.key, element, target)) event.preventDefault();
}

/** Out of a number field its cell takes the focus, so that the keyboard does not lose its place. */
function leaveField(element: HTMLElement): void {
  const cell = element.closest<HTMLElement>("[role=gridcell]");
  if (!(element instanceof HTMLInputElement) || !cell) return;
  cell.tabIndex = -1;
  cell.focus();
}

function act(key: string, element: HTMLElement, target: KeyTarget): boolean {
  const { record, selection, kind } = target;
  const isConv = record.op === "conv2d";
  switch (key) {
    case " ":
      if (element.closest("button, summary, [type=checkbox]")) return false;
      target.transport("play");
      return true;
    case ",":
      target.transport("prev");
      return true;
    case ".":
      target.transport("next");
      return true;
    case "[":
      target.select(isConv && selection.view === "filters" ? { o: selection.o - 1 } : { c: selection.c - 1 });
      return true;
    case "]":
      target.select(isConv && selection.view === "filters" ? { o: selection.o + 1 } : { c: selection.c + 1 });
      return true;
    case "PageUp":
      if (record.geometry.n < 2) return false;
      target.select({ n: selection.n - 1 });
      return true;
    case "PageDown":
      if (record.geometry.n < 2) return false;
      target.select({ n: selection.n + 1 });
      return true;
    case "i": {
      const view = isConv ? "cell" : "window";
      const g = record.geometry;
      const row = Math.max(0, selection.i * g.strideH - g.padTop);
      const col = Math.max(0, selection.j * g.strideW - g.padLeft);
      target.select({ view, row, col, reader: 0 }, "input");
      return true;
    }
    case "r": {
      if (selection.row === null) return false;
      const count = kind.readers(record, selection).length;
      target.select({ reader: count === 0 ? 0 : (selection.reader + 1) % count }, "input");
      return true;
    }
    case "c":
      if (isConv) return false;
      target.toggleCeil();
      return true;
    case "Enter": {
      const cell = element.closest<HTMLElement>("[role=gridcell]");
      const part = element.closest<HTMLElement>("[role=grid]")?.dataset.part;
      if (!cell || (part !== "input" && part !== "kernel")) return false;
      target.enter({ part, row: cell.dataset.row!, col: cell.dataset.col! });
      return true;
    }
    case "t":
      target.toggle("text");
      return true;
    case "f":
      target.toggle("formula");
      return true;
    case "?":
      target.toggle("help");
      return true;
    default:
      return false;
  }
}

/** After a move by key within a grid the focus follows the cell that can be reached. */
export function followFocus(host: HTMLElement, part: GridPart): void {
  if (!host.contains(document.activeElement)) return;
  const active = document.activeElement?.closest<HTMLElement>("[role=grid]");
  const suffix = active?.dataset.part === part ? active.dataset.suffix : undefined;
  const scope = suffix ? `[data-part="${part}"][data-suffix="${suffix}"]` : `[data-part="${part}"]`;
  host.querySelector<HTMLElement>(`${scope} [role=gridcell][tabindex="0"]`)?.focus({ preventScroll: false });
}
