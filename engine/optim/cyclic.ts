/** Schedules that rise and fall. */
import { bind } from "../core/arguments.ts";
import { ValueError } from "../core/errors.ts";
import { numberRepr } from "../core/number_text.ts";
import {
  groupsOf,
  type LastEpochOption,
  LRScheduler,
  perGroup,
  requireOptimizer,
  type ScheduledGroup,
  type ScheduledOptimizer,
} from "./scheduler.ts";

type Given<O> = { optimizer: ScheduledOptimizer } & O & LastEpochOption;

export interface EtaMinOption extends LastEpochOption {
  /** The smallest learning rate. Default 0. */
  etaMin?: number;
}

/** Half a cosine down in `TMax` steps, and up again. https://docs.pytorch.org/docs/2.13/generated/torch.optim.lr_scheduler.CosineAnnealingLR.html */
export class CosineAnnealingLR extends LRScheduler {
  TMax: number;
  etaMin: number;

  constructor(optimizer: ScheduledOptimizer, TMax: number, options?: EtaMinOption);
  constructor(optimizer: ScheduledOptimizer, options: { TMax: number } & EtaMinOption);
  constructor(...args: unknown[]) {
    const {
      optimizer,
      TMax,
      etaMin = 0,
      lastEpoch,
    } = bind<Given<{ TMax: number } & EtaMinOption>>(
      "CosineAnnealingLR.__init__",
      ["!optimizer", "!TMax", "etaMin", "lastEpoch"],
      args,
    );
    super(optimizer, lastEpoch);
    this.TMax = TMax;
    this.etaMin = etaMin;
    this.start();
  }

  override getLr(): number[] {
    const { lastEpoch, TMax, etaMin } = this;
    if (this.isInitial) return this.currentLrs;
    if (this.stepCount === 1 && lastEpoch > 0) return this.closedFormLr();
    // At the turning points the quotient below would divide by zero.
    const sinceTurn = lastEpoch - 1 - TMax;
    if (sinceTurn % (2 * TMax) === 0) {
      return this.currentLrs.map((lr, i) => lr + ((this.baseLrs[i]! - etaMin) * (1 - Math.cos(Math.PI / TMax))) / 2);
    }
    const now = 1 + Math.cos((Math.PI * lastEpoch) / TMax);
    const before = 1 + Math.cos((Math.PI * (lastEpoch - 1)) / TMax);
    return this.currentLrs.map((lr) => (now / before) * (lr - etaMin) + etaMin);
  }

  protected override closedFormLr(): number[] {
    const { lastEpoch, TMax, etaMin } = this;
    return this.baseLrs.map((base) => etaMin + ((base - etaMin) * (1 + Math.cos((Math.PI * lastEpoch) / TMax))) / 2);
  }
}

export interface WarmRestartsOptions extends EtaMinOption {
  /** By how much each period is longer than the one before. Default 1. */
  TMult?: number;
}

/** Half a cosine down, then from the top again. https://docs.pytorch.org/docs/2.13/generated/torch.optim.lr_scheduler.CosineAnnealingWarmRestarts.html */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  /** Steps of the first period. */
  T0: number;
  TMult: number;
  etaMin: number;
  /** Steps of the present period. */
  Ti: number;
  /** Steps since its beginning. */
  TCur: number;

  constructor(optimizer: ScheduledOptimizer, T0: number, options?: WarmRestartsOptions);
  constructor(optimizer: ScheduledOptimizer, options: { T0: number } & WarmRestartsOptions);
  constructor(...args: unknown[]) {
    const {
      optimizer,
      T0,
      TMult = 1,
      etaMin = 0,
      lastEpoch = -1,
    } = bind<Given<{ T0: number } & WarmRestartsOptions>>(
      "CosineAnnealingWarmRestarts.__init__",
      ["!optimizer", "!T0", "TMult", "etaMin", "lastEpoch"],
      args,
    );
    if (T0 <= 0 || !Number.isInteger(T0)) {
      throw new ValueError(`Expected positive integer T_0, but got ${numberRepr(T0)}`);
    }
    if (TMult < 1 || !Number.isInteger(TMult)) {
      throw new ValueError(`Expected integer T_mult >= 1, but got ${numberRepr(TMult)}`);
    }
    super(optimizer, lastEpoch);
    this.T0 = T0;
    this.Ti = T0;
    this.TMult = TMult;
    this.etaMin = etaMin;
    this.TCur = lastEpoch;
    this.start();
  }

  override getLr(): number[] {
    const { etaMin, TCur, Ti } = this;
    return this.baseLrs.map((base) => etaMin + ((base - etaMin) * (1 + Math.cos((Math.PI * TCur) / Ti))) / 2);
  }

  /** Goes on by one step, or straight to `epoch`, which may have a fraction. */
  override step(epoch?: number | null): void {
    const { T0, TMult } = this;
    const target = epoch ?? (this.lastEpoch < 0 ? 0 : null);
    if (target === null) {
      this.lastEpoch++;
      this.TCur++;
      if (this.TCur >= this.Ti) {
        this.TCur %= this.Ti;
        this.Ti *= TMult;
      }
    } else {
      if (target < 0) throw new ValueError(`Expected non-negative epoch, but got ${numberRepr(target)}`);
      if (target < T0) {
        this.Ti = T0;
        this.TCur = target;
      } else if (TMult === 1) this.TCur = target % T0;
      else {
        const period = Math.trunc(Math.log((target / T0) * (TMult - 1) + 1) / Math.log(TMult));
        this.TCur = target - (T0 * (TMult ** period - 1)) / (TMult - 1);
        this.Ti = T0 * TMult ** period;
      }
      this.lastEpoch = Math.floor(target);
    }
    this.setLrs(this.getLr());
  }

  override updateLr(epoch: number | null = null): void {
    this.step(epoch);
  }
}

