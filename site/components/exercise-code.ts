/**
 * The text of an exercise: at rest as the build highlighted it or as coloured here, in an editor when it is worked on,
 * and kept between visits. What a reader never uses is imported when it is first used.
 */
import type { CellEditor } from "../editor/editor.ts";
import { type Messages, messages } from "../i18n/index.ts";
import type { ExerciseSpec } from "../lesson/types.ts";
import { button } from "./dom.ts";
import type { LessonRuntime } from "./runtime.ts";

/** Milliseconds without a keystroke after which the text is kept. */
const KEEP_AFTER = 400;

const storage = () => Promise.all([import("../store/store.ts"), import("../store/hash.ts")]);

export interface ExerciseCodeEvents {
  /** The text is another one: typed, reset, restored, put in. */
  changed(source: string): void;
  /** The editor opened or closed. */
  editing(open: boolean): void;
  /** Shift+Enter or Ctrl+Enter. */
  check(): void;
}

export class ExerciseCode {
  source: string;
  readonly #element: HTMLElement;
  readonly #host: HTMLElement;
  readonly #runtime: LessonRuntime;
  readonly #spec: ExerciseSpec;
  readonly #t: Messages;
  readonly #events: ExerciseCodeEvents;
  /** The starter as the build highlighted it, for when the text is the lesson's again. */
  readonly #starterCode: Node[];
  #editor: CellEditor | null = null;
  #opening: Promise<void> | null = null;
  #keepTimer: ReturnType<typeof setTimeout> | undefined;
  #errorLine: number | null = null;

