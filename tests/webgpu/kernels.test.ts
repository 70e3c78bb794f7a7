/** Each WGSL kernel against the reference kernel, on the software adapter. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type GpuPage, openGpuPage } from "./browser.ts";
import { FAMILIES } from "./kernel-families.ts";
import type * as KernelPage from "./kernel-page.ts";

declare const tests: typeof KernelPage;

let gpu: GpuPage;
beforeAll(async () => {
  gpu = await openGpuPage("kernel-page.ts");
  expect(await gpu.page.evaluate(() => tests.start())).toEqual({ readsSync: true });
});
afterAll(() => gpu?.close());

describe.each(Object.keys(FAMILIES))("%s kernels", (family) => {
  it("give what the reference gives", async () => {
    const verdicts = await gpu.page.evaluate((name) => tests.runFamily(name), family);
    expect(verdicts.length).toBeGreaterThan(0);
    expect(verdicts.filter(({ error }) => error !== null)).toEqual([]);
  });
});
