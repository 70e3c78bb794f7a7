import { bind } from "../core/arguments.ts";
import { RuntimeError, ValueError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import { groupsOf, requireOptimizer, type ScheduledOptimizer, type SchedulerStateDict } from "./scheduler.ts";

export interface ReduceLROnPlateauOptions {
  /** Whether the metric should fall or rise. Default "min". */
  mode?: "min" | "max";
  /** The factor, below 1. Default 0.1. */
  factor?: number;
  /** How many steps without improvement are borne. Default 10. */
  patience?: number;
  /** By how much a value has to be better. Default 1e-4. */
  threshold?: number;
  /** Whether `threshold` is a share of the best value or a difference. Default "rel". */
  thresholdMode?: "rel" | "abs";
  /** Steps after a reduction in which nothing is counted. Default 0. */
  cooldown?: number;
  /** The smallest learning rate, for all groups or for each. Default 0. */
  minLr?: number | number[];
  /** A smaller change is not made. Default 1e-8. */
  eps?: number;
}

/**
 * Reduces the learning rate when a metric has stopped improving: `scheduler.step(loss)`.
 * https://docs.pytorch.org/docs/2.13/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html
 */
export class ReduceLROnPlateau {
  optimizer: ScheduledOptimizer;
  mode: "min" | "max";
  factor: number;
  patience: number;
  threshold: number;
  thresholdMode: "rel" | "abs";
  cooldown: number;
  /** The smallest learning rate where one was given for all groups; null where each has its own. */
  defaultMinLr: number | null;
  minLrs: number[];
  eps: number;
  lastEpoch = 0;
  /** The best value so far. */
  best: number;
  cooldownCounter = 0;
  numBadEpochs = 0;
  protected lastLr: number[];

  constructor(optimizer: ScheduledOptimizer, options?: ReduceLROnPlateauOptions);
  constructor(...args: unknown[]) {
    const given = bind<{ optimizer: ScheduledOptimizer } & ReduceLROnPlateauOptions>(
      "ReduceLROnPlateau.__init__",
      ["!optimizer", "mode", "factor", "patience", "threshold", "thresholdMode", "cooldown", "minLr", "eps"],
      args,
    );
    const { optimizer, mode = "min", factor = 0.1, thresholdMode = "rel", minLr = 0 } = given;
    if (factor >= 1) throw new ValueError("Factor should be < 1.0.");
    requireOptimizer(optimizer);
    const count = optimizer.paramGroups.length;
    if (Array.isArray(minLr) && minLr.length !== count) {
      throw new ValueError(`expected ${count} min_lrs, got ${minLr.length}`);
    }
    if (mode !== "min" && mode !== "max") throw new ValueError(`mode ${mode} is unknown!`);
    if (thresholdMode !== "rel" && thresholdMode !== "abs") {
      throw new ValueError(`threshold mode ${thresholdMode} is unknown!`);
    }
    this.optimizer = optimizer;
    this.mode = mode;
    this.factor = factor;
    this.patience = given.patience ?? 10;
    this.threshold = given.threshold ?? 1e-4;
    this.thresholdMode = thresholdMode;
    this.cooldown = given.cooldown ?? 0;
    this.defaultMinLr = Array.isArray(minLr) ? null : minLr;
    this.minLrs = Array.isArray(minLr) ? [...minLr] : new Array<number>(count).fill(minLr);
    this.eps = given.eps ?? 1e-8;
    this.lastLr = groupsOf(optimizer).map((group) => group.lr);
    this.best = mode === "min" ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  }

  get inCooldown(): boolean {
    return this.cooldownCounter > 0;
  }

  /** Counts one value of the metric, a number or a tensor of one element. */
  step(metrics: number | Tensor): void {
    const current = Number(metrics);
    this.lastEpoch++;
    if (this.isBetter(current, this.best)) {
      this.best = current;
      this.numBadEpochs = 0;
    } else this.numBadEpochs++;
    if (this.inCooldown) {
      this.cooldownCounter--;
      this.numBadEpochs = 0;
    }
    if (this.numBadEpochs > this.patience) {
      this.#reduce();
      this.cooldownCounter = this.cooldown;
      this.numBadEpochs = 0;
    }
    this.lastLr = groupsOf(this.optimizer).map((group) => group.lr);
  }

  /** Whether a value is better than the best one by more than the threshold. */
  isBetter(value: number, best: number): boolean {
    const { mode, threshold } = this;
    const relative = this.thresholdMode === "rel";
    if (mode === "min") return value < (relative ? best * (1 - threshold) : best - threshold);
    return value > (relative ? best * (threshold + 1) : best + threshold);
  }

  #reduce(): void {
    const groups = groupsOf(this.optimizer);
    if (groups.length !== this.minLrs.length) {
      if (this.defaultMinLr === null) {
        throw new RuntimeError(
          `The number of param groups in the \`optimizer\` (${groups.length}) differs from when \`ReduceLROnPlateau\` was initialized (${this.minLrs.length}), usually due to a new param group being added to the optimizer. Please modify the \`min_lrs\` field to match the length of the \`optimizer\` param groups.`,
        );
      }
      this.minLrs = new Array<number>(groups.length).fill(this.defaultMinLr);
    }
    groups.forEach((group, i) => {
      const reduced = Math.max(group.lr * this.factor, this.minLrs[i]!);
      if (group.lr - reduced > this.eps) group.lr = reduced;
    });
  }

  /** The learning rates that the last step left, one a group. */
  getLastLr(): number[] {
    return [...this.lastLr];
  }

  /** Everything but the optimizer. */
  stateDict(): SchedulerStateDict {
    const { optimizer: _, ...state } = this;
    return structuredClone(state) as SchedulerStateDict;
  }

  loadStateDict(stateDict: SchedulerStateDict): void {
    Object.assign(this, structuredClone(stateDict));
  }
}
