/** A lesson as a student uses it: opening the page, running and rewriting cells, reading what they say. */
import { readFileSync } from "node:fs";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { inject } from "vitest";
import { parseLesson } from "../../site/lesson/parse.ts";
import type { CellSpec, Lesson, Locale } from "../../site/lesson/types.ts";

export const SLUGS = ["01-module", "02-convolution", "03-pooling"] as const;
export const LOCALES: readonly Locale[] = ["en", "zh-cn"];

/** The lesson as its Markdown file tells it: what the page is held against. */
export function readLesson(slug: string, locale: Locale = "en"): Lesson {
  const file = `lessons/${locale}/nn/${slug}.md`;
  return parseLesson(readFileSync(new URL(`../../${file}`, import.meta.url), "utf8"), file).lesson;
}

export function lessonUrl(slug: string, locale: Locale = "en"): string {
  return new URL(`${locale === "en" ? "" : `${locale}/`}nn/${slug}/`, inject("site")).href;
}

/** Complaints of a page: console errors, uncaught exceptions, requests that failed. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`uncaught: ${error.message}`));
  page.on("response", (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()}: ${response.url()}`);
  });
  return complaints;
}

export interface OpenOptions extends BrowserContextOptions {
  locale?: Locale;
  /** Runs in the page before any of its own scripts. */
  before?: () => void;
  hash?: string;
}

/** A lesson in a context of its own: nothing is kept from other tests. */
export async function openLesson(browser: Browser, slug: string, options: OpenOptions = {}): Promise<LessonPage> {
  const { locale = "en", before, hash = "", ...contextOptions } = options;
  // What a service worker answers no test could intercept; the offline test asks for it.
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    serviceWorkers: "block",
    ...contextOptions,
  });
  if (before !== undefined) await context.addInitScript(before);
  const lesson = new LessonPage(await context.newPage(), slug, locale);
  await lesson.goto(hash);
  return lesson;
}

export class LessonPage {
  readonly page: Page;
  readonly slug: string;
  readonly locale: Locale;
  readonly complaints: string[];

  constructor(page: Page, slug: string, locale: Locale) {
    this.page = page;
    this.slug = slug;
    this.locale = locale;
    this.complaints = complaintsOf(page);
  }

  async goto(hash = ""): Promise<void> {
    await this.page.goto(lessonUrl(this.slug, this.locale) + hash, { waitUntil: "load" });
    await this.hydrated();
  }

  async reload(): Promise<void> {
    await this.page.reload({ waitUntil: "load" });
    await this.hydrated();
  }

  /** The page's scripts are at work: the bar has its first word from them. */
  async hydrated(): Promise<void> {
    await this.page.locator("stride-lesson[data-kernel]").waitFor({ state: "attached" });
    await this.page.waitForFunction(() => customElements.get("stride-cell") !== undefined);
  }

  close(): Promise<void> {
    return this.page.context().close();
  }

  cell(id: string): Locator {
    return this.page.locator(`stride-cell[data-cell="${id}"]`);
  }

  action(id: string, name: string): Locator {
    return this.cell(id).locator(`button[data-action="${name}"]`);
  }

  /** A button of the lesson's bar. */
  bar(name: string): Locator {
    return this.page.locator(`[data-part="bar"] button[data-action="${name}"]`);
  }

  notice(): Locator {
    return this.page.locator('[data-part="bar"] [data-part="notice"]');
  }

  async state(id: string): Promise<string> {
    return (await this.cell(id).getAttribute("data-state")) ?? "";
  }

  async waitForState(id: string, ...states: string[]): Promise<void> {
    const any = states.map((state) => `stride-cell[data-cell="${id}"][data-state="${state}"]`).join(", ");
    await this.page.locator(any).waitFor({ state: "attached", timeout: 60_000 });
  }

  /** Presses the cell's own button and waits until its run has ended; returns how. */
  async run(id: string): Promise<string> {
    await this.action(id, "run").click();
    await this.waitForState(id, "done", "error", "stopped");
    return this.state(id);
  }

