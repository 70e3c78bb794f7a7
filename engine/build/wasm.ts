/**
 * npm run build:wasm: compiles the kernels in engine/backends/wasm/assembly to engine/backends/wasm/build/, once with relaxed
 * SIMD and once without. Runs before dev, build and test; takes no time when the sources are those of the last build.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type WasmVariant, wasmFileName } from "../backends/wasm/module.ts";

const sources = new URL("../backends/wasm/assembly/", import.meta.url);
const target = new URL("../backends/wasm/build/", import.meta.url);
const assemblyscript = new URL("../../node_modules/assemblyscript/", import.meta.url);
const compiler = new URL("bin/asc.js", assemblyscript);

const FLAGS: Readonly<Record<WasmVariant, readonly string[]>> = {
  relaxed: ["--enable", "simd", "--enable", "relaxed-simd"],
  simd: ["--enable", "simd"],
};
const COMMON = ["-O3", "--converge", "--noAssert", "--runtime", "stub"];

/** What a compiled build may weigh: a page fetches it before the first cell runs. */
const MOST_BYTES = 150_000;

function inputsDigest(): string {
  const hash = createHash("sha256").update(JSON.stringify([FLAGS, COMMON]));
  hash.update(readFileSync(new URL("package.json", assemblyscript)));
  for (const name of readdirSync(sources).sort()) hash.update(name).update(readFileSync(new URL(name, sources)));
  return hash.digest("hex");
}

async function compile(variant: WasmVariant): Promise<void> {
  // Written aside and moved into place: a test that starts meanwhile reads the old file or the new one.
  const out = new URL(`${process.pid}-${wasmFileName(variant)}`, target);
  const entry = fileURLToPath(new URL("index.ts", sources));
  const args = [fileURLToPath(compiler), entry, "-o", fileURLToPath(out), ...COMMON, ...FLAGS[variant]];
  await promisify(execFile)(process.execPath, args);
  const size = readFileSync(out).length;
  if (size > MOST_BYTES)
    throw new Error(`${wasmFileName(variant)} has ${size} bytes; at most ${MOST_BYTES} are allowed`);
  renameSync(out, new URL(wasmFileName(variant), target));
  console.log(`${wasmFileName(variant)}  ${(size / 1000).toFixed(1)} kB`);
}

const digest = inputsDigest();
const stamp = new URL("inputs.sha256", target);
if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== digest) {
  mkdirSync(target, { recursive: true });
  await Promise.all((Object.keys(FLAGS) as WasmVariant[]).map(compile));
  writeFileSync(stamp, digest);
}
