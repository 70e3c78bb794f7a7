/** Values as Python's f-strings write them in a module's text. */
import { floatRepr, numberRepr } from "../core/number_text.ts";
import { repr } from "../core/print.ts";

/** `3`, `True`, `same`, `(3, 5)`, `(2,)`: sizes given as arrays are tuples in Python. */
export function py(value: unknown): string {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) return repr(value);
  const items = value.map((item) => (typeof item === "string" ? repr(item) : py(item)));
  return items.length === 1 ? `(${items[0]},)` : `(${items.join(", ")})`;
}

/** A number that is a float in PyTorch: `1.0`. What is none is shown as it is: a layer may be printed before it fails. */
export function floatText(value: unknown): string {
  return typeof value === "number" ? floatRepr(value) : py(value);
}

/** A number that may be an int in PyTorch: `1`, `0.5`. */
export function numberText(value: unknown): string {
  return typeof value === "number" ? numberRepr(value) : py(value);
}

/** `kernel_size=3, stride=3`. */
export function fields(values: Record<string, unknown>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${py(value)}`)
    .join(", ");
}

/** All but the first line moved in by two, as inside a module's text. */
export function indented(text: string): string {
  return text
    .split("\n")
    .map((line, i) => (i === 0 || line.trim() === "" ? line : `  ${line}`))
    .join("\n");
}
