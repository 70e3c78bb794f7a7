/**
 * Convolution and both of its gradients.
 *
 * The convolution and its input gradient are one kernel: each result is a sum over source channels and kernel positions
 * (u, v), whose source row is (row·mul + base + u·step) / div, if that is whole and inside.
 */
import type { ConvGeometry } from "../../core/window.ts";
import type { Attempts } from "../backend.ts";
import { sizeOf } from "../reference/strided.ts";
import { isFloat32, type Operand, withDense, written } from "./dense.ts";
import { Params } from "./params.ts";
import { gridOf, type Program, type Runtime } from "./runtime.ts";

const WORKGROUP = 64;

function directProgram(biased: boolean, divided: boolean): Program {
  const along = (axis: "H" | "W", at: string, k: string) =>
    `p.base${axis} + ${at} * p.mul${axis} + ${k} * p.step${axis}`;
  const place = (axis: "H" | "W", at: string, k: string, size: string) =>
    divided
      ? `let shifted${axis} = ${along(axis, at, k)};
      let ${k}At = shifted${axis} / p.div${axis};
      if (shifted${axis} < 0 || ${k}At * p.div${axis} != shifted${axis} || ${k}At >= ${size}) { continue; }`
      : `let ${k}At = ${along(axis, at, k)};
      if (${k}At < 0 || ${k}At >= ${size}) { continue; }`;
  return {
    key: `conv direct ${biased} ${divided}`,
    code: () => `${GATHER}
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
${biased ? "@group(0) @binding(3) var<storage, read> bias: array<f32>;" : ""}
@group(0) @binding(${biased ? 4 : 3}) var<storage, read_write> out: array<f32>;
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let t = id.x + id.y * p.row;
  if (t >= p.count) { return; }
  let plane = i32(t) / (p.h * p.w);
  let col = i32(t) % p.w;
  let row = i32(t) / p.w % p.h;
  let channel = plane % (p.rows * p.groups);
  let group = channel / p.rows;
  let image = plane / (p.rows * p.groups);
  let firstPlane = (image * p.groups + group) * p.channels;
  let firstWeight = p.offsetWeight + group * p.weightGroup + (channel % p.rows) * p.weightRow;
  var sum = ${biased ? "bias[p.offsetBias + channel]" : "0.0"};
  for (var u = 0; u < p.kernelH; u++) {
    ${place("H", "row", "u", "p.sourceH")}
    for (var v = 0; v < p.kernelW; v++) {
      ${place("W", "col", "v", "p.sourceW")}
      var at = p.offsetSource + (firstPlane * p.sourceH + uAt) * p.sourceW + vAt;
      var atWeight = firstWeight + u * p.kernelW + v;
      for (var c = 0; c < p.channels; c++) {
        sum += source[at] * weight[atWeight];
        at += p.sourceH * p.sourceW;
        atWeight += p.weightChannel;
      }
    }
  }
  out[p.offsetOut + i32(t)] = sum;
}`,
  };
}

const GATHER = `struct Gather {
  count: u32, row: u32, h: i32, w: i32,
  rows: i32, channels: i32, groups: i32, sourceH: i32,
  sourceW: i32, kernelH: i32, kernelW: i32, mulH: i32,
  mulW: i32, baseH: i32, baseW: i32, stepH: i32,
  stepW: i32, divH: i32, divW: i32, weightGroup: i32,
  weightRow: i32, weightChannel: i32, offsetSource: i32, offsetWeight: i32,
  offsetBias: i32, offsetOut: i32,
}
@group(0) @binding(0) var<uniform> p: Gather;
`;

const weightGradProgram: Program = {
  key: "convWeightGrad direct",
  code: () => `struct WeightGrad {
  count: u32, row: u32, h: i32, w: i32,
  n: i32, c: i32, o: i32, groups: i32,
  kernelH: i32, kernelW: i32, strideH: i32, strideW: i32,
  padTop: i32, padLeft: i32, dilationH: i32, dilationW: i32,
  outH: i32, outW: i32, offsetInput: i32, offsetGrad: i32,
  offsetOut: i32,
}
@group(0) @binding(0) var<uniform> p: WeightGrad;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> grad: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let t = id.x + id.y * p.row;
  if (t >= p.count) { return; }
  let channels = p.c / p.groups;
  let v = i32(t) % p.kernelW;
  let u = i32(t) / p.kernelW % p.kernelH;
  let cell = i32(t) / (p.kernelW * p.kernelH);
  let o = cell / channels;
  let c = o / (p.o / p.groups) * channels + cell % channels;
  var sum = 0.0;
  for (var n = 0; n < p.n; n++) {
    for (var i = 0; i < p.outH; i++) {
      let y = i * p.strideH - p.padTop + u * p.dilationH;
      if (y < 0 || y >= p.h) { continue; }
      let line = p.offsetInput + ((n * p.c + c) * p.h + y) * p.w;
      let across = p.offsetGrad + ((n * p.o + o) * p.outH + i) * p.outW;
      for (var j = 0; j < p.outW; j++) {
        let x = j * p.strideW - p.padLeft + v * p.dilationW;
        if (x >= 0 && x < p.w) { sum += input[line + x] * grad[across + j]; }
      }
    }
  }
  out[p.offsetOut + i32(t)] = sum;
}`,
};

