/** What is made beside tensors that were moved to the GPU is made there, while the default device is the CPU. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { type GpuPage, openGpuPage } from "./browser.ts";
import type * as MovedPage from "./moved-page.ts";

declare const tests: typeof MovedPage;

let gpu: GpuPage;
beforeAll(async () => {
  gpu = await openGpuPage("moved-page.ts");
  await gpu.page.evaluate(() => tests.start());
});
afterAll(() => gpu?.close());

it("for functions that take their shape, or draw numbers, beside a tensor", async () => {
  const found = await gpu.page.evaluate(() => tests.MADE.map((name) => `${name}: ${tests.deviceOf(name)}`));
  expect(found.length).toBeGreaterThan(15);
  expect(found.filter((line) => !line.endsWith(": webgpu"))).toEqual([]);
});

it.each(["SGD", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "RMSprop", "Adagrad", "Adadelta", "Rprop", "ASGD"])(
  "for what %s remembers",
  async (name) => {
    const found = await gpu.page.evaluate((given) => tests.remembered(given), name);
    expect(found.length).toBeGreaterThan(0);
    expect(found.filter((line) => !line.endsWith(": webgpu"))).toEqual([]);
  },
);
