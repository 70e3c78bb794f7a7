/** When a typed answer counts as right, and whether a run's text bears an answer out. Shared by checks and page. */

const NUMBER = /[-+−]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?/gi;

/** Numbers of a text in order; a sign that follows a digit or a letter is an operator, not a sign. */
function numbersOf(text: string): number[] {
  return [...text.matchAll(NUMBER)].map((match) => Number(match[0].replace("−", "-")));
}

/** Without case, white space and the full-width forms that a Chinese keyboard writes; quotes are alike. */
function plain(text: string): string {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[\s`]+/g, "")
    .replace(/[‘’“”'"]/g, '"')
    .replace(/[、]/g, ",")
    .replace(/[−–]/g, "-");
}

/** Letters left when numbers, brackets and the names that PyTorch prints around numbers go. */
function wordsAround(text: string): string {
  return plain(text)
    .replace(/torch\.size|tensor|torch\.|dtype=\w+/g, "")
    .replace(NUMBER, "")
    .replace(/[^\p{L}]/gu, "");
}

/**
 * Whether a student's answer is the author's. Where the author's holds numbers and no words, their numbers are compared
 * in order (1,1,3,3 answers torch.Size([1, 1, 3, 3])); else the texts, without case, spaces and width.
 */
export function sameAnswer(given: string, answer: string): boolean {
  if (plain(given) === "") return false;
  if (plain(given) === plain(answer)) return true;
  const expected = numbersOf(answer.normalize("NFKC"));
  if (expected.length === 0 || wordsAround(answer) !== "" || wordsAround(given) !== "") return false;
  const actual = numbersOf(given.normalize("NFKC"));
  return (
    actual.length === expected.length &&
    actual.every((value, index) => Math.abs(value - expected[index]!) <= 1e-6 * Math.max(1, Math.abs(expected[index]!)))
  );
}

/** Whether the text of a run shows the answer: as text, or its numbers side by side and in order. */
export function showsAnswer(output: string, answer: string): boolean {
  if (plain(answer) === "") return true;
  const expected = numbersOf(answer.normalize("NFKC"));
  if (expected.length === 0 || wordsAround(answer) !== "") return plain(output).includes(plain(answer));
  const actual = numbersOf(output);
  return actual.some((_, start) => expected.every((value, index) => actual[start + index] === value));
}
