/** Functions that a module calls around forward and backward. */
import { bind, isOptions } from "../core/arguments.ts";
import { RuntimeError, TypeError } from "../core/errors.ts";
import { repr } from "../core/print.ts";
import { pythonTypeName, Tensor } from "../core/tensor.ts";
import { warn } from "../core/warnings.ts";
import { callMany, defineOp } from "../ops/registry.ts";
import { runForward } from "./calls.ts";
import type { Module } from "./module.ts";
import type { ModuleState } from "./state.ts";

/** What registering a hook gives back. */
export interface RemovableHandle {
  /** Takes the hook away again. */
  remove(): void;
}

export interface HookOptions {
  /** Runs before the hooks that are there already instead of after them. Default false. */
  prepend?: boolean;
}

export interface ForwardPreHookOptions<WithKwargs extends boolean = false> extends HookOptions {
  /**
   * Gives the hook the call's options object (`{}` where there is none) after its other inputs. Default false: the hook
   * sees all inputs as one list.
   */
  withKwargs?: WithKwargs;
}

export interface ForwardHookOptions<WithKwargs extends boolean = false> extends ForwardPreHookOptions<WithKwargs> {
  /** Runs even where forward throws. Default false. */
  alwaysCall?: boolean;
}

/** Sees the inputs before forward; what it returns, if anything, replaces them (a single value or an array of them). */
export type ForwardPreHook<I extends readonly unknown[] = Tensor[]> = (module: Module, inputs: I) => unknown;
/** Sees inputs and output after forward; what it returns, if anything, replaces the output. */
export type ForwardHook<I extends readonly unknown[] = Tensor[], O = Tensor> = (
  module: Module,
  inputs: I,
  output: O,
) => unknown;

/** The options object of a call. */
export type Kwargs = Readonly<Record<string, unknown>>;
/** With `withKwargs`: sees inputs and options before forward; returns nothing, or `[inputs, options]` to replace them. */
export type ForwardPreHookWithKwargs<I extends readonly unknown[] = Tensor[]> = (
  module: Module,
  inputs: I,
  kwargs: Kwargs,
) => unknown;
/** With `withKwargs`: sees inputs, options and output after forward; what it returns, if anything, replaces the output. */
export type ForwardHookWithKwargs<I extends readonly unknown[] = Tensor[], O = Tensor> = (
  module: Module,
  inputs: I,
  kwargs: Kwargs,
  output: O,
) => unknown;

/** Gradients by position; null where none flows. */
export type Gradients = readonly (Tensor | null)[];
/** Sees the gradients of the outputs before the module's backward; what it returns, if anything, replaces them. */
export type BackwardPreHook = (module: Module, gradOutputs: Gradients) => unknown;
/** Sees the gradients of inputs and outputs after the module's backward; what it returns, if anything, replaces the inputs'. */
export type BackwardHook = (module: Module, gradInputs: Gradients, gradOutputs: Gradients) => unknown;

/** Hooks of one kind, in the order in which they run. */
export class HookList<H> {
  #hooks: H[] = [];

  get isEmpty(): boolean {
    return this.#hooks.length === 0;
  }

  add(hook: H, prepend = false): RemovableHandle {
    // A wrapper, so that the same function registered twice can be removed once.
    this.#hooks = prepend ? [hook, ...this.#hooks] : [...this.#hooks, hook];
    return {
      remove: () => {
        const at = this.#hooks.indexOf(hook);
        if (at >= 0) this.#hooks = this.#hooks.toSpliced(at, 1);
      },
    };
  }

  /** A hook may remove itself while the list is walked. */
  [Symbol.iterator](): Iterator<H> {
    return this.#hooks[Symbol.iterator]();
  }
}

/** The hooks of one module. Entries of `forward` are objects, so that each registration is its own. */
export interface ModuleHooks {
  forwardPre: HookList<{ before(module: Module, inputs: unknown[]): unknown[] }>;
  forward: HookList<{ after(module: Module, inputs: unknown[], output: unknown): unknown; alwaysCall: boolean }>;
  backwardPre: HookList<{ run: BackwardPreHook }>;
  backward: HookList<{ run: BackwardHook }>;
}

