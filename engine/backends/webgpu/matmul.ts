/** Batched matrix products. */
import type { Attempts, View } from "../backend.ts";
import { sizeOf } from "../reference/strided.ts";
import { written } from "./dense.ts";
import { ELEMENT_BYTES, type Memory } from "./memory.ts";
import { Params } from "./params.ts";
import { gridOf, type Program, type Runtime } from "./runtime.ts";

type Element = "f32" | "i32";

const INT32_END = 2 ** 31;

/** What the narrowest integers keep of a sum. */
type Wrap = "none" | "byte";

function matmulProgram(element: Element, wrap: Wrap): Program {
  return {
    key: `matmul ${element} ${wrap}`,
    code: () => `struct Matmul {
  count: u32, row: u32, n: u32, m: u32,
  k: u32, offsetOut: u32, unused0: u32, unused1: u32,
  a: vec4<i32>,
  b: vec4<i32>,
}
@group(0) @binding(0) var<uniform> p: Matmul;
@group(0) @binding(1) var<storage, read> a: array<${element}>;
@group(0) @binding(2) var<storage, read> b: array<${element}>;
@group(0) @binding(3) var<storage, read_write> out: array<${element}>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let t = id.x + id.y * p.row;
  if (t >= p.count) { return; }
  let j = i32(t % p.m);
  let i = i32(t / p.m % p.n);
  let batch = i32(t / p.m / p.n);
  var atA = p.a.w + batch * p.a.x + i * p.a.y;
  var atB = p.b.w + batch * p.b.x + j * p.b.z;
  var sum = ${element}(0);
  for (var k = 0u; k < p.k; k++) {
    sum += a[atA] * b[atB];
    atA += p.a.z;
    atB += p.b.y;
  }
  out[p.offsetOut + t] = ${wrap === "byte" ? "sum & 255" : "sum"};
}`,
  };
}

/** The largest absolute value of a result, or null where 32 bits might not hold it. */
function limitOf({ dtype, shape }: View, left: Memory, right: Memory, out: View): number | null {
  void dtype;
  const limit = shape[2]! * left.limit * right.limit;
  if (out.dtype.name === "uint8") return 255;
  if (out.dtype.name === "int32") return Number.isNaN(limit) ? INT32_END : Math.min(limit, INT32_END);
  return limit < INT32_END ? limit : null;
}

export function matmulKernels(runtime: Runtime): Attempts {
  return {
    matmul(a, b, out) {
      const [left, right, target] = [a.memory, b.memory, out.memory] as (Memory | undefined)[];
      if (!left || !right || !target || left === target || right === target) return false;
      const floats = out.dtype.name === "float32";
      if (!floats && !["int64", "int32", "uint8"].includes(out.dtype.name)) return false;
      const limit = floats ? target.limit : limitOf(a, left, right, out);
      if (limit === null) return false;
      const count = sizeOf(out);
      const whole = count * ELEMENT_BYTES === target.bytes;
      const groups = gridOf(Math.ceil(count / 64));
      runtime.run(matmulProgram(floats ? "f32" : "i32", out.dtype.name === "uint8" ? "byte" : "none"), {
        reads: [left, right],
        ...written([{ memory: target, offset: out.offset, whole }]),
        params: new Params()
          .u32(count, groups[0] * 64, a.shape[1]!, b.shape[2]!, a.shape[2]!, out.offset, 0, 0)
          .i32(...a.strides, a.offset, ...b.strides, b.offset).block,
        groups,
      });
      if (!floats) target.limit = whole ? limit : Math.max(target.limit, limit);
      return true;
    },
  };
}
