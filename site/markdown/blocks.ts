/**
 * Exercises, predictions, quizzes, asides and views as static HTML. Everything that a script would reveal later (hints,
 * solutions, reasons) is folded in `<details>`, so that it can be read without one and is not given away with one.
 */
import type { BlockContent, Code, DefinitionContent, Paragraph, RootContent } from "mdast";
import type { ContainerDirective } from "mdast-util-directive";
import { type Choice, readChoices } from "../lesson/choices.ts";
import { classifyFence } from "../lesson/fence.ts";
import { highlightCode } from "./highlight.ts";
import { element, hastElement as h, html, words } from "./nodes.ts";
import { type RenderContext, renderBlocks } from "./remark-lesson.ts";

type Content = BlockContent | DefinitionContent;

const label = (text: string) => html("p", { dataPart: "label" }, [words(text)]);
const verdict = () => html("div", { dataPart: "verdict", role: "status" }, []);

async function rendered(children: RootContent[], context: RenderContext): Promise<RootContent[]> {
  const holder = { type: "root" as const, children };
  await renderBlocks(holder, context);
  return holder.children;
}

function details(part: string, summary: string, children: RootContent[]): RootContent {
  // The search must not tell what the page folds away.
  return element("details", { dataPart: part, dataPagefindIgnore: "" }, [
    html("summary", {}, [words(summary)]),
    ...children,
  ]);
}

/** The directive of this name, or null. */
const container = (node: Content, name: string): ContainerDirective | null =>
  node.type === "containerDirective" && node.name === name ? node : null;

const fenceKind = (node: Content) =>
  node.type === "code" ? classifyFence([node.lang, node.meta].filter(Boolean).join(" ")).kind : null;

/** `:::exercise`: the task, the starter, folded hints and solution. The check is data, not shown. */
export async function exercise(node: ContainerDirective, context: RenderContext): Promise<RootContent> {
  const { t } = context;
  const id = node.attributes?.id ?? "";
  const prompt: RootContent[] = [];
  const folded: RootContent[] = [];
  let starter: Code | null = null;
  let hints = 0;
  for (const child of node.children) {
    const kind = fenceKind(child);
    if (kind === "starter") starter = child as Code;
    else if (kind === "check") continue;
    else {
      const hint = container(child, "hint");
      const solution = container(child, "solution");
      if (hint !== null) folded.push(details("hint", t.exercise.hint(++hints), await rendered(hint.children, context)));
      else if (solution !== null) {
        folded.push(details("solution", t.exercise.solution, await rendered(solution.children, context)));
      } else prompt.push(child);
    }
  }
  return element("stride-exercise", { id, dataExercise: id, dataVerdict: "none" }, [
    label(t.exercise.label),
    element("div", { dataPart: "prompt" }, await rendered(prompt, context)),
    html("div", { dataPart: "code", dataLanguage: "ts" }, [await highlightCode(starter?.value ?? "", "ts")]),
    html("div", { dataPart: "controls" }, []),
    html("div", { dataPart: "output" }, []),
    verdict(),
    ...folded,
  ]);
}

/** The prose of a predict or a quiz, its list of choices, and the `:::why` that may close it. */
async function readQuestion(node: ContainerDirective, context: RenderContext) {
  const prompt: RootContent[] = [];
  const why: RootContent[] = [];
  let choices: Choice[] | null = null;
  for (const child of node.children) {
    const list: Choice[] | null = child.type === "list" && choices === null ? readChoices(child) : null;
    const reason = container(child, "why");
    if (list !== null) choices = list;
    else if (reason !== null) why.push(...(await rendered(reason.children, context)));
    else prompt.push(child);
  }
  return { prompt: await rendered(prompt, context), choices, why };
}

function choiceList(choices: Choice[]): RootContent {
  const items = choices.map((choice, index) =>
    element("li", { dataChoice: String(index) }, [
      element("div", { dataPart: "choice" }, choice.text as unknown as RootContent[]),
    ]),
  );
  return element("ol", { dataPart: "choices" }, items);
}

/** The same choices with their verdicts and reasons. */
function answerList(choices: Choice[]): RootContent {
  const items = choices.map((choice, index) => {
    const mark = html("span", { className: ["choice-mark"], ariaHidden: "true" }, [words(choice.right ? "✓" : "✗")]);
    const text: Paragraph = { type: "paragraph", children: structuredClone(choice.text) };
    return element("li", { dataChoice: String(index), dataRight: String(choice.right) }, [
      mark,
      text,
      ...(choice.why.length === 0 ? [] : [element("div", { dataPart: "why" }, choice.why)]),
    ]);
  });
  return element("ol", { dataPart: "reasons" }, items);
}

/** `:::predict`: a commitment before the run that answers it. */
export async function predict(node: ContainerDirective, context: RenderContext): Promise<RootContent> {
  const { t } = context;
  const { id = "", of = "", answer = "" } = (node.attributes ?? {}) as Record<string, string>;
  const { prompt, choices, why } = await readQuestion(node, context);
  const given =
    choices === null ? [html("p", { dataPart: "right" }, [h("code", {}, [words(answer)])])] : [answerList(choices)];
  return element("stride-predict", { id, dataPredict: id, dataOf: of, dataVerdict: "none" }, [
    label(t.predict.label),
    element("div", { dataPart: "prompt" }, prompt),
    ...(choices === null ? [] : [choiceList(choices)]),
    html("div", { dataPart: "controls" }, []),
    verdict(),
    details("answer", t.predict.answer, [
      ...given,
      ...(why.length === 0 ? [] : [element("div", { dataPart: "why" }, why)]),
    ]),
  ]);
}

/** `:::quiz`: a question that no run can settle. */
export async function quiz(node: ContainerDirective, context: RenderContext): Promise<RootContent> {
  const { t } = context;
  const id = node.attributes?.id ?? "";
  const { prompt, choices, why } = await readQuestion(node, context);
  return element("stride-quiz", { id, dataQuiz: id, dataVerdict: "none" }, [
    label(t.quiz.label),
    element("div", { dataPart: "prompt" }, prompt),
    ...(choices === null ? [] : [choiceList(choices)]),
    html("div", { dataPart: "controls" }, []),
    verdict(),
    details("answer", t.quiz.answer, [
      ...(choices === null ? [] : [answerList(choices)]),
      ...(why.length === 0 ? [] : [element("div", { dataPart: "why" }, why)]),
    ]),
  ]);
}

/** `:::note[Title]`: beside the text, not above it. */
export async function aside(node: ContainerDirective, context: RenderContext): Promise<RootContent> {
  const [first, ...rest] = node.children;
  const titled = first?.type === "paragraph" && first.data?.directiveLabel === true;
  const title: RootContent = titled
    ? element("p", { dataPart: "label" }, first.children as unknown as RootContent[])
    : label(context.t.aside[node.name] ?? node.name);
  return element("aside", { className: ["aside"], dataAside: node.name }, [
    title,
    ...(await rendered(titled ? rest : node.children, context)),
  ]);
}

/** What a view of an operation is called on the page. */
const KINDS: Record<string, string> = { conv2d: "conv2d", max_pool2d: "pool2d", avg_pool2d: "pool2d" };

/** `::visualizer{of=… op=…}`: empty until a run gives it something to show. */
export function visualizer(attributes: Record<string, string | null | undefined>): RootContent {
  const op = attributes.op ?? "";
  return html("stride-visualizer", { dataKind: KINDS[op] ?? op, dataOf: attributes.of ?? "", dataOp: op }, []);
}
