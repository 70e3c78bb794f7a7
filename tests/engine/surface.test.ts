/** The public surface as its users meet it: every name documented and exactly typed, and the support page true. */
import { readFileSync } from "node:fs";
import ts from "typescript";
import { beforeAll, describe, expect, test } from "vitest";
import { declarationName, engineDeclarations } from "../../engine/build/declarations.ts";
import { supportedText, withSupported } from "../../engine/build/readme.ts";
import { publicModules } from "../../engine/build/surface.ts";

const ROOT = "/declarations/";
let checker: ts.TypeChecker;
/** "torch/nn.Conv2d" → the symbol behind it, for every public name. */
const published = new Map<string, ts.Symbol>();

beforeAll(() => {
  const texts = new Map(Object.entries(engineDeclarations()).map(([name, text]) => [ROOT + name, text]));
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ["lib.es2023.d.ts"],
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile, directoryExists } = host;
  Object.assign(host, {
    fileExists: (path: string) => texts.has(path) || fileExists.call(host, path),
    readFile: (path: string) => texts.get(path) ?? readFile.call(host, path),
    directoryExists: (path: string) => path.startsWith(ROOT) || directoryExists?.call(host, path),
    getSourceFile: (path: string, version: ts.ScriptTarget) => {
      const text = texts.get(path);
      return text === undefined
        ? getSourceFile.call(host, path, version)
        : ts.createSourceFile(path, text, version, true);
    },
  });
  const entries = [...publicModules()].map(([name, file]) => [name, ROOT + declarationName(file)] as const);
  const program = ts.createProgram(
    entries.map(([, file]) => file),
    options,
    host,
  );
  checker = program.getTypeChecker();
  for (const [name, file] of entries) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(file)!)!;
    for (const symbol of checker.getExportsOfModule(module)) {
      const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      published.set(`${name}.${symbol.name}`, target);
    }
  }
});

const documented = (symbol: ts.Symbol) => symbol.getDocumentationComment(checker).length > 0;

/** Members that are written in the engine, and not for its own eyes only. */
function membersOf(symbol: ts.Symbol): ts.Symbol[] {
  return checker
    .getDeclaredTypeOfSymbol(symbol)
    .getProperties()
    .filter((member) => {
      const declaration = member.declarations?.find((one) => one.getSourceFile().fileName.startsWith(ROOT));
      if (!declaration || member.name.startsWith("__") || member.name.startsWith("#")) return false;
      return !(ts.getCombinedModifierFlags(declaration) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected));
    });
}

describe("every public name says what it is", () => {
  test("functions and classes", () => {
    const silent = [...published].filter(
      ([, symbol]) => symbol.flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Class) && !documented(symbol),
    );
    expect(silent.map(([name]) => name)).toEqual([]);
    expect(published.size).toBeGreaterThan(600);
  });

  test("every method of a tensor and of a module", () => {
    for (const name of ["torch.Tensor", "torch/nn.Module"]) {
      const methods = membersOf(published.get(name)!).filter(({ flags }) => flags & ts.SymbolFlags.Method);
      expect(methods.length, name).toBeGreaterThan(30);
      expect(methods.filter((method) => !documented(method)).map((method) => `${name}.${method.name}`)).toEqual([]);
    }
  });

  test("every option, with its default where it may be left out", () => {
    const wrong: string[] = [];
    let options = 0;
    for (const [name, symbol] of published) {
      if (!(symbol.flags & ts.SymbolFlags.Interface) || !name.endsWith("Options")) continue;
      for (const member of membersOf(symbol)) {
        options++;
        const text = ts.displayPartsToString(member.getDocumentationComment(checker));
        const optional = member.flags & ts.SymbolFlags.Optional;
        if (text === "" || (optional && !/default/i.test(text))) wrong.push(`${name}.${member.name}: ${text}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(options).toBeGreaterThan(200);
  });
});

test("nothing public is of the type any, but what a module without a class of its own gives back", () => {
  const found = new Set<string>();
  for (const [name, symbol] of published) {
    for (const declaration of symbol.declarations ?? []) {
      const source = declaration.getSourceFile();
      if (!source.fileName.startsWith(ROOT) || ts.isSourceFile(declaration)) continue;
      const visit = (node: ts.Node): void => {
        if (node.kind === ts.SyntaxKind.AnyKeyword) {
          const { line } = source.getLineAndCharacterOfPosition(node.getStart());
          found.add(`${name}: ${source.text.split("\n")[line]!.trim()}`);
        }
        ts.forEachChild(node, visit);
      };
      visit(declaration);
    }
  }
  // A bare Module may be of any class: the compiler cannot know what it takes, and a right line must not be underlined for it.
  expect([...found]).toEqual(["torch/nn.Module: forward(..._inputs: any[]): any;"]);
});

test("engine/README.md lists what the registry and the public modules hold; npm run engine:readme writes it", async () => {
  const page = readFileSync(new URL("../../engine/README.md", import.meta.url), "utf8");
  expect(withSupported(page, await supportedText())).toBe(page);
});