export function createHooks(): ModuleHooks {
  return { forwardPre: new HookList(), forward: new HookList(), backwardPre: new HookList(), backward: new HookList() };
}

export function hasHooks(hooks: ModuleHooks): boolean {
  return !(hooks.forwardPre.isEmpty && hooks.forward.isEmpty && hooks.backwardPre.isEmpty && hooks.backward.isEmpty);
}

/** The other inputs of a call, and its options object. */
function splitKwargs(inputs: readonly unknown[]): [inputs: unknown[], kwargs: Kwargs | null] {
  const last = inputs.at(-1);
  return isOptions(last) ? [inputs.slice(0, -1), last] : [[...inputs], null];
}

/** A hook as the list keeps it: gives the inputs to go on with. */
export function preHook(hook: ForwardPreHook<unknown[]>): (module: Module, inputs: unknown[]) => unknown[] {
  return (module, inputs) => {
    const replaced = hook(module, inputs);
    if (!replaces(replaced)) return inputs;
    const given = Array.isArray(replaced) ? replaced : [replaced];
    // What a hook returns stands for the inputs without the options, as in PyTorch.
    const [, kwargs] = splitKwargs(inputs);
    return kwargs === null || isOptions(given.at(-1)) ? given : [...given, kwargs];
  };
}

/** As `preHook` for one that takes the options object apart. */
export function preHookWithKwargs(
  hook: ForwardPreHookWithKwargs<unknown[]>,
): (module: Module, inputs: unknown[]) => unknown[] {
  return (module, inputs) => {
    const [rest, kwargs] = splitKwargs(inputs);
    const replaced = hook(module, rest, kwargs ?? {});
    if (!replaces(replaced)) return inputs;
    const [args, options, ...more]: unknown[] = Array.isArray(replaced) ? replaced : [];
    if (!Array.isArray(args) || !isOptions(options) || more.length > 0) {
      throw new RuntimeError(
        `forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got ${repr(replaced)}.`,
      );
    }
    return Object.keys(options).length > 0 ? [...args, options] : args;
  };
}

/** As `preHookWithKwargs` for one behind forward. */
export function forwardHookWithKwargs(
  hook: ForwardHookWithKwargs<unknown[], unknown>,
): ForwardHook<unknown[], unknown> {
  return (module, inputs, output) => {
    const [rest, kwargs] = splitKwargs(inputs);
    return hook(module, rest, kwargs ?? {}, output);
  };
}

/** @throws TypeError in Python's words for what cannot be called */
export function assertCallable(value: unknown): asserts value is (...args: never[]) => unknown {
  if (typeof value !== "function") throw new TypeError(`'${pythonTypeName(value)}' object is not callable`);
}

/** The arguments of a method that registers a hook: the hook, and options by keyword. */
export function hookArguments(
  method: string,
  options: readonly string[],
  args: readonly unknown[],
): { hook: unknown } & ForwardHookOptions<boolean> {
  const bound = bind<{ hook: unknown } & ForwardHookOptions<boolean>>(
    `Module.${method}`,
    ["!hook", "*", ...options],
    args,
  );
  assertCallable(bound.hook);
  return bound;
}

/** Runs a module's forward with its hooks. */
export function callWithHooks(state: ModuleState, given: unknown[]): unknown {
  const { self: module, hooks } = state;
  const called = new Set<object>();
  let inputs = given;
  let output: unknown;
  try {
    for (const hook of hooks.forwardPre) inputs = hook.before(module, inputs);
    const watch = hooks.backward.isEmpty && hooks.backwardPre.isEmpty ? null : new BackwardWatch(module, hooks);
    if (watch) inputs = watch.inputs(inputs);
    output = runForward(state, inputs);
    for (const hook of hooks.forward) {
      called.add(hook);
      const replaced = hook.after(module, inputs, output);
      if (replaces(replaced)) output = replaced;
    }
    return watch ? watch.output(output) : output;
  } catch (error) {
    for (const hook of hooks.forward) {
      if (!hook.alwaysCall || called.has(hook)) continue;
      try {
        const replaced = hook.after(module, inputs, output);
        if (replaces(replaced)) output = replaced;
      } catch (silenced) {
        warn(
          "module forward hook with ``always_call=True`` raised an exception that was silenced as another error was raised in forward: " +
            (silenced instanceof Error ? silenced.message : String(silenced)),
        );
      }
    }
    throw error;
  }
}

