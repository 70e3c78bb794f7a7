/** Single steps of the recurrent layers. https://docs.pytorch.org/docs/2.13/nn.html#recurrent-layers */
import { bind } from "../core/arguments.ts";
import { RuntimeError, ValueError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import { zeros } from "../ops/creation.ts";
import { type RecurrentMode, type RecurrentState, recurrentStep } from "../ops/recurrent.ts";
import { squeeze, unsqueeze } from "../ops/view.ts";
import { emptyParameter, type FactoryOptions } from "./factory.ts";
import { Module } from "./module.ts";
import { assertTensor } from "./operands.ts";
import type { Parameter } from "./parameter.ts";
import { pairOf, type RecurrentSizes, resetByHiddenSize } from "./recurrent_base.ts";

export interface RecurrentCellOptions extends FactoryOptions {
  /** Whether there are biases. Default true. */
  bias?: boolean;
}

export interface RNNCellOptions extends RecurrentCellOptions {
  /** "tanh" or "relu". Default "tanh". */
  nonlinearity?: "tanh" | "relu";
}

/** The base of the cells. Parameters start uniform on ±1 / √hiddenSize. */
export abstract class RNNCellBase extends Module {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly bias: boolean;

  constructor(sizes: RecurrentSizes & RecurrentCellOptions, gates: number) {
    super();
    const { inputSize, hiddenSize, bias = true, device, dtype } = sizes;
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.bias = bias;
    // What is no number is told of by the name of its type, not as the number that JavaScript makes of it.
    const rows = typeof hiddenSize === "number" ? gates * hiddenSize : hiddenSize;
    const parameter = (...shape: number[]) => emptyParameter(shape, { device, dtype });
    this.registerParameter("weight_ih", parameter(rows, inputSize));
    this.registerParameter("weight_hh", parameter(rows, hiddenSize));
    this.registerParameter("bias_ih", bias ? parameter(rows) : null);
    this.registerParameter("bias_hh", bias ? parameter(rows) : null);
    this.resetParameters();
  }

  /** [gates · hiddenSize, inputSize]: the parameter `weight_ih`. */
  get weightIh(): Parameter {
    return this.getParameter("weight_ih");
  }

  /** [gates · hiddenSize, hiddenSize]: the parameter `weight_hh`. */
  get weightHh(): Parameter {
    return this.getParameter("weight_hh");
  }

  /** [gates · hiddenSize], or null: the parameter `bias_ih`. */
  get biasIh(): Parameter | null {
    return this.bias ? this.getParameter("bias_ih") : null;
  }

  /** [gates · hiddenSize], or null: the parameter `bias_hh`. */
  get biasHh(): Parameter | null {
    return this.bias ? this.getParameter("bias_hh") : null;
  }

  /** Draws all parameters anew. */
  resetParameters(): void {
    resetByHiddenSize(this, this.hiddenSize);
  }

  /** One step for a batch [N, in], or for a single sample [in] with a state alike. */
  protected step(mode: RecurrentMode, input: Tensor, given: RecurrentState | null): Tensor[] {
    const batched = input.ndim === 2;
    const batch = batched ? input : unsqueeze(input, 0);
    const count = mode === "LSTM" ? 2 : 1;
    const zero = () => zeros([batch.shape[0]!, this.hiddenSize], { dtype: input.dtype, device: input.device });
    const state =
      given === null ? Array.from({ length: count }, zero) : given.map((part) => (batched ? part : unsqueeze(part, 0)));
    this.checkSizes(batch, state);
    const after = recurrentStep(mode, batch, state, {
      input: this.weightIh,
      hidden: this.weightHh,
      inputBias: this.biasIh,
      hiddenBias: this.biasHh,
      projection: null,
    });
    return batched ? after : after.map((part) => squeeze(part, 0));
  }

  private checkSizes(input: Tensor, state: RecurrentState): void {
    const { inputSize, hiddenSize } = this;
    if (input.shape[1] !== inputSize) {
      throw new RuntimeError(`input has inconsistent input_size: got ${input.shape[1]} expected ${inputSize}`, {
        shapes: [input.shape],
      });
    }
    for (const [k, part] of state.entries()) {
      if (part.shape[0] !== input.shape[0]) {
        throw new RuntimeError(
          `Input batch size ${input.shape[0]} doesn't match hidden${k} batch size ${part.shape[0]}`,
          { shapes: [input.shape, part.shape] },
        );
      }
      if (part.size(1) !== hiddenSize) {
        throw new RuntimeError(`hidden${k} has inconsistent hidden_size: got ${part.size(1)}, expected ${hiddenSize}`, {
          shapes: [part.shape],
        });
      }
    }
  }

  override extraRepr(): string {
    return `${this.inputSize}, ${this.hiddenSize}${this.bias ? "" : ", bias=False"}`;
  }
}

function checkDimensions(kind: string, what: string, tensor: Tensor): void {
  assertTensor(tensor, "dim");
  if (tensor.ndim === 1 || tensor.ndim === 2) return;
  throw new ValueError(`${kind}: Expected ${what} to be 1D or 2D, got ${tensor.ndim}D instead`, {
    shapes: [tensor.shape],
  });
}

/** Constructor arguments of a cell. */
function cellArguments<O>(kind: string, args: unknown[], own: readonly string[] = []): RecurrentSizes & O {
  return bind<RecurrentSizes & O>(
    `${kind}.__init__`,
    ["!inputSize", "!hiddenSize", "bias", ...own, "device", "dtype"],
    args,
  );
}

/** Arguments of a call to a cell whose state is one tensor, their dimensions checked. */
function singleArguments(kind: string, args: unknown[]): { input: Tensor; hx: Tensor | null } {
  const { input, hx = null } = bind<{ input: Tensor; hx?: Tensor | null }>(`${kind}.forward`, ["!input", "hx"], args);
  checkDimensions(kind, "input", input);
  if (hx) checkDimensions(kind, "hidden", hx);
  return { input, hx };
}

/**
 * One step of an `RNN`: h' = tanh(x·W_ihᵀ + b_ih + h·W_hhᵀ + b_hh), or relu of it.
 *
 * Shapes: input [N, inputSize] or [inputSize]; h [N, hiddenSize] or [hiddenSize], zeros by default; output as h.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.RNNCell.html
 */
export class RNNCell extends RNNCellBase {
  readonly nonlinearity: string;

  constructor(inputSize: number, hiddenSize: number, options?: RNNCellOptions);
  constructor(options: RecurrentSizes & RNNCellOptions);
  constructor(...args: unknown[]) {
    const given = cellArguments<RNNCellOptions>("RNNCell", args, ["nonlinearity"]);
    super(given, 1);
    this.nonlinearity = given.nonlinearity ?? "tanh";
  }

  override forward(input: Tensor, hx?: Tensor | null | { hx?: Tensor | null }): Tensor;
  override forward(...args: unknown[]): Tensor {
    const { input, hx } = singleArguments("RNNCell", args);
    const { nonlinearity } = this;
    if (nonlinearity !== "tanh" && nonlinearity !== "relu") {
      throw new RuntimeError(`Unknown nonlinearity: ${nonlinearity}`);
    }
    return this.step(nonlinearity === "tanh" ? "RNN_TANH" : "RNN_RELU", input, hx && [hx])[0]!;
  }

  override extraRepr(): string {
    const nonlinearity = this.nonlinearity === "tanh" ? "" : `, nonlinearity=${this.nonlinearity}`;
    return super.extraRepr() + nonlinearity;
  }
}

/**
 * One step of a `GRU`. Shapes: as `RNNCell`.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.GRUCell.html
 */
export class GRUCell extends RNNCellBase {
  constructor(inputSize: number, hiddenSize: number, options?: RecurrentCellOptions);
  constructor(options: RecurrentSizes & RecurrentCellOptions);
  constructor(...args: unknown[]) {
    super(cellArguments<RecurrentCellOptions>("GRUCell", args), 3);
  }

  override forward(input: Tensor, hx?: Tensor | null | { hx?: Tensor | null }): Tensor;
  override forward(...args: unknown[]): Tensor {
    const { input, hx } = singleArguments("GRUCell", args);
    return this.step("GRU", input, hx && [hx])[0]!;
  }
}

/** h and c, each [N, hiddenSize] or [hiddenSize]. */
type LSTMState = [h: Tensor, c: Tensor];

/**
 * One step of an `LSTM`. Shapes: input [N, inputSize] or [inputSize]; the state is a pair `[h, c]` of [N, hiddenSize] or
 * [hiddenSize], zeros by default; the result is such a pair.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.LSTMCell.html
 */
export class LSTMCell extends RNNCellBase {
  constructor(inputSize: number, hiddenSize: number, options?: RecurrentCellOptions);
  constructor(options: RecurrentSizes & RecurrentCellOptions);
  constructor(...args: unknown[]) {
    super(cellArguments<RecurrentCellOptions>("LSTMCell", args), 4);
  }

  override forward(input: Tensor, hx?: LSTMState | null | { hx?: LSTMState | null }): LSTMState;
  override forward(...args: unknown[]): LSTMState {
    const { input, hx = null } = bind<{ input: Tensor; hx?: LSTMState | null }>(
      "LSTMCell.forward",
      ["!input", "hx"],
      args,
    );
    checkDimensions("LSTMCell", "input", input);
    const state = hx === null ? null : pairOf(hx);
    state?.forEach((part, k) => {
      checkDimensions("LSTMCell", `hx[${k}]`, part);
    });
    return this.step("LSTM", input, state) as LSTMState;
  }
}
