/**
 * The seam between a cell and whatever edits its text. The plain editor is always there; Monaco takes its place on
 * machines with a fine pointer, unless the student chose the plain one.
 */
import type { Locale } from "../lesson/types.ts";
import { PlainEditor } from "./plain.ts";

/** What an editor is told of the cell it edits. */
export interface EditedCell {
  /** "course/lesson/cell": unique on the site. */
  key: string;
  id: string;
  locale: Locale;
  /** Accessible name of the text field. */
  label: string;
  source: string;
  /** Every cell of the lesson in order with its present text, for types across cells. */
  lesson(): { id: string; source: string }[];
}

export interface EditorEvents {
  /** The student changed the text. */
  change(source: string): void;
  /** Esc, or the editor lost its reason to be open. */
  leave(): void;
  /** Shift+Enter ("advance"), Ctrl/⌘+Enter ("stay"), Ctrl/⌘+Shift+Enter ("all"). */
  run(then: "advance" | "stay" | "all"): void;
}

/** An editor mounted in a cell. */
export interface CellEditor {
  readonly kind: "plain" | "rich";
  readonly source: string;
  /** Replaces the text without a change event: reset, a link, "take the new text". */
  setSource(source: string): void;
  /** Puts the caret on a 1-based line and column, or where it was. */
  focus(line?: number, column?: number): void;
  /** Marks the line of an error; null takes the mark away. */
  markLine(line: number | null): void;
  dispose(): void;
}

export interface EditorFactory {
  /** Fills `host` (empty, in place of the cell's code) with an editor. */
  mount(host: HTMLElement, cell: EditedCell, events: EditorEvents): CellEditor | Promise<CellEditor>;
}

const plain: EditorFactory = { mount: (host, cell, events) => new PlainEditor(host, cell, events) };

/** Loaded when a student first opens a cell, never for readers. */
const rich = (): Promise<EditorFactory> => import("./monaco/factory.ts").then(({ factory }) => factory);

const PREFERENCE = "stride-editor";

/** The student's choice, "plain" or "rich"; null: by the machine. */
export function editorPreference(): "plain" | "rich" | null {
  try {
    const kept = localStorage.getItem(PREFERENCE);
    return kept === "plain" || kept === "rich" ? kept : null;
  } catch {
    return null;
  }
}

export function preferEditor(kind: "plain" | "rich"): void {
  try {
    localStorage.setItem(PREFERENCE, kind);
  } catch {
    // Blocked storage: the choice holds for the cell it was made in.
  }
}

/** Mounts the editor that fits, or the one asked for. A rich editor that fails to load leaves the plain one. */
export async function mountEditor(
  host: HTMLElement,
  cell: EditedCell,
  events: EditorEvents,
  kind?: "plain" | "rich",
): Promise<CellEditor> {
  const wanted = kind ?? editorPreference() ?? (matchMedia("(pointer: coarse)").matches ? "plain" : "rich");
  if (wanted === "rich") {
    try {
      return await (await rich()).mount(host, cell, events);
    } catch {
      host.replaceChildren();
    }
  }
  return plain.mount(host, cell, events);
}
