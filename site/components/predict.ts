/**
 * <stride-predict>: a guess before the run, judged by the run. Choosing is all there is to do; running without a guess is
 * fine. Before any script the answer is a folded <details>; here it stays away until the run, or until it is asked for.
 */
import { type Messages, messages } from "../i18n/index.ts";
import { judgePrediction, keepAnswer, readAnswer } from "../lesson/questions.ts";
import type { PredictSpec } from "../lesson/types.ts";
import { button, part, say } from "./dom.ts";
import { keepVerdict, keptVerdict, makeChoices, markChoice, whenLesson } from "./question.ts";
import type { LessonRuntime } from "./runtime.ts";

export class StridePredict extends HTMLElement {
  #runtime: LessonRuntime | null = null;
  #spec: PredictSpec | null = null;
  #t: Messages["predict"] = messages("en").predict;
  #choices: HTMLInputElement[] = [];
  #field: HTMLInputElement | null = null;
  #given: string | null = null;
  /** The answer is on the page. */
  #shown = false;
  #run: HTMLButtonElement | null = null;
  #reveal: HTMLButtonElement | null = null;
  #again: HTMLButtonElement | null = null;
  #forget = () => {};

  connectedCallback(): void {
    whenLesson(this, (runtime) => this.#attach(runtime));
  }

  disconnectedCallback(): void {
    this.#forget();
  }

  #attach(runtime: LessonRuntime): void {
    const spec = runtime.lesson.predicts.find((one) => one.id === this.dataset.predict);
    if (spec === undefined || this.#runtime !== null) return;
    this.#runtime = runtime;
    this.#spec = spec;
    this.#t = messages(runtime.locale).predict;
    this.#addControls(spec);
    this.#hideAnswer();
    this.#forget = runtime.onCellState((cellId, state) => {
      // The run's last words are on the page one frame later.
      if (cellId === spec.of && state === "done") requestAnimationFrame(() => this.#judge());
    });
    void keptVerdict(runtime, spec.id).then((kept) => {
      const answer = readAnswer(spec, kept);
      // A guess made before the store had answered stays.
      if (answer !== null && this.#given === null && !this.#shown) {
        this.#given = answer.given;
        this.#showGiven();
        if (answer.state === "guess") this.#say(this.#t.kept);
        else this.#show(answer.state, answer.state === "pass" ? this.#t.right : this.#t.wrong);
      }
      // This element loads when it comes near: its cell may have run before.
      if (runtime.state(spec.of) === "done") this.#judge();
      else if (!this.#shown) this.#veil();
    });
  }

  #addControls(spec: PredictSpec): void {
    const t = this.#t;
    const controls = part(this, "controls");
    if (controls === null) return;
    if (spec.choices !== null) {
      this.#choices = makeChoices(this, false, t.choices);
      for (const input of this.#choices) input.addEventListener("change", () => this.#guess(input.value));
    } else controls.append(this.#typedField());
    const add = (action: string, text: string, run: () => void) => {
      const element = button(text, "btn", run);
      element.dataset.action = action;
      controls.append(element);
      return element;
    };
    this.#run = add("run", t.runCell, () => void this.#runtime?.runCell(spec.of));
    this.#reveal = add("reveal", t.reveal, () => {
      this.#show("none", "");
      part(this, "answer")?.querySelector("summary")?.focus({ preventScroll: true });
    });
    this.#again = add("again", t.again, () => this.#startAgain());
    this.#again.hidden = true;
    this.#say(spec.choices === null ? t.changeTyped : t.change);
  }

