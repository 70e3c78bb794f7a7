/** Filling and copying, with PyTorch's conversions between dtypes. */
import type { DType } from "../../core/dtype.ts";
import type { Attempts, View } from "../backend.ts";
import { elementwise, limitOf, MOST_INT32, wordOf } from "./elementwise.ts";
import type { Runtime } from "./runtime.ts";

/** Elements that 32 bits hold. */
export const isNarrow = ({ name }: DType): boolean => name !== "float64";

/** The largest integer of a dtype, by absolute value. */
export function mostOf({ name }: DType): number {
  if (name === "bool") return 1;
  if (name === "uint8") return 255;
  return name === "int32" ? MOST_INT32 + 1 : Number.POSITIVE_INFINITY;
}

/** A WGSL expression of dtype `from` as `to` holds it. */
export function converted(value: string, from: DType, to: DType): string {
  if (from === to || from.name === "bool") return wordOf(to) === "f32" && from !== to ? `f32(${value})` : value;
  if (from.name === "float32") {
    if (to.name === "bool" || to.name === "int32" || to.name === "uint8") return `to_${to.name}(${value})`;
    return value;
  }
  if (to.name === "float32") return `f32(${value})`;
  if (to.name === "bool") return `select(0, 1, ${value} != 0)`;
  return to.name === "uint8" ? `(${value}) & 255` : value;
}

export function copyKernels(runtime: Runtime): Attempts {
  return {
    fill(out, value) {
      const word = wordOf(out.dtype);
      const isBool = out.dtype.name === "bool";
      if (!out.memory || !isNarrow(out.dtype)) return false;
      if (out.dtype.name === "int64" && !(Math.abs(value) <= MOST_INT32)) return false;
      let stored = word === "f32" ? value : isBool ? Number(value !== 0) : value | 0;
      if (out.dtype.name === "uint8") stored &= 255;
      const number = {
        data: word === "f32" ? new Float32Array([stored]) : new Int32Array([stored]),
        shape: out.shape,
        strides: out.shape.map(() => 0),
        offset: 0,
        dtype: out.dtype,
      };
      return move(runtime, number, out);
    },
    copy(x, out) {
      if (!isNarrow(out.dtype) || !out.memory) return false;
      if (x.dtype === out.dtype) {
        return move(runtime, x, out);
      }
      // A float may be any number; a double is one only where it comes from the CPU.
      if (x.dtype.category === "floating" && out.dtype.name === "int64") return false;
      if (!isNarrow(x.dtype) && (x.memory || out.dtype.name !== "float32")) return false;
      return elementwise(runtime, {
        key: `copy ${x.dtype.name} to ${out.dtype.name}`,
        body: () => `return Results(${isNarrow(x.dtype) ? converted("a0", x.dtype, out.dtype) : "a0"});`,
        inputs: [x],
        inputWords: [isNarrow(x.dtype) ? wordOf(x.dtype) : "f32"],
        outs: [out],
        outWords: [wordOf(out.dtype)],
        limit: Math.min(x.dtype.category === "floating" ? MOST_INT32 + 1 : limitOf(x), mostOf(out.dtype)),
      });
    },
  };
}

/** Words as they are: a NaN keeps its bits. */
function move(runtime: Runtime, x: View, out: View): boolean {
  return elementwise(runtime, {
    key: "move",
    body: () => "return Results(a0);",
    inputs: [x],
    inputWords: ["u32"],
    outs: [out],
    outWords: ["u32"],
    limit: limitOf(x),
  });
}
