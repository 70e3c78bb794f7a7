/** Running sums and products along the middle axis of [outer, n, inner]. */
import type { DType } from "../../core/dtype.ts";
import type { Attempts, View } from "../backend.ts";
import { sizeOf } from "../reference/strided.ts";
import { isNarrow, mostOf } from "./copy.ts";
import { isWholeMemory, limitOf, MOST_INT32, noteLimit, wordOf } from "./elementwise.ts";
import { Params } from "./params.ts";
import { gridOf, type Program, type Runtime } from "./runtime.ts";

const WORKGROUP = 64;
/** Neighbours that a lane of a workgroup runs through at a time. */
const PER_LANE = 16;
/** Shorter columns are run through by one invocation. */
const LONG = 64;
/** So many columns keep a GPU at work one by one. */
const ENOUGH = 4096;

type Op = "cumsum" | "cumprod";

export function cumulativeKernels(runtime: Runtime): Attempts {
  return { cumulative: (op, x, out) => cumulative(runtime, op, x, out) };
}

function cumulative(runtime: Runtime, op: Op, x: View, out: View): boolean {
  if (!x.memory || !out.memory || x.memory === out.memory || x.dtype !== out.dtype) return false;
  if (!isNarrow(x.dtype) || x.dtype.name === "bool") return false;
  const [outer, n, inner] = x.shape as [number, number, number];
  const isInteger = wordOf(x.dtype) === "i32";
  const most = isInteger ? (op === "cumsum" ? limitOf(x) * n : Math.max(limitOf(x), 1) ** n) : 0;
  if (x.dtype.name === "int64" && !(most <= MOST_INT32)) return false;
  if (sizeOf(x) === 0) return true;
  noteLimit(out, Math.min(most, mostOf(x.dtype)));
  const columns = outer * inner;
  const byGroup = n >= LONG && columns < ENOUGH;
  const groups = gridOf(byGroup ? columns : Math.ceil(columns / WORKGROUP));
  const whole = isWholeMemory(out);
  const params = new Params()
    .u32(columns, groups[0] * (byGroup ? 1 : WORKGROUP), n, inner, x.offset, out.offset, 0, 0)
    .i32s(x.strides, 4);
  runtime.run(program(op, x.dtype, byGroup), {
    reads: [x.memory],
    writes: whole ? [out.memory] : [],
    updates: whole ? [] : [out.memory],
    params: params.block,
    groups,
  });
  return true;
}

function program(op: Op, dtype: DType, byGroup: boolean): Program {
  const word = wordOf(dtype);
  const joined = op === "cumsum" ? "a + b" : "a * b";
  return {
    key: `${op} ${dtype.name} ${byGroup}`,
    code: () => `struct Call {
  columns: u32,
  row: u32,
  n: u32,
  inner: u32,
  x_offset: u32,
  out_offset: u32,
  unused: vec2<u32>,
  strides: vec4<i32>,
}
@group(0) @binding(0) var<uniform> call: Call;
@group(0) @binding(1) var<storage, read> x: array<${word}>;
@group(0) @binding(2) var<storage, read_write> out: array<${word}>;
fn join(a: ${word}, b: ${word}) -> ${word} { return ${dtype.name === "uint8" ? `(${joined}) & 255` : joined}; }
// Where a column starts: in x, and in out.
fn starts_of(column: u32) -> vec2<u32> {
  let r = column / call.inner;
  let c = column % call.inner;
  let at = i32(call.x_offset) + i32(r) * call.strides.x + i32(c) * call.strides.z;
  return vec2<u32>(u32(at), call.out_offset + r * call.n * call.inner + c);
}
fn place(start: u32, k: u32) -> u32 { return u32(i32(start) + i32(k) * call.strides.y); }
${byGroup ? groupMain(op, word) : invocationMain(op, word)}`,
  };
}

const identityOf = (op: Op, word: string): string => `${word}(${op === "cumsum" ? 0 : 1})`;

function invocationMain(op: Op, word: string): string {
  return `@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let column = id.x + id.y * call.row;
  if (column >= call.columns) { return; }
  let start = starts_of(column);
  var running = ${identityOf(op, word)};
  for (var k = 0u; k < call.n; k++) {
    running = join(running, x[place(start.x, k)]);
    out[start.y + k * call.inner] = running;
  }
}`;
}

/**
 * A stretch of the column at a time, in which each lane runs through neighbours: first for what they come to, then, once
 * it is known what comes before them, for the results.
 */
function groupMain(op: Op, word: string): string {
  const identity = identityOf(op, word);
  return `var<workgroup> shares: array<${word}, ${WORKGROUP}>;
var<workgroup> all: ${word};
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let column = group.x + group.y * call.row;
  let start = starts_of(column);
  let n = select(0u, call.n, column < call.columns);
  if (lane == 0u) { all = ${identity}; }
  for (var first = 0u; first < call.n; first += ${WORKGROUP * PER_LANE}u) {
    let begin = first + lane * ${PER_LANE}u;
    let end = min(begin + ${PER_LANE}u, n);
    var own = ${identity};
    for (var k = begin; k < end; k++) { own = join(own, x[place(start.x, k)]); }
    shares[lane] = own;
    workgroupBarrier();
    if (lane == 0u) {
      var before = all;
      for (var other = 0u; other < ${WORKGROUP}u; other++) {
        let share = shares[other];
        shares[other] = before;
        before = join(before, share);
      }
      all = before;
    }
    workgroupBarrier();
    var running = shares[lane];
    for (var k = begin; k < end; k++) {
      running = join(running, x[place(start.x, k)]);
      out[start.y + k * call.inner] = running;
    }
  }
}`;
}
