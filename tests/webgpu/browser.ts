/** Chromium with WebGPU on the software adapter, and in it a page that has loaded modules of these tests. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../e2e/browser.ts";
import { serveFolder } from "../e2e/server.ts";

export interface GpuPage {
  page: Page;
  browser: Browser;
  close(): Promise<void>;
}

/** Bundles a module of this folder into a page; what it exports is `globalThis.tests` there. */
export async function openGpuPage(module: string): Promise<GpuPage> {
  const folder = mkdtempSync(join(tmpdir(), "stride-webgpu-"));
  await build({
    stdin: {
      contents: `import * as tests from "./${module}"; globalThis.tests = tests;`,
      resolveDir: fileURLToPath(new URL(".", import.meta.url)),
      loader: "ts",
    },
    bundle: true,
    splitting: true,
    format: "esm",
    outdir: folder,
    entryNames: "page",
    sourcemap: "inline",
    alias: { vitest: fileURLToPath(new URL("expect.ts", import.meta.url)) },
    external: ["node:*"],
    logLevel: "error",
  });
  writeFileSync(
    join(folder, "index.html"),
    '<!doctype html><title>tests</title><script type="module" src="page.js"></script>',
  );
  const site = await serveFolder(folder);
  const browser = await launchBrowser({ webgpu: true });
  const page = await browser.newPage();
  page.on("pageerror", (error) => console.error(error));
  await page.goto(site.url);
  await page.waitForFunction(() => "tests" in globalThis);
  return {
    page,
    browser,
    async close() {
      await browser.close();
      await site.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
