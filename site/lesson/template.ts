/** What a new lesson starts from: it runs, passes every check, and shows each part of the format once. */
import { LOCALES, type Locale } from "./types.ts";

const WORDS: Record<Locale, Record<string, string>> = {
  en: {
    description: "One sentence on what a student can do after this lesson.",
    intro: "Say what this lesson is about in two sentences, with a question that the first cell answers.",
    first: "Numbers first",
    predict: "Every number of `x` is doubled. What stands in the middle?",
    wrong: "That is the number itself, not twice the number.",
    right: "Twice 2.",
    after: "`x.mul(2)` multiplies every element and leaves `x` as it was.",
    exercise: "Make `y` hold the squares of the three numbers.",
    comment: "// change this line",
    test: "the squares of 1, 2 and 3",
    testWhy: "Multiply x by itself, not by 2.",
    hint: "`mul` takes a tensor as well as a number.",
    solution: "Both factors are `x`:",
    quiz: "Which of these change `x` itself?",
    quizWrong: "It returns a new tensor.",
    quizRight: "The underscore means: in place.",
  },
  "zh-cn": {
    description: "用一句话写出学完这一课之后能做什么。",
    intro: "用两句话说明这一课讲什么，并提出一个由第一个单元回答的问题。",
    first: "先看数字",
    predict: "`x` 的每个数都翻倍。中间的数是多少？",
    wrong: "这是原来的数，不是它的两倍。",
    right: "2 的两倍。",
    after: "`x.mul(2)` 把每个元素都乘以 2，`x` 本身不变。",
    exercise: "让 `y` 存放这三个数的平方。",
    comment: "// 修改这一行",
    test: "1、2、3 的平方",
    testWhy: "应当用 x 乘以它自己，而不是乘以 2。",
    hint: "`mul` 既可以接受数，也可以接受张量。",
    solution: "两个因子都是 `x`：",
    quiz: "下面哪些会改变 `x` 本身？",
    quizWrong: "它返回一个新的张量。",
    quizRight: "末尾的下划线表示原地修改。",
  },
};

/** The text of a new lesson in one locale; the two locales hold the same code. */
export function lessonTemplate(locale: Locale, title: string): string {
  const w = WORDS[locale];
  return `---
title: ${JSON.stringify(title)}
description: ${JSON.stringify(w.description)}
chapter: "1.1"
minutes: 15
needs: []
seed: 0
---

${w.intro}

## ${w.first}

:::predict{of=double id=guess-middle answer="tensor([2, 4, 6])"}
${w.predict}

- [ ] 2

  ${w.wrong}
- [x] 4

  ${w.right}
:::

\`\`\`ts cell id=double
import * as torch from "torch";

const x = torch.tensor([1, 2, 3]);
print(x.mul(2));
\`\`\`
\`\`\`python twin=double
import torch

x = torch.tensor([1, 2, 3])
print(x.mul(2))
\`\`\`
\`\`\`text output=double
tensor([2, 4, 6])
\`\`\`

${w.after}

:::exercise{id=squares}
${w.exercise}

\`\`\`ts starter
const y = x.mul(2); ${w.comment}
print(y);
\`\`\`
\`\`\`ts check
test("${w.test}", () => equal(y, torch.tensor([1, 4, 9])), "${w.testWhy}");
\`\`\`
:::hint
${w.hint}
:::
:::solution
${w.solution}

\`\`\`ts
const y = x.mul(x);
print(y);
\`\`\`
:::
:::

:::quiz{id=in-place}
${w.quiz}

- [ ] \`x.mul(2)\`

  ${w.quizWrong}
- [x] \`x.mul_(2)\`

  ${w.quizRight}
:::
`;
}

/** Path parts of a lesson named as `course/NN-words`, or what is wrong with the name. */
export function readLessonName(name: string): { course: string; slug: string; title: string } | { problem: string } {
  const match = /^([a-z0-9-]+)\/(\d\d-[a-z0-9]+(?:-[a-z0-9]+)*)$/.exec(name.replace(/\.md$/, ""));
  if (match === null)
    return {
      problem: `"${name}" is no lesson name: course, slash, two digits, words with hyphens, as in nn/11-my-lesson`,
    };
  const words = match[2]!.slice(3).replaceAll("-", " ");
  return { course: match[1]!, slug: match[2]!, title: words[0]!.toUpperCase() + words.slice(1) };
}

/** Paths of a lesson's files below the folder of lessons, one per locale. */
export function lessonPaths(course: string, slug: string): { locale: Locale; path: string }[] {
  return LOCALES.map((locale) => ({ locale, path: `${locale}/${course}/${slug}.md` }));
}
