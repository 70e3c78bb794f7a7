/** Backward of an operation whose own kernels leave nothing to differentiate: the operation in terms of others. */
import { grad } from "../autograd/grad.ts";
import { enableGrad } from "../autograd/mode.ts";
import type { Context } from "../autograd/node.ts";
import type { Tensor } from "../core/tensor.ts";
import { filled } from "./operands.ts";
import { view } from "./view.ts";

/**
 * Gradients of an operation's inputs, recorded, where `spelledOut` computes the same outputs from differentiable operations.
 * @param saved the inputs, in order
 */
export function spelledOutBackward<A>(
  ctx: Context<A>,
  spelledOut: (inputs: (Tensor | null)[]) => Tensor[],
  saved: readonly (Tensor | null)[],
  grads: readonly (Tensor | null)[],
): (Tensor | null)[] {
  // Views of the inputs stand for them: what an input itself was made of is the outer sweep's business.
  const inputs = saved.map((input) => (input ? view(input, input.shape) : null));
  const outputs = enableGrad(() => spelledOut(inputs));
  const gradOutputs = outputs.map(({ shape, dtype }, i) => grads[i] ?? filled(shape, 0, dtype));
  const wanted = inputs.filter((input, i) => input !== null && ctx.needs[i]) as Tensor[];
  const found = grad(outputs, wanted, { gradOutputs, createGraph: true, allowUnused: true });
  return inputs.map((input) => (input && wanted.includes(input) ? (found[wanted.indexOf(input)] ?? null) : null));
}
