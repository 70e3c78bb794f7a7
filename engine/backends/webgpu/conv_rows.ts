/**
 * Convolutions whose windows move cell by cell along a row, for invocations that load for themselves (tiles.ts): what one
 * window and the next have in common stays in registers, so that a step along the row loads one cell.
 *
 * `quad`: the four invocations of a workgroup need the same numbers of the other operand. Each loads a quarter of them, and
 * they swap. Invocation i meets the quarters in the order i, i^1, i^2, i^3, so its sums are of rows in that order too.
 */
import type { Program } from "./runtime.ts";
import { Columns, lines } from "./tiles.ts";

/** Invocations of a workgroup. */
export const QUAD = 4;

/** Cells of a row of the result that one invocation makes. */
export const RUN = 8;

/** Widest kernel whose weight gradient has a program here, and rows of its blocks. */
export const WIDEST = 8;
export const WEIGHT_ROWS = 16;

/** Kernel rows, of one channel each, whose weights one invocation makes. */
export const kernelRows = (kernelW: number): number => Math.max(1, Math.round(9 / kernelW));

const SWAPS = ["", "quadSwapX", "quadSwapY", "quadSwapDiagonal"];
const enable = (quad: boolean) => (quad ? "enable subgroups;\n" : "");
const MAIN = (quad: boolean) => `@compute @workgroup_size(${QUAD})
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(${quad ? "subgroup_invocation_id" : "local_invocation_index"}) invocation: u32) {
  let lane = i32(invocation);
  let t = workgroup.x + workgroup.y * p.row;
  if (t >= p.count) { return; }`;

/** Row of the block that sums r are of. */
const rowOf = (quad: boolean, r: number) => (quad ? `(lane ^ ${r >> 2}) * 4 + ${r & 3}` : `${r}`);

export interface RowsVariant {
  /** Channels of the result: 16 for `quad`. */
  rows: number;
  quad: boolean;
  biased: boolean;
}

/** Takes its weights as `packProgram` lays them out. */
export function rowsProgram({ rows, quad, biased }: RowsVariant): Program {
  const columns = new Columns(RUN, "f32");
  const channels = new Columns(rows, "f32");
  const each = (line: (q: number) => string) => lines(columns.vectors, line);
  return {
    key: `conv rows ${rows} ${quad} ${biased}`,
    code: () => `${enable(quad)}struct Rows {
  count: u32, row: u32, across: u32, down: u32,
  runs: i32, perRow: i32, h: i32, w: i32,
  rows: i32, channels: i32, groups: i32, sourceH: i32,
  sourceW: i32, kernelH: i32, kernelW: i32, mulH: i32,
  baseH: i32, baseW: i32, stepH: i32, packed: i32,
  firstTap: i32, nextTap: i32, offsetSource: i32, offsetBias: i32,
  offset: i32,
}
@group(0) @binding(0) var<uniform> p: Rows;
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<${channels.type()}>;
${biased ? "@group(0) @binding(3) var<storage, read> bias: array<f32>;" : ""}
@group(0) @binding(${biased ? 4 : 3}) var<storage, read_write> out: array<f32>;
${MAIN(quad)}
  let asked = i32(t % p.across) * ${QUAD} + lane;
  // What lies beyond the last run is computed of that one, and not stored.
  let run = min(asked, p.runs - 1);
  let row = i32(t / p.across % p.down) * ${rows};
  let group = i32(t / p.across / p.down);
  let x = run % p.perRow * ${RUN};
  let y = run / p.perRow % p.h;
  let image = run / p.perRow / p.h;
  let plane = p.h * p.w;
  let sourcePlane = p.sourceH * p.sourceW;
  let images = p.offsetSource + (image * p.groups + group) * p.channels * sourcePlane;
  let firstColumn = x + p.baseW;
  let firstWeight = group * p.kernelH * p.kernelW * p.channels * p.packed + row / ${channels.width}${quad ? " + lane" : ""};
  ${columns.start(rows, biased ? (r) => `bias[p.offsetBias + group * p.rows + min(row + ${rowOf(quad, r)}, p.rows - 1)]` : () => "0.0")}
  for (var u = 0; u < p.kernelH; u++) {
    let sourceRow = y * p.mulH + p.baseH + u * p.stepH;
    // As unsigned numbers, negative ones are larger than any size.
    let inRow = u32(sourceRow) < u32(p.sourceH);
    let start = images + select(0, sourceRow, inRow) * p.sourceW;
    ${each((q) => `let column${q} = firstColumn + vec4<i32>(${[0, 1, 2, 3].map((i) => q * 4 + i - 1).join(", ")});`)}
    ${each((q) => `let in${q} = vec4<bool>(inRow) & (bitcast<vec4<u32>>(column${q}) < vec4<u32>(u32(p.sourceW)));`)}
    ${each((q) => `let at${q} = start + select(vec4<i32>(0), column${q}, in${q});`)}
    for (var c = 0; c < p.channels; c++) {
      let skip = c * sourcePlane;
      // The run of the window's column before the first.
      ${each((q) => `var right${q} = select(vec4<f32>(), ${columns.vector(q, (i) => (i === 0 ? "0.0" : `source[skip + ${columns.part("at", i)}]`))}, in${q});`)}
      var k = firstWeight + ((u * p.kernelW + p.firstTap) * p.channels + c) * p.packed;
      for (var v = 0; v < p.kernelW; v++) {
        let column = firstColumn + ${RUN - 1} + v;
        let inside = inRow & (u32(column) < u32(p.sourceW));
        let next = select(0.0, source[skip + start + select(0, column, inside)], inside);
        ${each((q) => `right${q} = vec4<f32>(right${q}.yzw, ${q + 1 < columns.vectors ? `right${q + 1}.x` : "next"});`)}
        ${
          quad
            ? lines(QUAD, (q) => `let left${q} = ${q === 0 ? "weight[k]" : `${SWAPS[q]}(left0)`};`, " ")
            : lines(channels.vectors, (q) => `let left${q} = weight[k + ${q}];`, " ")
        }
        ${columns.add(rows, (r) => channels.part("left", r))}
        k += p.nextTap;
      }
    }
  }
  if (asked >= p.runs) { return; }
  let to = p.offset + ((image * p.groups + group) * p.rows + row) * plane + y * p.w + x;
${lines(
  rows,
  (r) => `  { let r = ${rowOf(quad, r)}; if (row + r < p.rows) {
${lines(RUN, (c) => `    if (x + ${c} < p.w) { out[to + r * plane + ${c}] = ${columns.sum(r, c)}; }`)}
  } }`,
)}
}`,
  };
}

