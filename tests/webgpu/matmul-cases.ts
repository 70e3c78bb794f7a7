import { int32, int64, uint8 } from "../../engine/core/dtype.ts";
import { type KernelCase, kernelCase, laidOut, Numbers, out } from "./kernel-cases.ts";

const numbers = new Numbers(7);

/** Sums of `terms` products, relative to the largest of them. */
const near = (terms: number) => ({ tolerance: 1e-6 * Math.sqrt(Math.max(terms, 1)) });

const SIZES = [0, 1, 3, 10, 63, 127];

export function matmulCases(): KernelCase[] {
  const cases: KernelCase[] = [];
  const product = (title: string, [batch, n, k, m]: readonly [number, number, number, number]) => {
    const [a, b] = [numbers.view([batch, n, k]), numbers.view([batch, k, m])];
    cases.push(kernelCase(`${title} [${batch}, ${n}, ${k}, ${m}]`, "matmul", [a, b, out([batch, n, m])], near(k)));
    return [a, b] as const;
  };
  for (const n of SIZES) product("a square", [1, n, n, n]);
  for (const k of SIZES) product("k alone", [2, 10, k, 17]);
  for (const m of SIZES) product("a row", [1, 1, 64, m]);
  for (const n of SIZES) product("a column", [1, n, 64, 1]);
  product("a long sum", [1, 5, 3000, 7]);
  product("many", [50, 9, 5, 12]);
  product("whole tiles", [2, 128, 64, 192]);
  product("a linear layer", [1, 64, 1024, 64]);
  const [a, b] = product("laid out", [3, 36, 20, 44]);
  for (const layout of ["transposed", "gaps", "shifted"] as const) {
    cases.push(kernelCase(`a ${layout}`, "matmul", [laidOut(a, layout), b, out([3, 36, 44])], near(20)));
    cases.push(kernelCase(`b ${layout}`, "matmul", [a, laidOut(b, layout), out([3, 36, 44])], near(20)));
    cases.push(kernelCase(`out ${layout}`, "matmul", [a, b, laidOut(out([3, 36, 44]), "shifted")], near(20)));
  }
  const turned = (view: typeof a) => {
    const [batch, n, k] = view.shape as [number, number, number];
    return { ...view, shape: [batch, k, n], strides: [n * k, 1, k] };
  };
  cases.push(kernelCase("a turned", "matmul", [turned(numbers.view([3, 20, 36])), b, out([3, 36, 44])], near(20)));
  cases.push(kernelCase("b turned", "matmul", [a, turned(numbers.view([3, 44, 20])), out([3, 36, 44])], near(20)));
  cases.push(kernelCase("one b for all", "matmul", [a, { ...b, strides: [0, 44, 1] }, out([3, 36, 44])], near(20)));
  cases.push(kernelCase("one row", "matmul", [{ ...a, strides: [20, 0, 1] }, b, out([3, 36, 44])], near(20)));
  for (const dtype of [int64, int32, uint8]) {
    for (const n of SIZES) {
      const [from, to] = dtype === uint8 ? [0, 256] : dtype === int32 ? [-(2 ** 31), 2 ** 31] : [-100, 100];
      const [x, y] = [numbers.view([2, n, 33], { dtype, from, to }), numbers.view([2, 33, n], { dtype, from, to })];
      cases.push(kernelCase(`${dtype.name} of ${n}`, "matmul", [x, y, out([2, n, n], dtype)]));
    }
  }
  const large = { dtype: int64, from: 2 ** 20, to: 2 ** 21 };
  const args = [numbers.view([1, 4, 5], large), numbers.view([1, 5, 6], large), out([1, 4, 6], int64)] as const;
  cases.push(kernelCase("int64 beyond 32 bits", "matmul", [...args], { declined: true }));
  return cases;
}
