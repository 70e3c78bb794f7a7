/**
 * From a cell's text to what the worker runs. Compiling happens on the page's side (or in Node), so that the kernel's text
 * carries no parser and starts in half the time.
 */
import { CellSyntaxError } from "../lesson/cell-error.ts";
import { type CompiledCell, compileCell } from "../lesson/compile.ts";
import type { RunRequest } from "./protocol.ts";

/** A compiled text, or why it is none: data, to be posted. */
export type CompileOutcome =
  | { ok: true; cell: CompiledCell }
  | { ok: false; message: string; line: number; column: number; hint: string | null };

export interface CompiledRequest extends RunRequest {
  cell: CompileOutcome;
  /** An exercise's checks, compiled as a module of their own. */
  checker: CompileOutcome | null;
}

export function compileRequest(request: RunRequest): CompiledRequest {
  const { cellId, source, check } = request;
  return {
    ...request,
    cell: outcome(cellId, source),
    checker: check === null ? null : outcome(`${cellId}#check`, check),
  };
}

function outcome(cellId: string, source: string): CompileOutcome {
  try {
    return { ok: true, cell: compileCell(cellId, source) };
  } catch (error) {
    if (!(error instanceof CellSyntaxError)) throw error;
    const { message, line, column, hint } = error;
    return { ok: false, message, line, column, hint };
  }
}
