/** The build's gate: a faulty lesson stops it, with every line that is wrong. */
import { checkParsed } from "./check.ts";
import { formatDiagnostic, sortDiagnostics } from "./diagnostic.ts";
import { parseLesson } from "./parse.ts";
import type { Lesson } from "./types.ts";

/**
 * The lesson, when nothing is wrong with its text.
 * @throws Error whose message lists every diagnostic, `file:line:column code message` and the way out
 */
export function assertLesson(file: string, text: string): Lesson {
  const parsed = parseLesson(text, file);
  const found = sortDiagnostics([...parsed.diagnostics, ...checkParsed(parsed)]);
  if (found.length > 0) {
    throw new Error(
      `${file} has ${found.length === 1 ? "a fault" : `${found.length} faults`}:\n${found.map(formatDiagnostic).join("\n")}`,
    );
  }
  return parsed.lesson;
}
