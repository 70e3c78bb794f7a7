/** Chromium with WebGPU on the software adapter, and in it a page that has loaded modules of these tests. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../e2e/browser.ts";
import { serveFolder } from "../e2e/server.ts";

export interface GpuPage {
  page: Page;
  browser: Browser;
  close(): Promise<void>;
}

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The backend is a bundle of its own in the lessons, so that it shares no object with the engine: here too. */
const backendApart: Plugin = {
  name: "backend-apart",
  setup({ onResolve }) {
    onResolve({ filter: /\/backends\/webgpu\/index\.ts$/ }, ({ kind }) =>
      kind === "dynamic-import" ? { path: "./backend.js", external: true } : null,
    );
  },
};

/** Bundles a module of this folder into a page; what it exports is `globalThis.tests` there. */
export async function openGpuPage(module: string): Promise<GpuPage> {
  const folder = mkdtempSync(join(tmpdir(), "stride-webgpu-"));
  await build({
    stdin: {
      contents: `import * as tests from "./${module}"; globalThis.tests = tests;`,
      resolveDir: here("."),
      loader: "ts",
    },
    bundle: true,
    splitting: true,
    format: "esm",
    outdir: folder,
    entryNames: "page",
    sourcemap: "inline",
    alias: { vitest: here("expect.ts") },
    external: ["node:*"],
    plugins: [backendApart],
    logLevel: "error",
  });
  await build({
    entryPoints: { backend: here("../../engine/backends/webgpu/index.ts") },
    bundle: true,
    format: "esm",
    outdir: folder,
    sourcemap: "inline",
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
