/** Where participants play: a page of headless Chromium each, a Node process each, or Python. */
import { fork, spawn, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Browser } from "playwright-core";
import { wasmFileName } from "../../engine/backends/index.ts";
import { launchBrowser, type WebGpuAdapter } from "../e2e/browser.ts";
import { serveFolder } from "../e2e/server.ts";
import type { Timing } from "./measure.ts";
import { moments, type Sample } from "./memory.ts";
import { KEYS, type Key, WEBGPU_KEYS } from "./participants.ts";
import { measurePeak, peakModule } from "./peak.ts";
import type { WorkName } from "./works.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** What came of a piece of work: a time, a sentence that says why not, or null where it cannot be done. */
export type Outcome = Timing | string | null;

export interface Seat {
  /** @param atMost how many samples; see `measure` */
  time(work: WorkName, budget: number, atMost?: number): Promise<Record<string, Outcome>>;
}

export interface Room {
  name: string;
  seats: Seat[];
  /** GFLOP/s: with fused multiply-add where the runtime has it, and without. */
  peak: { relaxed: number | null; plain: number } | null;
  close(): Promise<void>;
}

async function peakOf(run: (bytes: Uint8Array<ArrayBuffer>) => Promise<number>): Promise<Room["peak"]> {
  const relaxed = await run(await peakModule(true)).catch(() => null);
  return { relaxed, plain: await run(await peakModule(false)) };
}

const PLAYER = `
  import { start, time } from "./player.ts";
  const bytes = async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer());
  globalThis.bench = {
    start: (key) => start(key, {
      stride: (variant) => bytes(FILES[variant]),
      tfjs: new URL("tfjs/", location.href).href,
      onnx: new URL("onnx/", location.href).href,
    }),
    time,
  };`;

/** Puts the engine's binaries into a folder: their names by variant. */
function copyEngine(folder: string): Record<string, string> {
  const variants = ["relaxed", "simd"] as const;
  const files = Object.fromEntries(variants.map((variant) => [variant, wasmFileName(variant)]));
  for (const name of Object.values(files))
    copyFileSync(here(`../../engine/backends/wasm/build/${name}`), folder + name);
  return files;
}

/** A page in that folder which runs that code. */
async function bundle(contents: string, folder: string, files: Record<string, string>): Promise<void> {
  await build({
    stdin: { contents, resolveDir: here("."), loader: "ts" },
    define: { FILES: JSON.stringify(files) },
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    outdir: folder,
    entryNames: "player",
    external: ["node:*", "fs", "path", "util", "crypto", "worker_threads", "perf_hooks", "os"],
    logLevel: "error",
  });
  writeFileSync(
    `${folder}index.html`,
    '<!doctype html><title>bench</title><script type="module" src="player.js"></script>',
  );
}

type Bench = {
  bench: { start(key: string): Promise<string>; time(work: string, budget: number, atMost?: number): Promise<Outcome> };
};

/** The bundle of all participants, with the files they fetch. */
async function buildPages(): Promise<string> {
  const folder = here("../../.cache/bench/");
  for (const sub of ["", "tfjs", "onnx"]) mkdirSync(`${folder}${sub}`, { recursive: true });
  const files = copyEngine(folder);
  for (const name of ["tfjs-backend-wasm.wasm", "tfjs-backend-wasm-simd.wasm", "tfjs-backend-wasm-threaded-simd.wasm"])
    copyFileSync(here(`node_modules/@tensorflow/tfjs-backend-wasm/dist/${name}`), `${folder}tfjs/${name}`);
  for (const name of ["ort-wasm-simd-threaded.wasm", "ort-wasm-simd-threaded.mjs"])
    copyFileSync(here(`node_modules/onnxruntime-web/dist/${name}`), `${folder}onnx/${name}`);
  await bundle(PLAYER, folder, files);
  return folder;
}

const AWAKE = ["--disable-renderer-backgrounding", "--disable-background-timer-throttling"];

/** A page of its own. */
async function pageSeat(browser: Browser, url: string, key: Key): Promise<Seat> {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(0);
  await page.goto(url);
  await page.waitForFunction(() => "bench" in globalThis);
  const name = await page.evaluate((k) => (globalThis as unknown as Bench).bench.start(k), key);
  return {
    time: async (work, budget, atMost) => ({
      [name]: await page.evaluate(([w, b, m]) => (globalThis as unknown as Bench).bench.time(w, b, m), [
        work,
        budget,
        atMost,
      ] as const),
    }),
  };
}

/**
 * A page for each participant, with WebGPU on one adapter.
 * @param adapter "software": SwiftShader, which every machine has. "default": the machine's own GPU
 * @returns the adapter's name besides
 */
