/** Lessons held together: numbers, needs, links, and the two languages. */
import { expect, test } from "vitest";
import { checkCourse } from "../../site/lesson/check-course.ts";
import { formatDiagnostic } from "../../site/lesson/diagnostic.ts";
import { lessonTemplate, readLessonName } from "../../site/lesson/template.ts";
import { cell, EXERCISE, FRONT, PREDICT, QUIZ } from "./lesson-fixtures.ts";

const BODY = [PREDICT, cell("one"), cell("two"), EXERCISE, QUIZ, "::visualizer{of=one op=conv2d}"].join("\n\n") + "\n";
const LESSON = FRONT + BODY;

type Files = Record<string, string>;

/** Faults of a set of lessons, given by path below lessons/; both locales hold `both`. */
function faults(both: Files, others: Files = {}, present: string[] = []): string[] {
  const files = Object.entries(both).flatMap(([path, text]) => [
    { file: `lessons/en/${path}`, text },
    { file: `lessons/zh-cn/${path}`, text },
  ]);
  for (const [path, text] of Object.entries(others)) {
    const file = `lessons/${path}`;
    const at = files.findIndex((one) => one.file === file);
    if (at >= 0) files.splice(at, 1);
    files.push({ file, text });
  }
  return checkCourse(files, (path) => present.includes(path)).map((one) =>
    formatDiagnostic(one).replace("\n  ", " → "),
  );
}

/** Faults of a translation that differs from LESSON by one replacement. */
function translated(from: string | RegExp, to: string): string[] {
  const text = LESSON.replace(from, to);
  expect(text).not.toBe(LESSON);
  return faults({ "nn/01-a.md": LESSON }, { "zh-cn/nn/01-a.md": text });
}

test("a whole course has no faults", () => {
  const second = LESSON.replace("needs: []", "needs: [01-a]").replace(
    "Do it.",
    "See [a](01-a.md#task), [b](../nn/01-a.md).",
  );
  expect(faults({ "nn/01-a.md": LESSON, "nn/02-b.md": second })).toEqual([]);
});

test("a lesson in one language only is missing in the other", () => {
  expect(faults({}, { "en/nn/01-a.md": LESSON })).toEqual([
    "lessons/en/nn/01-a.md:1:1 missing-translation zh-cn/nn/01-a.md is missing → write it beside this one: same cells, same twins, same outputs",
  ]);
});

test("two lessons can't have one number", () => {
  expect(faults({ "nn/01-a.md": LESSON, "nn/01-b.md": LESSON })).toContain(
    "lessons/en/nn/01-b.md:1:1 duplicate-number lesson number 01 is already taken by 01-a → give the file the next free number",
  );
});

test("what a lesson needs exists and comes before it", () => {
  const needs = (list: string) => LESSON.replace("needs: []", `needs: ${list}`);
  expect(faults({ "nn/01-alpha.md": LESSON, "nn/02-b.md": needs("[01-alhpa, 02-b]") }).slice(0, 2)).toEqual([
    "lessons/en/nn/02-b.md:6:9 unknown-need needs 01-alhpa, which is no lesson of en/nn → did you mean 01-alpha?",
    "lessons/en/nn/02-b.md:6:19 need-not-earlier needs 02-b, which does not come before it → a lesson can only need lessons with a lower number",
  ]);
});

test("links lead to lessons, to places in them, and to pictures that are there", () => {
  const links = `[a](02-bb.md) [b](01-a.md#taks) [c](/nn/01-a/) [d](../02-b/)

[e](https://pytorch.org) ![f](f.png) ![g](g.png) [h][h]

[h]: 03-none.md
`;
  const found = faults({ "nn/01-a.md": LESSON, "nn/02-b.md": FRONT + links }, {}, [
    "lessons/en/nn/f.png",
    "lessons/zh-cn/nn/f.png",
    "lessons/zh-cn/nn/g.png",
  ]);
  expect(found.filter((one) => one.startsWith("lessons/en/"))).toEqual([
    "lessons/en/nn/02-b.md:9:1 dead-link the link 02-bb.md leads to nothing → did you mean 02-b.md?",
    "lessons/en/nn/02-b.md:9:15 dead-link nothing in lessons/en/nn/01-a.md is called #taks → did you mean 01-a.md#task?",
    "lessons/en/nn/02-b.md:9:33 absolute-link the link /nn/01-a/ leaves the folder that the site may stand in → link to the lesson's file, relative to this one: 02-convolution.md",
    "lessons/en/nn/02-b.md:9:48 dead-link the link ../02-b/ leads to nothing → did you mean 02-b.md?",
    "lessons/en/nn/02-b.md:11:38 dead-link the link g.png leads to nothing → link to a lesson's file: 02-convolution.md",
    "lessons/en/nn/02-b.md:13:1 dead-link the link 03-none.md leads to nothing → link to a lesson's file: 02-convolution.md",
  ]);
});

