/**
 * What a function takes, written as PyTorch writes it, and the check of every call against it:
 *
 *   export const narrow = checked("narrow(Tensor input, int dim, int start, int length)", (input: Tensor, …) => …);
 *
 * A mark `?` behind a name says that the argument may be left out, behind a type that it may be null; what follows `*` goes
 * by keyword only; `int... dims` takes the numbers that remain, or one list of them. A call that does not fit throws
 * PyTorch's TypeError; one that gives keywords in an options object is put in order.
 */
import { camelCase, isOptions, snakeCase, unknownKeyword } from "./arguments.ts";
import { hasAccelerator } from "./device.ts";
import { TypeError } from "./errors.ts";
import { ALIASES, isInt, isInts, KINDS, type Kind, wrongType } from "./kinds.ts";
import { runNear } from "./placement.ts";
import { Tensor } from "./tensor.ts";

interface Parameter {
  /** In camelCase, as options name it. */
  name: string;
  kind: Kind;
  fits: (value: unknown) => boolean;
  optional: boolean;
}

interface Signature {
  name: string;
  parameters: readonly Parameter[];
  /** How many of them may be given by position. */
  positional: number;
  /** The last one takes all numbers that remain. */
  variadic: boolean;
  /** For hints. */
  names: readonly string[];
}

function parse(text: string): Signature {
  const [, name, list] = /^(\w+)\((.*)\)$/.exec(text) ?? [];
  if (name === undefined || list === undefined) throw new Error(`not a signature: ${text}`);
  const words = list === "" ? [] : list.split(", ");
  const star = words.indexOf("*");
  const variadic = words.some((word) => word.includes("..."));
  const parameters = words
    .filter((word) => word !== "*")
    .map((word): Parameter => {
      const [type, label] = word.split(" ") as [string, string];
      const kind = type.replace("?", "").replace("...", "[]");
      if (!(kind in KINDS)) throw new Error(`no type ${kind} for ${text}`);
      const fits = KINDS[kind as Kind];
      const optional = label.endsWith("?");
      return {
        name: camelCase(label.replace("?", "")),
        kind: kind as Kind,
        fits: type.endsWith("?") ? (value) => value === null || fits(value) : fits,
        optional,
      };
    });
  return {
    name,
    parameters,
    positional: star < 0 ? parameters.length : star,
    variadic,
    names: parameters.map((parameter) => parameter.name),
  };
}

/**
 * `body` behind a check of its arguments: by position or keyword, of the types and as many as the signature says.
 * @param text as the head of this file describes
 * @param body gets the arguments by position, those by keyword only as one object behind them
 * @throws TypeError from each call that does not fit
 */
export function checked<F extends (...args: never[]) => unknown>(text: string, body: F): F;
export function checked<F extends (...args: never[]) => unknown>(
  text: string,
  body: (...args: never[]) => ReturnType<F>,
): F;
export function checked(text: string, body: (...args: never[]) => unknown): (...args: never[]) => unknown {
  const signature = parse(text);
  const { parameters, positional, variadic } = signature;
  let needed = positional;
  while (needed > 0 && parameters[needed - 1]?.optional) needed--;
  const plain = body as (...args: unknown[]) => unknown;
  const run = (...args: unknown[]): unknown =>
    hasAccelerator() ? runNear(args, () => plain(...args)) : plain(...args);
  const outer = (...args: unknown[]): unknown => {
    const count = args.length;
    if (variadic && count >= positional) {
      const listed = count === positional && Array.isArray(args[positional - 1]);
      const list = listed ? args[positional - 1] : args.slice(positional - 1);
      let fitting = isInts(list);
      for (let i = 0; i < positional - 1; i++) fitting = fitting && (parameters[i] as Parameter).fits(args[i]);
      if (fitting) return listed ? run(...args) : run(...args.slice(0, positional - 1), list);
    }
    if (variadic || count < needed || count > positional) return run(...arranged(signature, args));
    for (let i = 0; i < count; i++) {
      const { fits, optional } = parameters[i] as Parameter;
      if (!fits(args[i]) && !(optional && args[i] === undefined)) return run(...arranged(signature, args));
    }
    return run(...args);
  };
  Object.defineProperty(outer, "name", { value: camelCase(signature.name) });
  return outer;
}

/** The arguments in the signature's order, or the TypeError that says what is wrong with them. */
function arranged(signature: Signature, args: readonly unknown[]): unknown[] {
  const { name, parameters, positional, variadic, names } = signature;
  const last = args[args.length - 1];
  const options = isOptions(last) ? last : null;
  const given = options ? args.slice(0, -1) : [...args];
  if (variadic && given.length >= positional) {
    const rest = given.splice(positional - 1);
    given.push(rest.length === 1 && !isInt(rest[0]) ? rest[0] : rest);
  }
  while (given.length > positional && given[given.length - 1] === undefined) given.pop();
  if (given.length > positional) throw tooMany(signature, given.length);
  const values: unknown[] = parameters.map((_, i) => (i < positional ? given[i] : undefined));
  if (options) {
    for (const key of Object.keys(options)) {
      const own = names.indexOf(key);
      const at = own >= 0 ? own : names.indexOf(ALIASES[key] ?? "");
      if (at < 0) throw unknownKeyword(name, key, names);
      if (options[key] === undefined) continue;
      if (values[at] !== undefined)
        throw new TypeError(`${name}() got multiple values for argument '${snakeCase(key)}'`);
      values[at] = options[key];
    }
  }
  checkTypes(signature, values, given.length);
  if (positional === parameters.length) {
    let count = values.length;
    while (count > 0 && values[count - 1] === undefined) count--;
    return values.slice(0, count);
  }
  const byKeyword = parameters.slice(positional).map((parameter, i) => [parameter.name, values[positional + i]]);
  return [...values.slice(0, positional), Object.fromEntries(byKeyword)];
}

function checkTypes({ name, parameters, positional, variadic }: Signature, values: unknown[], given: number): void {
  const missing = parameters.filter((parameter, i) => !parameter.optional && values[i] === undefined && i >= given);
  if (missing.length > 0) {
    const list = missing.map((parameter) => `"${snakeCase(parameter.name)}"`).join(", ");
    // PyTorch's own plural.
    throw new TypeError(
      `${name}() missing ${missing.length} required positional ${missing.length === 1 ? "arguments" : "argument"}: ${list}`,
    );
  }
  parameters.forEach(({ name: label, kind, fits, optional }, i) => {
    const value = values[i];
    if ((optional && value === undefined) || fits(value)) return;
    // Whole numbers may come as tensors.
    if (kind === "int" && value instanceof Tensor && value.numel() === 1 && !value.dtype.isFloatingPoint) {
      values[i] = Number(value.item());
      return;
    }
    throw wrongType(
      name,
      label,
      i < positional ? i : null,
      kind,
      variadic && Array.isArray(value) && value.length === 1 ? value[0] : value,
    );
  });
}

function tooMany({ name, parameters, positional, names }: Signature, count: number): TypeError {
  const optional = parameters.slice(0, positional).filter((parameter) => parameter.optional).length;
  const range = optional > 0 ? `from ${positional - optional} to ${positional}` : positional;
  const keywords = names.slice(positional);
  return new TypeError(
    `${name}() takes ${range} positional ${positional === 1 ? "argument" : "arguments"} but ${count} ${count === 1 ? "was" : "were"} given`,
    { hint: keywords.length > 0 ? `the rest go into one options object: { ${keywords.join(", ")} }` : undefined },
  );
}
