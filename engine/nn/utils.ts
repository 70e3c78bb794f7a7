/** `torch.nn.utils`: gradients kept within bounds, parameters as one vector. */
import { noGrad } from "../autograd/mode.ts";
import { bind } from "../core/arguments.ts";
import { RuntimeError } from "../core/errors.ts";
import { floatRepr } from "../core/number_text.ts";
import { Tensor } from "../core/tensor.ts";
import { clamp, div } from "../ops/arithmetic.ts";
import { tensor } from "../ops/creation.ts";
import { cat, stack } from "../ops/joining.ts";
import { vectorNorm } from "../ops/statistics.ts";

function gradientsOf(parameters: Iterable<Tensor> | Tensor): Tensor[] {
  const list = parameters instanceof Tensor ? [parameters] : [...parameters];
  return list.flatMap((parameter) => parameter.grad ?? []);
}

export interface ClipGradNormOptions {
  /** Which norm; Infinity is the largest absolute value. Default 2. */
  normType?: number;
  /** Throws where the norm is NaN or infinite. Default false. */
  errorIfNonfinite?: boolean;
  /** Accepted, without effect. Default null. */
  foreach?: boolean | null;
}

/**
 * Scales all gradients in place so that their norm, as if they were one vector, is at most `maxNorm`.
 * @returns the norm before
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.utils.clip_grad_norm_.html
 */
export function clipGradNorm_(
  parameters: Iterable<Tensor> | Tensor,
  maxNorm: number,
  options?: ClipGradNormOptions,
): Tensor;
export function clipGradNorm_(...args: unknown[]): Tensor {
  const {
    parameters,
    maxNorm,
    normType = 2,
    errorIfNonfinite = false,
  } = bind<{ parameters: Iterable<Tensor> | Tensor; maxNorm: number } & ClipGradNormOptions>(
    "clip_grad_norm_",
    ["!parameters", "!maxNorm", "normType", "errorIfNonfinite", "foreach"],
    args,
  );
  return noGrad(() => {
    const grads = gradientsOf(parameters);
    if (grads.length === 0) return tensor(0);
    const total = vectorNorm(stack(grads.map((grad) => vectorNorm(grad, normType))), normType);
    if (errorIfNonfinite && !Number.isFinite(Number(total.item()))) {
      throw new RuntimeError(
        `The total norm of order ${floatRepr(normType)} for gradients from \`parameters\` is non-finite, so it cannot be clipped. To disable this error and scale the gradients by the non-finite norm anyway, set \`error_if_nonfinite=False\``,
      );
    }
    const coefficient = clamp(div(maxNorm, total.add(1e-6)), { max: 1 });
    for (const grad of grads) grad.mul_(coefficient);
    return total;
  });
}

/**
 * Clamps every element of every gradient in place to ±clipValue.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.utils.clip_grad_value_.html
 */
export function clipGradValue_(parameters: Iterable<Tensor> | Tensor, clipValue: number): void {
  noGrad(() => {
    for (const grad of gradientsOf(parameters)) grad.clamp_(-clipValue, clipValue);
  });
}

/** All parameters, one after the other, as one vector. */
export function parametersToVector(parameters: Iterable<Tensor>): Tensor {
  return cat(Array.from(parameters, (parameter) => parameter.reshape(-1)));
}

export * as rnn from "./utils_rnn.ts";
