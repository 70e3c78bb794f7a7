/** Depth: how the channels' partial sums add up to one number, and the O × C matrix of weight tiles. */
import { html, nothing, svg, type TemplateResult } from "lit-html";
import type { ConvRecord } from "../../../engine/inspect/records.ts";
import { windowOf } from "../../../engine/inspect/windows.ts";
import type { Context } from "../shell/context.ts";
import { matrix } from "../shell/grid.ts";
import { badge, picker, upTo } from "../shell/pieces.ts";
import { at, maxMagnitude, outputPlane, type Plane, planeOf } from "../shell/tensor.ts";
import { bracketed } from "./cell.ts";
import { biasAt, channelsOf, channelsPerGroup, explainConv, weightAt } from "./state.ts";

const MOST_CHANNELS = 4;
const MOST_ROWS = 8;

/** A window of `most` neighbours around `current`. */
function around(total: number, current: number, most: number): number[] {
  const from = Math.max(0, Math.min(total - most, current - Math.floor(most / 2)));
  return Array.from({ length: Math.min(most, total) }, (_, k) => from + k);
}

export function channelsView(context: Context<ConvRecord>): TemplateResult {
  const { t, record } = context;
  const { n, o, i, j, part } = context.shown;
  const g = record.geometry;
  const why = explainConv(record, n, o, i, j);
  const count = why.channels.length;
  const dtype = record.output.dtype;
  const shownChannels = around(count, Math.min(part, count) - 1, MOST_CHANNELS);
  let running = 0;
  const runnings = why.partials.map((partial) => (running += partial));
  const partialText = context.numbers.many(why.partials, dtype);
  const runningText = context.numbers.many([...runnings, why.total], dtype);
  const biasText = record.inputs.bias ? context.numbers.one(why.bias, record.inputs.bias.dtype) : null;
  const reached = part === 0 ? 0 : part <= count ? runnings[part - 1]! : why.total;
  const row = (k: number) => {
    const terms = why.terms[k]!;
    const state = k < part - 1 ? "done" : k === part - 1 ? "now" : "ahead";
    const xs: Plane = { rows: g.kernelH, cols: g.kernelW, values: terms.map((term) => term.x) };
    const ws: Plane = { rows: g.kernelH, cols: g.kernelW, values: terms.map((term) => term.w) };
    return html`<li class="sv-partial" data-state=${state}>
      <span class="sv-partial-name">${t.channelSum(why.channels[k]!)}</span>
      <span class="sv-partial-tiles">
        ${tile(context, xs, record.inputs.input.dtype, "activation")} <span aria-hidden="true">·</span>
        ${tile(context, ws, record.inputs.weight.dtype, "weight")} <span aria-hidden="true">=</span>
      </span>
      <b>${partialText[k]}</b>
      <span class="sv-partial-run">Σ ${runningText[k]}</span>
    </li>`;
  };
  return html`<div class="sv-stage" data-columns="1">
    ${partialMaps(context, shownChannels)}
    <div class="sv-flow">
      <div class="sv-col">
        <ol class="sv-partials">
          ${shownChannels[0]! > 0 ? html`<li class="sv-skip">${t.channel} 0–${shownChannels[0]! - 1}: Σ ${runningText[shownChannels[0]! - 1]}</li>` : nothing}
          ${shownChannels.map(row)}
          ${shownChannels[shownChannels.length - 1]! < count - 1 ? html`<li class="sv-skip">${t.moreTerms(count - 1 - shownChannels[shownChannels.length - 1]!)}</li>` : nothing}
          <li class="sv-partial" data-state=${part > count ? "now" : "ahead"}>
            <span class="sv-partial-name" data-role="bias">${t.bias}[${o}]</span>
            <span class="sv-partial-tiles"></span>
            <b data-role="bias">${biasText ?? t.noBias}</b>
            <span class="sv-partial-run">${part > count ? html`= <b data-role="output">${context.numbers.one(why.engine, dtype)}</b> ${badge(context, why.agrees, why.total, why.engine, dtype)}` : nothing}</span>
          </li>
        </ol>
        <div class="sv-meter">
          <span>${t.runningSum}</span> <b>${part === 0 ? "—" : context.numbers.one(reached, dtype)}</b>
          <span>${t.partialOf(Math.min(part, count), count)}</span>
        </div>
      </div>
      <div class="sv-col">
        ${outputGrid(context, n, o, i, j)}
        <div class="sv-pickers">${picker(context, "n", upTo(g.n))} ${picker(context, "o", upTo(g.o))}</div>
      </div>
    </div>
  </div>`;
}

