/** Values as Python's f-strings write them in a module's text. */
import { repr } from "../core/print.ts";

/** `3`, `True`, `same`, `(3, 5)`, `(2,)`: sizes given as arrays are tuples in Python. */
export function py(value: unknown): string {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) return repr(value);
  const items = value.map((item) => (typeof item === "string" ? repr(item) : py(item)));
  return items.length === 1 ? `(${items[0]},)` : `(${items.join(", ")})`;
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
