/** Which pictures a lesson computes with, and what happens when they don't come. */
import { readFileSync } from "node:fs";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ARTWORK } from "../../site/data/artwork.ts";
import { launchBrowser } from "./browser.ts";
import { type LessonPage, openLesson, readLesson, specOf } from "./lesson-page.ts";

const words = readLesson("02-convolution");

let browser: Browser;
let lesson: LessonPage;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser?.close());

test("the page says which data set is in use, and who drew the stand-in under which licence", async () => {
  lesson = await openLesson(browser, "02-convolution");
  const said = lesson.page.locator('[data-part="bar"] [data-part="dataset"]');
  expect((await said.textContent())?.trim()).toBe("");
  expect(await lesson.run("dataset")).toBe("done");
  expect(await lesson.text("dataset")).toBe(`${specOf(words, "dataset").output}\n`);
  expect(await said.textContent()).toMatch(/stand-in/);
  expect(await said.getAttribute("title")).toMatch(/Bring your own CIFAR-10/);
  const credits = (await lesson.page.locator('[data-part="artwork"]').textContent()) ?? "";
  const notice = readFileSync(new URL("../../NOTICE", import.meta.url), "utf8");
  for (const { name, source, licence } of ARTWORK) {
    expect(credits).toContain(name);
    expect(credits).toContain(licence);
    expect(notice).toContain(source);
  }
  // Whatever NOTICE names, the page names.
  for (const [source] of notice.matchAll(/https:\/\/github\.com\/\S+/g))
    expect(ARTWORK.map((one) => one.source)).toContain(source);
  expect(lesson.complaints).toEqual([]);
});

test("images reach the panel: both grids, every step, and the share that a screen cannot show", async () => {
  expect(await lesson.run("to-tensorboard")).toBe("done");
  const board = lesson.page.locator('stride-tensorboard[data-of="to-tensorboard"]');
  await board.scrollIntoViewIfNeeded();
  const card = (tag: string) => board.locator(`[data-tag="${tag}"][data-kind="images"]`);
  await card("output").locator("canvas").waitFor();
  expect(await card("input").getAttribute("data-step")).toBe("3");
  expect(await card("output").locator("figcaption").textContent()).toMatch(/128 × 3 × 30 × 30|\[128, 3, 30, 30\]/);
  expect(await card("output").textContent()).toMatch(/clipped/);
  const slider = board.locator('[data-control="step"]');
  await slider.focus();
  await lesson.page.keyboard.press("Home");
  await lesson.page.locator('stride-tensorboard [data-tag="input"][data-step="0"]').first().waitFor();
  // Something is drawn: the canvas is not of one colour.
  const colours = await card("input")
    .locator("canvas")
    .evaluate((canvas) => {
      const { width, height } = canvas as HTMLCanvasElement;
      const { data } = (canvas as HTMLCanvasElement).getContext("2d")!.getImageData(0, 0, width, height);
      return new Set(Array.from({ length: 500 }, (_, k) => data.slice(k * 4 * 37, k * 4 * 37 + 3).join())).size;
    });
  expect(colours).toBeGreaterThan(20);
  await lesson.close();
});

test("a data file that does not come is said, names what is missing, and Try again gets it", async () => {
  lesson = await openLesson(browser, "02-convolution");
  const pattern = /\/_astro\/standin\.[^/]+\.bin$/;
  await lesson.page.context().route(pattern, (route) => route.fulfill({ status: 404, body: "" }));
  await lesson.action("dataset", "run").click();
  await lesson.notice().getByRole("button").waitFor();
  expect(await lesson.notice().textContent()).toMatch(/standin\.[^/]+\.bin answered 404/);
  expect(await lesson.state("dataset")).toBe("recorded");
  // What needs no pictures runs on.
  expect(await lesson.run("first-conv")).toBe("done");
  await lesson.page.context().unroute(pattern);
  expect(await lesson.run("dataset")).toBe("done");
  await lesson.close();
});

test("a damaged data file is an error in the cell that reads it, not a silent picture of noise", async () => {
  lesson = await openLesson(browser, "02-convolution");
  await lesson.page
    .context()
    .route(/\/_astro\/standin\.[^/]+\.bin$/, (route) => route.fulfill({ status: 200, body: Buffer.alloc(1000, 7) }));
  await lesson.action("dataset", "run").click();
  const failed = lesson.page.locator('stride-cell[data-cell="dataset"][data-state="error"]');
  await failed.or(lesson.notice().getByRole("button")).first().waitFor();
  const said = `${await lesson.error("dataset")} ${await lesson.notice().textContent()}`;
  expect(said).toMatch(/atlas|stand-in|data/i);
  await lesson.close();
});
