/** Convolutions whose invocations load for themselves: a block of channels and pixels each (tiles.ts). */
import type { Program } from "./runtime.ts";
import { type Block, Columns, groupSize, lines, type Tiling } from "./tiles.ts";

export const GATHER = `struct Gather {
  count: u32, row: u32, down: u32, across: u32,
  pixels: i32, h: i32, w: i32, rows: i32,
  channels: i32, groups: i32, sourceH: i32, sourceW: i32,
  kernelH: i32, kernelW: i32, mulH: i32, mulW: i32,
  baseH: i32, baseW: i32, stepH: i32, stepW: i32,
  divH: i32, divW: i32, packed: i32, offsetSource: i32,
  offsetBias: i32, offset: i32,
}
@group(0) @binding(0) var<uniform> p: Gather;
@group(0) @binding(1) var<storage, read> source: array<f32>;
`;

export interface GatherVariant {
  tiling: Tiling;
  block: Block;
  biased: boolean;
  divided: boolean;
}

/** Takes its weights as `packProgram` lays them out. */
export function gatherProgram({ tiling, block, biased, divided }: GatherVariant): Program {
  const [rows, width] = block;
  const columns = new Columns(width, "f32");
  const channels = new Columns(rows, "f32");
  const each = (line: (q: number) => string) => lines(columns.vectors, line);
  const ints = columns.type("i32");
  const unsigned = columns.type("u32");
  /** Where a kernel position meets the source along one axis, and whether it does. */
  const meets = (axis: "H" | "W", k: string, q: number) => {
    const shifted = `${axis}${q} + ${k} * p.step${axis}`;
    // As unsigned numbers, negative ones are larger than any size.
    const inside = `(bitcast<${unsigned}>(${k}At${q}) < ${unsigned}(u32(p.source${axis})))`;
    return divided
      ? `let ${k}Far${q} = ${shifted}; let ${k}At${q} = ${k}Far${q} / p.div${axis}; let ${k}In${q} = ${inside} & (${k}At${q} * p.div${axis} == ${k}Far${q});`
      : `let ${k}At${q} = ${shifted}; let ${k}In${q} = ${inside};`;
  };
  return {
    key: `conv ${tiling} ${rows}x${width} ${biased} ${divided}`,
    code: () => `${GATHER}@group(0) @binding(2) var<storage, read> weight: array<${channels.type()}>;
${biased ? "@group(0) @binding(3) var<storage, read> bias: array<f32>;" : ""}
@group(0) @binding(${biased ? 4 : 3}) var<storage, read_write> out: array<f32>;
@compute @workgroup_size(${groupSize(tiling)})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let t = id.x + id.y * p.row;
  if (t >= p.count) { return; }
  let group = i32(t / p.across / p.down);
  let row = i32(t / p.across % p.down) * ${rows};
  let pixel = i32(t % p.across) * ${width};
  let plane = p.h * p.w;
  let sourcePlane = p.sourceH * p.sourceW;
  var x = pixel % p.w;
  var y = pixel / p.w % p.h;
  var image = pixel / plane;
${lines(columns.vectors, (q) => `  var H${q}: ${ints}; var W${q}: ${ints}; var from${q}: ${ints}; var to${q}: ${ints};`)}
${lines(
  width,
  (c) => `  ${columns.part("H", c)} = y * p.mulH + p.baseH;
  ${columns.part("W", c)} = x * p.mulW + p.baseW;
  ${columns.part("from", c)} = p.offsetSource + (image * p.groups + group) * p.channels * sourcePlane;
  ${columns.part("to", c)} = ((image * p.groups + group) * p.rows + row) * plane + y * p.w + x;
  x++;
  if (x == p.w) { x = 0; y++; }
  if (y == p.h) { y = 0; image++; }`,
)}
  let firstWeight = group * p.kernelH * p.kernelW * p.channels * p.packed + row / ${channels.width};
  ${columns.start(rows, biased ? (r) => `bias[p.offsetBias + group * p.rows + min(row + ${r}, p.rows - 1)]` : () => "0.0")}
  for (var u = 0; u < p.kernelH; u++) {
    ${each((q) => meets("H", "u", q))}
    for (var v = 0; v < p.kernelW; v++) {
      ${each((q) => meets("W", "v", q))}
      ${each((q) => `let in${q} = uIn${q} & vIn${q};`)}
      ${each((q) => `var at${q} = select(${ints}(p.offsetSource), from${q} + uAt${q} * p.sourceW + vAt${q}, in${q});`)}
      var k = firstWeight + (u * p.kernelW + v) * p.channels * p.packed;
      for (var c = 0; c < p.channels; c++) {
        ${each((q) => `let right${q} = select(${columns.type()}(0.0), ${columns.vector(q, (i) => `source[${columns.part("at", i)}]`)}, in${q}); at${q} += sourcePlane;`)}
        ${lines(channels.vectors, (q) => `let left${q} = weight[k + ${q}];`, " ")}
        ${columns.add(rows, (r) => channels.part("left", r))}
        k += p.packed;
      }
    }
  }
${lines(
  rows,
  (r) => `  if (row + ${r} < p.rows) {
${lines(width, (c) => `    if (pixel + ${c} < p.pixels) { out[p.offset + ${columns.part("to", c)} + ${r} * plane] = ${columns.sum(r, c)}; }`)}
  }`,
)}
}`,
  };
}

