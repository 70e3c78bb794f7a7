/**
 * Changes in place. The new value is computed by the ordinary operation and then put where the old one was: the history of
 * the tensor (and of the base it views) continues from there, and version counters tell autograd.
 */
import { backward } from "../autograd/grad.ts";
import { isInferenceModeEnabled, recordsGradients } from "../autograd/mode.ts";
import { type Edge, freedError, Node } from "../autograd/node.ts";
import { kernels } from "../backends/index.ts";
import { isOptions } from "../core/arguments.ts";
import { RuntimeError } from "../core/errors.ts";
import { CPP_NAMES, canCast, getDefaultDtype, SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { broadcastShapes, broadcastStrides, isContiguous, type Shape, sameShape, sizeText } from "../core/shape.ts";
import { checked } from "../core/signature.ts";
import { Storage } from "../core/storage.ts";
import { setAutogradHost, Tensor } from "../core/tensor.ts";
import { add, clamp, div, floorDivide, mul, pow, remainder, sub, where } from "./arithmetic.ts";
import { addcdiv, addcmul, lerp } from "./binary_more.ts";
import { to } from "./copy.ts";
import { convert } from "./creation.ts";
import { asOperand, castRaw, copyRaw, filled, type Operand, type Scalar, viewAs } from "./operands.ts";
import * as pointwise from "./pointwise.ts";
import { accumulatorOf, call, defineOp, edgeOf, type Method, methods, type Op, OperationNode } from "./registry.ts";
import { asStridedBackward, gatherStrided, type StridedView } from "./strided.ts";
import { expand } from "./view.ts";

const UNRECORDED_VIEW = "A view was created in no_grad mode and is being modified inplace with grad mode enabled. ";
const ONE_OF_SEVERAL =
  "This view is the output of a function that returns multiple views. Such functions do not allow the output views to be modified inplace. You should replace the inplace operation by an out-of-place one.";

/** Views of some origins can't carry the history of a change to their base. */
function checkView(self: Tensor): void {
  const node = self.gradFn;
  const which = node
    ? `Output ${self.outputIndex} of ${node.name.replace(/Backward\d*$/, "")} is a view and is being modified inplace. `
    : UNRECORDED_VIEW;
  if (self.viewMadeBy === "several") throw new RuntimeError(which + ONE_OF_SEVERAL);
  if (self.viewMadeBy === "function") {
    throw new RuntimeError(
      `${which}This view was created inside a custom Function (or because an input was returned as-is) and the autograd logic to handle view+inplace would override the custom backward associated with the custom Function, leading to incorrect gradients. This behavior is forbidden. You can fix this by cloning the output of the custom Function.`,
    );
  }
  if (self.viewMadeBy === "unrecorded") {
    throw new RuntimeError(
      `${UNRECORDED_VIEW}Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the inplace either both inside the no_grad block (if you don't want the inplace to be tracked) or both outside (if you want the inplace to be tracked).`,
    );
  }
}

/** For a change that is being recorded. */
function checkRecorded(self: Tensor): void {
  if (self.base) {
    checkView(self);
    if (self.requiresGrad && self.base.isLeaf) {
      throw new RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.");
    }
  }
  if (self.isLeaf && self.requiresGrad) {
    throw new RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.", {
      hint: "update it inside torch.noGrad(() => …), or make a new tensor instead",
    });
  }
}

/** @throws RuntimeError where autograd does not allow the change */
export function checkInPlace(self: Tensor): void {
  if (self.isInference() && !isInferenceModeEnabled()) {
    throw new RuntimeError(
      "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal tensor before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details.",
    );
  }
  if (recordsGradients() && self.requiresGrad) checkRecorded(self);
}

/** A tensor that shows one number many times (expand) has no place for different ones. */
export function checkOverlap(self: Tensor): void {
  if (self.numel() === 0 || !self.shape.some((size, dim) => size > 1 && self.strides[dim] === 0)) return;
  throw new RuntimeError(
    "unsupported operation: more than one element of the written-to tensor refers to a single memory location. Please clone() the tensor before performing the operation.",
  );
}

