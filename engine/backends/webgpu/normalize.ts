/** Softmax, moments and normalisation with their gradients: reductions, and what is done element by element with them. */
import type { DType } from "../../core/dtype.ts";
import { numel } from "../../core/shape.ts";
import type { Attempts, View } from "../backend.ts";
import { isDense, sizeOf } from "../reference/strided.ts";
import { elementwise } from "./elementwise.ts";
import { ELEMENT_BYTES, type Memory } from "./memory.ts";
import { reduce } from "./reduce.ts";
import type { Runtime } from "./runtime.ts";
import { permuted, viewOf } from "./strided.ts";

export function normalizeKernels(runtime: Runtime): Attempts {
  const served = (views: readonly (View | null)[], work: (scratch: Scratch) => void): boolean => {
    if (views.some((view) => view && (!view.memory || view.dtype.name !== "float32" || sizeOf(view) === 0)))
      return false;
    const dtype = views.find((view) => view !== null)!.dtype;
    const scratch = new Scratch(runtime, dtype);
    work(scratch);
    scratch.free();
    return true;
  };
  return {
    softmax(log, x, out) {
      if (x.memory === out.memory) return false;
      return served([x, out], (s) => softmax(s, log, x, out));
    },
    softmaxGrad(log, y, gradOut, gradInput) {
      if (y.memory === gradInput.memory || gradOut.memory === gradInput.memory) return false;
      return served([y, gradOut, gradInput], (s) => softmaxGrad(s, log, y, gradOut, gradInput));
    },
    moments(x, divisor, mean, variance) {
      return served([x, mean, variance], (s) => s.moments(x, divisor, mean, variance));
    },
    normalize(x, weight, bias, eps, given, out, mean, variance) {
      return served([x, weight, bias, out, mean, variance], (s) => {
        if (!given) s.moments(x, x.shape[2]! * x.shape[3]!, mean, variance);
        const [m, v] = [perGroup(mean, x), perGroup(variance, x)];
        const factor = weight ? " * a3" : "";
        const summand = bias ? ` + a${weight ? 4 : 3}` : "";
        const inputs = [x, m, v, ...[weight, bias].filter((view) => view !== null)];
        s.run(`return Results(${NORMAL("number(0u)", "a0", "a1", "a2")}${factor}${summand});`, inputs, out, [eps]);
      });
    },
    normalizeGrad(gradOut, x, mean, variance, weight, eps, given, gradInput, gradWeight, gradBias) {
      const views = [gradOut, x, mean, variance, weight, gradInput, gradWeight, gradBias];
      const isRight = [gradWeight, gradBias].every((view) => view === null || alongAffine(view) !== null);
      if (!isRight || views.some((view) => view && view !== gradOut && view.memory === gradOut.memory)) return false;
      if (gradInput && gradInput.memory === x.memory) return false;
      return served(views, (s) => {
        const given_ = [gradOut, x, perGroup(mean, x), perGroup(variance, x)];
        const normal = NORMAL("number(0u)", "a1", "a2", "a3");
        if (gradBias) sumInto(s, gradOut, gradBias);
        if (gradWeight) {
          const product = s.make(x.shape);
          s.run(`return Results(a0 * (${normal}));`, given_, product, [eps]);
          sumInto(s, product, gradWeight);
        }
        if (gradInput) inputGrad(s, given_, weight, eps, given, gradInput);
      });
    },
  };
}

/** (x - mean) / √(variance + eps) */
const NORMAL = (eps: string, x: string, mean: string, variance: string): string =>
  `(${x} - ${mean}) * rsqrt_(${variance} + ${eps})`;

/** Views for what lies between, freed together. */
class Scratch {
  readonly #runtime: Runtime;
  /** The engine's float32, which this module has no other way to: it is bundled by itself. */
  readonly #dtype: DType;
  readonly #memories: Memory[] = [];

  constructor(runtime: Runtime, dtype: DType) {
    this.#runtime = runtime;
    this.#dtype = dtype;
  }

