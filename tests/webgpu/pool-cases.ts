import { maxPool } from "../../engine/backends/reference/pool.ts";
import { int32, int64 } from "../../engine/core/dtype.ts";
import { type PoolGeometry, poolOutputSize } from "../../engine/core/window.ts";
import { dense, type KernelCase, kernelCase, laidOut, Numbers, out } from "./kernel-cases.ts";

const numbers = new Numbers(13);

/** Height first. */
interface Pooling {
  planes?: [number, number];
  size?: [number, number];
  kernel: [number, number];
  stride?: [number, number];
  padding?: [number, number];
  dilation?: [number, number];
  ceil?: boolean;
}

function poolGeometry({
  planes,
  size = [9, 11],
  kernel,
  padding = [0, 0],
  ceil = false,
  ...rest
}: Pooling): PoolGeometry {
  const [stride, dilation] = [rest.stride ?? kernel, rest.dilation ?? ([1, 1] as const)];
  const along = (axis: 0 | 1) =>
    poolOutputSize(size[axis], kernel[axis], stride[axis], padding[axis], dilation[axis], ceil);
  const [n, c] = planes ?? [2, 3];
  return {
    ...{ n, c, h: size[0], w: size[1], kernelH: kernel[0], kernelW: kernel[1] },
    ...{ strideH: stride[0], strideW: stride[1], dilationH: dilation[0], dilationW: dilation[1] },
    ...{ padTop: padding[0], padLeft: padding[1], outH: along(0), outW: along(1) },
  };
}

const POOLINGS: Record<string, Pooling> = {
  "two by two": { size: [8, 16], kernel: [2, 2] },
  "two by two, odd": { size: [7, 9], kernel: [2, 2] },
  "two by two, odd, with what is left": { size: [7, 9], kernel: [2, 2], ceil: true },
  overlapping: { kernel: [3, 3], stride: [2, 2], padding: [1, 1] },
  "overlapping a lot": { kernel: [4, 5], stride: [1, 1], padding: [2, 2] },
  apart: { kernel: [2, 2], stride: [3, 4] },
  unequal: { kernel: [1, 3], stride: [2, 1], padding: [0, 1] },
  "clipped at the end": { size: [7, 8], kernel: [3, 4], stride: [2, 3], padding: [1, 2], ceil: true },
  "one cell": { kernel: [1, 1] },
  everything: { kernel: [9, 11] },
  "one axis": { size: [1, 127], kernel: [1, 3], stride: [1, 2], padding: [0, 1] },
  "no planes": { planes: [0, 3], kernel: [2, 2] },
  "many planes": { planes: [8, 32], size: [32, 32], kernel: [2, 2] },
};

const DILATED: Record<string, Pooling> = {
  dilated: { kernel: [2, 3], stride: [1, 2], dilation: [3, 2], padding: [1, 1] },
  "dilated, clipped": { kernel: [2, 2], stride: [3, 3], dilation: [2, 3], padding: [1, 1], ceil: true },
};

const NEAR = { tolerance: 1e-6 };

export function poolCases(): KernelCase[] {
  const cases: KernelCase[] = [];
  for (const [title, pooling] of Object.entries({ ...POOLINGS, ...DILATED })) {
    const g = poolGeometry(pooling);
    const input = numbers.view([g.n, g.c, g.h, g.w]);
    const shape = [g.n, g.c, g.outH, g.outW];
    const grad = numbers.view(shape);
    for (const dtype of [int64, int32]) {
      const indices = out(shape, dtype);
      maxPool(input, g, out(shape), indices);
      cases.push(
        kernelCase(
          `max pool, ${dtype.name} positions: ${title}`,
          "maxPool",
          [input, g, out(shape), out(shape, dtype)],
          {
            writes: [2, 3],
          },
        ),
        kernelCase(`max pool's gradient, ${dtype.name}: ${title}`, "maxPoolGrad", [grad, indices, g, out(input.shape)]),
      );
    }
    cases.push(kernelCase(`max pool: ${title}`, "maxPool", [input, g, out(shape), null], { writes: [2] }));
    if (title in DILATED) continue;
    for (const [how, padded, divisor] of [
      ["padding counted", true, null],
      ["padding not counted", false, null],
      ["by five", true, 5],
    ] as const) {
      cases.push(
        kernelCase(`average, ${how}: ${title}`, "avgPool", [input, g, padded, divisor, out(shape)], NEAR),
        kernelCase(
          `average's gradient, ${how}: ${title}`,
          "avgPoolGrad",
          [grad, g, padded, divisor, out(input.shape)],
          NEAR,
        ),
      );
    }
  }
  const g = poolGeometry({ planes: [1, 4], size: [6, 6], kernel: [3, 3], stride: [2, 2], padding: [1, 1] });
  const special = [Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, -0, 0, 1, 1, -1];
  const mixed = dense([1, 4, 6, 6], numbers.view([1]).dtype, () => special[numbers.whole(0, special.length)]!);
  const low = dense([1, 4, 6, 6], mixed.dtype, () => Number.NEGATIVE_INFINITY);
  const shape = [1, 4, g.outH, g.outW];
  for (const [title, input] of Object.entries({ "NaN and infinities": mixed, "nothing but -inf": low })) {
    cases.push(
      kernelCase(`max pool of ${title}`, "maxPool", [input, g, out(shape), out(shape, int64)], { writes: [2, 3] }),
    );
  }
  for (const layout of ["transposed", "gaps", "shifted"] as const) {
    const to = laidOut(out(shape), "shifted");
    const places = laidOut(out(shape, int64), "shifted");
    cases.push(
      kernelCase(`max pool, ${layout}`, "maxPool", [laidOut(mixed, layout), g, to, places], { writes: [2, 3] }),
      kernelCase(`average, ${layout}`, "avgPool", [laidOut(numbers.view(low.shape), layout), g, true, null, to], NEAR),
    );
  }
  return cases;
}
