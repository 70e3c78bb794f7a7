/**
 * Optimizers and schedules beyond the golden cases: random options, groups with options of their own, gradients that are
 * missing, and a save and reload half way. recorded/optim.json holds what PyTorch made of the same programs.
 */
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DTYPES, type DTypeName } from "../../engine/core/dtype.ts";
import { setWarningSink } from "../../engine/core/warnings.ts";
import type { SGDOptions } from "../../engine/optim/index.ts";
import * as torch from "../../engine/torch.ts";

const { nn, optim } = torch;
const { lrScheduler } = optim;

interface StoredTensor {
  shape: number[];
  dtype: DTypeName;
  data: number[];
}

interface OptimizerProgram {
  name: string;
  options: Record<string, unknown>;
  dtype: "float32" | "float64";
  values: number[][];
  groups: { params: number[]; options: Record<string, unknown> }[] | null;
  steps: { action: "" | "reload" | "add"; grads: (number[] | null)[] }[];
  params: number[][];
  state: Record<string, Record<string, StoredTensor | null>>;
  paramGroups: Record<string, unknown>[];
  text: string;
}

interface SchedulerProgram {
  name: string;
  options: Record<string, unknown>;
  optimizer: "SGD" | "Adam";
  lrs: number[];
  parts?: [name: string, options: Record<string, unknown>][];
  milestones?: number[];
  reloads: number[];
  epochs: Record<string, number>;
  metrics?: number[];
  rates: number[][];
  momenta?: number[];
}

interface LbfgsProgram {
  options: Record<string, unknown>;
  start: number[];
  rosenbrock: boolean;
  steps: number[][];
  evaluations: number;
  iterations: number;
  names: string[];
}

const recorded = JSON.parse(readFileSync(new URL("./recorded/optim.json", import.meta.url), "utf8")) as {
  optimizers: OptimizerProgram[];
  schedulers: SchedulerProgram[];
  lbfgs: LbfgsProgram[];
};

const SHAPES = [[3, 2], [4], []];

/** A class of a namespace by its name. */
function construct<T>(namespace: object, name: string, ...args: unknown[]): T {
  return new (Reflect.get(namespace, name) as new (...given: unknown[]) => T)(...args);
}

function expectClose(actual: ArrayLike<number>, expected: readonly number[], relative: number, what: string): void {
  expect(actual.length, what).toBe(expected.length);
  expected.forEach((wanted, i) => {
    const allowed = relative * Math.max(1, Math.abs(wanted));
    expect(Math.abs(actual[i]! - wanted), `${what}: ${actual[i]}, not ${wanted}`).toBeLessThanOrEqual(allowed);
  });
}

const parameter = (values: number[], shape = [values.length]) =>
  torch.tensor(values, { dtype: torch.float32 }).reshape(shape).requiresGrad_();

/** One parameter with a gradient, for what is not about numbers. */
function withGrad(): torch.Tensor {
  const p = parameter([1, 2]);
  p.grad = torch.ones(2);
  return p;
}

let warnings: string[];

beforeEach(() => {
  warnings = [];
  setWarningSink((text) => warnings.push(text));
});

afterEach(() => setWarningSink(null));

describe("optimizers follow PyTorch, saved and resumed, with groups of their own", () => {
  const titled = recorded.optimizers.map((p, i) => [`${p.name} ${JSON.stringify(p.options)} (${i})`, p] as const);
  it.each(titled)("%s", (_, { name, options, dtype, values, groups, steps, ...expected }) => {
    const params = values.map((v, i) => torch.tensor(v, { dtype: DTYPES[dtype] }).reshape(SHAPES[i]!).requiresGrad_());
    const make = () =>
      construct<torch.optim.Optimizer>(
        optim,
        name,
        groups
          ? groups.map((group) => ({ params: group.params.map((i) => params[i]!), ...group.options }))
          : params.slice(0, 2),
        options,
      );
    let optimizer = make();
    let added = false;
    for (const { action, grads } of steps) {
      if (action === "add" && !added) {
        optimizer.addParamGroup({ params: [params[2]!], lr: 0.05 });
        added = true;
      }
      if (action === "reload") {
        const fresh = make();
        if (added) fresh.addParamGroup({ params: [params[2]!] });
        fresh.loadStateDict(optimizer.stateDict());
        optimizer = fresh;
      }
      params.forEach((p, i) => {
        const grad = grads[i];
        p.grad = grad ? torch.tensor(grad, { dtype: p.dtype }).reshape(p.shape) : null;
      });
      optimizer.step();
    }
    const relative = dtype === "float32" ? 1e-5 : 1e-9;
    params.forEach((p, i) => {
      expectClose(p.denseData(), expected.params[i]!, relative, `parameter ${i}`);
    });
    const { state, paramGroups } = optimizer.stateDict();
    expect(Object.keys(state)).toEqual(Object.keys(expected.state));
    for (const [index, stored] of Object.entries(expected.state)) {
      const found = state[Number(index)]!;
      expect(Object.keys(found)).toEqual(Object.keys(stored));
      for (const [key, value] of Object.entries(stored)) {
        if (value === null) {
          expect(found[key]).toBeNull();
          continue;
        }
        const tensor = found[key] as torch.Tensor;
        expect([[...tensor.shape], tensor.dtype.name], key).toEqual([value.shape, value.dtype]);
        expectClose(tensor.denseData(), value.data, relative, `${key} of parameter ${index}`);
      }
    }
    expect(paramGroups).toEqual(expected.paramGroups);
    expect(paramGroups.map((group) => Object.keys(group))).toEqual(expected.paramGroups.map((g) => Object.keys(g)));
    expect(String(optimizer)).toBe(expected.text);
  });
});

