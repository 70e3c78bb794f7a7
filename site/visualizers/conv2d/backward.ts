/** Backward: each output cell paints its share of dx, dw and db; the finished picture is the engine's own gradient. */
import { html, nothing, type TemplateResult } from "lit-html";
import type { ConvRecord } from "../../../engine/inspect/records.ts";
import type { Context } from "../shell/context.ts";
import { askGradients, type Gradients, seedControl } from "../shell/gradients.ts";
import { matrix } from "../shell/grid.ts";
import { picker, roomFor, upTo, whenReady } from "../shell/pieces.ts";
import { agrees, maxMagnitude, planeOf } from "../shell/tensor.ts";
import { windowOverlay } from "./cell.ts";
import { channelsOf, channelsPerGroup, convStep, convSteps, paintConv } from "./state.ts";

export function backwardView(context: Context<ConvRecord>): TemplateResult {
  return whenReady(context, askGradients(context), (answer) => draw(context, answer));
}

function draw(context: Context<ConvRecord>, answer: Gradients): TemplateResult {
  const { t, record, selection } = context;
  const g = record.geometry;
  const { n, c, o, i, j } = selection;
  const dy = planeOf(answer.gradOutput, g.o, g.outH, g.outW, n, o);
  const steps = convSteps(record, selection);
  const step = selection.seed === "one" ? steps : convStep(record, selection);
  const painted = paintConv(record, selection, dy.values, step);
  const local = channelsOf(record, o).indexOf(c);
  const dx = planeOf(answer.gradients.input!, g.c, g.h, g.w, n, c);
  const dw = planeOf(answer.gradients.weight!, channelsPerGroup(record), g.kernelH, g.kernelW, o, local);
  const db = answer.gradients.bias?.data[o] ?? null;
  const complete = step === steps;
  const equal = (ours: number[], engine: number[]) =>
    ours.every((value, k) => agrees(engine[k]!, value, maxMagnitude(engine) * 4, false));
  const state = (fine: boolean) =>
    complete
      ? fine
        ? html`<span class="sv-badge" data-agrees="true">${t.equalsEngine}</span>`
        : html`<span class="sv-badge" data-agrees="false" role="alert">≠ engine</span>`
      : html`<span class="sv-aside">${t.painted}: ${step} / ${steps}</span>`;
  const columns = context.width >= 760 ? 3 : context.width >= 560 ? 2 : 1;
  const room = roomFor(context, columns);
  const dtype = answer.gradients.input!.dtype;
  const window = windowOverlay(record, i, j);
  return html`<div class="sv-stage" data-columns=${columns}>
      <div class="sv-col">
        ${matrix(context, {
          part: "output",
          role: "gradient",
          name: `dy[${n}, ${o}]`,
          plane: dy,
          dtype,
          room,
          selected: { row: i, col: j },
          pick: (row, col) => context.select({ i: row, j: col }, "output"),
          overlays: [{ row: i, col: j, rows: 1, cols: 1, kind: "selected" }],
          look: (row, col) => ({ classes: row * g.outW + col >= step ? "is-ahead" : "" }),
          legend: false,
        })}
        <div class="sv-pickers">${picker(context, "n", upTo(g.n))} ${picker(context, "o", upTo(g.o))}</div>
      </div>
      <div class="sv-col">
        ${matrix(context, {
          part: "kernel",
          role: "gradient",
          name: `dw[${o}, ${local}]`,
          detail: t.gradOf(t.weight),
          plane: { ...dw, values: painted.dw },
          max: maxMagnitude(dw.values),
          dtype,
          room: Math.min(room, 320),
          selected: null,
          legend: false,
        })}
        ${state(equal(painted.dw, dw.values))}
        ${db === null ? nothing : html`<div class="sv-db" data-role="gradient">db[${o}] = <b>${context.numbers.one(painted.db, dtype)}</b> ${state(equal([painted.db], [db]))}</div>`}
      </div>
      <div class="sv-col">
        ${matrix(context, {
          part: "input",
          role: "gradient",
          name: `dx[${n}, ${c}]`,
          detail: t.gradOf(t.input),
          plane: { ...dx, values: painted.dx },
          max: maxMagnitude(dx.values),
          dtype,
          room,
          selected: null,
          centre: { row: window.row + window.rows / 2, col: window.col + window.cols / 2 },
          overlays: [window],
        })}
        ${state(equal(painted.dx, dx.values))}
        <div class="sv-pickers">${picker(context, "c", channelsOf(record, o))}</div>
      </div>
    </div>
    <div class="sv-pickers">${seedControl(context)}</div>
    ${answer.promoted ? html`<p class="sv-note">${t.promoted}</p>` : nothing}`;
}

export function backwardFormula(): TemplateResult {
  return html`<div class="sv-letters">
    <span data-symbol="gradient" data-role="gradient">dx[row, col]</span> = Σ <span data-role="weight">w[u, v]</span>·<span data-role="gradient">dy[i, j]</span>,&ensp;
    <span data-role="gradient">dw[u, v]</span> = Σ <span data-role="input">x[row, col]</span>·<span data-role="gradient">dy[i, j]</span>,&ensp; <span data-role="gradient">db</span> = Σ
    <span data-role="gradient">dy[i, j]</span>
  </div>`;
}
