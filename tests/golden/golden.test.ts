/**
 * Every golden case, on the TypeScript reference kernels and on the WebAssembly ones. A case is left out only where the
 * engine lacks what it calls, or where unsupported.json names it with a reason; that list has to be exactly right, so it
 * can only shrink: what starts to work fails here until it is struck off. tests/summary.ts counts what passed.
 */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { initWasm, useBackend } from "../../engine/backends/index.ts";
import { GROUPS, type Group, load, titleOf } from "./cases.ts";
import { missing } from "./names.ts";
import { check } from "./run.ts";
import { type Unsupported, unsupportedTable } from "./support.ts";
import { BACKENDS, EXCEPTIONS_TEST, suiteName } from "./tally.ts";

const listed = JSON.parse(readFileSync(new URL("./unsupported.json", import.meta.url), "utf8")) as Unsupported;

describe("the list of what is not supported yet", () => {
  it("names what the engine lacks, and nothing that it has", () => {
    // After a change: node tests/golden/support.ts
    expect(unsupportedTable(listed.exceptions)).toEqual(listed);
  });

  it("makes few exceptions, of existing cases only, each with a reason", () => {
    const reasons = Object.values(listed.exceptions).flatMap((group) => Object.values(group));
    expect(reasons.length).toBeLessThanOrEqual(10);
    for (const reason of reasons) expect(reason.length).toBeGreaterThan(20);
    for (const [group, excepted] of Object.entries(listed.exceptions)) {
      const titles = load(group as Group).map(titleOf);
      for (const title of Object.keys(excepted)) expect(titles).toContain(title);
    }
  });
});

describe.each(BACKENDS.map((backend) => [suiteName(backend), backend] as const))("%s", (_, backend) => {
  beforeAll(async () => {
    if (backend === "wasm") expect(await initWasm(), "npm run build:wasm makes the WebAssembly kernels").not.toBeNull();
    useBackend(backend);
  });

  for (const group of GROUPS) runGroup(group);

  function runGroup(group: Group): void {
    const cases = load(group);
    const exceptions = listed.exceptions[group] ?? {};
    const supported = cases.filter((golden) => missing(group, golden) === null);
    const excepted = supported.filter((golden) => titleOf(golden) in exceptions);

    describe(group, () => {
      it.each(
        supported.filter((golden) => !excepted.includes(golden)).map((golden) => [titleOf(golden), golden] as const),
      )("%s", (_title, golden) => check(group, golden as never));

      if (excepted.length > 0) {
        it(EXCEPTIONS_TEST, () => {
          const passing = excepted.filter((golden) => {
            try {
              check(group, golden as never);
              return true;
            } catch {
              return false;
            }
          });
          expect(passing.map(titleOf), "strike these off unsupported.json").toEqual([]);
        });
      }
    });
  }
});
