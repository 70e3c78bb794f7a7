/** An error as PyTorch words it, where it happened, and the next step where one is known. */
import { html, render } from "lit-html";
import type { ErrorData } from "../kernel/protocol.ts";
import type { ItemOf, OutputContext, OutputPart } from "./item.ts";

export class ErrorOutput implements OutputPart<ItemOf<"error">> {
  readonly element = document.createElement("div");
  readonly #context: OutputContext;

  constructor(item: ItemOf<"error">, context: OutputContext) {
    this.#context = context;
    this.element.className = "out out-error";
    this.element.dataset.output = "error";
    this.update(item);
  }

  update({ error }: ItemOf<"error">): void {
    render(errorBody(error, this.#context), this.element);
  }
}

function errorBody(error: ErrorData, { t, goTo }: OutputContext): unknown {
  return html`<p class="out-error-message"><b>${error.name}</b><span>: ${error.message}</span></p>
    ${error.hint === null ? null : html`<p class="out-error-hint"><b>${t.output.hint}</b> ${error.hint}</p>`}
    ${
      error.definedIn === null
        ? null
        : html`<p class="out-error-hint">
            ${t.output.definedIn(error.definedIn)}
            <a href="#${error.definedIn}">${t.output.goDefiner}</a>
          </p>`
    }
    ${
      error.frames.length === 0
        ? null
        : html`<ol class="out-frames">
            ${error.frames.map(
              (frame) =>
                html`<li>
                  <button
                    type="button"
                    class="btn"
                    aria-label=${`${frame.cellId}:${frame.line}:${frame.column}, ${t.output.goTo(frame.cellId, frame.line)}`}
                    @click=${() => goTo(frame.cellId, frame.line)}
                  >
                    ${frame.cellId}:${frame.line}:${frame.column}
                  </button>
                  ${frame.functionName === "" ? null : html`<span>${t.output.inFunction(frame.functionName)}</span>`}
                </li>`,
            )}
          </ol>`
    }`;
}
