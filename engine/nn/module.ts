/**
 * nn.Module: the base class of everything that has parameters. An instance is a function (`model(x)` runs its forward and
 * its hooks) that looks like an object: its constructor returns a Proxy over a function whose prototype is the class's, so
 * that parameters, buffers and modules register by mere assignment.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Module.html
 */
import { isOptions } from "../core/arguments.ts";
import { type Device, device as toDevice } from "../core/device.ts";
import { DType, float32, float64 } from "../core/dtype.ts";
import { AttributeError, NotImplementedError, TypeError, ValueError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import { enterModule, isRecording, leaveModule } from "../inspect/recorder.ts";
import { convertTensor } from "./convert.ts";
import {
  type BackwardHook,
  type BackwardPreHook,
  callWithHooks,
  type ForwardHook,
  type ForwardHookOptions,
  type ForwardPreHook,
  type HookOptions,
  hasHooks,
  type RemovableHandle,
} from "./hooks.ts";
import type { BufferOptions, Parameter } from "./parameter.ts";
import { addModule, registerBuffer, registerParameter, registrationTraps } from "./registration.ts";
import { createState, stateOf } from "./state.ts";
import {
  type IncompatibleKeys,
  type LoadStateDictOptions,
  loadStateDict,
  type StateDict,
  type StateDictOptions,
  stateDict,
} from "./state_dict.ts";

export interface NamedOptions {
  /** Put in front of every name. Default "". */
  prefix?: string;
  /** Default true; false: of this module only. */
  recurse?: boolean;
  /** Names each tensor once, even where it is registered twice. Default true. */
  removeDuplicate?: boolean;
}

/** What a module accepts as the target of `to`. */
export interface ToOptions {
  dtype?: DType | null;
  device?: Device | string | null;
}

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
   * Moves parameters and buffers to a device, or converts the floating ones to a dtype. They stay the same objects, so an
   * optimizer made before keeps working.
   */
  to(target: DType | Device | string | ToOptions): this {
    const { dtype = null, device = null } =
      target instanceof DType
        ? { dtype: target }
        : isOptions(target)
          ? (target as ToOptions)
          : { device: target as string };
    const place = device === null ? null : toDevice(device);
    if (dtype && !dtype.isFloatingPoint) {
      throw new TypeError(`nn.Module.to only accepts floating point or complex dtypes, but got desired dtype=${dtype}`);
    }
    for (const module of this.modules()) {
      const { parameters, buffers } = stateOf(module);
      for (const tensor of [...parameters.values(), ...buffers.values()]) {
        if (tensor) convertTensor(tensor, dtype, place);
      }
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
      if (setToNone || !parameter.grad) parameter.grad = null;
      else parameter.grad = parameter.grad.detach().zero_();
    }
  }

  /** Sets whether the parameters are learned. */
  requiresGrad_(requiresGrad = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad = requiresGrad;
    return this;
  }

  // ---- state

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

  /** Calls `hook(module, inputs)` before every forward. */
  registerForwardPreHook<I extends readonly unknown[] = Tensor[]>(
    hook: ForwardPreHook<I>,
    { prepend }: HookOptions = {},
  ): RemovableHandle {
    return stateOf(this).hooks.forwardPre.add({ run: hook as unknown as ForwardPreHook<unknown[]> }, prepend);
  }

  /** Calls `hook(module, inputs, output)` after every forward. */
  registerForwardHook<I extends readonly unknown[] = Tensor[], O = Tensor>(
    hook: ForwardHook<I, O>,
    { prepend, alwaysCall = false }: ForwardHookOptions = {},
  ): RemovableHandle {
    const run = hook as unknown as ForwardHook<unknown[], unknown>;
    return stateOf(this).hooks.forward.add({ run, alwaysCall }, prepend);
  }

  /** Calls `hook(module, gradOutputs)` before the module's backward. */
  registerFullBackwardPreHook(hook: BackwardPreHook, { prepend }: HookOptions = {}): RemovableHandle {
    return stateOf(this).hooks.backwardPre.add({ run: hook }, prepend);
  }

  /** Calls `hook(module, gradInputs, gradOutputs)` when the gradients of the module's inputs are known. */
  registerFullBackwardHook(hook: BackwardHook, { prepend }: HookOptions = {}): RemovableHandle {
    return stateOf(this).hooks.backward.add({ run: hook }, prepend);
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
    return hasHooks(hooks) ? callWithHooks(module, hooks, inputs) : module.forward(...inputs);
  } finally {
    running.pop();
    if (recording) leaveModule();
  }
}

/** The module's dotted name seen from the one that calls it (from the outermost where none does); "" if it isn't inside. */
function pathFrom(caller: Module | null, module: Module): string {
  const names: string[] = [];
  const seen = new Set<Module>();
  for (let current = module; current !== caller && !seen.has(current); ) {
    seen.add(current);
    const { place } = stateOf(current);
    if (!place) return caller ? "" : names.join(".");
    names.unshift(place.name);
    current = place.parent;
  }
  return names.join(".");
}

function* walkModules(module: Module, prefix: string, seen: Set<Module> | null): Generator<[string, Module]> {
  if (seen?.has(module)) return;
  seen?.add(module);
  yield [prefix, module];
  for (const [name, child] of stateOf(module).modules) {
    if (child) yield* walkModules(child, prefix === "" ? name : `${prefix}.${name}`, seen);
  }
}

function* namedMembers<T extends Tensor>(
  module: Module,
  members: (module: Module) => ReadonlyMap<string, T | null>,
  { prefix = "", recurse = true, removeDuplicate = true }: NamedOptions,
): Generator<[string, T]> {
  const seen = new Set<T>();
  const modules: Iterable<[string, Module]> = recurse
    ? module.namedModules({ prefix, removeDuplicate })
    : [[prefix, module]];
  for (const [path, part] of modules) {
    for (const [name, tensor] of members(part)) {
      if (!tensor || seen.has(tensor)) continue;
      if (removeDuplicate) seen.add(tensor);
      yield [path === "" ? name : `${path}.${name}`, tensor];
    }
  }
}

function getMember<T extends Tensor>(
  module: Module,
  target: string,
  members: (module: Module) => ReadonlyMap<string, T | null>,
  kind: string,
): T {
  const dot = target.lastIndexOf(".");
  const owner = module.getSubmodule(dot < 0 ? "" : target.slice(0, dot));
  const name = target.slice(dot + 1);
  if (!(name in owner)) throw new AttributeError(`${owner.constructor.name} has no attribute \`${name}\``);
  const member = members(owner).get(name);
  if (!member) throw new AttributeError(`\`${name}\` is not ${kind}`);
  return member;
}