/** Puts a momentum where the optimizer keeps it: `momentum`, or the first of its `betas`. */
function setMomentum(group: ScheduledGroup, momentum: number): void {
  if (Array.isArray(group.betas)) group.betas = [momentum, ...(group.betas as number[]).slice(1)];
  else group.momentum = momentum;
}

function requireMomentum(optimizer: ScheduledOptimizer): void {
  if ("momentum" in optimizer.defaults || "betas" in optimizer.defaults) return;
  throw new ValueError("optimizer must support momentum or beta1 with `cycle_momentum` option enabled");
}

interface MomentumOptions {
  /** Moves the momentum against the learning rate. Default true. */
  cycleMomentum?: boolean;
  /** Smallest momentum. Default 0.85; 0.8 for CyclicLR. */
  baseMomentum?: number | number[];
  /** Largest momentum. Default 0.95; 0.9 for CyclicLR. */
  maxMomentum?: number | number[];
}

export interface OneCycleLROptions extends MomentumOptions, LastEpochOption {
  /** Length of the cycle. Default: `epochs` times `stepsPerEpoch`. */
  totalSteps?: number | null;
  /** How many epochs there are. Default null: `totalSteps` tells. */
  epochs?: number | null;
  /** How many steps each of them has. Default null: `totalSteps` tells. */
  stepsPerEpoch?: number | null;
  /** Share of the cycle in which the learning rate rises. Default 0.3. */
  pctStart?: number;
  /** Default "cos". */
  annealStrategy?: "cos" | "linear";
  /** How many times smaller the first learning rate is than the largest. Default 25. */
  divFactor?: number;
  /** How many times smaller the last is than the first. Default 1e4. */
  finalDivFactor?: number;
  /** Falls to the first learning rate before it vanishes. Default false. */
  threePhase?: boolean;
}

interface Phase {
  endStep: number;
  lr: readonly [start: string, end: string];
  momentum: readonly [start: string, end: string];
}

/** Up once and down to almost nothing. https://docs.pytorch.org/docs/2.13/generated/torch.optim.lr_scheduler.OneCycleLR.html */
export class OneCycleLR extends LRScheduler {
  totalSteps: number;
  cycleMomentum: boolean;
  annealStrategy: "cos" | "linear";
  protected phases: Phase[];