/** C partial maps, the bias, and the one map that they add up to. */
function partialMaps(context: Context<ConvRecord>, shown: number[]): TemplateResult {
  const { t, record } = context;
  const { n, o, part } = context.shown;
  const channels = channelsOf(record, o);
  const output = outputPlane(record, n, o);
  const maps = shown.map((k) => partialMap(record, n, o, channels[k]!));
  const max = Math.max(...maps.map((map) => maxMagnitude(map.values)), maxMagnitude(output.values));
  const stamp = (
    plane: Plane,
    key: string,
    label: string,
    state: string,
  ) => html`<figure class="sv-stamp" data-state=${state}>
    ${heatStamp(context, plane, key, label, max)}
    <figcaption>${label}</figcaption>
  </figure>`;
  return html`<div class="sv-sum">
    ${shown.map((k, index) => html`${index === 0 ? nothing : html`<span aria-hidden="true">+</span>`}${stamp(maps[index]!, `partial${k}`, t.channelSum(channels[k]!), k < part ? "done" : "ahead")}`)}
    ${shown.length < channels.length ? html`<span>+ …</span>` : nothing}
    ${record.inputs.bias === null ? nothing : html`<span aria-hidden="true">+</span><b data-role="bias">${context.numbers.one(biasAt(record, o), record.inputs.bias.dtype)}</b>`}
    <span aria-hidden="true">=</span> ${stamp(output, "sum", `${t.output}[${n}, ${o}]`, "done")}
  </div>`;
}

/** What one input channel gives to the output map of filter o: the sums of its products, cell by cell. */
function partialMap(record: ConvRecord, n: number, o: number, c: number): Plane {
  const g = record.geometry;
  const values: number[] = [];
  for (let i = 0; i < g.outH; i++)
    for (let j = 0; j < g.outW; j++) {
      let sum = 0;
      for (const { u, v, row, col, inside } of windowOf(g, i, j))
        if (inside) sum += at(record.inputs.input, g.c, g.h, g.w, n, c, row, col) * weightAt(record, o, c, u, v);
      values.push(sum);
    }
  return { rows: g.outH, cols: g.outW, values };
}

/** y = partial sums + bias, each a number that has been seen. */
export function channelsFormula(context: Context<ConvRecord>): TemplateResult {
  const { t, record } = context;
  const { n, o, i, j, part } = context.shown;
  const why = explainConv(record, n, o, i, j);
  const dtype = record.output.dtype;
  const most = context.longFormula ? why.partials.length : 12;
  const text = context.numbers.many(why.partials, dtype);
  return html`<div class="sv-letters">
      <span data-symbol="output" data-role="output">y[n, o, i, j]</span> = Σ<sub>c</sub> ( Σ<sub>u,v</sub> <span data-role="weight">w[o, c, u, v]</span>·<span data-role="input">x[n, c, …]</span> ) + <span data-role="bias">b[o]</span>
    </div>
    <div class="sv-terms">
      <b data-role="output">y[${n}, ${o}, ${i}, ${j}]</b> =
      ${text.slice(0, most).map((value, k) => html`${k === 0 ? nothing : " + "}<span class="sv-term ${k === part - 1 ? "is-lit" : ""}">${bracketed(value)}</span>`)}${most < text.length ? html` + <button type="button" class="sv-more" @click=${() => context.toggleFormula()}>${t.moreTerms(text.length - most)}</button>` : nothing}
      ${record.inputs.bias === null ? nothing : html` + <span class="sv-term ${part > why.partials.length ? "is-lit" : ""}" data-role="bias">${bracketed(context.numbers.one(why.bias, record.inputs.bias.dtype))}</span>`}
      = <b class="sv-result" data-role="output">${context.numbers.one(why.engine, dtype)}</b> ${badge(context, why.agrees, why.total, why.engine, dtype)}
    </div>`;
}

function outputGrid(context: Context<ConvRecord>, n: number, o: number, i: number, j: number): TemplateResult {
  const { record, t } = context;
  return matrix(context, {
    part: "output",
    role: "output",
    name: `${t.output}[${n}, ${o}]`,
    plane: outputPlane(record, n, o),
    dtype: record.output.dtype,
    room: context.width >= 560 ? Math.floor(context.width * 0.42) : context.width - 4,
    selected: { row: i, col: j },
    pick: (row, col) => context.select({ i: row, j: col }, "output"),
    hover: (row, col) => context.hover({ i: row, j: col }),
    overlays: [{ row: i, col: j, rows: 1, cols: 1, kind: "selected" }],
    look: () => ({}),
  });
}

