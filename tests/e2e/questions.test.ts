/** Predictions, exercises and quizzes as a student meets them, in real Chromium, on the built site. */
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, inject, test } from "vitest";
import type { Lesson } from "../../site/lesson/types.ts";
import { launchBrowser } from "./browser.ts";

let browser: Browser;
let context: BrowserContext;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterEach(() => context?.close());
afterAll(() => browser?.close());

async function open(
  path: string,
  options: { javaScriptEnabled?: boolean } = {},
): Promise<{ page: Page; lesson: Lesson }> {
  context = await browser.newContext(options);
  const page = await context.newPage();
  await page.goto(new URL(path, inject("site")).href, { waitUntil: "load" });
  const lesson = JSON.parse((await page.locator('script[data-part="lesson"]').textContent())!) as Lesson;
  return { page, lesson };
}

const button = (within: Locator, action: string) => within.locator(`button[data-action="${action}"]`);
const verdict = (element: Locator) => element.getAttribute("data-verdict");

/** Elements load when they come near; their buttons tell that they have. */
async function near(element: Locator, action: string): Promise<Locator> {
  await element.scrollIntoViewIfNeeded();
  await button(element, action).waitFor({ state: "attached" });
  return element;
}

/** Waits until the browser's store has the verdict: closing the page sooner may lose it. */
async function kept(page: Page, lesson: Lesson, id: string, state: string): Promise<void> {
  await page.waitForFunction(
    async ([key, name, wanted]) => {
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const request = indexedDB.open("stride");
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
      const progress = await new Promise<{ verdicts: Record<string, string> } | undefined>((resolve) => {
        const request = database.transaction("progress").objectStore("progress").get(key!);
        request.onsuccess = () => resolve(request.result);
      });
      database.close();
      return progress?.verdicts[name!]?.startsWith(wanted!) === true;
    },
    [`${lesson.course}/${lesson.slug}`, id, state],
    { polling: 200 },
  );
}

test.each(["nn/02-convolution/", "zh-cn/nn/02-convolution/"])("a guess is judged by the run on %s", async (path) => {
  const { page, lesson } = await open(path);
  const spec = lesson.predicts.find((one) => one.choices === null)!;
  const predict = await near(page.locator(`stride-predict[data-predict="${spec.id}"]`), "run");
  const cell = page.locator(`stride-cell[data-cell="${spec.of}"]`);
  const answer = predict.locator('[data-part="answer"]');

  // The record below would give it away.
  await cell.locator('[data-part="veil"]').waitFor();
  expect(await cell.locator("[data-recorded]").isVisible()).toBe(false);
  expect(await answer.isVisible()).toBe(false);

  await predict.locator("input").fill("999");
  await button(predict, "keep").click();
  expect(await verdict(predict)).toBe("none");
  await button(predict, "run").click();
  await page.waitForFunction((id) => document.getElementById(id)?.dataset.verdict === "fail", spec.id);
  expect(await answer.isVisible()).toBe(true);
  expect(await cell.locator('[data-part="veil"]').count()).toBe(0);

  await button(predict, "again").click();
  expect(await answer.isVisible()).toBe(false);
  await predict.locator("input").fill(spec.answer);
  await predict.locator("input").press("Enter");
  await cell.locator('button[data-action="run"]').click();
  await page.waitForFunction((id) => document.getElementById(id)?.dataset.verdict === "pass", spec.id);

  await kept(page, lesson, spec.id, "pass");
  await page.reload({ waitUntil: "load" });
  await near(predict, "again");
  await page.waitForFunction((id) => document.getElementById(id)?.dataset.verdict === "pass", spec.id);
  expect(await predict.locator("input").inputValue()).toBe(spec.answer);
});

test("choices are a group of radio buttons that is named by its question and worked by keyboard", async () => {
  const { page, lesson } = await open("nn/02-convolution/");
  const spec = lesson.predicts.find((one) => one.choices !== null)!;
  const predict = await near(page.locator(`stride-predict[data-predict="${spec.id}"]`), "run");
  const group = predict.getByRole("radiogroup");
  expect(await group.getAttribute("aria-labelledby")).not.toBeNull();
  await predict.getByRole("radio").first().focus();
  await page.keyboard.press("Space");
  for (let index = 0; index < spec.right!; index++) await page.keyboard.press("ArrowDown");
  await button(predict, "run").focus();
  await page.keyboard.press("Enter");
  await page.waitForFunction((id) => document.getElementById(id)?.dataset.verdict === "pass", spec.id);
});

test("whoever runs without a guess gets the answer and no verdict", async () => {
  const { page, lesson } = await open("nn/02-convolution/");
  const spec = lesson.predicts[0]!;
  const predict = await near(page.locator(`stride-predict[data-predict="${spec.id}"]`), "run");
  await page.locator(`stride-cell[data-cell="${spec.of}"] button[data-action="run"]`).click();
  await predict.locator('[data-part="answer"][open]').waitFor();
  expect(await verdict(predict)).toBe("none");
});

