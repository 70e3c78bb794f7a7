/** What all optimizers share. https://docs.pytorch.org/docs/2.13/optim.html */
import { enableGrad, noGrad } from "../autograd/mode.ts";
import { isOptions, snakeCase } from "../core/arguments.ts";
import { float32 } from "../core/dtype.ts";
import { TypeError, ValueError } from "../core/errors.ts";
import { floatRepr, numberRepr } from "../core/number_text.ts";
import { repr } from "../core/print.ts";
import { pythonTypeName, Tensor } from "../core/tensor.ts";
import { tensor } from "../ops/creation.ts";

/** What a learning rate scheduler may note in a group beside its options. */
export interface ScheduledOptions {
  lr: number;
  /** The learning rate that a scheduler starts from. */
  initialLr?: number;
}

export type ParamGroup<O> = { params: Tensor[] } & O & { initialLr?: number };

/** Parameters, or groups of them with options of their own. */
export type Params<O> = Iterable<Tensor> | Iterable<{ params: Iterable<Tensor> | Tensor } & Partial<O>>;

/** What an optimizer remembers of one parameter, by name: `momentumBuffer`, `expAvg`, … */
export type ParamState = Record<string, Tensor>;

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

/** Python prints these as floats, whatever JavaScript thinks of 1.0. */
const FLOATS = new Set(["lr", "initialLr", "maxLr", "minLr", "eps", "betas", "rho", "alpha", "etas", "t0", "lambd"]);

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

  constructor(params: Params<O>, defaults: O) {
    this.defaults = defaults;
    if (params instanceof Tensor) {
      throw new TypeError(
        "params argument given to the optimizer should be an iterable of Tensors or dicts, but got torch.FloatTensor",
        { hint: "pass model.parameters(), or [tensor]" },
      );
    }
    const list = [...params] as (Tensor | ({ params: Iterable<Tensor> | Tensor } & Partial<O>))[];
    if (list.length === 0) throw new ValueError("optimizer got an empty parameter list");
    const grouped = isOptions(list[0]);
    if (!grouped) this.addParamGroup({ params: list as Tensor[] } as never);
    else for (const group of list) this.addParamGroup(group as { params: Iterable<Tensor> | Tensor } & Partial<O>);
  }

  /** Adds parameters with options of their own; what they leave out is the optimizer's. */
  addParamGroup(group: { params: Iterable<Tensor> | Tensor } & Partial<O>): void {
    const params = group.params instanceof Tensor ? [group.params] : [...group.params];
    for (const param of params) {
      if (!(param instanceof Tensor))
        throw new TypeError(`optimizer can only optimize Tensors, but one of the params is ${pythonTypeName(param)}`);
      if (!param.isLeaf) throw new ValueError("can't optimize a non-leaf Tensor");
      if (this.paramGroups.some((g) => g.params.includes(param))) {
        throw new ValueError("some parameters appear in more than one parameter group");
      }
    }
    this.paramGroups.push({ ...this.defaults, ...group, params } as ParamGroup<O>);
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
    const loss = closure ? enableGrad(closure) : null;
    noGrad(() => {
      for (const group of this.paramGroups) {
        for (const param of group.params) if (param.grad) this.update(param, param.grad, group);
      }
    });
    return loss;
  }

  /** Everything needed to go on later: what is remembered of each parameter, and the groups' options. */
  stateDict(): OptimizerStateDict {
    const indices = new Map<Tensor, number>();
    const paramGroups = this.paramGroups.map((group) => {
      for (const param of group.params) if (!indices.has(param)) indices.set(param, indices.size);
      const { params: _, ...options } = group;
      return { ...options, params: group.params.map((param) => indices.get(param)!) };
    });
    const state: Record<number, ParamState> = {};
    for (const [param, remembered] of this.state) state[indices.get(param)!] = { ...remembered };
    return { state, paramGroups };
  }

  /**
   * Goes on from what `stateDict` gave, of an optimizer over as many parameters in groups of the same sizes. Tensors are
   * copied, floating ones in the parameter's dtype.
   * @throws ValueError where the groups differ in number or size
   */
  loadStateDict(stateDict: OptimizerStateDict): void {
    const saved = stateDict.paramGroups;
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
    for (const [index, remembered] of Object.entries(stateDict.state)) {
      const param = paramOf.get(Number(index));
      if (!param) continue;
      const copies = Object.entries(remembered).map(([name, value]) => [name, copyFor(param, name, value)]);
      this.state.set(param, Object.fromEntries(copies) as ParamState);
    }
    this.paramGroups = saved.map(
      (group, i) => ({ ...structuredClone(group), params: this.paramGroups[i]!.params }) as unknown as ParamGroup<O>,
    );
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
  protected remembered<S extends ParamState>(param: Tensor, create: () => S): S {
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

/** The step count stays float32; the rest follows its parameter. */
function copyFor(param: Tensor, name: string, value: Tensor): Tensor {
  if (!(value instanceof Tensor)) return value;
  const copy = value.detach().clone();
  return name !== "step" && param.dtype.isFloatingPoint && copy.dtype !== param.dtype ? copy.to(param.dtype) : copy;
}

function optionText(name: string, value: unknown): string {
  if (typeof value === "number") return FLOATS.has(name) ? floatRepr(value) : numberRepr(value);
  if (Array.isArray(value)) return `(${value.map((item) => optionText(name, item)).join(", ")})`;
  return repr(value);
}

/** A count or product that is kept as a tensor without dimensions, as in PyTorch. */
export function counter(start = 0): Tensor {
  return tensor(start, { dtype: float32 });
}

/** Counts one step. @returns the number of steps so far */
export function countStep(step: Tensor): number {
  step.add_(1);
  return Number(step.item());
}

/** The gradient to descend along: negated for `maximize`, with the L2 penalty. */
export function direction(param: Tensor, grad: Tensor, maximize: boolean, weightDecay: number): Tensor {
  const step = maximize ? grad.neg() : grad;
  return weightDecay === 0 ? step : step.add(param, { alpha: weightDecay });
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