/**
 * `(m, x) => list.push(x)` returns a number by accident of syntax, which no layer takes or gives: it replaces nothing.
 */
function replaces(returned: unknown): returned is object {
  return typeof returned === "object" && returned !== null;
}

/** Passes tensors through and shows their gradients to `see` on the way back. */
const Watch = defineOp<{ see: (grads: Gradients) => Gradients }>({
  name: "backward_hook",
  gradFn: "BackwardHookFunctionBackward",
  kernels: [],
  showsGradients: true,
  forward: (_, ...tensors: Tensor[]) => tensors.map((tensor) => tensor.detach()),
  backward: ({ attrs }, ...grads: (Tensor | null)[]) => [...attrs.see(grads)],
});

/** Stands before and behind a module in the graph, so that its gradients are seen as a whole. */
class BackwardWatch {
  readonly #module: Module;
  readonly #hooks: ModuleHooks;
  #gradOutputs: Gradients = [];
  #watchesInputs = false;
  #inputCount = 0;

  constructor(module: Module, hooks: ModuleHooks) {
    this.#module = module;
    this.#hooks = hooks;
  }

  inputs(values: unknown[]): unknown[] {
    this.#inputCount = values.length;
    return this.#through(
      values,
      (grads) => this.#finish(grads),
      () => {
        this.#watchesInputs = true;
      },
    );
  }

  output(value: unknown): unknown {
    if (!(value instanceof Tensor || Array.isArray(value))) {
      warn(
        `For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but received <class '${pythonTypeName(value)}'>`,
      );
      return value;
    }
    const values = Array.isArray(value) ? value : [value];
    const watched = this.#through(values, (grads) => this.#begin(grads));
    return Array.isArray(value) ? watched : watched[0];
  }

  /** Sends the tensors among the values through `Watch`; `see` gets gradients by position among all values. */
  #through(values: unknown[], see: (grads: Gradients) => Gradients, onWatch?: () => void): unknown[] {
    const positions = values.flatMap((value, i) => (value instanceof Tensor ? [i] : []));
    const tensors = positions.map((i) => values[i] as Tensor);
    if (!tensors.some((tensor) => tensor.requiresGrad)) return values;
    onWatch?.();
    const seen = (grads: Gradients): Gradients => {
      const spread: (Tensor | null)[] = values.map(() => null);
      positions.forEach((position, i) => {
        spread[position] = grads[i] ?? null;
      });
      const replaced = see(spread);
      return positions.map((position) => replaced[position] ?? null);
    };
    const outputs = callMany(Watch, { see: seen }, ...tensors);
    const result = [...values];
    positions.forEach((position, i) => {
      result[position] = outputs[i];
    });
    return result;
  }

  #begin(grads: Gradients): Gradients {
    let current = grads;
    for (const { run } of this.#hooks.backwardPre) {
      current = replacement("Backward pre hook", "grad_output", run(this.#module, current), current);
    }
    this.#gradOutputs = current;
    // Nothing before the module wants a gradient: its backward ends here, and the hooks see no input gradients.
    if (!this.#watchesInputs) {
      this.#finish(Array.from({ length: this.#inputCount }, () => null));
    }
    return current;
  }

  #finish(grads: Gradients): Gradients {
    let current = grads;
    for (const { run } of this.#hooks.backward) {
      current = replacement("Backward hook", "grad_input", run(this.#module, current, this.#gradOutputs), current);
    }
    return current;
  }
}

/** @throws RuntimeError for another number of gradients than there are */
function replacement(hook: string, what: string, returned: unknown, current: Gradients): Gradients {
  if (!replaces(returned)) return current;
  const given = Array.isArray(returned) ? (returned as Gradients) : [returned as Tensor];
  if (given.length === current.length) return given;
  throw new RuntimeError(
    `${hook} returned an invalid number of ${what}, got ${given.length}, but expected ${current.length}`,
  );
}