function coversStorage(x: Tensor): boolean {
  return x.offset === 0 && x.storage.length === x.numel() && isContiguous(x.shape, x.strides);
}

/** The old value with the old history, on memory that the change will not touch. */
function oldValue(self: Tensor): Tensor {
  const owner = coversStorage(self);
  const old = owner ? new Tensor(self.storage.alias(), self.shape, self.strides) : copyRaw(self);
  if (self.requiresGrad) {
    if (self.isLeaf) old.requiresGrad = true;
    old.setHistory(self.gradFn, self.outputIndex);
    if (self.isLeaf) old.accumulator = accumulatorOf(self);
  }
  return old;
}

function checkFits(self: Tensor, shape: Shape): void {
  if (sameShape(shape, self.shape)) return;
  throw new RuntimeError(
    `output with shape ${sizeText(self.shape)} doesn't match the broadcast shape ${sizeText(shape)}`,
    { shapes: [self.shape, shape] },
  );
}

/**
 * Replaces self's elements by what `compute` makes of them.
 * @throws RuntimeError for a leaf that requires grad, a result of another shape, or one whose dtype does not fit
 */
export function inPlace(self: Tensor, compute: (old: Tensor) => Tensor): Tensor {
  checkInPlace(self);
  const old = oldValue(self);
  const made = Storage.next;
  const result = compute(old);
  // What it is changed by may be recorded although itself it was not.
  if (result.gradFn && !self.requiresGrad) checkRecorded(self);
  checkFits(self, result.shape);
  if (!canCast(result.dtype, self.dtype)) {
    throw new RuntimeError(
      `result type ${SCALAR_TYPE_NAMES[result.dtype.name]} can't be cast to the desired output type ${SCALAR_TYPE_NAMES[self.dtype.name]}`,
    );
  }
  const node = result.gradFn;
  if (node && coversStorage(self)) {
    const fresh = castRaw(result, self.dtype);
    const owned = fresh.base === null && fresh !== old && coversStorage(fresh) ? fresh : copyRaw(fresh);
    // Swapping buffers leaves the old one to whoever saved it for backward.
    self.storage.takeOver(owned.storage);
  } else {
    kernels.copy(result.kernelView, self.kernelView);
    // What compute made without a history nobody else has.
    if (!node && result.storage.id >= made) result.storage.release();
  }
  self.changes.version++;
  if (node) {
    continueHistory(self, { node, index: result.outputIndex });
    if (node instanceof OperationNode) node.ctx.adopt(result, self);
  }
  return self;
}

/** self (and the base it views) now are output `index` of `node`. */
export function continueHistory(self: Tensor, edge: Edge): void {
  const { base } = self;
  if (!base) {
    self.setHistory(edge.node, edge.index);
    self.history++;
    return;
  }
  const node = new CopySlices(base, edge, geometryIn(base, self));
  base.setHistory(node, 0);
  base.history++;
}

function geometryIn(base: Tensor, view: Tensor): StridedView {
  return {
    baseShape: [...base.shape],
    ...(base.isContiguous() ? {} : { baseStrides: [...base.strides] }),
    shape: [...view.shape],
    strides: [...view.strides],
    offset: view.offset - base.offset,
  };
}

/** A base of which a part was replaced: the replaced part's gradient goes to what replaced it, the rest to the old base. */
class CopySlices extends Node {
  readonly name = "CopySlices";
  readonly #view: StridedView;
  #released = false;

  constructor(base: Tensor, part: Edge, view: StridedView) {
    super();
    this.edges = [edgeOf(base), part];
    this.outputs.push({ shape: base.shape, dtype: base.dtype });
    this.#view = view;
  }

