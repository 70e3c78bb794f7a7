/**
 * Every golden case, on the TypeScript reference kernels and on the WebAssembly ones. A case is left out only where the
 * engine lacks what it calls, or where unsupported.json names it with a reason; that list has to be exactly right, so it
 * can only shrink: what starts to work fails here until it is struck off.
 */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { initWasm, useBackend } from "../../engine/backends/index.ts";
import { GROUPS, type Group, load, titleOf } from "./cases.ts";
import { missing } from "./names.ts";
import { check } from "./run.ts";
import { type Unsupported, unsupportedTable } from "./support.ts";

const listed = JSON.parse(readFileSync(new URL("./unsupported.json", import.meta.url), "utf8")) as Unsupported;

describe("the list of what is not supported yet", () => {
  it("names what the engine lacks, and nothing that it has", () => {
    // After a change: node tests/golden/support.ts
    expect(unsupportedTable(listed.exceptions)).toEqual(listed);
  });

  it("makes exceptions of existing cases only", () => {
    for (const [group, reasons] of Object.entries(listed.exceptions)) {
      const titles = load(group as Group).map(titleOf);
      for (const title of Object.keys(reasons)) expect(titles).toContain(title);
    }
  });
});

describe.each(["reference", "wasm"] as const)("golden cases on the %s backend", (backend) => {
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
    let passed = 0;

    afterAll(() => {
      const left = cases.length - supported.length;
      console.log(
        `${backend} ${group}: ${passed} of ${cases.length} pass, ${left} need what is missing, ${excepted.length} are exceptions`,
      );
    });

    describe(group, () => {
      it.each(
        supported.filter((golden) => !excepted.includes(golden)).map((golden) => [titleOf(golden), golden] as const),
      )("%s", (_, golden) => {
        check(group, golden as never);
        passed++;
      });

      if (excepted.length > 0) {
        it("has no exception that has become unnecessary", () => {
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
