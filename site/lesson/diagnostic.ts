/** How faults of lesson files are written down. */
import type { Diagnostic } from "./types.ts";

/** `file:line:column code message`, and the way out indented below it. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column, code, message, fix } = diagnostic;
  return `${file}:${line}:${column} ${code} ${message}\n  ${fix}`;
}

/** By file, then from top to bottom. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return [...diagnostics].sort(
    (a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column,
  );
}