  constructor(optimizer: ScheduledOptimizer, maxLr: number | number[], options?: OneCycleLROptions);
  constructor(optimizer: ScheduledOptimizer, options: { maxLr: number | number[] } & OneCycleLROptions);
  constructor(...args: unknown[]) {
    const given = bind<Given<{ maxLr: number | number[] } & OneCycleLROptions>>(
      "OneCycleLR.__init__",
      [
        "!optimizer",
        "!maxLr",
        "totalSteps",
        "epochs",
        "stepsPerEpoch",
        "pctStart",
        "annealStrategy",
        "cycleMomentum",
        "baseMomentum",
        "maxMomentum",
        "divFactor",
        "finalDivFactor",
        "threePhase",
        "lastEpoch",
      ],
      args,
    );
    const { optimizer, pctStart = 0.3, annealStrategy = "cos", cycleMomentum = true, lastEpoch = -1 } = given;
    requireOptimizer(optimizer);
    const totalSteps = stepsOf(given);
    if (!(pctStart >= 0 && pctStart <= 1)) {
      throw new ValueError(`Expected float between 0 and 1 pct_start, but got ${numberRepr(pctStart)}`);
    }
    if (annealStrategy !== "cos" && annealStrategy !== "linear") {
      throw new ValueError(`anneal_strategy must be one of 'cos' or 'linear', instead got ${annealStrategy}`);
    }
    if (cycleMomentum) requireMomentum(optimizer);
    if (lastEpoch === -1) prepareGroups(given, cycleMomentum);
    super(optimizer, lastEpoch);
    this.totalSteps = totalSteps;
    this.annealStrategy = annealStrategy;
    this.cycleMomentum = cycleMomentum;
    this.phases = phasesOf(totalSteps, pctStart, given.threePhase ?? false);
    this.start();
  }

  override getLr(): number[] {
    const { lastEpoch, totalSteps } = this;
    if (lastEpoch > totalSteps) {
      throw new ValueError(`Tried to step ${lastEpoch} times. The specified number of total steps is ${totalSteps}`);
    }
    const found = this.phases.findIndex(({ endStep }) => lastEpoch <= endStep);
    const index = found < 0 ? this.phases.length - 1 : found;
    const { endStep, lr, momentum } = this.phases[index]!;
    const startStep = index === 0 ? 0 : this.phases[index - 1]!.endStep;
    const share = (lastEpoch - startStep) / (endStep - startStep);
    return this.groups.map((group) => {
      const between = ([start, end]: readonly [string, string]) =>
        this.#anneal(group[start] as number, group[end] as number, share);
      if (this.cycleMomentum) setMomentum(group, between(momentum));
      return between(lr);
    });
  }

  #anneal(start: number, end: number, share: number): number {
    if (this.annealStrategy === "linear") return (end - start) * share + start;
    return end + ((start - end) / 2) * (Math.cos(Math.PI * share) + 1);
  }
}

function stepsOf({ totalSteps, epochs, stepsPerEpoch }: OneCycleLROptions): number {
  const positive = (name: string, value: number): number => {
    if (value > 0 && Number.isInteger(value)) return value;
    throw new ValueError(`Expected positive integer ${name}, but got ${numberRepr(value)}`);
  };
  if (totalSteps != null) return positive("total_steps", totalSteps);
  if (epochs != null && stepsPerEpoch != null) {
    return positive("epochs", epochs) * positive("steps_per_epoch", stepsPerEpoch);
  }
  throw new ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)");
}

function prepareGroups(given: Given<{ maxLr: number | number[] } & OneCycleLROptions>, cycleMomentum: boolean): void {
  const { optimizer, maxLr, divFactor = 25, finalDivFactor = 1e4, baseMomentum = 0.85, maxMomentum = 0.95 } = given;
  const maxLrs = perGroup("max_lr", optimizer, maxLr);
  const largest = perGroup("max_momentum", optimizer, maxMomentum);
  const smallest = perGroup("base_momentum", optimizer, baseMomentum);
  groupsOf(optimizer).forEach((group, i) => {
    group.initialLr = maxLrs[i]! / divFactor;
    group.maxLr = maxLrs[i]!;
    group.minLr = group.initialLr / finalDivFactor;
    if (cycleMomentum) startMomentum(group, smallest[i]!, largest[i]!);
  });
}

function startMomentum(group: ScheduledGroup, smallest: number, largest: number): void {
  setMomentum(group, largest);
  group.maxMomentum = largest;
  group.baseMomentum = smallest;
}

function phasesOf(totalSteps: number, pctStart: number, threePhase: boolean): Phase[] {
  const up: Phase = {
    endStep: pctStart * totalSteps - 1,
    lr: ["initialLr", "maxLr"],
    momentum: ["maxMomentum", "baseMomentum"],
  };
  const down = ["baseMomentum", "maxMomentum"] as const;
  const last = totalSteps - 1;
  if (!threePhase) return [up, { endStep: last, lr: ["maxLr", "minLr"], momentum: down }];
  return [
    up,
    { endStep: 2 * pctStart * totalSteps - 2, lr: ["maxLr", "initialLr"], momentum: down },
    { endStep: last, lr: ["initialLr", "minLr"], momentum: ["maxMomentum", "maxMomentum"] },
  ];
}

