/**
 * The skeleton of a lesson, read line by line: where fences and directives open and close. Markdown itself closes
 * whatever is open at the end of the file without a word, and wants an outer directive to have more colons than an inner
 * one; authors get an error with the line on which they forgot to close, and may write three colons everywhere.
 */
import { BLOCKS, type BlockKind, DIRECTIVES } from "./fence.ts";

export interface DirectiveMark {
  name: string;
  form: "container" | "leaf";
  /** 1-based, of the first colon. */
  line: number;
  column: number;
  colons: number;
  /** The text between [ and ], or null. */
  label: string | null;
  /** The text between { and }, "" without braces, and the column on which it starts. */
  words: string;
  wordsColumn: number;
  parent: DirectiveMark | null;
  /** Line of the closing colons; null while open, and for leaves. */
  closeLine: number | null;
  /** 1 for a container without containers in it, 2 for one that holds such, … */
  height: number;
}

export interface OutlineFault {
  line: number;
  column: number;
  code: string;
  message: string;
  fix: string;
}

export interface Outline {
  directives: DirectiveMark[];
  /** What is left open, or closed without being open: with these, the rest of the file can't be trusted. */
  faults: OutlineFault[];
  /** First line after the front matter, 1-based. */
  bodyLine: number;
}

const FENCE_OPEN = /^[\s>]*(?:(?:[-*+]|\d+[.)])\s+)?(`{3,}|~{3,})(.*)$/;
const FENCE_CLOSE = /^[\s>]*(`{3,}|~{3,})\s*$/;
const DIRECTIVE_OPEN = /^( {0,3})(:{2,})([A-Za-z][\w-]*)(.*)$/;
const DIRECTIVE_CLOSE = /^ {0,3}(:{3,})\s*$/;
/** What looks like a directive to its author and like prose to Markdown. */
const NEAR_DIRECTIVE = /^( {0,3})(?::([A-Za-z][\w-]*)(?=\{)|:{2,}\s+([A-Za-z][\w-]*)\s*(?=$|\{))/;

function kindOf(name: string): BlockKind | null {
  return DIRECTIVES.find((kind) => kind === name) ?? null;
}

/** Reads the fences and directives of a lesson. Never throws, whatever the text. */
export function readOutline(text: string): Outline {
  const lines = text.split("\n");
  const directives: DirectiveMark[] = [];
  const faults: OutlineFault[] = [];
  const open: DirectiveMark[] = [];
  let fence: { marks: string; info: string; line: number; column: number } | null = null;
  const bodyLine = frontMatterEnd(lines) + 1;

  const leaveOpen = (mark: DirectiveMark, why: string) =>
    faults.push({
      line: mark.line,
      column: mark.column,
      code: "unclosed-directive",
      message: `${":".repeat(mark.colons)}${mark.name} is never closed${why}`,
      fix: `end it with ${":".repeat(Math.max(3, mark.colons))} on a line of its own`,
    });
  const unclosedFence = (why: string) =>
    faults.push({
      line: fence!.line,
      column: fence!.column,
      code: "unclosed-fence",
      message: `the code fence ${fence!.marks}${fence!.info} is never closed${why}`,
      fix: `end it with ${fence!.marks} on a line of its own`,
    });

  for (let index = bodyLine - 1; index < lines.length; index++) {
    const line = lines[index]!.replace(/\r$/, "");
    const number = index + 1;
    const opening = FENCE_OPEN.exec(line);
    if (fence !== null) {
      const closing = FENCE_CLOSE.exec(line);
      if (closing !== null && closing[1]![0] === fence.marks[0] && closing[1]!.length >= fence.marks.length) {
        fence = null;
        continue;
      }
      // A fence with a language inside a fence that is no longer than it: the one above was forgotten.
      const forgotten =
        opening !== null &&
        opening[1]![0] === fence.marks[0] &&
        opening[1]!.length >= fence.marks.length &&
        opening[2]!.trim() !== "" &&
        !opening[2]!.includes("`");
      if (!forgotten) continue;
      unclosedFence(` before line ${number} opens another`);
    }
    if (opening !== null && !(opening[1]!.startsWith("`") && opening[2]!.includes("`"))) {
      fence = {
        marks: opening[1]!,
        info: opening[2]!.trim(),
        line: number,
        column: line.indexOf(opening[1]!) + 1,
      };
      continue;
    }
    const closing = DIRECTIVE_CLOSE.exec(line);
    if (closing !== null) {
      closeDirective(closing[1]!.length, number, line.indexOf(":") + 1);
      continue;
    }
    const near = NEAR_DIRECTIVE.exec(line);
    const nearName = near === null ? null : kindOf(near[2] ?? near[3] ?? "");
    if (near !== null && nearName !== null) {
      faults.push({
        line: number,
        column: near[1]!.length + 1,
        code: "malformed-directive",
        message:
          near[2] !== undefined
            ? `${nearName} with a single colon is only text`
            : `${nearName} with a space after the colons is only text`,
        fix: `write ${BLOCKS[nearName].example}`,
      });
      continue;
    }
    const start = DIRECTIVE_OPEN.exec(line);
    if (start !== null) openDirective(start, number);
  }

  if (fence !== null) unclosedFence("");
  for (const mark of open) leaveOpen(mark, "");
  faults.sort((a, b) => a.line - b.line || a.column - b.column);
  return { directives, faults, bodyLine };

  function openDirective(match: RegExpExecArray, line: number): void {
    const [, indent, colons, name, rest] = match as unknown as [string, string, string, string, string];
    const head = readHead(rest);
    const kind = kindOf(name);
    const column = indent.length + 1;
    const restColumn = column + colons.length + name.length;
    // `::exercise` is a mistake in colons (reported by its classification) and opens one all the same.
    const container = colons.length > 2 || (kind !== null && BLOCKS[kind].form === "container");
    if (head.trailing !== null && (colons.length > 2 || kind !== null)) {
      faults.push({
        line,
        column: restColumn + head.trailing,
        code: "malformed-directive",
        message: `${colons}${name} is only text because of what follows it: ${rest.slice(head.trailing).trim()}`,
        fix: kind === null ? "put nothing but {…} after the name" : `write ${BLOCKS[kind].example}`,
      });
      if (!container) return;
    } else if (head.trailing !== null) return;
    if (kind !== null && container) closeForgotten(kind, line);
    const mark: DirectiveMark = {
      name,
      form: colons.length > 2 ? "container" : "leaf",
      line,
      column,
      colons: colons.length,
      label: head.label,
      words: head.words,
      wordsColumn: restColumn + head.wordsAt,
      parent: open.at(-1) ?? null,
      closeLine: null,
      height: container ? 1 : 0,
    };
    directives.push(mark);
    // `:::visualizer` holds nothing (its colons are reported): leaving it open would hide the next mistake.
    if (!container || (kind !== null && BLOCKS[kind].form === "leaf")) return;
    open.push(mark);
    for (let i = open.length - 2; i >= 0; i--) open[i]!.height = Math.max(open[i]!.height, open[i + 1]!.height + 1);
  }

  /** An opening that can't stand here but can further out tells that the ones in between were forgotten. */
  function closeForgotten(kind: BlockKind, line: number): void {
    const inside = BLOCKS[kind].inside;
    let keep = open.length;
    if (inside === null) {
      if (open.every((mark) => kindOf(mark.name) !== null)) keep = 0;
    } else {
      const home = open.findLastIndex((mark) => inside.includes(kindOf(mark.name) ?? kind));
      if (home >= 0) keep = home + 1;
    }
    for (const mark of open.splice(keep)) leaveOpen(mark, ` before line ${line} opens :::${kind}`);
  }

  function closeDirective(colons: number, line: number, column: number): void {
    const innermost = open.at(-1);
    const last = directives.at(-1);
    if (innermost === undefined || colons < innermost.colons) {
      // The closing colons of a `:::visualizer`, whose own colons are already reported.
      if (last?.form === "container" && kindOf(last.name) === "visualizer" && last.closeLine === null) {
        last.closeLine = line;
        return;
      }
      faults.push({
        line,
        column,
        code: "stray-close",
        message: `${":".repeat(colons)} closes nothing`,
        fix:
          innermost === undefined
            ? "remove it, or check the directive that should have been open here"
            : `${":".repeat(innermost.colons)}${innermost.name} on line ${innermost.line} is closed by as many colons`,
      });
      return;
    }
    if (innermost.colons < colons) {
      const outer = open.findLastIndex((mark) => mark.colons === colons);
      if (outer >= 0) {
        for (const mark of open.splice(outer + 1)) leaveOpen(mark, ` before line ${line} closes ${open[outer]!.name}`);
      }
    }
    open.pop()!.closeLine = line;
  }
}

/** Lines taken by `--- … ---` at the start of the file, 0 without; an unclosed one takes none. */
function frontMatterEnd(lines: readonly string[]): number {
  if (!/^---\s*$/.test(lines[0] ?? "")) return 0;
  const end = lines.findIndex((line, index) => index > 0 && /^---\s*$/.test(line));
  return end < 0 ? 0 : end + 1;
}

/** `[label]{words}` after a directive's name; `trailing` is the offset of text that makes it no directive, or null. */
function readHead(rest: string): { label: string | null; words: string; wordsAt: number; trailing: number | null } {
  let at = 0;
  let label: string | null = null;
  let words = "";
  let wordsAt = 0;
  if (rest[at] === "[") {
    const end = rest.indexOf("]", at);
    if (end < 0) return { label, words, wordsAt, trailing: at };
    label = rest.slice(at + 1, end);
    at = end + 1;
  }
  if (rest[at] === "{") {
    wordsAt = at + 1;
    let quote = "";
    let end = wordsAt;
    while (end < rest.length && (quote !== "" || rest[end] !== "}")) {
      const char = rest[end]!;
      if (quote === char) quote = "";
      else if (quote === "" && (char === '"' || char === "'")) quote = char;
      end++;
    }
    if (end >= rest.length) return { label, words, wordsAt, trailing: at };
    words = rest.slice(wordsAt, end);
    at = end + 1;
  } else wordsAt = at;
  return { label, words, wordsAt, trailing: rest.slice(at).trim() === "" ? null : at };
}

/**
 * The same text with colons counted so that Markdown nests the directives as their author meant them: an inner one has
 * fewer colons than the one around it. Lines stay lines; columns move on directive lines only.
 */
export function nestDirectives(text: string): string {
  const { directives } = readOutline(text);
  if (!directives.some((mark) => mark.height > 1 || (mark.height === 1 && mark.colons !== 3))) return text;
  const lines = text.split("\n");
  for (const mark of directives) {
    if (mark.height === 0) continue;
    const colons = ":".repeat(mark.height + 2);
    for (const number of [mark.line, mark.closeLine]) {
      if (number !== null) lines[number - 1] = lines[number - 1]!.replace(/:+/, colons);
    }
  }
  return lines.join("\n");
}
