/** Optimizers that give each weight a step size of its own. */
import { bind } from "../core/arguments.ts";
import { ValueError } from "../core/errors.ts";
import { floatRepr } from "../core/number_text.ts";
import type { Tensor } from "../core/tensor.ts";
import { fullLike, zerosLike } from "../ops/creation.ts";
import {
  counter,
  countStep,
  type ImplementationOptions,
  Optimizer,
  type ParamGroup,
  type Params,
  requireNonNegative,
} from "./optimizer.ts";
import { addcdiv, addcmul, direction, isNearStart, lerp, stepOf } from "./steps.ts";

type Given<O> = { params: Params<O> } & Partial<O>;

interface AdaptiveOptions extends ImplementationOptions {
  /** Learning rate. Default 0.01; 1 for Adadelta. */
  lr: number;
  /** Added to the denominator. Default 1e-8; 1e-10 for Adagrad, 1e-6 for Adadelta. */
  eps: number;
  /** L2 penalty added to the gradient. Default 0. */
  weightDecay: number;
  /** Ascends instead of descending. Default false. */
  maximize: boolean;
}

/** In PyTorch's order, as the groups of a state dict list them. */
const PLAIN = { foreach: null, maximize: false, differentiable: false };

function checked<O extends AdaptiveOptions>(options: O): O {
  requireNonNegative("learning rate", options.lr);
  requireNonNegative("epsilon value", options.eps);
  requireNonNegative("weight_decay value", options.weightDecay, false);
  return options;
}

export interface AdagradOptions extends AdaptiveOptions {
  /** How fast the learning rate falls with the steps. Default 0. */
  lrDecay: number;
  /** What the sums of squares start from. Default 0. */
  initialAccumulatorValue: number;
  /** Accepted, without effect. Default null. */
  fused: boolean | null;
}

/** Divides by the root of all squared gradients so far. https://docs.pytorch.org/docs/2.13/generated/torch.optim.Adagrad.html */
export class Adagrad extends Optimizer<AdagradOptions> {
  constructor(params: Params<AdagradOptions>, options?: Partial<AdagradOptions>);
  constructor(...args: unknown[]) {
    const { params, ...options } = bind<Given<AdagradOptions>>(
      "Adagrad.__init__",
      [
        "!params",
        "lr",
        "lrDecay",
        "weightDecay",
        "initialAccumulatorValue",
        "eps",
        "foreach",
        "*",
        "maximize",
        "differentiable",
        "fused",
      ],
      args,
    );
    const own = { lr: 0.01, lrDecay: 0, eps: 1e-10, weightDecay: 0, initialAccumulatorValue: 0 };
    const defaults = checked<AdagradOptions>({ ...own, ...PLAIN, fused: null, ...options });
    requireNonNegative("lr_decay value", defaults.lrDecay);
    requireNonNegative("initial_accumulator_value value", defaults.initialAccumulatorValue);
    super(params, defaults);
    for (const group of this.paramGroups) for (const param of group.params) this.#start(param);
  }

  /** With the optimizer's own first value, whatever the group says. */
  #start(param: Tensor) {
    const { initialAccumulatorValue } = this.defaults;
    return this.remembered(param, () => ({ step: counter(), sum: fullLike(param, initialAccumulatorValue) }));
  }

  protected override update(param: Tensor, grad: Tensor, group: ParamGroup<AdagradOptions>): void {
    const { lr, lrDecay, weightDecay, eps, maximize } = group;
    const { step, sum } = this.#start(param);
    const count = countStep(step);
    const rate = -lr / (1 + (count - 1) * lrDecay);
    adagradStep({ param, grad, sum }, { weightDecay, eps, rate }, { maximize, decays: weightDecay !== 0 });
  }
}

type Decay = "maximize" | "decays";

const adagradStep = stepOf<"param" | "grad" | "sum", "weightDecay" | "eps" | "rate", Decay>((m, t, n, flags) => {
  const followed = direction(m, t.param, t.grad, flags.maximize, flags.decays ? n.weightDecay : null);
  const sum = addcmul(m, t.sum, followed, followed);
  return { param: addcdiv(m, t.param, followed, m.add(m.sqrt(sum), n.eps), n.rate), sum };
});

