/**
 * Maximum and average over sliding windows. Each invocation makes one number: gradients are gathered from the windows that
 * cover a cell, in the order of the windows, so nothing is added twice at a time and the sums come out as on the CPU. Where
 * windows cover the input like tiles, an invocation makes the gradients of one window instead.
 */
import type { PoolGeometry } from "../../core/window.ts";
import type { Attempts } from "../backend.ts";
import { sizeOf } from "../reference/strided.ts";
import { isFloat32, type Operand, withDense, written } from "./dense.ts";
import { Params } from "./params.ts";
import { gridOf, type Program, type Runtime } from "./runtime.ts";

const WORKGROUP = 64;

const STRUCT = `struct Pool {
  count: u32, row: u32, h: i32, w: i32,
  kernelH: i32, kernelW: i32, strideH: i32, strideW: i32,
  padTop: i32, padLeft: i32, dilationH: i32, dilationW: i32,
  outH: i32, outW: i32, offset0: u32, offset1: u32,
  offset2: u32, lowest: f32, divisor: f32, unused: u32,
}
@group(0) @binding(0) var<uniform> p: Pool;
`;

/** The first kernel position that isn't before the input. */
const FIRST = `fn first(start: i32, dilation: i32) -> i32 {
  return select(0, (dilation - 1 - start) / dilation, start < 0);
}
`;

/** Windows in [x, y) that cover a cell, padded position included. `reach` is how far a window's last cell is from its first. */
const COVERING = `fn covering(position: i32, reach: i32, stride: i32, out: i32) -> vec2<i32> {
  return vec2<i32>(select(0, (position - reach + stride - 1) / stride, position > reach), min(out, position / stride + 1));
}
`;

/** How many cells an average counts along one axis: clipped at the end of the padding, or to the input. */
const COUNTED = `fn counted(index: i32, stride: i32, padding: i32, kernel: i32, size: i32) -> vec3<i32> {
  let start = index * stride - padding;
  let end = min(start + kernel, size + padding);
  return vec3<i32>(max(start, 0), min(end, size), end - start);
}
`;

const main = (width: string, height: string, body: string): string => `@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let t = id.x + id.y * p.row;
  if (t >= p.count) { return; }
  let line = t / u32(p.${width});
  let col = i32(t - line * u32(p.${width}));
  let plane = line / u32(p.${height});
  let row = i32(line - plane * u32(p.${height}));
${body}
}`;

/** All of a dilated window may lie in the padding. */
const ALL_PADDING = `if (winner < 0) {
    winner = (top + first(top, p.dilationH) * p.dilationH) * p.w + left + first(left, p.dilationW) * p.dilationW;
  }`;

/** The most common window by far, written out: loops cost more than its four cells. It never reaches into padding. */
function maxPoolOfFourProgram(withIndices: boolean): Program {
  return {
    key: `maxPool of four ${withIndices}`,
    code: () => `${STRUCT}
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
${withIndices ? "@group(0) @binding(3) var<storage, read_write> indices: array<i32>;" : ""}
// Compilers may assume that there are no NaN: the bits know.
fn isNan(value: f32) -> bool { return (bitcast<u32>(value) & 0x7fffffffu) > 0x7f800000u; }
${main(
  "outW",
  "outH",
  `  let base = i32(p.offset0 + plane * u32(p.h * p.w));
  let start = row * p.strideH * p.w + col * p.strideW;
  var best = x[base + start];
  var winner = start;
  var found = isNan(best);
${["p.dilationW", "p.dilationH * p.w", "p.dilationH * p.w + p.dilationW"]
  .map(
    (cell) => `  {
    let position = start + ${cell};
    let value = x[base + position];
    let better = isNan(value) | (!found & (value > best));
    best = select(best, value, better);
    winner = select(winner, position, better);
    found = found | isNan(value);
  }`,
  )
  .join("\n")}
  out[p.offset1 + t] = best;
  ${withIndices ? "indices[p.offset2 + t] = winner;" : ""}`,
)}`,
  };
}

/** `inside`: no window reaches into padding. */
function maxPoolProgram(withIndices: boolean, inside: boolean): Program {
  return {
    key: `maxPool ${withIndices} ${inside}`,
    code: () => `${STRUCT}${FIRST}
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
${withIndices ? "@group(0) @binding(3) var<storage, read_write> indices: array<i32>;" : ""}
${main(
  "outW",
  "outH",
  `  let top = row * p.strideH - p.padTop;
  let left = col * p.strideW - p.padLeft;
  let base = i32(p.offset0 + plane * u32(p.h * p.w));
  var winner = ${inside ? "top * p.w + left" : "-1"};
  var best = p.lowest;
  // Compilers may assume that there are no NaN: the bits know.
  var found = false;
  for (var u = 0; u < p.kernelH; u++) {
    let y = top + u * p.dilationH;
    ${inside ? "" : "if (y < 0 || y >= p.h) { continue; }"}
    var position = y * p.w + left;
    for (var v = 0; v < p.kernelW; v++) {
      let reached = position;
      position += p.dilationW;
      ${inside ? "" : "if (reached < y * p.w || reached >= (y + 1) * p.w) { continue; }"}
      let value = x[base + reached];
      let isNan = (bitcast<u32>(value) & 0x7fffffffu) > 0x7f800000u;
      // A window of nothing but -inf points to its first cell, as in PyTorch.
      let better = isNan | (!found & (value > best))${inside ? "" : " | (winner < 0)"};
      best = select(best, value, better);
      winner = select(winner, reached, better);
      found = found | isNan;
    }
  }
  ${inside ? "" : ALL_PADDING}
  out[p.offset1 + t] = best;
  ${withIndices ? "indices[p.offset2 + t] = winner;" : ""}`,
)}`,
  };
}

