/**
 * What the recurrent layers compute, step by step and layer by layer. The input's part of all steps is one product; a step
 * adds the state's part. https://docs.pytorch.org/docs/2.13/nn.html#recurrent-layers
 */
import { CPU } from "../core/device.ts";
import { RuntimeError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import { add, mul, sub } from "./arithmetic.ts";
import { contiguous } from "./copy.ts";
import { dropout } from "./dropout.ts";
import { cat, stack } from "./joining.ts";
import { fusedLstmLayer } from "./lstm.ts";
import { linear } from "./matmul.ts";
import { evenParts, indexParts, parts } from "./parts.ts";
import { relu, sigmoid, tanh } from "./pointwise.ts";
import { call, defineOp, type Op } from "./registry.ts";
import { narrow } from "./slicing.ts";
import { transpose, view } from "./view.ts";

/** The parameters of one layer and direction. */
export interface RecurrentWeights {
  /** [gates · hidden, input] */
  input: Tensor;
  /** [gates · hidden, hidden]; with a projection [gates · hidden, projection] */
  hidden: Tensor;
  inputBias: Tensor | null;
  hiddenBias: Tensor | null;
  /** [projection, hidden], for an LSTM with a projection. */
  projection: Tensor | null;
}

/** h, for an LSTM h and c. */
export type RecurrentState = readonly Tensor[];

export type RecurrentMode = "RNN_TANH" | "RNN_RELU" | "LSTM" | "GRU";

/** PyTorch turns the output of RNN and GRU in place. */
const TransposeOutput: Op<null> = defineOp({
  name: "transpose_",
  gradFn: "TransposeBackward1",
  kernels: [],
  forward: (_, x: Tensor) => transpose(x.detach(), 0, 1),
  backward: (_, grad: Tensor) => [transpose(grad, 0, 1)],
});

/** The input's part of the gates, and the state before → the state after. */
type Step = (gates: Tensor, state: RecurrentState, weights: RecurrentWeights) => Tensor[];

function hiddenPart(h: Tensor, weights: RecurrentWeights): Tensor {
  return linear(h, weights.hidden, weights.hiddenBias);
}

const STEPS: Readonly<Record<RecurrentMode, Step>> = {
  RNN_TANH: (gates, [h], weights) => [tanh(add(hiddenPart(h!, weights), gates))],
  RNN_RELU: (gates, [h], weights) => [relu(add(hiddenPart(h!, weights), gates))],
  LSTM(gates, [h, c], weights) {
    const [i, f, g, o] = evenParts(add(hiddenPart(h!, weights), gates), 4);
    const cell = add(mul(sigmoid(f!), c!), mul(sigmoid(i!), tanh(g!)));
    const hidden = mul(sigmoid(o!), tanh(cell));
    return [weights.projection ? linear(hidden, weights.projection) : hidden, cell];
  },
  GRU(gates, [h], weights) {
    const [inputReset, inputUpdate, inputNew] = evenParts(gates, 3);
    const [hiddenReset, hiddenUpdate, hiddenNew] = evenParts(hiddenPart(h!, weights), 3);
    const reset = sigmoid(add(hiddenReset!, inputReset!));
    const update = sigmoid(add(hiddenUpdate!, inputUpdate!));
    const proposed = tanh(add(inputNew!, mul(hiddenNew!, reset)));
    return [add(mul(sub(h!, proposed), update), proposed)];
  },
};

/** One step of a cell: input [B, in], state [B, hidden] → the state after. */
export function recurrentStep(
  mode: RecurrentMode,
  input: Tensor,
  state: RecurrentState,
  weights: RecurrentWeights,
): Tensor[] {
  return STEPS[mode](linear(input, weights.input, weights.inputBias), state, weights);
}

interface LayerResult {
  output: Tensor;
  state: Tensor[];
}

/** All steps of a layer in one direction: x [T, B, in] → output [T, B, hidden]. */
function fullLayer(
  step: Step,
  x: Tensor,
  initial: RecurrentState,
  weights: RecurrentWeights,
  reverse: boolean,
): LayerResult {
  const inputs = indexParts(linear(x, weights.input, weights.inputBias));
  if (reverse) inputs.reverse();
  let state = [...initial];
  const outputs = inputs.map((gates) => {
    state = step(gates, state, weights);
    return state[0]!;
  });
  if (reverse) outputs.reverse();
  return { output: stack(outputs), state };
}

function rows(state: RecurrentState, start: number, end: number): Tensor[] {
  return state.map((part) => narrow(part, 0, start, end - start));
}

function joined(states: readonly RecurrentState[]): Tensor[] {
  return states[0]!.map((_, k) => cat(states.map((state) => state[k]!)));
}

/** As `fullLayer` over sequences of several lengths, the longest first: x [Σ sizes, in], step by step. */
function packedLayer(
  step: Step,
  x: Tensor,
  sizes: readonly number[],
  initial: RecurrentState,
  weights: RecurrentWeights,
  reverse: boolean,
): LayerResult {
  const inputs = parts(linear(x, weights.input, weights.inputBias), sizes, 0);
  const outputs = new Array<Tensor>(sizes.length);
  const run = (t: number, state: RecurrentState): Tensor[] => {
    const after = step(inputs[t]!, state, weights);
    outputs[t] = after[0]!;
    return after;
  };
  if (reverse) {
    // The longest sequences begin, the others join at their own ends.
    let size = sizes.at(-1)!;
    let state = rows(initial, 0, size);
    for (let t = sizes.length - 1; t >= 0; t--) {
      if (sizes[t]! > size) state = joined([state, rows(initial, size, sizes[t]!)]);
      size = sizes[t]!;
      state = run(t, state);
    }
    return { output: cat(outputs), state };
  }
  // A sequence that ends leaves its state behind.
  let size = sizes[0]!;
  let state = [...initial];
  const finished: Tensor[][] = [];
  for (const [t, next] of sizes.entries()) {
    if (next < size) {
      finished.push(rows(state, next, size));
      state = rows(state, 0, next);
    }
    size = next;
    state = run(t, state);
  }
  finished.push(state);
  return { output: cat(outputs), state: joined(finished.reverse()) };
}

export interface RecurrentCall {
  mode: RecurrentMode;
  /** [T, B, in], with `batchFirst` [B, T, in], packed [Σ batchSizes, in] */
  input: Tensor;
  /** How many sequences each step of a packed input has. */
  batchSizes: readonly number[] | null;
  /** Each [layers · directions, B, hidden] */
  state: RecurrentState;
  /** By layer, then by direction. */
  weights: readonly RecurrentWeights[];
  bidirectional: boolean;
  batchFirst: boolean;
  /** Probability of dropping an element between layers, in training. */
  dropout: number;
  training: boolean;
}

/** oneDNN's kernel computes a whole layer, on the CPU; it knows float32 only. */
function isFused({ mode, input, batchSizes, weights }: RecurrentCall): boolean {
  const { input: weight, projection } = weights[0]!;
  const isFloat32 = input.dtype.name === "float32" && weight.dtype.name === "float32";
  return (
    mode === "LSTM" &&
    !projection &&
    isFloat32 &&
    input.device === CPU &&
    input.numel() > 0 &&
    (batchSizes?.every((size) => size === batchSizes[0]) ?? true)
  );
}

/**
 * The layers, one after the other.
 * @throws RuntimeError for a sequence without steps
 */
export function recurrentLayers(given: RecurrentCall): { output: Tensor; state: Tensor[] } {
  if (given.batchSizes && isFused(given)) return unpackedLayers(given, given.batchSizes);
  const { mode, batchSizes, weights, bidirectional, batchFirst, training } = given;
  const fused = isFused(given);
  const turned = batchFirst && !batchSizes ? transpose(given.input, 0, 1) : given.input;
  if (turned.shape[0] === 0) throw new RuntimeError("Expected sequence length to be larger than 0 in RNN");
  if (fused && given.state.some((part) => part.dtype !== given.input.dtype)) {
    throw new RuntimeError("get_mkldnn_dtype: unsupported data type");
  }

  const initial = given.state.map(indexParts);
  const runLayer = (x: Tensor, layer: number, reverse: boolean): LayerResult => {
    const state = initial.map((part) => part[layer]!);
    const own = weights[layer]!;
    if (fused) {
      return fusedLstmLayer(x, state, own, reverse, (...inputs) => {
        const { output, state: after } = fullLayer(STEPS.LSTM, ...inputs, reverse);
        return [output, ...after];
      });
    }
    if (batchSizes) return packedLayer(STEPS[mode], x, batchSizes, state, own, reverse);
    return fullLayer(STEPS[mode], x, state, own, reverse);
  };

  const directions = bidirectional ? 2 : 1;
  const count = weights.length / directions;
  const final: Tensor[][] = [];
  let x = fused ? contiguous(turned) : turned;
  for (let layer = 0; layer < count; layer++) {
    const results = Array.from({ length: directions }, (_, d) => runLayer(x, layer * directions + d, d === 1));
    for (const { state } of results) final.push(state);
    x = bidirectional
      ? cat(
          results.map(({ output }) => output),
          -1,
        )
      : results[0]!.output;
    if (given.dropout > 0 && training && layer < count - 1) x = dropout(x, { p: given.dropout });
  }
  const state = given.state.map((_, k) => stack(final.map((parts) => parts[k]!)));
  if (!batchFirst || batchSizes) return { output: x, state };
  return { output: mode === "LSTM" ? transpose(x, 0, 1) : call(TransposeOutput, null, x), state };
}

/** Packed sequences of one length, which are a batch like any other. */
function unpackedLayers(given: RecurrentCall, sizes: readonly number[]): { output: Tensor; state: Tensor[] } {
  const input = view(given.input, sizes.length, sizes[0]!, -1);
  const { output, state } = recurrentLayers({ ...given, input, batchSizes: null, batchFirst: false });
  return { output: view(output, -1, output.shape[2]!), state };
}
