/**
 * class Tensor: strided storage, identity in the autograd graph, reading and printing. Operations are not here: each is
 * defined once in engine/ops and attached as a method there.
 */
import type { BackwardOptions } from "../autograd/grad.ts";
import { isInferenceModeEnabled, recordsGradients } from "../autograd/mode.ts";
import {
  addTo,
  type Node,
  type PostAccumulateGradHook,
  type RemovableHandle,
  type TensorHook,
} from "../autograd/node.ts";
import type { View } from "../backends/backend.ts";
import { CPU, type Device, getDefaultDevice } from "./device.ts";
import type { DType, DTypeName, TypedArray } from "./dtype.ts";
import { RuntimeError, TypeError, ValueError } from "./errors.ts";
import { asFloats } from "./number_text.ts";
import { formatTensor } from "./printing.ts";
import { CPP_NAMES, getDefaultDtype, SCALAR_TYPE_NAMES } from "./promotion.ts";
import { contiguousStrides, isContiguous, normalizeDim, numel, sameShape, sizeText } from "./shape.ts";
import { Size } from "./size.ts";
import { gatherDense, Storage, viewOf } from "./storage.ts";

/** Numbers (booleans for bool tensors) nested as deep as the tensor has dimensions. */
export type NestedArray = number | boolean | NestedArray[];

/** What autograd adds to a tensor; ops/inplace.ts provides it, so that this file depends on no operation. */
export interface AutogradHost {
  /** The node that accumulates a leaf's gradient, made on first use. */
  accumulatorOf(tensor: Tensor): Node;
  /** As `torch.autograd.backward`. */
  backward(tensor: Tensor, gradient: Tensor | null | undefined, options: BackwardOptions): void;
  /** Rebuilds the history of a view whose base was changed in place. */
  refreshView(tensor: Tensor): void;
}

let host: AutogradHost;

export function setAutogradHost(provided: AutogradHost): void {
  host = provided;
}

/**
 * A view of a storage: numbers of one dtype with a shape and strides, and the node of the graph that made them.
 * Make one with `torch.tensor`, `torch.zeros` and their like. https://docs.pytorch.org/docs/2.13/tensors.html
 */
export class Tensor {
  readonly storage: Storage;
  /** Prints as torch.Size([…]). */
  readonly shape: Size;
  readonly strides: readonly number[];
  readonly offset: number;
  readonly dtype: DType;
  /** Counts changes in place: one for a storage, but for what `data` gives. @internal */
  changes: { version: number };

  /** Which output of gradFn this tensor is. */
  outputIndex = 0;
  /** The tensor whose storage this one views; null when it owns its storage. */
  base: Tensor | null = null;

  #requiresGrad = false;
  #gradFn: Node | null = null;
  #grad: Tensor | null = null;
  #retainsGrad = false;
  /** @internal */
  postAccumulateHooks: { hook: PostAccumulateGradHook }[] = [];
  /** How a view came about: some may not be changed in place. @internal */
  viewMadeBy: "recorded" | "unrecorded" | "several" | "function" = "recorded";
  /** Base's history this view's history was made from. @internal */
  baseHistory = 0;
  /** How often in-place operations gave this tensor a new history. @internal */
  history = 0;
  /** @internal */
  accumulator: Node | null = null;
  /** A JavaScript number inside an operation: it takes part in promotion only by its kind (bool, integer, float). @internal */
  isWrappedNumber = false;

  constructor(
    storage: Storage,
    shape: readonly number[],
    strides: readonly number[] = contiguousStrides(shape),
    offset = 0,
  ) {
    this.storage = storage;
    this.shape = Size.fromShape(shape);
    this.strides = strides;
    this.offset = offset;
    this.dtype = storage.dtype;
    this.changes = storage;
  }

  /** A new dense tensor with undefined (zero) contents. */
  static empty(shape: readonly number[], dtype: DType, device?: Device): Tensor {
    return new Tensor(Storage.allocate(dtype, numel(shape), device), shape);
  }

  // ---- description

  /** Where the elements are. */
  get device(): Device {
    return this.storage.device;
  }

  /** Number of dimensions. */
  get ndim(): number {
    return this.shape.length;
  }

  /** The number of axes. */
  dim(): number {
    return this.shape.length;
  }

  /** The shape, or one dimension of it: `x.size(0)`. */
  size(): Size;
  size(dim: number): number;
  size(dim?: number): Size | number {
    return dim === undefined ? this.shape : this.shape[normalizeDim(dim, this.ndim)]!;
  }

  /** Number of elements. */
  numel(): number {
    return numel(this.shape);
  }

  /** The number of elements. */
  nelement(): number {
    return this.numel();
  }

