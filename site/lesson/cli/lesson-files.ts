/** Lesson files on disk, for the commands. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { CourseFile } from "../check-course.ts";

/** The project's root folder. */
export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** Path from the project root with forward slashes; what lies elsewhere keeps its way there. */
export function fromRoot(path: string): string {
  return relative(ROOT, resolve(path)).replaceAll("\\", "/");
}

/** The folder of lessons; STRIDE_LESSONS names another one. */
export const LESSONS = resolve(ROOT, process.env.STRIDE_LESSONS ?? "lessons");

/** All lessons, in order of their paths. */
export function readLessons(): CourseFile[] {
  return globSync("*/*/*.md", { cwd: LESSONS })
    .map((name) => resolve(LESSONS, name))
    .sort()
    .map((path) => ({ file: fromRoot(path), text: readFileSync(path, "utf8") }));
}

export function existsFromRoot(path: string): boolean {
  return existsSync(resolve(ROOT, path));
}

/** Ends the command with a sentence and status 2: it was called wrongly, as opposed to having found something. */
export function usage(message: string): never {
  console.error(message);
  process.exit(2);
}
