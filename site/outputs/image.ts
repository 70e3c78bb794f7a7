/** A picture or a grid of pictures on a canvas: pixels stay square and sharp, and its size and shape stand under it. */
import type { Picture } from "../kernel/protocol.ts";
import { shapeText } from "./format.ts";
import type { ItemOf, OutputContext, OutputPart } from "./item.ts";

export class ImageOutput implements OutputPart<ItemOf<"image">> {
  readonly element = document.createElement("figure");
  readonly #context: OutputContext;

  constructor(item: ItemOf<"image">, context: OutputContext) {
    this.#context = context;
    this.element.className = "out out-image";
    this.element.dataset.output = "image";
    this.update(item);
  }

  update({ label, picture, shape }: ItemOf<"image">): void {
    const { t } = this.#context;
    const caption = document.createElement("figcaption");
    const name = document.createElement("span");
    name.textContent = label;
    const size = document.createElement("span");
    size.className = "out-shape";
    size.textContent = `${shapeText(shape)} · ${t.output.pictureSize(picture.width, picture.height)}`;
    caption.append(...(label === "" ? [] : [name]), size);
    this.element.replaceChildren(pictureCanvas(picture, t.output.picture(label, shapeText(shape))), caption);
  }
}

/** The picture at a whole multiple of its size, so that every pixel is a square; never wider than the column. */
export function pictureCanvas(picture: Picture, label: string): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = picture.width;
  canvas.height = picture.height;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  const zoom = Math.max(1, Math.min(8, Math.floor(560 / Math.max(1, picture.width))));
  canvas.style.width = `${picture.width * zoom}px`;
  const pixels = new Uint8ClampedArray(picture.pixels);
  canvas.getContext("2d")?.putImageData(new ImageData(pixels, picture.width, picture.height), 0, 0);
  return canvas;
}