export async function webgpuRoom(adapter: WebGpuAdapter): Promise<Room & { adapter: string }> {
  const site = await serveFolder(await buildPages());
  const browser = await launchBrowser({ webgpu: adapter, args: AWAKE });
  const close = async () => {
    await browser.close();
    await site.close();
  };
  try {
    const blank = await browser.newPage();
    await blank.goto(site.url);
    const found = await blank.evaluate(async () => {
      const info = (await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" }))?.info;
      return info && [info.vendor, info.architecture, info.device, info.description].filter((part) => part).join(" ");
    });
    if (found === undefined) throw new Error(`Chromium has no WebGPU adapter here (${adapter})`);
    await blank.close();
    const seats: Seat[] = [];
    for (const key of WEBGPU_KEYS) seats.push(await pageSeat(browser, site.url, key));
    const name = `WebGPU in Chromium ${browser.version()} on ${found}`;
    return { name, adapter: found, seats, peak: null, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A page for each participant, none of them with shared memory: one thread. */
export async function chromiumRoom(keys: readonly Key[] = KEYS): Promise<Room> {
  const site = await serveFolder(await buildPages());
  const browser = await launchBrowser({ args: AWAKE });
  const seats: Seat[] = [];
  for (const key of keys) seats.push(await pageSeat(browser, site.url, key));
  const blank = await browser.newPage();
  const peak = await peakOf((bytes) =>
    blank.evaluate(
      async ([encoded, code]) => {
        const binary = Uint8Array.from(atob(encoded), (c) => c.charCodeAt(0));
        const measure = new Function("ROUNDS", "CHAINS", `return (${code})`)(1 << 22, 12);
        return (await measure(binary)) as number;
      },
      [Buffer.from(bytes).toString("base64"), measurePeak.toString()] as const,
    ),
  );
  await blank.close();
  return {
    name: `Chromium ${browser.version()}`,
    seats,
    peak,
    close: async () => {
      await browser.close();
      await site.close();
    },
  };
}

/** A process for each participant. */
export async function nodeRoom(keys: readonly Key[] = KEYS): Promise<Room> {
  const seats: Seat[] = [];
  const children: ReturnType<typeof fork>[] = [];
  for (const key of keys) {
    const child = fork(here("player-process.ts"), [key], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    children.push(child);
    const answer = <T>() =>
      new Promise<T>((resolve, reject) => {
        const ended = (code: number | null) => reject(new Error(`${key} ended with code ${code}`));
        child.once("exit", ended);
        child.once("message", (message) => {
          child.off("exit", ended);
          resolve(message as T);
        });
      });
    const { name, failed } = await answer<{ name?: string; failed?: string }>();
    if (name === undefined) {
      seats.push({ time: async () => ({ [key]: failed ?? "did not start" }) });
      continue;
    }
    seats.push({
      time: async (work, budget) => {
        child.send({ work, budget });
        return { [name]: await answer<Outcome>().catch((error: Error) => error.message) };
      },
    });
  }
  return {
    name: `Node ${process.version}`,
    seats,
    peak: await peakOf(measurePeak),
    close: async () => {
      for (const child of children) child.kill();
    },
  };
}

const TRAINEE = `
  import { start, trainTo } from "./memory.ts";
  globalThis.bench = {
    start: () => start(async (variant) => new Uint8Array(await (await fetch(FILES[variant])).arrayBuffer())),
    trainTo,
  };`;

/** Memory over a training, in a process of its own. */
export function nodeMemory(steps: number): Sample[] {
  const { stdout, status } = spawnSync(process.execPath, ["--expose-gc", here("memory.ts"), String(steps)], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) throw new Error(`memory.ts ended with code ${status}`);
  return JSON.parse(stdout);
}

/** Memory over a training, in a page of its own. */
export async function chromiumMemory(steps: number): Promise<Sample[]> {
  const folder = here("../../.cache/bench-memory/");
  mkdirSync(folder, { recursive: true });
  const files = copyEngine(folder);
  await bundle(TRAINEE, folder, files);
  const site = await serveFolder(folder);
  const browser = await launchBrowser({
    args: ["--js-flags=--expose-gc", "--enable-precise-memory-info", "--disable-renderer-backgrounding"],
  });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(0);
    await page.goto(site.url);
    await page.waitForFunction(() => "bench" in globalThis);
    type Bench = { bench: { start(): Promise<void>; trainTo(step: number): Sample } };
    await page.evaluate(() => (globalThis as unknown as Bench).bench.start());
    const samples: Sample[] = [];
    for (const step of moments(steps))
      samples.push(await page.evaluate((last) => (globalThis as unknown as Bench).bench.trainTo(last), step));
    return samples;
  } finally {
    await browser.close();
    await site.close();
  }
}

/**
 * PyTorch on one thread, if there is one: $STRIDE_PYTHON or python3 with torch.
 * @returns null where there is none
 */
export async function pytorchSeat(): Promise<(Seat & { version: string; close(): void }) | null> {
  const python = process.env.STRIDE_PYTHON ?? "python3";
  if (spawnSync(python, ["--version"]).status !== 0) return null;
  const child = spawn(python, [here("torch_bench.py")], { stdio: ["pipe", "pipe", "ignore"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async <T>(): Promise<T | null> => {
    const { value, done } = await lines.next();
    return done ? null : (JSON.parse(value) as T);
  };
  const hello = await answer<{ version: string }>();
  if (!hello) return null;
  return {
    version: hello.version,
    time: async (work, budget) => {
      child.stdin.write(`${JSON.stringify({ work, budget })}\n`);
      return (await answer<Record<string, Outcome>>()) ?? { PyTorch: "ended early" };
    },
    close: () => void child.kill(),
  };
}
