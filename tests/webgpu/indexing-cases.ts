import type { View } from "../../engine/backends/backend.ts";
import { bool, type DType, float32, int32, int64, uint8 } from "../../engine/core/dtype.ts";
import { dense, type KernelCase, kernelCase, laidOut, Numbers, out, SIZES } from "./kernel-cases.ts";

/** [outer, n, inner] and how many indices. */
const SHAPES: readonly [outer: number, n: number, inner: number, m: number][] = [
  ...SIZES.map((m): [number, number, number, number] => [1, 10, 3, m]),
  [2, 5, 7, 4],
  [3, 40, 1, 63],
  [1, 1000, 16, 127],
  [1, 1, 1, 300],
  [1, 50, 6, 700],
  [2, 9, 5, 1500],
  [1, 3000, 2, 5000],
];

function indices(shape: readonly number[], n: number, seed: number, dtype: DType = int64): View {
  return new Numbers(seed).view(shape, { dtype, from: 0, to: n });
}

export function indexingCases(): KernelCase[] {
  const cases: KernelCase[] = [];
  for (const [outer, n, inner, m] of SHAPES) {
    const title = `[${[outer, n, inner]}] at ${m}`;
    const full = indices([outer, m, inner], n, 81);
    const line = indices([m], n, 82);
    for (const dtype of [float32, int64, int32, uint8, bool]) {
      const range = { dtype, from: 0, to: dtype === bool ? 2 : 3 };
      const numbers = new Numbers(83);
      const x = numbers.view([outer, n, inner], range);
      const source = numbers.view([outer, m, inner], range);
      const result = () => out([outer, m, inner], dtype);
      const target = () => new Numbers(84).view([outer, n, inner], range);
      const adding = { writes: [0], declined: dtype === bool && m > 0 };
      cases.push(
        kernelCase(`indexSelect of ${dtype.name} ${title}`, "indexSelect", [x, line, result()]),
        kernelCase(`gather of ${dtype.name} ${title}`, "gather", [x, full, result()]),
      );
      if (dtype === bool && m === 0) continue;
      cases.push(
        kernelCase(`indexAdd of ${dtype.name} ${title}`, "indexAdd", [target(), line, source], adding),
        kernelCase(`scatterAdd of ${dtype.name} ${title}`, "scatterAdd", [target(), full, source], adding),
      );
    }
  }
  cases.push(...layouts(), ...limits());
  return cases;
}

function layouts(): KernelCase[] {
  const cases: KernelCase[] = [];
  const x = new Numbers(91).view([4, 30, 5]);
  const source = new Numbers(92).view([4, 400, 5]);
  const full = indices([4, 400, 5], 30, 93);
  const line = indices([400], 30, 94, int32);
  const target = () => new Numbers(95).view([4, 30, 5]);
  for (const layout of ["transposed", "gaps", "shifted"] as const) {
    cases.push(
      kernelCase(`indexSelect from ${layout}`, "indexSelect", [laidOut(x, layout), line, out([4, 400, 5])]),
      kernelCase(`gather at ${layout}`, "gather", [laidOut(x, layout), laidOut(full, layout), out([4, 400, 5])]),
      kernelCase(`indexAdd of ${layout}`, "indexAdd", [target(), line, laidOut(source, layout)], { writes: [0] }),
      kernelCase(`scatterAdd of ${layout}`, "scatterAdd", [target(), laidOut(full, layout), laidOut(source, layout)], {
        writes: [0],
      }),
    );
  }
  const one = { ...new Numbers(96).view([1]), shape: [4, 400, 5], strides: [0, 0, 0] };
  const into = { ...laidOut(target(), "shifted") };
  cases.push(
    kernelCase("indexSelect at every other index", "indexSelect", [
      x,
      { ...line, shape: [200], strides: [2] },
      out([4, 200, 5]),
    ]),
    kernelCase("indexAdd of one number", "indexAdd", [target(), line, one], { writes: [0] }),
    kernelCase("indexAdd to the middle", "indexAdd", [into, line, source], { writes: [0] }),
    kernelCase(
      "scatterAdd along a line",
      "scatterAdd",
      [new Numbers(97).view([1, 100, 1]), indices([1, 9000, 1], 100, 98), new Numbers(99).view([1, 9000, 1])],
      { writes: [0] },
    ),
  );
  return cases;
}

/** What the CPU has to tell, and integers beyond 32 bits. */
function limits(): KernelCase[] {
  const x = new Numbers(101).view([1, 4, 2]);
  const beyond = dense([3], int64, (i) => i + 2);
  const big = dense([1, 4, 1], int64, () => 1_500_000_000);
  const line = dense([4], int64, () => 1);
  return [
    kernelCase("indexSelect beyond the end", "indexSelect", [x, beyond, out([1, 3, 2])], { declined: true }),
    kernelCase("indexAdd beyond the end", "indexAdd", [x, beyond, new Numbers(102).view([1, 3, 2])], {
      writes: [0],
      declined: true,
    }),
    kernelCase("indexAdd beyond 32 bits", "indexAdd", [big, line, dense([1, 4, 1], int64, () => 1_500_000_000)], {
      writes: [0],
      declined: true,
    }),
  ];
}

export function cumulativeCases(): KernelCase[] {
  const cases: KernelCase[] = [];
  const shapes = [
    ...SIZES.map((n) => [1, n, 1]),
    [2, 5, 7],
    [3, 200, 1],
    [1, 130, 40],
    [5000, 3, 1],
    [64, 100, 80],
    [1, 100_000, 1],
  ];
  for (const shape of shapes) {
    for (const op of ["cumsum", "cumprod"] as const) {
      const range = op === "cumsum" ? { from: -0.2, to: 1 } : { from: 0.99, to: 1.01 };
      const x = new Numbers(111).view(shape, range);
      const tolerance = shape[1]! > 1000 ? 1e-5 : 2e-6;
      cases.push(kernelCase(`${op} of [${shape}]`, "cumulative", [op, x, out(shape)], { tolerance }));
    }
    for (const dtype of [int64, int32, uint8]) {
      const x = new Numbers(112).view(shape, { dtype, from: 0, to: 3 });
      cases.push(kernelCase(`cumsum of ${dtype.name} [${shape}]`, "cumulative", ["cumsum", x, out(shape, dtype)]));
    }
  }
  const x = new Numbers(113).view([4, 100, 3]);
  for (const layout of ["transposed", "gaps", "shifted"] as const) {
    cases.push(
      kernelCase(`cumsum of ${layout}`, "cumulative", ["cumsum", laidOut(x, layout), out([4, 100, 3])], {
        tolerance: 2e-6,
      }),
    );
  }
  const wrapping = new Numbers(114).view([2, 100, 2], { dtype: int32, from: -9, to: 9 });
  const wide = dense([1, 9, 1], int64, () => 1_000_000_000);
  cases.push(
    kernelCase("cumprod of int32 to 0", "cumulative", ["cumprod", wrapping, out([2, 100, 2], int32)]),
    kernelCase("cumsum beyond 32 bits", "cumulative", ["cumsum", wide, out([1, 9, 1], int64)], { declined: true }),
  );
  return cases;
}
