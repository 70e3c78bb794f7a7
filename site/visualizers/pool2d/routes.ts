/** Where a pooling's gradient goes, and how its output takes a shifted input. */
import { html, type TemplateResult } from "lit-html";
import type { PoolRecord } from "../../../engine/inspect/records.ts";
import type { Asked, Context } from "../shell/context.ts";
import { askGradients, type Gradients, seedControl } from "../shell/gradients.ts";
import { matrix } from "../shell/grid.ts";
import { picker, roomFor, upTo, whenReady } from "../shell/pieces.ts";
import { agrees, inputPlane, maxMagnitude, outputPlane, planeOf } from "../shell/tensor.ts";
import { explainPool, paintPool, poolStep, poolSteps, rollInput } from "./state.ts";
import { beyondOf, poolOverlay, poolRing, ringText } from "./window.ts";

export function poolBackwardView(context: Context<PoolRecord>): TemplateResult {
  return whenReady(context, askGradients(context), (answer) => drawBackward(context, answer));
}

function drawBackward(context: Context<PoolRecord>, answer: Gradients): TemplateResult {
  const { t, record, selection } = context;
  const g = record.geometry;
  const { n, c, i, j } = selection;
  const dy = planeOf(answer.gradOutput, g.c, g.outH, g.outW, n, c);
  const dx = planeOf(answer.gradients.input!, g.c, g.h, g.w, n, c);
  const steps = poolSteps(record);
  const step = selection.seed === "one" ? steps : poolStep(record, selection);
  const painted = paintPool(record, n, c, dy.values, step);
  const fine = painted.every((value, k) => agrees(dx.values[k]!, value, maxMagnitude(dx.values) * 4, false));
  const columns = context.width >= 760 ? 3 : context.width >= 560 ? 2 : 1;
  const room = roomFor(context, columns);
  const dtype = answer.gradients.input!.dtype;
  const why = explainPool(record, n, c, i, j);
  const overlay = poolOverlay(context, record, i, j, why);
  const byPlace = new Map(why.candidates.map((cell) => [`${cell.row},${cell.col}`, cell]));
  const look = (row: number, col: number) => {
    const cell = byPlace.get(`${row},${col}`);
    return cell?.wins ? { classes: "is-read is-winner", note: t.winner } : cell ? { classes: "is-read" } : undefined;
  };
  return html`<div class="sv-stage" data-columns=${columns}>
      <div class="sv-col">
        ${matrix(context, {
          part: "output",
          role: "gradient",
          name: `dy[${n}, ${c}]`,
          plane: dy,
          dtype,
          room,
          selected: { row: i, col: j },
          pick: (row, col) => context.select({ i: row, j: col }, "output"),
          overlays: [{ row: i, col: j, rows: 1, cols: 1, kind: "selected" }],
          look: (row, col) => ({ classes: row * g.outW + col >= step ? "is-ahead" : "" }),
          legend: false,
        })}
        <div class="sv-pickers">${picker(context, "n", upTo(g.n))} ${picker(context, "c", upTo(g.c))}</div>
      </div>
      <div class="sv-col">
        ${matrix(context, {
          part: "input",
          role: "input",
          name: `${t.input}[${n}, ${c}]`,
          suffix: "x",
          plane: inputPlane(record, n, c),
          dtype: record.inputs.input.dtype,
          ring: poolRing(record),
          ringText: ringText(record),
          beyond: beyondOf(record),
          room,
          selected: null,
          centre: { row: overlay.row + overlay.rows / 2, col: overlay.col + overlay.cols / 2 },
          overlays: [overlay],
          look,
          legend: false,
        })}
      </div>
      <div class="sv-col">
        ${matrix(context, {
          part: "input",
          role: "gradient",
          name: `dx[${n}, ${c}]`,
          detail: t.gradOf(t.input),
          suffix: "dx",
          plane: { ...dx, values: painted },
          max: maxMagnitude(dx.values),
          dtype,
          room,
          selected: null,
          centre: { row: overlay.row + overlay.rows / 2, col: overlay.col + overlay.cols / 2 },
          overlays: [{ ...overlay, label: undefined }],
          look,
        })}
        ${
          step === steps
            ? fine
              ? html`<span class="sv-badge" data-agrees="true">${t.equalsEngine}</span>`
              : html`<span class="sv-badge" data-agrees="false" role="alert">≠ engine</span>`
            : html`<span class="sv-aside">${t.painted}: ${step} / ${steps}</span>`
        }
      </div>
    </div>
    <div class="sv-pickers">${seedControl(context)}</div>
    ${answer.promoted ? html`<p class="sv-note">${t.promoted}</p>` : ""}`;
}

