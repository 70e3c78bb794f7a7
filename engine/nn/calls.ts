/**
 * What a module's forward takes, checked before it runs: JavaScript drops surplus arguments without a word and fills missing
 * ones with undefined, where Python raises TypeError.
 */
import { bind, isOptions, missingArguments } from "../core/arguments.ts";
import type { Module } from "./module.ts";
import type { Forward, ModuleState } from "./state.ts";

/** The inputs of one of the library's own layers, all of them required. */
interface Layer {
  /** The class that has the forward, as PyTorch calls it. */
  readonly name: string;
  /** Names of the inputs as `bind` takes them. */
  readonly params: readonly string[];
  /** Whether the one input may be a plain object: it is handed on, and is no options. */
  readonly handsOn: boolean;
}

/** By forward, not by class: a subclass with a forward of its own has its own inputs. */
const layers = new WeakMap<Forward, Layer>();

/** Says what the inputs of a layer of this library are called; its source may have been shortened. */
export function declareLayer(forward: Forward, layer: Layer): void {
  if (!layers.has(forward)) layers.set(forward, layer);
}

/** Whether a call needs no closer look: most have as many inputs as forward names, and tensors only. */
function isPlain(state: ModuleState, forward: Forward, inputs: readonly unknown[]): boolean {
  // The length of a function takes longer to read than all the rest here.
  if (forward !== state.forward) {
    state.forward = forward;
    state.inputCount = forward.length;
  }
  const count = inputs.length;
  if (count !== state.inputCount) return false;
  const last = inputs[count - 1];
  return last !== undefined && !isOptions(last);
}

/**
 * Runs forward with the inputs that it takes: the library's layers take theirs by keyword as well.
 * @throws TypeError for inputs too many or too few, or an unknown keyword
 */
export function runForward(state: ModuleState, inputs: unknown[]): unknown {
  const { self, target } = state;
  // Read from behind the proxy, which would cost as much as the whole check.
  const forward: Forward = target.forward;
  return forward.call(self, ...(isPlain(state, forward, inputs) ? inputs : settled(self, forward, inputs)));
}

function settled(module: Module, forward: Forward, inputs: unknown[]): unknown[] {
  const layer = layers.get(forward);
  if (layer) {
    const { name, params, handsOn } = layer;
    if (handsOn && inputs.length === 1 && inputs[0] !== undefined) return inputs;
    const bound = bind<Record<string, unknown>>(`${name}.forward`, params, inputs);
    return params.map((param) => bound[param.slice(1)]);
  }
  const params = parametersOf(forward);
  if (params === null) return inputs;
  if (inputs.length === 0 && forward.length > 0) {
    // A TypeScript `x?: Tensor` looks like a required one, so with some inputs given the others may be meant to be absent.
    throw missingArguments(`${ownerName(module)}.forward`, params.slice(0, forward.length), {
      hint: `an input that may be left out needs a default: forward(${params[0]} = null)`,
    });
  }
  if (inputs.length <= params.length) return inputs;
  const required = params.map((name, i) => (i < forward.length ? `!${name}` : name));
  bind(`${ownerName(module)}.forward`, required, inputs);
  // Nothing but an empty options object is too much.
  return inputs.slice(0, params.length);
}

/** The class that defines the module's forward. */
function ownerName(module: Module): string {
  for (let owner = Object.getPrototypeOf(module); owner !== null; owner = Object.getPrototypeOf(owner)) {
    if (Object.hasOwn(owner, "forward")) return owner.constructor.name;
  }
  return module.constructor.name;
}

const parameters = new WeakMap<Forward, readonly string[] | null>();

/** The names of a function's parameters; null where it takes any number, or where its text does not tell. */
function parametersOf(forward: Forward): readonly string[] | null {
  let found = parameters.get(forward);
  if (found === undefined) {
    found = readParameters(Function.prototype.toString.call(forward));
    // What is read has to agree with what the function says of itself.
    if (found !== null && found.length < forward.length) found = null;
    parameters.set(forward, found);
  }
  return found;
}

/** @param source a method, a function or an arrow function, as its text */
export function readParameters(source: string): readonly string[] | null {
  if (/\[native code\]|\barguments\b/.test(source)) return null;
  const single = /^(?:async\s+)?([\w$]+)\s*=>/.exec(source);
  if (single?.[1] !== undefined) return [single[1]];
  const list = splitList(source, source.indexOf("(") + 1);
  if (list === null || list.some((part) => part.startsWith("..."))) return null;
  return list.map((part, i) => /^[\w$]+/.exec(part)?.[0] ?? `input${i + 1}`);
}

/** What stands between the commas of a list in parentheses that begins at `start`, without comments. */
function splitList(source: string, start: number): string[] | null {
  const parts: string[] = [];
  let part = "";
  let depth = 0;
  // A comment, a string, or one character.
  const tokens = /\/\/.*|\/\*[\s\S]*?\*\/|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\$]|\\.)*`|[\s\S]/g;
  tokens.lastIndex = start;
  for (let match = tokens.exec(source); match !== null; match = tokens.exec(source)) {
    const [token] = match;
    if (token === "`") return null;
    if (token.startsWith("//") || token.startsWith("/*")) continue;
    if (depth === 0 && (token === "," || token === ")")) {
      if (part.trim() !== "") parts.push(part.trim());
      if (token === ")") return parts;
      part = "";
      continue;
    }
    if ("([{".includes(token)) depth++;
    else if (")]}".includes(token)) depth--;
    part += token;
  }
  return null;
}