  /** The old base, and what the change took besides the part it replaced: the change itself is part of this node. */
  override get nextFunctions(): [Node | null, number][] {
    const [base, part] = super.nextFunctions;
    return [base ?? [null, 0], ...(part?.[0]?.nextFunctions.slice(1) ?? [])];
  }

  override release(): void {
    this.#released = true;
  }

  /** PyTorch's lets go of the change itself. */
  override get freed(): boolean {
    return this.#released;
  }

  override run([grad]: (Tensor | null)[]): (Tensor | null)[] {
    if (this.#released) throw freedError();
    if (!grad) return [null, null];
    const part = gatherStrided(grad, this.#view);
    const replaced = asStridedBackward(filled(this.#view.shape, 1, grad.dtype), this.#view);
    return [where(pointwise.sign(replaced).eq(0), grad, 0), part];
  }
}

setAutogradHost({
  accumulatorOf,
  backward: (tensor, gradient, options) => backward(tensor, gradient ? [gradient] : null, options),
  refreshView(view) {
    const { base } = view;
    if (!base) return;
    view.baseHistory = base.history;
    const fresh = gatherStrided(base, geometryIn(base, view));
    view.setHistory(fresh.gradFn, 0);
  },
});

/** An operation as its in-place form. */
export function inPlaceOf<A extends unknown[]>(operation: (old: Tensor, ...args: A) => Tensor) {
  return (self: Tensor, ...args: A): Tensor => {
    checkOverlap(self);
    return inPlace(self, (old) => operation(old, ...args));
  };
}

/** New elements instead of the old ones, which get no gradient any more. */
const Overwrite: Op<{ gradFn: string }> = defineOp({
  name: "copy_",
  gradFn: ({ gradFn }) => gradFn,
  unlisted: ({ gradFn }) => (gradFn === "CopyBackwards" || gradFn === "FillBackward3" ? [] : [1]),
  kernels: ["copy"],
  forward(_, old: Tensor, source: Tensor) {
    const out = Tensor.empty(old.shape, old.dtype);
    kernels.copy(viewAs(source, old.shape, broadcastStrides(source.shape, source.strides, old.shape)), out.kernelView);
    return out;
  },
  backward: (_, grad: Tensor) => [filled(grad.shape, 0, grad.dtype), grad],
});

/** Puts elements that owe nothing to the old ones (a constant, a draw) in their place. */
export function overwrite(self: Tensor, gradFn: string, elements: Tensor): Tensor {
  return inPlace(self, (old) => call(Overwrite, { gradFn }, old, elements));
}

/** Elements of another tensor (broadcast, converted) into this one. */
function copyFrom(self: Tensor, value: Operand): Tensor {
  const source = asOperand(value, "copy_", "other", 2);
  if (source.numel() > 1) checkOverlap(self);
  checkFits(self, broadcastShapes(self.shape, source.shape));
  if (source.device !== self.device) return copyFrom(self, to(source, self.device));
  return overwrite(self, "CopyBackwards", sameShape(source.shape, self.shape) ? source : expand(source, self.shape));
}

function fill(self: Tensor, value: Scalar | Tensor): Tensor {
  if (value instanceof Tensor) {
    if (value.ndim > 0) {
      throw new RuntimeError(
        `fill_ only supports 0-dimension value tensor but got tensor with ${value.ndim} dimensions.`,
      );
    }
    return overwrite(self, "FillBackward3", value);
  }
  return overwrite(self, "FillBackward2", filled([], convert(value, self.dtype), self.dtype));
}

/** Numbers as limits are checked by themselves, and the message names the type of C++. */
function clampInPlace(
  self: Tensor,
  ...limits: Parameters<typeof clamp> extends [Tensor, ...infer L] ? L : never
): Tensor {
  const fractional = (limit: unknown): boolean =>
    typeof limit === "number" ? !Number.isInteger(limit) : isOptions(limit) && Object.values(limit).some(fractional);
  if (!self.dtype.isFloatingPoint && limits.some(fractional)) {
    throw new RuntimeError(
      `result type ${SCALAR_TYPE_NAMES[getDefaultDtype().name]} can't be cast to the desired output type ${CPP_NAMES[self.dtype.name]}`,
    );
  }
  return inPlaceOf(clamp)(self, ...limits);
}

methods({
  add_: inPlaceOf(add),
  sub_: inPlaceOf(sub),
  mul_: inPlaceOf(mul),
  div_: inPlaceOf(div),
  pow_: inPlaceOf(pow),
  remainder_: inPlaceOf(remainder),
  floorDivide_: inPlaceOf(floorDivide),
  clamp_: clampInPlace,
  clip_: clampInPlace,
  exp_: inPlaceOf(pointwise.exp),
  sqrt_: inPlaceOf(pointwise.sqrt),
  relu_: inPlaceOf(pointwise.relu),
  sigmoid_: inPlaceOf(pointwise.sigmoid),
  tanh_: inPlaceOf(pointwise.tanh),
  abs_: inPlaceOf(pointwise.abs),
  round_: inPlaceOf(pointwise.round),
  floor_: inPlaceOf(pointwise.floor),
  addcmul_: inPlaceOf(addcmul),
  addcdiv_: inPlaceOf(addcdiv),
  lerp_: inPlaceOf(lerp),
  zero_: checked("zero_(Tensor input)", (self: Tensor) => overwrite(self, "ZeroBackward0", filled([], 0, self.dtype))),
  fill_: checked("fill_(Tensor input, Operand value)", fill),
  copy_: checked("copy_(Tensor input, Operand other, bool non_blocking?)", copyFrom),
});

declare module "../core/tensor.ts" {
  interface Tensor {
    /** Adds alpha · other in place. */
    add_(other: Operand, options?: { alpha?: number }): Tensor;
    /** Subtracts `alpha` (default 1) times other from this tensor, in place. */
    sub_(other: Operand, options?: { alpha?: number }): Tensor;
    /** Multiplies this tensor by other, in place. */
    mul_(other: Operand): Tensor;
    /** Divides this tensor by other, in place; `roundingMode` default null, true division. */
    div_(other: Operand, options?: { roundingMode?: "trunc" | "floor" | null }): Tensor;
    /** Raises this tensor to a power, in place. */
    pow_(exponent: Operand): Tensor;
    /** The remainder with the divisor's sign, in place. */
    remainder_(other: Operand): Tensor;
    /** Divides and rounds down, in place. */
    floorDivide_(other: Operand): Tensor;
    clamp_: Method<typeof clamp>;
    clip_: Method<typeof clamp>;
    /** e to the power of each element, in place. */
    exp_(): Tensor;
    /** The square root of each element, in place. */
    sqrt_(): Tensor;
    /** Negative elements become 0, in place. */
    relu_(): Tensor;
    /** 1 / (1 + exp(-x)), in place. */
    sigmoid_(): Tensor;
    /** The hyperbolic tangent, in place. */
    tanh_(): Tensor;
    /** Drops every sign, in place. */
    abs_(): Tensor;
    /** Rounds to the nearest whole number, halves to the even one, in place. */
    round_(): Tensor;
    /** Rounds down, in place. */
    floor_(): Tensor;
    /** Adds `value` (default 1) times tensor1 · tensor2, in place. */
    addcmul_(tensor1: Tensor, tensor2: Tensor, options?: { value?: number }): Tensor;
    /** Adds `value` (default 1) times tensor1 / tensor2, in place. */
    addcdiv_(tensor1: Tensor, tensor2: Tensor, options?: { value?: number }): Tensor;
    /** Moves towards `end` by the share `weight`, in place. */
    lerp_(end: Tensor, weight: number | Tensor): Tensor;
    /** Fills with zeros in place. */
    zero_(): Tensor;
    /** Fills with one value in place. */
    fill_(value: Scalar | Tensor): Tensor;
    /** Takes the elements of another tensor, broadcast and converted. */
    copy_(source: Operand): Tensor;
  }
}
