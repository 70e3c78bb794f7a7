/** Schedules made of schedules. */
import { bind } from "../core/arguments.ts";
import { AttributeError, TypeError, ValueError } from "../core/errors.ts";
import { pythonTypeName } from "../core/tensor.ts";
import { ReduceLROnPlateau } from "./plateau.ts";
import {
  groupsOf,
  type LastEpochOption,
  LRScheduler,
  type ScheduledOptimizer,
  type SchedulerStateDict,
} from "./scheduler.ts";

/** What a member can be: any schedule but ReduceLROnPlateau, whose step needs a metric. */
type Member = LRScheduler | SequentialLR | ChainedScheduler;

function checkMembers(name: string, optimizer: ScheduledOptimizer | undefined, members: readonly unknown[]): void {
  members.forEach((member, i) => {
    if (member instanceof ReduceLROnPlateau) {
      throw new ValueError(
        `${name} does not support \`ReduceLROnPlateau\` scheduler as it requires additional kwargs to be specified when calling \`step\`, but got one at index ${i} in the given schedulers sequence.`,
      );
    }
    if (!isMember(member)) throw new TypeError(`${name} at index ${i} should have \`optimizer\` as its attribute.`);
    if (member.optimizer !== optimizer) {
      throw new ValueError(
        `${name} expects all schedulers to belong to the same optimizer, but got scheduler ${member.constructor.name} at index ${i} has ${member.optimizer}, which is different from ${optimizer?.constructor.name}.`,
      );
    }
  });
}

function isMember(value: unknown): value is Member {
  return value instanceof LRScheduler || value instanceof SequentialLR || value instanceof ChainedScheduler;
}

/** Undoes the first step that every schedule takes when it is made. */
function undo(member: Member): void {
  if (member instanceof LRScheduler) member.lastEpoch--;
  else for (const inner of member.schedulers) undo(inner);
}

function stateOf({ schedulers }: { schedulers: readonly Member[] }): SchedulerStateDict {
  return { schedulers: schedulers.map((member) => member.stateDict()) };
}

function loadMembers({ schedulers }: { schedulers: readonly Member[] }, stateDict: SchedulerStateDict): void {
  const states = stateDict.schedulers as SchedulerStateDict[];
  schedulers.forEach((member, i) => {
    member.loadStateDict(states[i]!);
  });
}

export interface SequentialLROptions {
  /** The schedules, in the order in which they take over. */
  schedulers: Member[];
  /** The steps at which the next schedule takes over: one less than schedules. */
  milestones: number[];
}

/** One schedule after another. https://docs.pytorch.org/docs/2.13/generated/torch.optim.lr_scheduler.SequentialLR.html */
export class SequentialLR {
  optimizer: ScheduledOptimizer;
  schedulers: Member[];
  milestones: number[];
  lastEpoch: number;

  constructor(optimizer: ScheduledOptimizer, schedulers: Member[], milestones: number[], options?: LastEpochOption);
  constructor(optimizer: ScheduledOptimizer, options: SequentialLROptions & LastEpochOption);
  constructor(...args: unknown[]) {
    const {
      optimizer,
      schedulers,
      milestones,
      lastEpoch = -1,
    } = bind<{ optimizer: ScheduledOptimizer } & SequentialLROptions & LastEpochOption>(
      "SequentialLR.__init__",
      ["!optimizer", "!schedulers", "!milestones", "lastEpoch"],
      args,
    );
    if (schedulers.length < 1) {
      throw new ValueError("SequentialLR expects at least one scheduler, but got no scheduler.");
    }
    checkMembers("SequentialLR", optimizer, schedulers);
    if (milestones.length !== schedulers.length - 1) {
      throw new ValueError(
        `Sequential Schedulers expects number of schedulers provided to be one more than the number of milestone points, but got number of schedulers ${schedulers.length} and the number of milestones to be equal to ${milestones.length}`,
      );
    }
    this.optimizer = optimizer;
    this.schedulers = schedulers;
    this.milestones = milestones;
    this.lastEpoch = lastEpoch + 1;
    for (const group of groupsOf(optimizer)) group.lr = group.initialLr!;
    undo(this);
    const first = schedulers[this.#indexAt(0)]!;
    if (first instanceof LRScheduler) first.start();
  }

  #indexAt(epoch: number): number {
    return this.milestones.filter((milestone) => milestone <= epoch).length;
  }

  step(): void {
    this.lastEpoch++;
    const index = this.#indexAt(this.lastEpoch);
    const current = this.schedulers[index]!;
    const begins = index > 0 && this.milestones[index - 1] === this.lastEpoch;
    if (begins && current instanceof LRScheduler) current.updateLr(0);
    else current.step();
  }

  /** The learning rates now, one a group. */
  getLastLr(): number[] {
    return this.optimizer.paramGroups.map((group) => group.lr);
  }

  stateDict(): SchedulerStateDict {
    return { ...stateOf(this), milestones: [...this.milestones], lastEpoch: this.lastEpoch };
  }

  loadStateDict(stateDict: SchedulerStateDict): void {
    loadMembers(this, stateDict);
    this.milestones = [...(stateDict.milestones as number[])];
    this.lastEpoch = stateDict.lastEpoch as number;
  }
}

/** Several schedules at once. https://docs.pytorch.org/docs/2.13/generated/torch.optim.lr_scheduler.ChainedScheduler.html */
export class ChainedScheduler {
  optimizer: ScheduledOptimizer;
  schedulers: Member[];

  constructor(schedulers: Member[], options?: { optimizer?: ScheduledOptimizer | null });
  constructor(...args: unknown[]) {
    const { schedulers, optimizer } = bind<{ schedulers: Member[]; optimizer?: ScheduledOptimizer | null }>(
      "ChainedScheduler.__init__",
      ["!schedulers", "optimizer"],
      args,
    );
    if (schedulers.length < 1) {
      throw new ValueError("ChainedScheduler expects at least one scheduler to be chained, but got no scheduler.");
    }
    const [first] = schedulers;
    if (!optimizer && !isMember(first) && !((first as unknown) instanceof ReduceLROnPlateau)) {
      throw new AttributeError(`'${pythonTypeName(first)}' object has no attribute 'optimizer'`);
    }
    const owner = optimizer ?? first!.optimizer;
    checkMembers("ChainedScheduler", owner, schedulers);
    this.optimizer = owner;
    this.schedulers = schedulers;
  }

  step(): void {
    for (const scheduler of this.schedulers) scheduler.step();
  }

  /** The learning rates now, one a group. */
  getLastLr(): number[] {
    return this.optimizer.paramGroups.map((group) => group.lr);
  }

  stateDict(): SchedulerStateDict {
    return stateOf(this);
  }

  loadStateDict(stateDict: SchedulerStateDict): void {
    loadMembers(this, stateDict);
  }
}
