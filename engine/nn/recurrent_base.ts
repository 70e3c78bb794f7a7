/** What the recurrent layers have in common: parameters, initial values, checks, text. */
import { bind } from "../core/arguments.ts";
import { AttributeError, IndexError, RuntimeError, TypeError, ValueError } from "../core/errors.ts";
import { sameShape, sizeText } from "../core/shape.ts";
import { pythonTypeName, Tensor } from "../core/tensor.ts";
import { warn } from "../core/warnings.ts";
import { zeros } from "../ops/creation.ts";
import { indexSelect } from "../ops/gathering.ts";
import { type RecurrentMode, type RecurrentState, type RecurrentWeights, recurrentLayers } from "../ops/recurrent.ts";
import { squeeze, unsqueeze } from "../ops/view.ts";
import { emptyParameter, type FactoryOptions } from "./factory.ts";
import { uniform_ } from "./init.ts";
import { Module } from "./module.ts";
import { assertComparable } from "./operands.ts";
import { PackedSequence } from "./packed_sequence.ts";
import type { Parameter } from "./parameter.ts";
import { floatText, numberText, py } from "./text.ts";

export interface RecurrentOptions extends FactoryOptions {
  /** How many layers, each fed with the output of the one before. Default 1. */
  numLayers?: number;
  /** Whether there are biases. Default true. */
  bias?: boolean;
  /** Input and output are [N, L, *] instead of [L, N, *]; states stay as they are. Default false. */
  batchFirst?: boolean;
  /** Probability of dropping an element between layers, in training. Default 0. */
  dropout?: number;
  /** A second set of layers reads the sequence backwards; outputs lie side by side. Default false. */
  bidirectional?: boolean;
}

export interface RecurrentSizes {
  /** Number of features of a step's input. */
  inputSize: number;
  /** Number of features of the state. */
  hiddenSize: number;
}

type BaseArguments = RecurrentSizes & RecurrentOptions & { projSize?: number };

const BASE_PARAMETERS = [
  "!inputSize",
  "!hiddenSize",
  "numLayers",
  "bias",
  "batchFirst",
  "dropout",
  "bidirectional",
  "projSize",
  "device",
  "dtype",
];

/** Uniform on ±1 / √hiddenSize, in the order of registration. */
export function resetByHiddenSize(module: Module, hiddenSize: number): void {
  const bound = hiddenSize > 0 ? 1 / Math.sqrt(hiddenSize) : 0;
  for (const parameter of module.parameters()) uniform_(parameter, { a: -bound, b: bound });
}

function checkArguments(given: BaseArguments): void {
  const { inputSize, hiddenSize, numLayers = 1, bias = true, batchFirst = false, dropout = 0, projSize = 0 } = given;
  if (typeof dropout !== "number" || !(dropout >= 0 && dropout <= 1)) {
    throw new ValueError(
      "dropout should be a number in range [0, 1] representing the probability of an element being zeroed",
    );
  }
  if (dropout > 0 && numLayers === 1) {
    warn(
      `dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects num_layers greater than 1, but got dropout=${numberText(dropout)} and num_layers=${numLayers}`,
    );
  }
  const wrongType = (name: string, type: string, value: unknown) =>
    new TypeError(`${name} should be of type ${type}, got: ${pythonTypeName(value)}`);
  if (typeof bias !== "boolean") throw wrongType("bias", "bool", bias);
  if (typeof batchFirst !== "boolean") throw wrongType("batch_first", "bool", batchFirst);
  if (!Number.isInteger(inputSize)) throw wrongType("input_size", "int", inputSize);
  if (inputSize <= 0) throw new ValueError("input_size must be greater than zero");
  if (!Number.isInteger(hiddenSize)) throw wrongType("hidden_size", "int", hiddenSize);
  if (hiddenSize <= 0) throw new ValueError("hidden_size must be greater than zero");
  assertComparable(numLayers, "<=", 0);
  assertComparable(projSize, "<", 0);
  if (numLayers <= 0) throw new ValueError("num_layers must be greater than zero");
  if (!Number.isInteger(numLayers)) {
    throw new TypeError(`'${pythonTypeName(numLayers)}' object cannot be interpreted as an integer`);
  }
  if (projSize < 0) {
    throw new ValueError("proj_size should be a positive integer or zero to disable projections");
  }
  if (projSize >= hiddenSize) throw new ValueError("proj_size has to be smaller than hidden_size");
}

