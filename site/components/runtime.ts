/** What <stride-lesson> offers to the cells, exercises and visualizers inside it. Found by `element.closest("stride-lesson")`. */
import type { RecordSummary } from "../../engine/inspect/records.ts";
import type { CellState, KernelClient, TensorboardEvent } from "../kernel/protocol.ts";

export interface LessonRuntime {
  readonly locale: "en" | "zh-cn";
  readonly lessonId: string;
  readonly client: KernelClient;
  source(cellId: string): string;
  /** Replaces the cell's text as if the student had typed it (marks it and its dependents stale, keeps it in the store). */
  setSource(cellId: string, source: string): void;
  state(cellId: string): CellState;
  /** Runs what the cell needs first, then the cell. */
  runCell(cellId: string): Promise<void>;
  /** Records of the cell's latest run; calls back at once if there are some, and after each later run. */
  onRecords(cellId: string, listener: (records: RecordSummary[]) => void): () => void;
  onCellState(listener: (cellId: string, state: CellState) => void): () => void;
  onTensorboard(listener: (cellId: string, event: TensorboardEvent) => void): () => void;
}
