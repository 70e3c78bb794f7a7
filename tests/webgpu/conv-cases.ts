import { type ConvGeometry, convOutputSize } from "../../engine/core/window.ts";
import { type KernelCase, kernelCase, laidOut, Numbers, out } from "./kernel-cases.ts";

const numbers = new Numbers(11);

/** Height first; [before, after] for padding. */
interface Convolution {
  n?: number;
  c?: number;
  o?: number;
  groups?: number;
  size?: [number, number];
  kernel?: [number, number];
  stride?: [number, number];
  dilation?: [number, number];
  padding?: [[number, number], [number, number]];
}

export function convGeometry({
  n = 2,
  c = 3,
  o = 5,
  groups = 1,
  size = [9, 11],
  kernel = [3, 3],
  stride = [1, 1],
  dilation = [1, 1],
  padding = [
    [0, 0],
    [0, 0],
  ],
}: Convolution): ConvGeometry {
  const along = (axis: 0 | 1) =>
    convOutputSize(size[axis], kernel[axis], stride[axis], padding[axis][0], padding[axis][1], dilation[axis]);
  return {
    ...{ n, c, o, groups, h: size[0], w: size[1], kernelH: kernel[0], kernelW: kernel[1] },
    ...{ strideH: stride[0], strideW: stride[1], dilationH: dilation[0], dilationW: dilation[1] },
    ...{ padTop: padding[0][0], padLeft: padding[1][0], outH: along(0), outW: along(1) },
  };
}

const around = (p: number): [[number, number], [number, number]] => [
  [p, p],
  [p, p],
];

const CONVOLUTIONS: Record<string, Convolution> = {
  plain: {},
  padded: { padding: around(1) },
  "one cell": { kernel: [1, 1] },
  "one cell, strided": { kernel: [1, 1], stride: [2, 3] },
  "one cell, many channels": { n: 3, c: 70, o: 67, kernel: [1, 1] },
  strided: { stride: [2, 2], padding: around(1) },
  "strided farther than the kernel": { stride: [4, 5], kernel: [2, 3] },
  "unequal strides": { stride: [1, 3], kernel: [2, 5], padding: around(2) },
  dilated: { dilation: [2, 3], padding: around(2) },
  "dilated and strided": { dilation: [2, 2], stride: [2, 3], padding: around(3) },
  grouped: { c: 6, o: 4, groups: 2, padding: around(1) },
  "grouped, many channels": { c: 40, o: 80, groups: 2, padding: around(1) },
  "grouped, dilated and strided": { c: 6, o: 9, groups: 3, dilation: [2, 1], stride: [2, 3], padding: around(2) },
  depthwise: { c: 7, o: 7, groups: 7, padding: around(1) },
  "depthwise, two each": { c: 5, o: 10, groups: 5, stride: [2, 2] },
  "unequal padding": {
    padding: [
      [2, 0],
      [0, 1],
    ],
    kernel: [4, 2],
  },
  "a kernel larger than the input": { size: [3, 2], kernel: [7, 5], padding: around(3) },
  "a kernel as large as the input": { size: [5, 5], kernel: [5, 5] },
  "one axis": {
    size: [1, 130],
    kernel: [1, 5],
    padding: [
      [0, 0],
      [2, 2],
    ],
  },
  "one image, one channel": { n: 1, c: 1, o: 1, size: [28, 28], kernel: [5, 5], padding: around(2) },
  "no images": { n: 0 },
  "wider than tiles": { n: 3, c: 3, o: 65, size: [33, 31], padding: around(1) },
  "whole tiles": { n: 4, c: 16, o: 64, size: [16, 16], kernel: [5, 5], padding: around(2) },
  "the chapter's first": { n: 4, c: 3, o: 32, size: [32, 32], kernel: [5, 5], padding: around(2) },
  "the chapter's last": { n: 9, c: 32, o: 64, size: [8, 8], kernel: [5, 5], padding: around(2) },
};

const near = (terms: number) => ({ tolerance: 1e-6 * Math.sqrt(Math.max(terms, 1)) });

export function convCases(): KernelCase[] {
  const cases: KernelCase[] = [];
  for (const [title, convolution] of Object.entries(CONVOLUTIONS)) {
    const g = convGeometry(convolution);
    const cells = (g.c / g.groups) * g.kernelH * g.kernelW;
    const input = numbers.view([g.n, g.c, g.h, g.w]);
    const weight = numbers.view([g.o, g.c / g.groups, g.kernelH, g.kernelW]);
    const grad = numbers.view([g.n, g.o, g.outH, g.outW]);
    const bias = numbers.view([g.o]);
    cases.push(
      kernelCase(`conv: ${title}`, "conv", [input, weight, bias, g, out(grad.shape)], near(cells)),
      kernelCase(`conv without bias: ${title}`, "conv", [input, weight, null, g, out(grad.shape)], near(cells)),
      kernelCase(
        `input gradient: ${title}`,
        "convInputGrad",
        [grad, weight, g, out(input.shape)],
        near((cells * g.o) / g.c),
      ),
      kernelCase(
        `weight gradient: ${title}`,
        "convWeightGrad",
        [input, grad, g, out(weight.shape)],
        near(g.n * g.outH * g.outW),
      ),
    );
    if (title !== "padded") continue;
    for (const layout of ["transposed", "gaps", "shifted"] as const) {
      const [x, w, b, dy] = [input, weight, bias, grad].map((view) => laidOut(view, layout)) as [
        typeof input,
        typeof input,
        typeof input,
        typeof input,
      ];
      const to = (view: typeof input) => laidOut(out(view.shape), "shifted");
      cases.push(
        kernelCase(`conv, ${layout}`, "conv", [x, w, b, g, to(grad)], near(cells)),
        kernelCase(`input gradient, ${layout}`, "convInputGrad", [dy, w, g, to(input)], near(cells)),
        kernelCase(`weight gradient, ${layout}`, "convWeightGrad", [x, dy, g, to(weight)], near(100)),
      );
    }
  }
  return cases;
}
