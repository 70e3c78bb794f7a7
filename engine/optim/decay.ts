/**
 * Schedules whose learning rate follows a simple curve. `getLr` goes from one rate to the next, so that several can act on
 * one optimizer; `closedFormLr` starts anew from the first rate.
 */
import { bind } from "../core/arguments.ts";
import { ValueError } from "../core/errors.ts";
import { type LastEpochOption, LRScheduler, perGroup, type ScheduledOptimizer } from "./scheduler.ts";

type Given<O> = { optimizer: ScheduledOptimizer } & O & LastEpochOption;

/** From the number of steps to a factor. */
export type LrLambda = (epoch: number) => number;

export interface LambdaLROptions {
  /** One function, or one a group. */
  lrLambda: LrLambda | LrLambda[];
}

/** The first learning rate times a function of the step. */
export class LambdaLR extends LRScheduler {
  lrLambdas: LrLambda[];

  constructor(optimizer: ScheduledOptimizer, lrLambda: LrLambda | LrLambda[], options?: LastEpochOption);
  constructor(optimizer: ScheduledOptimizer, options: LambdaLROptions & LastEpochOption);
  constructor(...args: unknown[]) {
    const { optimizer, lrLambda, lastEpoch } = bind<Given<LambdaLROptions>>(
      "LambdaLR.__init__",
      ["!optimizer", "!lrLambda", "lastEpoch"],
      args,
    );
    super(optimizer, lastEpoch);
    this.lrLambdas = lambdasFor(optimizer, lrLambda);
    this.start();
  }

  override getLr(): number[] {
    return this.baseLrs.map((base, i) => base * this.lrLambdas[i]!(this.lastEpoch));
  }
}

/** The learning rate before times a function of the step. */
export class MultiplicativeLR extends LRScheduler {
  lrLambdas: LrLambda[];

  constructor(optimizer: ScheduledOptimizer, lrLambda: LrLambda | LrLambda[], options?: LastEpochOption);
  constructor(optimizer: ScheduledOptimizer, options: LambdaLROptions & LastEpochOption);
  constructor(...args: unknown[]) {
    const { optimizer, lrLambda, lastEpoch } = bind<Given<LambdaLROptions>>(
      "MultiplicativeLR.__init__",
      ["!optimizer", "!lrLambda", "lastEpoch"],
      args,
    );
    super(optimizer, lastEpoch);
    this.lrLambdas = lambdasFor(optimizer, lrLambda);
    this.start();
  }

  override getLr(): number[] {
    if (this.isInitial) return this.currentLrs;
    return this.currentLrs.map((lr, i) => lr * this.lrLambdas[i]!(this.lastEpoch));
  }
}

function lambdasFor(optimizer: ScheduledOptimizer, lrLambda: LrLambda | LrLambda[]): LrLambda[] {
  if (Array.isArray(lrLambda) && lrLambda.length !== optimizer.paramGroups.length) {
    throw new ValueError(`Expected ${optimizer.paramGroups.length} lr_lambdas, but got ${lrLambda.length}`);
  }
  return perGroup<LrLambda>("lr_lambda", optimizer, lrLambda);
}

export interface GammaOption extends LastEpochOption {
  /** The factor. Default 0.1. */
  gamma?: number;
}

/** Times gamma every `stepSize` steps. https://docs.pytorch.org/docs/2.13/generated/torch.optim.lr_scheduler.StepLR.html */
export class StepLR extends LRScheduler {
  stepSize: number;
  gamma: number;

  constructor(optimizer: ScheduledOptimizer, stepSize: number, options?: GammaOption);
  constructor(optimizer: ScheduledOptimizer, options: { stepSize: number } & GammaOption);
  constructor(...args: unknown[]) {
    const {
      optimizer,
      stepSize,
      gamma = 0.1,
      lastEpoch,
    } = bind<Given<{ stepSize: number } & GammaOption>>(
      "StepLR.__init__",
      ["!optimizer", "!stepSize", "gamma", "lastEpoch"],
      args,
    );
    super(optimizer, lastEpoch);
    this.stepSize = stepSize;
    this.gamma = gamma;
    this.start();
  }

