/** What the losses refuse, in PyTorch's words and in the order in which it looks. */
import type { DType } from "../core/dtype.ts";
import { NotImplementedError, RuntimeError, ValueError } from "../core/errors.ts";
import { SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { sameShape, sizeText } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";
import type { ClassArguments } from "./loss.ts";

/** @throws NotImplementedError for integers, which the losses have no kernels for. */
export function checkLossDtype(kernel: string, dtype: DType): void {
  if (dtype.isFloatingPoint) return;
  throw new NotImplementedError(`"${kernel}" not implemented for '${SCALAR_TYPE_NAMES[dtype.name]}'`, {
    hint: "convert it first: x.float()",
  });
}

function checkIndexDtype({ dtype }: Tensor, byteToo: boolean): void {
  if (dtype.name === "int64" || (byteToo && dtype.name === "uint8")) return;
  const name = SCALAR_TYPE_NAMES[dtype.name];
  throw new RuntimeError(
    dtype.name === "uint8"
      ? `expected scalar type Long but found ${name}`
      : `expected target dtype to be Long or Byte, but got ${name}`,
    { hint: "class indices are integers: target.long()" },
  );
}

/** @throws RuntimeError for a tensor of another dtype than a kernel reads. */
export function checkScalarType({ dtype }: Tensor, wanted: DType): void {
  if (dtype === wanted) return;
  throw new RuntimeError(
    `expected scalar type ${SCALAR_TYPE_NAMES[wanted.name]} but found ${SCALAR_TYPE_NAMES[dtype.name]}`,
  );
}

/** Scores [N, C] or [C] and one class for each sample. */
function checkRows(bound: ClassArguments): void {
  const { input, target, weight } = bound;
  if (target.ndim > 1) {
    throw new RuntimeError("0D or 1D target tensor expected, multi-target not supported", {
      shapes: [input.shape, target.shape],
    });
  }
  checkIndexDtype(target, true);
  if (input.ndim === 1 && target.ndim === 1 && target.shape[0] !== 1) {
    throw new ValueError(`For 1D input, 1D target must have size 1, but got target size: ${target.shape[0]}`);
  }
  const classes = input.shape.at(-1)!;
  if (weight && (weight.ndim !== 1 || weight.numel() !== classes)) {
    throw new RuntimeError(
      `weight tensor should be defined either for all ${classes} classes or no classes but got weight tensor of shape: ${sizeText(weight.shape)}`,
    );
  }
  checkLossDtype("nll_loss_out_frame", input.dtype);
  if (weight) checkScalarType(weight, input.dtype);
}

/** Scores [N, C, …] and one class for each place; PyTorch has a kernel for images and lays everything else out as one. */
function checkPlaces(bound: ClassArguments): void {
  const { input, target, weight } = bound;
  const shapes = [input.shape, target.shape];
  const wanted = [input.shape[0]!, ...input.shape.slice(2)];
  if (input.ndim !== 4 && !sameShape(target.shape.slice(1), wanted.slice(1))) {
    throw new RuntimeError(`Expected target size ${sizeText(wanted)}, got ${sizeText(target.shape)}`, { shapes });
  }
  if (input.ndim === 4 && target.ndim !== 3) {
    throw new RuntimeError(
      `only batches of spatial targets supported (3D tensors) but got targets of dimension: ${target.ndim}`,
      { shapes },
    );
  }
  checkIndexDtype(target, true);
  if (weight && weight.numel() !== input.shape[1]) {
    throw new RuntimeError("weight tensor should be defined either for all or no classes");
  }
  if (!sameShape(target.shape, wanted)) {
    // PyTorch leaves the bracket open.
    throw new RuntimeError(`size mismatch (got input: ${sizeText(input.shape)} , target: ${sizeText(target.shape)}`, {
      shapes,
    });
  }
  checkLossDtype("nll_loss2d_forward_out_frame", input.dtype);
  checkIndexDtype(target, false);
  if (weight) checkScalarType(weight, input.dtype);
}

/** @throws where class indices do not fit the scores. */
export function checkClassTarget(bound: ClassArguments): void {
  const { input, target } = bound;
  if (input.ndim < 1) throw new ValueError(`Expected 1 or more dimensions (got ${input.ndim})`);
  if (input.ndim !== 1 && input.shape[0] !== (target.shape[0] ?? null)) {
    throw new ValueError(
      `Expected input batch_size (${input.shape[0]}) to match target batch_size (${target.shape[0] ?? 0}).`,
      { shapes: [input.shape, target.shape] },
    );
  }
  if (input.ndim <= 2) checkRows(bound);
  else checkPlaces(bound);
}

/** @throws RuntimeError for a share below 0 or above 1. */
export function checkSmoothing(share: number): void {
  if (share >= 0 && share <= 1) return;
  throw new RuntimeError(`label_smoothing must be between 0.0 and 1.0. Got: ${share}`);
}

/** @throws RuntimeError where a target in the scores' shape is no probability, or the options mean class indices. */
export function checkProbabilityTarget({ input, target, weight, ignoreIndex, labelSmoothing }: ClassArguments): void {
  if (!target.dtype.isFloatingPoint) {
    throw new RuntimeError(
      `Expected floating point type for target with class probabilities, got ${SCALAR_TYPE_NAMES[target.dtype.name]}`,
      { hint: "a target of the scores' shape holds probabilities; class indices have one dimension less" },
    );
  }
  if (ignoreIndex >= 0) throw new RuntimeError("ignore_index is not supported for floating point target");
  checkSmoothing(labelSmoothing);
  const classes = input.shape[input.ndim === 1 ? 0 : 1];
  if (weight && (weight.ndim !== 1 || weight.numel() !== classes)) {
    throw new RuntimeError(
      `cross_entropy: weight tensor should be defined either for all ${classes} classes or no classes but got weight tensor of shape: ${sizeText(weight.shape)}`,
    );
  }
}
