/** Small things that several views show: pickers, the "= engine" badge, shape ribbon, waiting and failed states. */
import { html, nothing, type TemplateResult } from "lit-html";
import type { OpRecord, TensorView } from "../../../engine/inspect/records.ts";
import type { Asked, Context } from "./context.ts";
import type { Selection } from "./selection.ts";

type Axis = "n" | "c" | "o";

/** Previous, number, next for one of sample, channel, filter; nothing where there is only one. */
export function picker(context: Context, axis: Axis, choices: readonly number[]): TemplateResult | typeof nothing {
  if (choices.length < 2) return nothing;
  const { t, selection } = context;
  const name = { n: t.sample, c: t.channel, o: t.filter }[axis];
  const control = { n: "sample", c: "channel", o: "filter" }[axis];
  const current = selection[axis];
  const index = choices.indexOf(current);
  const go = (to: number) =>
    context.select({ [axis]: choices[(to + choices.length) % choices.length] } as Partial<Selection>);
  return html`<div class="sv-picker">
    <span class="sv-picker-name">${name}</span>
    <button type="button" aria-label=${t.less(name)} @click=${() => go(index - 1)}>‹</button>
    <select
      data-control=${control}
      aria-label=${name}
      .value=${String(current)}
      @change=${(event: Event) => context.select({ [axis]: Number((event.target as HTMLSelectElement).value) } as Partial<Selection>)}
    >
      ${choices.map((choice) => html`<option value=${choice} ?selected=${choice === current}>${choice}</option>`)}
    </select>
    <button type="button" aria-label=${t.more(name)} @click=${() => go(index + 1)}>›</button>
  </div>`;
}

export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, k) => k);
}

/** Green where the explanation's total is the engine's number, red with both numbers where it is not. */
export function badge(context: Context, agrees: boolean, ours: number, engine: number, dtype: string): TemplateResult {
  const { t, numbers } = context;
  return agrees
    ? html`<span class="sv-badge" data-agrees="true" title=${t.equalsEngineLong}>${t.equalsEngine}</span>`
    : html`<span class="sv-badge" data-agrees="false" role="alert">${t.differs(numbers.one(ours, dtype), numbers.one(engine, dtype))}</span>`;
}

/** Shapes of a call with a letter under each axis, so that the two unit axes of (1, 1, 5, 5) can be seen. */
export function shapes(context: Context, record: OpRecord): TemplateResult {
  const { t } = context;
  const parts: [string, string, TensorView][] = [["input", t.input, record.inputs.input]];
  if (record.op === "conv2d") parts.push(["weight", t.weight, record.inputs.weight]);
  parts.push(["output", t.output, record.output]);
  const letters = (role: string, rank: number) =>
    role === "weight"
      ? ["O", record.op === "conv2d" && record.geometry.groups > 1 ? "C/g" : "C", "kH", "kW"]
      : (role === "output" && record.op === "conv2d" ? ["N", "O", "H", "W"] : ["N", "C", "H", "W"]).slice(4 - rank);
  return html`<div class="sv-shapes">
    ${parts.map(
      ([role, name, view], k) =>
        html`${k === 0 ? nothing : html`<span aria-hidden="true">${role === "weight" ? "∗" : "→"}</span>`}
          <span class="sv-shape" data-role=${role}>
            <span class="sv-shape-name">${name}</span>
            ${view.shape.map((size, axis) => html`<span class="sv-axis"><b>${size}</b><i>${letters(role, view.shape.length)[axis]}</i></span>`)}
          </span>`,
    )}
    <span class="sv-dtype">${record.inputs.input.dtype}</span>
  </div>`;
}

/** A view that needs an answer of the engine: drawn once it is there. */
export function whenReady<T>(context: Context, asked: Asked<T>, draw: (value: T) => TemplateResult): TemplateResult {
  if (asked.state === "waiting") return html`<p class="sv-wait" aria-busy="true">${context.t.asking}</p>`;
  if (asked.state === "failed") return html`<p class="sv-refusal" role="alert">${asked.message}</p>`;
  return draw(asked.value);
}

/** How wide one of `columns` matrices may be. */
export function roomFor(context: Context, columns: number): number {
  const { width } = context;
  if (width < 560) return width - 4;
  return Math.floor((width - 36 * (columns - 1)) / columns);
}
