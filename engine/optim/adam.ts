/** Adam and its kin: steps scaled by running averages of the gradient and its square. */
import { bind } from "../core/arguments.ts";
import type { Tensor } from "../core/tensor.ts";
import { zerosLike } from "../ops/creation.ts";
import type { Algebra, Value } from "../ops/formulas.ts";
import {
  counter,
  countStep,
  type ImplementationOptions,
  Optimizer,
  type ParamGroup,
  type Params,
  requireBetas,
  requireNonNegative,
} from "./optimizer.ts";
import { addcdiv, addcmul, direction, isNearStart, lerp, stepOf } from "./steps.ts";

/** What Adam's whole family understands. */
export interface AdamFamilyOptions extends ImplementationOptions {
  /** Learning rate. Default 1e-3; 2e-3 for NAdam and Adamax. */
  lr: number;
  /** How much of the running averages of gradient and square is kept in each step. Default [0.9, 0.999]. */
  betas: [number, number];
  /** Added to the denominator. Default 1e-8. */
  eps: number;
  /** L2 penalty added to the gradient, or decay of the weights themselves. Default 0; 0.01 for AdamW. */
  weightDecay: number;
  /** Ascends instead of descending. Default false. */
  maximize: boolean;
  /** Accepted, without effect. Default false. */
  capturable: boolean;
}

export interface AdamOptions extends AdamFamilyOptions {
  /** Divides by the largest running average so far. Default false. */
  amsgrad: boolean;
  /** Accepted, without effect. Default null. */
  fused: boolean | null;
  /** Decays the weights apart from the gradient, as AdamW does. Default false; true for AdamW. */
  decoupledWeightDecay: boolean;
}

type Given<O> = { params: Params<O> } & Partial<O>;

const SHARED = { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0 } satisfies Partial<AdamFamilyOptions>;
const PLAIN = { maximize: false, foreach: null, capturable: false, differentiable: false };
const LEADING = ["!params", "lr", "betas", "eps", "weightDecay"];

function checked<O extends AdamFamilyOptions>(options: O): O {
  requireNonNegative("learning rate", options.lr);
  requireNonNegative("epsilon value", options.eps);
  requireBetas(options.betas);
  requireNonNegative("weight_decay value", options.weightDecay, false);
  return options;
}

interface FamilyGroup {
  lr: number;
  betas: readonly [number, number];
  eps: number;
  weightDecay: number;
  maximize: boolean;
  decoupledWeightDecay?: boolean;
}

type FamilyNumber = "weightDecay" | "shrink" | "weight1" | "beta2" | "weight2" | "eps";
type FamilyFlag = "maximize" | "decays" | "decoupled" | "nearStart";

/** What the steps of the whole family are told. */
function family(param: Tensor, group: FamilyGroup) {
  const { lr, betas, eps, weightDecay, maximize, decoupledWeightDecay = false } = group;
  const weight1 = 1 - betas[0];
  return {
    numbers: { weightDecay, shrink: 1 - lr * weightDecay, weight1, beta2: betas[1], weight2: 1 - betas[1], eps },
    flags: {
      maximize,
      decays: weightDecay !== 0,
      decoupled: decoupledWeightDecay,
      nearStart: isNearStart(weight1, param),
    },
  };
}

type Averages = "param" | "grad" | "expAvg" | "expAvgSq";

/** The gradient to follow; a decoupled decay shrinks the parameter at once. */
function decayed(
  m: Algebra<Value>,
  t: Record<"param" | "grad", Value>,
  n: Record<FamilyNumber, Value>,
  { maximize, decays, decoupled }: Readonly<Record<FamilyFlag, boolean>>,
): { param: Value; followed: Value } {
  const param = decays && decoupled ? m.mul(t.param, n.shrink) : t.param;
  return { param, followed: direction(m, t.param, t.grad, maximize, decays && !decoupled ? n.weightDecay : null) };
}

/** Also moves both running averages towards the gradient and its square. */
function averaged(
  m: Algebra<Value>,
  t: Record<Averages, Value>,
  n: Record<FamilyNumber, Value>,
  flags: Readonly<Record<FamilyFlag, boolean>>,
): { param: Value; followed: Value; expAvg: Value; expAvgSq: Value } {
  const { param, followed } = decayed(m, t, n, flags);
  return {
    param,
    followed,
    expAvg: lerp(m, t.expAvg, followed, n.weight1, flags.nearStart),
    expAvgSq: addcmul(m, m.mul(t.expAvgSq, n.beta2), followed, followed, n.weight2),
  };
}

const adamStep = stepOf<Averages | "maxExpAvgSq", FamilyNumber | "correction" | "rate", FamilyFlag | "amsgrad">(
  (m, t, n, flags) => {
    const { param, expAvg, expAvgSq } = averaged(m, t, n, flags);
    const largest = flags.amsgrad ? m.maximum(t.maxExpAvgSq, expAvgSq) : expAvgSq;
    const denominator = m.add(m.div(m.sqrt(largest), n.correction), n.eps);
    return {
      param: addcdiv(m, param, expAvg, denominator, n.rate),
      expAvg,
      expAvgSq,
      ...(flags.amsgrad && { maxExpAvgSq: largest }),
    };
  },
);