describe("LBFGS follows PyTorch, with and without a line search", () => {
  it.each(recorded.lbfgs.map((p) => [JSON.stringify(p.options), p] as const))("%s", (_, program) => {
    const x = torch.tensor(program.start, { dtype: torch.float64, requiresGrad: true });
    const b = torch.tensor([0.5], { dtype: torch.float64, requiresGrad: true });
    const objective = () => {
      const [u, v] = [x.get(0), x.get(1)];
      if (!program.rosenbrock)
        return x
          .mul(torch.tensor([1, 3], { dtype: x.dtype }))
          .sub(b)
          .pow(2)
          .sum();
      return u
        .sub(1)
        .pow(2)
        .add(v.sub(u.mul(u)).pow(2).mul(10))
        .add(b.pow(2).sum());
    };
    let optimizer = new optim.LBFGS([x, b], program.options);
    program.steps.forEach((expected, i) => {
      const loss = optimizer.step(() => {
        optimizer.zeroGrad();
        const value = objective();
        value.backward();
        return value;
      });
      expectClose([loss!.item(), ...x.denseData(), ...b.denseData()], expected, 1e-7, `step ${i}`);
      if (i > 0) return;
      const resumed = new optim.LBFGS([x, b], program.options);
      resumed.loadStateDict(optimizer.stateDict());
      optimizer = resumed;
    });
    const memory = optimizer.stateDict().state[0]!;
    expect([memory.funcEvals, memory.nIter]).toEqual([program.evaluations, program.iterations]);
    expect(Object.keys(memory).sort()).toEqual(program.names);
  });
});

type AnyScheduler = {
  step(value?: number): void;
  getLastLr(): number[];
  stateDict(): Record<string, unknown>;
  loadStateDict(state: Record<string, unknown>): void;
};

describe("schedules follow PyTorch for thirty steps, saved and resumed", () => {
  const titled = recorded.schedulers.map(
    (p, i) => [`${p.name} ${JSON.stringify(p.parts ?? p.options)} (${i})`, p] as const,
  );
  it.each(titled)("%s", (_, program) => {
    const build = () => {
      const groups = program.lrs.map((lr) => ({ params: [parameter([1])], lr }));
      const optimizer = program.optimizer === "SGD" ? new optim.SGD(groups, { momentum: 0.9 }) : new optim.Adam(groups);
      const members = program.parts?.map(([part, options]) => construct(lrScheduler, part, optimizer, options));
      const scheduler =
        program.name === "SequentialLR"
          ? construct<AnyScheduler>(lrScheduler, program.name, optimizer, members, program.milestones)
          : construct<AnyScheduler>(lrScheduler, program.name, ...(members ? [members] : [optimizer, program.options]));
      return { optimizer, scheduler };
    };
    let { optimizer, scheduler } = build();
    const check = (at: number) => {
      expectClose(scheduler.getLastLr(), program.rates[at]!, 1e-9, `rates after ${at} steps`);
      const rates = optimizer.paramGroups.map((group) => group.lr);
      expectClose(rates, program.rates[at]!, 1e-9, `groups after ${at} steps`);
      if (!program.momenta) return;
      const [group] = optimizer.paramGroups as { momentum?: number; betas?: [number, number] }[];
      expectClose([group!.momentum ?? group!.betas![0]], [program.momenta[at]!], 1e-9, `momentum after ${at} steps`);
    };
    check(0);
    for (let step = 0; step < program.rates.length - 1; step++) {
      optimizer.step();
      const value = program.metrics?.[step] ?? program.epochs[step];
      if (value === undefined) scheduler.step();
      else scheduler.step(value);
      if (program.reloads.includes(step)) {
        const states = [optimizer.stateDict(), scheduler.stateDict()] as const;
        ({ optimizer, scheduler } = build());
        optimizer.loadStateDict(states[0]);
        scheduler.loadStateDict(states[1]);
      }
      check(step + 1);
    }
  });

  it("are warned of that step before the optimizer, or jump to an epoch", () => {
    const optimizer = new optim.SGD([parameter([1])], { lr: 0.1 });
    const scheduler = new lrScheduler.StepLR(optimizer, 2);
    scheduler.step();
    expect(warnings.join()).toBe(
      "UserWarning: Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch 1.1.0 and later, you should call them in the opposite order: `optimizer.step()` before `lr_scheduler.step()`.  Failure to do this will result in PyTorch skipping the first value of the learning rate schedule. See more details at https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate",
    );
    optimizer.step();
    scheduler.step();
    expect(warnings.length).toBe(1);
    scheduler.step(6);
    expect(warnings.at(-1)).toContain("The epoch parameter in `scheduler.step()` was not necessary");
  });

  it("by a plateau want one smallest rate a group when groups are added", () => {
    const plateau = (minLr: number | number[]) => {
      const optimizer = new optim.SGD([parameter([1])], { lr: 0.1 });
      const scheduler = new lrScheduler.ReduceLROnPlateau(optimizer, { patience: 0, minLr });
      optimizer.addParamGroup({ params: [parameter([2])], lr: 0.2 });
      scheduler.step(1);
      scheduler.step(2);
      return scheduler.getLastLr();
    };
    expectClose(plateau(0.015), [0.015, 0.02], 1e-12, "one for all");
    expect(() => plateau([0.01])).toThrow(
      "The number of param groups in the `optimizer` (2) differs from when `ReduceLROnPlateau` was initialized (1)",
    );
  });
});

