/**
 * Reductions, in a fixed order: an invocation for each result, or a workgroup for each, whichever keeps more of the GPU at
 * work and reads neighbours together. Where results are few and rows are long, rows are cut in parts first.
 */
import type { DType } from "../../core/dtype.ts";
import { numel } from "../../core/shape.ts";
import type { Attempts, DeviceMemory, ReduceOp, View } from "../backend.ts";
import { sizeOf } from "../reference/strided.ts";
import { isNarrow, mostOf } from "./copy.ts";
import { isWholeMemory, limitOf, MOST_INT32, noteLimit, wordOf } from "./elementwise.ts";
import { functionsOf } from "./math.ts";
import { ELEMENT_BYTES } from "./memory.ts";
import { Params } from "./params.ts";
import { gridOf, type Runtime } from "./runtime.ts";
import { type Axes, axesOf, MOST_AXES } from "./strided.ts";

/** How an operation goes on from element to element, in WGSL. */
interface Rule {
  /** What is kept: f32, i32, or a key in the order of the numbers and the place where it was found. */
  state: "f32" | "i32" | "vec2<i32>";
  /** Of no elements at all. */
  identity: string;
  /** The state of one element `x` at place `k`. */
  of: string;
  /** Of the states `a` and `b`, where b is later or, within a workgroup, either. */
  join: string;
  /** The result of the state `a`. */
  result: string;
}

const LEAST = "bitcast<i32>(0x80000000u)";

function sumOf(state: "f32" | "i32", of: string): Rule {
  return { state, identity: state === "f32" ? "0.0" : "0", of, join: "a + b", result: "a" };
}

/** For extremes a float is the integer in its place; a NaN comes before or after all. */
function extremeOf(op: ReduceOp, word: "f32" | "i32"): Rule {
  const greatest = op === "amax" || op === "argmax";
  const end = greatest ? "0x7fffffff" : LEAST;
  const key = word === "f32" ? `select(order_of(x), ${end}, is_nan(x))` : "x";
  const identity = greatest ? LEAST : "0x7fffffff";
  if (op === "amax" || op === "amin") {
    const result = word === "f32" ? "from_order(a)" : "a";
    return { state: "i32", identity, of: key, join: greatest ? "max(a, b)" : "min(a, b)", result };
  }
  const wins = greatest ? "b.x > a.x" : "b.x < a.x";
  return {
    state: "vec2<i32>",
    identity: `vec2<i32>(${identity}, 0x7fffffff)`,
    // Zeros of both signs are equal: the first wins.
    of: `vec2<i32>(${word === "f32" ? `select(${key}, 0, size_of(x) == 0u)` : key}, i32(k))`,
    join: `select(a, b, ${wins} || (b.x == a.x && b.y < a.y))`,
    result: "a.y",
  };
}

function ruleOf(op: ReduceOp, x: DType, out: DType): Rule | null {
  const [word, result] = [wordOf(x), wordOf(out)];
  const truth = word === "f32" ? "i32(size_of(x) != 0u)" : "i32(x != 0)";
  switch (op) {
    case "sum":
      return word === result ? sumOf(word, "x") : null;
    case "sum_abs":
      return word === "f32" && result === "f32" ? sumOf("f32", "abs(x)") : null;
    case "sum_squares":
      return word === "f32" && result === "f32" ? sumOf("f32", "x * x") : null;
    case "prod":
      if (word !== result) return null;
      return { state: word, identity: word === "f32" ? "1.0" : "1", of: "x", join: "a * b", result: "a" };
    case "any":
      return result === "f32" ? null : { state: "i32", identity: "0", of: truth, join: "a | b", result: "a" };
    case "all":
      return result === "f32" ? null : { state: "i32", identity: "1", of: truth, join: "a & b", result: "a" };
    case "amax":
    case "amin":
      return x === out ? extremeOf(op, word) : null;
    default:
      return result === "f32" ? null : extremeOf(op, word);
  }
}

