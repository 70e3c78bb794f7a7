/**
 * The graph of a computation: one node per recorded operation, edges to the nodes that made its inputs.
 * https://docs.pytorch.org/docs/2.13/notes/autograd.html#how-autograd-encodes-the-history
 */
import type { DType } from "../core/dtype.ts";
import { RuntimeError } from "../core/errors.ts";
import { sizeText } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";
import type { PassingGradients } from "./passing.ts";

/** Where a gradient goes: input `index` of `node`. */
export interface Edge {
  node: Node;
  index: number;
}

/** What a node knows of a tensor it made, to fill in a gradient that nobody sent and to shape one that came broadcast. */
export interface OutputMeta {
  shape: readonly number[];
  dtype: DType;
}

/** Sees a tensor's gradient in backward; what it returns, if anything, replaces the gradient. */
export type TensorHook = (grad: Tensor) => unknown;

/** Gradients by position; null where none flows. */
export type Gradients = readonly (Tensor | null)[];
/** Sees the gradients that go into a node; what it returns, if anything, replaces them. */
export type NodePrehook = (gradOutputs: Gradients) => unknown;
/** Sees the gradients that a node computed and those it got; what it returns, if anything, replaces the former. */
export type NodeHook = (gradInputs: Gradients, gradOutputs: Gradients) => unknown;
/** Sees a leaf after its gradient was accumulated. */
export type PostAccumulateGradHook = (tensor: Tensor) => void;

/** What registering a hook gives back. */
export interface RemovableHandle {
  /** Takes the hook away again. */
  remove(): void;
}

/** What a hook may do to a graph's gradients, in the order in which it was registered. */
export interface NodeHooks {
  /** On the gradient of one output. */
  tensor: { output: number; hook: TensorHook }[];
  /** Keep the gradient of an output once the hooks on it have run. */
  retain: Map<number, (grad: Tensor) => void>;
  pre: { hook: NodePrehook }[];
  post: { hook: NodeHook }[];
}

/** Adds an entry to a list; the handle takes this very one away. */
export function addTo<T>(list: T[], entry: T): RemovableHandle {
  list.push(entry);
  return {
    remove() {
      const at = list.indexOf(entry);
      if (at >= 0) list.splice(at, 1);
    },
  };
}

const FREED =
  "Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). " +
  "Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). " +
  "Specify retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors after calling backward.";

/** @internal */
export function freedError(): RuntimeError {
  return new RuntimeError(FREED, { hint: "pass { retainGraph: true } to the first backward()" });
}

/** What has a storage. This file does not know the class. */
function isTensor(value: unknown): boolean {
  return typeof value === "object" && value !== null && "storage" in value;
}

/** A tensor kept for backward, with the version it had. */
export class SavedTensor {
  readonly tensor: Tensor;
  readonly version: number;
  /** For a result that its own operation saved: "output 0 of Exp". Later changes in place rename the tensor's node. */
  made: string | null = null;

  constructor(tensor: Tensor) {
    if (tensor.isInference()) {
      throw new RuntimeError(
        "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in computation tracked by autograd. " +
          "To work around this, you can make a clone to get a normal tensor and use it in autograd, or use `torch.no_grad()` instead of `torch.inference_mode()`.",
      );
    }
    this.tensor = tensor;
    this.version = tensor.version;
  }

  unpack(): Tensor {
    const { tensor } = this;
    if (tensor.version !== this.version) {
      const source = this.made ?? (tensor.gradFn ? outputOf(tensor.gradFn.name, tensor.outputIndex) : null);
      const made = source ? `, which is ${source},` : "";
      throw new RuntimeError(
        `one of the variables needed for gradient computation has been modified by an inplace operation: ` +
          `[torch.${TYPE_NAMES[tensor.dtype.name]} ${sizeText(tensor.shape)}]${made} is at version ${tensor.version}; ` +
          `expected version ${this.version} instead. Hint: enable anomaly detection to find the operation that failed to compute its gradient, ` +
          `with torch.autograd.set_detect_anomaly(True, check_nan=False).`,
      );
    }
    return tensor;
  }
}

export function outputOf(node: string, index: number): string {
  return `output ${index} of ${node.replace(/Backward\d*$/, "")}`;
}

export const TYPE_NAMES = {
  float32: "FloatTensor",
  float64: "DoubleTensor",
  int32: "IntTensor",
  int64: "LongTensor",
  uint8: "ByteTensor",
  bool: "BoolTensor",
} as const;

/** Handed to an operation's forward and, later, to its backward. */
export class Context<A> {
  readonly attrs: A;
  /** Which inputs want a gradient; backward may return null for the others. */
  readonly needs: readonly boolean[];
  /** Notes that are not tensors (shapes, counts), free for forward to leave to backward. */
  notes: unknown = null;
  #saved: (SavedTensor | null)[] | null = [];
  #recording: boolean;

  constructor(attrs: A, needs: readonly boolean[], recording: boolean) {
    this.attrs = attrs;
    this.needs = needs;
    this.#recording = recording;
  }

