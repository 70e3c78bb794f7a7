/** How many golden cases passed, by group and backend: what a test run says at its end. */
import { readFileSync } from "node:fs";
import type { TestModule } from "vitest/node";
import { GROUPS, type Group, load } from "./cases.ts";
import type { Unsupported } from "./support.ts";

export const BACKENDS = ["reference", "wasm"] as const;
export type BackendName = (typeof BACKENDS)[number];

/** The suite of a backend, in which each group has a suite of its name. */
export const suiteName = (backend: BackendName) => `golden cases on the ${backend} backend`;

/** The title of the test in a group that is about its exceptions and is no case. */
export const EXCEPTIONS_TEST = "has no exception that has become unnecessary";

export function listedExceptions(): Unsupported["exceptions"] {
  return (JSON.parse(readFileSync(new URL("./unsupported.json", import.meta.url), "utf8")) as Unsupported).exceptions;
}

function passedIn(module: TestModule, backend: BackendName, group: Group): number {
  let passed = 0;
  for (const test of module.children.allTests("passed")) {
    const { parent } = test;
    if (parent.type !== "suite" || parent.name !== group || test.name === EXCEPTIONS_TEST) continue;
    if (parent.parent.type === "suite" && parent.parent.name === suiteName(backend)) passed++;
  }
  return passed;
}

/** The table as text, with what is left out and why below it; null for a module that is not about golden cases. */
export function goldenTable(module: TestModule): string | null {
  if (!module.moduleId.endsWith("/tests/golden/golden.test.ts")) return null;
  const exceptions = listedExceptions();
  const rows = GROUPS.map((group) => {
    const passed = BACKENDS.map((backend) => passedIn(module, backend, group));
    return { group: group as string, total: load(group).length, passed };
  });
  rows.push({
    group: "all",
    total: rows.reduce((sum, { total }) => sum + total, 0),
    passed: BACKENDS.map((_, i) => rows.reduce((sum, { passed }) => sum + passed[i]!, 0)),
  });
  const cells = rows.map(({ group, total, passed }) => [group, ...passed.map((count) => `${count} / ${total}`)]);
  const lines = [["golden cases", ...BACKENDS], ...cells].map(
    ([name, ...counts]) => `  ${name!.padEnd(14)}${counts.map((count) => count.padStart(14)).join("")}`,
  );
  const left = Object.entries(exceptions).flatMap(([group, reasons]) =>
    Object.entries(reasons).map(([title, reason]) => `  ${group}: ${title}\n    ${reason}`),
  );
  return [...lines, ...(left.length > 0 ? ["Left out, each for a reason:", ...left] : [])].join("\n");
}
