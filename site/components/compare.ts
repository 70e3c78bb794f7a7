/** Two texts, line by line: which lines are only mine, which only new. */

export interface DiffLine {
  kind: "same" | "mine" | "new";
  text: string;
}

/** Longest common subsequence over lines; cells are short, so the quadratic table is small. */
export function diffLines(mine: string, next: string): DiffLine[] {
  const a = mine.split("\n");
  const b = next.split("\n");
  const longest = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      longest[i]![j] = a[i] === b[j] ? longest[i + 1]![j + 1]! + 1 : Math.max(longest[i + 1]![j]!, longest[i]![j + 1]!);
    }
  }
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ kind: "same", text: a[i]! });
      i++;
      j++;
    } else if (i < a.length && (j === b.length || longest[i + 1]![j]! >= longest[i]![j + 1]!)) {
      lines.push({ kind: "mine", text: a[i++]! });
    } else lines.push({ kind: "new", text: b[j++]! });
  }
  return lines;
}

/** The difference as a block of lines, each marked by a sign as well as a colour. */
export function comparison(mine: string, next: string, mineLabel: string, nextLabel: string): HTMLElement {
  const block = document.createElement("div");
  block.className = "compare";
  const legend = document.createElement("p");
  legend.textContent = `− ${mineLabel}   + ${nextLabel}`;
  const pre = document.createElement("pre");
  pre.className = "code";
  pre.tabIndex = 0;
  pre.translate = false;
  for (const { kind, text } of diffLines(mine, next)) {
    const line = document.createElement("span");
    line.className = "line";
    line.dataset.diff = kind;
    line.textContent = `${kind === "mine" ? "−" : kind === "new" ? "+" : " "} ${text}\n`;
    pre.append(line);
  }
  block.append(legend, pre);
  return block;
}
