/** What all optimizers share. https://docs.pytorch.org/docs/2.13/optim.html */
import { enableGrad, noGrad } from "../autograd/mode.ts";
import { isOptions, snakeCase } from "../core/arguments.ts";
import { float32 } from "../core/dtype.ts";
import { TypeError, ValueError } from "../core/errors.ts";
import { floatRepr, numberRepr } from "../core/number_text.ts";
import { repr } from "../core/print.ts";
import { pythonTypeName, Tensor } from "../core/tensor.ts";
import { warn } from "../core/warnings.ts";
import type { HookOptions, RemovableHandle } from "../nn/hooks.ts";
import { tensor } from "../ops/creation.ts";

/** What a learning rate scheduler may note in a group beside its options. */
export interface ScheduledOptions {
  lr: number;
  /** The learning rate that a scheduler starts from. */
  initialLr?: number;
}

export type ParamGroup<O> = { params: Tensor[]; paramNames?: string[] } & O & { initialLr?: number };

/** A parameter, or one with its name, as `model.namedParameters()` gives them. */
export type NamedParam = readonly [name: string, param: Tensor];

/** A group as it is given: parameters, and the options in which it differs. */
export type GivenGroup<O> = { params: Iterable<Tensor> | Iterable<NamedParam> | Tensor } & Partial<O>;

/** Parameters, with or without names, or groups of them with options of their own. */
export type Params<O> = Iterable<Tensor> | Iterable<NamedParam> | Iterable<GivenGroup<O>>;

/** What an optimizer can remember under one name. */
export type StateValue = Tensor | number | null | StateValue[];

/** What an optimizer remembers of one parameter, by name: `momentumBuffer`, `expAvg`, … */
export type ParamState = Record<string, StateValue>;

/** An optimizer's memory with parameters as numbers, in the order of the groups. */
export interface OptimizerStateDict {
  state: Record<number, ParamState>;
  paramGroups: ({ params: number[] } & Record<string, unknown>)[];
}

/** Options that PyTorch has for speed only; they change no result here, but print as PyTorch's. */
export interface ImplementationOptions {
  /** Accepted, without effect: there is one implementation. Default null. */
  foreach: boolean | null;
  /** Accepted, without effect. Default false. */
  differentiable: boolean;
}

/** Called before a step with what it was called with; what it returns, if anything, is used instead. */
export type StepPreHook<P> = (optimizer: P, args: StepArguments) => unknown;
/** Called after a step. */
export type StepPostHook<P> = (optimizer: P, args: StepArguments) => void;
export type StepArguments = [closure?: () => Tensor];
/** Sees a state dict before it is loaded or after it was made; what it returns, if anything, is used instead. */
export type StateDictHook<P> = (optimizer: P, stateDict: OptimizerStateDict) => unknown;

/** Hooks in the order in which they are called. */
class Hooks<H> {
  readonly #hooks: H[] = [];

  add(hook: H, prepend = false): RemovableHandle {
    if (prepend) this.#hooks.unshift(hook);
    else this.#hooks.push(hook);
    return {
      remove: () => {
        const at = this.#hooks.indexOf(hook);
        if (at >= 0) this.#hooks.splice(at, 1);
      },
    };
  }

  [Symbol.iterator](): Iterator<H> {
    return [...this.#hooks][Symbol.iterator]();
  }
}

/** Python prints these as floats, whatever JavaScript thinks of 1.0. */
const FLOATS = new Set([
  ...["lr", "initialLr", "maxLr", "minLr", "eps", "betas", "rho", "alpha", "etas", "t0", "lambd"],
  ...["toleranceGrad", "toleranceChange"],
]);

/** Updates parameters from their gradients. `O` are the options a group may have. */
export abstract class Optimizer<O extends object = ScheduledOptions> {
  /** The parameters with their options; a change of `paramGroups[0].lr` counts from the next step on. */
  paramGroups: ParamGroup<O>[] = [];
  /** The options of a group that names none. */
  readonly defaults: O;
  /** What is remembered of each parameter. */
  readonly state = new Map<Tensor, ParamState>();
  /** Whether `step` has been called: a scheduler's `step` belongs after it. */
  stepCalled = false;
  readonly #stepPreHooks = new Hooks<StepPreHook<this>>();
  readonly #stepPostHooks = new Hooks<StepPostHook<this>>();
  readonly #statePreHooks = new Hooks<(optimizer: this) => void>();
  readonly #statePostHooks = new Hooks<StateDictHook<this>>();
  readonly #loadPreHooks = new Hooks<StateDictHook<this>>();
  readonly #loadPostHooks = new Hooks<(optimizer: this) => void>();

