/** The views of a pooling, walked by keyboard to the last step, every number held against the engine called here in Node. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as F from "../../engine/nn/functional.ts";
import * as torch from "../../engine/torch.ts";
import { launchBrowser } from "./browser.ts";
import { type LessonPage, openLesson } from "./lesson-page.ts";
import { close, number, plane, saysWhatItHolds, View } from "./visualizer-page.ts";

const image = torch
  .tensor([
    [1, 2, 0, 3, 1],
    [0, 1, 2, 3, 1],
    [1, 2, 1, 0, 0],
    [5, 2, 3, 1, 1],
    [2, 1, 0, 1, 1],
  ])
  .to(torch.float32)
  .reshape(1, 1, 5, 5);

let browser: Browser;
let lesson: LessonPage;
beforeAll(async () => {
  browser = await launchBrowser();
  lesson = await openLesson(browser, "03-pooling");
  await lesson.runAll();
});
afterAll(() => browser?.close());

interface PoolCase {
  cell: string;
  op: "max_pool2d" | "avg_pool2d";
  input: torch.Tensor;
  k: number;
  stride?: number;
  padding?: number;
  ceilMode?: boolean;
  call?: number;
}

const minus = torch.ones(1, 1, 3, 3).mul(-1);
const POOLS: PoolCase[] = [
  { cell: "first-pool", op: "max_pool2d", input: image, k: 3, ceilMode: true },
  { cell: "floor", op: "max_pool2d", input: image, k: 3 },
  { cell: "stride", op: "max_pool2d", input: image, k: 3, stride: 1 },
  { cell: "drop-rule", op: "max_pool2d", input: torch.arange(36).reshape(1, 1, 6, 6), k: 1, stride: 2, ceilMode: true },
  { cell: "padding", op: "max_pool2d", input: minus, k: 3, stride: 1, padding: 1 },
  { cell: "average", op: "avg_pool2d", input: image, k: 3, ceilMode: true },
];

test.each(POOLS)("every step of $cell", async ({ cell, op, input, k, stride = k, padding = 0, ceilMode = false }) => {
  const options = { stride, padding, ceilMode };
  const max = op === "max_pool2d";
  const pooled = F.maxPool2d(input, k, { ...options, returnIndices: true }) as unknown as [torch.Tensor, torch.Tensor];
  const output = max ? pooled[0] : F.avgPool2d(input, k, options);
  const winners = plane(pooled[1]);
  const [, , outH, outW] = output.shape as unknown as number[];
  const [, , h, w] = input.shape as unknown as number[];
  const view = await View.open(lesson, cell, op);
  await view.focusGrid("output");
  await view.press("Control+Home");
  for (let step = 1; step <= outH! * outW!; step++) {
    const [i, j] = [Math.floor((step - 1) / outW!), (step - 1) % outW!];
    const shown = await view.read();
    expect([shown.step, shown.steps]).toEqual([step, outH! * outW!]);
    saysWhatItHolds(shown);
    const value = plane(output)[i]![j]!;
    expect(shown.grids.output!.plane).toEqual(plane(output));
    expect(shown.grids.output!.selected).toEqual([i, j]);
    expect(shown.grids.input!.plane).toEqual(plane(input));
    close(shown.result, value);
    expect(new Set(shown.agrees)).toEqual(new Set(["true"]));
    const seen: number[] = [];
    for (let u = 0; u < k; u++)
      for (let v = 0; v < k; v++) {
        const [row, col] = [i * stride + u - padding, j * stride + v - padding];
        if (row >= 0 && col >= 0 && row < h! && col < w!) seen.push(plane(input)[row]![col]!);
      }
    expect(shown.candidates.map(number)).toEqual(seen);
    if (max) {
      expect(Math.max(...seen)).toBe(value);
      const flat = winners[i]![j]!;
      expect(shown.grids.input!.winners).toEqual([`${Math.floor(flat / w!)},${flat % w!}`]);
      expect(shown.sentence).toContain(`flat index ${flat}`);
    } else expect(shown.divisor).toBe(String(seen.length));
    await view.press(".");
  }
});

test("c switches ceil mode; the controls give PyTorch's sizes and its refusal", async () => {
  const view = await View.open(lesson, "first-pool", "max_pool2d");
  await view.focusGrid("output");
  await view.press("c");
  expect((await view.read()).grids.output!.plane).toEqual([[2]]);
  await view.focusGrid("output");
  await view.press("c");
  expect((await view.read()).grids.output!.plane).toEqual([
    [2, 3],
    [5, 1],
  ]);
  // The layer was built with a stride of 3, its kernel; the tried kernel does not change that.
  await view.set("kernel", "2");
  expect((await view.read()).grids.output!.plane).toEqual(plane(F.maxPool2d(image, 2, { stride: 3, ceilMode: true })));
  expect(await view.code()).toBe("new nn.MaxPool2d(2, { ceilMode: true, stride: 3 })");
  await view.set("padding", "2");
  expect(await view.host.locator('[data-part="error"]').textContent()).toContain(
    "pad should be at most half of effective kernel size, but got pad=2, kernel_size=2 and dilation=1",
  );
  await view.host.locator('[data-part="error"] [data-action="reset"]').click();
  await view.host.locator('[data-part="error"]').waitFor({ state: "detached" });
});

test("a call without a stride keeps it tied to the kernel", async () => {
  const view = await View.open(lesson, "floor", "max_pool2d");
  await view.chooseCall(1);
  expect(await view.host.locator('[data-control="stride-none"]').textContent()).toMatch(/None → 3/);
  await view.set("kernel", "2");
  expect((await view.read()).grids.output!.plane).toEqual(plane(F.maxPool2d(image, 2)));
  expect(await view.code()).toBe("F.maxPool2d(input, 2)");
});

test("the gradient goes to the first winner alone, as autograd sends it", async () => {
  const view = await View.open(lesson, "gradient", "max_pool2d");
  await view.choose("backward");
  await view.go("last");
  const x = image.clone().requiresGrad_();
  F.maxPool2d(x, 3, { ceilMode: true }).sum().backward();
  const shown = await view.read();
  expect(shown.grids["input:dx"]!.plane).toEqual(plane(x.grad!));
  expect(new Set(shown.agrees)).toEqual(new Set(["true"]));
  expect(lesson.complaints).toEqual([]);
});

test("play moves by itself, stops at the end, and with reduced motion nothing slides", async () => {
  const view = await View.open(lesson, "stride", "max_pool2d");
  await lesson.page.emulateMedia({ reducedMotion: "reduce" });
  await view.go("first");
  await view.host.locator('[data-control="speed"]').selectOption("4");
  await view.go("play");
  const steps = await view.host.getAttribute("data-steps");
  await lesson.page.locator(`${view.selector}[data-step="${steps}"]`).waitFor({ timeout: 30_000 });
  const moving = await lesson.page.evaluate(
    () => document.getAnimations().filter((one) => one.playState === "running").length,
  );
  expect(moving).toBe(0);
  await lesson.page.emulateMedia({ reducedMotion: null });
});
