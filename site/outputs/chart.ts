/** Lines over steps, redrawn in place as numbers arrive; the same numbers as a table for whoever can't or won't see lines. */
import { html, render, svg } from "lit-html";
import { shortNumber } from "./format.ts";
import type { ItemOf, OutputContext, OutputPart } from "./item.ts";

export interface Series {
  name: string;
  x: number[];
  y: number[];
}

const WIDTH = 560;
const HEIGHT = 220;
const PAD = { left: 52, right: 12, top: 10, bottom: 26 };
/** Drawn points per line; more can't be told apart at this width. */
const MOST_POINTS = 800;
const TABLE_ROWS = 50;

/** Lowest and highest finite value; a single value gets room around it. */
export function extent(values: Iterable<number>): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return [0, 1];
  if (low === high) return [low - (Math.abs(low) || 1) / 2, high + (Math.abs(high) || 1) / 2];
  return [low, high];
}

/** Round positions for an axis: 1, 2 or 5 times a power of ten, about `count` of them. */
export function ticks([low, high]: [number, number], count: number): number[] {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => power * factor >= rough) ?? 10);
  const found: number[] = [];
  for (let n = Math.ceil(low / step); n * step <= high + step * 1e-9; n++)
    found.push(Number((n * step).toPrecision(12)));
  return found;
}

/** Every k-th point and the last, at most `most`: the shape of a long line at a fixed cost. */
export function thin(length: number, most: number): number[] {
  const stride = Math.ceil(length / most);
  const kept: number[] = [];
  for (let i = 0; i < length; i += stride) kept.push(i);
  if (length > 0 && kept.at(-1) !== length - 1) kept.push(length - 1);
  return kept;
}

/** The chart as a lit template: lines, axes, a legend with dash patterns, and the table. */
export function chartTemplate(label: string, series: Series[], { t }: Pick<OutputContext, "t">): unknown {
  const xs = extent(series.flatMap((one) => one.x));
  const ys = extent(series.flatMap((one) => one.y));
  const px = (x: number) => PAD.left + ((x - xs[0]) / (xs[1] - xs[0])) * (WIDTH - PAD.left - PAD.right);
  const py = (y: number) => HEIGHT - PAD.bottom - ((y - ys[0]) / (ys[1] - ys[0])) * (HEIGHT - PAD.top - PAD.bottom);
  const path = ({ x, y }: Series) => {
    let pen = false;
    return thin(x.length, MOST_POINTS)
      .map((i) => {
        if (!Number.isFinite(y[i]!) || !Number.isFinite(x[i]!)) {
          pen = false;
          return "";
        }
        const move = pen ? "L" : "M";
        pen = true;
        return `${move}${px(x[i]!).toFixed(1)} ${py(y[i]!).toFixed(1)}`;
      })
      .join("");
  };
  return html`<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label=${t.output.chart(label)}>
      ${ticks(ys, 4).map(
        (y) => svg`<line class="chart-grid" x1=${PAD.left} x2=${WIDTH - PAD.right} y1=${py(y)} y2=${py(y)} />
          <text class="chart-tick" x=${PAD.left - 8} y=${py(y)} text-anchor="end" dominant-baseline="middle">${shortNumber(y)}</text>`,
      )}
      ${ticks(xs, 5).map((x) => svg`<text class="chart-tick" x=${px(x)} y=${HEIGHT - 8} text-anchor="middle">${shortNumber(x)}</text>`)}
      ${series.map((one, index) =>
        one.x.length === 1
          ? svg`<circle class="chart-dot" data-series=${index % 4} cx=${px(one.x[0]!)} cy=${py(one.y[0]!)} r="3" />`
          : svg`<path class="chart-line" data-series=${index % 4} d=${path(one)} />`,
      )}
    </svg>
    ${
      series.length < 2
        ? null
        : html`<ul class="chart-legend">
            ${series.map(
              (one, index) => html`<li>
                <svg viewBox="0 0 24 6" width="24" height="6" aria-hidden="true">
                  ${svg`<path class="chart-line" data-series=${index % 4} d="M0 3H24" />`}
                </svg>
                ${one.name}
              </li>`,
            )}
          </ul>`
    }
    <details class="chart-table">
      <summary>${t.output.chartTable}</summary>
      ${series.map(
        (one) =>
          html`<table>
            <caption>
              ${one.name}
            </caption>
            <tbody>
              ${thin(one.x.length, TABLE_ROWS).map(
                (i) => html`<tr><th scope="row">${shortNumber(one.x[i]!)}</th><td>${shortNumber(one.y[i]!)}</td></tr>`,
              )}
            </tbody>
          </table>`,
      )}
    </details>`;
}

export class ChartOutput implements OutputPart<ItemOf<"chart">> {
  readonly element = document.createElement("figure");
  readonly #context: OutputContext;

  constructor(item: ItemOf<"chart">, context: OutputContext) {
    this.#context = context;
    this.element.className = "out out-chart";
    this.element.dataset.output = "chart";
    this.update(item);
  }

  update({ label, series }: ItemOf<"chart">): void {
    render(
      html`${label === "" ? null : html`<figcaption>${label}</figcaption>`} ${chartTemplate(label, series, this.#context)}`,
      this.element,
    );
  }
}
