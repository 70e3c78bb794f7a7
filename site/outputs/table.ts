/** Rows and columns of text. */
import { html, render } from "lit-html";
import type { ItemOf, OutputContext, OutputPart } from "./item.ts";

const MOST_ROWS = 500;

export class TableOutput implements OutputPart<ItemOf<"table">> {
  readonly element = document.createElement("div");
  readonly #context: OutputContext;

  constructor(item: ItemOf<"table">, context: OutputContext) {
    this.#context = context;
    this.element.className = "out out-table";
    this.element.dataset.output = "table";
    this.element.tabIndex = 0;
    this.element.setAttribute("role", "group");
    this.element.setAttribute("aria-label", context.t.output.table);
    this.update(item);
  }

  update({ columns, rows }: ItemOf<"table">): void {
    const hidden = rows.length - MOST_ROWS;
    render(
      html`<table>
          <thead>
            <tr>
              ${columns.map((name) => html`<th scope="col">${name}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${rows.slice(0, MOST_ROWS).map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}
          </tbody>
        </table>
        ${hidden > 0 ? html`<p class="out-note">${this.#context.t.output.moreItems(hidden)}</p>` : null}`,
      this.element,
    );
  }
}
