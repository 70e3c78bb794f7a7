/**
 * One lesson is a chain of modules to the type checker. A cell's file holds its text and, behind it where no position can
 * move, a hidden suffix that imports what the cells above give it and exports what it gives to those below: the same scope
 * that the kernel runs it in.
 */
import type { CellFlow, Flow } from "../../lesson/dataflow.ts";

/** Files numbered from here on are exercises: they see the cells, and no cell sees them. */
export const EXERCISE_FROM = 9000;

/** "file:///lesson/0003-first-conv.ts": the number keeps the lesson's order, the id is the cell's. */
export function cellFile(index: number, id: string): string {
  return `file:///lesson/${String(index).padStart(4, "0")}-${id}.ts`;
}

const CELL_FILE = /^file:\/\/\/lesson\/(\d{4})-(.+)\.ts$/;

/** The cell of a file, or null for any other file. */
export function cellOfFile(file: string): { index: number; id: string } | null {
  const match = CELL_FILE.exec(file);
  return match ? { index: Number(match[1]), id: match[2]! } : null;
}

/** What stands behind a cell's text: imports by definer, its own exports, and `export {}` so that it is always a module. */
export function suffixOf(cell: CellFlow, fileOf: (id: string) => string | null): string {
  const imports = new Map<string, string[]>();
  for (const [name, definer] of Object.entries(cell.scope)) {
    const file = fileOf(definer);
    if (file === null) continue;
    const names = imports.get(file) ?? [];
    imports.set(file, names);
    names.push(name);
  }
  const lines = [...imports].map(
    ([file, names]) => `import { ${names.join(", ")} } from ${JSON.stringify(relative(file))};`,
  );
  if (cell.definitions.length > 0) lines.push(`export { ${cell.definitions.join(", ")} };`);
  return `\n;${lines.join("")}export {};`;
}

function relative(file: string): string {
  return `./${file.slice("file:///lesson/".length, -".ts".length)}`;
}

/** The suffix of every cell by file. */
export function suffixes(flow: Flow, files: ReadonlyMap<string, string>): Map<string, string> {
  const result = new Map<string, string>();
  for (const [id, cell] of flow.cells) {
    const file = files.get(id);
    if (file !== undefined)
      result.set(
        file,
        suffixOf(cell, (definer) => files.get(definer) ?? null),
      );
  }
  return result;
}
