/** Modules that hold parameters. https://docs.pytorch.org/docs/2.13/nn.html#containers */
import { isOptions } from "../core/arguments.ts";
import { AttributeError, KeyError, RuntimeError, TypeError, ValueError } from "../core/errors.ts";
import { Tensor } from "../core/tensor.ts";
import { position } from "./containers.ts";
import { Module } from "./module.ts";
import { Parameter, typeName } from "./parameter.ts";
import { stateOf } from "./state.ts";

/**
 * A list of parameters that are registered; plain tensors put into it become parameters.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.ParameterList.html
 */
export class ParameterList extends Module implements Iterable<Parameter> {
  constructor(values: Iterable<Tensor> = []) {
    super();
    this.extend(values);
  }

  /** Number of parameters. */
  override get length(): number {
    return stateOf(this).parameters.size;
  }

  /** The parameter at a position; negative ones count from the end. @throws IndexError beyond */
  get(index: number): Parameter {
    return stateOf(this).parameters.get(String(position(index, this.length)))!;
  }

  /** The same as `get`. */
  at(index: number): Parameter {
    return this.get(index);
  }

  /** Puts a parameter in the place of another. */
  set(index: number, value: Tensor): void {
    this.registerParameter(String(position(index, this.length)), asParameter(value));
  }

  /** Adds a parameter at the end. */
  append(value: Tensor): this {
    this.registerParameter(String(this.length), asParameter(value));
    return this;
  }

  /** Adds parameters at the end. */
  extend(values: Iterable<Tensor>): this {
    const iterable = values as Partial<Iterable<Tensor>>;
    if (values instanceof Tensor || typeof iterable[Symbol.iterator] !== "function") {
      throw new TypeError(`ParameterList.extend should be called with an iterable, but got ${typeName(values)}`);
    }
    for (const value of values) this.append(value);
    return this;
  }

  /** A list of the parameters from `start` up to, not including, `end`; they are shared. */
  slice(start?: number, end?: number): ParameterList {
    return new ParameterList([...this].slice(start, end));
  }

  *[Symbol.iterator](): Iterator<Parameter> {
    for (const parameter of stateOf(this).parameters.values()) yield parameter!;
  }

  override extraRepr(): string {
    return Array.from(
      this,
      ({ dtype, shape }, i) => `  (${i}): Parameter containing: [${dtype} of size ${shape.join("x")}]`,
    ).join("\n");
  }

  /** @throws RuntimeError always: a list computes nothing */
  override forward(): never {
    throw new RuntimeError("ParameterList should not be called.");
  }
}

/** Anything but a tensor is left to the registration, which says what it takes. */
function asParameter(value: Tensor): Parameter {
  return value instanceof Tensor && !(value instanceof Parameter) ? new Parameter(value) : (value as Parameter);
}

/** Tensors by name: a plain object (sorted by name, as PyTorch sorts a dict), a Map or pairs (in their order). */
export type NamedTensors =
  | Readonly<Record<string, Tensor>>
  | ReadonlyMap<string, Tensor>
  | Iterable<readonly [string, Tensor]>;

function pairsOf(parameters: unknown): [string, Tensor][] {
  if (parameters instanceof ParameterDict) return [...parameters.items()];
  if (isOptions(parameters)) {
    return Object.entries(parameters as Record<string, Tensor>).sort(([a], [b]) => (a < b ? -1 : 1));
  }
  const iterable = parameters as Partial<Iterable<unknown>> | null | undefined;
  if (typeof iterable?.[Symbol.iterator] !== "function") {
    throw new TypeError(
      `ParametersDict.update should be called with an iterable of key/value pairs, but got ${typeName(parameters)}`,
    );
  }
  return Array.from(iterable as Iterable<unknown>, (pair, i) => {
    if (!Array.isArray(pair)) {
      throw new TypeError(`ParameterDict update sequence element #${i} should be Iterable; is${typeName(pair)}`);
    }
    if (pair.length !== 2) {
      throw new ValueError(`ParameterDict update sequence element #${i} has length ${pair.length}; 2 is required`);
    }
    return pair as [string, Tensor];
  });
}

