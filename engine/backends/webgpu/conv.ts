/**
 * Convolution and both of its gradients, without ever writing the windows out.
 *
 * The convolution and its input gradient are one kernel: each result is a sum over source channels and kernel positions
 * (u, v), whose source row is (row·mul + base + u·step) / div, if that is whole and inside.
 */
import type { ConvGeometry } from "../../core/window.ts";
import type { Attempts } from "../backend.ts";
import { sizeOf } from "../reference/strided.ts";
import { gatherProgram, packProgram, sumPartsProgram, weightGradProgram } from "./conv_alone.ts";
import {
  kernelRows,
  QUAD,
  type RowsVariant,
  RUN,
  rowsProgram,
  rowsWeightGradProgram,
  WEIGHT_ROWS,
  WIDEST,
} from "./conv_rows.ts";
import { sharedGatherProgram } from "./conv_shared.ts";
import { isFloat32, type Operand, type Target, withDense, written } from "./dense.ts";
import { ELEMENT_BYTES, type Memory } from "./memory.ts";
import { Params } from "./params.ts";
import { gridOf, type Runtime } from "./runtime.ts";
import { TILE } from "./shared.ts";
import { type Block, blockFor, groupSize, swapsOf, type Tiling, tilingOf } from "./tiles.ts";

/** Channels and pixels of the result that one invocation makes. */
const GATHER_BLOCKS: Record<Tiling, readonly Block[]> = {
  alone: [
    [16, 8],
    [4, 8],
    [1, 8],
    [1, 1],
  ],
  shared: [
    [4, 4],
    [1, 4],
    [1, 1],
  ],
};

/** Channels of the result's and of the input's side that one invocation makes of a kernel position. */
const WEIGHT_BLOCKS: Record<Tiling, readonly Block[]> = {
  alone: [
    [8, 16],
    [16, 4],
    [4, 4],
    [1, 1],
  ],
  shared: [
    [4, 4],
    [1, 1],
  ],
};

/** Channels of the result that one invocation makes of a run of a row. */
const ROWS_BLOCKS: readonly Block[] = [
  [16, RUN],
  [4, RUN],
  [1, RUN],
];

/** Rows of the result that are at least so wide are worth going through in runs. */
const ROW = 5;

/** Invocations that a weight gradient is spread over by parts of the images. */
const ENOUGH: Record<Tiling, number> = { alone: 64, shared: 16_384 };

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

/** Whether windows move cell by cell along the rows. A kernel of one column has nothing to keep and is faster by blocks. */
const slides = (g: ConvGeometry): boolean => g.strideW === 1 && g.dilationW === 1 && g.kernelW > 1;

