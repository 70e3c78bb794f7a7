/** Derivatives held against differences of the function itself. https://docs.pytorch.org/docs/2.13/autograd.html#numerical-gradient-checking */
import { float64 } from "../core/dtype.ts";
import { RuntimeError, ValueError } from "../core/errors.ts";
import { sameShape } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";
import { warn } from "../core/warnings.ts";
import { allclose } from "../ops/comparison.ts";
import { clone } from "../ops/copy.ts";
import { filled } from "../ops/operands.ts";
import { rand } from "../ops/random.ts";
import { Function, type FunctionCtx } from "./function.ts";
import { grad } from "./grad.ts";

type OneOrMany = Tensor | readonly Tensor[];
type Differentiated = (...inputs: Tensor[]) => OneOrMany;

/** What gradcheck throws when two derivatives of a function differ. */
export class GradcheckError extends RuntimeError {
  constructor(message: string) {
    super(message);
    this.name = "GradcheckError";
  }
}

export interface GradcheckOptions {
  /** By how much an input is moved in either direction. Default 1e-6. */
  eps?: number;
  /** How far the derivatives may be apart absolutely. Default 1e-5. */
  atol?: number;
  /** How far they may be apart in proportion. Default 1e-3. */
  rtol?: number;
  /** Whether a difference throws a GradcheckError; else the answer is false. Default true. */
  raiseException?: boolean;
  /** How far two runs of the same backward may be apart. Default 0. */
  nondetTol?: number;
  /** Whether missing gradients of outputs have to count as zeros. Default true. */
  checkUndefinedGrad?: boolean;
  /** Whether gradients must have the dtype of their inputs. Default false. */
  checkGradDtypes?: boolean;
}

export interface GradgradcheckOptions extends GradcheckOptions {
  /** Gradients of the outputs. Default: random numbers from -1 to 1. */
  gradOutputs?: OneOrMany | null;
}

/**
 * Compares the derivatives that backward gives with differences of `func` at `inputs`, for each input that requires a
 * gradient; these should be float64.
 * https://docs.pytorch.org/docs/2.13/generated/torch.autograd.gradcheck.gradcheck.html
 * @returns true where they agree
 * @throws GradcheckError where they do not, unless raiseException is false
 * @throws ValueError where no input requires a gradient
 */
export function gradcheck(func: Differentiated, inputs: OneOrMany, options: GradcheckOptions = {}): boolean {
  try {
    check(func, listOf(inputs), options);
    return true;
  } catch (error) {
    if (options.raiseException === false && error instanceof GradcheckError) return false;
    throw error;
  }
}

/**
 * As gradcheck for the gradients that backward computes: whether their derivatives are right.
 * https://docs.pytorch.org/docs/2.13/generated/torch.autograd.gradcheck.gradgradcheck.html
 * @throws GradcheckError where they are not, unless raiseException is false
 */
export function gradgradcheck(func: Differentiated, inputs: OneOrMany, options: GradgradcheckOptions = {}): boolean {
  const given = listOf(inputs);
  const gradOutputs = options.gradOutputs
    ? listOf(options.gradOutputs)
    : differentiable(func(...given)).map(({ shape, dtype }) =>
        rand([...shape], { dtype: dtype.isFloatingPoint ? dtype : float64 })
          .mul(2)
          .sub(1)
          .requiresGrad_(),
      );
  const wanted = given.map((input) => input.requiresGrad);
  const gradients: Differentiated = (...all) => {
    const [args, grads] = [all.slice(0, given.length), all.slice(given.length)];
    return grad(
      differentiable(func(...args)),
      args.filter((_, i) => wanted[i]),
      { gradOutputs: grads, createGraph: true, allowUnused: true },
    ).filter((gradient) => gradient !== null);
  };
  return gradcheck(gradients, [...given, ...gradOutputs], options);
}

function listOf(value: OneOrMany): Tensor[] {
  return value instanceof Tensor ? [value] : [...value];
}