/** The largest integer that comes out, by absolute value. */
function largest(op: ReduceOp, x: View, count: number): number {
  if (op === "any" || op === "all") return 1;
  if (op === "argmax" || op === "argmin") return Math.max(count - 1, 0);
  if (op === "sum") return limitOf(x) * count;
  return op === "prod" ? Math.max(limitOf(x), 1) ** count : limitOf(x);
}

const WORKGROUP = 64;
/** Rows so short may be read by an invocation each where there are many. */
const FEW = 256;
/** Invocations that keep a GPU at work. */
const ENOUGH = 8192;
/** Elements that an invocation takes at least before rows are cut into more parts. */
const PART = 32;
const MOST_PARTS = 1024;

/** Where results and elements of a stage lie. */
interface Stage {
  kept: Axes;
  reduced: Axes;
  results: number;
  count: number;
}

export function reduceKernels(runtime: Runtime): Attempts {
  return { reduce: (op, x, out) => reduce(runtime, op, x, out) };
}

/** @returns false, with nothing done, when it has to run on the CPU */
export function reduce(runtime: Runtime, op: ReduceOp, x: View, out: View): boolean {
  if (!x.memory || !out.memory || x.memory === out.memory || !isNarrow(x.dtype) || !isNarrow(out.dtype)) return false;
  const rule = ruleOf(op, x.dtype, out.dtype);
  if (!rule) return false;
  const [kept, reduced] = [axesOf(x, 0, out.shape.length), axesOf(x, out.shape.length)];
  if (kept.shape.length > MOST_AXES || reduced.shape.length > MOST_AXES) return false;
  const results = sizeOf(out);
  const count = numel(reduced.shape);
  const isExtreme = rule.state === "vec2<i32>" || op === "amax" || op === "amin";
  if (results === 0) return true;
  if (count === 0 && isExtreme) return false;
  const most = largest(op, x, count);
  if (out.dtype.name === "int64" && !(most <= MOST_INT32)) return false;
  noteLimit(out, Math.min(most, mostOf(out.dtype)));
  const stage = { kept, reduced, results, count };
  const byGroup = isByGroup(stage);
  const parts = partsOf(stage, byGroup);
  const key = `${op} ${x.dtype.name} to ${out.dtype.name}`;
  if (parts === 1) {
    run(runtime, { key, rule, stage, byGroup, from: x, to: out, fromStates: false, toStates: false, parts });
    return true;
  }
  const words = rule.state === "vec2<i32>" ? 2 : 1;
  const memory = runtime.allocate(parts * results * words * ELEMENT_BYTES);
  run(runtime, { key, rule, stage, byGroup, from: x, to: { memory }, fromStates: false, toStates: true, parts });
  const second: Stage = {
    kept: { shape: [results], strides: [1] },
    reduced: { shape: [parts], strides: [results] },
    results,
    count: parts,
  };
  const inGroups = isByGroup(second);
  const last = { byGroup: inGroups, from: { memory, offset: 0 }, to: out, fromStates: true, toStates: false, parts: 1 };
  run(runtime, { key, rule, stage: second, ...last });
  runtime.free(memory);
  return true;
}

/** A workgroup for each result, unless there are enough of them, or their elements are few or far from each other. */
function isByGroup({ kept, reduced, results, count }: Stage): boolean {
  if (count < WORKGROUP || (count < FEW && results >= ENOUGH)) return false;
  const side = reduced.strides.at(-1) === 1;
  const besides = kept.strides.at(-1) === 1 && kept.shape.at(-1)! >= 16;
  return side || !besides || results < 64;
}

/** In how many parts rows are reduced first. */
function partsOf({ results, count }: Stage, byGroup: boolean): number {
  const width = byGroup ? WORKGROUP : 1;
  const wanted = Math.ceil(ENOUGH / (results * width));
  return Math.max(1, Math.min(wanted, Math.floor(count / (PART * width)), MOST_PARTS));
}

