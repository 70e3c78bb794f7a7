/**
 * Every operation on both backends, forward and backward, in sizes on both sides of what the fast kernels take and in
 * layouts that they decline. An operation that no call reaches fails here: add one to calls.ts.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KernelName } from "../../../engine/backends/backend.ts";
import { initWasm, useBackend, wasmVariant } from "../../../engine/backends/index.ts";
import { compileWasm, createWasmBackend } from "../../../engine/backends/wasm/index.ts";
import { operations } from "../../../engine/ops/registry.ts";
import "../../../engine/public.ts";
import * as torch from "../../../engine/torch.ts";
import { CALLS, type Call, Inputs, LAYOUTS, type Layout } from "./calls.ts";

const SIZES = [0, 1, 3, 10, 63, 127];

/** Operations that have run. */
const ran = new Set<string>();

beforeAll(async () => {
  expect(await initWasm(), "npm run build:wasm makes the WebAssembly kernels").not.toBeNull();
  for (const [name, op] of operations()) {
    const forward = op.forward.bind(op);
    op.forward = (...args) => {
      ran.add(name);
      return forward(...args);
    };
  }
});

afterAll(() => useBackend("reference"));

interface Outcome {
  tensors: torch.Tensor[];
  error: string | null;
}

/** The result of a call and the gradients of all its inputs, or what it threw. */
function outcome(call: Call, n: number, layout: Layout, dtype: torch.DType): Outcome {
  const make = new Inputs(n, layout, dtype);
  torch.manualSeed(0);
  try {
    const result = call(make);
    const outputs = [result].flat().flatMap((r) => (r instanceof torch.Tensor ? [r] : tensorsIn(r)));
    const scalars = outputs.filter((y) => y.requiresGrad).map((y) => y.mul(weightsFor(y)).sum());
    if (scalars.length > 0) scalars.reduce((a, b) => a.add(b)).backward();
    return { tensors: [...outputs, ...make.leaves.flatMap((leaf) => leaf.grad ?? [])], error: null };
  } catch (error) {
    return { tensors: [], error: `${(error as Error).name}: ${(error as Error).message}` };
  }
}

/** The tensors of a result with several, such as values and indices. */
function tensorsIn(result: unknown): torch.Tensor[] {
  if (typeof result !== "object" || result === null || !(Symbol.iterator in result)) return [];
  return [...(result as Iterable<unknown>)].filter((part) => part instanceof torch.Tensor);
}

/** Every element counts differently, so that a gradient in a wrong place shows. */
function weightsFor(y: torch.Tensor): torch.Tensor {
  return torch.arange(y.numel(), { dtype: y.dtype }).mul(0.7).sin().add(0.2).reshape(y.shape);
}

function compare(actual: Outcome, expected: Outcome, what: string, exact: boolean): void {
  expect(actual.error, what).toBe(expected.error);
  expect(actual.tensors.length, what).toBe(expected.tensors.length);
  expected.tensors.forEach((wanted, k) => {
    const found = actual.tensors[k]!;
    expect([[...found.shape], found.dtype.name], what).toEqual([[...wanted.shape], wanted.dtype.name]);
    const [a, b] = [found.denseData(), wanted.denseData()];
    if (exact || !wanted.dtype.isFloatingPoint) {
      expect(a, what).toEqual(b);
      return;
    }
    // Sums of float32 are taken in another order: the error is of the size of the largest numbers that were summed.
    let scale = 1;
    for (const v of b) if (Number.isFinite(v)) scale = Math.max(scale, Math.abs(v));
    for (let i = 0; i < b.length; i++) {
      if (Object.is(a[i], b[i]) || a[i] === b[i]) continue;
      const distance = Math.abs(a[i]! - b[i]!);
      if (!(distance <= 1e-5 * scale)) expect.fail(`${what}: tensor ${k}, element ${i} is ${a[i]}, not ${b[i]}`);
    }
  });
}

function both(call: Call, n: number, layout: Layout, dtype: torch.DType): [wasm: Outcome, reference: Outcome] {
  useBackend("reference");
  const reference = outcome(call, n, layout, dtype);
  useBackend("wasm");
  return [outcome(call, n, layout, dtype), reference];
}

describe("both backends give the same", () => {
  it.each(Object.entries(CALLS))("%s", (name, call) => {
    let answered = 0;
    for (const n of SIZES) {
      // Of the large ones two are enough: what the fast kernels take as it lies, and what they decline.
      for (const layout of n > 10 ? LAYOUTS.slice(0, 2) : LAYOUTS) {
        const [wasm, reference] = both(call, n, layout, torch.float32);
        compare(wasm, reference, `${name} for n = ${n}, ${layout}`, false);
        if (!wasm.error) answered++;
      }
    }
    const [wasm, reference] = both(call, 10, "dense", torch.float64);
    compare(wasm, reference, `${name} in float64`, true);
    // A call that always throws compares nothing.
    expect(answered).toBeGreaterThanOrEqual(8);
  });
});

it("every operation that the fast kernels may serve is reached by a call", async () => {
  const served = new Set<KernelName>(
    Object.keys(createWasmBackend(await compileWasm(wasmVariant()!)).kernels) as KernelName[],
  );
  const missing = [...operations().values()]
    .filter((op) => op.kernels.some((kernel) => served.has(kernel)) && !ran.has(op.name))
    .map((op) => op.name);
  expect(missing.join()).toBe("");
});
