/**
 * Reading and adding at positions along the middle axis of [outer, n, inner]. What is added to one place is added in the
 * order of the source, as on the CPU: never by atomics, whose order is another one each time.
 *
 * That an index is too large is told by the CPU: calls whose indices may be are left to it. Of a negative one, which nobody
 * can see before it is used, floats become NaN, integers 0, and nothing is added.
 */
import type { DType } from "../../core/dtype.ts";
import { contiguousStrides } from "../../core/shape.ts";
import type { Attempts, DeviceMemory, View } from "../backend.ts";
import { isDense, sizeOf } from "../reference/strided.ts";
import { isNarrow, mostOf } from "./copy.ts";
import { isWholeMemory, limitOf, MOST_INT32, noteLimit, wordOf } from "./elementwise.ts";
import { ELEMENT_BYTES } from "./memory.ts";
import { Params } from "./params.ts";
import { gridOf, type Program, type Runtime } from "./runtime.ts";
import { viewOf } from "./strided.ts";

const WORKGROUP = 64;

export function indexingKernels(runtime: Runtime): Attempts {
  return {
    indexSelect: (x, index, out) => select(runtime, x, alongMiddle(index, out), out),
    gather: (x, index, out) => select(runtime, x, index, out),
    indexAdd: (out, index, source) => add(runtime, out, alongMiddle(index, source), source, index),
    scatterAdd: (out, index, source) => add(runtime, out, index, source, lineOf(index)),
  };
}

/** One index for all rows and columns, seen as one for each of them. */
function alongMiddle(index: View, { shape }: View): View {
  const [stride = 0] = index.strides;
  return viewOf(index, shape, [0, stride, 0]);
}

/** The index as a single axis, where rows and columns are one. */
function lineOf(index: View): View | null {
  const [outer, m, inner] = index.shape as [number, number, number];
  return outer === 1 && inner === 1 ? viewOf(index, [m], [index.strides[1]!]) : null;
}

const NO_DATA = new Float32Array(0);

/** Whether indices are on the GPU and none is too large. */
function isWithin(index: View, n: number): boolean {
  return index.memory !== undefined && index.dtype.category !== "floating" && limitOf(index) < n;
}

const gridFor = (count: number): [number, number, number] => gridOf(Math.ceil(count / WORKGROUP));

const HEAD = `struct Call {
  count: u32,
  row: u32,
  n: u32,
  m: u32,
  inner: u32,
  x_offset: u32,
  index_offset: u32,
  out_offset: u32,
  x_strides: vec4<i32>,
  index_strides: vec4<i32>,
}
@group(0) @binding(0) var<uniform> call: Call;
fn place(offset: u32, strides: vec4<i32>, r: u32, k: u32, c: u32) -> u32 {
  return u32(i32(offset) + i32(r) * strides.x + i32(k) * strides.y + i32(c) * strides.z);
}
`;

interface Place {
  count: number;
  n: number;
  m: number;
  inner: number;
}

/** `x` is what is read: the source of elements; its strides are of [outer, n or m, inner]. */
function paramsOf({ count, n, m, inner }: Place, x: View, index: View, out: View): ArrayBuffer {
  const row = gridFor(count)[0] * WORKGROUP;
  return new Params()
    .u32(count, row, n, m, inner, x.offset, index.offset, out.offset)
    .i32s(x.strides, 4)
    .i32s(index.strides, 4).block;
}

/** Elements are moved as words, so that a NaN keeps its bits. */
function select(runtime: Runtime, x: View, index: View, out: View): boolean {
  if (!x.memory || !index.memory || !out.memory || x.dtype !== out.dtype || !isNarrow(x.dtype)) return false;
  if (x.memory === out.memory || index.memory === out.memory) return false;
  const [, n, inner] = x.shape as [number, number, number];
  if (sizeOf(out) === 0) return true;
  if (!isWithin(index, n)) return false;
  const place = { count: sizeOf(out), n, m: out.shape[1]!, inner };
  const whole = isWholeMemory(out);
  noteLimit(out, limitOf(x));
  const lost = wordOf(x.dtype) === "f32" ? "0x7fc00000u" : "0u";
  runtime.run(
    {
      key: `select ${lost}`,
      code: () => `${HEAD}
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read> index: array<i32>;
@group(0) @binding(3) var<storage, read_write> out: array<u32>;
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x + id.y * call.row;
  if (i >= call.count) { return; }
  let above = i / call.inner;
  let c = i % call.inner;
  let r = above / call.m;
  let at = u32(index[place(call.index_offset, call.index_strides, r, above % call.m, c)]);
  var word = ${lost};
  if (at < call.n) { word = x[place(call.x_offset, call.x_strides, r, at, c)]; }
  out[call.out_offset + i] = word;
}`,
    },
    {
      reads: [x.memory, index.memory],
      writes: whole ? [out.memory] : [],
      updates: whole ? [] : [out.memory],
      params: paramsOf(place, x, index, out),
      groups: gridFor(place.count),
    },
  );
  return true;
}

