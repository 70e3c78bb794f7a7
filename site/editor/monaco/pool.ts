/** Editors are dear to make (8 ms and a hundred nodes each) and cheap to move: those that closed wait here for the next cell. */
import { editor } from "monaco-editor/editor";

const KEPT = 3;

export interface PooledEditor {
  readonly element: HTMLElement;
  readonly editor: editor.IStandaloneCodeEditor;
}

const idle: PooledEditor[] = [];

const OPTIONS: editor.IStandaloneEditorConstructionOptions = {
  model: null,
  automaticLayout: true,
  minimap: { enabled: false },
  lineNumbers: "off",
  glyphMargin: false,
  folding: false,
  lineDecorationsWidth: 0,
  lineNumbersMinChars: 0,
  overviewRulerLanes: 0,
  overviewRulerBorder: false,
  hideCursorInOverviewRuler: true,
  renderLineHighlight: "none",
  scrollBeyondLastLine: false,
  scrollBeyondLastColumn: 2,
  scrollbar: {
    vertical: "hidden",
    verticalScrollbarSize: 0,
    horizontalScrollbarSize: 8,
    alwaysConsumeMouseWheel: false,
  },
  guides: { indentation: false },
  bracketPairColorization: { enabled: false },
  stickyScroll: { enabled: false },
  fixedOverflowWidgets: true,
  tabSize: 2,
  // Tab leaves the editor, as everywhere on the page; a switch beside it makes Tab indent.
  tabFocusMode: true,
  acceptSuggestionOnEnter: "smart",
  quickSuggestions: { other: true, comments: false, strings: false },
  wordBasedSuggestions: "off",
  unicodeHighlight: { ambiguousCharacters: false },
  accessibilitySupport: "auto",
  contextmenu: true,
};

/** An editor without a model, in an element that belongs to nobody. */
export function takeEditor(): PooledEditor {
  const kept = idle.pop();
  if (kept) return kept;
  const element = document.createElement("div");
  element.className = "monaco-host";
  return { element, editor: editor.create(element, OPTIONS) };
}

export function returnEditor(pooled: PooledEditor): void {
  pooled.editor.setModel(null);
  pooled.element.remove();
  if (idle.length < KEPT) idle.push(pooled);
  else pooled.editor.dispose();
}
