/**
 * nn.Module: the base class of everything that has parameters. An instance is a function (`model(x)` runs its forward and
 * its hooks) that looks like an object: its constructor returns a Proxy over a function whose prototype is the class's, so
 * that parameters, buffers and modules register by mere assignment.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Module.html
 */
import { bind } from "../core/arguments.ts";
import { type Device, onDevice, device as toDevice } from "../core/device.ts";
import { type DType, float32, float64 } from "../core/dtype.ts";
import { AttributeError, NotImplementedError, TypeError, ValueError } from "../core/errors.ts";
import { Tensor } from "../core/tensor.ts";
import { enterModule, isRecording, leaveModule } from "../inspect/recorder.ts";
import { runForward } from "./calls.ts";
import { convertTensor, replaceMemory } from "./convert.ts";
import {
  assertCallable,
  type BackwardHook,
  type BackwardPreHook,
  callWithHooks,
  type ForwardHook,
  type ForwardHookOptions,
  type ForwardHookWithKwargs,
  type ForwardPreHook,
  type ForwardPreHookOptions,
  type ForwardPreHookWithKwargs,
  forwardHookWithKwargs,
  type HookOptions,
  hasHooks,
  hookArguments,
  preHook,
  preHookWithKwargs,
  type RemovableHandle,
} from "./hooks.ts";
import {
  getMember,
  type NamedOptions,
  namedMembers,
  pathFrom,
  type RecurseOption,
  recurseOption,
  values,
  walkModules,
} from "./members.ts";
import { type BufferOptions, type Parameter, typeName } from "./parameter.ts";
import { addModule, registerBuffer, registerParameter, registrationTraps } from "./registration.ts";
import { createState, stateOf } from "./state.ts";
import {
  type IncompatibleKeys,
  type LoadStateDictOptions,
  loadStateDict,
  noExtraState,
  type StateDict,
  type StateDictOptions,
  setExtraStateDefaults,
  stateDict,
} from "./state_dict.ts";
import type {
  LoadStateDictPostHook,
  LoadStateDictPreHook,
  StateDictPostHook,
  StateDictPreHook,
} from "./state_hooks.ts";
import { type ToOptions, targetOf } from "./target.ts";
import { indented } from "./text.ts";
import { convertLazy, isLazy } from "./uninitialized.ts";

/**
 * The base of all layers and models. A subclass makes its parts in the constructor, where mere assignment registers
 * parameters, buffers and submodules, and defines `forward`; the instance itself is called.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Module.html
 */
export interface Module {
  /** Calling a module takes what its forward takes and gives what its forward gives. */
  (...inputs: Parameters<this["forward"]>): ReturnType<this["forward"]>;
  /** True in training, false after `eval()`: what Dropout and BatchNorm go by. */
  training: boolean;
}

// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the constructor makes every instance the function that the interface declares.
export class Module {
  constructor();
  constructor(...surplus: unknown[]) {
    // A class without a constructor of its own hands on what it is given, and a module without options takes nothing.
    if (surplus.length > 0) bind(`${new.target.name}.__init__`, [], surplus);
    const run = (...inputs: unknown[]): unknown => callModule(module, inputs);
    // Nothing of a function but the call: `length` and `name` are free for subclasses.
    Reflect.deleteProperty(run, "length");
    Reflect.deleteProperty(run, "name");
    const target = Object.setPrototypeOf(run, new.target.prototype) as Module;
    Reflect.defineProperty(target, "training", { value: true, writable: true, enumerable: true, configurable: true });
    const module = new Proxy(target, registrationTraps);
    createState(module, target);
    // biome-ignore lint/correctness/noConstructorReturn: an instance has to be callable, which `this` is not.
    return module;
  }

  /**
   * What the module computes; subclasses define it. Call the module itself, not forward: only that runs the hooks.
   * @throws NotImplementedError unless a subclass defines it
   */
  // biome-ignore lint/suspicious/noExplicitAny: the one type that every forward overrides and every caller may call.
  forward(..._inputs: any[]): any {
    throw new NotImplementedError(`Module [${this.constructor.name}] is missing the required "forward" function`, {
      hint: "define forward(x) { … } in your class",
    });
  }

  // ---- registration

