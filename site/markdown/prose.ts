/** What ordinary Markdown needs to stand on the site: links between lessons, anchors, tables that may be wide. */

import GithubSlugger from "github-slugger";
import type { Heading, Link, Parent, Root, RootContent, Text } from "mdast";
import { toString as textOf } from "mdast-util-to-string";
import { SKIP, visit } from "unist-util-visit";
import type { Lesson } from "../lesson/types.ts";
import { element } from "./nodes.ts";

/** Links, heading anchors and wide tables, in place. */
export function finishProse(tree: Root, lesson: Lesson): void {
  const taken = new Set(
    [...lesson.cells, ...lesson.exercises, ...lesson.predicts, ...lesson.quizzes].map((one) => one.id),
  );
  const slugger = new GithubSlugger();
  visit(tree, "heading", (node: Heading) => {
    let id = slugger.slug(textOf(node));
    // A cell's id is its anchor for ever; a heading of the same name gives way.
    while (taken.has(id)) id = slugger.slug(`${id}-section`);
    node.data = { ...node.data, hProperties: { id } } as Heading["data"];
  });
  visit(tree, "link", (node: Link) => {
    node.url = siteLink(node.url, lesson);
  });
  visit(tree, "text", (node: Text) => {
    node.value = keptTogether(node.value);
  });
  visit(tree, "table", (node, index, parent) => {
    if (parent === undefined || index === undefined) return;
    (parent as Parent).children[index] = element("div", { className: ["wide-table"] }, [node as RootContent]);
    return [SKIP, index + 1];
  });
}

/** "3 × 3" is one word to a reader: it does not break at the end of a line. */
export function keptTogether(text: string): string {
  return text.replace(/(?<=[\dA-Za-z]) ([×→]) (?=[\dA-Za-z])/g, "\u00a0$1\u00a0");
}

/**
 * Lessons link to each other's files, so that the links work on a Git host; on the site a lesson is a folder. Relative
 * links need no base path. "02-convolution.md#strides" → "../02-convolution/#strides".
 */
export function siteLink(url: string, lesson: Pick<Lesson, "locale" | "course" | "slug">): string {
  const match = /^([^:#?]+)\.md(#.*)?$/.exec(url);
  if (match === null || url.startsWith("/")) return url;
  const from = ["lessons", lesson.locale, lesson.course];
  const parts = [...from];
  for (const part of match[1]!.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  const [root, locale, course, name] = parts;
  if (root !== "lessons" || course === undefined || name === undefined || parts.length !== 4) return url;
  const anchor = match[2] ?? "";
  if (locale === lesson.locale) {
    return course === lesson.course ? `../${name}/${anchor}` : `../../${course}/${name}/${anchor}`;
  }
  const up = lesson.locale === "en" ? "../.." : "../../..";
  return `${up}/${locale === "en" ? "" : `${locale}/`}${course}/${name}/${anchor}`;
}
