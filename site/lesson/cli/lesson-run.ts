/**
 * npm run lesson:run -- [lesson…] [--json]
 *
 * Runs lessons in Node with the site's compiler and engine: every cell must print what PyTorch printed, every exercise's
 * starter must fail its check and its solution must pass. A lesson is named as nn/02-convolution (both locales),
 * en/nn/02-convolution, or by its file; none means all. --json writes one record to a line. Exit status: 0 all as
 * recorded, 1 something differs, 2 called wrongly.
 */
import { formatDiagnostic } from "../diagnostic.ts";
import { nearest } from "../nearest.ts";
import { type ParsedLesson, parseLesson } from "../parse.ts";
import { fromRoot, readLessons, usage } from "./lesson-files.ts";
import { type RunRecord, runLesson } from "./run-lesson.ts";

const options = process.argv.slice(2).filter((word) => word.startsWith("-"));
const unknown = options.find((option) => option !== "--json");
if (unknown !== undefined) usage(`lesson:run: unknown option ${unknown}; there is --json`);
const json = options.includes("--json");

const all = readLessons().map(({ file, text }) => parseLesson(text, file));
const chosen = choose(process.argv.slice(2).filter((word) => !word.startsWith("-")));
if (chosen.length === 0)
  usage("lesson:run: there are no lessons. Start one with: npm run lesson:new -- nn/01-my-lesson");

let problems = 0;
let runs = 0;
const started = performance.now();
for (const { lesson, diagnostics } of chosen) {
  if (diagnostics.length > 0) {
    // What is misread must not be run: it would fail for the wrong reason.
    problems += diagnostics.length;
    console.error(diagnostics.map(formatDiagnostic).join("\n"));
    continue;
  }
  if (!json) console.log(`${lesson.locale}/${lesson.course}/${lesson.slug}`);
  for (const record of await runLesson(lesson)) {
    runs++;
    if (record.problem !== null) problems++;
    console.log(json ? JSON.stringify(record) : describe(record, lesson.file));
  }
}
if (!json) {
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(
    `${runs} runs in ${seconds} s, ${problems === 0 ? "all as recorded" : `${problems} not as they should be`}`,
  );
}
process.exit(problems === 0 ? 0 : 1);

function describe(record: RunRecord, file: string): string {
  const what = record.kind === "cell" ? record.id : `${record.id} (${record.kind})`;
  if (record.problem === null) return `  ✓ ${what}  ${record.ms} ms`;
  return `  ✗ ${what}  ${file}:${record.line}\n${record.problem.replace(/^/gm, "      ")}`;
}

function choose(names: string[]): ParsedLesson[] {
  if (names.length === 0) return all;
  return names.flatMap((name) => {
    const found = all.filter(({ lesson }) => {
      const id = `${lesson.course}/${lesson.slug}`;
      return [id, lesson.slug, `${lesson.locale}/${id}`, lesson.file].includes(name) || fromRoot(name) === lesson.file;
    });
    if (found.length > 0) return found;
    const ids = [...new Set(all.map(({ lesson }) => `${lesson.course}/${lesson.slug}`))];
    const near = nearest(name, ids);
    return usage(
      `lesson:run: there is no lesson ${name}; ${near === null ? `there are ${ids.join(", ")}` : `did you mean ${near}?`}`,
    );
  });
}