/** A small matrix with its numbers where they fit, colours alone where they do not; described as a whole. */
export function tile(
  context: Context,
  plane: Plane,
  dtype: string,
  scale: "activation" | "weight",
  max?: number,
  least = 1,
): TemplateResult {
  const text = context.numbers.many(plane.values, dtype);
  const longest = Math.max(least, ...text.map((entry) => entry.length));
  const top = max ?? maxMagnitude(plane.values);
  const withText = plane.cols * longest <= 18 && plane.values.length <= 25;
  const width = withText ? Math.max(20, longest * 7.4 + 6) : 14;
  const height = withText ? 20 : 14;
  return html`<svg class="sv-tile" width=${plane.cols * width + 1} height=${plane.rows * height + 1} role="img" aria-label=${text.join(" ")} data-scale=${scale}>
    ${plane.values.map((value, k) => {
      const x = (k % plane.cols) * width + 0.5;
      const y = Math.floor(k / plane.cols) * height + 0.5;
      const share = Number.isFinite(value) ? Math.min(1, Math.abs(value) / top) : 0;
      return svg`<rect class="sv-tile-cell" data-sign=${value < 0 ? "negative" : "positive"} style=${`--v:${share.toFixed(3)}`} x=${x} y=${y} width=${width} height=${height} />
        ${withText ? svg`<text x=${x + width / 2} y=${y + height / 2 + 4}>${text[k]}</text>` : nothing}`;
    })}
  </svg>`;
}

export function filtersView(context: Context<ConvRecord>): TemplateResult {
  const { t, record } = context;
  const g = record.geometry;
  const { n, o, c } = context.shown;
  const perGroup = channelsPerGroup(record);
  const rows = around(g.o, o, MOST_ROWS);
  const perRow = Math.max(1, Math.min(MOST_CHANNELS, Math.floor((context.width - 220) / (g.kernelW * 14 + 24))));
  const columns = around(perGroup, c % perGroup, Math.min(perGroup, perRow));
  const max = maxMagnitude(record.inputs.weight.data);
  const perFilters = g.o / g.groups;
  return html`<div class="sv-stage" data-columns="1">
    <div class="sv-scroll" tabindex="0" role="group" aria-label=${t.view.filters}>
      <table class="sv-filters">
        <caption class="sv-sr">${t.filtersSentence(o, g.o, perGroup, `${g.kernelH}×${g.kernelW}`)}</caption>
        <thead>
          <tr>
            <td></td>
            ${columns.map((k) => html`<th scope="col">${g.groups > 1 ? `C/g ${k}` : t.channelSum(k)}</th>`)}
            <th scope="col" data-role="bias">${t.bias}</th>
            <th scope="col" data-role="output">${t.output}</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map((filter) => {
            const channels = channelsOf(record, filter);
            const group = Math.floor(filter / perFilters);
            return html`<tr data-current=${filter === o}>
              <th scope="row">
                <button type="button" class="sv-link" aria-pressed=${filter === o} @click=${() => context.select({ o: filter })}>${t.filterRow(filter)}</button>
                ${g.groups > 1 ? html`<small>${t.groupNote(group, channels[0]!, channels[channels.length - 1]!)}</small>` : nothing}
              </th>
              ${columns.map(
                (k) => html`<td>
                  <button type="button" class="sv-tilebutton" @click=${() => context.select({ o: filter, c: channels[k]!, view: "cell" })}>
                    <span class="sv-sr">${t.filterRow(filter)}, ${t.channelSum(channels[k]!)}</span>
                    ${tile(context, planeOf(record.inputs.weight, perGroup, g.kernelH, g.kernelW, filter, k), record.inputs.weight.dtype, "weight", max)}
                  </button>
                </td>`,
              )}
              <td data-role="bias">${record.inputs.bias ? context.numbers.one(biasAt(record, filter), record.inputs.bias.dtype) : "—"}</td>
              <td><button type="button" class="sv-tilebutton" aria-label=${t.mapOf(filter)} @click=${() => context.select({ o: filter, view: "cell" })}>${thumbnail(context, outputPlane(record, n, filter), filter)}</button></td>
            </tr>`;
          })}
        </tbody>
      </table>
    </div>
    ${columns.length < perGroup ? html`<p class="sv-note">${t.tooManyTiles(columns.length, perGroup)}</p>` : nothing}
    <div class="sv-pickers">${picker(context, "n", upTo(g.n))} ${picker(context, "o", upTo(g.o))} ${picker(context, "c", channelsOf(record, o))}</div>
  </div>`;
}

/** An output map as a stamp-sized heat map. */
function thumbnail(context: Context, plane: Plane, filter: number): TemplateResult {
  return heatStamp(context, plane, `map${filter}`, context.t.mapOf(filter), maxMagnitude(plane.values));
}

const STAMP = 56;

function heatStamp(context: Context, plane: Plane, name: string, label: string, max: number): TemplateResult {
  const key = `${context.uid}-${name}`;
  context.paint({ key, plane, ring: { top: 0, right: 0, bottom: 0, left: 0 }, max, scale: "activation" });
  const ratio = plane.rows / plane.cols;
  const width = ratio > 1 ? STAMP / ratio : STAMP;
  return html`<canvas class="sv-thumb" data-heat=${key} role="img" aria-label=${label} style=${`width:${width}px;height:${width * ratio}px`}></canvas>`;
}
