/** Cells as a student changes, runs, stops and breaks them. Answers are PyTorch's. */
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "./browser.ts";
import { changed, type LessonPage, openLesson, readLesson, specOf } from "./lesson-page.ts";

const words = readLesson("02-convolution");

let browser: Browser;
let lesson: LessonPage;
beforeAll(async () => {
  browser = await launchBrowser();
  lesson = await openLesson(browser, "02-convolution");
});
afterAll(() => browser?.close());

/** The lesson's own text in every cell; names stay in the kernel. */
afterEach(async () => {
  const reset = lesson.page.locator('stride-cell[data-edited] button[data-action="reset"]');
  while ((await reset.count()) > 0) await reset.first().click();
  expect(lesson.complaints.splice(0)).toEqual([]);
});

test("running a cell first runs the cells above that it needs, and says so", async () => {
  expect(await lesson.state("no-batch")).toBe("recorded");
  expect(await lesson.run("stride-2")).toBe("done");
  expect(await lesson.state("no-batch")).toBe("done");
  expect(await lesson.state("first-conv")).toBe("done");
  expect(await lesson.state("padding-1")).toBe("recorded");
  expect(await lesson.cell("stride-2").locator('[data-part="note"]').textContent()).toMatch(/no-batch, first-conv/);
  // What is up to date is not run again.
  const before = await lesson.cell("no-batch").getAttribute("data-ms");
  expect(await lesson.run("padding-1")).toBe("done");
  expect(await lesson.cell("no-batch").getAttribute("data-ms")).toBe(before);
});

test("an edited cell prints what PyTorch prints for the edited code, and makes its dependents out of date", async () => {
  await lesson.run("stride-2");
  const spec = specOf(words, "first-conv");
  await lesson.write("first-conv", changed(spec, "stride: 1", "stride: 2"));
  expect(await lesson.state("first-conv")).toBe("stale");
  expect(await lesson.state("stride-2")).toBe("stale");
  expect(await lesson.state("no-batch")).toBe("done");
  expect(await lesson.cell("stride-2").locator('[data-part="state"]').textContent()).toContain("first-conv");

  expect(await lesson.run("first-conv")).toBe("done");
  expect(await lesson.text("first-conv")).toBe(
    "torch.Size([1, 1, 5, 5]) torch.Size([1, 1, 3, 3])\ntensor([[[[10, 12],\n          [13,  3]]]])\n",
  );
  // The recorded words no longer apply: neither "the same" nor "differs" would be true.
  const origin = lesson.cell("first-conv").locator('[data-part="origin"]');
  expect(await origin.getAttribute("data-same")).toBeNull();

  expect(await lesson.run("stride-2")).toBe("done");
  expect(await lesson.text("stride-2")).toBe("tensor([[[[10, 12],\n          [13,  3]]]])\ntensor([[10]])\n");
});

test("back to its own text, a cell that has not run with another is up to date as before", async () => {
  await lesson.run("stride-2");
  await lesson.write("first-conv", "const input = 1;");
  expect(await lesson.state("stride-2")).toBe("stale");
  await lesson.action("first-conv", "reset").click();
  expect(await lesson.state("first-conv")).toBe("done");
  expect(await lesson.action("first-conv", "reset").isVisible()).toBe(false);
});

test("an endless loop is stopped within a second; the page says what must run again, offers it, and goes on", async () => {
  await lesson.run("first-conv");
  await lesson.write("unread", "while (true) {}");
  await lesson.action("unread", "run").click();
  await lesson.page.locator('stride-lesson[data-kernel="running"]').waitFor({ state: "attached" });
  await lesson.page.waitForTimeout(200);
  expect(await lesson.state("unread")).toBe("running");
  const took = await lesson.page.evaluate(async () => {
    const cell = document.querySelector<HTMLElement>('stride-cell[data-cell="unread"]')!;
    const began = performance.now();
    cell.querySelector<HTMLButtonElement>('button[data-action="stop"]')!.click();
    while (cell.dataset.state !== "stopped") await new Promise((resolve) => setTimeout(resolve, 5));
    return performance.now() - began;
  });
  expect(took).toBeLessThan(1000);
  await lesson.notice().getByText("first-conv").waitFor();
  expect(await lesson.notice().textContent()).toMatch(/no-batch, first-conv/);
  expect(await lesson.state("first-conv")).toBe("stale");
  await lesson.notice().getByRole("button").click();
  await lesson.waitForState("first-conv", "done");
  await lesson.action("unread", "reset").click();
  expect(await lesson.run("unread")).toBe("done");
  expect(await lesson.text("unread")).toBe(`${specOf(words, "unread").output}\n`);
});

