/** A cell on the page: its code, what PyTorch printed for it, and the twin that printed it. */
import type { ElementContent } from "hast";
import type { RootContent } from "mdast";
import type { Messages } from "../i18n/index.ts";
import type { CellSpec } from "../lesson/types.ts";
import { highlightCode } from "./highlight.ts";
import { hastElement as h, html, words } from "./nodes.ts";

/** `<stride-cell>` as it stands before any script: nothing in it needs one to be read. */
export async function cell(spec: CellSpec, t: Messages): Promise<RootContent> {
  const code = h("div", { dataPart: "code" }, [await highlightCode(spec.source, "ts")]);
  const children: ElementContent[] = [
    spec.hidden ? h("details", { dataPart: "folded" }, [h("summary", {}, [words(t.cell.folded)]), code]) : code,
    h("div", { dataPart: "output" }, spec.output === null ? [] : recorded(spec.output, t)),
  ];
  if (spec.twin !== null) {
    children.push(
      h("details", { dataPart: "twin" }, [
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

/** What PyTorch printed, to the letter, under a label that says so. */
function recorded(output: string, t: Messages): ElementContent[] {
  return [
    h("p", { dataPart: "origin" }, [words(t.cell.recordedOrigin)]),
    h("pre", { dataOutput: "text", dataRecorded: "", translate: "no" }, [words(output)]),
  ];
}

/** Code that is shown and never run. */
export async function plainFence(code: string, language: string | null): Promise<RootContent> {
  return html("div", { className: ["fence"] }, [await highlightCode(code, language)]);
}
