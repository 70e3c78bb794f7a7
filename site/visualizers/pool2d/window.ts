/** One window of a pooling: who may win, who wins, what an average divides by; and the reverse, from a pixel to its readers. */
import { html, nothing, type TemplateResult } from "lit-html";
import type { PoolRecord } from "../../../engine/inspect/records.ts";
import type { Context } from "../shell/context.ts";
import { type CellLook, MOST_CELLS, matrix, type Overlay } from "../shell/grid.ts";
import { badge, picker, roomFor, upTo } from "../shell/pieces.ts";
import { inputPlane, outputPlane } from "../shell/tensor.ts";
import { explainPool, type PoolExplanation, poolReaders } from "./state.ts";

/** Rows and columns that ceil_mode's windows reach past the padding. */
export function beyondOf(record: PoolRecord): { bottom: number; right: number } {
  const g = record.geometry;
  const reach = (out: number, stride: number, pad: number, dilation: number, kernel: number) =>
    (out - 1) * stride - pad + dilation * (kernel - 1) + 1;
  return {
    bottom: Math.max(0, reach(g.outH, g.strideH, g.padTop, g.dilationH, g.kernelH) - g.h - g.padTop),
    right: Math.max(0, reach(g.outW, g.strideW, g.padLeft, g.dilationW, g.kernelW) - g.w - g.padLeft),
  };
}

export function poolRing(record: PoolRecord): { top: number; right: number; bottom: number; left: number } {
  const { padTop, padLeft } = record.geometry;
  return { top: padTop, bottom: padTop, left: padLeft, right: padLeft };
}

export function ringText(record: PoolRecord): string {
  return record.op === "max_pool2d" ? "-inf" : "0";
}

/** The window's frame: cut at the edge and dashed where it is clipped, labelled with what is left of it. */
export function poolOverlay(
  context: Context,
  record: PoolRecord,
  i: number,
  j: number,
  why?: PoolExplanation,
): Overlay {
  const g = record.geometry;
  const row = i * g.strideH - g.padTop;
  const col = j * g.strideW - g.padLeft;
  const rows = g.dilationH * (g.kernelH - 1) + 1;
  const cols = g.dilationW * (g.kernelW - 1) + 1;
  const { clipped } = why ?? explainPool(record, 0, 0, i, j);
  if (!clipped) return { row, col, rows, cols, kind: g.dilationH > 1 || g.dilationW > 1 ? "dilated" : "window" };
  return { row, col, rows, cols, kind: "clipped", label: context.t.clippedTo(`${clipped.rows}×${clipped.cols}`) };
}

