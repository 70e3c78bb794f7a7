import { bool, type DType, float32, float64, int32, int64, uint8 } from "../../engine/core/dtype.ts";
import { dense, type KernelCase, kernelCase, laidOut, Numbers, out, SIZES } from "./kernel-cases.ts";

const DTYPES = [float32, int64, int32, uint8, bool];

/** Numbers where conversions differ. */
const FLOATS = [
  0,
  -0,
  0.5,
  -0.5,
  1.7,
  -1.7,
  255,
  256,
  257.9,
  -1,
  -300.2,
  2147483000,
  2147483648,
  -2147483648,
  -3e9,
  4e9,
  1e20,
  NaN,
  Infinity,
  -Infinity,
  1e-40,
  3,
];

function sample(dtype: DType, n: number) {
  const numbers = new Numbers(n + 1);
  return dense([n], dtype, (i) => {
    if (dtype.isFloatingPoint) return FLOATS[i % FLOATS.length]!;
    return dtype === bool ? numbers.whole(0, 2) : dtype === uint8 ? numbers.whole(0, 256) : numbers.whole(-1000, 1000);
  });
}

export function copyCases(): KernelCase[] {
  const numbers = new Numbers();
  const cases: KernelCase[] = [];
  for (const n of [...SIZES, 70_000, 300_001]) {
    cases.push(kernelCase(`copy of ${n}`, "copy", [numbers.view([n]), out([n])]));
  }
  const matrix = numbers.view([7, 13]);
  for (const layout of ["transposed", "gaps", "shifted"] as const) {
    cases.push(kernelCase(`copy from ${layout}`, "copy", [laidOut(matrix, layout), out([7, 13])]));
    cases.push(kernelCase(`copy to ${layout}`, "copy", [matrix, laidOut(out([7, 13]), layout)]));
  }
  const every = dense([4, 3, 2], matrix.dtype, (i) => i);
  cases.push(kernelCase("copy of a repeated row", "copy", [{ ...every, strides: [0, 2, 1] }, out([4, 3, 2])]));
  const cube = numbers.view([2, 3, 2, 3, 2, 3, 2, 3]);
  cases.push(kernelCase("copy of eight axes", "copy", [laidOut(cube, "transposed"), out(cube.shape)]));
  const nine = numbers.view([2, 3, 2, 3, 2, 3, 2, 3, 2]);
  cases.push(
    kernelCase("copy of nine axes", "copy", [laidOut(nine, "transposed"), out(nine.shape)], { declined: true }),
  );
  cases.push(kernelCase("copy of one number", "copy", [{ ...matrix, strides: [0, 0], offset: 5 }, out([7, 13])]));
  cases.push(...conversions(), ...withinOneMemory(), ...fills());
  return cases;
}

function conversions(): KernelCase[] {
  const cases: KernelCase[] = [];
  for (const from of DTYPES) {
    for (const to of DTYPES) {
      const declined = from === float32 && to === int64;
      for (const n of [3, 63, 1000]) {
        const title = `copy of ${n} ${from.name} to ${to.name}`;
        cases.push(kernelCase(title, "copy", [sample(from, n), out([n], to)], { declined }));
      }
      const columns = { ...sample(from, 60), shape: [4, 5], strides: [2, 11], offset: 3 };
      const title = `copy of strided ${from.name} to ${to.name}`;
      cases.push(kernelCase(title, "copy", [columns, laidOut(out([4, 5], to), "gaps")], { declined }));
      const one = { ...sample(from, 10), shape: [4, 5], strides: [0, 0], offset: 4 };
      const scalar = `copy of one ${from.name} of the CPU to ${to.name}`;
      cases.push(kernelCase(scalar, "copy", [one, out([4, 5], to)], { declined, onCpu: [0] }));
    }
  }
  const half = dense([1], float64, () => 0.1);
  cases.push(kernelCase("copy of a double of the CPU", "copy", [half, out([1])], { onCpu: [0] }));
  cases.push(kernelCase("copy of doubles", "copy", [half, out([1])], { declined: true }));
  const large = dense([1], int64, () => 2 ** 40);
  cases.push(
    kernelCase("copy of a large integer of the CPU", "copy", [large, out([1], int64)], { onCpu: [0], declined: true }),
  );
  return cases;
}

function withinOneMemory(): KernelCase[] {
  const whole = new Numbers(3).view([100]);
  const part = (offset: number) => ({ ...whole, shape: [40], strides: [1], offset });
  return [
    kernelCase("copy within one memory", "copy", [part(0), part(60)]),
    kernelCase("copy onto itself", "copy", [part(8), part(8)]),
    kernelCase("copy onto itself, shifted", "copy", [part(7), part(7)]),
  ];
}

function fills(): KernelCase[] {
  const cases: KernelCase[] = [];
  for (const n of SIZES) cases.push(kernelCase(`fill of ${n}`, "fill", [out([n]), 2.5], { writes: [0] }));
  for (const value of [-0, NaN, -Infinity, 1e300, 1e-3]) {
    cases.push(kernelCase(`fill with ${value}`, "fill", [out([10]), value], { writes: [0] }));
  }
  for (const dtype of [int64, int32, uint8, bool]) {
    for (const value of [0, 1, -3, 300]) {
      cases.push(kernelCase(`fill ${dtype.name} with ${value}`, "fill", [out([70], dtype, 0), value], { writes: [0] }));
    }
  }
  cases.push(kernelCase("fill with 2^31", "fill", [out([3], int64), 2 ** 31], { writes: [0], declined: true }));
  const gaps = laidOut(out([7, 13]), "gaps");
  cases.push(kernelCase("fill with gaps", "fill", [gaps, -1], { writes: [0] }));
  return cases;
}
