import type { Reduction } from "./functional.ts";
import { Module } from "./module.ts";

/** What the losses have in common. */
export abstract class Loss extends Module {
  readonly reduction: Reduction;

  constructor(reduction: Reduction = "mean") {
    super();
    this.reduction = reduction;
  }
}
