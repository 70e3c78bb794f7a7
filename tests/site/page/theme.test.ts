/** The themes' colours, held to WCAG's numbers: text 4.5 to 1, marks 3 to 1, on every ground they stand on. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { luminance, parseHex } from "../../../site/outputs/color.ts";

const ROLES = ["input", "weight", "output", "gradient", "padding", "bias"];

function theme(name: "light" | "dark"): Map<string, string> {
  const colors = new Map<string, string>();
  for (const file of ["tokens", "roles"]) {
    const css = readFileSync(new URL(`../../../site/styles/${file}.css`, import.meta.url), "utf8");
    const block = new RegExp(
      `^(?::root,\\s*)?:root\\[data-theme="${name}"\\](?:\\[data-js\\])? \\{([^}]*)\\}`,
      "m",
    ).exec(css)![1]!;
    for (const [, variable, value] of block.matchAll(/--([\w-]+):\s*(#[0-9a-f]+)/g)) colors.set(variable!, value!);
  }
  return colors;
}

for (const name of ["light", "dark"] as const) {
  const colors = theme(name);
  const contrast = (a: string, b: string): number => {
    const [low, high] = [a, b].map((one) => luminance(parseHex(colors.get(one)!))).sort((x, y) => x - y);
    return (high! + 0.05) / (low! + 0.05);
  };

  test(`text reads on every ground of the ${name} theme`, () => {
    const inks = [...colors.keys()].filter((one) => /^code-|^ink(-\d)?$|^(accent|danger|good)-ink$/.test(one));
    expect(inks.length).toBeGreaterThan(10);
    for (const ink of inks) {
      for (const ground of ["paper", "paper-2", "paper-3"])
        expect(contrast(ink, ground), `${ink} on ${ground}`).toBeGreaterThan(4.5);
    }
    for (const word of ["accent", "danger", "good"])
      expect(contrast(`${word}-ink`, `${word}-soft`)).toBeGreaterThan(4.5);
    expect(contrast("on-accent", "accent")).toBeGreaterThan(7);
  });

  test(`roles are seen as marks and read as words in the ${name} theme`, () => {
    for (const role of ROLES) {
      expect(contrast(`role-${role}`, "paper"), role).toBeGreaterThan(3);
      expect(contrast(`role-${role}-ink`, "paper"), role).toBeGreaterThan(4.5);
      expect(contrast(`role-${role}-ink`, `role-${role}-soft`), role).toBeGreaterThan(4.5);
      expect(contrast("ink", `role-${role}-soft`), role).toBeGreaterThan(7);
    }
  });
}
