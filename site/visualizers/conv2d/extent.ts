/** Extent: rulers that show why the output has its size and which cells nobody reads; two settings side by side. */
import { html, nothing, type TemplateResult } from "lit-html";
import type { ConvRecord } from "../../../engine/inspect/records.ts";
import { unreadCount } from "../shell/axis.ts";
import type { Context } from "../shell/context.ts";
import { matrix } from "../shell/grid.ts";
import { picker, roomFor, upTo, whenReady } from "../shell/pieces.ts";
import { ruler, rulerNotes, sizeFormula } from "../shell/rulers.ts";
import { clamp } from "../shell/selection.ts";
import { inputPlane, outputPlane } from "../shell/tensor.ts";
import { unreadStrips } from "../shell/unread.ts";
import { pairText, settingsOf } from "../shell/whatif.ts";
import { ringOf, windowOverlay } from "./cell.ts";
import { channelsOf, convAxes } from "./state.ts";

export function sizeView(context: Context<ConvRecord>): TemplateResult {
  const { t, record } = context;
  const { n, c, o, i, j } = context.shown;
  const g = record.geometry;
  const axes = convAxes(record);
  const unreadRows = new Set(axes.rows.unread);
  const unreadCols = new Set(axes.cols.unread);
  const count = unreadCount(axes);
  const notes = [...new Set([...rulerNotes(context, axes.rows), ...rulerNotes(context, axes.cols)])];
  const same =
    record.attrs.padding === "same" ? t.sameResolved(pairText([axes.rows.padBefore, axes.cols.padBefore])) : null;
  return html`<div class="sv-stage" data-columns="1">
    <div class="sv-rulers">
      <div class="sv-axis-block">
        <h4>${t.axisCols}</h4>
        ${ruler(context, axes.cols, { current: j, name: t.axisCols, id: `${context.uid}-w`, pick: (index) => context.select({ j: index }) })} ${sizeFormula(axes.cols, "W")}
      </div>
      <div class="sv-axis-block">
        <h4>${t.axisRows}</h4>
        ${ruler(context, axes.rows, { current: i, name: t.axisRows, id: `${context.uid}-h`, pick: (index) => context.select({ i: index }) })} ${sizeFormula(axes.rows, "H")}
      </div>
      ${same ? html`<p class="sv-note">${same}</p>` : nothing} ${notes.map((note) => html`<p class="sv-note" data-kind="ghost">${note}</p>`)}
      <p class="sv-note" data-part="unread" data-count=${count}>${count === 0 ? nothing : html`<span class="sv-swatch" data-kind="unread" aria-hidden="true"></span>`}${count === 0 ? t.allRead : t.unreadCount(count, g.h * g.w)}</p>
    </div>
    <div class="sv-pair">
      ${matrix(context, {
        part: "input",
        role: "input",
        name: `${t.input}[${n}, ${c}]`,
        plane: inputPlane(record, n, c),
        dtype: record.inputs.input.dtype,
        ring: ringOf(record),
        ringText: "0",
        room: roomFor(context, 2),
        selected: null,
        centre: {
          row: i * g.strideH - g.padTop + (g.kernelH - 1) / 2,
          col: j * g.strideW - g.padLeft + (g.kernelW - 1) / 2,
        },
        overlays: [windowOverlay(record, i, j), ...unreadStrips(axes)],
        pick: (row, col) => context.select({ row, col, reader: 0, view: "cell" }),
        look: (row, col) =>
          unreadRows.has(row) || unreadCols.has(col) ? { classes: "is-unread", note: t.unreadCell } : undefined,
        legend: false,
      })}
      ${matrix(context, {
        part: "output",
        role: "output",
        name: `${t.output}[${n}, ${o}]`,
        plane: outputPlane(record, n, o),
        dtype: record.output.dtype,
        room: roomFor(context, 2),
        selected: { row: i, col: j },
        pick: (row, col) => context.select({ i: row, j: col }, "output"),
        hover: (row, col) => context.hover({ i: row, j: col }),
        overlays: [{ row: i, col: j, rows: 1, cols: 1, kind: "selected" }],
        legend: false,
      })}
    </div>
    <div class="sv-pickers">${picker(context, "n", upTo(g.n))} ${picker(context, "c", channelsOf(record, o))} ${picker(context, "o", upTo(g.o))}</div>
  </div>`;
}

/** What a call's settings are, in one short line. */
export function settingsLine(record: ConvRecord): string {
  const { kernel, stride, padding, dilation, groups } = settingsOf(record);
  const parts = [
    `k ${pairText(kernel)}`,
    `s ${pairText(stride ?? kernel)}`,
    `p ${typeof padding === "string" ? padding : pairText(padding)}`,
  ];
  if (pairText(dilation) !== "1") parts.push(`d ${pairText(dilation)}`);
  if (groups !== 1) parts.push(`g ${groups}`);
  return parts.join(", ");
}

