/** Convolutions by shared tiles: packed weights times the windows' cells, which are looked up while a tile is loaded. */
import { GATHER } from "./conv_alone.ts";
import type { Program } from "./runtime.ts";
import { sharedCode } from "./shared.ts";
import { lines } from "./tiles.ts";

/** The sums run over kernel positions and, within each, over channels: as the weights are packed. */
export function sharedGatherProgram(biased: boolean, divided: boolean): Program {
  const meets = (axis: "H" | "W", at: string, k: string) =>
    divided
      ? `let far${axis} = ${at} * p.mul${axis} + p.base${axis} + ${k} * p.step${axis};
  let at${axis} = far${axis} / p.div${axis};
  let in${axis} = at${axis} * p.div${axis} == far${axis} && at${axis} >= 0 && at${axis} < p.source${axis};`
      : `let at${axis} = ${at} * p.mul${axis} + p.base${axis} + ${k} * p.step${axis};
  let in${axis} = at${axis} >= 0 && at${axis} < p.source${axis};`;
  return {
    key: `conv shared ${biased} ${divided}`,
    code: () =>
      sharedCode({
        element: "f32",
        head: `${GATHER}@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
${biased ? "@group(0) @binding(3) var<storage, read> bias: array<f32>;" : ""}
@group(0) @binding(${biased ? 4 : 3}) var<storage, read_write> out: array<f32>;
fn terms() -> i32 { return p.kernelH * p.kernelW * p.channels; }
fn weights(group: i32, row: i32, k: i32) -> square {
  var found = square();
  ${lines(4, (i) => `if (k + ${i} < terms() && row < p.packed * 4) { found[${i}] = weight[(group * terms() + k + ${i}) * p.packed + row / 4]; }`)}
  return turned(found);
}
fn cell(group: i32, k: i32, pixel: i32) -> f32 {
  if (k >= terms() || pixel >= p.pixels) { return 0.0; }
  let position = k / p.channels;
  let channel = k % p.channels;
  let u = position / p.kernelW;
  let v = position % p.kernelW;
  let line = pixel / p.w;
  let image = line / p.h;
  ${meets("H", "(line - image * p.h)", "u")}
  ${meets("W", "(pixel - line * p.w)", "v")}
  if (!inH || !inW) { return 0.0; }
  let plane = (image * p.groups + group) * p.channels + channel;
  return source[p.offsetSource + (plane * p.sourceH + atH) * p.sourceW + atW];
}
fn cells(group: i32, k: i32, pixel: i32) -> square {
  return square(${lines(4, (i) => `vec4<f32>(${lines(4, (j) => `cell(group, k + ${i}, pixel + ${j})`, ", ")})`, ", ")});
}`,
        terms: "terms()",
        left: "weights(outer, row, k)",
        right: "cells(outer, k, col)",
        leftTurned: "true",
        rightTurned: "false",
        store: `if (row < p.rows) {
    ${biased ? "let added = sum + bias[p.offsetBias + outer * p.rows + row];" : "let added = sum;"}
    ${lines(
      4,
      (c) => `if (col + ${c} < p.pixels) {
      let plane = p.h * p.w;
      let image = (col + ${c}) / plane;
      out[p.offset + ((image * p.groups + outer) * p.rows + row) * plane + (col + ${c} - image * plane)] = added.${"xyzw"[c]};
    }`,
    )}
  }`,
      }),
  };
}
