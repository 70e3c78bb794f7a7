/** What flows back through a call: the engine's gradients for a seed in one output plane. */
import { html, nothing, type TemplateResult } from "lit-html";
import type { Asked, Context, GradientsAnswer } from "./context.ts";

export type Gradients = Extract<GradientsAnswer, { ok: true }>;

/** dy: ones in plane (n, o) of the output, or a single one in the selected cell; zero everywhere else. */
export function askGradients(context: Context): Asked<Gradients> {
  const { record, selection } = context;
  const g = record.geometry;
  const channels = record.op === "conv2d" ? record.geometry.o : record.geometry.c;
  const plane = record.op === "conv2d" ? selection.o : selection.c;
  const one = selection.seed === "one" ? `${selection.i},${selection.j}` : "";
  return context.ask(`grad:${selection.n}:${plane}:${one}`, async (api) => {
    const size = g.outH * g.outW;
    const seed = new Array<number>(g.n * channels * size).fill(0);
    const start = (selection.n * channels + plane) * size;
    if (one === "") seed.fill(1, start, start + size);
    else seed[start + selection.i * g.outW + selection.j] = 1;
    const answer = await api.gradients(context.change(), seed);
    if (!answer.ok) throw new Error(`${context.t.noGradients} ${answer.error.message}`);
    return answer;
  });
}

/** Chooses what flows back. */
export function seedControl(context: Context): TemplateResult {
  const { t, selection } = context;
  return html`<label class="sv-field">
      <span>${t.dySeed}</span>
      <select
        data-control="seed"
        @change=${(event: Event) => context.select({ seed: (event.target as HTMLSelectElement).value as "map" | "one" })}
      >
        <option value="map" ?selected=${selection.seed === "map"}>${t.dyMap}</option>
        <option value="one" ?selected=${selection.seed === "one"}>${t.dyOne}</option>
      </select>
    </label>
    ${selection.seed === "map" ? html`<span class="sv-aside">${t.dyNote}</span>` : nothing}`;
}
