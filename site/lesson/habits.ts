/**
 * What a hand used to Python, or to a Chinese keyboard, writes in a cell, and how it is written here. The hints stand beside
 * JavaScript's own sentences, which mean little to such a reader. Imports nothing: the kernel's text carries it too.
 */

const FULL_WIDTH: Record<string, string> = {
  "（": "(",
  "）": ")",
  "，": ",",
  "；": ";",
  "：": ":",
  "。": ".",
  "、": ",",
  "“": '"',
  "”": '"',
  "‘": "'",
  "’": "'",
  "【": "[",
  "】": "]",
  "｛": "{",
  "｝": "}",
  "＝": "=",
  "＋": "+",
  "！": "!",
  "　": "a space",
};

const PYTHON_LINES: [RegExp, string][] = [
  [/^from\s+[\w.]+\s+import\b/, 'imports are written import { nn } from "torch"'],
  [/^import\s+[\w.]+(\s+as\s+\w+)?\s*$/, 'imports are written import * as torch from "torch"'],
  [/^(async\s+)?def\s/, "a function is written function name(x) { … }, a method name(x) { … }"],
  [/^class\s+\w+\s*(\(.*\))?\s*:/, "a class is written class Net extends nn.Module { … }"],
  [/^for\s+.+\sin\s.+:\s*$/, "a loop over values is written for (const x of values) { … }"],
  [/^(if|elif|while|with|else|try|except|finally)\b.*:\s*$/, "blocks stand in braces: if (x > 0) { … } else { … }"],
  [/^#/, "a comment begins with //"],
  [/\blambda\b/, "a lambda is written (x) => x + 1"],
  [/(^|[\s(,=])[fF]["']/, "a text that takes values in stands between backticks"],
  [/\bnot\s+\w|\w\s+(and|or)\s+\w/, "not, and, or are written !, &&, ||"],
];

/** For a text that isn't TypeScript: `position` is where the parser gave up, often just behind the cause. */
export function syntaxHabit(source: string, position: number): string | null {
  const plain = FULL_WIDTH[source[position] ?? ""];
  if (plain !== undefined) return `${source[position]} is a full-width character: type ${plain}`;
  const before = source.slice(0, position);
  const lineStart = before.lastIndexOf("\n") + 1;
  const rest = source.slice(lineStart);
  const here = rest.slice(0, (rest.indexOf("\n") + 1 || rest.length + 1) - 1);
  const above = before.slice(0, lineStart).trimEnd().split("\n").at(-1) ?? "";
  for (const line of [here, above]) {
    const known = PYTHON_LINES.find(([pattern]) => pattern.test(line.trim()));
    if (known !== undefined) return known[1];
  }
  return null;
}

const NAMES: Record<string, string> = {
  True: "here it is written true",
  False: "here it is written false",
  None: "here it is written null",
  self: "here it is written this",
  len: "the length of a list is list.length, of a tensor x.shape[0]",
  range: "count with for (let i = 0; i < 10; i++) { … }",
  enumerate: "write for (const [i, x] of values.entries()) { … }",
  str: "write String(x)",
  int: "write Math.trunc(x)",
  float: "write Number(x)",
  torch: 'write import * as torch from "torch"',
  nn: 'write import * as nn from "torch/nn"',
  F: 'write import * as F from "torch/nn/functional"',
  fetch: "a cell runs apart from the network",
  document: "a cell runs apart from the page: show things with print()",
  window: "a cell runs apart from the page",
  localStorage: "a cell runs apart from the page: what you write is kept by itself",
  alert: "show things with print()",
  prompt: "write the value into the cell",
  require: 'write import * as torch from "torch"',
};

/** For a name that nothing defines. */
export function nameHabit(name: string): string | null {
  return Object.hasOwn(NAMES, name) ? NAMES[name]! : null;
}

/** For an assignment to a name that was never declared: in a call's brackets it was meant as a named argument. */
export function assignmentHabit(source: string, name: string, place: { line: number; column: number }): string {
  const lines = source.split("\n");
  const before = [...lines.slice(0, place.line - 1), (lines[place.line - 1] ?? "").slice(0, place.column - 1)].join(
    "\n",
  );
  if (!/[(,]\s*$/.test(before)) return `write let ${name} = …`;
  return `named arguments stand in braces: { ${name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())}: … }`;
}

/** The dotted word of a text that contains a 1-based place: "nn.Conv2d", or "". */
export function dottedWordAt(source: string, place: { line: number; column: number }): string {
  const line = source.split("\n")[place.line - 1] ?? "";
  const start = /[\w$.]*$/.exec(line.slice(0, place.column - 1))![0];
  return start + /^[\w$.]*/.exec(line.slice(place.column - 1))![0];
}
