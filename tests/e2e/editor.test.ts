/** Writing code: by keyboard alone, in the plain editor, and in Monaco with the engine's own docs. */
import type { Browser, Locator } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "./browser.ts";
import { changed, type LessonPage, openLesson, readLesson, specOf } from "./lesson-page.ts";

const words = readLesson("02-convolution");

let browser: Browser;
let lesson: LessonPage;
let requested: string[];
beforeAll(async () => {
  browser = await launchBrowser();
  lesson = await openLesson(browser, "02-convolution");
  requested = [];
  lesson.page.on("request", (request) => requested.push(new URL(request.url()).pathname));
});
afterEach(async () => {
  await lesson.page.keyboard.press("Escape");
  await lesson.page.keyboard.press("Escape");
  const reset = lesson.page.locator('stride-cell[data-edited] button[data-action="reset"]');
  while ((await reset.count()) > 0) await reset.first().click();
  expect(lesson.complaints.splice(0)).toEqual([]);
});
afterAll(() => browser?.close());

const code = (id: string): Locator => lesson.cell(id).locator('[data-part="code"] pre');

/** Which cell, and what in it, has the keyboard. */
function focused(): Promise<{ cell: string | undefined; part: string | undefined; tag: string }> {
  return lesson.page.evaluate(() => {
    const active = document.activeElement as HTMLElement;
    const part = active.closest<HTMLElement>("[data-part]")?.dataset.part;
    return { cell: active.closest<HTMLElement>("stride-cell")?.dataset.cell, part, tag: active.localName };
  });
}

/** Monaco in this cell, mounted by Enter on its code. */
async function openMonaco(id: string): Promise<Locator> {
  await code(id).focus();
  await lesson.page.keyboard.press("Enter");
  const editor = lesson.cell(id).locator(".monaco-editor").first();
  await editor.waitFor();
  await lesson.page.waitForFunction(
    (cell) =>
      document.activeElement?.closest<HTMLElement>(".monaco-editor, stride-cell") !== null &&
      document.querySelector(`stride-cell[data-cell="${cell}"]`)?.contains(document.activeElement) === true,
    id,
  );
  return editor;
}

/** The caret of the focused Monaco behind the first occurrence of a passage. */
async function caretBehind(id: string, passage: string): Promise<void> {
  const before = (await lesson.page.evaluate((cell) => {
    const lessonElement = document.querySelector("stride-lesson") as unknown as { source(id: string): string };
    return lessonElement.source(cell);
  }, id)) as string;
  const at = before.indexOf(passage) + passage.length;
  const lines = before.slice(0, at).split("\n");
  await lesson.page.keyboard.press("Control+Home");
  for (let line = 1; line < lines.length; line++) await lesson.page.keyboard.press("ArrowDown");
  await lesson.page.keyboard.press("Home");
  await lesson.page.keyboard.press("Home");
  await lesson.page.keyboard.press("Home");
  const column = lines.at(-1)!;
  // Home goes to the first letter of an indented line.
  await lesson.page.keyboard.press(/^\s/.test(column) ? "Home" : "Home");
  const indent = /^\s*/.exec(before.split("\n")[lines.length - 1]!)![0].length;
  for (let step = indent; step < column.length; step++) await lesson.page.keyboard.press("ArrowRight");
}

/** The pointer over the first such word of the Monaco in this cell. */
async function hoverWord(id: string, word: string): Promise<void> {
  const place = await lesson
    .cell(id)
    .locator(".view-lines")
    .evaluate((host, text) => {
      const walker = document.createTreeWalker(host, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
        const at = node.textContent!.search(new RegExp(`\\b${text}\\b`));
        if (at < 0) continue;
        const range = document.createRange();
        range.setStart(node, at);
        range.setEnd(node, at + text.length);
        const box = range.getBoundingClientRect();
        return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
      }
      throw new Error(`no "${text}" in the editor`);
    }, word);
  await lesson.page.mouse.move(place.x - 3, place.y);
  await lesson.page.mouse.move(place.x, place.y, { steps: 3 });
}

async function saysOnHover(words: RegExp): Promise<void> {
  await lesson.page.waitForFunction(
    ([source, flags]) =>
      [...document.querySelectorAll(".monaco-hover")].some((one) =>
        new RegExp(source!, flags).test((one.textContent ?? "").replace(/\u00a0/g, " ")),
      ),
    [words.source, words.flags],
    { timeout: 60_000, polling: 200 },
  );
}

test("Shift+Enter on the code runs the cell and goes on; Ctrl+Enter runs it and stays", async () => {
  await code("no-batch").focus();
  await lesson.page.keyboard.press("Shift+Enter");
  await lesson.waitForState("no-batch", "done");
  expect((await focused()).cell).toBe("first-conv");
  await lesson.page.keyboard.press("Control+Enter");
  await lesson.waitForState("first-conv", "done");
  expect((await focused()).cell).toBe("first-conv");
  expect(requested.filter((path) => /editor\.|factory|monaco|ts\.?worker/i.test(path))).toEqual([]);
});