function differentiable(outputs: OneOrMany): Tensor[] {
  return listOf(outputs).filter((output) => output.requiresGrad);
}

function check(func: Differentiated, inputs: readonly Tensor[], options: GradcheckOptions): void {
  const { eps = 1e-6, atol = 1e-5, rtol = 1e-3, nondetTol = 0, checkGradDtypes = false } = options;
  checkInputs(inputs);
  const wanted = inputs.filter((input) => input.requiresGrad);
  const outputs = listOf(func(...inputs));
  const numerical = numericalJacobians(func, inputs, wanted, outputs, eps);
  if (outputs.every((output) => !output.requiresGrad)) {
    if (numerical.flat().every((jacobian) => isZero(jacobian))) return;
    throw new GradcheckError("Numerical gradient for function expected to be zero");
  }
  let number = 0;
  outputs.forEach((output, i) => {
    if (!output.requiresGrad) return;
    const analytical = analyticalJacobians(output, wanted, nondetTol, checkGradDtypes);
    analytical.forEach((jacobian, j) => {
      const expected = numerical[i]?.[j];
      if (!expected || allclose(jacobian, expected, { rtol, atol })) return;
      throw new GradcheckError(
        `Jacobian mismatch for output ${number} with respect to input ${j},\nnumerical:${expected}\nanalytical:${jacobian}\n`,
      );
    });
    number++;
  });
  const results = outputs.filter((output) => output.requiresGrad);
  checkLinear(results, wanted);
  if (options.checkUndefinedGrad ?? true) checkUndefined(func, inputs, wanted);
}

function checkInputs(inputs: readonly Tensor[]): void {
  inputs.forEach((input, i) => {
    if (!input.requiresGrad) return;
    if (input.dtype !== float64) {
      warn(
        `Input #${i} requires gradient and is not a double precision floating point or complex. This check will likely fail if all the inputs are not of double precision floating point or complex. `,
      );
    }
    if (input.strides.some((stride, dim) => stride === 0 && (input.shape[dim] ?? 0) > 1)) {
      throw new RuntimeError(
        `The ${i}th input has a dimension with stride 0. gradcheck only supports inputs that are non-overlapping to be able to compute the numerical gradients correctly. You should call .contiguous on the input before passing it to gradcheck.`,
      );
    }
  });
  if (inputs.some((input) => input.requiresGrad)) return;
  throw new ValueError(
    "gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True.",
  );
}

/** For each output and each input [elements of the input, elements of the output]. */
function numericalJacobians(
  func: Differentiated,
  inputs: readonly Tensor[],
  wanted: readonly Tensor[],
  outputs: readonly Tensor[],
  eps: number,
): Tensor[][] {
  const jacobians = outputs.map((output) =>
    wanted.map((input) => filled([input.numel(), output.numel()], 0, input.dtype)),
  );
  // The values of each output where an input was moved; copied, since func may give the input back.
  const values = () => listOf(func(...inputs)).map((output) => output.denseData().slice());
  wanted.forEach((input, j) => {
    positionsOf(input).forEach((at, row) => {
      const { data } = input.storage;
      const original = data[at] ?? 0;
      data[at] = original - eps;
      const below = values();
      data[at] = original + eps;
      const above = values();
      data[at] = original;
      outputs.forEach((output, i) => {
        const target = jacobians[i]?.[j]?.storage.data;
        const count = output.numel();
        for (let k = 0; target && k < count; k++) {
          target[row * count + k] = ((above[i]?.[k] ?? 0) - (below[i]?.[k] ?? 0)) / (2 * eps);
        }
      });
    });
  });
  return jacobians;
}

/** Where each element lies in the storage, in row-major order. */
function positionsOf({ shape, strides, offset }: Tensor): number[] {
  return shape.reduce(
    (found, size, dim) => found.flatMap((at) => Array.from({ length: size }, (_, i) => at + i * (strides[dim] ?? 0))),
    [offset],
  );
}