  /** Registers a parameter by name; null keeps the name and registers none. */
  registerParameter(name: string, parameter: Parameter | null): void;
  registerParameter(...args: unknown[]): void {
    const { name, param } = bind<{ name: string; param: Parameter | null }>(
      "Module.register_parameter",
      ["!name", "!param"],
      args,
    );
    registerParameter(this, name, param);
  }

  /** Registers a tensor that belongs to the state and is not learned, such as a running mean. */
  registerBuffer(name: string, tensor: Tensor | null, options: boolean | BufferOptions = {}): void {
    const params = ["!name", "!tensor", "persistent"];
    const { persistent = true } = bind<BufferOptions>("Module.register_buffer", params, [name, tensor, options]);
    registerBuffer(this, name, tensor, persistent);
  }

  /** Registers a child module by name. */
  addModule(name: string, module: Module | null): void;
  addModule(...args: unknown[]): void {
    const { name, module } = bind<{ name: string; module: Module | null }>(
      "Module.add_module",
      ["!name", "!module"],
      args,
    );
    addModule(this, name, module);
  }

  /** The same as `addModule`. */
  registerModule(name: string, module: Module | null): void {
    this.addModule(name, module);
  }

  // ---- walking

  /** All parameters, each once, those of this module before those of its children. */
  parameters(recurse: boolean | RecurseOption = true): Generator<Parameter, void, undefined> {
    return values(this.namedParameters(recurseOption("Module.parameters", recurse)));
  }

  /** Pairs of dotted name and parameter: `["conv1.weight", …]`. */
  namedParameters(options: NamedOptions = {}): Generator<[string, Parameter], void, undefined> {
    const named = bind<NamedOptions>("Module.named_parameters", ["prefix", "recurse", "removeDuplicate"], [options]);
    return namedMembers(this, (module) => stateOf(module).parameters, named);
  }

  /** All buffers, each once. */
  buffers(recurse: boolean | RecurseOption = true): Generator<Tensor, void, undefined> {
    return values(this.namedBuffers(recurseOption("Module.buffers", recurse)));
  }

  /** Pairs of dotted name and buffer. */
  namedBuffers(options: NamedOptions = {}): Generator<[string, Tensor], void, undefined> {
    const named = bind<NamedOptions>("Module.named_buffers", ["prefix", "recurse", "removeDuplicate"], [options]);
    return namedMembers(this, (module) => stateOf(module).buffers, named);
  }

  /** The modules directly in this one, each once. */
  *children(): Generator<Module, void, undefined> {
    for (const [, child] of this.namedChildren()) yield child;
  }

  /** Pairs of name and module directly in this one. */
  *namedChildren(): Generator<[string, Module], void, undefined> {
    const seen = new Set<Module>();
    for (const [name, child] of stateOf(this).modules) {
      if (!child || seen.has(child)) continue;
      seen.add(child);
      yield [name, child];
    }
  }

  /** This module and all modules in it, each once. */
  *modules(): Generator<Module, void, undefined> {
    for (const [, module] of this.namedModules()) yield module;
  }

  /** Pairs of dotted name and module, this one first with the name "". */
  namedModules(options: Omit<NamedOptions, "recurse"> = {}): Generator<[string, Module], void, undefined> {
    const { prefix = "", removeDuplicate = true } = bind<NamedOptions>(
      "Module.named_modules",
      ["*", "prefix", "removeDuplicate"],
      [options],
    );
    return walkModules(stateOf(this).self, prefix, removeDuplicate ? new Set() : null);
  }

  /**
   * The module of that dotted name; "" is this one.
   * @throws AttributeError where there is none
   */
  getSubmodule(target: string): Module {
    const { target: path } = bind<{ target: string }>("Module.get_submodule", ["!target"], [target]);
    if (typeof path !== "string") throw new AttributeError(`'${typeName(path)}' object has no attribute 'split'`);
    let module = stateOf(this).self;
    for (const name of path === "" ? [] : path.split(".")) {
      if (!(name in module)) throw new AttributeError(`${module.constructor.name} has no attribute \`${name}\``);
      const child: unknown = Reflect.get(module, name);
      if (!(child instanceof Module)) throw new AttributeError(`\`${name}\` is not an nn.Module`);
      module = child;
    }
    return module;
  }

