/** How the cases of each group are run and checked. A check throws where the engine's answer is not PyTorch's. */
import { expect } from "vitest";
import { Size } from "../../engine/core/size.ts";
import { Tensor } from "../../engine/core/tensor.ts";
import { DataLoader, type DataLoaderOptions, randomSplit } from "../../engine/data/index.ts";
import type { Module } from "../../engine/nn/index.ts";
import * as torch from "../../engine/torch.ts";
import type {
  CallCase,
  Case,
  Description,
  Group,
  Groups,
  ModuleCase,
  RandomCall,
  RandomCase,
  ReprModuleCase,
  ReprTensorCase,
  Stored,
  StoredTensor,
} from "./cases.ts";
import { buildModule, operation } from "./names.ts";
import { PROGRAMS } from "./programs.ts";
import { checkTraining } from "./training.ts";
import { compareOutput, compareTensor, inputDevice, referenced, toTensor, toValue, weightedSum } from "./values.ts";

/** Positional arguments: the inputs that nothing refers to, then args; options last, if there are any. */
export function callArguments(
  inputs: readonly unknown[],
  args: readonly Stored[],
  options: Record<string, Stored>,
): unknown[] {
  const used = referenced([args, options]);
  const positional = inputs.filter((_, i) => !used.has(i));
  const named = toValue(options, inputs) as Record<string, unknown>;
  const rest = args.map((arg) => toValue(arg, inputs));
  return [...positional, ...rest, ...(Object.keys(named).length > 0 ? [named] : [])];
}

/** Runs an operation; a tuple of indices is spread where the engine takes them one by one. */
function runOperation(
  name: string,
  inputs: readonly unknown[],
  args: readonly Stored[],
  options: Record<string, Stored>,
) {
  const given = callArguments(inputs, args, options);
  if (name === "torch.Tensor.__getitem__" && Array.isArray(given[1])) given.splice(1, 1, ...given[1]);
  return operation(name)(...given);
}

function toInputs(stored: readonly Stored[], wantsGrad: (i: number) => boolean): unknown[] {
  return stored.map((item, i) => {
    const value = toValue(item);
    if (value instanceof Tensor && value.dtype.isFloatingPoint && wantsGrad(i)) value.requiresGrad = true;
    return value;
  });
}

function checkCall(golden: CallCase): void {
  const { grads = [] } = golden;
  const inputs = toInputs(golden.inputs, (i) => (grads[i] ?? null) !== null);
  const run = () => runOperation(golden.op, inputs, golden.args, golden.options);
  if (golden.error !== undefined) {
    checkError(run, golden);
    return;
  }
  const output = run();
  compareOutput(output, golden.output!);
  for (const [i, after] of Object.entries(golden.inputsAfter ?? {})) {
    compareTensor(inputs[Number(i)], after, `input ${i} afterwards`);
  }
  weightedSum(output, golden.cotangent)?.backward();
  grads.forEach((grad, i) => {
    if (grad) compareTensor((inputs[i] as Tensor).grad, grad, `gradient of input ${i}`);
  });
}

function loadState(module: Module, state: Record<string, StoredTensor>): void {
  module.loadStateDict(Object.fromEntries(Object.entries(state).map(([name, stored]) => [name, toTensor(stored)])));
}

const INPUT_SOURCES: Record<string, () => Tensor> = {
  "torch.ones(2, 3, 32, 32)": () => torch.ones(2, 3, 32, 32),
  "torch.linspace(-1, 1, 3072).reshape(-1, 3, 32, 32)": () => torch.linspace(-1, 1, 3072).reshape(-1, 3, 32, 32),
};

function checkModule(golden: ModuleCase): void {
  if (golden.seed !== undefined) torch.manualSeed(golden.seed);
  const module = buildModule([golden.module, golden.args, golden.options], toValue);
  if (golden.state) loadState(module, golden.state);
  if (golden.stateSummary) checkSummaries(module.stateDict(), golden.stateSummary, "state");
  const device = inputDevice();
  if (device) module.to(device);
  module.train(golden.train);
  const inputs = golden.inputSource
    ? [INPUT_SOURCES[golden.inputSource]!()]
    : toInputs(golden.inputs!, (i) => (golden.inputGrads?.[i] ?? null) !== null);
  const output: unknown = module(...callArguments(inputs, [], golden.callOptions));
  compareOutput(output, golden.output!);
  weightedSum(output, golden.cotangent)?.backward();
  const gradients = Object.fromEntries([...module.namedParameters()].map(([name, p]) => [name, p.grad]));
  for (const [name, grad] of Object.entries(golden.paramGrads ?? {})) {
    if (grad) compareTensor(gradients[name], grad, `gradient of ${name}`);
  }
  if (golden.paramGradSummary) checkSummaries(gradients, golden.paramGradSummary, "gradient");
  golden.inputGrads?.forEach((grad, i) => {
    if (grad) compareTensor((inputs[i] as Tensor).grad, grad, `gradient of input ${i}`);
  });
  const after = module.stateDict();
  for (const [name, stored] of Object.entries(golden.stateAfter ?? {})) {
    compareTensor(after[name], stored, `${name} afterwards`);
  }
}