test("the bar's Stop ends what runs and what waits", async () => {
  await lesson.write("no-batch", `await new Promise(() => {}); ${specOf(words, "no-batch").source}`);
  await lesson.action("stride-2", "run").click();
  await lesson.waitForState("no-batch", "running");
  expect(await lesson.state("stride-2")).toBe("queued");
  await lesson.bar("stop").click();
  await lesson.waitForState("no-batch", "stopped");
  expect(await lesson.state("stride-2")).not.toBe("queued");
  expect(await lesson.bar("stop").isDisabled()).toBe(true);
});

test("a cell that throws marks its line, says what was thrown, and gives no names", async () => {
  expect(await lesson.writeAndRun("flipped", 'print("before");\nconst gone = null;\nconst turned = gone.shape;')).toBe(
    "error",
  );
  expect(await lesson.text("flipped")).toBe("before\n");
  expect(await lesson.error("flipped")).toContain("TypeError: Cannot read properties of null (reading 'shape')");
  expect(await lesson.markedLines("flipped")).toEqual([3]);
  const place = lesson.cell("flipped").getByRole("button", { name: /line 3/i });
  expect(await place.textContent()).toMatch(/flipped:3:\d+/);
  await place.click();
  const focused = await lesson.page.evaluate(() => document.activeElement?.closest("stride-cell")?.id);
  expect(focused).toBe("flipped");
  // Correct, run again: the mark goes.
  await lesson.action("flipped", "reset").click();
  expect(await lesson.run("flipped")).toBe("done");
  expect(await lesson.markedLines("flipped")).toEqual([]);
});

test("an error inside a function of another cell names both places and marks the line that called", async () => {
  await lesson.write(
    "first-conv",
    `${specOf(words, "first-conv").source}\nfunction broken() {\n  return input.view(7);\n}`,
  );
  expect(await lesson.writeAndRun("stride-2", "const a = 1;\nbroken();")).toBe("error");
  const error = await lesson.error("stride-2");
  expect(error).toContain("shape '[7]' is invalid for input of size 25");
  expect(error).toMatch(/first-conv:\d+:\d+.*stride-2:2:1/);
  expect(await lesson.markedLines("stride-2")).toEqual([2]);
});

test("a wrong shape gives PyTorch's sentence", async () => {
  const spec = specOf(words, "first-conv");
  expect(await lesson.writeAndRun("first-conv", changed(spec, "reshape(1, 1, 3, 3)", "reshape(1, 3, 3, 1)"))).toBe(
    "error",
  );
  expect(await lesson.error("first-conv")).toContain(
    "RuntimeError: Given groups=1, weight of size [1, 3, 3, 1], expected input[1, 1, 5, 5] to have 3 channels, but got 1 channels instead",
  );
  expect(await lesson.markedLines("first-conv")).toEqual([5]);
  await lesson.writeAndRun("first-conv", `${spec.source}\nprint(input.add(kernel));`);
  expect(await lesson.error("first-conv")).toContain(
    "RuntimeError: The size of tensor a (5) must match the size of tensor b (3) at non-singleton dimension 3",
  );
});

test("a hint of the engine stands apart from PyTorch's sentence", async () => {
  await lesson.writeAndRun("flipped", "torch.tensor([1, 2], { requiresGrad: true });");
  const error = await lesson.error("flipped");
  expect(error).toContain("Only Tensors of floating point and complex dtype can require gradients");
  expect(error).toMatch(/Hint: give the tensor a floating dtype/);
});

test("a syntax error marks its line, and nothing of the cell runs", async () => {
  expect(await lesson.writeAndRun("flipped", 'print("never");\nconst = 2;\nprint(3);')).toBe("error");
  expect(await lesson.text("flipped")).toBe("");
  expect(await lesson.error("flipped")).toMatch(/SyntaxError/);
  expect(await lesson.markedLines("flipped")).toEqual([2]);
});

