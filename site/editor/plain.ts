/** The plain editor: a text field that grows with its text. Tab leaves it, as everywhere on the page; Esc closes it. */
import type { CellEditor, EditedCell, EditorEvents } from "./editor.ts";

export class PlainEditor implements CellEditor {
  readonly kind = "plain";
  readonly #host: HTMLElement;
  readonly #field = document.createElement("textarea");
  readonly #mark = document.createElement("div");
  readonly #size = () => this.#grow();

  constructor(host: HTMLElement, cell: EditedCell, events: EditorEvents) {
    this.#host = host;
    const field = this.#field;
    field.dataset.part = "source";
    field.className = "code";
    field.value = cell.source;
    field.spellcheck = false;
    field.autocapitalize = "off";
    field.autocomplete = "off";
    field.wrap = "off";
    field.rows = 1;
    field.setAttribute("autocorrect", "off");
    field.setAttribute("aria-label", cell.label);
    this.#mark.className = "editor-mark";
    this.#mark.hidden = true;
    field.addEventListener("input", () => {
      this.#grow();
      this.markLine(null);
      events.change(field.value);
    });
    field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        event.preventDefault();
        event.stopPropagation();
        events.leave();
      } else if (event.key === "Enter" && !event.isComposing && (event.shiftKey || event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        event.stopPropagation();
        const ctrl = event.ctrlKey || event.metaKey;
        events.run(ctrl && event.shiftKey ? "all" : ctrl ? "stay" : "advance");
      } else if (event.key === "Enter" && !event.isComposing) this.#keepIndent(event);
    });
    host.append(this.#mark, field);
    window.addEventListener("resize", this.#size);
    this.#grow();
  }

  get source(): string {
    return this.#field.value;
  }

  setSource(source: string): void {
    this.#field.value = source;
    this.#grow();
  }

  focus(line?: number, column = 1): void {
    this.#field.focus();
    if (line === undefined) return;
    const lines = this.#field.value.split("\n");
    const before = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
    const at = Math.min(before + column - 1, this.#field.value.length);
    this.#field.setSelectionRange(at, at);
  }

  markLine(line: number | null): void {
    this.#mark.hidden = line === null;
    if (line !== null) this.#mark.style.setProperty("--line", String(line - 1));
  }

  dispose(): void {
    window.removeEventListener("resize", this.#size);
    this.#host.replaceChildren();
  }

  /** A new line starts where the one above does, one step further after an opening bracket. Undo takes it back whole. */
  #keepIndent(event: KeyboardEvent): void {
    const { value, selectionStart } = this.#field;
    const line = value.slice(value.lastIndexOf("\n", selectionStart - 1) + 1, selectionStart);
    const indent = /^\s*/.exec(line)![0] + (/[{([]\s*$/.test(line) ? "  " : "");
    if (indent === "") return;
    event.preventDefault();
    // The only way to insert text that keeps the field's own undo history.
    if (!document.execCommand("insertText", false, `\n${indent}`)) {
      this.#field.setRangeText(`\n${indent}`, selectionStart, this.#field.selectionEnd, "end");
      this.#field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }

  #grow(): void {
    const field = this.#field;
    field.style.height = "0";
    // Room for a horizontal scroll bar, which scrollHeight leaves out.
    const bar = field.offsetHeight - field.clientHeight;
    field.style.height = `${field.scrollHeight + Math.max(0, bar)}px`;
  }
}
