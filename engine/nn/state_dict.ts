/** A module's state as one flat dictionary, and back. */
import { noGrad } from "../autograd/mode.ts";
import { isOptions } from "../core/arguments.ts";
import { AssertionError, RuntimeError, TypeError } from "../core/errors.ts";
import { repr } from "../core/print.ts";
import { sameShape } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";
import type { Module } from "./module.ts";
import { Parameter, typeName } from "./parameter.ts";
import { stateOf } from "./state.ts";
import { isLazy } from "./uninitialized.ts";

/** Tensors by dotted name, in the order of registration: `state["conv1.weight"]`. */
export type StateDict = Record<string, Tensor>;

/** Prints as Python's OrderedDict; apart from that an object like any other. */
const orderedDictPrototype: object = Object.defineProperty(Object.create(null), "toString", {
  value(this: StateDict) {
    const entries = Object.entries(this);
    return entries.length === 0 ? "OrderedDict()" : `OrderedDict([${entries.map(pairRepr).join(", ")}])`;
  },
});

function pairRepr([key, value]: [string, unknown]): string {
  return `(${repr(key)}, ${repr(value)})`;
}

export interface StateDictOptions {
  /** Put in front of every name. Default "". */
  prefix?: string;
  /** Gives the parameters themselves instead of detached tensors over the same storage. Default false. */
  keepVars?: boolean;
  /** A dictionary that the state is added to. Default: a new one. */
  destination?: StateDict | null;
}

export function stateDict(
  module: Module,
  { prefix = "", keepVars = false, destination = null }: StateDictOptions = {},
): StateDict {
  const state = destination ?? (Object.create(orderedDictPrototype) as StateDict);
  collect(module, prefix, keepVars, state);
  return state;
}

/** What PyTorch notes about each module's state; its number has been 1 since version 0.4. */
const LOCAL_METADATA = Object.freeze({ version: 1 });

function collect(module: Module, prefix: string, keepVars: boolean, into: StateDict): void {
  const { modules, stateHooks, self } = stateOf(module);
  for (const { run } of stateHooks.savePre) run(self, prefix, keepVars);
  for (const [name, tensor] of localState(module)) {
    into[prefix + name] = keepVars || isLazy(tensor) ? tensor : tensor.detach();
  }
  // Whatever a class's own getExtraState gives lies among the tensors.
  if (hasExtraState(module, "getExtraState")) into[prefix + EXTRA_STATE] = self.getExtraState() as Tensor;
  for (const [name, child] of modules) {
    // A subclass may have its own way of saving.
    child?.stateDict({ destination: into, prefix: `${prefix}${name}.`, keepVars });
  }
  for (const { run } of stateHooks.savePost) {
    const returned = run(self, into, prefix, LOCAL_METADATA);
    if (returned !== undefined && returned !== null) throw new RuntimeError("state_dict post-hook must return None");
  }
}

const EXTRA_STATE = "_extra_state";

/** Whether a class has defined the method itself. */
function hasExtraState(module: Module, method: "getExtraState" | "setExtraState"): boolean {
  return module[method] !== extraStateDefaults?.[method];
}

let extraStateDefaults: Pick<Module, "getExtraState" | "setExtraState"> | null = null;

/** The base class's own methods, which mean that there is no extra state; module.ts hands them in, being loaded later. */
export function setExtraStateDefaults(defaults: Pick<Module, "getExtraState" | "setExtraState">): void {
  extraStateDefaults = defaults;
}

/** What stateDict holds of a module itself. */
function localState(module: Module): Map<string, Tensor> {
  const { parameters, buffers, transient } = stateOf(module);
  const local = new Map<string, Tensor>();
  for (const [name, tensor] of parameters) if (tensor) local.set(name, tensor);
  for (const [name, tensor] of buffers) if (tensor && !transient.has(name)) local.set(name, tensor);
  return local;
}

export interface LoadStateDictOptions {
  /** Whether the names have to be exactly those of this module. Default true. */
  strict?: boolean;
  /** Takes the given tensors themselves instead of copying their values. Default false. */
  assign?: boolean;
}

/** What `loadStateDict` did not find, and what it found and had no place for. */
export class IncompatibleKeys {
  readonly missingKeys: string[] = [];
  readonly unexpectedKeys: string[] = [];

  toString(): string {
    if (this.missingKeys.length === 0 && this.unexpectedKeys.length === 0) return "<All keys matched successfully>";
    return `_IncompatibleKeys(missing_keys=${repr(this.missingKeys)}, unexpected_keys=${repr(this.unexpectedKeys)})`;
  }
}

