import type { View } from "../../engine/backends/backend.ts";
import { float64 } from "../../engine/core/dtype.ts";
import { dense, type KernelCase, kernelCase, laidOut, Numbers, out } from "./kernel-cases.ts";

const CLOSE = 4e-6;

export function softmaxCases(): KernelCase[] {
  const cases: KernelCase[] = [];
  const numbers = new Numbers(121);
  for (const shape of [
    [1, 1, 1],
    [64, 10, 1],
    [3, 63, 1],
    [2, 1000, 1],
    [4, 7, 9],
    [2, 127, 33],
    [1, 5000, 1],
  ]) {
    for (const log of [false, true]) {
      const name = `${log ? "logarithm of softmax" : "softmax"} of [${shape}]`;
      const x = numbers.view(shape, { from: -9, to: 9 });
      const y = numbers.view(shape, log ? { from: -5, to: 0 } : { from: 0, to: 1 });
      const grad = numbers.view(shape, { from: 0, to: 1 });
      cases.push(
        kernelCase(name, "softmax", [log, x, out(shape)], { tolerance: CLOSE }),
        kernelCase(`gradient of ${name}`, "softmaxGrad", [log, y, grad, out(shape)], { tolerance: CLOSE }),
      );
    }
  }
  const special = [
    1,
    2,
    NaN,
    0,
    -Infinity,
    -Infinity,
    -Infinity,
    -Infinity,
    -Infinity,
    3,
    -2,
    1,
    1e38,
    1,
    2,
    3,
    90,
    800,
    -900,
    1,
  ];
  for (const log of [false, true]) {
    const x = { ...dense([20], numbers.view([1]).dtype, (i) => special[i]!), shape: [5, 4, 1], strides: [4, 1, 1] };
    cases.push(
      kernelCase(`softmax of special numbers, ${log}`, "softmax", [log, x, out([5, 4, 1])], { relative: CLOSE }),
    );
  }
  cases.push(
    kernelCase("softmax of doubles", "softmax", [false, dense([1, 2, 1], float64, () => 1), out([1, 2, 1], float64)], {
      declined: true,
    }),
  );
  return cases;
}

/** A factor for each position of some axes of [outer, groups, runs, inner]. */
function factor(shape: readonly number[], axes: readonly number[], seed: number): View {
  const own = axes.map((axis) => shape[axis]!);
  const view = new Numbers(seed).view(own, { from: 0.5, to: 2 });
  const strides = shape.map((_, axis) => (axes.includes(axis) ? view.strides[axes.indexOf(axis)]! : 0));
  return { ...view, shape, strides };
}

/** Shapes as layers have them, and the axes that weight and bias have. */
const LAYERS: readonly [shape: number[], axes: number[]][] = [
  [[1, 6, 4, 5], [1]],
  [[1, 3, 16, 100], [1]],
  [[40, 1, 1, 12], [3]],
  [
    [4, 3, 2, 50],
    [1, 2],
  ],
  [[2, 4, 1, 1000], [1]],
];

export function normalizeCases(): KernelCase[] {
  const cases: KernelCase[] = [];
  for (const [shape, axes] of LAYERS) {
    const groups = shape.slice(0, 2);
    const numbers = new Numbers(131);
    const x = numbers.view(shape, { from: 3, to: 9 });
    const grad = numbers.view(shape, { from: 0, to: 1 });
    const stats = (): [View, View] => [
      new Numbers(132).view(groups, { from: 5, to: 7 }),
      new Numbers(133).view(groups, { from: 1, to: 4 }),
    ];
    const [weight, bias] = [factor(shape, axes, 134), factor(shape, axes, 135)];
    cases.push(
      kernelCase(`moments of [${shape}]`, "moments", [x, 19, out(groups), out(groups)], {
        writes: [2, 3],
        tolerance: CLOSE,
      }),
    );
    for (const given of [false, true]) {
      for (const affine of [true, false]) {
        const [w, b] = affine ? [weight, bias] : [null, null];
        const title = `of [${shape}], statistics ${given ? "given" : "found"}, ${affine ? "with" : "without"} factors`;
        const close = { tolerance: 2e-5 };
        cases.push(
          kernelCase(`normalisation ${title}`, "normalize", [x, w, b, 1e-5, given, out(shape), ...stats()], {
            ...close,
            writes: [5, 6, 7],
          }),
          kernelCase(
            `gradients of normalisation ${title}`,
            "normalizeGrad",
            [
              grad,
              x,
              ...stats(),
              w,
              1e-5,
              given,
              out(shape),
              affine ? factor(shape, axes, 136) : null,
              affine ? factor(shape, axes, 137) : null,
            ],
            { ...close, writes: [7, 8, 9] },
          ),
        );
      }
    }
  }
  const x = new Numbers(138).view([1, 6, 4, 5]);
  const stats: [View, View] = [out([1, 6]), out([1, 6])];
  cases.push(
    kernelCase(
      "normalisation of a transpose",
      "normalize",
      [laidOut(x, "transposed"), null, null, 1e-5, false, laidOut(out([1, 6, 4, 5]), "transposed"), ...stats],
      { tolerance: 2e-5, writes: [5, 6, 7] },
    ),
  );
  return cases;
}