describe("wrong options are told in PyTorch's words", () => {
  const p = () => [parameter([1, 2])];
  const sgd = (options: Partial<SGDOptions> = {}) => new optim.SGD(p(), options);
  const shared = parameter([1]);
  it.each<[string, () => unknown]>([
    ["Invalid learning rate: -0.5", () => sgd({ lr: -0.5 })],
    ["Invalid momentum value: -0.1", () => sgd({ momentum: -0.1 })],
    ["Invalid weight_decay value: -1", () => sgd({ weightDecay: -1 })],
    ["Nesterov momentum requires a momentum and zero dampening", () => sgd({ nesterov: true })],
    ["optimizer got an empty parameter list", () => new optim.Adam([])],
    ["can't optimize a non-leaf Tensor", () => new optim.Adam([shared.mul(2)])],
    ["optimizer can only optimize Tensors, but one of the params is int", () => new optim.Adam([1] as never)],
    [
      "some parameters appear in more than one parameter group",
      () => new optim.Adam([{ params: [shared] }, { params: [shared] }]),
    ],
    [
      "param_group must be a dict, but got <class 'torch.Tensor'>",
      () => new optim.Adam([{ params: [shared] }, shared] as never),
    ],
    ["param_group must be a dict, but got <class 'list'>", () => sgd().addParamGroup([shared] as never)],
    [
      "optimizer parameters need to be organized in ordered collections",
      () => new optim.Adam([{ params: new Set([shared]) }]),
    ],
    [
      "all optimizer params should be with/without names. Some param names are missing",
      () => new optim.Adam([["w", shared], ...p()] as never),
    ],
    [
      "all optimizer param groups should be with/without names. cannot add param group without names to the optimizer",
      () => new optim.Adam([["w", shared]]).addParamGroup({ params: p() }),
    ],
    ["Invalid beta parameter at index 1: -0.1", () => new optim.Adam(p(), { betas: [0.9, -0.1] })],
    ["Invalid momentum_decay value: -0.5", () => new optim.NAdam(p(), { momentumDecay: -0.5 })],
    ["Invalid lr_decay value: -0.5", () => new optim.Adagrad(p(), { lrDecay: -0.5 })],
    ["Invalid rho value: 1.5", () => new optim.Adadelta(p(), { rho: 1.5 })],
    ["Invalid eta values: 1.5, 0.9", () => new optim.Rprop(p(), { etas: [1.5, 0.9] })],
    ["Invalid learning rate: -1", () => new optim.LBFGS(p(), { lr: -1 })],
    [
      "LBFGS doesn't support per-parameter options (parameter groups)",
      () => new optim.LBFGS([{ params: p() }, { params: p() }]),
    ],
    ["LBFGS.step() missing 1 required positional argument: 'closure'", () => new optim.LBFGS(p()).step()],
    [
      "loaded state dict has a different number of parameter groups",
      () => sgd().loadStateDict(new optim.SGD([{ params: p() }, { params: p() }]).stateDict()),
    ],
    [
      "loaded state dict contains a parameter group that doesn't match the size of optimizer's group",
      () => sgd().loadStateDict(new optim.SGD([...p(), ...p()]).stateDict()),
    ],
    ["int is not an Optimizer", () => new lrScheduler.StepLR(3 as never, 2)],
    [
      "param 'initial_lr' is not specified in param_groups[0] when resuming scheduler with last_epoch >= 0.\nThis typically happens when:",
      () => new lrScheduler.StepLR(sgd(), 2, { lastEpoch: 3 }),
    ],
    ["optimizer must support momentum or beta1", () => new lrScheduler.CyclicLR(new optim.Adagrad(p()), 0.1, 0.2)],
    [
      "got scheduler StepLR at index 0 has SGD (\nParameter Group 0\n",
      () => new lrScheduler.SequentialLR(sgd(), [new lrScheduler.StepLR(sgd(), 2)], []),
    ],
    ["'int' object has no attribute 'optimizer'", () => new lrScheduler.ChainedScheduler([3 as never])],
  ])("%s", (message, run) => {
    expect(run).toThrow(message);
  });

  it("and one parameter twice in a group is warned of", () => {
    new optim.SGD([shared, shared]);
    expect(warnings.join()).toContain("optimizer contains a parameter group with duplicate parameters");
  });
});

