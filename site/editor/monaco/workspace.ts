/** The lesson as Monaco sees it: a model for every cell, open or not, and the engine's types around them. */

import { typesUrl } from "virtual:stride-types";
import { editor, Uri } from "monaco-editor/editor";
import {
  ModuleKind,
  ModuleResolutionKind,
  ScriptTarget,
  typescriptDefaults,
} from "monaco-editor/languages/features/typescript/register";
import { CELL_GLOBALS_DTS } from "../../lesson/modules.ts";
import type { EditedCell } from "../editor.ts";
import { cellFile, EXERCISE_FROM } from "./cell-files.ts";

/** Sets up the type checker. Rejects when the types cannot be fetched; the editor works without them. */
export async function prepareTypes(): Promise<void> {
  typescriptDefaults.setCompilerOptions({
    target: ScriptTarget.ESNext,
    module: ModuleKind.ESNext,
    moduleResolution: ModuleResolutionKind.NodeJs,
    moduleDetection: 3,
    lib: ["lib.esnext.d.ts"],
    strict: true,
    noImplicitAny: false,
    allowNonTsExtensions: true,
    skipLibCheck: true,
  });
  typescriptDefaults.setDiagnosticsOptions({
    // 1375, 1378: top-level await, which a cell has; 7044, 7016: hints about types nobody wrote.
    diagnosticCodesToIgnore: [1375, 1378, 7016, 7044],
  });
  typescriptDefaults.setEagerModelSync(true);
  const libraries = [{ content: CELL_GLOBALS_DTS + CONSOLE, filePath: "file:///globals.d.ts" }];
  typescriptDefaults.setExtraLibs(libraries);
  const answer = await fetch(typesUrl);
  if (!answer.ok) throw new Error(`the types of the engine could not be loaded (${answer.status})`);
  const types = (await answer.json()) as Record<string, string>;
  for (const [path, content] of Object.entries(types)) {
    libraries.push({ content, filePath: `file:///node_modules/${path}` });
  }
  typescriptDefaults.setExtraLibs(libraries);
}

/** The part of the platform that cells have; the page's own (document, window) would only lead astray. */
const CONSOLE = `
declare const console: { log(...values: unknown[]): void; info(...values: unknown[]): void; warn(...values: unknown[]): void; error(...values: unknown[]): void; debug(...values: unknown[]): void };
declare function setTimeout(handler: () => void, ms?: number): number;
declare function clearTimeout(id: number): void;
declare function setInterval(handler: () => void, ms?: number): number;
declare function clearInterval(id: number): void;
declare function queueMicrotask(callback: () => void): void;
declare const performance: { now(): number };
`;

function uriOf(index: number, id: string): Uri {
  return Uri.parse(cellFile(index, id));
}

/** The model of a cell, with those of all other cells of the lesson brought up to date. */
export function modelOf(cell: EditedCell): editor.ITextModel {
  const cells = cell.lesson();
  cells.forEach(({ id, source }, index) => {
    const uri = uriOf(index, id);
    const model = editor.getModel(uri);
    if (!model) editor.createModel(source, "typescript", uri);
    else if (model.getValue() !== source) model.setValue(source);
  });
  const place = cells.findIndex(({ id }) => id === cell.id);
  const uri = place >= 0 ? uriOf(place, cell.id) : uriOf(EXERCISE_FROM, cell.id);
  const model = editor.getModel(uri) ?? editor.createModel(cell.source, "typescript", uri);
  if (model.getValue() !== cell.source) model.setValue(cell.source);
  return model;
}
