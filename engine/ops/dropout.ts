/**
 * Dropout: zeroes at random while training, and scales what is left so that the mean stays.
 * https://docs.pytorch.org/docs/2.13/nn.functional.html#dropout-functions
 */
import { bind } from "../core/arguments.ts";
import { RuntimeError, TypeError, ValueError } from "../core/errors.ts";
import { SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { defaultGenerator, fillBernoulliScalar } from "../core/random.ts";
import { assertTensor, pythonTypeName, Tensor } from "../core/tensor.ts";
import { warn } from "../core/warnings.ts";
import { add, div, mul, sub } from "./arithmetic.ts";
import { inPlace } from "./inplace.ts";
import { filled, filledLike } from "./operands.ts";
import { squeeze, unsqueeze } from "./view.ts";

export interface DropoutOptions {
  /** Probability of a zero. Default 0.5. */
  p?: number;
  /** Without training the input passes as it is. Default true (alpha dropout: false). */
  training?: boolean;
  /** Overwrites the input instead of making a new tensor. Default false. */
  inplace?: boolean;
}

/** The saturation value of selu, negated: scale · alpha. */
const ALPHA = 1.7580993408473766;

interface Variant {
  /** Drops whole channels: one draw for each sample and channel. */
  feature?: boolean;
  /** Puts selu's saturation value in the place of zeros and keeps mean and variance. */
  alpha?: boolean;
}

interface DropoutArguments extends DropoutOptions {
  input: Tensor;
}

function dropoutArguments(name: string, args: unknown[], training = true): Required<DropoutArguments> {
  const bound = bind<DropoutArguments>(name, ["!input", "p", "training", "inplace: bool"], args);
  assertTensor(bound.input, name, "input", 1);
  const { p = 0.5, inplace = false } = bound;
  if (typeof p !== "number") {
    throw new TypeError(`'<' not supported between instances of '${pythonTypeName(p)}' and 'float'`);
  }
  if (Number.isNaN(p)) throw new RuntimeError("dropout probability has to be between 0 and 1, but got nan");
  if (!(p >= 0 && p <= 1)) throw new ValueError(`dropout probability has to be between 0 and 1, but got ${p}`);
  return { input: bound.input, p, training: bound.training ?? training, inplace };
}

function drop({ input, p, training, inplace }: Required<DropoutArguments>, variant: Variant): Tensor {
  if (p === 0 || !training || input.numel() === 0) return input;
  return inplace ? inPlace(input, (old) => thinned(old, p, variant)) : thinned(input, p, variant);
}

function thinned(input: Tensor, p: number, { feature = false, alpha = false }: Variant): Tensor {
  if (p === 1) return mul(input, filled([], 0, input.dtype));
  if (feature && input.ndim < 2) throw new RuntimeError("Feature dropout requires at least 2 dimensions in the input");
  if (!input.dtype.isFloatingPoint) {
    throw new RuntimeError(
      `result type Float can't be cast to the desired output type ${SCALAR_TYPE_NAMES[input.dtype.name]}`,
      { hint: "convert it first: x.float()" },
    );
  }
  // The draws follow the input's order in memory.
  const noise = feature
    ? Tensor.empty(
        input.shape.map((n, d) => (d < 2 ? n : 1)),
        input.dtype,
        input.device,
      )
    : filledLike(input, 0, input.dtype);
  fillBernoulliScalar(noise.storage.data, 1 - p, defaultGenerator);
  if (!alpha) return mul(input, div(noise, 1 - p));
  const a = 1 / Math.sqrt((ALPHA * ALPHA * p + 1) * (1 - p));
  const shift = add(mul(sub(noise, 1), ALPHA * a), ALPHA * a * p);
  return add(mul(input, mul(noise, a)), shift);
}

/** Zeroes each element with probability p, scales the rest by 1 / (1 - p). https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.dropout.html */
export function dropout(input: Tensor, options?: DropoutOptions): Tensor;
export function dropout(...args: unknown[]): Tensor {
  return drop(dropoutArguments("dropout", args), {});
}

/** Zeroes whole channels of [N, C, L] or [C, L]. @throws RuntimeError for other numbers of dimensions. */
export function dropout1d(input: Tensor, options?: DropoutOptions): Tensor;
export function dropout1d(...args: unknown[]): Tensor {
  const bound = dropoutArguments("dropout1d", args);
  const { ndim } = bound.input;
  if (ndim !== 2 && ndim !== 3) {
    throw new RuntimeError(
      `dropout1d: Expected 2D or 3D input, but received a ${ndim}D input. Note that dropout1d exists to provide channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional batch dimension (i.e. 2D or 3D inputs).`,
    );
  }
  if (ndim === 3) return drop(bound, { feature: true });
  if (bound.inplace) {
    drop({ ...bound, input: unsqueeze(bound.input, 0) }, { feature: true });
    return bound.input;
  }
  return squeeze(drop({ ...bound, input: unsqueeze(bound.input, 0) }, { feature: true }), 0);
}

function warnOfRank(name: string, ndim: number, places: string, ranks: string): void {
  warn(
    `${name}: Received a ${ndim}-D input to ${name}, which is deprecated and will result in an error in a future release. To retain the behavior and silence this warning, please use dropout instead. Note that ${name} exists to provide channel-wise dropout on inputs with ${places}, a channel dimension, and an optional batch dimension (i.e. ${ranks} inputs).`,
  );
}

/** Zeroes whole channels of [N, C, H, W]; 3-d inputs count as [N, C, L]. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.dropout2d.html */
export function dropout2d(input: Tensor, options?: DropoutOptions): Tensor;
export function dropout2d(...args: unknown[]): Tensor {
  const bound = dropoutArguments("dropout2d", args);
  const { ndim } = bound.input;
  if (ndim !== 3 && ndim !== 4) warnOfRank("dropout2d", ndim, "2 spatial dimensions", "3D or 4D");
  if (ndim === 3) {
    warn(
      "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired - input is interpreted as shape (N, C, L), where C is the channel dim. This behavior will change in a future release to interpret the input as one without a batch dimension, i.e. shape (C, H, W). To maintain the 1D channel-wise dropout behavior, please switch to using dropout1d instead.",
    );
  }
  return drop(bound, { feature: true });
}

/** Zeroes whole channels of [N, C, D, H, W] or [C, D, H, W]. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.dropout3d.html */
export function dropout3d(input: Tensor, options?: DropoutOptions): Tensor;
export function dropout3d(...args: unknown[]): Tensor {
  const bound = dropoutArguments("dropout3d", args);
  const { ndim } = bound.input;
  if (ndim !== 4 && ndim !== 5) warnOfRank("dropout3d", ndim, "3 spatial dimensions", "4D or 5D");
  if (ndim === 5) return drop(bound, { feature: true });
  const dropped = drop({ ...bound, input: unsqueeze(bound.input, 0) }, { feature: true });
  return bound.inplace ? bound.input : squeeze(dropped, 0);
}

/** Dropout that keeps mean and variance of selu's outputs. Does nothing unless `training`. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.alpha_dropout.html */
export function alphaDropout(input: Tensor, options?: DropoutOptions): Tensor;
export function alphaDropout(...args: unknown[]): Tensor {
  return drop(dropoutArguments("alpha_dropout", args, false), { alpha: true });
}

/** As alphaDropout for whole channels. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.feature_alpha_dropout.html */
export function featureAlphaDropout(input: Tensor, options?: DropoutOptions): Tensor;
export function featureAlphaDropout(...args: unknown[]): Tensor {
  return drop(dropoutArguments("feature_alpha_dropout", args, false), { alpha: true, feature: true });
}
