/** What <stride-lesson> offers to the cells, exercises and visualizers inside it. Found by `element.closest("stride-lesson")`. */
import type { RecordSummary } from "../../engine/inspect/records.ts";
import type { CellState, KernelClient, RunResult, TensorboardEvent } from "../kernel/protocol.ts";
import type { Lesson } from "../lesson/types.ts";

export interface LessonRuntime {
  readonly locale: "en" | "zh-cn";
  readonly lessonId: string;
  /** The lesson file as data, as the build read it: cells, exercises with their checks, predictions. */
  readonly lesson: Lesson;
  /**
   * The kernel's client. Its code loads with the first run, so before that this throws: `await ready()` loads it.
   * Whatever came from a run (records, events) may use it without asking.
   */
  readonly client: KernelClient;
  /** Loads what runs cells, without starting the kernel. Rejects when it can't be fetched. */
  ready(): Promise<void>;
  source(cellId: string): string;
  /** Replaces the cell's text as if the student had typed it (marks it and its dependents stale, keeps it in the store). */
  setSource(cellId: string, source: string): void;
  state(cellId: string): CellState;
  /** Runs what the cell needs first, then the cell. */
  runCell(cellId: string): Promise<void>;
  /**
   * Runs what the exercise's text needs above it, then the text and the exercise's check in its scope; nothing that it
   * defines reaches the lesson. The kernel's events for it carry the exercise's id as cellId.
   */
  runExercise(id: string, source: string): Promise<RunResult>;
  /** What the Stop of the lesson's bar does. */
  stop(): Promise<void>;
  /** Brings a line of a cell before the reader. */
  goTo(cellId: string, line: number): void;
  /** Records of the cell's latest run; calls back at once if there are some, and after each later run. */
  onRecords(cellId: string, listener: (records: RecordSummary[]) => void): () => void;
  onCellState(listener: (cellId: string, state: CellState) => void): () => void;
  /** What cells write for TensorBoard; a listener that comes late first gets what their latest runs wrote. */
  onTensorboard(listener: (cellId: string, event: TensorboardEvent) => void): () => void;
}