export function convKernels(runtime: Runtime, tiling = tilingOf(runtime), swaps = swapsOf(runtime)): Attempts {
  /** Weights as the programs of a convolution want them. */
  function packWeights(g: ConvGeometry, way: Direction, weight: Operand, packed: number): Memory {
    const cells = g.kernelH * g.kernelW;
    const size = g.groups * cells * way.channels * packed;
    const weights = runtime.allocate(size * ELEMENT_BYTES);
    const packing = gridOf(Math.ceil(size / 64));
    runtime.run(packProgram, {
      reads: [weight.memory],
      writes: [weights],
      params: new Params()
        .u32(size, packing[0] * 64, packed, way.rows, way.channels, cells, way.weightRow, way.weightChannel)
        .u32(way.rows * way.channels * cells, weight.offset).block,
      groups: packing,
    });
    return weights;
  }

  function gatherRows(g: ConvGeometry, way: Direction, operands: readonly Operand[], targets: readonly Target[]): void {
    const [source, weight, bias] = operands;
    const perRow = Math.ceil(way.size[1] / RUN);
    const runs = g.n * way.size[0] * perRow;
    const [rows] = blockFor(tiling, ROWS_BLOCKS, g.groups, way.rows, runs * RUN);
    const [across, down] = [Math.ceil(runs / QUAD), Math.ceil(way.rows / rows)];
    const packed = down * rows;
    const weights = packWeights(g, way, weight!, packed);
    const count = g.groups * across * down;
    const groups = gridOf(count);
    const variant: RowsVariant = { rows, quad: swaps && rows === 4 * QUAD, biased: bias !== undefined };
    // The input gradient's windows move backwards: it starts at their other end.
    const back = way.step[1] < 0;
    const last = g.kernelW - 1;
    const step = rows === 1 ? packed : packed / 4;
    runtime.run(rowsProgram(variant), {
      reads: [source!.memory, weights, ...(bias ? [bias.memory] : [])],
      ...written(targets),
      params: new Params()
        .u32(count, groups[0], across, down)
        .i32(runs, perRow, ...way.size, way.rows, way.channels, g.groups, ...way.from, g.kernelH, g.kernelW)
        .i32(way.mul[0], way.base[0], way.base[1] - (back ? last : 0), way.step[0], step)
        .i32(back ? last : 0, (back ? -1 : 1) * way.channels * step)
        .i32(source!.offset, bias?.offset ?? 0, targets[0]!.offset).block,
      groups,
    });
    runtime.free(weights);
  }

  function gather(g: ConvGeometry, way: Direction, operands: readonly Operand[], targets: readonly Target[]): void {
    if (tiling === "alone" && slides(g) && way.div[0] === 1 && way.size[1] >= ROW) {
      gatherRows(g, way, operands, targets);
      return;
    }
    const [source, weight, bias] = operands;
    const pixels = g.n * way.size[0] * way.size[1];
    const shared = tiling === "shared" && way.rows >= TILE / 4;
    const block: Block = shared ? [TILE, TILE] : blockFor(tiling, GATHER_BLOCKS[tiling], g.groups, way.rows, pixels);
    const [down, across] = [Math.ceil(way.rows / block[0]), Math.ceil(pixels / block[1])];
    const count = g.groups * down * across;
    const invocations = shared ? 1 : groupSize(tiling);
    const groups = gridOf(Math.ceil(count / invocations));
    const packed = down * block[0];
    const weights = packWeights(g, way, weight!, packed);
    const [biased, divided] = [bias !== undefined, way.div[0] > 1 || way.div[1] > 1];
    const program = shared ? sharedGatherProgram(biased, divided) : gatherProgram({ tiling, block, biased, divided });
    runtime.run(program, {
      reads: [source!.memory, weights, ...(bias ? [bias.memory] : [])],
      ...written(targets),
      params: new Params()
        .u32(count, groups[0] * invocations, down, across)
        .i32(pixels, ...way.size, way.rows, way.channels, g.groups, ...way.from, g.kernelH, g.kernelW)
        .i32(...way.mul, ...way.base, ...way.step, ...way.div)
        .i32(block[0] === 1 ? packed : packed / 4, source!.offset, bias?.offset ?? 0, targets[0]!.offset).block,
      groups,
    });
    runtime.free(weights);
  }

  function weightGrad(g: ConvGeometry, [x, grad]: readonly Operand[], target: Target, size: number): void {
    const [rows, channels, cells] = [g.o / g.groups, g.c / g.groups, g.kernelH * g.kernelW];
    if (tiling === "alone" && slides(g) && g.kernelW <= WIDEST && g.outW >= ROW && rows > 4) {
      const [across, down] = [
        Math.ceil((channels * g.kernelH) / kernelRows(g.kernelW) / QUAD),
        Math.ceil(rows / WEIGHT_ROWS),
      ];
      const blocks = across * down * g.groups;
      inParts(g, target, size, blocks * QUAD, (sums, parts, images) => {
        const groups = gridOf(parts * blocks);
        runtime.run(rowsWeightGradProgram(g.kernelW, swaps), {
          reads: [x!.memory, grad!.memory],
          ...written([sums]),
          params: new Params()
            .u32(parts * blocks, groups[0], across, down)
            .i32(g.h, g.w, g.n, g.c, g.o, g.groups, g.kernelH, g.strideH, g.padTop, g.padLeft, g.dilationH)
            .i32(g.outH, g.outW, images, size, x!.offset, grad!.offset, sums.offset).block,
          groups,
        });
      });
      return;
    }
    const block = blockFor(tiling, WEIGHT_BLOCKS[tiling], g.groups * cells, rows, channels);
    const [down, across] = [Math.ceil(rows / block[0]), Math.ceil(channels / block[1])];
    const blocks = cells * across * down * g.groups;
    inParts(g, target, size, blocks, (sums, parts, images) => {
      const groups = gridOf(Math.ceil((parts * blocks) / groupSize(tiling)));
      runtime.run(weightGradProgram(tiling, block), {
        reads: [x!.memory, grad!.memory],
        ...written([sums]),
        params: new Params()
          .u32(parts * blocks, groups[0] * groupSize(tiling), down, across)
          .i32(g.h, g.w, g.n, g.c, g.o, g.groups, g.kernelH, g.kernelW, g.strideH, g.strideW)
          .i32(g.padTop, g.padLeft, g.dilationH, g.dilationW, g.outH, g.outW, images, size)
          .i32(x!.offset, grad!.offset, sums.offset).block,
        groups,
      });
    });
  }

  /** Splits the images of a weight gradient into parts, whose sums are added in a second pass, always in the same order. */
  function inParts(
    { n }: ConvGeometry,
    target: Target,
    size: number,
    invocations: number,
    work: (sums: Target, parts: number, images: number) => void,
  ): void {
    const images = Math.max(1, Math.ceil(n / Math.ceil(ENOUGH[tiling] / Math.max(invocations, 1))));
    const parts = Math.max(1, Math.ceil(n / images));
    if (parts === 1) {
      work(target, parts, images);
      return;
    }
    const memory = runtime.allocate(parts * size * ELEMENT_BYTES);
    work({ memory, offset: 0, whole: true }, parts, images);
    const adding = gridOf(Math.ceil(size / 64));
    runtime.run(sumPartsProgram, {
      reads: [memory],
      ...written([target]),
      params: new Params().u32(size, adding[0] * 64, parts, target.offset).block,
      groups: adding,
    });
    runtime.free(memory);
  }

  return {
    conv(input, weight, bias, g, out) {
      if (!isFloat32(input, weight, out, ...(bias ? [bias] : []))) return false;
      return withDense(runtime, bias ? [input, weight, bias] : [input, weight], [out], (operands, targets) => {
        gather(g, forward(g), operands, targets);
      });
    },
    convInputGrad(gradOut, weight, g, gradInput) {
      if (!isFloat32(gradOut, weight, gradInput)) return false;
      return withDense(runtime, [gradOut, weight], [gradInput], (operands, targets) => {
        gather(g, backward(g), operands, targets);
      });
    },
    convWeightGrad(input, gradOut, g, gradWeight) {
      if (!isFloat32(input, gradOut, gradWeight)) return false;
      return withDense(runtime, [input, gradOut], [gradWeight], (operands, [target]) => {
        weightGrad(g, operands, target!, sizeOf(gradWeight));
      });
    },
  };
}
