/** Jacobians, Hessians and products with them. https://docs.pytorch.org/docs/2.13/autograd.html#functional-higher-level-api */
import { RuntimeError, TypeError } from "../core/errors.ts";
import { sameShape, sizeText } from "../core/shape.ts";
import { pythonTypeName, Tensor } from "../core/tensor.ts";
import { stack } from "../ops/joining.ts";
import { filled } from "../ops/operands.ts";
import { grad } from "./grad.ts";
import { enableGrad } from "./mode.ts";

/** One tensor or several. */
export type OneOrMany = Tensor | readonly Tensor[];
/** One tensor for one, several for several. */
export type Alike<T extends OneOrMany> = T extends Tensor ? Tensor : Tensor[];
/** For each output, for each input; without the level of which there is only one. */
export type JacobianOf<O extends OneOrMany, I extends OneOrMany> = O extends Tensor ? Alike<I> : Alike<I>[];
/** For each pair of inputs; one tensor where there is one input. */
export type HessianOf<I extends OneOrMany> = I extends Tensor ? Tensor : Tensor[][];

export interface FunctionalOptions {
  /** Whether the results can be differentiated further. Default false. */
  createGraph?: boolean;
  /** Whether an output that does not depend on an input is an error instead of zeros. Default false. */
  strict?: boolean;
}

type Stage = "back" | "back_trick" | "double_back" | "double_back_trick";
type Kind = "outputs" | "grad_inputs" | "jacobian" | "hessian";

function tensorsOf(value: OneOrMany, argument: string, of: string): Tensor[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  list.forEach((element, i) => {
    if (element instanceof Tensor) return;
    const which = Array.isArray(value) ? `value at index ${i}` : `given ${argument}`;
    throw new TypeError(
      `The ${argument} given to ${of} must be either a Tensor or a tuple of Tensors but the ${which} has type <class '${pythonTypeName(element)}'>.`,
    );
  });
  return list as Tensor[];
}

const OUTPUTS = "outputs of the user-provided function";

/** New tensors for those given, so that what the function itself holds of them does not count. */
function fresh(inputs: readonly Tensor[], createGraph: boolean, needGraph: boolean): Tensor[] {
  return inputs.map((input) =>
    createGraph && input.requiresGrad ? input.viewAs(input) : input.detach().requiresGrad_(needGraph),
  );
}

function released(tensors: readonly Tensor[], createGraph: boolean): Tensor[] {
  return tensors.map((tensor) => (createGraph ? tensor : tensor.detach()));
}

/** As many as were given. */
function shaped<T extends OneOrMany>(tensors: readonly Tensor[], like: T): Alike<T> {
  return (like instanceof Tensor ? tensors[0] : tensors) as Alike<T>;
}

function checkVector(v: readonly Tensor[], others: readonly Tensor[], several: boolean): void {
  if (v.length !== others.length) {
    throw new RuntimeError(
      several
        ? `v is a tuple of invalid length: should be ${others.length} but got ${v.length}.`
        : "The given v should contain a single Tensor.",
    );
  }
  others.forEach((other, i) => {
    const given = v[i];
    if (!given || sameShape(given.shape, other.shape)) return;
    throw new RuntimeError(
      `${several ? `Entry ${i} in ` : ""}v has invalid size: should be torch.Size(${sizeText(other.shape)}) but got torch.Size(${sizeText(given.shape)}).`,
      { shapes: [other.shape, given.shape] },
    );
  });
}

const INDEPENDENT: Record<Kind, (i: number) => string> = {
  outputs: (i) =>
    `Output ${i} of the user-provided function does not require gradients. The outputs must be computed in a differentiable manner from the input when running in strict mode.`,
  grad_inputs: (i) =>
    `The gradient with respect to input ${i} is independent of the inputs of the user-provided function. This is not allowed in strict mode.`,
  jacobian: (i) =>
    `While computing the hessian, found that the jacobian of the user-provided function with respect to input ${i} is independent of the input. This is not allowed in strict mode. You should ensure that your function is twice differentiable and that the jacobian depends on the inputs (this would be violated by a linear function for example).`,
  hessian: (i) =>
    `The hessian of the user-provided function with respect to input ${i} is independent of the input. This is not allowed in strict mode. You should ensure that your function is thrice differentiable and that the hessian depends on the inputs.`,
};

