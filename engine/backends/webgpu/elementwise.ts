/**
 * One generator for all kernels that work element by element. A kernel is a body of WGSL on the elements of one place; what
 * is generated around it reads and writes them.
 *
 * Where all operands lie row by row (or are one number), an invocation handles a vector of four elements. Else it handles
 * four elements that follow each other in the output's order, and walks from one to the next by the strides.
 */
import type { DType } from "../../core/dtype.ts";
import type { DeviceMemory, View } from "../backend.ts";
import { isRepeated, sizeOf } from "../reference/strided.ts";
import { functionsOf } from "./math.ts";
import { ELEMENT_BYTES, type Memory } from "./memory.ts";
import { Params } from "./params.ts";
import { gridOf, type Program, type Runtime } from "./runtime.ts";
import { MOST_AXES, type Walk, walk } from "./strided.ts";

/** How a kernel looks at a word of memory; u32 where it only moves it. */
export type Word = "f32" | "i32" | "u32";

export interface ElementwiseCall {
  /** Names the body. */
  key: string;
  /** WGSL: statements on `a0`, `a1` … (elements of the inputs) and `number(0)` … that end in `return Results(…)`. */
  body: () => string;
  /** On the GPU, or one number everywhere. An input may be an output. */
  inputs: readonly View[];
  inputWords: readonly Word[];
  /** All of the inputs' shape. */
  outs: readonly View[];
  outWords: readonly Word[];
  numbers?: readonly number[];
  /** The largest integer that is written, by absolute value. */
  limit?: number;
}

const WORKGROUP = 64;
const PER_INVOCATION = 4;
const MOST_BUFFERS = 8;
const MOST_NUMBERS = 32;

/** What an element is in WGSL. */
export const wordOf = ({ name }: DType): "f32" | "i32" => (name === "float32" ? "f32" : "i32");

/**
 * Where an input comes from: a number of the call, one element of memory, elements of memory, or those of an output;
 * "repeated" where vectors are written and each of them takes one element four times.
 */
type Source =
  | { kind: "number"; at: number }
  | { kind: "one" | "many" | "repeated"; buffer: number; view: number }
  | { kind: "output"; out: number };

/** @returns false, with nothing done, when an operand is not on the GPU or has too many axes */
export function elementwise(runtime: Runtime, call: ElementwiseCall): boolean {
  const { inputs, outs } = call;
  if (outs.some(({ memory }) => !memory)) return false;
  if (new Set(outs.map(({ memory }) => memory)).size < outs.length) return false;
  const numbers = (call.numbers ?? []).map(bitsOfFloat);
  const views: View[] = [...outs];
  const reads: DeviceMemory[] = [];
  const aliased: number[] = [];
  const sources: Source[] = [];
  const readAndWritten = new Set<number>();
  for (const [k, input] of inputs.entries()) {
    const { memory } = input;
    if (!memory) {
      const bits = isRepeated(input) ? bitsOfScalar(input, call.inputWords[k]!) : null;
      if (bits === null) return false;
      sources.push({ kind: "number", at: numbers.push(bits) - 1 });
      continue;
    }
    const out = outs.findIndex((view) => view.memory === memory);
    if (out >= 0 && isSameLayout(input, outs[out]!) && call.inputWords[k] === call.outWords[out]) {
      readAndWritten.add(out);
      sources.push({ kind: "output", out });
      continue;
    }
    if (out >= 0) aliased.push(reads.length);
    sources.push({ kind: isRepeated(input) ? "one" : "many", buffer: reads.push(memory) - 1, view: -1 });
  }
  if (reads.length + outs.length > MOST_BUFFERS || numbers.length > MOST_NUMBERS) return false;
  sources.forEach((source, k) => {
    if (source.kind === "many") source.view = views.push(inputs[k]!) - 1;
  });
  const way = walk(views);
  if (!way) return false;
  sources.forEach((source, k) => {
    if (source.kind === "one") source.view = way.offsets.push(inputs[k]!.offset) - 1;
  });
  if (way.count === 0) return true;
  const inVectors = isInVectors(way, outs.length);
  for (const source of inVectors ? sources : []) {
    if (source.kind === "many" && way.strides[source.view]!.at(-1) === 0) source.kind = "repeated";
  }
  const copies = aliased.map((at) => {
    const copy = runtime.copyOf(reads[at]!);
    reads[at] = copy;
    return copy;
  });
  if (call.limit !== undefined) for (const out of outs) noteLimit(out, call.limit);
  const groups = gridOf(Math.ceil(way.count / (WORKGROUP * PER_INVOCATION)));
  const isWhole = (view: View, k: number) => isWholeMemory(view) && !readAndWritten.has(k);
  const whole = outs.every(isWhole);
  const memories = outs.map(({ memory }) => memory as DeviceMemory);
  runtime.run(program(call, sources, views.length, reads.length, inVectors, way.dense ? 1 : way.shape.length), {
    reads,
    writes: whole ? memories : [],
    updates: whole ? [] : memories,
    params: paramsOf(way, views.length, groups[0] * WORKGROUP, numbers),
    groups,
  });
  for (const copy of copies) runtime.free(copy);
  return true;
}