const ADAM_KEYWORDS = ["maximize", "foreach", "capturable", "differentiable", "fused"];

/** Adam. https://docs.pytorch.org/docs/2.13/generated/torch.optim.Adam.html */
export class Adam extends Optimizer<AdamOptions> {
  constructor(params: Params<AdamOptions>, options?: Partial<AdamOptions>);
  constructor(...args: unknown[]) {
    const { params, ...options } = bind<Given<AdamOptions>>(
      "Adam.__init__",
      [...LEADING, "amsgrad", "*", ...ADAM_KEYWORDS, "decoupledWeightDecay"],
      args,
    );
    super(
      params,
      checked({ ...SHARED, amsgrad: false, ...PLAIN, fused: null, decoupledWeightDecay: false, ...options }),
    );
  }

  protected override update(param: Tensor, grad: Tensor, group: ParamGroup<AdamOptions>): void {
    const { lr, betas, amsgrad } = group;
    const state = this.remembered(param, () => ({
      step: counter(),
      expAvg: zerosLike(param),
      expAvgSq: zerosLike(param),
      ...(amsgrad && { maxExpAvgSq: zerosLike(param) }),
    }));
    const step = countStep(state.step);
    const { numbers, flags } = family(param, group);
    const { expAvg, expAvgSq } = state;
    let { maxExpAvgSq = null } = state as { maxExpAvgSq?: Tensor | null };
    if (amsgrad && !maxExpAvgSq) {
      maxExpAvgSq = zerosLike(param);
      Object.assign(state, { maxExpAvgSq });
    }
    adamStep(
      { param, grad, expAvg, expAvgSq, maxExpAvgSq: amsgrad ? maxExpAvgSq : null },
      { ...numbers, correction: Math.sqrt(1 - betas[1] ** step), rate: -lr / (1 - betas[0] ** step) },
      { ...flags, amsgrad },
    );
  }
}

/** Adam with weight decay apart from the gradient. https://docs.pytorch.org/docs/2.13/generated/torch.optim.AdamW.html */
export class AdamW extends Adam {
  constructor(params: Params<AdamOptions>, options?: Partial<Omit<AdamOptions, "decoupledWeightDecay">>);
  constructor(...args: unknown[]) {
    const names = [...LEADING, "amsgrad", "*", ...ADAM_KEYWORDS];
    const { params, ...options } = bind<Given<AdamOptions>>("AdamW.__init__", names, args);
    super(params, { weightDecay: 0.01, ...options, decoupledWeightDecay: true });
  }
}

export interface NAdamOptions extends AdamFamilyOptions {
  /** How fast the momentum grows to betas[0]. Default 4e-3. */
  momentumDecay: number;
  /** Decays the weights apart from the gradient. Default false. */
  decoupledWeightDecay: boolean;
}

/** Adam with Nesterov momentum. https://docs.pytorch.org/docs/2.13/generated/torch.optim.NAdam.html */
export class NAdam extends Optimizer<NAdamOptions> {
  constructor(params: Params<NAdamOptions>, options?: Partial<NAdamOptions>);
  constructor(...args: unknown[]) {
    const { params, ...options } = bind<Given<NAdamOptions>>(
      "NAdam.__init__",
      [...LEADING, "momentumDecay", "decoupledWeightDecay", "*", "foreach", "maximize", "capturable", "differentiable"],
      args,
    );
    const own = { momentumDecay: 4e-3, decoupledWeightDecay: false };
    const defaults = checked<NAdamOptions>({ ...SHARED, lr: 2e-3, ...own, ...PLAIN, ...options });
    requireNonNegative("momentum_decay value", defaults.momentumDecay);
    super(params, defaults);
  }

  protected override update(param: Tensor, grad: Tensor, group: ParamGroup<NAdamOptions>): void {
    const { lr, betas, momentumDecay } = group;
    const { expAvg, expAvgSq, muProduct, ...state } = this.remembered(param, () => ({
      step: counter(),
      muProduct: counter(1),
      expAvg: zerosLike(param),
      expAvgSq: zerosLike(param),
    }));
    const step = countStep(state.step);
    const momentumAt = (t: number) => betas[0] * (1 - 0.5 * 0.96 ** (t * momentumDecay));
    const mu = momentumAt(step);
    const next = momentumAt(step + 1);
    muProduct.mul_(mu);
    const product = Number(muProduct.item());
    const { numbers, flags } = family(param, group);
    nadamStep(
      { param, grad, expAvg, expAvgSq },
      {
        ...numbers,
        correction: 1 - betas[1] ** step,
        rate: (-lr * (1 - mu)) / (1 - product),
        averageRate: (-lr * next) / (1 - product * next),
      },
      flags,
    );
  }
}

