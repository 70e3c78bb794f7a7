/** Writes the service worker after the build, with the files that the first visit should bring along. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { AstroIntegration } from "astro";
import { transformSync } from "esbuild";

const SOURCE = new URL("./service-worker.ts", import.meta.url);

/** Larger files come with their first use: Monaco and its TypeScript, which readers never need. */
const MOST_BYTES = 1_600_000;

/**
 * What a first visit brings along: pages, scripts, styles, the kernel and its pictures. Fonts of alphabets that no lesson
 * is written in, the editor and the search index stay away until they are asked for.
 */
export function precached(files: readonly { path: string; bytes: number }[]): string[] {
  return files
    .filter(({ path, bytes }) => {
      if (bytes > MOST_BYTES || /^(sw\.js|404\.html|pagefind\/|sitemap)/.test(path)) return false;
      if (/\.(html|svg)$/.test(path)) return true;
      if (
        !path.startsWith("_astro/") ||
        /(worker|tsMode|factory|monaco|codicon|types\.|editor\.[\w-]+\.css)/i.test(path)
      )
        return false;
      if (/\.woff2$/.test(path))
        return /latin-(opsz|wght)|KaTeX_(Main|Math|Size|AMS)/.test(path) && !/latin-ext/.test(path);
      return /\.(js|css|bin)$/.test(path);
    })
    .map(({ path }) => path.replace(/(^|\/)index\.html$/, "$1"))
    .sort();
}

export function offline(): AstroIntegration {
  return {
    name: "stride-offline",
    hooks: {
      "astro:build:done": ({ dir, logger }) => {
        const root = fileURLToPath(dir);
        const paths = readdirSync(root, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll("\\", "/"));
        const list = precached(paths.map((path) => ({ path, bytes: statSync(join(root, path)).size })));
        const version = createHash("sha256");
        for (const path of list)
          version.update(readFileSync(join(root, path === "" || path.endsWith("/") ? `${path}index.html` : path)));
        const { code } = transformSync(readFileSync(SOURCE, "utf8"), {
          loader: "ts",
          minify: true,
          define: { PRECACHE: JSON.stringify(list), VERSION: JSON.stringify(version.digest("hex").slice(0, 12)) },
        });
        writeFileSync(join(root, "sw.js"), code);
        const bytes = list.reduce(
          (sum, path) => sum + (path === "" || path.endsWith("/") ? 0 : statSync(join(root, path)).size),
          0,
        );
        logger.info(`${list.length} files for offline use, ${(bytes / 1e6).toFixed(1)} MB`);
      },
    },
  };
}
