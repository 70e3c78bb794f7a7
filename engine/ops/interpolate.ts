/** Resizing. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.interpolate.html */
import { bind } from "../core/arguments.ts";
import { NotImplementedError, ValueError } from "../core/errors.ts";
import { numel } from "../core/shape.ts";
import { assertTensor, type Tensor } from "../core/tensor.ts";
import { adaptiveAvgPool1d, adaptiveAvgPool2d } from "./adaptive_pool.ts";
import { denseRaw, filled } from "./operands.ts";
import { call, defineOp, type Op } from "./registry.ts";

/** For one output position along an axis: the input positions it reads, and their weights. */
type Taps = { positions: number[]; weights: number[] }[];

interface ResizeAttrs {
  gradFn: string;
  size: readonly number[];
  out: readonly number[];
  taps: readonly Taps[];
}

/** Calls `visit` for every pair of an output and an input cell, with the weight between them. Sequences are images of one row. */
function forEachTap(
  planes: number,
  { size, taps }: ResizeAttrs,
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

/** Linear in the input: its gradient is the same sum read backwards. */
const Resize: Op<ResizeAttrs> = defineOp({
  name: "upsample",
  gradFn: ({ gradFn }) => gradFn,
  kernels: [],
  forward({ attrs }, x: Tensor) {
    const lead = x.shape.slice(0, -attrs.size.length);
    const out = filled([...lead, ...attrs.out], 0, x.dtype);
    const source = denseRaw(x).denseData();
    const target = new Float64Array(out.numel());
    forEachTap(numel(lead), attrs, (to, from, weight) => {
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
    const out = filled([...lead, ...attrs.size], 0, grad.dtype);
    const source = denseRaw(grad).denseData();
    const target = new Float64Array(out.numel());
    forEachTap(numel(lead), attrs, (to, from, weight) => {
      target[from]! += source[to]! * weight;
    });
    out.storage.data.set(target);
    return out;
  },
  backward: ({ attrs }, grad: Tensor) => [call(Resize, attrs, grad)],
});

export type InterpolateMode = "nearest" | "nearest-exact" | "linear" | "bilinear" | "bicubic" | "area";

export interface InterpolateOptions {
  /** The size wanted; either this or scaleFactor. */
  size?: number | readonly number[] | null;
  /** Factor of the size; rounded down. */
  scaleFactor?: number | readonly number[] | null;
  /** Default "nearest". */
  mode?: InterpolateMode;
  /** Whether the corners' centres are kept (linear, bilinear, bicubic). Default false. */
  alignCorners?: boolean | null;
  /** Takes the scale from the sizes instead of scaleFactor. Default false. */
  recomputeScaleFactor?: boolean | null;
}

interface AxisRule {
  mode: InterpolateMode;
  size: number;
  out: number;
  /** The scale factor given, if it decides where positions lie. */
  factor: number | null;
  alignCorners: boolean;
}

const CUBIC = -0.75;

function cubicWeights(t: number): number[] {
  const near = (x: number) => ((CUBIC + 2) * x - (CUBIC + 3)) * x * x + 1;
  const far = (x: number) => ((CUBIC * x - 5 * CUBIC) * x + 8 * CUBIC) * x - 4 * CUBIC;
  return [far(t + 1), near(t), near(1 - t), far(2 - t)];
}

function axisTaps({ mode, size, out, factor, alignCorners }: AxisRule): Taps {
  const scale = Math.fround(factor === null ? size / out : 1 / factor);
  const clampTo = (i: number) => Math.min(Math.max(i, 0), size - 1);
  return Array.from({ length: out }, (_, i) => {
    if (mode === "nearest" || mode === "nearest-exact") {
      const place = mode === "nearest" ? i : i + 0.5;
      return { positions: [Math.min(Math.floor(Math.fround(place * scale)), size - 1)], weights: [1] };
    }
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
  } = bind<{ input: Tensor } & InterpolateOptions>(
    "interpolate",
    ["!input", "size", "scaleFactor", "mode", "alignCorners", "recomputeScaleFactor"],
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
    if (typeof value === "number") return new Array<number>(axes).fill(value);
    if (value.length === axes) return value;
    throw new ValueError(
      name === "size"
        ? `Input and output must have the same number of spatial dimensions, but got input with spatial dimensions of [${input.shape.slice(2).join(", ")}] and output size of [${value.join(", ")}]. Please provide input tensor in (N, C, d1, d2, ...,dK) format and output size in (o1, o2, ...,oK) format.`
        : `Input and scale_factor must have the same number of spatial dimensions, but got input with spatial dimensions of [${input.shape.slice(2).join(", ")}] and scale_factor of shape [${value.join(", ")}]. Please provide input tensor in (N, C, d1, d2, ...,dK) format and scale_factor in (s1, s2, ...,sK) format.`,
    );
  };
  const factors = scaleFactor === null ? null : list(scaleFactor, "scaleFactor");
  const spatial = input.shape.slice(2);
  const out = size === null ? spatial.map((n, i) => Math.floor(n * factors![i]!)) : list(size, "size");
  if (mode === "area") {
    if (axes === 1) return adaptiveAvgPool1d(input, out[0]!);
    if (axes === 2) return adaptiveAvgPool2d(input, out);
  }
  const needed = { linear: 1, bilinear: 2, bicubic: 2 }[mode as string];
  if (needed !== undefined && needed !== axes && axes >= 1 && axes <= 3 && mode !== "bicubic") {
    throw new NotImplementedError(`Got ${input.ndim}D input, but ${mode} mode needs ${needed + 2}D input`);
  }
  const gradFn = GRAD_FN[`${mode} ${axes}`];
  if (!gradFn) {
    throw new NotImplementedError(
      `Input Error: Only 3D, 4D and 5D input Tensors supported (got ${input.ndim}D) for the modes: nearest | linear | bilinear | bicubic | trilinear | area | nearest-exact (got ${mode})`,
      { hint: "linear takes [N, C, L]; bilinear and bicubic take [N, C, H, W]" },
    );
  }
  const taps = spatial.map((n, i) =>
    axisTaps({
      mode,
      size: n,
      out: out[i]!,
      factor: factors && !recomputeScaleFactor ? factors[i]! : null,
      alignCorners: alignCorners ?? false,
    }),
  );
  return call(Resize, { gradFn, size: spatial, out, taps }, input);
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
