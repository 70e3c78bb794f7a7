/** Every page of the site as a page: accessible in both themes and widths, its links whole, and light to read. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { gzipSync } from "node:zlib";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launchBrowser } from "./browser.ts";
import { complaintsOf, LessonPage, LOCALES, lessonUrl, SLUGS } from "./lesson-page.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const LESSONS = LOCALES.flatMap((locale) => SLUGS.map((slug) => ({ path: lessonUrl(slug, locale), locale, slug })));
const site = inject("site");
const OTHERS = [site, `${site}zh-cn/`, `${site}no-such-page/`];
const PAGES = [...OTHERS, ...LESSONS.map(({ path }) => path)];
/** The 404 page answers 404, which the console repeats. */
const expected = (complaint: string) => !(complaint.includes("404") && !complaint.includes("_astro"));

interface Axe {
  run(
    root: Document,
    options: { resultTypes: string[]; runOnly?: string[] },
  ): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
}

let browser: Browser;
let context: BrowserContext;
beforeAll(async () => {
  browser = await launchBrowser();
  context = await browser.newContext({ serviceWorkers: "block" });
});
afterAll(() => browser?.close());

async function opened<T>(path: string, use: (page: Page, complaints: string[]) => Promise<T>): Promise<T> {
  const page = await context.newPage();
  const complaints = complaintsOf(page);
  try {
    await page.goto(path, { waitUntil: "load" });
    return await use(page, complaints);
  } finally {
    await page.close();
  }
}

/** Scrolls through, so that everything that loads when it comes near has loaded. */
async function readThrough(page: Page): Promise<void> {
  await page.evaluate(async () => {
    for (let at = 0; at < document.documentElement.scrollHeight; at += innerHeight) {
      scrollTo(0, at);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    scrollTo(0, 0);
  });
  // What the scrolling called for: its pictures, fonts and parts have arrived when none is under way.
  await page.waitForFunction(
    () =>
      document.fonts.status === "loaded" &&
      [...document.images].every((image) => image.complete || image.loading === "lazy"),
  );
  await page.waitForTimeout(150);
}

/** What axe finds at both widths: by all its rules in the light, and by those about colour in the dark. */
async function findings(page: Page): Promise<string[]> {
  const found = new Set<string>();
  await page.evaluate(axe);
  // Colours on their way to the other theme would be measured wrongly.
  await page.addStyleTag({
    content: "*, ::before, ::after { transition: none !important; animation: none !important }",
  });
  for (const width of [1440, 390]) {
    await page.setViewportSize({ width, height: 900 });
    // What scrolls now is made reachable when the page has heard of its new size.
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 50))));
    for (const theme of ["light", "dark"] as const) {
      await page.evaluate((name) => {
        document.documentElement.dataset.theme = name;
      }, theme);
      const violations = await page.evaluate(
        async (rules) => {
          const { axe: tool } = window as unknown as { axe: Axe };
          const { violations: all } = await tool.run(document, {
            // Telling of every node that passed takes most of the time.
            resultTypes: ["violations"],
            ...(rules === null ? {} : { runOnly: rules }),
          });
          return all.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
        },
        theme === "light" ? null : ["color-contrast", "link-in-text-block"],
      );
      for (const violation of violations) found.add(`${violation} (${theme}, ${width})`);
    }
  }
  return [...found];
}

/** The two English lessons with views are looked at below, when they have run. */
const AT_REST = PAGES.filter((path) => !/stride\/nn\/0[23]/.test(path));

