/** One window: the input under the kernel, the products, the output; and the reverse, from a pixel to its readers. */
import { html, nothing, type TemplateResult } from "lit-html";
import type { ConvRecord } from "../../../engine/inspect/records.ts";
import { axesOf } from "../shell/axis.ts";
import type { Asked, Context } from "../shell/context.ts";
import { MOST_CELLS, matrix, type Overlay } from "../shell/grid.ts";
import { badge, picker, roomFor, upTo } from "../shell/pieces.ts";
import { inputPlane, outputPlane, planeOf } from "../shell/tensor.ts";
import { channelsOf, channelsPerGroup, convReaders, explainConv } from "./state.ts";

/** The same call with its kernel turned by 180°, from the engine. */
export function flippedRecord(context: Context<ConvRecord>): Asked<ConvRecord> {
  return context.ask("flip", async (api) => {
    const { shape, data } = context.record.inputs.weight;
    const size = shape[2]! * shape[3]!;
    const flipped = Array.from(data, (_, k) => data[k - (k % size) + (size - 1 - (k % size))]!);
    const change = context.change();
    const answer = await api.whatIf({ ...change, values: { ...change.values, weight: { shape, data: flipped } } });
    if (!answer.ok) throw new Error(answer.error.message);
    return answer.record as ConvRecord;
  });
}

/** Where the shown window lies over the input; with dilation a dashed frame around separate cells. */
export function windowOverlay(record: ConvRecord, i: number, j: number, kind?: Overlay["kind"]): Overlay {
  const g = record.geometry;
  return {
    row: i * g.strideH - g.padTop,
    col: j * g.strideW - g.padLeft,
    rows: g.dilationH * (g.kernelH - 1) + 1,
    cols: g.dilationW * (g.kernelW - 1) + 1,
    kind: kind ?? (g.dilationH > 1 || g.dilationW > 1 ? "dilated" : "window"),
  };
}

export function ringOf(record: ConvRecord): { top: number; right: number; bottom: number; left: number } {
  const { rows, cols } = axesOf(record.geometry, false, record.attrs.padding !== "same");
  return { top: rows.padBefore, bottom: rows.padAfter, left: cols.padBefore, right: cols.padAfter };
}