test("a translation may explain itself in its own comments, and name its checks in its own words", () => {
  expect(translated("print(1);", "print(1); // 打印一")).toEqual([]);
  expect(translated("print(1)\n```\n```text", "# 打印\nprint(1)  # 一\n```\n```text")).toEqual([]);
  expect(translated('test("two", () => equal(a, 2), "Add one.");', 'test("二", () => equal(a, 2), "加一。");')).toEqual(
    [],
  );
  expect(translated("const a = 1;", "/* 从这里开始 */\nconst a = 1;")).toEqual([]);
});

const differences: [string, string | RegExp, string, string][] = [
  [
    "code of a cell",
    "print(1);",
    "print(2);",
    "19:1 translation-differs the code of cell one differs (there on line 19) → only comments may differ from lessons/en/nn/01-a.md",
  ],
  [
    "code of a twin",
    "print(1)\n```\n```text",
    "x = 1\nprint(x)\n```\n```text",
    "22:1 translation-differs the code of the twin of one differs (there on line 22) → only comments may differ from lessons/en/nn/01-a.md",
  ],
  [
    "output",
    "```text output=one\n1",
    "```text output=one\n2",
    "25:1 translation-differs the output of one differs → make it the same as in lessons/en/nn/01-a.md",
  ],
  [
    "attribute",
    "cell id=two",
    "cell id=two auto",
    "28:1 translation-differs auto of cell two differs: there false → make it the same as in lessons/en/nn/01-a.md",
  ],
  [
    "minutes",
    "minutes: 5",
    "minutes: 6",
    "5:1 translation-differs minutes differs: there 5 → make it the same as in lessons/en/nn/01-a.md",
  ],
  [
    "number in a check",
    "equal(a, 2)",
    "equal(a, 3)",
    "45:1 translation-differs the code of the check of task differs (there on line 45) → only comments may differ from lessons/en/nn/01-a.md",
  ],
  [
    "hints",
    ":::hint\nMore.\n:::\n",
    "",
    "38:1 translation-differs exercise task has 0 hints, there it has 1 → make it the same as in lessons/en/nn/01-a.md",
  ],
  [
    "tick of a quiz",
    "- [ ] a",
    "- [x] a",
    "59:1 translation-differs quiz ask has other choices ticked than there → make it the same as in lessons/en/nn/01-a.md",
  ],
  [
    "view",
    "::visualizer{of=one op=conv2d}",
    "::visualizer{of=two op=conv2d}",
    "67:1 translation-differs visualizer two conv2d stands where lessons/en/nn/01-a.md has one conv2d → bring them into the order of lessons/en/nn/01-a.md",
  ],
  [
    "set of quizzes",
    QUIZ,
    "",
    "1:1 translation-differs quiz ask is missing → add it as in lessons/en/nn/01-a.md, line 59",
  ],
];

test.each(differences)("a translation with another %s is told", (_, from, to, expected) => {
  expect(translated(from, to)).toEqual([`lessons/zh-cn/nn/01-a.md:${expected}`]);
});

test("cells in another order are told once", () => {
  const swapped = LESSON.replaceAll("one", "three").replaceAll("two", "one").replaceAll("three", "two");
  const found = faults({ "nn/01-a.md": LESSON }, { "zh-cn/nn/01-a.md": swapped });
  expect(found[0]).toMatch("predict guess asks for something else than there");
  expect(found[1]).toMatch("cell two stands where lessons/en/nn/01-a.md has one");
});

test("a new lesson passes every check in both languages", () => {
  const both = (["en", "zh-cn"] as const).map((locale) => ({
    file: `lessons/${locale}/nn/11-my-lesson.md`,
    text: lessonTemplate(locale, "My lesson: a title with a colon"),
  }));
  expect(checkCourse(both, () => false)).toEqual([]);
});

test("a lesson's name is a course, two digits and words", () => {
  expect(readLessonName("nn/11-my-lesson")).toEqual({ course: "nn", slug: "11-my-lesson", title: "My lesson" });
  for (const bad of ["nn", "nn/my-lesson", "nn/1-x", "../nn/01-x", "nn/01-X", "nn/01-", "/01-x", ""]) {
    expect(readLessonName(bad)).toHaveProperty("problem");
  }
});
