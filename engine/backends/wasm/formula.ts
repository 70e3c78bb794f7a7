/** Formulas over float32: a stretch of each tensor is copied in once, all steps run in the cache, the results are copied out. */
import type { BinaryOp, UnaryOp, View } from "../backend.ts";
import type { Formula, Step } from "../formula.ts";
import { denseData, isRepeated, outData, sizeOf } from "../reference/strided.ts";
import { BINARY, COMPARISONS, UNARY } from "./elementwise.ts";
import type { Scratch } from "./scratch.ts";

/** 8 kB: with the registers of most formulas this stays near the processor. */
const STRETCH = 2048;

/** Below this the copies cost more than the steps. */
const FEWEST = 16;

/** Runs one step on `count` elements of the registers at these addresses. */
type Execute = (s: Scratch, at: readonly number[], count: number) => void;

function executing({ op, from, to }: Step): Execute | null {
  const [a, b, c] = from as [number, number, number];
  if (op === "where") return ({ call }, at, count) => call.select(at[a]!, at[b]!, at[c]!, at[to]!, count);
  if (op === "madd") return ({ call }, at, count) => call.multiplyAdd(at[a]!, at[b]!, at[c]!, at[to]!, count);
  const list = from.length === 1 ? UNARY : COMPARISONS.includes(op as BinaryOp) ? COMPARISONS : BINARY;
  const code = list.indexOf(op as UnaryOp & BinaryOp);
  if (code < 0) return null;
  if (list === UNARY) return ({ call }, at, count) => call.unary(code, at[a]!, at[to]!, count);
  if (list === BINARY) return ({ call }, at, count) => call.binary(code, at[a]!, at[b]!, at[to]!, count);
  return ({ call }, at, count) => call.compare(code, at[a]!, at[b]!, at[to]!, count);
}

const known = new WeakMap<Formula, readonly Execute[] | null>();

/** All steps of a formula, null where one of them is not among the fast ones. */
function program(f: Formula): readonly Execute[] | null {
  let steps = known.get(f);
  if (steps === undefined) {
    const all = f.steps.map(executing);
    steps = all.includes(null) ? null : (all as Execute[]);
    known.set(f, steps);
  }
  return steps;
}

const isFloat32 = ({ dtype }: View): boolean => dtype.name === "float32";

export function formula(
  s: Scratch,
  f: Formula,
  numbers: readonly number[],
  inputs: readonly View[],
  outs: readonly View[],
): boolean {
  const [first] = outs;
  if (!first || !inputs.every(isFloat32) || !outs.every(isFloat32)) return false;
  const size = sizeOf(first);
  const steps = size < FEWEST ? null : program(f);
  if (!steps) return false;
  s.begin();
  const room = Math.min(size, STRETCH);
  const at = Array.from({ length: f.registers }, () => s.floats(room));
  const sources = inputs.map((x, k) => {
    if (!isRepeated(x)) return denseData(x);
    s.fill(at[k]!, room, x.data[x.offset]!);
    return null;
  });
  for (const [i, value] of [...numbers, ...f.constants].entries()) s.fill(at[f.inputs + i]!, room, value);
  const targets = outs.map(outData);
  for (let start = 0; start < size; start += STRETCH) {
    const count = Math.min(STRETCH, size - start);
    for (const [k, source] of sources.entries()) if (source) s.write(at[k]!, source, start, count);
    for (const step of steps) step(s, at, count);
    for (const [k, target] of targets.entries()) s.read(at[f.results[k]!]!, count, target, start);
  }
  return true;
}
