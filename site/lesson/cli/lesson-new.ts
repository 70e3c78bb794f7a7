/**
 * npm run lesson:new -- nn/11-my-lesson
 *
 * Writes the lesson in every locale, from a template that runs and passes lesson:check. Never overwrites. Exit status: 0
 * written, 2 not written, with the reason.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { lessonPaths, lessonTemplate, readLessonName } from "../template.ts";
import { fromRoot, LESSONS, usage } from "./lesson-files.ts";

const [name, ...rest] = process.argv.slice(2);
if (name === undefined || rest.length > 0) usage("lesson:new: name one lesson: npm run lesson:new -- nn/11-my-lesson");
const parts = readLessonName(name);
if ("problem" in parts) usage(`lesson:new: ${parts.problem}`);

const files = lessonPaths(parts.course, parts.slug).map(({ locale, path }) => ({
  locale,
  path: resolve(LESSONS, path),
}));
for (const { path } of files) {
  if (existsSync(path)) usage(`lesson:new: ${fromRoot(path)} is already there`);
  const folder = dirname(path);
  const taken = existsSync(folder) ? readdirSync(folder).filter((file) => /^\d\d-.*\.md$/.test(file)) : [];
  const same = taken.find((file) => file.startsWith(parts.slug.slice(0, 3)));
  if (same !== undefined) {
    const highest = Math.max(...taken.map((file) => Number.parseInt(file, 10)));
    usage(
      `lesson:new: number ${parts.slug.slice(0, 2)} belongs to ${fromRoot(resolve(folder, same))}; the next free one is ${String(highest + 1).padStart(2, "0")}`,
    );
  }
}
for (const { locale, path } of files) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, lessonTemplate(locale, parts.title));
  console.log(`wrote ${fromRoot(path)}`);
}
console.log(`Next: npm run dev, and npm run lesson:run -- ${parts.course}/${parts.slug}`);