  /** Steps in the storage per dimension, or for one: `x.stride(0)`. */
  stride(): readonly number[];
  stride(dim: number): number;
  stride(dim?: number): readonly number[] | number {
    return dim === undefined ? this.strides : this.strides[normalizeDim(dim, this.ndim)]!;
  }

  /** Where in the storage the first element lies, counted in elements. */
  storageOffset(): number {
    return this.offset;
  }

  /** Bytes of one element in PyTorch. */
  elementSize(): number {
    return this.dtype.itemsize;
  }

  /** Whether the elements lie in the storage row by row without gaps. */
  isContiguous(): boolean {
    return isContiguous(this.shape, this.strides);
  }

  /** Whether the dtype is float32 or float64. */
  isFloatingPoint(): boolean {
    return this.dtype.isFloatingPoint;
  }

  /** In-place changes seen by this tensor's storage (PyTorch's `_version`). */
  get version(): number {
    if (this.storage.isInference) throw new RuntimeError("Inference tensors do not track version counter.");
    return this.changes.version;
  }

  /** Length of the first dimension, as Python's `len`. */
  get length(): number {
    if (this.ndim === 0) throw new TypeError("len() of a 0-d tensor");
    return this.shape[0]!;
  }

  // ---- autograd

  /** Whether operations on this tensor are recorded for backward. */
  get requiresGrad(): boolean {
    return this.#requiresGrad || this.gradFn !== null || (this.base?.requiresGrad ?? false);
  }

  set requiresGrad(value: boolean) {
    if (value && !this.dtype.isFloatingPoint) {
      throw new RuntimeError("only Tensors of floating point and complex dtype can require gradients", {
        hint: "give the tensor a floating dtype: { dtype: torch.float32, requiresGrad: true }",
      });
    }
    if (!value && this.gradFn) {
      throw new RuntimeError(
        "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a subgraph that doesn't require differentiation use var_no_grad = var.detach().",
      );
    }
    if (value && this.storage.isInference && !isInferenceModeEnabled()) {
      throw new RuntimeError("Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.");
    }
    this.#requiresGrad = value;
  }

  /** The gradient accumulated by backward; null before, and after zeroGrad. */
  get grad(): Tensor | null {
    return this.#grad;
  }

  /** @throws RuntimeError for a gradient of another shape or dtype than the tensor's */
  set grad(value: Tensor | null) {
    if (value !== null) checkGradient(this, value);
    this.#grad = value;
  }

  /** Sets requiresGrad and returns the tensor. */
  requiresGrad_(value = true): this {
    if (typeof value !== "boolean") {
      throw new TypeError(
        `requires_grad_(): argument 'requires_grad' (position 1) must be bool, not ${pythonTypeName(value)}`,
      );
    }
    if (value && !this.dtype.isFloatingPoint) {
      throw new RuntimeError("only Tensors of floating point dtype can require gradients");
    }
    this.requiresGrad = value;
    return this;
  }

  /** The node that made this tensor; null for leaves. */
  get gradFn(): Node | null {
    if (this.base && this.baseHistory !== this.base.history) host.refreshView(this);
    return this.#gradFn;
  }

  /** Places the tensor in a graph. @internal */
  setHistory(node: Node | null, index: number): void {
    this.#gradFn = node;
    this.outputIndex = index;
  }

  /** True unless an operation that is being recorded made this tensor. */
  get isLeaf(): boolean {
    return this.gradFn === null;
  }

  /**
   * Computes gradients of this tensor (a scalar, or with `gradient` of the same shape) with respect to the leaves and adds
   * them to their `.grad`. https://docs.pytorch.org/docs/2.13/generated/torch.Tensor.backward.html
   */
  backward(
    gradient?: Tensor | null | ({ gradient?: Tensor | null } & BackwardOptions),
    options: BackwardOptions = {},
  ): void {
    if (gradient instanceof Tensor || gradient === null || gradient === undefined)
      host.backward(this, gradient, options);
    else host.backward(this, gradient.gradient, gradient);
  }

