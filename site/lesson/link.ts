/**
 * The end of a compiled cell: its imports, the names it takes from other cells (live bindings of their modules), and the
 * export of its own. Apart from the compiler, since this runs in the kernel, which need not carry a parser.
 */
import { CellSyntaxError } from "./cell-error.ts";
import type { CellImport, CompiledCell } from "./compile.ts";
import { nearest } from "./nearest.ts";

export interface LinkOptions {
  /** The URL of a module of the course. */
  moduleUrl(name: string): string;
  /** What a module exports, to say which name is wrong. */
  exportsOf(name: string): readonly string[];
  /** The URL of the kernel's own module for this cell, and the names it exports beside the two helpers. */
  kernelUrl: string;
  kernelNames: readonly string[];
  /** Free name → URL of the module of the cell that defines it. */
  scope: ReadonlyMap<string, string>;
}

/** @throws CellSyntaxError for a name that a module does not export, or an assignment to another cell's name. */
export function linkCell(cell: CompiledCell, options: LinkOptions): { text: string; exports: string[] } {
  const lines: string[] = [];
  const missing = new Set<string>();
  for (const name of cell.modules)
    if (!cell.imports.some((it) => it.module === name)) lines.push(`import ${quote(options.moduleUrl(name))}`);
  for (const it of cell.imports) {
    if (it.imported !== "*" && !options.exportsOf(it.module).includes(it.imported)) {
      if (it.used) throw missingExport(it, options.exportsOf(it.module));
      missing.add(it.local);
      continue;
    }
    const clause = it.imported === "*" ? `* as ${it.local}` : `{ ${it.imported} as ${it.local} }`;
    lines.push(`import ${clause} from ${quote(options.moduleUrl(it.module))}`);
  }
  const fromKernel = [
    `display as ${cell.helpers.display}`,
    `load as ${cell.helpers.load}`,
    `release as ${cell.helpers.release}`,
  ];
  for (const free of cell.free) {
    const definer = options.scope.get(free.name);
    if (definer !== undefined) lines.push(`import { ${free.name} } from ${quote(definer)}`);
    else if (options.kernelNames.includes(free.name)) fromKernel.push(free.name);
  }
  lines.push(`import { ${fromKernel.join(", ")} } from ${quote(options.kernelUrl)}`);
  const exports = cell.definitions.filter((name) => !missing.has(name));
  lines.push(`export { ${exports.join(", ")} }`);
  return { text: `${cell.head}${withVariables(cell)}\n;${lines.join(";")};\n//# sourceURL=${cell.cellId}`, exports };
}

/** `const` becomes `let` and two spaces: nothing moves. */
function withVariables({ body, constants }: CompiledCell): string {
  return constants.reduce((text, at) => `${text.slice(0, at)}let  ${text.slice(at + "const".length)}`, body);
}

/** A place in the running text → the place in the cell. Both 1-based. */
export function sourcePlace(
  cell: Pick<CompiledCell, "inserts">,
  line: number,
  column: number,
): { line: number; column: number } {
  let at = column;
  for (const insert of cell.inserts)
    if (insert.line === line && at > insert.column) at = Math.max(insert.column, at - insert.length);
  return { line, column: at };
}

function quote(text: string): string {
  return JSON.stringify(text);
}

function missingExport(it: CellImport, names: readonly string[]): CellSyntaxError {
  if (it.imported === "default") {
    return new CellSyntaxError(
      `"${it.module}" has no default export`,
      it,
      `write import * as ${it.local} from "${it.module}"`,
    );
  }
  // Tensor and tensor are equally near: a small letter was meant as one.
  const isClass = (name: string): boolean => /^[A-Z]/.test(name);
  const alike = names.toSorted(
    (a, b) => Number(isClass(b) === isClass(it.imported)) - Number(isClass(a) === isClass(it.imported)),
  );
  const close = nearest(it.imported, alike);
  return new CellSyntaxError(`"${it.module}" has no "${it.imported}"`, it, close ? `did you mean "${close}"?` : null);
}