const GATES: Readonly<Record<RecurrentMode, number>> = { RNN_TANH: 1, RNN_RELU: 1, LSTM: 4, GRU: 3 };

/** `weight_ih_l0` is `weightIhL0` as well. */
function exposeCamelCase(module: Module, name: string): void {
  const camel = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  Reflect.defineProperty(module, camel, {
    get(this: Module) {
      return this.getParameter(name);
    },
    configurable: true,
  });
}

export interface RNNBase<S> {
  (input: Tensor, hx?: S | null | { hx?: S | null }): [output: Tensor, hn: S];
  (input: PackedSequence, hx?: S | null | { hx?: S | null }): [output: PackedSequence, hn: S];
}

/**
 * The base of RNN, LSTM and GRU; S is what a state is: a tensor, for an LSTM a pair of them.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.RNNBase.html
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: Module makes every instance the function that the interface declares.
export abstract class RNNBase<S extends Tensor | [Tensor, Tensor]> extends Module {
  readonly mode: RecurrentMode;
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly bias: boolean;
  readonly batchFirst: boolean;
  readonly dropout: number;
  readonly bidirectional: boolean;
  /** Size of the projected state of an LSTM; 0 where it isn't projected. */
  readonly projSize: number;
  /** [gates · hiddenSize, inputSize]; of the first layer, as the next ones. */
  declare readonly weightIhL0: Parameter;
  declare readonly weightHhL0: Parameter;
  declare readonly biasIhL0: Parameter;
  declare readonly biasHhL0: Parameter;

  constructor(mode: RecurrentMode, args: unknown[]) {
    super();
    const given = bind<BaseArguments>("RNNBase.__init__", BASE_PARAMETERS, args);
    checkArguments(given);
    this.mode = mode;
    this.inputSize = given.inputSize;
    this.hiddenSize = given.hiddenSize;
    this.numLayers = given.numLayers ?? 1;
    this.bias = given.bias ?? true;
    this.batchFirst = given.batchFirst ?? false;
    this.dropout = given.dropout ?? 0;
    this.bidirectional = given.bidirectional ?? false;
    this.projSize = given.projSize ?? 0;
    const { device, dtype } = given;
    for (const [name, shape] of layerNames(this).flatMap((names, k) =>
      names.map((n) => [n, shapeOf(this, n, k)] as const),
    )) {
      this.registerParameter(name, emptyParameter(shape, { device, dtype }));
      exposeCamelCase(this, name);
    }
    this.resetParameters();
  }

  /** Draws all parameters anew: uniform on ±1 / √hiddenSize. */
  resetParameters(): void {
    resetByHiddenSize(this, this.hiddenSize);
  }

  /** Does nothing: parameters need not lie side by side here. */
  flattenParameters(): void {}

  /** The parameters of each layer and direction: `[[weightIhL0, weightHhL0, …], …]`. */
  get allWeights(): Parameter[][] {
    return layerNames(this).map((names) => names.map((name) => this.getParameter(name)));
  }

  /** A state as its tensors, checked as far as its kind goes. */
  protected abstract tensorsOf(hx: S): Tensor[];
  protected abstract stateOf(tensors: Tensor[]): S;
  protected abstract checkDimensions(state: RecurrentState, batched: boolean): void;

  override forward(input: PackedSequence, hx?: S | null | { hx?: S | null }): [output: PackedSequence, hn: S];
  override forward(input: Tensor, hx?: S | null | { hx?: S | null }): [output: Tensor, hn: S];
  override forward(...args: unknown[]): [Tensor | PackedSequence, S] {
    const { input, hx = null } = bind<{ input: Tensor | PackedSequence; hx?: S | null }>(
      `${this.constructor.name}.forward`,
      ["!input", "hx"],
      args,
    );
    if (input instanceof PackedSequence) return this.forwardPacked(input, hx);
    if (!(input instanceof Tensor)) {
      throw new AttributeError(`'${pythonTypeName(input)}' object has no attribute 'dim'`);
    }
    if (input.ndim !== 2 && input.ndim !== 3) {
      const kind = this.constructor.name;
      throw new ValueError(
        `${kind}: Expected input to be 2D or 3D, got ${input.ndim}D ${this.mode.startsWith("RNN") ? "tensor " : ""}instead`,
        { shapes: [input.shape] },
      );
    }
    const batched = input.ndim === 3;
    const batchDim = this.batchFirst ? 0 : 1;
    const batch = batched ? input : unsqueeze(input, batchDim);
    let state = hx === null ? this.zeroState(batch, batch.shape[batchDim]!) : this.tensorsOf(hx);
    if (hx !== null) {
      this.checkDimensions(state, batched);
      if (!batched) state = state.map((part) => unsqueeze(part, 1));
    }
    this.checkInput(batch, 3);
    this.checkState(state, batch.shape[batchDim]!);
    const result = this.run(batch, null, state);
    if (batched) return [result.output, this.stateOf(result.state)];
    return [squeeze(result.output, batchDim), this.stateOf(result.state.map((part) => squeeze(part, 1)))];
  }

  protected forwardPacked(packed: PackedSequence, hx: S | null): [PackedSequence, S] {
    const { data, batchSizes, sortedIndices, unsortedIndices } = packed;
    const sizes = Array.from(batchSizes.denseData());
    const permuted = (state: Tensor[], order: Tensor | null) =>
      order ? state.map((part) => indexSelect(part, 1, order)) : state;
    const state = hx === null ? this.zeroState(data, sizes[0]!) : permuted(this.tensorsOf(hx), sortedIndices);
    // A packed input of an LSTM is left to the products, as in PyTorch.
    if (this.mode !== "LSTM") this.checkInput(data, 2);
    this.checkState(state, sizes[0]!);
    const { output, state: after } = this.run(data, sizes, state);
    return [
      new PackedSequence(output, batchSizes, sortedIndices, unsortedIndices),
      this.stateOf(permuted(after, unsortedIndices)),
    ];
  }

  private run(input: Tensor, batchSizes: number[] | null, state: RecurrentState) {
    const { mode, bidirectional, batchFirst, dropout, training } = this;
    const weights = layerNames(this).map((names) => weightsOf(this, names));
    return recurrentLayers({ mode, input, batchSizes, state, weights, bidirectional, batchFirst, dropout, training });
  }

  private zeroState(input: Tensor, batch: number): Tensor[] {
    return stateShapes(this, batch).map((shape) => zeros(shape, { dtype: input.dtype, device: input.device }));
  }

  private checkInput(input: Tensor, ndim: number): void {
    const { dtype } = this.getParameter("weight_ih_l0");
    if (input.dtype !== dtype) {
      throw new ValueError(
        `RNN input dtype (${input.dtype}) does not match weight dtype (${dtype}). Convert input: input.to(${dtype}), or convert model: model.to(${input.dtype})`,
      );
    }
    if (input.ndim !== ndim) throw new RuntimeError(`input must have ${ndim} dimensions, got ${input.ndim}`);
    if (input.shape.at(-1) !== this.inputSize) {
      throw new RuntimeError(
        `input.size(-1) must be equal to input_size. Expected ${this.inputSize}, got ${input.shape.at(-1)}`,
        { shapes: [input.shape] },
      );
    }
  }

  private checkState(state: RecurrentState, batch: number): void {
    stateShapes(this, batch).forEach((shape, k, { length }) => {
      const given = state[k]!.shape;
      if (sameShape(given, shape)) return;
      throw new RuntimeError(`Expected hidden${length > 1 ? `[${k}]` : ""} size ${py(shape)}, got ${sizeText(given)}`, {
        shapes: [given, shape],
      });
    });
  }

  override extraRepr(): string {
    const parts = [`${this.inputSize}, ${this.hiddenSize}`];
    if (this.projSize !== 0) parts.push(`proj_size=${this.projSize}`);
    if (this.numLayers !== 1) parts.push(`num_layers=${this.numLayers}`);
    if (!this.bias) parts.push("bias=False");
    if (this.batchFirst) parts.push("batch_first=True");
    if (this.dropout !== 0) parts.push(`dropout=${floatText(this.dropout)}`);
    if (this.bidirectional) parts.push("bidirectional=True");
    return parts.join(", ");
  }
}