function checkRequiresGrad(tensors: readonly (Tensor | null)[], kind: Kind, strict: boolean): void {
  if (!strict) return;
  tensors.forEach((tensor, i) => {
    if (!tensor) {
      throw new RuntimeError(
        `The output of the user-provided function is independent of input ${i}. This is not allowed in strict mode.`,
      );
    }
    if (!tensor.requiresGrad) throw new RuntimeError(INDEPENDENT[kind](i));
  });
}

/** autograd.grad of those outputs that require a gradient. */
function gradOf(
  outputs: readonly (Tensor | null)[],
  inputs: readonly Tensor[],
  gradOutputs: readonly (Tensor | null)[] | null,
  createGraph: boolean,
  retainGraph = createGraph,
): (Tensor | null)[] {
  const roots: Tensor[] = [];
  const gradients: (Tensor | null)[] = [];
  outputs.forEach((output, i) => {
    if (!output?.requiresGrad) return;
    roots.push(output);
    gradients.push(gradOutputs?.[i] ?? null);
  });
  if (roots.length === 0) return inputs.map(() => null);
  return grad(roots, inputs, { gradOutputs: gradients, allowUnused: true, createGraph, retainGraph });
}

const MISSING: Record<Stage, (i: number) => string> = {
  back: (i) =>
    `The output of the user-provided function is independent of input ${i}. This is not allowed in strict mode.`,
  back_trick: (i) =>
    `The gradient with respect to the input is independent of entry ${i} in the grad_outputs when using the double backward trick to compute forward mode gradients. This is not allowed in strict mode.`,
  double_back: (i) =>
    `The jacobian of the user-provided function is independent of input ${i}. This is not allowed in strict mode.`,
  double_back_trick: (i) =>
    `The hessian of the user-provided function is independent of entry ${i} in the grad_jacobian. This is not allowed in strict mode as it prevents from using the double backward trick to replace forward mode AD.`,
};

/** Zeros where no gradient came. */
function withZeros(
  gradients: readonly (Tensor | null)[],
  references: readonly Tensor[],
  { strict = false, createGraph = false }: FunctionalOptions,
  stage: Stage,
): Tensor[] {
  return references.map((reference, i) => {
    const gradient = gradients[i];
    if (!gradient) {
      if (strict) throw new RuntimeError(MISSING[stage](i));
      return filled(reference.shape, 0, reference.dtype);
    }
    if (strict && createGraph && !gradient.requiresGrad) {
      const what = stage.includes("double") ? "hessian" : "jacobian";
      throw new RuntimeError(
        `The ${what} of the user-provided function is independent of input ${i}. This is not allowed in strict mode when create_graph=True.`,
      );
    }
    return gradient;
  });
}

function vectorFor(
  v: OneOrMany | null | undefined,
  others: readonly Tensor[],
  several: boolean,
  of: string,
  createGraph: boolean,
  otherwise: string,
): Tensor[] | null {
  if (v) {
    const vector = fresh(tensorsOf(v, "v", of), createGraph, false);
    checkVector(vector, others, several);
    return vector;
  }
  if (others.length !== 1 || others[0]?.numel() !== 1)
    throw new RuntimeError(`The vector v can only be None if ${otherwise}`);
  return null;
}

const RETURNS_ONE = "the user-provided function returns a single Tensor with a single element.";
const TAKES_ONE = "the input to the user-provided function is a single Tensor with a single element.";

/**
 * The function's outputs, and v (shaped like the outputs) times its Jacobian.
 * https://docs.pytorch.org/docs/2.13/generated/torch.autograd.functional.vjp.html
 * @param v may be absent where the function gives one number
 */
export function vjp<O extends OneOrMany, I extends OneOrMany>(
  func: (...inputs: Tensor[]) => O,
  inputs: I,
  v?: OneOrMany | null,
  options: FunctionalOptions = {},
): [Alike<O>, Alike<I>] {
  const { createGraph = false, strict = false } = options;
  return enableGrad(() => {
    const args = fresh(tensorsOf(inputs, "inputs", "vjp"), createGraph, true);
    const result = func(...args);
    const outputs = tensorsOf(result, OUTPUTS, "vjp");
    checkRequiresGrad(outputs, "outputs", strict);
    const vector = vectorFor(v, outputs, Array.isArray(result), "vjp", createGraph, RETURNS_ONE);
    const product = withZeros(gradOf(outputs, args, vector, createGraph), args, options, "back");
    return [shaped(released(outputs, createGraph), result), shaped(released(product, createGraph), inputs)];
  });
}

