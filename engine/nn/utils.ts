/** `torch.nn.utils`: gradients kept within bounds, parameters as one vector. */
import { noGrad } from "../autograd/mode.ts";
import { bind } from "../core/arguments.ts";
import { RuntimeError, TypeError } from "../core/errors.ts";
import { floatRepr } from "../core/number_text.ts";
import { Tensor } from "../core/tensor.ts";
import { warn } from "../core/warnings.ts";
import { clamp, div } from "../ops/arithmetic.ts";
import { zeros } from "../ops/creation.ts";
import { cat, stack } from "../ops/joining.ts";
import { vectorNorm } from "../ops/statistics.ts";
import { replaceMemory } from "./convert.ts";
import { typeName } from "./parameter.ts";

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
 * The norm of all tensors, as if they were one vector.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.utils.get_total_norm.html
 */
export function getTotalNorm(tensors: Iterable<Tensor> | Tensor, options?: ClipGradNormOptions): Tensor;
export function getTotalNorm(...args: unknown[]): Tensor {
  const {
    tensors,
    normType = 2,
    errorIfNonfinite = false,
  } = bind<{ tensors: Iterable<Tensor> | Tensor } & ClipGradNormOptions>(
    "get_total_norm",
    ["!tensors", "normType", "errorIfNonfinite", "foreach"],
    args,
  );
  return noGrad(() => {
    const list = tensors instanceof Tensor ? [tensors] : [...tensors];
    if (list.length === 0) return zeros([]);
    const total = vectorNorm(stack(list.map((part) => vectorNorm(part, normType))), normType);
    if (errorIfNonfinite && !Number.isFinite(Number(total.item()))) {
      throw new RuntimeError(
        `The total norm of order ${floatRepr(normType)} for gradients from \`parameters\` is non-finite, so it cannot be clipped. To disable this error and scale the gradients by the non-finite norm anyway, set \`error_if_nonfinite=False\``,
      );
    }
    return total;
  });
}

/**
 * Scales all gradients in place by maxNorm / totalNorm where that is below 1.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.utils.clip_grads_with_norm_.html
 */
export function clipGradsWithNorm_(
  parameters: Iterable<Tensor> | Tensor,
  maxNorm: number,
  totalNorm: Tensor,
  _options?: { foreach?: boolean | null },
): void {
  noGrad(() => {
    const coefficient = clamp(div(maxNorm, totalNorm.add(1e-6)), { max: 1 });
    for (const grad of gradientsOf(parameters)) grad.mul_(coefficient);
  });
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
  const { parameters, maxNorm, normType, errorIfNonfinite } = bind<
    { parameters: Iterable<Tensor> | Tensor; maxNorm: number } & ClipGradNormOptions
  >("clip_grad_norm_", ["!parameters", "!maxNorm", "normType", "errorIfNonfinite", "foreach"], args);
  const list = parameters instanceof Tensor ? [parameters] : [...parameters];
  if (list.length === 0 && !Array.isArray(parameters)) {
    warn("`parameters` is an empty generator, no gradient clipping will occur.");
  }
  const total = getTotalNorm(gradientsOf(list), { normType, errorIfNonfinite });
  clipGradsWithNorm_(list, maxNorm, total);
  return total;
}

/**
 * Clamps every element of every gradient in place to ±clipValue.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.utils.clip_grad_value_.html
 */
export function clipGradValue_(
  parameters: Iterable<Tensor> | Tensor,
  clipValue: number,
  _options?: { foreach?: boolean | null },
): void {
  noGrad(() => {
    for (const grad of gradientsOf(parameters)) grad.clamp_(-clipValue, clipValue);
  });
}

/**
 * All parameters, one after the other, as one vector.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.utils.parameters_to_vector.html
 */
export function parametersToVector(parameters: Iterable<Tensor>): Tensor {
  return cat(Array.from(parameters, (parameter) => parameter.view(-1)));
}

/**
 * Cuts a vector into the parameters' new values, which share its memory from then on.
 * @throws TypeError for anything but a tensor; RuntimeError where it is too short
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.utils.vector_to_parameters.html
 */
export function vectorToParameters(vec: Tensor, parameters: Iterable<Tensor>): void {
  if (!(vec instanceof Tensor)) throw new TypeError(`expected torch.Tensor, but got: ${typeName(vec)}`);
  let pointer = 0;
  for (const parameter of parameters) {
    const end = pointer + parameter.numel();
    const part = vec.detach().get(`${pointer}:${end}`);
    replaceMemory(parameter, part.view(...parameter.shape));
    pointer = end;
  }
}

export * as rnn from "./utils_rnn.ts";
