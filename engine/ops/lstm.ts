/**
 * A whole LSTM layer as one operation: the input's part of all gates in one product, a product and a few passes over the
 * gates for each step, and in backward one product for each parameter instead of one for each step.
 */
import { isGradEnabled } from "../autograd/mode.ts";
import type { Context } from "../autograd/node.ts";
import { kernels } from "../backends/index.ts";
import { float32 } from "../core/dtype.ts";
import { viewOf } from "../core/storage.ts";
import { Tensor } from "../core/tensor.ts";
import { copyRaw, denseRaw, viewAs } from "./operands.ts";
import type { RecurrentState, RecurrentWeights } from "./recurrent.ts";
import { callMany, defineOp, type Op } from "./registry.ts";
import { spelledOutBackward } from "./spelled_out.ts";

/** x, the two weights, the two biases, h, c. */
type LayerInputs = [
  x: Tensor,
  inputWeight: Tensor,
  hiddenWeight: Tensor,
  inputBias: Tensor | null,
  hiddenBias: Tensor | null,
  h: Tensor,
  c: Tensor,
];

interface LstmAttrs {
  /** Whether the steps go from the last to the first. */
  reverse: boolean;
  /** The layer made of single operations, for gradients of gradients. */
  spelledOut(inputs: LayerInputs): Tensor[];
}

type Three = [Tensor, Tensor, Tensor];
type FourArrays = [Float32Array, Float32Array, Float32Array, Float32Array];

function floats(x: Tensor): Float32Array {
  return x.denseData() as Float32Array;
}

/** [T, B, n] as [T · B, n]. */
function flatRows(x: Tensor): Tensor {
  const dense = denseRaw(x);
  const [length, batch, width] = x.shape as unknown as [number, number, number];
  return matrixAt(dense, dense.offset, length * batch, width);
}

function product(a: Tensor, b: Tensor): Tensor {
  const out = Tensor.empty([a.shape[0]!, b.shape[1]!], float32);
  const whole = (x: Tensor) => viewAs(x, [1, ...x.shape], [0, ...x.strides]);
  kernels.matmul(whole(a), whole(b), whole(out));
  return out;
}

/** A matrix over part of a tensor's storage. */
function matrixAt(x: Tensor, offset: number, height: number, width: number): Tensor {
  return new Tensor(x.storage, [height, width], [width, 1], offset);
}

const LstmLayer: Op<LstmAttrs> = defineOp({
  name: "mkldnn_rnn_layer",
  gradFn: "MkldnnRnnLayerBackward0",
  kernels: ["matmul", "unary"],
  forward(ctx, ...inputs: LayerInputs) {
    const [x, inputWeight, hiddenWeight, inputBias, hiddenBias, h0, c0] = inputs;
    const [length, batch] = x.shape as unknown as [number, number];
    const size = hiddenWeight.shape[1]!;
    const plane = batch * size;
    const bias = biasOf(inputBias, hiddenBias, 4 * size);
    const fromInput = floats(product(flatRows(x), inputWeight.detach().t()));
    const turnedWeight = hiddenWeight.detach().t();

    // Of each step the gates i, f, g, o after one another, [4, B, hidden], so that each is one stretch for its function.
    const sums = Tensor.empty([4, batch, size], float32);
    const gates = Tensor.empty([length, 4, batch, size], float32);
    const [cells, squashed, output] = [x, x, x].map(() => Tensor.empty([length, batch, size], float32)) as Three;
    const [allGates, allCells, allSquashed, allHidden] = [gates, cells, squashed, output].map(floats) as FourArrays;
    let before = floats(c0);
    let h = denseRaw(h0.detach());
    for (let step = 0; step < length; step++) {
      const t = ctx.attrs.reverse ? length - 1 - step : step;
      addGates(sums, fromInput.subarray(t * 4 * plane), floats(product(h, turnedWeight)), bias);
      squash("sigmoid", sums, 0, gates, 4 * t * plane, 2 * plane);
      squash("tanh", sums, 2 * plane, gates, (4 * t + 2) * plane, plane);
      squash("sigmoid", sums, 3 * plane, gates, (4 * t + 3) * plane, plane);
      const gate = allGates.subarray(4 * t * plane, 4 * (t + 1) * plane);
      const cell = allCells.subarray(t * plane, (t + 1) * plane);
      for (let k = 0; k < plane; k++) cell[k] = gate[plane + k]! * before[k]! + gate[k]! * gate[2 * plane + k]!;
      squash("tanh", cells, t * plane, squashed, t * plane, plane);
      for (let k = 0, at = t * plane; k < plane; k++, at++) allHidden[at] = gate[3 * plane + k]! * allSquashed[at]!;
      before = cell;
      h = matrixAt(output, t * plane, batch, size);
    }
    ctx.save(...inputs, output, gates, cells, squashed);
    const last = (ctx.attrs.reverse ? 0 : length - 1) * plane;
    const final = (values: Float32Array) => placed(values.subarray(last, last + plane), [batch, size]);
    return [output, final(allHidden), final(allCells)];
  },
  backward(ctx, ...grads: (Tensor | null)[]) {
    return isGradEnabled() ? differentiable(ctx, grads) : swept(ctx, grads);
  },
});

function biasOf(a: Tensor | null, b: Tensor | null, size: number): Float32Array {
  const bias = new Float32Array(size);
  for (const part of [a, b]) {
    if (part)
      floats(part).forEach((value, i) => {
        bias[i]! += value;
      });
  }
  return bias;
}

