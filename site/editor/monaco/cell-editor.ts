/** Monaco mounted in a cell: as tall as its text, in the type and colours of the code it replaces. */
import { type editor, type IDisposable, KeyCode, KeyMod } from "monaco-editor/editor";
import type { CellEditor, EditedCell, EditorEvents } from "../editor.ts";
import { type PooledEditor, returnEditor, takeEditor } from "./pool.ts";
import { modelOf } from "./workspace.ts";

/** Esc belongs to whatever is open in the editor first. */
const NOTHING_OPEN =
  "!suggestWidgetVisible && !parameterHintsVisible && !findWidgetVisible && !renameInputVisible && !markersNavigationVisible && !inSnippetMode && !editorHasMultipleSelections && !editorHoverVisible";

export class MonacoCellEditor implements CellEditor {
  readonly kind = "rich";
  readonly #pooled: PooledEditor;
  readonly #model: editor.ITextModel;
  readonly #subscriptions: IDisposable[] = [];
  readonly #marks: editor.IEditorDecorationsCollection;
  #quiet = false;

  constructor(
    host: HTMLElement,
    cell: EditedCell,
    events: EditorEvents,
    words: { tabIndents: string; tabLeaves: string },
  ) {
    const pooled = takeEditor();
    this.#pooled = pooled;
    this.#model = modelOf(cell);
    const monaco = pooled.editor;
    const styles = getComputedStyle(host);
    monaco.updateOptions({
      fontFamily: styles.getPropertyValue("--font-code") || styles.fontFamily,
      fontSize: Number.parseFloat(styles.fontSize),
      lineHeight: Number.parseFloat(styles.lineHeight) || 22,
      fontLigatures: false,
      ariaLabel: cell.label,
      tabFocusMode: true,
    });
    monaco.setModel(this.#model);
    host.append(pooled.element, tabSwitch(monaco, words));
    this.#marks = monaco.createDecorationsCollection();
    const resize = () => {
      const height = Math.max(monaco.getContentHeight(), Number.parseFloat(styles.lineHeight) || 22);
      pooled.element.style.height = `${height}px`;
      monaco.layout();
    };
    resize();
    this.#subscriptions.push(
      monaco.onDidContentSizeChange(resize),
      this.#model.onDidChangeContent(() => {
        if (this.#quiet) return;
        this.markLine(null);
        events.change(this.#model.getValue());
      }),
      ...[
        { id: "stride.run", keys: [KeyMod.CtrlCmd | KeyCode.Enter], run: () => events.run("stay") },
        { id: "stride.runAndGoOn", keys: [KeyMod.Shift | KeyCode.Enter], run: () => events.run("advance") },
        { id: "stride.runAll", keys: [KeyMod.CtrlCmd | KeyMod.Shift | KeyCode.Enter], run: () => events.run("all") },
        { id: "stride.leave", keys: [KeyCode.Escape], run: () => events.leave(), when: NOTHING_OPEN },
      ].map(({ id, keys, run, when }) =>
        monaco.addAction({ id, label: id, keybindings: keys, keybindingContext: when ?? "editorTextFocus", run }),
      ),
    );
  }

  get source(): string {
    return this.#model.getValue();
  }

  setSource(source: string): void {
    if (source === this.#model.getValue()) return;
    this.#quiet = true;
    // As an edit, so that undo brings the student's text back.
    this.#model.pushEditOperations([], [{ range: this.#model.getFullModelRange(), text: source }], () => null);
    this.#quiet = false;
  }

  focus(line?: number, column = 1): void {
    const monaco = this.#pooled.editor;
    if (line !== undefined) monaco.setPosition({ lineNumber: line, column });
    monaco.focus();
  }

  markLine(line: number | null): void {
    this.#marks.set(
      line === null
        ? []
        : [
            {
              range: { startLineNumber: line, startColumn: 1, endLineNumber: line, endColumn: 1 },
              options: { isWholeLine: true, className: "editor-error-line" },
            },
          ],
    );
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#marks.clear();
    returnEditor(this.#pooled);
  }
}

/** The visible switch for the Tab key. */
function tabSwitch(
  monaco: editor.IStandaloneCodeEditor,
  words: { tabIndents: string; tabLeaves: string },
): HTMLElement {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "editor-tab-switch";
  let leaves = true;
  const say = () => {
    button.textContent = leaves ? words.tabLeaves : words.tabIndents;
    button.setAttribute("aria-pressed", String(!leaves));
  };
  button.addEventListener("click", () => {
    leaves = !leaves;
    monaco.updateOptions({ tabFocusMode: leaves });
    say();
    monaco.focus();
  });
  say();
  return button;
}
