/**
 * npm run bench [-- --quick] [--json FILE] [--only cpu|webgpu] [--webgpu-adapter software|default]: the engine beside its
 * peers, the same work in one run, in headless Chromium and in Node, one thread; then on WebGPU, on the software adapter or
 * on the machine's own. Medians and ratios as a table; everything as JSON (default .cache/bench.json). Run it on a quiet
 * machine. PyTorch takes part where $STRIDE_PYTHON or python3 has torch.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { WebGpuAdapter } from "../e2e/browser.ts";
import { verdict } from "./memory.ts";
import {
  disagreements,
  failures,
  type Goal,
  goalLine,
  goals,
  OURS,
  OURS_WEBGPU,
  type Results,
  table,
  webgpuGoals,
} from "./report.ts";
import type { Room, Seat } from "./rooms.ts";
import { CPU_WORKS, QUICK_WEBGPU_WORKS, WEBGPU_WORKS, type WorkName } from "./works.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string" },
    "webgpu-adapter": { type: "string", default: "software" },
    json: { type: "string", default: here("../../.cache/bench.json") },
  },
});
const { only, "webgpu-adapter": adapter } = values;
if (only !== undefined && only !== "cpu" && only !== "webgpu") throw new Error(`--only ${only}: cpu or webgpu`);
if (adapter !== "software" && adapter !== "default")
  throw new Error(`--webgpu-adapter ${adapter}: software or default`);

// The last that came: an older folder lacks it.
if (!existsSync(here("node_modules/@tensorflow/tfjs-backend-webgpu"))) {
  console.log("fetching the peers …");
  const { status } = spawnSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: here("."),
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (status !== 0) throw new Error("the peers could not be fetched: npm ci in tests/bench says why, above");
}
const { chromiumMemory, chromiumRoom, nodeMemory, nodeRoom, pytorchSeat, webgpuRoom } = await import("./rooms.ts");

/** Milliseconds for each piece of work of each participant. */
const budget = values.quick ? 200 : 4000;

async function playAll(room: Room, works: readonly WorkName[], guest: Seat | null, atMost?: number): Promise<Results> {
  const results: Results = {};
  for (const work of works) {
    // Everyone's turn at one piece of work comes in the same minute: what slows the machine slows them all.
    const outcomes = [];
    for (const seat of guest ? [...room.seats, guest] : room.seats)
      outcomes.push(await seat.time(work, budget, atMost));
    results[work] = Object.assign({}, ...outcomes);
    process.stderr.write(".");
  }
  process.stderr.write("\n");
  await room.close();
  return results;
}

function print(heading: string, results: Results, reached: Goal[], us: string): void {
  console.log(`\n${heading}\n`);
  for (const line of table(results, us)) console.log(line);
  console.log("");
  for (const line of reached.filter(({ reached }) => reached !== null).map(goalLine)) console.log(line);
  for (const line of failures(results)) console.log(`  could not: ${line}`);
  for (const line of disagreements(results, us)) console.log(`  other work: ${line}`);
}

const report: Record<string, unknown> = { date: new Date().toISOString(), quick: values.quick };

async function onCpu(): Promise<void> {
  const torch = await pytorchSeat();
  console.log(torch ? `PyTorch ${torch.version} takes part` : "no PyTorch here: its columns are missing");
  // Where a step takes others half a minute, one room is enough for a quick look.
  const rooms = values.quick
    ? [() => chromiumRoom(), () => nodeRoom(["stride"])]
    : [() => chromiumRoom(), () => nodeRoom()];
  for (const open of rooms) {
    const room = await open();
    const results = await playAll(room, CPU_WORKS, torch);
    const reached = goals(results, room.peak);
    report[room.name] = { peak: room.peak, results, goals: reached };
    const peak = `peak ${room.peak?.relaxed?.toFixed(1) ?? "–"} GFLOP/s relaxed, ${room.peak?.plain.toFixed(1)} plain`;
    print(`${room.name}, one thread; ${peak}`, results, reached, OURS);
  }
  torch?.close();

  const steps = values.quick ? 30 : 2000;
  const memory = values.quick
    ? { Node: nodeMemory(steps) }
    : { Node: nodeMemory(steps), Chromium: await chromiumMemory(steps) };
  report.memory = memory;
  console.log(`\nmemory over ${steps} steps of batch 64, a running sum of losses kept (furthest from the first look):`);
  for (const [name, samples] of Object.entries(memory)) console.log(`  ${name}: ${verdict(samples).line}`);
}

async function onWebGpu(adapter: WebGpuAdapter): Promise<void> {
  const room = await webgpuRoom(adapter);
  const works = values.quick ? QUICK_WEBGPU_WORKS : WEBGPU_WORKS;
  const results = await playAll(room, works, null, values.quick ? 1 : undefined);
  // The goals are set for the adapter that is the same everywhere.
  const reached = adapter === "software" ? webgpuGoals(results) : [];
  report.webgpu = { room: room.name, adapter: room.adapter, results, goals: reached };
  print(room.name, results, reached, OURS_WEBGPU);
}

if (only !== "webgpu") await onCpu();
// A quick look stays below two minutes: it looks at WebGPU where it is asked to.
if (only === "webgpu" || (only === undefined && !values.quick)) await onWebGpu(adapter);
mkdirSync(dirname(values.json), { recursive: true });
writeFileSync(values.json, JSON.stringify(report, null, 2));
console.log(`\neverything: ${values.json}`);