/** For each input [elements of the input, elements of the output], row by row from backward. */
function analyticalJacobians(
  output: Tensor,
  wanted: readonly Tensor[],
  nondetTol: number,
  checkGradDtypes: boolean,
): Tensor[] {
  const first = backwardOfEach(output, wanted, checkGradDtypes);
  const second = backwardOfEach(output, wanted, checkGradDtypes);
  const repeats = first.every((jacobian, j) => {
    const other = second[j];
    return other !== undefined && allclose(jacobian, other, { rtol: 0, atol: nondetTol });
  });
  if (!repeats) {
    throw new GradcheckError(
      `Backward is not reentrant, i.e., running backward with same input and grad_output multiple times gives different values, although analytical gradient matches numerical gradient.The tolerance for nondeterminism was ${nondetTol.toFixed(1)}.`,
    );
  }
  return first;
}

function backwardOfEach(output: Tensor, wanted: readonly Tensor[], checkGradDtypes: boolean): Tensor[] {
  const count = output.numel();
  const jacobians = wanted.map((input) => filled([input.numel(), count], 0, input.dtype));
  const end = clone(output);
  for (let k = 0; k < count; k++) {
    const direction = filled(output.shape, 0, output.dtype);
    direction.storage.data[k] = 1;
    const gradients = grad(end, wanted, { gradOutputs: direction, retainGraph: true, allowUnused: true });
    gradients.forEach((gradient, j) => {
      const [input, target] = [wanted[j], jacobians[j]?.storage.data];
      if (!gradient || !input || !target) return;
      if (checkGradDtypes && gradient.dtype !== input.dtype) throw new GradcheckError("Gradient has dtype mismatch");
      if (!sameShape(gradient.shape, input.shape)) throw new GradcheckError("Analytical gradient has incorrect size");
      gradient.denseData().forEach((value, row) => {
        target[row * count + k] = value;
      });
    });
  }
  return jacobians;
}

/** A gradient of zeros has to give zeros. */
function checkLinear(outputs: readonly Tensor[], wanted: readonly Tensor[]): void {
  const zeros = outputs.map((output) => filled(output.shape, 0, output.dtype));
  for (const gradient of grad(outputs, wanted, { gradOutputs: zeros, allowUnused: true })) {
    if (gradient && !isZero(gradient)) throw new GradcheckError("backward not multiplied by grad_output");
  }
}

/** Passes a tensor on and keeps its gradient back. */
class UndefinedGrad extends Function {
  static override forward(_: FunctionCtx, x: Tensor): Tensor {
    return clone(x);
  }

  static override backward(): null {
    return null;
  }
}

const LOOK_UP = 'Please look at "Notes about undefined output gradients" in "tools/autograd/derivatives.yaml"';

/** Outputs whose gradient never arrives count as zeros: all of them, and each by itself. */
function checkUndefined(func: Differentiated, inputs: readonly Tensor[], wanted: readonly Tensor[]): void {
  const count = differentiable(func(...inputs)).length;
  const attempts = count > 1 ? [null, ...Array.from({ length: count }, (_, i) => i)] : [null];
  for (const missing of attempts) {
    const outputs = differentiable(func(...inputs)).map((output, i) =>
      missing === null || missing === i ? UndefinedGrad.apply(output) : output,
    );
    const zeros = outputs.map((output) => filled(output.shape, 0, output.dtype));
    let gradients: (Tensor | null)[];
    try {
      gradients = grad(outputs, wanted, { gradOutputs: zeros, allowUnused: true });
    } catch {
      throw new GradcheckError(`Expected backward function to handle undefined output grads. ${LOOK_UP}`);
    }
    if (gradients.every((gradient) => !gradient || isZero(gradient))) continue;
    throw new GradcheckError(
      `Expected all input grads to be undefined or zero when all output grads are undefined or zero. ${LOOK_UP}`,
    );
  }
}

function isZero(x: Tensor): boolean {
  return x.denseData().every((value) => value === 0);
}
