/** Training runs: every loss, learning rate and gradient norm, and the state at the end. */
import { expect } from "vitest";
import type { Optimizer } from "../../engine/optim/index.ts";
import * as torch from "../../engine/torch.ts";
import type { StoredTensor, TrainingCase } from "./cases.ts";
import { buildModule, lookUp, operation } from "./names.ts";
import { compareOutput, compareTensor, toTensor, toValue } from "./values.ts";

type Group = { lr: number };
type AnyOptimizer = Optimizer<Group>;
type Scheduler = { step(metric?: torch.Tensor): void };
type Class<T> = new (...args: unknown[]) => T;

const construct = <T>(name: string, args: unknown[], options: Record<string, unknown>): T =>
  new (lookUp(name) as Class<T>)(...args, ...(Object.keys(options).length > 0 ? [options] : []));

const tensors = (stored: Record<string, StoredTensor>) =>
  Object.fromEntries(Object.entries(stored).map(([name, value]) => [name, toTensor(value)]));

/** Rows `step · size` onwards, from the start again after the last; all of them without a size. */
function batchOf(data: torch.Tensor, step: number, size: number | undefined): torch.Tensor {
  if (size === undefined) return data;
  const rows = Array.from({ length: size }, (_, i) => (step * size + i) % data.shape[0]!);
  return data.get(torch.tensor(rows));
}

export function checkTraining(golden: TrainingCase): void {
  const { loop } = golden;
  const { accumulate = 1 } = loop;
  torch.manualSeed(golden.seed);
  const model = buildModule(golden.model, toValue);
  const drawn = golden.data.map(([name, op, args, options]) => {
    const values = toValue(options) as Record<string, unknown>;
    const given = [...args.map((arg) => toValue(arg)), ...(Object.keys(values).length > 0 ? [values] : [])];
    return [name, operation(op)(...given) as torch.Tensor] as const;
  });
  const data: Record<string, torch.Tensor> = Object.fromEntries(drawn);
  // The stored ones are what PyTorch began with; ours may differ from them in the last bit.
  if (golden.initialState) {
    for (const [name, value] of Object.entries(model.stateDict())) {
      compareTensor(value, golden.initialState[name]!, `initial ${name}`);
    }
    model.loadStateDict(tensors(golden.initialState));
  }
  if (golden.dataTensors) Object.assign(data, tensors(golden.dataTensors));
  const loss = buildModule(golden.loss, toValue);
  const parameters = Object.fromEntries(model.namedParameters());
  const params = golden.paramGroups
    ? golden.paramGroups.map(([names, options]) => ({ params: names.map((n) => parameters[n]!), ...options }))
    : model.parameters();
  const [optimizerName, optimizerArgs, optimizerOptions] = golden.optimizer;
  const optimizer = construct<AnyOptimizer>(optimizerName, [params, ...optimizerArgs], optimizerOptions);
  const scheduler = golden.scheduler
    ? construct<Scheduler>(golden.scheduler[0], [optimizer, ...golden.scheduler[1]], golden.scheduler[2])
    : null;
  const isPlateau = golden.scheduler?.[0].endsWith("ReduceLROnPlateau");
  const rates = () => optimizer.paramGroups.map((group) => group.lr);

  const losses: number[] = [];
  const learningRates: number[][] = [];
  const gradNorms: number[] = [];
  for (let step = 0; step < golden.steps; step++) {
    learningRates.push(rates());
    if (loop.zeroGrad !== false && step % accumulate === 0) optimizer.zeroGrad();
    const output = model(batchOf(data.x!, step, loop.batchSize)) as torch.Tensor;
    const value = loss(output, batchOf(data.y!, step, loop.batchSize)) as torch.Tensor;
    losses.push(Number(value.item()));
    (accumulate === 1 ? value : value.div(accumulate)).backward();
    const { clipGradNorm, normType = 2, clipGradValue } = loop;
    if (clipGradNorm !== undefined) {
      gradNorms.push(Number(torch.nn.utils.clipGradNorm_(model.parameters(), clipGradNorm, { normType }).item()));
    }
    if (clipGradValue !== undefined) torch.nn.utils.clipGradValue_(model.parameters(), clipGradValue);
    if ((step + 1) % accumulate !== 0) continue;
    optimizer.step();
    scheduler?.step(isPlateau ? value : undefined);
  }

  compareOutput(losses, golden.losses, "losses");
  if (golden.gradNorms) compareOutput(gradNorms, golden.gradNorms, "gradient norms");
  learningRates.push(rates());
  golden.learningRates.forEach((expected, step) => {
    expected.forEach((rate, group) => {
      const actual = learningRates[step]![group]!;
      const allowed = 1e-12 + 1e-9 * Math.abs(rate);
      expect(Math.abs(actual - rate), `learning rate ${group} in step ${step}: ${actual}, not ${rate}`).toBeLessThan(
        allowed,
      );
    });
  });
  const state = model.stateDict();
  for (const [name, stored] of Object.entries(golden.finalState ?? {})) {
    compareTensor(state[name], stored, `${name} at the end`);
  }
  for (const [name, { sum, norm }] of Object.entries(golden.finalSums)) {
    const values = Array.from(state[name]!.denseData(), Number);
    const found = [values.reduce((a, b) => a + b, 0), Math.sqrt(values.reduce((a, b) => a + b * b, 0))];
    compareOutput(found, [sum, norm], `${name} at the end (sum, norm)`, { atol: 1e-3 });
  }
}
