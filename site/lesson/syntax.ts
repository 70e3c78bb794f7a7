/**
 * A cell's text as a syntax tree: acorn with its TypeScript plugin, and the few helpers that reading such a tree needs.
 * The TypeScript compiler itself is a megabyte and lives in the editor's worker, where it checks types.
 */
import { tsPlugin } from "@sveltejs/acorn-typescript";
import { Parser } from "acorn";
import { CellSyntaxError } from "./cell-error.ts";
import { syntaxHabit } from "./habits.ts";

export { CellSyntaxError } from "./cell-error.ts";

export interface SyntaxNode {
  type: string;
  start: number;
  end: number;
  [field: string]: unknown;
}

const TypeScriptParser = Parser.extend(tsPlugin() as unknown as (BaseParser: typeof Parser) => typeof Parser);

/** @throws CellSyntaxError with the parser's sentence and the place. */
export function parseModule(source: string): SyntaxNode[] {
  try {
    const program = TypeScriptParser.parse(source, { ecmaVersion: "latest", sourceType: "module", locations: true });
    return program.body as unknown as SyntaxNode[];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const { pos } = error as SyntaxError & { pos?: number };
    const message = error.message.replace(/ \(\d+:\d+\)$/, "");
    throw new CellSyntaxError(message, placeOf(source, pos ?? 0), hintFor(source, pos ?? 0, message));
  }
}

function hintFor(source: string, position: number, message: string): string | null {
  const habit = syntaxHabit(source, position);
  if (habit !== null) return habit;
  if (/^Unterminated/.test(message)) return "something opened here is not closed";
  if (position >= source.trimEnd().length) return "the cell ends too early: a bracket or a brace is still open";
  return null;
}

/** 1-based line and column of an offset. */
export function placeOf(source: string, offset: number): { line: number; column: number } {
  let line = 1;
  let lineStart = 0;
  for (let i = 0; i < offset && i < source.length; i++) {
    if (source[i] === "\n") {
      line++;
      lineStart = i + 1;
    }
  }
  return { line, column: offset - lineStart + 1 };
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}

/** The nodes directly below a node, in no promised order. */
export function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (const [field, value] of Object.entries(node)) {
    if (field === "loc") continue;
    if (Array.isArray(value)) {
      for (const item of value) if (isNode(item)) found.push(item);
    } else if (isNode(value)) {
      found.push(value);
    }
  }
  return found;
}

export function nodeField(node: SyntaxNode, field: string): SyntaxNode | null {
  const value = node[field];
  return isNode(value) ? value : null;
}

export function nodesField(node: SyntaxNode, field: string): SyntaxNode[] {
  const value = node[field];
  return Array.isArray(value) ? value.filter(isNode) : [];
}

/** The first position at or after `position` that holds neither white space nor a comment. */
export function skipTrivia(source: string, position: number): number {
  let at = position;
  while (at < source.length) {
    if (/\s/.test(source[at]!)) at++;
    else if (source.startsWith("//", at)) {
      const end = source.indexOf("\n", at);
      at = end < 0 ? source.length : end;
    } else if (source.startsWith("/*", at)) {
      const end = source.indexOf("*/", at + 2);
      at = end < 0 ? source.length : end + 2;
    } else break;
  }
  return at;
}

/** The word (identifier or keyword) that starts at a position, or "". */
export function wordAt(source: string, position: number): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*/u.exec(source.slice(position, position + 64))?.[0] ?? "";
}

/** `(x as T)` → `x`: what stays of an expression when types are gone. */
export function withoutTypes(node: SyntaxNode): SyntaxNode {
  let inner = node;
  while (/^TS(As|Satisfies|NonNull|Instantiation)Expression$/.test(inner.type)) {
    inner = nodeField(inner, "expression")!;
  }
  return inner;
}
