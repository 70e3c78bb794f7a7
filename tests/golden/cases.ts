/** The golden files as they lie beside this one; README.md explains their format. */
import { readFileSync } from "node:fs";
import type { DTypeName } from "../../engine/core/dtype.ts";

export type Scalar = number | boolean | string | null;

/** A tensor in a golden file. Long ones keep their ends and their sum. */
export interface StoredTensor {
  shape: number[];
  dtype: DTypeName;
  data: Scalar[];
  first?: Scalar[];
  last?: Scalar[];
  sum?: number;
}

/** A number, a tensor, `{dtype}`, `{input}`, or a list or dictionary of these. */
export type Stored =
  | Scalar
  | StoredTensor
  | { dtype: DTypeName }
  | { input: number }
  | Stored[]
  | { [key: string]: Stored };

/** `[name, args, options]`; a list or dictionary inside may hold descriptions again. */
export type Description = [name: string, args: Stored[], options: Record<string, Stored>];

export interface Case {
  python?: string;
  source?: string;
  op?: string | null;
  module?: string;
  inputs?: Stored[];
  args?: Stored[];
  options?: Record<string, Stored>;
  output?: Stored;
  error?: string;
  type?: string;
}

export interface CallCase extends Case {
  op: string;
  inputs: Stored[];
  args: Stored[];
  options: Record<string, Stored>;
  cotangent?: Stored;
  grads?: (StoredTensor | null)[];
  inputsAfter?: Record<string, StoredTensor>;
}

export interface Summary {
  shape: number[];
  sum: number;
  norm: number;
}

export interface ModuleCase extends Case {
  module: string;
  args: Stored[];
  options: Record<string, Stored>;
  train: boolean;
  callOptions: Record<string, Stored>;
  cotangent: Stored;
  state?: Record<string, StoredTensor>;
  stateAfter?: Record<string, StoredTensor>;
  paramGrads?: Record<string, StoredTensor | null>;
  inputGrads?: (StoredTensor | null)[];
  seed?: number;
  stateSummary?: Record<string, Summary>;
  inputSource?: string;
  paramGradSummary?: Record<string, Summary>;
}

export interface ReprTensorCase extends Case {
  source: string;
  repr: string;
  requiresGrad?: boolean;
  tensor?: StoredTensor;
  build?: Description[];
  gradFn?: string;
  size?: number[];
}

export interface ReprModuleCase extends Case {
  source: string;
  spec: Description;
  repr: string;
  namedParameters: [string, number[]][];
  namedModules: string[];
  stateDictKeys: string[];
  parameterCount: number;
}

export interface RandomCall extends Case {
  state?: Record<string, StoredTensor>;
  exact: boolean;
  atol?: number;
}

export interface RandomCase extends Case {
  kind: "calls" | "DataLoader" | "random_split";
  seed: number | null;
  generatorSeed?: number;
  calls?: RandomCall[];
  n?: number;
  options?: Record<string, Stored>;
  lengths?: number[];
  indices?: number[][];
  epochs?: number[][][];
  randAfter?: StoredTensor;
}

export interface TrainingCase extends Case {
  seed: number;
  model: Description;
  data: [name: string, op: string, args: Stored[], options: Record<string, Stored>][];
  loss: Description;
  optimizer: Description;
  scheduler?: Description | null;
  paramGroups?: [names: string[], options: Record<string, Stored>][];
  loop: {
    batchSize?: number;
    accumulate?: number;
    zeroGrad?: boolean;
    clipGradNorm?: number;
    normType?: number;
    clipGradValue?: number;
  };
  steps: number;
  dataTensors?: Record<string, StoredTensor>;
  initialState?: Record<string, StoredTensor>;
  losses: number[];
  learningRates: number[][];
  gradNorms?: number[];
  runningLoss: number;
  finalState?: Record<string, StoredTensor>;
  finalSums: Record<string, Omit<Summary, "shape">>;
}

export interface Groups {
  ops: CallCase;
  functional: CallCase;
  more_functional: CallCase;
  modules: ModuleCase;
  repr_tensor: ReprTensorCase;
  repr_module: ReprModuleCase;
  rng: RandomCase;
  training: TrainingCase;
  errors: Case;
}

export type Group = keyof Groups;

export const GROUPS: readonly Group[] = [
  "ops",
  "functional",
  "more_functional",
  "modules",
  "repr_tensor",
  "repr_module",
  "rng",
  "training",
  "errors",
];

export function load<G extends Group>(group: G): Groups[G][] {
  const text = readFileSync(new URL(`./${group}.json`, import.meta.url), "utf8");
  return (JSON.parse(text) as { cases: Groups[G][] }).cases;
}

/** A name for a case that stays when others come and go. */
export function titleOf(golden: Case): string {
  const random = golden as Partial<RandomCase>;
  const line = golden.python ?? golden.source;
  if (random.kind === undefined) return line!;
  const seed = random.generatorSeed === undefined ? `seed ${random.seed}` : `generator seed ${random.generatorSeed}`;
  if (random.kind === "calls") return `${line} after ${seed}`;
  const details = random.kind === "DataLoader" ? JSON.stringify(random.options) : JSON.stringify(random.lengths);
  return `${random.kind} of ${random.n} ${details} with ${seed}`;
}
