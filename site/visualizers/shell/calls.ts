import type { OpRecord, RecordSummary } from "../../../engine/inspect/records.ts";
import type { LessonRuntime } from "../../components/runtime.ts";
import type { Strings } from "../i18n.ts";
import type { Kind } from "./context.ts";

/** One line of the choice between a cell's calls. */
export interface CallLabel {
  index: number;
  label: string;
  title: string;
}

/** The calls of one kind that the cell's last run made, and the records of those that were looked at. */
export class Calls {
  readonly #runtime: LessonRuntime;
  readonly #records = new Map<number, OpRecord>();
  #summaries: readonly RecordSummary[] = [];

  constructor(runtime: LessonRuntime) {
    this.#runtime = runtime;
  }

  get count(): number {
    return this.#summaries.length;
  }

  at(index: number): RecordSummary | undefined {
    return this.#summaries[index];
  }

  /** A new run's calls: those of the wanted operation, else of its whole family. */
  follow(records: readonly RecordSummary[], kind: Kind, wanted: string | undefined): void {
    const family = records.filter((record) => kind.accepts(record.op));
    const exact = family.filter((record) => record.op === wanted);
    this.#summaries = exact.length > 0 ? exact : family;
    this.#records.clear();
  }

  /** The record of a call, null when the kernel has it no more. */
  async fetch(index: number): Promise<OpRecord | null> {
    const summary = this.#summaries[index];
    if (!summary) return null;
    const known = this.#records.get(summary.id);
    if (known) return known;
    const record = await this.#runtime.client.api.record(summary.id).catch(() => null);
    if (record) this.#records.set(summary.id, record);
    return record;
  }

  labels(t: Strings): CallLabel[] {
    const size = (shape: number[]) => shape.join("×");
    const lines = this.#summaries.map((record) => record.line);
    return this.#summaries.map((record, index) => {
      const title = t.call(record.line, size(record.inputShape), size(record.outputShape));
      const unique = lines.filter((line) => line === record.line).length === 1;
      const name = record.module ? `${record.module} · ` : "";
      return { index, title, label: `${name}${unique ? title : `${index + 1} · ${title}`}` };
    });
  }
}