  override getLr(): number[] {
    if (this.lastEpoch === 0 || this.lastEpoch % this.stepSize !== 0) return this.currentLrs;
    return this.currentLrs.map((lr) => lr * this.gamma);
  }

  protected override closedFormLr(): number[] {
    return this.baseLrs.map((base) => base * this.gamma ** Math.floor(this.lastEpoch / this.stepSize));
  }
}

/** Times gamma at each of the milestones. https://docs.pytorch.org/docs/2.13/generated/torch.optim.lr_scheduler.MultiStepLR.html */
export class MultiStepLR extends LRScheduler {
  milestones: number[];
  gamma: number;

  constructor(optimizer: ScheduledOptimizer, milestones: readonly number[], options?: GammaOption);
  constructor(optimizer: ScheduledOptimizer, options: { milestones: readonly number[] } & GammaOption);
  constructor(...args: unknown[]) {
    const {
      optimizer,
      milestones,
      gamma = 0.1,
      lastEpoch,
    } = bind<Given<{ milestones: readonly number[] } & GammaOption>>(
      "MultiStepLR.__init__",
      ["!optimizer", "!milestones", "gamma", "lastEpoch"],
      args,
    );
    super(optimizer, lastEpoch);
    this.milestones = [...milestones].sort((a, b) => a - b);
    this.gamma = gamma;
    this.start();
  }

  override getLr(): number[] {
    const times = this.milestones.filter((milestone) => milestone === this.lastEpoch).length;
    return times === 0 ? this.currentLrs : this.currentLrs.map((lr) => lr * this.gamma ** times);
  }

  protected override closedFormLr(): number[] {
    const times = this.milestones.filter((milestone) => milestone <= this.lastEpoch).length;
    return this.baseLrs.map((base) => base * this.gamma ** times);
  }
}

export interface ConstantLROptions extends LastEpochOption {
  /** The factor until `totalIters`. Default 1 / 3. */
  factor?: number;
  /** How many steps the factor holds. Default 5. */
  totalIters?: number;
}

/** A smaller learning rate for the first steps. */
export class ConstantLR extends LRScheduler {
  factor: number;
  totalIters: number;

  constructor(optimizer: ScheduledOptimizer, options?: ConstantLROptions);
  constructor(...args: unknown[]) {
    const {
      optimizer,
      factor = 1 / 3,
      totalIters = 5,
      lastEpoch,
    } = bind<Given<ConstantLROptions>>(
      "ConstantLR.__init__",
      ["!optimizer", "factor", "totalIters", "lastEpoch"],
      args,
    );
    if (factor > 1 || factor < 0) {
      throw new ValueError("Constant multiplicative factor expected to be between 0 and 1.");
    }
    super(optimizer, lastEpoch);
    this.factor = factor;
    this.totalIters = totalIters;
    this.start();
  }

  override getLr(): number[] {
    if (this.lastEpoch === 0) return this.currentLrs.map((lr) => lr * this.factor);
    if (this.lastEpoch !== this.totalIters) return this.currentLrs;
    return this.currentLrs.map((lr) => lr * (1 / this.factor));
  }

  protected override closedFormLr(): number[] {
    const factor = this.factor + (this.lastEpoch >= this.totalIters ? 1 - this.factor : 0);
    return this.baseLrs.map((base) => base * factor);
  }
}

export interface LinearLROptions extends LastEpochOption {
  /** The factor of the first step. Default 1 / 3. */
  startFactor?: number;
  /** The factor from `totalIters` on. Default 1. */
  endFactor?: number;
  /** How many steps the way takes. Default 5. */
  totalIters?: number;
}

/** A factor that goes straight from one value to another. */
export class LinearLR extends LRScheduler {
  startFactor: number;
  endFactor: number;
  totalIters: number;

