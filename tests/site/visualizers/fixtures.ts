/** Records that PyTorch 2.13 made, with its outputs, winners and gradients (records.json). */
import { readFileSync } from "node:fs";
import type { OpRecord, TensorView } from "../../../engine/inspect/records.ts";

type Loose = { [key: string]: unknown; data?: number[]; dtype?: string };

export type Expected = { gradOutput: TensorView } & Record<string, TensorView>;
export type Fixture<R extends OpRecord = OpRecord> = R & { expected?: Expected };

/** Typed arrays in place of the JSON lists, all the way down. */
export function revive<T>(value: unknown): T {
  if (Array.isArray(value)) return value as T;
  if (value === null || typeof value !== "object") return value as T;
  const loose = value as Loose;
  if (Array.isArray(loose.data) && typeof loose.dtype === "string")
    return {
      ...loose,
      data: loose.dtype === "float32" ? Float32Array.from(loose.data) : Float64Array.from(loose.data),
    } as T;
  return Object.fromEntries(Object.entries(loose).map(([key, entry]) => [key, revive(entry)])) as T;
}

export function fixtures<R extends OpRecord>(name: string): Fixture<R>[] {
  const all = JSON.parse(readFileSync(new URL("./records.json", import.meta.url), "utf8")) as Record<string, unknown[]>;
  return all[name]!.map((record) => revive<Fixture<R>>(record));
}
