/**
 * The operation records of each cell's latest run. A training loop makes thousands: of each line the first few are kept,
 * and all together stay under a number of bytes, so that watching never costs the memory of what is watched.
 */
import type { RecordDraft } from "../../../engine/inspect/recorder.ts";
import type { OpRecord, RecordSummary } from "../../../engine/inspect/records.ts";

export const MAX_BYTES = 64 * 1024 * 1024;
export const MAX_PER_LINE = 16;
/** Finding the line of a call costs a stack, up to 0.2 ms: after so many calls alike in a run nobody looks any more. */
export const MAX_LOOKS = 64;

interface Kept {
  record: OpRecord;
  bytes: number;
}

export class RecordStore {
  private readonly byCell = new Map<string, Kept[]>();
  private perLine = new Map<string, number>();
  /** Calls of each kind (operation and size) in the run going on. */
  private looks = new Map<string, number>();
  private bytes = 0;

  /** A new run of the cell: its earlier records go. */
  begin(cellId: string): void {
    for (const { bytes } of this.byCell.get(cellId) ?? []) this.bytes -= bytes;
    this.byCell.delete(cellId);
    this.looks = new Map();
    const prefix = `${cellId}:`;
    for (const key of [...this.perLine.keys()]) if (key.startsWith(prefix)) this.perLine.delete(key);
  }

  /** Whether it is worth finding out where a call comes from. */
  wants(draft: RecordDraft): boolean {
    if (this.bytes + draft.bytes > MAX_BYTES) return false;
    const kind = `${draft.op}:${draft.bytes}`;
    const looks = (this.looks.get(kind) ?? 0) + 1;
    this.looks.set(kind, looks);
    return looks <= MAX_LOOKS;
  }

  /** Takes the record if there is room; null when the line has had its share or the memory is used up. */
  offer(draft: RecordDraft, site: { cellId: string; line: number }): RecordSummary | null {
    const key = `${site.cellId}:${site.line}:${draft.op}`;
    const taken = this.perLine.get(key) ?? 0;
    if (taken >= MAX_PER_LINE || this.bytes + draft.bytes > MAX_BYTES) return null;
    this.perLine.set(key, taken + 1);
    const record = draft.take();
    const kept = this.byCell.get(site.cellId) ?? [];
    kept.push({ record, bytes: draft.bytes });
    this.byCell.set(site.cellId, kept);
    this.bytes += draft.bytes;
    return summaryOf(record);
  }

  of(cellId: string): RecordSummary[] {
    return (this.byCell.get(cellId) ?? []).map(({ record }) => summaryOf(record));
  }

  find(id: number): OpRecord | null {
    for (const kept of this.byCell.values()) for (const { record } of kept) if (record.id === id) return record;
    return null;
  }
}

export function summaryOf(record: OpRecord): RecordSummary {
  return {
    id: record.id,
    op: record.op,
    cellId: record.cellId,
    line: record.line,
    module: record.module,
    inputShape: [...record.inputs.input.shape],
    outputShape: [...record.output.shape],
  };
}
