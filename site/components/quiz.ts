/**
 * <stride-quiz>: a question that no run can settle. Says of each choice that was taken why it is right or not; a wrong
 * answer can be tried again, and the reasons for all come when it is right or asked for.
 */
import { type Messages, messages } from "../i18n/index.ts";
import { hasSeveral, judgeQuiz, keepAnswer, readAnswer } from "../lesson/questions.ts";
import type { QuizSpec } from "../lesson/types.ts";
import { button, part, say } from "./dom.ts";
import { keepVerdict, keptVerdict, makeChoices, markChoice, whenLesson } from "./question.ts";
import type { LessonRuntime } from "./runtime.ts";

export class StrideQuiz extends HTMLElement {
  #runtime: LessonRuntime | null = null;
  #spec: QuizSpec | null = null;
  #t: Messages["quiz"] = messages("en").quiz;
  #choices: HTMLInputElement[] = [];
  #check: HTMLButtonElement | null = null;
  #reveal: HTMLButtonElement | null = null;
  #again: HTMLButtonElement | null = null;

  connectedCallback(): void {
    whenLesson(this, (runtime) => this.#attach(runtime));
  }

  #attach(runtime: LessonRuntime): void {
    const spec = runtime.lesson.quizzes.find((one) => one.id === this.dataset.quiz);
    if (spec === undefined || this.#runtime !== null) return;
    this.#runtime = runtime;
    this.#spec = spec;
    this.#t = messages(runtime.locale).quiz;
    this.#choices = makeChoices(this, hasSeveral(spec), this.#t.label);
    for (const input of this.#choices) input.addEventListener("change", () => this.#changed());
    this.#addControls();
    this.#hideAnswer();
    void keptVerdict(runtime, spec.id).then((kept) => {
      const answer = readAnswer(spec, kept);
      if (answer === null || this.#chosen().size > 0) return;
      const chosen = new Set(answer.given.split(",").filter((index) => index !== ""));
      for (const input of this.#choices) input.checked = chosen.has(input.value);
      this.#judge();
    });
  }

  #addControls(): void {
    const t = this.#t;
    const controls = part(this, "controls");
    if (controls === null) return;
    const add = (action: string, text: string, run: () => void) => {
      const element = button(text, action === "check" ? "btn btn-primary" : "btn", run);
      element.dataset.action = action;
      controls.append(element);
      return element;
    };
    this.#check = add("check", t.check, () => this.#answer());
    this.#reveal = add("reveal", t.reveal, () => {
      this.#showAnswer();
      part(this, "answer")?.querySelector("summary")?.focus({ preventScroll: true });
    });
    this.#again = add("again", t.again, () => this.#startAgain());
    this.#again.hidden = true;
    this.#ask();
  }

  #chosen(): Set<number> {
    return new Set(this.#choices.flatMap((input, index) => (input.checked ? [index] : [])));
  }

  #answer(): void {
    const chosen = this.#chosen();
    if (chosen.size === 0) {
      this.#ask();
      this.#choices[0]?.focus();
      return;
    }
    this.#judge();
    const state = this.dataset.verdict === "pass" ? "pass" : "fail";
    const given = [...chosen].join(",");
    void keepVerdict(this.#runtime!, this.#spec!.id, keepAnswer(this.#spec!, { state, given }));
  }

  #judge(): void {
    const spec = this.#spec!;
    const t = this.#t;
    const chosen = this.#chosen();
    const verdict = judgeQuiz(spec, chosen);
    this.dataset.verdict = verdict;
    for (const [index, input] of this.#choices.entries()) {
      const right = spec.choices[index]?.right ?? false;
      const item = input.closest("li");
      markChoice(item, chosen.has(index) ? right : null, right ? t.right : t.wrong);
      this.#showReason(item, index, chosen.has(index));
    }
    if (verdict === "pass") {
      say(part(this, "verdict"), t.right);
      this.#showAnswer();
      return;
    }
    const hits = [...chosen].filter((index) => spec.choices[index]?.right).length;
    say(part(this, "verdict"), hasSeveral(spec) ? t.wrongSeveral(hits) : t.wrong);
  }

  /** The author's reason for a choice that was taken: under it, where the eye is. */
  #showReason(item: HTMLElement | null, index: number, show: boolean): void {
    if (item === null) return;
    part(item, "why")?.remove();
    const reason = this.querySelector(`[data-part="reasons"] > [data-choice="${index}"] > [data-part="why"]`);
    if (show && reason !== null) item.append(reason.cloneNode(true));
  }

  #changed(): void {
    if (this.dataset.verdict === "none") return;
    this.dataset.verdict = "none";
    for (const input of this.#choices) {
      markChoice(input.closest("li"), null, "");
      this.#showReason(input.closest("li"), 0, false);
    }
    this.#ask();
  }

  #showAnswer(): void {
    const answer = part<HTMLDetailsElement>(this, "answer");
    if (answer !== null) {
      answer.hidden = false;
      // Whoever got it right has read the reason already.
      answer.open = this.dataset.verdict !== "pass";
    }
    for (const input of this.#choices) input.disabled = true;
    for (const element of [this.#check, this.#reveal]) if (element !== null) element.hidden = true;
    if (this.#again !== null) this.#again.hidden = false;
  }

  #startAgain(): void {
    this.dataset.verdict = "none";
    for (const input of this.#choices) {
      input.disabled = false;
      input.checked = false;
      markChoice(input.closest("li"), null, "");
      this.#showReason(input.closest("li"), 0, false);
    }
    this.#hideAnswer();
    for (const element of [this.#check, this.#reveal]) if (element !== null) element.hidden = false;
    if (this.#again !== null) this.#again.hidden = true;
    this.#ask();
    this.#choices[0]?.focus({ preventScroll: true });
  }

  #hideAnswer(): void {
    const answer = part<HTMLDetailsElement>(this, "answer");
    if (answer === null) return;
    answer.hidden = true;
    answer.open = false;
  }

  #ask(): void {
    say(part(this, "verdict"), hasSeveral(this.#spec!) ? this.#t.several : this.#t.one);
  }
}

customElements.define("stride-quiz", StrideQuiz);
