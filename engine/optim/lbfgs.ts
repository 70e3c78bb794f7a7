import { enableGrad, noGrad } from "../autograd/mode.ts";
import { bind } from "../core/arguments.ts";
import { RuntimeError, TypeError, ValueError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import { zeros } from "../ops/creation.ts";
import { cat } from "../ops/joining.ts";
import { dot } from "../ops/matmul.ts";
import { type Point, strongWolfe } from "./line_search.ts";
import { Optimizer, type ParamState, type Params, requireNonNegative } from "./optimizer.ts";

export interface LBFGSOptions {
  /** Learning rate. Default 1. */
  lr: number;
  /** Most iterations in one step. Default 20. */
  maxIter: number;
  /** Most evaluations of the objective in one step. Default 1.25 · maxIter. */
  maxEval: number | null;
  /** Done when no element of the gradient is larger. Default 1e-7. */
  toleranceGrad: number;
  /** Done when neither objective nor parameters change by more. Default 1e-9. */
  toleranceChange: number;
  /** How many past steps shape the direction. Default 100. */
  historySize: number;
  /** Searches for a good step length along the direction; null takes `lr`. Default null. */
  lineSearchFn: "strong_wolfe" | null;
}

/** What is kept from step to step, beside the first parameter as in PyTorch. */
interface Memory {
  funcEvals: number;
  nIter: number;
  d?: Tensor;
  t?: Tensor | number;
  /** Changes of the gradient, and the steps that made them. */
  oldDirs?: Tensor[];
  oldStps?: Tensor[];
  ro?: Tensor[];
  HDiag?: Tensor | number;
  prevFlatGrad?: Tensor;
  prevLoss?: number;
  al?: (Tensor | null)[];
}

const largest = (x: Tensor) => x.abs().amax().item();
const product = (a: Tensor, b: Tensor) => dot(a, b);

/**
 * L-BFGS: a direction from the last steps, with the closure evaluated as often as it takes.
 * All parameters are one group. https://docs.pytorch.org/docs/2.13/generated/torch.optim.LBFGS.html
 */
export class LBFGS extends Optimizer<LBFGSOptions> {
  constructor(params: Params<LBFGSOptions>, options?: Partial<LBFGSOptions>);
  constructor(...args: unknown[]) {
    const { params, ...options } = bind<{ params: Params<LBFGSOptions> } & Partial<LBFGSOptions>>(
      "LBFGS.__init__",
      ["!params", "lr", "maxIter", "maxEval", "toleranceGrad", "toleranceChange", "historySize", "lineSearchFn"],
      args,
    );
    const { maxIter = 20 } = options;
    const defaults: LBFGSOptions = {
      lr: 1,
      maxIter,
      maxEval: null,
      toleranceGrad: 1e-7,
      toleranceChange: 1e-9,
      historySize: 100,
      lineSearchFn: null,
      ...options,
    };
    defaults.maxEval ??= Math.floor((maxIter * 5) / 4);
    requireNonNegative("learning rate", defaults.lr, !Number.isInteger(defaults.lr));
    super(params, defaults);
    if (this.paramGroups.length !== 1) {
      throw new ValueError("LBFGS doesn't support per-parameter options (parameter groups)");
    }
  }

  /**
   * Takes up to `maxIter` steps along improving directions.
   * @param closure evaluates the model anew with gradients and returns the loss
   * @returns the loss before the first step
   * @throws TypeError without a closure
   */
  override step(closure?: () => Tensor): Tensor | null {
    if (!closure) throw new TypeError("LBFGS.step() missing 1 required positional argument: 'closure'");
    return super.step(closure);
  }

  protected override run(closure: () => Tensor): Tensor {
    return noGrad(() => this.#iterate(() => enableGrad(closure)));
  }

  /** With whole learning rates as PyTorch has the default one: `lr: 1`. */
  override toString(): string {
    return super.toString().replace(/^( {4}lr: \d+)\.0$/m, "$1");
  }

  /** Never called: the parameters move together. */
  protected override update(): void {}

  get #params(): Tensor[] {
    return this.paramGroups[0]!.params;
  }

  #flatGradient(): Tensor {
    return cat(this.#params.map((p) => (p.grad ? p.grad.reshape(-1) : zeros([p.numel()], { dtype: p.dtype }))));
  }

  /** Moves all parameters along a direction. */
  #move(t: number, direction: Tensor): void {
    let offset = 0;
    for (const param of this.#params) {
      const count = param.numel();
      param.add_(direction.narrow(0, offset, count).viewAs(param), { alpha: t });
      offset += count;
    }
  }

  #iterate(closure: () => Tensor): Tensor {
    const [group] = this.paramGroups;
    const { lr, maxIter, toleranceGrad, toleranceChange, lineSearchFn } = group!;
    const maxEval = group!.maxEval!;
    const first = this.#params[0]!;
    const memory: Memory = (this.state.get(first) as Memory | undefined) ?? { funcEvals: 0, nIter: 0 };
    this.state.set(first, memory as unknown as ParamState);

    const before = closure();
    let loss = Number(before.item());
    let evaluations = 1;
    memory.funcEvals++;
    let gradient = this.#flatGradient();
    if (largest(gradient) <= toleranceGrad) return before;

    for (let iteration = 1; iteration <= maxIter; iteration++) {
      memory.nIter++;
      const direction = this.#direction(memory, gradient, group!.historySize);
      memory.d = direction;
      memory.prevFlatGrad = gradient.clone();
      const previousLoss = loss;
      memory.prevLoss = loss;
      memory.t = memory.nIter === 1 ? Math.min(1, 1 / gradient.abs().sum().item()) * lr : lr;
      const slope = product(gradient, direction).item();
      if (slope > -toleranceChange) break;

      let spent = 0;
      if (lineSearchFn !== null) {
        if (lineSearchFn !== "strong_wolfe") throw new RuntimeError("only 'strong_wolfe' is supported");
        const kept = this.#params.map((param) => param.clone());
        const evaluate = (t: number): Point<Tensor> => {
          this.#move(t, direction);
          const value = Number(closure().item());
          const at = this.#flatGradient();
          this.#params.forEach((param, i) => {
            param.copy_(kept[i]!);
          });
          return { t, value, gradient: at, slope: product(at, direction).item() };
        };
        const found = strongWolfe(
          evaluate,
          { t: 0, value: loss, slope, gradient },
          {
            t: memory.t,
            size: largest(direction),
            most: maxEval - evaluations,
          },
        );
        ({ value: loss, gradient, t: memory.t } = found.point);
        spent = found.evaluations;
        this.#move(memory.t, direction);
      } else {
        this.#move(memory.t, direction);
        // After the last iteration nobody looks at the loss.
        if (iteration !== maxIter) {
          loss = Number(closure().item());
          gradient = this.#flatGradient();
          spent = 1;
        }
      }
      evaluations += spent;
      memory.funcEvals += spent;
      if (evaluations >= maxEval || largest(gradient) <= toleranceGrad) break;
      if (largest(direction.mul(memory.t)) <= toleranceChange) break;
      if (Math.abs(loss - previousLoss) < toleranceChange) break;
    }
    return before;
  }

  /** The direction to go: against the gradient, as bent by what the last steps did to it. */
  #direction(memory: Memory, gradient: Tensor, historySize: number): Tensor {
    if (memory.nIter === 1) {
      Object.assign(memory, { oldDirs: [], oldStps: [], ro: [], HDiag: 1 });
      return gradient.neg();
    }
    const { oldDirs, oldStps, ro } = memory as Required<Memory>;
    const change = gradient.sub(memory.prevFlatGrad!);
    const step = memory.d!.mul(Number(memory.t));
    const curvature = product(change, step);
    if (curvature.item() > 1e-10) {
      if (oldDirs.length === historySize) for (const list of [oldDirs, oldStps, ro]) list.shift();
      oldDirs.push(change);
      oldStps.push(step);
      ro.push(curvature.reciprocal());
      memory.HDiag = curvature.div(product(change, change));
    }
    memory.al ??= new Array<null>(historySize).fill(null);
    const shares = memory.al;
    const q = gradient.neg();
    for (let i = oldDirs.length - 1; i >= 0; i--) {
      const share = product(oldStps[i]!, q).mul(ro[i]!);
      shares[i] = share;
      q.add_(oldDirs[i]!, { alpha: -share.item() });
    }
    const direction = q.mul(memory.HDiag!);
    for (let i = 0; i < oldDirs.length; i++) {
      const back = product(oldDirs[i]!, direction).mul(ro[i]!);
      direction.add_(oldStps[i]!, { alpha: shares[i]!.sub(back).item() });
    }
    return direction;
  }
}
