/** Filling and copying, with PyTorch's conversions between dtypes. */
import type { Attempts, View } from "../backend.ts";
import { sizeOf } from "../reference/strided.ts";
import { Params } from "./params.ts";
import { gridOf, type Runtime } from "./runtime.ts";
import { walk, walkCode, walkParams } from "./strided.ts";

const WORKGROUP = 64;

/** What an element is in WGSL. */
export const wgslType = (view: View): "f32" | "i32" => (view.dtype.name === "float32" ? "f32" : "i32");

export function copyKernels(runtime: Runtime): Attempts {
  return {
    copy(x, out) {
      if (!x.memory || !out.memory || x.memory === out.memory) return false;
      const way = walk([x, out]);
      if (!way) return false;
      const [from, to] = [wgslType(x), wgslType(out)];
      if (from !== to) return false;
      const dense = way.dense;
      const groups = gridOf(Math.ceil(way.count / WORKGROUP));
      const whole = sizeOf(out) * 4 === out.memory.bytes;
      runtime.run(
        {
          key: `copy ${from} ${dense}`,
          code: () => `${walkCode(2, dense, false)}
@group(0) @binding(0) var<uniform> walk: Walk;
@group(0) @binding(1) var<storage, read> x: array<${from}>;
@group(0) @binding(2) var<storage, read_write> out: array<${to}>;
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x + id.y * walk.row;
  if (i < walk.count) { out[at_1(i)] = x[at_0(i)]; }
}`,
        },
        {
          reads: [x.memory],
          writes: whole ? [out.memory] : [],
          updates: whole ? [] : [out.memory],
          params: walkParams(new Params(), way, groups[0] * WORKGROUP).block,
          groups,
        },
      );
      return true;
    },
  };
}
