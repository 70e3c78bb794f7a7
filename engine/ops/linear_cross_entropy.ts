/** A linear layer and the cross entropy of what it gives. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.linear_cross_entropy.html */
import { bind } from "../core/arguments.ts";
import { RuntimeError } from "../core/errors.ts";
import { sameShape } from "../core/shape.ts";
import { assertTensor, type Tensor } from "../core/tensor.ts";
import { type CrossEntropyOptions, crossEntropy } from "./loss.ts";
import { linear } from "./matmul.ts";
import { reshape } from "./view.ts";

export interface LinearCrossEntropyOptions extends Omit<CrossEntropyOptions, "ignoreIndex"> {
  /** Added to the scores, of the weight's shape without its last axis. Default none. */
  linearBias?: Tensor | null;
  /** A class that doesn't count; not with probabilities as target. Default -100. */
  ignoreIndex?: number | null;
}

interface LinearCrossEntropyArguments extends LinearCrossEntropyOptions {
  input: Tensor;
  linearWeight: Tensor;
  target: Tensor;
}

const tuple = (shape: readonly number[]) => (shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`);

/**
 * crossEntropy(linear(input, linearWeight, linearBias), target).
 *
 * @param input [N, inFeatures] or [inFeatures]
 * @param linearWeight [classes, inFeatures], or [classes, ...outFeatures, inFeatures] for several targets a sample
 * @param target as crossEntropy's
 */
export function linearCrossEntropy(
  input: Tensor,
  linearWeight: Tensor,
  target: Tensor,
  options?: LinearCrossEntropyOptions,
): Tensor;
export function linearCrossEntropy(...args: unknown[]): Tensor {
  const {
    input,
    linearWeight,
    target,
    linearBias = null,
    ignoreIndex = null,
    ...rest
  } = bind<LinearCrossEntropyArguments>(
    "linear_cross_entropy",
    ["!input", "!linearWeight", "!target", "*", "linearBias", "weight", "reduction", "ignoreIndex", "labelSmoothing"],
    args,
  );
  assertTensor(input, "linear_cross_entropy", "input", 1);
  assertTensor(linearWeight, "linear_cross_entropy", "linear_weight", 2);
  assertTensor(target, "linear_cross_entropy", "target", 3);
  if (input.ndim < 1 || input.ndim > 2) {
    throw new RuntimeError(`expected input with dimensionality 1 or 2, got ${input.ndim}`);
  }
  if (linearWeight.ndim < 2) {
    throw new RuntimeError(`expected linear_weight with dimensionality at least 2, got ${linearWeight.ndim}`);
  }
  const batch = input.shape.slice(0, -1);
  const inFeatures = input.shape.at(-1)!;
  if (inFeatures !== linearWeight.shape.at(-1)) {
    throw new RuntimeError(
      `expected equal input and linear_weight last dimensions (in_features), got ${inFeatures} and ${linearWeight.shape.at(-1)}, respectively`,
      { shapes: [input.shape, linearWeight.shape] },
    );
  }
  const [classes, ...outFeatures] = linearWeight.shape.slice(0, -1) as [number, ...number[]];
  if (linearBias && !sameShape(linearBias.shape, [classes, ...outFeatures])) {
    throw new RuntimeError(
      `expected linear_bias shape ${tuple([classes, ...outFeatures])}, got ${tuple(linearBias.shape)}`,
    );
  }
  if (outFeatures.length > 0 && batch.length === 0) {
    throw new RuntimeError(
      `K-dimensional loss defined by linear_weight shape ${tuple(linearWeight.shape)} requires batched input, (N, ${inFeatures}), got unbatched input with shape ${tuple(input.shape)}`,
    );
  }
  const scored = [...batch, classes, ...outFeatures];
  if (sameShape(target.shape, scored) && ignoreIndex !== null) {
    throw new RuntimeError("ignore_index cannot be specified when target contains probabilities");
  }
  const weight = outFeatures.length > 0 ? reshape(linearWeight, [-1, inFeatures]) : linearWeight;
  const bias = linearBias && outFeatures.length > 0 ? reshape(linearBias, [-1]) : linearBias;
  const scores = reshape(linear(input, weight, bias), scored);
  return crossEntropy(scores, target, { ...rest, ignoreIndex: ignoreIndex ?? -100 });
}