/**
 * The function's outputs, and its Jacobian times v (shaped like the inputs), by differentiating backward.
 * https://docs.pytorch.org/docs/2.13/generated/torch.autograd.functional.jvp.html
 * @param v may be absent where the input is one number
 */
export function jvp<O extends OneOrMany, I extends OneOrMany>(
  func: (...inputs: Tensor[]) => O,
  inputs: I,
  v?: OneOrMany | null,
  options: FunctionalOptions = {},
): [Alike<O>, Alike<O>] {
  const { createGraph = false, strict = false } = options;
  return enableGrad(() => {
    const args = fresh(tensorsOf(inputs, "inputs", "jvp"), createGraph, true);
    const vector = vectorFor(v, args, Array.isArray(inputs), "jvp", createGraph, TAKES_ONE);
    const result = func(...args);
    const outputs = tensorsOf(result, OUTPUTS, "jvp");
    checkRequiresGrad(outputs, "outputs", strict);
    // Backward is linear in these, so their values do not matter.
    const zeros = outputs.map(({ shape, dtype }) => filled(shape, 0, dtype).requiresGrad_());
    const gradients = gradOf(outputs, args, zeros, true);
    checkRequiresGrad(gradients, "grad_inputs", strict);
    const product = withZeros(gradOf(gradients, zeros, vector, createGraph), outputs, options, "back_trick");
    return [shaped(released(outputs, createGraph), result), shaped(released(product, createGraph), result)];
  });
}

/**
 * The derivative of every element of the outputs by every element of the inputs: [...output's shape, ...input's shape].
 * https://docs.pytorch.org/docs/2.13/generated/torch.autograd.functional.jacobian.html
 * @returns a tensor; for several outputs or inputs an array of them; for several of both an array of arrays
 */
export function jacobian<O extends OneOrMany, I extends OneOrMany>(
  func: (...inputs: Tensor[]) => O,
  inputs: I,
  options: FunctionalOptions = {},
): JacobianOf<O, I> {
  const { createGraph = false, strict = false } = options;
  return enableGrad(() => {
    const args = fresh(tensorsOf(inputs, "inputs", "jacobian"), createGraph, true);
    const result = func(...args);
    const outputs = tensorsOf(result, OUTPUTS, "jacobian");
    checkRequiresGrad(outputs, "outputs", strict);
    const blocks = outputs.map((output, i) => {
      const rows = rowsOf(output, i, args, { createGraph, strict });
      const jacobians = args.map((arg, j) =>
        stack(rows.map((row) => row[j] ?? arg)).view([...output.shape, ...arg.shape]),
      );
      return shaped(released(jacobians, createGraph), inputs);
    });
    return (result instanceof Tensor ? blocks[0] : blocks) as JacobianOf<O, I>;
  });
}

/** For each element of an output its gradients by the inputs. */
function rowsOf(
  output: Tensor,
  number: number,
  inputs: readonly Tensor[],
  { createGraph, strict }: { createGraph: boolean; strict: boolean },
): Tensor[][] {
  return Array.from({ length: output.numel() }, (_, k) => {
    const gradients = gradOf([output.reshape(-1).select(0, k)], inputs, null, createGraph, true);
    return inputs.map((input, j) => {
      const gradient = gradients[j];
      if (strict && !gradient) {
        throw new RuntimeError(
          `Output ${number} of the user-provided function is independent of input ${j}. This is not allowed in strict mode.`,
        );
      }
      if (strict && createGraph && !gradient?.requiresGrad) {
        throw new RuntimeError(
          `The jacobian of the user-provided function is independent of input ${number}. This is not allowed in strict mode when create_graph=True.`,
        );
      }
      return gradient ?? filled(input.shape, 0, input.dtype);
    });
  });
}

