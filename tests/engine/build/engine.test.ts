import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "acorn";
import ts from "typescript";
import { beforeAll, describe, expect, test } from "vitest";
import { publicModules } from "../../../engine/build/surface.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const dist = `${root}dist/engine/`;

const run = (code: string) =>
  execFileSync(process.execPath, ["--input-type=module", "-e", code], { cwd: root, encoding: "utf8" });

/** The language's own declarations are parsed once for all programs. */
const libraries = new Map<string, ts.SourceFile>();

/** Type errors of a program, given its files; paths below /cell/. */
function typeErrors(files: Record<string, string>, entry: string): string[] {
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts"],
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const read = (path: string) => files[path] ?? ts.sys.readFile(path);
  const exists = (path: string) => path in files || ts.sys.fileExists(path);
  const folders = new Set(
    Object.keys(files).flatMap((path) => path.split("/").map((_, i, parts) => parts.slice(0, i).join("/"))),
  );
  Object.assign(host, {
    readFile: read,
    fileExists: exists,
    directoryExists: (path: string) => folders.has(path) || ts.sys.directoryExists(path),
    getSourceFile: (path: string, version: ts.ScriptTarget) => {
      if (libraries.has(path)) return libraries.get(path);
      const text = read(path);
      if (text === undefined) return undefined;
      const file = ts.createSourceFile(path, text, version);
      if (path.includes("/typescript/lib/")) libraries.set(path, file);
      return file;
    },
  });
  const program = ts.createProgram([entry], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map((d) => `${d.file?.fileName}: ${ts.flattenDiagnosticMessageText(d.messageText, "\n")}`);
}

const CELL = `
import * as torch from "torch";
import { nn, optim } from "torch";
import * as F from "torch/nn/functional";
import { DataLoader } from "torch/utils/data";
import { SummaryWriter } from "torch/utils/tensorboard";
import { CIFAR10 } from "torchvision/datasets";
import * as transforms from "torchvision/transforms";
const x: torch.Tensor = torch.ones(2, 3, 8, 8).add(1).reshape(2, -1);
const y: torch.Tensor = F.relu(x);
const conv = new nn.Conv2d(3, 6, 3);
const used = [y.shape, conv, optim.SGD, DataLoader, SummaryWriter, CIFAR10, transforms.ToTensor];
`;

describe("npm run build:engine", { timeout: 120_000 }, () => {
  beforeAll(() => {
    execFileSync(process.execPath, ["engine/build/wasm.ts"], { cwd: root });
    execFileSync(process.execPath, ["engine/build/engine.ts"], { cwd: root });
  }, 180_000);

  test("writes a module and its declarations for every public name", () => {
    for (const name of publicModules().keys()) {
      expect(existsSync(`${dist}${name}.js`), name).toBe(true);
      expect(existsSync(`${dist}${name}.d.ts`), name).toBe(true);
    }
  });

  test("torch.js runs in Node by itself, with the namespaces on it and the fast kernels started", () => {
    const answer = run(`
      import * as torch from "./dist/engine/torch.js";
      import { Conv2d } from "./dist/engine/torch/nn.js";
      torch.manualSeed(0);
      console.log(String(torch.randn(2, 3)));
      console.log(torch.nn.Conv2d === Conv2d, typeof torch.F.conv2d, typeof torch.optim.SGD);
      console.log(typeof torch.utils.data.DataLoader, typeof torch.torchvision.transforms.ToTensor);
      console.log(String(new Conv2d(3, 6, 3)));
    `);
    expect(answer).toBe(
      [
        "tensor([[ 1.5410, -0.2934, -2.1788],",
        "        [ 0.5684, -1.0845, -1.3986]])",
        "true function function",
        "function function",
        "Conv2d(3, 6, kernel_size=(3, 3), stride=(1, 1))",
        "",
      ].join("\n"),
    );
  });

  test("is written in a JavaScript that Node 20 and every browser of the last two years read", () => {
    const names = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".js"));
    expect(names).toContain("torch.js");
    for (const name of names) parse(readFileSync(dist + name, "utf8"), { ecmaVersion: 2023, sourceType: "module" });
  });

  test("declarations satisfy a strict consumer in Node", () => {
    const consumer = CELL.replaceAll(/"(torch[^"]*)"/g, '"./dist/engine/$1.js"');
    expect(typeErrors({ [`${root}consumer.ts`]: consumer }, `${root}consumer.ts`)).toEqual([]);
  });

  test("types.json gives an editor the same modules by their names, with documentation", () => {
    const types = JSON.parse(readFileSync(`${dist}types.json`, "utf8")) as Record<string, string>;
    const files = Object.fromEntries(Object.entries(types).map(([path, text]) => [`/cell/node_modules/${path}`, text]));
    expect(typeErrors({ ...files, "/cell/cell.ts": CELL }, "/cell/cell.ts")).toEqual([]);
    const wrong = typeErrors({ ...files, "/cell/cell.ts": `${CELL}\nx.noSuchMethod();` }, "/cell/cell.ts");
    expect(wrong).toEqual([expect.stringContaining("'noSuchMethod' does not exist on type 'Tensor'")]);
    expect(types["torch/engine/nn/conv.d.ts"]).toContain("/**");
  });
});
