/**
 * Registration by assignment: what is assigned to a module's attribute (in the constructor, or by a class field) is kept as
 * an ordinary property and, where it is a Parameter, a Buffer or a Module, listed as PyTorch lists it.
 */
import { snakeCase } from "../core/arguments.ts";
import { KeyError, TypeError, ValueError } from "../core/errors.ts";
import { Tensor } from "../core/tensor.ts";
import * as F from "./functional.ts";
import { Module } from "./module.ts";
import { Buffer, Parameter, typeName } from "./parameter.ts";
import { type ModuleState, stateOf } from "./state.ts";

/** The Proxy's traps. Reading needs none: registered values are properties of the target. */
export const registrationTraps: ProxyHandler<Module> = {
  set(target, name, value, receiver) {
    if (typeof name === "string" && assign(target, name, value)) return true;
    return Reflect.set(target, name, value, receiver);
  },
  // Class fields define instead of assigning.
  defineProperty(target, name, descriptor) {
    if (typeof name === "string" && "value" in descriptor && assign(target, name, descriptor.value)) return true;
    return Reflect.defineProperty(target, name, descriptor);
  },
  deleteProperty(target, name) {
    if (typeof name === "string") forget(stateOf(target), name);
    return Reflect.deleteProperty(target, name);
  },
};

/** Registers the value if it, or what the name stands for, is to be registered; says whether it did. */
function assign(target: Module, name: string, value: unknown): boolean {
  const state = stateOf(target);
  const absent = value === null || value === undefined;
  if (value instanceof Parameter) {
    if (!state.parameters.has(name)) clear(state, name);
    registerParameter(target, name, value);
  } else if (state.parameters.has(name)) {
    if (!absent) {
      throw new TypeError(
        `cannot assign '${typeName(value)}' as parameter '${name}' (torch.nn.Parameter or None expected)`,
        { hint: "wrap it: new nn.Parameter(tensor)" },
      );
    }
    registerParameter(target, name, null);
  } else if (value instanceof Module) {
    if (!state.modules.has(name)) clear(state, name);
    setChild(target, name, value);
  } else if (state.modules.has(name)) {
    if (!absent) {
      throw new TypeError(
        `cannot assign '${typeName(value)}' as child module '${name}' (torch.nn.Module or None expected)`,
      );
    }
    setChild(target, name, null);
  } else if (value instanceof Buffer || state.buffers.has(name)) {
    if (!absent && !(value instanceof Tensor)) {
      throw new TypeError(
        `cannot assign '${typeName(value)}' as buffer '${name}' (torch.nn.Buffer, torch.Tensor or None expected)`,
      );
    }
    if (!state.buffers.has(name)) clear(state, name);
    const persistent = value instanceof Buffer ? value.persistent : !state.transient.has(name);
    registerBuffer(target, name, absent ? null : (value as Tensor), persistent);
  } else return false;
  return true;
}

export function registerParameter(module: Module, name: string, parameter: Parameter | null): void {
  const { parameters } = stateOf(module);
  checkName("parameter", name, isTaken(module, name) && !parameters.has(name));
  if (parameter !== null && !(parameter instanceof Parameter)) {
    throw new TypeError(
      `cannot assign '${typeName(parameter)}' object to parameter '${name}' (torch.nn.Parameter or None required)`,
      { hint: "wrap it: new nn.Parameter(tensor)" },
    );
  }
  if (parameter?.gradFn) {
    throw new ValueError(
      `Cannot assign non-leaf Tensor to parameter '${name}'. Model parameters must be created explicitly. ` +
        `To express '${name}' as a function of another Tensor, compute the value in the forward() method.`,
    );
  }
  parameters.set(name, parameter);
  expose(module, name, parameter);
}

export function registerBuffer(module: Module, name: string, tensor: Tensor | null, persistent: boolean): void {
  const { buffers, transient } = stateOf(module);
  checkName("buffer", name, isTaken(module, name) && !buffers.has(name));
  if (tensor !== null && !(tensor instanceof Tensor)) {
    throw new TypeError(
      `cannot assign '${typeName(tensor)}' object to buffer '${name}' (torch Tensor or None required)`,
    );
  }
  buffers.set(name, tensor);
  if (persistent) transient.delete(name);
  else transient.add(name);
  expose(module, name, tensor);
}

export function addModule(parent: Module, name: string, child: Module | null): void {
  if (child !== null && !(child instanceof Module)) {
    throw notModule(child);
  }
  const taken = isTaken(parent, name) && !stateOf(parent).modules.has(name);
  if (typeof name !== "string") throw new TypeError(`module name should be a string. Got ${typeName(name)}`);
  if (taken) throw new KeyError(`attribute '${name}' already exists`);
  if (name.includes(".")) throw new KeyError(`module name can't contain ".", got: ${name}`);
  if (name === "") throw new KeyError('module name can\'t be empty string ""');
  setChild(parent, name, child);
}

/** What to say of a value where a module is meant: functions and classes are what is easily taken for one. */
export function notModule(value: unknown): TypeError {
  const functional = Object.entries(F).find(([, member]) => member === value)?.[0];
  const name = functional === undefined ? typeName(value) : `torch.nn.functional.${snakeCase(functional)}`;
  return new TypeError(`${name} is not a Module subclass`, { hint: hintFor(value) });
}

function hintFor(value: unknown): string | undefined {
  if (typeof value !== "function") return undefined;
  return value.prototype instanceof Module
    ? `that is the class; make one of it: new nn.${value.name}(…)`
    : "that is a function; call it in forward, or use the layer that does";
}

/** Replaces the whole list of children, as containers do when they renumber. */
export function replaceChildren(parent: Module, children: readonly (readonly [string, Module | null])[]): void {
  const state = stateOf(parent);
  for (const name of [...state.modules.keys()]) clear(state, name);
  for (const [name, child] of children) setChild(parent, name, child);
}

function setChild(parent: Module, name: string, child: Module | null): void {
  const { modules, self } = stateOf(parent);
  modules.set(name, child);
  if (child) stateOf(child).place = { parent: self, name };
  expose(parent, name, child);
}

/** A class field that is declared without a value is free still. */
function isTaken(module: Module, name: string): boolean {
  return name in module && Reflect.get(module, name) !== undefined;
}

function checkName(kind: "parameter" | "buffer", name: unknown, taken: boolean): void {
  if (typeof name !== "string") throw new TypeError(`${kind} name should be a string. Got ${typeName(name)}`);
  if (name.includes(".")) throw new KeyError(`${kind} name can't contain "."`);
  if (name === "") throw new KeyError(`${kind} name can't be empty string ""`);
  if (taken) throw new KeyError(`attribute '${name}' already exists`);
}

/** An ordinary property beside the entry in the lists, so that reading an attribute costs nothing. */
function expose(module: Module, name: string, value: unknown): void {
  Reflect.defineProperty(stateOf(module).target, name, { value, writable: true, enumerable: true, configurable: true });
}

/** Makes a name free for something of another kind. */
function clear(state: ModuleState, name: string): void {
  forget(state, name);
  Reflect.deleteProperty(state.target, name);
}

function forget(state: ModuleState, name: string): void {
  const child = state.modules.get(name);
  if (child) {
    const childState = stateOf(child);
    if (childState.place?.parent === state.self && childState.place.name === name) childState.place = null;
  }
  state.parameters.delete(name);
  state.buffers.delete(name);
  state.modules.delete(name);
  state.transient.delete(name);
}
