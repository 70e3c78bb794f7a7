/** Matrices on the page: a grid of cells that can be walked by keyboard, or a heat map with a magnifier once they are many. */
import { html, nothing, type TemplateResult } from "lit-html";
import { classMap } from "lit-html/directives/class-map.js";
import { styleMap } from "lit-html/directives/style-map.js";
import type { Context, GridPart } from "./context.ts";
import { fieldValue } from "./field.ts";
import { moveByKey } from "./selection.ts";
import { maxMagnitude, type Plane } from "./tensor.ts";

export interface Overlay {
  /** In cells of the plane; fractions and negative positions are fine. */
  row: number;
  col: number;
  rows: number;
  cols: number;
  kind: "window" | "window-b" | "dilated" | "clipped" | "reader" | "unread" | "selected";
  label?: string;
}

export interface CellLook {
  classes?: string;
  /** Small mark in the lower right: the weight that meets this number, a share, a flat index. */
  mark?: string;
  /** Says what colours and rings say, for screen readers. */
  note?: string;
}

export interface GridSpec {
  part: GridPart;
  role: "input" | "weight" | "output" | "gradient";
  /** Visible name, "input[0, 0]". */
  name: string;
  detail?: string;
  plane: Plane;
  dtype: string;
  /** End of the colour scale; the plane's own largest magnitude when absent. */
  max?: number;
  ring?: { top: number; right: number; bottom: number; left: number };
  ringText?: string;
  /** Rows and columns past the padding, which only ceil_mode's last windows reach. */
  beyond?: { bottom: number; right: number };
  look?: (row: number, col: number) => CellLook | undefined;
  overlays?: Overlay[];
  selected: { row: number; col: number } | null;
  /** Centre of the magnifier. */
  centre?: { row: number; col: number };
  pick?: (row: number, col: number) => void;
  hover?: (row: number, col: number) => void;
  /** Index of a cell's number in what `context.edit` changes, where it may be edited. */
  edit?: { part: "input" | "weight"; base: number };
  /** Most width that the grid may take, in CSS pixels. */
  room: number;
  legend?: boolean;
  /** Distinguishes two grids of one part in one view. */
  suffix?: string;
}

export const MOST_CELLS = 400;
/** Widths of a digit at 13 px and at 12 px, the smallest that is used. */
const DIGIT = 7.9;
const TIGHT_DIGIT = 7.25;
/** Marks in a cell's corner are left out where they would run into the number. */
const LONGEST_MARK = 4;
const NO_RING = { top: 0, right: 0, bottom: 0, left: 0 };

/** Whether a plane is drawn as a heat map with a magnifier. */
export function isLarge(spec: Pick<GridSpec, "plane" | "room" | "ring">): boolean {
  const ring = spec.ring ?? NO_RING;
  const cols = spec.plane.cols + ring.left + ring.right;
  const rows = spec.plane.rows + ring.top + ring.bottom;
  return rows * cols > MOST_CELLS || (cols > 9 && cols * 26 > spec.room);
}

export function matrix(context: Context, spec: GridSpec): TemplateResult {
  const large = isLarge(spec);
  const max = spec.max ?? maxMagnitude(spec.plane.values);
  return html`<figure class="sv-matrix" data-role=${spec.role}>
    <figcaption class="sv-name"><b>${spec.name}</b>${spec.detail ? html`<span>${spec.detail}</span>` : nothing}</figcaption>
    ${large ? heat(context, spec, max) : nothing}
    ${dom(context, spec, max, large)}
    ${spec.legend === false ? nothing : legend(context, spec, max)}
  </figure>`;
}

/** The scale, symmetric about zero. */
function legend(context: Context, spec: GridSpec, max: number): TemplateResult {
  const end = context.numbers.one(max, spec.dtype);
  return html`<div class="sv-legend" data-scale=${spec.role === "weight" ? "weight" : "activation"}>
    <span class="sv-sr">${context.t.scaleLegend(end)}</span>
    <span aria-hidden="true">−${end}</span><i aria-hidden="true"></i><span aria-hidden="true">${end}</span>
  </div>`;
}

interface Frame {
  row0: number;
  col0: number;
  rows: number;
  cols: number;
}

