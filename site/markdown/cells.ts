/** A cell on the page: its code, what PyTorch printed for it, and the twin that printed it. */
import type { ElementContent, Properties } from "hast";
import type { RootContent } from "mdast";
import type { Messages } from "../i18n/index.ts";
import type { CellSpec } from "../lesson/types.ts";
import { highlightCode } from "./highlight.ts";
import { hastElement as h, html, words } from "./nodes.ts";

/** `<stride-cell>` as it stands before any script: nothing in it needs one to be read. */
export async function cell(spec: CellSpec, t: Messages): Promise<RootContent> {
  const code = h("div", { dataPart: "code" }, [await highlightCode(spec.source, "ts")]);
  const children: ElementContent[] = [
    runMark(spec.id, t),
    spec.hidden ? h("details", { dataPart: "folded" }, [h("summary", {}, [words(t.cell.folded)]), code]) : code,
    strip(spec, t),
    h("div", { dataPart: "output" }, spec.output === null ? [] : [recorded(spec.output)]),
  ];
  if (spec.twin !== null) {
    children.push(
      h("details", { dataPart: "twin", id: `${spec.id}-twin` }, [
        h("summary", {}, [words(t.cell.twinTitle)]),
        await highlightCode(spec.twin, "python"),
      ]),
    );
  }
  return html(
    "stride-cell",
    {
      id: spec.id,
      dataCell: spec.id,
      dataState: "recorded",
      ...(spec.hidden ? { dataHidden: "" } : {}),
      ...(spec.readonly ? { dataReadonly: "" } : {}),
      ...(spec.device === null ? {} : { dataDevice: spec.device }),
    },
    children,
  );
}

/** What PyTorch printed, to the letter. The inner span keeps a first empty line, which HTML would drop after <pre>. */
function recorded(output: string): ElementContent {
  return h("pre", { dataOutput: "text", dataRecorded: "", translate: "no" }, [h("span", {}, [words(output)])]);
}

/** Buttons are in the HTML from the start, so that nothing moves when the script arrives; without one they are not shown. */
function button(action: string, label: ElementContent[], properties: Properties = {}): ElementContent {
  return h("button", { type: "button", dataAction: action, ...properties }, label);
}

function icon(path: string): ElementContent {
  return h("svg", { viewBox: "0 0 16 16", width: 16, height: 16, ariaHidden: "true", focusable: "false" }, [
    h("path", { d: path, fill: "currentColor" }, []),
  ]);
}

/** In the margin: run, or stop. */
function runMark(id: string, t: Messages): ElementContent {
  return h("div", { dataPart: "mark", dataNeedsJs: "" }, [
    button("run", [icon("M4 2.5v11l9.5-5.5z")], { ariaLabel: t.cell.runThis(id), title: t.cell.runTitle }),
    button("stop", [icon("M3.5 3.5h9v9h-9z")], { ariaLabel: t.cell.stopThis(id), title: t.cell.stop, hidden: true }),
  ]);
}

/** Between code and output: the state as a word, where the output below comes from, and what can be done. */
function strip(spec: CellSpec, t: Messages): ElementContent {
  const actions: ElementContent[] = [];
  if (spec.readonly) actions.push(h("span", { className: ["cell-readonly"] }, [words(t.cell.readonly)]));
  else {
    actions.push(
      button("edit", [words(t.cell.edit)], { ariaPressed: "false" }),
      button("plain-editor", [words(t.cell.plainEditor)]),
      button("reset", [words(t.cell.reset)], { hidden: true }),
    );
  }
  if (spec.twin !== null) {
    actions.push(button("twin", [words(t.cell.twin)], { ariaExpanded: "false", ariaControls: [`${spec.id}-twin`] }));
  }
  const silent = spec.output === null;
  return h("div", { dataPart: "strip", dataPagefindIgnore: "" }, [
    h("span", { dataPart: "state", dataNeedsJs: "" }, silent ? [words(t.cell.state.recorded)] : []),
    h("span", { dataPart: "origin" }, silent ? [] : [words(t.cell.recordedOrigin)]),
    h("span", { dataPart: "edited" }, []),
    h("span", { dataPart: "note" }, []),
    h("span", { dataPart: "actions", dataNeedsJs: "" }, actions),
  ]);
}

/** Where a cell writes for TensorBoard, the panel that shows it. */
export function board(spec: CellSpec): RootContent | null {
  return /\bnew\s+SummaryWriter\s*\(/.test(spec.source) ? html("stride-tensorboard", { dataOf: spec.id }, []) : null;
}

/** Code that is shown and never run. */
export async function plainFence(code: string, language: string | null): Promise<RootContent> {
  return html("div", { className: ["fence"] }, [await highlightCode(code, language)]);
}
