/** Edges: which windows are clipped, dropped or never start; floor and ceil side by side, both from the engine. */
import { html, nothing, type TemplateResult } from "lit-html";
import type { PoolRecord } from "../../../engine/inspect/records.ts";
import { unreadCount } from "../shell/axis.ts";
import type { Asked, Context } from "../shell/context.ts";
import { matrix } from "../shell/grid.ts";
import { picker, roomFor, upTo, whenReady } from "../shell/pieces.ts";
import { ruler, rulerNotes, sizeFormula } from "../shell/rulers.ts";
import { clamp } from "../shell/selection.ts";
import { inputPlane, outputPlane } from "../shell/tensor.ts";
import { unreadStrips } from "../shell/unread.ts";
import { explainPool, poolAxes } from "./state.ts";
import { beyondOf, poolOverlay, poolRing, ringText } from "./window.ts";

export function edgesView(context: Context<PoolRecord>): TemplateResult {
  return html`<div class="sv-stage" data-columns="1">${rulers(context, context.record, "e")} ${planes(context, context.record)}</div>`;
}

/** Both axes as rulers with their formulas and what happens at the edge. */
function rulers(context: Context<PoolRecord>, record: PoolRecord, id: string): TemplateResult {
  const { t } = context;
  const axes = poolAxes(record);
  const { i, j } = context.shown;
  const notes = [...new Set([...rulerNotes(context, axes.cols), ...rulerNotes(context, axes.rows)])];
  const count = unreadCount(axes);
  const total = axes.rows.size * axes.cols.size;
  return html`<div class="sv-rulers">
    <div class="sv-axis-block">
      <h4>${t.axisCols}</h4>
      ${ruler(context, axes.cols, { current: j, name: t.axisCols, id: `${context.uid}-${id}w`, pick: (index) => context.select({ j: index }) })} ${sizeFormula(axes.cols, "W")}
    </div>
    <div class="sv-axis-block">
      <h4>${t.axisRows}</h4>
      ${ruler(context, axes.rows, { current: i, name: t.axisRows, id: `${context.uid}-${id}h`, pick: (index) => context.select({ i: index }) })} ${sizeFormula(axes.rows, "H")}
    </div>
    ${notes.map((note) => html`<p class="sv-note" data-kind="ghost">${note}</p>`)}
    ${record.attrs.stride === null ? html`<p class="sv-note">${t.strideResolved(axes.rows.stride === axes.cols.stride ? String(axes.rows.stride) : `(${axes.rows.stride}, ${axes.cols.stride})`)}</p>` : nothing}
    <p class="sv-note" data-part="unread" data-count=${count}>${count === 0 ? nothing : html`<span class="sv-swatch" data-kind="unread" aria-hidden="true"></span>`}${count === 0 ? t.allRead : t.unreadCount(count, total)}</p>
  </div>`;
}

function planes(context: Context<PoolRecord>, record: PoolRecord, suffix?: string): TemplateResult {
  const { t } = context;
  const g = record.geometry;
  const n = clamp(context.shown.n, 0, g.n - 1);
  const c = clamp(context.shown.c, 0, g.c - 1);
  const i = clamp(context.shown.i, 0, g.outH - 1);
  const j = clamp(context.shown.j, 0, g.outW - 1);
  const axes = poolAxes(record);
  const unreadRows = new Set(axes.rows.unread);
  const unreadCols = new Set(axes.cols.unread);
  const room = roomFor(context, 2);
  const overlay = poolOverlay(context, record, i, j, explainPool(record, n, c, i, j));
  return html`<div class=${suffix ? "sv-stacked" : "sv-pair"}>
      ${matrix(context, {
        part: "input",
        role: "input",
        name: `${t.input}[${n}, ${c}]`,
        suffix,
        plane: inputPlane(record, n, c),
        dtype: record.inputs.input.dtype,
        ring: poolRing(record),
        ringText: ringText(record),
        beyond: beyondOf(record),
        room,
        selected: null,
        centre: { row: overlay.row + (overlay.rows - 1) / 2, col: overlay.col + (overlay.cols - 1) / 2 },
        overlays: [overlay, ...unreadStrips(axes)],
        pick: (row, col) => context.select({ row, col, reader: 0, view: "window" }),
        look: (row, col) =>
          unreadRows.has(row) || unreadCols.has(col) ? { classes: "is-unread", note: t.unreadCell } : undefined,
        legend: false,
      })}
      ${matrix(context, {
        part: "output",
        role: "output",
        name: `${t.output}[${n}, ${c}]`,
        detail: `${g.outH} × ${g.outW}`,
        suffix,
        plane: outputPlane(record, n, c),
        dtype: record.output.dtype,
        room,
        selected: { row: i, col: j },
        pick: (row, col) => context.select({ i: row, j: col }, "output"),
        hover: (row, col) => context.hover({ i: row, j: col }),
        overlays: [{ row: i, col: j, rows: 1, cols: 1, kind: "selected" }],
        legend: false,
      })}
    </div>
    ${suffix ? nothing : html`<div class="sv-pickers">${picker(context, "n", upTo(g.n))} ${picker(context, "c", upTo(g.c))}</div>`}`;
}

/** The same call with the other rounding, from the engine. */
export function otherMode(context: Context<PoolRecord>): Asked<PoolRecord> {
  return context.ask("other-mode", async (api) => {
    const change = context.change();
    const answer = await api.whatIf({
      ...change,
      attrs: { ...change.attrs, ceilMode: !context.record.attrs.ceilMode },
    });
    if (!answer.ok) throw new Error(answer.error.message);
    return answer.record as PoolRecord;
  });
}

export function modesView(context: Context<PoolRecord>): TemplateResult {
  return whenReady(context, otherMode(context), (other) => {
    const { record } = context;
    const floor = record.attrs.ceilMode ? other : record;
    const ceil = record.attrs.ceilMode ? record : other;
    const narrow = { ...context, width: roomFor(context, 2) };
    const half = (
      shown: PoolRecord,
      title: string,
      suffix: string,
    ) => html`<section class="sv-side" aria-label=${title} data-mode=${suffix}>
      <h4>${title} ${shown === record ? html`<span>${context.t.fromCell}</span>` : nothing}</h4>
      ${rulers(narrow, shown, suffix)} ${planes(narrow, shown, suffix)}
    </section>`;
    return html`<div class="sv-stage" data-columns="1">
      <div class="sv-pair">${half(floor, "ceil_mode = False", "floor")} ${half(ceil, "ceil_mode = True", "ceil")}</div>
    </div>`;
  });
}