  constructor(params: Params<O>, defaults: O) {
    this.defaults = defaults;
    if (params instanceof Tensor) {
      throw new TypeError(
        "params argument given to the optimizer should be an iterable of Tensors or dicts, but got torch.FloatTensor",
        { hint: "pass model.parameters(), or [tensor]" },
      );
    }
    const list = [...params] as (Tensor | NamedParam | GivenGroup<O>)[];
    if (list.length === 0) throw new ValueError("optimizer got an empty parameter list");
    if (isOptions(list[0])) for (const group of list) this.addParamGroup(group as GivenGroup<O>);
    else this.addParamGroup({ params: list } as unknown as GivenGroup<O>);
  }

  /**
   * Adds parameters with options of their own; what they leave out is the optimizer's.
   * @throws TypeError for what is no group or no tensor; ValueError for a tensor that was computed, a parameter that
   *   another group has, or names for some only
   */
  addParamGroup(group: GivenGroup<O>): void {
    if (!isOptions(group)) {
      throw new TypeError(
        `param_group must be a dict, but got <class '${(group as unknown) instanceof Tensor ? "torch.Tensor" : pythonTypeName(group)}'>`,
      );
    }
    const { params: given, ...options } = group;
    if (given instanceof Set) {
      throw new TypeError(
        "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets will change between runs. Please use a list instead.",
      );
    }
    const { params, paramNames } = namesApart(given instanceof Tensor ? [given] : [...given]);
    for (const param of params) {
      if (!(param instanceof Tensor))
        throw new TypeError(`optimizer can only optimize Tensors, but one of the params is ${pythonTypeName(param)}`);
      if (!param.isLeaf && !(this.defaults as { differentiable?: boolean }).differentiable) {
        throw new ValueError("can't optimize a non-leaf Tensor");
      }
    }
    if (new Set(params).size < params.length) {
      warn("optimizer contains a parameter group with duplicate parameters; in future, this will cause an error");
    }
    if (this.paramGroups.some((other) => (other.paramNames === undefined) !== (paramNames === undefined))) {
      throw new ValueError(
        `all optimizer param groups should be with/without names. cannot add param group ${paramNames ? "with" : "without"} names to the optimizer`,
      );
    }
    if (this.paramGroups.some((other) => other.params.some((param) => params.includes(param)))) {
      throw new ValueError("some parameters appear in more than one parameter group");
    }
    const left = Object.entries(this.defaults).filter(([name]) => !(name in options));
    this.paramGroups.push({
      params,
      ...options,
      ...(paramNames && { paramNames }),
      ...Object.fromEntries(left),
    } as unknown as ParamGroup<O>);
  }

  /** Forgets the gradients: sets them to null, or with `setToNone: false` to zero. */
  zeroGrad({ setToNone = true }: { setToNone?: boolean } = {}): void {
    for (const { params } of this.paramGroups) {
      for (const param of params) {
        if (setToNone) param.grad = null;
        else if (param.grad) {
          param.grad.detach_();
          param.grad.zero_();
        }
      }
    }
  }

