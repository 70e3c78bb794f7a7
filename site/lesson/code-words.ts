/**
 * Code without its comments, so that two languages of one lesson can be held together while each explains itself in its
 * own words. A reader of tokens, not a parser: starters may be unfinished on purpose.
 */

export interface CodeWord {
  text: string;
  /** 1-based, within the source. */
  line: number;
}

/**
 * The tokens of TypeScript, comments and white space left out.
 * @param maskStrings strings and templates become "": for checks, whose sentences are translated
 */
export function typescriptWords(source: string, maskStrings = false): CodeWord[] {
  const words: CodeWord[] = [];
  let at = 0;
  let line = 1;
  const take = (end: number, keep: string | null) => {
    if (keep !== null) words.push({ text: keep, line });
    for (; at < end; at++) if (source[at] === "\n") line++;
  };
  while (at < source.length) {
    const char = source[at]!;
    const rest = source.slice(at, at + 2);
    if (/\s/.test(char)) take(at + 1, null);
    else if (rest === "//") {
      const end = source.indexOf("\n", at);
      take(end < 0 ? source.length : end, null);
    } else if (rest === "/*") {
      const end = source.indexOf("*/", at + 2);
      take(end < 0 ? source.length : end + 2, null);
    } else if (char === '"' || char === "'" || char === "`") {
      const end = char === "`" ? templateEnd(source, at) : stringEnd(source, at);
      take(end, maskStrings ? '""' : source.slice(at, end));
    } else if (char === "/" && regexMayStart(words.at(-1)?.text)) {
      const end = regexEnd(source, at);
      take(end, source.slice(at, end));
    } else {
      const name =
        /^[\p{ID_Continue}$]+/u.exec(source.slice(at, at + 200))?.[0] ?? String.fromCodePoint(source.codePointAt(at)!);
      take(at + name.length, name);
    }
  }
  return words;
}

function stringEnd(source: string, start: number): number {
  for (let at = start + 1; at < source.length; at++) {
    if (source[at] === "\\") at++;
    else if (source[at] === source[start]) return at + 1;
    else if (source[at] === "\n") return at;
  }
  return source.length;
}

function templateEnd(source: string, start: number): number {
  let depth = 0;
  for (let at = start + 1; at < source.length; at++) {
    if (source[at] === "\\") at++;
    else if (source.startsWith("${", at)) depth++;
    else if (source[at] === "}" && depth > 0) depth--;
    else if (source[at] === "`" && depth === 0) return at + 1;
  }
  return source.length;
}

function regexMayStart(previous: string | undefined): boolean {
  return (
    previous === undefined ||
    /^[(,=:[!&|?{};+\-*%<>~^]$/.test(previous) ||
    /^(return|typeof|case|of|in|await)$/.test(previous)
  );
}

function regexEnd(source: string, start: number): number {
  let set = false;
  for (let at = start + 1; at < source.length; at++) {
    if (source[at] === "\\") at++;
    else if (source[at] === "\n") return start + 1;
    else if (source[at] === "[") set = true;
    else if (source[at] === "]") set = false;
    else if (source[at] === "/" && !set) return at + 1;
  }
  return start + 1;
}

/** The lines of Python that are left when comments and blank lines go. */
export function pythonWords(source: string): CodeWord[] {
  const words: CodeWord[] = [];
  let quote = "";
  source.split("\n").forEach((line, index) => {
    let kept = "";
    for (let at = 0; at < line.length; at++) {
      const char = line[at]!;
      if (quote !== "") {
        if (char === "\\") {
          kept += char + (line[++at] ?? "");
          continue;
        }
        if (line.startsWith(quote, at)) {
          kept += quote;
          at += quote.length - 1;
          quote = "";
          continue;
        }
      } else if (char === "#") break;
      else if (char === '"' || char === "'") {
        quote = line.startsWith(char.repeat(3), at) ? char.repeat(3) : char;
        kept += quote;
        at += quote.length - 1;
        continue;
      }
      kept += char;
    }
    // Only triple quotes live past the end of a line.
    if (quote.length === 1) quote = "";
    if (kept.trim() !== "") words.push({ text: kept.trimEnd(), line: index + 1 });
  });
  return words;
}

/** Lines (in each source) of the first difference, or null when the words are the same. */
export function firstDifference(a: readonly CodeWord[], b: readonly CodeWord[]): { a: number; b: number } | null {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    if (a[i]?.text !== b[i]?.text)
      return { a: a[i]?.line ?? a.at(-1)?.line ?? 1, b: b[i]?.line ?? b.at(-1)?.line ?? 1 };
  }
  return null;
}

/** Whether a Python program surely reaches a print: one that doesn't stand in a function or a class. */
export function printsAtTopLevel(source: string): boolean {
  let insideOf = Number.POSITIVE_INFINITY;
  for (const { text } of pythonWords(source)) {
    const indent = text.length - text.trimStart().length;
    if (indent <= insideOf) insideOf = Number.POSITIVE_INFINITY;
    if (insideOf !== Number.POSITIVE_INFINITY) continue;
    if (/^\s*(async\s+def|def|class)\b/.test(text)) insideOf = indent;
    else if (/^\s*print\s*\(/.test(text)) return true;
  }
  return false;
}
