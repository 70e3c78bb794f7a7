/** A training step on the GPU waits for nothing: no element is fetched from it. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { type GpuPage, openGpuPage } from "./browser.ts";
import type * as FetchingPage from "./fetching-page.ts";

declare const tests: typeof FetchingPage;

let gpu: GpuPage;
beforeAll(async () => {
  gpu = await openGpuPage("fetching-page.ts");
  await gpu.page.evaluate(() => tests.start());
});
afterAll(() => gpu?.close());

it.each(["SGD", "Adam"] as const)("nothing is fetched in steps of a convolutional network with %s", async (name) => {
  for (const criterion of ["plain", "smoothed", "weighted"] as const) {
    const counted = await gpu.page.evaluate(([n, c]) => tests.train(n, c), [name, criterion] as const);
    // The loss is fetched when it is looked at: the counting works.
    expect({ criterion, ...counted }).toEqual({ criterion, inSteps: 0, after: 1 });
  }
});

it("a class that does not exist gives NaN in its row alone", async () => {
  const { loss, finiteRows } = await gpu.page.evaluate(() => tests.missingClass());
  expect(loss.map(Number.isFinite)).toEqual([true, false, true]);
  expect(finiteRows).toEqual([true, false, true]);
});
