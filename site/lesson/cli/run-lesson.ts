/** A lesson run in Node as a student would run it on the page: same compiler, same engine, same scope of names. */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { provideDataset } from "../../../engine/data/sources.ts";
import { createNodeKernel, type NodeKernel, type NodeRun } from "../../kernel/node.ts";
import type { ErrorData } from "../../kernel/protocol.ts";
import { describeDifference, firstDifferentLine, sameOutput } from "../compare-output.ts";
import { type Flow, type FlowCell, readFlow, runOrder } from "../dataflow.ts";
import type { CellSpec, ExerciseSpec, Lesson } from "../types.ts";
import { ROOT } from "./lesson-files.ts";

/** What became of one cell, or of one text of an exercise. */
export interface RunRecord {
  /** "nn/02-convolution" */
  lesson: string;
  locale: string;
  id: string;
  kind: "cell" | "starter" | "solution";
  state: NodeRun["state"];
  /** Standard output. */
  text: string;
  /** "NameError: …", or null. */
  error: string | null;
  ms: number;
  /** What is wrong, or null: this is what the exit status counts. */
  problem: string | null;
  /** Where in the lesson's file it is wrong, or where the text starts. */
  line: number;
}

/** Runs all cells of a lesson in order, then its exercises, each time from a fresh kernel. Never rejects for what a cell does. */
export async function runLesson(lesson: Lesson): Promise<RunRecord[]> {
  provideStandIn();
  return [...(await runCells(lesson)), ...(await runExercises(lesson))];
}

async function runCells(lesson: Lesson): Promise<RunRecord[]> {
  const flow = readFlow(lesson.cells.map((cell) => ({ id: cell.id, source: cell.source, publishes: true })));
  const kernel = await createNodeKernel({ seed: lesson.frontMatter.seed });
  try {
    const records: RunRecord[] = [];
    for (const cell of lesson.cells) {
      // Node has no GPU, and a run of all cells leaves them out where there is none.
      if (cell.device === "webgpu") continue;
      const run = await runOne(kernel, flow, { id: cell.id, source: cell.source, publishes: true });
      records.push({ ...recordOf(lesson, cell.id, "cell", run, cell.line), ...judgeCell(cell, run) });
    }
    return records;
  } finally {
    kernel.dispose();
  }
}

/** A student may go straight to an exercise: only what it needs is run before it. */
async function runExercises(lesson: Lesson): Promise<RunRecord[]> {
  const records: RunRecord[] = [];
  for (const exercise of lesson.exercises) {
    for (const kind of ["starter", "solution"] as const) {
      const text: FlowCell = { id: exercise.id, source: exercise[kind], publishes: false, check: exercise.check };
      const flow = readFlow(
        [
          ...lesson.cells.map((cell) => ({ ...cell, publishes: true, check: null })),
          { ...text, line: exercise.line },
        ].sort((a, b) => a.line - b.line),
      );
      const kernel = await createNodeKernel({ seed: lesson.frontMatter.seed });
      try {
        for (const id of runOrder(flow, exercise.id, () => false).slice(0, -1)) {
          const { source } = lesson.cells.find((cell) => cell.id === id)!;
          await runOne(kernel, flow, { id, source, publishes: true });
        }
        const run = await runOne(kernel, flow, text);
        const line = exercise[`${kind}Line`];
        records.push({
          ...recordOf(lesson, exercise.id, kind, run, line),
          problem: judgeExercise(kind, exercise, run),
        });
      } finally {
        kernel.dispose();
      }
    }
  }
  return records;
}

function runOne(kernel: NodeKernel, flow: Flow, { id, source, publishes, check = null }: FlowCell): Promise<NodeRun> {
  const { scope, below } = flow.cells.get(id)!;
  return kernel.run({ cellId: id, source, scope, below, publishes, check });
}

function recordOf(lesson: Lesson, id: string, kind: RunRecord["kind"], run: NodeRun, line: number): RunRecord {
  return {
    lesson: `${lesson.course}/${lesson.slug}`,
    locale: lesson.locale,
    id,
    kind,
    state: run.state,
    text: run.text,
    error: run.error === null ? null : errorText(run.error),
    ms: Math.round(run.ms * 10) / 10,
    problem: null,
    line,
  };
}

function judgeCell(cell: CellSpec, run: NodeRun): Pick<RunRecord, "problem" | "line"> {
  const { line } = cell;
  if (run.state !== "done") {
    const frame = run.error?.frames.find((one) => one.cellId === cell.id);
    return {
      problem: `does not run: ${run.error === null ? run.state : errorText(run.error)}`,
      line: line + (frame?.line ?? 1) - 1,
    };
  }
  if (cell.output === null) {
    // A hidden cell without a twin has nothing to be compared with.
    if (cell.twin === null || run.text === "") return { problem: null, line };
    return { problem: `prints, but there is no recorded output:\n${run.text}`, line };
  }
  if (sameOutput(cell.output, run.text, cell.tol)) return { problem: null, line };
  return {
    problem: `prints something else than PyTorch (− recorded, + here):\n${describeDifference(cell.output, run.text, cell.tol)}`,
    line: (cell.outputLine ?? line) + firstDifferentLine(cell.output, run.text, cell.tol)!,
  };
}

function judgeExercise(kind: "starter" | "solution", exercise: ExerciseSpec, run: NodeRun): string | null {
  const verdicts = run.verdicts ?? [];
  const failed = verdicts.filter((one) => !one.pass);
  if (run.state === "done" && verdicts.length === 0) {
    return `the check of ${exercise.id} makes no test: nothing could ever fail`;
  }
  const passes = run.state === "done" && failed.length === 0;
  if (kind === "starter") return passes ? "the starter passes its check: there is nothing to do" : null;
  if (passes) return null;
  if (run.error !== null) return `the solution does not run: ${errorText(run.error)}`;
  return `the solution fails its check:\n${failed.map(({ name, message }) => `${name}: ${message}`).join("\n")}`;
}

function errorText({ name, message, frames, hint }: ErrorData): string {
  const [frame] = frames;
  const place = frame === undefined ? "" : ` (${frame.cellId}:${frame.line}:${frame.column})`;
  return `${name}: ${message}${place}${hint === null ? "" : ` [${hint}]`}`;
}

/** The data set that ships with the site: recorded outputs that depend on the data were recorded with it. */
function provideStandIn(): void {
  const atlas = resolve(ROOT, "engine/torchvision/standin/atlas.bin");
  if (existsSync(atlas)) provideDataset({ name: "standin", atlas: readFileSync(atlas) });
}
