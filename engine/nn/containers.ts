/** Modules that hold modules. https://docs.pytorch.org/docs/2.13/nn.html#containers */
import { isOptions } from "../core/arguments.ts";
import { IndexError, KeyError, TypeError, ValueError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import { assertCallable } from "./hooks.ts";
import { Module } from "./module.ts";
import { typeName } from "./parameter.ts";
import { notModule, replaceChildren } from "./registration.ts";
import { stateOf } from "./state.ts";
import { indented } from "./text.ts";

/** Modules by name, in order: a plain object, or a Map where a name looks like a number. */
export type NamedModules = Readonly<Record<string, Module>> | ReadonlyMap<string, Module>;

function entriesOf(modules: NamedModules): [string, Module][] {
  if (modules instanceof Map) return [...modules];
  if (isOptions(modules)) return Object.entries(modules as Readonly<Record<string, Module>>);
  if (typeof (modules as Partial<Iterable<unknown>>)?.[Symbol.iterator] === "function")
    return pairsOf(modules as Iterable<unknown>);
  throw new TypeError(
    `ModuleDict.update should be called with an iterable of key/value pairs, but got ${typeName(modules)}`,
  );
}

/** Pairs of name and module, as PyTorch takes them besides dictionaries. */
function pairsOf(modules: Iterable<unknown>): [string, Module][] {
  return Array.from(modules, (pair, i) => {
    const element = `ModuleDict update sequence element #${i}`;
    const size = Array.isArray(pair) || typeof pair === "string" ? pair.length : null;
    if (size === null) {
      throw new TypeError(`${element} should be Iterable; is${typeName(pair)}`, {
        hint: "give each module a name: new nn.ModuleDict({ first: module })",
      });
    }
    if (size !== 2) throw new ValueError(`${element} has length ${size}; 2 is required`);
    return pair as [string, Module];
  });
}

function childEntries(module: Module): [string, Module][] {
  return [...stateOf(module).modules] as [string, Module][];
}

/** Position from -length to length-1 as 0 to length-1. @throws IndexError beyond */
export function position(index: number, length: number): number {
  if (!Number.isInteger(index) || index < -length || index >= length)
    throw new IndexError(`index ${index} is out of range`);
  return index < 0 ? index + length : index;
}

function renumber(list: Module, modules: readonly Module[]): void {
  replaceChildren(
    list,
    modules.map((module, i) => [String(i), module]),
  );
}

/** What Sequential and ModuleList share: modules by position. */
// biome-ignore lint/correctness/noUnusedVariables: it is merged into the class below.
interface IndexedModules<M extends Module = Module> {
  /** The module at a position from 0 on; undefined beyond, where `get` throws. `get` takes negative positions, too. */
  readonly [index: number]: M;
}

// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: registered modules are properties named by their positions.
abstract class IndexedModules<M extends Module = Module> extends Module implements Iterable<M> {
  /** Number of modules. */
  override get length(): number {
    return stateOf(this).modules.size;
  }

  /** The module at a position; negative ones count from the end. @throws IndexError beyond */
  get(index: number): M {
    return childEntries(this)[position(index, this.length)]![1] as M;
  }

  /** The same as `get`. */
  at(index: number): M {
    return this.get(index);
  }

  /** Puts a module in the place of another. */
  set(index: number, module: M): void {
    const name = childEntries(this)[position(index, this.length)]![0];
    Reflect.set(stateOf(this).self, name, module);
  }

  /** Adds a module at the end. */
  append(module: M): this {
    this.addModule(String(this.length), module);
    return this;
  }

  /** Adds modules at the end. */
  extend(modules: Iterable<M>): this {
    for (const module of [...modules]) this.append(module);
    return this;
  }

  /** Adds a module before the one at `index`; all are renumbered. */
  insert(index: number, module: M): this {
    const { length } = this;
    if (index < -length || index > length) throw new IndexError(`Index out of range: ${index}`);
    if (!(module instanceof Module)) throw notModule(module);
    renumber(this, [...this].toSpliced(index < 0 ? index + length : index, 0, module));
    return this;
  }

  /** Takes a module out and returns it; the rest is renumbered. */
  pop(index = -1): M {
    const module = this.get(index);
    this.delete(index);
    return module;
  }

  /** Takes a module out; the rest is renumbered. */
  delete(index: number): void {
    renumber(this, [...this].toSpliced(position(index, this.length), 1));
  }

  *[Symbol.iterator](): Iterator<M> {
    for (const [, module] of childEntries(this)) yield module as M;
  }
}

/**
 * Modules one after the other, each fed with the output of the one before.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.Sequential.html
 *
 *     new nn.Sequential(new nn.Flatten(), new nn.Linear(12, 2))
 *     new nn.Sequential({ flat: new nn.Flatten(), head: new nn.Linear(12, 2) })
 */
export class Sequential extends IndexedModules {
  constructor(...modules: Module[]);
  constructor(modules: NamedModules);
  constructor(...given: unknown[]) {
    super();
    const [first] = given;
    const named = given.length === 1 && (isOptions(first) || first instanceof Map);
    const modules = named ? entriesOf(first as NamedModules) : given.map((module, i) => [String(i), module] as const);
    for (const [name, module] of modules) this.addModule(name, module as Module);
  }

  /** Runs the modules in order. */
  override forward(input: Tensor): Tensor {
    let value = input;
    for (const module of this) {
      assertCallable(module);
      value = module(value);
    }
    return value;
  }

  /** A Sequential of the modules from `start` up to, not including, `end`; they are shared, and keep their names. */
  slice(start?: number, end?: number): Sequential {
    return new Sequential(new Map(childEntries(this).slice(start, end)));
  }
}

/**
 * A list of modules that are registered; it has no forward of its own.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.ModuleList.html
 */
export class ModuleList<M extends Module = Module> extends IndexedModules<M> {
  constructor(modules: Iterable<M> | null = []) {
    super();
    if (modules === null) return;
    if (typeof (modules as Partial<Iterable<M>>)[Symbol.iterator] !== "function") {
      throw new TypeError(`ModuleList.extend should be called with an iterable, but got ${typeName(modules)}`, {
        hint: "put the modules into one array: new nn.ModuleList([a, b])",
      });
    }
    this.extend(modules);
  }

  /** A list of the modules from `start` up to, not including, `end`; they are shared. */
  slice(start?: number, end?: number): ModuleList<M> {
    return new ModuleList<M>([...this].slice(start, end));
  }

  /** Neighbours with the same text are written once: `(0-2): 3 x Linear(…)`. */
  override toString(): string {
    const blocks: { text: string; first: number; last: number }[] = [];
    [...this].forEach((module, i) => {
      const text = String(module ?? "None");
      const previous = blocks.at(-1);
      if (previous?.text === text) previous.last = i;
      else blocks.push({ text, first: i, last: i });
    });
    const name = this.constructor.name;
    if (blocks.length === 0) return `${name}()`;
    const lines = blocks.map(({ text, first, last }) =>
      indented(first === last ? `(${first}): ${text}` : `(${first}-${last}): ${last - first + 1} x ${text}`),
    );
    return `${name}(\n  ${lines.join("\n  ")}\n)`;
  }
}

/**
 * Modules by name, registered; it has no forward of its own.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.ModuleDict.html
 */
export class ModuleDict extends Module implements Iterable<string> {
  constructor(modules: NamedModules | null = {}) {
    super();
    if (modules !== null) this.update(modules);
  }

  /** Number of modules. */
  override get length(): number {
    return stateOf(this).modules.size;
  }

  /** The module of that name. @throws KeyError where there is none */
  get(name: string): Module {
    const module = stateOf(this).modules.get(name);
    if (!module) throw new KeyError(`'${name}'`);
    return module;
  }

  /** Adds a module, or puts it in the place of another. */
  set(name: string, module: Module): this {
    this.addModule(name, module);
    return this;
  }

  has(name: string): boolean {
    return stateOf(this).modules.has(name);
  }

  /** Takes a module out. @throws KeyError where there is none */
  delete(name: string): void {
    this.get(name);
    Reflect.deleteProperty(stateOf(this).self, name);
  }

  /** Takes a module out and returns it. */
  pop(name: string): Module {
    const module = this.get(name);
    this.delete(name);
    return module;
  }

  clear(): void {
    replaceChildren(this, []);
  }

  /** Adds or replaces modules by name. */
  update(modules: NamedModules | ModuleDict): this {
    const entries = modules instanceof ModuleDict ? [...modules.items()] : entriesOf(modules as NamedModules);
    for (const [name, module] of entries) this.set(name, module);
    return this;
  }

  keys(): IterableIterator<string> {
    return stateOf(this).modules.keys();
  }

  values(): IterableIterator<Module> {
    return stateOf(this).modules.values() as IterableIterator<Module>;
  }

  /** Pairs of name and module. */
  items(): IterableIterator<[string, Module]> {
    return stateOf(this).modules.entries() as IterableIterator<[string, Module]>;
  }

  /** The names, as Python's dictionaries are iterated. */
  [Symbol.iterator](): IterableIterator<string> {
    return this.keys();
  }
}
