/** What goes wrong on the GPU is said by the engine, and the CPU goes on. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { type GpuPage, openGpuPage } from "./browser.ts";
import type * as ErrorsPage from "./errors-page.ts";

declare const tests: typeof ErrorsPage;

let gpu: GpuPage;
beforeAll(async () => {
  gpu = await openGpuPage("errors-page.ts");
  await gpu.page.evaluate(() => tests.start());
});
afterAll(() => gpu?.close());

it("names the two devices of operands that lie apart", async () => {
  expect(await gpu.page.evaluate(() => tests.outcome("apart"))).toBe(
    'RuntimeError: Expected all tensors to be on the same device, but found at least two devices, webgpu:0 and cpu!\nhint: move one of them: x.to("webgpu"), or x.to("cpu")',
  );
});

it("adds a number, and a tensor without dimensions from the CPU", async () => {
  expect(await gpu.page.evaluate(() => tests.outcome("scalar"))).toBe("tensor([4., 5.], device='webgpu:0')");
});

it("refuses a tensor that no buffer can hold, before the browser is asked", async () => {
  expect(await gpu.page.evaluate(() => tests.outcome("large"))).toMatch(
    /^RuntimeError: a tensor of \d+ MB does not fit on this GPU, whose buffers hold at most \d+ MB\nhint: use a smaller batch/,
  );
});

it("says once which operation runs on the CPU, and its numbers are right", async () => {
  expect(await gpu.page.evaluate(() => tests.warnings())).toEqual([
    "sort runs on the CPU: it has no kernel for webgpu that takes these operands, so they are copied there and back. (Said once.)",
    "[1,2,3] [1,2,3]",
  ]);
});

it("keeps float64 and large integers exact, which WebGPU has not", async () => {
  expect(await gpu.page.evaluate(() => tests.outcome("exact"))).toBe("[0.1] [9007199254740990] [3000000000]");
});

// The last one: nothing runs on the GPU afterwards.
it("tells a lost device from a wrong call, and goes on with the CPU", async () => {
  expect(await gpu.page.evaluate(() => tests.lose())).toEqual([
    expect.stringMatching(/^RuntimeError: the WebGPU device was lost: /),
    "tensor([3., 4.])",
  ]);
});