/** Whether whole vectors are written, of inputs that lie side by side too or repeat along the last axis. */
function isInVectors({ dense, shape, strides, offsets }: Walk, outs: number): boolean {
  const isAligned = (k: number): boolean =>
    offsets[k]! % 4 === 0 && strides[k]!.slice(0, -1).every((step) => step % 4 === 0);
  if (!dense && shape.at(-1)! % 4 !== 0) return false;
  return strides.every((steps, k) => {
    if (!dense && steps.at(-1) === 0) return k >= outs;
    return (dense || steps.at(-1) === 1) && isAligned(k);
  });
}

/** Whether a view is all there is in its memory. */
export function isWholeMemory(view: View): boolean {
  return sizeOf(view) * ELEMENT_BYTES === view.memory?.bytes;
}

/** The largest absolute value among the integers of a view. */
export function limitOf(view: View): number {
  return view.memory ? view.memory.limit : Math.abs(view.data[view.offset] ?? 0);
}

/** What 32 bits hold. */
export const MOST_INT32 = 2 ** 31 - 1;

/** Notes that a kernel is about to write integers of this size to a view. */
export function noteLimit(out: View, limit: number): void {
  const memory = out.memory as Memory | undefined;
  if (!memory) return;
  const isFresh = memory.batch < 0 && memory.limit === Number.POSITIVE_INFINITY;
  memory.limit = isWholeMemory(out) || isFresh ? limit : Math.max(memory.limit, limit);
}

function isSameLayout(a: View, b: View): boolean {
  return a.offset === b.offset && a.shape.every((size, axis) => size === 1 || a.strides[axis] === b.strides[axis]);
}

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

export function bitsOfFloat(value: number): number {
  float[0] = value;
  return bits[0]!;
}

/** The word of a view that is one number on the CPU; null where 32 bits do not hold it. */
function bitsOfScalar({ data, offset, dtype }: View, word: Word): number | null {
  const value = data[offset] ?? 0;
  if (word === "f32" || (word === "u32" && dtype.name === "float32")) return bitsOfFloat(value);
  if (dtype.category === "floating") return null;
  return Math.abs(value) <= MOST_INT32 + 1 && value <= MOST_INT32 ? value >>> 0 : null;
}

function paramsOf(way: Walk, views: number, row: number, numbers: readonly number[]): ArrayBuffer {
  const { count, shape, strides, offsets, dense } = way;
  const params = new Params().u32(count, shape.length, row, shape.at(-1) ?? 1).i32s(offsets, MOST_AXES);
  params.u32(...Array.from({ length: MOST_AXES }, (_, axis) => shape[axis] ?? 1));
  for (let k = 0; k < views; k++) params.i32s(dense ? [1] : strides[k]!, MOST_AXES);
  return params.u32(...numbers).align().block;
}

function program(
  { key, body, inputWords, outWords }: ElementwiseCall,
  sources: readonly Source[],
  views: number,
  buffers: number,
  inVectors: boolean,
  axes: number,
): Program {
  const modes = sources.map(
    (source, k) => `${source.kind}${source.kind === "output" ? source.out : ""} ${inputWords[k]}`,
  );
  const shape = { sources, views, buffers, inputWords, outWords };
  return {
    key: `${key} | ${modes.join(", ")} -> ${outWords.join(", ")} | ${inVectors ? "vectors, " : ""}${axes} axes`,
    code: () => {
      const own = body();
      return `${functionsOf(own)}${frame(shape, inVectors)}
fn results_of(${inputWords.map((word, k) => `a${k}: ${word}`).join(", ")}) -> Results {
${own}
}
${placesCode(shape, axes)}${inVectors ? vectorMain(shape) : stridedMain(shape, axes)}`;
    },
  };
}

interface Frame {
  sources: readonly Source[];
  views: number;
  buffers: number;
  inputWords: readonly Word[];
  outWords: readonly Word[];
}

/** The uniform block, the operands and the results. */
function frame({ sources, views, buffers, inputWords, outWords }: Frame, inVectors: boolean): string {
  const lines: string[] = [];
  for (let buffer = 0; buffer < buffers; buffer++) {
    const k = sources.findIndex((source) => "buffer" in source && source.buffer === buffer);
    const word = inputWords[k]!;
    const element = inVectors && sources[k]!.kind === "many" ? `vec4<${word}>` : word;
    lines.push(`@group(0) @binding(${buffer + 1}) var<storage, read> x${buffer}: array<${element}>;`);
  }
  outWords.forEach((word, k) => {
    const element = inVectors ? `vec4<${word}>` : word;
    lines.push(`@group(0) @binding(${buffers + k + 1}) var<storage, read_write> out${k}: array<${element}>;`);
  });
  const strides = Array.from({ length: views }, (_, k) => `  strides${k}: array<vec4<i32>, 2>,\n`).join("");
  return `struct Call {
  count: u32,
  axes: u32,
  row: u32,
  inner: u32,
  offsets: array<vec4<u32>, 2>,
  shape: array<vec4<u32>, 2>,
${strides}  numbers: array<vec4<u32>, ${MOST_NUMBERS / 4}>,
}
struct Results { ${outWords.map((word, k) => `r${k}: ${word}`).join(", ")} }
@group(0) @binding(0) var<uniform> call: Call;
${lines.join("\n")}
fn number(k: u32) -> f32 { return bitcast<f32>(call.numbers[k / 4u][k % 4u]); }
`;
}

