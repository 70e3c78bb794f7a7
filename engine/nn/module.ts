/**
 * nn.Module: the base class of everything that has parameters. An instance is a function (`model(x)` runs its forward and
 * its hooks) that looks like an object: its constructor returns a Proxy over a function whose prototype is the class's, so
 * that parameters, buffers and modules register by mere assignment.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Module.html
 */
import { isOptions } from "../core/arguments.ts";
import { type Device, device as toDevice } from "../core/device.ts";
import { DType, float32, float64 } from "../core/dtype.ts";
import { AttributeError, NotImplementedError, RuntimeError, TypeError, ValueError } from "../core/errors.ts";
import { Tensor } from "../core/tensor.ts";
import { enterModule, isRecording, leaveModule } from "../inspect/recorder.ts";
import { runForward } from "./calls.ts";
import { convertTensor, replaceMemory } from "./convert.ts";
import {
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
  preHook,
  preHookWithKwargs,
  type RemovableHandle,
} from "./hooks.ts";
import { getMember, type NamedOptions, namedMembers, pathFrom, walkModules } from "./members.ts";
import { type BufferOptions, type Parameter, typeName } from "./parameter.ts";
import { addModule, registerBuffer, registerParameter, registrationTraps } from "./registration.ts";
import { createState, stateOf } from "./state.ts";
import {
  type IncompatibleKeys,
  type LoadStateDictOptions,
  loadStateDict,
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
import { convertLazy, isLazy } from "./uninitialized.ts";

/** What a module accepts as the target of `to`. */
export interface ToOptions {
  /** Of floating parameters and buffers. Default: as they are. */
  dtype?: DType | null;
  /** "cpu" or "webgpu". Default: where they are. */
  device?: Device | string | null;
  /** Accepted, without effect. Default false. */
  nonBlocking?: boolean;
}

function targetOf(args: readonly unknown[]): Pick<ToOptions, "dtype" | "device"> {
  const found: Pick<ToOptions, "dtype" | "device"> = {};
  for (const arg of args) {
    if (arg instanceof DType) found.dtype = arg;
    else if (arg instanceof Tensor) Object.assign(found, { dtype: arg.dtype, device: arg.device });
    else if (isOptions(arg)) Object.assign(found, arg);
    else if (arg !== null && typeof arg !== "boolean") found.device = arg as Device | string;
  }
  return found;
}

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
  constructor() {
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
  registerParameter(name: string, parameter: Parameter | null): void {
    registerParameter(this, name, parameter);
  }

  /** Registers a tensor that belongs to the state and is not learned, such as a running mean. */
  registerBuffer(name: string, tensor: Tensor | null, { persistent = true }: BufferOptions = {}): void {
    registerBuffer(this, name, tensor, persistent);
  }

  /** Registers a child module by name. */
  addModule(name: string, module: Module | null): void {
    addModule(this, name, module);
  }

  /** The same as `addModule`. */
  registerModule(name: string, module: Module | null): void {
    addModule(this, name, module);
  }

  // ---- walking

  /** All parameters, each once, those of this module before those of its children. */
  *parameters(recurse = true): Generator<Parameter, void, undefined> {
    for (const [, parameter] of this.namedParameters({ recurse })) yield parameter;
  }

  /** Pairs of dotted name and parameter: `["conv1.weight", …]`. */
  *namedParameters(options: NamedOptions = {}): Generator<[string, Parameter], void, undefined> {
    yield* namedMembers(this, (module) => stateOf(module).parameters, options);
  }

  /** All buffers, each once. */
  *buffers(recurse = true): Generator<Tensor, void, undefined> {
    for (const [, buffer] of this.namedBuffers({ recurse })) yield buffer;
  }

  /** Pairs of dotted name and buffer. */
  *namedBuffers(options: NamedOptions = {}): Generator<[string, Tensor], void, undefined> {
    yield* namedMembers(this, (module) => stateOf(module).buffers, options);
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
  *namedModules({
    prefix = "",
    removeDuplicate = true,
  }: Omit<NamedOptions, "recurse"> = {}): Generator<[string, Module], void, undefined> {
    yield* walkModules(stateOf(this).self, prefix, removeDuplicate ? new Set() : null);
  }

  /**
   * The module of that dotted name; "" is this one.
   * @throws AttributeError where there is none
   */
  getSubmodule(target: string): Module {
    let module = stateOf(this).self;
    for (const name of target === "" ? [] : target.split(".")) {
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
  setSubmodule(target: string, module: Module, { strict = false }: { strict?: boolean } = {}): void {
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
  train(mode = true): this {
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
  toEmpty({ device, recurse = true }: { device: Device | string | null; recurse?: boolean }): this {
    if (device !== null) toDevice(device);
    for (const tensor of tensorsOf(this, recurse)) {
      if (!isLazy(tensor)) replaceMemory(tensor, Tensor.empty(tensor.shape, tensor.dtype));
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
  zeroGrad({ setToNone = true }: { setToNone?: boolean } = {}): void {
    for (const parameter of this.parameters()) {
      const { grad } = parameter;
      if (!grad) continue;
      parameter.grad = setToNone ? null : grad.gradFn ? grad.detach() : grad;
      if (parameter.grad) parameter.grad.requiresGrad_(false).zero_();
    }
  }

  /** Sets whether the parameters are learned. */
  requiresGrad_(requiresGrad = true): this {
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
  stateDict(options?: StateDictOptions): StateDict {
    return stateDict(this, options);
  }

  /**
   * Copies values into parameters and buffers by name.
   * @throws RuntimeError that lists every missing and unexpected name (unless `strict` is false) and every other shape
   */
  loadStateDict(state: StateDict | ReadonlyMap<string, Tensor>, options?: LoadStateDictOptions): IncompatibleKeys {
    return loadStateDict(this, state, options);
  }

  // ---- hooks

  /** Calls `hook(module, inputs)` before every forward; with `withKwargs` `hook(module, inputs, options)`. */
  registerForwardPreHook<I extends readonly unknown[] = Tensor[], K extends boolean = false>(
    hook: K extends true ? ForwardPreHookWithKwargs<I> : ForwardPreHook<I>,
    options?: ForwardPreHookOptions<K>,
  ): RemovableHandle;
  registerForwardPreHook(hook: unknown, { prepend, withKwargs }: ForwardPreHookOptions<boolean> = {}): RemovableHandle {
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
  registerForwardHook(
    hook: unknown,
    { prepend, withKwargs, alwaysCall = false }: ForwardHookOptions<boolean> = {},
  ): RemovableHandle {
    const after = withKwargs
      ? forwardHookWithKwargs(hook as ForwardHookWithKwargs<unknown[], unknown>)
      : (hook as ForwardHook<unknown[], unknown>);
    return stateOf(this).hooks.forward.add({ after, alwaysCall }, prepend);
  }

  /** Calls `hook(module, gradOutputs)` before the module's backward. */
  registerFullBackwardPreHook(hook: BackwardPreHook, { prepend }: HookOptions = {}): RemovableHandle {
    return stateOf(this).hooks.backwardPre.add({ run: hook }, prepend);
  }

  /** Calls `hook(module, gradInputs, gradOutputs)` when the gradients of the module's inputs are known. */
  registerFullBackwardHook(hook: BackwardHook, { prepend }: HookOptions = {}): RemovableHandle {
    return stateOf(this).hooks.backward.add({ run: hook }, prepend);
  }

  /** Calls `hook(module, prefix, keepVars)` before the module's state is collected. */
  registerStateDictPreHook(hook: StateDictPreHook): RemovableHandle {
    return stateOf(this).stateHooks.savePre.add({ run: hook });
  }

  /** Calls `hook(module, stateDict, prefix, localMetadata)` when the module's state has been collected. */
  registerStateDictPostHook(hook: StateDictPostHook): RemovableHandle {
    return stateOf(this).stateHooks.savePost.add({ run: hook });
  }

  /**
   * Calls `hook(module, stateDict, prefix, localMetadata, strict, missingKeys, unexpectedKeys, errorMsgs)` before the
   * module takes its state.
   */
  registerLoadStateDictPreHook(hook: LoadStateDictPreHook): RemovableHandle {
    return stateOf(this).stateHooks.loadPre.add({ run: hook });
  }

  /** Calls `hook(module, incompatibleKeys)` when the module and all in it have taken their state. */
  registerLoadStateDictPostHook(hook: LoadStateDictPostHook): RemovableHandle {
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

function noExtraState(what: "get" | "set"): RuntimeError {
  return new RuntimeError(
    `Reached a code path in Module.${what}_extra_state() that should never be called. Please file an issue at https://github.com/pytorch/pytorch/issues/new?template=bug-report.yml to report this bug.`,
  );
}

/** All but the first line moved in by two, as inside a module's text. */
export function indented(text: string): string {
  return text
    .split("\n")
    .map((line, i) => (i === 0 || line.trim() === "" ? line : `  ${line}`))
    .join("\n");
}

const running: Module[] = [];

function callModule(module: Module, inputs: unknown[]): unknown {
  const { hooks } = stateOf(module);
  const recording = isRecording();
  if (recording) enterModule(pathFrom(running.at(-1) ?? null, module));
  running.push(module);
  try {
    return hasHooks(hooks) ? callWithHooks(module, hooks, inputs) : runForward(module, inputs);
  } finally {
    running.pop();
    if (recording) leaveModule();
  }
}
