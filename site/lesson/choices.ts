/** A Markdown task list as choices: `- [x] right` or `- [ ] wrong`, with the reason below each. For parser and page. */
import type { BlockContent, DefinitionContent, List, ListItem, Paragraph, PhrasingContent } from "mdast";

export interface Choice {
  right: boolean;
  /** The choice itself: what stands on the item's first line. */
  text: PhrasingContent[];
  /** The reason: everything below it. */
  why: (BlockContent | DefinitionContent)[];
  item: ListItem;
}

/**
 * The choices of a list, or null when it is no task list.
 * Works with remark-gfm (which reads the boxes) and without (then they are still text).
 */
export function readChoices(list: List): Choice[] | null {
  const choices = list.children.map(readChoice);
  return choices.every((choice) => choice !== null) ? choices : null;
}

function readChoice(item: ListItem): Choice | null {
  const [first, ...rest] = item.children;
  if (first?.type !== "paragraph") return null;
  let right = item.checked ?? null;
  let paragraph: Paragraph = first;
  if (right === null) {
    const lead = first.children[0];
    const box = lead?.type === "text" ? /^\[([ xX])\]\s+/.exec(lead.value) : null;
    if (lead?.type !== "text" || box === null) return null;
    right = box[1] !== " ";
    const value = lead.value.slice(box[0].length);
    paragraph = { ...first, children: [{ ...lead, value }, ...first.children.slice(1)] };
  }
  const { head, tail } = splitAtLineEnd(paragraph);
  return { right, text: head, why: tail === null ? rest : [tail, ...rest], item };
}

/** `- [x] 3` with its reason on the next line is one paragraph to Markdown: the first line is the choice. */
function splitAtLineEnd(paragraph: Paragraph): { head: PhrasingContent[]; tail: Paragraph | null } {
  const head: PhrasingContent[] = [];
  const children = paragraph.children;
  for (let index = 0; index < children.length; index++) {
    const child = children[index]!;
    if (child.type === "break") return { head, tail: { ...paragraph, children: children.slice(index + 1) } };
    const end = child.type === "text" ? child.value.indexOf("\n") : -1;
    if (child.type !== "text" || end < 0) {
      head.push(child);
      continue;
    }
    head.push({ ...child, value: child.value.slice(0, end) });
    const after = { ...child, value: child.value.slice(end + 1) };
    return { head, tail: { ...paragraph, children: [after, ...children.slice(index + 1)] } };
  }
  return { head, tail: null };
}
