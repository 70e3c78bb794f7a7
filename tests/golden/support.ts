/**
 * What the engine lacks of the golden cases, counted. Run as a program it rewrites unsupported.json; the exceptions in it
 * are kept as they are, each is somebody's decision with a reason.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { GROUPS, type Group, load } from "./cases.ts";
import { missing } from "./names.ts";

export interface Unsupported {
  /** Cases per group that need something missing, and all cases of the group. */
  totals: Record<string, { unsupported: number; cases: number }>;
  /** Group → dotted name → how many cases need it first. */
  missing: Record<string, Record<string, number>>;
  /** Group → case → why it is right that it does not pass. */
  exceptions: Partial<Record<Group, Record<string, string>>>;
}

export function unsupportedTable(exceptions: Unsupported["exceptions"]): Unsupported {
  const table: Unsupported = { totals: {}, missing: {}, exceptions };
  for (const group of GROUPS) {
    const cases = load(group);
    const counts: Record<string, number> = {};
    for (const golden of cases) {
      const name = missing(group, golden);
      if (name !== null) counts[name] = (counts[name] ?? 0) + 1;
    }
    const names = Object.keys(counts).sort();
    const unsupported = names.reduce((sum, name) => sum + counts[name]!, 0);
    table.totals[group] = { unsupported, cases: cases.length };
    table.missing[group] = Object.fromEntries(names.map((name) => [name, counts[name]!]));
  }
  return table;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const file = new URL("./unsupported.json", import.meta.url);
  const { exceptions } = JSON.parse(readFileSync(file, "utf8")) as Unsupported;
  const table = unsupportedTable(exceptions);
  writeFileSync(file, `${JSON.stringify(table, null, 2)}\n`);
  console.log(table.totals);
}
