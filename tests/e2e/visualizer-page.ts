/** A visualizer as a student sees it: what its grids show and say, and the keys and controls that move it. */
import type { Locator } from "playwright-core";
import { expect } from "vitest";
import type { Tensor } from "../../engine/core/tensor.ts";
import type { LessonPage } from "./lesson-page.ts";

export interface ShownGrid {
  /** Values of the cells inside the plane, row by row. */
  plane: number[][];
  cells: { value: number; text: string }[];
  selected: [number, number] | null;
  /** "row,col" of every cell that the window covers, its padding included, and of the winners. */
  read: string[];
  winners: string[];
}

export interface Shown {
  step: number;
  steps: number;
  /** By part, "input:dx" where a view holds two of one. */
  grids: Record<string, ShownGrid>;
  /** x, w, product and running sum of each term. */
  products: string[][];
  /** Numbers in the window of a pooling, inside the image. */
  candidates: string[];
  divisor: string | null;
  result: string;
  agrees: string[];
  sentence: string;
}

export class View {
  readonly lesson: LessonPage;
  readonly selector: string;
  readonly host: Locator;

  private constructor(lesson: LessonPage, cell: string, op: string) {
    this.lesson = lesson;
    this.selector = `stride-visualizer[data-of="${cell}"][data-op="${op}"]`;
    this.host = lesson.page.locator(this.selector);
  }

  /** Scrolls there, which loads it, and waits for the picture of the cell's run. */
  static async open(lesson: LessonPage, cell: string, op: string): Promise<View> {
    const view = new View(lesson, cell, op);
    await view.host.scrollIntoViewIfNeeded();
    await view.host.locator("[role=grid]").first().waitFor();
    await view.settled();
    return view;
  }

  /** Numbers are printed by the engine, which answers a moment later. */
  async settled(): Promise<void> {
    await this.lesson.page.locator(`${this.selector}[aria-busy="false"]`).waitFor({ state: "attached" });
  }

  async focusGrid(part: "input" | "kernel" | "output"): Promise<void> {
    await this.host.locator(`[role=grid][data-part="${part}"] [role=gridcell][tabindex="0"]`).first().focus();
  }

  async press(key: string): Promise<void> {
    await this.lesson.page.keyboard.press(key);
    await this.settled();
  }

  /** Presses a button of the transport, unless the view is there already. */
  async go(to: "first" | "prev" | "play" | "next" | "last"): Promise<void> {
    const button = this.host.locator(`button[data-action="${to}"]`);
    if ((await button.getAttribute("aria-disabled")) !== "true") await button.click();
    await this.settled();
  }

  async choose(view: string): Promise<void> {
    await this.host.locator(`button[data-view="${view}"]`).click();
    await this.settled();
  }

  async chooseCall(index: number): Promise<void> {
    const button = this.host.locator(`button[data-record="${index}"]`);
    await button.click();
    await this.lesson.page
      .locator(`${this.selector} button[data-record="${index}"][aria-pressed="true"]`)
      .waitFor({ state: "attached" });
    await this.settled();
  }

  /** Types a number into a control and waits until the engine has answered. */
  async set(control: string, value: string): Promise<void> {
    const field = this.host.locator(`input[data-control="${control}"]`);
    const before = await this.answers();
    await field.fill(value);
    await field.press("Enter");
    await field.blur();
    await this.lesson.page.waitForFunction(
      ([selector, old]) => {
        const host = document.querySelector(selector!)!;
        const now = [...host.querySelectorAll('[data-part="code"], [data-part="error"], .sv-shapes')]
          .map((one) => one.textContent)
          .join("|");
        return now !== old;
      },
      [this.selector, before],
      { polling: 50, timeout: 20_000 },
    );
    await this.settled();
  }

  private answers(): Promise<string> {
    return this.host.evaluate((host) =>
      [...host.querySelectorAll('[data-part="code"], [data-part="error"], .sv-shapes')]
        .map((one) => one.textContent)
        .join("|"),
    );
  }

  async code(): Promise<string> {
    return (await this.host.locator('pre[data-part="code"]').textContent()) ?? "";
  }

  /** Everything that the picture shows now, in one look. */
  async read(): Promise<Shown> {
    await this.settled();
    return this.host.evaluate((host): Shown => {
      const clean = (element: Element | null | undefined) => (element?.textContent ?? "").replace(/\s+/g, " ").trim();
      const key = (cell: HTMLElement) => `${cell.dataset.row},${cell.dataset.col}`;
      const grids: Record<string, ShownGrid> = {};
      for (const grid of host.querySelectorAll<HTMLElement>("[role=grid]")) {
        const { part, suffix } = grid.dataset;
        const all = [...grid.querySelectorAll<HTMLElement>("[role=gridcell]")];
        const inside = all.filter((cell) => cell.dataset.place === undefined);
        const plane: number[][] = [];
        for (const { dataset } of inside) {
          plane[Number(dataset.row)] ??= [];
          plane[Number(dataset.row)]![Number(dataset.col)] = Number(dataset.value);
        }
        const selected = inside.find((cell) => cell.getAttribute("aria-selected") === "true");
        grids[suffix ? `${part}:${suffix}` : part!] = {
          plane,
          cells: inside.map((cell) => ({
            value: Number(cell.dataset.value),
            text: clean(cell.querySelector(":scope > span")),
          })),
          selected: selected ? [Number(selected.dataset.row), Number(selected.dataset.col)] : null,
          read: all.filter((cell) => cell.classList.contains("is-read")).map(key),
          winners: all.filter((cell) => cell.classList.contains("is-winner")).map(key),
        };
      }
      return {
        step: Number((host as HTMLElement).dataset.step),
        steps: Number((host as HTMLElement).dataset.steps),
        grids,
        products: [...host.querySelectorAll(".sv-product:not(.sv-candidate)")].map((one) => [
          ...[...one.querySelectorAll("i")].map(clean),
          clean(one.querySelector("b")),
          clean(one.querySelector("small")).replace("Σ ", ""),
        ]),
        candidates: [...host.querySelectorAll('.sv-candidate[data-place="inside"] b')].map(clean),
        divisor: host.querySelector('[data-part="divisor"]')?.textContent ?? null,
        result: clean(host.querySelector(".sv-result")),
        agrees: [...host.querySelectorAll<HTMLElement>('[data-part="formula"] .sv-badge, .sv-picture .sv-badge')].map(
          (one) => one.dataset.agrees ?? "",
        ),
        sentence: clean(host.querySelector('[data-part="text"]')),
      };
    });
  }
}

/** One plane of an (N, C, H, W) tensor as rows. */
export const plane = (tensor: Tensor, n = 0, c = 0) => tensor.get(n, c).tolist() as number[][];

/** What a number on the page means: a dash in print is a minus, brackets stand around negative factors. */
export const number = (text: string) => Number(text.replace("−", "-").replace("∞", "Infinity"));

/** A printed number has four decimals. */
export function close(shown: string, value: number): void {
  expect(Math.abs(number(shown) - value), `"${shown}" for ${value}`).toBeLessThan(6e-5);
}

/** Numbers that a grid prints are those that it holds. */
export function saysWhatItHolds(shown: Shown): void {
  for (const { cells } of Object.values(shown.grids))
    for (const { value, text } of cells) if (Number.isFinite(value)) close(text, value);
}