  /**
   * Puts a module in the place of another by dotted name; without `strict` (default false) the last name may be new.
   * @throws AttributeError where there is no such place, ValueError for an empty name or no module
   */
  setSubmodule(target: string, module: Module, options: { strict?: boolean } = {}): void {
    const params = ["!target", "!module", "strict"];
    const { strict = false } = bind<{ strict?: boolean }>("Module.set_submodule", params, [target, module, options]);
    if (target === "") throw new ValueError("Cannot set the submodule without a target name!");
    if (!(module instanceof Module)) {
      throw new ValueError(`\`module\` is not an nn.Module, found <class '${typeName(module)}'>`);
    }
    const dot = target.lastIndexOf(".");
    const parent = this.getSubmodule(dot < 0 ? "" : target.slice(0, dot));
    const name = target.slice(dot + 1);
    if (strict && !(name in parent))
      throw new AttributeError(`${parent.constructor.name} has no attribute \`${name}\``);
    if (name in parent && !(Reflect.get(parent, name) instanceof Module)) {
      throw new AttributeError(`\`${name}\` is not an nn.Module`);
    }
    Reflect.set(parent, name, module);
  }

  /** The parameter of that dotted name. @throws AttributeError where there is none */
  getParameter(target: string): Parameter {
    return getMember(this, target, (module) => stateOf(module).parameters, "an nn.Parameter");
  }

  /** The buffer of that dotted name. @throws AttributeError where there is none */
  getBuffer(target: string): Tensor {
    return getMember(this, target, (module) => stateOf(module).buffers, "a buffer");
  }

  // ---- modes and conversions; each returns the module

  /** Sets the training mode of this module and all in it. */
  train(options: boolean | { mode?: boolean } = true): this {
    const { mode = true } = bind<{ mode?: boolean }>("Module.train", ["mode"], [options]);
    if (typeof mode !== "boolean") throw new ValueError("training mode is expected to be boolean");
    this.training = mode;
    for (const child of this.children()) child.train(mode);
    return this;
  }

  /** The same as `train(false)`: Dropout passes through, BatchNorm uses its running statistics. */
  eval(): this {
    return this.train(false);
  }

  /** Calls `fn` with every module in this one, innermost first, then with this one. */
  apply(fn: (module: Module) => unknown): this {
    assertCallable(bind<{ fn: unknown }>("Module.apply", ["!fn"], [fn]).fn);
    for (const child of this.children()) child.apply(fn);
    fn(stateOf(this).self);
    return this;
  }

  /**
   * Moves parameters and buffers to a device, or converts the floating ones to a dtype, or both; a tensor stands for its
   * own. They stay the same objects, so an optimizer made before keeps working.
   */
  to(target: DType | Device | string | Tensor | ToOptions, dtype?: DType | null): this;
  to(...args: unknown[]): this {
    const { dtype = null, device = null } = targetOf(args);
    const place = device === null ? null : toDevice(device);
    if (dtype && !dtype.isFloatingPoint) {
      throw new TypeError(`nn.Module.to only accepts floating point or complex dtypes, but got desired dtype=${dtype}`);
    }
    for (const tensor of tensorsOf(this)) {
      if (!isLazy(tensor)) convertTensor(tensor, dtype, place);
      else if (dtype) convertLazy(tensor, dtype);
    }
    return this;
  }

  /** Gives parameters and buffers new memory on a device, with whatever is in it: their values are lost. */
  toEmpty(options: { device: Device | string | null; recurse?: boolean }): this {
    const { device, recurse = true } = bind<{ device: Device | string | null; recurse?: boolean }>(
      "Module.to_empty",
      ["*", "!device", "recurse"],
      options === undefined ? [] : [options],
    );
    const place = device === null ? null : toDevice(device);
    for (const tensor of tensorsOf(this, recurse)) {
      if (isLazy(tensor)) continue;
      replaceMemory(
        tensor,
        onDevice(place ?? tensor.device, null, () => Tensor.empty(tensor.shape, tensor.dtype)),
      );
    }
    return this;
  }

  /** Converts parameters and buffers to float32. */
  float(): this {
    return this.to(float32);
  }

