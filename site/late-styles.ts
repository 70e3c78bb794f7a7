/**
 * Astro links every style sheet that a page's scripts could ever ask for, the editor's too, and a page waits for them before
 * it shows a word. What the first visit does not bring along goes: the loader of the editor fetches its sheets by name.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { AstroIntegration } from "astro";
import { precached } from "./offline.ts";

/** The page without links to sheets that are `loaded` (named by a script that loads them) and not for a first visit. */
export function withoutLateStyles(html: string, loaded: ReadonlySet<string>): string {
  return html.replace(/<link rel="stylesheet" href="[^"]*?(_astro\/[^"/]+\.css)">/g, (link, path: string) =>
    loaded.has(path) && precached([{ path, bytes: 0 }]).length === 0 ? "" : link,
  );
}

export function lateStyles(): AstroIntegration {
  return {
    name: "stride-late-styles",
    hooks: {
      "astro:build:done": ({ dir }) => {
        const root = fileURLToPath(dir);
        const paths = readdirSync(root, { recursive: true, encoding: "utf8" });
        const loaded = new Set<string>();
        for (const path of paths.filter((one) => /^_astro[\\/].*\.js$/.test(one))) {
          const script = readFileSync(join(root, path), "utf8");
          for (const [, sheet] of script.matchAll(/"(_astro\/[^"/]+\.css)"/g)) loaded.add(sheet!);
        }
        for (const path of paths.filter((one) => one.endsWith(".html"))) {
          const html = readFileSync(join(root, path), "utf8");
          const lean = withoutLateStyles(html, loaded);
          if (lean !== html) writeFileSync(join(root, path), lean);
        }
      },
    },
  };
}
