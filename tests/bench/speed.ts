/**
 * node tests/bench/speed.ts [--browser]: how long a training step of the chapter's network takes, in Node and, if asked, in
 * headless Chromium. Run it on a quiet machine; one thread.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { initWasm, wasmFileName } from "../../engine/backends/index.ts";
import { report } from "./training-step.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

console.log(`Node ${process.version}, kernels: ${await initWasm()}`);
for (const line of report()) console.log(`  ${line}`);

if (process.argv.includes("--browser")) {
  const bundle = await build({
    stdin: {
      contents: `
        import { initWasm } from "../../engine/backends/index.ts";
        import { report } from "./training-step.ts";
        globalThis.speed = async (bytes) => {
          const variant = await initWasm(async (v) => Uint8Array.fromBase64(bytes[v]));
          return [variant, ...report()];
        };`,
      resolveDir: here("."),
      loader: "ts",
    },
    bundle: true,
    write: false,
    format: "esm",
    external: ["node:*"],
  });
  const bytes = Object.fromEntries(
    (["relaxed", "simd"] as const).map((variant) => [
      variant,
      readFileSync(here(`../../engine/backends/wasm/build/${wasmFileName(variant)}`)).toString("base64"),
    ]),
  );
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  });
  try {
    const page = await browser.newPage();
    await page.addScriptTag({ content: bundle.outputFiles[0]!.text, type: "module" });
    await page.waitForFunction(() => "speed" in globalThis);
    const [variant, ...lines] = await page.evaluate(
      (b) => (globalThis as unknown as { speed(b: unknown): Promise<string[]> }).speed(b),
      bytes,
    );
    console.log(`Chromium ${browser.version()}, kernels: ${variant}`);
    for (const line of lines) console.log(`  ${line}`);
  } finally {
    await browser.close();
  }
}