/** Both parts, [B, 4 · hidden], and the bias, as [4, B, hidden]. */
function addGates(sums: Tensor, fromInput: Float32Array, fromHidden: Float32Array, bias: Float32Array): void {
  const [, batch, size] = sums.shape as unknown as [number, number, number];
  const out = floats(sums);
  for (let b = 0; b < batch; b++) {
    for (let gate = 0; gate < 4; gate++) {
      const from = (b * 4 + gate) * size;
      const to = (gate * batch + b) * size;
      for (let j = 0; j < size; j++) {
        out[to + j] = fromInput[from + j]! + fromHidden[from + j]! + bias[gate * size + j]!;
      }
    }
  }
}

/** A function over a stretch of one tensor into a stretch of another. */
function squash(op: "sigmoid" | "tanh", x: Tensor, from: number, out: Tensor, to: number, count: number): void {
  const stretch = (of: Tensor, offset: number) => viewOf(of.storage, [count], [1], offset);
  kernels.unary(op, stretch(x, from), stretch(out, to));
}

/** Backpropagation through time, not recorded. */
function swept(ctx: Context<LstmAttrs>, [gradOutput, gradH, gradC]: (Tensor | null)[]): (Tensor | null)[] {
  const [x, inputWeight, hiddenWeight, , , h0, c0, output, gates, cells, squashed] = ctx.saved;
  const [length, batch, width] = x!.shape as unknown as [number, number, number];
  const size = hiddenWeight!.shape[1]!;
  const plane = batch * size;
  const { reverse } = ctx.attrs;
  const gradGates = Tensor.empty([length * batch, 4 * size], float32);
  const slopes = floats(gradGates);
  const gate = floats(gates!);
  const flat = floats(squashed!);
  const cell = floats(cells!);
  const arriving = gradOutput ? floats(gradOutput) : null;
  const gradCell = gradC ? Float32Array.from(floats(gradC)) : new Float32Array(plane);
  let gradHidden = gradH ? floats(gradH) : new Float32Array(plane);
  for (let step = length - 1; step >= 0; step--) {
    const t = reverse ? length - 1 - step : step;
    const earlier = reverse ? t + 1 : t - 1;
    const before = step === 0 ? floats(c0!) : cell.subarray(earlier * plane, (earlier + 1) * plane);
    for (let b = 0; b < batch; b++) {
      for (let j = 0; j < size; j++) {
        const k = b * size + j;
        const at = 4 * t * plane + k;
        const i = gate[at]!;
        const f = gate[at + plane]!;
        const g = gate[at + 2 * plane]!;
        const o = gate[at + 3 * plane]!;
        const tanhCell = flat[t * plane + k]!;
        const toHidden = gradHidden[k]! + (arriving ? arriving[t * plane + k]! : 0);
        const toCell = gradCell[k]! + toHidden * o * (1 - tanhCell * tanhCell);
        const row = (t * batch + b) * 4 * size + j;
        slopes[row] = toCell * g * i * (1 - i);
        slopes[row + size] = toCell * before[k]! * f * (1 - f);
        slopes[row + 2 * size] = toCell * i * (1 - g * g);
        slopes[row + 3 * size] = toHidden * tanhCell * o * (1 - o);
        gradCell[k] = toCell * f;
      }
    }
    gradHidden = floats(product(matrixAt(gradGates, 4 * t * plane, batch, 4 * size), hiddenWeight!.detach()));
  }

  const { needs } = ctx;
  const turned = gradGates.t();
  const bias = needs[3] || needs[4] ? gradGates.sum(0) : null;
  return [
    needs[0] ? product(gradGates, inputWeight!.detach()).view(length, batch, width) : null,
    needs[1] ? product(turned, flatRows(x!)) : null,
    needs[2] ? product(turned, flatRows(statesBefore(output!, h0!, reverse))) : null,
    needs[3] ? bias : null,
    bias && needs[4] ? copyRaw(bias) : null,
    needs[5] ? placed(gradHidden, [batch, size]) : null,
    needs[6] ? placed(gradCell, [batch, size]) : null,
  ];
}

function placed(values: Float32Array, shape: readonly number[]): Tensor {
  const out = Tensor.empty(shape, float32);
  floats(out).set(values);
  return out;
}

/** The state that each step started from, [T, B, hidden]. */
function statesBefore(output: Tensor, h0: Tensor, reverse: boolean): Tensor {
  const out = Tensor.empty(output.shape, float32);
  const plane = h0.numel();
  const rest = out.numel() - plane;
  floats(out).set(floats(h0), reverse ? rest : 0);
  floats(out).set(reverse ? floats(output).subarray(plane) : floats(output).subarray(0, rest), reverse ? 0 : plane);
  return out;
}

/** The same gradients by single operations, which are recorded. */
function differentiable(ctx: Context<LstmAttrs>, grads: (Tensor | null)[]): (Tensor | null)[] {
  return spelledOutBackward(ctx, (inputs) => ctx.attrs.spelledOut(inputs as LayerInputs), ctx.saved.slice(0, 7), grads);
}

/** x [T, B, in] and h, c [B, hidden] → output [T, B, hidden] and h, c after the last step. */
export function fusedLstmLayer(
  x: Tensor,
  [h, c]: RecurrentState,
  weights: RecurrentWeights,
  reverse: boolean,
  spelledOut: (x: Tensor, state: RecurrentState, weights: RecurrentWeights) => Tensor[],
): { output: Tensor; state: Tensor[] } {
  const attrs: LstmAttrs = {
    reverse,
    spelledOut: ([input, inputWeight, hiddenWeight, inputBias, hiddenBias, h0, c0]) =>
      spelledOut(input, [h0, c0], {
        input: inputWeight,
        hidden: hiddenWeight,
        inputBias,
        hiddenBias,
        projection: null,
      }),
  };
  const { input, hidden, inputBias, hiddenBias } = weights;
  const [output, ...state] = callMany(LstmLayer, attrs, x, input, hidden, inputBias, hiddenBias, h!, c!);
  return { output: output!, state };
}