interface Run {
  key: string;
  rule: Rule;
  stage: Stage;
  byGroup: boolean;
  from: { memory?: DeviceMemory; offset: number; dtype?: DType };
  to: View | { memory: DeviceMemory };
  /** Whether states of an earlier stage are read, and states are written for a later one. */
  fromStates: boolean;
  toStates: boolean;
  parts: number;
}

function run(runtime: Runtime, { key, rule, stage, byGroup, from, to, fromStates, toStates, parts }: Run): void {
  const { kept, reduced, results, count } = stage;
  const groups = gridOf(byGroup ? results * parts : Math.ceil((results * parts) / WORKGROUP));
  const isWhole = !("shape" in to) || isWholeMemory(to);
  const memory = to.memory as DeviceMemory;
  const axes = Math.min(reduced.shape.length, 3);
  const part = Math.ceil(count / parts);
  const last = reduced.shape.at(-1) ?? 1;
  const params = new Params()
    .u32(results, parts, count, part)
    .u32(groups[0] * (byGroup ? 1 : WORKGROUP), from.offset, "shape" in to ? to.offset : 0, kept.shape.length)
    .u32(reduced.shape.length, last, 0, 0)
    .u32(...padded(kept.shape))
    .i32s(kept.strides, MOST_AXES)
    .u32(...padded(reduced.shape))
    .i32s(reduced.strides, MOST_AXES);
  const input = fromStates ? rule.state : wordOf(from.dtype as DType);
  const outDtype = "shape" in to ? to.dtype : null;
  runtime.run(
    {
      key: `reduce ${key} ${byGroup} ${axes} ${fromStates} ${toStates}`,
      code: () => code(rule, { input, output: outDtype, byGroup, axes, fromStates }),
    },
    {
      reads: [from.memory as DeviceMemory],
      writes: isWhole ? [memory] : [],
      updates: isWhole ? [] : [memory],
      params: params.block,
      groups,
    },
  );
}

const padded = (shape: readonly number[]): number[] => Array.from({ length: MOST_AXES }, (_, k) => shape[k] ?? 1);

interface Shape {
  input: string;
  /** null where states are written. */
  output: DType | null;
  byGroup: boolean;
  /** Axes of what is reduced: one, two, or more. */
  axes: number;
  fromStates: boolean;
}

function code(rule: Rule, { input, output, byGroup, axes, fromStates }: Shape): string {
  const { state, identity } = rule;
  let result = output ? rule.result : "a";
  if (output?.name === "uint8") result = `(${result}) & 255`;
  if (output?.name === "bool") result = `select(0, 1, (${result}) != 0)`;
  const of = fromStates ? "x" : rule.of;
  const stride = byGroup ? `${WORKGROUP}u` : "1u";
  return `${functionsOf(`${of} ${result}`)}
struct Call {
  results: u32,
  parts: u32,
  count: u32,
  part: u32,
  row: u32,
  from_offset: u32,
  to_offset: u32,
  kept_axes: u32,
  axes: u32,
  last: u32,
  unused: vec2<u32>,
  kept_shape: array<vec4<u32>, 2>,
  kept_strides: array<vec4<i32>, 2>,
  shape: array<vec4<u32>, 2>,
  strides: array<vec4<i32>, 2>,
}
@group(0) @binding(0) var<uniform> call: Call;
@group(0) @binding(1) var<storage, read> source: array<${input}>;
@group(0) @binding(2) var<storage, read_write> target_words: array<${output ? wordOf(output) : state}>;
fn state_of(x: ${input}, k: u32) -> ${state} { return ${of}; }
fn join(a: ${state}, b: ${state}) -> ${state} { return ${rule.join}; }
fn result_of(a: ${state}) -> ${output ? wordOf(output) : state} { return ${result}; }
fn start_of(result: u32) -> i32 {
  var rest = result;
  var at = i32(call.from_offset);
  for (var left = call.kept_axes; left > 0u; left--) {
    let axis = left - 1u;
    let size = call.kept_shape[axis / 4u][axis % 4u];
    at += i32(rest % size) * call.kept_strides[axis / 4u][axis % 4u];
    rest /= size;
  }
  return at;
}
${placeCode(axes)}
fn reduced(base: i32, begin: u32, end: u32) -> ${state} {
  var total = ${identity};
${loopCode(rule, axes, stride)}
  return total;
}
${byGroup ? groupMain(rule) : invocationMain()}`;
}

