/** A module's state as one flat dictionary, and back. */
import { noGrad } from "../autograd/mode.ts";
import { isOptions } from "../core/arguments.ts";
import { RuntimeError, TypeError } from "../core/errors.ts";
import { repr } from "../core/print.ts";
import { sameShape } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";
import type { Module } from "./module.ts";
import { Parameter, typeName } from "./parameter.ts";
import { stateOf } from "./state.ts";

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
}

export function stateDict(module: Module, { prefix = "", keepVars = false }: StateDictOptions = {}): StateDict {
  const state = Object.create(orderedDictPrototype) as StateDict;
  collect(module, prefix, keepVars, state);
  return state;
}

function collect(module: Module, prefix: string, keepVars: boolean, into: StateDict): void {
  for (const [name, tensor] of localState(module)) into[prefix + name] = keepVars ? tensor : tensor.detach();
  for (const [name, child] of stateOf(module).modules) {
    if (child) collect(child, `${prefix}${name}.`, keepVars, into);
  }
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
  const state = asMap(source);
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
  state: ReadonlyMap<string, unknown>,
  prefix: string,
  assign: boolean,
  keys: IncompatibleKeys,
  problems: string[],
): void {
  const local = localState(module);
  for (const [name, target] of local) {
    const key = prefix + name;
    if (state.has(key)) take(module, name, target, key, state.get(key), assign, problems);
    else keys.missingKeys.push(key);
  }
  const { modules } = stateOf(module);
  for (const key of state.keys()) {
    if (!key.startsWith(prefix)) continue;
    const [head, ...rest] = key.slice(prefix.length).split(".");
    const known = rest.length > 0 ? modules.has(head!) : local.has(head!);
    if (!known) keys.unexpectedKeys.push(key);
  }
  for (const [name, child] of modules) {
    if (!child) continue;
    const childPrefix = `${prefix}${name}.`;
    const part = new Map([...state].filter(([key]) => key.startsWith(childPrefix)));
    load(child, part, childPrefix, assign, keys, problems);
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
