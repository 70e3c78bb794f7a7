/** The value of a cell's last expression when it is no tensor. */
import type { ItemOf, OutputPart } from "./item.ts";

export class ValueOutput implements OutputPart<ItemOf<"value">> {
  readonly element = document.createElement("pre");

  constructor(item: ItemOf<"value">) {
    this.element.className = "out out-value";
    this.element.dataset.output = "value";
    this.element.translate = false;
    this.update(item);
  }

  update(item: ItemOf<"value">): void {
    this.element.textContent = item.text;
  }
}
