/** Holds a translated lesson against its original: words may differ, code and numbers may not. */
import { type CodeWord, firstDifference, pythonWords, typescriptWords } from "./code-words.ts";
import type { ParsedLesson } from "./parse.ts";
import type { Diagnostic } from "./types.ts";

interface Named {
  id: string;
  line: number;
}

/** What of `translation` is not as in `original`. */
export function compareTranslations(original: ParsedLesson, translation: ParsedLesson): Diagnostic[] {
  const a = original.lesson;
  const b = translation.lesson;
  const found: Diagnostic[] = [];
  const differs = (line: number, message: string, fix = `make it the same as in ${a.file}`) =>
    found.push({ file: b.file, line, column: 1, code: "translation-differs", message, fix });

  for (const key of ["chapter", "minutes", "needs", "seed"] as const) {
    if (JSON.stringify(a.frontMatter[key]) !== JSON.stringify(b.frontMatter[key])) {
      differs(
        translation.places.frontMatter[key]?.line ?? 1,
        `${key} differs: there ${JSON.stringify(a.frontMatter[key])}`,
      );
    }
  }

  const code = (what: string, line: number, thereLine: number, here: CodeWord[], there: CodeWord[]) => {
    const at = firstDifference(there, here);
    if (at === null) return;
    differs(
      line + at.b - 1,
      `the code of ${what} differs (there on line ${thereLine + at.a - 1})`,
      `only comments may differ from ${a.file}`,
    );
  };

  if (sameOrder("cell", a.cells, b.cells)) {
    a.cells.forEach((cell, index) => {
      const mine = b.cells[index]!;
      for (const key of ["hidden", "readonly", "auto", "steps", "tol", "device"] as const) {
        if (cell[key] !== mine[key]) differs(mine.line - 1, `${key} of cell ${cell.id} differs: there ${cell[key]}`);
      }
      code(`cell ${cell.id}`, mine.line, cell.line, typescriptWords(mine.source), typescriptWords(cell.source));
      if (cell.twin !== null && mine.twin !== null) {
        const what = `the twin of ${cell.id}`;
        code(what, mine.twinLine!, cell.twinLine!, pythonWords(mine.twin), pythonWords(cell.twin));
      } else if (cell.twin !== mine.twin) {
        differs(mine.line - 1, `the twin of ${cell.id} is only in ${cell.twin === null ? b.file : a.file}`);
      }
      if (cell.output !== mine.output) {
        const lines = (mine.output ?? "").split("\n");
        const row = (cell.output ?? "").split("\n").findIndex((line, at) => line !== lines[at]);
        const line = mine.outputLine == null ? mine.line - 1 : mine.outputLine + Math.max(0, row);
        differs(line, `the output of ${cell.id} differs`);
      }
    });
  }

  if (sameOrder("exercise", a.exercises, b.exercises)) {
    a.exercises.forEach((exercise, index) => {
      const mine = b.exercises[index]!;
      const parts = [
        ["starter", false],
        ["check", true],
        ["solution", false],
      ] as const;
      for (const [part, mask] of parts) {
        const here = typescriptWords(mine[part], mask);
        const there = typescriptWords(exercise[part], mask);
        code(`the ${part} of ${exercise.id}`, mine[`${part}Line`], exercise[`${part}Line`], here, there);
      }
      if (exercise.hints.length !== mine.hints.length) {
        differs(mine.line, `exercise ${mine.id} has ${mine.hints.length} hints, there it has ${exercise.hints.length}`);
      }
    });
  }

  if (sameOrder("predict", a.predicts, b.predicts)) {
    a.predicts.forEach((guess, index) => {
      const mine = b.predicts[index]!;
      const same =
        guess.of === mine.of &&
        guess.right === mine.right &&
        guess.answer === mine.answer &&
        guess.choices?.length === mine.choices?.length;
      if (!same) differs(mine.line, `predict ${guess.id} asks for something else than there`);
    });
  }

  if (sameOrder("quiz", a.quizzes, b.quizzes)) {
    a.quizzes.forEach((quiz, index) => {
      const mine = b.quizzes[index]!;
      const ticks = (choices: { right: boolean }[]) => choices.map((choice) => (choice.right ? "x" : "_")).join("");
      if (ticks(quiz.choices) !== ticks(mine.choices))
        differs(mine.line, `quiz ${quiz.id} has other choices ticked than there`);
    });
  }

  const views = (all: { of: string; op: string; line: number }[]) =>
    all.map((view) => ({ id: `${view.of} ${view.op}`, line: view.line }));
  sameOrder("visualizer", views(a.visualizers), views(b.visualizers));
  return found;

  function sameOrder(what: string, there: readonly Named[], here: readonly Named[]): boolean {
    for (let index = 0; index < Math.max(there.length, here.length); index++) {
      const expected = there[index];
      const actual = here[index];
      if (expected?.id === actual?.id) continue;
      if (expected === undefined)
        differs(actual!.line, `${what} ${actual!.id} is not in ${a.file}`, "remove it here, or add it there");
      else if (actual === undefined) {
        differs(
          here.at(-1)?.line ?? 1,
          `${what} ${expected.id} is missing`,
          `add it as in ${a.file}, line ${expected.line}`,
        );
      } else {
        differs(
          actual.line,
          `${what} ${actual.id} stands where ${a.file} has ${expected.id}`,
          `bring them into the order of ${a.file}`,
        );
      }
      return false;
    }
    return true;
  }
}
