/**
 * The life of a view in a real browser: nothing ticks unless it plays, nothing is left when it is gone, every view of it is
 * clean by axe in both themes, and fits a phone.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "./browser.ts";
import { type LessonPage, openLesson } from "./lesson-page.ts";
import { View } from "./visualizer-page.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser?.close());

interface Ticking {
  /** Timers that have been set and not yet fired or been cleared. */
  stridePending: Set<unknown>;
}

/** Counts the page's timers from its first script on. */
function countTimers(): void {
  const pending = new Set<unknown>();
  const { setTimeout: set, clearTimeout: clear } = window;
  (window as unknown as Ticking).stridePending = pending;
  window.setTimeout = ((run: () => void, ms?: number) => {
    const id = set(() => {
      pending.delete(id);
      run();
    }, ms);
    pending.add(id);
    return id;
  }) as typeof window.setTimeout;
  window.clearTimeout = ((id: number) => {
    pending.delete(id);
    clear(id);
  }) as typeof window.clearTimeout;
}

async function pending(lesson: LessonPage): Promise<number> {
  return lesson.page.evaluate(() => (window as unknown as Ticking).stridePending.size);
}

/** Timers of the rest of the page (saving, the bar) end by themselves; a view's would not. */
async function quiet(lesson: LessonPage): Promise<void> {
  await lesson.page.waitForFunction(() => (window as unknown as Ticking).stridePending.size === 0, null, {
    timeout: 30_000,
  });
}

test("a view never plays by itself, holds one timer while it plays, and none once it is gone", async () => {
  const lesson = await openLesson(browser, "02-convolution", { before: countTimers });
  await lesson.runAll();
  const view = await View.open(lesson, "first-conv", "conv2d");
  await quiet(lesson);
  await view.go("first");
  await view.go("play");
  expect(await pending(lesson)).toBe(1);
  await view.host.evaluate((element) => element.remove());
  await lesson.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
  expect(await pending(lesson)).toBe(0);
  await lesson.page.context().close();
});

const VIEWS = {
  "02-convolution": {
    op: "conv2d",
    views: ["cell", "channels", "filters", "size", "compare", "backward"],
  },
  "03-pooling": { op: "max_pool2d", views: ["window", "edges", "modes", "backward", "shift"] },
} as const;

test.each(Object.entries(VIEWS))(
  "%s: every view is clean by axe, wide in the light and at 320 px in the dark, and fits",
  async (slug, { op, views }) => {
    const lesson = await openLesson(browser, slug);
    await lesson.runAll();
    const { page } = lesson;
    const cell = (await page.locator(`stride-visualizer[data-op="${op}"]`).first().getAttribute("data-of"))!;
    const view = await View.open(lesson, cell, op);
    await page.evaluate(axe);
    for (const [width, theme] of [
      [1280, "light"],
      [320, "dark"],
    ] as const)
      for (const name of views) {
        await page.setViewportSize({ width, height: 900 });
        await page.evaluate((value) => {
          document.documentElement.dataset.theme = value;
        }, theme);
        await view.host.locator(`[data-view="${name}"]`).click();
        await view.settled();
        await view.host.locator(".sv-wait").waitFor({ state: "detached" });
        const found = await page.evaluate(async (selector) => {
          const tool = (window as unknown as { axe: { run(root: string): Promise<{ violations: { id: string }[] }> } })
            .axe;
          return (await tool.run(selector)).violations.map((violation) => violation.id);
        }, view.selector);
        expect({ name, theme, width, found }).toEqual({ name, theme, width, found: [] });
        expect(await view.host.locator('[data-agrees="false"]').count()).toBe(0);
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      }
    expect(lesson.complaints).toEqual([]);
    await page.context().close();
  },
);
