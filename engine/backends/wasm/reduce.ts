/**
 * Reductions of float32. What is reduced lies side by side (rows) or what is kept does (columns); either is copied in, part
 * by part, from where it lies. What is scattered otherwise stays with the reference.
 */
import type { TypedArray } from "../../core/dtype.ts";
import type { ReduceOp, View } from "../backend.ts";
import { forEachRun, isDense, outData, sizeOf, splitAxes } from "../reference/strided.ts";
import type { Scratch } from "./scratch.ts";

/** In the order of assembly/reduce.ts: sums, extremes, places of extremes. */
const OPS: readonly ReduceOp[] = ["sum", "sum_abs", "sum_squares", "amax", "amin", "argmax", "argmin"];
const FIRST_EXTREME = 3;
const FIRST_PLACE = 5;

/** Floats in work at a time: 128 kB stay in the second cache. */
const CHUNK = 32768;

/** Columns in work at a time where there are many. */
const WIDTH = 2048;

/** Below this the calls cost more than the loop. */
const FEWEST = 256;

/** Shorter runs are quicker where they lie. */
const SHORTEST_RUN = 16;

export function reduce(s: Scratch, op: ReduceOp, x: View, out: View): boolean {
  const code = OPS.indexOf(op);
  if (code < 0 || x.dtype.name !== "float32" || sizeOf(x) < FEWEST || !isDense(out)) return false;
  if (out.dtype.name !== (code < FIRST_PLACE ? "float32" : "int64")) return false;
  const [kept, reduced] = splitAxes(x, out.shape.length);
  s.begin();
  const target = outData(out);
  if (reduced.strides.at(-1) === 1) return rows(s, code, kept, reduced, target);
  return kept.strides.at(-1) === 1 && columns(s, code, kept, reduced, target);
}

/** Whether the axes but the last, if any, are one axis of that stride. */
function follows({ shape, strides }: View, stride: number): boolean {
  return shape.length < 2 || (shape.length === 2 && strides[0] === stride);
}

function rows(s: Scratch, code: number, kept: View, reduced: View, target: TypedArray): boolean {
  const { data } = kept;
  const length = reduced.shape.at(-1)!;
  const [step = length] = kept.strides;
  if (reduced.shape.length === 1 && kept.shape.length < 2 && step === length && length <= CHUNK) {
    const count = Math.min(target.length, Math.floor(CHUNK / length));
    const from = s.floats(count * length);
    const to = s.doubles(count);
    for (let row = 0; row < target.length; row += count) {
      const some = Math.min(count, target.length - row);
      s.write(from, data, kept.offset + row * length, some * length);
      s.call.reduceRows(code, from, some, length, to);
      target.set(s.viewDoubles(to, some), row);
    }
    return true;
  }
  const width = target.length * length;
  const lieInTurn = follows(reduced, width) && kept.shape.length < 2 && step === length;
  if (lieInTurn && length < 64 && code < FIRST_PLACE && width <= CHUNK) {
    shortRuns(s, code, reduced, width, target);
    return true;
  }
  if (length < SHORTEST_RUN || (sizeOf(reduced) < 8 * SHORTEST_RUN && target.length > 1)) return false;
  const collector = new Row(s, code);
  let at = 0;
  forEachRun([kept], (count, [offset], [apart]) => {
    for (let t = 0; t < count; t++) {
      collector.start();
      forEachRun([{ ...reduced, offset: offset! + t * apart! }], (run, [from]) => collector.add(data, from!, run));
      target[at++] = collector.result();
    }
  });
  return true;
}

/** A row that is copied in run by run, and reduced whenever there are enough of them. */
class Row {
  readonly #s: Scratch;
  readonly #code: number;
  readonly #from: number;
  readonly #to: number;
  /** Of those that wait, and of those that are done. */
  #waiting = 0;
  #done = 0;
  #total = 0;
  #place = 0;

  constructor(s: Scratch, code: number) {
    this.#s = s;
    this.#code = code;
    this.#from = s.floats(CHUNK);
    this.#to = s.doubles(1);
  }

  start(): void {
    this.#waiting = this.#done = this.#total = this.#place = 0;
  }

