/**
 * A cell (the text of a TypeScript module) made executable, by inserting and blanking only: an error in the running text
 * has the line and column of the cell. Types become spaces; imports become spaces and return at the end, where imports are
 * as good; the last expression is wrapped in a call that shows it, and the width of that call is remembered.
 *
 * The kernel's modules live as long as the kernel. So that a cell which runs again does not keep what it made before, its
 * text begins with a function, given to the kernel, that gives its top-level names other values: those of the next run, as
 * a notebook's global names have it. For that constants are linked as variables, and assigning to one is an error here.
 *
 * `compileCell` knows nothing of other cells; `linkCell` (link.ts) adds the end that joins them.
 */
import { Blanks, eraseTypes, isTypeStatement } from "./erase-types.ts";
import { COURSE_MODULES } from "./modules.ts";
import { readNames } from "./names.ts";
import { nearest } from "./nearest.ts";
import { CellSyntaxError, childrenOf, nodeField, nodesField, parseModule, placeOf, type SyntaxNode } from "./syntax.ts";

export { CellSyntaxError } from "./syntax.ts";

export interface FreeName {
  name: string;
  /** 1-based place of its first use. */
  line: number;
  column: number;
  /** Where the cell assigns to it, or null. */
  assigned: { line: number; column: number } | null;
}

export interface CellImport {
  module: string;
  /** The exported name, "default", or "*" for the namespace. */
  imported: string;
  local: string;
  /** False when the local name is only used in types. */
  used: boolean;
  line: number;
  column: number;
}

/** Text put into a line: an error to the right of it is that much too far right. Columns are those of the source. */
interface Insert {
  line: number;
  column: number;
  length: number;
}

export interface CompiledCell {
  cellId: string;
  source: string;
  /** Stands before the body, on its first line: hands over the function that rebinds the cell's names. */
  head: string;
  /** The source with types, imports and `export` blanked. Not complete without linkCell's end. */
  body: string;
  /** Offsets in the body of each `const` that is linked as `let`. */
  constants: number[];
  /** Top-level names, imported ones included: what later cells can use. */
  definitions: string[];
  free: FreeName[];
  imports: CellImport[];
  /** Every module it imports, also for effects or dynamically. */
  modules: string[];
  topLevelAwait: boolean;
  /** Its interfaces and type aliases, and the names its types take from elsewhere: for the type checker. */
  types: string[];
  typeReferences: string[];
  /** Names that the linked text uses for the kernel's own functions; they occur nowhere in the source. */
  helpers: { display: string; load: string; release: string };
  inserts: Insert[];
}

export interface CompileOptions {
  /** Modules that exist; the course's by default. */
  modules?: readonly string[];
}

/**
 * @throws CellSyntaxError with line and column: a syntax error, TypeScript that is more than types, an unknown module, a
 * relative or remote import.
 */
export function compileCell(cellId: string, source: string, options: CompileOptions = {}): CompiledCell {
  const known = options.modules ?? COURSE_MODULES;
  const program = parseModule(source);
  const names = readNames(program);
  const place = (offset: number) => placeOf(source, offset);
  const blanks = new Blanks(source);
  const imports: CellImport[] = [];
  const modules = new Set<string>();

  for (const statement of program) {
    if (statement.type === "ImportDeclaration") {
      const module = checkedModule(nodeField(statement, "source")!, known, source);
      if (statement.importKind !== "type") {
        modules.add(module);
        imports.push(...importsOf(statement, module, names.used, source));
      }
      blanks.blankStatement(statement.start, statement.end);
    } else if (/^Export/.test(statement.type) && !isTypeStatement(statement)) {
      blankExport(statement, blanks);
    }
  }
  eraseTypes(program, blanks);

  const [reassigned] = names.constantsAssigned;
  if (reassigned) {
    throw new CellSyntaxError(
      `${reassigned.name} is a constant: it cannot get another value`,
      place(reassigned.start),
      `declare it with let ${reassigned.name} = …, or give the new value a name of its own`,
    );
  }
  const helpers = {
    display: unusedName("$last", source),
    load: unusedName("$load$", source),
    release: unusedName("$free", source),
  };
  for (const node of dynamicImports(program)) {
    const argument = nodeField(node, "source")!;
    if (argument.type === "Literal") modules.add(checkedModule(argument, known, source));
    // `import` and the helper have the same width: nothing moves.
    for (let i = 0; i < "import".length; i++) blanks.put(node.start + i, helpers.load[i]!);
  }

  const { body, inserts } = showLast(program, blanks.toString(), helpers.display, source);
  const imported = new Set(imports.map(({ local }) => local));
  const own = names.definitions.filter((name) => !imported.has(name));
  const head = releaser(own, helpers.release, unusedName("$values", source));
  return {
    cellId,
    source,
    head,
    body,
    constants: constantsOf(program),
    definitions: names.definitions,
    free: names.free
      .toSorted((a, b) => a.start - b.start)
      .map(({ name, start, assigned }) => ({
        name,
        ...place(start),
        assigned: assigned === null ? null : place(assigned),
      })),
    imports,
    modules: [...modules],
    topLevelAwait: names.topLevelAwait,
    types: names.types,
    typeReferences: names.typeReferences.filter((name) => name !== "const"),
    helpers,
    inserts: [{ line: 1, column: 1, length: head.length }, ...inserts],
  };
}