export function windowView(context: Context<PoolRecord>): TemplateResult {
  const { t, record, selection, lit } = context;
  const g = record.geometry;
  const { n, c, i, j } = context.shown;
  const why = explainPool(record, n, c, i, j);
  const max = record.op === "max_pool2d";
  const byPlace = new Map(why.candidates.map((cell) => [`${cell.row},${cell.col}`, cell]));
  const inspecting = selection.row !== null && selection.col !== null;
  const readers = new Set(poolReaders(record, selection).map((reader) => `${reader.i},${reader.j}`));
  const big = g.h * g.w > MOST_CELLS || g.outH * g.outW > MOST_CELLS;
  const columns = context.width >= 760 && !big ? 3 : context.width >= 560 ? 2 : 1;
  const room = roomFor(context, columns);
  const dtype = record.inputs.input.dtype;
  const overlay = poolOverlay(context, record, i, j, why);
  const step = i * g.outW + j;
  const candidateText = candidatesText(context, why, dtype);
  const tieValue = max && why.ties > 1 ? why.total : null;
  const look = (row: number, col: number): CellLook | undefined => {
    const cell = byPlace.get(`${row},${col}`);
    const inspected = inspecting && row === selection.row && col === selection.col ? "is-inspected" : "";
    if (!cell) return inspected ? { classes: inspected } : undefined;
    const tied = tieValue !== null && cell.place === "inside" && cell.value === tieValue && !cell.wins;
    return {
      classes: `is-read ${cell.wins ? "is-winner" : ""} ${tied ? "is-tied" : ""} ${inspected} ${lit?.u === cell.u && lit.v === cell.v ? "is-lit" : ""}`,
      note: cell.wins ? t.winner : undefined,
    };
  };
  return html`<div class="sv-stage" data-columns=${columns} data-wide=${columns === 2}>
    <div class="sv-col">
      ${matrix(context, {
        part: "input",
        role: "input",
        name: `${t.input}[${n}, ${c}]`,
        plane: inputPlane(record, n, c),
        dtype,
        ring: poolRing(record),
        ringText: ringText(record),
        beyond: beyondOf(record),
        room,
        selected: inspecting ? { row: selection.row!, col: selection.col! } : null,
        centre: inspecting
          ? { row: selection.row!, col: selection.col! }
          : { row: overlay.row + (overlay.rows - 1) / 2, col: overlay.col + (overlay.cols - 1) / 2 },
        overlays: [overlay],
        edit: { part: "input", base: (n * g.c + c) * g.h * g.w },
        pick: (row, col) => context.select({ row, col, reader: 0 }, "input"),
        hover: (row, col) => {
          const cell = byPlace.get(`${row},${col}`);
          context.light(cell ? { u: cell.u, v: cell.v } : null);
        },
        look,
      })}
      <div class="sv-pickers">${picker(context, "n", upTo(g.n))} ${picker(context, "c", upTo(g.c))}</div>
    </div>
    <div class="sv-col sv-mid">
      <div class="sv-name"><b>${max ? t.max : t.avg}</b> <span>${g.kernelH} × ${g.kernelW}</span></div>
      <div class="sv-products" data-part="candidates" style=${`--cols:${g.kernelW}`} aria-hidden="true">
        ${why.candidates.map(
          (cell, k) => html`<div
            class="sv-product sv-candidate ${cell.wins ? "is-winner" : ""} ${tieValue !== null && cell.value === tieValue && !cell.wins ? "is-tied" : ""} ${lit?.u === cell.u && lit.v === cell.v ? "is-lit" : ""}"
            data-place=${cell.place}
            @pointerenter=${() => context.light({ u: cell.u, v: cell.v })}
            @pointerleave=${() => context.light(null)}
          >
            <b>${cell.place === "beyond" ? "" : candidateText[k]}</b>
            <small>${cell.place === "inside" ? `${cell.row}, ${cell.col}` : cell.place === "padding" ? t.padding : t.clipped}</small>
          </div>`,
        )}
      </div>
      ${
        max && why.winner
          ? html`<dl class="sv-facts">
              <div><dt>${t.winner}</dt><dd><b data-role="output">${context.numbers.one(why.engine, dtype)}</b> ${badge(context, why.agrees, why.total, why.engine, dtype)}</dd></div>
              <div><dt>${t.index}</dt><dd>${why.winner.row}·${g.w} + ${why.winner.col} = <b>${why.winner.flat}</b></dd></div>
              ${why.ties > 1 ? html`<div class="sv-tie"><dt class="sv-sr">${t.winner}</dt><dd>${t.tie(why.ties)}</dd></div>` : nothing}
            </dl>`
          : html`<dl class="sv-facts">
              <div><dt>${t.sumOf}</dt><dd>${context.numbers.one(why.sum, dtype)}</dd></div>
              <div><dt>${t.dividedBy}</dt><dd><b data-part="divisor">${why.divisor}</b> <span class="sv-aside">${divisorWhy(context, record)}</span></dd></div>
              <div><dt>${t.avg}</dt><dd><b data-role="output">${context.numbers.one(why.engine, record.output.dtype)}</b> ${badge(context, why.agrees, why.total, why.engine, record.output.dtype)}</dd></div>
            </dl>`
      }
      ${record.attrs.stride === null ? html`<p class="sv-note">${t.strideResolved(g.strideH === g.strideW ? String(g.strideH) : `(${g.strideH}, ${g.strideW})`)}</p>` : nothing}
    </div>
    <div class="sv-col">
      ${matrix(context, {
        part: "output",
        role: "output",
        name: `${t.output}[${n}, ${c}]`,
        plane: outputPlane(record, n, c),
        dtype: record.output.dtype,
        room,
        selected: { row: i, col: j },
        pick: (row, col) => context.select({ i: row, j: col, row: null, col: null }, "output"),
        hover: (row, col) => context.hover({ i: row, j: col }),
        overlays: [{ row: i, col: j, rows: 1, cols: 1, kind: "selected" }],
        look: (row, col) => ({
          classes: inspecting
            ? readers.has(`${row},${col}`)
              ? "is-reader"
              : "is-ahead"
            : row * g.outW + col > step
              ? "is-ahead"
              : "",
          note: readers.has(`${row},${col}`) ? t.window(row * g.outW + col + 1) : undefined,
        }),
      })}
    </div>
  </div>`;
}

