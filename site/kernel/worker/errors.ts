/**
 * What was thrown, as data: the sentence without its hint, and the places in cells that it passed through. A cell may throw
 * anything, and getters of what it throws may throw too.
 */

import { CellSyntaxError } from "../../lesson/cell-error.ts";
import type { CompiledCell } from "../../lesson/compile.ts";
import { dottedWordAt, nameHabit } from "../../lesson/habits.ts";
import { sourcePlace } from "../../lesson/link.ts";
import type { ErrorData, ErrorFrame } from "../protocol.ts";

/** Thrown at the next yield of a run that the reader has stopped. */
export class StopError extends Error {
  constructor() {
    super("stopped");
    this.name = "StopError";
  }
}

/** A name that the cells above have not (yet) given. */
export class NameError extends CellSyntaxError {
  readonly definedIn: string | null;

  constructor(
    message: string,
    place: { line: number; column: number },
    definedIn: string | null,
    hint: string | null = null,
  ) {
    super(message, place, hint);
    this.name = "NameError";
    this.definedIn = definedIn;
  }
}

export type CellTexts = ReadonlyMap<string, Pick<CompiledCell, "inserts" | "source">>;

function readText(value: unknown, field: string): string | null {
  try {
    const text = (value as Record<string, unknown>)[field];
    return typeof text === "string" ? text : null;
  } catch {
    return null;
  }
}

export function toErrorData(
  thrown: unknown,
  cellId: string,
  cells: CellTexts,
  repr: (value: unknown) => string,
): ErrorData {
  if (thrown instanceof CellSyntaxError) {
    const { name, message, hint, line, column } = thrown;
    const frames = [{ cellId, line, column, functionName: "" }];
    return {
      name,
      message,
      hint,
      frames,
      shapes: null,
      definedIn: thrown instanceof NameError ? thrown.definedIn : null,
    };
  }
  const stack = readText(thrown, "stack");
  const whole = readText(thrown, "message");
  if (whole === null) {
    return {
      name: "Error",
      message: `thrown: ${safely(() => repr(thrown))}`,
      hint: null,
      frames: framesOf(stack, cells),
      shapes: null,
      definedIn: null,
    };
  }
  const name = readText(thrown, "name") || "Error";
  const [message, hint] = splitHint(whole);
  const frames = framesOf(stack, cells);
  const withoutNew = name === "TypeError" && /^Class constructor \S+ cannot be invoked without 'new'$/.test(message);
  // The engine's own name for its class may have been shortened by the build: say what the cell calls it.
  const word = withoutNew && frames[0] ? dottedWordAt(cells.get(frames[0].cellId)!.source, frames[0]) : "";
  return {
    name,
    message: word === "" ? message : `Class constructor ${word.split(".").at(-1)} cannot be invoked without 'new'`,
    hint: withoutNew ? `write new ${word || "Name"}(…)` : (hint ?? knownHint(name, message)),
    frames,
    shapes: shapesOf(thrown),
    definedIn: null,
  };
}

function splitHint(message: string): [string, string | null] {
  const at = message.lastIndexOf("\nhint: ");
  return at < 0 ? [message, null] : [message.slice(0, at), message.slice(at + "\nhint: ".length)];
}

/** JavaScript's own sentences that a Python reader can't make sense of. */
function knownHint(name: string, message: string): string | null {
  if (name === "TypeError" && /Assignment to constant variable/.test(message))
    return "declare it with let to change it later";
  if (name === "RangeError" && /Maximum call stack/.test(message)) return "a function calls itself without end";
  const missing =
    name === "ReferenceError" ? /^(\S+) is not defined$|^Can't find variable: (\S+)$/.exec(message) : null;
  if (missing) return nameHabit((missing[1] ?? missing[2])!);
  if (name === "ReferenceError" && /before initialization/.test(message)) {
    return "the cell's own declaration further down hides the name from above: give one of them another name";
  }
  return null;
}

function shapesOf(thrown: unknown): number[][] | null {
  try {
    const { shapes } = thrown as { shapes?: unknown };
    if (!Array.isArray(shapes)) return null;
    return shapes.map((shape) => Array.from(shape as Iterable<unknown>, Number));
  } catch {
    return null;
  }
}

/** The frames of a stack that lie in cells, innermost first, with the positions of the cell's text. */
export function framesOf(stack: string | null, cells: CellTexts): ErrorFrame[] {
  const frames: ErrorFrame[] = [];
  if (stack === null) return frames;
  for (const row of stack.split("\n")) {
    const frame = parseFrame(row);
    const cell = frame && cells.get(frame.cellId);
    if (!frame || !cell) continue;
    const place = { ...frame, ...sourcePlace(cell, frame.line, frame.column) };
    if (!isSame(place, frames.at(-1))) frames.push(place);
  }
  return frames;
}

/** A function that calls itself passes one place hundreds of times: it is told once. */
function isSame(a: ErrorFrame, b: ErrorFrame | undefined): boolean {
  return b !== undefined && a.cellId === b.cellId && a.line === b.line && a.column === b.column;
}

/** `at Net.forward (net:3:12)`, `at net:3:12` (V8), `forward@net:3:12` (Firefox, Safari). */
function parseFrame(row: string): ErrorFrame | null {
  const match =
    /^\s*at (?:async )?(?:(.*?) \()?([^()\s]+?):(\d+):(\d+)\)?$/.exec(row) ??
    /^(.*?)@([^()\s]+?):(\d+):(\d+)$/.exec(row);
  if (!match) return null;
  const [, functionName = "", location = "", line, column] = match;
  return {
    // Browsers show the name that the text gives itself; Node may show the module's address, which ends in that name.
    cellId: location.slice(location.lastIndexOf("/") + 1),
    line: Number(line),
    column: Number(column),
    functionName: functionName.replace(/^(?:async|new) /, "").replace(/^(?:Proxy|Object)\./, ""),
  };
}

export function safely(read: () => string): string {
  try {
    return String(read());
  } catch {
    return "a value that cannot be shown: reading it throws";
  }
}
