/**
 * The views of a convolution, walked by keyboard to the last step. Every number that they show is held against the engine,
 * called here in Node with the lesson's own numbers, and against PyTorch's where the lesson prints them.
 */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as F from "../../engine/nn/functional.ts";
import * as torch from "../../engine/torch.ts";
import { launchBrowser } from "./browser.ts";
import { type LessonPage, openLesson } from "./lesson-page.ts";
import { close, number, plane, saysWhatItHolds, View } from "./visualizer-page.ts";

const ROWS = [
  [1, 2, 0, 3, 1],
  [0, 1, 2, 3, 1],
  [1, 2, 1, 0, 0],
  [5, 2, 3, 1, 1],
  [2, 1, 0, 1, 1],
];
const whole = torch.tensor(ROWS).reshape(1, 1, 5, 5);
const kernel = torch
  .tensor([
    [1, 2, 1],
    [0, 1, 0],
    [2, 1, 0],
  ])
  .reshape(1, 1, 3, 3);
const wide = torch.cat([whole, torch.tensor([7, 7, 7, 7, 7]).reshape(1, 1, 5, 1)], 3);
const edge = torch
  .tensor(
    [
      [-1, 0, 1],
      [-2, 0, 2],
      [-1, 0, 1],
    ],
    { dtype: torch.float32 },
  )
  .reshape(1, 1, 3, 3);
const steps = torch.tensor([0, 0, 0, 1, 1, 1], { dtype: torch.float32 }).repeat(3, 1).reshape(1, 1, 3, 6);
const two = torch.tensor([1, 2, 3, 4, 5, 6, 7, 8]).reshape(1, 2, 2, 2);
const filter = torch.tensor([1, 0, 0, 1, 2, 0, 0, 0]).reshape(1, 2, 2, 2);
const filters = torch.cat([filter, torch.ones(1, 2, 2, 2, { dtype: torch.int64 })]);

let browser: Browser;
let lesson: LessonPage;
beforeAll(async () => {
  browser = await launchBrowser();
  lesson = await openLesson(browser, "02-convolution");
  await lesson.runAll();
});
afterAll(() => browser?.close());

interface ConvCase {
  cell: string;
  /** Index of the call in the cell. */
  call: number;
  input: torch.Tensor;
  weight: torch.Tensor;
  bias?: torch.Tensor;
  stride?: number;
  padding?: number;
  dilation?: number;
}

const CONVOLUTIONS: ConvCase[] = [
  { cell: "first-conv", call: 0, input: whole, weight: kernel },
  { cell: "stride-2", call: 0, input: whole, weight: kernel, stride: 2 },
  { cell: "unread", call: 0, input: wide, weight: kernel, stride: 2 },
  { cell: "padding-1", call: 0, input: whole, weight: kernel, padding: 1 },
  { cell: "dilation", call: 0, input: whole, weight: kernel, dilation: 2 },
  { cell: "dilation", call: 1, input: whole, weight: kernel, dilation: 2, padding: 2 },
  { cell: "depth", call: 2, input: two, weight: filter, bias: torch.tensor([100]) },
  { cell: "two-filters", call: 0, input: two, weight: filters, bias: torch.tensor([100, 0]) },
  { cell: "edge", call: 0, input: steps, weight: edge },
];

