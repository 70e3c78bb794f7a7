/**
 * Layers and functions that the golden cases do not call, against what PyTorch 2.13 answers: text, first values, outputs,
 * gradients, node names and errors, of random arguments. oracle.json holds them in the golden cases' notation; modules are
 * built after manual_seed(seed), and the cotangent is 0.25 more than the evenly spaced numbers from -1 to 1.
 */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { initWasm, useBackend } from "../../engine/backends/index.ts";
import { camelCase } from "../../engine/core/arguments.ts";
import * as torch from "../../engine/torch.ts";
import type { Stored, StoredTensor } from "../golden/cases.ts";
import { compareTensor, toTensor, toValue } from "../golden/values.ts";

type Tensor = torch.Tensor;

interface OracleCase {
  title: string;
  name: string;
  functional: boolean;
  args: Stored[];
  options: Record<string, Stored>;
  inputs: StoredTensor[];
  callOptions: Record<string, Stored>;
  /** Inputs without a gradient. */
  constants: number[];
  train: boolean;
  float64: boolean;
  seed: number;
  repr?: string;
  state?: Record<string, StoredTensor>;
  output?: StoredTensor[];
  gradFn?: (string | null)[];
  grads?: (StoredTensor | null)[];
  paramGrads?: Record<string, StoredTensor | null>;
  error?: string;
  type?: string;
}

const { cases } = JSON.parse(readFileSync(new URL("./layers/oracle.json", import.meta.url), "utf8")) as {
  cases: OracleCase[];
};

const given = (options: Record<string, Stored>) => (Object.keys(options).length > 0 ? [toValue(options)] : []);
/** JSON has no infinity. */
const argument = (stored: Stored) => (stored === "Infinity" ? Number.POSITIVE_INFINITY : toValue(stored));

function build({ name, args, options, repr, state, float64, train }: OracleCase): torch.nn.Module {
  const layers = torch.nn as unknown as Record<string, new (...args: unknown[]) => torch.nn.Module>;
  const layer = new layers[name]!(...args.map(argument), ...given(options));
  if (repr !== undefined) expect(String(layer)).toBe(repr);
  const own = layer.stateDict();
  if (state) expect(Object.keys(own)).toEqual(Object.keys(state));
  for (const [key, stored] of Object.entries(state ?? {})) compareTensor(own[key], stored, `first ${key}`);
  return (float64 ? layer.double() : layer).train(train);
}

function run(golden: OracleCase, inputs: Tensor[]): { outputs: Tensor[]; layer: torch.nn.Module | null } {
  torch.manualSeed(golden.seed);
  let layer: torch.nn.Module | null = null;
  let output: unknown;
  if (golden.functional) {
    const functions = torch.nn.functional as unknown as Record<string, (...args: unknown[]) => unknown>;
    output = functions[camelCase(golden.name)]!(...inputs, ...golden.args.map(argument), ...given(golden.options));
  } else {
    layer = build(golden);
    output = layer(...inputs, ...given(golden.callOptions));
  }
  return { outputs: (Array.isArray(output) ? output : [output]) as Tensor[], layer };
}

function weighted(outputs: Tensor[]): Tensor {
  return outputs
    .filter((x) => x.requiresGrad)
    .map((x) => {
      const weights = torch.linspace(-1, 1, x.numel(), { dtype: x.dtype }).reshape(x.shape).add(0.25);
      return x.mul(weights).sum();
    })
    .reduce((total, part) => total.add(part));
}

function check(golden: OracleCase): void {
  const inputs = golden.inputs.map(toTensor);
  inputs.forEach((input, i) => {
    if (input.dtype.isFloatingPoint && !golden.constants.includes(i)) input.requiresGrad = true;
  });
  if (golden.error !== undefined) {
    let thrown: unknown;
    try {
      run(golden, inputs);
    } catch (error) {
      thrown = error;
    }
    expect(thrown, golden.error).toBeInstanceOf(Error);
    const { name, message } = thrown as Error;
    expect(`${name}: ${message.replace(/\nhint: [^\n]*$/, "")}`).toBe(`${golden.type}: ${golden.error}`);
    return;
  }
  const { outputs, layer } = run(golden, inputs);
  golden.output?.forEach((stored, i) => {
    compareTensor(outputs[i], stored, `output ${i}`);
  });
  expect(outputs.map((x) => x.gradFn?.name ?? null)).toEqual(golden.gradFn);
  if (!golden.grads) return;
  weighted(outputs).backward();
  golden.grads.forEach((stored, i) => {
    if (stored) compareTensor(inputs[i]?.grad, stored, `gradient of input ${i}`);
  });
  for (const [name, parameter] of layer?.namedParameters() ?? []) {
    const stored = golden.paramGrads?.[name];
    if (stored) compareTensor(parameter.grad, stored, `gradient of ${name}`);
  }
}

describe.each(["reference", "wasm"] as const)("layers and functions as PyTorch's, on the %s backend", (backend) => {
  beforeAll(async () => {
    if (backend === "wasm") expect(await initWasm(), "npm run build:wasm makes the WebAssembly kernels").not.toBeNull();
    useBackend(backend);
  });

  it.each(cases.map((golden) => [golden.title, golden] as const))("%s", (_, golden) => check(golden));
});