test("in the plain editor Tab leaves, Esc closes, and the same keys run", async () => {
  await lesson.action("first-conv", "plain-editor").focus();
  await lesson.page.keyboard.press("Enter");
  const field = lesson.cell("first-conv").locator('textarea[data-part="source"]');
  await field.waitFor();
  expect((await focused()).tag).toBe("textarea");
  await field.fill(changed(specOf(words, "first-conv"), "stride: 1", "stride: 2"));
  await lesson.page.keyboard.press("Control+Enter");
  await lesson.waitForState("first-conv", "done");
  expect(await lesson.text("first-conv")).toContain("tensor([[[[10, 12],\n          [13,  3]]]])");
  expect((await focused()).tag).toBe("textarea");

  await lesson.page.keyboard.press("Tab");
  expect((await focused()).tag).not.toBe("textarea");
  await lesson.page.keyboard.press("Shift+Tab");
  expect((await focused()).tag).toBe("textarea");
  await lesson.page.keyboard.press("Escape");
  await field.waitFor({ state: "detached" });
  expect(await focused()).toMatchObject({ cell: "first-conv", part: "code", tag: "pre" });
  // Coloured here, not by the build, and the text to the letter.
  expect(await lesson.code("first-conv")).toContain("stride: 2");
});

test("a new line in the plain editor keeps the indent, and undo takes it back", async () => {
  const field = await lesson.write("flipped", "if (true) {");
  await field.press("End");
  await field.press("Enter");
  await field.pressSequentially("1");
  expect(await field.inputValue()).toBe("if (true) {\n  1");
});

test("a finger gets the plain editor", async () => {
  const touch = await openLesson(browser, "02-convolution", {
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
  });
  try {
    await touch.cell("first-conv").locator('[data-part="code"] pre').tap();
    await touch.cell("first-conv").locator('textarea[data-part="source"]').waitFor();
    const size = await touch
      .cell("first-conv")
      .locator("textarea")
      .evaluate((field) => getComputedStyle(field).fontSize);
    // Below 16 px a phone zooms into the field.
    expect(Number.parseFloat(size)).toBeGreaterThanOrEqual(16);
    expect(touch.complaints).toEqual([]);
  } finally {
    await touch.close();
  }
});

test("a click in the code opens Monaco in place, and what is typed there runs", async () => {
  await lesson.page.evaluate(() => localStorage.clear());
  await code("first-conv").locator(".line", { hasText: "stride: 1" }).click();
  const editor = lesson.cell("first-conv").locator(".monaco-editor").first();
  await editor.waitFor();
  await caretBehind("first-conv", "stride: 1");
  await lesson.page.keyboard.press("Backspace");
  await lesson.page.keyboard.type("2");
  await lesson.page.keyboard.press("Control+Enter");
  await lesson.waitForState("first-conv", "done");
  expect(await lesson.text("first-conv")).toContain("tensor([[[[10, 12],\n          [13,  3]]]])");
  expect(await lesson.cell("first-conv").getAttribute("data-edited")).toBe("");
});

test("Tab leaves Monaco too, until its switch says otherwise; Esc closes it", async () => {
  await openMonaco("stride-2");
  await lesson.page.keyboard.press("Tab");
  const toggle = lesson.cell("stride-2").locator(".editor-tab-switch");
  expect(await toggle.evaluate((element) => element === document.activeElement)).toBe(true);
  await toggle.click();
  expect(await toggle.getAttribute("aria-pressed")).toBe("true");
  await lesson.page.keyboard.press("Control+Home");
  await lesson.page.keyboard.press("Tab");
  expect((await focused()).cell).toBe("stride-2");
  await lesson.page.waitForFunction(() => document.querySelector('stride-cell[data-cell="stride-2"][data-edited]'));
  await lesson.page.keyboard.press("Control+z");
  await lesson.page.keyboard.press("Escape");
  await lesson.cell("stride-2").locator(".monaco-editor").waitFor({ state: "detached" });
  expect(await focused()).toMatchObject({ cell: "stride-2", part: "code", tag: "pre" });
  expect(await lesson.code("stride-2")).toBe(specOf(words, "stride-2").source);
});

test("Monaco knows the engine: completion, parameters, docs, and the types of names from cells above", async () => {
  await openMonaco("stride-2");
  await lesson.page.keyboard.press("Control+End");
  await lesson.page.keyboard.type("\nF.conv2");
  const widget = lesson.page.locator(".suggest-widget.visible");
  await widget.waitFor({ timeout: 90_000 });
  await widget.locator(".monaco-list-row", { hasText: "conv2d" }).first().waitFor({ timeout: 90_000 });
  await lesson.page.keyboard.press("Escape");
  await lesson.page.keyboard.type("d(");
  const parameters = lesson.page.locator(".parameter-hints-widget.visible");
  await parameters.waitFor({ timeout: 60_000 });
  expect(await parameters.textContent()).toMatch(/conv2d\(input: .*weight: /);
  await lesson.page.keyboard.press("Escape");
  for (let step = 0; step < "F.conv2d()".length + 1; step++) await lesson.page.keyboard.press("Control+z");

  await hoverWord("stride-2", "input");
  await saysOnHover(/input: .*Tensor/);
  await lesson.page.mouse.move(0, 0);
  await hoverWord("stride-2", "conv2d");
  await saysOnHover(/conv2d\(input: .*2-?D convolution|conv2d\(input: [\s\S]*stride/i);
});

test("Monaco underlines a wrong argument, and finds nothing wrong with the lesson's own cells", async () => {
  const squiggles = (id: string) => lesson.cell(id).locator(".squiggly-error");
  await openMonaco("layer");
  await lesson.page.keyboard.press("Control+End");
  await lesson.page.keyboard.type("\nconv.weigth;");
  await squiggles("layer").first().waitFor({ timeout: 90_000 });
  expect(await squiggles("layer").count()).toBe(1);
});
