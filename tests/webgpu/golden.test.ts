/** The golden cases of what lessons use, gradients included, with every tensor on WebGPU. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Case, type Group, load, titleOf } from "../golden/cases.ts";
import { missing } from "../golden/names.ts";
import { type GpuPage, openGpuPage } from "./browser.ts";
import type * as EnginePage from "./engine-page.ts";

declare const tests: typeof EnginePage;

let gpu: GpuPage;
beforeAll(async () => {
  gpu = await openGpuPage("engine-page.ts");
  await gpu.page.evaluate(() => tests.start());
});
afterAll(() => gpu?.close());

describe.each(["functional", "modules", "training"] satisfies Group[])("golden cases on WebGPU: %s", (group) => {
  it("give PyTorch's numbers", async () => {
    const cases: Case[] = load(group).filter((golden) => missing(group, golden as never) === null);
    const verdicts = await gpu.page.evaluate((given) => tests.runGolden(given), JSON.stringify({ group, cases }));
    const wrong = verdicts.flatMap((verdict, i) =>
      verdict === null ? [] : [`${titleOf(cases[i] as never)}: ${verdict}`],
    );
    console.log(`${group}: ${cases.length - wrong.length} of ${cases.length}`);
    if (process.env.STRIDE_VERBOSE) console.log(wrong.join("\n"));
    expect(wrong.map((line) => line.slice(0, 300))).toEqual([]);
    console.log(
      `ran on the CPU until now: ${(await gpu.page.evaluate(() => tests.fallbacks())).join(", ") || "nothing"}`,
    );
  });
});

describe.each(["functional", "modules"] satisfies Group[])("golden cases moved to WebGPU: %s", (group) => {
  it("give PyTorch's numbers, all of them there, while the default device is the CPU", async () => {
    const cases: Case[] = load(group).filter(
      (golden) => missing(group, golden as never) === null && !("inputSource" in golden && golden.inputSource),
    );
    await gpu.page.evaluate(() => tests.moveInputs(true));
    const verdicts = await gpu.page.evaluate((given) => tests.runGolden(given), JSON.stringify({ group, cases }));
    await gpu.page.evaluate(() => tests.moveInputs(false));
    const wrong = verdicts.flatMap((verdict, i) =>
      verdict === null ? [] : [`${titleOf(cases[i] as never)}: ${verdict}`],
    );
    expect(wrong.map((line) => line.slice(0, 300))).toEqual([]);
  });
});