function fullFrame(spec: GridSpec): Frame {
  const ring = spec.ring ?? NO_RING;
  const beyond = spec.beyond ?? { bottom: 0, right: 0 };
  return {
    row0: -ring.top,
    col0: -ring.left,
    rows: spec.plane.rows + ring.top + ring.bottom + beyond.bottom,
    cols: spec.plane.cols + ring.left + ring.right + beyond.right,
  };
}

/** Nine by nine around the centre, fewer where the figure is narrow, kept inside the plane and its ring. */
function magnifierFrame(spec: GridSpec, cell: number): Frame {
  const full = fullFrame(spec);
  const fit = Math.floor((spec.room - 4) / cell);
  const side = Math.max(5, Math.min(9, fit % 2 === 0 ? fit - 1 : fit));
  const rows = Math.min(side, full.rows);
  const cols = Math.min(side, full.cols);
  const centre = spec.centre ?? spec.selected ?? { row: 0, col: 0 };
  const within = (from: number, size: number, low: number, total: number) =>
    Math.max(low, Math.min(low + total - size, Math.round(from)));
  return {
    row0: within(centre.row - (rows - 1) / 2, rows, full.row0, full.rows),
    col0: within(centre.col - (cols - 1) / 2, cols, full.col0, full.cols),
    rows,
    cols,
  };
}

function dom(context: Context, spec: GridSpec, max: number, large: boolean): TemplateResult {
  const text = context.numbers.many(large ? magnified(spec) : spec.plane.values, spec.dtype);
  const longest = Math.max(1, ...text.map((entry) => entry.length), spec.ringText?.length ?? 0);
  const tight = longest > 4;
  const least = Math.max(
    26,
    Math.ceil(longest * (tight ? TIGHT_DIGIT : DIGIT)) + 6,
    context.editing && spec.edit ? 48 : 0,
  );
  const full = fullFrame(spec);
  const frame = large ? magnifierFrame(spec, Math.max(34, least)) : full;
  const cellWidth = large ? Math.max(34, least) : Math.max(least, Math.min(46, Math.floor(spec.room / full.cols)));
  const height = Math.max(spec.look && !tight ? 38 : 34, Math.min(46, cellWidth - (tight ? 16 : 0)));
  const name = large
    ? context.t.magnifier(spec.name)
    : context.t.gridLabel(spec.name, spec.plane.rows, spec.plane.cols);
  const current = spec.selected ?? { row: Math.max(0, frame.row0), col: Math.max(0, frame.col0) };
  const valueText = valueTextOf(context, spec, large, text);
  const rows = Array.from({ length: frame.rows }, (_, k) => k + frame.row0);
  const cols = Array.from({ length: frame.cols }, (_, k) => k + frame.col0);
  return html`<div class="sv-scroll">
    <div
      class="sv-plate"
      style=${styleMap({ "--cw": `${cellWidth}px`, "--ch": `${height}px`, width: `${cellWidth * frame.cols}px` })}
      data-magnifier=${large ? "true" : nothing}
      data-tight=${tight ? "true" : nothing}
    >
      <div
        role="grid"
        data-part=${spec.part}
        data-suffix=${spec.suffix ?? nothing}
        aria-label=${name}
        aria-rowcount=${full.rows}
        aria-colcount=${full.cols}
        @keydown=${(event: KeyboardEvent) => onKey(event, spec, current)}
        @click=${(event: Event) => onCell(event, spec.pick)}
        @pointerover=${(event: PointerEvent) => event.pointerType !== "touch" && onCell(event, spec.hover)}
        @pointermove=${(event: PointerEvent) => onDrag(event, spec)}
        @pointerleave=${() => spec.hover && context.hover(null)}
      >
        ${rows.map(
          (row) =>
            html`<div role="row" aria-rowindex=${row - full.row0 + 1}>
              ${cols.map((col) => cell(context, spec, row, col, full, current, max, valueText))}
            </div>`,
        )}
      </div>
      <div class="sv-overlays" aria-hidden="true">
        ${(spec.overlays ?? []).map((overlay) => overlayBox(overlay, frame))}
      </div>
    </div>
  </div>`;
}

function magnified(spec: GridSpec): number[] {
  const frame = magnifierFrame(spec, 34);
  const values: number[] = [];
  const { rows, cols } = spec.plane;
  for (let r = Math.max(0, frame.row0 - 4); r < Math.min(rows, frame.row0 + frame.rows + 4); r++)
    for (let c = Math.max(0, frame.col0 - 4); c < Math.min(cols, frame.col0 + frame.cols + 4); c++)
      values.push(spec.plane.values[r * cols + c]!);
  return values;
}

