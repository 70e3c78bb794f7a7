/** What every kind of output is to the view that holds them. */
import type { Messages } from "../i18n/index.ts";
import type { OutputItem } from "../kernel/protocol.ts";

export interface OutputContext {
  t: Messages;
  /** Name of what printed this, for labels: a cell's id. */
  label: string;
  /** Shows a line of a cell: from an error's frames. */
  goTo(cellId: string, line: number): void;
}

/** One output on the page. `update` gets the next state of the same item. */
export interface OutputPart<Item extends OutputItem = OutputItem> {
  readonly element: HTMLElement;
  update(item: Item): void;
  /** Text items only. */
  append?(text: string, tensors: TextTensor[]): void;
  /** Pending work onto the page, before the run is called finished. */
  flush?(): void;
}

export type TextTensor = Extract<OutputItem, { kind: "text" }>["tensors"][number];
export type ItemOf<Kind extends OutputItem["kind"]> = Extract<OutputItem, { kind: Kind }>;
