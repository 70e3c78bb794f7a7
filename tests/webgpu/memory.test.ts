/** GPU memory over long trainings: without a dispose, and also where the event loop never turns. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { type GpuPage, openGpuPage } from "./browser.ts";
import type * as MemoryPage from "./memory-page.ts";

declare const tests: typeof MemoryPage;

const MB = 2 ** 20;

let gpu: GpuPage;
beforeAll(async () => {
  gpu = await openGpuPage("memory-page.ts");
  await gpu.page.evaluate(() => tests.start());
});
afterAll(() => gpu?.close());

function expectSame(actual: readonly number[], expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((loss, i) => {
    expect(Math.abs(loss - expected[i]!)).toBeLessThan(1e-3 * Math.abs(expected[i]!) + 1e-4);
  });
}

it("is flat over 500 steps of a loop that lets the event loop turn, and the losses are the CPU's", async () => {
  const { losses, held } = await gpu.page.evaluate(() => tests.train(500, true));
  const [early, late] = [held.slice(5, 20), held.slice(-15)].map((values) => Math.max(...values));
  console.log(`held after 50 to 200 steps ${(early! / MB).toFixed(1)} MB, at the end ${(late! / MB).toFixed(1)} MB`);
  expect(late).toBeLessThanOrEqual(1.05 * early! + 64 * MB);
  expect(late).toBeLessThan(160 * MB);
  const onCpu = await gpu.page.evaluate(() => tests.trainOnCpu(100));
  expectSame(losses.slice(0, 10), onCpu.slice(0, 10));
});

it("stays within its budget in a loop that never lets the event loop turn, with the same numbers", async () => {
  const before = await gpu.page.evaluate(() => tests.train(60, false));
  await gpu.page.evaluate((bytes) => tests.setBudget(bytes), 6 * MB);
  const { losses, held } = await gpu.page.evaluate(() => tests.train(60, false));
  console.log(
    `held with a budget of 6 MB: ${(Math.max(...held) / MB).toFixed(1)} MB, without ${(Math.max(...before.held) / MB).toFixed(1)}`,
  );
  expect(Math.max(...before.held)).toBeGreaterThan(6 * MB);
  expect(Math.max(...held)).toBeLessThan(7.5 * MB);
  expect(losses).toEqual(before.losses);
});
