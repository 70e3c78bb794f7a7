/**
 * Type declarations of the engine, doc comments included: for `dist/engine/` and for the editor in the page, which gets them
 * as files of a made-up node_modules folder.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { publicModules } from "./surface.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = fileURLToPath(new URL("../", import.meta.url));
const cacheFolder = new URL("../../.cache/", import.meta.url);

/** File relative to engine/ ("nn/index.d.ts") → its text, for every file that the public modules reach. */
export type DeclarationFiles = Record<string, string>;

/** Emits the declarations, or reads them from the cache when no source has changed. */
export function engineDeclarations(): DeclarationFiles {
  const cache = new URL(`engine-declarations-${sourcesDigest()}.json`, cacheFolder);
  if (existsSync(cache)) return JSON.parse(readFileSync(cache, "utf8")) as DeclarationFiles;
  const files = reachable(emitted(), [...publicModules().values()].map(declarationName));
  mkdirSync(cacheFolder, { recursive: true });
  for (const old of readdirSync(cacheFolder))
    if (old.startsWith("engine-declarations-")) rmSync(new URL(old, cacheFolder));
  writeFileSync(cache, JSON.stringify(files));
  return files;
}

function sourcesDigest(): string {
  const hash = createHash("sha256").update(ts.version);
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  for (const name of names) if (name.endsWith(".ts")) hash.update(name).update(readFileSync(folder + name));
  return hash.digest("hex").slice(0, 16);
}

/** What the compiler writes, with imports that name .js files, as declarations must. */
function emitted(): DeclarationFiles {
  const config = ts.getParsedCommandLineOfConfigFile(`${root}tsconfig.json`, undefined, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (diagnostic) => {
      throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n"));
    },
  });
  const options: ts.CompilerOptions = {
    ...config?.options,
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    stripInternal: true,
    noEmitOnError: false,
    outDir: "/declarations",
    rootDir: folder,
  };
  const program = ts.createProgram(
    [...publicModules().values()].map((file) => folder + file),
    options,
  );
  const problems = program.getDeclarationDiagnostics();
  if (problems.length > 0) {
    throw new Error(
      ts.formatDiagnostics(problems, { ...ts.sys, getCanonicalFileName: (f) => f, getNewLine: () => "\n" }),
    );
  }
  const files: DeclarationFiles = {};
  program.emit(undefined, (path, text) => {
    files[path.replace(/^\/declarations\//, "")] = withJsSpecifiers(text);
  });
  return files;
}

const SPECIFIER = /(from\s+|import\s+|import\(|declare module\s+)"(\.[^"]*)\.ts"/g;

function withJsSpecifiers(text: string): string {
  return text.replace(SPECIFIER, '$1"$2.js"');
}

/** Only what the entries lead to: the editor reads every file it is given. */
function reachable(files: DeclarationFiles, entries: string[]): DeclarationFiles {
  const reached: DeclarationFiles = {};
  const left = [...entries];
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    const text = files[name];
    if (text === undefined) throw new Error(`no declarations for engine/${name}`);
    if (name in reached) continue;
    reached[name] = text;
    for (const [, path] of text.matchAll(/"(\.[^"]*)\.js"/g))
      left.push(`${posix.join(posix.dirname(name), path!)}.d.ts`);
  }
  return reached;
}

export function declarationName(source: string): string {
  return source.replace(/\.ts$/, ".d.ts");
}

/**
 * The declarations for the in-page editor: path below node_modules → text. "torch/nn.d.ts" and its like re-export from
 * "torch/engine/…", where the files lie as they do in engine/.
 */
export function editorTypes(): Record<string, string> {
  const types: Record<string, string> = {};
  for (const [name, file] of publicModules()) {
    const path = name === "torch" ? "torch/index.d.ts" : `${name}.d.ts`;
    const target = `torch/engine/${file.replace(/\.ts$/, ".js")}`;
    types[path] = `export * from "${relative(path, target)}";\n`;
  }
  for (const [name, text] of Object.entries(engineDeclarations())) types[`torch/engine/${name}`] = text;
  return types;
}

/** How a file names another, both given from one root. */
export function relative(from: string, to: string): string {
  const path = posix.relative(posix.dirname(from), to);
  return path.startsWith(".") ? path : `./${path}`;
}
