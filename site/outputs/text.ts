/**
 * Printed text, to the letter: the element's textContent is exactly what the cell printed. A tensor in it can be opened
 * as a heat map; the button for that is a picture without text, so that it adds nothing to the letters.
 */
import { Flood } from "./flood.ts";
import { byteText, shapeText } from "./format.ts";
import { FrameQueue } from "./frame.ts";
import type { ItemOf, OutputContext, OutputPart, TextTensor } from "./item.ts";

/** Tensors with fewer numbers than this say all there is to see in their text. */
const WORTH_A_MAP = 4;

export class TextOutput implements OutputPart<ItemOf<"text">> {
  readonly element = document.createElement("div");
  readonly #context: OutputContext;
  readonly #text = document.createElement("pre");
  readonly #panels = document.createElement("div");
  readonly #frame = new FrameQueue(() => this.#write());
  #flood = new Flood();
  #flooded: { note: HTMLElement; tail: HTMLElement } | null = null;
  #pending: { text: string; tensors: TextTensor[] }[] = [];
  #length = 0;

  constructor(item: ItemOf<"text">, context: OutputContext) {
    this.#context = context;
    this.element.className = "out out-text";
    this.#text.dataset.output = "text";
    this.#text.dataset.stream = item.stream;
    this.#text.translate = false;
    this.#panels.className = "out-panels";
    this.element.append(this.#text, this.#panels);
    this.append(item.text, item.tensors);
  }

  update(item: ItemOf<"text">): void {
    this.#text.replaceChildren();
    this.#panels.replaceChildren();
    this.#flooded?.note.remove();
    this.#flooded?.tail.remove();
    this.#flooded = null;
    this.#flood = new Flood();
    this.#pending = [];
    this.#length = 0;
    this.append(item.text, item.tensors);
  }

  /** `tensors` are those printed in this piece of text, in order. */
  append(text: string, tensors: TextTensor[]): void {
    this.#pending.push({ text, tensors });
    this.#frame.request();
  }

  flush(): void {
    this.#frame.flush();
  }

  #write(): void {
    const fragment = document.createDocumentFragment();
    for (const { text, tensors } of this.#pending) {
      const shown = this.#flood.push(text);
      let at = 0;
      for (const { tensor } of tensors) {
        if (tensor.shape.reduce((size, n) => size * n, 1) < WORTH_A_MAP) continue;
        // Found by its words: pieces of text may have been joined or cut on their way.
        const start = shown.indexOf(tensor.text, at);
        if (start < 0) continue;
        const end = start + tensor.text.length;
        fragment.append(shown.slice(at, end), this.#mapButton(tensor, this.#length + end));
        at = end;
      }
      fragment.append(shown.slice(at));
      this.#length += text.length;
    }
    this.#pending = [];
    this.#text.append(fragment);
    this.#showFlood();
  }

  #mapButton(tensor: TextTensor["tensor"], offset: number): HTMLButtonElement {
    const { t } = this.#context;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "out-map";
    button.setAttribute("aria-label", t.output.heatMap(shapeText(tensor.shape)));
    button.setAttribute("aria-expanded", "false");
    button.title = t.output.heat;
    button.append(gridIcon());
    let panel: HTMLElement | null = null;
    button.addEventListener("click", async () => {
      if (panel !== null) {
        panel.remove();
        panel = null;
      } else {
        const { heatMap } = await import("./heat-map.ts");
        panel = heatMap(tensor, t);
        panel.dataset.offset = String(offset);
        const after = [...this.#panels.children].find((one) => Number((one as HTMLElement).dataset.offset) > offset);
        this.#panels.insertBefore(panel, after ?? null);
      }
      button.setAttribute("aria-expanded", String(panel !== null));
    });
    return button;
  }

  #showFlood(): void {
    const hidden = this.#flood.hidden;
    if (hidden === null) return;
    if (this.#flooded === null) {
      const note = document.createElement("p");
      note.className = "out-note";
      const tail = document.createElement("pre");
      tail.className = "out-tail";
      this.#flooded = { note, tail };
      this.element.append(note, tail);
    }
    this.#flooded.note.textContent = this.#context.t.output.flood(hidden.lines, byteText(hidden.characters));
    this.#flooded.tail.textContent = hidden.tail;
  }
}

/** A small grid, drawn node by node: output code never writes HTML. */
export function gridIcon(): SVGSVGElement {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 12 12");
  svg.setAttribute("width", "12");
  svg.setAttribute("height", "12");
  svg.setAttribute("aria-hidden", "true");
  const shades = [0.9, 0.35, 0.6, 0.25, 0.75, 0.45, 0.6, 0.3, 0.9];
  shades.forEach((shade, index) => {
    const rect = document.createElementNS(space, "rect");
    rect.setAttribute("x", String((index % 3) * 4));
    rect.setAttribute("y", String(Math.floor(index / 3) * 4));
    rect.setAttribute("width", "3.4");
    rect.setAttribute("height", "3.4");
    rect.setAttribute("fill", "currentColor");
    rect.setAttribute("opacity", String(shade));
    svg.append(rect);
  });
  return svg;
}