  constructor(
    element: HTMLElement,
    host: HTMLElement,
    runtime: LessonRuntime,
    spec: ExerciseSpec,
    events: ExerciseCodeEvents,
  ) {
    this.#element = element;
    this.#host = host;
    this.#runtime = runtime;
    this.#spec = spec;
    this.#events = events;
    this.#t = messages(runtime.locale);
    this.source = spec.starter;
    this.#starterCode = [...host.childNodes];
    this.#bind();
    host.addEventListener("keydown", (event) => this.#onKey(event));
    // A phone that puts the tab away gives no time to finish typing.
    document.addEventListener("visibilitychange", () => this.keepNow());
  }

  get edited(): boolean {
    return this.source !== this.#spec.starter;
  }

  get open(): boolean {
    return this.#editor !== null;
  }

  /** Text from elsewhere: the solution, the starter. */
  set(source: string): void {
    this.#typed(source);
    if (this.#editor !== null) this.#editor.setSource(source);
    else void this.#showAtRest();
  }

  /** Opens the editor, at a 1-based line if one is given. */
  edit(kind?: "plain" | "rich", line?: number): Promise<void> {
    if (this.#editor !== null && (kind === undefined || kind === this.#editor.kind)) {
      this.#editor.focus(line);
      return Promise.resolve();
    }
    this.#opening ??= this.#openEditor(kind, line).finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  /** Back to the code at rest. `refocus`: to the code, for who left by keyboard. */
  close(refocus: boolean): void {
    if (this.#editor === null) return;
    this.#editor.dispose();
    this.#editor = null;
    this.keepNow();
    this.#events.editing(false);
    void this.#showAtRest().then(() => {
      if (refocus) this.#host.querySelector("pre")?.focus();
    });
  }

  /** Marks the line of an error; null takes the mark away. */
  markLine(line: number | null): void {
    this.#errorLine = line;
    for (const marked of this.#host.querySelectorAll(".line[data-error]")) marked.removeAttribute("data-error");
    this.#editor?.markLine(line);
    if (line !== null) this.#host.querySelector(`.line[data-line="${line}"]`)?.setAttribute("data-error", "");
  }

  showLine(line: number): void {
    if (this.#editor !== null) this.#editor.focus(line);
    else this.#host.querySelector(`.line[data-line="${line}"]`)?.scrollIntoView({ block: "center" });
  }

  /** What the student had written on an earlier visit, unless something is typed already. */
  async restore(): Promise<void> {
    await this.#restoreWork().catch(() => {});
  }

  async #restoreWork(): Promise<void> {
    const { starter } = this.#spec;
    const [{ openStore }, { starterHash }] = await storage();
    const work = await (await openStore()).getWork(this.#key);
    if (work === undefined || this.edited || work.source === starter) return;
    if (work.starter === starterHash(starter)) {
      this.source = work.source;
      this.#events.changed(work.source);
      if (this.#editor !== null) this.#editor.setSource(work.source);
      else await this.#showAtRest();
    } else this.#ask(work.source);
  }

  /** Writes what was typed since the last time. */
  keepNow(): void {
    if (this.#keepTimer === undefined) return;
    clearTimeout(this.#keepTimer);
    this.#keepTimer = undefined;
    const { source } = this;
    const { starter } = this.#spec;
    const kept = storage().then(async ([{ openStore }, { starterHash }]) => {
      const store = await openStore();
      if (source === starter) await store.deleteWork(this.#key);
      else await store.putWork(this.#key, { source, starter: starterHash(starter), savedAt: Date.now() });
    });
    // The lesson's bar says that nothing is kept.
    kept.catch(() => {});
  }

  /** As the store's workKey writes it. */
  get #key(): string {
    return `${this.#runtime.lessonId}/${this.#spec.id}`;
  }

  async #openEditor(kind: "plain" | "rich" | undefined, line: number | undefined): Promise<void> {
    const { mountEditor, preferEditor } = await import("../editor/editor.ts");
    if (this.#editor !== null) {
      this.#editor.dispose();
      this.#editor = null;
      if (kind !== undefined) preferEditor(kind);
    }
    const stage = document.createElement("div");
    stage.className = "editor-stage";
    // The page keeps its place while the editor loads.
    stage.style.minHeight = `${this.#host.offsetHeight}px`;
    this.#host.replaceChildren(stage);
    this.#editor = await mountEditor(
      stage,
      {
        key: this.#key,
        id: this.#spec.id,
        locale: this.#runtime.locale,
        label: this.#t.exercise.editorLabel(this.#spec.id),
        source: this.source,
        lesson: () => this.#chain(),
      },
      {
        change: (source) => this.#typed(source),
        leave: () => this.close(true),
        run: () => this.#events.check(),
      },
      kind,
    );
    stage.style.minHeight = "";
    this.#events.editing(true);
    this.#editor.markLine(this.#errorLine);
    this.#editor.focus(line);
  }

  /** What types are seen from here: the cells above, then the exercise's own text. */
  #chain(): { id: string; source: string }[] {
    const above = this.#runtime.lesson.cells.filter((cell) => cell.line < this.#spec.line);
    return [
      ...above.map(({ id }) => ({ id, source: this.#runtime.source(id) })),
      { id: this.#spec.id, source: this.source },
    ];
  }

  async #showAtRest(): Promise<void> {
    if (this.#editor !== null) return;
    if (!this.edited) this.#host.replaceChildren(...this.#starterCode);
    else {
      const { codeElement } = await import("./live-code.ts");
      if (this.#editor !== null) return;
      this.#host.replaceChildren(codeElement(this.source));
    }
    this.#bind();
    this.markLine(this.#errorLine);
  }

  #bind(): void {
    const pre = this.#host.querySelector<HTMLElement>("pre");
    if (pre === null) return;
    pre.tabIndex = 0;
    pre.setAttribute("role", "group");
    pre.setAttribute("aria-label", this.#t.exercise.codeLabel(this.#spec.id));
    if (pre.dataset.bound !== undefined) return;
    pre.dataset.bound = "";
    pre.addEventListener("click", (event) => {
      // A selection is for copying.
      if (document.getSelection()?.isCollapsed === false) return;
      const line = (event.target as Element).closest<HTMLElement>(".line")?.dataset.line;
      void this.edit(undefined, line === undefined ? undefined : Number(line));
    });
  }

  #onKey(event: KeyboardEvent): void {
    if (event.key !== "Enter" || event.isComposing) return;
    if ((event.target as Element).closest("textarea, .editor-stage")) return;
    const ctrl = event.ctrlKey || event.metaKey;
    // Ctrl+Shift+Enter is the lesson's, and bubbles on.
    if (ctrl && event.shiftKey) return;
    event.preventDefault();
    if (ctrl || event.shiftKey) this.#events.check();
    else void this.edit();
  }

  #typed(source: string): void {
    this.source = source;
    this.#events.changed(source);
    clearTimeout(this.#keepTimer);
    this.#keepTimer = setTimeout(() => this.keepNow(), KEEP_AFTER);
  }

  /** The author has changed the starting code since: mine, new, or compare; nothing is overwritten without an answer. */
  #ask(mine: string): void {
    const t = this.#t.cell;
    const box = document.createElement("div");
    box.dataset.part = "conflict";
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", this.#t.exercise.conflict);
    const words = document.createElement("p");
    words.textContent = this.#t.exercise.conflict;
    const keep = button(t.keepMine, "btn btn-primary", () => {
      box.remove();
      this.set(mine);
    });
    const take = button(t.takeNew, "btn", () => {
      box.remove();
      this.set(this.#spec.starter);
    });
    const compare = button(t.compare, "btn", () => {
      void import("./compare.ts").then(({ comparison }) => {
        box.querySelector(".compare")?.remove();
        box.append(comparison(mine, this.#spec.starter, t.compareMine, t.compareNew));
      });
    });
    keep.dataset.action = "keep-mine";
    take.dataset.action = "take-new";
    compare.dataset.action = "compare";
    box.append(words, keep, take, compare);
    this.#element.prepend(box);
  }
}
