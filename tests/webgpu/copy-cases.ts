import { dense, type KernelCase, kernelCase, laidOut, Numbers, out } from "./kernel-cases.ts";

const numbers = new Numbers();

export function copyCases(): KernelCase[] {
  const cases: KernelCase[] = [];
  for (const n of [0, 1, 3, 10, 63, 127, 70_000]) {
    cases.push(kernelCase(`copy of ${n}`, "copy", [numbers.view([n]), out([n])]));
  }
  const matrix = numbers.view([7, 13]);
  for (const layout of ["transposed", "gaps", "shifted"] as const) {
    cases.push(kernelCase(`copy from ${layout}`, "copy", [laidOut(matrix, layout), out([7, 13])]));
    cases.push(kernelCase(`copy to ${layout}`, "copy", [matrix, laidOut(out([7, 13]), layout)]));
  }
  const every = dense([4, 3, 2], matrix.dtype, (i) => i);
  cases.push(kernelCase("copy of a repeated row", "copy", [{ ...every, strides: [0, 2, 1] }, out([4, 3, 2])]));
  return cases;
}