function checkSummaries(
  tensors: Record<string, Tensor | null>,
  summaries: NonNullable<ModuleCase["stateSummary"]>,
  what: string,
): void {
  for (const [name, { shape, sum, norm }] of Object.entries(summaries)) {
    const tensor = tensors[name];
    expect([...tensor!.shape], `${what} of ${name}`).toEqual(shape);
    const data = tensor!.denseData() as Float32Array;
    compareOutput(
      [data.reduce((a, b) => a + b, 0), Math.sqrt(data.reduce((a, b) => a + b * b, 0))],
      [sum, norm],
      `${what} of ${name} (sum, norm)`,
      { atol: 1e-3 },
    );
  }
}

function checkTensorText(golden: ReprTensorCase): void {
  if (golden.size) {
    expect(String(Size.fromShape(golden.size))).toBe(golden.repr);
    return;
  }
  const tensor = golden.build ? buildTensor(golden.build) : golden.op ? firstResult(golden) : toTensor(golden.tensor!);
  if (golden.requiresGrad && !tensor.requiresGrad) tensor.requiresGrad = true;
  expect(String(tensor)).toBe(golden.repr);
  if (golden.gradFn !== undefined) expect(tensor.gradFn?.name).toBe(golden.gradFn);
}

function buildTensor(steps: readonly Description[]): Tensor {
  let result: unknown;
  for (const [name, args, options] of steps) {
    result = runOperation(name, name.startsWith("torch.Tensor.") ? [result] : [], args, options);
  }
  return result as Tensor;
}

function firstResult({ op, inputs, args, options }: Case): Tensor {
  const result = runOperation(
    op!,
    toInputs(inputs!, () => true),
    args!,
    options!,
  );
  return result instanceof Tensor ? result : (result as Tensor[])[0]!;
}

function checkModuleText({ spec, ...golden }: ReprModuleCase): void {
  const module = buildModule(spec, toValue);
  expect(String(module)).toBe(golden.repr);
  expect([...module.namedParameters()].map(([name, p]) => [name, [...p.shape]])).toEqual(golden.namedParameters);
  expect([...module.namedModules()].map(([name]) => name)).toEqual(golden.namedModules);
  expect(Object.keys(module.stateDict())).toEqual(golden.stateDictKeys);
  const count = [...module.parameters()].reduce((sum, p) => sum + p.numel(), 0);
  expect(count).toBe(golden.parameterCount);
}

function checkRandom(golden: RandomCase): void {
  if (golden.seed !== null) torch.manualSeed(golden.seed);
  if (golden.kind === "calls") for (const call of golden.calls!) checkRandomCall(call);
  else if (golden.kind === "DataLoader") checkLoader(golden);
  else {
    const dataset = Array.from({ length: golden.n! }, (_, i) => i);
    const parts = randomSplit(dataset, golden.lengths!);
    expect(parts.map((part) => Array.from({ length: part.length }, (_, i) => part.get(i)))).toEqual(golden.indices);
  }
  if (golden.randAfter) compareTensor(torch.rand(2), golden.randAfter, "the next random numbers", { exact: true });
}

function checkRandomCall({ op, module, inputs = [], args, options, output, state, exact, atol }: RandomCall): void {
  if (module) {
    const built = buildModule([module, args!, options!], toValue).stateDict();
    for (const [name, stored] of Object.entries(state!)) compareTensor(built[name], stored, name, { exact, atol });
    return;
  }
  const tensors = toInputs(inputs, () => false);
  compareOutput(runOperation(op!, tensors, args!, options!), output!, op!, { exact, atol });
}

function checkLoader({ n, options, generatorSeed, epochs }: RandomCase): void {
  const dataset = Array.from({ length: n! }, (_, i) => i);
  const generator = generatorSeed === undefined ? null : new torch.Generator().manualSeed(generatorSeed);
  const loader = new DataLoader(dataset, { ...(options as DataLoaderOptions<number>), generator });
  const passes = epochs!.map(() => Array.from(loader as Iterable<Tensor>, (batch) => batch.tolist()));
  expect(passes).toEqual(epochs);
}

/** The engine's own advice follows the message on a line of its own. */
function withoutHint(message: string): string {
  return message.replace(/\nhint: [^\n]*$/, "");
}

function checkError(run: () => unknown, { error, type }: Case): void {
  let thrown: unknown;
  try {
    run();
  } catch (caught) {
    thrown = caught;
  }
  if (!(thrown instanceof Error)) expect.fail(`nothing was thrown; PyTorch raises ${type}: ${error}`);
  expect(withoutHint(thrown.message)).toBe(error);
  expect(thrown.name).toBe(type);
}

function checkErrorCase(golden: Case): void {
  if (golden.op) checkCall(golden as CallCase);
  else if (golden.module) checkError(() => useModule(golden), golden);
  else {
    const program = PROGRAMS[golden.python!];
    if (!program) expect.fail("this program has not been translated: add it to programs.ts");
    checkError(program, golden);
  }
}

/** Builds a module and, where there are inputs, calls it. */
function useModule({ module, args, options, inputs }: Case): void {
  const built = buildModule([module!, args!, options!], toValue);
  if (inputs!.length > 0) built(...toInputs(inputs!, () => false));
}

const CHECKS: { [G in Group]: (golden: Groups[G]) => void } = {
  ops: checkCall,
  functional: checkCall,
  more_functional: checkCall,
  modules: checkModule,
  repr_tensor: checkTensorText,
  repr_module: checkModuleText,
  rng: checkRandom,
  training: checkTraining,
  errors: checkErrorCase,
};

/** Runs one case on the backend that is chosen. */
export function check<G extends Group>(group: G, golden: Groups[G]): void {
  CHECKS[group](golden);
}
