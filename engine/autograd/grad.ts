/** torch.autograd.backward and grad: gradients into the leaves, or returned. */
import { RuntimeError, TypeError, ValueError } from "../core/errors.ts";
import { pythonTypeName, Tensor } from "../core/tensor.ts";
import { filled } from "../ops/operands.ts";
import { accumulatorOf, edgeOf } from "../ops/registry.ts";
import { type Captures, checkGradientShape, type SweepOptions, sweep } from "./backward.ts";

type OneOrMany<T> = T | readonly T[];

function listOf<T>(value: OneOrMany<T> | null | undefined): T[] {
  if (value === null || value === undefined) return [];
  return Array.isArray(value) ? [...value] : [value as T];
}

/** Gradients of the outputs, as many as there are outputs where any are given. */
function gradientsFor(outputs: readonly Tensor[], given: OneOrMany<Tensor | null> | null | undefined) {
  const gradients = listOf(given);
  for (const gradient of gradients) {
    if (gradient === null || gradient === undefined || gradient instanceof Tensor) continue;
    throw new TypeError(`gradients can be either Tensors or None, but got ${pythonTypeName(gradient)}`);
  }
  for (const [i, output] of outputs.entries()) checkGradientShape(output, gradients[i], i);
  if (gradients.length > 0 && gradients.length < outputs.length) {
    throw new RuntimeError(`got ${outputs.length} tensors and ${gradients.length} gradients`);
  }
  return gradients.slice(0, outputs.length);
}

/** Which gradients a sweep is to stop for. */
function capturesOf(inputs: readonly Tensor[]): Captures {
  const captures: Captures = new Map();
  inputs.forEach((input, position) => {
    const edge = edgeOf(input);
    if (!edge) {
      throw new RuntimeError("One of the differentiated Tensors does not require grad", {
        hint: "create it with { requiresGrad: true }",
      });
    }
    edge.node.restore();
    const ofNode = captures.get(edge.node) ?? new Map<number, number[]>();
    captures.set(edge.node, ofNode);
    ofNode.set(edge.index, [...(ofNode.get(edge.index) ?? []), position]);
  });
  return captures;
}

export interface BackwardOptions extends SweepOptions {
  /** The tensors whose `.grad` is wanted, leaves or not; all others are left alone. Default: all leaves. */
  inputs?: OneOrMany<Tensor> | null;
}

/**
 * Adds the gradients of `tensors` to the leaves they came from.
 * https://docs.pytorch.org/docs/2.13/generated/torch.autograd.backward.html
 * @param gradTensors gradients of the tensors themselves; may be absent for scalars
 * @throws RuntimeError for a tensor that is no function of a leaf that requires a gradient
 */
export function backward(
  tensors: OneOrMany<Tensor>,
  gradTensors?: OneOrMany<Tensor | null> | null,
  options: BackwardOptions = {},
): void {
  const outputs = listOf(tensors);
  const gradients = gradientsFor(outputs, gradTensors);
  if (!options.inputs) {
    sweep(outputs, gradients, options);
    return;
  }
  const inputs = listOf(options.inputs);
  if (inputs.length === 0) throw new RuntimeError("`inputs` argument to `backward()` cannot be empty.");
  const found = sweep(outputs, gradients, options, capturesOf(inputs));
  inputs.forEach((input, i) => {
    const gradient = found[i];
    if (gradient && input.isLeaf) accumulatorOf(input).run([gradient]);
    else if (gradient) input.grad = input.grad ? input.grad.add(gradient) : gradient;
  });
}

export interface GradOptions extends SweepOptions {
  /** Gradients of the outputs. Default: 1, for scalars. */
  gradOutputs?: OneOrMany<Tensor | null> | null;
  /** Gives null for inputs that the outputs do not depend on, instead of throwing. Default: materializeGrads. */
  allowUnused?: boolean;
  /** Gives zeros for inputs that the outputs do not depend on. Default false. */
  materializeGrads?: boolean;
}

/**
 * Gradients of the outputs with respect to the inputs, returned; `.grad` stays as it is.
 * https://docs.pytorch.org/docs/2.13/generated/torch.autograd.grad.html
 * @throws RuntimeError for an input that requires no gradient or takes no part, unless allowUnused
 */
export function grad(
  outputs: OneOrMany<Tensor>,
  inputs: OneOrMany<Tensor>,
  options: GradOptions = {},
): (Tensor | null)[] {
  const { materializeGrads = false, allowUnused = materializeGrads } = options;
  if (materializeGrads && !allowUnused) {
    throw new ValueError(
      "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False.",
    );
  }
  const [roots, wanted] = [listOf(outputs), listOf(inputs)];
  if (wanted.length === 0) throw new RuntimeError("`inputs` argument to `grad()` cannot be empty.");
  const found = sweep(roots, gradientsFor(roots, options.gradOutputs), options, capturesOf(wanted));
  return wanted.map((input, i) => {
    const gradient = found[i] ?? null;
    if (!gradient && !allowUnused) {
      throw new RuntimeError(
        `The differentiated Tensor at index ${i} appears to not have been used in the graph. Set allow_unused=True if this is the desired behavior.`,
        { hint: "pass { allowUnused: true } to get null for it" },
      );
    }
    return gradient ?? (materializeGrads ? filled(input.shape, 0, input.dtype) : null);
  });
}
