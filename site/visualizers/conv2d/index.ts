/** Conv2d as a kind of visualizer: every view of a convolution's record. */
import { html, type TemplateResult } from "lit-html";
import type { ConvRecord, OpRecord } from "../../../engine/inspect/records.ts";
import type { Context, Kind } from "../shell/context.ts";
import { sizeFormula } from "../shell/rulers.ts";
import { backwardFormula, backwardView } from "./backward.ts";
import { cellFormula, cellView } from "./cell.ts";
import { channelsFormula, channelsView, filtersView } from "./depth.ts";
import { compareView, sizeView } from "./extent.ts";
import { CONV_START, CONV_VIEWS, convAtStep, convAxes, convReaders, convStep, convSteps, fitConv } from "./state.ts";
import { convSentence, convTables } from "./text.ts";

export const conv2d: Kind = {
  name: "conv2d",
  views: CONV_VIEWS,
  start: CONV_START,
  accepts: (op) => op === "conv2d",
  fit: (record, selection) => fitConv(conv(record), selection),
  steps: (record, selection) => convSteps(conv(record), selection),
  stepOf: (record, selection) => convStep(conv(record), selection),
  atStep: (record, selection, step) => convAtStep(conv(record), selection, step),
  readers: (record, selection) => convReaders(conv(record), selection),
  stage: (context) => stage(context as Context<ConvRecord>),
  formula: (context) => formula(context as Context<ConvRecord>),
  sentence: (context) => convSentence(context as Context<ConvRecord>),
  tables: (context) => convTables(context as Context<ConvRecord>),
};

function conv(record: OpRecord): ConvRecord {
  if (record.op !== "conv2d") throw new Error(`a ${record.op} record is not a convolution`);
  return record;
}

function stage(context: Context<ConvRecord>): TemplateResult {
  switch (context.selection.view) {
    case "channels":
      return channelsView(context);
    case "filters":
      return filtersView(context);
    case "size":
      return sizeView(context);
    case "compare":
      return compareView(context);
    case "backward":
      return backwardView(context);
    default:
      return cellView(context);
  }
}

function formula(context: Context<ConvRecord>): TemplateResult {
  const { view } = context.selection;
  if (view === "backward") return backwardFormula();
  if (view === "size" || view === "compare") {
    const { rows, cols } = convAxes(context.record);
    return html`<div class="sv-letters">
        <span data-role="output">out</span> = ⌊(<span data-role="input">in</span> + 2<span data-role="padding">p</span> − d(<span data-role="weight">k</span> − 1) − 1) ÷ s⌋ + 1
      </div>
      ${view === "compare" ? html`${sizeFormula(rows, "H")} ${sizeFormula(cols, "W")}` : ""}`;
  }
  if (view === "channels") return channelsFormula(context);
  return cellFormula(context);
}
