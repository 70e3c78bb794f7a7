/**
 * <stride-cell>: a piece of the text that can be run and changed. Its HTML is complete without this file; what a reader
 * never uses (editor, outputs, kernel) is imported when it is first used.
 */
import type { CellEditor } from "../editor/editor.ts";
import { type Messages, messages } from "../i18n/index.ts";
import type { RunResult } from "../kernel/protocol.ts";
import type { OutputView } from "../outputs/output-view.ts";
import { action, part, say } from "./dom.ts";
import type { StrideLesson } from "./lesson.ts";
import type { CellModel } from "./model.ts";

export class StrideCell extends HTMLElement {
  #lesson: StrideLesson | null = null;
  #model: CellModel | null = null;
  #view: OutputView | null = null;
  #editor: CellEditor | null = null;
  #opening: Promise<void> | null = null;
  #t: Messages = messages("en");
  #errorLine: number | null = null;
  /** What is to be said of the run that is about to begin, and stays beside its output. */
  #note = "";
  /** The code as the build highlighted it, for when the text is the lesson's again. */
  #starterCode: Node[] = [];
  #bound = false;

  get id_(): string {
    return this.dataset.cell ?? "";
  }

  /** Called by the lesson, which knows its cells: an element may be upgraded before its parent. */
  attach(lesson: StrideLesson, model: CellModel): void {
    this.#lesson = lesson;
    this.#model = model;
    this.#t = messages(lesson.locale);
    if (this.#bound) return;
    this.#bound = true;
    this.#starterCode = [...(part(this, "code")?.childNodes ?? [])];
    const on = (name: string, run: () => void) => action(this, name)?.addEventListener("click", run);
    on("run", () => void lesson.runCell(this.id_));
    on("stop", () => void lesson.stop());
    on("edit", () => (this.#editor === null ? void this.edit() : this.closeEditor(true)));
    on("plain-editor", () => void this.edit({ kind: "plain" }));
    on("reset", () => this.reset());
    on("twin", () => this.toggleTwin());
    this.#bindCode();
    this.addEventListener("keydown", (event) => this.#onKey(event));
    this.update();
  }

  /** The model has changed: state, words, buttons. */
  update(): void {
    const model = this.#model;
    if (model === null) return;
    const { t } = { t: this.#t.cell };
    this.dataset.state = model.state;
    if (model.ms === null) delete this.dataset.ms;
    else this.dataset.ms = String(Math.round(model.ms));
    const edited = model.source !== model.starter;
    this.toggleAttribute("data-edited", edited);
    const busy = model.state === "running" || model.state === "queued";
    const run = action(this, "run");
    const stop = action(this, "stop");
    const focused = document.activeElement === run || document.activeElement === stop;
    // The run that it was said of never happened.
    if (!busy && this.#note !== "") this.note("");
    if (run) run.hidden = busy;
    if (stop) stop.hidden = !busy;
    // The button under the finger changes its meaning, not its place: focus goes along.
    if (focused) (busy ? stop : run)?.focus({ preventScroll: true });
    const reset = action(this, "reset");
    if (reset) reset.hidden = !edited;
    say(part(this, "state"), this.#stateWord(model));
    say(part(this, "edited"), edited && model.state !== "stale" ? t.edited : "");
  }

  #stateWord({ state, ms, reason, spec }: CellModel): string {
    const t = this.#t.cell;
    // What is shown says of itself that it was recorded.
    if (state === "recorded" && spec.output !== null) return "";
    if (state === "done" && ms !== null) return t.took(duration(ms, this.#t));
    // Nothing has run that could be out of date.
    if (state === "stale" && reason?.kind === "edited" && ms === null) return t.edited;
    if (state === "stale" && reason !== null) {
      const why =
        reason.kind === "edited"
          ? t.staleEdited
          : reason.kind === "restart"
            ? t.staleRestart
            : reason.kind === "device"
              ? t.staleDevice
              : t.staleUpstream(reason.cell);
      return `${t.state.stale}: ${why}`;
    }
    return t.state[state];
  }

  // ---- outputs

  /** Where this cell's run draws; null before its first run here. */
  get view(): OutputView | null {
    return this.#view;
  }

  /** A run begins. The lesson hands in what draws outputs, since that loads with the kernel. */
  begin(View: typeof OutputView): void {
    const host = part(this, "output");
    if (host === null) throw new Error(`the cell ${this.id_} has no place for its output`);
    this.#view ??= new View(host, {
      t: this.#t,
      label: this.id_,
      goTo: (cellId, line) => this.#lesson?.goTo(cellId, line),
    });
    this.#view.begin();
    this.markLine(null);
    say(part(this, "note"), this.#note);
    this.#note = "";
    this.#origin(part(this, "output")?.firstChild ? this.#t.cell.olderOrigin : "", null);
  }

  /** A run has ended. `same`: whether it printed what PyTorch printed; null where that can't be asked. */
  end(result: RunResult, same: boolean | null): void {
    this.#view?.finish();
    const t = this.#t.cell;
    if (part(this, "output")?.firstChild == null) this.#origin(result.state === "done" ? t.noOutput : "", null);
    else this.#origin(same === null ? t.freshOrigin : same ? t.same : t.differs, same);
    const frame = result.error?.frames.find((one) => one.cellId === this.id_);
    if (frame !== undefined) this.markLine(frame.line);
  }

  /** Where the shown output comes from. */
  #origin(text: string, same: boolean | null): void {
    const origin = part(this, "origin");
    say(origin, text);
    if (origin === null) return;
    if (same === null) delete origin.dataset.same;
    else origin.dataset.same = String(same);
  }

  note(text: string): void {
    this.#note = text;
    say(part(this, "note"), text);
  }

  // ---- lines

  /** Marks the line of an error in the code or in the editor. */
  markLine(line: number | null): void {
    this.#errorLine = line;
    for (const marked of this.querySelectorAll("[data-part='code'] .line[data-error]")) {
      marked.removeAttribute("data-error");
      marked.removeAttribute("aria-label");
    }
    this.#editor?.markLine(line);
    if (line === null) return;
    part(this, "code")?.querySelector(`.line[data-line="${line}"]`)?.setAttribute("data-error", "");
  }

  /** Brings a line into view and puts the reader there. */
  showLine(line: number): void {
    const folded = part<HTMLDetailsElement>(this, "folded");
    if (folded) folded.open = true;
    const target = part(this, "code")?.querySelector<HTMLElement>(`.line[data-line="${line}"]`);
    (target ?? this).scrollIntoView({ block: "center", behavior: "smooth" });
    if (this.#editor !== null) this.#editor.focus(line);
    else part(this, "code")?.querySelector("pre")?.focus({ preventScroll: true });
  }

  // ---- editing

  /** Opens the editor on the code, at a 1-based place if one is given. */
  edit(at: { kind?: "plain" | "rich"; line?: number; column?: number } = {}): Promise<void> {
    if (this.hasAttribute("data-readonly")) return Promise.resolve();
    if (this.#editor !== null && (at.kind === undefined || at.kind === this.#editor.kind)) {
      this.#editor.focus(at.line, at.column);
      return Promise.resolve();
    }
    this.#opening ??= this.#open(at).finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  async #open(at: { kind?: "plain" | "rich"; line?: number; column?: number }): Promise<void> {
    const lesson = this.#lesson;
    const model = this.#model;
    const host = part(this, "code");
    if (lesson === null || model === null || host === null) return;
    const folded = part<HTMLDetailsElement>(this, "folded");
    if (folded) folded.open = true;
    const { mountEditor, preferEditor } = await import("../editor/editor.ts");
    if (this.#editor !== null) {
      this.#editor.dispose();
      this.#editor = null;
      if (at.kind !== undefined) preferEditor(at.kind);
    }
    const height = host.offsetHeight;
    const stage = document.createElement("div");
    stage.className = "editor-stage";
    stage.style.minHeight = `${height}px`;
    host.replaceChildren(stage);
    const advance = (then: "advance" | "stay" | "all") => {
      if (then === "all") void lesson.runAll();
      else void lesson.runCell(this.id_);
      if (then === "advance") {
        this.closeEditor(false);
        lesson.focusAfter(this.id_);
      }
    };
    this.#editor = await mountEditor(
      stage,
      {
        key: `${lesson.lessonId}/${this.id_}`,
        id: this.id_,
        locale: lesson.locale,
        label: this.#t.cell.editorLabel(this.id_),
        source: model.source,
        lesson: () => lesson.sources(),
      },
      {
        change: (source) => lesson.setSource(this.id_, source),
        leave: () => this.closeEditor(true),
        run: advance,
      },
      at.kind,
    );
    stage.style.minHeight = "";
    this.setAttribute("data-editing", "");
    this.#editButton();
    this.#editor.markLine(this.#errorLine);
    this.#editor.focus(at.line, at.column);
  }

  /** Back to the code at rest. `refocus`: to the code, for who left by keyboard. */
  closeEditor(refocus: boolean): void {
    const editor = this.#editor;
    if (editor === null) return;
    this.#editor = null;
    this.removeAttribute("data-editing");
    this.#editButton();
    // The editor stays until the code takes its place, so that the focus never falls to the page in between.
    void this.showCode().then(() => {
      editor.dispose();
      if (refocus) part(this, "code")?.querySelector("pre")?.focus();
    });
  }

  /** The code at rest: the build's own HTML while the text is the lesson's, else coloured here. */
  async showCode(): Promise<void> {
    const host = part(this, "code");
    if (host === null || this.#model === null || this.#editor !== null) return;
    if (this.#model.source === this.#model.starter) host.replaceChildren(...this.#starterCode);
    else {
      const { codeElement } = await import("./live-code.ts");
      if (this.#editor !== null) return;
      host.replaceChildren(codeElement(this.#model.source));
    }
    this.#bindCode();
    this.markLine(this.#errorLine);
  }

  /** The text was changed from outside: a reset, a link, another editor. */
  sourceChanged(): void {
    if (this.#model === null) return;
    if (this.#editor !== null) {
      if (this.#editor.source !== this.#model.source) this.#editor.setSource(this.#model.source);
    } else void this.showCode();
  }

  reset(): void {
    if (this.#lesson === null || this.#model === null) return;
    this.#lesson.setSource(this.id_, this.#model.starter);
    this.markLine(null);
    this.sourceChanged();
    part(this, "code")?.querySelector<HTMLElement>("pre, textarea")?.focus({ preventScroll: true });
  }

  toggleTwin(): void {
    const twin = part<HTMLDetailsElement>(this, "twin");
    if (twin === null) return;
    twin.open = !twin.open;
    action(this, "twin")?.setAttribute("aria-expanded", String(twin.open));
  }

  #editButton(): void {
    const edit = action(this, "edit");
    if (edit) {
      edit.textContent = this.#editor === null ? this.#t.cell.edit : this.#t.cell.done;
      edit.setAttribute("aria-pressed", String(this.#editor !== null));
    }
  }

  #bindCode(): void {
    const pre = part(this, "code")?.querySelector<HTMLElement>("pre");
    if (!pre) return;
    pre.tabIndex = 0;
    pre.setAttribute("role", "group");
    pre.setAttribute("aria-label", this.#t.cell.codeLabel(this.id_));
    if (pre.dataset.bound !== undefined || this.hasAttribute("data-readonly")) return;
    pre.dataset.bound = "";
    pre.addEventListener("click", (event) => {
      // A selection is for copying.
      if (document.getSelection()?.isCollapsed === false) return;
      void this.edit(placeAt(event));
    });
  }

  #onKey(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (event.key !== "Enter" || event.isComposing || this.#lesson === null) return;
    if (!target.closest("[data-part='code']") || target.closest("textarea, .editor-stage")) return;
    const ctrl = event.ctrlKey || event.metaKey;
    event.preventDefault();
    // Ctrl+Shift+Enter is the lesson's, and bubbles on.
    if (ctrl && event.shiftKey) return;
    if (!ctrl && !event.shiftKey) void this.edit();
    else {
      void this.#lesson.runCell(this.id_);
      if (event.shiftKey) this.#lesson.focusAfter(this.id_);
    }
  }
}

/** Line and column of the code under the pointer, 1-based. */
function placeAt(event: MouseEvent): { line?: number; column?: number } {
  const line = (event.target as Element).closest<HTMLElement>(".line");
  if (line === null) return {};
  const position = document.caretPositionFromPoint?.(event.clientX, event.clientY);
  let column = 1;
  if (position && line.contains(position.offsetNode)) {
    const range = document.createRange();
    range.setStart(line, 0);
    range.setEnd(position.offsetNode, position.offset);
    column = range.toString().length + 1;
  }
  return { line: Number(line.dataset.line), column };
}

/** "12 ms", "1.4 s", "2 min 5 s". */
export function duration(ms: number, t: Messages): string {
  if (ms < 1000) return t.cell.ms(Math.max(1, Math.round(ms)));
  if (ms < 60_000) return t.cell.seconds((ms / 1000).toFixed(ms < 10_000 ? 1 : 0));
  return t.cell.minutesSeconds(Math.floor(ms / 60_000), Math.round((ms % 60_000) / 1000));
}
