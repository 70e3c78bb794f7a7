/** Every mistake an author can make, with the exact line, column, message and way out that they read. */
import { expect, test } from "vitest";
import { checkLesson } from "../../site/lesson/check.ts";
import { brief, cell, EXERCISE, FILE, FRONT, PREDICT, QUIZ } from "./lesson-fixtures.ts";

const ok = [PREDICT, cell("one"), EXERCISE, QUIZ, "::visualizer{of=one op=conv2d}"].join("\n\n") + "\n";

const faults: [title: string, text: string, expected: string[]][] = [
  [
    "a formula that KaTeX cannot set, in prose and in an exercise",
    FRONT + cell("one") + "\nHalf: $\\frac{1$\n\n" + EXERCISE.replace("\n", "\n$\\nope$\n"),
    [
      "18:7 malformed-formula Unexpected end of input in a macro argument, expected '}' at end of input: \\frac{1 → write TeX that KaTeX knows: https://katex.org/docs/supported",
      "21:1 malformed-formula Undefined control sequence: \\nope at position 1: \\nope → write TeX that KaTeX knows: https://katex.org/docs/supported",
    ],
  ],
  [
    "a file that begins with a byte order mark",
    "\ufeff" + FRONT + cell("one"),
    [
      "1:1 byte-order-mark the file begins with a byte order mark, which no editor shows → save it as UTF-8 without one",
    ],
  ],
  [
    "an attribute with a typing error",
    FRONT + cell("one", " hiden"),
    [
      '9:19 unknown-attribute cell has no attribute "hiden" → did you mean hidden? (cell takes id, hidden, readonly, auto, steps, tol, device)',
    ],
  ],
  [
    "a fence word with a typing error",
    FRONT + "```ts cel id=one\n```\n",
    ['9:7 unknown-fence-word unknown word "cel" after ```ts → did you mean ```ts cell id=first-conv?'],
  ],
  [
    "an id with a capital letter",
    FRONT + cell("One"),
    [
      "9:12 bad-value id=One is no id → use lower-case letters, digits and single hyphens: first-conv",
      "12:11 bad-value twin=One is no id → use lower-case letters, digits and single hyphens: first-conv",
      "15:9 bad-value output=One is no id → use lower-case letters, digits and single hyphens: first-conv",
    ],
  ],
  [
    "an id used twice",
    FRONT + cell("one") + "\n" + cell("one"),
    [
      "18:1 duplicate-id the id one is already taken on line 9 → give it an id of its own: cells, exercises, predictions and quizzes share one list",
      "21:1 duplicate-twin cell one has a second twin → keep one",
      "24:1 duplicate-output cell one has a second output → keep one",
    ],
  ],
  [
    "a tolerance that is no number",
    FRONT + cell("one", " tol=small"),
    ["9:19 bad-value tol=small is not a positive number → write tol=1e-3"],
  ],
  [
    "a device that doesn't exist",
    FRONT + cell("one", " device=webgp"),
    ["9:19 bad-value device=webgp is unknown → did you mean device=webgpu?"],
  ],
  [
    "a cell without an id",
    FRONT + cell("").replace(" id=", ""),
    [
      "9:11 missing-attribute cell needs id=… → write ```ts cell id=first-conv",
      "12:11 malformed-attribute twin= has no value → write twin=value, without spaces around the =",
      "15:9 malformed-attribute output= has no value → write output=value, without spaces around the =",
    ],
  ],
  [
    "a cell without a twin",
    FRONT + "```ts cell id=one\nprint(1)\n```\n",
    ["9:1 missing-twin cell one has no twin → add a ```python twin=one fence below it: the same step in PyTorch"],
  ],
  [
    "a twin that prints without an output",
    FRONT + "```ts cell id=one\nprint(1)\n```\n```python twin=one\nprint(1)\n```\n",
    [
      "12:1 missing-output the twin of one prints, and there is no output → add a ```text output=one fence with what real PyTorch prints",
    ],
  ],
  [
    "twin and output of a cell that isn't there",
    FRONT + cell("one") + "\n```python twin=two\n```\n```text output=on\n1\n```\n",
    [
      "18:1 twin-without-cell there is no cell two for this twin → the cells are one",
      "20:1 output-without-cell there is no cell on for this output → did you mean one?",
    ],
  ],
  [
    "twin and output above their cell",
    FRONT + cell("one").split("\n").slice(3).join("\n") + "\n" + cell("one").split("\n").slice(0, 3).join("\n"),
    [
      "9:1 twin-out-of-place the twin of one stands below no cell → move it to where cell one ends, before the next cell",
      "12:1 output-out-of-place the output of one stands below no cell → move it to where cell one ends, before the next cell",
    ],
  ],
  [
    "an output that comes from no twin",
    FRONT + "```ts cell id=one hidden\nprint(1)\n```\n```text output=one\n1\n```\n",
    [
      "12:1 output-without-twin the output of one comes from no twin → add a ```python twin=one fence, or remove the output",
    ],
  ],
  [
    "an empty cell",
    FRONT + "```ts cell id=one hidden\n```\n",
    ["9:1 empty-cell cell one is empty → write its code, or remove it"],
  ],
  [
    "a directive with a typing error",
    FRONT + ok + "\n:::exrcise{id=b}\n:::\n",
    ['59:1 unknown-directive unknown directive "exrcise" → did you mean :::exercise{id=conv-size}?'],
  ],
  [
    "a visualizer with one colon",
    FRONT + cell("one") + "\n\n:visualizer{of=one op=conv2d}\n",
    [
      "19:1 malformed-directive visualizer with a single colon is only text → write ::visualizer{of=first-conv op=conv2d}",
    ],
  ],
  [
    "a space after the colons",
    FRONT + "::: exercise{id=a}\ntext\n",
    ["9:1 malformed-directive exercise with a space after the colons is only text → write :::exercise{id=conv-size}"],
  ],
  [
    "a visualizer with three colons",
    FRONT + cell("one") + "\n\n:::visualizer{of=one op=conv2d}\n:::\n",
    ["19:1 wrong-colons visualizer stands on one line, with two colons → write ::visualizer{of=first-conv op=conv2d}"],
  ],
  [
    "a quiz with two colons",
    FRONT + "::quiz{id=a}\n\n- [x] a\n:::\n",
    ["9:1 wrong-colons quiz holds other text, with three colons before and after → write :::quiz{id=parameters}"],
  ],
  [
    "text after a directive",
    FRONT + cell("one") + "\n\n::visualizer{of=one op=conv2d} here\n",
    [
      "19:31 malformed-directive ::visualizer is only text because of what follows it: here → write ::visualizer{of=first-conv op=conv2d}",
    ],
  ],
  [
    "visualizers that look at nothing",
    FRONT + "::visualizer{of=one op=conv}\n\n" + cell("one") + "\n\n::visualizer{of=on op=conv2d}\n",
    [
      "9:1 view-before-cell the visualizer of one stands above its cell → move it below the cell that it looks into",
      "9:21 bad-value op=conv is unknown → did you mean op=conv2d?",
      "21:1 no-such-cell visualizer looks into on, which is no cell → did you mean one?",
    ],
  ],
  [
    "a quote that never closes",
    FRONT + cell("one") + '\n\n::visualizer{off=one op="conv2d}\n',
    [
      '19:13 malformed-directive ::visualizer is only text because of what follows it: {off=one op="conv2d} → write ::visualizer{of=first-conv op=conv2d}',
    ],
  ],
  [
    "a fence that runs into the next",
    FRONT + cell("one").replace("print(1);\n```", "print(1);"),
    [
      "9:1 unclosed-fence the code fence ```ts cell id=one is never closed before line 11 opens another → end it with ``` on a line of its own",
    ],
  ],
  [
    "a fence that runs to the end",
    FRONT + "text\n\n```ts cell id=a\nprint(1);\n",
    ["11:1 unclosed-fence the code fence ```ts cell id=a is never closed → end it with ``` on a line of its own"],
  ],
  [
    "an exercise that is never closed",
    FRONT + EXERCISE.slice(0, -4) + "\n\ntext\n",
    ["9:1 unclosed-directive :::exercise is never closed → end it with ::: on a line of its own"],
  ],
  [
    "a hint that is never closed",
    FRONT + EXERCISE.replace("More.\n:::\n", "More.\n"),
    [
      "18:1 unclosed-directive :::hint is never closed before line 20 opens :::solution → end it with ::: on a line of its own",
    ],
  ],
  [
    "colons that close nothing",
    FRONT + "text\n\n:::\n",
    ["11:1 stray-close ::: closes nothing → remove it, or check the directive that should have been open here"],
  ],
  [
    "an exercise without its parts",
    FRONT + ":::exercise{id=a}\n:::\n",
    [
      "9:1 missing-starter exercise a has no starter → add a ```ts starter fence: what the student begins with",
      '9:1 missing-check exercise a has no check → add a ```ts check fence: test("…", () => equal(actual, expected), "why")',
      "9:1 missing-solution exercise a has no solution → add :::solution with a ts fence that passes the check",
    ],
  ],
  [
    "a second starter",
    FRONT + EXERCISE.replace("```ts check", "```ts starter\nx\n```\n```ts check"),
    ["15:1 duplicate-starter exercise task has a second starter → keep one"],
  ],
  [
    "a solution without code",
    FRONT + EXERCISE.replace("```ts\nconst a = 2;\n```", ""),
    [
      "21:1 bad-solution the solution of task has no ts fences → end it with exactly one ```ts fence, which passes the check",
    ],
  ],
  [
    "a hint outside of an exercise",
    FRONT + ":::hint\nx\n:::\n",
    ["9:1 misplaced hint stands outside of exercise → put it between :::exercise{id=conv-size} and its closing :::"],
  ],
  [
    "a starter outside of an exercise",
    FRONT + "```ts starter\nx\n```\n",
    ["9:1 misplaced starter stands outside of exercise → put it between :::exercise{id=conv-size} and its closing :::"],
  ],
  [
    "a cell in an exercise",
    FRONT + EXERCISE.replace("Do it.", cell("one")),
    [
      "10:1 misplaced cell can't stand in exercise → put ```ts cell id=first-conv at the top level of the lesson, and close what is open before it with :::",
      "13:1 misplaced twin can't stand in exercise → put ```python twin=first-conv at the top level of the lesson, and close what is open before it with :::",
      "16:1 misplaced output can't stand in exercise → put ```text output=first-conv at the top level of the lesson, and close what is open before it with :::",
    ],
  ],
  [
    "a cell in a list",
    FRONT + "- a\n\n  ```ts cell id=one\n  print(1)\n  ```\n",
    [
      "11:3 misplaced cell can't stand in a list → put ```ts cell id=first-conv at the top level of the lesson, and close what is open before it with :::",
    ],
  ],
  [
    "a prediction below its cell",
    FRONT + cell("one") + "\n\n" + PREDICT,
    [
      "19:1 predict-after-cell predict guess stands below its cell one, whose output answers it → move it above the cell",
    ],
  ],
  [
    "a prediction with no right choice",
    FRONT + PREDICT.replace("[x]", "[ ]") + "\n\n" + cell("one"),
    ["9:1 right-choices predict guess has no right choices → tick exactly one: - [x]"],
  ],
  [
    "a prediction with two right choices",
    FRONT + PREDICT.replace("[ ]", "[x]") + "\n\n" + cell("one"),
    ["9:1 right-choices predict guess has 2 right choices → tick exactly one: - [x]"],
  ],
  [
    "a prediction with nothing to answer",
    FRONT + ":::predict{of=one id=b}\nq\n:::\n\n" + cell("one"),
    [
      '9:1 missing-choices predict b has neither choices nor an answer → add a task list, - [x] for right and - [ ] for wrong, or give answer="…" for a value to type',
    ],
  ],
  [
    "an answer that the cell doesn't print",
    FRONT + ':::predict{of=one id=b answer="3"}\nq\n:::\n\n' + cell("one"),
    [
      "9:1 answer-not-printed the answer of b, 3, is not in the output of one → let the cell print it, or correct the answer",
    ],
  ],
  [
    "a choice without a box",
    FRONT + PREDICT.replace("[ ]", "[]") + "\n\n" + cell("one"),
    ["15:1 bad-choice this choice has no box, others have → start every choice with - [ ] or - [x] and a space"],
  ],
  [
    "a quiz with no right choice",
    FRONT + QUIZ.replace("[x]", "[ ]"),
    ["9:1 right-choices quiz ask has no right choice → tick the right ones: - [x]"],
  ],
  [
    "links to no anchor",
    FRONT + "# Hello *World*, 你好\n\n[a](#hello-world-你好) [b](#helo)\n\n> [c](#x)\n\n- [d](#y)\n",
    [
      "11:22 dead-link nothing in this lesson is called #helo → link to a heading or to an id",
      "13:3 dead-link nothing in this lesson is called #x → link to a heading or to an id",
      "15:3 dead-link nothing in this lesson is called #y → link to a heading or to an id",
    ],
  ],
  [
    "a language with a typing error",
    FRONT + "```pyton\n```\n",
    ['9:4 unknown-language unknown language "pyton" on a code fence → did you mean python?'],
  ],
  [
    "a file without front matter",
    "hello\n",
    [
      "1:1 missing-front-matter a lesson starts with front matter → put --- on line 1, then title, description, chapter and minutes, then --- again",
    ],
  ],
  [
    "front matter that is never closed",
    "---\ntitle: x\n",
    ["1:1 unclosed-front-matter the front matter is never closed → put --- on a line of its own after the last key"],
  ],
  [
    "YAML that can't be read",
    "---\ntitle: a: b\nminutes: 3\n---\n",
    [
      "2:8 malformed-yaml Nested mappings are not allowed in compact mappings → the front matter is YAML: key: value, one to a line; quote values that hold : or #",
    ],
  ],
  [
    "keys that are unknown, missing or wrong",
    "---\ntitel: a\ndescription: ''\nchapter: 1.1\nminutes: x\nneeds: [a]\n---\n",
    [
      "1:1 missing-key the front matter has no title → write title: Convolution layers",
      '2:1 unknown-key unknown key "titel" in the front matter → did you mean title?',
      "3:1 bad-value description must be text → write description: one sentence on what the lesson shows",
      '4:1 bad-value chapter must be the section of the classic chapter, in quotes → write chapter: "1.1.2.1"',
      "5:1 bad-value minutes must be a whole number above 0 → write minutes: 25",
      "6:9 bad-value needs must be a list of lessons of this course → write needs: [01-module], or needs: [] for none",
    ],
  ],
  [
    "a key given twice",
    "---\ntitle: a\ntitle: b\n---\n",
    [
      "3:1 malformed-yaml Map keys must be unique → the front matter is YAML: key: value, one to a line; quote values that hold : or #",
    ],
  ],
  [
    "front matter that is no mapping",
    "---\nhello\n---\n",
    ["2:1 bad-front-matter the front matter must be keys and values → write title: Convolution layers"],
  ],
  [
    "empty front matter",
    "---\n---\n",
    [
      "1:1 missing-key the front matter has no title → write title: Convolution layers",
      "1:1 missing-key the front matter has no description → write description: one sentence on what the lesson shows",
      '1:1 missing-key the front matter has no chapter → write chapter: "1.1.2.1"',
      "1:1 missing-key the front matter has no minutes → write minutes: 25",
    ],
  ],
];

test.each(faults)("%s is told with its place and a way out", (_, text, expected) => {
  expect(brief(checkLesson(text, FILE))).toEqual(expected);
});

test("a lesson that uses every part of the format has no faults", () => {
  expect(brief(checkLesson(FRONT + ok, FILE))).toEqual([]);
});

test("Windows line ends make no difference", () => {
  expect(brief(checkLesson((FRONT + ok).replaceAll("\n", "\r\n"), FILE))).toEqual([]);
});

test("times of day, C++ names and asides in prose are no directives", () => {
  const prose = "at 10:30 or 10:exercise{a}, std::vector\n\n::vector is\n\n:::note[Hi]\nx\n:::\n";
  expect(brief(checkLesson(FRONT + prose, FILE))).toEqual([]);
});

test("a file outside of the lessons' folders is told where to go", () => {
  expect(brief(checkLesson(FRONT, "lessons/fr/nn/1.md"))).toEqual([
    "1:1 bad-path lessons/fr/nn/1.md is not where a lesson lives → move it to lessons/<en or zh-cn>/<course>/<two digits>-<words>.md",
  ]);
});
