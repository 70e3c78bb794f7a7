/**
 * npm run build:engine: the engine as stand-alone ES modules in dist/engine/, named as cells import them. `torch.js` has
 * everything as namespaces on it: `import * as torch from "./dist/engine/torch.js"`. Beside them lie the WebAssembly kernels,
 * the type declarations, and `types.json`, the same declarations for an editor.
 */
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "rolldown";
import { type WasmVariant, wasmFileName } from "../backends/wasm/module.ts";
import { editorTypes, engineDeclarations, relative } from "./declarations.ts";
import { publicModules } from "./surface.ts";

const source = (file: string) => fileURLToPath(new URL(`../${file}`, import.meta.url));
const dist = fileURLToPath(new URL("../../dist/engine/", import.meta.url));

const modules = publicModules();

/** torch.js alone also has what Python users import as F. */
function entryText(name: string, locate: (file: string) => string): string {
  const lines = [`export * from ${JSON.stringify(locate(modules.get(name)!))};`];
  if (name === "torch")
    lines.push(`export * as F from ${JSON.stringify(locate(modules.get("torch/nn/functional")!))};`);
  return `${lines.join("\n")}\n`;
}

const ENTRY = "stride-entry:";
const entries: Plugin = {
  name: "stride-entries",
  resolveId: (id) => (id.startsWith(ENTRY) ? id : null),
  load: (id) =>
    id.startsWith(ENTRY)
      ? `import ${JSON.stringify(source("build/start.ts"))};\n${entryText(id.slice(ENTRY.length), source)}`
      : null,
};

function write(path: string, text: string): void {
  mkdirSync(dirname(dist + path), { recursive: true });
  writeFileSync(dist + path, text);
}

rmSync(dist, { recursive: true, force: true });
await build({
  input: Object.fromEntries([...modules.keys()].map((name) => [name, ENTRY + name])),
  plugins: [entries],
  platform: "neutral",
  external: /^node:/,
  output: {
    dir: dist,
    format: "esm",
    entryFileNames: "[name].js",
    // One chunk for the engine itself, beside which the kernels are looked for.
    chunkFileNames: "[name].js",
    codeSplitting: { groups: [{ name: "engine", test: /\/engine\// }] },
    keepNames: true,
  },
  logLevel: "warn",
});
for (const variant of ["relaxed", "simd"] satisfies WasmVariant[]) {
  copyFileSync(source(`backends/wasm/build/${wasmFileName(variant)}`), dist + wasmFileName(variant));
}

const declarations = engineDeclarations();
for (const [name, text] of Object.entries(declarations)) write(`types/${name}`, text);
for (const name of modules.keys()) {
  const path = `${name}.d.ts`;
  write(
    path,
    entryText(name, (file) => relative(path, `types/${file.replace(/\.ts$/, ".js")}`)),
  );
}
write("types.json", JSON.stringify(editorTypes()));
console.log(`dist/engine: ${modules.size} modules, ${Object.keys(declarations).length} declaration files`);
