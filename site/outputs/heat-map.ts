/** A tensor as colours: the last two axes as a grid, the others chosen by sliders. Numbers in the cells while they fit. */
import { html, render } from "lit-html";
import type { Messages } from "../i18n/index.ts";
import type { TensorSummary } from "../kernel/protocol.ts";
import { colorOf, cssColor, inkOn, type Scale, themeScale } from "./color.ts";
import { shapeText, shortNumber } from "./format.ts";

/** More cells than this are drawn on a canvas, without numbers. */
const MOST_CELLS = 400;
/** Wider than this, numbers in cells would be unreadable on a phone. */
const MOST_COLUMNS = 20;

export interface Slice {
  rows: number;
  columns: number;
  /** Position in `data` of row i, column j: start + i * columns + j. */
  start: number;
}

/** The 2-D slice of a dense row-major tensor at `index` on the leading axes. A vector is one row. */
export function sliceAt(shape: readonly number[], index: readonly number[]): Slice {
  const rows = shape.at(-2) ?? 1;
  const columns = shape.at(-1) ?? 1;
  const leading = shape.slice(0, -2);
  const start = leading.reduce((offset, size, axis) => offset * size + (index[axis] ?? 0), 0) * rows * columns;
  return { rows, columns, start };
}

/** Largest magnitude among the finite values: the scale's end. */
export function scaleLimit(data: ArrayLike<number | bigint>): number {
  let limit = 0;
  for (let i = 0; i < data.length; i++) {
    const size = Math.abs(Number(data[i]));
    if (Number.isFinite(size) && size > limit) limit = size;
  }
  return limit;
}

/** A panel with the heat map; it redraws itself when the theme changes, as long as it is on the page. */
export function heatMap(tensor: TensorSummary, t: Messages): HTMLElement {
  const panel = document.createElement("div");
  panel.className = "heat";
  panel.setAttribute("role", "group");
  panel.setAttribute("aria-label", t.output.heatMap(shapeText(tensor.shape)));
  const data = tensor.data;
  if (data === null) {
    panel.textContent = t.output.tooLarge;
    return panel;
  }
  const limit = scaleLimit(data);
  const index = tensor.shape.slice(0, -2).map(() => 0);
  const draw = () => {
    // The panel inherits the theme's variables only once it is on the page.
    const scale = themeScale(document.documentElement);
    const slice = sliceAt(tensor.shape, index);
    render(
      html`${sliders()}
        <div class="heat-scroll" tabindex="0" role="group" aria-label=${t.output.heat}>
          ${slice.rows * slice.columns <= MOST_CELLS && slice.columns <= MOST_COLUMNS ? grid(slice, scale) : canvas(slice, scale)}
        </div>
        ${legend(scale)}`,
      panel,
    );
  };
  const sliders = () =>
    index.map((value, axis) => {
      const size = tensor.shape[axis]!;
      if (size < 2) return null;
      return html`<label class="heat-axis">
        <span>${t.output.slice(axis, size)}</span>
        <input
          type="range"
          min="0"
          max=${size - 1}
          .value=${String(value)}
          @input=${(event: Event) => {
            index[axis] = Number((event.target as HTMLInputElement).value);
            draw();
          }}
        />
        <output>${value}</output>
      </label>`;
    });
  const grid = ({ rows, columns, start }: Slice, scale: Scale) =>
    html`<table class="heat-grid">
      <tbody>
        ${Array.from(
          { length: rows },
          (_, i) => html`<tr>
            ${Array.from({ length: columns }, (_, j) => {
              const value = Number(data[start + i * columns + j]);
              const color = colorOf(value, limit, scale);
              return html`<td style="background:${cssColor(color)};color:${inkOn(color)}">${shortNumber(value)}</td>`;
            })}
          </tr>`,
        )}
      </tbody>
    </table>`;
  const canvas = (slice: Slice, scale: Scale) => {
    const element = document.createElement("canvas");
    element.width = slice.columns;
    element.height = slice.rows;
    element.setAttribute("role", "img");
    element.setAttribute("aria-label", t.output.tensor(shapeText([slice.rows, slice.columns])));
    const zoom = Math.max(1, Math.min(16, Math.floor(480 / slice.columns)));
    element.style.width = `${slice.columns * zoom}px`;
    const context = element.getContext("2d");
    if (context !== null) {
      const picture = context.createImageData(slice.columns, slice.rows);
      for (let at = 0; at < slice.rows * slice.columns; at++) {
        const color = colorOf(Number(data[slice.start + at]), limit, scale);
        picture.data.set([...color, 255], at * 4);
      }
      context.putImageData(picture, 0, 0);
    }
    return element;
  };
  const legend = (scale: Scale) =>
    html`<p class="heat-legend">
      <span>${shortNumber(-limit)}</span>
      <span
        class="heat-bar"
        aria-hidden="true"
        style="background:linear-gradient(90deg,${cssColor(scale.negative)},${cssColor(scale.zero)},${cssColor(scale.positive)})"
      ></span>
      <span>${shortNumber(limit)}</span>
    </p>`;
  const onTheme = () => {
    if (panel.isConnected) draw();
    else document.removeEventListener("stride-theme", onTheme);
  };
  document.addEventListener("stride-theme", onTheme);
  draw();
  return panel;
}