test.each(AT_REST)("axe finds nothing on %s, in light and dark, wide and narrow, and 320 px hold it", async (path) => {
  await opened(path, async (page, complaints) => {
    await readThrough(page);
    expect(await findings(page)).toEqual([]);
    await page.setViewportSize({ width: 320, height: 700 });
    await readThrough(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
    expect(complaints.filter(expected)).toEqual([]);
  });
});

test.each(["02-convolution", "03-pooling"])(
  "nor when %s has run, views open and an error shown; and nothing ever left the origin or hung over the edge",
  async (slug) => {
    // A context of its own: what is edited here is kept, and is not to be met by another try.
    const own = await browser.newContext({ serviceWorkers: "block" });
    const page = await own.newPage();
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    const lesson = new LessonPage(page, slug, "en");
    await lesson.goto();
    await readThrough(page);
    await lesson.runAll();
    await lesson.writeAndRun(slug === "03-pooling" ? "padding" : "flipped", "null.shape");
    await readThrough(page);
    const pictures = page.locator("stride-visualizer");
    expect(await pictures.count()).toBeGreaterThan(4);
    await page.locator("stride-visualizer").last().locator("[role=grid]").first().waitFor();
    await page.locator("stride-visualizer button[data-action='text']").first().click();
    expect(await findings(page)).toEqual([]);
    const origin = new URL(site).origin;
    const outside = asked.filter((url) => !url.startsWith(`${origin}/`) && !/^(blob|data|about):/.test(url));
    expect(outside).toEqual([]);
    await page.setViewportSize({ width: 320, height: 700 });
    await readThrough(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
    expect(lesson.complaints).toEqual([]);
    await own.close();
  },
);

test("every link leads to a page below the base path, and to a place on it", async () => {
  const targets = new Map<string, Set<string>>();
  const ids = new Map<string, Set<string>>();
  for (const path of PAGES) {
    const html = await (await fetch(path)).text();
    const all = (pattern: RegExp) => [...html.matchAll(pattern)].map(([, text]) => text!.replaceAll("&amp;", "&"));
    const links = all(/<a\b[^>]*?\bhref="([^"]*)"/g).map((href) => new URL(href, path));
    expect(links.length, path).toBeGreaterThan(5);
    targets.set(path, new Set(links.filter(({ origin }) => origin === new URL(site).origin).map(({ href }) => href)));
    ids.set(path, new Set(all(/\bid="([^"]*)"/g)));
  }
  for (const [from, links] of targets) {
    for (const href of links) {
      const url = new URL(href);
      expect(href.startsWith(site), `${from} → ${href}`).toBe(true);
      const page = url.origin + url.pathname;
      if (!page.endsWith("no-such-page/")) expect([...ids.keys()], `${from} → ${href}`).toContain(page);
      const fragment = decodeURIComponent(url.hash.slice(1));
      if (fragment !== "" && !fragment.startsWith("v."))
        expect(ids.get(page)?.has(fragment), `${from} → ${href}`).toBe(true);
    }
  }
});

test("the language switch stays on the lesson, there and back", async () => {
  await opened(lessonUrl("02-convolution"), async (page) => {
    await page.locator("a.language").first().click();
    await page.waitForURL(lessonUrl("02-convolution", "zh-cn"));
    expect(await page.locator("html").getAttribute("lang")).toBe("zh-CN");
    await page.locator("a.language").first().click();
    await page.waitForURL(lessonUrl("02-convolution"));
  });
});

test("the theme switch holds on the next page and after a reload", async () => {
  await opened(lessonUrl("01-module"), async (page) => {
    const theme = () => page.locator("html").getAttribute("data-theme");
    const before = await theme();
    await page.locator("[data-theme-toggle]").first().click();
    const after = await theme();
    expect(after).not.toBe(before);
    await page.reload();
    expect(await theme()).toBe(after);
    await page.goto(site);
    expect(await theme()).toBe(after);
    await page.evaluate(() => localStorage.clear());
  });
});

test("reading costs at most 30 kB of JavaScript; editor, compiler and kernel come only when they are wanted", async () => {
  for (const path of [site, lessonUrl("02-convolution"), lessonUrl("03-pooling", "zh-cn")]) {
    // A reader without work of her own: kept edits bring along what runs them.
    const fresh = await browser.newContext({ serviceWorkers: "block" });
    const page = await fresh.newPage();
    const scripts = new Map<string, number>();
    const reading: Promise<void>[] = [];
    page.on("response", (response) => {
      if (!/\.js$/.test(new URL(response.url()).pathname)) return;
      reading.push(
        response.body().then(
          (body) => void scripts.set(response.url().split("/").at(-1)!, gzipSync(body).length),
          () => {},
        ),
      );
    });
    await page.goto(path, { waitUntil: "networkidle" });
    await Promise.all(reading);
    const bytes = [...scripts.values()].reduce((sum, size) => sum + size, 0);
    expect(bytes, JSON.stringify([...scripts])).toBeLessThanOrEqual(30_000);
    await readThrough(page);
    await Promise.all(reading);
    const heavy = [...scripts.keys()].filter((name) =>
      /^(kernel|factory|tsMode|editor|typescript|compile|room)/.test(name),
    );
    expect(heavy).toEqual([]);
    await fresh.close();
  }
});