export interface CyclicLROptions extends MomentumOptions, LastEpochOption {
  /** Steps of the rise. Default 2000. */
  stepSizeUp?: number;
  /** Steps of the fall. Default: as many as of the rise. */
  stepSizeDown?: number | null;
  /** How the height changes: never, halved each cycle, or times gamma each step. Default "triangular". */
  mode?: "triangular" | "triangular2" | "exp_range";
  /** For "exp_range". Default 1. */
  gamma?: number;
  /** The height as a function of the cycle (from 1) or step; `mode` is then ignored. Default null. */
  scaleFn?: ((x: number) => number) | null;
  /** What `scaleFn` gets. Default "cycle". */
  scaleMode?: "cycle" | "iterations";
}

interface CyclicRange {
  baseLr: number | number[];
  maxLr: number | number[];
}

/** Up and down again and again. https://docs.pytorch.org/docs/2.13/generated/torch.optim.lr_scheduler.CyclicLR.html */
export class CyclicLR extends LRScheduler {
  maxLrs: number[];
  totalSize: number;
  stepRatio: number;
  cycleMomentum: boolean;
  scaleMode: "cycle" | "iterations";
  protected scaleFn: (x: number) => number;

  constructor(
    optimizer: ScheduledOptimizer,
    baseLr: number | number[],
    maxLr: number | number[],
    options?: CyclicLROptions,
  );
  constructor(optimizer: ScheduledOptimizer, options: CyclicRange & CyclicLROptions);
  constructor(...args: unknown[]) {
    const given = bind<Given<CyclicRange & CyclicLROptions>>(
      "CyclicLR.__init__",
      [
        "!optimizer",
        "!baseLr",
        "!maxLr",
        "stepSizeUp",
        "stepSizeDown",
        "mode",
        "gamma",
        "scaleFn",
        "scaleMode",
        "cycleMomentum",
        "baseMomentum",
        "maxMomentum",
        "lastEpoch",
      ],
      args,
    );
    const { optimizer, stepSizeUp = 2000, mode = "triangular", gamma = 1, scaleFn, lastEpoch = -1 } = given;
    requireOptimizer(optimizer);
    const baseLrs = perGroup("base_lr", optimizer, given.baseLr);
    const { cycleMomentum = true, baseMomentum = 0.8, maxMomentum = 0.9 } = given;
    if (!scaleFn && !["triangular", "triangular2", "exp_range"].includes(mode)) {
      throw new ValueError("mode is invalid and scale_fn is None");
    }
    if (cycleMomentum) requireMomentum(optimizer);
    const smallest = perGroup("base_momentum", optimizer, baseMomentum);
    const largest = perGroup("max_momentum", optimizer, maxMomentum);
    if (lastEpoch === -1) {
      groupsOf(optimizer).forEach((group, i) => {
        group.lr = baseLrs[i]!;
        if (cycleMomentum) startMomentum(group, smallest[i]!, largest[i]!);
      });
    }
    super(optimizer, lastEpoch);
    this.maxLrs = perGroup("max_lr", optimizer, given.maxLr);
    this.totalSize = stepSizeUp + (given.stepSizeDown ?? stepSizeUp);
    this.stepRatio = stepSizeUp / this.totalSize;
    this.cycleMomentum = cycleMomentum;
    this.scaleMode = scaleFn ? (given.scaleMode ?? "cycle") : mode === "exp_range" ? "iterations" : "cycle";
    this.scaleFn =
      scaleFn ??
      { triangular: () => 1, triangular2: (x: number) => 1 / 2 ** (x - 1), exp_range: (x: number) => gamma ** x }[mode];
    this.start();
    this.baseLrs = baseLrs;
  }

  override getLr(): number[] {
    const cycle = Math.floor(1 + this.lastEpoch / this.totalSize);
    const x = 1 + this.lastEpoch / this.totalSize - cycle;
    const rise = x <= this.stepRatio ? x / this.stepRatio : (x - 1) / (this.stepRatio - 1);
    const height = rise * this.scaleFn(this.scaleMode === "cycle" ? cycle : this.lastEpoch);
    return this.groups.map((group, i) => {
      const { maxMomentum, baseMomentum } = group as { maxMomentum?: number; baseMomentum?: number };
      if (this.cycleMomentum) setMomentum(group, maxMomentum! - (maxMomentum! - baseMomentum!) * height);
      return this.baseLrs[i]! + (this.maxLrs[i]! - this.baseLrs[i]!) * height;
    });
  }
}
