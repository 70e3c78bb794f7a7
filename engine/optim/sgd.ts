import { bind } from "../core/arguments.ts";
import { ValueError } from "../core/errors.ts";
import { Tensor } from "../core/tensor.ts";
import { emptyLike } from "../ops/creation.ts";
import {
  type ImplementationOptions,
  Optimizer,
  type ParamGroup,
  type Params,
  requireNonNegative,
} from "./optimizer.ts";
import { direction, stepOf } from "./steps.ts";

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
    const numbers = { rate: -lr, momentum, share: 1 - dampening, weightDecay };
    const flags = { maximize, decays: weightDecay !== 0, nesterov };
    if (momentum === 0) {
      plainStep({ param, grad }, numbers, flags);
      return;
    }
    const before = this.state.get(param)?.momentumBuffer;
    const first = !(before instanceof Tensor);
    const kept = first ? emptyLike(param) : before;
    keptStep({ param, grad, kept }, numbers, { ...flags, first });
    if (first) this.state.set(param, { momentumBuffer: kept });
  }
}

type Numbers = "rate" | "momentum" | "share" | "weightDecay";
type Flags = "maximize" | "decays" | "nesterov";

const plainStep = stepOf<"param" | "grad", Numbers, Flags>((m, { param, grad }, n, { maximize, decays }) => ({
  param: m.madd(direction(m, param, grad, maximize, decays ? n.weightDecay : null), n.rate, param),
}));

/** The first kept step is the gradient itself. */
const keptStep = stepOf<"param" | "grad" | "kept", Numbers, Flags | "first">((m, t, n, flags) => {
  const step = direction(m, t.param, t.grad, flags.maximize, flags.decays ? n.weightDecay : null);
  const kept = flags.first ? step : m.madd(step, n.share, m.mul(t.kept, n.momentum));
  const taken = flags.nesterov ? m.madd(kept, n.momentum, step) : kept;
  return { param: m.madd(taken, n.rate, t.param), kept };
});
