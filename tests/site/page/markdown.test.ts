/** A lesson file through the page's Markdown pipeline: what a reader gets before any script. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMarkdownProcessor } from "@astrojs/markdown-remark";
import rehypeKatex from "rehype-katex";
import remarkMath from "remark-math";
import { afterAll, beforeAll, expect, test } from "vitest";
import { remarkLesson } from "../../../site/markdown/remark-lesson.ts";

const LESSON = `---
title: A lesson
description: What it shows.
chapter: "1.1"
minutes: 5
needs: []
seed: 0
---

At 10:30 we meet, see [the cell](#first) and $a < b$.

## First

\`\`\`ts cell id=first
const html = "<b>&amp;</b>";
print(html);
\`\`\`
\`\`\`python twin=first
html = "<b>&amp;</b>"
print(html)
\`\`\`
\`\`\`text output=first
<b>&amp;</b>
  indented, and a tail  
\`\`\`

::visualizer{of=first op=max_pool2d}

:::exercise{id=task}
Do **it**.

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
\`\`\`ts
const a = 2;
\`\`\`
:::
:::

:::quiz{id=choose}
Which?

- [ ] one

  Too few.
- [x] two
:::

:::note[Mind]
A note.
:::

| a | b |
|---|---|
| 1 | 2 |
`;

let folder: string;
let html: string;

async function render(text: string): Promise<string> {
  const path = join(folder, "lessons/en/nn/01-a-lesson.md");
  mkdirSync(join(folder, "lessons/en/nn"), { recursive: true });
  writeFileSync(path, text);
  const processor = await createMarkdownProcessor({
    syntaxHighlight: false,
    remarkPlugins: [remarkMath, remarkLesson],
    rehypePlugins: [rehypeKatex],
  });
  const body = text.replace(/^---\n[\s\S]*?\n---\n/, "");
  return (await processor.render(body, { fileURL: new URL(`file://${path}`) })).code;
}

/** Text of an element's HTML, entities read. */
const textOf = (markup: string): string =>
  markup
    .replace(/<[^>]+>/g, "")
    .replace(/&(?:#x([0-9a-f]+)|lt|gt|amp);/gi, (entity, code?: string) =>
      code === undefined
        ? { "&lt;": "<", "&gt;": ">", "&amp;": "&" }[entity]!
        : String.fromCodePoint(Number.parseInt(code, 16)),
    );

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "stride-markdown-"));
  html = await render(LESSON);
});
afterAll(() => rmSync(folder, { recursive: true }));

test("a cell carries its code line by line, and the recorded output to the letter under a label", () => {
  expect(html).toMatch(/<stride-cell id="first" data-cell="first" data-state="recorded">/);
  const code = /<div data-part="code">([\s\S]*?)<\/div>/.exec(html)![1]!;
  expect(textOf(code)).toBe('const html = "<b>&amp;</b>";\nprint(html);');
  expect(code).toContain('data-line="2"');
  const output = /<pre data-output="text"[^>]*>([\s\S]*?)<\/pre>/.exec(html)![1]!;
  expect(textOf(output)).toBe("<b>&amp;</b>\n  indented, and a tail  ");
  expect(html).toContain(">recorded from PyTorch<");
});

test("the twin is folded beside its cell and appears nowhere else", () => {
  expect(html).toMatch(/<details data-part="twin" id="first-twin">/);
  expect(html.match(/data-language="python"/g)).toHaveLength(1);
});

test("the lesson is there as data for the elements, and can't end its script early", () => {
  const json = /<script type="application\/json" data-part="lesson">([\s\S]*?)<\/script>/.exec(html)![1]!;
  expect(json).not.toContain("<");
  const lesson = JSON.parse(json);
  expect(lesson.cells[0]).toMatchObject({ id: "first", source: 'const html = "<b>&amp;</b>";\nprint(html);' });
  expect(lesson.exercises[0].check).toContain('test("two"');
});

test("an exercise shows its task and starter, folds hint and solution, and keeps its check to itself", () => {
  const exercise = /<stride-exercise[\s\S]*?<\/stride-exercise>/.exec(html)![0];
  expect(exercise).toContain('data-exercise="task" data-verdict="none"');
  expect(textOf(exercise)).toContain("const a = 1;");
  expect(exercise).toMatch(/<details data-part="hint"[^>]*><summary>Hint 1<\/summary>/);
  expect(exercise).toMatch(/<details data-part="solution" data-pagefind-ignore/);
  expect(exercise).not.toContain("equal");
});

test("a quiz lists its choices without giving the right one away outside the fold", () => {
  const quiz = /<stride-quiz[\s\S]*?<\/stride-quiz>/.exec(html)![0];
  const [open, folded] = quiz.split("<details");
  expect(open!.match(/data-choice=/g)).toHaveLength(2);
  expect(open).not.toMatch(/checked|data-right|Too few/);
  expect(folded).toContain("Too few.");
});

test("colons in prose stay prose, a heading gives way to the cell of its name, formulas and tables are ready", () => {
  expect(html).toContain("At 10:30 we meet");
  expect(html).toContain('<h2 id="first-section">');
  expect(html).toContain('class="katex"');
  expect(html).toMatch(/<div class="wide-table"><table>/);
  expect(html).toContain('<aside class="aside" data-aside="note"><p data-part="label">Mind</p>');
  expect(html).toContain('<stride-visualizer data-kind="pool2d" data-of="first" data-op="max_pool2d">');
});

test("a faulty lesson stops the build with file, line and the way out", async () => {
  await expect(render(LESSON.replace("cell id=first", "cell id=first hiden"))).rejects.toThrow(
    /01-a-lesson\.md:14:\d+ unknown-attribute[\s\S]*hidden/,
  );
});
