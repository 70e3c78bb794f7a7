/** Recurrent layers over whole sequences. https://docs.pytorch.org/docs/2.13/nn.html#recurrent-layers */
import { isOptions } from "../core/arguments.ts";
import { RuntimeError, ValueError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import type { RecurrentState } from "../ops/recurrent.ts";
import { pairOf, type RecurrentOptions, type RecurrentSizes, RNNBase } from "./recurrent_base.ts";

export interface RNNOptions extends RecurrentOptions {
  /** "tanh" or "relu". Default "tanh". */
  nonlinearity?: "tanh" | "relu";
}

/** The options object of a call, which is its last argument; the other arguments without it. */
function optionsOf(args: readonly unknown[]): { positional: unknown[]; options: Record<string, unknown> } {
  const last = args.at(-1);
  return isOptions(last) ? { positional: args.slice(0, -1), options: last } : { positional: [...args], options: {} };
}

function refuseProjection(options: Record<string, unknown>): void {
  if ("projSize" in options) {
    throw new ValueError("proj_size argument is only supported for LSTM, not RNN or GRU");
  }
}

/** A layer whose state is one tensor. */
abstract class SingleStateRNN extends RNNBase<Tensor> {
  protected override tensorsOf(hx: Tensor): Tensor[] {
    return [hx];
  }

  protected override stateOf([h]: Tensor[]): Tensor {
    return h!;
  }

  protected override checkDimensions([h]: RecurrentState, batched: boolean): void {
    if (h!.ndim === (batched ? 3 : 2)) return;
    throw new RuntimeError(
      `For ${batched ? "batched 3-D" : "unbatched 2-D"} input, hx should also be ${batched ? 3 : 2}-D but got ${h!.ndim}-D tensor`,
      { shapes: [h!.shape] },
    );
  }
}

/**
 * h' = tanh(x·W_ihᵀ + b_ih + h·W_hhᵀ + b_hh), or relu of it, step by step.
 *
 * Shapes: input [L, N, inputSize] (with `batchFirst` [N, L, inputSize], without a batch [L, inputSize]) or a PackedSequence;
 * h0 [D·numLayers, N, hiddenSize], zeros by default, D = 2 if bidirectional else 1; output [L, N, D·hiddenSize]; hn as h0.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.RNN.html
 * @throws RuntimeError for an input or a state of another size
 */
export class RNN extends SingleStateRNN {
  declare readonly nonlinearity: "tanh" | "relu";

  constructor(inputSize: number, hiddenSize: number, options?: RNNOptions);
  constructor(inputSize: number, hiddenSize: number, numLayers?: number, options?: Omit<RNNOptions, "numLayers">);
  constructor(options: RecurrentSizes & RNNOptions);
  constructor(...args: unknown[]) {
    const { positional, options } = optionsOf(args);
    refuseProjection(options);
    const { nonlinearity: named = "tanh", ...rest } = options;
    const nonlinearity = positional.length > 3 ? positional[3] : named;
    if (nonlinearity !== "tanh" && nonlinearity !== "relu") {
      throw new ValueError(`Unknown nonlinearity '${nonlinearity}'. Select from 'tanh' or 'relu'.`);
    }
    super(nonlinearity === "tanh" ? "RNN_TANH" : "RNN_RELU", [...positional.toSpliced(3, 1), rest]);
    this.nonlinearity = nonlinearity;
  }
}

/**
 * Gated recurrent unit: r = σ(x·W_ir + h·W_hr), z = σ(x·W_iz + h·W_hz), n = tanh(x·W_in + r ∗ (h·W_hn)),
 * h' = (1 − z) ∗ n + z ∗ h, biases apart; the three weights lie in one parameter.
 *
 * Shapes: as `RNN`.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.GRU.html
 * @throws RuntimeError for an input or a state of another size
 */
export class GRU extends SingleStateRNN {
  constructor(inputSize: number, hiddenSize: number, options?: RecurrentOptions);
  constructor(inputSize: number, hiddenSize: number, numLayers?: number, options?: Omit<RecurrentOptions, "numLayers">);
  constructor(options: RecurrentSizes & RecurrentOptions);
  constructor(...args: unknown[]) {
    refuseProjection(optionsOf(args).options);
    super("GRU", args);
  }
}

export interface LSTMOptions extends RecurrentOptions {
  /** Size to which the hidden state is projected; 0 leaves it as it is. Default 0. */
  projSize?: number;
}

/**
 * Long short-term memory: i, f, o = σ(…), g = tanh(…) of input and state, c' = f ∗ c + i ∗ g, h' = o ∗ tanh(c'); the four
 * weights lie in one parameter, in the order i, f, g, o.
 *
 * Shapes: input as `RNN`; the state is a pair `[h0, c0]`, h0 [D·numLayers, N, projSize or hiddenSize],
 * c0 [D·numLayers, N, hiddenSize]; output [L, N, D·(projSize or hiddenSize)].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.LSTM.html
 * @throws RuntimeError for an input or a state of another size
 */
export class LSTM extends RNNBase<[Tensor, Tensor]> {
  constructor(inputSize: number, hiddenSize: number, options?: LSTMOptions);
  constructor(inputSize: number, hiddenSize: number, numLayers?: number, options?: Omit<LSTMOptions, "numLayers">);
  constructor(options: RecurrentSizes & LSTMOptions);
  constructor(...args: unknown[]) {
    super("LSTM", args);
  }

  protected override tensorsOf(hx: [Tensor, Tensor]): Tensor[] {
    return pairOf(hx);
  }

  protected override stateOf([h, c]: Tensor[]): [Tensor, Tensor] {
    return [h!, c!];
  }

  protected override checkDimensions([h, c]: RecurrentState, batched: boolean): void {
    const ndim = batched ? 3 : 2;
    if (h!.ndim === ndim && c!.ndim === ndim) return;
    throw new RuntimeError(
      `For ${batched ? "batched 3-D" : "unbatched 2-D"} input, hx and cx should also be ${ndim}-D but got (${h!.ndim}-D, ${c!.ndim}-D) tensors`,
      { shapes: [h!.shape, c!.shape] },
    );
  }
}
