/** MaxPool2d and AvgPool2d as a kind of visualizer: every view of a pooling's record. */
import { html, type TemplateResult } from "lit-html";
import type { OpRecord, PoolRecord } from "../../../engine/inspect/records.ts";
import type { Context, Kind } from "../shell/context.ts";
import { edgesView, modesView } from "./edges.ts";
import { poolBackwardView, shiftView } from "./routes.ts";
import { fitPool, POOL_START, POOL_VIEWS, poolAtStep, poolReaders, poolStep, poolSteps } from "./state.ts";
import { poolSentence, poolTables } from "./text.ts";
import { windowFormula, windowView } from "./window.ts";

export const pool2d: Kind = {
  name: "pool2d",
  views: POOL_VIEWS,
  start: POOL_START,
  accepts: (op) => op !== "conv2d",
  fit: (record, selection) => fitPool(pool(record), selection),
  steps: (record) => poolSteps(pool(record)),
  stepOf: (record, selection) => poolStep(pool(record), selection),
  atStep: (record, selection, step) => poolAtStep(pool(record), selection, step),
  readers: (record, selection) => poolReaders(pool(record), selection),
  stage: (context) => stage(context as Context<PoolRecord>),
  formula: (context) => formula(context as Context<PoolRecord>),
  sentence: (context) => poolSentence(context as Context<PoolRecord>),
  tables: (context) => poolTables(context as Context<PoolRecord>),
};

function pool(record: OpRecord): PoolRecord {
  if (record.op === "conv2d") throw new Error("a conv2d record is not a pooling");
  return record;
}

function stage(context: Context<PoolRecord>): TemplateResult {
  switch (context.selection.view) {
    case "edges":
      return edgesView(context);
    case "modes":
      return modesView(context);
    case "backward":
      return poolBackwardView(context);
    case "shift":
      return shiftView(context);
    default:
      return windowView(context);
  }
}

function formula(context: Context<PoolRecord>): TemplateResult {
  const { view } = context.selection;
  const max = context.record.op === "max_pool2d";
  if (view === "edges" || view === "modes") {
    const size = (ceil: boolean) =>
      html`${ceil ? "⌈" : "⌊"}(<span data-role="input">in</span> + 2<span data-role="padding">p</span> − d(<span data-role="weight">k</span> − 1) − 1) ÷ s${ceil ? "⌉" : "⌋"} + 1`;
    return html`<div class="sv-letters"><span data-role="output">out</span> = ${view === "modes" ? html`${size(false)} &ensp;/&ensp; ${size(true)}` : size(context.record.attrs.ceilMode)}</div>
      ${view === "modes" || context.record.attrs.ceilMode ? html`<div class="sv-letters">(o − 1)·s ≥ H + p &ensp;⟹&ensp; ${context.t.dropRule}</div>` : ""}`;
  }
  if (view === "backward")
    return html`<div class="sv-letters">
      ${max ? html`<span data-role="gradient">dx[argmax]</span> += <span data-role="gradient">dy[i, j]</span>` : html`<span data-role="gradient">dx[row, col]</span> += <span data-role="gradient">dy[i, j]</span> ÷ n`}
    </div>`;
  return windowFormula(context);
}
