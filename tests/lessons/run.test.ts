/** What lesson:run finds, on small lessons that are wrong on purpose. */
import { describe, expect, test } from "vitest";
import { runLesson } from "../../site/lesson/cli/run-lesson.ts";
import { describeDifference, sameOutput } from "../../site/lesson/compare-output.ts";
import { parseLesson } from "../../site/lesson/parse.ts";
import { lessonTemplate } from "../../site/lesson/template.ts";

const FILE = "lessons/en/nn/11-x.md";
const template = lessonTemplate("en", "X");

/** Problems of the template with replacements. */
async function problems(...replacements: [string, string][]): Promise<string[]> {
  let text = template;
  for (const [from, to] of replacements) {
    expect(text).toContain(from);
    text = text.replace(from, to);
  }
  const { lesson, diagnostics } = parseLesson(text, FILE);
  expect(diagnostics).toEqual([]);
  const records = await runLesson(lesson);
  return records.flatMap(({ kind, id, line, problem }) =>
    problem === null ? [] : [`${line} ${kind} ${id}: ${problem}`],
  );
}

test.each(["en", "zh-cn"] as const)("a new lesson in %s runs, and its exercise holds", async (locale) => {
  const { lesson } = parseLesson(lessonTemplate(locale, "X"), FILE.replace("/en/", `/${locale}/`));
  const records = await runLesson(lesson);
  expect(records.map(({ kind, id, state, problem }) => ({ kind, id, state, problem }))).toEqual([
    { kind: "cell", id: "double", state: "done", problem: null },
    { kind: "starter", id: "squares", state: "done", problem: null },
    { kind: "solution", id: "squares", state: "done", problem: null },
  ]);
  expect(records[0]).toMatchObject({ lesson: "nn/11-x", locale, text: "tensor([2, 4, 6])\n", error: null });
});

test("a cell about the GPU is left out: Node has none", async () => {
  const text = template.replace("```ts cell id=double", "```ts cell id=double device=webgpu");
  const records = await runLesson(parseLesson(text, FILE).lesson);
  expect(records.map(({ kind }) => kind)).toEqual(["starter", "solution"]);
});

describe("a lesson that is wrong", () => {
  test("names the line of the output that differs, with both texts", async () => {
    expect(await problems(["print(x.mul(2));\n```\n```python", "print(x.mul(3));\n```\n```python"])).toEqual([
      "38 cell double: prints something else than PyTorch (− recorded, + here):\n− tensor([2, 4, 6])\n+ tensor([3, 6, 9])",
    ]);
  });

  test("names the line of the cell that throws", async () => {
    const [found] = await problems(["print(x.mul(2));\n```\n```python", "print(y);\n```\n```python"]);
    expect(found).toMatch(/^29 cell double: does not run: \w+: y is not defined/);
  });

  test("tells of text that nobody recorded", async () => {
    expect(await problems(["```text output=double\ntensor([2, 4, 6])\n```\n", ""])).toEqual([
      "26 cell double: prints, but there is no recorded output:\ntensor([2, 4, 6])\n",
    ]);
  });

  test("tells of a starter that passes", async () => {
    expect(await problems(["const y = x.mul(2); // change this line", "const y = x.mul(x);"])).toEqual([
      "47 starter squares: the starter passes its check: there is nothing to do",
    ]);
  });

  test("tells of a solution that fails, with the check's own words", async () => {
    expect(await problems(["const y = x.mul(x);", "const y = x.mul(3);"])).toEqual([
      "60 solution squares: the solution fails its check:\nthe squares of 1, 2 and 3: Multiply x by itself, not by 2.",
    ]);
  });

  test("tells of a solution that throws", async () => {
    const [found] = await problems(["const y = x.mul(x);", "const y = z.mul(x);"]);
    expect(found).toMatch(/^60 solution squares: the solution does not run: \w+: z is not defined/);
  });

  test("tells of a check that tests nothing", async () => {
    const check =
      'test("the squares of 1, 2 and 3", () => equal(y, torch.tensor([1, 4, 9])), "Multiply x by itself, not by 2.");';
    expect(await problems([check, "equal(1, 1);"])).toEqual([
      "47 starter squares: the check of squares makes no test: nothing could ever fail",
      "60 solution squares: the check of squares makes no test: nothing could ever fail",
    ]);
  });
});

test("without a tolerance, output is compared to the letter but for its last line ends", () => {
  expect(sameOutput("a\nb", "a\nb\n\n", null)).toBe(true);
  expect(sameOutput("a\nb", "a\n b", null)).toBe(false);
  expect(sameOutput("1.0", "1.00", null)).toBe(false);
});

test("with a tolerance, numbers may differ by it and nothing else may", () => {
  expect(sameOutput("loss 0.1234", "loss 0.1235", 1e-3)).toBe(true);
  expect(sameOutput("loss 0.1234", "loss 0.1434", 1e-3)).toBe(false);
  expect(sameOutput("loss 1000", "loss 1000.5", 1e-3)).toBe(true);
  expect(sameOutput("loss 0.1", "Loss 0.1", 1e-3)).toBe(false);
  expect(sameOutput("[1, 2]", "[1, 2, 3]", 1)).toBe(false);
  expect(sameOutput("1e-3 nan", "1.1e-3 nan", 1e-3)).toBe(true);
});

test("a difference is shown from its first line on, and long ones are cut", () => {
  const many = Array.from({ length: 9 }, (_, i) => `${i}`);
  expect(describeDifference(`same\n${many.join("\n")}`, "same\nx", null, 2)).toBe("− 0\n− 1\n− … 7 more\n+ x");
});
