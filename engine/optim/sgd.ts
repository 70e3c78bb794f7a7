import { ValueError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import { Optimizer, type ParamGroup, type Params } from "./optimizer.ts";

export interface SGDOptions {
  /** Learning rate. Default 1e-3. */
  lr: number;
  /** Share of the last step kept. Default 0. */
  momentum: number;
  /** Share of the gradient left out of the kept step. Default 0. */
  dampening: number;
  /** L2 penalty added to the gradient. Default 0. */
  weightDecay: number;
  /** Looks ahead along the kept step. Default false. */
  nesterov: boolean;
  /** Ascends instead of descending. Default false. */
  maximize: boolean;
}

/** Stochastic gradient descent, with momentum on request. https://docs.pytorch.org/docs/2.13/generated/torch.optim.SGD.html */
export class SGD extends Optimizer<SGDOptions> {
  readonly #kept = new WeakMap<Tensor, Tensor>();

  constructor(params: Params<SGDOptions>, options: Partial<SGDOptions> = {}) {
    const defaults = {
      lr: 1e-3,
      momentum: 0,
      dampening: 0,
      weightDecay: 0,
      nesterov: false,
      maximize: false,
      ...options,
    };
    if (defaults.lr < 0) throw new ValueError(`Invalid learning rate: ${defaults.lr}`);
    if (defaults.momentum < 0) throw new ValueError(`Invalid momentum value: ${defaults.momentum}`);
    if (defaults.weightDecay < 0) throw new ValueError(`Invalid weight_decay value: ${defaults.weightDecay}`);
    if (defaults.nesterov && (defaults.momentum <= 0 || defaults.dampening !== 0)) {
      throw new ValueError("Nesterov momentum requires a momentum and zero dampening");
    }
    super(params, defaults);
  }

  protected override update(param: Tensor, grad: Tensor, group: ParamGroup<SGDOptions>): void {
    const { lr, momentum, dampening, weightDecay, nesterov, maximize } = group;
    let step = maximize ? grad.neg() : grad;
    if (weightDecay !== 0) step = step.add(param, { alpha: weightDecay });
    if (momentum !== 0) {
      const kept = this.#kept.get(param);
      if (kept) kept.mul_(momentum).add_(step, { alpha: 1 - dampening });
      else this.#kept.set(param, step.clone());
      const velocity = this.#kept.get(param)!;
      step = nesterov ? step.add(velocity, { alpha: momentum }) : velocity;
    }
    param.add_(step, { alpha: -lr });
  }
}