const maxPoolGradProgram: Program = {
  key: "maxPoolGrad",
  code: () => `${STRUCT}${COVERING}
@group(0) @binding(1) var<storage, read> grad: array<f32>;
@group(0) @binding(2) var<storage, read> indices: array<i32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
${main(
  "w",
  "h",
  `  let down = covering(row + p.padTop, (p.kernelH - 1) * p.dilationH, p.strideH, p.outH);
  let across = covering(col + p.padLeft, (p.kernelW - 1) * p.dilationW, p.strideW, p.outW);
  let position = row * p.w + col;
  let base = plane * u32(p.outH * p.outW);
  var sum = 0.0;
  for (var i = down.x; i < down.y; i++) {
    for (var j = across.x; j < across.y; j++) {
      let at = base + u32(i * p.outW + j);
      if (indices[p.offset1 + at] == position) { sum += grad[p.offset0 + at]; }
    }
  }
  out[p.offset2 + t] = sum;`,
)}`,
};

function avgPoolProgram(divisor: Divisor): Program {
  return {
    key: `avgPool ${divisor}`,
    code: () => `${STRUCT}${COUNTED}
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
${main(
  "outW",
  "outH",
  `  let down = counted(row, p.strideH, p.padTop, p.kernelH, p.h);
  let across = counted(col, p.strideW, p.padLeft, p.kernelW, p.w);
  let base = i32(p.offset0 + plane * u32(p.h * p.w));
  var sum = 0.0;
  for (var i = down.x; i < down.y; i++) {
    for (var j = across.x; j < across.y; j++) { sum += x[base + i * p.w + j]; }
  }
  let empty = down.x >= down.y || across.x >= across.y;
  let divisor = select(${DIVISOR[divisor]}, 1.0, empty);
  out[p.offset1 + t] = sum / divisor;`,
)}`,
  };
}

function avgPoolGradProgram(divisor: Divisor): Program {
  return {
    key: `avgPoolGrad ${divisor}`,
    code: () => `${STRUCT}${COVERING}${COUNTED}
@group(0) @binding(1) var<storage, read> grad: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
${main(
  "w",
  "h",
  `  let rows = covering(row + p.padTop, p.kernelH - 1, p.strideH, p.outH);
  let cols = covering(col + p.padLeft, p.kernelW - 1, p.strideW, p.outW);
  let base = p.offset0 + plane * u32(p.outH * p.outW);
  var sum = 0.0;
  for (var i = rows.x; i < rows.y; i++) {
    let down = counted(i, p.strideH, p.padTop, p.kernelH, p.h);
    for (var j = cols.x; j < cols.y; j++) {
      let across = counted(j, p.strideW, p.padLeft, p.kernelW, p.w);
      sum += grad[base + u32(i * p.outW + j)] / ${DIVISOR[divisor]};
    }
  }
  out[p.offset1 + t] = sum;`,
)}`,
  };
}

const DIVISOR = {
  given: "p.divisor",
  padded: "f32(down.z * across.z)",
  inside: "f32((down.y - down.x) * (across.y - across.x))",
};

/** Windows that cover the input like tiles: each invocation writes all cells of one. `value` is
 * what cell `position` gets. */
function windowGradProgram(name: string, reads: readonly string[], before: string, value: string): Program {
  const bindings = ["grad: array<f32>", ...reads].map(
    (read, i) => `@group(0) @binding(${i + 1}) var<storage, read> ${read};`,
  );
  return {
    key: `${name} of tiles`,
    code: () => `${STRUCT}${bindings.join("\n")}
@group(0) @binding(${bindings.length + 1}) var<storage, read_write> out: array<f32>;
${main(
  "outW",
  "outH",
  `  let base = i32(p.offset${bindings.length} + plane * u32(p.h * p.w));
  let given = grad[p.offset0 + t];
  ${before}
  for (var u = 0; u < p.kernelH; u++) {
    var position = (row * p.kernelH + u) * p.w + col * p.kernelW;
    for (var v = 0; v < p.kernelW; v++) {
      out[base + position] = ${value};
      position++;
    }
  }`,
)}`,
  };
}

