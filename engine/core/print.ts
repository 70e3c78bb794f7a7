/**
 * Python's `print`, `str` and `repr` for the values of a cell: tensors by PyTorch's text, booleans as True and False,
 * arrays as lists, plain objects as dictionaries.
 */
import { floatRepr, holdsFloats, numberRepr } from "./number_text.ts";
import { Tensor } from "./tensor.ts";

/** Where a printed tensor's text lies in the text that was printed. */
export interface PrintedTensor {
  start: number;
  end: number;
  tensor: Tensor;
}

export type PrintSink = (text: string, tensors: PrintedTensor[]) => void;

export interface PrintKeywords {
  /** Between the values. Default " ". */
  sep?: string;
  /** After the last one. Default "\n". */
  end?: string;
}

/** The console ends lines by itself; text printed with another ending waits for its line to be complete. */
function consoleSink(): PrintSink {
  let pending = "";
  return (text) => {
    const lines = (pending + text).split("\n");
    pending = lines.pop()!;
    for (const line of lines) console.log(line);
  };
}

let sink: PrintSink = consoleSink();

/** Sends what `print` writes to `write` (null: back to the console). The text ends as printed, its newline included. */
export function setPrintSink(write: PrintSink | null): void {
  sink = write ?? consoleSink();
}

/**
 * Prints values as Python does: joined by spaces, then a new line. A last argument of nothing but `sep` and `end` sets
 * these, as Python's keywords do: `print("loss", loss, { end: "" })`.
 */
export function print(...values: unknown[]): void {
  const last = values.at(-1);
  const keywords = values.length > 1 && isPrintKeywords(last) ? last : {};
  const shown = keywords === last ? values.slice(0, -1) : values;
  const writer = new Writer();
  shown.forEach((value, i) => {
    if (i > 0) writer.write(keywords.sep ?? " ");
    writer.str(value);
  });
  writer.write(keywords.end ?? "\n");
  sink(writer.text, writer.tensors);
}

/** Python's `str(value)`. */
export function str(value: unknown): string {
  const writer = new Writer();
  writer.str(value);
  return writer.text;
}

/** Python's `repr(value)`: as `str`, but strings in quotes. */
export function repr(value: unknown): string {
  const writer = new Writer();
  writer.repr(value);
  return writer.text;
}

function isPrintKeywords(value: unknown): value is PrintKeywords {
  if (!isPlainObject(value)) return false;
  const entries = Object.entries(value);
  return entries.length > 0 && entries.every(([key, v]) => (key === "sep" || key === "end") && typeof v === "string");
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

class Writer {
  text = "";
  readonly tensors: PrintedTensor[] = [];
  /** The containers being written, to stop at a list that contains itself. */
  readonly #open = new Set<object>();

  write(text: string): void {
    this.text += text;
  }

  str(value: unknown): void {
    if (typeof value === "string") this.write(value);
    else if (value instanceof Error) this.write(withoutHint(value.message));
    else this.repr(value);
  }

  repr(value: unknown): void {
    if (value === null || value === undefined) this.write("None");
    else if (typeof value === "string") this.write(stringRepr(value));
    else if (typeof value === "number") this.write(numberRepr(value));
    else if (typeof value === "boolean") this.write(value ? "True" : "False");
    else if (typeof value === "function") this.write(functionRepr(value));
    else if (typeof value === "object") this.#object(value);
    else this.write(String(value));
  }

  #object(value: object): void {
    if (value instanceof Tensor) {
      const start = this.text.length;
      this.write(value.toString());
      this.tensors.push({ start, end: this.text.length, tensor: value });
    } else if (Array.isArray(value) && value.toString === Array.prototype.toString) this.#list(value);
    else if (ArrayBuffer.isView(value) && !(value instanceof DataView)) this.#list(Array.from(value as Float64Array));
    else if (value instanceof Map) this.#dictionary(value, [...value]);
    else if (value instanceof Set) this.#set(value);
    else if (isPlainObject(value)) this.#dictionary(value, Object.entries(value));
    else if (value instanceof Error) this.write(`${value.name}(${stringRepr(withoutHint(value.message))})`);
    else if (Symbol.toStringTag in value && value[Symbol.toStringTag] === "Generator") this.write("<generator object>");
    else if (value instanceof Promise) this.write("<Promise: write `await` in front of it to get its value>");
    else if (value.toString !== Object.prototype.toString) this.write(value.toString());
    else this.write(`<${value.constructor?.name || "object"} object>`);
  }

  #list(items: readonly unknown[]): void {
    const floats = holdsFloats(items);
    this.#bracket(items, "[", "]", "[...]", () => {
      items.forEach((item, i) => {
        if (i > 0) this.write(", ");
        if (floats && typeof item === "number") this.write(floatRepr(item));
        else this.repr(item);
      });
    });
  }

  #set(items: ReadonlySet<unknown>): void {
    if (items.size === 0) {
      this.write("set()");
      return;
    }
    this.#bracket(items, "{", "}", "{...}", () => {
      let first = true;
      for (const item of items) {
        if (!first) this.write(", ");
        first = false;
        this.repr(item);
      }
    });
  }

  #dictionary(value: object, entries: readonly (readonly [unknown, unknown])[]): void {
    this.#bracket(value, "{", "}", "{...}", () => {
      entries.forEach(([key, item], i) => {
        if (i > 0) this.write(", ");
        this.repr(key);
        this.write(": ");
        this.repr(item);
      });
    });
  }

  #bracket(container: object, open: string, close: string, recursion: string, body: () => void): void {
    if (this.#open.has(container)) {
      this.write(recursion);
      return;
    }
    this.#open.add(container);
    this.write(open);
    body();
    this.write(close);
    this.#open.delete(container);
  }
}

/** Python's message: the engine's hint for beginners is not part of it. */
function withoutHint(message: string): string {
  return message.replace(/\nhint: [^\n]*$/, "");
}

/** A module is a function that says what it is; classes and functions print as Python's do. */
function functionRepr(value: { name: string; toString(): string }): string {
  if (value.toString !== Function.prototype.toString) return value.toString();
  const isClass = /^class\b/.test(Function.prototype.toString.call(value));
  return isClass ? `<class '${value.name}'>` : `<function ${value.name || "<lambda>"}>`;
}

/** Python's quotes: single ones, unless the text holds single and no double ones. */
function stringRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let out = quote;
  for (const char of text) {
    const code = char.codePointAt(0)!;
    if (char === quote || char === "\\") out += `\\${char}`;
    else if (char === "\n") out += "\\n";
    else if (char === "\r") out += "\\r";
    else if (char === "\t") out += "\\t";
    else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, "0")}`;
    else out += char;
  }
  return out + quote;
}
