/**
 * One operation is one block: its name, the kernels it needs, what it computes and how gradients flow back.
 *
 *   const Tanh = defineOp({
 *     name: "tanh",
 *     gradFn: "TanhBackward0",
 *     kernels: ["unary"],
 *     forward(ctx, x) { const y = unary("tanh", x); ctx.save(y); return y; },
 *     backward(ctx, grad) { const [y] = ctx.saved; return [grad.mul(sub(1, square(y)))]; },
 *   });
 *   export const tanh = (input: Tensor) => call(Tanh, null, input);
 *
 * Backward is written with operations, so gradients of gradients need nothing more. It may return gradients that are
 * broadcast or of another floating dtype: they are reduced to the input's shape and dtype in one place, below.
 */

import { setGradientArithmetic } from "../autograd/backward.ts";
import { heldBy } from "../autograd/dead-end.ts";
import { Context, type Edge, freedError, Node } from "../autograd/node.ts";
import type { PassingGradients } from "../autograd/passing.ts";
import type { KernelName } from "../backends/backend.ts";
import { snakeCase } from "../core/arguments.ts";
import { hasAccelerator } from "../core/device.ts";
import { NotImplementedError, RuntimeError, TypeError } from "../core/errors.ts";
import { runNear, runWhere } from "../core/placement.ts";
import { sameShape } from "../core/shape.ts";
import { anyRequiresGrad, Tensor } from "../core/tensor.ts";
import { isRecording, type RecordDraft, record } from "../inspect/recorder.ts";

type Inputs = (Tensor | null)[];
type Gradients = (Tensor | null)[];

export interface OpDefinition<A> {
  /** PyTorch's name, in its own spelling: the key of the registry, of records and of messages. */
  name: string;
  /** The node's name, where it depends on the attributes a function of them. */
  gradFn: string | ((attrs: A) => string);
  kernels: readonly KernelName[];
  /** Positions of inputs that PyTorch's node knows nothing of: masks, indices, some numbers. They have no edge to show. */
  unlisted?: readonly number[] | ((attrs: A) => readonly number[]);
  // biome-ignore lint/suspicious/noExplicitAny: each operation names and types its own inputs.
  forward(ctx: Context<A>, ...inputs: any[]): Tensor | Tensor[];
  /** Gradients of the outputs (null where none arrived) → gradients of the inputs, in order. Absent: not differentiable. */
  // biome-ignore lint/suspicious/noExplicitAny: as many as there are outputs; an operation with one always gets it.
  backward?(ctx: Context<A>, ...grads: any[]): Gradients;
  /** Backward hands gradients to code from outside the engine, which may keep them. */
  showsGradients?: boolean;
  /** For operations that visualizers show. */
  record?(attrs: A, inputs: Inputs, outputs: Tensor[]): RecordDraft | null;
}

export interface Op<A> extends OpDefinition<A> {
  readonly differentiable: boolean;
}

const registry = new Map<string, Op<never>>();

/** Registers an operation; names are unique. */
export function defineOp<A>(definition: OpDefinition<A>): Op<A> {
  if (registry.has(definition.name)) throw new Error(`operation ${definition.name} is defined twice`);
  const op = { ...definition, differentiable: definition.backward !== undefined };
  registry.set(op.name, op as Op<never>);
  return op;
}

/** All operations by PyTorch's name: what the support table and the tests walk over. */
export function operations(): ReadonlyMap<string, Op<never>> {
  return registry;
}

class OperationNode<A> extends Node {
  readonly name: string;
  readonly op: Op<A>;
  readonly ctx: Context<A>;
  readonly inputs: (Described | null)[];

  constructor(op: Op<A>, ctx: Context<A>, inputs: Inputs) {
    super();
    this.op = op;
    this.ctx = ctx;
    this.name = nodeName(op, ctx.attrs);
    this.edges = inputs.map((input, i) => (input ? this.#edgeTo(input, i) : null));
    this.inputs = inputs.map((input) => input && describe(input));
  }

  #edgeTo(input: Tensor, position: number): Edge | null {
    const edge = edgeOf(input);
    if (!edge) return null;
    const node = heldBy(this, position, edge.node, edge.index);
    if (!node.freed && node.depth >= this.depth) this.depth = node.depth + 1;
    return node === edge.node ? edge : { node, index: edge.index };
  }

  override get freed(): boolean {
    return this.ctx.freed;
  }

  override run(grads: Gradients): Gradients {
    // PyTorch's nodes unpack all that they saved first.
    if (this.freed) throw freedError();
    return runNear(grads, () => {
      const results = this.op.backward!(this.ctx, ...grads);
      return results.map((grad, i) => (grad && this.edges[i] ? fitGradient(grad, this.inputs[i]!) : null));
    });
  }

  override get nextFunctions(): [Node | null, number][] {
    const { unlisted = [] } = this.op;
    const hidden = typeof unlisted === "function" ? unlisted(this.ctx.attrs) : unlisted;
    return super.nextFunctions.filter((_, i) => !hidden.includes(i));
  }

  override release(): void {
    this.ctx.free();
  }

  override get showsGradients(): boolean {
    return this.hooks !== null || this.op.showsGradients === true;
  }
}

/** What stands in the graph for an operation that has no derivative: it fails once a gradient arrives. */
class Underivable extends Node {
  readonly name: string;
  readonly #operation: string;

