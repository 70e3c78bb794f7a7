/** The value of a cell's last expression when it is a tensor: PyTorch's text of it, and its heat map on demand. */
import { shapeText } from "./format.ts";
import type { ItemOf, OutputContext, OutputPart } from "./item.ts";
import { gridIcon } from "./text.ts";

export class TensorOutput implements OutputPart<ItemOf<"tensor">> {
  readonly element = document.createElement("div");
  readonly #context: OutputContext;

  constructor(item: ItemOf<"tensor">, context: OutputContext) {
    this.#context = context;
    this.element.className = "out out-tensor";
    this.element.dataset.output = "tensor";
    this.update(item);
  }

  update({ tensor }: ItemOf<"tensor">): void {
    const { t } = this.#context;
    const text = document.createElement("pre");
    text.translate = false;
    text.textContent = tensor.text;
    const shape = document.createElement("p");
    shape.className = "out-shape";
    shape.textContent = `${shapeText(tensor.shape)} · ${tensor.dtype}${tensor.device === "cpu" ? "" : ` · ${tensor.device}`}`;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn";
    button.setAttribute("aria-expanded", "false");
    button.append(gridIcon(), ` ${t.output.heat}`);
    let panel: HTMLElement | null = null;
    button.addEventListener("click", async () => {
      if (panel !== null) {
        panel.remove();
        panel = null;
      } else {
        const { heatMap } = await import("./heat-map.ts");
        panel = heatMap(tensor, t);
        this.element.append(panel);
      }
      button.setAttribute("aria-expanded", String(panel !== null));
    });
    shape.append(button);
    this.element.replaceChildren(text, shape);
  }
}