  /** Converts parameters and buffers to float64. */
  double(): this {
    return this.to(float64);
  }

  /** Moves parameters and buffers to the CPU. */
  cpu(): this {
    return this.to("cpu");
  }

  /** Forgets the gradients of all parameters; with `{ setToNone: false }` fills them with zeros instead. */
  zeroGrad(options: boolean | { setToNone?: boolean } = {}): void {
    const { setToNone = true } = bind<{ setToNone?: boolean }>("Module.zero_grad", ["setToNone"], [options]);
    for (const parameter of this.parameters()) {
      const { grad } = parameter;
      if (!grad) continue;
      parameter.grad = setToNone ? null : grad.gradFn ? grad.detach() : grad;
      if (parameter.grad) parameter.grad.requiresGrad_(false).zero_();
    }
  }

  /** Sets whether the parameters are learned. */
  requiresGrad_(options: boolean | { requiresGrad?: boolean } = {}): this {
    const { requiresGrad = true } = bind<{ requiresGrad?: boolean }>(
      "Module.requires_grad_",
      ["requiresGrad"],
      [options],
    );
    for (const parameter of this.parameters()) parameter.requiresGrad_(requiresGrad);
    return this;
  }

  // ---- state

  /**
   * Something more for the state than parameters and buffers; a class that has it defines this and `setExtraState`.
   * @throws RuntimeError unless a subclass defines it
   */
  getExtraState(): unknown {
    throw noExtraState("get");
  }

  /** Takes back what `getExtraState` gave. @throws RuntimeError unless a subclass defines it */
  setExtraState(_state: unknown): void {
    throw noExtraState("set");
  }

  /** Parameters and persistent buffers by dotted name, over the same storage. */
  stateDict(options: StateDictOptions = {}): StateDict {
    const {
      destination = null,
      prefix = "",
      keepVars = false,
    } = bind<StateDictOptions>("Module.state_dict", ["*", "destination", "prefix", "keepVars"], [options]);
    return stateDict(this, { destination, prefix, keepVars });
  }

  /**
   * Copies values into parameters and buffers by name.
   * @throws RuntimeError that lists every missing and unexpected name (unless `strict` is false) and every other shape
   */
  loadStateDict(state: StateDict | ReadonlyMap<string, Tensor>, options: LoadStateDictOptions = {}): IncompatibleKeys {
    // The state may be a plain object itself: it stands for one that cannot be taken for options.
    const given = state === undefined ? [options] : [[], options];
    const { strict, assign } = bind<LoadStateDictOptions>(
      "Module.load_state_dict",
      ["!stateDict", "strict", "assign"],
      given,
    );
    return loadStateDict(this, state, { strict, assign });
  }

  // ---- hooks

  /** Calls `hook(module, inputs)` before every forward; with `withKwargs` `hook(module, inputs, options)`. */
  registerForwardPreHook<I extends readonly unknown[] = Tensor[], K extends boolean = false>(
    hook: K extends true ? ForwardPreHookWithKwargs<I> : ForwardPreHook<I>,
    options?: ForwardPreHookOptions<K>,
  ): RemovableHandle;
  registerForwardPreHook(...args: unknown[]): RemovableHandle {
    const { hook, prepend, withKwargs } = hookArguments("register_forward_pre_hook", ["prepend", "withKwargs"], args);
    const before = withKwargs
      ? preHookWithKwargs(hook as ForwardPreHookWithKwargs<unknown[]>)
      : preHook(hook as ForwardPreHook<unknown[]>);
    return stateOf(this).hooks.forwardPre.add({ before }, prepend);
  }

  /** Calls `hook(module, inputs, output)` after every forward; with `withKwargs` `hook(module, inputs, options, output)`. */
  registerForwardHook<I extends readonly unknown[] = Tensor[], O = Tensor, K extends boolean = false>(
    hook: K extends true ? ForwardHookWithKwargs<I, O> : ForwardHook<I, O>,
    options?: ForwardHookOptions<K>,
  ): RemovableHandle;
  registerForwardHook(...args: unknown[]): RemovableHandle {
    const {
      hook,
      prepend,
      withKwargs,
      alwaysCall = false,
    } = hookArguments("register_forward_hook", ["prepend", "withKwargs", "alwaysCall"], args);
    const after = withKwargs
      ? forwardHookWithKwargs(hook as ForwardHookWithKwargs<unknown[], unknown>)
      : (hook as ForwardHook<unknown[], unknown>);
    return stateOf(this).hooks.forward.add({ after, alwaysCall }, prepend);
  }

