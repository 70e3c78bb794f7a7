/** A fault found before the cell runs, with its place: line and column are 1-based. */
export class CellSyntaxError extends SyntaxError {
  readonly line: number;
  readonly column: number;
  /** What to write instead, when that is known. */
  readonly hint: string | null;

  constructor(message: string, place: { line: number; column: number }, hint: string | null = null) {
    super(message);
    this.name = "SyntaxError";
    this.line = place.line;
    this.column = place.column;
    this.hint = hint;
  }
}
