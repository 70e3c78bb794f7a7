/** What a view is handed to draw with, and what a kind of visualizer (conv2d, pool2d) offers to the shell. */
import type { TemplateResult } from "lit-html";
import type { OpRecord } from "../../../engine/inspect/records.ts";
import type { Reader } from "../../../engine/inspect/windows.ts";
import type { ErrorData, GradientsAnswer, KernelApi, WhatIf, WhatIfAnswer } from "../../kernel/protocol.ts";
import type { Strings } from "../i18n.ts";
import type { NumberText } from "./format.ts";
import type { HeatPaint } from "./heatmap.ts";
import type { Selection, View } from "./selection.ts";
import type { Diagnosis, Edits, Settings } from "./whatif.ts";

/** A request to the engine as a view sees it: it draws the waiting state until the answer is there. */
export type Asked<T> = { state: "waiting" } | { state: "ready"; value: T } | { state: "failed"; message: string };

export type GridPart = "input" | "kernel" | "output";

/** A term under the pointer or the focus, lit in the formula, the kernel and the input at once. */
export interface Lit {
  u: number;
  v: number;
}

export interface WhatIfState {
  settings: Settings;
  edits: Edits;
  /** The engine's word on it; null while the cell's own run is shown. */
  answer: WhatIfAnswer | null;
  diagnosis: Diagnosis | null;
}

export interface Context<R extends OpRecord = OpRecord> {
  /** The shown record (the cell's own, or the what-if's) and the cell's own. */
  record: R;
  own: R;
  selection: Selection;
  /** The selection with what the pointer is over in place of what is selected. */
  shown: Selection;
  hovering: boolean;
  lit: Lit | null;
  locale: "en" | "zh-cn";
  t: Strings;
  numbers: NumberText;
  /** Inner width of the figure in CSS pixels. */
  width: number;
  whatIf: WhatIfState;
  /** Numbers are typed straight into the cells. */
  editing: boolean;
  longFormula: boolean;
  /** Other records of the cell, for comparing. */
  siblings: { index: number; label: string }[];
  compareWith: number | null;
  uid: string;

  select(patch: Partial<Selection>, from?: GridPart): void;
  hover(patch: Partial<Selection> | null): void;
  light(lit: Lit | null): void;
  step(to: number): void;
  setCompare(index: number | null): void;
  toggleFormula(): void;
  edit(part: "input" | "weight", index: number, value: number): void;
  /** Keeps an answer of the engine for as long as the shown record stays. */
  ask<T>(key: string, request: (api: EngineApi) => Promise<T>): Asked<T>;
  /** The change that leads from the cell's record to the shown one, for further requests on top of it. */
  change(): WhatIf;
  sibling(index: number): Asked<OpRecord>;
  /** Has a canvas painted after this render. */
  paint(paint: HeatPaint): void;
}

export type EngineApi = Pick<KernelApi, "records" | "record" | "whatIf" | "gradients" | "format">;
export type { ErrorData, GradientsAnswer, WhatIfAnswer };

/** A table of the text view. */
export interface TextTable {
  caption: string;
  columns: string[];
  rows: string[][];
}

/** One kind of visualizer. Everything but `stage` and `formula` is text or arithmetic. */
export interface Kind {
  readonly name: "conv2d" | "pool2d";
  readonly views: readonly View[];
  readonly start: Selection;
  accepts(op: OpRecord["op"]): boolean;
  fit(record: OpRecord, selection: Selection): Selection;
  steps(record: OpRecord, selection: Selection): number;
  stepOf(record: OpRecord, selection: Selection): number;
  atStep(record: OpRecord, selection: Selection, step: number): Selection;
  readers(record: OpRecord, selection: Selection): Reader[];
  stage(context: Context): TemplateResult;
  formula(context: Context): TemplateResult;
  sentence(context: Context): string;
  tables(context: Context): TextTable[];
}
