/** A reader's page does not wait for the editor's style sheets. */
import { expect, test } from "vitest";
import { withoutLateStyles } from "../../../site/late-styles.ts";

const link = (name: string) => `<link rel="stylesheet" href="/base/_astro/${name}">`;

test("the editor's sheets go, the page's own and those of the views stay", () => {
  const html = ["page.a1.css", "visualizer.b2.css", "factory.c3.css", "editor.d4.css"].map(link).join("");
  const loaded = new Set(["_astro/visualizer.b2.css", "_astro/factory.c3.css", "_astro/editor.d4.css"]);
  expect(withoutLateStyles(html, loaded)).toBe(["page.a1.css", "visualizer.b2.css"].map(link).join(""));
});

test("a sheet that no script would fetch stays, whatever its name", () => {
  const html = link("editor.d4.css");
  expect(withoutLateStyles(html, new Set())).toBe(html);
});
