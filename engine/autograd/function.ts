/** Operations with a derivative of one's own. https://docs.pytorch.org/docs/2.13/autograd.html#function */
import { NotImplementedError, RuntimeError, TypeError } from "../core/errors.ts";
import { type Shape, sizeText } from "../core/shape.ts";
import { pythonTypeName, Tensor } from "../core/tensor.ts";
import { continueHistory } from "../ops/inplace.ts";
import { filled } from "../ops/operands.ts";
import { type Described, describe, edgeOf, fitGradient } from "../ops/registry.ts";
import { alias } from "../ops/view.ts";
import { noGrad, recordsGradients } from "./mode.ts";
import { freedError, type Gradients, Node, outputOf, SavedTensor } from "./node.ts";

/**
 * What forward leaves for backward: tensors through saveForBackward, anything else as a property. A property is declared
 * where it is used: `forward(ctx: FunctionCtx & { power?: number }, x: Tensor, power: number) { ctx.power = power; … }`.
 * https://docs.pytorch.org/docs/2.13/generated/torch.autograd.function.FunctionCtx.html
 */
export class FunctionCtx {
  /** For each input of forward whether it is a tensor that requires a gradient. */
  readonly needsInputGrad: readonly boolean[];
  #toSave: readonly (Tensor | null)[] = [];
  #saved: (SavedTensor | null)[] | null = [];
  #dirty: readonly Tensor[] = [];
  #nonDifferentiable: readonly Tensor[] = [];
  #materializes = true;

  constructor(needsInputGrad: readonly boolean[]) {
    this.needsInputGrad = needsInputGrad;
  }

  /**
   * Keeps inputs or outputs of forward for backward; call it once.
   * @throws TypeError for what is neither a tensor nor null
   */
  saveForBackward(...tensors: (Tensor | null)[]): void {
    tensors.forEach((tensor, i) => {
      if (tensor === null || tensor instanceof Tensor) return;
      throw new TypeError(
        `save_for_backward can only save variables, but argument ${i} is of type ${pythonTypeName(tensor)}`,
      );
    });
    this.#toSave = tensors;
  }

  /**
   * What forward saved; null where it saved null.
   * @throws RuntimeError after the graph was freed, or when one was changed in place since
   */
  get savedTensors(): Tensor[] {
    if (!this.#saved) throw freedError();
    // Who saves null knows where; everybody else would have to check what is never null.
    return this.#saved.map((saved) => saved?.unpack() ?? null) as Tensor[];
  }

  /** Says which inputs forward changed in place; each has to be returned. */
  markDirty(...tensors: Tensor[]): void {
    this.#dirty = tensors;
  }

  /** Says which outputs have no derivative; backward gets zeros for them. */
  markNonDifferentiable(...tensors: Tensor[]): void {
    this.#nonDifferentiable = tensors;
  }

  /** Whether backward gets zeros (true, as it is without this call) or null for outputs that no gradient reached. */
  setMaterializeGrads(value: boolean): void {
    this.#materializes = value;
  }

  /** @internal */
  get marks() {
    return {
      dirty: this.#dirty,
      nonDifferentiable: this.#nonDifferentiable,
      materializes: this.#materializes,
    };
  }

  /** Called once the outputs have their place in the graph. @internal */
  keep(outputs: readonly unknown[], node: string): void {
    this.#saved = this.#toSave.map((tensor) => {
      if (!tensor) return null;
      const saved = new SavedTensor(tensor);
      const index = outputs.indexOf(tensor);
      if (index >= 0) saved.made = outputOf(node, index);
      return saved;
    });
    this.#toSave = [];
  }

  /** @internal */
  free(): void {
    if (this.#saved && this.#saved.length > 0) this.#saved = null;
  }
}

/** A class with static forward and backward, as `Function.apply` takes it. */
interface FunctionClass {
  readonly name: string;
  forward(...args: never[]): unknown;
  backward(...args: never[]): unknown;
}

