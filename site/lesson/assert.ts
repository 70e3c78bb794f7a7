/** The build's gate: a faulty lesson stops it, with every line that is wrong. */
import { checkParsed } from "./check.ts";
import { type CourseFile, checkCourse } from "./check-course.ts";
import { formatDiagnostic, sortDiagnostics } from "./diagnostic.ts";
import { parseLesson } from "./parse.ts";
import type { Diagnostic, Lesson } from "./types.ts";

/**
 * The lesson, when nothing is wrong with its text.
 * @throws Error whose message lists every diagnostic, `file:line:column code message` and the way out
 */
export function assertLesson(file: string, text: string): Lesson {
  const parsed = parseLesson(text, file);
  const found = sortDiagnostics([...parsed.diagnostics, ...checkParsed(parsed)]);
  refuse(file, found);
  return parsed.lesson;
}

/**
 * Nothing, when the lessons fit together: translations, needs, links.
 * @throws Error whose message lists every diagnostic of every file
 */
export function assertCourse(files: readonly CourseFile[], exists: (path: string) => boolean): void {
  refuse("the course", checkCourse(files, exists));
}

function refuse(what: string, found: readonly Diagnostic[]): void {
  if (found.length === 0) return;
  const count = found.length === 1 ? "a fault" : `${found.length} faults`;
  throw new Error(`${what} has ${count}:\n${found.map(formatDiagnostic).join("\n")}`);
}
