/** How predictions and quizzes are judged, and how an answer is kept. */
import { expect, test } from "vitest";
import {
  hasSeveral,
  judgePrediction,
  judgeQuiz,
  keepAnswer,
  questionMark,
  readAnswer,
} from "../../site/lesson/questions.ts";
import type { PredictSpec, QuizSpec } from "../../site/lesson/types.ts";

const choice: PredictSpec = {
  of: "first-conv",
  id: "rows",
  line: 1,
  choices: ["5", "3"],
  right: 1,
  whys: ["", ""],
  answer: "torch.Size([1, 1, 3, 3])",
  why: "",
};
const typed: PredictSpec = { ...choice, choices: null, right: null, whys: null, answer: "10" };
const quiz: QuizSpec = {
  id: "ask",
  line: 1,
  choices: [
    { text: "a", right: true, why: "" },
    { text: "b", right: false, why: "" },
    { text: "c", right: true, why: "" },
  ],
  why: "",
};
const PRINTED = "torch.Size([1, 1, 3, 3])\ntensor([[[[10, 12]]]])\n";

test("a choice is right or wrong by the run of the lesson's own code", () => {
  expect(judgePrediction(choice, "1", PRINTED)).toBe("pass");
  expect(judgePrediction(choice, "0", PRINTED)).toBe("fail");
});

test("a choice can't be judged by a cell that prints something else now", () => {
  expect(judgePrediction(choice, "1", "torch.Size([1, 1, 2, 2])")).toBe("changed");
  expect(judgePrediction({ ...choice, answer: "" }, "1", "anything")).toBe("pass");
});

test("a typed value is right by its numbers", () => {
  expect(judgePrediction(typed, " 10 ", PRINTED)).toBe("pass");
  expect(judgePrediction(typed, "12", PRINTED)).toBe("fail");
});

test("a typed value may be right for what the student made of the cell", () => {
  expect(judgePrediction(typed, "7", "tensor([7, 8])")).toBe("pass");
  expect(judgePrediction(typed, "9", "tensor([7, 8])")).toBe("changed");
});

test("a quiz is right when exactly the right choices are taken", () => {
  expect(hasSeveral(quiz)).toBe(true);
  expect(judgeQuiz(quiz, new Set([0, 2]))).toBe("pass");
  expect(judgeQuiz(quiz, new Set([0]))).toBe("fail");
  expect(judgeQuiz(quiz, new Set([0, 1, 2]))).toBe("fail");
});

test("an answer is kept with its question, whatever is in it", () => {
  for (const given of ["1", "", "a:b:c", "两\n行"]) {
    const kept = keepAnswer(typed, { state: "fail", given });
    expect(kept.startsWith("fail:")).toBe(true);
    expect(readAnswer(typed, kept)).toEqual({ state: "fail", given });
  }
});

test("an answer to a question that has changed is forgotten, a translated question has not changed", () => {
  const kept = keepAnswer(choice, { state: "pass", given: "1" });
  expect(readAnswer({ ...choice, right: 0 }, kept)).toBeNull();
  expect(readAnswer({ ...choice, choices: ["五", "三"] }, kept)).toEqual({ state: "pass", given: "1" });
  expect(readAnswer(choice, undefined)).toBeNull();
  expect(readAnswer(choice, "pass")).toBeNull();
  expect(questionMark(quiz)).not.toBe(questionMark({ ...quiz, choices: quiz.choices.slice(1) }));
});
