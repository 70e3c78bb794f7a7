/** Adam and its kin: steps scaled by running averages of the gradient and its square. */
import { bind } from "../core/arguments.ts";
import type { Tensor } from "../core/tensor.ts";
import { maximum } from "../ops/arithmetic.ts";
import { zerosLike } from "../ops/creation.ts";
import {
  counter,
  countStep,
  direction,
  type ImplementationOptions,
  Optimizer,
  type ParamGroup,
  type Params,
  requireBetas,
  requireNonNegative,
} from "./optimizer.ts";

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

/** Moves both running averages towards the gradient and its square. */
function average(grad: Tensor, expAvg: Tensor, expAvgSq: Tensor, [beta1, beta2]: readonly [number, number]): void {
  expAvg.lerp_(grad, 1 - beta1);
  expAvgSq.mul_(beta2).addcmul_(grad, grad, { value: 1 - beta2 });
}

/** The gradient to follow; a decoupled decay shrinks the parameter at once. */
function decayed(
  param: Tensor,
  grad: Tensor,
  group: { lr: number; weightDecay: number; maximize: boolean; decoupledWeightDecay: boolean },
): Tensor {
  const { lr, weightDecay, maximize, decoupledWeightDecay } = group;
  if (!decoupledWeightDecay) return direction(param, grad, maximize, weightDecay);
  if (weightDecay !== 0) param.mul_(1 - lr * weightDecay);
  return direction(param, grad, maximize, 0);
}

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
    const { lr, betas, eps, amsgrad } = group;
    const state = this.remembered(param, () => ({
      step: counter(),
      expAvg: zerosLike(param),
      expAvgSq: zerosLike(param),
      ...(amsgrad && { maxExpAvgSq: zerosLike(param) }),
    }));
    const step = countStep(state.step);
    const followed = decayed(param, grad, group);
    average(followed, state.expAvg, state.expAvgSq, betas);
    let square = state.expAvgSq;
    if (amsgrad) {
      square = maximum(state.maxExpAvgSq ?? zerosLike(param), state.expAvgSq);
      (state as { maxExpAvgSq?: Tensor }).maxExpAvgSq = square;
    }
    const denominator = square
      .sqrt()
      .div_(Math.sqrt(1 - betas[1] ** step))
      .add_(eps);
    param.addcdiv_(state.expAvg, denominator, { value: -lr / (1 - betas[0] ** step) });
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
    const { lr, betas, eps, momentumDecay } = group;
    const { expAvg, expAvgSq, muProduct, ...state } = this.remembered(param, () => ({
      step: counter(),
      muProduct: counter(1),
      expAvg: zerosLike(param),
      expAvgSq: zerosLike(param),
    }));
    const step = countStep(state.step);
    const followed = decayed(param, grad, group);
    const momentumAt = (t: number) => betas[0] * (1 - 0.5 * 0.96 ** (t * momentumDecay));
    const mu = momentumAt(step);
    const next = momentumAt(step + 1);
    muProduct.mul_(mu);
    average(followed, expAvg, expAvgSq, betas);
    const denominator = expAvgSq
      .div(1 - betas[1] ** step)
      .sqrt_()
      .add_(eps);
    const product = Number(muProduct.item());
    param.addcdiv_(followed, denominator, { value: (-lr * (1 - mu)) / (1 - product) });
    param.addcdiv_(expAvg, denominator, { value: (-lr * next) / (1 - product * next) });
  }
}

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
    const { lr, betas, eps } = group;
    const { expAvg, expAvgSq, ...state } = this.remembered(param, () => ({
      step: counter(),
      expAvg: zerosLike(param),
      expAvgSq: zerosLike(param),
    }));
    const step = countStep(state.step);
    average(decayed(param, grad, group), expAvg, expAvgSq, betas);
    const correction = 1 - betas[1] ** step;
    const limit = 2 / (1 - betas[1]) - 1;
    const length = limit - (2 * step * betas[1] ** step) / correction;
    const size = lr / (1 - betas[0] ** step);
    // While too few gradients were seen to trust their variance, the step is plain momentum.
    if (length <= 5) {
      param.add_(expAvg, { alpha: -size });
      return;
    }
    const rectified = Math.sqrt(((length - 4) * (length - 2) * limit) / ((limit - 4) * (limit - 2) * length));
    const value = -size * rectified * Math.sqrt(correction);
    param.addcdiv_(expAvg, expAvgSq.sqrt().add_(eps), { value });
  }
}

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
    const { lr, betas, eps, weightDecay, maximize } = group;
    const state = this.remembered(param, () => ({
      step: counter(),
      expAvg: zerosLike(param),
      expInf: zerosLike(param),
    }));
    const step = countStep(state.step);
    const followed = direction(param, grad, maximize, weightDecay);
    state.expAvg.lerp_(followed, 1 - betas[0]);
    state.expInf = maximum(state.expInf.mul_(betas[1]), followed.abs().add_(eps));
    param.addcdiv_(state.expAvg, state.expInf, { value: -lr / (1 - betas[0] ** step) });
  }
}
