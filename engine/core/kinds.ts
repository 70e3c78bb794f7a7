/** The types that arguments have in PyTorch's signatures, and what it says of a value that is of another one. */
import { snakeCase } from "./arguments.ts";
import { TypeError } from "./errors.ts";
import { pythonTypeName, Tensor } from "./tensor.ts";

/** Whether a value may stand where a type is asked for. */
export const KINDS = {
  any: () => true,
  Tensor: (value: unknown) => value instanceof Tensor,
  "Tensor[]": (value: unknown) => Array.isArray(value) && value.every((item) => item instanceof Tensor),
  int: isInt,
  "int[]": isInts,
  // One number stands for a list of one, or of as many as are asked for.
  "int[1]": (value: unknown) => isInt(value) || isInts(value),
  Number: (value: unknown) => typeof value === "number" || typeof value === "boolean",
  float: (value: unknown) => typeof value === "number",
  bool: (value: unknown) => typeof value === "boolean",
  str: (value: unknown) => typeof value === "string",
  Operand: (value: unknown) => value instanceof Tensor || typeof value === "number" || typeof value === "boolean",
} satisfies Record<string, (value: unknown) => boolean>;

export type Kind = keyof typeof KINDS;

/** How PyTorch's messages call a type, where not by its own name. */
const SPOKEN: Partial<Record<Kind, string>> = {
  "Tensor[]": "tuple of Tensors",
  "int[]": "tuple of ints",
  "int[1]": "tuple of ints",
  Operand: "Tensor",
};

export function isInt(value: unknown): boolean {
  return Number.isInteger(value);
}

export function isInts(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  for (let i = 0; i < value.length; i++) if (!Number.isInteger(value[i])) return false;
  return true;
}

/** NumPy's names, which PyTorch takes for its own. */
export const ALIASES: Readonly<Record<string, string>> = { axis: "dim", keepdims: "keepdim", x1: "input", x2: "other" };

/** @param index the argument's place, or null for one that goes by keyword only */
export function wrongType(name: string, label: string, index: number | null, kind: Kind, value: unknown): TypeError {
  const argument = `${name}(): argument '${snakeCase(label)}'`;
  const place = index === null ? "" : ` (position ${index + 1})`;
  const asked = SPOKEN[kind] ?? kind;
  if (Array.isArray(value) && kind === "Tensor[]") {
    const at = value.findIndex((item) => !(item instanceof Tensor));
    return new TypeError(
      `expected Tensor as element ${at} in argument ${index ?? 0}, but got ${pythonTypeName(value[at])}`,
    );
  }
  if (Array.isArray(value) && asked === "tuple of ints") {
    const at = value.findIndex((item) => !isInt(item));
    const found = pythonTypeName(value[at]);
    return new TypeError(
      at === 0
        ? `${argument}${place} must be tuple of ints, but found element of type ${found} at pos 0`
        : `${argument} failed to unpack the object at pos ${at + 1} with error "type must be tuple of ints,but got ${found}"`,
    );
  }
  return new TypeError(`${argument}${place} must be ${asked}, not ${pythonTypeName(value)}`);
}
