/** The rich editor's entry: importing this file is what loads Monaco. */
import "./features.ts";
import "./monaco.css";
import EditorWorker from "monaco-editor/editor/editor.worker?worker";
import { messages } from "../../i18n/index.ts";
import type { EditorFactory } from "../editor.ts";
import CellWorker from "./cell.worker.ts?worker";
import { MonacoCellEditor } from "./cell-editor.ts";
import { followTheme } from "./theme.ts";
import { prepareTypes } from "./workspace.ts";

self.MonacoEnvironment = {
  getWorker: (_module: string, label: string) => (label === "typescript" ? new CellWorker() : new EditorWorker()),
};

followTheme();
// Without types the editor still edits; the next visit tries again.
prepareTypes().catch((error: Error) => console.warn(`stride: ${error.message}`));

export const factory: EditorFactory = {
  mount(host, cell, events) {
    const t = messages(cell.locale).cell;
    return new MonacoCellEditor(host, cell, events, { tabIndents: t.tabIndents, tabLeaves: t.tabLeaves });
  },
};