/** The weights of some kernel rows and of 16 channels of the result, summed over a part of the images. */
export function rowsWeightGradProgram(kernelW: number, quad: boolean): Program {
  const chains = kernelRows(kernelW);
  const rows = WEIGHT_ROWS;
  const loaded = quad ? rows / QUAD : rows;
  const each = (line: (s: number) => string) => lines(chains, line);
  const cells = (line: (s: number, v: number) => string) =>
    lines(chains, (s) => lines(kernelW, (v) => line(s, v), " "));
  const left = (r: number) => (quad ? `left${r >> 2}.${"xyzw"[r & 3]}` : `left${r}`);
  return {
    key: `convWeightGrad rows ${kernelW} ${quad}`,
    code: () => `${enable(quad)}struct Rows {
  count: u32, row: u32, across: u32, down: u32,
  h: i32, w: i32, n: i32, c: i32,
  o: i32, groups: i32, kernelH: i32, strideH: i32,
  padTop: i32, padLeft: i32, dilationH: i32, outH: i32,
  outW: i32, images: i32, size: i32, offsetInput: i32,
  offsetGrad: i32, offset: i32,
}
@group(0) @binding(0) var<uniform> p: Rows;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> grad: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
fn cell(start: i32, column: i32, inRow: bool) -> f32 {
  let inside = inRow & (u32(column) < u32(p.w));
  return select(0.0, input[start + select(0, column, inside)], inside);
}
${MAIN(quad)}
  let channels = p.c / p.groups;
  let rows = p.o / p.groups;
  let kernelRows = channels * p.kernelH;
  let first = (i32(t % p.across) * ${QUAD} + lane) * ${chains};
  var rest = t / p.across;
  let row = i32(rest % p.down) * ${rows};
  rest /= p.down;
  let group = i32(rest) % p.groups;
  let part = i32(rest) / p.groups;
  let plane = p.h * p.w;
  let outPlane = p.outH * p.outW;
  // What lies beyond the last channels is computed of them, and not stored.
${each(
  (s) => `  let line${s} = min(first + ${s}, kernelRows - 1);
  let input${s} = p.offsetInput + (group * channels + line${s} / p.kernelH) * plane;
  let top${s} = line${s} % p.kernelH * p.dilationH - p.padTop;`,
)}
${lines(loaded, (r) => `  let grad${r} = p.offsetGrad + (group * rows + min(row + ${quad ? "lane * 4 + " : ""}${r}, rows - 1)) * outPlane;`)}
${lines(rows, (r) => cells((s, v) => `var sum${r}_${s}_${v} = 0.0;`))}
  for (var n = part * p.images; n < min(p.n, (part + 1) * p.images); n++) {
    for (var i = 0; i < p.outH; i++) {
${each(
  (s) => `      let row${s} = i * p.strideH + top${s};
      let in${s} = u32(row${s}) < u32(p.h);
      let start${s} = input${s} + n * p.c * plane + select(0, row${s}, in${s}) * p.w;
      var cell${s}_0 = 0.0;
${lines(kernelW - 1, (v) => `      var cell${s}_${v + 1} = cell(start${s}, ${v} - p.padLeft, in${s});`)}`,
)}
      var at = n * p.o * outPlane + i * p.outW;
      for (var j = 0; j < p.outW; j++) {
        ${cells((s, v) => `cell${s}_${v} = ${v + 1 < kernelW ? `cell${s}_${v + 1}` : `cell(start${s}, j + ${kernelW - 1} - p.padLeft, in${s})`};`)}
        ${
          quad
            ? `let left0 = vec4<f32>(${lines(QUAD, (r) => `grad[grad${r} + at]`, ", ")});
        ${lines(QUAD - 1, (q) => `let left${q + 1} = ${SWAPS[q + 1]}(left0);`, " ")}`
            : lines(rows, (r) => `let left${r} = grad[grad${r} + at];`, " ")
        }
${lines(rows, (r) => cells((s, v) => `sum${r}_${s}_${v} += ${left(r)} * cell${s}_${v};`))}
        at++;
      }
    }
  }
  let to = p.offset + part * p.size + (group * rows + row) * kernelRows * ${kernelW};
${each(
  (s) => `  if (first + ${s} < kernelRows) {
${lines(rows, (r) => `    { let r = ${rowOf(quad, r)}; if (row + r < rows) { let o = to + (r * kernelRows + line${s}) * ${kernelW}; ${lines(kernelW, (v) => `out[o + ${v}] = sum${r}_${s}_${v};`, " ")} } }`)}
  }`,
)}
}`,
  };
}
