/** A loop on its way: how far, how fast, how long still, and the metrics that run along. */
import { html, render } from "lit-html";
import { clock, shortNumber } from "./format.ts";
import type { ItemOf, OutputContext, OutputPart } from "./item.ts";

export class ProgressOutput implements OutputPart<ItemOf<"progress">> {
  readonly element = document.createElement("div");
  readonly #context: OutputContext;
  #item: ItemOf<"progress">;
  #ended = false;

  constructor(item: ItemOf<"progress">, context: OutputContext) {
    this.#context = context;
    this.#item = item;
    this.element.className = "out out-progress";
    this.element.dataset.output = "progress";
    this.update(item);
  }

  /** The run is over: a loop that was left early has no time left. */
  flush(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.update(this.#item);
  }

  update(item: ItemOf<"progress">): void {
    this.#item = item;
    const { label, done, total, rate, metrics } = item;
    const { t } = this.#context;
    const going = !this.#ended && total !== null && done < total;
    const left = going && rate !== null && rate > 0 ? clock((total - done) / rate) : null;
    const words = [
      total === null ? String(done) : t.output.progressOf(done, total),
      rate === null ? null : t.output.perSecond(shortNumber(rate)),
      left === null ? null : t.output.left(left),
      ...Object.entries(metrics).map(([name, value]) => `${name} ${shortNumber(value)}`),
    ].filter((word) => word !== null);
    render(
      html`<p class="out-progress-words"><span>${label}</span> ${words.map((word) => html`<span>${word}</span>`)}</p>
        ${
          total === null
            ? null
            : html`<div
                class="out-progress-track"
                role="progressbar"
                aria-label=${label || this.#context.label}
                aria-valuemin="0"
                aria-valuemax=${total}
                aria-valuenow=${done}
              >
                <div style="inline-size:${total > 0 ? (100 * Math.min(done, total)) / total : 0}%"></div>
              </div>`
        }`,
      this.element,
    );
  }
}