const maxPoolTilesGrad = windowGradProgram(
  "maxPoolGrad",
  ["indices: array<i32>"],
  "let winner = indices[p.offset1 + t];",
  "select(0.0, given, position == winner)",
);

const avgPoolTilesGrad = windowGradProgram("avgPoolGrad", [], "let share = given / p.divisor;", "share");

function staysInside(g: PoolGeometry): boolean {
  const bottom = (g.outH - 1) * g.strideH + (g.kernelH - 1) * g.dilationH;
  const right = (g.outW - 1) * g.strideW + (g.kernelW - 1) * g.dilationW;
  return g.padTop === 0 && g.padLeft === 0 && bottom < g.h && right < g.w;
}

function coversLikeTiles(g: PoolGeometry): boolean {
  const along = (kernel: number, stride: number, padding: number, dilation: number, out: number, size: number) =>
    kernel === stride && padding === 0 && (dilation === 1 || kernel === 1) && out * stride === size;
  return (
    along(g.kernelH, g.strideH, g.padTop, g.dilationH, g.outH, g.h) &&
    along(g.kernelW, g.strideW, g.padLeft, g.dilationW, g.outW, g.w)
  );
}

type Divisor = keyof typeof DIVISOR;

const divisorOf = (countIncludePad: boolean, divisor: number | null): Divisor =>
  divisor !== null ? "given" : countIncludePad ? "padded" : "inside";

/** The grid and the uniform block for one invocation per number of a result. */
function layoutOf(g: PoolGeometry, count: number, operands: readonly Operand[], divisor: number | null = null) {
  const groups = gridOf(Math.ceil(count / WORKGROUP));
  const params = new Params()
    .u32(count, groups[0] * WORKGROUP)
    .i32(g.h, g.w, g.kernelH, g.kernelW, g.strideH, g.strideW, g.padTop, g.padLeft, g.dilationH, g.dilationW)
    .i32(g.outH, g.outW)
    .u32(...[0, 1, 2].map((k) => operands[k]?.offset ?? 0))
    .f32(Number.NEGATIVE_INFINITY, divisor ?? 1);
  return { params: params.block, groups };
}

export function poolKernels(runtime: Runtime): Attempts {
  return {
    maxPool(input, g, out, indices) {
      if (!isFloat32(input, out)) return false;
      return withDense(runtime, [input], indices ? [out, indices] : [out], ([x], targets) => {
        const inside = staysInside(g);
        const four = inside && g.kernelH === 2 && g.kernelW === 2;
        runtime.run(four ? maxPoolOfFourProgram(indices !== null) : maxPoolProgram(indices !== null, inside), {
          reads: [x!.memory],
          ...written(targets),
          ...layoutOf(g, sizeOf(out), [x!, ...targets]),
        });
        const positions = targets[1];
        if (!positions) return;
        const { memory, whole } = positions;
        // Of a window in the padding alone, a position may lie beyond the input by what a kernel reaches.
        const most = (g.h + g.kernelH * g.dilationH) * (g.w + g.kernelW * g.dilationW);
        memory.limit = whole ? most : Math.max(memory.limit, most);
      });
    },
    maxPoolGrad(gradOut, indices, g, gradInput) {
      if (!isFloat32(gradOut, gradInput)) return false;
      return withDense(runtime, [gradOut, indices], [gradInput], ([grad, positions], targets) => {
        const tiles = coversLikeTiles(g);
        runtime.run(tiles ? maxPoolTilesGrad : maxPoolGradProgram, {
          reads: [grad!.memory, positions!.memory],
          ...written(targets),
          ...layoutOf(g, sizeOf(tiles ? gradOut : gradInput), [grad!, positions!, ...targets]),
        });
      });
    },
    avgPool(input, g, countIncludePad, divisor, out) {
      if (!isFloat32(input, out)) return false;
      return withDense(runtime, [input], [out], ([x], targets) => {
        runtime.run(avgPoolProgram(divisorOf(countIncludePad, divisor)), {
          reads: [x!.memory],
          ...written(targets),
          ...layoutOf(g, sizeOf(out), [x!, ...targets], divisor),
        });
      });
    },
    avgPoolGrad(gradOut, g, countIncludePad, divisor, gradInput) {
      if (!isFloat32(gradOut, gradInput)) return false;
      return withDense(runtime, [gradOut], [gradInput], ([grad], targets) => {
        const tiles = coversLikeTiles(g);
        runtime.run(tiles ? avgPoolTilesGrad : avgPoolGradProgram(divisorOf(countIncludePad, divisor)), {
          reads: [grad!.memory],
          ...written(targets),
          ...layoutOf(g, sizeOf(tiles ? gradOut : gradInput), [grad!, ...targets], divisor ?? g.kernelH * g.kernelW),
        });
      });
    },
  };
}
