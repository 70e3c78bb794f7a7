/**
 * <stride-exercise>: code to write, checks that say what is right and what is not and why, hints one at a time, and a
 * solution for who asks twice. Before any script the hints and the solution are folded <details>; here they come by
 * button. What the code defines reaches no other cell.
 */
import { type Messages, messages } from "../i18n/index.ts";
import type { CheckVerdict, RunResult } from "../kernel/protocol.ts";
import type { ExerciseSpec } from "../lesson/types.ts";
import type { OutputView } from "../outputs/output-view.ts";
import { button, part } from "./dom.ts";
import { ExerciseCode } from "./exercise-code.ts";
import { keepVerdict, keptVerdict, whenLesson } from "./question.ts";
import type { LessonRuntime } from "./runtime.ts";

type Control = "check" | "stop" | "hint" | "solution" | "edit" | "plain-editor" | "reset";

export class StrideExercise extends HTMLElement {
  #runtime: LessonRuntime | null = null;
  #spec: ExerciseSpec | null = null;
  #code: ExerciseCode | null = null;
  #view: OutputView | null = null;
  #t: Messages = messages("en");
  #hints: HTMLElement[] = [];
  #hintsShown = 0;
  #running = false;
  #passed = false;
  readonly #controls = new Map<Control, HTMLButtonElement>();

  connectedCallback(): void {
    whenLesson(this, (runtime) => this.#attach(runtime));
  }

  disconnectedCallback(): void {
    this.#code?.keepNow();
  }

  #attach(runtime: LessonRuntime): void {
    const spec = runtime.lesson.exercises.find((one) => one.id === this.dataset.exercise);
    const host = part(this, "code");
    if (spec === undefined || host === null || this.#runtime !== null) return;
    this.#runtime = runtime;
    this.#spec = spec;
    this.#t = messages(runtime.locale);
    this.#code = new ExerciseCode(this, host, runtime, spec, {
      changed: () => this.#changed(),
      editing: (open) => this.#editing(open),
      check: () => void this.check(),
    });
    this.#hints = [...this.querySelectorAll<HTMLElement>(":scope > [data-part='hint']")];
    for (const folded of [...this.#hints, part(this, "solution")]) if (folded !== null) folded.hidden = true;
    this.#addControls(spec);
    void this.#code.restore();
    void keptVerdict(runtime, spec.id).then((verdict) => {
      if (verdict !== "pass") return;
      this.#passed = true;
      if (!this.#running && this.dataset.verdict === "none") this.#show("pass", this.#t.exercise.solvedEarlier);
    });
  }

  // ---- controls

  #addControls({ id }: ExerciseSpec): void {
    const t = this.#t.exercise;
    const code = this.#code!;
    const add = (name: Control, text: string, run: () => void) => {
      const element = button(text, name === "check" ? "btn btn-primary" : "btn", run);
      element.dataset.action = name;
      this.#controls.set(name, element);
      return element;
    };
    add("check", t.check, () => void this.check()).setAttribute("aria-label", t.checkThis(id));
    add("stop", t.stop, () => void this.#runtime?.stop()).hidden = true;
    if (this.#hints.length > 0) add("hint", t.nextHint(1, this.#hints.length), () => this.#nextHint());
    if (part(this, "solution") !== null) add("solution", t.showSolution, () => this.#askSolution());
    add("edit", t.edit, () => (code.open ? code.close(true) : void code.edit()));
    add("plain-editor", t.plainEditor, () => void code.edit("plain"));
    add("reset", t.reset, () => this.#reset()).hidden = true;
    part(this, "controls")?.append(...this.#controls.values());
  }

  #nextHint(): void {
    const hint = this.#hints[this.#hintsShown];
    if (hint === undefined) return;
    this.#hintsShown++;
    hint.hidden = false;
    hint.setAttribute("open", "");
    const next = this.#controls.get("hint")!;
    if (this.#hintsShown === this.#hints.length) next.hidden = true;
    else next.textContent = this.#t.exercise.nextHint(this.#hintsShown + 1, this.#hints.length);
    // Who pressed the button reads on from here.
    hint.querySelector("summary")?.focus({ preventScroll: true });
  }

  /** Asks first, unless there is nothing left to spoil. */
  #askSolution(): void {
    const t = this.#t.exercise;
    if (this.#passed) {
      this.#showSolution();
      return;
    }
    if (part(this, "confirm") !== null) return;
    const asked = this.#controls.get("solution");
    const box = document.createElement("div");
    box.dataset.part = "confirm";
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", t.showSolution);
    const words = document.createElement("p");
    words.textContent = t.solutionAsk;
    const close = () => {
      box.remove();
      asked?.focus({ preventScroll: true });
    };
    const no = button(t.solutionNo, "btn btn-primary", close);
    no.dataset.action = "solution-no";
    const yes = button(t.solutionYes, "btn", () => {
      box.remove();
      this.#showSolution();
    });
    yes.dataset.action = "solution-yes";
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      close();
    });
    box.append(words, no, yes);
    part(this, "controls")?.after(box);
    no.focus({ preventScroll: true });
  }

  #showSolution(): void {
    const solution = part<HTMLDetailsElement>(this, "solution");
    const spec = this.#spec;
    if (solution === null || spec === null) return;
    solution.hidden = false;
    solution.open = true;
    this.#controls.get("solution")!.hidden = true;
    const use = button(this.#t.exercise.useSolution, "btn", () => {
      this.#code?.set(spec.solution);
      void this.#code?.edit();
    });
    use.dataset.action = "use-solution";
    solution.append(use);
    solution.querySelector("summary")?.focus({ preventScroll: true });
  }

  #reset(): void {
    this.#code?.set(this.#spec!.starter);
    this.#code?.markLine(null);
    this.#controls.get("check")?.focus({ preventScroll: true });
  }

