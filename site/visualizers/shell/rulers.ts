/** An axis as a ruler: positions in a row, one bar per window laid below it, unread positions hatched, ghosts struck out. */
import { html, nothing, svg, type TemplateResult } from "lit-html";
import type { Axis } from "./axis.ts";
import type { Context } from "./context.ts";

const MOST_BARS = 64;

export interface RulerOptions {
  /** The window to emphasise. */
  current: number;
  name: string;
  /** Called when a bar is chosen. */
  pick?: (index: number) => void;
  /** Distinguishes marker ids of two rulers on a page. */
  id: string;
}

/** Draws one ruler. Its words stand in the aria-label and in the lines below. */
export function ruler(context: Context, axis: Axis, options: RulerOptions): TemplateResult {
  const ghostReach = axis.ghost ? Math.max(...axis.ghost.taps) + 1 : 0;
  const barReach = Math.max(...axis.bars.slice(-1).flatMap((bar) => bar.taps), 0) + 1;
  const from = -axis.padBefore;
  const to = Math.max(axis.size + axis.padAfter, ghostReach, barReach);
  const count = to - from;
  const cell = Math.max(9, Math.min(30, Math.floor((Math.min(context.width, 860) - 24) / count)));
  const lanes = Math.min(axis.lanes, axis.out);
  const laneHeight = 13;
  const top = 34;
  const ghostLane = axis.ghost ? 1 : 0;
  const height = top + (lanes + ghostLane) * laneHeight + 6;
  const width = count * cell + 2;
  const x = (position: number) => (position - from) * cell + 1;
  const unread = new Set(axis.unread);
  const positions = Array.from({ length: count }, (_, k) => k + from);
  const hatch = `${options.id}-hatch`;
  const bars = axis.bars.length > MOST_BARS ? axis.bars.slice(0, MOST_BARS) : axis.bars;
  return html`<div class="sv-ruler">
    <div class="sv-scroll" tabindex=${width > context.width ? "0" : nothing}>
      <svg width=${width} height=${height} role="img" aria-label=${rulerLabel(context, axis, options.name)}>
        <defs>
          <pattern id=${hatch} width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <line x1="0" y1="0" x2="0" y2="5" class="sv-hatch" />
          </pattern>
        </defs>
        ${positions.map((p) => {
          const padding = p < 0 || p >= axis.size;
          const past = p >= axis.size + axis.padAfter;
          const kind = past ? "past" : padding ? "padding" : unread.has(p) ? "unread" : "read";
          return svg`<rect class="sv-tick" data-kind=${kind} x=${x(p)} y="4" width=${cell} height="24" />
            ${kind === "unread" ? svg`<rect x=${x(p)} y="4" width=${cell} height="24" fill=${`url(#${hatch})`} />` : nothing}
            ${cell >= 16 && !past ? svg`<text x=${x(p) + cell / 2} y="20" class="sv-tick-text" data-kind=${kind}>${padding ? "·" : p}</text>` : nothing}`;
        })}
        ${
          cell < 16
            ? [0, axis.size - 1].map(
                (p) => svg`<text x=${x(p) + cell / 2} y="20" class="sv-tick-text" data-kind="end">${p}</text>`,
              )
            : nothing
        }
        ${bars.map((bar) => {
          const y = top + (bar.index % lanes) * laneHeight;
          const last = bar.taps[bar.taps.length - 1]!;
          const current = bar.index === options.current;
          return svg`<g class="sv-bar" data-current=${current} data-clipped=${bar.clippedTo !== null}
              @click=${() => options.pick?.(bar.index)}>
            <rect class="sv-span" x=${x(bar.start) + 1.5} y=${y + 1} width=${(last - bar.start + 1) * cell - 3} height=${laneHeight - 3} rx="2" />
            ${axis.dilation > 1 ? bar.taps.map((tap) => svg`<rect class="sv-tap" x=${x(tap) + 1.5} y=${y + 1} width=${cell - 3} height=${laneHeight - 3} rx="2" />`) : nothing}
          </g>`;
        })}
        ${
          axis.ghost
            ? svg`<g class="sv-ghost">
                <rect x=${x(axis.ghost.start) + 1.5} y=${top + lanes * laneHeight + 1} width=${(Math.max(...axis.ghost.taps) - axis.ghost.start + 1) * cell - 3} height=${laneHeight - 3} rx="2" />
                <line x1=${x(axis.ghost.start) - 3} x2=${x(Math.max(...axis.ghost.taps) + 1) + 3} y1=${top + lanes * laneHeight + laneHeight / 2 - 0.5} y2=${top + lanes * laneHeight + laneHeight / 2 - 0.5} />
              </g>`
            : nothing
        }
      </svg>
    </div>
  </div>`;
}

function rulerLabel(context: Context, axis: Axis, name: string): string {
  const { t } = context;
  const parts = [t.ruler(name, axis.size, axis.out)];
  parts.push(axis.unread.length === 0 ? t.allRead : `${t.unread}: ${axis.unread.join(", ")}`);
  return parts.join("; ");
}

/** What a ghost or a clipped window means, in words with its numbers. */
export function rulerNotes(context: Context, axis: Axis): string[] {
  const { t } = context;
  const notes: string[] = [];
  const bound = axis.size + axis.padBefore;
  if (axis.ghost?.reason === "short")
    notes.push(t.ghostShort(axis.ghost.index + 1, Math.max(...axis.ghost.taps), axis.size + axis.padAfter - 1));
  if (axis.ghost?.reason === "late") {
    notes.push(t.ghostLate(axis.ghost.index + 1, axis.stride, axis.ghost.index * axis.stride, bound));
    notes.push(t.ghostLateCount(axis.naiveCeil, axis.out));
  }
  const last = axis.bars[axis.bars.length - 1];
  if (axis.ceil && last && last.clippedTo !== null)
    notes.push(t.keptCeil(last.index + 1, last.index * axis.stride, bound));
  return notes;
}

/** The size formula with this axis's numbers, rounding included. */
export function sizeFormula(axis: Axis, letter: "H" | "W"): TemplateResult {
  const { size, padBefore, padAfter, dilation, kernel, stride, out, ceil } = axis;
  const [left, right] = ceil ? ["⌈", "⌉"] : ["⌊", "⌋"];
  const naive = ceil ? Math.ceil(axis.numerator / stride) + 1 : out;
  const role = (name: string, value: string | number) => html`<span data-role=${name}>${value}</span>`;
  const pads =
    padBefore === padAfter
      ? html`2·${role("padding", padBefore)}`
      : html`${role("padding", padBefore)} + ${role("padding", padAfter)}`;
  return html`<div class="sv-sizeline">
    <span class="sv-sizename">${letter}<sub>out</sub></span> = ${left}(${role("input", size)} + ${pads} − ${dilation}·(${role("weight", kernel)} − 1) − 1) ÷ ${stride}${right} + 1 = ${left}${axis.numerator} ÷ ${stride}${right} + 1 =
    ${naive === out ? html`<b data-role="output">${out}</b>` : html`<s>${naive}</s> <b data-role="output">${out}</b>`}
  </div>`;
}
