/** Whether a cell printed what PyTorch printed: to the letter, or with a tolerance for its numbers. */

const NUMBER = /-?\d+\.?\d*(?:e[+-]?\d+)?/g;

const lines = (text: string): string[] => text.replace(/\r\n/g, "\n").replace(/\n+$/, "").split("\n");

/**
 * @param tol null: to the letter, but for line ends at the end; else numbers may differ by this much, relative to the
 *   larger of 1 and the expected number, and everything between them is to the letter
 */
export function sameOutput(expected: string, actual: string, tol: number | null): boolean {
  return firstDifferentLine(expected, actual, tol) === null;
}

/** Index (from 0) of the first line that differs, or null. */
export function firstDifferentLine(expected: string, actual: string, tol: number | null): number | null {
  const a = lines(expected);
  const b = lines(actual);
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const [x, y] = [a[index], b[index]];
    if (x === undefined || y === undefined || !sameLine(x, y, tol)) return index;
  }
  return null;
}

function sameLine(expected: string, actual: string, tol: number | null): boolean {
  if (expected === actual) return true;
  if (tol === null || expected.replace(NUMBER, "#") !== actual.replace(NUMBER, "#")) return false;
  const a = expected.match(NUMBER)!.map(Number);
  const b = actual.match(NUMBER)!.map(Number);
  return a.every((x, index) => Math.abs(x - b[index]!) <= tol * Math.max(1, Math.abs(x)));
}

/** Both texts around the first difference, marked − for the record and + for the run, for a terminal. */
export function describeDifference(expected: string, actual: string, tol: number | null, most = 6): string {
  const start = firstDifferentLine(expected, actual, tol);
  if (start === null) return "";
  const part = (text: string, sign: string) => {
    const all = lines(text);
    const shown = all.slice(start, start + most).map((line) => `${sign} ${line}`);
    const rest = all.length - start - most;
    return rest > 0 ? [...shown, `${sign} … ${rest} more`] : shown;
  };
  return [...part(expected, "−"), ...part(actual, "+")].join("\n");
}