  add(data: TypedArray, from: number, count: number): void {
    for (let i = 0; i < count; ) {
      const some = Math.min(count - i, CHUNK - this.#waiting);
      this.#s.write(this.#from + 4 * this.#waiting, data, from + i, some);
      this.#waiting += some;
      i += some;
      if (this.#waiting === CHUNK) this.#reduce();
    }
  }

  result(): number {
    if (this.#waiting > 0) this.#reduce();
    return this.#code < FIRST_PLACE ? this.#total : this.#place;
  }

  #reduce(): void {
    this.#s.call.reduceRows(this.#code, this.#from, 1, this.#waiting, this.#to);
    const found = this.#s.viewDoubles(this.#to, 1)[0]!;
    if (this.#code < FIRST_EXTREME) this.#total += found;
    else {
      const isPlace = this.#code >= FIRST_PLACE;
      const value = isPlace ? this.#s.view(this.#from, this.#waiting)[found]! : found;
      if (this.#done === 0 || beats(this.#code, value, this.#total)) {
        this.#total = value;
        this.#place = this.#done + (isPlace ? found : 0);
      }
    }
    this.#done += this.#waiting;
    this.#waiting = 0;
  }
}

/** Whether a later number wins against the best so far: a NaN beats numbers, nothing beats a NaN. */
function beats(code: number, value: number, best: number): boolean {
  if (Number.isNaN(best)) return false;
  return Number.isNaN(value) || (code % 2 === 0 ? value < best : value > best);
}

/** [outer, runs, length] lies in memory as [runs, outer, length]: column by column over the runs first, then each run. */
function shortRuns(s: Scratch, code: number, reduced: View, width: number, target: TypedArray): void {
  const found = new Columns(s, code, width);
  const length = reduced.shape.at(-1)!;
  const runs = reduced.shape.length === 1 ? 1 : reduced.shape[0]!;
  found.start();
  for (let run = 0; run < runs; ) run += found.add(reduced.data, reduced.offset + run * width, runs - run);
  const values = found.values();
  for (let r = 0; r < target.length; r++) {
    let total = values[r * length]!;
    for (let i = r * length + 1; i < (r + 1) * length; i++) {
      if (code < FIRST_EXTREME) total += values[i]!;
      else if (beats(code, values[i]!, total)) total = values[i]!;
    }
    target[r] = total;
  }
}

/** Columns that go on with every row that is copied in. */
class Columns {
  readonly #s: Scratch;
  readonly #code: number;
  readonly #width: number;
  readonly #most: number;
  readonly #from: number;
  readonly #out: number;
  readonly #places: number;
  #waiting = 0;
  #done = 0;

  constructor(s: Scratch, code: number, width: number) {
    this.#s = s;
    this.#code = code;
    this.#width = width;
    this.#most = Math.max(1, Math.floor(CHUNK / width));
    this.#from = s.floats(this.#most * width);
    this.#out = s.doubles(width + 8);
    this.#places = s.floats(width + 8);
  }

  start(): void {
    this.#waiting = this.#done = 0;
    this.#s.fill(this.#out, 2 * (this.#width + 8), 0);
    this.#s.fill(this.#places, this.#width + 8, 0);
  }

  /** Copies in up to `count` rows that lie side by side; says how many. */
  add(data: TypedArray, from: number, count: number): number {
    const some = Math.min(count, this.#most - this.#waiting);
    this.#s.write(this.#from + 4 * this.#waiting * this.#width, data, from, some * this.#width);
    this.#waiting += some;
    if (this.#waiting === this.#most) this.#reduce();
    return some;
  }

  /** The columns' sums or extremes. */
  values(): TypedArray {
    if (this.#waiting > 0) this.#reduce();
    const isSum = this.#code < FIRST_EXTREME;
    return isSum ? this.#s.viewDoubles(this.#out, this.#width) : this.#s.view(this.#out, this.#width);
  }

  store(target: TypedArray, at: number): void {
    const values = this.values();
    if (this.#code < FIRST_PLACE) target.set(values, at);
    else this.#s.readInts(this.#places, this.#width, target, at);
  }

  #reduce(): void {
    // The first row is the best so far.
    if (this.#done === 0 && this.#code >= FIRST_EXTREME) {
      this.#s.view(this.#out, this.#width).set(this.#s.view(this.#from, this.#width));
    }
    const pitch = 4 * this.#width;
    this.#s.call.reduceColumns(
      this.#code,
      this.#from,
      this.#waiting,
      this.#width,
      pitch,
      this.#done,
      this.#out,
      this.#places,
    );
    this.#done += this.#waiting;
    this.#waiting = 0;
  }
}

function columns(s: Scratch, code: number, kept: View, reduced: View, target: TypedArray): boolean {
  const { data } = kept;
  const width = kept.shape.at(-1)!;
  const n = sizeOf(reduced);
  const step = reduced.strides[0]!;
  const inOneAxis = reduced.shape.length === 1;
  if (inOneAxis && step === width && follows(kept, n * width) && n * width <= CHUNK) {
    stacks(s, code, kept, n, width, target);
    return true;
  }
  if (width < SHORTEST_RUN && !(inOneAxis && step === width)) return false;
  const most = Math.min(width, WIDTH);
  const whole = new Columns(s, code, most);
  const rest = width % most === 0 ? whole : new Columns(s, code, width % most);
  const outer = { ...kept, shape: kept.shape.slice(0, -1), strides: kept.strides.slice(0, -1) };
  let at = 0;
  forEachRun([outer], (count, [offset], [apart]) => {
    for (let t = 0; t < count; t++) {
      const base = offset! + t * apart!;
      for (let j = 0; j < width; j += most) {
        const found = width - j < most ? rest : whole;
        found.start();
        forEachRun([{ ...reduced, offset: base + j }], (run, [from], [rowStep]) => {
          const together = rowStep === most && width === most;
          for (let row = 0; row < run; ) row += found.add(data, from! + row * rowStep!, together ? run - row : 1);
        });
        found.store(target, at);
        at += Math.min(most, width - j);
      }
    }
  });
  return true;
}

/** Many small matrices [n, width], one behind the other. */
function stacks(s: Scratch, code: number, kept: View, n: number, width: number, target: TypedArray): void {
  const size = n * width;
  const count = target.length / width;
  const most = Math.min(count, Math.floor(CHUNK / size));
  const from = s.floats(most * size);
  const sums = s.doubles(width + 8);
  const places = s.floats(width + 8);
  const to = s.floats(most * width);
  for (let k = 0; k < count; k += most) {
    const some = Math.min(most, count - k);
    s.write(from, kept.data, kept.offset + k * size, some * size);
    s.call.reduceStacks(code, from, some, n, width, sums, places, to);
    if (code < FIRST_PLACE) s.read(to, some * width, target, k * width);
    else s.readInts(to, some * width, target, k * width);
  }
}