describe("hooks", () => {
  it("see every step, may give it another closure, and are taken away again", () => {
    const optimizer = new optim.SGD([withGrad()], { lr: 0.1 });
    const seen: string[] = [];
    const before = optimizer.registerStepPreHook((self, args) => {
      seen.push(`before ${self === optimizer} ${args.length}`);
      return [() => torch.tensor(7)];
    });
    const after = optimizer.registerStepPostHook((_, args) => {
      seen.push(`after ${args.length}`);
    });
    expect(optimizer.step()!.item()).toBe(7);
    before.remove();
    expect(optimizer.step()).toBeNull();
    after.remove();
    optimizer.step();
    expect(seen).toEqual(["before true 0", "after 1", "after 0"]);
  });

  it("see state dicts as they are made and loaded, in the order that prepend asks for", () => {
    const optimizer = new optim.SGD([withGrad()], { lr: 0.1 });
    const seen: string[] = [];
    optimizer.registerStateDictPreHook(() => {
      seen.push("second");
    });
    optimizer.registerStateDictPreHook(
      () => {
        seen.push("first");
      },
      { prepend: true },
    );
    optimizer.registerStateDictPostHook((_, stateDict) => ({ ...stateDict, state: { 0: {} } }));
    optimizer.registerLoadStateDictPreHook((_, stateDict) => {
      const paramGroups = stateDict.paramGroups.map((group) => ({ ...group, lr: 0.5 }));
      return { ...stateDict, paramGroups };
    });
    optimizer.registerLoadStateDictPostHook(() => {
      seen.push("loaded");
    });
    const saved = optimizer.stateDict();
    expect(saved.state).toEqual({ 0: {} });
    optimizer.loadStateDict(saved);
    expect(seen).toEqual(["first", "second", "loaded"]);
    expect(optimizer.paramGroups[0]!.lr).toBe(0.5);
  });
});

it("parameters may come with names, which the groups and state dicts keep", () => {
  const model = new nn.Linear(2, 1);
  const optimizer = new optim.SGD(model.namedParameters());
  expect(optimizer.paramGroups[0]!.paramNames).toEqual(["weight", "bias"]);
  expect(optimizer.stateDict().paramGroups[0]).toMatchObject({ params: [0, 1], paramNames: ["weight", "bias"] });
});

describe("gradients are clipped to", () => {
  it.each([
    [2, 5.830951690673828, 1.028991460800171],
    [1, 12, 0.4999999701976776],
    [Number.POSITIVE_INFINITY, 4, 1.4999996423721313],
    [3, 4.762203216552734, 1.2599207162857056],
    [0.5, 57.160831451416016, 0.10496698319911957],
    [-1, 0.3870967626571655, 3],
    [0, 2, 2.9999985694885254],
  ])("a norm of order %s", (normType, norm, first) => {
    const params = [parameter([0, 0]), parameter([0, 0, 0])];
    params[0]!.grad = torch.tensor([3, -4], { dtype: torch.float32 });
    params[1]!.grad = torch.tensor([1, 2, -2], { dtype: torch.float32 });
    expectClose([nn.utils.clipGradNorm_(params, 2, { normType }).item()], [norm], 1e-6, "norm before");
    expectClose([params[0]!.grad.get(0).item()], [first], 1e-6, "first gradient after");
  });
});