export interface RMSpropOptions extends AdaptiveOptions {
  /** How much of the running mean square is kept in each step. Default 0.99. */
  alpha: number;
  /** Share of the last step kept. Default 0. */
  momentum: number;
  /** Divides by the deviation instead of the root mean square. Default false. */
  centered: boolean;
  /** Accepted, without effect. Default false. */
  capturable: boolean;
}

/** Divides by the root of a running mean square. https://docs.pytorch.org/docs/2.13/generated/torch.optim.RMSprop.html */
export class RMSprop extends Optimizer<RMSpropOptions> {
  constructor(params: Params<RMSpropOptions>, options?: Partial<RMSpropOptions>);
  constructor(...args: unknown[]) {
    const { params, ...options } = bind<Given<RMSpropOptions>>(
      "RMSprop.__init__",
      [
        "!params",
        "lr",
        "alpha",
        "eps",
        "weightDecay",
        "momentum",
        "centered",
        "capturable",
        "foreach",
        "maximize",
        "differentiable",
      ],
      args,
    );
    const own = { lr: 0.01, momentum: 0, alpha: 0.99, eps: 1e-8, centered: false, weightDecay: 0, capturable: false };
    const defaults = checked<RMSpropOptions>({ ...own, ...PLAIN, ...options });
    requireNonNegative("momentum value", defaults.momentum);
    requireNonNegative("alpha value", defaults.alpha);
    super(params, defaults);
  }

  protected override update(param: Tensor, grad: Tensor, group: ParamGroup<RMSpropOptions>): void {
    const { lr, alpha, eps, weightDecay, momentum, centered, maximize } = group;
    const { step, squareAvg, gradAvg, momentumBuffer } = this.remembered(param, () => ({
      step: counter(),
      squareAvg: zerosLike(param),
      ...(momentum > 0 && { momentumBuffer: zerosLike(param) }),
      ...(centered && { gradAvg: zerosLike(param) }),
    })) as { step: Tensor; squareAvg: Tensor; gradAvg?: Tensor; momentumBuffer?: Tensor };
    countStep(step);
    const weight = 1 - alpha;
    rmspropStep(
      { param, grad, squareAvg, gradAvg: gradAvg ?? null, momentumBuffer: momentumBuffer ?? null },
      { weightDecay, eps, rate: -lr, alpha, weight, momentum },
      {
        maximize,
        decays: weightDecay !== 0,
        centered: gradAvg !== undefined,
        keeps: momentumBuffer !== undefined,
        nearStart: isNearStart(weight, param),
      },
    );
  }
}

const rmspropStep = stepOf<
  "param" | "grad" | "squareAvg" | "gradAvg" | "momentumBuffer",
  "weightDecay" | "eps" | "rate" | "alpha" | "weight" | "momentum",
  Decay | "centered" | "keeps" | "nearStart"
>((m, t, n, { maximize, decays, centered, keeps, nearStart }) => {
  const followed = direction(m, t.param, t.grad, maximize, decays ? n.weightDecay : null);
  const squareAvg = addcmul(m, m.mul(t.squareAvg, n.alpha), followed, followed, n.weight);
  const gradAvg = centered ? lerp(m, t.gradAvg, followed, n.weight, nearStart) : null;
  const spread = gradAvg ? addcmul(m, squareAvg, gradAvg, gradAvg, -1) : squareAvg;
  const denominator = m.add(m.sqrt(spread), n.eps);
  const momentumBuffer = keeps ? addcdiv(m, m.mul(t.momentumBuffer, n.momentum), followed, denominator) : null;
  return {
    param: momentumBuffer
      ? m.madd(momentumBuffer, n.rate, t.param)
      : addcdiv(m, t.param, followed, denominator, n.rate),
    squareAvg,
    ...(gradAvg && { gradAvg }),
    ...(momentumBuffer && { momentumBuffer }),
  };
});

export interface AdadeltaOptions extends AdaptiveOptions {
  /** How much of the running averages is kept in each step. Default 0.9. */
  rho: number;
  /** Accepted, without effect. Default false. */
  capturable: boolean;
}