test.each(CONVOLUTIONS)("every step of $cell, call $call", async (one) => {
  const { cell, call, input, weight, bias = null, stride = 1, padding = 0, dilation = 1 } = one;
  const output = F.conv2d(input, weight, { bias, stride, padding, dilation });
  const [, , outH, outW] = output.shape as unknown as number[];
  const [, channels, kh, kw] = weight.shape as unknown as number[];
  const [, , h, w] = input.shape as unknown as number[];
  const view = await View.open(lesson, cell, "conv2d");
  if (call > 0) await view.chooseCall(call);
  await view.focusGrid("output");
  await view.press("Control+Home");
  for (let step = 1; step <= outH! * outW!; step++) {
    const [i, j] = [Math.floor((step - 1) / outW!), (step - 1) % outW!];
    const shown = await view.read();
    expect([shown.step, shown.steps]).toEqual([step, outH! * outW!]);
    saysWhatItHolds(shown);
    expect(shown.grids.output!.plane).toEqual(plane(output));
    expect(shown.grids.output!.selected).toEqual([i, j]);
    expect(shown.grids.input!.plane).toEqual(plane(input));
    expect(shown.grids.kernel!.plane).toEqual(plane(weight));
    // Products: the window's pixels times the kernel, in the picture's order, with the sum so far.
    let running = 0;
    const window: string[] = [];
    const terms = Array.from({ length: kh! * kw! }, (_, k) => {
      const [u, v] = [Math.floor(k / kw!), k % kw!];
      const [row, col] = [i * stride + u * dilation - padding, j * stride + v * dilation - padding];
      const inside = row >= 0 && col >= 0 && row < h! && col < w!;
      window.push(`${row},${col}`);
      const x = inside ? plane(input)[row]![col]! : 0;
      // Plus zero: a product may be −0, as in PyTorch.
      const product = x * plane(weight)[u]![v]! + 0;
      running += product;
      return [x, plane(weight)[u]![v]!, product, running];
    });
    expect(shown.products.map((texts) => texts.map((text) => number(text) + 0))).toEqual(terms);
    expect(shown.grids.input!.read.toSorted()).toEqual(window.toSorted());
    const value = plane(output)[i]![j]!;
    close(shown.result, value);
    expect(shown.agrees).toEqual(["true"]);
    if (channels === 1) expect(running).toBe(value);
    expect(shown.sentence).toContain(`[0,0,${i},${j}] is ${value}`);
    await view.press(".");
  }
  // At the end the key has nowhere to go.
  expect((await view.read()).step).toBe(outH! * outW!);
});

test("channels add up one by one, then the bias, to the engine's number", async () => {
  const view = await View.open(lesson, "depth", "conv2d");
  await view.chooseCall(2);
  await view.choose("channels");
  const sums = ["", "5", "15", "115"];
  for (const [part, sum] of sums.entries()) {
    const shown = await view.read();
    expect([shown.step, shown.steps]).toEqual([part + 1, 4]);
    if (part > 0) expect(shown.sentence).toMatch(new RegExp(`is ${sum}[.:]`));
    await view.go("next");
  }
  await view.choose("cell");
});

test("the arrow keys move the window, and inside the input r walks the windows that read a pixel", async () => {
  const view = await View.open(lesson, "first-conv", "conv2d");
  await view.focusGrid("output");
  await view.press("Control+Home");
  await view.press("ArrowRight");
  await view.press("ArrowDown");
  expect((await view.read()).grids.output!.selected).toEqual([1, 1]);
  await view.press("i");
  await view.press("Control+Home");
  await view.press("ArrowDown");
  await view.press("ArrowDown");
  await view.press("ArrowRight");
  await view.press("ArrowRight");
  // The pixel in the middle lies in all nine windows.
  const seen = new Set<string>();
  for (let turn = 0; turn < 9; turn++) {
    const { sentence } = await view.read();
    expect(sentence).toMatch(/Input\[0,0,2,2\] = 1 is read by 9 windows/);
    seen.add(/output\[[\d,]+\]/.exec(sentence)![0]);
    await view.press("r");
  }
  expect(seen.size).toBe(9);
  await view.press("Escape");
  expect((await view.read()).sentence).toMatch(/^Output/);
});

test("gradients painted to the last step are autograd's", async () => {
  const view = await View.open(lesson, "edge", "conv2d");
  await view.choose("backward");
  await view.go("last");
  const x = steps.clone().requiresGrad_();
  const w = edge.clone().requiresGrad_();
  F.conv2d(x, w).sum().backward();
  const shown = await view.read();
  expect(shown.step).toBe(shown.steps);
  expect(shown.grids.input!.plane).toEqual(plane(x.grad!));
  expect(shown.grids.kernel!.plane).toEqual(plane(w.grad!));
  expect(shown.agrees.length).toBeGreaterThan(0);
  expect(new Set(shown.agrees)).toEqual(new Set(["true"]));
  await view.choose("cell");
});

