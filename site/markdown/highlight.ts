/**
 * Code as HTML at build time: one element per line, tokens as classes, so that both themes colour it by CSS variables, a
 * line can be marked when an error happens on it, and the text of the element is the code to the letter.
 */
import type { Element, ElementContent } from "hast";
import { createHighlighter, type Highlighter, type ThemeRegistrationRaw } from "shiki";

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

/** Class → what it colours. The theme gives each class a number for a colour, and the class comes back from it. */
const CLASSES: [name: string, scopes: string[]][] = [
  ["comment", ["comment", "punctuation.definition.comment"]],
  ["string", ["string", "punctuation.definition.string", "constant.character.escape"]],
  ["constant", ["constant.numeric", "constant.language", "keyword.other.unit"]],
  ["keyword", ["keyword", "storage", "variable.language", "keyword.operator.new", "keyword.operator.expression"]],
  ["function", ["entity.name.function", "support.function", "meta.function-call.generic"]],
  ["type", ["entity.name.type", "entity.name.class", "support.type", "support.class", "entity.other.inherited-class"]],
  ["punctuation", ["punctuation", "meta.brace", "keyword.operator"]],
];

const colorOf = (index: number): string => `#0000${(index + 1).toString(16).padStart(2, "0").toUpperCase()}`;

const THEME: ThemeRegistrationRaw = {
  name: "stride",
  type: "light",
  fg: "#000000",
  bg: "#FFFFFF",
  settings: CLASSES.map(([, scope], index) => ({ scope, settings: { foreground: colorOf(index) } })),
};

let highlighter: Promise<Highlighter> | undefined;

function load(): Promise<Highlighter> {
  highlighter ??= createHighlighter({ themes: [THEME], langs: Object.values(GRAMMARS) });
  return highlighter;
}

function tokenClass(color: string | undefined): string | null {
  const index = CLASSES.findIndex((_, at) => colorOf(at) === color?.toUpperCase());
  return index < 0 ? null : CLASSES[index]![0];
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
          return name === null || token.content.trim() === ""
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