/** What `apply` takes: the arguments of forward, without the context where there is no setupContext. */
export type FunctionInputs<F extends FunctionClass> = F extends { setupContext(...args: never[]): void }
  ? Parameters<F["forward"]>
  : Parameters<F["forward"]> extends [unknown, ...infer Inputs]
    ? Inputs
    : [];

/**
 * An operation with forward and backward of one's own:
 *
 *   class Cube extends torch.autograd.Function {
 *     static forward(ctx: FunctionCtx, x: Tensor) { ctx.saveForBackward(x); return x.pow(3); }
 *     static backward(ctx: FunctionCtx, grad: Tensor) { const [x] = ctx.savedTensors; return grad.mul(x.pow(2)).mul(3); }
 *   }
 *   const y = Cube.apply(x);
 *
 * backward gets a gradient for each output and returns one for each input of forward (null for what is no tensor). With
 * `static setupContext(ctx, inputs, output)` forward goes without the context.
 * https://docs.pytorch.org/docs/2.13/generated/torch.autograd.Function.html
 */
class AutogradFunction {
  /** Computes the outputs: `static forward(ctx: FunctionCtx, x: Tensor, …)`. Nothing in it is recorded. */
  static forward(..._args: never[]): unknown {
    throw new NotImplementedError("You must implement the forward function for custom autograd.Function.");
  }

  /** Computes the inputs' gradients from the outputs': `static backward(ctx: FunctionCtx, grad: Tensor)`. */
  static backward(..._args: never[]): unknown {
    throw new NotImplementedError(
      "You must implement either the backward or vjp method for your custom autograd.Function to use it with backward mode AD.",
    );
  }

  /** Runs forward and records it: what to call instead of forward. */
  static apply<F extends FunctionClass>(this: F, ...inputs: FunctionInputs<F>): ReturnType<F["forward"]> {
    // biome-ignore lint/complexity/noThisInStatic: the class that apply is called on.
    return run(this, inputs) as ReturnType<F["forward"]>;
  }
}

export { AutogradFunction as Function };

type Static = (...args: unknown[]) => unknown;

/** A static method, called with arguments that `apply` checked or that backward computed. */
function method(of: FunctionClass, name: "forward" | "backward" | "setupContext"): Static | null {
  const found: unknown = Reflect.get(of, name);
  return typeof found === "function" ? (found.bind(of) as Static) : null;
}

function run(of: FunctionClass, inputs: readonly unknown[]): unknown {
  const tensors = inputs.filter((input) => input instanceof Tensor);
  const recording = recordsGradients() && tensors.some((tensor) => tensor.requiresGrad);
  const ctx = new FunctionCtx(inputs.map((input) => input instanceof Tensor && input.requiresGrad));
  const node = recording ? new FunctionNode(of, ctx, inputs) : null;
  const result = noGrad(() => {
    const setup = method(of, "setupContext");
    const output = method(of, "forward")?.(...(setup ? inputs : [ctx, ...inputs]));
    setup?.(ctx, inputs, output);
    return output;
  });
  const outputs = Array.isArray(result) ? result : [result];
  const placed = placeOutputs(ctx, node, tensors, outputs);
  if (node) ctx.keep(placed, node.name);
  return Array.isArray(result) ? placed : placed[0];
}

