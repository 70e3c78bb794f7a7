/** What all learning rate schedulers share. */
import { KeyError, TypeError, ValueError } from "../core/errors.ts";
import { pythonTypeName } from "../core/tensor.ts";
import { warn } from "../core/warnings.ts";
import { Optimizer } from "./optimizer.ts";

/** A group as schedulers see it: some write other options than the learning rate. */
export type ScheduledGroup = { lr: number; initialLr?: number } & Record<string, unknown>;

/** Any optimizer whose groups have a learning rate: what schedulers need of one. */
export interface ScheduledOptimizer {
  paramGroups: { lr: number; initialLr?: number }[];
  readonly defaults: object;
  readonly stepCalled: boolean;
}

/** The groups of an optimizer as schedulers see them. */
export function groupsOf(optimizer: ScheduledOptimizer): ScheduledGroup[] {
  return optimizer.paramGroups as ScheduledGroup[];
}

export interface LastEpochOption {
  /** The number of steps already taken, when resuming. Default -1: from the start. */
  lastEpoch?: number;
}

export type SchedulerStateDict = Record<string, unknown>;

const EPOCH_DEPRECATION =
  "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. Please use `scheduler.step()` to step the scheduler. During the deprecation, if epoch is different from None, the closed form is used instead of the new chainable form, where available. Please open an issue if you are unable to replicate your use case: https://github.com/pytorch/pytorch/issues/new/choose.";

/** Changes the learning rates of an optimizer from step to step. Its `step` comes after the optimizer's. */
export abstract class LRScheduler {
  optimizer: ScheduledOptimizer;
  /** The learning rates that the schedule starts from, one a group. */
  baseLrs: number[];
  /** Steps taken so far. */
  lastEpoch: number;
  protected stepCount = 0;
  /** Whether the schedule is just being set up. */
  protected isInitial = false;
  protected lastLr: number[] = [];

  /**
   * Subclasses set their options and then call `start`.
   * @throws TypeError when `optimizer` is none; KeyError when resuming with groups that have no `initialLr`
   */
  constructor(optimizer: ScheduledOptimizer, lastEpoch = -1) {
    requireOptimizer(optimizer);
    this.optimizer = optimizer;
    this.groups.forEach((group, i) => {
      if (lastEpoch === -1) group.initialLr ??= group.lr;
      else if (group.initialLr === undefined) {
        throw new KeyError(
          `param 'initial_lr' is not specified in param_groups[${i}] when resuming scheduler with last_epoch >= 0.\nThis typically happens when:\n1. You're trying to resume training from a checkpoint but haven't properly loaded the optimizer state\n2. You're using last_epoch >= 0 for a fresh training run (not recommended)`,
        );
      }
    });
    this.baseLrs = this.groups.map((group) => group.initialLr!);
    this.lastEpoch = lastEpoch;
  }

  protected get groups(): ScheduledGroup[] {
    return groupsOf(this.optimizer);
  }

  protected get currentLrs(): number[] {
    return this.groups.map((group) => group.lr);
  }

  /** Sets the learning rates of the beginning. SequentialLR calls it again. */
  start(): void {
    this.stepCount = 0;
    this.isInitial = true;
    this.step();
    this.isInitial = false;
  }

  /** The next learning rates, from the current ones where the schedule can be chained with others. */
  abstract getLr(): number[];

  /** The learning rates of `lastEpoch` straight from the first ones, where there is such a formula. */
  protected closedFormLr?(): number[];

  /** The learning rates that were set last, one a group. */
  getLastLr(): number[] {
    return [...this.lastLr];
  }

  /** Goes on by one step, or straight to `epoch`. */
  step(epoch?: number | null): void {
    if (this.stepCount === 1 && !this.optimizer.stepCalled) {
      warn(
        "Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch 1.1.0 and later, you should call them in the opposite order: `optimizer.step()` before `lr_scheduler.step()`.  Failure to do this will result in PyTorch skipping the first value of the learning rate schedule. See more details at https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate",
      );
    }
    this.stepCount++;
    if (epoch != null) warn(EPOCH_DEPRECATION);
    this.updateLr(epoch ?? null);
  }

  /** Sets the learning rates of the next step, or of `epoch`. */
  updateLr(epoch: number | null = null): void {
    this.lastEpoch = epoch ?? this.lastEpoch + 1;
    this.setLrs(epoch !== null && this.closedFormLr ? this.closedFormLr() : this.getLr());
  }

  protected setLrs(values: readonly number[]): void {
    this.groups.forEach((group, i) => {
      group.lr = values[i]!;
    });
    this.lastLr = this.currentLrs;
  }

  /** Everything but the optimizer and functions. */
  stateDict(): SchedulerStateDict {
    const entries = Object.entries(this).filter(([name, value]) => name !== "optimizer" && !holdsFunction(value));
    return Object.fromEntries(entries.map(([name, value]) => [name, structuredClone(value)]));
  }

  loadStateDict(stateDict: SchedulerStateDict): void {
    Object.assign(this, structuredClone(stateDict));
  }
}

function holdsFunction(value: unknown): boolean {
  return typeof value === "function" || (Array.isArray(value) && value.some(holdsFunction));
}

export function requireOptimizer(optimizer: unknown): asserts optimizer is ScheduledOptimizer {
  if (optimizer instanceof Optimizer) return;
  throw new TypeError(`${pythonTypeName(optimizer)} is not an Optimizer`);
}

/** One value a group: given for each, or one for all. @throws ValueError when there are too many or too few */
export function perGroup<T>(name: string, optimizer: ScheduledOptimizer, value: T | readonly T[]): T[] {
  const count = optimizer.paramGroups.length;
  if (!Array.isArray(value)) return new Array<T>(count).fill(value as T);
  if (value.length !== count) {
    throw new ValueError(
      `${name} must have the same length as optimizer.param_groups. ${name} has ${value.length} values, param_groups has ${count}.`,
    );
  }
  return [...value];
}