/** From so many steps on that one invocation would take, indices are sorted. */
const MOST_STEPS = 256;
/** Sorted keys hold an index and its place. */
const MOST_KEYS = 2 ** 32 - 1;

/**
 * @param index of [outer, m, inner]
 * @param line the same index as one axis, where it does not depend on row and column
 */
function add(runtime: Runtime, out: View, index: View, source: View, line: View | null): boolean {
  const { memory } = out;
  if (!memory || !index.memory || !source.memory || !isDense(out) || !isNarrow(out.dtype)) return false;
  if (source.dtype !== out.dtype || out.dtype.name === "bool") return false;
  if (source.memory === memory || index.memory === memory) return false;
  const [outer, n, inner] = out.shape as [number, number, number];
  const m = source.shape[1]!;
  if (sizeOf(source) === 0) return true;
  if (!isWithin(index, n)) return false;
  const isInteger = wordOf(out.dtype) === "i32";
  const most = isInteger ? memory.limit + m * limitOf(source) : 0;
  if (out.dtype.name === "int64" && !(most <= MOST_INT32)) return false;
  if (isInteger) memory.limit = Math.min(most, mostOf(out.dtype));
  if (line && m > MOST_STEPS && m * (n + 1) <= MOST_KEYS) {
    const keys = sortedKeys(runtime, line, n, m);
    addSorted(runtime, out, keys, source);
    runtime.free(keys);
    return true;
  }
  const lanes = outer * inner;
  runtime.run(addProgram(out.dtype), {
    reads: [source.memory, index.memory],
    writes: [],
    updates: [memory],
    params: paramsOf({ count: lanes, n, m, inner }, source, index, out),
    groups: gridFor(lanes),
  });
  return true;
}

const stored = (value: string, { name }: DType): string => (name === "uint8" ? `(${value}) & 255` : value);

/** Each invocation has a column of its own and goes through it from top to bottom. */
function addProgram(dtype: DType): Program {
  const word = wordOf(dtype);
  return {
    key: `add at ${dtype.name}`,
    code: () => `${HEAD}
@group(0) @binding(1) var<storage, read> source: array<${word}>;
@group(0) @binding(2) var<storage, read> index: array<i32>;
@group(0) @binding(3) var<storage, read_write> out: array<${word}>;
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x + id.y * call.row;
  if (i >= call.count) { return; }
  let r = i / call.inner;
  let c = i % call.inner;
  for (var k = 0u; k < call.m; k++) {
    let at = u32(index[place(call.index_offset, call.index_strides, r, k, c)]);
    if (at < call.n) {
      let to = call.out_offset + (r * call.n + at) * call.inner + c;
      out[to] = ${stored("out[to] + source[place(call.x_offset, call.x_strides, r, k, c)]", dtype)};
    }
  }
}`,
  };
}

// ---- sorting

/** Keys that a workgroup sorts in its own memory, two by two. */
const BLOCK = 512;
const LANES = BLOCK / 2;

/**
 * The keys `index · m + k` of all k, in order: equal indices stand together, and their places in the order of the source.
 * They are sorted by Batcher's bitonic network, which takes the same steps whatever the keys.
 */
function sortedKeys(runtime: Runtime, index: View, n: number, m: number): DeviceMemory {
  const size = Math.max(BLOCK, 2 ** Math.ceil(Math.log2(m)));
  const keys = runtime.allocate(size * ELEMENT_BYTES);
  const groups = gridOf(size / BLOCK);
  const step = (mode: string, reads: DeviceMemory[], run: number, distance: number): void => {
    const params = new Params().u32(size, groups[0], n, m, run, distance, index.offset).i32(index.strides[0]!);
    runtime.run(sortProgram(mode), {
      reads,
      writes: mode === "keys" ? [keys] : [],
      updates: mode === "keys" ? [] : [keys],
      params: params.block,
      groups,
    });
  };
  step("keys", [index.memory as DeviceMemory], 0, 0);
  for (let run = 2 * BLOCK; run <= size; run *= 2) {
    for (let distance = run / 2; distance >= BLOCK; distance /= 2) step("far", [], run, distance);
    step("near", [], run, 0);
  }
  return keys;
}