  /** Calls `hook(module, gradOutputs)` before the module's backward. */
  registerFullBackwardPreHook(hook: BackwardPreHook, options?: HookOptions): RemovableHandle;
  registerFullBackwardPreHook(...args: unknown[]): RemovableHandle {
    const { hook, prepend } = hookArguments("register_full_backward_pre_hook", ["prepend"], args);
    return stateOf(this).hooks.backwardPre.add({ run: hook as BackwardPreHook }, prepend);
  }

  /** Calls `hook(module, gradInputs, gradOutputs)` when the gradients of the module's inputs are known. */
  registerFullBackwardHook(hook: BackwardHook, options?: HookOptions): RemovableHandle;
  registerFullBackwardHook(...args: unknown[]): RemovableHandle {
    const { hook, prepend } = hookArguments("register_full_backward_hook", ["prepend"], args);
    return stateOf(this).hooks.backward.add({ run: hook as BackwardHook }, prepend);
  }

  /** Calls `hook(module, prefix, keepVars)` before the module's state is collected. */
  registerStateDictPreHook(hook: StateDictPreHook): RemovableHandle {
    hookArguments("register_state_dict_pre_hook", [], [hook]);
    return stateOf(this).stateHooks.savePre.add({ run: hook });
  }

  /** Calls `hook(module, stateDict, prefix, localMetadata)` when the module's state has been collected. */
  registerStateDictPostHook(hook: StateDictPostHook): RemovableHandle {
    hookArguments("register_state_dict_post_hook", [], [hook]);
    return stateOf(this).stateHooks.savePost.add({ run: hook });
  }

  /**
   * Calls `hook(module, stateDict, prefix, localMetadata, strict, missingKeys, unexpectedKeys, errorMsgs)` before the
   * module takes its state.
   */
  registerLoadStateDictPreHook(hook: LoadStateDictPreHook): RemovableHandle {
    hookArguments("register_load_state_dict_pre_hook", [], [hook]);
    return stateOf(this).stateHooks.loadPre.add({ run: hook });
  }

  /** Calls `hook(module, incompatibleKeys)` when the module and all in it have taken their state. */
  registerLoadStateDictPostHook(hook: LoadStateDictPostHook): RemovableHandle {
    hookArguments("register_load_state_dict_post_hook", [], [hook]);
    return stateOf(this).stateHooks.loadPost.add({ run: hook });
  }

  // ---- printing

  /** What stands in the parentheses of the module's text; subclasses override it. Lines are indented. */
  extraRepr(): string {
    return "";
  }

  /** What PyTorch's `print(model)` shows. */
  toString(): string {
    const extra = this.extraRepr();
    const extraLines = extra === "" ? [] : extra.split("\n");
    const childLines = Array.from(
      stateOf(this).modules,
      ([name, child]) => `(${name}): ${indented(String(child ?? "None"))}`,
    );
    const name = this.constructor.name;
    if (extraLines.length === 1 && childLines.length === 0) return `${name}(${extraLines[0]})`;
    const lines = [...extraLines, ...childLines];
    return lines.length === 0 ? `${name}()` : `${name}(\n  ${lines.join("\n  ")}\n)`;
  }
}

setExtraStateDefaults(Module.prototype);

/** Each parameter and buffer once. */
function* tensorsOf(module: Module, recurse = true): Generator<Tensor> {
  yield* module.parameters(recurse);
  yield* module.buffers(recurse);
}

const running: Module[] = [];

function callModule(module: Module, inputs: unknown[]): unknown {
  const state = stateOf(module);
  const recording = isRecording();
  if (recording) enterModule(pathFrom(running.at(-1) ?? null, module));
  running.push(module);
  try {
    return hasHooks(state.hooks) ? callWithHooks(state, inputs) : runForward(state, inputs);
  } finally {
    running.pop();
    if (recording) leaveModule();
  }
}