test.each(["nn/01-module/", "zh-cn/nn/01-module/"])(
  "an exercise says why, hints one at a time, asks before the solution, and is kept, on %s",
  async (path) => {
    const { page, lesson } = await open(path);
    const spec = lesson.exercises[0]!;
    const exercise = await near(page.locator(`stride-exercise[data-exercise="${spec.id}"]`), "check");
    const settled = (wanted: string) =>
      page.waitForFunction(([id, value]) => document.getElementById(id!)?.dataset.verdict === value, [spec.id, wanted]);
    expect(await verdict(exercise)).toBe("none");

    await button(exercise, "check").click();
    await settled("fail");
    const said = (await exercise.locator('[data-part="verdict"]').textContent())!.trim();
    expect(said).not.toBe("");

    for (let shown = 0; shown < spec.hints.length; shown++) {
      expect(await exercise.locator('[data-part="hint"]:visible').count()).toBe(shown);
      await button(exercise, "hint").click();
    }
    expect(await exercise.locator('[data-part="hint"]:visible').count()).toBe(spec.hints.length);
    expect(await button(exercise, "hint").isVisible()).toBe(false);

    await button(exercise, "solution").click();
    expect(await exercise.locator('[data-part="solution"]').isVisible()).toBe(false);
    await page.keyboard.press("Escape");
    expect(await exercise.locator('[data-part="confirm"]').count()).toBe(0);

    await button(exercise, "plain-editor").click();
    const field = exercise.locator('textarea[data-part="source"]');
    await field.fill(spec.solution);
    expect(await verdict(exercise)).toBe("none");
    await field.press("Control+Enter");
    await settled("pass");

    // What it defined reached no cell, and every cell of the lesson runs as before.
    expect(await page.locator('stride-cell[data-state="error"]').count()).toBe(0);

    await field.press("Escape");
    await kept(page, lesson, spec.id, "pass");
    await page.waitForTimeout(600);
    await page.reload({ waitUntil: "load" });
    await near(exercise, "check");
    await settled("pass");
    const code = await exercise.locator('[data-part="code"]').textContent();
    expect(code).toBe(spec.solution);
    await button(exercise, "reset").click();
    expect(await exercise.locator('[data-part="code"]').textContent()).toBe(spec.starter);
  },
);

test("an exercise that throws marks its line and says so", async () => {
  const { page, lesson } = await open("nn/01-module/");
  const spec = lesson.exercises[0]!;
  const exercise = await near(page.locator(`stride-exercise[data-exercise="${spec.id}"]`), "check");
  await button(exercise, "plain-editor").click();
  await exercise.locator('textarea[data-part="source"]').fill('const a = 1;\nthrow new Error("my own");');
  await exercise.locator('textarea[data-part="source"]').press("Control+Enter");
  await page.waitForFunction((id) => document.getElementById(id)?.dataset.verdict === "fail", spec.id);
  expect(await exercise.locator('[data-output="error"]').textContent()).toContain("my own");
  await exercise.locator('textarea[data-part="source"]').press("Escape");
  await exercise.locator('.line[data-line="2"][data-error]').waitFor();
});

test("an exercise that never ends is stopped, and the page goes on", async () => {
  const { page, lesson } = await open("nn/01-module/");
  const spec = lesson.exercises[0]!;
  const exercise = await near(page.locator(`stride-exercise[data-exercise="${spec.id}"]`), "check");
  await button(exercise, "plain-editor").click();
  const field = exercise.locator('textarea[data-part="source"]');
  await field.fill("while (true) {}");
  await field.press("Control+Enter");
  await page.locator('stride-lesson[data-kernel="running"]').waitFor();
  await button(exercise, "stop").click();
  await button(exercise, "check").waitFor({ state: "visible" });
  expect(await verdict(exercise)).toBe("none");
  await field.fill(spec.solution);
  await field.press("Control+Enter");
  await page.waitForFunction((id) => document.getElementById(id)?.dataset.verdict === "pass", spec.id);
});

test("a quiz gives the reason for what was taken, and can be tried again", async () => {
  const { page, lesson } = await open("nn/02-convolution/");
  const spec = lesson.quizzes.find((one) => one.choices.filter((choice) => choice.right).length === 1)!;
  const quiz = await near(page.locator(`stride-quiz[data-quiz="${spec.id}"]`), "check");
  const right = spec.choices.findIndex((choice) => choice.right);
  const wrong = spec.choices.findIndex((choice) => !choice.right);
  await quiz.getByRole("radio").nth(wrong).check();
  await button(quiz, "check").click();
  expect(await verdict(quiz)).toBe("fail");
  if (spec.choices[wrong]!.why !== "") {
    expect(await quiz.locator(`[data-part="choices"] > [data-choice="${wrong}"] [data-part="why"]`).isVisible()).toBe(
      true,
    );
  }
  expect(await quiz.locator('[data-part="answer"]').isVisible()).toBe(false);
  await quiz.getByRole("radio").nth(right).check();
  expect(await verdict(quiz)).toBe("none");
  await button(quiz, "check").click();
  expect(await verdict(quiz)).toBe("pass");
  expect(await quiz.locator('[data-part="answer"]').isVisible()).toBe(true);
});

test("without a script everything can be read: starters, hints, solutions, answers and reasons", async () => {
  const { page, lesson } = await open("nn/02-convolution/", { javaScriptEnabled: false });
  for (const spec of lesson.exercises) {
    const exercise = page.locator(`stride-exercise[data-exercise="${spec.id}"]`);
    expect(await exercise.locator(':scope > [data-part="code"]').textContent()).toBe(spec.starter);
    const solution = exercise.locator('details[data-part="solution"]');
    await solution.locator("summary").click();
    expect(await solution.locator("pre").last().textContent()).toBe(spec.solution);
    expect(await exercise.locator('details[data-part="hint"]').count()).toBe(spec.hints.length);
  }
  const answers = page.locator("stride-predict details[data-part='answer'], stride-quiz details[data-part='answer']");
  expect(await answers.count()).toBe(lesson.predicts.length + lesson.quizzes.length);
  for (const answer of await answers.all()) expect(await answer.isVisible()).toBe(true);
  for (const record of await page.locator("stride-cell [data-recorded]").all())
    expect(await record.isVisible()).toBe(true);
});