/** What an average divides by, and why. */
export function divisorWhy(context: Context, record: PoolRecord): string {
  const { t } = context;
  if (record.attrs.divisorOverride !== null) return t.divisorOverride;
  return record.attrs.countIncludePad ? t.divisorWithPad : t.divisorWithoutPad;
}

export function candidatesText(context: Context, why: PoolExplanation, dtype: string): string[] {
  const finite = why.candidates.map((cell) => (cell.place === "inside" ? cell.value : 0));
  const text = context.numbers.many(finite, dtype);
  return why.candidates.map((cell, k) =>
    cell.place === "inside" ? text[k]! : cell.value === Number.NEGATIVE_INFINITY ? "−∞" : "0",
  );
}

/** max(…) or (… + …) ÷ n with the window's numbers. */
export function windowFormula(context: Context<PoolRecord>): TemplateResult {
  const { record, lit } = context;
  const { n, c, i, j } = context.shown;
  const why = explainPool(record, n, c, i, j);
  const max = record.op === "max_pool2d";
  const dtype = record.output.dtype;
  const text = candidatesText(context, why, record.inputs.input.dtype);
  const cells = why.candidates
    .map((cell, k) => ({ cell, text: text[k]! }))
    .filter(({ cell }) => cell.place !== "beyond");
  const most = context.longFormula || cells.length <= 16 ? cells.length : 12;
  const separator = max ? ", " : " + ";
  const letters = max
    ? html`<span data-symbol="output" data-role="output">y[n, c, i, j]</span> = max<sub>u,v</sub> <span data-symbol="input" data-role="input">x[n, c, i·s + u·d − p, j·s + v·d − p]</span>, <span data-role="padding">${context.t.padding} = −∞</span>`
    : html`<span data-symbol="output" data-role="output">y[n, c, i, j]</span> = Σ<sub>u,v</sub> <span data-symbol="input" data-role="input">x[n, c, i·s + u − p, j·s + v − p]</span> ÷ n`;
  return html`<div class="sv-letters">${letters}</div>
    <div class="sv-terms" role="group" aria-label=${context.t.formula}>
      <b data-role="output">y[${n}, ${c}, ${i}, ${j}]</b> = ${max ? "max(" : "("}${cells.slice(0, most).map(
        ({ cell, text: value }, k) =>
          html`${k === 0 ? nothing : separator}<span
              class="sv-term ${cell.wins ? "is-winner" : ""} ${lit?.u === cell.u && lit.v === cell.v ? "is-lit" : ""}"
              data-place=${cell.place}
              @pointerenter=${() => context.light({ u: cell.u, v: cell.v })}
              @pointerleave=${() => context.light(null)}
              ><i data-role=${cell.place === "inside" ? "input" : "padding"}>${value}</i></span
            >`,
      )}${most < cells.length ? html`${separator}<button type="button" class="sv-more" @click=${() => context.toggleFormula()}>${context.t.moreTerms(cells.length - most)}</button>` : nothing})${max ? nothing : html` ÷ ${why.divisor}`}
      = <b class="sv-result" data-role="output">${context.numbers.one(why.engine, dtype)}</b> ${badge(context, why.agrees, why.total, why.engine, dtype)}
    </div>`;
}