const WEIGHT_GRAD = `struct WeightGrad {
  count: u32, row: u32, down: u32, across: u32,
  h: i32, w: i32, n: i32, c: i32,
  o: i32, groups: i32, kernelH: i32, kernelW: i32,
  strideH: i32, strideW: i32, padTop: i32, padLeft: i32,
  dilationH: i32, dilationW: i32, outH: i32, outW: i32,
  images: i32, size: i32, offsetInput: i32, offsetGrad: i32,
  offset: i32,
}
@group(0) @binding(0) var<uniform> p: WeightGrad;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> grad: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
`;

/** One kernel position of a block of channels on both sides, summed over a part of the images. */
export function weightGradProgram(tiling: Tiling, [rows, width]: Block): Program {
  const columns = new Columns(width, "f32");
  return {
    key: `convWeightGrad ${tiling} ${rows}x${width}`,
    code: () => `${WEIGHT_GRAD}
// The positions i whose cell i·stride + shift lies in [0, size): from x to y.
fn reach(size: i32, shift: i32, stride: i32, out: i32) -> vec2<i32> {
  return vec2<i32>(select(0, (stride - 1 - shift) / stride, shift < 0),
    min(out, select(0, (size - 1 - shift) / stride + 1, size > shift)));
}
@compute @workgroup_size(${groupSize(tiling)})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let t = id.x + id.y * p.row;
  if (t >= p.count) { return; }
  let v = i32(t) % p.kernelW;
  let u = i32(t) / p.kernelW % p.kernelH;
  var rest = t / u32(p.kernelW * p.kernelH);
  let channels = p.c / p.groups;
  let rows = p.o / p.groups;
  let channel = i32(rest % p.across) * ${width};
  rest /= p.across;
  let row = i32(rest % p.down) * ${rows};
  rest /= p.down;
  let group = i32(rest) % p.groups;
  let part = i32(rest) / p.groups;
  let plane = p.h * p.w;
  let outPlane = p.outH * p.outW;
  let shiftH = u * p.dilationH - p.padTop;
  let shiftW = v * p.dilationW - p.padLeft;
  let down = reach(p.h, shiftH, p.strideH, p.outH);
  let across = reach(p.w, shiftW, p.strideW, p.outW);
  // What lies beyond the last channels is computed of them, and not stored.
${lines(rows, (r) => `  let row${r} = min(row + ${r}, rows - 1);`)}
${lines(width, (c) => `  let channel${c} = min(channel + ${c}, channels - 1);`)}
${lines(rows, (r) => `  let grad${r} = p.offsetGrad + (group * rows + row${r}) * outPlane;`)}
${lines(width, (c) => `  let input${c} = p.offsetInput + (group * channels + channel${c}) * plane;`)}
  ${columns.start(rows)}
  for (var n = part * p.images; n < min(p.n, (part + 1) * p.images); n++) {
    for (var i = down.x; i < down.y; i++) {
      var atGrad = n * p.o * outPlane + i * p.outW + across.x;
      var at = n * p.c * plane + (i * p.strideH + shiftH) * p.w + across.x * p.strideW + shiftW;
      for (var j = across.x; j < across.y; j++) {
        ${lines(columns.vectors, (q) => `let right${q} = ${columns.vector(q, (c) => `input[input${c} + at]`)};`)}
        ${lines(rows, (r) => `let left${r} = grad[grad${r} + atGrad];`, " ")}
        ${columns.add(rows, (r) => `left${r}`)}
        atGrad++;
        at += p.strideW;
      }
    }
  }
  let cells = p.kernelH * p.kernelW;
  let to = p.offset + part * p.size + ((group * rows + row) * channels + channel) * cells + u * p.kernelW + v;
${lines(
  rows,
  (r) => `  if (row + ${r} < rows) {
${lines(width, (c) => `    if (channel + ${c} < channels) { out[to + (${r} * channels + ${c}) * cells] = ${columns.sum(r, c)}; }`)}
  }`,
)}
}`,
  };
}

/** Adds the parts of a weight gradient. */
export const sumPartsProgram: Program = {
  key: "convWeightGrad parts",
  code: () => `struct Parts { count: u32, row: u32, parts: u32, offset: u32 }
@group(0) @binding(0) var<uniform> p: Parts;
@group(0) @binding(1) var<storage, read> parts: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let t = id.x + id.y * p.row;
  if (t >= p.count) { return; }
  var sum = 0.0;
  for (var part = 0u; part < p.parts; part++) { sum += parts[part * p.count + t]; }
  out[p.offset + t] = sum;
}`,
};

/**
 * Lays weights out as `gatherProgram` wants them: [groups, kernel positions, source channels, channels of the result], these
 * filled up with zeros to whole blocks.
 */
export const packProgram: Program = {
  key: "conv weights",
  code: () => `struct Pack {
  count: u32, row: u32, packed: u32, rows: u32,
  channels: u32, cells: u32, weightRow: u32, weightChannel: u32,
  weightGroup: u32, offset: u32,
}
@group(0) @binding(0) var<uniform> p: Pack;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let t = id.x + id.y * p.row;
  if (t >= p.count) { return; }
  let row = t % p.packed;
  let line = t / p.packed;
  let channel = line % p.channels;
  let cell = line / p.channels % p.cells;
  let group = line / p.channels / p.cells;
  var value = 0.0;
  if (row < p.rows) { value = weight[p.offset + group * p.weightGroup + row * p.weightRow + channel * p.weightChannel + cell]; }
  out[t] = value;
}`,
};
