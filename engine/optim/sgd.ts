import { bind } from "../core/arguments.ts";
import { ValueError } from "../core/errors.ts";
import { Tensor } from "../core/tensor.ts";
import {
  direction,
  type ImplementationOptions,
  Optimizer,
  type ParamGroup,
  type Params,
  requireNonNegative,
} from "./optimizer.ts";

export interface SGDOptions extends ImplementationOptions {
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
  /** Accepted, without effect. Default null. */
  fused: boolean | null;
}

/**
 * Stochastic gradient descent, with momentum on request.
 * https://docs.pytorch.org/docs/2.13/generated/torch.optim.SGD.html
 */
export class SGD extends Optimizer<SGDOptions> {
  constructor(params: Params<SGDOptions>, options?: Partial<SGDOptions>);
  constructor(...args: unknown[]) {
    const { params, ...options } = bind<{ params: Params<SGDOptions> } & Partial<SGDOptions>>(
      "SGD.__init__",
      [
        "!params",
        "lr",
        "momentum",
        "dampening",
        "weightDecay",
        "nesterov",
        "*",
        "maximize",
        "foreach",
        "differentiable",
        "fused",
      ],
      args,
    );
    const defaults: SGDOptions = {
      lr: 1e-3,
      momentum: 0,
      dampening: 0,
      weightDecay: 0,
      nesterov: false,
      maximize: false,
      foreach: null,
      differentiable: false,
      fused: null,
      ...options,
    };
    requireNonNegative("learning rate", defaults.lr);
    requireNonNegative("momentum value", defaults.momentum);
    requireNonNegative("weight_decay value", defaults.weightDecay, false);
    if (defaults.nesterov && (defaults.momentum <= 0 || defaults.dampening !== 0)) {
      throw new ValueError("Nesterov momentum requires a momentum and zero dampening");
    }
    super(params, defaults);
  }

  protected override update(param: Tensor, grad: Tensor, group: ParamGroup<SGDOptions>): void {
    const { lr, momentum, dampening, weightDecay, nesterov, maximize } = group;
    let step = direction(param, grad, maximize, weightDecay);
    if (momentum !== 0) {
      const velocity = this.#follow(param, step, momentum, dampening);
      step = nesterov ? step.add(velocity, { alpha: momentum }) : velocity;
    }
    param.add_(step, { alpha: -lr });
  }

  /** The kept step after this one; the first is the gradient itself. */
  #follow(param: Tensor, step: Tensor, momentum: number, dampening: number): Tensor {
    const kept = this.state.get(param)?.momentumBuffer;
    if (kept instanceof Tensor) return kept.mul_(momentum).add_(step, { alpha: 1 - dampening });
    const first = step.detach().clone();
    this.state.set(param, { momentumBuffer: first });
    return first;
  }
}
