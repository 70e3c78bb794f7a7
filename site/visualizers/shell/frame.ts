/** The frame around every view: title and shapes, calls, views, transport, sentence, formula, what-if, text view, keys. */
import { html, nothing, type TemplateResult } from "lit-html";
import { live } from "lit-html/directives/live.js";
import type { Context, Kind } from "./context.ts";
import { type ControlActions, type ControlState, controls, whatIfResult } from "./controls.ts";
import { shapes } from "./pieces.ts";
import { SPEEDS } from "./player.ts";
import type { View } from "./selection.ts";

export interface FrameState {
  kind: Kind;
  calls: { index: number; label: string; title: string }[];
  call: number;
  stale: boolean;
  busy: boolean;
  playing: boolean;
  speed: number;
  helpOpen: boolean;
  textOpen: boolean;
  status: string;
  controls: ControlState;
}

export interface FrameActions extends ControlActions {
  chooseCall(index: number): void;
  chooseView(view: View): void;
  toggleHelp(): void;
  toggleText(): void;
  transport(action: "first" | "prev" | "play" | "next" | "last"): void;
  scrub(step: number): void;
  setSpeed(speed: number): void;
  run(): void;
}

export function frame(context: Context, state: FrameState, actions: FrameActions): TemplateResult {
  const { t, record, selection } = context;
  const steps = state.kind.steps(record, selection);
  const step = state.kind.stepOf(record, selection);
  const refused = context.whatIf.answer !== null && !context.whatIf.answer.ok;
  return html`
    <header class="sv-head">
      <h3><code>${record.op}</code> ${record.module ? html`<span>${record.module}</span>` : nothing}</h3>
      ${shapes(context, record)}
    </header>
    ${state.calls.length > 1 ? calls(context, state, actions) : nothing}
    ${state.stale ? html`<p class="sv-stale" data-part="stale">${t.stale(state.controls.cellId)} <button type="button" class="sv-button" data-action="run-cell" ?disabled=${state.busy} @click=${actions.run}>${state.busy ? t.running : t.rerun}</button></p>` : nothing}
    <div class="sv-views" role="group" aria-label=${t.views}>
      ${state.kind.views.map(
        (view) =>
          html`<button type="button" data-view=${view} aria-pressed=${view === selection.view} @click=${() => actions.chooseView(view)}>${t.view[view]}</button>`,
      )}
      <span class="sv-tools">
        <button type="button" data-action="text" aria-expanded=${state.textOpen} @click=${actions.toggleText}>${t.textView}</button>
        <button type="button" data-action="help" aria-expanded=${state.helpOpen} @click=${actions.toggleHelp}>${t.help}</button>
      </span>
    </div>
    ${state.helpOpen ? help(context, state) : nothing}
    ${refused ? html`<p class="sv-note">${t.lastWorking}</p>` : nothing}
    <div class="sv-body" data-refused=${refused}>
      <div class="sv-picture">${state.kind.stage(context)}</div>
      <div class="sv-formula" data-part="formula">${state.kind.formula(context)}</div>
    </div>
    <p class="sv-sentence" data-part="text">${state.kind.sentence(context)}</p>
    ${transport(context, state, actions, step, steps)}
    ${whatIfResult(context, state.controls, actions)}
    ${state.controls.put ? html`<p class="sv-note">${t.putDone(state.controls.cellId)}</p>` : nothing}
    <details class="sv-whatif" open><summary>${t.whatIf}</summary>${controls(context, state.controls, actions)}</details>
    ${state.textOpen ? textView(context, state) : nothing}
    <div class="sv-sr" role="status" aria-live="polite">${state.status}</div>
  `;
}