/** Steps as large as the last ones were. https://docs.pytorch.org/docs/2.13/generated/torch.optim.Adadelta.html */
export class Adadelta extends Optimizer<AdadeltaOptions> {
  constructor(params: Params<AdadeltaOptions>, options?: Partial<AdadeltaOptions>);
  constructor(...args: unknown[]) {
    const { params, ...options } = bind<Given<AdadeltaOptions>>(
      "Adadelta.__init__",
      ["!params", "lr", "rho", "eps", "weightDecay", "foreach", "*", "capturable", "maximize", "differentiable"],
      args,
    );
    const own = { lr: 1, rho: 0.9, eps: 1e-6, weightDecay: 0, maximize: false, capturable: false };
    const defaults = checked<AdadeltaOptions>({ ...own, ...PLAIN, ...options });
    if (!(defaults.rho >= 0 && defaults.rho <= 1))
      throw new ValueError(`Invalid rho value: ${floatRepr(defaults.rho)}`);
    super(params, defaults);
  }

  protected override update(param: Tensor, grad: Tensor, group: ParamGroup<AdadeltaOptions>): void {
    const { lr, rho, eps, weightDecay, maximize } = group;
    const { step, squareAvg, accDelta } = this.remembered(param, () => ({
      step: counter(),
      squareAvg: zerosLike(param),
      accDelta: zerosLike(param),
    }));
    countStep(step);
    const numbers = { weightDecay, eps, rate: -lr, rho, weight: 1 - rho };
    adadeltaStep({ param, grad, squareAvg, accDelta }, numbers, { maximize, decays: weightDecay !== 0 });
  }
}

const adadeltaStep = stepOf<
  "param" | "grad" | "squareAvg" | "accDelta",
  "weightDecay" | "eps" | "rate" | "rho" | "weight",
  Decay
>((m, t, n, flags) => {
  const followed = direction(m, t.param, t.grad, flags.maximize, flags.decays ? n.weightDecay : null);
  const squareAvg = addcmul(m, m.mul(t.squareAvg, n.rho), followed, followed, n.weight);
  const ratio = m.div(m.sqrt(m.add(t.accDelta, n.eps)), m.sqrt(m.add(squareAvg, n.eps)));
  const delta = m.mul(ratio, followed);
  return {
    param: m.madd(delta, n.rate, t.param),
    squareAvg,
    accDelta: addcmul(m, m.mul(t.accDelta, n.rho), delta, delta, n.weight),
  };
});

export interface RpropOptions extends ImplementationOptions {
  /** The first step size. Default 0.01. */
  lr: number;
  /** Factors for a step size when the gradient's sign changes, and when it stays. Default [0.5, 1.2]. */
  etas: [number, number];
  /** Smallest and largest step size. Default [1e-6, 50]. */
  stepSizes: [number, number];
  /** Ascends instead of descending. Default false. */
  maximize: boolean;
  /** Accepted, without effect. Default false. */
  capturable: boolean;
}

/** Looks at the gradients' signs only. https://docs.pytorch.org/docs/2.13/generated/torch.optim.Rprop.html */
export class Rprop extends Optimizer<RpropOptions> {
  constructor(params: Params<RpropOptions>, options?: Partial<RpropOptions>);
  constructor(...args: unknown[]) {
    const { params, ...options } = bind<Given<RpropOptions>>(
      "Rprop.__init__",
      ["!params", "lr", "etas", "stepSizes", "*", "capturable", "foreach", "maximize", "differentiable"],
      args,
    );
    const own = { lr: 0.01, etas: [0.5, 1.2] as [number, number], stepSizes: [1e-6, 50] as [number, number] };
    const defaults: RpropOptions = { ...own, ...PLAIN, capturable: false, ...options };
    requireNonNegative("learning rate", defaults.lr);
    const [down, up] = defaults.etas;
    if (!(down > 0 && down < 1 && up > 1)) {
      throw new ValueError(`Invalid eta values: ${floatRepr(down)}, ${floatRepr(up)}`);
    }
    super(params, defaults);
  }

