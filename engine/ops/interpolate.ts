/** Resizing. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.interpolate.html */
import { bind } from "../core/arguments.ts";
import { NotImplementedError, RuntimeError, TypeError, ValueError } from "../core/errors.ts";
import { SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { numel, sameShape, sizeText } from "../core/shape.ts";
import { assertTensor, pythonTypeName, type Tensor } from "../core/tensor.ts";
import { adaptiveAvgPool1d, adaptiveAvgPool2d } from "./adaptive_pool.ts";
import { goesByKernels, mapCells } from "./linear_map.ts";
import { denseRaw, filled } from "./operands.ts";
import { call, defineOp, type Op } from "./registry.ts";

/** For one output position along an axis: the input positions it reads, and their weights. */
type Taps = { positions: number[]; weights: number[] }[];

interface ResizeAttrs {
  gradFn: string;
  /** What the gradient reads where that is not `taps`: PyTorch's shortcuts for sizes at once and twice the input's. */
  gradTaps: readonly Taps[];
  size: readonly number[];
  out: readonly number[];
  taps: readonly Taps[];
}

/** Calls `visit` for every pair of an output and an input cell, with the weight between them. Sequences are images of one row. */
function forEachTap(
  planes: number,
  { size }: ResizeAttrs,
  taps: readonly Taps[],
  visit: (to: number, from: number, weight: number) => void,
) {
  const rows = taps.length === 2 ? taps[0]! : [{ positions: [0], weights: [1] }];
  const columns = taps[taps.length - 1]!;
  const width = size[size.length - 1]!;
  for (let plane = 0, to = 0; plane < planes; plane++) {
    const origin = plane * numel(size);
    for (const row of rows) {
      for (const column of columns) {
        for (let i = 0; i < row.positions.length; i++) {
          for (let j = 0; j < column.positions.length; j++) {
            const from = origin + row.positions[i]! * width + column.positions[j]!;
            visit(to, from, row.weights[i]! * column.weights[j]!);
          }
        }
        to++;
      }
    }
  }
}

function tapMap(attrs: ResizeAttrs, taps: readonly Taps[]): { outs: number[]; ins: number[]; weights: number[] } {
  const map = { outs: [] as number[], ins: [] as number[], weights: [] as number[] };
  forEachTap(1, attrs, taps, (to, from, weight) => {
    map.outs.push(to);
    map.ins.push(from);
    map.weights.push(weight);
  });
  return map;
}

/** Linear in the input: its gradient is the same sum read backwards. */
const Resize: Op<ResizeAttrs> = defineOp({
  name: "upsample",
  gradFn: ({ gradFn }) => gradFn,
  kernels: [],
  forward({ attrs }, x: Tensor) {
    const lead = x.shape.slice(0, -attrs.size.length);
    if (goesByKernels(x)) {
      const { outs, ins, weights } = tapMap(attrs, attrs.taps);
      return mapCells(x, numel(lead), [...lead, ...attrs.out], { from: ins, to: outs, weights });
    }
    const out = filled([...lead, ...attrs.out], 0, x.dtype);
    const source = denseRaw(x).denseData();
    const target = new Float64Array(out.numel());
    forEachTap(numel(lead), attrs, attrs.taps, (to, from, weight) => {
      target[to]! += source[from]! * weight;
    });
    out.storage.data.set(target);
    return out;
  },
  backward: ({ attrs }, grad: Tensor) => [call(ResizeGrad, attrs, grad)],
});

const ResizeGrad: Op<ResizeAttrs> = defineOp({
  name: "upsample_backward",
  gradFn: ({ gradFn }) => gradFn.replace("Backward0", "BackwardBackward0"),
  kernels: [],
  forward({ attrs }, grad: Tensor) {
    const lead = grad.shape.slice(0, -attrs.size.length);
    if (goesByKernels(grad)) {
      const { outs, ins, weights } = tapMap(attrs, attrs.gradTaps);
      return mapCells(grad, numel(lead), [...lead, ...attrs.size], { from: outs, to: ins, weights });
    }
    const out = filled([...lead, ...attrs.size], 0, grad.dtype);
    const source = denseRaw(grad).denseData();
    const target = new Float64Array(out.numel());
    forEachTap(numel(lead), attrs, attrs.gradTaps, (to, from, weight) => {
      target[from]! += source[to]! * weight;
    });
    out.storage.data.set(target);
    return out;
  },
  backward: ({ attrs }, grad: Tensor) => [call(Resize, attrs, grad)],
});

export type InterpolateMode = "nearest" | "nearest-exact" | "linear" | "bilinear" | "bicubic" | "area";

export interface InterpolateOptions {
  /** The size wanted; either this or scaleFactor. Default null. */
  size?: number | readonly number[] | null;
  /** Factor of the size; rounded down. Default null. */
  scaleFactor?: number | readonly number[] | null;
  /** Default "nearest". */
  mode?: InterpolateMode;
  /** Whether the corners' centres are kept (linear, bilinear, bicubic). Default false. */
  alignCorners?: boolean | null;
  /** Takes the scale from the sizes instead of scaleFactor. Default false. */
  recomputeScaleFactor?: boolean | null;
  /** Widens the window where the image shrinks (bilinear and bicubic). Default false. */
  antialias?: boolean;
}

interface AxisRule {
  mode: InterpolateMode;
  size: number;
  out: number;
  /** The scale factor given, if it decides where positions lie. */
  factor: number | null;
  alignCorners: boolean;
  antialias: boolean;
  /** PyTorch computes scales in float32 unless the image is float64. */
  round: (scale: number) => number;
}

const CUBIC = -0.75;

/** The window of PIL's antialiasing: a triangle, or its cubic with another parameter than everywhere else. */
function antialiasTaps({ mode, size, out, factor, alignCorners, round }: AxisRule): Taps {
  const scale = round(
    alignCorners ? (out > 1 ? (size - 1) / (out - 1) : 0) : factor === null ? size / out : 1 / factor,
  );
  const half = mode === "bicubic" ? 2 : 1;
  const support = scale >= 1 ? half * scale : half;
  const shrink = scale >= 1 ? 1 / scale : 1;
  const window = (x: number) => (half === 1 ? Math.max(0, 1 - x) : smoothCubic(x));
  return Array.from({ length: out }, (_, i) => {
    const centre = scale * (i + 0.5);
    const first = Math.max(Math.trunc(centre - support + 0.5), 0);
    const end = Math.min(Math.trunc(centre + support + 0.5), size);
    const positions = Array.from({ length: Math.max(end - first, 0) }, (_, j) => first + j);
    const weights = positions.map((at) => window(Math.abs((at - centre + 0.5) * shrink)));
    const total = weights.reduce((a, b) => a + b, 0);
    return { positions, weights: weights.map((w) => w / total) };
  });
}

function smoothCubic(x: number): number {
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

function cubicWeights(t: number): number[] {
  const near = (x: number) => ((CUBIC + 2) * x - (CUBIC + 3)) * x * x + 1;
  const far = (x: number) => ((CUBIC * x - 5 * CUBIC) * x + 8 * CUBIC) * x - 4 * CUBIC;
  return [far(t + 1), near(t), near(1 - t), far(2 - t)];
}

function axisTaps(rule: AxisRule): Taps {
  const { mode, size, out, factor, alignCorners, round } = rule;
  if (rule.antialias) return antialiasTaps(rule);
  const scale = round(factor === null ? size / out : 1 / factor);
  const clampTo = (i: number) => Math.min(Math.max(i, 0), size - 1);
  return Array.from({ length: out }, (_, i) => {
    if (mode === "nearest" || mode === "nearest-exact") {
      const place = mode === "nearest" ? i : i + 0.5;
      return { positions: [Math.min(Math.floor(Math.fround(place * scale)), size - 1)], weights: [1] };
    }
    // PyTorch copies along an axis that keeps its length, whatever the scale factor says.
    if (mode !== "bicubic" && out === size) return { positions: [i], weights: [1] };
    const step = out > 1 ? (size - 1) / (out - 1) : 0;
    const centre = alignCorners ? step * i : scale * (i + 0.5) - 0.5;
    if (mode === "bicubic") {
      const base = Math.floor(centre);
      return { positions: [-1, 0, 1, 2].map((k) => clampTo(base + k)), weights: cubicWeights(centre - base) };
    }
    const place = Math.max(centre, 0);
    const base = clampTo(Math.floor(place));
    const share = Math.min(Math.max(place - base, 0), 1);
    return { positions: [base, clampTo(base + 1)], weights: [1 - share, share] };
  });
}

/** Which cell each output of nearest reads, where PyTorch's gradient does not ask the scale factor. */
function shortcut(size: number, out: number): Taps | null {
  if (out !== size && out !== 2 * size) return null;
  return Array.from({ length: out }, (_, i) => ({ positions: [out === size ? i : i >> 1], weights: [1] }));
}

const tuple = (values: readonly number[]): string => `(${values.join(", ")}${values.length === 1 ? "," : ""})`;

/** @throws RuntimeError for an image without cells, before or after. */
function checkSizes({ shape, ndim }: Tensor, out: readonly number[]): void {
  const named = (sizes: readonly number[]) =>
    `(${sizes.map((n, i) => `${"HW"[i + 2 - sizes.length]}: ${n}`).join(", ")})`;
  if ([...shape.slice(2), ...out].some((n) => n <= 0)) {
    throw new RuntimeError(
      `Input and output sizes should be greater than 0, but got input ${named(shape.slice(2))}${ndim === 3 ? " and" : ""} output ${named(out)}`,
      { shapes: [shape] },
    );
  }
  if (shape[1] === 0) {
    throw new RuntimeError(`Non-empty ${ndim}D data tensor expected but got a tensor with sizes ${sizeText(shape)}`, {
      shapes: [shape],
    });
  }
}

const GRAD_FN: Record<string, string> = {
  "nearest 1": "UpsampleNearest1DBackward0",
  "nearest 2": "UpsampleNearest2DBackward0",
  "nearest-exact 1": "UpsampleNearestExact1DBackward0",
  "nearest-exact 2": "UpsampleNearestExact2DBackward0",
  "linear 1": "UpsampleLinear1DBackward0",
  "bilinear 2": "UpsampleBilinear2DBackward0",
  "bicubic 2": "UpsampleBicubic2DBackward0",
};

/**
 * Resizes sequences [N, C, L] (nearest, linear, area) and images [N, C, H, W] (nearest, bilinear, bicubic, area).
 *
 * @throws ValueError unless exactly one of size and scaleFactor is given
 * @see https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.interpolate.html
 */
export function interpolate(input: Tensor, options?: InterpolateOptions): Tensor;
export function interpolate(...args: unknown[]): Tensor {
  const {
    input,
    size = null,
    scaleFactor = null,
    mode = "nearest",
    alignCorners = null,
    recomputeScaleFactor = null,
    antialias = false,
  } = bind<{ input: Tensor } & InterpolateOptions>(
    "interpolate",
    ["!input", "size", "scaleFactor", "mode", "alignCorners", "recomputeScaleFactor", "antialias"],
    args,
  );
  assertTensor(input, "interpolate", "input", 1);
  const smooth = mode === "linear" || mode === "bilinear" || mode === "bicubic";
  if (!smooth && alignCorners !== null) {
    throw new ValueError(
      "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear",
    );
  }
  const axes = input.ndim - 2;
  if (size !== null && scaleFactor !== null) throw new ValueError("only one of size or scale_factor should be defined");
  if (size === null && scaleFactor === null) throw new ValueError("either size or scale_factor should be defined");
  const list = (value: number | readonly number[], name: string): readonly number[] => {
    const whole = name === "size";
    for (const one of Array.isArray(value) ? (value as readonly unknown[]) : [value]) {
      if (typeof one === "number" && (!whole || Number.isInteger(one))) continue;
      throw new TypeError(
        `interpolate(): argument '${whole ? "size" : "scale_factor"}' must be ${whole ? "int or tuple of ints" : "float or tuple of floats"}, not ${pythonTypeName(one)}`,
      );
    }
    if (typeof value === "number") return new Array<number>(axes).fill(value);
    if (value.length === axes) return value;
    throw new ValueError(
      name === "size"
        ? `Input and output must have the same number of spatial dimensions, but got input with spatial dimensions of [${input.shape.slice(2).join(", ")}] and output size of ${tuple(value)}. Please provide input tensor in (N, C, d1, d2, ...,dK) format and output size in (o1, o2, ...,oK) format.`
        : `Input and scale_factor must have the same number of spatial dimensions, but got input with spatial dimensions of [${input.shape.slice(2).join(", ")}] and scale_factor of shape ${tuple(value)}. Please provide input tensor in (N, C, d1, d2, ...,dK) format and scale_factor in (s1, s2, ...,sK) format.`,
    );
  };
  if (recomputeScaleFactor && size !== null) {
    throw new ValueError("recompute_scale_factor is not meaningful with an explicit size.");
  }
  const factors = scaleFactor === null ? null : list(scaleFactor, "scaleFactor");
  const spatial = input.shape.slice(2);
  const out = size === null ? spatial.map((n, i) => Math.floor(n * factors![i]!)) : list(size, "size");
  if (antialias && !(axes === 2 && (mode === "bilinear" || mode === "bicubic"))) {
    throw new ValueError(
      "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D tensor as input",
    );
  }
  if (mode === "area") {
    if (axes === 1) return adaptiveAvgPool1d(input, out[0]!);
    if (axes === 2) return adaptiveAvgPool2d(input, out);
  }
  const needed = { linear: 1, bilinear: 2, bicubic: 2 }[mode as string];
  if (needed !== undefined && needed !== axes && axes >= 1 && axes <= 3 && mode !== "bicubic") {
    throw new NotImplementedError(`Got ${input.ndim}D input, but ${mode} mode needs ${needed + 2}D input`);
  }
  if (!input.dtype.isFloatingPoint && input.dtype.name !== "uint8") {
    const kind = mode === "bicubic" ? "cubic" : smooth ? "linear" : "nearest";
    throw new NotImplementedError(
      `"compute_indices_weights_${kind}" not implemented for '${SCALAR_TYPE_NAMES[input.dtype.name]}'`,
      { hint: "convert it first: x.float()" },
    );
  }
  const gradFn = GRAD_FN[`${mode} ${axes}`];
  if (!gradFn) {
    throw new NotImplementedError(
      `Input Error: Only 3D, 4D and 5D input Tensors supported (got ${input.ndim}D) for the modes: nearest | linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact (got ${mode})`,
      { hint: "linear takes [N, C, L]; bilinear and bicubic take [N, C, H, W]" },
    );
  }
  checkSizes(input, out);
  const nearest = mode === "nearest" || mode === "nearest-exact";
  const taps = spatial.map((n, i) =>
    axisTaps({
      mode,
      size: n,
      out: out[i]!,
      factor: factors && !recomputeScaleFactor ? factors[i]! : null,
      alignCorners: alignCorners ?? false,
      antialias,
      round: nearest || input.dtype.name !== "float64" ? Math.fround : Number,
    }),
  );
  const gradTaps = taps.map((own, i) => {
    if (mode === "nearest") return shortcut(spatial[i]!, out[i]!) ?? own;
    // Cubic gradients of an image that keeps its size are passed on as they are.
    return mode === "bicubic" && !antialias && sameShape(spatial, out) ? (shortcut(spatial[i]!, out[i]!) ?? own) : own;
  });
  const named = antialias ? gradFn.replace("2D", "2DAa") : gradFn;
  // A single channel counts as lying last in memory, and for that layout the image takes the gradient's shortcuts too.
  const channelsLast = mode === "nearest" && axes === 2 && input.shape[1] === 1;
  const attrs = { gradFn: named, size: spatial, out, taps: channelsLast ? gradTaps : taps, gradTaps };
  return call(Resize, attrs, input);
}

/** The older name of `interpolate`. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.upsample.html */
export function upsample(input: Tensor, options?: Omit<InterpolateOptions, "recomputeScaleFactor">): Tensor;
export function upsample(...args: unknown[]): Tensor {
  const { input, ...options } = bind<{ input: Tensor } & InterpolateOptions>(
    "upsample",
    ["!input", "size", "scaleFactor", "mode", "alignCorners"],
    args,
  );
  return interpolate(input, options);
}

export type UpsampleSize = Pick<InterpolateOptions, "size" | "scaleFactor">;

/** `interpolate` with mode "nearest". https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.upsample_nearest.html */
export function upsampleNearest(input: Tensor, options?: UpsampleSize): Tensor;
export function upsampleNearest(...args: unknown[]): Tensor {
  const { input, ...options } = bind<{ input: Tensor } & UpsampleSize>(
    "upsample_nearest",
    ["!input", "size", "scaleFactor"],
    args,
  );
  return interpolate(input, { ...options, mode: "nearest" });
}

/** `interpolate` with mode "bilinear", the corners' centres kept. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.upsample_bilinear.html */
export function upsampleBilinear(input: Tensor, options?: UpsampleSize): Tensor;
export function upsampleBilinear(...args: unknown[]): Tensor {
  const { input, ...options } = bind<{ input: Tensor } & UpsampleSize>(
    "upsample_bilinear",
    ["!input", "size", "scaleFactor"],
    args,
  );
  return interpolate(input, { ...options, mode: "bilinear", alignCorners: true });
}