test("what-if: stride, padding, dilation and kernel give PyTorch's results and the line that makes them real", async () => {
  const view = await View.open(lesson, "first-conv", "conv2d");
  await view.set("stride", "2");
  expect((await view.read()).grids.output!.plane).toEqual([
    [10, 12],
    [13, 3],
  ]);
  await view.set("padding", "1");
  expect((await view.read()).grids.output!.plane).toEqual(plane(F.conv2d(whole, kernel, { stride: 2, padding: 1 })));
  await view.set("stride", "1");
  expect((await view.read()).grids.output!.plane[0]).toEqual([1, 3, 4, 10, 8]);
  await view.set("dilation", "2");
  expect((await view.read()).grids.output!.plane).toEqual(plane(F.conv2d(whole, kernel, { padding: 1, dilation: 2 })));
  expect(await view.code()).toBe("F.conv2d(input, kernel, { stride: 1, padding: 1, dilation: 2 })");
  // Too much: the engine's own words, and a way out.
  await view.set("padding", "0");
  await view.set("dilation", "3");
  const refused = view.host.locator('[data-part="error"]');
  expect(await refused.textContent()).toContain(
    "Calculated padded input size per channel: (5 x 5). Kernel size: (7 x 7). Kernel size can't be greater than actual input size",
  );
  await refused.locator('[data-action="suggestion"]').click();
  await refused.waitFor({ state: "detached" });
  await view.host.locator('[data-part="what-if"] [data-action="reset"]').click();
  expect((await view.read()).grids.output!.plane).toEqual(plane(F.conv2d(whole, kernel)));
});

test("what is being typed stays, however the pointer moves over the picture", async () => {
  const view = await View.open(lesson, "first-conv", "conv2d");
  const field = view.host.locator('input[data-control="stride"]');
  await field.fill("2");
  const cells = view.host.locator('[data-part="output"] [role=gridcell]');
  for (let at = 0; at < 9; at++)
    await cells.nth(at).dispatchEvent("pointerover", { bubbles: true, pointerType: "mouse" });
  expect(await field.inputValue()).toBe("2");
  // Left empty, it goes back to the number that holds.
  await field.fill("");
  await field.press("Tab");
  expect(await field.inputValue()).toBe("1");
});

test("Put in cell writes the tried line into the learner's own call, marks the view, and runs as tried", async () => {
  const view = await View.open(lesson, "first-conv", "conv2d");
  await view.set("stride", "2");
  await view.host.locator('button[data-action="put"]').click();
  expect(await lesson.code("first-conv")).toContain("const output = F.conv2d(input, kernel, { stride: 2 });");
  expect(await lesson.state("first-conv")).toBe("stale");
  await view.host.locator('[data-part="stale"]').waitFor();
  await view.host.locator('[data-part="stale"] button').click();
  await lesson.waitForState("first-conv", "done");
  expect(await lesson.text("first-conv")).toContain("tensor([[[[10, 12],\n          [13,  3]]]])");
  const shown = await view.read();
  expect(shown.grids.output!.plane).toEqual([
    [10, 12],
    [13, 3],
  ]);
  expect(await view.host.locator('[data-part="what-if"]').count()).toBe(0);
  await lesson.action("first-conv", "reset").click();
  await lesson.run("first-conv");
});

test("everything is there as text, the place is kept in the address, and nothing complained", async () => {
  const view = await View.open(lesson, "padding-1", "conv2d");
  await view.focusGrid("output");
  await view.press("Control+End");
  await view.press("t");
  const text = (await view.host.locator('[data-part="text-view"]').textContent())!.replace(/\s+/g, " ");
  expect(text).toContain("Input (1, 1, 5, 5), weight (1, 1, 3, 3), output (1, 1, 5, 5).");
  const rows = await view.host
    .locator('[data-part="text-view"] table')
    .last()
    .locator("tbody tr")
    .evaluateAll((all) => all.map((row) => [...row.querySelectorAll("td")].map((cell) => Number(cell.textContent))));
  expect(rows).toEqual(plane(F.conv2d(whole, kernel, { padding: 1 })));
  await view.press("t");
  expect(lesson.page.url()).toContain("v.padding-1.conv2d=");
  const again = await openLesson(browser, "02-convolution", { hash: new URL(lesson.page.url()).hash });
  try {
    await again.run("padding-1");
    const restored = await View.open(again, "padding-1", "conv2d");
    expect((await restored.read()).grids.output!.selected).toEqual([4, 4]);
  } finally {
    await again.close();
  }
  expect(lesson.complaints).toEqual([]);
});
