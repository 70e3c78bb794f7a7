/** Monaco in the page's own colours: read from the custom properties, so that they stand in one place. */
import { editor } from "monaco-editor/editor";

const NAME = "stride";

function color(styles: CSSStyleDeclaration, property: string): string {
  return styles.getPropertyValue(property).trim();
}

/** Without "#", as Monaco's token rules want it. */
function token(styles: CSSStyleDeclaration, name: string): string {
  return color(styles, `--code-${name}`).replace("#", "");
}

function define(): void {
  const styles = getComputedStyle(document.documentElement);
  const dark = document.documentElement.dataset.theme === "dark";
  const clear = "#00000000";
  editor.defineTheme(NAME, {
    base: dark ? "vs-dark" : "vs",
    inherit: true,
    rules: [
      { token: "", foreground: token(styles, "ink") },
      { token: "comment", foreground: token(styles, "comment") },
      { token: "keyword", foreground: token(styles, "keyword") },
      { token: "string", foreground: token(styles, "string") },
      { token: "number", foreground: token(styles, "number") },
      { token: "type", foreground: token(styles, "type") },
      { token: "type.identifier", foreground: token(styles, "type") },
      { token: "regexp", foreground: token(styles, "string") },
      { token: "delimiter", foreground: token(styles, "punctuation") },
    ],
    colors: {
      "editor.background": clear,
      "editor.foreground": color(styles, "--code-ink"),
      "editorCursor.foreground": color(styles, "--ink"),
      "editor.lineHighlightBackground": clear,
      "editor.lineHighlightBorder": clear,
      "editorWidget.background": color(styles, "--paper-2"),
      "editorWidget.foreground": color(styles, "--ink"),
      "editorWidget.border": color(styles, "--hairline-strong"),
      "editorHoverWidget.background": color(styles, "--paper-2"),
      "editorHoverWidget.foreground": color(styles, "--ink"),
      "editorHoverWidget.border": color(styles, "--hairline-strong"),
      "editorSuggestWidget.background": color(styles, "--paper-2"),
      "editorSuggestWidget.foreground": color(styles, "--ink"),
      "editorSuggestWidget.border": color(styles, "--hairline-strong"),
      "editorSuggestWidget.selectedBackground": color(styles, "--accent-soft"),
      "editorSuggestWidget.selectedForeground": color(styles, "--ink"),
      "editorSuggestWidget.highlightForeground": color(styles, "--accent-ink"),
      "editorSuggestWidget.focusHighlightForeground": color(styles, "--accent-ink"),
      "editorError.foreground": color(styles, "--danger"),
      focusBorder: color(styles, "--focus"),
    },
  });
  editor.setTheme(NAME);
}

/** Applies the theme now and whenever the page changes between light and dark. */
export function followTheme(): void {
  define();
  new MutationObserver(define).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}