const nadamStep = stepOf<Averages, FamilyNumber | "correction" | "rate" | "averageRate", FamilyFlag>(
  (m, t, n, flags) => {
    const { param, followed, expAvg, expAvgSq } = averaged(m, t, n, flags);
    const denominator = m.add(m.sqrt(m.div(expAvgSq, n.correction)), n.eps);
    const moved = addcdiv(m, param, followed, denominator, n.rate);
    return { param: addcdiv(m, moved, expAvg, denominator, n.averageRate), expAvg, expAvgSq };
  },
);

export interface RAdamOptions extends AdamFamilyOptions {
  /** Decays the weights apart from the gradient. Default false. */
  decoupledWeightDecay: boolean;
}

/** Adam that begins without its denominator. https://docs.pytorch.org/docs/2.13/generated/torch.optim.RAdam.html */
export class RAdam extends Optimizer<RAdamOptions> {
  constructor(params: Params<RAdamOptions>, options?: Partial<RAdamOptions>);
  constructor(...args: unknown[]) {
    const { params, ...options } = bind<Given<RAdamOptions>>(
      "RAdam.__init__",
      [...LEADING, "decoupledWeightDecay", "*", "foreach", "maximize", "capturable", "differentiable"],
      args,
    );
    const own = {
      maximize: false,
      foreach: null,
      capturable: false,
      decoupledWeightDecay: false,
      differentiable: false,
    };
    super(params, checked<RAdamOptions>({ ...SHARED, ...own, ...options }));
  }

  protected override update(param: Tensor, grad: Tensor, group: ParamGroup<RAdamOptions>): void {
    const { lr, betas } = group;
    const { expAvg, expAvgSq, ...state } = this.remembered(param, () => ({
      step: counter(),
      expAvg: zerosLike(param),
      expAvgSq: zerosLike(param),
    }));
    const step = countStep(state.step);
    const correction = 1 - betas[1] ** step;
    const limit = 2 / (1 - betas[1]) - 1;
    const length = limit - (2 * step * betas[1] ** step) / correction;
    // While too few gradients were seen to trust their variance, the step is plain momentum.
    const rectified = length > 5;
    const factor = Math.sqrt(((length - 4) * (length - 2) * limit) / ((limit - 4) * (limit - 2) * length));
    const { numbers, flags } = family(param, group);
    radamStep(
      { param, grad, expAvg, expAvgSq },
      { ...numbers, bias: 1 - betas[0] ** step, lr, factor, root: Math.sqrt(correction) },
      { ...flags, rectified },
    );
  }
}

type RAdamNumber = FamilyNumber | "bias" | "lr" | "factor" | "root";

const radamStep = stepOf<Averages, RAdamNumber, FamilyFlag | "rectified">((m, t, n, flags) => {
  const { param, expAvg, expAvgSq } = averaged(m, t, n, flags);
  const plain = m.mul(m.div(expAvg, n.bias), n.lr);
  const spread = m.add(m.sqrt(expAvgSq), n.eps);
  const step = flags.rectified ? m.mul(m.mul(plain, m.mul(m.div(1, spread), n.root)), n.factor) : plain;
  return { param: m.sub(param, step), expAvg, expAvgSq };
});

/** Adam by the largest gradient instead of the mean square. https://docs.pytorch.org/docs/2.13/generated/torch.optim.Adamax.html */
export class Adamax extends Optimizer<AdamFamilyOptions> {
  constructor(params: Params<AdamFamilyOptions>, options?: Partial<AdamFamilyOptions>);
  constructor(...args: unknown[]) {
    const { params, ...options } = bind<Given<AdamFamilyOptions>>(
      "Adamax.__init__",
      [...LEADING, "foreach", "*", "maximize", "differentiable", "capturable"],
      args,
    );
    const plain = { foreach: null, maximize: false, differentiable: false, capturable: false };
    super(params, checked<AdamFamilyOptions>({ ...SHARED, lr: 2e-3, ...plain, ...options }));
  }

  protected override update(param: Tensor, grad: Tensor, group: ParamGroup<AdamFamilyOptions>): void {
    const { lr, betas } = group;
    const state = this.remembered(param, () => ({
      step: counter(),
      expAvg: zerosLike(param),
      expInf: zerosLike(param),
    }));
    const step = countStep(state.step);
    const { expAvg, expInf } = state;
    const { numbers, flags } = family(param, group);
    adamaxStep({ param, grad, expAvg, expInf }, { ...numbers, rate: -lr / (1 - betas[0] ** step) }, flags);
  }
}

const adamaxStep = stepOf<"param" | "grad" | "expAvg" | "expInf", FamilyNumber | "rate", FamilyFlag>(
  (m, t, n, flags) => {
    const { param, followed } = decayed(m, t, n, flags);
    const expAvg = lerp(m, t.expAvg, followed, n.weight1, flags.nearStart);
    const expInf = m.maximum(m.mul(t.expInf, n.beta2), m.add(m.abs(followed), n.eps));
    return { param: addcdiv(m, param, expAvg, expInf, n.rate), expAvg, expInf };
  },
);
