/** Functions that a module calls around saving and loading its state. */
import type { Tensor } from "../core/tensor.ts";
import { HookList } from "./hooks.ts";
import type { Module } from "./module.ts";
import type { IncompatibleKeys, StateDict } from "./state_dict.ts";

/** Called before a module's state is collected. */
export type StateDictPreHook = (module: Module, prefix: string, keepVars: boolean) => unknown;
/** Called when a module's state has been collected; may change the dictionary, must return nothing. */
export type StateDictPostHook = (
  module: Module,
  stateDict: StateDict,
  prefix: string,
  localMetadata: Readonly<Record<string, unknown>>,
) => unknown;
/** Called before a module takes its state; may change the dictionary and the lists. */
export type LoadStateDictPreHook = (
  module: Module,
  stateDict: Map<string, Tensor>,
  prefix: string,
  localMetadata: Readonly<Record<string, unknown>>,
  strict: boolean,
  missingKeys: string[],
  unexpectedKeys: string[],
  errorMsgs: string[],
) => unknown;
/** Called when a module and all in it have taken their state; may change the lists, must return nothing. */
export type LoadStateDictPostHook = (module: Module, incompatibleKeys: IncompatibleKeys) => unknown;

export interface StateHooks {
  savePre: HookList<{ run: StateDictPreHook }>;
  savePost: HookList<{ run: StateDictPostHook }>;
  loadPre: HookList<{ run: LoadStateDictPreHook }>;
  loadPost: HookList<{ run: LoadStateDictPostHook }>;
}

export function createStateHooks(): StateHooks {
  return { savePre: new HookList(), savePost: new HookList(), loadPre: new HookList(), loadPost: new HookList() };
}