  make(shape: readonly number[]): View {
    const memory = this.#runtime.allocate(numel(shape) * ELEMENT_BYTES);
    this.#memories.push(memory);
    return viewOf({ data: new Float32Array(0), memory, shape, strides: [], offset: 0, dtype: this.#dtype }, shape);
  }

  free(): void {
    for (const memory of this.#memories) this.#runtime.free(memory);
  }

  run(body: string, inputs: readonly View[], out: View, numbers: readonly number[] = []): void {
    const done = elementwise(this.#runtime, {
      key: body,
      body: () => body,
      inputs,
      inputWords: inputs.map(() => "f32"),
      outs: [out],
      outWords: ["f32"],
      numbers,
    });
    if (!done) throw new Error("an operand of a composed kernel is none of the GPU's");
  }

  /** Over the axes that out lacks, which are the last. */
  reduce(op: "sum" | "sum_squares" | "amax", x: View, out: View): void {
    if (!reduce(this.#runtime, op, x, out)) throw new Error("a part of a composed kernel was declined");
  }

  moments(x: View, divisor: number, mean: View, variance: View): void {
    const kept = mean.shape.length;
    const count = numel(x.shape.slice(kept));
    const sums = this.make(mean.shape);
    this.reduce("sum", x, sums);
    this.run("return Results(div_(a0, number(0u)));", [sums], mean, [count]);
    const centred = this.make(x.shape);
    const strides = [...mean.strides, ...x.shape.slice(kept).map(() => 0)];
    this.run("return Results(a0 - a1);", [x, viewOf(mean, x.shape, strides)], centred);
    this.reduce("sum_squares", centred, sums);
    this.run("return Results(div_(a0, number(0u)));", [sums], variance, [divisor]);
  }
}

/** The columns of [outer, n, inner] as rows. */
const columns = (x: View): View => permuted(x, [0, 2, 1]);

/** A number for each column, seen along it. */
function perColumn(number: View, { shape }: View): View {
  return viewOf(number, shape, [shape[2]!, 0, 1]);
}

function softmax(s: Scratch, log: boolean, x: View, out: View): void {
  const [outer, , inner] = x.shape as [number, number, number];
  const top = s.make([outer, inner]);
  s.reduce("amax", columns(x), top);
  const shift = perColumn(top, x);
  s.run("return Results(exp_(a0 - a1));", [x, shift], out);
  const total = s.make([outer, inner]);
  s.reduce("sum", columns(out), total);
  const sums = perColumn(total, x);
  if (log) s.run("return Results((a0 - a1) - log_(a2));", [x, shift, sums], out);
  else s.run("return Results(div_(a0, a1));", [out, sums], out);
}

function softmaxGrad(s: Scratch, log: boolean, y: View, gradOut: View, gradInput: View): void {
  const [outer, , inner] = y.shape as [number, number, number];
  const total = s.make([outer, inner]);
  const sums = perColumn(total, y);
  if (log) {
    s.reduce("sum", columns(gradOut), total);
    s.run("return Results(a0 - exp_(a1) * a2);", [gradOut, y, sums], gradInput);
  } else {
    s.run("return Results(a0 * a1);", [gradOut, y], gradInput);
    s.reduce("sum", columns(gradInput), total);
    s.run("return Results(a1 * (a0 - a2));", [gradOut, y, sums], gradInput);
  }
}

/** A number for each group of [outer, groups, runs, inner], seen all over it. */
function perGroup(number: View, { shape }: View): View {
  return viewOf(number, shape, [...number.strides, 0, 0]);
}

function inputGrad(
  s: Scratch,
  given: readonly View[],
  weight: View | null,
  eps: number,
  fixed: boolean,
  gradInput: View,
): void {
  const { shape } = gradInput;
  const inputs = weight ? [...given, weight] : given;
  const grad = weight ? "a0 * a4" : "a0";
  // Statistics that are given do not depend on the input.
  if (fixed) {
    s.run(`return Results(rsqrt_(a3 + number(0u)) * (${grad}));`, inputs, gradInput, [eps]);
    return;
  }
  const groups = shape.slice(0, 2);
  const [sum, along] = [s.make(groups), s.make(groups)];
  const product = s.make(shape);
  const normal = NORMAL("number(0u)", "a1", "a2", "a3");
  s.run(`return Results(${grad});`, inputs, product);
  s.reduce("sum", product, sum);
  s.run(`return Results((${grad}) * (${normal}));`, inputs, product, [eps]);
  s.reduce("sum", product, along);
  const [a, b] = weight ? ["a5", "a6"] : ["a4", "a5"];
  const inside = `(${grad}) - ${a} * number(1u) - (${normal}) * (${b} * number(1u))`;
  const numbers = [eps, 1 / (shape[2]! * shape[3]!)];
  const all = [...inputs, perGroup(sum, gradInput), perGroup(along, gradInput)];
  s.run(`return Results(rsqrt_(a3 + number(0u)) * (${inside}));`, all, gradInput, numbers);
}

/** The axes along which a factor changes, as they lie in its memory, and the others; null where they lie with gaps. */
function alongAffine(affine: View): { kept: number[]; reduced: number[] } | null {
  const axes = affine.shape.map((_, axis) => axis);
  const repeats = (axis: number): boolean => affine.strides[axis] === 0 || affine.shape[axis] === 1;
  const kept = axes.filter((axis) => !repeats(axis)).sort((a, b) => affine.strides[b]! - affine.strides[a]!);
  return isDense(permuted(affine, kept)) ? { kept, reduced: axes.filter(repeats) } : null;
}

/** Sums what falls on one number of a factor. */
function sumInto(s: Scratch, x: View, affine: View): void {
  const axes = alongAffine(affine);
  if (!axes) throw new Error("a factor lies with gaps");
  s.reduce("sum", permuted(x, [...axes.kept, ...axes.reduced]), permuted(affine, axes.kept));
}