interface Direction {
  /** Sizes of the result's and the source's planes, and channels of each per group. */
  size: [number, number];
  from: [number, number];
  rows: number;
  channels: number;
  mul: [number, number];
  base: [number, number];
  step: [number, number];
  div: [number, number];
  /** Distances in the weight from one channel of the result to the next, and of the source. */
  weightRow: number;
  weightChannel: number;
}

function forward(g: ConvGeometry): Direction {
  const [channels, cells] = [g.c / g.groups, g.kernelH * g.kernelW];
  return {
    size: [g.outH, g.outW],
    from: [g.h, g.w],
    rows: g.o / g.groups,
    channels,
    mul: [g.strideH, g.strideW],
    base: [-g.padTop, -g.padLeft],
    step: [g.dilationH, g.dilationW],
    div: [1, 1],
    weightRow: channels * cells,
    weightChannel: cells,
  };
}

function backward(g: ConvGeometry): Direction {
  const [channels, cells] = [g.c / g.groups, g.kernelH * g.kernelW];
  return {
    size: [g.h, g.w],
    from: [g.outH, g.outW],
    rows: channels,
    channels: g.o / g.groups,
    mul: [1, 1],
    base: [g.padTop, g.padLeft],
    step: [-g.dilationH, -g.dilationW],
    div: [g.strideH, g.strideW],
    weightRow: cells,
    weightChannel: channels * cells,
  };
}

export function convKernels(runtime: Runtime): Attempts {
  function gather(
    g: ConvGeometry,
    way: Direction,
    [source, weight, bias]: readonly Operand[],
    targets: Parameters<typeof written>[0],
    count: number,
  ): void {
    const groups = gridOf(Math.ceil(count / WORKGROUP));
    const divided = way.div[0] > 1 || way.div[1] > 1;
    runtime.run(directProgram(bias !== undefined, divided), {
      reads: bias ? [source!.memory, weight!.memory, bias.memory] : [source!.memory, weight!.memory],
      ...written(targets),
      params: new Params()
        .u32(count, groups[0] * WORKGROUP)
        .i32(...way.size, way.rows, way.channels, g.groups, ...way.from, g.kernelH, g.kernelW)
        .i32(...way.mul, ...way.base, ...way.step, ...way.div)
        .i32((g.o / g.groups) * (g.c / g.groups) * g.kernelH * g.kernelW, way.weightRow, way.weightChannel)
        .i32(source!.offset, weight!.offset, bias?.offset ?? 0, targets[0]!.offset).block,
      groups,
    });
  }
  return {
    conv(input, weight, bias, g, out) {
      if (!isFloat32(input, weight, out, ...(bias ? [bias] : []))) return false;
      return withDense(runtime, bias ? [input, weight, bias] : [input, weight], [out], (operands, targets) => {
        gather(g, forward(g), operands, targets, sizeOf(out));
      });
    },
    convInputGrad(gradOut, weight, g, gradInput) {
      if (!isFloat32(gradOut, weight, gradInput)) return false;
      return withDense(runtime, [gradOut, weight], [gradInput], (operands, targets) => {
        gather(g, backward(g), operands, targets, sizeOf(gradInput));
      });
    },
    convWeightGrad(input, gradOut, g, gradWeight) {
      if (!isFloat32(input, gradOut, gradWeight)) return false;
      return withDense(runtime, [input, gradOut], [gradWeight], ([x, grad], targets) => {
        const count = sizeOf(gradWeight);
        const groups = gridOf(Math.ceil(count / WORKGROUP));
        runtime.run(weightGradProgram, {
          reads: [x!.memory, grad!.memory],
          ...written(targets),
          params: new Params()
            .u32(count, groups[0] * WORKGROUP)
            .i32(g.h, g.w, g.n, g.c, g.o, g.groups, g.kernelH, g.kernelW, g.strideH, g.strideW)
            .i32(g.padTop, g.padLeft, g.dilationH, g.dilationW, g.outH, g.outW)
            .i32(x!.offset, grad!.offset, targets[0]!.offset).block,
          groups,
        });
      });
    },
  };
}