/** The engine's output for the input rolled by whole pixels. */
export function shiftedRecord(context: Context<PoolRecord>): Asked<PoolRecord> {
  const { shiftBy, shiftAxis } = context.selection;
  return context.ask(`shift:${shiftBy}:${shiftAxis}`, async (api) => {
    const change = context.change();
    const input = { shape: context.record.inputs.input.shape, data: rollInput(context.record, shiftBy, shiftAxis) };
    const answer = await api.whatIf({ ...change, values: { ...change.values, input } });
    if (!answer.ok) throw new Error(answer.error.message);
    return answer.record as PoolRecord;
  });
}

/** How many numbers of two equally large arrays differ. */
export function differing(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let count = 0;
  for (let k = 0; k < a.length; k++) if (a[k] !== b[k] && !(Number.isNaN(a[k]!) && Number.isNaN(b[k]!))) count++;
  return count;
}

export function shiftView(context: Context<PoolRecord>): TemplateResult {
  const { t, selection } = context;
  const set = (by: number) => context.select({ shiftBy: Math.max(1, Math.min(9, by)) });
  return html`<div class="sv-stage" data-columns="1">
    <div class="sv-pickers">
      <div class="sv-picker">
        <span class="sv-picker-name">${t.shiftBy}</span>
        <button type="button" aria-label=${t.less(t.shiftBy)} @click=${() => set(selection.shiftBy - 1)}>−</button>
        <output data-control="shift-by">${selection.shiftBy} px</output>
        <button type="button" aria-label=${t.more(t.shiftBy)} @click=${() => set(selection.shiftBy + 1)}>+</button>
      </div>
      <label class="sv-field">
        <span>${t.shiftAlong}</span>
        <select data-control="shift-axis" @change=${(event: Event) => context.select({ shiftAxis: (event.target as HTMLSelectElement).value as "rows" | "cols" })}>
          <option value="cols" ?selected=${selection.shiftAxis === "cols"}>${t.axisCols}</option>
          <option value="rows" ?selected=${selection.shiftAxis === "rows"}>${t.axisRows}</option>
        </select>
      </label>
      ${picker(context, "n", upTo(context.record.geometry.n))} ${picker(context, "c", upTo(context.record.geometry.c))}
    </div>
    ${whenReady(context, shiftedRecord(context), (shifted) => drawShift(context, shifted))}
  </div>`;
}

function drawShift(context: Context<PoolRecord>, shifted: PoolRecord): TemplateResult {
  const { t, record } = context;
  const { n, c, i, j } = context.shown;
  const g = record.geometry;
  const changed = differing(record.output.data, shifted.output.data);
  const room = roomFor(context, 2);
  const own = outputPlane(record, n, c);
  const other = outputPlane(shifted, n, c);
  const half = (shown: PoolRecord, title: string, suffix: string) => html`<section class="sv-side" aria-label=${title}>
    <h4>${title}</h4>
    ${matrix(context, {
      part: "input",
      role: "input",
      name: `${t.input}[${n}, ${c}]`,
      suffix,
      plane: inputPlane(shown, n, c),
      dtype: record.inputs.input.dtype,
      ring: poolRing(record),
      ringText: ringText(record),
      beyond: beyondOf(record),
      room,
      selected: null,
      centre: { row: i * g.strideH - g.padTop + g.kernelH / 2, col: j * g.strideW - g.padLeft + g.kernelW / 2 },
      overlays: [poolOverlay(context, shown, i, j)],
      legend: false,
    })}
    ${matrix(context, {
      part: "output",
      role: "output",
      name: `${t.output}[${n}, ${c}]`,
      suffix,
      plane: suffix === "shifted" ? other : own,
      dtype: record.output.dtype,
      room,
      selected: { row: i, col: j },
      pick: (row, col) => context.select({ i: row, j: col }, "output"),
      overlays: [{ row: i, col: j, rows: 1, cols: 1, kind: "selected" }],
      look: (row, col) => {
        const at = row * g.outW + col;
        return own.values[at] === other.values[at]
          ? { note: t.unchanged }
          : { classes: "is-changed", mark: "≠", note: t.changed };
      },
      legend: false,
    })}
  </section>`;
  return html`<p class="sv-verdict" data-part="shift" data-changed=${changed}>${t.changedOutputs(changed, record.output.data.length)}</p>
    <div class="sv-pair">${half(record, t.original, "original")} ${half(shifted, t.rolled, "shifted")}</div>`;
}
