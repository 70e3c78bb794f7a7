/** The six pages of the first three lessons: complete without a script, and PyTorch's digits with one. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { messages } from "../../site/i18n/index.ts";
import { sameOutput } from "../../site/lesson/same-output.ts";
import { launchBrowser } from "./browser.ts";
import { LOCALES, lessonUrl, openLesson, readLesson, SLUGS } from "./lesson-page.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser?.close());

const PAGES = LOCALES.flatMap((locale) => SLUGS.map((slug) => ({ locale, slug })));

describe.each(PAGES)("$locale $slug", ({ locale, slug }) => {
  const lesson = readLesson(slug, locale);

  test("reads completely before any script: code, recorded output, formulas, folded answers", async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    try {
      const page = await context.newPage();
      await page.goto(lessonUrl(slug, locale));
      expect(await page.title()).toContain(lesson.frontMatter.title);
      expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe(lesson.frontMatter.title);
      expect(await page.getByRole("heading", { level: 2 }).count()).toBeGreaterThan(3);
      expect(await page.locator("html").getAttribute("lang")).toBe(locale === "en" ? "en" : "zh-CN");
      const shown = await page.locator("stride-cell").evaluateAll((cells) =>
        cells.map((cell) => {
          const code = cell.querySelector('[data-part="code"] pre');
          const output = cell.querySelector('[data-part="output"] [data-output="text"]');
          return {
            id: (cell as HTMLElement).dataset.cell,
            code: code?.textContent,
            codeSeen: code?.checkVisibility(),
            output: output?.textContent ?? null,
            outputSeen: output?.checkVisibility() ?? null,
            origin: cell.querySelector('[data-part="origin"]')?.textContent,
          };
        }),
      );
      const letters = (text: string) => text.replace(/\n$/, "");
      expect(shown).toEqual(
        lesson.cells.map(({ id, source, output, hidden }) => ({
          id,
          code: letters(source),
          codeSeen: !hidden,
          output: output === null ? null : letters(output),
          outputSeen: output === null ? null : true,
          origin: output === null ? "" : messages(locale).cell.recordedOrigin,
        })),
      );
      // A button that does nothing is worse than none.
      const buttons = page.locator("stride-lesson button:visible");
      expect(await buttons.allTextContents()).toEqual([]);
      const formula = page.locator("stride-lesson .katex").first();
      expect(await formula.isVisible()).toBe(true);
      expect(await page.locator(".katex-error").count()).toBe(0);
      // Hints, solutions and answers are folded, and unfold without a script.
      const folded = page.locator("stride-lesson details");
      const questions = lesson.exercises.length + lesson.predicts.length + lesson.quizzes.length;
      expect(await folded.count()).toBeGreaterThan(questions + lesson.cells.length - 1);
      for (const at of [0, -1]) {
        const one = at === 0 ? folded.first() : folded.last();
        await one.locator("summary").click();
        expect(await one.locator(":scope > :not(summary)").first().isVisible()).toBe(true);
      }
    } finally {
      await context.close();
    }
  });

  test("runs from the first cell to the last and prints what PyTorch printed, to the letter", async () => {
    const opened = await openLesson(browser, slug, { locale });
    try {
      expect(await opened.page.locator("stride-cell").count()).toBe(lesson.cells.length);
      await opened.runAll();
      for (const { id, output, tol } of lesson.cells) {
        if (output === null) continue;
        const printed = await opened.text(id);
        if (tol === null) expect(printed.replace(/\n$/, ""), id).toBe(output.replace(/\n$/, ""));
        else expect(sameOutput(printed, output, tol), `${id} printed\n${printed}not\n${output}`).toBe(true);
        expect(await opened.cell(id).locator('[data-part="origin"]').getAttribute("data-same"), id).toBe("true");
        expect(Number(await opened.cell(id).getAttribute("data-ms")), id).toBeGreaterThanOrEqual(0);
      }
      expect(await opened.page.locator("stride-lesson").getAttribute("data-kernel")).toBe("ready");
      expect(opened.complaints).toEqual([]);
    } finally {
      await opened.close();
    }
  });
});

test("the two languages tell one lesson: the same cells, code but for comments, and outputs", () => {
  const withoutComments = (source: string) => source.replace(/\/\/.*$/gm, "").replace(/[ \t]+$/gm, "");
  for (const slug of SLUGS) {
    const [english, chinese] = [readLesson(slug, "en"), readLesson(slug, "zh-cn")];
    const shape = ({ id, source, output }: (typeof english.cells)[number]) => [id, withoutComments(source), output];
    expect(chinese.cells.map(shape)).toEqual(english.cells.map(shape));
  }
});
