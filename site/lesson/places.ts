/** Where the parts of a lesson stand, and where its links lead: what the checks need beside the lesson itself. */
import type { Nodes, RootContent } from "mdast";
import type { BlockKind } from "./fence.ts";

export interface Place {
  line: number;
  column: number;
}

export interface Link extends Place {
  url: string;
}

/** `$tex$`, or `$$` and a display of its own. */
export interface Formula extends Place {
  tex: string;
  display: boolean;
}

/** A `python twin=ID` or `text output=ID` fence. */
export interface Recorded extends Place {
  id: string;
  source: string;
  /** The cell above it. */
  after: string | null;
}

export class Places {
  readonly ids: (Place & { id: string; kind: BlockKind })[] = [];
  readonly twins: Recorded[] = [];
  readonly outputs: Recorded[] = [];
  readonly links: Link[] = [];
  readonly formulas: Formula[] = [];
  /** Anchors of the headings, as GitHub and the site write them. */
  readonly headings: string[] = [];
  /** Keys of the front matter, and items of lists ("needs.0"). */
  frontMatter: Record<string, Place> = {};
  readonly #seen = new Map<string, number>();

  id(id: string, kind: BlockKind, line: number, column: number): void {
    if (id !== "") this.ids.push({ id, kind, line, column });
  }

  /** Takes the links and headings of a piece of prose; containers of blocks are walked by the parser. */
  collect(node: RootContent): void {
    if (node.type === "heading") this.headings.push(this.#anchor(textOf(node)));
    this.#walk(node);
  }

  #walk(node: Nodes): void {
    if (node.type === "link" || node.type === "image" || node.type === "definition") {
      const { line, column } = node.position!.start;
      this.links.push({ url: node.url, line, column });
    }
    if (!("children" in node)) return;
    for (const child of node.children) {
      const block = node.type === "blockquote" || node.type === "listItem" || node.type === "list";
      // Blocks inside of these come to `collect` by themselves.
      if (!block) this.#walk(child);
    }
  }

  #anchor(heading: string): string {
    const slug = headingSlug(heading);
    const count = this.#seen.get(slug) ?? 0;
    this.#seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  }
}

/** GitHub's anchor of a heading: lower case, punctuation gone, spaces to hyphens; letters of every script stay. */
export function headingSlug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, "")
    .replaceAll(" ", "-");
}

function textOf(node: Nodes): string {
  if ("value" in node) return node.value;
  if ("alt" in node) return node.alt ?? "";
  return "children" in node ? node.children.map(textOf).join("") : "";
}