  async runAll(): Promise<void> {
    await this.bar("run-all").click();
    await this.allDone();
  }

  /** Every cell has run; the first that fails is named with what it said. */
  async allDone(timeout = 120_000): Promise<void> {
    await this.page.waitForFunction(
      () => {
        const cells = [...document.querySelectorAll<HTMLElement>("stride-cell")];
        return (
          cells.every((cell) => cell.dataset.state === "done") || cells.some((cell) => cell.dataset.state === "error")
        );
      },
      null,
      { timeout, polling: 100 },
    );
    const failed = this.page.locator('stride-cell[data-state="error"]').first();
    if ((await failed.count()) > 0) {
      const said = await failed.locator('[data-output="error"]').allTextContents();
      throw new Error(`${await failed.getAttribute("data-cell")} failed: ${said.join(" ").replace(/\s+/g, " ")}`);
    }
  }

  /** The switch of the bar. */
  device(): Locator {
    return this.page.locator('select[data-control="device"]');
  }

  /** Chooses a device and waits until the kernel has it. */
  async chooseDevice(device: "cpu" | "webgpu"): Promise<void> {
    await this.device().selectOption(device);
    if (device === "webgpu") await this.page.locator('stride-lesson[data-kernel="ready"]').waitFor({ timeout: 60_000 });
  }

  /** What the cell printed, to the letter. */
  async text(id: string): Promise<string> {
    const items = this.cell(id).locator('[data-part="output"] [data-output="text"]:not([data-stream="stderr"])');
    return (await items.allTextContents()).join("");
  }

  /** What the cell was warned of. */
  async warnings(id: string): Promise<string> {
    const items = this.cell(id).locator('[data-part="output"] [data-output="text"][data-stream="stderr"]');
    return (await items.allTextContents()).join("");
  }

  /** What the cell's error says, its hint and places included. */
  async error(id: string): Promise<string> {
    const items = await this.cell(id).locator('[data-part="output"] [data-output="error"]').allTextContents();
    return items.join("\n").replace(/\s+/g, " ").trim();
  }

  /** Numbers of the lines that are marked as the place of an error, in the code at rest. */
  async markedLines(id: string): Promise<number[]> {
    const lines = this.cell(id).locator('[data-part="code"] .line[data-error]');
    return lines.evaluateAll((all) => all.map((line) => Number((line as HTMLElement).dataset.line)));
  }

  /** The code at rest. An edited text is coloured here, by a script that may still be on its way. */
  async code(id: string): Promise<string> {
    await this.page.waitForFunction((cell) => {
      const lesson = document.querySelector("stride-lesson") as unknown as { source(id: string): string };
      const pre = document.querySelector(`stride-cell[data-cell="${cell}"] [data-part="code"] pre`);
      return pre !== null && pre.textContent === lesson.source(cell);
    }, id);
    return (await this.cell(id).locator('[data-part="code"] pre').textContent()) ?? "";
  }

  /** Opens the plain editor and puts other text in. */
  async write(id: string, source: string): Promise<Locator> {
    const field = this.cell(id).locator('textarea[data-part="source"]');
    if ((await field.count()) === 0) await this.action(id, "plain-editor").click();
    await field.fill(source);
    return field;
  }

  /** Writes, closes the editor, runs, and says how it ended. */
  async writeAndRun(id: string, source: string): Promise<string> {
    const field = await this.write(id, source);
    await field.press("Escape");
    await field.waitFor({ state: "detached" });
    return this.run(id);
  }
}

/** Source of a cell of the lesson with one passage changed; a passage that isn't there is a mistake of the test. */
export function changed(spec: CellSpec, from: string, to: string): string {
  if (!spec.source.includes(from)) throw new Error(`the cell ${spec.id} has no "${from}" any more`);
  return spec.source.replace(from, to);
}

export function specOf(lesson: Lesson, id: string): CellSpec {
  const spec = lesson.cells.find((cell) => cell.id === id);
  if (spec === undefined) throw new Error(`the lesson ${lesson.slug} has no cell "${id}" any more`);
  return spec;
}