type Layers = Pick<
  RNNBase<Tensor>,
  "mode" | "inputSize" | "hiddenSize" | "numLayers" | "bias" | "bidirectional" | "projSize"
>;

/** The names of each layer's parameters, backward layers after forward ones. */
function layerNames({ numLayers, bias, bidirectional, projSize }: Layers): string[][] {
  const kinds = [
    "weight_ih",
    "weight_hh",
    ...(bias ? ["bias_ih", "bias_hh"] : []),
    ...(projSize > 0 ? ["weight_hr"] : []),
  ];
  const suffixes = bidirectional ? ["", "_reverse"] : [""];
  return Array.from({ length: numLayers }, (_, layer) =>
    suffixes.map((suffix) => kinds.map((kind) => `${kind}_l${layer}${suffix}`)),
  ).flat();
}

/** The shape of a parameter of the layer (or its backward half) number `k`. */
function shapeOf(module: Layers, name: string, k: number): number[] {
  const { mode, inputSize, hiddenSize, bidirectional, projSize } = module;
  const rows = GATES[mode] * hiddenSize;
  const state = projSize || hiddenSize;
  const directions = bidirectional ? 2 : 1;
  if (name.startsWith("bias")) return [rows];
  if (name.startsWith("weight_hr")) return [projSize, hiddenSize];
  if (name.startsWith("weight_hh")) return [rows, state];
  return [rows, k < directions ? inputSize : state * directions];
}