  constructor(name: string, operation: string, inputs: Inputs) {
    super();
    this.name = name;
    this.#operation = operation;
    this.edges = inputs.map((input) => (input ? edgeOf(input) : null));
  }

  override run(): Gradients {
    if (this.name === "NotImplemented") {
      throw new RuntimeError(`derivative for aten::${this.#operation} is not implemented`);
    }
    throw new NotImplementedError(`the derivative for '${this.#operation}' is not implemented.`);
  }
}

/** What a leaf's gradient flows into. */
class AccumulateGrad extends Node {
  readonly name = "AccumulateGrad";
  readonly variable: Tensor;

  constructor(variable: Tensor) {
    super();
    this.variable = variable;
  }

  /** Leaves accumulate before anything else that is ready, as in PyTorch. */
  override get sequence(): number {
    return Number.POSITIVE_INFINITY;
  }

  override run([grad]: Gradients, passing: PassingGradients | null = null): Gradients {
    const { variable } = this;
    if (!grad) return [];
    if (!variable.grad) variable.grad = this.#takeOver(grad, passing) ?? runNear([grad], () => arithmetic.own(grad));
    else if (grad.requiresGrad || variable.grad.requiresGrad) variable.grad = arithmetic.add(variable.grad, grad);
    else arithmetic.addInPlace(variable.grad, grad);
    for (const { hook } of [...variable.postAccumulateHooks]) hook(variable);
    return [];
  }

  /** A gradient that nobody else has needs no copy. */
  #takeOver(grad: Tensor, passing: PassingGradients | null): Tensor | null {
    if (this.showsGradients || grad.requiresGrad || !grad.isContiguous()) return null;
    const { storage, shape } = grad;
    return storage.length === grad.numel() && passing?.takeOver(grad) ? new Tensor(storage, shape) : null;
  }

  override get showsGradients(): boolean {
    return this.hooks !== null;
  }
}

/** Elementary operations on gradients, provided by the files that define them. */
export interface Arithmetic {
  add(a: Tensor, b: Tensor): Tensor;
  addInPlace(a: Tensor, b: Tensor): void;
  /** A dense copy that nothing else shares. */
  own(a: Tensor): Tensor;
  ones(shape: readonly number[], like: Tensor): Tensor;
  sumToSize(grad: Tensor, shape: readonly number[]): Tensor;
  cast(grad: Tensor, dtype: Tensor["dtype"], device: Tensor["device"]): Tensor;
}

let arithmetic: Arithmetic;

export function setArithmetic(provided: Arithmetic): void {
  arithmetic = provided;
  setGradientArithmetic({ add: provided.add, ones: provided.ones, edgeOf });
}

/** What the gradient of a tensor has to look like. */
export interface Described {
  readonly shape: readonly number[];
  readonly dtype: Tensor["dtype"];
  readonly device: Tensor["device"];
}

export function describe({ shape, dtype, device }: Tensor): Described {
  return { shape, dtype, device };
}

/** A gradient as such an input takes it: summed over what was broadcast, converted, and where the input is. */
export function fitGradient(grad: Tensor, { shape, dtype, device }: Described): Tensor {
  const reduced = sameShape(grad.shape, shape) ? grad : arithmetic.sumToSize(grad, shape);
  return reduced.dtype === dtype && reduced.device === device ? reduced : arithmetic.cast(reduced, dtype, device);
}

/** Where this tensor's gradient goes; null when it wants none. */
export function edgeOf(tensor: Tensor): Edge | null {
  const node = tensor.gradFn;
  if (node) return { node, index: tensor.outputIndex };
  return tensor.requiresGrad ? { node: accumulatorOf(tensor), index: 0 } : null;
}