/**
 * Parameters by name, registered; plain tensors put into it become parameters. Each is an attribute too: `dict.scale`.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.ParameterDict.html
 */
export class ParameterDict extends Module implements Iterable<string> {
  constructor(parameters?: NamedTensors | ParameterDict | null) {
    super();
    if (parameters !== null && parameters !== undefined) this.update(parameters);
  }

  /** Number of parameters. */
  override get length(): number {
    return stateOf(this).parameters.size;
  }

  /** The parameter of that name, or `fallback` where there is none. */
  get<T = null>(name: string, fallback: T = null as T): Parameter | T {
    return stateOf(this).parameters.get(name) ?? fallback;
  }

  /** Adds a parameter, or puts it in the place of another. */
  set(name: string, value: Tensor): this {
    if (typeof name !== "string") {
      throw new TypeError(
        `Index given to ParameterDict cannot be used as a key as it is not a string (type is '${typeName(name)}'). Open an issue on github if you need non-string keys.`,
      );
    }
    this.registerParameter(name, asParameter(value));
    return this;
  }

  has(name: string): boolean {
    return stateOf(this).parameters.has(name);
  }

  /** The parameter of that name; where there is none, `value` is added first. */
  setdefault(name: string, value: Tensor): Parameter {
    if (!this.has(name)) this.set(name, value);
    return this.get(name) as unknown as Parameter;
  }

  /** Takes a parameter out. @throws KeyError where there is none */
  delete(name: string): void {
    if (!this.has(name)) throw new KeyError(`'${name}'`);
    Reflect.deleteProperty(stateOf(this).self, name);
  }

  /** Takes a parameter out and returns it. @throws AttributeError where there is none */
  pop(name: string): Parameter {
    const parameter = this.get(name);
    if (!parameter) throw new AttributeError(`'${this.constructor.name}' object has no attribute '${name}'`);
    this.delete(name);
    return parameter;
  }

  /** Takes the last pair out and returns it. @throws KeyError where there is none */
  popitem(): [string, Parameter] {
    const last = [...this.items()].at(-1);
    if (!last) throw new KeyError("'popitem(): dictionary is empty'");
    this.delete(last[0]);
    return last;
  }

  clear(): void {
    for (const name of [...this.keys()]) this.delete(name);
  }

  /** Adds or replaces parameters by name. */
  update(parameters: NamedTensors | ParameterDict): this {
    for (const [name, value] of pairsOf(parameters)) this.set(name, value);
    return this;
  }

  /** Another dictionary of the same parameters. */
  copy(): ParameterDict {
    return new ParameterDict(this);
  }

  /** A new dictionary with the same value under every name. */
  fromkeys(names: Iterable<string>, value: Tensor): ParameterDict {
    return new ParameterDict(Array.from(names, (name) => [name, value] as const));
  }

  keys(): IterableIterator<string> {
    return stateOf(this).parameters.keys();
  }

  values(): IterableIterator<Parameter> {
    return stateOf(this).parameters.values() as IterableIterator<Parameter>;
  }

  /** Pairs of name and parameter. */
  items(): IterableIterator<[string, Parameter]> {
    return stateOf(this).parameters.entries() as IterableIterator<[string, Parameter]>;
  }

  /** The names, as Python's dictionaries are iterated. */
  [Symbol.iterator](): IterableIterator<string> {
    return this.keys();
  }

  override extraRepr(): string {
    return Array.from(
      this.items(),
      ([name, value]) => `  (${name}): Parameter containing: [${typeName(value)} of size ${value.shape.join("x")}]`,
    ).join("\n");
  }

  /** @throws RuntimeError always: a dictionary computes nothing */
  override forward(): never {
    throw new RuntimeError("ParameterDict should not be called.");
  }
}