function weightsOf(module: Module, names: readonly string[]): RecurrentWeights {
  const named = (kind: string): Parameter | null => {
    const name = names.find((candidate) => candidate.startsWith(kind));
    return name === undefined ? null : module.getParameter(name);
  };
  return {
    input: module.getParameter(names[0]!),
    hidden: module.getParameter(names[1]!),
    inputBias: named("bias_ih"),
    hiddenBias: named("bias_hh"),
    projection: named("weight_hr"),
  };
}

/** What the state of a batch has to look like: h, for an LSTM also c. */
function stateShapes({ mode, numLayers, hiddenSize, bidirectional, projSize }: Layers, batch: number): number[][] {
  const layers = numLayers * (bidirectional ? 2 : 1);
  const hidden = [layers, batch, projSize || hiddenSize];
  return mode === "LSTM" ? [hidden, [layers, batch, hiddenSize]] : [hidden];
}

/** An LSTM's state: h and c. A single tensor is taken apart, as Python does. */
export function pairOf(hx: [Tensor, Tensor] | Tensor): [Tensor, Tensor] {
  if (hx instanceof Tensor) return [hx.at(0), hx.at(1)];
  const [h, c] = hx;
  if (!h || !c) throw new IndexError("tuple index out of range", { hint: "an LSTM's state is a pair: [h0, c0]" });
  return [h, c];
}