  #editing(open: boolean): void {
    this.toggleAttribute("data-editing", open);
    const edit = this.#controls.get("edit");
    if (edit === undefined) return;
    edit.textContent = open ? this.#t.cell.done : this.#t.exercise.edit;
    edit.setAttribute("aria-pressed", String(open));
  }

  /** The text is no longer what was checked. */
  #changed(): void {
    const edited = this.#code?.edited ?? false;
    this.toggleAttribute("data-edited", edited);
    const reset = this.#controls.get("reset");
    if (reset !== undefined) reset.hidden = !edited;
    const summary = part(this, "summary");
    if (summary === null || this.dataset.verdict === "none" || this.#running) return;
    // "Solved on an earlier visit" stays true whatever is typed.
    if (part(this, "checks") === null && this.#passed) return;
    this.dataset.verdict = "none";
    summary.textContent = this.#t.exercise.changed;
  }

  // ---- checking

  /** Runs the code and its check, and shows what came of it. */
  async check(): Promise<void> {
    const runtime = this.#runtime;
    const code = this.#code;
    const spec = this.#spec;
    if (runtime === null || code === null || spec === null || this.#running) return;
    this.#setRunning(true);
    code.markLine(null);
    const { source } = code;
    let forget = () => {};
    let told = false;
    try {
      await runtime.ready();
      const view = await this.#outputs();
      view.begin();
      forget = runtime.client.onEvent((event) => {
        if (event.type === "record" || event.cellId !== spec.id) return;
        if (event.type === "output") {
          view.item(event.item);
          told ||= event.item.kind === "error";
        } else if (event.type === "append") view.append(event.id, event.text, event.tensors);
      });
      const result = await runtime.runExercise(spec.id, source);
      view.finish();
      this.#setRunning(false);
      // An error that wasn't the exercise's own: a cell that it needs did not run.
      if (result.error !== null && !told) this.#show("none", result.error.message);
      else this.#showResult(result);
      if (code.source !== source) this.#changed();
    } catch {
      // The lesson's bar says what happened to the kernel.
      this.#setRunning(false);
      this.#show("none", this.#t.exercise.gone);
    } finally {
      forget();
    }
  }

  #showResult(result: RunResult): void {
    const t = this.#t.exercise;
    if (result.state === "stopped") {
      this.#show("none", t.stopped);
      return;
    }
    if (result.state === "error") {
      const frame = result.error?.frames.find((one) => one.cellId === this.#spec?.id);
      if (frame !== undefined) this.#code?.markLine(frame.line);
      this.#show("fail", t.error);
    } else {
      const verdicts = result.verdicts ?? [];
      const failed = verdicts.filter((one) => !one.pass).length;
      const pass = verdicts.length > 0 && failed === 0;
      this.#show(pass ? "pass" : "fail", pass ? t.pass : t.fail(failed, verdicts.length), verdicts);
    }
    // A pass is kept for good; later failures are experiments.
    if (!this.#passed) void keepVerdict(this.#runtime!, this.#spec!.id, this.dataset.verdict!);
    if (this.dataset.verdict === "pass") this.#passed = true;
  }

  #show(verdict: "none" | "pass" | "fail", text: string, verdicts: readonly CheckVerdict[] = []): void {
    this.dataset.verdict = verdict;
    const summary = document.createElement("p");
    summary.dataset.part = "summary";
    summary.textContent = text;
    const list = document.createElement("ul");
    list.dataset.part = "checks";
    for (const one of verdicts) list.append(this.#checkItem(one));
    part(this, "verdict")?.replaceChildren(summary, ...(verdicts.length > 0 ? [list] : []));
  }

  #checkItem({ name, pass, message }: CheckVerdict): HTMLElement {
    const t = this.#t.exercise;
    const item = document.createElement("li");
    item.dataset.verdict = pass ? "pass" : "fail";
    const mark = document.createElement("span");
    mark.className = "check-mark";
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", pass ? t.passes : t.fails);
    mark.textContent = pass ? "✓" : "✗";
    const what = document.createElement("span");
    what.dataset.part = "check-name";
    what.textContent = name;
    item.append(mark, what);
    if (!pass && message !== null) {
      const why = document.createElement("p");
      why.dataset.part = "check-why";
      why.textContent = message;
      item.append(why);
    }
    return item;
  }

  #setRunning(running: boolean): void {
    this.#running = running;
    const check = this.#controls.get("check")!;
    const stop = this.#controls.get("stop")!;
    const focused = document.activeElement === check || document.activeElement === stop;
    this.toggleAttribute("data-running", running);
    check.hidden = running;
    stop.hidden = !running;
    // The button under the finger changes its meaning, not its place: focus goes along.
    if (focused) (running ? stop : check).focus({ preventScroll: true });
    if (running) this.#show("none", this.#t.exercise.checking);
  }

  async #outputs(): Promise<OutputView> {
    if (this.#view === null) {
      const { OutputView } = await import("../outputs/output-view.ts");
      const host = part(this, "output");
      if (host === null) throw new Error(`the exercise ${this.#spec?.id} has no place for its output`);
      this.#view = new OutputView(host, {
        t: this.#t,
        label: this.#spec!.id,
        goTo: (cellId, line) => {
          if (cellId === this.#spec!.id) this.#code?.showLine(line);
          else this.#runtime?.goTo(cellId, line);
        },
      });
    }
    return this.#view;
  }
}

customElements.define("stride-exercise", StrideExercise);
