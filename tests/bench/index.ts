/**
 * npm run bench [-- --quick] [-- --json FILE]: the engine beside its peers, the same work in one run, in headless Chromium
 * and in Node, one thread. Medians and ratios as a table; everything as JSON (default .cache/bench.json). Run it on a quiet
 * machine. PyTorch takes part where $STRIDE_PYTHON or python3 has torch.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { verdict } from "./memory.ts";
import { disagreements, failures, goalLine, goals, type Results, table } from "./report.ts";
import type { Room } from "./rooms.ts";
import { WORK_NAMES, type WorkName } from "./works.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "string", default: here("../../.cache/bench.json") },
  },
});

if (!existsSync(here("node_modules"))) {
  console.log("fetching the peers …");
  const { status } = spawnSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: here("."),
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (status !== 0) throw new Error("the peers could not be fetched: npm ci in tests/bench says why, above");
}
const { chromiumMemory, chromiumRoom, nodeMemory, nodeRoom, pytorchSeat } = await import("./rooms.ts");

/** Milliseconds for each piece of work of each participant. */
const budget = values.quick ? 200 : 4000;
const torch = await pytorchSeat();
console.log(torch ? `PyTorch ${torch.version} takes part` : "no PyTorch here: its columns are missing");

async function playAll(room: Room): Promise<Results> {
  const results = {} as Results;
  for (const work of WORK_NAMES) {
    // Everyone's turn at one piece of work comes in the same minute: what slows the machine slows them all.
    const outcomes = [];
    for (const seat of torch ? [...room.seats, torch] : room.seats)
      outcomes.push(await seat.time(work as WorkName, budget));
    results[work] = Object.assign({}, ...outcomes);
    process.stderr.write(".");
  }
  process.stderr.write("\n");
  await room.close();
  return results;
}

const report: Record<string, unknown> = { date: new Date().toISOString(), quick: values.quick };
// Where a step takes others half a minute, one room is enough for a quick look.
const rooms = values.quick
  ? [() => chromiumRoom(), () => nodeRoom(["stride"])]
  : [() => chromiumRoom(), () => nodeRoom()];
for (const open of rooms) {
  const room = await open();
  const results = await playAll(room);
  const reached = goals(results, room.peak);
  report[room.name] = { peak: room.peak, results, goals: reached };
  console.log(
    `\n${room.name}, one thread; peak ${room.peak?.relaxed?.toFixed(1) ?? "–"} GFLOP/s relaxed, ${room.peak?.plain.toFixed(1)} plain\n`,
  );
  for (const line of table(results)) console.log(line);
  console.log("");
  for (const line of reached.filter(({ reached }) => reached !== null).map(goalLine)) console.log(line);
  for (const line of failures(results)) console.log(`  could not: ${line}`);
  for (const line of disagreements(results)) console.log(`  other work: ${line}`);
}
torch?.close();

const steps = values.quick ? 30 : 2000;
const memory = values.quick
  ? { Node: nodeMemory(steps) }
  : { Node: nodeMemory(steps), Chromium: await chromiumMemory(steps) };
report.memory = memory;
console.log(`\nmemory over ${steps} steps of batch 64, a running sum of losses kept (furthest from the first look):`);
for (const [name, samples] of Object.entries(memory)) console.log(`  ${name}: ${verdict(samples).line}`);
mkdirSync(dirname(values.json), { recursive: true });
writeFileSync(values.json, JSON.stringify(report, null, 2));
console.log(`\neverything: ${values.json}`);
