/** Small lessons for the tests of the format. The body starts on line 9. */
import { formatDiagnostic } from "../../site/lesson/diagnostic.ts";
import type { Diagnostic } from "../../site/lesson/types.ts";

export const FRONT = `---
title: A lesson
description: What it shows.
chapter: "1.1"
minutes: 5
needs: []
seed: 0
---
`;

export const FILE = "lessons/en/nn/01-a-lesson.md";

/** A cell with its twin and output; nine lines. */
export function cell(id: string, words = ""): string {
  return `\`\`\`ts cell id=${id}${words}
print(1);
\`\`\`
\`\`\`python twin=${id}
print(1)
\`\`\`
\`\`\`text output=${id}
1
\`\`\``;
}

export const EXERCISE = `:::exercise{id=task}
Do it.

\`\`\`ts starter
const a = 1;
\`\`\`
\`\`\`ts check
test("two", () => equal(a, 2), "Add one.");
\`\`\`
:::hint
More.
:::
:::solution
So:

\`\`\`ts
const a = 2;
\`\`\`
:::
:::`;

export const PREDICT = `:::predict{of=one id=guess}
What is printed?

- [x] 1

  Because.
- [ ] 2
:::`;

export const QUIZ = `:::quiz{id=ask}
Which?

- [ ] a
  Not a.
- [x] b
:::`;

/** "line:column code message → fix" of each. */
export function brief(diagnostics: readonly Diagnostic[]): string[] {
  return diagnostics.map((one) =>
    formatDiagnostic({ ...one, file: "" })
      .slice(1)
      .replace("\n  ", " → "),
  );
}