  /** Keeps tensors for backward; does nothing when no gradient will be asked. */
  save(...tensors: (Tensor | null)[]): void {
    if (this.#recording) this.#saved = tensors.map((t) => (t ? new SavedTensor(t) : null));
  }

  /** The saved tensors. @throws RuntimeError after the graph was freed, or when one was changed in place since. */
  get saved(): Tensor[] {
    if (!this.#saved) throw freedError();
    return this.#saved.map((s) => (s ? s.unpack() : null)) as Tensor[];
  }

  /** The operation's own results among what it saved remember where they come from. */
  nameOutputs(outputs: readonly Tensor[], node: string): void {
    for (const saved of this.#saved ?? []) {
      const index = saved ? outputs.indexOf(saved.tensor) : -1;
      if (index >= 0) saved!.made = outputOf(node, index);
    }
  }

  /** An in-place operation that saved its result saved the tensor it changed. */
  adopt(result: Tensor, self: Tensor): void {
    this.#saved = this.#saved?.map((s) => (s?.tensor === result ? new SavedTensor(self) : s)) ?? null;
  }

  /** Whether there were tensors to keep, and they were let go. */
  get freed(): boolean {
    return this.#saved === null;
  }

  /** Lets go of the saved tensors. What kept none, not even among its attributes, can run again. */
  free(): void {
    if (this.#saved && (this.#saved.length > 0 || this.#holdsTensor())) this.#saved = null;
  }

  /** Such as an index: PyTorch saves it. */
  #holdsTensor(): boolean {
    const { attrs } = this;
    if (typeof attrs !== "object" || attrs === null) return false;
    for (const value of Object.values(attrs)) if (isTensor(value)) return true;
    return false;
  }
}

let nextId = 0;

/** A node that was made on top of another: whose input, at `position`, output `index` of the other is. */
export interface Consumer {
  node: Node;
  position: number;
  index: number;
}

/** A step of backward: gets the gradients of the operation's outputs, gives those of its inputs. */
export abstract class Node {
  /** PyTorch's name: "AddBackward0". */
  abstract readonly name: string;
  readonly id = nextId++;
  edges: (Edge | null)[] = [];
  /** For each output; null for what is no tensor. */
  readonly outputs: (OutputMeta | null)[] = [];
  /** @internal */
  hooks: NodeHooks | null = null;
  /** On how many operations it was made, since the last that was freed then. @internal */
  depth = 0;
  /** For a node that others no longer hold: who was made on top of it, and what they hold instead. @internal */
  past: { consumers: Consumer[]; deadEnd: Node | null } | null = null;

  /** Later operations have higher numbers; the sweep takes the highest first. */
  get sequence(): number {
    return this.id;
  }

  /** Whether it cannot run again, because what was kept for backward is gone. @internal */
  get freed(): boolean {
    return false;
  }

  /** @param passing gradients that only the sweep has seen; null where it keeps everything */
  abstract run(grads: (Tensor | null)[], passing?: PassingGradients | null): (Tensor | null)[];

  /** Lets go of what was kept for backward. */
  release(): void {}

  /** Whether code from outside the engine sees the gradients that it gets or gives, and may keep them. */
  get showsGradients(): boolean {
    return true;
  }

  /** As PyTorch's `next_functions`: pairs of node and input number. */
  get nextFunctions(): [Node | null, number][] {
    return this.edges.map((edge) => (edge ? [edge.node, edge.index] : [null, 0]));
  }

  /** Has those that were made on top of it hold it again. @internal */
  restore(): void {
    const nodes: Node[] = [this];
    for (let node = nodes.pop(); node; node = nodes.pop()) {
      const consumers = node.past?.consumers ?? [];
      node.past = null;
      for (const { node: consumer, position, index } of consumers) {
        consumer.edges[position] = { node, index };
        nodes.push(consumer);
      }
    }
  }

  #hooks(): NodeHooks {
    this.restore();
    this.hooks ??= { tensor: [], retain: new Map(), pre: [], post: [] };
    return this.hooks;
  }

  /** Calls `hook` with the gradient of one output. @internal */
  addTensorHook(output: number, hook: TensorHook): RemovableHandle {
    return addTo(this.#hooks().tensor, { output, hook });
  }

  /** Calls `keep` with the gradient of one output after all hooks on it. @internal */
  retain(output: number, keep: (grad: Tensor) => void): void {
    this.#hooks().retain.set(output, keep);
  }

  /**
   * Calls `hook` after this node ran, with the gradients of its inputs and of its outputs; an array that it returns
   * replaces the former. https://docs.pytorch.org/docs/2.13/generated/torch.autograd.graph.Node.register_hook.html
   */
  registerHook(hook: NodeHook): RemovableHandle {
    return addTo(this.#hooks().post, { hook });
  }

  /**
   * Calls `hook` before this node runs, with the gradients of its outputs; an array that it returns replaces them.
   * https://docs.pytorch.org/docs/2.13/generated/torch.autograd.graph.Node.register_prehook.html
   */
  registerPrehook(hook: NodePrehook): RemovableHandle {
    return addTo(this.#hooks().pre, { hook });
  }

  toString(): string {
    return `<${this.name}>`;
  }
}