export function loadStateDict(
  module: Module,
  source: StateDict | ReadonlyMap<string, Tensor>,
  { strict = true, assign = false }: LoadStateDictOptions = {},
): IncompatibleKeys {
  const state = new Map(asMap(source));
  const keys = new IncompatibleKeys();
  const problems: string[] = [];
  load(module, state, "", assign, keys, problems);
  if (strict) {
    const list = (names: string[]) => names.map((name) => `"${name}"`).join(", ");
    if (keys.unexpectedKeys.length > 0) {
      problems.unshift(`Unexpected key(s) in state_dict: ${list(keys.unexpectedKeys)}. `);
    }
    if (keys.missingKeys.length > 0) problems.unshift(`Missing key(s) in state_dict: ${list(keys.missingKeys)}. `);
  }
  if (problems.length > 0) {
    throw new RuntimeError(
      `Error(s) in loading state_dict for ${module.constructor.name}:\n\t${problems.join("\n\t")}`,
    );
  }
  return keys;
}

function asMap(source: unknown): ReadonlyMap<string, unknown> {
  if (source instanceof Map) return source;
  if (
    isOptions(source) ||
    (typeof source === "object" && source && Object.getPrototypeOf(source) === orderedDictPrototype)
  ) {
    return new Map(Object.entries(source as object));
  }
  throw new TypeError(`Expected state_dict to be dict-like, got <class '${typeName(source)}'>.`);
}

function load(
  module: Module,
  state: Map<string, unknown>,
  prefix: string,
  assign: boolean,
  keys: IncompatibleKeys,
  problems: string[],
): void {
  const { modules, stateHooks, self } = stateOf(module);
  const { missingKeys, unexpectedKeys } = keys;
  const tensors = state as Map<string, Tensor>;
  for (const { run } of stateHooks.loadPre) {
    run(self, tensors, prefix, LOCAL_METADATA, true, missingKeys, unexpectedKeys, problems);
  }
  const local = localState(module);
  for (const [name, target] of local) {
    const key = prefix + name;
    if (state.has(key)) take(module, name, target, key, state.get(key), assign, problems);
    else missingKeys.push(key);
  }
  const extraKey = prefix + EXTRA_STATE;
  const takesExtra = hasExtraState(module, "setExtraState");
  if (takesExtra && state.has(extraKey)) self.setExtraState(state.get(extraKey));
  else if (takesExtra) missingKeys.push(extraKey);
  else if (state.has(extraKey)) unexpectedKeys.push(extraKey);
  for (const key of state.keys()) {
    if (!key.startsWith(prefix) || key === extraKey) continue;
    const [head, ...rest] = key.slice(prefix.length).split(".");
    const known = rest.length > 0 ? modules.has(head!) : local.has(head!);
    if (!known) unexpectedKeys.push(key);
  }
  for (const [name, child] of modules) {
    if (!child) continue;
    const childPrefix = `${prefix}${name}.`;
    const part = new Map([...state].filter(([key]) => key.startsWith(childPrefix)));
    load(child, part, childPrefix, assign, keys, problems);
  }
  for (const { run } of stateHooks.loadPost) {
    const returned = run(self, keys);
    if (returned === undefined || returned === null) continue;
    throw new AssertionError(
      "Hooks registered with ``register_load_state_dict_post_hook`` are not expected to return new values, if incompatible_keys need to be modified, it should be done inplace.",
    );
  }
}

/** Takes one value from the dictionary, or notes why it does not fit. */
function take(
  module: Module,
  name: string,
  target: Tensor,
  key: string,
  given: unknown,
  assign: boolean,
  problems: string[],
): void {
  if (!(given instanceof Tensor)) {
    problems.push(
      `While copying the parameter named "${key}", expected torch.Tensor or Tensor-like object from checkpoint but received <class '${typeName(given)}'>`,
    );
    return;
  }
  if (isLazy(target)) return;
  // A scalar was once stored as a vector of one.
  const value = target.ndim === 0 && given.ndim === 1 && given.shape[0] === 1 ? given.at(0) : given;
  if (!sameShape(value.shape, target.shape)) {
    problems.push(
      `size mismatch for ${key}: copying a param with shape ${value.shape} from checkpoint, the shape in current model is ${target.shape}.`,
    );
    return;
  }
  if (!assign) {
    noGrad(() => target.copy_(value));
    return;
  }
  const replacement =
    target instanceof Parameter && !(value instanceof Parameter)
      ? new Parameter(value, { requiresGrad: target.requiresGrad })
      : value;
  if (target instanceof Parameter) replacement.requiresGrad = target.requiresGrad;
  Reflect.set(module, name, replacement);
}

/** What a module says that keeps nothing but parameters and buffers. */
export function noExtraState(what: "get" | "set"): RuntimeError {
  return new RuntimeError(
    `Reached a code path in Module.${what}_extra_state() that should never be called. Please file an issue at https://github.com/pytorch/pytorch/issues/new?template=bug-report.yml to report this bug.`,
  );
}
