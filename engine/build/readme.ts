/**
 * npm run engine:readme: writes what the engine supports into engine/README.md, from the operation registry and the public
 * modules. A test compares the two, so the page cannot fall behind.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { KernelName } from "../backends/backend.ts";
import { compileWasm, createWasmBackend, wasmVariant } from "../backends/wasm/index.ts";
import { Tensor } from "../core/tensor.ts";
import { operations } from "../ops/registry.ts";
import { modules } from "../public.ts";

const README = new URL("../README.md", import.meta.url);
const START = "<!-- supported: written by npm run engine:readme -->";
const END = "<!-- /supported -->";

/** The kernels that the WebAssembly backend has; the reference backend has all. */
async function fastKernels(): Promise<ReadonlySet<KernelName>> {
  const variant = wasmVariant();
  if (!variant) throw new Error("the support table is written where WebAssembly SIMD runs");
  return new Set(Object.keys(createWasmBackend(await compileWasm(variant)).kernels) as KernelName[]);
}

const codes = (names: string[]) => names.map((name) => `\`${name}\``).join(" ");
const sorted = (names: Iterable<string>) =>
  [...names].sort((a, b) => a.localeCompare(b, "en", { sensitivity: "base" }) || (a < b ? -1 : 1));

/** A public module's names, its namespaces left to their own lines. */
function names(module: object): string[] {
  const known = new Set<unknown>(Object.values(modules));
  return sorted(
    Object.entries(module)
      .filter(([, value]) => !known.has(value))
      .map(([name]) => name),
  );
}

function methodNames(): string[] {
  return sorted(
    Object.getOwnPropertyNames(Tensor.prototype).filter((name) => name !== "constructor" && !name.startsWith("_")),
  );
}

/** The section's text, without its marks. */
export async function supportedText(): Promise<string> {
  const fast = await fastKernels();
  const ops = [...operations().values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const surfaces = Object.entries(modules).map(([name, module]) => {
    const members = names(module);
    return `**\`${name}\`** (${members.length}): ${codes(members)}`;
  });
  const methods = methodNames();
  const rows = ops.map((op) => {
    const gradFn = typeof op.gradFn === "string" ? `\`${op.gradFn}\`` : "by its arguments";
    const kernels = op.kernels.map((kernel) => (fast.has(kernel) ? `**${kernel}**` : kernel)).join(", ");
    return `| \`${op.name}\` | ${op.differentiable ? gradFn : "–"} | ${kernels || "–"} |`;
  });
  const differentiable = ops.filter((op) => op.differentiable).length;
  return [
    "### Public names",
    "",
    surfaces.join("\n\n"),
    "",
    `**Methods and properties of \`Tensor\`** (${methods.length}): ${codes(methods)}`,
    "",
    "### Operations",
    "",
    `The registry holds ${ops.length} operations, ${differentiable} of them differentiable; everything public is made of these. ` +
      "The reference backend serves every kernel for every dtype; the WebAssembly backend serves those in bold for float32. " +
      "– in the second column: no gradient flows; in the last: a view, or computed on the spot.",
    "",
    "| Operation | `gradFn.name` | Kernels |",
    "| --- | --- | --- |",
    ...rows,
  ].join("\n");
}

/** The page with its section replaced. */
export function withSupported(page: string, text: string): string {
  const start = page.indexOf(START);
  const end = page.indexOf(END);
  if (start < 0 || end < start) throw new Error(`engine/README.md has lost its marks ${START} … ${END}`);
  return `${page.slice(0, start)}${START}\n\n${text}\n\n${page.slice(end)}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const page = readFileSync(README, "utf8");
  writeFileSync(README, withSupported(page, await supportedText()));
}