  #typedField(): HTMLElement {
    const form = document.createElement("form");
    form.dataset.part = "typed";
    const label = document.createElement("label");
    label.textContent = this.#t.typed;
    const field = document.createElement("input");
    field.type = "text";
    field.autocomplete = "off";
    field.autocapitalize = "off";
    field.spellcheck = false;
    field.className = "code";
    field.dataset.part = "guess";
    const prompt = part(this, "prompt");
    if (prompt !== null) {
      prompt.id ||= `${this.id}-prompt`;
      field.setAttribute("aria-describedby", prompt.id);
    }
    label.append(" ", field);
    field.addEventListener("change", () => this.#guess(field.value.trim()));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#guess(field.value.trim());
    });
    const keep = document.createElement("button");
    keep.type = "submit";
    keep.className = "btn";
    keep.dataset.action = "keep";
    keep.textContent = this.#t.keep;
    form.append(label, keep);
    this.#field = field;
    return form;
  }

  #guess(given: string): void {
    if (this.#shown || given === "" || given === this.#given) return;
    this.#given = given;
    this.#say(this.#t.kept);
    this.#keep("guess");
  }

  /** The cell has run: right, wrong, or not to be said. */
  #judge(): void {
    if (this.#shown) return;
    if (this.#given === null) {
      this.#show("none", this.#t.unguessed);
      return;
    }
    const output = this.#cell()?.querySelectorAll("[data-output]:not([data-recorded])");
    const printed = [...(output ?? [])].map((item) => item.textContent).join("\n");
    const verdict = judgePrediction(this.#spec!, this.#given, printed);
    if (verdict === "changed") this.#show("none", this.#t.changed);
    else {
      this.#show(verdict, verdict === "pass" ? this.#t.right : this.#t.wrong);
      this.#keep(verdict);
    }
  }

  /**
   * What PyTorch printed stands right below the question: it is covered until the run, or until it is asked for. Only
   * the record is; what the student's own run prints never is.
   */
  #veil(): void {
    const cell = this.#cell();
    const output = cell === null ? null : part(cell, "output");
    if (cell === null || output?.querySelector("[data-recorded]") == null) return;
    this.toggleAttribute("data-waiting", true);
    cell.toggleAttribute("data-veiled", true);
    if (part(cell, "veil") !== null) return;
    const veil = document.createElement("p");
    veil.dataset.part = "veil";
    const show = button(this.#t.unveil, "btn", () => this.#unveil());
    show.dataset.action = "unveil";
    veil.append(this.#t.veiled, " ", show);
    output.before(veil);
  }

  #unveil(): void {
    this.removeAttribute("data-waiting");
    const cell = this.#cell();
    const of = CSS.escape(this.#spec!.of);
    if (cell === null || this.closest("stride-lesson")?.querySelector(`stride-predict[data-of="${of}"][data-waiting]`))
      return;
    cell.removeAttribute("data-veiled");
    part(cell, "veil")?.remove();
  }

  #cell(): HTMLElement | null {
    const id = CSS.escape(this.#spec!.of);
    return this.closest("stride-lesson")?.querySelector<HTMLElement>(`stride-cell[data-cell="${id}"]`) ?? null;
  }

  #show(verdict: "none" | "pass" | "fail", words: string): void {
    const { right } = this.#spec!;
    this.#unveil();
    this.#shown = true;
    this.dataset.verdict = verdict;
    this.#say(words);
    const answer = part<HTMLDetailsElement>(this, "answer");
    if (answer !== null) {
      answer.hidden = false;
      answer.open = true;
    }
    for (const [index, input] of this.#choices.entries()) {
      input.disabled = true;
      const chosen = this.#given === input.value;
      if (index === right) markChoice(input.closest("li"), true, this.#t.rightChoice);
      else if (chosen) markChoice(input.closest("li"), false, this.#t.yours);
    }
    this.#lock(true);
  }

  #startAgain(): void {
    this.#given = null;
    this.#shown = false;
    this.dataset.verdict = "none";
    for (const input of this.#choices) {
      input.disabled = false;
      input.checked = false;
      markChoice(input.closest("li"), null, "");
    }
    if (this.#field !== null) this.#field.value = "";
    this.#hideAnswer();
    this.#lock(false);
    this.#say(this.#spec!.choices === null ? this.#t.changeTyped : this.#t.change);
    (this.#choices[0] ?? this.#field)?.focus({ preventScroll: true });
    void keepVerdict(this.#runtime!, this.#spec!.id, null);
  }

  #lock(locked: boolean): void {
    if (this.#field !== null) this.#field.readOnly = locked;
    const form = part(this, "typed");
    const keep = form?.querySelector("button");
    if (keep) keep.hidden = locked;
    for (const element of [this.#run, this.#reveal]) if (element !== null) element.hidden = locked;
    if (this.#again !== null) this.#again.hidden = !locked;
  }

  #hideAnswer(): void {
    const answer = part<HTMLDetailsElement>(this, "answer");
    if (answer === null) return;
    answer.hidden = true;
    answer.open = false;
  }

  #showGiven(): void {
    for (const input of this.#choices) input.checked = input.value === this.#given;
    if (this.#field !== null && this.#given !== null) this.#field.value = this.#given;
  }

  #keep(state: "guess" | "pass" | "fail"): void {
    const spec = this.#spec!;
    void keepVerdict(this.#runtime!, spec.id, keepAnswer(spec, { state, given: this.#given ?? "" }));
  }

  #say(words: string): void {
    say(part(this, "verdict"), words);
  }
}

customElements.define("stride-predict", StridePredict);
