/**
 * From a lesson's Markdown to the page's HTML: cells, twins, recorded outputs, exercises, predictions, quizzes and views
 * become the elements that the scripts enhance, and read completely before any script runs. The words of the format are
 * site/lesson's; this file only says what they look like.
 */
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import type { Code, Nodes, Parent, Root, RootContent } from "mdast";
import type { ContainerDirective, LeafDirective } from "mdast-util-directive";
import type { Processor } from "unified";
import { SKIP, visit } from "unist-util-visit";
import type { VFile } from "vfile";
import { messages } from "../i18n/index.ts";
import { assertLesson } from "../lesson/assert.ts";
import { ASIDES, classifyFence } from "../lesson/fence.ts";
import { remarkLessonDirectives } from "../lesson/remark-lesson-directives.ts";
import type { Lesson } from "../lesson/types.ts";
import { aside, exercise, predict, quiz, visualizer } from "./blocks.ts";
import { board, cell, plainFence } from "./cells.ts";
import { html, words } from "./nodes.ts";
import { finishProse } from "./prose.ts";

/** Adds the lesson's directives to the parser, and turns what it parsed into the page. Faults stop the build. */
export function remarkLesson(this: Processor): (tree: Root, file: VFile) => Promise<void> {
  remarkLessonDirectives.call(this as never);
  return async (tree, file) => {
    const text = readFileSync(file.path, "utf8");
    const lesson = assertLesson(relative(process.cwd(), file.path).replaceAll("\\", "/"), text);
    const t = messages(lesson.locale);
    const source = String(file.value);
    restoreProseColons(tree, source);
    await renderBlocks(tree, { lesson, t });
    finishProse(tree, lesson);
    tree.children.push(lessonData(lesson));
  };
}

export interface RenderContext {
  lesson: Lesson;
  t: ReturnType<typeof messages>;
}

/** "at 10:30" is prose. Starlight adds directives of its own to the parser, with single colons among them. */
function restoreProseColons(tree: Root, source: string): void {
  visit(tree, (node, index, parent) => {
    const known = (node as { name?: string }).name ?? "";
    const lost = node.type === "textDirective" || (node.type === "leafDirective" && known !== "visualizer");
    if (!lost || parent === undefined || index === undefined || node.position === undefined) return;
    const value = source.slice(node.position.start.offset, node.position.end.offset);
    const text: RootContent = { type: "text", value };
    (parent as Parent).children[index] = node.type === "textDirective" ? text : { type: "paragraph", children: [text] };
    return [SKIP, index];
  });
}

/** Replaces the format's nodes everywhere in the tree, outermost first. */
export async function renderBlocks(parent: Parent, context: RenderContext): Promise<void> {
  const rendered: RootContent[] = [];
  for (const node of parent.children) {
    const block = await renderBlock(node, context);
    if (Array.isArray(block)) rendered.push(...block);
    else if (block === undefined) {
      if ("children" in node) await renderBlocks(node as Parent, context);
      rendered.push(node);
    } else if (block !== null) rendered.push(block);
  }
  parent.children = rendered;
}

/** The node's HTML; null where another block shows it; undefined where it is ordinary Markdown. */
async function renderBlock(
  node: Nodes,
  context: RenderContext,
): Promise<RootContent | RootContent[] | null | undefined> {
  if (node.type === "code") return renderFence(node, context);
  if (node.type === "leafDirective") return visualizer((node as LeafDirective).attributes ?? {});
  if (node.type !== "containerDirective") return undefined;
  const directive = node as ContainerDirective;
  switch (directive.name) {
    case "exercise":
      return exercise(directive, context);
    case "predict":
      return predict(directive, context);
    case "quiz":
      return quiz(directive, context);
    default:
      return ASIDES.includes(directive.name) ? aside(directive, context) : undefined;
  }
}

async function renderFence(node: Code, { lesson, t }: RenderContext): Promise<RootContent | RootContent[] | null> {
  const { kind, attributes } = classifyFence([node.lang, node.meta].filter(Boolean).join(" "));
  if (kind === "twin" || kind === "output") return null;
  if (kind === "cell") {
    const spec = lesson.cells.find((one) => one.id === attributes.id);
    if (spec !== undefined) return [await cell(spec, t), board(spec)].filter((one) => one !== null);
  }
  return plainFence(node.value, node.lang ?? null);
}

/** The lesson as data, for the elements: they never read code back out of HTML. */
function lessonData(lesson: Lesson): RootContent {
  const json = JSON.stringify(lesson).replaceAll("<", "\\u003c");
  return html("script", { type: "application/json", dataPart: "lesson" }, [words(json)]);
}