/** Which other call of the cell stands on the right: the chosen one, else the what-if (null), else the next call. */
function comparedIndex(context: Context<ConvRecord>): number | null {
  if (context.compareWith !== null) return context.compareWith;
  return context.record === context.own ? (context.siblings[0]?.index ?? null) : null;
}

/** The record on the right; null where there is none, or none yet. */
export function comparedRecord(context: Context<ConvRecord>): ConvRecord | null {
  const index = comparedIndex(context);
  if (index === null) return context.record === context.own ? null : context.record;
  const asked = context.sibling(index);
  return asked.state === "ready" ? (asked.value as ConvRecord) : null;
}

export function compareView(context: Context<ConvRecord>): TemplateResult {
  const { t, own, record, siblings } = context;
  const tried = record !== own;
  const pickOther = html`<label class="sv-field">
    <span>${t.compareWith}</span>
    <select
      data-control="compare"
      @change=${(event: Event) => {
        const value = (event.target as HTMLSelectElement).value;
        context.setCompare(value === "" ? null : Number(value));
      }}
    >
      ${tried || siblings.length === 0 ? html`<option value="" ?selected=${context.compareWith === null}>${t.compareWhatIf}</option>` : nothing}
      ${siblings.map(({ index, label }, k) => html`<option value=${index} ?selected=${context.compareWith === index || (!tried && context.compareWith === null && k === 0)}>${label}</option>`)}
    </select>
  </label>`;
  const wanted = comparedIndex(context);
  if (wanted === null && !tried)
    return html`<div class="sv-stage" data-columns="1"><p class="sv-note">${t.compareNone}</p></div>`;
  const draw = (other: ConvRecord) => html`<div class="sv-stage" data-columns="1">
    ${pickOther}
    <div class="sv-pair">${side(context, own, t.fromCell, "a")} ${side(context, other, wanted === null ? t.fromWhatIf : siblings.find((s) => s.index === wanted)!.label, "b")}</div>
  </div>`;
  if (wanted === null) return draw(record);
  return whenReady(context, context.sibling(wanted), (other) => draw(other as ConvRecord));
}

function side(context: Context<ConvRecord>, record: ConvRecord, title: string, suffix: "a" | "b"): TemplateResult {
  const { t } = context;
  const g = record.geometry;
  const n = clamp(context.shown.n, 0, g.n - 1);
  const o = clamp(context.shown.o, 0, g.o - 1);
  const channels = channelsOf(record, o);
  const c = clamp(context.shown.c, channels[0]!, channels[channels.length - 1]!);
  const i = clamp(context.shown.i, 0, g.outH - 1);
  const j = clamp(context.shown.j, 0, g.outW - 1);
  const axes = convAxes(record);
  const room = roomFor(context, 2);
  const narrow = { ...context, width: room };
  return html`<section class="sv-side" aria-label=${title}>
    <h4>${title} <span>${settingsLine(record)}</span></h4>
    ${matrix(context, {
      part: "input",
      role: "input",
      name: `${t.input}[${n}, ${c}]`,
      suffix,
      plane: inputPlane(record, n, c),
      dtype: record.inputs.input.dtype,
      ring: ringOf(record),
      ringText: "0",
      room,
      selected: null,
      centre: {
        row: i * g.strideH - g.padTop + (g.kernelH - 1) / 2,
        col: j * g.strideW - g.padLeft + (g.kernelW - 1) / 2,
      },
      overlays: [windowOverlay(record, i, j)],
      look: (row, col) =>
        axes.rows.unread.includes(row) || axes.cols.unread.includes(col)
          ? { classes: "is-unread", note: t.unreadCell }
          : undefined,
      legend: false,
    })}
    ${ruler(narrow, axes.cols, { current: j, name: t.axisCols, id: `${context.uid}-${suffix}` })} ${sizeFormula(axes.cols, "W")}
    ${matrix(context, {
      part: "output",
      role: "output",
      name: `${t.output}[${n}, ${o}]`,
      detail: `${g.outH} × ${g.outW}`,
      suffix,
      plane: outputPlane(record, n, o),
      dtype: record.output.dtype,
      room,
      selected: { row: i, col: j },
      pick: (row, col) => context.select({ i: row, j: col }, "output"),
      hover: (row, col) => context.hover({ i: row, j: col }),
      overlays: [{ row: i, col: j, rows: 1, cols: 1, kind: "selected" }],
      legend: false,
    })}
  </section>`;
}