/** Text of one number: looked up in the jointly printed plane, or in the jointly printed surroundings of the magnifier. */
function valueTextOf(
  context: Context,
  spec: GridSpec,
  large: boolean,
  text: string[],
): (row: number, col: number) => string {
  const { cols } = spec.plane;
  if (!large) return (row, col) => text[row * cols + col]!;
  const values = magnified(spec);
  const known = new Map(values.map((value, k) => [value, text[k]!]));
  return (row, col) => {
    const value = spec.plane.values[row * cols + col]!;
    return known.get(value) ?? context.numbers.one(value, spec.dtype);
  };
}

function cell(
  context: Context,
  spec: GridSpec,
  row: number,
  col: number,
  full: Frame,
  current: { row: number; col: number },
  max: number,
  valueText: (row: number, col: number) => string,
): TemplateResult {
  const { plane } = spec;
  const ring = spec.ring ?? NO_RING;
  const inside = row >= 0 && col >= 0 && row < plane.rows && col < plane.cols;
  if (!inside) {
    const past = row >= plane.rows + ring.bottom || col >= plane.cols + ring.right;
    const look = spec.look?.(row, col);
    const value = spec.ringText === "-inf" ? "-Infinity" : "0";
    const ringText = spec.ringText === "-inf" ? "−∞" : (spec.ringText ?? "0");
    return html`<div
      role="gridcell"
      class="sv-cell ${past ? "is-past" : "is-padding"} ${look?.classes ?? ""}"
      data-row=${row}
      data-col=${col}
      data-value=${past ? nothing : value}
      data-place=${past ? "beyond" : "padding"}
      aria-colindex=${col - full.col0 + 1}
      aria-label=${past ? context.t.where.beyond : nothing}
      aria-description=${past ? nothing : context.t.paddingCell(row, col, spec.ringText ?? "0")}
    >
      ${past ? nothing : html`<span>${ringText}</span>`}${mark(look)}
    </div>`;
  }
  const value = plane.values[row * plane.cols + col]!;
  const look = spec.look?.(row, col);
  const share = Number.isNaN(value) ? 0 : Math.max(-1, Math.min(1, value / max));
  const isCurrent = row === current.row && col === current.col;
  const editable = context.editing && spec.edit !== undefined;
  const text = valueText(row, col);
  return html`<div
    role="gridcell"
    class=${classMap({ "sv-cell": true, "is-negative": share < 0, ...classes(look?.classes) })}
    style=${`--v:${Math.abs(share).toFixed(3)}`}
    data-row=${row}
    data-col=${col}
    data-value=${String(value)}
    data-scale=${spec.role === "weight" ? "weight" : "activation"}
    aria-colindex=${col - full.col0 + 1}
    aria-selected=${spec.selected ? String(row === spec.selected.row && col === spec.selected.col) : nothing}
    aria-description=${look?.note ?? nothing}
    tabindex=${editable ? nothing : isCurrent ? "0" : "-1"}
  >
    ${
      editable
        ? html`<input
            type="text"
            inputmode="decimal"
            size="1"
            aria-label=${context.t.editCell(spec.name, row, col)}
            .value=${fieldValue(plainNumber(value))}
            @change=${(event: Event) => onEdit(event, context, spec, row * plane.cols + col, value)}
          />`
        : html`<span>${text}</span>`
    }${mark(look)}
  </div>`;
}

function mark(look: CellLook | undefined): TemplateResult | typeof nothing {
  return look?.mark && look.mark.length <= LONGEST_MARK ? html`<small>${look.mark}</small>` : nothing;
}

function plainNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(7)));
}

function classes(text: string | undefined): Record<string, boolean> {
  return Object.fromEntries(
    (text ?? "")
      .split(" ")
      .filter(Boolean)
      .map((name) => [name, true]),
  );
}

/** An empty or unreadable field keeps the number it had. */
function onEdit(event: Event, context: Context, spec: GridSpec, index: number, old: number): void {
  const field = event.target as HTMLInputElement;
  const text = field.value.trim().replace("−", "-");
  const value = text === "" ? Number.NaN : Number(text);
  if (Number.isFinite(value) && value !== old && spec.edit) context.edit(spec.edit.part, spec.edit.base + index, value);
  else field.value = plainNumber(old);
}