function calls(context: Context, state: FrameState, actions: FrameActions): TemplateResult {
  const { t } = context;
  if (state.calls.length > 6)
    return html`<label class="sv-field sv-calls"><span>${t.calls}</span>
      <select data-control="record" @change=${(event: Event) => actions.chooseCall(Number((event.target as HTMLSelectElement).value))}>
        ${state.calls.map(({ index, title }) => html`<option value=${index} ?selected=${index === state.call}>${title}</option>`)}
      </select></label>`;
  return html`<div class="sv-calls" role="group" aria-label=${t.calls}>
    ${state.calls.map(({ index, label, title }) => html`<button type="button" data-record=${index} aria-pressed=${index === state.call} title=${title} @click=${() => actions.chooseCall(index)}>${label}</button>`)}
  </div>`;
}

function transport(
  context: Context,
  state: FrameState,
  actions: FrameActions,
  step: number,
  steps: number,
): TemplateResult {
  const { t } = context;
  const atFirst = step <= 1;
  const atLast = step >= steps;
  const button = (
    action: "first" | "prev" | "play" | "next" | "last",
    label: string,
    path: string,
    off: boolean,
  ) => html`<button
    type="button"
    data-action=${action}
    aria-label=${label}
    title=${label}
    aria-disabled=${off}
    @click=${() => actions.transport(action)}
  >
    <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path d=${path} /></svg>
  </button>`;
  return html`<div class="sv-transport" role="group" aria-label=${t.scrub}>
    ${button("first", t.first, "M3 3h2v10H3zM13 3v10L6 8z", atFirst)} ${button("prev", t.prev, "M11.5 3v10L4.5 8z", atFirst)}
    ${button("play", state.playing ? t.pause : t.play, state.playing ? "M4 3h3v10H4zM9 3h3v10H9z" : "M4 2.5v11L13 8z", steps < 2)}
    ${button("next", t.next, "M4.5 3v10l7-5z", atLast)} ${button("last", t.last, "M3 3v10l7-5zM11 3h2v10h-2z", atLast)}
    <input
      type="range"
      min="1"
      max=${steps}
      step="1"
      data-control="step"
      aria-label=${t.scrub}
      aria-valuetext=${t.stepOf(step, steps)}
      .value=${live(String(step))}
      @input=${(event: Event) => actions.scrub(Number((event.target as HTMLInputElement).value))}
    />
    <output class="sv-count">${t.stepOf(step, steps)}</output>
    <label class="sv-speed"
      ><span class="sv-sr">${t.speed}</span>
      <select data-control="speed" @change=${(event: Event) => actions.setSpeed(Number((event.target as HTMLSelectElement).value))}>
        ${SPEEDS.map((speed) => html`<option value=${speed} ?selected=${speed === state.speed}>${speed}×</option>`)}
      </select></label
    >
  </div>`;
}

function help(context: Context, state: FrameState): TemplateResult {
  const { t } = context;
  const keys = state.kind.name === "pool2d" ? [...t.keys, ...t.poolKeys] : t.keys;
  return html`<dl class="sv-keys" data-part="keys">
    ${keys.map(([key, what]) => html`<div><dt>${key.split(" ").map((part) => html`<kbd>${part}</kbd> `)}</dt><dd>${what}</dd></div>`)}
  </dl>`;
}

/** The same content as tables and sentences. */
function textView(context: Context, state: FrameState): TemplateResult {
  const { t, record } = context;
  const size = (shape: number[]) => `(${shape.join(", ")})`;
  const weight = record.op === "conv2d" ? size(record.inputs.weight.shape) : null;
  return html`<section class="sv-text" data-part="text-view" aria-label=${t.textView}>
    <p>${t.shapes(size(record.inputs.input.shape), weight, size(record.output.shape))} ${state.kind.sentence(context)}</p>
    ${state.kind.tables(context).map(
      (table) => html`<div class="sv-scroll" tabindex="0" role="group" aria-label=${table.caption}>
        <table>
          <caption>${table.caption}</caption>
          <thead><tr>${table.columns.map((column) => (column === "" ? html`<td></td>` : html`<th scope="col">${column}</th>`))}</tr></thead>
          <tbody>${table.rows.map((row) => html`<tr>${row.map((entry, k) => (k === 0 ? html`<th scope="row">${entry}</th>` : html`<td>${entry}</td>`))}</tr>`)}</tbody>
        </table>
      </div>`,
    )}
  </section>`;
}