/** What is read before the elements: sources that are one number, and whole vectors. */
function readingLines({ sources, inputWords }: Frame, inVectors: boolean): string {
  const lines = sources.map((source, k) => {
    switch (source.kind) {
      case "number":
        return `let s${k} = bitcast<${inputWords[k]}>(call.numbers[${source.at >> 2}][${source.at & 3}]);`;
      case "one":
        return `let s${k} = x${source.buffer}[${offset(source.view)}];`;
      case "many":
        return inVectors ? `let v${k} = x${source.buffer}[at.t${source.view} / 4];` : "";
      case "repeated":
        return `let s${k} = x${source.buffer}[at.t${source.view}];`;
      case "output":
        return inVectors ? `let v${k} = ${outAt(source.out)};` : "";
      default:
        return source satisfies never;
    }
  });
  return lines.map((line) => (line === "" ? "" : `  ${line}\n`)).join("");
}

const outAt = (out: number): string => `out${out}[at.t${out} / 4]`;
/** Where view k starts. */
const offset = (k: number): string => `call.offsets[${k >> 2}][${k & 3}]`;

const isScalar = ({ kind }: Source): boolean => kind !== "many" && kind !== "output";

function vectorMain(shape: Frame): string {
  const { sources, outWords } = shape;
  const results = [0, 1, 2, 3].map((c) => {
    const operands = sources.map((source, k) => (isScalar(source) ? `s${k}` : `v${k}[${c}]`));
    return `  let e${c} = results_of(${operands.join(", ")});\n`;
  });
  const vectors = outWords.map((word, k) => `  let w${k} = vec4<${word}>(e0.r${k}, e1.r${k}, e2.r${k}, e3.r${k});\n`);
  return `@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let first = (id.x + id.y * call.row) * 4u;
  if (first >= call.count) { return; }
  let at = places_of(first);
${readingLines(shape, true)}${results.join("")}${vectors.join("")}
  if (first + 4u <= call.count) {
${outWords.map((_, k) => `    ${outAt(k)} = w${k};\n`).join("")}  } else {
    for (var c = 0u; first + c < call.count; c++) {
${outWords.map((_, k) => `      ${outAt(k)}[c] = w${k}[c];\n`).join("")}    }
  }
}`;
}

const eachOf = (count: number, line: (k: number) => string): string =>
  Array.from({ length: count }, (_, k) => line(k)).join("");

/** A number that the call has for an axis. */
const along = (list: string, axis: number): string => `call.${list}[${axis >> 2}][${axis & 3}]`;

/** Where element i of each view lies, and its position along the last axis. */
function placesCode({ views }: Frame, axes: number): string {
  const decoding = Array.from({ length: axes }, (_, k) => {
    const axis = axes - 1 - k;
    const position = axis === 0 ? "rest" : `rest % ${along("shape", axis)};\n  rest /= ${along("shape", axis)}`;
    const moves = eachOf(views, (view) => `  at.t${view} += i32(p${axis}) * ${along(`strides${view}`, axis)};\n`);
    return `  let p${axis} = ${position};\n${moves}${k === 0 ? `  at.position = p${axis};\n` : ""}`;
  });
  return `struct Places { position: u32, ${eachOf(views, (k) => `t${k}: i32, `)}}
fn places_of(i: u32) -> Places {
  var rest = i;
  var at: Places;
${eachOf(views, (k) => `  at.t${k} = i32(${offset(k)});\n`)}${decoding.join("")}  return at;
}
`;
}

function stridedMain(shape: Frame, axes: number): string {
  const { sources, views, outWords } = shape;
  const last = Math.max(axes, 1) - 1;
  const operands = sources.map((source, k) => {
    if (source.kind === "many") return `x${source.buffer}[at.t${source.view}]`;
    return source.kind === "output" ? `out${source.out}[at.t${source.out}]` : `s${k}`;
  });
  return `@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let first = (id.x + id.y * call.row) * ${PER_INVOCATION}u;
  if (first >= call.count) { return; }
${readingLines(shape, false)}  let end = min(first + ${PER_INVOCATION}u, call.count);
  var at = places_of(first);
  for (var i = first; i < end; i++) {
    if (i > first) {
      at.position++;
      if (at.position < call.inner) {
${eachOf(views, (k) => `        at.t${k} += ${along(`strides${k}`, last)};\n`)}      } else {
        at = places_of(i);
      }
    }
    let e = results_of(${operands.join(", ")});
${outWords.map((_, k) => `    out${k}[at.t${k}] = e.r${k};\n`).join("")}  }
}`;
}