export function accumulatorOf(tensor: Tensor): Node {
  if (!tensor.accumulator) {
    tensor.accumulator = new AccumulateGrad(tensor);
    tensor.accumulator.outputs.push({ shape: tensor.shape, dtype: tensor.dtype });
  }
  return tensor.accumulator;
}

function nodeName<A>(op: OpDefinition<A>, attrs: A): string {
  return typeof op.gradFn === "string" ? op.gradFn : op.gradFn(attrs);
}

function refuseGradients<A>(op: Op<A>, attrs: A, inputs: Inputs, outputs: Tensor[]): void {
  const node = new Underivable(nodeName(op, attrs), op.name, inputs);
  outputs.forEach((output, i) => {
    node.outputs.push({ shape: output.shape, dtype: output.dtype });
    output.setHistory(node, i);
  });
}

/** Runs an operation with several outputs, records it for backward where an input asks for that, and for the visualizers. */
export function callMany<A>(op: Op<A>, attrs: A, ...inputs: Inputs): Tensor[] {
  const recording = anyRequiresGrad(inputs) && op.differentiable;
  const needs = recording ? inputs.map((input) => input?.requiresGrad ?? false) : [];
  const ctx = new Context(attrs, needs, recording);
  const result = hasAccelerator()
    ? runWhere(inputs, op.name, () => op.forward(ctx, ...inputs))
    : op.forward(ctx, ...inputs);
  const outputs = Array.isArray(result) ? result : [result];
  if (Array.isArray(result)) for (const output of result) if (output.base) output.viewMadeBy = "several";
  if (recording) {
    const node = new OperationNode(op, ctx, inputs);
    ctx.nameOutputs(outputs, node.name);
    for (let i = 0; i < outputs.length; i++) {
      const output = outputs[i]!;
      node.outputs.push({ shape: output.shape, dtype: output.dtype });
      if (output.dtype.isFloatingPoint) output.setHistory(node, i);
    }
  }
  if (!op.differentiable && anyRequiresGrad(inputs)) {
    const floats = outputs.filter((output) => output.dtype.isFloatingPoint);
    if (floats.length > 0) refuseGradients(op, attrs, inputs, floats);
  }
  if (op.record && isRecording()) {
    const draft = op.record(attrs, inputs, outputs);
    if (draft) record(draft);
  }
  return outputs;
}

/** Runs an operation with one output. */
export function call<A>(op: Op<A>, attrs: A, ...inputs: Inputs): Tensor {
  return callMany(op, attrs, ...inputs)[0]!;
}

/** The type of a function as a method: its first parameter becomes `this`. */
export type Method<F> = F extends (self: Tensor, ...args: infer A) => infer R ? (...args: A) => R : never;

/** A method's arguments are counted without the tensor it belongs to, and its name may be another than the function's. */
function asMethod(error: TypeError, name: string): TypeError {
  const [, called, rest] = /^(\w+)\(\)(.*)$/s.exec(error.message) ?? [];
  if (rest === undefined || (called !== name && called !== name.replace(/_$/, ""))) return error;
  const less = (text: string) => String(Number(text) - 1);
  error.message =
    `${name}()` +
    rest
      .replace(/\(position (\d+)\)/, (_, n: string) => `(position ${less(n)})`)
      .replace(
        /^ takes (?:from (\d+) to )?(\d+) positional arguments? but (\d+) (?:was|were) given/,
        (_, least: string | undefined, most: string, given: string) => {
          const [few, many, count] = [least && less(least), less(most), less(given)];
          return ` takes ${few ? `from ${few} to ${many}` : many} positional ${many === "1" ? "argument" : "arguments"} but ${count} ${count === "1" ? "was" : "were"} given`;
        },
      );
  return error;
}

/** Attaches functions whose first argument is a tensor as methods of Tensor; the same file declares their types. */
// biome-ignore lint/suspicious/noExplicitAny: a table of functions of any further parameters.
export function methods(table: Record<string, (self: Tensor, ...args: any[]) => unknown>): void {
  for (const [name, body] of Object.entries(table)) {
    const spoken = snakeCase(name);
    Object.defineProperty(Tensor.prototype, name, {
      value(this: Tensor, ...args: unknown[]) {
        try {
          return hasAccelerator() ? runNear([this], () => body(this, ...args)) : body(this, ...args);
        } catch (error) {
          throw error instanceof TypeError ? asMethod(error, spoken) : error;
        }
      },
      configurable: true,
      writable: true,
    });
  }
}

export { OperationNode };