/** Offsets of the `const` of top-level declarations. All stand before the last expression, where text is inserted. */
function constantsOf(program: readonly SyntaxNode[]): number[] {
  return program
    .map((statement) => nodeField(statement, "declaration") ?? statement)
    .filter(({ type, kind, declare }) => type === "VariableDeclaration" && kind === "const" && declare !== true)
    .map(({ start }) => start);
}

/** Hands over the function that rebinds each name on its own: one that the text has not reached yet cannot be set. */
function releaser(names: readonly string[], release: string, values: string): string {
  if (names.length === 0) return "";
  return `${release}(${values}=>{${names.map((name) => `try{${name}=${values}.${name}}catch{}`).join("")}});`;
}

function checkedModule(literal: SyntaxNode, known: readonly string[], source: string): string {
  const name = String(literal.value);
  if (known.includes(name)) return name;
  const list = known.map((it) => `"${it}"`).join(", ");
  const place = placeOf(source, literal.start);
  if (/^(\.|\/|[a-z]+:)/i.test(name)) {
    throw new CellSyntaxError(
      `a cell cannot import "${name}": it runs apart from files and the network`,
      place,
      `the modules of the course are ${list}; names of earlier cells need no import`,
    );
  }
  const close = nearest(name.replaceAll(".", "/"), known);
  throw new CellSyntaxError(
    `no module named "${name}"`,
    place,
    close ? `did you mean "${close}"?` : `known modules: ${list}`,
  );
}

function importsOf(statement: SyntaxNode, module: string, used: ReadonlySet<string>, source: string): CellImport[] {
  const found: CellImport[] = [];
  for (const specifier of nodesField(statement, "specifiers")) {
    if (specifier.importKind === "type") continue;
    const local = nodeField(specifier, "local")!.name as string;
    const imported = nodeField(specifier, "imported");
    const name =
      specifier.type === "ImportNamespaceSpecifier"
        ? "*"
        : specifier.type === "ImportDefaultSpecifier"
          ? "default"
          : String(imported?.name ?? imported?.value);
    found.push({ module, imported: name, local, used: used.has(local), ...placeOf(source, specifier.start) });
  }
  return found;
}

/** Every top-level name of a cell is visible below, so `export` before a declaration says nothing new. */
function blankExport(statement: SyntaxNode, blanks: Blanks): void {
  const { source } = blanks;
  const declaration = nodeField(statement, "declaration");
  const place = placeOf(source, statement.start);
  if (statement.type === "ExportDefaultDeclaration") {
    throw new CellSyntaxError("a cell has no default export", place, "give it a name: const net = …");
  }
  if (nodeField(statement, "source")) {
    throw new CellSyntaxError(
      "a cell cannot export from another module",
      place,
      "import the names: they are visible in the cells below",
    );
  }
  if (declaration) {
    blanks.blank(statement.start, statement.start + "export".length);
    return;
  }
  for (const specifier of nodesField(statement, "specifiers")) {
    const local = nodeField(specifier, "local")!;
    const exported = nodeField(specifier, "exported")!;
    if (local.name !== exported.name) {
      throw new CellSyntaxError(
        "a cell cannot export a name under another one",
        placeOf(source, specifier.start),
        `write const ${String(exported.name ?? "newName")} = ${String(local.name)}`,
      );
    }
  }
  blanks.blankStatement(statement.start, statement.end);
  // Nothing of it is left to visit.
  statement.type = "EmptyStatement";
  statement.specifiers = [];
}

function dynamicImports(nodes: readonly SyntaxNode[]): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  const visit = (node: SyntaxNode): void => {
    if (node.type === "ImportExpression") found.push(node);
    for (const child of childrenOf(node)) visit(child);
  };
  for (const node of nodes) visit(node);
  return found;
}

/** A name of the same width that the source does not contain. */
function unusedName(name: string, source: string): string {
  let candidate = name;
  for (let n = 0; source.includes(candidate); n++) candidate = `$${n.toString(36).padStart(name.length - 1, "_")}`;
  return candidate;
}

/** Assignments are statements in Python: they show nothing. */
const SILENT = new Set(["AssignmentExpression", "UpdateExpression"]);

function showLast(
  program: SyntaxNode[],
  body: string,
  display: string,
  source: string,
): { body: string; inserts: Insert[] } {
  const last = program.findLast((statement) => statement.type !== "EmptyStatement" && !isTypeStatement(statement));
  const expression = last?.type === "ExpressionStatement" ? nodeField(last, "expression") : null;
  if (!last || !expression || SILENT.has(expression.type)) return { body, inserts: [] };
  const open = `${display}((`;
  const end = source[last.end - 1] === ";" ? last.end - 1 : last.end;
  const startPlace = placeOf(source, last.start);
  const endPlace = placeOf(source, end);
  // A type at the very end left its own semicolon there.
  const inner = body.slice(last.start, end).replace(/;(?=\s*$)/, " ");
  return {
    body: `${body.slice(0, last.start)}${open}${inner}))${body.slice(end)}`,
    inserts: [
      { ...startPlace, length: open.length },
      { ...endPlace, length: "))".length },
    ],
  };
}
