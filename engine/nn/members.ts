/** Walking a module's parts by name. */
import { bind } from "../core/arguments.ts";
import { AttributeError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Module } from "./module.ts";
import { stateOf } from "./state.ts";

export interface NamedOptions {
  /** Put in front of every name. Default "". */
  prefix?: string;
  /** Default true; false: of this module only. */
  recurse?: boolean;
  /** Names each tensor once, even where it is registered twice. Default true. */
  removeDuplicate?: boolean;
}

/** The module's dotted name seen from the one that calls it (from the outermost where none does); "" if it isn't inside. */
export function pathFrom(caller: Module | null, module: Module): string {
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

export function* walkModules(module: Module, prefix: string, seen: Set<Module> | null): Generator<[string, Module]> {
  if (seen?.has(module)) return;
  seen?.add(module);
  yield [prefix, module];
  for (const [name, child] of stateOf(module).modules) {
    if (child) yield* walkModules(child, prefix === "" ? name : `${prefix}.${name}`, seen);
  }
}

export function* namedMembers<T extends Tensor>(
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

export function getMember<T extends Tensor>(
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

/** Whether what lies in the modules inside counts, too. */
export interface RecurseOption {
  /** Default true. */
  recurse?: boolean;
}

export function recurseOption(method: string, given: boolean | RecurseOption): RecurseOption {
  return bind<RecurseOption>(method, ["recurse"], [given]);
}

/** The second of each pair. */
export function* values<T>(entries: Iterable<readonly [string, T]>): Generator<T, void, undefined> {
  for (const [, value] of entries) yield value;
}
