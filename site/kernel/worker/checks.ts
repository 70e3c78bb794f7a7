/** The vocabulary of exercise checks: `test`, `equal`, `close`, `shapeOf`. */
import type { CheckVerdict } from "../protocol.ts";
import { safely } from "./errors.ts";

/** What a check found different, as against a fault in the code that it called. */
export class Difference extends Error {
  constructor(message: string) {
    super(message);
    this.name = "Difference";
  }
}

/** Collects the verdicts of one run. */
export class CheckList {
  readonly verdicts: CheckVerdict[] = [];
  private pending: Promise<unknown> = Promise.resolve();

  /** Runs at once; a check that awaits is waited for before the next verdict is given. */
  readonly test = (name: string, check: () => unknown, why?: string): Promise<void> => {
    const verdict: CheckVerdict = { name: String(name), pass: true, message: null };
    this.verdicts.push(verdict);
    const fail = (error: unknown): void => {
      verdict.pass = false;
      verdict.message = messageOf(error, why);
    };
    let result: unknown;
    try {
      result = check();
    } catch (error) {
      fail(error);
    }
    if (!(result instanceof Promise)) return Promise.resolve();
    const done = result.then(() => {}, fail);
    this.pending = Promise.all([this.pending, done]);
    return done;
  };

  async settled(): Promise<void> {
    let waitedFor: unknown = null;
    while (waitedFor !== this.pending) {
      waitedFor = this.pending;
      await this.pending;
    }
  }
}

function messageOf(error: unknown, why: string | undefined): string {
  if (error instanceof Difference) return why ?? error.message;
  const said = safely(() => {
    const { name, message } = error as Error;
    return message === undefined ? String(error) : `${name}: ${message.split("\nhint: ")[0]}`;
  });
  return why ? `${said} (${why})` : said;
}

type Nested = number | boolean | string | null | undefined | Nested[];

interface TensorLike {
  shape: ArrayLike<number>;
  tolist(): Nested;
}

function isTensorLike(value: unknown): value is TensorLike {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as TensorLike).tolist === "function" &&
    "shape" in value
  );
}

/** Tensors and typed arrays become lists; anything else stays. */
function plain(value: unknown): unknown {
  if (isTensorLike(value)) return value.tolist();
  if (ArrayBuffer.isView(value) && !(value instanceof DataView))
    return Array.from(value as unknown as ArrayLike<number>);
  if (Array.isArray(value)) return Array.from(value, plain);
  return value;
}

export function shapeOf(value: unknown): number[] {
  if (isTensorLike(value)) return Array.from(value.shape);
  const shape: number[] = [];
  for (let at = plain(value); Array.isArray(at); at = at[0]) shape.push(at.length);
  if (shape.length === 0 && typeof value !== "number")
    throw new Difference(`expected a tensor, got ${describe(value)}`);
  return shape;
}

export function equal(actual: unknown, expected: unknown, message?: string): void {
  const difference = differenceOf(plain(actual), plain(expected), "", sameValue);
  if (difference) throw new Difference(message ?? difference);
}

function sameValue(a: unknown, b: unknown): boolean {
  // PyTorch's booleans of a mask compare to 0 and 1 as Python's do.
  if (typeof a === "boolean" && typeof b === "number") return Number(a) === b;
  if (typeof a === "number" && typeof b === "boolean") return a === Number(b);
  return Object.is(a, b) || (a === 0 && b === 0);
}

export function close(actual: unknown, expected: unknown, options: { rtol?: number; atol?: number } = {}): void {
  const { rtol = 1e-5, atol = 1e-8 } = options;
  const isClose = (a: unknown, b: unknown): boolean => {
    const x = Number(a);
    const y = Number(b);
    if (typeof a === "string" || typeof b === "string" || Number.isNaN(x) || Number.isNaN(y)) return false;
    return x === y || Math.abs(x - y) <= atol + rtol * Math.abs(y);
  };
  const difference = differenceOf(plain(actual), plain(expected), "", isClose);
  if (difference) throw new Difference(difference);
}

/** Where two values part, in words; null when they agree. */
function differenceOf(
  actual: unknown,
  expected: unknown,
  path: string,
  same: (a: unknown, b: unknown) => boolean,
): string | null {
  const at = path === "" ? "" : `at ${path}: `;
  if (Array.isArray(actual) && Array.isArray(expected)) {
    if (actual.length !== expected.length) return `${at}expected ${expected.length} elements, got ${actual.length}`;
    for (let i = 0; i < actual.length; i++) {
      const difference = differenceOf(actual[i], expected[i], `${path}[${i}]`, same);
      if (difference) return difference;
    }
    return null;
  }
  if (isPlain(actual) && isPlain(expected)) {
    for (const key of new Set([...Object.keys(actual), ...Object.keys(expected)])) {
      const difference = differenceOf(plain(actual[key]), plain(expected[key]), `${path}.${key}`, same);
      if (difference) return difference;
    }
    return null;
  }
  return same(actual, expected) ? null : `${at}expected ${describe(expected)}, got ${describe(actual)}`;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function describe(value: unknown): string {
  const text = safely(() =>
    typeof value === "string"
      ? JSON.stringify(value)
      : Array.isArray(value)
        ? `[${value.map(describe).join(", ")}]`
        : String(value),
  );
  return text.length > 120 ? `${text.slice(0, 117)}…` : text;
}
