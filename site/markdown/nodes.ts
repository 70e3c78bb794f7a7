/** Small builders for Markdown nodes that become named HTML elements, for remark plugins. */
import type { Element, ElementContent, Properties } from "hast";
import type { RootContent } from "mdast";

/** A node that remark-rehype turns into exactly this element: its children are Markdown, or finished HTML. */
export function element(tag: string, properties: Properties, children: RootContent[]): RootContent {
  return { type: "strideElement", data: { hName: tag, hProperties: properties }, children } as unknown as RootContent;
}

/** The same around finished HTML. */
export function html(tag: string, properties: Properties, children: ElementContent[]): RootContent {
  return {
    type: "strideElement",
    data: { hName: tag, hProperties: properties, hChildren: children },
    children: [],
  } as unknown as RootContent;
}

export function words(value: string): ElementContent {
  return { type: "text", value };
}

export function hastElement(tagName: string, properties: Properties, children: ElementContent[]): Element {
  return { type: "element", tagName, properties, children };
}
