/** The home page's living example: the numbers of a recorded cell, found in the lesson, never typed a second time. */
import type { Lesson } from "../../lesson/types.ts";

export interface WindowExample {
  cellId: string;
  /** Code as it stands in the lesson. */
  code: string;
  printed: string;
  input: number[][];
  kernel: number[][];
  output: number[][];
}

/** Every matrix literal `[[1, 2], [3, 4]]` in a text, in order. */
export function matrices(text: string): number[][][] {
  const found: number[][][] = [];
  for (const [literal] of text.matchAll(/\[\s*\[[-\d.,\s[\]]*\]\s*,?\s*\]/g)) {
    const rows = [...literal.matchAll(/\[([-\d.,\s]+)\]/g)].map((row) =>
      row[1]!
        .split(",")
        .map((word) => word.trim())
        .filter((word) => word !== "")
        .map(Number),
    );
    if (rows.length > 0 && rows.every((row) => row.length === rows[0]!.length && row.every(Number.isFinite)))
      found.push(rows);
  }
  return found;
}

/** The nine products behind output row `i`, column `j`, in reading order. */
export function products(example: WindowExample, i: number, j: number): { pixel: number; weight: number }[] {
  return example.kernel.flatMap((row, u) => row.map((weight, v) => ({ pixel: example.input[i + u]![j + v]!, weight })));
}

/**
 * Reads input, kernel and recorded output around the lesson's cell, and checks that they belong together.
 * @throws when the lesson no longer contains such an example: the home page would show a wrong picture
 */
export function windowExample(lesson: Lesson, cellId: string): WindowExample {
  const at = lesson.cells.findIndex((cell) => cell.id === cellId);
  const cell = lesson.cells[at];
  const fail = (what: string): never => {
    throw new Error(`${lesson.file}: the home page shows the cell ${cellId}, but ${what}`);
  };
  if (cell?.output == null) return fail("it has no recorded output");
  const given = lesson.cells.slice(0, at + 1).flatMap((one) => matrices(one.source));
  const output = matrices(cell.output).at(-1);
  const [input, kernel] = given;
  if (input === undefined || kernel === undefined || output === undefined) return fail("its numbers were not found");
  const example = { cellId, code: cell.source, printed: cell.output, input, kernel, output };
  output.forEach((row, i) => {
    row.forEach((value, j) => {
      const sum = products(example, i, j).reduce((total, { pixel, weight }) => total + pixel * weight, 0);
      if (sum !== value) fail(`its output at row ${i}, column ${j} is ${value} and the products add to ${sum}`);
    });
  });
  return example;
}
