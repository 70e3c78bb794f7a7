/** Running the hooks on a node of the graph, with PyTorch's checks of what they return. */
import { RuntimeError, TypeError } from "../core/errors.ts";
import { sameShape } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";
import { type Gradients, type Node, TYPE_NAMES } from "./node.ts";

function nameOf(hook: { readonly name: string }): string {
  return hook.name === "" ? "<lambda>" : hook.name;
}

/** Hooks on the gradients of a node's outputs; `grads` holds their replacements afterwards. */
export function applyTensorHooks(node: Node, grads: (Tensor | null)[]): void {
  if (!node.hooks) return;
  for (const { output, hook } of [...node.hooks.tensor]) {
    const grad = grads[output];
    if (grad) grads[output] = replacement(hook, grad, hook(grad));
  }
  for (const [output, keep] of node.hooks.retain) {
    const grad = grads[output];
    if (grad) keep(grad);
  }
}

/** `x => list.push(x)` returns a number by accident of syntax: only tensors replace a gradient. */
function replacement(hook: { readonly name: string }, grad: Tensor, returned: unknown): Tensor {
  if (typeof returned !== "object" || returned === null) return grad;
  const made = returned as Tensor;
  if (!Array.isArray(made.shape)) throw new TypeError(`expected Variable, but hook returned 'dict'`);
  if (made.dtype !== grad.dtype) {
    throw new RuntimeError(
      `hook '${nameOf(hook)}' has changed the type of value (was torch.${TYPE_NAMES[grad.dtype.name]} got torch.${TYPE_NAMES[made.dtype.name]})`,
    );
  }
  if (!sameShape(made.shape, grad.shape)) {
    throw new RuntimeError(`hook '${nameOf(hook)}' has changed the size of value`, {
      shapes: [grad.shape, made.shape],
    });
  }
  return made;
}

/** The gradients of a node's outputs as its prehooks leave them. */
export function applyPrehooks(node: Node, gradOutputs: Gradients): Gradients {
  let grads = gradOutputs;
  for (const { hook } of [...(node.hooks?.pre ?? [])]) grads = replaced(hook, grads, hook(grads));
  return grads;
}

/** The gradients of a node's inputs as its hooks leave them. */
export function applyNodeHooks(node: Node, gradInputs: Gradients, gradOutputs: Gradients): Gradients {
  let grads = gradInputs;
  for (const { hook } of [...(node.hooks?.post ?? [])]) grads = replaced(hook, grads, hook(grads, gradOutputs));
  return grads;
}

function replaced(hook: { readonly name: string }, grads: Gradients, returned: unknown): Gradients {
  if (!Array.isArray(returned)) return grads;
  const made: Gradients = returned;
  if (made.length !== grads.length) {
    throw new RuntimeError(
      `hook '${nameOf(hook)}' has returned an incorrect number of values (got ${made.length}, but expected ${grads.length})`,
    );
  }
  return made.map((value, i) => {
    const grad = grads[i];
    return value && grad ? replacement(hook, grad, value) : value;
  });
}