  /**
   * Updates every parameter that has a gradient.
   * @param closure evaluates the model anew and returns the loss, which step returns
   */
  step(closure?: () => Tensor): Tensor | null {
    this.stepCalled = true;
    let args: StepArguments = closure ? [closure] : [];
    for (const hook of this.#stepPreHooks) args = (hook(this, args) ?? args) as StepArguments;
    const loss = this.run(args[0]);
    for (const hook of this.#stepPostHooks) hook(this, args);
    return loss;
  }

  /** One step, without the hooks. */
  protected run(closure?: () => Tensor): Tensor | null {
    const loss = closure ? enableGrad(closure) : null;
    noGrad(() => {
      for (const group of this.paramGroups) {
        for (const param of group.params) if (param.grad) this.update(param, param.grad, group);
      }
    });
    return loss;
  }

  /** Calls `hook` before every step. */
  registerStepPreHook(hook: StepPreHook<this>): RemovableHandle {
    return this.#stepPreHooks.add(hook);
  }

  /** Calls `hook` after every step. */
  registerStepPostHook(hook: StepPostHook<this>): RemovableHandle {
    return this.#stepPostHooks.add(hook);
  }

  /** Calls `hook` before a state dict is made. */
  registerStateDictPreHook(hook: (optimizer: this) => void, { prepend }: HookOptions = {}): RemovableHandle {
    return this.#statePreHooks.add(hook, prepend);
  }

  /** Calls `hook` with every state dict that was made; what it returns, if anything, is given out instead. */
  registerStateDictPostHook(hook: StateDictHook<this>, { prepend }: HookOptions = {}): RemovableHandle {
    return this.#statePostHooks.add(hook, prepend);
  }

  /** Calls `hook` with every state dict that is about to be loaded; what it returns, if anything, is loaded instead. */
  registerLoadStateDictPreHook(hook: StateDictHook<this>, { prepend }: HookOptions = {}): RemovableHandle {
    return this.#loadPreHooks.add(hook, prepend);
  }

  /** Calls `hook` after a state dict has been loaded. */
  registerLoadStateDictPostHook(hook: (optimizer: this) => void, { prepend }: HookOptions = {}): RemovableHandle {
    return this.#loadPostHooks.add(hook, prepend);
  }

  /** Everything needed to go on later: what is remembered of each parameter, and the groups' options. */
  stateDict(): OptimizerStateDict {
    for (const hook of this.#statePreHooks) hook(this);
    let stateDict = this.#packed();
    for (const hook of this.#statePostHooks) stateDict = (hook(this, stateDict) ?? stateDict) as OptimizerStateDict;
    return stateDict;
  }

  #packed(): OptimizerStateDict {
    const indices = new Map<Tensor, number>();
    const paramGroups = this.paramGroups.map((group) => {
      for (const param of group.params) if (!indices.has(param)) indices.set(param, indices.size);
      const { params: _, ...options } = group;
      return { ...options, params: group.params.map((param) => indices.get(param)!) };
    });
    const state: Record<number, ParamState> = {};
    for (const [param, remembered] of this.state) {
      const index = indices.get(param);
      if (index !== undefined) state[index] = { ...remembered };
    }
    return { state, paramGroups };
  }

  /**
   * Goes on from what `stateDict` gave, of an optimizer over as many parameters in groups of the same sizes. Tensors are
   * copied, floating ones in the parameter's dtype.
   * @throws ValueError where the groups differ in number or size
   */
  loadStateDict(stateDict: OptimizerStateDict): void {
    let given = { ...stateDict };
    for (const hook of this.#loadPreHooks) given = (hook(this, given) ?? given) as OptimizerStateDict;
    const saved = given.paramGroups;
    if (saved.length !== this.paramGroups.length) {
      throw new ValueError("loaded state dict has a different number of parameter groups");
    }
    if (saved.some((group, i) => group.params.length !== this.paramGroups[i]!.params.length)) {
      throw new ValueError(
        "loaded state dict contains a parameter group that doesn't match the size of optimizer's group",
      );
    }
    const paramOf = new Map<number, Tensor>();
    saved.forEach((group, i) => {
      for (const [j, index] of group.params.entries()) paramOf.set(index, this.paramGroups[i]!.params[j]!);
    });
    this.state.clear();
    for (const [index, remembered] of Object.entries(given.state)) {
      const param = paramOf.get(Number(index));
      if (!param) continue;
      const copies = Object.entries(remembered).map(([name, value]) => [name, copyFor(param, name, value)]);
      this.state.set(param, Object.fromEntries(copies) as ParamState);
    }
    this.paramGroups = saved.map((group, i) => {
      const { params, paramNames } = this.paramGroups[i]!;
      return { ...(paramNames && { paramNames }), ...structuredClone(group), params } as unknown as ParamGroup<O>;
    });
    for (const hook of this.#loadPostHooks) hook(this);
  }

  /** The groups' options, as PyTorch prints them. */
  toString(): string {
    const groups = this.paramGroups.map((group, i) => {
      const options = Object.entries(group)
        .filter(([name]) => name !== "params")
        .map(([name, value]) => [snakeCase(name), optionText(name, value)] as const)
        .sort(([a], [b]) => (a < b ? -1 : 1));
      return `\nParameter Group ${i}\n${options.map(([name, text]) => `    ${name}: ${text}\n`).join("")}`;
    });
    return `${this.constructor.name} (${groups.join("")})`;
  }

  /** What is remembered of a parameter; made at its first step. */
  protected remembered<S extends Record<string, Tensor>>(param: Tensor, create: () => S): S {
    let state = this.state.get(param);
    if (!state) {
      state = create();
      this.state.set(param, state);
    }
    return state as S;
  }

  /** One parameter's step, in place, with gradients off. */
  protected abstract update(param: Tensor, grad: Tensor, group: ParamGroup<O>): void;
}

/** Parameters and, where they came with them, their names. @throws ValueError where only some did */
function namesApart(given: readonly (Tensor | NamedParam)[]): { params: Tensor[]; paramNames?: string[] } {
  const named = given.filter((item) => Array.isArray(item)) as unknown as NamedParam[];
  if (named.length === 0) return { params: given as Tensor[] };
  if (named.length < given.length) {
    throw new ValueError("all optimizer params should be with/without names. Some param names are missing");
  }
  return { params: named.map(([, param]) => param), paramNames: named.map(([name]) => name) };
}

/** The step count stays float32; the rest follows its parameter. */
function copyFor(param: Tensor, name: string, value: StateValue): StateValue {
  if (Array.isArray(value)) return value.map((item) => copyFor(param, "", item));
  if (!(value instanceof Tensor)) return value;
  const copy = value.detach().clone();
  return name !== "step" && param.dtype.isFloatingPoint && copy.dtype !== param.dtype ? copy.to(param.dtype) : copy;
}

function optionText(name: string, value: unknown): string {
  if (typeof value === "number") return FLOATS.has(name) ? floatRepr(value) : numberRepr(value);
  if (Array.isArray(value)) return `(${value.map((item) => optionText(name, item)).join(", ")})`;
  return typeof value === "string" ? value : repr(value);
}

/** A count or product that is kept as a tensor without dimensions, as in PyTorch. */
export function counter(start = 0): Tensor {
  return tensor(start, { dtype: float32 });
}

/** Counts one step. @returns the number of steps so far */
export function countStep(step: Tensor): number {
  const { data } = step.storage;
  data[step.offset]! += 1;
  step.changes.version++;
  return data[step.offset]!;
}

/** @throws ValueError unless `value` is at least 0. NaN is refused, too. */
export function requireNonNegative(what: string, value: number, isFloat = true): void {
  if (!(value >= 0)) throw new ValueError(`Invalid ${what}: ${isFloat ? floatRepr(value) : numberRepr(value)}`);
}

/** @throws ValueError unless both lie in [0, 1) */
export function requireBetas(betas: readonly [number, number]): void {
  betas.forEach((beta, i) => {
    if (!(beta >= 0 && beta < 1)) throw new ValueError(`Invalid beta parameter at index ${i}: ${floatRepr(beta)}`);
  });
}
