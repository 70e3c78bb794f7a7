/** Whether a run printed what PyTorch printed. */

const NUMBER = /[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|\b(?:nan|inf)\b/gi;

/**
 * To the letter, or, with a tolerance, with numbers that may differ by `tol` times the larger of 1 and the number; the
 * words between them must agree, spacing aside (a differing digit moves columns). A trailing newline never matters.
 */
export function sameOutput(printed: string, recorded: string, tol: number | null): boolean {
  const a = printed.replace(/\n+$/, "");
  const b = recorded.replace(/\n+$/, "");
  if (tol === null || a === b) return a === b;
  const words = (text: string) => text.replace(NUMBER, "#").replace(/\s+/g, " ");
  const compact = (text: string) => words(text).replace(/ ?([#,[\]()]) ?/g, "$1");
  if (compact(a) !== compact(b)) return false;
  const [mine, theirs] = [a, b].map((text) => [...text.matchAll(NUMBER)].map(([word]) => toNumber(word)));
  return mine!.every((value, index) => {
    const other = theirs![index]!;
    if (Number.isNaN(value) || Number.isNaN(other)) return Number.isNaN(value) && Number.isNaN(other);
    if (value === other) return true;
    return Math.abs(value - other) <= tol * Math.max(1, Math.abs(other));
  });
}

function toNumber(word: string): number {
  const lower = word.toLowerCase();
  if (lower === "nan") return Number.NaN;
  if (lower.endsWith("inf")) return lower.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return Number(word);
}