  constructor(optimizer: ScheduledOptimizer, options?: LinearLROptions);
  constructor(...args: unknown[]) {
    const {
      optimizer,
      startFactor = 1 / 3,
      endFactor = 1,
      totalIters = 5,
      lastEpoch,
    } = bind<Given<LinearLROptions>>(
      "LinearLR.__init__",
      ["!optimizer", "startFactor", "endFactor", "totalIters", "lastEpoch"],
      args,
    );
    if (startFactor > 1 || startFactor <= 0) {
      throw new ValueError("Starting multiplicative factor expected to be greater than 0 and less or equal to 1.");
    }
    if (endFactor > 1 || endFactor < 0) {
      throw new ValueError("Ending multiplicative factor expected to be between 0 and 1.");
    }
    super(optimizer, lastEpoch);
    this.startFactor = startFactor;
    this.endFactor = endFactor;
    this.totalIters = totalIters;
    this.start();
  }

  override getLr(): number[] {
    const { lastEpoch, totalIters, startFactor, endFactor } = this;
    if (lastEpoch === 0) return this.currentLrs.map((lr) => lr * startFactor);
    if (this.isInitial || lastEpoch > totalIters) return this.currentLrs;
    const slope = endFactor - startFactor;
    return this.currentLrs.map((lr) => lr * (1 + slope / (totalIters * startFactor + (lastEpoch - 1) * slope)));
  }

  protected override closedFormLr(): number[] {
    const { lastEpoch, totalIters, startFactor, endFactor } = this;
    const factor = startFactor + ((endFactor - startFactor) * Math.min(totalIters, lastEpoch)) / totalIters;
    return this.baseLrs.map((base) => base * factor);
  }
}

/** Times gamma in every step. https://docs.pytorch.org/docs/2.13/generated/torch.optim.lr_scheduler.ExponentialLR.html */
export class ExponentialLR extends LRScheduler {
  gamma: number;

  constructor(optimizer: ScheduledOptimizer, gamma: number, options?: LastEpochOption);
  constructor(optimizer: ScheduledOptimizer, options: { gamma: number } & LastEpochOption);
  constructor(...args: unknown[]) {
    const { optimizer, gamma, lastEpoch } = bind<Given<{ gamma: number }>>(
      "ExponentialLR.__init__",
      ["!optimizer", "!gamma", "lastEpoch"],
      args,
    );
    super(optimizer, lastEpoch);
    this.gamma = gamma;
    this.start();
  }

  override getLr(): number[] {
    return this.isInitial ? this.currentLrs : this.currentLrs.map((lr) => lr * this.gamma);
  }

  protected override closedFormLr(): number[] {
    return this.baseLrs.map((base) => base * this.gamma ** this.lastEpoch);
  }
}

export interface PolynomialLROptions extends LastEpochOption {
  /** Steps until the learning rate is 0. Default 5. */
  totalIters?: number;
  /** Power of the falling line. Default 1. */
  power?: number;
}

/** Falls to 0 like a power of the steps that are left. */
export class PolynomialLR extends LRScheduler {
  totalIters: number;
  power: number;

  constructor(optimizer: ScheduledOptimizer, options?: PolynomialLROptions);
  constructor(...args: unknown[]) {
    const {
      optimizer,
      totalIters = 5,
      power = 1,
      lastEpoch,
    } = bind<Given<PolynomialLROptions>>(
      "PolynomialLR.__init__",
      ["!optimizer", "totalIters", "power", "lastEpoch"],
      args,
    );
    super(optimizer, lastEpoch);
    this.totalIters = totalIters;
    this.power = power;
    this.start();
  }

  override getLr(): number[] {
    const { lastEpoch, totalIters, power } = this;
    if (this.isInitial || lastEpoch > totalIters) return this.currentLrs;
    const decay = ((1 - lastEpoch / totalIters) / (1 - (lastEpoch - 1) / totalIters)) ** power;
    return this.currentLrs.map((lr) => lr * decay);
  }

  protected override closedFormLr(): number[] {
    const left = 1 - Math.min(this.totalIters, this.lastEpoch) / this.totalIters;
    return this.baseLrs.map((base) => base * left ** this.power);
  }
}