/** "keys" makes the keys and sorts each block; "far" swaps between blocks; "near" ends a run within each block. */
function sortProgram(mode: string): Program {
  const own = mode === "keys";
  const network = (run: string): string => `
    for (var distance = ${run} / 2u; distance > 0u; distance >>= 1u) {
      let low = 2u * lane - (lane & (distance - 1u));
      exchange(low, low + distance, ((first + low) & ${own ? "run" : "call.run"}) == 0u);
      workgroupBarrier();
    }`;
  const within = own
    ? `  for (var run = 2u; run <= ${BLOCK}u; run <<= 1u) {${network("run")}\n  }`
    : network(`${BLOCK}u`);
  const load = own ? "key_of(first + lane)" : "keys[first + lane]";
  const load2 = own ? `key_of(first + lane + ${LANES}u)` : `keys[first + lane + ${LANES}u]`;
  const blocks = `var<workgroup> block: array<u32, ${BLOCK}>;
fn exchange(low: u32, high: u32, ascending: bool) {
  let a = block[low];
  let b = block[high];
  if ((a > b) == ascending) {
    block[low] = b;
    block[high] = a;
  }
}
@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let first = (group.x + group.y * call.row) * ${BLOCK}u;
  let is_one = first < call.size;
  if (is_one) {
    block[lane] = ${load};
    block[lane + ${LANES}u] = ${load2};
  }
  workgroupBarrier();
${within}
  if (is_one) {
    keys[first + lane] = block[lane];
    keys[first + lane + ${LANES}u] = block[lane + ${LANES}u];
  }
}`;
  const far = `@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let pair = (group.x + group.y * call.row) * ${LANES}u + lane;
  let low = 2u * pair - (pair & (call.distance - 1u));
  if (low >= call.size) { return; }
  let a = keys[low];
  let b = keys[low + call.distance];
  if ((a > b) == ((low & call.run) == 0u)) {
    keys[low] = b;
    keys[low + call.distance] = a;
  }
}`;
  return {
    key: `sort ${mode}`,
    code: () => `struct Call {
  size: u32,
  row: u32,
  n: u32,
  m: u32,
  run: u32,
  distance: u32,
  offset: u32,
  stride: i32,
}
@group(0) @binding(0) var<uniform> call: Call;
${own ? "@group(0) @binding(1) var<storage, read> index: array<i32>;" : ""}
@group(0) @binding(${own ? 2 : 1}) var<storage, read_write> keys: array<u32>;
${own ? KEY_OF : ""}${mode === "far" ? far : blocks}`,
  };
}

/** What is no index stands at the end. */
const KEY_OF = `fn key_of(k: u32) -> u32 {
  if (k >= call.m) { return 0xffffffffu; }
  let at = u32(index[u32(i32(call.offset) + i32(k) * call.stride)]);
  return min(at, call.n) * call.m + k;
}
`;

/** The first of equal indices adds for all of them. */
function addSorted(runtime: Runtime, out: View, keys: DeviceMemory, source: View): void {
  const [outer, n, inner] = out.shape as [number, number, number];
  const m = source.shape[1]!;
  const word = wordOf(out.dtype);
  const count = outer * m * inner;
  const index = { ...NO_INDEX, strides: contiguousStrides([outer, m, inner]), dtype: out.dtype };
  runtime.run(
    {
      key: `add sorted ${out.dtype.name}`,
      code: () => `${HEAD}
@group(0) @binding(1) var<storage, read> source: array<${word}>;
@group(0) @binding(2) var<storage, read> keys: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<${word}>;
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x + id.y * call.row;
  if (i >= call.count) { return; }
  let above = i / call.inner;
  let c = i % call.inner;
  let r = above / call.m;
  var place_in_keys = above % call.m;
  let at = keys[place_in_keys] / call.m;
  if (at >= call.n) { return; }
  if (place_in_keys > 0u && keys[place_in_keys - 1u] / call.m == at) { return; }
  let to = call.out_offset + (r * call.n + at) * call.inner + c;
  var total = out[to];
  while (place_in_keys < call.m) {
    let key = keys[place_in_keys];
    if (key / call.m != at) { break; }
    total = ${stored("total + source[place(call.x_offset, call.x_strides, r, key % call.m, c)]", out.dtype)};
    place_in_keys++;
  }
  out[to] = total;
}`,
    },
    {
      reads: [source.memory as DeviceMemory, keys],
      writes: [],
      updates: [out.memory as DeviceMemory],
      params: paramsOf({ count, n, m, inner }, source, index, out),
      groups: gridFor(count),
    },
  );
}

const NO_INDEX = { data: NO_DATA, shape: [], offset: 0 };
