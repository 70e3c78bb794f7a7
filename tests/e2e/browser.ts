/** Finds Chrome or Chromium on this machine and starts it headless. */
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium, type LaunchOptions } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"];
const PLACES = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  "C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe",
];

/** Path of the browser: $STRIDE_CHROME, one on the PATH, one in its usual place, or Playwright's own; null if there is none. */
export function findBrowser(): string | null {
  const given = process.env.STRIDE_CHROME;
  if (given) return given;
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    for (const name of NAMES) if (isProgram(join(folder, name))) return join(folder, name);
  }
  for (const place of PLACES) if (existsSync(place)) return place;
  const own = chromium.executablePath();
  return own !== "" && existsSync(own) ? own : null;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Quiet and offline: nothing but what a test asks for leaves the machine. */
const ARGS = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** "software": SwiftShader, the same on every machine. "default": what the machine has. */
export type WebGpuAdapter = "software" | "default";

/** WebGPU, and canvases that it can be read through. */
const WEBGPU_ARGS: Record<WebGpuAdapter, string[]> = {
  software: [
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
    "--enable-features=Vulkan",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--use-vulkan=swiftshader",
    "--ignore-gpu-blocklist",
    "--enable-unsafe-swiftshader",
  ],
  default: ["--enable-unsafe-webgpu", "--enable-features=Vulkan", "--ignore-gpu-blocklist"],
};

/** @param webgpu whether the browser has WebGPU: true for the software adapter. Default false. */
export async function launchBrowser({
  webgpu = false,
  ...options
}: LaunchOptions & { webgpu?: boolean | WebGpuAdapter } = {}): Promise<Browser> {
  const executablePath = findBrowser();
  if (executablePath === null)
    throw new Error("no Chrome or Chromium found: run `npm run browser`, or set STRIDE_CHROME");
  const gpu = webgpu === false ? ["--disable-gpu"] : WEBGPU_ARGS[webgpu === true ? "software" : webgpu];
  const args = [...ARGS, ...gpu, ...(options.args ?? [])];
  return await chromium.launch({ executablePath, ...options, args });
}