export function cellView(context: Context<ConvRecord>): TemplateResult {
  const { t, selection } = context;
  const flipped = selection.flip ? flippedRecord(context) : null;
  const record = flipped?.state === "ready" ? flipped.value : context.record;
  const turned = record !== context.record;
  const g = record.geometry;
  const { n, c, o, i, j } = context.shown;
  const why = explainConv(record, n, o, i, j);
  const local = why.channels.indexOf(c);
  const terms = why.terms[local] ?? why.terms[0]!;
  const inWindow = new Map(terms.map((term) => [`${term.row},${term.col}`, term]));
  const weightPlane = planeOf(record.inputs.weight, channelsPerGroup(record), g.kernelH, g.kernelW, o, local);
  const weightText = context.numbers.many(weightPlane.values, record.inputs.weight.dtype);
  const products = context.numbers.many(
    terms.map((term) => term.product),
    record.output.dtype,
  );
  const runnings = context.numbers.many(
    terms.map((term) => term.running),
    record.output.dtype,
  );
  const xText = context.numbers.many(
    terms.map((term) => term.x),
    record.inputs.input.dtype,
  );
  const readers = convReaders(record, selection);
  const readerKeys = new Set(readers.map((reader) => `${reader.i},${reader.j}`));
  const inspecting = selection.row !== null && selection.col !== null;
  const big = g.h * g.w > MOST_CELLS || g.outH * g.outW > MOST_CELLS;
  const columns = context.width >= 760 && !big ? 3 : context.width >= 560 ? 2 : 1;
  const room = roomFor(context, columns);
  const lit = context.lit;
  const step = i * g.outW + j;

  const input = matrix(context, {
    part: "input",
    role: "input",
    name: `${t.input}[${n}, ${c}]`,
    plane: inputPlane(record, n, c),
    dtype: record.inputs.input.dtype,
    ring: ringOf(record),
    ringText: "0",
    room,
    selected: inspecting ? { row: selection.row!, col: selection.col! } : null,
    centre: inspecting
      ? { row: selection.row!, col: selection.col! }
      : { row: i * g.strideH - g.padTop + (g.kernelH - 1) / 2, col: j * g.strideW - g.padLeft + (g.kernelW - 1) / 2 },
    overlays: [windowOverlay(record, i, j)],
    edit: { part: "input", base: (n * g.c + c) * g.h * g.w },
    pick: (row, col) => context.select({ row, col, reader: 0 }, "input"),
    hover: (row, col) => {
      const term = inWindow.get(`${row},${col}`);
      context.light(term ? { u: term.u, v: term.v } : null);
    },
    look: (row, col) => {
      const term = inWindow.get(`${row},${col}`);
      if (!term)
        return inspecting && selection.row === row && selection.col === col ? { classes: "is-inspected" } : undefined;
      const isLit = lit?.u === term.u && lit.v === term.v;
      return {
        classes: `is-read${isLit ? " is-lit" : ""}`,
        mark: `×${weightText[term.u * g.kernelW + term.v]}`,
        note: `× ${weightText[term.u * g.kernelW + term.v]}`,
      };
    },
  });

  const kernel = matrix(context, {
    part: "kernel",
    role: "weight",
    name: `${t.kernel}[${o}, ${local}]`,
    detail: turned ? t.notPyTorch : undefined,
    plane: weightPlane,
    dtype: record.inputs.weight.dtype,
    room: Math.min(room, 320),
    selected: lit ? { row: lit.u, col: lit.v } : null,
    edit: turned ? undefined : { part: "weight", base: (o * channelsPerGroup(record) + local) * g.kernelH * g.kernelW },
    pick: (u, v) => context.light({ u, v }),
    hover: (u, v) => context.light({ u, v }),
    look: (u, v) => ({ classes: lit?.u === u && lit.v === v ? "is-lit" : "" }),
    legend: false,
  });

  const output = (source: ConvRecord, detail?: string, suffix?: string) =>
    matrix(context, {
      part: "output",
      role: "output",
      name: `${t.output}[${n}, ${o}]`,
      detail,
      suffix,
      plane: outputPlane(source, n, o),
      dtype: source.output.dtype,
      room,
      selected: { row: i, col: j },
      pick: (row, col) => context.select({ i: row, j: col, row: null, col: null }, "output"),
      hover: (row, col) => context.hover({ i: row, j: col }),
      overlays: [{ row: i, col: j, rows: 1, cols: 1, kind: "selected" }],
      look: (row, col) => ({
        classes: [
          row * g.outW + col > step && !inspecting ? "is-ahead" : "",
          inspecting ? (readerKeys.has(`${row},${col}`) ? "is-reader" : "is-ahead") : "",
        ].join(" "),
        note: inspecting && readerKeys.has(`${row},${col}`) ? t.window(row * g.outW + col + 1) : undefined,
      }),
    });

  return html`<div class="sv-stage" data-columns=${columns} data-wide=${columns === 2}>
    <div class="sv-col">
      ${input}
      <div class="sv-pickers">${picker(context, "n", upTo(g.n))} ${picker(context, "c", channelsOf(record, o))}</div>
    </div>
    <div class="sv-col sv-mid">
      ${kernel}
      <div class="sv-products" style=${`--cols:${g.kernelW}`} aria-hidden="true">
        ${terms.map(
          (term, k) => html`<div
            class="sv-product ${lit?.u === term.u && lit.v === term.v ? "is-lit" : ""} ${term.inside ? "" : "is-zero"}"
            @pointerenter=${() => context.light({ u: term.u, v: term.v })}
            @pointerleave=${() => context.light(null)}
          >
            <span><i data-role=${term.inside ? "input" : "padding"}>${xText[k]}</i>·<i data-role="weight">${weightText[k]}</i></span>
            <b>${products[k]}</b>
            <small>Σ ${runnings[k]}</small>
          </div>`,
        )}
      </div>
      <label class="sv-switch">
        <input
          type="checkbox"
          data-control="flip"
          .checked=${selection.flip}
          @change=${(event: Event) => context.select({ flip: (event.target as HTMLInputElement).checked })}
        />
        <span>${t.flip} <em>${t.notPyTorch}</em></span>
      </label>
    </div>
    <div class="sv-col">
      ${turned ? html`${output(record, t.flippedOutput)} ${output(context.record, "PyTorch", "own")}` : output(record)}
      <div class="sv-pickers">${picker(context, "o", upTo(g.o))}</div>
      ${turned ? html`<p class="sv-note">${t.flipNote}</p>` : nothing}
    </div>
  </div>`;
}

