/**
 * Colours for a cell that the student has changed, in the classes that the build uses. A scanner of a screenful: words,
 * strings, comments, numbers. The build's grammar knows more; the difference is a shade here and there.
 */

const KEYWORDS = new Set(
  (
    "abstract as async await break case catch class const continue default delete do else enum export extends false " +
    "finally for from function get if implements import in instanceof interface let new null of private protected " +
    "public readonly return set static super switch this throw true try type typeof undefined var void while yield"
  ).split(" "),
);

const TOKEN =
  /(\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|("(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?|`(?:\\[\s\S]|[^`\\])*`?)|(\b(?:0[xob][\da-f_]+|\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?)n?\b)|([A-Za-z_$][\w$]*)|([{}()[\];,.:?!<>=+\-*/%&|^~]+)/gi;

export interface Token {
  text: string;
  /** Class of the build's theme, or null. */
  kind: "comment" | "string" | "constant" | "keyword" | "function" | "punctuation" | null;
}

/** Splits code into coloured pieces; joined, they are the code to the letter. */
export function tokenize(code: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (const match of code.matchAll(TOKEN)) {
    if (match.index > at) tokens.push({ text: code.slice(at, match.index), kind: null });
    const [text, comment, string, number, word] = match;
    at = match.index + text.length;
    let kind: Token["kind"] = "punctuation";
    if (comment !== undefined) kind = "comment";
    else if (string !== undefined) kind = "string";
    else if (number !== undefined) kind = "constant";
    else if (word !== undefined) {
      if (/^(true|false|null|undefined)$/.test(word)) kind = "constant";
      else if (KEYWORDS.has(word)) kind = "keyword";
      else kind = /^\s*\(/.test(code.slice(at, at + 40)) ? "function" : null;
    }
    tokens.push({ text, kind });
  }
  if (at < code.length) tokens.push({ text: code.slice(at), kind: null });
  return tokens;
}

/** The same structure as the build's: one element per line, its text exact. */
export function codeElement(code: string): HTMLElement {
  const pre = document.createElement("pre");
  pre.className = "code";
  pre.translate = false;
  pre.dataset.language = "ts";
  const body = document.createElement("code");
  let number = 1;
  let line = newLine(number);
  body.append(line);
  for (const { text, kind } of tokenize(code)) {
    text.split("\n").forEach((piece, index) => {
      if (index > 0) {
        line = newLine(++number);
        body.append("\n", line);
      }
      if (piece === "") return;
      if (kind === null) line.append(piece);
      else {
        const span = document.createElement("span");
        span.className = `t-${kind}`;
        span.textContent = piece;
        line.append(span);
      }
    });
  }
  pre.append(body);
  return pre;
}

function newLine(number: number): HTMLElement {
  const line = document.createElement("span");
  line.className = "line";
  line.dataset.line = String(number);
  return line;
}