/** Gives the outputs their place in the graph. */
function placeOutputs(
  ctx: FunctionCtx,
  node: FunctionNode | null,
  inputs: readonly Tensor[],
  outputs: readonly unknown[],
): unknown[] {
  const { dirty, nonDifferentiable } = ctx.marks;
  if (dirty.some((tensor) => !outputs.includes(tensor))) {
    throw new RuntimeError(
      "Some elements marked as dirty during the forward method were not returned as output. The inputs that are modified inplace must all be outputs of the Function.",
    );
  }
  const several = outputs.filter((output) => output instanceof Tensor).length > 1;
  return outputs.map((output, i) => {
    node?.describe(output);
    if (!(output instanceof Tensor)) return output;
    const isInput = inputs.includes(output);
    const changed = dirty.includes(output);
    if (changed) output.changes.version++;
    const differentiable = node && output.dtype.isFloatingPoint && !nonDifferentiable.includes(output);
    if (changed) {
      if (node && output.requiresGrad && output.isLeaf) {
        throw new RuntimeError("a leaf Variable that requires grad has been used in an in-place operation.");
      }
      if (differentiable) continueHistory(output, { node, index: i });
      return output;
    }
    const result = isInput ? noGrad(() => alias(output)) : output;
    if (differentiable) {
      result.setHistory(node, i);
      result.viewMadeBy = several ? "several" : "function";
    } else if (isInput) return output.detach();
    return result;
  });
}

/** A custom Function in the graph. */
class FunctionNode extends Node {
  readonly name: string;
  readonly #of: FunctionClass;
  readonly #ctx: FunctionCtx;
  readonly #inputs: (Described | null)[];

  constructor(of: FunctionClass, ctx: FunctionCtx, inputs: readonly unknown[]) {
    super();
    this.name = `${of.name}Backward`;
    this.#of = of;
    this.#ctx = ctx;
    this.#inputs = inputs.map((input) => (input instanceof Tensor ? describe(input) : null));
    this.edges = inputs.filter((input) => input instanceof Tensor).map((tensor) => edgeOf(tensor));
  }

  /** Notes the shape of an output; what is no tensor keeps its place. */
  describe(output: unknown): void {
    this.outputs.push(output instanceof Tensor ? { shape: output.shape, dtype: output.dtype } : null);
  }

  override run(grads: Gradients): (Tensor | null)[] {
    const given = this.#ctx.marks.materializes
      ? this.outputs.map((meta, i) => grads[i] ?? (meta ? filled(meta.shape, 0, meta.dtype) : null))
      : grads;
    const returned = method(this.#of, "backward")?.(this.#ctx, ...given);
    return this.#checked(Array.isArray(returned) ? returned : [returned]);
  }

  /** One gradient for each tensor among the inputs, in its shape. */
  #checked(returned: readonly unknown[]): (Tensor | null)[] {
    const expected = this.#inputs.length;
    const surplus = returned.slice(expected);
    if (returned.length < expected || surplus.some((grad) => grad !== null && grad !== undefined)) {
      throw new RuntimeError(
        `function ${this.name} returned an incorrect number of gradients (expected ${expected}, got ${returned.length})`,
        { hint: "backward returns an array with one entry for each input of forward: null for what is no tensor" },
      );
    }
    const gradients: (Tensor | null)[] = [];
    this.#inputs.forEach((input, i) => {
      const grad = returned[i] ?? null;
      if (input) gradients.push(this.#fitted(grad, input, gradients.length));
      else if (grad !== null) {
        throw new RuntimeError(
          `function ${this.name} returned a gradient different than None at position ${i + 1}, but the corresponding forward input was not a Variable`,
        );
      }
    });
    return gradients;
  }

  #fitted(grad: unknown, input: Described, index: number): Tensor | null {
    if (grad === null || !this.edges[index]) return null;
    if (!(grad instanceof Tensor)) {
      throw new RuntimeError(`expected Variable or None (got ${pythonTypeName(grad)})`);
    }
    if (!isExpandableTo(input.shape, grad.shape)) {
      throw new RuntimeError(
        `Function ${this.name} returned an invalid gradient at index ${index} - got ${sizeText(grad.shape)} but expected shape compatible with ${sizeText(input.shape)}`,
        { shapes: [grad.shape, input.shape] },
      );
    }
    return fitGradient(grad, input);
  }

  override release(): void {
    this.#ctx.free();
  }
}

/** Whether broadcasting makes `to` of `shape`. */
function isExpandableTo(shape: Shape, to: Shape): boolean {
  const lead = to.length - shape.length;
  return lead >= 0 && shape.every((size, i) => size === 1 || size === to[i + lead]);
}
