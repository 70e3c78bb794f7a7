/** `torch.autograd`. https://docs.pytorch.org/docs/2.13/autograd.html */
import { RuntimeError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import { edgeOf } from "../ops/registry.ts";
import { type SweepOptions, sweep } from "./backward.ts";
import type { Node } from "./node.ts";

export type { SweepOptions } from "./backward.ts";
export { Node } from "./node.ts";

type OneOrMany<T> = T | readonly T[];

function listOf<T>(value: OneOrMany<T> | null | undefined): T[] {
  if (value === null || value === undefined) return [];
  return Array.isArray(value) ? [...value] : [value as T];
}

/**
 * Adds the gradients of `tensors` to the leaves they came from.
 * @param gradTensors gradients of the tensors themselves; may be absent for scalars
 */
export function backward(
  tensors: OneOrMany<Tensor>,
  gradTensors?: OneOrMany<Tensor | null> | null,
  options: SweepOptions = {},
): void {
  sweep(listOf(tensors), listOf(gradTensors), options);
}

export interface GradOptions extends SweepOptions {
  /** Gradients of the outputs; may be absent for scalars. */
  gradOutputs?: OneOrMany<Tensor | null> | null;
  /** Gives null for inputs that the outputs do not depend on, instead of throwing. Default false. */
  allowUnused?: boolean;
}

/**
 * Gradients of the outputs with respect to the inputs, returned; `.grad` stays as it is.
 * @throws RuntimeError for an input that requires no gradient or takes no part, unless allowUnused
 */
export function grad(
  outputs: OneOrMany<Tensor>,
  inputs: OneOrMany<Tensor>,
  options: GradOptions = {},
): (Tensor | null)[] {
  const wanted = listOf(inputs);
  const captures = new Map<Node, Map<number, number[]>>();
  wanted.forEach((input, position) => {
    const edge = edgeOf(input);
    if (!edge) {
      throw new RuntimeError("One of the differentiated Tensors does not require grad", {
        hint: "create it with { requiresGrad: true }",
      });
    }
    const ofNode = captures.get(edge.node) ?? new Map<number, number[]>();
    captures.set(edge.node, ofNode);
    ofNode.set(edge.index, [...(ofNode.get(edge.index) ?? []), position]);
  });
  const found = sweep(listOf(outputs), listOf(options.gradOutputs), options, captures);
  return wanted.map((_, i) => {
    const gradient = found[i] ?? null;
    if (!gradient && !options.allowUnused) {
      throw new RuntimeError(
        `The differentiated Tensor at index ${i} appears to not have been used in the graph. Set allow_unused=True if this is the desired behavior.`,
        { hint: "pass { allowUnused: true } to get null for it" },
      );
    }
    return gradient;
  });
}