  protected override update(param: Tensor, grad: Tensor, group: ParamGroup<RpropOptions>): void {
    const { lr, etas, stepSizes, maximize } = group;
    const state = this.remembered(param, () => ({
      step: counter(),
      prev: zerosLike(param),
      stepSize: fullLike(param, lr),
    }));
    countStep(state.step);
    const { prev, stepSize } = state;
    const [down, up] = etas;
    const [least, most] = stepSizes;
    rpropStep({ param, grad, prev, stepSize }, { down, up, least, most }, { maximize });
  }
}

const rpropStep = stepOf<"param" | "grad" | "prev" | "stepSize", "down" | "up" | "least" | "most", "maximize">(
  (m, t, n, { maximize }) => {
    const followed = direction(m, t.param, t.grad, maximize, null);
    const agreement = m.mul(followed, t.prev);
    const turned = m.lt(agreement, 0);
    const factor = m.where(turned, n.down, m.where(m.gt(agreement, 0), n.up, 1));
    const stepSize = m.minimum(m.maximum(m.mul(t.stepSize, factor), n.least), n.most);
    // Where the sign has changed the step went too far: this one stands still.
    const prev = m.where(turned, 0, followed);
    const sign = m.where(m.gt(prev, 0), 1, m.where(m.lt(prev, 0), -1, 0));
    return { param: addcmul(m, t.param, sign, stepSize, -1), prev, stepSize };
  },
);

export interface ASGDOptions extends ImplementationOptions {
  /** Learning rate. Default 0.01. */
  lr: number;
  /** Decay of the weights. Default 1e-4. */
  lambd: number;
  /** Power with which the step size falls. Default 0.75. */
  alpha: number;
  /** The step from which on weights are averaged. Default 1e6. */
  t0: number;
  /** L2 penalty added to the gradient. Default 0. */
  weightDecay: number;
  /** Ascends instead of descending. Default false. */
  maximize: boolean;
  /** Accepted, without effect. Default false. */
  capturable: boolean;
}

/** Gradient descent that also averages the weights, in `state`. https://docs.pytorch.org/docs/2.13/generated/torch.optim.ASGD.html */
export class ASGD extends Optimizer<ASGDOptions> {
  constructor(params: Params<ASGDOptions>, options?: Partial<ASGDOptions>);
  constructor(...args: unknown[]) {
    const { params, ...options } = bind<Given<ASGDOptions>>(
      "ASGD.__init__",
      [
        ...["!params", "lr", "lambd", "alpha", "t0", "weightDecay"],
        ...["foreach", "maximize", "differentiable", "capturable"],
      ],
      args,
    );
    const own = { lr: 0.01, lambd: 1e-4, alpha: 0.75, t0: 1e6, weightDecay: 0 };
    const defaults: ASGDOptions = { ...own, ...PLAIN, capturable: false, ...options };
    requireNonNegative("learning rate", defaults.lr);
    requireNonNegative("weight_decay value", defaults.weightDecay, false);
    super(params, defaults);
  }

  protected override update(param: Tensor, grad: Tensor, group: ParamGroup<ASGDOptions>): void {
    const { lr, lambd, alpha, t0, weightDecay, maximize } = group;
    const { ax, eta, mu, ...state } = this.remembered(param, () => ({
      step: counter(),
      eta: counter(lr),
      mu: counter(1),
      ax: zerosLike(param),
    }));
    const step = countStep(state.step);
    const size = eta.item();
    asgdStep(
      { param, grad, ax },
      { weightDecay, shrink: 1 - lambd * size, rate: -size, mu: mu.item() },
      { maximize, decays: weightDecay !== 0, averages: mu.item() !== 1 },
    );
    // float32 whatever the parameter is, even where a loaded state holds them as float64.
    eta.fill_(Math.fround(lr / (1 + lambd * lr * step) ** alpha));
    mu.fill_(Math.fround(1 / Math.max(1, step - t0)));
  }
}

const asgdStep = stepOf<"param" | "grad" | "ax", "weightDecay" | "shrink" | "rate" | "mu", Decay | "averages">(
  (m, t, n, flags) => {
    const followed = direction(m, t.param, t.grad, flags.maximize, flags.decays ? n.weightDecay : null);
    const param = m.madd(followed, n.rate, m.mul(t.param, n.shrink));
    return { param, ax: flags.averages ? m.add(t.ax, m.mul(m.sub(param, t.ax), n.mu)) : param };
  },
);
