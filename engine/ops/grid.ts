/** Sampling images at any places. https://docs.pytorch.org/docs/2.13/nn.functional.html#vision-functions */
import { isGradEnabled } from "../autograd/mode.ts";
import { bind } from "../core/arguments.ts";
import { int64 } from "../core/dtype.ts";
import { NotImplementedError, RuntimeError, ValueError } from "../core/errors.ts";
import { SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { sizeText } from "../core/shape.ts";
import { Size } from "../core/size.ts";
import { assertTensor, Tensor } from "../core/tensor.ts";
import { add, mul, sub } from "./arithmetic.ts";
import { gather } from "./gathering.ts";
import { matmul } from "./matmul.ts";
import { filled } from "./operands.ts";
import { sum } from "./reduce.ts";
import { call, defineOp, type Op } from "./registry.ts";
import { select } from "./slicing.ts";
import { spelledOutBackward } from "./spelled_out.ts";
import { expand, reshape, transpose, unsqueeze } from "./view.ts";

export type GridSampleMode = "bilinear" | "nearest" | "bicubic";
export type GridSamplePadding = "zeros" | "border" | "reflection";

interface GridAttrs {
  mode: GridSampleMode;
  paddingMode: GridSamplePadding;
  alignCorners: boolean;
}

/** A place along an axis, and how it moves with the grid's coordinate. */
interface Place {
  at: number;
  slope: number;
}

/** One cell that an axis reads: its weight, and how that changes with the grid's coordinate. */
interface Tap {
  cell: number;
  weight: number;
  slope: number;
  /** How the slope changes. */
  curvature: number;
}

/** -1 … 1 as a place among `size` cells. */
function placeOf(x: number, size: number, alignCorners: boolean): Place {
  return alignCorners
    ? { at: ((x + 1) / 2) * (size - 1), slope: (size - 1) / 2 }
    : { at: ((x + 1) * size - 1) / 2, slope: size / 2 };
}

function clipped({ at, slope }: Place, size: number): Place {
  if (!(at > 0)) return { at: 0, slope: 0 };
  return at >= size - 1 ? { at: size - 1, slope: 0 } : { at, slope };
}

function reflected({ at, slope }: Place, size: number, alignCorners: boolean): Place {
  const low = alignCorners ? 0 : -0.5;
  const span = alignCorners ? size - 1 : size;
  if (span === 0) return { at: 0, slope: 0 };
  const distance = Math.abs(at - low);
  const direction = at < low ? -slope : slope;
  const extra = distance % span;
  return Math.floor(distance / span) % 2 === 0
    ? { at: extra + low, slope: direction }
    : { at: span - extra + low, slope: -direction };
}

/** The place that is read where the padding mode moves it into the image. */
function inside(place: Place, size: number, { paddingMode, alignCorners }: GridAttrs): Place {
  if (paddingMode === "zeros") return place;
  return clipped(paddingMode === "reflection" ? reflected(place, size, alignCorners) : place, size);
}

const CUBIC = -0.75;
const near = (x: number) => ((CUBIC + 2) * x - (CUBIC + 3)) * x * x + 1;
const far = (x: number) => ((CUBIC * x - 5 * CUBIC) * x + 8 * CUBIC) * x - 4 * CUBIC;
const nearCurvature = (x: number) => 6 * (CUBIC + 2) * x - 2 * (CUBIC + 3);
const farCurvature = (x: number) => 6 * CUBIC * x - 10 * CUBIC;
const nearSlope = (x: number) => (3 * (CUBIC + 2) * x - 2 * (CUBIC + 3)) * x;
const farSlope = (x: number) => (3 * CUBIC * x - 10 * CUBIC) * x + 8 * CUBIC;

/** Ties go to the even cell. */
function nearestCell(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below;
}

/** What a coordinate reads along an axis of `size` cells; cells outside the image count as zeros and are left out. */
function tapsOf(x: number, size: number, attrs: GridAttrs): Tap[] {
  const place = placeOf(x, size, attrs.alignCorners);
  const taps: Tap[] = [];
  if (attrs.mode === "bicubic") {
    const base = Math.floor(place.at);
    const t = place.at - base;
    const weights = [far(t + 1), near(t), near(1 - t), far(2 - t)];
    const slopes = [farSlope(t + 1), nearSlope(t), -nearSlope(1 - t), -farSlope(2 - t)];
    const curvatures = [farCurvature(t + 1), nearCurvature(t), nearCurvature(1 - t), farCurvature(2 - t)];
    weights.forEach((weight, i) => {
      const cell = Math.trunc(inside({ at: base + i - 1, slope: 0 }, size, attrs).at);
      taps.push({ cell, weight, slope: slopes[i]! * place.slope, curvature: curvatures[i]! * place.slope ** 2 });
    });
  } else {
    const { at, slope } = inside(place, size, attrs);
    const base = Math.floor(at);
    if (attrs.mode === "nearest") taps.push({ cell: nearestCell(at), weight: 1, slope: 0, curvature: 0 });
    else {
      taps.push({ cell: base, weight: base + 1 - at, slope: -slope, curvature: 0 });
      taps.push({ cell: base + 1, weight: at - base, slope, curvature: 0 });
    }
  }
  return taps.filter(({ cell }) => cell >= 0 && cell < size);
}

/** Calls `visit` for every output place of every sample with what it reads across and down. */
function forEachPlace(
  input: Tensor,
  grid: Tensor,
  attrs: GridAttrs,
  visit: (sample: number, place: number, across: Tap[], down: Tap[]) => void,
): void {
  const [n, , h, w] = input.shape as unknown as [number, number, number, number];
  const places = grid.shape[1]! * grid.shape[2]!;
  const at = grid.denseData();
  for (let sample = 0; sample < n; sample++) {
    for (let place = 0; place < places; place++) {
      const k = 2 * (sample * places + place);
      visit(sample, place, tapsOf(at[k]!, w, attrs), tapsOf(at[k + 1]!, h, attrs));
    }
  }
}

/** How many cells an axis reads at most. */
const REACH = { bilinear: 2, nearest: 1, bicubic: 4 } as const;

/** The same samples from a gather and a weighted sum, with weights that are functions of the grid. */
function spelledOut(input: Tensor, grid: Tensor, attrs: GridAttrs): Tensor {
  const [n, c, h, w] = input.shape as unknown as [number, number, number, number];
  const [, outH, outW] = grid.shape as unknown as [number, number, number];
  const [places, reach] = [outH * outW, REACH[attrs.mode]];
  const cells = Tensor.empty([n, 1, places * reach * reach], int64);
  const axes = [0, 1].map(() =>
    (["weight", "slope", "curvature"] as const).map(() => filled([n, places, reach], 0, grid.dtype)),
  );
  forEachPlace(input, grid, attrs, (sample, place, across, down) => {
    const at = (sample * places + place) * reach;
    [across, down].forEach((taps, axis) => {
      taps.forEach(({ weight, slope, curvature }, k) => {
        [weight, slope, curvature / 2].forEach((value, power) => {
          axes[axis]![power]!.storage.data[at + k] = value;
        });
      });
    });
    down.forEach((row, i) => {
      across.forEach((column, j) => {
        cells.storage.data[(at + i) * reach + j] = row.cell * w + column.cell;
      });
    });
  });
  // Weights as polynomials of how far the grid is from where it is.
  const [acrossWeights, downWeights] = axes.map(([weight, slope, curvature], axis) => {
    const coordinate = reshape(select(grid, 3, axis), [n, places, 1]);
    const away = sub(coordinate, coordinate.detach());
    return add(weight!, mul(away, add(slope!, mul(away, curvature!))));
  }) as [Tensor, Tensor];
  const weights = mul(unsqueeze(downWeights, 3), unsqueeze(acrossWeights, 2));
  const count = places * reach * reach;
  const read = gather(reshape(input, [n, c, h * w]), 2, expand(cells, [n, c, count]));
  const weighed = mul(read, reshape(weights, [n, 1, count]));
  return reshape(sum(reshape(weighed, [n, c, places, reach * reach]), 3), [n, c, outH, outW]);
}

const GridSample: Op<GridAttrs> = defineOp({
  name: "grid_sampler_2d",
  gradFn: "GridSampler2DBackward0",
  kernels: [],
  forward(ctx, input: Tensor, grid: Tensor) {
    ctx.save(input, grid);
    const [n, c, h, w] = input.shape as unknown as [number, number, number, number];
    const [, outH, outW] = grid.shape as unknown as [number, number, number];
    const out = Tensor.empty([n, c, outH, outW], input.dtype);
    const from = input.denseData();
    forEachPlace(input, grid, ctx.attrs, (sample, place, across, down) => {
      for (let plane = sample * c; plane < (sample + 1) * c; plane++) {
        let total = 0;
        for (const row of down) {
          for (const column of across) {
            total += from[(plane * h + row.cell) * w + column.cell]! * row.weight * column.weight;
          }
        }
        out.storage.data[plane * outH * outW + place] = total;
      }
    });
    return out;
  },
  backward(ctx, grad: Tensor) {
    const { attrs, saved, needs } = ctx;
    const [input, grid] = saved;
    if (isGradEnabled()) {
      return spelledOutBackward(ctx, ([from, at]) => [spelledOut(from!, at!, attrs)], saved, [grad]);
    }
    const [, c, h, w] = input!.shape as unknown as [number, number, number, number];
    const places = grid!.shape[1]! * grid!.shape[2]!;
    const toInput = filled(input!.shape, 0, input!.dtype);
    const toGrid = filled(grid!.shape, 0, grid!.dtype);
    const from = input!.denseData();
    const incoming = grad.denseData();
    forEachPlace(input!, grid!, attrs, (sample, place, across, down) => {
      let alongX = 0;
      let alongY = 0;
      for (let plane = sample * c; plane < (sample + 1) * c; plane++) {
        const g = incoming[plane * places + place]!;
        for (const row of down) {
          for (const column of across) {
            const cell = (plane * h + row.cell) * w + column.cell;
            toInput.storage.data[cell]! += g * row.weight * column.weight;
            alongX += g * from[cell]! * row.weight * column.slope;
            alongY += g * from[cell]! * row.slope * column.weight;
          }
        }
      }
      const k = 2 * (sample * places + place);
      toGrid.storage.data[k] = alongX;
      toGrid.storage.data[k + 1] = alongY;
    });
    return [needs[0] ? toInput : null, needs[1] ? toGrid : null];
  },
});

export interface GridSampleOptions {
  /** How cells in between are found. Default "bilinear". */
  mode?: GridSampleMode;
  /** What lies outside the image. Default "zeros". */
  paddingMode?: GridSamplePadding;
  /** Whether ±1 are the centres of the outermost cells instead of their edges. Default false. */
  alignCorners?: boolean | null;
}

function checkGrid(input: Tensor, grid: Tensor): void {
  const shapes = { shapes: [input.shape, grid.shape] };
  const met = `input with sizes ${sizeText(input.shape)} and grid with sizes ${sizeText(grid.shape)}`;
  if (input.shape[0] !== grid.shape[0]) {
    throw new RuntimeError(`grid_sampler(): expected grid and input to have same batch size, but got ${met}`, shapes);
  }
  if (grid.shape.at(-1) !== input.ndim - 2) {
    throw new RuntimeError(
      `grid_sampler(): expected grid to have size ${input.ndim - 2} in last dimension, but got grid with sizes ${sizeText(grid.shape)}`,
      shapes,
    );
  }
  const empty = input.shape.findIndex((size, i) => i >= 2 && size === 0);
  if (empty >= 0) {
    throw new RuntimeError(
      `grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes ${sizeText(input.shape)} with dimension ${empty} being empty`,
      shapes,
    );
  }
  if (input.ndim !== 4 || grid.ndim !== 4) {
    throw new RuntimeError(
      `grid_sampler(): expected 4D input and grid with same number of dimensions, but got ${met}`,
      shapes,
    );
  }
  if (grid.dtype !== input.dtype) {
    throw new RuntimeError(
      `expected scalar type ${SCALAR_TYPE_NAMES[input.dtype.name]} but found ${SCALAR_TYPE_NAMES[grid.dtype.name]}`,
    );
  }
}

/**
 * The image at the places that the grid names: x and y from -1 to 1.
 *
 * @param input [N, C, H, W]
 * @param grid [N, H', W', 2]
 * @returns [N, C, H', W']
 * @see https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.grid_sample.html
 */
export function gridSample(input: Tensor, grid: Tensor, options?: GridSampleOptions): Tensor;
export function gridSample(...args: unknown[]): Tensor {
  const {
    input,
    grid,
    mode = "bilinear",
    paddingMode = "zeros",
    alignCorners,
  } = bind<{ input: Tensor; grid: Tensor } & GridSampleOptions>(
    "grid_sample",
    ["!input", "!grid", "mode", "paddingMode", "alignCorners"],
    args,
  );
  assertTensor(input, "grid_sampler", "input", 1);
  assertTensor(grid, "grid_sampler", "grid", 2);
  if (mode !== "bilinear" && mode !== "nearest" && mode !== "bicubic") {
    throw new ValueError(
      `nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '${mode}'`,
    );
  }
  if (paddingMode !== "zeros" && paddingMode !== "border" && paddingMode !== "reflection") {
    throw new ValueError(
      `nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: '${paddingMode}'`,
    );
  }
  checkGrid(input, grid);
  return call(GridSample, { mode, paddingMode, alignCorners: alignCorners ?? false }, input, grid);
}

interface AffineAttrs {
  /** [1, H·W, 3]: x, y and 1 of every place of an upright grid. */
  base: Tensor;
  size: readonly [number, number];
}

const AffineGrid: Op<AffineAttrs> = defineOp({
  name: "affine_grid_generator",
  gradFn: "AffineGridGeneratorBackward0",
  kernels: ["matmul"],
  forward({ attrs: { base, size } }, theta: Tensor) {
    return reshape(matmul(base, transpose(theta.detach(), 1, 2)), [theta.shape[0]!, ...size, 2]);
  },
  backward({ attrs: { base } }, grad: Tensor) {
    const places = reshape(grad, [grad.shape[0]!, -1, 2]);
    return [matmul(transpose(places, 1, 2), base)];
  },
});

/** The middles of `count` cells, or with alignCorners the ends and what lies evenly between them, from -1 to 1. */
function evenly(count: number, alignCorners: boolean): number[] {
  return Array.from({ length: count }, (_, i) => {
    if (count <= 1) return 0;
    const along = -1 + (2 * i) / (count - 1);
    return alignCorners ? along : (along * (count - 1)) / count;
  });
}

/**
 * Where each pixel of the output lies in the input under an affine map: what `gridSample` takes.
 *
 * @param theta [N, 2, 3]
 * @param size of the output, [N, C, H, W]
 * @returns [N, H, W, 2]
 * @see https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.affine_grid.html
 */
export function affineGrid(theta: Tensor, size: readonly number[], options?: { alignCorners?: boolean | null }): Tensor;
export function affineGrid(...args: unknown[]): Tensor {
  const { theta, size, alignCorners } = bind<{
    theta: Tensor;
    size: readonly number[];
    alignCorners?: boolean | null;
  }>("affine_grid", ["!theta", "!size", "alignCorners"], args);
  assertTensor(theta, "affine_grid", "theta", 1);
  const wanted = size instanceof Size ? String(size) : sizeText(size);
  if (!theta.dtype.isFloatingPoint) {
    throw new ValueError(`Expected theta to have floating point type, but got ${theta.dtype}`);
  }
  if (size.length !== 4) {
    throw new NotImplementedError(
      `affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got size ${wanted}.`,
    );
  }
  if (theta.ndim !== 3 || theta.shape[1] !== 2 || theta.shape[2] !== 3) {
    throw new ValueError(
      `Expected a batch of 2D affine matrices of shape Nx2x3 for size ${wanted}. Got ${theta.shape}.`,
    );
  }
  if (Math.min(...size) <= 0) throw new ValueError(`Expected non-zero, positive output size. Got ${wanted}`);
  const [n, , h, w] = size as readonly [number, number, number, number];
  if (theta.shape[0] !== n) {
    throw new RuntimeError(
      `Expected size for first two dimensions of batch2 tensor to be: [${n}, 3] but got: [${theta.shape[0]}, 3].`,
    );
  }
  const base = Tensor.empty([1, h * w, 3], theta.dtype, theta.device);
  const across = evenly(w, alignCorners ?? false);
  const down = evenly(h, alignCorners ?? false);
  for (let i = 0; i < h * w; i++) {
    base.storage.data.set([across[i % w]!, down[Math.floor(i / w)]!, 1], 3 * i);
  }
  return call(AffineGrid, { base, size: [h, w] }, theta);
}