/** y = b + Σ w·x, once in letters and once with every number of the shown window. */
export function cellFormula(context: Context<ConvRecord>): TemplateResult {
  const { t, selection, lit } = context;
  const flipped = selection.flip ? flippedRecord(context) : null;
  const record = flipped?.state === "ready" ? flipped.value : context.record;
  const g = record.geometry;
  const { n, c, o, i, j } = context.shown;
  const why = explainConv(record, n, o, i, j);
  const local = Math.max(0, why.channels.indexOf(c));
  const terms = why.terms[local]!;
  const many = why.channels.length > 1;
  const dtype = record.output.dtype;
  const xText = context.numbers.many(
    terms.map((term) => term.x),
    record.inputs.input.dtype,
  );
  const wText = context.numbers.many(
    terms.map((term) => term.w),
    record.inputs.weight.dtype,
  );
  const most = context.longFormula || terms.length <= 12 ? terms.length : 9;
  const value = context.numbers.one(why.engine, dtype);
  const rest = why.partials.reduce((sum, partial, k) => (k === local ? sum : sum + partial), 0);
  return html`
    <div class="sv-letters">
      <span data-symbol="output" data-role="output">y[n, o, i, j]</span> = <span data-symbol="bias" data-role="bias">b[o]</span> + Σ<sub>c,u,v</sub>
      <span data-symbol="weight" data-role="weight">w[o, c, u, v]</span>·<span data-symbol="input" data-role="input">x[n, c, i·s + u·d − p, j·s + v·d − p]</span>
    </div>
    <div
      class="sv-terms"
      tabindex="0"
      role="group"
      aria-label=${t.formula}
      @keydown=${(event: KeyboardEvent) => {
        const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
        if (by === 0) return;
        event.preventDefault();
        event.stopPropagation();
        const at = lit ? lit.u * g.kernelW + lit.v : by > 0 ? -1 : 0;
        const to = (at + by + terms.length) % terms.length;
        context.light({ u: Math.floor(to / g.kernelW), v: to % g.kernelW });
      }}
      @blur=${() => context.light(null)}
    >
      <b data-role="output">y[${n}, ${o}, ${i}, ${j}]</b> =
      ${record.inputs.bias === null ? nothing : html`<span data-role="bias">${context.numbers.one(why.bias, record.inputs.bias.dtype)}</span> + `}${
        many ? html`<span class="sv-paren">${t.channelSum(c)}:</span> (` : nothing
      }${terms.slice(0, most).map(
        (term, k) =>
          html`${k === 0 ? nothing : " + "}<span
              class="sv-term ${lit?.u === term.u && lit.v === term.v ? "is-lit" : ""}"
              data-place=${term.inside ? "inside" : "padding"}
              @pointerenter=${() => context.light({ u: term.u, v: term.v })}
              @pointerleave=${() => context.light(null)}
              ><i data-role=${term.inside ? "input" : "padding"}>${bracketed(xText[k]!)}</i>·<i data-role="weight">${bracketed(wText[k]!)}</i></span
            >`,
      )}${most < terms.length ? html` + <button type="button" class="sv-more" @click=${() => context.toggleFormula()}>${t.moreTerms(terms.length - most)}</button>` : nothing}${
        many
          ? html`) + <span class="sv-paren">${t.otherChannels}:</span> <span>${bracketed(context.numbers.one(rest, dtype))}</span>`
          : nothing
      }
      = <b class="sv-result" data-role="output">${value}</b> ${badge(context, why.agrees, why.total, why.engine, dtype)}
      ${record.inputs.bias === null ? html`<span class="sv-aside">${t.noBias}</span>` : nothing}
    </div>
  `;
}

/** Negative numbers in brackets, so that `+ -2·-3` is never read as a mistake. */
export function bracketed(text: string): string {
  return text.startsWith("-") ? `(${text})` : text;
}
