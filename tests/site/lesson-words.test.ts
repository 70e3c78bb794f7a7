/** Code without comments, answers without their dress, and "did you mean". */
import fc from "fast-check";
import { expect, test } from "vitest";
import { sameAnswer, showsAnswer } from "../../site/lesson/answers.ts";
import { firstDifference, printsAtTopLevel, pythonWords, typescriptWords } from "../../site/lesson/code-words.ts";
import { classifyFence, parseAttributes } from "../../site/lesson/fence.ts";
import { nearest } from "../../site/lesson/nearest.ts";
import { headingSlug } from "../../site/lesson/places.ts";

const words = (source: string) => typescriptWords(source).map((word) => word.text);

test("comments go, whatever looks like one in a string, a template or a pattern stays", () => {
  expect(words("a / b; // gone\n/* gone\n too */ c")).toEqual(["a", "/", "b", ";", "c"]);
  const template = ["`/* $", '{"`" + 1} */`'].join("");
  expect(words(`"// kept" + ${template} // gone`)).toEqual(['"// kept"', "+", template]);
  expect(words("x = /\\/\\/[/]/.test(s)")).toEqual(["x", "=", "/\\/\\/[/]/", ".", "test", "(", "s", ")"]);
  expect(words("'unfinished // string\nnext")).toEqual(["'unfinished // string", "next"]);
});

test("white space and line breaks make no difference, names and numbers do", () => {
  expect(firstDifference(typescriptWords("f(a,b)"), typescriptWords("f(\n  a, // first\n  b)"))).toBeNull();
  expect(firstDifference(typescriptWords("a\nb\nc"), typescriptWords("a\n// x\nb\nd"))).toEqual({ a: 3, b: 4 });
});

test("the words inside strings can be left out", () => {
  expect(typescriptWords('test("one", 1)', true).map((word) => word.text)).toEqual(["test", "(", '""', ",", "1", ")"]);
});

test("Python keeps its indents and loses its comments", () => {
  const source = 'x = "# kept"  # gone\n\n# gone\nif x:\n    y = """#\n# kept"""';
  expect(pythonWords(source)).toEqual([
    { text: 'x = "# kept"', line: 1 },
    { text: "if x:", line: 4 },
    { text: '    y = """#', line: 5 },
    { text: '# kept"""', line: 6 },
  ]);
});

test("a twin prints when a print stands outside of functions and classes", () => {
  expect(printsAtTopLevel("for x in y:\n    print(x)")).toBe(true);
  expect(printsAtTopLevel("def f():\n    print(1)\n\nf()")).toBe(false);
  expect(printsAtTopLevel("class A:\n    def f(self):\n        print(1)\nprint(A)")).toBe(true);
  expect(printsAtTopLevel("# print(1)\nx = 'print(1)'")).toBe(false);
});

test("a typed answer is right by its numbers, in order, whatever brackets stand around them", () => {
  const size = "torch.Size([1, 1, 3, 3])";
  for (const given of [size, "1,1,3,3", "(1, 1, 3, 3)", "[1 1 3 3]", "（1，1，3，3）", "torch.size([1,1,3,3])"]) {
    expect(sameAnswer(given, size), given).toBe(true);
  }
  for (const given of ["", "1133", "3, 3, 1, 1", "1, 1, 3", "about 1, 1, 3, 3", "no"]) {
    expect(sameAnswer(given, size), given).toBe(false);
  }
  expect(sameAnswer("-0.5", "-.5")).toBe(true);
  expect(sameAnswer("−2", "-2")).toBe(true);
  expect(sameAnswer("0.33333334", "0.33333333")).toBe(true);
  expect(sameAnswer("0.34", "0.33")).toBe(false);
  expect(sameAnswer("tensor([2.])", "2")).toBe(true);
});

test("a typed answer in words is right without case, spaces and width", () => {
  expect(sameAnswer(" valueerror ", "ValueError")).toBe(true);
  expect(sameAnswer("ＶａｌｕｅＥｒｒｏｒ", "ValueError")).toBe(true);
  expect(sameAnswer("TypeError", "ValueError")).toBe(false);
  expect(sameAnswer("3", "3 windows")).toBe(false);
});

test("a run bears an answer out when it prints it", () => {
  expect(showsAnswer("tensor([[10, 12],\n        [13,  9]])", "12, 13")).toBe(true);
  expect(showsAnswer("tensor([[10, 12],\n        [13,  9]])", "12, 9")).toBe(false);
  expect(showsAnswer("torch.Size([1, 1, 3, 3])", "torch.Size([1, 1, 3, 3])")).toBe(true);
  expect(showsAnswer("RuntimeError: shapes differ", "runtimeerror")).toBe(true);
});

test("an answer is always the same as itself and shown by itself", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(showsAnswer(text, text)).toBe(true);
      if (/[a-z0-9]/i.test(text)) expect(sameAnswer(text, text)).toBe(true);
    }),
  );
});

test("attributes are read with their places, quoted or not", () => {
  expect(parseAttributes(`id=a tol="1 2" x='y' flag`).attributes).toEqual([
    { name: "id", value: "a", start: 0, end: 4 },
    { name: "tol", value: "1 2", start: 5, end: 14 },
    { name: "x", value: "y", start: 15, end: 20 },
    { name: "flag", value: null, start: 21, end: 25 },
  ]);
});

test("any line of words is read without throwing, faults and attributes within it", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((text) => `ts cell ${text}`),
      ),
      (info) => {
        for (const fault of classifyFence(info).faults) expect(fault.offset).toBeLessThanOrEqual(info.length);
        for (const one of parseAttributes(info).attributes) expect(one.end).toBeLessThanOrEqual(info.length);
      },
    ),
  );
});

test("a suggestion is near, or there is none", () => {
  expect(nearest("exrcise", ["exercise", "hint"])).toBe("exercise");
  expect(nearest("hnit", ["exercise", "hint"])).toBe("hint");
  expect(nearest("banana", ["exercise", "hint"])).toBeNull();
  expect(nearest("x", [])).toBeNull();
});

test("anchors are GitHub's", () => {
  expect(headingSlug("Where does `ceil_mode` come in?")).toBe("where-does-ceil_mode-come-in");
  expect(headingSlug("步幅 stride，与填充")).toBe("步幅-stride与填充");
});
