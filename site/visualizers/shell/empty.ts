/** What stands in a visualizer's place before there is a record: a drawn promise and one button. */
import { html, svg, type TemplateResult } from "lit-html";
import type { Strings } from "../i18n.ts";

export interface RunButton {
  label: string;
  busy: boolean;
  run: () => void;
}

export function emptyState(t: Strings, op: string, kind: "conv2d" | "pool2d", button: RunButton): TemplateResult {
  return html`<div class="sv-empty">
    ${sketch(kind)}
    <div>
      <h3>${t.emptyTitle(op)}</h3>
      <p>${t.emptyText}</p>
      <button type="button" class="sv-button sv-primary" data-action="run-cell" ?disabled=${button.busy} @click=${button.run}>${button.label}</button>
    </div>
  </div>`;
}

export function message(text: string, button: RunButton): TemplateResult {
  return html`<div class="sv-empty">
    <div>
      <p>${text}</p>
      <button type="button" class="sv-button sv-primary" data-action="run-cell" ?disabled=${button.busy} @click=${button.run}>${button.label}</button>
    </div>
  </div>`;
}

/** Five by five under a three by three window, without numbers: there are none yet. */
function sketch(kind: "conv2d" | "pool2d"): TemplateResult {
  const cells = (rows: number, cols: number, x: number, y: number, role: string) =>
    Array.from(
      { length: rows * cols },
      (_, k) =>
        svg`<rect data-role=${role} x=${x + (k % cols) * 16} y=${y + Math.floor(k / cols) * 16} width="16" height="16" />`,
    );
  return html`<svg class="sv-sketch" viewBox="0 0 224 92" width="224" height="92" aria-hidden="true">
    ${cells(5, 5, 4, 6, "input")} <rect class="sv-sketch-window" x="20" y="6" width="48" height="48" />
    ${kind === "conv2d" ? cells(3, 3, 104, 22, "weight") : svg`<text x="126" y="50">max</text>`}
    <path d="M88 46h10M158 46h10" class="sv-sketch-arrow" /> ${cells(3, 3, 172, 22, "output")}
  </svg>`;
}
