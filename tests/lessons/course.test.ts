/** The course itself: its files fit together, and every cell prints what PyTorch printed. */
import { expect, test } from "vitest";
import { checkCourse } from "../../site/lesson/check-course.ts";
import { existsFromRoot, readLessons } from "../../site/lesson/cli/lesson-files.ts";
import { runLesson } from "../../site/lesson/cli/run-lesson.ts";
import { formatDiagnostic } from "../../site/lesson/diagnostic.ts";
import { parseLesson } from "../../site/lesson/parse.ts";

const files = readLessons();

test("every lesson passes lesson:check", () => {
  expect(files.length).toBeGreaterThan(0);
  expect(checkCourse(files, existsFromRoot).map(formatDiagnostic)).toEqual([]);
});

test.each(files.map(({ file }) => file))(
  "every cell of %s prints what PyTorch printed, and its exercises hold",
  async (file) => {
    const { lesson } = parseLesson(files.find((one) => one.file === file)!.text, file);
    const wrong = (await runLesson(lesson)).filter((record) => record.problem !== null);
    expect(wrong.map(({ id, kind, line, problem }) => `${file}:${line} ${kind} ${id}: ${problem}`)).toEqual([]);
  },
  180_000,
);
