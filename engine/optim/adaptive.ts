/** Optimizers that give each weight a step size of its own. */
import { bind } from "../core/arguments.ts";
import { ValueError } from "../core/errors.ts";
import { floatRepr } from "../core/number_text.ts";
import type { Tensor } from "../core/tensor.ts";
import { where } from "../ops/arithmetic.ts";
import { fullLike, onesLike, zerosLike } from "../ops/creation.ts";
import {
  counter,
  countStep,
  direction,
  type ImplementationOptions,
  Optimizer,
  type ParamGroup,
  type Params,
  requireNonNegative,
} from "./optimizer.ts";

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
    const followed = direction(param, grad, maximize, weightDecay);
    sum.addcmul_(followed, followed);
    param.addcdiv_(followed, sum.sqrt().add_(eps), { value: -lr / (1 + (count - 1) * lrDecay) });
  }
}

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
    const followed = direction(param, grad, maximize, weightDecay);
    squareAvg.mul_(alpha).addcmul_(followed, followed, { value: 1 - alpha });
    let spread: Tensor;
    if (gradAvg) {
      gradAvg.lerp_(followed, 1 - alpha);
      spread = squareAvg.addcmul(gradAvg, gradAvg, { value: -1 }).sqrt_();
    } else spread = squareAvg.sqrt();
    spread.add_(eps);
    if (momentumBuffer) {
      momentumBuffer.mul_(momentum).addcdiv_(followed, spread);
      param.add_(momentumBuffer, { alpha: -lr });
    } else param.addcdiv_(followed, spread, { value: -lr });
  }
}

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
    const followed = direction(param, grad, maximize, weightDecay);
    squareAvg.mul_(rho).addcmul_(followed, followed, { value: 1 - rho });
    const delta = accDelta.add(eps).sqrt_().div_(squareAvg.add(eps).sqrt_()).mul_(followed);
    accDelta.mul_(rho).addcmul_(delta, delta, { value: 1 - rho });
    param.add_(delta, { alpha: -lr });
  }
}

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
    const followed = direction(param, grad, maximize, 0);
    const agreement = followed.mul(state.prev);
    const turned = agreement.lt(0);
    const factor = onesLike(param).maskedFill(agreement.gt(0), etas[1]).maskedFill(turned, etas[0]);
    state.stepSize.mul_(factor).clamp_(stepSizes[0], stepSizes[1]);
    // Where the sign has changed the step went too far: this one stands still.
    state.prev = where(turned, 0, followed);
    param.addcmul_(state.prev.sign(), state.stepSize, { value: -1 });
  }
}

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
    const followed = direction(param, grad, maximize, weightDecay);
    const size = eta.item();
    param.mul_(1 - lambd * size).add_(followed, { alpha: -size });
    if (mu.item() === 1) ax.copy_(param);
    else ax.add_(param.sub(ax).mul_(mu));
    // float32 whatever the parameter is, even where a loaded state holds them as float64.
    eta.fill_(Math.fround(lr / (1 + lambd * lr * step) ** alpha));
    mu.fill_(Math.fround(1 / Math.max(1, step - t0)));
  }
}