test("a name that only a later cell gives is an error that leads there", async () => {
  expect(await lesson.writeAndRun("no-batch", "print(output3);")).toBe("error");
  expect(await lesson.error("no-batch")).toMatch(/output3/);
  const link = lesson.cell("no-batch").locator('[data-output="error"] a');
  expect(await link.getAttribute("href")).toBe("#padding-1");
  expect(await lesson.markedLines("no-batch")).toEqual([1]);
});

test("top-level await works, and what is printed is on the page while the cell goes on", async () => {
  await lesson.write(
    "flipped",
    "const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));\nprint(0);\nawait wait(800);\nprint(await Promise.resolve(1));",
  );
  await lesson.action("flipped", "run").click();
  await lesson.cell("flipped").locator('[data-output="text"]', { hasText: "0" }).waitFor();
  expect(await lesson.state("flipped")).toBe("running");
  await lesson.waitForState("flipped", "done");
  expect(await lesson.text("flipped")).toBe("0\n1\n");
});

test("the last expression is shown: a tensor, with a heat map to open", async () => {
  await lesson.writeAndRun("flipped", 'import * as torch from "torch";\ntorch.arange(12).reshape(3, 4)');
  const tensor = lesson.cell("flipped").locator('[data-output="tensor"]');
  expect((await tensor.textContent())?.replace(/\s+/g, " ")).toContain("tensor([[ 0, 1, 2, 3]");
  await tensor.getByRole("button").first().click();
  await lesson.cell("flipped").locator('canvas, [role="grid"], table').first().waitFor();
});

test("a flood of prints is cut, counted, and leaves a page that answers", async () => {
  expect(await lesson.writeAndRun("flipped", "for (let i = 0; i < 300_000; i++) print(i);")).toBe("done");
  const text = await lesson.text("flipped");
  expect(text.startsWith("0\n1\n2\n3\n")).toBe(true);
  expect(text.length).toBeLessThan(300_000);
  const said = await lesson.cell("flipped").locator('[data-part="output"]').textContent();
  expect(said).toMatch(/more lines/);
  const answered = await lesson.page.evaluate(async () => {
    const began = performance.now();
    await new Promise((resolve) => requestAnimationFrame(resolve));
    return performance.now() - began;
  });
  expect(answered).toBeLessThan(1000);
});

test("Restart forgets every name and says so; running goes on from there", async () => {
  await lesson.run("stride-2");
  await lesson.bar("restart").click();
  await lesson.page.locator('stride-lesson[data-kernel="ready"]').waitFor({ state: "attached" });
  for (const id of ["no-batch", "first-conv", "stride-2"]) {
    expect(await lesson.state(id)).toBe("stale");
    expect(await lesson.cell(id).locator('[data-part="state"]').textContent()).toMatch(/restarted/);
  }
  expect(await lesson.run("stride-2")).toBe("done");
  expect(await lesson.cell("stride-2").locator('[data-part="note"]').textContent()).toMatch(/no-batch, first-conv/);
});

test("Reset all asks, and puts back the lesson's text everywhere", async () => {
  await lesson.write("flipped", "1");
  await lesson.write("dilation", "2");
  await lesson.bar("reset-lesson").click();
  expect(await lesson.code("no-batch")).toBe(specOf(words, "no-batch").source);
  await lesson.notice().getByRole("button").first().click();
  for (const id of ["flipped", "dilation"]) {
    const field = lesson.cell(id).locator('textarea[data-part="source"]');
    expect(await field.inputValue()).toBe(specOf(words, id).source);
    await field.press("Escape");
  }
  expect(await lesson.bar("reset-lesson").isVisible()).toBe(false);
});

test("the Python twin opens by its button and is PyTorch's program", async () => {
  const twin = lesson.cell("stride-2").locator('[data-part="twin"]');
  await lesson.action("stride-2", "twin").click();
  expect(await twin.locator("pre").isVisible()).toBe(true);
  expect(await twin.locator("pre").textContent()).toBe(specOf(words, "stride-2").twin);
  await lesson.action("stride-2", "twin").click();
  expect(await twin.locator("pre").isVisible()).toBe(false);
});
