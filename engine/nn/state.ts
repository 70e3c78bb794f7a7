/**
 * What a module keeps behind its attributes, shared by the files of this folder. A module is a Proxy over a function, so
 * private fields of its class would not be reachable; a WeakMap keeps this part off the public surface.
 */
import type { Tensor } from "../core/tensor.ts";
import { createHooks, type ModuleHooks } from "./hooks.ts";
import type { Module } from "./module.ts";
import type { Parameter } from "./parameter.ts";
import { createStateHooks, type StateHooks } from "./state_hooks.ts";

export type Forward = (...inputs: unknown[]) => unknown;

export interface ModuleState {
  /** The proxy: the module as everyone sees it. */
  readonly self: Module;
  /** The function behind the proxy: writing here registers nothing. */
  readonly target: Module;
  /** In order of registration; null where the name is taken and nothing is there (`bias: false`). */
  parameters: Map<string, Parameter | null>;
  buffers: Map<string, Tensor | null>;
  modules: Map<string, Module | null>;
  /** Names of buffers that stateDict leaves out. */
  transient: Set<string>;
  hooks: ModuleHooks;
  stateHooks: StateHooks;
  /** The forward that was called last, and how many inputs it names. */
  forward: Forward | null;
  inputCount: number;
  /** Where the module was registered last; names it in records. */
  place: { parent: Module; name: string } | null;
}

const states = new WeakMap<object, ModuleState>();

/** Gives a new module its state, found by the proxy that everyone sees and by the function behind it. */
export function createState(module: Module, target: Module): void {
  const state: ModuleState = {
    self: module,
    target,
    parameters: new Map(),
    buffers: new Map(),
    modules: new Map(),
    transient: new Set(),
    hooks: createHooks(),
    stateHooks: createStateHooks(),
    forward: null,
    inputCount: 0,
    place: null,
  };
  states.set(module, state);
  states.set(target, state);
}

export function stateOf(module: Module): ModuleState {
  return states.get(module)!;
}
