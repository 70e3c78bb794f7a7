/**
 * How a call's arguments become named ones: positional in PyTorch's order, then one options object by keyword.
 * One function serves every operation and module, so that `f(x, 3, { stride: 2 })`, `f(x, 3, 2)` and
 * `f({ input: x, kernelSize: 3, stride: 2 })` mean the same everywhere.
 */
import { type ErrorDetails, TypeError } from "./errors.ts";
import { ALIASES, KINDS, type Kind, wrongType } from "./kinds.ts";

/** A plain `{…}`: options, never a tensor, an array or any other object of a class. */
export function isOptions(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * @param name function or class, for messages
 * @param params parameter names in PyTorch's order; a leading "!" marks a required one, "*" alone starts the keyword-only ones,
 *   ": int" and its like behind a name ask for a type, ": int?" for one or null
 * @returns the given arguments by name; absent ones are undefined
 * @throws TypeError for too many arguments, an unknown keyword, one given twice or a required one that is missing
 */
export function bind<T>(name: string, params: readonly string[], args: readonly unknown[]): T {
  const bound: Record<string, unknown> = {};
  const last = args[args.length - 1];
  const options = isOptions(last) ? last : null;
  const positional = options ? args.length - 1 : args.length;
  const keywordOnly = params.indexOf("*");
  const limit = keywordOnly < 0 ? params.length : keywordOnly;
  if (positional > limit) throw tooMany(name, params, limit, positional);
  for (let i = 0; i < positional; i++) {
    if (args[i] !== undefined) bound[specOf(params[i]!).name] = args[i];
  }
  if (options) {
    for (const key of Object.keys(options)) {
      const own = keywordOf(params, key);
      if (own === null) throw unknownKeyword(name, key, params);
      if (options[key] === undefined) continue;
      if (own in bound) throw new TypeError(`${name}() got multiple values for argument '${snakeCase(key)}'`);
      bound[own] = options[key];
    }
  }
  for (let i = 0; i < params.length; i++) {
    const spec = specOf(params[i]!);
    const value = bound[spec.name];
    if (value === undefined) {
      if (spec.required) throw missingOf(name, params, limit, bound);
    } else if (spec.kind !== null && !KINDS[spec.kind](value) && !(value === null && spec.nullable)) {
      throw wrongType(name, spec.name, i < limit ? i : null, spec.kind, value);
    }
  }
  return bound as T;
}

function missingOf(
  name: string,
  params: readonly string[],
  limit: number,
  bound: Readonly<Record<string, unknown>>,
): TypeError {
  const missing = params.filter((p) => p[0] === "!" && !(plain(p) in bound));
  const first = missing.filter((p) => params.indexOf(p) < limit);
  const kind = first.length > 0 ? "positional" : "keyword-only";
  return missingArguments(name, (first.length > 0 ? first : missing).map(plain), { kind });
}

/** The parameter that an option's name means; those with a type answer to NumPy's names as well. */
function keywordOf(params: readonly string[], key: string): string | null {
  if (params.some((p) => p !== "*" && plain(p) === key)) return key;
  const other = ALIASES[key];
  return other !== undefined && params.some((p) => plain(p) === other && specOf(p).kind !== null) ? other : null;
}

/** A parameter as `bind` is told of it. */
interface Spec {
  name: string;
  required: boolean;
  kind: Kind | null;
  nullable: boolean;
}

/** What was read before: the same few texts come with every call. */
const specs = new Map<string, Spec>();

function specOf(param: string): Spec {
  let spec = specs.get(param);
  if (!spec) {
    const [label, type] = param.split(": ") as [string, string | undefined];
    spec = {
      name: label.replace("!", ""),
      required: param[0] === "!",
      kind: type ? (type.replace("?", "") as Kind) : null,
      nullable: type?.endsWith("?") ?? false,
    };
    specs.set(param, spec);
  }
  return spec;
}

function plain(param: string): string {
  return specOf(param).name;
}

/** @param missing the absent parameters, in camelCase */
export function missingArguments(
  name: string,
  missing: readonly string[],
  { kind = "positional", ...details }: ErrorDetails & { kind?: "positional" | "keyword-only" } = {},
): TypeError {
  const list = missing.map((p) => `'${snakeCase(p)}'`);
  const listed = list.length < 3 ? list.join(" and ") : `${list.slice(0, -1).join(", ")}, and ${list.at(-1)}`;
  return new TypeError(
    `${name}() missing ${missing.length} required ${kind} ${missing.length === 1 ? "argument" : "arguments"}: ${listed}`,
    details,
  );
}

/** Python counts a method's `self`, and says from how many on a call is complete. */
function tooMany(name: string, params: readonly string[], limit: number, given: number): TypeError {
  const self = name.includes(".") ? 1 : 0;
  const most = limit + self;
  const least = params.slice(0, limit).filter((p) => p[0] === "!").length + self;
  const range = least === most ? `${most}` : `from ${least} to ${most}`;
  const count = given + self;
  return new TypeError(
    `${name}() takes ${range} positional ${most === 1 ? "argument" : "arguments"} but ${count} ${count === 1 ? "was" : "were"} given`,
    {
      hint:
        limit === params.length
          ? undefined
          : `the rest go into one options object: ${optionNames(params.slice(limit + 1))}`,
    },
  );
}

function optionNames(params: readonly string[]): string {
  return `{ ${params.map(plain).join(", ")} }`;
}

export function unknownKeyword(name: string, key: string, params: readonly string[]): TypeError {
  const names = params.filter((p) => p !== "*").map(plain);
  const camel = camelCase(key);
  const same = names.find((p) => p === camel) ?? names.find((p) => p.toLowerCase() === key.toLowerCase());
  const near = same ?? nearest(camel, names);
  return new TypeError(`${name}() got an unexpected keyword argument '${key}'`, {
    hint: same
      ? `here it is written ${same}`
      : near
        ? `did you mean ${near}?`
        : names.length > 0
          ? `it takes ${names.join(", ")}`
          : undefined,
  });
}

/** The name that fewest changes make of the key, if they leave most of it. */
function nearest(key: string, names: readonly string[]): string | null {
  let best: string | null = null;
  let least = Math.ceil(key.length / 2);
  for (const name of names) {
    const changes = key.startsWith(name) || name.startsWith(key) ? 0 : editDistance(key, name);
    if (changes < least) [best, least] = [name, changes];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1);
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
}

export function camelCase(name: string): string {
  return name.replace(/(?<=[a-z0-9])_([a-z0-9])/g, (_, c: string) => c.toUpperCase());
}