  /** Keeps `.grad` for a tensor that is not a leaf. */
  retainGrad(): void {
    if (!this.requiresGrad) throw new RuntimeError("can't retain_grad on Tensor that has requires_grad=False");
    const node = this.gradFn;
    if (!node || this.#retainsGrad) return;
    this.#retainsGrad = true;
    node.retain(this.outputIndex, (grad) => {
      this.grad = grad;
    });
  }

  /** Whether `.grad` is kept for this tensor although it is no leaf. */
  get retainsGrad(): boolean {
    return this.#retainsGrad;
  }

  /** Which of its node's outputs this tensor is. */
  get outputNr(): number {
    return this.gradFn ? this.outputIndex : 0;
  }

  /** Whether the tensor was made in inference mode. */
  isInference(): boolean {
    return this.storage.isInference;
  }

  /**
   * Calls `hook` with this tensor's gradient in backward; what it returns, if anything, replaces the gradient.
   * https://docs.pytorch.org/docs/2.13/generated/torch.Tensor.register_hook.html
   */
  registerHook(hook: TensorHook): RemovableHandle {
    if (!this.requiresGrad) throw new RuntimeError("cannot register a hook on a tensor that doesn't require gradient");
    const node = this.gradFn ?? host.accumulatorOf(this);
    return node.addTensorHook(this.outputNr, hook);
  }

  /**
   * Calls `hook` with this leaf each time its gradient was accumulated.
   * https://docs.pytorch.org/docs/2.13/generated/torch.Tensor.register_post_accumulate_grad_hook.html
   */
  registerPostAccumulateGradHook(hook: PostAccumulateGradHook): RemovableHandle {
    if (!this.requiresGrad) throw new RuntimeError("cannot register a hook on a tensor that doesn't require gradient");
    if (!this.isLeaf) {
      throw new RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors");
    }
    return addTo(this.postAccumulateHooks, { hook });
  }

  /** The same storage outside the graph; changes in place are seen by both. */
  detach(): Tensor {
    const detached = new Tensor(this.storage, this.shape, this.strides, this.offset);
    detached.changes = this.changes;
    return detached;
  }

  /**
   * The elements without history: the same storage, whose changes autograd does not notice (`p.data.mul_(0.5)`). Assigning
   * gives this tensor another one's memory, shape and dtype, and leaves its place in the graph.
   * https://docs.pytorch.org/docs/2.13/generated/torch.Tensor.data.html
   */
  get data(): Tensor {
    const data = this.detach();
    data.changes = { version: 0 };
    return data;
  }

  /** @throws RuntimeError for integers where this tensor requires grad, TypeError for what is no tensor */
  set data(source: Tensor) {
    if (!(source instanceof Tensor)) {
      throw new TypeError(`Variable data has to be a tensor, but got ${pythonTypeName(source)}`);
    }
    if (this.requiresGrad && !source.dtype.isFloatingPoint) {
      throw new RuntimeError("data set to a tensor that requires gradients must be floating point or complex dtype");
    }
    const self = this as { -readonly [K in "storage" | "shape" | "strides" | "offset" | "dtype"]: Tensor[K] };
    // What accumulates gradients remembers the shape and dtype.
    if (source.dtype !== this.dtype || !sameShape(source.shape, this.shape)) this.accumulator = null;
    self.storage = source.storage;
    self.shape = source.shape;
    self.strides = source.strides;
    self.offset = source.offset;
    self.dtype = source.dtype;
    this.changes = { version: this.changes.version };
  }

  /** Cuts this tensor itself from the graph that made it. */
  detach_(): this {
    if (this.base) {
      throw new RuntimeError(
        "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for training, and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence detach_() cannot be called on these gradients. To fix this error, please refer to the Optimizer.zero_grad() function in torch/optim/optimizer.py as the solution.",
      );
    }
    this.setHistory(null, 0);
    this.#requiresGrad = false;
    return this;
  }

  // ---- reading

  /** What a kernel reads. @internal */
  get kernelView(): View {
    return viewOf(this.storage, this.shape, this.strides, this.offset);
  }

  /** The elements in row-major order: the storage itself where it is dense, else a copy. Do not write to it. */
  denseData(): TypedArray {
    const count = this.numel();
    if (!this.isContiguous()) return gatherDense(this, count);
    const { contents } = this.storage;
    return this.offset === 0 && contents.length === count
      ? contents
      : contents.subarray(this.offset, this.offset + count);
  }

  /**
   * The one element of the tensor, as a number (a boolean for bool tensors).
   * @throws RuntimeError when it has more or fewer than one.
   */
  item(): number {
    if (this.numel() !== 1) {
      throw new RuntimeError(`a Tensor with ${this.numel()} elements cannot be converted to Scalar`, {
        shapes: [this.shape],
        hint: "reduce it to one number (sum, mean, max) or index it; tolist() gives all of them",
      });
    }
    return asScalar(this.storage.contents[this.offset]!, this.dtype.name) as number;
  }

  /** The elements as nested arrays; a plain number for a 0-d tensor. */
  tolist(): NestedArray {
    const data = this.denseData();
    const { shape } = this;
    const name = this.dtype.name;
    let position = 0;
    const build = (dim: number): NestedArray => {
      if (dim === shape.length) return asScalar(data[position++]!, name);
      return Array.from({ length: shape[dim]! }, () => build(dim + 1));
    };
    const list = build(0);
    return this.dtype.isFloatingPoint ? asFloats(list) : list;
  }

  /** A dense copy of the elements as a typed array (float64 for int64). */
  numpy(): TypedArray {
    if (this.requiresGrad) {
      throw new RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.");
    }
    return this.denseData().slice();
  }

  /** `for (const row of x)` walks the first dimension. */
  *[Symbol.iterator](): Iterator<Tensor> {
    if (this.ndim === 0) throw new TypeError("iteration over a 0-d tensor");
    yield* this.unbind();
  }

  /** PyTorch's text: `tensor([1., 2.])`. */
  toString(): string {
    const node = this.gradFn;
    return formatTensor({
      shape: this.shape,
      dtype: this.dtype,
      data: this.storage.contents,
      strides: this.strides,
      offset: this.offset,
      device: this.device === CPU || this.device === getDefaultDevice() ? undefined : `${this.device}:0`,
      requiresGrad: this.requiresGrad,
      gradFn: node ? node.name : null,
      defaultDtype: getDefaultDtype().name,
    });
  }

  /** Stops `a + b`, `a < b` and `if (a == 1)` from turning tensors into text unnoticed: only one-element tensors are numbers. */
  [Symbol.toPrimitive](hint: "string" | "number" | "default"): string | number {
    if (hint === "string") return this.toString();
    const advice = { hint: "operators are methods here: a.add(b), a.sub(b), a.mul(b), a.div(b), a.gt(b), a.eq(b)" };
    if (hint === "default") throw new TypeError("a tensor cannot be used with JavaScript's operators", advice);
    if (this.numel() !== 1) throw new ValueError("only one element tensors can be converted to Python scalars", advice);
    return Number(this.item());
  }

  /** What JSON.stringify writes: nested arrays, as `tolist()` gives them. */
  toJSON(): NestedArray {
    return this.tolist();
  }
}

function checkGradient(tensor: Tensor, grad: unknown): void {
  if (!(grad instanceof Tensor)) {
    throw new TypeError(`assigned grad expected to be a Tensor or None but got grad of type ${pythonTypeName(grad)}`);
  }
  if (grad === tensor) throw new RuntimeError("can't assign Variable as its own grad");
  if (!sameShape(grad.shape, tensor.shape)) {
    throw new RuntimeError(
      `attempting to assign a gradient of size '${sizeText(grad.shape)}' to a tensor of size '${sizeText(tensor.shape)}'. Please ensure that the gradient and the tensor are the same size`,
      { shapes: [grad.shape, tensor.shape] },
    );
  }
  if (grad.device !== tensor.device) {
    throw new RuntimeError(
      `attempting to assign a gradient with device type '${grad.device}' to a tensor with device type '${tensor.device}'. Please ensure that the gradient and the tensor are on the same device`,
    );
  }
  if (grad.dtype !== tensor.dtype) {
    throw new RuntimeError(
      `attempting to assign a gradient with dtype '${CPP_NAMES[grad.dtype.name]}' to a tensor with grad_dtype '${SCALAR_TYPE_NAMES[tensor.dtype.name]}'. The gradient must match the tensor's grad_dtype (defaults to the tensor's dtype). You can set the tensor's grad_dtype attribute with a specific dtype, or None to allow any dtype. Set grad_dtype with caution. Diverging the dtypes of a tensor and its gradient may break downstream systems that assume they match.`,
    );
  }
}

function asScalar(value: number, dtype: DTypeName): number | boolean {
  return dtype === "bool" ? value !== 0 : value;
}

/** For operations: whether a call with these inputs is recorded. */
export function anyRequiresGrad(inputs: readonly (Tensor | null)[]): boolean {
  if (!recordsGradients()) return false;
  for (const input of inputs) if (input?.requiresGrad) return true;
  return false;
}

/** @throws TypeError when an argument that has to be a tensor is none. */
export function assertTensor(
  value: unknown,
  operation: string,
  argument: string,
  position: number,
): asserts value is Tensor {
  if (value instanceof Tensor) return;
  throw new TypeError(
    `${operation}(): argument '${argument}' (position ${position}) must be Tensor, not ${pythonTypeName(value)}`,
  );
}

export function pythonTypeName(value: unknown): string {
  if (value === null || value === undefined) return "NoneType";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "string") return "str";
  if (Array.isArray(value)) return "list";
  if (typeof value === "object") return value.constructor === Object ? "dict" : (value.constructor?.name ?? "object");
  return typeof value;
}