function overlayBox(overlay: Overlay, frame: Frame): TemplateResult | typeof nothing {
  const row = overlay.row - frame.row0;
  const col = overlay.col - frame.col0;
  if (row + overlay.rows <= 0 || col + overlay.cols <= 0 || row >= frame.rows || col >= frame.cols) return nothing;
  return html`<div class="sv-box" data-kind=${overlay.kind} style=${`--r:${row};--c:${col};--rs:${overlay.rows};--cs:${overlay.cols}`}>
    ${overlay.label ? html`<span>${overlay.label}</span>` : nothing}
  </div>`;
}

/** The whole plane, one pixel per cell, with the overlays in percent. Its words are the magnifier's. */
function heat(context: Context, spec: GridSpec, max: number): TemplateResult {
  const ring = spec.ring ?? NO_RING;
  const full = fullFrame({ ...spec, beyond: { bottom: 0, right: 0 } });
  const key = `${context.uid}-${spec.part}${spec.suffix ?? ""}`;
  context.paint({ key, plane: spec.plane, ring, max, scale: spec.role === "weight" ? "weight" : "activation" });
  const side = Math.min(spec.room, 300);
  const pixel = Math.max(1, Math.min(side / full.cols, side / full.rows));
  const percent = (part: number, of: number) => `${((part / of) * 100).toFixed(3)}%`;
  const boxes = [...(spec.overlays ?? [])];
  if (spec.selected) boxes.push({ ...spec.selected, rows: 1, cols: 1, kind: "selected" });
  const locate = (event: PointerEvent | MouseEvent) => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const row = Math.floor(((event.clientY - box.top) / box.height) * full.rows) + full.row0;
    const col = Math.floor(((event.clientX - box.left) / box.width) * full.cols) + full.col0;
    return row >= 0 && col >= 0 && row < spec.plane.rows && col < spec.plane.cols ? { row, col } : null;
  };
  return html`<div
    class="sv-heat"
    style=${styleMap({ width: `${pixel * full.cols}px`, height: `${pixel * full.rows}px` })}
    @click=${(event: MouseEvent) => {
      const place = locate(event);
      if (place) spec.pick?.(place.row, place.col);
    }}
    @pointermove=${(event: PointerEvent) => {
      const place = locate(event);
      if (place && event.pointerType !== "touch") spec.hover?.(place.row, place.col);
      else if (place && event.buttons > 0) spec.pick?.(place.row, place.col);
    }}
    @pointerleave=${() => spec.hover && context.hover(null)}
  >
    <canvas data-heat=${key} role="img" aria-label=${context.t.mapLabel(spec.name, spec.plane.rows, spec.plane.cols)}></canvas>
    ${boxes.map(
      (box) =>
        html`<div
          class="sv-heatbox"
          data-kind=${box.kind}
          style=${styleMap({
            top: percent(box.row - full.row0, full.rows),
            left: percent(box.col - full.col0, full.cols),
            height: percent(box.rows, full.rows),
            width: percent(box.cols, full.cols),
          })}
        ></div>`,
    )}
  </div>`;
}

function placeOf(target: EventTarget | null): { row: number; col: number } | null {
  const element = target instanceof Element ? target.closest<HTMLElement>("[role=gridcell]") : null;
  if (!element || element.dataset.place) return null;
  return { row: Number(element.dataset.row), col: Number(element.dataset.col) };
}

function onCell(event: Event, act: ((row: number, col: number) => void) | undefined): void {
  const place = placeOf(event.target);
  if (place) act?.(place.row, place.col);
}

/** On touch a drag over the cells picks each in turn; a mouse hovers and needs no drag. */
function onDrag(event: PointerEvent, spec: GridSpec): void {
  if (event.pointerType !== "touch" || event.buttons === 0 || !spec.pick) return;
  const place = placeOf(document.elementFromPoint(event.clientX, event.clientY));
  if (place && (place.row !== spec.selected?.row || place.col !== spec.selected?.col)) spec.pick(place.row, place.col);
}

function onKey(event: KeyboardEvent, spec: GridSpec, current: { row: number; col: number }): void {
  if (event.target instanceof HTMLInputElement || !spec.pick || event.altKey || event.metaKey) return;
  const to = moveByKey(event.key, event.ctrlKey, current.row, current.col, spec.plane.rows, spec.plane.cols);
  if (!to) return;
  event.preventDefault();
  event.stopPropagation();
  spec.pick(to.row, to.col);
}
