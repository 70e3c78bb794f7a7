/** A real Chromium on a page that holds a kernel client, served by a server that remembers what it was asked for. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { type Browser, chromium, type Page } from "playwright-core";
import { bundleKernel } from "../../site/kernel/bundle.ts";

const EXECUTABLE = process.env.CHROMIUM || "/usr/bin/chromium";
const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export interface Stage {
  page: Page;
  /** Paths that the server was asked for, besides the page's own. */
  requested: string[];
  origin: string;
  close(): Promise<void>;
}

export async function openStage(): Promise<Stage> {
  const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  const [kernel, { outputFiles }] = await Promise.all([
    bundleKernel({ minify: true, entry: here("./isolation-worker.ts") }),
    build({ entryPoints: [here("./isolation-page.ts")], bundle: true, write: false, format: "esm", target: "es2022" }),
  ]);
  const files: Record<string, string> = { "/kernel.js": kernel, "/page.js": outputFiles[0]!.text };
  const requested: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "/";
    response.setHeader("Access-Control-Allow-Origin", "*");
    response.setHeader("Set-Cookie", "secret=1");
    response.setHeader("Content-Type", path.endsWith(".js") ? "text/javascript" : "text/html");
    if (!(path in files) && path !== "/" && path !== "/favicon.ico") requested.push(path);
    response.end(
      files[path] ?? '<!doctype html><title>stage</title><body><script type="module" src="/page.js"></script>',
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const browser: Browser = await chromium.launch({ executablePath: EXECUTABLE, args: ARGS });
  const page = await browser.newPage();
  await page.goto(origin);
  await page.waitForFunction(() => "client" in window);
  return {
    page,
    requested,
    origin,
    async close() {
      await browser.close();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