/** Element k of a row: where it lies from the row's start. */
function placeCode(axes: number): string {
  if (axes < 2) return "fn place_of(k: u32) -> i32 { return i32(k) * call.strides[0][0]; }";
  if (axes === 2) {
    return "fn place_of(k: u32) -> i32 { return i32(k / call.last) * call.strides[0][0] + i32(k % call.last) * call.strides[0][1]; }";
  }
  return `fn place_of(k: u32) -> i32 {
  var rest = k;
  var at = 0;
  for (var left = call.axes; left > 0u; left--) {
    let axis = left - 1u;
    let size = call.shape[axis / 4u][axis % 4u];
    at += i32(rest % size) * call.strides[axis / 4u][axis % 4u];
    rest /= size;
  }
  return at;
}`;
}

/** From element to element, in blocks: a sum of many is a sum of partial sums, whose roundings do not pile up. */
function loopCode({ identity }: Rule, axes: number, stride: string): string {
  const blocks = (init: string, at: string, next: string): string => `${init}
  for (var k = begin; k < end;) {
    var block = ${identity};
    for (var n = 0u; n < 64u && k < end; n++) {
      block = join(block, state_of(source[${at}], k));
      k += ${stride};
${next}    }
    total = join(total, block);
  }`;
  if (axes < 2) {
    return blocks(
      `  var at = base + place_of(begin);\n  let step = i32(${stride}) * call.strides[0][0];`,
      "at",
      "      at += step;\n",
    );
  }
  if (axes > 2) return blocks("", "base + place_of(k)", "");
  return blocks(
    `  let above = ${stride} / call.last;
  let beside = ${stride} % call.last;
  let step = i32(above) * call.strides[0][0] + i32(beside) * call.strides[0][1];
  let carry = call.strides[0][0] - i32(call.last) * call.strides[0][1];
  var position = begin % call.last;
  var at = base + place_of(begin);`,
    "at",
    `      at += step;
      position += beside;
      if (position >= call.last) {
        position -= call.last;
        at += carry;
      }
`,
  );
}

function invocationMain(): string {
  return `@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x + id.y * call.row;
  if (i >= call.results * call.parts) { return; }
  let begin = (i / call.results) * call.part;
  let total = reduced(start_of(i % call.results), begin, min(begin + call.part, call.count));
  target_words[call.to_offset + i] = result_of(total);
}`;
}

/**
 * Neighbours read neighbours; then eight lanes join eight states each, and one those of the eight: a barrier is dearer than
 * a few additions.
 */
function groupMain({ state }: Rule): string {
  return `var<workgroup> shares: array<${state}, ${WORKGROUP}>;
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = group.x + group.y * call.row;
  let begin = (i / call.results) * call.part;
  let end = min(begin + call.part, call.count);
  // Groups beyond the last have nothing to do, but take part in the barriers.
  let is_one = i < call.results * call.parts;
  shares[lane] = reduced(start_of(i % call.results), begin + lane, select(0u, end, is_one));
  workgroupBarrier();
  if (lane < 8u) {
    var total = shares[lane];
    for (var other = lane + 8u; other < ${WORKGROUP}u; other += 8u) { total = join(total, shares[other]); }
    shares[lane] = total;
  }
  workgroupBarrier();
  if (lane == 0u && is_one) {
    var total = shares[0];
    for (var other = 1u; other < 8u; other++) { total = join(total, shares[other]); }
    target_words[call.to_offset + i] = result_of(total);
  }
}`;
}
