/**
 * Code as HTML at build time: one element per line, tokens as classes, so that both themes colour it by CSS variables, a
 * line can be marked when an error happens on it, and the text of the element is the code to the letter.
 */
import type { Element, ElementContent } from "hast";
import { createCssVariablesTheme, createHighlighter, type Highlighter } from "shiki";

/** Names that lessons use for languages, and the grammars that serve them. */
const GRAMMARS: Record<string, string> = {
  ts: "typescript",
  js: "javascript",
  python: "python",
  json: "json",
  sh: "shellscript",
  yaml: "yaml",
  md: "markdown",
  html: "html",
  css: "css",
  diff: "diff",
  wgsl: "wgsl",
};

let highlighter: Promise<Highlighter> | undefined;

function load(): Promise<Highlighter> {
  highlighter ??= createHighlighter({
    themes: [createCssVariablesTheme({ name: "stride", variablePrefix: "--", fontStyle: false })],
    langs: Object.values(GRAMMARS),
  });
  return highlighter;
}

/** The theme's variable, `var(--token-string-expression)`, is the class "string". */
function tokenClass(color: string | undefined): string | null {
  const name = /--token-([a-z-]+)/.exec(color ?? "")?.[1];
  if (!name) return null;
  return { "string-expression": "string", link: "string", inserted: "string", deleted: "keyword", changed: "constant" }[name] ?? name;
}

/** A `<pre>` of the code. `language` null or unknown: no colours, same structure. */
export async function highlightCode(code: string, language: string | null): Promise<Element> {
  const grammar = language === null ? undefined : GRAMMARS[language];
  const lines =
    grammar === undefined
      ? code.split("\n").map((content) => [{ content, color: undefined }])
      : (await load()).codeToTokensBase(code, { lang: grammar as "typescript", theme: "stride" as "none" });
  const children: ElementContent[] = [];
  lines.forEach((tokens, index) => {
    if (index > 0) children.push({ type: "text", value: "\n" });
    children.push({
      type: "element",
      tagName: "span",
      properties: { className: ["line"], dataLine: index + 1 },
      children: tokens
        .filter((token) => token.content !== "")
        .map((token): ElementContent => {
          const name = tokenClass(token.color);
          const text: ElementContent = { type: "text", value: token.content };
          return name === null || name === "foreground" || token.content.trim() === ""
            ? text
            : { type: "element", tagName: "span", properties: { className: [`t-${name}`] }, children: [text] };
        }),
    });
  });
  return {
    type: "element",
    tagName: "pre",
    properties: { className: ["code"], translate: "no", ...(language === null ? {} : { dataLanguage: language }) },
    children: [{ type: "element", tagName: "code", properties: {}, children }],
  };
}
