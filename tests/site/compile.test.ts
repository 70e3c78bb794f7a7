import { globSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { Parser } from "acorn";
import { expect, test } from "vitest";
import { CellSyntaxError, type CompiledCell, compileCell } from "../../site/lesson/compile.ts";
import { Blanks, eraseTypes } from "../../site/lesson/erase-types.ts";
import { type LinkOptions, linkCell, sourcePlace } from "../../site/lesson/link.ts";
import { parseModule } from "../../site/lesson/syntax.ts";

const LINK: LinkOptions = {
  moduleUrl: (name) => `url:${name}`,
  exportsOf: () => ["tensor", "nn"],
  kernelUrl: "url:kernel",
  kernelNames: ["print", "show"],
  scope: new Map(),
};

function body(source: string): string {
  return compileCell("cell", source).body;
}

function fault(source: string, then: (cell: CompiledCell) => unknown = () => {}): CellSyntaxError {
  try {
    then(compileCell("cell", source));
  } catch (error) {
    if (error instanceof CellSyntaxError) return error;
    throw error;
  }
  throw new Error("compiled");
}

test.each<[what: string, source: string, blanked: string]>([
  ["annotations", "let x: number = 1, y: string;", "let x         = 1, y        ;"],
  ["optional and rest parameters", "function f(a?: T, ...r: T[]): void {}", "function f(a    , ...r     )       {}"],
  ["generics", "function f<T extends U>(x: T) {}", "function f             (x   ) {}"],
  [
    "generic calls",
    "const m = new Map<string, Map<string, number>>();",
    "const m = new Map                             ();",
  ],
  ["this parameters", "function f(this: A, b: B) {}", "function f(         b   ) {}"],
  ["a lone this parameter", "function f(this: A) {}", "function f(       ) {}"],
  [
    "type predicates",
    "function f(x: unknown): x is T { return true }",
    "function f(x         )         { return true }",
  ],
  [
    "destructured parameters",
    "function f({ a }: { a: number } = { a: 1 }) {}",
    "function f({ a }                = { a: 1 }) {}",
  ],
  ["catch", "try { f() } catch (e: unknown) {}", "try { f() } catch (e         ) {}"],
  ["as, satisfies, !", "const a = (b as C).d!.e satisfies F;", "const a = (b     ).d .e            ;"],
  ["as const", "const a = [1] as const;", "const a = [1]         ;"],
  ["definite assignment", "let x!: number;", "let x         ;"],
  ["instantiation expressions", "const f = g<string>;", "const f = g        ;"],
  [
    "loop heads",
    "for (let i: number = 0 as number; i < 1; i++) f(i);\n;",
    "for (let i         = 0          ; i < 1; i++) f(i);\n;",
  ],
  ["class heads", "class A<T> extends B<T> implements C, D {}", "class A    extends B                    {}"],
  [
    "abstract classes",
    "abstract class A { abstract x: T; f(): void {} }",
    "         class A { ;              f()       {} }",
  ],
  [
    "modifiers",
    "class A extends B { private readonly x?: T = 1; static readonly y: T; override f() {} }",
    "class A extends B { ;                x     = 1; static          y   ; ;        f() {} }",
  ],
  ["declared fields", "class A { declare x: T; y!: T }", "class A { ;             y   ; }"],
  [
    "index signatures and overloads",
    "class A { [k: string]: T; f(a: T): void; f(a: U): void; f() {} }",
    "class A { ;               ;              ;              f() {} }",
  ],
  ["function overloads", "function f(a: T): void;\nfunction f() {}", ";                      \nfunction f() {}"],
  ["interfaces and aliases", "interface A { b: 1 }\ntype C = A;", ";                   \n;          "],
  [
    "ambient declarations",
    "declare const x: number;\ndeclare function f(): void;",
    ";                       \n;                          ",
  ],
  ["export before a declaration", "export const x = 1;", "       const x = 1;"],
  ["exported types", "export interface A {}\nexport type { A };", ";                    \n;                 "],
  ["imports", `import { a } from "torch";\nlet b;`, ";                         \nlet b;"],
])("blanks %s", (_, source, blanked) => {
  expect(body(source)).toBe(blanked);
});

test("a type that vanishes at the end of a line does not join it to the next one", () => {
  expect(body("let f: T\n(g).h = 1")).toBe("let f  ;\n(g).h = 1");
  expect(body("let n = x as T\n[0].length = 1")).toBe("let n = x    ;\n[0].length = 1");
  expect(body("const a = b\ntype T = 1\n(a).c = 1")).toBe("const a = b\n;         \n(a).c = 1");
  expect(body("class A {\n  a = 1\n  private [b] = 2\n}")).toBe("class A {\n  a = 1\n  ;       [b] = 2\n}");
});

test("an arrow stays on the line of its parenthesis when a return type spans lines", () => {
  const source = "const f = (a: number): {\n  b: number;\n} => ({ b: a });";
  expect(body(source)).toBe("const f = (a            \n            \n) => ({ b: a });");
  expect(body("const f = async <\n  T,\n>(x: T) => x;")).toBe("const f = async (\n    \n  x   ) => x;");
});

test("every character keeps its place", () => {
  const source = `import { nn } from "torch";
class Net extends nn.Module {
  private layers?: nn.Conv2d[] = [];
  forward<T extends { x: number }>(x: T): T { return (x as unknown)! as T; }
}
const answer: Map<string, 'a\u2028b'> = new Map<string, never>()
const text = "漢字 // no comment: string";`;
  const blanked = body(source);
  expect(blanked).toHaveLength(source.length);
  expect(blanked.split("\n").map((line) => line.length)).toEqual(source.split("\n").map((line) => line.length));
});

test("lists what a cell defines, destructured names, functions, classes and imports included", () => {
  const { definitions } = compileCell(
    "cell",
    `import * as torch from "torch"; import { nn as n } from "torch"; import type { X } from "torch";
     const a = 1; let { b, c: [d, ...e], ...f } = g; function h() { var hidden } class I {} if (a) { var j = 1; let no } export const k = 1;
     for (const no2 of a) {} function* l() {}`,
  );
  expect(definitions).toEqual(["torch", "n", "a", "b", "d", "e", "f", "h", "I", "j", "k", "l"]);
});

test("lists the names a cell takes from elsewhere, with the place of the first use", () => {
  const { free } = compileCell(
    "cell",
    `const own = 1; print(own, taken); function f(p, { q = dflt }) { local = p + q; return () => outer.member + own; var v }
     class A extends Base { field = init; [computed]() { this.x; arguments } }
     ({ shorthand, key: value, method() {} }); label: for (const i of list) break label; try {} catch (e) { e }
     typeof maybe; x\`\${tpl}\`; named(function self() { self() })`,
  );
  expect(free.map(({ name }) => name)).toEqual([
    ...["print", "taken", "dflt", "local", "outer", "Base", "init", "computed", "shorthand", "value", "list", "maybe"],
    ...["x", "tpl", "named"],
  ]);
  expect(free[1]).toEqual({ name: "taken", line: 1, column: 27, assigned: null });
  const assigned = free.filter((it) => it.assigned);
  expect(assigned).toEqual([{ name: "local", line: 1, column: 65, assigned: { line: 1, column: 65 } }]);
});

test("notices every way to assign to a name", () => {
  const { free } = compileCell(
    "cell",
    "a = 1; b++; [c, { d: e }] = f; for (g of h) {} for (i in j); (k as any) = 1; l.m = 1; n[0]++; [o = p] = q; ({ ...r } = s)",
  );
  expect(free.filter(({ assigned }) => assigned).map(({ name }) => name)).toEqual([
    "a",
    "b",
    "c",
    "e",
    "g",
    "i",
    "k",
    "o",
    "r",
  ]);
});

test("names in types ask for no value", () => {
  const cell = compileCell(
    "cell",
    `import { Tensor } from "torch"; let x: Net<Tensor, typeof other>; interface Own { a: Foreign } type Alias<P> = P | Own;`,
  );
  expect(cell.free).toEqual([]);
  expect(cell.imports[0]!.used).toBe(false);
  expect(cell.types).toEqual(["Own", "Alias"]);
  expect(cell.typeReferences).toEqual(["Net", "other", "Foreign"]);
});

test("knows whether a cell awaits at its top level", () => {
  expect(compileCell("cell", "async function f() { await 1 }").topLevelAwait).toBe(false);
  expect(compileCell("cell", "const x = await f()").topLevelAwait).toBe(true);
  expect(compileCell("cell", "for await (const x of y) {}").topLevelAwait).toBe(true);
  expect(compileCell("cell", "class A { f = async () => { await 1 } }").topLevelAwait).toBe(false);
});

test("the last expression is shown, and positions to the right of it are brought back", () => {
  const cell = compileCell("cell", "let x = 1;\n  f(x).g as T; // done");
  expect(cell.body).toBe("let x = 1;\n  $last((f(x).g     )); // done");
  expect(sourcePlace(cell, 2, 10)).toEqual({ line: 2, column: 3 });
  expect(sourcePlace(cell, 2, 15)).toEqual({ line: 2, column: 8 });
  // The first line begins with what hands the cell's names over.
  expect(sourcePlace(cell, 1, cell.head.length + 5)).toEqual({ line: 1, column: 5 });
});

test.each([
  ["let x = 1;\nx = 2;", "an assignment"],
  ["let x = 1;\nx++;", "an increment"],
  ["f();\nif (a) b;", "a statement"],
  ["const x = 1;", "a declaration"],
])("shows nothing for %j: %s", (source) => {
  expect(body(source)).toBe(source);
});

test("a name of the cell is never taken for the kernel's", () => {
  const { helpers, body: text } = compileCell("cell", "const $last = 1; const $load$ = 2; $last");
  expect(helpers.display).not.toBe("$last");
  expect(helpers.load).toHaveLength("import".length);
  expect(text).toContain(`${helpers.display}(($last))`);
});

test("links imports, names of other cells and the kernel's names behind the text", () => {
  const cell = compileCell(
    "my-cell",
    `import * as torch from "torch"; import { tensor as t } from "torch"; import "torch/nn";\nconst y = x + 1;\nprint(y)`,
  );
  const { text, exports } = linkCell(cell, { ...LINK, scope: new Map([["x", "url:a"]]) });
  expect(text).toBe(
    `$free($values=>{try{y=$values.y}catch{}});${cell.body.replace("const y", "let   y")}\n;import "url:torch/nn";import * as torch from "url:torch";import { tensor as t } from "url:torch";` +
      `import { x } from "url:a";import { display as $last, load as $load$, release as $free, print } from "url:kernel";` +
      `export { torch, t, y };\n//# sourceURL=my-cell`,
  );
  expect(exports).toEqual(["torch", "t", "y"]);
});

test("a constant that gets another value is refused before the cell runs", () => {
  expect(() => compileCell("cell", "const x = 1;\nconst f = () => { x = 2; };")).toThrow(
    expect.objectContaining({ message: "x is a constant: it cannot get another value", line: 2, column: 19 }),
  );
  expect(() => compileCell("cell", "const x = 1; { let x = 2; x = 3; }")).not.toThrow();
  expect(() => compileCell("cell", "for (const x of [1]) print(x); let y = 0; y = 1;")).not.toThrow();
});

test("an import that is only a type is left out", () => {
  const { text, exports } = linkCell(
    compileCell("cell", `import { Tensor, nn } from "torch"; let v: Tensor = nn;`),
    LINK,
  );
  expect(text).not.toContain("Tensor as");
  expect(exports).toEqual(["nn", "v"]);
});

test("dynamic imports keep their width and reach only the course's modules", () => {
  const { body: text, modules } = compileCell("cell", `const t = await import("torch");`);
  expect(text).toBe(`const t = await $load$("torch");`);
  expect(modules).toEqual(["torch"]);
});

test.each<[source: string, message: RegExp, hint: RegExp, line: number, column: number]>([
  ["\nenum A { B }", /cannot hold an enum/, /as const/, 2, 1],
  ["namespace A { export const b = 1 }", /cannot hold a namespace/, /plain constants/, 1, 1],
  ["class A {\n  constructor(private x: number) {}\n}", /parameter property/, /this\.size = size/, 2, 15],
  ["@dec class A {}", /decorator/, /call the function yourself/, 1, 1],
  ["const x = <T>y;", /angle brackets/, /value as Type/, 1, 11],
  ["class A { accessor x = 1 }", /accessor/, /getter and a setter/, 1, 11],
  [`import a = require("b");`, /import … = …/, /import \* as torch/, 1, 1],
  [`\n  import x from "./other.ts"`, /cannot import "\.\/other\.ts"/, /names of earlier cells need no import/, 2, 17],
  [`import x from "https://evil.example/x.js"`, /cannot import "https:/, /modules of the course/, 1, 15],
  [`import x from "torch.nn"`, /no module named "torch\.nn"/, /did you mean "torch\/nn"/, 1, 15],
  [`import x from "pandas"`, /no module named "pandas"/, /known modules: "torch"/, 1, 15],
  ["export default 1", /no default export/, /give it a name/, 1, 1],
  [`export { a } from "torch"`, /export from another module/, /visible in the cells below/, 1, 1],
  ["const a = 1; export { a as b }", /under another name|under another one/, /const b = a/, 1, 23],
  ["foo(1,", /Unexpected token/, /ends too early/, 1, 7],
])("refuses %j with the place and the way out", (source, message, hint, line, column) => {
  const error = fault(source);
  expect(error.message).toMatch(message);
  expect(error.hint).toMatch(hint);
  expect([error.line, error.column]).toEqual([line, column]);
});

test("names what a module does not export", () => {
  const wrong = fault(`import { tensr } from "torch"; tensr(1)`, (cell) => linkCell(cell, LINK));
  expect([wrong.message, wrong.hint, wrong.column]).toEqual(['"torch" has no "tensr"', 'did you mean "tensor"?', 10]);
  const byDefault = fault(`import torch from "torch"; torch.x`, (cell) => linkCell(cell, LINK));
  expect(byDefault.hint).toBe('write import * as torch from "torch"');
});

test("a name declared twice is an error at the second place", () => {
  const error = fault("const x = 1;\nconst x = 2;");
  expect([error.message, error.line, error.column]).toEqual(["Identifier 'x' has already been declared", 2, 7]);
});

/** Without places and empty statements. */
function treeOf(source: string): unknown {
  const plain = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.filter((it) => !/^Empty/.test(it?.type ?? "")).map(plain);
    if (typeof value !== "object" || value === null) return typeof value === "bigint" ? String(value) : value;
    const fields = Object.entries(value).filter(([field]) => !["start", "end", "raw"].includes(field));
    return Object.fromEntries(fields.map(([field, inner]) => [field, plain(inner)]));
  };
  return plain(Parser.parse(source, { ecmaVersion: "latest", sourceType: "module" }).body);
}

test("the engine's own files without types are the program that Node's stripper leaves", () => {
  const files = globSync("engine/**/*.ts", { exclude: ["engine/backends/wasm/assembly/**"] });
  expect(files.length).toBeGreaterThan(50);
  for (const file of files) {
    const source = readFileSync(file, "utf8");
    const blanks = new Blanks(source);
    eraseTypes(parseModule(source), blanks);
    const ours = blanks.toString();
    expect(ours.length, file).toBe(source.length);
    // Lists of imported and exported names are compileCell's: it writes them anew.
    expect(treeOf(withoutLists(ours)), file).toEqual(treeOf(withoutLists(stripTypeScriptTypes(source))));
  }
}, 60_000);

function withoutLists(source: string): string {
  return source.replace(/^import\b[^;]*;/gm, "").replace(/^export (?:\{[^}]*\}|\*)[^;]*;/gm, "");
}
