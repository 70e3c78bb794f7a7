/** What a lesson's text becomes as data, and that no text whatever makes the reader throw. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { assertLesson } from "../../site/lesson/assert.ts";
import { checkCourse } from "../../site/lesson/check-course.ts";
import { nestDirectives, readOutline } from "../../site/lesson/outline.ts";
import { parseLesson } from "../../site/lesson/parse.ts";
import { cell, EXERCISE, FILE, FRONT, PREDICT, QUIZ } from "./lesson-fixtures.ts";

const whole = `${FRONT}${PREDICT}

${cell("one", " hidden readonly auto steps tol=1e-3 device=webgpu")}

${EXERCISE}

${QUIZ}

::visualizer{of=one op=conv2d}
`;

test("a lesson's path, front matter and parts are read", () => {
  const { lesson, diagnostics } = parseLesson(whole, FILE);
  expect(diagnostics).toEqual([]);
  expect(lesson).toEqual({
    locale: "en",
    course: "nn",
    slug: "01-a-lesson",
    file: FILE,
    frontMatter: { title: "A lesson", description: "What it shows.", chapter: "1.1", minutes: 5, needs: [], seed: 0 },
    cells: [
      {
        id: "one",
        source: "print(1);",
        line: 19,
        hidden: true,
        readonly: true,
        auto: true,
        steps: true,
        tol: 0.001,
        device: "webgpu",
        twin: "print(1)",
        output: "1",
        twinLine: 22,
        outputLine: 25,
      },
    ],
    exercises: [
      {
        id: "task",
        line: 28,
        starter: "const a = 1;",
        starterLine: 32,
        check: 'test("two", () => equal(a, 2), "Add one.");',
        checkLine: 35,
        hints: ["More."],
        solution: "const a = 2;",
        solutionLine: 44,
      },
    ],
    predicts: [
      { of: "one", id: "guess", line: 9, choices: ["1", "2"], right: 0, whys: ["Because.", ""], answer: "", why: "" },
    ],
    quizzes: [
      {
        id: "ask",
        line: 49,
        choices: [
          { text: "a", right: false, why: "Not a." },
          { text: "b", right: true, why: "" },
        ],
        why: "",
      },
    ],
    visualizers: [{ of: "one", op: "conv2d", line: 57 }],
  });
});

test("positions are the file's own: each line that is named starts the code that is named", () => {
  const lines = whole.split("\n");
  const { lesson } = parseLesson(whole, FILE);
  const [exercise] = lesson.exercises;
  expect(lines[lesson.cells[0]!.line - 1]).toBe("print(1);");
  expect(lines[exercise!.starterLine - 1]).toBe(exercise!.starter);
  expect(lines[exercise!.checkLine - 1]).toBe(exercise!.check);
  expect(lines[exercise!.solutionLine - 1]).toBe(exercise!.solution);
});

test("a typed prediction keeps its answer and its reason, Markdown and all", () => {
  const { lesson } = parseLesson(
    `${FRONT}:::predict{of=one id=guess answer="torch.Size([1, 3])"}
Which shape?

:::why
Because $1 \\cdot 3$.

- and so on
:::
:::
`,
    FILE,
  );
  expect(lesson.predicts[0]).toMatchObject({
    choices: null,
    right: null,
    answer: "torch.Size([1, 3])",
    why: "Because $1 \\cdot 3$.\n\n- and so on",
  });
});

test("a closing brace or bracket within quotes belongs to the value", () => {
  const { lesson } = parseLesson(`${FRONT}:::predict{of=one id=guess answer="{a: [1]}"}\nWhich?\n:::\n`, FILE);
  expect(lesson.predicts[0]!.answer).toBe("{a: [1]}");
});

test("code that shows the format is not the format", () => {
  const text = `${FRONT}\`\`\`\`md\n${cell("one")}\n\n:::exercise{id=a}\n\`\`\`\`\n\n    ::visualizer{of=nothing}\n`;
  const { lesson, diagnostics } = parseLesson(text, FILE);
  expect(diagnostics).toEqual([]);
  expect(lesson.cells).toEqual([]);
});

test("three colons at every depth become the colons that Markdown counts", () => {
  const nested = nestDirectives(`${FRONT}${EXERCISE}\n`).split("\n");
  expect(nested.filter((line) => line.startsWith(":::"))).toEqual([
    "::::exercise{id=task}",
    ":::hint",
    ":::",
    ":::solution",
    ":::",
    "::::",
  ]);
  expect(nestDirectives(nested.join("\n"))).toBe(nested.join("\n"));
});

test("the build's gate lists every fault of the file, with lines", () => {
  const broken = whole.replace("readonly", "readonyl").replace("op=conv2d", "op=conv3");
  expect(() => assertLesson(FILE, broken)).toThrow(
    `${FILE} has 2 faults:
${FILE}:18:26 unknown-attribute cell has no attribute "readonyl"
  did you mean readonly? (cell takes id, hidden, readonly, auto, steps, tol, device)
${FILE}:57:21 bad-value op=conv3 is unknown
  did you mean op=conv2d?`,
  );
  expect(assertLesson(FILE, whole).cells).toHaveLength(1);
});

/** Lessons cut up and put together wrongly: what an editor holds while its author types. */
const mangled = fc
  .array(
    fc.oneof(
      fc.constantFrom(...whole.split("\n")),
      fc.constantFrom(
        ":::",
        "::::",
        "```",
        "````ts cell id=x",
        "---",
        ":::hint",
        "::visualizer{of=",
        "- [x] a",
        "> ```ts",
      ),
      fc.constantFrom(
        "title: [",
        "needs: *a",
        "needs: &a [*a]",
        "? !!binary x",
        "seed: 0x10",
        "---\r",
        "\u0000",
        "\ud800",
      ),
      fc.string({ unit: "binary", maxLength: 12 }),
    ),
    { maxLength: 40 },
  )
  .map((lines) => lines.join("\n"));

test("no text makes the reader or the checks throw, and every fault names a line of the file", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        mangled,
        mangled.map((text) => FRONT + text),
      ),
      (text) => {
        const count = text.split("\n").length;
        const files = [
          { file: FILE, text },
          { file: FILE.replace("/en/", "/zh-cn/"), text: whole },
        ];
        for (const fault of checkCourse(files, () => false)) {
          expect(fault.line).toBeGreaterThanOrEqual(1);
          if (fault.file === FILE) expect(fault.line).toBeLessThanOrEqual(Math.max(count, 1));
          expect(fault.column).toBeGreaterThanOrEqual(1);
          expect(fault.message).not.toBe("");
          expect(fault.fix).not.toBe("");
        }
      },
    ),
    { numRuns: 400 },
  );
});

test("nesting keeps every line where it was and changes nothing but colons", () => {
  fc.assert(
    fc.property(mangled, (text) => {
      const nested = nestDirectives(text);
      const plain = (value: string) => value.split("\n").map((line) => line.replace(/:+/, ":"));
      expect(plain(nested)).toEqual(plain(text));
      expect(readOutline(nested).directives.map((mark) => mark.line)).toEqual(
        readOutline(text).directives.map((mark) => mark.line),
      );
    }),
    { numRuns: 400 },
  );
});
