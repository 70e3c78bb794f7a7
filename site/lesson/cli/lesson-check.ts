/**
 * npm run lesson:check [files…]
 *
 * Everything that can be told about the lessons without running them. The whole course is read, so that links, needs and
 * translations can be checked; with files, only what concerns them is shown. Exit status: 0 nothing wrong, 1 faults,
 * 2 called wrongly.
 */
import { checkCourse } from "../check-course.ts";
import { formatDiagnostic } from "../diagnostic.ts";
import { existsFromRoot, fromRoot, readLessons, usage } from "./lesson-files.ts";

const lessons = readLessons();
const chosen = process.argv.slice(2).map(fromRoot);
for (const file of chosen) {
  if (lessons.some((lesson) => lesson.file === file)) continue;
  usage(`lesson:check: there is no lesson ${file}. Name files as lessons/en/nn/02-convolution.md, or none for all.`);
}
if (lessons.length === 0)
  usage("lesson:check: there are no lessons. Start one with: npm run lesson:new -- nn/01-my-lesson");

const found = checkCourse(lessons, existsFromRoot).filter(({ file }) => chosen.length === 0 || chosen.includes(file));
for (const diagnostic of found) console.log(formatDiagnostic(diagnostic));
const count = chosen.length || lessons.length;
console.log(
  `${count} ${count === 1 ? "lesson" : "lessons"} checked, ${found.length === 0 ? "nothing wrong" : `${found.length} ${found.length === 1 ? "fault" : "faults"}`}`,
);
process.exitCode = found.length === 0 ? 0 : 1;
