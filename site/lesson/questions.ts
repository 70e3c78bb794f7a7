/** How predictions and quizzes are judged, and how a student's answer is kept. No page in here. */
import { sameAnswer, showsAnswer } from "./answers.ts";
import type { PredictSpec, QuizSpec } from "./types.ts";

/**
 * - pass, fail: the guess was right, or not
 * - changed: the cell no longer prints what the lesson's own code prints, so the guess can't be judged by the lesson's answer
 */
export type Judgement = "pass" | "fail" | "changed";

/**
 * Judges a guess by a run.
 * @param given index of the choice as text, or the typed value
 * @param printed everything that the run printed
 */
export function judgePrediction(spec: PredictSpec, given: string, printed: string): Judgement {
  const asWritten = showsAnswer(printed, spec.answer);
  if (spec.choices !== null) return !asWritten ? "changed" : Number(given) === spec.right ? "pass" : "fail";
  if (asWritten) return sameAnswer(given, spec.answer) ? "pass" : "fail";
  // Another kernel, another stride: the guess may be right for what the student made of the cell.
  return given.trim() !== "" && showsAnswer(printed, given) ? "pass" : "changed";
}

/** Whether exactly the right choices are chosen. */
export function judgeQuiz(spec: QuizSpec, chosen: ReadonlySet<number>): "pass" | "fail" {
  return spec.choices.every((choice, index) => choice.right === chosen.has(index)) ? "pass" : "fail";
}

/** A quiz with several right choices asks for all of them. */
export function hasSeveral(spec: QuizSpec): boolean {
  return spec.choices.filter((choice) => choice.right).length > 1;
}

export interface KeptAnswer {
  /** "guess": not judged yet. */
  state: "guess" | "pass" | "fail";
  given: string;
}

/** What of a question must not change for a kept answer to mean the same: the same in every language. */
export function questionMark(spec: PredictSpec | QuizSpec): string {
  const parts =
    "of" in spec
      ? [spec.of, spec.choices?.length ?? "typed", spec.right ?? "", spec.answer]
      : spec.choices.map((choice) => (choice.right ? "x" : "_"));
  return encodeURIComponent(parts.join(" "));
}

/** As the store keeps it: "pass:<mark>:<given>". The state stands first, so that progress can be counted without more. */
export function keepAnswer(spec: PredictSpec | QuizSpec, { state, given }: KeptAnswer): string {
  return `${state}:${questionMark(spec)}:${given}`;
}

/** The kept answer, or null when there is none or the question has changed since. */
export function readAnswer(spec: PredictSpec | QuizSpec, kept: string | undefined): KeptAnswer | null {
  const match = /^(guess|pass|fail):([^:]*):([\s\S]*)$/.exec(kept ?? "");
  if (match === null || match[2] !== questionMark(spec)) return null;
  return { state: match[1] as KeptAnswer["state"], given: match[3]! };
}