function checkScalar(result: unknown, of: string): asserts result is Tensor {
  if (!(result instanceof Tensor)) throw new RuntimeError(`The function given to ${of} should return a single Tensor`);
  if (result.numel() === 1) return;
  throw new RuntimeError(`The Tensor returned by the function given to ${of} should contain a single element`);
}

/**
 * The second derivatives of a function that gives one number: [...input's shape, ...input's shape].
 * https://docs.pytorch.org/docs/2.13/generated/torch.autograd.functional.hessian.html
 * @returns a tensor; for several inputs an array of arrays
 */
export function hessian<I extends OneOrMany>(
  func: (...inputs: Tensor[]) => Tensor,
  inputs: I,
  options: FunctionalOptions = {},
): HessianOf<I> {
  const given = tensorsOf(inputs, "inputs", "hessian");
  const single = (...args: Tensor[]): Tensor => {
    const result = func(...args);
    checkRequiresGrad(tensorsOf(result, OUTPUTS, "hessian"), "outputs", options.strict ?? false);
    checkScalar(result, "hessian");
    return result.squeeze();
  };
  const gradients = (...args: Tensor[]): Tensor[] => {
    const first = jacobian(single, args, { createGraph: true });
    checkRequiresGrad(first, "jacobian", options.strict ?? false);
    return first;
  };
  const blocks: Tensor[][] = jacobian(gradients, given, options);
  return (inputs instanceof Tensor ? blocks[0]?.[0] : blocks) as HessianOf<I>;
}

/**
 * The value of a function that gives one number, and v times its Hessian.
 * https://docs.pytorch.org/docs/2.13/generated/torch.autograd.functional.vhp.html
 * @param v shaped like the inputs; may be absent where the input is one number
 */
export function vhp<I extends OneOrMany>(
  func: (...inputs: Tensor[]) => Tensor,
  inputs: I,
  v?: OneOrMany | null,
  options: FunctionalOptions = {},
): [Tensor, Alike<I>] {
  return hessianProduct("vhp", func, inputs, v, options, (gradients, args, vector, createGraph) =>
    withZeros(gradOf(gradients, args, vector, createGraph), args, options, "double_back"),
  );
}

/**
 * The value of a function that gives one number, and its Hessian times v; vhp gives the same with less work.
 * https://docs.pytorch.org/docs/2.13/generated/torch.autograd.functional.hvp.html
 * @param v shaped like the inputs; may be absent where the input is one number
 */
export function hvp<I extends OneOrMany>(
  func: (...inputs: Tensor[]) => Tensor,
  inputs: I,
  v?: OneOrMany | null,
  options: FunctionalOptions = {},
): [Tensor, Alike<I>] {
  return hessianProduct("hvp", func, inputs, v, options, (gradients, args, vector, createGraph) => {
    const zeros = args.map(({ shape, dtype }) => filled(shape, 0, dtype).requiresGrad_());
    const doubled = gradOf(gradients, args, zeros, true);
    checkRequiresGrad(gradients, "hessian", options.strict ?? false);
    return withZeros(gradOf(doubled, zeros, vector, createGraph), args, options, "double_back_trick");
  });
}

function hessianProduct<I extends OneOrMany>(
  name: string,
  func: (...inputs: Tensor[]) => Tensor,
  inputs: I,
  v: OneOrMany | null | undefined,
  { createGraph = false, strict = false }: FunctionalOptions,
  product: (gradients: (Tensor | null)[], args: Tensor[], vector: Tensor[] | null, createGraph: boolean) => Tensor[],
): [Tensor, Alike<I>] {
  return enableGrad(() => {
    const args = fresh(tensorsOf(inputs, "inputs", name), createGraph, true);
    const vector = vectorFor(v, args, Array.isArray(inputs), name, createGraph, TAKES_ONE);
    const result = func(...args);
    checkRequiresGrad(tensorsOf(result, OUTPUTS, name), "outputs", strict);
    checkScalar(result, name);
    const gradients = gradOf([result], args, null, true);
    checkRequiresGrad(gradients, "jacobian", strict);
    const products = product(gradients, args, vector, createGraph);
    return [createGraph ? result : result.detach(), shaped(released(products, createGraph), inputs)];
  });
}
